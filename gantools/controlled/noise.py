"""Samples of X + N, and a check of what the noise does to a finite training set that needs no classifier."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gantools.controlled.bounds import Distance, checked_level, checked_scale, jsd_bound

__all__ = [
    "Clipped", "Dirichlet", "Gaussian", "Sampler", "by_membership", "contaminate", "outside", "sampler",
]  # fmt: skip

Sampler = Callable[[Tensor, torch.Generator], Tensor]  # (x, generator) -> noise like x


@dataclass(frozen=True)
class Gaussian:
    """Noise Ñ ~ N(0, scale^2 I)."""

    scale: float = 1.0

    def __post_init__(self):
        checked_scale(self.scale)

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self.scale * torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)


@dataclass(frozen=True)
class Dirichlet:
    """Noise Ñ = scale times a draw of the symmetric Dirichlet law: an example's d numbers sum to `scale`.

    Its entries are about scale / d: hardly visible in an image. Needs d >= 2, for alone it is a constant.
    """

    concentration: float = 1.0
    scale: float = 1.0

    def __post_init__(self):
        checked_scale(self.scale)
        if not (self.concentration > 0 and math.isfinite(self.concentration)):
            raise ValueError(f"concentration must be a positive number, not {self.concentration!r}")

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        d = math.prod(x.shape[1:])
        if d < 2:
            raise ValueError("Dirichlet noise needs at least two numbers an example: of one it is a constant")
        shapes = torch.full((len(x), d), self.concentration + 1.0, device=x.device)
        u = torch.rand(shapes.shape, generator=generator, device=x.device)
        # Gamma(a) = Gamma(a + 1) U^(1/a), in logarithms: no concentration is so small that all underflows.
        log_gamma = torch._standard_gamma(shapes, generator).log() + torch.log1p(-u) / self.concentration
        return (self.scale * log_gamma.softmax(dim=1)).to(x.dtype).view(x.shape)  # (n, d) -> (n, ...)


@dataclass(frozen=True)
class Clipped:
    """Another noise, cut off where X + N would leave [low, high], the range of images in a file.

    Such a noise depends on X, but every bound holds: they ask for the law of X + Ñ alone.
    """

    noise: Sampler
    low: float = -1.0
    high: float = 1.0

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return (x + self.noise(x, generator)).clamp(self.low, self.high) - x


NOISES = {"gaussian": Gaussian, "dirichlet": Dirichlet}


def sampler(noise: str | Sampler, **parameters: float) -> Sampler:
    """The noise of that name with its parameters, or the function itself.

    TypeError for parameters beside a function, ValueError for an unknown name.
    """
    if callable(noise):
        if parameters:
            raise TypeError(f"only a noise given by name takes parameters, no function: {list(parameters)}")
        return noise
    if not isinstance(noise, str) or noise not in NOISES:
        raise ValueError(f"there is no noise named {noise!r}: choose {' or '.join(NOISES)}, or a function")
    return NOISES[noise](**parameters)


def contaminate(
    x: Tensor, delta: float, noise: str | Sampler, generator: torch.Generator, **parameters: float
) -> Tensor:
    """X + N for a batch of floats x, (n, ...): each row, with probability delta, gets a draw of the noise.

    noise: "gaussian" (parameter scale) or "dirichlet" (concentration, scale), or any function (x, generator)
    -> tensor of x's shape and device. A new tensor; the other rows are x's to the bit. Randomness comes from
    `generator` alone, which lives where x does; from the same state a larger delta noises the same rows and
    more. The device is never waited for.

    Raises TypeError if x is not a tensor of floats or generator none of torch's, ValueError for a delta
    outside [0, 1], a noise that is unknown or of another shape or device.  Source: Truong (2022), appendix A.
    """
    delta = checked_level(delta)
    if not isinstance(x, Tensor) or not x.is_floating_point() or x.ndim == 0:
        raise TypeError("x must be a tensor of floats, (n, ...); images go through data.to_float first")
    if not isinstance(generator, torch.Generator):
        raise TypeError(f"generator must be a torch.Generator, not {type(generator).__name__}")
    if generator.device.type != x.device.type:
        raise ValueError(f"x is on {x.device}, its generator on {generator.device}: make one there")
    return noised(x, delta, sampler(noise, **parameters), generator)


def noised(x: Tensor, delta: float, noise: Sampler, generator: torch.Generator | None) -> Tensor:
    """`contaminate` without its questions."""
    chosen = torch.rand(len(x), generator=generator, device=x.device) < delta  # (n,)
    drawn = noise(x, generator)
    if not isinstance(drawn, Tensor) or drawn.shape != x.shape or drawn.device != x.device:
        raise ValueError(f"the noise must be a tensor like x, {_described(x)}, not {_described(drawn)}")
    return torch.where(chosen.view(-1, *[1] * (x.ndim - 1)), x + drawn.to(x.dtype), x)


def _described(x: Any) -> str:
    return f"{tuple(x.shape)} on {x.device}" if isinstance(x, Tensor) else type(x).__name__


# ---- finite training sets ---------------------------------------------------------------------------------


def outside(x: Tensor, training: Tensor) -> Tensor:
    """Which rows of x, (n, ...), are no row of the training set, (m, ...), number for number: bools, (n,)."""
    if x.ndim == 0 or x.shape[1:] != training.shape[1:] or x.dtype != training.dtype:
        raise ValueError(
            f"rows must be alike: x is {tuple(x.shape)} of {x.dtype}, "
            f"the training set {tuple(training.shape)} of {training.dtype}"
        )
    known = set(_rows(training))
    return torch.tensor([row not in known for row in _rows(x)], dtype=torch.bool)


def by_membership(x: Tensor, training: Tensor) -> Distance:
    """What the question "is it in the training set?" tells between draws of the set and the samples x.

    If a share w of x is outside, this one yes or no bears TV = w and JSD = J_max(w). By data processing the
    laws differ at least so much, up to sampling. For X drawn from a finite set and noise with a density w
    tends to delta, and both bounds are reached: TV = delta and JSD = J_max(delta) whatever the scale, as long
    as the noise survives rounding.  (MATH G.5)
    """
    if not len(x):
        raise ValueError("x holds no samples")
    share = float(outside(x, training).double().mean())
    return Distance(share, float(jsd_bound(share)))


def _rows(x: Tensor) -> list[bytes]:
    table = x.detach().cpu().reshape(len(x), -1).numpy()
    return [row.tobytes() for row in table + table.dtype.type(0)]  # -0.0 becomes 0.0, which equals it

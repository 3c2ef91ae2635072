"""Algorithm 1 with several sources: an ordinary GAN on contaminated data, and what it reaches, measured.

The game is `gan(generator, discriminator, sources(...))`: nothing but the data is new. What it reaches is
measured where the laws are known, in the plane, by `Cells` against their exact masses, and elsewhere by
`judge` (that is `metrics.jsd_bound`), a classifier whose held-out score is a lower bound on the divergence.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from scipy import special
from torch import Tensor, nn

from gantools import data, divergences, nets
from gantools.controlled.bounds import Distance, bounds, checked_level, checked_weights
from gantools.controlled.noise import Gaussian, Sampler, noised, sampler
from gantools.data import Source
from gantools.game import Game, gan
from gantools.metrics import Judged
from gantools.metrics import jsd_bound as judge

__all__ = [
    "Cells", "Grainy", "Judged", "Sources", "image_game", "judge", "plane_distance", "plane_game",
    "plane_law", "sources", "verdict",
]  # fmt: skip


# ---- the data of Algorithm 1 ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Sources(Source):
    """K sources, each contaminated, mixed by weights, (K,); made by `sources`.

    An example is drawn from the k-th with probability weights[k], its label is k, and with probability
    deltas[k] a new draw of noises[k] is added. One source too, so that any game can be played on it.
    """

    parts: tuple
    weights: Tensor
    deltas: tuple[float, ...]
    noises: tuple[Sampler, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.parts[0].shape)

    @property
    def device(self) -> torch.device:
        return self.weights.device

    @property
    def clean(self) -> "Sources":
        """The same mixture without noise."""
        return replace(self, deltas=(0.0,) * len(self.parts))

    @property
    def bound(self) -> Distance:
        """What is promised of the clean mixture and the contaminated one: `bounds`."""
        return bounds(self.deltas, self.weights.tolist())

    def draw(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """(x, source): (n, ...) float32 and (n,) int64. The device is never waited for: every source is asked
        for n examples, and each row takes one of its K."""
        each = [
            noised(part.draw(n, generator)[0], delta, noise, generator)
            for part, delta, noise in zip(self.parts, self.deltas, self.noises, strict=True)
        ]
        if len(each) == 1:
            return each[0], torch.zeros(n, dtype=torch.int64, device=self.device)
        source = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        rows = torch.arange(n, device=self.device)
        return torch.stack(each)[source, rows], source  # (K, n, ...) -> (n, ...)

    def to(self, device) -> "Sources":
        parts = tuple(part.to(device) for part in self.parts)
        return replace(self, parts=parts, weights=self.weights.to(device))


def sources(
    parts: Source | Sequence[Source],
    deltas: float | Sequence[float],
    weights: Sequence[float] | None = None,
    noise: str | Sampler | Sequence = "gaussian",
    **parameters: float,
) -> Sources:
    """The data of Algorithm 1: K sources, their levels, weights (equal ones unless given) and noises.

    A single source needs no lists. `noise` is one for all, as in `contaminate`, or a list of K; parameters
    such as scale go with a name and hold for all.  Raises ValueError for numbers that do not fit, levels
    outside [0, 1], weights that are no probabilities, sources of different shapes.
    Source: Truong (2022), Algorithm 1 and Theorem 4.
    """
    parts = (parts,) if isinstance(parts, Source) else tuple(parts)
    k = len(parts)
    share = checked_weights([1 / k] * k if weights is None and k else weights or [], k)
    levels = [deltas] if isinstance(deltas, int | float) else list(deltas)
    noises = [noise] * k if isinstance(noise, str) or callable(noise) else list(noise)
    for name, found in (("deltas", levels), ("noises", noises)):
        if len(found) != k:
            raise ValueError(f"{k} sources need as many {name}, not {len(found)}")
    shapes = {tuple(part.shape) for part in parts}
    if len(shapes) > 1:
        raise ValueError(f"the sources must make examples of one shape, not of {sorted(shapes)}")
    levels, noises = tuple(map(checked_level, levels)), tuple(sampler(each, **parameters) for each in noises)
    return Sources(parts, torch.tensor(share, dtype=torch.float32), levels, noises)


# ---- in the plane: laws that are known exactly ------------------------------------------------------------


class _Bumps(NamedTuple):
    """Isotropic Gaussians of the plane: centres (b, 2), deviations (b,), weights (b,)."""

    centres: np.ndarray
    sd: np.ndarray
    weights: np.ndarray

    def density(self, x: np.ndarray) -> np.ndarray:
        """At the points of the grid x by x: (s,) -> (s, s)."""
        each = [np.exp(-(((x[:, None] - c) / self.sd) ** 2) / 2) / (self.sd * math.sqrt(2 * math.pi))
                for c in self.centres.T]  # fmt: skip
        return (each[0] * self.weights) @ each[1].T  # (s, b) @ (b, s)

    def masses(self, edges: np.ndarray) -> np.ndarray:
        """Of the cells between the edges, (s + 1,), and of all that is outside them: (s * s + 1,)."""
        cdfs = [special.ndtr((edges[:, None] - c) / self.sd) for c in self.centres.T]
        along = [np.diff(cdf, axis=0) for cdf in cdfs]  # (s, b) each
        inside = ((along[0] * self.weights) @ along[1].T).ravel()
        return np.append(inside, max(0.0, 1 - inside.sum()))


def _bumps(law: Sources) -> _Bumps:
    """The law of the draws; ValueError unless sources are Gaussian mixtures of the plane, noises Gaussian."""
    found = []
    each = zip(law.parts, law.weights.tolist(), law.deltas, law.noises, strict=True)
    for part, weight, delta, noise in each:
        if not isinstance(part, data.Mixture) or part.shape != (2,) or not isinstance(noise, Gaussian):
            raise ValueError("exact masses need Gaussian mixtures of the plane and Gaussian noises")
        for share, sd in ((1 - delta, part.sd), (delta, math.hypot(part.sd, noise.scale))):
            weights = weight * share * part.weights.double().cpu().numpy()
            found.append((part.centres.double().cpu().numpy(), np.full(len(weights), sd), weights))
    centres, sds, weights = (np.concatenate(each) for each in zip(*found, strict=True))
    return _Bumps(centres, sds, weights / weights.sum())


def _reach(*laws: _Bumps) -> float:
    """Half the side of a square around the origin that holds all but 1e-8 of them."""
    return max(float((np.abs(law.centres).max(1) + 6 * law.sd)[law.weights > 0].max()) for law in laws)


def plane_distance(law: Sources, fineness: float = 3.0) -> Distance:
    """TV and JSD of the clean mixture and the contaminated one, by the midpoint rule on a square grid.

    The step is the least deviation / fineness. The rule converges faster than any power for such densities:
    3 leaves 1e-6 or less to JSD; TV, whose integrand has corners, is good to some 1e-4.
    """
    clean, whole = _bumps(law.clean), _bumps(law)
    half = _reach(clean, whole)
    steps = math.ceil(2 * half * fineness / clean.sd.min())
    cell = 2 * half / steps
    x = -half + cell * (np.arange(steps) + 0.5)
    p, q = (each.density(x) * cell**2 for each in (clean, whole))
    middle = (p + q) / 2
    jsd = special.rel_entr(p, middle).sum() / 2 + special.rel_entr(q, middle).sum() / 2
    return Distance(float(np.abs(p - q).sum() / 2), float(jsd))


class Cells:
    """The plane cut into side x side equal cells and the rest: both laws' exact masses, and samples' shares.

    Cutting lowers a divergence (data processing); n samples against exact masses raise it by about
    (cells with mass - 1) / (8 n) nats at least, half the bias of two samples (MATH J).
    """

    def __init__(self, law: Sources, side: int = 24, half: float | None = None):
        clean, whole = _bumps(law.clean), _bumps(law)
        half = _reach(clean) if half is None else half
        self.edges = np.linspace(-half, half, side + 1)
        self.clean, self.contaminated = clean.masses(self.edges), whole.masses(self.edges)

    def shares(self, x: Tensor) -> np.ndarray:
        """(n, 2) -> share of the points in each cell, and outside: (side * side + 1,)."""
        side = len(self.edges) - 1
        column, row = (np.searchsorted(self.edges, axis.double().cpu().numpy()) - 1 for axis in x.T)
        outside = (column < 0) | (column >= side) | (row < 0) | (row >= side)
        index = np.where(outside, side * side, column * side + row)
        return np.bincount(index, minlength=side * side + 1) / len(x)

    @property
    def between(self) -> float:
        """JSD of the two laws as the cells see it, in nats: at most that of `plane_distance`."""
        return divergences.jsd(self.clean, self.contaminated)

    def to_clean(self, x: Tensor) -> float:
        """JSD of the samples x, (n, 2), and the clean law, in nats, as the cells see it."""
        return divergences.jsd(self.shares(x), self.clean)

    def to_contaminated(self, x: Tensor) -> float:
        """The same for the contaminated law: what training has left over."""
        return divergences.jsd(self.shares(x), self.contaminated)

    def measures(self, n: int = 10_000) -> dict[str, Callable[[Game], float]]:
        """For `record(..., measure=...)`: both distances of n samples, and the exact one of the two laws."""
        return {
            "from clean": lambda game: self.to_clean(game.sample(n, seed=1)),
            "from contaminated": lambda game: self.to_contaminated(game.sample(n, seed=1)),
            "target": lambda game: self.between,
        }


def plane_law(deltas: Sequence[float] = (0.2, 0.5), scale: float = 1.5) -> Sources:
    """The chapter's example: three bumps on the left, three on the right, in equal shares, Gaussian noise."""
    left, right = ([[side * 2.2, 1], [side, 0], [side * 2.2, -1]] for side in (-1, 1))
    return sources([data.mixture(left, 0.3), data.mixture(right, 0.3)], deltas, scale=scale)


def plane_game(law: Source, seed: int = 0, width: int = 128, **options) -> Game:
    """The two-player game on sources of the plane: three layers each, four latents, a running average."""
    generator = nets.mlp([4, width, width, 2], "leaky_relu", seed=seed)
    discriminator = nets.mlp([2, width, width, 1], "leaky_relu", seed=100 + seed)
    usual = {"lr": (2e-3, 1e-3), "betas": (0.0, 0.99), "ema": 0.998, "device": "cpu"}
    return gan(generator, discriminator, law, latent=4, seed=seed, **{**usual, **options})


# ---- images -----------------------------------------------------------------------------------------------


class Grainy(nn.Module):
    """A generator that is given grain, a number a pixel, and learns how much of it each image gets.

    latents (n, latent + pixels) -> images (n, *shape) in [-1, 1].  Without the grain, images that depend on
    fewer latents than they have pixels fill no volume, and can imitate no noise that has a density.
    """

    def __init__(self, latent: int, shape: Sequence[int], width: int, seed: int = 0):
        super().__init__()
        self.latent, self.shape, pixels = latent, tuple(shape), math.prod(shape)
        widths = [latent, width, width, pixels]
        self.picture = nets.mlp(widths, "leaky_relu", output="tanh", shape=shape, seed=seed)
        self.amount = nets.mlp([latent, 64, 1], "leaky_relu", seed=200 + seed)

    def forward(self, z: Tensor) -> Tensor:
        code, grain = z[:, : self.latent], z[:, self.latent :].view(-1, *self.shape)  # (n, C, H, W)
        amount = self.amount(code).sigmoid().view(-1, *[1] * len(self.shape))
        return (self.picture(code) + amount * grain).clamp(-1, 1)


def image_game(law: Source, seed: int = 0, grain: bool = False, width: int = 256, **options) -> Game:
    """The two-player game on images: three layers each, 64 latents, a running average; grain: `Grainy`."""
    pixels, latent = math.prod(law.shape), 64
    generator = Grainy(latent, law.shape, width, seed)
    if not grain:
        generator = generator.picture
    discriminator = nets.mlp([pixels, width, width, 1], "leaky_relu", seed=100 + seed)
    usual = {"lr": 1e-3, "betas": (0.0, 0.99), "ema": 0.998, "batch_size": 64, "device": "cpu"}
    latents = latent + pixels if grain else latent
    return gan(generator, discriminator, law, latent=latents, seed=seed, **{**usual, **options})


def verdict(
    game: Game, held_out: Sequence[data.ImageSet], samples: int = 10_000, seed: int = 0
) -> dict[str, float]:
    """What classifiers say of a game on contaminated images, in nats: lower bounds on JSDs.

    promised            sum_k weights[k] J_max(deltas[k])
    noised              contaminated images from clean ones: what needs no generator
    from_clean          the generator's images from clean ones;  from_contaminated  from contaminated ones
    error               the largest standard error of the three
    grainy              share of the generator's images that look noised to a classifier of clean and noised
                        images, which is right about `grain_accuracy` of new ones

    Clean images are those of `held_out`, one set a source, which the game has not seen, in the law's weights.
    ValueError if there are too few of them.
    """
    law = game.data["real"]
    counts = [round(weight * samples) for weight in law.weights.tolist()]
    if [n for n, each in zip(counts, held_out, strict=True) if n > len(each)]:
        raise ValueError(f"{counts} clean images are needed, of {[len(each) for each in held_out]} held out")
    clean = torch.cat([data.to_float(each.images[:n]) for each, n in zip(held_out, counts, strict=True)])
    made, rng = game.sample(samples, seed=1), torch.Generator().manual_seed(1000 + seed)
    everywhere = replace(law, deltas=(1.0,) * len(counts))
    noisy, all_noisy = law.sample(samples, rng), everywhere.sample(samples, rng)
    judged = {"noised": judge(clean, noisy, seed), "from_clean": judge(clean, made, seed),
              "from_contaminated": judge(noisy, made, seed)}  # fmt: skip
    spotter = judge(clean, all_noisy, seed)
    return {
        "promised": law.bound.jsd,
        **{name: found.bound for name, found in judged.items()},
        "error": max(found.error for found in judged.values()),
        "grainy": float((spotter.score(made) < 0).double().mean()),
        "grain_accuracy": spotter.accuracy,
    }

"""How far contaminated data are from clean ones: the controllable-divergence GAN in numbers.

X is the data; N is sparse noise, independent of X: 0 with probability 1 - delta, else a draw of Ñ. The game
is an ordinary GAN whose real samples are X + N, so all that it controls is the divergence between P_X and
    P_{X+N} = (1 - delta) P_X + delta P_{X+Ñ}.
P_X is "clean", P_{X+Ñ} "moved". A law is a frozen scipy.stats distribution with a density on the line, a
`divergences.mixture` of them, or a probability vector. Divergences in nats unless bits are asked for.
Source: Truong (2022), "Can we generate a new dataset based on only one training set?"; the sharp bound and
its equality case are this book's (MATH G).
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import optimize, stats
from torch import Tensor

from gantools import divergences

LOG2 = math.log(2)


class Distance(NamedTuple):
    """Total variation in [0, 1] and Jensen-Shannon divergence in [0, log 2] nats, or bounds on them."""

    tv: float
    jsd: float


def distance(p: Any, q: Any) -> Distance:
    """TV and JSD of two laws or vectors: by quadrature, or by summing."""
    return Distance(divergences.tv(p, q), divergences.jsd(p, q))


# ---- the bound and its inverse ----------------------------------------------------------------------------


def jsd_bound(delta: Any, bits: bool = False) -> Any:
    """J_max(delta), the largest JSD between P_X and P_{X+N} whatever X and Ñ are; a number or an array.

    Reached exactly when P_{X+Ñ} and P_X do not overlap; at most delta log 2 nats, that is delta bits.
    ValueError outside [0, 1].  (MATH G.2, G.3)
    """
    return divergences.jmax(delta) / (LOG2 if bits else 1)


def delta_for(jsd: Any, bits: bool = False) -> Any:
    """The delta in [0, 1] with J_max(delta) = jsd, so that jsd is not exceeded; a number or an array.

    ValueError if jsd is outside [0, log 2] nats, or [0, 1] bits.  (MATH G.5)
    """
    jsd = np.asarray(jsd, dtype=np.float64)
    if not ((jsd >= 0) & (jsd <= (1 if bits else LOG2))).all():
        reach = "[0, 1] bits" if bits else "[0, log 2] nats"
        raise ValueError(f"jsd must lie in {reach}, not {jsd if jsd.ndim == 0 else 'partly outside'}")

    def root(value: float) -> float:
        return optimize.brentq(lambda d: divergences.jmax(d) - value, 0, 1, xtol=1e-300, rtol=1e-15)

    return np.vectorize(root, otypes=[float])(jsd * (LOG2 if bits else 1))[()]


# ---- laws of X + N ----------------------------------------------------------------------------------------


def mixed(weights: Sequence[float], laws: Sequence[Any]) -> Any:
    """sum_k weights[k] laws[k]: a vector of vectors, a `divergences.mixture` of laws (flat, without zeros).

    ValueError if weights are not as many probabilities as there are laws, or laws do not fit one another.
    """
    weights = _weights(weights, len(laws))
    checked = [divergences.pair(law, laws[0])[0] for law in laws]
    if isinstance(checked[0], np.ndarray):
        return weights @ np.stack(checked)  # (k,) @ (k, n) -> (n,)
    flat = [(w * v, part) for w, law in zip(weights, checked, strict=True) for v, part in _parts(law)]
    return divergences.mixture(*zip(*[each for each in flat if each[0] > 0], strict=True))


def contaminated(clean: Any, moved: Any, delta: float) -> Any:
    """The law of X + N, (1 - delta) clean + delta moved, from those of X and X + Ñ, laws or vectors."""
    delta = _level(delta)
    return mixed([1 - delta, delta], [clean, moved])


def blurred(law: Any, scale: float) -> Any:
    """The law of X + Ñ for Ñ ~ N(0, scale^2), X a Gaussian `stats.norm(mean, sd)` or a mixture of such.

    ValueError for other laws, and for a scale that is negative or beyond 1e100.
    """
    _scale(scale)
    weights, parts = zip(*_parts(law), strict=True)
    if not all(isinstance(getattr(part, "dist", None), type(stats.norm)) for part in parts):
        raise ValueError("the data must be a Gaussian, stats.norm(mean, sd), or a mixture of Gaussians")
    wider = [stats.norm(part.mean(), math.hypot(part.std(), scale)) for part in parts]
    return wider[0] if len(wider) == 1 else divergences.mixture(weights, wider)


class Identity(NamedTuple):
    """Both sides of TV(P_X, P_{X+N}) = delta TV(P_X, P_{X+Ñ})."""

    direct: float
    product: float


def tv_identity(clean: Any, moved: Any, delta: float) -> Identity:
    """TV(P_X, P_{X+N}), and delta TV(P_X, P_{X+Ñ}), each computed for itself; they are equal (MATH G.1)."""
    whole = contaminated(clean, moved, delta)
    return Identity(divergences.tv(clean, whole), delta * divergences.tv(clean, moved))


# ---- Gaussian data and noise, in any dimension ------------------------------------------------------------


def spherical(delta: float, scale: float, dimension: int = 1) -> Distance:
    """TV and JSD between X ~ N(0, I_n) and X + N with Ñ ~ N(0, scale^2 I_n), n = dimension: exact.

    The densities' ratio depends on |x| alone, so the radius keeps all of either divergence. TV is in closed
    form: with v^2 = 1 + scale^2 the two densities cross at r^2 = n v^2 log(v^2) / scale^2, and
        TV = delta [P(chi2_n <= r^2) - P(chi2_n <= r^2 / v^2)];
    JSD is by quadrature over the radius.  For X ~ N(0, sd^2 I_n) give scale / sd.  (MATH G.4, G.5)
    """
    clean, noised = radii(delta, scale, dimension)
    if scale**2 == 0:
        return Distance(0.0, 0.0)
    crossing = dimension * math.log1p(scale**2) / scale**2  # r^2 / v^2
    inside = stats.chi2(dimension).cdf([crossing * (1 + scale**2), crossing])
    return Distance(float(delta * (inside[0] - inside[1])), divergences.jsd(clean, noised))


def radii(delta: float, scale: float, dimension: int = 1) -> tuple[Any, Any]:
    """The laws of |X| and |X + N| for X and Ñ as in `spherical`: a chi law and a mixture of two."""
    _scale(scale)
    if not (dimension >= 1 and dimension == dimension // 1):
        raise ValueError(f"dimension must be a whole number from 1, not {dimension!r}")
    clean = stats.chi(dimension)
    return clean, contaminated(clean, stats.chi(dimension, scale=math.hypot(1, scale)), delta)


def small_noise_jsd(delta: float, scale: float, dimension: int = 1) -> float:
    """n delta^2 scale^4 / 16: the leading term of `spherical`'s JSD as scale goes to 0 (MATH G.4)."""
    return dimension * _level(delta) ** 2 * scale**4 / 16


# ---- several sources --------------------------------------------------------------------------------------


def bounds(deltas: Sequence[float], weights: Sequence[float]) -> Distance:
    """Bounds for K sources mixed with `weights`, the k-th contaminated at deltas[k]: none can be lowered.

    TV <= sum_k weights[k] deltas[k] and JSD <= sum_k weights[k] J_max(deltas[k]), which is itself at most
    that average delta times log 2.  Both are reached when no two of the laws overlap.  (MATH G.6)
    """
    deltas = [_level(delta) for delta in deltas]
    weights = _weights(weights, len(deltas))
    return Distance(float(weights @ deltas), float(weights @ jsd_bound(deltas)))


class Several(NamedTuple):
    """Between clean and contaminated mixtures of sources: what is achieved <= its average <= its bound."""

    achieved: Distance
    average: Distance  # over the sources, each against its own contaminated law
    bound: Distance


def several(
    clean: Sequence[Any], moved: Sequence[Any], deltas: Sequence[float], weights: Sequence[float]
) -> Several:
    """K sources, the k-th with its level deltas[k] and its share weights[k] of the mixture.

    clean[k] is the law of X_k, moved[k] that of X_k + Ñ_k; all are laws, or all vectors of one length.
    ValueError if the four lists do not fit.  (MATH G.6)
    """
    if not len(clean) == len(moved) == len(deltas):
        raise ValueError(
            f"{len(clean)} clean laws need as many moved ones and deltas, not {len(moved)} and {len(deltas)}"
        )
    bound = bounds(deltas, weights)
    noised = [contaminated(*source) for source in zip(clean, moved, deltas, strict=True)]
    each = np.array([distance(p, q) for p, q in zip(clean, noised, strict=True)])  # (k, 2)
    average = Distance(*(_weights(weights, len(each)) @ each).tolist())
    return Several(distance(mixed(weights, clean), mixed(weights, noised)), average, bound)


def residual_bound(residual: float, deltas: Sequence[float], weights: Sequence[float]) -> float:
    """A bound on JSD(p_g, clean mixture), in nats, when JSD(p_g, contaminated mixture) = residual is left.

    (sqrt(residual) + sqrt(sum_k weights[k] J_max(deltas[k])))^2, or log 2 where that is less: the square root
    of JSD is a metric.  ValueError if residual is outside [0, log 2].  (MATH G.6)
    """
    if not 0 <= residual <= LOG2:
        raise ValueError(f"residual must lie in [0, log 2] nats, not {residual!r}")
    return min((math.sqrt(residual) + math.sqrt(bounds(deltas, weights).jsd)) ** 2, LOG2)


# ---- samples ----------------------------------------------------------------------------------------------

Sampler = Callable[[Tensor, torch.Generator], Tensor]


def gaussian(scale: float = 1.0) -> Sampler:
    """Noise Ñ ~ N(0, scale^2 I)."""
    _scale(scale)

    def draw(x: Tensor, generator: torch.Generator) -> Tensor:
        return scale * torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)

    return draw


def dirichlet(concentration: float = 1.0, scale: float = 1.0) -> Sampler:
    """Noise Ñ = scale times a draw of the symmetric Dirichlet law: an example's d numbers sum to `scale`.

    Its entries are about scale / d: hardly visible in an image. Needs d >= 2, for alone it is a constant.
    """
    _scale(scale)
    if not (concentration > 0 and math.isfinite(concentration)):
        raise ValueError(f"concentration must be a positive number, not {concentration!r}")

    def draw(x: Tensor, generator: torch.Generator) -> Tensor:
        d = math.prod(x.shape[1:])
        if d < 2:
            raise ValueError("Dirichlet noise needs at least two numbers an example: of one it is a constant")
        shapes = torch.full((len(x), d), concentration + 1.0, device=x.device)
        u = torch.rand(shapes.shape, generator=generator, device=x.device)
        # Gamma(a) = Gamma(a + 1) U^(1/a), in logarithms: no concentration is so small that all underflows.
        log_gamma = torch._standard_gamma(shapes, generator).log() + torch.log1p(-u) / concentration
        return (scale * log_gamma.softmax(dim=1)).to(x.dtype).view(x.shape)  # (n, d) -> (n, ...)

    return draw


NOISES = {"gaussian": gaussian, "dirichlet": dirichlet}


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
    delta = _level(delta)
    if not isinstance(x, Tensor) or not x.is_floating_point() or x.ndim == 0:
        raise TypeError("x must be a tensor of floats, (n, ...); images go through data.to_float first")
    if not isinstance(generator, torch.Generator):
        raise TypeError(f"generator must be a torch.Generator, not {type(generator).__name__}")
    if generator.device.type != x.device.type:
        raise ValueError(f"x is on {x.device}, its generator on {generator.device}: make one there")
    sampler = _sampler(noise, parameters)
    chosen = torch.rand(len(x), generator=generator, device=x.device) < delta  # (n,)
    drawn = sampler(x, generator)
    if not isinstance(drawn, Tensor) or drawn.shape != x.shape or drawn.device != x.device:
        raise ValueError(f"the noise must be a tensor like x, {_described(x)}, not {_described(drawn)}")
    return torch.where(chosen.view(-1, *[1] * (x.ndim - 1)), x + drawn.to(x.dtype), x)


def _described(x: Any) -> str:
    return f"{tuple(x.shape)} on {x.device}" if isinstance(x, Tensor) else type(x).__name__


def _sampler(noise: str | Sampler, parameters: dict[str, float]) -> Sampler:
    if callable(noise):
        if parameters:
            raise TypeError(f"only a noise given by name takes parameters, no function: {list(parameters)}")
        return noise
    if not isinstance(noise, str) or noise not in NOISES:
        raise ValueError(f"there is no noise named {noise!r}: choose {' or '.join(NOISES)}, or a function")
    return NOISES[noise](**parameters)


# ---- finite training sets: a check without a classifier ---------------------------------------------------


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


# ---- arguments --------------------------------------------------------------------------------------------


def _parts(law: Any) -> list[tuple[float, Any]]:
    """(weight, law) of each component; a law that is no mixture is its own."""
    return list(zip(law.weights, law.laws)) if isinstance(law, divergences.Mixture) else [(1.0, law)]


def _level(delta: float) -> float:
    if not 0 <= delta <= 1:
        raise ValueError(f"delta must lie in [0, 1], not {delta!r}")
    return float(delta)


def _scale(scale: float) -> None:
    if not 0 <= scale <= 1e100:
        raise ValueError(f"scale must be a number from 0 to 1e100, not {scale!r}")


def _weights(weights: Sequence[float], count: int) -> np.ndarray:
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (count,) or not count:
        raise ValueError(f"{count} sources need as many weights, not shape {weights.shape}")
    if not (weights >= 0).all() or abs(weights.sum() - 1) > 1e-6:
        raise ValueError(f"weights must be non-negative and sum to one, not {weights.tolist()}")
    return weights / weights.sum()

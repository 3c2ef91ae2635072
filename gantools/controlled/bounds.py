"""How far contaminated data are from clean ones: bounds, identities, and laws that are known exactly.

X is the data; N is sparse noise, independent of X: 0 with probability 1 - delta, else a draw of Ñ. So
    P_{X+N} = (1 - delta) P_X + delta P_{X+Ñ}.
P_X is "clean", P_{X+Ñ} "moved". A law is a frozen scipy.stats distribution with a density on the line, a
`divergences.mixture` of them, or a probability vector. Divergences in nats unless bits are asked for.
Source: Truong (2022), "Can we generate a new dataset based on only one training set?"; the sharp bound and
its equality case are this book's (MATH G).
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize, stats

from gantools import divergences

__all__ = [
    "Distance", "Identity", "Several", "blurred", "bounds", "contaminated", "delta_for", "distance",
    "jsd_bound", "mixed", "radii", "residual_bound", "several", "small_noise_jsd", "spherical", "tv_identity",
]  # fmt: skip

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
    weights = checked_weights(weights, len(laws))
    checked = [divergences.pair(law, laws[0])[0] for law in laws]
    if isinstance(checked[0], np.ndarray):
        return weights @ np.stack(checked)  # (k,) @ (k, n) -> (n,)
    flat = [(w * v, part) for w, law in zip(weights, checked, strict=True) for v, part in _parts(law)]
    return divergences.mixture(*zip(*[each for each in flat if each[0] > 0], strict=True))


def contaminated(clean: Any, moved: Any, delta: float) -> Any:
    """The law of X + N, (1 - delta) clean + delta moved, from those of X and X + Ñ, laws or vectors."""
    delta = checked_level(delta)
    return mixed([1 - delta, delta], [clean, moved])


def blurred(law: Any, scale: float) -> Any:
    """The law of X + Ñ for Ñ ~ N(0, scale^2), X a Gaussian `stats.norm(mean, sd)` or a mixture of such.

    ValueError for other laws, and for a scale that is negative or beyond 1e100.
    """
    checked_scale(scale)
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
    checked_scale(scale)
    if not (dimension >= 1 and dimension == dimension // 1):
        raise ValueError(f"dimension must be a whole number from 1, not {dimension!r}")
    clean = stats.chi(dimension)
    return clean, contaminated(clean, stats.chi(dimension, scale=math.hypot(1, scale)), delta)


def small_noise_jsd(delta: float, scale: float, dimension: int = 1) -> float:
    """n delta^2 scale^4 / 16: the leading term of `spherical`'s JSD as scale goes to 0 (MATH G.4)."""
    return dimension * checked_level(delta) ** 2 * scale**4 / 16


# ---- several sources --------------------------------------------------------------------------------------


def bounds(deltas: Sequence[float], weights: Sequence[float]) -> Distance:
    """Bounds for K sources mixed with `weights`, the k-th contaminated at deltas[k]: none can be lowered.

    TV <= sum_k weights[k] deltas[k] and JSD <= sum_k weights[k] J_max(deltas[k]), which is itself at most
    that average delta times log 2.  Both are reached when no two of the laws overlap.  (MATH G.6)
    """
    deltas = [checked_level(delta) for delta in deltas]
    weights = checked_weights(weights, len(deltas))
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
    average = Distance(*(checked_weights(weights, len(each)) @ each).tolist())
    return Several(distance(mixed(weights, clean), mixed(weights, noised)), average, bound)


def residual_bound(residual: float, deltas: Sequence[float], weights: Sequence[float]) -> float:
    """A bound on JSD(p_g, clean mixture), in nats, when JSD(p_g, contaminated mixture) = residual is left.

    (sqrt(residual) + sqrt(sum_k weights[k] J_max(deltas[k])))^2, or log 2 where that is less: the square root
    of JSD is a metric.  ValueError if residual is outside [0, log 2].  (MATH G.6)
    """
    if not 0 <= residual <= LOG2:
        raise ValueError(f"residual must lie in [0, log 2] nats, not {residual!r}")
    return min((math.sqrt(residual) + math.sqrt(bounds(deltas, weights).jsd)) ** 2, LOG2)


# ---- arguments --------------------------------------------------------------------------------------------


def _parts(law: Any) -> list[tuple[float, Any]]:
    """(weight, law) of each component; a law that is no mixture is its own."""
    return list(zip(law.weights, law.laws)) if isinstance(law, divergences.Mixture) else [(1.0, law)]


def checked_level(delta: float) -> float:
    if not 0 <= delta <= 1:
        raise ValueError(f"delta must lie in [0, 1], not {delta!r}")
    return float(delta)


def checked_scale(scale: float) -> None:
    if not 0 <= scale <= 1e100:
        raise ValueError(f"scale must be a number from 0 to 1e100, not {scale!r}")


def checked_weights(weights: Sequence[float], count: int) -> np.ndarray:
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (count,) or not count:
        raise ValueError(f"{count} sources need as many weights, not shape {weights.shape}")
    if not (weights >= 0).all() or abs(weights.sum() - 1) > 1e-6:
        raise ValueError(f"weights must be non-negative and sum to one, not {weights.tolist()}")
    return weights / weights.sum()

"""Entropy and mutual information, and the bound that InfoGAN raises, in numbers.

A code c goes into the generator, x comes out.  A joint table holds P(c, x): joint[c, x], (k, m), rows are
codes.  Q is a table of the same shape, Q[c, x] = Q(c|x), whose columns sum to one.  All in nats.

    tables      mutual_information, conditional_entropy, posterior, bound, gap, tower
    channels    symmetric_channel, symmetric_bound, GaussianChannel, UniformChannel

Sources: Chen et al. (2016), *InfoGAN*; Barber and Agakov (2003), on the bound; the lecture notes,
"Conditional generation" (MATH H.1 to H.4).
"""

import math
from collections.abc import Callable
from numbers import Integral
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from gantools import divergences

__all__ = [
    "GaussianChannel", "Tower", "UniformChannel", "bound", "conditional_entropy", "gap",
    "mutual_information", "posterior", "symmetric_bound", "symmetric_channel", "tower",
]  # fmt: skip

HALF_LOG_2PI = math.log(2 * math.pi) / 2


# ---- arguments --------------------------------------------------------------------------------------------


def _array(value: ArrayLike, name: str) -> np.ndarray:
    """A finite float64 matrix that is not empty."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        table = np.asarray(value, float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a table of numbers, with rows of one length") from None
    if table.ndim != 2 or not table.size:
        raise ValueError(f"{name} must be a table (codes, outputs), not of shape {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError(f"{name} must be finite")
    return table


def _joint(value: ArrayLike, name: str = "joint") -> np.ndarray:
    table = _array(value, name)
    if (table < 0).any():
        raise ValueError(f"{name} has a negative probability: {table.min():g}")
    if not math.isclose(table.sum(), 1, rel_tol=1e-6):
        raise ValueError(f"the probabilities of {name} must sum to one, not to {table.sum():.8g}")
    return table / table.sum()


def _conditional(value: ArrayLike, joint: np.ndarray) -> np.ndarray:
    table = _array(value, "Q")
    if table.shape != joint.shape:
        raise ValueError(f"Q must have the shape of joint, {joint.shape}, not {table.shape}")
    if (table < 0).any():
        raise ValueError(f"Q has a negative probability: {table.min():g}")
    totals = table.sum(0)
    if not np.allclose(totals, 1, rtol=0, atol=1e-6):
        worst = int(np.abs(totals - 1).argmax())
        raise ValueError(f"the columns of Q must be laws of c; column {worst} sums to {totals[worst]:.8g}")
    return table / totals


def _positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not (isinstance(value, int | float | np.number) and math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a positive number, not {value!r}")


def _finite(**numbers: float) -> None:
    for name, value in numbers.items():
        if not (isinstance(value, int | float | np.number) and math.isfinite(value)):
            raise ValueError(f"{name} must be a finite number, not {value!r}")


def _not_negative(**numbers: float) -> None:
    _finite(**numbers)
    for name, value in numbers.items():
        if value < 0:
            raise ValueError(f"{name} must not be negative; it is {value!r}")


def _count(least: int, **numbers: int) -> None:
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")


# ---- tables -----------------------------------------------------------------------------------------------


def mutual_information(joint: ArrayLike) -> float:
    """I(c; x) = sum P(c, x) log [P(c, x) / (P(c) P(x))], in [0, log min(k, m)].  (MATH H.1)"""
    joint = _joint(joint)
    both, codes, outputs = (special.entr(t).sum() for t in (joint, joint.sum(1), joint.sum(0)))
    return max(float(codes + outputs - both), 0.0)


def conditional_entropy(joint: ArrayLike) -> float:
    """H(c|x) = E_x of the entropy of P(c|x), in [0, log k]; I(c; x) = H(c) - H(c|x)."""
    joint = _joint(joint)
    return float(joint.sum(0) @ special.entr(posterior(joint)).sum(0))


def posterior(joint: ArrayLike) -> np.ndarray:
    """P(c|x), (k, m): the Q for which the bound is tight.  Uniform at outputs that have no probability."""
    joint = _joint(joint)
    outputs = joint.sum(0)
    safe = np.where(outputs > 0, outputs, 1)
    return np.where(outputs > 0, joint / safe, 1 / len(joint))


def bound(joint: ArrayLike, Q: ArrayLike) -> float:
    """L_I = H(c) + E log Q(c|x) <= I(c; x); -inf where Q rules out what happens.

    Raises ValueError for tables that are not laws or do not fit.  Source: Chen et al. (2016) (MATH H.1).
    """
    joint = _joint(joint)
    Q = _conditional(Q, joint)
    return float(special.entr(joint.sum(1)).sum() + special.xlogy(joint, Q).sum())


def gap(joint: ArrayLike, Q: ArrayLike) -> float:
    """E_x KL(P(c|x) || Q(c|x)) = I(c; x) - L_I, in [0, inf]: what a Q that is not the posterior costs."""
    joint = _joint(joint)
    Q, P, outputs = _conditional(Q, joint), posterior(joint), joint.sum(0)
    return float(sum(outputs[x] * divergences.kl(P[:, x], Q[:, x]) for x in np.flatnonzero(outputs)))


class Tower(NamedTuple):
    """Both sides of the lemma."""

    forward: float
    resampled: float


def tower(joint: ArrayLike, f: ArrayLike) -> Tower:
    """E f(c, x) and E_x E_{c' ~ P(.|x)} f(c', x): drawing c anew from its posterior changes no mean.

    f: (k, m) finite values.  The first mean follows the generator (draw c, then x); the second draws x, then
    c' given x.  Source: Chen et al. (2016), lemma 5.1 (MATH H.2).
    """
    joint, f = _joint(joint), _array(f, "f")
    if f.shape != joint.shape:
        raise ValueError(f"f must have the shape of joint, {joint.shape}, not {f.shape}")
    given = (posterior(joint) * f).sum(0)  # (m,)
    return Tower(float((joint * f).sum()), float(joint.sum(0) @ given))


# ---- channels ---------------------------------------------------------------------------------------------


def _error(k: int, **errors: float) -> None:
    _count(2, k=k)
    for name, value in errors.items():
        if not (isinstance(value, int | float | np.number) and 0 <= value <= 1):
            raise ValueError(f"{name} is a probability; it cannot be {value!r}")


def symmetric_channel(k: int, error: float) -> np.ndarray:
    """The joint table of k equally likely codes that come out wrong with probability `error`, all alike."""
    _error(k, error=error)
    table = np.full((k, k), error / (k - 1))
    np.fill_diagonal(table, 1 - error)
    return table / k


def symmetric_bound(k: int, error: float, believed: float | None = None) -> float:
    """L_I of a Q that takes the error for `believed` (by default right: then it is I), in closed form.

    log k + (1 - e) log(1 - b) + e log(b / (k - 1)); 1.757780 for k = 10, e = b = .1.  (MATH H.3, M27)
    """
    believed = error if believed is None else believed
    _error(k, error=error, believed=believed)
    wrong = special.xlogy(error, believed) - error * math.log(k - 1)
    return float(math.log(k) + special.xlogy(1 - error, 1 - believed) + wrong)


class GaussianChannel(NamedTuple):
    """c ~ N(0, code^2), x = c + noise * n with n ~ N(0, 1); Q(c|x) = N(slope x + shift, variance)."""

    noise: float
    code: float = 1.0

    @property
    def information(self) -> float:
        """I(c; x) = 1/2 log(1 + code^2 / noise^2).  (MATH H.3)"""
        _positive(noise=self.noise, code=self.code)
        return math.log1p((self.code / self.noise) ** 2) / 2

    @property
    def entropy(self) -> float:
        """h(c), negative for code < 1 / sqrt(2 pi e)."""
        _positive(code=self.code)
        return HALF_LOG_2PI + 0.5 + math.log(self.code)

    @property
    def best(self) -> tuple[float, float, float]:
        """(slope, variance, shift) of the posterior."""
        _positive(noise=self.noise, code=self.code)
        slope = self.code**2 / (self.code**2 + self.noise**2)
        return slope, slope * self.noise**2, 0.0

    def error(self, slope: float, shift: float = 0.0) -> float:
        """E (c - slope x - shift)^2."""
        _positive(noise=self.noise, code=self.code)
        _finite(slope=slope, shift=shift)
        return (1 - slope) ** 2 * self.code**2 + slope**2 * self.noise**2 + shift**2

    def bound(self, slope: float, variance: float, shift: float = 0.0) -> float:
        """L_I of that Q.  With a fixed variance the best Q has the least error, as in least squares."""
        _positive(variance=variance)
        loss = HALF_LOG_2PI + math.log(variance) / 2 + self.error(slope, shift) / (2 * variance)
        return self.entropy - loss

    def gap(self, slope: float, variance: float, shift: float = 0.0) -> float:
        """E_x KL(P(c|x) || Q(c|x)), from the KL between two Gaussians."""
        _positive(variance=variance)
        _finite(slope=slope, shift=shift)
        best, least, _ = self.best
        # E of the means' distance squared
        off = (best - slope) ** 2 * (self.code**2 + self.noise**2) + shift**2
        return (least / variance - 1 - math.log(least / variance) + off / variance) / 2


class UniformChannel(NamedTuple):
    """c ~ U(0, width), x = c + noise * n with n ~ N(0, 1): the continuous code that breaks E log Q <= I.

    Every number is by quadrature.  Source: the lecture notes' bound, which drops H(c) (MATH H.4, M28).
    """

    width: float = 0.5
    noise: float = 0.2

    @property
    def entropy(self) -> float:
        """h(c) = log width: negative below width 1, and then E log P(c|x) exceeds I(c; x)."""
        _positive(width=self.width)
        return math.log(self.width)

    def log_density(self, x: ArrayLike) -> np.ndarray:
        """log of P(x) = [Phi(x / noise) - Phi((x - width) / noise)] / width."""
        _positive(width=self.width, noise=self.noise)
        x = np.asarray(x, float)
        x = np.minimum(x, self.width - x)  # symmetric: the left half has the small, accurate tails
        upper, lower = stats.norm.logcdf(x / self.noise), stats.norm.logcdf((x - self.width) / self.noise)
        with np.errstate(divide="ignore"):
            return upper + np.log(-np.expm1(lower - upper)) - self.entropy

    def mean(self, f: Callable[[np.ndarray], np.ndarray]) -> float:
        """E f(x): twice the integral over the left half, since f here is symmetric as the channel is."""
        steps = self.noise * np.array([-9.0, -4.0, -1.0, 0.0, 1.0, 4.0, 9.0])
        middle = self.width / 2
        edges = np.r_[steps[steps < middle], middle]
        return 2 * divergences.integral(lambda x: np.exp(self.log_density(x)) * f(x), edges)

    @property
    def information(self) -> float:
        """I(c; x) = h(x) - h(x|c)."""
        return self.mean(lambda x: -self.log_density(x)) - HALF_LOG_2PI - 0.5 - math.log(self.noise)

    @property
    def log_posterior(self) -> float:
        """E log P(c|x) = I(c; x) - h(c): what the notes call a lower bound of I(c; x)."""
        return self.information - self.entropy

    def variance(self, x: ArrayLike) -> np.ndarray:
        """Var(c|x), of N(x, noise^2) cut to [0, width], by Gauss-Legendre."""
        _positive(width=self.width, noise=self.noise)
        x = np.asarray(x, float)[..., None]
        low = np.clip(x - 10 * self.noise, 0, self.width)
        high = np.maximum(np.clip(x + 10 * self.noise, 0, self.width), low + 1e-9 * self.width)
        nodes, weights = np.polynomial.legendre.leggauss(128)
        c = low + (high - low) * (1 + nodes) / 2  # (..., 128)
        law = special.softmax(np.log(weights) - (((c - x) / self.noise) ** 2) / 2, axis=-1)
        centre = (law * c).sum(-1, keepdims=True)
        return (law * (c - centre) ** 2).sum(-1)

    @property
    def gaussian_bound(self) -> float:
        """The most that L_I reaches with a Gaussian Q(c|x), however flexible its mean and variance.

        It is h(c) - E_x 1/2 log(2 pi e Var(c|x)), below I: the posterior is a cut Gaussian.
        """
        return self.entropy - HALF_LOG_2PI - 0.5 - self.mean(lambda x: np.log(self.variance(x)) / 2)

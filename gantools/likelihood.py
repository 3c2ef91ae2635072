"""Likelihood and the Kullback-Leibler divergence, in numbers.

Throughout, L_m(theta) is the log-likelihood per observation of a sample of size m, L(theta) its expectation
under the true law P, both in nats, and h(P) the differential entropy: KL(P||P_theta) = -h(P) - L(theta).
Laws are frozen `scipy.stats` distributions or a `divergences.mixture`.
"""
import math
from typing import Any, Callable, Sequence

import numpy as np
from scipy import optimize, stats

from gantools import divergences

__all__ = [
    "log_likelihood", "expected_log_likelihood", "kl_normals", "fit_normal", "normal_projection",
    "projection", "uniform_deviation", "location_deviation", "best_location_value", "expected_max",
    "simulated_max", "spiked_mixture", "mixture_log_likelihood", "spiked_kl", "sup_distance",
    "simulated_sup_distance", "dkw_bound", "dkw_sample_size", "KOLMOGOROV_MEAN", "box_density", "box_tv",
    "line_log_likelihood",
]

# lim of sqrt(m) E sup|F_m - F| for continuous F: the mean of Kolmogorov's law (MATH A.5)
KOLMOGOROV_MEAN = math.sqrt(math.pi / 2) * math.log(2)


# ---- likelihood, entropy and KL ---------------------------------------------------------------------------

def log_likelihood(law: Any, x: Any) -> float:
    """L_m = (1/m) sum_i log p(x_i) of a sample x, (m,), in nats; -inf if one point is impossible.

    Source: the Geneva report, eq (2).
    """
    with np.errstate(over="ignore"):                                   # far out a logpdf may overflow to -inf
        return float(np.mean(law.logpdf(_sample(x))))


def expected_log_likelihood(truth: Any, law: Any) -> float:
    """L = E_P log p(X) in nats, X drawn from `truth`, p the density of `law`: minus the cross-entropy."""
    return -divergences.cross_entropy(truth, law)


def kl_normals(mean_p: float, sd_p: float, mean_q: float, sd_q: float) -> float:
    """KL(N(mean_p, sd_p^2) || N(mean_q, sd_q^2)) in nats, in closed form; 0.443147 for N(0,1), N(1,4)."""
    if not (sd_p > 0 and sd_q > 0):
        raise ValueError(f"standard deviations must be positive, not {sd_p} and {sd_q}")
    return math.log(sd_q / sd_p) + (sd_p ** 2 + (mean_p - mean_q) ** 2) / (2 * sd_q ** 2) - .5


# ---- fitting a model: to a sample, and to the law itself --------------------------------------------------

def fit_normal(x: Any) -> Any:
    """The normal law of maximum likelihood for a sample (m,): its mean, its standard deviation (divisor m).

    Raises ValueError if all observations agree: the likelihood then grows without bound as sd -> 0.
    """
    x = _sample(x)
    if np.ptp(x) == 0:
        raise ValueError("all observations agree: the likelihood of a normal law has no maximum")
    return stats.norm(float(x.mean()), float(x.std()))


def normal_projection(truth: Any) -> Any:
    """The normal law closest to `truth` in KL(truth || normal): the one with the same mean and variance."""
    if isinstance(truth, divergences.Mixture):
        means = np.array([law.mean() for law in truth.laws])
        mean = truth.weights @ means
        variance = truth.weights @ (np.array([law.var() for law in truth.laws]) + (means - mean) ** 2)
    else:
        mean, variance = truth.mean(), truth.var()
    if not (math.isfinite(mean) and math.isfinite(variance)):
        raise ValueError("a law without finite mean and variance is infinitely far from every normal law")
    return stats.norm(float(mean), math.sqrt(variance))


def projection(truth: Any, family: Callable[..., Any], start: Sequence[float],
               divergence: Callable[[Any, Any], float] = divergences.kl) -> tuple[np.ndarray, float]:
    """The theta that minimises divergence(truth, family(*theta)), searched from `start`; and the minimum.

    With `divergences.kl` that is what maximum likelihood estimates, also if `truth` is not in the family;
    with `divergences.reverse_kl` it is the fit that would rather miss a mode than cover a gap. A theta for
    which `family` raises ValueError, or whose divergence is infinite, is out of bounds.
    """
    def cost(theta):
        try:
            return divergence(truth, family(*theta))
        except ValueError:
            return math.inf

    start = np.asarray(start, float)
    if not math.isfinite(cost(start)):
        raise ValueError(f"the divergence is infinite or undefined at the start {start.tolist()}")
    found = optimize.minimize(cost, start, method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-10})
    return found.x, float(found.fun)


# ---- when the limit and the maximum may change places -----------------------------------------------------

def uniform_deviation(x: Any, truth: Any, laws: Sequence[Any]) -> float:
    """max over `laws` of |L_m - L| for a sample x of `truth`: what a uniform law of large numbers sends to 0
    (MATH A.2)."""
    return max(abs(log_likelihood(law, x) - expected_log_likelihood(truth, law)) for law in laws)


def location_deviation(x: Any, radius: float) -> float:
    """sup over |mu| <= radius of |L_m - L| for the model N(mu, 1) and the truth N(0, 1), exactly.

    L_m(mu) - L(mu) = mu mean(x) - (mean(x^2) - 1)/2 is linear in mu, so that the supremum is
    radius |mean(x)| + |mean(x^2) - 1|/2, and infinite on the whole line.
    """
    x = _sample(x)
    if not radius >= 0:
        raise ValueError(f"the radius must not be negative, and is {radius}")
    slope, offset = abs(x.mean()), abs(np.mean(x ** 2) - 1) / 2
    return float(offset + (radius * slope if slope else 0.))


def best_location_value(x: Any) -> float:
    """max_mu L_m for the model N(mu, 1), reached at the mean of the sample: x, (..., m), to values, (...)."""
    x = np.asarray(x, float)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError("a sample is needed: an array whose last axis holds the observations")
    return (-.5 * math.log(2 * math.pi) - x.var(axis=-1) / 2)[()]


def expected_max(m: int, sd: float = 1.) -> float:
    """E max_mu L_m for the model N(mu, 1) and m observations of variance sd^2, exactly.

    Equals max_mu L + sd^2/(2m): the maximum on the sample looks better than it is, by 1/(2m) if the model is
    right (MATH A.4); -1.408939 for m = 50 and sd = 1.
    """
    m = _count(m)
    return -.5 * math.log(2 * math.pi) - sd ** 2 / 2 + sd ** 2 / (2 * m)


def simulated_max(m: int, runs: int = 100_000, sd: float = 1., seed: int = 0) -> float:
    """Mean of max_mu L_m over `runs` samples of size m from N(0, sd^2), for the model N(mu, 1)."""
    m, runs, rng, total = _count(m), _count(runs, "runs"), np.random.default_rng(seed), 0.
    for start in range(0, runs, 10_000):                              # (10000, m) at a time
        total += best_location_value(sd * rng.standard_normal((min(10_000, runs - start), m))).sum()
    return float(total / runs)


# ---- a model whose likelihood has no maximum --------------------------------------------------------------

def spiked_mixture(mu: float, s: float) -> divergences.Mixture:
    """The law 1/2 N(0, 1) + 1/2 N(mu, s^2) (MATH A.3); s > 0."""
    if not s > 0:
        raise ValueError(f"s must be positive, and is {s}")
    return divergences.mixture([.5, .5], [stats.norm(0, 1), stats.norm(mu, s)])


def mixture_log_likelihood(x: Any, mu: float, s: float) -> float:
    """L_m of the model 1/2 N(0, 1) + 1/2 N(mu, s^2), in nats, for s as small as 1e-300.

    With mu on an observation it grows by (1/m) log(s/s') when s shrinks to s', without bound (MATH A.3).
    """
    return log_likelihood(spiked_mixture(mu, s), x)


def spiked_kl(mu: float, s: float) -> float:
    """KL(N(0, 1) || 1/2 N(0, 1) + 1/2 N(mu, s^2)) in nats, for s as small as 1e-300: never above log 2.

    Computed as log 2 - E log(1 + r), r the ratio of the two parts, in the coordinate t = (x - mu)/s that
    resolves the spike. As s -> 0 it tends to log 2, whatever the likelihood on a sample does (MATH A.3).
    """
    if not s > 0:
        raise ValueError(f"s must be positive, and is {s}")

    def f(t):
        x = mu + s * t
        log_ratio = x ** 2 / 2 - np.minimum(np.abs(t), 1e100) ** 2 / 2 - math.log(s)
        return np.exp(-x ** 2 / 2) * np.logaddexp(0, log_ratio) * (s / math.sqrt(2 * math.pi))

    reach = (40 + abs(mu)) / s
    right = np.r_[0, 2. ** np.arange(-3, math.ceil(math.log2(reach)) + 1)]
    edges = np.r_[-right[:0:-1], right]
    return math.log(2) - float(divergences.integral(f, edges))


# ---- the empirical law ------------------------------------------------------------------------------------

def sup_distance(x: Any, law: Any) -> float:
    """sup_t |F_m(t) - F(t)| between the empirical cdf of a sample (m,) and a continuous cdf, exactly."""
    x = np.sort(_sample(x))
    m, F = len(x), np.asarray(law.cdf(x), float)
    return float(max((np.arange(1, m + 1) / m - F).max(), (F - np.arange(m) / m).max()))


def simulated_sup_distance(m: int, runs: int = 2000, seed: int = 0) -> np.ndarray:
    """sup|F_m - F| for `runs` samples of size m: (runs,). Its law is the same for every continuous F."""
    u = np.sort(np.random.default_rng(seed).random((_count(runs, "runs"), _count(m))), axis=1)
    grid = np.arange(m) / m
    return np.maximum((grid + 1 / m - u).max(axis=1), (u - grid).max(axis=1))


def dkw_bound(m: int, eps: float) -> float:
    """min(1, 2 exp(-2 m eps^2)) >= P(sup|F_m - F| > eps), for every law on the line (Massart 1990)."""
    if not eps >= 0:
        raise ValueError(f"eps must not be negative, and is {eps}")
    return min(1., 2 * math.exp(-2 * _count(m) * eps ** 2))


def dkw_sample_size(eps: float, confidence: float) -> int:
    """The least m for which `dkw_bound` promises sup|F_m - F| <= eps with at least the given probability."""
    if not (eps > 0 and 0 < confidence < 1):
        raise ValueError(f"eps must be positive and the confidence in (0, 1), not {eps} and {confidence}")
    return math.ceil(math.log(2 / (1 - confidence)) / (2 * eps ** 2))


def box_density(x: Any, h: float) -> Callable[[np.ndarray], np.ndarray]:
    """The difference quotient t -> (F_m(t + h) - F_m(t - h)) / 2h of the empirical cdf of x.

    It puts a box of width 2h on every observation; as h -> 0 it tends to 0 at every t that was not observed.
    """
    x = np.sort(_sample(x))
    if not h > 0:
        raise ValueError(f"h must be positive, and is {h}")

    def quotient(t):
        t = np.asarray(t, float)
        count = np.searchsorted(x, t + h, side="right") - np.searchsorted(x, t - h, side="right")
        return count / (2 * h * len(x))
    return quotient


def box_tv(x: Any, h: float, law: Any) -> float:
    """Total variation between the difference quotient of the empirical cdf and a law with cdf and pdf.

    1 - integral of min(quotient, pdf); between the ends of the boxes the quotient is constant.
    """
    x = _sample(x)
    ends = np.unique(np.r_[x - h, x + h])
    nodes, weights = np.polynomial.legendre.leggauss(8)
    half = np.diff(ends)[:, None] / 2
    t = ends[:-1, None] + half * (1 + nodes)                           # (pieces, 8)
    level = box_density(x, h)((ends[:-1] + ends[1:]) / 2)[:, None]
    return float(1 - (np.minimum(level, law.pdf(t)) @ weights * half[:, 0]).sum())


# ---- a generator has no likelihood ------------------------------------------------------------------------

def line_log_likelihood(sigma: float) -> float:
    """E log q(X), X ~ N(0, I_2), for the generator z -> (z, 0), z ~ N(0, 1), N(0, sigma^2) added to the 0.

    Equals -log(2 pi) - 1/2 - log(sigma) - 1/(2 sigma^2), which tends to -inf as sigma -> 0.
    """
    if not sigma > 0:
        raise ValueError(f"sigma must be positive, and is {sigma}: without noise there is no density")
    return -math.log(2 * math.pi) - .5 - math.log(sigma) - 1 / (2 * sigma ** 2)


# ---- arguments --------------------------------------------------------------------------------------------

def _sample(x: Any) -> np.ndarray:
    if hasattr(x, "detach"):
        x = x.detach().cpu().numpy()
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"a sample is a vector of at least one observation, not of shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError("the sample holds a NaN or an infinity")
    return x


def _count(m: int, name: str = "m") -> int:
    if isinstance(m, bool) or int(m) != m or m < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, not {m}")
    return int(m)

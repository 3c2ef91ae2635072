"""Divergences between two laws, in nats.

`kl, reverse_kl, jsd, tv, hellinger, pearson` and `cross_entropy` take either two probability vectors
(lists, arrays or tensors of one length) or two laws on the line: frozen `scipy.stats` distributions, a
`mixture(...)` of them, or any object with `logpdf` (or `logpmf`), `support` and `ppf`. Vectors are summed,
continuous laws are integrated by adaptive quadrature, discrete ones summed over their lattice. A law with a
density and a discrete one live on sets that the other does not charge, and get the value that is right for
mutually singular laws.

Infinities are returned where they belong: when p charges a set that q does not, and when a tail or the end
of a support makes the integral diverge. A finite value above 1e308 is returned as inf, too.

A ValueError says which argument is wrong, and how.

`f_divergence(name)` is a divergence with all that an f-GAN needs of it: f, its derivative and conjugate, the
activation of the critic's output, the value.
"""
import functools
import math
import warnings
from dataclasses import dataclass
from typing import Any, Callable, NamedTuple, Sequence

import numpy as np
import torch
from scipy import special, stats
from torch.nn.functional import logsigmoid

__all__ = ["kl", "reverse_kl", "jsd", "tv", "hellinger", "pearson", "quality_coverage", "entropy",
           "cross_entropy", "f_divergence", "F_DIVERGENCES", "integral", "expectation", "nodes", "mixture",
           "binary_entropy", "jmax"]

LOG2 = math.log(2)


# ---- the divergences --------------------------------------------------------------------------------------

def kl(p: Any, q: Any) -> float:
    """KL(p||q) = sum or integral of p log(p/q), in [0, inf] nats; f(u) = u log u.

    Infinite if p charges a set of q-mass 0. Source: the Geneva report, eq (3) (MATH A.2).
    """
    return _divergence(_kl, p, q)


def reverse_kl(p: Any, q: Any) -> float:
    """KL(q||p) = sum or integral of q log(q/p), in [0, inf] nats; f(u) = -log u."""
    return _divergence(lambda lp, lq: _kl(lq, lp), p, q)


def jsd(p: Any, q: Any) -> float:
    """Jensen-Shannon divergence 1/2 KL(p||m) + 1/2 KL(q||m) with m = (p + q)/2, in [0, log 2] nats.

    The half-normalised form: log 2 exactly when p and q are mutually singular. The "JS" of the f-GAN paper is
    twice this value. Source: Goodfellow et al. 2014, eq 6 (MATH B.3).
    """
    return min(_divergence(_jsd, p, q), LOG2)


def tv(p: Any, q: Any) -> float:
    """Total variation: 1/2 sum or integral of |p - q| = sup_A |P(A) - Q(A)|, in [0, 1]; half the L1 norm."""
    return min(_divergence(lambda lp, lq: np.abs(np.exp(lp) - np.exp(lq)) / 2, p, q), 1.0)


def hellinger(p: Any, q: Any) -> float:
    """Squared Hellinger divergence: sum or integral of (sqrt p - sqrt q)^2, in [0, 2]; f(u) = (sqrt u - 1)^2.

    Not halved and no root taken: 2 (1 - e^(-1/8)) = 0.235006 for N(0,1) and N(1,1) (MATH E).
    """
    return min(_divergence(lambda lp, lq: (np.exp(lp / 2) - np.exp(lq / 2)) ** 2, p, q), 2.0)


def pearson(p: Any, q: Any) -> float:
    """Pearson divergence (chi-squared): sum or integral of (p - q)^2 / q, in [0, inf]; f(u) = (u - 1)^2.

    e - 1 for N(0,1) and N(1,1). Infinite for N(0,s^2) and N(0,1) as soon as s^2 >= 2 (MATH E).
    """
    return _divergence(_pearson, p, q)


class QualityCoverage(NamedTuple):
    """The two halves of the criterion C = -log 4 + quality + coverage (or their gradients)."""

    quality: Any
    coverage: Any


def quality_coverage(p: Any, q: Any) -> QualityCoverage:
    """KL(q||m) and KL(p||m) with m = (p + q)/2, each in [0, log 2] nats; their sum is 2 JSD.

    quality counts generated samples where there is no data, coverage data where nothing is generated.
    Source: the lecture notes, "Hard to train"; Prince (2023), chapter 15 (MATH B.6).
    """
    return QualityCoverage(min(_divergence(lambda lp, lq: _to_middle(lq, lp), p, q), LOG2),
                           min(_divergence(_to_middle, p, q), LOG2))


def entropy(p: Any) -> float:
    """h(p) = -(sum or integral) of p log p in nats: Shannon's for a vector or a discrete law, in [0, inf];
    the differential entropy for a law with a density, which may be negative."""
    return cross_entropy(p, p)


def cross_entropy(p: Any, q: Any) -> float:
    """H(p, q) = -(sum or integral) of p log q in nats; KL(p||q) = H(p, q) - h(p) when both are finite.

    Infinite if p charges a set of q-mass 0. Raises ValueError for a discrete law with one that has a density.
    """
    p, q = pair(p, q)
    if isinstance(p, np.ndarray):
        return _total(_cross, _log(p), _log(q))
    if is_discrete(p) != is_discrete(q):
        raise ValueError("the cross-entropy of a discrete law and a law with a density is not defined")
    return _over_laws(_cross, p, q)


def integral(f: Callable[[np.ndarray], np.ndarray], edges: Sequence[float]) -> float:
    """Integral of a vectorised f from the first to the last of `edges`, which cut where f is sharp."""
    edges = np.asarray(edges, float)
    return float(np.sum(_adaptive(f, edges[:-1], edges[1:])))


def expectation(f: Callable[[np.ndarray], np.ndarray], law: Any, *others: Any) -> float:
    """E f(X), X ~ law, a 1-D law with a density; f: array -> array of its shape, -inf allowed.

    f may change wherever `law` or the `others` have their mass. Where the density is 0, f does not count;
    1e-14 of the probability is left out at either end.
    """
    def weighted(x):
        density = np.exp(law.logpdf(x))
        with np.errstate(invalid="ignore"):
            return np.where(density > 0, density * f(x), 0.)
    left, right = _panels(law, *others)
    with np.errstate(invalid="ignore"):                            # -inf minus -inf, where f is -inf
        return float(np.sum(_adaptive(weighted, left, right, tol=1e-13)))


def nodes(*laws: Any) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre points and weights, both (n,), on panels between the quantiles of 1-D laws with densities:
    the integral of a smooth f that is small where the laws are is near weights @ f(points)."""
    left, right = _panels(*laws)
    half = (right - left)[:, None] / 2
    return (left[:, None] + half * (1 + _NODES)).ravel(), (half * _WEIGHTS).ravel()


def parts(*laws: Any) -> list:
    """The laws themselves, a mixture's one by one, and those of mixtures within it."""
    return [part for law in laws for part in (parts(*law.laws) if isinstance(law, Mixture) else [law])]


def mixture(weights: Sequence[float], laws: Sequence[Any]) -> "Mixture":
    """The law with density sum_k weights[k] * laws[k].pdf, from 1-D continuous laws; weights sum to one."""
    return Mixture(weights, laws)


def binary_entropy(t: Any) -> Any:
    """h(t) = -t log t - (1 - t) log(1 - t) in nats, for t in [0, 1] (number or array); h(1/2) = log 2."""
    t = _unit(t, "t")
    return (special.entr(t) + special.entr(1 - t))[()]


def jmax(delta: Any) -> Any:
    """The largest JSD, in nats, between a law and one that keeps a share 1 - delta of it: delta in [0, 1].

    1/2 [delta log 2 + (1-delta) log(1-delta) - (2-delta) log(1 - delta/2)], reached when the share delta is
    moved where the law has no mass, or dropped and spread over the rest; convex, from 0 to log 2
    (MATH G.2, B.6).
    """
    d = _unit(delta, "delta")
    return ((d * LOG2 + special.xlog1py(1 - d, -d) - (2 - d) * np.log1p(-d / 2)) / 2)[()]


class Mixture:
    """A mixture of 1-D continuous laws, made by `mixture`: logpdf, pdf, cdf, support and rvs, as in scipy."""

    def __init__(self, weights: Sequence[float], laws: Sequence[Any]):
        self.weights = _vector(weights, "weights")
        self.laws = [_law(law, f"law {k} of the mixture") for k, law in enumerate(laws)]
        if len(self.weights) != len(self.laws):
            raise ValueError(f"{len(self.laws)} laws need as many weights, not {len(self.weights)}")
        if any(is_discrete(law) for law in self.laws):
            raise ValueError("a mixture is made of laws with a density; one of these is discrete")

    def logpdf(self, x) -> np.ndarray:
        each = np.stack([np.asarray(law.logpdf(x), float) for law in self.laws])          # (k, ...)
        return special.logsumexp(each, axis=0, b=self.weights.reshape(-1, *[1] * (each.ndim - 1)))

    def pdf(self, x) -> np.ndarray:
        return np.exp(self.logpdf(x))

    def cdf(self, x) -> np.ndarray:
        return sum(w * law.cdf(x) for w, law in zip(self.weights, self.laws))

    def support(self) -> tuple[float, float]:
        ends = [law.support() for law, w in zip(self.laws, self.weights) if w > 0]
        return min(a for a, _ in ends), max(b for _, b in ends)

    def rvs(self, size: int, random_state=None) -> np.ndarray:
        """`size` independent draws; random_state is a seed or a numpy Generator."""
        rng = np.random.default_rng(random_state)
        counts = rng.multinomial(size, self.weights)
        return rng.permutation(np.concatenate([np.asarray(law.rvs(size=n, random_state=rng), float)
                                               for law, n in zip(self.laws, counts)]))


# ---- f-divergences, as an f-GAN needs them ----------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class FDivergence:
    """D_f(P||Q) = E_Q f(p/q) (+ f'(inf) P(q = 0)) with f convex on [0, inf), in nats where logarithms occur.

    The functions work elementwise on a number, a numpy array or a torch tensor, return its like, and are
    differentiable through tensors. u is a ratio p/q in [0, inf), t a value of a critic T, v a score: the
    network's raw output, T = activation(v).

    f                u -> f(u)
    derivative       u -> f'(u)
    conjugate        t -> f*(t), the supremum over u >= 0 of ut - f(u); inf outside `domain`
    loose_conjugate  t -> the formula that tables print for f*: the supremum over all real u where f's formula
                     makes sense below 0 (Pearson, total variation), else the same. Never below the conjugate
    activation       v -> g_f(v), increasing, onto the values that an optimal critic can take
    fake_term        v -> f*(g_f(v)) in one stable piece: what a generated sample adds to a critic's loss
    share            v -> p/(p + q) in [0, 1], as a critic of that score claims; 1/2 at `even`
    domain           (lower, upper) of the t with f*(t) finite; upper = f'(inf)
    at_zero          f(0), and at_infinity = f'(inf), both in (-inf, inf]
    even             the score v at which data and generated samples are equally likely: g_f(even) = f'(1)
    value            (p, q) -> D_f(P||Q) for the laws and vectors that this module knows

    Source: Nowozin, Cseke and Tomioka (2016), tables 1, 2, 5 and 6, in the normalisation of f (MATH E.2).
    """

    name: str
    f: Callable
    derivative: Callable
    conjugate: Callable
    loose_conjugate: Callable
    activation: Callable
    fake_term: Callable
    share: Callable
    domain: tuple[float, float]
    at_zero: float
    at_infinity: float
    even: float
    value: Callable[[Any, Any], float]

    @property
    def optimal_critic(self) -> Callable:
        """u -> T*(u) = f'(u): the critic for which the variational bound is tight."""
        return self.derivative

    @property
    def threshold(self) -> float:
        """f'(1): where T* exceeds it, data are likelier than generated samples."""
        return float(self.derivative(1.))

    @property
    def at_one(self) -> float:
        """f(1), the value for P = Q, and the least one."""
        return float(self.f(1.)) + 0.                              # no minus zero

    @property
    def range(self) -> tuple[float, float]:
        """The least and the largest value over all pairs of laws: f(1) and f(0) + f'(inf)."""
        return self.at_one, self.at_zero + self.at_infinity

    def __repr__(self) -> str:
        return f"f_divergence({self.name!r})"


def f_divergence(name: str) -> FDivergence:
    """The f-divergence of that name; ValueError lists the names there are.

    kl, reverse_kl, pearson, hellinger (squared), js (f-GAN's, 2 JSD), jsd (half of it), gan (2 JSD - log 4)
    and tv.
    """
    try:
        return _F_DIVERGENCES[name]
    except (KeyError, TypeError):
        raise ValueError(f"there is no f-divergence named {name!r}; "
                         f"choose one of {', '.join(F_DIVERGENCES)}") from None


def _for_all(formula: Callable) -> Callable:
    """A formula for tensors, for numbers and numpy arrays too: computed in float64, returned in kind."""
    @functools.wraps(formula)
    def run(x):
        if isinstance(x, torch.Tensor):
            return formula(x)
        return formula(torch.from_numpy(np.array(x, dtype=np.float64))).numpy()[()]
    return run


def _below(upper: float, formula: Callable, inside: float) -> Callable:
    """The formula where t < upper, inf elsewhere; there it sees `inside`, so that gradients stay numbers."""
    def run(t):
        return torch.where(t < upper, formula(torch.where(t < upper, t, inside)), math.inf)
    return run


def _row(name: str, value: Callable, *, domain: tuple, at_zero: float, at_infinity: float, even: float = 0.,
         loose: Callable | None = None, **formulas: Callable) -> FDivergence:
    formulas = {key: _for_all(formula) for key, formula in formulas.items()}
    loose = _for_all(loose) if loose else formulas["conjugate"]
    return FDivergence(name=name, value=value, domain=domain, at_zero=at_zero, at_infinity=at_infinity,
                       even=even, loose_conjugate=loose, **formulas)


def _js(u: torch.Tensor) -> torch.Tensor:
    """u log u - (u + 1) log(u + 1), without cancellation for large u."""
    return -torch.special.xlog1py(u, 1 / u) - torch.log1p(u)


_ROWS = [
    _row("kl", kl, domain=(-math.inf, math.inf), at_zero=0., at_infinity=math.inf, even=1.,
         f=lambda u: torch.xlogy(u, u),
         derivative=lambda u: 1 + torch.log(u),
         conjugate=lambda t: torch.exp(t - 1),
         activation=lambda v: v.clone(),
         fake_term=lambda v: torch.exp(v - 1),
         share=lambda v: torch.sigmoid(v - 1)),
    _row("reverse_kl", reverse_kl, domain=(-math.inf, 0.), at_zero=math.inf, at_infinity=0.,
         f=lambda u: -torch.log(u),
         derivative=lambda u: -1 / u,
         conjugate=_below(0., lambda t: -1 - torch.log(-t), -1.),
         activation=lambda v: -torch.exp(-v),
         fake_term=lambda v: v - 1,
         share=torch.sigmoid),
    _row("pearson", pearson, domain=(-math.inf, math.inf), at_zero=1., at_infinity=math.inf,
         f=lambda u: (u - 1) ** 2,
         derivative=lambda u: 2 * (u - 1),
         conjugate=lambda t: torch.clamp(t / 2 + 1, min=0) ** 2 - 1,    # t^2/4 + t from t = -2 on, else -f(0)
         loose=lambda t: (t / 2 + 1) ** 2 - 1,
         activation=lambda v: v.clone(),
         fake_term=lambda v: torch.clamp(v / 2 + 1, min=0) ** 2 - 1,
         share=lambda v: 1 - 1 / (1 + torch.clamp(v / 2 + 1, min=0))),
    _row("hellinger", hellinger, domain=(-math.inf, 1.), at_zero=1., at_infinity=1.,
         f=lambda u: (torch.sqrt(u) - 1) ** 2,
         derivative=lambda u: 1 - torch.rsqrt(u),
         conjugate=_below(1., lambda t: t / (1 - t), 0.),
         activation=lambda v: -torch.expm1(-v),
         fake_term=torch.expm1,
         share=lambda v: torch.sigmoid(2 * v)),
    _row("js", lambda p, q: 2 * jsd(p, q), domain=(-math.inf, LOG2), at_zero=LOG2, at_infinity=LOG2,
         f=lambda u: _js(u) + (u + 1) * LOG2,
         derivative=lambda u: LOG2 - torch.log1p(1 / u),
         conjugate=_below(LOG2, lambda t: -LOG2 - torch.log(-torch.expm1(t - LOG2)), 0.),
         activation=lambda v: LOG2 + logsigmoid(v),
         fake_term=lambda v: -LOG2 - logsigmoid(-v),
         share=torch.sigmoid),
    _row("jsd", jsd, domain=(-math.inf, LOG2 / 2), at_zero=LOG2 / 2, at_infinity=LOG2 / 2,
         f=lambda u: (_js(u) + (u + 1) * LOG2) / 2,
         derivative=lambda u: (LOG2 - torch.log1p(1 / u)) / 2,
         conjugate=_below(LOG2 / 2, lambda t: (-LOG2 - torch.log(-torch.expm1(2 * t - LOG2))) / 2, 0.),
         activation=lambda v: (LOG2 + logsigmoid(v)) / 2,
         fake_term=lambda v: (-LOG2 - logsigmoid(-v)) / 2,
         share=torch.sigmoid),
    _row("gan", lambda p, q: 2 * jsd(p, q) - 2 * LOG2, domain=(-math.inf, 0.), at_zero=0., at_infinity=0.,
         f=_js,
         derivative=lambda u: -torch.log1p(1 / u),
         conjugate=_below(0., lambda t: -torch.log(-torch.expm1(t)), -1.),
         activation=logsigmoid,
         fake_term=lambda v: -logsigmoid(-v),
         share=torch.sigmoid),
    _row("tv", tv, domain=(-math.inf, .5), at_zero=.5, at_infinity=.5,
         f=lambda u: torch.abs(u - 1) / 2,
         derivative=lambda u: torch.sign(u - 1) / 2,
         conjugate=lambda t: torch.where(t <= .5, torch.clamp(t, min=-.5), math.inf),
         loose=lambda t: torch.where(torch.abs(t) <= .5, t, math.inf),
         activation=lambda v: torch.tanh(v) / 2,
         fake_term=lambda v: torch.tanh(v) / 2,
         share=lambda v: torch.sigmoid(2 * v)),          # of the critic's value; T* knows only the side
]
_F_DIVERGENCES = {row.name: row for row in _ROWS}
F_DIVERGENCES = tuple(_F_DIVERGENCES)


# ---- integrands: functions of log p and log q, never negative for a divergence -----------------------------

def _kl(lp: np.ndarray, lq: np.ndarray) -> np.ndarray:
    """p log(p/q) - p + q: the added q - p integrates to 0 and makes the integrand non-negative everywhere."""
    p, q = np.exp(lp), np.exp(lq)
    d = np.where(lp > -np.inf, lp - lq, -np.inf)                       # log p/q; where p = 0 only q is left
    near = p * (np.expm1(-np.clip(d, -1, 1)) + d)                      # no cancellation where p is close to q
    far = _times(lp, d) - p + q
    return np.maximum(np.where(np.abs(d) < 1, near, far), 0.)


def _times(lp: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """p * factor, 0 where p = 0; through logarithms, since p may underflow where the product does not."""
    return np.where(lp > -np.inf, np.sign(factor) * np.exp(lp + np.log(np.abs(factor))), 0.)


def _to_middle(lp: np.ndarray, lq: np.ndarray) -> np.ndarray:
    return _kl(lp, np.logaddexp(lp, lq) - LOG2)


def _jsd(lp: np.ndarray, lq: np.ndarray) -> np.ndarray:
    return (_to_middle(lp, lq) + _to_middle(lq, lp)) / 2


def _pearson(lp: np.ndarray, lq: np.ndarray) -> np.ndarray:
    """(p - q)^2 / q, from logarithms, so that it neither under- nor overflows before its value does."""
    d = np.where(lp > -np.inf, lp - lq, -np.inf)
    log_excess = d + np.log1p(-np.exp(-np.maximum(d, 1.)))            # log(e^d - 1)
    large = np.where(lq == -np.inf, np.inf, np.exp(np.where(d > 1, lq + 2 * log_excess, 0.)))
    return np.where(d > 1, large, np.exp(lq) * np.expm1(np.minimum(d, 1.)) ** 2)


def _cross(lp: np.ndarray, lq: np.ndarray) -> np.ndarray:
    return _times(lp, -lq)


# ---- from two arguments to a number -----------------------------------------------------------------------

def _quietly(function: Callable) -> Callable:
    """Infinities and underflow are handled here one by one: a warning about them is no news."""
    def run(*args):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args)
    return run



def _divergence(integrand: Callable, p: Any, q: Any) -> float:
    p, q = pair(p, q)
    if isinstance(p, np.ndarray):
        return _total(integrand, _log(p), _log(q))
    if is_discrete(p) != is_discrete(q):
        return _singular(integrand)
    return _over_laws(integrand, p, q)


@_quietly
def _total(integrand: Callable, lp: np.ndarray, lq: np.ndarray) -> float:
    return float(np.sum(integrand(lp, lq)))


def _singular(integrand: Callable) -> float:
    """The value for two laws that share no mass."""
    return _total(integrand, _log(np.array([1., 0.])), _log(np.array([0., 1.])))


@_quietly
def _over_laws(integrand: Callable, p: Any, q: Any) -> float:
    outside = _density_outside(p, q), _density_outside(q, p)
    if any(outside):                        # one law reaches where the other cannot be: is that infinite?
        lp, lq = _log(np.array([float(outside[0])])), _log(np.array([float(outside[1])]))
        missing = [(lp, np.array([-np.inf]))] * outside[0] + [(np.array([-np.inf]), lq)] * outside[1]
        if any(math.isinf(_total(integrand, *pair)) for pair in missing):
            return math.inf
    return _sum_lattice(integrand, p, q) if is_discrete(p) else _integrate(integrand, p, q)


def _density_outside(p: Any, q: Any) -> bool:
    """Whether the hull of p's support leaves that of q."""
    (a, b), (c, d) = p.support(), q.support()
    return bool(a < c or b > d)


def _integrate(integrand: Callable, p: Any, q: Any) -> float:
    """Integral of integrand(log p, log q) over both supports; inf if a tail or an end makes it diverge."""
    marks, ends, step = _marks(p, q)
    inner = marks[np.isfinite(marks)]
    f = _on_points(integrand, p, q, (inner[0], inner[-1]))
    beyond = step * 2. ** np.arange(24, 27)
    light = np.all(np.abs(f(np.r_[inner[0] - beyond, inner[-1] + beyond])) < 1e-290)
    return _extrapolated(_runs(marks, ends, step, 26 if light else _TAIL), lambda a, b: _adaptive(f, a, b))


def _on_points(integrand: Callable, p: Any, q: Any, bulk: tuple[float, float]) -> Callable:
    """The integrand as a function of x (any shape), and NaN in the tails where floats cannot tell its value.

    That is where it is infinite only through underflow (many of scipy's logpdf are the logarithm of pdf and
    turn to -inf far out), and where two log-densities are so large that their difference is noise. The shells
    of a tail end there. Inside the bulk -inf is a density that vanishes, unless the law may underflow.
    """
    common = max(p.support()[0], q.support()[0]), min(p.support()[1], q.support()[1])
    sides = [(name, law, _underflows(law)) for name, law in zip("pq", (p, q))]

    def f(x):
        logs = [_log_density(law, x, may_underflow) for _, law, may_underflow in sides]
        values = integrand(*logs)
        inside, tail = (x > common[0]) & (x < common[1]), (x < bulk[0]) | (x > bulk[1])
        infinite = np.isinf(values) & inside & (np.minimum(*logs) == -np.inf)
        for (name, _, may_underflow), log in zip(sides, logs):
            if may_underflow and np.any(infinite & ~tail & (log == -np.inf)):
                raise ValueError(f"the density of {name} underflows to 0 where the other law has mass: "
                                 f"give a law whose log-density is computed directly")
        noise = (np.maximum(*logs) < -1e5) & (np.abs(values) > 1e-290)
        return np.where(tail & (infinite | noise), np.nan, values)
    return f


def _log_density(law: Any, x: np.ndarray, may_underflow: bool) -> np.ndarray:
    log = np.asarray(law.logpmf(x) if is_discrete(law) else law.logpdf(x), float)
    log = np.nan_to_num(log, nan=-np.inf, posinf=-np.inf, neginf=-np.inf)      # a pole is one point: no mass
    return np.where(log < -700, -np.inf, log) if may_underflow else log         # below lie denormal numbers


def _underflows(law: Any) -> bool:
    """Whether scipy computes a law's log-density as the log of a density that tends to 0 at infinity."""
    if isinstance(law, Mixture):
        return any(map(_underflows, law.laws))
    dist = getattr(law, "dist", law)
    if np.isfinite(law.support()).all() or isinstance(dist, type(_TABLE)):
        return False
    return (isinstance(dist, stats.rv_continuous) and type(dist)._logpdf is stats.rv_continuous._logpdf
            or isinstance(dist, stats.rv_discrete) and type(dist)._logpmf is stats.rv_discrete._logpmf)


_TABLE = stats.rv_discrete(values=([0], [1.]))     # a law made from a table has a class of its own in scipy


# Quantiles that split the line: fine enough that every piece of a law's bulk holds several of them.
_LEVELS = np.array([1e-14, 1e-11, 1e-8, 1e-6, 1e-4, 1e-3, 1e-2, .05, .1, .2, .3, .4, .5])
_TAIL, _EDGE = 480, 30                  # doublings towards infinity; halvings towards the end of a support
_RESOLUTION = 2. ** -33                 # relative distance to an end that floats still resolve well


def _marks(p: Any, q: Any) -> tuple[np.ndarray, set, float]:
    """Points that split the line, those where a support ends, and the width of the bulk's pieces."""
    marks, ends, step = set(), set(), math.inf
    for law in parts(p, q):
        edges = {float(e) for e in law.support() if math.isfinite(e)}
        quantiles = _quantiles(law)
        spread, centre = quantiles[-1] - quantiles[0], law.ppf(.5)
        if spread < 2. ** -30 * abs(centre):
            raise ValueError(f"a law is so narrow around {centre:g} that floats do not resolve it: "
                             f"its bulk is only {spread:.1g} wide; move it towards 0")
        step = min(step, spread / 8)
        ends |= edges
        near = [8192 * _RESOLUTION * abs(e) for e in edges]
        marks |= edges | {x for x in quantiles if all(abs(x - e) > r for e, r in zip(edges, near))}
    lowest = min(law.support()[0] for law in (p, q))
    highest = max(law.support()[1] for law in (p, q))
    return np.array(sorted({m for m in marks if lowest <= m <= highest} | {lowest, highest})), ends, step


def _quantiles(law: Any, smallest: float = 0.) -> list[float]:
    levels = _LEVELS[_LEVELS >= smallest]
    right = law.isf(levels) if hasattr(law, "isf") else law.ppf(1 - levels)
    both = np.concatenate([np.asarray(law.ppf(levels), float), np.asarray(right, float)])
    return sorted(set(both[np.isfinite(both)].tolist()))


def _panels(*laws: Any) -> tuple[np.ndarray, np.ndarray]:
    """Left and right ends of the pieces between all quantiles, supports' ends included."""
    edges = np.concatenate([_quantiles(part) + list(part.support()) for part in parts(*laws)])
    edges = np.unique(edges[np.isfinite(edges)])
    wide = _wide(edges[:-1], edges[1:])
    return edges[:-1][wide], edges[1:][wide]


def _wide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether [a, b] holds enough floats for the nodes inside not to round to its ends."""
    return b - a > 1e-13 * np.maximum(np.abs(a), np.abs(b))


def _runs(marks: np.ndarray, ends: set, step: float, tail: int) -> list[np.ndarray]:
    """Runs of points: two for a plain piece, many for shells that shrink to an end or grow to infinity."""
    grow = 2. ** np.arange(tail + 1) - 1
    runs = []
    for a, b in zip(marks[:-1], marks[1:]):
        if math.isinf(a):
            runs.append(b - step * grow)
        elif math.isinf(b):
            runs.append(a + step * grow)
        elif a in ends or b in ends:
            middle = (a + b) / 2
            runs += [_towards(a, middle) if a in ends else np.array([a, middle]),
                     _towards(b, middle) if b in ends else np.array([middle, b])]
        else:
            runs.append(np.array([a, b]))
    return runs


def _towards(end: float, start: float) -> np.ndarray:
    """Points that halve their distance to `end`, as often as floats near `end` can tell them well apart."""
    room = abs(start - end) / (abs(end) * _RESOLUTION) if end else math.inf
    halvings = int(min(_EDGE, math.log2(room))) if room > 8 else 0
    if not halvings:
        return np.array([start, end])
    return end + (start - end) * .5 ** np.arange(halvings + 1)


def _extrapolated(runs: list[np.ndarray], integrals: Callable, slack: float = 1e-5) -> float:
    """Sum of all shells and of the geometric series beyond each run; inf if its ratio is not below 1."""
    left = np.concatenate([run[:-1] for run in runs])
    right = np.concatenate([run[1:] for run in runs])
    shells, total, start = integrals(np.minimum(left, right), np.maximum(left, right)), 0., 0
    for run in runs:
        shell, start = shells[start:start + len(run) - 1], start + len(run) - 1
        cut = np.isnan(shell).any()                                # from there on a density has underflowed
        shell = shell[:int(np.argmax(np.isnan(shell)))] if cut else shell
        total += float(np.sum(shell))
        if len(shell) > 1 and math.isfinite(total) and abs(shell[-1]) > 1e-290:
            ratio = shell[-1] / shell[-2] if shell[-2] else math.inf
            if not abs(ratio) < 1 - slack:
                return math.copysign(math.inf, shell[-1])
            beyond = float(shell[-1] * ratio / (1 - ratio))
            if cut and abs(beyond) > 1e-9 * (1 + abs(total)):
                raise ValueError("a density underflows in a tail that matters, so the integral is unknown: "
                                 "give laws whose log-density is computed directly")
            total += beyond
    return total


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def _gauss(f: Callable, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    half = (b - a)[:, None] / 2                                        # (n, 1)
    return f(a[:, None] + half * (1 + _NODES)) @ _WEIGHTS * half[:, 0]  # (n, 16) -> (n,)


def _adaptive(f: Callable, a: np.ndarray, b: np.ndarray, tol: float = 1e-10, levels: int = 60) -> np.ndarray:
    """Integral of f over each [a_i, b_i]: a piece is halved until its Gauss sum agrees with its halves'."""
    integrals = np.zeros(len(a))
    owner, whole = np.arange(len(a)), _gauss(f, a, b)
    for _ in range(levels):
        middle = (a + b) / 2
        left, right = _gauss(f, a, middle), _gauss(f, middle, b)
        rough = np.abs(whole - left - right) > tol * (1 + np.abs(left + right))
        settled = ~(rough & _wide(a, middle))
        np.add.at(integrals, owner[settled], (left + right)[settled])
        rest = ~settled
        if not rest.any():
            return integrals
        if rest.sum() > 100_000:
            raise ValueError("the integral does not settle: these densities are too rough for quadrature")
        a, middle, b, owner = a[rest], middle[rest], b[rest], np.tile(owner[rest], 2)
        a, b, whole = np.r_[a, middle], np.r_[middle, b], np.r_[left[rest], right[rest]]
    np.add.at(integrals, owner, whole)                                 # pieces as narrow as floats allow
    return integrals


def _sum_lattice(integrand: Callable, p: Any, q: Any) -> float:
    """Sum over the lattice of two discrete laws; far tails in shells that double, then a geometric series."""
    centre = float(p.ppf(.5))
    if (float(q.ppf(.5)) - centre) % 1:
        return _singular(integrand)                                # their lattices have no point in common
    quantiles = [_quantiles(law, 1e-4) for law in (p, q)]
    low, high = min(each[0] for each in quantiles), max(each[-1] for each in quantiles)
    lowest, highest = min(p.support()[0], q.support()[0]), max(p.support()[1], q.support()[1])
    reach = max(high - centre, centre - low, 1.)
    if reach > 1e6:
        raise ValueError("the bulk of these discrete laws spreads over more than a million points")

    f = _on_points(integrand, p, q, (low, high))

    def sums(a, b):                                                    # over the lattice points of [a, b)
        return np.array([np.sum(f(np.arange(s, t))) for s, t in zip(a, b)])

    doublings = 2. ** np.arange(1 + int(np.clip(np.log2(1e6 / reach), 3, 12)))
    far = np.ceil(reach * doublings)                                   # the shells end at centre +- far
    runs = [np.array([max(centre - far[0], lowest), min(centre + far[0], highest) + 1]),
            np.minimum(centre + far, highest) + 1, np.maximum(centre - far, lowest)]
    return _extrapolated(runs, sums, slack=1e-4)


# ---- arguments --------------------------------------------------------------------------------------------

def pair(p: Any, q: Any) -> tuple:
    """Both arguments as probability vectors of one length, or both as laws."""
    laws = hasattr(p, "support"), hasattr(q, "support")
    if all(laws):
        return _law(p, "p"), _law(q, "q")
    if any(laws):
        law, other = "pq" if laws[0] else "qp"
        raise ValueError(f"{law} is a distribution and {other} is not: give two vectors or two distributions")
    p, q = _vector(p, "p"), _vector(q, "q")
    if len(p) != len(q):
        raise ValueError(f"p has {len(p)} entries and q has {len(q)}: give both laws on the same points")
    return p, q


def _vector(p: Any, name: str) -> np.ndarray:
    """A checked probability vector, (n,) float64, summing to one to the last bit it can."""
    if hasattr(p, "detach"):
        p = p.detach().cpu().numpy()
    try:
        raw = np.asarray(p)
        if raw.dtype.kind not in "iuf":
            raise TypeError
        vector = raw.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is neither a vector of probabilities nor a 1-D distribution with "
                         f"logpdf, support and ppf: {type(p).__name__}") from None
    if vector.ndim != 1:
        raise ValueError(f"{name} has shape {vector.shape}: a probability vector has one dimension")
    if vector.size == 0:
        raise ValueError(f"{name} is empty")
    if not np.isfinite(vector).all():
        raise ValueError(f"{name} holds a NaN or an infinity at index {int(np.argmin(np.isfinite(vector)))}")
    if (vector < 0).any():
        k = int(np.argmin(vector))
        raise ValueError(f"{name} has a negative mass: {vector[k]:g} at index {k}")
    total = vector.sum()
    if abs(total - 1) > 1e-6:
        raise ValueError(f"{name} does not sum to one: its entries sum to {total:.8g}")
    return vector / total


def _law(law: Any, name: str) -> Any:
    """A checked 1-D law: what it needs is there, and its density at its quantiles is a number."""
    if isinstance(law, Mixture):
        return law
    density = getattr(law, "logpdf", None) or getattr(law, "logpmf", None)
    if density is None or not hasattr(law, "support") or not hasattr(law, "ppf"):
        raise ValueError(f"{name} is not a 1-D distribution: it needs logpdf or logpmf, support and ppf")
    try:
        ends = np.asarray(law.support(), float)
        at_median = np.asarray(density(law.ppf(.5)), float)
    except TypeError:
        raise ValueError(f"{name} has no parameters yet: freeze it, as in stats.norm(0, 1)") from None
    if ends.shape != (2,) or at_median.shape != ():
        raise ValueError(f"{name} is not one law on the line: its parameters are arrays")
    if np.isnan(ends).any() or np.isnan(at_median):
        raise ValueError(f"{name} is not a law: its parameters are invalid, its density is not a number")
    return law


def is_discrete(law: Any) -> bool:
    """Discrete distributions of scipy have logpmf; the unfrozen continuous ones have logpdf only."""
    return not isinstance(law, Mixture) and getattr(law, "logpdf", None) is None or hasattr(
        getattr(law, "dist", None), "pmf")


def _log(vector: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(vector)


def _unit(t: Any, name: str) -> np.ndarray:
    t = np.asarray(t, dtype=np.float64)
    if not ((t >= 0) & (t <= 1)).all():
        raise ValueError(f"{name} must lie in [0, 1], not {t if t.ndim == 0 else 'partly outside'}")
    return t

"""Optimal transport: maps, plans, prices, and closed forms.

Laws on points are vectors of masses p, (n,), and q, (m,), of one total; cost[i, j] is the cost of moving a
unit from point i of p to point j of q.  Laws on the line are samples (1-D arrays, entries of equal weight) or
frozen `scipy.stats` distributions.  A ValueError says what is wrong with an argument.

    moving mass             push_forward, monge, kantorovich, certificate, marginal_matrix
    prices                  c_transform, check_metric, kantorovich_rubinstein, restricted_dual
    the line, Gaussians     w1, wasserstein, line_critic, gaussian_w2
    samples                 two_sample_w1, two_sample_limit, sampling_floor, minibatch_minimiser
    the WGAN paper's lines  lines

Sources: Kantorovich and Rubinstein (1958); Villani (2003), *Topics in optimal transportation*; Peyré and
Cuturi (2019), *Computational optimal transport*; Arjovsky, Chintala and Bottou (2017), *Wasserstein GAN*; the
lecture notes and the slides (MATH D).
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, sparse, special, stats

from gantools import divergences, metrics

__all__ = [
    "Certificate", "Gaussians", "Lines", "Map", "Potential", "Spread", "Transport",
    "c_transform", "certificate", "check_metric", "gaussian_w2", "kantorovich", "kantorovich_rubinstein",
    "line_critic", "lines", "marginal_matrix", "minibatch_minimiser", "monge", "push_forward",
    "restricted_dual", "sampling_floor", "two_sample_limit", "two_sample_w1", "w1", "wasserstein",
]  # fmt: skip

MAPS = 14  # points up to which all maps between unequal masses are searched


# ---- arguments --------------------------------------------------------------------------------------------


def _array(value: ArrayLike, name: str, ndim: int) -> np.ndarray:
    """A finite float64 array of `ndim` dimensions that is not empty."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        raw = np.asarray(value)
        if raw.dtype.kind not in "iuf":
            raise TypeError
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold real numbers") from None
    if raw.ndim != ndim or not raw.size:
        raise ValueError(f"{name} must have {ndim} dimension(s) and entries; its shape is {raw.shape}")
    if not np.isfinite(raw).all():
        where = np.unravel_index(np.argmin(np.isfinite(raw)), raw.shape)
        raise ValueError(f"{name} must be finite; at {tuple(map(int, where))} it is {raw[where]}")
    return raw.astype(float)


def _masses(p: ArrayLike, q: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Two vectors of masses, >= 0, of one positive total to the last bit."""
    p, q = _array(p, "p", 1), _array(q, "q", 1)
    for name, law in (("p", p), ("q", q)):
        if (law < 0).any():
            raise ValueError(f"{name} has a negative mass: {law.min():g} at index {int(law.argmin())}")
        if not law.sum() > 0:
            raise ValueError(f"{name} has no mass")
    if abs(p.sum() - q.sum()) > 1e-6 * p.sum():
        totals = f"p has the total mass {p.sum():.8g} and q {q.sum():.8g}"
        raise ValueError(f"{totals}: no plan moves the one onto the other")
    return p, q * (p.sum() / q.sum())


def _problem(p: ArrayLike, q: ArrayLike, cost: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    p, q = _masses(p, q)
    cost = _array(cost, "cost", 2)
    if cost.shape != (len(p), len(q)):
        wanted = f"for {len(p)} masses of p and {len(q)} of q it must be ({len(p)}, {len(q)})"
        raise ValueError(f"cost has shape {cost.shape}; {wanted}")
    return p, q, cost


def _counts(**numbers: int) -> None:
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} must be a positive whole number, not {value!r}")


# ---- maps -------------------------------------------------------------------------------------------------


class Map(NamedTuple):
    """A best map between two laws on points: its cost, and the target of every point, (n,) whole numbers.

    Where no map exists the cost is infinite (the infimum over nothing) and `targets` is None.
    """

    cost: float
    targets: np.ndarray | None


def push_forward(p: ArrayLike, targets: ArrayLike, m: int) -> np.ndarray:
    """T_# p: the masses, (m,), that arrive when the mass p[i] of every point i moves to targets[i]."""
    p, targets = _array(p, "p", 1), np.asarray(targets)
    _counts(m=m)
    if targets.shape != p.shape or targets.dtype.kind not in "iu":
        raise ValueError(f"targets must be {len(p)} whole numbers, one for every mass")
    if targets.min() < 0 or targets.max() >= m:
        raise ValueError(f"targets must lie between 0 and {m - 1}")
    return np.bincount(targets, weights=p, minlength=m)


def monge(p: ArrayLike, q: ArrayLike, cost: ArrayLike) -> Map:
    """Monge's problem: the cheapest map T with T_# p = q, or Map(inf, None) if there is none.

    A map sends the whole of p[i] to one point.  Equal masses on both sides are an assignment problem and may
    be many; otherwise all maps are searched (filling two equal halves of q is the partition problem: no quick
    method is known), and p may have at most 14 masses above 0.  Raises ValueError for more.
    Source: Monge (1781); the slides (MATH D.1).
    """
    p, q, cost = _problem(p, q, cost)
    from_, onto = np.flatnonzero(p), np.flatnonzero(q)
    near = 1e-9 * p.sum()
    targets = cost.argmin(1)  # where a point has no mass its image is free
    if len(from_) < len(onto):
        return Map(math.inf, None)
    if len(from_) == len(onto) and np.ptp(np.r_[p[from_], q[onto]]) <= near:
        rows, columns = optimize.linear_sum_assignment(cost[np.ix_(from_, onto)])
        targets[from_[rows]] = onto[columns]
    else:
        if len(from_) > MAPS:
            few = f"give p at most {MAPS} masses, not {len(from_)}"
            raise ValueError(f"with unequal masses every map is tried: {few}")
        found = _search(p[from_], q[onto].copy(), p[from_, None] * cost[np.ix_(from_, onto)], near)
        if found is None:
            return Map(math.inf, None)
        targets[from_] = onto[found]
    return Map(float(p @ cost[np.arange(len(p)), targets]), targets)


def _search(p: np.ndarray, room: np.ndarray, price: np.ndarray, near: float) -> list[int] | None:
    """The cheapest filling of the rooms by whole masses, the large ones first; hopeless branches are cut."""
    order = np.argsort(-p, kind="stable")
    least = np.r_[np.cumsum(price[order].min(1)[::-1])[::-1], 0]  # what is left costs at least this
    best: dict[str, Any] = {"cost": math.inf, "targets": None}
    chosen = np.zeros(len(p), int)

    def place(k: int, spent: float) -> None:
        if spent + least[k] >= best["cost"]:
            return
        if k == len(p):
            best.update(cost=spent, targets=chosen.tolist())
            return
        i = order[k]
        for j in np.argsort(price[i]):
            if p[i] <= room[j] + near:
                room[j] -= p[i]
                chosen[i] = j
                place(k + 1, spent + price[i, j])
                room[j] += p[i]

    place(0, 0.0)
    return best["targets"]


# ---- plans and their dual ---------------------------------------------------------------------------------


class Transport(NamedTuple):
    """A solution of Kantorovich's problem and of its dual."""

    cost: float
    plan: np.ndarray  # (n, m): plan[i, j] is moved from i to j
    f: np.ndarray  # (n,), g (m,): potentials, f[i] + g[j] <= cost[i, j]
    g: np.ndarray


class Certificate(NamedTuple):
    """What proves a plan optimal: three numbers that must be 0, 0 or more, and 0."""

    gap: float  # cost of the plan minus p.f + q.g
    least_slack: float  # of cost - f - g: not negative means dual feasible
    product: float  # largest plan * slack: 0 is complementary slackness


class Potential(NamedTuple):
    """The value of a dual problem with g = -f, and f, (n,), with f[0] = 0."""

    value: float
    f: np.ndarray


def marginal_matrix(n: int, m: int, sparse_format: bool = False) -> np.ndarray | sparse.csr_array:
    """A with A vec(plan) = (p; q), (n + m, n m), for plans (n, m) read row by row; its rank is n + m - 1.

    The first n rows sum the rows of the plan (I_n x 1_m'), the last m its columns (1_n' x I_m).  With
    `sparse_format` a scipy.sparse array: 200 points each side are 16 million zeros otherwise.
    Source: the lecture notes, "Wasserstein distance" (MATH D.2).
    """
    _counts(n=n, m=m)
    rows = sparse.kron(sparse.eye_array(n), np.ones((1, m)))
    columns = sparse.kron(np.ones((1, n)), sparse.eye_array(m))
    both = sparse.vstack([rows, columns], format="csr")
    return both if sparse_format else both.toarray()


def kantorovich(p: ArrayLike, q: ArrayLike, cost: ArrayLike) -> Transport:
    """Kantorovich's problem: the cheapest plan with marginals p, (n,), and q, (m,), and optimal potentials.

    The linear program min <cost, plan> is solved by HiGHS; its dual variables, tightened by a c-transform,
    are potentials that are feasible and optimal.  200 points each side take about half a second.
    Source: Kantorovich (1942); the lecture notes, "Wasserstein distance" (MATH D.1-D.3).
    """
    p, q, cost = _problem(p, q, cost)
    total, unit = p.sum(), max(np.abs(cost).max(), 1e-300)
    solved = _solve(cost.ravel() / unit, A_eq=marginal_matrix(len(p), len(q), True), b_eq=np.r_[p, q] / total)
    plan = np.maximum(solved.x, 0).reshape(cost.shape) * total
    f = solved.eqlin.marginals[: len(p)] * unit
    g = c_transform(f, cost)
    f = c_transform(g, cost.T)
    return Transport(float((plan * cost).sum()), plan, f, g)


def _solve(objective: np.ndarray, **constraints) -> optimize.OptimizeResult:
    """Minimise a linear program by HiGHS, to its smallest tolerances."""
    options = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    solved = optimize.linprog(objective, method="highs", options=options, **constraints)
    if solved.status in (2, 3):  # infeasible or unbounded
        raise ValueError(f"the linear program has no solution: {solved.message}")
    if solved.status:
        raise RuntimeError(f"HiGHS did not finish: {solved.message}")
    return solved


def certificate(plan: ArrayLike, f: ArrayLike, g: ArrayLike, cost: ArrayLike) -> Certificate:
    """Check a plan, (n, m), and potentials f, (n,), and g, (m,), against each other: no solver is asked.

    If the least slack is not negative and the gap is 0, both are optimal (weak duality); then the products
    are 0, too.  (MATH D.3)
    """
    plan, f, g, cost = _array(plan, "plan", 2), _array(f, "f", 1), _array(g, "g", 1), _array(cost, "cost", 2)
    if plan.shape != cost.shape or cost.shape != (len(f), len(g)):
        raise ValueError(f"shapes do not fit: plan {plan.shape}, cost {cost.shape}, f {f.shape}, g {g.shape}")
    if plan.min() < 0:
        raise ValueError(f"plan moves a negative mass: {plan.min():g}")
    slack = cost - f[:, None] - g  # (n, m)
    gap = (plan * cost).sum() - plan.sum(1) @ f - plan.sum(0) @ g
    return Certificate(float(gap), float(slack.min()), float((plan * slack).max()))


def c_transform(f: ArrayLike, cost: ArrayLike) -> np.ndarray:
    """f^c[j] = min_i cost[i, j] - f[i], (m,): the largest g with f[i] + g[j] <= cost[i, j] everywhere.

    For the transform of a g, (m,), back to the side of p give cost.T.  (MATH D.4)
    """
    f, cost = _array(f, "f", 1), _array(cost, "cost", 2)
    if len(f) != len(cost):
        raise ValueError(f"f has {len(f)} entries and cost {len(cost)} rows")
    return (cost - f[:, None]).min(0)


# ---- one space, one metric --------------------------------------------------------------------------------


def check_metric(distance: ArrayLike) -> np.ndarray:
    """The matrix, (n, n), as floats if it holds the distances of a metric; a ValueError says where it fails.

    A zero distance between different points is allowed (a semimetric): points may be given twice.
    """
    d = _array(distance, "distance", 2)
    if d.shape[0] != d.shape[1]:
        raise ValueError(f"distance must be square, not of shape {d.shape}")
    near = 1e-9 * max(1.0, np.abs(d).max())
    failures = [(np.diag(np.diag(np.abs(d))), "is not 0 from a point to itself"), (-d, "is negative"),
                (np.abs(d - d.T), "is not symmetric")]  # fmt: skip
    for excess, words in failures:
        if excess.max() > near:
            i, j = np.unravel_index(excess.argmax(), d.shape)
            both = f"d[{i}, {j}] = {d[i, j]:g}, d[{j}, {i}] = {d[j, i]:g}"
            raise ValueError(f"distance is no metric: it {words}: {both}")
    for k in range(len(d)):
        detour = d[:, k, None] + d[k]  # (n, n), by way of k
        if (d - detour).max() > near:
            i, j = np.unravel_index((d - detour).argmax(), d.shape)
            why = f"d[{i}, {j}] = {d[i, j]:g} is more than d[{i}, {k}] + d[{k}, {j}] = {detour[i, j]:g}"
            raise ValueError(f"distance is no metric: the triangle ({i}, {k}, {j}) fails, since {why}")
    return d


def kantorovich_rubinstein(p: ArrayLike, q: ArrayLike, distance: ArrayLike) -> Potential:
    """W1 as the largest p.f - q.f over all f with f[i] - f[j] <= d(i, j), for two laws on the same n points.

    Raises ValueError if `distance`, (n, n), is no metric and says which triangle fails: then the value would
    not be the cost of a best plan (see `restricted_dual`).
    Source: Kantorovich and Rubinstein (1958); the lecture notes and the slides (MATH D.4).
    """
    return restricted_dual(p, q, check_metric(distance))


def restricted_dual(p: ArrayLike, q: ArrayLike, cost: ArrayLike) -> Potential:
    """The dual with g = -f: the largest p.f - q.f with f[i] - f[j] <= cost[i, j], for any square cost.

    The value is that of transport with stops on the way, as cheap as the cheapest chain of moves: less than
    Kantorovich's wherever a detour is cheaper.  Raises ValueError if the cost of a round trip is negative
    (nothing is feasible then).  (MATH D.4)
    """
    p, q, cost = _problem(p, q, cost)
    n = len(p)
    if cost.shape != (n, n):
        raise ValueError(f"g = -f needs one space: cost must be square, not of shape {cost.shape}")
    i, j = np.nonzero(np.ones((n, n), bool))
    signs, rows = np.r_[np.ones(n * n), -np.ones(n * n)], np.tile(np.arange(n * n), 2)
    edges = sparse.csr_array((signs, (rows, np.r_[i, j])), shape=(n * n, n))  # f -> f_i - f_j
    unit = max(np.abs(cost).max(), 1e-300)
    bounds = [(0, 0)] + [(None, None)] * (n - 1)
    f = _solve((q - p) / p.sum(), A_ub=edges, b_ub=cost.ravel() / unit, bounds=bounds).x * unit
    return Potential(float(p @ f - q @ f), f)


# ---- the line ---------------------------------------------------------------------------------------------

_LEVELS = np.array([1e-14, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5])


class _Side(NamedTuple):
    """A law on the line as its two distribution functions, and points between which they are smooth."""

    cdf: Callable
    sf: Callable
    marks: np.ndarray


def _on_the_line(x: Any, name: str) -> _Side:
    if not hasattr(x, "support"):
        points = np.sort(_array(x, name, 1))
        n = len(points)
        return _Side(lambda t: np.searchsorted(points, t, "right") / n,
                     lambda t: (n - np.searchsorted(points, t, "right")) / n, np.unique(points))  # fmt: skip
    divergences.pair(x, x)  # is it one law on the line?
    sides = list(zip(x.weights, x.laws)) if isinstance(x, divergences.Mixture) else [(1.0, x)]
    marks = [np.r_[law.ppf(_LEVELS), law.isf(_LEVELS), law.support()] for _, law in sides]
    marks = np.unique(np.concatenate(marks))
    if divergences.is_discrete(x):
        low, high = x.ppf(1e-14), x.isf(1e-14)
        if high - low > 1e6:
            raise ValueError(f"{name} spreads over more than a million points")
        marks = np.union1d(marks, np.arange(low, high + 1))
    return _Side(lambda t: sum(w * law.cdf(t) for w, law in sides),
                 lambda t: sum(w * law.sf(t) for w, law in sides), marks[np.isfinite(marks)])  # fmt: skip


def _difference(a: _Side, b: _Side, middle: float) -> Callable:
    """F_b - F_a, from the tail functions on the right, where 1 - F would be all rounding."""
    return lambda t: np.where(t <= middle, b.cdf(t) - a.cdf(t), a.sf(t) - b.sf(t))


def w1(x: Any, y: Any) -> float:
    """W1 on the line: the integral of |F - G|.  x and y are samples, (n,), or frozen scipy.stats laws.

    One may be a sample and the other a law.  Infinite where a tail makes the integral diverge.  Exact for two
    samples, to about 1e-9 for laws.
    Source: Vallender (1974) (MATH D.5).
    """
    a, b = _on_the_line(x, "x"), _on_the_line(y, "y")
    marks = np.union1d(a.marks, b.marks)
    if len(marks) == 1:
        return 0.0
    difference = _difference(a, b, float(np.median(marks)))
    if not hasattr(x, "support") and not hasattr(y, "support"):
        return float(np.abs(difference(marks[:-1])) @ np.diff(marks))
    gap = lambda t: np.abs(difference(t))  # noqa: E731
    crossings = _crossings(difference, marks)
    inner = divergences.integral(gap, np.union1d(marks, crossings))
    step = marks[-1] - marks[0]
    return inner + _tail(gap, marks[-1], step, inner) + _tail(gap, marks[0], -step, inner)


def _crossings(difference: Callable, marks: np.ndarray) -> np.ndarray:
    """Where the difference of two distribution functions changes sign, found between 16 probes a piece."""
    probes = (marks[:-1, None] + np.diff(marks)[:, None] * (np.arange(16) + 0.5) / 16).ravel()
    signs = np.sign(difference(probes))
    kept = signs != 0  # where both are equal there is no sign to change
    probes, signs = probes[kept], signs[kept]
    turns = np.flatnonzero(signs[1:] != signs[:-1])
    one = lambda t: float(difference(np.asarray(t)))  # noqa: E731
    return np.array([optimize.brentq(one, probes[k], probes[k + 1], xtol=1e-14) for k in turns])


def _tail(gap: Callable, start: float, step: float, scale: float) -> float:
    """The integral of gap beyond start, in shells that double; beyond the last, a geometric series."""
    edges = start + step * (2.0 ** np.arange(61) - 1)  # (61,): start, start + step, start + 3 step, ...
    shells = [0.0]
    for ends in zip(edges[:-1], edges[1:]):
        shells.append(divergences.integral(gap, np.sort(ends)))
        if shells[-1] <= 1e-14 * (scale + sum(shells)):  # a light tail, or none
            return sum(shells)
    ratio = shells[-1] / shells[-2]
    return math.inf if ratio > 1 - 1e-4 else sum(shells) + shells[-1] * ratio / (1 - ratio)


def wasserstein(x: Any, y: Any, order: float = 2.0) -> float:
    """W_p on the line: the p-th root of the integral over (0, 1) of |F^-1 - G^-1|^p; p = order >= 1.

    x and y are two samples, (n,) and (m,), or two frozen laws with ppf and isf; infinite where the integral
    diverges.  Source: Villani (2003), theorem 2.18 (MATH D.5).
    """
    if not 1 <= order < math.inf:
        raise ValueError(f"order must be at least 1 and finite, not {order!r}")
    laws = hasattr(x, "support"), hasattr(y, "support")
    if not any(laws):
        x, y = np.sort(_array(x, "x", 1)), np.sort(_array(y, "y", 1))
        cuts = np.union1d(np.arange(1, len(x) + 1) / len(x), np.arange(1, len(y) + 1) / len(y))
        u = cuts - np.diff(cuts, prepend=0) / 2  # one level inside every piece
        apart = np.abs(x[(u * len(x)).astype(int)] - y[(u * len(y)).astype(int)])
        return float((apart**order @ np.diff(cuts, prepend=0)) ** (1 / order))
    for name, law in zip("xy", (x, y)):
        if not all(hasattr(law, part) for part in ("ppf", "isf", "support")):
            kind = type(law).__name__
            raise ValueError(f"{name} must be a frozen law with ppf and isf, like the other, not {kind}")
        if divergences.is_discrete(law):
            raise ValueError(f"{name} is discrete, its quantiles jump: take `w1`, or `kantorovich`")
    divergences.pair(x, y)
    return _by_quantiles(x, y, order)


def _by_quantiles(x: Any, y: Any, order: float) -> float:
    """Levels u = Phi(z): the tails of most laws become as smooth, and as light, as the Gaussian's."""

    def integrand(z):
        level = special.ndtr(-np.abs(z))
        apart = np.where(z < 0, x.ppf(level) - y.ppf(level), x.isf(level) - y.isf(level))
        return np.abs(apart) ** order * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)

    edge = 26.0  # levels down to 1e-149: beyond, some of scipy's quantiles break down
    ends = integrand(np.array([-edge, -edge / 2, edge / 2, edge]))
    if max(ends[0] - ends[1], ends[3] - ends[2]) > 0 and max(ends[0], ends[3]) > 1e-12:
        return math.inf
    total = divergences.integral(integrand, np.linspace(-edge, edge, 53))
    if max(ends[0], ends[3]) > 1e-10 * total:
        raise ValueError("a tail is too heavy for the integral to be told from an infinite one")
    return total ** (1 / order)


def line_critic(x: Any, y: Any) -> Callable[[ArrayLike], np.ndarray]:
    """An optimal critic f for E_x f - E_y f = W1 on the line: f' = sign(F_y - F_x), f = 0 at the first kink.

    x and y as in `w1`.  Returns a function of points (any shape).  Where the two distribution functions
    agree, any slope in [-1, 1] would do; this one is 0.  Beyond the quantiles of level 1e-14 it goes straight
    on.  (MATH D.5)
    """
    a, b = _on_the_line(x, "x"), _on_the_line(y, "y")
    marks = np.union1d(a.marks, b.marks)
    difference = _difference(a, b, float(np.median(marks)))
    smooth = hasattr(x, "support") or hasattr(y, "support")
    kinks = np.union1d(marks, _crossings(difference, marks)) if smooth and len(marks) > 1 else marks
    reach = max(1.0, kinks[-1] - kinks[0])
    middles = np.r_[kinks[0] - reach, (kinks[:-1] + kinks[1:]) / 2, kinks[-1] + reach]
    slopes = np.sign(difference(middles))  # (k + 1,)
    heights = np.r_[0, np.cumsum(slopes[1:-1] * np.diff(kinks))]

    def critic(t: ArrayLike) -> np.ndarray:
        t = np.asarray(t, dtype=float)
        low, high = np.minimum(t - kinks[0], 0), np.maximum(t - kinks[-1], 0)
        return np.interp(t, kinks, heights) + slopes[0] * low + slopes[-1] * high

    return critic


# ---- Gaussians --------------------------------------------------------------------------------------------


class Gaussians(NamedTuple):
    """W2 between two Gaussians, and the best map T(x) = m2 + matrix (x - m1)."""

    distance: float  # W2
    squared: float  # W2^2 = |m1 - m2|^2 + bures
    bures: float  # tr(S1 + S2 - 2 (S1^1/2 S2 S1^1/2)^1/2)
    matrix: np.ndarray | None  # (d, d); None if S1 is singular


def _covariance(S: ArrayLike, name: str, d: int) -> np.ndarray:
    S = _array(S, name, 2)
    if S.shape != (d, d):
        raise ValueError(f"{name} has shape {S.shape}; for means of length {d} it must be ({d}, {d})")
    if not np.allclose(S, S.T, rtol=1e-9, atol=1e-12 * np.abs(S).max()):
        raise ValueError(f"{name} is not symmetric")
    if (least := np.linalg.eigvalsh(S)[0]) < -1e-9 * np.abs(S).max():
        raise ValueError(f"{name} is no covariance: it has the negative eigenvalue {least:g}")
    return (S + S.T) / 2


def _power(S: np.ndarray, power: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(S)
    return vectors * np.maximum(values, 0) ** power @ vectors.T


def gaussian_w2(m1: ArrayLike, S1: ArrayLike, m2: ArrayLike, S2: ArrayLike) -> Gaussians:
    """W2 between N(m1, S1) and N(m2, S2): means (d,), covariances (d, d).

    The map's matrix is S1^-1/2 (S1^1/2 S2 S1^1/2)^1/2 S1^-1/2.  If S1 is singular no map need exist and it is
    None.  `squared` is also the Frechet inception distance of features with these moments.
    Source: Dowson and Landau (1982); Peyré and Cuturi (2019), remark 2.31 (MATH D.6).
    """
    m1, m2 = _array(m1, "m1", 1), _array(m2, "m2", 1)
    if len(m1) != len(m2):
        raise ValueError(f"m1 has {len(m1)} entries and m2 {len(m2)}")
    S1, S2 = _covariance(S1, "S1", len(m1)), _covariance(S2, "S2", len(m1))
    root = _power(S1, 0.5)
    cross = _power(root @ S2 @ root, 0.5)  # (d, d)
    bures = max(0.0, float(np.trace(S1 + S2 - 2 * cross)))
    squared = float((m1 - m2) @ (m1 - m2)) + bures
    values = np.linalg.eigvalsh(S1)
    regular = values[0] > 1e-12 * max(values[-1], 1e-300)
    matrix = _power(S1, -0.5) @ cross @ _power(S1, -0.5) if regular else None
    return Gaussians(math.sqrt(squared), squared, bures, matrix)


# ---- samples ----------------------------------------------------------------------------------------------


class Spread(NamedTuple):
    """The mean of repeated measurements, and its standard error."""

    mean: float
    error: float


def two_sample_w1(law: Any, n: int, repeats: int, seed: int = 0) -> Spread:
    """E W1 between two independent samples of size n of one law: what a perfect generator would be charged.

    law: a dimension d, for N(0, I_d), or a frozen law on the line.  On the line by sorting, else exactly by
    POT: n = 1000 takes about half a second a repeat.  With one repeat the error is nan.  (MATH D.9)
    """
    _counts(n=n, repeats=repeats)
    rng = np.random.default_rng(seed)
    law = stats.norm() if isinstance(law, int) and law == 1 else law
    if hasattr(law, "rvs"):
        found = [wasserstein(*law.rvs((2, n), random_state=rng), order=1) for _ in range(repeats)]
    else:
        _counts(law=law)
        found = [metrics.w1(*rng.normal(size=(2, n, law))) for _ in range(repeats)]
    error = np.std(found, ddof=1) / math.sqrt(repeats) if repeats > 1 else math.nan
    return Spread(float(np.mean(found)), float(error))


def two_sample_limit(law: Any) -> float:
    """lim sqrt(n) E W1 of two samples of size n on the line: 2/sqrt(pi) int sqrt(F (1 - F)).

    sqrt(pi)/4 for U[0, 1]; infinite where the integral diverges.
    Source: del Barrio, Gine and Matran (1999) for one sample against its law (MATH D.9).
    """
    side = _on_the_line(law, "law")
    root = lambda t: np.sqrt(side.cdf(t) * side.sf(t))  # noqa: E731
    middle, step = float(np.median(side.marks)), float(side.marks[-1] - side.marks[0])
    inner = sum(divergences.integral(root, _graded(side.marks, middle, sign)) for sign in (-1, 1))
    outer = _tail(root, side.marks[-1], step, inner) + _tail(root, side.marks[0], -step, inner)
    return 2 / math.sqrt(math.pi) * (inner + outer)


def _graded(marks: np.ndarray, middle: float, sign: int) -> np.ndarray:
    """The marks on one side of the middle, and points that halve the way to the last, where sqrt(F) bends."""
    end = marks[-1] if sign > 0 else marks[0]
    graded = end + (middle - end) * 0.5 ** np.arange(40)
    inside = marks[(marks - middle) * sign >= 0]
    return np.unique(np.r_[inside, graded, middle])


def sampling_floor(n: int, d: int, density: float) -> float:
    """A lower bound of W1 between a law on R^d with density at most `density` and any n points.

    n balls of radius r hold at most half of the mass if n density |B_r| = 1/2; the other half lies further
    than r from every point: W1 >= r/2.  It falls as n^(-1/d).  (MATH D.9)
    """
    _counts(n=n, d=d)
    if not 0 < density < math.inf:
        raise ValueError(f"density must be above 0 and finite, not {density!r}")
    log_ball = d / 2 * math.log(math.pi) - special.gammaln(d / 2 + 1)  # volume of the unit ball
    return float(np.exp(-(math.log(2 * n * density) + log_ball) / d) / 2)


def minibatch_minimiser(theta: float, n: int) -> float:
    """The t that minimises E |P_n - t|, P_n the share of ones among n draws of Bernoulli(theta).

    That is what following the gradients of W1 to minibatches leads to: a median of P_n, not theta (the lower
    one where an interval minimises).  Source: Bellemare et al. (2017), *The Cramer distance as a solution to
    biased Wasserstein gradients* (MATH D.9).
    """
    _counts(n=n)
    if not 0 <= theta <= 1:
        raise ValueError(f"theta must lie between 0 and 1, not {theta!r}")
    return float(stats.binom(n, theta).ppf(0.5)) / n


# ---- the lines of the WGAN paper --------------------------------------------------------------------------


class Lines(NamedTuple):
    """Divergences between the parallel lines (0, U) and (theta, U), and slopes in theta."""

    w1: float
    w2: float
    jsd: float
    tv: float
    kl: float
    dw1: float
    djsd: float


def lines(theta: float, sigma: float = 0.0) -> Lines:
    """The parallel lines, with noise N(0, sigma^2 I) on both: transport against KL, JSD and TV.

    With noise the divergences are those of p = N(0, sigma^2) and q = N(theta, sigma^2), by quadrature, and
    the slope of the JSD is 1/2 E_q (x - theta)/sigma^2 log(2 q/(p + q)).  At theta = 0 the slope of W1 does
    not exist (nan), nor does that of the JSD without noise.
    Source: Arjovsky, Chintala and Bottou (2017), example 1; the slides (MATH C.5, C.6, D.10).
    """
    if not math.isfinite(theta) or not 0 <= sigma < math.inf:
        raise ValueError(f"theta must be finite and sigma at least 0 and finite, not {theta!r} and {sigma!r}")
    size, slope = abs(theta), float(np.sign(theta)) if theta else math.nan
    if not sigma or not theta:
        apart = bool(theta)
        flat = 0.0 if apart or sigma else math.nan
        return Lines(size, size, apart * math.log(2), float(apart), math.inf if apart else 0.0, slope, flat)
    p, q = stats.norm(0, sigma), stats.norm(theta, sigma)

    def felt(x):  # the derivative of q in theta, times log(2 q / (p + q)) / 2
        return -(x - theta) / sigma**2 * (np.logaddexp(0, p.logpdf(x) - q.logpdf(x)) - math.log(2)) / 2

    return Lines(size, size, divergences.jsd(p, q), divergences.tv(p, q), divergences.kl(p, q), slope,
                 divergences.expectation(felt, q, p))  # fmt: skip

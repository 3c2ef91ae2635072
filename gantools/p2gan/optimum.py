"""P2GAN in numbers: a pull towards the data, pushes away from other sources, and the law that is best.

Laws are probability vectors on the same n points: p the data, q the generator's law, and the sources that
push q away, a vector (n,) or several, (m, n).  The objective is

    J(q) = sum_i alpha_i D_push(source_i || q) - D_pull(p || q),

to be maximised; `alpha` is a number (the push of every source) or one for each, `pull` a name of
`divergences.F_DIVERGENCES`, `push` such a name or one for each source.  "js" is the f-GAN's, twice the
Jensen-Shannon divergence: with "jsd" for both the objective halves and its optimum stays.  Values in nats.
J is a sum over points of functions of one mass each: that is what everything here rests on.
Source: Le et al. (2019), *Learning generative adversarial networks from multiple data sources* (MATH F).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy import optimize, special

from gantools import divergences
from gantools.divergences import FDivergence, f_divergence

__all__ = [
    "Critics", "D2GAN", "Optimum", "Pair",
    "concavity_bound", "critics", "d2gan", "d2gan_value", "dropped_share", "face_slope", "game_value",
    "leaving_alpha", "objective", "optimum", "segment_threshold", "small_alpha", "two_generators", "unmix",
    "unmixing_limit",
]  # fmt: skip

POINTS = 64  # charged points up to which an objective that is not concave is searched
TINY = 1e-150  # the smallest mass that is told from 0

# ---- the forces -------------------------------------------------------------------------------------------


class Force(NamedTuple):
    """weight * D(masses || q): a push if the weight is above 0, a pull if it is below."""

    weight: float
    row: FDivergence
    masses: np.ndarray  # (n, 1)


def _law(vector: ArrayLike, name: str) -> np.ndarray:
    """A checked probability vector, (n,)."""
    if hasattr(vector, "support"):
        raise ValueError(f"{name} must be a vector of probabilities on finitely many points")
    try:
        return divergences.pair(vector, vector)[0]
    except ValueError as wrong:
        raise ValueError(f"{name}{str(wrong).removeprefix('p')}") from None


def _sources(sources: ArrayLike, n: int) -> list[np.ndarray]:
    """The sources one by one, each as long as p."""
    several = len(sources) == 0 or np.ndim(sources[0]) > 0
    laws = [_law(r, f"source {i}") for i, r in enumerate(sources)] if several else [_law(sources, "sources")]
    for i, law in enumerate(laws):
        if len(law) != n:
            raise ValueError(f"source {i} has {len(law)} entries and p has {n}: give them on the same points")
    return laws


def _weights(alpha: ArrayLike, m: int) -> np.ndarray:
    """alpha_i >= 0, (m,)."""
    alpha = np.asarray(alpha, dtype=float)
    if alpha.ndim > 1 or alpha.ndim == 1 and len(alpha) != m:
        raise ValueError(f"alpha must be a number or one for each of {m} sources; its shape is {alpha.shape}")
    if not np.isfinite(alpha).all() or (alpha < 0).any():
        raise ValueError(f"alpha must be at least 0 and finite, not {alpha}: a push below 0 would be a pull")
    return np.broadcast_to(alpha, (m,))


def _rows(push: str | Sequence[str], m: int) -> list[FDivergence]:
    names = [push] * m if isinstance(push, str) else list(push)
    if len(names) != m:
        raise ValueError(f"push must be a name or one for each of {m} sources, not {len(names)}")
    return [f_divergence(name) for name in names]


def _forces(p: ArrayLike, sources: ArrayLike, alpha: ArrayLike, pull: str, push: str | Sequence[str]) -> list:
    """The forces that act, the pull of the data first."""
    p = _law(p, "p")
    laws = _sources(sources, len(p))
    alphas, rows = _weights(alpha, len(laws)), _rows(push, len(laws))
    pushes = [Force(float(a), row, r[:, None]) for a, row, r in zip(alphas, rows, laws) if a > 0]
    return [Force(-1.0, f_divergence(pull), p[:, None]), *pushes]


# ---- one point: q f(a/q) as a function of q, its slope and its curvature ----------------------------------

# The score v whose critic g(v) = f'(u) is optimal; of the rows that are not listed it is log u.
_SCORES = {
    "kl": lambda u: 1 + np.log(u),
    "pearson": lambda u: 2 * (u - 1),
    "hellinger": lambda u: np.log(u) / 2,
    "tv": lambda u: np.where(u == 1, 0.0, np.where(u > 1, math.inf, -math.inf)),
}


def _score(row: FDivergence, u: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return _SCORES.get(row.name, np.log)(u)


def _ratio(masses: np.ndarray, t: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return masses / t


def _price(row: FDivergence, a: np.ndarray, t: np.ndarray) -> np.ndarray:
    """t f(a/t), (n, k), for masses a, (n, 1), by the bound that is tight there: a T* - t f*(T*).

    At t = 0 it is a f'(inf), except that of an infinite one (KL, Pearson) only the part is kept that does not
    depend on t; `_lead` knows the rest.
    """
    at_zero = {"kl": special.xlogy(a, a), "pearson": -2 * a}
    with np.errstate(all="ignore"):
        v = _score(row, a / t)
        tight = a * row.activation(v) - t * row.fake_term(v)
        if row.name == "pearson":  # the two terms overflow long before their difference
            tight = (a - t) * ((a - t) / t)
        empty = np.where(t > 0, t * row.at_zero, 0.0)
        on_zero = at_zero[row.name] if row.name in at_zero else a * row.at_infinity
    return np.where(a == 0, empty, np.where(t == 0, on_zero, tight))


def _lead(forces: list[Force]) -> np.ndarray:
    """The sign, (n,), with which J becomes infinite as q leaves a point: 0 where it does not."""
    total, size = np.zeros((2, len(forces[0].masses))), np.zeros((2, len(forces[0].masses)))
    for weight, row, a in forces:
        if row.name in ("pearson", "kl"):  # growing as a^2/t and as -a log t
            k, rate = (0, a[:, 0] ** 2) if row.name == "pearson" else (1, a[:, 0])
            total[k] += weight * rate
            size[k] += abs(weight) * rate
    fast, slow = np.sign(np.where(np.abs(total) <= 1e-12 * size, 0.0, total))
    return np.where(fast != 0, fast, slow)


def _gain(forces: list[Force], t: np.ndarray) -> np.ndarray:
    """J_x(t), (n, k), for masses t, (n, k) or (1, k); at t = 0 its limit, -inf where a pull is infinite."""
    total = np.zeros(np.broadcast_shapes(forces[0].masses.shape, t.shape))
    ruled_out = np.zeros(total.shape, bool)
    for weight, row, a in forces:
        price = _price(row, a, t)
        ruled_out |= (weight < 0) & np.isinf(price)
        total += np.where(ruled_out, 0.0, weight * price)
    lead = _lead(forces)[:, None] + np.zeros(total.shape)
    total = np.where(ruled_out, -math.inf, total)
    return np.where((t == 0) & (lead != 0), np.copysign(math.inf, lead), total)


def _slope(forces: list[Force], t: np.ndarray) -> np.ndarray:
    """J_x'(t), (n, k), for t > 0: the slope of t f(a/t) is -f*(T*), what the optimal critic says there."""
    total, size = 0.0, 0.0
    for row in {force.row.name: force.row for force in forces}.values():
        alike = [force for force in forces if force.row is row]  # in one go: this is the search's inner loop
        weights = np.array([force.weight for force in alike])[:, None, None]
        masses = np.stack([force.masses for force in alike])  # (forces, n, 1)
        terms = -weights * row.fake_term(_score(row, _ratio(masses, t)))
        total, size = total + terms.sum(0), size + np.abs(terms).sum(0)
    return np.where(np.abs(total) <= 1e-14 * size, 0.0, total)


def _curvature(row: FDivergence, a: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The second derivative of t f(a/t), (n, k): u^2 f''(u) / t with u = a/t; 0 for total variation."""
    u = torch.tensor(np.maximum(_ratio(a, t), 1e-300), requires_grad=True)
    bend = torch.autograd.grad(row.derivative(u).sum(), u)[0].numpy()
    with np.errstate(all="ignore"):
        return np.where(a == 0, 0.0, u.detach().numpy() ** 2 * bend / t)


def _bends(forces: list[Force], t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Curvature of all pushes and of all pulls, (n, k) each, both counted positive."""
    sides = [np.zeros(np.broadcast_shapes(forces[0].masses.shape, t.shape)) for _ in range(2)]
    for weight, row, a in forces:
        sides[weight < 0] += abs(weight) * _curvature(row, a, t)
    return sides[0], sides[1]


# ---- is the problem bounded, is it concave? ---------------------------------------------------------------


def _open(forces: list[Force]) -> np.ndarray:
    """The points, (n,), that q may charge at all: elsewhere a reverse-KL pull is infinite."""
    shut = [a[:, 0] == 0 for weight, row, a in forces if weight < 0 and row.name == "reverse_kl"]
    return ~np.any([np.zeros(len(forces[0].masses), bool), *shut], axis=0)


def _check_bounded(forces: list[Force]) -> None:
    """ValueError, saying why, if J takes arbitrarily large values (MATH F.5)."""
    charged = _open(forces)
    for weight, row, a in forces:
        off = charged & (a[:, 0] == 0)
        if weight > 0 and row.name == "reverse_kl" and off.any():
            where = f"q may charge point {int(off.argmax())}, where a source has no mass"
            raise ValueError(f"unbounded: {where}, and a reverse-KL push is infinite as soon as it does")
    grows = (_lead(forces) > 0) & ~(charged & (charged.sum() == 1))
    if grows.any():
        names = {row.name for weight, row, _ in forces if weight > 0 and row.at_infinity == math.inf}
        point, names = int(grows.argmax()), " and ".join(sorted(names))
        where = f"as q leaves point {point}, where a source has mass, the push ({names}) grows"
        raise ValueError(f"unbounded: {where} beyond all bounds and outweighs the pull; "
                         f"take a bounded push (js, hellinger, tv) or a smaller alpha")  # fmt: skip


def _kinks(forces: list[Force]) -> np.ndarray:
    """Whether the kinks of total variation at q = a, (n,), bend upwards nowhere in (0, 1)."""
    fine = np.ones(len(forces[0].masses), bool)
    corners = [(weight, a[:, 0]) for weight, row, a in forces if row.name == "tv"]
    for _, place in corners:
        net = sum(weight * (a == place) for weight, a in corners)  # of all corners at the same place
        fine &= (net <= 0) | (place <= 0) | (place >= 1)
    return fine


def _concave(forces: list[Force]) -> tuple[np.ndarray, np.ndarray]:
    """Whether each J_x is concave on [0, 1], and strictly so, (n,) each; from 2,400 points t a piece."""
    t = np.geomspace(TINY, 1, 2400)[None]  # any small Hellinger push bends a JS pull up, near enough to 0
    up, down = _bends(forces, t)
    concave = (up <= down * (1 + 1e-12)).all(1) & _kinks(forces)
    return concave, concave & (up < down * (1 - 1e-9)).any(1)


# ---- the optimum ------------------------------------------------------------------------------------------


class Optimum(NamedTuple):
    """The best law, and what is proven about it.

    No law is worth more than `bound`: value and bound that agree prove q optimal, be J concave or not.
    `concave`: every term of J is concave in its mass, hence J on the whole simplex.  `unique`: there is no
    second best law, since at most one term is not strictly concave.  Both are False where this sufficient
    condition fails, though J may still be concave (`segment_threshold`) or its maximum unique.
    """

    q: np.ndarray  # (n,)
    value: float
    bound: float
    concave: bool
    unique: bool

    @property
    def proven(self) -> bool:
        """Whether no law is better by more than 1e-6."""
        return self.bound - self.value <= 1e-6


def objective(
    q: ArrayLike, p: ArrayLike, sources: ArrayLike, alpha: ArrayLike, pull: str = "js",
    push: str | Sequence[str] = "js",
) -> float:  # fmt: skip
    """J(q) = sum_i alpha_i D_push(source_i || q) - D_pull(p || q), equation (1) of the paper.

    Where pull and push are both infinite because q leaves a point, it is the limit from inside; a q that
    charges what makes the pull infinite is worth -inf.  ValueError for bad laws, lengths or alpha.
    """
    forces, q = _forces(p, sources, alpha, pull, push), _law(q, "q")
    if len(q) != len(forces[0].masses):
        raise ValueError(f"q has {len(q)} entries and p has {len(forces[0].masses)}")
    return _total(forces, q)


def _total(forces: list[Force], q: np.ndarray) -> float:
    gains = _gain(forces, q[:, None])
    return -math.inf if (gains == -math.inf).any() else float(gains.sum())


def optimum(
    p: ArrayLike, sources: ArrayLike, alpha: ArrayLike, pull: str = "js", push: str | Sequence[str] = "js"
) -> Optimum:
    """The law q that maximises `objective`, over all laws on the n points.

    Where J is concave, by its dual: one price for mass, at which every point asks for its best mass.  Else by
    dynamic programming over masses in thousandths, then in ever finer windows; this takes at most 64 points
    and finds the global maximum up to narrow peaks: `Optimum.bound` tells.
    ValueError if J is unbounded (why is said), for negative alpha, for wrong lengths or names.
    (MATH F.5 to F.7)
    """
    return _best(_forces(p, sources, alpha, pull, push))


def _best(forces: list[Force]) -> Optimum:
    _check_bounded(forces)
    charged, (concave, strict) = _open(forces), _concave(forces)
    q, few = np.zeros(len(charged)), [f._replace(masses=f.masses[charged]) for f in forces]
    calm, loose = bool(concave[charged].all()), int((~strict[charged]).sum())
    q[charged] = _argmax(few, calm)
    value = _total(forces, q)
    elsewhere = _gain(forces, np.zeros((1, 1)))[~charged].sum()  # of the points that q must not charge
    bound = _upper(few, q[charged]) + elsewhere if charged.sum() > 1 else value
    return Optimum(q, value, max(float(bound), value), calm, calm and loose <= 1)


def _argmax(forces: list[Force], concave: bool) -> np.ndarray:
    if len(forces[0].masses) == 1:
        return np.ones(1)
    return _by_dual(forces) if concave else _by_search(forces)


def _falling(
    forces: list[Force], price: np.ndarray, low: ArrayLike = TINY, high: ArrayLike = 1.0
) -> np.ndarray:
    """Where the falling J_x' crosses each price, (n, k), by bisection of log t in [low, high].

    0 if it is below the price everywhere, `high` if it is above it.
    """
    shape = np.broadcast_shapes(forces[0].masses.shape, price.shape)
    low, high = (np.log(np.maximum(end, TINY)) + np.zeros(shape) for end in (low, high))
    top, never = high, (low == math.log(TINY)) & (_slope(forces, np.exp(low)) < price)
    always = _slope(forces, np.exp(high)) >= price
    while (high - low).max() > 2e-15 * max(1.0, np.abs(high).max()):
        middle = (low + high) / 2
        above = _slope(forces, np.exp(middle)) >= price
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(always, np.exp(top), np.where(never, 0.0, np.exp(low)))


def _by_dual(forces: list[Force]) -> np.ndarray:
    """The maximum of a concave J: the price of mass at which the masses asked for add up to one."""
    n = len(forces[0].masses)
    low, high = _slope(forces, np.ones((1, 1))).min(), _slope(forces, np.full((1, 1), 1 / n)).max()
    much, little = np.ones(n), np.zeros(n)
    bits = 9 if n <= 16 else 5  # few points: many prices at once
    for _ in range(45 // bits):  # 2^45 parts of the first interval
        price = np.linspace(low, high, 2**bits + 1)
        masses = _falling(forces, price[None], little[:, None], much[:, None])  # (n, prices)
        k = int(np.clip((masses.sum(0) >= 1).sum(), 1, 2**bits))  # the first price that is too high
        low, high, much, little = price[k - 1], price[k], masses[:, k - 1], masses[:, k]
    # Both are best at (nearly) this price, and so is what lies between them, where J is concave.
    gap = much.sum() - little.sum()
    share = np.clip((1 - little.sum()) / gap, 0, 1) if gap > 0 else 1.0
    q = share * much + (1 - share) * little
    return q / q.sum()


def _by_search(forces: list[Force], steps: int = 1000) -> np.ndarray:
    """A maximum of any J: whole numbers of thousandths by dynamic programming, then ever finer windows."""
    n = len(forces[0].masses)
    if n > POINTS:
        raise ValueError(f"J is not concave here: it is searched over at most {POINTS} points, not {n}")
    masses = _knapsack(_gain(forces, np.arange(steps + 1)[None] / steps), steps)
    for _ in range(9):  # down to steps of 5e-10
        steps *= 5
        masses = masses * 5
        for _ in range(40):
            offsets = np.arange(-10, 11) + np.zeros((n, 1), int)  # (n, 21)
            around = masses[:, None] + offsets
            gains = np.where(around >= 0, _gain(forces, np.maximum(around, 0) / steps), -math.inf)
            moved = _knapsack(gains, 10 * n) - 10
            masses = masses + moved
            if np.abs(moved).max() < 10:  # no longer on its way
                break
    return _thin(forces, masses / steps)


def _knapsack(gains: np.ndarray, total: int) -> np.ndarray:
    """The choice k_x, (n,), of one entry a row that maximises sum gains[x, k_x] with sum k_x = total."""
    n, width = gains.shape
    best, choices = np.full(total + 1, -math.inf), []
    best[0] = 0.0
    back = np.arange(total + 1)[:, None] - np.arange(width)  # (total + 1, width): what the others share
    for row in gains:
        sums = np.where(back >= 0, best[np.maximum(back, 0)], -math.inf) + row
        choices.append(sums.argmax(1))
        best = sums.max(1)
    chosen, left = np.zeros(n, int), total
    for x in range(n - 1, -1, -1):
        chosen[x] = choices[x][left]
        left -= chosen[x]
    return chosen


def _thin(forces: list[Force], q: np.ndarray) -> np.ndarray:
    """Masses below the search's sight: where J_x' rises without bound towards 0, q stays above 0."""
    price = _slope(forces, np.maximum(q, TINY)[:, None])[q.argmax()]
    masses = _falling(forces, price[None], high=1e-6)[:, 0]
    fresh = np.where((q < 1e-6) & (masses > 0) & (masses < 1e-6), masses, q)
    fresh[q.argmax()] += 1 - fresh.sum()
    return fresh if _total(forces, fresh) >= _total(forces, q) - 1e-13 else q


def _upper(forces: list[Force], q: np.ndarray) -> float:
    """A number that J exceeds nowhere on the simplex: min over prices l of l + sum_x max_t (J_x(t) - l t).

    On every cell of a fine grid of t, J_x lies below a line: its tangent where it is concave, else the chord
    of the pushes less the tangent of the pulls.
    """
    near = np.geomspace(1e-10, 1, 400)
    t = q[:, None] + np.concatenate([-near, near])
    t = np.concatenate([np.geomspace(1e-14, 1, 700) + np.zeros((len(q), 1)), t], 1)
    t = np.concatenate([np.zeros((len(q), 1)), np.sort(np.clip(t, 1e-14, 1), axis=1)], 1)  # (n, k)
    left, right = t[:, :-1], t[:, 1:]
    middle = np.concatenate([right[:, :1], (left + right)[:, 1:] / 2], 1)  # J_x may be infinite at 0
    pushes, pulls = ([f for f in forces if (f.weight < 0) == side] for side in (False, True))
    up, down = _bends(forces, np.maximum(t, TINY))
    bent = (up <= down * (1 + 1e-12)) & _kinks(forces)[:, None]
    bent[:, 0] = bent[:, 1]  # nothing is said at t = 0
    concave = bent[:, :-1] & bent[:, 1:]
    heights, slopes = _gain(forces, middle), _slope(forces, middle)
    if pushes:
        calm, fall = _gain(pulls, middle), _slope(pulls, middle)
    ends, tops = [], []
    for end in (left, right):
        line = heights + slopes * (end - middle)
        if pushes:
            line = np.where(concave, line, _gain(pushes, end) + calm + fall * (end - middle))
        ends.append(end)
        tops.append(line)
    ends, tops = np.concatenate(ends, 1), np.concatenate(tops, 1)  # (n, 2 k)

    def at(price: float) -> float:
        return float(price + (tops - price * ends).max(1).sum())

    prices = np.unique(_slope(forces, np.maximum(q, 1e-14)[:, None])[q > 0])
    around = prices[np.isfinite(prices)]
    low, high = around.min() - 10, around.max() + 10
    searched = optimize.minimize_scalar(at, bounds=(low, high), method="bounded", options={"xatol": 1e-9})
    return min([searched.fun, *map(at, around)])


# ---- closed forms, thresholds, expansions -----------------------------------------------------------------


def unmixing_limit(p: ArrayLike, source: ArrayLike) -> float:
    """The largest share of the source that p can contain: min p/source over its points, in [0, 1]."""
    p = _law(p, "p")
    (r,) = _sources([source], len(p))
    return float((p[r > 0] / r[r > 0]).min())


def unmix(p: ArrayLike, sources: ArrayLike, alpha: ArrayLike) -> np.ndarray:
    """The optimum for KL pull and KL push: q* = (p - sum alpha_i source_i) / (1 - sum alpha_i), (n,).

    If p = (1 - a) good + a source, alpha = a recovers `good` exactly.  ValueError where p - sum is negative
    (then J is unbounded) and where nothing is left.  (MATH F.6)
    """
    p = _law(p, "p")
    laws = _sources(sources, len(p))
    taken = sum((a * r for a, r in zip(_weights(alpha, len(laws)), laws)), np.zeros(len(p)))
    left = np.where(np.abs(p - taken) <= 1e-12 * p, 0.0, p - taken)
    if (left < 0).any():
        x = int(left.argmin())
        raise ValueError(f"unbounded: alpha takes {taken[x]:g} from point {x}, where p has {p[x]:g}")
    if not left.any():
        raise ValueError("alpha takes all of p: J is constant, and every law is as good as any other")
    return left / left.sum()


def concavity_bound(p: ArrayLike, source: ArrayLike, pull: str = "js", push: str = "js") -> float:
    """The largest alpha up to which every term of J is concave in its mass: enough for J to be concave.

    The least ratio of the pull's to the push's curvature over all points and masses in (0, 1]; for js and js
    min(1, p (1 + r) / (r (1 + p))).  Not necessary on the simplex (`segment_threshold`).  ValueError for
    total variation, which has kinks in place of curvature.  (MATH F.7 iv)
    """
    if "tv" in (pull, push):
        raise ValueError("total variation has no curvature, only kinks: there is no such bound")
    pulls, pushes = _forces(p, [source], 1.0, pull, push)

    def ratio(log_t: np.ndarray) -> np.ndarray:
        t = np.exp(log_t)
        up, down = _bends([pulls, pushes], t)
        with np.errstate(all="ignore"):
            return np.where(up > 0, down / up, math.inf).min(0)

    grid = np.linspace(math.log(1e-100), 0, 3000)
    return _least(lambda s: ratio(np.atleast_2d(s)), grid)


def _least(function, grid: np.ndarray) -> float:
    """The minimum over an interval of a smooth function of arrays: on a grid, then between neighbours."""
    values = function(grid)
    k = int(values.argmin())
    if not np.isfinite(values[k]) or k in (0, len(grid) - 1):
        return float(values[k])
    found = optimize.minimize_scalar(
        lambda s: float(function(np.array([s]))[0]), bounds=(grid[k - 1], grid[k + 1]), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    return float(min(values[k], found.fun))


def segment_threshold(p: ArrayLike, source: ArrayLike, pull: str = "js", push: str = "js") -> float:
    """The alpha up to which J is concave on the laws on two points: the least ratio of the two curvatures.

    Exact where `concavity_bound` is only sufficient: what one point bends up the other may bend down.
    ValueError for more points, and for total variation.  (MATH F.7)
    """
    if "tv" in (pull, push):
        raise ValueError("total variation has no curvature, only kinks: there is no such threshold")
    forces = _forces(p, [source], 1.0, pull, push)
    if len(forces[0].masses) != 2:
        raise ValueError(f"two points make a segment; p has {len(forces[0].masses)}")

    def ratio(logit: np.ndarray) -> np.ndarray:
        up, down = _bends(forces, special.expit(np.stack([logit, -logit])))
        return down.sum(0) / up.sum(0)

    return _least(ratio, np.linspace(-25, 25, 4001))


def small_alpha(
    p: ArrayLike, sources: ArrayLike, alpha: ArrayLike, pull: str = "js", push: str | Sequence[str] = "js"
) -> np.ndarray:
    """The optimum to first order in alpha: p (1 + (g - E_p g) / f''(1)), (n,); f the pull's.

    g is the slope of the pushes at q = p; for js and js this is p [1 + 2 sum_i alpha_i (l_i - E_p l_i)] with
    l_i = log(2 p / (p + source_i)).  Entries may be negative where alpha is not small.  ValueError for
    unbounded problems, and for a pull of total variation, which has a kink at q = p.  (MATH F.7 v)
    """
    if pull == "tv":
        raise ValueError("total variation has a kink where q = p: its optimum has no expansion there")
    forces = _forces(p, sources, alpha, pull, push)
    _check_bounded(forces)
    p = forces[0].masses[:, 0]
    if len(forces) == 1:
        return p.copy()
    at = np.where(p > 0, p, 1.0)[:, None]
    g = _slope(forces[1:], at)[:, 0]
    stiffness = float(_curvature(forces[0].row, np.ones((1, 1)), np.ones((1, 1)))[0, 0])
    return p * (1 + (g - p @ g) / stiffness)


def face_slope(
    q: ArrayLike, point: int, p: ArrayLike, sources: ArrayLike, alpha: ArrayLike, pull: str = "js",
    push: str | Sequence[str] = "js",
) -> float:  # fmt: skip
    """d/dt J((1 - t) q + t e_point) at t = 0+, for a q without mass there: what a first bit of mass is worth.

    For js and js +inf where alpha < 1 and p has mass (no point is given up), -inf beyond 1 (where p and the
    source have mass, the face attracts).  ValueError if q charges the point.  (MATH F.7 ii, iii)
    """
    forces, q = _forces(p, sources, alpha, pull, push), _law(q, "q")
    if len(q) != len(forces[0].masses):
        raise ValueError(f"q has {len(q)} entries and p has {len(forces[0].masses)}")
    if isinstance(point, bool) or point not in range(len(q)) or q[point] > 0:
        raise ValueError(f"point must be the index of a point without mass under q, not {point!r}")
    near, nearer = _slope(forces, np.array([[1e-120, 1e-130]]))[point]
    if abs(nearer - near) > 1e-9 * max(1.0, abs(near)):
        return math.copysign(math.inf, nearer - near)
    inside = _slope(forces, np.maximum(q, TINY)[:, None])[:, 0]
    return float(nearer - q[q > 0] @ inside[q > 0])


def leaving_alpha(p: ArrayLike, source: ArrayLike) -> float:
    """The alpha from which a point that neither p nor the source charges is the best law, for js and js.

    It is the largest ratio (log 2 - JSD(p, q)) / (log 2 - JSD(source, q)) over laws q, found by Dinkelbach's
    iteration on `optimum`; inf if p charges a point that the source does not.  At least 1.  (MATH F.7)
    """
    p = _law(p, "p")
    (r,) = _sources([source], len(p))
    if (r[p > 0] == 0).any():
        return math.inf
    p, r, alpha = np.append(p, 0.0), np.append(r, 0.0), 1.0
    for _ in range(50):
        q = optimum(p, r, alpha).q
        kept = [math.log(2) - divergences.jsd(law, q) for law in (p, r)]
        if kept[0] - alpha * kept[1] <= 1e-13:  # no law beats the empty point any more
            return alpha
        alpha = kept[0] / kept[1]
    raise RuntimeError("the iteration for the leaving alpha did not settle")


def dropped_share(modes: int, alpha: float, pull: str = "js", push: str = "js") -> float:
    """The best second generator's share of the one mode that a collapsed first generator sits on.

    The data are `modes` even modes; without a push the share is 1/modes.  (MATH F.8, M23)
    """
    if isinstance(modes, bool) or not isinstance(modes, int | np.integer) or modes < 2:
        raise ValueError(f"modes must be a whole number of at least 2, not {modes!r}")
    return float(optimum(np.full(modes, 1 / modes), np.eye(modes)[0], alpha, pull, push).q[0])


# ---- two generators ---------------------------------------------------------------------------------------


class Pair(NamedTuple):
    """Two generators, each the best answer to the other, and how many turns it took."""

    first: np.ndarray  # (n,)
    second: np.ndarray  # (n,)
    turns: int


def two_generators(
    p: ArrayLike, aux: ArrayLike, gamma: float = 0.1, beta: float = 0.01, pull: str = "js", push: str = "js",
    start: ArrayLike | None = None,
) -> Pair:  # fmt: skip
    """Generation with constraints: the generators answer each other in turn until neither moves.

    The first maximises  -D(p||q1) + beta [D(aux||q1) + D(q2||q1)],
    the second           -D(p||q2) - gamma D(aux||q2) + beta D(q1||q2);  q2 begins as `start`, else as p.
    The paper describes this in words (section 3.2: gamma 0.1, beta 0.01); the formulas are a reading of them.
    ValueError for bad laws or weights, and where an answer is unbounded; RuntimeError if 400 turns are not
    enough.  (MATH F.9)
    """
    p = _law(p, "p")
    (a,) = _sources([aux], len(p))
    (second,) = _sources([p if start is None else start], len(p))
    gamma, beta = (float(_weights(weight, 1)[0]) for weight in (gamma, beta))
    pulls, pushes = f_divergence(pull), f_divergence(push)

    def answer(*terms: tuple[float, FDivergence, np.ndarray]) -> np.ndarray:
        forces = [Force(w, row, law[:, None]) for w, row, law in terms if w]
        return _best(forces).q

    first = p
    for turn in range(1, 401):
        before = first, second
        first = answer((-1.0, pulls, p), (beta, pushes, a), (beta, pushes, second))
        second = answer((-1.0, pulls, p), (-gamma, pulls, a), (beta, pushes, first))
        if max(np.abs(first - before[0]).max(), np.abs(second - before[1]).max()) < 1e-9:
            return Pair(first, second, turn)
    raise RuntimeError("the generators did not settle in 400 turns")


# ---- the discriminators -----------------------------------------------------------------------------------


class Critics(NamedTuple):
    """Scores: of the primary discriminator, and of the auxiliary ones."""

    primary: np.ndarray  # (n,)
    auxiliary: np.ndarray  # (m, n)


def critics(
    q: ArrayLike, p: ArrayLike, sources: ArrayLike, pull: str = "js", push: str | Sequence[str] = "js"
) -> Critics:
    """Theorem 1: S* = g^-1(phi'(p/q)), and for each source g_i^-1(f_i'(source_i/q)); scores in [-inf, inf].

    g is the row's activation.  For js, jsd and gan the score is log p/q.  Where neither law has mass the
    score is the row's `even`.  ValueError for total variation: its f is not differentiable.  (MATH F.2)
    """
    p, q = _law(p, "p"), _law(q, "q")
    laws = _sources(sources, len(p))
    rows = [f_divergence(pull), *_rows(push, len(laws))]
    if len(q) != len(p):
        raise ValueError(f"q has {len(q)} entries and p has {len(p)}")
    if any(row.name == "tv" for row in rows):
        raise ValueError("total variation has a kink: Theorem 1 needs differentiable divergences")
    with np.errstate(all="ignore"):
        scores = [_score(row, a / q) for row, a in zip(rows, [p, *laws])]
    scores = [np.where(np.maximum(a, q) > 0, s, row.even) for row, a, s in zip(rows, [p, *laws], scores)]
    return Critics(scores[0], np.array(scores[1:]).reshape(len(laws), len(p)))


def game_value(
    primary: ArrayLike, auxiliary: ArrayLike, q: ArrayLike, p: ArrayLike, sources: ArrayLike,
    alpha: ArrayLike, pull: str = "js", push: str | Sequence[str] = "js",
) -> float:  # fmt: skip
    """Equation (2): -E_p g(S) + E_q phi*(g(S)) + sum_i alpha_i {E_source_i g_i(S_i) - E_q f_i*(g_i(S_i))}.

    primary: scores S, (n,); auxiliary: scores S_i, (m, n).  Theorem 2: least over S and largest over the S_i
    it is `objective`; it is reached at `critics`.  Points without mass do not count.  (MATH F.1, F.3)
    """
    p, q = _law(p, "p"), _law(q, "q")
    laws = _sources(sources, len(p))
    alphas, rows = _weights(alpha, len(laws)), _rows(push, len(laws))
    primary, auxiliary = np.asarray(primary, float), np.asarray(auxiliary, float).reshape(-1, len(p))
    if len(q) != len(p) or primary.shape != p.shape or len(auxiliary) != len(laws):
        shapes = f"q {q.shape}, primary {primary.shape}, auxiliary {auxiliary.shape}"
        raise ValueError(f"for {len(p)} points and {len(laws)} sources the shapes do not fit: {shapes}")
    if np.isnan(primary).any() or np.isnan(auxiliary).any():
        raise ValueError("a score is not a number")

    def bound(row: FDivergence, law: np.ndarray, score: np.ndarray) -> float:
        real, fake = row.activation(score)[law > 0], row.fake_term(score)[q > 0]
        return float(law[law > 0] @ real - q[q > 0] @ fake)

    pushes = sum(a * bound(row, r, s) for a, row, r, s in zip(alphas, rows, laws, auxiliary) if a > 0)
    return pushes - bound(f_divergence(pull), p, primary)


# ---- D2GAN: two pulls -------------------------------------------------------------------------------------


class D2GAN(NamedTuple):
    """The optimal discriminators of D2GAN, (n,) each, and the value of its game there."""

    first: np.ndarray
    second: np.ndarray
    value: float


def d2gan(p: ArrayLike, q: ArrayLike, alpha: float, beta: float) -> D2GAN:
    """D1 = alpha p/q, D2 = beta q/p; alpha (log alpha - 1 + KL(p||q)) + beta (log beta - 1 + KL(q||p)).

    Two pulls: the f-GAN of alpha u log u - beta log u, and no push with alpha_i >= 0.  D is inf where only
    its own law has mass, 1 where neither has.  alpha, beta > 0.  Source: Nguyen et al. (2017) (MATH F.4).
    """
    p, q = divergences.pair(_law(p, "p"), _law(q, "q"))
    for name, weight in (("alpha", alpha), ("beta", beta)):
        if not 0 < weight < math.inf:
            raise ValueError(f"{name} must be above 0 and finite, not {weight!r}")
    with np.errstate(all="ignore"):
        first, second = (np.where(p + q > 0, ratio, 1.0) for ratio in (alpha * p / q, beta * q / p))
    value = alpha * divergences.kl(p, q) + beta * divergences.kl(q, p)
    return D2GAN(first, second, value + alpha * (math.log(alpha) - 1) + beta * (math.log(beta) - 1))


def d2gan_value(
    first: ArrayLike, second: ArrayLike, p: ArrayLike, q: ArrayLike, alpha: float, beta: float
) -> float:
    """alpha E_p log D1 - E_q D1 - E_p D2 + beta E_q log D2, for positive discriminators (n,) each."""
    p, q = divergences.pair(_law(p, "p"), _law(q, "q"))
    first, second = np.asarray(first, float), np.asarray(second, float)
    if first.shape != p.shape or second.shape != p.shape or not ((first > 0) & (second > 0)).all():
        raise ValueError(f"the discriminators must be {len(p)} positive numbers each")
    return float(alpha * p @ np.log(first) - q @ first - p @ second + beta * q @ np.log(second))

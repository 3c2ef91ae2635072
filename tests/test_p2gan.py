"""The numbers of the chapter on P2GAN, each against a method that does not know the formula."""

import itertools
import math
from functools import partial

import numpy as np
import pytest
from answers import judged
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from gantools import divergences, p2gan
from gantools.divergences import F_DIVERGENCES, f_divergence
from gantools.exercises import p2gan as ex

LOG2 = math.log(2)
HALVES, BLACK = [0.5, 0.5], [1.0, 0.0]  # data, half black and half blond hair, and a source of black hair
THREE, PUSHER = [0.5, 0.5, 0.0], [0.9, 0.1, 0.0]
SHARES = {  # MATH F.7: alpha, the best share of black hair
    0.001: 0.49945, 0.01: 0.49447, 0.05: 0.47160, 0.1: 0.44130, 0.2: 0.37481, 0.3: 0.30101, 0.5: 0.14458,
    2 / 3: 0.04155, 0.8: 0.00419, 0.9: 1.7e-5, 1.0: 0.0, 1.5: 0.0,
}  # fmt: skip


def js(a, q):
    """2 JSD of tables along the last axis, from the definition."""
    m = (a + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = special.xlogy(a, a / m) + special.xlogy(q, q / m)
    return np.nan_to_num(terms).sum(-1)


def by_values(q, p, sources, alphas, pull="js", push="js"):
    """The objective from the library's divergences of whole laws."""
    pushes = sum(a * f_divergence(push).value(r, q) for a, r in zip(alphas, sources))
    return pushes - f_divergence(pull).value(p, q)


def laws(n, seed, concentration=1.0):
    return np.random.default_rng(seed).dirichlet(np.full(n, concentration), size=3)


def multistart(p, sources, alphas, pull, push, starts, seed=0):
    """The best of local searches over softmax scores, from random starts and near every vertex; a search can
    come near a face only, so small masses are tried without, too."""
    rng = np.random.default_rng(seed)

    def minus(scores):
        return -by_values(special.softmax(np.clip(scores, -30, 30)), p, sources, alphas, pull, push)

    points = [*rng.normal(0, 2, (starts, len(p))), *(8 * np.eye(len(p))), np.log(np.asarray(p) + 1e-9)]
    found = [optimize.minimize(minus, at, method="BFGS") for at in points]
    ends = [special.softmax(np.clip(result.x, -30, 30)) for result in found]
    ends += [np.where(q > 1e-3, q, 0) / q[q > 1e-3].sum() for q in ends]
    values = [by_values(q, p, sources, alphas, pull, push) for q in ends]
    return ends[int(np.argmax(values))], max(values)


# ---- the objective ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pull, push", list(itertools.product(F_DIVERGENCES, F_DIVERGENCES)))
def test_the_objective_is_the_sum_of_its_divergences(pull, push):
    p, r, s = laws(5, seed=1)
    q = laws(5, seed=2)[0]
    expected = by_values(q, p, [r, s], [0.3, 1.2], pull, push)
    assert p2gan.objective(q, p, [r, s], [0.3, 1.2], pull, push) == pytest.approx(expected, abs=1e-11)


def test_every_source_may_push_in_its_own_way():
    p, r, s = laws(4, seed=3)
    q = laws(4, seed=4)[0]
    expected = 0.2 * divergences.kl(r, q) + 0.5 * divergences.tv(s, q) - divergences.hellinger(p, q)
    found = p2gan.objective(q, p, [r, s], [0.2, 0.5], "hellinger", ["kl", "tv"])
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["js", "jsd", "gan", "hellinger", "tv"])
def test_the_objective_where_laws_do_not_meet(name):
    q, p, r = [0.0, 0.4, 0.6, 0.0], [0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.3, 0.7]
    assert p2gan.objective(q, p, r, 0.7, name, name) == pytest.approx(by_values(q, p, [r], [0.7], name, name))


def test_infinities_of_the_objective():
    assert p2gan.objective([0, 1], HALVES, BLACK, 0.1, "js", "kl") == math.inf
    assert p2gan.objective([0, 1], HALVES, [0, 1], 0.1, "kl", "js") == -math.inf
    assert p2gan.objective([0, 1], HALVES, BLACK, 0.4, "kl", "kl") == -math.inf  # .5 log q beats .4 log q
    assert p2gan.objective(HALVES, [0, 1], BLACK, 0.4, "reverse_kl", "reverse_kl") == -math.inf
    near = p2gan.objective([1e-9, 1 - 1e-9], HALVES, BLACK, 0.5, "kl", "kl")
    assert p2gan.objective([0, 1], HALVES, BLACK, 0.5, "kl", "kl") == pytest.approx(near, abs=1e-8)
    assert near == pytest.approx(LOG2, abs=1e-8)  # the infinities cancel: the limit from inside


# ---- the optimum: F.6, F.7, M20 to M23 --------------------------------------------------------------------


@pytest.mark.parametrize("alpha, share", SHARES.items())
def test_two_points_against_one_dimensional_search(alpha, share):
    p, r = np.array(HALVES), np.array(BLACK)

    def minus(t):
        q = np.stack([t, 1 - t], -1)
        return (js(p, q) - alpha * js(r, q)) / 2

    grid = np.r_[0.0, np.geomspace(1e-9, 0.5, 20_001)]
    k = int(minus(grid).argmin())
    between = (grid[max(k - 1, 0)], grid[k + 1])
    search = optimize.minimize_scalar(minus, bounds=between, method="bounded", options={"xatol": 1e-13})
    found = p2gan.optimum(p, r, alpha, "jsd", "jsd")
    assert found.q[0] == pytest.approx(search.x if k else 0.0, abs=1e-6)
    assert found.q[0] == pytest.approx(share, abs=1e-5)
    assert found.value == pytest.approx(-min(search.fun, minus(0.0)), abs=1e-12)
    assert found.proven and found.concave == found.unique == (alpha < 0.7)
    assert p2gan.optimum(p, r, alpha).q == pytest.approx(found.q, abs=1e-9)  # only the ratio matters


@pytest.mark.parametrize("alpha, share", [(0.01, 0.494470), (0.05, 0.471604), (0.5, 0.144584)])
def test_m20(alpha, share):
    assert p2gan.optimum(HALVES, BLACK, alpha).q[0] == pytest.approx(share, abs=1e-6)


def test_below_one_nothing_is_removed_only_thinned():
    shares = [p2gan.optimum(HALVES, BLACK, alpha).q[0] for alpha in (0.9, 0.95, 0.97, 0.99)]
    assert shares == sorted(shares, reverse=True) and 0 < shares[-1] < 1e-40
    t = shares[1]  # stationary: -log 2t/(p + t) + alpha log 2t/(r + t) is the same on both points
    sides = [-math.log(2 * t / (0.5 + t)) + 0.95 * math.log(2 * t / (1 + t)),
             -math.log(2 * (1 - t) / (1.5 - t)) + 0.95 * LOG2]  # fmt: skip
    assert sides[0] == pytest.approx(sides[1], abs=1e-6)


@pytest.mark.parametrize("alpha, best", [
    (0.05, (0.478, 0.522, 0)), (0.5, (0.187, 0.813, 0)), (1, (0, 1, 0)), (2, (0, 1, 0)), (2.8, (0, 1, 0)),
    (2.9, (0, 0, 1)), (5, (0, 0, 1)),
])  # fmt: skip
def test_three_points_against_a_grid_of_the_whole_simplex(alpha, best):
    steps = 400
    i, j = (a.ravel() for a in np.meshgrid(range(steps + 1), range(steps + 1), indexing="ij"))
    keep = i + j <= steps
    grid = np.stack([i, j, steps - i - j], -1)[keep] / steps
    values = alpha * js(np.array(PUSHER), grid) - js(np.array(THREE), grid)
    found = p2gan.optimum(THREE, PUSHER, alpha)
    assert found.q == pytest.approx(best, abs=5e-4)
    assert found.q == pytest.approx(grid[values.argmax()], abs=3 / steps)
    assert values.max() - 1e-12 <= found.value <= values.max() + 1e-4
    assert found.proven


BOUNDED = [("js", "js"), ("jsd", "js"), ("kl", "js"), ("js", "hellinger"), ("hellinger", "hellinger"),
           ("kl", "reverse_kl"), ("pearson", "kl"), ("pearson", "jsd"), ("reverse_kl", "gan")]  # fmt: skip


@pytest.mark.parametrize("pull, push, alpha", [("js", "js", 0.1), *((*names, 0.8) for names in BOUNDED)])
def test_against_local_searches_from_many_starts(pull, push, alpha):
    p, r, s = laws(4, seed=5, concentration=2.0)
    found = p2gan.optimum(p, [r, s], [alpha, alpha / 2], pull, push)
    q, value = multistart(p, [r, s], [alpha, alpha / 2], pull, push, starts=3)
    assert found.value >= value - 1e-9 and found.bound >= found.value
    assert found.value == pytest.approx(value, abs=1e-6)
    assert found.q == pytest.approx(q, abs=2e-3)
    again = by_values(found.q, p, [r, s], [alpha, alpha / 2], pull, push)
    assert found.value == pytest.approx(again, abs=1e-9)


@settings(max_examples=12, deadline=None)
@given(st.integers(2, 6), st.integers(0, 10**6), st.floats(0, 3), st.sampled_from(BOUNDED))
def test_no_law_is_worth_more_than_the_bound(n, seed, alpha, names):
    p, r, s = laws(n, seed)
    alphas = [alpha, alpha / 3]
    try:
        found = p2gan.optimum(p, [r, s], alphas, *names)
    except ValueError:
        assume(False)
    assert found.q.min() >= 0 and found.q.sum() == pytest.approx(1, abs=1e-12)
    rng = np.random.default_rng(seed)
    tried = [*rng.dirichlet(np.ones(n), 15), *rng.dirichlet(np.full(n, 0.1), 15), p, r, s]
    near = [0.99 * found.q + 0.01 * law for law in tried]
    best = max(p2gan.objective(q, p, [r, s], alphas, *names) for q in [*tried, *near])
    assert best <= found.value + 1e-10 <= found.bound + 2e-10


@pytest.mark.parametrize("alpha", [0.1, 0.25, 0.4, 0.5])
def test_kl_and_kl_un_mix(alpha):
    closed = p2gan.unmix(HALVES, BLACK, alpha)
    assert closed == pytest.approx([(0.5 - alpha) / (1 - alpha), 0.5 / (1 - alpha)], abs=1e-12)
    found = p2gan.optimum(HALVES, BLACK, alpha, "kl", "kl")
    assert found.q == pytest.approx(closed, abs=1e-9) and found.concave and found.unique
    table = {0.1: 0.444444, 0.25: 1 / 3, 0.4: 0.166667, 0.5: 0.0}
    assert closed[0] == pytest.approx(table[alpha], abs=1e-6)


@settings(max_examples=8, deadline=None)
@given(st.integers(2, 7), st.integers(0, 10**6), st.floats(0.05, 0.9))
def test_un_mixing_recovers_the_good_part(n, seed, share):
    good, one, two = laws(n, seed)
    p = (1 - share) * good + share * (0.3 * one + 0.7 * two)
    alphas = [0.3 * share, 0.7 * share]
    assert p2gan.unmix(p, [one, two], alphas) == pytest.approx(good, abs=1e-9)
    found = p2gan.optimum(p, [one, two], alphas, "kl", "kl")
    assert found.q == pytest.approx(good, abs=1e-8) and found.proven
    assert p2gan.unmixing_limit((1 - share) * good + share * one, one) >= share - 1e-12


def test_the_un_mixing_limit_is_where_it_stops():
    p, r = [0.2, 0.5, 0.3], [0.5, 0.5, 0.0]
    assert p2gan.unmixing_limit(p, r) == pytest.approx(0.4)
    assert p2gan.unmix(p, r, 0.4) == pytest.approx([0, 0.5, 0.5])
    for call in (p2gan.unmix, lambda *a: p2gan.optimum(*a, "kl", "kl")):
        with pytest.raises(ValueError, match="unbounded.*point 0"):
            call(p, r, 0.41)
    with pytest.raises(ValueError, match="all of p"):
        p2gan.unmix(p, p, 1.0)


def test_reverse_kl_and_reverse_kl_un_mix_geometrically():
    p, r, _ = laws(5, seed=8)
    log_q = (np.log(p) - 0.4 * np.log(r)) / 0.6
    found = p2gan.optimum(p, r, 0.4, "reverse_kl", "reverse_kl")
    assert found.q == pytest.approx(special.softmax(log_q), abs=1e-9) and found.unique


def test_many_points_where_concave_few_where_not():
    p = np.full(300, 1 / 300)
    r = stats.binom(299, 0.5).pmf(np.arange(300))
    found = p2gan.optimum(p, r, 0.01)
    assert found.concave and found.proven and found.q[150] < 1 / 300 < found.q[0]
    with pytest.raises(ValueError, match="at most 64"):
        p2gan.optimum(p, r, 0.9)


def test_eight_modes_and_a_collapsed_generator():
    for alpha, share in ((0.05, 0.102132), (0.01, 0.120238), (0.0, 0.125)):
        assert p2gan.dropped_share(8, alpha) == pytest.approx(share, abs=1e-6)

    def minus(t):  # by symmetry the seven others share evenly
        q = np.r_[t, np.full(7, (1 - t) / 7)]
        return divergences.jsd(np.full(8, 0.125), q) - 0.05 * divergences.jsd(np.eye(8)[0], q)

    search = optimize.minimize_scalar(minus, bounds=(0.01, 0.2), method="bounded", options={"xatol": 1e-10})
    assert p2gan.dropped_share(8, 0.05) == pytest.approx(search.x, abs=1e-6)
    assert p2gan.dropped_share(8, 0.1, "kl", "kl") == pytest.approx((0.125 - 0.1) / 0.9, abs=1e-9)


# ---- unbounded problems: F.5 ------------------------------------------------------------------------------


@pytest.mark.parametrize("pull, push, leave", [("js", "kl", 0), ("js", "pearson", 0), ("kl", "pearson", 0),
                                               ("tv", "kl", 0), ("reverse_kl", "kl", 0)])  # fmt: skip
def test_a_push_that_outgrows_its_pull_is_refused_and_does_outgrow_it(pull, push, leave):
    with pytest.raises(ValueError, match=f"unbounded.*point {leave}.*{push}"):
        p2gan.optimum(HALVES, BLACK, 0.001, pull, push)
    shares = (1e-100, 1e-200, 1e-300)
    values = [p2gan.objective([t, 1 - t], HALVES, BLACK, 0.001, pull, push) for t in shares]
    assert values[0] < values[1] < values[2] and values[2] - values[1] > 0.2


def test_a_reverse_kl_push_is_infinite_off_its_source():
    with pytest.raises(ValueError, match="unbounded.*point 1.*reverse-KL"):
        p2gan.optimum(HALVES, BLACK, 0.001, "js", "reverse_kl")
    assert p2gan.objective([0.999, 0.001], HALVES, BLACK, 0.001, "js", "reverse_kl") == math.inf
    # where the pull keeps q away from the points that the source does not charge, nothing is wrong
    assert p2gan.optimum([1, 0], BLACK, 0.5, "reverse_kl", "reverse_kl").q == pytest.approx([1, 0])
    found = p2gan.optimum([0.5, 0.5, 0], [0.2, 0.8, 0], 0.3, "reverse_kl", "reverse_kl")
    assert found.q[2] == 0 and found.q[0] > 0.5 and found.proven


def test_a_kl_push_off_the_reach_of_a_reverse_kl_pull():
    with pytest.raises(ValueError, match="unbounded"):
        p2gan.optimum([0.5, 0.5, 0], [0.2, 0.3, 0.5], 0.1, "reverse_kl", "kl")
    # one pull may hold where another does not: p^2/t beats -log t
    assert p2gan.optimum([0.5, 0.5], BLACK, 3.0, "pearson", "kl").proven


# ---- how concave, how steep, how far ----------------------------------------------------------------------


def test_the_concavity_bound():
    assert p2gan.concavity_bound(HALVES, BLACK) == pytest.approx(2 / 3, abs=1e-12)
    for seed in range(5):
        p, r, _ = laws(4, seed)
        closed = min(1, (p * (1 + r) / (r * (1 + p))).min())
        assert p2gan.concavity_bound(p, r) == pytest.approx(closed, abs=1e-9)
        assert p2gan.concavity_bound(p, r, "kl", "kl") == pytest.approx((p / r).min(), rel=1e-12)
        assert p2gan.concavity_bound(p, r, "jsd", "js") == pytest.approx(closed / 2, abs=1e-9)
        roots = np.sqrt(p / r).min()
        assert p2gan.concavity_bound(p, r, "hellinger", "hellinger") == pytest.approx(roots, rel=1e-12)
        # the push's curvature r / (t (r + t)) against sqrt(p) t^(-3/2) / 2: least at t = r
        mixed = (np.sqrt(p) * 2 * r / (r * np.sqrt(r))).min() / 2
        assert p2gan.concavity_bound(p, r, "hellinger", "js") == pytest.approx(mixed, rel=1e-9)
    assert p2gan.concavity_bound([1, 0], HALVES) == 0
    assert p2gan.concavity_bound(HALVES, HALVES, "js", "hellinger") < 1e-40


def test_a_push_too_small_to_matter():
    found = p2gan.optimum(HALVES, BLACK, 1e-70, "js", "hellinger")
    assert found.q == pytest.approx(HALVES, abs=1e-7) and found.proven and not found.concave


@settings(max_examples=8, deadline=None)
@given(st.integers(2, 5), st.integers(0, 10**6), st.floats(0.05, 0.95))
def test_below_the_bound_every_chord_lies_below(n, seed, part):
    p, r, _ = laws(n, seed)
    alpha = part * p2gan.concavity_bound(p, r)
    found = p2gan.optimum(p, r, alpha)
    assert found.concave and found.unique and found.proven
    a, b, _ = laws(n, seed + 1)
    left, middle, right = (p2gan.objective(q, p, r, alpha) for q in (a, (a + b) / 2, b))
    assert middle >= (left + right) / 2 - 1e-13


def test_the_threshold_on_the_segment():
    threshold = p2gan.segment_threshold(HALVES, BLACK)
    assert threshold == pytest.approx(0.958429, abs=1e-6)
    assert p2gan.segment_threshold(HALVES, BLACK, "jsd", "jsd") == pytest.approx(threshold, abs=1e-12)
    t = np.linspace(0, 1, 4001)
    q = np.stack([t, 1 - t], -1)
    for alpha, concave in ((threshold - 1e-3, True), (threshold + 1e-3, False)):
        values = alpha * js(np.array(BLACK), q) - js(np.array(HALVES), q)
        assert (np.diff(values, 2).max() <= 1e-14) == concave
    with pytest.raises(ValueError, match="two points"):
        p2gan.segment_threshold(THREE, PUSHER)


@pytest.mark.parametrize("pull, push", [("js", "js"), ("jsd", "hellinger"), ("kl", "kl"), ("hellinger", "tv"),
                                        ("reverse_kl", "gan"), ("pearson", "js")])  # fmt: skip
def test_the_expansion_is_off_by_alpha_squared(pull, push):
    p, r, s = np.array([0.2, 0.3, 0.5]), np.array([0.4, 0.5, 0.1]), np.array([0.1, 0.2, 0.7])

    def error(a):
        settings_ = (p, [r, s], [a, a / 2], pull, push)
        return np.abs(p2gan.optimum(*settings_).q - p2gan.small_alpha(*settings_)).max()

    off = error(2e-3), error(1e-3)
    assert off[0] < 1e-4 and (off[0] < 1e-7 or off[0] / off[1] == pytest.approx(4, rel=0.05))


def test_the_expansion_of_js_in_letters():
    p, r, _ = laws(4, seed=6)
    log = np.log(2 * p / (p + r))
    expected = p * (1 + 2 * 0.03 * (log - p @ log))
    assert p2gan.small_alpha(p, r, 0.03) == pytest.approx(expected, abs=1e-13)
    assert p2gan.small_alpha(p, [], 0.03) == pytest.approx(p)


def test_the_slope_at_the_face():
    slope = p2gan.face_slope([0, 1], 0, HALVES, BLACK, 1, "jsd", "jsd")
    assert slope == pytest.approx(-math.log(3) / 2, abs=1e-10)
    h = 1e-6
    there = [p2gan.objective([t, 1 - t], HALVES, BLACK, 1, "jsd", "jsd") for t in (0, h)]
    assert (there[1] - there[0]) / h == pytest.approx(slope, abs=1e-4)
    assert p2gan.face_slope([0, 1], 0, HALVES, BLACK, 0.99) == math.inf
    assert p2gan.face_slope([0, 1], 0, HALVES, BLACK, 1.01) == -math.inf
    assert p2gan.face_slope([0, 1], 0, HALVES, [BLACK, [0.5, 0.5]], [0.3, 0.6999]) == math.inf
    off = p2gan.face_slope([0.2, 0.8, 0], 2, THREE, PUSHER, 2.0)  # nobody charges the third point
    there = [p2gan.objective([0.2 * (1 - t), 0.8 * (1 - t), t], THREE, PUSHER, 2.0) for t in (0, h)]
    assert (there[1] - there[0]) / h == pytest.approx(off, abs=1e-4)
    with pytest.raises(ValueError, match="without mass"):
        p2gan.face_slope([0.5, 0.5], 0, HALVES, BLACK, 1)


def test_beyond_alpha_c_the_data_are_left():
    kept = [LOG2 - divergences.jsd(law, [0, 1, 0]) for law in (THREE, PUSHER)]
    alpha_c = p2gan.leaving_alpha(THREE, PUSHER)
    assert alpha_c == pytest.approx(kept[0] / kept[1], abs=1e-9)
    assert alpha_c == pytest.approx(2.849215, abs=1e-6)
    assert p2gan.leaving_alpha(HALVES, BLACK) == math.inf
    assert p2gan.leaving_alpha(HALVES, HALVES) == pytest.approx(1)
    for seed in range(4):
        p, r, _ = laws(3, seed)
        alpha_c = p2gan.leaving_alpha(p, r)
        p, r = np.append(p, 0), np.append(r, 0)
        before, after = (p2gan.optimum(p, r, factor * alpha_c) for factor in (0.995, 1.005))
        assert before.q[3] < 1e-9 and after.q[3] == pytest.approx(1) and after.proven


# ---- reductions: F.4 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", F_DIVERGENCES)
def test_without_sources_it_is_an_f_gan(name):
    p = np.array([0.1, 0.2, 0.3, 0.4])
    for found in (p2gan.optimum(p, [], 0.5, name), p2gan.optimum(p, p[::-1], 0.0, name)):
        assert found.q == pytest.approx(p, abs=1e-7)
        assert found.value == pytest.approx(-f_divergence(name).at_one, abs=1e-9) and found.concave


@pytest.mark.parametrize("name", ["js", "hellinger", "gan", "kl"])
def test_data_that_push_themselves(name):
    p = np.array([0.2, 0.3, 0.5])
    assert p2gan.optimum(p, p, 0.9, name, name).q == pytest.approx(p, abs=1e-6)
    even = p2gan.optimum(p, p, 1.0, name, name)
    assert even.value == pytest.approx(0, abs=1e-12) and not even.unique
    if name != "kl":
        assert p2gan.optimum(p, p, 1.5, name, name).q == pytest.approx([1, 0, 0], abs=1e-9)  # the rarest


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.1, 2), st.floats(0.1, 2))
def test_d2gan_is_two_pulls(seed, alpha, beta):
    p, q, noise = laws(4, seed)
    best = p2gan.d2gan(p, q, alpha, beta)
    at_best = p2gan.d2gan_value(best.first, best.second, p, q, alpha, beta)
    assert at_best == pytest.approx(best.value, abs=1e-9)
    other = p2gan.d2gan_value(best.first * np.exp(noise), best.second * np.exp(-noise), p, q, alpha, beta)
    assert other <= best.value
    u = p / q
    pulls = q @ (alpha * u * np.log(u) - beta * np.log(u))
    assert best.value == pytest.approx(pulls + alpha * (math.log(alpha) - 1) + beta * (math.log(beta) - 1))
    assert p2gan.d2gan(p, p, alpha, beta).value <= best.value + 1e-12  # least where q = p


# ---- two generators: F.9 ----------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma, beta, first, second", [
    (0.1, 0.01, 0.493885, 0.551945), (0.5, 0.3, 0.1036, 0.8330), (0.1, 0.1, 0.427, None),
    (0.1, 0.5, 0.0, None),
])  # fmt: skip
def test_two_generators_settle_where_neither_can_do_better(gamma, beta, first, second):
    found = p2gan.two_generators(HALVES, BLACK, gamma, beta)
    digits = 1e-6 if second == 0.551945 else 5e-4
    assert found.first[0] == pytest.approx(first, abs=digits)
    assert second is None or found.second[0] == pytest.approx(second, abs=digits)
    p, a, t = np.array(HALVES), np.array(BLACK), np.linspace(0, 1, 20_001)
    q = np.stack([t, 1 - t], -1)
    one = beta * (js(a, q) + js(found.second, q)) - js(p, q)
    two = beta * js(found.first, q) - js(p, q) - gamma * js(a, q)
    assert t[one.argmax()] == pytest.approx(found.first[0], abs=1e-4)
    assert t[two.argmax()] == pytest.approx(found.second[0], abs=1e-4)


def test_two_generators_from_elsewhere_and_without_a_push():
    plain = p2gan.two_generators(HALVES, BLACK)
    moved = p2gan.two_generators(HALVES, BLACK, start=[0.9, 0.1])
    assert moved.first == pytest.approx(plain.first, abs=1e-7)
    calm = p2gan.two_generators(HALVES, BLACK, gamma=0.0, beta=0.0)
    assert calm.first == pytest.approx(HALVES) and calm.second == pytest.approx(HALVES)


# ---- the discriminators: Theorems 1 and 2 -----------------------------------------------------------------

SMOOTH = [name for name in F_DIVERGENCES if name != "tv"]


@pytest.mark.parametrize("pull, push", [*zip(SMOOTH, SMOOTH), ("js", "kl"), ("kl", "hellinger")])
def test_the_best_critics_play_the_objective_and_no_others_do_better(pull, push):
    p, r, s = laws(5, seed=11)
    q, alphas = laws(5, seed=12)[0], [0.4, 1.3]
    best = p2gan.critics(q, p, [r, s], pull, push)
    settings_ = (q, p, [r, s], alphas, pull, push)
    value = p2gan.game_value(*best, *settings_)
    assert value == pytest.approx(p2gan.objective(*settings_), abs=1e-11)
    rng = np.random.default_rng(0)
    for size in (0.01, 0.3, 2.0):
        for _ in range(20):
            primary = best.primary + size * rng.normal(size=5)
            auxiliary = best.auxiliary + size * rng.normal(size=(2, 5))
            assert p2gan.game_value(primary, best.auxiliary, *settings_) >= value - 1e-12
            assert p2gan.game_value(best.primary, auxiliary, *settings_) <= value + 1e-12


@pytest.mark.parametrize("name", SMOOTH)
def test_each_score_by_search(name):
    p, q = np.array([0.3, 0.7]), np.array([0.6, 0.4])
    row, found = f_divergence(name), p2gan.critics(q, p, [], name)
    assert found.auxiliary.shape == (0, 2)
    v = np.linspace(-4, 6, 200_001)
    for a, b, score in zip(p, q, found.primary):
        assert v[(a * row.activation(v) - b * row.fake_term(v)).argmax()] == pytest.approx(score, abs=1e-3)


def test_critics_where_laws_do_not_meet():
    q, p, r = [0.0, 0.4, 0.6, 0.0], [0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.3, 0.7]
    best = p2gan.critics(q, p, r)
    assert best.primary == pytest.approx([math.inf, math.log(5 / 4), -math.inf, 0.0])
    assert best.auxiliary[0] == pytest.approx([0.0, -math.inf, -LOG2, math.inf])
    value = p2gan.game_value(*best, q, p, r, 0.3)
    assert value == pytest.approx(p2gan.objective(q, p, r, 0.3), abs=1e-12)


# ---- what the theorems do not say -------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 5), st.integers(0, 10**6), st.floats(0.05, 3))
def test_against_frozen_critics_the_value_is_linear_with_the_objective_s_slopes(n, seed, alpha):
    p, r, q = laws(n, seed)
    frozen = p2gan.critics(q, p, r)
    corners = [p2gan.game_value(*frozen, corner, p, r, alpha) for corner in np.eye(n)]
    other = laws(n, seed + 1)[0]
    assert p2gan.game_value(*frozen, other, p, r, alpha) == pytest.approx(other @ corners, abs=1e-9)
    h = 1e-6 * q.min()
    for x in range(1, n):  # the slope from letter 0 to letter x
        step = h * (np.eye(n)[x] - np.eye(n)[0])
        up, down = (p2gan.objective(q + sign * step, p, r, alpha) for sign in (1, -1))
        assert (up - down) / (2 * h) == pytest.approx(corners[x] - corners[0], abs=1e-5)


def test_the_best_law_is_no_saddle_point_of_two_players():
    for alpha in (0.05, 0.1, 0.5):
        best = p2gan.optimum(HALVES, BLACK, alpha)
        primary = p2gan.critics(best.q, HALVES, BLACK).primary
        gains = []
        for corner in np.eye(2):
            own = p2gan.critics(corner, HALVES, BLACK).auxiliary
            gains.append(p2gan.game_value(primary, own, corner, HALVES, BLACK, alpha))
        assert min(gains) > best.value + 1e-4

        def worst(scores):  # what two players reach against S: corners suffice
            own = [p2gan.critics(corner, HALVES, BLACK).auxiliary for corner in np.eye(2)]
            return max(p2gan.game_value(scores, s, q, HALVES, BLACK, alpha) for s, q in zip(own, np.eye(2)))

        fine = {"fatol": 1e-10, "xatol": 1e-8}
        search = optimize.minimize(worst, primary, method="Nelder-Mead", options=fine)
        t = np.linspace(0, 1, 20_001)
        chord = alpha * 2 * LOG2 * (1 - t) - js(np.array(HALVES), np.stack([t, 1 - t], -1))
        assert search.fun == pytest.approx(chord.max(), abs=1e-6) and search.fun > best.value + 1e-3


def test_letters_that_no_heavy_source_charges_are_kept():
    """Theorem pp-thin letter by letter: weights of 0.7 each, but only one source a letter."""
    found = p2gan.optimum(np.full(8, 1 / 8), np.eye(8)[:7], 0.7)
    assert found.proven and found.q.min() > 6e-4 and found.q[7] > 0.99
    both = p2gan.optimum([0.5, 0.5], [BLACK, BLACK], 0.7)  # two on one letter: given up
    assert both.q == pytest.approx([0, 1]) and both.proven


@pytest.mark.parametrize("modes", [2, 8, 25])
def test_the_collapsed_mode_to_first_order(modes):
    def first(alpha):
        return (1 - 2 * alpha * (modes - 1) / modes * math.log(modes + 1)) / modes

    errors = [p2gan.dropped_share(modes, a) - first(a) for a in (2e-3, 1e-3)]
    assert abs(errors[0]) < 1e-4 and errors[0] / errors[1] == pytest.approx(4, rel=0.1)


def test_two_generators_to_first_order():
    def errors(size):
        found = p2gan.two_generators(HALVES, BLACK, gamma=size, beta=size)
        one, two = (1 - size * math.log(3)) / 2, (1 + size * math.log(3)) / 2
        return np.array([found.first[0] - one, found.second[0] - two])

    assert np.abs(errors(1e-3)).max() < 3e-6
    assert errors(2e-3) / errors(1e-3) == pytest.approx([4, 4], rel=0.05)


def test_a_law_that_gives_up_a_letter_is_a_local_maximum_beyond_one():
    p, r, alpha = np.array([0.2, 0.3, 0.5]), np.array([0.4, 0.5, 0.1]), 1.2
    t = np.linspace(0, 1, 4001)
    face = np.stack([np.zeros_like(t), t, 1 - t], -1)
    q = face[(alpha * js(r, face) - js(p, face)).argmax()]
    value = p2gan.objective(q, p, r, alpha)
    rng = np.random.default_rng(0)
    for size in (1e-4, 1e-6):
        for other in rng.dirichlet(np.ones(3), 50):
            assert p2gan.objective((1 - size) * q + size * other, p, r, alpha) < value + 1e-9


# ---- exercises --------------------------------------------------------------------------------------------


def loss(pull, push, alpha):
    return -np.logaddexp(0, pull).mean() + alpha @ np.logaddexp(0, push).mean(1)


FORCES = [
    ("real", 0, 1), ("auxiliary", 0, -0.01), (1, 0, -0.01),
    ("real", 1, 1), ("auxiliary", 1, 0.1), (0, 1, -0.01),
]  # fmt: skip


@pytest.mark.parametrize("check, right, wrongs", [
    (ex.check_unmix, [0.3, 1.1 / 3, 1 / 3], [
        ([0.225, 0.275, 0.25], "divide"), ([0.4, 0.35, 0.25], "those are the data"),
        ([0.46, 0.34, 0.2], "takes away"), ([0.5, 0.6, -0.1], "not a law"), ([0.2, 0.4, 0.4], "letter 0"),
        ([1.0], "shape")]),
    (ex.check_bounded, {"kl", "hellinger", "js", "jsd", "gan", "tv"}, [
        ({"js", "tv", "hellinger", "jsd", "gan"}, "outweighed"), ({"js", "pearson"}, "1/q"),
        (["reverse_kl"], "blond"), ({"kl", "js"}, "bounded whatever"), ({"wasserstein"}, "is not among"),
        ("js", "give a set")]),
    (ex.check_loss, loss, [
        (lambda a, b, c: -loss(a, b, c), "flipped"),
        (lambda a, b, c: loss(a, b, -c), "pulled by its sources"),
        (lambda a, b, c: loss(a, b, np.ones_like(c)), "weights"),
        (lambda a, b, c: loss(a, b, c / len(c)), "not averaged"),
        (lambda a, b, c: loss(a, b, c) + np.logaddexp(0, [a, -a]).mean(1).sum(), "non-saturating"),
        (lambda a, b, c: 0.0, "the loss is")]),
    (ex.check_slope, lambda p: np.log(p / (2 - p)), [
        (np.log, "comes from blond"), (lambda p: np.log(p / (2 - p)) / 2, "2 JSD"),
        (lambda p: np.log(p) + np.log(2 - p), "subtracted"), (lambda p: np.log(p / (1 + p)), "1 - p")]),
    (ex.check_equilibrium, "equilibrium but worst", [
        ("the maximum", "sign"), ("no equilibrium", "constant"), ("a local maximum", "positive"),
        (3, "among")]),
    (ex.check_specialist, 0.1, [(1.0, "JS"), (1 / 9, "one of ten"), (0.125, "eight")]),
    (ex.check_forces, FORCES, [
        (FORCES[:-1], "is missing"), ([*FORCES, ("auxiliary", 0, 0.01)], "twice"),
        ([("noise", 0, 1)], "not in the scheme"),
        ([(*force[:2], abs(force[2])) for force in FORCES], "wrong sign"),
        ([(*force[:2], 10 * force[2]) for force in FORCES], "the paper gives"), ("real", "give a list"),
        (7, "give a list")]),
    (ex.check_strength, 0.2 / math.log(3), [(0.2, "log 3"), (0.1, "factors"), (0.1 / math.log(3), "p is 1/2"),
                                            (0.2 / LOG2, "at blond")]),
])  # fmt: skip
def test_exercises(capsys, check, right, wrongs):
    judged(capsys, check, right, wrongs)


def test_the_exercises_answers_by_other_means():
    un_mixed = p2gan.optimum([0.4, 0.35, 0.25], [0.7, 0.3, 0.0], 0.25, "kl", "kl").q
    assert un_mixed == pytest.approx([0.3, 1.1 / 3, 1 / 3], abs=1e-8)
    for name in ex.PUSHES:
        try:
            bounded = p2gan.optimum(HALVES, BLACK, 0.1, "kl", name).value < math.inf
        except ValueError:
            bounded = False
        assert bounded == (name not in ("pearson", "reverse_kl")), name
    assert p2gan.dropped_share(10, 0.1, "kl", "kl") == pytest.approx(0, abs=1e-9)
    assert p2gan.face_slope([0, 1], 0, [0.3, 0.7], BLACK, 1) == pytest.approx(math.log(0.3 / 1.7), abs=1e-9)
    assert p2gan.paired() == FORCES
    assert p2gan.small_alpha(HALVES, BLACK, 0.2 / math.log(3))[0] == pytest.approx(0.4)
    assert p2gan.optimum(HALVES, BLACK, 0.1635).q[0] == pytest.approx(0.4, abs=1e-4)


# ---- the moving figures -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def figure(moving):
    return partial(moving.read, "p2gan")


@pytest.mark.parametrize("kind", ["js-js", "kl-kl", "kl-js"])
@pytest.mark.parametrize("sources", [1, 2])
@pytest.mark.parametrize("seed, alpha", [(0, 0.1), (1, 0.45), (2, 0.9), (3, 1.3), (4, 2.5)])
def test_the_moving_optimum_is_the_library_s(figure, kind, sources, seed, alpha):
    p, r, s = laws(3, seed, concentration=2.0)
    pull, push = kind.split("-")
    shown = figure("default", kind=kind, alpha=alpha, two=sources == 2, p=[*p], r=[*r], r2=[*s])
    pushers, weights = [r, s][:sources], [alpha / sources] * sources
    try:
        found = p2gan.optimum(p, pushers, weights, pull, push)
    except ValueError as why:
        assert "unbounded" in str(why) and shown["q"] is None and "unbounded" in shown["verdict"]
        assert alpha > shown["limit"] == pytest.approx((p / np.mean(pushers, 0)).min())
        return
    assert shown["value"] == pytest.approx(found.value, abs=1e-7)
    assert shown["q"] == pytest.approx(found.q, abs=1e-4)


def test_a_kl_push_against_js_has_no_best_law_in_the_figure_either(figure):
    shown = figure("default", kind="js-kl", alpha=0.01, two=False, p=[0.4, 0.3, 0.3], r=[0.2, 0.2, 0.6])
    assert shown["q"] is None and shown["limit"] == 0 and "unbounded" in shown["verdict"]
    assert figure("default", alpha=0)["q"] == pytest.approx([0.4, 0.3, 0.3], abs=1e-6)


def test_the_figure_s_buttons_tell_the_chapter_s_stories(figure):
    hair = figure("default", "Two hair colours")
    assert hair["q"] == pytest.approx([0.144584, 0.855416, 0], abs=1e-5)
    assert "black thinned to 0.29" in hair["verdict"]
    assert figure("default", alpha=0.97)["verdict"] == "black thinned to a trace"
    assert figure("default", alpha=1.2)["verdict"] == "black removed"
    hard = figure("default", "A push too hard")
    assert hard["q"] == [0, 0, 1] and hard["verdict"] == "it has left the data's support"
    assert figure("default", alpha=2.84)["q"] == pytest.approx([0, 1, 0])
    mixed = figure("default", "Un-mixing")
    assert mixed["q"] == pytest.approx(p2gan.unmix([0.5, 0.3, 0.2], [0.85, 0.1, 0.05], 0.4), abs=1e-6)
    assert mixed["limit"] == pytest.approx(p2gan.unmixing_limit([0.5, 0.3, 0.2], [0.85, 0.1, 0.05]))
    start = figure("default", "Back to the start")
    assert 0.05 < start["q"][0] < 0.15


def test_the_path_grows_from_the_data(figure):
    shown = figure("default", kind="js-js", alpha=0.5, two=False, p=HALVES + [0], r=PUSHER)
    assert shown["path"][0]["q"] == pytest.approx(HALVES + [0], abs=1e-6)
    for step in shown["path"][5::20]:
        assert step["q"] == pytest.approx(p2gan.optimum(THREE, PUSHER, step["alpha"]).q, abs=1e-4)


def test_points_are_dragged_and_stay_in_the_triangle(figure, moving):
    figure("default", "Back to the start")
    page = moving.page("p2gan")
    moving.drag("p2gan", "default", 0, (0, 150))  # below the lower edge
    p = page.evaluate("() => document.querySelector('.gan-block').gan.state.p")
    assert p[2] == 0 and sum(p) == pytest.approx(1) and min(p) >= 0


@pytest.mark.parametrize("gamma, beta, data, aux", [
    (0.1, 0.01, 0.5, 1.0), (0.5, 0.3, 0.5, 1.0), (0.1, 0.1, 0.3, 0.9), (0.1, 0.5, 0.5, 1.0),
    (0.0, 0.0, 0.7, 1.0),
])  # fmt: skip
def test_the_moving_pair_settles_where_the_library_s_does(figure, gamma, beta, data, aux):
    shown = figure("pair", gamma=gamma, beta=beta, data=data, aux=aux, start=data)
    found = p2gan.two_generators([data, 1 - data], [aux, 1 - aux], gamma, beta)
    assert shown["first"] == pytest.approx(found.first[0], abs=1e-5)
    assert shown["second"] == pytest.approx(found.second[0], abs=1e-5)


def test_the_moving_pair_s_sweep_and_buttons(figure):
    shown = figure("pair", "A push that works")
    assert shown["first"] == pytest.approx(0.133, abs=1e-3)
    assert figure("pair", start=0.95)["first"] == pytest.approx(shown["first"], abs=1e-5)
    beta, first, second = shown["sweep"][5]
    found = p2gan.two_generators(HALVES, BLACK, 0.1, beta)
    assert (first, second) == pytest.approx((found.first[0], found.second[0]), abs=1e-3)
    assert figure("pair", "The paper's weights")["second"] == pytest.approx(0.551945, abs=1e-5)


# ---- bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call, words", [
    (lambda: p2gan.optimum(HALVES, BLACK, -0.1), "at least 0"),
    (lambda: p2gan.optimum(HALVES, BLACK, math.nan), "finite"),
    (lambda: p2gan.optimum(HALVES, BLACK, [0.1, 0.2]), "one for each of 1"),
    (lambda: p2gan.optimum(HALVES, [BLACK, BLACK], [[0.1, 0.2]]), "shape"),
    (lambda: p2gan.optimum(HALVES, PUSHER, 0.1), "source 0 has 3 entries and p has 2"),
    (lambda: p2gan.optimum(HALVES, [BLACK, PUSHER], 0.1), "source 1 has 3"),
    (lambda: p2gan.optimum([0.5, 0.6], BLACK, 0.1), "p does not sum to one"),
    (lambda: p2gan.optimum(HALVES, [0.5, -0.5], 0.1), "sources has a negative mass"),
    (lambda: p2gan.optimum(HALVES, [BLACK, [0.4, 0.4]], 0.1), "source 1 does not sum"),
    (lambda: p2gan.optimum(stats.norm(), BLACK, 0.1), "vector of probabilities"),
    (lambda: p2gan.optimum(HALVES, BLACK, 0.1, "wasserstein"), "no f-divergence named"),
    (lambda: p2gan.optimum(HALVES, BLACK, 0.1, push=["js", "kl"]), "one for each of 1"),
    (lambda: p2gan.objective([1.0], HALVES, BLACK, 0.1), "q has 1 entries"),
    (lambda: p2gan.concavity_bound(HALVES, BLACK, "tv"), "kinks"),
    (lambda: p2gan.segment_threshold(HALVES, BLACK, push="tv"), "kinks"),
    (lambda: p2gan.small_alpha(HALVES, BLACK, 0.1, "tv"), "kink"),
    (lambda: p2gan.small_alpha(HALVES, BLACK, 0.1, "js", "kl"), "unbounded"),
    (lambda: p2gan.face_slope([0, 1], 2, HALVES, BLACK, 1), "index of a point"),
    (lambda: p2gan.dropped_share(1, 0.1), "at least 2"),
    (lambda: p2gan.dropped_share(8, 1.0, "js", "kl"), "unbounded"),
    (lambda: p2gan.two_generators(HALVES, BLACK, beta=-1), "at least 0"),
    (lambda: p2gan.two_generators(HALVES, BLACK, push="kl"), "unbounded"),
    (lambda: p2gan.critics(HALVES, HALVES, BLACK, "tv"), "differentiable"),
    (lambda: p2gan.critics([1.0], HALVES, BLACK), "q has 1"),
    (lambda: p2gan.game_value([0, 0], [0, 0, 0, 0], HALVES, HALVES, BLACK, 1), "do not fit"),
    (lambda: p2gan.game_value([0, math.nan], [0, 0], HALVES, HALVES, BLACK, 1), "not a number"),
    (lambda: p2gan.d2gan(HALVES, HALVES, 0, 1), "alpha must be above 0"),
    (lambda: p2gan.d2gan_value([1, -1], [1, 1], HALVES, HALVES, 1, 1), "positive"),
])  # fmt: skip
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()

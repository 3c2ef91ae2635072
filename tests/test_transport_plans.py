"""Plans, prices and closed forms of transport, each against another route: POT, quadrature, brute force."""

import itertools
import math

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, linalg, optimize, sparse, stats
from scipy.sparse import csgraph
from scipy.spatial import distance as spatial
from answers import judged

from gantools import divergences, transport
from gantools.exercises import transport as ex

N = stats.norm
LOG2 = math.log(2)
POINTS = np.array([0.0, 1.0, 3.0])
APART = np.abs(np.subtract.outer(POINTS, POINTS))
P, Q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.2, 0.7])
seeds = st.integers(0, 2**32 - 1)
untimed = settings(deadline=None, max_examples=30)


def problem(seed, n, m, dimension=2, power=1):
    """Masses with zeros among them, and costs between random points."""
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    p[rng.random(n) < 0.2] = 0
    q[rng.random(m) < 0.2] = 0
    p, q = p + (p.sum() == 0), q + (q.sum() == 0)
    x, y = rng.normal(size=(n, dimension)), rng.normal(size=(m, dimension))
    return p / p.sum(), q / q.sum(), spatial.cdist(x, y) ** power


# ---- maps -------------------------------------------------------------------------------------------------


def brute_force(p, q, cost):
    """Every map, one by one."""
    best = math.inf
    for targets in itertools.product(range(len(q)), repeat=len(p)):
        pushed = np.zeros(len(q))
        for i, j in enumerate(targets):
            pushed[j] += p[i]
        if np.allclose(pushed, q, atol=1e-9):
            best = min(best, sum(p[i] * cost[i, j] for i, j in enumerate(targets)))
    return best


def test_push_forward_moves_whole_masses():
    assert transport.push_forward([0.5, 0.3, 0.2], [1, 1, 0], 3) == pytest.approx([0.2, 0.8, 0])


def test_one_atom_cannot_be_split_by_a_map_but_by_a_plan():
    """D.1: from delta_0 to halves at -1 and 1."""
    assert transport.monge([1], [0.5, 0.5], [[1, 1]]) == (math.inf, None)
    assert transport.kantorovich([1], [0.5, 0.5], [[1, 1]]).cost == pytest.approx(1)


@untimed
@given(seeds)
def test_the_best_map_is_that_of_brute_force(seed):
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    p = rng.integers(0, 4, n) / 10
    p[0] += 0.1
    q = np.zeros(m)
    for i in range(n):  # half of the time feasible by construction
        q[rng.integers(m)] += p[i]
    if seed % 2:
        q = rng.integers(1, 4, m).astype(float)
        q *= p.sum() / q.sum()
    cost = rng.random((n, m))
    found = transport.monge(p, q, cost)
    assert found.cost == pytest.approx(brute_force(p, q, cost))
    if found.targets is None:
        assert seed % 2
    else:
        assert transport.push_forward(p, found.targets, m) == pytest.approx(q, abs=1e-9)
        assert found.cost >= transport.kantorovich(p, q, cost).cost - 1e-9


@pytest.mark.parametrize("n", [2, 7, 40])
def test_equal_masses_are_an_assignment_and_maps_cost_no_more_than_plans(n):
    """Birkhoff: among the best plans between equal masses one is a map."""
    rng = np.random.default_rng(n)
    cost, equal = rng.random((n, n)), np.full(n, 1 / n)
    found = transport.monge(equal, equal, cost)
    assert sorted(found.targets) == list(range(n))
    assert found.cost == pytest.approx(ot.emd2(equal, equal, cost), abs=1e-12)


def test_a_point_without_mass_may_go_anywhere():
    found = transport.monge([0.5, 0, 0.5], [0.5, 0.5], [[2, 1], [5, 6], [1, 2]])
    assert found.cost == pytest.approx(1) and found.targets[[0, 2]].tolist() == [1, 0]


# ---- the linear program -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n, m", [(1, 1), (2, 3), (3, 3), (5, 2), (7, 7)])
def test_the_marginal_matrix_sums_rows_and_columns(n, m):
    A, plan = transport.marginal_matrix(n, m), np.random.default_rng(0).random((n, m))
    assert A.shape == (n + m, n * m)
    assert A @ plan.ravel() == pytest.approx(np.r_[plan.sum(1), plan.sum(0)])
    assert np.linalg.matrix_rank(A) == n + m - 1
    thin = transport.marginal_matrix(n, m, sparse_format=True)
    assert sparse.issparse(thin) and (thin.toarray() == A).all()


def test_the_matrix_of_the_lecture_notes_is_the_transpose():
    """E-001-3: nine rows, six columns; the first row belongs to the pair (1, 1)."""
    A = transport.marginal_matrix(3, 3).T
    assert A.shape == (9, 6)
    assert A[0].tolist() == [1, 0, 0, 1, 0, 0] and A[5].tolist() == [0, 1, 0, 0, 0, 1]
    with pytest.raises(ValueError):
        A @ np.ones(9)  # the display's product does not exist; x' A' does
    assert np.ones(9) @ A == pytest.approx(np.full(6, 3.0))


def agree(p, q, cost, tol=1e-9):
    """Primal, dual, certificate and POT; returns the solution."""
    found = transport.kantorovich(p, q, cost)
    assert found.cost == pytest.approx(ot.emd2(p, q, cost), abs=tol)
    assert p @ found.f + q @ found.g == pytest.approx(found.cost, abs=tol)
    assert found.plan.sum(1) == pytest.approx(p, abs=tol) and found.plan.sum(0) == pytest.approx(q, abs=tol)
    assert found.plan.min() >= 0 and (cost - found.f[:, None] - found.g).min() >= -1e-12
    sure = transport.certificate(found.plan, found.f, found.g, cost)
    assert abs(sure.gap) < tol and sure.least_slack > -1e-12 and abs(sure.product) < tol
    return found


def test_three_points():
    """M11: primal = dual = Kantorovich-Rubinstein = cdf formula = 1.4."""
    found = agree(P, Q, APART)
    assert found.cost == pytest.approx(1.4, abs=1e-12)
    price = transport.kantorovich_rubinstein(P, Q, APART)
    assert price.value == pytest.approx(1.4, abs=1e-12) and price.f == pytest.approx([0, -1, -3])
    assert np.abs(np.cumsum(P - Q)[:-1]) @ np.diff(POINTS) == pytest.approx(1.4)


@untimed
@given(seeds, st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 2]))
def test_primal_dual_and_pot_agree(seed, n, m, power):
    agree(*problem(seed, n, m, power=power))


@pytest.mark.parametrize("seed, power", [(0, 1), (1, 2), (2, 3)])
def test_primal_dual_and_pot_agree_at_200_points(seed, power):
    agree(*problem(seed, 200, 200, power=power))


@untimed
@given(seeds, st.integers(2, 12))
def test_all_five_routes_agree_on_the_line(seed, n):
    p, q, _ = problem(seed, n, n)
    x = np.sort(np.random.default_rng(seed + 1).normal(size=n))
    apart = np.abs(np.subtract.outer(x, x))
    cost = agree(p, q, apart).cost
    assert transport.kantorovich_rubinstein(p, q, apart).value == pytest.approx(cost, abs=1e-9)
    assert np.abs(np.cumsum(p - q)[:-1]) @ np.diff(x) == pytest.approx(cost, abs=1e-9)
    assert stats.wasserstein_distance(x, x, p, q) == pytest.approx(cost, abs=1e-9)


def test_all_five_routes_agree_on_the_line_at_200_points():
    test_all_five_routes_agree_on_the_line.hypothesis.inner_test(5, 200)


def test_any_equal_totals_and_any_units_will_do():
    p, q, cost = problem(3, 6, 5)
    found = transport.kantorovich(7e4 * p, 7e4 * q, 1e-5 * cost)
    assert found.cost == pytest.approx(0.7 * ot.emd2(p, q, cost), rel=1e-9)
    shifted = transport.kantorovich(p, q, cost - 10)  # a constant changes every plan's cost alike
    assert shifted.cost == pytest.approx(ot.emd2(p, q, cost) - 10)
    assert transport.kantorovich(p, q, np.zeros((6, 5))).cost == 0


def test_a_certificate_tells_a_bad_plan_and_bad_prices():
    product = np.outer(P, Q)
    found = transport.kantorovich(P, Q, APART)
    loss = transport.certificate(product, found.f, found.g, APART).gap
    assert loss == pytest.approx((product * APART).sum() - 1.4)
    assert transport.certificate(found.plan, found.f + 1, found.g, APART).least_slack == pytest.approx(-1)


# ---- c-transforms and metrics -----------------------------------------------------------------------------


def test_the_c_transform_of_the_example():
    """D.4: f = (0, 3, 0) on the points 0, 1, 3."""
    f = np.array([0.0, 3.0, 0.0])
    g = transport.c_transform(f, APART)
    assert g == pytest.approx([-2, -3, -1])
    assert P @ f + Q @ g == pytest.approx(-0.6) and P @ -g + Q @ g == pytest.approx(0.6)


@untimed
@given(seeds, st.integers(1, 8), st.integers(1, 8))
def test_c_transforms_are_the_best_partners_and_stop_after_three(seed, n, m):
    rng = np.random.default_rng(seed)
    cost, f = rng.normal(size=(n, m)), rng.normal(size=n)
    g = transport.c_transform(f, cost)
    slack = cost - f[:, None] - g
    assert slack.min() >= -1e-12 and (slack.min(0) < 1e-12).all()  # every g[j] touches a constraint
    ff = transport.c_transform(g, cost.T)
    assert (ff >= f - 1e-12).all()
    assert transport.c_transform(ff, cost) == pytest.approx(g)


@untimed
@given(seeds, st.integers(2, 8))
def test_for_a_metric_transforms_are_lipschitz_and_lipschitz_functions_are_their_own_price(seed, n):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    d = spatial.cdist(x, x)
    g = transport.c_transform(rng.normal(size=n), d)
    assert (np.abs(np.subtract.outer(g, g)) <= d + 1e-12).all()
    assert transport.c_transform(g, d) == pytest.approx(-g)


@untimed
@given(seeds, st.integers(1, 10))
def test_kantorovich_rubinstein(seed, n):
    p, q, _ = problem(seed, n, n)
    x = np.random.default_rng(seed).normal(size=(n, 3))
    for metric in ("euclidean", "cityblock", "chebyshev"):
        d = spatial.cdist(x, x, metric)
        price = transport.kantorovich_rubinstein(p, q, d)
        assert price.value == pytest.approx(ot.emd2(p, q, d), abs=1e-9)
        assert price.f[0] == 0 and (np.subtract.outer(price.f, price.f) <= d + 1e-9).all()


def test_kantorovich_rubinstein_at_200_points():
    x = np.random.default_rng(4).normal(size=(200, 2))
    p, q, _ = problem(4, 200, 200)
    d = spatial.cdist(x, x)
    assert transport.kantorovich_rubinstein(p, q, d).value == pytest.approx(ot.emd2(p, q, d), abs=1e-9)


def test_without_the_triangle_inequality_g_is_not_minus_f():
    """M12: squared cost from 0 to 2 with a point at 1: plans cost 4, the restricted dual is worth 2."""
    cost = np.subtract.outer([0, 1, 2], [0, 1, 2]) ** 2
    p, q = [1, 0, 0], [0, 0, 1]
    assert transport.kantorovich(p, q, cost).cost == pytest.approx(4)
    assert transport.restricted_dual(p, q, cost).value == pytest.approx(2)
    with pytest.raises(ValueError, match=r"the triangle \(0, 1, 2\) fails"):
        transport.kantorovich_rubinstein(p, q, cost)


@untimed
@given(seeds, st.integers(2, 9), st.booleans())
def test_the_restricted_dual_is_transport_with_stops(seed, n, symmetric):
    p, q, _ = problem(seed, n, n)
    cost = np.random.default_rng(seed).random((n, n)) ** 3 + 0.01
    cost = (cost + cost.T) / 2 if symmetric else cost
    np.fill_diagonal(cost, 0)
    chains = csgraph.shortest_path(cost)
    found = transport.restricted_dual(p, q, cost).value
    assert found == pytest.approx(ot.emd2(p, q, chains), abs=1e-9)
    assert found <= ot.emd2(p, q, cost) + 1e-9


def test_a_metric_is_known_when_seen():
    circle = np.abs(np.subtract.outer(range(6), range(6)))
    circle = np.minimum(circle, 6 - circle)
    assert (transport.check_metric(circle) == circle).all()
    assert (transport.check_metric(1 - np.eye(3)) == 1 - np.eye(3)).all()
    assert (transport.check_metric([[0, 0], [0, 0]]) == 0).all()  # one point given twice
    for wrong, words in [
        ([[0, 1], [2, 0]], "not symmetric"),
        ([[0, -1], [-1, 0]], "is negative"),
        ([[1, 1], [1, 1]], "not 0 from a point to itself"),
        ([[0, 1, 1]], "square"),
        (np.square(APART), r"the triangle \(0, 1, 2\) fails, since d\[0, 2\] = 9"),
    ]:
        with pytest.raises(ValueError, match=words):
            transport.check_metric(wrong)


# ---- the line ---------------------------------------------------------------------------------------------


def test_w1_of_gaussians():
    """M13: E|1 + Z| by the folded normal law, sqrt(2/pi) by hand."""
    assert transport.w1(N(0, 1), N(1, 2)) == pytest.approx(stats.foldnorm(1).mean(), abs=1e-9)
    assert transport.w1(N(0, 1), N(1, 2)) == pytest.approx(1.166631, abs=5e-7)
    assert transport.w1(N(0, 1), N(0, 2)) == pytest.approx(math.sqrt(2 / math.pi), abs=1e-9)
    assert transport.wasserstein(N(0, 1), N(1, 2)) ** 2 == pytest.approx(2, abs=1e-9)


@pytest.mark.parametrize("p, q, expected", [
    (stats.uniform(0, 1), stats.uniform(0.3, 1), 0.3),
    (stats.expon(), stats.expon(scale=3), 2),  # ordered laws: the difference of the means
    (stats.pareto(1.2), stats.uniform(0, 1), 6 - 0.5),
    (stats.cauchy(0), stats.cauchy(2.5), 2.5),
    (stats.cauchy(0, 1), stats.cauchy(0, 2), math.inf),
    (stats.poisson(3), stats.poisson(5), 2),
    (stats.bernoulli(0.3), stats.bernoulli(0.8), 0.5),
    (stats.poisson(2, loc=-7), N(-5, 1e-3), None),
    (stats.beta(0.3, 0.4), stats.triang(0.2), None),
    (stats.t(2.5), stats.laplace(), None),
    (divergences.mixture([0.3, 0.7], [N(-2, 0.1), N(3, 2)]), stats.gamma(2), None),
])  # fmt: skip
def test_w1_of_laws(p, q, expected):
    if expected is None:  # the integral of |F - G| by scipy, piece by piece
        edges = np.r_[-np.inf, -60, np.arange(-12, 12, 0.25), np.linspace(12, 60, 9), 400, 1e4, np.inf]
        gap = lambda t: abs(p.cdf(t) - q.cdf(t)) if t < 0 else abs(tail(p, t) - tail(q, t))  # noqa: E731
        tail = lambda law, t: law.sf(t) if hasattr(law, "sf") else 1 - law.cdf(t)  # noqa: E731
        expected = sum(integrate.quad(gap, a, b, limit=400)[0] for a, b in itertools.pairwise(edges))
    assert transport.w1(p, q) == pytest.approx(expected, abs=2e-6)
    assert transport.w1(q, p) == pytest.approx(transport.w1(p, q))


@pytest.mark.parametrize("p, q", [
    (N(0, 1), N(1, 2)), (stats.t(3), stats.t(5)), (stats.expon(), stats.lognorm(0.6)),
    (N(0, 1), stats.logistic()),
])  # fmt: skip
def test_cdfs_and_quantiles_give_one_w1(p, q):
    assert transport.w1(p, q) == pytest.approx(transport.wasserstein(p, q, 1), abs=1e-8)


@untimed
@given(seeds, st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 1.5, 2, 4]))
def test_samples_on_the_line(seed, n, m, order):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=n).round(1), rng.normal(size=m).round(1)  # with ties
    cost = np.abs(np.subtract.outer(x, y)) ** order
    exact = ot.emd2(np.full(n, 1 / n), np.full(m, 1 / m), cost)
    assert transport.wasserstein(x, y, order) ** order == pytest.approx(exact, abs=1e-9)
    if order == 1:
        assert transport.w1(x, y) == pytest.approx(exact, abs=1e-9)


def test_a_sample_against_a_law():
    x = [0.25, 0.75]
    assert transport.w1(x, stats.uniform()) == pytest.approx(1 / 8)  # each half goes to its middle
    assert transport.w1(torch.tensor([0.0]), N(0, 1)) == pytest.approx(math.sqrt(2 / math.pi))
    assert transport.w1([1.0, 1.0], [1.0]) == 0


def test_infinite_distances():
    assert transport.wasserstein(stats.t(2), N(0, 1)) == math.inf  # no variance
    first = transport.wasserstein(stats.t(2), N(0, 1), 1)
    assert first == pytest.approx(transport.w1(stats.t(2), N(0, 1)), abs=1e-6)


@pytest.mark.parametrize("p, q", [
    (N(0, 1), N(1, 2)), (N(0, 1), N(0, 2)), (stats.expon(), stats.uniform(0, 1)),
    (stats.uniform(), stats.t(4)),
])  # fmt: skip
def test_the_critic_of_the_line_is_lipschitz_and_attains_w1(p, q):
    f = transport.line_critic(p, q)
    t = np.linspace(-30, 30, 4001)
    assert np.abs(np.diff(f(t))).max() <= (t[1] - t[0]) * (1 + 1e-9)
    found = divergences.expectation(f, p, q) - divergences.expectation(f, q, p)
    assert found == pytest.approx(transport.w1(p, q), abs=1e-6)


def test_the_critic_between_two_spreads_is_minus_the_distance_from_the_middle():
    f, t = transport.line_critic(N(0, 1), N(0, 2)), np.array([-3.0, -1.0, 0.5, 2.0])
    assert f(t) - f(0.0) == pytest.approx(-np.abs(t), abs=1e-9)


@untimed
@given(seeds, st.integers(1, 9), st.integers(1, 9))
def test_the_critic_of_two_samples(seed, n, m):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=n), rng.normal(size=m)
    f = transport.line_critic(x, y)
    assert f(x).mean() - f(y).mean() == pytest.approx(transport.w1(x, y), abs=1e-9)
    t = np.sort(np.r_[x, y, -9, 9])
    assert (np.abs(np.diff(f(t))) <= np.diff(t) + 1e-12).all()


# ---- Gaussians --------------------------------------------------------------------------------------------

S1, S2 = np.array([[2, 0.5], [0.5, 1]]), np.array([[1, -0.3], [-0.3, 2]])


def test_gaussian_w2():
    """M14, by scipy's square root of matrices and by POT."""
    found = transport.gaussian_w2([1, -1], S1, [0, 0], S2)
    root = linalg.sqrtm(S1 @ S2).real  # another formula: that of FID
    assert found.bures == pytest.approx(np.trace(S1 + S2 - 2 * root)) == pytest.approx(0.575426, abs=5e-7)
    assert found.squared == pytest.approx(2.575426, abs=5e-7)
    assert found.distance**2 == pytest.approx(found.squared)
    pot = ot.gaussian.bures_wasserstein_distance(np.array([1.0, -1]), np.zeros(2), S1, S2)
    assert found.distance == pytest.approx(float(pot))
    A, shift = ot.gaussian.bures_wasserstein_mapping(np.array([1.0, -1]), np.zeros(2), S1, S2)
    assert found.matrix == pytest.approx(A) and found.matrix @ S1 @ found.matrix.T == pytest.approx(S2)


@untimed
@given(seeds, st.integers(1, 5))
def test_the_map_of_gaussians_is_positive_and_its_cost_is_w2(seed, d):
    rng = np.random.default_rng(seed)
    A, B, m1, m2 = *rng.normal(size=(2, d, d + 2)), *rng.normal(size=(2, d))
    S, R = A @ A.T, B @ B.T
    found = transport.gaussian_w2(m1, S, m2, R)
    T = found.matrix
    assert T == pytest.approx(T.T, abs=1e-7) and np.linalg.eigvalsh(T)[0] > 0
    moved = T - np.eye(d)  # E|T x - x|^2, and a matrix that maps S to R in another way costs no less
    assert np.trace(moved @ S @ moved.T) == pytest.approx(found.bures, rel=1e-6, abs=1e-8)
    other = np.linalg.cholesky(R) @ np.linalg.inv(np.linalg.cholesky(S)) - np.eye(d)
    assert np.trace(other @ S @ other.T) >= found.bures - 1e-9


def test_gaussians_on_a_line_and_a_point():
    assert transport.gaussian_w2([0], [[1]], [1], [[4]]).squared == pytest.approx(2)
    point = transport.gaussian_w2([0, 0], np.zeros((2, 2)), [3, 4], np.eye(2))
    assert point.squared == pytest.approx(25 + 2) and point.matrix is None


def test_gaussian_w2_is_a_lower_bound_for_samples_with_these_moments():
    """Gelbrich: among laws with given moments Gaussians are the nearest, exactly for every pair of clouds."""
    rng = np.random.default_rng(0)
    x, y = rng.exponential(size=(60, 2)), rng.normal(size=(60, 2)) @ [[1, 1], [0, 0.5]]
    cov_x, cov_y = np.cov(x.T, bias=True), np.cov(y.T, bias=True)
    bound = transport.gaussian_w2(x.mean(0), cov_x, y.mean(0), cov_y)
    assert ot.emd2([], [], ot.dist(x, y)) >= bound.squared


# ---- samples ----------------------------------------------------------------------------------------------


def test_the_limit_on_the_line():
    """M17, and the constant by scipy's quadrature."""
    assert transport.two_sample_limit(stats.uniform()) == pytest.approx(math.sqrt(math.pi) / 4, abs=1e-9)
    for law, a, b in [(N(0, 1), -12, 12), (stats.expon(), 0, 80), (stats.beta(2, 5), 0, 1)]:
        integral = integrate.quad(lambda t: math.sqrt(law.cdf(t) * law.sf(t)), a, b, limit=400)[0]
        assert transport.two_sample_limit(law) == pytest.approx(2 / math.sqrt(math.pi) * integral, abs=1e-6)
    assert transport.two_sample_limit(N()) == pytest.approx(1.822043, abs=5e-7)
    assert transport.two_sample_limit(stats.cauchy()) == math.inf
    assert transport.two_sample_limit(stats.t(2)) == math.inf  # sqrt(F) ~ 1/x: W1 is finite, but slower


def test_the_rate_on_the_line():
    found = transport.two_sample_w1(stats.uniform(), 500, 2000)
    assert math.sqrt(500) * found.mean == pytest.approx(math.sqrt(math.pi) / 4, abs=0.015)
    assert found.error < 0.001


@pytest.mark.parametrize("n, law, repeats, expected", [
    (64, 2, 40, None), (256, 2, 10, 0.271), (64, 5, 10, 1.419), (256, 5, 6, 1.078), (256, 10, 4, 2.315)
])  # fmt: skip
def test_the_price_of_perfection(n, law, repeats, expected):
    """D.9: two samples of one law are far apart, the more so the higher the dimension.

    Against the table of D.9, and where it says nothing against assignments of samples of our own.
    """
    found = transport.two_sample_w1(law, n, repeats, seed=1)
    if expected is None:
        clouds = np.random.default_rng(0).normal(size=(200, 2, n, law))
        costs = [spatial.cdist(x, y) for x, y in clouds]
        expected = np.mean([c[optimize.linear_sum_assignment(c)].mean() for c in costs])
    assert abs(found.mean - expected) < max(0.05 * expected, 4 * found.error)
    peak = (2 * math.pi) ** (-law / 2)  # of the density of N(0, I)
    assert found.mean > transport.sampling_floor(n, law, peak)


def test_the_same_seed_gives_the_same_samples():
    assert transport.two_sample_w1(2, 20, 3, seed=5) == transport.two_sample_w1(2, 20, 3, seed=5)
    assert transport.two_sample_w1(1, 20, 3) == transport.two_sample_w1(N(), 20, 3)


def test_the_floor_under_every_sample():
    """On [0, 1] the best n points have W1 = 1/(4 n); the bound is a half of that."""
    for n in (1, 7, 50):
        best = transport.w1((np.arange(n) + 0.5) / n, stats.uniform())
        assert best == pytest.approx(1 / (4 * n))
        assert transport.sampling_floor(n, 1, 1.0) == pytest.approx(best / 2)
    cubes = [transport.sampling_floor(n, 3, 1.0) for n in (100, 800)]
    assert cubes[0] / cubes[1] == pytest.approx(2)


@pytest.mark.parametrize("n, theta", [(1, 0.3), (6, 0.3), (25, 0.3), (3, 0.9), (10, 0.01)])
def test_minibatches_lead_to_a_median(n, theta):
    """D.9, against minimising the expectation itself over a grid."""
    k = np.arange(n + 1)
    weight = stats.binom.pmf(k, n, theta)
    grid = np.unique(np.r_[np.linspace(0, 1, 2001), k / n])
    expected = np.abs(grid[:, None] - k / n) @ weight
    found = transport.minibatch_minimiser(theta, n)
    assert np.abs(found - k / n) @ weight <= expected.min() + 1e-12
    assert found == pytest.approx(grid[expected.argmin()], abs=6e-4)


def test_the_bernoulli_examples():
    found = [transport.minibatch_minimiser(0.3, n) for n in (1, 6, 25)]
    assert found == pytest.approx([0, 1 / 3, 0.28])


# ---- the lines --------------------------------------------------------------------------------------------


def test_the_lines_without_noise():
    apart = transport.lines(-0.7)
    assert apart == (0.7, 0.7, LOG2, 1.0, math.inf, -1.0, 0.0)
    at_zero = transport.lines(0)
    assert at_zero[:5] == (0, 0, 0, 0, 0) and math.isnan(at_zero.dw1) and math.isnan(at_zero.djsd)


@pytest.mark.parametrize("sigma, kl, tv, jsd, slope", [
    (1, 0.5, 0.382925, 0.111421, 0.198986), (0.5, 2, 0.682689, 0.336831, 0.449600),
    (0.25, 8, 0.954500, 0.632720, 0.274390), (0.1, 50, 0.9999994, 0.693146, 2.23e-5),
])  # fmt: skip
def test_the_lines_with_noise(sigma, kl, tv, jsd, slope):
    """C.6 and M9; the slope also against differences of the value."""
    at = transport.lines(1, sigma)
    assert at[:5] == pytest.approx((1, 1, jsd, tv, kl), abs=1e-6)
    assert at.djsd == pytest.approx(slope, abs=1e-6) and at.dw1 == 1
    h = 1e-3 * sigma
    numeric = (transport.lines(1 + h, sigma).jsd - transport.lines(1 - h, sigma).jsd) / (2 * h)
    assert at.djsd == pytest.approx(numeric, abs=1e-6)
    assert transport.lines(-1, sigma).djsd == pytest.approx(-at.djsd)


def test_the_transport_of_sampled_lines():
    """W1 of the lines by a solver on points of both, the same heights or not."""
    rng = np.random.default_rng(0)
    u, v = rng.random(300), rng.random(300)
    here = np.c_[np.zeros(300), u]
    for order in (1, 2):
        same = ot.emd2([], [], ot.dist(here, np.c_[np.full(300, 0.7), u], "euclidean") ** order)
        assert same ** (1 / order) == pytest.approx(transport.lines(0.7).w2, abs=1e-9)
    other = ot.emd2([], [], ot.dist(here, np.c_[np.full(300, 0.7), v], "euclidean"))
    assert 0.7 <= other < 0.71


# ---- bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call, words", [
    (lambda: transport.kantorovich([0.5, 0.5], [1], [[1, 2]]), r"shape \(1, 2\); for 2 masses of p and 1"),
    (lambda: transport.kantorovich([0.5, -0.5, 1], [1], [[1]] * 3), "negative mass: -0.5 at index 1"),
    (lambda: transport.kantorovich([0.5, 0.5], [0.9], [[1]] * 2), "total mass 1 and q 0.9"),
    (lambda: transport.kantorovich([0, 0], [0], [[1]] * 2), "p has no mass"),
    (lambda: transport.kantorovich([math.nan, 1], [1], [[1]] * 2), r"p must be finite; at \(0,\) it is nan"),
    (lambda: transport.kantorovich([1], [0.5, 0.5], [[1, math.inf]]), r"cost must be finite; at \(0, 1\)"),
    (lambda: transport.kantorovich([1], [1], [1]), "cost must have 2 dimension"),
    (lambda: transport.kantorovich([], [], [[]]), "p must have 1 dimension"),
    (lambda: transport.kantorovich(["a"], [1], [[1]]), "p must hold real numbers"),
    (lambda: transport.monge([0.5, 0.5], [1], [[1, 2]]), "cost has shape"),
    (lambda: transport.monge(np.arange(1, 16), [60, 60], np.ones((15, 2))), "at most 14 masses, not 15"),
    (lambda: transport.push_forward([1], [0.5], 2), "whole numbers"),
    (lambda: transport.push_forward([1], [2], 2), "between 0 and 1"),
    (lambda: transport.marginal_matrix(0, 3), "n must be a positive whole number"),
    (lambda: transport.marginal_matrix(3, 2.5), "m must be a positive whole number"),
    (lambda: transport.certificate([[1]], [0], [0, 0], [[1]]), "shapes do not fit"),
    (lambda: transport.certificate([[-1]], [0], [0], [[1]]), "negative mass"),
    (lambda: transport.c_transform([1, 2], [[1]]), "f has 2 entries and cost 1 rows"),
    (lambda: transport.restricted_dual([1], [0.5, 0.5], [[1, 2]]), "must be square"),
    (lambda: transport.restricted_dual([1, 0], [0, 1], [[0, -2], [1, 0]]), "no solution"),
    (lambda: transport.w1([1, math.inf], [1]), "x must be finite"),
    (lambda: transport.w1([[1.0]], [1]), "x must have 1 dimension"),
    (lambda: transport.w1(stats.gamma, [1]), "freeze it"),
    (lambda: transport.wasserstein([1], [1], 0.5), "order must be at least 1"),
    (lambda: transport.wasserstein([1], N()), "x must be a frozen law"),
    (lambda: transport.wasserstein(stats.poisson(2), N()), "x is discrete"),
    (lambda: transport.gaussian_w2([0], [[1]], [0, 0], np.eye(2)), "m1 has 1 entries and m2 2"),
    (lambda: transport.gaussian_w2([0, 0], [[1]], [0, 0], np.eye(2)), r"S1 has shape \(1, 1\)"),
    (lambda: transport.gaussian_w2([0, 0], np.eye(2), [0, 0], [[1, 0.5], [0, 1]]), "S2 is not symmetric"),
    (lambda: transport.gaussian_w2([0, 0], np.eye(2), [0, 0], [[1, 2], [2, 1]]), "negative eigenvalue -1"),
    (lambda: transport.two_sample_w1(2, 0, 3), "n must be a positive whole number"),
    (lambda: transport.two_sample_w1(2.5, 3, 3), "law must be a positive whole number"),
    (lambda: transport.sampling_floor(3, 2, 0), "density must be above 0"),
    (lambda: transport.minibatch_minimiser(1.5, 3), "theta must lie between 0 and 1"),
    (lambda: transport.lines(math.nan), "theta must be finite"),
    (lambda: transport.lines(1, -0.1), "sigma at least 0"),
])  # fmt: skip
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ---- the exercises' checks --------------------------------------------------------------------------------


def own_plan(p, q, cost):
    n, m = cost.shape
    A = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    return optimize.linprog(cost.ravel(), A_eq=A, b_eq=np.r_[p, q]).x.reshape(n, m)


WAYS = {(1, 1), (1, 2), (2, 1), (2, 2), (3, 3)}


@pytest.mark.parametrize("check, right, wrongs", [
    (ex.check_earth, 1.1, [
        (0.8, "two"), (0.1, "means"), (0.7, "total variation"),
        (1.4, "differs"), (0.9, "too small"), ("a", None),
    ]),
    (ex.check_ways, WAYS, [
        (WAYS | {(3, 2)}, "(3, 2) is too dear: it costs 1 more"), (WAYS - {(3, 3)}, "1 more"),
        ({(0, 0)}, "from 1 to 3"), (5, "set of pairs"), (set(), "pair"), ({(1.5, 2)}, "pair"),
        ({"ab"}, "pair"),
        ({1, 2}, "pair"),
    ]),
    (ex.check_critic, [7, 3, -2, 2, 6], [
        ([0, -4, -9, -5, 0], "between points 3 and 5, 8.544 apart, it changes by 9"),
        ([0, 4, 9, 5, 1], "upside down"), ([0, 0, -1, -1, 0], "earns only 1"), ([0, 1], "shape"),
    ]),
    (ex.check_solver, own_plan, [
        (lambda p, q, cost: np.outer(p, q), "costs"),
        (lambda p, q, cost: own_plan(p, q, cost).ravel(), "still a vector"),
        (lambda p, q, cost: own_plan(p, q, cost).T, "rows belong to p"),
        (lambda p, q, cost: np.outer(p, np.ones(len(q)) / len(q)), "columns do not sum to q"),
        (lambda p, q, cost: np.outer(np.ones(len(p)) / len(p), q), "rows do not sum to p"),
        (lambda p, q, cost: 2 * np.outer(p, q) - own_plan(p, q, -cost), "moves -"),
        (lambda p, q, cost: own_plan(p, q, -cost), "is possible"),
        (lambda p, q, cost: None, "None"),
    ]),
])  # fmt: skip
def test_exercise_checks_know_right_from_wrong(check, right, wrongs, capsys):
    judged(capsys, check, right, wrongs)


# ---- the figures that move --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def figure(moving):
    """Runs a script on a part's `gan`: what it returns, and the page."""

    def run(part, script, argument=None):
        page = moving.page("transport", part)
        begin = "const root = document.querySelector('.gan-block'), gan = root.gan;"
        return page.evaluate(f"argument => {{ {begin} {script} }}", argument), page

    return run


READ = "return JSON.parse(JSON.stringify(gan.values()), (k, v) => v);"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("cost", ["distance", "squared", "root"])
@pytest.mark.parametrize("place", ["plane", "line"])
def test_the_moving_plan_is_the_library_s(figure, seed, cost, place):
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.ones(4), 2)
    if seed % 2:  # atoms without mass, and ties
        p, q = np.array([0, 0.5, 0, 0.5]), np.array([0.25, 0.25, 0.5, 0])
    heaps, pits = rng.uniform(-2, 2, (2, 4, 2))
    state = {"p": p.tolist(), "q": q.tolist(), "heaps": heaps.tolist(), "pits": pits.tolist()}
    shown, _ = figure("default", f"gan.set(argument); {READ}", {**state, "cost": cost, "place": place})
    flat = np.array([1, place == "plane"])
    price = spatial.cdist(heaps * flat, pits * flat) ** {"distance": 1, "squared": 2, "root": 0.5}[cost]
    assert np.array(shown["costs"]) == pytest.approx(price, abs=1e-12)
    assert shown["total"] == pytest.approx(transport.kantorovich(p, q, price).cost, abs=1e-9)
    plan = np.array(shown["plan"])
    assert plan.sum(1) == pytest.approx(p, abs=1e-9) and plan.sum(0) == pytest.approx(q, abs=1e-9)
    sure = transport.certificate(plan, shown["f"], shown["g"], price)
    assert abs(sure.gap) < 1e-9 and sure.least_slack > -1e-9 and shown["f"][0] == 0
    assert shown["earned"] == pytest.approx(shown["total"], abs=1e-9)
    assert shown["split"] == sum((row > 1e-9).sum() > 1 for row in plan)


def test_the_plan_by_keyboard_buttons_and_hand(figure, moving):
    press = "[...root.querySelectorAll('button')].find(b => b.textContent === argument).click();"
    shown, page = figure("default", f"{press} {READ}", "One heap, two pits")
    assert shown["p"] == [1, 0, 0, 0] and shown["split"] == 1
    shown, _ = figure("default", f"{press} {READ}", "All masses equal")
    assert shown["split"] == 0
    shown, _ = figure("default", f"{press} {READ}", "Back to the start")
    assert shown["p"] == pytest.approx([0.3, 0.3, 0.2, 0.2])
    page.get_by_label("edit").select_option("pit 2")
    page.get_by_label("its mass").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    shown, _ = figure("default", READ)
    assert shown["q"] == pytest.approx([0.7 / 3, 0.3, 0.7 / 3, 0.7 / 3])
    page.get_by_label("its x").focus()
    page.keyboard.press("Home")
    shown, _ = figure("default", READ)
    assert shown["pits"][1] == [-3, 1.5] and shown["heaps"][0] == [-2.2, 1.2]
    moving.drag("transport", "default", 0, (60, 30))
    shown, _ = figure("default", READ)
    assert shown["heaps"][0][0] > -1.9 and shown["heaps"][0][1] < 1.1
    assert float(page.get_by_label("its x").input_value()) == pytest.approx(shown["heaps"][0][0], abs=0.03)


@pytest.mark.parametrize("theta, sigma", [(1.0, 0.0), (-0.6, 0.3), (1.5, 0.6), (0.2, 0.05), (0.0, 0.3)])
def test_the_two_generators_walk_downhill(figure, theta, sigma):
    set_ = "gan.set({ theta: argument[0], w: argument[0], j: argument[0], sigma: argument[1] });"
    shown, _ = figure("lines", f"{set_} {READ}", [theta, sigma])
    at = transport.lines(theta, sigma)
    kl = math.inf if shown["kl"] is None else shown["kl"]
    expected = (at.w1, at.jsd, at.tv, at.kl)
    assert (shown["w1"], shown["jsd"], shown["tv"], kl) == pytest.approx(expected, abs=1e-9)
    if theta:
        assert (shown["dw1"], shown["djsd"]) == pytest.approx((at.dw1, at.djsd), abs=1e-9)
    press = "[...root.querySelectorAll('button')].find(b => b.textContent === 'Ten steps').click();"
    shown, _ = figure("lines", f"{press} {READ}")
    w = j = theta
    for _ in range(10):
        w -= 0.05 * np.sign(w) * (abs(w) > 1e-15)
        j -= 0.05 * (transport.lines(j, sigma).djsd if j and sigma else 0)
    assert (shown["w"], shown["j"]) == pytest.approx((w, j), abs=1e-7)

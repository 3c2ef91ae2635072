"""Divergences against closed forms, quadrature and Monte Carlo, and what must hold for all pairs of laws."""
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings, strategies as st
from scipy import integrate, stats

from gantools import divergences as dv

LOG2 = math.log(2)
N, U = stats.norm, stats.uniform
ALL = [dv.kl, dv.reverse_kl, dv.jsd, dv.tv, dv.hellinger, dv.pearson]
names = [f.__name__ for f in ALL]


# ---- against closed forms, quadrature of another form, and Monte Carlo -------------------------------------

@pytest.mark.parametrize("mu", [0., 1e-4, .5, 1., 2., 3., 4., 6., 10.])
def test_two_normals_of_unit_variance(mu):
    p, q = N(0, 1), N(mu, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        soft = integrate.quad(lambda z: N.pdf(z) * np.logaddexp(0, mu * z - mu ** 2 / 2), -12, 12,
                              points=[mu / 2], epsabs=1e-13, limit=200)[0]
    assert dv.kl(p, q) == pytest.approx(mu ** 2 / 2, abs=1e-11)
    assert dv.reverse_kl(p, q) == pytest.approx(mu ** 2 / 2, abs=1e-11)
    assert dv.jsd(p, q) == pytest.approx(LOG2 - soft, abs=1e-11)
    assert dv.tv(p, q) == pytest.approx(2 * N.cdf(mu / 2) - 1, abs=1e-11)
    assert dv.hellinger(p, q) == pytest.approx(2 * -math.expm1(-mu ** 2 / 8), abs=1e-11)
    assert dv.pearson(p, q) == pytest.approx(math.expm1(mu ** 2), rel=1e-10)


def test_values_of_the_book():
    assert dv.kl(N(0, 1), N(1, 2)) == pytest.approx(0.443147, abs=5e-7)                         # M1
    assert dv.jsd(N(0, 1), N(1, 1)) == pytest.approx(0.111421, abs=5e-7)                        # M3
    assert dv.jsd([.5, .5], [.9, .1]) == pytest.approx(0.101749, abs=5e-7)
    assert dv.jsd(N(0, .5), N(1, .5)) == pytest.approx(0.336831, abs=5e-7)                      # M9
    assert dv.jsd(U(0, 1), U(.3, 1)) == pytest.approx(.3 * LOG2, abs=1e-12)                     # M10
    assert dv.hellinger(N(0, 1), N(1, 1)) == pytest.approx(0.235006, abs=5e-7)
    assert dv.pearson(N(0, 1), N(1, 1)) == pytest.approx(1.718282, abs=5e-7)
    assert 2 * dv.kl([.5, .5], [.75, .25]) == pytest.approx(2 * 0.143841, abs=2e-6)
    for delta, value in {.01: .003478, .05: .017649, .1: .035974, .3: .117277, .9: .525597}.items():
        assert dv.jmax(delta) == pytest.approx(value, abs=5e-7)                                 # M24


@pytest.mark.parametrize("m1, s1, m2, s2", [(0, 1, 1, 2), (3, .1, -2, 1.5), (0, 1, 0, 1.3), (-40, 1, 40, 2),
                                            (1e6, 1e-3, 1e6, 1e-3), (0, 1, 1e-3, 1e3)])
def test_two_normals(m1, s1, m2, s2):
    p, q = N(m1, s1), N(m2, s2)
    kl = math.log(s2 / s1) + (s1 ** 2 + (m1 - m2) ** 2) / (2 * s2 ** 2) - .5
    both = s1 ** 2 + s2 ** 2
    affinity = math.sqrt(2 * s1 * s2 / both) * math.exp(-(m1 - m2) ** 2 / 4 / both)
    assert dv.kl(p, q) == pytest.approx(kl, rel=1e-9, abs=1e-11)
    assert dv.reverse_kl(q, p) == pytest.approx(kl, rel=1e-9, abs=1e-11)
    assert dv.hellinger(p, q) == pytest.approx(2 - 2 * affinity, abs=1e-10)
    spread = 2 * s2 ** 2 - s1 ** 2                  # of N(m1,s1)^2 / N(m2,s2): integrable only if positive
    if spread > 0:
        with np.errstate(over="ignore"):
            square = s2 ** 2 / (s1 * math.sqrt(spread)) * np.exp((m1 - m2) ** 2 / spread)
        assert dv.pearson(p, q) == pytest.approx(square - 1, rel=1e-9)


@pytest.mark.parametrize("p, q", [
    (stats.t(3), stats.logistic(.4, 1.2)), (stats.gamma(.5), stats.expon()),
    (stats.beta(.5, 2), stats.beta(2, .7)),
    (stats.cauchy(), stats.t(2, 1, 2)), (stats.gumbel_r(), N(1, 3)),
    (stats.lognorm(.8), stats.expon(scale=2)),
    (dv.mixture([.3, .7], [N(-1, .2), N(2, 1)]), N(1, 2)), (U(-1, 2), stats.triang(.3, -1, 2)),
], ids=lambda law: getattr(law, "dist", law).__class__.__name__)          # the same in every process
def test_against_monte_carlo(p, q):
    """Means over 2e5 draws from p and from q, within five standard errors."""
    n = 200_000
    x, y = (law.rvs(size=n, random_state=k) for k, law in enumerate((p, q)))

    def mean(values):
        return values.mean(), 5 * values.std() / math.sqrt(n) + 1e-9

    lx, ly = p.logpdf(x) - q.logpdf(x), p.logpdf(y) - q.logpdf(y)
    for value, (expected, tol) in (
            (dv.kl(p, q), mean(lx)), (dv.reverse_kl(p, q), mean(-ly)),
            (dv.tv(p, q), mean(np.maximum(1 - np.exp(ly), 0))),
            (dv.hellinger(p, q), mean((1 - np.exp(ly / 2)) ** 2)),
            (dv.cross_entropy(p, q), mean(-q.logpdf(x))), (dv.entropy(p), mean(-p.logpdf(x)))):
        assert value == pytest.approx(expected, abs=tol)
    half, tol = mean(LOG2 - np.logaddexp(0, -lx))
    other, more = mean(LOG2 - np.logaddexp(0, ly))
    assert dv.jsd(p, q) == pytest.approx((half + other) / 2, abs=tol + more)


@pytest.mark.parametrize("law", [
    N(3, .2), stats.cauchy(), stats.gamma(.5), stats.beta(.5, .5), stats.expon(scale=5), U(2, 1e-3),
    stats.t(1.5), stats.poisson(7.3), stats.binom(20, .3), stats.geom(.01)], ids=lambda law: law.dist.name)
def test_entropy_against_scipy(law):
    tol = 2e-6 if law.dist.name == "beta" else 1e-9               # a pole at 1, where floats are coarse
    assert dv.entropy(law) == pytest.approx(float(law.entropy()), abs=tol)


def test_discrete_laws_against_closed_forms():
    assert dv.kl(stats.poisson(3), stats.poisson(5)) == pytest.approx(3 * math.log(3 / 5) + 2, abs=1e-12)
    coin = .3 * math.log(.3 / .6) + .7 * math.log(.7 / .4)
    assert dv.kl(stats.binom(9, .3), stats.binom(9, .6)) == pytest.approx(9 * coin, abs=1e-12)
    assert dv.kl(stats.geom(.3), stats.geom(.5)) == pytest.approx(
        math.log(.3 / .5) + (1 / .3 - 1) * math.log(.7 / .5), abs=1e-12)
    assert dv.pearson(stats.poisson(2), stats.poisson(3)) == pytest.approx(math.expm1(1 / 3), abs=1e-12)
    assert dv.hellinger(stats.poisson(2), stats.poisson(8)) == pytest.approx(
        2 * -math.expm1(-(math.sqrt(8) - math.sqrt(2)) ** 2 / 2), abs=1e-12)
    table = stats.rv_discrete(values=([0, 1, 5], [.2, .3, .5]))
    other = stats.rv_discrete(values=([0, 1, 5], [.5, .25, .25]))
    for f in ALL:
        assert f(table, other) == pytest.approx(f([.2, .3, .5], [.5, .25, .25]), abs=1e-13)


def test_vectors_may_be_lists_arrays_or_tensors():
    for kind in (list, np.array, torch.tensor, lambda v: torch.tensor(v, requires_grad=True)):
        assert dv.kl(kind([.25, .75]), [.5, .5]) == pytest.approx(LOG2 - dv.binary_entropy(.25), abs=1e-12)
    p = torch.softmax(torch.arange(10.), 0)                               # float32 sums to one only roughly
    assert dv.kl(p, p) == pytest.approx(0, abs=1e-12)
    assert dv.entropy([1, 0]) == 0 and dv.entropy([.5, .5]) == pytest.approx(LOG2)
    assert dv.cross_entropy([.5, .5], [.9, .1]) == pytest.approx(LOG2 + dv.kl([.5, .5], [.9, .1]))


# ---- infinities, disjoint and far-apart laws ---------------------------------------------------------------

@pytest.mark.parametrize("p, q", [
    ([1, 0], [0, 1]), (U(0, 1), U(3, 1)), (N(0, 1), N(100, 1)), (N(0, 1), U(50, 1)),
    (N(0, 1), stats.poisson(3)),
    (stats.poisson(3), stats.poisson(3, loc=.5)), (stats.randint(0, 5), stats.randint(5, 9))])
def test_laws_that_share_no_mass(p, q):
    assert dv.jsd(p, q) == pytest.approx(LOG2, abs=1e-12)
    assert dv.tv(p, q) == pytest.approx(1, abs=1e-12)
    assert dv.hellinger(p, q) == pytest.approx(2, abs=1e-12)
    assert dv.pearson(p, q) == math.inf
    normal = not isinstance(p, list) and p.dist.name == q.dist.name == "norm"     # far apart, not singular
    assert dv.kl(p, q) == (pytest.approx(5000) if normal else math.inf)


@pytest.mark.parametrize("f, p, q", [
    (dv.kl, U(0, 1), U(.3, 1)), (dv.kl, N(0, 1), U(-9, 18)), (dv.kl, stats.cauchy(), N(0, 1)),
    (dv.kl, [.5, .5, 0], [1, 0, 0]), (dv.kl, stats.geom(.5), stats.binom(10, .5)),
    (dv.kl, N(0, 1), stats.expon()), (dv.reverse_kl, stats.expon(), N(0, 1)),
    (dv.reverse_kl, N(0, 1), stats.t(2)),
    (dv.kl, U(0, 3), dv.mixture([.5, .5], [U(0, 1), U(2, 1)])), (dv.pearson, N(0, 2), N(0, 1)),
    (dv.pearson, N(0, math.sqrt(2)), N(0, 1)), (dv.pearson, stats.t(3), stats.t(6)),
    (dv.pearson, U(), stats.beta(3, 1)), (dv.pearson, U(), stats.beta(2, 1)),
    (dv.pearson, stats.chi2(1), stats.chi2(3)),
    (dv.pearson, stats.pareto(1), stats.pareto(5)), (dv.pearson, stats.geom(.2), stats.geom(.4)),
    (dv.pearson, stats.geom(.2), stats.poisson(3)), (dv.pearson, N(0, 1), N(40, 1)),
    (dv.cross_entropy, N(0, 1), U(0, 1)), (dv.cross_entropy, [.5, .5], [1, 0]),
], ids=lambda v: getattr(v, "__name__", ""))
def test_infinite(f, p, q):
    assert f(p, q) == math.inf


@pytest.mark.parametrize("f, p, q, value", [
    (dv.kl, U(0, 1), U(0, 4), math.log(4)), (dv.kl, [1., 0.], [.5, .5], LOG2),
    (dv.pearson, N(0, 1.41), N(0, 1), 1 / (1.41 * math.sqrt(2 - 1.41 ** 2)) - 1),
    (dv.pearson, U(), stats.beta(1.9, 1), 1 / (1.9 * .1) - 1), (dv.pearson, stats.chi2(3), stats.chi2(1), 2.),
    (dv.kl, U(), stats.beta(3, 1), 2 - math.log(3)), (dv.kl, stats.pareto(1.5), stats.pareto(3), 1 - LOG2),
    (dv.pearson, stats.geom(.3), stats.geom(.5), .09 / .5 / (1 - .49 / .5) - 1),
], ids=lambda v: getattr(v, "__name__", ""))
def test_finite_although_close_to_infinite(f, p, q, value):
    assert f(p, q) == pytest.approx(value, rel=1e-7)


def test_a_law_that_underflows_is_refused_rather_than_guessed():
    """scipy's Laplace density is exponentiated before its logarithm is taken, and vanishes beyond 745."""
    with pytest.raises(ValueError, match="q underflows to 0"):
        dv.kl(stats.cauchy(), stats.laplace())
    with pytest.raises(ValueError, match="p underflows to 0"):
        dv.reverse_kl(stats.laplace(), stats.cauchy())
    assert dv.kl(stats.laplace(), stats.cauchy()) < math.inf


@pytest.mark.parametrize("mu", [1e-3, 1e-5, 1e-7])
def test_no_digits_are_lost_when_the_laws_nearly_agree(mu):
    assert dv.kl(N(0, 1), N(mu, 1)) == pytest.approx(mu ** 2 / 2, rel=1e-6)
    assert dv.jsd(N(0, 1), N(mu, 1)) == pytest.approx(mu ** 2 / 8, rel=1e-5)
    assert dv.hellinger(N(0, 1), N(mu, 1)) == pytest.approx(mu ** 2 / 4, rel=1e-6)


def test_a_law_narrower_than_floats_is_refused():
    with pytest.raises(ValueError, match="so narrow around 1.7 that floats do not resolve it"):
        dv.kl(N(0, 1), dv.mixture([.5, .5], [N(0, 1), N(1.7, 1e-16)]))
    assert dv.kl(N(0, 1), dv.mixture([.5, .5], [N(0, 1), N(0, 1e-16)])) == pytest.approx(LOG2, abs=1e-9)


def test_narrow_component_in_a_mixture():
    """Half of the mass in a spike of width 1e-9: the spike and the background hardly overlap."""
    spike = dv.mixture([.5, .5], [N(0, 1), N(.3, 1e-9)])
    assert dv.kl(N(0, 1), spike) == pytest.approx(LOG2, abs=1e-6)
    assert dv.tv(N(0, 1), spike) == pytest.approx(.5, abs=1e-7)
    assert dv.entropy(spike) == pytest.approx(LOG2 + (N(0, 1).entropy() + N(0, 1e-9).entropy()) / 2, abs=1e-6)


# ---- what holds for every pair -----------------------------------------------------------------------------

def vectors(count, size=st.integers(1, 8)):
    def laws(n):
        masses = st.lists(st.one_of(st.just(0.), st.floats(1e-6, 1)), min_size=n, max_size=n)
        law = masses.filter(lambda m: sum(m) > 0).map(lambda m: np.array(m) / sum(m))
        return st.tuples(*[law] * count)
    return size.flatmap(laws)


@given(vectors(2))
def test_ranges_symmetry_and_inequalities(pair):
    p, q = pair
    kl, rkl, js, tv, h, chi = (f(p, q) for f in ALL)
    assert min(kl, rkl, js, tv, h, chi) >= 0
    assert js <= LOG2 and tv <= 1 and h <= 2
    assert rkl == dv.kl(q, p)
    for f in (dv.jsd, dv.tv, dv.hellinger):
        assert f(q, p) == pytest.approx(f(p, q), abs=1e-13)
    assert tv <= math.sqrt(kl / 2) + 1e-9                                                    # Pinsker
    assert LOG2 - dv.binary_entropy((1 - tv) / 2) - 1e-9 <= js <= LOG2 * tv + 1e-9           # B.5
    assert h / 2 - 1e-9 <= tv <= math.sqrt(h * (1 - h / 4)) + 1e-9                           # Le Cam
    assert h <= kl + 1e-9 and kl <= math.log1p(chi) + 1e-9


@given(vectors(1))
def test_zero_between_a_law_and_itself(one):
    for f in ALL:
        assert f(one[0], one[0]) < 1e-30


@given(vectors(3))
def test_triangle_inequality_of_root_jsd_and_tv(three):
    a, b, c = three
    for d in (lambda p, q: math.sqrt(dv.jsd(p, q)), dv.tv, lambda p, q: math.sqrt(dv.hellinger(p, q))):
        assert d(a, c) <= d(a, b) + d(b, c) + 1e-9


def test_jsd_itself_breaks_the_triangle_inequality():
    a, b, c = [1, 0], [.5, .5], [0, 1]
    assert dv.jsd(a, c) == pytest.approx(0.693147, abs=5e-7)
    assert dv.jsd(a, b) + dv.jsd(b, c) == pytest.approx(0.431523, abs=5e-7)


@given(vectors(2, st.integers(2, 8)), st.data())
def test_merging_bins_never_raises_a_divergence(pair, data):
    p, q = pair
    label = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(p), max_size=len(p))))
    merged = [np.array([law[label == k].sum() for k in range(4)]) for law in (p, q)]
    for f in ALL:
        whole, coarse = f(p, q), f(*merged)
        assert coarse <= whole * (1 + 1e-9) + 1e-9


@given(vectors(2), st.floats(0, 1))
def test_contamination_costs_at_most_jmax(pair, delta):
    p, other = pair
    mixed = (1 - delta) * p + delta * other
    assert dv.jsd(p, mixed) <= dv.jmax(delta) + 1e-9
    assert dv.jmax(delta) <= delta * LOG2 + 1e-12


@given(st.floats(0, 1))
def test_jmax_is_reached_by_disjoint_noise_and_by_a_dropped_mode(delta):
    assert dv.jsd([1, 0], [1 - delta, delta]) == pytest.approx(dv.jmax(delta), abs=1e-12)
    assert dv.jsd([1 - delta, delta], [1, 0]) == pytest.approx(dv.jmax(delta), abs=1e-12)


@settings(max_examples=25)
@given(st.floats(-5, 5), st.floats(.2, 3), st.floats(-3, 3), st.floats(.3, 4))
def test_invariance_under_affine_maps_of_the_line(mean, sd, shift, scale):
    p, q = N(0, 1), N(mean, sd)
    moved = N(shift, scale), N(shift + scale * mean, scale * sd)
    for f in (dv.kl, dv.jsd, dv.tv, dv.hellinger):
        assert f(*moved) == pytest.approx(f(p, q), rel=1e-8, abs=1e-9)


@settings(max_examples=25)
@given(st.floats(-4, 4), st.floats(.3, 3), st.integers(2, 40))
def test_a_histogram_of_two_laws_is_at_most_as_far_apart(mean, sd, bins):
    p, q = N(0, 1), N(mean, sd)
    edges = np.r_[-np.inf, np.linspace(-6, 6, bins), np.inf]
    binned = [np.where(edges[:-1] < law.mean(), np.diff(law.cdf(edges)), -np.diff(law.sf(edges)))
              for law in (p, q)]
    assume(all((masses > 0).all() for masses in binned))
    for f in (dv.kl, dv.jsd, dv.tv, dv.hellinger):
        assert f(*binned) <= f(p, q) + 1e-9


@given(st.floats(0, 1))
def test_binary_entropy_is_that_of_a_coin(t):
    assert dv.binary_entropy(t) == pytest.approx(dv.entropy([t, 1 - t]), abs=1e-12)
    assume(0 < t < 1)
    assert dv.binary_entropy(t) <= LOG2 + 1e-15


def test_jmax_and_binary_entropy_take_arrays():
    assert dv.jmax(np.array([0., 1.])) == pytest.approx([0, LOG2], abs=1e-15)
    assert dv.binary_entropy([0., .5, 1.]) == pytest.approx([0, LOG2, 0])
    delta = np.linspace(0, 1, 101)
    assert (np.diff(dv.jmax(delta), 2) > 0).all()                                    # convex


# ---- mixtures ----------------------------------------------------------------------------------------------

def test_a_mixture_of_mixtures_is_a_mixture():
    inner = dv.mixture([.5, .5], [N(-2, .5), N(0, 1)])
    flat = dv.mixture([.3, .3, .4], [N(-2, .5), N(0, 1), N(3, .7)])
    nested = dv.mixture([.6, .4], [inner, N(3, .7)])
    assert dv.tv(nested, flat) == pytest.approx(0, abs=1e-12)
    assert dv.kl(nested, N(0, 2)) == pytest.approx(dv.kl(flat, N(0, 2)), rel=1e-9)
    assert dv.expectation(np.square, nested) == pytest.approx(.3 * 4.25 + .3 + .4 * 9.49, rel=1e-9)


def test_mixture_has_the_density_the_cdf_and_the_draws_of_its_parts():
    law = dv.mixture([.25, .75], [N(-2, .5), stats.expon(1)])
    x = np.linspace(-4, 6, 7)
    assert law.pdf(x) == pytest.approx(.25 * N(-2, .5).pdf(x) + .75 * stats.expon(1).pdf(x), abs=1e-15)
    mass_below = [integrate.quad(law.pdf, -12, t, points=[-2, 1])[0] for t in x]
    assert law.cdf(x) == pytest.approx(mass_below, abs=1e-6)
    assert law.support() == (-math.inf, math.inf)
    assert dv.mixture([0, 1], [N(0, 1), U(0, 2)]).support() == (0, 2)
    draws = law.rvs(20_000, random_state=0)
    assert stats.kstest(draws, law.cdf).pvalue > 1e-3
    assert np.array_equal(draws, law.rvs(20_000, random_state=0))


# ---- bad input ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("p, q, message", [
    ([.5, .6, -.1], [.3, .3, .4], r"p has a negative mass: -0.1 at index 2"),
    ([.3, .3, .4], [.5, .6, -.1], r"q has a negative mass"),
    ([.5, .4], [.5, .5], r"p does not sum to one: its entries sum to 0.9"),
    ([.5, .5], [.5, .5, 0], r"p has 2 entries and q has 3"),
    ([.5, math.nan], [.5, .5], r"p holds a NaN or an infinity at index 1"),
    ([.5, .5], [math.inf, .5], r"q holds a NaN or an infinity at index 0"),
    ([], [], r"p is empty"), ([[.5, .5]], [.5, .5], r"p has shape \(1, 2\): a probability vector has one"),
    (.5, [.5, .5], r"p has shape \(\)"), ("ab", [.5, .5], r"p is neither a vector"),
    ([.5, .5], None, r"q is neither a vector"), ([.5, [.5]], [.5, .5], r"p is neither a vector"),
    ([.5, .5], N(0, 1), r"q is a distribution and p is not"),
    (N(0, 1), [.5, .5], r"p is a distribution and q is not"),
    (stats.t, N(0, 1), r"p has no parameters yet: freeze it"),
    (N(0, 1), N(0, -1), r"q is not a law: its parameters"),
    (N([0, 1], 1), N(0, 1), r"p is not one law on the line"),
    (stats.multivariate_normal([0, 0]), stats.multivariate_normal([0, 0]), r"p is neither"),
])
@pytest.mark.parametrize("f", [*ALL, dv.cross_entropy], ids=[*names, "cross_entropy"])
def test_bad_input_is_named(f, p, q, message):
    with pytest.raises(ValueError, match=message):
        f(p, q)


@pytest.mark.parametrize("call, message", [
    (lambda: dv.mixture([.5, .6], [N(0, 1), N(1, 1)]), "weights does not sum to one"),
    (lambda: dv.mixture([.5, .5], [N(0, 1)]), "1 laws need as many weights, not 2"),
    (lambda: dv.mixture([.5, .5], [N(0, 1), stats.poisson(3)]), "one of these is discrete"),
    (lambda: dv.mixture([1.], [3.]), "law 0 of the mixture is not a 1-D distribution"),
    (lambda: dv.jmax(1.2), r"delta must lie in \[0, 1\], not 1.2"),
    (lambda: dv.jmax([.2, math.nan]), "delta must lie"),
    (lambda: dv.binary_entropy(-.1), r"t must lie in \[0, 1\]"),
    (lambda: dv.cross_entropy(N(0, 1), stats.poisson(3)), "discrete law and a law with a density"),
    (lambda: dv.entropy([.5, .4]), "p does not sum to one"),
])
def test_bad_input_elsewhere(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("f", ALL, ids=names)
def test_no_warnings_reach_the_reader(f):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f([.5, .5, 0], [1, 0, 0])
        f(N(0, 1), N(40, 1))
        f(stats.cauchy(), N(0, 1))
        f(U(0, 1), U(3, 1))


# ---- f-divergences: E.1, E.2, M18 -------------------------------------------------------------------------

POINTS = np.geomspace(1e-6, 1e6, 200_001)          # a fine grid of u for conjugates by brute force
F_VALUES = {"kl": .5, "reverse_kl": .5, "pearson": math.e - 1, "hellinger": 2 - 2 * math.exp(-1 / 8),
            "js": .222843, "jsd": .111421, "gan": -1.163451, "tv": .382925}
rows = pytest.mark.parametrize("row", [dv.f_divergence(name) for name in dv.F_DIVERGENCES], ids=repr)


@rows
def test_f_divergence_values(row):
    """The value, the definition summed by hand, and the table."""
    x = np.linspace(-12, 13, 20_001)
    by_hand = integrate.simpson(N.pdf(x, 1) * row.f(np.exp(.5 - x)), x=x)
    assert row.value(N(0, 1), N(1, 1)) == pytest.approx(F_VALUES[row.name], abs=5e-6)
    assert by_hand == pytest.approx(F_VALUES[row.name], abs=5e-6)
    p, q = np.array([.2, .3, .5]), np.array([.5, .4, .1])
    assert row.value(p, q) == pytest.approx(float(q @ row.f(p / q)), abs=1e-12)
    assert row.value(p, p) == pytest.approx(row.at_one, abs=1e-12)
    least, most = row.range
    assert row.value([1, 0], [0, 1]) == pytest.approx(most) and least == row.at_one


@rows
def test_conjugates_by_brute_force(row):
    low, high = max(row.domain[0], -6.), min(row.domain[1], 3.)
    for t in np.linspace(low, high - 1e-3, 9):
        brute = max(np.max(POINTS * t - row.f(POINTS)), -row.at_zero)
        assert row.conjugate(t) == pytest.approx(brute, rel=1e-6, abs=2e-5)
        assert row.loose_conjugate(t) >= row.conjugate(t) - 1e-15
    if row.domain[1] < math.inf and row.name != "tv":
        assert row.conjugate(row.domain[1] + 1e-9) == math.inf
    assert dv.f_divergence("tv").conjugate(.6) == math.inf


def test_tables_print_a_looser_conjugate():
    pearson, total = dv.f_divergence("pearson"), dv.f_divergence("tv")
    assert (pearson.conjugate(-3.), pearson.loose_conjugate(-3.)) == (-1., -.75)
    assert (total.conjugate(-.8), total.loose_conjugate(-.8)) == (-.5, math.inf)


@rows
@settings(max_examples=60)
@given(u=st.floats(1e-4, 1e4), v=st.floats(-8, 8))
def test_fenchel_young(row, u, v):
    """f(u) + f*(t) >= ut, with equality at t = f'(u)."""
    t = row.activation(v)
    slack = row.f(u) + row.conjugate(t) - u * t
    assert slack >= -1e-9 * (1 + abs(u * t) + abs(row.f(u)))
    best = row.optimal_critic(u)
    assert row.f(u) + row.conjugate(best) == pytest.approx(u * best, rel=1e-7, abs=1e-7)


@rows
@given(v=st.floats(-12, 12))
def test_pieces_of_a_row_fit_together(row, v):
    t = row.activation(v)
    assert row.domain[0] < t <= row.domain[1]
    # as v grows g_f(v) rounds to the end of the domain, where f* cannot be computed from it any more
    if t < row.domain[1] - 1e-3:
        assert row.fake_term(v) == pytest.approx(row.conjugate(t), rel=1e-9, abs=1e-9)
    assert row.activation(v + .5) >= t and 0 <= row.share(v) <= 1
    assert row.activation(row.even) == pytest.approx(row.threshold, abs=1e-15)
    assert row.share(row.even) == pytest.approx(.5)


@rows
def test_functions_take_numbers_arrays_and_tensors_and_differentiate(row):
    u = np.geomspace(.01, 50, 41)
    tensor = torch.from_numpy(u).requires_grad_()
    slope = torch.autograd.grad(row.f(tensor).sum(), tensor)[0].numpy()
    away = u != 1
    assert slope[away] == pytest.approx(row.derivative(u)[away], rel=1e-9, abs=1e-12)
    two = torch.tensor(2., dtype=torch.float64)
    assert row.f(2.) == row.f(np.array([2.]))[0] == row.f(two).item()
    assert np.ndim(row.f(2.)) == 0 and row.f(u.reshape(1, 41)).shape == (1, 41)
    assert row.f(torch.tensor([1.5])).dtype == torch.float32
    if row.name == "tv":
        return
    # (f*)' inverts f', and the share that a score claims is u/(1 + u) at that u
    v = torch.linspace(-1.5, 2, 15, dtype=torch.float64)
    t = row.activation(v).requires_grad_()
    claimed = torch.autograd.grad(row.conjugate(t).sum(), t)[0]
    assert row.share(v).numpy() == pytest.approx((claimed / (1 + claimed)).numpy(), abs=1e-9)
    assert row.derivative(claimed).numpy() == pytest.approx(t.detach().numpy(), abs=1e-9)


@rows
@settings(max_examples=25)
@given(data=st.data())
def test_f_divergences_of_merged_bins_and_mixtures(row, data):
    """Data processing, joint convexity and the range."""
    shares = st.lists(st.floats(.01, 1), min_size=4, max_size=4)
    p, q, r, s = (np.array(data.draw(shares)) for _ in range(4))
    p, q, r, s = (v / v.sum() for v in (p, q, r, s))
    whole = row.value(p, q)
    merged = row.value([p[0] + p[1], *p[2:]], [q[0] + q[1], *q[2:]])
    assert row.at_one - 1e-12 <= merged <= whole + 1e-9 and whole <= row.range[1] + 1e-9
    assert row.value((p + r) / 2, (q + s) / 2) <= (whole + row.value(r, s)) / 2 + 1e-9


def test_the_range_of_each_row():
    ends = {name: dv.f_divergence(name).range for name in dv.F_DIVERGENCES}
    assert ends["gan"] == pytest.approx((-math.log(4), 0)) and ends["js"] == pytest.approx((0, math.log(4)))
    assert ends["tv"] == (0, 1) and ends["hellinger"] == (0, 2) and ends["jsd"] == pytest.approx((0, LOG2))
    assert {name for name, (_, most) in ends.items() if most == math.inf} == {"kl", "reverse_kl", "pearson"}


@pytest.mark.parametrize("name", ["", "KL", "js-divergence", None, ["kl"]])
def test_unknown_f_divergences_are_answered_with_the_known_ones(name):
    with pytest.raises(ValueError, match="kl, reverse_kl, pearson, hellinger, js, jsd, gan, tv"):
        dv.f_divergence(name)

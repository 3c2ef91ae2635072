"""Contamination in numbers: bounds, identities, closed forms, each against a route that knows no formula."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from gantools import controlled, data, divergences
from gantools.controlled import Distance

N, U = stats.norm, stats.uniform
LOG2 = math.log(2)
DELTAS = [0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1]
seeds = st.integers(0, 2**32 - 1)
levels = st.floats(0, 1)


def entropy(p):
    """Independent of the library: -sum p log p by hand."""
    return -sum(x * math.log(x) for x in p if x > 0)


def jsd_by_hand(p, q):
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return entropy(middle) - (entropy(p) + entropy(q)) / 2


def simpson(p, q, low=-30.0, high=36.0, n=200_001):
    """TV and JSD on a fixed grid."""
    x = np.linspace(low, high, n)
    a, b = p(x), q(x)
    m = (a + b) / 2
    jsd = (a * np.log(a / m) + b * np.log(b / m)) / 2
    return integrate.simpson(np.abs(a - b) / 2, x=x), integrate.simpson(jsd, x=x)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


# ---- the bound: G.2, G.3, M24 -----------------------------------------------------------------------------


def test_the_table_of_the_bound():
    nats = [0.003478, 0.017649, 0.035974, 0.074882, 0.117277, 0.215762, 0.342014, 0.525597, 0.693147]
    bits = [0.005018, 0.025462, 0.051899, 0.108032, 0.169195, 0.311278, 0.493423, 0.758277, 1]
    assert controlled.jsd_bound(DELTAS) == pytest.approx(nats, abs=5e-7)
    assert controlled.jsd_bound(DELTAS, bits=True) == pytest.approx(bits, abs=5e-7)
    for delta in DELTAS:  # clean data on one point, noise on another
        by_hand = jsd_by_hand([1, 0], [1 - delta, delta])
        assert controlled.jsd_bound(delta) == pytest.approx(by_hand, abs=1e-12)


def test_the_inverse_s_table():
    nats = [0.028556, 0.136996, 0.260332, 0.470802, 0.639759, 0.877783]
    assert controlled.delta_for([0.01, 0.05, 0.1, 0.2, 0.3, 0.5]) == pytest.approx(nats, abs=5e-7)
    assert controlled.delta_for([0.1, 0.5], bits=True) == pytest.approx([0.186189, 0.706185], abs=5e-7)
    assert controlled.delta_for(0) == 0 and controlled.delta_for(LOG2) == 1
    assert controlled.delta_for(1, bits=True) == 1
    assert isinstance(controlled.delta_for(0.1), float) and controlled.delta_for([[0.1]]).shape == (1, 1)


@given(levels, st.booleans())
def test_the_inverse_inverts(delta, bits):
    assert controlled.delta_for(controlled.jsd_bound(delta, bits), bits) == pytest.approx(delta, abs=1e-9)


@given(st.floats(0, 1))
def test_the_inverse_reaches_the_target(share):
    jsd = controlled.jsd_bound(controlled.delta_for(share * LOG2))
    assert jsd == pytest.approx(share * LOG2, rel=1e-12, abs=1e-15)


def test_bits_and_nats():
    """G.3: delta is never the divergence itself, in either unit, though it bounds both."""
    delta = np.linspace(0, 1, 1001)
    bits, nats = controlled.jsd_bound(delta, bits=True), controlled.jsd_bound(delta)
    assert bits * LOG2 == pytest.approx(nats, rel=1e-14)
    assert (bits[1:-1] < delta[1:-1]).all() and (nats[1:] < delta[1:]).all()
    assert (np.diff(nats, 2) > 0).all()
    ratio = [controlled.jsd_bound(d, bits=True) / d for d in (0.1, 0.9)]
    assert ratio == pytest.approx([0.519, 0.843], abs=5e-4)
    assert nats[1] / delta[1] == pytest.approx(LOG2 / 2, rel=2e-3)  # half of delta log 2 to first order


# ---- the identity and the bound on finite spaces ----------------------------------------------------------


def finite(seed, n):
    """A clean and a moved vector, with zeros among them."""
    generator = np.random.default_rng(seed)
    laws = generator.dirichlet(np.full(n, 0.5), 2)
    laws[generator.random((2, n)) < 0.25] = 0
    laws[:, 0] += laws.sum(1) == 0
    return laws / laws.sum(1, keepdims=True)


@settings(max_examples=150)
@given(seeds, st.integers(1, 7), levels)
def test_no_finite_law_breaks_the_bound(seed, n, delta):
    clean, moved = finite(seed, n)
    whole = controlled.contaminated(clean, moved, delta)
    assert whole == pytest.approx([(1 - delta) * a + delta * b for a, b in zip(clean, moved, strict=True)])
    sides = controlled.tv_identity(clean, moved, delta)
    assert sides.direct == pytest.approx(sides.product, abs=1e-12)
    assert sides.direct <= delta + 1e-12
    found = controlled.distance(clean, whole)
    assert found.jsd <= controlled.jsd_bound(delta) + 1e-12
    assert found.jsd <= found.tv * LOG2 + 1e-12  # JSD <= TV in bits
    overlap = np.minimum(clean, moved).sum()
    if 0.01 < delta and overlap > 0.01:
        assert found.jsd < controlled.jsd_bound(delta) - 1e-8  # equality needs laws that do not overlap
    if overlap == 0:
        assert found == pytest.approx((delta, controlled.jsd_bound(delta)), abs=1e-12)


@settings(max_examples=60)
@given(seeds, st.integers(2, 9), levels)
def test_noise_added_on_a_cycle(seed, n, delta):
    """X + N on the integers modulo n, summed pair by pair: the law that `contaminated` gives."""
    clean, noise = finite(seed, n)
    sparse = delta * noise + (1 - delta) * np.eye(n)[0]
    total, moved = np.zeros(n), np.zeros(n)
    for i in range(n):
        for j in range(n):
            total[(i + j) % n] += clean[i] * sparse[j]
            moved[(i + j) % n] += clean[i] * noise[j]
    assert total == pytest.approx(controlled.contaminated(clean, moved, delta), abs=1e-12)
    assert divergences.tv(clean, total) <= delta + 1e-12
    assert divergences.jsd(clean, total) <= controlled.jsd_bound(delta) + 1e-12


@pytest.mark.parametrize("delta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("move", [1.0, 5.0])
def test_laws_that_do_not_overlap_reach_the_bound(delta, move):
    clean, moved = U(0, 1), U(move, 1)
    found = controlled.distance(clean, controlled.contaminated(clean, moved, delta))
    assert found == pytest.approx((delta, controlled.jsd_bound(delta)), abs=1e-9)


def test_laws_that_overlap_a_little_stay_below_the_bound():
    clean = U(0, 1)
    found = controlled.distance(clean, controlled.contaminated(clean, U(0.9, 1), 0.3))
    jsd = jsd_by_hand([0.9, 0.1, 0], [0.63, 0.1, 0.27])  # on [0, .9], [.9, 1] and [1, 1.9]
    assert found == pytest.approx((0.27, jsd), abs=1e-9) and jsd < controlled.jsd_bound(0.3) - 0.01


def test_the_identity_on_the_line():
    clean = divergences.mixture([0.7, 0.3], [N(-1, 0.6), N(2, 0.6)])
    sides = controlled.tv_identity(clean, controlled.blurred(clean, 1.5), 0.3)
    assert sides.direct == pytest.approx(sides.product, abs=1e-8)


# ---- Gaussian data on the line: G.4, M25 ------------------------------------------------------------------

SCALES = [0.1, 0.5, 1, 2, 5, 20, 100]
TABLE = {
    0.1: [6e-8, 3.9e-5, 0.000655, 0.005499, 0.018516, 0.030679, 0.034779],
    0.3: [6e-7, 3.28e-4, 0.004049, 0.022830, 0.063556, 0.100485, 0.113384],
    0.5: [2e-6, 8.61e-4, 0.009189, 0.044785, 0.117128, 0.183907, 0.208202],
    1: [6e-6, 0.003078, 0.027507, 0.117670, 0.306984, 0.527401, 0.640615],
}


@pytest.mark.parametrize("delta", TABLE)
def test_the_table_of_scales(delta):
    clean = N(0, 1)
    for scale, value in zip(SCALES, TABLE[delta], strict=True):
        law = controlled.contaminated(clean, controlled.blurred(clean, scale), delta)
        tolerance = 5e-7 if scale >= 0.5 else 10 ** math.floor(math.log10(value)) / 2  # digits in print
        by_quadrature = controlled.distance(clean, law)
        assert by_quadrature.jsd == pytest.approx(value, abs=tolerance)
        assert controlled.spherical(delta, scale) == pytest.approx(by_quadrature, abs=2e-8)
        assert by_quadrature.jsd < controlled.jsd_bound(delta) <= delta * LOG2


def test_a_standard_gaussian_at_level_three_tenths():
    clean = N(0, 1)
    law = controlled.contaminated(clean, controlled.blurred(clean, 1), 0.3)
    assert controlled.distance(clean, law) == pytest.approx((0.049819, 0.004049), abs=5e-7)
    tv, jsd = simpson(clean.pdf, lambda x: 0.7 * N.pdf(x) + 0.3 * N.pdf(x, 0, math.sqrt(2)))
    assert (tv, jsd) == pytest.approx((0.049819, 0.004049), abs=5e-7)
    for delta, value in ((0.1, 0.016606), (0.3, 0.049819), (1, 0.166064)):
        assert controlled.spherical(delta, 1).tv == pytest.approx(value, abs=5e-7)


@settings(max_examples=25)
@given(levels, st.floats(0.05, 20))
def test_total_variation_in_closed_form(delta, scale):
    """MATH G.4's own formula, and the crossing points, found where the densities are equal."""
    v = math.sqrt(1 + scale**2)
    x = math.sqrt(2 * math.log(v) / (1 - 1 / v**2))
    assert N.pdf(x) == pytest.approx(N.pdf(x, 0, v), rel=1e-9)
    found = controlled.spherical(delta, scale)
    assert found.tv == pytest.approx(2 * delta * (N.cdf(x) - N.cdf(x / v)), abs=1e-12)
    assert found.tv <= delta and found.jsd <= controlled.jsd_bound(delta) + 1e-12


@pytest.mark.parametrize("dimension", [1, 2, 10, 100])
@pytest.mark.parametrize("delta", [0.1, 0.3, 1])
def test_small_noise(delta, dimension):
    for scale, within in ((0.1, 0.03), (0.02, 1e-3)):
        exact = controlled.spherical(delta, scale / dimension**0.25, dimension).jsd
        leading = controlled.small_noise_jsd(delta, scale / dimension**0.25, dimension)
        assert leading == pytest.approx(delta**2 * scale**4 / 16, rel=1e-12)
        assert exact == pytest.approx(leading, rel=within)


def test_a_blurred_mixture_is_what_sampling_gives():
    clean = divergences.mixture([0.2, 0.8], [N(-3, 0.5), N(1, 2)])
    noised = controlled.contaminated(clean, controlled.blurred(clean, 1.5), 0.4)
    x = torch.from_numpy(clean.rvs(200_000, 1))
    y = controlled.contaminate(x, 0.4, "gaussian", rng(), scale=1.5).numpy()
    points = np.linspace(-8, 8, 33)
    empirical = np.searchsorted(np.sort(y), points) / len(y)
    assert empirical == pytest.approx(noised.cdf(points), abs=1.63 / math.sqrt(len(y)) * 1.3)
    assert controlled.blurred(N(2, 3), 4).std() == pytest.approx(5)
    assert controlled.blurred(N(2, 3), 0).std() == 3


# ---- dimension: G.5 ---------------------------------------------------------------------------------------


def monte_carlo(delta, scale, n, samples=100_000):
    """JSD and its standard error, from samples of the middle m in R^n and the densities there:
    E_m [f(p/m) + f(q/m)] / 2 with f(u) = u log u - u + 1, which lies between 0 and 1 here."""
    generator, v2 = np.random.default_rng(n), 1 + scale**2
    x, extra = generator.standard_normal((2, samples, n), dtype=np.float32)
    x += np.where(generator.random((samples, 1)) < delta / 2, scale, 0) * extra
    square = np.square(x, dtype=np.float64).sum(1)
    ratio = 1 - delta + delta * np.exp(square * (1 - 1 / v2) / 2 - n * math.log(v2) / 2)  # q / p
    clean, noised = 2 / (1 + ratio), 2 * ratio / (1 + ratio)
    terms = sum(special.xlogy(u, u) - u + 1 for u in (clean, noised)) / 2  # (samples,)
    return terms.mean(), terms.std() / math.sqrt(samples)


@pytest.mark.parametrize(
    "dimension, value", [(1, 0.0040), (2, 0.0078), (5, 0.0193), (10, 0.0344), (30, 0.0764), (100, 0.1132)]
)
def test_the_table_of_dimensions(dimension, value):
    exact = controlled.spherical(0.3, 1, dimension).jsd
    assert exact == pytest.approx(value, rel=0.05)
    mean, error = monte_carlo(0.3, 1, dimension)
    assert exact == pytest.approx(mean, abs=4 * error) and error < 0.02 * exact


def test_the_plane_by_a_grid():
    axis = np.linspace(-14, 14, 1401)
    square = axis[:, None] ** 2 + axis**2
    cell = (axis[1] - axis[0]) ** 2
    p = np.exp(-square / 2) / (2 * math.pi)
    q = 0.6 * p + 0.4 * np.exp(-square / 10) / (10 * math.pi)  # scale 2
    m = (p + q) / 2
    jsd = cell * float((p * np.log(p / m) + q * np.log(q / m)).sum()) / 2
    expected = (cell * float(np.abs(p - q).sum()) / 2, jsd)
    assert controlled.spherical(0.4, 2, 2) == pytest.approx(expected, abs=1e-5)
    assert controlled.spherical(0.4, 2, 2).jsd == pytest.approx(jsd, abs=1e-9)


def test_dimension_drives_both_to_their_bounds():
    found = [controlled.spherical(0.3, 1, n) for n in range(1, 101)]
    assert (np.diff(found, axis=0) > 0).all()
    assert all(each.tv < 0.3 and each.jsd < controlled.jsd_bound(0.3) for each in found)
    images = controlled.spherical(0.3, 1, 3072)
    assert images == pytest.approx((0.3, controlled.jsd_bound(0.3)), abs=1e-9)


@pytest.mark.parametrize("dimension", [1, 3, 100])
def test_the_radius_keeps_all_of_total_variation(dimension):
    for scale in (0.3, 2):
        closed = controlled.spherical(0.7, scale, dimension).tv
        assert divergences.tv(*controlled.radii(0.7, scale, dimension)) == pytest.approx(closed, abs=1e-8)


def test_no_noise_no_distance():
    assert controlled.spherical(0.3, 0, 5) == Distance(0, 0)
    assert controlled.spherical(0, 2, 5) == pytest.approx((0, 0), abs=1e-12)
    assert controlled.spherical(0.3, 1e-170, 5) == pytest.approx((0, 0), abs=1e-12)
    far = controlled.spherical(0.3, 1e20, 5)
    assert far == pytest.approx((0.3, controlled.jsd_bound(0.3)), abs=1e-9)


# ---- several sources: G.6, M26 ----------------------------------------------------------------------------


def test_two_sources():
    clean = [N(0, 1), N(5, 1)]
    found = controlled.several(clean, [controlled.blurred(law, 3) for law in clean], [0.2, 0.4], [0.5, 0.5])
    assert found.achieved == pytest.approx((0.119403, 0.025212), abs=5e-7)
    assert found.average.tv == pytest.approx(0.150985, abs=5e-7)
    assert found.bound.tv == pytest.approx(0.3)
    wide = math.sqrt(10)
    by_grid = simpson(
        lambda x: (N.pdf(x) + N.pdf(x, 5)) / 2,
        lambda x: 0.4 * N.pdf(x) + 0.1 * N.pdf(x, 0, wide) + 0.3 * N.pdf(x, 5) + 0.2 * N.pdf(x, 5, wide),
    )
    assert by_grid == pytest.approx(found.achieved, abs=5e-7)


sources = st.integers(1, 4).flatmap(
    lambda k: st.tuples(seeds, st.lists(levels, min_size=k, max_size=k), st.integers(1, 6))
)


@settings(max_examples=100)
@given(sources)
def test_several_finite_sources_keep_their_bounds(drawn):
    seed, deltas, n = drawn
    weights = np.random.default_rng(seed).dirichlet(np.ones(len(deltas)))
    clean, moved = zip(*(finite((seed, k), n) for k in range(len(deltas))), strict=True)
    found = controlled.several(clean, moved, deltas, weights)
    for least, middle, most in zip(*found, strict=True):  # first TV, then JSD
        assert least <= middle + 1e-12 and middle <= most + 1e-12
    assert found.bound.jsd <= found.bound.tv * LOG2 + 1e-12
    noised = controlled.mixed(
        weights, [controlled.contaminated(*each) for each in zip(clean, moved, deltas, strict=True)]
    )
    generated = np.random.default_rng((seed, 99)).dirichlet(np.ones(n))  # training stopped anywhere
    residual = divergences.jsd(generated, noised)
    reached = divergences.jsd(generated, controlled.mixed(weights, clean))
    assert reached <= controlled.residual_bound(residual, deltas, weights) + 1e-12


def test_sources_that_do_not_overlap_reach_the_bounds():
    clean, moved = np.eye(4)[[0, 1]], np.eye(4)[[2, 3]]
    found = controlled.several(clean, moved, [0.2, 0.7], [0.3, 0.7])
    assert found.achieved == pytest.approx(found.bound, abs=1e-12)
    expected = 0.3 * jsd_by_hand([1, 0], [0.8, 0.2]) + 0.7 * jsd_by_hand([1, 0], [0.3, 0.7])
    assert found.bound == pytest.approx((0.3 * 0.2 + 0.7 * 0.7, expected), abs=1e-12)
    assert found.bound.jsd > controlled.jsd_bound(found.bound.tv)  # not J_max of the average delta
    shared = controlled.several(clean, np.eye(4)[[1, 0]], [0.5, 0.5], [0.5, 0.5])
    assert shared.achieved == pytest.approx((0, 0), abs=1e-15)  # each one's noise is the other's data


def test_the_residual_adds_as_a_metric_does():
    assert controlled.residual_bound(0, [0.3], [1]) == pytest.approx(controlled.jsd_bound(0.3), rel=1e-12)
    assert controlled.residual_bound(0.02, [0, 0], [0.5, 0.5]) == pytest.approx(0.02)
    expected = (math.sqrt(0.01) + math.sqrt(0.035974)) ** 2
    assert controlled.residual_bound(0.01, [0.1], [1]) == pytest.approx(expected, abs=1e-6)
    assert controlled.residual_bound(0.6, [0.9], [1]) == LOG2


# ---- samples ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4000,), (4000, 3), (4000, 1, 4, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_untouched_rows_stay_to_the_bit(shape, dtype):
    x = torch.randn(shape, generator=rng(1)).to(dtype)
    x[:50] = -0.0
    before = x.clone()
    y = controlled.contaminate(x, 0.3, "gaussian", rng())
    assert y.dtype == dtype and y.shape == shape and torch.equal(x, before)
    bits = {2: torch.int16, 4: torch.int32, 8: torch.int64}[x.element_size()]
    same = (x.view(bits) == y.view(bits)).reshape(len(x), -1).all(1)
    noised = (x != y).reshape(len(x), -1).any(1)  # -0.0 equals 0.0, but has other bits
    assert torch.equal(same, ~noised)
    assert noised.float().mean() == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / 4000))


def test_the_extremes():
    x = torch.randn(500, 2, generator=rng(1))
    none, all_of_them = (controlled.contaminate(x, d, "gaussian", rng()) for d in (0, 1))
    assert torch.equal(none, x) and none.data_ptr() != x.data_ptr()
    assert (all_of_them != x).any(1).all()
    assert controlled.contaminate(x[:0], 0.5, "dirichlet", rng()).shape == (0, 2)


def test_only_the_given_generator_is_drawn_from():
    x = torch.randn(64, 5, generator=rng(1))
    for noise in ("gaussian", "dirichlet"):
        torch.manual_seed(7)
        state, first = torch.get_rng_state(), rng(3)
        one = controlled.contaminate(x, 0.5, noise, first)
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.equal(one, controlled.contaminate(x, 0.5, noise, rng(3)))
        assert not torch.equal(one, controlled.contaminate(x, 0.5, noise, first))


def test_a_larger_delta_noises_the_same_rows_and_more():
    x = torch.zeros(2000, 2)
    few, many = (controlled.contaminate(x, d, "gaussian", rng(5)) for d in (0.2, 0.6))
    chosen = (few != 0).any(1)
    assert torch.equal(few[chosen], many[chosen]) and (many != 0).any(1).sum() > chosen.sum()


def test_gaussian_noise_has_its_scale():
    y = controlled.contaminate(torch.zeros(20_000, 2), 1, "gaussian", rng(), scale=2.5)
    assert stats.kstest(y.flatten().numpy(), N(0, 2.5).cdf).pvalue > 1e-3


@pytest.mark.parametrize("concentration", [0.02, 0.7, 1.0, 6.0])
@pytest.mark.parametrize("shape", [(20_000, 4), (20_000, 2, 2)])
def test_dirichlet_noise_is_dirichlet(concentration, shape):
    """Entries sum to one; each is Beta(a, (d - 1) a), a sum of two Beta(2a, 2a)."""
    y = controlled.contaminate(torch.zeros(shape), 1, "dirichlet", rng(2), concentration=concentration)
    y = y.reshape(-1, 4).double()
    assert torch.allclose(y.sum(1), torch.ones(len(y), dtype=y.dtype), atol=1e-5) and (y >= 0).all()
    points = np.array([0.001, 0.01, 0.1, 0.3, 0.5, 0.9, 0.999])
    for column, law in ((y[:, 0], stats.beta(concentration, 3 * concentration)),
                        (y[:, 1] + y[:, 2], stats.beta(2 * concentration, 2 * concentration))):  # fmt: skip
        empirical = np.searchsorted(np.sort(column.numpy()), points) / len(y)
        assert empirical == pytest.approx(law.cdf(points), abs=0.016)  # 4.5 standard errors at most


def test_dirichlet_noise_is_scaled():
    y = controlled.contaminate(torch.zeros(100, 3), 1, "dirichlet", rng(), scale=7)
    assert y.sum(1) == pytest.approx(torch.full((100,), 7.0), rel=1e-5)


def test_any_function_is_a_noise():
    x = torch.arange(1.0, 1001.0).view(-1, 1)
    y = controlled.contaminate(x, 0.5, lambda x, generator: -2 * x, rng())
    assert set((y / x).flatten().tolist()) == {1.0, -1.0}
    uniform = controlled.contaminate(
        x, 0.5, lambda x, g: torch.rand(x.shape, generator=g, dtype=torch.float64), rng()
    )
    assert uniform.dtype == x.dtype and ((uniform - x) >= 0).all() and ((uniform - x) < 1.001).all()


def test_the_empirical_divergence_is_that_of_the_law():
    """Samples in 40 bins against the same bins' probabilities under the two laws."""
    clean = N(0, 1)
    law = controlled.contaminated(clean, controlled.blurred(clean, 3), 0.3)
    edges = np.linspace(-6, 6, 39)
    exact = [np.diff(np.r_[0, f(edges), 1]) for f in (clean.cdf, law.cdf)]
    x = torch.randn(200_000, generator=rng(3))
    y = controlled.contaminate(torch.randn(200_000, generator=rng(4)), 0.3, "gaussian", rng(5), scale=3)
    seen = [np.bincount(np.searchsorted(edges, each.numpy()), minlength=40) / 200_000 for each in (x, y)]
    assert divergences.jsd(*seen) == pytest.approx(divergences.jsd(*exact), rel=0.03)
    assert divergences.tv(*seen) == pytest.approx(divergences.tv(*exact), rel=0.03)
    assert divergences.jsd(*exact) == pytest.approx(divergences.jsd(clean, law), rel=0.02)


# ---- finite training sets ---------------------------------------------------------------------------------


def drawn(training, n, seed):
    return training[torch.randint(len(training), (n,), generator=rng(seed))]


@pytest.mark.parametrize("noise, parameters", [
    ("gaussian", {"scale": 1.0}), ("gaussian", {"scale": 1e-4}), ("dirichlet", {}),
    ("dirichlet", {"concentration": 50.0, "scale": 1e-2}),
])  # fmt: skip
def test_any_finite_set_is_controlled_exactly_even_by_invisible_noise(noise, parameters):
    training = data.to_float(data.load("digits").images)
    x = drawn(training, 6000, 1)
    y = controlled.contaminate(x, 0.3, noise, rng(2), **parameters)
    noised = (x != y).flatten(1).any(1)
    assert torch.equal(controlled.outside(y, training), noised)
    found = controlled.by_membership(y, training)
    assert found.tv == pytest.approx(noised.double().mean().item(), abs=1e-12)
    assert found.tv == pytest.approx(0.3, abs=0.024)  # 4 standard errors
    assert found.jsd == controlled.jsd_bound(found.tv)
    assert controlled.by_membership(x, training) == Distance(0, 0)


def test_rounding_to_eight_bits_takes_the_control_away():
    images = data.load("digits").images
    x = data.to_float(drawn(images, 2000, 1))
    y = controlled.contaminate(x, 0.5, "gaussian", rng(2), scale=5e-4)
    assert controlled.by_membership(y, data.to_float(images)).tv > 0.45
    assert controlled.by_membership(data.to_uint8(y), images) == Distance(0, 0)


def test_a_finite_set_s_laws_written_out():
    """Five points, and one cell for everything else: what noise with a density does to them."""
    for delta in (0.1, 0.3, 0.9):
        clean, moved = [0.2] * 5 + [0], [0] * 5 + [1]
        found = controlled.distance(clean, controlled.contaminated(clean, moved, delta))
        assert found == pytest.approx((delta, controlled.jsd_bound(delta)), abs=1e-12)


def test_membership_goes_by_numbers():
    training = torch.tensor([[0.0, 1.0], [2.0, -0.0]])
    x = torch.tensor([[-0.0, 1.0], [2.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    assert controlled.outside(x, training).tolist() == [False, False, True, True]
    integers = torch.arange(50.0).view(-1, 1)  # noise with atoms: it lands on other training points
    moved = controlled.contaminate(integers, 1, lambda x, g: torch.ones_like(x), rng())
    assert controlled.by_membership(moved, integers).tv == pytest.approx(1 / 50)


# ---- bad input --------------------------------------------------------------------------------------------

X = torch.zeros(4, 2)


@pytest.mark.parametrize("call, words", [
    (lambda: controlled.jsd_bound(1.01), r"delta must lie in \[0, 1\], not 1.01"),
    (lambda: controlled.jsd_bound([0.1, -0.1]), "delta must lie in"),
    (lambda: controlled.delta_for(0.7), r"jsd must lie in \[0, log 2\] nats, not 0.7"),
    (lambda: controlled.delta_for(-0.1), "jsd must lie"),
    (lambda: controlled.delta_for([0.1, math.nan]), "partly outside"),
    (lambda: controlled.delta_for(1.1, bits=True), r"\[0, 1\] bits"),
    (lambda: controlled.contaminated([1, 0], [0, 1], 1.5), "delta must lie"),
    (lambda: controlled.contaminated([1, 0], [0, 0, 1], 0.5), "same points"),
    (lambda: controlled.contaminated([1, 0], N(0, 1), 0.5), "two vectors or two distributions"),
    (lambda: controlled.contaminated([1, 0], [0.5, 0.6], 0.5), "sum to one"),
    (lambda: controlled.mixed([0.5, 0.6], [N(), N(1)]), "sum to one"),
    (lambda: controlled.mixed([1.5, -0.5], [N(), N(1)]), "non-negative"),
    (lambda: controlled.mixed([1], [N(), N(1)]), "as many weights"),
    (lambda: controlled.mixed([], []), "as many weights"),
    (lambda: controlled.blurred(U(0, 1), 1), "must be a Gaussian"),
    (lambda: controlled.blurred(divergences.mixture([0.5, 0.5], [N(), U()]), 1), "must be a Gaussian"),
    (lambda: controlled.blurred(N(), -1), "scale must be"),
    (lambda: controlled.spherical(0.3, math.inf), "scale must be"),
    (lambda: controlled.spherical(-0.3, 1), "delta must lie"),
    (lambda: controlled.spherical(0.3, 1, 0), "whole number"),
    (lambda: controlled.spherical(0.3, 1, 2.5), "whole number"),
    (lambda: controlled.small_noise_jsd(2, 1), "delta must lie"),
    (lambda: controlled.bounds([0.1, 1.2], [0.5, 0.5]), "delta must lie"),
    (lambda: controlled.bounds([0.1, 0.2], [0.5, 0.4]), "sum to one"),
    (lambda: controlled.bounds([0.1, 0.2], [1.0]), "as many weights"),
    (lambda: controlled.bounds([0.1, 0.2], [math.nan, 1.0]), "non-negative"),
    (lambda: controlled.several([N()], [N(), N()], [0.1], [1]), "as many moved"),
    (lambda: controlled.several([N()], [N()], [0.1], [0.9]), "sum to one"),
    (lambda: controlled.residual_bound(0.8, [0.1], [1]), "residual must lie"),
    (lambda: controlled.residual_bound(math.nan, [0.1], [1]), "residual must lie"),
    (lambda: controlled.contaminate(X, -0.1, "gaussian", rng()), "delta must lie"),
    (lambda: controlled.contaminate(X, math.nan, "gaussian", rng()), "delta must lie"),
    (lambda: controlled.contaminate(X, 0.1, "cauchy", rng()), "gaussian or dirichlet"),
    (lambda: controlled.contaminate(X, 0.1, ["gaussian"], rng()), "gaussian or dirichlet"),
    (lambda: controlled.contaminate(X, 0.1, "gaussian", rng(), scale=-1), "scale must be"),
    (lambda: controlled.contaminate(X, 0.1, "dirichlet", rng(), concentration=0), "concentration must be"),
    (lambda: controlled.contaminate(X[:, 0], 0.1, "dirichlet", rng()), "at least two numbers"),
    (lambda: controlled.contaminate(X, 0.1, lambda x, g: x[:, :1], rng()), r"\(4, 2\) on cpu, not \(4, 1\)"),
    (lambda: controlled.contaminate(X, 0.1, lambda x, g: 0.0, rng()), "not float"),
    (lambda: controlled.contaminate(X.to("meta"), 0.1, "gaussian", rng()), "make one there"),
    (lambda: controlled.outside(X, X[:, :1]), "rows must be alike"),
    (lambda: controlled.outside(X, X.double()), "rows must be alike"),
    (lambda: controlled.by_membership(X[:0], X), "no samples"),
])  # fmt: skip
def test_bad_values_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("call, words", [
    (lambda: controlled.contaminate(X.to(torch.uint8), 0.1, "gaussian", rng()), "to_float"),
    (lambda: controlled.contaminate([0.0], 0.1, "gaussian", rng()), "tensor of floats"),
    (lambda: controlled.contaminate(torch.tensor(1.0), 0.1, "gaussian", rng()), "tensor of floats"),
    (lambda: controlled.contaminate(X, 0.1, "gaussian", None), "torch.Generator"),
    (lambda: controlled.contaminate(X, 0.1, "gaussian", 3), "torch.Generator"),
    (lambda: controlled.contaminate(X, 0.1, torch.zeros_like, rng(), scale=2), "by name"),
    (lambda: controlled.contaminate(X, 0.1, "gaussian", rng(), concentration=2), "concentration"),
])  # fmt: skip
def test_wrong_kinds_are_refused(call, words):
    with pytest.raises(TypeError, match=words):
        call()

"""The minimax game: its numbers against quadrature, optimisation or simulation without the same formula."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import expit, log_expit

from gantools import data, divergences, minimax, nets
from gantools.exercises import minimax as exercises
from gantools.game import gan
from gantools.minimax import Discriminator

P, LOG2, LOG4 = stats.norm(0, 1), math.log(2), math.log(4)
BIG = 300  # x beyond which nothing of these laws is left

TABLE = {  # mu: JSD, C(G), TV, KL of N(0, 1) and N(mu, 1)
    0.5: (0.030311, -1.325672, 0.197413, 0.125),
    1: (0.111421, -1.163451, 0.382925, 0.5),
    2: (0.336831, -0.712633, 0.682689, 2.0),
    3: (0.526777, -0.332740, 0.866386, 4.5),
    4: (0.632720, -0.120854, 0.954500, 8.0),
    6: (0.689298, -0.007698, 0.997300, 18.0),
}


def vectors(k):
    """Random laws on k letters, zeros among them."""
    weights = st.lists(st.integers(0, 20), min_size=k, max_size=k).filter(any)
    return weights.map(lambda w: np.array(w) / np.sum(w))


pairs = st.integers(2, 6).flatmap(lambda k: st.tuples(vectors(k), vectors(k)))


# ---- the table, by routes that know nothing of JSD or D* ---------------------------------------------------


@pytest.mark.parametrize("mu", TABLE)
def test_jsd_of_two_normals_is_one_integral_over_z(mu):
    """JSD = log 2 - E log(1 + exp(mu Z - mu^2 / 2)): a different integrand, by scipy's own quadrature."""
    integrand = lambda z: stats.norm.pdf(z) * np.logaddexp(0, mu * z - mu**2 / 2)
    mean, _ = integrate.quad(integrand, -12, 12, limit=200)
    jsd, criterion, *_ = TABLE[mu]
    assert LOG2 - mean == pytest.approx(jsd, abs=1e-6)
    q = stats.norm(mu, 1)
    assert minimax.criterion(P, q) == pytest.approx(criterion, abs=1e-6)
    assert minimax.criterion(P, q) == pytest.approx(-LOG4 + 2 * (LOG2 - mean), abs=1e-8)


@pytest.mark.parametrize("mu", TABLE)
def test_criterion_is_the_value_that_a_search_over_discriminators_reaches(mu):
    """M3: logistic regression in the population, maximised numerically, then V by scipy's quadrature."""
    q = stats.norm(mu, 1)
    slope, shift = minimax.best_response(P, q, degree=1).logit.convert().coef[::-1]
    real, _ = integrate.quad(lambda x: P.pdf(x) * log_expit(slope * x + shift), -12, 12 + mu, limit=200)
    fake, _ = integrate.quad(lambda x: q.pdf(x) * log_expit(-slope * x - shift), -12, 12 + mu, limit=200)
    assert real + fake == pytest.approx(TABLE[mu][1], abs=1e-6)
    assert (slope, shift) == pytest.approx((-mu, mu**2 / 2), abs=2e-3)  # the optimal logit is log p/q


@pytest.mark.parametrize("mu", TABLE)
def test_the_other_columns(mu):
    q = stats.norm(mu, 1)
    cut = np.linspace(-5, 10, 150_001)
    best_cut = (P.cdf(cut) - q.cdf(cut)).max()  # TV = the best event's advantage
    assert best_cut == pytest.approx(TABLE[mu][2], abs=1e-6)
    assert divergences.tv(P, q) == pytest.approx(TABLE[mu][2], abs=1e-6)
    x = torch.linspace(-20, 26, 2**16 + 1, dtype=torch.float64)
    log_p, log_q = (torch.distributions.Normal(float(m), 1.0).log_prob(x) for m in (0, mu))
    kl = torch.trapezoid(log_p.exp() * (log_p - log_q), x)
    assert float(kl) == pytest.approx(TABLE[mu][3], abs=1e-6)
    assert divergences.kl(P, q) == pytest.approx(TABLE[mu][3], abs=1e-6)


def test_small_shift_costs_mu_squared_over_eight():
    assert minimax.criterion(P, stats.norm(0.05, 1)) + LOG4 == pytest.approx(2 * 0.05**2 / 8, rel=1e-3)


# ---- two letters: M4 --------------------------------------------------------------------------------------


def test_discrete_example_by_brute_force():
    p, q = np.array([0.5, 0.5]), np.array([0.9, 0.1])
    d = np.linspace(0, 1, 1_000_001)[1:-1]
    best = [p[k] * np.log(d) + q[k] * np.log1p(-d) for k in range(2)]  # each letter on its own
    assert [d[b.argmax()] for b in best] == pytest.approx([0.357143, 0.833333], abs=2e-6)
    assert sum(b.max() for b in best) == pytest.approx(-1.182796, abs=1e-6)
    assert minimax.best_response(p, q) == pytest.approx([0.357143, 0.833333], abs=1e-6)
    assert minimax.optimal_discriminator(p, q) == pytest.approx([5 / 14, 5 / 6])
    assert minimax.value([5 / 14, 5 / 6], p, q) == pytest.approx(-1.182796, abs=1e-6)
    quality, coverage = divergences.quality_coverage(p, q)
    assert (coverage, quality) == pytest.approx((0.087177, 0.116322), abs=1e-6)


# ---- properties -------------------------------------------------------------------------------------------


@given(pairs, st.data())
def test_no_discriminator_beats_the_criterion(pair, more):
    p, q = pair
    d = np.array(more.draw(st.lists(st.floats(0, 1), min_size=len(p), max_size=len(p))))
    top = minimax.value(minimax.optimal_discriminator(p, q), p, q)
    assert minimax.value(d, p, q) <= top + 1e-12
    assert top == pytest.approx(minimax.criterion(p, q), abs=1e-12)
    assert -LOG4 - 1e-12 <= top <= 0


@given(pairs, st.data())
def test_the_optimum_beats_its_perturbations(pair, more):
    p, q = pair
    star = minimax.optimal_discriminator(p, q)
    shove = np.array(more.draw(st.lists(st.floats(-0.3, 0.3), min_size=len(p), max_size=len(p))))
    moved = np.clip(star + shove, 0, 1)
    lost = minimax.value(star, p, q) - minimax.value(moved, p, q)
    assert lost >= -1e-12
    felt = (p + q > 0) & (np.abs(moved - star) > 1e-3)
    assert not felt.any() or lost > 0  # unique wherever p + q has mass


@settings(max_examples=25)
@given(st.floats(-2, 2), st.floats(0.5, 2), st.floats(-4, 4), st.floats(-2, 2))
def test_the_line_too(mean, sd, slope, shift):
    q = stats.norm(mean, sd)
    v = minimax.value(Discriminator(lambda x: slope * x + shift), P, q)
    assert v <= minimax.criterion(P, q) + 1e-9


@given(pairs)
def test_minimum_only_at_the_data(pair):
    p, q = pair
    excess = minimax.criterion(p, q) + LOG4
    assert (excess < 1e-12) == (np.abs(p - q).max() < 1e-6)
    assert math.fsum(divergences.quality_coverage(p, q)) == pytest.approx(excess, abs=1e-9)


@given(pairs, st.data(), st.floats(0, 1))
def test_criterion_is_convex_and_value_linear_in_q(pair, more, t):
    p, q = pair
    other = more.draw(vectors(len(p)))
    mixed = t * q + (1 - t) * other
    chord = t * minimax.criterion(p, q) + (1 - t) * minimax.criterion(p, other)
    assert minimax.criterion(p, mixed) <= chord + 1e-12
    d = np.full(len(p), 0.3)
    chord = t * minimax.value(d, p, q) + (1 - t) * minimax.value(d, p, other)
    assert minimax.value(d, p, mixed) == pytest.approx(chord)


@given(pairs)
def test_sandwich_between_functions_of_tv(pair):
    p, q = pair
    tv, jsd = np.abs(p - q).sum() / 2, (minimax.criterion(p, q) + LOG4) / 2
    entropy = stats.bernoulli((1 - tv) / 2).entropy()
    assert LOG2 - entropy - 1e-12 <= jsd <= LOG2 * tv + 1e-12


# ---- the line: where it is easy to be wrong ---------------------------------------------------------------


def test_value_of_a_step_is_four_probabilities():
    q = stats.norm(1.5, 0.6)
    theory = (
        math.log(0.8) * P.cdf(0.7) + math.log(0.1) * P.sf(0.7)
        + math.log(0.2) * q.cdf(0.7) + math.log(0.9) * q.sf(0.7)
    )
    assert minimax.value(lambda x: np.where(x < 0.7, 0.8, 0.1), P, q) == pytest.approx(theory, abs=1e-10)


def test_a_certain_discriminator_that_errs_is_infinitely_wrong():
    q = stats.norm(1, 1)
    assert minimax.value(lambda x: x < 0.5, P, q) == -math.inf
    assert minimax.value([1.0, 0.0], [0.5, 0.5], [0.5, 0.5]) == -math.inf
    assert minimax.value([1.0, 0.0], [1.0, 0.0], [0.0, 1.0]) == 0  # and where it is right it costs nothing


def test_tails_survive_in_the_logit():
    """N(0, 1) against N(40, 1): D* rounds to 1 on half of the line, and V is about -1e-88."""
    q = stats.norm(40, 1)
    star = minimax.optimal_discriminator(P, q)
    v = minimax.value(star, P, q)
    assert -1e-80 < v < 0
    assert star(np.array([-5.0, 20.0, 45.0])) == pytest.approx([1, 0.5, 0])
    assert star.logit(np.array([-5.0])) == pytest.approx([40 * 5 + 800])


@pytest.mark.parametrize("shift", [0.3, 0.9, 1.5])
def test_shifted_uniforms(shift):
    """JSD = log 2 times the share that does not overlap: densities that jump."""
    p, q = stats.uniform(0, 1), stats.uniform(shift, 1)
    star = minimax.optimal_discriminator(p, q)
    assert minimax.value(star, p, q) == pytest.approx(-LOG4 + 2 * LOG2 * min(shift, 1), abs=1e-10)
    assert divergences.quality_coverage(p, q) == pytest.approx([LOG2 * min(shift, 1)] * 2, abs=1e-10)


def test_heavy_tails_against_simulation():
    p, q = stats.cauchy(), stats.t(3, loc=1)
    star, rng = minimax.optimal_discriminator(p, q), np.random.default_rng(0)
    a, b = p.rvs(400_000, random_state=rng), q.rvs(400_000, random_state=rng)
    simulated = log_expit(star.logit(a)).mean() + log_expit(-star.logit(b)).mean()
    assert minimax.value(star, p, q) == pytest.approx(simulated, abs=4e-3)


def test_best_response_finds_the_log_ratio_of_two_normals():
    q = stats.norm(1.5, 0.6)
    found = minimax.best_response(P, q).logit.convert().coef
    theory = [-math.log(1) + math.log(0.6) + 1.5**2 / (2 * 0.36), -1.5 / 0.36, 0.5 / 0.36 - 0.5]
    assert found == pytest.approx(theory, abs=1e-5)
    # a family without the square cannot reach C(G)
    assert minimax.value(minimax.best_response(P, q, 1), P, q) < minimax.criterion(P, q) - 0.02


# ---- cross-entropy and the change of variables ------------------------------------------------------------


def test_value_is_minus_twice_torch_cross_entropy():
    """100,000 labelled draws, half of them real, through torch's own loss."""
    rng, n = np.random.default_rng(1), 100_000
    label = rng.random(n) < 0.5
    x = np.where(label, rng.normal(0, 1, n), rng.normal(1, 1, n))
    logit = torch.from_numpy(-0.7 * x + 0.2)
    bce = torch.nn.functional.binary_cross_entropy_with_logits(logit, torch.from_numpy(label.astype(float)))
    v = minimax.value(Discriminator(lambda x: -0.7 * x + 0.2), P, stats.norm(1, 1))
    assert -2 * float(bce) == pytest.approx(v, abs=0.01)


def test_change_of_variables():
    """G(z) = -log(1 - z) / 2 turns a uniform latent into an exponential law."""
    d = Discriminator(lambda x: 1 - x)
    by_latent = minimax.value_from_latent(d, lambda z: -np.log1p(-z) / 2, P, stats.uniform())
    assert by_latent == pytest.approx(minimax.value(d, P, stats.expon(scale=0.5)), abs=1e-9)
    # many to one: G(z) = z^2 is chi-squared with one degree of freedom
    folded = minimax.value_from_latent(d, np.square, P, stats.norm())
    assert folded == pytest.approx(minimax.value(d, P, stats.chi2(1)), abs=1e-7)


# ---- quality, coverage, dropped modes ---------------------------------------------------------------------


def test_quality_and_coverage_pull_alike_between_equal_normals():
    """M7: finite differences, and E_Q[mu D*] by simulation as the third route to their sum."""
    step = 1e-3
    up, down = (divergences.quality_coverage(P, stats.norm(1.5 + h, 1)) for h in (step, -step))
    slopes = (np.array(up) - np.array(down)) / (2 * step)
    assert slopes == pytest.approx([0.232225, 0.232225], abs=1e-6)
    x = np.random.default_rng(2).normal(1.5, 1, 2_000_000)
    assert (1.5 * expit(1.5**2 / 2 - 1.5 * x)).mean() == pytest.approx(slopes.sum(), abs=2e-3)


@given(st.floats(0, 1))
def test_dropped_mode_is_the_jsd_of_two_letters(mass):
    assert divergences.jmax(mass) == pytest.approx(divergences.jsd([1 - mass, mass], [1.0, 0.0]), abs=1e-12)


def test_dropped_mode_numbers():
    found = [divergences.jmax(w) for w in (0.5, 0.125, 0.05, 1.0, 0.0)]
    assert found == pytest.approx([0.215762, 0.045407, 0.017649, LOG2, 0], abs=1e-6)
    assert divergences.quality_coverage([0.5, 0.5], [1, 0]) == pytest.approx([0.287682, 0.143841], abs=1e-6)


# ---- descent in the space of laws -------------------------------------------------------------------------


def test_density_descent_halves_the_distance_each_turn():
    p, start = np.array([0.5, 0.3, 0.2]), np.array([0.05, 0.05, 0.9])
    path = minimax.density_descent(p, start, 40)
    assert np.abs(path[-1] - p).max() < 1e-9
    gap = np.abs(path - p).sum(axis=1)
    assert gap[1:11] / gap[:10] == pytest.approx(np.full(10, 0.5))


@given(st.integers(2, 5).flatmap(lambda k: st.tuples(vectors(k), vectors(k))), st.floats(0.05, 1))
def test_density_descent_never_goes_up(pair, rate):
    p, q = pair[0], (pair[1] + 1 / len(pair[1])) / 2  # a start with mass everywhere
    path = minimax.density_descent(p, q, 30, rate)
    costs = [minimax.criterion(p, step / step.sum()) for step in path]
    assert np.all(np.diff(costs) <= 1e-12)
    assert path.sum(axis=1) == pytest.approx(np.ones(31))


def test_descent_follows_the_slope_of_the_criterion():
    """One small step against a finite difference of C: the factor is exp(-rate * dC/dq)."""
    p, q, rate, h = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5]), 0.01, 1e-6
    step = minimax.density_descent(p, q, 1, rate)[1]
    along = np.array([1.0, -1.0, 0.0])  # a direction that keeps the total
    slope = (minimax.criterion(p, q + h * along) - minimax.criterion(p, q - h * along)) / (2 * h)
    assert np.log(step / q) @ along == pytest.approx(-rate * slope, rel=1e-6)


def test_convex_in_the_law_but_not_in_the_parameter():
    edges = np.linspace(-6, 6, 401)
    p = 0.7 * minimax.binned(stats.norm(-2, 0.5), edges) + 0.3 * minimax.binned(stats.norm(2, 0.5), edges)
    cost = {m: minimax.criterion(p, minimax.binned(stats.norm(m, 0.5), edges)) for m in (-2, 0, 2)}
    assert cost[0] > (cost[-2] + cost[2]) / 2  # a hump between two valleys
    assert cost[-2] < cost[2] < cost[0]


# ---- a trained discriminator ------------------------------------------------------------------------------


def test_a_trained_discriminator_reaches_the_criterion_from_below():
    """N(0, 1) against N(1, 1): the generator is frozen at the shift by 1 (rate 0)."""
    generator = nets.mlp([1, 1], seed=0)
    with torch.no_grad():
        generator[-1].weight.fill_(1.0), generator[-1].bias.fill_(1.0)
    game = gan(
        generator, nets.mlp([1, 32, 1], seed=1), data.normal(), "minimax",
        latent=1, batch_size=512, lr=(1e-2, 0.0), seed=0, device="cpu",
    )  # fmt: skip
    theory = minimax.criterion(P, stats.norm(1, 1))

    def held_out():
        real, fake = game.real(200_000, seed=7), game.sample(200_000, seed=8)
        return minimax.value_estimate(game.score(real), game.score(fake))

    before = held_out()
    assert before.value < theory - 0.05
    game.run(300)
    game.player("discriminator").lr = 1e-3
    game.run(200)
    after = held_out()
    assert theory - 0.01 < after.value < theory + 4 * after.standard_error
    assert after.standard_error < 2e-3


def test_value_estimate_against_quadrature():
    rng = np.random.default_rng(3)
    star = minimax.optimal_discriminator(P, stats.norm(1, 1))
    real, fake = star.logit(rng.normal(0, 1, 50_000)), star.logit(rng.normal(1, 1, 50_000))
    estimate = minimax.value_estimate(real, fake)
    assert abs(estimate.value - minimax.criterion(P, stats.norm(1, 1))) < 4 * estimate.standard_error
    spread = math.hypot(log_expit(real).std(), log_expit(-fake).std())
    assert estimate.standard_error == pytest.approx(spread / 50_000**0.5, rel=1e-3)


# ---- the figure that moves, against the library -----------------------------------------------------------


@pytest.fixture(scope="module")
def figure(moving):
    return partial(moving.read, "minimax", "default")


@pytest.mark.parametrize("state", [
    {"shape": "one", "meanP": 0, "sdP": 1, "meanQ": 1, "sdQ": 1, "slope": 1, "cut": 0.5},
    {"shape": "one", "meanP": -4, "sdP": 0.4, "meanQ": 4, "sdQ": 2.5, "slope": -2, "cut": 1},
    {"shape": "two", "meanP": 0.5, "sdP": 0.8, "meanQ": -1.5, "sdQ": 1.5, "slope": 3, "cut": -2},
    {"shape": "two", "meanP": 4, "sdP": 2.5, "meanQ": -4, "sdQ": 2.5, "slope": 6, "cut": 0},
])  # fmt: skip
def test_what_the_figure_says_is_what_the_library_computes(figure, state):
    seen = figure(**state)
    law, q = stats.norm(state["meanP"], state["sdP"]), stats.norm(state["meanQ"], state["sdQ"])
    if state["shape"] == "two":
        sides = [stats.norm(state["meanP"] + side, state["sdP"]) for side in (-2.5, 2.5)]
        law = divergences.mixture([0.5, 0.5], sides)
    own = Discriminator(lambda x: state["slope"] * (state["cut"] - x))
    assert seen["v"] == pytest.approx(minimax.value(own, law, q), abs=1e-5)
    assert seen["top"] == pytest.approx(minimax.value(minimax.optimal_discriminator(law, q), law, q), abs=1e-5)
    assert seen["criterion"] == pytest.approx(minimax.criterion(law, q), abs=1e-5)
    assert seen["jsd"] == pytest.approx(divergences.jsd(law, q), abs=1e-5)


def test_the_best_reply_in_the_figure(figure):
    figure(shape="one", meanP=-1, sdP=1, meanQ=1, sdQ=1.5, slope=0.2, cut=3)
    seen = figure("D plays its best")
    shift, slope = minimax.best_response(stats.norm(-1, 1), stats.norm(1, 1.5), degree=1).logit.convert().coef
    assert (seen["slope"], seen["cut"]) == pytest.approx((-slope, -shift / slope), abs=0.03)  # sliders go by 0.05
    assert seen["v"] <= seen["top"]


def test_a_step_of_the_generator_in_the_figure_goes_down(figure):
    before = figure(shape="one", meanP=-1, sdP=1, meanQ=1.5, sdQ=1, slope=1, cut=0.25)
    after = figure("G takes a step")
    assert after["v"] < before["v"] and after["meanQ"] < before["meanQ"]


# ---- bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call, says", [
    (lambda: minimax.value([0.5, 0.5], [0.5, 0.6], [0.5, 0.5]), "p does not sum to one"),
    (lambda: minimax.value([0.5, 0.5], [-0.5, 1.5], [0.5, 0.5]), "negative mass: -0.5"),
    (lambda: minimax.value([0.5], [0.5, 0.5], [0.5, 0.5]), "vector of 2 probabilities"),
    (lambda: minimax.value([0.5, 1.5], [0.5, 0.5], [0.5, 0.5]), r"in \[0, 1\]"),
    (lambda: minimax.value(lambda x: 2 + 0 * x, P, P), r"in \[0, 1\]"),
    (lambda: minimax.value([0.5], P, P), "function of x"),
    (lambda: minimax.value(Discriminator(lambda x: np.nan * x), P, P), "NaN"),
    (lambda: minimax.optimal_discriminator([0.5, 0.5], [1.0]), "p has 2 entries and q has 1"),
    (lambda: minimax.optimal_discriminator([0.5, 0.5], P), "q is a distribution and p is not"),
    (lambda: minimax.optimal_discriminator(stats.poisson(2), stats.poisson(3)), "vector of probabilities"),
    (lambda: minimax.optimal_discriminator("data", [1.0]), "p is neither"),
    (lambda: minimax.optimal_discriminator([], []), "p is empty"),
    (lambda: minimax.best_response(P, P, degree=1.5), "whole number"),
    (lambda: minimax.best_response(stats.cauchy(), P), "finite mean"),
    (lambda: minimax.value_from_latent([0.5, 0.5], abs, [0.5, 0.5], [0.5, 0.5]), "frozen"),
    (lambda: minimax.value_estimate([0.1], [0.2, 0.3]), "at least two"),
    (lambda: minimax.density_descent([0.5, 0.5], [1.0, 0.0], 5), "wherever p has"),
    (lambda: minimax.density_descent([0.5, 0.5], [0.5, 0.5], -1), "whole number"),
    (lambda: minimax.density_descent([0.5, 0.5], [0.5, 0.5], 5, rate=1.5), r"\(0, 1\]"),
    (lambda: minimax.density_descent(P, P, 5), "vectors"),
    (lambda: minimax.binned(P, [1.0, 0.0]), "increasing"),
    (lambda: minimax.binned(P, [500.0, 501.0]), "no mass"),
])  # fmt: skip
def test_bad_input_says_what_is_wrong(call, says):
    with pytest.raises(ValueError, match=says):
        call()


# ---- exercises --------------------------------------------------------------------------------------------


ZERO = torch.zeros(4)


def folded(z):
    """Two latents to one sample, and still N(1, 2^2)."""
    return 1 + 2 * stats.norm.ppf(np.abs(2 * stats.norm.cdf(z) - 1).clip(1e-12))


def passes(discriminator, generator):
    """A test that catches every suspect: two values of each loss where theory gives them."""
    zero, two = ZERO, torch.full((4,), 2.0)
    close = lambda found, theory: abs(float(found) - theory) < 1e-5
    return (
        close(discriminator(zero, zero), LOG4) and close(discriminator(two, -two), -2 * log_expit(2))
        and close(generator(zero), -LOG2) and close(generator(two), log_expit(-2))
    )  # fmt: skip


def asserts(discriminator, generator):
    assert passes(discriminator, generator)
    return True


@pytest.mark.parametrize("check, answer, says", [
    (exercises.check_value, lambda d, p, q: p @ np.log(d) + q @ np.log(1 - d), "Right"),
    (exercises.check_value, lambda d, p, q: -(p @ np.log(d) + q @ np.log(1 - d)) / 2, "cross-entropy"),
    (exercises.check_value, lambda d, p, q: p @ np.log(1 - d) + q @ np.log(d), "swapped the labels"),
    (exercises.check_value, lambda d, p, q: (p + q) @ np.log(d), "log(1 - D)"),
    (exercises.check_value, lambda d, p, q: p @ np.log(d) - q @ np.log(1 - d), "plus"),
    (exercises.check_value, lambda d, p, q: np.log(d).mean() + np.log(1 - d).mean(), "averages are over p"),
    (exercises.check_constant, (0.5, -2 * LOG2), "Right"),
    (exercises.check_constant, (0.5, -LOG2), "comes twice"),
    (exercises.check_constant, (0.3, -LOG4), "derivative"),
    (exercises.check_constant, (1.0, 0.0), "strictly between"),
    (exercises.check_constant, ..., "no answer here yet"),
    (exercises.check_uniforms, -0.7 * LOG4, "Right"),
    (exercises.check_uniforms, 0.6 * LOG2, "lower by log 4"),
    (exercises.check_uniforms, -LOG4, "if the laws were equal"),
    (exercises.check_unbalanced, lambda s, p, q: s * p / (s * p + (1 - s) * q), "Right"),
    (exercises.check_unbalanced, lambda s, p, q: p / (p + q), "balanced"),
    (exercises.check_unbalanced, lambda s, p, q: (1 - s) * p / ((1 - s) * p + s * q), "swapped"),
    (exercises.check_bound, 0.2066, "Right"),
    (exercises.check_bound, 0.14315, "divide once more"),
    (exercises.check_reply, lambda d: np.eye(len(d))[d.argmax()], "Right"),
    (exercises.check_reply, lambda d: np.eye(len(d))[d.argmin()], "smallest"),
    (exercises.check_reply, lambda d: d / d.sum(), "linear in q"),
    (exercises.check_reply, lambda d: d, "not a law"),
    (exercises.check_law, lambda z: 1 - 2 * z, "Right"),
    (exercises.check_law, folded, "Right"),
    (exercises.check_law, lambda z: 1 + 2 * z, "itself"),
    (exercises.check_law, lambda z: 1 + 2 * np.abs(z), "another one"),
    (exercises.check_spots, passes, "Right"),
    (exercises.check_spots, asserts, "Right"),
    (exercises.check_spots, lambda d, g: True, "7 of 7"),
    (exercises.check_spots, lambda d, g: False, "rejects the right losses"),
    (exercises.check_spots, lambda d, g: None, "returned nothing"),
    (exercises.check_spots, None, "no function here yet"),
    (exercises.check_spots, lambda d, g: float(d(ZERO, ZERO)) == pytest.approx(LOG4), "wrong losses pass"),
])  # fmt: skip
def test_exercises_say_what_is_wrong(capsys, check, answer, says):
    assert check(answer) is None
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and says in out
    assert out.startswith("Right: " if says == "Right" else "Not yet: ")

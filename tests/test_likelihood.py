"""The numbers of the chapter on likelihood, against scipy's quadrature, closed forms, and simulation."""
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy import integrate, optimize, stats

from gantools import divergences as dv, likelihood as lk, widgets
from gantools.exercises import likelihood as checks

LOG2, HALF_LOG_2PI = math.log(2), .5 * math.log(2 * math.pi)
N = stats.norm


def test_m1_closed_form_equals_quadrature():
    assert lk.kl_normals(0, 1, 1, 2) == pytest.approx(0.443147, abs=5e-7)
    by_quad = integrate.quad(lambda x: N.pdf(x) * (N.logpdf(x) - N.logpdf(x, 1, 2)), -12, 12, epsabs=1e-13)[0]
    assert lk.kl_normals(0, 1, 1, 2) == pytest.approx(by_quad, abs=1e-11)


@settings(max_examples=40)
@given(st.floats(-3, 3), st.floats(.3, 3), st.floats(-3, 3), st.floats(.3, 3))
def test_kl_is_the_ceiling_minus_the_expected_log_likelihood(m, s, mu, sigma):
    truth, law = N(m, s), N(mu, sigma)
    kl = -dv.entropy(truth) - lk.expected_log_likelihood(truth, law)
    assert kl == pytest.approx(lk.kl_normals(m, s, mu, sigma), abs=1e-8)
    assert kl == pytest.approx(dv.kl(truth, law), abs=1e-8)


def test_log_likelihood_of_a_sample():
    x = [0., 1., 3.]
    assert lk.log_likelihood(N(1, 2), x) == pytest.approx(-HALF_LOG_2PI - LOG2 - (1 + 0 + 4) / 24)
    assert lk.log_likelihood(N(1, 2), torch.tensor(x)) == lk.log_likelihood(N(1, 2), x)
    assert lk.log_likelihood(stats.uniform(0, 2), x) == -math.inf


# ---- fits --------------------------------------------------------------------------------------------------

def test_fit_normal_beats_every_other_normal():
    x = np.random.default_rng(0).gamma(2., size=400)
    fit = lk.fit_normal(x)
    best = optimize.minimize(lambda t: -lk.log_likelihood(N(t[0], math.exp(t[1])), x), [0., 0.])
    assert fit.args == pytest.approx((best.x[0], math.exp(best.x[1])), abs=1e-4)
    assert lk.log_likelihood(fit, x) >= -best.fun - 1e-9


@pytest.mark.parametrize("truth", [
    stats.laplace(1, 2), stats.gamma(3.), stats.uniform(-1, 4), dv.mixture([.3, .7], [N(-2, .5), N(1, 1.5)])
], ids=["laplace", "gamma", "uniform", "mixture"])
def test_the_projection_on_the_normal_laws_matches_two_moments(truth):
    mean = integrate.quad(lambda x: x * truth.pdf(x), -40, 60, limit=400, points=[-2, -1, 0, 1, 3])[0]
    second = integrate.quad(lambda x: x ** 2 * truth.pdf(x), -40, 60, limit=400, points=[-2, -1, 0, 1, 3])[0]
    matched = lk.normal_projection(truth)
    assert matched.args == pytest.approx((mean, math.sqrt(second - mean ** 2)), abs=1e-6)
    theta, value = lk.projection(truth, N, [0., 2.])
    assert theta == pytest.approx(matched.args, abs=1e-3)
    assert value == pytest.approx(dv.kl(truth, matched), abs=1e-8)


def test_the_two_directions_of_kl_choose_different_fits():
    two = dv.mixture([.5, .5], [N(-2, .5), N(2, .5)])
    cover, at_cover = lk.projection(two, N, [.3, 1.])
    seek, at_seek = lk.projection(two, N, [1., 1.], dv.reverse_kl)
    assert cover == pytest.approx([0, math.sqrt(4.25)], abs=1e-3)
    assert seek == pytest.approx([2, .5], abs=2e-3)
    assert at_seek == pytest.approx(LOG2, abs=1e-3) and at_seek < LOG2
    assert at_cover == pytest.approx(0.723553, abs=1e-6)
    assert dv.reverse_kl(two, N(*cover)) > at_seek and dv.kl(two, N(*seek)) > at_cover


def test_projection_of_a_law_of_the_family_is_the_law():
    theta, value = lk.projection(stats.gamma(2.5, scale=.7), lambda a, b: stats.gamma(a, scale=b), [1., 1.])
    assert theta == pytest.approx([2.5, .7], abs=1e-3)
    assert 0 <= value < 1e-7


# ---- uniform convergence -----------------------------------------------------------------------------------

def test_exact_deviation_of_the_location_model():
    x = N(0, 1).rvs(60, random_state=3)
    grid = [N(mu, 1) for mu in np.linspace(-2, 2, 9)]                     # the ends are in it, and decide
    assert lk.location_deviation(x, 2) == pytest.approx(lk.uniform_deviation(x, N(0, 1), grid), abs=1e-9)
    assert lk.location_deviation(x, math.inf) == math.inf
    assert lk.location_deviation([1., -1.], math.inf) == 0


def test_the_deviation_tends_to_zero_and_bounds_the_maxima():
    laws = [N(mu, s) for mu in (-1, 0, .5) for s in (.7, 1, 2)]
    truth, gaps = N(.2, 1.1), []
    for m in (100, 10_000, 1_000_000):
        x = truth.rvs(m, random_state=m)
        sup = lk.uniform_deviation(x, truth, laws)
        on_sample = max(lk.log_likelihood(law, x) for law in laws)
        in_truth = max(lk.expected_log_likelihood(truth, law) for law in laws)
        assert abs(on_sample - in_truth) <= sup + 1e-9
        gaps.append(sup)
    assert gaps[2] < gaps[0] / 10 and gaps[2] < .01


@pytest.mark.parametrize("m, sd", [(5, 1.), (50, 1.), (20, 2.)])
def test_m2_the_maximum_looks_better_than_it_is(m, sd):
    mean = lk.simulated_max(m, runs=40_000, sd=sd, seed=1)
    assert mean == pytest.approx(lk.expected_max(m, sd), abs=.012 * sd ** 2)
    assert lk.expected_max(m, sd) - lk.expected_max(10 ** 9, sd) == pytest.approx(sd ** 2 / (2 * m), rel=1e-6)


def test_m2_as_the_book_states_it():
    assert lk.expected_max(50) == pytest.approx(-1.408939, abs=5e-7)
    assert lk.simulated_max(50) == pytest.approx(-1.408939, abs=2e-3)


def test_best_location_value_is_the_maximum():
    x = np.random.default_rng(1).normal(2, 1, size=(3, 30))
    for row, value in zip(x, lk.best_location_value(x)):
        found = optimize.minimize_scalar(lambda mu: -lk.log_likelihood(N(mu, 1), row), (1, 3))
        assert value == pytest.approx(-found.fun, abs=1e-9)


# ---- the mixture without a maximum -------------------------------------------------------------------------

def test_the_likelihood_of_the_mixture_diverges_at_the_rate_of_the_theory():
    x = N(0, 1).rvs(100, random_state=0)
    start = lk.mixture_log_likelihood(x, x[0], 1e-16)
    assert start < lk.log_likelihood(N(0, 1), x)                       # it begins below, and wins in the end
    assert lk.mixture_log_likelihood(x, x[0], 1e-32) - start == pytest.approx(0.36841, abs=5e-6)
    assert lk.mixture_log_likelihood(x, x[0], 1e-300) > 4
    beside = x[0] + 1e-3                                               # off the points it does not diverge
    assert lk.mixture_log_likelihood(x, beside, 1e-300) < lk.log_likelihood(N(0, 1), x)


@settings(max_examples=30)
@given(st.floats(-3, 3), st.floats(-1, .7))
def test_spiked_kl_against_the_general_quadrature(mu, log_s):
    s = 10 ** log_s
    assert lk.spiked_kl(mu, s) == pytest.approx(dv.kl(N(0, 1), lk.spiked_mixture(mu, s)), abs=1e-9)


def test_spiked_kl_never_exceeds_log_2():
    """The model keeps half of the true law whatever its spike does: KL -> log 2, while L_m -> infinity."""
    for s in (1e-300, 1e-30, 1e-16, 1e-8, 1e-4, 1.):
        assert 0 <= lk.spiked_kl(1.7, s) <= LOG2 + 1e-12
    assert lk.spiked_kl(0., 1.) == pytest.approx(0, abs=1e-12)
    gain = integrate.quad(lambda t: N.pdf(1 + 1e-4 * t) * 1e-4 * np.logaddexp(
        0, N.logpdf(t) + math.log(1e4) - N.logpdf(1 + 1e-4 * t)), -40, 40)[0]
    assert LOG2 - lk.spiked_kl(1., 1e-4) == pytest.approx(gain, rel=1e-6)


# ---- the empirical law -------------------------------------------------------------------------------------

@given(st.lists(st.floats(-3, 3), min_size=1, max_size=30))
def test_sup_distance_is_the_kolmogorov_smirnov_statistic(x):
    assert lk.sup_distance(x, N(0, 1)) == pytest.approx(stats.kstest(x, N(0, 1).cdf).statistic, abs=1e-12)


def test_the_law_of_the_sup_distance():
    for m, eps in ((20, .25), (200, .08)):
        sup = lk.simulated_sup_distance(m, runs=20_000, seed=m)
        assert (sup > eps).mean() == pytest.approx(stats.kstwo(m).sf(eps), abs=.01)
        assert stats.kstwo(m).sf(eps) <= lk.dkw_bound(m, eps)
    assert lk.KOLMOGOROV_MEAN == pytest.approx(stats.kstwobign.mean(), abs=1e-6)
    assert lk.KOLMOGOROV_MEAN == pytest.approx(.868731, abs=5e-7)
    sup = lk.simulated_sup_distance(2000, runs=3000)
    assert math.sqrt(2000) * sup.mean() == pytest.approx(0.860, abs=.02)


def test_sample_size_of_dkw_is_the_least():
    m = lk.dkw_sample_size(.01, .95)
    assert m == 18445
    assert lk.dkw_bound(m, .01) <= .05 < lk.dkw_bound(m - 1, .01)
    assert lk.dkw_bound(1, .1) == 1


def test_box_density_is_the_difference_quotient_and_has_mass_one():
    x, h = np.array([0., .3, 2.]), .25
    t = np.linspace(-1, 3, 4001)
    values = lk.box_density(x, h)(t)
    by_hand = sum((np.abs(t - xi) <= h) / (2 * h) / 3 for xi in x)
    assert np.mean(values != by_hand) < .01                            # they may differ at the ends of boxes
    assert np.trapezoid(values, t) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("h", [1., .1, 1e-3])
def test_box_tv_against_a_fine_grid(h):
    x = N(0, 1).rvs(15, random_state=2)
    cells = np.linspace(-9, 9, 3_000_001)
    t = (cells[1:] + cells[:-1]) / 2
    grid = .5 * np.abs(lk.box_density(x, h)(t) - N.pdf(t)).mean() * 18
    assert lk.box_tv(x, h, N(0, 1)) == pytest.approx(grid, abs=3e-3)


def test_the_derivative_of_a_step_function_is_no_density():
    x = N(0, 1).rvs(400, random_state=2)
    assert lk.box_tv(x, 1e-9, N(0, 1)) == pytest.approx(1, abs=1e-5)
    assert lk.box_tv(x, .3, N(0, 1)) < .12
    t = np.array([-.123456, .98765])
    assert (lk.box_density(x, 1e-9)(t) == 0).all()


def test_a_generator_on_a_line_has_no_likelihood_in_the_plane():
    points = N(0, 1).rvs((200_000, 2), random_state=0)
    for sigma in (1., .5, .1):
        log_q = stats.multivariate_normal([0, 0], np.diag([1, sigma ** 2])).logpdf(points)
        tol = 5 * log_q.std() / 200_000 ** .5
        assert lk.line_log_likelihood(sigma) == pytest.approx(log_q.mean(), abs=tol)
    assert lk.line_log_likelihood(1.) == pytest.approx(-dv.entropy(N(0, 1)) * 2)
    assert lk.line_log_likelihood(1e-3) < -4e5


# ---- bad input ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("call, message", [
    (lambda: lk.log_likelihood(N(0, 1), []), "at least one observation"),
    (lambda: lk.log_likelihood(N(0, 1), [[1., 2.]]), r"not of shape \(1, 2\)"),
    (lambda: lk.log_likelihood(N(0, 1), [math.nan]), "NaN or an infinity"),
    (lambda: lk.fit_normal([2., 2., 2.]), "all observations agree"),
    (lambda: lk.normal_projection(stats.cauchy()), "without finite mean and variance"),
    (lambda: lk.projection(N(0, 1), N, [0., -1.]), r"infinite or undefined at the start \[0.0, -1.0\]"),
    (lambda: lk.kl_normals(0, 1, 1, 0), "standard deviations must be positive"),
    (lambda: lk.spiked_mixture(0, 0), "s must be positive"),
    (lambda: lk.spiked_kl(0, -1), "s must be positive"),
    (lambda: lk.location_deviation([1.], -1), "radius must not be negative"),
    (lambda: lk.expected_max(0), "m must be a whole number of at least 1, not 0"),
    (lambda: lk.simulated_max(5, runs=2.5), "runs must be a whole number"),
    (lambda: lk.best_location_value(3.), "a sample is needed"),
    (lambda: lk.dkw_bound(5, -.1), "eps must not be negative"),
    (lambda: lk.dkw_sample_size(.1, 1.), "confidence in"),
    (lambda: lk.box_density([1.], 0), "h must be positive"),
    (lambda: lk.line_log_likelihood(0), "without noise there is no density"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- the figure that moves ---------------------------------------------------------------------------------

def figure(browser, part):
    """A page with the figure, and a function that sets its controls and reads its values."""
    page = browser.new_page()
    block = widgets.explore("likelihood", part, alt="x")
    page.set_content("<!doctype html><html data-theme=light><body>" + block.html)
    page.wait_for_function("document.querySelector('.gan-block')?.gan")

    def read(**state):
        return page.evaluate("""s => {
            const g = document.querySelector('.gan-block').gan;
            g.set(s);
            return g.values();
        }""", state)
    return page, read


LAWS = {"normal": N(0, 1), "bumps": dv.mixture([.5, .5], [N(-2, .6), N(2, .6)])}


@pytest.mark.parametrize("law", LAWS)
def test_the_figure_agrees_with_the_library(browser, law):
    page, read = figure(browser, "default")
    truth = LAWS[law]
    for mu, width, m in ((-1.5, .2, 20), (0, 0, 1), (2.37, -.5, 200), (0, .31, 77)):
        got = read(law=law, model="one", mu=mu, width=width, m=m)
        model = N(got["mu"], got["s"])
        assert (got["mu"], math.log10(got["s"])) == pytest.approx((mu, width), abs=1e-9)
        assert len(got["sample"]) == m
        assert got["kl"] == pytest.approx(dv.kl(truth, model), abs=1e-7)
        assert got["L"] == pytest.approx(lk.expected_log_likelihood(truth, model), abs=1e-7)
        assert got["entropy"] == pytest.approx(dv.entropy(truth), abs=1e-7)
        assert got["Lm"] == pytest.approx(lk.log_likelihood(model, got["sample"]), abs=1e-9)
        got = read(model="spike")
        model = lk.spiked_mixture(got["mu"], got["s"])
        assert got["kl"] == pytest.approx(dv.kl(truth, model), abs=1e-7)
        assert got["Lm"] == pytest.approx(lk.log_likelihood(model, got["sample"]), abs=1e-9)
    page.close()


def test_the_figure_shows_the_likelihood_that_diverges(browser):
    page, read = figure(browser, "spike")
    for width in (-2, -5, -9, -16):
        got = read(law="normal", mu=.8, width=width)
        page.get_by_role("button", name="Put μ on the nearest observation").click()
        got = read()
        assert got["mu"] in got["sample"]
        on_sample = lk.mixture_log_likelihood(got["sample"], got["mu"], got["s"])
        assert got["Lm"] == pytest.approx(on_sample, abs=1e-9)
        assert got["kl"] == pytest.approx(lk.spiked_kl(got["mu"], got["s"]), abs=1e-7)
    assert got["Lm"] > -got["entropy"] and got["kl"] <= LOG2              # above the ceiling of L
    page.get_by_role("slider", name="observations m").fill("200")
    assert read()["Lm"] < -got["entropy"]                                 # with more data s must be smaller
    page.close()


def test_the_sample_of_the_figure_comes_from_its_law(browser):
    page, read = figure(browser, "default")
    for law, truth in LAWS.items():
        sample = read(law=law, m=200)["sample"]
        assert stats.kstest(sample, truth.cdf).pvalue > .05
        page.get_by_role("button", name="Mean and deviation of the sample").click()
        got, fit = read(), lk.fit_normal(sample)
        assert (got["mu"], got["s"]) == pytest.approx(fit.args, rel=.012, abs=.006)
    page.close()


# ---- the checks of the exercises: every slip is met with its reason ----------------------------------------

def kl_by_hand(p, q):
    p, q = np.asarray(p, float), np.asarray(q, float)
    with np.errstate(divide="ignore"):
        return float(np.sum(p[p > 0] * np.log(p[p > 0] / q[p > 0])))


def em(x, floor=.05):
    """Expectation-maximisation from three starts, the width held above a floor."""
    def run(mu, s):
        for _ in range(300):
            share = 1 / (1 + np.exp(np.clip(N.logpdf(x) - N.logpdf(x, mu, s), -500, 500)))
            mu = share @ x / share.sum()
            s = max(floor, math.sqrt(share @ (x - mu) ** 2 / share.sum()))
        return mu, s
    fits = [run(mu, .5) for mu in np.quantile(x, [.1, .5, .9])]
    return max(fits, key=lambda fit: lk.mixture_log_likelihood(x, *fit))


def crossing():
    x = checks.crossing_sample()
    target = lk.log_likelihood(N(0, 1), x)
    return optimize.brentq(lambda t: lk.mixture_log_likelihood(x, x[0], 10 ** t) - target, -60, -5)


@pytest.mark.parametrize("check, answer, says", [
    ("kl", kl_by_hand, "Right"), ("kl", lambda p, q: kl_by_hand(q, p), "you computed KL(q||p)"),
    ("kl", dv.cross_entropy, "cross-entropy"), ("kl", lambda p, q: dv.entropy(p), "the entropy of p"),
    ("kl", lambda p, q: dv.kl(p, q) / LOG2, "in bits"), ("kl", None, "no function here yet"),
    ("kl", lambda p, q: kl_by_hand(np.array(p) + 1e-12, np.array(q) + 1e-12), "hides an infinity"),
    ("kl", lambda p, q: np.sum(np.array(p) * np.log(np.array(p) / np.array(q))), "0 log 0 = 0"),
    ("directions", ("forward", "reverse"), "Right"), ("directions", ["Forward", "reverse "], "Right"),
    ("directions", ("reverse", "forward"), "the other way round"),
    ("directions", "forward", "answer with a pair"),
    ("directions", ("forward", "forward"), "cannot have chosen both"),
    ("directions", ..., "answer with a pair"),
    ("kl_normals", lk.kl_normals, "Right"),
    ("kl_normals", lambda a, b, c, d: lk.kl_normals(c, d, a, b), "swapped"),
    ("kl_normals", lambda a, b, c, d: lk.kl_normals(a, b, c, d) + .5, "a 1/2 is missing"),
    ("kl_normals", lambda a, b, c, d: lk.kl_normals(a, b, c, d) - 2 * math.log(d / b), "upside down"),
    ("projection", (0, math.sqrt(4.25)), "Right"), ("projection", (2, .5), "one of the bumps"),
    ("projection", (0, 4.25), "4.25 is the variance"), ("projection", (0, 2), "the variance has two parts"),
    ("projection", (1, 2), "symmetric about 0"),
    ("projection", (0, 3), "too large"), ("projection", 3, "shape"),
    ("sample_size", 18445, "Right"),
    ("sample_size", 18444.397, "round up"), ("sample_size", 18444, "one observation"),
    ("sample_size", 14979, "the factor 2 before"), ("sample_size", 36889, "the 2 in the exponent"),
    ("sample_size", 3723, "0.95 is for success"), ("sample_size", 185, "eps is squared"),
    ("hypothesis", "continuous", "Right"), ("hypothesis", "compact", "not a compact set"),
    ("hypothesis", "envelope", "put mu on x"), ("hypothesis", "entropy", "not among the answers"),
    ("crossing", crossing, "Right"), ("crossing", lambda: crossing() * math.log(10), "the natural logarithm"),
    ("crossing", lambda: 10 ** crossing(), "s itself"), ("crossing", lambda: 30., "log10(s) is negative"),
    ("crossing", lambda: -20., "too wide"), ("crossing", lambda: -400., "too narrow"),
    ("gap", lambda m, v: v / (2 * m), "Right"), ("gap", lambda m, v: 1 / (2 * m), "if the model is right"),
    ("gap", lambda m, v: v / m, "a factor 1/2"),
    ("gap", lambda m, v: math.sqrt(v) / (2 * m), "without a root"),
    ("gap", lambda m, v: v / (2 * math.sqrt(m)), "no root of m"),
    ("safe_fit", em, "Right"), ("safe_fit", lambda x: (x[0], 1e-6), "has found a spike"),
    ("safe_fit", lambda x: (x.mean(), x.std()), "nats away in KL"),
    ("safe_fit", lambda x: (0., -1.), "positive"),
    ("safe_fit", lambda x: 1 / 0, "ZeroDivisionError"), ("safe_fit", lambda x: None, "is None"),
])
def test_exercise(capsys, check, answer, says):
    if check == "crossing":
        answer = answer()
    getattr(checks, f"check_{check}")(answer)
    out = capsys.readouterr().out
    assert says in out and out.count("\n") == 1
    assert out.startswith("Right" if says == "Right" else "Not yet")

"""The numbers of the chapter on vanishing gradients, each against a method that does not know the formula."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.special import rel_entr
from answers import judged

from gantools import data, divergences, nets, vanishing
from gantools.exercises import vanishing as ex
from gantools.game import gan

LOG2 = math.log(2)
N = stats.norm


NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)


def integral(f, low=-12.0, high=20.0, pieces=96):
    """Gauss-Legendre quadrature in pieces (the module itself uses the trapezoidal rule)."""
    half = (high - low) / (2 * pieces)
    centres = low + half * (2 * np.arange(pieces) + 1)
    return float(half * (f(centres[:, None] + half * NODES) @ WEIGHTS).sum())


def jsd_by_quad(p, q, low=-12.0, high=20.0):
    def f(x):
        a, b = p.pdf(x), q.pdf(x)
        return (rel_entr(a, (a + b) / 2) + rel_entr(b, (a + b) / 2)) / 2

    return integral(f, low, high)


def slope(f, x, h=1e-3):
    """Five-point derivative."""
    return (f(x - 2 * h) - 8 * f(x - h) + 8 * f(x + h) - f(x + 2 * h)) / (12 * h)


# ---- parallel lines and uniforms: C.5, C.6, M9, M10 -------------------------------------------------------


@pytest.mark.parametrize("sigma, expected", [
    (1.0, (0.5, 0.382925, 0.111421, 0.198986)),
    (0.5, (2.0, 0.682689, 0.336831, 0.449600)),
    (0.25, (8.0, 0.954500, 0.632720, 0.274390)),
    (0.1, (50.0, 0.9999994, 0.693146, 2.23e-5)),
])  # fmt: skip
def test_noisy_lines_against_the_table_and_quadrature(sigma, expected):
    found = vanishing.lines(1.0, sigma)
    assert (found.kl, found.tv, found.jsd) == pytest.approx(expected[:3], abs=1e-6)
    assert found.djsd == pytest.approx(expected[3], rel=1e-3)
    p, q = N(0, sigma), N(1, sigma)
    low, high = -9 * sigma, 1 + 9 * sigma
    assert found.jsd == pytest.approx(jsd_by_quad(p, q, low, high), abs=1e-10)
    assert found.tv == pytest.approx(integral(lambda x: abs(p.pdf(x) - q.pdf(x)) / 2, low, high), abs=1e-9)
    assert found.kl == pytest.approx(
        integral(lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), low, high), abs=1e-8
    )
    numeric = slope(lambda t: jsd_by_quad(p, N(t, sigma), low, high + 0.1), 1.0)
    assert found.djsd == pytest.approx(numeric, abs=1e-9)
    assert found.w1 == pytest.approx(
        stats.wasserstein_distance(*(law.ppf(np.linspace(5e-4, 1 - 5e-4, 1000)) for law in (p, q)))
    )


def test_noisy_lines_in_the_plane():
    """The second coordinate is common: Monte Carlo over the plane's own densities gives the same JSD."""
    p, q = data.lines(0.0, 0.5), data.lines(1.0, 0.5)
    x = q.sample(400_000, torch.Generator().manual_seed(0))
    y = p.sample(400_000, torch.Generator().manual_seed(1))
    on_q = torch.nn.functional.softplus(p.log_density(x) - q.log_density(x)).double().mean()
    on_p = torch.nn.functional.softplus(q.log_density(y) - p.log_density(y)).double().mean()
    assert LOG2 - float(on_q + on_p) / 2 == pytest.approx(vanishing.lines(1.0, 0.5).jsd, abs=2e-3)


def test_clean_lines_are_the_limits():
    at = vanishing.lines([-2.0, 0.7, 0.0])
    assert at.kl.tolist() == [math.inf, math.inf, 0]
    assert at.tv.tolist() == [1, 1, 0]
    assert at.jsd.tolist() == [LOG2, LOG2, 0]
    assert at.w1.tolist() == [2, 0.7, 0]
    assert at.djsd[:2].tolist() == [0, 0] and math.isnan(at.djsd[2])
    faint = vanishing.lines(0.7, 1e-3)
    assert (faint.tv, faint.jsd, faint.djsd) == pytest.approx((1, LOG2, 0), abs=1e-15)


@given(st.floats(-30, 30), st.floats(0.05, 20))
def test_noisy_lines_have_the_inequalities_of_all_laws(theta, sigma):
    at = vanishing.lines(theta, sigma)
    assert -1e-15 <= at.jsd <= LOG2 * at.tv + 1e-12
    assert at.jsd >= LOG2 - divergences.binary_entropy((1 - at.tv) / 2) - 1e-12
    assert at.djsd * theta >= 0
    mirrored = vanishing.lines(-theta, sigma)
    assert (mirrored.jsd, mirrored.w1, mirrored.djsd) == (at.jsd, at.w1, -at.djsd)


@settings(max_examples=25)
@given(st.floats(0.1, 6), st.floats(0.2, 3))
def test_slope_of_the_noisy_lines_is_the_slope_of_their_jsd(theta, sigma):
    h = 1e-3 * sigma
    numeric = slope(lambda t: vanishing.lines(t, sigma).jsd, theta, h)
    assert vanishing.lines(theta, sigma).djsd == pytest.approx(numeric, abs=1e-8 / sigma)


@pytest.mark.parametrize("theta", [0.3, -0.8, 0.999, 2.5])
def test_uniforms_exactly_and_on_cells(theta):
    at = vanishing.uniforms(theta)
    cells = np.arange(-3000, 4000) / 1000 + 5e-4
    p, q = ((cells > 0) & (cells < 1)) / 1000, ((cells > theta) & (cells < 1 + theta)) / 1000
    assert at.jsd == pytest.approx(divergences.jsd(p, q), abs=1e-12)
    assert at.tv == pytest.approx(divergences.tv(p, q), abs=1e-12)
    assert at.kl == math.inf == divergences.kl(p, q)
    assert at.w1 == pytest.approx(stats.wasserstein_distance(cells, cells, p, q), abs=1e-12)
    assert at.djsd == pytest.approx(slope(lambda t: vanishing.uniforms(t).jsd, theta, 1e-4), abs=1e-9)


def test_uniforms_at_m10_and_at_the_kinks():
    at = vanishing.uniforms(0.3)
    assert (at.jsd, at.w1) == pytest.approx((0.207944, 0.3), abs=1e-6)
    kinks = vanishing.uniforms([-1, 0, 1.0])
    assert np.isnan(kinks.djsd).all() and kinks.kl.tolist() == [math.inf, 0, math.inf]


# ---- what the generator feels: B.6 to B.9, M5 to M7 -------------------------------------------------------


@pytest.mark.parametrize(
    "mu, saturating", [(1, 0.397973), (2, 0.449600), (4, 0.137195), (6, 0.012453), (8, 0.000393)]
)
def test_both_generator_gradients(mu, saturating):
    found = vanishing.generator_gradients(mu)
    assert found.saturating == pytest.approx(saturating, abs=1e-6)
    assert found.nonsaturating == pytest.approx(mu - saturating, abs=1e-6)

    def loss(theta, f):  # the samples move, D* stays that of mu
        return integral(lambda u: N.pdf(u) * f(mu**2 / 2 - mu * (theta + u)), -10, 10)

    for value, f in [
        (found.saturating, lambda a: -np.logaddexp(0, a)),
        (found.nonsaturating, lambda a: np.logaddexp(0, -a)),
    ]:
        assert value == pytest.approx(slope(lambda t: loss(t, f), mu), abs=1e-8)
    assert found.saturating == pytest.approx(2 * slope(lambda t: jsd_by_quad(N(0, 1), N(t, 1)), mu), abs=1e-8)


def test_generator_gradients_far_out_keep_their_digits():
    """At mu = 40 the saturating gradient is about e^-200: not zero, and not lost to round-off."""
    found = vanishing.generator_gradients([0.0, 40.0, -40.0])
    asymptotic = (
        40 * math.exp(-(40**2) / 8) * math.sqrt(math.pi / 2) / 40
    )  # E sech(40 U / 2) / 2 for a narrow sech
    assert found.saturating[1] == pytest.approx(asymptotic, rel=1e-2)
    assert found.saturating[2] == -found.saturating[1] and found.saturating[0] == 0
    assert found.nonsaturating[1] == pytest.approx(40)


def test_quality_and_coverage_have_equal_shares_of_the_gradient():
    found = vanishing.quality_coverage_gradients(1.5)
    assert found == pytest.approx((0.232225, 0.232225), abs=1e-6)
    assert sum(found) == pytest.approx(0.464450, abs=1e-6)
    for k in range(2):
        numeric = slope(lambda t: divergences.quality_coverage(N(0, 1), N(t, 1))[k], 1.5)
        assert found[k] == pytest.approx(numeric, abs=1e-8)
    assert sum(found) == pytest.approx(vanishing.generator_gradients(1.5).saturating, abs=1e-12)


def test_quality_and_coverage_of_a_dropped_mode():
    found = divergences.quality_coverage([0.5, 0.5], [1, 0])
    assert (found.quality, found.coverage) == pytest.approx((0.287682, 0.143841), abs=1e-6)


@pytest.mark.parametrize("mu, sd", [(1.5, 1.0), (-0.7, 0.5), (2.0, 1.8)])
def test_theorem_2_5(mu, sd):
    left, right = vanishing.theorem_2_5(mu, sd)
    assert left == pytest.approx(right, abs=1e-6)
    p, q = N(0, 1), N(mu, sd)

    def logit(x):
        return p.logpdf(x) - q.logpdf(x)

    moved = slope(lambda t: integral(lambda u: N.pdf(u) * np.logaddexp(0, -logit(t + sd * u)), -11, 11), mu)
    assert left == pytest.approx(moved, abs=1e-7)
    whole = slope(lambda t: divergences.kl(N(t, sd), p) - 2 * divergences.jsd(N(t, sd), p), mu, 1e-2)
    assert right == pytest.approx(whole, abs=1e-6)


def test_theorem_2_5_at_m5():
    assert vanishing.theorem_2_5(1.5) == pytest.approx((1.035550, 1.035550), abs=1e-6)


def test_the_divergence_of_the_nonsaturating_loss_at_m6():
    assert vanishing.nonsaturating_divergence(N(0, 1), N(1.5, 1)) == pytest.approx(
        (0.682658, 0.682658), abs=1e-6
    )
    by_quad = integral(
        lambda x: (N.pdf(x) + N.pdf(x, 1.5)) * np.log((1 + np.exp(1.5 * x - 1.125)) / 2), -10, 12
    )
    assert by_quad == pytest.approx(0.682658, abs=1e-6)
    assert vanishing.nonsaturating_divergence([0.5, 0.5], [1, 0]) == pytest.approx(
        (0.261624, 0.261624), abs=1e-6
    )
    assert vanishing.nonsaturating_divergence([1, 0], [0.5, 0.5]) == (math.inf, math.inf)


vectors = st.lists(st.floats(1e-3, 1), min_size=2, max_size=8)


@given(vectors, st.data())
def test_the_nonsaturating_identity_holds_for_all_vectors(p, more):
    q = more.draw(st.lists(st.floats(0, 1), min_size=len(p), max_size=len(p)).filter(lambda v: sum(v) > 0.01))
    p, q = np.array(p) / sum(p), np.array(q) / sum(q)
    left, right = vanishing.nonsaturating_divergence(p, q)
    assert left == pytest.approx(right, abs=1e-12) and right >= -1e-15
    assert right == pytest.approx(sum((a + b) * math.log((a + b) / (2 * a)) for a, b in zip(p, q)), abs=1e-9)


@pytest.mark.parametrize("w, jsd", [(0.125, 0.045407), (0.05, 0.017649), (0.5, 0.215762)])
def test_what_a_dropped_mode_costs(w, jsd):
    cost = vanishing.dropped_mode(w)
    p, q = [1 - w, w], [1, 0]
    assert cost.jsd == pytest.approx(jsd, abs=1e-6)
    assert cost.jsd == pytest.approx(divergences.jsd(p, q), abs=1e-12)
    assert (cost.quality + cost.coverage) / 2 == pytest.approx(cost.jsd, abs=1e-12)
    assert (cost.kl, cost.reverse_kl) == (math.inf, pytest.approx(divergences.kl(q, p), abs=1e-12))
    assert cost.nonsaturating == pytest.approx(2 * divergences.kl([1 - w / 2, w / 2], p), abs=1e-12)


def test_what_dropping_nothing_or_everything_costs():
    cost = vanishing.dropped_mode([0.0, 1.0])
    assert [tuple(row) for row in np.array(cost).T] == [
        (0,) * 6,
        (LOG2, LOG2, LOG2, math.inf, math.inf, math.inf),
    ]
    assert (np.diff(vanishing.dropped_mode(np.linspace(0, 1, 50)).jsd) > 0).all()


def test_no_choice_of_the_kept_law_is_cheaper_than_j_max():
    """Spreading the dropped mass over the modes that are kept in proportion is the best one can do."""
    p = np.array([0.3, 0.3, 0.3, 0.1])

    def cost(t):
        q = np.append(np.exp(t) / np.exp(t).sum(), 0)
        return divergences.jsd(p, q)

    best = optimize.minimize(cost, [0.5, -0.3, 0.0], tol=1e-12)
    assert best.fun == pytest.approx(vanishing.dropped_mode(0.1).jsd, abs=1e-9)


# ---- perfect discriminators: C.1, C.4 ---------------------------------------------------------------------


def test_the_perfect_discriminator_is_perfect_and_flat():
    rng = torch.Generator().manual_seed(0)
    real, fake = data.lines(0.0).sample(400, rng), data.lines(0.6).sample(300, rng)
    gap = float(torch.cdist(real, fake).min())
    discriminator = vanishing.perfect_discriminator(real, fake)
    for points, value in [(real, 1.0), (fake, 0.0)]:
        moved = points.double() + gap / 3 * 0.999 * torch.nn.functional.normalize(
            torch.randn(len(points), 2, generator=rng, dtype=torch.float64), dim=1
        )
        for x in (points.double(), moved):
            x.requires_grad_()
            output = discriminator(x)
            assert (output == value).all()
            assert (torch.autograd.grad(output.sum(), x)[0] == 0).all()
    between = torch.stack([torch.linspace(0, 0.6, 61), torch.full((61,), 0.5)], 1)
    values = discriminator(between)
    assert ((values > 0.01) & (values < 0.99)).any() and ((0 <= values) & (values <= 1)).all()


def test_the_perfect_discriminator_is_smooth():
    """Its derivative, taken automatically, is the finite difference; and it is continuous at the seams."""
    one = vanishing.perfect_discriminator(torch.tensor([[0.0]]), torch.tensor([[3.0]]))
    x = torch.linspace(0, 3, 3001, dtype=torch.float64)[:, None].requires_grad_()
    y = one(x)
    (dy,) = torch.autograd.grad(y.sum(), x)
    numeric = (y[2:] - y[:-2]).detach() / 0.002
    assert (dy[1:-1, 0] - numeric).abs().max() < 1e-4
    assert dy.diff(dim=0).abs().max() < 0.02


def test_theorem_2_4_bounds_what_the_generator_feels():
    for epsilon in (0.3, 0.1, 1e-3):
        for frequency in (0.0, 1.0, 7.0):
            left, right = vanishing.theorem_2_4(epsilon, frequency)
            assert 0 < left <= right == pytest.approx(epsilon / (1 - epsilon))
    y = np.linspace(0, 1, 20001)
    size = 2 + math.sqrt(2)
    exact = np.trapezoid(0.1 * np.cos(y - 1) / size / (1 - 0.1 * (1 + np.sin(y - 1)) / size), y)
    assert vanishing.theorem_2_4(0.1).left == pytest.approx(exact, abs=1e-6)


def test_a_discriminator_may_converge_while_its_gradient_explodes():
    for n in (5, 20, 100):
        found = vanishing.wild_discriminator(n)
        x = np.random.default_rng(n).random(400_000)
        felt = np.abs(n * np.sin(2 * n**2 * x)) / (1 - np.sin(n**2 * x) ** 2 / n)
        assert found.height == pytest.approx(1 / n, rel=1e-4) and found.slope == pytest.approx(n, rel=1e-3)
        assert found.gradient == pytest.approx(felt.mean(), rel=1e-2) and found.gradient > n / 2


# ---- heavy tails: B.10, M8 --------------------------------------------------------------------------------


def test_ratios_are_cauchy_and_so_are_their_means():
    for average, draws in [(1, 1_000_000), (100, 100_000)]:
        found = vanishing.ratio_of_gaussians(draws, 0.6, 0.3, average)
        assert np.quantile(found, [0.25, 0.75]) == pytest.approx([-2, 2], abs=0.1 if average > 1 else 0.02)
        assert stats.kstest(found[:20_000], stats.cauchy(scale=2).cdf).pvalue > 1e-3
    assert np.array_equal(vanishing.ratio_of_gaussians(5, seed=3), vanishing.ratio_of_gaussians(5, seed=3))
    assert not np.array_equal(
        vanishing.ratio_of_gaussians(5, seed=3), vanishing.ratio_of_gaussians(5, seed=4)
    )


# ---- noise: B.11, C.7 -------------------------------------------------------------------------------------


def test_the_noise_bound():
    assert vanishing.noise_bound_uniform(0.5, 0.5) == pytest.approx((0.5, 2.3435), abs=1e-4)
    p, q = stats.uniform(-0.5, 1), stats.uniform(0, 1)
    direct = vanishing.noise_bound(stats.uniform(-0.5, 1).var(), 1.5, divergences.jsd(p, q))
    assert vanishing.noise_bound_uniform(0.5, 0.5).right == pytest.approx(direct, abs=1e-9)


@given(st.floats(-10, 10), st.floats(0.01, 10))
def test_the_noise_bound_is_a_bound(theta, half_width):
    left, right = vanishing.noise_bound_uniform(theta, half_width)
    assert left <= right


@pytest.mark.parametrize("sigma", [0.0, 0.1, 0.4, 1.5])
def test_noise_fades_a_wiggle_but_never_erases_it(sigma):
    """Against a convolution by the discrete Fourier transform of the wrapped noise, and JSD by summation."""
    n, k, amplitude = 1 << 14, 3, 0.8
    x = 2 * np.pi * np.arange(n) / n
    p = np.full(n, 1 / n)
    q = (1 + amplitude * np.cos(k * x)) / n
    if sigma:
        noise = sum(N.pdf(x + 2 * np.pi * wrap, 0, sigma) for wrap in range(-4, 4)) * 2 * np.pi / n
        p, q = (np.fft.ifft(np.fft.fft(law) * np.fft.fft(noise)).real for law in (p, q))
    assert vanishing.wiggle(amplitude, k, sigma) == pytest.approx(
        divergences.jsd(p / p.sum(), q / q.sum()), rel=1e-6, abs=1e-14
    )
    assert vanishing.wiggle(amplitude, k, sigma) > 0


def test_the_wiggle_series_meets_the_sum():
    just = [vanishing.wiggle(a, 1, 0) for a in (0.99e-4, 1.01e-4)]
    assert just[1] / just[0] == pytest.approx((1.01 / 0.99) ** 2, rel=1e-4)


# ---- runs -----------------------------------------------------------------------------------------------


def test_gradient_norms_against_finite_differences():
    generator, discriminator = (
        nets.mlp([2, 4, 2], "tanh", seed=0).double(),
        nets.mlp([2, 6, 1], "tanh", seed=1).double(),
    )
    z = torch.randn(64, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = vanishing.gradient_norms(generator, discriminator, z)
    weights = torch.nn.utils.parameters_to_vector(generator.parameters()).detach()

    def losses(vector):
        torch.nn.utils.vector_to_parameters(vector, generator.parameters())
        with torch.no_grad():
            d = discriminator(generator(z)).sigmoid()
            return np.array([float((1 - d).log().mean()), float(-d.log().mean())])

    numeric = np.array(
        [slope(lambda t: losses(weights + t * e), 0.0) for e in torch.eye(len(weights), dtype=torch.float64)]
    )
    assert found == pytest.approx(np.linalg.norm(numeric, axis=0), rel=1e-7)


def two_players():
    return gan(nets.mlp([2, 2]), nets.mlp([2, 1]), data.ring())


def frozen(seed=0, **options):
    generator = nets.mlp([1, 16, 2], "tanh", seed=seed)
    with torch.no_grad():
        generator[-1].bias += torch.tensor([3.0, 0.0])
    return vanishing.frozen_generator_game(
        generator,
        nets.mlp([2, 32, 1], seed=seed + 1),
        data.lines(0.0),
        latent=1,
        batch_size=64,
        lr=3e-3,
        seed=seed,
        **options,
    )


def test_a_perfect_discriminator_kills_the_saturating_gradient():
    game = frozen()
    before = [w.clone() for w in game.rules.generator.parameters()]
    run = vanishing.perfect_discriminator_run(game, 400, measurements=9, probes=256)
    assert all(torch.equal(a, b) for a, b in zip(before, game.rules.generator.parameters()))
    assert run.steps[0] == 0 and run.steps[-1] == 400 == game.number
    assert all(len(field) == len(run.steps) for field in run)
    assert run.accuracy[-1] == 1 and run.loss[-1] < 0.02
    assert run.saturating[-1] < run.saturating.max() / 100
    assert run.nonsaturating[-1] > 30 * run.saturating[-1]


def test_measuring_does_not_change_the_run():
    few, many = frozen(), frozen()
    vanishing.perfect_discriminator_run(few, 40, measurements=1, probes=16)
    vanishing.perfect_discriminator_run(many, 40, measurements=12, probes=128)
    weights = [
        torch.nn.utils.parameters_to_vector(game.rules.discriminator.parameters()) for game in (few, many)
    ]
    assert torch.equal(*weights)


def test_instance_noise_keeps_the_discriminator_uncertain():
    clean, noisy = (frozen(noise=noise) for noise in (0.0, 2.0))
    for game in (clean, noisy):
        game.run(300)
    z = torch.randn(512, 1, generator=torch.Generator().manual_seed(1))
    norms = [
        vanishing.gradient_norms(g.rules.generator, g.rules.discriminator, z).saturating
        for g in (clean, noisy)
    ]
    assert norms[1] > 10 * norms[0]


def test_the_line_generator_draws_the_noisy_line():
    z = torch.randn(50_000, 3, generator=torch.Generator().manual_seed(0))
    x = vanishing.LineGenerator(0.7, 0.2)(z).detach()
    law = data.lines(0.7, 0.2).sample(50_000, torch.Generator().manual_seed(1))
    for k in range(2):
        assert stats.ks_2samp(x[:, k].numpy(), law[:, k].numpy()).pvalue > 1e-3
    assert torch.allclose(vanishing.LineGenerator(2.0)(z)[:, 0], torch.tensor(2.0))


def test_a_trained_discriminator_hands_on_the_gradient_of_the_jsd():
    """B.6 with a real network: the gradient in theta is that of 2 JSD, though no JSD was ever computed."""
    generator = vanishing.LineGenerator(1.0, 0.5)
    game = vanishing.frozen_generator_game(
        generator, nets.mlp([2, 32, 1], seed=1), data.lines(0.0, 0.5), latent=3, batch_size=512, lr=5e-3
    )
    game.run(600)
    z = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(0))
    found = vanishing.gradient_norms(generator, game.rules.discriminator, z)
    expected = vanishing.generator_gradients(2.0)  # two standard deviations apart
    assert found.saturating == pytest.approx(expected.saturating / 0.5, rel=0.15)
    assert found.nonsaturating == pytest.approx(expected.nonsaturating / 0.5, rel=0.15)


# ---- bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call, words", [
    (lambda: vanishing.lines(math.nan), "theta must be finite"),
    (lambda: vanishing.lines(1, -1), "sigma must be at least 0"),
    (lambda: vanishing.lines(1, math.inf), "sigma must be at least 0 and finite"),
    (lambda: vanishing.uniforms([0, math.inf]), "theta must be finite"),
    (lambda: vanishing.generator_gradients(math.inf), "mu must be finite"),
    (lambda: vanishing.theorem_2_5(1, 0), "sd must be above 0"),
    (lambda: divergences.quality_coverage([1, 0], [1, 0, 0]), "has 2 entries"),
    (lambda: divergences.quality_coverage([1, 1], [1, 0]), "sum to one"),
    (lambda: vanishing.nonsaturating_divergence([0.5, 0.5], N(0, 1)), "is a distribution"),
    (lambda: vanishing.dropped_mode(1.2), "between 0 and 1"),
    (lambda: vanishing.perfect_discriminator(torch.zeros(2, 2), torch.zeros(3, 2)), "the two supports meet"),
    (lambda: vanishing.perfect_discriminator(torch.zeros(2), torch.ones(3, 2)), "must be .n, d."),
    (lambda: vanishing.theorem_2_4(1.0), "epsilon must be at least 0 and below 1"),
    (lambda: vanishing.theorem_2_4(0.0), "epsilon must be above 0"),
    (lambda: vanishing.gradient_bound(0.5, -1), "jacobian must be at least 0"),
    (lambda: vanishing.wild_discriminator(1), "between 2 and 300"),
    (lambda: vanishing.wild_discriminator(2.5), "n must be a positive whole number"),
    (lambda: vanishing.ratio_of_gaussians(0), "draws must be a positive whole number"),
    (lambda: vanishing.ratio_of_gaussians(10, scale_eps=0), "scale_eps must be above 0"),
    (lambda: vanishing.noise_bound(-1, 1, 0.1), "variance must be at least 0"),
    (lambda: vanishing.noise_bound(1, 1, 0.8), "jsd must be at least 0 and at most"),
    (lambda: vanishing.wiggle(2, 1, 0), "amplitude must be at least 0 and at most 1"),
    (lambda: vanishing.perfect_discriminator_run(frozen(), 0), "steps must be a positive whole number"),
    (lambda: vanishing.perfect_discriminator_run(two_players()), "one player"),
    (lambda: frozen(noise=-1), "noise must be at least 0"),
])  # fmt: skip
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ---- the exercises' checks --------------------------------------------------------------------------------


def own_gradients(mu):
    x = mu + np.linspace(-9, 9, 4001)
    q = N.pdf(x, mu) * (x[1] - x[0])
    d = N.pdf(x) / (N.pdf(x) + N.pdf(x, mu))
    return np.sum(q * mu * d), np.sum(q * mu * (1 - d))


def bump(x):
    t = np.clip(2 - np.asarray(x, dtype=float), 1e-3, 1 - 1e-3)
    return np.exp(-1 / t) / (np.exp(-1 / t) + np.exp(-1 / (1 - t)))


def best_sigma():
    return optimize.minimize_scalar(
        lambda s: -vanishing.lines(1, s).djsd, bounds=(0.1, 2), method="bounded"
    ).x


@pytest.mark.parametrize("check, right, wrongs", [
    (ex.check_disjoint, {"B", "C", "E"}, [
        ({"A", "B"}, "A is false"), ({"B"}, "C, E"), ({"Z"}, "letters"), ("BCE", None)
    ]),
    (ex.check_uniforms, 0.25 * LOG2, [
        (0.25, "in bits"), (LOG2, "overlap"), (math.inf, "KL"), (0.75 * LOG2, "common")
    ]),
    (ex.check_accuracy_noise, 1 / (2 * N.ppf(0.75)), [
        (2 * N.ppf(0.75), "upside down"), (0.5, "too small"), (1 / N.ppf(0.75), "twice")
    ]),
    (ex.check_mean_of_ratios, 2 * math.atan(0.2) / math.pi, [
        (0, "law of large numbers"), (math.atan(0.2) / math.pi, "half")
    ]),
    (ex.check_saturating_loss, lambda a: float(-np.logaddexp(0, a).mean()), [
        (lambda a: float(np.logaddexp(0, -a).mean()), "non-saturating"),
        (lambda a: float(np.log(1 - 1 / (1 + np.exp(-a))).mean()), "logaddexp"),
        (lambda a: float(np.logaddexp(0, a).mean()), "sign"),
        (None, "no function"),
    ]),
    (ex.check_gradients, own_gradients, [
        (lambda mu: own_gradients(mu)[::-1], "changed places"),
        (lambda mu: (own_gradients(mu)[0] / 2, own_gradients(mu)[1]), "2 JSD"),
        (lambda mu: own_gradients(mu)[0], "shape"),
    ]),
    (ex.check_perfect_discriminator, bump, [
        (lambda x: np.clip(2 - x, 0, 1), "corner"),
        (lambda x: 1 / (1 + np.exp(40 * (x - 1.5))), "exactly 1"),
        (lambda x: (np.asarray(x) < 1.5) * 1.0, "jump"),
        (lambda x: bump(3 - x), "wrong way"),
        (lambda x: 2 * bump(x) - 0.5, "between 0 and 1"),
        (lambda x: 0.5, "shape"),
        (lambda x: bump(x) ** 0 * 0.5, "exactly 1"),
    ]),
    (ex.check_best_noise, best_sigma(), [(0.0, "no slope"), (1.0, None), (1 / best_sigma(), "upside down")]),
])  # fmt: skip
def test_exercise_checks_know_right_from_wrong(check, right, wrongs, capsys):
    judged(capsys, check, right, wrongs)


# ---- the figures that move --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def figure(moving):
    return partial(moving.read, "vanishing")


@pytest.mark.parametrize(
    "theta, sigma", [(1.0, 0.5), (-0.6, 0.25), (2.0, 1.0), (1.3, 0.05), (0.4, 0.0), (0.0, 0.0), (0.0, 0.3)]
)
def test_the_moving_lines_show_the_library_s_numbers(figure, theta, sigma):
    shown = figure("lines", theta=theta, sigma=sigma)
    expected = vanishing.lines(theta, sigma)._asdict()
    assert {key: shown[key] for key in expected} == pytest.approx(expected, abs=1e-9, nan_ok=True)
    if sigma and theta:
        numeric = slope(lambda t: np.array(vanishing.lines(t, sigma)[:2]), theta, 1e-3 * sigma)
        assert (shown["dkl"], shown["dtv"]) == pytest.approx(tuple(numeric), abs=1e-7)


@pytest.mark.parametrize("mu", [0.05, 1.5, 4.0, 10.0])
def test_the_moving_gradients_show_the_library_s_numbers(figure, mu):
    shown = figure("losses", mu=mu)
    assert (shown["saturating"], shown["nonsaturating"]) == pytest.approx(
        vanishing.generator_gradients(mu), rel=1e-9
    )


@pytest.mark.parametrize("r, eps", [(0.6, 0.3), (0.3, 1.2)])
def test_the_moving_ratio_is_cauchy(figure, r, eps):
    gamma = r / eps
    means = []
    for seed in (1, 2, 3):
        shown = figure("ratio", r=r, eps=eps, seed=seed)
        assert shown["gamma"] == pytest.approx(gamma)
        assert shown["density"] == pytest.approx(stats.cauchy.pdf([0, 1, 5], scale=gamma))
        assert (shown["low"], shown["high"]) == pytest.approx((-gamma, gamma), rel=0.08)
        assert shown["largest"] > 100 * gamma
        means.append(shown["mean"])
    assert len(set(means)) == 3

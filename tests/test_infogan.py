"""The numbers of the chapter on InfoGAN, each against a method that does not know the formula."""

import itertools
import json
import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from answers import judged
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import integrate, optimize, stats
from torch import nn
from torch._subclasses import FakeTensorMode

from gantools import data, divergences, infogan, nets, penalties, results
from gantools.exercises import infogan as ex
from gantools.game import Batch
from gantools.infogan import Codes, GaussianChannel, UniformChannel
from gantools.recording import Recording

N = stats.norm
LOG2 = math.log(2)


def tables(columns_are_laws=False, k=3, m=4):
    def normalise(table):
        table = np.where(table < 0.05, 0, table)  # zeros are welcome
        table[0] += table.sum(0) == 0
        return table / (table.sum(0) if columns_are_laws else table.sum())

    return hnp.arrays(float, (k, m), elements=st.floats(0, 1)).map(normalise)


# ---- tables -----------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(tables())
def test_information_is_a_kl_and_a_difference_of_entropies(joint):
    codes, outputs = joint.sum(1), joint.sum(0)
    value = infogan.mutual_information(joint)
    assert value == pytest.approx(divergences.kl(joint.ravel(), np.outer(codes, outputs).ravel()), abs=1e-12)
    assert value == pytest.approx(infogan.mutual_information(joint.T), abs=1e-12)
    assert value == pytest.approx(divergences.entropy(codes) - infogan.conditional_entropy(joint), abs=1e-12)
    assert 0 <= value <= min(math.log(3), divergences.entropy(outputs)) + 1e-12


@settings(max_examples=50)
@given(tables(), tables(columns_are_laws=True))
def test_the_bound_is_below_and_the_gap_is_what_is_missing(joint, Q):
    value, reached, gap = infogan.mutual_information(joint), infogan.bound(joint, Q), infogan.gap(joint, Q)
    assert reached <= value + 1e-12 and gap >= 0
    if math.isinf(gap):
        assert reached == -math.inf and ((joint > 0) & (Q == 0)).any()
    else:
        assert reached + gap == pytest.approx(value, abs=1e-12)
    best = infogan.posterior(joint)
    assert best.sum(0) == pytest.approx(np.ones(4))
    assert infogan.bound(joint, best) == pytest.approx(value, abs=1e-12)
    assert infogan.gap(joint, best) == pytest.approx(0, abs=1e-12)


def test_the_best_q_by_a_search_that_knows_no_posterior():
    joint = np.random.default_rng(4).dirichlet(np.ones(12)).reshape(3, 4)

    def minus(logits):
        weights = np.exp(logits.reshape(3, 4))
        return -infogan.bound(joint, weights / weights.sum(0))

    found = optimize.minimize(minus, np.zeros(12), method="BFGS", options={"gtol": 1e-8})
    assert -found.fun == pytest.approx(infogan.mutual_information(joint), abs=1e-9)
    weights = np.exp(found.x.reshape(3, 4))
    assert weights / weights.sum(0) == pytest.approx(infogan.posterior(joint), abs=1e-4)


@settings(max_examples=50)
@given(tables(), tables(columns_are_laws=True, k=5, m=4))
def test_processing_the_output_loses_information(joint, channel):
    """x -> y through a random channel[y, x]."""
    assert infogan.mutual_information(joint @ channel.T) <= infogan.mutual_information(joint) + 1e-12


@settings(max_examples=50)
@given(st.permutations(range(5)), hnp.arrays(float, 5, elements=st.floats(0.1, 1)))
def test_all_of_the_entropy_exactly_when_the_output_tells_the_code(order, weights):
    law = weights / weights.sum()
    joint = np.diag(law)[:, list(order)]
    assert infogan.mutual_information(joint) == pytest.approx(divergences.entropy(law), abs=1e-12)
    assert infogan.conditional_entropy(joint) == pytest.approx(0, abs=1e-12)
    blurred = 0.9 * joint + 0.1 / 25
    assert infogan.mutual_information(blurred) < divergences.entropy(blurred.sum(1)) - 0.01


@settings(max_examples=50)
@given(tables(), hnp.arrays(float, (3, 4), elements=st.floats(-10, 10)))
def test_the_tower_lemma_on_tables(joint, f):
    sides = infogan.tower(joint, f)
    assert sides.forward == pytest.approx(sides.resampled, abs=1e-12)
    long = sum(
        joint[:, x].sum() * joint[c, x] / joint[:, x].sum() * f[c, x]
        for x in range(4) for c in range(3) if joint[:, x].sum() > 0
    )  # fmt: skip
    assert sides.resampled == pytest.approx(long, abs=1e-12)


def test_the_tower_lemma_by_drawing():
    rng = np.random.default_rng(1)
    joint, f = rng.dirichlet(np.ones(12)).reshape(3, 4), rng.normal(size=(3, 4))
    drawn = rng.choice(12, 100_000, p=joint.ravel())
    x = drawn % 4
    again = (rng.random(100_000) > np.cumsum(infogan.posterior(joint), 0)[:, x]).sum(0)  # c' given x
    forward, resampled = f.ravel()[drawn], f[again, x]
    for values, side in zip((forward, resampled), infogan.tower(joint, f), strict=True):
        assert values.mean() == pytest.approx(side, abs=4 * values.std() / 100_000**0.5)
    assert (forward != resampled).mean() > 0.3  # other codes, the same mean


# ---- channels: H.3, H.4, M27, M28 -------------------------------------------------------------------------


def test_the_symmetric_channel():
    joint = infogan.symmetric_channel(10, 0.1)
    assert infogan.symmetric_bound(10, 0.1) == pytest.approx(1.757780, abs=5e-7)
    for believed, value in ((0.1, 1.757780), (0.01, 1.613300), (0.3, 1.641458), (0.5, 1.389715)):
        Q = infogan.posterior(infogan.symmetric_channel(10, believed))
        assert infogan.symmetric_bound(10, 0.1, believed) == pytest.approx(value, abs=5e-7)
        assert infogan.bound(joint, Q) == pytest.approx(value, abs=5e-7)
    assert infogan.symmetric_bound(10, 0.9) == pytest.approx(0, abs=1e-12)  # as good as guessing
    assert infogan.symmetric_bound(2, 1.0) == pytest.approx(LOG2)  # always wrong is as good as always right
    assert infogan.symmetric_bound(4, 0.2, 0.0) == -math.inf


@pytest.mark.parametrize("noise, value", [(0.5, 0.804719), (1, 0.346574), (2, 0.111572)])
def test_the_gaussian_channel_attains_its_information(noise, value):
    channel = GaussianChannel(noise)
    assert channel.information == pytest.approx(value, abs=5e-7)
    assert channel.bound(*channel.best) == pytest.approx(value, abs=5e-7)
    found = optimize.minimize(
        lambda q: -channel.bound(q[0], math.exp(q[1]), q[2]), [0.1, 0.0, 0.5], method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-12},
    )  # fmt: skip
    assert -found.fun == pytest.approx(value, abs=5e-7)
    assert (found.x[0], math.exp(found.x[1]), found.x[2]) == pytest.approx(channel.best, abs=1e-5)
    assert GaussianChannel(1).bound(1, 1) == pytest.approx(0, abs=1e-12)


@settings(max_examples=12)
@given(*[st.floats(0.3, 2)] * 3, *[st.floats(-1.5, 1.5)] * 2)
def test_the_gaussian_channel_by_quadrature(noise, code, variance, slope, shift):
    """Sums over a grid of codes and noises, with densities only."""
    channel = GaussianChannel(noise, code)
    z = np.linspace(-9, 9, 401)
    weight = N.pdf(z) * (z[1] - z[0])
    c = code * z[:, None]
    x = c + noise * z  # (codes, noises)
    log_q = N.logpdf(c, slope * x + shift, variance**0.5)
    entropy = -weight @ N.logpdf(code * z, 0, code)
    log_p = N.logpdf(x, c, noise) + N.logpdf(c, 0, code) - N.logpdf(x, 0, math.hypot(code, noise))
    assert channel.entropy == pytest.approx(entropy, abs=1e-9)
    assert channel.information == pytest.approx(entropy + weight @ log_p @ weight, abs=1e-9)
    reached = channel.bound(slope, variance, shift)
    assert reached == pytest.approx(entropy + weight @ log_q @ weight, rel=1e-9, abs=1e-9)
    assert reached + channel.gap(slope, variance, shift) == pytest.approx(channel.information, abs=1e-9)
    assert reached <= channel.information + 1e-12


def test_with_a_fixed_variance_the_best_head_is_the_posterior_mean():
    channel = GaussianChannel(0.7)
    for variance in (0.1, 1.0):
        found = optimize.minimize_scalar(
            lambda a, v=variance: -channel.bound(a, v), bounds=(0, 2), method="bounded"
        )
        assert found.x == pytest.approx(channel.best[0], abs=1e-5)


def test_a_continuous_code_breaks_the_bound_without_its_entropy():
    channel = UniformChannel(0.5, 0.2)
    assert channel.information == pytest.approx(0.209135, abs=5e-7)
    assert channel.log_posterior == pytest.approx(0.902283, abs=5e-7)
    assert channel.log_posterior > channel.information and channel.entropy == pytest.approx(-LOG2)
    wide = UniformChannel(3.0, 0.2)
    assert wide.log_posterior < wide.information  # with h(c) > 0 the notes' inequality holds


@pytest.mark.parametrize("width, noise", [(0.5, 0.2), (2.0, 0.3), (0.3, 1.0), (1.0, 0.02)])
def test_the_uniform_channel_by_sums_over_codes(width, noise):
    """On a fine grid of codes, as a discrete code: the posterior is a softmax, no cut Gaussian in sight."""
    c = (np.arange(1200) + 0.5) / 1200 * width
    x = np.linspace(-8 * noise, width + 8 * noise, 1201)
    weight = np.full(len(x), x[1] - x[0])
    likelihood = N.pdf(x, c[:, None], noise) / len(c)  # (codes, x): P(c, x)
    density = likelihood.sum(0)
    channel = UniformChannel(width, noise)
    assert np.exp(channel.log_density(x)) == pytest.approx(density, rel=2e-3, abs=1e-6)
    log_ratio = N.logpdf(x, c[:, None], noise) - np.log(density)
    assert channel.information == pytest.approx((likelihood * log_ratio).sum(0) @ weight, rel=1e-4)
    law = likelihood / density
    mean = c @ law
    variance = ((c[:, None] - mean) ** 2 * law).sum(0)
    likely = density > 1e-2
    assert channel.variance(x)[likely] == pytest.approx(variance[likely], rel=2e-3)
    reached = math.log(width) - density @ (weight * np.log(2 * math.pi * math.e * variance)) / 2
    assert channel.gaussian_bound == pytest.approx(reached, abs=1e-4)
    assert channel.gaussian_bound < channel.information


def test_the_ends_of_the_uniform_channel():
    quiet, loud = UniformChannel(0.5, 1e-3), UniformChannel(0.5, 50.0)
    without_edges = math.log(0.5 / 1e-3) - 0.5 * math.log(2 * math.pi * math.e)
    assert quiet.information == pytest.approx(without_edges, abs=0.005)
    assert loud.information == pytest.approx(0.5**2 / 12 / 50**2 / 2, rel=1e-3)
    assert loud.gaussian_bound == pytest.approx(0.5 * math.log(6 / (math.pi * math.e)), abs=1e-4)  # below 0
    assert loud.mean(lambda x: 1 + 0 * x) == pytest.approx(1, abs=1e-12)


# ---- conditional GANs: H.6 --------------------------------------------------------------------------------


@settings(max_examples=50)
@given(tables(k=2, m=3), tables(k=2, m=3), hnp.arrays(float, (2, 3), elements=st.floats(0.01, 0.99)))
def test_no_discriminator_beats_the_conditional_criterion(data_table, shape, D):
    """Both joints get one law of c; V at the best D is the criterion, V elsewhere is below."""
    weights = data_table.sum(1)
    rows = [table / np.where(table.sum(1) > 0, table.sum(1), 1)[:, None] for table in (data_table, shape)]
    rows = [np.where(row.sum(1, keepdims=True) > 0, row, 1 / 3) for row in rows]
    real, fake = (weights[:, None] * row for row in rows)
    criterion = infogan.cgan_criterion(weights, *rows)
    best = real / np.where(real + fake > 0, real + fake, 1)
    assert infogan.cgan_value(real, fake, best) == pytest.approx(criterion, abs=1e-12)
    assert infogan.cgan_value(real, fake, D) <= criterion + 1e-12
    assert criterion == pytest.approx(
        2 * divergences.jsd(real.ravel(), fake.ravel()) - math.log(4), abs=1e-12
    )
    assert infogan.blind_criterion(weights, *rows) <= criterion + 1e-12


def test_who_is_not_shown_the_label_does_not_see_it_swapped():
    laws = [N(-1, 1), N(1, 1)]
    assert infogan.blind_criterion([0.5, 0.5], laws, laws[::-1]) == pytest.approx(-math.log(4), abs=1e-12)
    x = np.linspace(-12, 12, 20_001)
    p, q = laws[0].pdf(x), laws[1].pdf(x)
    D = p / (p + q)
    value = integrate.simpson(p * np.log(D) + q * np.log1p(-D), x=x)
    assert infogan.cgan_criterion([0.5, 0.5], laws, laws[::-1]) == pytest.approx(value, abs=1e-9)
    assert infogan.cgan_criterion([0.5, 0.5], laws, laws) == pytest.approx(-math.log(4), abs=1e-12)
    assert infogan.cgan_criterion([1], [[1, 0]], [[0, 1]]) == pytest.approx(0, abs=1e-12)


# ---- auxiliary classifiers --------------------------------------------------------------------------------

HALVES = [0.5, 0.5]


def apart(d):
    return [N(-d, 1), N(d, 1)]


@pytest.mark.parametrize("d, value", [(1.0, -0.356316), (2.0, -0.060427)])
def test_the_class_term_of_two_gaussians(d, value):
    assert infogan.class_term(HALVES, apart(d)) == pytest.approx(value, abs=5e-7)
    x = np.linspace(d - 12, d + 12, 20_001)  # P(c = right | x) = sigmoid(2 d x)
    sums = -integrate.simpson(N.pdf(x, d) * np.logaddexp(0, -2 * d * x), x=x)
    assert infogan.class_term(HALVES, apart(d)) == pytest.approx(sums, abs=1e-9)


def test_the_class_term_rewards_ever_more_separation():
    values = [infogan.class_term(HALVES, apart(d)) for d in (0, 0.5, 1, 2, 4, 6)]
    assert values == sorted(values) and values[0] == pytest.approx(-LOG2) and -1e-8 < values[-1] < 0


@given(st.floats(0.1, 2), st.floats(0.1, 3))
@settings(max_examples=10)
def test_another_classifier_is_worse(d, believed):
    assert (
        infogan.class_term(HALVES, apart(d), apart(believed)) <= infogan.class_term(HALVES, apart(d)) + 1e-9
    )


def test_three_classes_of_unequal_weight():
    weights, laws = [0.2, 0.3, 0.5], [N(-2, 0.5), N(0, 1), N(1, 2)]
    x = np.linspace(-25, 25, 50_001)
    joint = np.array([w * law.pdf(x) for w, law in zip(weights, laws, strict=True)]) * (x[1] - x[0])
    expected = -infogan.conditional_entropy(joint)
    assert infogan.class_term(weights, laws) == pytest.approx(expected, abs=1e-8)
    assert infogan.class_term([0, 1], apart(1)) == pytest.approx(0, abs=1e-12)
    sides = [stats.uniform(-1, 1), stats.uniform(0, 1)]
    assert infogan.class_term(HALVES, sides) == pytest.approx(0, abs=1e-12)
    assert infogan.class_term(HALVES, sides, sides[::-1]) == -math.inf


@pytest.mark.parametrize("trained_on", infogan.TRAINED_ON)
@pytest.mark.parametrize("d", [0.7, 1.6])
def test_the_generator_feels_the_slope_of_the_objective(trained_on, d):
    """The gradient through samples x = +-(d + z), at the best discriminator and classifier held fixed."""
    z = np.linspace(-10, 10, 20_001)
    x, h = d + z, 1e-5  # the right class; the left one is its mirror image

    def right(x, centre):
        return N.pdf(x, centre)

    def log_odds_source(x):  # log(1 - D*)
        p, q = right(x, 1) + right(x, -1), right(x, d) + right(x, -d)
        return np.log(q / (p + q))

    def log_class(x):
        own = {"both": right(x, 1) + right(x, d), "fake": right(x, d), "real": right(x, 1)}[trained_on]
        other = {"both": right(x, -1) + right(x, -d), "fake": right(x, -d), "real": right(x, -1)}[trained_on]
        return np.log(own / (own + other))

    loss = lambda x: log_odds_source(x) - 0.8 * log_class(x)  # noqa: E731
    felt = integrate.simpson(N.pdf(z) * (loss(x + h) - loss(x - h)) / (2 * h), x=z)
    value = lambda d: infogan.acgan(HALVES, apart(1), apart(d), 0.8, trained_on).objective  # noqa: E731
    assert felt == pytest.approx((value(d + 1e-3) - value(d - 1e-3)) / 2e-3, abs=1e-5)


@pytest.mark.parametrize("trained_on", infogan.TRAINED_ON)
def test_ac_gan_prefers_classes_too_far_apart(trained_on):
    best = infogan.best_separation(1.0, trained_on=trained_on)
    assert 1.5 < best < 1.7
    around = [
        infogan.acgan(HALVES, apart(1), apart(best + s), 1.0, trained_on).objective for s in (-0.02, 0, 0.02)
    ]
    assert around[1] < min(around[0], around[2])


@pytest.mark.parametrize("trained_on", infogan.TRAINED_ON)
@pytest.mark.parametrize("d", [0.7, 1.5])
def test_at_the_truth_the_class_term_still_pushes(trained_on, d):
    """Slope of the criterion 0, of the class term 2 d E sigma(-2 d X)."""
    up, down = (infogan.acgan(HALVES, apart(d), apart(d + h), 1.0, trained_on) for h in (1e-4, -1e-4))
    x = np.linspace(d - 12, d + 12, 20_001)
    expected = integrate.simpson(N.pdf(x, d) * 2 * d * np.exp(-np.logaddexp(0, 2 * d * x)), x=x)
    assert (up.source - down.source) / 2e-4 == pytest.approx(0, abs=1e-6)
    assert (up.classes - down.classes) / 2e-4 == pytest.approx(expected, abs=1e-6)


def test_every_cut_into_equal_parts_is_an_optimum():
    """Random cuts of a law of 60 equal letters into three parts, and one cut into unequal parts."""
    law = np.full(60, 1 / 60)
    for seed in range(5):
        part = np.random.default_rng(seed).permutation(np.arange(60) % 3)
        fakes = [(part == c) / 20 for c in range(3)]
        assert infogan.blind_criterion([1 / 3] * 3, [law] * 3, fakes) == pytest.approx(-math.log(4), abs=1e-12)
        assert infogan.mutual_information(np.stack(fakes) / 3) == pytest.approx(math.log(3), abs=1e-12)
    part = np.arange(60) // 21  # 21, 21 and 18 letters
    fakes = [(part == c) / (part == c).sum() for c in range(3)]
    assert infogan.blind_criterion([1 / 3] * 3, [law] * 3, fakes) > -math.log(4) + 1e-4


def test_more_weight_more_separation():
    found = [infogan.best_separation(weight, trained_on="fake") for weight in (0, 0.3, 3)]
    assert found[0] == pytest.approx(1, abs=1e-4) and found[0] < found[1] - 0.1 < found[2] - 0.5
    terms = infogan.acgan(HALVES, apart(1), apart(1))
    assert terms.source == pytest.approx(-math.log(4), abs=1e-9)
    assert terms.classes == pytest.approx(2 * infogan.class_term(HALVES, apart(1)), abs=1e-9)


# ---- heads ------------------------------------------------------------------------------------------------


def test_the_categorical_head_is_the_log_of_a_softmax():
    logits, labels = (
        torch.randn(50, 4, generator=torch.Generator().manual_seed(0)).double(),
        torch.arange(50) % 4,
    )
    expected = -torch.distributions.Categorical(logits=logits).log_prob(labels).mean()
    found = infogan.categorical_loss(logits, nn.functional.one_hot(labels, 4).double())
    assert found.item() == pytest.approx(expected.item(), abs=1e-12)


def test_the_gaussian_head_is_a_log_density():
    rng = torch.Generator().manual_seed(0)
    mean, codes, log_v = (torch.randn(50, 3, generator=rng).double() for _ in range(3))
    expected = -N.logpdf(*(a.numpy() for a in (codes, mean, (log_v / 2).exp()))).sum(1).mean()
    assert infogan.gaussian_loss(mean, codes, log_variance=log_v).item() == pytest.approx(expected, abs=1e-12)
    expected = -N.logpdf(codes, mean, 0.3**0.5).sum(1).mean()
    assert infogan.gaussian_loss(mean, codes, variance=0.3).item() == pytest.approx(expected, abs=1e-12)


def test_a_fixed_variance_is_least_squares_up_to_scale():
    codes = torch.randn(20, 2, generator=torch.Generator().manual_seed(3))
    mean = torch.zeros(20, 2, requires_grad=True)
    one = torch.autograd.grad(infogan.gaussian_loss(mean, codes, variance=0.25), mean)[0]
    other = torch.autograd.grad(nn.functional.mse_loss(mean, codes), mean)[0]
    assert torch.allclose(one, other * 2 / (2 * 0.25))  # 2 columns, 1 / (2 v)


# ---- codes ------------------------------------------------------------------------------------------------

MIXED = Codes((3, 2), uniform=2, gaussian=1)


def test_codes_have_the_law_that_they_claim():
    codes = MIXED.draw(20_000, torch.Generator().manual_seed(0))
    assert codes.shape == (20_000, MIXED.width) == (20_000, 8) and MIXED.outputs == 11
    first, second, uniform, gaussian = codes.split([3, 2, 2, 1], 1)
    for group in (first, second):
        assert torch.equal(group.sum(1), torch.ones(20_000)) and set(group.unique().tolist()) == {0, 1}
        assert torch.allclose(group.mean(0), torch.tensor(1 / group.shape[1]), atol=0.02)
    for column in uniform.T:
        assert stats.kstest(column.numpy(), stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert stats.kstest(gaussian[:, 0].numpy(), N.cdf).pvalue > 1e-3
    together = np.corrcoef(codes[:, [0, 3, 5, 6, 7]].T.numpy())
    assert np.abs(together - np.eye(5)).max() < 0.04
    continuous = 2 * divergences.entropy(stats.uniform(-1, 2)) + divergences.entropy(N(0, 1))
    assert MIXED.entropy == pytest.approx(math.log(6) + continuous, abs=1e-9)
    again = MIXED.draw(20_000, torch.Generator().manual_seed(0))
    assert torch.equal(codes, again) and not torch.equal(
        codes, MIXED.draw(20_000, torch.Generator().manual_seed(1))
    )


@pytest.mark.parametrize("variance", [None, 0.5])
def test_the_losses_of_mixed_codes_head_by_head(variance):
    law = Codes((3, 2), uniform=2, gaussian=1, variance=variance)
    rng = torch.Generator().manual_seed(2)
    codes, outputs = law.draw(40, rng), torch.randn(40, law.outputs, generator=rng)
    log_q = torch.distributions.Categorical(logits=outputs[:, :3]).log_prob(codes[:, :3].argmax(1))
    log_q = log_q + torch.distributions.Categorical(logits=outputs[:, 3:5]).log_prob(codes[:, 3:5].argmax(1))
    sd = outputs[:, 8:].mul(0.5).exp() if variance is None else torch.tensor(variance**0.5)
    log_c = torch.distributions.Normal(outputs[:, 5:8], sd).log_prob(codes[:, 5:]).sum(1)
    found = law.losses(outputs, codes)
    assert found.categorical.item() == pytest.approx(-log_q.mean().item(), abs=1e-5)
    assert found.continuous.item() == pytest.approx(-log_c.mean().item(), abs=1e-5)
    expected = law.entropy + (log_q + log_c).mean().item()
    assert law.bound(outputs, codes).item() == pytest.approx(expected, abs=1e-5)
    parts = law.bounds(outputs, codes)
    assert parts.categorical.item() == pytest.approx(math.log(6) + log_q.mean().item(), abs=1e-5)
    assert parts.continuous.item() == pytest.approx(law.entropy - math.log(6) + log_c.mean().item(), abs=1e-5)
    assert torch.equal(law.categorical(codes, 1), codes[:, 3:5].argmax(1))
    assert torch.equal(law.categorical(outputs), outputs[:, :3].argmax(1))


def test_the_estimate_comes_to_the_bound_of_the_tables():
    """A symmetric channel with a Q that believes in another error, sampled."""
    law, rng = Codes((5,)), torch.Generator().manual_seed(0)
    codes = law.draw(40_000, rng)
    wrong = torch.rand(40_000, generator=rng) < 0.2
    shift = torch.randint(1, 5, (40_000,), generator=rng) * wrong
    seen = (codes.argmax(1) + shift) % 5
    Q = torch.tensor(infogan.posterior(infogan.symmetric_channel(5, 0.3))).log().float()
    assert law.bound(Q.T[seen], codes).item() == pytest.approx(infogan.symmetric_bound(5, 0.2, 0.3), abs=0.03)


def test_the_estimate_comes_to_the_bound_of_the_gaussian_channel():
    law, rng = Codes(gaussian=1), torch.Generator().manual_seed(0)
    codes = law.draw(40_000, rng)
    x = codes + 0.5 * torch.randn(40_000, 1, generator=rng)
    outputs = torch.cat([0.6 * x + 0.1, torch.full_like(x, math.log(0.4))], 1)
    expected = GaussianChannel(0.5).bound(0.6, 0.4, 0.1)
    assert law.bound(outputs, codes).item() == pytest.approx(expected, abs=0.02)


def test_what_a_fixed_variance_can_show_at_most():
    law = Codes(uniform=1, variance=1.0)
    codes = law.draw(100, torch.Generator().manual_seed(0))
    assert law.ceiling == pytest.approx(LOG2 - 0.5 * math.log(2 * math.pi)) and law.ceiling < 0
    assert law.bound(codes, codes).item() == pytest.approx(law.ceiling, abs=1e-6)  # a perfect reader
    assert Codes(uniform=1).ceiling == math.inf and Codes((10,)).ceiling == pytest.approx(math.log(10))
    assert Codes((10,), gaussian=1, variance=0.01).ceiling > math.log(10)


def test_a_grid_of_codes():
    table = MIXED.grid([-1.0, 0.0, 1.0, 2.0], dimension=1).view(3, 4, 8)
    assert torch.equal(table[:, 0, :3], torch.eye(3))
    assert torch.equal(table[1, :, 6], torch.tensor([-1.0, 0.0, 1.0, 2.0]))
    assert (table[:, :, 3] == 1).all() and (table[:, :, [4, 5, 7]] == 0).all()
    assert torch.equal(Codes(uniform=1).grid([0.5, 0.7]), torch.tensor([[0.5], [0.7]]))


# ---- labels nobody gave -----------------------------------------------------------------------------------


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_scores_of_labellings_against_all_permutations(pairs):
    found, labels = map(np.array, zip(*pairs, strict=True))
    match = infogan.matched_accuracy(found, labels)
    assert match.accuracy == pytest.approx(
        max(np.mean(np.array(order)[found] == labels) for order in itertools.permutations(range(4)))
    )
    paired = np.array([match.pairing.get(code, -1) for code in found])
    assert match.accuracy == pytest.approx(np.mean(paired == labels))
    joint = np.histogram2d(found, labels, bins=(range(5), range(5)))[0] / len(found)
    both = divergences.entropy(joint.sum(0)) + divergences.entropy(joint.sum(1))
    expected = infogan.mutual_information(joint) / (both / 2) if both > 1e-12 else 1.0
    assert infogan.nmi(found, labels) == pytest.approx(expected, abs=1e-9)


def test_other_names_for_the_same_classes_score_one():
    labels = torch.arange(30) % 3
    found = torch.tensor([7, 1, 4])[labels]
    assert infogan.nmi(found, labels) == pytest.approx(1)
    assert infogan.matched_accuracy(found, labels) == (1.0, {7: 0, 1: 1, 4: 2})
    split = labels * 2 + (torch.arange(30) < 15)  # six codes for three labels: half is left over
    assert infogan.matched_accuracy(split, labels).accuracy == pytest.approx(0.5, abs=0.04)


# ---- the game ---------------------------------------------------------------------------------------------


def plane(codes=Codes((4,)), device="cpu", **options):
    options = {"batch_size": 64, "seed": 0} | options
    generator = nets.mlp([2 + codes.width, 48, 48, 2], seed=0)
    body = nets.mlp([2, 48, 48], "leaky_relu", output="leaky_relu", seed=1)
    heads = nets.mlp([48, 1], seed=2), nets.mlp([48, codes.outputs], seed=3)
    return infogan.infogan_game(
        generator, body, *heads, data.ring(4, sd=0.1), codes, device=device, **options
    )


def test_generator_and_q_move_in_one_step_on_a_body_that_is_the_same_tensors():
    game = plane()
    rules, generator = game.rules, game.player("generator")
    assert [player.name for player in game.players] == ["discriminator", "generator"]
    body = {id(p) for p in rules.body.parameters()}
    assert body and body < {id(p) for p in rules.discriminator.parameters()}
    assert body < {id(p) for p in game.player("discriminator").parameters}
    owned = {id(p) for net in (rules.generator, rules.q_head) for p in net.parameters()}
    assert owned == {id(p) for p in generator.parameters}
    kept = {net: [p.clone() for p in net.parameters()] for net in (rules.generator, rules.q_head, rules.body)}
    game._step(generator)
    moved = {
        net: [bool((p != q).any()) for p, q in zip(old, net.parameters(), strict=True)]
        for net, old in kept.items()
    }
    assert all(moved[rules.generator]) and all(moved[rules.q_head]) and not any(moved[rules.body])
    with torch.no_grad():  # what changes in the body changes both heads' answers
        x = torch.randn(3, 2)
        before = game.score(x), infogan.read(game, x)
        next(rules.body.parameters()).add_(0.5)
        assert (game.score(x) != before[0]).all() and (infogan.read(game, x) != before[1]).any()


def test_the_losses_are_those_on_paper():
    """The same draws by hand: cross-entropies, binary and categorical, and lambda."""
    game = plane(Codes((4,), uniform=1), weight=0.7, continuous_weight=0.2, loss="minimax")
    rules, (discriminator, generator) = game.rules, game.players
    rng = torch.Generator().manual_seed(9)
    batch = lambda: Batch(game.data, 64, rng.manual_seed(9), game.device)  # noqa: E731

    def minus_log_q(x, codes):
        outputs = rules.q_head(rules.body(x))
        first = (
            -torch.distributions.Categorical(logits=outputs[:, :4]).log_prob(codes[:, :4].argmax(1)).mean()
        )
        law = torch.distributions.Normal(outputs[:, 4], outputs[:, 5].mul(0.5).exp())
        return 0.7 * first - 0.2 * law.log_prob(codes[:, 4]).mean()

    found = generator.loss(batch())
    rng.manual_seed(9)
    codes = rules.codes.draw(64, rng)
    x = rules.generate(torch.randn(64, 2, generator=rng), codes)
    p = rules.head(rules.body(x)).sigmoid()
    assert found.item() == pytest.approx((torch.log(1 - p).mean() + minus_log_q(x, codes)).item(), abs=1e-5)

    for learns in (True, False):
        rules.body_learns = learns
        found = discriminator.loss(batch())
        rng.manual_seed(9)
        real = game.data["real"].draw(64, rng)[0]
        codes = rules.codes.draw(64, rng)
        x = rules.generate(torch.randn(64, 2, generator=rng), codes)
        d_real, d_fake = rules.discriminator(real).sigmoid(), rules.discriminator(x).sigmoid()
        expected = -torch.log(d_real).mean() - torch.log(1 - d_fake).mean()
        expected = expected + minus_log_q(x, codes) if learns else expected
        assert found.item() == pytest.approx(expected.item(), abs=1e-5)


def centre(images):
    """(n, 2): where an image is bright, (row, column), in half sides from the middle."""
    side = images.shape[-1]
    at = (torch.arange(side) + 0.5) / side * 2 - 1
    light = (images[:, 0] + 1) / (images[:, 0] + 1).sum((1, 2), keepdim=True)
    return torch.stack([(light.sum(2) * at).sum(1), (light.sum(1) * at).sum(1)], 1)


def test_images_are_shaken_as_they_are_told():
    blob = torch.full((1, 1, 40, 40), -1.0)
    blob[0, 0, 8:13, 24:29] = 1  # above the middle, to the right
    by = torch.zeros(7, infogan.DIRECTIONS)
    for k in range(infogan.DIRECTIONS):
        by[k + 1, k] = 1
    seen = infogan.shaken(blob.expand(7, -1, -1, -1), by)
    assert torch.allclose(seen[0], blob[0], atol=1e-5)
    (row, column), at, light = centre(blob)[0], centre(seen), (seen + 1).sum((1, 2, 3))
    turned = torch.tensor([[row * math.cos(0.35) - column * math.sin(0.35)], [column * math.cos(0.35) + row * math.sin(0.35)]])
    assert torch.allclose(at[1], turned.ravel(), atol=0.01) and light[1] == pytest.approx(light[0].item(), rel=0.02)
    assert at[2][0] == pytest.approx(row.item(), abs=0.01) and at[2][1] == pytest.approx((column - 0.35 * row).item(), abs=0.01)
    assert torch.allclose(at[3], at[0] * math.exp(0.3), atol=0.01)
    assert light[3] == pytest.approx((light[0] * math.exp(0.6)).item(), rel=0.05)
    assert torch.allclose(at[4] - at[0], torch.tensor([0.0, -0.15]), atol=0.01)
    assert torch.allclose(at[5] - at[0], torch.tensor([-0.15, 0.0]), atol=0.01)
    assert light[6] > 1.3 * light[0] and infogan.shaken(blob, -by[6:])[0].add(1).sum() < 0.8 * light[0]
    images = torch.rand(2, 1, 6, 6, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: infogan.shaken(x, torch.full((2, 6), 0.37)), images)
    with pytest.raises(ValueError, match=r"shaken by \(n, 6\), not \(1, 1, 40, 40\) by \(1, 5\)"):
        infogan.shaken(blob, by[:1, :5])


def test_q_reads_shaken_images_and_the_judge_does_not(monkeypatch):
    digits = data.load("digits")
    nets_ = nets.mlp([8, 64], shape=(1, 8, 8)), nn.Sequential(nn.Flatten(), nets.mlp([64, 5])), nets.mlp([5, 1]), nets.mlp([5, 4])
    game = infogan.infogan_game(*nets_, digits, Codes((4,)), latent=4, batch_size=16, shake=0.5, device="cpu")
    seen = []
    monkeypatch.setattr(infogan.games, "shaken", lambda x, by: seen.append(by) or -x)
    with torch.no_grad():
        for player, heads in zip(game.players, (1, 1), strict=True):
            player.loss(Batch(digits, 16, torch.Generator().manual_seed(3), torch.device("cpu")))
            assert len(seen) == heads and seen.pop().abs().max() <= 0.5
    rng = torch.Generator().manual_seed(3)
    codes = game.rules.codes.draw(16, rng)
    x = game.rules.generate(torch.randn(16, 4, generator=rng), codes)
    features = game.rules.body(x)
    found = game.players[1].loss(Batch(digits, 16, torch.Generator().manual_seed(3), torch.device("cpu")))
    alone = game.rules.code_loss(game.rules.body(-x), codes)
    assert found.item() == pytest.approx((nn.functional.softplus(-game.rules.head(features)).mean() + alone).item(), abs=1e-5)
    game.rules.shake = 0.0
    plain = game.players[1].loss(Batch(digits, 16, torch.Generator().manual_seed(3), torch.device("cpu")))
    assert len(seen) == 1 and plain.item() == pytest.approx((found - alone + game.rules.code_loss(features, codes)).item(), abs=1e-5)
    with pytest.raises(ValueError, match="shake must not be negative"):
        infogan.infogan_game(*nets_, digits, Codes((4,)), latent=4, shake=-1.0)


def same_bits(one, other):
    same = json.dumps(one["about"], sort_keys=True) == json.dumps(other["about"], sort_keys=True)
    return same and all(torch.equal(t, other["tensors"][key]) for key, t in one["tensors"].items())


def test_the_game_resumes_to_the_bit(tmp_path):
    build = lambda: plane(Codes((4,), uniform=1), noise=0.05, penalty=penalties.r1(0.1), ema=0.9, steps=2)  # noqa: E731
    whole, half, resumed = build(), build(), build()
    whole.run(12), half.run(5)
    half.save(tmp_path / "half.safetensors")
    resumed.load(tmp_path / "half.safetensors")
    resumed.sample(5), infogan.estimated_bound(resumed, 50), infogan.decode(resumed, MIXED.draw(1)[:, :5])
    resumed.run(7)
    assert same_bits(whole.state(), resumed.state())
    resumed.rules.weight, resumed.rules.body_learns = 0.25, False
    resumed.save(tmp_path / "later.safetensors")
    half.load(tmp_path / "later.safetensors")
    assert (half.rules.weight, half.rules.body_learns) == (0.25, False)


@pytest.mark.parametrize("body_learns", [True, False])
def test_the_code_chooses_the_component(body_learns):
    game = plane(body_learns=body_learns, batch_size=128)
    game.run(400)
    codes = game.rules.codes.draw(1000, torch.Generator().manual_seed(5))
    x = infogan.decode(game, codes, seed=7, fresh=True)
    component = torch.cdist(x, game.data["real"].centres).argmin(1)
    value, read = game.rules.codes.categorical(codes), game.rules.codes.categorical(infogan.read(game, x))
    assert infogan.nmi(value, component) > 0.9 and infogan.matched_accuracy(value, component).accuracy > 0.95
    assert (value == read).float().mean() > 0.95
    assert 1.0 < infogan.estimated_bound(game) <= math.log(4)


def test_without_lambda_the_code_is_not_read():
    game = plane(weight=0.0, batch_size=128)
    game.run(400)
    assert infogan.estimated_bound(game) < 0.2


def test_pictures_come_from_the_running_average():
    game = plane(ema=0.5)
    game.run(3)
    codes = torch.eye(4)
    z = torch.randn(1, 2, generator=torch.Generator().manual_seed(2)).expand(4, -1)
    average = game.player("generator").average.module[0]
    assert torch.allclose(infogan.decode(game, codes, seed=2), average(torch.cat([z, codes], 1)))
    now = game.rules.generator(torch.cat([z, codes], 1))
    assert torch.allclose(infogan.decode(game, codes, seed=2, averaged=False), now)
    drawn, fresh = game.rules.codes.draw(50, torch.Generator().manual_seed(6)), {"fresh": True, "averaged": False}
    outputs = infogan.read(game, infogan.decode(game, drawn, 7, **fresh))
    assert infogan.estimated_bounds(game, 50, 6, averaged=False).categorical == pytest.approx(
        game.rules.codes.bound(outputs, drawn).item()
    )
    assert game.sample(7).shape == (7, 2) and not torch.equal(
        average[1].weight, game.rules.generator[1].weight
    )


def test_every_loss_evaluates_on_cuda_and_never_waits():
    law = Codes((4,), uniform=1, gaussian=1)
    with FakeTensorMode(allow_non_fake_inputs=True), torch.device("cuda"):
        game = plane(law, device="cuda", noise=0.1)
        for player in game.players:
            game._let_move(player)
            assert player.loss(Batch(game.data, 64, None, game.device)).device == torch.device("cuda", 0)
    with torch.device("meta"):
        sgd = lambda rate: lambda parameters: torch.optim.SGD(parameters, lr=rate)  # noqa: E731
        game = plane(law, device="meta", optimizer=sgd)
    game.rng = None
    for _ in game.turns(2):
        pass
    assert len(game._waiting) == 4


# ---- labels given -----------------------------------------------------------------------------------------


def told(source=None, **options):
    generator, discriminator = (
        nets.mlp([6, 48, 48, 2], seed=0),
        nets.mlp([6, 48, 48, 1], "leaky_relu", seed=1),
    )
    source = source or data.ring(4, sd=0.1)
    return infogan.conditional_game(generator, discriminator, source, device="cpu", **{"seed": 0} | options)


def test_a_conditional_generator_makes_what_it_is_told():
    game = told(batch_size=128)
    game.run(500)
    labels = torch.arange(1000) % 4
    x = infogan.decode(game, nn.functional.one_hot(labels, 4), seed=3, fresh=True)
    nearest = torch.cdist(x, game.data["real"].centres).argmin(1)
    assert (nearest == labels).float().mean() > 0.95
    assert game.sample(9).shape == (9, 2)


def test_the_conditional_losses_are_those_on_paper():
    game = told(loss="minimax", batch_size=32)
    rules, rng = game.rules, torch.Generator()
    found = [
        player.loss(Batch(game.data, 32, rng.manual_seed(4), game.device)).item() for player in game.players
    ]

    def judge(x, labels):
        return rules.discriminator(torch.cat([x, torch.eye(4)[labels]], 1)).sigmoid()

    rng.manual_seed(4)
    real, labels = game.data["real"].draw(32, rng)
    x = rules.generator(torch.cat([torch.randn(32, 2, generator=rng), torch.eye(4)[labels]], 1))
    value = torch.log(judge(real, labels)).mean() + torch.log(1 - judge(x, labels)).mean()
    assert found[0] == pytest.approx(-value.item(), abs=1e-6)
    rng.manual_seed(4)
    labels = game.data["real"].draw(32, rng)[1]
    x = rules.generator(torch.cat([torch.randn(32, 2, generator=rng), torch.eye(4)[labels]], 1))
    assert found[1] == pytest.approx(torch.log(1 - judge(x, labels)).mean().item(), abs=1e-6)


def test_a_conditional_game_takes_images_and_resumes_to_the_bit(tmp_path):
    def build():
        generator = nets.mlp([12, 32, 64], output="tanh", shape=(1, 8, 8), seed=0)
        discriminator, digits = nets.mlp([74, 32, 1], seed=1), data.load("digits")
        return infogan.conditional_game(
            generator, discriminator, digits, ema=0.9, noise=0.1, batch_size=16, device="cpu"
        )

    whole, half, resumed = build(), build(), build()
    whole.run(6), half.run(2)
    half.save(tmp_path / "half.safetensors")
    resumed.load(tmp_path / "half.safetensors")
    assert infogan.decode(resumed, torch.eye(10)).shape == (10, 1, 8, 8)
    resumed.run(4)
    assert same_bits(whole.state(), resumed.state())


# ---- the games of the chapter -----------------------------------------------------------------------------


def test_the_judge_of_a_mixture_is_its_posterior():
    law = data.mixture([[0.0, 0.0], [1.0, 0.5], [-1.0, 2.0]], 0.7, [0.5, 0.3, 0.2])
    x = 2 * torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
    density = np.stack([
        w * stats.multivariate_normal(m, 0.49).pdf(x)
        for w, m in zip([0.5, 0.3, 0.2], law.centres.numpy(), strict=True)
    ], 1)  # fmt: skip
    assert infogan.components(law)(x) == pytest.approx(density / density.sum(1, keepdims=True), abs=1e-5)


def test_agreement_counts_what_the_judge_sees():
    asked, seen = np.array([0, 0, 0, 1, 1, 2, 2, 2]), np.array([5, 5, 3, 4, 4, 3, 3, 5])
    sure = np.array([0.95, 0.5, 0.99, 0.91, 0.2, 0.9, 0.95, 0.97])
    found = infogan.agreement(infogan.Answers(asked, seen, sure))
    assert found.pairing == {0: 5, 1: 4, 2: 3}
    assert found.accuracy == pytest.approx(6 / 8) and found.as_asked == pytest.approx(4 / 8)
    assert found.recognised == pytest.approx(6 / 8) and found.classes == 3
    assert found.nmi == pytest.approx(infogan.nmi(asked, seen))
    told = infogan.agreement(infogan.Answers(asked, np.array([0, 0, 1, 1, 1, 2, 0, 2]), sure), told=True)
    assert told.accuracy == pytest.approx(6 / 8) and told.pairing == {0: 0, 1: 1, 2: 2}
    strict = infogan.agreement(infogan.Answers(asked, seen, sure), confidence=0.96)
    assert strict.recognised == pytest.approx(2 / 8)


DIGITS = data.load("digits")
SMALL = {"hidden": 16, "batch_size": 8}


def seems(x):
    """A judge of images without training: which tenth of the picture's numbers is brightest."""
    return torch.stack([part.mean(1) for part in x.flatten(1).tensor_split(10, 1)], 1).softmax(1).numpy()


def test_answers_are_those_of_the_codes_that_were_drawn():
    game = infogan.digit_game(DIGITS, seed=3, **SMALL)
    before = game.state()
    found = infogan.answers(game, seems, n=40, seed=8)
    codes = game.rules.codes.draw(40, torch.Generator().manual_seed(8))
    assert (found.asked == codes[:, :10].argmax(1).numpy()).all()
    law = seems(infogan.decode(game, codes, 9, fresh=True))
    assert (found.seen == law.argmax(1)).all() and found.sure == pytest.approx(law.max(1))
    assert same_bits(before, game.state())


def test_real_images_are_read_by_q():
    game = infogan.digit_game(DIGITS, seed=3, **SMALL)
    found = infogan.read_classes(game, DIGITS)
    features = game.rules.body(data.to_float(DIGITS.images))
    assert (found.asked == game.rules.q_head(features)[:, :10].argmax(1).numpy()).all()
    assert (found.seen == DIGITS.labels.numpy()).all() and (found.sure == 1).all()


def test_a_gallery_holds_what_the_generator_makes():
    game = infogan.digit_game(DIGITS, k=4, seed=1, **SMALL)
    parts = infogan.gallery(game, seems, steps=3, noises=2)
    assert parts["images"].shape == (2, 4, 3, 3, 8, 8) and parts["images"].dtype == np.uint8
    assert parts["read"].shape == (2, 4, 3, 3, 4) and parts["seen"].shape == parts["sure"].shape == (2, 4, 3, 3)
    code = torch.tensor([[0.0, 0, 1, 0, -1, 1]])  # value 2, the first code at -1, the second at 1
    image = infogan.decode(game, code, seed=1)
    assert (parts["images"][1, 2, 0, 2] == data.to_uint8(image)[0, 0].numpy()).all()
    law = infogan.read(game, image)[0, :4].softmax(0).detach().numpy()
    assert parts["read"][1, 2, 0, 2] == pytest.approx(255 * law, abs=0.51)
    seen = seems(image)[0]
    assert (parts["seen"][1, 2, 0, 2], parts["sure"][1, 2, 0, 2]) == (seen.argmax(), round(255 * seen.max()))


class Seems:
    """As `metrics.classifier` gives one."""

    def probabilities(self, images):
        return seems(images)


@pytest.mark.parametrize("labels", [False, True])
def test_a_job_of_the_experiment_is_measured_and_can_be_written(labels):
    found = infogan.digit_run(DIGITS, Seems(), seed=2, turns=3, labels=labels, **SMALL)
    assert found == infogan.digit_run(DIGITS, Seems(), seed=2, turns=3, labels=labels, **SMALL)
    json.dumps(found, allow_nan=False)
    assert ("bound" in found) != labels and len(found["pairing"]) == 10
    assert 0 <= found["as_asked"] <= found["accuracy"] <= 1


def test_without_lambda_no_code_is_charged():
    game = infogan.digit_game(DIGITS, weight=0.0, **SMALL)
    assert game.rules.weight == game.rules.continuous_weight == 0
    assert infogan.digit_game(DIGITS, weight=2.0, **SMALL).rules.continuous_weight == pytest.approx(0.2)


# ---- what was measured ------------------------------------------------------------------------------------

KEPT = Path(__file__).parents[1] / "book" / "results"


def test_the_kept_ring_says_what_the_chapter_says():
    kept = results.load(KEPT / "infogan_ring.json")
    assert len(kept.rows) == 25
    for row in kept.where(k=8, weight=1.0):
        assert row["bound"] > 2 and row["nmi"] > 0.95
    for row in kept.where(weight=0.0):
        assert row["bound"] < 0.05 and row["nmi"] < 0.1
    for row in kept.rows:
        assert row["bound"] <= math.log(row["k"]) + 1e-3


def test_the_kept_digits_say_what_the_chapter_says():
    kept = results.load(KEPT / "infogan.json")
    assert len(kept.rows) == 18
    mean = lambda setting: np.mean(kept.column("nmi", setting=setting))  # noqa: E731
    assert mean("labels told") > mean("infogan") > 0.5 > 0.1 > mean("lambda 0")
    for row in kept.rows:
        assert row.get("bound", 0) <= math.log(10) + 1e-3
        assert row["as_asked"] <= min(row["accuracy"], row["recognised"])


def test_the_kept_mnist_says_what_the_chapter_says():
    kept = results.load(KEPT / "infogan_mnist.json")
    assert len(kept.rows) == 3
    for row in kept.rows:
        assert 1.5 < row["bound"] <= math.log(10) + 1e-3 and row["accuracy"] < 0.7 and row["judge"] > 0.9
    run = Recording.load(KEPT / "infogan_mnist.safetensors")
    assert run.about["measures"] and run.real.shape[1:] == (1, 28, 28)


# ---- exercises --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check, right, wrongs", [
    (ex.check_entropy, 1.5 * LOG2, [(1.5, "in bits"), (math.log(3), "equally likely")]),
    (ex.check_guess, 0, [(-math.log(10), "add H(c)"), (math.log(10), "H(c)")]),
    (ex.check_swapped, -0.712633, [(-math.log(4), "blind"), (0.0, "overlap"), (0.673662, "-log 4 as well")]),
    (ex.check_deaf, 0.116322, [(1.641458, "what is left"), (divergences.kl([0.3, 0.7], [0.1, 0.9]), "places")]),
    (ex.check_bound, infogan.bound, [
        (lambda joint, Q: (joint * np.log(np.where(joint > 0, Q, 1))).sum(), "left out H(c)"),
        (lambda joint, Q: infogan.mutual_information(joint), "I itself"),
        (lambda joint, Q: divergences.entropy(joint.sum(1)) + (joint * np.log(Q)).sum(), "never happens"),
    ]),
    (ex.check_width, 1, [(0.5, "example of the text"), (math.e, "log w")]),
    (ex.check_head,
     lambda m, s, c: np.mean((math.log(2 * math.pi) + s + (c - m) ** 2 * np.exp(-s)) / 2), [
        (lambda m, s, c: np.mean((s + (c - m) ** 2 * np.exp(-s)) / 2), "constant"),
        (lambda m, s, c: np.mean((c - m) ** 2), "where is the variance"),
    ]),
    (ex.check_shares, "no", [("yes", "a third"), ("only for large lambda", "every lambda")]),
])  # fmt: skip
def test_exercises(capsys, check, right, wrongs):
    judged(capsys, check, right, wrongs)


# ---- the moving figures -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def figure(moving):
    return partial(moving.read, "infogan")


def test_codes_and_their_reader_are_dragged(figure, moving):
    start = figure("default", "Back to the start")
    for handle, name in ((2, "g2"), (5, "b2")):  # C of the generator, C of its reader
        figure("default", "Back to the start")
        place = "() => document.querySelector('.gan-block').gan.state"
        before = moving.page("infogan").evaluate(place)[name]
        moving.drag("infogan", "default", handle, (40, 0))
        assert moving.page("infogan").evaluate(place)[name] > before
        assert figure("default")["bound"] != start["bound"]
    worth = lambda found: found["source"] - found["classes"]  # noqa: E731
    before = worth(figure("classes", d=1.0, weight=1.0))
    moving.drag("infogan", "classes", 0, (20, 0))
    assert worth(figure("classes")) < before  # the class term rewards classes that are further apart


def line_table(g, noise):
    """P(c, x) on a fine grid of x."""
    x = np.linspace(-16, 16, 6001)
    return N.pdf(x, np.array(g)[:, None], noise) * (x[1] - x[0]) / len(g), x


@pytest.mark.parametrize("g, b, noise, belief", [
    ([-1.2, 0.2, 1.0], [1.5, -0.5, -2.0], 0.8, 1.0),
    ([-3.0, 0.5, 2.0], [-2.0, 0.0, 2.5], 0.4, 0.7),
])  # fmt: skip
def test_the_moving_codes_show_the_library_s_numbers(figure, g, b, noise, belief):
    controls = {f"{name}{c}": v for name, row in (("g", g), ("b", b)) for c, v in enumerate(row)}
    shown = figure("default", noise=noise, belief=belief, **controls)
    joint, x = line_table(g, noise)
    joint = joint / joint.sum()
    log_q = -(((x - np.array(b)[:, None]) / belief) ** 2) / 2
    Q = np.exp(log_q - np.logaddexp.reduce(log_q))
    assert shown["information"] == pytest.approx(infogan.mutual_information(joint), abs=1e-6)
    assert shown["bound"] == pytest.approx(infogan.bound(joint, Q), abs=1e-5)
    for c in range(3):  # the pull is the slope of the bound in the generator's places
        def value(step, c=c):
            moved, _ = line_table([v + step * (i == c) for i, v in enumerate(g)], noise)
            return (moved * (log_q - np.logaddexp.reduce(log_q))).sum()
        assert shown["pull"][c] == pytest.approx((value(1e-3) - value(-1e-3)) / 2e-3, abs=1e-4)


def test_reader_and_generator_climb_in_turn(figure):
    figure("default", "Back to the start")
    climbed = [figure("default", ["Q learns", "G takes a step"][k % 2])["bound"] for k in range(16)]
    assert climbed == sorted(climbed) and climbed[0] > 0.3 and 1.0 < climbed[-1] <= math.log(3)


@pytest.mark.parametrize("trained_on", infogan.TRAINED_ON)
def test_the_moving_classes_show_the_library_s_numbers(figure, trained_on):
    shown = figure("classes", d=1.4, weight=0.5, data=0.8, on=trained_on)
    terms = infogan.acgan(HALVES, apart(0.8), apart(1.4), 0.5, trained_on)
    assert (shown["source"], shown["classes"]) == pytest.approx((terms.source, terms.classes), abs=1e-5)
    assert shown["best"] == pytest.approx(infogan.best_separation(0.5, 0.8, trained_on), abs=1e-3)
    there = figure("classes", "Go to the lowest point", d=1.4, weight=0.5, data=0.8, on=trained_on)
    assert there["d"] == pytest.approx(shown["best"], abs=0.011)


def test_the_sliders_move_the_codes_of_the_game(figure):
    game = infogan.digit_game(DIGITS, k=4, seed=1, **SMALL)
    parts = infogan.gallery(game, seems, steps=3, noises=2)
    about = {"title": "Codes", "classes": [f"kind {k}" for k in range(10)]}
    for z, code, c1, c2 in itertools.product((0, 1), (0, 3), (-1, 0), (0, 1)):
        shown = figure("digits", handed=(about, parts), z=z, code=code, c1=c1, c2=c2)
        at = (z, code, c1 + 1, c2 + 1)
        assert shown["brightness"] == parts["images"][at].sum()
        assert shown["likeliest"] == parts["read"][at].argmax() and shown["seen"] == parts["seen"][at]


# ---- bad input --------------------------------------------------------------------------------------------

TABLE = [[0.25, 0.25], [0.25, 0.25]]
R = torch.zeros


@pytest.mark.parametrize("call, words", [
    (lambda: infogan.mutual_information([[0.5, 0.6]]), "sum to one"),
    (lambda: infogan.mutual_information([[1.5, -0.5]]), "negative"),
    (lambda: infogan.mutual_information([0.5, 0.5]), "table"),
    (lambda: infogan.mutual_information([[math.nan, 1]]), "finite"),
    (lambda: infogan.mutual_information([["a", "b"]]), "numbers"),
    (lambda: infogan.mutual_information([[0.5], [0.25, 0.25]]), "rows of one length"),
    (lambda: infogan.bound(TABLE, [[1, 1]]), "shape"),
    (lambda: infogan.bound(TABLE, [[1, 0.5], [0, 0.6]]), "column 1 sums to 1.1"),
    (lambda: infogan.gap(TABLE, [[2, 1], [-1, 0]]), "negative"),
    (lambda: infogan.tower(TABLE, [[1, 2]]), "shape"),
    (lambda: infogan.symmetric_channel(1, 0.1), "k must be"),
    (lambda: infogan.symmetric_channel(3, 1.1), "probability"),
    (lambda: infogan.symmetric_bound(3, 0.1, -0.1), "believed"),
    (lambda: GaussianChannel(0).information, "noise"),
    (lambda: GaussianChannel(1).bound(0.5, -1), "variance"),
    (lambda: GaussianChannel(1).bound(math.inf, 1), "slope"),
    (lambda: UniformChannel(-1).information, "width"),
    (lambda: UniformChannel(1, 0).variance(0.5), "noise"),
    (lambda: infogan.cgan_value(TABLE, TABLE, [[2, 0], [0, 0]]), r"\[0, 1\]"),
    (lambda: infogan.cgan_value(TABLE, TABLE, [[0.5]]), "one shape"),
    (lambda: infogan.cgan_criterion([0.5, 0.6], [[1]] * 2, [[1]] * 2), "sum to one"),
    (lambda: infogan.cgan_criterion([0.5, 0.5], [[1]], [[1]] * 2), "reals must hold one law"),
    (lambda: infogan.class_term([-1, 2], apart(1)), "probabilities"),
    (lambda: infogan.class_term(HALVES, [[0.5, 0.5]] * 2), "with a density"),
    (lambda: infogan.acgan(HALVES, apart(1), apart(1), trained_on="all"), "both, fake, real"),
    (lambda: infogan.acgan(HALVES, apart(1), apart(1), weight=-1), "weight"),
    (lambda: infogan.best_separation(data=0), "data"),
    (lambda: infogan.categorical_loss(R(4, 3), R(4, dtype=torch.long)), "one_hot"),
    (lambda: infogan.categorical_loss(R(4, 3), R(4, 3, dtype=torch.long)), "float"),
    (lambda: infogan.gaussian_loss(R(4, 3), R(4, 2), variance=1.0), r"\(n, d\)"),
    (lambda: infogan.gaussian_loss(R(4, 3), R(4, 3)), "not both"),
    (lambda: infogan.gaussian_loss(R(4, 3), R(4, 3), log_variance=R(4, 3), variance=1.0), "not both"),
    (lambda: infogan.gaussian_loss(R(4, 3), R(4, 3), variance=0.0), "variance"),
    (lambda: infogan.gaussian_loss(R(4, 3), R(4, 3), log_variance=R(4, 1)), "log_variance"),
    (lambda: Codes(), "at least one code"),
    (lambda: Codes(10), "tuple"),
    (lambda: Codes((1,)), "at least 2"),
    (lambda: Codes(uniform=-1), "uniform"),
    (lambda: Codes(uniform=1, variance=0), "variance"),
    (lambda: MIXED.draw(0), "n must be"),
    (lambda: MIXED.grid([], 0), "list of values"),
    (lambda: MIXED.grid([0.0], 3), "below 3"),
    (lambda: MIXED.categorical(R(2, 8), 2), "2 categorical codes"),
    (lambda: MIXED.categorical(R(2, 5)), r"\(n, 8\)"),
    (lambda: MIXED.losses(R(2, 8), R(2, 8)), "Q must give 11"),
    (lambda: MIXED.losses(R(2, 11), R(3, 8)), r"\(2, 8\)"),
    (lambda: infogan.nmi([0, 1], [0]), "2 and 1 examples"),
    (lambda: infogan.nmi([0.5, 1], [0, 1]), "whole numbers"),
    (lambda: infogan.matched_accuracy([-1, 1], [0, 1]), "negative"),
    (lambda: infogan.matched_accuracy([], []), "whole numbers"),
    (lambda: infogan.gallery(plane(Codes((4,), uniform=2)), None, steps=1), "steps"),
    (lambda: infogan.ring_game(k=1), "at least 2"),
    (lambda: infogan.digit_game(DIGITS, noise=-1.0), "noise"),
    (lambda: plane(weight=-1), "weight"),
    (lambda: plane(noise=-1), "noise"),
    (lambda: plane(loss="info"), "no loss named"),
    (lambda: plane(latent=3), "do not fit together"),
    (lambda: infogan.decode(plane(), R(2, 3)), r"\(n, 4\)"),
    (lambda: told(data.lines(0.0, 0.1)), "data with labels"),
    (lambda: told(data.normal([0.0, 0.0])), "data with labels"),
    (lambda: told(data.ring(3)), "do not fit together"),
    (lambda: told(noise=-1), "noise"),
])  # fmt: skip
def test_bad_input_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("generator, body, head, q_head, words", [
    ([6, 3], [2, 5], [5, 1], [5, 4], "do not fit together"),
    ([6, 2], [2, 5], [5, 2], [5, 4], "one score"),
    ([6, 2], [2, 5], [5, 1], [5, 3], "Q must give 4"),
    ([6, 2], [2, 5], [5, 1], [4, 4], "do not fit together"),
    ([6, 3], [3, 5], [5, 1], [5, 4], r"makes examples of shape \(3,\)"),
])  # fmt: skip
def test_nets_that_do_not_fit_are_refused(generator, body, head, q_head, words):
    four = [nets.mlp(widths) for widths in (generator, body, head, q_head)]
    with pytest.raises(ValueError, match=words):
        infogan.infogan_game(*four, data.ring(4), Codes((4,)), device="cpu")

"""Each loss against its closed-form optimum, by routes that do not use its own formula."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from gantools import data, divergences, fdivergence, game, losses, nets

P, Q = stats.norm(0, 1), stats.norm(1, 1)
JSD, TV = 0.111421, 2 * stats.norm.cdf(0.5) - 1


def quad(f):
    return integrate.quad(f, -12, 13, limit=200)[0]


MINIMUM = {
    "minimax": math.log(4) - 2 * JSD,
    "nonsaturating": math.log(4) - 2 * JSD,
    "least_squares": quad(lambda x: 0.5 * P.pdf(x) * Q.pdf(x) / (P.pdf(x) + Q.pdf(x))),
    "hinge": 2 * (1 - TV),
}
SILENT = {  # scores of real and of generated samples that cost nothing, so that the other side is seen alone
    "minimax": (80.0, -80.0),
    "nonsaturating": (80.0, -80.0),
    "least_squares": (1.0, 0.0),
    "hinge": (1.0, -1.0),
}


@pytest.mark.parametrize("name", MINIMUM)
def test_a_trained_discriminator_reaches_the_value_of_theory(name):
    """Trained on N(0,1) against N(1,1), judged on fresh samples: within 0.01 of the minimum, not below it."""
    played = game.gan(
        nets.mlp([1, 1], seed=0), nets.mlp([1, 64, 64, 1], seed=1), data.normal(0, 1), name,
        latent=1, batch_size=1024, lr=3e-3, seed=2, device="cpu",
    )  # fmt: skip
    with torch.no_grad():  # the generator is z + 1 and leaves the table
        played.rules.generator[1].weight.fill_(1.0)
        played.rules.generator[1].bias.fill_(1.0)
    played.players.pop()
    played.run(250)
    played.players[0].lr = 3e-4
    played.run(150)
    rng = torch.Generator().manual_seed(9)
    real = torch.randn(400_000, 1, generator=rng)
    fake = 1 + torch.randn(400_000, 1, generator=rng)
    reached = losses.get(name).discriminator(played.score(real), played.score(fake)).item()
    assert MINIMUM[name] - 0.005 < reached < MINIMUM[name] + 0.01


@pytest.mark.parametrize("name", MINIMUM)
def test_the_minimum_over_all_functions_is_the_closed_form(name):
    """Search the best of 8,001 scores at each x on its own, then integrate over x."""
    loss = losses.get(name).discriminator
    silent_real, silent_fake = (torch.tensor(v, dtype=torch.float64) for v in SILENT[name])
    scores = torch.linspace(-10, 10, 8001, dtype=torch.float64)
    if_real = np.array([loss(a, silent_fake).item() for a in scores])
    if_fake = np.array([loss(silent_real, a).item() for a in scores])
    x = np.linspace(-6, 7, 301)
    lowest = [(P.pdf(v) * if_real + Q.pdf(v) * if_fake).min() for v in x]
    assert integrate.simpson(lowest, x=x) == pytest.approx(MINIMUM[name], abs=1e-4)


def test_minimax_is_binary_cross_entropy_twice():
    real, fake = torch.randn(50, 1), torch.randn(70, 1)
    expected = bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))
    assert torch.allclose(losses.minimax.discriminator(real, fake), expected)
    assert torch.allclose(losses.minimax.generator(fake), -bce(fake, torch.zeros_like(fake)))
    assert torch.allclose(losses.nonsaturating.generator(fake), bce(fake, torch.ones_like(fake)))


def test_saturation_is_in_the_minimax_generator_only():
    """A confident discriminator (logit -20): the minimax gradient is e^-20, the non-saturating one is 1."""
    for name, slope in (("minimax", -math.exp(-20)), ("nonsaturating", -1.0)):
        score = torch.tensor([-20.0], requires_grad=True)
        losses.get(name).generator(score).backward()
        assert score.grad.item() == pytest.approx(slope, rel=1e-5)


EVERY = [*losses.NAMES, *losses.F_GAN_NAMES, *(f"{name} nonsaturating" for name in losses.F_GAN_NAMES)]


@pytest.mark.parametrize("name", EVERY)
def test_every_loss_pushes_scores_the_right_way(name):
    """The discriminator raises real scores and lowers generated ones; the generator raises its own."""
    loss = losses.get(name)
    real, fake = torch.zeros(5, requires_grad=True), torch.zeros(5, requires_grad=True)
    if name == "least_squares":
        real.data += 0.5
        fake.data += 0.5
    loss.discriminator(real, fake).backward()
    assert (real.grad < 0).all() and (fake.grad > 0).all()
    fake.grad = None
    loss.generator(fake).backward()
    assert (fake.grad < 0).all()
    assert loss.realness(torch.tensor(loss.even)) == pytest.approx(0.5)
    shown = loss.realness(torch.linspace(-5, 5, 11))
    assert (shown >= 0).all() and (shown <= 1).all() and (shown.diff() >= 0).all()


def test_wasserstein_over_linear_critics_is_minus_the_shift():
    x = torch.randn(100_000)
    assert losses.wasserstein.discriminator(-x, -(x + 3)).item() == pytest.approx(-3, abs=1e-4)
    assert losses.wasserstein.generator(x).item() == pytest.approx(-x.mean().item())


@pytest.mark.parametrize("name", ["", "bce", "WGAN", None, ["minimax"]])
def test_unknown_names_are_answered_with_the_known_ones(name):
    with pytest.raises(ValueError, match="minimax, nonsaturating"):
        losses.get(name)


# ---- the f-GAN family -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", divergences.F_DIVERGENCES)
def test_a_trained_f_gan_critic_approaches_its_divergence_from_below(name):
    """On N(0,1) against N(1,1); its bound is computed here by Simpson's rule."""
    played = fdivergence.critic_game(name, seed=3)
    played.run(200)
    row, score = divergences.f_divergence(name), fdivergence.score_of(played)
    x = np.linspace(-9, 10, 8001)
    v = score(x)
    reached = integrate.simpson(P.pdf(x) * row.activation(v) - Q.pdf(x) * row.fake_term(v), x=x)
    value = F_VALUES[name]
    share = (reached - row.at_one) / (value - row.at_one)
    assert (0.8 if name == "pearson" else 0.96) < share and reached < value + 1e-6


F_VALUES = {
    "kl": 0.5, "reverse_kl": 0.5, "pearson": math.e - 1, "hellinger": 2 - 2 * math.exp(-1 / 8),
    "js": 2 * JSD, "jsd": JSD, "gan": 2 * JSD - math.log(4), "tv": TV,
}  # fmt: skip


@pytest.mark.parametrize("name", divergences.F_DIVERGENCES)
def test_the_minimum_of_each_f_gan_over_all_scores_is_minus_its_divergence(name):
    """Search the best of 16,001 scores at each x on its own, then integrate over x."""
    loss, even = losses.f_gan(name), torch.tensor(losses.f_gan(name).even, dtype=torch.float64)
    scores = torch.linspace(-12, 12, 16_001, dtype=torch.float64)
    row = loss.divergence
    if_real = -row.activation(scores).numpy()
    if_fake = row.fake_term(scores).numpy()
    both = torch.stack([scores[:3], scores[-3:]])
    for v in both.flatten():  # the parts are those of the loss itself
        alone = loss.discriminator(v, even) - loss.discriminator(even, even)
        assert alone.item() == pytest.approx((row.activation(even) - row.activation(v)).item(), abs=1e-12)
    x = np.linspace(-5, 6, 221)
    # Pearson's best score is 2(p/q - 1), which leaves the grid where x < -1.4
    lowest = np.array([(P.pdf(v) * if_real + Q.pdf(v) * if_fake).min() for v in x])
    inside = x > -1.2 if name == "pearson" else x > -9
    expected = np.array([Q.pdf(v) * row.f(np.exp(0.5 - v)) for v in x])
    assert lowest[inside] == pytest.approx(-expected[inside], abs=2e-4)


def test_the_gan_row_is_the_minimax_game():
    real, fake = 4 * torch.randn(2, 60, generator=torch.Generator().manual_seed(1))
    for ours, theirs in (("f-gan gan", "minimax"), ("f-gan gan nonsaturating", "nonsaturating")):
        a, b = losses.get(ours), losses.get(theirs)
        assert torch.allclose(a.discriminator(real, fake), b.discriminator(real, fake), rtol=1e-6)
        assert a.generator(fake).item() == pytest.approx(b.generator(fake).item(), rel=1e-6)


@pytest.mark.parametrize("name", ["js", "jsd", "gan", "tv", "pearson"])
def test_f_gan_losses_of_extreme_scores_are_finite_with_finite_gradients(name):
    scores = torch.tensor([-1e4, -200.0, 0.0, 200.0, 1e4], requires_grad=True)
    for loss in (losses.f_gan(name), losses.f_gan(name, nonsaturating=True)):
        total = loss.discriminator(scores, scores) + loss.generator(scores)
        (slope,) = torch.autograd.grad(total, scores)
        assert total.isfinite() and slope.isfinite().all()


@pytest.mark.parametrize("name", ["kl", "reverse_kl", "hellinger"])
def test_exponential_f_gan_losses_grow_to_infinity_and_never_to_nan(name):
    loss = losses.f_gan(name)
    for v in (-1e4, -50.0, 50.0, 1e4):
        v = torch.tensor([v])
        for value in (loss.discriminator(v, v.new_zeros(1)), loss.discriminator(v.new_zeros(1), v)):
            assert not value.isnan()


def test_f_gan_names():
    assert losses.get("f-gan kl") == losses.f_gan("kl")
    assert losses.get("f-gan kl nonsaturating").nonsaturating
    with pytest.raises(ValueError, match="no f-divergence named 'wasserstein'"):
        losses.f_gan("wasserstein")
    with pytest.raises(ValueError, match="f-gan kl, f-gan reverse_kl"):
        losses.get("f-gan wasserstein")

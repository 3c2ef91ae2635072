"""Each loss against its closed-form optimum, by routes that do not use its own formula."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from gantools import data, game, losses, nets

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


@pytest.mark.parametrize("name", losses.NAMES)
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

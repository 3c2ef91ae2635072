"""The Wasserstein game: Algorithm 1 against a loop written out, theorem 3 against the closed form."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import trapezoid
from scipy.stats import norm

from gantools import data, exercises, metrics, nets, transport
from gantools.game import gan


def players(seed=0):
    return nets.mlp([2, 8, 2], seed=seed), nets.mlp([2, 8, 1], seed=seed + 1)


def flat(net):
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])


def test_the_defaults_are_the_paper_s():
    game = transport.wgan(*players(), data.ring(8), device="cpu")
    critic, generator = game.players
    assert (critic.name, generator.name) == ("critic", "generator")
    assert (critic.steps, generator.steps, game.batch_size) == (5, 1, 64)
    assert critic.lr == generator.lr == 5e-5
    assert all(isinstance(player.optimizer, torch.optim.RMSprop) for player in game.players)
    assert game.rules.loss == "wasserstein" and game.rules.penalty is None
    game.run(1)
    assert 0 < flat(critic.nets).abs().max() <= torch.tensor(0.01) < flat(generator.nets).abs().max()

    game = transport.wgan_gp(*players(), data.ring(8), device="cpu")
    assert [(player.lr, player.steps) for player in game.players] == [(1e-4, 5), (1e-4, 1)]
    group = game.players[0].optimizer.param_groups[0]
    assert isinstance(game.players[0].optimizer, torch.optim.Adam) and group["betas"] == (0.0, 0.9)
    assert game.players[0].after is None
    real, fake = game.real(50), game.sample(50)
    assert game.rules.penalty(lambda x: 3 * x[:, :1], real, fake, None) == pytest.approx(10 * (3 - 1) ** 2)


def test_settings_take_the_place_of_the_defaults_and_bad_ones_are_refused():
    game = transport.wgan(*players(), data.ring(8), 0.5, lr=(1e-3, 1e-4), steps=2, batch_size=7, device="cpu")
    assert [player.lr for player in game.players] == [1e-3, 1e-4] and game.players[0].steps == 2
    game.run(3)
    assert flat(game.players[0].nets).abs().max() <= 0.5
    with pytest.raises(ValueError, match="clipping bound"):
        transport.wgan(*players(), data.ring(8), 0)
    with pytest.raises(ValueError, match="weight of the penalty"):
        transport.wgan_gp(*players(), data.ring(8), -1.0)
    with pytest.raises(ValueError, match="no method 'gan'; choose one of minimax"):
        transport.plane_game("gan")
    with pytest.raises(ValueError, match="n must be"):
        transport.exact_w1(0)


def test_a_turn_is_algorithm_1_of_the_paper():
    """The same game by a loop in plain PyTorch that draws the same numbers."""
    law, m, c, rate = data.ring(8), 16, 0.02, 1e-3
    game = transport.wgan(*players(), law, c, lr=rate, batch_size=m, device="cpu", seed=3)
    game.run(4)

    generator, critic = players()
    rng = torch.Generator().manual_seed(3)
    draw_z = lambda: torch.randn(m, 2, generator=rng)
    of_critic = torch.optim.RMSprop(critic.parameters(), lr=rate)
    of_generator = torch.optim.RMSprop(generator.parameters(), lr=rate)
    for _ in range(4):
        for _ in range(5):  # n_critic times, not t = 0, ..., n_critic
            x, z = law.sample(m, rng), draw_z()
            of_critic.zero_grad()
            (critic(generator(z).detach()).mean() - critic(x).mean()).backward()
            of_critic.step()
            with torch.no_grad():
                for weight in critic.parameters():
                    weight.copy_(weight.clip(-c, c))
        of_generator.zero_grad()
        (-critic(generator(draw_z())).mean()).backward()
        of_generator.step()
    assert torch.allclose(flat(game.players[0].nets), flat(critic), atol=1e-6)
    assert torch.allclose(flat(game.players[1].nets), flat(generator), atol=1e-6)


@pytest.mark.parametrize("make", [transport.wgan, transport.wgan_gp])
def test_the_game_resumes_to_the_bit(make, tmp_path):
    build = lambda: make(*players(), data.ring(8), batch_size=16, lr=1e-3, device="cpu")
    through, first, second = build(), build(), build()
    through.run(6)
    first.run(3)
    first.save(tmp_path / "game.safetensors")
    second.load(tmp_path / "game.safetensors")
    second.run(3)
    mine, other = through.state()["tensors"], second.state()["tensors"]
    assert mine.keys() == other.keys() and all(torch.equal(mine[k], other[k]) for k in mine)


# theorem 3 ------------------------------------------------------------------------------------------

PAIRS = [(1.0, 2.0), (0.0, 2.0), (-1.5, 0.4), (2.0, 1.0), (-0.7, 1.0)]


def w1(mean, sd):
    """E |mean + (sd - 1) Z|, the comonotone coupling's cost (a folded normal's mean)."""
    spread = abs(sd - 1)
    if not spread:
        return abs(mean)
    ratio = mean / spread
    return spread * math.sqrt(2 / math.pi) * math.exp(-(ratio**2) / 2) + mean * (1 - 2 * norm.cdf(-ratio))


@pytest.mark.parametrize(("mean", "sd"), PAIRS)
def test_the_gaussian_critic_is_feasible_and_attains_w1(mean, sd):
    critic = transport.gaussian_critic(mean, sd)
    x = torch.linspace(-30, 30, 600_001, dtype=torch.float64)
    slopes = critic(x).diff() / x.diff()
    assert slopes.abs().max() <= 1 + 1e-9
    density = lambda law: torch.from_numpy(law.pdf(x.numpy()))
    gap = torch.trapezoid(critic(x) * (density(norm(0, 1)) - density(norm(mean, sd))), x)
    assert float(gap) == pytest.approx(w1(mean, sd), abs=1e-6)


def test_w1_of_the_book_s_pair():
    assert w1(1, 2) == pytest.approx(1.166631, abs=1e-6) and w1(0, 2) == pytest.approx(0.797885, abs=1e-6)


@pytest.mark.parametrize(("mean", "sd"), PAIRS[:3])
def test_the_gradient_of_w1_is_that_of_the_frozen_critic(mean, sd):
    step = 1e-5
    by_mean = (w1(mean + step, sd) - w1(mean - step, sd)) / (2 * step)
    by_sd = (w1(mean, sd + step) - w1(mean, sd - step)) / (2 * step)
    assert transport.gradient_by_critic(mean, sd) == pytest.approx((by_mean, by_sd), abs=1e-5)


def test_where_w1_has_a_corner_the_frozen_critic_gives_one_side():
    """At sd = 1 the slope in sd jumps (by 2 E |Z| at mean 0): theorem 3 wants both sides to exist."""
    assert transport.gradient_by_critic(2.0, 1.0) == pytest.approx((1, 0), abs=1e-6)
    below, above = ((w1(0, 1 + h) - w1(0, 1)) / h for h in (-1e-4, 1e-4))
    assert (below, above) == pytest.approx((-math.sqrt(2 / math.pi), math.sqrt(2 / math.pi)))


def test_a_bad_deviation_is_refused():
    with pytest.raises(ValueError, match="sd must be positive"):
        transport.gaussian_critic(0.0, 0.0)


# what is measured -----------------------------------------------------------------------------------


def test_what_is_measured_is_measured_from_outside():
    game = transport.wgan_gp(*players(), data.ring(8), device="cpu")
    look = transport.exact_w1(n=50, seed=4)
    before = game.state()["tensors"]
    assert look(game) == metrics.w1(game.sample(50), game.real(50, seed=4)) == look(game)
    critic = game.players[0].nets
    with torch.no_grad():
        gap = critic(game.real(2000, seed=1)).mean() - critic(game.sample(2000)).mean()
    assert transport.critic_gap(game) == pytest.approx(gap.item(), abs=1e-6)
    after = game.state()["tensors"]
    assert all(torch.equal(before[k], after[k]) for k in before)


def test_a_critic_held_by_the_penalty_reports_about_w1():
    """Two far clouds, a generator that stands still: W1 is the distance of the means, up to softness."""
    law = data.normal([4.0, 0.0], 0.2)
    nets_ = nets.mlp([2, 8, 2]), nets.mlp([2, 32, 1], seed=1)
    game = transport.wgan_gp(*nets_, law, lr=(2e-3, 0.0), device="cpu")
    game.run(150)
    assert transport.critic_gap(game) == pytest.approx(transport.exact_w1()(game), rel=0.2)


def test_the_same_seed_means_the_same_nets_in_every_method():
    games = [transport.plane_game(method, seed=5) for method in transport.GAMES]
    for game in games[1:]:
        for mine, first in zip(game.players, games[0].players, strict=True):
            assert torch.equal(flat(mine.nets), flat(first.nets))
    assert all(game.batch_size == 128 for game in games)


def test_a_run_on_the_ring_is_judged_by_fresh_samples():
    found = transport.ring_run("minimax", 0, 3)
    game = transport.plane_game("minimax", seed=0)
    game.run(3)
    samples = game.sample(4000)
    modes = metrics.modes_found(samples, game.data["real"])
    assert (found["found"], found["high_quality"]) == (modes.found, round(modes.high_quality, 3))
    assert found["w1"] == pytest.approx(metrics.w1(samples[:1000], game.real(1000, seed=10_000)), abs=1e-3)
    assert found["cpu_ms"] > 0
    assert transport.ring_run("penalty", 0, 1, steps=1, lr=(1e-3, 0.0))["found"] == 0


def test_any_optimiser_may_be_given_to_a_game():
    seen = []

    def make(rate):
        seen.append(rate)
        return lambda parameters: torch.optim.SGD(parameters, lr=rate)

    game = gan(*players(), data.ring(8), lr=(0.1, 0.2), optimizer=make, device="cpu")
    assert seen == [0.1, 0.2] and all(isinstance(p.optimizer, torch.optim.SGD) for p in game.players)


# exercises ------------------------------------------------------------------------------------------


def said(capsys, check, answer):
    check(answer)
    return capsys.readouterr().out


def test_the_losses_are_checked(capsys):
    check = exercises.transport.check_losses
    assert said(capsys, check, lambda r, f: (f.mean() - r.mean(), -f.mean())).startswith("Right")
    for wrong, word in [
        (lambda r, f: (r.mean() - f.mean(), -f.mean()), "critic's sign"),
        (lambda r, f: (f.mean() - r.mean(), f.mean()), "generator's sign"),
        (lambda r, f: (f.mean() - r.mean(), r.mean() - f.mean()), "does not contain the generator"),
        (lambda r, f: (f.sum() - r.sum(), -f.sum()), "sums"),
        (lambda r, f: f.mean() - r.mean(), "shape"),
        (lambda r, f: None, "return"),
    ]:
        text = said(capsys, check, wrong)
        assert text.startswith("Not yet") and word in text


def test_the_hinge_is_told_from_the_distance(capsys):
    check = exercises.transport.check_hinge
    right = lambda w: (4 * norm.cdf(-abs(w) / 2), -abs(w))
    assert right(1)[0] == pytest.approx(1.234150, abs=1e-6)
    assert said(capsys, check, right).startswith("Right")
    for wrong, word in [
        (lambda w: right(w)[::-1], "changed places"),
        (lambda w: (right(w)[0], abs(w)), "its minimum is -W1"),
        (lambda w: (2 * norm.cdf(abs(w) / 2) - 1, -abs(w)), "total variation itself"),
        (lambda w: (right(w)[0] / 2, -abs(w)), "counts it twice"),
        (lambda w: (4 * norm.cdf(-w / 2), -w), "negative"),
    ]:
        text = said(capsys, check, wrong)
        assert text.startswith("Not yet") and word in text


def test_the_minimum_of_the_hinge_loss_is_found_point_by_point():
    x = np.linspace(-10, 11, 20_001)
    p, q = norm.pdf(x), norm.pdf(x, 1)
    scores = np.linspace(-3, 3, 601)[:, None]
    cost = p * np.maximum(0, 1 - scores) + q * np.maximum(0, 1 + scores)
    assert trapezoid(cost.min(0), x) == pytest.approx(4 * norm.cdf(-0.5), abs=1e-6)

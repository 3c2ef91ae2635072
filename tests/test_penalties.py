"""Penalties and constraints against closed forms."""

import math
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch._subclasses import FakeTensorMode

from gantools import data, nets, penalties
from gantools.game import Batch, gan
from test_game import same_bits


def linear(w) -> nn.Module:
    net = nets.mlp([len(w), 1])
    with torch.no_grad():
        net[1].weight.copy_(torch.tensor([w]))
    return net


def normal(n: int, d: int, mean: float = 0.0, seed: int = 0) -> torch.Tensor:
    return mean + torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


ALL = {
    "gradient": lambda: penalties.gradient(10.0),
    "one-sided": lambda: penalties.gradient(10.0, one_sided=True),
    "r1": lambda: penalties.r1(1.0),
    "r2": lambda: penalties.r2(1.0),
    "roth": lambda: penalties.roth(0.1),
}


# closed forms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", [0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
def test_the_gradient_penalty_of_a_linear_critic(norm):
    """The slope of w.x is w everywhere: (|w| - 1)^2, and one-sided only above 1."""
    critic, x = linear([0.6 * norm, -0.8 * norm]), normal(50, 2)
    two, one = (penalties.gradient(7.0, one_sided=side)(critic, x, x + 1).item() for side in (False, True))
    assert two == pytest.approx(7 * (norm - 1) ** 2, abs=1e-5)
    assert one == pytest.approx(7 * max(norm - 1, 0) ** 2, abs=1e-5)


def test_the_penalty_is_taken_between_the_pairs():
    """|x|^2 / 2 has slope |x|: with real = 2 and fake = 0, E (2e - 1)^2 = 1/3; one-sided, 1/6."""
    real, fake = torch.full((200_000, 1), 2.0), torch.zeros(200_000, 1)
    rng = torch.Generator().manual_seed(0)
    half = lambda x: x.square().sum(1) / 2  # noqa: E731
    for one_sided, expected in ((False, 1 / 3), (True, 1 / 6)):
        value = penalties.gradient(1.0, one_sided)(half, real, fake, rng)
        assert value.item() == pytest.approx(expected, rel=0.01)


def test_every_sample_has_its_own_share():
    """With one share a batch (a slip in print) all the mixtures would stand at one place."""
    seen = []
    critic = lambda x: seen.append(x.detach()) or x.sum(dim=(1, 2, 3))  # noqa: E731
    images = torch.ones(64, 1, 4, 4)
    penalties.gradient()(critic, images, 0 * images, torch.Generator().manual_seed(0))
    shares = seen[0][:, 0, 0, 0]
    assert len(shares.unique()) == 64 and 0 < shares.min() < 0.2 and 0.8 < shares.max() < 1
    assert torch.equal(seen[0], shares.view(-1, 1, 1, 1).expand_as(images))  # but one share for a whole image


def test_softness_of_a_linear_critic():
    """Maximise w a - weight (a - 1)^2 over slopes a: a = 1 + w / (2 weight), 1.15 for w = 3, weight 10."""
    critic = linear([-0.2])
    real, fake = normal(64, 1), 3 + normal(64, 1)
    optimiser = torch.optim.SGD(critic.parameters(), 0.04)
    for _ in range(200):
        optimiser.zero_grad()
        gap = critic(real).mean() - critic(fake).mean()
        (penalties.gradient(10.0)(critic, real, fake) - gap).backward()
        optimiser.step()
    slope = critic[1].weight.item()
    assert slope == pytest.approx(-1.15, abs=1e-4)
    assert gap.item() == pytest.approx(3.45, abs=1e-3)


@pytest.mark.parametrize("make", [penalties.r1, penalties.r2])
def test_r1_and_r2_of_a_linear_and_of_a_quadratic_score(make):
    """gamma/2 |w|^2 for w.x + b, exactly; gamma/2 E|2x|^2 = 2 gamma d for |x|^2 on N(0, I_d)."""
    x, far = normal(200_000, 3), torch.full((5, 3), 40.0)
    real, fake = (x, far) if make is penalties.r1 else (far, x)
    assert make(10.0)(linear([1.0, -2.0, 2.0]), real, fake).item() == pytest.approx(45, rel=1e-5)
    assert make(1.0)(lambda v: v.square().sum(1), real, fake).item() == pytest.approx(6, rel=0.02)


def test_roths_regulariser_at_the_optimal_discriminator():
    """D* between N(0, 1) and N(1, 1) has the logit 1/2 - x; the sum is E_P[q/(p+q)]^2 + E_Q[p/(p+q)]^2."""
    n = 400_001
    u = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    x = math.sqrt(2) * torch.special.erfinv(2 * u - 1)[:, None]  # quantiles of N(0, 1): a quadrature
    value = penalties.roth(2.0)(lambda v: 0.5 - v.sum(1), x, x + 1).item()
    assert value == pytest.approx(0.397973, abs=2e-6)


def test_roths_regulariser_is_the_first_order_of_instance_noise():
    """2 JSD between N(0, 1 + s) and N(1, 1 + s) falls by s/2 times 0.397973 for small s."""
    from scipy import stats

    from gantools import divergences

    s = 0.01
    noisy = divergences.jsd(stats.norm(0, math.sqrt(1 + s)), stats.norm(1, math.sqrt(1 + s)))
    change = 2 * (noisy - divergences.jsd(stats.norm(0, 1), stats.norm(1, 1)))
    assert change == pytest.approx(-0.0019722, abs=1e-6)
    assert change == pytest.approx(-s / 2 * 0.397973, rel=0.01)


def test_clipping_clips():
    class Player:
        parameters = [torch.tensor([3.0, -0.2, -7.0])]

    penalties.clip(0.5)(Player)
    assert torch.equal(Player.parameters[0], torch.tensor([0.5, -0.2, -0.5]))


# spectral normalisation -------------------------------------------------------------------------------


def test_spectral_normalisation_divides_by_the_largest_singular_value():
    plain, net = nets.mlp([2, 32, 32, 1], seed=4), penalties.spectral(nets.mlp([2, 32, 32, 1], seed=4))
    for _ in range(200):
        net(torch.zeros(1, 2))
    net.eval()
    for k in (1, 3, 5):
        weight = plain[k].weight.detach()
        assert torch.allclose(net[k].weight, weight / torch.linalg.matrix_norm(weight, 2), atol=1e-4)


def test_a_normalised_net_is_1_lipschitz():
    net = penalties.spectral(nets.mlp([5, 64, 64, 1], seed=1))
    for _ in range(200):
        net(torch.zeros(1, 5))
    x = normal(2000, 5).mul(3).requires_grad_()
    (slope,) = torch.autograd.grad(net.eval()(x).sum(), x)
    assert slope.norm(dim=1).max().item() <= 1 + 1e-4


def test_spectral_normalisation_reaches_convolutions_and_depends_on_its_seed_alone():
    def make():
        with nets.seeded(0):
            net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(16, 1))
            return penalties.spectral(net, seed=2)

    state = torch.get_rng_state()
    one, other = make(), make()
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(one.state_dict()[key], value) for key, value in other.state_dict().items())
    one.eval()
    assert torch.linalg.matrix_norm(one[0].weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


def test_looking_leaves_the_power_iteration_alone():
    def play(look: bool):
        game = gan(nets.mlp([2, 8, 2]), penalties.spectral(nets.mlp([2, 8, 1])), data.ring(8), "wasserstein",
                   batch_size=16, device="cpu")  # fmt: skip
        for _ in game.turns(4):
            if look:
                x = game.sample(5)
                assert torch.equal(game.score(x), game.score(x))
                game.pull(x)
        return game.state()

    assert same_bits(play(True), play(False))


# in the game ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_a_penalty_trains_the_critic_alone(name):
    critic, generator = nets.mlp([3, 16, 1], "elu"), nets.mlp([2, 3])
    steep = lambda x: 20 * critic(x)  # noqa: E731  the one-sided penalty is silent below slope 1
    ALL[name]()(steep, normal(32, 3), generator(normal(32, 2))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in critic.parameters() if p.ndim == 2)
    assert all(p.grad is None for p in generator.parameters())


@pytest.mark.parametrize("one_sided", [False, True])
def test_a_critic_without_any_slope_gets_a_finite_gradient(one_sided):
    critic = nets.mlp([2, 4, 1])
    with torch.no_grad():
        critic[1].weight.zero_()
    x = normal(8, 2)
    value = penalties.gradient(10.0, one_sided)(critic, x, x + 1)
    value.backward()
    assert value.item() == (0 if one_sided else 10)
    assert all(p.grad is None or p.grad.isfinite().all() for p in critic.parameters())


def play(name: str, **options):
    critic = nets.mlp([2, 16, 1], seed=1)
    if name == "spectral":
        critic, penalty = penalties.spectral(critic), None
    else:
        penalty = ALL[name]()
    return gan(nets.mlp([2, 16, 2]), critic, data.ring(8), "wasserstein", batch_size=32, steps=2, noise=0.05,
               penalty=penalty, seed=3, **{"device": "cpu"} | options)  # fmt: skip


@pytest.mark.parametrize("name", [*ALL, "spectral"])
def test_a_checkpoint_resumes_to_the_bit(tmp_path, name):
    whole, half, resumed = play(name), play(name), play(name)
    whole.run(20), half.run(10)
    half.save(tmp_path / "half.safetensors")
    torch.manual_seed(77)  # nothing is drawn from the global state
    resumed.load(tmp_path / "half.safetensors")
    resumed.run(10)
    assert same_bits(whole.state(), resumed.state())


def test_the_share_is_drawn_from_the_games_generator():
    game = play("gradient")
    game.players, kept = [game.player("discriminator")], []
    game.rules.penalty = lambda discriminator, real, fake, batch: kept.append(batch) or 0.0
    game.run(1)
    assert [batch.rng for batch in kept] == [game.rng] * 2


@pytest.mark.parametrize("build", ["image_nets", "wide_nets"])
def test_a_turn_of_wgan_gp_is_the_turn_that_everybody_writes(monkeypatch, build):
    """The benchmark's two sides, on the same draws: what is faster must not be something else."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    import wgan_gp

    make, images = getattr(sys.modules["loop"], build), wgan_gp.pictures(200)
    rng, size = torch.Generator().manual_seed(5), wgan_gp.BATCH
    theirs, mine = make(), make()
    loop = wgan_gp.everybody(
        *theirs,
        iter(lambda: (images.sample(size, rng),), None),
        draw_latent=lambda: torch.randn(size, wgan_gp.LATENT, generator=rng),
        draw_alpha=lambda: torch.rand(size, 1, 1, 1, generator=rng),
        report=lambda line: None,
    )
    game = wgan_gp.ours(*mine, images, seed=5)
    for _ in range(3):
        next(loop), game.turn()
    # compared by what the nets do: a bias before batch norm does nothing, and Adam moves it by rounding
    z, x = torch.randn(size, wgan_gp.LATENT, generator=rng), images.sample(size, rng)
    with torch.no_grad():
        fresh = make()
        for k, given in enumerate((z, x)):
            there, here, before = (pair[k](given) for pair in (theirs, mine, fresh))
            assert (there - here).abs().max() < 0.01 * (there - before).abs().max()


def test_the_benchmark_counts_products_of_second_derivatives_too(monkeypatch):
    """A critic of n x n weights: forward, and back to the images, and through that once more to the weights."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    import loop

    n, critic, x = 16, torch.nn.Linear(16, 16, bias=False), torch.randn(8, 16, requires_grad=True)

    def turn():
        (slope,) = torch.autograd.grad(critic(x).square().sum(), x, create_graph=True)
        slope.square().sum().backward(inputs=[critic.weight])
        yield

    once = 2 * 8 * n * n  # y = x W, s = 2 y W^T; ds/dW by way of s and of y, and dy
    assert loop.operations(turn()) == 5 * once


@pytest.mark.parametrize("name", [*ALL, "spectral"])
def test_every_penalty_evaluates_on_cuda(name, monkeypatch):
    """Under fake tensors, where autograd has no device: its part is mimed."""
    monkeypatch.setattr(torch.autograd, "grad", lambda y, x, create_graph: (x * y,))
    with FakeTensorMode(allow_non_fake_inputs=True), torch.device("cuda"):
        game = play(name, device="cuda")
        player = game.players[0]
        game._let_move(player)
        batch = Batch(game.data, game.batch_size, None, game.device)
        assert player.loss(batch).device == torch.device("cuda", 0)


# bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: penalties.clip(0.0), "positive"),
        (lambda: penalties.r1(-1.0), "gamma must not be negative"),
        (lambda: penalties.r2(math.inf), "infinite"),
        (lambda: penalties.roth(math.nan), "gamma"),
        (lambda: penalties.gradient(-10.0), "weight of the penalty"),
        (lambda: penalties.gradient()(linear([1.0]), torch.zeros(4, 1), torch.zeros(3, 1)), r"one shape .*\(4,"),
        (lambda: penalties.spectral(nn.ReLU()), "no linear or convolutional layer"),
        (lambda: penalties.spectral(penalties.spectral(nets.mlp([2, 1]))), "once"),
    ],
)
def test_bad_input_says_what_is_wrong(make, message):
    with pytest.raises(ValueError, match=message):
        make()

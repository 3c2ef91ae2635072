"""Many games at once: each is the game it would be alone, and none disturbs another."""

import math

import pytest
import torch
from torch import nn
from torch._subclasses import FakeTensorMode

from gantools import data, losses, nets, penalties, stacked
from gantools.game import Batch, Diverged, gan, rmsprop
from test_game import same_bits

RING = data.ring(8)
POINTS = RING.sample(9, torch.Generator().manual_seed(0))


def build(seed, width=12):
    generator = nets.mlp([2, width, width, 2], "tanh", seed=2 * seed)
    return generator, nets.mlp([2, width, width, 1], seed=2 * seed + 1)


def sweep(**options):
    options = {"seeds": range(3), "batch_size": 16, "device": "cpu", "seed": 5} | options
    return stacked.sweep(build, RING, **options)


def close(one: nn.Module, other: nn.Module, atol=2e-5) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(p, q, atol=atol) for p, q in pairs)


def same_nets(stack, k, rules) -> bool:
    return all(map(close, stack.alone(k), (rules.generator, rules.discriminator)))


# one game after another -------------------------------------------------------------------------------


ALL = {name: {"loss": name} for name in (*losses.NAMES, "f-gan kl", "f-gan js nonsaturating")} | {
    "noise": {"noise": 0.2},
    "steps": {"steps": 3},
    "clip": {"loss": "wasserstein", "after": penalties.clip(0.05), "optimizer": rmsprop},
    "r1": {"penalty": penalties.r1(0.5)},
    "r2": {"penalty": penalties.r2(0.5)},
    "roth": {"penalty": penalties.roth(0.5)},
    "lazy": {"penalty": penalties.lazy(penalties.r1(0.5), 2)},
    "ema": {"ema": 0.7},
    "rates of both": {"lr": (3e-3, 1e-3)},
}


@pytest.mark.parametrize("name", ALL)
def test_each_game_is_the_game_it_would_be_alone(name):
    """Shown the same batches, against gantools.game: losses, weights, samples and scores after four turns."""
    stack = sweep(shared=True, **ALL[name])
    last = stack.run(4)
    for k, setting in enumerate(stack.settings):
        options = {"batch_size": 16, "device": "cpu", "seed": 5} | ALL[name]
        alone = gan(*build(setting.seed), RING, **options)
        turn = alone.run(4)
        generator, discriminator = stack.alone(k)
        average = alone.player("generator").average
        assert close(generator, alone.rules.generator if average is None else average.module)
        assert close(discriminator, alone.rules.discriminator)
        assert torch.allclose(stack.sample(20)[k], alone.sample(20), atol=2e-5)
        assert torch.allclose(stack.score(POINTS)[k], alone.score(POINTS), atol=1e-4)
        for player in ("generator",) if "penalty" in options else ("discriminator", "generator"):
            assert last.losses[player][k].item() == pytest.approx(turn.losses[player].item(), abs=1e-5)


def test_the_gradient_penalty_draws_for_every_game():
    """With shares of its own each game's penalty is its critic's: linear ones have (|w| - 1)^2 anywhere."""
    pair = lambda seed: (nets.mlp([2, 2], seed=seed), nets.mlp([2, 1], seed=seed + 9))  # noqa: E731
    options = {"seeds": range(4), "batch_size": 8, "device": "cpu"}
    stack = stacked.sweep(pair, RING, penalty=penalties.gradient(7.0), **options)
    batch = Batch(stack.data, stack.batch_size, stack.rng, stack.device)
    charged = stack.rules.discriminator_loss(batch)
    noted = zip(*stack.rules.noted["discriminator"], strict=True)
    plain = sum(losses.nonsaturating.discriminator(*scores) for scores in noted)
    slopes = [stack.alone(k)[1][1].weight.norm().item() for k in range(4)]
    assert (charged - plain).item() == pytest.approx(sum(7 * (slope - 1) ** 2 for slope in slopes), rel=1e-4)


class Dealt(data.Source):
    """The rows that game k of g is dealt out of the batches of a stack, one call after another."""

    shape, device = (2,), torch.device("cpu")

    def __init__(self, k, g):
        self.k, self.g = k, g

    def to(self, device):
        return self

    def draw(self, n, generator=None):
        x, labels = RING.draw(self.g * n, generator)
        return x[self.k * n : (self.k + 1) * n], labels[self.k * n : (self.k + 1) * n]


def test_without_sharing_each_game_is_dealt_its_own_rows(monkeypatch):
    """The same against the single game that is handed the stack's data and noise, its own rows of them."""
    stack, g = sweep(seeds=range(3), noise=0.1), 3
    stack.run(3)
    for k in range(g):
        mine = lambda x, k=k: x[k * 16 : (k + 1) * 16]  # noqa: E731
        normal = lambda n, d, generator: torch.randn(g * n, d, generator=generator)  # noqa: E731
        monkeypatch.setattr(Batch, "latent", lambda self, d: mine(normal(16, d, self.rng)))  # noqa: B023
        monkeypatch.setattr(Batch, "deal", lambda self, draw: mine(draw(g * 16)))  # noqa: B023
        alone = gan(*build(k), Dealt(k, g), noise=0.1, batch_size=16, device="cpu", seed=5)
        alone.run(3)
        assert same_nets(stack, k, alone.rules)
        monkeypatch.undo()


def test_sharing_is_a_choice():
    """Shared, games of one seed are one game; else they are shown batches of their own."""
    for shared in (True, False):
        stack = sweep(seeds=(4, 4), shared=shared)
        stack.run(3)
        assert close(stack.alone(0)[0], stack.alone(1)[0], atol=1e-6) == shared
        batch = Batch(stack.data, stack.batch_size, stack.rng, stack.device)
        assert stack.rules._dealt(batch.real).shape == (2, 16, 2)


# rates ------------------------------------------------------------------------------------------------


def test_every_seed_is_played_at_every_rate():
    stack = sweep(seeds=(7, 8), lr=[1e-2, (3e-3, 1e-3), 0.0], shared=True)
    assert stack.settings == ((7, 1e-2), (7, (3e-3, 1e-3)), (7, 0.0), (8, 1e-2), (8, (3e-3, 1e-3)), (8, 0.0))
    stack.run(4)
    for k, setting in enumerate(stack.settings):
        alone = gan(*build(setting.seed), RING, lr=setting.lr, batch_size=16, device="cpu", seed=5)
        alone.run(4)
        assert same_nets(stack, k, alone.rules)
    assert close(stack.alone(2)[0], build(7)[0], atol=0) and not close(stack.alone(0)[0], build(7)[0])


def test_a_players_rate_multiplies_those_of_its_games():
    stack = sweep(seeds=(7,), lr=[1e-2, 2e-3], shared=True)
    for player in stack.players:
        player.lr = 0.5
    stack.run(3)
    for k, rate in enumerate((5e-3, 1e-3)):
        alone = gan(*build(7), RING, lr=rate, batch_size=16, device="cpu", seed=5)
        alone.run(3)
        assert same_nets(stack, k, alone.rules)


def test_rates_are_kept_in_a_checkpoint(tmp_path):
    """To the bit, and in the file rather than in the game that reads it."""
    kinds = {"lr": [1e-2, 1e-3], "ema": 0.9, "noise": 0.1, "penalty": penalties.gradient(0.1)}
    whole, half, resumed = sweep(**kinds), sweep(**kinds), sweep(**kinds | {"lr": [0.5, 0.25]})
    whole.run(4), half.run(2)
    half.save(tmp_path / "half.safetensors")
    resumed.load(tmp_path / "half.safetensors")
    resumed.run(2)
    assert same_bits(whole.state(), resumed.state())


# one diverges -----------------------------------------------------------------------------------------


def test_a_game_that_diverges_disturbs_no_other():
    stack, quiet = (sweep(lr=lr, seeds=(1, 2), loss="wasserstein") for lr in ([1e-3, 1e30], 1e-3))
    last = stack.run(6)
    quiet.run(6)
    assert stack.alive.tolist() == [True, False, True, False]
    assert last.losses["generator"].isfinite().tolist() == [True, False, True, False]
    assert stack.sample(5).isfinite().flatten(1).all(1).tolist() == [True, False, True, False]
    assert quiet.alive.all()


def test_when_all_have_diverged_it_says_so():
    with pytest.raises(Diverged, match="all 3 games have diverged"):
        sweep(lr=1e30, loss="wasserstein").run(10)


def test_scores_are_finite_in_the_games_that_are_alive():
    stack = sweep()
    stack.run(1)
    with torch.no_grad():
        stack.rules.generator.layers[1].weight[1] = math.nan
    stack.run(1)
    assert stack.alive.tolist() == [True, False, True]


# nets -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: nets.mlp([6, 5, 4], "leaky_relu", output="tanh", seed=seed),
        lambda seed: nets.mlp([6, 5, 12], "elu", shape=(3, 2, 2), seed=seed),
        lambda seed: nn.Sequential(nn.Linear(6, 4, bias=False), nn.Softplus(), nn.Linear(4, 2)),
    ],
)
def test_stacked_nets_are_the_nets(make):
    singles = [make(seed) for seed in range(4)]
    stack, x = stacked.Stacked(singles), torch.randn(4, 7, 6)
    for k, net in enumerate(singles):
        assert torch.allclose(stack(x)[k], net(x[k]), atol=1e-6)
        assert repr(stack.alone(k)) == repr(net)
        assert close(stack.alone(k), net, atol=0)
        assert stack.alone(k)[-1] is not net[-1]


def test_images_are_games_too():
    pixels = torch.randint(256, (30, 1, 4, 4), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    images = data.ImageSet(pixels, torch.zeros(30, dtype=torch.int64), ("none",), "random")
    pair = lambda seed: (  # noqa: E731
        nets.mlp([3, 8, 16], output="tanh", shape=(1, 4, 4), seed=seed),
        nets.mlp([16, 8, 1], seed=seed + 100),
    )  # fmt: skip
    stack = stacked.sweep(pair, images, seeds=(1, 2), latent=3, batch_size=5, shared=True, device="cpu")
    alone = gan(*pair(2), images, latent=3, batch_size=5, device="cpu")
    stack.run(3), alone.run(3)
    assert stack.sample(6).shape == (2, 6, 1, 4, 4) and stack.score(images.sample(4)).shape == (2, 4)
    assert close(stack.alone(1)[0], alone.rules.generator)


def test_every_loss_evaluates_on_cuda():
    with FakeTensorMode(allow_non_fake_inputs=True), torch.device("cuda"):
        game = stacked.sweep(build, RING, seeds=range(2), batch_size=4, noise=0.1, device="cuda")
        for player in game.players:
            game._let_move(player)
            batch = Batch(game.data, game.batch_size, None, game.device)
            assert player.loss(batch).device == torch.device("cuda", 0)


def another_width(seed):
    return build(seed, width=4 + seed)


def with_batch_norm(seed):
    return nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)), build(seed)[1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sweep(seeds=()), "at least one seed and one rate"),
        (lambda: sweep(lr=[]), "at least one seed and one rate"),
        (lambda: sweep(lr=[1e-3, -1.0]), "learning rate"),
        (lambda: sweep(lr=[1e-3, 1e-4], optimizer=rmsprop), "several rates go with Adam"),
        (lambda: sweep(loss="gan"), "no loss named 'gan'"),
        (lambda: sweep(batch_size=0), "batch_size must be a positive whole number"),
        (lambda: sweep(latent=5), "do not fit together at latent=5"),
        (lambda: stacked.sweep(another_width, RING, seeds=(1, 2)), "differ by their weights alone"),
        (lambda: stacked.sweep(with_batch_norm, RING, seeds=(1, 2)), "BatchNorm1d.* cannot be stacked"),
        (lambda: stacked.Stacked([]), "at least one"),
        (lambda: stacked.Stacked([nn.Linear(2, 2)]), "nn.Sequential"),
        (lambda: sweep().alone(3), "numbered 0 to 2; there is no 3"),
        (lambda: sweep().pull(POINTS), "no `pull`"),
    ],
)
def test_bad_input_says_what_is_wrong(make, message):
    with pytest.raises(ValueError, match=message):
        make()

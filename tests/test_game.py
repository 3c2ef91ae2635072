"""The game: Algorithm 1 as an iterator, for every list of players, to the bit, on any device."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch._subclasses import FakeTensorMode

from gantools import data, losses, nets, penalties, vanishing
from gantools.game import Batch, Diverged, Game, Player, adam, gan

TESTS = Path(__file__).parent


def small_gan(**options):
    options = {"batch_size": 32, "device": "cpu", "seed": 3} | options
    return gan(nets.mlp([2, 16, 2], seed=0), nets.mlp([2, 16, 1], seed=1), data.ring(8), **options)


def rich_gan():
    """All that a checkpoint must carry: two steps, noise, a penalty, a running average, two rates."""
    return small_gan(steps=2, noise=0.1, penalty=penalties.r1(0.1), ema=0.99, lr=(2e-3, 1e-3))


def wgan(c: float = 0.05, device="cpu", make_optimizer=None):
    """WGAN's Algorithm 1: a critic of five RMSProp steps that clips its weights, then a generator of one."""
    make_optimizer = make_optimizer or (lambda p: torch.optim.RMSprop(p, lr=5e-3))
    generator, critic = nets.mlp([2, 2], seed=0), nets.mlp([2, 32, 32, 1], seed=1)
    target = data.mixture([[3.0, 0.0]], 0.5)
    loss = losses.wasserstein

    def critic_loss(batch):
        return loss.discriminator(critic(batch.real), critic(generator(batch.latent(2))))

    def generator_loss(batch):
        return loss.generator(critic(generator(batch.latent(2))))

    players = [
        Player("critic", critic, critic_loss, make_optimizer, steps=5, after=penalties.clip(c)),
        Player("generator", generator, generator_loss, make_optimizer),
    ]
    sample = lambda n, rng: generator(torch.randn(n, 2, generator=rng, device=rng.device))  # noqa: E731
    return Game(players, target, 64, device=device, sample=sample, score=critic)


def two_generators(device="cpu", make_optimizer=None):
    """Two generators: one discriminator pulls their mixture to the data, another pushes them apart."""
    make_optimizer = make_optimizer or adam(3e-3)
    first, second = nets.mlp([2, 32, 2], seed=0), nets.mlp([2, 32, 2], seed=1)
    pull, push = nets.mlp([2, 32, 32, 1], seed=2), nets.mlp([2, 32, 32, 1], seed=3)
    loss = losses.nonsaturating

    def pull_loss(batch):
        fake = torch.cat([first(batch.latent(2)), second(batch.latent(2))])
        return loss.discriminator(pull(batch.real), pull(fake))

    def push_loss(batch):
        return loss.discriminator(push(first(batch.latent(2))), push(second(batch.latent(2))))

    def first_loss(batch):
        fake = first(batch.latent(2))
        return loss.generator(pull(fake)) + 0.3 * loss.generator(push(fake))

    def second_loss(batch):
        fake = second(batch.latent(2))
        return loss.generator(pull(fake)) + 0.3 * loss.generator(-push(fake))

    players = [
        Player("pull", pull, pull_loss, make_optimizer),
        Player("push", push, push_loss, make_optimizer),
        Player("first", first, first_loss, make_optimizer),
        Player("second", second, second_loss, make_optimizer),
    ]
    game = Game(players, data.mixture([[-2.0, 0.0], [2.0, 0.0]], 0.3), 64, device=device)
    return game, first, second


def code_gan(device="cpu", make_optimizer=None):
    """A generator that owns Q as well; Q shares its body with the discriminator, which moves it too."""
    make_optimizer = make_optimizer or adam(1e-3)
    body = nets.mlp([2, 16, 16], output="relu", seed=0)
    head_d, head_q = nets.mlp([16, 1], seed=1), nets.mlp([16, 2], seed=2)
    generator = nets.mlp([4, 16, 2], seed=3)
    loss = losses.minimax

    def generate(batch):
        code = torch.randint(2, (batch.size,), generator=batch.rng, device=batch.device)
        one_hot = nn.functional.one_hot(code, 2).float()
        return generator(torch.cat([batch.latent(2), one_hot], dim=1)), code

    def discriminator_loss(batch):
        return loss.discriminator(head_d(body(batch.real)), head_d(body(generate(batch)[0])))

    def generator_loss(batch):
        fake, code = generate(batch)
        feature = body(fake)
        return loss.generator(head_d(feature)) + nn.functional.cross_entropy(head_q(feature), code)

    players = [
        Player("discriminator", [body, head_d], discriminator_loss, make_optimizer),
        Player("generator", [generator, head_q], generator_loss, make_optimizer),
    ]
    return Game(players, data.ring(2), 32, device=device), head_q


# one loop for every game ------------------------------------------------------------------------------


def test_wgan_with_clipping_plays_through_the_same_game():
    game = wgan()
    asked = []
    loss = game.player("critic").loss
    game.player("critic").loss = lambda batch: asked.append(batch.turn) or loss(batch)
    game.run(20)
    assert asked == [turn for turn in range(1, 21) for _ in range(5)]
    assert max(p.abs().max() for p in game.player("critic").parameters) <= 0.05
    before = (game.sample(500).mean(0) - torch.tensor([3.0, 0.0])).norm()
    game.run(580)
    after = (game.sample(500).mean(0) - torch.tensor([3.0, 0.0])).norm()
    assert after < 0.3 < before


def test_two_generators_share_the_data_between_them():
    game, first, second = two_generators()
    game.run(800)
    z = torch.randn(1000, 2, generator=torch.Generator().manual_seed(5))
    sides = sorted((net(z)[:, 0].detach() for net in (first, second)), key=lambda x: x.mean().item())
    assert (sides[0] < 0).float().mean() > 0.9 and (sides[1] > 0).float().mean() > 0.9
    assert sides[0].mean().item() == pytest.approx(-2, abs=0.7)
    assert sides[1].mean().item() == pytest.approx(2, abs=0.7)


def test_a_generator_may_own_q():
    game, head_q = code_gan()
    before = [p.clone() for p in head_q.parameters()]
    last = game.run(3)
    assert set(last.losses) == {"discriminator", "generator"}
    assert all((p != q).any() for p, q in zip(before, head_q.parameters(), strict=True))
    shared = {id(p) for player in game.players for p in player.parameters}
    assert len(shared) == sum(len(player.parameters) for player in game.players)


def test_many_sources_come_through_the_batch():
    seen = {}

    def loss(batch):
        seen["same"] = batch.draw("other")[0] is batch.draw("other")[0]
        seen["means"] = batch.real.mean().item(), batch.draw("other")[0].mean().item()
        return net(batch.real).mean() ** 2

    net = nets.mlp([1, 1])
    Game([Player("p", net, loss, adam(1e-3))], {"real": data.normal(0, 1), "other": data.normal(50, 1)}, 64).run(1)
    assert seen["same"] and abs(seen["means"][0]) < 1 and abs(seen["means"][1] - 50) < 1


# a turn -----------------------------------------------------------------------------------------------


def test_opponents_are_frozen_and_nobody_detaches():
    game = small_gan()
    seen = []

    def spy(player):
        others = [p for other in game.players if other is not player for p in other.parameters]
        seen.append(all(not p.requires_grad and p.grad is None for p in others))
        for p in player.parameters:
            p.grad = None

    for player in game.players:
        player.after = spy
    game.run(2)
    assert seen == [True] * 4


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_turn_is_the_turn_that_everybody_writes(noise):
    """Against two backward passes by hand: BCELoss on a sigmoid, detached samples, torch's default Adam."""
    game, bce = small_gan(loss="nonsaturating", lr=1e-2, noise=noise), nn.BCELoss()
    generator, discriminator = nets.mlp([2, 16, 2], seed=0), nets.mlp([2, 16, 1], seed=1)
    source, rng = data.ring(8), torch.Generator().manual_seed(3)
    adams = [torch.optim.Adam(net.parameters(), 1e-2, betas=(0.5, 0.9)) for net in (discriminator, generator)]
    ones, zeros = torch.ones(32, 1), torch.zeros(32, 1)

    def normal():
        return torch.randn(32, 2, generator=rng)

    def noised(x):
        return x + noise * normal() if noise else x

    for _ in range(5):
        real = noised(source.sample(32, rng))
        fake = noised(generator(normal())).detach()
        adams[0].zero_grad()
        (bce(discriminator(real).sigmoid(), ones) + bce(discriminator(fake).sigmoid(), zeros)).backward()
        adams[0].step()
        adams[1].zero_grad()
        bce(discriminator(noised(generator(normal()))).sigmoid(), ones).backward()
        adams[1].step()
    game.run(5)
    for mine, theirs in ((game.rules.generator, generator), (game.rules.discriminator, discriminator)):
        for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
            assert torch.allclose(p, q, atol=2e-5)


def late_gan(since=3):
    """The generator joins after `since` turns."""
    game = rich_gan()
    game.player("generator").since = since
    return game


def test_a_player_that_joins_later_stands_still_until_then():
    game = late_gan()
    generator = game.player("generator")
    kept = [p.clone() for p in generator.parameters]
    assert [set(turn.losses) for turn in game.turns(3)] == [{"discriminator"}] * 3
    assert all(torch.equal(p, q) for p, q in zip(kept, generator.parameters, strict=True))
    assert set(game.run(1).losses) == {"discriminator", "generator"}
    assert all((p != q).any() for p, q in zip(kept, generator.parameters, strict=True))
    assert generator.optimizer.state[generator.parameters[0]]["step"] == 1


@pytest.mark.parametrize("cut", [1, 3, 4])
def test_a_checkpoint_from_before_or_after_a_player_joins_resumes_to_the_bit(tmp_path, cut):
    whole, half, resumed = late_gan(), late_gan(), late_gan()
    whole.run(cut + 4), half.run(cut)
    half.save(tmp_path / "half.safetensors")
    resumed.load(tmp_path / "half.safetensors")
    resumed.run(4)
    assert same_bits(whole.state(), resumed.state())


@pytest.mark.parametrize("since", [-1, 2.5])
def test_a_player_joins_after_a_whole_number_of_turns(since):
    with pytest.raises(ValueError, match="joins after a whole number of turns"):
        Player("late", nets.mlp([2, 2]), lambda batch: batch, adam(1e-3), since=since)


def test_each_player_moves_only_its_own_nets():
    game = small_gan()
    discriminator, generator = game.players
    game.players = [discriminator]
    kept = [p.clone() for p in generator.parameters]
    game.run(3)
    assert all(torch.equal(p, q) for p, q in zip(kept, generator.parameters, strict=True))


def test_noise_is_drawn_when_asked_for_and_data_once():
    batch = Batch(data.ring(8), 16, torch.Generator().manual_seed(0), torch.device("cpu"))
    assert batch.real is batch.real and batch.labels.shape == (16,)
    assert not torch.equal(batch.latent(3), batch.latent(3))


def test_the_running_average_is_the_textbook_recursion():
    game = small_gan(ema=0.5)
    generator = game.player("generator")
    expected = None
    for _ in game.turns(4):
        now = [p.detach().clone() for p in generator.parameters]
        expected = now if expected is None else [0.5 * a + 0.5 * p for a, p in zip(expected, now, strict=True)]
    averaged = list(generator.average.module.parameters())
    assert all(torch.allclose(a, b) for a, b in zip(averaged, expected, strict=True))
    z = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(game.sample(7), generator.average(z))


def test_joint_and_separate_passes_score_the_same():
    game = small_gan()
    real, fake = torch.randn(9, 2), torch.randn(9, 2)
    joint = game.rules.scores(real, fake)
    game.rules.couples = True
    for one, other in zip(joint, game.rules.scores(real, fake), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    normed = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    assert gan(nets.mlp([2, 2]), normed, data.ring(8), device="cpu").rules.couples


def test_pull_is_minus_the_gradient_of_the_generators_loss():
    game = small_gan(loss="least_squares")
    x, h = torch.randn(6, 2, dtype=torch.float64), 1e-5
    game.rules.discriminator.double()

    def loss(points):
        return 0.5 * (game.score(points) - 1).square()

    for axis in range(2):
        step = torch.zeros(2, dtype=torch.float64)
        step[axis] = h
        slope = (loss(x + step) - loss(x - step)) / (2 * h)
        assert torch.allclose(game.pull(x)[:, axis], -slope, atol=1e-8)


def test_looking_does_not_change_the_game():
    one, other = rich_gan(), rich_gan()
    for game, look in ((one, True), (other, False)):
        for _ in game.turns(5):
            if look:
                points = game.sample(10, seed=4)
                game.score(points), game.pull(points), game.real(10), torch.randn(3)
    assert same_bits(one.state(), other.state())


# to the bit -------------------------------------------------------------------------------------------


def same_bits(one: dict, other: dict) -> bool:
    return (
        json.dumps(one["about"], sort_keys=True) == json.dumps(other["about"], sort_keys=True)
        and one["tensors"].keys() == other["tensors"].keys()
        and all(torch.equal(t, other["tensors"][k]) for k, t in one["tensors"].items())
    )


def test_a_seed_means_the_same_bits():
    one, other = rich_gan(), rich_gan()
    one.run(5), torch.manual_seed(99), other.run(5)
    assert same_bits(one.state(), other.state())
    other.run(1)
    assert not same_bits(one.state(), other.state())


SECOND_HALF = """
import sys
sys.path.insert(0, sys.argv[1])
from test_game import rich_gan
game = rich_gan()
game.load(sys.argv[2])
game.run(100)
game.save(sys.argv[3])
"""


def test_a_checkpoint_resumes_to_the_bit_in_a_new_process(tmp_path):
    whole, half = rich_gan(), rich_gan()
    whole.run(200), half.run(100)
    half.save(tmp_path / "half.safetensors")
    command = [sys.executable, "-c", SECOND_HALF, str(TESTS), tmp_path / "half.safetensors", tmp_path / "end.safetensors"]
    subprocess.run(command, check=True)
    resumed = rich_gan()
    resumed.load(tmp_path / "end.safetensors")
    assert resumed.number == 200
    assert same_bits(whole.state(), resumed.state())


def test_rules_rates_and_steps_travel_with_a_checkpoint(tmp_path):
    game = small_gan()
    game.rules.loss, game.rules.noise = "hinge", 0.25
    game.players[0].lr, game.players[0].steps = 5e-4, 3
    game.save(tmp_path / "game.safetensors")
    other = small_gan()
    other.load(tmp_path / "game.safetensors")
    assert (other.rules.loss, other.rules.noise, other.players[0].lr, other.players[0].steps) == ("hinge", 0.25, 5e-4, 3)


def test_restore_goes_back_in_memory():
    game = rich_gan()
    game.run(3)
    kept = game.state()
    one = game.run(4).losses["generator"]
    game.restore(kept)
    assert game.number == 3 and torch.equal(game.run(4).losses["generator"], one)


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-40])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def rewrite(old, new):
    def harm(path):
        content = path.read_bytes()
        assert content.count(old) == 1 and len(old) == len(new)
        path.write_bytes(content.replace(old, new))

    return harm


def replace_by_text(path):
    path.write_text("not a checkpoint")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (cut_short, "damaged"),
        (flip_a_bit, "digest"),
        (rewrite(b'number\\": 2', b'number\\": 7'), "digest"),
        (rewrite(b'version\\": 1', b'version\\": 9'), "version 9"),
        (rewrite(b"checkpoint", b"recollects"), "not a checkpoint"),
        (replace_by_text, "damaged"),
    ],
)
def test_a_harmed_checkpoint_is_refused_and_nothing_is_lost(tmp_path, harm, message):
    game, path = rich_gan(), tmp_path / "game.safetensors"
    game.run(2)
    game.save(path)
    harm(path)
    before, content = game.state(), path.read_bytes()
    with pytest.raises(ValueError, match=message):
        game.load(path)
    assert same_bits(before, game.state()) and path.read_bytes() == content


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: small_gan(ema=0.99), "average"),
        (lambda: wgan(), "of a game of discriminator, generator"),
        (lambda: gan(nets.mlp([2, 9, 2]), nets.mlp([2, 16, 1]), data.ring(8), device="cpu"), "does not fit"),
    ],
)
def test_a_checkpoint_of_another_game_is_refused(tmp_path, other, message):
    path, game = tmp_path / "game.safetensors", other()
    small_gan().save(path)
    before = game.state()
    with pytest.raises(ValueError, match=message):
        game.load(path)
    assert same_bits(before, game.state())


def test_an_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch):
    game, path = small_gan(), tmp_path / "game.safetensors"
    game.save(path)
    content = path.read_bytes()
    game.run(1)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        game.save(path)
    assert path.read_bytes() == content and [p.name for p in tmp_path.iterdir()] == ["game.safetensors"]


# bad input and divergence -----------------------------------------------------------------------------


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_names_turn_and_player(value):
    game = small_gan()
    game.run(4)
    kept = [p.clone() for p in game.players[1].parameters]
    generator = game.player("generator")
    sound = generator.loss
    generator.loss = lambda batch: sound(batch) * value
    with pytest.raises(Diverged, match=r"turn 5: the generator's loss is (nan|-?inf)"):
        game.run(3)
    assert all(torch.equal(p, q) for p, q in zip(kept, generator.parameters, strict=True))


def test_on_an_accelerator_the_look_is_deferred_but_the_turn_is_right():
    game = small_gan()
    game.lag = 64
    sound = game.player("discriminator").loss
    game.player("discriminator").loss = lambda batch: sound(batch) * (math.nan if batch.turn == 7 else 1)
    for _ in game.turns(20):
        pass  # nobody has looked yet
    with pytest.raises(Diverged, match="turn 7: the discriminator's loss is nan"):
        game.state()


@pytest.mark.parametrize("n", [0, -3, 2.0, None])
def test_turns_must_be_positive(n):
    with pytest.raises(ValueError, match="positive whole number"):
        small_gan().turns(n)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1e-3}, "learning rate"),
        ({"lr": (1e-3, math.nan)}, "learning rate"),
        ({"loss": "bce"}, "no loss named 'bce'"),
        ({"noise": -0.1}, "noise"),
        ({"steps": 0}, "at least one step"),
        ({"batch_size": 0}, "batch_size"),
        ({"ema": 1.0}, "ema"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small_gan(**options)


def test_other_bad_input_is_refused(tmp_path):
    game = small_gan()
    with pytest.raises(ValueError, match="learning rate"):
        game.players[0].lr = -1
    with pytest.raises(ValueError, match="no player is named 'critic'"):
        game.player("critic")
    with pytest.raises(ValueError, match="different names"):
        Game([], data.ring(8), 4)
    with pytest.raises(ValueError, match="owns no parameters"):
        Player("idle", nn.ReLU(), lambda b: b, adam(1e-3))
    with pytest.raises(ValueError, match="Game\\(sample="):
        two_generators()[0].sample(3)
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        game.load(tmp_path / "none.safetensors")
    with pytest.raises(ValueError, match="there is no folder"):
        game.save(tmp_path / "missing" / "game.safetensors")


@pytest.mark.parametrize(
    ("generator", "discriminator", "options", "message"),
    [
        ([2, 3], [3, 1], {}, r"makes examples of shape \(3,\), the data have \(2,\)"),
        ([2, 2], [3, 1], {}, "do not fit together"),
        ([5, 2], [2, 1], {}, "latent=2"),
        ([2, 2], [2, 4], {}, "one score"),
    ],
)
def test_wrong_shapes_are_refused_before_the_first_turn(generator, discriminator, options, message):
    with pytest.raises(ValueError, match=message):
        gan(nets.mlp(generator), nets.mlp(discriminator), data.ring(8), device="cpu", **options)


# devices ----------------------------------------------------------------------------------------------

GAMES = {
    **{f"gan, {name}": lambda name=name: small_gan(loss=name, device="cuda") for name in losses.NAMES},
    "gan with instance noise": lambda: small_gan(noise=0.1, device="cuda"),
    "gan on a line": lambda: gan(nets.mlp([2, 2]), nets.mlp([2, 1]), data.lines(1.0, 0.1), device="cuda"),
    "gan on digits": lambda: gan(
        nets.mlp([2, 64], output="tanh", shape=(1, 8, 8)), nets.mlp([64, 1]), data.load("digits"), device="cuda"
    ),
    "frozen generator": lambda: vanishing.frozen_generator_game(
        nets.mlp([2, 2]), nets.mlp([2, 1]), data.ring(8), noise=0.1, device="cuda"
    ),
    "lines that learn": lambda: gan(
        vanishing.LineGenerator(1.0, 0.1), nets.mlp([2, 1]), data.lines(0.0, 0.1), latent=3, device="cuda"
    ),
    "wgan": lambda: wgan(device="cuda"),
    "two generators": lambda: two_generators(device="cuda")[0],
    "generator with a code": lambda: code_gan(device="cuda")[0],
}


@pytest.mark.parametrize("name", GAMES)
def test_every_loss_evaluates_on_cuda(name):
    """Under fake tensors: a tensor left on the CPU would raise."""
    with FakeTensorMode(allow_non_fake_inputs=True), torch.device("cuda"):
        game = GAMES[name]()
        for player in game.players:
            game._let_move(player)
            batch = Batch(game.data, game.batch_size, None, game.device)
            assert player.loss(batch).device == torch.device("cuda", 0)


def test_a_tensor_left_on_the_cpu_would_be_noticed():
    with FakeTensorMode(allow_non_fake_inputs=True), torch.device("cuda"):
        game = small_gan(device="cuda")
        batch = Batch(data.ring(8).to("cpu"), 8, None, torch.device("cpu"))
        with pytest.raises(RuntimeError, match="device"):
            game.players[0].loss(batch)


@pytest.mark.parametrize("build", [wgan, lambda **k: two_generators(**k)[0], lambda **k: code_gan(**k)[0]])
def test_a_turn_never_waits_for_the_device(build):
    """On the meta device, where reading a number is impossible."""
    with torch.device("meta"):
        game = build(device="meta", make_optimizer=lambda p: torch.optim.SGD(p, lr=0.1))
    game.rng = None
    for _ in game.turns(3):
        pass
    assert len(game._waiting) == 3 * sum(player.steps for player in game.players)

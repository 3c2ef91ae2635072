"""P2GAN between networks: losses against sums by hand, layers that are shared, generators that join a running game."""

import importlib
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from test_game import same_bits
from torch import nn
from torch._subclasses import FakeTensorMode
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from gantools import data, nets, p2gan
from gantools.game import Batch, Diverged, gan
from gantools.p2gan import Force

TESTS = Path(__file__).parent
LAW = data.ring(8, radius=2.0, sd=0.1)


def small(forces, since=0, law=LAW, **options):
    options = {"batch_size": 16, "device": "cpu", "seed": 3} | options
    generator, discriminator = nets.mlp([3, 8, 8, 2], seed=1), nets.mlp([2, 8, 1], seed=2)
    return p2gan.game(generator, discriminator, law, forces, since=since, **options)


def clouds(game, batch, k):
    """The first k generators' points for latents drawn from the batch, one generator at a time, (k, b, 2)."""
    z, nets_ = batch.latent(3), game.rules.generators
    return [nets_.trunk(first(z)) for first in nets_.firsts[:k]]


def batch_of(game, turn, seed=9):
    return Batch(game.data, game.batch_size, torch.Generator().manual_seed(seed), game.device, turn)


def score(net, head, x):
    return net.trunk(x) @ net.heads.weight[head] + net.heads.bias[head]


def cross_entropy(scores, real):
    return bce(scores, torch.full_like(scores, float(real)))


# forces ------------------------------------------------------------------------------------------------


def test_the_ready_made_forces_are_the_papers():
    assert p2gan.literal(1) == [("real", 0, 1.0)] and p2gan.pooled(1) == [("real", "pool", 1.0)]
    forces = p2gan.literal(4)
    assert [f.target for f in forces if f.source == "real"] == [0, 1, 2, 3]
    pushes = [f for f in forces if f.weight < 0]
    assert {(f.source, f.target) for f in pushes} == {(i, j) for j in range(4) for i in range(j)}
    for forces in (p2gan.literal(4, each_other=True), p2gan.pooled(4, each_other=True)):
        on = [[f.weight for f in forces if f.weight < 0 and f.target == j] for j in range(4)]
        assert all(len(weights) == 3 and sum(weights) == pytest.approx(-1) for weights in on)
    assert [sum(f.weight for f in pushes if f.target == j) for j in range(4)] == pytest.approx([0, -1, -1, -1])


# shared layers -----------------------------------------------------------------------------------------


def test_generators_share_all_but_the_first_layer():
    one = nets.mlp([3, 8, 8, 2], seed=1)
    many = p2gan.Generators(one, 3)
    assert many.trunk[1] is one[3] and many.firsts[0] is one[1]  # the same tensors, not equal ones
    firsts = [first.weight for first in many.firsts]
    assert all((a != b).any() for a, b in zip(firsts, firsts[1:], strict=False))
    z = torch.randn(5, 3)
    together = many(z).unflatten(0, (3, 5))
    for j in range(3):
        assert torch.allclose(together[j], nn.Sequential(many.firsts[j], many.trunk)(z), atol=1e-6)
    assert torch.allclose(many(z, 2), together[:2].flatten(0, 1), atol=1e-6)
    assert len(list(many.parameters())) == 2 * (3 + 2)


def test_discriminators_of_one_type_share_all_but_the_last_layer():
    game = small(p2gan.literal(3), alpha=0.1)
    for net, heads in ((game.rules.pulls, 3), (game.rules.pushes, 3)):
        assert net.heads.weight.shape == (heads, 8) and len(list(net.parameters())) == 2 + 2
        x = torch.randn(4, 2)
        assert torch.allclose(net(x), torch.stack([score(net, h, x) for h in range(heads)], 1), atol=1e-6)
    pulls, pushes = ({id(p) for p in net.parameters()} for net in (game.rules.pulls, game.rules.pushes))
    assert not pulls & pushes
    one = nets.mlp([2, 8, 1], seed=2)
    assert torch.equal(game.rules.pulls.heads.weight[0], one[3].weight[0])
    before = [p.clone() for p in game.rules.pulls.trunk.parameters()]
    game.run(1)
    owned = {id(p) for p in game.player("discriminators").parameters}
    assert owned == pulls | pushes
    assert all((p != q).any() for p, q in zip(before, game.rules.pulls.trunk.parameters(), strict=True))


def test_copies_are_drawn_under_the_seed_and_leave_the_global_state_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, other, third = small(p2gan.literal(3)), small(p2gan.literal(3)), small(p2gan.literal(3), seed=4)
    assert torch.equal(before, torch.get_rng_state())
    assert same_bits(one.state(), other.state()) and not same_bits(one.state(), third.state())


def test_he_has_the_variance_of_he():
    layer = nn.Linear(400, 300)
    p2gan.he(layer)
    assert layer.weight.var().item() == pytest.approx(2 / 400, rel=0.05) and not layer.bias.any()


# losses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "push"), [("minimax", "same"), ("nonsaturating", "same"), ("nonsaturating", "minimax")])
def test_the_literal_losses_are_the_sums_by_hand(loss, push):
    game = small(p2gan.literal(3), since=10, alpha=0.3, loss=loss, push=push)
    rules, turn = game.rules, 25  # all three play
    found = rules.discriminator_loss(batch_of(game, turn))
    batch = batch_of(game, turn)
    fake, real = clouds(game, batch, 3), batch.real
    by_hand = [
        cross_entropy(score(rules.pulls, j, real), 1) + cross_entropy(score(rules.pulls, j, fake[j]), 0) for j in range(3)
    ] + [
        cross_entropy(score(rules.pushes, h, fake[i]), 1) + cross_entropy(score(rules.pushes, h, fake[j]), 0)
        for h, (i, j) in enumerate([(0, 1), (0, 2), (1, 2)])
    ]
    assert found.item() == pytest.approx(sum(by_hand).item() / 6, abs=1e-6)

    # what the generator minimises is E log(1 - D), or -E log D; a push is minus alpha_i times the same
    terms = {"minimax": lambda s: -cross_entropy(s, 0), "nonsaturating": lambda s: cross_entropy(s, 1)}
    pull, against = terms[loss], terms[loss if push == "same" else push]
    found = rules.generator_loss(batch_of(game, turn))
    fake = clouds(game, batch_of(game, turn), 3)
    alone = [
        pull(score(rules.pulls, 0, fake[0])),
        pull(score(rules.pulls, 1, fake[1])) - 0.3 * against(score(rules.pushes, 0, fake[1])),
        pull(score(rules.pulls, 2, fake[2]))
        - 0.15 * against(score(rules.pushes, 1, fake[2])) - 0.15 * against(score(rules.pushes, 2, fake[2])),
    ]  # fmt: skip
    assert found.item() == pytest.approx(sum(alone).item() / 3, abs=1e-6)
    for j, by_hand in enumerate(alone):
        assert rules.generator_loss(batch_of(game, turn), who=j).item() == pytest.approx(by_hand.item(), abs=1e-6)


def test_the_pool_is_one_cloud_for_its_discriminator_and_pulls_every_generator():
    game = small(p2gan.pooled(3), alpha=0.5)
    rules = game.rules
    batch = batch_of(game, 1)
    pool, real = torch.cat(clouds(game, batch, 3)), batch.real
    rules.alpha = 0.0
    by_hand = cross_entropy(score(rules.pulls, 0, real), 1) + cross_entropy(score(rules.pulls, 0, pool), 0)
    assert rules.discriminator_loss(batch_of(game, 1)).item() == pytest.approx(by_hand.item(), abs=1e-6)
    pool = torch.cat(clouds(game, batch_of(game, 1), 3))
    assert rules.generator_loss(batch_of(game, 1)).item() == pytest.approx(
        -cross_entropy(score(rules.pulls, 0, pool), 0).item(), abs=1e-6
    )


def test_other_sources_pull_and_push():
    forces = [Force("real", 0, 1.0), Force("real", 1, 1.0), Force("aux", 1, 0.2), Force("aux", 0, -0.1), Force(1, 0, -0.3)]
    game = small(forces, law={"real": LAW, "aux": data.normal([5.0, 5.0], 1.0)})
    rules = game.rules
    found = rules.discriminator_loss(batch_of(game, 1))
    batch = batch_of(game, 1)
    fake = clouds(game, batch, 2)
    # the order in which the sources are drawn is that of their names
    aux, real = batch.draw("aux")[0], batch.real
    pairs = [
        (rules.pulls, 0, real, fake[0]), (rules.pulls, 1, real, fake[1]), (rules.pulls, 2, aux, fake[1]),
        (rules.pushes, 0, aux, fake[0]), (rules.pushes, 1, fake[1], fake[0]),
    ]  # fmt: skip
    by_hand = [cross_entropy(score(n, h, a), 1) + cross_entropy(score(n, h, b), 0) for n, h, a, b in pairs]
    assert found.item() == pytest.approx(sum(by_hand).item() / 5, abs=1e-6)
    fake = clouds(game, batch_of(game, 1), 2)
    log = lambda net, head, x: -cross_entropy(score(net, head, x), 0)
    first = log(rules.pulls, 0, fake[0]) - 0.1 * log(rules.pushes, 0, fake[0]) - 0.3 * log(rules.pushes, 1, fake[0])
    second = log(rules.pulls, 1, fake[1]) + 0.2 * log(rules.pulls, 2, fake[1])
    assert rules.generator_loss(batch_of(game, 1)).item() == pytest.approx((first + second).item() / 2, abs=1e-6)


def test_gradients_are_those_of_the_separate_networks():
    game = small(p2gan.literal(3), alpha=0.3)
    rules = game.rules
    for player in game.players:
        game._let_move(player)
        player.loss(batch_of(game, 1)).backward()
    found = {id(p): p.grad.clone() for player in game.players for p in player.parameters}
    for player in game.players:
        for p in player.parameters:
            p.requires_grad_(True)
            p.grad = None
    fake = clouds(game, batch_of(game, 1), 3)
    log = lambda net, head, x: -cross_entropy(score(net, head, x), 0)
    total = sum(log(rules.pulls, j, fake[j]) for j in range(3)) - 0.3 * log(rules.pushes, 0, fake[1])
    total = total - 0.15 * (log(rules.pushes, 1, fake[2]) + log(rules.pushes, 2, fake[2]))
    grads = torch.autograd.grad(total / 3, list(rules.generators.parameters()))
    for p, grad in zip(rules.generators.parameters(), grads, strict=True):
        assert torch.allclose(found[id(p)], grad, atol=1e-7)


def test_one_generator_is_the_plain_gan():
    mine = small(p2gan.literal(1), lr=1e-2, loss="nonsaturating")
    plain = gan(
        nets.mlp([3, 8, 8, 2], seed=1), nets.mlp([2, 8, 1], seed=2), LAW, "nonsaturating", latent=3, batch_size=16,
        lr=1e-2, seed=3, device="cpu",
    )  # fmt: skip
    # the same draws, in another order: data first there, latents first here
    swap = plain.rules.discriminator_loss

    def latents_first(batch):
        z = batch.latent(3)
        batch.latent = lambda dim: z
        return swap(batch)

    plain.players[0].loss = latents_first
    mine.run(5), plain.run(5)
    assert torch.allclose(mine.sample(50), plain.sample(50), atol=1e-5)
    x = torch.randn(9, 2)
    assert torch.allclose(mine.score(x), plain.score(x), atol=1e-4)
    assert torch.allclose(mine.pull(x), plain.pull(x), atol=1e-4)


def test_nonsaturating_pushes_fall_without_end_and_minimax_ones_do_not():
    scores = torch.tensor([-10.0, -100.0, -1000.0])  # of a generator ever surer to be far from the source
    from gantools import losses

    fled = [-losses.nonsaturating.generator(s).item() for s in scores]
    calm = [-losses.minimax.generator(s).item() for s in scores]
    assert fled == pytest.approx([-10, -100, -1000], rel=1e-4) and max(calm) < 1e-4 and min(calm) >= 0


@pytest.mark.parametrize(("loss", "push"), [("minimax", "same"), ("nonsaturating", "same"), ("nonsaturating", "minimax")])
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_push_points_away_from_its_source_and_a_pull_to_it(loss, push, side):
    sources = {"real": data.normal([0.0, 2.0], 1.0), "aux": data.normal([2 * side, 0.0], 1.0)}
    game = small([("real", 0, 1.0), ("aux", 0, -1.0)], law=sources, loss=loss, push=push, alpha=0.5, lr=1e-2)
    game.players = game.players[:1]  # the discriminators learn, the generator stands still
    game.run(150)
    x = game.sample(200)
    both = game.pull(x)
    game.rules.alpha = 0.0
    alone = game.pull(x)
    assert alone[:, 1].mean() > 0.1 and (both - alone)[:, 0].mean() * side < -0.05


# joining -----------------------------------------------------------------------------------------------


def test_a_generator_that_has_not_joined_stands_still_and_then_starts_afresh():
    game = small(p2gan.literal(3), since=4, alpha=0.1)
    first, second = game.rules.generators.firsts[:2]
    stood = second.weight.clone()
    moments = lambda layer: game.player("generators").optimizer.state[layer.weight]
    game.run(4)
    assert torch.equal(second.weight, stood) and not moments(second) and moments(first)["step"] == 4
    assert second.weight.grad is None
    game.run(1)
    assert not torch.equal(second.weight, stood) and moments(second)["step"] == 1 and moments(first)["step"] == 5
    heads = game.rules.pushes.heads.weight.clone()
    game.run(1)  # turn 6
    moved = (game.rules.pushes.heads.weight != heads).any(1)
    assert moved.tolist() == [True, False, False]  # the second and third push act on the third generator


@pytest.mark.parametrize(("number", "there"), [(0, 1), (3, 1), (4, 2), (7, 2), (8, 3), (100, 3)])
def test_samples_come_from_those_that_have_joined_row_by_row(number, there):
    game = small(p2gan.pooled(3), since=4)
    game.number = number
    x = game.sample(10)
    z = torch.randn(math.ceil(10 / there), 3, generator=torch.Generator().manual_seed(0))
    for i in range(10):
        one = nn.Sequential(game.rules.generators.firsts[i % there], game.rules.generators.trunk)
        assert torch.allclose(x[i], one(z[i // there]), atol=1e-6)


def test_the_pull_of_a_row_is_that_of_its_generator():
    game = small(p2gan.literal(3), since=4, alpha=0.4)
    game.run(9)
    rules, x, h = game.rules, game.sample(7), 1e-6
    found = game.pull(x)

    def loss(i, point):
        j, log = i % 3, lambda net, head: -cross_entropy(score(net, head, point[None]).double(), 0)
        heads = {0: [], 1: [0], 2: [1, 2]}[j]
        return log(rules.pulls, j) - sum(0.4 / len(heads) * log(rules.pushes, head) for head in heads)

    for module in (rules.pulls, rules.pushes):
        module.double()
    x = x.double()
    for i in range(7):
        slope = [(loss(i, x[i] + h * e) - loss(i, x[i] - h * e)) / (2 * h) for e in torch.eye(2, dtype=torch.float64)]
        assert torch.allclose(found[i].double(), -torch.stack(slope).flatten(), atol=1e-4)


SECOND_HALF = """
import sys
sys.path.insert(0, sys.argv[1])
from test_p2gan_games import growing
game = growing(sys.argv[4] == "True")
game.load(sys.argv[2])
game.run(9)
game.save(sys.argv[3])
"""


def growing(together):
    """Three generators, the third joining at turn 10, in the second half."""
    return small(p2gan.literal(3), since=(0, 4, 10), alpha=0.2, together=together)


@pytest.mark.parametrize("together", [True, False])
def test_a_game_resumes_to_the_bit_in_the_middle_of_adding_generators(tmp_path, together):
    """In a new process, where the second generator has joined and the third has not."""
    whole, half = growing(together), growing(together)
    whole.run(16), half.run(7)
    half.save(tmp_path / "half.safetensors")
    command = [sys.executable, "-c", SECOND_HALF, str(TESTS), tmp_path / "half.safetensors", tmp_path / "end.safetensors"]
    subprocess.run([*command, str(together)], check=True)
    resumed = growing(together)
    resumed.load(tmp_path / "end.safetensors")
    assert resumed.number == 16 and same_bits(whole.state(), resumed.state())


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("cut", [1, 4, 5, 10, 11])
def test_and_on_the_very_turn_at_which_one_joins(together, cut):
    whole, half, resumed = growing(together), growing(together), growing(together)
    whole.run(13), half.run(cut)
    resumed.restore(half.state())
    resumed.run(13 - cut)
    assert same_bits(whole.state(), resumed.state())


def test_one_player_for_each_generator_moves_them_one_after_another():
    game = growing(together=False)
    assert [p.name for p in game.players] == ["discriminators", "generator 1", "generator 2", "generator 3"]
    assert set(game.run(4).losses) == {"discriminators", "generator 1"}
    assert set(game.run(6).losses) == {"discriminators", "generator 1", "generator 2"}
    assert set(game.run(1).losses) == {p.name for p in game.players}
    third = game.player("generator 3")
    assert third.optimizer.state[third.parameters[0]]["step"] == 1
    shared = game.rules.generators.trunk[1].weight
    assert all(any(p is shared for p in player.parameters) for player in game.players[1:])


def test_alpha_and_losses_change_while_the_game_runs_and_travel_with_it():
    game, other = small(p2gan.literal(2), alpha=0.2), small(p2gan.literal(2), alpha=0.2)
    heads = game.rules.pushes.heads
    game.rules.alpha, game.rules.loss = 0.0, "nonsaturating"
    kept = [p.clone() for p in heads.parameters()]
    game.run(2)
    assert all(torch.equal(p, q) for p, q in zip(kept, heads.parameters(), strict=True))  # nothing pushes
    other.restore(game.state())
    assert other.rules.alpha == 0.0 and other.rules.loss == "nonsaturating"
    game.rules.alpha = 0.3
    game.run(1)
    assert any(not torch.equal(p, q) for p, q in zip(kept, heads.parameters(), strict=True))


# devices and bad input ---------------------------------------------------------------------------------

GAMES = {
    "literal": lambda **o: small(p2gan.literal(3), since=1, alpha=0.1, **o),
    "pool": lambda **o: small(p2gan.pooled(3), since=1, alpha=0.1, **o),
    "one by one": lambda **o: small(p2gan.pooled(3), since=1, alpha=0.1, together=False, **o),
    "aux": lambda **o: small(
        [Force("real", 0, 1.0), Force("aux", 0, -0.1)], law={"real": LAW, "aux": data.normal([5.0, 5.0], 1.0)}, **o
    ),
}


@pytest.mark.parametrize("turn", [1, 5])
@pytest.mark.parametrize("name", GAMES)
def test_every_loss_evaluates_on_cuda(name, turn):
    """Under fake tensors: a tensor left on the CPU would raise."""
    with FakeTensorMode(allow_non_fake_inputs=True), torch.device("cuda"):
        game = GAMES[name](device="cuda")
        for player in game.players:
            game._let_move(player)
            batch = Batch(game.data, game.batch_size, None, game.device, max(turn, player.since + 1))
            assert player.loss(batch).device == torch.device("cuda", 0)


@pytest.mark.parametrize("name", GAMES)
def test_a_turn_never_waits_for_the_device(name):
    """On the meta device, where reading a number is impossible."""
    with torch.device("meta"):
        game = GAMES[name](device="meta", optimizer=lambda rate: lambda p: torch.optim.SGD(p, lr=rate))
    game.rng = None
    for _ in game.turns(4):
        pass


def test_a_loss_that_is_not_finite_stops_the_game():
    game = small(p2gan.pooled(2), alpha=0.1)
    game.run(2)
    with torch.no_grad():
        game.rules.pushes.heads.bias.fill_(math.nan)
    with pytest.raises(Diverged, match="turn 3: the discriminators' loss is nan"):
        game.run(1)


@pytest.mark.parametrize(
    ("forces", "options", "message"),
    [
        (p2gan.literal(2), {"alpha": -0.1}, "alpha must be at least 0"),
        (p2gan.literal(2), {"alpha": math.inf}, "alpha must be at least 0"),
        (p2gan.literal(3), {"since": (0, 5)}, "acts on 2"),
        (p2gan.literal(2), {"since": (5, 0)}, "begin with 0"),
        (p2gan.literal(2), {"since": (0, 2.5)}, "begin with 0"),
        ([("real", 0, 1.0), ("aux", 0, -0.1)], {}, "comes from 'aux', which is not there"),
        ([("real", 0, 1.0), (3, 0, -0.1)], {"since": (0, 1)}, "comes from 3, which is not there"),
        ([("real", 0, 1.0), ("real", -1, 1.0)], {}, "acts on -1"),
        ([("real", 0, 1.0), (0, 0, -0.1)], {}, "act on itself"),
        ([("real", "pool", 1.0), (0, "pool", -0.1)], {}, "act on itself"),
        ([("real", 0, math.nan)], {}, "finite weight"),
        ([("real", 0, 1.0), (0, 1, -0.1)], {}, "pulls generator 1"),
        ([("real", 0, -1.0)], {}, "pulls generator 0"),
        (p2gan.literal(2), {"loss": "bce"}, "no loss named 'bce'"),
        (p2gan.literal(2), {"push": "bce"}, "no loss named 'bce'"),
        (p2gan.literal(2), {"lr": -1.0}, "learning rate"),
        (p2gan.literal(1), {"law": {"real": LAW, "aux": data.normal(0, 1)}}, "one shape"),
        (p2gan.literal(1), {"law": data.normal(0, 1)}, r"makes examples of shape \(2,\)"),
    ],
)
def test_bad_input_is_refused(forces, options, message):
    with pytest.raises(ValueError, match=message):
        small(forces, **options)


@pytest.mark.parametrize("k", [0, -1, 1.5, True])
def test_there_must_be_a_generator(k):
    for make in (p2gan.literal, p2gan.pooled):
        with pytest.raises(ValueError, match="at least one generator"):
            make(k)


@pytest.mark.parametrize(
    ("generator", "discriminator", "message"),
    [
        (nn.Sequential(nn.ReLU(), nn.Linear(3, 2)), nets.mlp([2, 4, 1]), "first is torch.nn.Linear"),
        (nets.mlp([3, 2]), nets.mlp([2, 4, 1]), "first is torch.nn.Linear"),
        (nets.mlp([3, 4, 2]), nn.Sequential(nn.Linear(2, 1), nn.Tanh()), "last is torch.nn.Linear"),
        (nets.mlp([3, 4, 2]), nets.mlp([2, 4, 3]), "one score"),
        (nets.mlp([3, 4, 2]), nets.mlp([3, 4, 1]), "do not fit together"),
        (
            nets.mlp([3, 4, 2]), nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)),
            "leave out batch normalisation",
        ),
    ],
)  # fmt: skip
def test_nets_that_cannot_share_are_refused(generator, discriminator, message):
    with pytest.raises(ValueError, match=message):
        p2gan.game(generator, discriminator, LAW, p2gan.literal(1), device="cpu")


# mode collapse -----------------------------------------------------------------------------------------


def test_the_papers_ring_and_networks():
    assert p2gan.RING.sd**2 == pytest.approx(0.02) and len(p2gan.RING.centres) == 8
    centres = p2gan.RING.centres
    assert torch.allclose(centres.norm(dim=1), torch.full((8,), 2.0))
    assert (centres[0] - centres[1]).norm().item() / p2gan.RING.sd == pytest.approx(10.82, abs=0.01)
    game = p2gan.modes_game("literal", k=3)
    shapes = [tuple(p.shape) for p in game.rules.generators.parameters()]
    assert shapes == [(128, 256), (128,)] * 3 + [(128, 128), (128,), (2, 128), (2,)]
    assert [tuple(p.shape) for p in game.rules.pushes.parameters()] == [(128, 2), (128,), (3, 128), (3,)]
    assert game.rules.since == (0, 500, 1000)
    biases = [p for name, p in game.rules.generators.named_parameters() if name.endswith("bias")]
    assert not any(p.any() for p in biases)
    one, other = (p2gan.modes_game(k=1, seed=seed).sample(5) for seed in (0, 1))
    assert not torch.allclose(one, other)


def test_owners_are_counted_from_the_shares_of_each_generator():
    game = p2gan.modes_game(k=3, every=0)
    centres = p2gan.RING.centres

    def sample(n, rng):
        """The first sits on mode 2; the second on modes 2 and 5, less on 5; the third nowhere."""
        x = torch.full((n, 2), 50.0)
        x[0::3], x[1::3] = centres[2], centres[2]
        x[1::9] = centres[5]
        return x

    game._sample = sample
    found = p2gan.ownership(game, n=300)
    assert found.shares.shape == (3, 8) and found.reached.tolist() == [1, 2, 0]
    assert found.best == [2, 2, None] and found.distinct == 1
    assert found.shares[1, 2] == pytest.approx(2 / 3) and found.shares[1, 5] == pytest.approx(1 / 3)


def test_a_run_is_judged_at_its_last_turns():
    found = p2gan.modes_run(30, looks=3, apart=10, k=2, every=10, batch_size=8)
    game, looks = p2gan.modes_game(k=2, every=10, batch_size=8), []
    for look in range(3):
        game.run(10)
        looks.append(p2gan.ownership(game, seed=look).distinct)
    assert found["distinct"] == pytest.approx(sum(looks) / 3, abs=1e-3)
    assert set(found) == {"found", "high_quality", "reached", "distinct", "cpu_ms"}
    with pytest.raises(ValueError, match="more than 20 turns"):
        p2gan.modes_run(20, looks=3, apart=10)
    with pytest.raises(ValueError, match="no reading 'loose'"):
        p2gan.modes_game("loose")


def test_a_turn_of_many_generators_costs_little_more_than_one_of_one():
    """At one total batch; measured are 1.1 to 1.5 times, one module after another would be near 8."""
    one, eight = p2gan.turn_costs((1, 8), total=256, turns=5, rounds=5)
    assert 0 < one and eight < 4 * one
    with pytest.raises(ValueError, match="shared evenly"):
        p2gan.turn_costs((3,), total=256)


# what the benchmark compares ---------------------------------------------------------------------------


def test_the_benchmarks_loop_plays_the_same_game(monkeypatch):
    monkeypatch.syspath_prepend(str(TESTS.parent / "benchmarks"))
    benchmark = importlib.import_module("p2gan")
    game, loop = benchmark.ours(3, 8), benchmark.one_by_one(3, 8)
    start = [p.clone() for p in game.rules.generators.parameters()]
    for _ in range(5):
        generators = next(loop)
    game.run(5)
    theirs = [p for net in generators for p in net[0].parameters()] + list(generators[0][1].parameters())
    mine = list(game.rules.generators.parameters())
    assert all((p - q).abs().max() > 2e-3 for p, q in zip(mine, start, strict=True))
    # a gradient near zero may fall on either side of it, and Adam makes a whole step of that
    assert all((p - q).abs().mean() < 1e-5 for p, q in zip(mine, theirs, strict=True))

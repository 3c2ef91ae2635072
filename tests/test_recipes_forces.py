"""Games of pushes and pulls, and on contaminated images: settings reach them, measures say what they mean."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gantools import controlled, data, p2gan, recipes
from gantools.recipes import new_kind
from gantools.recipes.push_pull import (
    constraint_game,
    constraint_measures,
    drawn_by,
    modes_game,
    only_wanted,
    owners,
    owners_measures,
)


def pictures(n=90, classes=("above", "below", "left"), seed=0, name="thirds"):
    """Grey pictures, 28 x 28: a third of each is bright, another one in each class."""
    rng = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 100, (n, 1, 28, 28), generator=rng, dtype=torch.uint8)
    labels = torch.arange(n) % len(classes)
    for label, part in enumerate((np.s_[..., :10, :], np.s_[..., -10:, :], np.s_[..., :10])):
        chosen = images[labels == label]
        chosen[part] += 150
        images[labels == label] = chosen
    return data.ImageSet(images, labels, classes, "drawn by the test", name)


@pytest.fixture(scope="module")
def thirds():
    return pictures()


class Judge:
    """Knows the three classes by where it is bright."""

    classes = ("above", "below", "left")

    def probabilities(self, images):
        x = data.to_float(images) if images.dtype == torch.uint8 else images
        means = [part.mean((1, 2, 3)) for part in (x[..., :10, :], x[..., -10:, :], x[..., :10])]
        return np.eye(3)[torch.stack(means, 1).argmax(1)]


def little(**settings):
    return {"width": 4, "latent": 6, "batch": 6, **settings}


FEW = {"primary": 12, "auxiliary": 8, "wanted": "above", "unwanted": "below"}


def plays_on_to_the_bit(games, tmp_path):
    games[0].run(2)
    games[0].save(tmp_path / "there.safetensors")
    games[1].load(tmp_path / "there.safetensors")
    assert games[0].run(1).losses == games[1].run(1).losses
    assert torch.equal(games[0].sample(8), games[1].sample(8))


@pytest.mark.parametrize(
    "settings", [{"generators": 3}, {"generators": 1}, {"generators": 3, "reading": "literal", "joining": 1}]
)
def test_many_generators_play_on_to_the_bit(thirds, settings, tmp_path):
    plays_on_to_the_bit([modes_game(thirds, 1, "cpu", **little(**settings)) for _ in range(2)], tmp_path)


def test_settings_of_many_generators_reach_the_game(thirds):
    settings = little(generators=3, alpha=0.7, joining=4, lr_d=0.02, lr_g=0.01, ema=0.8, each_other=True)
    game = modes_game(thirds, 0, "cpu", **settings)
    assert game.rules.forces == tuple(p2gan.pooled(3, True)) and game.rules.since == (0, 4, 8)
    assert (game.rules.alpha, game.rules.loss, game.rules.push) == (0.7, "nonsaturating", "minimax")
    assert [player.lr for player in game.players] == [0.02, 0.01] and game.players[1].ema == 0.8
    literal = modes_game(thirds, 0, "cpu", **little(generators=2, reading="literal"))
    assert literal.rules.forces == tuple(p2gan.literal(2))


def test_samples_come_from_the_running_average(thirds):
    """Without one they come from the weights themselves; the game itself is the same."""
    mean, plain = (modes_game(thirds, 0, "cpu", **little(generators=2, ema=ema)) for ema in (0.5, 0.0))
    assert mean.run(3).losses == plain.run(3).losses and plain.players[1].average is None
    assert not torch.allclose(mean.sample(6), plain.sample(6), atol=1e-4)
    nets = mean.players[1].average.module, plain.players[1].nets
    for ours, theirs in zip(*(net.parameters() for net in nets), strict=True):
        ours.data.copy_(theirs)
    assert torch.equal(mean.sample(6), plain.sample(6))
    with pytest.raises(ValueError, match="generators that move together"):
        generator = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Identity())
        discriminator = torch.nn.Sequential(torch.nn.Identity(), torch.nn.Linear(2, 1))
        p2gan.game(generator, discriminator, data.ring(3), p2gan.pooled(2), together=False, ema=0.9)


def test_owners_are_counted_generator_by_generator():
    labels = np.tile([3, 5, 3, 0], 25)  # four generators, each with one class
    assert owners(labels, 4, 10) == {"distinct": 3.0, "reached": 1.0, "favourite": 1.0}
    assert owners(labels, 1, 10) == {"distinct": 1.0, "reached": 3.0, "favourite": 0.5}
    mixed = np.array([0] * 96 + [1] * 4)
    assert owners(mixed, 1, 2)["reached"] == 1.0  # a twentieth is the least
    with pytest.raises(ValueError, match="there must be one of each"):
        owners(labels[:3], 4, 10)


def test_owners_are_measured_of_those_that_have_joined(thirds):
    game = modes_game(thirds, 0, "cpu", **little(generators=3, joining=2))
    panel = SimpleNamespace(judge=Judge())
    assert owners_measures(game, panel)["distinct"] == 1.0
    game.run(4)
    assert owners_measures(game, panel)["reached"] <= 3


@pytest.mark.parametrize("settings", [{"alpha": 0.4}, {"forces": "paired", "loss": "nonsaturating"}])
def test_constraints_play_on_to_the_bit(thirds, settings, tmp_path):
    games = [constraint_game(thirds, 1, "cpu", **little(**FEW, **settings)) for _ in range(2)]
    plays_on_to_the_bit(games, tmp_path)


def test_settings_of_a_constraint_reach_the_game(thirds):
    one = constraint_game(thirds, 3, "cpu", **little(**FEW, alpha=0.4))
    two = constraint_game(thirds, 4, "cpu", **little(**FEW, forces="paired", gamma=0.2, beta=0.05))
    assert one.rules.forces == tuple(p2gan.pushed(0.4)) and two.rules.forces == tuple(p2gan.paired(0.2, 0.05))
    assert len(one.data["real"]) == 24 and len(one.data["auxiliary"]) == 8
    assert torch.equal(one.data["real"].images, two.data["real"].images)  # one division for all seeds
    bright = Judge().probabilities(one.data["auxiliary"].images).argmax(1)
    assert set(bright) == {1}


def test_shares_of_each_generator_are_measured(thirds):
    game = constraint_game(thirds, 0, "cpu", **little(**FEW, forces="paired"))
    panel = SimpleNamespace(judge=Judge(), classes=only_wanted(thirds, FEW).classes)
    # rows by turns of the two generators, the even ones of the first
    even, odd = (data.to_float(thirds.images[thirds.labels == label][:20]) for label in (0, 1))
    turns = torch.stack([even, odd], 1).flatten(0, 1)  # (40, 1, 28, 28)
    game.sample = lambda n, seed=0: turns[torch.arange(n) % 40]
    found = constraint_measures(game, panel)
    assert (found["wanted_1"], found["unwanted_1"], found["neither_1"]) == (1, 0, 0)
    assert (found["wanted_2"], found["unwanted_2"]) == (0, 1) and 0.3 < found["spread_1"] < 1
    assert torch.equal(drawn_by(1)(game, 20, 0), odd)
    same = even[:1].expand(4000, -1, -1, -1)
    game.sample = lambda n, seed=0: same[:n]
    assert constraint_measures(game, panel)["spread_1"] == 0  # one image is taken for wanted, again and again


@pytest.mark.parametrize(
    ("build", "settings", "complaint"),
    [
        (modes_game, {"depth": 3}, "no setting depth; there are lr_d"),
        (modes_game, {"reading": "loose"}, "reading must be one of pooled, literal, not 'loose'"),
        (constraint_game, {**FEW, "depth": 3}, "no setting depth"),
        (constraint_game, {**FEW, "forces": "none"}, "forces must be one of pushed, paired, not 'none'"),
        (constraint_game, {**FEW, "primary": 40}, "this division needs at least"),
        (new_kind.kind_game, {"deltas": [0.1, 0.2]}, "1 sources need as many deltas"),
        (new_kind.kind_game, {"noise": "pink"}, "no noise named 'pink'"),
        (new_kind.kind_game, {"depth": 1}, "no setting depth"),
    ],
)
def test_settings_that_do_not_fit_are_refused(thirds, build, settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        build(thirds, 0, "cpu", **little(**settings))


# ---- contaminated images ----------------------------------------------------------------------------------


def test_a_game_on_contaminated_images_plays_on_to_the_bit(thirds, tmp_path):
    settings = little(deltas=[0.5], precision="float32")
    games = [new_kind.kind_game(thirds, 0, "cpu", **settings) for _ in range(2)]
    law = games[0].data["real"]
    assert law.deltas == (0.5,) and law.noises[0].noise == controlled.Gaussian(0.5)
    drawn = data.to_uint8(law.sample(400, torch.Generator().manual_seed(0))).flatten(1)
    known = {bytes(row.numpy()) for row in thirds.images.flatten(1)}
    assert 0.4 < np.mean([bytes(row.numpy()) in known for row in drawn]) < 0.6
    plays_on_to_the_bit(games, tmp_path)
    other = {"noise": "dirichlet", "concentration": 0.2, "scale": 9.0}
    speckled = new_kind.kind_game(thirds, 0, "cpu", **settings, **other)
    assert speckled.data["real"].noises[0].noise == controlled.Dirichlet(0.2, 9.0)


def test_a_set_that_was_not_joined_is_its_own_part(thirds):
    assert new_kind.parts_of(thirds) == [thirds] and new_kind.even(thirds, {}) is thirds


def test_what_was_joined_is_mixed_evenly(real_data):
    both = data.load("fashion-mnist+cifar10", size=28, channels=1)
    clothes, photographs = new_kind.parts_of(both)
    assert clothes.classes[8] == "bag" and photographs.classes[0] == "airplane"
    assert torch.equal(clothes.images, both.images[both.labels < 10])
    assert len(clothes) + len(photographs) == len(both)
    even = new_kind.even(both, {})
    assert (even.labels < 10).double().mean() == 0.5
    game = new_kind.kind_game(both, 0, "cpu", **little(deltas=[0.2, 0.4]))
    assert game.data["real"].deltas == (0.2, 0.4) and game.data["real"].weights.tolist() == [0.5, 0.5]
    clean = new_kind.clean(game, 100)
    assert clean.shape == (100, 1, 28, 28)
    dark = (clean.flatten(1) < -0.99).float().mean(1)
    assert dark[:50].mean() > 0.3 > 0.1 > dark[50:].mean()  # clothes lie on black, photographs fill the frame
    with pytest.raises(ValueError, match="than .*cifar10 has held out"):
        new_kind.clean(game, 50_000)


def test_bounds_are_measured_of_images_that_the_game_has_not_seen(monkeypatch):
    others = pictures(1200, seed=1)
    monkeypatch.setattr(new_kind, "held_out", lambda name, shape: (others,))
    game = new_kind.kind_game(pictures(300), 0, "cpu", **little(deltas=[0.3]))
    found = new_kind.kind_measures(game, SimpleNamespace(n=300))
    assert found["promised"] == pytest.approx(controlled.jsd_bound(0.3))
    assert found["from_clean"] > 0.4 and found["from_contaminated"] > 0.3 and 0 < found["bound_error"] < 0.1
    assert torch.equal(new_kind.clean(game, 300), data.to_float(others.images[:300]))
    game.sample = lambda n, seed=0: data.to_float(others.images[600:][:n])
    found = new_kind.kind_measures(game, SimpleNamespace(n=300))
    assert found["from_clean"] < 0.05 < found["from_contaminated"]  # as good as clean, so not contaminated


def test_a_wanted_class_is_what_the_panel_compares_with(real_data):
    recipe = recipes.get("wanted-eights-paired").using(width=4, latent=6)
    images = recipe.load()
    panel = recipe.measured(images, 100)
    assert panel.classes == ("8",) and len(panel.judge.classes) == 10
    assert panel.floor["in_classes"] > 0.95
    found = recipe.seen(panel)(recipe.game(images, device="cpu"))
    shares = {f"{part}_{j}" for part in ("wanted", "unwanted", "neither", "spread") for j in (1, 2)}
    assert found.keys() == panel.floor.keys() | shares

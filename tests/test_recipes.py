"""The labs' games: every setting does what it says, and what does not fit is refused."""

from types import SimpleNamespace

import pytest
import torch

from gantools import data, penalties, recipes
from gantools.recipes.codes import code_game, code_measures
from gantools.recipes.images import SETTINGS, image_game


@pytest.fixture(scope="module")
def pictures():
    """Two kinds of grey pictures, 28 x 28: bright above, bright below."""
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 100, (60, 1, 28, 28), generator=rng, dtype=torch.uint8)
    labels = torch.arange(60) % 2
    images[labels == 0, :, :14] += 150
    images[labels == 1, :, 14:] += 150
    return data.ImageSet(images, labels, ("above", "below"), "drawn by the test", "halves")


def little(**settings):
    return {"width": 4, "latent": 6, "batch": 8, "precision": "float32", **settings}


def modules(net, kind):
    return [module for module in net.modules() if isinstance(module, kind)]


@pytest.mark.parametrize(
    "settings",
    [
        {"penalty": "r1", "weight": 0.3},
        {"penalty": "r1", "weight": 0.3, "lazy": 2},
        {"loss": "wasserstein", "penalty": "gradient", "weight": 10.0, "steps": 2},
        {"loss": "wasserstein", "clip": 0.01, "optimizer": "rmsprop", "norm_d": "batch", "steps": 2},
        {"loss": "hinge", "spectral": True, "net": "resnet"},
        {"net": "mlp", "ema": 0.0},
        {"upsample": "transposed", "start": 5, "norm_g": "none"},
    ],
)
def test_every_kind_of_image_game_plays_on_to_the_bit(pictures, settings, tmp_path):
    games = [image_game(pictures, 3, "cpu", **little(**settings)) for _ in range(2)]
    games[0].run(2)
    games[0].save(tmp_path / "there.safetensors")
    games[1].load(tmp_path / "there.safetensors")
    one, other = (game.run(2) for game in games)
    assert one.losses == other.losses and one.losses.keys() == {"discriminator", "generator"}
    assert torch.equal(games[0].sample(5), games[1].sample(5))
    assert games[0].sample(5).shape == (5, 1, 28, 28) and games[0].sample(5).abs().max() <= 1


def test_settings_reach_the_game(pictures):
    game = image_game(
        pictures, 0, "cpu", **little(loss="hinge", steps=3, lr_d=0.02, lr_g=0.01, beta1=0.3, beta2=0.8, ema=0.7)
    )  # fmt: skip
    d, g = game.players
    assert (d.steps, d.lr, g.lr, g.ema) == (3, 0.02, 0.01, 0.7)
    assert g.optimizer.param_groups[0]["betas"] == (0.3, 0.8)
    assert game.batch_size == 8 and game.rules.loss == "hinge" and game.rules.latent == 6
    plain = image_game(pictures, 0, "cpu", **little(ema=0.0))
    assert plain.player("generator").average is None


def test_clipping_bounds_every_weight(pictures):
    game = image_game(pictures, 0, "cpu", **little(loss="wasserstein", clip=0.02, optimizer="rmsprop", norm_d="batch"))
    game.run(1)
    assert max(float(p.detach().abs().max()) for p in game.player("discriminator").parameters) <= 0.02


def test_normalisation_upsampling_and_the_first_map_are_the_ones_asked_for(pictures):
    batch = image_game(pictures, 0, "cpu", **little(norm_g="batch", norm_d="batch"))
    none = image_game(pictures, 0, "cpu", **little(norm_g="none", upsample="transposed", start=5))
    norms = [[len(modules(p.nets, torch.nn.BatchNorm2d)) for p in game.players] for game in (batch, none)]
    assert norms[0][0] and norms[0][1] and norms[1] == [0, 0]
    assert modules(none.players[1].nets, torch.nn.ConvTranspose2d) and not modules(batch.players[1].nets, torch.nn.ConvTranspose2d)
    assert modules(none.players[1].nets, torch.nn.Unflatten)[0].unflattened_size[1:] == (5, 5)


def test_a_lazy_penalty_is_the_penalty_now_and_then(pictures):
    every = image_game(pictures, 0, "cpu", **little(penalty="r1", weight=0.5))
    lazy = image_game(pictures, 0, "cpu", **little(penalty="r1", weight=0.5, lazy=3))
    none = image_game(pictures, 0, "cpu", **little())
    first = [float(game.run(1).losses["discriminator"]) for game in (every, lazy, none)]
    assert first[1] == first[2] < first[0]

    class Now:
        turn, rng = 3, None

    net, x = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 1)), torch.randn(5, 1, 2, 2)
    once = penalties.r1(0.5)(net, x, x, Now)
    assert torch.isclose(penalties.lazy(penalties.r1(0.5), 3)(net, x, x, Now), 3 * once)
    Now.turn = 4
    assert penalties.lazy(penalties.r1(0.5), 3)(net, x, x, Now) == 0
    with pytest.raises(ValueError, match="every so many turns"):
        penalties.lazy(penalties.r1(0.5), 0)


@pytest.mark.parametrize(
    "settings, complaint",
    [
        ({"depth": 3}, "no setting depth; there are loss"),
        ({"penalty": "r9"}, "penalty must be one of none, r1, gradient, not 'r9'"),
        ({"weight": 1.0}, "a weight of 1.0 wants a penalty"),
        ({"penalty": "r1", "weight": 1.0, "norm_d": "batch"}, "can have no batch norm"),
        ({"net": "unet"}, "net must be one of dcgan, resnet, mlp"),
        ({"optimizer": "sgd"}, "optimizer must be one of adam, rmsprop"),
        ({"loss": "mse"}, "mse"),
    ],
)
def test_settings_that_do_not_fit_are_refused(pictures, settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        image_game(pictures, 0, "cpu", **little(**settings))


def test_codes_share_the_discriminator_s_body(pictures, tmp_path):
    settings = {"values": 3, "uniform": 1, "width": 4, "latent": 5, "batch": 8, "hidden": 6}
    games = [code_game(pictures, 2, "cpu", **settings) for _ in range(2)]
    rules = games[0].rules
    assert rules.discriminator[0] is rules.body and rules.codes.width == 4
    games[0].run(2)
    games[0].save(tmp_path / "there.safetensors")
    games[1].load(tmp_path / "there.safetensors")
    assert games[0].run(1).losses == games[1].run(1).losses
    with pytest.raises(ValueError, match="no setting depth"):
        code_game(pictures, depth=2)


def test_a_recipe_takes_other_data_and_settings_and_nothing_else():
    recipe = recipes.get("eights-hinge").using("fashion-mnist", lr_d=0.5, width=8)
    assert recipe.images == {"name": "fashion-mnist", "classes": ("8",)}
    assert (recipe.settings["lr_d"], recipe.settings["width"]) == (0.5, 8)
    assert recipes.get("eights-hinge").settings["width"] == SETTINGS["width"]
    with pytest.raises(ValueError, match="no recipe 'sevens'; choose one of digits, eights-clip"):
        recipes.get("sevens")
    with pytest.raises(ValueError, match="spectral must be a bool, like True; not 1"):
        recipe.using(spectral=1)
    with pytest.raises(ValueError, match="a budget is one of smoke, cpu, gpu, not 'tpu'"):
        recipe.train("nowhere", "tpu")


def test_the_panel_of_classes_knows_more_classes_than_the_game(real_data):
    recipe = recipes.get("eights-clip")
    images = recipe.load(limit=400)
    panel = recipe.measured(images, 100)
    assert images.classes == ("8",) and len(panel.judge.classes) == 10 and panel.judge.accuracy > 0.97
    look = recipe.seen(panel)
    found = look(recipe.using(width=4).game(images, device="cpu"))
    assert found.keys() == panel.floor.keys() and found["frechet"] > 5 * panel.floor["frechet"]


def test_clothes_are_played_as_eights_are():
    names = [f"{kind}-{how}" for kind in ("bag", "dress", "sandal") for how in ("clip", "nonsaturating")]
    assert [name for name in recipes.everything() if name.startswith("clothes-")] == [f"clothes-{name}" for name in names]
    for name in names:
        recipe, kind, how = recipes.get(f"clothes-{name}"), *name.split("-")
        assert recipe.settings == recipes.get(f"eights-{how}").settings
        assert recipe.images == {"name": "fashion-mnist", "classes": (kind,)}
        assert recipe.about.lower().startswith((f"{kind}s by", f"{kind}es by"))


def test_each_kind_of_clothes_is_there(real_data):
    kinds = [recipes.get(f"clothes-{kind}-clip").load(limit=2).classes for kind in ("bag", "dress", "sandal")]
    assert kinds == [("bag",), ("dress",), ("sandal",)]


def test_codes_are_looked_at_in_as_many_samples_as_the_panel(pictures):
    game = code_game(pictures, 0, "cpu", values=3, uniform=1, width=4, latent=5, batch=8, hidden=6)
    seen = []

    def halves(x):
        seen.append(len(x))
        above = (x[:, :, :14].mean((1, 2, 3)) > x[:, :, 14:].mean((1, 2, 3))).double()
        return torch.stack([above, 1 - above], 1).numpy()

    found = code_measures(game, SimpleNamespace(n=40, judge=SimpleNamespace(probabilities=halves)))
    assert found.keys() == {"nmi", "code_accuracy", "bound"} and sum(seen) == 40
    assert 0 <= found["nmi"] <= 1 and 1 / 3 <= found["code_accuracy"] <= 1 and found["bound"] < 1.1

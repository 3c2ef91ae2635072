"""Recordings look without touching, keep what they saw, and say clearly when a file cannot be trusted."""

import gzip
import json
import math

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from gantools import data, losses, nets, p2gan, storage
from gantools.game import Game, Player, adam, gan
from gantools.recording import Recording, View, level, record, snapshot


def ring(**kwargs):
    players = nets.mlp([2, 16, 2]), nets.mlp([2, 16, 1], seed=1)
    return gan(*players, data.ring(8), batch_size=32, device="cpu", **kwargs)


def digits():
    generator = nets.mlp([8, 16, 64], output="tanh", shape=(1, 8, 8))
    discriminator = nets.mlp([64, 16, 1], seed=1)
    return gan(generator, discriminator, data.load("digits"), latent=8, batch_size=16, device="cpu")


@pytest.fixture(scope="module")
def run():
    return record(ring(), turns=7, every=3, points=20, grid=5, arrows=4, title="Seven turns")


def test_frames_stand_before_the_first_turn_at_every_third_and_after_the_last(run):
    assert run.turns.tolist() == [0, 3, 6, 7]
    assert len(run) == 4
    assert run.fake.shape == (4, 20, 2) and run.real.shape == (20, 2)
    assert run.surface.shape == (4, 5, 5) and run.surface.dtype == torch.uint8
    assert run.pull.shape == (4, 4, 2)
    assert run.losses.shape == (7, 2)
    assert run.about["title"] == "Seven turns" and run.about["players"] == ["discriminator", "generator"]
    assert "4 frames of 7 turns, seed 0" in repr(run)


def test_recording_does_not_touch_the_game(run):
    watched, alone = ring(), ring()
    seen = record(watched, 7, 3, points=20, grid=5, arrows=4)
    alone.run(7)
    mine, other = watched.state()["tensors"], alone.state()["tensors"]
    assert mine.keys() == other.keys() and all(torch.equal(mine[k], other[k]) for k in mine)
    assert torch.equal(seen.fake, run.fake) and torch.equal(seen.losses, run.losses)


def test_a_frame_shows_the_game(run):
    game = ring()
    game.run(7)
    assert torch.equal(run.fake[-1], game.sample(20))
    assert torch.equal(run.pull[-1], game.pull(game.sample(20)[:4]))
    left, right, bottom, top = game.data["real"].box
    corner = torch.tensor([[left, bottom], [right, bottom], [left, top]])
    expected = (255 * game.score(corner).sigmoid()).round()
    found = torch.stack([run.surface[-1, 0, 0], run.surface[-1, 0, -1], run.surface[-1, -1, 0]])
    assert torch.allclose(found.float(), expected, atol=1)


def test_a_recording_goes_on_from_where_the_game_stands():
    game = ring()
    game.run(5)
    assert record(game, 4, 2, points=5, grid=3, arrows=0).turns.tolist() == [5, 7, 9]


def test_what_is_measured_stands_beside_its_frame():
    game, look = ring(), lambda game: float(game.sample(50).mean())
    run = record(game, 5, 2, points=5, grid=3, arrows=0, measure={"mean": look, "turn": lambda g: g.number})
    assert run.about["measures"] == ["mean", "turn"] and run.measures.shape == (4, 2)
    assert run.measures[:, 1].tolist() == run.turns.tolist() == [0, 2, 4, 5]
    alone, expected = ring(), []
    for pause in (0, 2, 2, 1):
        if pause:
            alone.run(pause)
        expected.append(look(alone))
    assert run.measures[:, 0].tolist() == pytest.approx(expected)


def test_nothing_measured_is_none(run):
    assert run.measures is None and run.about["measures"] == []


def test_a_measure_that_is_no_number_is_named():
    with pytest.raises(ValueError, match="measure 'W1' is nan at turn 0"):
        record(ring(), 2, 1, measure={"W1": lambda game: math.nan})


def test_a_critic_s_surface_shows_its_shape_whatever_its_zero_and_scale():
    scores = torch.tensor([0.0, 1.0, 5.0])
    shown = losses.wasserstein.realness(scores)
    assert torch.allclose(shown, losses.wasserstein.realness(1e-4 * scores + 3), atol=1e-3)
    assert shown[0] < 0.5 and shown[1] < 0.5 < shown[2]
    assert losses.wasserstein.realness(torch.full((4,), 7.0)).tolist() == [0.5] * 4


@pytest.mark.parametrize("name", losses.NAMES)
def test_every_loss_has_a_surface_and_a_level(name):
    game = ring(loss=name)
    frame = snapshot(game, View.of(game, 10, 4, 3))
    assert frame.surface.shape == (4, 4)
    expected = {"minimax": math.log(4), "nonsaturating": math.log(4), "least_squares": 1 / 4, "hinge": 2}
    assert level(name) == pytest.approx(expected.get(name, 0), abs=1e-6)


def growing(**options):
    """Three generators, joining at turns 0, 3 and 6."""
    players = nets.mlp([3, 8, 2]), nets.mlp([2, 8, 1], seed=1)
    return p2gan.game(*players, data.ring(8), p2gan.pooled(3), since=3, batch_size=8, device="cpu", **options)


def test_several_generators_are_recorded_with_the_turns_after_which_they_join():
    run, game = record(growing(alpha=0.2), 7, 3, points=9, grid=3, arrows=6), growing(alpha=0.2)
    assert run.about["since"] == [0, 3, 6] and run.turns.tolist() == [0, 3, 6, 7]
    game.run(3)
    z = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    first, second = (torch.nn.Sequential(net, game.rules.generators.trunk) for net in game.rules.generators.firsts[:2])
    assert torch.allclose(run.fake[1, ::2], first(z), atol=1e-6)  # row i is generator i % 2's, of latent i // 2
    assert torch.allclose(run.fake[1, 1::2], second(z[:4]), atol=1e-6)
    assert torch.equal(run.pull[1], game.pull(game.sample(9)[:6]))
    assert ring().rules.__dict__.get("since") is None and record(ring(), 1, 1, points=4).about["since"] == []


def test_a_player_that_has_not_joined_has_no_loss_yet():
    run = record(growing(together=False), 7, 7, points=9, grid=3, arrows=0)
    assert run.about["players"] == ["discriminators", "generator 1", "generator 2", "generator 3"]
    assert run.losses.isnan().sum(0).tolist() == [0, 0, 3, 6]
    assert not run.losses[6].isnan().any()


def test_images_are_recorded_as_images():
    run = record(digits(), 4, 2, points=100)
    assert run.fake.shape == (3, 64, 1, 8, 8) and run.fake.dtype == torch.uint8
    assert run.real.shape == (64, 1, 8, 8)
    assert run.surface is None and run.pull is None and run.about["box"] is None


def test_a_game_without_a_discriminator_to_ask_is_recorded_without_surface_and_arrows():
    net = nets.mlp([2, 4, 2])
    miss = lambda batch: (net(batch.latent(2)) - batch.real).square().mean()
    player = Player("generator", net, miss, adam(1e-3))
    sample = lambda n, rng: net(torch.randn(n, 2, generator=rng))
    game = Game([player], data.ring(3), 8, device="cpu", sample=sample)
    run = record(game, 2, 1, points=6)
    assert run.surface is None and run.pull is None and run.losses.shape == (2, 1)


@pytest.mark.parametrize(
    "bad", [{"turns": 0}, {"every": 0}, {"every": -1}, {"turns": 2.5}, {"points": 1}, {"grid": 0}]
)
def test_numbers_that_cannot_be_are_refused(bad):
    game = ring()
    with pytest.raises(ValueError, match=f"{next(iter(bad))} must be a whole number"):
        record(game, **{"turns": 2, "every": 1} | bad)
    assert game.number == 0


def test_what_cannot_be_shown_is_refused():
    line = gan(nets.mlp([2, 4, 1]), nets.mlp([1, 4, 1]), data.normal(0, 1), device="cpu")
    with pytest.raises(ValueError, match=r"points of the plane.*\(400, 1\)"):
        record(line, 2, 1)


# on disk --------------------------------------------------------------------------------------------


@pytest.fixture
def file(run, tmp_path):
    path = tmp_path / "run.safetensors"
    run.save(path)
    return path


@pytest.mark.parametrize("make", [ring, digits])
def test_what_is_saved_comes_back(make, tmp_path):
    run = record(make(), 3, 2, points=9, measure={"turn": lambda game: game.number})
    run.save(tmp_path / "r.safetensors")
    again = Recording.load(tmp_path / "r.safetensors")
    assert again.about == run.about
    for name in ("turns", "real", "fake", "losses", "surface", "pull", "measures"):
        mine, other = getattr(run, name), getattr(again, name)
        assert (mine is None and other is None) or (mine.dtype == other.dtype and torch.equal(mine, other))


def test_a_truncated_file_is_refused(file):
    whole = file.read_bytes()
    for size in (0, 4, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="damaged"):
            Recording.load(file)


def test_a_compressed_file_is_as_good_and_as_suspicious(run, tmp_path, monkeypatch):
    path = tmp_path / "run.safetensors.gz"
    run.save(path), run.save(tmp_path / "plain.safetensors")
    again, whole = Recording.load(path), path.read_bytes()
    assert again.about == run.about and torch.equal(again.fake, run.fake)
    assert len(whole) < 0.9 * (tmp_path / "plain.safetensors").stat().st_size
    assert whole[4:8] == bytes(4)  # no time of day
    for size in (3, 12, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="damaged"):
            Recording.load(path)
    for at in (20, len(whole) // 2, len(whole) - 6):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        with pytest.raises(ValueError, match="damaged|digest"):
            Recording.load(path)
    path.write_bytes(gzip.compress(b"no tensors at all"))
    with pytest.raises(ValueError, match="damaged or no recording"):
        Recording.load(path)
    path.write_bytes(whole)
    monkeypatch.setattr(storage, "LARGEST", 1000)
    with pytest.raises(ValueError, match="unpacks to more than 1,000 bytes"):
        Recording.load(path)


def test_a_changed_number_is_noticed(file):
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match="digest"):
        Recording.load(file)


def rewrite(file, change):
    with safe_open(file, framework="pt") as opened:
        meta = opened.metadata()
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}
    about = json.loads(meta["about"])
    change(about)
    text = json.dumps(about, sort_keys=True)
    save_file(tensors, file, metadata={"about": text, "digest": storage._digest(text, tensors)})


def test_a_changed_description_is_noticed(file):
    content = file.read_bytes()
    file.write_bytes(content.replace(b"Seven turns", b"Eight turns"))
    with pytest.raises(ValueError, match="digest"):
        Recording.load(file)


@pytest.mark.parametrize("version", [1, 99])
def test_another_version_is_refused_by_its_number(file, version):
    rewrite(file, lambda about: about.update(version=version))
    with pytest.raises(ValueError, match=f"version {version}; this gantools reads version 2: make it anew"):
        Recording.load(file)


def test_a_checkpoint_is_no_recording(tmp_path):
    ring().save(tmp_path / "game.safetensors")
    with pytest.raises(ValueError, match="is a checkpoint, not a recording"):
        Recording.load(tmp_path / "game.safetensors")


def test_what_is_not_there_is_said_to_be_missing(tmp_path, run):
    with pytest.raises(FileNotFoundError, match="no recording at"):
        Recording.load(tmp_path / "nothing.safetensors")
    with pytest.raises(ValueError, match="no folder"):
        run.save(tmp_path / "nowhere" / "run.safetensors")


def test_a_failed_save_leaves_the_old_file(file, run, monkeypatch):
    before = file.read_bytes()

    def full(*arguments, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(storage.os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        run.save(file)
    assert file.read_bytes() == before and list(file.parent.iterdir()) == [file]

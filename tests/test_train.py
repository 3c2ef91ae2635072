"""Long runs: what they keep, that they resume to the bit whatever happens, that processes share them, the command."""

import json
import os
import resource
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from gantools import cli, data, nets, penalties, recipes, results, runs, storage, train
from gantools.game import Diverged, gan
from gantools.recording import Recording

ROOT = Path(__file__).resolve().parents[1]
ENV = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def small(seed=0, lr=1e-3):
    """Little digits and small nets: a turn takes two milliseconds."""
    generator = nets.mlp([8, 32, 64], "leaky_relu", output="tanh", shape=(1, 8, 8))
    discriminator = nets.mlp([64, 32, 1], "leaky_relu", seed=1)
    return gan(
        generator, discriminator, data.load("digits"), latent=8, batch_size=16, lr=lr, ema=0.9, noise=0.1,
        penalty=penalties.lazy(penalties.gradient(1.0), 2), seed=seed, device="cpu",
    )  # fmt: skip


def ink(game):
    images = game.sample(50, seed=1)
    return {"ink": images.mean(), "contrast": images.std()}


def play(out, game=None, turns=40, every=10, **options):
    options = {"measure": ink, "progress": False, "checkpoint": 0, **options}
    return train.run(game or small(), out, turns, every, **options)


def same(one, other):
    mine, theirs = one.state(), other.state()
    assert mine["about"] == theirs["about"]
    assert mine["tensors"].keys() == theirs["tensors"].keys()
    return all(torch.equal(value, theirs["tensors"][name]) for name, value in mine["tensors"].items())


# ---- what a run leaves --------------------------------------------------------------------------------------


def test_a_run_is_the_game_and_nothing_but_the_game(tmp_path):
    game, plain = small(), small()
    kept = play(tmp_path, game)
    losses = torch.stack([torch.stack(list(turn.losses.values())) for turn in plain.turns(40)])
    assert same(game, plain)
    assert torch.equal(kept.losses, losses)


def test_what_a_run_leaves(tmp_path):
    game = small()
    kept = play(tmp_path, game, title="Digits", about={"recipe": "small"}, floor={"ink": 0.5}, command="gantools train small")
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["turn"] for row in rows] == kept.turns.tolist() == [0, 10, 20, 30, 40]
    assert kept.about["measures"] == ["ink", "contrast"]
    torch.testing.assert_close(kept.measures[:, 1], torch.tensor([row["contrast"] for row in rows]))
    assert float(kept.measures[-1, 0]) == pytest.approx(float(game.sample(50, seed=1).mean()), rel=1e-5)
    assert torch.equal(kept.fake[-1], data.to_uint8(game.sample(64)))
    seconds = [row["seconds"] for row in rows]
    assert seconds[0] == 0 and seconds == sorted(seconds) and seconds[-1] == kept.about["seconds"]
    about = kept.about
    assert about["title"] == "Digits" and about["made"]["command"] == "gantools train small"
    assert about["clock"] == seconds and about["made"]["floor"] == {"ink": 0.5}
    assert about["run"] == {"turns": 40, "every": 10, "seed": 0, "batch_size": 16, "recipe": "small"}
    again = Recording.load(tmp_path / "recording.safetensors")
    assert torch.equal(again.fake, kept.fake) and again.about == about
    with Image.open(tmp_path / "samples" / "0000040.png") as sheet:
        assert sheet.size == (8 * 9 + 1, 8 * 9 + 1)


def test_the_last_frame_comes_after_the_last_turn_even_out_of_step(tmp_path):
    assert play(tmp_path, turns=25).turns.tolist() == [0, 10, 20, 25]


def test_points_can_be_trained_as_well(tmp_path):
    game = gan(nets.mlp([2, 16, 2]), nets.mlp([2, 16, 1]), data.ring(8), device="cpu", batch_size=16)
    kept = play(tmp_path, game, measure=None, turns=20)
    assert kept.surface.shape == (3, 40, 40) and kept.pull.shape == (3, 60, 2) and kept.measures is None
    assert not list((tmp_path / "samples").iterdir())


def test_scalars_for_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    kept = play(tmp_path, tensorboard=True)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    losses = events.Scalars("loss/generator")
    assert [event.step for event in losses] == list(range(1, 41))
    assert [event.value for event in losses] == pytest.approx(kept.losses[:, 1].tolist())
    assert [event.step for event in events.Scalars("measures/ink")] == [0, 10, 20, 30, 40]


# ---- interruptions -------------------------------------------------------------------------------------------

KILLED = """
    import os, random, signal, sys, time
    sys.path.insert(0, {tests!r})
    import torch
    import test_train

    torch.set_num_threads(1)
    random.seed({seed})
    for _ in range(20):
        child = os.fork()
        if not child:
            test_train.play({out!r}, turns=400, every=4, resume=True)
            os._exit(0)
        time.sleep(random.uniform(0.1, 0.5))
        os.kill(child, signal.SIGKILL)
        print(os.waitpid(child, 0)[1], flush=True)
"""


def test_twenty_kills_at_random_moments_change_no_bit(tmp_path):
    """Forked from a process that has loaded everything but played nothing: a sitting is short."""
    out = tmp_path / "run"
    program = textwrap.dedent(KILLED.format(tests=str(ROOT / "tests"), out=str(out), seed=7))
    done = subprocess.run([sys.executable, "-c", program], env=ENV, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split().count("9") >= 15, done.stdout  # killed by signal 9, not finished before
    undisturbed, game = small(), small()
    whole = play(tmp_path / "whole", undisturbed, turns=400, every=4)
    kept = play(out, game, turns=400, every=4, resume=True)
    assert same(game, undisturbed)
    for name in ("turns", "fake", "losses", "measures"):
        assert torch.equal(getattr(kept, name), getattr(whole, name)), name
    assert not list(out.rglob("*.part"))


def test_resuming_a_finished_run_gives_its_recording_back(tmp_path):
    kept, game = play(tmp_path), small()
    again = play(tmp_path, game, resume=True)
    assert torch.equal(again.fake, kept.fake) and game.number == 40


def test_a_run_is_never_overwritten_unasked(tmp_path):
    play(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(FileExistsError, match="holds a run: go on with it"):
        play(tmp_path)
    with pytest.raises(ValueError, match="seed is 0 there and 3 here; turns is 40 there and 50 here"):
        play(tmp_path, small(3), turns=50, resume=True)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_a_diverged_run_stops_with_its_checkpoint_whole(tmp_path):
    game = small(lr=1e-3)
    play(tmp_path, game, turns=20)
    (tmp_path / "run.json").unlink()
    spoilt = small()
    spoilt.rules.penalty = lambda *given: torch.tensor(float("nan") if given[-1].turn > 32 else 0.0)
    with pytest.raises(Diverged, match="turn 33: the discriminator's loss is nan"):
        play(tmp_path, spoilt, turns=40, resume=True)
    again = small()
    again.load(tmp_path / "checkpoint.safetensors")
    assert again.number == 30


def test_a_measure_that_is_no_number_stops_the_run(tmp_path):
    with pytest.raises(ValueError, match="the measure 'ink' is nan at turn 0"):
        play(tmp_path, measure=lambda game: {"ink": float("nan")})


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere"])
def test_a_folder_that_cannot_be(tmp_path, place):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="cannot be a run's folder|could not be kept .*; there is no checkpoint yet. Make"):
        play(tmp_path / place)
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path):
    """No file may grow beyond what the small files of a run need and a checkpoint does not fit into."""
    play(tmp_path, turns=20)
    kept = (tmp_path / "checkpoint.safetensors").read_bytes()
    (tmp_path / "run.json").unlink()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(kept) // 2, limits[1]))
        with pytest.raises(OSError, match="File too large.*last checkpoint is whole. Make room"):
            play(tmp_path, resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == kept
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("damage", [lambda raw: raw[:-7], lambda raw: b"", lambda raw: raw[:200] + b"!" + raw[201:]])
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    play(tmp_path, turns=20)
    kept = tmp_path / "checkpoint.safetensors"
    kept.write_bytes(damage(kept.read_bytes()))
    with pytest.raises(ValueError, match="checkpoint.safetensors"):
        play(tmp_path, turns=20, resume=True)


def test_a_damaged_card_is_named(tmp_path):
    play(tmp_path, turns=20)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(ValueError, match=r"run\.json is damaged"):
        play(tmp_path, turns=20, resume=True)


# ---- many processes ------------------------------------------------------------------------------------------


def test_two_processes_are_one_with_the_joined_batch(tmp_path):
    ask = ["gantools", "train", "digits", "--turns", "30", "--quiet", "--device", "cpu", "--out"]
    changes = ["--set", "penalty=gradient", "--set", "weight=1.0"]
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", "--num_machines", "1",
              "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0", "-m"]  # fmt: skip
    for command in ([*launch, *ask, str(tmp_path / "two")], [sys.executable, "-m", *ask, str(tmp_path / "one")]):
        done = subprocess.run([*command, *changes], env=ENV, capture_output=True, text=True, timeout=180, cwd=ROOT)
        assert done.returncode == 0, done.stderr
    two, one = (Recording.load(tmp_path / name / "recording.safetensors") for name in ("two", "one"))
    torch.testing.assert_close(two.losses, one.losses, rtol=2e-4, atol=2e-5)
    assert two.turns.tolist() == one.turns.tolist()
    assert not torch.allclose(one.losses[0], one.losses[-1], rtol=0.01)  # something was learned meanwhile


# ---- recipes and the command ---------------------------------------------------------------------------------


def test_the_command_trains_and_goes_on(tmp_path, capsys):
    ask = ["train", "digits", "--turns", "12", "--out", str(tmp_path / "run"), "--quiet", "--device", "cpu"]
    assert cli.main(ask) == 0
    assert "12 turns in 0.0 minutes" in capsys.readouterr().out
    assert cli.main(ask) == 1
    assert "holds a run" in capsys.readouterr().err
    assert cli.main([*ask, "--resume"]) == 0
    assert cli.main([*ask, "--resume", "--set", "lr_g=0.01"]) == 1
    assert "'lr_g': 0.001" in capsys.readouterr().err


def test_the_command_looks_as_often_as_it_is_told(tmp_path):
    ask = ["train", "digits", "--turns", "12", "--frames", "3", "--out", str(tmp_path / "run"), "--quiet"]
    assert cli.main([*ask, "--device", "cpu"]) == 0
    assert runs.load(tmp_path / "run").turns.tolist() == [0, 4, 8, 12]


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["nothing"], "no recipe 'nothing'; choose one of digits"),
        (["digits", "--set", "width"], "--set wants NAME=VALUE, not 'width'"),
        (["digits", "--set", "depth=3"], "digits has no setting depth; it has batch"),
        (["digits", "--set", "width=wide"], "width must be a int"),
        (["digits", "--set", "penalty=r3"], "penalty must be one of none, r1, gradient, not 'r3'"),
        (["digits", "--data", "letters"], "no image set named 'letters'"),
        (["digits", "--turns", "0"], "turns must be a positive whole number"),
        ([], "name a recipe or a lab, and a folder"),
        (["lab1"], "all of a lab: lab2-eights, lab3-clothes"),
        (["lab2-eights", "--set", "map=3"], "eights-clip has no setting map"),
    ],
)
def test_a_command_that_cannot_be(arguments, complaint, tmp_path, capsys):
    assert cli.main(["train", *arguments, "--out", str(tmp_path / "run"), "--quiet"]) == 1
    assert complaint in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.safetensors"))


def test_recipes_are_listed(capsys):
    assert cli.main(["train", "--list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in [*recipes.everything(), *recipes.LABS])


def test_the_command_plays_all_of_a_lab_and_goes_on(tmp_path, capsys, monkeypatch):
    small = replace(recipes.get("digits"), panel="")
    monkeypatch.setattr(recipes, "everything", lambda: {name: replace(small, name=name) for name in ("one", "two")})
    monkeypatch.setattr(recipes, "LABS", {"lab0-digits": ("two", "one")})
    ask = ["train", "lab0-digits", "--turns", "4", "--out", str(tmp_path), "--quiet", "--device", "cpu"]
    (tmp_path / "one").write_text("in the way")
    assert cli.main(ask) == 1  # after the first game
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two"} and len(runs.load(tmp_path / "two").losses) == 4
    (tmp_path / "one").unlink()
    assert cli.main(ask) == 1 and not (tmp_path / "one").exists()  # the first is not played over
    capsys.readouterr()
    assert cli.main([*ask, "--resume"]) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["two", "one"]
    assert len(runs.load(tmp_path / "one").losses) == 4


def test_every_recipe_has_a_small_budget_and_fits_its_builder():
    for name, recipe in recipes.everything().items():
        assert recipe.name == name and set(recipe.turns) == set(recipes.BUDGETS)
        assert recipe.turns["smoke"] < recipe.turns["cpu"] <= recipe.turns["gpu"]


def test_frames_are_refused_when_damaged(tmp_path):
    play(tmp_path, turns=20)
    frame = tmp_path / "frames" / "0000010.safetensors"
    frame.write_bytes(frame.read_bytes()[:-3])
    (tmp_path / "recording.safetensors").unlink()
    with pytest.raises(ValueError, match="0000010.safetensors"):
        play(tmp_path, turns=20, resume=True)
    assert storage.read(tmp_path / "checkpoint.safetensors", "checkpoint", 1)


# ---- runs that are kept --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two seeds of a recipe with its panel of metrics, on little digits."""
    folder = tmp_path_factory.mktemp("runs")
    recipe = recipes.get("digits").using(width=32)
    for seed in (0, 1):
        recipe.train(folder / str(seed), "smoke", seed=seed, device="cpu", turns=8, progress=False)
    return [folder / "0", folder / "1"]


def test_a_run_is_made_small(finished, tmp_path):
    whole = runs.load(finished[0])
    small = runs.keep(finished[0], tmp_path / "small.safetensors", 4, 9, ["kid", "frechet"])
    assert whole.turns.tolist() == [0, 2, 4, 6, 8] and small.turns.tolist() == [0, 2, 6, 8]
    for k, turn in enumerate(small.turns.tolist()):
        assert torch.equal(small.fake[k], whole.fake[turn // 2][:9])
        assert small.about["clock"][k] == whole.about["clock"][turn // 2]
    assert small.about["measures"] == ["kid", "frechet"]
    column = whole.about["measures"].index("frechet")
    assert torch.equal(small.measures[:, 1], whole.measures[[0, 1, 3, 4], column])
    assert torch.equal(small.losses, whole.losses) and len(small.real) == 9
    assert torch.equal(runs.thin(whole, [2, 8], 9).losses, whole.losses[2:])  # a curve begins at the first frame
    assert Recording.load(tmp_path / "small.safetensors").about == small.about
    hidden = replace(whole, about={**whole.about, "run": {**whole.about["run"], "data": {"name": "mnist+socofing"}}})
    assert len(runs.thin(hidden, 4, 9).real) == 0  # people's prints stay behind
    with pytest.raises(ValueError, match="beauty was not measured; there are frechet"):
        runs.thin(whole, 4, 9, ["beauty"])
    with pytest.raises(ValueError, match="two frames and one image are the least, not 1 and 9"):
        runs.thin(whole, 1, 9)
    assert cli.main(["runs", "keep", str(finished[0]), "--at", "6,0,2", "--to", str(tmp_path / "at.safetensors")]) == 0
    chosen = Recording.load(tmp_path / "at.safetensors")
    assert chosen.turns.tolist() == [0, 2, 6] and torch.equal(chosen.fake[2], whole.fake[3][:25])
    assert cli.main(["runs", "keep", str(finished[0]), "--until", "5", "--to", str(tmp_path / "cut.safetensors")]) == 0
    cut = Recording.load(tmp_path / "cut.safetensors")
    assert cut.turns.tolist() == [0, 2, 4] and torch.equal(cut.losses, whole.losses[:4])
    few = runs.thin(whole, 4, 9, levels=3).fake
    assert set(few.unique().tolist()) <= {0, 128, 255}
    assert (few.int() - small.fake.int()).abs().max() <= 64
    with pytest.raises(ValueError, match="2 to 256 levels can be kept, not 1"):
        runs.thin(whole, 4, 9, levels=1)
    with pytest.raises(ValueError, match="no frame of turn 3, 5; there are"):
        runs.thin(whole, [3, 4, 5], 9)


def test_runs_side_by_side(finished, tmp_path, capsys):
    ask = ["runs", "table", *map(str, finished), "--protocol", "Two seeds.", "--to", str(tmp_path / "t.json")]
    assert cli.main(ask) == 0
    kept = results.load(tmp_path / "t.json")
    assert kept.column("seed") == [0, 1] and kept.about["protocol"] == "Two seeds."
    whole = runs.load(finished[1])
    for name in ("frechet", "recall"):
        values = whole.measures[:, whole.about["measures"].index(name)]
        assert kept.rows[1][name] == pytest.approx(sorted(values[-3:].tolist())[1], rel=1e-3)
        assert kept.rows[1]["at"][name] == pytest.approx(values.tolist(), rel=1e-3)
        assert 0 <= kept.rows[1]["floor"][name] < 100
    assert kept.rows[0]["settings"]["width"] == 32 and "2 runs" in repr(kept)
    assert kept.column("change") == ["width=32", "width=32"]
    assert cli.main([*ask, "--until", "5"]) == 0
    short = results.load(tmp_path / "t.json")
    assert short.column("turns") == [4, 4] and short.rows[1]["seconds"] == whole.about["clock"][2]
    assert short.rows[1]["frechet"] == pytest.approx(sorted(kept.rows[1]["at"]["frechet"][:3])[1])
    assert cli.main([*ask, "--until", "1"]) == 1
    assert kept.about["command"].startswith("gantools runs table /")
    assert cli.main([*ask[:2], str(finished[0]), *ask[2:]]) == 1
    assert "each once" in capsys.readouterr().err
    assert cli.main(["runs", "keep", str(tmp_path), "--to", str(tmp_path / "x")]) == 1
    assert "no finished run" in capsys.readouterr().err


def test_a_table_names_every_commit_that_its_runs_were_made_at(finished, tmp_path, monkeypatch):
    commits = iter("ab")

    def loaded(out, load=runs.load):
        run = load(out)
        return replace(run, about={**run.about, "made": {**run.about["made"], "commit": 40 * next(commits)}})

    monkeypatch.setattr(runs, "load", loaded)
    kept = runs.table(finished, tmp_path / "t.json", "Two seeds.")
    assert kept.about["commit"].split() == [40 * "a", 40 * "b"] and " at aaaaaaa, bbbbbbb, torch" in repr(kept)

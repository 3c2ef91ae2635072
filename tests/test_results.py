"""Experiments' results: measured once, kept whole, and never older than the script that makes them."""

import json
from pathlib import Path

import pytest
import torch

from gantools import results
from gantools.recording import Recording

ROOT = Path(__file__).resolve().parents[1]
JOBS = [{"loss": loss, "seed": seed} for loss in ("a", "b") for seed in range(2)]


def run(loss, seed):
    return {"score": ord(loss) + seed}


def test_rows_carry_settings_findings_and_how_they_were_made(tmp_path):
    made = results.measure(tmp_path / "r.json", run, JOBS, "as\n  it is")
    read = results.load(tmp_path / "r.json")
    assert read.rows == made.rows and read.about == made.about
    assert read.column("score", loss="b") == [98, 99]
    named = results.measure(tmp_path / "named.json", lambda name: {"score": 1}, [{"name": "kl"}], "p")
    assert named.column("score", name="kl") == [1]  # a setting may have any name
    assert read.about["command"] == "python tests/test_results.py" and read.about["protocol"] == "as it is"
    assert read.about["source"] == results.digest(__file__)
    assert "4 runs" in repr(read) and len(list(tmp_path.iterdir())) == 2


def test_an_interrupted_measurement_goes_on_and_leaves_the_old_file_alone(tmp_path):
    path, seen = tmp_path / "r.json", []
    results.measure(path, run, JOBS[:1], "old")
    before = path.read_text()

    def breaks(loss, seed):
        if (loss, seed) == ("b", 0) and len(seen) == 2:
            seen.append("broke")
            raise KeyboardInterrupt
        seen.append((loss, seed))
        return run(loss, seed)

    with pytest.raises(KeyboardInterrupt):
        results.measure(path, breaks, JOBS, "new")
    assert path.read_text() == before
    found = results.measure(path, breaks, JOBS, "new")
    assert seen == [("a", 0), ("a", 1), "broke", ("b", 0), ("b", 1)]      # nothing was measured twice
    assert [(row["loss"], row["seed"]) for row in found.rows] == [tuple(job.values()) for job in JOBS]


def test_rows_of_another_version_of_the_script_are_not_used(tmp_path):
    path = tmp_path / "r.json"
    results.measure(path, run, JOBS, "p")
    kept = json.loads(path.read_text())
    kept["about"]["source"] = "0" * 16
    kept["rows"][0]["score"] = -1
    (tmp_path / "r.json.part").write_text(json.dumps(kept))
    assert results.measure(path, run, JOBS, "p").rows[0]["score"] == 97


@pytest.mark.parametrize("text, words", [
    ("{", "damaged"), ("[]", "damaged"), ('{"version": 1}', "damaged"),
    ('{"version": 99, "rows": [], "about": {}}', "measure it anew")])
def test_bad_files_are_refused(tmp_path, text, words):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ValueError, match=words):
        results.load(tmp_path / "r.json")


def test_bad_input_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no results"):
        results.load(tmp_path / "r.json")
    with pytest.raises(ValueError, match="make it first"):
        results.measure(tmp_path / "none" / "r.json", run, JOBS, "p")
    with pytest.raises(ValueError, match="score is nan"):
        results.measure(tmp_path / "r.json", lambda loss, seed: {"score": float("nan")}, JOBS, "p")
    with pytest.raises(ValueError, match="named like a setting"):
        results.measure(tmp_path / "r.json", lambda loss, seed: {"seed": 1}, JOBS, "p")
    assert not (tmp_path / "r.json").exists()
    made = results.measure(tmp_path / "r.json", run, JOBS, "p")
    with pytest.raises(ValueError, match="no row"):
        made.where(loss="c")


def kept(kind):
    return sorted((ROOT / "book" / "results").glob(f"*.{kind}"))


def test_a_recording_is_kept_with_how_it_was_made(tmp_path):
    numbers = torch.zeros(1, dtype=torch.int64), torch.zeros(2, 2), torch.zeros(1, 2, 2), torch.zeros(1, 2)
    run_ = Recording(*numbers, about={"title": "one"})
    results.keep(tmp_path / "r.safetensors", run_, run)
    about = Recording.load(tmp_path / "r.safetensors").about
    assert about["title"] == "one" and about["made"]["source"] == results.digest(__file__)
    assert "made" not in run_.about


@pytest.mark.parametrize("path", kept("safetensors"), ids=lambda path: path.stem)
def test_the_book_s_recordings_were_made_by_the_scripts_that_stand_here(path):
    made = Recording.load(path).about["made"]
    script = ROOT / made["command"].split()[1]
    assert made["source"] == results.digest(script), f"{script.name} has changed: run it again"
    assert made["commit"] != "unknown"


@pytest.mark.parametrize("path", kept("json"), ids=lambda path: path.stem)
def test_the_book_s_results_were_made_by_the_scripts_that_stand_here(path):
    found = results.load(path)
    script = ROOT / found.about["command"].split()[1]
    assert found.about["source"] == results.digest(script), f"{script.name} has changed: run it again"
    assert found.rows and found.about["protocol"] and found.about["commit"] != "unknown"

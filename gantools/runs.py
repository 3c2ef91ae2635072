"""Runs that are worth keeping: made small for a page, and put side by side in a table.

    gantools runs keep runs/eights --frames 12 --images 25 --measures frechet --to eights.safetensors
    gantools runs table runs/* --to eights.json
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from gantools import results
from gantools.recording import Recording

LAST = 3  # frames whose median stands for the end of a run


def load(out: str | os.PathLike) -> Recording:
    """The recording of the run in that folder; ValueError if it is not finished."""
    path = Path(out) / "recording.safetensors"
    if not path.is_file():
        raise ValueError(f"there is no finished run in {out}: train it, or resume it")
    return Recording.load(path)


def thin(recording: Recording, frames: int, images: int, measures: Sequence[str] = ()) -> Recording:
    """That many frames, evenly spaced and with both ends, of that many images, with these measures only.

    ValueError for fewer than two frames, no image, or a measure that was not taken.
    """
    if frames < 2 or images < 1:
        raise ValueError(f"two frames and one image are the least, not {frames!r} and {images!r}")
    names = recording.about["measures"]
    strange = [name for name in measures if name not in names]
    if strange:
        raise ValueError(f"{', '.join(strange)} was not measured; there are {', '.join(names)}")
    rows = torch.linspace(0, len(recording) - 1, min(frames, len(recording))).round().long()
    columns = [names.index(name) for name in measures]
    return replace(
        recording,
        turns=recording.turns[rows], real=recording.real[:images], fake=recording.fake[rows][:, :images],
        measures=recording.measures[rows][:, columns] if columns else None,
        about={**recording.about, "measures": list(measures), "clock": [recording.about["clock"][k] for k in rows]},
    )  # fmt: skip


def keep(out: str | os.PathLike, to: str | os.PathLike, frames: int, images: int, measures: Sequence[str] = ()) -> Recording:
    """Write the run in the folder `out`, made small, to the file `to`."""
    small = thin(load(out), frames, images, measures)
    small.save(to)
    return small


def row(recording: Recording) -> dict:
    """A run in one row: recipe, seed, what was changed, minutes, and the median of each measure's last frames."""
    about = recording.about
    asked, end = about["run"], recording.measures[-LAST:].median(dim=0).values.tolist()
    return {
        "recipe": asked["recipe"], "data": asked["data"]["name"], "seed": about["seed"], "turns": len(recording.losses),
        "minutes": round(about["seconds"] / 60, 2),
        **{name: float(f"{value:.4g}") for name, value in zip(about["measures"], end, strict=True)},
        "floor": {name: float(f"{value:.4g}") for name, value in about["made"]["floor"].items()},
        "settings": asked["settings"], "samples": asked["samples"],
        "at": {"minutes": [round(seconds / 60, 2) for seconds in about["clock"]], **_columns(recording)},
        "made": {name: value for name, value in about["made"].items() if name != "floor"},
        "seconds": about["seconds"],
    }  # fmt: skip


def _columns(recording: Recording) -> dict[str, list[float]]:
    """Every measure at every frame, and the turns."""
    names = recording.about["measures"]
    values = [[float(f"{value:.4g}") for value in column] for column in recording.measures.T.tolist()]
    return {"turns": recording.turns.tolist(), **dict(zip(names, values, strict=True))}


def table(outs: Iterable[str | os.PathLike], to: str | os.PathLike, protocol: str, command: str = "") -> results.Results:
    """Write the runs in these folders, a row each, as results that `results.load` reads.

    ValueError for a run that is not finished, measured nothing, or is there twice.
    """
    rows = [row(load(out)) for out in outs]
    known = [json.dumps([each["recipe"], each["data"], each["seed"], each["settings"], each["turns"]]) for each in rows]
    if not rows or len(set(known)) < len(known):
        raise ValueError("a table wants one run or more, each once")
    machine = sorted({each["made"]["machine"] for each in rows})
    made = {name: rows[0]["made"][name] for name in ("gantools", "torch", "python", "threads")}
    about = {"command": command, "protocol": " ".join(protocol.split()), "machine": "; ".join(machine),
             "commit": rows[-1]["made"]["commit"], **made}  # fmt: skip
    return results.write(to, rows, about)

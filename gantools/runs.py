"""Runs that are worth keeping: made small for a page, and put side by side in a table.

    gantools runs keep runs/eights --frames 12 --images 25 --measures frechet --to eights.safetensors.gz
    gantools runs table runs/* --to eights.json
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from gantools import data, recipes, results
from gantools.recording import Recording

LAST = 3  # frames whose median stands for the end of a run


def load(out: str | os.PathLike) -> Recording:
    """The recording of the run in that folder; ValueError if it is not finished."""
    path = Path(out) / "recording.safetensors"
    if not path.is_file():
        raise ValueError(f"there is no finished run in {out}: train it, or resume it")
    return Recording.load(path)


def thin(
    recording: Recording, frames: int | Sequence[int], images: int, measures: Sequence[str] = (), levels: int = 256
) -> Recording:
    """That many frames, evenly spaced and with both ends, of that many images, with these measures only.

    `frames` may also name turns: then the frames of these, and the losses from the first of them on.  Fewer `levels` of brightness compress better.  Real images that are private (`data.private`) stay
    behind.  ValueError for fewer than two frames or levels, no image, a turn without a frame, a measure not taken.
    """
    count = frames if isinstance(frames, int) else len(frames)
    if count < 2 or images < 1:
        raise ValueError(f"two frames and one image are the least, not {frames!r} and {images!r}")
    names = recording.about["measures"]
    strange = [name for name in measures if name not in names]
    if strange:
        raise ValueError(f"{', '.join(strange)} was not measured; there are {', '.join(names)}")
    if not 2 <= levels <= 256:
        raise ValueError(f"2 to 256 levels can be kept, not {levels!r}")
    if isinstance(frames, int):
        rows = torch.linspace(0, len(recording) - 1, min(frames, len(recording))).round().long()
    else:
        there = recording.turns.tolist()
        missing = [turn for turn in frames if turn not in there]
        if missing:
            raise ValueError(f"there is no frame of turn {', '.join(map(str, missing))}; there are {there}")
        rows = torch.tensor(sorted(map(there.index, frames)))
    columns = [names.index(name) for name in measures]
    fake = recording.fake[rows][:, :images]
    if levels < 256:
        fake = ((fake * ((levels - 1) / 255)).round() * (255 / (levels - 1))).round().to(torch.uint8)
    shown = 0 if data.private(recording.about["run"]["data"]["name"]) else images
    return replace(
        recording,
        turns=recording.turns[rows], real=recording.real[:shown], fake=fake,
        losses=recording.losses[int(recording.turns[rows[0]] - recording.turns[0]) :],
        measures=recording.measures[rows][:, columns] if columns else None,
        about={**recording.about, "measures": list(measures), "clock": [recording.about["clock"][k] for k in rows]},
    )  # fmt: skip


def keep(
    out: str | os.PathLike, to: str | os.PathLike, frames: int | Sequence[int], images: int,
    measures: Sequence[str] = (), turns: int | None = None, levels: int = 256,
) -> Recording:  # fmt: skip
    """Write the run in the folder `out`, or its first `turns`, made small, to the file `to`."""
    whole = load(out)
    small = thin(whole if turns is None else until(whole, turns), frames, images, measures, levels)
    small.save(to)
    return small


def until(recording: Recording, turn: int) -> Recording:
    """The run as if it had ended with its last frame at or before that turn; ValueError if there is none after 0."""
    kept = int((recording.turns <= turn).sum())
    if kept < 2:
        raise ValueError(f"the run has no frame from turn 1 to {turn}; it has {recording.turns.tolist()}")
    clock = recording.about["clock"][:kept]
    return replace(
        recording, turns=recording.turns[:kept], fake=recording.fake[:kept],
        losses=recording.losses[: int(recording.turns[kept - 1])], measures=recording.measures[:kept],
        about={**recording.about, "clock": clock, "seconds": clock[-1]},
    )  # fmt: skip


def change(asked: dict) -> str:
    """What a run changed in its recipe, in words: `upsample=transposed`, or `none`."""
    recipe = recipes.get(asked["recipe"])
    mine = {"data": asked["data"]["name"], **asked["settings"]}
    its = {"data": recipe.images["name"], **recipe.settings}
    return ", ".join(f"{name}={value}" for name, value in mine.items() if its.get(name) != value) or "none"


def row(recording: Recording) -> dict:
    """A run in one row: recipe, seed, what was changed, minutes, and the median of each measure's last frames."""
    about = recording.about
    asked, end = about["run"], recording.measures[-LAST:].median(dim=0).values.tolist()
    return {
        "recipe": asked["recipe"], "change": change(asked), "data": asked["data"]["name"], "seed": about["seed"],
        "turns": len(recording.losses), "minutes": round(about["seconds"] / 60, 2),
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


def table(
    outs: Iterable[str | os.PathLike], to: str | os.PathLike, protocol: str, command: str = "", turns: int | None = None
) -> results.Results:
    """Write the runs in these folders, a row each, as results that `results.load` reads; of the first `turns` only.

    ValueError for a run that is not finished, measured nothing, or is there twice.
    """
    whole = [load(out) for out in outs]
    rows = [row(each if turns is None else until(each, turns)) for each in whole]
    known = [json.dumps([each["recipe"], each["data"], each["seed"], each["settings"], each["turns"]]) for each in rows]
    if not rows or len(set(known)) < len(known):
        raise ValueError("a table wants one run or more, each once")
    machine = sorted({each["made"]["machine"] for each in rows})
    made = {name: rows[0]["made"][name] for name in ("gantools", "torch", "python", "threads")}
    about = {"command": command, "protocol": " ".join(protocol.split()), "machine": "; ".join(machine),
             "commit": " ".join(dict.fromkeys(each["made"]["commit"] for each in rows)), **made}  # fmt: skip
    return results.write(to, rows, about)

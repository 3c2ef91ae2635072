"""Runs that take minutes: looked at as they go, kept on disk, and the same to the bit after an interruption.

    train.run(game, "runs/eights", turns=2000, every=100, measure=seen)
    train.run(game, "runs/eights", turns=2000, every=100, measure=seen, resume=True)

A run's folder holds

    run.json                 what is run: settings, data, seed, versions
    frames/<turn>.safetensors  samples, losses of every turn since the frame before, measures, seconds
    samples/<turn>.png       the same samples as a sheet
    log.jsonl                turn, seconds and measures of every frame, to be read while it runs
    checkpoint.safetensors   the game at a frame, every few minutes; what follows it is played again on resume
    recording.safetensors    all frames, for widgets.Replay, once the run is done

Every file is written aside and renamed, so that a run may be killed at any moment.
"""

import json
import math
import os
import platform
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import gantools
from gantools import figures, results, storage
from gantools.nets.precision import quick
from gantools.recording import Recording, View, describe, snapshot
from gantools.team import Team

FRAME, RUN = 1, 1  # versions of a frame's and of run.json's layout


@dataclass(frozen=True)
class Row:
    """A frame in numbers."""

    turn: int
    seconds: float  # of training since the start, over all sittings; looking is not counted
    measures: dict[str, float]

    def line(self) -> dict:
        return {"turn": self.turn, "seconds": round(self.seconds, 2), **self.measures}


def run(
    game,
    out: str | os.PathLike,
    turns: int,
    every: int,
    *,
    measure: Callable[[Any], dict[str, float]] | None = None,
    title: str = "",
    about: dict | None = None,
    resume: bool = False,
    checkpoint: float = 60.0,
    progress: bool = True,
    tensorboard: bool = False,
    command: str = "",
    floor: dict[str, float] | None = None,
) -> Recording | None:
    """Play the game until its turn `turns`, with a frame at the start, after every `every`-th turn and at the end.

    measure      the game -> numbers by name, at every frame; it looks at the game and leaves it as it is
    about        what the game is made of, JSON-able; a resumed run must have the same
    checkpoint   seconds between checkpoints, which are made at frames
    tensorboard  also write losses and measures for TensorBoard, below out/tensorboard
    command      what was typed, for the record
    floor        what real images measure, for the record

    Returns the recording, or None in a process that does not lead.  With `resume`, goes on from the last checkpoint of the folder, or begins where there
    is none.  FileExistsError if the folder holds a run and `resume` is not set; ValueError if it holds another
    run, naming what differs; OSError, with what to do, if the disk is full or the folder cannot be written;
    Diverged if a loss is not finite.  Whatever happens, the last checkpoint stays.
    """
    _whole("turns", turns), _whole("every", every)
    team = game.team = Team.here()
    leads = team is None or team.rank == 0
    keeper = Keeper(Path(out), game, turns, every, title, about or {}, {**made(command), "floor": floor or {}}, leads)
    with keeper.telling_what_to_do():
        keeper.open(resume)
        if keeper.finished is not None:
            return keeper.finished
        looks = Looks(game, keeper, measure, tensorboard)
        _play(game, keeper, looks, turns, every, checkpoint, progress)
        return keeper.close()


def _play(game, keeper: "Keeper", looks: "Looks", turns: int, every: int, checkpoint: float, progress: bool) -> None:
    """Algorithm 1, turn after turn, with looks at it between."""
    from tqdm.auto import tqdm

    names = [player.name for player in game.players]
    none = torch.full((), math.nan, device=game.device)
    if not keeper.rows:
        looks.look([], 0.0)
    saved, began, kept = time.monotonic(), time.perf_counter(), []
    silent = not (progress and keeper.leads)
    with tqdm(total=turns, initial=game.number, unit="turn", disable=silent, desc=keeper.title or None) as bar:
        while game.number < turns:
            turn = game.turn()
            kept.append(torch.stack([turn.losses.get(name, none) for name in names]))  # stays on the device
            bar.update()
            if turn.number % every and turn.number != turns:
                continue
            game.check()  # waits for the device
            row = looks.look(kept, time.perf_counter() - began)
            if row is not None:
                bar.set_postfix({name: f"{value:.3g}" for name, value in list(row.measures.items())[:3]})
            if turn.number == turns or time.monotonic() - saved >= checkpoint:
                keeper.checkpoint()
                saved = time.monotonic()
            began, kept = time.perf_counter(), []


class Looks:
    """Frames of a game: what its samples look like and what they measure."""

    def __init__(self, game, keeper: "Keeper", measure: Callable | None, tensorboard: bool):
        self.game, self.keeper, self.measure = game, keeper, measure
        self.writer = _writer(keeper.out / "tensorboard", game.number) if tensorboard and keeper.leads else None

    def look(self, losses: list[Tensor], seconds: float) -> Row | None:
        """Keep a frame of the game as it stands, with the losses and the seconds since the last one."""
        if not self.keeper.leads:
            return None
        measures = self._measured()
        played = torch.stack(losses).float().cpu() if losses else torch.zeros(0, len(self.game.players))
        row = Row(self.game.number, seconds + (self.keeper.rows[-1].seconds if self.keeper.rows else 0.0), measures)
        self.keeper.frame(row, snapshot(self.game, self.keeper.view), played)
        if self.writer:
            for name, value in measures.items():
                self.writer.add_scalar(f"measures/{name}", value, row.turn)
            for k, player in enumerate(self.game.players):
                for turn, value in enumerate(played[:, k].tolist(), row.turn - len(played) + 1):
                    self.writer.add_scalar(f"loss/{player.name}", value, turn)
            self.writer.flush()
        return row

    def _measured(self) -> dict[str, float]:
        if self.measure is None:
            return {}
        found = {name: float(value) for name, value in self.measure(self.game).items()}
        for name, value in found.items():
            if not math.isfinite(value):
                raise ValueError(f"the measure {name!r} is {value} at turn {self.game.number}, which cannot be kept")
        return found


def _writer(folder: Path, after: int):
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ModuleNotFoundError("TensorBoard is not installed: pip install 'gantools[tensorboard]'") from None
    return SummaryWriter(str(folder), purge_step=after + 1)


class Keeper:
    """A run's folder.  Processes that do not lead only read it."""

    def __init__(self, out: Path, game, turns: int, every: int, title: str, about: dict, made: dict, leads: bool):
        self.out, self.game, self.title, self.leads = out, game, title, leads
        self.made = made
        self.view = View.of(game)
        self.what = {"turns": turns, "every": every, "seed": game.seed, "batch_size": game.batch_size, **about}
        self.rows: list[Row] = []
        self.finished: Recording | None = None

    def open(self, resume: bool) -> None:
        """Make the folder, or go on with the run in it."""
        card, kept = self.out / "run.json", self.out / "checkpoint.safetensors"
        if self.leads:
            for folder in (self.out, self.out / "frames", self.out / "samples"):
                folder.mkdir(parents=True, exist_ok=True)
            for left in self.out.rglob("*.part"):  # of a process that was killed while it wrote
                left.unlink()
        if card.is_file():
            if not resume:
                raise FileExistsError(f"{self.out} holds a run: go on with it (resume), or choose another folder")
            self._same(_card(card))
        elif self.leads:
            made_of = {"version": RUN, "run": self.what, "made": self.made}
            storage.put(card, json.dumps(made_of, indent=1).encode())
        if kept.is_file():
            self.game.load(kept)
            self.rows = [_row(path) for path in self._frames()]
        if (self.out / "recording.safetensors").is_file() and self.game.number >= self.what["turns"]:
            self.finished = Recording.load(self.out / "recording.safetensors")

    def _same(self, card: dict) -> None:
        """ValueError unless the folder's run is this one."""
        mine = json.loads(json.dumps(self.what))
        differ = [
            f"{name} is {card['run'].get(name, 'missing')!r} there and {mine.get(name, 'missing')!r} here"
            for name in sorted(card["run"].keys() | mine.keys())
            if card["run"].get(name) != mine.get(name)
        ]
        if differ:
            raise ValueError(
                f"{self.out} holds another run: {'; '.join(differ)}. Resume it with the settings it began with, "
                "or choose another folder; nothing there was changed"
            )

    def _frames(self) -> list[Path]:
        """The files of frames up to the game's turn, in order."""
        paths = sorted((self.out / "frames").glob("*.safetensors"))
        return [path for path in paths if int(path.stem) <= self.game.number]

    def frame(self, row: Row, seen, losses: Tensor) -> None:
        tensors = {"fake": seen.fake, "losses": losses}
        tensors |= {name: part for name in ("surface", "pull") if (part := getattr(seen, name)) is not None}
        storage.write(self.out / "frames" / f"{row.turn:07d}.safetensors", "frame", FRAME, tensors, {"row": vars(row)})
        self.rows.append(row)
        lines = "".join(json.dumps(each.line()) + "\n" for each in self.rows)
        storage.put(self.out / "log.jsonl", lines.encode())
        if seen.fake.ndim == 4:
            storage.put(self.out / "samples" / f"{row.turn:07d}.png", figures.sheet(seen.fake))

    def checkpoint(self) -> None:
        if self.leads:
            self.game.save(self.out / "checkpoint.safetensors")

    def close(self) -> Recording | None:
        """Join the frames into a recording; None in a process that does not lead."""
        if not self.leads:
            return None
        parts = [storage.read(path, "frame", FRAME)[0] for path in self._frames()]
        stacked = {
            name: torch.stack([part[name] for part in parts])
            for name in ("fake", "surface", "pull") if name in parts[0]
        }  # fmt: skip
        names = list(self.rows[0].measures)
        measures = torch.tensor([[row.measures[name] for name in names] for row in self.rows]) if names else None
        about = {
            **describe(self.game, self.view, self.title, dict.fromkeys(names)),
            "seed": self.game.seed, "device": self.game.device.type, "seconds": round(self.rows[-1].seconds, 2),
            "gantools": gantools.__version__, "run": self.what, "made": self.made,
            "clock": [round(row.seconds, 2) for row in self.rows],
        }  # fmt: skip
        recording = Recording(
            torch.tensor([row.turn for row in self.rows]), self.view.real, stacked["fake"],
            torch.cat([part["losses"] for part in parts]), stacked.get("surface"), stacked.get("pull"), measures, about,
        )  # fmt: skip
        recording.save(self.out / "recording.safetensors")
        return recording

    @contextmanager
    def telling_what_to_do(self):
        """An error of the disk says where the run stands and how to go on."""
        try:
            yield
        except FileExistsError as error:
            if error.errno is None:  # ours, which says it already
                raise
            raise NotADirectoryError(f"{self.out} cannot be a run's folder: {error}") from error
        except OSError as error:
            kept = self.out / "checkpoint.safetensors"
            stands = "its last checkpoint is whole" if kept.is_file() else "there is no checkpoint yet"
            raise OSError(
                error.errno,
                f"the run in {self.out} could not be kept ({error.strerror or error}); {stands}. "
                "Make room, or make the folder writable, and resume",
            ) from error


def made(command: str = "") -> dict:
    """Command, commit, versions and machine, in words."""
    return {
        "command": command, "commit": results.commit(Path(__file__).parent),
        "gantools": gantools.__version__, "torch": torch.__version__, "python": platform.python_version(),
        "threads": torch.get_num_threads(), "machine": machine(),
    }  # fmt: skip


def machine() -> str:
    """This machine in words: accelerator or cores, and what the processor can do that matters here."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    halves = "with" if quick("cpu") else "without"
    vectors = torch.backends.cpu.get_cpu_capability()
    return f"{os.cpu_count()} {platform.machine()} cores, {vectors}, {halves} bfloat16"


def _row(path: Path) -> Row:
    return Row(**storage.read(path, "frame", FRAME)[1]["row"])


def _card(path: Path) -> dict:
    try:
        card = json.loads(path.read_text())
        version = card["version"], card["run"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged or describes no run: {error}") from None
    if version[0] != RUN:
        raise ValueError(f"{path} has version {version[0]}; this gantools reads version {RUN}: choose another folder")
    return card


def _whole(name: str, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a positive whole number, not {value!r}")

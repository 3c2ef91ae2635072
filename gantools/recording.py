"""Snapshots of a game: what Live shows as it happens and what `record` keeps for Replay.

    recording = record(game, turns=3000, every=20, title="A ring of eight")
    recording.save("ring.safetensors")

What the picture does not show can be measured beside it: `record(..., measure={"W1": transport.exact_w1()})`.
A snapshot looks at a game and changes nothing in it: the same latents every time, so that a generated point
can be followed from frame to frame, and none of the game's own random numbers.
"""

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

import gantools
from gantools import losses, storage
from gantools.data import to_uint8

VERSION = 2  # of the recording's layout
IMAGES = 64  # sample images in a frame, at most


@dataclass(frozen=True, eq=False)
class View:
    """How a game is looked at; `View.of(game)` finds out what there is to see.

    real      the data to show, (n, 2) float32 or (n, C, H, W) uint8, on the CPU
    box       (xmin, xmax, ymin, ymax) of the picture, or None for images
    grid      where the discriminator's surface is taken, (g * g, 2) row by row from the lowest y, or None
    arrows    at how many generated points the pull is drawn
    """

    real: Tensor
    box: tuple[float, float, float, float] | None
    grid: Tensor | None
    arrows: int

    @property
    def points(self) -> int:
        return len(self.real)

    @classmethod
    def of(cls, game, points: int = 400, grid: int = 40, arrows: int = 60) -> "View":
        """A view of that game. ValueError if its samples are neither points of the plane nor images."""
        for name, value in (("points", points), ("grid", grid)):
            _whole(name, value, 2)
        _whole("arrows", arrows, 0)
        real = game.real(points)
        if real.ndim == 4:
            return cls(to_uint8(real[:IMAGES]).cpu(), None, None, 0)
        if real.ndim != 2 or real.shape[1] != 2:
            raise ValueError(
                "only points of the plane (n, 2) and images (n, C, H, W) can be shown; "
                f"this game's data have the shape {tuple(real.shape)}"
            )
        box = tuple(getattr(game.data["real"], "box", None) or _around(real))
        if not _answers(game.pull, real[:1]):
            arrows = 0
        mesh = _mesh(box, grid).to(game.device) if _answers(game.score, real[:1]) else None
        return cls(real.cpu(), box, mesh, min(arrows, points))


@dataclass(frozen=True, eq=False)
class Frame:
    """A game at one moment, on the CPU.

    fake      generated points (n, 2) float32, or images (n, C, H, W) uint8
    surface   the discriminator on the grid, (g, g) uint8 with 255 for surely real, or None
    pull      minus the gradient of the generator's loss at the first points of `fake`, (a, 2), or None
    """

    turn: int
    fake: Tensor
    surface: Tensor | None = None
    pull: Tensor | None = None


def snapshot(game, view: View) -> Frame:
    """The game as it stands, seen through that view."""
    fake = game.sample(view.points)
    if view.box is None:
        return Frame(game.number, to_uint8(fake).cpu())
    surface = pull = None
    if view.grid is not None:
        side = math.isqrt(len(view.grid))
        real = _loss(game).realness(game.score(view.grid))
        surface = (255 * real).round().to(torch.uint8).view(side, side).cpu()
    if view.arrows:
        pull = game.pull(fake[: view.arrows]).cpu()
    return Frame(game.number, fake.cpu(), surface, pull)


@dataclass(frozen=True, eq=False)
class Recording:
    """A run, frame by frame.

    turns     the number of the turn at each of the T frames, (T,) int64
    real      data to compare with, (n, 2) float32 or (n, C, H, W) uint8; none where they may not be shown
    fake      generated, (T, n, 2) float32 or (T, n, C, H, W) uint8; row i has the same latent in every frame
    surface   the discriminator over the box, (T, g, g) uint8, or None
    pull      where the generator is drawn at the first points of `fake`, (T, a, 2) float32, or None
    losses    of each player at each turn, (turns played, players) float32
    measures  what was measured at each frame, (T, k) float32, or None; about["measures"] has the k names
    about     title, box, players, loss, level, measures, since, seed, device, seconds, gantools (its version)

    With several generators `since` says after which turn each joined: of the k that are there in a frame, row i
    is of generator i % k, and keeps its latent until another joins.  A loss is NaN until its player joins.
    """

    turns: Tensor
    real: Tensor
    fake: Tensor
    losses: Tensor
    surface: Tensor | None = None
    pull: Tensor | None = None
    measures: Tensor | None = None
    about: dict = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.turns)

    def __repr__(self) -> str:
        about = self.about
        shown = f"{len(self)} frames of {len(self.losses)} turns, seed {about['seed']}"
        return f"Recording {about['title']!r}: {shown}, {about['seconds']:.1f} s on {about['device']}"

    def save(self, path: str | os.PathLike) -> None:
        """Write safetensors with a JSON description, whole or not at all."""
        tensors = {name: value for name in _TENSORS if (value := getattr(self, name)) is not None}
        storage.write(path, "recording", VERSION, tensors, {"about": self.about})

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Recording":
        """Read what `save` wrote. ValueError if it is damaged, changed, or of another version."""
        tensors, about = storage.read(path, "recording", VERSION)
        return cls(**tensors, about=about["about"])


_TENSORS = ("turns", "real", "fake", "losses", "surface", "pull", "measures")


def record(
    game,
    turns: int,
    every: int,
    points: int = 400,
    grid: int = 40,
    arrows: int = 60,
    title: str = "",
    measure: Mapping[str, Callable] | None = None,
) -> Recording:
    """Play `turns` rounds and keep a frame before the first, after every `every`-th and after the last.

    `measure` names functions game -> number that are called at every frame: they look at the game and leave it
    as it is.  Raises ValueError if `turns` or `every` is not a positive whole number, nothing in the game can
    be shown or a measure is not finite, and Diverged if a loss is no longer finite.
    """
    _whole("turns", turns, 1)
    _whole("every", every, 1)
    view = View.of(game, points, grid, arrows)
    names = [player.name for player in game.players]
    start, began, none = game.number, time.perf_counter(), torch.full((), math.nan, device=game.device)
    frames, measured, kept = [snapshot(game, view)], [measurements(game, measure)], []
    for turn in game.turns(turns):
        kept.append(torch.stack([turn.losses.get(name, none) for name in names]))  # stays on the device
        done = turn.number - start
        if done % every == 0 or done == turns:
            frames.append(snapshot(game, view))
            measured.append(measurements(game, measure))
    game.check()
    about = {
        **describe(game, view, title, measure),
        "seed": game.seed,
        "device": str(game.device),
        "seconds": round(time.perf_counter() - began, 2),
        "gantools": gantools.__version__,
    }
    numbers = torch.tensor([frame.turn for frame in frames])
    fake, surface, pull = (_stack(frames, name) for name in ("fake", "surface", "pull"))
    played = torch.stack(kept).float().cpu()
    measures = torch.tensor(measured, dtype=torch.float32) if measure else None
    return Recording(numbers, view.real, fake, played, surface, pull, measures, about)


def measurements(game, measure: Mapping[str, Callable] | None) -> list[float]:
    """What the functions of `measure` say of the game; ValueError names one that gives no finite number."""
    found = []
    for name, look in (measure or {}).items():
        value = float(look(game))
        if not math.isfinite(value):
            raise ValueError(f"the measure {name!r} is {value} at turn {game.number}, which cannot be drawn")
        found.append(value)
    return found


def _stack(frames: list[Frame], name: str) -> Tensor | None:
    parts = [getattr(frame, name) for frame in frames]
    return None if parts[0] is None else torch.stack(parts)


def describe(game, view: View, title: str, measure: Mapping[str, Callable] | None = None) -> dict:
    """What a picture of the game must know besides its frames."""
    name = getattr(game.rules, "loss", None)
    return {
        "title": title,
        "box": list(view.box) if view.box else None,
        "players": [player.name for player in game.players],
        "loss": name,
        "level": level(name) if name else None,
        "measures": list(measure or ()),
        "since": list(getattr(game.rules, "since", ())),
    }


def level(name: str) -> float:
    """The discriminator's loss when generated and real data have one law and it cannot tell them apart."""
    loss = losses.get(name)
    even = torch.tensor(loss.even)
    return float(loss.discriminator(even, even))


def _loss(game):
    return losses.get(getattr(game.rules, "loss", "nonsaturating"))


def _whole(name: str, value: int, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")


def _answers(look, x: Tensor) -> bool:
    """Whether the game was built with that way of looking at it."""
    try:
        look(x)
    except ValueError:
        return False
    return True


def _around(points: Tensor) -> list[float]:
    low, high = points.amin(0), points.amax(0)
    margin = 0.3 * float((high - low).max()) or 1.0
    return [float(v) for pair in zip(low - margin, high + margin, strict=True) for v in pair]


def _mesh(box, side: int) -> Tensor:
    """(side * side, 2): row by row, x runs first."""
    xs, ys = torch.linspace(box[0], box[1], side), torch.linspace(box[2], box[3], side)
    return torch.stack([xs.repeat(side), ys.repeat_interleave(side)], dim=1)

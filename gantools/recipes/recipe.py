"""A game and how it is run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from gantools import data, metrics, train
from gantools.game import Game
from gantools.recording import Recording
from gantools.team import Team

PART = 500  # images that a generator makes at a time
BUDGETS = ("smoke", "cpu", "gpu")


@dataclass(frozen=True)
class Recipe:
    """A game and how it is run.

    images      of data.load: name, classes, size, ...
    build       (images, seed, device, **settings) -> Game
    settings    numbers and names that `build` takes
    turns       by budget
    panel       the kind of metrics.panel that measures it: "classes", "fingerprints", or "" for none
    besides     (game, panel) -> more numbers by name, or None
    frames      how often a run is looked at; four times on the `smoke` budget
    reference   (images, settings) -> those that the panel compares with, or None for all
    draw        (game, n, seed) -> the n images that the panel looks at, or None for `game.sample`
    """

    name: str
    about: str
    images: Mapping[str, Any]
    build: Callable[..., Game]
    settings: Mapping[str, Any]
    turns: Mapping[str, int]
    panel: str = ""
    frames: int = 24
    besides: Callable | None = None
    samples: Mapping[str, int] = field(default_factory=lambda: {"smoke": 200, "cpu": 2000, "gpu": 2000})
    reference: Callable | None = None
    draw: Callable | None = None

    def using(self, name: str | None = None, **settings: Any) -> "Recipe":
        """The recipe with another data set or other settings; ValueError for a setting that it does not have."""
        strange = settings.keys() - self.settings.keys()
        if strange:
            have = ", ".join(sorted(self.settings))
            raise ValueError(f"{self.name} has no setting {', '.join(sorted(strange))}; it has {have}")
        for key, value in settings.items():
            kind = type(self.settings[key])
            if not isinstance(value, (int, float) if kind is float else kind) or isinstance(value, bool) != (kind is bool):
                raise ValueError(f"the setting {key} must be a {kind.__name__}, like {self.settings[key]!r}; not {value!r}")
        images = {**self.images, "name": name} if name else self.images
        return replace(self, images=images, settings={**self.settings, **settings})

    def load(self, **options: Any) -> data.ImageSet:
        """The images that it is about."""
        return data.load(**{**self.images, **options})

    def game(self, images: data.ImageSet, seed: int = 0, device: str = "auto") -> Game:
        return self.build(images, seed, device, **self.settings)

    def train(
        self, out: str | Path, budget: str = "cpu", *, seed: int = 0, device: str = "auto", turns: int | None = None,
        frames: int | None = None, **options: Any,
    ) -> Recording | None:  # fmt: skip
        """Load, build, measure and run, looked at `frames` times; options are those of `train.run`, and its errors."""
        if budget not in BUDGETS:
            raise ValueError(f"a budget is one of {', '.join(BUDGETS)}, not {budget!r}")
        Team.here()  # before anything is placed on a device
        images, n = self.load(), self.samples[budget]
        turns = self.turns[budget] if turns is None else turns
        looks = frames or (4 if budget == "smoke" else self.frames)
        panel = self.measured(images, n)
        about = {
            "recipe": self.name, "data": dict(self.images), "checksum": images.checksum(), "settings": dict(self.settings),
            "samples": n if panel else 0,
        }  # fmt: skip
        return train.run(
            self.game(images, seed, device), out, turns, max(1, turns // looks), measure=self.seen(panel),
            floor=panel.floor if panel else None, title=self.about, about=about, **options,
        )  # fmt: skip

    def measured(self, images: data.ImageSet, n: int = 2000) -> metrics.Panel | None:
        """The panel of metrics of n samples; the judge of classes learns from all classes of the set."""
        if not self.panel:
            return None
        judge = metrics.judge(self.load(classes=None)) if self.panel == "classes" else None
        if self.reference:
            images = self.reference(images, self.settings)
        return metrics.panel(images, self.panel, n, judge=judge)

    def seen(self, panel: metrics.Panel | None) -> Callable | None:
        """game -> the panel's numbers of its samples, and what the recipe measures besides."""
        if panel is None:
            return None

        def look(game: Game) -> dict[str, float]:
            draw = self.draw or Game.sample
            samples = torch.cat([draw(game, m, 1 + k) for k, m in enumerate(_parts(panel.n))])
            return panel(samples) | (self.besides(game, panel) if self.besides else {})

        return look


def _parts(n: int) -> list[int]:
    """n in parts that fit into memory, none so small that batch norm would suffer."""
    k = max(1, n // PART)
    return [n // k + (i < n % k) for i in range(k)]

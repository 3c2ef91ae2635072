"""All metrics of one set of images at once, beside their floor: what real images get."""

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from gantools import data, divergences
from gantools.metrics.comparing import frechet, kid, prdc
from gantools.metrics.judging import Judge, RandomFeatures, as_bytes, random_features
from gantools.metrics.judging import judge as train_judge
from gantools.metrics.neighbours import copying
from gantools.metrics.prints import print_distances, prints
from gantools.metrics.recognising import found_in

__all__ = ["Panel", "panel"]

KINDS = ("classes", "fingerprints")
REFERENCES = 5000  # training images, and as many held out, among which the nearest is looked for


class Panel:
    """Metrics of generated images; made by `panel`.

    `panel(images)` takes n images or more, of which it looks at the first n, and returns numbers by name;
    `panel.floor` has the same for n real images that are not among the n compared with.
    """

    def __init__(self, images: data.ImageSet, kind: str, n: int, seed: int, judge, held_out):
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        if not isinstance(n, int) or isinstance(n, bool) or min(n, len(images) // 2) < 50:
            raise ValueError(f"50 samples and twice as many real images are needed, not {n!r}, {len(images)}")
        if held_out is not None and held_out.shape != images.shape:
            raise ValueError(f"images of {images.shape} and held out of {held_out.shape}: load both alike")
        self.kind, self.n = kind, min(n, len(images) // 2)
        self.shape, self.classes = images.shape, images.classes
        rng = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(images), generator=rng)
        pixels = images.images.cpu()
        self.reference, self.other = (pixels[order[k * self.n : (k + 1) * self.n]] for k in (0, 1))
        self.judge = _features(images, kind, judge, self.reference)
        self.learned = self.unseen = None
        if held_out is not None:  # the other real images must not be among those that could be copied
            size = min(REFERENCES, len(images) - self.n, len(held_out))
            rows = torch.randperm(len(held_out), generator=rng)[:size]
            self.learned = pixels[torch.cat([order[: self.n], order[2 * self.n :]])[:size]]
            self.unseen = held_out.images.cpu()[rows]
        self._real = self._look(self.reference)

    def __call__(self, images: Tensor) -> dict[str, float]:
        """Of n generated images or more, (m, C, H, W), uint8 or float in [-1, 1]; ValueError if fewer."""
        pixels = as_bytes(images, self.shape)
        if len(pixels) < self.n:
            raise ValueError(f"{len(pixels)} images are too few: compare {self.n}, for numbers depend on n")
        return self._compare(pixels[: self.n])

    @cached_property
    def floor(self) -> dict[str, float]:
        """The numbers of as many real images."""
        return self._compare(self.other)

    def __repr__(self) -> str:
        return f"Panel of {self.kind}: {self.n:,} images against as many real ones; {self.judge!r}"

    def _look(self, pixels: Tensor) -> tuple:
        """(features, probabilities of the classes or None, what is measured of fingerprints or None)."""
        if self.kind == "fingerprints":
            return self.judge.features(pixels), None, prints(pixels)
        features, probabilities = self.judge.both(pixels)
        return features, probabilities, None

    def _compare(self, pixels: Tensor) -> dict[str, float]:
        features, probabilities, lines = self._look(pixels)
        real = self._real
        distance = kid(features, real[0])
        found = {"frechet": frechet(features, real[0]), "kid": distance.value, "kid_error": distance.error,
                 **prdc(real[0], features)._asdict()}  # fmt: skip
        if probabilities is not None:
            found |= self._classes(probabilities, real[1])
        if lines is not None:
            found |= print_distances(lines, real[2])
        if self.learned is not None:
            near = copying(pixels, self.learned, self.unseen)
            found |= {"nearer_to_train": near.share, "distance_ratio": near.ratio}
        return found

    def _classes(self, fake: np.ndarray, real: np.ndarray) -> dict[str, float]:
        """Of both sides' probabilities, (n, classes)."""
        seen = found_in(fake, 0.9, 0.02)
        shares = [np.bincount(p.argmax(1), minlength=p.shape[1]) / len(p) for p in (fake, real)]
        mine = [k for k, name in enumerate(self.judge.classes) if name in self.classes]
        return {
            "classes": float(len(set(seen.classes) & set(mine))),
            "class_jsd": divergences.jsd(*shares),
            "in_classes": float(shares[0][mine].sum()),
            "recognised": seen.recognised,
        }


def panel(
    images: data.ImageSet,
    kind: str = "classes",
    n: int = 2000,
    seed: int = 0,
    *,
    judge: Judge | RandomFeatures | None = None,
    held_out: data.ImageSet | None = None,
) -> Panel:
    """The metrics of a set of real images, on which a generator learns; n at most half of them.

        eights = data.load("mnist", classes="8", size=32)
        panel = metrics.panel(eights, judge=metrics.judge(data.load("mnist", size=32)))
        panel(game.sample(2000)), panel.floor

    kind `classes`: features and recognition by `judge`, which is trained on `images` if it is not given; of a
    part of the classes it must be given, and have learned from all of them.
        frechet, kid (and kid_error), precision, recall, density, coverage    of features
        classes      how many of the images' classes have 2 % of the samples, recognised at 90 %
        class_jsd    JSD of the histograms of classes, fake and real, as the judge sees them, in nats
        in_classes   share of the samples that the judge takes for one of the images' classes (a poor metric:
                     one good picture, repeated, has 1)
        recognised   share of the samples about which the judge is sure (90 %)
    kind `fingerprints`: features by `random_features`, scaled by the real images compared with, and
        power_spectrum, ridge_frequency, coherence, grey                      `print_distances`
    with `held_out`, real images that the generator does not learn from (the test split), also
        nearer_to_train, distance_ratio                                       `copying`, expected 0.5 and 1

    Numbers can be compared at one n, set, size, seed and judge: with the floor, and between generators.
    Raises ValueError for fewer than 100 images, n below 50, and what does not fit together.
    """
    return Panel(images, kind, n, seed, judge, held_out)


def _features(images: data.ImageSet, kind: str, judge, reference: Tensor) -> Judge | RandomFeatures:
    """What makes features of the images; ValueError where it does not fit them."""
    if kind == "fingerprints":
        judge = (judge or random_features(images.shape)).scaled(reference)
    elif judge is None:
        if len(images.classes) < 2:
            raise ValueError(
                f"{images.name} has the one class {images.classes[0]!r} here: give a judge that learned from "
                f"all classes, panel(images, judge=metrics.judge(...)), at {images.shape[1]} pixels"
            )
        judge = train_judge(images)
    if tuple(judge.shape) != tuple(images.shape):
        raise ValueError(f"a judge of {judge.shape} cannot judge {images.shape}: give both one size")
    strange = set(images.classes) - set(judge.classes) if kind == "classes" else ()
    if strange:
        raise ValueError(f"the judge does not know the classes {', '.join(sorted(strange))}")
    return judge

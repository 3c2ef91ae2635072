"""What generated samples are worth, measured without a discriminator.

    modes_found     which components of a mixture they reach, and how many samples are good
    w1              exact W1 between two clouds of points
    classifier      a judge of labelled images, and classes_found: which classes a generator makes
    nearest         each image's nearest reference: is it copying?
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import ot
import torch
from numpy.typing import ArrayLike
from torch import Tensor

__all__ = ["Classifier", "Found", "Modes", "classes_found", "classifier", "modes_found", "nearest", "w1"]


class Modes(NamedTuple):
    """What a cloud of samples found of a mixture."""

    found: int
    high_quality: float  # share of the samples within `within` standard deviations of a centre
    shares: np.ndarray  # (k,): share of all samples near each centre


def modes_found(samples: Tensor, law, within: float = 3.0, minimum: float = 0.01) -> Modes:
    """Which modes of a Gaussian mixture the samples, (n, d), reach.

    A sample is of high quality within `within` standard deviations of its nearest centre (a perfect
    generator in the plane has 1 - exp(-4.5) = 0.988891 such samples at 3); a mode is found if at least the
    share `minimum` of all samples is high-quality there.  Raises ValueError for wrong shapes, a law without
    centres, or bad thresholds.  (MATH J)
    """
    if not hasattr(law, "centres"):
        raise ValueError("modes can be counted for mixtures only: this law has no centres")
    samples, centres = torch.as_tensor(samples).detach().cpu(), law.centres.cpu()
    if samples.ndim != 2 or not len(samples) or samples.shape[1] != centres.shape[1]:
        raise ValueError(f"samples must be (n, {centres.shape[1]}), not {tuple(samples.shape)}")
    if not within > 0 or not 0 < minimum <= 1:
        raise ValueError(f"within must be above 0 and minimum in (0, 1], not {within!r} and {minimum!r}")
    distance, nearest = torch.cdist(samples.double(), centres.double()).min(1)
    counts = torch.bincount(nearest[distance <= within * law.sd], minlength=len(centres))
    shares = counts.double().numpy() / len(samples)
    return Modes(int((shares >= minimum).sum()), float(shares.sum()), shares)


def w1(x: ArrayLike, y: ArrayLike) -> float:
    """Exact W1 between two clouds of points, (n, d) and (m, d), each point of equal weight; Euclidean cost.

    Solved by POT's network simplex: n = m = 500 takes some hundredths of a second, and memory grows with
    n m.  Raises ValueError for empty clouds, of different dimensions, or with points that are not finite.
    """
    x, y = (torch.as_tensor(cloud).detach().cpu().double().numpy() for cloud in (x, y))
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or not x.size or not y.size:
        raise ValueError(f"x and y must be clouds (n, d) and (m, d) of one dimension, not {x.shape} and {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("x and y must be finite")
    cost = ot.dist(x, y, metric="euclidean")  # (n, m)
    return float(ot.emd2([], [], cost, numItermax=10_000_000))


# ---- images -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Classifier:
    """A classifier of images and how often it was right on real ones it had not seen."""

    model: Any
    accuracy: float  # on the held-out third
    held_out: Tensor  # (n, C, H, W), those images

    def probabilities(self, images: Tensor) -> np.ndarray:
        """(n, C, H, W) in [-1, 1] -> (n, classes)."""
        return self.model.predict_proba(_flat(images))


def classifier(imageset, seed: int = 0) -> Classifier:
    """Train a one-layer network (scikit-learn, 64 hidden units) on two thirds of a labelled ImageSet.

    The split is stratified by class and depends on the seed alone.  It judges generators: they never see it.
    """
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    imageset = imageset.to("cpu")
    images, labels = imageset.images.float() / 127.5 - 1, imageset.labels.numpy()
    everything = np.arange(len(labels))
    train, test = train_test_split(everything, test_size=1 / 3, stratify=labels, random_state=seed)
    model = MLPClassifier((64,), alpha=1.0, tol=1e-3, max_iter=500, random_state=seed)
    model.fit(_flat(images[train]), labels[train])
    return Classifier(model, float(model.score(_flat(images[test]), labels[test])), images[test])


class Found(NamedTuple):
    classes: tuple[int, ...]  # those with at least the minimum share
    shares: np.ndarray  # (k,) share of all images that were recognised as each class
    recognised: float  # share of images about which the classifier is confident


def classes_found(
    images: Tensor, classifier: Classifier, confidence: float = 0.9, share: float = 0.02
) -> Found:
    """Which classes a generator makes.

    The protocol: an image is *recognised* as a class if the classifier gives that class a probability of at
    least `confidence`; a class is *found* if at least `share` of all images are recognised as it.
    Raises ValueError for no images or thresholds outside (0, 1].
    """
    if not (0 < confidence <= 1 and 0 < share <= 1):
        raise ValueError(f"confidence and share must lie in (0, 1], not {confidence!r} and {share!r}")
    probability = classifier.probabilities(images)
    sure = probability.max(axis=1) >= confidence
    counts = np.bincount(probability.argmax(axis=1)[sure], minlength=probability.shape[1])
    shares = counts / len(probability)
    return Found(tuple(int(k) for k in np.flatnonzero(shares >= share)), shares, float(sure.mean()))


def nearest(
    images: Tensor, references: Tensor, skip_self: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Each image's nearest reference: Euclidean distances over pixels in [-1, 1], (n,), and indices, (n,).

    skip_self: the images *are* the references, and none counts as its own neighbour.
    """
    a, b = torch.from_numpy(_flat(images)), torch.from_numpy(_flat(references))
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"images of {a.shape[1]} pixels cannot be compared with references of {b.shape[1]}")
    distance = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
    if skip_self:
        if a.shape != b.shape:
            raise ValueError("skip_self needs the same images as references")
        distance.fill_diagonal_(math.inf)
    found = distance.min(dim=1)
    return found.values.numpy(), found.indices.numpy()


def _flat(images: Tensor) -> np.ndarray:
    images = torch.as_tensor(images)
    if images.ndim < 2 or not len(images):
        raise ValueError(f"a batch of at least one image is needed, not shape {tuple(images.shape)}")
    return images.detach().cpu().double().flatten(1).numpy()

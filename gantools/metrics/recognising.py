"""A small judge of labelled images, and the classes that it recognises in generated ones."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from gantools.metrics.neighbours import flat

__all__ = ["Classifier", "Found", "classes_found", "classifier"]


@dataclass(frozen=True)
class Classifier:
    """A classifier of images and how often it was right on real ones it had not seen."""

    model: Any
    accuracy: float  # on the held-out third
    held_out: Tensor  # (n, C, H, W), those images

    def probabilities(self, images: Tensor) -> np.ndarray:
        """(n, C, H, W) in [-1, 1] -> (n, classes)."""
        return self.model.predict_proba(flat(images))


def classifier(imageset, seed: int = 0) -> Classifier:
    """Train a one-layer network (scikit-learn, 64 hidden units) on two thirds of a labelled ImageSet.

    The split is stratified by class and depends on the seed alone.  It judges generators: they never see it.
    For sets larger than the embedded digits there is `judge`.
    """
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    imageset = imageset.to("cpu")
    images, labels = imageset.images.float() / 127.5 - 1, imageset.labels.numpy()
    everything = np.arange(len(labels))
    train, test = train_test_split(everything, test_size=1 / 3, stratify=labels, random_state=seed)
    model = MLPClassifier((64,), alpha=1.0, tol=1e-3, max_iter=500, random_state=seed)
    model.fit(flat(images[train]), labels[train])
    return Classifier(model, float(model.score(flat(images[test]), labels[test])), images[test])


class Found(NamedTuple):
    classes: tuple[int, ...]  # those with at least the minimum share
    shares: np.ndarray  # (k,) share of all images that were recognised as each class
    recognised: float  # share of images about which the classifier is confident


def classes_found(images: Tensor, classifier, confidence: float = 0.9, share: float = 0.02) -> Found:
    """Which classes a generator makes; `classifier` is what `classifier` or `judge` returned.

    The protocol: an image is *recognised* as a class if the classifier gives that class a probability of at
    least `confidence`; a class is *found* if at least `share` of all images are recognised as it.
    Raises ValueError for no images or thresholds outside (0, 1].
    """
    if not (0 < confidence <= 1 and 0 < share <= 1):
        raise ValueError(f"confidence and share must lie in (0, 1], not {confidence!r} and {share!r}")
    return found_in(classifier.probabilities(images), confidence, share)


def found_in(probability: np.ndarray, confidence: float, share: float) -> Found:
    """The same from the probabilities, (n, classes)."""
    sure = probability.max(axis=1) >= confidence
    counts = np.bincount(probability.argmax(axis=1)[sure], minlength=probability.shape[1])
    shares = counts / len(probability)
    return Found(tuple(int(k) for k in np.flatnonzero(shares >= share)), shares, float(sure.mean()))

"""The image sets there are, by name, and where each is looked for.

`digits` comes with scikit-learn and `ridges` is drawn here.  The others are looked for below the folder that the
environment variable GANTOOLS_DATA names, then in the cache.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gantools.data import formats, ridges, socofing, store
from gantools.data.images import ImageSet, coloured, only, resized, whole

_FASHION = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def _digits(split: str, size: int | None, first: int | None) -> ImageSet:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.from_numpy(bunch.images * (255 / 16)).round().to(torch.uint8).unsqueeze(1)  # (1797, 1, 8, 8)
    source = "Optical recognition of handwritten digits (Alpaydin and Kaynak, UCI, 1998), as scikit-learn ships it"
    return ImageSet(
        images, torch.from_numpy(bunch.target).long(), tuple("0123456789"), source, "digits", SETS["digits"].licence
    )


def _mnist(split: str, size: int | None, first: int | None) -> ImageSet:
    images, labels = _idx_pair("MNIST", split)
    source = "The MNIST database of handwritten digits (LeCun, Cortes and Burges, 1998)"
    return ImageSet(images, labels, tuple("0123456789"), source, "mnist", SETS["mnist"].licence)


def _fashion(split: str, size: int | None, first: int | None) -> ImageSet:
    images, labels = _idx_pair("FashionMNIST", split)
    source = "Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017)"
    return ImageSet(images, labels, _FASHION, source, "fashion-mnist", SETS["fashion-mnist"].licence)


def _idx_pair(folder: str, split: str) -> tuple[Tensor, Tensor]:
    """Images (n, 1, 28, 28) uint8 and labels (n,) int64 from the set's two files."""
    import torchvision

    known = dict(getattr(torchvision.datasets, folder).resources)  # name -> md5
    part = "t10k" if split == "test" else "train"
    names = (f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz")
    images, labels = (formats.read_idx(store.find(f"{folder}/raw/{name}"), known[name]) for name in names)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
        raise ValueError(f"{folder}: images {images.shape} and labels {labels.shape} do not belong together")
    return torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels).long()


def _cifar10(split: str, size: int | None, first: int | None) -> ImageSet:
    path = store.find("CIFAR10/cifar10_subset.npz")
    held = formats.read_npz(path, (f"{split}_images", f"{split}_labels", "class_names"))
    images, labels, names = held.values()
    if images.dtype != np.uint8 or images.shape[1:] != (32, 32, 3) or labels.shape != images.shape[:1]:
        raise ValueError(f"{path.name} holds images of shape {images.shape} and labels {labels.shape}: not CIFAR-10")
    source = f"CIFAR-10 (Krizhevsky, 2009), {len(images):,} of its images"
    planes = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()  # (n, H, W, 3) -> (n, 3, H, W)
    names = tuple(name.decode() for name in names)
    return ImageSet(planes, torch.from_numpy(labels).long(), names, source, "cifar10", SETS["cifar10"].licence)


def _socofing(split: str, size: int | None, first: int | None) -> ImageSet:
    return socofing.read(store.find("SOCOFing/SOCOFing.zip", "SOCOFing/Real"), split, size)


def _ridges(split: str, size: int | None, first: int | None) -> ImageSet:
    return ridges.read(split, size, first)


@dataclass(frozen=True)
class Kind:
    """A set by its name: what it holds, what may be done with it, and how a split of it is read.

    read      (split, size, first) -> ImageSet; a set may ignore the size and the number that is wanted
    """

    read: Callable[[str, int | None, int | None], ImageSet]
    holds: str
    licence: str


SETS = {
    "digits": Kind(_digits, "1 x 8 x 8, 1,797", "CC BY 4.0"),
    "mnist": Kind(_mnist, "1 x 28 x 28, 60,000 + 10,000", "CC BY-SA 3.0, as third parties state it"),
    "fashion-mnist": Kind(_fashion, "1 x 28 x 28, 60,000 + 10,000", "MIT, Zalando SE 2017"),
    "cifar10": Kind(_cifar10, "3 x 32 x 32, 50,000 + 10,000", "none stated: cite Krizhevsky (2009)"),
    "socofing": Kind(_socofing, "1 x 80 x 80, 6,000 of 600 people", socofing.LICENCE),
    "ridges": Kind(_ridges, "1 x 80 x 80, 2,400 + 600", ridges.LICENCE),
}


def load(
    name: str,
    split: str | None = None,
    *,
    classes: Sequence[str] | None = None,
    size: int | None = None,
    channels: int | None = None,
    limit: int | None = None,
) -> ImageSet:
    """The image set of that name.

    `digits`          1,797 real handwritten digits, 1 x 8 x 8, which come with scikit-learn; they have no split
    `mnist`           1 x 28 x 28, 60,000 to train and 10,000 to test
    `fashion-mnist`   as many pictures of clothes, 1 x 28 x 28
    `cifar10`         3 x 32 x 32, 50,000 to train and 10,000 to test, or a part of them
    `socofing`        6,000 fingerprints of 600 people, or a part of them, 1 x 80 x 80; a fifth of the people to test
    `ridges`          synthetic fingerprints, drawn here, 1 x 80 x 80, 2,400 to train and 600 to test

    split      "train" (also if left out) or "test"
    classes    names of the classes to keep; labels count them in the order given
    size       side in pixels to bring the images to (bilinear, antialiased)
    channels   1: grey, by the weights of luma; 3: grey three times over
    limit      keep the first so many

    ValueError lists the names there are and says what is wrong with an option or a file, FileNotFoundError what
    to do where a set is not at hand.  Nothing else ever takes its place.
    """
    if name not in SETS:
        raise ValueError(f"there is no image set named {name!r}; choose one of {', '.join(SETS)}")
    if split not in (None, "train", "test"):
        raise ValueError(f'split must be "train" or "test", not {split!r}')
    if name == "digits" and split is not None:
        raise ValueError("digits come without a split: leave `split` out, and divide the 1,797 images yourself")
    for option, value in (("size", size), ("limit", limit)):
        if value is not None:
            whole(option, value)
    found = SETS[name].read(split or "train", size, limit if classes is None else None)
    if classes is not None:
        found = only(found, classes)
    if limit is not None:
        found = found.take(slice(limit))
    images = found.images
    if channels is not None:
        images = coloured(images, channels)
    if size is not None:
        images = resized(images, size)
    return found.with_images(images)

"""The image sets there are, by name: what each is, where it is looked for and whence it can be fetched.

`digits` comes with scikit-learn and `ridges` is drawn here.  The others are looked for below the folder that
the environment variable GANTOOLS_DATA names, then in the cache, then fetched into the cache.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gantools.data import formats, ridges, socofing, store
from gantools.data.images import ImageSet, coloured, joined, only, resized, whole
from gantools.data.store import Remote


@dataclass(frozen=True)
class Kind:
    """A set by its name.

    read      (split, size, first) -> ImageSet; a set may ignore the size and the number that is wanted
    holds     shape and number of its images, in words
    licence   what may be done with them
    remotes   the files to fetch: () -> tuple of them; none for a set that is not fetched file by file
    places    where else it may be: other places below a data folder that hold the whole of it
    private   whether its images show people, or parts of them, who did not agree to be published
    """

    read: Callable[[str, int | None, int | None], ImageSet]
    holds: str
    licence: str
    remotes: Callable[[], tuple[Remote, ...]] = tuple
    places: tuple[str, ...] = ()
    private: bool = False


def _digits(split: str, size: int | None, first: int | None) -> ImageSet:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.from_numpy(bunch.images * (255 / 16)).round().to(torch.uint8).unsqueeze(1)  # (n, 1, 8, 8)
    labels, names = torch.from_numpy(bunch.target).long(), tuple("0123456789")
    source = "Optical recognition of handwritten digits (Alpaydin and Kaynak, 1998), as scikit-learn ships it"
    return ImageSet(images, labels, names, source, "digits", SETS["digits"].licence)


# ---- MNIST and Fashion-MNIST ------------------------------------------------------------------------------

# Names, md5 and bytes as torchvision lists them (a test compares), which takes seconds to import.
_IDX = {
    "MNIST": (
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9912422),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", 28881),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", 1648877),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", 4542),
    ),
    "FashionMNIST": (
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26421880),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", 29515),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", 4422102),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", 5148),
    ),
}
_MIRRORS = {
    "MNIST": ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
    "FashionMNIST": ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
}


def _mnist(split: str, size: int | None, first: int | None) -> ImageSet:
    images, labels = _idx_pair("MNIST", split)
    source = "The MNIST database of handwritten digits (LeCun, Cortes and Burges, 1998)"
    return ImageSet(images, labels, tuple("0123456789"), source, "mnist", SETS["mnist"].licence)


def _fashion(split: str, size: int | None, first: int | None) -> ImageSet:
    images, labels = _idx_pair("FashionMNIST", split)
    names = ("T-shirt/top", "trouser", "pullover", "dress", "coat")
    names += ("sandal", "shirt", "sneaker", "bag", "ankle boot")
    source = "Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017)"
    return ImageSet(images, labels, names, source, "fashion-mnist", SETS["fashion-mnist"].licence)


def _idx_remotes(folder: str) -> tuple[Remote, ...]:
    """Images and labels to train, then to test."""
    return tuple(
        Remote(f"{folder}/raw/{name}", md5, size, tuple(mirror + name for mirror in _MIRRORS[folder]))
        for name, md5, size in _IDX[folder]
    )


def _idx_pair(folder: str, split: str) -> tuple[Tensor, Tensor]:
    """Images (n, 1, 28, 28) uint8 and labels (n,) int64 from the set's two files."""
    remotes = _idx_remotes(folder)[:2] if split == "train" else _idx_remotes(folder)[2:]
    images, labels = (formats.read_idx(store.have(remote), remote.md5) for remote in remotes)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
        raise ValueError(f"{folder}: images {images.shape} and labels {labels.shape} do not belong together")
    if labels.max(initial=0) > 9:
        raise ValueError(f"{folder} has a label {labels.max()}, and ten classes")
    return torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels).long()


# ---- CIFAR-10 ---------------------------------------------------------------------------------------------

_SUBSET = "CIFAR10/cifar10_subset.npz"
_CIFAR10 = Remote(
    "CIFAR10/cifar-10-binary.tar.gz",
    "c32a1d4ab5d03f1284b67883e8d87530",
    170052171,
    ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
)
_TRAIN = tuple(f"cifar-10-batches-bin/data_batch_{k}.bin" for k in range(1, 6))
_TEST = ("cifar-10-batches-bin/test_batch.bin",)
_BATCH = 10_000 * (
    1 + 3 * 32 * 32
)  # bytes: a label and the planes of red, green and blue, an image at a time


def _cifar10(split: str, size: int | None, first: int | None) -> ImageSet:
    path = store.look(_CIFAR10.place, _SUBSET) or store.fetch(_CIFAR10)
    planes, labels = (_npz_images if path.suffix == ".npz" else _binary_images)(path, split)
    if len(labels) and labels.max() > 9:
        raise ValueError(f"{path.name} has a label {labels.max()}, and CIFAR-10 ten classes")
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    part = "" if path.suffix != ".npz" else f", {len(planes):,} of its images"
    source = f"CIFAR-10 (Krizhevsky, 2009){part}"
    return ImageSet(
        torch.from_numpy(planes),
        torch.from_numpy(labels).long(),
        names,
        source,
        "cifar10",
        SETS["cifar10"].licence,
    )


def _npz_images(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3, 32, 32) uint8 and labels (n,) from a part of the set."""
    images, labels = formats.read_npz(path, (f"{split}_images", f"{split}_labels")).values()
    right = images.dtype == np.uint8 and images.shape[1:] == (32, 32, 3) and images.ndim == 4
    if not right or labels.dtype.kind not in "iu" or labels.shape != images.shape[:1] or (labels < 0).any():
        raise ValueError(f"{path.name} holds images {images.shape} and labels {labels.shape}: not CIFAR-10")
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)), labels


def _binary_images(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3, 32, 32) uint8 and labels (n,) from the published archive, whose md5 must be right."""
    if store.md5(path) != _CIFAR10.md5:
        raise ValueError(
            f"{path.name} is not the published file (its md5 differs): run `gantools data get cifar10`"
        )
    batches = formats.read_tar(path, _TRAIN if split == "train" else _TEST, _BATCH)
    rows = np.stack([np.frombuffer(batch, np.uint8) for batch in batches]).reshape(-1, 3073)
    return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0]


# ---- fingerprints -----------------------------------------------------------------------------------------


def _socofing(split: str, size: int | None, first: int | None) -> ImageSet:
    return socofing.read(store.look(*socofing.PLACES) or socofing.fetch(), split, size)


def _framed(split: str, size: int | None, first: int | None) -> ImageSet:
    return socofing.read(store.look(*socofing.PLACES) or socofing.fetch(), split, size, framed=True)


# Another way to read a set: what the scanner's frame does to a game.
OTHERWISE = {"socofing-framed": ("socofing", _framed)}


def _ridges(split: str, size: int | None, first: int | None) -> ImageSet:
    return ridges.read(split, size, first)


# ---- all of them ------------------------------------------------------------------------------------------

SETS = {
    "digits": Kind(_digits, "1 x 8 x 8, 1,797", "CC BY 4.0"),
    "mnist": Kind(
        _mnist, "1 x 28 x 28, 60,000 + 10,000", "CC BY-SA 3.0, as third parties state it",
        remotes=lambda: _idx_remotes("MNIST"),
    ),
    "fashion-mnist": Kind(
        _fashion, "1 x 28 x 28, 60,000 + 10,000", "MIT, Zalando SE 2017",
        remotes=lambda: _idx_remotes("FashionMNIST"),
    ),
    "cifar10": Kind(
        _cifar10, "3 x 32 x 32, 50,000 + 10,000", "none stated: cite Krizhevsky (2009)",
        remotes=lambda: (_CIFAR10,), places=(_SUBSET,),
    ),
    "socofing": Kind(
        _socofing, "1 x 80 x 80, 6,000 of 600 people", socofing.LICENCE, places=socofing.PLACES, private=True,
    ),
    "ridges": Kind(_ridges, "1 x 80 x 80, 2,400 + 600", ridges.LICENCE),
}  # fmt: skip


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

    `digits`          1,797 real handwritten digits, 1 x 8 x 8, which come with scikit-learn, without a split
    `mnist`           1 x 28 x 28, 60,000 to train and 10,000 to test
    `fashion-mnist`   as many pictures of clothes, 1 x 28 x 28
    `cifar10`         3 x 32 x 32, 50,000 to train and 10,000 to test, or a part of them
    `socofing`        6,000 fingerprints of 600 people, or a part, 1 x 80 x 80; a fifth of the people to test
    `socofing-framed` the same with the scanner's frame left on
    `ridges`          synthetic fingerprints, drawn here, 1 x 80 x 80, 2,400 to train and 600 to test
    `mnist+fashion-mnist`   both, mixed up; so any sets can be joined, once size and channels make them alike

    split      "train" (also if left out) or "test"
    classes    names of the classes to keep; labels count them in the order given
    size       side in pixels to bring the images to (bilinear, antialiased)
    channels   1: grey, by the weights of luma; 3: grey three times over
    limit      keep the first so many

    What is neither in the folder that GANTOOLS_DATA names nor in the cache is fetched, unless
    GANTOOLS_OFFLINE is set.  ValueError lists the names there are and says what is wrong with an option or a
    file, FileNotFoundError what to do where a set cannot be had.  Nothing else ever takes its place.
    """
    for option, value in (("size", size), ("limit", limit)):
        if value is not None:
            whole(option, value)
    if "+" in name:
        alike = {"size": size, "channels": channels}
        return _chosen(joined([load(part, split, **alike) for part in name.split("+")]), classes, limit)
    if name not in SETS and name not in OTHERWISE:
        raise ValueError(f"there is no image set named {name!r}; choose one of {', '.join([*SETS, *OTHERWISE])}")
    if split not in (None, "train", "test"):
        raise ValueError(f'split must be "train" or "test", not {split!r}')
    if name == "digits" and split is not None:
        raise ValueError("digits come without a split: leave `split` out, and divide the images yourself")
    read = OTHERWISE[name][1] if name in OTHERWISE else SETS[name].read
    found = read(split or "train", size, limit if classes is None else None)
    found = _chosen(found, classes, limit)
    images = found.images
    if channels is not None:
        images = coloured(images, channels)
    if size is not None:
        images = resized(images, size)
    return found.with_images(images)


def private(name: str) -> bool:
    """Whether images of the set of that name, or of one that is joined in it, may be used and not published.

    ValueError for a set that is not known: nobody can say so of it.
    """
    parts = [OTHERWISE.get(part, (part,))[0] for part in name.split("+")]
    strange = [part for part in parts if part not in SETS]
    if strange:
        raise ValueError(f"whether {', '.join(strange)} may be published is not known; there are {', '.join(SETS)}")
    return any(SETS[part].private for part in parts)


def _chosen(images: ImageSet, classes: Sequence[str] | None, limit: int | None) -> ImageSet:
    """Those classes, and of them the first so many."""
    if classes is not None:
        images = only(images, classes)
    return images if limit is None else images.take(slice(limit))

"""Sets of images: uint8 on the device, and where they are found.

`load(name)` looks at what comes with the packages (`digits`) and below the folder that the environment variable
GANTOOLS_DATA names: `MNIST/raw/*.gz` and `FashionMNIST/raw/*.gz`, read in place, and `CIFAR10/cifar10_subset.npz`.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gantools.data.source import Source

FOLDER = "GANTOOLS_DATA"
GREY = (0.299, 0.587, 0.114)  # the weights of red, green and blue (ITU-R BT.601)


@dataclass(frozen=True, eq=False)
class ImageSet(Source):
    """Images as uint8 (n, C, H, W) with labels (n,), the classes' names, and where it all came from.

    licence     what may be done with them, "" if nothing is known
    subjects    whose image it is, (n,) int64, where people were photographed or had their fingers taken
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    source: str
    name: str = "images"
    licence: str = ""
    subjects: Tensor | None = None

    def __post_init__(self):
        if self.images.dtype != torch.uint8 or self.images.ndim != 4:
            raise ValueError("images must be uint8 of shape (n, C, H, W)")
        if not len(self.images):
            raise ValueError("an image set needs at least one image")
        if self.labels.shape != self.images.shape[:1]:
            raise ValueError(f"{len(self.images)} images need as many labels, not {tuple(self.labels.shape)}")
        if self.subjects is not None and self.subjects.shape != self.images.shape[:1]:
            raise ValueError(f"{len(self.images)} images need as many subjects, not {tuple(self.subjects.shape)}")

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        return f"ImageSet {self.name!r}: {len(self):,} images of {shape}, {len(self.classes)} classes. {self.source}."

    def __len__(self) -> int:
        return len(self.images)

    @property
    def device(self) -> torch.device:
        return self.images.device

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W) of one image."""
        return tuple(self.images.shape[1:])

    def draw(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """n images with replacement, (n, C, H, W) float32 in [-1, 1], and their labels."""
        index = torch.randint(len(self.images), (n,), generator=generator, device=self.device)
        return to_float(self.images[index]), self.labels[index]

    def to(self, device) -> "ImageSet":
        subjects = None if self.subjects is None else self.subjects.to(device)
        return replace(self, images=self.images.to(device), labels=self.labels.to(device), subjects=subjects)

    def take(self, index: Tensor | slice) -> "ImageSet":
        """These of the images, by number, slice or mask, with all that belongs to them."""
        subjects = None if self.subjects is None else self.subjects[index]
        return replace(self, images=self.images[index], labels=self.labels[index], subjects=subjects)

    def checksum(self) -> str:
        """16 hexadecimal digits (of SHA-256) that tell these pixels and labels from any others."""
        digest = hashlib.sha256(str(tuple(self.images.shape)).encode())
        for tensor in (self.images, self.labels.long()):
            digest.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
        return digest.hexdigest()[:16]

    def repeats(self) -> list[list[int]]:
        """Groups of images that are alike in every pixel: their numbers, in order; usually there are none."""
        groups: dict[bytes, list[int]] = {}
        for number, image in enumerate(self.images.cpu().contiguous().numpy()):
            groups.setdefault(hashlib.sha256(image.data).digest(), []).append(number)
        return [group for group in groups.values() if len(group) > 1]


def to_float(images: Tensor) -> Tensor:
    """uint8 in 0..255 -> float32 in [-1, 1]."""
    return images.float().div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """float in [-1, 1] (clipped) -> uint8 in 0..255."""
    return images.clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)


# ---- what there is ----------------------------------------------------------------------------------------


def _digits(split: str | None) -> ImageSet:
    from sklearn.datasets import load_digits

    if split is not None:
        raise ValueError("digits come without a split: leave `split` out, and divide the 1,797 images yourself")
    bunch = load_digits()
    images = torch.from_numpy(bunch.images * (255 / 16)).round().to(torch.uint8).unsqueeze(1)  # (1797, 1, 8, 8)
    return ImageSet(
        images,
        torch.from_numpy(bunch.target).long(),
        tuple(str(digit) for digit in bunch.target_names),
        "Optical recognition of handwritten digits (Alpaydin and Kaynak, UCI, 1998), as scikit-learn ships it",
        "digits",
        "CC BY 4.0",
    )


def _mnist(split: str | None) -> ImageSet:
    images, labels = _idx_pair("MNIST", split)
    source = "The MNIST database of handwritten digits (LeCun, Cortes and Burges, 1998)"
    return ImageSet(images, labels, tuple("0123456789"), source, "mnist", "CC BY-SA 3.0, as third parties state it")


def _fashion(split: str | None) -> ImageSet:
    images, labels = _idx_pair("FashionMNIST", split)
    names = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
    source = "Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017)"
    return ImageSet(images, labels, names, source, "fashion-mnist", "MIT, Zalando SE")


def _cifar10(split: str | None) -> ImageSet:
    path, part = _at_hand("CIFAR10/cifar10_subset.npz"), _split(split)
    try:
        with np.load(path, allow_pickle=False) as kept:
            images, labels = kept[f"{part}_images"], kept[f"{part}_labels"]
            names = tuple(name.decode() for name in kept["class_names"])
    except (OSError, ValueError, KeyError, zlib.error) as error:
        raise ValueError(f"{path.name} is damaged or no part of CIFAR-10: {error}") from None
    if images.dtype != np.uint8 or images.shape[1:] != (32, 32, 3) or labels.shape != images.shape[:1]:
        raise ValueError(f"{path.name} holds images of shape {images.shape} and labels {labels.shape}: not CIFAR-10")
    source = f"CIFAR-10 (Krizhevsky, 2009), {len(images):,} of its images"
    planes = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()  # (n, H, W, 3) -> (n, 3, H, W)
    return ImageSet(planes, torch.from_numpy(labels).long(), names, source, "cifar10", "none stated: cite Krizhevsky (2009)")


_SETS = {"digits": _digits, "mnist": _mnist, "fashion-mnist": _fashion, "cifar10": _cifar10}


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
    `cifar10`         3 x 32 x 32, a part of it: 10,000 to train and 2,000 to test

    split      "train" (also if left out) or "test"
    classes    names of the classes to keep; labels count them in the order given
    size       side in pixels to bring the images to (bilinear, antialiased)
    channels   1: grey, by the weights of luma; 3: grey three times over
    limit      keep the first so many

    ValueError lists the names there are and says what is wrong with an option or a file, FileNotFoundError what
    to do where a set is not at hand.  Nothing else ever takes its place.
    """
    if name not in _SETS:
        raise ValueError(f"there is no image set named {name!r}; choose one of {', '.join(_SETS)}")
    found = _SETS[name](split)
    if classes is not None:
        found = only(found, classes)
    if limit is not None:
        _whole("limit", limit)
        found = found.take(slice(limit))
    if channels is not None:
        found = replace(found, images=_coloured(found.images, channels))
    if size is not None:
        _whole("size", size)
        found = replace(found, images=_resized(found.images, size))
    return found


def only(images: ImageSet, classes: Sequence[str]) -> ImageSet:
    """The images of these classes; labels then count the classes in the order given.

    Raises ValueError for no class, for one named twice, and for one that the set does not have.
    """
    classes = [classes] if isinstance(classes, str) else list(classes)
    strange = [name for name in classes if name not in images.classes]
    if not classes or strange or len(set(classes)) < len(classes):
        raise ValueError(
            f"classes must be some of {', '.join(images.classes)}, each once, not {', '.join(map(str, classes))}"
        )
    new = torch.full((len(images.classes),), -1, device=images.device)
    for number, name in enumerate(classes):
        new[images.classes.index(name)] = number
    labels = new[images.labels]
    return replace(images, labels=labels, classes=tuple(classes)).take(labels >= 0)


def _whole(name: str, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a positive whole number, not {value!r}")


def _coloured(images: Tensor, channels: int) -> Tensor:
    """(n, 1 or 3, H, W) -> (n, channels, H, W)."""
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3, not {channels!r}")
    if channels == images.shape[1]:
        return images
    if channels == 3:
        return images.repeat(1, 3, 1, 1)
    weights = torch.tensor(GREY, device=images.device).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True).round().to(torch.uint8)


def _resized(images: Tensor, size: int) -> Tensor:
    """(n, C, H, W) -> (n, C, size, size), some thousands at a time."""
    if images.shape[-2:] == (size, size):
        return images
    def resized(part: Tensor) -> Tensor:
        return interpolate(part.float(), (size, size), mode="bilinear", antialias=True).round().clamp(0, 255)

    return torch.cat([resized(part).to(torch.uint8) for part in images.split(4096)])


# ---- files ------------------------------------------------------------------------------------------------


def _split(split: str | None) -> str:
    if split not in (None, "train", "test"):
        raise ValueError(f'split must be "train" or "test", not {split!r}')
    return split or "train"


def _at_hand(place: str) -> Path:
    """The file at that place of the data folder; FileNotFoundError says what to do."""
    folder = os.environ.get(FOLDER)
    if not folder:
        raise FileNotFoundError(f"set the environment variable {FOLDER} to the folder that holds {place}")
    path = Path(folder) / place
    if not path.is_file():
        raise FileNotFoundError(f"there is no {place} in the folder that {FOLDER} names ({folder}): put it there")
    return path


def _idx_pair(folder: str, split: str | None) -> tuple[Tensor, Tensor]:
    """Images (n, 1, 28, 28) uint8 and labels (n,) int64 from the set's two files."""
    import torchvision

    known = dict(getattr(torchvision.datasets, folder).resources)  # name -> md5
    part = "t10k" if _split(split) == "test" else "train"
    names = (f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz")
    images, labels = (read_idx(_at_hand(f"{folder}/raw/{name}"), known[name]) for name in names)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
        raise ValueError(f"{folder}: images {images.shape} and labels {labels.shape} do not belong together")
    return torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels).long()


def read_idx(path: str | os.PathLike, md5: str | None = None) -> np.ndarray:
    """The array of bytes in an .idx.gz file, of as many dimensions as it says.

    Raises ValueError if the file is not the one with that md5, or is truncated, damaged or of another kind.
    """
    path = Path(path)
    packed = path.read_bytes()
    if md5 is not None and hashlib.md5(packed, usedforsecurity=False).hexdigest() != md5:
        raise ValueError(f"{path.name} is not the published file (its md5 differs): fetch it again")
    try:
        raw = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path.name} is damaged: {error}") from None
    if len(raw) < 4 or raw[:3] != b"\0\0\x08" or not 1 <= raw[3] <= 4 or len(raw) < 4 + 4 * raw[3]:
        raise ValueError(f"{path.name} is no idx file of bytes")
    shape = np.frombuffer(raw, ">u4", count=raw[3], offset=4).astype(np.int64)
    body = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3])
    if body.size != np.prod(shape.astype(object)):
        raise ValueError(f"{path.name} promises {' x '.join(map(str, shape))} bytes and holds {body.size}")
    return body.reshape(shape).copy()

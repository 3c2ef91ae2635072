"""Sets of images, uint8 on the device, and what can be done with them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gantools.data.source import Source

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
            raise ValueError(
                f"{len(self.images)} images need as many subjects, not {tuple(self.subjects.shape)}"
            )

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        held = f"{len(self):,} images of {shape}, {len(self.classes)} classes"
        return f"ImageSet {self.name!r}: {held}. {self.source}."

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

    def with_images(self, images: Tensor) -> "ImageSet":
        """The same with other pixels, (n, C, H, W) uint8."""
        return self if images is self.images else replace(self, images=images)

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


def only(images: ImageSet, classes: Sequence[str]) -> ImageSet:
    """The images of these classes; labels then count the classes in the order given.

    Raises ValueError for no class, for one named twice, and for one that the set does not have.
    """
    classes = [classes] if isinstance(classes, str) else list(classes)
    strange = [name for name in classes if name not in images.classes]
    if not classes or strange or len(set(classes)) < len(classes):
        raise ValueError(
            f"classes must be some of {', '.join(images.classes)}, each once,"
            f" not {', '.join(map(str, classes))}"
        )
    new = torch.full((len(images.classes),), -1, device=images.device)
    for number, name in enumerate(classes):
        new[images.classes.index(name)] = number
    labels = new[images.labels]
    return replace(images, labels=labels, classes=tuple(classes)).take(labels >= 0)


def joined(parts: Sequence[ImageSet]) -> ImageSet:
    """The images of several sets in one, mixed up in an order that depends on their number alone.

    Labels of the second set count on from those of the first, and so forth; source and licence are those of
    all.  Raises ValueError unless there are two sets or more, images have one shape, and no class two meanings.
    """
    shapes = {part.name: part.shape for part in parts}
    if len(shapes) < max(2, len(parts)):
        raise ValueError(f"two sets or more can be joined, each once, not {', '.join(part.name for part in parts)}")
    if len(set(shapes.values())) > 1:
        raise ValueError(f"images must have one shape to be joined, not {shapes}: give size and channels")
    classes = tuple(name for part in parts for name in part.classes)
    twice = sorted({name for name in classes if classes.count(name) > 1})
    if twice:
        raise ValueError(f"more than one of {', '.join(shapes)} has the class {', '.join(twice)}: choose other sets")
    starts = [sum(len(part.classes) for part in parts[:k]) for k in range(len(parts))]
    labels = torch.cat([part.labels + start for part, start in zip(parts, starts, strict=True)])
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0)).to(labels.device)
    return ImageSet(
        torch.cat([part.images for part in parts])[order], labels[order], classes,
        "; ".join(part.source for part in parts), "+".join(shapes),
        "; ".join(f"{part.name}: {part.licence}" for part in parts),
    )  # fmt: skip


def whole(name: str, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a positive whole number, not {value!r}")


def coloured(images: Tensor, channels: int) -> Tensor:
    """(n, 1 or 3, H, W) -> (n, channels, H, W)."""
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3, not {channels!r}")
    if channels == images.shape[1]:
        return images
    if channels == 3:
        return images.repeat(1, 3, 1, 1)
    weights = torch.tensor(GREY, device=images.device).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True).round().to(torch.uint8)


def resized(images: Tensor, size: int) -> Tensor:
    """(n, C, H, W) -> (n, C, size, size), bilinear and antialiased, some thousands at a time."""
    if images.shape[-2:] == (size, size):
        return images
    parts = (
        interpolate(part.float(), (size, size), mode="bilinear", antialias=True)
        for part in images.split(4096)
    )
    return torch.cat([part.round().clamp(0, 255).to(torch.uint8) for part in parts])

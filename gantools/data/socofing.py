"""SOCOFing, the Sokoto Coventry Fingerprint Dataset: the ten fingers of 600 people, in grey.

The images are BMP files named `<subject>__<M or F>_<Left or Right>_<finger>_finger.BMP` below `Real/`, in a zip
archive that is read as it lies or in an unpacked folder.  They carry a frame, two grey lines at the left and top
and four black ones at the right and bottom, which a net would learn before any ridge: it is cut off.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gantools.data.formats import read_bmp, read_zip
from gantools.data.images import ImageSet, resized

SIZE = 80  # pixels a side unless another is asked for
FINGERS = tuple(f"{hand} {finger}" for hand in ("left", "right") for finger in "thumb index middle ring little".split())
SOURCE = "SOCOFing (Shehu, Ruiz-Garcia, Palade and James, 2018, arXiv 1807.10609), {:,} of its 6,000 images"
LICENCE = "for noncommercial research (arXiv 1807.10609); real people's biometrics: cite, never publish the images"
SUBJECTS, LARGEST = 600, 1 << 18  # people; bytes of a file, which has 39,690 or 215,890
NAME = re.compile(r"(\d{1,3})__([MF])_(Left|Right)_(thumb|index|middle|ring|little)_finger\.BMP")
REAL = re.compile(r"(?:[^/]+/)*Real/[^/]+")


def read(path: Path, split: str, size: int | None = None) -> ImageSet:
    """The fingerprints of that split, in order of subject and finger, size x size, from an archive or folder.

    A fifth of the subjects, those whose number five divides, are for testing.  Some files repeat another byte for
    byte under another subject: subjects who share one stand on one side, that of the lowest among them.
    ValueError if a file is damaged or named otherwise, or a finger comes twice.
    """
    found: dict[tuple[int, int], np.ndarray] = {}
    digests: dict[tuple[int, int], bytes] = {}
    sexes: dict[int, str] = {}
    for name, content in files(path):
        key = _finger(name, sexes)
        if key in found:
            raise ValueError(f"{path.name} holds two files for the {FINGERS[key[1]]} finger of subject {key[0]}")
        digests[key] = hashlib.sha256(content).digest()
        found[key] = _unframed(_grey(content, name))
    test = _held_out(digests)
    keys = [key for key in sorted(found) if (key[0] in test) == (split == "test")]
    if not keys:
        raise ValueError(f"{path} holds no fingerprint for the split {split!r}: it should have 6,000 files Real/*.BMP")
    subjects, labels = torch.tensor(keys).unbind(1)
    images = _together([found[key] for key in keys], size or SIZE)
    return ImageSet(images, labels.clone(), FINGERS, SOURCE.format(len(found)), "socofing", LICENCE, subjects.clone())


def files(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the files directly below Real/."""
    if path.is_dir():
        inside = sorted(path.iterdir())
        if len(inside) > 10 * SUBJECTS + 100:
            raise ValueError(f"{path} holds {len(inside):,} files where 6,000 are expected")
        for file in inside:
            if file.stat().st_size > LARGEST:
                raise ValueError(f"{path}: {file.name} has {file.stat().st_size:,} bytes: it is no SOCOFing image")
            yield file.name, file.read_bytes()
    else:
        for name, content in read_zip(path, REAL, LARGEST, 10 * SUBJECTS):
            yield name.rpartition("/")[2], content


def _finger(name: str, sexes: dict[int, str]) -> tuple[int, int]:
    """(subject, number of the finger) that a file's name tells."""
    parts = NAME.fullmatch(name)
    if not parts or not 1 <= int(parts[1]) <= SUBJECTS:
        raise ValueError(f"{name!r} is no SOCOFing name: <1 to 600>__<M or F>_<Left or Right>_<finger>_finger.BMP")
    subject = int(parts[1])
    if sexes.setdefault(subject, parts[2]) != parts[2]:
        raise ValueError(f"{name}: another file calls subject {subject} {sexes[subject]}")
    return subject, FINGERS.index(f"{parts[3].lower()} {parts[4]}")


def _grey(content: bytes, name: str) -> np.ndarray:
    pixels = read_bmp(content, name, largest=1024)
    if min(pixels.shape[:2]) < 32 or (pixels != pixels[..., :1]).any():
        raise ValueError(f"{name} is coloured or smaller than 32 x 32: it is no SOCOFing image")
    return pixels[..., 0]


def _unframed(image: np.ndarray) -> np.ndarray:
    """Without its frame, which shows by four (nearly) black lines at the bottom and the right."""
    framed = image[-4:].max() < 64 and image[:, -4:].max() < 64
    return image[2:-4, 2:-4] if framed else image


def _held_out(digests: dict[tuple[int, int], bytes]) -> set[int]:
    """The subjects for testing; those who share a file byte for byte are kept together."""
    lowest = {subject: subject for subject, _ in digests}

    def first(subject: int) -> int:
        while lowest[subject] != subject:
            subject = lowest[subject]
        return subject

    seen: dict[bytes, int] = {}
    for (subject, _), digest in sorted(digests.items()):
        one, other = sorted((first(seen.setdefault(digest, subject)), first(subject)))
        lowest[other] = one
    return {subject for subject in lowest if first(subject) % 5 == 0}


def _together(images: Iterable[np.ndarray], size: int) -> Tensor:
    """Grey images of several shapes -> (n, 1, size, size) uint8; those of one shape go together."""
    images = list(images)
    shapes = [image.shape for image in images]
    together = torch.empty(len(images), 1, size, size, dtype=torch.uint8)
    for shape in set(shapes):
        members = [k for k, other in enumerate(shapes) if other == shape]
        alike = torch.from_numpy(np.stack([images[k] for k in members])).unsqueeze(1)
        together[members] = resized(alike, size)
    return together

"""SOCOFing, the Sokoto Coventry Fingerprint Dataset: the ten fingers of 600 people, in grey.

The images are BMP files named `<subject>__<M or F>_<Left or Right>_<finger>_finger.BMP` below `Real/`, in a
zip archive that is read as it lies or in an unpacked folder.  They carry a frame, two grey lines at the left
and top and four black ones at the right and bottom, which a net would learn before any ridge: it is cut off.
"""

import hashlib
import importlib
import re
import shutil
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gantools.data import store
from gantools.data.formats import read_bmp, read_zip
from gantools.data.images import ImageSet, resized

SIZE = 80  # pixels a side unless another is asked for
HANDS, KINDS = ("left", "right"), ("thumb", "index", "middle", "ring", "little")
FINGERS = tuple(f"{hand} {kind}" for hand in HANDS for kind in KINDS)
EXPECTED = "it should have 6,000 files SOCOFing/Real/*.BMP"
PLACES = (
    "SOCOFing/SOCOFing.zip",
    "SOCOFing/archive.zip",
    "SOCOFing/Real",
)  # Kaggle's page names it archive.zip
SOURCE = "SOCOFing (Shehu, Ruiz-Garcia, Palade and James, 2018, arXiv 1807.10609), {:,} of its 6,000 images"
LICENCE = "noncommercial research (arXiv 1807.10609); real people's biometrics: cite, publish no image"
SUBJECTS, LARGEST = 600, 1 << 18  # people; bytes of a file, which has 39,690 or 215,890
NAME = re.compile(r"([1-9]\d{0,2})__([MF])_(Left|Right)_(thumb|index|middle|ring|little)_finger\.BMP")
REAL = re.compile(r"(?:SOCOFing/)?Real/[^/]+")


@dataclass(frozen=True)
class Found:
    """What an archive or folder holds: grey images (H, W), SHA-256 and size of each file.

    All by (subject, number of the finger), sorted.
    """

    images: dict[tuple[int, int], np.ndarray]
    digests: dict[tuple[int, int], bytes]
    shapes: dict[tuple[int, int], tuple[int, int]]

    def repeats(self) -> list[list[tuple[int, int]]]:
        """Groups of fingers whose files are alike byte for byte."""
        groups: dict[bytes, list[tuple[int, int]]] = {}
        for key, digest in self.digests.items():
            groups.setdefault(digest, []).append(key)
        return [group for group in groups.values() if len(group) > 1]

    def held_out(self) -> set[int]:
        """The subjects for testing: those whose number five divides; who share a file stand on one side.

        That of the lowest number among them.
        """
        lowest = {subject: subject for subject, _ in self.images}

        def first(subject: int) -> int:
            while lowest[subject] != subject:
                subject = lowest[subject]
            return subject

        for group in self.repeats():
            for subject, _ in group:
                one, other = sorted((first(group[0][0]), first(subject)))
                lowest[other] = one
        return {subject for subject in lowest if first(subject) % 5 == 0}


def read(path: Path, split: str, size: int | None = None, framed: bool = False) -> ImageSet:
    """The fingerprints of that split, in order of subject and finger, size x size, from an archive or folder.

    `framed` leaves the frame on, to show what it does to a game.  A fifth of the subjects are for testing (`Found.held_out`).  ValueError if a file is damaged or named
    otherwise, or a finger comes twice.
    """
    found = gather(path, framed)
    test = found.held_out()
    keys = [key for key in found.images if (key[0] in test) == (split == "test")]
    if not keys:
        raise ValueError(f"{path} holds no fingerprint for the split {split!r}: {EXPECTED}")
    subjects, labels = torch.tensor(keys).unbind(1)
    images = _together([found.images[key] for key in keys], size or SIZE)
    source = SOURCE.format(len(found.images))
    name = "socofing-framed" if framed else "socofing"
    return ImageSet(images, labels.clone(), FINGERS, source, name, LICENCE, subjects.clone())


def gather(path: Path, framed: bool = False) -> Found:
    """All that an archive or folder holds; ValueError as `read` says."""
    images, digests, shapes, sexes = {}, {}, {}, {}
    for name, content in files(path):
        key = _finger(name, sexes)
        if key in images:
            raise ValueError(f"{path.name} holds two files for the {FINGERS[key[1]]} of subject {key[0]}")
        grey = _grey(content, name)
        digests[key], shapes[key] = hashlib.sha256(content).digest(), grey.shape
        images[key] = grey if framed else _unframed(grey)
    return Found(*({key: each[key] for key in sorted(images)} for each in (images, digests, shapes)))


def files(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the files directly below Real/."""
    if path.is_dir():
        inside = sorted(path.iterdir())
        if len(inside) > 10 * SUBJECTS + 100:
            raise ValueError(f"{path} holds {len(inside):,} files where 6,000 are expected")
        for file in inside:
            if file.stat().st_size > LARGEST:
                raise ValueError(
                    f"{path}: {file.name} has {file.stat().st_size:,} bytes: it is no SOCOFing image"
                )
            yield file.name, file.read_bytes()
    else:
        for name, content in read_zip(path, REAL, LARGEST, 10 * SUBJECTS):
            yield name.rpartition("/")[2], content


def _finger(name: str, sexes: dict[int, str]) -> tuple[int, int]:
    """(subject, number of the finger) that a file's name tells."""
    parts = NAME.fullmatch(name)
    if not parts or not 1 <= int(parts[1]) <= SUBJECTS:
        raise ValueError(
            f"{name!r} is no SOCOFing name: <1 to 600>__<M or F>_<Left or Right>_<finger>_finger.BMP"
        )
    subject = int(parts[1])
    if sexes.setdefault(subject, parts[2]) != parts[2]:
        raise ValueError(f"{name}: another file calls subject {subject} {sexes[subject]}")
    return subject, FINGERS.index(f"{parts[3].lower()} {parts[4]}")


def _grey(content: bytes, name: str) -> np.ndarray:
    """(H, W) uint8, apart from the file's bytes, which may be forgotten."""
    red, green, blue = read_bmp(content, name, largest=1024).transpose(2, 0, 1)
    grey = np.ascontiguousarray(red)
    if min(grey.shape) < 32 or not (np.array_equal(grey, green) and np.array_equal(grey, blue)):
        raise ValueError(f"{name} is coloured or smaller than 32 x 32: it is no SOCOFing image")
    return grey


def _unframed(image: np.ndarray) -> np.ndarray:
    """Without its frame, which shows by four (nearly) black lines at the bottom and the right."""
    framed = image[-4:].max() < 64 and image[:, -4:].max() < 64
    return image[2:-4, 2:-4] if framed else image


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


# ---- fetching ---------------------------------------------------------------------------------------------

DATASET = "ruizgara/socofing"  # on Kaggle; most of it are altered copies of the images


def fetch() -> Path:
    """Bring the 6,000 real images into the cache, as one archive, and return its path.

    `kagglehub` downloads and unpacks all of the data set below the cache; what is kept is checked first.
    FileNotFoundError says what to do where that cannot be done.
    """
    path = store.cache() / "data" / PLACES[0]
    with store.alone(path):
        if path.is_file():
            return path
        store.allowed(PLACES[0])
        try:
            kagglehub = importlib.import_module("kagglehub")
        except ImportError:
            reason = "fetching it needs kagglehub (pip install 'gantools[kaggle]')"
            raise FileNotFoundError(store.absent(PLACES[0], reason)) from None
        print(f"Fetching {DATASET} from Kaggle; only its 6,000 real images will be kept", file=sys.stderr)
        folder = path.with_name("kaggle")
        try:
            _keep(
                Path(kagglehub.dataset_download(DATASET, output_dir=str(folder), force_download=True)), path
            )
        except Exception as error:  # kagglehub's own share no class
            raise FileNotFoundError(store.absent(PLACES[0], f"Kaggle gave no SOCOFing: {error}")) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return path


def _keep(folder: Path, path: Path) -> None:
    """Pack the real images below an unpacked folder, once they have been read, as the archive `path`."""
    real = next((below for below in (folder / "SOCOFing" / "Real", folder / "Real") if below.is_dir()), None)
    if real is None:
        raise ValueError(f"there is no Real in what came; {EXPECTED}")
    packed = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(real.iterdir()):
                archive.write(file, f"SOCOFing/Real/{file.name}")
        held = gather(packed)
        if len(held.images) != 10 * SUBJECTS:
            raise ValueError(f"{len(held.images):,} images came; {EXPECTED}")
        packed.replace(path)
    finally:
        packed.unlink(missing_ok=True)

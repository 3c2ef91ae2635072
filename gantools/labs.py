"""What the labs share: how long their runs may be, files to take apart, runs that are kept to be compared with."""

import os
import struct
import textwrap
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from torch.nn.functional import interpolate

import gantools
from gantools.data import ImageSet, socofing, store
from gantools.recipes import BUDGETS

BUDGET = "GANTOOLS_BUDGET"


def budget() -> str:
    """`smoke`, `cpu` or `gpu`: what $GANTOOLS_BUDGET says; without it `smoke` while nbgrader grades, else `cpu`.

    Raises ValueError for any other.
    """
    graded = "NBGRADER_EXECUTION" in os.environ  # nbgrader's autograder and validator say so
    chosen = os.environ.get(BUDGET) or ("smoke" if graded else "cpu")
    if chosen not in BUDGETS:
        raise ValueError(f"{BUDGET} must be one of {', '.join(BUDGETS)}, not {chosen!r}")
    return chosen


def pick(*, smoke: Any, cpu: Any, gpu: Any) -> Any:
    """The one of these that belongs to the budget: numbers of turns, sizes of nets or sets."""
    return {"smoke": smoke, "cpu": cpu, "gpu": gpu}[budget()]


# ---- files ------------------------------------------------------------------------------------------------


def bmp(pixels: np.ndarray, bits: int = 24, offset: int = 54, top_down: bool = False) -> bytes:
    """A BMP file of these pixels, uint8 (H, W, 3), red first, which begin at byte `offset` of it.

    Raises ValueError for other arrays, for bits that are not 24 or 32, and for an offset below 54.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"pixels must be uint8 (H, W, 3), not {pixels.dtype} {pixels.shape}")
    if bits not in (24, 32) or offset < 54:
        raise ValueError(f"bits must be 24 or 32 and the offset at least 54, not {bits} and {offset}")
    height, width, _ = pixels.shape
    stored = pixels[:: 1 if top_down else -1, :, ::-1]  # blue, green, red
    if bits == 32:
        stored = np.concatenate([stored, np.full((height, width, 1), 255, np.uint8)], 2)
    rows = stored.reshape(height, -1)
    body = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)), constant_values=170).tobytes()
    head = struct.pack("<2sI4xI", b"BM", offset + len(body), offset)
    head += struct.pack("<IiiHHIIiiII", 40, width, -height if top_down else height, 1, bits, 0, len(body), 0, 0, 0, 0)
    return head + bytes(offset - len(head)) + body


def scans(prints: ImageSet, n: int) -> list[bytes]:
    """n BMP files: of `socofing` those that were published, in the order of their names; of `ridges` as if scanned.

    Raises ValueError for any other set.
    """
    if prints.name == "socofing":
        path = store.find(*socofing.PLACES)
        return [content for _, content in islice(socofing.files(path), n)]
    if prints.name != "ridges":
        raise ValueError(f"there are scans of socofing and of ridges, not of {prints.name}")
    images = interpolate(prints.images[:n].float(), (97, 90), mode="bilinear").byte()[:, 0].numpy()
    framed = np.pad(images, ((0, 0), (1, 0), (1, 0)), constant_values=105)
    framed = np.pad(framed, ((0, 0), (1, 0), (1, 0)), constant_values=160)
    framed = np.pad(framed, ((0, 0), (0, 4), (0, 4)))  # (n, 103, 96), with SOCOFing's frame
    return [bmp(np.repeat(image[..., None], 3, 2), bits=32, offset=138) for image in framed]


# ---- what was recorded ------------------------------------------------------------------------------------


def folder(lab: str) -> Path:
    """Where the repository that this gantools is part of keeps that lab's runs: `book/results/labs/<lab>`."""
    return Path(gantools.__file__).resolve().parents[1] / "book" / "results" / "labs" / lab


class Elsewhere:
    """Stands where a recording would be shown, and says where it is."""

    def __init__(self, lab: str, name: str):
        self.text = (
            f"`{name}` of {lab} comes with the book's repository, and not with the installed package: look at it "
            "on the lab's page in the book."
        )

    def __repr__(self) -> str:
        return self.text


# What shows a run is imported when one is shown: a lab that computes need not wait for it.


def replay(lab: str, name: str, **options) -> Any:
    """The recorded run of that name as a figure, `widgets.Replay(recording, **options)`.

    Where gantools was installed without its repository there are no recordings; then a sentence says so.
    """
    from gantools.recording import Recording
    from gantools.widgets import Replay

    path = folder(lab) / f"{name}.safetensors.gz"
    return Replay(Recording.load(path), **options) if path.is_file() else Elsewhere(lab, name)


def table(lab: str, name: str, *columns: str) -> None:
    """Print these columns of what was measured and kept under that name, how, and by which command.

    Where gantools was installed without its repository there are no results; then a sentence says so.
    """
    from gantools import results

    path = folder(lab) / f"{name}.json"
    if not path.is_file():
        print(Elsewhere(lab, name))
        return
    kept = results.load(path)
    rows = [columns, *([_text(row[column]) for column in columns] for row in kept.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    print(f"\n{textwrap.fill(kept.about['protocol'], 76)}\n\n{textwrap.fill(str(kept), 76)}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3f}" if isinstance(value, float) else str(value)

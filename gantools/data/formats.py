"""Formats read by hand: idx, BMP, and what lies in zip, npy and tar archives.

Nothing is unpacked onto the disk and nothing is unpickled.  How large a thing may be is known before it is
read, and whatever is not exactly as the format says raises ValueError with the name of the file.
"""

import gzip
import hashlib
import math
import os
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

MOST = 1 << 28  # bytes in one array; the largest read here, CIFAR-10's, has 153,600,000


def read_idx(path: str | os.PathLike, md5: str | None = None) -> np.ndarray:
    """The array of bytes in an .idx.gz file, of as many dimensions as it says.

    Raises ValueError if the file is not the one with that md5, or is truncated, damaged or of another kind.
    """
    path = Path(path)
    packed = path.read_bytes()
    if md5 is not None and hashlib.md5(packed, usedforsecurity=False).hexdigest() != md5:
        raise ValueError(f"{path.name} is not the published file (its md5 differs): fetch it again")
    try:
        with gzip.open(path) as file:
            head = file.read(4)
            if len(head) < 4 or head[:3] != b"\0\0\x08" or not 1 <= head[3] <= 4:
                raise ValueError(f"{path.name} is no idx file of bytes")
            sides = file.read(4 * head[3])
            if len(sides) < 4 * head[3]:
                raise ValueError(f"{path.name} is no idx file of bytes")
            shape = struct.unpack(f">{head[3]}I", sides)
            promised = math.prod(shape)
            body = file.read(min(promised, MOST) + 1)  # one more than promised would show
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path.name} is damaged: {error}") from None
    if len(body) != promised:
        held = len(body) if len(body) < promised else "more"
        raise ValueError(f"{path.name} promises {' x '.join(map(str, shape))} bytes and holds {held}")
    return np.frombuffer(body, np.uint8).reshape(shape).copy()


# ---- BMP --------------------------------------------------------------------------------------------------

_RGB = struct.pack("<3I", 0x00FF0000, 0x0000FF00, 0x000000FF)  # the masks of 32-bit pixels stored B, G, R, A


def read_bmp(content: bytes, name: str = "the image", largest: int = 4096) -> np.ndarray:
    """The pixels of an uncompressed BMP file of 24 or 32 bits: (H, W, 3) uint8, RGB, the top row first.

    A file is a header of 14 bytes, one of 40, 108 or 124, and at the offset that the first names the rows,
    mostly from the lowest to the highest, each filled up to a multiple of four bytes.  A fourth byte (alpha)
    is left out.  Raises ValueError for anything else, also for a side above `largest`.
    """
    if len(content) < 54 or content[:2] != b"BM":
        raise ValueError(f"{name} is no BMP file")
    length, offset, header, width, height, planes, bits, packing = struct.unpack(
        "<2xI4xIIiiHHI", content[:34]
    )
    if length != len(content):
        raise ValueError(f"{name} promises {length:,} bytes and holds {len(content):,}")
    if header not in (40, 108, 124) or planes != 1:
        raise ValueError(f"{name} has a BMP header that is not known: {header} bytes, {planes} planes")
    if not (1 <= width <= largest and 1 <= abs(height) <= largest):
        raise ValueError(f"{name} claims {width} x {height} pixels; sides from 1 to {largest} are read")
    masks = packing == 3 and bits == 32 and content[54:66] == _RGB
    if bits not in (24, 32) or not (packing == 0 or masks):
        raise ValueError(
            f"{name} has {bits} bits a pixel, packed in way {packing}: only plain 24 and 32 are read"
        )
    stride = (width * bits // 8 + 3) // 4 * 4
    if offset < 14 + header + (12 if masks and header == 40 else 0) or offset + stride * abs(height) > length:
        raise ValueError(f"{name} has no room for its {width} x {abs(height)} pixels after byte {offset}")
    rows = np.frombuffer(content, np.uint8, stride * abs(height), offset).reshape(abs(height), stride)
    pixels = rows[:, : width * bits // 8].reshape(abs(height), width, bits // 8)  # B, G, R(, A)
    return pixels[:: -1 if height > 0 else 1, :, 2::-1]


# ---- archives ---------------------------------------------------------------------------------------------


def read_zip(
    path: str | os.PathLike, wanted: re.Pattern, largest: int, most: int
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the members whose whole name `wanted` matches, one after another, nothing unpacked.

    At most `most` of them with at most `largest` bytes each.  Raises ValueError for an archive that is
    damaged, locked with a password, packed in other ways than deflate, or larger than that, and for one that holds a
    name twice or names that lead out of a folder.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(path.name, archive, wanted, most)
            for member in members:
                if member.file_size > largest:
                    raise ValueError(f"{path.name}: {member.filename} claims {member.file_size:,} bytes")
                with archive.open(member) as file:
                    content = file.read(largest + 1)
                if len(content) != member.file_size:
                    raise ValueError(f"{path.name}: {member.filename} is cut off")
                yield member.filename, content
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path.name} is damaged or no archive that can be read: {error}") from None
    except (
        struct.error,
        UnicodeError,
        IndexError,
        KeyError,
        OverflowError,
    ) as error:  # zipfile lets some through
        raise ValueError(f"{path.name} is damaged: {error}") from None


def _members(name: str, archive: zipfile.ZipFile, wanted: re.Pattern, most: int) -> list[zipfile.ZipInfo]:
    members = []
    for member in archive.infolist():
        parts = re.split(r"[/\\]", member.filename)
        if ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in member.orig_filename:
            raise ValueError(
                f"{name} holds {member.filename!r}, a name that leads out of its folder: do not trust it"
            )
        if member.is_dir() or not wanted.fullmatch(member.filename):
            continue
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or member.flag_bits & 1:
            raise ValueError(f"{name}: {member.filename} is locked or not packed with deflate")
        members.append(member)
    if len(members) > most:
        raise ValueError(f"{name} holds {len(members):,} files where at most {most:,} are expected")
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        twice = next(name for k, name in enumerate(names) if name in names[:k])
        raise ValueError(f"{name} holds {twice} twice")
    return members


def read_npz(path: str | os.PathLike, names: Iterable[str]) -> dict[str, np.ndarray]:
    """The arrays of these names from an .npz archive; never a pickled one.

    Raises ValueError if one is missing, holds objects, or is not as large as its header says.
    """
    path, names = Path(path), list(names)
    members = re.compile("|".join(re.escape(f"{name}.npy") for name in names))
    held = {
        name[:-4]: _npy(content, f"{path.name}: {name}") for name, content in read_zip(path, members, MOST, 8)
    }
    missing = [name for name in names if name not in held]
    if missing:
        raise ValueError(f"{path.name} holds no {', '.join(missing)}")
    return {name: held[name] for name in names}


_NPY = re.compile(
    rb"\x93NUMPY\x01\x00(..)\{'descr': '([<|][uifS][1-9]\d?)', 'fortran_order': False,"
    rb" 'shape': \(((?:\d{1,10}, ?)*(?:\d{1,10})?)\), \} *\n",
    re.DOTALL,
)


def _npy(content: bytes, name: str) -> np.ndarray:
    """The array of an .npy file of plain numbers or bytes, as numpy's version 1.0 writes it, rows first."""
    head = _NPY.match(content[:1024])
    if not head or head.end() != 10 + int.from_bytes(head[1], "little"):
        raise ValueError(f"{name} is no plain array of numbers")
    shape = tuple(int(side) for side in head[3].decode().split(",") if side.strip())
    try:
        dtype = np.dtype(head[2].decode())
    except TypeError as error:
        raise ValueError(f"{name} is damaged: {error}") from None
    if math.prod(shape) * dtype.itemsize != len(content) - head.end():
        raise ValueError(f"{name} is not as large as its header says")
    return np.frombuffer(content, dtype, offset=head.end()).reshape(shape).copy()


def read_tar(path: str | os.PathLike, names: Sequence[str], size: int) -> list[bytes]:
    """The content of these members, plain files of `size` bytes each, in this order, from a .tar.gz archive.

    Raises ValueError if the archive is damaged, or one is missing, there twice, no file or of another size.
    """
    path, held = Path(path), {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if archive.offset > 4 * len(names) * size + (1 << 20):
                    raise ValueError(f"{path.name} holds more than it should")
                if member.name not in names:
                    continue
                if not member.isreg() or member.size != size or member.name in held:
                    raise ValueError(
                        f"{path.name}: {member.name} is there twice or no file of {size:,} bytes"
                    )
                held[member.name] = archive.extractfile(member).read()
    except (tarfile.TarError, OSError, EOFError, zlib.error, OverflowError, UnicodeError) as error:
        raise ValueError(f"{path.name} is damaged or no archive that can be read: {error}") from None
    for name in names:
        if len(held.get(name, b"")) != size:
            raise ValueError(f"{path.name} holds no {name}")
    return [held[name] for name in names]

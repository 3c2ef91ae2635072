"""Files of tensors with a JSON description: safetensors, never pickle, whole or not at all.

A file is written aside, read back and compared, and only then given its name; what stood there before
stays until that moment.  Its digest covers tensors and description, so a file that was cut short or
changed is refused when it is read.  A file named *.gz is compressed: what is shown on a page, not what is resumed.
"""

import gzip
import hashlib
import json
import os
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

GZIP, LARGEST = b"\x1f\x8b", 2**28  # the first bytes of a compressed file; bytes that one may unpack to


def write(path: str | os.PathLike, kind: str, version: int, tensors: dict[str, Tensor], about: dict) -> Path:
    """Write tensors (any devices) and a JSON-able description as `path`, atomically; returns the path."""
    path = Path(path)
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent} to write {path.name} in: make it first")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    about = {"kind": kind, "version": version, **about}
    text = json.dumps(about, sort_keys=True, allow_nan=False)
    packed = save(tensors, metadata={"about": text, "digest": _digest(text, tensors)})
    if path.suffix == ".gz":
        packed = gzip.compress(packed, mtime=0)
    put(path, packed, lambda aside: read(aside, kind, version))
    return path


def put(path: Path, content: bytes, check: Callable[[Path], object] | None = None) -> None:
    """Write those bytes as `path`, aside first, checked if there is a check, then renamed: whole or not at all."""
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")  # made with the rights that other files get
    try:
        with open(aside, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if check:
            check(aside)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def read(path: str | os.PathLike, kind: str, version: int) -> tuple[dict[str, Tensor], dict]:
    """(tensors on the CPU, description) of a file that `write` made.

    FileNotFoundError if there is none; ValueError if it is damaged, of another kind or of another version.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no {kind} at {path}")
    try:
        meta, tensors = _unpacked(path)
    except (SafetensorError, OSError, EOFError, zlib.error, ValueError) as error:
        raise ValueError(f"{path} is damaged or no {kind}: {error}") from None
    try:
        about = json.loads(meta["about"])
        found = about.pop("kind"), about.pop("version")
    except (KeyError, ValueError, AttributeError):
        raise ValueError(f"{path} is no {kind} of gantools: it has no description") from None
    if found[0] != kind:
        raise ValueError(f"{path} is a {found[0]}, not a {kind}")
    if found[1] != version:
        raise ValueError(f"{path} is a {kind} of version {found[1]}; this gantools reads version {version}: make it anew")
    if meta.get("digest") != _digest(meta["about"], tensors):
        raise ValueError(f"{path} does not match its own digest: it was damaged or changed; use another copy")
    return tensors, about


def _unpacked(path: Path) -> tuple[dict, dict[str, Tensor]]:
    """Metadata and tensors, as the file says; ValueError and others if it is damaged."""
    with open(path, "rb") as file:
        compressed = file.read(2) == GZIP
    if not compressed:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}
    with gzip.open(path) as file:
        packed = file.read(LARGEST + 1)
    if len(packed) > LARGEST:
        raise ValueError(f"it unpacks to more than {LARGEST:,} bytes")
    tensors = load(packed)  # checks the header, whose length comes first
    header = json.loads(packed[8 : 8 + int.from_bytes(packed[:8], "little")])
    return header.get("__metadata__", {}), tensors


def _digest(text: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()

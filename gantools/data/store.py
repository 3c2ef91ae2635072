"""Where sets are kept: a folder of the user's, the cache, and how a file that is in neither is fetched.

A file is looked for below the folder that GANTOOLS_DATA names, then below `data` in the cache, then fetched
into the cache: aside first, from where an earlier attempt was cut off, checked, and only then given its name.
GANTOOLS_OFFLINE=1 forbids fetching.
"""

import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm.auto import tqdm

FOLDER, CACHE, OFFLINE = "GANTOOLS_DATA", "GANTOOLS_CACHE", "GANTOOLS_OFFLINE"
PATIENCE = 30.0  # seconds that a server may be silent
ATTEMPTS = 3  # at one address, each from where the last was cut off


@dataclass(frozen=True)
class Remote:
    """A file that can be fetched: its place below a data folder, md5, bytes, and addresses in their order."""

    place: str
    md5: str
    size: int
    urls: tuple[str, ...]


def cache() -> Path:
    """The folder for what is fetched or computed.

    It is $GANTOOLS_CACHE, else $XDG_CACHE_HOME/gantools, else ~/.cache/gantools, and made if it is not there.
    ValueError says what to do where it cannot be.
    """
    folder = _cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"the cache {folder} cannot be made ({reason}): set {CACHE} to a folder") from None
    return folder


def _cache() -> Path:
    named, shared = os.environ.get(CACHE), os.environ.get("XDG_CACHE_HOME", "")
    above = (
        Path(shared) if os.path.isabs(shared) else Path("~/.cache").expanduser()
    )  # relative ones don't count
    return Path(named).expanduser().absolute() if named else above / "gantools"


# ---- what is here -----------------------------------------------------------------------------------------


def look(*places: str) -> Path | None:
    """The first of these places, files or folders, that is in the user's folder or else in the cache.

    FileNotFoundError if GANTOOLS_DATA names no folder: nothing is fetched because of a slip of the pen.
    """
    folder = os.environ.get(FOLDER)
    if folder and not Path(folder).is_dir():
        raise FileNotFoundError(
            f"{FOLDER} names {folder}, which is no folder: set it to the one with the data"
        )
    for root in ([Path(folder)] if folder else []) + [_cache() / "data"]:
        for place in places:
            if (root / place).exists():
                return root / place
    return None


def find(*places: str) -> Path:
    """What `look` finds; FileNotFoundError says what to do where there is nothing."""
    path = look(*places)
    if path is None:
        raise FileNotFoundError(absent(places[0]))
    return path


def absent(place: str, reason: str = "") -> str:
    """What to say and advise where a file is not at hand, and could not be fetched for that reason."""
    folder = os.environ.get(FOLDER)
    where = f"in the folder that {FOLDER} names ({folder})" if folder else f"at hand, as {FOLDER} is not set,"
    return (
        f"there is no {place} {where} nor in the cache ({_cache() / 'data'}){reason and f', and {reason}'}:"
        f" set the environment variable {FOLDER} to a folder and put {place} there,"
        " or run `gantools data get` where there is a network"
    )


def have(remote: Remote) -> Path:
    """The file, found or fetched."""
    return look(remote.place) or fetch(remote)


def md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


# ---- what is fetched --------------------------------------------------------------------------------------


def fetch(remote: Remote) -> Path:
    """Bring the file into the cache, if it is not there whole, and return its path.

    Any number of processes may ask at once: one fetches, the others wait for it.  FileNotFoundError says what
    was tried and what to do where it cannot be had.
    """
    path = cache() / "data" / remote.place
    with alone(path):
        if path.is_file() and md5(path) == remote.md5:
            return path
        allowed(remote.place)
        print(f"Fetching {remote.place}, {megabytes(remote.size)}, from {remote.urls[0]}", file=sys.stderr)
        part, faults = path.with_name(path.name + ".part"), []
        for url in remote.urls:
            for _ in range(ATTEMPTS):
                try:
                    _download(url, part, remote)
                    os.replace(part, path)
                    return path
                except (OSError, http.client.HTTPException, ValueError) as error:
                    faults.append(f"{url} failed: {error or type(error).__name__}")
                    if isinstance(error, urllib.error.URLError):  # refused: asking again will not help
                        break
        raise FileNotFoundError(absent(remote.place, "; ".join(dict.fromkeys(faults))))


def allowed(place: str) -> None:
    """FileNotFoundError if nothing may be fetched."""
    if os.environ.get(OFFLINE, "0") not in ("", "0"):
        raise FileNotFoundError(absent(place, f"{OFFLINE} is set, which forbids fetching it"))


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """For the only process that makes that file; others wait, and say so.  A kill frees the lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        lock.acquire(timeout=0.2)
    except Timeout:
        print(f"Waiting for another process that fetches {path.name}", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _download(url: str, part: Path, remote: Remote) -> None:
    """Go on with `part`, or begin it anew, until it is whole; ValueError if it is another file."""
    begun = part.stat().st_size if part.exists() else 0
    asked = {"Range": f"bytes={begun}-"} if begun else {}
    most = 2 * remote.size + (1 << 20)  # whatever a server sends, the disk is not filled
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=asked), timeout=PATIENCE) as answer:
            goes_on = begun and answer.status == 206
            if goes_on and not answer.headers.get("Content-Range", "").startswith(f"bytes {begun}-"):
                part.unlink()
                raise ValueError("the server went on at another place")
            begun = begun if goes_on else 0
            length = answer.headers.get("Content-Length")
            whole = begun + int(length) if length else None
            if whole is not None and whole > most:
                raise ValueError(f"the server announces {whole:,} bytes, and {remote.size:,} are expected")
            _receive(answer, part, begun, most, remote)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # 416: there is nothing after what is here
            raise
        whole = None
    held = part.stat().st_size
    if whole is not None and held < whole:
        raise ConnectionError(f"the connection ended after {held:,} of {whole:,} bytes")
    if held > most or md5(part) != remote.md5:
        part.unlink()
        raise ValueError(f"what came is not the published file (its md5 differs from {remote.md5})")


def _receive(answer: http.client.HTTPResponse, part: Path, held: int, most: int, remote: Remote) -> None:
    """Add what the server sends, up to about `most` bytes in all; what came before an interruption stays."""
    seen = {"total": remote.size, "initial": held, "unit": "B", "unit_scale": True}
    with open(part, "ab" if held else "wb") as file, progress(None, part.stem, **seen) as bar:
        while held <= most and (chunk := answer.read1(1 << 16)):
            file.write(chunk)
            held += len(chunk)
            bar.update(len(chunk))
        file.flush()
        os.fsync(file.fileno())


def progress(steps: Iterable | None, what: str, shown: bool = True, **options) -> tqdm:
    """A bar that goes when the work is done; where nobody looks, in a log or a page being built, none."""
    watched = (sys.stderr.isatty() or "ipykernel" in sys.modules) and not os.environ.get("TQDM_DISABLE")
    return tqdm(steps, desc=what, leave=False, disable=not (shown and watched), **options)

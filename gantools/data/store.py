"""Where sets are kept: a folder of the user's, a cache, and how a set that is in neither is fetched."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from tqdm.auto import tqdm

FOLDER = "GANTOOLS_DATA"
CACHE = "GANTOOLS_CACHE"


def cache() -> Path:
    """The folder for what was fetched or computed: $GANTOOLS_CACHE, $XDG_CACHE_HOME/gantools or ~/.cache/gantools.

    It is made if it is not there.  ValueError says what to do where it cannot be.
    """
    folder = _cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"the cache {folder} cannot be made ({error.strerror}): set {CACHE} to a folder") from None
    return folder


def _cache() -> Path:
    named, shared = os.environ.get(CACHE), os.environ.get("XDG_CACHE_HOME", "")
    above = Path(shared) if os.path.isabs(shared) else Path("~/.cache").expanduser()  # relative ones do not count
    return Path(named).expanduser().absolute() if named else above / "gantools"


def find(*places: str) -> Path:
    """The first of these places, files or folders, that is in the user's folder or in the cache.

    FileNotFoundError says what to do where there is none.
    """
    folder = os.environ.get(FOLDER)
    for root in ([Path(folder)] if folder else []) + [_cache() / "data"]:
        for place in places:
            if (root / place).exists():
                return root / place
    if not folder:
        raise FileNotFoundError(f"set the environment variable {FOLDER} to the folder that holds {places[0]}")
    raise FileNotFoundError(f"there is no {places[0]} in the folder that {FOLDER} names ({folder}): put it there")


def progress(steps: Iterable | None, what: str, shown: bool = True, **options) -> tqdm:
    """A bar that goes when the work is done; where nobody looks, in a log, none."""
    watched = sys.stderr.isatty() or "ipykernel" in sys.modules
    return tqdm(steps, desc=what, leave=False, disable=not (shown and watched), **options)

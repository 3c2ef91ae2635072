"""Where sets are kept: a folder of the user's, a cache, and how a set that is in neither is fetched."""

import os
from pathlib import Path

CACHE = "GANTOOLS_CACHE"


def cache() -> Path:
    """The folder for what was fetched or computed: $GANTOOLS_CACHE, $XDG_CACHE_HOME/gantools or ~/.cache/gantools.

    It is made if it is not there.  ValueError says what to do where it cannot be.
    """
    named, shared = os.environ.get(CACHE), os.environ.get("XDG_CACHE_HOME", "")
    above = Path(shared) if os.path.isabs(shared) else Path("~/.cache").expanduser()  # relative ones do not count
    folder = Path(named).expanduser().absolute() if named else above / "gantools"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"the cache {folder} cannot be made ({error.strerror}): set {CACHE} to a folder") from None
    return folder

"""What the tests share: a browser, the built book, the chapters."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import bookbuild
import pytest
from filelock import FileLock
from hypothesis import settings
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
# Run as root in a container, without a screen, and silent towards the network.
CHROMIUM = (
    "--no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run --disable-sync"
    " --disable-background-networking --disable-component-update"
).split()

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items):
    """First the file that builds the book; the other that needs it once it is built; notebooks, all alike, last."""
    order = ("test_site.py", None, "test_site_for_all.py")
    named = lambda item: item.path.name if item.path.name in order else None  # noqa: E731
    items.sort(key=lambda item: 3 if item.path.suffix == ".ipynb" else order.index(named(item)))


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium (playwright, sync). One a module: playwright's loop must not run beside nbval's."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not program:
        pytest.fail("No Chromium: install Debian's package chromium, or set CHROMIUM to the program's path.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of built pages; built by the command that `make book` uses if missing or stale, and only once."""
    command = [sys.executable, str(ROOT / "book" / "_tools" / "bookbuild.py")]
    folder = bookbuild.HTML.parent
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "building.lock"):
        if bookbuild.is_stale():
            run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if run.returncode:
                pytest.fail(f"the book does not build:\n{run.stdout[-8000:]}", pytrace=False)
    return bookbuild.HTML

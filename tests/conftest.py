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

from gantools import widgets

ROOT = Path(__file__).resolve().parents[1]
# Run as root in a container, without a screen, and silent towards the network.
CHROMIUM = (
    "--no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run --disable-sync"
    " --disable-background-networking --disable-component-update"
).split()

os.environ.setdefault("GANTOOLS_OFFLINE", "1")  # no test fetches anything from afar
os.environ["GANTOOLS_CACHE"] = str(ROOT / "_build" / "cache")  # what tests draw and train is made by this checkout

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


class Moving:
    """Figures of gantools/widgets, each alone on a page without network: opened once, then set, pressed and read."""

    def __init__(self, browser):
        self.browser, self.pages, self.errors = browser, {}, []

    def page(self, stem, part="default", handed=None):
        if (stem, part) not in self.pages:
            page = self.pages[stem, part] = self.browser.new_page()
            page.on("pageerror", lambda error: self.errors.append(str(error)))
            page.route("**/*", lambda route: route.abort())
            block = widgets.explore(stem, part, alt="test", data=handed).html
            page.set_content(f'<!doctype html><html lang="en" data-theme="light"><body>{block}')
            page.wait_for_function("document.querySelector('.gan-block')?.gan")
        return self.pages[stem, part]

    def read(self, stem, part="default", *presses, handed=None, **controls):
        """Set the controls, press the buttons of these names, and read the numbers; errors of the page fail."""
        page = self.page(stem, part, handed)
        page.evaluate("s => document.querySelector('.gan-block').gan.set(s)", controls)
        for name in presses:
            page.get_by_role("button", name=name).click()
        found = page.evaluate("() => document.querySelector('.gan-block').gan.values()")
        assert not self.errors, self.errors
        return found


    def drag(self, stem, part, handle, by):
        """Take that handle, counted over all plots, along by so many pixels; `by`: (dx, dy)."""
        page = self.page(stem, part)
        at = page.evaluate("k => document.querySelector('.gan-block').gan.handles()[k]", handle)
        canvas = page.locator(".gan-block canvas").nth(at["plot"])
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        x, y = box["x"] + at["x"], box["y"] + at["y"]
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + by[0], y + by[1], steps=4)
        page.mouse.up()


@pytest.fixture(scope="module")
def moving(browser):
    figures = Moving(browser)
    yield figures
    for page in figures.pages.values():
        page.close()
    assert not figures.errors, figures.errors


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images that GANTOOLS_DATA names. Without it a test says that it did not run; in
    continuous integration (CI=true) it fails."""
    folder = os.environ.get("GANTOOLS_DATA")
    if folder and Path(folder).is_dir():
        return Path(folder)
    missing = f"real images are wanted: GANTOOLS_DATA names no folder ({folder!r})"
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        pytest.fail(missing, pytrace=False)
    pytest.skip(f"did not run: {missing}")


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

"""The built pages, as files and as what moves on them, with the network cut off."""

import functools
import gzip
import re
from urllib.parse import unquote, urlsplit

import bookbuild
import pytest
import yaml
from bs4 import BeautifulSoup
from visit import CHAPTERS, DESKTOP, GATHER, PAGES, PHONE, Visit

LARGEST = 1_500_000

# A figure as the eye has it, and as the ear.
SEEN = """(block) => [
  [...block.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL()).join(),
  block.querySelector(".gan-readout").innerText,
]"""


@pytest.fixture(scope="module")
def soup(site):
    return functools.cache(lambda name: BeautifulSoup((site / f"{name}.html").read_text(), "html.parser"))


@pytest.fixture(scope="module")
def ids(soup):
    return functools.cache(lambda name: {element["id"] for element in soup(name).select("[id]")})


every_page = pytest.mark.parametrize("name", PAGES)


# The files


@every_page
def test_page_is_there_and_small(site, name):
    page = site / f"{name}.html"
    assert page.is_file()
    assert len(gzip.compress(page.read_bytes())) <= LARGEST


@every_page
def test_no_cell_failed_or_complained(soup, name):
    page = soup(name)
    assert page.select(".cell_output .stderr, .cell_output .traceback, .output.error, .system-message") == []
    assert "Traceback (most recent call last)" not in page.get_text()


@pytest.mark.parametrize("name", CHAPTERS)
def test_chapter_was_executed(soup, name):
    assert len(soup(name).select(".cell_output")) >= 6


@every_page
def test_local_links_lead_somewhere(site, soup, ids, name):
    broken, page = [], site / f"{name}.html"
    for element in soup(name).select("a[href], link[href], img[src], script[src]"):
        address = element.get("href") or element.get("src")
        if re.match(r"[a-z]+:|//", address):
            continue
        link = urlsplit(address)
        target = (page.parent / unquote(link.path)).resolve() if link.path else page
        if not target.is_file():
            broken.append(address)
        elif link.fragment and target.suffix == ".html":
            if unquote(link.fragment) not in ids(target.relative_to(site).with_suffix("").as_posix()):
                broken.append(address)
    assert broken == []


def test_launch_buttons_are_there_just_when_there_is_a_repository(soup):
    url = yaml.safe_load((bookbuild.ROOT / "_config.yml").read_text())["repository"]["url"]
    for name in CHAPTERS:
        links = " ".join(link["href"] for link in soup(name).select(".article-header-buttons a[href]"))
        assert bool(url) == ("mybinder.org" in links) == ("git-pull" in links or "nbgitpuller" in links)


# In the browser


@every_page
def test_page_fits_a_phone_in_the_dark(browser, site, name):
    with Visit(browser, site, name, "dark", PHONE) as visit:
        found = visit.page.evaluate(GATHER)
        assert visit.outside == [] and visit.complaints == []
        assert found["width"] <= PHONE["width"] and found["wide"] == [] and found["stuck"] == []


@pytest.mark.parametrize("name", CHAPTERS)
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_figures_move_without_kernel_and_network(browser, site, name, viewport):
    """Each block answers its first slider by another picture and another text, from the keyboard."""
    with Visit(browser, site, name, viewport=viewport) as visit:
        blocks = visit.page.locator(".gan-block:has(input[type=range])").all()
        assert blocks
        for block in blocks:
            slider = block.locator("input[type=range]:visible").first
            slider.focus()
            pictures, texts = set(), set()
            for key in ("Home", "End"):
                slider.press(key)
                visit.page.wait_for_timeout(250)
                picture, text = block.evaluate(SEEN)
                pictures.add(picture)
                texts.add(text)
            assert len(pictures) == 2, f"no new picture: {block.get_attribute('id')}"
            assert len(texts) == 2, f"no new text: {block.get_attribute('id')}"
        assert visit.outside == [] and visit.complaints == []


def test_there_are_replays(soup):
    """So that the test above cannot pass for want of recordings: one drops modes, one loses its gradient."""
    assert len(soup("vanishing").select("script.gan-data")) >= 2


def test_search_works_from_the_disk(browser, site):
    with Visit(browser, site, "search") as visit:
        visit.page.goto((site / "search.html").as_uri() + "?q=generator")
        visit.page.locator("ul.search li").first.wait_for(timeout=10_000)

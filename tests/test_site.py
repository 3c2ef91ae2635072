"""The built pages, as files and in a real browser with the network cut off."""

import functools
import gzip
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import axe_playwright_python
import bookbuild
import pytest
import yaml
from bs4 import BeautifulSoup

PAGES = [*bookbuild.pages(), "search"]
CHAPTERS = [path.stem for path in bookbuild.chapters()]
SCHEMES = ("light", "dark")
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
LARGEST = 1_500_000
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}

# Violations that the theme makes and that no rule of ours can mend: (rule, part of the element) -> why.
# There are none: book/assets/book.css and book.js mend what there was.
KNOWN = {}

GATHER = """() => {
  const named = (e) => e.getAttribute("aria-label") || e.getAttribute("aria-labelledby");
  const text = {
    IMG: (e) => e.alt.trim() && !/[\\\\/]|\\.(png|svg|jpe?g)$/.test(e.alt),
    CANVAS: (e) => e.getAttribute("role") === "img" && named(e),
    SVG: (e) => named(e) || e.querySelector(":scope > title"),
  };
  const scrolls = (e) => e && (/auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const maths = [...document.querySelectorAll(".math")];
  const prose = document.querySelector("main").cloneNode(true);
  const skipped = "pre, code, script, style, mjx-container, .gan-block";
  for (const e of prose.querySelectorAll(skipped)) e.remove();
  return {
    mathematics: maths.length,
    unset: maths.filter((e) => !e.querySelector("mjx-container")).map((e) => e.textContent),
    wrong: [...document.querySelectorAll("mjx-merror, [data-mjx-error]")].map((e) => e.textContent),
    raw: prose.textContent
      .match(/\\\\[([]|\\$[^$\\n]+\\$|\\{[\\w:-]+\\}`|[`:]{3}\\{|\\(err-[\\w-]+\\)=/g) || [],
    mute: [...document.querySelectorAll("img, canvas, svg")]
      .filter((e) => !e.closest("[aria-hidden=true]") && e.alt !== "" && !text[e.tagName.toUpperCase()](e))
      .map((e) => e.outerHTML.slice(0, 200)),
    stuck: [...document.querySelectorAll("mjx-container, span.math, pre")]
      .filter((e) => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX === "auto" && e.tabIndex < 0)
      .map((e) => e.textContent.slice(0, 200)),
    width: document.documentElement.scrollWidth,
    wide: [...document.querySelectorAll("article *")]
      .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e))
      .map((e) => e.outerHTML.slice(0, 120)),
  };
}"""

# What weighs on a reader. The glyphs within an equation are left out, thousands of empty elements with the colour
# of the text around them; whether a wide equation can be scrolled from the keyboard is asked of the equation itself.
AUDIT = """async () => (
    await axe.run({exclude: ["mjx-container > *"]}, {preload: false, resultTypes: ["violations"]})
  ).violations
  .filter((v) => ["serious", "critical"].includes(v.impact))
  .flatMap((v) => v.nodes.map((n) => [v.id, n.html, n.failureSummary]))"""


UNFOLD = "document.querySelectorAll('.toggle-hidden button.toggle-button').forEach((it) => it.click())"

# A figure as the eye has it, and as the ear.
SEEN = """(block) => [
  [...block.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL()).join(),
  block.querySelector(".gan-readout").innerText,
]"""


class Visit:
    """One page open in the browser, and what it asked for and complained of while it loaded."""

    def __init__(self, browser, site, name, scheme="light", viewport=DESKTOP):
        self.context = browser.new_context(color_scheme=scheme, viewport=viewport)
        self.context.set_offline(True)
        self.page = self.context.new_page()
        self.outside, self.complaints = [], []
        self.page.on("request", lambda request: self.note(request.url))
        self.page.on("requestfailed", lambda request: self.complaints.append(f"not found: {request.url}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda m: m.type == "error" and self.complaints.append(m.text))
        self.page.goto((site / f"{name}.html").as_uri())
        self.page.evaluate("window.MathJax ? MathJax.startup.promise : null")
        # what is folded away must be as good as what is not
        self.page.evaluate(UNFOLD)
        for block in self.page.locator(".gan-block").all():
            block.scroll_into_view_if_needed()
        self.page.wait_for_timeout(300)

    def note(self, url):
        if not url.startswith(("file:", "data:", "blob:")):
            self.outside.append(url)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()


@pytest.fixture(scope="module")
def facts(browser, site):
    """What one visit to a page finds, for each page and scheme once."""

    @functools.cache
    def gather(name, scheme):
        with Visit(browser, site, name, scheme) as visit:
            found = visit.page.evaluate(GATHER)
            visit.page.evaluate(AXE)
            found["violations"] = visit.page.evaluate(AUDIT)
            return found | {"outside": visit.outside, "complaints": visit.complaints}

    return gather


@pytest.fixture(scope="module")
def soup(site):
    return functools.cache(lambda name: BeautifulSoup((site / f"{name}.html").read_text(), "html.parser"))


@pytest.fixture(scope="module")
def ids(soup):
    return functools.cache(lambda name: {element["id"] for element in soup(name).select("[id]")})


every_page = pytest.mark.parametrize("name", PAGES)
every_scheme = pytest.mark.parametrize("scheme", SCHEMES)


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
    broken = []
    for element in soup(name).select("a[href], link[href], img[src], script[src]"):
        address = element.get("href") or element.get("src")
        if re.match(r"[a-z]+:|//", address):
            continue
        link = urlsplit(address)
        target = site / (unquote(link.path) or f"{name}.html")
        if not target.is_file():
            broken.append(address)
        elif link.fragment and target.suffix == ".html":
            if unquote(link.fragment) not in ids(target.stem):
                broken.append(address)
    assert broken == []


def test_launch_buttons_are_there_just_when_there_is_a_repository(soup):
    url = yaml.safe_load((bookbuild.ROOT / "_config.yml").read_text())["repository"]["url"]
    for name in CHAPTERS:
        links = " ".join(link["href"] for link in soup(name).select(".article-header-buttons a[href]"))
        assert bool(url) == ("mybinder.org" in links) == ("git-pull" in links or "nbgitpuller" in links)


# In the browser


@every_scheme
@every_page
def test_nothing_is_fetched_from_elsewhere_and_nothing_fails(facts, name, scheme):
    found = facts(name, scheme)
    assert found["outside"] == []
    assert found["complaints"] == []


@every_page
def test_mathematics_is_typeset(facts, name):
    found = facts(name, "light")
    assert found["unset"] == [] and found["wrong"] == [] and found["raw"] == []
    if name not in ("search", "bibliography"):
        assert found["mathematics"] > 0


@every_page
def test_everything_seen_has_a_text(facts, name):
    assert facts(name, "light")["mute"] == []


@every_scheme
@every_page
def test_accessibility(facts, name, scheme):
    worse = [
        violation
        for violation in facts(name, scheme)["violations"]
        if not any(violation[0] == rule and part in violation[1] for rule, part in KNOWN)
    ]
    assert worse == []
    assert facts(name, scheme)["stuck"] == []


@every_page
def test_page_fits_a_phone(browser, site, name):
    with Visit(browser, site, name, viewport=PHONE) as visit:
        found = visit.page.evaluate(GATHER)
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

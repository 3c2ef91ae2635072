"""Nobody is left out: every built page in light and in dark, its mathematics, its texts, its accessibility."""

import functools
from pathlib import Path

import axe_playwright_python
import pytest
from visit import GATHER, PAGES, Visit

SCHEMES = ("light", "dark")
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()

# Violations that the theme makes and that no rule of ours can mend: (rule, part of the element) -> why.
# There are none: book/assets/book.css and book.js mend what there was.
KNOWN = {}

# What weighs on a reader. The glyphs of an equation are taken away first, thousands of empty elements with the colour
# of the text around them; whether a wide equation can be scrolled from the keyboard is asked of the equation itself.
# Pieces of code have the colour of their class: of each class the first twenty are looked at, of ten thousand pieces.
AUDIT = """async () => {
  for (const e of document.querySelectorAll("mjx-container")) e.replaceChildren();
  const met = {};
  for (const e of document.querySelectorAll("pre span[class]")) {
    const kind = e.className + (e.closest(".cell_output") ? " output" : "");
    if ((met[kind] = (met[kind] || 0) + 1) > 20) e.replaceWith(...e.childNodes);
  }
  const found = await axe.run({exclude: ["mjx-container"]}, {preload: false, resultTypes: ["violations"]});
  return found.violations
    .filter((v) => ["serious", "critical"].includes(v.impact))
    .flatMap((v) => v.nodes.map((n) => [v.id, n.html, n.failureSummary]));
}"""


@pytest.fixture(scope="module")
def facts(browser, site):
    """What one visit to a page finds, once for each page; the scheme changes before its eyes."""

    @functools.cache
    def gather(name):
        with Visit(browser, site, name) as visit:
            found = visit.page.evaluate(GATHER)
            visit.page.evaluate(AXE)
            for scheme in SCHEMES:
                visit.page.emulate_media(color_scheme=scheme)
                visit.page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
                visit.page.wait_for_timeout(300)
                found[scheme] = visit.page.evaluate(AUDIT)
            return found | {"outside": visit.outside, "complaints": visit.complaints}

    return gather


every_page = pytest.mark.parametrize("name", PAGES)


@every_page
def test_nothing_is_fetched_from_elsewhere_and_nothing_fails(facts, name):
    assert facts(name)["outside"] == []
    assert facts(name)["complaints"] == []


@every_page
def test_mathematics_is_typeset(facts, name):
    found = facts(name)
    assert found["unset"] == [] and found["wrong"] == [] and found["raw"] == []
    if name not in ("search", "bibliography"):
        assert found["mathematics"] > 0


@every_page
def test_everything_seen_has_a_text(facts, name):
    assert facts(name)["mute"] == []
    assert facts(name)["stuck"] == []


@pytest.mark.parametrize("scheme", SCHEMES)
@every_page
def test_accessibility(facts, name, scheme):
    worse = [
        violation
        for violation in facts(name)[scheme]
        if not any(violation[0] == rule and part in violation[1] for rule, part in KNOWN)
    ]
    assert worse == []

"""A visit to a built page, in a browser with the network cut off."""

import bookbuild

PAGES = [*bookbuild.pages(), "search"]
CHAPTERS = [path.stem for path in bookbuild.chapters()]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}

UNFOLD = "document.querySelectorAll('.toggle-hidden button.toggle-button').forEach((it) => it.click())"

# What there is to see, and what of it cannot be seen, heard or reached.
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

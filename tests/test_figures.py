"""The picture language: a palette that everybody can read, figures that follow their page."""

import itertools
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from gantools import figures

CORE = ("data", "generated", "discriminator")
DEFICIENCY = {  # Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB
    "none": np.eye(3),
    "protan": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deutan": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritan": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


def linear(colour):
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """WCAG 2's ratio."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def lab(rgb):
    """Linear RGB to CIE L*a*b* under D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ np.clip(rgb, 1e-3, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("palette", [figures.COLOURS, figures.DARK], ids=["light", "dark"])
def test_every_colour_can_be_read_on_the_page(palette):
    for role in palette.keys() - {"paper", "grid"}:
        assert contrast(palette[role], palette["paper"]) >= 4.5, role


@pytest.mark.parametrize("palette", [figures.COLOURS, figures.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("eye", DEFICIENCY)
def test_the_main_colours_differ_for_every_eye(palette, eye):
    seen = {role: lab(np.array(DEFICIENCY[eye]) @ linear(palette[role])) for role in CORE}
    for a, b in itertools.combinations(CORE, 2):
        assert np.linalg.norm(seen[a] - seen[b]) > 15, (a, b)  # 2 can just be told apart side by side


@pytest.mark.parametrize("palette", [figures.COLOURS, figures.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("eye", DEFICIENCY)
def test_eight_generators_differ_for_every_eye_from_each_other_and_from_the_data(palette, eye):
    roles = ("data", *figures.GENERATORS)
    seen = {role: lab(np.array(DEFICIENCY[eye]) @ linear(palette[role])) for role in roles}
    for a, b in itertools.combinations(roles, 2):
        assert np.linalg.norm(seen[a] - seen[b]) > 15, (a, b)


def test_the_surface_lets_the_page_through_where_the_discriminator_is_undecided():
    fake, half, real = figures.SURFACE([0.0, 0.5, 1.0])
    assert half[3] < 0.02 and fake[3] > 0.5 and real[3] > 0.5
    assert fake[0] > fake[2] and real[2] > real[0]


def drawing():
    fig, ax = figures.new(5, 3)
    x = np.linspace(-3, 3, 50)
    ax.plot(x, x**2, color=figures.COLOURS["data"], label="$x^2$")
    ax.axhline(2, color="black")
    ax.plot(x, x, color="#123456")
    ax.legend(frameon=True)
    return fig


def test_a_figure_is_one_labelled_svg_that_takes_its_colours_from_the_page():
    shown = figures.show(drawing(), alt='A parabola, "steep" & <smooth>.')
    html = shown._repr_html_()
    assert html.count("<svg") == 1
    assert 'role="img" aria-label="A parabola, &quot;steep&quot; &amp; &lt;smooth&gt;."' in html
    for colour in (f"var(--gan-data,{figures.COLOURS['data']})", "currentColor", "#123456"):
        assert colour in html
    assert "http" not in shown.svg and "<metadata" not in html and "*{" not in html
    assert repr(shown) == 'Figure: A parabola, "steep" & <smooth>.'


def test_the_same_figure_is_the_same_text():
    bare = [re.sub(r"gan-fig-\d+", "", figures.show(fig, alt="x").svg) for fig in (drawing(), drawing())]
    fig = drawing()
    twice = [re.sub(r"gan-fig-\d+", "", figures.show(fig, alt="x").svg) for _ in range(2)]
    assert bare[0] == bare[1] == twice[0] == twice[1]


def test_ids_are_unique_on_a_page_and_every_reference_is_met():
    page = "".join(figures.show(drawing(), alt="x")._repr_html_() for _ in range(3))
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    references = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page))
    assert references and {a or b for a, b in references} <= set(ids)


def test_a_new_figure_is_not_shown_a_second_time_by_pyplot():
    before = plt.get_fignums()
    fig, axes = figures.new(6, 2, ncols=3)
    assert plt.get_fignums() == before and len(axes) == 3


@pytest.mark.parametrize("alt", [None, "", "  \n"])
def test_a_figure_without_words_is_refused(alt):
    with pytest.raises(ValueError, match="alt is empty"):
        figures.show(drawing(), alt=alt)


def test_only_figures_are_shown():
    with pytest.raises(TypeError, match="not ndarray"):
        figures.show(np.zeros(3), alt="x")


THEMES = {  # how the pages of each program say which theme they have
    "book": "<html data-theme={}><body>",
    "lab": "<html><body data-jp-theme-light={}>",
    "code": "<html><body class=vscode-{}>",
}


@pytest.mark.parametrize("program", THEMES)
def test_a_figure_follows_the_theme_of_its_page(browser, program):
    page = browser.new_page(viewport={"width": 390, "height": 600})
    html = figures.show(drawing(), alt="x")._repr_html_()
    for theme, palette in (("light", figures.COLOURS), ("dark", figures.DARK)):
        said = {"light": "true", "dark": "false"}[theme] if program == "lab" else theme
        page.emulate_media(color_scheme="dark" if theme == "light" else "light")  # the page has the last word
        page.set_content("<!doctype html>" + THEMES[program].format(said) + html)
        line = page.locator("svg path[style*=gan-data]").first
        assert line.evaluate("e => getComputedStyle(e).stroke") == f"rgb{rgb(palette['data'])}"
        assert page.locator("svg").evaluate("e => getComputedStyle(e).color") == f"rgb{rgb(palette['ink'])}"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


def test_elsewhere_the_reader_s_system_decides(browser):
    page = browser.new_page(color_scheme="dark")
    page.set_content("<!doctype html>" + figures.show(drawing(), alt="x")._repr_html_())
    colour = "getComputedStyle(document.querySelector('svg')).color"
    assert page.evaluate(colour) == f"rgb{rgb(figures.DARK['ink'])}"
    page.emulate_media(media="print")
    assert page.evaluate(colour) == f"rgb{rgb(figures.COLOURS['ink'])}"
    page.close()


def rgb(colour):
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def test_sheet_of_images():
    images = torch.arange(12.0).reshape(3, 1, 2, 2) / 5.5 - 1
    sheet = figures.tile(images, columns=2)
    assert sheet.shape == (5, 5)
    assert sheet[:2, 3:] == pytest.approx((images[1, 0].numpy() + 1) / 2)
    assert sheet[3:, :2] == pytest.approx((images[2, 0].numpy() + 1) / 2)
    assert np.isnan(sheet[2]).all() and np.isnan(sheet[:, 2]).all() and np.isnan(sheet[3:, 3:]).all()
    assert figures.tile(images, columns=3, gap=0).shape == (2, 6)


def test_a_sheet_needs_images_and_columns():
    with pytest.raises(ValueError, match="made of images"):
        figures.tile(torch.zeros(0, 1, 8, 8))
    with pytest.raises(ValueError, match="a column at least"):
        figures.tile(torch.zeros(2, 1, 8, 8), columns=0)

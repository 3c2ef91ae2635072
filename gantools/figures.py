"""The picture language of the book: one palette, one style, one way of showing a figure.

Real data, generated data and the discriminator have the same colours in every chapter, in light and in dark.
The hues are those of Okabe and Ito (*Color Universal Design*, 2008), darkened on light pages and lightened on
dark ones until each stands at 4.5:1 or more against the page, so that they serve lines and text alike.
"""

import html
import io
import itertools
import re

import matplotlib
import numpy as np
import torch
from cycler import cycler
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure

COLOURS = {
    "data": "#0077bb",  # real samples, p_data
    "generated": "#c44e00",  # generated samples, p_g
    "discriminator": "#00583f",  # D, the critic
    "other": "#a5427f",  # a third law, a second model
    "extra": "#6e5500",  # a fourth
    "muted": "#626a73",  # what only accompanies
    "ink": "#000000",  # text, axes, theory
    "paper": "#ffffff",  # what lies under everything
    "grid": "#b0b0b0",
    # many generators, each in its own colour: chosen by search to differ for every eye, and from the data's
    "g1": "#c44e00",
    "g2": "#014d3a",
    "g3": "#7450da",
    "g4": "#7b6e41",
    "g5": "#a25c72",
    "g6": "#102147",
    "g7": "#540b03",
    "g8": "#3d007d",
}
DARK = {
    "data": "#56b4e9",
    "generated": "#ff9a3d",
    "discriminator": "#7ff0c4",
    "other": "#f0a3cf",
    "extra": "#f0e442",
    "muted": "#9aa4af",
    "ink": "#e3e7ec",
    "paper": "#14181e",
    "grid": "#4a525c",
    "g1": "#f14319",
    "g2": "#a0eb70",
    "g3": "#9b68ff",
    "g4": "#fce001",
    "g5": "#ed31a1",
    "g6": "#3afdf9",
    "g7": "#ab8065",
    "g8": "#e3f4c5",
}
GENERATORS = tuple(f"g{j}" for j in range(1, 9))

ROLES = ("data", "generated", "discriminator", "other", "extra")
STYLE = {
    "axes.prop_cycle": cycler(color=[COLOURS[role] for role in ROLES]),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "font.size": 11,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.fonttype": "path",
    "svg.hashsalt": "gantools",
}

_SHADE = 0.55
# D in [0, 1]: sure of fake, undecided (the page shows through), sure of real
SURFACE = LinearSegmentedColormap.from_list(
    "gantools.surface",
    [
        (0, to_rgba("#d55e00", _SHADE)), (0.5, to_rgba("#d55e00", 0)),
        (0.5, to_rgba("#0072b2", 0)), (1, to_rgba("#0072b2", _SHADE)),
    ],  # fmt: skip
)

_numbers = itertools.count(1)


def _variables(palette):
    return "".join(f"--gan-{name}:{value};" for name, value in palette.items())


def theme() -> str:
    """CSS giving every `.gan` block its `--gan-<role>` colours, light or dark.

    The built page says which by `html[data-theme]`, JupyterLab by `body[data-jp-theme-light]`, Colab by
    `html[theme]`, VS Code by a class; elsewhere the reader's system decides. Paper is always light.
    """
    light, dark = (_variables(p) + f"color-scheme:{s}" for p, s in ((COLOURS, "light"), (DARK, "dark")))
    pages = "html[data-theme={0}]", "html[theme={0}]", "body[data-jp-theme-light={1}]", "body.vscode-{0}"
    pick = ",".join(f"{page} .gan" for page in pages)
    # the book's theme paints HTML outputs pale in dark mode: our blocks bring their own colours
    plain = "{background:none!important;color:inherit!important;padding:0!important}"
    return (
        f".gan{{{light};color:var(--gan-ink)}}"
        f"@media screen and (prefers-color-scheme:dark){{.gan{{{dark}}}}}"
        f"{pick.format('light', 'true')}{{{light}}}"
        f"@media screen{{{pick.format('dark', 'false')}{{{dark}}}}}"
        f".text_html:has(>.gan),.widget-subarea:has(.gan){plain}"
    )


def new(width: float = 6.4, height: float = 3.2, ncols: int = 1, nrows: int = 1, **kwargs):
    """A figure in the house style and its axes, as from `plt.subplots` (`**kwargs` too); sizes in inches.

    The figure is not registered with pyplot, so it appears once, where `show` puts it, and needs no closing.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(nrows, ncols, **kwargs)


class Shown:
    """A figure ready for a page: inline SVG in HTML, its text alternative elsewhere."""

    def __init__(self, svg, alt):
        self.svg, self.alt = svg, alt

    def _repr_html_(self):
        style = theme() + ".gan-figure{margin:0}.gan-figure svg{max-width:100%;height:auto;display:block}"
        return f'<figure class="gan gan-figure"><style>{style}</style>{self.svg}</figure>'

    def __repr__(self):
        return f"Figure: {self.alt}"


def check_alt(alt: str | None) -> str:
    """The text alternative, stripped; ValueError if there is none."""
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("alt is empty: say in a sentence what is seen, for readers who cannot see it")
    return " ".join(alt.split())


def show(fig: Figure, *, alt: str | None = None) -> Shown:
    """Show a matplotlib figure as one inline SVG that follows the page's light or dark theme.

    Colours of the palette, black and white become the theme's variables; any other colour stays as drawn.
    The same figure gives the same text on every build. Draw a heavy scatter with `rasterized=True`.

    Raises ValueError if `alt` is missing or empty, TypeError if `fig` is no figure.
    """
    alt = check_alt(alt)
    if not isinstance(fig, Figure):
        raise TypeError(f"show wants a matplotlib Figure, as figures.new() gives; not {type(fig).__name__}")
    buffer = io.StringIO()
    with matplotlib.rc_context(STYLE):
        fig.draw_without_rendering()  # lets the layout settle: a second showing is the first again
        fig.savefig(buffer, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    return Shown(_inline(buffer.getvalue(), f"gan-fig-{next(_numbers)}", alt), alt)


def _inline(svg, name, alt):
    """A file of matplotlib's as an element: themed, responsive, labelled, its ids its own."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", svg, flags=re.S)
    svg = re.sub(r' (id="|xlink:href="#)|(url\(#)', lambda m: f"{m[0]}{name}-", svg)
    short = lambda m: " " + re.sub(r"(\.\d\d)\d+", r"\1", " ".join(m[0].split()))
    svg = re.sub(r' d="[^"]*"', short, svg)  # hundredths of a point
    svg = re.sub(r">\s+<", "><", svg)
    svg = svg.replace("#cccccc", COLOURS["grid"])  # matplotlib's legend frame
    for role, colour in COLOURS.items():
        svg = svg.replace(colour, "currentColor" if role == "ink" else f"var(--gan-{role},{colour})")
    width = float(re.search(r'width="([\d.]+)pt"', svg)[1])
    svg = re.sub(r' (?:width|height)="[\d.]+pt"| xmlns(?::xlink)?="[^"]*"', "", svg)
    label, pixels = html.escape(alt), round(width / 0.75)
    look = 'fill="currentColor" stroke-linejoin="round" stroke-linecap="butt"'
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}" {look} style="width:{pixels}px"', 1)


def tile(images: torch.Tensor, columns: int = 10, gap: int = 1) -> np.ndarray:
    """A sheet of images for `imshow`: (n, 1, H, W) in [-1, 1] -> 2-D array in [0, 1], NaN in the gaps."""
    images = torch.as_tensor(images).detach().cpu()
    if images.ndim != 4 or images.shape[1] != 1 or not len(images):
        raise ValueError(f"a sheet is made of images (n, 1, H, W), not of shape {tuple(images.shape)}")
    if columns < 1 or gap < 0:
        raise ValueError(f"a sheet needs a column at least and no negative gap, not {columns!r} and {gap!r}")
    n, _, height, width = images.shape
    rows = -(-n // columns)
    sheet = np.full((rows, height + gap, columns, width + gap), np.nan)
    for k, image in enumerate((images[:, 0].clamp(-1, 1) + 1) / 2):
        sheet[k // columns, :height, k % columns, :width] = image
    return sheet.reshape(rows * (height + gap), columns * (width + gap))[: -gap or None, : -gap or None]


def sheet(images: torch.Tensor, columns: int = 8) -> bytes:
    """A sheet of images as a PNG file: (n, C, H, W) uint8, C 1 or 3."""
    from PIL import Image
    from torchvision.utils import make_grid

    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or not len(images):
        raise ValueError(f"a sheet is made of uint8 images (n, 1 or 3, H, W), not of {images.dtype} {tuple(images.shape)}")
    buffer = io.BytesIO()
    Image.fromarray(make_grid(images, columns, 1, pad_value=128).permute(1, 2, 0).numpy()).save(buffer, "PNG")
    return buffer.getvalue()

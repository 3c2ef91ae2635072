"""Fingerprints of nobody: ridges that grow along a drawn field of directions.

For those who may not have, or do not want, the prints of real people.  They are synthetic, and say so
wherever they go: good enough to learn what a net does with ridges, cores, loops and whorls, and no evidence
of anything about real fingers.  The way is that of SFinGe (Cappelli, Maio, Maltoni and Erol, 2000), shortened:

1. where ridges run: half the angles towards the cores less half those towards the deltas (Sherlock and Monro,
   1993), on domes that are steeper at the top of a finger than at its joint;
2. ridges: white noise, again and again filtered along that field by a filter of one period and squeezed into
   -1..1, until lines stand that end and fork where they do not fit;
3. the print: bent a little, pressed unevenly, dry here and smeared there, on glass that is not quite clean.

Image k is made from the number k alone, whatever is asked for beside it.
"""

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from scipy.special import ive
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample, interpolate, pad

from gantools import storage
from gantools.data.images import ImageSet, resized
from gantools.data.store import cache, progress

SOURCE = (
    "Ridges: synthetic fingerprints of no person, drawn by gantools (after SFinGe, Cappelli et al., 2000)"
)
LICENCE = "none needed: synthetic, of no person"
SPLITS = {"train": (0, 2400), "test": (2400, 3000)}  # numbers of the first image and after the last
BLOCK = 200  # images drawn and kept together
SIZE = 80  # pixels a side unless another is asked for
CLASSES = ("arch", "loop left", "loop right", "whorl")
SHARES = (0.16, 0.28, 0.28, 0.28)  # nature has fewer arches
SIDE = 96  # pixels of an image as it is drawn, about as many as SOCOFing's have
FINE = 2 * SIDE  # the print is made on a grid twice as fine as the image
CANVAS, PERIOD = 128, 3.6  # the square on which ridges grow, and their period there, in pixels
ORDERS, SHARPNESS, SPREAD = 6, 6.0, 0.22  # of the filter: harmonics, angular and radial selectivity
AT_ONCE = 4  # more would only crowd the processor's caches
STEPS, GAIN = 4, 4.0


@dataclass(frozen=True)
class Fingers:
    """What n fingers are made of.  The canvas is the square from -1 to 1, with y upwards.

    labels    number of the class, (n,) int64
    cores     x + iy of up to two cores, (n, 2) complex, NaN where there is none; deltas likewise
    traits    single numbers, (n,) or (n, 3), as `_traits` draws them
    noise     white noise, (n, ...)
    """

    labels: Tensor
    cores: Tensor
    deltas: Tensor
    traits: dict[str, Tensor]
    noise: dict[str, Tensor]


def read(split: str, size: int | None = None, first: int | None = None) -> ImageSet:
    """The images of that split, size x size, or at least so many of the first; drawn once, then kept."""
    start, end = SPLITS[split]
    begins = range(start, end if first is None else min(end, start + first), BLOCK)
    parts = []
    for begin in progress(begins, "drawing ridges", not all(_block(begin).is_file() for begin in begins)):
        kept = _kept(begin)
        parts.append((resized(kept["images"], size or SIZE), kept["labels"]))
    images, labels = (torch.cat(part) for part in zip(*parts, strict=True))
    return ImageSet(images, labels, CLASSES, SOURCE, "ridges", LICENCE)


def _kept(begin: int) -> dict[str, Tensor]:
    """Images and labels of a block, from the cache or else drawn and put there."""
    try:
        return storage.read(_block(begin), "ridges", 1)[0]
    except (FileNotFoundError, ValueError):  # not drawn yet, or damaged: it can only be drawn as it was
        images, labels = draw(range(begin, begin + BLOCK))
    (cache() / "ridges").mkdir(exist_ok=True)
    storage.write(_block(begin), "ridges", 1, {"images": images, "labels": labels}, {})
    return {"images": images, "labels": labels}


def _block(begin: int) -> Path:
    return cache() / "ridges" / f"{_made_by()}-{begin:05d}.safetensors"


@lru_cache
def _made_by() -> str:
    """Tells this way of drawing from others: who draws otherwise draws anew."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]


def blocks() -> list[Path]:
    """Where the blocks of all splits are kept once they are drawn."""
    return [_block(begin) for start, end in SPLITS.values() for begin in range(start, end, BLOCK)]


def draw(numbers: range) -> tuple[Tensor, Tensor]:
    """The images of these numbers, (n, 1, 96, 96) uint8, ridges dark, and their labels (n,) int64."""
    images, labels = [], []
    for first in range(0, len(numbers), AT_ONCE):
        fingers = make(numbers[first : first + AT_ONCE])
        images.append(printed(grow(orientation(fingers), fingers.noise["seeds"]), fingers))
        labels.append(fingers.labels)
    return torch.cat(images), torch.cat(labels)


# ---- what is left to chance -------------------------------------------------------------------------------

_NOISE = {
    "seeds": (CANVAS, CANVAS), "grain": (SIDE, SIDE), "dust": (SIDE, SIDE),
    "bend": (2, 5, 5), "press": (5, 5), "turn": (6, 6), "edge": (16, 16),
}  # fmt: skip


def make(numbers: range) -> Fingers:
    """The fingers of these numbers."""
    labels, cores, deltas, traits, noise = [], [], [], [], []
    for number in numbers:
        rng = np.random.default_rng((2718, number))
        labels.append(rng.choice(4, p=SHARES))
        core, delta = _singularities(rng, CLASSES[labels[-1]])
        cores.append((core + [math.nan] * 2)[:2])
        deltas.append((delta + [math.nan] * 2)[:2])
        traits.append(_traits(rng, plain=not core))
        noise.append({name: rng.standard_normal(shape, dtype=np.float32) for name, shape in _NOISE.items()})
    return Fingers(
        torch.tensor(labels),
        *(torch.tensor(points, dtype=torch.complex64) for points in (cores, deltas)),
        {
            name: torch.tensor(np.array([one[name] for one in traits]), dtype=torch.float32)
            for name in traits[0]
        },
        {name: torch.from_numpy(np.stack([one[name] for one in noise])) for name in _NOISE},
    )


def _singularities(rng: np.random.Generator, kind: str) -> tuple[list[complex], list[complex]]:
    """Cores and deltas, each x + iy."""
    top = complex(rng.normal(0, 0.06), rng.normal(-0.05, 0.1))
    down = rng.uniform(0.38, 0.62)
    if kind == "arch":
        if rng.random() < 0.6:
            return [], []
        return [top], [top + complex(rng.normal(0, 0.03), -rng.uniform(0.2, 0.4))]  # a tented one
    if kind == "whorl":
        second = top - complex(rng.normal(0, 0.07), rng.uniform(0.06, 0.3))
        away, below = rng.uniform(0.42, 0.7, 2), rng.normal(-down, 0.06, 2)
        return [top, second], [second + complex(*side) for side in zip(away * (-1, 1), below, strict=True)]
    side = 1 if kind == "loop left" else -1  # a loop opens away from its delta
    return [top], [top + complex(side * rng.uniform(0.32, 0.6), -down)]


def _traits(rng: np.random.Generator, plain: bool) -> dict[str, float | np.ndarray]:
    dry = rng.beta(1.3, 2.2)
    return {
        "dome": rng.uniform(1.5, 2.3),  # how steep ridges are at the top
        "flat": rng.uniform(0.1, 0.4),  # and at the joint
        "bump": rng.uniform(0.35, 0.8) * plain,  # of a plain arch
        "periods": np.clip(rng.normal(30.7, 2.8), 25, 34.5),  # ridges in an image's width
        "tilt": rng.normal(0, 0.13),
        "across": rng.normal(0, 0.1),
        "along": rng.normal(-0.15, 0.12),
        "width": rng.uniform(0.66, 1.05),
        "height": rng.uniform(0.75, 1.05),
        "grain": 0.5 + 1.3 * dry,
        "press": rng.normal(1.0, 0.45) - 1.1 * dry,
        "uneven": rng.uniform(0.3, 0.85),
        "ink": rng.uniform(0.95, 1) if rng.random() < 0.85 else rng.uniform(0.65, 0.85),
        "fade": rng.uniform(0.2, 0.8) * (rng.random() < 0.5),
        "dirt": rng.uniform(0.2, 1) * (rng.random() < 0.35),
        "crease": (rng.random(3) < 0.08) * 5.0,
        "crease_x": rng.uniform(-0.6, 0.6, 3),
        "crease_y": rng.uniform(-0.6, 0.6, 3),
        "crease_turn": rng.uniform(0, math.pi, 3),
        "crease_long": rng.uniform(0.08, 0.4, 3),
    }


# ---- where ridges run -------------------------------------------------------------------------------------


def orientation(fingers: Fingers) -> Tensor:
    """The angle of the ridges over the canvas, (n, 128, 128), in radians, y upwards, modulo pi."""
    line = torch.linspace(-1, 1, CANVAS)
    x, y = line.expand(CANVAS, CANVAS), line.flip(0).unsqueeze(1).expand(CANVAS, CANVAS)
    of = {name: value.view(-1, 1, 1) for name, value in fingers.traits.items() if value.ndim == 1}
    curvature = of["flat"] + (of["dome"] - of["flat"]) * torch.sigmoid((y + 0.3) / 0.15)
    dome = -torch.atan(curvature * x)
    bump = -of["bump"] * torch.sin(math.pi * (x / 0.5).clamp(-1, 1)) * torch.exp(-(((y + 0.2) / 0.3) ** 2))
    poles = torch.zeros(())
    for points, sign in ((fingers.cores, 0.5), (fingers.deltas, -0.5)):
        for point in points.unbind(1):
            towards = torch.atan2(y - point.imag.view(-1, 1, 1), x - point.real.view(-1, 1, 1))
            poles = poles + sign * towards.nan_to_num(0.0)
    cores = (~fingers.cores.real.isnan()).sum(1).view(-1, 1, 1)
    share = torch.tensor([1.0, 0.7, 0.5])[cores]  # the more cores, the less is left for the dome
    return poles + share * dome + bump + 0.1 * _smooth(fingers.noise["turn"], CANVAS)


def _smooth(coarse: Tensor, side: int) -> Tensor:
    """Coarse noise as a smooth field: (n, k, k) -> (n, side, side)."""
    return interpolate(coarse.unsqueeze(1), (side, side), mode="bicubic", align_corners=True).squeeze(1)


# ---- ridges -----------------------------------------------------------------------------------------------


@lru_cache
def _filters() -> Tensor:
    """Angular harmonics of the oriented filter in the frequency domain, (ORDERS, 128, 128) complex.

    The filter for waves along the angle n is exp(k (cos 2(angle - n) - 1)) at the frequencies about 1/PERIOD.
    Its Fourier series in the angle, with Bessel functions for coefficients, lets one set of ORDERS transforms
    serve the whole picture, whatever n is from pixel to pixel (steerable filters: Freeman and Adelson, 1991).
    """
    frequency = torch.fft.fftfreq(CANVAS)
    down, along = torch.meshgrid(frequency, frequency, indexing="ij")
    radius, angle = torch.hypot(along, down), torch.atan2(-down, along)
    radial = torch.exp(-0.5 * ((radius * PERIOD - 1) / SPREAD) ** 2)
    order = torch.arange(ORDERS).view(-1, 1, 1)
    weight = torch.from_numpy(ive(np.arange(ORDERS), SHARPNESS) * np.where(np.arange(ORDERS), 2, 1)).float()
    return weight.view(-1, 1, 1) * radial * torch.exp(2j * order * angle)


def grow(angle: Tensor, seeds: Tensor) -> Tensor:
    """Ridges along those angles out of white noise, (n, 128, 128): waves of unit variance, ridges above 0."""
    turns = torch.empty(len(angle), ORDERS, CANVAS, CANVAS, dtype=torch.complex64)
    turns[:, 0] = 1
    once = torch.polar(torch.ones_like(angle), -2 * angle - math.pi)  # waves stand across the ridges
    for order in range(1, ORDERS):
        torch.mul(turns[:, order - 1], once, out=turns[:, order])
    filters, ridges = _filters(), seeds
    for step in range(STEPS):
        parts = torch.fft.ifft2(torch.fft.fft2(ridges).unsqueeze(1) * filters)
        ridges = parts.mul_(turns).sum(1).real
        ridges = ridges / ridges.std((1, 2), keepdim=True)
        if step < STEPS - 1:
            ridges = torch.tanh(GAIN * ridges)
    return ridges


# ---- the print --------------------------------------------------------------------------------------------


def printed(ridges: Tensor, fingers: Fingers) -> Tensor:
    """What these ridges, (n, 128, 128), leave on paper: (n, 1, 96, 96) uint8, white where nothing touched."""
    of = {name: value.view(-1, 1, 1) for name, value in fingers.traits.items() if value.ndim == 1}
    noise = fingers.noise
    line = (torch.arange(SIDE) + 0.5) * 2 / SIDE - 1
    x, y = _placed(line, of)
    force = (
        of["press"] + of["uneven"] * (_smooth(noise["press"], SIDE) - 0.5 * y) + of["grain"] * noise["grain"]
    )
    force = force - 6 * _outside(x, y, of, _smooth(noise["edge"], SIDE)) - _creases(x, y, fingers.traits)
    force = interpolate(
        force.clamp(max=1.15).unsqueeze(1), scale_factor=2, mode="bilinear"
    )  # (n, 1, FINE, FINE)
    ink = torch.sigmoid(6 * (1.1 * torch.tanh(1.5 * _bent(ridges, of, noise["bend"])) + force))
    ink = avg_pool2d(ink, 2).squeeze(1)  # (n, 96, 96)
    ink = ink * of["ink"] * (1 - of["fade"] * torch.sigmoid((y - 0.4) / 0.15))
    ink = torch.maximum(ink, _dust(of, noise["dust"]))
    return (255 * (1 - ink)).round().clamp(0, 255).to(torch.uint8).unsqueeze(1)


def _placed(line: Tensor, of: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """x and y on the finger for each pixel of the image, (n, k, k): moved and tilted, y upwards."""
    x, y = line.view(1, 1, -1) - of["across"], -line.view(1, -1, 1) - of["along"]
    cos, sin = of["tilt"].cos(), of["tilt"].sin()
    return cos * x - sin * y, sin * x + cos * y


def _bent(ridges: Tensor, of: dict[str, Tensor], bend: Tensor) -> Tensor:
    """The wave at the pixels of the image, (n, 1, FINE, FINE): scaled to its number of periods, and bent."""
    x, y = _placed((torch.arange(FINE) + 0.5) * 2 / FINE - 1, of)
    at = torch.stack([x, -y], -1) * (of["periods"] * PERIOD / CANVAS).unsqueeze(-1)
    at = at + 0.03 * interpolate(bend, (FINE, FINE), mode="bilinear", align_corners=True).movedim(1, -1)
    spectrum = torch.fft.fftshift(
        torch.fft.fft2(ridges), dim=(1, 2)
    )  # twice as fine: the wave has no higher ones
    fine = torch.fft.ifft2(torch.fft.ifftshift(pad(spectrum, [CANVAS // 2] * 4), dim=(1, 2))).real
    return grid_sample(4 * fine.unsqueeze(1), at, padding_mode="reflection", align_corners=False)


def _outside(x: Tensor, y: Tensor, of: dict[str, Tensor], edge: Tensor) -> Tensor:
    """0 where the finger touches, and the further out the larger: round above, long below."""
    tall = torch.where(y > 0, of["height"], 1.5 * of["height"])
    away = (x / of["width"]).abs() ** 2.3 + (y / tall).abs() ** 2.3
    return (away - 0.85 + 0.08 * edge).clamp(min=0)


def _creases(x: Tensor, y: Tensor, traits: dict[str, Tensor]) -> Tensor:
    """White lines across ridges, up to three."""
    of = {name[7:]: traits[name].view(-1, 3, 1, 1) for name in traits if name.startswith("crease_")}
    dx, dy = x.unsqueeze(1) - of["x"], y.unsqueeze(1) - of["y"]
    along, across = (
        dx * of["turn"].cos() + dy * of["turn"].sin(),
        dy * of["turn"].cos() - dx * of["turn"].sin(),
    )
    lines = torch.exp(-((across / 0.02) ** 2) - (along / of["long"]) ** 2)  # (n, 3, k, k)
    return (traits["crease"].view(-1, 3, 1, 1) * lines).sum(1)


def _dust(of: dict[str, Tensor], noise: Tensor) -> Tensor:
    """Specks on the glass, (n, 96, 96), thicker towards the bottom."""
    bottom = torch.linspace(0, 1, SIDE).view(-1, 1) ** 3
    return of["dirt"] * torch.sigmoid(3 * (noise + 3 * bottom - 3)) * bottom.clamp(min=0.02)

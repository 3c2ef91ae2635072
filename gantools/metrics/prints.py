"""Fingerprints: do generated ones have the contrast, the ridges' spacing and their flow of real ones?

Images are (n, C, H, W), uint8 or float in [-1, 1]; colours are averaged.  Frequencies are in cycles per
image side, so both sets must have one size.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy import stats
from torch import Tensor
from torch.nn.functional import avg_pool2d

from gantools import data
from gantools.metrics.judging import as_bytes

__all__ = ["Prints", "coherence", "power_spectrum", "print_distances", "prints", "ridge_frequency"]

WIDEST = 8  # pixels from ridge to ridge: what is slower is the finger's outline and shading


class Prints(NamedTuple):
    """What is measured of a set of fingerprints; made by `prints`."""

    power: np.ndarray  # (rings,) mean power by frequency: 1, 2, ... cycles per image side
    frequency: np.ndarray  # (n,) of each image's ridges
    coherence: np.ndarray  # (n, blocks)
    grey: np.ndarray  # (256,) share of each grey level


def prints(images: Tensor) -> Prints:
    """All that `print_distances` compares, of one set."""
    grey = _grey(images)
    rings = _rings(grey)  # (n, rings)
    levels = np.bincount(((grey + 1) * 127.5).round().int().flatten().numpy(), minlength=256)
    return Prints(rings.mean(0), _peaks(rings), _coherence(grey), levels / levels.sum())


def print_distances(fake: Prints, real: Prints) -> dict[str, float]:
    """How far two sets are apart.

    power_spectrum   root mean square over the frequencies of the difference of log mean powers: 0.1 means
                     that powers differ by about 10 %
    ridge_frequency  W1 between the laws of the images' ridge frequencies, in cycles per image side
    coherence        W1 between the laws of the blocks' coherence, which lies in [0, 1]
    grey             W1 between the laws of the pixels, in [-1, 1]: 2 from all black to all white
    """
    if len(fake.power) != len(real.power):
        raise ValueError("the fingerprints to be compared must have one size")
    logs = [np.log(each.power.clip(1e-12)) for each in (fake, real)]
    levels = np.linspace(-1, 1, 256)
    return {
        "power_spectrum": float(np.sqrt(((logs[0] - logs[1]) ** 2).mean())),
        "ridge_frequency": float(stats.wasserstein_distance(fake.frequency, real.frequency)),
        "coherence": float(stats.wasserstein_distance(fake.coherence.ravel(), real.coherence.ravel())),
        "grey": float(stats.wasserstein_distance(levels, levels, fake.grey, real.grey)),
    }


def power_spectrum(images: Tensor) -> np.ndarray:
    """Mean power of the images at 1, 2, ... side // 2 cycles per image side, averaged over directions.

    Each image loses its mean and is faded out towards its border (Hann window, of mean square 1), so that
    for white noise every entry is its variance.
    """
    return _rings(_grey(images)).mean(0)


def ridge_frequency(images: Tensor) -> np.ndarray:
    """(n,): the frequency at which each image has most power, in cycles per image side.

    Looked for where a period has 8 pixels or fewer, among the powers of all waves of one frequency (the mean
    over directions times the frequency); a parabola through three logarithms gives the decimals.
    """
    return _peaks(_rings(_grey(images)))


def coherence(images: Tensor) -> np.ndarray:
    """(n, blocks): how much the brightness changes along one direction, in each block of a tenth of the side.

    From the block's mean products of derivatives, sqrt((xx - yy)^2 + 4 xy^2) / (xx + yy): 1 for parallel
    ridges, near 0 for noise, and 0 where nothing changes (Kass and Witkin, 1987).
    """
    return _coherence(_grey(images))


def _grey(images: Tensor) -> Tensor:
    """(n, C, H, W) -> (n, H, W) in [-1, 1]; ValueError unless square, of 16 pixels or more."""
    pixels = as_bytes(images)
    if pixels.shape[2] != pixels.shape[3] or pixels.shape[2] < 16:
        raise ValueError(f"fingerprints must be square, of 16 pixels or more, not {tuple(pixels.shape[2:])}")
    return data.to_float(pixels).mean(1)


def _rings(grey: Tensor) -> np.ndarray:
    """(n, H, H) -> (n, H // 2): each image's power by frequency."""
    side = grey.shape[-1]
    hann = torch.hann_window(side, periodic=False)
    window = torch.outer(hann, hann)
    window /= window.square().mean().sqrt()
    centred = grey - grey.mean(dim=(1, 2), keepdim=True)
    down, along = torch.fft.fftfreq(side) * side, torch.fft.rfftfreq(side) * side
    ring = torch.hypot(down[:, None], along).round().long()  # (H, H // 2 + 1)
    twice = (along > 0) & (along < side / 2)  # rfft leaves out the mirrored half
    weight = torch.where(twice, 2.0, 1.0).expand_as(ring)
    total = torch.zeros(int(ring.max()) + 1).index_add_(0, ring.flatten(), weight.flatten())
    found = []
    for part in centred.split(256):
        power = torch.fft.rfft2(part * window).abs().square() * weight / side**2
        sums = torch.zeros(len(part), len(total)).index_add_(1, ring.flatten(), power.flatten(1))
        found.append((sums / total)[:, 1 : side // 2 + 1])
    return torch.cat(found).double().numpy()


def _peaks(rings: np.ndarray) -> np.ndarray:
    """(n, rings) -> (n,)."""
    cycles = np.arange(1, rings.shape[1] + 1)
    logs = np.log(rings.clip(1e-12) * cycles)
    lowest = math.ceil(2 * len(cycles) / WIDEST)
    at = logs[:, lowest - 1 : -1].argmax(axis=1) + lowest - 1  # its neighbours exist on both sides
    rows = np.arange(len(logs))
    before, peak, after = logs[rows, at - 1], logs[rows, at], logs[rows, at + 1]
    bend = 2 * peak - before - after
    shift = np.divide(after - before, 2 * bend, out=np.zeros(len(logs)), where=bend > 1e-9)
    return at + 1 + shift.clip(-0.5, 0.5)


def _coherence(grey: Tensor) -> np.ndarray:
    """(n, H, W) -> (n, blocks)."""
    x = (grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2]) / 2
    y = (grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1]) / 2
    products = torch.stack([x * x, y * y, x * y], dim=1)  # (n, 3, H - 2, W - 2)
    xx, yy, xy = avg_pool2d(products, max(4, grey.shape[-1] // 10)).flatten(2).unbind(1)  # (n, blocks) each
    turned, whole = torch.hypot(xx - yy, 2 * xy), xx + yy
    return torch.where(whole > 1e-6, turned / whole.clamp(min=1e-6), 0.0).double().numpy()

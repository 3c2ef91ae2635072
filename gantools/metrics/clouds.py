"""Clouds of points: which modes they reach, and exact transport between two of them."""

import math
from typing import NamedTuple

import numpy as np
import ot
import torch
from numpy.typing import ArrayLike
from scipy import special
from torch import Tensor

__all__ = ["Modes", "mode_kl", "modes_found", "w1"]


class Modes(NamedTuple):
    """What a cloud of samples found of a mixture."""

    found: int
    high_quality: float  # share of the samples within `within` standard deviations of a centre
    shares: np.ndarray  # (k,): share of all samples near each centre


def modes_found(samples: Tensor, law, within: float = 3.0, minimum: float = 0.01) -> Modes:
    """Which modes of a Gaussian mixture the samples, (n, d), reach.

    A sample is of high quality within `within` standard deviations of its nearest centre (a perfect
    generator in the plane has 1 - exp(-4.5) = 0.988891 such samples at 3); a mode is found if at least the
    share `minimum` of all samples is high-quality there.  Raises ValueError for wrong shapes, a law without
    centres, or bad thresholds.  (MATH J)
    """
    if not hasattr(law, "centres"):
        raise ValueError("modes can be counted for mixtures only: this law has no centres")
    samples, centres = torch.as_tensor(samples).detach().cpu(), law.centres.cpu()
    if samples.ndim != 2 or not len(samples) or samples.shape[1] != centres.shape[1]:
        raise ValueError(f"samples must be (n, {centres.shape[1]}), not {tuple(samples.shape)}")
    if not within > 0 or not 0 < minimum <= 1:
        raise ValueError(f"within must be above 0 and minimum in (0, 1], not {within!r} and {minimum!r}")
    distance, nearest = torch.cdist(samples.double(), centres.double()).min(1)
    counts = torch.bincount(nearest[distance <= within * law.sd], minlength=len(centres))
    shares = counts.double().numpy() / len(samples)
    return Modes(int((shares >= minimum).sum()), float(shares.sum()), shares)


def mode_kl(shares: ArrayLike) -> float:
    """KL of the shares of k modes, scaled to sum to 1, from equal shares: in [0, log k] nats.

    0 for equal shares, log k if one mode has all.  Of n samples of a perfect generator it is about
    (k - 1) / (2 n).  Raises ValueError for shares that are negative, not finite, or all 0.  (MATH J)
    """
    p = np.asarray(shares, float)
    if p.ndim != 1 or not p.size or not np.isfinite(p).all() or (p < 0).any() or not p.sum() > 0:
        raise ValueError(f"shares must be numbers from 0 up, not all 0, not {shares!r}")
    p = p / p.sum()
    return max(0.0, float(math.log(len(p)) - special.entr(p).sum()))


def w1(x: ArrayLike, y: ArrayLike) -> float:
    """Exact W1 between two clouds of points, (n, d) and (m, d), each point of equal weight; Euclidean cost.

    Solved by POT's network simplex: n = m = 500 takes some hundredths of a second, and memory grows with
    n m.  Raises ValueError for empty clouds, of different dimensions, or with points that are not finite.
    """
    x, y = (torch.as_tensor(cloud).detach().cpu().double().numpy() for cloud in (x, y))
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or not x.size or not y.size:
        raise ValueError(f"x and y must be clouds (n, d) and (m, d) of one dimension, not {x.shape} and {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("x and y must be finite")
    cost = ot.dist(x, y, metric="euclidean")  # (n, m)
    return float(ot.emd2([], [], cost, numItermax=10_000_000))

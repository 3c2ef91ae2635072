"""Nearest real images: is a generator learning by heart?"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

__all__ = ["Copying", "copying", "nearest"]

ROWS = 512  # images compared at a time


def nearest(images: Tensor, references: Tensor, skip_self: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Each image's nearest reference: Euclidean distances over the numbers given, (n,), and indices, (n,).

    Give both alike, in [-1, 1] say.  skip_self: the images *are* the references, and none counts as its own
    neighbour.  2,000 against 5,000 images of 28 x 28 take about half a second.
    Raises ValueError for no images, or for images that cannot be compared.
    """
    a, b = torch.from_numpy(flat(images)), torch.from_numpy(flat(references))
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"images of {a.shape[1]} pixels cannot be compared with references of {b.shape[1]}")
    if skip_self and a.shape != b.shape:
        raise ValueError("skip_self needs the same images as references")
    squares, found = b.square().sum(1), []
    for start in range(0, len(a), ROWS):
        part = a[start : start + ROWS]
        apart = torch.addmm(squares, part, b.T, alpha=-2)  # |x - y|^2 - |x|^2: (rows, m)
        if skip_self:
            rows = torch.arange(len(part))
            apart[rows, start + rows] = math.inf
        found.append(apart.argmin(1))
    index = torch.cat(found)
    return (a - b[index]).norm(dim=1).numpy(), index.numpy()


class Copying(NamedTuple):
    """Whether samples lie nearer to the images learned from than to others of the same law."""

    share: float  # of the samples whose nearest real image is one of the training set
    expected: float  # that share for a generator that knows the law, not the images
    ratio: float  # median distance to the nearest training image / to the nearest held-out one


def copying(images: Tensor, train: Tensor, held_out: Tensor) -> Copying:
    """Do generated images, (n, ...), copy the training set?

    If they are independent of both sets, and N training and M held-out images are draws of one law, the
    nearest of all N + M is one of the training set with probability N / (N + M), whatever the generator's
    law; ties count half.  The ratio can be compared with 1 only if N = M.  Distances are those of `nearest`:
    a copy that was shifted or mirrored is not noticed.
    """
    near, far = nearest(images, train)[0], nearest(images, held_out)[0]
    share = float((near < far).mean() + (near == far).mean() / 2)
    middle = float(np.median(far))
    ratio = float(np.median(near)) / middle if middle else math.nan
    return Copying(share, len(train) / (len(train) + len(held_out)), ratio)


def flat(images: Tensor) -> np.ndarray:
    """(n, ...) -> (n, d) float64; ValueError unless there is an image."""
    images = torch.as_tensor(images)
    if images.ndim < 2 or not len(images):
        raise ValueError(f"a batch of at least one image is needed, not shape {tuple(images.shape)}")
    return images.detach().cpu().double().flatten(1).numpy()

"""Two sets of features, (n, d) and (m, d), one row an image: how far their laws are apart.

Features are what `judge(...)`, `random_features(...)` or `inception(...)` make of images, or any numbers.
Numbers found with different features, or different n, cannot be compared.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike

__all__ = ["KID", "PRDC", "expected_coverage", "frechet", "frechet_gaussian", "kid", "prdc"]


# ---- Fréchet distance -------------------------------------------------------------------------------------


def frechet(a: ArrayLike, b: ArrayLike) -> float:
    """Squared W2 of the Gaussians with the means and covariances (n - 1) of a, (n, d), and b, (m, d).

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)); singular covariances (fewer rows than columns, constant
    columns) are no trouble.  Unit: that of the features, squared.  Biased: two sets of n samples of N(0, I_d)
    get about 2 d / n + d (d + 1) / (2 (n - 1)), so compare at one n, and with the floor.
    Raises ValueError unless there are two rows each, of one length, all finite.
    Source: Heusel et al. 2017 (MATH J).
    """
    means, factors = [], []
    for x in _pair(a, b, least=2):
        means.append(x.mean(axis=0))
        # S = R'R: no covariance is squared up, no root taken of a rounding error
        factors.append(np.linalg.qr(x - means[-1], mode="r") / math.sqrt(len(x) - 1))
    return _frechet(*means, *factors)


def frechet_gaussian(m1: ArrayLike, S1: ArrayLike, m2: ArrayLike, S2: ArrayLike) -> float:
    """The same of two Gaussians: means (d,), covariances (d, d) symmetric and positive semi-definite."""
    means, factors = [np.asarray(m, float) for m in (m1, m2)], []
    for m, S in zip(means, (np.asarray(S, float) for S in (S1, S2)), strict=True):
        if m.ndim != 1 or m.shape != means[0].shape or S.shape != 2 * m.shape:
            raise ValueError(f"means (d,) and covariances (d, d) are needed, not {m.shape} and {S.shape}")
        if not (np.isfinite(m).all() and np.isfinite(S).all() and np.allclose(S, S.T)):
            raise ValueError("means and covariances must be finite, covariances symmetric")
        values, vectors = np.linalg.eigh(S)
        if values.min() < -1e-8 * max(1.0, values.max()):
            raise ValueError(f"a covariance has no negative eigenvalue; this has {values.min():.3g}")
        factors.append(np.sqrt(values.clip(0))[:, None] * vectors.T)
    return _frechet(*means, *factors)


def _frechet(m1: np.ndarray, m2: np.ndarray, R1: np.ndarray, R2: np.ndarray) -> float:
    """From means and factors with S = R'R: tr (S1 S2)^(1/2) is the sum of the singular values of R1 R2'."""
    common = np.linalg.svd(R1 @ R2.T, compute_uv=False).sum()
    value = ((m1 - m2) ** 2).sum() + (R1**2).sum() + (R2**2).sum() - 2 * common
    return max(0.0, float(value))


# ---- kernel distance --------------------------------------------------------------------------------------


class KID(NamedTuple):
    value: float  # may be negative: unbiased
    error: float  # standard error, by the jackknife over blocks


def kid(a: ArrayLike, b: ArrayLike, blocks: int = 20) -> KID:
    """Squared MMD of a, (n, d), and b, (m, d), with the kernel (x.y / d + 1)^3, unbiased.

    All pairs count at once, where Binkowski et al. 2018 average over small subsets: the same expectation, 0
    if the laws are equal, with less spread.  The error leaves out one of `blocks` parts of both sets at a
    time; it errs upwards, by up to a half where the laws are nearly equal.
    Raises ValueError unless each set has two rows a block, of one length, all finite.
    """
    if not isinstance(blocks, int) or blocks < 2:
        raise ValueError(f"blocks must be a whole number from 2 up, not {blocks!r}")
    a, b = _pair(a, b, least=2 * blocks)
    ends = [np.linspace(0, len(x), blocks + 1).astype(int) for x in (a, b)]
    counts = [np.diff(each) for each in ends]
    sums = [_block_sums(x, y, ends[i], ends[j]) for x, y, i, j in ((a, a, 0, 0), (b, b, 1, 1), (a, b, 0, 1))]
    for k, x in enumerate((a, b)):  # no sample is paired with itself
        own = ((x**2).sum(axis=1) / x.shape[1] + 1) ** 3
        sums[k][np.diag_indices(blocks)] -= np.add.reduceat(own, ends[k][:-1])

    def estimate(kept: np.ndarray) -> float:
        n, m = (count[kept].sum() for count in counts)
        aa, bb, ab = (each[np.ix_(kept, kept)].sum() for each in sums)
        return float(aa / (n * (n - 1)) + bb / (m * (m - 1)) - 2 * ab / (n * m))

    without = np.array([estimate(np.arange(blocks) != k) for k in range(blocks)])
    error = math.sqrt((blocks - 1) / blocks * ((without - without.mean()) ** 2).sum())
    return KID(estimate(np.full(blocks, True)), error)


def _block_sums(x: np.ndarray, y: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Sums of the kernel over blocks: (blocks, blocks)."""
    kernel = x @ y.T  # (n, m)
    kernel /= x.shape[1]
    kernel += 1
    kernel *= kernel * kernel
    return np.add.reduceat(np.add.reduceat(kernel, rows[:-1], axis=0), columns[:-1], axis=1)


# ---- precision, recall, density, coverage -----------------------------------------------------------------


class PRDC(NamedTuple):
    precision: float  # share of fakes within a real ball
    recall: float  # share of reals within a fake ball
    density: float  # real balls that a fake lies in, over k: 1 in the mean if the laws are equal
    coverage: float  # share of real balls with a fake in them


def prdc(real: ArrayLike, fake: ArrayLike, k: int = 5) -> PRDC:
    """Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).

    The ball of a sample reaches to its k-th nearest neighbour of its own set; it is open.  real (n, d), fake
    (m, d).  Raises ValueError unless both have more than k rows of one length, all finite.  (MATH J)
    """
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise ValueError(f"k must be a positive whole number, not {k!r}")
    real, fake = (torch.from_numpy(x) for x in _pair(real, fake, least=k + 1))
    # among its own set a sample is its own nearest neighbour; copies that lie on a ball's edge stay outside
    of_real, of_fake = (_distances(x, x).kthvalue(k + 1, dim=1).values * (1 - 1e-9) for x in (real, fake))
    apart = _distances(real, fake)  # (n, m)
    in_real = apart < of_real[:, None]
    return PRDC(
        float(in_real.any(dim=0).double().mean()),
        float((apart < of_fake).any(dim=1).double().mean()),
        float(in_real.sum(dim=0).double().mean() / k),
        float(in_real.any(dim=1).double().mean()),
    )


def expected_coverage(n: int, m: int, k: int = 5) -> float:
    """Of n reals by m fakes of the same continuous law: 1 - prod_(i = 1..k) (n - i) / (n + m - i).

    The first k neighbours among the n + m - 1 others must not all be real; 0.969218 for k = 5 and
    n = m = 500.  Source: Naeem et al. 2020 (MATH J).
    """
    if not (n > k >= 1 and m >= 1):
        raise ValueError(f"n must be above k, k and m at least 1, not n = {n!r}, m = {m!r}, k = {k!r}")
    return 1 - math.prod((n - i) / (n + m - i) for i in range(1, k + 1))


def _distances(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """(n, d), (m, d) -> (n, m): exact in few dimensions, else good to 1e-7 of the features' length."""
    few = x.shape[1] <= 16
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist" if few else "use_mm_for_euclid_dist")


def _pair(a: ArrayLike, b: ArrayLike, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64; ValueError unless they can be compared."""
    a, b = (np.asarray(x.detach().cpu() if isinstance(x, torch.Tensor) else x, float) for x in (a, b))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1:] != b.shape[1:] or not a.shape[1]:
        raise ValueError(f"features must be (n, d) and (m, d) with one d, not {a.shape} and {b.shape}")
    if min(len(a), len(b)) < least:
        raise ValueError(f"at least {least} rows of each are needed, not {len(a)} and {len(b)}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("features must be finite: the images hold NaN, or the net has diverged")
    return a, b

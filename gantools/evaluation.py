"""What a metric of a generator is worth: each on laws where the truth is known.

    gelbrich                     the Fréchet distance never exceeds W2 squared
    frechet_line, frechet_bias   what it gives to two samples of one law: exactly on the line, to first order
    frechet_mean, thrifty        ... and to Gaussians of different spread: too little variety is rewarded
    frechet_infinity             extrapolation to infinitely many samples
    kid_line                     the kernel distance compares three moments
    plugin_jsd, plugin_bias      histograms find a divergence where there is none
    classifier_gap               what a classifier's lower bound leaves out
    modes_expected               how many modes n samples of a perfect generator hit
    FAILURES, failing, scores    ways to fail, and what every metric says of them; noticed: which notice
    plane_game, measures         a small game, and metrics to watch it by

The metrics themselves are in gantools.metrics.  All divergences in nats.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import ot
import torch
from numpy.typing import ArrayLike
from scipy import special, stats
from torch import Tensor

from gantools import data, divergences, metrics, nets
from gantools.game import Game, gan

__all__ = [
    "FAILURES", "Gap", "Mean", "Sides", "classifier_gap", "failing", "frechet_bias", "frechet_infinity",
    "frechet_line", "frechet_mean", "frechet_run", "gelbrich", "kid_line", "mean_root", "measures",
    "modes_expected", "noticed", "plane_game", "plugin_bias", "plugin_jsd", "scores", "thrifty",
]  # fmt: skip


class Sides(NamedTuple):
    """Two numbers that a statement compares."""

    left: float
    right: float


class Mean(NamedTuple):
    """A mean over simulations and its standard error."""

    value: float
    error: float


def _whole(least: int, **numbers: int) -> None:
    for name, value in numbers.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} must be a whole number from {least} up, not {value!r}")


# ---- the Fréchet distance ---------------------------------------------------------------------------------


def gelbrich(x: ArrayLike, y: ArrayLike) -> Sides:
    """(Fréchet distance, W2 squared) of the empirical laws of two clouds, (n, d) and (m, d): left <= right.

    Here with covariances divided by n, those of the empirical laws.  W2 by POT's network simplex, exact.
    Source: Gelbrich 1990; Dowson and Landau 1982.
    """
    x, y = (np.asarray(cloud, float) for cloud in (x, y))
    moments = []
    for cloud in (x, y):
        centred = cloud - cloud.mean(axis=0)
        moments += [cloud.mean(axis=0), centred.T @ centred / len(cloud)]
    cost = ot.dist(x, y, metric="sqeuclidean")  # (n, m)
    return Sides(metrics.frechet_gaussian(*moments), float(ot.emd2([], [], cost, numItermax=10_000_000)))


def _c4(n: int) -> float:
    """E s / sigma for the standard deviation s (n - 1) of n Gaussians."""
    return math.sqrt(2 / (n - 1)) * math.exp(special.gammaln(n / 2) - special.gammaln((n - 1) / 2))


def frechet_line(n: int, m: int, sd: float = 1.0, shift: float = 0.0) -> float:
    """The expected Fréchet distance of n samples of N(0, 1) and m of N(shift, sd^2): exact.

    shift^2 + (1 + 1/n) + sd^2 (1 + 1/m) - 2 sd c4(n) c4(m), since E s^2 = sigma^2 and E s = c4(n) sigma.
    """
    _whole(2, n=n, m=m)
    return shift**2 + 1 + 1 / n + sd**2 * (1 + 1 / m) - 2 * sd * _c4(n) * _c4(m)


def frechet_bias(variances: ArrayLike, n: int, m: int | None = None) -> float:
    """What n and m (default n) samples of *one* Gaussian law get, to first order in 1/n.

    variances, (d,): eigenvalues v of the covariance.  (1/n + 1/m) sum v_i for the means, and for the
    covariances (1/(n-1) + 1/(m-1)) / 2 times the sum over i, j of (1 + [i = j]) v_i v_j / (v_i + v_j).
    For d equal variances 1 and m = n: 2 d / n + d (d + 1) / (2 (n - 1)).
    """
    m = n if m is None else m
    _whole(2, n=n, m=m)
    v = np.atleast_1d(np.asarray(variances, float))
    if v.ndim != 1 or not v.size or not np.isfinite(v).all() or not (v > 0).all():
        raise ValueError(f"variances must be positive numbers, not {variances!r}")
    pairs = (v[:, None] * v) / (v[:, None] + v) * (1 + np.eye(len(v)))
    return float((1 / n + 1 / m) * v.sum() + (1 / (n - 1) + 1 / (m - 1)) / 2 * pairs.sum())


def mean_root(n: int, d: int, repeats: int = 400, seed: int = 0) -> Mean:
    """E tr (S T)^(1/2) for the covariances S, T (n - 1) of two independent sets of n samples of N(0, I_d).

    By simulation: with Bartlett's triangular factors, S = R'R and T = Q'Q, it is the sum of the singular
    values of R Q'.  (tr S + tr T) / 2, whose mean is d, is simulated along and taken off: much less noise.
    Below d; on the line c4(n)^2.  Raises ValueError unless n > d >= 1.
    """
    _whole(1, d=d)
    _whole(d + 1, n=n)
    rng = np.random.default_rng(seed)
    freedom = n - 1 - np.arange(d)

    def factor() -> np.ndarray:
        R = np.triu(rng.normal(size=(d, d)), 1)
        R[np.diag_indices(d)] = np.sqrt(rng.chisquare(freedom))
        return R / math.sqrt(n - 1)

    short = []
    for _ in range(repeats):
        R, Q = factor(), factor()
        traces = np.square(R).sum() + np.square(Q).sum()
        short.append(traces / 2 - np.linalg.svd(R @ Q.T, compute_uv=False).sum())
    return Mean(float(d - np.mean(short)), float(np.std(short, ddof=1) / math.sqrt(repeats)))


def frechet_mean(n: int, d: int, sd: float = 1.0, repeats: int = 400, seed: int = 0) -> Mean:
    """The expected Fréchet distance of n samples of N(0, I_d) and n of N(0, sd^2 I_d).

    d (1 + sd^2) (1 + 1/n) - 2 sd E tr (S T)^(1/2); only the last factor is simulated (`mean_root`).  What
    the laws have is d (1 - sd)^2.
    """
    root = mean_root(n, d, repeats, seed)
    return Mean(d * (1 + sd**2) * (1 + 1 / n) - 2 * sd * root.value, 2 * sd * root.error)


def thrifty(n: int, d: int, repeats: int = 400, seed: int = 0) -> Mean:
    """The sd below 1 at which `frechet_mean` is least: E tr (S T)^(1/2) / (d (1 + 1/n))."""
    root = mean_root(n, d, repeats, seed)
    return Mean(root.value / (d * (1 + 1 / n)), root.error / (d * (1 + 1 / n)))


def frechet_run(n: int, d: int, sd: float = 1.0, repeats: int = 20, seed: int = 0) -> Mean:
    """The same by drawing: means of `metrics.frechet` over pairs of new samples."""
    _whole(2, n=n, repeats=repeats)
    rng = np.random.default_rng(seed)
    seen = [metrics.frechet(rng.normal(size=(n, d)), sd * rng.normal(size=(n, d))) for _ in range(repeats)]
    return Mean(float(np.mean(seen)), float(np.std(seen, ddof=1) / math.sqrt(repeats)))


def frechet_infinity(
    real: ArrayLike, fake: ArrayLike, sizes: Sequence[int], repeats: int = 5, seed: int = 0
) -> float:
    """The Fréchet distance at infinitely many samples: a straight line in 1/n, read at 0.

    At each of the sizes, means over `repeats` random parts of both sets, (N, d) and (M, d); the line is by
    least squares, weighted with n.  Source: Chong and Forsyth 2020.
    Raises ValueError for fewer than two sizes, or parts that are larger than the sets.
    """
    real, fake, sizes = np.asarray(real, float), np.asarray(fake, float), sorted(set(sizes))
    if len(sizes) < 2 or sizes[0] < 2 or sizes[-1] > min(len(real), len(fake)):
        raise ValueError(f"two sizes or more are needed, from 2 to {min(len(real), len(fake))}, not {sizes}")
    rng, means = np.random.default_rng(seed), []
    for n in sizes:
        parts = [[x[rng.choice(len(x), n, replace=False)] for x in (real, fake)] for _ in range(repeats)]
        means.append(np.mean([metrics.frechet(*pair) for pair in parts]))
    return float(np.polyfit(1 / np.array(sizes), means, 1, w=np.sqrt(sizes))[1])


# ---- the kernel distance ----------------------------------------------------------------------------------


def kid_line(p: Any, q: Any) -> float:
    """The squared MMD of two laws on the line with the kernel (x y + 1)^3: exact, from three moments.

    sum over k = 1, 2, 3 of binom(3, k) (E_P x^k - E_Q x^k)^2.  p, q: frozen scipy laws, or arrays of points
    of equal weight.
    """

    def moment(law: Any, k: int) -> float:
        return float(law.moment(k)) if hasattr(law, "moment") else float((np.asarray(law, float) ** k).mean())

    return sum(math.comb(3, k) * (moment(p, k) - moment(q, k)) ** 2 for k in (1, 2, 3))


# ---- divergences from samples -----------------------------------------------------------------------------


def plugin_jsd(p: ArrayLike, q: ArrayLike, n: int) -> float:
    """The expected JSD of the histograms of n samples of p and n of q, (B,) each: exact, in nats.

    JSD = H(middle) - (H(p^) + H(q^)) / 2, and an entropy is a sum over cells, whose counts are binomial.
    """
    _whole(1, n=n)
    p, q = divergences.pair(p, q)
    if not isinstance(p, np.ndarray):
        raise ValueError("p and q must be two vectors of probabilities")
    k = np.arange(n + 1)
    counts = [stats.binom.pmf(k, n, law[:, None]) for law in (p, q)]  # (B, n + 1) each
    own = special.entr(k / n)
    both = special.entr(np.arange(2 * n + 1) / (2 * n))
    joint = np.stack([np.convolve(a, b) for a, b in zip(*counts, strict=True)])  # (B, 2 n + 1)
    return float((joint @ both).sum() - sum((count @ own).sum() for count in counts) / 2)


def plugin_bias(bins: int, n: int) -> float:
    """(B - 1) / (4 n): that for p = q, all B cells charged, to first order; of n samples against exact
    masses half of it.  (MATH J)"""
    _whole(1, bins=bins, n=n)
    return (bins - 1) / (4 * n)


class Gap(NamedTuple):
    jsd: float
    bound: float  # [E_P log D + E_Q log(1 - D) + log 4] / 2
    gap: float  # E_m KL(Bernoulli(D*) || Bernoulli(D)), m = (p + q) / 2: the difference


def classifier_gap(mu: float, steepness: float) -> Gap:
    """N(0, 1) and N(mu, 1) as seen by D = sigmoid(steepness * logit of D*): 1 is the optimal one.

    By quadrature, each of the three by itself.
    """

    def logit(x: np.ndarray) -> np.ndarray:
        return mu * (mu / 2 - x)

    def log_d(a: np.ndarray) -> np.ndarray:
        return -np.logaddexp(0, -a)

    laws = stats.norm(0, 1), stats.norm(mu, 1)
    bound = (
        math.log(4)
        + divergences.expectation(lambda x: log_d(steepness * logit(x)), laws[0], laws[1])
        + divergences.expectation(lambda x: log_d(-steepness * logit(x)), laws[1], laws[0])
    ) / 2

    def kl(x: np.ndarray) -> np.ndarray:
        a = logit(x)
        return sum(np.exp(log_d(b)) * (log_d(b) - log_d(steepness * b)) for b in (a, -a))

    gap = sum(divergences.expectation(kl, *pair) for pair in (laws, laws[::-1])) / 2
    return Gap(divergences.jsd(*laws), float(bound), float(gap))


# ---- modes ------------------------------------------------------------------------------------------------


def modes_expected(k: int, n: int) -> float:
    """How many of k equal modes n samples of a perfect generator hit, in the mean: k (1 - (1 - 1/k)^n)."""
    _whole(1, k=k)
    _whole(0, n=n)
    return k * -math.expm1(n * math.log1p(-1 / k)) if k > 1 else float(n > 0)


# ---- ways to fail -----------------------------------------------------------------------------------------

LAW = data.ring(8)
FAILURES = (
    "nothing", "shifted", "too narrow", "too wide", "five modes of eight", "two moments", "one point",
    "by heart",
)  # fmt: skip


def failing(how: str, train: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """(n, 2): samples of a generator that fails like that at imitating the ring of eight, from `train`.

    nothing               a perfect one
    shifted               by 0.3 to the right
    too narrow, too wide  modes of a third of the standard deviation, or three times it
    five modes of eight   perfect, but for three neighbours that are missing
    two moments           a single Gaussian with the ring's mean and covariance
    one point             one good sample, repeated
    by heart              examples of the training set, (N, 2), drawn again
    """
    if how not in FAILURES:
        raise ValueError(f"there is no failure {how!r}; choose one of {', '.join(FAILURES)}")
    x = LAW.sample(n, rng)
    if how == "shifted":
        return x + torch.tensor([0.3, 0.0])
    if how in ("too narrow", "too wide"):
        centres = LAW.centres[torch.cdist(x, LAW.centres).argmin(1)]
        return centres + (x - centres) * (1 / 3 if how == "too narrow" else 3)
    if how == "five modes of eight":
        centres = LAW.centres[torch.randint(5, (n,), generator=rng)]
        return centres + LAW.sd * torch.randn(n, 2, generator=rng)
    if how == "two moments":
        covariance = LAW.sd**2 + LAW.centres.square().sum(1).mean() / 2  # of either coordinate
        return covariance.sqrt() * torch.randn(n, 2, generator=rng)
    if how == "one point":
        return x[:1].repeat(n, 1)
    if how == "by heart":
        return train[torch.randint(len(train), (n,), generator=rng)]
    return x


def scores(how: str, n: int = 1000, seed: int = 0) -> dict[str, float]:
    """What the metrics say of n samples of `failing(how)`, beside n training samples and n held-out ones."""
    rng = torch.Generator().manual_seed(seed)
    train, held_out = LAW.sample(n, rng), LAW.sample(n, rng)
    fake = failing(how, train, n, rng)
    return {
        "frechet": metrics.frechet(fake, train),
        "kid": metrics.kid(fake, train).value,
        **metrics.prdc(train, fake)._asdict(),
        "modes": float(metrics.modes_found(fake, LAW).found),
        "nearer_to_train": metrics.copying(fake, train, held_out).share,
    }


def noticed(n: int = 1000, perfect: int = 20, deviations: float = 6.0) -> dict[str, tuple[str, ...]]:
    """Which metrics notice which failure: {failure: names of metrics}.

    A metric notices if its score of `failing(how)` is further from the mean over so many perfect generators
    than so many of their standard deviations.
    """
    _whole(2, perfect=perfect)
    floor = [scores("nothing", n, 1 + seed) for seed in range(perfect)]
    found = {}
    for how in FAILURES[1:]:
        row = scores(how, n)
        seen = []
        for name, value in row.items():
            usual = np.array([each[name] for each in floor])
            if abs(value - usual.mean()) > deviations * usual.std(ddof=1):
                seen.append(name)
        found[how] = tuple(seen)
    return found


# ---- a game to watch --------------------------------------------------------------------------------------


def plane_game(law: data.Mixture | None = None, seed: int = 0, width: int = 128, **options) -> Game:
    """The two-player game on a ring of eight wide modes, or another law of the plane; an average's samples."""
    law = data.ring(8, sd=0.1) if law is None else law
    generator = nets.mlp([4, width, width, 2], "leaky_relu", seed=seed)
    discriminator = nets.mlp([2, width, width, 1], "leaky_relu", seed=100 + seed)
    usual = {"lr": 1e-3, "betas": (0.0, 0.99), "ema": 0.995, "device": "cpu"}
    return gan(generator, discriminator, law, latent=4, seed=seed, **{**usual, **options})


def measures(law: data.Mixture, n: int = 1000, seed: int = 0) -> dict[str, Callable[[Game], float]]:
    """For `record(..., measure=...)`: Fréchet distance, precision and recall of n samples and n real ones."""
    real = law.sample(n, torch.Generator().manual_seed(seed))

    def against(game: Game) -> metrics.PRDC:
        return metrics.prdc(real, game.sample(n, seed=1))

    return {
        "Fréchet": lambda game: metrics.frechet(real, game.sample(n, seed=1)),
        "precision": lambda game: against(game).precision,
        "recall": lambda game: against(game).recall,
    }

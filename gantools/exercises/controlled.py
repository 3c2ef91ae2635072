"""Checks of the exercises on controlled divergence: one sentence each, right or not yet."""

import math
from typing import Any

import numpy as np
from scipy import stats

from gantools import controlled
from gantools import exercises as ex

LOG2 = math.log(2)


def check_half(answer: Any) -> None:
    """J_max(1/2) in nats."""
    ex.check_number(
        answer, controlled.jsd_bound(0.5),
        right="half of the mass shared, the other half moved where nothing was.",
        slips=[
            (0.5 * LOG2, "that is delta log 2, the promise; the sharp bound lies below it."),
            (0.5, "that is delta, a bound on total variation."),
            (LOG2, "that is the largest JSD there is, reached at delta = 1."),
        ],
    )  # fmt: skip


def check_level(answer: Any) -> None:
    """The largest delta that guarantees JSD <= 0.1 nats for all data and noise."""
    ex.check_number(
        answer, controlled.delta_for(0.1), tol=1e-3,
        right="J_max of it is 0.1 nats, and some data reach that.",
        slips=[
            (0.1 / LOG2, "that keeps delta log 2 below 0.1, but J_max is lower: you may add more noise."),
            (controlled.delta_for(0.1, bits=True), "that is the level for 0.1 bits, which are 0.0693 nats."),
            (0.1, "0.1 is what delta bits would promise; in nats J_max(0.1) is only 0.036."),
        ],
    )  # fmt: skip


def _contaminate(x: np.ndarray, noise: np.ndarray, u: np.ndarray, delta: float) -> np.ndarray:
    return np.where((u < delta)[:, None], x + noise, x)


def check_contaminate(answer: Any) -> None:
    """(x, noise, u, delta) -> the batch with noise on the rows where u < delta."""
    rng = np.random.default_rng(0)
    x, noise, u = rng.normal(size=(6, 3)), rng.normal(size=(6, 3)), np.array([0.1, 0.8, 0.3, 0.5, 0.95, 0.2])
    ex.check_function(
        answer, _contaminate, [(x, noise, u, 0.4), (x, noise, u, 0.0), (x, noise, u, 1.0)],
        right="whole rows, chosen by their coins; the others stay as they are.",
        slips=[
            (lambda x, n, u, d: _contaminate(x, n, -u, -d), "you noise the rows whose u is above delta."),
            (lambda x, n, u, d: x + d * n, "you add a little to all; sparse noise adds all of it to a few."),
            (lambda x, n, u, d: x + n, "you noise every row; look at u and delta."),
            (lambda x, n, u, d: np.where((u < d)[:, None], n, x), "you replace the rows; add the noise."),
        ],
    )  # fmt: skip


def check_minimum(answer: Any) -> None:
    """What the minimum of the game's criterion says of p_g."""
    ex.check_choice(
        answer, "B",
        {
            "A": "the minimum implies that bound, but many laws keep it that are no minima, P for one.",
            "C": "that is the game on clean data; here the real examples are contaminated.",
            "D": "which law is the minimum? And is its divergence ever delta?",
        },
        right="one law, that of X + N. That JSD <= J_max(delta) follows, and does not imply it.",
    )  # fmt: skip


def check_shift(answer: Any) -> None:
    """TV of X ~ U[0, 1] and X + N with N = 1/4 with probability 0.4."""
    ex.check_number(
        answer, 0.1,
        right="0.4 times the 1/4 that the moved interval sticks out.",
        slips=[
            (0.4, "that is the bound; most of the moved interval still lies on [0, 1]."),
            (0.25, "that is TV(P, R); only a share delta of the data is moved."),
            (0.15, "that is (1 - delta) TV(P, R); the share that is moved is delta."),
        ],
    )  # fmt: skip


def check_sources(answer: Any) -> None:
    """The sharp bound on JSD for two sources of equal weight with levels 0 and 0.6."""
    ex.check_number(
        answer, controlled.bounds([0, 0.6], [0.5, 0.5]).jsd,
        right="the average of J_max(0) = 0 and J_max(0.6).",
        slips=[
            (controlled.jsd_bound(0.3), "that is J_max of the average level; the average J_max is larger."),
            (controlled.jsd_bound(0.6), "that is the second source alone; it is half of the data."),
            (0.3 * LOG2, "that is the average of delta log 2; J_max is sharper."),
        ],
    )  # fmt: skip


def visible(delta: float, scale: float, pixels: int) -> float:
    """The share of images that noise of that scale, in levels of 256, at that delta, leaves changed."""
    return delta * -math.expm1(pixels * math.log1p(-2 * stats.norm.sf(0.5 / scale)))


def check_visible(answer: Any) -> None:
    """(delta, scale, pixels) -> the share of images of which some pixel is rounded to another level."""
    cases = [(0.3, 1.0, 64), (0.3, 0.1, 64), (0.3, 0.1, 784), (1.0, 0.2, 1), (0.5, 0.15, 3072)]

    def one(delta: float, scale: float) -> float:
        return 2 * stats.norm.sf(0.5 / scale)

    ex.check_function(
        answer, visible, cases,
        right="delta (1 - (1 - a)^d): J_max of that is what is left of the divergence after rounding.",
        slips=[
            (lambda d, s, n: d * one(d, s), "that is for one pixel; an image is changed if any is."),
            (lambda d, s, n: d * one(d, s) ** n, "that is the chance that every pixel changes."),
            (lambda d, s, n: 1 - (1 - one(d, s)) ** n, "you forgot the coin: only a share delta is noised."),
            (lambda d, s, n: d * (1 - (1 - one(d, s) / 2) ** n), "noise below -1/2 moves a pixel, too."),
        ],
    )  # fmt: skip


def check_collapse(answer: Any) -> None:
    """The least delta whose J_max a generator keeps that covers 5 of 10 disjoint, equal classes."""
    ex.check_number(
        answer, 0.5, tol=1e-3,
        right="dropping half of the classes costs J_max(1/2): every smaller level's promise is broken.",
        slips=[
            (controlled.jsd_bound(0.5), "that is the divergence; which delta has it for its J_max?"),
            (controlled.jsd_bound(0.5, bits=True), "that is the divergence, in bits; which delta gives it?"),
            (1.0, "the generator shares half of its mass with the data's: its JSD is below log 2."),
        ],
    )  # fmt: skip

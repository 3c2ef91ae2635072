"""Checks of the exercises on evaluation: one sentence each, right or not yet."""

import math
from bisect import bisect_left
from typing import Any

import numpy as np

from gantools import evaluation, metrics
from gantools import exercises as ex


def check_frechet(answer: Any) -> None:
    """(a, b) -> the Fréchet distance of two samples on the line, (n,) and (m,), with variances over n - 1."""

    def moments(x: np.ndarray, ddof: int = 1) -> tuple[float, float]:
        return float(x.mean()), float(x.std(ddof=ddof))

    def distance(a: np.ndarray, b: np.ndarray, ddof: int = 1) -> float:
        (m, s), (k, t) = moments(a, ddof), moments(b, ddof)
        return (m - k) ** 2 + (s - t) ** 2

    rng = np.random.default_rng(0)
    cases = [(rng.normal(size=8), 2 + 3 * rng.normal(size=12)), (rng.exponential(size=9), rng.normal(size=5))]
    ex.check_function(
        answer, distance, cases,
        right="on the line all is in two means and two standard deviations.",
        slips=[
            (lambda a, b: distance(a, b, 0), "the variances are divided by n - 1 here."),
            (lambda a, b: math.sqrt(distance(a, b)), "that is its root; FID is the square."),
            (lambda a, b: (a.mean() - b.mean()) ** 2 + (a.var(ddof=1) - b.var(ddof=1)) ** 2,
             "you compare variances; W2 compares standard deviations."),
            (lambda a, b: (a.mean() - b.mean()) ** 2, "you left out the spread."),
        ],
    )  # fmt: skip


def check_blind(answer: Any) -> None:
    """Which of five generators of N(0, 1) have Fréchet distance 0 in the limit."""
    truth, reason = {"B", "D"}, {
        "A": "A has the variance 1/3, and a spread that is off costs (1 - 3^(-1/2))^2.",
        "C": "C has the variance 2: two Gaussians of variance 1 around -1 and 1.",
        "E": "the mean of E is 1.",
    }

    @ex.explain
    def check(given: Any) -> str:
        if given is None or given is ...:
            raise ex.Wrong("there is no answer here yet; replace the dots, then run the cell again.")
        chosen = set(given) if isinstance(given, str | set | list | tuple) else {given}
        if not chosen or not all(isinstance(c, str) and c in "ABCDE" and len(c) == 1 for c in chosen):
            raise ex.Wrong('give the letters of those that are, such as {"A", "B"}.')
        for letter in sorted(chosen - truth):
            raise ex.Wrong(f"{letter} is not one of them: {reason[letter]}")
        if chosen != truth:
            raise ex.Wrong(f"{', '.join(sorted(chosen))} is right, and one more has mean 0 and variance 1.")
        return "one is discrete, one makes no Gaussian at all; only mean and variance count."

    check(answer)


def check_bias(answer: Any) -> None:
    """How many samples bring the first-order bias of N(0, I_64) below 0.1."""
    d = 64
    truth = 2 + bisect_left(range(2, 10**6), True, key=lambda n: evaluation.frechet_bias(np.ones(d), n) < 0.1)

    @ex.explain
    def check(given: Any) -> str:
        n = ex.number(given)
        if n != round(n):
            raise ex.Wrong("a number of samples is a whole number.")
        if abs(n - truth) <= 1:
            return "17 times as many as the means alone would need: it is the covariances that cost."
        if abs(n - 20 * d) <= 1:
            raise ex.Wrong("that does for the means, 2 d / n; covariances cost d (d + 1) / (2 (n - 1)).")
        if abs(n - truth / 2) <= 25:
            raise ex.Wrong("that is for one sample against a law that is known; here both sides are samples.")
        raise ex.Wrong(f"{ex.show(n)} is too {'many' if n > truth else 'few'}.")

    check(answer)


def check_density(answer: Any) -> None:
    """E density for k = 5, when half of the fakes are real samples' equals and the rest lie far away."""
    ex.check_number(
        answer, 0.5,
        right="a good sample lies in k balls in the mean, a far one in none.",
        slips=[
            (1.0, "that is for fakes that are all good."),
            (0.1, "you divided by k once more: density is scaled so that good samples have 1."),
            (2.5, "that is the mean number of balls; density divides it by k = 5."),
        ],
    )  # fmt: skip


def _coverage(n: int, m: int, k: int) -> float:
    return 1 - math.prod((n - i) / (n + m - i) for i in range(1, k + 1))


def check_coverage(answer: Any) -> None:
    """(n, m, k) -> the expected coverage of n reals by m fakes of the same law."""
    cases = [(500, 500, 5), (100, 1000, 3), (50, 10, 1), (20, 40, 7)]
    ex.check_function(
        answer, metrics.expected_coverage, cases,
        right="the first k of the n - 1 + m others must not all be real.",
        slips=[
            (lambda n, m, k: 1 - _coverage(n, m, k), "that is the chance that a ball stays empty."),
            (lambda n, m, k: 1 - 2.0**-k, "that is the limit of many samples, as many of each."),
            (lambda n, m, k: 1 - (n / (n + m)) ** k, "without replacement: a neighbour counts once."),
            (lambda n, m, k: 1 - math.prod((n - i + 1) / (n + m - i + 1) for i in range(1, k + 1)),
             "the ball's own centre is none of its neighbours: n - 1 reals are left."),
            (lambda n, m, k: _coverage(m, n, k), "you changed n and m."),
        ],
    )  # fmt: skip


def check_copying(answer: Any) -> None:
    """The expected share nearer to 6,000 training images than to 1,000 held out, 30 % being copies."""
    ex.check_number(
        answer, 0.3 + 0.7 * 6 / 7,
        right="copies always, the others by chance, six times in seven.",
        slips=[
            (6 / 7, "that is without the copies."),
            (0.3 + 0.7 / 2, "without copies it is 1/2 only for sets of one size."),
            (0.3, "a sample that is no copy may be nearer to a training image, too."),
            (0.3 + 6 / 7, "a copy is counted twice there; a share above 1 should make you suspicious."),
        ],
    )  # fmt: skip


def check_cells(answer: Any) -> None:
    """n for which the plug-in bias of 50 x 50 charged cells is below 0.01 nats."""
    ex.check_number(
        answer, 2499 / 0.04, tol=1e-4,
        right="25 samples a cell, only to bring it to a hundredth of a nat.",
        slips=[
            (2499 / 0.08, "that is the bias against exact masses; here both sides are samples."),
            (49 / 0.04, "there are 50 x 50 cells."),
            (2500 / 0.01, "the bias is (B - 1) / (4 n)."),
        ],
    )  # fmt: skip


def check_verdict(answer: Any) -> None:
    """Fréchet below the floor, precision and recall at the floor, coverage above: what happened?"""
    ex.check_choice(
        answer, "C",
        {
            "A": "a perfect generator's samples are new: it gets the floor, not less.",
            "B": "then recall and coverage would have fallen.",
            "D": "then precision would have fallen.",
        },
        right="nothing that is new lies closer to the training set than other real samples do.",
    )  # fmt: skip

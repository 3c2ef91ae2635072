"""Checks of the exercises on conditional GANs and InfoGAN: one sentence each, right or not yet."""

import math
from typing import Any

import numpy as np
from scipy import stats

from gantools import divergences, infogan
from gantools import exercises as ex

LOG2, LOG10 = math.log(2), math.log(10)


def check_entropy(answer: Any) -> None:
    """H of (1/2, 1/4, 1/4), nats."""
    ex.check_number(
        answer, 1.5 * LOG2,
        right="1/2 log 2 + 2 (1/4) log 4 = 3/2 log 2 = 1.0397, a little below log 3.",
        slips=[
            (math.log(3), "that is the entropy of three equally likely values; these are not."),
            (1.5, "that is in bits; in nats it is smaller by the factor log 2."),
            (2.5 * LOG2, "weigh each -log P(c) with P(c) = 1/2, 1/4, 1/4."),
        ],
    )  # fmt: skip


def check_swapped(answer: Any) -> None:
    """The conditional criterion of a generator that exchanges N(-1, 1) and N(1, 1)."""
    apart = divergences.jsd(stats.norm(-1, 1), stats.norm(1, 1))
    log4 = math.log(4)
    ex.check_number(
        answer, 2 * apart - log4, tol=1e-4,
        right="each class is at JSD 0.3368 from its own, however good the blend is.",
        slips=[
            (-log4, "that is the blind criterion; a discriminator that is shown the label sees the swap."),
            (2 * apart, "that is twice the JSD; the criterion has -log 4 as well."),
            (apart - log4, "the JSD counts twice."),
            (4 * apart - log4, "take the mean of the two classes, each of weight 1/2, not their sum."),
            (0.0, "the two classes overlap: the JSD is not log 2."),
        ],
    )  # fmt: skip


def check_guess(answer: Any) -> None:
    """L_I of a Q that answers 1/10 to everything."""
    ex.check_number(
        answer, 0.0,
        right="H(c) + log(1/10) = 0: whoever does not look learns nothing, and the bound says so.",
        slips=[
            (-LOG10, "that is E log Q; add H(c) = log 10."),
            (LOG10, "that is H(c); what does E log Q add to it?"),
            (2 * LOG10, "E log(1/10) is negative."),
        ],
    )  # fmt: skip


def check_bound(answer: Any) -> None:
    """A function of joint and Q that gives L_I."""
    rng = np.random.default_rng(3)
    cases = []
    for k, m in ((2, 3), (4, 5)):
        joint = rng.dirichlet(np.ones(k * m)).reshape(k, m)
        cases.append((joint, rng.dirichlet(np.ones(k), m).T))
    zero = np.array([[0.5, 0.0], [0.0, 0.5]])
    cases.append(ex.Case((zero, np.array([[1.0, 0.0], [0.0, 1.0]])), "What never happens costs nothing: 0 log 0 = 0."))

    def without_entropy(joint, Q):
        return infogan.bound(joint, Q) - divergences.entropy(joint.sum(1))

    def by_product(joint, Q):
        product = np.outer(joint.sum(1), joint.sum(0))
        return divergences.entropy(joint.sum(1)) + float((product * np.log(Q)).sum())

    ex.check_function(
        answer, infogan.bound, cases,
        right="H(c) plus the mean of log Q over the joint law, and it stays below I.",
        slips=[
            (without_entropy, "you left out H(c), the entropy of the code's own law."),
            (by_product, "c and x belong together: weigh log Q with the joint table, not with P(c) P(x)."),
            (lambda joint, Q: infogan.mutual_information(joint), "that is I itself; Q does not appear in it."),
        ],
    )  # fmt: skip


def check_deaf(answer: Any) -> None:
    """What Q loses on the symmetric channel, k = 10, error .1, believing in .3."""
    lost = infogan.symmetric_bound(10, 0.1) - infogan.symmetric_bound(10, 0.1, 0.3)
    ex.check_number(
        answer, lost, tol=1e-4,
        right="0.1 log(0.1/0.3) + 0.9 log(0.9/0.7): a KL between two coins, k does not matter.",
        slips=[
            (infogan.symmetric_bound(10, 0.1, 0.3), "that is what is left; the question is what is lost."),
            (infogan.symmetric_bound(10, 0.1), "that is I(c; x), which the best Q reaches."),
            (divergences.kl([0.3, 0.7], [0.1, 0.9]), "the two laws have changed places: the mean is over P."),
        ],
    )  # fmt: skip


def check_width(answer: Any) -> None:
    """Below which width of U(0, w) the mean of log P(c|x) exceeds I."""
    ex.check_number(
        answer, 1.0,
        right="h(c) = log w is negative below w = 1, whatever the noise.",
        slips=[
            (0.5, "that is the example of the text; the inequality fails for wider codes too."),
            (math.e, "h(c) = log w; where is that negative?"),
            (0.0, "log w is negative for some positive w already."),
        ],
    )  # fmt: skip


def check_head(answer: Any) -> None:
    """-log Q(c|x) of a Gaussian head, from mean, log_variance and c: a mean over the examples."""
    rng = np.random.default_rng(5)
    half = math.log(2 * math.pi) / 2
    cases = [(rng.normal(size=n), rng.normal(size=n), rng.uniform(-1, 1, n)) for n in (1, 6)]
    cases.append(ex.Case((np.array([0.2]), np.array([-40.0]), np.array([0.2])), "Is v = exp(log_variance) used?"))

    def truth(mean, log_variance, c):
        return float(np.mean(half + log_variance / 2 + (c - mean) ** 2 / (2 * np.exp(log_variance))))

    ex.check_function(
        answer, truth, cases,
        right="with v = 1 it is half the squared error plus a constant.",
        slips=[
            (lambda m, s, c: truth(m, s, c) - half, "the constant log(2 pi) / 2 is missing: without it L_I is off."),
            (lambda m, s, c: float(np.mean((c - m) ** 2)), "that is the squared error alone; where is the variance?"),
            (lambda m, s, c: truth(m, 2 * s, c), "the head gives log v, the variance, not log of the deviation."),
            (lambda m, s, c: truth(m, s, c) * len(m), "take the mean over the examples, not the sum."),
        ],
    )  # fmt: skip


def check_shares(answer: Any) -> None:
    """Classes with shares 1/2, 1/4, 1/4 and a code of three equally likely values."""
    ex.check_choice(
        answer, "no",
        {
            "yes": "then half of the samples would be of the first class, and a third of the codes: at an "
                   "optimum each value makes exactly a third of the data.",
            "only for large lambda": "the optimum is the same for every lambda above 0.",
            "only for small lambda": "the optimum is the same for every lambda above 0.",
        },
        right="each value takes a third of the data, so the first class must be shared out.",
    )  # fmt: skip

"""Checks of the exercises on vanishing gradients: one sentence each, right or not yet."""

import math
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from gantools import exercises as ex
from gantools import vanishing

LOG2 = math.log(2)

_DISJOINT = {
    "A": "A is false: the JSD never exceeds log 2, so it cannot be infinite.",
    "B": "B is true: the JSD is log 2 exactly, its largest value.",
    "C": "C is true: each law charges a set that the other does not.",
    "D": "D is false: the JSD is log 2 before and after a small move, so its gradient is 0, not infinite.",
    "E": "E is true: a classifier that answers by the support is never wrong.",
}


@ex.explain
def check_disjoint(answer: Any) -> str:
    """Which statements hold for two laws on disjoint compact sets: a set of letters."""
    if answer is None or answer is ...:
        raise ex.Wrong("there is no answer here yet; give a set of letters such as {'A', 'B'}.")
    given = (
        {str(a).strip().upper() for a in answer}
        if isinstance(answer, set | frozenset | list | tuple)
        else None
    )
    if not given or not given <= set(_DISJOINT):
        raise ex.Wrong("give a set of letters from 'A' to 'E', such as {'A', 'B'}.")
    for letter in sorted(given & {"A", "D"}):
        raise ex.Wrong(_DISJOINT[letter])
    missing = sorted({"B", "C", "E"} - given)
    if missing:
        raise ex.Wrong(f"what you chose is true, but there is more: look again at {', '.join(missing)}.")
    return "the JSD is stuck at log 2, KL is infinite both ways, and a perfect discriminator exists."


def check_uniforms(answer: Any) -> None:
    """JSD(U[0, 1], U[1/4, 5/4])."""
    ex.check_number(
        answer, vanishing.uniforms(0.25).jsd,
        right="common mass costs nothing; the quarter that each has for itself costs log 2 a unit.",
        slips=[
            (LOG2, "that is the value for disjoint laws; these two overlap on [1/4, 1]."),
            (math.inf, "that is KL; the JSD is never more than log 2."),
            (0.75 * LOG2, "you counted the common part, which costs nothing; count what each law has alone."),
        ],
    )  # fmt: skip


def check_accuracy_noise(answer: Any) -> None:
    """sigma for which the best discriminator of the noisy lines at theta = 1 has accuracy 3/4."""
    d = 2 * norm.ppf(0.75)  # TV = 2 Phi(d/2) - 1 = 1/2, d = theta/sigma
    ex.check_number(
        answer, 1 / d, tol=1e-3,
        right="accuracy 3/4 means TV = 1/2, so theta/sigma = 2 Phi^-1(3/4).",
        slips=[(d, "that is theta/sigma, upside down: sigma = theta divided by it.")],
    )  # fmt: skip


def check_mean_of_ratios(answer: Any) -> None:
    """P(|mean of 1000 ratios| > 10) for Cauchy(2)."""
    tail = 2 * math.atan(0.2) / math.pi
    ex.check_number(
        answer, tail,
        right="the mean of a thousand has the law of a single one: P = (2/pi) arctan(2/10).",
        slips=[
            (0.0, "that is what the law of large numbers would say; it needs a mean, and this law has none."),
            (1 - tail, "that is the probability of staying within 10."),
        ],
    )  # fmt: skip


def check_saturating_loss(answer: Any) -> None:
    """The generator's loss of the minimax game, from logits, (n,) -> number."""
    rng = np.random.default_rng(0)
    cases = [(rng.normal(size=50),), (rng.normal(size=7) - 3,), ex.Case(
        (np.array([800.0, -800.0, 40.0]),),
        "At large logits 1 - D rounds to 0; write log(1 - D) as -log(1 + exp(a)) = -np.logaddexp(0, a).",
    )]  # fmt: skip
    ex.check_function(
        answer, lambda a: -np.logaddexp(0, a).mean(), cases,
        right="E log(1 - D) = -E log(1 + e^a): finite for every logit.",
        slips=[
            (lambda a: np.logaddexp(0, -a).mean(), "that is -E log D: the non-saturating loss."),
            (lambda a: -np.logaddexp(0, a).sum(), "that is a sum; the loss is a mean over the batch."),
        ],
    )  # fmt: skip


def check_gradients(answer: Any) -> None:
    """mu -> (saturating, non-saturating) gradient for N(0, 1) against N(mu, 1) at D*."""

    def truth(mu: float) -> np.ndarray:
        return np.array(vanishing.generator_gradients(mu))

    ex.check_function(
        answer, truth, [(1.5,), (0.3,), (4.0,)], tol=1e-4,
        right="mu E_q D* and mu E_q (1 - D*); they add up to mu.",
        slips=[
            (lambda mu: truth(mu)[::-1], "the two have changed places: the saturating one comes first."),
            (lambda mu: truth(mu) * [0.5, 1], "your first is that of JSD; the loss is 2 JSD - log 4."),
            (lambda mu: -truth(mu), "both signs are flipped: both losses grow as mu leaves the data."),
        ],
    )  # fmt: skip


def _flat(values: np.ndarray, level: float, where: str) -> None:
    if not (values == level).all():
        raise ex.Wrong(
            f"on {where} D should be exactly {level:g}, and is as far as "
            f"{ex.show(abs(values - level).max())} from it: a sigmoid only approaches its limits."
        )


@ex.explain
def check_perfect_discriminator(answer: Any) -> str:
    """A differentiable D on the line: 1 on [0, 1] (real), 0 on [2, 3] (fake), within [0, 1] elsewhere."""
    x = np.linspace(-0.5, 3.5, 40_001)
    y = ex.array(ex.call(answer, x), x.shape, "what your function returns for an array of points")
    if y.min() < 0 or y.max() > 1:
        raise ex.Wrong("D should stay between 0 and 1 everywhere.")
    real, fake = y[(x >= 0) & (x <= 1)], y[(x >= 2) & (x <= 3)]
    if real.mean() < fake.mean():
        raise ex.Wrong(
            "D is the wrong way round: it should be 1 on the real interval [0, 1] and 0 on [2, 3]."
        )
    _flat(real, 1, "[0, 1]")
    _flat(fake, 0, "[2, 3]")
    h = x[1] - x[0]
    if np.abs(np.diff(y)).max() > 0.05:
        raise ex.Wrong("D has a jump: between 1 and 2 it should come down continuously.")
    if np.abs(np.diff(y, 2)).max() / h > 0.05:
        raise ex.Wrong("D has a corner, where its gradient jumps: round it off, for instance with exp(-1/t).")
    return "accuracy 1, and not the least gradient on either support: the generator hears nothing."


def check_best_noise(answer: Any) -> None:
    """The sigma that makes dJSD/dtheta of the noisy lines largest at theta = 1."""
    best = minimize_scalar(
        lambda s: -vanishing.lines(1.0, s).djsd, bounds=(0.05, 3), method="bounded", options={"xatol": 1e-9}
    ).x
    ex.check_number(
        answer, best, tol=2e-3,
        right="too little and the laws do not meet, too much and they look alike: "
        "best is 0.41 of the distance.",
        slips=[
            (0.0, "without noise there is no slope at all."),
            (1 / best, "that is theta/sigma, upside down."),
        ],
    )  # fmt: skip

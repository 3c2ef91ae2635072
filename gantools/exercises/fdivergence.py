"""Checks of the exercises on f-divergences: one sentence each, right or not yet."""

import math
from typing import Any

import numpy as np

from gantools import exercises as ex
from gantools.divergences import F_DIVERGENCES, f_divergence

LOG2 = math.log(2)


@ex.explain
def check_bounded(answer: Any) -> str:
    """The names of the divergences that are finite for all pairs of laws."""
    if answer is None or answer is ...:
        raise ex.Wrong("there is no answer here yet; give a set of names such as {'kl', 'tv'}.")
    if not isinstance(answer, set | frozenset | list | tuple) or not all(isinstance(a, str) for a in answer):
        raise ex.Wrong("give a set of names, such as {'kl', 'tv'}.")
    given = {name.strip().lower() for name in answer}
    if unknown := sorted(given - set(F_DIVERGENCES)):
        raise ex.Wrong(f"{unknown[0]!r} is not among {', '.join(F_DIVERGENCES)}.")
    bounded = {name for name in F_DIVERGENCES if math.isfinite(f_divergence(name).range[1])}
    for name in sorted(given - bounded):
        end = "f(0)" if math.isinf(f_divergence(name).at_zero) else "f'(inf)"
        raise ex.Wrong(f"{name} can be infinite: its {end} is, and disjoint laws reach it.")
    if missing := sorted(bounded - given):
        more = f"what is f(0) + f'(inf) of {missing[0]}?"
        raise ex.Wrong(f"what you chose is bounded, but there is more: {more}")
    return "f(0) + f'(inf) is finite for these five, and is their largest value."


def check_jeffrey(answer: Any) -> None:
    """The value of f(u) = (u - 1) log u for N(0,1) and N(1,1)."""
    ex.check_number(
        answer, 1.0,
        right="u log u - log u is KL plus reverse KL, 1/2 each.",
        slips=[(0.0, "that would be KL minus reverse KL: mind the sign of -log u.")],
    )  # fmt: skip


def check_neyman(answer: Any) -> None:
    """f* of f(u) = (1 - u)^2 / u on t <= 1."""
    t = np.array([-8.0, -1.0, -0.2, 0.0, 0.5, 0.99, 1.0])
    ex.check_function(
        answer, lambda t: 2 - 2 * np.sqrt(1 - t), [(t,)],
        right="2 - 2 sqrt(1 - t); for t > 1 it would be infinite, as f'(inf) = 1.",
        slips=[
            (lambda t: -2 * np.sqrt(1 - t), "you dropped the -2 of f(u) = 1/u - 2 + u; f*(0) should be 0."),
            (lambda t: 1 / np.sqrt(1 - t), "that is the best u; put it into ut - f(u)."),
            (lambda t: t**2 / 4 + t, "that is Pearson's, whose f is not divided by u."),
        ],
    )  # fmt: skip


def check_loud(answer: Any) -> None:
    """The bound of T = 2 T* for reverse KL at N(0,1), N(1,1)."""
    ex.check_number(
        answer, LOG2 - 0.5,
        right="1 - log 2 is lost: a critic that is twice too loud still reaches 39 % of the value.",
        slips=[
            (0.5, "that is the value itself, which only T* reaches."),
            (1.0, "a doubled critic does not double the bound: f* is not linear."),
            (LOG2 - 1.5, "mind the sign of the last term: E_Q log u = -KL(Q||P), and it is subtracted."),
        ],
    )  # fmt: skip


def check_hellinger_loss(answer: Any) -> None:
    """The discriminator's loss of the Hellinger f-GAN, from scores."""
    rng = np.random.default_rng(0)
    tiny = ex.Case(
        (np.array([1e-9, 2e-9]), np.array([3e-9])),
        "Near zero e^v - 1 loses its digits; numpy has expm1 for it.",
    )

    def truth(real, fake):
        return np.expm1(fake).mean() + np.expm1(-real).mean()

    @ex.explain
    def both() -> str:
        cases = [(rng.normal(size=9), rng.normal(size=7)), (np.array([2.0]), np.array([-1.0, 0.5]))]
        for args in cases:
            value, right = ex.number(ex.call(answer, *args), "what your function returns"), truth(*args)
            if ex.close(value, -right):
                raise ex.Wrong("the size is right and the sign is flipped: the discriminator minimises.")
            if ex.close(value, truth(args[1], args[0])):
                raise ex.Wrong("real and generated scores have changed places.")
            if ex.close(value, np.exp(args[1]).mean() + np.exp(-args[0]).mean()):
                raise ex.Wrong("that is too large by 2, a constant; then an even critic would not score 0.")
            if not ex.close(value, right):
                raise ex.Wrong(f"for scores {ex.show(args[0])} and {ex.show(args[1])} the loss is "
                               f"{right:.6g}, and you give {value:.6g}.")  # fmt: skip
        value = ex.number(ex.call(answer, *tiny.args), "what your function returns")
        if abs(value / truth(*tiny.args) - 1) > 1e-9:
            raise ex.Wrong(tiny.hint)
        return "-E g(v) + E f*(g(v)) = E expm1(-v) + E expm1(v), to the last digit."

    both()


def check_moments(answer: Any) -> None:
    """The deviation of the best Gaussian in KL for two unit normals at -2 and 2."""
    ex.check_number(
        answer, math.sqrt(5), tol=1e-3,
        right="KL matches moments: the variance is 1 + 4.",
        slips=[
            (5.0, "that is the variance."),
            (1.0, "that is one bump; KL must cover both."),
            (2.0, "you forgot the variance of each bump."),
        ],
    )  # fmt: skip


def check_trick(answer: Any) -> None:
    """What the non-saturating loss of Pearson's f-GAN descends."""
    ex.check_choice(
        answer, "kl",
        {
            "pearson": "that is what the saturating loss descends; the trick divides the weight 2u^2 by u.",
            "reverse_kl": "its weight is 1; here 2u^2 / u = 2u is left.",
            "hellinger": "its weight grows like the root of u; here 2u^2 / u = 2u is left.",
            "js": "its weight levels off at 1; here 2u^2 / u = 2u is left.",
            "jsd": "its weight levels off; here 2u^2 / u = 2u is left.",
            "gan": "its weight levels off at 1; here 2u^2 / u = 2u is left.",
            "tv": "its weight is 0; here 2u^2 / u = 2u is left.",
        },
        right="twice KL: the trick takes one power of u away.",
    )  # fmt: skip

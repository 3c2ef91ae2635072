"""Checks of the exercises on P2GAN: one sentence each, right or not yet."""

import math
from typing import Any

import numpy as np

from gantools import exercises as ex

PUSHES = ("kl", "reverse_kl", "pearson", "hellinger", "js", "jsd", "gan", "tv")


@ex.explain
def check_unmix(answer: Any) -> str:
    """The clean law when a quarter of p = (.4, .35, .25) comes from (.7, .3, 0)."""
    p, source, share = np.array([0.4, 0.35, 0.25]), np.array([0.7, 0.3, 0.0]), 0.25
    truth = (p - share * source) / (1 - share)
    given = ex.array(answer, shape=(3,))
    if ex.close(given, truth, 1e-3):
        return "p less a quarter of the source, made a law again."
    if ex.close(given, p - share * source, 1e-3):
        raise ex.Wrong("the right pieces are left, but they add up to 3/4: divide by 1 - alpha.")
    if ex.close(given, p, 1e-3):
        raise ex.Wrong("those are the data; what did the source contribute to each letter?")
    if ex.close(given, (p + share * source) / (1 + share), 1e-3):
        raise ex.Wrong("you added the source; a push takes away.")
    if (given < 0).any() or not ex.close(given.sum(), 1, 1e-3):
        least, total = given.min(), given.sum()
        raise ex.Wrong(f"that is not a law: its entries add up to {total:.4g}, the least is {least:.4g}.")
    x = int(np.abs(given - truth).argmax())
    raise ex.Wrong(f"letter {x} should have {p[x]:g} - {share:g} * {source[x]:g}, divided by 1 - {share:g}.")


@ex.explain
def check_bounded(answer: Any) -> str:
    """The pushes of weight .1 from (1, 0) that are bounded beside a KL pull to (1/2, 1/2)."""
    if answer is None or answer is ...:
        raise ex.Wrong("there is no answer here yet; give a set of names such as {'js', 'tv'}.")
    if not isinstance(answer, set | frozenset | list | tuple) or not all(isinstance(a, str) for a in answer):
        raise ex.Wrong("give a set of names, such as {'js', 'tv'}.")
    given = {name.strip().lower() for name in answer}
    if unknown := sorted(given - set(PUSHES)):
        raise ex.Wrong(f"{unknown[0]!r} is not among {', '.join(PUSHES)}.")
    if "pearson" in given:
        raise ex.Wrong("Pearson's push grows like 1/q as black hair vanishes, the pull only like log 1/q.")
    if "reverse_kl" in given:
        raise ex.Wrong("the source has no blond hair, so reverse KL is infinite as soon as q has some.")
    if "kl" not in given:
        raise ex.Wrong("you left out one whose infinity is outweighed: compare 0.1 log 1/q with 0.5 log 1/q.")
    if missing := sorted(set(PUSHES) - {"pearson", "reverse_kl"} - given):
        raise ex.Wrong(f"{missing[0]} is bounded whatever the pull is: see f(0) + f'(inf).")
    return "the bounded ones, and KL as long as alpha is at most min p/p_1 = 1/2."


@ex.explain
def check_loss(answer: Any) -> str:
    """The generator's loss of the GAN row, from scores pull (n,), push (m, n) and weights (m,)."""
    rng = np.random.default_rng(0)

    def softplus(v):
        return np.logaddexp(0, v)

    for m in (1, 3):
        pull, push, alpha = 2 * rng.normal(size=6), 2 * rng.normal(size=(m, 6)), rng.uniform(0.1, 1, m)
        value = ex.number(ex.call(answer, pull, push, alpha), "what your function returns")
        own, others = softplus(pull).mean(), softplus(push).mean(1)  # -E log(1 - D)
        right = -own + alpha @ others
        if ex.close(value, right):
            continue
        if ex.close(value, -own - alpha @ others):
            raise ex.Wrong("that is a generator pulled by its sources too: the push has the other sign.")
        if ex.close(value, own - alpha @ others):
            raise ex.Wrong("the size is right and the sign is flipped: L_G is minimised.")
        if ex.close(value, -own + others.sum()):
            raise ex.Wrong("the weights alpha_i are missing.")
        averages = alpha.mean() * others.sum(), alpha @ others / m
        if any(ex.close(value, -own + pushes) for pushes in averages):
            raise ex.Wrong("each source has its own weight, and the pushes are added, not averaged.")
        if ex.close(value, softplus(-pull).mean() + alpha @ others):
            raise ex.Wrong("you took the non-saturating pull, -E log D; asked for is the game's own loss.")
        raise ex.Wrong(f"with {m} push scores a sample the loss is {right:.6g}, and you give {value:.6g}.")
    return "E log(1 - D) - sum alpha_i E log(1 - D_i), in stable form."


def check_slope(answer: Any) -> None:
    """What the first bit of black hair is worth at alpha = 1, as a function of the data's share of it."""
    p = np.array([0.1, 0.5, 0.8])
    ex.check_function(
        answer, lambda p: np.log(p / (2 - p)), [(p,)],
        right="log p - log(2 - p), below 0 for every p < 1: at alpha = 1 black hair is given up.",
        slips=[
            (lambda p: np.log(p), "that is the slope at black; the mass comes from blond, with a slope too."),
            (lambda p: np.log(p / (2 - p)) / 2, "that is for 1/2-normalised JSD; here js is 2 JSD."),
            (lambda p: np.log(p * (2 - p)), "the slope at blond is subtracted."),
            (lambda p: np.log(p / (1 + p)), "the data's share of blond is 1 - p."),
        ],
    )  # fmt: skip


def check_equilibrium(answer: Any) -> None:
    """Which sentence is true of Q = P when the source is the data, alpha = 2."""
    ex.check_choice(
        answer, "equilibrium but worst",
        {
            "the maximum": "the objective is (alpha - 1) D(P||Q): what sign has it at alpha = 2?",
            "no equilibrium": "all critics are constant there, and against constants every law does as well.",
            "a local maximum": "D(P||Q) is 0 at Q = P and positive around it.",
        },
        right="nobody gains by moving alone, and every other law would be worth more.",
    )  # fmt: skip


def check_specialist(answer: Any) -> None:
    """The KL-KL weight at which one of ten modes, on which a generator sits, is removed exactly."""
    ex.check_number(
        answer, 0.1,
        right="alpha times a point mass is then all that the data have there; any more is unbounded.",
        slips=[
            (1.0, "that is where JS removes it; with KL the mass taken is alpha itself."),
            (0.9, "that is what the others have."),
            (1 / 9, "the data's share of the mode is one of ten."),
            (0.125, "that is for eight modes."),
        ],
    )  # fmt: skip


SECTION_3_2 = {
    ("real", 0): 1.0, ("real", 1): 1.0, ("auxiliary", 0): -0.01, ("auxiliary", 1): 0.1,
    (0, 1): -0.01, (1, 0): -0.01,
}  # fmt: skip


@ex.explain
def check_forces(answer: Any) -> str:
    """The forces of section 3.2, as (source, target, weight): real, auxiliary, generators 0 and 1."""
    if answer is None or answer is ...:
        raise ex.Wrong("there is no answer here yet; give a list of p2gan.Force(source, target, weight).")
    try:
        forces = [tuple(force) for force in answer]
        given = {(source, target): float(weight) for source, target, weight in forces}
    except (TypeError, ValueError):
        raise ex.Wrong("give a list of p2gan.Force(source, target, weight).") from None
    for pair in given:
        if pair not in SECTION_3_2:
            raise ex.Wrong(f"a force from {pair[0]!r} on {pair[1]!r} is not in the scheme; "
                           "the sources are 'real', 'auxiliary', 0 and 1, the targets 0 and 1.")  # fmt: skip
    if len(given) < len(forces):
        raise ex.Wrong("one force is there twice.")
    for (source, target), weight in SECTION_3_2.items():
        what = f"the force from {source!r} on generator {target}"
        if (source, target) not in given:
            raise ex.Wrong(f"{what} is missing.")
        found = given[source, target]
        if found * weight < 0:
            turned = "pushes" if weight < 0 else "pulls"
            raise ex.Wrong(f"{what} has the wrong sign: it {turned}, and a push is a negative weight.")
        if not ex.close(found, weight):
            raise ex.Wrong(f"{what} has the weight {found:g}; the paper gives {abs(weight):g}.")
    return "two pulls of the data, one of the auxiliary source, and three gentle pushes."


def check_strength(answer: Any) -> None:
    """To first order, the push that turns 50 % black hair into 40 % (one source, all black)."""
    ex.check_number(
        answer, 0.2 / math.log(3), tol=5e-3,
        right="(1 - alpha log 3) / 2 = 0.4; the exact optimum needs a little less, 0.163.",
        slips=[
            (0.1 / math.log(3), "p is 1/2: a share of 0.4 is p (1 - 0.2)."),
            (0.2, "the factor log 3 is missing."),
            (0.1, "the factors are missing: the share is (1 - alpha log 3) / 2."),
            (0.2 / math.log(2), "l = log 2p / (p + p_1) is log 2/3 at black and log 2 at blond."),
        ],
    )  # fmt: skip

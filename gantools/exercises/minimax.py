"""Checks for the exercises of the chapter on the minimax game."""

import math

import numpy as np
from scipy import stats
from torch.nn.functional import softplus

from gantools import minimax
from gantools import exercises as ex

_PAIRS = [
    ([0.5, 0.5], [0.9, 0.1]),
    ([0.2, 0.5, 0.3], [0.6, 0.1, 0.3]),
    ([0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25]),
]


def check_value(answer) -> None:
    """value(d, p, q) for vectors."""
    ds = ([0.5, 0.5], [0.25, 0.8, 0.5], [0.9, 0.1, 0.2, 0.6])
    arrays = [tuple(np.array(v) for v in (d, *pair)) for d, pair in zip(ds, _PAIRS, strict=True)]
    ex.check_function(
        answer, minimax.value, arrays,
        right="that is E_P log D + E_Q log(1 - D), never positive.",
        slips=[
            (lambda d, p, q: -minimax.value(d, p, q) / 2, "that is the cross-entropy: V is minus twice it."),
            (lambda d, p, q: minimax.value(1 - d, p, q),
             "you swapped the labels: log D goes with the real samples."),
            (lambda d, p, q: p @ np.log(d) + q @ np.log(d),
             "the second half is log(1 - D): generated samples should be called generated."),
            (lambda d, p, q: p @ np.log(d) - q @ np.log1p(-d),
             "both halves count with a plus: D wants both right."),
            (lambda d, p, q: np.log(d).mean() + np.log1p(-d).mean(),
             "you averaged over the letters; the averages are over p and over q."),
        ],
    )  # fmt: skip


def check_constant(answer) -> None:
    """(the best constant, V there)."""

    @ex.explain
    def check(pair):
        constant, value = ex.array(pair, shape=(2,), what="the answer (constant, value)")
        if not 0 < constant < 1:
            raise ex.Wrong("the constant must lie strictly between 0 and 1: at the ends a logarithm is -inf.")
        if not ex.close(constant, 0.5, 1e-4):
            better = math.log(0.5) * 2 - math.log(constant) - math.log1p(-constant)
            raise ex.Wrong(
                f"V = log c + log(1 - c) is larger by {better:.4f} elsewhere: set its derivative to zero."
            )
        if not ex.close(value, -math.log(4), 1e-4):
            raise ex.Wrong("the constant is right; now log(1/2) comes twice, once from either half of V.")
        return (
            "tossing a coin for every sample is worth -log 4, whatever p and q are. So a discriminator's "
            "loss of 1.386 means either a perfect generator or a discriminator that has learned nothing."
        )

    check(answer)


def check_uniforms(answer) -> None:
    """C(G) for U[0, 1] against U[0.3, 1.3]."""
    overlap, log4 = 0.7, math.log(4)
    ex.check_number(
        answer, -overlap * log4,
        right="only the overlap, of mass 0.7 in each law, costs the discriminator anything: log 2 twice.",
        slips=[
            (2 * 0.3 * math.log(2), "that is 2 JSD; C(G) is lower by log 4."),
            (0.3 * math.log(2), "that is the JSD; C(G) = -log 4 + 2 JSD."),
            (-0.3 * log4, "you counted the part without overlap; there D* is 0 or 1 and costs nothing."),
            (-overlap * math.log(2), "that is half of V; the generated samples in the overlap count too."),
            (-log4, "that would be the value if the laws were equal; D* is 0 or 1 outside the overlap."),
        ],
    )  # fmt: skip


def check_unbalanced(answer) -> None:
    """best(share, p, q): the optimal discriminator when a share of the samples is real."""
    cases = [(share, *map(np.array, pair)) for share, pair in zip((0.5, 0.8, 0.1), _PAIRS, strict=True)]
    ex.check_function(
        answer, lambda share, p, q: share * p / (share * p + (1 - share) * q), cases,
        right="the posterior probability of 'real'; its logit is log(p/q) plus log(share / (1 - share)).",
        slips=[
            (lambda share, p, q: p / (p + q),
             "that is D* for balanced labels; the share has to weigh p and q."),
            (lambda share, p, q: (1 - share) * p / ((1 - share) * p + share * q),
             "the weights are swapped: p comes with the share of real samples."),
            (lambda share, p, q: share * p / (p + q),
             "weigh the denominator too: it must be at least the numerator."),
            (lambda share, p, q: (1 - share) * q / (share * p + (1 - share) * q),
             "that is the probability of 'generated'."),
        ],
    )  # fmt: skip


def check_bound(answer) -> None:
    """The least TV that a held-out value of -1.10 allows, by JSD <= (log 2) TV."""
    jsd = (-1.10 + math.log(4)) / 2
    ex.check_number(
        answer, jsd / math.log(2), tol=2e-3,
        right="V = -1.10 <= C(G) gives JSD >= 0.1431, and JSD <= (log 2) TV gives TV >= 0.2066: at least a "
        "fifth of the mass is misplaced, whoever trained the discriminator.",
        slips=[
            (jsd, "that is the bound on JSD; divide once more, by log 2, to reach TV."),
            (2 * jsd / math.log(2), "JSD is half of V + log 4."),
            (jsd * math.log(2), "JSD <= (log 2) TV: to bound TV from below divide by log 2."),
        ],
    )  # fmt: skip


@ex.explain
def check_reply(answer) -> str:
    """reply(d): the law over the letters that minimises V against a fixed d."""
    for d in ([0.2, 0.7, 0.4], [0.9, 0.1, 0.3, 0.5], [0.05, 0.6]):
        d = np.array(d)
        q = ex.array(ex.call(answer, d), shape=d.shape, what=f"what your function returns at {ex.show(d)}")
        if q.min() < -1e-9 or abs(q.sum() - 1) > 1e-6:
            raise ex.Wrong(f"at {ex.show(d)} you return {ex.show(q)}, not a law (masses >= 0, sum 1).")
        if q[d.argmin()] > 0.99:
            raise ex.Wrong(
                "that law sits where D is smallest, where D is sure that samples are generated: log(1 - D) "
                "is close to 0 there, its maximum. The generator minimises."
            )
        lost = q @ np.log1p(-d) - np.log1p(-d).min()
        if lost > 1e-9:
            raise ex.Wrong(
                f"at {ex.show(d)} there is a law with V lower by {lost:.4f}. V is linear in q: where does a "
                "linear function on the simplex have its minimum?"
            )
    return (
        "the best reply to a fixed D is a single point, where D is largest. A generator that is trained to "
        "the end against a frozen discriminator collapses: the inner problem is D's, and the order matters."
    )


@ex.explain
def check_law(answer) -> str:
    """Another generator with the law of 1 + 2 z, z ~ N(0, 1)."""
    z = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)  # the quantiles of the latent, in order
    made = ex.array(ex.call(answer, z), shape=z.shape, what="what your generator returns for 20,000 latents")
    wanted = 1 + 2 * z
    if np.abs(made - wanted).max() < 1e-6:
        raise ex.Wrong("that is 1 + 2 z itself; find one that maps some z elsewhere.")
    gap = np.abs(np.sort(made) - wanted)[200:-200].max()  # quantile against quantile, the far tails aside
    if gap > 0.05:
        found = f"mean {made.mean():.3f} and sd {made.std():.3f}"
        raise ex.Wrong(f"its law is another one: {found} against 1 and 2, quantiles off by up to {gap:.3f}.")
    return (
        "another map, the same law, the same C(G). Nothing in the game can tell the two apart: the optimum "
        "is unique in law, not in parameters."
    )


# ---- losses with one thing wrong each ---------------------------------------------------------------------


def minimax_discriminator(real, fake):
    """-V from logits, as it should be."""
    return softplus(-real).mean() + softplus(fake).mean()


def minimax_generator(fake):
    """E log(1 - D) from logits, as it should be."""
    return -softplus(fake).mean()


_SUSPECTS = {  # what is wrong: (discriminator's loss, generator's loss)
    "a generator that minimises -log D: the non-saturating loss under the name of minimax":
        (minimax_discriminator, lambda fake: softplus(-fake).mean()),
    "a generator with the sign flipped, which helps the discriminator":
        (minimax_discriminator, lambda fake: softplus(fake).mean()),
    "a discriminator whose labels are swapped":
        (lambda real, fake: softplus(real).mean() + softplus(-fake).mean(), minimax_generator),
    "a discriminator whose loss is the average of the two halves, not their sum":
        (lambda real, fake: minimax_discriminator(real, fake) / 2, minimax_generator),
    "hinge in place of the logarithms":
        (lambda real, fake: (1 - real).relu().mean() + (1 + fake).relu().mean(), lambda fake: -fake.mean()),
    "logarithms to the base 2":
        (lambda real, fake: minimax_discriminator(real, fake) / math.log(2),
         lambda fake: minimax_generator(fake) / math.log(2)),
    "a second sigmoid on scores that were probabilities already":
        (lambda real, fake: minimax_discriminator(real.sigmoid(), fake.sigmoid()),
         lambda fake: minimax_generator(fake.sigmoid())),
}  # fmt: skip


@ex.explain
def check_spots(answer) -> str:
    """passes(discriminator, generator): True for the minimax losses of logits, False for each suspect."""
    sound = ex.call(_quietly(answer), minimax_discriminator, minimax_generator)
    if sound is None or sound is ...:
        raise ex.Wrong("your test returned nothing; it should return True or False.")
    if not bool(sound):
        raise ex.Wrong(
            "your test rejects the right losses. At logits 0 the discriminator's is log 4 = 1.386294 and the "
            "generator's -log 2 = -0.693147; allow for float32, say 1e-5."
        )
    missed = [what for what, pair in _SUSPECTS.items() if bool(ex.call(_quietly(answer), *pair))]
    if missed:
        raise ex.Wrong(f"{len(missed)} of {len(_SUSPECTS)} wrong losses pass your test, such as {missed[0]}.")
    return f"all {len(_SUSPECTS)} wrong losses are caught, and the right ones pass."


def _quietly(test):
    """The reader's test; one that stops with an AssertionError has found something."""
    if not callable(test):
        return test

    def run(*pair):
        try:
            return test(*pair)
        except AssertionError:
            return False

    return run


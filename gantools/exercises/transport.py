"""Checks for the exercises of the chapter on optimal transport and the Wasserstein GAN."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import norm

from gantools import exercises as ex
from gantools import transport

# ---- plans ------------------------------------------------------------------------------------------------


def check_earth(answer: Any) -> None:
    """W1 of (.5, .1, 0, .4) and (.1, .4, .4, .1) on the points 0, 1, 2, 4."""
    ex.check_number(
        answer, 1.1,
        right="|F - G| is 0.4, 0.1 and 0.3, and the last stretch is two long.",
        slips=[
            (0.8, "you added |F - G| as if the points were one apart; from 2 to 4 it is two."),
            (0.1, "that is the difference of the means; mass moving left does not cancel that moving right."),
            (0.7, "that is the total variation: how much has to move, not how far."),
            (1.4, "that is the sum of |p - q|: how much differs, not how far it has to go."),
        ],
    )  # fmt: skip


_SLACK = {(i, j): value for (i, j), value in np.ndenumerate([[0, 0, 3], [0, 0, 2], [2, 1, 0]])}


@ex.explain
def check_ways(answer: Any) -> str:
    """The pairs (i, j), counted from 1, on which the given prices leave no slack."""
    if answer is None or answer is ...:
        raise ex.Wrong("there is no answer here yet; give a set of pairs such as {(1, 1), (2, 3)}.")
    if not isinstance(answer, set | frozenset | list | tuple):
        raise ex.Wrong("give a set of pairs (i, j), such as {(1, 1), (2, 3)}.")
    pairs = [tuple(way) if isinstance(way, tuple | list) else way for way in answer]
    given = {(way[0] - 1, way[1] - 1) for way in pairs if way in [(i + 1, j + 1) for i, j in _SLACK]}
    if not pairs or len(given) < len(set(pairs)):
        raise ex.Wrong("every way is a pair (i, j) of numbers from 1 to 3: rows are heaps, columns pits.")
    for i, j in sorted(given):
        if _SLACK[i, j]:
            raise ex.Wrong(f"({i + 1}, {j + 1}) is too dear: it costs {_SLACK[i, j]} more than the prices "
                           f"f + g pay, so an optimal plan does not go that way.")  # fmt: skip
    missing = len([way for way, slack in _SLACK.items() if not slack]) - len(given)
    if missing:
        raise ex.Wrong(f"these may carry mass, and {missing} more: look for f_i + g_j = c_ij in every row.")
    return "mass moves only where the price is the whole cost: complementary slackness."


_FIVE = np.array([[0, 0], [3, 4], [6, 8], [0, 5], [3, 0]], dtype=float)


@ex.explain
def check_critic(answer: Any) -> str:
    """Five values of a 1-Lipschitz function that earns W1 = 5."""
    f = ex.array(answer, (5,), "the critic")
    apart = np.linalg.norm(_FIVE[:, None] - _FIVE, axis=2)
    earned = (f[0] + f[1] - f[2] - f[3]) / 2
    steep = np.abs(f[:, None] - f) - apart
    if steep.max() > 1e-9:
        i, j = np.unravel_index(steep.argmax(), steep.shape)
        raise ex.Wrong(f"it is too steep: between points {i + 1} and {j + 1}, {apart[i, j]:.4g} apart, "
                       f"it changes by {abs(f[i] - f[j]):.4g}.")  # fmt: skip
    if abs(earned + 5) < 1e-6:
        raise ex.Wrong("it is the right size upside down: the critic is high on P and low on Q.")
    if earned < 5 - 1e-6:
        raise ex.Wrong(f"1-Lipschitz it is, but it earns only {earned:.4g}; W1 is 5: along the best plan's ways "
                       f"it must fall by the full length.")  # fmt: skip
    return "1-Lipschitz on all five points, and it earns 5, what the best plan costs: both are optimal."


@ex.explain
def check_solver(answer: Any) -> str:
    """plan(p, q, cost) -> an optimal plan, (n, m)."""
    rng = np.random.default_rng(0)
    for n, m in ((1, 1), (2, 3), (6, 4), (15, 15)):
        p, q, cost = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m)), rng.random((n, m)) + 1
        plan = ex.array(ex.call(answer, p, q, cost), what="the plan")
        if plan.shape == (n * m,):
            raise ex.Wrong(f"the plan is still a vector of {n * m} entries; give it the shape ({n}, {m}).")
        if plan.shape == (m, n) != (n, m):
            raise ex.Wrong(f"the plan has shape {plan.shape}, and should have ({n}, {m}): rows belong to p.")
        if plan.shape != (n, m):
            raise ex.Wrong(f"the plan has shape {plan.shape}, and should have ({n}, {m}).")
        if plan.min() < -1e-9:
            raise ex.Wrong(f"the plan moves {plan.min():.3g} somewhere: bound it below by 0.")
        for name, sums, law in (("rows", plan.sum(1), p), ("columns", plan.sum(0), q)):
            if np.abs(sums - law).max() > 1e-6:
                side = "p" if name == "rows" else "q"
                raise ex.Wrong(f"for {n} heaps and {m} pits the plan's {name} do not sum to {side}: are the "
                               f"equations in the same order as the flattened plan?")  # fmt: skip
        best = transport.kantorovich(p, q, cost).cost
        if (plan * cost).sum() > best + 1e-6:
            raise ex.Wrong(f"the plan is feasible and costs {(plan * cost).sum():.6g}, where {best:.6g} is "
                           f"possible: is the cost in the same order as the plan?")  # fmt: skip
    return "the right marginals and the least cost, from one heap to fifteen."


# ---- critics ----------------------------------------------------------------------------------------------


def check_clip(answer: Any) -> None:
    """The c for which clipping a 2-128-128-128-1 critic allows slopes up to 1."""
    ex.check_number(
        answer, (2**0.5 * 128**3) ** -0.25, tol=2e-4,
        right="c^4 sqrt(2) 128^3 = 1: four layers, and the three hidden widths count in full.",
        slips=[
            (128**-0.75, "you left out the sqrt(2) of the input's width."),
            ((2 * 128**3) ** -0.25, "the input's width counts with its root: sqrt(2), not 2."),
            ((2**0.5 * 128**3) ** (-1 / 3),
             "that is for three layers; three hidden layers make four matrices."),
            ((2**0.5 * 128**2) ** -0.25, "each of the three hidden widths counts once, in full: 128^3."),
            (2**0.5 * 128**3 * 0.01**4, "that is the bound for c = 0.01; find the c for which it is 1."),
            (1 / 128, "that keeps the bound level from one hidden layer to the next, and leaves it below 1."),
        ],
    )  # fmt: skip


def check_trap(answer: Any) -> None:
    """(w, weight) -> the slope below 0 at which a two-sided penalty holds a linear critic, or 0."""

    def truth(w: float, weight: float) -> float:
        return -max(0.0, 1 - w / (2 * weight))

    none = ex.Case((5.0, 2.0), "Here w exceeds twice the weight: the penalty cannot hold the slope below 0.")
    ex.check_function(
        answer, truth, [(3.0, 10.0), (0.5, 2.0), none],
        right="1 - w / (2 weight), with the wrong sign, as long as that is positive.",
        slips=[
            (transport.soft_slope, "that is the best slope; the trap lies below 0."),
            (lambda w, weight: -transport.soft_slope(w, weight),
             "below 0 the data pull towards 0: minus, not plus."),
            (lambda w, weight: w / (2 * weight) - 1,
             "right where there is a trap; if w > 2 weight there is none."),
        ],
    )  # fmt: skip


# ---- games ------------------------------------------------------------------------------------------------


def check_losses(answer: Any) -> None:
    """(real, fake) scores -> (the critic's loss, the generator's), both to be minimised."""
    rng = np.random.default_rng(3)
    cases = [(rng.normal(size=n), rng.normal(1, 2, size=m)) for n, m in ((5, 5), (40, 7), (3, 11))]
    ex.check_function(
        answer, lambda real, fake: np.array([fake.mean() - real.mean(), -fake.mean()]), cases,
        right="E_Q f - E_P f for the critic and -E_Q f for the generator: means of scores, nothing else.",
        slips=[
            (lambda real, fake: np.array([real.mean() - fake.mean(), -fake.mean()]),
             "the critic's sign is flipped: it should raise E_P f - E_Q f, so it minimises the negative."),
            (lambda real, fake: np.array([fake.mean() - real.mean(), fake.mean()]),
             "the generator's sign is flipped: it wants its samples to score high."),
            (lambda real, fake: np.array([fake.mean() - real.mean(), real.mean() - fake.mean()]),
             "the mean score of the data does not contain the generator: its gradient is right, but the loss "
             "of the generator is -E_Q f alone."),
            (lambda real, fake: np.array([fake.sum() - real.sum(), -fake.sum()]),
             "these are sums; with batches of different sizes only means estimate expectations."),
            (lambda real, fake: np.array([np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean(),
                                          np.logaddexp(0, -fake).mean()]),
             "these are the losses of a GAN with logits: a critic's scores go in as they are, without log."),
        ],
    )  # fmt: skip


def check_hinge(answer: Any) -> None:
    """w -> (minimum of the hinge loss, minimum of the Wasserstein loss) for N(0, 1) and N(w, 1)."""
    overlap = lambda w: 4 * norm.cdf(-abs(w) / 2)  # 2 (1 - TV)
    ex.check_function(
        answer, lambda w: np.array([overlap(w), -abs(w)]),
        [(1.0,), (3.0,), ex.Case((-2.0,), "w may be negative."), (0.0,)], tol=1e-5,
        right="2 (1 - TV), which dies out, and -W1, which goes on falling: the hinge loss is not a distance.",
        slips=[
            (lambda w: np.array([-abs(w), overlap(w)]), "the two have changed places."),
            (lambda w: np.array([overlap(w), abs(w)]), "the second is a loss: its minimum is -W1."),
            (lambda w: np.array([1 - overlap(w) / 2, -abs(w)]),
             "the first is the total variation itself; the loss has the minimum 2 (1 - TV)."),
            (lambda w: np.array([overlap(w) / 2, -abs(w)]),
             "the first is 1 - TV, the common mass; the loss counts it twice, once on each side."),
        ],
    )  # fmt: skip


# ---- dynamics ---------------------------------------------------------------------------------------------


def check_critic_steps(answer: Any) -> None:
    """The step size up to which five critic steps a turn keep the Wasserstein Dirac-GAN bounded."""
    ex.check_number(
        answer, 2 / math.sqrt(5),
        right="five steps of the critic are one that is five times as long: n h^2 < 4.",
        slips=[
            (2.0, "that is the bound for one step of the critic a turn."),
            (2 / 5, "the trace is 2 - n h^2: solve n h^2 = 4 for h, and mind the square root."),
            (0.0, "that is so if they move both at once; here the generator answers the new critic."),
            (4.0, "that is n h^2; the question is for h."),
        ],
    )  # fmt: skip


def _turn(theta: float, psi: float, h: float, gamma: float) -> tuple[float, float]:
    """One alternating turn of the non-saturating Dirac-GAN with R1."""
    game = transport.DiracGAN("nonsaturating", "r1", gamma)
    return tuple(transport.trajectory(game, (theta, psi), h, 1, alternating=True)[1])


def _other_turn(loss: str, alternating: bool = True) -> Callable:
    def turn(theta: float, psi: float, h: float, gamma: float) -> tuple[float, float]:
        game = transport.DiracGAN(loss, "r1", gamma)
        return tuple(transport.trajectory(game, (theta, psi), h, 1, alternating)[1])

    return turn


def check_turn(answer: Any) -> None:
    """(theta, psi, h, gamma) -> (theta, psi) after a turn: the discriminator's step, then the generator's."""
    ex.check_function(
        answer, _turn, [(1.0, 1.0, 0.1, 0.5), (-0.7, 0.4, 0.3, 2.0), (2.0, -1.5, 0.2, 0.25)],
        right="the discriminator first, the generator against the new one: as Algorithm 1 has it.",
        slips=[
            (_other_turn("nonsaturating", alternating=False),
             "the generator should answer the new discriminator; yours still sees the old psi."),
            (_other_turn("minimax"),
             "that generator descends log(1 - D); the non-saturating one descends -log D."),
            (lambda theta, psi, h, gamma: _turn(theta, psi, h, 2 * gamma),
             "the penalty is gamma/2 psi^2, so its gradient is gamma psi, not 2 gamma psi."),
            (lambda theta, psi, h, gamma: _turn(theta, psi, h, gamma / 2),
             "the penalty is gamma/2 psi^2, so its gradient is gamma psi, not gamma/2 psi."),
            (lambda theta, psi, h, gamma: _turn(theta, psi, h, 0.0), "that is the game without the penalty."),
            (_up, "both should descend the gradients of their losses; yours ascend."),
            (lambda theta, psi, h, gamma: _turn(theta, psi, h, gamma)[::-1],
             "theta and psi have changed places in what you return."),
        ],
    )  # fmt: skip


def _up(theta: float, psi: float, h: float, gamma: float) -> tuple[float, float]:
    """The turn of somebody who got the sign of both steps wrong."""
    game = transport.DiracGAN("nonsaturating", "r1", gamma)
    psi = psi - h * float(game.discriminator(theta, psi))
    return theta - h * float(game.generator(theta, psi)), psi

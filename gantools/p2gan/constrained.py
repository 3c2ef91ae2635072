"""Generation with constraints: wanted images out of an unlabelled mixture, by a push from the unwanted ones.

The primary source holds images of two classes, half and half and without labels; the auxiliary source holds
*other* images of the class that is not wanted.  Here is how such sources are cut from an `ImageSet`, the forces
on one generator and on two, what the exact optimum would draw, and runs that a classifier judges.
Source: Le et al. (2019), *Learning generative adversarial networks from multiple data sources*, sections 2.3
and 3.2 (MATH F.7, F.9).
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from scipy import optimize
from scipy.special import rel_entr
from torch import Tensor

from gantools import nets
from gantools.data import ImageSet, to_float
from gantools.game import Game
from gantools.metrics import Classifier
from gantools.p2gan.games import Force, _weight, game, he

__all__ = [
    "Constraint", "Shares",
    "constrained_game", "constrained_run", "constraint", "exact_shares", "paired", "pushed", "shares",
]  # fmt: skip

KINDS = ("wanted", "unwanted", "neither")

# ---- the sources ------------------------------------------------------------------------------------------


class Constraint(NamedTuple):
    """An image set, divided; no image is in two parts.

    primary     wanted and unwanted images, as many of each; its labels are for tests, no player reads them
    auxiliary   unwanted images alone
    held_out    the rest, labelled 0 wanted, 1 unwanted, 2 neither (as many as wanted): for a judge
    """

    primary: ImageSet
    auxiliary: ImageSet
    held_out: ImageSet
    wanted: str
    unwanted: str


def constraint(
    images: ImageSet, wanted: str, unwanted: str, primary: int, auxiliary: int, seed: int = 0
) -> Constraint:
    """Cut the sources out of a labelled set: `primary` images of each class, `auxiliary` of the unwanted one.

    Which image goes where is drawn under `seed`.  At least four images of either class must be left for the
    judge, and four of the other classes must exist; ValueError otherwise.
    """
    for name in (wanted, unwanted):
        if name not in images.classes:
            raise ValueError(f"there is no class {name!r} in {images.name}: {', '.join(images.classes)}")
    if wanted == unwanted:
        raise ValueError(f"wanted and unwanted must be two classes, not {wanted!r} twice")
    for name, size in (("primary", primary), ("auxiliary", auxiliary)):
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{name} must be a positive number of images, not {size!r}")
    good, bad = images.classes.index(wanted), images.classes.index(unwanted)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed)).to(images.device)
    shuffled = images.labels[order]
    goods, bads = order[shuffled == good], order[shuffled == bad]
    others = order[(shuffled != good) & (shuffled != bad)]
    for name, have, need in (
        (wanted, len(goods), primary + 4), (unwanted, len(bads), primary + auxiliary + 4), ("other classes", len(others), 4),
    ):  # fmt: skip
        if have < need:
            raise ValueError(f"{images.name} has {have} images of {name}; this division needs at least {need}")
    parts = {
        "primary": (goods[:primary], bads[:primary]),
        "auxiliary": (goods[:0], bads[primary : primary + auxiliary]),
        "held out": (goods[primary:], bads[primary + auxiliary :], others[: len(goods) - primary]),
    }
    return Constraint(*(_part(images, *part) for part in parts.items()), wanted, unwanted)


def _part(images: ImageSet, name: str, kinds: tuple[Tensor, ...]) -> ImageSet:
    """Those images, labelled by the place of their index in `kinds`."""
    index = torch.cat(kinds)
    labels = torch.cat([torch.full_like(chosen, kind) for kind, chosen in enumerate(kinds)])
    name = f"{images.name}, {name}"
    return replace(images, images=images.images[index], labels=labels, classes=KINDS[: len(kinds)], name=name)


# ---- what a generator draws --------------------------------------------------------------------------------


class Shares(NamedTuple):
    """What images are taken for; the three add up to one."""

    wanted: float
    unwanted: float
    neither: float

    @property
    def of_two(self) -> float:
        """The wanted among those that are wanted or unwanted; ValueError if there are none."""
        if self.wanted + self.unwanted == 0:
            raise ValueError("no image is wanted or unwanted: there is no share among them")
        return self.wanted / (self.wanted + self.unwanted)


def shares(images: Tensor, judge: Classifier) -> Shares:
    """Which shares of the images, (n, C, H, W) in [-1, 1], a judge of the three kinds takes for each.

    `judge` is `metrics.classifier(task.held_out)`.
    """
    kinds = judge.probabilities(images).argmax(1)
    return Shares(*(float((kinds == kind).mean()) for kind in range(3)))


# ---- the forces, and what the exact optimum makes of them -------------------------------------------------


def pushed(alpha: float) -> list[Force]:
    """One generator: pulled by the primary source, pushed by the auxiliary one."""
    return [Force("real", 0, 1.0), Force("auxiliary", 0, -_weight("alpha", alpha))]


def paired(gamma: float = 0.1, beta: float = 0.01) -> list[Force]:
    """Two generators: both pulled by the primary source and pushed by each other (beta); the auxiliary source
    pushes the first (beta) and pulls the second (gamma).  The defaults are the paper's.
    """
    gamma, beta = _weight("gamma", gamma), _weight("beta", beta)
    return [
        Force("real", 0, 1.0), Force("auxiliary", 0, -beta), Force(1, 0, -beta),
        Force("real", 1, 1.0), Force("auxiliary", 1, gamma), Force(0, 1, -beta),
    ]  # fmt: skip


def exact_shares(forces: Iterable[Force], loss: str = "minimax", unwanted: float = 0.5) -> tuple[float, ...]:
    """The wanted share of each generator's law where each is the best answer to the others.

    Every discriminator is optimal, every law possible; the classes do not overlap, and a share `unwanted` of
    the primary source is unwanted.  A generator then only chooses its share of unwanted images: this is two
    points, searched by a grid and Brent's method.  With the loss "nonsaturating" a pull descends
    KL(q||source) - 2 JSD instead of 2 JSD; pushes are minimax.  ValueError for another loss, for an unwanted
    share outside (0, 1), for forces on a pool, and for a generator that nothing pulls; RuntimeError if 400 turns
    do not settle it.
    (MATH B.8, F.7, F.9)
    """
    if loss not in ("minimax", "nonsaturating"):
        raise ValueError(f'loss must be "minimax" or "nonsaturating", not {loss!r}')
    if not 0 < unwanted < 1:
        raise ValueError(f"the unwanted share of the primary source must lie in (0, 1), not {unwanted!r}")
    forces = [Force(*force) for force in forces]
    if not forces or any(isinstance(force.target, str) for force in forces):
        raise ValueError("there must be forces, each on one generator: a pool has no best answer of its own here")
    k = 1 + max(force.target for force in forces)
    for j in range(k):
        if not any(f.target == j and f.source == "real" and f.weight > 0 for f in forces):
            raise ValueError(f"no force of positive weight pulls generator {j} to 'real'")
    share = {"real": unwanted, "auxiliary": 1.0} | dict.fromkeys(range(k), unwanted)
    for _ in range(400):
        before = [share[j] for j in range(k)]
        for j in range(k):
            on = [(force.weight, share[force.source]) for force in forces if force.target == j and force.weight]
            share[j] = _best_answer(on, loss)
        if max(abs(share[j] - before[j]) for j in range(k)) < 1e-8:
            return tuple(1 - share[j] for j in range(k))
    raise RuntimeError("the generators did not settle in 400 turns")


def _best_answer(forces: list[tuple[float, float]], loss: str) -> float:
    """The unwanted share b that minimises sum of weight * divergence(source, b)."""

    def cost(b: np.ndarray) -> np.ndarray:
        return sum(w * _divergence(a, b, loss if w > 0 else "minimax") for w, a in forces)

    grid = np.linspace(0, 1, 2001)
    values = cost(grid)
    best = int(values.argmin())
    near = grid[max(best - 1, 0)], grid[min(best + 1, 2000)]
    if not np.isfinite(cost(np.mean(near))):  # a pull that allows no share but this one
        return float(grid[best])
    found = optimize.minimize_scalar(cost, bounds=near, method="bounded", options={"xatol": 1e-11})
    return float(found.x) if found.fun < values[best] else float(grid[best])


def _divergence(a: float, b: np.ndarray, loss: str) -> np.ndarray:
    """What a pull by (a, 1 - a) makes (b, 1 - b) descend: 2 JSD, or KL(b||a) - 2 JSD; in nats."""
    sides = (a, b), (1 - a, 1 - b)
    jsd2 = sum(rel_entr(x, (x + y) / 2) + rel_entr(y, (x + y) / 2) for x, y in sides)
    return jsd2 if loss == "minimax" else sum(rel_entr(y, x) for x, y in sides) - jsd2


# ---- the game ---------------------------------------------------------------------------------------------


def constrained_game(
    task: Constraint, forces: Iterable[Force], *, loss: str = "minimax", hidden: int = 256, latent: int = 64,
    seed: int = 0, **settings,
) -> Game:  # fmt: skip
    """P2GAN on these sources: fully connected nets with two hidden layers; pushes are always minimax.

    All generators play from the start.  `settings` as in `p2gan.game`.
    """
    forces = list(forces)
    shape = task.primary.shape
    generator = nets.mlp([latent, hidden, hidden, math.prod(shape)], output="tanh", shape=shape)
    discriminator = nets.mlp([math.prod(shape), hidden, hidden, 1], "leaky_relu")
    with nets.seeded(1000 + seed):  # the game draws what it adds under `seed`
        generator.apply(he), discriminator.apply(he)
    sources = {"real": task.primary, "auxiliary": task.auxiliary}
    since = [0] * (1 + max(force.target for force in forces))
    settings = {"batch_size": 64, "lr": 5e-4, "betas": (0.5, 0.999), "draw": he} | settings
    return game(
        generator, discriminator, sources, forces, since=since, loss=loss, push="minimax", seed=seed, **settings
    )


def constrained_run(
    task: Constraint, judge: Classifier, forces: Iterable[Force], *, turns: int, looks: int = 5, images: int = 1000,
    **settings,
) -> dict[str, list[float]]:  # fmt: skip
    """Play that game, and judge each generator `looks` times in the last half of it: mean shares.

    Returns wanted, unwanted, neither, and spread: the standard deviation of a pixel, averaged over pixels, as a
    multiple of that of the primary source (a judge is easily fooled by one image, drawn again and again).  Each is
    a list of one number a generator.  `settings` as in `constrained_game`.
    """
    forces = list(forces)
    played = constrained_game(task, forces, **settings)
    k = 1 + max(force.target for force in forces)
    step = turns // (2 * looks)
    if step < 1:
        raise ValueError(f"{turns} turns are too few for {looks} looks in their last half")
    played.run(turns - (looks - 1) * step)
    seen, full = [], _spread(to_float(task.primary.images))
    for look in range(looks):
        if look:
            played.run(step)
        drawn = played.sample(k * images, seed=look)
        seen.append([(*shares(own, judge), _spread(own) / full) for own in (drawn[j::k] for j in range(k))])
    mean = np.mean(seen, axis=0)  # (k, 4)
    return {name: np.round(mean[:, column], 4).tolist() for column, name in enumerate((*KINDS, "spread"))}


def _spread(images: Tensor) -> float:
    return float(images.std(0).mean())

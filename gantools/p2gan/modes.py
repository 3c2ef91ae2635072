"""Mode collapse: the paper's eight Gaussians, for one generator or many, under several readings of the paper.

    RING, GRID              the laws
    modes_game, modes_run   the game in the paper's setting, and what its generators have found in the end
    owners, ownership       which modes each generator reaches, and whose they are
    turn_costs              what a turn costs as generators become more

Source: Le et al. (2019), *Learning generative adversarial networks from multiple data sources*, sections 2.4
and 3.1 (MATH F.8, F.10).  Rates, batch size, losses and initialisation are not given there: they are ours.
"""

import math
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from gantools import data, metrics, nets
from gantools.game import Game
from gantools.p2gan.games import game, he, literal, pooled

__all__ = ["GRID", "READINGS", "RING", "Owners", "modes_game", "modes_run", "owners", "ownership", "turn_costs"]

RING = data.ring(8, radius=2.0, sd=math.sqrt(0.02))
GRID = data.grid(5, spacing=1.5, sd=math.sqrt(0.02))  # neighbours as far apart as on the ring
READINGS = {"literal": literal, "pooled": pooled}


def modes_game(
    reading: str = "pooled",
    k: int = 8,
    alpha: float = 0.05,
    loss: str = "nonsaturating",
    push: str = "minimax",
    *,
    law=RING,
    every: int = 500,
    batch_size: int = 32,
    seed: int = 0,
    **settings,
) -> Game:
    """k generators 256-128-128-2, one more every so many turns, and discriminators 2-128-1.

    reading   "literal" (each is pulled by a discriminator of its own) or "pooled" (one pulls them all); in
              both the earlier push the later.  With k = 1 both are the GAN
    He's initialisation, Adam at 1e-3 with betas 0.5 and 0.999; `settings` are those of `game`.  ValueError
    for an unknown reading, and as `game`.
    """
    if reading not in READINGS:
        raise ValueError(f"there is no reading {reading!r}; choose one of {', '.join(READINGS)}")
    generator, discriminator = nets.mlp([256, 128, 128, 2], seed=seed), nets.mlp([2, 128, 1], seed=seed)
    for net, start in ((generator, 2 * seed), (discriminator, 2 * seed + 1)):
        with nets.seeded(start):
            net.apply(he)
    settings = {"lr": 1e-3, "betas": (0.5, 0.999), "draw": he, "device": "cpu"} | settings
    return game(
        generator, discriminator, law, READINGS[reading](k), since=every, alpha=alpha, loss=loss, push=push,
        batch_size=batch_size, seed=seed, **settings,
    )  # fmt: skip


class Owners(NamedTuple):
    """Who reaches which mode: shares of each generator's samples near each mode, and what follows from them."""

    shares: np.ndarray  # (k, modes)
    reached: np.ndarray  # (k,): modes with at least a twentieth of the generator's samples
    best: list[int | None]  # the mode that each generator favours; None if none of its samples is near one
    distinct: int  # how many different modes are favoured


def owners(samples: Tensor, k: int, law=RING) -> Owners:
    """Whose are the modes: samples (n, 2), row i of generator i % k, as games and recordings have them.

    Near a mode is within three standard deviations.
    """
    shares = np.stack([metrics.modes_found(samples[j::k], law).shares for j in range(k)])
    best = [int(row.argmax()) if row.any() else None for row in shares]
    return Owners(shares, (shares >= 0.05).sum(1), best, len({mode for mode in best if mode is not None}))


def ownership(played: Game, law=RING, n: int = 1000, seed: int = 0) -> Owners:
    """`owners` of n samples of each generator that has joined."""
    k = played.rules.joined(played.number)
    return owners(played.sample(n * k, seed), k, law)


def modes_run(turns: int = 6000, looks: int = 5, apart: int = 200, **setting) -> dict:
    """Play `modes_game(**setting)` and judge it at its last turns: means over `looks`, so many turns apart.

    found         modes with at least a hundredth of all samples near them
    high_quality  share of samples near a mode
    reached       modes that a generator reaches, mean over generators
    distinct      different modes that generators favour
    """
    played, law = modes_game(**setting), setting.get("law", RING)
    if turns <= (looks - 1) * apart:
        raise ValueError(f"{looks} looks {apart} turns apart need more than {turns} turns")
    began, seen = time.process_time(), []
    for look in range(looks):
        played.run(turns - (looks - 1) * apart if look == 0 else apart)
        owners = ownership(played, law, seed=look)
        found = int((owners.shares.mean(0) >= 0.01).sum())
        seen.append((found, owners.shares.sum(1).mean(), owners.reached.mean(), owners.distinct))
    names = ("found", "high_quality", "reached", "distinct")
    row = {name: round(float(value), 3) for name, value in zip(names, np.mean(seen, axis=0), strict=True)}
    return {**row, "cpu_ms": round(1000 * (time.process_time() - began) / turns, 2)}


def turn_costs(ks: Sequence[int], total: int = 256, turns: int = 15, rounds: int = 5) -> list[float]:
    """Milliseconds a turn of the pooled game with k generators that make `total` points a step, for each k.

    The least of `rounds` stretches of so many turns; the games take turns, so that other work on the machine
    hits all alike.  ValueError unless every k divides `total`.
    """
    if any(k < 1 or total % k for k in ks):
        raise ValueError(f"{total} points cannot be shared evenly among {list(ks)} generators")
    games = [modes_game(k=k, alpha=0.3, every=0, batch_size=total // k) for k in ks]
    seconds = []
    for _ in range(rounds + 1):  # the first round only warms up
        seconds.append([])
        for played in games:
            began = time.perf_counter()
            played.run(turns)
            seconds[-1].append(time.perf_counter() - began)
    return [1000 * float(least) / turns for least in np.min(seconds[1:], axis=0)]

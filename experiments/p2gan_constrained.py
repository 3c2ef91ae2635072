"""Eights without threes, two generators: python experiments/p2gan_constrained.py (some minutes of one core).

Writes book/results/p2gan_constrained.json, which the chapter on P2GAN shows beside the exact optimum.
Reads MNIST from the folder that GANTOOLS_DATA names.
"""

from functools import cache
from pathlib import Path

import torch

from gantools import data, metrics, p2gan, results

TURNS = 1500
WEIGHTS = ((0.1, 0.01), (0.1, 0.3), (0.5, 0.3))  # gamma, beta
PROTOCOL = f"""
MNIST, training split, brought to 14 x 14.  Primary source: 3000 eights (wanted) and 3000 threes; auxiliary
source: 2000 other threes; judge: a network of 64 hidden units, trained on two thirds of the eights and threes
that are left and of as many other digits as eights.  Two generators 64-256-256-196,
discriminators 196-256-256-1, He's initialisation, Adam (0.5, 0.999) at 0.0005, batches of 64, {TURNS} turns.
Non-saturating pulls, minimax pushes.  Seeds 0 to 2, of the division, the judge and the game alike; the
settings were chosen on seed 50.  Shares of each generator are means over 5 looks at 1000 images in the last
half of the turns.
"""


@cache
def prepared(seed: int) -> tuple:
    """The sources and the judge."""
    task = p2gan.constraint(data.load("mnist", "train", size=14), "8", "3", 3000, 2000, seed)
    return task, metrics.classifier(task.held_out, seed)


def run(gamma: float, beta: float, seed: int) -> dict:
    task, judge = prepared(seed)
    forces = p2gan.paired(gamma, beta)
    found = p2gan.constrained_run(task, judge, forces, turns=TURNS, loss="nonsaturating", seed=seed, device="cpu")
    return {**found, "judge": round(judge.accuracy, 4)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    jobs = [{"gamma": gamma, "beta": beta, "seed": seed} for seed in range(3) for gamma, beta in WEIGHTS]
    path = Path(__file__).parents[1] / "book" / "results" / "p2gan_constrained.json"
    results.measure(path, run, jobs, PROTOCOL)

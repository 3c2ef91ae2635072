"""Eights without threes, one generator: python experiments/p2gan_constrained_nonsaturating.py.

Writes book/results/p2gan_constrained_nonsaturating.json: as experiments/p2gan_constrained_minimax.py, but with the
non-saturating pull.  Some minutes of one core, and MNIST from the folder that GANTOOLS_DATA names.
"""

from functools import cache
from pathlib import Path

import torch

from gantools import data, metrics, p2gan, results

TURNS = 1500
PROTOCOL = f"""
One generator, {TURNS} turns, non-saturating pulls, minimax pushes; data, judge, nets, optimiser, seeds and looks as in
experiments/p2gan_constrained.py.
"""


@cache
def prepared(seed: int) -> tuple:
    """The sources and the judge."""
    task = p2gan.constraint(data.load("mnist", "train", size=14), "8", "3", 3000, 2000, seed)
    return task, metrics.classifier(task.held_out, seed)


def run(alpha: float, seed: int) -> dict:
    task, judge = prepared(seed)
    forces = p2gan.pushed(alpha)
    found = p2gan.constrained_run(task, judge, forces, turns=TURNS, loss="nonsaturating", seed=seed, device="cpu")
    return {**found, "judge": round(judge.accuracy, 4)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    jobs = [{"alpha": alpha, "seed": seed} for seed in range(3) for alpha in (0.0, 0.1, 0.3, 0.6, 1.0)]
    path = Path(__file__).parents[1] / "book" / "results" / "p2gan_constrained_nonsaturating.json"
    results.measure(path, run, jobs, PROTOCOL)

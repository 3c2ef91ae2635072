"""A grid of 25 Gaussians, one generator or eight, with and without a push: python experiments/p2gan_modes_grid.py (minutes).

Writes book/results/p2gan_modes_grid.json.
"""

from pathlib import Path

import torch

from gantools import p2gan, results

PROTOCOL = """A grid of 5 x 5 Gaussians of covariance 0.02 I, neighbours 1.5 apart; all else as in the experiment on the
ring (p2gan_modes.json), whose settings were taken over as they were.  A mode is found if a hundredth of all samples is
near it, a quarter of its share."""

SETTINGS = [
    {"reading": "single", "alpha": 0.0},
    {"reading": "pooled", "alpha": 0.0},
    {"reading": "pooled", "alpha": 1.0},
]  # fmt: skip


def run(reading: str, alpha: float, seed: int, turns: int = 3000) -> dict:
    k = 1 if reading == "single" else 8
    return p2gan.modes_run(turns, apart=100, k=k, alpha=alpha, law=p2gan.GRID, every=250, lr=(2e-2, 1e-3), seed=seed)


if __name__ == "__main__":
    torch.set_num_threads(1)
    jobs = [{**setting, "seed": seed} for seed in range(3) for setting in SETTINGS]
    results.measure(Path(__file__).parents[1] / "book" / "results" / "p2gan_modes_grid.json", run, jobs, PROTOCOL)

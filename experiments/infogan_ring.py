"""InfoGAN on a ring of eight, with too few codes, enough and too many: python experiments/infogan_ring.py.

Writes book/results/infogan_ring.json, which the chapter on InfoGAN shows as a table.
"""

from pathlib import Path

import torch

from gantools import infogan, results

TURNS = 1000
SETTINGS = [(8, 0.0), (8, 0.1), (8, 1.0), (4, 1.0), (16, 1.0)]  # values of the code, lambda
PROTOCOL = f"""
Ring of 8 (radius 2, sd 0.1); generator (2 + k)-64-64-2, body 2-64-64, heads of one layer, leaky ReLU; batches of
128, {TURNS} turns, non-saturating loss, Adam (0.5, 0.9) at 0.001, seeds 0 to 4.  Modes and high quality from
4000 samples; NMI between the code and the nearest component from 2000.
"""


def run(k: int, weight: float, seed: int) -> dict:
    return infogan.ring_run(weight, k, seed, TURNS)


if __name__ == "__main__":
    torch.set_num_threads(1)
    jobs = [{"k": k, "weight": weight, "seed": seed} for seed in range(5) for k, weight in SETTINGS]
    path = Path(__file__).parents[1] / "book" / "results" / "infogan_ring.json"
    results.measure(path, run, jobs, PROTOCOL)

"""WGAN-GP with the customary weight of the penalty, in haste: python experiments/wgan_weight.py (two minutes).

Writes book/results/wgan_weight.json, which the chapter on transport prints beside its table.
"""

from pathlib import Path

import torch

from gantools import results, transport

TURNS = 800
PROTOCOL = f"""
As experiments/wgan.py: ring of 8, the same nets, batches and judgement, {TURNS} turns, five critic steps a turn
at the hasty rates, seeds 0 to 4; but the gradient penalty has the weight 10.
"""


def run(weight: float, seed: int) -> dict:
    return transport.ring_run("penalty", seed, TURNS, weight=weight, lr=transport.HASTY)


if __name__ == "__main__":
    torch.set_num_threads(1)
    path = Path(__file__).parents[1] / "book" / "results" / "wgan_weight.json"
    results.measure(path, run, [{"weight": 10.0, "seed": seed} for seed in range(5)], PROTOCOL)

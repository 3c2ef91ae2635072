"""The ring again, under weaker pushes and with the saturating literal reading: python experiments/p2gan_modes_weak.py.

Ten minutes of one core.  Writes book/results/p2gan_modes_weak.json, further rows of the table that
experiments/p2gan_modes.py measures.
"""

from pathlib import Path

import torch

from gantools import p2gan, results

PROTOCOL = """As experiments/p2gan_modes.py, to the letter; nothing was chosen anew."""

SETTINGS = [
    {"reading": "pooled", "alpha": 0.1, "loss": "nonsaturating", "push": "minimax"},
    {"reading": "literal", "alpha": 0.05, "loss": "minimax", "push": "same"},
    {"reading": "pooled", "alpha": 0.05, "loss": "nonsaturating", "push": "minimax"},
]


def run(reading: str, alpha: float, loss: str, push: str, seed: int) -> dict:
    return p2gan.modes_run(
        3000, apart=100, reading=reading, alpha=alpha, loss=loss, push=push, every=250, lr=(2e-2, 1e-3), seed=seed
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    jobs = [{**setting, "seed": seed} for seed in range(5) for setting in SETTINGS]
    results.measure(Path(__file__).parents[1] / "book" / "results" / "p2gan_modes_weak.json", run, jobs, PROTOCOL)

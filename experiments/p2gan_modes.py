"""Eight Gaussians, one generator or eight, several readings of P2GAN: python experiments/p2gan_modes.py (half an hour).

Writes book/results/p2gan_modes.json, the table of the chapter on P2GAN.
"""

from pathlib import Path

import torch

from gantools import p2gan, results

PROTOCOL = """The paper's ring: 8 Gaussians of covariance 0.02 I on a circle of radius 2; generators 256-128-128-2,
discriminators 2-128-1, shared as the paper says; a generator more every 400 turns up to 8, 5500 turns in all.  Ours:
He's initialisation, Adam with betas 0.5 and 0.999 at 1e-3, batches of 32 from the data and from each generator.
Means over five looks, 200 turns apart, the last at the end; 1000 samples of each generator a look.  Settings were
chosen on seed 0 of the pooled reading with alpha 0.3."""

SINGLE = [{"reading": "single", "alpha": 0.0, "loss": loss, "push": "none"} for loss in ("nonsaturating", "minimax")]
POOLED = [{"reading": "pooled", "alpha": alpha, "loss": "nonsaturating", "push": "minimax"} for alpha in (0.0, 0.3, 0.1)]
LITERAL = [{"reading": "literal", "alpha": 0.05, "loss": loss, "push": "same"} for loss in ("nonsaturating", "minimax")]


def run(reading: str, alpha: float, loss: str, push: str, seed: int, turns: int = 5500) -> dict:
    if reading == "single":
        return p2gan.modes_run(turns, k=1, loss=loss, seed=seed)
    return p2gan.modes_run(turns, reading=reading, alpha=alpha, loss=loss, push=push, every=400, seed=seed)


if __name__ == "__main__":
    torch.set_num_threads(1)
    jobs = [{**setting, "seed": seed} for seed in range(3) for setting in (*SINGLE, *POOLED, *LITERAL)]
    jobs += [{**setting, "seed": seed} for seed in (3, 4) for setting in (*SINGLE, *POOLED[:2])]
    results.measure(Path(__file__).parents[1] / "book" / "results" / "p2gan_modes.json", run, jobs, PROTOCOL)

"""Eight Gaussians, one generator or eight, several readings of P2GAN: python experiments/p2gan_modes.py (half an hour).

Writes book/results/p2gan_modes.json, the table of the chapter on P2GAN.
"""

from pathlib import Path

import torch

from gantools import p2gan, results

PROTOCOL = """The paper's ring: 8 Gaussians of covariance 0.02 I on a circle of radius 2; generators 256-128-128-2,
discriminators 2-128-1, shared as the paper says; a generator more every 250 turns up to 8, 3000 turns in all.  Ours:
He's initialisation, Adam with betas 0.5 and 0.999 at 2e-2 (discriminators) and 1e-3 (generators), batches of 32 from
the data and from each generator.  Means over five looks, 100 turns apart, the last at the end; 1000 samples of each
generator a look.  The rates, and alpha 1 beside the weaker pushes, were chosen on seed 0."""

SINGLE = [{"reading": "single", "alpha": 0.0, "loss": loss, "push": "none"} for loss in ("nonsaturating", "minimax")]
POOLED = [{"reading": "pooled", "alpha": alpha, "loss": "nonsaturating", "push": "minimax"} for alpha in (0.0, 1.0, 0.3)]
LITERAL = [{"reading": "literal", "alpha": 0.05, "loss": "nonsaturating", "push": "minimax"}]


def run(reading: str, alpha: float, loss: str, push: str, seed: int, turns: int = 3000) -> dict:
    rates = {"lr": (2e-2, 1e-3), "seed": seed, "apart": 100}
    if reading == "single":
        return p2gan.modes_run(turns, k=1, loss=loss, **rates)
    return p2gan.modes_run(turns, reading=reading, alpha=alpha, loss=loss, push=push, every=250, **rates)


if __name__ == "__main__":
    torch.set_num_threads(1)
    jobs = [{**setting, "seed": seed} for seed in range(5) for setting in (*SINGLE, *POOLED, *LITERAL)]
    results.measure(Path(__file__).parents[1] / "book" / "results" / "p2gan_modes.json", run, jobs, PROTOCOL)

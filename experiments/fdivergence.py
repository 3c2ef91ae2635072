"""One Gaussian for two bumps, by f-GANs of every divergence: python experiments/fdivergence.py (ten minutes)."""

from pathlib import Path

import torch

from gantools import divergences, fdivergence, results

PROTOCOL = """Data 0.7 N(-1, 0.6^2) + 0.3 N(2, 0.6^2); generator mean + deviation z from mean 0, deviation 1;
critic 1-64-64-1 with ELU, five steps a turn; batch 512; Adam with betas 0.5 and 0.9, rates 2e-3 (critic) and 5e-3
(generator) for 1000 turns, a fifth of these for 500 more; the generator's running average of decay 0.99."""


def run(name: str, seed: int) -> dict:
    found = fdivergence.train(name, seed, turns=1500)
    return {"mean": round(found.mean, 4), "deviation": round(found.deviation, 4), "value": round(found.value, 5)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    jobs = [{"name": name, "seed": seed} for seed in range(3) for name in divergences.F_DIVERGENCES]
    target = Path(__file__).parents[1] / "book" / "results" / "fdivergence.json"
    results.measure(target, run, jobs, PROTOCOL)

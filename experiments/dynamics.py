"""Does R1 brake two small nets as it brakes the Dirac-GAN?  python experiments/dynamics.py (two minutes)."""

from pathlib import Path

import torch

from gantools import results, transport

PROTOCOL = """transport.bell_run: nets with one hidden layer of 16 tanh learn N(1, 1/4) by plain gradient descent,
step 0.1, batches of 128, 800 turns, with R1 of weight gamma; figures of the last 400 turns."""

JOBS = [
    {"loss": loss, "gamma": gamma, "seed": seed}
    for loss in ("wasserstein", "nonsaturating")
    for gamma in (0.0, 0.1, 1.0, 10.0)
    for seed in range(3)
]


def run(loss: str, gamma: float, seed: int) -> dict:
    return {name: round(value, 4) for name, value in transport.bell_run(loss, gamma, seed)._asdict().items()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    path = Path(__file__).parents[1] / "book" / "results" / "dynamics.json"
    print(results.measure(path, run, JOBS, PROTOCOL))

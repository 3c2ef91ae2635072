"""InfoGAN on handwritten digits, and what its codes depend on: python experiments/infogan.py (minutes of one core).

Writes book/results/infogan.json, which the chapter on InfoGAN shows as a table.
"""

from functools import cache
from pathlib import Path

import torch

from gantools import data, infogan, metrics, results

TURNS = 4000
SETTINGS = {  # on top of infogan.DIGITS
    "infogan": {},
    "lambda 0.1": {"weight": 0.1},
    "lambda 0": {"weight": 0.0},
    "only G and Q read": {"body_learns": False},
    "no instance noise": {"noise": 0.0},
    "labels told": {"labels": True},
}
PROTOCOL = f"""
scikit-learn's 1797 digits, 8 x 8.  Generator 28-128-128-64 (16 numbers of noise, a code of 10 values, two
codes from U(-1, 1)), body 64-128-128, heads of one layer; leaky ReLU; batches of 64, {TURNS} turns, seeds 0 to 2.
Adam (0, 0.99) at 0.003 for both players, instance noise 0.5, running average 0.998, lambda 1 for the
categorical and 0.1 for the continuous codes.  These were chosen on seed 50, among ten settings of rates,
noise, lambda, width, normalisation and penalty.  "labels told" is the conditional GAN with nets of the same size.
The judge is a classifier trained on two thirds of the digits; codes are paired with classes one to one, as
fits best.  2000 samples; read_* are about Q's reading of all real digits, against labels that no player saw.
"""


@cache
def digits() -> tuple:
    images = data.load("digits")
    return images, metrics.classifier(images)


def run(setting: str, seed: int) -> dict:
    return infogan.digit_run(*digits(), seed=seed, turns=TURNS, **SETTINGS[setting])


if __name__ == "__main__":
    torch.set_num_threads(1)
    jobs = [{"setting": setting, "seed": seed} for seed in range(3) for setting in SETTINGS]
    path = Path(__file__).parents[1] / "book" / "results" / "infogan.json"
    results.measure(path, run, jobs, PROTOCOL)

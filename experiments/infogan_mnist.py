"""InfoGAN on MNIST, as it comes from the small digits: python experiments/infogan_mnist.py (minutes of one core).

Needs MNIST below the folder that GANTOOLS_DATA names.  Writes book/results/infogan_mnist.json and, of the
first seed, infogan_mnist.safetensors.
"""

from functools import cache
from pathlib import Path

import torch

from gantools import data, infogan, metrics, results
from gantools.recording import record

TURNS = 2500
FOLDER = Path(__file__).parents[1] / "book" / "results"
PROTOCOL = f"""
MNIST's 60,000 training images, 28 x 28, without their labels.  Generator 28-256-256-784, body 784-256-256, heads
of one layer; rates of 0.001, since at 0.003 the continuous codes' loss overflowed on seed 0; everything else as for
the small digits, nothing chosen anew: batches of 64, {TURNS} turns, seeds 0 to 2.  The judge is a classifier trained on two thirds of the 10,000 test images; Q reads all of these.
"""


@cache
def mnist() -> tuple:
    unseen = data.load("mnist", split="test")
    return data.load("mnist"), unseen, metrics.classifier(unseen)


def run(seed: int) -> dict:
    images, unseen, judge = mnist()
    game = infogan.digit_game(images, seed=seed, hidden=256, lr=1e-3)
    measure = {
        "L_I of the categorical code": lambda g: infogan.estimated_bounds(g, 1000).categorical,
        "NMI of code and digit": lambda g: infogan.nmi(*infogan.answers(g, judge.probabilities, 1000)[:2]),
    }
    kept = record(game, TURNS, every=250, measure=measure, title="Ten codes for MNIST")
    if seed == 0:
        results.keep(FOLDER / "infogan_mnist.safetensors", kept, run)
    return infogan.measured(game, judge, unseen) | {"judge": round(judge.accuracy, 4)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    results.measure(FOLDER / "infogan_mnist.json", run, [{"seed": seed} for seed in range(3)], PROTOCOL)

"""What two generators draw: python experiments/p2gan_constrained_samples.py (minutes of one core, and MNIST).

Writes two recordings to book/results, of games as in experiments/p2gan_constrained.py: at the paper's weights,
and at strong ones.  In every frame the images of the first and of the second generator take turns.
"""

from pathlib import Path

import torch

from gantools import data, metrics, p2gan, results
from gantools.recording import record

KEPT = {
    "p2gan_constrained_paper": ("Two generators at the paper's weights", 0.1, 0.01),
    "p2gan_constrained_strong": ("Two generators at strong weights", 0.5, 0.3),
}


def run(file: str, turns: int = 1500, every: int = 100):
    title, gamma, beta = KEPT[file]
    task = p2gan.constraint(data.load("mnist", "train", size=14), "8", "3", 3000, 2000)
    judge = metrics.classifier(task.held_out)
    game = p2gan.constrained_game(task, p2gan.paired(gamma, beta), loss="nonsaturating", device="cpu")
    drawn = lambda g, j: p2gan.shares(g.sample(1000)[j::2], judge).wanted  # noqa: E731
    measure = {"wanted, G1": lambda g: drawn(g, 0), "wanted, G2": lambda g: drawn(g, 1)}
    return record(game, turns=turns, every=every, title=title, measure=measure)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for file in KEPT:
        path = Path(__file__).parents[1] / "book" / "results" / f"{file}.safetensors"
        kept = results.keep(path, run(file), run)
        print(kept, kept.measures[-1].tolist())

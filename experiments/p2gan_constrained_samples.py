"""What the generators draw: python experiments/p2gan_constrained_samples.py (minutes of one core, and MNIST).

Writes three recordings to book/results, of games as in experiments/p2gan_constrained.py: two generators at the
paper's weights and at strong ones (in every frame their images take turns), and one generator that is pushed as
hard as it is pulled, with the minimax loss.  Measured beside: the share of wanted images of each generator, and
the standard deviation of a pixel, averaged over pixels, as a multiple of that of the primary source.
"""

from functools import partial
from pathlib import Path

import torch

from gantools import data, metrics, p2gan, results
from gantools.recording import record

KEPT = {
    "p2gan_constrained_strong": ("Two generators at strong weights", "nonsaturating", p2gan.paired(0.5, 0.3)),
    "p2gan_constrained_alone": ("One generator at alpha 1", "minimax", p2gan.pushed(1.0)),
    "p2gan_constrained_paper": ("Two generators at the paper's weights", "nonsaturating", p2gan.paired(0.1, 0.01)),
}


def run(file: str, turns: int = 1500, every: int = 150):
    title, loss, forces = KEPT[file]
    task = p2gan.constraint(data.load("mnist", "train", size=14), "8", "3", 3000, 2000)
    judge = metrics.classifier(task.held_out)
    game = p2gan.constrained_game(task, forces, loss=loss, device="cpu")
    k = len(game.rules.generators)
    spread = lambda x: float(x.std(0).mean())  # noqa: E731
    full = spread(task.primary.sample(2000, torch.Generator().manual_seed(0)))
    wanted = lambda g, j: p2gan.shares(g.sample(1000)[j::k], judge).wanted  # noqa: E731
    measure = {f"wanted, G{j + 1}": partial(wanted, j=j) for j in range(k)}
    measure["spread"] = lambda g: spread(g.sample(1000)) / full
    return record(game, turns=turns, every=every, title=title, measure=measure)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for file in KEPT:
        path = Path(__file__).parents[1] / "book" / "results" / f"{file}.safetensors"
        kept = results.keep(path, run(file), run)
        print(kept, kept.measures[-1].tolist(), flush=True)

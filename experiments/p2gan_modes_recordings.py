"""The evolution of eight generators, for the page: python experiments/p2gan_modes_recordings.py [name] (minutes).

Writes book/results/p2gan_modes_pooled.safetensors and book/results/p2gan_modes_literal.safetensors.
"""

import sys
from pathlib import Path

import torch

from gantools import p2gan, results
from gantools.recording import Recording, record

RUNS = {  # settings of p2gan.modes_game, title
    "pooled": ({"alpha": 0.3}, "Eight generators: one pull on the pool, pushes from those before, alpha = 0.3"),
    "literal": ({"reading": "literal", "push": "same"}, "Eight generators: a pull on each, pushes from those before, alpha = 0.05"),
}


def run(name: str) -> Recording:
    setting, title = RUNS[name]
    game = p2gan.modes_game(**setting, every=500)
    return record(game, 6500, every=65, points=320, grid=28, arrows=0, title=title)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or RUNS:
        path = Path(__file__).parents[1] / "book" / "results" / f"p2gan_modes_{name}.safetensors"
        print(results.keep(path, run(name), run), flush=True)

"""WGAN-GP on a grid of 25 modes and on a swiss roll: python experiments/wgan_recordings.py (minutes).

Writes book/results/wgan_grid.safetensors and book/results/wgan_roll.safetensors, which the chapter on
transport replays.  `about["made"]` of each says how it came to be.
"""

from pathlib import Path

import torch

from gantools import data, results, transport
from gantools.recording import Recording, record

RUNS = {  # law, turns, title
    "wgan_grid": (data.grid(5, spacing=2.0, sd=0.2), 3000, "WGAN-GP on a grid of 25 modes"),
    "wgan_roll": (data.swiss_roll(), 2000, "WGAN-GP on a swiss roll"),
}


def run(name: str) -> Recording:
    law, turns, title = RUNS[name]
    game = transport.plane_game("penalty", law)
    measure = {"W1": transport.exact_w1()}
    return record(game, turns, every=turns // 60, points=300, arrows=40, title=title, measure=measure)


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(__file__).parents[1] / "book" / "results"
    for name in RUNS:
        kept = results.keep(folder / f"{name}.safetensors", run(name), run)
        print(kept, "W1 at the end", float(kept.measures[-1, 0]), flush=True)

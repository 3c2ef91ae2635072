"""A GAN on two contaminated sources of the plane: python experiments/controlled_plane.py (a minute or two).

Writes book/results/controlled_plane.safetensors, which the chapter on controlled divergence replays, with the
distances that were measured on the way.
"""

from pathlib import Path

import torch

from gantools import controlled, results
from gantools.recording import Recording, record

TURNS = 6000


def run() -> Recording:
    law = controlled.plane_law()
    measure = controlled.Cells(law, side=16).measures()
    title = "Two contaminated sources in the plane"
    game = controlled.plane_game(law)
    return record(game, TURNS, TURNS // 60, points=400, arrows=0, title=title, measure=measure)


if __name__ == "__main__":
    torch.set_num_threads(1)
    path = Path(__file__).parents[1] / "book" / "results" / "controlled_plane.safetensors"
    kept = results.keep(path, run(), run)
    print(kept, dict(zip(kept.about["measures"], kept.measures[-1].tolist(), strict=True)), flush=True)

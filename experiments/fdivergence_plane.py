"""Recordings of the plane's f-GANs for the page: python experiments/fdivergence_plane.py (two minutes)."""

from pathlib import Path

import torch

from gantools import results
from gantools.fdivergence import plane_game
from gantools.recording import record

KEPT = {
    "fdivergence_kl": ("The f-GAN of KL", "kl"),
    "fdivergence_reverse": ("The f-GAN of reverse KL", "reverse_kl"),
}


def run(file: str, turns: int = 1000, every: int = 25):
    title, name = KEPT[file]
    return record(plane_game(name), turns=turns, every=every, points=250, grid=32, arrows=40, title=title)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for file in KEPT:
        path = Path(__file__).parents[1] / "book" / "results" / f"{file}.safetensors"
        kept = results.keep(path, run(file), run)
        print(kept, kept.fake[-1].mean(0), kept.fake[-1].std(0))

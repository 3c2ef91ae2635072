"""GANs on contaminated images: python experiments/controlled.py (about half an hour of one core).

Needs MNIST, Fashion-MNIST and CIFAR-10 below the folder that GANTOOLS_DATA names.  Writes
book/results/controlled.json, which the chapter on controlled divergence shows as a table.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from gantools import controlled, data, results

SIDE, TURNS, HELD = 14, 4000, 10_000
SETS = {"mnist": {}, "fashion-mnist": {}, "cifar10": {"channels": 1}}
NOISES = {
    "gaussian": controlled.Clipped(controlled.Gaussian(0.5)),
    "dirichlet": controlled.Clipped(controlled.Dirichlet(0.1, 20.0)),
}
MNIST = ("mnist",)
RUNS = [  # sets, levels, noise, whether the generator is given grain
    (MNIST, (0.0,), "gaussian", False),
    (MNIST, (0.3,), "gaussian", False),
    (MNIST, (0.3,), "gaussian", True),
    (("mnist", "fashion-mnist"), (0.2, 0.4), "gaussian", False),
    (MNIST, (0.3,), "dirichlet", False),
    (MNIST, (0.1,), "gaussian", False),
    (MNIST, (0.6,), "gaussian", False),
    (("cifar10", "fashion-mnist"), (0.2, 0.4), "gaussian", False),
]
PROTOCOL = f"""
Images in grey, {SIDE} x {SIDE}, in [-1, 1], sources in equal shares; noise N(0, 0.5^2), or 20 times a Dirichlet
draw of concentration 0.1, cut off at -1 and 1.  Generator 64-256-256-196 (tanh), discriminator 196-256-256-1,
batches of 64, Adam (0, 0.99) at 0.001, samples from a running average (0.998), {TURNS} turns, seeds 0 and 1.
Grain: 196 more latents, added to the image times a factor in (0, 1) that depends on the 64.  Judges: one hidden
layer of 256, 600 turns of 128 and 128 samples; bounds from the third of the samples that they neither learned
nor were chosen from; {HELD} samples of each law, clean ones from images that the game never saw (for CIFAR-10,
of which 12,000 are at hand, half of all).
"""


@cache
def halves(name: str) -> tuple[data.ImageSet, data.ImageSet]:
    """(for the game, held out), disjoint, in an order that depends on nothing but the set."""
    parts = [data.load(name, split, size=SIDE, **SETS[name]) for split in ("train", "test")]
    images, labels = (torch.cat([getattr(part, field) for part in parts]) for field in ("images", "labels"))
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    held = order[: min(HELD, len(images) // 2)]
    rest = order[len(held) :]
    return tuple(replace(parts[0], images=images[part], labels=labels[part]) for part in (rest, held))


def law_of(sets: tuple[str, ...], deltas: tuple[float, ...], noise: str) -> controlled.Sources:
    return controlled.sources([halves(name)[0] for name in sets], deltas, noise=NOISES[noise])


def run(sets: list[str], deltas: list[float], noise: str, grain: bool, seed: int) -> dict:
    held = [halves(name)[1] for name in sets]
    found = controlled.image_run(law_of(sets, deltas, noise), held, seed, TURNS, HELD, grain=grain)
    return {name: round(value, 5) for name, value in found.items()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    jobs = [
        {"sets": list(sets), "deltas": list(deltas), "noise": noise, "grain": grain, "seed": seed}
        for seed in (0, 1)
        for sets, deltas, noise, grain in RUNS
    ]
    path = Path(__file__).parents[1] / "book" / "results" / "controlled.json"
    results.measure(path, run, jobs, PROTOCOL)

"""GANs on contaminated images: python experiments/controlled.py (minutes of one core).

Needs MNIST, Fashion-MNIST and CIFAR-10 below the folder that GANTOOLS_DATA names.  Writes
book/results/controlled.json, which the chapter on controlled divergence shows as a table, and the recordings
book/results/controlled_<name>.safetensors of the runs in KEPT.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from gantools import controlled, data, results
from gantools.recording import record

SIDE, TURNS, HELD = 14, 2000, 10_000
RESULTS = Path(__file__).parents[1] / "book" / "results"
SETS = {"mnist": {}, "fashion-mnist": {}, "cifar10": {"channels": 1}}
NOISES = {
    "gaussian": controlled.Clipped(controlled.Gaussian(0.5)),
    "dirichlet": controlled.Clipped(controlled.Dirichlet(0.1, 20.0)),
}
RUNS = [  # sets, levels, noise, whether the generator is given grain
    (["mnist"], [0.3], "gaussian", False),
    (["mnist", "fashion-mnist"], [0.2, 0.4], "gaussian", False),
    (["mnist"], [0.3], "gaussian", True),
    (["mnist"], [0.0], "gaussian", False),
    (["cifar10", "fashion-mnist"], [0.2, 0.4], "dirichlet", False),
]
KEPT = {0: ("mnist", "A GAN on contaminated digits"), 1: ("mixture", "The same with clothes among them")}

PROTOCOL = f"""
Images in grey, {SIDE} x {SIDE}, in [-1, 1], sources in equal shares; noise N(0, 0.5^2), or 20 times a draw of
the Dirichlet law of concentration 0.1, cut off at -1 and 1.  Generator 64-256-256-196 (tanh), discriminator
196-256-256-1, batches of 64, Adam (0, 0.99) at 0.001, samples from a running average (0.998), {TURNS} turns;
each row is one run.  Grain: 196 more latents, added to the image times a factor in (0, 1) that depends on the
64.  Judges: one hidden layer of 256, 600 turns of 128 and 128 samples; bounds from the third of the samples
that they neither learned nor were chosen from; {HELD} samples of each law, clean ones from images that the
game never saw.
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


def run(sets: list[str], deltas: list[float], noise: str, grain: bool, seed: int) -> dict:
    law = controlled.sources([halves(name)[0] for name in sets], deltas, noise=NOISES[noise])
    game = controlled.image_game(law, seed, grain)
    name, title = KEPT.get(RUNS.index((sets, deltas, noise, grain)), ("", ""))
    recording = record(game, TURNS, every=TURNS // 10, title=title)
    if name:
        results.keep(RESULTS / f"controlled_{name}.safetensors", recording, run)
    found = controlled.verdict(game, [halves(name)[1] for name in sets], HELD, seed)
    return {name: round(value, 5) for name, value in found.items()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    names = ("sets", "deltas", "noise", "grain")
    jobs = [{**dict(zip(names, setting, strict=True)), "seed": 0} for setting in RUNS]
    results.measure(RESULTS / "controlled.json", run, jobs, PROTOCOL)

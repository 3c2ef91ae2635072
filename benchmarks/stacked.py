"""Sixteen tiny games at once against a loop over sixteen of them: ratios from interleaved runs.

    python benchmarks/stacked.py [--pairs 5] [--threads N]

The games are those of the ring of 8: two hidden layers in both nets, non-saturating loss, Adam; 16 seeds.
Compared are a turn of all sixteen

    loops   as sixteen of everybody's loops (loop.py: nn.BCELoss, DataLoader, `.item()`) take it in turn
    games   as sixteen games (gantools.game) take it in turn
    stack   as one stack (gantools.stacked) takes it

with nets of several widths and batches of several sizes.  What is saved is overhead: the wider the nets and
the larger the batches, the more of the time is arithmetic, which is the same on all sides.  That each game of
the stack is the game it would be alone is held by tests/test_stacked.py.

Measured on an AMD EPYC that had other work as well, torch 2.14.1, one thread, in processor time, medians of
three: stack against loops and against games

    2-16-16, batch 32    20.5   14.4          2-32-32, batch 64      13.1    8.5
    2-16-16, batch 64    16.1   10.2          2-32-32, batch 256      9.5    3.8
    2-32-32, batch 32    23.5   11.9          2-128-128, batch 256    2.0    1.3
"""

import argparse

import torch
from loop import compare, everybody
from torch.utils.data import DataLoader, TensorDataset

from gantools import data, nets, stacked
from gantools.game import gan

GAMES = 16
SIZES = ((16, 32), (16, 64), (32, 32), (32, 64), (32, 256), (128, 256))  # (width, batch)
RING = data.ring(8)


def build(width):
    """seed -> (generator, discriminator)"""
    return lambda seed: (
        nets.mlp([2, width, width, 2], seed=2 * seed), nets.mlp([2, width, width, 1], seed=2 * seed + 1),
    )  # fmt: skip


def one_after_another(iterators):
    """A turn of all: the next of each."""
    while True:
        for iterator in iterators:
            next(iterator)
        yield


def loops(width, batch):
    points = TensorDataset(RING.sample(20_000, torch.Generator().manual_seed(0)))
    load = lambda: DataLoader(points, batch_size=batch, shuffle=True, drop_last=True)  # noqa: E731
    return one_after_another([everybody(*build(width)(seed), load(), 2, 1e-3) for seed in range(GAMES)])


def games(width, batch):
    options = {"latent": 2, "batch_size": batch, "lr": 1e-3, "device": "cpu"}
    made = [gan(*build(width)(seed), RING, seed=seed, **options) for seed in range(GAMES)]
    return one_after_another([game.turns(10**9) for game in made])


def stack(width, batch):
    return stacked.sweep(build(width), RING, seeds=range(GAMES), batch_size=batch, device="cpu").turns(10**9)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=None)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {GAMES} games")
    for width, batch in SIZES:
        name = f"2-{width}-{width}, batch {batch}:"
        for other in (loops, games):
            sides = other(width, batch), stack(width, batch)
            compare(name, *sides, 12, arguments.pairs, sides=(other.__name__, "stack"))

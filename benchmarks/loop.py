"""The game's loop against the loop everybody writes: ratios from interleaved runs.

    python benchmarks/loop.py [--pairs 7] [--threads N]

Both sides play the same mathematics: the same nets, batch size, non-saturating loss and Adam; that one
turn of each moves the parameters alike is held by tests/test_game.py.  "Everybody's" loop is nn.BCELoss
on a sigmoid, default Adam, a DataLoader, real and generated samples scored in two passes, both nets'
gradients computed in the generator's step, and `.item()` on each loss.

    ring     ring of 8, MLP 2-128-128, batch 256, points in a TensorDataset
    images   28 x 28, batch 64, generator 100-256-256-784, discriminator 784-256-256-1; uint8 images through
             PIL, ToTensor and Normalize, as torchvision's data sets give them.  The pixels are random:
             speed does not depend on them.
    wide     the same with the nets of a much copied public script: generator 100-128-256-512-1024-784 with
             batch norm, discriminator 784-512-256-1.  Two thirds of its time are matrix products, which are
             the same on both sides, so there is less to gain.

Measured on two cores of an AMD EPYC, torch 2.14.1, two threads, medians of seven interleaved pairs:
ring 1.70 (1.61 to 1.91), images 3.09 (2.44 to 3.63), wide 2.23 (1.84 to 2.49).
"""

import argparse
import statistics
import time
from itertools import chain, repeat

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry
from torchvision import transforms

from gantools import data, nets
from gantools.game import gan


class Pictures(Dataset):
    """28 x 28 grey images as PIL, then transformed: what a torchvision data set does for each item."""

    def __init__(self, images):
        self.images = images
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5], [0.5])])

    def __len__(self):
        return len(self.images)

    def __getitem__(self, k):
        return (self.transform(Image.fromarray(self.images[k, 0].numpy())),)


def ring_nets():
    return nets.mlp([2, 128, 128, 2], seed=0), nets.mlp([2, 128, 128, 1], seed=1)


def image_nets():
    generator = nets.mlp([100, 256, 256, 784], "leaky_relu", output="tanh", shape=(1, 28, 28), seed=0)
    return generator, nets.mlp([784, 256, 256, 1], "leaky_relu", seed=1)


def wide_nets():
    layers, width = [], 100
    with nets.seeded(0):
        for wide in (128, 256, 512, 1024):
            layers += [nn.Linear(width, wide), *([nn.BatchNorm1d(wide)] if width > 100 else []), nn.LeakyReLU(0.2)]
            width = wide
        layers += [nn.Linear(width, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28))]
        return nn.Sequential(*layers), nets.mlp([784, 512, 256, 1], "leaky_relu", seed=1)


def everybody(generator, discriminator, loader, latent, lr):
    """A generator function that takes one turn at each step."""
    discriminator = nn.Sequential(discriminator, nn.Sigmoid())
    bce = nn.BCELoss()
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=(0.5, 0.9))
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=lr, betas=(0.5, 0.9))
    history = []
    for (real,) in chain.from_iterable(repeat(loader)):  # epoch after epoch, loaded anew each time
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        optimizer_d.zero_grad()
        fake = generator(torch.randn(len(real), latent))
        loss_d = bce(discriminator(real), ones) + bce(discriminator(fake.detach()), zeros)
        loss_d.backward()
        optimizer_d.step()
        optimizer_g.zero_grad()
        fake = generator(torch.randn(len(real), latent))
        loss_g = bce(discriminator(fake), ones)
        loss_g.backward()
        optimizer_g.step()
        history.append((loss_d.item(), loss_g.item()))
        yield


def contestants(name):
    """(everybody's iterator, the game's iterator, turns a run)"""
    rng = torch.Generator().manual_seed(0)
    if name == "ring":
        points = data.ring(8).sample(50_000, rng)
        loader = DataLoader(TensorDataset(points), batch_size=256, shuffle=True, drop_last=True)
        game = gan(*ring_nets(), data.ring(8), latent=2, batch_size=256, lr=1e-3, device="cpu")
        return everybody(*ring_nets(), loader, 2, 1e-3), game.turns(10**9), 150
    pixels = torch.randint(256, (4096, 1, 28, 28), generator=rng, dtype=torch.uint8)
    images = data.ImageSet(pixels, torch.zeros(len(pixels), dtype=torch.int64), ("none",), "random", "random")
    loader = DataLoader(Pictures(pixels), batch_size=64, shuffle=True, drop_last=True)
    build = {"images": image_nets, "wide": wide_nets}[name]
    game = gan(*build(), images, latent=100, batch_size=64, lr=2e-4, device="cpu")
    return everybody(*build(), loader, 100, 2e-4), game.turns(10**9), 40


def matmul_peak(n=1536, repeats=7):
    """Floating-point operations a second of a large matrix product: about the most the machine can do."""
    a, b = torch.randn(n, n), torch.randn(n, n)
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best


class Count(TorchDispatchMode):
    """Floating-point operations of products and convolutions. (FlopCounterMode also asks which module they are in,
    and its hooks cannot follow second derivatives.)"""

    total = 0

    def __torch_dispatch__(self, called, types, args=(), kwargs=None):
        out = called(*args, **(kwargs or {}))
        if rule := flop_registry.get(called.overloadpacket):
            self.total += rule(*args, **(kwargs or {}), out_val=out)
        return out


def operations(iterator):
    """Floating-point operations of matrix products and convolutions in one turn, forward and backward."""
    with Count() as count:
        next(iterator)
    return count.total


def compare(name, theirs, ours, turns, pairs, sides=("everybody's loop", "game"), shares=False):
    """Interleave `turns` turns of both iterators, `pairs` times, and print medians and ratios.

    With `shares`, also what each side has of the machine's peak, which is measured between the pairs.
    """
    seconds = {side: [] for side in sides}
    done, peak = [operations(side) for side in (theirs, ours)] if shares else [], 0
    for k in range(pairs + 1):
        peak = max(peak, matmul_peak()) if shares else 0
        for side, iterator in zip(sides, (theirs, ours), strict=True):
            start = time.perf_counter()
            for _ in range(turns):
                next(iterator)
            if k:  # the first pair only warms up
                seconds[side].append((time.perf_counter() - start) / turns)
    ratios = sorted(a / b for a, b in zip(*seconds.values(), strict=True))
    for k, (side, times) in enumerate(seconds.items()):
        middle = statistics.median(times)
        share = f", {done[k] / 1e9:6.2f} G operations, {done[k] / middle / peak:3.0%} of the peak" if shares else ""
        print(f"{name:7s} {side:17s} {1e3 * middle:7.2f} ms a turn{share}")
    print(f"{name:7s} ratio {statistics.median(ratios):.2f}  (from {ratios[0]:.2f} to {ratios[-1]:.2f} over {pairs} pairs)")
    if shares:
        print(f"{name:7s} the peak is {peak / 1e9:.0f} G operations a second", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=None)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for name in ("ring", "images", "wide"):
        compare(name, *contestants(name), arguments.pairs)

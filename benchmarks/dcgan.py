"""DCGAN at 32 x 32 through the game against the loop everybody writes: ratios from interleaved runs.

    python benchmarks/dcgan.py [--pairs 5] [--turns 4] [--threads N] [--precision float32|bfloat16]

Both sides play the same mathematics with the architecture of the much copied scripts: generator 100 -> 128
maps of 8 x 8, twice doubled by nearest neighbours before a 3 x 3 convolution, batch norm, 1 channel by tanh;
discriminator of four strided 3 x 3 convolutions, 16 to 128 channels, with dropout of whole channels and batch
norm; batch 64, Adam at 2e-4 with betas 0.5 and 0.999.  The generator steps first, and the discriminator
learns from the images that were made for that step.  That turns of both move the parameters alike, dropout
included, is held by tests/test_nets.py.

"Everybody's" loop is that of the scripts: nn.Upsample and nn.Conv2d, BCELoss on a sigmoid, default Adam, the
discriminator's gradients computed in the generator's step and thrown away, `.item()` on both losses, and a
DataLoader over PIL images of 28 x 28 with Resize, ToTensor and Normalize.  The pixels are random: speed does
not depend on them.

The game has the images resident as uint8, brought to their size once, the doubling folded into one transposed
convolution (16 products for 36, the parameters those of the 3 x 3 kernel), the last layer folded too, maps
channels last, the opponent frozen, and one fused Adam.  Batch norm in the discriminator asks for a pass each
of real and generated images, on both sides.

A share of the peak is the operations of a side's products and convolutions, counted, in its time, over those
of a large matrix product on the same threads in the same run.

Measured on two cores of an AMD EPYC, torch 2.14.1, two threads, float32: 3.00 (2.67 to 3.40 over five interleaved
pairs), the game at 45 % of the peak, the loop at 34 %; with other work beside it and one thread 2.27.
This processor has no bfloat16.  On two cores of an Intel Xeon that has (AMX), torch 2.11.0: bfloat16 3.71 (2.54 to
4.39), the game at 59 % of the float32 peak, the loop, which computes in float32, at 38 %; float32 2.20 (1.92 to
2.50), at 33 % and 31 %.
"""

import argparse
from collections import deque
from dataclasses import dataclass
from itertools import chain, repeat

import torch
from loop import Pictures, compare
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms

from gantools import data, game, losses, nets
from gantools.nets.layers import ChannelsLast
from gantools.nets.precision import quick

LATENT, BATCH, RATE, BETAS, SIZE = 100, 64, 2e-4, (0.5, 0.999), 32


def doubled(channels, out, ours):
    """Nearest neighbours to twice the side and a 3 x 3 convolution: one layer, or two."""
    if ours:
        return [nets.Doubling(channels, out)]
    return [nn.Upsample(scale_factor=2), nn.Conv2d(channels, out, 3, padding=1)]


def generator(ours, inputs=LATENT):
    return nn.Sequential(
        nn.Linear(inputs, 128 * 8 * 8), nn.Unflatten(1, (128, 8, 8)), *([ChannelsLast()] if ours else []),
        nn.BatchNorm2d(128),
        *doubled(128, 128, ours), nn.BatchNorm2d(128), nn.LeakyReLU(0.2, inplace=True),
        *doubled(128, 64, ours), nn.BatchNorm2d(64), nn.LeakyReLU(0.2, inplace=True),
        nets.Last(64, 1) if ours else nn.Conv2d(64, 1, 3, padding=1), nn.Tanh(),
    )  # fmt: skip


def body(ours):
    """Images (n, 1, 32, 32) -> features (n, 512)."""
    layers = []
    for channels, out in ((1, 16), (16, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(channels, out, 3, stride=2, padding=1)]
        layers += [ChannelsLast()] if ours and channels == 1 else []
        layers += [nn.LeakyReLU(0.2, inplace=True), nn.Dropout2d(0.25)]
        layers += [nn.BatchNorm2d(out)] if channels > 1 else []
    return nn.Sequential(*layers, nn.Flatten())


def pair(ours, seed=0):
    """(generator, discriminator), the same weights for both sides: N(0, 0.02^2) as the scripts draw them."""
    with nets.seeded(seed):
        made = generator(ours), nn.Sequential(body(ours), nn.Linear(512, 1))
        for net in made:
            for module in net.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.normal_(module.weight, 0.0, 0.02)
    return made


def everybody(generator, discriminator, batches, draw_latent, report):
    """A generator function that takes one turn at each step."""
    discriminator = nn.Sequential(discriminator, nn.Sigmoid())
    bce = nn.BCELoss()
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=RATE, betas=BETAS)
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=RATE, betas=BETAS)
    for (real,) in batches:
        valid, wrong = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        optimizer_g.zero_grad()
        fake = generator(draw_latent())
        loss_g = bce(discriminator(fake), valid)
        loss_g.backward()
        optimizer_g.step()
        optimizer_d.zero_grad()
        loss_real = bce(discriminator(real), valid)
        loss_fake = bce(discriminator(fake.detach()), wrong)
        loss_d = (loss_real + loss_fake) / 2
        loss_d.backward()
        optimizer_d.step()
        report(f"[D loss: {loss_d.item():f}] [G loss: {loss_g.item():f}]")
        yield


@dataclass(eq=False)
class Rules(game.Rules):
    """The generator steps first; the discriminator learns from the images that were made for that step."""

    def generator_loss(self, batch):
        fake = self.generator(batch.latent(self.latent))
        self.fake = fake.detach()
        return losses.get(self.loss).generator(self.discriminator(fake))

    def discriminator_loss(self, batch):
        return losses.get(self.loss).discriminator(*self.scores(batch.real, self.fake)) / 2


def ours(generator, discriminator, images, precision="float32", seed=0):
    """The same through the game."""
    generator, discriminator = (nets.precise(net, precision) for net in (generator, discriminator))
    rules = Rules(generator, discriminator, LATENT)
    players = [
        game.Player("generator", generator, rules.generator_loss, game.adam(RATE, BETAS)),
        game.Player("discriminator", discriminator, rules.discriminator_loss, game.adam(RATE, BETAS)),
    ]
    return game.Game(players, images, BATCH, seed, "cpu", rules=rules)


def pictures(n=4096, size=SIZE):
    """n random uint8 images, (n, 1, size, size)."""
    rng = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (n, 1, size, size), generator=rng, dtype=torch.uint8)
    return data.ImageSet(pixels, torch.zeros(n, dtype=torch.int64), ("none",), "random", "random")


def loader():
    """Batches as torchvision's data sets give them, epoch after epoch, loaded and resized anew each time."""
    small = Pictures(pictures(size=28).images)
    small.transform = transforms.Compose([transforms.Resize(SIZE), small.transform])
    return chain.from_iterable(repeat(DataLoader(small, BATCH, shuffle=True, drop_last=True)))


def contestants(precision):
    """(everybody's iterator, the game's iterator)"""
    latent = lambda: torch.randn(BATCH, LATENT)  # noqa: E731
    theirs = everybody(*pair(ours=False), loader(), latent, deque(maxlen=1).append)
    return theirs, ours(*pair(ours=True), pictures(), precision).turns(10**9)


def arguments(text):
    parser = argparse.ArgumentParser(description=text.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    found = parser.parse_args()
    if found.threads:
        torch.set_num_threads(found.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, the game in {found.precision}")
    if found.precision == "bfloat16" and not quick("cpu"):
        parser.exit(1, "this processor has no bfloat16 (avx512_bf16, amx): there is nothing to measure\n")
    return found


if __name__ == "__main__":
    given = arguments(__doc__)
    compare("dcgan", *contestants(given.precision), given.turns, given.pairs, shares=True)

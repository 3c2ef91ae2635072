"""WGAN-GP through the game against the loop everybody writes: ratios from interleaved runs.

    python benchmarks/wgan_gp.py [--pairs 7] [--threads N]

Both sides play the same mathematics in float32: the same nets, 28 x 28 images, batch 64, five critic steps
for one of the generator, penalty 10 with one epsilon a sample, Adam at 2e-4 with betas 0.5 and 0.999; that
turns of both move the parameters alike is held by tests/test_penalties.py.

"Everybody's" loop is that of the much copied scripts: the generated images are not detached in the critic's
step, so that the generator's gradients are computed and thrown away; nor is the critic frozen in the
generator's, so that its are; real and generated images are scored in two passes; default Adam, `.item()` to
print every loss, and a DataLoader over PIL images with ToTensor and Normalize.  The pixels are random: speed
does not depend on them.

    script   the nets of such a script: generator 100-128-256-512-1024-784 with batch norm, critic
             784-512-256-1; two thirds of its time are matrix products that both sides need
    small    generator 100-256-256-784, critic 784-256-256-1

Measured on an AMD EPYC, torch 2.14.1, medians (least and greatest) of five interleaved pairs:
two threads  script 2.24 (1.87 to 2.77), at 31 % of the peak against the loop's 21 %,
             small 2.95 (2.81 to 3.79), at 25 % against 10 % (another time 2.60 and 3.30);
one thread   script 2.13 (2.02 to 2.39), small 2.70 (2.44 to 2.99).
"""

import argparse
from collections import deque
from itertools import chain, repeat

import torch
from loop import Pictures, compare, image_nets, wide_nets
from torch import autograd
from torch.utils.data import DataLoader

from gantools import data, penalties
from gantools.game import gan

LATENT, BATCH, CRITIC_STEPS, WEIGHT, RATE, BETAS = 100, 64, 5, 10.0, 2e-4, (0.5, 0.999)
NETS = {"script": wide_nets, "small": image_nets}


def gradient_penalty(critic, real, fake, alpha):
    """As the scripts have it."""
    mixed = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    scores = critic(mixed)
    ones = torch.ones(len(real), 1)
    slopes = autograd.grad(scores, mixed, ones, create_graph=True, retain_graph=True, only_inputs=True)[0]
    return ((slopes.view(len(slopes), -1).norm(2, dim=1) - 1) ** 2).mean()


def everybody(generator, critic, batches, draw_latent, draw_alpha, report):
    """A generator function that takes one turn (five critic steps, one of the generator) at each step."""
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=RATE, betas=BETAS)
    optimizer_d = torch.optim.Adam(critic.parameters(), lr=RATE, betas=BETAS)
    for number, (real,) in enumerate(batches, 1):
        optimizer_d.zero_grad()
        fake = generator(draw_latent())
        penalty = gradient_penalty(critic, real, fake.data, draw_alpha())
        loss_d = -torch.mean(critic(real)) + torch.mean(critic(fake)) + WEIGHT * penalty
        loss_d.backward()
        optimizer_d.step()
        optimizer_g.zero_grad()
        if number % CRITIC_STEPS == 0:
            fake = generator(draw_latent())
            loss_g = -torch.mean(critic(fake))
            loss_g.backward()
            optimizer_g.step()
            report(f"[D loss: {loss_d.item():f}] [G loss: {loss_g.item():f}]")
            yield


def ours(generator, critic, images, seed=0):
    """The same through the game."""
    return gan(
        generator, critic, images, "wasserstein", latent=LATENT, batch_size=BATCH, lr=RATE, betas=BETAS,
        steps=CRITIC_STEPS, penalty=penalties.gradient(WEIGHT), seed=seed, device="cpu",
    )  # fmt: skip


def pictures(n=4096):
    """n random uint8 images, (n, 1, 28, 28)."""
    rng = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (n, 1, 28, 28), generator=rng, dtype=torch.uint8)
    return data.ImageSet(pixels, torch.zeros(n, dtype=torch.int64), ("none",), "random", "random")


def contestants(name):
    """(everybody's iterator, the game's iterator)"""
    images = pictures()
    loader = DataLoader(Pictures(images.images), batch_size=BATCH, shuffle=True, drop_last=True)
    theirs = everybody(
        *NETS[name](),
        chain.from_iterable(repeat(loader)),  # epoch after epoch, loaded anew each time
        draw_latent=lambda: torch.randn(BATCH, LATENT),
        draw_alpha=lambda: torch.rand(BATCH, 1, 1, 1),
        report=deque(maxlen=1).append,
    )
    return theirs, ours(*NETS[name](), images).turns(10**9)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=None)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for name in NETS:
        compare(name, *contestants(name), 12, arguments.pairs, shares=True)

"""InfoGAN at 32 x 32 through the game against the loop everybody writes: ratios from interleaved runs.

    python benchmarks/infogan.py [--pairs 5] [--turns 4] [--threads N] [--precision float32|bfloat16]

The nets are those of dcgan.py with two heads more, which read one code of ten values and two continuous ones;
62 numbers of noise, batch 64, least-squares loss, lambda 1 for the categorical code and 0.1 for the others,
Adam at 2e-4 with betas 0.5 and 0.999.

    script   the structure of the much copied script: a step of the generator, one of the discriminator, and a
             third, of both, for the codes, with new codes, images and scores and an optimiser of its own
    paper    by hand as the paper has it: the generator and Q move in one step, by the sum of their losses,
             and the generator's images of that step serve the discriminator
    game     the paper's turn through the game

`game` and `paper` play the same mathematics: that turns of both move the parameters alike is held by
tests/test_nets.py.  `script` takes another path to the same goal: its nets move once more for the codes, with
a third pass through both, so that part of the ratio is the paper's and not the game's.  What the loops by
hand have in common is in dcgan.py, and so is what the game does otherwise.

Measured on two cores of an AMD EPYC, torch 2.14.1, two threads, float32, medians of three interleaved pairs: script
4.90 (4.85 to 6.00), at 34 % of the peak against the game's 41 %; paper 2.41 (2.13 to 2.55).  On two cores of an Intel
Xeon (AMX), torch 2.11.0: script 4.03 (4.02 to 4.25), paper 2.23 (2.20 to 2.27), all at 42 to 45 % of the peak; the
game in bfloat16, the loops in float32: script 8.37 (6.69 to 10.12), paper 3.99 (3.94 to 4.51).
"""

from collections import deque
from dataclasses import dataclass
from itertools import chain

import torch
from dcgan import BATCH, BETAS, RATE, arguments, body, generator, loader, pictures
from dcgan import Rules as InTurn
from loop import compare
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from gantools import game, losses, nets
from gantools.infogan import Codes

LATENT, CODES = 62, Codes((10,), uniform=2, variance=0.5)  # with variance 1/2, -log Q is the squared error
WEIGHTS = (1.0, 0.1)


class Judge(nn.Module):
    """One body, three heads: images -> (score (n, 1), logits (n, 10), continuous codes (n, 2))."""

    def __init__(self, ours):
        super().__init__()
        self.body, self.score, self.read = body(ours), nn.Linear(512, 1), nn.Linear(512, CODES.outputs)

    def forward(self, x):
        features = self.body(x)
        return self.score(features), *self.read(features).split([10, 2], 1)


def pair(ours, seed=0):
    """(generator, judge), the same weights for both sides."""
    with nets.seeded(seed):
        return generator(ours, LATENT + CODES.width), Judge(ours)


def code_loss(logits, continuous, codes):
    weight, continuous_weight = WEIGHTS
    error = continuous_weight * mse_loss(continuous, codes[:, 10:], reduction="sum") / len(codes)
    return weight * cross_entropy(logits, codes[:, :10]) + error


def script(generator, judge, batches, draw, report):
    """A generator function: one turn, of three steps, at each of its own; draw() gives noise and codes."""
    adam = lambda parameters: torch.optim.Adam(parameters, lr=RATE, betas=BETAS)  # noqa: E731
    optimizer_g, optimizer_d = adam(generator.parameters()), adam(judge.parameters())
    optimizer_info = adam(chain(generator.parameters(), judge.parameters()))
    for (real,) in batches:
        valid, wrong = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        optimizer_g.zero_grad()
        fake = generator(torch.cat(draw(), 1))
        loss_g = mse_loss(judge(fake)[0], valid)
        loss_g.backward()
        optimizer_g.step()
        optimizer_d.zero_grad()
        loss_d = (mse_loss(judge(real)[0], valid) + mse_loss(judge(fake.detach())[0], wrong)) / 2
        loss_d.backward()
        optimizer_d.step()
        optimizer_info.zero_grad()
        noise, codes = draw()
        _, logits, continuous = judge(generator(torch.cat([noise, codes], 1)))
        loss_info = code_loss(logits, continuous, codes)
        loss_info.backward()
        optimizer_info.step()
        report(f"[D loss: {loss_d.item():f}] [G loss: {loss_g.item():f}] [info loss: {loss_info.item():f}]")
        yield


def paper(generator, judge, batches, draw, report):
    """The same in two steps: the generator and Q's head, then body and score."""
    adam = lambda parameters: torch.optim.Adam(parameters, lr=RATE, betas=BETAS)  # noqa: E731
    optimizer_g = adam(chain(generator.parameters(), judge.read.parameters()))
    optimizer_d = adam(chain(judge.body.parameters(), judge.score.parameters()))
    for (real,) in batches:
        valid, wrong = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        optimizer_g.zero_grad()
        noise, codes = draw()
        fake = generator(torch.cat([noise, codes], 1))
        score, logits, continuous = judge(fake)
        loss_g = mse_loss(score, valid) / 2 + code_loss(logits, continuous, codes)
        loss_g.backward()
        optimizer_g.step()
        optimizer_d.zero_grad()
        loss_real = mse_loss(judge(real)[0], valid)
        score, logits, continuous = judge(fake.detach())
        loss_d = (loss_real + mse_loss(score, wrong)) / 2 + code_loss(logits, continuous, codes)
        loss_d.backward()
        optimizer_d.step()
        report(f"[D loss: {loss_d.item():f}] [G loss: {loss_g.item():f}]")
        yield


@dataclass(eq=False)
class Rules(InTurn):
    """The generator and Q's head step first; body and score learn from the images made for that step."""

    judge: nn.Module = None

    def code_loss(self, features, codes):
        found = CODES.losses(self.judge.read(features), codes)
        return WEIGHTS[0] * found.categorical + WEIGHTS[1] * found.continuous

    def generator_loss(self, batch):
        noise, self.codes = batch.latent(self.latent), CODES.draw(batch.size, batch.rng)
        fake = self.generator(torch.cat([noise, self.codes], 1))
        self.fake = fake.detach()
        features = self.judge.body(fake)
        loss = losses.least_squares.generator(self.judge.score(features))
        return loss + self.code_loss(features, self.codes)

    def discriminator_loss(self, batch):
        real, fake = self.judge.body(batch.real), self.judge.body(self.fake)
        scores = self.judge.score(real), self.judge.score(fake)
        return losses.least_squares.discriminator(*scores) + self.code_loss(fake, self.codes)


def ours(generator, judge, images, precision="float32", seed=0):
    """The paper's turn through the game."""
    generator, judge.body = (nets.precise(net, precision) for net in (generator, judge.body))
    rules = Rules(generator, judge, LATENT, judge=judge)
    adam = game.adam(RATE, BETAS)
    players = [
        game.Player("generator", [generator, judge.read], rules.generator_loss, adam),
        game.Player("discriminator", [judge.body, judge.score], rules.discriminator_loss, adam),
    ]
    return game.Game(players, images, BATCH, seed, "cpu", rules=rules)


def contestants(loop, precision):
    """(that loop's iterator, the game's iterator)"""
    draw = lambda: (torch.randn(BATCH, LATENT), CODES.draw(BATCH))  # noqa: E731
    theirs = loop(*pair(ours=False), loader(), draw, deque(maxlen=1).append)
    return theirs, ours(*pair(ours=True), pictures(), precision).turns(10**9)


if __name__ == "__main__":
    given = arguments(__doc__)
    for loop in (script, paper):
        turns = contestants(loop, given.precision)
        compare("infogan", *turns, given.turns, given.pairs, sides=(loop.__name__, "game"), shares=True)

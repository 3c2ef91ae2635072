"""InfoGAN and the conditional GAN as games: one generator player owns the reader of codes as well.

    infogan_game, Rules                 the game of Chen et al., and its two losses
    conditional_game, ConditionalRules  the game of Mirza and Osindero, and its two losses
    decode, read, estimated_bound(s)    what the generator makes of codes, what Q reads, what L_I is

Sources: Chen et al. (2016), *InfoGAN*; Mirza and Osindero (2014), *Conditional generative adversarial nets*.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from gantools import game, losses
from gantools.infogan.codes import CodeBound, Codes
from gantools.infogan.information import _not_negative
from gantools.infogan.shaking import DIRECTIONS, shaken

__all__ = [
    "ConditionalRules", "Rules", "conditional_game", "decode", "estimated_bound", "estimated_bounds",
    "infogan_game", "read",
]  # fmt: skip


@dataclass(eq=False)
class Rules(game.Rules):
    """InfoGAN's two losses.  D = head(body(x)) and Q's outputs = q_head(body(x)): one body, the same tensors.

    codes              the law of the codes; the generator takes (noise, codes) side by side
    weight             lambda of the categorical codes
    continuous_weight  lambda of the continuous ones
    body_learns        whether the discriminator's loss also holds that of Q, so that the body learns to read
                       codes; else only the discrimination of data shapes it, as min over G, Q of max over D
                       says to the letter.  The authors' code has it in both losses
    shake              how far the images that Q reads are shaken (`shaken`), from 0, not at all, to 1
    """

    body: nn.Module = None
    head: nn.Module = None
    q_head: nn.Module = None
    codes: Codes = None
    weight: float = 1.0
    continuous_weight: float = 0.1
    body_learns: bool = True
    shake: float = 0.0

    def generate(self, z: Tensor, codes: Tensor) -> Tensor:
        """Noise (n, latent) and codes (n, width) -> examples (n, ...)."""
        return self.generator(torch.cat([z, codes], 1))

    def _fake(self, batch: game.Batch) -> tuple[Tensor, Tensor]:
        codes = batch.deal(lambda m: self.codes.draw(m, batch.rng, batch.device))
        return self.noised(self.generate(batch.latent(self.latent), codes), batch), codes

    def _seen(self, fake: Tensor, batch: game.Batch) -> Tensor:
        """The features that Q reads."""
        if not self.shake:
            return self.body(fake)
        by = batch.deal(lambda m: 2 * torch.rand(m, DIRECTIONS, generator=batch.rng, device=batch.device) - 1)
        return self.body(shaken(fake, self.shake * by))

    def code_loss(self, features: Tensor, codes: Tensor) -> Tensor:
        """lambda times -log Q, which is -lambda L_I up to the constant lambda H(c)."""
        found = self.codes.losses(self.q_head(features), codes)
        return self.weight * found.categorical + self.continuous_weight * found.continuous

    def discriminator_loss(self, batch: game.Batch) -> Tensor:
        real = self.noised(batch.real, batch)
        fake, codes = self._fake(batch)
        score_real, score_fake = self.scores(real, fake)
        loss = losses.get(self.loss).discriminator(score_real, score_fake)
        if self.body_learns:
            loss = loss + self.code_loss(self._seen(fake, batch), codes)
        return loss + self.penalty(self.discriminator, real, fake, batch) if self.penalty else loss

    def generator_loss(self, batch: game.Batch) -> Tensor:
        """The generator's and Q's: they move in one step."""
        fake, codes = self._fake(batch)
        features = self.body(fake)
        seen = self._seen(fake, batch) if self.shake else features
        return losses.get(self.loss).generator(self.head(features)) + self.code_loss(seen, codes)


@torch.no_grad()
def _tried(rules: Any, judge: Callable, *others: nn.Module) -> Any:
    """What `judge` makes of two generated examples; ValueError where the nets do not fit."""
    nets = (rules.generator, rules.discriminator, *others)
    modes = [net.training for net in nets]
    try:
        for net in nets:
            net.eval()
        start = next(rules.generator.parameters())
        zeros = torch.zeros(2, rules.latent + rules.codes.width, device=start.device, dtype=start.dtype)
        return judge(rules.generator(zeros))
    except RuntimeError as error:
        raise ValueError(
            "the nets do not fit together; the generator must take "
            f"{rules.latent} + {rules.codes.width} numbers, noise and codes: {error}"
        ) from None
    finally:
        for net, mode in zip(nets, modes, strict=True):
            net.train(mode)


def _fits(fake: Tensor, scores: Tensor, source) -> None:
    if tuple(fake.shape[1:]) != tuple(source.shape):
        made = f"the generator makes examples of shape {tuple(fake.shape[1:])}"
        raise ValueError(f"{made}, the data have {tuple(source.shape)}")
    if scores.numel() != 2:
        given = f"the discriminator gives {tuple(scores.shape[1:])} numbers an example"
        raise ValueError(f"{given}; it must give one score")


def _sampler(player: game.Player, rules: Any) -> Callable:
    """(n, rng) -> n examples of noise and codes drawn afresh."""

    def sample(n: int, rng: torch.Generator) -> Tensor:
        codes = rules.codes.draw(n, rng)
        z = torch.randn(n, rules.latent, generator=rng, device=rng.device)
        return _looked_at(player)(torch.cat([z, codes], 1))

    return sample


def infogan_game(
    generator: nn.Module, body: nn.Module, head: nn.Module, q_head: nn.Module, data, codes: Codes,
    loss: str = "nonsaturating", *,
    weight: float = 1.0, continuous_weight: float = 0.1, body_learns: bool = True, shake: float = 0.0, latent: int = 2,
    batch_size: int = 256, lr: float | tuple[float, float] = 1e-3, betas: tuple[float, float] = (0.5, 0.9),
    optimizer: Callable | None = None, steps: int = 1, noise: float = 0.0, penalty: Callable | None = None,
    ema: float | None = None, seed: int = 0, device: str | torch.device = "auto",
) -> game.Game:  # fmt: skip
    """The game of Chen et al. (2016): a discriminator, and one generator player that owns Q's head as well.

    body: x -> features; head: features -> one score; q_head: features -> codes.outputs numbers; generator:
    latent + codes.width numbers -> x.  `weight`, `continuous_weight`, `body_learns` and `shake` are those of
    `Rules` and may be changed there while the game runs; the other options are those of `game.gan`.
    Raises ValueError for nets that do not fit and for bad options.
    """
    losses.get(loss)
    _not_negative(noise=noise, weight=weight, continuous_weight=continuous_weight, shake=shake)
    rules = Rules(
        generator, nn.Sequential(body, head), latent, loss, noise, penalty,
        body, head, q_head, codes, float(weight), float(continuous_weight), bool(body_learns),
        float(shake),
    )  # fmt: skip
    fake, scores, outputs = _tried(rules, lambda x: (x, rules.discriminator(x), q_head(body(x))), q_head)
    _fits(fake, scores, data)
    codes.heads(outputs)
    moves_d, moves_g = game.optimizers(lr, betas, optimizer)
    players = [
        game.Player("discriminator", [body, head], rules.discriminator_loss, moves_d, steps),
        game.Player("generator", [generator, q_head], rules.generator_loss, moves_g, ema=ema),
    ]
    return game.Game(
        players, data, batch_size, seed, device,
        sample=_sampler(players[1], rules), score=rules.discriminator, pull=rules.pull, rules=rules,
    )  # fmt: skip


@dataclass(eq=False)
class ConditionalRules(game.Rules):
    """The conditional GAN's two losses: the generator takes noise and label, the discriminator x and label.

    A step's labels, those of its batch of data, go to real and generated examples alike: one law of c.
    """

    codes: Codes = None

    def generate(self, z: Tensor, codes: Tensor) -> Tensor:
        """Noise (n, latent) and one-hot labels (n, k) -> examples (n, ...)."""
        return self.generator(torch.cat([z, codes], 1))

    def judge(self, x: Tensor, codes: Tensor) -> Tensor:
        """Scores of examples (n, ...), flattened, beside their one-hot labels (n, k)."""
        return self.discriminator(torch.cat([x.flatten(1), codes], 1))

    def _fake(self, batch: game.Batch) -> tuple[Tensor, Tensor]:
        codes = one_hot(batch.labels, self.codes.width).float()
        return self.noised(self.generate(batch.latent(self.latent), codes), batch), codes

    def discriminator_loss(self, batch: game.Batch) -> Tensor:
        real = self.noised(batch.real, batch)
        fake, codes = self._fake(batch)
        return losses.get(self.loss).discriminator(self.judge(real, codes), self.judge(fake, codes))

    def generator_loss(self, batch: game.Batch) -> Tensor:
        return losses.get(self.loss).generator(self.judge(*self._fake(batch)))


def conditional_game(
    generator: nn.Module, discriminator: nn.Module, data, loss: str = "nonsaturating", *,
    latent: int = 2, batch_size: int = 256, lr: float | tuple[float, float] = 1e-3,
    betas: tuple[float, float] = (0.5, 0.9), optimizer: Callable | None = None, steps: int = 1,
    noise: float = 0.0, ema: float | None = None, seed: int = 0, device: str | torch.device = "auto",
) -> game.Game:  # fmt: skip
    """The game of Mirza and Osindero (2014), on data with labels: classes of images, components of a mixture.

    generator: latent + k numbers -> x; discriminator: the numbers of x, flattened, and k more -> one score,
    for k classes.  `game.rules.codes` is the law of labels that `game.sample` draws from, all alike; `decode`
    takes one-hot labels.  Options are those of `game.gan`.
    Raises ValueError for data without labels, nets that do not fit, bad options.
    """
    losses.get(loss)
    _not_negative(noise=noise)
    names = getattr(data, "classes", getattr(data, "centres", ()))
    if len(names) < 2:
        raise ValueError("a conditional game needs data with labels: images, or a mixture of two or more")
    codes = Codes((len(names),))
    rules = ConditionalRules(generator, discriminator, latent, loss, noise, codes=codes)
    fake, scores = _tried(rules, lambda x: (x, rules.judge(x, torch.zeros(2, codes.width).to(x))))
    _fits(fake, scores, data)
    moves_d, moves_g = game.optimizers(lr, betas, optimizer)
    players = [
        game.Player("discriminator", discriminator, rules.discriminator_loss, moves_d, steps),
        game.Player("generator", [generator], rules.generator_loss, moves_g, ema=ema),
    ]
    return game.Game(players, data, batch_size, seed, device, sample=_sampler(players[1], rules), rules=rules)


def _looked_at(player: game.Player) -> nn.Module:
    """The generator that pictures and scores take: its running average where there is one."""
    return player.nets[0] if player.average is None else player.average.module[0]


@torch.no_grad()
def decode(
    played: game.Game, codes: Tensor, seed: int = 0, fresh: bool = False, averaged: bool = True
) -> Tensor:
    """What the generator makes of codes, (n, width) -> (n, ...): all from one noise, or a `fresh` one each.

    By its running average where there is one, unless not `averaged`.  One seed always means the same noise;
    the game's own random state stays as it is.
    """
    if codes.ndim != 2 or codes.shape[1] != played.rules.codes.width:
        raise ValueError(f"this game's codes are (n, {played.rules.codes.width}), not {tuple(codes.shape)}")
    rng = torch.Generator(played.device).manual_seed(seed)
    z = torch.randn(len(codes) if fresh else 1, played.rules.latent, generator=rng, device=played.device)
    player = played.player("generator")
    with played._looking():
        net = _looked_at(player) if averaged else player.nets[0]
        return net(torch.cat([z.expand(len(codes), -1), codes.to(z)], 1))


@torch.no_grad()
def read(played: game.Game, x: Tensor) -> Tensor:
    """Q's outputs for examples, (n, ...) -> (n, outputs): what `Codes.heads` and `Codes.categorical` take."""
    with played._looking():
        return played.rules.q_head(played.rules.body(x.to(played.device)))


def estimated_bounds(played: game.Game, n: int = 2000, seed: int = 0, averaged: bool = True) -> CodeBound:
    """L_I of the categorical and of the continuous codes, from n new examples, made as `decode` makes them.

    Q is at home with the generator as it stands: with its running average the bound may be far lower.
    """
    codes = played.rules.codes.draw(n, torch.Generator(played.device).manual_seed(seed))
    outputs = read(played, decode(played, codes, seed + 1, fresh=True, averaged=averaged))
    return CodeBound(*(float(part) for part in played.rules.codes.bounds(outputs, codes)))


def estimated_bound(played: game.Game, n: int = 2000, seed: int = 0) -> float:
    """L_I of all codes together; a little above the truth only by chance."""
    return sum(estimated_bounds(played, n, seed))

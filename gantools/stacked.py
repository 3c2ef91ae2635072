"""Many tiny games at once: one game under many seeds and at many rates, in one pass of the loop.

A tiny game spends its time on the overhead of its many small operations.  Here the parameters of g games
stand behind one another along a leading axis, every layer is one `baddbmm`, every step one fused Adam; no
game sees another, and each plays as it would alone.

    game = stacked.sweep(build, data.ring(8), seeds=range(16))    # build: seed -> (generator, discriminator)
    for turn in game.turns(2000):
        ...                                                       # turn.losses["generator"]: (16,)
    game.sample(500)                                              # (16, 500, 2)

Randomness.  The nets of a game are `build(its seed)`.  What is drawn in play comes from one generator of the
whole stack, under `seed`: g batches at a draw, independent of one another, so that what a game is shown also
depends on its place and on g.  With `shared=True` every game is shown the same data and noise, those that
`game.gan(..., seed=seed)` draws: games then differ by their nets and rates alone, and each is that single
game but for rounding.  What a penalty draws is always each game's own.

A game that diverges stays in its place as NaN and disturbs no other; Diverged is raised when none is left.
"""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gantools import losses
from gantools.game import Batch, Diverged, Game, Player, Rules, gan, optimizers

__all__ = ["Adam", "Setting", "Stacked", "StackedGame", "StackedRules", "StackedTurn", "sweep"]

POINTWISE = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Tanh, nn.Sigmoid, nn.Softplus, nn.SiLU, nn.GELU, nn.Identity)


# nets -----------------------------------------------------------------------------------------------


class Layer(nn.Module):
    """g linear layers: (g, n, inputs) -> (g, n, outputs)."""

    def __init__(self, layers: Sequence[nn.Linear]):
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach().T for layer in layers]))  # (g, in, out)
        self.bias = None
        if layers[0].bias is not None:
            biases = [layer.bias.detach().unsqueeze(0) for layer in layers]
            self.bias = nn.Parameter(torch.stack(biases))  # (g, 1, out)

    def forward(self, x: Tensor) -> Tensor:
        return torch.bmm(x, self.weight) if self.bias is None else torch.baddbmm(self.bias, x, self.weight)


class Stacked(nn.Module):
    """g multilayer perceptrons of one shape, such as `nets.mlp` makes: (g, n, ...) -> (g, n, ...).

    ValueError for nets that differ by more than their weights, and for a layer that is neither linear nor
    pointwise nor a change of shape.
    """

    def __init__(self, nets: Iterable[nn.Sequential]):
        super().__init__()
        nets = list(nets)
        if not nets or not all(isinstance(net, nn.Sequential) for net in nets):
            raise ValueError("give nets to stack, at least one, each an nn.Sequential such as nets.mlp makes")
        if len({_outline(net) for net in nets}) > 1:
            raise ValueError("nets to stack must have the same layers and differ by their weights alone")
        self.games, self._like = len(nets), [nets[0]]  # in a list: no part of this module
        self.layers = nn.Sequential(*map(_stacked, zip(*nets, strict=True)))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)

    @torch.no_grad()
    def alone(self, k: int) -> nn.Sequential:
        """The k-th net, copied, as one of those it was made of."""
        net = deepcopy(self._like[0]).to(next(self.parameters()).device)
        for single, layer in zip(net, self.layers, strict=True):
            if isinstance(layer, Layer):
                single.weight.copy_(layer.weight[k].T)
                if layer.bias is not None:
                    single.bias.copy_(layer.bias[k, 0])
        return net


def _outline(net: nn.Sequential) -> str:
    return repr(net) + repr([tuple(p.shape) for p in net.parameters()])


def _stacked(layers: tuple[nn.Module, ...]) -> nn.Module:
    """What does for g games what these layers, one a game, do for each."""
    first = layers[0]
    if isinstance(first, nn.Linear):
        return Layer(layers)
    if isinstance(first, nn.Flatten) and (first.start_dim, first.end_dim) == (1, -1):
        return nn.Flatten(2)
    if isinstance(first, nn.Unflatten) and first.dim == 1:
        return nn.Unflatten(2, first.unflattened_size)
    if isinstance(first, POINTWISE):
        return deepcopy(first)
    raise ValueError(f"{first} cannot be stacked: linear and pointwise layers and changes of shape can")


# the rate of each game ------------------------------------------------------------------------------


class Adam(torch.optim.Adam):
    """Fused Adam with a rate for each game, `rates` (g); parameters have the games along their first axis.

    Adam's step is its rate times a direction: it is taken at rate 1, and each game goes its share of the way.
    `player.lr`, 1 at first, multiplies all rates.
    """

    def __init__(self, parameters, rates: Sequence[float], betas: tuple[float, float] = (0.5, 0.9)):
        super().__init__(parameters, lr=1.0, betas=betas, fused=True)
        for group in self.param_groups:
            group["rates"] = list(rates)

    @torch.no_grad()
    def step(self, closure=None):
        moved = [(p, p.clone(), group["rates"]) for group in self.param_groups for p in group["params"]]
        result = super().step(closure)
        for parameter, before, rates in moved:
            share = before.new_tensor(rates).view(-1, *[1] * (before.ndim - 1))  # (g, 1, ...)
            parameter.copy_(torch.lerp(before, parameter, share))
        return result


# the game -------------------------------------------------------------------------------------------


class Setting(NamedTuple):
    """What one game of the stack has of its own."""

    seed: int
    lr: float | tuple[float, float]


@dataclass(eq=False)
class StackedTurn:
    """What a turn leaves behind: its number, and the scores that each player's last loss was taken of."""

    number: int
    scores: dict[str, tuple[Tensor, ...]]
    loss: str

    @cached_property
    def losses(self) -> dict[str, Tensor]:
        """Each player's loss in each game, (g,), without the penalty: worked out when it is read."""
        of, found = losses.get(self.loss), {}
        for name, scores in self.scores.items():
            one = of.discriminator if name == "discriminator" else of.generator
            found[name] = torch.stack([one(*game) for game in zip(*scores, strict=True)])
        return found


@dataclass(eq=False)
class StackedRules(Rules):
    """The two-player game g times.  Its losses are sums of the games' losses: each has its own gradient."""

    games: int = 1
    shared: bool = False

    def __post_init__(self):
        self.noted: dict[str, tuple[Tensor, ...]] = {}  # each player's last scores, for StackedTurn

    def _dealt(self, x: Tensor) -> Tensor:
        """(g n, ...) -> (g, n, ...), or (n, ...) before every game."""
        return x.expand(self.games, *x.shape) if self.shared else x.unflatten(0, (self.games, -1))

    def _fake(self, batch: Batch) -> Tensor:
        return self.noised(self.generator(self._dealt(batch.latent(self.latent))), batch)  # (g, n, ...)

    def noised(self, x: Tensor, batch: Batch) -> Tensor:
        if not self.noise:
            return x
        rows = x.shape[1] if self.shared else self.games * x.shape[1]
        extra = torch.randn(rows, *x.shape[2:], generator=batch.rng, device=x.device)
        return torch.add(x, self._dealt(extra), alpha=self.noise)

    def discriminator_loss(self, batch: Batch) -> Tensor:
        real, fake = self.noised(self._dealt(batch.real), batch), self._fake(batch)
        scores = self.discriminator(torch.cat([real, fake], 1)).split([real.shape[1], fake.shape[1]], 1)
        self.noted["discriminator"] = tuple(score.detach() for score in scores)
        loss = losses.get(self.loss).discriminator(*scores)  # a mean over scores: here of all games
        if self.penalty:
            whole = Batch(batch.sources, real.shape[:2].numel(), batch.rng, batch.device, batch.turn)
            loss = loss + self.penalty(self._flat, real.flatten(0, 1), fake.flatten(0, 1), whole)
        return self.games * loss

    def _flat(self, x: Tensor) -> Tensor:
        """(g n, ...) -> scores (g n, 1): each game's examples by its own discriminator, as penalties ask."""
        return self.discriminator(x.unflatten(0, (self.games, -1))).flatten(0, 1)

    def generator_loss(self, batch: Batch) -> Tensor:
        scores = self.discriminator(self._fake(batch))
        self.noted["generator"] = (scores.detach(),)
        return self.games * losses.get(self.loss).generator(scores)


class StackedGame(Game):
    """g games that are played as one; made by `sweep`.  Turns, checkpoints and averages are those of Game."""

    settings: tuple[Setting, ...] = ()

    @property
    def games(self) -> int:
        return self.rules.games

    def turn(self) -> StackedTurn:
        """One round of Algorithm 1 in every game."""
        turn, rules = super().turn(), self.rules
        return StackedTurn(turn.number, {name: rules.noted[name] for name in turn.losses}, rules.loss)

    @property
    def alive(self) -> Tensor:
        """(g,): which games have not diverged."""
        tensors = [p.detach() for p in self._all] + [s for noted in self.rules.noted.values() for s in noted]
        return torch.stack([tensor.isfinite().flatten(1).all(1) for tensor in tensors]).all(0)

    def check(self) -> None:
        """Raise Diverged if no game is left in which all is finite."""
        waiting, self._waiting = self._waiting, []
        finite = all(loss.isfinite() for _, _, loss in waiting)
        if not finite and not self.alive.any():
            raise Diverged(f"turn {self.number}: all {self.games} games have diverged: lower the rates")

    def score(self, x: Tensor) -> Tensor:
        """Every discriminator's scores of the same x, (n, ...) -> (g, n)."""
        with torch.no_grad(), self._looking():
            x = x.to(self.device)
            return self.rules.discriminator(x.expand(self.games, *x.shape)).flatten(1)

    def alone(self, k: int) -> tuple[nn.Sequential, nn.Sequential]:
        """(generator, discriminator) of game k, copied; of the generator its average, if there is one."""
        if not 0 <= k < self.games:
            raise ValueError(f"the games of this stack are numbered 0 to {self.games - 1}; there is no {k}")
        return self._seen().alone(k), self.rules.discriminator.alone(k)

    def _seen(self) -> Stacked:
        average = self.player("generator").average
        return self.rules.generator if average is None else average.module


def sweep(
    build: Callable[[int], tuple[nn.Sequential, nn.Sequential]],
    data,
    loss: str = "nonsaturating",
    *,
    seeds: Iterable[int] = range(16),
    lr: float | tuple[float, float] | Sequence[float | tuple[float, float]] = 1e-3,
    latent: int = 2,
    batch_size: int = 64,
    betas: tuple[float, float] = (0.5, 0.9),
    optimizer: Callable | None = None,
    steps: int = 1,
    noise: float = 0.0,
    penalty: Callable | None = None,
    after: Callable | None = None,
    ema: float | None = None,
    seed: int = 0,
    shared: bool = False,
    device: str | torch.device = "auto",
) -> StackedGame:
    """The two-player game under every seed, at every rate: `game.settings` says which game is which.

    build      seed -> (generator, discriminator), perceptrons that differ by their weights alone
    lr         one rate or (the discriminator's, the generator's), or a list of such: then every seed is
               played at each, with Adam
    batch_size of each game;  `seed` and `shared`: see the module.  Other options are those of `game.gan`.
    Raises ValueError for nets that do not fit or cannot be stacked, and for bad options.
    """
    rates = lr if isinstance(lr, list) else [lr]
    settings = tuple(Setting(s, rate) for s, rate in product(seeds, rates))
    if not settings:
        raise ValueError("a sweep needs at least one seed and one rate")
    if optimizer and len(rates) > 1:
        raise ValueError("several rates go with Adam: leave `optimizer` out, or give one rate")
    pairs = [build(setting.seed) for setting in settings]
    options = {"latent": latent, "batch_size": batch_size, "betas": betas, "noise": noise, "device": device}
    for rate in rates:  # what cannot be one game cannot be many
        gan(*build(settings[0].seed), data, loss, lr=rate, **options)
    generators, discriminators = map(Stacked, zip(*pairs, strict=True))
    rules = StackedRules(
        generators, discriminators, latent, loss, noise, penalty, games=len(settings), shared=shared
    )
    moves_d, moves_g = optimizers(rates[0], betas, optimizer)
    if len(rates) > 1:
        each = [rate if isinstance(rate, tuple) else (rate, rate) for _, rate in settings]
        moves_d, moves_g = (lambda p, own=own: Adam(p, own, betas) for own in zip(*each, strict=True))
    players = [
        Player("discriminator", discriminators, rules.discriminator_loss, moves_d, steps, after),
        Player("generator", generators, rules.generator_loss, moves_g, ema=ema),
    ]

    def sample(n: int, rng: torch.Generator) -> Tensor:
        z = torch.randn(n, latent, generator=rng, device=rng.device)
        return game._seen()(z.expand(len(settings), n, latent))  # the same noise for every generator

    size = batch_size if shared else batch_size * len(settings)
    game = StackedGame(players, data, size, seed, device, sample=sample, rules=rules)
    game.settings = settings
    return game

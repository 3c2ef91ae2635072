"""P2GAN between networks: forces that pull and push generators, which may join one after another.

    Force, literal, pooled         who acts on whom, as data
    Generators, Discriminators     one net made into many that share all but the first, or last, layer
    Rules, game                    the losses, and the game with its players

A force has a source (data, or a generator), a target (a generator, or the pool of all), and a weight: above 0
it pulls the target to its source, below 0 it pushes it away.  Each force has a discriminator that tells source
from target, trained as always; the generators minimise the sum of weight * loss over the forces, so a push is
the term of a pull with the opposite sign.
Source: Le et al. (2019), *Learning generative adversarial networks from multiple data sources* (MATH F).
"""

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from gantools import losses, nets
from gantools.game import Batch, Game, Player, optimizers

__all__ = [
    "Discriminators", "Force", "Generators", "Rules", "game", "he", "literal", "pooled",
]  # fmt: skip

POOL = "pool"  # the target that is all generators together


# ---- forces -----------------------------------------------------------------------------------------------


class Force(NamedTuple):
    """weight > 0 pulls the target to the source, weight < 0 pushes it away; generators count from 0."""

    source: str | int  # the name of a data source, or a generator
    target: int | str  # a generator, or "pool"
    weight: float


def _pushes(k: int, each_other: bool) -> list[Force]:
    """Generator j is pushed by all before it, or by all others, with weights that sum to 1."""
    others = [[i for i in range(k if each_other else j) if i != j] for j in range(k)]
    return [Force(i, j, -1 / len(those)) for j, those in enumerate(others) for i in those]


def literal(k: int, each_other: bool = False) -> list[Force]:
    """k generators, each pulled to the data by itself and pushed by those before it (or by all others).

    This is equation (1) of the paper for each new generator.  The pushes on a generator sum to 1, so that
    `game(alpha=...)` is the paper's alpha, the sum of equal alpha_i.
    """
    return [Force("real", j, 1.0) for j in range(_count(k))] + _pushes(k, each_other)


def pooled(k: int, each_other: bool = False) -> list[Force]:
    """k generators whose pool is pulled to the data, each pushed by those before it (or by all others)."""
    return [Force("real", POOL, 1.0)] + _pushes(_count(k), each_other)


def _count(k: int) -> int:
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise ValueError(f"there must be at least one generator, and a whole number of them, not {k!r}")
    return k


def _weight(name: str, value: float) -> float:
    if not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(f"{name} must be at least 0 and finite, not {value!r}: a push below 0 would be a pull")
    return float(value)


# ---- nets that share layers -------------------------------------------------------------------------------


def he(module: nn.Module) -> None:
    """He's initialisation of one layer, in place: normal weights of variance 2/fan-in, no bias."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _draw_anew(module: nn.Module) -> None:
    """PyTorch's own initialisation of one layer."""
    if hasattr(module, "reset_parameters"):
        module.reset_parameters()


def _layers(net: nn.Module, which: int, role: str) -> tuple[nn.Linear, list[nn.Module]]:
    """The first (which = 0) or last (-1) layer, which must be linear, and the others."""
    layers = [layer for layer in net.children() if which or not isinstance(layer, nn.Flatten)]
    if not isinstance(net, nn.Sequential) or len(layers) < 2 or not isinstance(layers[which], nn.Linear):
        place = "last" if which else "first"
        raise ValueError(f"the {role} must be a torch.nn.Sequential of layers whose {place} is torch.nn.Linear")
    return layers.pop(which), layers


class Generators(nn.Module):
    """k generators that share all but their first layer.

    Made from one, a Sequential that begins with a Linear: the second and later first layers are copies of it,
    drawn anew by `draw` under `seed`.
    """

    def __init__(self, one: nn.Sequential, k: int, draw: Callable = _draw_anew, seed: int = 0):
        super().__init__()
        first, rest = _layers(one, 0, "generator")
        self.firsts = nn.ModuleList([first, *_copies(first, _count(k) - 1, draw, seed)])
        self.trunk = nn.Sequential(*rest)
        self.latent = first.in_features

    def __len__(self) -> int:
        return len(self.firsts)

    def forward(self, z: Tensor, k: int | None = None) -> Tensor:
        """Latents (m, latent) -> (k * m, ...): the first k generators (default: all) one after the other.

        Each answers to every latent, and all in one batch.
        """
        active = self.firsts[: k or len(self)]
        weight = torch.cat([first.weight for first in active])  # (k * width, latent)
        bias = None if active[0].bias is None else torch.cat([first.bias for first in active])
        hidden = linear(z, weight, bias).unflatten(1, (len(active), -1))  # (m, k, width)
        return self.trunk(hidden.transpose(0, 1).flatten(0, 1))


class Discriminators(nn.Module):
    """n discriminators that share all but their last layer.

    Made from one, a Sequential that ends with a Linear of one output: it becomes the first of n outputs, the
    others being drawn by `draw` under `seed`.
    """

    def __init__(self, one: nn.Sequential, n: int, draw: Callable = _draw_anew, seed: int = 0):
        super().__init__()
        last, rest = _layers(one, -1, "discriminator")
        if last.out_features != 1:
            raise ValueError(f"the discriminator gives {last.out_features} numbers an example; it must give one score")
        self.trunk = nn.Sequential(*rest)
        with nets.seeded(seed):
            self.heads = nn.Linear(last.in_features, n, bias=last.bias is not None, device=last.weight.device)
            draw(self.heads)
        for mine, given in zip(self.heads.parameters(), last.parameters(), strict=True):
            mine.data[:1] = given.data

    def forward(self, x: Tensor) -> Tensor:
        """x (m, ...) -> scores (m, n)."""
        return self.heads(self.trunk(x))


def _copies(layer: nn.Module, n: int, draw: Callable, seed: int) -> list[nn.Module]:
    with nets.seeded(seed):
        copies = [copy.deepcopy(layer) for _ in range(n)]
        for module in copies:
            draw(module)
    return copies


# ---- the rules --------------------------------------------------------------------------------------------


class Duels(NamedTuple):
    """Who is told from whom while so many generators play: an entry for each force and each target of it."""

    names: list[str]  # data sources: the first clouds; the generators are the others
    judges: Tensor  # (e,): the discriminator
    sources: Tensor  # (e,): cloud of the source
    owners: Tensor  # (e,): the generator that is the target
    shares: Tensor  # (e,): of the discriminators' loss
    weights: Tensor  # (e,): of the generators' loss
    even: tuple[float | None, float | None]  # sums of shares and of weights, where all are alike


def _weighed(loss: Callable, weights: Tensor, even: float | None, *scores: Tensor) -> Tensor:
    """The sum over entries of weight * loss(scores of the entry); scores (e, b), weights (e,)."""
    if even is not None:
        return even * loss(*scores)  # a loss is a mean over all it is given
    return torch.vmap(loss)(*scores) @ weights


@dataclass(eq=False)
class Rules:
    """The losses of P2GAN.  `loss`, `push` and `alpha` may change while the game runs.

    forces   in the order of the heads: those with a weight above 0 of `pulls`, the others of `pushes`
    since    turns after which each generator plays, not decreasing, the first 0
    loss     name of the loss (gantools.losses) of all players
    push     name of the loss whose generator term is turned round in a push; "same": that of `loss`
    alpha    all pushes are multiplied by it
    """

    generators: Generators
    pulls: Discriminators
    pushes: Discriminators | None
    forces: tuple[Force, ...]
    since: tuple[int, ...]
    loss: str = "minimax"
    push: str = "same"
    alpha: float = 1.0
    known: dict = field(default_factory=dict, repr=False)

    def discriminator_loss(self, batch: Batch) -> Tensor:
        """Every discriminator tells the source of its force from the target: their mean loss."""
        k = self.playing(batch.turn)
        fake = self.generators(batch.latent(self.generators.latent), k)  # (k * b, ...)
        total = 0.0
        for net, loss, _, duels in self.sides(k, batch.device):
            x = torch.cat([*(batch.draw(name)[0] for name in duels.names), fake])  # (clouds * b, ...)
            scores = net(x).T.unflatten(1, (-1, batch.size))  # (discriminators, clouds, b)
            source = scores[duels.judges, duels.sources]  # (e, b)
            target = scores[duels.judges, duels.owners + len(duels.names)]
            total = total + _weighed(loss.discriminator, duels.shares, duels.even[0], source, target)
        return total

    def generator_loss(self, batch: Batch, who: int | None = None) -> Tensor:
        """The sum of weight * loss over the forces on a generator: the mean of all, or that of one."""
        k = self.playing(batch.turn)
        fake = self.generators(batch.latent(self.generators.latent), k)  # (k * b, ...)
        if who is not None and who >= k:
            raise ValueError(f"generator {who} has not joined: {k} play in turn {batch.turn}")
        total = 0.0
        for net, loss, factor, duels in self.sides(k, batch.device, who):
            target = net(fake).T.unflatten(1, (k, -1))[duels.judges, duels.owners]  # (e, b)
            total = total + factor * _weighed(loss.generator, duels.weights, duels.even[1], target)
        return total

    # end of the losses ------------------------------------------------------------------------------------

    def playing(self, turn: int) -> int:
        """How many generators take part in that turn; the first turn is 1."""
        return self.joined(max(turn - 1, 0))

    def joined(self, number: int) -> int:
        """How many generators are there once so many turns are played."""
        return sum(turns <= number for turns in self.since)

    def sides(self, k: int, device: torch.device, who: int | None = None) -> list[tuple]:
        """(discriminators, loss, factor, duels) of the pulls and of the pushes, if they act."""
        push = self.loss if self.push == "same" else self.push
        found = []
        for net, name, factor, pushing in ((self.pulls, self.loss, 1.0, False), (self.pushes, push, self.alpha, True)):
            key = pushing, bool(self.alpha), k, device, who
            if key not in self.known:
                self.known[key] = self._duels(*key)
            if factor and len(self.known[key].owners):
                found.append((net, losses.get(name), factor, self.known[key]))
        return found

    def _duels(self, pushing: bool, pushed: bool, k: int, device: torch.device, who: int | None) -> Duels:
        """The duels of one side while k generators play; of them only those over `who`, if that is given."""
        acts = lambda f: f.target in (POOL, *range(k)) and (isinstance(f.source, str) or f.source < k)  # noqa: E731
        number = sum(acts(force) and (pushed or force.weight > 0) for force in self.forces)
        side = [(h, f) for h, f in enumerate(f for f in self.forces if (f.weight < 0) == pushing) if acts(f)]
        names = sorted({force.source for _, force in side if isinstance(force.source, str)})
        clouds, entries = [*names, *range(k)], []
        for judge, force in side:
            targets = range(k) if force.target == POOL else [force.target]
            source, share = clouds.index(force.source), 1 / (len(targets) * number)
            weight = force.weight / (k if who is None else 1)
            entries += [(judge, source, t, share, weight) for t in targets if who in (None, t)]
        columns = list(zip(*entries, strict=True)) or [()] * 5
        even = [math.fsum(column) if len(set(column)) == 1 else None for column in columns[3:]]
        kinds = [torch.int64] * 3 + [torch.float32] * 2
        tables = [torch.tensor(column, dtype=kind, device=device) for column, kind in zip(columns, kinds, strict=True)]
        return Duels(names, *tables, tuple(even))

    # looking at the game ----------------------------------------------------------------------------------

    def sample(self, n: int, rng: torch.Generator, number: int, average: nn.Module | None = None) -> Tensor:
        """(n, ...): row i is what generator i % k of the k that have joined makes of latent i // k.

        Where a running average of the generators is given, it makes them.
        """
        k = self.joined(number)
        z = torch.randn(math.ceil(n / k), self.generators.latent, generator=rng, device=rng.device)
        return (average or self.generators)(z, k).unflatten(0, (k, -1)).transpose(0, 1).flatten(0, 1)[:n]

    def score(self, x: Tensor, number: int) -> Tensor:
        """The mean score of the discriminators that tell the data from generators, (n,)."""
        k, pulls = self.joined(number), [force for force in self.forces if force.weight > 0]
        heads = [h for h, f in enumerate(pulls) if f.source == "real" and f.target in (POOL, *range(k))]
        return self.pulls(x)[:, heads].mean(1)

    def pull(self, x: Tensor, number: int) -> Tensor:
        """Where row i would move as generator i % k's, as in `sample`: minus its loss's gradient, (n, ...)."""
        k = self.joined(number)
        with torch.enable_grad():
            x, loss = x.requires_grad_(), 0.0
            owner = torch.arange(len(x), device=x.device) % k
            for net, rule, factor, duels in self.sides(k, x.device):
                row, entry = (owner[:, None] == duels.owners).nonzero(as_tuple=True)
                terms = torch.vmap(rule.generator)(net(x)[row, duels.judges[entry]][:, None])
                loss = loss + factor * k * (terms @ duels.weights[entry])
            return -torch.autograd.grad(loss, x)[0]


# ---- the game ---------------------------------------------------------------------------------------------


def game(
    generator: nn.Sequential,
    discriminator: nn.Sequential,
    data,
    forces: Iterable[Force],
    *,
    since: int | Sequence[int] = 0,
    alpha: float = 1.0,
    loss: str = "minimax",
    push: str = "same",
    batch_size: int = 64,
    lr: float | tuple[float, float] = 1e-3,
    betas: tuple[float, float] = (0.5, 0.9),
    optimizer: Callable | None = None,
    steps: int = 1,
    together: bool = True,
    ema: float | None = None,
    draw: Callable = _draw_anew,
    seed: int = 0,
    device: str | torch.device = "auto",
) -> Game:
    """P2GAN: discriminators of `steps` steps, then the generators that have joined.

    generator, discriminator    one of each, from which the others are made: generators share all but the first
             layer, discriminators of pulls all but the last, those of pushes likewise.  Both nets are moved.
    data     a source, or a dict of them, all of one shape, of which `real` is the primary one
    forces   `literal(k)`, `pooled(k)`, or any list of `Force`; forces of weight 0 are left out
    since    after how many turns each generator joins; a number n means 0, n, 2n, ...
    alpha    multiplies all pushes
    loss, push    names of losses (gantools.losses); see `Rules`
    batch_size    examples from each source and each generator
    lr, betas, optimizer    as in `gantools.game.gan`
    together True: one player moves all generators.  False: one player for each, in turn, as the paper has it
    ema      decay of a running average of the generators, from which samples then come; only together
    draw     how the copied layers are drawn, one after another: layer -> None; default PyTorch's own

    Sum of the equal alpha_i on a generator: alpha, for the ready-made forces.  ValueError if nets, sources and
    forces do not fit together.
    """
    sources = data if isinstance(data, Mapping) else {"real": data}
    forces = [Force(*force) for force in forces]
    since = _since(since, forces)
    _check_forces(forces, len(since), sources)
    forces = [force for force in forces if force.weight]
    for name in (loss, loss if push == "same" else push):
        losses.get(name)
    moves_d, moves_g = optimizers(lr, betas, optimizer)

    own = 1_000_003 * (seed + 1)  # far from seeds under which the two nets may have been drawn: no copy is equal
    generators = Generators(generator, len(since), draw, own)
    pushing = copy.deepcopy(discriminator)
    with nets.seeded(own + 1):
        pushing.apply(draw)
    counts = [sum((force.weight < 0) == against for force in forces) for against in (False, True)]
    pulls = Discriminators(discriminator, counts[0], draw, own + 2)
    pushes = Discriminators(pushing, counts[1], draw, own + 3) if counts[1] else None
    rules = Rules(generators, pulls, pushes, tuple(forces), since, loss, push, _weight("alpha", alpha))
    _trial(rules, sources)

    judges = [net for net in (pulls, pushes) if net is not None]
    players = [Player("discriminators", judges, rules.discriminator_loss, moves_d, steps)]
    if together:
        players += [Player("generators", generators, rules.generator_loss, moves_g, ema=ema)]
    elif ema is not None:
        raise ValueError("a running average is kept of generators that move together: leave `ema` out")
    else:
        for j, (first, turns) in enumerate(zip(generators.firsts, since, strict=True)):
            move = partial(rules.generator_loss, who=j)
            mine = [first, generators.trunk]
            players += [Player(f"generator {j + 1}", mine, move, moves_g, since=turns)]
    played = Game(
        players, sources, batch_size, seed, device,
        sample=lambda n, rng: rules.sample(n, rng, played.number, players[1].average),
        score=lambda x: rules.score(x, played.number),
        pull=lambda x: rules.pull(x, played.number),
        rules=rules,
    )  # fmt: skip
    return played


def _since(since: int | Sequence[int], forces: list[Force]) -> tuple[int, ...]:
    """After how many turns each generator joins."""
    if isinstance(since, int):
        named = [end for force in forces for end in force[:2] if isinstance(end, int)]
        since = [since * j for j in range(1 + max(named, default=0))]
    since = tuple(since)
    whole = all(isinstance(turns, int) and not isinstance(turns, bool) for turns in since)
    if not since or not whole or since[0] != 0 or any(a > b for a, b in pairwise(since)):
        raise ValueError(f"since must be numbers of turns that begin with 0 and never fall, not {list(since)}")
    return since


def _check_forces(forces: list[Force], k: int, sources: Mapping) -> None:
    """ValueError unless every force has both its ends, and every generator is pulled."""
    for force in forces:
        known = [*sources, *range(k)]
        if force.source not in known or isinstance(force.source, bool):
            raise ValueError(f"{force} comes from {force.source!r}, which is not there; there are {known}")
        if force.target not in [POOL, *range(k)] or isinstance(force.target, bool):
            raise ValueError(f"{force} acts on {force.target!r}; it must act on 'pool' or on one of {list(range(k))}")
        if force.source == force.target or (force.target == POOL and not isinstance(force.source, str)):
            raise ValueError(f"{force} lets a generator act on itself")
        if not isinstance(force.weight, int | float) or not math.isfinite(force.weight):
            raise ValueError(f"{force} needs a finite weight")
    pulled = {f.target for f in forces if f.weight > 0 and f.source == "real"}
    for j in range(k):
        if not pulled & {POOL, j}:
            raise ValueError(f"no force of positive weight pulls generator {j} to 'real': it would only flee")


@torch.no_grad()
def _trial(rules: Rules, sources: Mapping) -> None:
    """ValueError unless the nets fit together and all sources give examples of one shape."""
    shapes = {name: tuple(source.shape) for name, source in sources.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"all sources must give examples of one shape, not {shapes}")
    judges = [net for net in (rules.pulls, rules.pushes) if net is not None]
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for net in judges for module in net.modules()):
        raise ValueError("a discriminator here sees several sources in one batch: leave out batch normalisation")
    start = next(rules.generators.parameters())
    try:
        mode = rules.generators.training
        fake = rules.generators.eval()(torch.zeros(2, rules.generators.latent, device=start.device), 1)
        rules.generators.train(mode)
        judges[0](fake)
    except RuntimeError as error:
        raise ValueError(f"generator and discriminator do not fit together: {error}") from None
    if tuple(fake.shape[1:]) not in shapes.values():
        raise ValueError(f"the generator makes examples of shape {tuple(fake.shape[1:])}, the sources give {shapes}")

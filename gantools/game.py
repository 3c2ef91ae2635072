"""A game is a list of players; a turn lets each take its steps.

That is Algorithm 1 of Goodfellow et al. (2014), and with other lists of players it is every other
system of the book: a critic of five steps that clips its weights, a generator that owns Q as well,
many generators with discriminators that push and pull.

    game = gan(nets.mlp([2, 128, 128, 2]), nets.mlp([2, 128, 128, 1]), data.ring(8))
    for turn in game.turns(1000):
        ...  # turn.number, turn.losses: tensors, read (and waited for) only if you look
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from gantools import losses, storage

CHECKPOINT = 1  # version of the checkpoint's layout
LAG = 64  # losses that may wait on an accelerator before somebody looks whether they are finite


class Diverged(RuntimeError):
    """A player's loss became NaN or infinite."""


def resolve(device: str | torch.device = "auto") -> torch.device:
    """The device of that name; `auto` takes cuda, mps or cpu, whichever is there first."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    return torch.empty(0, device=device).device  # 'cuda' becomes 'cuda:0'


def place(net: nn.Module, device: torch.device) -> nn.Module:
    """The net, on that device."""
    return net.to(device) if any(parameter.device != device for parameter in net.parameters()) else net


def adam(lr: float, betas: tuple[float, float] = (0.5, 0.9)) -> Callable:
    """Fused Adam at that rate, for `Player(optimizer=...)`."""
    return lambda parameters: torch.optim.Adam(parameters, lr=_rate(lr), betas=betas, fused=True)


def rmsprop(lr: float, alpha: float = 0.99) -> Callable:
    """RMSprop at that rate, for `Player(optimizer=...)` and `gan(optimizer=...)`."""
    return lambda parameters: torch.optim.RMSprop(parameters, lr=_rate(lr), alpha=alpha, foreach=True)


def optimizers(lr, betas: tuple[float, float], optimizer: Callable | None = None) -> tuple[Callable, Callable]:
    """The discriminator's and the generator's, for `Player(optimizer=...)`.

    `lr` is one rate or (the discriminator's, the generator's); `optimizer`, rate -> optimiser, takes the place
    of Adam with `betas`.
    """
    rates = [_rate(rate) for rate in (lr if isinstance(lr, tuple) else (lr, lr))]
    return tuple(optimizer(rate) if optimizer else adam(rate, betas) for rate in rates)


def _rate(lr: float) -> float:
    if not (isinstance(lr, int | float) and math.isfinite(lr) and lr >= 0):
        raise ValueError(f"a learning rate must be a number that is not negative, not {lr!r}")
    return float(lr)


class Batch:
    """What a player is given for one step: data and noise, drawn when it first asks for them."""

    def __init__(self, data, size: int, rng: torch.Generator | None, device: torch.device, turn: int = 0, team=None):
        self.sources = data if isinstance(data, Mapping) else {"real": data}
        self.whole, self.rng, self.device, self.turn = size, rng, device, turn
        self.rows = team.rows(size) if team else slice(None)  # of the whole batch, this process's
        self.size = size // team.size if team else size
        self._drawn: dict[str, tuple] = {}

    def draw(self, source: str = "real") -> tuple[Tensor, Tensor | None]:
        """(x, labels) from that source: the same ones however often they are asked for in this step."""
        if source not in self._drawn:
            x, labels = self.sources[source].draw(self.whole, self.rng)
            self._drawn[source] = x[self.rows], labels if labels is None else labels[self.rows]
        return self._drawn[source]

    def deal(self, draw: Callable[[int], Tensor]) -> Tensor:
        """draw(m) of the whole batch, of which this process gets its rows: so all draw alike, and share."""
        return draw(self.whole)[self.rows]

    @property
    def real(self) -> Tensor:
        """m examples of the data, (m, ...)."""
        return self.draw()[0]

    @property
    def labels(self) -> Tensor | None:
        return self.draw()[1]

    def latent(self, dim: int) -> Tensor:
        """m new draws of noise from N(0, I), (m, dim)."""
        return self.deal(lambda m: torch.randn(m, dim, generator=self.rng, device=self.device))


@dataclass(eq=False)
class Player:
    """One side of the game.

    nets        the module(s) it owns and moves; a parameter may have more than one owner
    loss        batch -> scalar that it minimises; every other player's parameters are frozen meanwhile,
                so that nothing needs detaching
    optimizer   parameters -> torch optimiser
    steps       steps it takes in a turn
    after       called with the player after each of its steps (weight clipping, say)
    ema         decay of a running average of its nets, `player.average`, or None
    since       turns after which it joins: it is there from the start, and in every checkpoint, but takes no step
    """

    name: str
    nets: nn.Module | Iterable[nn.Module]
    loss: Callable[[Batch], Tensor]
    optimizer: Callable
    steps: int = 1
    after: Callable | None = None
    ema: float | None = None
    since: int = 0

    def __post_init__(self):
        if self.steps < 1:
            raise ValueError(f"the {self.name} must take at least one step a turn, not {self.steps}")
        if not isinstance(self.since, int) or self.since < 0:
            raise ValueError(f"the {self.name} joins after a whole number of turns, at least 0, not {self.since!r}")
        if self.ema is not None and not 0 <= self.ema < 1:
            raise ValueError(f"ema must lie in [0, 1), not {self.ema}")
        if not isinstance(self.nets, nn.Module):
            self.nets = nn.ModuleList(self.nets)
        self.parameters = list(self.nets.parameters())
        if not self.parameters:
            raise ValueError(f"the {self.name} owns no parameters: it cannot play")

    def seat(self, device: torch.device) -> None:
        """Bring the nets to the device and make what depends on where they are."""
        place(self.nets, device)
        self.optimizer = self.optimizer(self.parameters)
        self.average = None
        if self.ema is not None:
            self.average = AveragedModel(
                self.nets, multi_avg_fn=get_ema_multi_avg_fn(self.ema), use_buffers=True
            ).requires_grad_(False)

    @property
    def lr(self) -> float:
        """The learning rate; assign to change it while the game runs."""
        return self.optimizer.param_groups[0]["lr"]

    @lr.setter
    def lr(self, value: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = _rate(value)


@dataclass(slots=True)
class Turn:
    """What a turn leaves behind: its number and the last loss of each player that takes part, on the device."""

    number: int
    losses: dict[str, Tensor]


class Game:
    """Players around a source of data.

    data      a source (gantools.data), or a dict of them of which `real` is the main one
    seed      of the game's own random generator: same seed, same machine, same bits.  Nets that draw
              from the global state (dropout) are outside that promise.
    sample    (n, generator) -> generated points or images;  score  x -> discriminator scores (n,);
    pull      x -> the direction in which the generator's loss moves x, (n, d).  All three serve pictures
              and metrics and never touch the game's random state.
    rules     an object whose fields are numbers and names that the losses read and that may change
              while the game runs; they are kept in checkpoints

    `team` may be set to a gantools.team.Team: several processes then play one game, each a part of every batch.
    """

    def __init__(
        self,
        players: Iterable[Player],
        data,
        batch_size: int,
        seed: int = 0,
        device: str | torch.device = "auto",
        *,
        sample: Callable | None = None,
        score: Callable | None = None,
        pull: Callable | None = None,
        rules=None,
    ):
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"batch_size must be a positive whole number, not {batch_size!r}")
        self.players = list(players)
        names = [player.name for player in self.players]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"a game needs players with different names, not {names}")
        self.device = resolve(device)
        many = data if isinstance(data, Mapping) else {"real": data}
        self.data = {name: source.to(self.device) for name, source in many.items()}
        self.batch_size, self.seed, self.number, self.rules = batch_size, seed, 0, rules
        self._sample, self._score, self._pull = sample, score, pull
        self.team = None
        for player in self.players:
            player.seat(self.device)
        self._all = [parameter for player in self.players for parameter in player.parameters]
        owned = [net for player in self.players for net in (player.nets, player.average) if net is not None]
        self._buffers = [buffer for net in owned for buffer in net.buffers()]
        self._waiting: list[tuple[int, str, Tensor]] = []
        self.lag = 1 if self.device.type == "cpu" else LAG
        self._moving: Player | None = None

    @cached_property
    def rng(self) -> torch.Generator:
        return torch.Generator(self.device).manual_seed(self.seed)

    def player(self, name: str) -> Player:
        for player in self.players:
            if player.name == name:
                return player
        raise ValueError(f"no player is named {name!r}; there are {', '.join(p.name for p in self.players)}")

    # Algorithm 1 ------------------------------------------------------------------------------------

    def turns(self, n: int) -> Iterator[Turn]:
        """Play n rounds, handing over a Turn after each."""
        if not isinstance(n, int) or n < 1:
            raise ValueError(f"the number of turns must be a positive whole number, not {n!r}")
        return (self.turn() for _ in range(n))

    def turn(self) -> Turn:
        """One round of Algorithm 1."""
        self.number += 1
        last = {}
        for player in self.players:
            for _ in range(player.steps if self.number > player.since else 0):
                last[player.name] = self._step(player)
        return Turn(self.number, last)

    def _step(self, player: Player) -> Tensor:
        """Sample a minibatch, descend the player's stochastic gradient once."""
        self._let_move(player)
        batch = Batch(self.data, self.batch_size, self.rng, self.device, self.number, self.team)
        loss = player.loss(batch)
        self._watch(player, loss)
        for parameter in player.parameters:
            parameter.grad = None
        loss.backward()
        if self.team:
            loss = self.team.average(loss, player.parameters)
        player.optimizer.step()
        if player.after:
            player.after(player)
        if player.average is not None:
            player.average.update_parameters(player.nets)
        return loss.detach()

    # end of Algorithm 1 -----------------------------------------------------------------------------

    def run(self, n: int) -> Turn:
        """Play n rounds and return the last Turn."""
        for turn in self.turns(n):
            pass
        self.check()
        return turn

    def _let_move(self, player: Player) -> None:
        """Freeze every parameter but the player's: no graph, no gradient for the opponents."""
        if self._moving is not player:
            for parameter in self._all:
                parameter.requires_grad_(False)
            for parameter in player.parameters:
                parameter.requires_grad_(True)
            self._moving = player

    def _watch(self, player: Player, loss: Tensor) -> None:
        """Note a loss; look at once where looking is free, else at `lag` of them together."""
        self._waiting.append((self.number, player.name, loss.detach()))
        if len(self._waiting) >= self.lag:
            self.check()

    def check(self) -> None:
        """Raise Diverged if a loss since the last look was not finite."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            values = torch.stack([loss for _, _, loss in waiting]).tolist()
            for (number, name, _), value in zip(waiting, values, strict=True):
                if not math.isfinite(value):
                    whose = f"{name}'" if name.endswith("s") else f"{name}'s"
                    raise Diverged(
                        f"turn {number}: the {whose} loss is {value}. The game has diverged: go back to a "
                        "checkpoint, or start again with a lower learning rate or a penalty"
                    )

    # looking at the game ----------------------------------------------------------------------------

    @contextmanager
    def _looking(self) -> Iterator[None]:
        """What nets note down as they are used (batch statistics, power iterations) is put back."""
        kept = [buffer.clone() for buffer in self._buffers]
        try:
            yield
        finally:
            for buffer, value in zip(self._buffers, kept, strict=True):
                buffer.copy_(value)

    def sample(self, n: int, seed: int = 0) -> Tensor:
        """n generated points (n, d) or images (n, C, H, W); one seed always means the same latents."""
        if self._sample is None:
            raise ValueError("this game has no `sample`: give Game(sample=...) to look at what it generates")
        with torch.no_grad(), self._looking():
            return self._sample(n, torch.Generator(self.device).manual_seed(seed))

    def real(self, n: int, seed: int = 0) -> Tensor:
        """n examples of the data for pictures and metrics; the game's own random state stays as it is."""
        return self.data["real"].draw(n, torch.Generator(self.device).manual_seed(seed))[0]

    def score(self, x: Tensor) -> Tensor:
        """The discriminator's scores of x, (n,)."""
        if self._score is None:
            raise ValueError("this game has no `score`: give Game(score=...) to look at its discriminator")
        with torch.no_grad(), self._looking():
            return self._score(x.to(self.device)).flatten()

    def pull(self, x: Tensor) -> Tensor:
        """Minus the gradient of the generator's loss for each x, same shape as x."""
        if self._pull is None:
            raise ValueError("this game has no `pull`: give Game(pull=...) to see where its generator is drawn")
        with self._looking():
            return self._pull(x.detach().to(self.device)).detach()

    # checkpoints ------------------------------------------------------------------------------------

    def state(self) -> dict:
        """Everything the next turn depends on, copied: {'tensors': ..., 'about': ...}."""
        self.check()
        tensors, about = {"rng": self.rng.get_state()}, {"number": self.number, "players": {}}
        for player in self.players:
            for kind, module in (("net", player.nets), ("average", player.average)):
                for key, value in module.state_dict().items() if module is not None else ():
                    tensors[f"{player.name}/{kind}/{key}"] = value.detach().clone()
            kept = player.optimizer.state_dict()
            for index, slots in kept["state"].items():
                for slot, value in slots.items():
                    if value is not None:
                        tensors[f"{player.name}/optimizer/{index}/{slot}"] = torch.as_tensor(value).clone()
            about["players"][player.name] = {"steps": player.steps, "groups": kept["param_groups"]}
        about["rules"] = self._settings()
        return {"tensors": tensors, "about": about}

    def _settings(self) -> dict:
        """The rules' fields that are numbers or names."""
        if self.rules is None:
            return {}
        found = {f.name: getattr(self.rules, f.name) for f in fields(self.rules)}
        return {name: value for name, value in found.items() if isinstance(value, int | float | str)}

    def restore(self, state: dict) -> None:
        """Go back to a `state()` of this game, or of one built the same way."""
        tensors, about = state["tensors"], state["about"]
        mine = self.state()
        self._compare(mine, tensors, about)
        for player in self.players:
            kept = about["players"][player.name]
            for kind, module in (("net", player.nets), ("average", player.average)):
                if module is not None:
                    module.load_state_dict(_below(tensors, f"{player.name}/{kind}/"))
            slots: dict[int, dict] = {}
            for key, value in _below(tensors, f"{player.name}/optimizer/").items():
                index, slot = key.split("/")
                slots.setdefault(int(index), {})[slot] = value.clone()
            groups = [{k: tuple(v) if k == "betas" else v for k, v in g.items()} for g in kept["groups"]]
            player.optimizer.load_state_dict({"state": slots, "param_groups": groups})
            player.steps = kept["steps"]
        for name, value in about["rules"].items():
            setattr(self.rules, name, value)
        self.rng.set_state(tensors["rng"].cpu())
        self.number, self._waiting = about["number"], []

    def _compare(self, mine: dict, tensors: dict, about: dict) -> None:
        """ValueError unless the state is of a game with these players, nets and shapes."""
        if list(mine["about"]["players"]) != list(about["players"]):
            raise ValueError(
                f"this state is of a game of {', '.join(about['players'])}, not of "
                f"{', '.join(mine['about']['players'])}"
            )
        if mine["about"]["rules"].keys() != about["rules"].keys():
            raise ValueError(f"this state has the rules {sorted(about['rules'])}: it is of another game")
        ours, theirs = _outline(mine["tensors"], mine["about"]), _outline(tensors, about)
        for key in sorted(ours.keys() | theirs.keys()):
            if ours.get(key) != theirs.get(key):
                raise ValueError(
                    f"this state does not fit the game: {key} is {theirs.get(key, 'missing')} there and "
                    f"{ours.get(key, 'missing')} here"
                )

    def save(self, path) -> None:
        """Write a checkpoint that resumes to the bit: safetensors with a JSON description."""
        state = self.state()
        storage.write(path, "checkpoint", CHECKPOINT, state["tensors"], state["about"])

    def load(self, path) -> None:
        """Resume from a checkpoint of a game built the same way; ValueError leaves the game as it was."""
        tensors, about = storage.read(path, "checkpoint", CHECKPOINT)
        self.restore({"tensors": tensors, "about": about})


def _outline(tensors: dict, about: dict) -> dict:
    """What must agree for a state to fit: the shapes of nets and averages, the kind of each optimiser."""
    outline = {key: tuple(value.shape) for key, value in tensors.items() if "/optimizer/" not in key}
    for name, kept in about["players"].items():
        outline[f"{name}/optimizer"] = [(sorted(group), len(group["params"])) for group in kept["groups"]]
    return outline


def _below(tensors: dict, prefix: str) -> dict:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


# the two-player game --------------------------------------------------------------------------------


@dataclass(eq=False)
class Rules:
    """The two-player game: the generator is drawn to where the discriminator sees data.

    loss     name of the loss (gantools.losses)
    noise    standard deviation of the instance noise on real and generated samples alike
    penalty  (discriminator, real, fake, batch) -> scalar added to the discriminator's loss, or None; what it
             draws comes from the batch, the game's own generator
    """

    generator: nn.Module
    discriminator: nn.Module
    latent: int
    loss: str = "nonsaturating"
    noise: float = 0.0
    penalty: Callable | None = None

    def discriminator_loss(self, batch: Batch) -> Tensor:
        real = self.noised(batch.real, batch)
        fake = self.noised(self.generator(batch.latent(self.latent)), batch)
        score_real, score_fake = self.scores(real, fake)
        loss = losses.get(self.loss).discriminator(score_real, score_fake)
        return loss + self.penalty(self.discriminator, real, fake, batch) if self.penalty else loss

    def generator_loss(self, batch: Batch) -> Tensor:
        fake = self.noised(self.generator(batch.latent(self.latent)), batch)
        return losses.get(self.loss).generator(self.discriminator(fake))

    def noised(self, x: Tensor, batch: Batch) -> Tensor:
        """x + noise N(0, I); x itself without noise."""
        if not self.noise:
            return x
        extra = batch.deal(lambda m: torch.randn(m, *x.shape[1:], generator=batch.rng, device=x.device))
        return torch.add(x, extra, alpha=self.noise)

    @cached_property
    def couples(self) -> bool:
        """Whether the discriminator's layers mix the samples of a batch (batch statistics)."""
        return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in self.discriminator.modules())

    def scores(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Both scores, in one pass where that is the same."""
        if self.couples:
            return self.discriminator(real), self.discriminator(fake)
        return self.discriminator(torch.cat([real, fake])).split([len(real), len(fake)])

    def pull(self, x: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.requires_grad_()
            loss = len(x) * losses.get(self.loss).generator(self.discriminator(x))  # n x mean = sum over samples
            return -torch.autograd.grad(loss, x)[0]


@torch.no_grad()
def _trial(rules: Rules, source) -> None:
    """ValueError unless latents, generator, data and discriminator fit together."""
    nets = (rules.generator, rules.discriminator)
    modes = [net.training for net in nets]
    try:
        start = next(nets[0].parameters())
        fake = nets[0].eval()(torch.zeros(2, rules.latent, device=start.device, dtype=start.dtype))
        scores = nets[1].eval()(fake)
    except RuntimeError as error:
        raise ValueError(f"the nets do not fit together at latent={rules.latent}: {error}") from None
    finally:
        for net, mode in zip(nets, modes, strict=True):
            net.train(mode)
    if tuple(fake.shape[1:]) != tuple(source.shape):
        raise ValueError(
            f"the generator makes examples of shape {tuple(fake.shape[1:])}, the data have {tuple(source.shape)}"
        )
    if scores.numel() != 2:
        raise ValueError(f"the discriminator gives {tuple(scores.shape[1:])} numbers an example; it must give one score")


def gan(
    generator: nn.Module,
    discriminator: nn.Module,
    data,
    loss: str = "nonsaturating",
    *,
    latent: int = 2,
    batch_size: int = 256,
    lr: float | tuple[float, float] = 1e-3,
    betas: tuple[float, float] = (0.5, 0.9),
    optimizer: Callable | None = None,
    steps: int = 1,
    noise: float = 0.0,
    penalty: Callable | None = None,
    after: Callable | None = None,
    ema: float | None = None,
    seed: int = 0,
    device: str | torch.device = "auto",
) -> Game:
    """The game of Goodfellow et al. (2014): a discriminator of `steps` steps, then a generator of one.

    `lr` is one rate or (the discriminator's, the generator's); `optimizer`, rate -> optimiser (`rmsprop`,
    say), takes the place of Adam with `betas`; `after` is called after each step of the discriminator; with
    `ema`, samples come from the generator's running average.
    """
    losses.get(loss)
    if not noise >= 0 or not math.isfinite(noise):
        raise ValueError(f"noise is a standard deviation: it cannot be {noise!r}")
    rules = Rules(generator, discriminator, latent, loss, noise, penalty)
    moves_d, moves_g = optimizers(lr, betas, optimizer)
    players = [
        Player("discriminator", discriminator, rules.discriminator_loss, moves_d, steps, after),
        Player("generator", generator, rules.generator_loss, moves_g, ema=ema),
    ]

    _trial(rules, data["real"] if isinstance(data, Mapping) else data)

    def sample(n: int, rng: torch.Generator) -> Tensor:
        average = players[1].average
        net = generator if average is None else average
        return net(torch.randn(n, latent, generator=rng, device=rng.device))

    return Game(
        players, data, batch_size, seed, device,
        sample=sample, score=discriminator, pull=rules.pull, rules=rules,
    )  # fmt: skip

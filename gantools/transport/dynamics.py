"""The Dirac-GAN: two numbers that show what a game does near its equilibrium.

The data are a point mass at 0, the generator a point mass at theta, the discriminator is D(x) = psi x; the
only equilibrium is theta = psi = 0.  Everything here is about x = (theta, psi), arrays of shape (..., 2).

    fields        DiracGAN: the vector field of each game, its Jacobian and eigenvalues at the equilibrium
    integrators   trajectory (gradient steps, simultaneous or in turn), flow (continuous time)
    steps         update_matrix, spectral_radius, verdict: what a step does to small deviations
    games         dirac_game: the same thing played by gantools.game with plain gradient descent (sgd_game);
                  bell_run: two small nets in its place
    drawing       phase_portrait

Sources: Mescheder, Nowozin and Geiger (2017), *The numerics of GANs*; Mescheder, Geiger and Nowozin (2018),
*Which training methods for GANs do actually converge?* (there the sign of psi is the opposite one).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.special import expit
from torch import Tensor, nn

from gantools import data, figures, losses, nets, penalties
from gantools.game import Batch, Game, Rules, gan

__all__ = [
    "DIRAC_LOSSES",
    "DIRAC_METHODS",
    "DiracGAN",
    "bell_run",
    "dirac_game",
    "flow",
    "phase_portrait",
    "sgd_game",
    "spectral_radius",
    "trajectory",
    "update_matrix",
    "verdict",
]

DIRAC_LOSSES = ("minimax", "nonsaturating", "wasserstein")
DIRAC_METHODS = ("none", "clip", "gp", "r1", "noise", "consensus")

# E f(xi), xi ~ N(0, 1), as one weighted sum: the trapezoidal rule, exact to many digits for analytic f
_XI = np.linspace(-8.4, 8.4, 141)
_WEIGHT = np.exp(-(_XI**2) / 2)
_WEIGHT /= _WEIGHT.sum()


# ---- fields -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DiracGAN:
    """A game between theta and psi.

    loss      'minimax', 'nonsaturating' or 'wasserstein', as in gantools.losses
    method    what is done about convergence, with its strength:
              'none'
              'clip'       after each of its steps psi goes back into [-strength, strength]
              'gp'         strength * (|psi| - 1)^2 in the discriminator's loss: WGAN-GP's penalty
              'r1'         strength / 2 * psi^2 in the discriminator's loss; R2 is the same here
              'noise'      N(0, strength^2) on what the discriminator sees, real and generated; in expectation
              'consensus'  strength / 2 * |v|^2 in the losses of both, v the field of the game without it
    strength  not negative, and positive for 'clip'

    Raises ValueError for unknown names and bad strengths.
    """

    loss: str = "wasserstein"
    method: str = "none"
    strength: float = 0.0

    def __post_init__(self):
        for what, name, names in (("loss", self.loss, DIRAC_LOSSES), ("method", self.method, DIRAC_METHODS)):
            if name not in names:
                raise ValueError(f"there is no {what} {name!r} here; choose one of {', '.join(names)}")
        if not (self.strength >= 0 and math.isfinite(self.strength)):
            raise ValueError(f"the strength must be a number that is not negative, not {self.strength!r}")
        if self.method == "clip" and self.strength == 0:
            raise ValueError("a clipping bound of 0 leaves no discriminator: give a positive strength")

    # the slopes of the losses, at score s of the generated point

    def _lift(self, s):
        """Minus the derivative of the generator's loss."""
        if self.loss == "wasserstein":
            return 0 * s + 1.0
        return expit(-s if self.loss == "nonsaturating" else s)

    def _press(self, s):
        """The derivative of the discriminator's loss on generated points; on real ones it is -press(-s)."""
        return 0 * s + 1.0 if self.loss == "wasserstein" else expit(s)

    def _bend(self, s):
        """d press / ds; d lift / ds is the same, with the other sign for the non-saturating loss."""
        return 0 * s if self.loss == "wasserstein" else expit(s) * expit(-s)

    # the field

    def generator(self, theta: ArrayLike, psi: ArrayLike) -> np.ndarray:
        """d theta / dt: minus the gradient of the generator's loss."""
        theta, psi = np.asarray(theta, float), np.asarray(psi, float)
        if self.method == "noise":
            return psi * (self._lift(psi[..., None] * self._noised(theta)) @ _WEIGHT)
        if self.method == "consensus":
            return self._consensus(theta, psi)[0]
        return psi * self._lift(theta * psi)

    def discriminator(self, theta: ArrayLike, psi: ArrayLike) -> np.ndarray:
        """d psi / dt: minus the gradient of the discriminator's loss, penalty included."""
        theta, psi = np.asarray(theta, float), np.asarray(psi, float)
        if self.method == "noise":
            fake, real = self._noised(theta), self._noised(np.zeros_like(theta))  # (..., nodes)
            slope = psi[..., None]
            return (real * self._press(-slope * real) - fake * self._press(slope * fake)) @ _WEIGHT
        if self.method == "consensus":
            return self._consensus(theta, psi)[1]
        push = -theta * self._press(theta * psi)
        if self.method == "r1":
            push = push - self.strength * psi
        if self.method == "gp":
            push = push - 2 * self.strength * (np.abs(psi) - 1) * np.sign(psi)
        return push

    def _noised(self, x: np.ndarray) -> np.ndarray:
        return x[..., None] + self.strength * _XI

    def _consensus(self, theta: np.ndarray, psi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """v - strength * grad |v|^2 / 2 = v - strength * J' v, J the Jacobian of v where we stand."""
        s = theta * psi
        lift, press, bend = self._lift(s), self._press(s), self._bend(s)
        turned = -bend if self.loss == "nonsaturating" else bend
        v = psi * lift, -theta * press
        rows = ((psi**2 * turned, lift + s * turned), (-press - s * bend, -(theta**2) * bend))
        return tuple(v[k] - self.strength * (rows[0][k] * v[0] + rows[1][k] * v[1]) for k in (0, 1))

    def project(self, psi: ArrayLike) -> np.ndarray:
        """Where clipping puts psi; psi itself under the other methods."""
        return np.minimum(np.maximum(psi, -self.strength), self.strength) if self.method == "clip" else psi

    def field(self, x: ArrayLike) -> np.ndarray:
        """(d theta, d psi) / dt at x: (..., 2) -> (..., 2)."""
        return self._both(np.stack(_points(x), -1))

    def _both(self, x: np.ndarray) -> np.ndarray:
        theta, psi = x[..., 0], x[..., 1]
        return np.stack([self.generator(theta, psi), self.discriminator(theta, psi)], -1)

    # the equilibrium

    @property
    def turning(self) -> float:
        """c, the angular speed at the equilibrium: 1/2 for the losses with a sigmoid, 1 for Wasserstein's."""
        return float(self._press(0.0))

    def jacobian(self) -> np.ndarray:
        """The field's Jacobian at (0, 0), (2, 2); within the border, for clipping.

        Raises ValueError for the gradient penalty, whose field jumps at psi = 0.
        """
        c, strength = self.turning, self.strength
        if self.method == "gp":
            raise ValueError("the gradient penalty's field jumps at psi = 0: it has no Jacobian there")
        damping = {"r1": strength, "noise": 2 * strength**2 * float(self._bend(0.0))}.get(self.method, 0.0)
        both = strength * c**2 if self.method == "consensus" else 0.0
        return np.array([[-both, c], [-c, -both - damping]])

    def eigenvalues(self) -> np.ndarray:
        """Both eigenvalues of the Jacobian, complex: first the one turning (or else lying) higher."""
        return _eigenvalues(self.jacobian())


def _points(x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x = np.asarray(x, dtype=float)
    if x.ndim < 1 or x.shape[-1] != 2 or not np.isfinite(x).all():
        raise ValueError("a position is (theta, psi): finite numbers in an array of shape (..., 2)")
    return x[..., 0], x[..., 1]


def _eigenvalues(matrix: np.ndarray) -> np.ndarray:
    """trace/2 +- sqrt(trace^2/4 - det), the sum under the root free of cancellation."""
    (a, b), (c, d) = matrix
    root = np.sqrt(complex((a - d) ** 2 / 4 + b * c))
    return (a + d) / 2 + np.array([root, -root])


# ---- integrators ------------------------------------------------------------------------------------------


def trajectory(
    game: DiracGAN, start: ArrayLike, h: float, turns: int, alternating: bool = False, steps: int = 1
) -> np.ndarray:
    """Gradient steps of size h from `start`, (..., 2): an array (turns + 1, ..., 2).

    Simultaneous: both move by h times the field where they stand.  Alternating, as Algorithm 1 has it: the
    discriminator takes `steps` steps, then the generator one, against the new discriminator.  A run that
    overflows goes on as infinity or nan.  Raises ValueError for a bad start, step size or number.
    """
    theta, psi = _points(start)
    h, steps = _settings(h, alternating, steps)
    if isinstance(turns, bool) or not isinstance(turns, int | np.integer) or turns < 1:
        raise ValueError(f"turns must be a positive whole number, not {turns!r}")
    path = np.empty((turns + 1, *theta.shape, 2))
    path[0, ..., 0], path[0, ..., 1] = theta, psi
    with np.errstate(over="ignore", invalid="ignore"):
        for turn in range(1, turns + 1):
            if alternating:
                for _ in range(steps):
                    psi = game.project(psi + h * game.discriminator(theta, psi))
                theta = theta + h * game.generator(theta, psi)
            else:
                move = h * game.generator(theta, psi)
                psi = game.project(psi + h * game.discriminator(theta, psi))
                theta = theta + move
            path[turn, ..., 0], path[turn, ..., 1] = theta, psi
    return path


def flow(game: DiracGAN, start: ArrayLike, time: float, pieces: int) -> np.ndarray:
    """The game in continuous time, x' = field(x), from `start`, (..., 2): an array (pieces + 1, ..., 2).

    At equal times, by Runge and Kutta's method of order 4, one step a piece; clipping acts after each.
    Raises ValueError for a bad start, time or number of pieces.
    """
    x = np.stack(_points(start), -1)
    if not (time > 0 and math.isfinite(time)) or not isinstance(pieces, int) or pieces < 1:
        raise ValueError(f"time and the number of pieces must be positive, not {time!r} and {pieces!r}")
    dt, path = time / pieces, [x]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(pieces):
            a = game._both(x)
            b = game._both(x + dt / 2 * a)
            c = game._both(x + dt / 2 * b)
            x = x + dt / 6 * (a + 2 * b + 2 * c + game._both(x + dt * c))
            x[..., 1] = game.project(x[..., 1])
            path.append(x)
    return np.stack(path)


# ---- what a step does to small deviations -----------------------------------------------------------------


def _settings(h: float, alternating: bool, steps: int) -> tuple[float, int]:
    if not (h > 0 and math.isfinite(h)):
        raise ValueError(f"the step size h must be a positive number, not {h!r}")
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise ValueError(f"the discriminator's steps must be a positive whole number, not {steps!r}")
    if steps > 1 and not alternating:
        raise ValueError("players who move at once take one step each: several steps need alternating=True")
    return float(h), int(steps)


def update_matrix(game: DiracGAN, h: float, alternating: bool = False, steps: int = 1) -> np.ndarray:
    """The linear part of one turn at the equilibrium, (2, 2): deviations (theta, psi) are multiplied by it.

    Simultaneous I + h J; alternating (I + h J_generator) (I + h J_discriminator)^steps, where each factor
    moves one coordinate.  Raises ValueError where `DiracGAN.jacobian` and `trajectory` do.
    """
    h, steps = _settings(h, alternating, steps)
    step = h * game.jacobian()
    if not alternating:
        return np.eye(2) + step
    discriminator, generator = np.eye(2), np.eye(2)
    generator[0] += step[0]
    discriminator[1] += step[1]
    return generator @ np.linalg.matrix_power(discriminator, steps)


def spectral_radius(game: DiracGAN, h: float, alternating: bool = False, steps: int = 1) -> float:
    """The factor by which small deviations grow or shrink a turn, in the long run."""
    return float(np.abs(_eigenvalues(update_matrix(game, h, alternating, steps))).max())


def verdict(game: DiracGAN, h: float, alternating: bool = False, steps: int = 1) -> str:
    """What a neighbourhood of the equilibrium knows of a turn, by its linear part.

    'attracts'   spectral radius below 1: runs from near by converge, at that rate
    'repels'     above 1: they do not, but from a set of measure zero at most
    'undecided'  equal to 1 (to rounding): higher orders decide
    'jumps'      the field is discontinuous at the equilibrium (gradient penalty)
    """
    if game.method == "gp" and game.strength > 0:
        _settings(h, alternating, steps)
        return "jumps"
    radius = spectral_radius(game, h, alternating, steps)
    return "undecided" if abs(radius - 1) < 1e-12 else "attracts" if radius < 1 else "repels"


# ---- the same played as a game ----------------------------------------------------------------------------


class PointGenerator(nn.Module):
    """The generator whose every sample is theta: (n, any) -> (n, 1), float64."""

    def __init__(self, theta: float):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(float(theta), dtype=torch.float64))

    def forward(self, z: Tensor) -> Tensor:
        return self.theta.expand(len(z), 1)


class SlopeDiscriminator(nn.Module):
    """D(x) = psi x: (n, 1) -> (n, 1), float64."""

    def __init__(self, psi: float):
        super().__init__()
        self.psi = nn.Parameter(torch.tensor(float(psi), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.psi * x


@dataclass(frozen=True)
class Origin(data.Source):
    """The data of the Dirac-GAN: every example is 0."""

    device: torch.device = torch.device("cpu")
    shape: tuple[int] = (1,)

    def draw(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, None]:
        return torch.zeros(n, 1, dtype=torch.float64, device=self.device), None

    def to(self, device) -> "Origin":
        return Origin(torch.device(device))


def sgd_game(generator: nn.Module, discriminator: nn.Module, source, loss: str, lr: float, **settings) -> Game:
    """`game.gan` with plain gradient descent, without momentum, for both players; on the CPU, latent 1."""
    settings = {"latent": 1, "device": "cpu"} | settings
    return gan(generator, discriminator, source, loss, lr=lr, optimizer=_descent, **settings)


class BellRun(NamedTuple):
    """The second half of a run."""

    wander: float  # standard deviation over the turns of the mean of what is generated
    w1: float  # average over the turns of W1 to the data


def bell_run(loss: str, gamma: float, seed: int = 0, turns: int = 800) -> BellRun:
    """Do nets behave like the Dirac-GAN?  A game for the bell N(1, 1/4), with R1 of weight gamma >= 0.

    Generator and discriminator have one hidden layer of 16 tanh; plain gradient descent of step 0.1 for
    both, batches of 128.  What is generated is looked at through 101 quantiles of the latent; W1 on the line
    is the mean distance of quantiles.  Raises ValueError for an unknown loss, gamma below 0, turns below 2.
    """
    if isinstance(turns, bool) or not isinstance(turns, int) or turns < 2:
        raise ValueError(f"turns must be a whole number, 2 at least, not {turns!r}")
    generator, discriminator = (nets.mlp([1, 16, 1], "tanh", seed=k) for k in (seed, seed + 100))
    penalty = penalties.r1(gamma) if gamma else None
    game = sgd_game(generator, discriminator, data.normal(1.0, 0.5), loss, 0.1,
                    batch_size=128, penalty=penalty, seed=seed)  # fmt: skip
    levels = (torch.arange(101, dtype=torch.float64) + 0.5) / 101
    latent = torch.special.ndtri(levels)  # (101,)
    real, means, distances = 1 + 0.5 * latent, [], []
    for turn in game.turns(turns):
        if turn.number > turns // 2:
            with torch.no_grad():
                fake = generator(latent.float()[:, None]).flatten().sort().values  # (101,)
            means.append(fake.mean().item())
            distances.append((fake - real).abs().mean().item())
    return BellRun(float(np.std(means)), float(np.mean(distances)))


def _descent(lr: float) -> Callable:
    return lambda parameters: torch.optim.SGD(parameters, lr=lr)


def dirac_game(game: DiracGAN, start: ArrayLike, h: float, steps: int = 1, batch_size: int = 1) -> Game:
    """The Dirac-GAN as a Game with the book's own losses and penalties, in float64: its turns alternate.

    `batch_size` matters for 'noise' alone, whose samples it counts: there the field is only the expectation
    of a step.  `generator.theta` and `discriminator.psi` of `rules` are the position.
    """
    theta, psi = _points(start)
    if theta.ndim:
        raise ValueError("a game starts at one position (theta, psi)")
    generator, discriminator = PointGenerator(theta), SlopeDiscriminator(psi)
    terms = {"gp": penalties.gradient, "r1": penalties.r1}
    played = sgd_game(
        generator, discriminator, Origin(), game.loss, h, steps=steps, batch_size=batch_size,
        noise=game.strength if game.method == "noise" else 0.0,
        penalty=terms[game.method](game.strength) if game.method in terms else None,
        after=penalties.clip(game.strength) if game.method == "clip" else None,
    )  # fmt: skip
    if game.method == "consensus":
        for player in played.players:
            player.loss = _agreeing(player.loss, played.rules, game.strength)
    return played


def _agreeing(loss: Callable, rules: Rules, strength: float) -> Callable:
    """The loss plus strength/2 |v|^2, v the gradients of both players' losses where they stand."""

    def agreeing(batch: Batch) -> Tensor:
        nets = rules.generator, rules.discriminator
        names = {"theta": nets[0].theta, "psi": nets[1].psi}
        theta, psi = (p if p.requires_grad else p.detach().requires_grad_() for p in names.values())
        score = (theta * psi).reshape(1)
        kind = losses.get(rules.loss)
        ours, theirs = kind.generator(score), kind.discriminator(torch.zeros_like(score), score)
        (a,) = torch.autograd.grad(ours, theta, create_graph=True)
        (b,) = torch.autograd.grad(theirs, psi, create_graph=True)
        return loss(batch) + strength / 2 * (a**2 + b**2)

    return agreeing


# ---- drawing ----------------------------------------------------------------------------------------------


def phase_portrait(axes, game: DiracGAN, paths: ArrayLike = (), reach: float = 2.0, title: str = "") -> None:
    """Arrows of the field's direction on [-reach, reach]^2 and, over them, paths of shape (n, 2)."""
    side = np.linspace(-0.9, 0.9, 11) * reach
    grid = np.stack(np.meshgrid(side, side), -1)  # (11, 11, 2)
    v = game.field(grid)
    v = v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)
    axes.quiver(*np.moveaxis(grid, -1, 0), *np.moveaxis(v, -1, 0), color=figures.COLOURS["grid"],
                angles="xy", scale=17, width=0.006)  # fmt: skip
    for role, path in zip(("generated", "discriminator"), paths, strict=False):
        axes.plot(*np.asarray(path).T, color=figures.COLOURS[role], linewidth=1.3)
        axes.plot(*path[0], "o", color=figures.COLOURS[role], markersize=4)
    axes.plot(0, 0, "+", color=figures.COLOURS["ink"], markersize=9)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title=title)
    axes.set(xlabel=r"$\theta$", ylabel=r"$\psi$")

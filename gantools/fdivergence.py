"""f-divergences in numbers: the bound, what a generator feels of it, and one Gaussian for two bumps.

A law is a frozen scipy.stats distribution with a density on the line or a `divergences.mixture` of them; p is
the data, q the generator's law, u = p/q.  `name` is one of `divergences.F_DIVERGENCES`.  Values are in
nats (for Pearson, Hellinger and total variation: pure numbers).
Sources: Nowozin, Cseke and Tomioka (2016); Nguyen, Wainwright and Jordan (2010); document 002, section 2.
"""

import copy
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import optimize, stats
from torch import Tensor, nn

from gantools import data, divergences, nets
from gantools.divergences import f_divergence
from gantools.game import Game, gan

# ---- the variational bound --------------------------------------------------------------------------------


def by_definition(name: str, p: Any, q: Any) -> float:
    """D_f(p||q) = E_q f(p/q) by quadrature of the definition itself, for laws that charge the same sets."""
    f = f_divergence(name).f
    return divergences.expectation(lambda x: f(_ratio(p, q, x)), q, p)


def optimal_critic(name: str, p: Any, q: Any) -> Callable[[np.ndarray], np.ndarray]:
    """T*(x) = f'(p(x)/q(x)), as a function of arrays: the critic for which the bound is tight (MATH E.2)."""
    derivative = f_divergence(name).derivative
    return lambda x: derivative(_ratio(p, q, x))


def bound(name: str, critic: Callable, p: Any, q: Any, loose: bool = False) -> float:
    """E_p T - E_q f*(T) by quadrature, at most D_f(p||q) for any critic; -inf if T leaves dom f* under q.

    critic: array of points (n,) -> array (n,) of values T.  `loose` takes the conjugate that tables print,
    which for Pearson and total variation gives a lower bound.  (MATH E.2)
    """
    row = f_divergence(name)
    conjugate = row.loose_conjugate if loose else row.conjugate
    real = divergences.expectation(critic, p, q)
    return real - divergences.expectation(lambda x: conjugate(critic(x)), q, p)


def score_bound(name: str, score: Callable, p: Any, q: Any) -> float:
    """The bound of the critic T = g_f(v), from its scores v: what an f-GAN's network is worth.

    score: array of points (n,) -> array (n,) of any real numbers.
    """
    row = f_divergence(name)
    real = divergences.expectation(lambda x: row.activation(score(x)), p, q)
    return real - divergences.expectation(lambda x: row.fake_term(score(x)), q, p)


class Affine(NamedTuple):
    """The best critic of the form g_f(shift + slope x), and the bound that it reaches."""

    shift: float
    slope: float
    value: float


def best_affine(name: str, p: Any, q: Any, loose: bool = False) -> Affine:
    """Maximise the bound over the scores v(x) = shift + slope x: a concave problem, solved by BFGS.

    Raises ValueError for total variation, whose bound has no maximum among these (a step, of slope infinity,
    is best), and if the search does not settle.  `loose` as in `bound`.  (MATH E.2, M19)
    """
    if name == "tv":
        raise ValueError("total variation has no best affine critic: ever steeper ones are ever better")
    row, (x, weights) = f_divergence(name), divergences.nodes(p, q)
    x, of_p, of_q = (torch.from_numpy(a) for a in (x, weights * p.pdf(x), weights * q.pdf(x)))

    def minus(line: np.ndarray) -> tuple[float, np.ndarray]:
        line = torch.from_numpy(line).requires_grad_()
        v = line[0] + line[1] * x
        fake = row.loose_conjugate(row.activation(v)) if loose else row.fake_term(v)
        loss = of_q @ fake - of_p @ row.activation(v)
        return loss.item(), torch.autograd.grad(loss, line)[0].numpy()

    start = np.array([row.even, 0.0])
    found = optimize.minimize(minus, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    if not np.abs(found.jac).max() < 1e-5:
        raise ValueError(f"no best affine critic was found for {name}: {found.message}")
    return Affine(float(found.x[0]), float(found.x[1]), -float(found.fun))


def _ratio(p: Any, q: Any, x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.exp(p.logpdf(x) - q.logpdf(x))


# ---- a critic that learns ---------------------------------------------------------------------------------


def critic_game(name: str, shift: float = 1.0, seed: int = 0) -> Game:
    """Only the critic plays, against samples of N(shift, 1); the data are N(0, 1).  Adam, batches of 512."""
    critic = nets.mlp([1, 32, 32, 1], "elu", seed=seed)
    generator, settings = GaussianGenerator(shift, 1.0), {"batch_size": 512, "lr": 3e-3, "seed": seed}
    game = gan(generator, critic, data.normal(0.0, 1.0), f"f-gan {name}", latent=1, **settings)
    game.players.pop()
    return game


def score_of(game: Game) -> Callable[[np.ndarray], np.ndarray]:
    """The scores of a game's critic on the line as it is now, as a function of arrays, for `score_bound`.

    It is a copy in float64: adaptive quadrature would take rounding errors for structure.
    """
    critic = copy.deepcopy(game.player("discriminator").nets).double().cpu()

    def score(x):
        with torch.no_grad():
            return critic(torch.from_numpy(np.asarray(x, float)).reshape(-1, 1)).numpy().reshape(np.shape(x))

    return score


# ---- what the generator feels -----------------------------------------------------------------------------


def pull_weight(name: str, u: Any) -> np.ndarray:
    """w(u) = u^2 f''(u): how hard a generated sample is pulled, in units of the gradient of log(p/q).

    At the optimal critic a step of the generator moves the sample x along w(u(x)) grad log u(x), u = p/q.
    u: array of positive ratios.  f'' comes from differentiating the row's f' (0 for total variation).
    """
    u = torch.tensor(np.asarray(u, float), requires_grad=True)
    slope = torch.autograd.grad(f_divergence(name).derivative(u).sum(), u)[0]
    return (u.detach().square() * slope).numpy()


class Gradient(NamedTuple):
    """Derivatives along the mean and the deviation of a Gaussian generator."""

    mean: float
    deviation: float


def generator_gradient(
    name: str, p: Any, mean: float, deviation: float, nonsaturating: bool = False
) -> Gradient:
    """What the generator x = mean + deviation z feels of the optimal critic, held fixed, as derivatives.

    - E_z w(u) (log u)'(x) (1, z), by quadrature; by the envelope theorem it is the gradient of D_f(p||q).
    `nonsaturating`: of the loss -E T*, whose weight is w(u)/u.  Not for total variation, whose optimal critic
    is a step (ValueError).
    """
    if name == "tv":
        raise ValueError("the optimal critic of total variation is a step: it has no gradient to hand on")
    q, h = stats.norm(mean, deviation), 1e-5 * deviation

    def felt(x):
        slope = (p.logpdf(x + h) - p.logpdf(x - h)) / (2 * h) + (x - mean) / deviation**2
        u = _ratio(p, q, x)
        return -pull_weight(name, u) * slope / (u if nonsaturating else 1)

    along = divergences.expectation(felt, q, p)
    return Gradient(along, divergences.expectation(lambda x: felt(x) * (x - mean) / deviation, q, p))


# ---- one Gaussian for two bumps ---------------------------------------------------------------------------


class TwoBumps(NamedTuple):
    """w N(a, sd^2) + (1 - w) N(b, sd^2): the data of this chapter."""

    weight: float = 0.7
    left: float = -1.0
    right: float = 2.0
    sd: float = 0.6

    @property
    def law(self) -> divergences.Mixture:
        """For quadrature."""
        weights = [self.weight, 1 - self.weight]
        return divergences.mixture(weights, [stats.norm(self.left, self.sd), stats.norm(self.right, self.sd)])

    @property
    def source(self) -> data.Mixture:
        """For sampling, in a game."""
        return data.mixture([[self.left], [self.right]], self.sd, [self.weight, 1 - self.weight], "two bumps")

    @property
    def mean(self) -> float:
        return self.weight * self.left + (1 - self.weight) * self.right

    @property
    def deviation(self) -> float:
        apart = self.weight * (1 - self.weight) * (self.right - self.left) ** 2
        return math.sqrt(self.sd**2 + apart)


START = (0.0, 1.0)  # mean and deviation from which Gaussians are fitted


class Fit(NamedTuple):
    """A Gaussian, and its divergence from the data."""

    mean: float
    deviation: float
    value: float


def fit(name: str, bumps: TwoBumps = TwoBumps(), start: tuple[float, float] = START) -> Fit:
    """A Gaussian q that minimises D_f(p||q), by quadrature and Nelder-Mead from `start`: a local minimum.

    The search adds up 12,001 points within ten deviations of the data; the value that is returned is the
    row's own, by adaptive quadrature.  Raises ValueError if the search does not settle.
    """
    row, p = f_divergence(name), bumps.law
    x = np.linspace(bumps.mean - 10 * bumps.deviation, bumps.mean + 10 * bumps.deviation, 12_001)
    lp = p.logpdf(x)

    def divergence(theta: np.ndarray) -> float:
        lq = stats.norm.logpdf(x, theta[0], math.exp(theta[1]))
        terms = np.exp(lq) * row.f(np.exp(np.clip(lp - lq, -300, 300)))
        return float(terms.sum() * (x[1] - x[0]))

    found = optimize.minimize(
        divergence, [start[0], math.log(start[1])], method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-11, "maxiter": 1000},
    )  # fmt: skip
    if not found.success:
        raise ValueError(f"no Gaussian was found for {name} from {start}: {found.message}")
    mean, deviation = float(found.x[0]), float(np.exp(found.x[1]))
    return Fit(mean, deviation, row.value(p, stats.norm(mean, deviation)))


class GaussianGenerator(nn.Module):
    """x = mean + deviation z for z ~ N(0, 1), (n, 1) -> (n, 1); it learns the mean and the log-deviation."""

    def __init__(self, mean: float, deviation: float):
        super().__init__()
        self.mean = nn.Parameter(torch.tensor(float(mean)))
        self.log_deviation = nn.Parameter(torch.tensor(math.log(deviation)))

    @property
    def deviation(self) -> float:
        return math.exp(self.log_deviation.item())

    def forward(self, z: Tensor) -> Tensor:
        return self.mean + self.log_deviation.exp() * z


def gaussian_game(
    name: str, bumps: TwoBumps = TwoBumps(), start: tuple[float, float] = START, *,
    nonsaturating: bool = False, seed: int = 0, **settings,
) -> Game:  # fmt: skip
    """The f-GAN of that divergence, whose generator is a Gaussian; `settings` as in `game.gan`.

    The critic has two hidden layers of 64 and takes five steps a turn; the generator's samples (and
    `fitted`) are those of its running average.
    """
    loss = f"f-gan {name}{' nonsaturating' * nonsaturating}"
    settings = {"steps": 5, "batch_size": 512, "lr": (2e-3, 5e-3), "ema": 0.99} | settings
    critic = nets.mlp([1, 64, 64, 1], "elu", seed=seed)
    return gan(GaussianGenerator(*start), critic, bumps.source, loss, latent=1, seed=seed, **settings)


def fitted(game: Game, bumps: TwoBumps = TwoBumps()) -> Fit:
    """The Gaussian that such a game has come to, and its true divergence from the data."""
    generator = game.player("generator").average.module
    name = game.rules.loss.split()[1]
    mean, deviation = generator.mean.item(), generator.deviation
    return Fit(mean, deviation, f_divergence(name).value(bumps.law, stats.norm(mean, deviation)))


def plane_game(name: str, *, nonsaturating: bool = False, seed: int = 0, **settings) -> Game:
    """The same problem in the plane, to look at: two round bumps, 0.7 at (-1, 0) and 0.3 at (2, 0), sd 0.6.

    The generator is an affine map of z ~ N(0, I), that is any Gaussian of the plane, and starts as N(0, I).
    """
    bumps = TwoBumps()
    source = data.mixture([[bumps.left, 0.0], [bumps.right, 0.0]], bumps.sd, [bumps.weight, 1 - bumps.weight])
    generator = nn.Linear(2, 2)
    with torch.no_grad():
        generator.weight.copy_(torch.eye(2))
        generator.bias.zero_()
    loss = f"f-gan {name}{' nonsaturating' * nonsaturating}"
    settings = {"steps": 5, "batch_size": 512, "lr": (3e-3, 5e-3)} | settings
    critic = nets.mlp([2, 64, 64, 1], "elu", seed=seed)
    return gan(generator, critic, source, loss, latent=2, seed=seed, **settings)


def train(name: str, seed: int = 0, turns: int = 1500, nonsaturating: bool = False) -> Fit:
    """Play the Gaussian's f-GAN from START, the last third of the turns at a fifth of the learning rates.

    Raises `game.Diverged` if a loss is no longer finite.
    """
    game = gaussian_game(name, seed=seed, nonsaturating=nonsaturating)
    game.run(turns - turns // 3)
    for player in game.players:
        player.lr /= 5
    game.run(turns // 3)
    return fitted(game)

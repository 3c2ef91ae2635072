"""The Wasserstein GAN as a game: Algorithm 1 of its paper, then with a penalty, and beside other games.

    wgan, wgan_gp                the two games
    exact_w1, critic_gap         what their critic estimates, and its estimate
    gaussian_critic, gradient_by_critic     theorem 3 of the paper, where everything is known in closed form
    plane_game, ring_run         the same nets in four games, and the ring on which two of them drop modes

Sources: Arjovsky, Chintala and Bottou (2017), *Wasserstein GAN*; Gulrajani et al. (2017), *Improved training
of Wasserstein GANs*; the slides; the Geneva report, section 5.
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.special import ndtri

from gantools import data, losses, metrics, nets, penalties
from gantools.game import Game, gan, rmsprop

__all__ = [
    "GAMES", "HASTY", "RING", "critic_gap", "exact_w1", "gaussian_critic", "gradient_by_critic", "plane_game",
    "ring_run", "wgan", "wgan_gp",
]  # fmt: skip


def wgan(
    generator: nn.Module, critic: nn.Module, data, c: float = 0.01, **settings
) -> Game:
    """Wasserstein GAN with clipped weights: algorithm 1 of its paper.

    `settings` are those of `gantools.game.gan`; where not given, they are the
    paper's.  Raises ValueError as `gan` does, and unless c > 0.
    """
    paper = {"lr": 5e-5, "batch_size": 64, "steps": 5, "optimizer": rmsprop}
    held = {"after": penalties.clip(c)}
    return _with_critic(generator, critic, data, paper | held | settings)


def wgan_gp(
    generator: nn.Module, critic: nn.Module, data, weight: float = 10.0, **settings
) -> Game:
    """Wasserstein GAN with gradient penalty (Gulrajani et al. 2017).

    `settings` are those of `gantools.game.gan`; where not given, they are the
    paper's.  Raises ValueError as `gan` does, and for a negative weight.
    """
    paper = {"lr": 1e-4, "batch_size": 64, "steps": 5, "betas": (0.0, 0.9)}
    held = {"penalty": penalties.gradient(weight)}
    return _with_critic(generator, critic, data, paper | held | settings)


def _with_critic(generator: nn.Module, critic: nn.Module, data, settings: dict) -> Game:
    game = gan(generator, critic, data, "wasserstein", **settings)
    game.players[0].name = "critic"  # it judges no longer true or false
    return game


# ---- what the critic estimates ----------------------------------------------------------------------------


def exact_w1(n: int = 300, seed: int = 1) -> Callable[[Game], float]:
    """game -> exact W1 between n generated and n real points, of any dimension, for `record(measure=...)`.

    Data and latents are the same at every call, so that the curve is no noisier than need be; `seed` is that
    of the data.  Two samples of one law are not at distance 0: see `metrics.w1` of the data with themselves.
    """
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"n must be a positive whole number, not {n!r}")
    return lambda game: metrics.w1(game.sample(n), game.real(n, seed=seed))


def critic_gap(game: Game, n: int = 2000, seed: int = 1) -> float:
    """The critic's estimate: mean score of n real points minus that of n generated ones, without penalty."""
    return float(game.score(game.real(n, seed=seed)).mean() - game.score(game.sample(n)).mean())


def gaussian_critic(mean: float, sd: float) -> Callable[[Tensor], Tensor]:
    """The optimal critic of P = N(0, 1) against Q = N(mean, sd^2): 1-Lipschitz, with E_P f - E_Q f = W1.

    Its slope is the sign of F_Q - F_P; the two cdfs cross at mean / (1 - sd), once, unless sd = 1.  Raises
    ValueError unless sd > 0.  (MATH D.5)
    """
    if not sd > 0:
        raise ValueError(f"sd must be positive, not {sd!r}")
    if sd == 1:
        return lambda x: -x if mean > 0 else x
    fold = mean / (1 - sd)
    return lambda x: (x - fold).abs() * (-1 if sd > 1 else 1)


def gradient_by_critic(mean: float, sd: float, n: int = 1_000_000) -> tuple[float, float]:
    """The gradient of W1(N(0, 1), N(mean, sd^2)) in (mean, sd), by theorem 3: -E grad f*(mean + sd z).

    It is what autograd gives for the generator's loss when the critic is optimal and stands still; z are the
    n mid-quantiles of N(0, 1).
    """
    critic = gaussian_critic(mean, sd)
    theta = torch.tensor([mean, sd], dtype=torch.float64, requires_grad=True)
    z = ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n)
    losses.wasserstein.generator(critic(theta[0] + theta[1] * z)).backward()
    return tuple(theta.grad.tolist())


# ---- four games with the same nets ------------------------------------------------------------------------

RING = data.ring(8, radius=2.0, sd=0.1)  # that of the chapter on vanishing gradients
HASTY = (5e-4, 2e-3)  # rates of discriminator and generator with which the usual games collapse on it
GAMES = {
    "minimax": {"loss": "minimax", "steps": 1, "lr": HASTY},
    "nonsaturating": {"loss": "nonsaturating", "steps": 1, "lr": HASTY},
    "clip": {"c": 0.1, "steps": 5, "lr": (2e-3, 1e-3)},
    "penalty": {"weight": 1.0, "steps": 5, "lr": (1e-3, 1e-3)},
}


def plane_game(method: str, law=RING, seed: int = 0, **settings) -> Game:
    """A game for a law of the plane: generator 2-64-64-2, discriminator or critic 2-64-64-1, batches of 128.

    method      one of GAMES, which holds its settings for the ring; `settings` take their place
    Nets of one seed start alike whatever the method.  Raises ValueError for an unknown method, and as `gan`.
    """
    if method not in GAMES:
        raise ValueError(f"there is no method {method!r}; choose one of {', '.join(GAMES)}")
    make = {"clip": wgan, "penalty": wgan_gp}.get(method, gan)
    players = nets.mlp([2, 64, 64, 2], seed=seed), nets.mlp([2, 64, 64, 1], seed=100 + seed)
    settings = {"batch_size": 128, "device": "cpu"} | GAMES[method] | settings
    return make(*players, law, seed=seed, **settings)


def ring_run(method: str, seed: int, turns: int, **settings) -> dict:
    """Play `plane_game` on RING for so many turns, one step of the generator each, and judge the generator.

    Returns `found` modes of 8 and the `high_quality` share of 4000 samples, the exact `w1` between 1000 of
    them and 1000 new points of the data, and `cpu_ms`, processor time a turn.
    """
    game = plane_game(method, RING, seed, **settings)
    began = time.process_time()
    game.run(turns)
    cpu = time.process_time() - began
    samples = game.sample(4000)
    modes = metrics.modes_found(samples, RING)
    return {
        "found": modes.found,
        "high_quality": round(modes.high_quality, 3),
        "w1": round(metrics.w1(samples[:1000], game.real(1000, seed=10_000 + seed)), 3),
        "cpu_ms": round(1000 * cpu / turns, 1),
    }

"""The critic: what keeps it Lipschitz, and what that does to the distance it reports.

    clip_bound, steepest_clipped        weight clipping: the bound on the slope, and a net that attains it
    gradient_penalty, report_penalty    the penalty of WGAN-GP as a function of a slope, and a slip beside it
    soft_slope                          how much a penalised critic overshoots
    power_iteration                     the largest singular value, as spectral normalisation finds it
    lipschitz_on, critic_bound          slopes of a critic at points, and the distance that it proves
    two_clouds, rays, beside, envelopes a transport problem of which everything is known exactly
    train_critic                        one critic trained on it, by clip, penalty or spectral norm
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import ot
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from gantools import data, losses, nets, penalties
from gantools.game import Batch, Game, Player, adam

__all__ = [
    "METHODS", "Clouds", "Trained", "beside", "clip_bound", "critic_bound", "envelopes", "gradient_penalty",
    "lipschitz_on", "power_iteration", "rays", "report_penalty", "soft_slope", "steepest_clipped",
    "train_critic", "two_clouds",
]  # fmt: skip


# weight clipping ------------------------------------------------------------------------------------


def clip_bound(widths: Sequence[int], c: float) -> float:
    """The largest slope in x of an MLP of these widths whose weights all lie in [-c, c].

    The product over the layers of c sqrt(fan_in fan_out): with L layers c^L sqrt(n_0 n_L) n_1 ... n_(L-1),
    for activations of slope at most 1.  ValueError for fewer than two widths or c <= 0.  (MATH D.7)
    """
    if len(widths) < 2 or any(not isinstance(w, int) or w < 1 for w in widths):
        raise ValueError(f"widths must be at least two positive whole numbers, not {list(widths)}")
    if not 0 < c < math.inf:
        raise ValueError(f"the clipping bound must be positive and finite, not {c!r}")
    return math.prod(c * math.sqrt(fan_in * fan_out) for fan_in, fan_out in pairwise(widths))


def steepest_clipped(widths: Sequence[int], c: float) -> nn.Module:
    """The ReLU net that attains `clip_bound`: every weight c, no biases; steepest on the positive orthant."""
    clip_bound(widths, c)
    net = nets.mlp(widths)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(c if parameter.ndim == 2 else 0)
    return net


# the gradient penalty -------------------------------------------------------------------------------


def gradient_penalty(norms: ArrayLike, one_sided: bool = False) -> np.ndarray:
    """(|slope| - 1)^2 for each of these norms; one-sided: 0 up to norm 1 (MATH D.8)."""
    excess = _norms(norms) - 1
    return np.square(np.maximum(excess, 0) if one_sided else excess)


def report_penalty(norms: ArrayLike) -> np.ndarray:
    """log(|slope| - 1), as the Geneva report has it (section 6.2.1): NaN below norm 1, -inf at 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(_norms(norms) - 1)


def _norms(norms: ArrayLike) -> np.ndarray:
    norms = np.asarray(norms, float)
    if not (norms >= 0).all():
        raise ValueError("the norm of a gradient is a number that is not negative")
    return norms


def soft_slope(w: float, weight: float) -> float:
    """The slope a > 0 that maximises w a - weight (a - 1)^2: 1 + w / (2 weight), above the 1 that is allowed.

    So much a critic under the gradient penalty overshoots where laws lie w apart, and `w soft_slope` is the
    distance that it reports.  ValueError unless w >= 0 and weight > 0.  (MATH D.8)
    """
    if not (w >= 0 and weight > 0):
        raise ValueError(f"w must not be negative and the weight must be positive, not {w!r} and {weight!r}")
    return 1 + w / (2 * weight)


# spectral normalisation -----------------------------------------------------------------------------


def power_iteration(W: ArrayLike, steps: int, seed: int = 0) -> np.ndarray:
    """Estimates of the largest singular value of W, (m, n), after each of the steps, (steps,).

    v <- W'u / |.|, u <- Wv / |.|, estimate u'Wv, from u ~ N(0, I_m) under `seed`.  They never fall and never
    exceed the truth.  ValueError unless W is a finite matrix that is not zero and steps >= 1.  (MATH I)
    """
    W = np.asarray(W, float)
    if W.ndim != 2 or not np.isfinite(W).all() or not W.any():
        raise ValueError("W must be a matrix of finite numbers, not all of them zero")
    if not isinstance(steps, int) or steps < 1:
        raise ValueError(f"steps must be a positive whole number, not {steps!r}")
    u = np.random.default_rng(seed).normal(size=len(W))
    found = []
    for _ in range(steps):
        v = W.T @ u
        v /= np.linalg.norm(v)
        u = W @ v
        found.append(np.linalg.norm(u))
        u /= found[-1]
    return np.array(found)


# looking at a critic --------------------------------------------------------------------------------


def lipschitz_on(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Norms of the critic's gradient at x, (n, ...) -> (n,): its Lipschitz constant is no smaller."""
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x)
    return slope.flatten(1).norm(dim=1)


class Bound(NamedTuple):
    """What a critic says about the W1 between two clouds."""

    reported: float  # mean over the real points less mean over the generated ones
    steepest: float  # largest slope between a real and a generated point
    distance: float  # reported / steepest: never above W1


@torch.no_grad()
def critic_bound(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Bound:
    """The distance that a critic proves, whatever its Lipschitz constant is.

    E_P f - E_Q f is the plan's mean of f(x) - f(y) <= K |x - y|, with K the largest slope over the pairs of a
    real and a generated point; so reported / K never exceeds W1 between these two clouds.  ValueError if a
    pair of points coincides and the critic's values there differ, or if no pair has f(x) > f(y).
    """
    rise = critic(real).view(-1, 1).double() - critic(fake).view(1, -1).double()  # (n, m)
    apart = torch.cdist(real.double(), fake.double())
    steepest = torch.where(rise > 0, rise / apart, 0).max().item()
    if not 0 < steepest < math.inf:
        raise ValueError("this critic proves nothing: it falls from real to generated, or jumps")
    return Bound(rise.mean().item(), steepest, rise.mean().item() / steepest)


# a problem of which everything is known -------------------------------------------------------------


class Clouds(NamedTuple):
    """Two clouds of n points of the plane, their exact W1, and an optimal plan and critic."""

    real: Tensor  # (n, 2)
    fake: Tensor  # (n, 2)
    w1: float
    partner: Tensor  # (n,): real point i goes with fake point partner[i]
    critic_real: Tensor  # (n,): an optimal 1-Lipschitz critic at the real points
    critic_fake: Tensor  # (n,): and at the generated ones


def two_clouds(n: int = 192, seed: int = 0) -> Clouds:
    """n points of a ring of eight (radius 1, sd 0.05) and n of a blob N(0, 0.2^2 I), solved exactly by POT.

    With equal weights and equal numbers an optimal plan is a matching.
    """
    if not isinstance(n, int) or n < 2:
        raise ValueError(f"n must be a whole number of at least 2, not {n!r}")
    rng = torch.Generator().manual_seed(seed)
    real, fake = data.ring(8, sd=0.05).sample(n, rng), data.normal([0.0, 0.0], 0.2).sample(n, rng)
    cost = torch.cdist(real.double(), fake.double()).numpy()
    plan, log = ot.emd([], [], cost, log=True)
    u, v = torch.tensor(log["u"]), torch.tensor(log["v"])  # u_i + v_j <= cost_ij
    return Clouds(real, fake, float((plan * cost).sum()), torch.tensor(plan.argmax(1)), u, -v)


def rays(clouds: Clouds, each: int = 5) -> Tensor:
    """Points on the segments of the plan, evenly in between their ends: (each n, 2)."""
    share = (torch.arange(each) + 0.5).view(-1, 1, 1) / each
    return torch.lerp(clouds.real, clouds.fake[clouds.partner], share).flatten(0, 1)


def beside(clouds: Clouds, n: int = 4000, gap: float = 0.1, seed: int = 0) -> Tensor:
    """Of n points drawn from the square [-1.3, 1.3]^2 those farther than `gap` from every ray, (k, 2)."""
    x = 2.6 * torch.rand(n, 2, generator=torch.Generator().manual_seed(seed)) - 1.3
    start, along = clouds.real, clouds.fake[clouds.partner] - clouds.real  # (m, 2)
    share = ((x[:, None] - start) * along).sum(-1) / along.square().sum(-1)  # (n, m)
    nearest = start + share.clamp(0, 1)[..., None] * along  # (n, m, 2)
    return x[(x[:, None] - nearest).norm(dim=-1).amin(1) > gap]


def envelopes(clouds: Clouds, x: Tensor) -> tuple[Tensor, Tensor]:
    """The lowest and the highest 1-Lipschitz function through the optimal critic's values, at x: (n,), (n,).

    Both extend it to the plane (McShane 1934): f <= h(z) + |x - z| and f >= h(z) - |x - z| for all points z.
    Every optimal critic with these values lies between the two.
    """
    points = torch.cat([clouds.real, clouds.fake]).double()
    values = torch.cat([clouds.critic_real, clouds.critic_fake])
    distance = (x.double()[:, None] - points).norm(dim=-1)  # (n, 2m)
    return (values - distance).amax(1), (values + distance).amin(1)


# training a critic on it ----------------------------------------------------------------------------

METHODS = ("clip", "gradient penalty", "one-sided penalty", "spectral norm")


@dataclass(frozen=True, eq=False)
class _Cloud(data.Source):
    """The points themselves, in a new order at every draw."""

    points: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.points.shape[1:])

    def draw(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, None]:
        order = torch.randperm(len(self.points), generator=generator, device=self.points.device)
        return self.points[order[:n]], None

    def to(self, device) -> "_Cloud":
        return _Cloud(self.points.to(device))


class Trained(NamedTuple):
    """A critic trained on two clouds, and what came of it."""

    method: str
    seed: int
    critic: nn.Module
    reported: float  # E_P f - E_Q f
    steepest: float  # largest slope between a real and a generated point
    proven: float  # reported / steepest, never above W1
    on_rays: float  # mean norm of the gradient on the transport rays
    off_rays: float  # and away from them
    seconds: float  # of CPU


def train_critic(
    method: str,
    clouds: Clouds,
    seed: int = 0,
    *,
    turns: int = 200,
    lr: float = 1e-2,
    widths: Sequence[int] = (2, 64, 64, 1),
    c: float = 0.1,
    weight: float = 10.0,
) -> Trained:
    """Maximise E_P f - E_Q f over ReLU critics kept smooth by one of METHODS, as a game of one player.

    Adam (betas 0.5 and 0.9), its rate falling linearly from `lr` to 0; all points in every batch, so that
    nothing but the penalty's interpolation is random.  `c` serves clip, `weight` the penalties.  ValueError
    for an unknown method.
    """
    game = critic_game(method, clouds, seed, lr, widths, c, weight)
    player = game.player("critic")
    began = time.process_time()
    for turn in game.turns(turns):
        player.lr = lr * (1 - turn.number / turns)
    seconds = time.process_time() - began
    critic = player.nets.eval()
    said = critic_bound(critic, clouds.real, clouds.fake)
    on, off = (lipschitz_on(critic, x).mean().item() for x in (rays(clouds), beside(clouds)))
    return Trained(method, seed, critic, *said, on, off, seconds)


def critic_game(
    method: str, clouds: Clouds, seed: int, lr: float, widths: Sequence[int], c: float, weight: float,
    device: str | torch.device = "cpu",
) -> Game:  # fmt: skip
    """The game of a critic alone against two clouds that stand still."""
    if method not in METHODS:
        raise ValueError(f"there is no method {method!r}; choose one of {', '.join(METHODS)}")
    critic = nets.mlp(widths, seed=seed)
    penalty = penalties.gradient(weight, "one" in method) if "penalty" in method else None
    if method == "spectral norm":
        penalties.spectral(critic, seed)

    def loss(batch: Batch) -> Tensor:
        real, fake = batch.draw("real")[0], batch.draw("fake")[0]
        scores = critic(torch.cat([real, fake])).split(batch.size)
        gap = losses.wasserstein.discriminator(*scores)
        return gap + penalty(critic, real, fake, batch) if penalty else gap

    after = penalties.clip(c) if method == "clip" else None
    sources = {"real": _Cloud(clouds.real), "fake": _Cloud(clouds.fake)}
    player = Player("critic", critic, loss, adam(lr), after=after)
    return Game([player], sources, len(clouds.real), seed, device, score=critic)

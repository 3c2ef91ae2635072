"""When the discriminator wins: the numbers behind the chapter on vanishing gradients.

Laws: p is the data, q the generator, m = (p + q) / 2; D* = p / (p + q) is the optimal discriminator and
log(p / q) its logit.  Everything is in nats.  A *gradient* is the derivative of a loss that the generator
minimises, so a positive one pushes the parameter down.

    what the generator feels      generator_gradients, quality_coverage_gradients, theorem_2_5,
                                  nonsaturating_divergence
    supports that do not meet     lines, uniforms, perfect_discriminator, theorem_2_4, wild_discriminator
    heavy tails                   ratio_of_gaussians
    noise and its price           noise_bound, wiggle
    modes                         dropped_mode
    runs                          frozen_generator_game, perfect_discriminator_run, gradient_norms,
                                  LineGenerator

Sources: Goodfellow et al. (2014); Arjovsky and Bottou (2017), *Towards principled methods for training
generative adversarial networks*; Arjovsky, Chintala and Bottou (2017), *Wasserstein GAN*.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.special import expit, ndtr, rel_entr, xlogy
from torch import Tensor, nn

from gantools import divergences, losses
from gantools.divergences import QualityCoverage
from gantools.game import Game, Player, Rules, adam, place, resolve

LOG2 = math.log(2)
Value = float | np.ndarray

# The trapezoidal rule converges faster than any power of the step for the analytic, Gaussian-tailed
# integrands below: expectations over N(0, 1) as one weighted sum.
_U = np.linspace(-14, 14, 2801)
_WEIGHT = np.exp(-(_U**2) / 2)
_WEIGHT /= _WEIGHT.sum()


def _mean(values: np.ndarray) -> np.ndarray:
    """E f(U), U ~ N(0, 1), from f at the nodes: (..., nodes) -> (...)."""
    return values @ _WEIGHT


def _finite(**arguments) -> list[np.ndarray]:
    out = []
    for name, value in arguments.items():
        array = np.asarray(value, dtype=float)
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, not {value!r}")
        out.append(array)
    return out


def _in_range(
    name: str, value: float, low: float, high: float = math.inf, *, open_low: bool = False
) -> float:
    if not (low < value if open_low else low <= value) or not value <= high or not math.isfinite(value):
        lower = "above" if open_low else "at least"
        upper = f" and at most {high:g}" if math.isfinite(high) else " and finite"
        raise ValueError(f"{name} must be {lower} {low:g}{upper}, not {value!r}")
    return float(value)


def _count(**numbers: int) -> None:
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} must be a positive whole number, not {value!r}")


# ---- pairs of laws in closed form -------------------------------------------------------------------------


class Divergences(NamedTuple):
    """The distances of two laws P_0 and P_theta, and the slope of the JSD in theta."""

    kl: Value
    tv: Value
    jsd: Value
    w1: Value
    djsd: Value


def _affinity(d: np.ndarray) -> np.ndarray:
    """The integral of p q / (p + q) for N(0, 1) and N(d, 1): E_q D*.

    With x = d/2 + u the integrand is exp(-d^2 / 8) phi(u) / (2 cosh(d u / 2)): no cancellation, no overflow.
    """
    u = np.abs(d[..., None] * _U) / 2  # (..., nodes)
    return np.exp(-(d**2) / 8) * _mean(np.exp(-u) / (1 + np.exp(-2 * u)))


def lines(theta: ArrayLike, sigma: float = 0.0) -> Divergences:
    """Divergences between the parallel lines (0, U) and (theta, U), with noise N(0, sigma^2 I) on both.

    theta: a number or an array of shifts; sigma >= 0.  Without noise these are the limits: KL infinite (both
    ways), TV 1, JSD log 2, slope 0 wherever theta != 0; at theta = 0 all are 0 and the slope does not exist
    (nan). With noise every f-divergence is that of N(0, sigma^2) and N(theta, sigma^2); W1 is |theta| in any
    case. Raises ValueError for numbers that are not finite or a negative sigma.
    Source: Arjovsky, Chintala and Bottou (2017), example 1; the slides; the Geneva report, section 5 (MATH
    C.5, C.6).
    """
    (theta,) = _finite(theta=theta)
    sigma = _in_range("sigma", sigma, 0)
    if sigma == 0:
        apart = theta != 0
        values = (
            np.where(apart, np.inf, 0.0),
            apart * 1.0,
            apart * LOG2,
            np.abs(theta),
            np.where(apart, 0.0, np.nan),
        )
    else:
        d = np.abs(theta) / sigma
        jsd = LOG2 - _mean(np.logaddexp(0, d[..., None] * _U - d[..., None] ** 2 / 2))
        slope = np.sign(theta) * d / (2 * sigma) * _affinity(d)
        values = (d**2 / 2, 2 * ndtr(d / 2) - 1, np.maximum(jsd, 0), np.abs(theta), slope)
    return Divergences(*(np.asarray(value)[()] for value in values))


def uniforms(theta: ArrayLike) -> Divergences:
    """Divergences between U[0, 1] and U[theta, 1 + theta]: informative while they overlap, stuck afterwards.

    theta: a number or an array.  The slope of the JSD does not exist (nan) at the kinks -1, 0 and 1.
    Raises ValueError for numbers that are not finite.  Source: MATH C.5 (b).
    """
    (theta,) = _finite(theta=theta)
    size = np.abs(theta)
    tv = np.minimum(size, 1)
    slope = np.where(size < 1, np.sign(theta) * LOG2, 0.0)
    slope = np.where((size == 0) | (size == 1), np.nan, slope)
    values = (np.where(size > 0, np.inf, 0.0), tv, tv * LOG2, size, slope)
    return Divergences(*(np.asarray(value)[()] for value in values))


# ---- what the generator feels -----------------------------------------------------------------------------


class GeneratorGradients(NamedTuple):
    """d/dmu of the two generator losses at the optimal, frozen discriminator."""

    saturating: Value
    nonsaturating: Value


def generator_gradients(mu: ArrayLike) -> GeneratorGradients:
    """What the generator x = mu + z feels when p = N(0, 1) and the discriminator is optimal.

    saturating:     d/dmu E log(1 - D*) =  mu E_q D*        = d/dmu 2 JSD
    nonsaturating:  d/dmu E -log D*     =  mu E_q (1 - D*)  = d/dmu [KL(q, p) - 2 JSD]
    mu: a number or an array.  Raises ValueError if it is not finite.
    Source: Arjovsky and Bottou (2017), theorem 2.5; the envelope theorem (MATH B.6, B.8).
    """
    (mu,) = _finite(mu=mu)
    real = expit(mu[..., None] * (mu[..., None] / 2 + _U))  # 1 - D* at x = mu + u
    return GeneratorGradients((mu * _affinity(np.abs(mu)))[()], (mu * _mean(real))[()])


def _middle(p, q):
    """m = (p + q)/2 of two vectors or of two laws on the line; p and q checked by their divergence."""
    divergences.tv(p, q)
    if hasattr(p, "support"):
        return divergences.mixture([0.5, 0.5], [p, q])
    return (np.asarray(p, dtype=float) + np.asarray(q, dtype=float)) / 2


def quality_coverage_gradients(mu: float) -> QualityCoverage:
    """d/dmu of quality and of coverage, p = N(0, 1) and q = N(mu, 1): their sum is what is followed.

    d KL(q, m) = int dq log(q/m) - 1/2 int (q/m) dq and d KL(p, m) = -1/2 int (p/m) dq, with dq = (x - mu) q
    dmu. Source: MATH B.6.
    """
    (mu,) = _finite(mu=mu)
    logit = -mu * (mu / 2 + _U)  # log p/q at x = mu + u
    fake = expit(-logit)  # q / (p + q) = (q/m) / 2
    return QualityCoverage(float(_mean(_U * (np.log(2 * fake) - fake))), float(-_mean(_U * expit(logit))))


class Sides(NamedTuple):
    """The two sides of an identity, or of an inequality left <= right."""

    left: float
    right: float


def theorem_2_5(mu: float, sd: float = 1.0, step: float = 1e-4) -> Sides:
    """Arjovsky and Bottou's theorem 2.5 for p = N(0, 1) and q_theta = N(theta, sd^2), at theta = mu.

    left:  E_z[-d/dtheta log D*(g_theta(z))] with D* frozen, by quadrature over the samples x = mu + sd u;
    right: d/dtheta [KL(q_theta, p) - 2 JSD(q_theta, p)], by a central difference.
    Raises ValueError unless sd and step are positive.  Source: MATH B.8.
    """
    (mu,) = _finite(mu=mu)
    sd, step = _in_range("sd", sd, 0, open_low=True), _in_range("step", step, 0, open_low=True)

    def logit(x: np.ndarray, theta: float) -> np.ndarray:  # log p/q_theta
        return -(x**2) / 2 + (x - theta) ** 2 / (2 * sd**2) + math.log(sd)

    def criterion(theta: float) -> float:
        kl = (sd**2 + theta**2 - 1) / 2 - math.log(sd)
        from_q = _mean(-np.logaddexp(0, logit(theta + sd * _U, theta)))  # E_q log q/(p+q)
        from_p = _mean(-np.logaddexp(0, -logit(_U, theta)))  # E_p log p/(p+q)
        return kl - (2 * LOG2 + from_q + from_p)

    x = mu + sd * _U
    slope = -x + (x - mu) / sd**2  # d/dx log p/q
    left = _mean(-expit(-logit(x, mu)) * slope)  # -d/dx log sigmoid(a) = -(1 - D) a'
    return Sides(float(left), float((criterion(mu + step) - criterion(mu - step)) / (2 * step)))


def nonsaturating_divergence(p, q) -> Sides:
    """What the non-saturating generator descends, written twice: KL(q, p) - 2 JSD(p, q) and 2 KL(m, p).

    p, q: two probability vectors or two frozen scipy.stats laws with densities on the line; otherwise
    ValueError. Both sides are >= 0, 0 only for p = q, and infinite together.
    Source: Arjovsky and Bottou (2017), theorem 2.5; Shannon et al. (2020) (MATH B.9).
    """
    left = divergences.kl(q, p) - 2 * divergences.jsd(p, q)
    return Sides(left, 2 * divergences.kl(_middle(p, q), p))


class DroppedMode(NamedTuple):
    """What it costs to leave out a mass w of the data, in nats, divergence by divergence."""

    coverage: Value
    quality: Value
    jsd: Value
    kl: Value
    reverse_kl: Value
    nonsaturating: Value


def dropped_mode(w: ArrayLike) -> DroppedMode:
    """The price of a generator that is perfect except that it drops a mode of mass w: p = (1 - w, w), q =
    (1, 0).

    jsd is divergences.jmax(w) <= w log 2; kl = KL(p, q) is
    infinite for w > 0, reverse_kl = KL(q, p) = -log(1 - w), nonsaturating = 2 KL(m, p).
    w: a number or an array in [0, 1], else ValueError.  Source: MATH B.6, G.2.
    """
    (w,) = _finite(w=w)
    if (w < 0).any() or (w > 1).any():
        raise ValueError("w is a mass: it must lie between 0 and 1")
    kept = 1 - w
    middle = 1 - w / 2  # m = (1 - w/2, w/2)
    coverage = xlogy(kept, kept) - kept * np.log(middle) + w * LOG2
    quality = -np.log(middle)
    with np.errstate(divide="ignore"):
        reverse = -np.log(kept)
    jsd = np.asarray(divergences.jmax(w))
    kl = np.where(w > 0, np.inf, 0.0)
    return DroppedMode(*(np.asarray(v)[()] for v in (coverage, quality, jsd, kl, reverse, reverse - 2 * jsd)))


# ---- perfect discriminators -------------------------------------------------------------------------------


def smooth_step(t: Tensor) -> Tensor:
    """0 for t <= 0, 1 for t >= 1, smooth between: f(t) / (f(t) + f(1 - t)) with f(t) = exp(-1/t)."""
    t = t.double().clamp(
        1e-3, 1 - 1e-3
    )  # exp(-1000) is 0 already, and the clamp keeps the gradient 0 outside
    up, down = (-1 / t).exp(), (-1 / (1 - t)).exp()
    return up / (up + down)


def perfect_discriminator(real: Tensor, fake: Tensor) -> Callable[[Tensor], Tensor]:
    """A smooth D with D = 1 near every real point, D = 0 near every fake one, and no gradient at either.

    real, fake: (n, d) and (m, d), finite nets of the two supports at distance delta > 0.  The answer maps x,
    (k, d), to D(x), (k,) in float64: the product over the fake points y of a smooth step that climbs from 0
    to 1 as |x - y| goes from delta/3 to 2 delta/3.  It is constant within delta/3 of either set.
    Raises ValueError for wrong shapes, or sets that meet: then no such D exists.
    Source: Arjovsky and Bottou (2017), theorem 2.1 (MATH C.1), with the proof's function written out.
    """
    real, fake = torch.as_tensor(real).double(), torch.as_tensor(fake).double()
    if (
        real.ndim != 2
        or fake.ndim != 2
        or real.shape[1] != fake.shape[1]
        or not real.numel()
        or not fake.numel()
    ):
        raise ValueError(
            f"real and fake must be (n, d) and (m, d), not {tuple(real.shape)} and {tuple(fake.shape)}"
        )
    square_gap = min(float(torch.cdist(block, fake).min()) ** 2 for block in real.split(1024))
    if not square_gap > 0:
        raise ValueError("the two supports meet (or hold a nan): no discriminator is perfect on both")

    def discriminator(x: Tensor) -> Tensor:
        square = (x.double()[:, None] - fake).square().sum(-1)  # (k, m)
        return smooth_step((9 * square / square_gap - 1) / 3).prod(1)

    return discriminator


def gradient_bound(epsilon: float, jacobian: float = 1.0) -> float:
    """M epsilon / (1 - epsilon): the most the generator can feel of an epsilon-perfect discriminator.

    epsilon in [0, 1): sup|D - D*| + sup|grad(D - D*)|; jacobian M >= 0: E|J g|^2 <= M^2.  Else ValueError.
    Source: Arjovsky and Bottou (2017), theorem 2.4 (MATH C.4).
    """
    if not 0 <= epsilon < 1:
        raise ValueError(f"epsilon must be at least 0 and below 1, not {epsilon!r}")
    return _in_range("jacobian", jacobian, 0) * epsilon / (1 - epsilon)


def theorem_2_4(epsilon: float, frequency: float = 1.0, theta: float = 1.0, points: int = 512) -> Sides:
    """Theorem 2.4 on the parallel lines: the generator's gradient norm (left) and its bound (right).

    D = D* + epsilon a, where D* is the perfect discriminator of the lines 0 and theta and
    a = (1 + sin(frequency y - x)) / (2 + sqrt(1 + frequency^2)) has sup|a| + sup|grad a| = 1.  The generator
    is g(z) = (theta, z), so its Jacobian has norm 1.  The derivative is automatic differentiation's.
    Raises ValueError for epsilon outside (0, 1), theta = 0 or a non-positive number of points.
    """
    right = gradient_bound(_in_range("epsilon", epsilon, 0, open_low=True))
    _count(points=points)
    grid = (torch.arange(points, dtype=torch.float64) + 0.5) / points
    line = torch.stack([torch.zeros_like(grid), grid], 1)
    shift = torch.tensor([theta, 0.0], dtype=torch.float64)
    perfect = perfect_discriminator(line, line + shift)
    at = torch.tensor(float(theta), dtype=torch.float64, requires_grad=True)
    x = torch.stack([at.expand(points), grid], 1)  # (points, 2)
    bump = (1 + torch.sin(frequency * x[:, 1] - x[:, 0])) / (2 + math.hypot(1, frequency))
    loss = torch.log1p(-(perfect(x) + epsilon * bump)).mean()
    return Sides(float(torch.autograd.grad(loss, at)[0].abs()), right)


class Wild(NamedTuple):
    """A discriminator that tends to 0 while its gradient explodes."""

    height: float  # sup D
    slope: float  # sup |D'|
    gradient: float  # E |D' / (1 - D)|, what the generator's samples feel on average


def wild_discriminator(n: int, points: int = 200_001) -> Wild:
    """D_n(x) = sin^2(n^2 x) / n on [0, 1] converges to the perfect value 0; its slope n sin(2 n^2 x) does
    not.

    Raises ValueError for an n below 2 (D_1 touches 1) or above 300 (the grid could not follow it).
    Source: the counterexample to "D -> 0, hence grad D -> 0" (MATH C.4).
    """
    _count(n=n, points=points)
    if not 2 <= n <= 300:
        raise ValueError(f"n must lie between 2 and 300, not {n}")
    x = np.linspace(0, 1, points)
    height, slope = np.sin(n**2 * x) ** 2 / n, n * np.sin(2 * n**2 * x)
    return Wild(float(height.max()), float(np.abs(slope).max()), float(np.mean(np.abs(slope) / (1 - height))))


# ---- heavy tails ------------------------------------------------------------------------------------------


def ratio_of_gaussians(
    draws: int, scale_r: float = 0.6, scale_eps: float = 0.3, average: int = 1, seed: int = 0
) -> np.ndarray:
    """Draws of r / eps, r ~ N(0, scale_r^2) and eps ~ N(0, scale_eps^2) independent: Cauchy(scale_r /
    scale_eps).

    Each of the `draws` values, shape (draws,), is the mean of `average` ratios: averaging does not help, a
    mean of independent Cauchy variables has the very same law.  Raises ValueError for non-positive numbers.
    Source: the mechanism of Arjovsky and Bottou (2017), theorem 2.6 (MATH B.10).
    """
    _count(draws=draws, average=average)
    scales = [_in_range(n, s, 0, open_low=True) for n, s in (("scale_r", scale_r), ("scale_eps", scale_eps))]
    rng = np.random.default_rng(seed)
    total = np.zeros(draws)
    for _ in range(average):  # one column at a time: memory stays at `draws` numbers
        total += scales[0] * rng.standard_normal(draws) / (scales[1] * rng.standard_normal(draws))
    return total / average


# ---- noise and its price ----------------------------------------------------------------------------------


def noise_bound(variance: float, diameter: float, jsd: float) -> float:
    """2 sqrt(V) + 2 C sqrt(JSD): how far apart in W1 two laws can be whose noised versions have that JSD.

    variance V = E|noise|^2; diameter C of a ball that holds both noised laws; jsd in nats.  Else ValueError.
    Source: the bound of Arjovsky and Bottou (2017), theorem 3.3, restated; the chapter proves it with
    sqrt(2) for the second factor 2 (MATH C.7).
    """
    variance, diameter = _in_range("variance", variance, 0), _in_range("diameter", diameter, 0)
    return 2 * math.sqrt(variance) + 2 * diameter * math.sqrt(_in_range("jsd", jsd, 0, LOG2 + 1e-12))


def noise_bound_uniform(theta: float, half_width: float) -> Sides:
    """The noise bound for the point masses at 0 and theta under U[-a, a] noise: W1 = |theta| <= bound.

    V = a^2/3, C = |theta| + 2a, JSD = log 2 min(1, |theta| / 2a).  Raises ValueError unless a > 0 (MATH C.7).
    """
    (theta,) = _finite(theta=theta)
    a = _in_range("half_width", half_width, 0, open_low=True)
    size = abs(float(theta))
    return Sides(size, noise_bound(a**2 / 3, size + 2 * a, LOG2 * min(1, size / (2 * a))))


def wiggle(amplitude: float, frequency: int, sigma: float) -> float:
    """JSD between the uniform law on a circle and (1 + A cos(k x)) / 2 pi, after noise N(0, sigma^2) on both.

    The noise multiplies the k-th Fourier coefficient by exp(-(k sigma)^2 / 2): never by zero, so the two laws
    remain different, and never by much, so fine detail becomes exponentially hard to see.
    amplitude A in [0, 1], frequency k >= 1, sigma >= 0 (radians), else ValueError.  Source: MATH B.11.
    """
    _count(frequency=frequency)
    left = _in_range("amplitude", amplitude, 0, 1)
    left *= math.exp(-((frequency * _in_range("sigma", sigma, 0)) ** 2) / 2)
    c = left * np.cos(2 * np.pi * np.arange(4096) / 4096)  # k periods look like one
    if left < 1e-4:  # cancellation: use the series JSD = E c^2 / 8 + O(c^4)
        return float(np.mean(c**2) / 8)
    return float(np.mean(rel_entr(1, 1 + c / 2) + rel_entr(1 + c, 1 + c / 2)) / 2)


# ---- runs -------------------------------------------------------------------------------------------------


def gradient_norms(generator: nn.Module, discriminator: nn.Module, z: Tensor) -> GeneratorGradients:
    """Norms of the generator's gradient at the latents z, (n, latent), for both losses and one discriminator.

    The losses are functions of logits, so 1 - D and D keep their relative precision however close D is to 0
    or 1: a norm of 1e-20 is a measurement, not round-off.  Neither network is touched.
    """
    weights = {name: w.detach().requires_grad_() for name, w in generator.named_parameters()}
    scores = discriminator(torch.func.functional_call(generator, weights, (z,)))
    norms = []
    for loss in (losses.minimax, losses.nonsaturating):
        grads = torch.autograd.grad(loss.generator(scores), list(weights.values()), retain_graph=True)
        norms.append(float(torch.cat([g.flatten() for g in grads]).double().norm()))
    return GeneratorGradients(*norms)


def frozen_generator_game(
    generator: nn.Module,
    discriminator: nn.Module,
    data,
    *,
    latent: int = 2,
    batch_size: int = 256,
    lr: float = 1e-3,
    noise: float = 0.0,
    seed: int = 0,
    device: str | torch.device = "auto",
) -> Game:
    """A game with one player: the discriminator learns, the generator stands still (it is frozen in place).

    `noise` is the standard deviation of instance noise on both kinds of sample.
    Raises ValueError for bad sizes, rates or noise, as `gan` does.
    """
    device = resolve(device)
    generator = place(generator.requires_grad_(False), device)  # it has no player to bring it there
    rules = Rules(generator, discriminator, latent, "minimax", _in_range("noise", noise, 0))
    _count(latent=latent)

    def sample(n: int, rng: torch.Generator) -> Tensor:
        return generator(torch.randn(n, latent, generator=rng, device=rng.device))

    player = Player("discriminator", discriminator, rules.discriminator_loss, adam(lr))
    return Game(
        [player], data, batch_size, seed, device,
        sample=sample, score=discriminator, pull=rules.pull, rules=rules,
    )  # fmt: skip


class LineGenerator(nn.Module):
    """The parallel lines, with one parameter: z, (n, 3) -> (theta, U) + sigma N(0, I), (n, 2)."""

    def __init__(self, theta: float, sigma: float = 0.0):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(float(theta)))
        self.sigma = _in_range("sigma", sigma, 0)

    def forward(self, z: Tensor) -> Tensor:
        clean = torch.stack([self.theta.expand(len(z)), torch.special.ndtr(z[:, 0])], 1)
        return clean + self.sigma * z[:, 1:]


class PerfectRun(NamedTuple):
    """A discriminator's training against a frozen generator: arrays with one entry a measurement."""

    steps: np.ndarray
    saturating: np.ndarray  # norm of the generator's gradient, E log(1 - D)
    nonsaturating: np.ndarray  # the same for E -log D
    loss: np.ndarray  # of the discriminator, nats: log 4 when it knows nothing, 0 when it is perfect
    accuracy: np.ndarray


def perfect_discriminator_run(
    game: Game, steps: int = 1000, *, measurements: int = 25, probes: int = 1024
) -> PerfectRun:
    """Train the discriminator of a `frozen_generator_game` and watch the generator's gradient die.

    At about `measurements` steps, spaced evenly on a log scale from 0 to `steps`, the norms of both generator
    gradients are taken at `probes` fixed latents, with the discriminator's loss and accuracy on as many
    fixed real and generated points; all of them without instance noise.  The game's random state is left
    alone by measuring. Raises ValueError for non-positive numbers, or a game that has another player or has
    been played already. Source: the experiment of Arjovsky and Bottou (2017), figure 2 (and figure 3 for
    -log D).
    """
    _count(steps=steps, measurements=measurements, probes=probes)
    if [player.name for player in game.players] != ["discriminator"] or game.number:
        raise ValueError("this run wants a new frozen_generator_game: one player, no turns played")
    rules = game.rules
    rng = torch.Generator(game.device).manual_seed(game.seed)
    z = torch.randn(probes, rules.latent, generator=rng, device=game.device)
    real, fake = game.real(probes), rules.generator(z)

    def measure() -> tuple[float, ...]:
        norms = gradient_norms(rules.generator, rules.discriminator, z)
        on_real, on_fake = game.score(real), game.score(fake)
        accuracy = ((on_real > 0).double().mean() + (on_fake < 0).double().mean()) / 2
        return *norms, float(losses.minimax.discriminator(on_real, on_fake)), float(accuracy)

    due = np.unique(np.append([0, steps], np.geomspace(1, steps, measurements).round().astype(int)))
    rows = [measure()]
    for pause in np.diff(due):
        game.run(int(pause))
        rows.append(measure())
    return PerfectRun(due, *np.array(rows).T)

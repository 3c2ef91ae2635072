"""Conditional GANs and InfoGAN in numbers: information, its variational bound, and a game that maximises it.

A code c goes into the generator, x comes out.  A joint table holds P(c, x): joint[c, x], (k, m), rows are
codes.  Q is a table of the same shape, Q[c, x] = Q(c|x), whose columns sum to one.  All in nats.

    tables                  mutual_information, conditional_entropy, posterior, bound, gap, tower
    channels                symmetric_channel, symmetric_bound, GaussianChannel, UniformChannel
    conditional GANs        cgan_value, cgan_criterion, blind_criterion
    auxiliary classifiers   class_term, acgan, best_separation
    codes and their heads   categorical_loss, gaussian_loss, Codes
    labels nobody gave      nmi, matched_accuracy
    the games               infogan_game, Rules, conditional_game, ConditionalRules
    their insides           decode, read, estimated_bound

Sources: Chen et al. (2016), *InfoGAN*; Barber and Agakov (2003), on the bound; Mirza and Osindero (2014),
conditional GANs; Odena, Olah and Shlens (2017), AC-GAN; the lecture notes, "Conditional generation" (MATH H).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy import optimize, special, stats
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from gantools import divergences, game, losses

__all__ = [
    "ACGan", "CodeLoss", "Codes", "ConditionalRules", "GaussianChannel", "Heads", "Match", "Rules",
    "Tower", "UniformChannel", "acgan", "best_separation", "blind_criterion", "bound", "categorical_loss",
    "cgan_criterion", "cgan_value", "class_term", "conditional_entropy", "conditional_game", "decode",
    "estimated_bound", "gap", "gaussian_loss", "infogan_game", "matched_accuracy", "mutual_information",
    "nmi", "posterior", "read", "symmetric_bound", "symmetric_channel", "tower",
]  # fmt: skip

HALF_LOG_2PI = math.log(2 * math.pi) / 2


# ---- arguments --------------------------------------------------------------------------------------------


def _array(value: ArrayLike, name: str) -> np.ndarray:
    """A finite float64 matrix that is not empty."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        table = np.asarray(value, float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a table of numbers, with rows of one length") from None
    if table.ndim != 2 or not table.size:
        raise ValueError(f"{name} must be a table (codes, outputs), not of shape {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError(f"{name} must be finite")
    return table


def _joint(value: ArrayLike, name: str = "joint") -> np.ndarray:
    table = _array(value, name)
    if (table < 0).any():
        raise ValueError(f"{name} has a negative probability: {table.min():g}")
    if not math.isclose(table.sum(), 1, rel_tol=1e-6):
        raise ValueError(f"the probabilities of {name} must sum to one, not to {table.sum():.8g}")
    return table / table.sum()


def _conditional(value: ArrayLike, joint: np.ndarray) -> np.ndarray:
    table = _array(value, "Q")
    if table.shape != joint.shape:
        raise ValueError(f"Q must have the shape of joint, {joint.shape}, not {table.shape}")
    if (table < 0).any():
        raise ValueError(f"Q has a negative probability: {table.min():g}")
    totals = table.sum(0)
    if not np.allclose(totals, 1, rtol=0, atol=1e-6):
        worst = int(np.abs(totals - 1).argmax())
        raise ValueError(f"the columns of Q must be laws of c; column {worst} sums to {totals[worst]:.8g}")
    return table / totals


def _positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not (isinstance(value, int | float | np.number) and math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a positive number, not {value!r}")


def _finite(**numbers: float) -> None:
    for name, value in numbers.items():
        if not (isinstance(value, int | float | np.number) and math.isfinite(value)):
            raise ValueError(f"{name} must be a finite number, not {value!r}")


def _not_negative(**numbers: float) -> None:
    _finite(**numbers)
    for name, value in numbers.items():
        if value < 0:
            raise ValueError(f"{name} must not be negative; it is {value!r}")


def _count(least: int, **numbers: int) -> None:
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")


# ---- tables -----------------------------------------------------------------------------------------------


def mutual_information(joint: ArrayLike) -> float:
    """I(c; x) = sum P(c, x) log [P(c, x) / (P(c) P(x))], in [0, log min(k, m)].  (MATH H.1)"""
    joint = _joint(joint)
    both, codes, outputs = (special.entr(t).sum() for t in (joint, joint.sum(1), joint.sum(0)))
    return max(float(codes + outputs - both), 0.0)


def conditional_entropy(joint: ArrayLike) -> float:
    """H(c|x) = E_x of the entropy of P(c|x), in [0, log k]; I(c; x) = H(c) - H(c|x)."""
    joint = _joint(joint)
    return float(joint.sum(0) @ special.entr(posterior(joint)).sum(0))


def posterior(joint: ArrayLike) -> np.ndarray:
    """P(c|x), (k, m): the Q for which the bound is tight.  Uniform at outputs that have no probability."""
    joint = _joint(joint)
    outputs = joint.sum(0)
    safe = np.where(outputs > 0, outputs, 1)
    return np.where(outputs > 0, joint / safe, 1 / len(joint))


def bound(joint: ArrayLike, Q: ArrayLike) -> float:
    """L_I = H(c) + E log Q(c|x) <= I(c; x); -inf where Q rules out what happens.

    Raises ValueError for tables that are not laws or do not fit.  Source: Chen et al. (2016) (MATH H.1).
    """
    joint = _joint(joint)
    Q = _conditional(Q, joint)
    return float(special.entr(joint.sum(1)).sum() + special.xlogy(joint, Q).sum())


def gap(joint: ArrayLike, Q: ArrayLike) -> float:
    """E_x KL(P(c|x) || Q(c|x)) = I(c; x) - L_I, in [0, inf]: what a Q that is not the posterior costs."""
    joint = _joint(joint)
    Q, P, outputs = _conditional(Q, joint), posterior(joint), joint.sum(0)
    return float(sum(outputs[x] * divergences.kl(P[:, x], Q[:, x]) for x in np.flatnonzero(outputs)))


class Tower(NamedTuple):
    """Both sides of the lemma."""

    forward: float
    resampled: float


def tower(joint: ArrayLike, f: ArrayLike) -> Tower:
    """E f(c, x) and E_x E_{c' ~ P(.|x)} f(c', x): drawing c anew from its posterior changes no mean.

    f: (k, m) finite values.  The first mean follows the generator (draw c, then x); the second draws x, then
    c' given x.  Source: Chen et al. (2016), lemma 5.1 (MATH H.2).
    """
    joint, f = _joint(joint), _array(f, "f")
    if f.shape != joint.shape:
        raise ValueError(f"f must have the shape of joint, {joint.shape}, not {f.shape}")
    given = (posterior(joint) * f).sum(0)  # (m,)
    return Tower(float((joint * f).sum()), float(joint.sum(0) @ given))


# ---- channels ---------------------------------------------------------------------------------------------


def _error(k: int, **errors: float) -> None:
    _count(2, k=k)
    for name, value in errors.items():
        if not (isinstance(value, int | float | np.number) and 0 <= value <= 1):
            raise ValueError(f"{name} is a probability; it cannot be {value!r}")


def symmetric_channel(k: int, error: float) -> np.ndarray:
    """The joint table of k equally likely codes that come out wrong with probability `error`, all alike."""
    _error(k, error=error)
    table = np.full((k, k), error / (k - 1))
    np.fill_diagonal(table, 1 - error)
    return table / k


def symmetric_bound(k: int, error: float, believed: float | None = None) -> float:
    """L_I of a Q that takes the error for `believed` (by default right: then it is I), in closed form.

    log k + (1 - e) log(1 - b) + e log(b / (k - 1)); 1.757780 for k = 10, e = b = .1.  (MATH H.3, M27)
    """
    believed = error if believed is None else believed
    _error(k, error=error, believed=believed)
    wrong = special.xlogy(error, believed) - error * math.log(k - 1)
    return float(math.log(k) + special.xlogy(1 - error, 1 - believed) + wrong)


class GaussianChannel(NamedTuple):
    """c ~ N(0, code^2), x = c + noise * n with n ~ N(0, 1); Q(c|x) = N(slope x + shift, variance)."""

    noise: float
    code: float = 1.0

    @property
    def information(self) -> float:
        """I(c; x) = 1/2 log(1 + code^2 / noise^2).  (MATH H.3)"""
        _positive(noise=self.noise, code=self.code)
        return math.log1p((self.code / self.noise) ** 2) / 2

    @property
    def entropy(self) -> float:
        """h(c), negative for code < 1 / sqrt(2 pi e)."""
        _positive(code=self.code)
        return HALF_LOG_2PI + 0.5 + math.log(self.code)

    @property
    def best(self) -> tuple[float, float, float]:
        """(slope, variance, shift) of the posterior."""
        _positive(noise=self.noise, code=self.code)
        slope = self.code**2 / (self.code**2 + self.noise**2)
        return slope, slope * self.noise**2, 0.0

    def error(self, slope: float, shift: float = 0.0) -> float:
        """E (c - slope x - shift)^2."""
        _positive(noise=self.noise, code=self.code)
        _finite(slope=slope, shift=shift)
        return (1 - slope) ** 2 * self.code**2 + slope**2 * self.noise**2 + shift**2

    def bound(self, slope: float, variance: float, shift: float = 0.0) -> float:
        """L_I of that Q.  With a fixed variance the best Q has the least error, as in least squares."""
        _positive(variance=variance)
        loss = HALF_LOG_2PI + math.log(variance) / 2 + self.error(slope, shift) / (2 * variance)
        return self.entropy - loss

    def gap(self, slope: float, variance: float, shift: float = 0.0) -> float:
        """E_x KL(P(c|x) || Q(c|x)), from the KL between two Gaussians."""
        _positive(variance=variance)
        _finite(slope=slope, shift=shift)
        best, least, _ = self.best
        # E of the means' distance squared
        off = (best - slope) ** 2 * (self.code**2 + self.noise**2) + shift**2
        return (least / variance - 1 - math.log(least / variance) + off / variance) / 2


class UniformChannel(NamedTuple):
    """c ~ U(0, width), x = c + noise * n with n ~ N(0, 1): the continuous code that breaks E log Q <= I.

    Every number is by quadrature.  Source: the lecture notes' bound, which drops H(c) (MATH H.4, M28).
    """

    width: float = 0.5
    noise: float = 0.2

    @property
    def entropy(self) -> float:
        """h(c) = log width: negative below width 1, and then E log P(c|x) exceeds I(c; x)."""
        _positive(width=self.width)
        return math.log(self.width)

    def log_density(self, x: ArrayLike) -> np.ndarray:
        """log of P(x) = [Phi(x / noise) - Phi((x - width) / noise)] / width."""
        _positive(width=self.width, noise=self.noise)
        x = np.asarray(x, float)
        x = np.minimum(x, self.width - x)  # symmetric: the left half has the small, accurate tails
        upper, lower = stats.norm.logcdf(x / self.noise), stats.norm.logcdf((x - self.width) / self.noise)
        with np.errstate(divide="ignore"):
            return upper + np.log(-np.expm1(lower - upper)) - self.entropy

    def mean(self, f: Callable[[np.ndarray], np.ndarray]) -> float:
        """E f(x): twice the integral over the left half, since f here is symmetric as the channel is."""
        steps = self.noise * np.array([-9.0, -4.0, -1.0, 0.0, 1.0, 4.0, 9.0])
        middle = self.width / 2
        edges = np.r_[steps[steps < middle], middle]
        return 2 * divergences.integral(lambda x: np.exp(self.log_density(x)) * f(x), edges)

    @property
    def information(self) -> float:
        """I(c; x) = h(x) - h(x|c)."""
        return self.mean(lambda x: -self.log_density(x)) - HALF_LOG_2PI - 0.5 - math.log(self.noise)

    @property
    def log_posterior(self) -> float:
        """E log P(c|x) = I(c; x) - h(c): what the notes call a lower bound of I(c; x)."""
        return self.information - self.entropy

    def variance(self, x: ArrayLike) -> np.ndarray:
        """Var(c|x), of N(x, noise^2) cut to [0, width], by Gauss-Legendre."""
        _positive(width=self.width, noise=self.noise)
        x = np.asarray(x, float)[..., None]
        low = np.clip(x - 10 * self.noise, 0, self.width)
        high = np.maximum(np.clip(x + 10 * self.noise, 0, self.width), low + 1e-9 * self.width)
        nodes, weights = np.polynomial.legendre.leggauss(128)
        c = low + (high - low) * (1 + nodes) / 2  # (..., 128)
        law = special.softmax(np.log(weights) - (((c - x) / self.noise) ** 2) / 2, axis=-1)
        centre = (law * c).sum(-1, keepdims=True)
        return (law * (c - centre) ** 2).sum(-1)

    @property
    def gaussian_bound(self) -> float:
        """The most that L_I reaches with a Gaussian Q(c|x), however flexible its mean and variance.

        It is h(c) - E_x 1/2 log(2 pi e Var(c|x)), below I: the posterior is a cut Gaussian.
        """
        return self.entropy - HALF_LOG_2PI - 0.5 - self.mean(lambda x: np.log(self.variance(x)) / 2)


# ---- conditional GANs -------------------------------------------------------------------------------------


def cgan_value(real: ArrayLike, fake: ArrayLike, D: ArrayLike) -> float:
    """V = E_real log D(c, x) + E_fake log(1 - D(c, x)) for joint tables and D in [0, 1], all (k, m)."""
    real, fake, D = _joint(real, "real"), _joint(fake, "fake"), _array(D, "D")
    if not real.shape == fake.shape == D.shape:
        raise ValueError(f"real, fake and D must be of one shape: {real.shape}, {fake.shape}, {D.shape}")
    if (D < 0).any() or (D > 1).any():
        raise ValueError("D is a probability: its entries must lie in [0, 1]")
    return float(special.xlogy(real, D).sum() + special.xlogy(fake, 1 - D).sum())


def _weights(weights: Sequence[float], **lists: Sequence[Any]) -> np.ndarray:
    law = np.asarray(weights, float)
    if law.ndim != 1 or not law.size or not np.isfinite(law).all() or (law < 0).any():
        raise ValueError(f"weights must be a list of probabilities, not {weights!r}")
    if not math.isclose(law.sum(), 1, rel_tol=1e-6):
        raise ValueError(f"weights must sum to one, not to {law.sum():.8g}")
    for name, laws in lists.items():
        if len(laws) != len(law):
            raise ValueError(f"{name} must hold one law for each of the {len(law)} weights, not {len(laws)}")
    return law / law.sum()


def _blend(weights: np.ndarray, laws: Sequence[Any]) -> Any:
    """The law of x when nobody says what c is."""
    if not hasattr(laws[0], "logpdf"):
        return weights @ np.stack([np.asarray(law, float) for law in laws])
    shares = [
        (w * share, part)
        for w, law in zip(weights, laws, strict=True)
        for share, part in (zip(law.weights, law.laws, strict=True) if hasattr(law, "laws") else [(1.0, law)])
    ]
    return divergences.mixture(*map(list, zip(*shares, strict=True)))


def cgan_criterion(weights: Sequence[float], reals: Sequence[Any], fakes: Sequence[Any]) -> float:
    """-log 4 + 2 E_c JSD(P(x|c), Q(x|c)): what a conditional generator minimises against the best D(x, c).

    weights: the law of c, (k,), of data and generator alike; reals, fakes: k laws each, all probability
    vectors of one length or all laws on the line.  0 at worst, -log 4 only if every class is right.
    Source: Mirza and Osindero (2014) (MATH H.6).
    """
    weights = _weights(weights, reals=reals, fakes=fakes)
    apart = [divergences.jsd(p, q) for p, q in zip(reals, fakes, strict=True)]
    return float(2 * weights @ np.array(apart)) - math.log(4)


def blind_criterion(weights: Sequence[float], reals: Sequence[Any], fakes: Sequence[Any]) -> float:
    """The same for a discriminator that is not shown c: -log 4 + 2 JSD of the blends, never larger.

    A generator that mixes up all the classes can have -log 4 here.
    """
    weights = _weights(weights, reals=reals, fakes=fakes)
    return 2 * divergences.jsd(_blend(weights, reals), _blend(weights, fakes)) - math.log(4)


# ---- auxiliary classifiers --------------------------------------------------------------------------------


def class_term(weights: Sequence[float], laws: Sequence[Any], believed: Sequence[Any] | None = None) -> float:
    """E log Q(c|x) over c ~ weights, x ~ laws[c], of the classifier that takes the class laws for `believed`.

    By default the classifier is right and the value is -H(c|x): AC-GAN's class log-likelihood at its best.
    laws: on the line, with densities.  For N(-d, 1), N(d, 1) of weight 1/2: -.356316 at d = 1, -.060427 at 2,
    0 in the limit.  Source: Odena, Olah and Shlens (2017) (MATH H.6).
    """
    believed = laws if believed is None else believed
    weights = _weights(weights, laws=laws, believed=believed)
    if not all(hasattr(law, "logpdf") for law in (*laws, *believed)):
        raise ValueError(
            "the class term is for laws on the line with a density, such as scipy.stats.norm(1, 1)"
        )
    used = [c for c in range(len(weights)) if weights[c] > 0]
    blend = _blend(weights, believed)

    def term(c: int) -> float:
        shift = math.log(weights[c])

        def log_q(x: np.ndarray) -> np.ndarray:
            own = believed[c].logpdf(x)
            possible = own > -np.inf  # elsewhere the classifier rules c out, or has never seen such an x
            return np.where(possible, shift + own - np.where(possible, blend.logpdf(x), 0), -np.inf)

        return weights[c] * divergences.expectation(log_q, laws[c], blend)

    return sum(term(c) for c in used)


TRAINED_ON = ("both", "fake", "real")


class ACGan(NamedTuple):
    """Both terms at the best discriminator and classifier, and what the generator minimises."""

    source: float  # -log 4 + 2 JSD of the blends
    classes: float  # the class term that the generator raises
    objective: float  # source - weight * classes


def acgan(
    weights: Sequence[float], reals: Sequence[Any], fakes: Sequence[Any], weight: float = 1.0,
    trained_on: str = "both",
) -> ACGan:  # fmt: skip
    """What AC-GAN's generator minimises, in its laws alone: GAN criterion - weight * class term.

    The best classifier moves with the generator, and by the envelope theorem the gradient that the generator
    feels is that of the classifier's own maximum: over data and samples together ("both", as published), over
    samples alone ("fake"), or of a classifier of the data that the generator does not move ("real").
    All laws on the line.  (MATH H.6)
    """
    share = _weights(weights, reals=reals, fakes=fakes)
    _not_negative(weight=weight)
    if trained_on not in TRAINED_ON:
        raise ValueError(f"trained_on must be one of {', '.join(TRAINED_ON)}, not {trained_on!r}")
    source = blind_criterion(share, reals, fakes)
    if trained_on == "both":
        pooled = [divergences.mixture([0.5, 0.5], [p, q]) for p, q in zip(reals, fakes, strict=True)]
        classes = 2 * class_term(share, pooled)
    else:
        classes = class_term(share, fakes, reals if trained_on == "real" else fakes)
    return ACGan(source, classes, source - weight * classes)


def best_separation(weight: float = 1.0, data: float = 1.0, trained_on: str = "both") -> float:
    """The d that AC-GAN prefers for a generator of classes N(-d, 1), N(d, 1), the data having d = `data`.

    `data` itself at weight 0, more at any weight above it: the class term alone has no best d, ever larger
    ones being ever better.  A scan of d in [0, data + 6], then a bounded search around its best point.
    Raises ValueError if that is the last one.
    """
    _positive(data=data)
    _not_negative(weight=weight)
    pair = lambda d: [stats.norm(-d, 1), stats.norm(d, 1)]  # noqa: E731
    minus = lambda d: acgan([0.5, 0.5], pair(data), pair(d), weight, trained_on).objective  # noqa: E731
    scan = np.linspace(0, data + 6, 9)
    best = int(np.argmin([minus(d) for d in scan]))
    if best == len(scan) - 1:
        raise ValueError(f"no best separation below {scan[-1]:g} at weight {weight:g}: take a smaller one")
    around = scan[max(best - 1, 0)], scan[best + 1]
    return float(optimize.minimize_scalar(minus, bounds=around, method="bounded", options={"xatol": 1e-6}).x)


# ---- codes and their heads --------------------------------------------------------------------------------


def categorical_loss(logits: Tensor, codes: Tensor) -> Tensor:
    """-mean log Q(c|x) of a softmax over `logits`, (n, k), at one-hot `codes`, (n, k): a scalar, nats."""
    if logits.ndim != 2 or logits.shape != codes.shape:
        shapes = f"{tuple(logits.shape)} and {tuple(codes.shape)}"
        raise ValueError(
            f"logits and codes must both be (n, k), not {shapes}; labels become codes by "
            "torch.nn.functional.one_hot(labels, k).float()"
        )
    if not codes.is_floating_point():
        raise ValueError(f"codes must be one-hot rows of floats, not {codes.dtype}: call .float()")
    return cross_entropy(logits, codes)


def gaussian_loss(
    mean: Tensor, codes: Tensor, *, log_variance: Tensor | None = None, variance: float | None = None
) -> Tensor:
    """-mean log Q(c|x) of N(mean, v) at continuous codes, both (n, d), summed over d: a scalar, nats.

    Either `log_variance`, (n, d), log v as a head gives it, or one fixed `variance` v: then the loss is half
    the squared error over v plus a constant.  (MATH H.5)
    """
    if mean.ndim != 2 or mean.shape != codes.shape:
        shapes = f"{tuple(mean.shape)} and {tuple(codes.shape)}"
        raise ValueError(f"mean and codes must both be (n, d), not {shapes}")
    if (log_variance is None) == (variance is None):
        raise ValueError("give either log_variance, a tensor, or variance, a number, and not both")
    if variance is not None:
        _positive(variance=variance)
        square = (codes - mean).square().sum(1).mean()
        return square / (2 * variance) + mean.shape[1] * (HALF_LOG_2PI + math.log(variance) / 2)
    if log_variance.shape != mean.shape:
        raise ValueError(f"log_variance must be {tuple(mean.shape)}, not {tuple(log_variance.shape)}")
    each = HALF_LOG_2PI + log_variance / 2 + (codes - mean).square() * torch.exp(-log_variance) / 2  # (n, d)
    return each.sum(1).mean()


class Heads(NamedTuple):
    """What the numbers of Q's last layer mean."""

    logits: tuple[Tensor, ...]  # (n, k) for each categorical code
    mean: Tensor  # (n, d) of the continuous codes
    log_variance: Tensor | None  # (n, d), or None where the variance is fixed


class CodeLoss(NamedTuple):
    """-mean log Q of the categorical and of the continuous codes: scalars, nats."""

    categorical: Tensor
    continuous: Tensor


@dataclass(frozen=True)
class Codes:
    """The law of independent codes, in the order of their columns, and how Q speaks of them.

    categories  the numbers of values, >= 2, of the categorical codes; each is a one-hot group of columns
    uniform     the number of codes from U(-1, 1)
    gaussian    the number of codes from N(0, 1)
    variance    Q's variance for every continuous code, or None: then Q gives log-variances as well, and the
                bound may grow without end, for I(c; x) is infinite when x tells a continuous code exactly
    """

    categories: tuple[int, ...] = ()
    uniform: int = 0
    gaussian: int = 0
    variance: float | None = None

    def __post_init__(self):
        if isinstance(self.categories, Integral) or not isinstance(self.categories, Sequence):
            raise ValueError(f"categories must be a tuple such as (10,), not {self.categories!r}")
        object.__setattr__(self, "categories", tuple(self.categories))
        for k in self.categories:
            _count(2, **{"a categorical code's number of values": k})
        _count(0, uniform=self.uniform, gaussian=self.gaussian)
        if self.variance is not None:
            _positive(variance=self.variance)
        if not self.width:
            raise ValueError("there must be at least one code: give categories, uniform or gaussian")

    @property
    def continuous(self) -> int:
        return self.uniform + self.gaussian

    @property
    def width(self) -> int:
        """Columns of a batch of codes: the generator takes these besides its noise."""
        return sum(self.categories) + self.continuous

    @property
    def outputs(self) -> int:
        """Numbers that Q's last layer gives for an example: logits, means, log-variances."""
        return self.width + (self.continuous if self.variance is None else 0)

    @property
    def entropy(self) -> float:
        """H of the categorical plus h of the continuous codes."""
        discrete = sum(math.log(k) for k in self.categories)
        return discrete + self.uniform * math.log(2) + self.gaussian * (HALF_LOG_2PI + 0.5)

    @property
    def ceiling(self) -> float:
        """The most that `bound` can be: inf with learnt variances, H of the codes without continuous ones.

        With Q's variance v it is H + h - d/2 log(2 pi v): for one U(-1, 1) and v = 1 it is -.2258, so that
        bound never shows that I is above 0, however well the code is read.
        """
        if self.continuous and self.variance is None:
            return math.inf
        floor = self.continuous * (HALF_LOG_2PI + math.log(self.variance) / 2) if self.continuous else 0.0
        return self.entropy - floor

    def draw(self, n: int, generator: torch.Generator | None = None, device=None) -> Tensor:
        """n codes, (n, width) float32, on the generator's device unless another is named."""
        _count(1, n=n)
        if device is None:
            device = generator.device if generator is not None else "cpu"
        where = {"generator": generator, "device": device}
        groups = [one_hot(torch.randint(k, (n,), **where), k).float() for k in self.categories]
        if self.uniform:
            groups.append(2 * torch.rand(n, self.uniform, **where) - 1)
        if self.gaussian:
            groups.append(torch.randn(n, self.gaussian, **where))
        return torch.cat(groups, 1)

    def grid(self, values: Sequence[float], dimension: int = 0) -> Tensor:
        """Codes for a picture, (k * len(values), width): a row for each value of the first categorical code
        (one row without any), a column for each value of continuous code `dimension`; the others rest."""
        columns = torch.as_tensor(values, dtype=torch.float32)
        _count(0, dimension=dimension)
        if columns.ndim != 1 or not len(columns) or dimension >= self.continuous:
            raise ValueError(
                f"give a list of values, and a dimension below {self.continuous}, not {dimension}"
            )
        rows = self.categories[0] if self.categories else 1
        table = torch.zeros(rows, len(columns), self.width)
        start = 0
        for k in self.categories:
            table[:, :, start] = 1  # a code that rests has its first value
            start += k
        if self.categories:
            table[:, :, :rows] = torch.eye(rows).unsqueeze(1)
        table[:, :, start + dimension] = columns
        return table.flatten(0, 1)

    def categorical(self, codes: Tensor, group: int = 0) -> Tensor:
        """The values, (n,), of categorical code `group`; from Q's outputs, the likeliest ones."""
        _count(0, group=group)
        if group >= len(self.categories):
            raise ValueError(
                f"there are {len(self.categories)} categorical codes, none with the number {group}"
            )
        if codes.ndim != 2 or codes.shape[1] not in (self.width, self.outputs):
            wanted = f"codes must be (n, {self.width}), or outputs (n, {self.outputs})"
            raise ValueError(f"{wanted}, not {tuple(codes.shape)}")
        start = sum(self.categories[:group])
        return codes[:, start : start + self.categories[group]].argmax(1)

    def heads(self, outputs: Tensor) -> Heads:
        """The outputs of Q's last layer, (n, outputs), taken apart."""
        if outputs.ndim != 2 or outputs.shape[1] != self.outputs:
            wanted = f"Q must give {self.outputs} numbers an example for these codes"
            raise ValueError(f"{wanted}, not {tuple(outputs.shape)}")
        *logits, rest = outputs.split([*self.categories, self.outputs - sum(self.categories)], 1)
        mean = rest[:, : self.continuous]
        return Heads(tuple(logits), mean, None if self.variance is not None else rest[:, self.continuous :])

    def losses(self, outputs: Tensor, codes: Tensor) -> CodeLoss:
        """-mean log Q(c|x), from Q's outputs, (n, outputs), at the codes that were drawn, (n, width)."""
        found = self.heads(outputs)
        if codes.shape != (len(outputs), self.width):
            raise ValueError(f"codes must be ({len(outputs)}, {self.width}), not {tuple(codes.shape)}")
        *groups, rest = codes.split([*self.categories, self.continuous], 1)
        nothing = outputs.new_zeros(())
        discrete = sum(map(categorical_loss, found.logits, groups), nothing)
        if not self.continuous:
            return CodeLoss(discrete, nothing)
        spread = {"log_variance": found.log_variance, "variance": self.variance}  # one of them is None
        return CodeLoss(discrete, gaussian_loss(found.mean, rest, **spread))

    def bound(self, outputs: Tensor, codes: Tensor) -> Tensor:
        """The batch's estimate of L_I = H(c) + E log Q(c|x): a scalar tensor, nats.

        Its mean is L_I <= I(c; x), on examples that Q has not been fitted to.
        """
        return self.entropy - sum(self.losses(outputs, codes))


# ---- labels nobody gave -----------------------------------------------------------------------------------


def _labels(found: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    pair = [np.asarray(a.detach().cpu() if isinstance(a, Tensor) else a) for a in (found, labels)]
    for name, a in zip(("found", "labels"), pair, strict=True):
        if a.ndim != 1 or not a.size or a.dtype.kind not in "iu":
            raise ValueError(f"{name} must be (n,) whole numbers, one an example, not {a.dtype} {a.shape}")
        if a.min() < 0:
            raise ValueError(f"{name} must not be negative; one is {a.min()}")
    if len(pair[0]) != len(pair[1]):
        raise ValueError(f"found and labels speak of {len(pair[0])} and {len(pair[1])} examples")
    return pair[0], pair[1]


def nmi(found: ArrayLike, labels: ArrayLike) -> float:
    """Normalised mutual information I / ((H + H') / 2) of two labellings, (n,) whole numbers, in [0, 1].

    1 when each tells the other, whatever the names; scikit-learn's, with the arithmetic mean.  Two constant
    labellings agree: 1.
    """
    from sklearn.metrics import normalized_mutual_info_score

    found, labels = _labels(found, labels)
    return float(normalized_mutual_info_score(labels, found))


class Match(NamedTuple):
    """The share of examples that the best pairing gets right, and that pairing."""

    accuracy: float
    pairing: dict[int, int]  # code -> label; a code left over is not in it, and its examples count as wrong


def matched_accuracy(found: ArrayLike, labels: ArrayLike) -> Match:
    """Accuracy of codes as labels under the best one-to-one pairing of codes with labels, (n,) whole numbers.

    Solved as an assignment problem.  With k equal classes a blind guess scores 1 / k or a little more.
    """
    found, labels = _labels(found, labels)
    codes, found = np.unique(found, return_inverse=True)
    names, labels = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(codes), len(names)), int)
    np.add.at(counts, (found, labels), 1)
    rows, columns = optimize.linear_sum_assignment(counts, maximize=True)
    pairing = {int(codes[i]): int(names[j]) for i, j in zip(rows, columns, strict=True)}
    return Match(float(counts[rows, columns].sum() / len(found)), pairing)


# ---- the games --------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Rules(game.Rules):
    """InfoGAN's two losses.  D = head(body(x)) and Q's outputs = q_head(body(x)): one body, the same tensors.

    codes              the law of the codes; the generator takes (noise, codes) side by side
    weight             lambda of the categorical codes
    continuous_weight  lambda of the continuous ones
    body_learns        whether the discriminator's loss also holds that of Q, so that the body learns to read
                       codes; else only the discrimination of data shapes it, as min over G, Q of max over D
                       says to the letter.  The authors' code has it in both losses
    """

    body: nn.Module = None
    head: nn.Module = None
    q_head: nn.Module = None
    codes: Codes = None
    weight: float = 1.0
    continuous_weight: float = 0.1
    body_learns: bool = True

    def generate(self, z: Tensor, codes: Tensor) -> Tensor:
        """Noise (n, latent) and codes (n, width) -> examples (n, ...)."""
        return self.generator(torch.cat([z, codes], 1))

    def _fake(self, batch: game.Batch) -> tuple[Tensor, Tensor]:
        codes = self.codes.draw(batch.size, batch.rng, batch.device)
        return self.noised(self.generate(batch.latent(self.latent), codes), batch), codes

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
            loss = loss + self.code_loss(self.body(fake), codes)
        return loss + self.penalty(self.discriminator, real, fake, batch.rng) if self.penalty else loss

    def generator_loss(self, batch: game.Batch) -> Tensor:
        """The generator's and Q's: they move in one step."""
        fake, codes = self._fake(batch)
        features = self.body(fake)
        return losses.get(self.loss).generator(self.head(features)) + self.code_loss(features, codes)


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
    weight: float = 1.0, continuous_weight: float = 0.1, body_learns: bool = True, latent: int = 2,
    batch_size: int = 256, lr: float | tuple[float, float] = 1e-3, betas: tuple[float, float] = (0.5, 0.9),
    optimizer: Callable | None = None, steps: int = 1, noise: float = 0.0, penalty: Callable | None = None,
    ema: float | None = None, seed: int = 0, device: str | torch.device = "auto",
) -> game.Game:  # fmt: skip
    """The game of Chen et al. (2016): a discriminator, and one generator player that owns Q's head as well.

    body: x -> features; head: features -> one score; q_head: features -> codes.outputs numbers; generator:
    latent + codes.width numbers -> x.  `weight`, `continuous_weight` and `body_learns` are those of `Rules`
    and may be changed there while the game runs; the other options are those of `game.gan`.
    Raises ValueError for nets that do not fit and for bad options.
    """
    losses.get(loss)
    _not_negative(noise=noise, weight=weight, continuous_weight=continuous_weight)
    rules = Rules(
        generator, nn.Sequential(body, head), latent, loss, noise, penalty,
        body, head, q_head, codes, float(weight), float(continuous_weight), bool(body_learns),
    )  # fmt: skip
    fake, scores, outputs = _tried(rules, lambda x: (x, rules.discriminator(x), q_head(body(x))), q_head)
    _fits(fake, scores, data)
    codes.heads(outputs)
    make = optimizer or (lambda rate: game.adam(rate, betas))
    lr_d, lr_g = lr if isinstance(lr, tuple) else (lr, lr)
    players = [
        game.Player("discriminator", [body, head], rules.discriminator_loss, make(lr_d), steps),
        game.Player("generator", [generator, q_head], rules.generator_loss, make(lr_g), ema=ema),
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
    make = optimizer or (lambda rate: game.adam(rate, betas))
    lr_d, lr_g = lr if isinstance(lr, tuple) else (lr, lr)
    players = [
        game.Player("discriminator", discriminator, rules.discriminator_loss, make(lr_d), steps),
        game.Player("generator", [generator], rules.generator_loss, make(lr_g), ema=ema),
    ]
    return game.Game(players, data, batch_size, seed, device, sample=_sampler(players[1], rules), rules=rules)


def _looked_at(player: game.Player) -> nn.Module:
    """The generator that pictures and scores take: its running average where there is one."""
    return player.nets[0] if player.average is None else player.average.module[0]


@torch.no_grad()
def decode(played: game.Game, codes: Tensor, seed: int = 0, fresh: bool = False) -> Tensor:
    """What the generator makes of codes, (n, width) -> (n, ...): all from one noise, or a `fresh` one each.

    One seed always means the same noise; the game's own random state stays as it is.
    """
    if codes.ndim != 2 or codes.shape[1] != played.rules.codes.width:
        raise ValueError(f"this game's codes are (n, {played.rules.codes.width}), not {tuple(codes.shape)}")
    rng = torch.Generator(played.device).manual_seed(seed)
    z = torch.randn(len(codes) if fresh else 1, played.rules.latent, generator=rng, device=played.device)
    with played._looking():
        return _looked_at(played.player("generator"))(torch.cat([z.expand(len(codes), -1), codes.to(z)], 1))


@torch.no_grad()
def read(played: game.Game, x: Tensor) -> Tensor:
    """Q's outputs for examples, (n, ...) -> (n, outputs): what `Codes.heads` and `Codes.categorical` take."""
    with played._looking():
        return played.rules.q_head(played.rules.body(x.to(played.device)))


def estimated_bound(played: game.Game, n: int = 2000, seed: int = 0) -> float:
    """L_I, estimated from n new generated examples; a little above the truth only by chance."""
    codes = played.rules.codes.draw(n, torch.Generator(played.device).manual_seed(seed))
    return played.rules.codes.bound(read(played, decode(played, codes, seed + 1, fresh=True)), codes).item()

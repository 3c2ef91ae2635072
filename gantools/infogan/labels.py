"""Labels in a GAN: given to both players, guessed by a classifier, or given to nobody and looked for after.

A conditional law is a list of k laws, one a class: all probability vectors of one length, or all laws on the
line (frozen scipy.stats distributions).  `weights`, (k,), is the law of the class.  All in nats.

    conditional GANs        cgan_value, cgan_criterion, blind_criterion
    auxiliary classifiers   class_term, acgan, best_separation
    labels nobody gave      nmi, matched_accuracy

Sources: Mirza and Osindero (2014), *Conditional generative adversarial nets*; Odena, Olah and Shlens (2017),
AC-GAN (MATH H.6).
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats
from torch import Tensor

from gantools import divergences
from gantools.infogan.information import _array, _joint, _not_negative, _positive

__all__ = [
    "ACGan", "Match", "acgan", "best_separation", "blind_criterion", "cgan_criterion", "cgan_value",
    "class_term", "matched_accuracy", "nmi",
]  # fmt: skip


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

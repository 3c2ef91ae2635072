"""The minimax game in numbers: value function, optimal discriminator, criterion, and what they imply.

A law is either a vector of probabilities over a finite alphabet or a continuous law on the line: a frozen
scipy.stats distribution or a `divergences.mixture` of them.  p is the data, q the generator's law; everything
is in nats.
Sources: Goodfellow et al. (2014), sections 3 and 4; the Geneva report, sections 2 and 3; the lecture notes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import optimize
from scipy.special import expit, xlog1py, xlogy

from gantools import divergences

LOG4 = math.log(4)


# ---- the players ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Discriminator:
    """A discriminator on the line, D(x) = sigmoid(logit(x)), that keeps its logit.

    Far out sigmoid rounds to exactly 1, and log(1 - D) to -inf; from the logit both logarithms are exact.
    logit: array of points (n,) -> array (n,), infinities allowed.
    """

    logit: Callable[[np.ndarray], np.ndarray]

    def __call__(self, x) -> np.ndarray:
        return expit(self.logit(np.asarray(x, dtype=float)))


def optimal_discriminator(p, q) -> np.ndarray | Discriminator:
    """D* = p / (p + q), the best response to a generator whose law is q.

    For vectors (k,) a vector (k,); for laws on the line a Discriminator whose logit is log p - log q.
    Where both p and q vanish every value is optimal, and 1/2 is given.
    Raises ValueError for laws that are not laws, or of two different kinds.
    Source: Goodfellow et al. (2014), proposition 1 (MATH B.2).
    """
    p, q = _laws(p, q)
    if isinstance(p, np.ndarray):
        total = p + q
        return np.divide(p, total, out=np.full_like(p, 0.5), where=total > 0)

    def log_ratio(x):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = p.logpdf(x) - q.logpdf(x)
        return np.where(np.isnan(ratio), 0.0, ratio)  # -inf - -inf: neither law is there

    return Discriminator(log_ratio)


# ---- the value and the criterion --------------------------------------------------------------------------


def value(discriminator, p, q) -> float:
    """V(D, G) = E_P log D + E_Q log(1 - D), in nats, within [-inf, 0].

    discriminator: for vectors a vector (k,) of probabilities; for laws on the line a function of arrays with
    values in [0, 1].  A `Discriminator` is evaluated through its logit; any other function is taken at its
    word, so that a D that rounds to 1 where q lives costs -inf.
    Raises ValueError for values outside [0, 1], wrong lengths, or laws that are not laws.
    Source: Goodfellow et al. (2014), equation 1 (MATH B.1).
    """
    return sum(_value_terms(discriminator, p, q))


def criterion(p, q) -> float:
    """C(G) = max over D of V(D, G) = -log 4 + 2 JSD(p, q), in nats, within [-log 4, 0].

    Source: Goodfellow et al. (2014), theorem 1 (MATH B.3).
    """
    return -LOG4 + 2 * divergences.jsd(p, q)


def value_from_latent(discriminator, generator: Callable, p, latent) -> float:
    """V(D, G) with the generator's half taken over the latent: E_P log D + E_z log(1 - D(G(z))).

    The change of variables says that this is `value(discriminator, p, q)` with q the law of generator(z).
    latent: a frozen law on the line; generator: array (n,) -> array (n,).
    """
    p, latent = _laws(p, latent)
    if isinstance(p, np.ndarray):
        raise ValueError("the latent and the data must be frozen scipy.stats laws, not vectors")
    real = divergences.expectation(lambda x: _logs(discriminator, x)[0], p)
    return real + divergences.expectation(lambda z: _logs(discriminator, generator(z))[1], latent)


class Estimate(NamedTuple):
    value: float  # nats
    standard_error: float


def value_estimate(real_scores, fake_scores) -> Estimate:
    """V of a trained discriminator, from its logits on samples that it has *not* been trained on.

    On average at most C(G): (value + log 4) / 2 estimates a lower bound of the JSD.  Logits of any shape.
    """
    real, fake = (torch.as_tensor(s).detach().double().cpu().flatten() for s in (real_scores, fake_scores))
    if len(real) < 2 or len(fake) < 2:
        raise ValueError("at least two real and two generated scores are needed for a standard error")
    log_d, log_not_d = torch.nn.functional.logsigmoid(real), torch.nn.functional.logsigmoid(-fake)
    error = (log_d.var() / len(real) + log_not_d.var() / len(fake)).sqrt()
    return Estimate(float(log_d.mean() + log_not_d.mean()), float(error))


# ---- best responses by search, and the generator's descent ------------------------------------------------


def best_response(p, q, degree: int = 2) -> np.ndarray | Discriminator:
    """The discriminator that maximises V, found by numerical optimisation: no formula for D* is used.

    Vectors: one free logit for each letter, returned as probabilities (k,).  Laws on the line: the logit is
    a polynomial of that degree, so that degree 1 is logistic regression; two normals are told apart best by
    degree 2, or 1 if they have one sd.  The problem is concave in the logit's coefficients.
    Raises ValueError if the search does not converge.
    """
    p, q = _laws(p, q)
    if isinstance(p, np.ndarray):
        kept = p + q > 0
        found = _fit_logit(np.eye(kept.sum()), p[kept], q[kept])
        response = np.full_like(p, 0.5)
        response[kept] = expit(found)
        return response
    if not isinstance(degree, int) or degree < 0:
        raise ValueError(f"degree must be a whole number from 0, not {degree!r}")
    if not all(math.isfinite(part.std()) for part in divergences.parts(p, q)):
        raise ValueError("both laws need a finite mean and sd, or no polynomial has a finite value")
    x, weight = divergences.nodes(p, q)
    mass_p, mass_q = weight * p.pdf(x), weight * q.pdf(x)
    centre = (mass_p + mass_q) @ x / 2
    scale = math.sqrt((mass_p + mass_q) @ (x - centre) ** 2 / 2)
    t = (x - centre) / scale  # of order one: the search is well conditioned
    found = _fit_logit(np.vander(t, degree + 1, increasing=True), mass_p, mass_q)
    standardise = np.polynomial.Polynomial([-centre / scale, 1 / scale])
    return Discriminator(np.polynomial.Polynomial(found)(standardise))


def _fit_logit(features: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Coefficients c that maximise sum p log sigmoid(a) + q log sigmoid(-a) with a = features @ c."""

    def loss_and_slope(c):
        a = features @ c
        loss = p @ np.logaddexp(0, -a) + q @ np.logaddexp(0, a)
        return loss, features.T @ (q * expit(a) - p * expit(-a))

    start = np.zeros(features.shape[1])
    options = {"gtol": 1e-9, "maxiter": 5000}
    result = optimize.minimize(loss_and_slope, start, jac=True, method="BFGS", options=options)
    if not result.success and np.abs(result.jac).max() > 1e-6:
        raise ValueError(f"the search for the best response did not converge: {result.message}")
    return result.x


def density_descent(p, start, turns: int, rate: float = 1.0) -> np.ndarray:
    """Descend C in the space of laws: mirror descent on q over a finite alphabet, D at its optimum each turn.

    q <- q exp(-rate * log(1 - D*)), normalised; log(1 - D*) = log(q / (p + q)) is the slope of C in q.
    At rate 1 this is q <- (p + q) / 2.  Returns every law on the way, (turns + 1, k).
    Raises ValueError if the start has an empty letter where p has mass (rates below 1 can never fill it),
    for fewer than 0 turns, or for a rate outside (0, 1], where C need not fall.
    Source: Goodfellow et al. (2014), proposition 2 (MATH B.4).
    """
    p, q = _laws(p, start)
    if not isinstance(p, np.ndarray):
        raise ValueError("density descent runs on vectors of probabilities")
    if not 0 < rate <= 1:
        raise ValueError(f"the rate must lie in (0, 1], not {rate!r}")
    if not isinstance(turns, int) or turns < 0:
        raise ValueError(f"turns must be a whole number from 0, not {turns!r}")
    if np.any((q == 0) & (p > 0)):
        raise ValueError("the start must have mass wherever p has: a factor cannot revive a zero")
    path = [q]
    for _ in range(turns):
        q = q * (1 - optimal_discriminator(p, q)) ** -rate
        q = q / q.sum()
        path.append(q)
    return np.array(path)


def binned(law, edges) -> np.ndarray:
    """The probabilities that a frozen law gives to the cells between the edges (k + 1,), normalised: (k,)."""
    edges = np.asarray(edges, dtype=float)
    if edges.ndim != 1 or len(edges) < 2 or np.any(np.diff(edges) <= 0):
        raise ValueError("edges must be at least two increasing numbers")
    mass = np.diff(law.cdf(edges))
    if mass.sum() <= 0:
        raise ValueError("the law has no mass between the edges")
    return mass / mass.sum()


# ---- laws and integrals -----------------------------------------------------------------------------------


def _laws(p, q) -> tuple[Any, Any]:
    """Both as vectors (float64 arrays) or both as continuous laws on the line; ValueError otherwise."""
    p, q = divergences.pair(p, q)
    if not isinstance(p, np.ndarray) and any(divergences.is_discrete(law) for law in (p, q)):
        raise ValueError("a discrete law must be given as its vector of probabilities")
    return p, q


def _value_terms(discriminator, p, q) -> tuple[float, float]:
    """(E_P log D, E_Q log(1 - D))."""
    p, q = _laws(p, q)
    if isinstance(p, np.ndarray):
        d = np.asarray(discriminator, dtype=float)
        if d.shape != p.shape:
            raise ValueError(f"D must be a vector of {len(p)} probabilities, not of shape {d.shape}")
        _check_probability(d)
        return float(xlogy(p, d).sum()), float(xlog1py(q, -d).sum())
    if not callable(discriminator):
        raise ValueError("on the line the discriminator must be a function of x")
    real = divergences.expectation(lambda x: _logs(discriminator, x)[0], p, q)
    return real, divergences.expectation(lambda x: _logs(discriminator, x)[1], q, p)


def _check_probability(d: np.ndarray) -> None:
    if not np.all((d >= 0) & (d <= 1)):
        raise ValueError("a discriminator's values are probabilities, in [0, 1]")


def _logs(discriminator, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log D and log(1 - D) at x, both (n,)."""
    if isinstance(discriminator, Discriminator):
        a = np.broadcast_to(np.asarray(discriminator.logit(x), dtype=float), x.shape)
        if np.isnan(a).any():
            raise ValueError("the discriminator's logit is NaN somewhere")
        return -np.logaddexp(0, -a), -np.logaddexp(0, a)
    d = np.broadcast_to(np.asarray(discriminator(x), dtype=float), x.shape)
    _check_probability(d)
    with np.errstate(divide="ignore"):
        return np.log(d), np.log1p(-d)

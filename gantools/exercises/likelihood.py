"""Checks for the exercises of the chapter "Likelihood and divergence"."""
import math
from typing import Any, Callable

import numpy as np
from scipy import optimize, stats

from gantools import divergences, exercises as ex, likelihood

TWO_BUMPS = divergences.mixture([.5, .5], [stats.norm(-2, .5), stats.norm(2, .5)])


def check_kl(answer: Callable) -> None:
    """A function of two probability vectors that returns KL(p||q) in nats."""
    def without_log_of_p(p, q):
        return divergences.cross_entropy(p, q)

    def smoothed(p, q):
        p, q = np.asarray(p, float) + 1e-12, np.asarray(q, float) + 1e-12
        return np.sum(p * np.log(p / q))

    cases = [([.5, .5], [.9, .1]), ([.2, .3, .5], [.5, .25, .25]),
             ex.Case(([1., 0.], [.5, .5]), "Where p is 0 the term is 0 log 0 = 0."),
             ex.Case(([.5, .5], [1., 0.]), "Where q is 0 and p is not, the term is infinite."),
             ex.Case(([.5, .5, 0.], [.25, .75, 0.]), "Where both are 0 the term is 0.")]
    ex.check_function(answer, divergences.kl, cases, slips=[
        (divergences.reverse_kl, "you computed KL(q||p): the average runs over p, and p stands above q."),
        (without_log_of_p, "that is the cross-entropy; take the entropy of p off."),
        (lambda p, q: divergences.entropy(p), "that is the entropy of p; q plays no part in it."),
        (smoothed, "adding a small number to q hides an infinity: look at ([0.5, 0.5], [1, 0])."),
    ], right="zeros and infinities included.")


def check_directions(answer: Any) -> None:
    """A pair: which direction of KL chose the wide fit, and which the narrow one."""
    if isinstance(answer, str) or not isinstance(answer, (tuple, list)) or len(answer) != 2:
        print("Not yet: answer with a pair such as (\"forward\", \"reverse\"): the wide fit first.")
        return
    ex.check_choice(" ".join(map(str, answer)), "forward reverse", {
        "reverse forward": "the other way round: KL(P||Q) averages over P, so it pays dearly where Q is "
                           "small on a bump of P, and must cover both.",
        "forward forward": "one direction has one minimiser here; it cannot have chosen both.",
        "reverse reverse": "one direction, up to the mirror, has one minimiser; it cannot have chosen both.",
    }, right="KL(P||Q) covers what P does, KL(Q||P) avoids what P does not do.")


def check_kl_normals(answer: Callable) -> None:
    """A function (mean_p, sd_p, mean_q, sd_q) -> KL in closed form."""
    def variance_unsquared(m1, s1, m2, s2):
        return math.log(s2 / s1) + (s1 + (m1 - m2) ** 2) / (2 * s2) - .5

    def without_half(m1, s1, m2, s2):
        return math.log(s2 / s1) + (s1 ** 2 + (m1 - m2) ** 2) / (2 * s2 ** 2)

    def log_inverted(m1, s1, m2, s2):
        return math.log(s1 / s2) + (s1 ** 2 + (m1 - m2) ** 2) / (2 * s2 ** 2) - .5

    ex.check_function(answer, likelihood.kl_normals, cases=[
        ex.Case((0., 1., 0., 1.), "A law is at distance 0 from itself."), (0., 1., 1., 2.), (1., 2., 0., 1.),
        (-3., .5, 2., 1.5)], slips=[
        (lambda m1, s1, m2, s2: likelihood.kl_normals(m2, s2, m1, s1), "you swapped P and Q: E runs over P."),
        (variance_unsquared, "the variance is the square of the standard deviation that you are given."),
        (without_half, "the entropy of P is 1/2 + log(sd) + log(2 pi)/2: a 1/2 is missing."),
        (log_inverted, "the logarithm is upside down: a narrow Q is what costs, so log(sd_q / sd_p)."),
    ], right="and 0.443147 for N(0, 1) and N(1, 4), as in the first check.")


def check_projection(answer: Any) -> None:
    """Mean and deviation of the normal law nearest in KL(P||N) to 1/2 N(-2, 1/4) + 1/2 N(2, 1/4)."""
    @ex.explain
    def check(answer):
        mean, sd = ex.array(answer, shape=(2,))
        truth = likelihood.normal_projection(TWO_BUMPS).args[1]
        if ex.close(sd, .5, 1e-3) and ex.close(abs(mean), 2, 1e-3):
            raise ex.Wrong("that is one of the bumps, which KL(N||P) would choose; KL(P||N) is then "
                           f"{divergences.kl(TWO_BUMPS, stats.norm(mean, sd)):.1f} nats.")
        if not ex.close(mean, 0, 1e-3):
            raise ex.Wrong("the mean of the nearest normal law is the mean of P, which is symmetric about 0.")
        if ex.close(sd, truth ** 2, 1e-3):
            raise ex.Wrong("the mean is right, and 4.25 is the variance: we ask for the standard deviation.")
        if ex.close(sd, 2, 1e-3) or ex.close(sd, .5, 1e-3):
            raise ex.Wrong("the mean is right; the variance has two parts, the one within a bump and the one "
                           "between the two.")
        if not ex.close(sd, truth, 1e-3):
            size = "large" if sd > truth else "small"
            raise ex.Wrong(f"the mean is right; {ex.show(sd)} is too {size}. Take the variance of P: E X^2 "
                           "is 4 + 1/4.")
        return "two moments of P, and nothing else of it."
    check(answer)


def check_sample_size(answer: Any) -> None:
    """The least m for which DKW promises sup|F_m - F| <= 0.01 with probability at least 0.95."""
    exact = math.log(2 / .05) / (2 * .01 ** 2)
    ex.check_number(answer, 18445, tol=1e-5, right="about 18 thousand, whatever the law is.", slips=[
        (exact, "round up: a sample has a whole number of observations."),
        (math.floor(exact), "one observation too few: round up."),
        (math.ceil(math.log(1 / .05) / (2 * .01 ** 2)), "you forgot the factor 2 before the exponential."),
        (math.ceil(math.log(2 / .05) / .01 ** 2), "you forgot the 2 in the exponent, 2 m eps^2."),
        (math.ceil(math.log(2 / .95) / (2 * .01 ** 2)), "0.95 is for success; the bound is on failure."),
        (math.ceil(math.log(2 / .05) / (2 * .01)), "eps is squared in the exponent."),
    ])


def check_hypothesis(answer: Any) -> None:
    """Which hypothesis of the uniform theorem the mixture keeps although the likelihood diverges."""
    ex.check_choice(answer, "continuous", {
        "compact": "the widths s > 0 are not a compact set: s = 0, where the trouble is, is missing from it.",
        "envelope": "the supremum over (mu, s) of |log p(x)| is infinite at every x: put mu on x, shrink s.",
    }, right="at every fixed x the density is continuous in (mu, s); compactness and the envelope fail.")


def check_crossing(answer: Any) -> None:
    """log10 of the width at which the spiked mixture overtakes N(0, 1) on the sample of the exercise."""
    @ex.explain
    def check(answer):
        value = ex.number(answer)
        x = crossing_sample()

        def lead(t):                                # of the mixture over the true law, in nats an observation
            spiked = likelihood.mixture_log_likelihood(x, x[0], 10 ** t)
            return spiked - likelihood.log_likelihood(stats.norm(0, 1), x)

        truth = optimize.brentq(lead, -60, -5)
        if ex.close(value, truth, .01):
            return f"a spike 10^{truth:.1f} wide, to repay the log 2 that each of the other 99 points lost."
        if ex.close(value, truth * math.log(10), .01):
            raise ex.Wrong("that is the natural logarithm of s; the exercise asks for log10.")
        if 0 < value < 1e-3:
            raise ex.Wrong("that looks like s itself; hand in log10(s).")
        if value > 0:
            raise ex.Wrong("a spike is narrow: log10(s) is negative.")
        raise ex.Wrong(f"at 10^{value:.4g} the spike is too {'wide' if value > truth else 'narrow'}: the two "
                       f"log-likelihoods per observation differ by {abs(lead(max(value, -300))):.2g} nats.")
    check(answer)


def crossing_sample() -> np.ndarray:
    """One hundred draws from N(0, 1), the first of which carries the spike."""
    return np.random.default_rng(0).standard_normal(100)


def check_gap(answer: Callable) -> None:
    """A function (m, variance) -> E max_mu L_m - max_mu L, the model N(mu, 1), the data of that variance."""
    def truth(m, variance):
        return likelihood.expected_max(m, math.sqrt(variance)) + .5 * math.log(2 * math.pi) + variance / 2

    ex.check_function(answer, truth, tol=1e-7, cases=[(50, 1.), (10, 4.), (200, .25)], slips=[
        (lambda m, v: 1 / (2 * m), "that is right if the model is right, variance 1; for another variance "
                                   "look at E(mean - mu)^2 again."),
        (lambda m, v: v / m, "the log-density has a factor 1/2 before the square."),
        (lambda m, v: math.sqrt(v) / (2 * m), "the variance of a mean of m is variance/m, without a root."),
        (lambda m, v: v / (2 * math.sqrt(m)), "E(mean - mu)^2 is variance/m: no root of m."),
    ], right="the gap is the noise of one parameter, seen through the curvature of the model.")


def check_safe_fit(answer: Callable) -> None:
    """A function of a sample that returns (mu, s) of 1/2 N(0, 1) + 1/2 N(mu, s^2), clear of spikes."""
    @ex.explain
    def check(answer):
        costs = []
        for seed, (mu, s) in enumerate([(3., .5), (-2., 1.5), (1., .3)]):
            truth = likelihood.spiked_mixture(mu, s)
            x = truth.rvs(400, random_state=seed)
            x[0] = x[1]                                     # two equal readings: a tempting place for a spike
            where = f"on 400 draws from 1/2 N(0, 1) + 1/2 N({mu:g}, {s:g}^2)"
            fit = ex.array(ex.call(answer, x), shape=(2,), what=f"what your function returns {where}")
            if not fit[1] > 0:
                raise ex.Wrong(f"{where} the width is {ex.show(fit[1])}, and should be positive.")
            if fit[1] < .01:
                raise ex.Wrong(f"{where} the width is {ex.show(fit[1])}: your search has found a spike on an "
                               "observation, where the likelihood is without bound. Keep s above a floor.")
            costs.append(divergences.kl(truth, likelihood.spiked_mixture(*fit)))
            if costs[-1] > .03:
                raise ex.Wrong(f"{where} your fit {ex.show(fit)} is {costs[-1]:.2f} nats away in KL, and "
                               "0.03 can be had. Did the search start well, or stop in a local maximum?")
        return f"no spike, and at most {math.ceil(max(costs) * 100) / 100:.2f} nats from the truth."
    check(answer)

"""Metrics: modes and exact transport between clouds, against other routes."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import linear_sum_assignment

from gantools import data, metrics


def test_w1_of_parallel_lines_and_on_the_line():
    def pair(theta, sigma, seed):
        rng = torch.Generator().manual_seed(seed)
        return data.lines(0.0, sigma).sample(500, rng), data.lines(theta, sigma).sample(500, rng)

    clean = metrics.w1(*pair(0.7, 0.0, 0))
    assert clean == pytest.approx(0.7004, abs=0.01) and clean >= 0.7
    noisy = metrics.w1(*pair(0.7, 0.3, 0))
    assert noisy == pytest.approx(0.73, abs=0.06)
    x, y = np.random.default_rng(0).normal(size=(2, 200))
    assert metrics.w1(x[:, None], y[:, None]) == pytest.approx(stats.wasserstein_distance(x, y))


def test_a_perfect_generator_finds_all_modes():
    ring = data.ring(8)
    found = metrics.modes_found(ring.sample(200_000, torch.Generator().manual_seed(0)), ring)
    assert found.found == 8
    assert (
        found.high_quality == pytest.approx(1 - math.exp(-4.5), abs=1e-3) == pytest.approx(0.988891, abs=1e-3)
    )
    assert found.shares == pytest.approx([0.1236] * 8, abs=5e-3)


def test_modes_are_counted_from_a_stated_share():
    ring = data.ring(4, sd=0.1)
    samples = ring.centres[[0] * 97 + [1] * 2 + [2]]
    assert metrics.modes_found(samples, ring).found == 3
    assert metrics.modes_found(samples, ring, minimum=0.02).found == 2
    off = samples + torch.tensor([0.31, 0.0])
    assert metrics.modes_found(off, ring).found == 0
    assert metrics.modes_found(off, ring, within=3.2).high_quality == 1


@pytest.mark.parametrize("n, m", [(40, 40), (30, 60)])
def test_w1_is_the_cheapest_matching(n, m):
    x, y = (np.random.default_rng(seed).normal(size=(size, 3)) for seed, size in ((0, n), (1, m)))
    cost = np.linalg.norm(x[:, None] - y[None], axis=2).repeat(m // n, axis=0)  # a heavier point is two points
    matched = cost[linear_sum_assignment(cost)].mean()
    assert metrics.w1(torch.tensor(x), y) == pytest.approx(matched, abs=1e-12)


@pytest.mark.parametrize("call, words", [
    (lambda: metrics.w1(np.zeros((3, 2)), np.zeros((3, 1))), "one dimension"),
    (lambda: metrics.w1([[math.nan]], [[0.0]]), "must be finite"),
    (lambda: metrics.modes_found(torch.zeros(5, 3), data.ring()), r"must be \(n, 2\)"),
    (lambda: metrics.modes_found(torch.zeros(5, 2), data.lines(1)), "no centres"),
    (lambda: metrics.modes_found(torch.zeros(5, 2), data.ring(), minimum=0), "minimum in "),
    (lambda: metrics.w1(np.zeros((0, 2)), np.zeros((3, 2))), "one dimension"),
    (lambda: metrics.modes_found(torch.zeros(5, 2), data.ring(), within=0), "within must be above 0"),
])
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()

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


# ---- digits -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


@pytest.fixture(scope="module")
def classifier(digits):
    return metrics.classifier(digits)


def test_classifier_is_good_on_what_it_has_not_seen(classifier):
    assert classifier.accuracy > 0.95
    assert len(classifier.held_out) == 599


def test_the_protocol_finds_ten_classes_in_real_digits_and_few_in_noise(digits, classifier):
    real = metrics.classes_found(classifier.held_out, classifier)
    assert real.classes == tuple(range(10)) and real.recognised > 0.75
    assert real.shares.sum() == pytest.approx(real.recognised)
    noise = torch.rand(1000, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert metrics.classes_found(noise, classifier).recognised < 0.05
    ones = digits.images[digits.labels == 1].float() / 127.5 - 1
    assert metrics.classes_found(ones, classifier).classes == (1,)


def test_nearest_against_a_loop(digits):
    images = digits.images[:40].float() / 127.5 - 1
    distance, index = metrics.nearest(images[:5], images)
    assert list(index) == [0, 1, 2, 3, 4] and distance == pytest.approx(np.zeros(5))
    distance, index = metrics.nearest(images, images, skip_self=True)
    for k in range(40):
        far = [math.inf if j == k else float((images[k] - images[j]).norm()) for j in range(40)]
        assert index[k] == int(np.argmin(far)) and distance[k] == pytest.approx(min(far), rel=1e-5)


@pytest.mark.parametrize(("images", "references", "options", "says"), [
    (torch.zeros(0, 1, 8, 8), torch.zeros(2, 1, 8, 8), {}, "at least one image"),
    (torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 4, 4), {}, "64 pixels"),
    (torch.zeros(2, 4), torch.zeros(3, 4), {"skip_self": True}, "same images"),
])  # fmt: skip
def test_images_that_cannot_be_compared(images, references, options, says):
    with pytest.raises(ValueError, match=says):
        metrics.nearest(images, references, **options)


def test_bad_thresholds(classifier):
    for thresholds in ({"confidence": 0}, {"share": 1.5}):
        with pytest.raises(ValueError, match=r"\(0, 1\]"):
            metrics.classes_found(classifier.held_out, classifier, **thresholds)

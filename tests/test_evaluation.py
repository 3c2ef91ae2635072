"""Metrics of generators on laws where the truth is known: formulas against simulation and other routes."""

import math

import numpy as np
import pytest
import torch
from answers import judged
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gantools import data, divergences, evaluation, metrics
from gantools.exercises import evaluation as ex
from gantools.recording import record

LOG2 = math.log(2)


def near(found, truth, times=4):
    return abs(found.value - truth) < times * found.error


# ---- the Fréchet distance ---------------------------------------------------------------------------------


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(2, 40), st.integers(2, 40))
def test_the_frechet_distance_never_exceeds_w2_squared(seed, d, n, m):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_t(3, size=(n, d)), rng.exponential(size=(m, d)) - 1
    left, right = evaluation.gelbrich(x, y)
    assert left <= right * (1 + 1e-9) + 1e-9


def test_there_is_equality_where_one_cloud_is_an_affine_image_of_the_other():
    x = np.random.default_rng(0).exponential(size=(200, 3))
    stretched = x @ np.diag([0.5, 2, 1]) + [1, 2, 3]  # a symmetric positive map is optimal
    left, right = evaluation.gelbrich(x, stretched)
    assert left == pytest.approx(right, rel=1e-9)


def test_the_expected_distance_on_the_line_is_exact():
    rng = np.random.default_rng(0)
    for n, m, sd, shift in ((2, 2, 1.0, 0.0), (5, 9, 1.0, 0.0), (10, 10, 0.5, 0.3)):
        x, y = rng.normal(size=(200_000, n)), shift + sd * rng.normal(size=(200_000, m))
        seen = (x.mean(1) - y.mean(1)) ** 2 + (x.std(1, ddof=1) - y.std(1, ddof=1)) ** 2
        error = seen.std() / math.sqrt(len(seen))
        assert abs(seen.mean() - evaluation.frechet_line(n, m, sd, shift)) < 4 * error
    assert metrics.frechet(x[0][:, None], y[0][:, None]) == pytest.approx(seen[0])
    assert evaluation.frechet_line(10**6, 10**6, 2.0, 3.0) == pytest.approx(10, abs=1e-4)


@pytest.mark.parametrize(("d", "n"), [(1, 400), (16, 2000), (5, 300)])
def test_the_bias_to_first_order(d, n):
    bias = evaluation.frechet_bias(np.ones(d), n)
    assert bias == pytest.approx(2 * d / n + d * (d + 1) / (2 * (n - 1)))
    assert near(evaluation.frechet_mean(n, d), bias, 5)
    if d == 1:
        assert bias == pytest.approx(evaluation.frechet_line(n, n), rel=0.01)


def test_the_bias_of_any_covariance_and_of_unequal_numbers():
    variances, rng = np.array([4.0, 1.0, 0.25, 0.01]), np.random.default_rng(0)

    def draw(n):
        return rng.normal(size=(n, 4)) * np.sqrt(variances)

    seen = [metrics.frechet(draw(400), draw(1600)) for _ in range(600)]
    error = np.std(seen) / math.sqrt(600)
    assert abs(np.mean(seen) - evaluation.frechet_bias(variances, 400, 1600)) < 4 * error
    whole = evaluation.frechet_bias(variances, 400)
    assert evaluation.frechet_bias(variances, 400, 10**9) == pytest.approx(whole / 2, rel=1e-4)
    assert evaluation.frechet_bias(4 * variances, 400) == pytest.approx(4 * whole)  # in the units of a square


def test_sixteen_dimensions_at_three_sizes():
    """MATH J has single draws of these: 1.715, 0.330, 0.069."""
    for n, draw in ((100, 1.715), (500, 0.330), (2500, 0.069)):
        mean = evaluation.frechet_mean(n, 16, repeats=200)
        drawn = evaluation.frechet_run(n, 16, repeats=12)
        assert abs(drawn.value - mean.value) < 4 * math.hypot(drawn.error, mean.error)
        assert draw == pytest.approx(mean.value, rel=0.1)


def test_the_simulated_root_on_the_line_and_in_the_limit():
    assert near(evaluation.mean_root(8, 1, repeats=4000), 1 - (evaluation.frechet_line(8, 8) - 2 / 8) / 2)
    assert evaluation.mean_root(100_000, 4, repeats=20).value == pytest.approx(4, abs=2e-4)


def test_too_little_variety_is_rewarded():
    best = evaluation.thrifty(100, 16)
    assert 0.94 < best.value < 0.96
    tried = (best.value - 0.02, best.value, best.value + 0.02, 1)
    at = {sd: evaluation.frechet_mean(100, 16, sd).value for sd in tried}
    assert min(at, key=at.get) == best.value and at[best.value] < at[1]
    drawn = evaluation.frechet_run(100, 16, best.value, repeats=200)
    honest = evaluation.frechet_run(100, 16, 1.0, repeats=200)
    assert drawn.value < honest.value and near(drawn, at[best.value])
    assert evaluation.thrifty(10_000, 16, repeats=50).value > 0.999


def test_the_bias_is_extrapolated_away():
    rng = np.random.default_rng(0)
    real, same, other = (sd * rng.normal(size=(4000, 10)) for sd in (1, 1, 1.3))
    sizes = (500, 700, 1000, 2000, 4000)
    plain, found = metrics.frechet(real[:500], same[:500]), evaluation.frechet_infinity(real, same, sizes)
    assert plain > 0.1 and abs(found) < 0.02
    assert evaluation.frechet_infinity(real, other, sizes) == pytest.approx(10 * 0.09, abs=0.08)


# ---- the kernel distance ----------------------------------------------------------------------------------


def test_the_kernel_distance_is_three_moments():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=60), rng.exponential(size=60)
    kernel = [((a[:, None] * b + 1) ** 3).mean() for a, b in ((x, x), (y, y), (x, y))]
    assert evaluation.kid_line(x, y) == pytest.approx(kernel[0] + kernel[1] - 2 * kernel[2])
    assert evaluation.kid_line(stats.norm(0, 1), stats.norm(0.5, 1)) == pytest.approx(3.578125)
    big = metrics.kid(rng.normal(size=(2000, 1)), rng.normal(size=(2000, 1)) + 0.5)
    assert abs(big.value - 3.578125) < 4 * big.error


def test_three_points_have_the_moments_of_a_gaussian():
    points = np.sqrt(3) * np.array([-1, 0, 0, 0, 0, 1])
    assert evaluation.kid_line(stats.norm(0, 1), points) == pytest.approx(0, abs=1e-25)
    assert points.var() == pytest.approx(1) and (points**4).mean() == pytest.approx(3)
    assert (points**6).mean() == pytest.approx(9)  # of a Gaussian: 15


# ---- divergences from samples -----------------------------------------------------------------------------


def test_the_histograms_find_a_divergence_where_there_is_none():
    p = np.full(10, 0.1)
    found = evaluation.plugin_jsd(p, p, 1000)
    assert evaluation.plugin_bias(10, 1000) == 0.00225  # MATH M34
    assert found == pytest.approx(0.00225, abs=1e-4)
    rng = np.random.default_rng(0)
    for p, q, n in ((p, p, 1000), (np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.2, 0.7]), 20)):
        pairs = [(rng.multinomial(n, p) / n, rng.multinomial(n, q) / n) for _ in range(2000)]
        seen = [divergences.jsd(*pair) for pair in pairs]
        error = np.std(seen) / math.sqrt(len(seen))
        assert abs(np.mean(seen) - evaluation.plugin_jsd(p, q, n)) < 4 * error


def test_the_expected_histogram_divergence_by_counting():
    """Two cells and two samples of either law: sixteen outcomes."""
    p, q = [0.3, 0.7], [0.6, 0.4]
    total = 0.0
    for a in range(3):
        for b in range(3):
            chance = stats.binom.pmf(a, 2, 0.3) * stats.binom.pmf(b, 2, 0.6)
            total += chance * divergences.jsd([a / 2, 1 - a / 2], [b / 2, 1 - b / 2])
    assert evaluation.plugin_jsd(p, q, 2) == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("mu", [0.5, 2.0])
@pytest.mark.parametrize("steepness", [0.3, 1.0, 4.0])
def test_a_classifier_s_bound_and_what_it_leaves_out(mu, steepness):
    found = evaluation.classifier_gap(mu, steepness)
    assert found.jsd == pytest.approx(found.bound + found.gap, abs=1e-9) and found.gap >= 0
    assert (found.gap < 1e-12) == (steepness == 1)


def test_modes_are_missed_for_want_of_samples():
    assert evaluation.modes_expected(1000, 2560) == pytest.approx(1000 * (1 - (1 - 1e-3) ** 2560))
    rng = np.random.default_rng(0)
    seen = [len(np.unique(rng.integers(50, size=80))) for _ in range(2000)]
    assert np.mean(seen) == pytest.approx(evaluation.modes_expected(50, 80), abs=0.3)
    assert evaluation.modes_expected(1, 3) == 1 and evaluation.modes_expected(7, 0) == 0


# ---- ways to fail -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def board():
    return {how: evaluation.scores(how) for how in evaluation.FAILURES}


def test_no_metric_sees_every_failure(board):
    fine = board["nothing"]
    assert fine["frechet"] < 0.01 and fine["modes"] == 8 and min(fine["precision"], fine["recall"]) > 0.95
    assert fine["coverage"] == pytest.approx(metrics.expected_coverage(1000, 1000), abs=0.02)
    for blind in ("too narrow", "too wide", "two moments", "by heart"):
        assert board[blind]["frechet"] < 0.02 and board[blind]["kid"] < 0.02
    assert board["shifted"]["frechet"] > 0.05 and board["shifted"]["precision"] < 0.1
    assert board["too narrow"]["precision"] == 1 and board["too narrow"]["recall"] < 0.6
    assert board["too wide"]["precision"] < 0.6 and board["too wide"]["recall"] == 1
    assert board["five modes of eight"]["modes"] == 5 and board["five modes of eight"]["precision"] > 0.95
    assert board["two moments"]["modes"] == 0 and board["two moments"]["coverage"] < 0.1
    assert board["one point"]["precision"] == 1 and board["one point"]["recall"] == 0
    caught = {how: round(row["nearer_to_train"]) for how, row in board.items() if how != "one point"}
    assert board["by heart"]["nearer_to_train"] > 0.99 and board["by heart"]["precision"] > 0.95
    assert all(0.35 < board[how]["nearer_to_train"] < 0.65 for how in caught if how != "by heart")


def test_who_notices_what():
    """The chapter's table; with eight standard deviations instead of six it is the same."""
    found = evaluation.noticed(deviations=8)
    assert found["by heart"] == ("nearer_to_train",) and found["too narrow"] == ("recall", "coverage")
    assert "frechet" not in found["two moments"] and "modes" in found["two moments"]
    assert all(found.values()) and not any(len(seen) == 8 for seen in found.values())
    with pytest.raises(ValueError, match="perfect must be"):
        evaluation.noticed(perfect=1)


def test_a_game_whose_losses_stand_still_while_its_samples_improve():
    law = data.ring(8, sd=0.1)
    game = evaluation.plane_game(law)
    played = record(game, 300, 50, grid=4, arrows=0, measure=evaluation.measures(law, 400))
    early, late = played.losses[50:150].mean(0), played.losses[-100:].mean(0)
    assert ((late - early) / early).abs().max() < 0.05
    distance, precision, recall = played.measures.T
    assert distance[-1] < distance[1] / 3 < distance[0] and precision[-1] > precision[1] and recall[-1] > 0.7
    real = law.sample(400, torch.Generator().manual_seed(0))
    first = evaluation.plane_game(law).sample(400, seed=1)
    assert distance[0] == pytest.approx(metrics.frechet(real, first), rel=1e-5)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: evaluation.frechet_line(1, 5), "n must be"),
    (lambda: evaluation.frechet_bias([1.0, 0.0], 10), "positive"),
    (lambda: evaluation.mean_root(5, 5), "n must be"),
    (lambda: evaluation.frechet_infinity(np.zeros((5, 2)), np.zeros((9, 2)), (2, 6)), "from 2 to 5"),
    (lambda: evaluation.plugin_jsd([0.5, 0.5], [1.0], 5), None),
    (lambda: evaluation.plugin_jsd(stats.norm(), stats.norm(), 5), "two vectors"),
    (lambda: evaluation.modes_expected(0, 5), "k must be"),
    (lambda: evaluation.failing("badly", torch.zeros(2, 2), 5, torch.Generator()), "choose one of"),
])  # fmt: skip
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ---- the exercises ----------------------------------------------------------------------------------------


def own_frechet(a, b):
    return (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2


def samples_needed():
    n = 2
    while 2 * 64 / n + 64 * 65 / (2 * (n - 1)) >= 0.1:
        n += 1
    return n


def own_coverage(n, m, k):
    return 1 - math.comb(n - 1, k) / math.comb(n + m - 1, k)


@pytest.mark.parametrize("check, right, wrongs", [
    (ex.check_frechet, own_frechet, [
        (lambda a, b: (a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2, "n - 1"),
        (lambda a, b: np.sqrt(own_frechet(a, b)), "its root"),
        (lambda a, b: (a.mean() - b.mean()) ** 2, "left out the spread"),
        (lambda a, b: (a.mean() - b.mean()) ** 2 + (a.var(ddof=1) - b.var(ddof=1)) ** 2, "compare variances"),
    ]),
    (ex.check_blind, {"B", "D"}, [
        ({"A", "B"}, "1/3"), ({"B", "C"}, "variance 2"), ({"B"}, "one more"), ("BDE", "mean of E"),
        (3, "letters"), (set(), "letters"),
    ]),
    (ex.check_bias, samples_needed(), [
        (1280, "means"), (samples_needed() // 2, "law that is known"), (30_000, "too many"),
        (0.5, "whole number"),
    ]),
    (ex.check_density, 0.5, [(1, "all good"), (2.5, "number of balls"), (0.1, "once more")]),
    (ex.check_coverage, own_coverage, [
        (lambda n, m, k: 1 - own_coverage(n, m, k), "stays empty"),
        (lambda n, m, k: 1 - 2.0**-k, "limit"),
        (lambda n, m, k: 1 - (n / (n + m)) ** k, "without replacement"),
        (lambda n, m, k: own_coverage(n + 1, m, k), "own centre"),
        (lambda n, m, k: own_coverage(m, n, k), "changed n and m"),
    ]),
    (ex.check_copying, 0.9, [(6 / 7, "without the copies"), (0.65, "one size"), (0.3, "no copy")]),
    (ex.check_cells, 62475, [(31237.5, "exact masses"), (1225, "50 x 50"), (250000, "4 n")]),
    (ex.check_verdict, "C", [("A", "floor"), ("B", "recall"), ("D", "precision"), ("E", None)]),
])  # fmt: skip
def test_exercise_checks_know_right_from_wrong(check, right, wrongs, capsys):
    judged(capsys, check, right, wrongs)


def test_what_the_exercises_take_for_granted():
    rng = np.random.default_rng(0)
    n, signs = 400_000, [-1.0, 1.0]
    laws = (
        rng.uniform(-1, 1, n), rng.choice(signs, n), rng.normal(size=n) + rng.choice(signs, n),
        rng.choice(np.sqrt(3) * np.array([-1, 0, 0, 0, 0, 1]), n), rng.exponential(size=n),
    )  # fmt: skip
    limits = [x.mean() ** 2 + (x.std() - 1) ** 2 for x in laws]
    assert [round(value, 1) for value in limits] == [0.2, 0, 0.2, 0, 1]
    real, good = rng.normal(size=(1500, 2)), rng.normal(size=(1500, 2))
    good[::2] += 100
    assert metrics.prdc(real, good).density == pytest.approx(0.5, abs=0.03)
    train, held = rng.normal(size=(600, 2)), rng.normal(size=(100, 2))
    fake = np.vstack([train[:300], rng.normal(size=(700, 2))])
    seen = metrics.copying(torch.tensor(fake), torch.tensor(train), torch.tensor(held))
    assert seen.share == pytest.approx(0.9, abs=0.04) and seen.expected == pytest.approx(6 / 7)
    assert evaluation.plugin_bias(2500, 62475) == pytest.approx(0.01)


# ---- the figure that moves --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def figure(moving):
    def read(*presses, **controls):
        return moving.read("evaluation", "default", *presses, **controls)

    return read


PERFECT = {"shift": 0, "spread": 1, "missing": 0, "copied": 0, "n": 200, "seed": 1}


def law_of(setting):
    """Mean and covariance of what the figure draws, by sampling nothing."""
    angles = np.arange(8) * np.pi / 4
    ring = np.stack([np.cos(angles), np.sin(angles)], 1)
    kept = ring[: 8 - setting["missing"]] + [setting["shift"], 0]
    copied = setting["copied"]
    weights = np.r_[np.full(len(kept), (1 - copied) / len(kept)), np.full(8, copied / 8)]
    spread = (1 - copied) * setting["spread"] ** 2 + copied
    points = np.vstack([kept, ring])
    mean = weights @ points
    covariance = (points - mean).T @ ((points - mean) * weights[:, None]) + 0.01 * spread * np.eye(2)
    return mean, covariance, np.zeros(2), 0.51 * np.eye(2)


@pytest.mark.parametrize("changed", [
    {}, {"shift": 0.3, "seed": 2}, {"spread": 0.3, "n": 120}, {"missing": 3}, {"copied": 0.5, "missing": 2},
    {"missing": 7, "spread": 0.1, "n": 20},
])  # fmt: skip
def test_the_moving_figure_shows_the_library_s_numbers(figure, changed):
    setting = PERFECT | changed
    shown = figure(**setting)
    train, held, fake = (np.array(shown[name]) for name in ("train", "held", "fake"))
    assert train.shape == held.shape == fake.shape == (setting["n"], 2)
    assert shown["frechet"] == pytest.approx(metrics.frechet(fake, train), abs=1e-9)
    if setting["n"] >= 40:
        assert shown["kid"] == pytest.approx(metrics.kid(fake, train).value, abs=1e-9)
    found = metrics.prdc(train, fake)._asdict()
    assert {name: shown[name] for name in found} == pytest.approx(found, abs=1e-12)
    near = metrics.copying(*(torch.from_numpy(x) for x in (fake, train, held)))
    assert shown["nearer"] == pytest.approx(near.share)
    assert shown["truth"] == pytest.approx(metrics.frechet_gaussian(*law_of(setting)), abs=1e-9)
    assert shown["low"]["frechet"] == pytest.approx(metrics.frechet(held, train), abs=1e-9)
    curve, floors = np.array(shown["curve"]), np.array(shown["floors"])
    assert (curve > 0).all() and floors[0] > 5 * floors[-1]
    if not setting["copied"]:
        assert abs(curve[-1] - shown["truth"]) < max(0.1 * shown["truth"], 3 * floors[-1])


def test_the_moving_figure_s_buttons(figure):
    assert figure(**PERFECT)["modes"] == 8
    heart = figure("By heart")
    assert heart["nearer"] == 1 and heart["precision"] == 1
    dropped = figure("Three modes missing")
    assert dropped["modes"] == 5 and dropped["recall"] < 0.75 and dropped["precision"] > 0.9
    assert figure("Too narrow")["recall"] < 0.75
    assert figure("Perfect")["nearer"] < 0.7

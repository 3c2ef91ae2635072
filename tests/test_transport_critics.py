"""Critics: bounds that are attained, penalties by hand, and trained critics against the exact distance."""

import itertools
import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats
from torch._subclasses import FakeTensorMode

from gantools import metrics, nets, transport
from gantools.exercises import transport as exercises
from gantools.game import Batch
from gantools.transport import critics


@pytest.fixture(scope="module")
def clouds():
    return transport.two_clouds()


@pytest.fixture(scope="module")
def runs(clouds):
    return {
        (method, seed): transport.train_critic(method, clouds, seed)
        for method, seed in itertools.product(transport.METHODS, range(2))
    }


# weight clipping --------------------------------------------------------------------------------------


def test_the_clip_bound_of_two_nets():
    assert transport.clip_bound([2, 64, 64, 1], 0.01) == pytest.approx(0.0057926, abs=1e-7)
    assert transport.clip_bound([2, 512, 512, 512, 1], 0.01) == pytest.approx(1.898125, abs=1e-6)


@pytest.mark.parametrize("widths", [[3, 1], [2, 5, 1], [2, 64, 64, 1], [4, 7, 9, 5, 1]])
def test_the_bound_is_attained_and_is_the_product_of_spectral_norms(widths):
    c = 0.3
    net = transport.steepest_clipped(widths, c).double()
    weights = [p.detach().numpy() for p in net.parameters() if p.ndim == 2]
    assert transport.clip_bound(widths, c) == pytest.approx(np.prod([np.linalg.norm(W, 2) for W in weights]))
    x = torch.rand(10, widths[0], dtype=torch.float64)
    assert transport.lipschitz_on(net, x).numpy() == pytest.approx(transport.clip_bound(widths, c))


@given(st.integers(0, 10**6), st.floats(0.01, 2))
def test_no_clipped_net_is_steeper(seed, c):
    net = nets.mlp([2, 6, 6, 1], seed=seed)
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(10).clamp_(-c, c)
    slopes = transport.lipschitz_on(net, torch.randn(50, 2, generator=torch.Generator().manual_seed(seed)))
    assert slopes.max().item() <= transport.clip_bound([2, 6, 6, 1], c) * (1 + 1e-5)


def test_the_bound_grows_or_dies_with_depth_by_c_times_the_width():
    deep = [transport.clip_bound([2] + [50] * k + [1], 0.02) for k in (1, 5, 9)]
    assert deep == pytest.approx([0.02**2 * math.sqrt(2) * 50] * 3)
    assert transport.clip_bound([2] + [100] * 500 + [1], 0.05) == math.inf  # 5^500, beyond a float


# penalties as functions of the slope ------------------------------------------------------------------


def test_the_reports_formula_beside_the_right_one():
    norms = [0, 0.5, 1, 1.5, 2, 2.5]
    assert transport.gradient_penalty(norms) == pytest.approx([1, 0.25, 0, 0.25, 1, 2.25])
    assert transport.gradient_penalty(norms, one_sided=True) == pytest.approx([0, 0, 0, 0.25, 1, 2.25])
    theirs = transport.report_penalty(norms)
    assert np.isnan(theirs[:2]).all() and theirs[2] == -math.inf
    assert theirs[3:] == pytest.approx([-math.log(2), 0, math.log(1.5)])


@pytest.mark.parametrize(("w", "weight"), [(3, 10), (0.75, 10), (1, 0.1), (0, 5)])
def test_softness_against_a_maximiser(w, weight):
    best = optimize.minimize_scalar(
        lambda a: weight * float(transport.gradient_penalty(abs(a))) - w * a,
        bounds=(0, 20), method="bounded", options={"xatol": 1e-10},
    ).x  # fmt: skip
    assert transport.soft_slope(w, weight) == pytest.approx(best, abs=1e-5)


def test_softness_of_the_books_example():
    assert transport.soft_slope(3, 10) == pytest.approx(1.15)
    assert 3 * transport.soft_slope(3, 10) == pytest.approx(3.45)


# spectral normalisation -------------------------------------------------------------------------------


def test_power_iteration_climbs_to_the_largest_singular_value():
    W = np.random.default_rng(0).normal(size=(32, 64))
    found = transport.power_iteration(W, 200, seed=1)
    assert found[[0, 4, 19, 199]] == pytest.approx([10.4222, 11.7957, 12.0589, 12.3904], abs=5e-5)
    assert np.linalg.norm(W, 2) == pytest.approx(12.391651, abs=1e-6)


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 8))
def test_power_iteration_never_falls_and_never_exceeds(seed, m, n):
    W = np.random.default_rng(seed).normal(size=(m, n))
    found, top = transport.power_iteration(W, 30, seed), np.linalg.norm(W, 2)
    assert (np.diff(found) >= -1e-12 * top).all() and found[-1] <= top * (1 + 1e-12)


# the problem and its exact solution -------------------------------------------------------------------


def test_the_matching_is_optimal(clouds):
    cost = (clouds.real - clouds.fake[clouds.partner]).norm(dim=1)
    assert sorted(clouds.partner.tolist()) == list(range(len(clouds.real)))
    assert cost.mean().item() == pytest.approx(clouds.w1, abs=1e-6)
    assert metrics.w1(clouds.real, clouds.fake) == pytest.approx(clouds.w1, abs=1e-9)


def test_the_optimal_critic_attains_the_distance_and_is_1_lipschitz(clouds):
    gap = clouds.critic_real.mean() - clouds.critic_fake.mean()
    assert gap.item() == pytest.approx(clouds.w1, abs=1e-6)
    points = torch.cat([clouds.real, clouds.fake]).double()
    values = torch.cat([clouds.critic_real, clouds.critic_fake])
    assert ((values[:, None] - values).abs() <= torch.cdist(points, points) + 1e-6).all()


def test_envelopes_meet_on_the_rays_with_slope_one_and_part_beside_them(clouds):
    on, off = transport.rays(clouds), transport.beside(clouds)
    for x, test in ((on, lambda d: d.max() < 1e-6), (off, lambda d: d.median() > 0.1)):
        low, high = transport.envelopes(clouds, x)
        assert (high - low >= -1e-9).all() and test(high - low)
    middle = lambda x: sum(transport.envelopes(clouds, x)) / 2  # noqa: E731
    assert transport.lipschitz_on(middle, on.double()).numpy() == pytest.approx(1, abs=1e-3)
    assert transport.lipschitz_on(middle, off.double()).max() <= 1 + 1e-9


def test_rays_lie_on_the_segments_and_the_others_do_not(clouds):
    start, end = clouds.real, clouds.fake[clouds.partner]
    x = transport.rays(clouds, each=4).view(4, -1, 2)
    way = (x - start).norm(dim=-1) + (x - end).norm(dim=-1)  # (4, n)
    assert torch.allclose(way, (start - end).norm(dim=1).expand(4, -1))
    off, dense = transport.beside(clouds, gap=0.1), transport.rays(clouds, each=200)
    assert 100 < len(off) < 4000 and torch.cdist(off, dense).min() > 0.099


# what a critic proves ---------------------------------------------------------------------------------


@given(st.integers(0, 10**6))
def test_what_a_critic_proves_never_exceeds_the_distance(seed):
    rng = torch.Generator().manual_seed(seed)
    x, y = torch.randn(12, 2, generator=rng), 1 + torch.randn(12, 2, generator=rng)
    critic = nets.mlp([2, 8, 1], seed=seed)
    flip = -1 if critic(x).mean() < critic(y).mean() else 1
    said = transport.critic_bound(lambda z: 100 * flip * critic(z), x, y)
    assert said.distance <= metrics.w1(x, y) + 1e-6
    assert said.distance == pytest.approx(said.reported / said.steepest)


def test_the_optimal_critic_proves_the_distance(clouds):
    low = lambda x: 7 * transport.envelopes(clouds, x)[0]  # noqa: E731
    said = transport.critic_bound(low, clouds.real, clouds.fake)
    assert said == pytest.approx((7 * clouds.w1, 7, clouds.w1), rel=1e-6)


# trained critics --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("method", ["gradient penalty", "one-sided penalty"])
def test_a_penalised_critic_overshoots_softly_and_proves_nearly_all(clouds, runs, method, seed):
    run = runs[method, seed]
    assert run.reported / clouds.w1 == pytest.approx(transport.soft_slope(clouds.w1, 10), abs=0.02)
    assert 0.96 * clouds.w1 < run.proven <= clouds.w1
    assert 1 < run.on_rays < 1.08 and run.off_rays < run.on_rays


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("method", ["clip", "spectral norm"])
def test_a_constrained_critic_stays_below(clouds, runs, method, seed):
    run = runs[method, seed]
    assert 0.3 * clouds.w1 < run.proven < 0.9 * clouds.w1
    if method == "clip":
        weights = torch.cat([p.flatten() for p in run.critic.parameters()])
        assert weights.abs().max() <= 0.1
    else:
        assert run.steepest < 1 and run.on_rays < 0.9


def test_what_a_clipped_critic_reports_depends_on_c_and_what_it_proves_does_not(clouds):
    small, large = (transport.train_critic("clip", clouds, c=c, turns=100) for c in (0.01, 1.0))
    assert large.reported > 1e5 * small.reported
    assert large.proven == pytest.approx(small.proven, rel=0.3)


def test_the_same_seed_gives_the_same_critic(clouds):
    one, other = (transport.train_critic("gradient penalty", clouds, 5, turns=5) for _ in range(2))
    assert one[3:8] == other[3:8]


@pytest.mark.parametrize("method", transport.METHODS)
def test_every_critics_loss_evaluates_on_cuda(clouds, method, monkeypatch):
    """Under fake tensors, where autograd has no device: its part is mimed."""
    monkeypatch.setattr(torch.autograd, "grad", lambda y, x, create_graph: (x * y,))
    with FakeTensorMode(allow_non_fake_inputs=True), torch.device("cuda"):
        two = clouds._replace(real=torch.zeros(8, 2), fake=torch.zeros(8, 2))
        game = critics.critic_game(method, two, 0, 1e-2, (2, 8, 1), 0.1, 10.0, device="cuda")
        batch = Batch(game.data, game.batch_size, None, game.device)
        assert game.players[0].loss(batch).device == torch.device("cuda", 0)


# bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: transport.clip_bound([3], 0.1), "at least two"),
        (lambda: transport.clip_bound([3, 1], 0.0), "positive"),
        (lambda: transport.steepest_clipped([3, 0, 1], 0.1), "whole numbers"),
        (lambda: transport.gradient_penalty([-1.0]), "not negative"),
        (lambda: transport.report_penalty([math.nan]), "not negative"),
        (lambda: transport.soft_slope(1.0, 0.0), "weight must be positive"),
        (lambda: transport.power_iteration(np.zeros((2, 2)), 5), "not all of them zero"),
        (lambda: transport.power_iteration(np.eye(2), 0), "steps"),
        (lambda: transport.two_clouds(1), "at least 2"),
        (lambda: transport.critic_bound(lambda x: 0 * x, torch.rand(3, 1), torch.rand(3, 1)), "proves nothing"),
        (lambda: transport.train_critic("batch norm", None), "no method 'batch norm'"),
    ],
)
def test_bad_input_says_what_is_wrong(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# exercises and figure ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "answer", "sentence"),
    [
        (exercises.check_clip, (math.sqrt(2) * 128**3) ** -0.25, "Right"),
        (exercises.check_clip, 128**-0.75, "sqrt(2)"),
        (exercises.check_clip, (2 * 128**3) ** -0.25, "not 2"),
        (exercises.check_clip, (math.sqrt(2) * 128**3) ** (-1 / 3), "four matrices"),
        (exercises.check_clip, (math.sqrt(2) * 128**2) ** -0.25, "three hidden widths"),
        (exercises.check_clip, transport.clip_bound([2, 128, 128, 128, 1], 0.01), "find the c"),
        (exercises.check_clip, 1 / 128, "leaves it below 1"),
        (exercises.check_clip, 0.5, "too large"),
        (exercises.check_clip, ..., "no answer here yet"),
        (exercises.check_trap, lambda w, weight: -max(0.0, 1 - w / (2 * weight)), "Right"),
        (exercises.check_trap, lambda w, weight: 1 + w / (2 * weight), "best slope"),
        (exercises.check_trap, lambda w, weight: -1 - w / (2 * weight), "minus, not plus"),
        (exercises.check_trap, lambda w, weight: w / (2 * weight) - 1, "there is none"),
        (exercises.check_trap, lambda w, weight: max(0.0, 1 - w / (2 * weight)), "sign is flipped"),
        (exercises.check_trap, lambda w, weight: -max(0.0, 1 - w / weight), "your function gives"),
    ],
)
def test_exercises_explain_what_is_wrong(capsys, check, answer, sentence):
    check(answer)
    assert sentence in capsys.readouterr().out


def test_gradient_ascent_falls_into_the_trap():
    """What the exercise says of small negative slopes, by taking the steps."""
    for w, weight in ((3.0, 10.0), (5.0, 2.0)):
        a = -0.01
        for _ in range(4000):
            a += 1e-3 * (w - 2 * weight * (abs(a) - 1) * math.copysign(1, a))
            if a > 0:
                break
        trap = -max(0.0, 1 - w / (2 * weight))
        assert (a > 0) if trap == 0 else a == pytest.approx(trap, abs=1e-6)


@pytest.fixture(scope="module")
def figure(moving):
    return partial(moving.read, "critic", "default")


PIECES = [-np.inf, -0.75, 0.75, 2.25, 3.75, np.inf]


@pytest.mark.parametrize(("mean", "sd"), [(3.0, 1.0), (1.0, 0.4), (0.0, 2.0)])
def test_the_figure_reports_what_quadrature_gives(figure, mean, sd):
    slopes = [-1.4, 0.3, -0.9, -2.0, 0.7]
    said = figure(mean=mean, sd=sd, weight=4, sided="two", **{f"a{k + 1}": a for k, a in enumerate(slopes)})
    real, fake = stats.norm(0, 1), stats.norm(mean, sd)
    assert said["w1"] == pytest.approx(transport.w1(real, fake), abs=1e-4)

    def critic(x):
        return sum(
            a * (np.clip(x, low, high) - np.clip(0.0, low, high))
            for a, low, high in zip(slopes, PIECES, PIECES[1:], strict=False)
        )

    x = np.linspace(-14, 17, 400_001)
    gap = integrate.trapezoid(critic(x) * (real.pdf(x) - fake.pdf(x)), x)
    assert said["reported"] == pytest.approx(gap, abs=1e-5)
    e = (np.arange(4000)[:, None] + 0.5) / 4000
    inside = stats.norm.cdf((np.array(PIECES) - (1 - e) * mean) / np.hypot(e, (1 - e) * sd)).mean(0)
    mass = np.diff(inside)
    two, one = (4 * mass @ transport.gradient_penalty(np.abs(slopes), side) for side in (False, True))
    assert said["penalty"] == pytest.approx(two, rel=1e-3)
    assert figure(sided="one")["penalty"] == pytest.approx(one, rel=1e-3)
    assert said["proven"] <= said["w1"]


@pytest.mark.parametrize(("sided", "trapped"), [("two", True), ("one", False)])
def test_the_figures_critic_climbs_to_the_best_slopes_or_into_the_trap(figure, sided, trapped):
    best = figure("Back to the start") and figure("Let it climb from here", sided=sided, weight=10)
    soft = [-transport.soft_slope(-b / m, 10) for b, m in zip(best["earns"], best["mass"], strict=True)]
    assert best["slopes"] == pytest.approx(soft, abs=0.006)
    figure("Turn it the wrong way")
    again = figure("Let it climb from here")
    expected = [2 + a for a in soft] if trapped else soft
    assert again["slopes"] == pytest.approx(expected, abs=0.006)

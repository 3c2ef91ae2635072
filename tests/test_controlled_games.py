"""Algorithm 1 with several sources: its data, its game, what is measured of it; the figure, the exercises."""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from answers import judged
from scipy import stats
from torch._subclasses import FakeTensorMode

from gantools import controlled, data, divergences, nets, results, widgets
from gantools.controlled import Clipped, Dirichlet, Gaussian
from gantools.exercises import controlled as ex
from gantools.game import Batch, gan
from gantools.recording import Recording, record

LOG2 = math.log(2)
RESULTS = Path(__file__).parents[1] / "book" / "results"
LEFT, RIGHT = data.normal([-4.0, 0.0], 0.5), data.normal([4.0, 1.0], 0.5)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def grid_jsd(law, half=14.0, step=0.05):
    """JSD and TV of the clean and the contaminated mixture from scipy's densities, on a grid of its own."""
    axis = np.arange(-half, half, step) + 0.03
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1)
    p = q = 0
    each = zip(law.parts, law.weights.tolist(), law.deltas, law.noises, strict=True)
    for part, weight, delta, noise in each:
        variances = part.sd**2, part.sd**2 + noise.scale**2
        for centre, share in zip(part.centres.tolist(), part.weights.tolist(), strict=True):
            clean, moved = (stats.multivariate_normal(centre, v).pdf(points) for v in variances)
            p = p + weight * share * clean
            q = q + weight * share * ((1 - delta) * clean + delta * moved)
    p, q = p / p.sum(), q / q.sum()
    return divergences.jsd(p.ravel(), q.ravel()), divergences.tv(p.ravel(), q.ravel())


# ---- sources ----------------------------------------------------------------------------------------------


def test_every_source_has_its_share_its_level_and_its_noise():
    far = Gaussian(0.0)

    def mark(x, generator):
        return torch.full_like(x, 100.0)

    law = controlled.sources([LEFT, RIGHT, LEFT], [0.1, 0.5, 1.0], [0.5, 0.3, 0.2], noise=[mark, mark, far])
    x, source = law.draw(60_000, rng())
    assert x.shape == (60_000, 2) and x.dtype == torch.float32 and source.dtype == torch.int64
    shares = torch.bincount(source, minlength=3) / 60_000
    assert shares.tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.01)
    marked = x[:, 0] > 50
    for k, level in enumerate([0.1, 0.5, 0.0]):  # the third's noise moves nothing
        assert marked[source == k].float().mean() == pytest.approx(level, abs=0.015)
    assert (x[source == 1][:, 0] > 0).all() and (x[(source != 1) & ~marked][:, 0] < 0).all()


def test_one_source_is_what_contaminate_makes_of_it():
    digits = data.load("digits")
    law = controlled.sources(digits, 0.4, scale=0.5)
    x, source = law.draw(500, rng(3))
    assert law.shape == (1, 8, 8) and (source == 0).all()
    generator = rng(3)
    drawn = digits.sample(500, generator)
    assert torch.equal(x, controlled.contaminate(drawn, 0.4, "gaussian", generator, scale=0.5))
    assert not controlled.outside(law.clean.sample(500, rng(4)), data.to_float(digits.images)).any()
    assert law.bound == controlled.bounds([0.4], [1.0])


def test_weights_are_equal_unless_given_and_levels_may_be_one_number():
    law = controlled.sources([LEFT, RIGHT], [0.2, 0.4], scale=2.0)
    assert law.weights.tolist() == [0.5, 0.5] and law.noises == (Gaussian(2.0), Gaussian(2.0))
    assert law.bound == pytest.approx(controlled.bounds([0.2, 0.4], [0.5, 0.5]))
    assert law.clean.deltas == (0, 0) and law.clean.bound == (0, 0)
    assert controlled.sources(LEFT, 1).deltas == (1.0,)


def test_noise_that_is_cut_off_stays_in_range_and_spares_what_it_spares():
    x = data.to_float(data.load("digits").images[:400])
    y = controlled.contaminate(x, 0.5, Clipped(Gaussian(1.0)), rng())
    plain = controlled.contaminate(x, 0.5, Gaussian(1.0), rng())
    assert y.min() >= -1 - 1e-6 and y.max() <= 1 + 1e-6 and plain.max() > 2
    assert torch.allclose(y, plain.clamp(-1, 1), atol=1e-6)
    untouched = (plain == x).flatten(1).all(1)
    assert torch.equal(y[untouched], x[untouched]) and 0.4 < untouched.float().mean() < 0.6
    wide = controlled.contaminate(x, 1, Clipped(Gaussian(5.0), 0.0, 0.25), rng())
    assert wide.min() >= -1e-6 and wide.max() <= 0.25 + 1e-6


@pytest.mark.parametrize("make, words", [
    (lambda: controlled.sources([], []), "0 sources need as many weights"),
    (lambda: controlled.sources([LEFT, RIGHT], [0.1]), "2 sources need as many deltas, not 1"),
    (lambda: controlled.sources([LEFT, RIGHT], 0.1), "as many deltas"),
    (lambda: controlled.sources([LEFT, RIGHT], [0.1, 1.2]), r"delta must lie in \[0, 1\]"),
    (lambda: controlled.sources([LEFT, RIGHT], [0.1, math.nan]), "delta must lie in"),
    (lambda: controlled.sources([LEFT, RIGHT], [0.1, 0.2], [0.5, 0.6]), "sum to one"),
    (lambda: controlled.sources([LEFT, RIGHT], [0.1, 0.2], [1.5, -0.5]), "non-negative"),
    (lambda: controlled.sources([LEFT, RIGHT], [0.1, 0.2], [1.0]), "2 sources need as many weights"),
    (lambda: controlled.sources([LEFT, RIGHT], [0.1, 0.2], noise=["gaussian"]), "as many noises, not 1"),
    (lambda: controlled.sources([LEFT, RIGHT], [0.1, 0.2], noise="cauchy"), "no noise named"),
    (lambda: controlled.sources([LEFT, data.normal(0.0)], [0.1, 0.2]), r"shape, not of \[\(1,\), \(2,\)\]"),
    (lambda: controlled.sources([LEFT, data.load("digits")], [0.1, 0.2]), "of one shape"),
    (lambda: controlled.sources(LEFT, 0.1, scale=-1), "scale must be"),
    (lambda: controlled.sources(data.normal(0.0), 0.1, noise="dirichlet").draw(4), "at least two numbers"),
    (lambda: controlled.plane_distance(controlled.sources(data.normal(0.0), 0.1)), "of the plane"),
    (lambda: controlled.plane_distance(controlled.sources(LEFT, 0.1, noise="dirichlet")), "Gaussian noises"),
    (lambda: controlled.Cells(controlled.sources(data.lines(0.0, 0.1), 0.1)), "Gaussian mixtures"),
    (lambda: controlled.judge(torch.zeros(59, 2), torch.zeros(80, 2)), "60 or more"),
    (lambda: controlled.judge(torch.zeros(80, 2), torch.zeros(80, 3)), "alike"),
])  # fmt: skip
def test_bad_input_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_parameters_go_with_a_name():
    with pytest.raises(TypeError, match="by name"):
        controlled.sources([LEFT, RIGHT], [0.1, 0.2], noise=Gaussian(1), scale=2)


# ---- the game ---------------------------------------------------------------------------------------------


def small_game(device="cpu", noise=("gaussian", Clipped(Dirichlet(0.5, 3.0))), **options):
    law = controlled.sources([LEFT, RIGHT], [0.2, 0.6], [0.25, 0.75], noise=noise)
    generator, discriminator = nets.mlp([2, 8, 2], seed=1), nets.mlp([2, 8, 1], seed=2)
    return gan(generator, discriminator, law, batch_size=16, device=device, seed=5, **options)


def test_the_game_resumes_to_the_bit(tmp_path):
    straight, first, second = small_game(ema=0.9), small_game(ema=0.9), small_game(ema=0.9)
    straight.run(20)
    first.run(9)
    first.save(tmp_path / "half.safetensors")
    second.load(tmp_path / "half.safetensors")
    second.run(11)
    for name, value in straight.state()["tensors"].items():
        assert torch.equal(value, second.state()["tensors"][name]), name
    assert not torch.equal(straight.sample(8), first.sample(8))


def on_digits(device, noise="gaussian", **options):
    """Without a running average: a fake tensor must not be copied."""
    law = controlled.sources(data.load("digits"), 0.3, noise=noise)
    return controlled.image_game(law, width=16, device=device, ema=None, **options)


@pytest.mark.parametrize("build", [
    small_game,
    lambda device: on_digits(device, "dirichlet"),
    lambda device: on_digits(device, Clipped(Gaussian(0.5)), grain=True),
    lambda device: controlled.plane_game(controlled.plane_law(), width=8, device=device, ema=None),
])  # fmt: skip
def test_every_loss_evaluates_on_cuda(build):
    """Under fake tensors: a tensor left on the CPU would raise."""
    with FakeTensorMode(allow_non_fake_inputs=True), torch.device("cuda"):
        game = build(device="cuda")
        for player in game.players:
            game._let_move(player)
            batch = Batch(game.data, game.batch_size, None, game.device)
            assert player.loss(batch).device == torch.device("cuda", 0)


def test_a_turn_never_waits_for_the_device():
    """On the meta device, where reading a number is impossible."""
    with torch.device("meta"):
        noise = ("gaussian", Clipped(Gaussian()))
        game = small_game("meta", noise, optimizer=lambda rate: lambda p: torch.optim.SGD(p, lr=rate))
    game.rng = None
    for _ in game.turns(3):
        pass
    assert len(game._waiting) == 6


def test_the_game_is_goodfellow_s_on_another_law():
    """With level 0 and one source: the same bits as the source alone would be asked for another way."""
    still = controlled.sources(data.ring(8), 0.0)
    x, _ = still.draw(64, rng(2))
    assert torch.equal(x, data.ring(8).draw(64, rng(2))[0])
    game = small_game()
    assert [player.name for player in game.players] == ["discriminator", "generator"]
    assert torch.equal(game.real(9), game.data["real"].draw(9, rng(0))[0])


# ---- exact masses in the plane ----------------------------------------------------------------------------


@pytest.mark.parametrize("law", [
    controlled.plane_law(),
    controlled.sources([LEFT, RIGHT], [0.9, 0.1], [0.3, 0.7], noise=[Gaussian(1.0), Gaussian(2.0)]),
])  # fmt: skip
def test_the_plane_s_distances_against_another_grid(law):
    found = controlled.plane_distance(law)
    jsd, tv = grid_jsd(law)
    assert found.jsd == pytest.approx(jsd, abs=2e-6) and found.tv == pytest.approx(tv, abs=3e-4)
    assert found.jsd == pytest.approx(controlled.plane_distance(law, 6).jsd, abs=1e-6)
    assert found.jsd < law.bound.jsd and found.tv < law.bound.tv


def test_one_round_bump_is_the_spherical_law():
    law = controlled.sources(data.normal([0.0, 0.0], 0.5), 0.3, scale=1.0)
    assert controlled.plane_distance(law).jsd == pytest.approx(controlled.spherical(0.3, 2, 2).jsd, abs=1e-6)
    assert controlled.plane_distance(law).tv == pytest.approx(controlled.spherical(0.3, 2, 2).tv, abs=3e-4)


def test_cells_hold_the_laws_masses():
    law = controlled.plane_law()
    cells = controlled.Cells(law, side=12)
    assert len(cells.clean) == 145 and cells.clean.sum() == pytest.approx(1) == cells.contaminated.sum()
    n = 200_000
    samples = law.clean.sample(n, rng(1)), law.sample(n, rng(2))
    for x, masses in zip(samples, (cells.clean, cells.contaminated), strict=True):
        shares = cells.shares(x)
        assert shares.sum() == pytest.approx(1)
        assert (np.abs(shares - masses) < 5 * np.sqrt(masses / n) + 5e-5).all()
    assert cells.contaminated[-1] > 0.01 and cells.clean[-1] < 1e-6  # noise leaves the square
    corner = torch.tensor([[cells.edges[0] + 1e-3, cells.edges[-1] - 1e-3], [99.0, 0.0]])
    assert np.flatnonzero(cells.shares(corner)).tolist() == [11, 144]


def test_cutting_lowers_and_counting_raises():
    law = controlled.plane_law()
    exact = controlled.plane_distance(law).jsd
    between = [controlled.Cells(law, side=side, half=4.0).between for side in (4, 8, 16, 32)]
    assert between == sorted(between) and between[-1] < exact and between[-1] > 0.97 * exact
    cells = controlled.Cells(law, side=16)
    floor = np.mean([cells.to_clean(law.clean.sample(2000, rng(k))) for k in range(10)])
    touched = (cells.clean > 1 / 2000).sum()
    assert (touched - 1) / (8 * 2000) < floor < 257 / (8 * 2000)
    assert cells.to_contaminated(law.sample(50_000, rng(5))) < 0.002
    assert cells.to_clean(law.sample(50_000, rng(6))) == pytest.approx(cells.between, rel=0.05)


def test_the_plane_s_game_is_recorded_with_its_distances():
    law = controlled.plane_law()
    game = controlled.plane_game(law, width=8, batch_size=16)
    measures = controlled.Cells(law, side=8).measures(500)
    kept = record(game, turns=2, every=1, points=20, grid=6, arrows=0, measure=measures)
    assert kept.about["measures"] == ["from clean", "from contaminated", "target"]
    assert kept.measures.shape == (3, 3) and (kept.measures[:, 2] == kept.measures[0, 2]).all()
    live = widgets.Live(game, measure=measures, points=20, grid=6, arrows=0)
    live.run(1)


def test_a_short_game_moves_towards_the_contaminated_law():
    law = controlled.plane_law()
    cells, game = controlled.Cells(law, side=16), controlled.plane_game(law, seed=1)
    before = cells.to_contaminated(game.sample(5000, seed=1))
    game.run(500)
    after = cells.to_contaminated(game.sample(5000, seed=1))
    assert after < 0.6 * before
    reached = cells.to_clean(game.sample(5000, seed=1))
    assert after < reached <= controlled.residual_bound(after, law.deltas, law.weights.tolist())


# ---- the judge --------------------------------------------------------------------------------------------


def test_the_judge_s_bound_lies_below_the_truth_and_near_it():
    x, y = torch.randn(9000, 1, generator=rng(1)), torch.randn(9000, 1, generator=rng(2)) + 2
    found = controlled.judge(x, y, turns=300)
    assert 0.32 < found.bound < 0.336831 + 3 * found.error  # MATH B.3
    assert found.accuracy == pytest.approx(stats.norm.cdf(1), abs=0.02) and 0.002 < found.error < 0.01
    assert found.score(torch.tensor([[0.0], [2.0]])).sign().tolist() == [1, -1]
    assert controlled.judge(x, y, turns=300)[:3] == found[:3]


def test_the_judge_finds_nothing_where_there_is_nothing():
    """Few samples and many numbers: on its own samples it would claim a lot."""
    x, y = torch.randn(240, 50, generator=rng(1)), torch.randn(240, 50, generator=rng(2))
    assert controlled.judge(x, y, turns=100).bound < 0.02


def test_the_judge_sees_grain_in_images():
    digits = data.load("digits")
    law = controlled.sources(digits, 0.5, noise=Clipped(Gaussian(0.5)))
    found = controlled.judge(law.clean.sample(4000, rng(1)), law.sample(4000, rng(2)), turns=300)
    assert 0.16 < found.bound < controlled.jsd_bound(0.5) + 3 * found.error


def test_a_generator_with_grain_decides_how_much():
    net = controlled.Grainy(4, (1, 8, 8), 16, seed=1)
    z = torch.randn(6, 4 + 64, generator=rng())
    images = net(z)
    assert images.shape == (6, 1, 8, 8) and images.abs().max() <= 1
    amount = net.amount(z[:, :4]).sigmoid().view(-1, 1, 1, 1)
    assert torch.equal(images, (net.picture(z[:, :4]) + amount * z[:, 4:].view(6, 1, 8, 8)).clamp(-1, 1))


def test_a_verdict_has_all_its_numbers():
    digits = data.load("digits")
    law = controlled.sources([digits, digits], [0.0, 1.0], noise=Clipped(Gaussian(1.0)))
    game = controlled.image_game(law, width=16)
    found = controlled.verdict(game, [digits, digits], samples=600)
    assert found["promised"] == pytest.approx(LOG2 / 2)
    assert found["from_clean"] > 0.6 and found["from_contaminated"] > 0.5  # nothing was trained
    assert 0 < found["noised"] < LOG2 / 2 + 3 * found["error"] and found["grain_accuracy"] > 0.9
    assert 0 <= found["grainy"] <= 1 and game.number == 0
    with pytest.raises(ValueError, match=r"\[1000, 1000\] clean images are needed"):
        few = replace(digits, images=digits.images[:999], labels=digits.labels[:999])
        controlled.verdict(game, [few, digits], 2000)


# ---- what is kept -----------------------------------------------------------------------------------------


def test_the_kept_run_in_the_plane_ends_near_its_target():
    kept = Recording.load(RESULTS / "controlled_plane.safetensors")
    clean, contaminated, target = kept.measures[-1].tolist()
    cells = controlled.Cells(controlled.plane_law(), side=16)
    assert target == pytest.approx(cells.between, rel=1e-5)
    assert contaminated < 0.03 and clean == pytest.approx(target, abs=0.02)
    assert kept.measures[0, 1] > 0.3


def test_kept_bounds_on_images():
    """Contaminated data keep the promise, generators do not."""
    kept = results.load(RESULTS / "controlled.json")
    assert {row["noise"] for row in kept.rows} == {"gaussian", "dirichlet"}
    for row in kept.rows:
        weights = [1 / len(row["deltas"])] * len(row["deltas"])
        assert row["promised"] == pytest.approx(controlled.bounds(row["deltas"], weights).jsd, abs=1e-5)
        assert row["noised"] < row["promised"] + 3 * row["error"]
        assert row["from_clean"] > row["promised"] + 3 * row["error"]
        assert max(row["from_clean"], row["from_contaminated"]) <= LOG2
        if row["deltas"] == [0.0]:
            assert abs(row["noised"]) < 0.01  # the floor: clean against clean


@pytest.mark.parametrize("name", ["mnist", "mixture"])
def test_the_kept_sheets_are_images(name):
    kept = Recording.load(RESULTS / f"controlled_{name}.safetensors")
    assert kept.fake.shape[1:] == (64, 1, 14, 14) and kept.fake.dtype == torch.uint8 and len(kept) >= 10


# ---- exercises --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check, right, wrongs", [
    (ex.check_half, 0.75 * math.log(4 / 3),
     [(LOG2 / 2, "the promise"), (0.5, "total variation"), (LOG2, "delta = 1"), (0.311278, "in bits")]),
    (ex.check_level, 0.260332, [(0.1 / LOG2, "may add more"), (0.186189, "0.1 bits"), (0.1, "0.036")]),
    (ex.check_minimum, "B",
     [("A", "no minima"), ("C", "contaminated"), ("D", "ever delta"), ("E", "not among")]),
    (ex.check_shift, 0.1, [(0.4, "the bound"), (0.25, "TV(P, R)"), (0.15, "(1 - delta)")]),
    (ex.check_sources, controlled.jsd_bound(0.6) / 2,
     [(controlled.jsd_bound(0.3), "average level"), (controlled.jsd_bound(0.6), "half of the data"),
      (0.3 * LOG2, "sharper")]),
    (ex.check_collapse, 0.5, [(controlled.jsd_bound(0.5), "which delta"), (1.0, "shares half"),
                              (controlled.jsd_bound(0.5, bits=True), "in bits")]),
    (ex.check_contaminate, lambda x, n, u, d: np.where((u < d)[:, None], x + n, x), [
        (lambda x, n, u, d: np.where((u > d)[:, None], x + n, x), "above delta"),
        (lambda x, n, u, d: x + d * n, "a little to all"),
        (lambda x, n, u, d: x + n, "every row"),
        (lambda x, n, u, d: np.where((u < d)[:, None], n, x), "replace"),
        (lambda x, n, u, d: x[u < d], "shape"),
    ]),
    (ex.check_visible, lambda d, s, k: d * (1 - (1 - 2 * stats.norm.cdf(-0.5 / s)) ** k), [
        (lambda d, s, k: d * 2 * stats.norm.cdf(-0.5 / s), "one pixel"),
        (lambda d, s, k: d * (2 * stats.norm.cdf(-0.5 / s)) ** k, "every pixel"),
        (lambda d, s, k: 1 - (1 - 2 * stats.norm.cdf(-0.5 / s)) ** k, "the coin"),
        (lambda d, s, k: d * (1 - stats.norm.cdf(0.5 / s) ** k), "below -1/2"),
    ]),
])  # fmt: skip
def test_exercises(capsys, check, right, wrongs):
    judged(capsys, check, right, wrongs)


def test_what_a_file_keeps_by_sampling():
    """Grey images, noise in levels, rounded as `to_uint8` rounds: the share that changes."""
    images = torch.full((20_000, 1, 4, 4), 120, dtype=torch.uint8)
    x = data.to_float(images)
    for delta, scale in ((1.0, 0.2), (0.5, 0.3)):
        y = controlled.contaminate(x, delta, "gaussian", rng(1), scale=scale / 127.5)
        changed = (data.to_uint8(y) != images).flatten(1).any(1).float().mean()
        assert float(changed) == pytest.approx(ex.visible(delta, scale, 16), abs=0.015)


def test_the_shifted_interval_by_quadrature():
    law = controlled.contaminated(stats.uniform(0, 1), stats.uniform(0.25, 1), 0.4)
    assert divergences.tv(stats.uniform(0, 1), law) == pytest.approx(0.1, abs=1e-9)


# ---- the moving figure ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def figure(moving):
    return partial(moving.read, "controlled", "default")


@pytest.mark.parametrize("delta, log_scale, log_dimension", [
    (0.3, 0.0, 0.0), (0.1, -1.3, 0.0), (1.0, 0.3, 0.0), (0.5, 2.0, 0.0), (0.01, 0.7, 0.3), (0.3, 0.0, 1.0),
    (0.9, -0.5, 2.0), (0.3, -1.3, 3.0), (0.7, 1.2, 3.0), (1.0, 2.0, 2.89),
])  # fmt: skip
def test_the_moving_figure_shows_the_library_s_numbers(figure, delta, log_scale, log_dimension):
    shown = figure(delta=delta, logScale=log_scale, logDimension=log_dimension, unit="nats")
    n = round(10**log_dimension)
    assert shown["n"] == n and shown["scale"] == pytest.approx(10**log_scale)
    exact = controlled.spherical(delta, 10**log_scale, n)
    assert shown["tv"] == pytest.approx(exact.tv, abs=1e-6)
    assert shown["jsd"] == pytest.approx(exact.jsd, abs=1e-6)
    assert shown["most"] == pytest.approx(controlled.jsd_bound(delta), abs=1e-12)
    assert shown["promise"] == pytest.approx(delta * LOG2)


def test_the_moving_figure_knows_bits_and_its_ends(figure):
    nats = figure("Back to the start")
    assert (nats["tv"], nats["jsd"]) == pytest.approx((0.049819, 0.004049), abs=5e-7)  # M25
    bits = figure(unit="bits")
    for name in ("jsd", "most", "promise"):
        assert bits[name] == pytest.approx(nats[name] / LOG2)
    assert bits["promise"] == pytest.approx(0.3) and bits["tv"] == nats["tv"]
    assert figure("As many numbers as an image")["jsd"] == pytest.approx(bits["most"], abs=1e-6)
    assert figure("Faint noise")["scale"] == pytest.approx(0.1)
    nothing = figure("Back to the start", delta=0)
    assert figure(delta=0)["jsd"] == 0 == figure(delta=0)["most"] and nothing["n"] == 1
    assert figure(delta=1)["most"] == pytest.approx(LOG2)


def test_each_point_of_the_figure_is_dragged_along_its_own_control(figure, moving):
    page, names = moving.page("controlled"), ("delta", "logScale", "logDimension")
    state = "names => names.map((name) => document.querySelector('.gan-block').gan.state[name])"
    for handle in range(3):
        start = figure("Back to the start")
        before = page.evaluate(state, names)
        moving.drag("controlled", "default", handle, (50, 0))
        grown = [now > then for now, then in zip(page.evaluate(state, names), before, strict=True)]
        assert grown == [k == handle for k in range(3)]
        assert figure()["jsd"] > start["jsd"]
    slider = page.get_by_label("dimension n")
    slider.press("Home")
    assert figure()["n"] == 1
    slider.press("End")
    assert figure()["n"] == 1000

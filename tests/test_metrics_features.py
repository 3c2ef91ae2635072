"""Distances of features against other packages and closed forms; judges, random features, the panel."""

import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from prdc import compute_prdc
from scipy import linalg
from torch_fidelity import feature_extractor_inceptionv3 as inceptionv3
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import mmd2

from gantools import data, metrics, transport
from gantools.metrics import judging


def normal(n, d, seed=0, scale=1.0, shift=0.0):
    return scale * np.random.default_rng(seed).normal(size=(n, d)) + shift


def features(seed, n=300, d=12):
    """Not Gaussian, correlated, and never negative, as a network's are."""
    rng = np.random.default_rng(seed)
    return np.maximum(rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d), 0)


# ---- Fréchet ----------------------------------------------------------------------------------------------

S1, S2 = [[2, 0.5], [0.5, 1]], [[1, -0.3], [-0.3, 2]]


def test_frechet_distance_of_two_gaussians():
    assert metrics.frechet_gaussian([1, -1], S1, [0, 0], S2) == pytest.approx(2.575426, abs=1e-6)  # MATH M14
    assert metrics.frechet_gaussian([0, 0], S1, [0, 0], S2) == pytest.approx(0.575426, abs=1e-6)
    found = transport.gaussian_w2([1, -1], S1, [0, 0], S2)
    assert metrics.frechet_gaussian([1, -1], S1, [0, 0], S2) == pytest.approx(found.squared, abs=1e-12)


def test_frechet_against_torch_fidelity_and_the_square_root_of_a_matrix():
    for seed in range(3):
        a, b = features(seed), features(seed + 10, n=250)
        found = metrics.frechet(a, b)
        theirs = [fid_features_to_statistics(torch.from_numpy(x)) for x in (a, b)]
        assert found == pytest.approx(
            fid_statistics_to_metric(*theirs, verbose=False)["frechet_inception_distance"], rel=1e-8
        )
        A, B = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
        root = linalg.sqrtm(A @ B).real
        shift = a.mean(0) - b.mean(0)
        assert found == pytest.approx(shift @ shift + np.trace(A + B - 2 * root), rel=1e-6)
        moments = a.mean(0), A, b.mean(0), B
        assert metrics.frechet_gaussian(*moments) == pytest.approx(found, rel=1e-8)


def test_frechet_of_singular_covariances_is_exact():
    a = normal(5, 40)  # fewer rows than columns: the rank is 4
    assert metrics.frechet(a, a) == pytest.approx(0, abs=1e-12)
    assert metrics.frechet(a, a + 3) == pytest.approx(9 * 40)
    flat = np.hstack([normal(50, 3), np.ones((50, 2))])
    assert metrics.frechet(flat, 2 * flat) == pytest.approx(
        ((flat.mean(0)) ** 2).sum() + np.trace(np.cov(flat, rowvar=False))
    )
    assert metrics.frechet(np.zeros((4, 3)), np.ones((9, 3))) == 3
    zero, one = np.zeros((2, 2)), np.diag([1.0, 0.0])
    assert metrics.frechet_gaussian([0, 0], zero, [0, 0], one) == 1


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 30), st.integers(2, 30), st.integers(1, 6))
def test_frechet_is_symmetric_and_does_not_change_under_rotation(seed, n, m, d):
    a, b = normal(n, d, seed), normal(m, d, seed + 1, 2.0, 1.0)
    found = metrics.frechet(a, b)
    turn = np.linalg.qr(normal(d, d, seed + 2))[0]
    assert found >= 0 and metrics.frechet(b, a) == pytest.approx(found, abs=1e-9)
    assert metrics.frechet(a @ turn + 5, b @ turn + 5) == pytest.approx(found, abs=1e-9)


# ---- kernel distance --------------------------------------------------------------------------------------


def kernel(a, b):
    return (a @ b.T / a.shape[1] + 1) ** 3


def test_kid_against_torch_fidelity_and_a_loop():
    a, b = features(0, 200), features(1, 200)
    assert metrics.kid(a, b).value == pytest.approx(mmd2(kernel(a, a), kernel(a, b), kernel(b, b)), rel=1e-10)
    a, b = normal(47, 3), normal(61, 3, 1)  # blocks of different sizes
    aa, bb, ab = kernel(a, a), kernel(b, b), kernel(a, b)
    pairs = [k[~np.eye(len(k), dtype=bool)].mean() for k in (aa, bb)]
    assert metrics.kid(a, b, blocks=5).value == pytest.approx(sum(pairs) - 2 * ab.mean(), rel=1e-10)


def test_kid_is_unbiased_and_its_error_is_about_right():
    for shift, high in ((0.0, 2.0), (0.5, 1.3)):
        runs = [metrics.kid(normal(100, 6, 2 * k), normal(100, 6, 2 * k + 1, 1, shift)) for k in range(120)]
        values, errors = zip(*runs, strict=True)
        spread = np.std(values)
        assert 0.8 < np.mean(errors) / spread < high
        if not shift:
            assert abs(np.mean(values)) < 3 * spread / np.sqrt(120)
    big = metrics.kid(normal(3000, 6), normal(3000, 6, 1, 1, 0.5))
    assert np.mean(values) == pytest.approx(big.value, abs=3 * spread / np.sqrt(120) + 3 * big.error)


# ---- precision, recall, density, coverage -----------------------------------------------------------------


@pytest.mark.parametrize(("n", "m", "k"), [(300, 300, 5), (200, 350, 3), (60, 40, 1)])
def test_prdc_is_that_of_the_package(n, m, k):
    for seed in range(3):
        real, fake = features(seed, n, 6), features(seed + 5, m, 6)
        assert metrics.prdc(real, fake, k)._asdict() == pytest.approx(compute_prdc(real, fake, k), abs=1e-12)
        fake = normal(m, 6, seed, 0.8, 0.1)
        real = normal(n, 6, seed + 9)
        assert metrics.prdc(real, fake, k)._asdict() == pytest.approx(compute_prdc(real, fake, k), abs=1e-12)


def test_prdc_of_far_repeated_and_equal_samples():
    real = normal(200, 4)
    assert metrics.prdc(real, real + 50) == (0, 0, 0, 0)
    one = metrics.prdc(real, real[:1].repeat(200, 0))  # one good sample, again and again
    assert one.precision == 1 and one.recall == 0 and one.coverage < 0.1
    assert metrics.prdc(real, real).coverage == metrics.prdc(real, real).precision == 1


def test_coverage_is_expected_to_be():
    assert metrics.expected_coverage(500, 500) == pytest.approx(0.969218, abs=1e-6)  # MATH M33
    assert metrics.expected_coverage(10**9, 10**9, 3) == pytest.approx(1 - 2**-3)
    assert metrics.expected_coverage(100, 1, 1) == pytest.approx(1 / 100)
    runs = [metrics.prdc(normal(500, 3, 2 * k), normal(500, 3, 2 * k + 1)) for k in range(16)]
    for name, value in (("coverage", 0.969218), ("density", 1.0)):
        seen = np.array([getattr(run, name) for run in runs])
        assert abs(seen.mean() - value) < 4 * seen.std(ddof=1) / 4


@pytest.mark.parametrize(("call", "words"), [
    (lambda: metrics.frechet(np.zeros((5, 2)), np.zeros((5, 3))), "one d"),
    (lambda: metrics.frechet(np.zeros((1, 2)), np.zeros((5, 2))), "at least 2 rows"),
    (lambda: metrics.frechet(np.full((5, 2), np.nan), np.zeros((5, 2))), "finite"),
    (lambda: metrics.frechet(np.zeros(5), np.zeros(5)), "one d"),
    (lambda: metrics.frechet_gaussian([0, 0], S1, [0], [[1]]), r"means \(d,\)"),
    (lambda: metrics.frechet_gaussian([0, 0], [[1, 2], [0, 1]], [0, 0], S1), "symmetric"),
    (lambda: metrics.frechet_gaussian([0, 0], [[1, 2], [2, 1]], [0, 0], S1), "negative eigenvalue"),
    (lambda: metrics.kid(normal(39, 2), normal(50, 2)), "at least 40 rows"),
    (lambda: metrics.kid(normal(39, 2), normal(50, 2), blocks=1), "blocks must be"),
    (lambda: metrics.prdc(normal(5, 2), normal(9, 2)), "at least 6 rows"),
    (lambda: metrics.prdc(normal(5, 2), normal(9, 2), k=0), "k must be"),
    (lambda: metrics.expected_coverage(5, 5, 5), "n must be above k"),
    (lambda: metrics.random_features((8, 8)), "shape must be"),
])  # fmt: skip
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ---- judges -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache of these tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANTOOLS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield data.cache()


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


@pytest.fixture(scope="module")
def judge(cache, digits):
    return metrics.judge(digits)


def test_a_judge_is_good_and_says_how_good(judge, digits):
    assert judge.accuracy > 0.96 and judge.held_out == 179
    assert f"{judge.accuracy:.1%} of 179 images" in repr(judge)
    found, probabilities = judge.both(digits.images)
    assert found.shape == (1797, 64) and found.dtype == np.float64 and probabilities.shape == (1797, 10)
    assert found.var(axis=0).sum() == pytest.approx(64, rel=0.02)
    assert np.array_equal(found, judge.features(digits.images))
    assert np.array_equal(probabilities, judge.probabilities(digits.images))
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(1797))
    assert metrics.classes_found(digits.images, judge).classes == tuple(range(10))


def test_bytes_and_floats_are_the_same_images(judge, digits):
    images = digits.images[:50]
    floats = data.to_float(images)
    assert np.array_equal(judge.features(images), judge.features(floats))
    nearly = floats + 0.003  # less than half a grey level
    assert np.array_equal(judge.features(images), judge.features(nearly))


def test_a_judge_is_kept_and_a_damaged_one_replaced(judge, cache, digits, monkeypatch):
    (path,) = (cache / "judges").iterdir()
    assert path.name == f"digits-{digits.checksum()}-0.safetensors"
    monkeypatch.setattr(judging, "STEPS", 40)
    whole = path.read_bytes()
    again = metrics.judge(digits)
    assert np.array_equal(again.features(digits.images), judge.features(digits.images))
    assert (again.accuracy, again.classes, again.shape) == (judge.accuracy, judge.classes, judge.shape)
    path.write_bytes(whole[:-100])
    with pytest.warns(UserWarning, match="damaged.*a new judge is trained"):
        brief = metrics.judge(digits)
    assert brief.accuracy < judge.accuracy
    assert np.array_equal(metrics.judge(digits).features(digits.images), brief.features(digits.images))
    path.write_bytes(whole)


def test_a_set_of_any_name_is_judged(cache, digits, monkeypatch):
    monkeypatch.setattr(judging, "STEPS", 120)
    named = data.ImageSet(digits.images, digits.labels, digits.classes, "x", "../mine / yours")
    metrics.judge(named, seed=9)
    assert [path.name for path in (cache / "judges").glob("*-9.safetensors")] == [
        f".._mine___yours-{digits.checksum()}-9.safetensors"
    ]


def test_a_seed_means_one_judge(cache, digits, monkeypatch):
    monkeypatch.setattr(judging, "STEPS", 40)
    state = torch.random.get_rng_state()
    one, two, other = (judging._trained(digits, seed) for seed in (3, 3, 4))
    images = digits.images[:100]
    assert np.array_equal(one.features(images), two.features(images))
    assert not np.allclose(one.features(images), other.features(images))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_what_cannot_be_judged(judge, cache, digits, monkeypatch):
    with pytest.raises(ValueError, match="all classes of the set"):
        metrics.judge(data.only(digits, "8"))
    with pytest.raises(ValueError, match="200 images"):
        metrics.judge(digits.take(slice(100)))
    monkeypatch.setattr(judging, "STEPS", 100)
    mixed = digits.labels[torch.randperm(1797, generator=torch.Generator().manual_seed(0))]
    guesses = data.ImageSet(digits.images, mixed, digits.classes, "labels that mean nothing", "guesses")
    with pytest.raises(ValueError, match=r"could not be learned.*random_features\(\(1, 8, 8\)\)"):
        metrics.judge(guesses)
    for images, words in (
        (torch.zeros(2, 1, 9, 9), r"\(n, 1, 8, 8\)"),
        (torch.zeros(0, 1, 8, 8), "at least one"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.int32), "uint8, or float"),
        (torch.full((2, 1, 8, 8), torch.nan), "NaN"),
    ):
        with pytest.raises(ValueError, match=words):
            judge.features(images)


def test_random_features(digits):
    state = torch.random.get_rng_state()
    one = metrics.random_features((1, 8, 8))
    assert torch.equal(torch.random.get_rng_state(), state)
    found = one.features(digits.images)
    assert found.shape == (1797, 112) and (found >= 0).all()
    assert np.array_equal(found, metrics.random_features((1, 8, 8)).features(digits.images))
    assert not np.allclose(found, metrics.random_features((1, 8, 8), seed=1).features(digits.images))
    scaled = one.scaled(digits.images).features(digits.images)
    spread = found.std(axis=0) > 1e-6
    assert scaled.mean(axis=0) == pytest.approx(np.zeros(112), abs=1e-9)
    assert scaled[:, spread].std(axis=0) == pytest.approx(np.ones(spread.sum()))


def test_inception_needs_its_weights_and_trusts_no_pickle(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="put it there"):
        metrics.inception(tmp_path / "weights.pth")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(FileNotFoundError, match="weights-inception-2015"):
        metrics.inception()
    torch.save({"code": os.system}, tmp_path / "weights.pth")
    with pytest.raises(ValueError, match="no weights that can be read"):
        metrics.inception(tmp_path / "weights.pth")
    monkeypatch.setitem(__import__("sys").modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(ImportError, match="pip install torch-fidelity"):
        metrics.inception()


def test_inception_s_features_are_those_of_torch_fidelity(tmp_path, monkeypatch):
    """With weights drawn at random, since the published ones are not at hand."""
    with monkeypatch.context() as patch, torch.random.fork_rng():
        torch.manual_seed(0)
        patch.setattr(inceptionv3, "load_state_dict_from_url", lambda *a, **b: {})
        patch.setattr(torch.nn.Module, "load_state_dict", lambda self, state: None)
        net = inceptionv3.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    torch.save(net.state_dict(), tmp_path / "weights.pth")
    images = torch.randint(0, 256, (2, 1, 28, 28), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    theirs = net(images.repeat(1, 3, 1, 1))[0].double().numpy()
    ours = metrics.inception(tmp_path / "weights.pth").features(data.to_float(images))
    assert ours.shape == (2, 2048) and ours == pytest.approx(theirs, rel=1e-4, abs=1e-6)


# ---- the panel --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def parts(digits):
    """What a generator may learn from, and the rest."""
    order = torch.randperm(1797, generator=torch.Generator().manual_seed(1))
    return digits.take(order[:1200]), digits.take(order[1200:])


@pytest.fixture(scope="module")
def panel(parts, judge):
    return metrics.panel(parts[0], n=500, judge=judge, held_out=parts[1])


def test_a_panel_beside_its_floor(panel, parts):
    floor, again = panel.floor, panel(panel.other)
    assert floor == again and panel.n == 500
    assert floor["frechet"] < 1.5 and abs(floor["kid"]) < 4 * floor["kid_error"]
    assert floor["classes"] == 10 and floor["in_classes"] == 1 and floor["class_jsd"] < 0.01
    assert floor["coverage"] == pytest.approx(metrics.expected_coverage(500, 500), abs=0.03)
    assert floor["nearer_to_train"] == pytest.approx(0.5, abs=0.08)
    assert floor["distance_ratio"] == pytest.approx(1, abs=0.05)
    images = data.to_float(parts[1].images[:500])
    assert panel(images) == panel(parts[1].images[:500])  # floats or bytes


def test_a_panel_tells_noise_and_copies(panel):
    noise = panel(torch.rand(600, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1)
    assert noise["frechet"] > 20 * panel.floor["frechet"] and noise["precision"] < 0.05
    assert noise["recognised"] < panel.floor["recognised"] - 0.2
    copies = panel(panel.learned[:500])
    assert copies["nearer_to_train"] > 0.99 and copies["distance_ratio"] == 0
    assert copies["frechet"] < 1.5


def test_eights_alone_need_a_judge_of_all_digits(digits, judge):
    eights = data.only(digits, "8")
    with pytest.raises(ValueError, match="judge that learned from all classes"):
        metrics.panel(eights)
    panel = metrics.panel(eights, judge=judge)
    assert panel.n == len(eights) // 2 and "Judge of digits" in repr(panel)
    assert panel.floor["classes"] == 1 and panel.floor["in_classes"] > 0.95
    mean = eights.images.float().mean(0, keepdim=True).round().to(torch.uint8).expand(panel.n, -1, -1, -1)
    poor = panel(mean)  # one picture, again and again: the judge calls it an eight
    assert poor["in_classes"] == 1 and poor["recall"] == 0 and poor["coverage"] < 0.25
    assert poor["frechet"] > 5 * panel.floor["frechet"]
    ones = panel(digits.images[digits.labels == 1])
    assert ones["in_classes"] < 0.1 and ones["classes"] == 0 and ones["class_jsd"] > 0.5


def test_what_a_panel_refuses(digits, judge, panel, parts):
    with pytest.raises(ValueError, match="one of classes, fingerprints"):
        metrics.panel(digits, "faces", judge=judge)
    with pytest.raises(ValueError, match="50 samples and twice as many"):
        metrics.panel(digits.take(slice(90)), judge=judge)
    with pytest.raises(ValueError, match="give both one size"):
        metrics.panel(data.load("digits", size=16), judge=judge)
    with pytest.raises(ValueError, match="load both alike"):
        metrics.panel(digits, judge=judge, held_out=data.load("digits", size=16))
    with pytest.raises(ValueError, match="does not know the classes eight"):
        metrics.panel(data.ImageSet(digits.images, digits.labels * 0, ("eight",), "x"), judge=judge)
    with pytest.raises(ValueError, match="too few"):
        panel(torch.zeros(499, 1, 8, 8))


def test_on_mnist(cache, real_data):
    """The judge of the labs, and what it says of real eights and of a single picture."""
    mnist = data.load("mnist")
    judge = metrics.judge(mnist)
    test = data.load("mnist", split="test")
    right = (judge.probabilities(test.images).argmax(1) == test.labels.numpy()).mean()
    assert judge.accuracy > 0.98 and right > 0.98
    eights = data.only(mnist, "8")
    panel = metrics.panel(eights, judge=judge, held_out=data.only(test, "8"))
    assert panel.n == 2000 and panel.floor["frechet"] < 0.4 and panel.floor["in_classes"] > 0.97
    mean = eights.images.float().mean(0, keepdim=True).round().to(torch.uint8).expand(2000, -1, -1, -1)
    poor = panel(mean)
    assert poor["in_classes"] == 1 and poor["frechet"] > 40 * panel.floor["frechet"]

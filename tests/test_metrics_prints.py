"""Neighbours, modes and fingerprints: on waves, noise and copies, where the answers are known."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gantools import data, metrics

SIDE = 80


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def waves(frequency, angle=0.6, n=4, amplitude=0.8, side=SIDE):
    """Images of parallel ridges, (n, 1, side, side), of random phases."""
    x = torch.arange(side) / side
    along = math.cos(angle) * x + math.sin(angle) * x[:, None]
    phase = 2 * math.pi * torch.rand(n, 1, 1, generator=rng())
    return amplitude * torch.cos(2 * math.pi * frequency * along + phase)[:, None]


def noise(n=40, sd=0.2, side=SIDE, seed=0):
    return sd * torch.randn(n, 1, side, side, generator=rng(seed))


# ---- fingerprints -----------------------------------------------------------------------------------------


def test_the_power_of_white_noise_is_its_variance_at_every_frequency():
    power = metrics.power_spectrum(noise(400))
    assert power.shape == (40,) and power[1:-1] == pytest.approx(np.full(38, 0.04), rel=0.06)
    louder = metrics.power_spectrum(noise(400, sd=0.3))
    assert louder[3:] == pytest.approx(power[3:] * 2.25, rel=0.02)


@pytest.mark.parametrize("side", [16, 33, 64])
def test_all_power_is_in_some_ring(side):
    """Of a wave: the mean over the rings' waves is a half of the amplitude squared, wherever it lies."""
    frequency = side / 5
    power = metrics.power_spectrum(waves(frequency, angle=0.0, side=side, n=8))
    many = 2 * math.pi * np.arange(1, side // 2 + 1)  # about as many waves have that frequency
    assert (power * many).sum() == pytest.approx(side**2 * 0.32, rel=0.15)


@settings(max_examples=20)
@given(st.floats(12, 36), st.floats(0, math.pi))
def test_ridges_are_counted(frequency, angle):
    images = waves(frequency, angle)
    assert metrics.ridge_frequency(images) == pytest.approx(np.full(4, frequency), abs=0.45)
    shade = torch.linspace(-0.2, 0.2, SIDE)  # slower than ridges, and not counted
    assert metrics.ridge_frequency(0.7 * images + shade) == pytest.approx(np.full(4, frequency), abs=0.45)


def test_ridges_cohere_and_noise_does_not():
    assert metrics.coherence(waves(25)).min() > 0.9
    assert metrics.coherence(noise()).mean() < 0.35
    assert metrics.coherence(torch.zeros(2, 1, SIDE, SIDE)).max() == 0
    crossed = (waves(20, 0.0) + waves(20, math.pi / 2)) / 2
    assert metrics.coherence(crossed).mean() < 0.4
    assert metrics.coherence(noise(5)).shape == (5, 81)


def test_distances_of_prints_have_their_units():
    a, b = metrics.prints(waves(20)), metrics.prints(waves(26))
    found = metrics.print_distances(a, b)
    assert found["ridge_frequency"] == pytest.approx(6, abs=0.5)
    assert found["coherence"] < 0.05 and found["grey"] < 0.05
    one, two = metrics.prints(noise(400)), metrics.prints(noise(400, 0.2 * math.exp(0.05), seed=1))
    assert metrics.print_distances(two, one)["power_spectrum"] == pytest.approx(0.1, abs=0.02)
    black, white = (metrics.prints(torch.full((2, 1, 16, 16), level)) for level in (-1.0, 1.0))
    assert metrics.print_distances(black, white)["grey"] == pytest.approx(2)
    assert set(metrics.print_distances(a, a).values()) == {0.0}
    with pytest.raises(ValueError, match="one size"):
        metrics.print_distances(a, black)


def test_colours_are_averaged_and_shapes_checked():
    images = data.to_uint8(waves(20))
    coloured = images.expand(-1, 3, -1, -1)
    assert metrics.coherence(images) == pytest.approx(metrics.coherence(coloured), abs=1e-5)
    for wrong in (torch.zeros(2, 1, 80, 64), torch.zeros(2, 1, 8, 8), torch.zeros(0, 1, 80, 80)):
        with pytest.raises(ValueError):
            metrics.ridge_frequency(wrong)


def test_a_panel_of_fingerprints_tells_what_is_wrong_with_them():
    def prints(n, seed, frequency=20.0):
        """Ridges of many directions and periods, grainy."""
        f = frequency + torch.randn(n, generator=rng(seed))
        angle = 2 * math.pi * torch.rand(n, generator=rng(seed + 1))
        one = [waves(a, b, 1, 0.6) for a, b in zip(f.tolist(), angle.tolist(), strict=True)]
        return torch.cat(one) + noise(n, 0.1, seed=seed + 2)

    images = data.ImageSet(data.to_uint8(prints(200, 0)), torch.zeros(200).long(), ("print",), "test")
    panel = metrics.panel(images, "fingerprints")
    floor = panel.floor
    assert panel.n == 100 and floor["power_spectrum"] < 0.3 and floor["ridge_frequency"] < 0.6
    wide, grainy = panel(prints(100, 5, 15.0)), panel(prints(100, 5) + noise(100, 0.3))
    dark = panel((prints(100, 5) - 1) / 2)
    assert wide["ridge_frequency"] == pytest.approx(5, abs=0.6)
    for name, times in (("coherence", 5), ("power_spectrum", 3)):
        assert grainy[name] > times * floor[name]
    assert dark["grey"] == pytest.approx(0.5, abs=0.02) and dark["kid"] > 10 * abs(floor["kid"])
    assert dark["ridge_frequency"] < 0.6


def test_real_prints_against_others_and_against_spoilt_ones(real_data):
    """Fifty other people's fingers differ from those compared with, by less than what a blur does."""
    train = data.load("socofing", split="train", limit=1000)
    test = data.load("socofing", split="test", limit=500)
    panel = metrics.panel(train, "fingerprints", n=500)
    real, floor = panel(test.images[:500]), panel.floor
    assert max(real["power_spectrum"], floor["power_spectrum"]) < 0.2
    assert max(real["ridge_frequency"], floor["ridge_frequency"]) < 1.5
    blurred = torch.nn.functional.avg_pool2d(train.images[:500].float(), 3, 1, 1).round().to(torch.uint8)
    spoilt = panel(blurred)
    assert spoilt["power_spectrum"] > 1 and spoilt["ridge_frequency"] > 5 and spoilt["kid"] > 1


# ---- neighbours -------------------------------------------------------------------------------------------


def test_independent_samples_are_nearer_to_the_training_set_as_often_as_it_is_larger():
    """Whatever the generator's law: the nearest of N + M draws of one law is any of them."""
    train, held_out, fake = (torch.randn(n, 5, generator=rng(k)) for k, n in enumerate((3000, 1000, 4000)))
    for images in (fake, 3 * fake + 1):
        found = metrics.copying(images, train, held_out)
        assert found.expected == 0.75 and found.share == pytest.approx(0.75, abs=0.06)
    assert metrics.copying(fake, train[:1000], held_out).ratio == pytest.approx(1, abs=0.04)


def test_copies_are_found_and_ties_count_half():
    train, held_out = torch.randn(50, 4, generator=rng(0)), torch.randn(50, 4, generator=rng(1))
    assert metrics.copying(train[:20], train, held_out) == (1.0, 0.5, 0.0)
    near = metrics.copying(train + 0.01, train, held_out)
    assert near.share == 1 and near.ratio < 0.1
    assert metrics.copying(held_out, train, train).share == 0.5
    assert math.isnan(metrics.copying(train, train, train).ratio)


def test_nearest_goes_through_many_images():
    images, references = torch.randn(1100, 6, generator=rng(2)), torch.randn(70, 6, generator=rng(3))
    distance, index = metrics.nearest(images, references)
    apart = torch.cdist(images.double(), references.double(), compute_mode="donot_use_mm_for_euclid_dist")
    assert np.array_equal(index, apart.argmin(1)) and distance == pytest.approx(apart.min(1).values.numpy())


# ---- modes and bounds -------------------------------------------------------------------------------------


def test_kl_over_modes():
    assert metrics.mode_kl(np.ones(8)) == 0 and metrics.mode_kl([0, 0, 5, 0]) == pytest.approx(math.log(4))
    assert metrics.mode_kl([1] + 7 * [0]) == pytest.approx(2.079442, abs=1e-6)  # MATH J
    assert metrics.mode_kl([3, 1]) == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    draws = np.random.default_rng(0).multinomial(2000, [1 / 8] * 8, size=400)
    seen = [metrics.mode_kl(each) for each in draws]
    assert np.mean(seen) == pytest.approx(7 / 4000, rel=0.1)
    for shares in ([], [0, 0], [1, -1], [1, math.nan]):
        with pytest.raises(ValueError, match="shares must be"):
            metrics.mode_kl(shares)


def test_the_bound_lies_below_the_truth_and_leaves_the_samples_alone():
    x, y = torch.randn(3000, 1, generator=rng(1)), torch.randn(3000, 1, generator=rng(2)) + 1
    state = torch.random.get_rng_state()
    found = metrics.jsd_bound(x, y, turns=200)
    assert 0.09 < found.bound < 0.111421 + 3 * found.error  # MATH B.3
    assert torch.equal(torch.random.get_rng_state(), state)
    assert metrics.jsd_bound(x, y, turns=200)[:3] == found[:3]

"""Laws and image sets: what is drawn is what is said."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from gantools import data


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


LAWS = {
    "normal": data.normal(1.5, 0.5),
    "plane": data.normal([0.0, 1.0], 0.3),
    "ring": data.ring(8, radius=1.0, sd=0.1),
    "grid": data.grid(3, spacing=1.0, sd=0.2),
    "weighted": data.mixture([[0.0, 0.0], [2.0, 1.0]], 0.3, [0.25, 0.75]),
    "line": data.lines(0.7, sigma=0.2),
    "roll": data.swiss_roll(1.0, sd=0.1),
}


@pytest.mark.parametrize("name", LAWS)
def test_samples_have_the_density_that_is_claimed(name):
    """Moments by quadrature of exp(log_density) against those of 200,000 draws."""
    law = LAWS[name]
    x = law.sample(200_000, rng())
    assert x.shape == (200_000, *law.shape) and x.dtype == torch.float32
    axes = [np.linspace(low, high, 401) for low, high in zip(law.box[::2], law.box[1::2], strict=True)]
    mesh = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    points = torch.tensor(mesh.reshape(-1, *law.shape), dtype=torch.float32)
    density = law.log_density(points).exp().numpy().reshape(mesh.shape[:-1])

    def integral(f):
        for axis in reversed(axes):
            f = integrate.simpson(f, x=axis)
        return f

    assert integral(density) == pytest.approx(1, abs=5e-3)
    for k in range(law.shape[0]):
        assert integral(density * mesh[..., k]) == pytest.approx(x[:, k].mean().item(), abs=8e-3)
        assert integral(density * mesh[..., k] ** 2) == pytest.approx(x[:, k].square().mean().item(), abs=2e-2)


def test_log_density_is_scipys_for_one_normal():
    x = torch.linspace(-3, 5, 50)[:, None]
    expected = stats.norm(1.5, 0.5).logpdf(x[:, 0].numpy())
    assert np.allclose(data.normal(1.5, 0.5).log_density(x), expected, atol=1e-4)


def test_weights_are_kept_and_labels_are_components():
    law = LAWS["weighted"]
    x, component = law.draw(100_000, rng())
    assert component.float().mean().item() == pytest.approx(0.75, abs=0.01)
    assert (x - law.centres[component]).std().item() == pytest.approx(0.3, abs=0.01)


def test_a_line_without_noise_has_no_density():
    law = data.lines(-0.7)
    x = law.sample(1000, rng())
    assert (x[:, 0] == torch.tensor(-0.7)).all() and 0 <= x[:, 1].min() and x[:, 1].max() <= 1
    with pytest.raises(ValueError, match="sigma > 0"):
        law.log_density(x)


def test_the_ring_is_a_ring():
    centres = data.ring(8, radius=2.0).centres
    assert torch.allclose(centres.norm(dim=1), torch.full((8,), 2.0))
    gaps = (centres - centres.roll(1, 0)).norm(dim=1)
    assert torch.allclose(gaps, torch.full((8,), 2 * 2 * math.sin(math.pi / 8)))


def test_the_roll_winds_once_and_a_half_and_fills_its_box():
    law = data.swiss_roll(radius=2.0, sd=1e-3)
    x = law.sample(20_000, rng()).double()
    share = x.norm(dim=1) / 2  # t / 4.5 pi
    assert share.min() == pytest.approx(1 / 3, abs=3e-3) and share.max() == pytest.approx(1, abs=3e-3)
    angle = torch.atan2(x[:, 1], x[:, 0])
    turns = (4.5 * math.pi * share - angle) / (2 * math.pi)  # whole numbers: the angle is t
    assert (turns - turns.round()).abs().max() < 6e-3
    assert stats.kstest(share.numpy(), stats.uniform(1 / 3, 2 / 3).cdf).pvalue > 1e-3
    low, high = x.amin(0), x.amax(0)
    assert law.box[0] < low[0] and high[0] < law.box[1] and law.box[2] < low[1] and high[1] < law.box[3]


def test_a_seed_means_the_same_draws():
    for source in (*LAWS.values(), data.load("digits")):
        assert torch.equal(source.sample(20, rng(4)), source.sample(20, rng(4)))
        assert not torch.equal(source.sample(20, rng(4)), source.sample(20, rng(5)))


def test_digits_are_the_real_ones():
    digits = data.load("digits")
    assert len(digits) == 1797 and digits.shape == (1, 8, 8) and digits.images.dtype == torch.uint8
    assert digits.classes == tuple("0123456789") and digits.images.max() == 255 and digits.images.min() == 0
    from sklearn.datasets import load_digits

    assert torch.equal((digits.images[:, 0].double() * 16 / 255).round(), torch.tensor(load_digits().images))
    x, labels = digits.draw(64, rng())
    assert x.shape == (64, 1, 8, 8) and -1 <= x.min() and x.max() <= 1 and labels.shape == (64,)
    assert torch.equal(data.to_uint8(data.to_float(digits.images)), digits.images)


IMAGES, LABELS = torch.zeros(3, 1, 4, 4, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: data.load("mnits"), "no image set named 'mnits'; choose one of digits"),
        (lambda: data.mixture([], 1.0), "centres"),
        (lambda: data.mixture([[0.0], [0.0, 1.0]], 1.0), "centres"),
        (lambda: data.mixture([[0.0]], 0.0), "sd must be a positive number"),
        (lambda: data.mixture([[0.0]], math.nan), "sd must be a positive number"),
        (lambda: data.mixture([[0.0], [1.0]], 1.0, [0.5, 0.6]), "sum to one"),
        (lambda: data.mixture([[0.0], [1.0]], 1.0, [1.0]), "2 positive numbers"),
        (lambda: data.ring(0), "k must be a positive"),
        (lambda: data.lines(0.0, -1.0), "sigma non-negative"),
        (lambda: data.swiss_roll(sd=0.0), "sd must be a positive"),
        (lambda: data.swiss_roll(-1.0), "radius must be a positive"),
        (lambda: data.ImageSet(IMAGES.float(), LABELS, (), ""), "uint8"),
        (lambda: data.ImageSet(IMAGES[:0], LABELS[:0], (), ""), "at least one image"),
        (lambda: data.ImageSet(IMAGES, LABELS[:2], (), ""), "as many labels"),
    ],
)
def test_bad_input_says_what_is_wrong(make, message):
    with pytest.raises(ValueError, match=message):
        make()

"""Synthetic fingerprints: the classes they claim, ridges along their field, alike whatever is asked for."""

import math

import numpy as np
import pytest
import torch

from gantools import data, storage
from gantools.data import ridges
from gantools.data.images import resized

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def fingers():
    return ridges.make(range(40))


@pytest.fixture(scope="module")
def angles(fingers):
    return ridges.orientation(fingers)


@pytest.fixture(scope="module")
def drawn():
    return ridges.draw(range(40))


def turns(angle: torch.Tensor, point: complex, radius: float = 0.045) -> float:
    """How often a direction (modulo pi) turns on the way round a point of the canvas: the Poincare index."""
    around = torch.linspace(0, 2 * math.pi, 65)
    column = ((point.real + radius * around.cos() + 1) / 2 * (ridges.CANVAS - 1)).round().long()
    row = ((1 - point.imag - radius * around.sin()) / 2 * (ridges.CANVAS - 1)).round().long()
    step = torch.diff(angle[row, column])
    return ((step + math.pi / 2).remainder(math.pi) - math.pi / 2).sum().item() / (2 * math.pi)


def test_a_class_has_the_cores_and_deltas_that_make_it(fingers, angles):
    """Arch 0 or (tented) 1, loops 1, whorls 2; the field turns by 1/2 about a core and -1/2 about a delta."""
    assert set(fingers.labels.tolist()) == {0, 1, 2, 3}
    for label, cores, deltas, angle in zip(
        fingers.labels, fingers.cores, fingers.deltas, angles, strict=True
    ):
        cores, deltas = ([z for z in points.tolist() if not math.isnan(z.real)] for points in (cores, deltas))
        assert len(cores) == len(deltas) and len(cores) in ((0, 1), (1,), (1,), (2,))[label]
        apart = len(cores) < 2 or abs(cores[0] - cores[1]) > 0.12
        for z in deltas:
            assert turns(angle, z) == pytest.approx(-0.5, abs=1e-3)
        for z in cores if apart else ():
            assert turns(angle, z) == pytest.approx(0.5, abs=1e-3)
        if not cores:
            assert all(
                abs(turns(angle, complex(x, y))) < 1e-3 for x in (-0.4, 0, 0.4) for y in (-0.5, 0, 0.5)
            )


def test_a_loop_opens_to_its_side(fingers, angles):
    """Just beside its core a loop's ridges run straight out at one place: there lies the opening."""
    around = torch.linspace(0, 2 * math.pi, 721)[:-1]
    for label, name, way in ((1, "left", -1), (2, "right", 1)):
        for number in (fingers.labels == label).nonzero()[:, 0]:
            core = fingers.cores[number, 0]
            column = ((core.real + 0.06 * around.cos() + 1) / 2 * (ridges.CANVAS - 1)).round().long()
            row = ((1 - core.imag - 0.06 * around.sin()) / 2 * (ridges.CANVAS - 1)).round().long()
            opening = around[(angles[number, row, column] - around).sin().abs().argmin()]
            assert math.copysign(1, opening.cos()) == way, name


def test_ridges_run_along_the_field_with_their_period(fingers, angles):
    waves = ridges.grow(angles, fingers.noise["seeds"])
    dy, dx = torch.gradient(waves, dim=(1, 2))
    normal = torch.complex(dx, -dy) ** 2  # twice the angle, y upwards; weighted by the square of the slope
    along = -normal * torch.exp(-2j * angles)
    inner = slice(12, -12)  # the canvas joins its opposite edges
    alike = along[:, inner, inner].real.sum((1, 2)) / normal[:, inner, inner].abs().sum((1, 2))
    assert alike.min() > 0.8  # 1 if all ran along it, 0 for ridges without a way
    frequency = torch.fft.fftfreq(ridges.CANVAS)
    power = torch.fft.fft2(waves).abs().square()
    mean = (torch.hypot(frequency, frequency[:, None]) * power).sum((1, 2)) / power.sum((1, 2))
    assert (mean * ridges.PERIOD - 1).abs().max() < 0.06


def test_an_image_is_the_same_whatever_is_drawn_beside_it(drawn):
    images, labels = drawn
    assert images.shape == (40, 1, 96, 96) and images.dtype == torch.uint8
    some, their = ridges.draw(range(11, 14))
    assert (some.int() - images[11:14].int()).abs().max() <= 1 and torch.equal(their, labels[11:14])
    assert len({image.numpy().tobytes() for image in images}) == 40


def test_they_are_dark_ridges_on_white(drawn):
    shade = drawn[0].float().mean((1, 2, 3))
    assert 130 < shade.mean() < 190 and shade.std() > 15
    corners = drawn[0][:, 0, [0, 0], [0, -1]]
    assert (corners > 240).float().mean() > 0.8  # the top of a finger is round
    assert (drawn[0] < 50).float().mean() > 0.08


def spectrum(images: torch.Tensor) -> np.ndarray:
    """The share of each frequency, 1 to 40 a picture of 80 pixels, in the power of all pictures."""
    pixels = images[:, 0].double()
    power = torch.fft.fft2(pixels - pixels.mean((1, 2), keepdim=True)).abs().square().mean(0).numpy()
    far = np.abs(np.fft.fftfreq(80, 1 / 80))
    ring = np.hypot(*np.meshgrid(far, far)).round().astype(int)
    share = np.bincount(ring.ravel(), power.ravel())[1:41]
    return share / share.sum()


def test_the_ridges_are_as_far_apart_as_a_fingers(drawn):
    share = spectrum(resized(drawn[0], 80))
    assert 24 <= 9 + share[8:].argmax() <= 31  # periods a picture's width; SOCOFing's peak is at 28


def test_their_spectrum_is_near_to_that_of_real_prints(drawn, real_data):
    real, share = spectrum(data.load("socofing", limit=400).images), spectrum(resized(drawn[0], 80))
    assert 0.5 * np.abs(real - share).sum() < 0.15  # total variation between the two shares
    assert abs(int(real[8:].argmax()) - int(share[8:].argmax())) <= 3


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Blocks of four, and a cache of our own."""
    monkeypatch.setenv("GANTOOLS_CACHE", str(tmp_path))
    monkeypatch.setattr(ridges, "BLOCK", 4)
    monkeypatch.setattr(ridges, "SPLITS", {"train": (0, 12), "test": (12, 16)})
    return tmp_path / "ridges"


def test_what_was_drawn_is_kept(small, monkeypatch):
    first = data.load("ridges", limit=5)
    assert len(first) == 5 and first.shape == (1, 80, 80) and len(list(small.iterdir())) == 2
    assert first.classes == ridges.CLASSES and "synthetic" in first.source and "synthetic" in first.licence
    monkeypatch.setattr(ridges, "draw", lambda numbers: pytest.fail("drawn twice"))
    assert data.load("ridges", limit=5).checksum() == first.checksum()
    monkeypatch.undo()


def test_splits_are_parts_of_one_row_of_numbers(small):
    train, test = data.load("ridges", size=96), data.load("ridges", "test", size=96)
    assert len(train) == 12 and len(test) == 4
    images, labels = ridges.draw(range(16))
    assert torch.equal(torch.cat([train.images, test.images]), images)
    assert torch.equal(torch.cat([train.labels, test.labels]), labels)
    whorls = data.load("ridges", classes=["whorl"], limit=2)
    assert (labels[:12] == 3).sum() >= len(whorls) > 0 and whorls.classes == ("whorl",)


def test_a_damaged_block_is_drawn_again(small):
    before = data.load("ridges", limit=4)
    (path,) = small.iterdir()
    path.write_bytes(path.read_bytes()[:-100])
    assert data.load("ridges", limit=4).checksum() == before.checksum()
    assert len(storage.read(path, "ridges", 1)[0]["labels"]) == 4

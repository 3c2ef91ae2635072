"""Laws and image sets: what is drawn is what is said."""

import gzip
import hashlib
import math

import numpy as np
import pytest
import torch
import torchvision
from scipy import integrate, stats

from gantools import data
from gantools.data import sets
from gantools.data.formats import read_idx
from gantools.data.images import joined


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
        assert integral(density * mesh[..., k] ** 2) == pytest.approx(
            x[:, k].square().mean().item(), abs=2e-2
        )


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


# Sets that lie in a folder


def idx(array) -> bytes:
    array = np.asarray(array, dtype=np.uint8)
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(head + array.tobytes(), mtime=0)


def pictures(n, seed):
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with small sets, and the list of checksums made theirs."""
    monkeypatch.setenv("GANTOOLS_DATA", str(tmp_path))
    monkeypatch.setenv("GANTOOLS_OFFLINE", "1")
    for seed, place in enumerate(("MNIST", "FashionMNIST")):
        raw = tmp_path / place / "raw"
        raw.mkdir(parents=True)
        listed = []
        for part, n in (("train", 30), ("t10k", 10)):
            files = {"images-idx3": idx(pictures(n, seed + n)), "labels-idx1": idx(np.arange(n) % 10)}
            for name, packed in files.items():
                (raw / f"{part}-{name}-ubyte.gz").write_bytes(packed)
                listed.append((f"{part}-{name}-ubyte.gz", hashlib.md5(packed).hexdigest(), len(packed)))
        monkeypatch.setitem(sets._IDX, place, tuple(listed))
    colours = np.random.default_rng(9).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    (tmp_path / "CIFAR10").mkdir()
    np.savez(
        tmp_path / "CIFAR10" / "cifar10_subset.npz",
        train_images=colours, train_labels=np.arange(12, dtype=np.uint8) % 10,
        test_images=colours[:4], test_labels=np.arange(4, dtype=np.uint8),
    )  # fmt: skip
    return tmp_path


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST"])
def test_checksums_and_mirrors_are_torchvisions(name):
    known = getattr(torchvision.datasets, name)
    assert [row[:2] for row in sets._IDX[name]] == known.resources and list(
        sets._MIRRORS[name]
    ) == known.mirrors


def test_sets_of_a_folder_are_read_in_place(folder):
    mnist, fashion = data.load("mnist"), data.load("fashion-mnist", "test")
    assert mnist.images.shape == (30, 1, 28, 28) and torch.equal(mnist.labels, torch.arange(30) % 10)
    assert np.array_equal(mnist.images[:, 0].numpy(), pictures(30, 30))
    assert np.array_equal(fashion.images[:, 0].numpy(), pictures(10, 11)) and fashion.classes[8] == "bag"
    assert torch.equal(data.load("mnist", "train").images, mnist.images)
    cifar = data.load("cifar10")
    with np.load(folder / "CIFAR10" / "cifar10_subset.npz") as kept:
        assert np.array_equal(cifar.images.permute(0, 2, 3, 1).numpy(), kept["train_images"])
    assert cifar.shape == (3, 32, 32) and cifar.classes[:2] == ("airplane", "automobile")
    assert len(data.load("cifar10", "test")) == 4


def test_options_choose_classes_size_colour_and_number(folder):
    some = data.load("mnist", classes=("8", "3"), limit=4)
    assert some.classes == ("8", "3") and some.labels.tolist() == [1, 0, 1, 0]  # 3 comes before 8 in the file
    assert torch.equal(some.images, data.load("mnist").images[[3, 8, 13, 18]])
    grey = data.load("cifar10", channels=1)
    luma = data.load("cifar10").images.double().mul(torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1)
    assert grey.shape == (1, 32, 32) and (grey.images[:, 0] - luma).abs().max() <= 0.501
    coloured = data.load("mnist", channels=3, size=14)
    assert coloured.shape == (3, 14, 14) and torch.equal(coloured.images[:, 0], coloured.images[:, 2])
    means = data.load("mnist").images.double().mean((1, 2, 3))
    assert torch.allclose(coloured.images.double().mean((1, 2, 3)), means, atol=3)
    assert torch.equal(data.load("mnist", size=28).images, data.load("mnist").images)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "valid"}, '"train" or "test"'),
        ({"classes": ()}, "classes must be some of 0, 1"),
        ({"classes": ("8", "8")}, "each once"),
        ({"classes": ("eight",)}, "not eight"),
        ({"size": 0}, "size must be a positive"),
        ({"channels": 2}, "channels must be 1 or 3"),
        ({"limit": -1}, "limit must be a positive"),
    ],
)
def test_bad_options_say_what_is_wrong(folder, options, message):
    with pytest.raises(ValueError, match=message):
        data.load("mnist", **options)


def test_digits_have_no_split():
    with pytest.raises(ValueError, match="without a split"):
        data.load("digits", "test")


def test_a_set_that_is_not_at_hand_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("GANTOOLS_OFFLINE", "1")
    monkeypatch.setenv("GANTOOLS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GANTOOLS_DATA", raising=False)
    advice = "MNIST/raw/train-images.*GANTOOLS_OFFLINE is set.*set the environment variable GANTOOLS_DATA to"
    with pytest.raises(FileNotFoundError, match=advice):
        data.load("mnist")
    monkeypatch.setenv("GANTOOLS_DATA", str(tmp_path))
    for name, place in (("cifar10", "CIFAR10/cifar-10-binary.tar.gz"), ("socofing", "SOCOFing/SOCOFing.zip")):
        with pytest.raises(FileNotFoundError, match=f"there is no {place} in the folder .*put {place} there"):
            data.load(name)
    monkeypatch.setenv("GANTOOLS_DATA", str(tmp_path / "slip"))
    with pytest.raises(FileNotFoundError, match="slip, which is no folder"):
        data.load("mnist")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not gzip", "damaged"),
        (idx(np.zeros((2, 3)))[:-9], "damaged"),
        (gzip.compress(b"\0\0\x0d\x01\0\0\0\1abcd"), "no idx file of bytes"),
        (gzip.compress(b"\0\0\x08\x03\0\0"), "no idx file of bytes"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\5abc"), "promises 5 bytes and holds 3"),
        (gzip.compress(b"\0\0\x08\x02\xff\xff\xff\xff\xff\xff\xff\xffabc"), "promises"),
    ],
    ids=["no gzip", "cut off", "floats", "no shape", "too short", "far too short"],
)
def test_a_file_that_is_no_idx_file_is_refused(tmp_path, content, message):
    path = tmp_path / "x.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_idx(path)


def test_a_changed_file_is_refused(folder):
    path = folder / "MNIST" / "raw" / "train-labels-idx1-ubyte.gz"
    path.write_bytes(idx(np.arange(30) % 9))
    with pytest.raises(ValueError, match="train-labels-idx1-ubyte.gz is not the published file"):
        data.load("mnist")
    (folder / "CIFAR10" / "cifar10_subset.npz").write_bytes(b"PK no archive")
    with pytest.raises(ValueError, match="cifar10_subset.npz is damaged"):
        data.load("cifar10")


# What every set can tell


def made(n=6, side=4, **options):
    images = torch.randint(256, (n, 1, side, side), generator=rng(), dtype=torch.uint8)
    return data.ImageSet(images, torch.arange(n) % 3, ("a", "b", "c"), "made for a test", **options)


def test_what_belongs_to_an_image_goes_with_it():
    images = made(subjects=torch.tensor([7, 7, 8, 8, 9, 9]), licence="free")
    some = data.only(images, ["c", "a"])
    assert some.subjects.tolist() == images.subjects[images.labels != 1].tolist() and some.licence == "free"
    assert some.to("cpu").take(torch.tensor([3, 0])).subjects.tolist() == some.subjects[[3, 0]].tolist()
    with pytest.raises(ValueError, match="as many subjects"):
        made(subjects=torch.tensor([1]))


def test_the_checksum_tells_pixels_and_labels_and_nothing_else():
    images = made()
    assert len(images.checksum()) == 16 and int(images.checksum(), 16) >= 0
    assert images.checksum() == made(licence="other").checksum() == images.take(torch.arange(6)).checksum()
    changed = images.images.clone()
    changed[3, 0, 1, 2] ^= 1
    others = [
        data.ImageSet(changed, images.labels, images.classes, ""),
        data.ImageSet(images.images, images.labels.flip(0), images.classes, ""),
        data.ImageSet(images.images.view(6, 1, 2, 8), images.labels, images.classes, ""),
    ]
    assert len({images.checksum(), *(other.checksum() for other in others)}) == 4


def test_repeats_are_found():
    images = made()
    assert images.repeats() == []
    assert images.take(torch.tensor([0, 1, 0, 2, 1, 0])).repeats() == [[0, 2, 5], [1, 4]]


def test_the_cache_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    monkeypatch.setenv("GANTOOLS_CACHE", str(tmp_path / "mine"))
    assert data.cache() == tmp_path / "mine" and data.cache().is_dir()
    monkeypatch.delenv("GANTOOLS_CACHE")
    assert data.cache() == tmp_path / "shared" / "gantools" and data.cache().is_dir()
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data.cache() == tmp_path / ".cache" / "gantools"
    monkeypatch.setenv("GANTOOLS_CACHE", str(tmp_path / "file" / "below"))
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be made .*set GANTOOLS_CACHE"):
        data.cache()


# ---- sets that are joined ---------------------------------------------------------------------------------


def halves(name, classes, count=6, shape=(1, 4, 4), licence="free"):
    images = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, *shape) + 10 * len(name)
    return data.ImageSet(images, torch.arange(count) % len(classes), classes, f"by {name}", name, licence)


def test_joined_sets_keep_every_image_with_its_class():
    one, two = halves("a", ("x", "y")), halves("bb", ("z", "v", "w"), 9, licence="MIT")
    both = joined([one, two])
    assert both.classes == ("x", "y", "z", "v", "w") and len(both) == 15 and both.name == "a+bb"
    assert both.licence == "a: free; bb: MIT" and both.source == "by a; by bb"
    seen = {(int(image[0, 0, 0]), both.classes[label]) for image, label in zip(both.images, both.labels, strict=True)}
    apart = {(int(i[0, 0, 0]), each.classes[k]) for each in (one, two) for i, k in zip(each.images, each.labels, strict=True)}
    assert seen == apart
    assert len(set((both.labels[:6] < 2).tolist())) == 2  # mixed up: the first so many are of both


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([halves("a", ("x",))], "two sets or more"),
        ([halves("a", ("x",)), halves("a", ("x",))], "each once, not a, a"),
        ([halves("a", ("x",)), halves("b", ("y",), shape=(1, 5, 5))], "one shape to be joined.* give size and channels"),
        ([halves("a", ("x", "y")), halves("b", ("y", "z"))], "has the class y"),
    ],
)
def test_sets_that_do_not_fit_are_not_joined(parts, message):
    with pytest.raises(ValueError, match=message):
        joined(parts)


def test_sets_are_joined_by_name(folder):
    both, parts = data.load("mnist+fashion-mnist"), [data.load(name) for name in ("mnist", "fashion-mnist")]
    assert len(both) == sum(map(len, parts)) and len(both.classes) == 20 and both.shape == (1, 28, 28)
    assert (both.classes[3], both.classes[13]) == ("3", "dress") and "MIT" in both.licence and "CC BY-SA" in both.licence
    dresses = data.load("mnist+fashion-mnist", classes=("dress", "3"))
    found, alone = dresses.images[dresses.labels == 0], data.load("fashion-mnist", classes="dress").images
    assert len(found) == len(alone) and all(any(torch.equal(one, other) for other in alone) for one in found)
    grey = data.load("fashion-mnist+cifar10", size=14, channels=1, limit=5)
    assert grey.shape == (1, 14, 14) and len(grey) == 5
    for name, options, message in (
        ("mnist+silk", {}, "no image set named 'silk'"), ("mnist+cifar10", {}, "give size and channels"),
        ("mnist+fashion-mnist", {"limit": 0}, "limit must be a positive whole number"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            data.load(name, **options)

"""Networks whose features are compared: trained here, not trained at all, or the one of the published FID.

Each takes images, (n, C, H, W), uint8 or float in [-1, 1], which are rounded to 8 bits first, as files
would be; each has `features(images)`, (n, k) float64, and works on the CPU.
"""

import json
import re
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gantools import data, nets, storage

__all__ = ["Judge", "RandomFeatures", "inception", "judge", "random_features"]

VERSION = 1  # of the judge: the net, how it is trained, and the file
STEPS, BATCH, FEATURES = 2000, 64, 64
PART = 500  # images that go through a net at a time


@dataclass(frozen=True, eq=False)
class Judge:
    """A convolutional classifier of one set of images; made by `judge`."""

    net: nn.Sequential
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    name: str  # of the set
    accuracy: float  # on real images that it did not learn from
    held_out: int  # how many
    scale: float

    def features(self, images: Tensor) -> np.ndarray:
        """(n, 64): the last hidden layer, scaled so that the variances over the set judged sum to 64."""
        return _through(self.net[:-1], _floats(images, self.shape)) * self.scale

    def probabilities(self, images: Tensor) -> np.ndarray:
        """(n, classes)."""
        return self.both(images)[1]

    def both(self, images: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """(features, probabilities): one pass for the two."""
        hidden = _through(self.net[:-1], _floats(images, self.shape))
        with torch.no_grad():
            probabilities = self.net[-1](torch.from_numpy(hidden).float()).double().softmax(1)
        return hidden * self.scale, probabilities.numpy()

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        return (f"Judge of {self.name}, {shape}, {len(self.classes)} classes: right about "
                f"{self.accuracy:.1%} of {self.held_out:,} images it had not seen")


def judge(images: data.ImageSet, seed: int = 0) -> Judge:
    """A classifier trained on a labelled set, whose last hidden layer serves as features; kept in the cache.

    It learns from nine tenths of the images: 2,000 steps of Adam on batches of 64, some fifteen seconds for
    28 x 28 on one quiet core; the last tenth (at most 10,000) says how good it is: `accuracy`, also printed
    with the judge.  Give it *all* classes of the set, at the size at which it is to judge: for generated
    eights of 32 pixels, judge(data.load("mnist", size=32)).  The same seed gives the same bits on one machine
    with one number of threads; later calls read the file, known by the checksum of pixels and labels.

    Distances between its features can be compared with others of the *same* judge at the same number of
    samples, and with nothing else: not with a judge of another set, size or seed, and never with a published
    FID, which uses Inception's features (`inception`).
    Raises ValueError for fewer than two classes or 200 images, and if the labels cannot be learned.
    """
    if len(images.classes) < 2 or len(images) < 200:
        raise ValueError(
            f"a judge needs two classes and 200 images, not {len(images.classes)} and {len(images)}: "
            "give it all classes of the set; it can judge pictures of one of them all the same"
        )
    folder = data.cache() / "judges"
    name = re.sub(r"[^\w.+-]", "_", images.name)
    path = folder / f"{name}-{images.checksum()}-{seed}.safetensors"
    try:
        tensors, about = storage.read(path, "judge", VERSION)
    except FileNotFoundError:
        pass
    except ValueError as error:
        warnings.warn(f"{error}; a new judge is trained in its place", stacklevel=2)
    else:
        net = _net(images.shape, len(about["classes"]), seed)
        net.load_state_dict(tensors)
        facts = {name: about[name] for name in ("name", "accuracy", "held_out", "scale")}
        return Judge(net.eval(), tuple(about["shape"]), tuple(about["classes"]), **facts)
    made = _trained(images.to("cpu"), seed)
    folder.mkdir(exist_ok=True)
    facts = ("shape", "classes", "name", "accuracy", "held_out", "scale")
    about = {name: getattr(made, name) for name in facts}
    storage.write(path, "judge", VERSION, made.net.state_dict(), json.loads(json.dumps(about)))
    return made


def _net(shape: tuple[int, ...], classes: int, seed: int) -> nn.Sequential:
    """Convolutions down to a map of at most 7 x 7, 64 features, the classes' logits."""
    channels, height, width = shape
    with nets.seeded(seed):
        layers: list[nn.Module] = []
        for filters in (16, 32, 64, 64, 64, 64):
            layers += [nn.Conv2d(channels, filters, 3, stride=2, padding=1), nn.ReLU(inplace=True)]
            channels, height, width = filters, -(-height // 2), -(-width // 2)
            if filters > 16 and max(height, width) <= 7:
                break
        layers += [nn.Flatten(), nn.Linear(channels * height * width, FEATURES), nn.ReLU(inplace=True)]
        net = nn.Sequential(*layers, nn.Linear(FEATURES, classes))
    return net.to(memory_format=torch.channels_last)


def _trained(images: data.ImageSet, seed: int) -> Judge:
    """Learn from nine tenths, at a rate that rises and falls once; measure on the last tenth."""
    rng, n = torch.Generator().manual_seed(seed), len(images)
    order = torch.randperm(n, generator=rng)
    unseen, seen = order.tensor_split([min(n // 10, 10_000)])
    net = _net(images.shape, len(images.classes), seed)
    optimizer = torch.optim.Adam(net.parameters(), weight_decay=1e-4, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=STEPS)
    batches: list[Tensor] = []
    for _ in range(STEPS):
        batches = batches or list(seen[torch.randperm(len(seen), generator=rng)].split(BATCH))
        rows = batches.pop()
        x = data.to_float(images.images[rows]).contiguous(memory_format=torch.channels_last)
        loss = cross_entropy(net(x), images.labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    made = Judge(net.eval(), images.shape, images.classes, images.name, 0.0, len(unseen), 1.0)
    right = made.probabilities(images.images[unseen]).argmax(1) == images.labels[unseen].numpy()
    accuracy, chance = float(right.mean()), 1 / len(images.classes)
    if accuracy < chance + (1 - chance) / 4:
        raise ValueError(
            f"the labels of {images.name} could not be learned: {accuracy:.0%} of new images are recognised, "
            f"where guessing gives {chance:.0%}. Use metrics.random_features({images.shape}) instead"
        )
    variance = made.features(images.images[seen[:10_000]]).var(axis=0).sum()
    return replace(made, accuracy=accuracy, scale=float(np.sqrt(FEATURES / variance)))


# ---- without training -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class RandomFeatures:
    """An untrained convolutional network; made by `random_features`."""

    stages: nn.ModuleList
    shape: tuple[int, int, int]
    mean: np.ndarray | float = 0.0
    sd: np.ndarray | float = 1.0

    def features(self, images: Tensor) -> np.ndarray:
        """(n, 112): how strongly each filter of three layers answers, averaged over the image."""
        return (_through(self._answers, _floats(images, self.shape)) - self.mean) / self.sd

    def scaled(self, images: Tensor) -> "RandomFeatures":
        """The same with features of mean 0 and standard deviation 1 over these images, real ones say."""
        raw = replace(self, mean=0.0, sd=1.0).features(images)
        return replace(self, mean=raw.mean(axis=0), sd=raw.std(axis=0).clip(1e-6))

    def _answers(self, x: Tensor) -> Tensor:
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x.mean(dim=(2, 3)))  # (n, width)
        return torch.cat(found, dim=1)


def random_features(shape: tuple[int, int, int], seed: int = 0) -> RandomFeatures:
    """Features for images (C, H, W) without labels that can be learned: convolutions with random weights.

    Three layers of 16, 32 and 64 filters of 5 x 5 pixels with stride 2, whose answers are averaged over the
    image: they see textures, grey levels and contrast, not where anything lies.  Numbers from two seeds
    cannot be compared.
    """
    if len(shape) != 3 or min(shape[1:]) < 8:
        raise ValueError(f"shape must be (C, H, W) with sides of 8 pixels or more, not {shape!r}")
    with nets.seeded(seed):
        stages, channels = nn.ModuleList(), shape[0]
        for width in (16, 32, 64):
            filters = nn.Conv2d(channels, width, 5, stride=2, padding=2, bias=False)
            nn.init.kaiming_normal_(filters.weight)
            stages.append(nn.Sequential(filters, nn.ReLU()).to(memory_format=torch.channels_last))
            channels = width
    return RandomFeatures(stages.requires_grad_(False), tuple(shape))


# ---- the network of the published FID ---------------------------------------------------------------------


class Inception:
    """Inception's 2,048 features, by torch-fidelity; made by `inception`."""

    def __init__(self, net: nn.Module):
        self.net = net

    def features(self, images: Tensor) -> np.ndarray:
        """(n, 1 or 3, H, W) -> (n, 2048)."""
        pixels = as_bytes(images)
        pixels = pixels.expand(-1, 3, -1, -1) if pixels.shape[1] == 1 else pixels
        return _through(lambda x: self.net(x)[0], pixels, part=50)


def inception(weights: str | Path | None = None) -> Inception:
    """The features of the published FID, through the package torch-fidelity (an extra) and its weights.

    `weights` is the file weights-inception-2015-12-05-6726825d.pth of torch-fidelity's releases (91 MB), if
    it is not where torch.hub keeps its downloads.  frechet(...) of these features of 50,000 images is the
    published FID; of fewer it is biased upwards, and for MNIST or fingerprints it means little: Inception
    learned from photographs.  ImportError or FileNotFoundError say what is missing; nothing is downloaded.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3
    except ImportError:
        raise ImportError("Inception's features need torch-fidelity: pip install torch-fidelity") from None
    name = URL_INCEPTION_V3.rsplit("/", 1)[-1]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name if weights is None else Path(weights)
    if not path.is_file():
        raise FileNotFoundError(f"there are no weights at {path}: fetch {URL_INCEPTION_V3} and put it there")
    return Inception(_with_weights(FeatureExtractorInceptionV3, path))


def _with_weights(extractor, path: Path) -> nn.Module:
    """torch-fidelity unpickles whatever is in the file; here only tensors are let in."""
    from unittest.mock import patch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(f"{path} holds no weights that can be read: {error}") from None
    fetch = "torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url"
    with patch(fetch, lambda *url, **options: state):
        return extractor("inception-v3-compat", ["2048"])


# ---- images into nets -------------------------------------------------------------------------------------


def as_bytes(images: Tensor, shape: tuple[int, ...] | None = None) -> Tensor:
    """uint8 (n, C, H, W) on the CPU of images that are that already, or float in [-1, 1] (clipped).

    ValueError for other types and shapes, no image, or values that are not finite.
    """
    images = torch.as_tensor(images).detach().cpu()
    if images.ndim != 4 or not len(images) or shape is not None and tuple(images.shape[1:]) != tuple(shape):
        wanted = "C, H, W" if shape is None else ", ".join(map(str, shape))
        raise ValueError(f"images must be (n, {wanted}), at least one, not {tuple(images.shape)}")
    if images.dtype == torch.uint8:
        return images
    if not images.is_floating_point():
        raise ValueError(f"images must be uint8, or float in [-1, 1], not {images.dtype}")
    if not images.isfinite().all():
        raise ValueError("the images hold NaN or infinity: the generator has diverged")
    return data.to_uint8(images)


def _floats(images: Tensor, shape: tuple[int, ...]) -> Tensor:
    return data.to_float(as_bytes(images, shape))


@torch.no_grad()
def _through(net, images: Tensor, part: int = PART) -> np.ndarray:
    """(n, C, H, W) -> (n, k) float64, some at a time."""
    parts = (x.contiguous(memory_format=torch.channels_last) for x in images.split(part))
    return torch.cat([net(x) for x in parts]).double().numpy()

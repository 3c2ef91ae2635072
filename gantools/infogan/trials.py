"""The chapter's own games, and how well their codes match classes that nobody told them.

    ring_game                   InfoGAN on a ring of modes
    digit_game, labelled_game   InfoGAN and the conditional GAN on images, with nets of one size
    answers, agreement          which class a judge sees where the generator was asked for which code
    read_classes                which code Q reads in real images of which class
    gallery                     decoded images over a grid of codes, for the figure that moves them
    measured                    all of that for a game on images
    ring_run, digit_run         one job of experiments/infogan_ring.py and of experiments/infogan.py

Source: the experiments of Chen et al. (2016), *InfoGAN*, section 7, small enough for one core.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gantools import data, metrics, nets
from gantools.game import Game
from gantools.infogan.codes import Codes
from gantools.infogan.games import conditional_game, decode, estimated_bounds, infogan_game, read
from gantools.infogan.information import _count
from gantools.infogan.labels import matched_accuracy, nmi

__all__ = [
    "DIGITS", "Agreement", "Answers", "agreement", "answers", "components", "digit_game", "digit_run",
    "gallery",
    "labelled_game", "measured", "read_classes", "ring_game", "ring_run",
]  # fmt: skip

# Adam without momentum, strong instance noise, a running average: as for the digits of the minimax game
DIGITS = {"lr": 3e-3, "betas": (0.0, 0.99), "noise": 0.5, "ema": 0.998, "batch_size": 64, "latent": 16}


def ring_game(weight: float = 1.0, k: int = 8, modes: int = 8, seed: int = 0, **options) -> Game:
    """InfoGAN with one categorical code of k values on a ring of modes (radius 2, sd 0.1)."""
    codes = Codes((k,))
    generator = nets.mlp([2 + codes.width, 64, 64, 2], "leaky_relu", seed=4 * seed)
    four = generator, *_reader([2, 64, 64], codes, seed)
    options = {"lr": 1e-3, "batch_size": 128, "device": "cpu"} | options
    return infogan_game(*four, data.ring(modes, 2.0, 0.1), codes, weight=weight, seed=seed, **options)


def _reader(widths: list[int], codes: Codes, seed: int) -> tuple:
    """A body, D's last layer on it, and Q's."""
    body = nets.mlp(widths, "leaky_relu", output="leaky_relu", seed=4 * seed + 1)
    head = nets.mlp([widths[-1], 1], seed=4 * seed + 2)
    return body, head, nets.mlp([widths[-1], codes.outputs], seed=4 * seed + 3)


def digit_game(
    images: data.ImageSet, weight: float = 1.0, k: int = 10, seed: int = 0, hidden: int = 128, **options
) -> Game:
    """InfoGAN on images with a code of k values and two from U(-1, 1); `options` on top of `DIGITS`."""
    options, codes = DIGITS | {"device": "cpu"} | options, Codes((k,), uniform=2)
    pixels = math.prod(images.shape)
    four = (
        _writer(options["latent"] + codes.width, hidden, images, seed),
        *_reader([pixels, hidden, hidden], codes, seed),
    )
    options = {"continuous_weight": 0.1 * weight} | options
    return infogan_game(*four, images, codes, weight=weight, seed=seed, **options)


def labelled_game(images: data.ImageSet, seed: int = 0, hidden: int = 128, **options) -> Game:
    """The conditional GAN with nets and settings of `digit_game`; it is told the labels."""
    options, k, pixels = DIGITS | {"device": "cpu"} | options, len(images.classes), math.prod(images.shape)
    generator = _writer(options["latent"] + k, hidden, images, seed)
    discriminator = nets.mlp([pixels + k, hidden, hidden, 1], "leaky_relu", seed=4 * seed + 1)
    return conditional_game(generator, discriminator, images, seed=seed, **options)


def _writer(width: int, hidden: int, images: data.ImageSet, seed: int) -> torch.nn.Module:
    widths, shape = [width, hidden, hidden, math.prod(images.shape)], images.shape
    return nets.mlp(widths, "leaky_relu", output="tanh", shape=shape, seed=4 * seed)


# ---- codes and classes ------------------------------------------------------------------------------------


class Answers(NamedTuple):
    """What the generator was asked for and what a judge sees in its answers."""

    asked: np.ndarray  # (n,) values of the first categorical code
    seen: np.ndarray  # (n,) the likeliest classes
    sure: np.ndarray  # (n,) their probabilities


def components(law: data.Mixture) -> Callable[[Tensor], np.ndarray]:
    """The judge of a mixture: points (n, d) -> the probabilities, (n, k), of the components."""

    def judge(x: Tensor) -> np.ndarray:
        log_joint = law.weights.log() - torch.cdist(x, law.centres).square() / (2 * law.sd**2)  # (n, k)
        return log_joint.softmax(1).cpu().numpy()

    return judge


def answers(played: Game, judge: Callable[[Tensor], np.ndarray], n: int = 2000, seed: int = 1) -> Answers:
    """Draw n codes and noises, generate, and let `judge`, x -> (n, classes) probabilities, look.

    The same seed draws the same codes; the game's own random state stays as it is.
    """
    codes = played.rules.codes.draw(n, torch.Generator(played.device).manual_seed(seed))
    law = judge(decode(played, codes, seed + 1, fresh=True))
    return Answers(played.rules.codes.categorical(codes).cpu().numpy(), law.argmax(1), law.max(1))


class Agreement(NamedTuple):
    """How far codes and classes are the same thing under other names."""

    nmi: float
    accuracy: float  # share of answers seen to be of the class that their code stands for
    as_asked: float  # the same, and the judge is sure of it
    recognised: float  # share of answers about which the judge is sure
    classes: int  # with at least 2 % of all answers, the judge being sure
    pairing: dict[int, int]  # code -> class


def agreement(found: Answers, confidence: float = 0.9, told: bool = False) -> Agreement:
    """Measure `answers`: the best one-to-one pairing of codes with classes, or code = class if `told`.

    The protocol of recognition is that of `metrics.classes_found`.
    """
    asked, seen, sure = found.asked, found.seen, found.sure >= confidence
    codes = sorted({*asked.tolist()})
    pairing = {code: code for code in codes} if told else matched_accuracy(asked, seen).pairing
    right = seen == np.array([pairing.get(int(code), -1) for code in asked])
    shares = np.bincount(seen[sure], minlength=1) / len(seen)
    return Agreement(
        nmi(asked, seen), float(right.mean()), float((right & sure).mean()), float(sure.mean()),
        int((shares >= 0.02).sum()), pairing,
    )  # fmt: skip


def read_classes(played: Game, images: data.ImageSet) -> Answers:
    """Real images read by Q: `asked` is the code that it finds likeliest, `seen` their label."""
    outputs = read(played, data.to_float(images.images))
    found = played.rules.codes.categorical(outputs).cpu().numpy()
    return Answers(found, images.labels.cpu().numpy(), np.ones(len(found)))


def gallery(
    played: Game, judge: Callable[[Tensor], np.ndarray], steps: int = 9, noises: int = 3
) -> dict[str, np.ndarray]:
    """What a game of `digit_game` makes of a grid of codes, for `widgets.explore("infogan", "digits")`.

    images  (noises, k, steps, steps, h, w) uint8: noise, categorical code, first and second continuous code,
            these from -1 to 1
    read    (noises, k, steps, steps, k) uint8: Q(c|x) of the categorical code, 255 for 1
    seen    (noises, k, steps, steps) uint8: the class that the judge sees, and `sure`, its probability in 255ths
    """
    _count(2, steps=steps), _count(1, noises=noises)
    law, shape = played.rules.codes, played.data["real"].shape
    k, line = law.categories[0], torch.linspace(-1, 1, steps)
    value, first, second = torch.cartesian_prod(torch.arange(k).float(), line, line).unbind(1)  # (k s^2,) each
    codes = torch.cat([one_hot(value.long(), k).float(), torch.stack([first, second], 1)], 1)
    parts = {"images": [], "read": [], "seen": [], "sure": []}
    for seed in range(noises):
        x = decode(played, codes, seed)
        seen = judge(x)
        parts["images"].append(data.to_uint8(x).cpu().numpy())
        parts["read"].append(_bytes(law.heads(read(played, x)).logits[0].softmax(1).cpu().numpy()))
        parts["seen"].append(seen.argmax(1).astype(np.uint8))
        parts["sure"].append(_bytes(seen.max(1)))
    tails = {"images": shape[1:], "read": (k,), "seen": (), "sure": ()}
    return {name: np.reshape(parts[name], (noises, k, steps, steps, *tail)) for name, tail in tails.items()}


def _bytes(probability: np.ndarray) -> np.ndarray:
    return np.round(255 * probability).astype(np.uint8)


def ring_run(weight: float, k: int, seed: int, turns: int, **options) -> dict:
    """Play `ring_game` and measure: one job of experiments/infogan_ring.py."""
    played = ring_game(weight, k, seed=seed, **options)
    played.run(turns)
    law = played.data["real"]
    modes = metrics.modes_found(played.sample(4000), law)
    matched = nmi(*answers(played, components(law))[:2])
    return {"modes": modes.found, "high_quality": round(modes.high_quality, 4), "nmi": round(matched, 4),
            "bound": round(estimated_bounds(played).categorical, 4)}  # fmt: skip


def digit_run(
    images: data.ImageSet, judge: metrics.Classifier, seed: int, turns: int, labels: bool = False, **options
) -> dict:
    """Play and measure: one job of experiments/infogan.py.  `labels`: the conditional GAN is told them."""
    played = (labelled_game if labels else digit_game)(images, seed=seed, **options)
    played.run(turns)
    return measured(played, judge, images)


def measured(played: Game, judge: metrics.Classifier, images: data.ImageSet) -> dict:
    """All numbers of a game on images, rounded; Q, where there is one, reads `images`."""
    told = not hasattr(played.rules, "q_head")
    found = agreement(answers(played, judge.probabilities), told=told)._asdict()
    if not told:
        bounds, seen = estimated_bounds(played), agreement(read_classes(played, images))
        found |= {"bound": bounds.categorical, "continuous": bounds.continuous}
        found |= {"read_nmi": seen.nmi, "read_accuracy": seen.accuracy}
    found["pairing"] = [found["pairing"].get(code, -1) for code in range(played.rules.codes.categories[0])]
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in found.items()}

"""Two-player games on images: eights, clothes, fingerprints.

One function builds them all; what differs is a setting with a name, so that one can be changed at a time.
"""

import math
from collections.abc import Callable

from torch import nn

from gantools import data, nets, penalties
from gantools.game import Game, gan, rmsprop
from gantools.recipes.recipe import Recipe

__all__ = ["SETTINGS", "image_game"]

SETTINGS = {
    "loss": "nonsaturating",
    "penalty": "none",  # none, r1, gradient
    "weight": 0.0,  # of the penalty
    "lazy": 1,  # the penalty is charged every so many turns, so many times
    "clip": 0.0,  # bound of the weights, 0 for none
    "spectral": False,  # spectral normalisation of the discriminator
    "steps": 1,  # of the discriminator in a turn
    "optimizer": "adam",  # adam, rmsprop
    "lr_d": 4e-4,
    "lr_g": 4e-4,
    "beta1": 0.0,
    "beta2": 0.99,
    "batch": 64,
    "latent": 64,
    "net": "dcgan",  # dcgan, resnet, mlp
    "width": 32,
    "norm_g": "batch",  # batch, none
    "norm_d": "none",
    "start": 0,  # side of the dense layer's map, 0 for the net's own
    "upsample": "folded",  # folded, nearest, transposed
    "ema": 0.998,  # of the generator that is looked at, 0 for none
    "precision": "auto",
}


# The Wasserstein GAN as its paper and the Geneva report have it: RMSprop, clipping at 0.01, batch norm in both nets.
CLIPPED = {
    "loss": "wasserstein", "clip": 0.01, "steps": 5, "optimizer": "rmsprop", "lr_d": 5e-5, "lr_g": 5e-5,
    "norm_d": "batch", "upsample": "transposed", "ema": 0.0,
}  # fmt: skip
SMOOTH = {"penalty": "r1", "weight": 0.3, "lr_d": 1e-3, "lr_g": 1e-3, "ema": 0.99}
PENALISED = {"loss": "wasserstein", "penalty": "gradient", "weight": 10.0, "steps": 5, "ema": 0.99}
HINGE = {"loss": "hinge", "spectral": True, "lr_d": 1e-3, "lr_g": 1e-3, "beta2": 0.9, "ema": 0.99}

PRINTS = {"penalty": "r1", "weight": 0.3, "lazy": 4, "lr_d": 1e-3, "lr_g": 1e-3, "batch": 32, "ema": 0.995}


def image_game(images: data.ImageSet, seed: int = 0, device: str = "auto", **settings) -> Game:
    """The two-player game on a set of square images of 28, 32, 64 or 80 pixels; `settings` in place of SETTINGS.

    ValueError for a setting that there is not, or that does not fit the others.
    """
    strange = settings.keys() - SETTINGS.keys()
    if strange:
        raise ValueError(f"there is no setting {', '.join(sorted(strange))}; there are {', '.join(SETTINGS)}")
    s = {**SETTINGS, **settings}
    generator, discriminator = _nets(images.shape, s, seed)
    if s["spectral"]:
        penalties.spectral(discriminator, seed)
    generator, discriminator = (nets.precise(net, s["precision"]) for net in (generator, discriminator))
    return gan(
        generator, discriminator, images, s["loss"], latent=s["latent"], batch_size=s["batch"],
        lr=(s["lr_d"], s["lr_g"]), betas=(s["beta1"], s["beta2"]), optimizer=_choice("optimizer", s, adam=None, rmsprop=rmsprop),
        steps=s["steps"], penalty=_penalty(s), after=penalties.clip(s["clip"]) if s["clip"] else None,
        ema=s["ema"] or None, seed=seed, device=device,
    )  # fmt: skip


def _nets(shape: tuple[int, ...], s: dict, seed: int) -> tuple[nn.Module, nn.Module]:
    channels, size, _ = shape
    if s["net"] == "mlp":
        pixels, hidden = math.prod(shape), [s["width"]] * 2
        generator = nets.mlp([s["latent"], *hidden, pixels], "leaky_relu", output="tanh", shape=shape, seed=2 * seed)
        return generator, nets.mlp([pixels, *hidden, 1], "leaky_relu", seed=2 * seed + 1)
    kinds = {
        "dcgan": (nets.dcgan_generator, nets.dcgan_discriminator),
        "resnet": (nets.resnet_generator, nets.resnet_discriminator),
    }
    build_g, build_d = _choice("net", s, **kinds, mlp=None)
    norm_g, norm_d = (_choice(name, s, batch="batch", none=None) for name in ("norm_g", "norm_d"))
    start = {"start": s["start"]} if s["start"] else {}
    return (
        build_g(size, s["latent"], channels, s["width"], norm=norm_g, upsample=s["upsample"], seed=2 * seed, **start),
        build_d(size, channels, s["width"], norm=norm_d, seed=2 * seed + 1),
    )


def _penalty(s: dict) -> Callable | None:
    kind = _choice("penalty", s, none=None, r1=penalties.r1, gradient=penalties.gradient)
    if kind is None:
        if s["weight"]:
            raise ValueError(f"a weight of {s['weight']} wants a penalty: r1 or gradient")
        return None
    if s["norm_d"] == "batch":
        raise ValueError("a penalty takes gradients one sample at a time: the discriminator can have no batch norm")
    return penalties.lazy(kind(s["weight"]), s["lazy"])


def _choice(name: str, s: dict, **choices):
    if s[name] not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {s[name]!r}")
    return choices[s[name]]


# In turns: a budget's minutes stand in the recordings.
RECIPES = (
    Recipe(
        "digits", "Scikit-learn's small digits: a game of seconds, to try the command", {"name": "digits"},
        image_game, {**SETTINGS, "net": "mlp", "width": 128, "lr_d": 1e-3, "lr_g": 1e-3},
        {"smoke": 200, "cpu": 4000, "gpu": 8000}, "classes",
    ),
    *(
        Recipe(f"eights-{name}", about, {"name": "mnist", "classes": ("8",)}, image_game, {**SETTINGS, **settings},
               {"smoke": smoke, "cpu": cpu, "gpu": gpu}, "classes", frames)
        for name, about, settings, smoke, cpu, gpu, frames in (
            ("clip", "Eights by a critic with clipped weights, 30 epochs", CLIPPED, 4, 30 * 91, 60 * 91, 30),
            ("nonsaturating", "Eights by the non-saturating loss, R1 and a running average", SMOOTH, 20, 1500, 6000, 24),
            ("gradient", "Eights by WGAN-GP", PENALISED, 4, 430, 1700, 24),
            ("hinge", "Eights by hinge loss and spectral normalisation", HINGE, 20, 2200, 9000, 24),
        )
    ),
    *(
        Recipe(name, about, {"name": "socofing"}, image_game, {**SETTINGS, **settings},
               {"smoke": smoke, "cpu": cpu, "gpu": gpu}, "fingerprints", frames)
        for name, about, settings, smoke, cpu, gpu, frames in (
            ("prints", "Fingerprints by the non-saturating loss, R1 and a running average", PRINTS, 2, 2200, 20_000, 22),
            ("prints-clip-11", "Fingerprints by a critic with clipped weights, from a map of 11 x 11",
             {**CLIPPED, "start": 11, "width": 16}, 1, 700, 3000, 24),
            ("prints-clip-5", "The same from a map of 5 x 5", {**CLIPPED, "start": 5, "width": 16}, 1, 700, 3000, 24),
        )
    ),
    *(
        Recipe(f"clothes-{kind}-{name}", f"{many} {about}", {"name": "fashion-mnist", "classes": (kind,)}, image_game,
               {**SETTINGS, **settings}, {"smoke": smoke, "cpu": cpu, "gpu": gpu}, "classes", frames)
        for kind, many in (("bag", "Bags"), ("dress", "Dresses"), ("sandal", "Sandals"))
        for name, about, settings, smoke, cpu, gpu, frames in (
            ("clip", "by a critic with clipped weights, 30 epochs", CLIPPED, 4, 30 * 94, 60 * 94, 30),
            ("nonsaturating", "by the non-saturating loss, R1 and a running average", SMOOTH, 4, 1500, 6000, 24),
        )
    ),
)  # fmt: skip

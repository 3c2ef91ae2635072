"""InfoGAN on images, with convolutional nets: codes that nobody gave."""

from torch import nn

from gantools import data, infogan, metrics, nets
from gantools.game import Game
from gantools.recipes.recipe import Recipe

__all__ = ["RECIPES", "SETTINGS", "code_game", "code_measures"]

SETTINGS = {
    "values": 10,  # of the categorical code
    "uniform": 2,  # continuous codes from U(-1, 1)
    "weight": 1.0,  # lambda of the categorical code
    "continuous_weight": 0.1,
    "loss": "nonsaturating",
    "shake": 1.0,  # how far the images that Q reads are turned, sheared, scaled, moved, thickened, up to 1
    "noise": 0.1,  # standard deviation of the instance noise
    "lr_d": 1e-3,
    "lr_g": 1e-3,
    "beta1": 0.0,
    "beta2": 0.99,
    "batch": 64,
    "latent": 62,
    "width": 32,
    "hidden": 128,  # of Q's own layer
    "ema": 0.99,
}
SAMPLES = 1000  # codes that are asked for, at most, when codes and classes are compared


def code_game(images: data.ImageSet, seed: int = 0, device: str = "auto", **settings) -> Game:
    """InfoGAN on a set of square images of 28, 32, 64 or 80 pixels; `settings` in place of SETTINGS.

    The discriminator of `nets.dcgan_discriminator` without its last layer is the body that D and Q share; Q has a
    hidden layer of its own (Chen et al. 2016, appendix C.1).  ValueError for a setting that there is not.
    """
    strange = settings.keys() - SETTINGS.keys()
    if strange:
        raise ValueError(f"there is no setting {', '.join(sorted(strange))}; there are {', '.join(SETTINGS)}")
    s = {**SETTINGS, **settings}
    (channels, size, _), codes = images.shape, infogan.Codes((s["values"],), uniform=s["uniform"])
    generator = nets.dcgan_generator(size, s["latent"] + codes.width, channels, s["width"], seed=4 * seed)
    *body, last = nets.dcgan_discriminator(size, channels, s["width"], seed=4 * seed + 1)
    q_head = nets.mlp([last.in_features, s["hidden"], codes.outputs], "leaky_relu", seed=4 * seed + 2)
    return infogan.infogan_game(
        generator, nn.Sequential(*body), last, q_head, images, codes, s["loss"],
        weight=s["weight"], continuous_weight=s["continuous_weight"], shake=s["shake"], latent=s["latent"], batch_size=s["batch"],
        lr=(s["lr_d"], s["lr_g"]), betas=(s["beta1"], s["beta2"]), noise=s["noise"], ema=s["ema"] or None,
        seed=seed, device=device,
    )  # fmt: skip


def code_measures(game: Game, panel: metrics.Panel) -> dict[str, float]:
    """How far code and class agree, as the panel's judge sees it, and what Q reads: L_I in nats."""
    n = min(SAMPLES, panel.n)
    found = infogan.agreement(infogan.answers(game, panel.judge.probabilities, n))
    bound = infogan.estimated_bounds(game, n)
    return {"nmi": found.nmi, "code_accuracy": found.accuracy, "bound": float(bound.categorical)}


RECIPES = tuple(
    Recipe(
        name, about, {"name": "mnist"}, code_game, {**SETTINGS, **settings},
        {"smoke": 4, "cpu": 3000, "gpu": 10_000}, "classes", besides=code_measures,
    )
    for name, about, settings in (
        ("codes", "InfoGAN on MNIST: ten values that nobody gave a meaning", {}),
        ("codes-plain", "The same with Q reading the images as they are", {"shake": 0.0}),
        ("codes-unread", "The same without Q's term: lambda 0", {"weight": 0.0, "continuous_weight": 0.0}),
    )
)  # fmt: skip

"""P2GAN on images, with convolutional nets: twenty classes by many generators, wanted images out of a mixture."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from torch import Tensor

from gantools import data, metrics, nets, p2gan
from gantools.game import Game
from gantools.recipes.recipe import Recipe

__all__ = [
    "CONSTRAINT", "MODES", "constraint_game", "constraint_measures", "drawn_by", "modes_game", "only_wanted",
    "owners", "owners_measures",
]  # fmt: skip

NETS = {
    "lr_d": 1e-3,
    "lr_g": 1e-3,
    "beta1": 0.0,
    "beta2": 0.99,
    "batch": 64,  # from each source and each generator
    "latent": 64,
    "width": 24,
    "ema": 0.99,
}
MODES = {
    **NETS,
    "generators": 8,
    "reading": "pooled",  # pooled: one discriminator pulls all; literal: one for each
    "each_other": False,  # who pushes a generator: all others, or those before it
    "alpha": 0.3,  # of all pushes
    "loss": "nonsaturating",  # of the pull; pushes are minimax
    "joining": 0,  # turns between a generator and the next
    "batch": 16,
}
CONSTRAINT = {
    **NETS,
    "wanted": "8",
    "unwanted": "3",
    "primary": 4000,  # images of either class, without labels
    "auxiliary": 1500,  # other images of the unwanted one
    "forces": "pushed",  # pushed: one generator; paired: two
    "alpha": 1.0,  # of the push on one
    "gamma": 0.1,  # of the pull on the second of two
    "beta": 0.01,  # of the pushes on two
    "loss": "minimax",  # of the pull; pushes are minimax
}
SAMPLES = 1000  # of all generators together, when their classes are counted
READINGS = {"pooled": p2gan.pooled, "literal": p2gan.literal}


# ---- many generators --------------------------------------------------------------------------------------


def modes_game(images: data.ImageSet, seed: int = 0, device: str = "auto", **settings) -> Game:
    """P2GAN on a set of square images of 28, 32, 64 or 80 pixels; `settings` in place of MODES.

    With one generator it is the ordinary GAN.  ValueError for a setting that there is not, or a bad value.
    """
    s = _settings(MODES, settings)
    if s["reading"] not in READINGS:
        raise ValueError(f"reading must be one of {', '.join(READINGS)}, not {s['reading']!r}")
    forces = READINGS[s["reading"]](s["generators"], s["each_other"])
    return _game(images, forces, s, seed, device, since=s["joining"], alpha=s["alpha"])


def _settings(usual: Mapping, settings: Mapping) -> dict:
    strange = settings.keys() - usual.keys()
    if strange:
        raise ValueError(f"there is no setting {', '.join(sorted(strange))}; there are {', '.join(usual)}")
    return {**usual, **settings}


def _game(sources, forces: Sequence, s: Mapping, seed: int, device: str, **more) -> Game:
    channels, size, _ = sources["real"].shape if isinstance(sources, dict) else sources.shape
    generator = nets.dcgan_generator(size, s["latent"], channels, s["width"], seed=2 * seed)
    discriminator = nets.dcgan_discriminator(size, channels, s["width"], seed=2 * seed + 1)
    return p2gan.game(
        generator, discriminator, sources, forces, loss=s["loss"], push="minimax", batch_size=s["batch"],
        lr=(s["lr_d"], s["lr_g"]), betas=(s["beta1"], s["beta2"]), ema=s["ema"] or None, seed=seed, device=device,
        **more,
    )  # fmt: skip


def owners(labels: Sequence[int], k: int, classes: int) -> dict[str, float]:
    """Whose classes are they: labels (n,) of samples, the i-th by generator i % k, as games have them.

    distinct   different classes that the k generators make most often
    reached    classes with a twentieth of a generator's samples or more, mean over generators
    favourite  share of the favourite class among a generator's own samples, mean over generators
    """
    labels = np.asarray(labels)
    if k < 1 or len(labels) < k:
        raise ValueError(f"{len(labels)} samples of {k!r} generators: there must be one of each")
    counts = np.stack([np.bincount(labels[j::k], minlength=classes) for j in range(k)])  # (k, classes)
    shares = counts / counts.sum(1, keepdims=True)
    return {
        "distinct": float(len(set(shares.argmax(1).tolist()))),
        "reached": float((shares >= 0.05).sum(1).mean()),
        "favourite": float(shares.max(1).mean()),
    }


def owners_measures(game: Game, panel: metrics.Panel) -> dict[str, float]:
    """`owners` of the generators that have joined, with classes as the panel's judge sees them."""
    labels = panel.judge.probabilities(game.sample(SAMPLES, seed=0)).argmax(1)
    return owners(labels, game.rules.joined(game.number), len(panel.judge.classes))


# ---- wanted images out of a mixture -----------------------------------------------------------------------


def constraint_game(images: data.ImageSet, seed: int = 0, device: str = "auto", **settings) -> Game:
    """Generation with a constraint, on sources cut out of a labelled set; `settings` in place of CONSTRAINT.

    The division is drawn under seed 0 whatever the game's: runs under several seeds see the same images.
    ValueError for a setting that there is not, or a bad value.
    """
    s = _settings(CONSTRAINT, settings)
    task = p2gan.constraint(images, s["wanted"], s["unwanted"], s["primary"], s["auxiliary"])
    kinds = {"pushed": lambda: p2gan.pushed(s["alpha"]), "paired": lambda: p2gan.paired(s["gamma"], s["beta"])}
    if s["forces"] not in kinds:
        raise ValueError(f"forces must be one of {', '.join(kinds)}, not {s['forces']!r}")
    forces = kinds[s["forces"]]()
    since = [0] * (1 + max(force.target for force in forces))
    sources = {"real": task.primary, "auxiliary": task.auxiliary}
    return _game(sources, forces, s, seed, device, since=since)


def only_wanted(images: data.ImageSet, settings: Mapping) -> data.ImageSet:
    """What the first generator should make."""
    return data.only(images, settings["wanted"])


def drawn_by(j: int) -> Callable[[Game, int, int], Tensor]:
    """(game, n, seed) -> n samples of the j-th generator."""

    def draw(game: Game, n: int, seed: int) -> Tensor:
        k = game.rules.joined(game.number)
        return game.sample(k * n, seed)[j::k]

    return draw


def constraint_measures(game: Game, panel: metrics.Panel) -> dict[str, float]:
    """What the panel's judge takes each generator's samples for: shares of wanted, unwanted, neither; their spread.

    Wanted is the class that the panel compares with, unwanted what the judge takes the auxiliary source for.
    The spread is the standard deviation of a pixel, averaged over pixels, as a multiple of that of the primary
    source: near 0 where one image is made again and again.
    """
    k, judge = game.rules.joined(game.number), panel.judge
    good = judge.classes.index(panel.classes[0])
    bad = np.bincount(judge.probabilities(game.data["auxiliary"].images[:200].cpu()).argmax(1)).argmax()
    full, found = float(game.real(SAMPLES).std(0).mean()), {}
    samples = game.sample(k * SAMPLES, seed=0)
    for j in range(k):
        labels = judge.probabilities(samples[j::k]).argmax(1)
        wanted, unwanted = (float((labels == name).mean()) for name in (good, bad))
        spread = float(samples[j::k].std(0).mean()) / full
        values = {"wanted": wanted, "unwanted": unwanted, "neither": 1 - wanted - unwanted, "spread": spread}
        found |= {f"{name}_{j + 1}": value for name, value in values.items()}
    return found


# ---- all of them ------------------------------------------------------------------------------------------

PAIRED = {"forces": "paired", "loss": "nonsaturating"}
RECIPES = (
    *(
        Recipe(
            f"mixed-{name}", about, {"name": "mnist+fashion-mnist"}, modes_game, {**MODES, **settings},
            {"smoke": 8, "cpu": 1500, "gpu": 8000}, "classes", besides=owners_measures,
        )
        for name, about, settings in (
            ("alone", "Digits and clothes, twenty classes, by one generator", {"generators": 1, "batch": 128}),
            ("pooled", "The same by eight, pulled together, and pushed by those before them", {}),
            ("unpushed", "The same eight without a push", {"alpha": 0.0}),
            ("literal", "The same by eight, each pulled by itself", {"reading": "literal"}),
        )
    ),
    *(
        Recipe(
            f"{wanted}-{name}", about, {"name": images}, constraint_game, {**CONSTRAINT, **classes, **settings},
            {"smoke": 8, "cpu": 1500, "gpu": 6000}, "classes", besides=constraint_measures,
            reference=only_wanted, draw=drawn_by(0),
        )
        for wanted, images, classes in (
            ("wanted-eights", "mnist", {"wanted": "8", "unwanted": "3"}),
            ("wanted-sandals", "fashion-mnist", {"wanted": "sandal", "unwanted": "sneaker"}),
        )
        for name, about, settings in (
            ("pushed", "One class out of an unlabelled two, by a push from the other", {}),
            ("pulled", "The same without the push", {"alpha": 0.0}),
            ("paired", "The same by two generators, at the paper's weights", PAIRED),
            ("strong", "The same pair at stronger weights", {**PAIRED, "gamma": 0.5, "beta": 0.3}),
        )
    ),
)  # fmt: skip

"""A GAN on contaminated images, with convolutional nets: how far from clean ones, beside what is promised."""

from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from gantools import controlled, data, metrics
from gantools.data.images import joined
from gantools.game import Game
from gantools.recipes import images as two_players
from gantools.recipes.recipe import Recipe

__all__ = ["SETTINGS", "held_out", "kind_game", "kind_measures", "law_of", "parts_of"]

SETTINGS = {
    **two_players.SETTINGS,
    **two_players.SMOOTH,
    "deltas": [0.3],  # a level for each source
    "noise": "gaussian",  # gaussian, dirichlet; cut off at -1 and 1
    "scale": 0.5,
    "concentration": 0.1,  # of the Dirichlet law
}
TURNS = 300  # that a judge learns at a look; fewer where there are few samples


def parts_of(images: data.ImageSet) -> list[data.ImageSet]:
    """The sets that were joined in one, apart; each with its own classes."""
    names = images.name.split("+")
    if len(names) == 1:
        return [images]
    channels, size, _ = images.shape
    found = [data.load(name, size=size, channels=channels, limit=1) for name in names]
    return [
        replace(data.only(images, one.classes), name=one.name, source=one.source, licence=one.licence)
        for one in found
    ]


def law_of(
    images: data.ImageSet, deltas: list[float], noise: str = "gaussian", scale: float = 0.5,
    concentration: float = 0.1,
) -> controlled.Sources:  # fmt: skip
    """The contaminated images, `controlled.sources`: sources in equal shares, noise cut off at -1 and 1."""
    extra = {"concentration": concentration} if noise == "dirichlet" else {}
    return controlled.sources(
        parts_of(images), deltas, noise=controlled.Clipped(controlled.sampler(noise, scale=scale, **extra))
    )


def kind_game(images: data.ImageSet, seed: int = 0, device: str = "auto", **settings) -> Game:
    """The two-player game of `recipes.images` on contaminated images; `settings` in place of SETTINGS."""
    s = {**SETTINGS, **settings}
    law = law_of(images, *(s.pop(name) for name in ("deltas", "noise", "scale", "concentration")))
    return two_players.image_game(law, seed, device, **s)


def even(images: data.ImageSet, settings: dict) -> data.ImageSet:
    """As many images of every source, to compare with: the clean mixture."""
    parts = parts_of(images)
    least = min(map(len, parts))
    return images if len(parts) == 1 else joined([part.take(slice(least)) for part in parts])


@cache
def held_out(name: str, shape: tuple[int, ...]) -> tuple[data.ImageSet, ...]:
    """Images of each source that no game has seen, in an order drawn once: its test split."""
    channels, size, _ = shape
    parts = [data.load(each, "test", size=size, channels=channels) for each in name.split("+")]
    orders = (torch.randperm(len(part), generator=torch.Generator().manual_seed(0)) for part in parts)
    return tuple(part.take(order) for part, order in zip(parts, orders, strict=True))


def clean(game: Game, n: int) -> Tensor:
    """n clean images that the game has not seen, (n, C, H, W), in the law's shares.

    ValueError if there are too few.
    """
    law = game.data["real"]
    counts = [round(weight * n) for weight in law.weights.tolist()]
    parts = held_out("+".join(part.name for part in law.parts), law.shape)
    short = [part.name for part, count in zip(parts, counts, strict=True) if count > len(part)]
    if short:
        raise ValueError(f"{n} clean images are more than {', '.join(short)} has held out")
    return torch.cat([data.to_float(part.images[:count]) for part, count in zip(parts, counts, strict=True)])


def kind_measures(game: Game, panel: metrics.Panel) -> dict[str, float]:
    """Lower bounds on JSDs by classifiers, in nats, from as many samples as the panel looks at.

    promised           between clean and contaminated images at most
    from_clean         of generated images from clean ones that the game has not seen
    from_contaminated  of generated images from new draws of what it learned
    bound_error        the larger standard error of the two
    """
    law, parts = game.data["real"], max(1, panel.n // 500)
    made = torch.cat([game.sample(panel.n // parts, seed=100 + k) for k in range(parts)])
    noisy = law.sample(len(made), torch.Generator(law.device).manual_seed(7))
    turns = min(TURNS, max(10, len(made) // 5))
    found = [metrics.jsd_bound(real, made, turns=turns) for real in (clean(game, len(made)), noisy)]
    return {
        "promised": law.bound.jsd, "from_clean": found[0].bound, "from_contaminated": found[1].bound,
        "bound_error": max(each.error for each in found),
    }  # fmt: skip


CLOTHES = {"name": "fashion-mnist"}
CIFAR = {"name": "fashion-mnist+cifar10", "size": 28, "channels": 1}
RECIPES = tuple(
    Recipe(
        name, about, images, kind_game, {**SETTINGS, **settings}, {"smoke": 8, "cpu": 2000, "gpu": 10_000}, "classes",
        frames=12, besides=kind_measures, reference=even,
    )
    for name, about, images, settings in (
        ("kind-clothes", "Fashion-MNIST, three tenths of it under Gaussian noise", CLOTHES, {}),
        ("kind-clean", "The same without noise: what the generator falls short by", CLOTHES, {"deltas": [0.0]}),
        ("kind-mixture", "Clothes and grey photographs, contaminated at two levels", CIFAR, {"deltas": [0.2, 0.4]}),
    )
)  # fmt: skip

"""Games of the labs, by name: what `gantools train NAME` plays, and what the labs' notebooks begin with.

    recipe = recipes.get("eights-hinge")
    images = recipe.load()
    game = recipe.game(images, seed=0)
    recipe.train("runs/eights", budget="cpu")      all of it: data, game, measures, run

LABS says which of them a lab plays; of("lab2-eights") gives these.  A recipe is data (which images, which
settings, how many turns) and one function that builds the game.  How long a budget takes on two cores stands in
the recordings that were made with it.
"""

from gantools.recipes import codes, images, new_kind, push_pull
from gantools.recipes.recipe import BUDGETS, Recipe

__all__ = ["BUDGETS", "LABS", "Recipe", "everything", "get", "of"]

LABS = {
    "lab2-eights": ("eights-clip", "eights-gradient", "eights-hinge", "eights-nonsaturating"),
    "lab3-clothes": tuple(
        f"clothes-{kind}-{how}" for how in ("clip", "nonsaturating") for kind in ("bag", "dress", "sandal")
    ),
    "lab4-prints": ("prints-clip-11", "prints-clip-5", "prints"),
    "lab5-codes": ("codes", "codes-unread"),
    "lab6-push-pull": (
        "mixed-alone", "mixed-pooled", "wanted-eights-pulled", "wanted-eights-pushed", "wanted-eights-paired"
    ),
    "lab7-new-kind": ("kind-clean", "kind-clothes", "kind-mixture"),
}  # fmt: skip


def everything() -> dict[str, Recipe]:
    """All recipes by name, in the order of the labs."""
    return {recipe.name: recipe for module in (images, codes, push_pull, new_kind) for recipe in module.RECIPES}


def get(name: str) -> Recipe:
    """The recipe of that name; ValueError lists the names there are."""
    known = everything()
    if name not in known:
        raise ValueError(f"there is no recipe {name!r}; choose one of {', '.join(known)}; all of a lab: {', '.join(LABS)}")
    return known[name]


def of(name: str) -> list[Recipe]:
    """The games of the lab of that name, in the order of its notebook, or the one recipe; errors as of `get`."""
    return [get(each) for each in LABS.get(name, (name,))]

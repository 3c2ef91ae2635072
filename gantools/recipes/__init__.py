"""Games of the labs, by name: what `gantools train NAME` plays, and what the labs' notebooks begin with.

    recipe = recipes.get("eights-hinge")
    images = recipe.load()
    game = recipe.game(images, seed=0)
    recipe.train("runs/eights", budget="cpu")      all of it: data, game, measures, run

A recipe is data (which images, which settings, how many turns) and one function that builds the game.  How long
a budget takes on two cores stands in the recordings that were made with it.
"""

from gantools.recipes import codes, images, new_kind, push_pull
from gantools.recipes.recipe import BUDGETS, Recipe

__all__ = ["BUDGETS", "Recipe", "everything", "get"]


def everything() -> dict[str, Recipe]:
    """All recipes by name, in the order of the labs."""
    return {recipe.name: recipe for module in (images, codes, push_pull, new_kind) for recipe in module.RECIPES}


def get(name: str) -> Recipe:
    """The recipe of that name; ValueError lists the names there are."""
    known = everything()
    if name not in known:
        raise ValueError(f"there is no recipe {name!r}; choose one of {', '.join(known)}")
    return known[name]

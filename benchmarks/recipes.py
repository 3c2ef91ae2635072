"""What a turn of each lab's game takes on this machine, and the minutes of training that follow for its budgets.

    python benchmarks/recipes.py [NAME ...] [--turns 60] [--threads N] [--device cpu]

Without names all recipes are timed; where images cannot be had, that is said.  Minutes are turns times the time of
a turn: without loading, and without the looks at the samples, which take seconds each on two cores.

Measured on an NVIDIA H100, torch 2.11, products in bfloat16 where a recipe's precision is "auto", 60 turns, in
milliseconds a turn (the labs' tables give the minutes of the budget `gpu` from these):

    eights-clip          31      clothes-*-clip            29 to 35      mixed-alone, -unpushed    10, 9
    eights-gradient      37      clothes-*-nonsaturating   12 to 14      mixed-pooled, -literal    13, 15
    eights-hinge         12      codes, codes-unread       13            wanted-*                  10 to 15
    eights-nonsaturating 12      kind-clothes, -clean      14, 15        digits                    5
"""

import argparse
import time

import torch

from gantools import recipes


def seconds_a_turn(game, turns: int) -> float:
    """Mean over that many turns, after eight others, in which memory and kernels are found."""
    game.run(8)
    _settled(game)
    began = time.perf_counter()
    game.run(turns)
    _settled(game)
    return (time.perf_counter() - began) / turns


def _settled(game) -> None:
    if game.device.type == "cuda":
        torch.cuda.synchronize(game.device)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="recipes; all without")
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    chosen = [recipes.get(name) for name in options.names] or list(recipes.everything().values())
    print(f"{'':30}{'ms a turn':>10}" + "".join(f"{budget:>9}" for budget in recipes.BUDGETS) + "   minutes of training")
    for recipe in chosen:
        try:
            images = recipe.load()
        except FileNotFoundError as error:
            print(f"{recipe.name:30}not timed: {error}")
            continue
        each = seconds_a_turn(recipe.game(images, device=options.device), options.turns)
        minutes = "".join(f"{each * recipe.turns[budget] / 60:9.2f}" for budget in recipes.BUDGETS)
        print(f"{recipe.name:30}{1000 * each:10.1f}{minutes}", flush=True)

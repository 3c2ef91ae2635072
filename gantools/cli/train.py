"""gantools train: the labs' long runs."""

import argparse
import json
from pathlib import Path

from gantools import recipes


def add(parts: argparse._SubParsersAction) -> None:
    parser = parts.add_parser(
        "train", help="play one of the labs' games, or all of a lab, with checkpoints",
        description="Play one of the labs' games, or all of a lab, one after another, each in a folder of its own name "
        "below DIR. It may be killed at any moment and resumes to the bit.",
    )  # fmt: skip
    parser.add_argument("recipe", nargs="?", help="a recipe's name, or a lab's; --list shows all")
    parser.add_argument("--list", action="store_true", help="show the recipes and the labs")
    parser.add_argument("--data", metavar="NAME", help="another image set than the recipe's")
    parser.add_argument("--budget", choices=recipes.BUDGETS, default="cpu", help="how long (default: cpu)")
    parser.add_argument("--turns", type=int, help="exactly so many turns")
    parser.add_argument("--frames", type=int, help="how often the game is looked at (default: the recipe's)")
    parser.add_argument("--out", metavar="DIR", help="the run's folder")
    parser.add_argument("--resume", action="store_true", help="go on with the run in that folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto (default)")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="changes",
                        help="change a setting of the recipe; may be given many times")
    parser.add_argument("--checkpoint", type=float, default=60.0, metavar="SECONDS", help="between checkpoints (60)")
    parser.add_argument("--tensorboard", action="store_true", help="also write scalars for TensorBoard")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=run)


def run(asked: argparse.Namespace) -> int:
    if asked.list:
        for recipe in recipes.everything().values():
            print(f"{recipe.name:28} {recipe.about}")
        for lab, names in recipes.LABS.items():
            print(f"{lab:28} {', '.join(names)}")
        return 0
    if not asked.recipe or not asked.out:
        raise ValueError("name a recipe or a lab, and a folder: gantools train NAME --out DIR; --list shows the names")
    changes = dict(map(setting, asked.changes))
    games = [recipe.using(asked.data, **changes) for recipe in recipes.of(asked.recipe)]
    out, lab = Path(asked.out), asked.recipe in recipes.LABS
    for recipe in games:
        play(recipe, out / recipe.name if lab else out, asked)
    return 0


def play(recipe: recipes.Recipe, out: Path, asked: argparse.Namespace) -> None:
    recording = recipe.train(
        out, asked.budget, seed=asked.seed, device=asked.device, turns=asked.turns, frames=asked.frames, resume=asked.resume,
        checkpoint=asked.checkpoint, progress=not asked.quiet, tensorboard=asked.tensorboard,
        command=asked.command,
    )  # fmt: skip
    if recording is None:
        return
    minutes = recording.about["seconds"] / 60
    print(f"{recipe.name}: {len(recording.losses)} turns in {minutes:.1f} minutes of training; the run is in {out}", flush=True)
    if recording.measures is not None:
        for name, value in zip(recording.about["measures"], recording.measures[-1].tolist(), strict=True):
            print(f"{name:24} {value:.4g}")


def setting(text: str) -> tuple[str, object]:
    """`name=value` -> (name, value), where value is JSON if it can be, else text."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"--set wants NAME=VALUE, not {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value

"""gantools runs: finished runs made small for a page, and side by side in a table."""

import argparse
import shlex

from gantools import runs


def add(parts: argparse._SubParsersAction) -> None:
    parser = parts.add_parser("runs", help="keep finished runs: a small recording, a table")
    kinds = parser.add_subparsers(title="what to keep", required=True, metavar="KIND")
    small = kinds.add_parser("keep", help="one run as a recording small enough for a page")
    small.add_argument("run_folder", metavar="DIR")
    small.add_argument("--frames", type=int, default=12)
    small.add_argument("--at", metavar="TURNS", help="the frames of these turns instead, with commas between")
    small.add_argument("--images", type=int, default=25)
    small.add_argument("--levels", type=int, default=256, help="of brightness; fewer compress better (256)")
    small.add_argument("--measures", default="", help="names, with commas between")
    small.set_defaults(run=keep)
    rows = kinds.add_parser("table", help="many runs, a row each")
    rows.add_argument("run_folders", metavar="DIR", nargs="+")
    rows.add_argument("--protocol", required=True, help="what a reader must know about the numbers, in a sentence or two")
    rows.set_defaults(run=table)
    for kind in (small, rows):
        kind.add_argument("--until", type=int, metavar="TURN", help="as if every run had ended there")
        kind.add_argument("--to", metavar="FILE", required=True)


def keep(asked: argparse.Namespace) -> int:
    measures = [name for name in asked.measures.split(",") if name]
    frames = [int(turn) for turn in asked.at.split(",")] if asked.at else asked.frames
    print(runs.keep(asked.run_folder, asked.to, frames, asked.images, measures, asked.until, asked.levels))
    return 0


def table(asked: argparse.Namespace) -> int:
    until = [] if asked.until is None else ["--until", str(asked.until)]
    command = shlex.join(["gantools", "runs", "table", *asked.run_folders, *until, "--to", asked.to])
    print(runs.table(asked.run_folders, asked.to, asked.protocol, command, asked.until))  # the protocol is kept by itself
    return 0

"""The command `gantools`: data sets, and the long runs of the labs outside a notebook.

    gantools data list | get NAME | check
    gantools train --list
    gantools train RECIPE --budget cpu --out runs/mine [--resume]
    gantools runs keep DIR --to FILE          a finished run, small enough for a page
    gantools runs table DIR... --to FILE      finished runs side by side
"""

import argparse
import shlex
import sys
from collections.abc import Sequence

from gantools.game import Diverged


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say. Exit status: 0 done, 1 it could not be done, 2 it could not be understood."""
    from gantools.cli import data, runs, train

    parser = argparse.ArgumentParser(prog="gantools", description="The command line of the GAN book.")
    parts = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for part in (data, train, runs):
        part.add(parts)
    arguments = sys.argv[1:] if arguments is None else arguments
    asked = parser.parse_args(arguments)
    asked.command = "gantools " + shlex.join(arguments)  # for the record
    try:
        return asked.run(asked) or 0
    except (ValueError, OSError, Diverged, ModuleNotFoundError) as error:
        print(f"gantools: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("gantools: stopped", file=sys.stderr)
        return 130

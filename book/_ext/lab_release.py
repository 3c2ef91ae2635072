"""The students' version of a lab, and what they get back: nbgrader's steps and two of our own.

`labs/nbgrader_config.py` hands them to nbgrader, so that `make release` and the book take the same steps.
"""

import textwrap
from pathlib import Path

import nbformat
import yaml
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader import preprocessors as steps

ROOT = Path(__file__).resolve().parents[2]
NAMELESS = 'REPOSITORY = ""'


def repository() -> str:
    """`repository.url` of `_config.yml`: where Colab can install gantools from, or an empty text."""
    return (yaml.safe_load((ROOT / "_config.yml").read_text()).get("repository") or {}).get("url") or ""


class NameRepository(steps.NbGraderPreprocessor):
    """Write the repository's address into the cell that sets Colab up."""

    def preprocess(self, nb, resources):
        for cell in nb.cells:
            cell.source = cell.source.replace(NAMELESS, f'REPOSITORY = "{repository()}"')
        return nb, resources


class WrapFeedback(steps.NbGraderPreprocessor):
    """Break the sentences of failed tests into lines: a report shows each in a single one, cut off at its edge."""

    def preprocess_cell(self, cell, resources, cell_index):
        for output in cell.get("outputs", []):
            if output.output_type == "error" and output.traceback:
                output.traceback[-1] = textwrap.fill(output.traceback[-1], 100)
        return cell, resources


# nbgrader's own order: copies are graded by what SaveCells has written down.
RELEASE = [
    NameRepository, steps.LockCells, steps.ClearSolutions, steps.ClearOutput, steps.CheckCellMetadata,
    steps.ComputeChecksums, steps.SaveCells, steps.ClearHiddenTests, steps.ClearMarkScheme,
    steps.ComputeChecksums, steps.CheckCellMetadata,
]  # fmt: skip
FEEDBACK = [steps.GetGrades, CSSHTMLHeaderPreprocessor, WrapFeedback]


def released(path: Path):
    """The notebook of that source as students get it."""
    notebook = nbformat.read(path, as_version=4)
    for step in RELEASE:
        if step is not steps.SaveCells:
            notebook, _ = step().preprocess(notebook, {})
    return notebook

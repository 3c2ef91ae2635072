"""Execute chapters and store the outputs of their checked cells, and only those.

    python book/_tools/outputs.py              every chapter of _toc.yml
    python book/_tools/outputs.py minimax ...  some

A cell is checked if it holds the comment `# NBVAL_CHECK_OUTPUT`; nbval compares its output whenever the tests
run. What a cell prints otherwise is made anew by every build, so it has no place in the repository.
"""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from bookbuild import ROOT, chapters

MARK = "# NBVAL_CHECK_OUTPUT"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# What editors and runs leave in a cell and nobody reads.
LITTER = {"ExecuteTime", "collapsed", "execution", "jp-MarkdownHeadingCollapsed", "scrolled", "vscode"}


def merged(outputs: list) -> list:
    """The outputs with neighbouring pieces of one stream joined: where a kernel cuts a stream is chance."""
    joined = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output["output_type"] == last.get("output_type") == "stream" and output["name"] == last["name"]:
            last["text"] += output["text"]
        else:
            joined.append(nbformat.from_dict(output))
    return joined


def normalise(notebook, stem: str):
    """The notebook without anything that changes from run to run or from editor to editor, in place.

    Ids of cells stay as they are, but for missing and doubled ones: these become `<stem>-<number>`.
    """
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen = set()
    for number, cell in enumerate(notebook.cells):
        if cell.get("id") in seen | {None}:
            taken = seen | {other.get("id") for other in notebook.cells}
            cell["id"] = next(i for n in range(number, 10_000) if (i := f"{stem}-{n:03d}") not in taken)
        seen.add(cell["id"])
        for key in LITTER & set(cell.metadata):
            del cell.metadata[key]
        if cell.cell_type == "code" and MARK in cell.source:
            cell.outputs = merged(cell.outputs)
        elif cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def refresh(path: Path, timeout: int = 300) -> bool:
    """Execute a notebook where it lies and store its checked outputs; whether the file changed.

    Raises CellExecutionError if a cell fails; the file is then as it was.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=timeout, resources={"metadata": {"path": str(path.parent)}}).execute()
    text = nbformat.writes(normalise(notebook, path.stem)) + "\n"
    if text == path.read_text():
        return False
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False) as file:
        file.write(text)
    os.chmod(file.name, path.stat().st_mode)
    os.replace(file.name, path)
    return True


def main(names: list[str]) -> None:
    known = {path.stem: path for path in chapters()}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"No chapter {', '.join(unknown)} in _toc.yml; there are {', '.join(known)}.")
    failed = []
    for name in names or known:
        try:
            changed = refresh(known[name])
        except CellExecutionError as error:
            failed.append(name)
            print(f"{name}: a cell failed, the file is as it was\n{error}", file=sys.stderr)
        else:
            print(f"{known[name].relative_to(ROOT)}: {'changed' if changed else 'as it was'}", flush=True)
    if failed:
        raise SystemExit(f"Failed: {', '.join(failed)}")


if __name__ == "__main__":
    main(sys.argv[1:])

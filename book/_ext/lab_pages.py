"""The labs' pages: students' versions of which the book executes only the cells that show recorded runs."""

import os
import tempfile
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
SHOWN = "page"  # the tag of cells that the book executes


def sources(root: Path = ROOT) -> dict[str, Path]:
    """Name -> notebook of every lab: from labs/source, or in a copy without solutions from labs/release."""
    for kind in ("source", "release"):
        found = {path.stem: path for path in sorted((root / "labs" / kind).glob("*/*.ipynb"))}
        if found:
            return found
    return {}


def students(path: Path):
    """The notebook as students get it."""
    if path.parts[-3] == "release":
        return nbformat.read(path, as_version=4)
    from lab_release import released  # nbgrader takes seconds to import

    return released(path)


def page(path: Path) -> str:
    """The text of the notebook that the book makes its page of."""
    notebook = students(path)
    for cell in notebook.cells:
        tags = cell.metadata.setdefault("tags", [])
        if cell.cell_type == "code" and SHOWN not in tags:
            tags.append("skip-execution")
    return nbformat.writes(notebook) + "\n"


def write(text: str, path: Path) -> None:
    """Replace the file, unless it holds this text already: Sphinx and the tests go by the time of change."""
    if path.is_file() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False) as file:
        file.write(text)
    os.replace(file.name, path)


def make_pages(app, config) -> None:
    """Write every lab's page below the other pages, and drop pages of labs that are gone."""
    folder, labs = Path(app.srcdir) / "labs", sources(Path(app.srcdir).resolve().parent)
    for name, path in labs.items():
        write(page(path), folder / f"{name}.ipynb")
    for old in folder.glob("*.ipynb"):
        if old.stem not in labs:
            old.unlink()


def hand_out(app, error) -> None:
    """What a lab's page offers for download is the students' version as it is, without the page's tags."""
    folder = Path(app.outdir) / "_sources" / "labs"
    for name, path in sources(Path(app.srcdir).resolve().parent).items():
        if not error and (folder / f"{name}.ipynb").is_file():
            write(nbformat.writes(students(path)) + "\n", folder / f"{name}.ipynb")

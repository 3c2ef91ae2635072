"""Build the book with warnings as errors, prove that its pages exist, say where they are.

    python book/_tools/bookbuild.py
"""

import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
import lab_pages  # noqa: E402

HTML = ROOT / "_build" / "html"
STAMP = ROOT / "_build" / ".built"  # exists only while the last build was a good one


def pages(toc: Path = ROOT / "_toc.yml") -> list[str]:
    """Names of the pages in the table of contents, in order, without suffix."""
    content = yaml.safe_load(toc.read_text())
    chapters = [chapter["file"] for part in content["parts"] for chapter in part["chapters"]]
    return [content["root"], *chapters]


def chapters() -> list[Path]:
    """The notebooks among the pages, without the labs, whose pages are made from labs/source."""
    named = (ROOT / "book" / f"{page}.ipynb" for page in pages() if not page.startswith("labs/"))
    return [path for path in named if path.exists()]


def sources():
    """Every file that the built pages depend on."""
    yield from (ROOT / "_config.yml", ROOT / "_toc.yml", ROOT / "constraints.txt")
    yield from lab_pages.sources().values()
    for folder in (ROOT / "book", ROOT / "gantools"):
        for path in folder.rglob("*"):
            made = {"__pycache__", ".ipynb_checkpoints"} & set(path.parts) or path.parent == ROOT / "book" / "labs"
            if path.is_file() and not made:
                yield path


def newest() -> float:
    """When the youngest of the sources was written."""
    return max(path.stat().st_mtime for path in sources() if path.exists())


def is_stale() -> bool:
    """Whether the pages are missing or older than something that they are made of."""
    return not STAMP.exists() or newest() > STAMP.stat().st_mtime


def build() -> None:
    """Build into _build/html; SystemExit if a warning, a failing cell or a missing page spoils it."""
    # After a bad build every page is read anew: a page that was already read gives its warnings only once.
    everything = [] if STAMP.exists() else ["--all"]
    STAMP.unlink(missing_ok=True)
    begin = newest()
    jupyter_book = str(Path(sys.executable).with_name("jupyter-book"))
    command = [jupyter_book, "build", "-W", "-n", "--keep-going", *everything, "book/"]
    if subprocess.run(command, cwd=ROOT).returncode:
        raise SystemExit("The book was not built: see the messages above.")
    missing = [page for page in pages() if not (HTML / f"{page}.html").is_file()]
    if missing:
        raise SystemExit(f"The book was built without these pages of _toc.yml: {', '.join(missing)}")
    STAMP.touch()
    if newest() > begin:
        STAMP.unlink()  # somebody was writing meanwhile
    print(f"\nThe book is at {HTML / 'index.html'}")


if __name__ == "__main__":
    build()

"""What builds, refreshes and installs the book."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from types import SimpleNamespace

import bookbuild
import gan_book
import lock
import nbformat
import outputs
import pytest
import yaml
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from packaging.requirements import Requirement

ROOT = bookbuild.ROOT
PAGE = "# One\n\nA page, and {ref}`a place on it <place>`.\n\n(place)=\n## Two\n\nHere.\n"


# The build


@pytest.fixture
def small_book(tmp_path):
    """A book of one page and one notebook without code, made by this book's own configuration and tools."""
    for name in ("_ext", "_tools", "assets"):
        shutil.copytree(ROOT / "book" / name, tmp_path / "book" / name)
    for name in ("_config.yml", "book/_toc.yml", "book/references.bib"):
        shutil.copy(ROOT / name, tmp_path / name)
    contents = {"format": "jb-book", "root": "index", "parts": [{"chapters": [{"file": "one"}]}]}
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump(contents))
    (tmp_path / "book" / "index.md").write_text(PAGE)
    notebook = new_notebook(cells=[new_markdown_cell("# Chapter")], metadata=outputs.METADATA)
    nbformat.write(notebook, tmp_path / "book" / "one.ipynb")
    return tmp_path


def build(folder):
    command = [sys.executable, str(folder / "book" / "_tools" / "bookbuild.py")]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def configure(folder, **repository):
    config = yaml.safe_load((folder / "_config.yml").read_text())
    config["repository"].update(repository)
    (folder / "_config.yml").write_text(yaml.safe_dump(config))


def launch_links(folder):
    page = (folder / "_build" / "html" / "one.html").read_text()
    return re.findall(r'href="(https://[^"]*(?:binder|colab|nbgitpuller|git-pull)[^"]*)"', page)


def test_launch_buttons_appear_with_a_repository_and_only_then(small_book):
    configure(small_book, url="")
    run = build(small_book)
    assert run.returncode == 0, run.stdout
    assert f"The book is at {small_book / '_build' / 'html' / 'index.html'}" in run.stdout
    assert launch_links(small_book) == []
    configure(small_book, url="https://github.com/someone/their-book")
    assert build(small_book).returncode == 0
    assert [link.replace("&amp;", "&") for link in launch_links(small_book)] == [
        "https://mybinder.org/v2/gh/someone/their-book/main?urlpath=lab/tree/book/one.ipynb",
        "https://colab.research.google.com/github/someone/their-book/blob/main/book/one.ipynb",
        "https://nbgitpuller.readthedocs.io/en/latest/link.html?repo=https%3A//github.com/someone/their-book"
        "&branch=main&urlpath=lab/tree/their-book/book/one.ipynb",
    ]


def test_a_warning_spoils_the_build_the_second_time_too(small_book):
    (small_book / "book" / "index.md").write_text(PAGE.replace("<place>", "<nowhere>"))
    for _ in range(2):
        run = build(small_book)
        assert run.returncode and "nowhere" in run.stdout and "The book is at" not in run.stdout


def test_a_failing_cell_spoils_the_build(small_book):
    notebook = nbformat.read(small_book / "book" / "one.ipynb", as_version=4)
    notebook.cells.append(new_code_cell("1 / 0", id="fails"))
    nbformat.write(notebook, small_book / "book" / "one.ipynb")
    run = build(small_book)
    assert run.returncode and "ZeroDivisionError" in run.stdout


def test_pages_go_stale_when_a_source_is_newer(tmp_path, monkeypatch):
    source, stamp = tmp_path / "source", tmp_path / "stamp"
    monkeypatch.setattr(bookbuild, "sources", lambda: iter([source]))
    monkeypatch.setattr(bookbuild, "STAMP", stamp)
    source.touch()
    assert bookbuild.is_stale()
    stamp.touch()
    assert not bookbuild.is_stale()
    later = stamp.stat().st_mtime + 1
    os.utime(source, (later, later))
    assert bookbuild.is_stale()


def test_executed_notebooks_are_dropped_when_the_library_changes(tmp_path, monkeypatch):
    app = SimpleNamespace(outdir=tmp_path / "html")
    config = SimpleNamespace(nb_execution_cache_path="", gantools_sha256="")
    executed = tmp_path / ".jupyter_cache" / "executed"
    for state, kept in (("first", False), ("first", True), ("second", False)):
        monkeypatch.setattr(gan_book, "library_hash", lambda: state)
        gan_book.follow_library(app, config)
        assert config.gantools_sha256 == state
        assert executed.exists() == kept
        executed.mkdir(exist_ok=True)


def test_the_hash_follows_every_source_of_the_library(tmp_path, monkeypatch):
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(gan_book.importlib.util, "find_spec", lambda name: spec)
    seen = {gan_book.library_hash()}
    for name, text in (("a.py", "1"), ("a.py", "2"), ("b.js", "2"), ("widgets/c.css", "")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        seen.add(gan_book.library_hash())
    assert len(seen) == 5
    monkeypatch.setattr(gan_book.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(gan_book.ConfigError, match="pip install"):
        gan_book.library_hash()


def test_the_pages_of_labs_are_no_chapters(tmp_path, monkeypatch):
    for page in ("index", "one", "labs/two"):
        (tmp_path / "book" / page).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "book" / f"{page}.ipynb").touch()
    monkeypatch.setattr(bookbuild, "ROOT", tmp_path)
    monkeypatch.setattr(bookbuild, "pages", lambda: ["index", "one", "labs/two"])
    assert [path.stem for path in bookbuild.chapters()] == ["index", "one"]
    assert tmp_path / "book" / "labs" / "two.ipynb" not in set(bookbuild.sources())


# The checked outputs


def test_refresh_stores_checked_outputs_and_nothing_else(tmp_path):
    cells = [
        new_code_cell("x = 6; print('unchecked')", id="one", metadata={"scrolled": True}),
        new_code_cell(f"{outputs.MARK}\nprint(x, end='', flush=True)\nprint(' * 7 =', x * 7)", id="two"),
    ]
    path = tmp_path / "small.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    assert outputs.refresh(path)
    first, second = nbformat.read(path, as_version=4).cells
    assert (first.outputs, first.execution_count, first.metadata, first.id) == ([], None, {}, "one")
    assert [output.text for output in second.outputs] == ["6 * 7 = 42\n"] and second.execution_count == 2
    before = path.read_bytes()
    assert not outputs.refresh(path) and path.read_bytes() == before
    broken = json.loads(before)
    broken["cells"][0]["source"] = "1 / 0"
    path.write_text(json.dumps(broken))
    with pytest.raises(CellExecutionError):
        outputs.refresh(path)
    assert json.loads(path.read_text()) == broken
    assert [file.name for file in tmp_path.iterdir()] == ["small.ipynb"]


def test_normalise_mends_doubled_ids_and_keeps_the_others():
    cells = [new_code_cell(text, id=name) for text, name in (("1", "a"), ("2", "b"), ("3", "small-001"))]
    notebook = new_notebook(cells=cells, metadata={"language_info": {"name": "python", "version": "3.9"}})
    notebook.cells[1]["id"] = "a"
    outputs.normalise(notebook, "small")
    assert [cell.id for cell in notebook.cells] == ["a", "small-002", "small-001"]
    assert notebook.metadata == outputs.METADATA


def test_only_neighbouring_pieces_of_one_stream_are_joined():
    pieces = [new_output("stream", name=f"std{end}", text=end[0]) for end in ("out", "out", "err", "out")]
    assert [(piece["name"], piece["text"]) for piece in outputs.merged(pieces)] == [
        ("stdout", "oo"), ("stderr", "e"), ("stdout", "o"),
    ]
    assert pieces[0].text == "o"


def test_an_unknown_chapter_is_named():
    with pytest.raises(SystemExit, match="No chapter nonsense .* vanishing"):
        outputs.main(["nonsense"])


# What is installed


def test_a_lock_holds_versions_and_nothing_else():
    freeze = "Zed==2.0\n# a remark\n-e /somewhere/here\nlocal @ file:///somewhere\nalpha==1.0\n"
    assert lock.pins(freeze) == ["alpha==1.0", "Zed==2.0"]
    lines = [line for line in lock.LOCK.read_text().splitlines() if not line.startswith("#")]
    assert lines == lock.pins("\n".join(lines))


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_names_all_that_the_tests_install():
    pinned = {normal(line.split("==")[0]) for line in lock.pins(lock.LOCK.read_text())}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    waiting = [Requirement(line) for line in [*project["dependencies"], *sum(extras.values(), [])]]
    seen = set()
    while waiting:
        wanted = waiting.pop()
        key = (normal(wanted.name), frozenset(wanted.extras))
        if key in seen or key[0] == "gantools":
            continue
        seen.add(key)
        for line in importlib.metadata.requires(wanted.name) or []:
            found = Requirement(line)
            contexts = [{"extra": extra} for extra in wanted.extras or {""}]
            if found.marker is None or any(found.marker.evaluate(context) for context in contexts):
                waiting.append(found)
    assert {name for name, _ in seen} <= pinned
    assert len(seen) > 100


def test_conda_installs_what_pip_would():
    pip = next(part["pip"] for part in yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
               if isinstance(part, dict))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert pip[0] == "-c constraints.txt" and pip[1].startswith("-e .[")
    assert set(re.search(r"\[(.*)\]", pip[1])[1].split(",")) <= set(extras)

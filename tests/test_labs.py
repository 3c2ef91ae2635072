"""The labs: students get no solution, marks are just, and feedback is the one that was meant.

Everything that needs a kernel happens in two gradings a lab: of the copy as it was handed out, and of one that holds
the solution and, after every test, the wrong answers of tests/labs/<lab>.py with that test once more.
"""

import copy
import io
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import gan_book
import lab_pages
import lab_release
import nbformat
import numpy as np
import outputs
import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from PIL import Image
from traitlets.config import Config

from gantools import data, labs, recipes, results, runs
from gantools.recording import Recording

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {path.stem: path for path in sorted((ROOT / "labs" / "source").glob("*/*.ipynb"))}
REGIONS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
SHOWN = re.compile(r'labs\.(table|replay)\(\s*"([^"]*)",\s*"([^"]*)"')  # what page cells show of kept runs
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")  # nbgrader's own use of SQLAlchemy
EACH = pytest.mark.parametrize("lab", SOURCES)


# What is read from a notebook


def kind(cell) -> str:
    """`task`, `test`, `written`, or what else a cell is."""
    about = cell.metadata.get("nbgrader", {})
    if about.get("solution"):
        return "written" if about["grade"] else "task"
    return "test" if about.get("grade") else cell.cell_type


def region(source: str, name: str) -> list[str]:
    """The lines between ### BEGIN and ### END of that name."""
    lines, within = [], False
    for line in source.splitlines():
        if f"BEGIN {name}" in line or f"END {name}" in line:
            within = "BEGIN" in line
        elif within:
            lines.append(line)
    return lines


def secrets(cell) -> list[str]:
    """Lines that no student may see: solutions, hidden tests, model answers."""
    if kind(cell) == "written":
        return cell.source.splitlines()
    return [line for name in REGIONS for line in region(cell.source, name)]


def leaks(source, released) -> list[str]:
    """Lines of a secret region that the released notebook holds more often than the source shows openly."""
    hidden = [line.strip() for cell in source.cells for line in secrets(cell) if len(line.strip()) > 3]
    lines = [line.strip() for cell in source.cells for line in cell.source.splitlines()]
    text = [line.strip() for cell in released.cells for line in cell.source.splitlines()]
    text += [line for cell in released.cells for output in cell.get("outputs", []) for line in str(output).split("\\n")]
    found = [line for line in set(hidden) if text.count(line) > lines.count(line) - hidden.count(line)]
    found += [line for line in text for name in REGIONS if f"BEGIN {name}" in line or f"END {name}" in line]
    return found + ["outputs" for cell in released.cells if cell.get("outputs")]


def faults(notebook) -> list[str]:
    """What a lab's source lacks: an opening that says what it costs, tests for its tasks, questions, Colab."""
    found, cells = [], notebook.cells
    opening = cells[0].source
    for word in ("# Lab", "`smoke`", "`cpu`", "`gpu`", "**Data.**", "GANTOOLS_BUDGET"):
        if word not in opening:
            found.append(f"the opening does not say {word}")
    if not any("google.colab" in cell.source and lab_release.NAMELESS in cell.source for cell in cells):
        found.append("no cell sets Colab up")
    kinds = [kind(cell) for cell in cells]
    if kinds.count("task") < 3 or kinds.count("written") < 2:
        found.append("fewer than three tasks or two questions")
    for cell, following in zip(cells, [*kinds[1:], ""], strict=True):
        if kind(cell) == "task" and (not region(cell.source, "SOLUTION") or following != "test"):
            found.append(f"task {cell.id} has no solution region, or no test after it")
        if kind(cell) == "test" and not region(cell.source, "HIDDEN TESTS"):
            found.append(f"test {cell.id} hides nothing")
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count):
            found.append(f"cell {cell.id} stores an output")
        if kind(cell) not in ("markdown", "code") and cell.metadata.nbgrader.grade_id != cell.id:
            found.append(f"cell {cell.id} is graded under another name")
    return found


def read(path):
    return nbformat.read(path, as_version=4)


# The course, and what is handed in


class Course:
    """nbgrader with this course's configuration, in a folder of its own."""

    def __init__(self, root: Path):
        self.root, self.db, config = root, f"sqlite:///{root / 'gradebook.db'}", Config()
        runpy.run_path(str(ROOT / "labs" / "nbgrader_config.py"), init_globals={"get_config": lambda: config})
        config.CourseDirectory.root, config.CourseDirectory.db_url = str(root), self.db
        self.api, self.handed_out = NbGraderAPI(config=config), {}

    @staticmethod
    def succeed(result):
        assert result["success"], result.get("error") or result["log"]

    def release(self, lab: str):
        """The students' version, made when it is first asked for."""
        if lab not in self.handed_out:
            shutil.copytree(SOURCES[lab].parent, self.root / "source" / lab)
            self.succeed(self.api.generate_assignment(lab))
            self.handed_out[lab] = read(self.root / "release" / lab / f"{lab}.ipynb")
        return self.handed_out[lab]

    def grade(self, lab: str, student: str, notebook):
        """(marks by name of the cell, whether somebody must read it, the notebook as executed)."""
        folder = self.root / "submitted" / student / lab
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{lab}.ipynb")
        self.succeed(self.api.autograde(lab, student))
        with Gradebook(self.db) as book:
            found = book.find_submission_notebook(lab, lab, student)
            marks = {grade.cell.name: (grade.auto_score, grade.max_score) for grade in found.grades}
            waiting = found.needs_manual_grade
        return marks, waiting, read(self.root / "autograded" / student / lab / f"{lab}.ipynb")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:  # nbgrader calls alembic, which lies beside this Python
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.delenv(labs.BUDGET, raising=False)
        yield Course(tmp_path_factory.mktemp("course"))


def expectations(lab: str) -> dict:
    return runpy.run_path(str(ROOT / "tests" / "labs" / f"{lab}.py"))


@pytest.fixture
def wanted_data(lab, request):
    """What the lab reads; where real images are wanted and missing, its test says so."""
    if expectations(lab)["DATA"]:
        request.getfixturevalue("real_data")


def solved(lab: str, source, released):
    """The student's copy with the solutions in their places, and after each test the wrong answers to it.

    What a wrong answer changed is put back, so that the cells after it do not notice.
    """
    notebook, answers = copy.deepcopy(released), {cell.id: cell.source for cell in source.cells}
    wrong = expectations(lab)["WRONG"]
    cells, task = [], None
    for cell in notebook.cells:
        if kind(cell) in ("task", "written"):
            cell.source, task = answers[cell.id], cell.id
        cells.append(cell)
        if kind(cell) == "test":
            for number, (name, code, _) in enumerate(wrong):
                if name == task:
                    tried = [("keep", "_kept = dict(globals())"), ("wrong", code), ("tested", answers[cell.id]),
                             ("back", "globals().update(_kept)")]  # fmt: skip
                    cells += [new_code_cell(source, id=f"{part}-{number}") for part, source in tried]
    if lab in recipes.LABS:
        cells.append(new_code_cell("print(*(path.name for path in RUNS.iterdir()))", id="played"))
    notebook.cells = cells
    return notebook


def errors(notebook) -> dict[str, str]:
    """Name of the cell -> what it raised, without colours."""
    return {
        cell.id: f"{output.ename}: {output.evalue}"
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    }


# The labs as they are


def test_there_are_labs_and_each_has_its_expectations():
    assert "lab1-images" in SOURCES
    assert {path.stem for path in (ROOT / "tests" / "labs").glob("*.py")} == set(SOURCES)
    assert all(path.parent.name == name for name, path in SOURCES.items())


@EACH
def test_source_is_whole(lab):
    notebook = read(SOURCES[lab])
    assert faults(notebook) == []
    assert outputs.normalise(copy.deepcopy(notebook), lab) == notebook
    nbformat.validate(notebook)
    tasks = {cell.id for cell in notebook.cells if kind(cell) == "task"}
    wrong = [name for name, _, _ in expectations(lab)["WRONG"]]
    assert len(wrong) >= 2 and set(wrong) <= tasks


@EACH
def test_students_get_no_solution(lab, course):
    released = course.release(lab)
    assert leaks(read(SOURCES[lab]), released) == []
    kept = {path.name for path in (course.root / "release" / lab).iterdir()}
    assert kept == {path.name for path in SOURCES[lab].parent.iterdir()} - {".ipynb_checkpoints"}
    for cell in released.cells:
        if kind(cell) == "task":
            assert "raise NotImplementedError()" in cell.source
        if kind(cell) == "written":
            assert cell.source == "YOUR ANSWER HERE"


@EACH
def test_the_book_shows_what_students_get(lab, course):
    released = course.release(lab)
    assert lab_pages.students(SOURCES[lab]).cells == released.cells
    page = nbformat.reads(lab_pages.page(SOURCES[lab]), as_version=4)
    assert [cell.source for cell in page.cells] == [cell.source for cell in released.cells]
    skipped = {"skip-execution" in cell.metadata.tags for cell in page.cells if kind(cell) in ("task", "test")}
    assert skipped == {True}
    run = [cell for cell in page.cells if cell.cell_type == "code" and "skip-execution" not in cell.metadata.tags]
    assert run and all("page" in cell.metadata.tags for cell in run)
    shown = [match for cell in run for match in SHOWN.findall(cell.source)]
    assert shown and {about for _, about, _ in shown} == {lab}
    for how, _, name in shown:
        assert (labs.folder(lab) / f"{name}.{'json' if how == 'table' else 'safetensors.gz'}").is_file(), name


@EACH
def test_what_is_kept_is_small_and_shows_nobody(lab):
    kept = [path for path in labs.folder(lab).iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in kept) <= 500_000
    for path in kept:
        if path.name.endswith(".safetensors.gz"):
            run = Recording.load(path)
            assert run.about["made"]["command"].startswith("gantools train ") and run.about["measures"]
            assert len(run.real) == 0 or not data.private(run.about["run"]["data"]["name"])


@EACH
def test_an_untouched_copy_gets_nothing(lab, course, wanted_data):
    marks, waiting, _ = course.grade(lab, "untouched", course.release(lab))
    assert {score or 0 for score, _ in marks.values()} == {0} and not waiting


@EACH
def test_the_solution_gets_full_marks_and_wrong_answers_their_feedback(lab, course, wanted_data):
    source = read(SOURCES[lab])
    marks, waiting, executed = course.grade(lab, "solved", solved(lab, source, course.release(lab)))
    raised = errors(executed)
    assert {name: text for name, text in raised.items() if not name.startswith("tested-")} == {}
    tests = {cell.id for cell in source.cells if kind(cell) == "test"}
    assert {name for name, (score, most) in marks.items() if score == most > 0} == tests
    assert waiting  # somebody has to read what was written
    if lab in recipes.LABS:  # `gantools train LAB` plays what the notebook plays, and there
        played = set(executed.cells[-1].outputs[0].text.split())
        assert played & recipes.everything().keys() and played & recipes.everything().keys() <= set(recipes.LABS[lab])
    for number, (task, _, words) in enumerate(expectations(lab)["WRONG"]):
        said = raised.get(f"tested-{number}", "nothing")
        assert said.startswith("AssertionError") and words in said, f"{task}, {words!r}: the test said {said}"


def test_kept_results_belong_to_their_scripts_and_recipes():
    kept = sorted((ROOT / "book" / "results" / "labs").glob("*/*.json"))
    assert kept
    for path in kept:
        found = results.load(path)
        if found.about["command"].startswith("gantools runs table "):
            for row in found.rows:
                asked = {"recipe": row["recipe"], "data": {"name": row["data"]}, "settings": row["settings"]}
                assert runs.change(asked) == row["change"], f"{path.name}: {row['recipe']} has other settings now"
            continue
        script = ROOT / found.about["command"].split()[1]
        assert found.about["source"] == results.digest(script), f"{path.name} was measured by another {script.name}"


# The rules can fail


def graded(cell, task: bool):
    about = {"grade_id": cell.id, "schema_version": 3, "locked": not task, "task": False, "solution": task}
    cell.metadata["nbgrader"] = about | {"grade": cell.cell_type == "markdown" or not task, "points": 1}
    return nbformat.from_dict(cell)


def small_lab():
    """A lab of three tasks and two questions without a fault."""
    opening = "# Lab 9\n\n`smoke` `cpu` `gpu` GANTOOLS_BUDGET\n\n**Data.** None."
    colab = f"{lab_release.NAMELESS}\nimport sys\nif 'google.colab' in sys.modules: ..."
    cells = [new_markdown_cell(opening), new_code_cell(colab)]
    for k in range(3):
        answer = f"def f{k}():\n    ### BEGIN SOLUTION\n    return {k} + 40\n    ### END SOLUTION"
        test = f"### BEGIN HIDDEN TESTS\nassert f{k}() == {k} + 40\n### END HIDDEN TESTS\nassert f{k}() > 0"
        cells += [graded(new_code_cell(answer, id=f"f{k}"), True), graded(new_code_cell(test, id=f"t{k}"), False)]
    cells += [graded(new_markdown_cell(f"Because of {k}.", id=f"q{k}"), True) for k in range(2)]
    return new_notebook(cells=cells, metadata=outputs.METADATA)


def test_a_small_lab_is_whole_and_released_without_leaks(tmp_path):
    lab, path = small_lab(), tmp_path / "labs" / "source" / "small" / "small.ipynb"
    assert faults(lab) == []
    path.parent.mkdir(parents=True)
    nbformat.write(lab, path)
    released = lab_pages.students(path)
    assert leaks(lab, released) == [] and "assert f0() > 0" in released.cells[3].source
    assert released.cells[2].source == "def f0():\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    for k, spoil in [(2, "    return 0 + 40"), (3, "assert f0() == 0 + 40"), (9, "Because of 1."), (4, "### END SOLUTION")]:
        leaky = copy.deepcopy(released)
        leaky.cells[k].source += f"\n{spoil}"
        assert leaks(lab, leaky) == [spoil.strip()]
    shown = copy.deepcopy(released)
    shown.cells[1].outputs = [nbformat.v4.new_output("stream", text="1")]
    assert leaks(lab, shown) == ["outputs"]
    assert leaks(lab, lab)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda cells: cells[0].update(source="# Lab 9"), "does not say `smoke`"),
        (lambda cells: cells[1].update(source="pass"), "Colab"),
        (lambda cells: cells[2].update(source="def f0(): return 40"), "no solution region"),
        (lambda cells: cells.insert(3, new_code_cell("1")), "no test after it"),
        (lambda cells: cells[3].update(source="assert f0()"), "hides nothing"),
        (lambda cells: cells[1].update(execution_count=3), "stores an output"),
        (lambda cells: cells.pop(), "two questions"),
        (lambda cells: cells[2].metadata.nbgrader.update(grade_id="g"), "under another name"),
    ],
)
def test_a_source_with_a_fault_is_noticed(spoil, words):
    lab = small_lab()
    spoil(lab.cells)
    assert any(words in fault for fault in faults(lab))


def test_the_repository_is_named_where_colab_is_set_up(monkeypatch):
    monkeypatch.setattr(lab_release, "repository", lambda: "https://git.org/a/b")
    lab, _ = lab_release.NameRepository().preprocess(small_lab(), {})
    assert lab.cells[1].source.startswith('REPOSITORY = "https://git.org/a/b"\n')


def test_a_report_breaks_long_sentences_into_lines():
    said = "AssertionError: " + "that is aliasing " * 20
    cell = new_code_cell("1", outputs=[nbformat.v4.new_output("error", traceback=["above", said])])
    lab_release.WrapFeedback().preprocess_cell(cell, {}, 0)
    above, told = cell.outputs[0].traceback
    assert above == "above" and told.split() == said.split()
    assert max(map(len, told.splitlines())) <= 100


def test_pages_come_and_go_with_their_labs_and_are_left_alone_otherwise(tmp_path):
    app = SimpleNamespace(srcdir=tmp_path / "book", outdir=tmp_path / "html")
    source, page = (tmp_path / part / "small.ipynb" for part in ("labs/source/small", "book/labs"))
    source.parent.mkdir(parents=True)
    nbformat.write(small_lab(), source)
    lab_pages.make_pages(app, None)
    before = page.stat().st_mtime_ns
    lab_pages.make_pages(app, None)
    assert page.stat().st_mtime_ns == before
    offered = tmp_path / "html" / "_sources" / "labs" / "small.ipynb"
    offered.parent.mkdir(parents=True)
    shutil.copy(page, offered)
    lab_pages.hand_out(app, None)
    assert "skip-execution" in page.read_text() and "skip-execution" not in offered.read_text()
    release = tmp_path / "labs" / "release" / "small" / "small.ipynb"  # a copy for the public holds no source
    release.parent.mkdir(parents=True)
    shutil.copy(offered, release)
    shutil.rmtree(tmp_path / "labs" / "source")
    lab_pages.make_pages(app, None)
    assert [cell.source for cell in read(page).cells] == [cell.source for cell in read(release).cells]
    shutil.rmtree(tmp_path / "labs")
    lab_pages.make_pages(app, None)
    assert not page.exists()


def test_the_public_copy_holds_what_students_get_and_no_solution(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    shutil.copytree(ROOT / "tests" / "labs", here / "tests" / "labs")
    (here / "labs" / "source" / "small").mkdir(parents=True)
    nbformat.write(small_lab(), here / "labs" / "source" / "small" / "small.ipynb")
    for name in ("Makefile", "labs/.gitignore", "tests/test_labs.py"):
        shutil.copy(ROOT / name, here / name)
    (here / "labs" / "release" / "small").mkdir(parents=True)
    (here / "labs" / "release" / "small" / "small.ipynb").touch()
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]

    def run(*command, folder=here):
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout

    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        run(*git, *command)
    run("make", "-o", "release", "public", f"OUT={there}")
    run(*git, "init", "-q", folder=there)
    run(*git, "add", ".", folder=there)
    assert run(*git, "ls-files", folder=there).split() == [
        "Makefile", "labs/.gitignore", "labs/release/small/small.ipynb"
    ]  # fmt: skip


def test_no_button_leads_from_a_lab_to_its_solutions(tmp_path):
    (tmp_path / "labs" / "source").mkdir(parents=True)
    config = SimpleNamespace(html_theme_options={"repository_url": "https://git.org/a/b", "launch_buttons": {}})
    app = SimpleNamespace(config=config, srcdir=tmp_path / "book")

    def buttons(page):
        launch = {"label": "launch-buttons", "buttons": [{"url": f"https://colab/a/b/blob/main/book/{page}.ipynb"}]}
        context = {"header_buttons": [launch, {"label": "download-buttons"}]}
        gan_book.complete_launch_buttons(app, page, "", context, None)
        return [button["url"] for group in context["header_buttons"] for button in group.get("buttons", [])]

    assert buttons("minimax")[0].endswith("/book/minimax.ipynb")
    assert buttons("labs/gan-1") == []
    shutil.rmtree(tmp_path / "labs" / "source")
    colab, hub = buttons("labs/gan-1")
    assert colab == "https://colab/a/b/blob/main/labs/release/gan-1/gan-1.ipynb"
    assert hub.endswith("urlpath=lab/tree/b/labs/release/gan-1/gan-1.ipynb")


# gantools.labs


def test_the_budget_is_cpu_unless_named_or_graded(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.delenv(labs.BUDGET, raising=False)
    assert labs.budget() == "cpu"
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert labs.budget() == "smoke" and labs.pick(smoke=1, cpu=2, gpu=3) == 1
    monkeypatch.setenv(labs.BUDGET, "gpu")
    assert labs.pick(smoke=1, cpu=2, gpu=3) == 3
    monkeypatch.setenv(labs.BUDGET, "weekend")
    with pytest.raises(ValueError, match="must be one of smoke, cpu, gpu"):
        labs.budget()


@pytest.mark.parametrize("how", [{}, {"bits": 32}, {"offset": 138}, {"top_down": True}], ids=str)
def test_bmp_files_are_what_others_read(how):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 3), dtype=np.uint8)
    opened = Image.open(io.BytesIO(labs.bmp(pixels, **how)))
    assert (np.asarray(opened.convert("RGB")) == pixels).all()


@pytest.mark.parametrize("how", [{"bits": 8}, {"offset": 14}, {"pixels": np.zeros((2, 2))}], ids=lambda how: [*how][0])
def test_bmp_says_what_it_cannot_write(how):
    with pytest.raises(ValueError, match="must be"):
        labs.bmp(**{"pixels": np.zeros((2, 2, 3), np.uint8), **how})


def test_scans_of_ridges_wear_the_frame_and_other_sets_have_none():
    prints = data.load("ridges", limit=3)
    files = labs.scans(prints, 2)
    image = np.asarray(Image.open(io.BytesIO(files[0])).convert("L")).astype(int)
    assert len(files) == 2 and image.shape == (103, 96)
    assert (image[0] == 160)[:-4].all() and not image[-4:].any() and not image[:, -4:].any()
    inside = torch.from_numpy(image[2:-4, 2:-4]).float()[None, None]
    again = torch.nn.functional.interpolate(inside, (80, 80), mode="bilinear")[0, 0]
    assert np.corrcoef(again.flatten(), prints.images[0].flatten().float())[0, 1] > 0.95
    with pytest.raises(ValueError, match="not of digits"):
        labs.scans(data.load("digits", limit=3), 2)


def test_what_is_kept_is_shown_and_what_is_elsewhere_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(labs, "folder", lambda lab: tmp_path)
    labs.table("lab9", "found", "who")
    assert "comes with the book's repository" in capsys.readouterr().out
    assert "`run` of lab9" in repr(labs.replay("lab9", "run", alt="x"))
    results.measure(tmp_path / "found.json", lambda who: {"score": 1 / 3, "good": True}, [{"who": "me"}], "p")
    capsys.readouterr()
    labs.table("lab9", "found", "who", "score", "good")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["who  score  good", "me   0.333  yes"] and lines[3] == "p" and "1 runs" in lines[5]

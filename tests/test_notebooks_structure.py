"""What a chapter must be made of, read from its notebook; the cells themselves are run by nbval.

`faults` holds the rules. The tests at the end prove on small made-up chapters that each rule can fail.
"""

import copy
import re

import bookbuild
import lab_pages
import nbformat
import outputs
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

CHAPTERS = bookbuild.chapters()
LONGEST_CELL = 25
EXERCISES = 6

DIRECTIVE = re.compile(r"^(?P<fence>`{3,}|:{3,})\{(?P<name>[\w:-]+)\}[ \t]*(?P<title>.*)$", re.M)
STATEMENTS = {f"prf:{kind}" for kind in ("theorem", "lemma", "proposition", "corollary")}
ANCHOR = re.compile(r"^\(err-([\w-]+)\)=\s*$", re.M)
BREAK = re.compile(r"^## ", re.M)


def is_check(cell) -> bool:
    return cell.cell_type == "code" and outputs.MARK in cell.source


def label(text: str) -> str:
    """The :label: of a directive whose body begins the text, or nothing."""
    found = re.match(r"\n(?::[\w-]+:.*\n)*?:label:[ \t]*(\S+)", text)
    return found[1] if found else ""


def events(notebook):
    """What matters for the rules, in reading order: (kind, name, number of the cell)."""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            yield ("check" if is_check(cell) else "code"), "", number
        elif cell.cell_type == "markdown":
            found = [(match.start(), "break", "") for match in BREAK.finditer(cell.source)]
            found += [(match.start(), "anchor", match[1]) for match in ANCHOR.finditer(cell.source)]
            for match in DIRECTIVE.finditer(cell.source):
                titled = match["name"] == "solution-start"  # whose title is the label of its exercise
                text = match["title"].strip() if titled else label(cell.source[match.end() :])
                found.append((match.start(), match["name"], text))
            for _, kind, name in sorted(found):
                yield kind, name, number


def unchecked_statements(notebook) -> list[str]:
    """Each theorem, lemma, proposition, corollary is followed by a checked cell before anything else begins."""
    faults, waiting = [], None
    for kind, name, number in [*events(notebook), ("break", "", len(notebook.cells))]:
        if waiting and (kind in STATEMENTS or kind in ("break", "exercise", "solution-start")):
            faults.append(f"{waiting} has no check cell after it")
            waiting = None
        if kind in STATEMENTS:
            waiting = f"{kind} '{name or f'in cell {number}'}'"
            if not name:
                faults.append(f"{waiting} has no :label:")
        elif kind == "check":
            waiting = None
    return faults


def unsolved_exercises(notebook) -> list[str]:
    """Six exercises or more, each with a folded solution whose code prints that it is right."""
    asked, solved, faults = [], set(), []
    within = None
    for kind, name, number in events(notebook):
        if kind == "exercise":
            asked.append(name)
        elif kind == "solution-start":
            within, passed = name, False
            if ":class: dropdown" not in notebook.cells[number].source:
                faults.append(f"the solution of '{name}' is not folded")
        elif kind == "check" and within:
            passed |= any("Right" in output.get("text", "") for output in notebook.cells[number].outputs)
        elif kind == "solution-end" and within:
            if not passed:
                faults.append(f"no checked cell in the solution of '{within}' prints Right")
            solved.add(within)
            within = None
    if len(asked) < EXERCISES:
        faults.append(f"{len(asked)} exercises, fewer than {EXERCISES}")
    return faults + [f"exercise '{name}' has no solution" for name in asked if name not in solved]


def bad_cells(notebook) -> list[str]:
    """Cells are short; checked ones have their output stored, others none; nothing stored is an error."""
    faults = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if len(cell.source.splitlines()) > LONGEST_CELL:
            faults.append(f"cell {number} is longer than {LONGEST_CELL} lines")
        if is_check(cell) and not (cell.outputs and cell.execution_count):
            faults.append(f"cell {number} is to be checked, but has no stored output: run `make outputs`")
        if not is_check(cell) and cell.outputs:
            faults.append(f"cell {number} stores an output that nothing checks: run `make outputs`")
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                faults.append(f"cell {number} stores an error")
    if not any(is_check(cell) for cell in notebook.cells):
        faults.append("no checked cell")
    return faults


def bad_opening(notebook) -> list[str]:
    """First what it costs, then something to move, then definitions."""
    faults = []
    opening = "\n".join(cell.source for cell in notebook.cells[:2] if cell.cell_type == "markdown")
    if not opening.startswith("# "):
        faults.append("does not begin with a title")
    for unit in ("minutes", "seconds"):
        if not re.search(rf"\d+\W*\s+{unit}\b", opening):
            faults.append(f"the opening does not say how many {unit}")
    kinds = [kind for kind, _, _ in events(notebook)]
    first = next((n for n, kind in enumerate(kinds) if kind.startswith("prf:")), len(kinds))
    if not {"code", "check"} & set(kinds[:first]):
        faults.append("no figure before the first definition")
    return faults


def bad_markup(notebook) -> list[str]:
    """MyST prints a directive as plain text if its fence and its title both hold backticks."""
    return [
        f"cell {number}: the title of {match['name']} holds a backtick, use ::: as the fence"
        for number, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown"
        for match in DIRECTIVE.finditer(cell.source)
        if match["fence"][0] == "`" in match["title"]
    ]


def unshown_slips(notebook) -> list[str]:
    """Every anchor of an erratum is followed by a checked cell, before anything else begins."""
    faults, waiting, where = [], [], None
    for kind, name, number in [*events(notebook), ("break", "", len(notebook.cells))]:
        if kind in ("anchor", "break", "exercise") and number != where:  # anchors may share one check
            faults += [f"erratum {slip} is not shown by a checked cell" for slip in waiting]
            waiting = []
        if kind == "anchor":
            waiting, where = [*waiting, name], number
        elif kind == "check":
            waiting = []
    return faults


RULES = (unchecked_statements, unsolved_exercises, bad_cells, bad_opening, bad_markup, unshown_slips)


def faults(notebook) -> list[str]:
    return [fault for rule in RULES for fault in rule(notebook)]


def rows(errata: str) -> list[tuple[str, str]]:
    """(id, target) of each row of the page of errata."""
    return re.findall(r"^\* - E-([\w-]+).*?\{ref\}`[^`<]*<err-([\w-]+)>`", errata, re.M | re.S)


# The chapters as they are


def test_there_are_chapters():
    assert [path.stem for path in CHAPTERS][:3] == ["likelihood", "minimax", "vanishing"]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter(path):
    assert faults(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_is_stored_as_make_outputs_stores_it(path):
    notebook = nbformat.read(path, as_version=4)
    assert outputs.normalise(copy.deepcopy(notebook), path.stem) == notebook
    nbformat.validate(notebook)


def test_every_erratum_leads_to_an_anchor_and_every_anchor_has_an_erratum():
    listed = rows((bookbuild.ROOT / "book" / "errata.md").read_text())
    assert listed and all(name == target for name, target in listed)
    anchors = [
        match[1]
        for path in CHAPTERS
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
        for match in ANCHOR.finditer(cell.source)
    ]
    assert sorted(name for name, _ in listed) == sorted(anchors)


def test_every_page_of_the_contents_has_a_source_and_every_chapter_a_module():
    labs = {f"labs/{name}" for name in lab_pages.sources()}  # whose pages the build makes
    for page in bookbuild.pages():
        written = (bookbuild.ROOT / "book" / f"{page}.{suffix}" for suffix in ("ipynb", "md"))
        assert page in labs or any(path.exists() for path in written), page
    for path in CHAPTERS:
        module = bookbuild.ROOT / "gantools" / path.stem
        assert module.with_suffix(".py").exists() or (module / "__init__.py").exists(), path.stem
        assert (bookbuild.ROOT / "gantools" / "exercises" / f"{path.stem}.py").exists()


# The rules can fail


def checked(text="1\n", source="print(1)"):
    output = [new_output("stream", name="stdout", text=text)]
    return new_code_cell(f"{outputs.MARK}\n{source}", outputs=output, execution_count=1)


def statement(kind="theorem", name="t", title=""):
    return new_markdown_cell(f"```{{prf:{kind}}} {title}\n:label: {name}\nTrue.\n```")


def exercise(name):
    return [
        new_markdown_cell(f"```{{exercise}} Title\n:label: {name}\nProve it.\n```"),
        new_markdown_cell(f"```{{solution-start}} {name}\n:class: dropdown\n```"),
        checked("Right: so it is.\n"),
        new_markdown_cell("```{solution-end}\n```"),
    ]


def chapter(*body):
    """A small chapter without a fault, with the cells given after its theorem."""
    cells = [
        new_markdown_cell("# Title\n\nAbout **5 minutes** to read, **2 seconds** of CPU."),
        new_code_cell("figure()"),
        new_markdown_cell("## One\n\n```{prf:definition}\n:label: d\nA thing.\n```"),
        statement(),
        new_markdown_cell("```{prf:proof}\nClear.\n```"),
        checked(),
        *body,
        new_markdown_cell("## Exercises"),
        *(cell for number in range(EXERCISES) for cell in exercise(f"e{number}")),
    ]
    return new_notebook(cells=cells)


def test_a_good_chapter_has_no_fault():
    assert faults(chapter()) == []
    slip = new_markdown_cell("(err-1)=\nA slip.")
    assert faults(chapter(statement("lemma", "l"), checked(), slip, checked())) == []


@pytest.mark.parametrize("kind", sorted(name.removeprefix("prf:") for name in STATEMENTS))
@pytest.mark.parametrize("fence", ["```", ":::"])
def test_a_statement_needs_a_check_before_anything_else(kind, fence):
    bare = new_markdown_cell(f"{fence}{{prf:{kind}}}\n:label: bare\nTrue.\n{fence}")
    for after in ([], [statement(), checked()], [new_code_cell("print(1)")], exercise("more"),
                  [new_markdown_cell("## Two"), checked()]):
        assert faults(chapter(bare, *after)) == [f"prf:{kind} 'bare' has no check cell after it"]
    both = new_markdown_cell(statement(name="first").source + "\n\n" + statement(name="second").source)
    assert faults(chapter(both, checked())) == ["prf:theorem 'first' has no check cell after it"]
    nameless = new_markdown_cell("```{prf:lemma}\nTrue.\n```")
    assert "has no :label:" in faults(chapter(nameless, checked()))[0]


def test_exercises_must_be_enough_and_solved():
    cells = chapter().cells
    assert faults(new_notebook(cells=cells[:-4])) == [f"{EXERCISES - 1} exercises, fewer than {EXERCISES}"]
    assert faults(new_notebook(cells=cells[:-3])) == ["exercise 'e5' has no solution"]
    wrong = [*cells[:-2], checked("Not quite.\n"), cells[-1]]
    assert faults(new_notebook(cells=wrong)) == ["no checked cell in the solution of 'e5' prints Right"]
    open_ = [*cells[:-3], new_markdown_cell("```{solution-start} e5\n```"), *cells[-2:]]
    assert faults(new_notebook(cells=open_)) == ["the solution of 'e5' is not folded"]


def test_cells_must_be_short_and_their_outputs_in_order():
    assert "longer than" in faults(chapter(new_code_cell("x = 1\n" * (LONGEST_CELL + 1))))[0]
    assert "no stored output" in faults(chapter(new_code_cell(f"{outputs.MARK}\nprint(1)")))[0]
    stray = new_code_cell("print(1)", outputs=[new_output("stream", text="1\n")], execution_count=1)
    assert "nothing checks" in faults(chapter(stray))[0]
    error = new_output("error", ename="ValueError", evalue="", traceback=[])
    warning = new_output("stream", name="stderr", text="careful\n")
    for bad in (error, warning):
        cell = new_code_cell(outputs.MARK, outputs=[bad], execution_count=1)
        assert "stores an error" in faults(chapter(cell))[0]
    assert bad_cells(new_notebook(cells=[new_markdown_cell("# Title")])) == ["no checked cell"]


def test_the_opening_must_say_what_it_costs_and_show_something():
    cells = chapter().cells
    assert faults(new_notebook(cells=[new_markdown_cell("# Title\n\n5 minutes."), *cells[1:]])) == [
        "the opening does not say how many seconds"
    ]
    assert faults(new_notebook(cells=[cells[0], *cells[2:]])) == ["no figure before the first definition"]
    assert "does not begin with a title" in faults(new_notebook(cells=cells[1:]))


def test_a_title_with_backticks_wants_another_fence():
    assert "holds a backtick" in faults(chapter(statement(title="{cite}`x`"), checked()))[0]


def test_a_slip_must_be_shown():
    slip = new_markdown_cell("(err-004-1)=\nA slip.")
    other = new_markdown_cell("(err-004-2)=\nAnother.")
    assert faults(chapter(slip)) == ["erratum 004-1 is not shown by a checked cell"]
    assert faults(chapter(slip, other, checked())) == ["erratum 004-1 is not shown by a checked cell"]
    together = new_markdown_cell("(err-004-1)=\n(err-004-2)=\nTwo slips.")
    assert faults(chapter(together, checked())) == []
    assert faults(chapter(together)) == [f"erratum 004-{n} is not shown by a checked cell" for n in (1, 2)]


def test_rows_of_the_errata_are_read():
    page = "* - E-004-1 †\n  - a\n  - {ref}`x <err-004-1>`\n* - E-004-2\n  - {ref}`y <err-004-9>`\n"
    assert rows(page) == [("004-1", "004-1"), ("004-2", "004-9")]

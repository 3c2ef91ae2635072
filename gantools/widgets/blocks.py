"""Blocks of HTML that move by themselves: a style, a `<noscript>` text and one inline module script.

The modules that a script imports are written into it, so a block makes no request: it works on a built page,
in JupyterLab and from a file.
"""

import base64
import gzip
import html
import itertools
import re
from dataclasses import replace
from pathlib import Path

from gantools.figures import check_alt, theme
from gantools.widgets import packing

_HERE = Path(__file__).parent
_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w-]+\.js)";?[ \t]*\n', re.M)
_EXPORT = re.compile(r"^export\s+(default\s+)?((?:async\s+)?function\s*\*?|class|const|let)\s+(\w+)", re.M)
_numbers = itertools.count(1)


def css() -> str:
    """The stylesheet of every block: the book's colours and the look of controls."""
    return theme() + (_HERE / "style.css").read_text(encoding="utf-8").replace("\n", "")


def bundle(name: str | Path, seen: dict | None = None) -> tuple[str, str]:
    """The module `widgets/<name>` as an expression whose value is the object of its exports.

    Imports are `import {a, b as c} from "./x.js"` at the start of a line, exports are declarations; every
    imported module comes first, once, in a scope of its own. Returns (setup statements, expression).
    """
    seen = {} if seen is None else seen
    source = Path(_HERE, name).read_text(encoding="utf-8")
    before, imports = "", ""
    for names, module in _IMPORT.findall(source):
        if module not in seen:
            inner, value = bundle(module, seen)
            seen[module] = f"gan_{len(seen)}"
            before += f"{inner}const {seen[module]}={value};\n"
        names = re.sub(r"\s+as\s+", ":", names)
        imports += f"const {{{names}}}={seen[module]};\n"
    exports = ",".join(f"default:{n},{n}" if default else n for default, _, n in _EXPORT.findall(source))
    body = _EXPORT.sub(r"\2 \3", _IMPORT.sub("", source))
    if re.search(r"^(import|export)\b", body, re.M) or "</script" in body:
        raise ValueError(f'{name}: write `import {{a}} from "./x.js";` and export named declarations')
    body = re.sub(r"^\s*//.*\n|^[ \t]+", "", body, flags=re.M)
    return before, f"(()=>{{{imports}{body}return {{{exports}}};}})()"


class Block:
    """A piece of a page that runs by itself; shown as HTML, elsewhere as its text alternative."""

    def __init__(self, name: str, alt: str, script: str, inside: str = ""):
        self.alt, self.id = check_alt(alt), f"gan-{name}-{next(_numbers)}"
        note = f"{html.escape(self.alt)} (This figure moves where JavaScript is allowed.)"
        self.html = (
            f'<div class="gan gan-block" id="{self.id}" data-alt="{html.escape(self.alt)}">'
            f"<style>{css()}</style><noscript><p>{note}</p></noscript>{inside}</div>\n"
            f'<script type="module">\n{script.replace("$ROOT", _ROOT % self.id)}\n</script>'
        )

    def _repr_html_(self):
        return self.html

    def __repr__(self):
        return f"Figure: {self.alt}"


# a notebook may show one output twice: take the copy that no script has filled yet
_ROOT = 'document.querySelector("#%s:not([data-ready])")'


def explore(
    name: str | Path, part: str = "default", *, alt: str | None = None, data: tuple | None = None
) -> Block:
    """The explorable figure `widgets/<name>.js` as a block of HTML that needs neither kernel nor network.

    `name` may also be the path of a .js file of your own; `part` picks one of several exports; `alt` says in
    words what the figure shows; `data`, (header, arrays) as `packing.pack` takes them, is for a figure that
    calls `handed(root)` of packed.js.  Raises ValueError for an unknown name or part and for a missing `alt`.
    """
    alt = check_alt(alt)
    path = Path(name) if str(name).endswith(".js") else _HERE / f"{name}.js"
    if not path.is_file():
        known = sorted(p.stem for p in _HERE.glob("*.js") if "explorable(" in p.read_text(encoding="utf-8"))
        raise ValueError(f"no figure {name!r}; there are: {', '.join(k for k in known if k != 'canvas')}")
    before, value = bundle(path.resolve())
    parts = [p.split(":")[0] for p in re.search(r"return \{([^}]*)\};\}\)\(\)$", value)[1].split(",") if p]
    if part not in parts:
        raise ValueError(f"{name} has no part {part!r}; there are: {', '.join(parts)}")
    label = path.stem if part == "default" else f"{path.stem}-{part}"
    return Block(label, alt, _call(before, value, part), "" if data is None else _handed(packing.pack(*data)))


def _handed(packed: bytes) -> str:
    """What a block brings with it, for `handed` of packed.js."""
    data = base64.b64encode(gzip.compress(packed, 9, mtime=0)).decode()
    return f'<script type="text/plain" class="gan-data">{data}</script>'


def _call(before: str, value: str, part: str = "default") -> str:
    """A script that hands the block's root to one export of a bundled module."""
    return f'{before}const root=$ROOT;\nif(root){{root.dataset.ready="";{value}["{part}"](root);}}'


def Replay(recording, *, title: str | None = None, alt: str | None = None) -> Block:  # noqa: N802
    """A recorded game under a scrubber, as a block of HTML that needs neither kernel nor network.

    `recording` is a gantools.recording.Recording; `title` defaults to its own; `alt` says in words what
    happens in it. Raises ValueError for a missing `alt`.
    """
    check_alt(alt)
    if title is not None:
        recording = replace(recording, about={**recording.about, "title": title})
    return Block("replay", alt, _call(*bundle("replay.js")), _handed(packing.recording(recording)))

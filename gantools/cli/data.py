"""gantools data: which image sets there are, which are at hand, and whether they are whole."""

import argparse
from pathlib import Path
from urllib.parse import urlsplit

from gantools import data, storage
from gantools.data import ridges, socofing, store
from gantools.data.sets import SETS


def add(parts: argparse._SubParsersAction) -> None:
    parser = parts.add_parser(
        "data", help="list, fetch and check image sets",
        description=f"Image sets: below ${store.FOLDER}, in the cache, or fetched into the cache.",
    )  # fmt: skip
    tasks = parser.add_subparsers(required=True, metavar="list | get | check")
    task = tasks.add_parser("list", help="show the sets, their licences, and where they are")
    task.set_defaults(run=show)
    task = tasks.add_parser("get", help="fetch a set into the cache, unless it is at hand")
    task.add_argument("name", choices=SETS, metavar="NAME")
    task.set_defaults(run=get)
    task = tasks.add_parser(
        "check", help="verify checksums and contents of one set, or of all that are at hand"
    )
    task.add_argument("name", nargs="?", choices=SETS, metavar="NAME")
    task.set_defaults(run=check)


# ---- list -------------------------------------------------------------------------------------------------


def show(asked: argparse.Namespace) -> int:
    for name, kind in SETS.items():
        print(
            f"{name}\n    images    {kind.holds}\n    licence   {kind.licence}\n    where     {where(name)}"
        )
    return 0


def where(name: str) -> str:
    """Where that set was found, or what would be done to have it."""
    if name == "digits":
        return "comes with scikit-learn"
    if name == "ridges":
        blocks = ridges.blocks()
        kept = sum(block.is_file() for block in blocks)
        return f"drawn by gantools when asked for; {kept} of {len(blocks)} parts are in {blocks[0].parent}"
    path, missing = at_hand(name)
    if path and not missing:
        return str(path)
    if name == "socofing":
        return f"not at hand; would be fetched from Kaggle ({socofing.DATASET}) by kagglehub"
    hosts = ", else ".join(urlsplit(url).netloc for url in missing[0].urls)
    size = store.megabytes(sum(remote.size for remote in missing))
    files = f"{len(missing)} of {len(SETS[name].remotes())} files" if path else "not at hand"
    return f"{files}; would be fetched from {hosts} ({size})"


def at_hand(name: str) -> tuple[Path | None, list[store.Remote]]:
    """The folder, archive or part in which that set was found, if any, and the files that are not there."""
    whole = store.look(*SETS[name].places) if SETS[name].places else None
    remotes = SETS[name].remotes()
    found = {remote: store.look(remote.place) for remote in remotes}
    paths = [path for path in found.values() if path]
    if paths:
        return paths[0].parent if len(remotes) > 1 else paths[0], [one for one in remotes if not found[one]]
    return whole, [] if whole else list(remotes)


# ---- get --------------------------------------------------------------------------------------------------


def get(asked: argparse.Namespace) -> int:
    name = asked.name
    if name == "ridges":
        for split in ridges.SPLITS:
            data.load(name, split)
    elif name == "socofing":
        if not store.look(*socofing.PLACES):
            socofing.fetch()
    elif name != "digits" and not (SETS[name].places and store.look(*SETS[name].places)):
        for remote in SETS[name].remotes():
            path = store.look(remote.place)
            if not path or path.is_relative_to(store.cache()):  # what lies in the cache is made right
                store.fetch(remote)
    print(f"{name}: {where(name)}")
    return check(asked)


# ---- check ------------------------------------------------------------------------------------------------


def check(asked: argparse.Namespace) -> int:
    """0 if all that was found is right; 1 if not, or if the set that was named is not at hand."""
    status = 0
    for name in [asked.name] if asked.name else SETS:
        path, missing = (None, []) if name in ("digits", "ridges") else at_hand(name)
        if name not in ("digits", "ridges") and (not path or missing):
            lacking = f"lacks {', '.join(remote.place for remote in missing)}" if path else "is not at hand"
            print(f"{name} {lacking}: gantools data get {name}")
            status = max(status, int(asked.name is not None or path is not None))
            continue
        try:
            print(f"{name} is right: {contents(name, path)}")
        except (ValueError, OSError) as error:
            print(f"{name} is WRONG: {error}")
            status = 1
    return status


def contents(name: str, path: Path | None) -> str:
    """What the set holds, read whole and compared with its checksums; ValueError if it is not right."""
    if name == "socofing":
        return _fingers(socofing.gather(path))
    if name == "ridges":
        kept = [storage.read(block, "ridges", 1) for block in ridges.blocks() if block.is_file()]
        return f"{len(kept)} of {len(ridges.blocks())} parts are drawn, and whole"
    splits = (
        [data.load(name)] if name == "digits" else [data.load(name, split) for split in ("train", "test")]
    )
    counts = " + ".join(f"{len(images):,}" for images in splits)
    repeats = sum(len(group) - 1 for images in splits for group in images.repeats())
    return (
        f"{counts} images, {len(splits[0].classes)} classes{repeats and f', {repeats} repeat another' or ''}"
    )


def _fingers(found: socofing.Found) -> str:
    subjects = {subject for subject, _ in found.images}
    test = found.held_out()
    lines = [
        f"{len(found.images):,} images of {len(subjects)} people (published: 6,000 of 600),"
        f" {len(test)} to test",
        *(
            f"    {list(found.shapes.values()).count(shape):,} of {shape[1]} x {shape[0]} pixels"
            for shape in sorted(set(found.shapes.values()))
        ),
        *("    alike byte for byte: " + ", ".join(map(_finger, group)) for group in found.repeats()),
    ]
    return "\n".join(lines)


def _finger(key: tuple[int, int]) -> str:
    return f"{socofing.FINGERS[key[1]]} of {key[0]}"

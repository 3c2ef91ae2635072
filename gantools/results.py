"""Results of experiments that are too long for a page: a command makes them, a chapter reads them.

    results.measure("book/results/ring.json", run, jobs, protocol="...")     in experiments/ring.py
    results.load("results/ring.json")                                        in the chapter

and results.keep("book/results/ring.safetensors", recording, run) for recordings.

The file says how it was made: command, protocol, commit, versions, and seconds for every row.  It is JSON,
so that a difference can be read.  While it is measured, rows are kept aside: an interrupted command goes on
where it stopped, and the old file stands until the new one is whole.
"""

import hashlib
import inspect
import json
import math
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

import gantools
from gantools.recording import Recording

VERSION = 1


@dataclass(frozen=True)
class Results:
    """What was measured: `rows`, one dict a job (its settings, what was found, seconds), and `about`."""

    rows: list[dict]
    about: dict

    def where(self, /, **settings) -> list[dict]:
        """The rows with these settings; ValueError if there is none."""
        found = [row for row in self.rows if all(row.get(k) == v for k, v in settings.items())]
        if not found:
            raise ValueError(f"no row was measured with {settings}")
        return found

    def column(self, name: str, /, **settings) -> list:
        """One entry of every row with these settings, in the order of the jobs."""
        return [row[name] for row in self.where(**settings)]

    def __repr__(self) -> str:
        minutes = sum(row["seconds"] for row in self.rows) / 60
        commits = ", ".join(commit[:7] for commit in self.about["commit"].split())
        return (f"{len(self.rows)} runs in {minutes:.0f} minutes by `{self.about['command']}` at "
                f"{commits}, torch {self.about['torch']}, {self.about['threads']} thread(s)")


def measure(path: str | os.PathLike, run: Callable[..., dict], jobs: Iterable[dict], protocol: str) -> Results:
    """Call run(**job) for every job and write what it returns, with the job's settings, to `path`.

    run's results must be JSON-able and hold no NaN or infinity.  Raises ValueError otherwise, or if a result
    has the name of a setting; what was measured before is kept.
    """
    path, jobs = Path(path), list(jobs)
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent} to write {path.name} in: make it first")
    about = {**made_by(run), "protocol": " ".join(protocol.split())}
    aside = path.with_name(path.name + ".part")
    rows = _measured(aside, about["source"])
    for job in jobs:
        if any(all(row.get(k) == v for k, v in job.items()) for row in rows):
            continue
        began = time.perf_counter()
        found = run(**job)
        if found.keys() & (job.keys() | {"seconds"}):
            raise ValueError(f"a result may not be named like a setting: {sorted(found.keys() & job.keys())}")
        rows.append({**job, **found, "seconds": round(time.perf_counter() - began, 1)})
        _write(aside, rows, about)
        print(json.dumps(rows[-1]), flush=True)
    rows.sort(key=lambda row: next(i for i, job in enumerate(jobs) if job.items() <= row.items()))
    _write(aside, rows, about)
    os.replace(aside, path)
    return Results(rows, about)


def load(path: str | os.PathLike) -> Results:
    """Read what `measure` wrote. FileNotFoundError or ValueError say what is wrong with a file."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there are no results at {path}")
    try:
        kept = json.loads(path.read_text())
        version, rows, about = kept["version"], kept["rows"], kept["about"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged or holds no results: {error}") from None
    if version != VERSION:
        raise ValueError(f"{path} has version {version}; this gantools reads version {VERSION}: measure it anew")
    return Results(rows, about)


def write(path: str | os.PathLike, rows: list[dict], about: dict) -> Results:
    """Write rows that were measured elsewhere: `about` says how.  ValueError for NaN, infinity, or no folder."""
    path = Path(path)
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent} to write {path.name} in: make it first")
    _write(path, rows, about)
    return Results(rows, about)


def digest(script: str | os.PathLike) -> str:
    """Of the experiment's script: results whose `about["source"]` differs were made by another version."""
    return hashlib.sha256(Path(script).read_bytes()).hexdigest()[:16]


def keep(path: str | os.PathLike, recording: Recording, run: Callable) -> Recording:
    """Write what `run`, of an experiment's script, recorded; `about["made"]` says how it came to be."""
    made = replace(recording, about={**recording.about, "made": made_by(run)})
    made.save(path)
    return made


def made_by(run: Callable) -> dict:
    """How a result of `run`, a function of an experiment's script, comes to be: command, commit, versions."""
    script = Path(inspect.getsourcefile(run)).resolve()
    return {"command": f"python {script.parent.name}/{script.name}", "source": digest(script), "commit": commit(script.parent),
            "gantools": gantools.__version__, "torch": torch.__version__, "python": platform.python_version(),
            "machine": platform.machine(), "threads": torch.get_num_threads()}


def commit(folder: str | os.PathLike) -> str:
    """The commit that is checked out in that folder, or "unknown"."""
    try:
        git = ["git", "-C", str(folder), "rev-parse", "HEAD"]
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _measured(aside: Path, source: str) -> list[dict]:
    """Rows that an interrupted run of this very script left."""
    if not aside.is_file():
        return []
    kept = load(aside)
    return kept.rows if kept.about["source"] == source else []


def _write(path: Path, rows: list[dict], about: dict) -> None:
    for row in rows:
        for name, value in row.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name} is {value} in {row}: nothing that is not finite is kept")
    lines = ",\n".join("  " + json.dumps(row, allow_nan=False) for row in rows)
    text = f'{{"version": {VERSION},\n "about": {json.dumps(about, indent=1)},\n "rows": [\n{lines}\n]}}\n'
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    os.replace(new, path)

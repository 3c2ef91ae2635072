"""A real JupyterLab for the browser tests and benchmarks: a server of our own, a notebook of a few cells."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

TOKEN = "gantools"


@contextlib.contextmanager
def lab(*cells: str):
    """Serve a notebook with these code cells; yields its address. Server and kernels end with the block."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "root").mkdir()
        notebook = {
            "nbformat": 4, "nbformat_minor": 5,
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
            "cells": [
                {"cell_type": "code", "id": f"c{k}", "source": source, "metadata": {}}
                | {"outputs": [], "execution_count": None}
                for k, source in enumerate(cells)
            ],
        }  # fmt: skip
        (home / "root" / "live.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        folders = {f"JUPYTER_{part}_DIR": str(home / part.lower()) for part in ("CONFIG", "DATA", "RUNTIME")}
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0", "--ip=127.0.0.1",
            f"--ServerApp.root_dir={home / 'root'}", f"--IdentityProvider.token={TOKEN}",
            "--LabApp.expose_app_in_browser=True",
        ]  # fmt: skip
        quiet = home / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
        quiet.mkdir(parents=True)  # no question about news, no look for updates
        settings = '{"fetchNews": "false", "checkForUpdates": false}'
        (quiet / "notification.jupyterlab-settings").write_text(settings)
        log = home / "log"
        with log.open("w") as out:  # a file: a pipe that nobody reads would fill up and stop the server
            server = subprocess.Popen(command, env=os.environ | folders, stdout=out, stderr=out)
        try:
            base = _address(server, log)
            yield f"{base}/lab/tree/live.ipynb?token={TOKEN}"
            _stop_kernels(base)
        finally:
            server.terminate()
            server.wait(timeout=30)


def _address(server, log: Path, patience: float = 60) -> str:
    """The address that the server says it has."""
    end = time.monotonic() + patience
    while time.monotonic() < end and server.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+(?=/lab)", log.read_text()):
            return found[0]
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")


def _stop_kernels(base: str) -> None:
    headers = {"Authorization": f"token {TOKEN}"}
    with urllib.request.urlopen(urllib.request.Request(f"{base}/api/kernels", headers=headers)) as answer:
        kernels = json.load(answer)
    for kernel in kernels:
        address = f"{base}/api/kernels/{kernel['id']}"
        urllib.request.urlopen(urllib.request.Request(address, headers=headers, method="DELETE")).close()


def run_all(page, address: str) -> None:
    """Open the notebook and run its cells."""
    page.goto(address)
    ready = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    page.wait_for_function(ready, timeout=60_000)
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")

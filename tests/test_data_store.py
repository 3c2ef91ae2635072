"""Fetching, from a server on this machine: resumed, checked, once for all, nothing half-made left behind."""

import contextlib
import hashlib
import http.server
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
import types

import numpy as np
import pytest

from gantools import data
from gantools.data import sets, socofing, store
from test_data_socofing import bmp, finger, name

CONTENT = np.random.default_rng(0).bytes(300_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


class Answers(http.server.BaseHTTPRequestHandler):
    """One file at every path; the path's first part says how the server behaves."""

    protocol_version = "HTTP/1.1"
    folder = None  # whose files are at /folder/

    def do_GET(self):  # noqa: N802 - the name that http.server calls
        way, server = self.path.split("/")[1], self.server
        with server.counting:
            server.asked.append((way, self.headers.get("Range")))
            turn = len([1 for asked, _ in server.asked if asked == way])
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        begin = int(wanted[1]) if wanted and way not in ("plain", "plaincut") else 0
        others = {"wrong": b"x" + CONTENT[1:], "endless": CONTENT * 20, "large": CONTENT * 20}
        content = others.get(way, CONTENT)
        if way == "folder":
            content = (self.folder / self.path.rpartition("/")[2]).read_bytes()
        if way == "missing":
            return self.send_error(404)
        if begin >= len(content):
            return self.send_error(416)
        self.send_response(206 if begin else 200)
        if begin:
            at = begin + 1 if way == "elsewhere" else begin
            self.send_header("Content-Range", f"bytes {at}-{len(content) - 1}/{len(content)}")
        if way not in ("unmeasured", "endless"):
            self.send_header("Content-Length", str(len(content) - begin))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        body = content[begin:]
        if way in ("cut", "plaincut") and turn == 1 or way == "hopeless":
            body = body[: 100_000 if not begin else 0]
        with contextlib.suppress(ConnectionError):  # whoever asked has gone
            for at in range(0, len(body), 10_000):
                self.wfile.write(body[at : at + 10_000])
                time.sleep(0.05 if way == "slow" else 0)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as served:
        served.asked, served.counting, served.daemon_threads = [], threading.Lock(), True
        thread = threading.Thread(target=served.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        served.at = f"http://127.0.0.1:{served.server_port}"
        yield served
        served.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """The cache, and no folder of data."""
    monkeypatch.delenv("GANTOOLS_DATA", raising=False)
    monkeypatch.delenv("GANTOOLS_OFFLINE", raising=False)
    monkeypatch.setenv("GANTOOLS_CACHE", str(tmp_path / "cache"))
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    return tmp_path / "cache" / "data"


def remote(server, *ways: str, size: int = len(CONTENT), md5: str = MD5) -> store.Remote:
    return store.Remote("A/file.bin", md5, size, tuple(f"{server.at}/{way}/file.bin" for way in ways))


def files(folder) -> dict[str, bytes]:
    """All files below the folder but locks, which are empty."""
    found = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert not any(content for key, content in found.items() if key.endswith(".lock"))
    return {key: content for key, content in found.items() if not key.endswith(".lock")}


@pytest.mark.parametrize(
    ("ways", "ranges"),
    [
        (("whole",), [None]),
        (("unmeasured",), [None]),
        (("cut",), [None, "bytes=100000-"]),  # goes on where it stood
        (("plaincut",), [None, "bytes=100000-"]),  # a server that knows no ranges sends all again
        (("missing", "whole"), [None, None]),
        (("hopeless", "whole"), [None, *["bytes=100000-"] * 3]),  # the next address goes on
        (("wrong", "whole"), [None] * 4),
    ],
    ids=lambda value: "-".join(value) if isinstance(value[0], str) else "",
)
def test_a_file_is_fetched_whole(server, kept, ways, ranges):
    path = store.fetch(remote(server, *ways))
    assert path == kept / "A" / "file.bin" and files(kept) == {"file.bin": CONTENT}
    assert [asked for _, asked in server.asked] == ranges
    assert store.fetch(remote(server, *ways)) == path and len(server.asked) == len(ranges)  # not again


def test_an_interrupted_file_goes_on_or_begins_anew(server, kept):
    part = kept / "A" / "file.bin.part"
    for begun, asked in (
        (CONTENT[:1234], "bytes=1234-"),
        (b"y" * 50, "bytes=50-"),
        (CONTENT, "bytes=300000-"),
    ):
        server.asked.clear()
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(begun)
        path = store.fetch(remote(server, "whole"))
        assert files(kept) == {"file.bin": CONTENT} and server.asked[0] == ("whole", asked)
        assert len(server.asked) == 1 + (begun[:1] == b"y")  # what began otherwise is thrown away, once
        path.unlink()
    part.write_bytes(CONTENT[:10])
    assert store.fetch(remote(server, "elsewhere")) and server.asked[-1] == ("elsewhere", None)


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("wrong", "not the published file .its md5 differs"),
        ("missing", "404"),
        ("hopeless", "ended after 100,000 of 300,000 bytes"),
        ("endless", "not the published file"),
        ("large", "announces 6,000,000 bytes, and 100,000 are expected"),
    ],
)
def test_what_cannot_be_had_is_one_clear_error(server, kept, way, message):
    with pytest.raises(
        FileNotFoundError, match=f"no A/file.bin .*{message}.*set the environment variable GANTOOLS_DATA"
    ):
        store.fetch(remote(server, way, size=100_000))
    assert set(files(kept)) <= {"file.bin.part"} and "file.bin" not in files(kept)
    assert len(files(kept).get("file.bin.part", b"")) <= 100_000  # of an honest beginning only
    if way in ("wrong", "endless", "large"):
        assert files(kept) == {}


def test_a_server_that_is_not_there_or_silent(server, kept, monkeypatch):
    gone = store.Remote("A/file.bin", MD5, 9, ("http://127.0.0.1:9/file.bin",))
    with pytest.raises(FileNotFoundError, match="(?i)refused"):
        store.fetch(gone)
    monkeypatch.setattr(store, "PATIENCE", 0.01)
    with pytest.raises(FileNotFoundError, match="timed out"):
        store.fetch(remote(server, "slow"))
    monkeypatch.setattr(store, "PATIENCE", 5.0)
    assert store.fetch(remote(server, "slow")).read_bytes() == CONTENT


def test_offline_means_that_nothing_is_asked(server, kept, monkeypatch):
    monkeypatch.setenv("GANTOOLS_OFFLINE", "1")
    with pytest.raises(FileNotFoundError, match="GANTOOLS_OFFLINE is set"):
        store.fetch(remote(server, "whole"))
    assert server.asked == []


def test_a_damaged_file_of_the_cache_is_fetched_again(server, kept):
    path = store.fetch(remote(server, "whole"))
    path.write_bytes(CONTENT[:-1] + b"?")
    assert store.fetch(remote(server, "whole")).read_bytes() == CONTENT and len(server.asked) == 2


def _fetch(one: store.Remote, answers) -> None:
    answers.put(store.fetch(one).read_bytes() == CONTENT)


def test_processes_at_once_fetch_once(server, kept):
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    answers = context.Queue()
    both = [
        context.Process(target=_fetch, args=(remote(server, "slow"), answers), daemon=True) for _ in range(3)
    ]
    for process in both:
        process.start()
    assert all(answers.get(timeout=30) for _ in both)
    for process in both:
        process.join()
    assert len(server.asked) == 1 and files(kept) == {"file.bin": CONTENT}


def test_a_killed_process_leaves_what_can_be_gone_on_with(server, kept):
    program = (
        "from gantools.data import store\n"
        f"store.fetch(store.Remote('A/file.bin', {MD5!r}, 300_000, ('{server.at}/slow/file.bin',)))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    part, until = kept / "A" / "file.bin.part", time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 20_000) and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    begun = part.read_bytes()
    assert (
        20_000 < len(begun) < 300_000 and CONTENT.startswith(begun) and not (kept / "A" / "file.bin").exists()
    )
    assert store.fetch(remote(server, "whole")).read_bytes() == CONTENT
    assert server.asked[-1] == ("whole", f"bytes={len(begun)}-")


def test_load_fetches_what_is_not_at_hand(server, kept, monkeypatch):
    """cifar10's one file, which is not read if it is not the published one."""
    one = store.Remote("CIFAR10/cifar-10-binary.tar.gz", MD5, len(CONTENT), (f"{server.at}/whole/x",))
    monkeypatch.setattr(sets, "_CIFAR10", one)
    with pytest.raises(ValueError, match="is damaged or no archive"):
        data.load("cifar10")  # fetched, and its content is noise
    assert files(kept) == {"cifar-10-binary.tar.gz": CONTENT}


# SOCOFing, through kagglehub


@pytest.fixture
def kaggle(monkeypatch):
    """A kagglehub that unpacks what it is told into the folder it is given."""
    monkeypatch.setattr(socofing, "SUBJECTS", 2)
    content = {
        name(subject, which): bmp(finger(10 * subject + which)) for subject in (1, 2) for which in range(10)
    }
    calls = []

    def download(handle, output_dir, force_download):
        calls.append((handle, force_download))
        for member, bytes_ in content.items():
            path = os.path.join(output_dir, member)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(bytes_)
        return output_dir

    monkeypatch.setitem(sys.modules, "kagglehub", types.SimpleNamespace(dataset_download=download))
    return types.SimpleNamespace(content=content, calls=calls)


def test_socofing_is_fetched_packed_and_read(kaggle, kept):
    images = data.load("socofing")
    assert len(images) == 20 and kaggle.calls == [("ruizgara/socofing", True)]
    assert list(files(kept)) == ["SOCOFing.zip"] and not (kept / "SOCOFing" / "kaggle").exists()
    assert data.load("socofing").checksum() == images.checksum() and len(kaggle.calls) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop(name(1, 3)), "19 images came; it should have 6,000"),
        (lambda content: content.update({name(1, 3): b"BM"}), "is no BMP file"),
        (
            lambda content: content.update({"SOCOFing/Real/x.exe": content.pop(name(1, 3))}),
            "is no SOCOFing name",
        ),
        (lambda content: content.update({"SOCOFing/Real/x.exe": b""}), "holds 21 files where at most 20"),
        (lambda content: content.clear(), "no Real in what came"),
    ],
)
def test_what_kaggle_gives_is_checked(kaggle, kept, change, message):
    change(kaggle.content)
    with pytest.raises(FileNotFoundError, match=f"Kaggle gave no SOCOFing: .*{message}"):
        data.load("socofing")
    assert files(kept) == {} and not (kept / "SOCOFing" / "kaggle").exists()


def test_without_kagglehub_it_is_said_what_to_do(kept, monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(
        FileNotFoundError, match=r"pip install 'gantools\[kaggle\]'.*put SOCOFing/SOCOFing.zip there"
    ):
        data.load("socofing")
    monkeypatch.setenv("GANTOOLS_OFFLINE", "1")
    with pytest.raises(FileNotFoundError, match="GANTOOLS_OFFLINE is set"):
        data.load("socofing")

"""gantools data: what there is, what is missing, what is wrong."""

import gzip
import hashlib

import numpy as np
import pytest

from gantools import cli, data
from gantools.data import ridges, sets, socofing
from test_data_fuzz import idx
from test_data_socofing import pack, people
from test_data_store import Answers, files, server  # noqa: F401 - the server is a fixture


def gantools(capsys, *arguments: str) -> tuple[int, str]:
    """Exit status, and what was said on both ways out."""
    status = cli.main(["data", *arguments])
    out, err = capsys.readouterr()
    return status, out + err


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """An empty cache, no folder of data, no network."""
    monkeypatch.delenv("GANTOOLS_DATA", raising=False)
    monkeypatch.setenv("GANTOOLS_OFFLINE", "1")
    monkeypatch.setenv("GANTOOLS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(kept, tmp_path, monkeypatch):
    """A folder with a small MNIST and SOCOFing, and the list of checksums made theirs."""
    raw, listed = tmp_path / "sets" / "MNIST" / "raw", []
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, n in (("train", 30), ("t10k", 10)):
        pixels, labels = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), np.arange(n, dtype=np.uint8) % 10
        for kind, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            packed = gzip.compress(idx(array), mtime=0)
            (raw / f"{part}-{kind}-ubyte.gz").write_bytes(packed)
            listed.append((f"{part}-{kind}-ubyte.gz", hashlib.md5(packed).hexdigest(), len(packed)))
    monkeypatch.setitem(sets._IDX, "MNIST", tuple(listed))
    (tmp_path / "sets" / "SOCOFing").mkdir()
    pack(tmp_path / "sets" / "SOCOFing" / "archive.zip", people())
    return tmp_path / "sets"


def test_list_says_what_there_is_and_what_would_be_done(kept, folder, capsys, monkeypatch):
    status, said = gantools(capsys, "list")
    assert status == 0 and files(kept) == {}
    for name, kind in sets.SETS.items():
        assert f"{name}\n    images    {kind.holds}\n    licence   {kind.licence}\n" in said
    assert "comes with scikit-learn" in said and "0 of 15 parts" in said
    assert (
        "not at hand; would be fetched from ossci-datasets.s3.amazonaws.com, else yann.lecun.com (0.0 MB)"
        in said
    )
    assert "www.cs.toronto.edu (170.1 MB)" in said and "from Kaggle (ruizgara/socofing) by kagglehub" in said
    monkeypatch.setenv("GANTOOLS_DATA", str(folder))
    (folder / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz").unlink()
    said = gantools(capsys, "list")[1]
    assert f"where     {folder / 'SOCOFing' / 'archive.zip'}" in said
    assert "1 of 4 files; would be fetched from ossci-datasets" in said


def test_check_says_what_is_right_and_what_is_wrong(kept, folder, capsys, monkeypatch):
    status, said = gantools(capsys, "check")
    assert status == 0 and "digits is right: 1,797 images, 10 classes" in said
    assert "mnist is not at hand: gantools data get mnist" in said
    assert gantools(capsys, "check", "mnist")[0] == 1
    monkeypatch.setenv("GANTOOLS_DATA", str(folder))
    status, said = gantools(capsys, "check")
    assert status == 0 and "mnist is right: 30 + 10 images, 10 classes" in said
    assert "socofing is right: 120 images of 12 people (published: 6,000 of 600), 4 to test" in said
    assert "110 of 96 x 103 pixels" in said and "10 of 241 x 298 pixels" in said
    assert "alike byte for byte: left little of 5, left ring of 7" in said
    path = folder / "MNIST" / "raw" / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1])
    status, said = gantools(capsys, "check")
    assert status == 1 and "mnist is WRONG: train-images-idx3-ubyte.gz is not the published file" in said
    assert "socofing is right" in said  # the others are looked at all the same
    path.unlink()
    status, said = gantools(capsys, "check")
    assert status == 1 and "mnist lacks MNIST/raw/train-images-idx3-ubyte.gz" in said


def test_get_brings_a_set_into_the_cache(kept, folder, server, capsys, monkeypatch):  # noqa: F811
    status, said = gantools(capsys, "get", "mnist")
    assert (
        status == 1 and "gantools: there is no MNIST/raw/train-images" in said and "GANTOOLS_OFFLINE" in said
    )
    monkeypatch.delenv("GANTOOLS_OFFLINE")
    monkeypatch.setitem(sets._MIRRORS, "MNIST", (f"{server.at}/folder/",))
    monkeypatch.setattr(Answers, "folder", folder / "MNIST" / "raw")
    status, said = gantools(capsys, "get", "mnist")
    assert status == 0 and "mnist is right: 30 + 10 images" in said and len(server.asked) == 4
    assert f"Fetching MNIST/raw/train-images-idx3-ubyte.gz, 0.0 MB, from {server.at}" in said
    assert sorted(files(kept)) == sorted(path.name for path in (folder / "MNIST" / "raw").iterdir())
    path = kept / "data" / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(b"damaged")
    assert gantools(capsys, "check", "mnist")[0] == 1
    assert (
        gantools(capsys, "get", "mnist")[0] == 0 and len(server.asked) == 5
    )  # that one alone is fetched again
    assert len(data.load("mnist", "test")) == 10


def test_get_of_what_is_at_hand_fetches_nothing(kept, folder, capsys, monkeypatch):
    monkeypatch.setenv("GANTOOLS_DATA", str(folder))
    for name in ("digits", "mnist", "socofing"):
        status, said = gantools(capsys, "get", name)
        assert status == 0 and f"{name} is right" in said
    assert files(kept) == {}


def test_get_draws_ridges(kept, capsys, monkeypatch):
    monkeypatch.setattr(ridges, "BLOCK", 2)
    monkeypatch.setattr(ridges, "SPLITS", {"train": (0, 4), "test": (4, 6)})
    status, said = gantools(capsys, "get", "ridges")
    assert status == 0 and "3 of 3 parts are in" in said and len(files(kept)) == 3
    ridges.blocks()[1].write_bytes(b"damaged")
    status, said = gantools(capsys, "check", "ridges")
    assert status == 1 and "ridges is WRONG" in said


def test_a_name_that_is_none_lists_the_names(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["data", "get", "mnits"])
    assert end.value.code == 2 and "fashion-mnist" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10", "socofing"])
def test_the_real_sets_are_right(name, real_data, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GANTOOLS_OFFLINE", "1")
    monkeypatch.setenv("GANTOOLS_CACHE", str(tmp_path))
    status, said = gantools(capsys, "check", name)
    assert status == 0 and f"{name} is right" in said
    train, test = data.load(name, limit=200), data.load(name, "test", limit=200)
    assert len(train) == len(test) == 200 and not train.take(slice(9)).repeats()
    if name == "socofing":
        assert not set(train.subjects.tolist()) & set(test.subjects.tolist())
        assert train.classes == socofing.FINGERS and 100 < train.images.float().mean() < 210
        edge = train.images[:, 0, [0, -1]].float().mean((0, 2))
        assert (
            edge[0] > 150 and edge[1] > 40
        )  # neither the grey lines above nor the black ones below are left

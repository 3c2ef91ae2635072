"""Files cut, changed or made to do harm: one ValueError, bounded time and memory, nothing written."""

import gzip
import hashlib
import io
import re
import struct
import tarfile
import time
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gantools import data
from gantools.data import formats, sets, socofing
from test_data_socofing import bmp, finger, name, pack

ONCE = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
LITTLE = st.integers(0, 1 << 30)


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
IDX = gzip.compress(idx(IMAGES), mtime=0)
BMP = bmp(finger(1))


def archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    pack(packed, files)
    return packed.getvalue()


ZIP = archive({name(1, 0): BMP, name(2, 0): bmp(finger(2))})


def damaged(content: bytes, edits: list[tuple[int, int]], cut: int | None) -> bytes:
    """The bytes with some bits turned over, and cut off."""
    content = bytearray(content)
    for where, bit in edits:
        content[where % len(content)] ^= 1 << bit % 8
    return bytes(content if cut is None else content[: cut % len(content)])


damage = st.tuples(st.lists(st.tuples(LITTLE, LITTLE), max_size=4), st.none() | LITTLE)


def read_or_refuse(read, path: Path) -> object | None:
    """What was read, or None if it was refused as it should be; the folder holds what it held before."""
    before = {file: file.stat().st_mtime_ns for file in path.parent.iterdir()}
    try:
        with warnings.catch_warnings(action="error"):
            found = read(path)
    except ValueError as error:
        assert str(error) and "\n" not in str(error)
        found = None
    assert {file: file.stat().st_mtime_ns for file in path.parent.iterdir()} == before
    return found


@ONCE
@given(damage)
def test_a_damaged_idx_file_is_refused_or_gives_what_it_says(tmp_path, how):
    path = tmp_path / "x.gz"
    path.write_bytes(damaged(IDX, *how))
    found = read_or_refuse(formats.read_idx, path)
    assert found is None or np.array_equal(found, IMAGES)  # gzip's own checksum sees the rest


@ONCE
@given(damage)
def test_a_damaged_idx_file_inside_a_whole_gzip(tmp_path, how):
    path, inside = tmp_path / "x.gz", damaged(idx(IMAGES), *how)
    path.write_bytes(gzip.compress(inside, 1))
    found = read_or_refuse(formats.read_idx, path)
    assert found is None or found.size == len(inside) - 4 - 4 * found.ndim


@ONCE
@given(st.binary(max_size=200))
def test_noise_is_no_file_of_any_kind(tmp_path, content):
    for read in (formats.read_idx, socofing.gather, lambda path: formats.read_npz(path, ["a"]), tar):
        path = tmp_path / "noise"
        path.write_bytes(content)
        assert read_or_refuse(read, path) is None
    with pytest.raises(ValueError):
        formats.read_bmp(content)


@settings(max_examples=200)
@given(damage)
def test_a_damaged_bmp_is_refused_or_has_the_size_it_claims(how):
    content = damaged(BMP, *how)
    try:
        pixels = formats.read_bmp(content, "x.BMP")
    except ValueError as error:
        assert "x.BMP" in str(error)
    else:
        width, height = struct.unpack("<ii", content[18:26])
        assert pixels.shape == (abs(height), width, 3) and pixels.dtype == np.uint8


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 69), st.binary(min_size=1, max_size=4)), max_size=4))
def test_a_bmp_header_of_noise(fields):
    content = bytearray(BMP)
    for at, field in fields:
        content[at : at + len(field)] = field
    try:
        assert formats.read_bmp(bytes(content)).size <= len(content)
    except ValueError as error:
        assert str(error)


@ONCE
@given(damage)
def test_a_damaged_archive_is_refused_or_gives_its_images(tmp_path, how):
    path = tmp_path / "SOCOFing.zip"
    path.write_bytes(damaged(ZIP, *how))
    found = read_or_refuse(socofing.gather, path)
    if found:  # the archive's checksums leave only what is not read, or hide a file from its list
        for (subject, _), grey in found.images.items():
            assert np.array_equal(grey, finger(subject)[2:-4, 2:-4])


@ONCE
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30), max_size=4
    )
)
def test_an_archive_of_any_names(tmp_path, names):
    path = tmp_path / "SOCOFing.zip"
    path.write_bytes(archive({member: b"" for member in names} | {name(1, 0): BMP}))
    found = read_or_refuse(socofing.gather, path)
    assert found is None or list(found.images) == [(1, 0)]


# ---- made to do harm --------------------------------------------------------------------------------------


class within:
    """So many seconds and bytes of Python's memory, at most."""

    def __init__(self, seconds: float, memory: int):
        self.seconds, self.memory = seconds, memory

    def __enter__(self):
        self.began = time.process_time()
        tracemalloc.start()

    def __exit__(self, *_):
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert time.process_time() - self.began < self.seconds and peak < self.memory


@pytest.mark.parametrize("shape", [(10_000, 100, 100), (0xFFFFFFFF,) * 4, (0, 5), ()], ids=str)
def test_an_idx_bomb_is_refused_before_it_is_unpacked(tmp_path, shape):
    head = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        file.write(head)
        for _ in range(120):
            file.write(bytes(1 << 20))
    path = tmp_path / "x.gz"
    path.write_bytes(packed.getvalue())
    with within(10, 450 << 20), pytest.raises(ValueError):
        formats.read_idx(path)


def lie(content: bytes, declared: int) -> bytes:
    """An archive of one member whose lists claim another size than it has."""
    packed = bytearray(content)
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        where = packed.index(mark)
        packed[where + at : where + at + 4] = struct.pack("<I", declared)
    return bytes(packed)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "SOCOFing.zip"
    bomb = archive({name(1, 0): bytes(100 << 20)})
    for content, message in ((bomb, "claims 104,857,600 bytes"), (lie(bomb, 39_690), "damaged|cut off")):
        path.write_bytes(content)
        with within(5, 8 << 20), pytest.raises(ValueError, match=message):
            socofing.gather(path)
    path.write_bytes(lie(archive({name(1, 0): BMP}), 100_000))
    with pytest.raises(ValueError, match="cut off|damaged"):
        socofing.gather(path)


def test_a_zip_of_too_many_or_twice_the_same_is_refused(tmp_path):
    path = tmp_path / "SOCOFing.zip"
    path.write_bytes(archive({f"SOCOFing/Real/{k}": b"" for k in range(6001)}))
    with pytest.raises(ValueError, match="6,001 files where at most 6,000"):
        socofing.gather(path)
    with zipfile.ZipFile(path, "w") as twice, warnings.catch_warnings(action="ignore"):
        twice.writestr(name(1, 0), BMP)
        twice.writestr(name(1, 0), BMP)
    with pytest.raises(ValueError, match="thumb_finger.BMP twice"):
        socofing.gather(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as other:
        other.writestr(name(1, 0), BMP)
    with pytest.raises(ValueError, match="not packed with deflate"):
        socofing.gather(path)


def npy(dtype: str, shape: str, content: bytes) -> bytes:
    head = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + content


@pytest.mark.parametrize(
    "content",
    [
        npy("|O", "(1,)", b"cos\nsystem\n(S'true'\ntR."),  # a pickle
        npy("|u1", "(1000000000000, 32, 32, 3)", b""),
        npy("|u1", "(-1, -4)", bytes(4)),
        npy("|u1", "(2, 2)", bytes(5)),
        npy("|u1", "__import__('os')", bytes(5)),
        npy("|u1", "(" * 300, bytes(5)),
        npy("|u3", "(1,)", bytes(3)),
        npy("|u1", "(4)", bytes(5)),
        b"\x93NUMPY\1\0\xff\xff",
        b"",
    ],
    ids=["pickle", "huge", "negative", "long", "code", "deep", "dtype", "short", "cut", "empty"],
)
def test_an_npz_that_is_no_plain_array_is_refused(tmp_path, content):
    path = tmp_path / "x.npz"
    path.write_bytes(archive({"a.npy": content}))
    with within(5, 8 << 20), pytest.raises(ValueError, match=r"x\.npz"):
        formats.read_npz(path, ["a"])


@ONCE
@given(damage)
def test_a_damaged_npz(tmp_path, how):
    packed = io.BytesIO()
    np.savez(packed, a=IMAGES, b=np.arange(5))
    path = tmp_path / "x.npz"
    path.write_bytes(damaged(packed.getvalue(), *how))
    found = read_or_refuse(lambda path: formats.read_npz(path, ["a", "b"]), path)
    assert found is None or np.array_equal(found["a"], IMAGES)


# ---- tar --------------------------------------------------------------------------------------------------

BATCH = bytes([3]) + bytes(range(256)) * 12
MEMBERS = ("cifar/one.bin", "cifar/two.bin")


def tar(path: Path) -> list[bytes]:
    return formats.read_tar(path, MEMBERS, len(BATCH))


def tarred(members: list[tuple[str, bytes, bytes]]) -> bytes:
    """A .tar.gz of (name, type, content)."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for member, kind, content in members:
            info = tarfile.TarInfo(member)
            info.type, info.size, info.linkname = kind, len(content), "/etc/passwd"
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


GOOD = [(member, tarfile.REGTYPE, BATCH) for member in MEMBERS]


def test_a_tar_archive_is_read_in_the_order_asked(tmp_path):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(tarred([("cifar/readme.html", tarfile.REGTYPE, b"hello"), *GOOD[::-1]]))
    assert tar(path) == [BATCH, BATCH]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (GOOD[:1], "holds no cifar/two.bin"),
        ([*GOOD, GOOD[0]], "one.bin is there twice"),
        ([GOOD[0], (MEMBERS[1], tarfile.SYMTYPE, b"")], "two.bin is there twice or no file"),
        ([GOOD[0], (MEMBERS[1], tarfile.LNKTYPE, b"")], "two.bin is there twice or no file"),
        ([GOOD[0], (MEMBERS[1], tarfile.CHRTYPE, b"")], "two.bin is there twice or no file"),
        ([GOOD[0], (MEMBERS[1], tarfile.REGTYPE, BATCH + b"x")], "no file of 3,073 bytes"),
        ([("../" + MEMBERS[0], tarfile.REGTYPE, BATCH)], "holds no cifar/one.bin"),
        ([("bomb", tarfile.REGTYPE, bytes(50 << 20)), *GOOD], "holds more than it should"),
    ],
    ids=["missing", "twice", "symbolic", "hard", "device", "size", "outside", "bomb"],
)
def test_a_tar_archive_that_is_not_as_published_is_refused(tmp_path, members, message):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(tarred(members))
    with within(5, 8 << 20), pytest.raises(ValueError, match=message):
        tar(path)
    assert [file.name for file in tmp_path.iterdir()] == ["x.tar.gz"]


@ONCE
@given(damage)
def test_a_damaged_tar_archive(tmp_path, how):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(damaged(tarred(GOOD), *how))
    found = read_or_refuse(tar, path)
    assert found is None or len(found) == 2


def test_cifar10_is_read_from_its_archive(tmp_path, monkeypatch):
    """The published build in small: labels, then planes of red, green and blue."""
    rows = np.random.default_rng(3).integers(0, 256, (6, 4, 3073), dtype=np.uint8)
    rows[..., 0] %= 10
    members = [
        (member, tarfile.REGTYPE, rows[k].tobytes()) for k, member in enumerate(sets._TRAIN + sets._TEST)
    ]
    place = tmp_path / "CIFAR10"
    place.mkdir()
    content = tarred(members)
    (place / "cifar-10-binary.tar.gz").write_bytes(content)
    monkeypatch.setenv("GANTOOLS_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="not the published file .*gantools data get cifar10"):
        data.load("cifar10")
    md5 = hashlib.md5(content).hexdigest()
    monkeypatch.setattr(
        sets, "_CIFAR10", sets.Remote("CIFAR10/cifar-10-binary.tar.gz", md5, len(content), ())
    )
    monkeypatch.setattr(sets, "_BATCH", rows[0].nbytes)
    train, test = data.load("cifar10"), data.load("cifar10", "test")
    assert train.shape == (3, 32, 32) and len(train) == 20 and len(test) == 4
    assert np.array_equal(train.images[7, 1].numpy().ravel(), rows[1, 3, 1 + 1024 : 1 + 2048])
    assert test.labels.tolist() == rows[5, :, 0].tolist() and re.match("CIFAR-10", train.source)

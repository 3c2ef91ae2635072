"""Fingerprints, from a made archive of SOCOFing's build: frame, odd sizes, repeats, subjects apart."""

import io
import struct
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from gantools import data
from gantools.data.formats import read_bmp
from gantools.data.socofing import FINGERS

HAND = [
    f"{hand}_{finger}" for hand in ("Left", "Right") for finger in "thumb index middle ring little".split()
]


def bmp(grey: np.ndarray, bits: int = 32) -> bytes:
    """A BMP file as the set has them: a header of 124 bytes, rows from below, grey in every channel."""
    height, width = grey.shape
    stride = (width * bits // 8 + 3) // 4 * 4
    rows = np.zeros((height, stride), np.uint8)
    pixels = np.repeat(grey[::-1, :, None], 3, axis=2)
    if bits == 32:
        pixels = np.concatenate([pixels, np.full((height, width, 1), 255)], axis=2)
    rows[:, : width * bits // 8] = pixels.reshape(height, -1)
    head = struct.pack(
        "<2sIIIIiiHHI", b"BM", 138 + rows.size, 0, 138, 124, width, height, 1, bits, 3 * (bits == 32)
    )
    masks = struct.pack("<IIIIII", rows.size, 3779, 3779, 0, 0, 0xFF0000) + struct.pack("<II", 0xFF00, 0xFF)
    return (head + masks).ljust(138, b"\0") + rows.tobytes()


def finger(seed: int, shape=(103, 96)) -> np.ndarray:
    """Smooth waves within the set's frame."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    a, b, c = rng.uniform(0.05, 0.2, 3)
    grey = (127 + 120 * np.sin(a * x + b * y + 10 * c)).astype(np.uint8)
    grey[:2] = grey[:, :2] = 160
    grey[1, 1:] = grey[1:, 1] = 105
    grey[-4:] = grey[:, -4:] = 0
    return grey


def name(subject: int, which: int, sex: str = "M", folder: str = "SOCOFing/Real/") -> str:
    return f"{folder}{subject}__{sex}_{HAND[which]}_finger.BMP"


def people() -> dict[str, bytes]:
    """Twelve subjects of ten fingers each; 7 repeats a file of 5, so both are for testing; 9 is large."""
    files = {}
    for subject in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 600):
        for which in range(10):
            grey = finger(100 * subject + which, (298, 241) if subject == 9 else (103, 96))
            files[name(subject, which)] = bmp(grey, 24 if subject == 9 else 32)
    files[name(7, 3)] = files[name(5, 4)]
    return files


def pack(path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in files.items():
            archive.writestr(zipfile.ZipInfo(member), content)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("GANTOOLS_DATA", str(tmp_path))
    monkeypatch.setenv("GANTOOLS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GANTOOLS_OFFLINE", "1")
    (tmp_path / "SOCOFing").mkdir()
    return tmp_path / "SOCOFing"


@pytest.fixture
def archive(place):
    pack(place / "SOCOFing.zip", people() | {"SOCOFing/Altered/Altered-Easy/odd name.BMP": b"not looked at"})
    return place / "SOCOFing.zip"


def test_one_subject_is_never_on_both_sides(archive):
    train, test = data.load("socofing"), data.load("socofing", "test")
    assert len(train) + len(test) == 120 and train.shape == test.shape == (1, 80, 80)
    assert set(test.subjects.tolist()) == {5, 7, 10, 600}  # every fifth, and 7, who shares a file with 5
    assert set(train.subjects.tolist()) == {1, 2, 3, 4, 6, 8, 9, 11}
    assert train.repeats() == [] and test.repeats() == [[4, 13]]
    assert train.labels.tolist() == list(range(10)) * 8 and train.classes == FINGERS
    assert train.classes[0] == "left thumb" and train.classes[9] == "right little"
    assert "noncommercial" in train.licence and "120 of its 6,000" in train.source
    again = data.load("socofing", "train", classes=["right thumb"], limit=3)
    assert again.subjects.tolist() == [1, 2, 3] and torch.equal(again.images, train.images[[5, 15, 25]])


def test_the_frame_is_cut_off_and_odd_sizes_fit(archive):
    train = data.load("socofing", size=60)
    for k, seed in ((0, 100), (65, 905)):
        image = train.images[k, 0]
        assert train.subjects[k] == seed // 100
        grey = finger(seed, (298, 241) if seed > 900 else (103, 96))[2:-4, 2:-4]
        expected = np.asarray(Image.fromarray(grey).resize((60, 60), Image.BILINEAR), dtype=int)
        assert np.abs(image.numpy().astype(int) - expected).max() <= 1
    without = bmp(np.full((103, 96), 200, np.uint8))
    pack(archive, {name(1, 0): without})
    assert (data.load("socofing").images == 200).all()  # no frame, nothing cut


def test_the_frame_may_be_left_on(archive):
    cut, framed = data.load("socofing", size=96), data.load("socofing-framed", size=96)
    assert torch.equal(cut.subjects, framed.subjects) and framed.name == "socofing-framed"
    edges = [images.images[..., -3:].float().mean() for images in (cut, framed)]
    assert edges[1] < 30 < edges[0]


def test_people_are_not_published():
    names = ("socofing", "socofing-framed", "mnist+socofing", "ridges", "mnist+fashion-mnist")
    assert [data.private(name) for name in names] == [True, True, True, False, False]
    with pytest.raises(ValueError, match="whether faces may be published is not known"):
        data.private("mnist+faces")


def test_a_folder_gives_what_the_archive_gives(archive, place):
    packed = [data.load("socofing", split) for split in ("train", "test")]
    archive.unlink()
    (place / "Real").mkdir()
    for member, content in people().items():
        (place / "Real" / member.rpartition("/")[2]).write_bytes(content)
    for before, split in zip(packed, ("train", "test"), strict=True):
        found = data.load("socofing", split)
        assert found.checksum() == before.checksum() and torch.equal(found.subjects, before.subjects)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"SOCOFing/Real/1__M_Left_toe_finger.BMP": b""}, "is no SOCOFing name"),
        ({"SOCOFing/Real/601__M_Left_thumb_finger.BMP": b""}, "is no SOCOFing name"),
        ({"SOCOFing/Real/1__M_Left_thumb_finger.BMP.exe": b""}, "is no SOCOFing name"),
        ({name(1, 0): b"BM"}, "1__M_Left_thumb_finger.BMP is no BMP file"),
        ({name(1, 0): bmp(finger(0))[:-1]}, "promises 39,690 bytes and holds 39,689"),
        ({name(1, 0): bmp(finger(0)), name(1, 1, "F"): bmp(finger(1))}, "another file calls subject 1 M"),
        (
            {name(1, 0): bmp(finger(0)), name(1, 0, folder="Real/"): bmp(finger(1))},
            "two files for the left thumb",
        ),
        ({name(1, 0): bmp(np.zeros((20, 20), np.uint8))}, "coloured or smaller"),
        ({name(1, 0): bytes(300_000)}, "claims 300,000 bytes"),
        ({"SOCOFing/Altered/x.BMP": b""}, "no fingerprint for the split 'train'"),
        ({name(1, 0): bmp(finger(0)), "SOCOFing/../../x": b""}, "leads out of its folder"),
        ({name(1, 0): bmp(finger(0)), "/etc/x": b""}, "leads out of its folder"),
        ({name(1, 0): bmp(finger(0)), "C:\\x": b""}, "leads out of its folder"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_does_not_belong_is_refused(place, files, message):
    pack(place / "SOCOFing.zip", files)
    with pytest.raises(ValueError, match=message):
        data.load("socofing")
    assert [path.name for path in place.parent.rglob("*") if path.is_file()] == ["SOCOFing.zip"]


@pytest.mark.parametrize("bits", [24, 32])
@pytest.mark.parametrize("shape", [(3, 5), (103, 96), (1, 1)])
def test_bmp_is_read_as_pillow_reads_it(bits, shape):
    rng = np.random.default_rng(bits)
    pixels = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).convert("RGB" if bits == 24 else "RGBA").save(content, "BMP")
    assert np.array_equal(read_bmp(content.getvalue()), pixels)
    grey = rng.integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(read_bmp(bmp(grey, bits)), np.repeat(grey[..., None], 3, axis=2))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(bmp(grey, bits))).convert("L")), grey)


@pytest.mark.parametrize(
    ("at", "field", "message"),
    [
        (0, b"PK", "is no BMP file"),
        (2, struct.pack("<I", 99), "promises 99 bytes"),
        (10, struct.pack("<I", 20), "no room"),
        (10, struct.pack("<I", 200), "no room"),
        (14, struct.pack("<I", 12), "header that is not known"),
        (18, struct.pack("<i", -5), "claims -5 x"),
        (18, struct.pack("<i", 5000), "claims 5000 x"),
        (22, struct.pack("<i", 2000), "no room"),
        (22, struct.pack("<i", -(1 << 31)), "claims 96 x -2147483648"),
        (26, struct.pack("<H", 2), "header that is not known"),
        (28, struct.pack("<H", 8), "8 bits a pixel"),
        (30, struct.pack("<I", 1), "packed in way 1"),
        (54, struct.pack("<I", 255), "32 bits a pixel, packed in way 3"),
    ],
)
def test_a_bmp_header_that_is_not_plain_is_refused(at, field, message):
    content = bytearray(bmp(finger(0)))
    content[at : at + len(field)] = field
    with pytest.raises(ValueError, match=message):
        read_bmp(bytes(content))


def test_rows_from_above_are_read_too():
    grey = finger(3)
    upside = bytearray(bmp(grey[::-1]))
    upside[22:26] = struct.pack("<i", -103)
    assert np.array_equal(read_bmp(bytes(upside))[..., 0], grey)

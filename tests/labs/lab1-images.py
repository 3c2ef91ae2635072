"""Lab 1: the real images that it reads, and wrong answers: task, what is written, what the feedback must say."""

DATA = ("mnist", "socofing")

WRONG = [
    (
        "parse-idx",
        """
def parse_idx(raw):
    ndim = raw[3]
    shape = struct.unpack(f"<{ndim}I", raw[4 : 4 + 4 * ndim])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * ndim).reshape(shape)
""",
        "big-endian",
    ),
    (
        "parse-idx",
        """
def parse_idx(raw):
    ndim = raw[3]
    shape = struct.unpack(f">{ndim}I", raw[4 : 4 + 4 * ndim])
    count = int(np.prod(shape))
    return np.frombuffer(raw, np.uint8, count, offset=len(raw) - count).reshape(shape)
""",
        "was read without a word",
    ),
    (
        "parse-bmp",
        """
def parse_bmp(raw):
    if raw[:2] != b"BM":
        raise ValueError
    (offset,), (width, height) = struct.unpack_from("<I", raw, 10), struct.unpack_from("<ii", raw, 18)
    depth = struct.unpack_from("<H", raw, 28)[0] // 8
    pixels = np.frombuffer(raw, np.uint8, width * height * depth, offset).reshape(height, width, depth)
    return pixels[..., 2::-1]
""",
        "upside down",
    ),
    (
        "parse-bmp",
        """
def parse_bmp(raw):
    (offset,), (width, height) = struct.unpack_from("<I", raw, 10), struct.unpack_from("<ii", raw, 18)
    depth = struct.unpack_from("<H", raw, 28)[0] // 8
    pixels = np.frombuffer(raw, np.uint8, width * height * depth, offset).reshape(height, width, depth)
    return pixels[::-1, :, 2::-1]
""",
        "filled up to a multiple of four",
    ),
    ("grey", "def grey(images):\n    return images.mean(-1).astype(np.uint8)\n", "plain mean"),
    (
        "grey",
        """
def grey(images):
    return (images @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
""",
        "Round before",
    ),
    (
        "frame",
        """
def frame(stack):
    varies = stack.min(0) != stack.max(0)
    rows, columns = np.flatnonzero(varies.any(1)), np.flatnonzero(varies.any(0))
    return rows[0], len(varies) - 1 - rows[-1], columns[0], varies.shape[1] - 1 - columns[-1]


def crop(stack, widths):
    top, bottom, left, right = widths
    return stack[:, top:-bottom, left:-right]
""",
        "-0 is 0",
    ),
    (
        "frame",
        """
def frame(stack):
    image = stack[0]
    rows, columns = np.flatnonzero(image.std(1) > 0), np.flatnonzero(image.std(0) > 0)
    return rows[0], len(image) - 1 - rows[-1], columns[0], image.shape[1] - 1 - columns[-1]


def crop(stack, widths):
    top, bottom, left, right = widths
    return stack[:, top : stack.shape[1] - bottom, left : stack.shape[2] - right]
""",
        "A white margin is no frame",
    ),
    (
        "ranges",
        """
def to_float(images):
    return images.float() / 127.5 - 1


def to_bytes(images):
    return ((images.clamp(-1, 1) + 1) * 127.5).to(torch.uint8)
""",
        "round first",
    ),
    (
        "ranges",
        """
def to_float(images):
    return images.float() / 128 - 1


def to_bytes(images):
    return ((images + 1) * 128).round().clamp(0, 255).to(torch.uint8)
""",
        "divide by 127.5",
    ),
    (
        "batch",
        """
def batch(images):
    n, (height, width, *channels) = len(images), images[0].shape
    return to_float(torch.from_numpy(np.stack(images))).reshape(n, *(channels or [1]), height, width)
""",
        "scrambled",
    ),
    ("batch", "def batch(images):\n    return to_float(torch.from_numpy(np.stack(images)))\n", "grey has one channel"),
    ("shrink", "def shrink(images, k):\n    return images[..., ::k, ::k]\n", "aliasing"),
    (
        "shrink",
        """
def shrink(images, k):
    n, channels, height, width = images.shape
    return images.reshape(n, channels, height // k, width // k, k * k).mean(-1)
""",
        "k rows by k columns",
    ),
    (
        "slant",
        """
def slant(images):
    gx = images[..., 1:-1, 2:] - images[..., 1:-1, :-2]
    gy = images[..., :-2, 1:-1] - images[..., 2:, 1:-1]
    return 2 * (gx * gy).sum((1, 2, 3)) / (gx**2 + gy**2).sum((1, 2, 3))
""",
        "sign is exchanged",
    ),
    (
        "slant",
        """
def slant(images):
    gx = images[..., 1:-1, 2:] - images[..., 1:-1, :-2]
    gy = images[..., 2:, 1:-1] - images[..., :-2, 1:-1]
    return 2 * (gx * gy).sum() / (gx**2 + gy**2).sum()
""",
        "not over images",
    ),
    (
        "mirrored",
        """
def mirrored(images, labels, classes):
    return images.flip(-1), labels


def agree(a, b, errors=3):
    return bool((a.mean() - b.mean()).abs() <= errors * (a.var() / len(a) + b.var() / len(b)) ** 0.5)
""",
        "labels are unchanged",
    ),
    (
        "mirrored",
        """
def mirrored(images, labels, classes):
    other = {"left": "right", "right": "left"}
    names = [" ".join(other.get(word, word) for word in name.split()) for name in classes]
    return images.flip(-1), torch.tensor([classes.index(name) for name in names])[labels]


def agree(a, b, errors=3):
    return bool((a.mean() - b.mean()).abs() <= errors * (a.std() + b.std()))
""",
        "A standard error is s / sqrt(n)",
    ),
]

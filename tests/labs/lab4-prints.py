"""Lab 4: the real images that it reads, and wrong answers: task, what is written, what the feedback must say."""

DATA = ("socofing",)

WRONG = [
    (
        "fading",
        """
def fading(images):
    return float(images.mean()), float(images.std((1, 2)).mean()), float(images.std(0).mean())
""",
        "correction=0",
    ),
    (
        "fading",
        """
def fading(images):
    variety = images.std(0, correction=0).mean()
    return float(images.mean()), float(images.std(correction=0)), float(variety)
""",
        "over everything",
    ),
    (
        "fading",
        """
def fading(images):
    return tuple(float(v.mean()) for v in (images, images.std(0, correction=0), images.std((1, 2), correction=0)))
""",
        "Contrast and variety are exchanged",
    ),
    (
        "lattice",
        """
def lattice(images, period):
    height, width = images.shape[1:]
    if height % period or width % period:
        raise ValueError("a period must divide the side")
    shares = []
    for image in images.double():
        image = image - image.mean()
        tiles = image.reshape(height // period, period, width // period, period)
        shares.append(tiles.mean((0, 2)).square().mean() / image.square().mean())
    return float(torch.stack(shares).mean())
""",
        "take the mean image first",
    ),
    (
        "lattice",
        """
def lattice(images, period):
    mean = images.double().mean(0)
    mean = mean - mean.mean()
    height, width = (side // period * period for side in mean.shape)
    tiles = mean[:height, :width].reshape(height // period, period, width // period, period)
    return float(tiles.mean((0, 2)).square().mean() / mean.square().mean())
""",
        "it must divide both sides",
    ),
    (
        "lattice",
        """
def lattice(images, period):
    height, width = images.shape[1:]
    if height % period or width % period:
        raise ValueError("a period must divide the side")
    mean = images.double().mean(0)
    mean = mean - mean.mean()
    tiles = mean.reshape(period, height // period, period, width // period)
    return float(tiles.mean((1, 3)).square().mean() / mean.square().mean())
""",
        "pixels that lie a period apart",
    ),
    (
        "fold",
        """
def fold(weight):
    once = torch.tensor([[1.0, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]], dtype=weight.dtype)
    return torch.einsum("ai,bj,ocij->coab", once, once, weight)
""",
        "rows and columns stand in the wrong order",
    ),
    (
        "fold",
        """
def fold(weight):
    once = torch.tensor([[0, 0, 1.0], [0, 1, 1], [1, 1, 0], [1, 0, 0]], dtype=weight.dtype)
    return torch.einsum("ai,bj,ocij->ocab", once, once, weight)
""",
        "wants (C, out)",
    ),
    (
        "fold",
        """
def fold(weight):
    once = torch.tensor([[0, 0, 1.0], [0, 1, 1], [1, 1, 0], [1, 0, 0]], dtype=weight.dtype)
    return torch.einsum("ai,bj,ocij->coab", once, once, weight.detach())
""",
        "No gradient reaches",
    ),
    (
        "lazy",
        """
def lazy(penalty, every):
    return lambda turn, *inputs: penalty(*inputs) if turn % every == 0 else 0.0
""",
        "counts fourfold",
    ),
    (
        "lazy",
        """
def lazy(penalty, every):
    calls = 0

    def charged(turn, *inputs):
        nonlocal calls
        calls += 1
        return every * penalty(*inputs) if calls % every == 1 else 0.0

    return charged
""",
        "Do you count calls?",
    ),
    (
        "lazy",
        """
def lazy(penalty, every):
    return lambda turn, *inputs: every * penalty(*inputs) * (turn % every == 0)
""",
        "that spares nothing",
    ),
    (
        "spectrum",
        """
def spectrum(images):
    centred = images.mean(0) - images.mean()
    power = torch.fft.fft2(centred * WINDOW).abs().square() / 6400
    waves = torch.fft.fftfreq(80) * 80
    rings = torch.hypot(waves[:, None], waves).round()
    return torch.stack([power[rings == r].mean() for r in range(1, 41)])
""",
        "power of the mean image",
    ),
    (
        "spectrum",
        """
def spectrum(images):
    centred = images - images.mean((1, 2), keepdim=True)
    power = (torch.fft.fft2(centred * WINDOW).abs().square() / 6400).mean(0)
    waves = torch.fft.fftfreq(80) * 80
    rings = torch.hypot(waves[:, None], waves).round()
    return torch.stack([power[rings == r].sum() for r in range(1, 41)])
""",
        "Take the mean",
    ),
    ("w1", "def w1(a, b):\n    return float(np.abs(a - b).mean())\n", "sort both"),
    ("w1", "def w1(a, b):\n    return float(abs(a.mean() - b.mean()))\n", "distance of the means"),
    (
        "orientation",
        """
def orientation(images):
    right, up = slopes(images)
    c, s = blocks(right**2 - up**2), blocks(2 * right * up)
    whole = blocks(right**2 + up**2)
    return torch.atan2(s, c) / 2 % math.pi, torch.hypot(c, s) / whole.clamp(min=1e-6)
""",
        "a quarter turn further",
    ),
    (
        "orientation",
        """
def orientation(images):
    right, up = slopes(images)
    c, s = blocks(right**2 - up**2), blocks(2 * right * up)
    whole = blocks(right**2 + up**2)
    angles = (blocks(torch.atan2(up, right) % math.pi) + math.pi / 2) % math.pi
    return angles, torch.hypot(c, s) / whole.clamp(min=1e-6)
""",
        "You averaged angles",
    ),
    (
        "orientation",
        """
def orientation(images):
    right, up = slopes(images)
    c, s = blocks(right**2 - up**2), blocks(2 * right * up)
    angles = (torch.atan2(blocks(up), blocks(right)) + math.pi / 2) % math.pi
    return angles, torch.hypot(c, s) / blocks(right**2 + up**2).clamp(min=1e-6)
""",
        "averaged the slopes themselves",
    ),
    (
        "winding",
        """
def winding(angles):
    upper, lower = angles[:, :-1], angles[:, 1:]
    corners = [upper[:, :, :-1], lower[:, :, :-1], lower[:, :, 1:], upper[:, :, 1:], upper[:, :, :-1]]
    return (torch.stack(corners).diff(dim=0).sum(0) / math.pi).round()
""",
        "always sum to 0",
    ),
    (
        "winding",
        """
def winding(angles):
    upper, lower = angles[:, :-1], angles[:, 1:]
    corners = [upper[:, :, :-1], upper[:, :, 1:], lower[:, :, 1:], lower[:, :, :-1], upper[:, :, :-1]]
    steps = torch.stack(corners).diff(dim=0)
    steps = (steps + math.pi / 2) % math.pi - math.pi / 2
    return (steps.sum(0) / math.pi).round()
""",
        "you go round clockwise",
    ),
]

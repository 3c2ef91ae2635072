"""What the games are played on: laws of the plane and the line, and sets of images.

Both come through one door.  A source of data has

    draw(n, generator)   -> (x, labels): x float32 on the source's device, labels int64 or None
    sample(n, generator) -> x alone
    shape                of one example: (d,) or (C, H, W)
    to(device)           -> the same source, resident there

Laws: x is (n, d).  Image sets: x is (n, C, H, W) in [-1, 1], from uint8 images that stay on the device.
"""

from gantools.data.images import ImageSet, only, to_float, to_uint8
from gantools.data.laws import Line, Mixture, SwissRoll, grid, lines, mixture, normal, ring, swiss_roll
from gantools.data.sets import load, private
from gantools.data.source import Source
from gantools.data.store import cache

__all__ = [
    "ImageSet", "Line", "Mixture", "Source", "SwissRoll",
    "cache", "grid", "lines", "load", "mixture", "normal", "only", "private", "ring", "swiss_roll",
    "to_float", "to_uint8",
]  # fmt: skip

"""How many channels and pixels the maps of a net have: one plan for every kind of net."""

from dataclasses import dataclass

SIZES = {28: 7, 32: 4, 64: 4, 80: 5}  # side of the image, and of the smallest map
MOST = 8  # channels of the smallest map, in widths


@dataclass(frozen=True)
class Plan:
    """The maps between an image of side `size` and a dense layer.

    start    side of the smallest map, which is doubled until it covers the image
    widths   channels of the maps, from the smallest one to that at full size: half the width there, the width
             at half the side, then twice as many at each halving, up to MOST times the width
    """

    size: int
    start: int
    widths: tuple[int, ...]

    @classmethod
    def of(cls, size: int, width: int, start: int | None = None) -> "Plan":
        if size not in SIZES:
            known = ", ".join(map(str, SIZES))
            raise ValueError(f"there are nets for images of {known} pixels, not of {size!r}")
        start = SIZES[size] if start is None else start
        if not isinstance(start, int) or not 1 <= start <= size // 2:
            raise ValueError(f"start, the side of the first map, must lie in 1 to {size // 2}, not {start!r}")
        times = 1
        while start * 2**times < size:
            times += 1
        wide = [width * min(2**k, MOST) for k in range(times)]
        return cls(size, start, (*reversed(wide), max(width // 2, 1)))

    @property
    def covers(self) -> int:
        """Side of the map at full size: that of the image, or more, to be cropped."""
        return self.start * 2 ** (len(self.widths) - 1)


def check(norm: str | None, **counts: int) -> None:
    """ValueError unless the norm is known and the counts are positive whole numbers."""
    if norm not in ("batch", None):
        raise ValueError(f'norm must be "batch" or None, not {norm!r}')
    for name, value in counts.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a positive whole number, not {value!r}")

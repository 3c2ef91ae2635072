"""Convolutional generators and discriminators after DCGAN (Radford, Metz and Chintala 2016).

    generator       latent -> dense map of side `start` -> doubled until it covers the image -> image in [-1, 1]
    discriminator   image -> halved by strided convolutions down to 4, 5 or 7 pixels -> one score

`width` counts the channels at half the image's side, in both nets; every halving of the side doubles them,
up to eight times the width.  Operations grow with its square.  Of one example's forward pass, in millions, and
parameters, in thousands (`nets.cost` counts any):

    size   generator, width 64       width 32      discriminator, width 64       width 32
     28        28.4   (494)         7.4 (224)           13.3   (139)          3.4  (37)
     32        57.6   (650)        14.7 (228)           34.1   (661)          8.7 (167)
     64       296.9 (2,093)        75.1 (655)          203.4 (2,763)         51.4 (693)
     80       449.8 (2,388)       113.8 (802)          317.9 (2,767)         80.3 (696)
"""

import torch
from torch import nn

from gantools.nets.layers import SLOPE, ChannelsLast, Crop, doubling, draw, seeded, whole

SIZES = {28: 7, 32: 4, 64: 4, 80: 5}  # side of the image, and of the smallest map
MOST = 8  # channels of the smallest map, in widths


def _widths(width: int, halvings: int) -> list[int]:
    """Channels at half, a quarter, an eighth ... of the image's side."""
    return [width * min(2**k, MOST) for k in range(halvings)]


def _known(size: int) -> int:
    if size not in SIZES:
        raise ValueError(f"there are nets for images of {', '.join(map(str, SIZES))} pixels, not of {size!r}")
    return SIZES[size]


def _normed(norm: str | None, channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels)] if norm else []


def _norm(norm: str | None) -> None:
    if norm not in ("batch", None):
        raise ValueError(f'norm must be "batch" or None, not {norm!r}')


def doublings(size: int, start: int | None) -> tuple[int, int]:
    """(side of the dense layer's map, how often it is doubled until it covers the image)."""
    start = _known(size) if start is None else start
    if not isinstance(start, int) or not 1 <= start <= size // 2:
        raise ValueError(f"start, the side of the first map, must lie in 1 to {size // 2}, not {start!r}")
    times = 1
    while start * 2**times < size:
        times += 1
    return start, times


def dcgan_generator(
    size: int,
    latent: int = 64,
    channels: int = 1,
    width: int = 64,
    *,
    norm: str | None = "batch",
    start: int | None = None,
    upsample: str = "folded",
    seed: int = 0,
) -> nn.Sequential:
    """A generator (n, latent) -> images (n, channels, size, size) in [-1, 1], by tanh.

    start      side of the dense layer's map; by default 7 for 28, 4 for 32 and 64, 5 for 80.  It is doubled
               until it covers the image, and what is too much is cut off about the centre: 11 for 80 is
               doubled to 88, and 4 pixels fall on each side
    upsample   "folded" or "nearest", one function computed in two ways (`layers.Doubling`), or "transposed",
               DCGAN's free 4 x 4 kernels, which can leave the pattern of a chessboard
    norm       "batch" after every layer but the last, or None

    The last layer is a 3 x 3 convolution at full size, from half the `width`.  Weights are drawn under `seed`
    (`layers.draw`); the global random state is left alone.  ValueError for another size or option.
    """
    whole(latent=latent, channels=channels, width=width)
    _norm(norm)
    start, times = doublings(size, start)
    widths = [max(width // 2, 1), *_widths(width, times)][::-1]  # from the smallest map to the image
    bias = norm is None  # batch norm would take a bias away again

    def end(k: int) -> list[nn.Module]:
        return [*_normed(norm, widths[k]), nn.LeakyReLU(SLOPE, inplace=True)]

    with seeded(seed):
        layers = [nn.Linear(latent, widths[0] * start**2, bias), nn.Unflatten(1, (widths[0], start, start))]
        layers += [ChannelsLast(), *end(0)]
        for k in range(times):
            layers += [doubling(widths[k], widths[k + 1], upsample, bias), *end(k + 1)]
        layers += [nn.Conv2d(widths[-1], channels, 3, padding=1), nn.Tanh()]
        layers += [Crop(size)] if start * 2**times > size else []
        return draw(nn.Sequential(*layers), last=0.25)


def dcgan_discriminator(
    size: int, channels: int = 1, width: int = 64, *, norm: str | None = None, seed: int = 0
) -> nn.Sequential:
    """A discriminator (n, channels, size, size) -> scores (n, 1): 4 x 4 convolutions of stride 2, leaky ReLUs.

    `norm` is None, which every loss and penalty allows, or "batch" after every convolution but the first: then
    scores depend on the whole batch, so that no penalty has a meaning, and real and generated images are
    scored apart.  Weights are drawn under `seed` (`layers.draw`); the global random state is left alone.
    ValueError for another size or option.
    """
    whole(channels=channels, width=width)
    _norm(norm)
    side, halvings = _known(size), (size // _known(size)).bit_length() - 1
    with seeded(seed):
        layers, inputs = [], channels
        for k, wide in enumerate(_widths(width, halvings)):
            now = norm if k else None
            layers += [nn.Conv2d(inputs, wide, 4, stride=2, padding=1, bias=now is None)]
            layers += [] if k else [ChannelsLast()]  # here, for an image of one channel has no order of its own
            layers += [*_normed(now, wide), nn.LeakyReLU(SLOPE, inplace=True)]
            inputs = wide
        layers += [nn.Flatten(), nn.Linear(inputs * side**2, 1)]
        return draw(nn.Sequential(*layers))

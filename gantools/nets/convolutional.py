"""Convolutional generators and discriminators after DCGAN (Radford, Metz and Chintala 2016).

    generator       latent -> dense map of side `start` -> doubled until it covers the image -> image
    discriminator   image -> halved by strided convolutions down to 4, 5 or 7 pixels -> one score

`width` counts the channels at half the image's side, in both nets (`plans.Plan`).  Operations grow with its
square.  Of one example's forward pass, in millions, and parameters, in thousands (`nets.cost` counts any):

    size   generator, width 64       width 32      discriminator, width 64       width 32
     28        28.5   (494)         7.5 (224)           13.3   (139)          3.4  (37)
     32        57.8   (650)        14.9 (228)           34.1   (661)          8.7 (167)
     64       297.6 (2,093)        75.7 (655)          203.4 (2,763)         51.4 (693)
     80       450.9 (2,388)       114.8 (802)          317.9 (2,767)         80.3 (696)
"""

from itertools import pairwise

from torch import nn

from gantools.nets.layers import SLOPE, ChannelsLast, Crop, Last, doubling, draw, seeded
from gantools.nets.plans import Plan, check


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
    check(norm, latent=latent, channels=channels, width=width)
    plan = Plan.of(size, width, start)
    first, side, bias = plan.widths[0], plan.start, norm is None  # batch norm would take a bias away again

    def end(wide: int) -> list[nn.Module]:
        return [*([nn.BatchNorm2d(wide)] if norm else []), nn.LeakyReLU(SLOPE, inplace=True)]

    with seeded(seed):
        layers = [nn.Linear(latent, first * side**2, bias), nn.Unflatten(1, (first, side, side))]
        layers += [ChannelsLast(), *end(first)]
        for wide, out in pairwise(plan.widths):
            layers += [doubling(wide, out, upsample, bias), *end(out)]  # twice the side
        layers += [Last(plan.widths[-1], channels), nn.Tanh()]
        layers += [Crop(size)] if plan.covers > size else []
        return draw(nn.Sequential(*layers), last=0.25)


def dcgan_discriminator(
    size: int, channels: int = 1, width: int = 64, *, norm: str | None = None, seed: int = 0
) -> nn.Sequential:
    """A discriminator (n, channels, size, size) -> scores (n, 1): 4 x 4 convolutions of stride 2.

    `norm` is None, which every loss and penalty allows, or "batch" after every convolution but the first:
    then scores depend on the whole batch, so that no penalty has a meaning, and real and generated images
    are scored apart.  Weights are drawn under `seed` (`layers.draw`); the global random state is left alone.
    ValueError for another size or option.
    """
    check(norm, channels=channels, width=width)
    plan = Plan.of(size, width)
    with seeded(seed):
        layers = [nn.Conv2d(channels, width, 4, stride=2, padding=1)]
        layers += [ChannelsLast(), nn.LeakyReLU(SLOPE, inplace=True)]
        for wide, out in pairwise(plan.widths[-2::-1]):
            layers += [nn.Conv2d(wide, out, 4, stride=2, padding=1, bias=norm is None)]  # half the side
            layers += [*([nn.BatchNorm2d(out)] if norm else []), nn.LeakyReLU(SLOPE, inplace=True)]
        layers += [nn.Flatten(), nn.Linear(plan.widths[0] * plan.start**2, 1)]
        return draw(nn.Sequential(*layers))

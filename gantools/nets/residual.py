"""Residual generators and discriminators, as those of Gulrajani et al. (2017) and Miyato et al. (2018).

A block adds to its input, brought to the new side by neighbours or by means, what two convolutions make of
it; the sum is divided by the root of 2, so that its second moment stays.  Maps are as wide as DCGAN's here
(`plans.Plan`), with two convolutions in the place of one.  Of one example's forward pass, in millions of
operations, and parameters, in thousands:

    size   generator, width 64       width 32      discriminator, width 64       width 32
     28        59.1   (557)        15.2   (241)          58.1   (155)         14.6  (41)
     32       117.6   (892)        29.8   (290)         116.9   (629)         29.4 (158)
     64       616.3 (3,060)       155.4   (899)         614.6 (2,534)        154.3 (636)
     80       948.9 (3,360)       239.3 (1,049)         946.3 (2,539)        237.5 (638)
"""

import math
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from gantools.nets.layers import SLOPE, ChannelsLast, Crop, Halving, Last, doubling, draw, seeded
from gantools.nets.plans import Plan, check


def _norm(norm: str | None, wide: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(wide)] if norm else []


class Up(nn.Module):
    """(n, C, H, W) -> (n, out, 2H, 2W)."""

    def __init__(self, channels: int, out: int, norm: str | None, upsample: str):
        super().__init__()
        self.branch = nn.Sequential(
            *_norm(norm, channels), nn.LeakyReLU(SLOPE),  # not in place: the shortcut needs the input
            doubling(channels, out, upsample, norm is None), *_norm(norm, out),
            nn.LeakyReLU(SLOPE, inplace=True), nn.Conv2d(out, out, 3, padding=1),
        )  # fmt: skip
        self.shortcut = nn.Conv2d(channels, out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        short = interpolate(self.shortcut(x), scale_factor=2)  # in this order it is a quarter of the work
        return (self.branch(x) + short) * math.sqrt(0.5)


class Down(nn.Module):
    """(n, C, 2H, 2W) -> (n, out, H, W)."""

    def __init__(self, channels: int, out: int, norm: str | None):
        super().__init__()
        self.branch = nn.Sequential(
            *_norm(norm, channels), nn.LeakyReLU(SLOPE),
            nn.Conv2d(channels, channels, 3, padding=1, bias=norm is None), *_norm(norm, channels),
            nn.LeakyReLU(SLOPE, inplace=True), Halving(channels, out),
        )  # fmt: skip
        self.shortcut = nn.Conv2d(channels, out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return (self.branch(x) + self.shortcut(avg_pool2d(x, 2))) * math.sqrt(0.5)


def resnet_generator(
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
    """A generator (n, latent) -> images (n, channels, size, size) in [-1, 1]; see `dcgan_generator`."""
    check(norm, latent=latent, channels=channels, width=width)
    plan = Plan.of(size, width, start)
    first, last = plan.widths[0], plan.widths[-1]
    with seeded(seed):
        layers = [nn.Linear(latent, first * plan.start**2), nn.Unflatten(1, (first, plan.start, plan.start))]
        layers += [ChannelsLast(), *(Up(wide, out, norm, upsample) for wide, out in pairwise(plan.widths))]
        layers += [*_norm(norm, last), nn.LeakyReLU(SLOPE, inplace=True)]
        layers += [Last(last, channels), nn.Tanh()]
        layers += [Crop(size)] if plan.covers > size else []
        return draw(nn.Sequential(*layers), last=0.25)


def resnet_discriminator(
    size: int, channels: int = 1, width: int = 64, *, norm: str | None = None, seed: int = 0
) -> nn.Sequential:
    """A discriminator (n, channels, size, size) -> scores (n, 1); see `dcgan_discriminator`."""
    check(norm, channels=channels, width=width)
    plan = Plan.of(size, width)
    with seeded(seed):
        layers = [nn.Conv2d(channels, plan.widths[-1], 3, padding=1), ChannelsLast()]
        layers += [Down(wide, out, norm) for wide, out in pairwise(plan.widths[::-1])]
        layers += [nn.LeakyReLU(SLOPE, inplace=True), nn.Flatten()]
        layers += [nn.Linear(plan.widths[0] * plan.start**2, 1)]
        return draw(nn.Sequential(*layers))

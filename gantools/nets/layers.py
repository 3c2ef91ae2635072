"""What convolutional nets are made of.

    Doubling, doubling    twice the side: nearest neighbours, then a 3 x 3 convolution, computed as one
    Halving               half the side: a 3 x 3 convolution, then the mean of 2 x 2, computed as one
    Last                  the 3 x 3 convolution that makes the image
    ChannelsLast, Crop    the memory's order in which convolutions are fastest; the middle of a map
    draw                  the first weights
    cost                  parameters and operations of a net

Sources: Odena, Dumoulin and Olah (2016), *Deconvolution and checkerboard artifacts*; He et al. (2015),
*Delving deep into rectifiers*.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, conv_transpose2d, interpolate
from torch.utils.flop_counter import FlopCounterMode

UPSAMPLING = ("folded", "nearest", "transposed")
SLOPE = 0.2  # of the leaky ReLU below zero


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Build a network under `seed`; the global random state is as it was afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


class _Folded(nn.Conv2d):
    """A 3 x 3 convolution with padding 1 beside a step by two, computed as one convolution of stride 2.

    Its 4 x 4 kernel is a fixed linear image of the 3 x 3 one, which remains the parameter: the function and
    its gradients are the same, at the border too, for 16 products instead of 36.  `folded` says which way
    it is computed.
    """

    FOLD: tuple  # 4 x 3: rows against rows, and again columns against columns

    def __init__(self, channels: int, out: int, bias: bool = True, folded: bool = True):
        super().__init__(channels, out, 3, padding=1, bias=bias)
        self.folded = folded
        once = torch.tensor(self.FOLD)
        self.register_buffer("fold", torch.kron(once, once).T.contiguous(), persistent=False)  # (9, 16)

    def kernel(self) -> Tensor:
        """(out, C, 4, 4), linear in the weight (out, C, 3, 3)."""
        return (self.weight.reshape(-1, 9) @ self.fold).view(*self.weight.shape[:2], 4, 4)


class Doubling(_Folded):
    """(n, C, H, W) -> (n, out, 2H, 2W): nearest neighbours to twice the side, then a 3 x 3 convolution.

    Folded, it is a transposed convolution: an even row of the result sees the rows m - 1, m, m of the small
    map, an odd one m, m, m + 1, so that (w0, w1, w2) acts as (w0, w1 + w2) and as (w0 + w1, w2).
    """

    FOLD = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0))

    def forward(self, x: Tensor) -> Tensor:
        if self.folded:
            return conv_transpose2d(x, self.kernel().transpose(0, 1), self.bias, stride=2, padding=1)
        return conv2d(interpolate(x, scale_factor=2), self.weight, self.bias, padding=1)


class Halving(_Folded):
    """(n, C, 2H, 2W) -> (n, out, H, W): a 3 x 3 convolution, then the mean of every 2 x 2.

    The mean of rows 2m and 2m + 1 sees the rows 2m - 1 to 2m + 2, by (w0, w0 + w1, w1 + w2, w2) / 2.
    """

    FOLD = ((0.5, 0.0, 0.0), (0.5, 0.5, 0.0), (0.0, 0.5, 0.5), (0.0, 0.0, 0.5))

    def forward(self, x: Tensor) -> Tensor:
        if self.folded:
            return conv2d(x, self.kernel(), self.bias, stride=2, padding=1)
        return avg_pool2d(conv2d(x, self.weight, self.bias, padding=1), 2)


class Last(nn.Conv2d):
    """(n, C, H, W) -> (n, out, H, W): a 3 x 3 convolution with padding 1, quick for images of one channel.

    One channel fills a sixteenth of the vectors that convolutions work with on a processor.  So, folded,
    every tap of the kernel first makes a map of its own, in a 1 x 1 convolution to nine, and these are shifted
    and added: the same function and gradients of the same parameters, in about half the time.
    """

    def __init__(self, channels: int, out: int):
        super().__init__(channels, out, 3, padding=1)
        self.folded = out == 1
        self.register_buffer("shift", torch.eye(9).view(1, 9, 3, 3), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if not self.folded:
            return super().forward(x)
        taps = self.weight.flatten(2).transpose(1, 2).reshape(9, -1, 1, 1)  # (1, C, 3, 3) -> (9, C, 1, 1)
        return conv2d(conv2d(x, taps), self.shift, self.bias, padding=1)


def doubling(channels: int, out: int, upsample: str = "folded", bias: bool = True) -> nn.Module:
    """A layer (n, C, H, W) -> (n, out, 2H, 2W).

    `folded` and `nearest` are one function of one weight, (out, C, 3, 3); `transposed` is DCGAN's own layer,
    with a free 4 x 4 kernel, (C, out, 4, 4).
    """
    if upsample not in UPSAMPLING:
        raise ValueError(f"there is no upsampling {upsample!r}; choose one of {', '.join(UPSAMPLING)}")
    if upsample == "transposed":
        return nn.ConvTranspose2d(channels, out, 4, stride=2, padding=1, bias=bias)
    return Doubling(channels, out, bias, folded=upsample == "folded")


class ChannelsLast(nn.Module):
    """The same map, in memory pixel by pixel: convolutions need not reorder it.

    It stands behind the first layer, for an image of one channel is in both orders at once.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.contiguous(memory_format=torch.channels_last)


class Crop(nn.Module):
    """(n, C, H, W) -> (n, C, size, size), about the centre."""

    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        top = (x.shape[-1] - self.size) // 2
        return x[..., top : top + self.size, top : top + self.size]


@torch.no_grad()
def draw(net: nn.Module, last: float = 1.0) -> nn.Module:
    """Draw every weight from N(0, g^2 / inputs), biases 0; returns the net.

    `inputs` are the numbers that one output is a sum of, and g^2 = 2 / (1 + SLOPE^2) keeps the second moment
    from layer to layer under leaky ReLUs (He et al. 2015), with batch norm or without: so that no loss, no
    penalty and no clipping starts from scores that have died away, as they do under DCGAN's N(0, .02^2)
    without batch norm.  A 1 x 1 convolution, before which no ReLU comes, has g^2 = 1; the last layer `last`.
    """
    layers = [m for m in net.modules() if isinstance(m, nn.Linear | nn.modules.conv._ConvNd)]
    for layer in layers:
        shape = layer.weight.shape
        inputs = math.prod(shape[1:])
        if isinstance(layer, nn.ConvTranspose2d):  # (C, out, 4, 4), stride 2: 4 taps meet a pixel
            inputs = shape[0] * math.prod(shape[2:]) // math.prod(layer.stride)
        straight = getattr(layer, "kernel_size", None) == (1, 1)
        gain = last if layer is layers[-1] else 1 if straight else 2 / (1 + SLOPE**2)
        layer.weight.normal_(0, math.sqrt(gain / inputs))
        if layer.bias is not None:
            layer.bias.zero_()
    return net


class Cost(NamedTuple):
    """Numbers to learn, and floating-point operations (a product and its sum are two) of one forward pass.

    A backward pass costs about twice as many.
    """

    parameters: int
    operations: int


def cost(net: nn.Module, shape: Sequence[int]) -> Cost:
    """The cost of a net for one example of that shape, counted by running it on two."""
    training, count = net.training, FlopCounterMode(display=False)
    start = next(net.parameters())
    try:
        with torch.no_grad(), count:
            net.eval()(torch.zeros(2, *shape, device=start.device, dtype=start.dtype))
    finally:
        net.train(training)
    return Cost(sum(p.numel() for p in net.parameters()), count.get_total_flops() // 2)

"""Half the digits where a device is quick at it: bfloat16 inside a net, float32 outside."""

import functools

import torch
from torch import Tensor, nn

PRECISIONS = ("float32", "bfloat16", "auto")


@functools.cache
def quick(device: str) -> bool:
    """Whether the devices of that type multiply bfloat16 in hardware; elsewhere it is slower than float32."""
    if device == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    if device == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return False


class Precise(nn.Module):
    """A net whose products are taken in bfloat16; parameters, result and gradients are float32."""

    def __init__(self, net: nn.Module, precision: str):
        super().__init__()
        self.net, self.precision = net, precision

    def forward(self, x: Tensor) -> Tensor:
        if self.precision == "auto" and not quick(x.device.type):
            return self.net(x)
        with torch.autocast(x.device.type, torch.bfloat16):
            return self.net(x).float()


def precise(net: nn.Module, precision: str = "float32") -> nn.Module:
    """The net, computing in that precision: `float32` is the net itself.

    `bfloat16`, 8 significant bits instead of 24, asks any device for it, also one that is slow at it;
    `auto` asks a device that has it in hardware and computes in float32 on any other.  What Adam sees stays
    float32: weights, their gradients, scores and images, and second derivatives pass through (R1).
    ValueError for another precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"there is no precision {precision!r}; choose one of {', '.join(PRECISIONS)}")
    return net if precision == "float32" else Precise(net, precision)

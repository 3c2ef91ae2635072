"""Multilayer perceptrons."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from gantools.nets.layers import seeded

ACTIVATIONS = {  # in place where the derivative can be read off the output: half the memory traffic
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky_relu": lambda: nn.LeakyReLU(0.2, inplace=True),
    "tanh": nn.Tanh,
    "elu": nn.ELU,
}


def mlp(
    widths: Sequence[int],
    activation: str = "relu",
    *,
    output: str | None = None,
    shape: Sequence[int] | None = None,
    seed: int = 0,
) -> nn.Sequential:
    """A multilayer perceptron: (n, ...) with widths[0] numbers each -> (n, widths[-1]), or (n, *shape).

    `activation` stands between the layers, `output` (None or the name of an activation) after the last.
    Inputs of more than two dimensions, such as images, are flattened.  The weights are PyTorch's
    default draw under `seed`; the global random state is left alone.
    """
    if len(widths) < 2 or any(not isinstance(w, int) or w < 1 for w in widths):
        raise ValueError(f"widths must be at least two positive whole numbers, not {list(widths)}")
    for name in filter(None, (activation, output)):
        if name not in ACTIVATIONS:
            raise ValueError(f"there is no activation {name!r}; choose one of {', '.join(ACTIVATIONS)}")
    with seeded(seed):
        layers: list[nn.Module] = [nn.Flatten()]  # a matrix passes through untouched
        for k, (fan_in, fan_out) in enumerate(pairwise(widths)):
            layers += [ACTIVATIONS[activation]()] if k else []
            layers += [nn.Linear(fan_in, fan_out)]
        layers += [ACTIVATIONS[output]()] if output else []
        layers += [nn.Unflatten(1, tuple(shape))] if shape else []
        return nn.Sequential(*layers)

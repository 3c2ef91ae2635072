"""Codes that go into a generator beside the noise, and how Q, the head that reads them back, speaks of them.

    categorical_loss, gaussian_loss     -log Q(c|x) of a softmax and of a Gaussian head
    Codes                               the law of the codes: drawing, losses, the bound's estimate, grids

Sources: Chen et al. (2016), *InfoGAN*, sections 5 and 6 (MATH H.5).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from gantools.infogan.information import HALF_LOG_2PI, _count, _positive

__all__ = ["CodeBound", "CodeLoss", "Codes", "Heads", "categorical_loss", "gaussian_loss"]


def categorical_loss(logits: Tensor, codes: Tensor) -> Tensor:
    """-mean log Q(c|x) of a softmax over `logits`, (n, k), at one-hot `codes`, (n, k): a scalar, nats."""
    if logits.ndim != 2 or logits.shape != codes.shape:
        shapes = f"{tuple(logits.shape)} and {tuple(codes.shape)}"
        raise ValueError(
            f"logits and codes must both be (n, k), not {shapes}; labels become codes by "
            "torch.nn.functional.one_hot(labels, k).float()"
        )
    if not codes.is_floating_point():
        raise ValueError(f"codes must be one-hot rows of floats, not {codes.dtype}: call .float()")
    return cross_entropy(logits, codes)


def gaussian_loss(
    mean: Tensor, codes: Tensor, *, log_variance: Tensor | None = None, variance: float | None = None
) -> Tensor:
    """-mean log Q(c|x) of N(mean, v) at continuous codes, both (n, d), summed over d: a scalar, nats.

    Either `log_variance`, (n, d), log v as a head gives it, or one fixed `variance` v: then the loss is half
    the squared error over v plus a constant.  (MATH H.5)
    """
    if mean.ndim != 2 or mean.shape != codes.shape:
        shapes = f"{tuple(mean.shape)} and {tuple(codes.shape)}"
        raise ValueError(f"mean and codes must both be (n, d), not {shapes}")
    if (log_variance is None) == (variance is None):
        raise ValueError("give either log_variance, a tensor, or variance, a number, and not both")
    if variance is not None:
        _positive(variance=variance)
        square = (codes - mean).square().sum(1).mean()
        return square / (2 * variance) + mean.shape[1] * (HALF_LOG_2PI + math.log(variance) / 2)
    if log_variance.shape != mean.shape:
        raise ValueError(f"log_variance must be {tuple(mean.shape)}, not {tuple(log_variance.shape)}")
    each = HALF_LOG_2PI + log_variance / 2 + (codes - mean).square() * torch.exp(-log_variance) / 2  # (n, d)
    return each.sum(1).mean()


class Heads(NamedTuple):
    """What the numbers of Q's last layer mean."""

    logits: tuple[Tensor, ...]  # (n, k) for each categorical code
    mean: Tensor  # (n, d) of the continuous codes
    log_variance: Tensor | None  # (n, d), or None where the variance is fixed


class CodeLoss(NamedTuple):
    """-mean log Q of the categorical and of the continuous codes: scalars, nats."""

    categorical: Tensor
    continuous: Tensor


class CodeBound(NamedTuple):
    """H(c) + mean log Q of the categorical and of the continuous codes: scalars, nats."""

    categorical: Tensor
    continuous: Tensor


@dataclass(frozen=True)
class Codes:
    """The law of independent codes, in the order of their columns, and how Q speaks of them.

    categories  the numbers of values, >= 2, of the categorical codes; each is a one-hot group of columns
    uniform     the number of codes from U(-1, 1)
    gaussian    the number of codes from N(0, 1)
    variance    Q's variance for every continuous code, or None: then Q gives log-variances as well, and the
                bound may grow without end, for I(c; x) is infinite when x tells a continuous code exactly
    """

    categories: tuple[int, ...] = ()
    uniform: int = 0
    gaussian: int = 0
    variance: float | None = None

    def __post_init__(self):
        if isinstance(self.categories, Integral) or not isinstance(self.categories, Sequence):
            raise ValueError(f"categories must be a tuple such as (10,), not {self.categories!r}")
        object.__setattr__(self, "categories", tuple(self.categories))
        for k in self.categories:
            _count(2, **{"a categorical code's number of values": k})
        _count(0, uniform=self.uniform, gaussian=self.gaussian)
        if self.variance is not None:
            _positive(variance=self.variance)
        if not self.width:
            raise ValueError("there must be at least one code: give categories, uniform or gaussian")

    @property
    def continuous(self) -> int:
        return self.uniform + self.gaussian

    @property
    def width(self) -> int:
        """Columns of a batch of codes: the generator takes these besides its noise."""
        return sum(self.categories) + self.continuous

    @property
    def outputs(self) -> int:
        """Numbers that Q's last layer gives for an example: logits, means, log-variances."""
        return self.width + (self.continuous if self.variance is None else 0)

    @property
    def entropy(self) -> float:
        """H of the categorical plus h of the continuous codes."""
        discrete = sum(math.log(k) for k in self.categories)
        return discrete + self.uniform * math.log(2) + self.gaussian * (HALF_LOG_2PI + 0.5)

    @property
    def ceiling(self) -> float:
        """The most that `bound` can be: inf with learnt variances, H of the codes without continuous ones.

        With Q's variance v it is H + h - d/2 log(2 pi v): for one U(-1, 1) and v = 1 it is -.2258, so that
        bound never shows that I is above 0, however well the code is read.
        """
        if self.continuous and self.variance is None:
            return math.inf
        floor = self.continuous * (HALF_LOG_2PI + math.log(self.variance) / 2) if self.continuous else 0.0
        return self.entropy - floor

    def draw(self, n: int, generator: torch.Generator | None = None, device=None) -> Tensor:
        """n codes, (n, width) float32, on the generator's device unless another is named."""
        _count(1, n=n)
        if device is None:
            device = generator.device if generator is not None else "cpu"
        where = {"generator": generator, "device": device}
        groups = [one_hot(torch.randint(k, (n,), **where), k).float() for k in self.categories]
        if self.uniform:
            groups.append(2 * torch.rand(n, self.uniform, **where) - 1)
        if self.gaussian:
            groups.append(torch.randn(n, self.gaussian, **where))
        return torch.cat(groups, 1)

    def grid(self, values: Sequence[float], dimension: int = 0) -> Tensor:
        """Codes for a picture, (k * len(values), width): a row for each value of the first categorical code
        (one row without any), a column for each value of continuous code `dimension`; the others rest."""
        columns = torch.as_tensor(values, dtype=torch.float32)
        _count(0, dimension=dimension)
        if columns.ndim != 1 or not len(columns) or dimension >= self.continuous:
            raise ValueError(
                f"give a list of values, and a dimension below {self.continuous}, not {dimension}"
            )
        rows = self.categories[0] if self.categories else 1
        table = torch.zeros(rows, len(columns), self.width)
        start = 0
        for k in self.categories:
            table[:, :, start] = 1  # a code that rests has its first value
            start += k
        if self.categories:
            table[:, :, :rows] = torch.eye(rows).unsqueeze(1)
        table[:, :, start + dimension] = columns
        return table.flatten(0, 1)

    def categorical(self, codes: Tensor, group: int = 0) -> Tensor:
        """The values, (n,), of categorical code `group`; from Q's outputs, the likeliest ones."""
        _count(0, group=group)
        if group >= len(self.categories):
            raise ValueError(
                f"there are {len(self.categories)} categorical codes, none with the number {group}"
            )
        if codes.ndim != 2 or codes.shape[1] not in (self.width, self.outputs):
            wanted = f"codes must be (n, {self.width}), or outputs (n, {self.outputs})"
            raise ValueError(f"{wanted}, not {tuple(codes.shape)}")
        start = sum(self.categories[:group])
        return codes[:, start : start + self.categories[group]].argmax(1)

    def heads(self, outputs: Tensor) -> Heads:
        """The outputs of Q's last layer, (n, outputs), taken apart."""
        if outputs.ndim != 2 or outputs.shape[1] != self.outputs:
            wanted = f"Q must give {self.outputs} numbers an example for these codes"
            raise ValueError(f"{wanted}, not {tuple(outputs.shape)}")
        *logits, rest = outputs.split([*self.categories, self.outputs - sum(self.categories)], 1)
        mean = rest[:, : self.continuous]
        return Heads(tuple(logits), mean, None if self.variance is not None else rest[:, self.continuous :])

    def losses(self, outputs: Tensor, codes: Tensor) -> CodeLoss:
        """-mean log Q(c|x), from Q's outputs, (n, outputs), at the codes that were drawn, (n, width)."""
        found = self.heads(outputs)
        if codes.shape != (len(outputs), self.width):
            raise ValueError(f"codes must be ({len(outputs)}, {self.width}), not {tuple(codes.shape)}")
        *groups, rest = codes.split([*self.categories, self.continuous], 1)
        nothing = outputs.new_zeros(())
        discrete = sum(map(categorical_loss, found.logits, groups), nothing)
        if not self.continuous:
            return CodeLoss(discrete, nothing)
        spread = {"log_variance": found.log_variance, "variance": self.variance}  # one of them is None
        return CodeLoss(discrete, gaussian_loss(found.mean, rest, **spread))

    def bounds(self, outputs: Tensor, codes: Tensor) -> "CodeBound":
        """The batch's estimates of L_I = H(c) + E log Q(c|x), of the categorical and the continuous codes.

        Their sum's mean is at most I(c; x), on examples that Q has not been fitted to.
        """
        lost, discrete = self.losses(outputs, codes), sum(math.log(k) for k in self.categories)
        return CodeBound(discrete - lost.categorical, self.entropy - discrete - lost.continuous)

    def bound(self, outputs: Tensor, codes: Tensor) -> Tensor:
        """Their sum: a scalar tensor, nats."""
        return sum(self.bounds(outputs, codes))

"""Several processes that play one game: each takes its rows of every batch, and gradients are averaged.

    accelerate launch --num_processes 2 -m gantools train RECIPE --out DIR

All processes draw the whole batch with the same generator and keep a part of it, so that losses and steps are
those of one process with that batch, up to the order of summation.  Layers that mix the samples of a batch
(batch norm) see only their part: with them the mathematics is that of smaller batches.
"""

import os
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Team:
    """The processes that `accelerate launch` started; `Team.here()` is None where there is just one."""

    def __init__(self):
        try:
            from accelerate import PartialState
        except ImportError:
            raise ModuleNotFoundError(
                "several processes need the package accelerate: pip install 'gantools[many]'"
            ) from None
        state = PartialState()  # also makes this process's own accelerator the current one
        self.rank, self.size = state.process_index, state.num_processes

    @classmethod
    def here(cls) -> "Team | None":
        return cls() if int(os.environ.get("WORLD_SIZE", 1)) > 1 else None

    def rows(self, n: int) -> slice:
        """Which of n rows are this process's; ValueError if they cannot be shared evenly."""
        if n % self.size:
            raise ValueError(f"a batch of {n} cannot be shared evenly by {self.size} processes: change the batch size")
        share = n // self.size
        return slice(self.rank * share, (self.rank + 1) * share)

    def average(self, loss: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
        """Replace gradients by their means over the processes, and return that of the loss, in one message."""
        grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
        message = torch.cat([each.reshape(-1) for each in (*grads, loss.detach())])
        torch.distributed.all_reduce(message)
        message /= self.size
        *parts, mean = message.split([*(grad.numel() for grad in grads), 1])
        for grad, part in zip(grads, parts, strict=True):
            grad.copy_(part.view(grad.shape))
        return mean[0]

"""What a source of data is."""

import torch
from torch import Tensor


class Source:
    """What laws and image sets share."""

    def sample(self, n: int, generator: torch.Generator | None = None, device=None) -> Tensor:
        """n independent draws; `device` only if they are wanted elsewhere than the source lives."""
        source = self if device is None else self.to(device)
        return source.draw(n, generator)[0]

"""What keeps a discriminator smooth: terms for its loss and constraints on its weights."""

import torch
from torch import Tensor


def clip(c: float):
    """Weight clipping, for `Player(after=...)`: every weight of the player back into [-c, c].

    Bounds the Lipschitz constant in x by the product of the clipped layers' norms
    (Arjovsky, Chintala and Bottou 2017, algorithm 1, line 7; MATH D.7).
    """
    if not c > 0:
        raise ValueError(f"the clipping bound must be positive, not {c!r}")

    @torch.no_grad()
    def after(player) -> None:
        for parameter in player.parameters:
            parameter.clamp_(-c, c)

    return after


def r1(gamma: float):
    """R1: gamma/2 E_P |grad D(x)|^2 on the data (Mescheder et al. 2018), for `gan(penalty=...)`.

    The gradient is of the score.  Returns (discriminator, real, fake) -> scalar.
    """
    if not gamma >= 0:
        raise ValueError(f"gamma must not be negative, not {gamma!r}")

    def penalty(discriminator, real: Tensor, fake: Tensor) -> Tensor:
        x = real.detach().requires_grad_()
        (slope,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)  # (n, ...)
        return gamma / 2 * slope.flatten(1).square().sum(1).mean()

    return penalty

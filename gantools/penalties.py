"""What keeps a discriminator smooth: terms for its loss and constraints on its weights.

    clip                      every weight back into [-c, c]: `gan(after=...)`
    gradient, r1, r2, roth    terms added to the discriminator's loss: `gan(penalty=...)`
    lazy                      one of them, now and then and so much larger
    spectral                  every layer divided by its largest singular value: wraps the net itself
    instance noise            is no term but noise on what the discriminator sees: `gan(noise=...)`

A penalty is (discriminator, real, fake, rng) -> scalar.  What it draws it draws from `rng`, the game's batch (or a
torch.Generator), so that a game with a penalty resumes to the bit.  All penalties take gradients of the *score* in
x, one sample at a time: a net whose layers mix the samples of a batch (batch norm) has no such gradient.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized


def clip(c: float) -> Callable:
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


def gradient(weight: float = 10.0, one_sided: bool = False) -> Callable:
    """weight * E (|grad D(x)| - 1)^2 at x = e real + (1 - e) fake, one e ~ U[0, 1] a sample.

    The critic's penalty of WGAN-GP (Gulrajani et al. 2017, equation 3; MATH D.8).  `one_sided` charges only
    norms above 1, which is all that the Lipschitz constraint asks for (their section 4 names it; Petzka,
    Fischer and Lukovnikov 2018).  ValueError if real and fake have different shapes.
    """
    _not_negative("the weight of the penalty", weight)

    def penalty(discriminator, real: Tensor, fake: Tensor, rng: torch.Generator | None = None) -> Tensor:
        if real.shape != fake.shape:
            raise ValueError(
                "real and fake must have one shape to be mixed, not "
                f"{tuple(real.shape)} and {tuple(fake.shape)}"
            )
        ones = (1,) * (real.ndim - 1)

        def uniform(n: int, rng: torch.Generator | None) -> Tensor:
            return torch.rand(n, *ones, generator=rng, device=real.device, dtype=real.dtype)  # (n, 1, ...)

        share = rng.deal(lambda n: uniform(n, rng.rng)) if hasattr(rng, "deal") else uniform(len(real), rng)
        slope = _slope(discriminator, torch.lerp(fake.detach(), real.detach(), share))
        excess = torch.linalg.vector_norm(slope, dim=1) - 1  # (n,); torch's slope of a norm at 0 is 0
        return weight * (excess.relu() if one_sided else excess).square().mean()

    return penalty


def r1(gamma: float) -> Callable:
    """gamma/2 E_P |grad D(x)|^2 on the data (Mescheder, Geiger and Nowozin 2018, equation 9)."""
    _not_negative("gamma", gamma)

    def penalty(discriminator, real: Tensor, fake: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return gamma / 2 * _slope(discriminator, real).square().sum(1).mean()

    return penalty


def r2(gamma: float) -> Callable:
    """gamma/2 E_Q |grad D(x)|^2 on what is generated (Mescheder, Geiger and Nowozin 2018, equation 10)."""
    _not_negative("gamma", gamma)

    def penalty(discriminator, real: Tensor, fake: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return gamma / 2 * _slope(discriminator, fake).square().sum(1).mean()

    return penalty


def roth(gamma: float) -> Callable:
    """gamma/2 (E_P (1 - D)^2 |grad a|^2 + E_Q D^2 |grad a|^2) for logits a, D = sigmoid(a).

    The regulariser of Roth et al. (2017) for the Jensen-Shannon game: to first order in gamma it does what
    instance noise of variance gamma does, without drawing any.  For D* between N(0, 1) and N(1, 1) the sum
    in brackets is 0.397973.  (MATH I)
    """
    _not_negative("gamma", gamma)

    def penalty(discriminator, real: Tensor, fake: Tensor, rng: torch.Generator | None = None) -> Tensor:
        total = 0
        for x, sign in ((real, -1), (fake, 1)):
            logits, slope = _scored(discriminator, x)
            total = total + ((sign * logits.flatten()).sigmoid().square() * slope.square().sum(1)).mean()
        return gamma / 2 * total

    return penalty


def lazy(penalty: Callable, every: int) -> Callable:
    """That penalty, charged `every`-fold in every `every`-th turn and not at all between: the same on average.

    For a game's rules, whose batch knows the turn (Karras et al. 2020, *Analyzing and improving the image quality
    of StyleGAN*, section 3.1).  ValueError unless `every` is a positive whole number.
    """
    if not isinstance(every, int) or isinstance(every, bool) or every < 1:
        raise ValueError(f"a penalty is charged every so many turns, a positive whole number, not {every!r}")

    def sometimes(discriminator, real: Tensor, fake: Tensor, rng) -> Tensor | float:
        return 0.0 if rng.turn % every else every * penalty(discriminator, real, fake, rng)

    return penalty if every == 1 else sometimes


def spectral(net: nn.Module, seed: int = 0) -> nn.Module:
    """Divide the weight of every linear and convolutional layer by its largest singular value.

    Torch's own parametrisation (Miyato et al. 2018): one step of the power iteration at each forward pass
    in training mode, from vectors drawn under `seed`.  A convolution's weight is taken as the matrix (out,
    rest), whose norm is not that of the convolution.  With 1-Lipschitz activations a net of linear layers
    is then 1-Lipschitz, as far as the iteration has come.  Returns the net, changed in place; ValueError
    if it has no such layer or has been normalised before.
    """
    kinds = (nn.Linear, nn.modules.conv._ConvNd)
    layers = [module for module in net.modules() if isinstance(module, kinds)]
    if not layers:
        raise ValueError("there is no linear or convolutional layer to normalise in this net")
    if any(is_parametrized(layer, "weight") for layer in layers):
        raise ValueError("a weight of this net has a parametrisation already: normalise a fresh net, once")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in layers:
            spectral_norm(layer)
    return net


def _scored(discriminator, x: Tensor) -> tuple[Tensor, Tensor]:
    """Scores of x and their gradients in x, flattened to (n, d), both part of the graph."""
    x = x.detach().requires_grad_()
    scores = discriminator(x)
    (slope,) = torch.autograd.grad(scores.sum(), x, create_graph=True)  # (n, ...)
    return scores, slope.flatten(1)


def _slope(discriminator, x: Tensor) -> Tensor:
    return _scored(discriminator, x)[1]


def _not_negative(what: str, value: float) -> None:
    if not 0 <= value < float("inf"):
        raise ValueError(f"{what} must not be negative, nor infinite; not {value!r}")

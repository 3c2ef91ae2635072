"""Losses of the two players, as pure functions of scores.

A *score* is the discriminator's raw output (for the probabilistic losses the logit a, so that
D = sigmoid(a)).  Every function returns a scalar that its player **minimises**, in nats where logs
occur.  Each loss is a namespace with

    discriminator(real, fake)   scores of real and of generated samples, any shapes
    generator(fake)             scores of generated samples
    realness(scores)            the scores mapped to [0, 1], for pictures only
    even                        the score of a sample that is as likely real as generated

The optimum of each discriminator loss over all functions, for laws p and q, is in its docstring and is
held by tests/test_losses.py.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from gantools import divergences


class minimax:
    """The game of Goodfellow et al. (2014, eq. 1): min over G of max over D of V(D, G).

    The discriminator loss is -V, so its minimum over all D is -C(G) = log 4 - 2 JSD(p, q).
    """

    even = 0.0

    @staticmethod
    def discriminator(real: Tensor, fake: Tensor) -> Tensor:
        return softplus(-real).mean() + softplus(fake).mean()  # -E log D - E log(1 - D)

    @staticmethod
    def generator(fake: Tensor) -> Tensor:
        return -softplus(fake).mean()  # E log(1 - D)

    @staticmethod
    def realness(scores: Tensor) -> Tensor:
        return scores.sigmoid()


class nonsaturating(minimax):
    """Same discriminator; the generator minimises -E log D (Goodfellow et al. 2014, section 3).

    At the optimal discriminator its gradient is that of KL(q, p) - 2 JSD(q, p)
    (Arjovsky and Bottou 2017, theorem 2.5; MATH B.8).
    """

    @staticmethod
    def generator(fake: Tensor) -> Tensor:
        return softplus(-fake).mean()  # -E log D


class least_squares:
    """Mao et al. (2017) with labels 0 and 1: the optimal score is p / (p + q).

    The discriminator's minimum is half the integral of p q / (p + q).
    """

    even = 0.5

    @staticmethod
    def discriminator(real: Tensor, fake: Tensor) -> Tensor:
        return 0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()

    @staticmethod
    def generator(fake: Tensor) -> Tensor:
        return 0.5 * (fake - 1).square().mean()

    @staticmethod
    def realness(scores: Tensor) -> Tensor:
        return scores.clamp(0, 1)


class hinge:
    """Lim and Ye (2017): the discriminator's minimum is 2 (1 - TV(p, q)), not a transport distance."""

    even = 0.0

    @staticmethod
    def discriminator(real: Tensor, fake: Tensor) -> Tensor:
        return relu(1 - real).mean() + relu(1 + fake).mean()

    @staticmethod
    def generator(fake: Tensor) -> Tensor:
        return -fake.mean()

    @staticmethod
    def realness(scores: Tensor) -> Tensor:
        return (scores / 2 + 0.5).clamp(0, 1)


class wasserstein:
    """Arjovsky, Chintala and Bottou (2017): over critics with Lipschitz constant K the minimum is -K W1."""

    even = 0.0

    @staticmethod
    def discriminator(real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean()

    @staticmethod
    def generator(fake: Tensor) -> Tensor:
        return -fake.mean()

    @staticmethod
    def realness(scores: Tensor) -> Tensor:
        # a critic's zero and scale are arbitrary: only the shape of this picture means something
        spread = scores.std(correction=0).clamp_min(torch.finfo(scores.dtype).tiny)
        return ((scores - scores.mean()) / spread).sigmoid()


@dataclass(frozen=True)
class FGan:
    """The f-GAN of one divergence (Nowozin, Cseke and Tomioka 2016): made by `f_gan`.

    With the score v and T = g_f(v) the discriminator minimises -E_p T + E_q f*(T); its minimum over all
    functions is -D_f(p, q).  The generator minimises -E_q f*(T); `nonsaturating` has it maximise E_q T
    instead, which moves each sample the same way, T and f*(T) both growing with v, but with another weight.
    """

    divergence: divergences.FDivergence
    nonsaturating: bool = False

    @property
    def even(self) -> float:
        return self.divergence.even

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.divergence.fake_term(fake).mean() - self.divergence.activation(real).mean()

    def generator(self, fake: Tensor) -> Tensor:
        if self.nonsaturating:
            return -self.divergence.activation(fake).mean()  # -E g(v)
        return -self.divergence.fake_term(fake).mean()  # -E f*(g(v))

    def realness(self, scores: Tensor) -> Tensor:
        """p / (p + q) as the critic has it: above 1/2 where T exceeds the decision threshold f'(1)."""
        return self.divergence.share(scores)


def f_gan(name: str, nonsaturating: bool = False) -> FGan:
    """The losses of the f-GAN of `divergences.f_divergence(name)`; ValueError lists the names there are.

    `get("f-gan kl")` and `get("f-gan kl nonsaturating")` are the same losses, for games and recordings.
    "f-gan gan" is `minimax`, "f-gan gan nonsaturating" is `nonsaturating` (MATH E.2, F.1).
    """
    return FGan(divergences.f_divergence(name), nonsaturating)


_ALL = {loss.__name__: loss for loss in (minimax, nonsaturating, least_squares, hinge, wasserstein)}
NAMES = tuple(_ALL)
F_GAN_NAMES = tuple(f"f-gan {name}" for name in divergences.F_DIVERGENCES)
for _name in divergences.F_DIVERGENCES:
    _ALL |= {f"f-gan {_name}": f_gan(_name), f"f-gan {_name} nonsaturating": f_gan(_name, True)}


def get(name: str):
    """The loss of that name; ValueError lists the names there are.

    NAMES are those without parameters; F_GAN_NAMES those of the f-GAN family, each of which may be followed
    by " nonsaturating".
    """
    try:
        return _ALL[name]
    except (KeyError, TypeError):
        known = ", ".join((*NAMES, *F_GAN_NAMES))
        raise ValueError(f"there is no loss named {name!r}; choose one of {known}") from None

"""Losses of the two players, as pure functions of scores.

A *score* is the discriminator's raw output (for the probabilistic losses the logit a, so that
D = sigmoid(a)).  Every function returns a scalar that its player **minimises**, in nats where logs
occur.  Each loss is a namespace with

    discriminator(real, fake)   scores of real and of generated samples, any shapes
    generator(fake)             scores of generated samples
    realness(scores)            the scores mapped to [0, 1], for pictures only

The optimum of each discriminator loss over all functions, for laws p and q, is in its docstring and is
held by tests/test_losses.py.
"""

from torch import Tensor
from torch.nn.functional import relu, softplus


class minimax:
    """The game of Goodfellow et al. (2014, eq. 1): min over G of max over D of V(D, G).

    The discriminator loss is -V, so its minimum over all D is -C(G) = log 4 - 2 JSD(p, q).
    """

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

    @staticmethod
    def discriminator(real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean()

    @staticmethod
    def generator(fake: Tensor) -> Tensor:
        return -fake.mean()

    @staticmethod
    def realness(scores: Tensor) -> Tensor:
        return scores.sigmoid()  # a critic's zero is arbitrary: only the shape of this picture means something


_ALL = {loss.__name__: loss for loss in (minimax, nonsaturating, least_squares, hinge, wasserstein)}
NAMES = tuple(_ALL)


def get(name: str):
    """The loss of that name; ValueError lists the names there are."""
    try:
        return _ALL[name]
    except (KeyError, TypeError):
        raise ValueError(f"there is no loss named {name!r}; choose one of {', '.join(NAMES)}") from None

"""Optimal transport and the Wasserstein game, in numbers.

    plans       Monge and Kantorovich, the linear program and its dual, W1 on the line, Gaussians, sample sizes
    critics     what keeps a critic Lipschitz, and what that does to the distance it reports
    games       the Wasserstein GAN as a game, beside the others
    dynamics    the Dirac-GAN: games near their equilibrium

Everything is reached from here: `transport.kantorovich(...)`.
"""

from gantools.transport.critics import *  # noqa: F403
from gantools.transport.dynamics import *  # noqa: F403
from gantools.transport.games import *  # noqa: F403
from gantools.transport.plans import *  # noqa: F403

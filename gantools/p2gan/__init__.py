"""P2GAN: a pull towards the data, pushes away from other sources.

    optimum     the objective, the law that is best, and what can be proved of it, on a finite space
    games       the same between networks: forces, generators that join one after another
    modes       mode collapse: the paper's eight Gaussians, under several readings of the paper
    constrained generation with constraints: wanted images out of an unlabelled mixture

Everything is reached from here: `p2gan.optimum(...)`, `p2gan.game(...)`.
"""

from gantools.p2gan.constrained import *  # noqa: F403
from gantools.p2gan.games import *  # noqa: F403
from gantools.p2gan.modes import *  # noqa: F403
from gantools.p2gan.optimum import *  # noqa: F403

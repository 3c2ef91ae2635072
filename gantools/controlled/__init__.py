"""The GAN with a controllable divergence: contaminate the data, then play as usual.

    bounds      what contamination can do to TV and JSD at most, and what it does
    noise       samples of contaminated data; a check on finite training sets
    games       Algorithm 1 with several sources, and measurements of what it reaches

Everything is reached from here: `controlled.jsd_bound(...)`.
"""

from gantools.controlled.bounds import *  # noqa: F403
from gantools.controlled.games import *  # noqa: F403
from gantools.controlled.noise import *  # noqa: F403

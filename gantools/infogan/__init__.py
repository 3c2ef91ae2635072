"""Conditional GANs and InfoGAN: information, its variational bound, and games that hand out codes.

    information     entropy, mutual information, the bound L_I and its gap; channels where all is known
    labels          criteria of conditional GANs and AC-GAN; how well codes match labels
    codes           the law of codes and the heads that read them
    games           InfoGAN and the conditional GAN
    shaking         images turned, moved and thickened, so that a code cannot hide there
    trials          the games of the chapter, and how well codes match classes nobody named

Everything is reached from here: `infogan.mutual_information(...)`, `infogan.infogan_game(...)`.
"""

from gantools.infogan.codes import *  # noqa: F403
from gantools.infogan.games import *  # noqa: F403
from gantools.infogan.information import *  # noqa: F403
from gantools.infogan.labels import *  # noqa: F403
from gantools.infogan.shaking import *  # noqa: F403
from gantools.infogan.trials import *  # noqa: F403
from gantools.infogan.labels import TRAINED_ON as TRAINED_ON

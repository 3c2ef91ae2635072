"""What generated samples are worth, measured without a discriminator.

    clouds      points: modes_found, mode_kl, w1
    bound       jsd_bound: a classifier's held-out lower bound on the JSD of two laws
    recognising a small judge of labelled digits, and classes_found: which classes a generator makes
    judging     judge: a convolutional classifier, trained here and kept, whose features are compared;
                random_features: the same without training; inception: the features of the published FID
    comparing   two sets of features: frechet, kid, prdc
    neighbours  nearest, copying: is it learning by heart?
    prints      fingerprints: power spectrum, ridge frequency, coherence of the ridges' directions
    panels      panel: all of that for one set of images, beside its floor, real against real

Everything is reached from here: `metrics.panel(...)`.  No number of these means much alone: it belongs
beside its floor, what *real* samples would get, as many of them.
"""

from gantools.metrics.bound import *  # noqa: F403
from gantools.metrics.clouds import *  # noqa: F403
from gantools.metrics.comparing import *  # noqa: F403
from gantools.metrics.judging import *  # noqa: F403
from gantools.metrics.neighbours import *  # noqa: F403
from gantools.metrics.panels import *  # noqa: F403
from gantools.metrics.prints import *  # noqa: F403
from gantools.metrics.recognising import *  # noqa: F403

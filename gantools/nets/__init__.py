"""Networks of the games, with weights that depend on a seed and on nothing else.

    dense           mlp: multilayer perceptrons
    convolutional   dcgan_generator, dcgan_discriminator
    residual        resnet_generator, resnet_discriminator: both for images of 28, 32, 64 and 80 pixels
    precision       precise: bfloat16 where the device is quick at it
    layers, plans   what they are made of, and how wide their maps are

Everything is reached from here: `nets.mlp(...)`, `nets.dcgan_generator(...)`.
"""

from gantools.nets.convolutional import dcgan_discriminator, dcgan_generator
from gantools.nets.dense import ACTIVATIONS, mlp
from gantools.nets.layers import UPSAMPLING, Cost, Doubling, Halving, Last, cost, seeded
from gantools.nets.plans import SIZES
from gantools.nets.precision import PRECISIONS, precise
from gantools.nets.residual import resnet_discriminator, resnet_generator

__all__ = [
    "ACTIVATIONS", "PRECISIONS", "SIZES", "UPSAMPLING", "Cost", "Doubling", "Halving", "Last",
    "cost", "dcgan_discriminator", "dcgan_generator", "mlp", "precise",
    "resnet_discriminator", "resnet_generator", "seeded",
]  # fmt: skip

"""Networks of the games, with weights that depend on a seed and on nothing else.

    dense           mlp: multilayer perceptrons
    convolutional   dcgan_generator, dcgan_discriminator: images of 28, 32, 64 and 80 pixels
    layers          what they are made of: doubling a map, the first draw of weights, memory's order

Everything is reached from here: `nets.mlp(...)`, `nets.dcgan_generator(...)`.
"""

from gantools.nets.convolutional import SIZES, dcgan_discriminator, dcgan_generator
from gantools.nets.dense import ACTIVATIONS, mlp
from gantools.nets.layers import UPSAMPLING, Cost, Doubling, cost, seeded

__all__ = [
    "ACTIVATIONS", "SIZES", "UPSAMPLING", "Cost", "Doubling",
    "cost", "dcgan_discriminator", "dcgan_generator", "mlp", "seeded",
]  # fmt: skip

"""The library under the GAN book: one module a chapter, and under them the games and what they are made of."""

__version__ = "0.1.0"

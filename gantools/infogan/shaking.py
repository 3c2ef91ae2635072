"""What a code should not be told by: images turned, sheared, scaled, moved and with thicker or thinner strokes.

A code is free to mean whatever is easiest to read, and thickness is easier than which digit it is.  If Q only
ever sees shaken images, what shaking changes cannot carry the code, and I(c; shaken x) <= I(c; x) is what L_I
bounds.  After Ojha et al. (2020), *Elastic-InfoGAN*, who ask that of features, by a contrastive loss.
"""

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, max_pool2d

__all__ = ["DIRECTIONS", "shaken"]

DIRECTIONS = 6  # numbers that say how an image is shaken
ANGLE, SHEAR, SCALE, SHIFT, STROKE = 0.35, 0.35, 0.3, 0.15, 0.6  # at most: radians, 1, log, half sides, of 3 x 3


def shaken(images: Tensor, by: Tensor) -> Tensor:
    """Images (n, C, H, W), each shaken by its row of `by`, (n, 6) in [-1, 1]; 0 leaves an image as it is.

    The numbers turn, shear, scale, shift along rows, shift along columns, and thicken (above 0) or thin bright
    strokes.  What comes in from outside repeats the border.  Differentiable in the images.
    ValueError for other shapes.
    """
    if images.ndim != 4 or by.shape != (len(images), DIRECTIONS):
        shapes = f"{tuple(images.shape)} by {tuple(by.shape)}"
        raise ValueError(f"images (n, C, H, W) are shaken by (n, {DIRECTIONS}), not {shapes}")
    angle, shear, scale, left, up, stroke = by.to(images).unbind(1)
    cos, sin, shear = (ANGLE * angle).cos(), (ANGLE * angle).sin(), SHEAR * shear
    size = (-SCALE * scale).exp()  # the grid looks where a pixel comes from: a larger image by a smaller step
    rows = [size * cos, size * (shear * cos - sin), SHIFT * left, size * sin, size * (shear * sin + cos), SHIFT * up]
    grid = affine_grid(torch.stack(rows, 1).view(-1, 2, 3), list(images.shape), align_corners=False)
    moved = grid_sample(images, grid, padding_mode="border", align_corners=False)
    thick, thin = max_pool2d(moved, 3, 1, 1), -max_pool2d(-moved, 3, 1, 1)
    share = STROKE * stroke.view(-1, 1, 1, 1)
    return moved + share.clamp(min=0) * (thick - moved) + (-share).clamp(min=0) * (thin - moved)

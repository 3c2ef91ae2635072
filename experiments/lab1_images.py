"""What changes of an image do to the law of the set: python experiments/lab1_images.py (five minutes).

Writes book/results/labs/lab1-images/augmentation.json, which the page of lab 1 prints. Reads MNIST and SOCOFing.
"""

import functools
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from gantools import data, metrics, results

PROTOCOL = """
The set is cut into two halves that share no image, and of fingerprints no person; every image of the second is
changed. slant, slant_error: mean and standard error over the changed half. agrees: whether it is within three
standard errors of the difference from the mean of the first half. bound, error: metrics.jsd_bound between the
halves, seed 0, 600 turns, in nats. eights: MNIST, train, 28 x 28. all prints, left thumbs: SOCOFing, train,
halved to 40 x 40 for the bound. mirrored, against right: the first half are right thumbs, of other people.
"""


def slant(images: Tensor) -> Tensor:
    """(n, 1, H, W) -> (n,): how far the edges of each image lean, in [-1, 1]."""
    gx = images[..., 1:-1, 2:] - images[..., 1:-1, :-2]
    gy = images[..., 2:, 1:-1] - images[..., :-2, 1:-1]
    return 2 * (gx * gy).sum((1, 2, 3)) / (gx**2 + gy**2).sum((1, 2, 3))


def shifted(images: Tensor) -> Tensor:
    """Each image moved by up to one pixel; what moves in repeats the border."""
    padded = pad(images, (1,) * 4, mode="replicate")
    at = torch.randint(3, (len(images), 2), generator=torch.Generator().manual_seed(0))
    height, width = images.shape[-2:]
    return torch.stack([p[:, i : i + height, j : j + width] for p, (i, j) in zip(padded, at.tolist(), strict=True)])


CHANGES = {
    "as it is": lambda images: images,
    "mirrored": lambda images: images.flip(-1),
    "upside down": lambda images: images.flip(-2),
    "turned by 180 degrees": lambda images: images.flip((-1, -2)),
    "turned by 90 degrees": lambda images: images.rot90(1, (-2, -1)),
    "shifted by up to 1 pixel": shifted,
}
AGAINST = "mirrored, against right"


def halves(law: str, change: str) -> tuple[Tensor, Tensor]:
    """Two halves of that set, in [-1, 1], and the second changed."""
    one, two = found(law)
    if change == AGAINST:
        return found("right thumbs")[0], CHANGES["mirrored"](two)
    return one, CHANGES[change](two)


@functools.cache
def found(law: str) -> tuple[Tensor, Tensor]:
    """Two halves of that set, in [-1, 1], which share nobody."""
    if law == "eights":
        return data.to_float(data.load("mnist", classes=["8"]).images).chunk(2)
    prints = data.load("socofing")
    images, first = data.to_float(prints.images), prints.subjects < prints.subjects.median()
    if law == "all prints":
        return images[first], images[~first]
    chosen = prints.labels == prints.classes.index(law.removesuffix("s"))
    return images[first & chosen], images[~first & chosen]


def run(law: str, change: str) -> dict:
    one, other = halves(law, change)
    leans = slant(one), slant(other)
    error = sum(values.var() / len(values) for values in leans) ** 0.5
    small = [images if images.shape[-1] < 80 else avg_pool2d(images, 2) for images in (one, other)]
    seen = metrics.jsd_bound(*small)
    return {
        "images": len(one) + len(other),
        "slant": round(leans[1].mean().item(), 4),
        "slant_error": round((leans[1].std() / len(other) ** 0.5).item(), 4),
        "agrees": bool((leans[0].mean() - leans[1].mean()).abs() <= 3 * error),
        "bound": round(seen.bound, 4),
        "error": round(seen.error, 4),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    jobs = [{"law": law, "change": change} for law in ("eights", "all prints") for change in CHANGES]
    jobs += [{"law": "left thumbs", "change": change} for change in ("as it is", "mirrored", AGAINST)]
    path = Path(__file__).parents[1] / "book" / "results" / "labs" / "lab1-images" / "augmentation.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    results.measure(path, run, jobs, PROTOCOL)

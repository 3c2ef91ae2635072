"""What losses of recorded runs tell of their pictures: python experiments/lab3_clothes.py (seconds).

Reads the finished runs below runs/lab3, one a folder, as `gantools train` leaves them; writes
book/results/labs/lab3-clothes/losses.json, which the page of lab 3 prints.
"""

from pathlib import Path

import numpy as np
import torch
from scipy.signal import detrend
from scipy.stats import spearmanr

from gantools import results, runs

RUNS = Path("runs/lab3")
HALF_EPOCH = 47
PROTOCOL = f"""
Each loss is averaged over the turns between two frames; the first frame has none. first, first_late: Spearman's rank
correlation with the Fréchet distance of the critic's estimate (minus its loss), or of the discriminator's loss in the
non-saturating game, over all frames and over the second half of them; generator, generator_late: of the generator's loss.
louder, generator_louder: mean swing of that loss in the last fifth of the run over that in the middle fifth; a
swing is the standard deviation in a window of {HALF_EPOCH} turns about its own straight line. restless: the same
quotient of |change of log F| from frame to frame. best, end: the lowest Fréchet distance of any frame and that of the
last; at: the frame of the lowest, as a share of the run.
"""


def told(run: str) -> dict:
    """One finished run, by the name of its folder."""
    kept = runs.load(RUNS / run)
    asked = kept.about["run"]
    frechet = kept.measures[1:, kept.about["measures"].index("frechet")].numpy()
    means = torch.stack([kept.losses[a:b].mean(0) for a, b in zip(kept.turns, kept.turns[1:], strict=False)]).numpy()
    if asked["settings"]["loss"] == "wasserstein":
        means[:, 0] *= -1
    row = {"recipe": asked["recipe"], "seed": kept.about["seed"], "turns": len(kept.losses)}
    late = slice(len(frechet) // 2, None)
    for k, name in enumerate(("first", "generator")):
        row[name] = follows(means[:, k], frechet)
        row[f"{name}_late"] = follows(means[late, k], frechet[late])
    steps = np.abs(np.diff(np.log(frechet)))
    louder = [growth(swings(kept.losses[:, k].numpy())) for k in range(2)]
    best = int(frechet.argmin())
    return row | {
        "louder": louder[0], "generator_louder": louder[1], "restless": growth(steps),
        "best": round(float(frechet[best]), 3), "end": round(float(frechet[-1]), 3),
        "at": round(float(kept.turns[1 + best] / kept.turns[-1]), 3),
    }  # fmt: skip


def follows(loss: np.ndarray, frechet: np.ndarray) -> float:
    return round(float(spearmanr(loss, frechet).statistic), 3)


def swings(series: np.ndarray) -> np.ndarray:
    windows = series[: len(series) // HALF_EPOCH * HALF_EPOCH].reshape(-1, HALF_EPOCH)
    return detrend(windows, axis=1).std(1)


def growth(values: np.ndarray) -> float:
    """The mean of the last fifth over that of the middle one."""
    parts = np.array_split(values, 5)
    return round(float(parts[4].mean() / parts[2].mean()), 3)


if __name__ == "__main__":
    out = Path(__file__).parents[1] / "book" / "results" / "labs" / "lab3-clothes" / "losses.json"
    jobs = [{"run": path.parent.name} for path in sorted(RUNS.glob("*/recording.safetensors"))]
    results.measure(out, told, jobs, PROTOCOL)

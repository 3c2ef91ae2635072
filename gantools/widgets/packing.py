"""What a canvas is told: one block of bytes, a frame for Live or a whole run for Replay.

Layout: length of the header (uint32, little-endian), the header (JSON), the arrays one after another. The
header's `arrays` lists [name, type, shape]; types are u1, i1, u2 and f4. `unpack` in packed.js is its inverse.
"""

import json
import re

import numpy as np

STEPS = 8191  # positions are counted in this many steps over three boxes' width
REACH = 2.0  # nats a box: the pull at which an arrow has half its greatest length
CURVE = 600  # points of a loss curve, at most


def pack(head: dict, arrays: dict[str, np.ndarray]) -> bytes:
    """The header and the arrays as bytes; NaN and infinity in the header raise ValueError."""
    listed = [[name, a.dtype.newbyteorder("<").str[1:], list(a.shape)] for name, a in arrays.items()]
    text = json.dumps({**head, "arrays": listed}, allow_nan=False, separators=(",", ":")).encode()
    body = b"".join(a.astype(a.dtype.newbyteorder("<"), copy=False).tobytes() for a in arrays.values())
    return len(text).to_bytes(4, "little") + text + body


def positions(points, box) -> np.ndarray:
    """Points (..., 2) as uint16 steps over the box and one more on each side; others stay at the edge."""
    low, size = np.array([box[0], box[2]]), np.array([box[1] - box[0], box[3] - box[2]])
    share = (np.asarray(points, dtype=np.float64) - low + size) / (3 * size)
    return np.round(np.clip(share, 0, 1) * STEPS).astype(np.uint16)


def arrows(pull, box) -> np.ndarray:
    """Pulls (..., 2) as int8: the direction times s / (1 + s), s the pull in units of REACH nats a box.

    One rule for every frame and every game, so that a pull that vanishes is seen to vanish.
    """
    pull = np.asarray(pull, dtype=np.float64)
    size = np.linalg.norm(pull, axis=-1, keepdims=True)
    return np.round(127 * pull / (size + REACH / (box[1] - box[0]))).astype(np.int8)


def strength(pull) -> np.ndarray:
    """The mean length of the pulls (..., a, 2), in nats per unit of length."""
    return np.linalg.norm(np.asarray(pull, dtype=np.float64), axis=-1).mean(axis=-1)


def curve(losses: np.ndarray, most: int = CURVE) -> np.ndarray:
    """Losses (turns, players) as at most `most` means of equal stretches, (m, players) float32.

    What is NaN, because its player has not joined, does not count; a stretch without any loss is NaN.
    """
    n = len(losses)
    edges = np.linspace(0, n, min(n, most) + 1).round().astype(int)
    there = ~np.isnan(losses)
    sums, counts = (np.add.reduceat(a, edges[:-1], axis=0) for a in (np.where(there, losses, 0.0), there.astype(int)))
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0).astype(np.float32)


def frame(shot, box, head: dict) -> bytes:
    """A Frame of gantools.recording for Live; `head` brings what else belongs to it."""
    if box is None:
        return pack({"turn": shot.turn, **head}, {"fake": shot.fake.numpy()})
    arrays = {"fake": positions(shot.fake, box)}
    if shot.surface is not None:
        arrays["surface"] = shot.surface.numpy()
    if shot.pull is not None:
        arrays["arrows"] = arrows(shot.pull, box)
        head = {**head, "pull": float(strength(shot.pull))}
    return pack({"turn": shot.turn, **head}, arrays)


def recording(run) -> bytes:
    """A Recording for Replay. Points and surfaces are differences from frame to frame: they compress well."""
    box, shown = run.about["box"], ("title", "box", "players", "loss", "level", "measures")
    head = {name: run.about[name] for name in shown} | {"since": run.about.get("since", [])}
    head |= {"turns": run.turns.tolist(), "played": len(run.losses)}
    # "power_spectrum" is a name of two words, "W_1" one with an index, which is drawn as such
    head["measures"] = [re.sub("_(?=[a-z]{2})", " ", name) for name in head["measures"]]
    arrays = {"curve": curve(run.losses.numpy())}
    if run.measures is not None:
        arrays["measured"] = run.measures.numpy()
    if box is None:
        return pack(head, {**arrays, "real": run.real.numpy(), "fake": _differences(run.fake.numpy())})
    steps = _differences(positions(run.fake, box))
    low, high = (steps & 255).astype(np.uint8), (steps >> 8).astype(np.uint8)
    arrays |= {"real": positions(run.real, box), "low": low, "high": high}
    if run.surface is not None:
        arrays["surface"] = _differences(run.surface.numpy())
    if run.pull is not None:
        arrays |= {"arrows": arrows(run.pull, box), "pull": strength(run.pull).astype(np.float32)}
    return pack(head, arrays)


def _differences(a: np.ndarray) -> np.ndarray:
    """Each frame minus the one before, modulo the type's range; the first as it is."""
    return np.diff(a, axis=0, prepend=np.zeros_like(a[:1]))

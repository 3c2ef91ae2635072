"""Figures that move.

`explore`   mathematics under the reader's hand      no kernel, no network
`Replay`    a recorded game under a scrubber         no kernel, no network
`Live`      a game that trains in the kernel

One drawing base, `canvas.js`, serves all of them, and one arena, `arena.js`, both Replay and Live.
"""

from gantools.widgets.blocks import Replay, explore
from gantools.widgets.live import Live

__all__ = ["Live", "Replay", "explore"]

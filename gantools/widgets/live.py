"""Live: a game that trains in the kernel while one watches and turns its knobs."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

import anywidget
import numpy as np
import torch
import traitlets

from gantools import losses
from gantools.figures import check_alt
from gantools.recording import View, describe, level, measurements, snapshot
from gantools.widgets import packing
from gantools.widgets.blocks import bundle, css

CHUNK = 0.020  # s of training before anybody else may have the lock
REST = 0.002  # s
FRAME = 1 / 30  # s between two frames, at least
AHEAD = 4  # frames that may be under way to the page
LATE = 0.5  # s: a page that has not drawn the last frames by then gets another all the same
MEASURED = 5  # frames from one measurement to the next, while the game runs
ALONE = 60.0  # s without a sign from a page: nobody watches, so the game pauses
SPEEDS = {"1": 1, "5": 5, "20": 20, "100": 100, "full": None}  # turns a second

FALLBACK = (
    f'<div class="gan gan-note"><style>{css()}</style>'
    "This game trains while you watch: open the notebook in Jupyter and run the cell.</div>"
)


def _constrained(game) -> bool:
    """Whether something keeps the first player smooth; a critic that nothing keeps has no optimum."""
    return bool(getattr(game.rules, "penalty", None) or game.players[0].after)


def _module() -> str:
    before, value = bundle("live.js")
    return f"{before}export default {value}.default;"


class Curve:
    """Losses of a run of any length in bounded room: means of equal stretches, twice as long when full."""

    def __init__(self, players: int):
        self.turns, self.rows, self.stretch = [], [], 1
        self.players, self._part = players, []

    def add(self, turn: int, row: list[float]) -> None:
        self._part.append(row)
        if len(self._part) < self.stretch:
            return
        self.turns.append(turn)
        self.rows.append(np.mean(self._part, axis=0))
        self._part = []
        if len(self.rows) >= 2 * packing.CURVE:
            self.stretch *= 2
            self.turns = self.turns[1::2]
            self.rows = [(a + b) / 2 for a, b in zip(self.rows[::2], self.rows[1::2], strict=True)]

    def arrays(self) -> dict:
        rows = np.asarray(self.rows, dtype=np.float32).reshape(-1, self.players)
        return {"turns": np.asarray(self.turns, dtype=np.float32), "curve": rows}


def _offered(game, names: Sequence[str] | None) -> list[str]:
    """The losses to choose from, the game's own first if not among them; ValueError for unknown names."""
    if names is None:
        names = [name for name in losses.NAMES if name != "wasserstein" or _constrained(game)]
    names = list(names)
    for name in names:
        losses.get(name)
    own = getattr(game.rules, "loss", None)
    return names if own is None or own in names else [own, *names]


class Live(anywidget.AnyWidget):
    """A game with its controls: play, pause, one turn, reset, speed; loss, learning rates, steps and noise.

    game      a gantools.game.Game whose samples are points of the plane or images; one built by `gan` has
              all the controls, another has those that its players have
    title     what stands above it
    alt       what it shows, in words (a default describes the arena)
    points, grid, arrows    as in gantools.recording.View
    losses    names of the losses to choose from (gantools.losses), by default those without parameters, and
              the Wasserstein loss only where weights are clipped or a penalty holds; the game's own is among
              them in any case
    measure   as in gantools.recording.record; measured at every fifth frame while the game runs

    Nothing runs until somebody presses play or calls `play`. `run(n)` plays n turns at once, which is the
    way without a front end. Raises ValueError if the game cannot be shown.
    """

    _esm = _module()
    _css = css()
    _about = traitlets.Dict().tag(sync=True)
    _status = traitlets.Dict().tag(sync=True)
    _base = traitlets.Bytes().tag(sync=True)
    _frame = traitlets.Bytes().tag(sync=True)

    def __init__(
        self, game, *, title: str = "A game, live", alt: str | None = None, points=400, grid=40, arrows=60,
        losses: Sequence[str] | None = None, measure: Mapping[str, Callable] | None = None,
    ):  # fmt: skip
        self._view = View.of(game, points, grid, arrows)
        self.game, self._measure = game, measure
        alt = check_alt(
            alt
            or "Real and generated samples as the game goes on, the discriminator's opinion of every place, "
            "the pull on the generated samples, and the losses of the players."
        )
        self._lock, self._stop, self._thread = threading.RLock(), threading.Event(), None
        self._start = game.state()
        self._speed, self._error = "full", ""
        self._sent = self._seen = 0
        self._names = [player.name for player in game.players]
        self._curve, self._fresh = Curve(len(self._names)), []
        images = list(self._view.real.shape) if self._view.box is None else None
        about = {
            **describe(game, self._view, title, measure), "alt": alt, "images": images, "grid": grid,
            "device": str(game.device), "speeds": list(SPEEDS), "losses": _offered(game, losses),
        }  # fmt: skip
        with self._lock:
            super().__init__(_about=about, _status=self._state(), _base=self._pack_base())
        self.on_msg(self._answer)
        self._show()

    # what one can do ----------------------------------------------------------------------------

    def play(self) -> None:
        """Go on in a thread of its own until `pause`, an error, or nobody watches."""
        if self.playing:
            return
        self._error = ""
        self._stop = threading.Event()
        self._seen_at = time.monotonic()
        self._thread = threading.Thread(target=self._loop, args=(self._stop,), daemon=True, name="live game")
        self._thread.start()
        self._tell()

    def pause(self) -> None:
        """Stop after the turn that is being played."""
        self._stop.set()
        self._tell()  # the answer first; the turn being played may end meanwhile
        if self._thread is not None:
            self._thread.join()
        self._thread = None
        self._show()

    def turn(self) -> None:
        """Play one turn."""
        self.pause()
        self._guarded(self.run, 1)

    def reset(self) -> None:
        """Back to the turn at which the widget was made; the controls stay as they are set."""
        self.pause()
        with self._lock:
            kept = self.settings
            self.game.restore(self._start)
            for name, value in kept.items():
                self._apply(name, value)
            self._curve, self._fresh, self._error = Curve(len(self._names)), [], ""
            self._base = self._pack_base()
        self._show()
        self._tell()

    def run(self, n: int):
        """Play n turns now and return the last Turn: for notebooks that run without a front end."""
        self.pause()
        with self._lock:
            for turn in self.game.turns(n):
                self._note(turn)
            self.game.check()
        self._show()
        self._tell()
        return turn

    def set(self, **settings) -> None:
        """Change `loss`, `noise`, `alpha`, `steps` (the first player's), `speed`, or `lr_<player>`, at any time.

        Raises ValueError for an unknown name or a value that cannot be; the game is then as it was.
        """
        with self._lock:
            before = self.settings
            try:
                for name, value in settings.items():
                    self._apply(name, value)
            except (ValueError, TypeError):
                for name, value in before.items():
                    self._apply(name, value)
                raise
        self._tell()

    @property
    def playing(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and not self._stop.is_set()

    @property
    def settings(self) -> dict:
        """What `set` can change, as it is now."""
        rules = self.game.rules
        found = {"speed": self._speed, "steps": self.game.players[0].steps}
        found |= {name: getattr(rules, name) for name in ("loss", "noise", "alpha") if hasattr(rules, name)}
        return found | {f"lr_{player.name}": player.lr for player in self.game.players}

    # the thread ---------------------------------------------------------------------------------

    def _loop(self, stop: threading.Event) -> None:
        shown = began = time.perf_counter()
        start = self.game.number
        try:
            while not stop.is_set():
                now = time.perf_counter()
                rate = SPEEDS[self._speed]
                due = None if rate is None else int((now - began) * rate) - (self.game.number - start)
                if due is None:
                    began, start = now, self.game.number  # so that a slower speed starts from here
                if due is None or due > 0:
                    self._chunk(due, min(CHUNK, max(REST, shown + FRAME - now)), stop)
                if time.perf_counter() - shown >= FRAME and self._fresh and self._wanted():
                    shown = time.perf_counter()
                    self._show(measured=self._sent % MEASURED == 0)
                if time.monotonic() - self._seen_at > ALONE:
                    break
                stop.wait(REST if due is None else 0.01)
        except Exception as error:
            self._error = str(error)
        if not stop.is_set():  # else whoever stopped it tells the page
            stop.set()
            self._tell()
            self._show()

    def _chunk(self, due: int | None, seconds: float, stop: threading.Event) -> None:
        """Play for that long, `due` turns at most."""
        with self._lock:
            end = time.perf_counter() + seconds
            for turn in self.game.turns(min(due or 1000, 1000)):
                self._note(turn)
                if stop.is_set() or time.perf_counter() > end:
                    break

    def _note(self, turn) -> None:
        none = torch.full((), float("nan"), device=self.game.device)  # of a player that has not joined
        self._fresh.append((turn.number, torch.stack([turn.losses.get(name, none) for name in self._names])))

    def _wanted(self) -> bool:
        """Whether the page has drawn what it was sent, or is late."""
        return self._sent - self._seen < AHEAD or time.perf_counter() - self._sent_at > LATE

    # what the page is told ----------------------------------------------------------------------

    def _show(self, measured: bool = True) -> None:
        """Send a frame, with the mean losses since the one before, and what is measured."""
        with self._lock:
            shot = snapshot(self.game, self._view)
            found = measurements(self.game, self._measure) if measured else []
            fresh, self._fresh = self._fresh, []
            means = None
            if fresh:
                rows = torch.stack([row for _, row in fresh]).double().cpu()
                for (number, _), row in zip(fresh, rows.numpy(), strict=True):
                    self._curve.add(number, row)
                means = [v if np.isfinite(v) else None for v in rows.nanmean(dim=0).tolist()]
        self._sent, self._sent_at = self._sent + 1, time.perf_counter()
        head = {"sequence": self._sent, "losses": means, "measured": found}
        self._frame = packing.frame(shot, self._view.box, head)

    def _pack_base(self) -> bytes:
        real, box = self._view.real, self._view.box
        shown = real.numpy() if box is None else packing.positions(real, box)
        return packing.pack({}, {"real": shown, **self._curve.arrays()})

    def _state(self) -> dict:
        rule = self.settings.get("loss")
        return {
            "playing": self.playing, "error": self._error, "settings": self.settings,
            "level": level(rule) if rule else None,
        }  # fmt: skip

    def _tell(self) -> None:
        self._status = self._state()

    # what the page says -------------------------------------------------------------------------

    def _answer(self, _widget, content: dict, _buffers) -> None:
        self._seen_at = time.monotonic()
        match content:
            case {"seen": int(sequence)}:
                self._seen = max(self._seen, sequence)
            case {"do": "hello"}:
                self._seen = self._sent
                self._base = self._pack_base()
                self._show()
            case {"do": "play" | "pause" | "turn" | "reset" as name}:
                self._guarded(getattr(self, name))
            case {"set": str(name), "value": value}:
                self._guarded(lambda: self.set(**{name: value}))

    def _guarded(self, act, *arguments) -> None:
        """Do it; what goes wrong is said in the widget."""
        try:
            act(*arguments)
        except Exception as error:
            self._error = str(error)
            self._tell()

    def _apply(self, name: str, value) -> None:
        rules = self.game.rules
        if name == "speed":
            if value not in SPEEDS:
                raise ValueError(f"speed must be one of {', '.join(SPEEDS)} (turns a second), not {value!r}")
            self._speed = value
        elif name == "steps":
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"steps must be a whole number of at least 1, not {value!r}")
            self.game.players[0].steps = value
        elif name == "loss" and hasattr(rules, "loss"):
            losses.get(value)
            rules.loss = value
        elif name == "noise" and hasattr(rules, "noise"):
            if not (isinstance(value, int | float) and 0 <= value < float("inf")):
                raise ValueError(f"noise is a standard deviation: it cannot be {value!r}")
            rules.noise = float(value)
        elif name == "alpha" and hasattr(rules, "alpha"):
            if not (isinstance(value, int | float) and 0 <= value < float("inf")):
                raise ValueError(f"alpha weighs a push: it cannot be {value!r}")
            rules.alpha = float(value)
        elif name.startswith("lr_"):
            self.game.player(name.removeprefix("lr_")).lr = value
        else:
            raise ValueError(f"there is nothing named {name!r} to set; there are {', '.join(self.settings)}")

    def _repr_mimebundle_(self, **kwargs):
        """The widget, and for pages without a kernel a sentence."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "text/html": FALLBACK, "text/plain": f"Live: {self._about['title']}"}, metadata

    def __repr__(self) -> str:
        return f"Live: {self._about['title']}, turn {self.game.number}"

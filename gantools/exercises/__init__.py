"""Checks for the exercises: a check runs an answer and prints one sentence, `Right: ...` or `Not yet: ...`.

A check never raises for a wrong answer, and returns nothing, so that a cell ends with its sentence. How to
write one:

    from gantools import exercises as ex

    def check_cost(answer):                      # the answer is a number
        ex.check_number(answer, truth=0.5, right="that is mu**2 / 2 at mu = 1.",
                        slips=[(1.0, "you forgot the 1/2 of the Gaussian exponent.")])

    def check_kl(answer):                        # the answer is a function
        cases = [([.5, .5], [.9, .1]), ex.Case(([1., 0.], [.5, .5]), "Remember that 0 log 0 = 0.")]
        ex.check_function(answer, truth=divergences.kl, cases=cases, right="never negative, as it should be.",
                          slips=[(divergences.reverse_kl, "you swapped the arguments.")])

    def check_flat(answer):                      # the answer is one of several choices
        ex.check_choice(answer, "flat", {"infinite": "JSD never exceeds log 2."}, right="no gradient.")

    @ex.explain                                # anything else: raise Wrong with a sentence, return the praise
    def check_fit(answer):
        mu = ex.array(ex.call(answer, data), shape=(2,))
        if mu[0] < 0:
            raise ex.Wrong("the mean must be positive here, because ...")
        return "both means lie within 0.01 of the truth."

Every helper first deals with what is not an answer at all: `None` or `...` (nothing written yet), text, a
wrong shape, NaN, an exception inside the reader's function. A flipped sign, bits for nats and a factor 2
either way are recognised without being listed.
"""
import copy
import functools
import importlib
import math
import warnings
from typing import Any, Callable, NamedTuple, Sequence

import numpy as np

_LOG2 = math.log(2)


class Wrong(Exception):
    """One sentence that tells the reader what is wrong with the answer and why."""


class Case(NamedTuple):
    """Arguments on which a reader's function is tried, and what to say if it fails just there."""
    args: tuple
    hint: str = ""


def __getattr__(name: str):
    """Load `exercises.<chapter>` when it is first named."""
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"there is no chapter named {name!r} among the exercises") from None


def explain(check: Callable[..., str]) -> Callable[..., None]:
    """Make a check out of a function that returns its praise or raises `Wrong` with its complaint."""
    @functools.wraps(check)
    def run(*args, **kwargs) -> None:
        try:
            print("Right:", check(*args, **kwargs))
        except Wrong as complaint:
            print("Not yet:", complaint)
    return run


# ---- from whatever the reader wrote to a value ------------------------------------------------------------

def call(function: Callable, *args) -> Any:
    """The reader's function at copies of `args`; what it raises becomes a `Wrong`."""
    if function is None or function is ...:
        raise Wrong("there is no function here yet; write it, then run the cell again.")
    if not callable(function):
        raise Wrong(f"hand in the function itself, by its name without brackets, not {show(function)}.")
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*copy.deepcopy(args))
    except NotImplementedError:
        raise Wrong("the function is still empty; write its body, then run the cell again.") from None
    except Exception as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise Wrong(f"at {_at(args)} your function stopped with {what}.") from None


def array(answer: Any, shape: tuple | None = None, what: str = "the answer") -> np.ndarray:
    """The answer as a float64 array without NaN, of the given shape if one is given (tensors are welcome)."""
    if answer is None:
        raise Wrong(f"{what} is None: is there a `return` (or an answer) missing?")
    if answer is ...:
        raise Wrong("there is no answer here yet; replace the dots, then run the cell again.")
    if callable(answer):
        raise Wrong(f"{what} is a function; call it, and hand in the value.")
    if hasattr(answer, "detach"):
        answer = answer.detach().cpu().numpy()
    try:
        raw = np.asarray(answer)
        if raw.dtype == bool or raw.dtype.kind not in "iuf":
            raise TypeError
        values = raw.astype(np.float64)
    except (TypeError, ValueError):
        raise Wrong(f"{what} should hold real numbers, and is {show(answer)}.") from None
    if shape is not None and values.shape != tuple(shape):
        raise Wrong(f"{what} has shape {values.shape} and should have shape {tuple(shape)}.")
    if np.isnan(values).any():
        raise Wrong(f"{what} is not a number (NaN): look for 0/0, inf - inf, 0 * inf or a logarithm below 0.")
    return values


def number(answer: Any, what: str = "the answer") -> float:
    """The answer as one float; an array or tensor of one element counts as a number."""
    values = array(answer, what=what)
    if values.size != 1:
        raise Wrong(f"{what} should be one number, and has shape {values.shape}.")
    return float(values.reshape(()))


def close(value: Any, truth: Any, tol: float = 1e-6) -> bool:
    """Whether every entry is within tol * max(1, |truth|) of the truth; infinities must match exactly."""
    value, truth = np.asarray(value, float), np.asarray(truth, float)
    if value.shape != truth.shape:
        return False
    same = value == truth
    with np.errstate(invalid="ignore"):
        near = np.abs(value - truth) <= tol * np.maximum(1, np.abs(truth))
    return bool(np.all(same | (near & np.isfinite(truth))))


# ---- the checks most chapters need ------------------------------------------------------------------------

@explain
def check_number(answer: Any, truth: float, right: str, tol: float = 1e-4,
                 slips: Sequence[tuple[float, str]] = ()) -> str:
    """Compare one number with the truth. `slips` pairs a wrong value with the sentence that explains it."""
    value = number(answer)
    if close(value, truth, tol):
        return right
    for wrong, sentence in slips:
        if close(value, wrong, tol):
            raise Wrong(sentence)
    _usual_slips([value], [truth], tol)
    if math.isinf(truth) or math.isinf(value):
        raise Wrong(f"{show(value)} is not it: think again about whether the value is finite.")
    raise Wrong(f"{show(value)} is too {'large' if value > truth else 'small'}.")


@explain
def check_function(answer: Callable, truth: Callable, cases: Sequence, right: str, tol: float = 1e-6,
                   slips: Sequence[tuple[Callable, str]] = ()) -> str:
    """Compare the reader's function with the true one on every case: numbers or arrays, shapes included.

    cases: tuples of arguments, or `Case(args, hint)`. slips: pairs of a wrong function and the sentence for a
    reader whose values agree with it on all cases.
    """
    cases = [case if isinstance(case, Case) else Case(tuple(case)) for case in cases]
    truths = [_value(truth(*copy.deepcopy(case.args))) for case in cases]
    values = []
    for case, expected in zip(cases, truths):
        try:
            result = array(call(answer, *case.args), what=f"what your function returns at {_at(case.args)}")
            if result.shape != expected.shape and not result.size == expected.size == 1:
                raise Wrong(f"at {_at(case.args)} your function returns shape {result.shape}; "
                            f"it should be {expected.shape}.")
        except Wrong as complaint:
            raise Wrong(f"{complaint} {case.hint}".rstrip()) from None
        values.append(result.reshape(expected.shape))
    wrong_at = [k for k, pair in enumerate(zip(values, truths)) if not close(*pair, tol)]
    if not wrong_at:
        return right
    for wrong, sentence in slips:
        if all(_agrees(value, wrong, case.args, tol) for value, case in zip(values, cases)):
            raise Wrong(sentence)
    _usual_slips(values, truths, tol)
    first = wrong_at[0]
    raise Wrong(f"at {_at(cases[first].args)} your function gives {show(values[first])}, and the value is "
                f"{show(truths[first])}. {cases[first].hint}".rstrip())


@explain
def check_choice(answer: Any, truth: Any, reasons: dict, right: str) -> str:
    """Compare a choice (text, True or False, a whole number, or a set of these) with the right one.

    `reasons` says, for each wrong choice, why it is wrong; its keys and the truth are the choices offered.
    """
    if answer is None or answer is ...:
        raise Wrong("there is no answer here yet; replace the dots, then run the cell again.")
    given = _plain(answer)
    if given == _plain(truth) and isinstance(given, bool) == isinstance(truth, bool):
        return right
    for choice, reason in reasons.items():
        if given == _plain(choice) and isinstance(given, bool) == isinstance(choice, bool):
            raise Wrong(reason)
    choices = ", ".join(sorted({repr(c) for c in [truth, *reasons]}))
    raise Wrong(f"{show(answer)} is not among the answers offered: {choices}.")


# ---- small parts ------------------------------------------------------------------------------------------

def show(value: Any) -> str:
    """A short text for a value inside a sentence."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, (bool, np.bool_, str)):
        return repr(value)
    if isinstance(value, (int, float, np.number)):
        return f"{value:.6g}"
    if hasattr(value, "dist") and hasattr(value, "args"):            # a frozen scipy distribution
        inner = [show(a) for a in value.args] + [f"{k}={show(v)}" for k, v in value.kwds.items()]
        return f"{value.dist.name}({', '.join(inner)})"
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return show(value[()])
    if isinstance(value, (list, tuple, np.ndarray)):
        if len(value) <= 6 and all(isinstance(v, (int, float, np.number)) for v in value):
            return "[" + ", ".join(show(v) for v in value) + "]"
        size = f"shape {value.shape}" if isinstance(value, np.ndarray) else f"length {len(value)}"
        return f"a {type(value).__name__} of {size}"
    if callable(value):
        return f"the function {getattr(value, '__name__', 'you gave')}"
    return f"a {type(value).__name__}"


def _at(args: tuple) -> str:
    return "(" + ", ".join(show(a) for a in args) + ")"


def _value(truth: Any) -> np.ndarray:
    return np.asarray(truth.detach().cpu().numpy() if hasattr(truth, "detach") else truth, dtype=np.float64)


def _agrees(value: np.ndarray, wrong: Callable, args: tuple, tol: float) -> bool:
    """Whether a value equals that of a wrong function, which may itself break down at these arguments."""
    try:
        with np.errstate(all="ignore"):
            return close(value, _value(wrong(*copy.deepcopy(args))), tol)
    except (ArithmeticError, ValueError):
        return False


def _plain(choice: Any):
    if isinstance(choice, str):
        return choice.strip().lower()
    if isinstance(choice, (set, frozenset, list, tuple)):
        return frozenset(_plain(c) for c in choice)
    return choice


def _usual_slips(values: Sequence, truths: Sequence, tol: float) -> None:
    """Recognise a flipped sign, bits for nats and a factor 2, unless all true values are 0 or infinite."""
    pairs = [(np.asarray(v, float), np.asarray(t, float)) for v, t in zip(values, truths)]
    if not any((np.isfinite(t) & (t != 0)).any() for _, t in pairs):
        return
    for change, sentence in (
            (lambda t: -t, "the size is right and the sign is flipped."),
            (lambda t: t / _LOG2, "that is in bits; in nats it is smaller by the factor log 2 = 0.693147."),
            (lambda t: 2 * t, "that is twice the value."),
            (lambda t: t / 2, "that is half the value.")):
        if all(close(v, change(t), tol) for v, t in pairs):
            raise Wrong(sentence)

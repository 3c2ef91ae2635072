"""The shared base of the exercise checks: each kind of answer gets one sentence, and nothing ever raises."""
import math

import numpy as np
import pytest
import torch
from scipy import stats

from gantools import exercises as ex


def said(capsys, check, *args, **kwargs):
    assert check(*args, **kwargs) is None
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return out.rstrip()


@pytest.mark.parametrize("answer, sentence", [
    (0.5, "Right: good."),
    (torch.tensor(0.5, requires_grad=True), "Right: good."),
    (np.array([0.5]), "Right: good."),
    (None, "Not yet: the answer is None: is there a `return` (or an answer) missing?"),
    (..., "Not yet: there is no answer here yet; replace the dots, then run the cell again."),
    ("one half", "Not yet: the answer should hold real numbers, and is 'one half'."),
    (True, "Not yet: the answer should hold real numbers, and is True."),
    (1j, "Not yet: the answer should hold real numbers, and is a complex."),
    ([1, [2]], "Not yet: the answer should hold real numbers, and is a list of length 2."),
    ([1., 2.], "Not yet: the answer should be one number, and has shape (2,)."),
    (math.nan, "Not yet: the answer is not a number (NaN): look for 0/0, inf - inf, 0 * inf or a logarithm "
               "below 0."),
    (math.inf, "Not yet: inf is not it: think again about whether the value is finite."),
    (-0.5, "Not yet: the size is right and the sign is flipped."),
    (0.5 / math.log(2), "Not yet: that is in bits; in nats it is smaller by the factor log 2 = 0.693147."),
    (1.0, "Not yet: that is twice the value."),
    (0.25, "Not yet: that is half the value."),
    (0.125, "Not yet: you squared twice."),
    (0.3, "Not yet: 0.3 is too small."),
    (math.sin, "Not yet: the answer is a function; call it, and hand in the value."),
])
def test_number(capsys, answer, sentence):
    slips = [(0.125, "you squared twice.")]
    assert said(capsys, ex.check_number, answer, 0.5, right="good.", slips=slips) == sentence


def test_an_infinite_truth_is_not_reached_by_a_large_number(capsys):
    assert "1e+300 is not it" in said(capsys, ex.check_number, 1e300, math.inf, right="yes.")
    assert said(capsys, ex.check_number, math.inf, math.inf, right="yes.") == "Right: yes."
    assert said(capsys, ex.check_number, -math.inf, math.inf, right="yes.").startswith("Not yet")


def spoil(x):
    x[0] = 7.
    return x.sum() - 7.


@pytest.mark.parametrize("answer, start", [
    (np.sum, "Right: good."),
    (lambda x: torch.tensor(x).sum(), "Right: good."),
    (None, "Not yet: there is no function here yet"),
    (3., "Not yet: hand in the function itself, by its name without brackets, not 3."),
    (lambda: 1, "Not yet: at ([1, 2]) your function stopped with TypeError"),
    (lambda x: None, "Not yet: what your function returns at ([1, 2]) is None"),
    (lambda x: x, "Not yet: at ([1, 2]) your function returns shape (2,); it should be ()."),
    (lambda x: 1 / 0, "Not yet: at ([1, 2]) your function stopped with ZeroDivisionError: division by zero."),
    (lambda x: -x.sum(), "Not yet: the size is right and the sign is flipped."),
    (np.mean, "Not yet: that is the mean."),
    (lambda x: x.sum() or 1., "Not yet: at ([0, 0]) your function gives 1, and the value is 0. Nought!"),
    (spoil, "Not yet: at ([1, 2]) your function gives 2, and the value is 3."),
])
def test_function(capsys, answer, start):
    cases = [(np.array([1., 2.]),), ex.Case((np.array([0., 0.]),), "Nought!"), (np.arange(3.),)]
    out = said(capsys, ex.check_function, answer, truth=np.sum, cases=cases, right="good.",
               slips=[(lambda x: 1 / 0, "never."), (np.mean, "that is the mean.")])
    assert out.startswith(start)


def test_a_body_that_is_not_written_yet(capsys):
    def todo(x):
        raise NotImplementedError
    assert "the function is still empty" in said(capsys, ex.check_function, todo, np.sum, [([1.],)], right="")


def test_arrays_of_values(capsys):
    def double(x):
        return 2 * np.asarray(x)
    cases = [([1., 2.],), ([],)]
    assert said(capsys, ex.check_function, double, double, cases, right="good.") == "Right: good."
    assert "twice" in said(capsys, ex.check_function, lambda x: 2 * double(x), double, cases, right="good.")


@pytest.mark.parametrize("answer, start", [
    (" Flat ", "Right"), ("infinite", "Not yet: never above log 2."), (None, "Not yet: there is no answer"),
    (..., "Not yet: there is no answer"),
    (3, "Not yet: 3 is not among the answers offered: 'flat', 'infinite'."),
])
def test_choice(capsys, answer, start):
    reasons = {"infinite": "never above log 2."}
    assert said(capsys, ex.check_choice, answer, "flat", reasons, right="x").startswith(start)


def test_choice_of_truth_values_and_sets(capsys):
    assert said(capsys, ex.check_choice, False, False, {True: "no."}, right="x") == "Right: x"
    assert said(capsys, ex.check_choice, True, False, {True: "no."}, right="x") == "Not yet: no."
    assert "0 is not among" in said(capsys, ex.check_choice, 0, False, {True: "no."}, right="x")
    assert said(capsys, ex.check_choice, ["B", "a"], {"a", "b"}, {}, right="x") == "Right: x"


def test_text_for_values():
    assert ex.show(stats.norm(1, scale=2)) == "norm(1, scale=2)"
    assert ex.show(np.zeros((3, 4))) == "a ndarray of shape (3, 4)"
    assert ex.show(np.float32(0.25)) == "0.25"


def test_chapters_load_by_name():
    with pytest.raises(AttributeError, match="no chapter named 'thermodynamics'"):
        ex.thermodynamics

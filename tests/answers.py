"""What the check of an exercise says to answers, right and wrong."""


def judged(capsys, check, right, wrongs) -> None:
    """The check praises the right answer, and names the fault of each wrong one in a line.

    wrongs: (answer, words that must be said, or None for any) each; no answer at all is always wrong.
    """
    check(right)
    assert capsys.readouterr().out.startswith("Right: ")
    for wrong, words in [*wrongs, (None, None), (..., None)]:
        check(wrong)
        said = capsys.readouterr().out
        assert said.startswith("Not yet: ") and said.count("\n") == 1
        assert words is None or words in said, said

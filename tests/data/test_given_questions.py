"""Questions as a file gives them: what is wrong with some of them is noted beside."""

from __future__ import annotations

from fastbert.data.given_questions import GivenQuestions
from fastbert.data.row_problems import RowProblems


def test_what_is_wrong_is_counted_and_the_first_hint_is_kept() -> None:
    given = GivenQuestions("qa.csv", "row", RowProblems("qa.csv"))

    given.note(3, "bad")
    given.note(4, "worse", "Mend it.")
    given.note(5, "worst", "Leave it.")

    assert (given.wrong.count, given.hint) == (3, "Mend it.")

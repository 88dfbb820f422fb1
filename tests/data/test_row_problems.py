"""Row errors: five in words, the rest counted, and little of the user's text shown."""

from __future__ import annotations

import pytest

from fastbert.data.row_problems import MAX_EXCERPT, RowProblems, excerpt
from fastbert.errors import DataError


def test_one_problem_is_one_sentence() -> None:
    problems = RowProblems("train.csv")
    problems.add(418, "3 cells found, the header has 2")

    error = problems.error("Quote the cell.")

    assert str(error) == "train.csv, row 418: 3 cells found, the header has 2.\n  Quote the cell."


def test_more_than_five_problems_are_counted() -> None:
    problems = RowProblems("train.csv")
    for row in range(2, 9):
        problems.add(row, "bad")

    assert problems.error("Mend them.").message.splitlines() == [
        "train.csv: 7 rows cannot be read.",
        *(f"  row {row}: bad" for row in range(2, 7)),
        "  and 2 more",
    ]


def test_rows_are_counted_and_not_their_problems() -> None:
    problems = RowProblems("train.csv")
    for row in (1, 1, 2, 2, 2, 2):
        problems.add(row, "bad")
    one = RowProblems("train.csv")
    one.add(3, "bad")
    one.add(3, "worse")

    lines = problems.error("Mend them.").message.splitlines()
    assert (lines[0], lines[-1]) == ("train.csv: 2 rows cannot be read.", "  and 1 more")
    assert one.error("").message.splitlines()[0] == "train.csv: 1 row cannot be read."


def test_no_problem_raises_nothing() -> None:
    RowProblems("train.csv").raise_if_any("")


def test_a_problem_raises_a_data_error() -> None:
    problems = RowProblems("train.csv")
    problems.add(1, "bad")

    with pytest.raises(DataError, match="train.csv, row 1: bad"):
        problems.raise_if_any("")


@pytest.mark.parametrize("length", [0, 39, 40, 41, 1000])
def test_an_excerpt_has_at_most_forty_characters(length: int) -> None:
    shown = excerpt("x" * length)

    assert len(shown) == min(length, MAX_EXCERPT) + len("''")


def test_a_row_is_called_as_its_file_calls_it() -> None:
    problems = RowProblems("train.conll", unit="line")
    problems.add(3, "it has no tag")
    one = str(problems.error("Add one."))
    problems.add(4, "it has no tag")

    assert one.startswith("train.conll, line 3: it has no tag.")
    assert str(problems.error("Add one.")).splitlines()[:2] == [
        "train.conll: 2 lines cannot be read.",
        "  line 3: it has no tag",
    ]

"""The rows of a table as questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.given_questions import GivenAnswer, GivenQuestion
from fastbert.data.question_layout import QuestionLayout
from fastbert.data.question_records import context_group, read_question_rows
from fastbert.data.table import Cell
from fastbert.errors import DataError
from tests.data.tables import make_table

LAYOUT = QuestionLayout("records", "question", "context", "answer", "start")


def read(columns: str, *rows: list[Cell], answers_required: bool = True) -> list[GivenQuestion]:
    table = make_table(columns, *rows, name="qa.csv")
    return read_question_rows(table, LAYOUT, answers_required=answers_required).questions


def test_a_row_is_a_question() -> None:
    assert read("id question context answer start", [7, "What?", "Rome is old.", "Rome", "0"]) == [
        GivenQuestion(2, "qa.csv, row 2", "What?", "Rome is old.", (GivenAnswer("Rome", 0),), key="7")
    ]


def test_the_column_of_offsets_may_be_missing() -> None:
    (found,) = read("question context answer", ["What?", "Rome", "Rome"])

    assert found.answers == (GivenAnswer("Rome"),)


def test_the_column_of_answers_may_be_missing_where_they_are_not_required() -> None:
    (found,) = read("question context", ["What?", "Rome"], answers_required=False)

    assert found.answers is None


@pytest.mark.parametrize(("columns", "missing"), [("context answer", "question"), ("question context", "answer")])
def test_a_missing_column_is_an_error(columns: str, missing: str) -> None:
    with pytest.raises(DataError, match=rf"qa\.csv has no column '{missing}'"):
        read(columns, ["x"] * len(columns.split()))


@pytest.mark.parametrize(
    ("question", "context", "absent"),
    [
        ("", "Rome", "column 'question' is empty"),
        ("What?", " ", "column 'context' is empty"),
        (None, None, "column 'question' is empty; column 'context' is empty"),
        (5, "Rome", "column 'question' holds a number instead of text"),
        ("What?", ["Rome"], "column 'context' holds a list instead of text"),
        (True, "Rome", "column 'question' holds true or false instead of text"),
    ],
)
def test_a_cell_without_text_is_noted(question: Cell, context: Cell, absent: str) -> None:
    assert read("question context answer", [question, context, ""])[0].absent == absent


@pytest.mark.parametrize(("cell", "flag"), [("True", True), (0, False), ("", None)])
def test_a_column_that_says_what_is_impossible_is_read(cell: Cell, flag: bool | None) -> None:
    assert read("question context answer is_impossible", ["What?", "Rome", "", cell])[0].impossible is flag


def test_wrong_cells_are_all_noted() -> None:
    table = make_table(
        "question context answer start is_impossible",
        ["What?", "Rome", "Rome", "x", ""],
        ["What?", "Rome", "Rome", "0", ""],
        ["What?", "Rome", "", "", "perhaps"],
    )

    found = read_question_rows(table, LAYOUT, answers_required=True)

    assert found.wrong.shown == [
        (2, "the offset of an answer is 'x', expected a whole number from 0"),
        (4, "column 'is_impossible' holds 'perhaps', expected true or false"),
    ]
    assert [one.row for one in found.questions] == [3]


@given(context=st.text())
def test_a_group_is_short_and_does_not_depend_on_blanks_around(context: str) -> None:
    assert context_group(f" {context}\n") == context_group(context)
    assert len(context_group(context)) == 16


def test_groups_are_the_same_in_each_run() -> None:
    assert context_group("Rome is old.") == "884e35f3845ebe5b"


def test_an_answer_that_looks_like_a_list_is_one_where_its_context_has_it() -> None:
    (found,) = read("question context answer", ["What?", "It is [1, 2].", "[1, 2]"])

    assert found.answers == (GivenAnswer("[1, 2]"),)

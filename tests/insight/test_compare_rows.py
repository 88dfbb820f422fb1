"""Rows on which models differ."""

from __future__ import annotations

from fastbert.data.examples import TextExample
from fastbert.insight.compare import compare
from fastbert.insight.compare_rows import example_blocks, row_columns, row_records
from fastbert.tasks.label_prediction import LabelPrediction
from tests.insight.answered import SINGLE

EXAMPLES = [
    TextExample("word " * 40, "pair" if row == 2 else None, ("a",), f"t.csv, row {row + 2}") for row in range(4)
]
RIGHT, WRONG = (LabelPrediction((name,), {"a": 0.4, "b": 0.3, "c": 0.3}) for name in ("a", "b"))
ANSWERS = {"one": [RIGHT, WRONG, WRONG, WRONG], "two": [WRONG, RIGHT, RIGHT, WRONG]}
DUEL = compare(SINGLE, EXAMPLES, ANSWERS).duels[0]


def test_every_row_is_written_with_all_answers() -> None:
    records = list(row_records(SINGLE, EXAMPLES, ANSWERS))

    assert row_columns(["one", "two"])[5:] == ["said:one", "mark:one", "said:two", "mark:two"]
    assert records[2] == ["3", "t.csv, row 4", "word " * 40, "pair", "a", "b", "wrong", "a", "right"]
    assert {len(record) for record in records} == {len(row_columns(["one", "two"]))}


def test_rows_that_were_won_and_lost_are_shown_shortened() -> None:
    won, lost = example_blocks(DUEL, EXAMPLES, ANSWERS, 5)

    assert (won.title, lost.title) == ("Rows that two won against one", "Rows that two lost against one")
    assert [row[0] for row in won.rows] == ["t.csv, row 3", "t.csv, row 4"]
    assert lost.rows[0][1:4] == ("a", "a 0.40", "b 0.30")
    assert all(len(row[-1]) <= 63 for row in won.rows)


def test_of_many_rows_as_many_are_shown_as_were_asked_for() -> None:
    won, _ = example_blocks(DUEL, EXAMPLES, ANSWERS, 1)

    assert (won.lines, len(won.rows)) == (("1 of 2 rows",), 1)

"""Header rows: when the first row is taken for names, and when it stays an example."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fastbert.data.header import ExpectedHeader, Header, column_names, detect_header, has_header, numbered_columns
from fastbert.data.table import Cell
from fastbert.errors import DataError

LABELS = ["pos", "neg"] * 10


def labelled(texts: Sequence[str] = ()) -> list[list[Cell]]:
    """Rows of a text and one of two labels, twenty unless texts are given."""
    return [[text, label] for text, label in zip(texts or list("abcdefghijklmnopqrst"), LABELS, strict=False)]


@pytest.mark.parametrize(
    ("first", "rows"),
    [
        (["text", "label"], [["a", "b"]]),
        (["id", "comment_text", "toxic"], [["c87", "a", "0"]]),
        (["Quality", "#1 ID", "#1 String"], [["1", "70", "a"], ["0", "71", "b"]]),
        (["Review Text", "verdict"], labelled()),
        (["utterance one", "verdict"], labelled()),
        (["", "text", "label"], [["0", "a", "b"]]),
        (["text"], [["a"], ["b"]]),
        (["review", "stars"], [["a", 5], ["b", 1]]),
        (["phrase", "points"], [["a", 5], ["b", 1.5]]),
        (["text", "label"], []),
        (["0", "1"], [["a film", "pos"]]),
        ([0, 1, 2], [[1, "a film", "pos"]]),
    ],
)
def test_names_over_rows_of_another_kind_are_a_header(first: list[Cell], rows: list[list[Cell]]) -> None:
    assert detect_header(first, rows) is True


@pytest.mark.parametrize(
    ("first", "rows"),
    [
        (["a stirring film", "1"], [["a dull film", "0"]]),
        (["gj04", "1", "", "The sailors rode."], [["gj04", "0", "*", "As you eat."]]),
        (["great", "pos"], labelled()),
        (["DESC:def What is an atom ?"], [["LOC:city What county is Modesto in ?"]]),
        (["Hello there", "Bye"], [["One", "Two"]]),
        (["AddToPlaylist"], [["PlayMusic"]] * 20),
        (["question", "Who was it"], [["question", "Where"], ["statement", "Here"]]),
        (["text", "I like this."], [["b", "c"]]),
        (["text", "label", ""], [["a", "b", "c"]]),
        (["text", 3], [["a", 4]]),
        (["word", "word"], labelled()),
        (["0", "1"], [["3", "4"], ["", None]]),
        (["0", "1"], []),
        (["0"], [["a film"]]),
        (["0", "2"], [["a film", "pos"]]),
        (["1", "0"], [["a film", "pos"]]),
        (["x" * 61, "label"], [["a", "b"]]),
        (["one\ntwo", "label"], [["a", "b"]]),
        ([None, None], [["a", "b"]]),
        ([], []),
    ],
)
def test_a_row_that_may_be_an_example_is_no_header(first: list[Cell], rows: list[list[Cell]]) -> None:
    assert detect_header(first, rows) is False


def test_names_are_taken_without_blanks_around_and_empty_ones_by_position() -> None:
    assert column_names([None, " text ", "", 3], "a.csv") == ("0", "text", "2", "3")


def test_a_name_that_stands_twice_is_an_error() -> None:
    with pytest.raises(DataError) as caught:
        column_names(["text", "label", "text"], "a.csv")

    assert caught.value.message == "a.csv: 1 column name(s) stand more than once: 'text'."
    assert caught.value.hint == (
        "Rename the columns so that each name is there once. "
        "If the first row is data, use --no-header (from Python, header=False)."
    )


@pytest.mark.parametrize("header", [["text", "text"], ["Text", "label", "label"]])
def test_usual_names_that_stand_twice_are_still_a_header(header: list[Cell]) -> None:
    assert detect_header(header, [["a"] * len(header)]) is True


def test_columns_without_names_are_numbered_from_zero() -> None:
    assert numbered_columns(3) == ("0", "1", "2")


def test_a_long_row_of_digits_is_judged_at_once() -> None:
    assert detect_header(["phrase", "code"], [["a", "1" * 10_000 + "x"], ["b", "1, 2, 3" * 1000 + "x"]]) is False


@pytest.mark.parametrize(
    ("first", "header", "expected"),
    [
        (["feedback", "kind"], ExpectedHeader(("feedback",)), True),
        ([" kind ", " feedback "], ExpectedHeader(("feedback",)), True),
        (["feedback"], ExpectedHeader(("feedback",)), True),
        (["feedback"], ExpectedHeader(("feedback",), lone_texts=True), True),
        (["review"], ExpectedHeader(("feedback",)), True),
        (["review"], ExpectedHeader(("feedback",), lone_texts=True), False),
        (["the app", "kind of"], ExpectedHeader(("feedback",)), False),
        (["text", "label"], ExpectedHeader(("feedback",), lone_texts=True), True),
        (["one", "other"], ExpectedHeader(("one", "two")), False),
        (["two", "one"], ExpectedHeader(("one", "two")), True),
        (["text", "label"], None, True),
        (["text", "label"], False, False),
        (["the app", "kind of"], True, True),
    ],
)
def test_a_header_is_known_by_the_names_it_must_hold(first: list[Cell], header: Header, expected: bool) -> None:
    assert has_header(first, [["a"] * len(first)] * 3, header) is expected


def test_a_label_column_may_be_called_like_one_of_its_labels() -> None:
    rows = [[f"some text number {index}", ("spam", "ham")[index % 2]] for index in range(20)]

    assert detect_header(["message", "spam"], rows)

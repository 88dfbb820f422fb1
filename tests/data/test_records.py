"""JSON files and lists: all keys are columns, values keep their types, bad lines are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.data.files import find_file
from fastbert.data.records import JSON_HINT, open_json, open_list
from fastbert.data.table import Cell, RowStream
from fastbert.errors import DataError


def opened(folder: Path, text: str) -> RowStream:
    path = folder / "train.jsonl"
    path.write_bytes(text.encode())
    return open_json(find_file(path))


def cells(stream: RowStream) -> list[tuple[Cell, ...]]:
    return [row.cells for row in stream.rows]


def open_error(folder: Path, text: str) -> DataError:
    with pytest.raises(DataError) as caught:
        opened(folder, text)
    return caught.value


# --- JSON -------------------------------------------------------------------------------------------


def test_each_line_is_a_row_and_each_key_a_column(tmp_path: Path) -> None:
    stream = opened(tmp_path, '{"text": "a", "label": "x"}\n{"text": "b", "label": "y"}\n')

    assert (stream.columns, cells(stream)) == (("text", "label"), [("a", "x"), ("b", "y")])


def test_keys_that_come_late_are_columns_and_absent_keys_are_none(tmp_path: Path) -> None:
    stream = opened(tmp_path, '{"text": "a"}\n{"label": "y", "text": "b"}\n')

    assert (stream.columns, cells(stream)) == (("text", "label"), [("a", None), ("b", "y")])


def test_values_keep_their_types(tmp_path: Path) -> None:
    stream = opened(tmp_path, '{"a": 1, "b": 1.0, "c": true, "d": null, "e": ["x", [2]], "f": "1", "g": NaN}\n')

    assert repr(cells(stream)) == "[(1, 1.0, True, None, ['x', [2]], '1', None)]"


def test_an_object_in_a_cell_is_kept_as_json_text(tmp_path: Path) -> None:
    assert cells(opened(tmp_path, '{"text": "a", "meta": {"é": [1]}}\n')) == [("a", '{"é": [1]}')]


def test_row_numbers_count_blank_lines(tmp_path: Path) -> None:
    stream = opened(tmp_path, '\n{"text": "a"}\n  \n{"text": "b"}\n')

    assert [row.number for row in stream.rows] == [2, 4]


@pytest.mark.parametrize("text", ['[{"a": 1}, {"b": 2}]', '\n[\n {"a": 1},\n {"b": 2}\n]\n'])
def test_an_array_of_objects_is_rows(tmp_path: Path, text: str) -> None:
    stream = opened(tmp_path, text)

    assert [(row.number, row.cells) for row in stream.rows] == [(1, (1, None)), (2, (None, 2))]


def test_line_separators_of_unicode_do_not_end_a_line(tmp_path: Path) -> None:
    assert cells(opened(tmp_path, '{"text": "a\u2028b\x85c"}\n')) == [("a\u2028b\x85c",)]


def test_a_bad_line_is_named_with_row_and_column(tmp_path: Path) -> None:
    error = open_error(tmp_path, '{"text": "a"}\n{"text": "b}\n')

    assert error.message == "train.jsonl, row 2: no valid JSON at column 10 (Unterminated string starting at)."
    assert error.hint == JSON_HINT


@pytest.mark.parametrize(
    ("line", "found"),
    [('"a"', "a text"), ("1", "a number"), ("true", "true or false"), ("null", "null"), ("[1]", "an array")],
)
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str, found: str) -> None:
    error = open_error(tmp_path, '{"text": "a"}\n' + line + "\n")

    assert error.message == f"train.jsonl, row 2: found {found}, expected an object."


def test_bad_lines_are_counted(tmp_path: Path) -> None:
    assert open_error(tmp_path, "{bad}\n" * 7).message.endswith("\n  and 2 more")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n\n", "train.jsonl is empty; expected JSON objects."),
        ("[]", "train.jsonl is an empty array; expected JSON objects."),
        ("{}\n", "train.jsonl has no columns: all its objects are empty."),
        (
            '{\n "text": "a"\n}\n',
            "train.jsonl spreads an object over several lines; expected one on each line.",
        ),
        ('[{"a": 1},\n {"b" 2}]', "train.jsonl, row 2: no valid JSON at column 7 (Expecting ':' delimiter)."),
        ('[{"a": 1}, 2]', "train.jsonl, row 2: found a number, expected an object."),
    ],
)
def test_what_is_no_table_in_json_is_explained(tmp_path: Path, text: str, message: str) -> None:
    error = open_error(tmp_path, text)

    assert (error.message, error.hint) == (message, JSON_HINT)


def test_the_column_wise_json_of_pandas_is_explained(tmp_path: Path) -> None:
    error = open_error(tmp_path, '{"text": {"0": "a"}, "label": {"0": "x"}}')

    assert error.hint == "From pandas, write it with to_json(path, orient='records', lines=True)."


def test_deeply_nested_json_is_named_and_does_not_crash(tmp_path: Path) -> None:
    error = open_error(tmp_path, '{"a": ' + "[" * 200_000 + "\n")

    assert error.message == "train.jsonl, row 1: the JSON is nested too deeply."


def test_half_a_character_is_named_with_its_column(tmp_path: Path) -> None:
    stream = opened(tmp_path, '{"text": "a"}\n{"text": "\\ud83d"}\n')

    with pytest.raises(DataError) as caught:
        list(stream.rows)

    assert caught.value.message == (
        "train.jsonl, row 2: column 'text' holds half of a surrogate pair (U+D83D) at character 0;"
        " expected whole characters."
    )
    assert caught.value.hint == "Change these values, or leave the column out."


# --- lists ------------------------------------------------------------------------------------------


def test_a_list_of_texts_is_one_column() -> None:
    stream = open_list(["a", "b"])

    assert (stream.name, stream.columns, stream.format.kind) == ("rows", ("text",), "memory")
    assert [(row.number, row.cells) for row in stream.rows] == [(1, ("a",)), (2, ("b",))]


def test_a_list_of_dicts_has_all_keys_as_columns() -> None:
    stream = open_list([{"text": "a"}, {"text": "b", "label": 1}])

    assert (stream.columns, cells(stream)) == (("text", "label"), [("a", None), ("b", 1)])


@pytest.mark.parametrize("rows", [[("text", "label"), ("a", 1)], [["text", "label"], ["a", 1]]])
def test_a_list_of_tuples_has_numbered_columns(rows: list[object]) -> None:
    stream = open_list(rows)

    assert (stream.columns, stream.format.header, cells(stream)[0]) == (("0", "1"), False, ("text", "label"))


def test_a_first_tuple_can_hold_the_names() -> None:
    stream = open_list([("text", "label"), ("a", 1)], header=True)

    assert stream.columns == ("text", "label")
    assert [(row.number, row.cells) for row in stream.rows] == [(2, ("a", 1))]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "The list of rows is empty; expected at least one row."),
        ([1], "The list of rows begins with a value of type int; expected texts, dicts or tuples."),
        (["a", 2], "rows, row 2: found int, expected str as in the first row."),
        ([{"a": 1}, ("a",)], "rows, row 2: found tuple, expected dict as in the first row."),
        ([("a", 1), ("b",)], "rows, row 2: found a tuple of 1, expected 2 values as in the first row."),
        ([{1: "a"}], "The dicts have keys that are no text; expected names of columns."),
    ],
)
def test_a_list_that_is_no_table_is_explained(rows: list[object], message: str) -> None:
    with pytest.raises(DataError) as caught:
        open_list(rows)

    assert caught.value.message == message


def test_names_without_rows_are_an_error() -> None:
    with pytest.raises(DataError, match="The list of rows holds only column names and no data"):
        open_list([("text", "label")], header=True)


def test_a_value_that_cannot_be_a_cell_is_named_with_its_column() -> None:
    stream = open_list([{"text": "a", "extra": object()}])

    with pytest.raises(DataError, match="rows, row 1: column 'extra' holds a value of type object; expected text"):
        list(stream.rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 200_000, "train.jsonl: the JSON is nested too deeply."),
        ('[{"a": ' + "1" * 5000 + "}]", "train.jsonl: a number has more than 4,300 digits."),
        ('{"a": 1}\n{"a": ' + "1" * 5000 + "}\n", "train.jsonl, row 2: a number has more than 4,300 digits."),
    ],
)
def test_json_beyond_the_limits_of_the_reader_is_named(tmp_path: Path, text: str, message: str) -> None:
    error = open_error(tmp_path, text)

    assert (error.message, error.hint) == (message, JSON_HINT)


def test_half_a_character_inside_an_object_is_named_too(tmp_path: Path) -> None:
    stream = opened(tmp_path, '{"id": 1, "answers": {"text": ["\\ud83d"]}}\n')

    with pytest.raises(DataError, match="column 'answers' holds half of a surrogate pair"):
        list(stream.rows)

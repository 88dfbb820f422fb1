"""JSON files as values, nested in any way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fastbert.data.files import find_file
from fastbert.data.json_values import read_first_values, read_json_values
from fastbert.errors import DataError
from tests.data.tagged import write


def values(folder: Path, text: str) -> list[tuple[int, object]]:
    return read_json_values(find_file(write(folder, "a.json", text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}\n\n{"a": 2}\n', [(1, {"a": 1}), (3, {"a": 2})]),
        ('\ufeff{"a": 1}', [(1, {"a": 1})]),
        ('[{"a": 1}, {"a": 2}]', [(1, {"a": 1}), (2, {"a": 2})]),
        ('[\n  {"a": 1},\n  {"a": 2}\n]\n', [(1, {"a": 1}), (2, {"a": 2})]),
        ('["x", {"entities": []}]', [(1, ["x", {"entities": []}])]),
        ('["x", {}]\n["y", {}]\n', [(1, ["x", {}]), (2, ["y", {}])]),
        ('{\n"a": 1\n}', [(1, {"a": 1})]),
        ('{"classes": [], "annotations": [1, 2]}', [(1, 1), (2, 2)]),
        ('{"classes": [], "annotations": [1, null, 2]}', [(1, 1), (3, 2)]),
    ],
)
def test_values_are_lines_or_items(text: str, expected: list[tuple[int, object]], tmp_path: Path) -> None:
    assert values(tmp_path, text) == expected


def test_broken_lines_are_counted(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        values(tmp_path, '{"a": 1}\n{"a": \n{"a" 1}\n')

    assert str(caught.value).splitlines()[:3] == [
        "a.json: 2 rows cannot be read.",
        "  row 2: no valid JSON at column 7 (Expecting value)",
        "  row 3: no valid JSON at column 6 (Expecting ':' delimiter)",
    ]


def test_a_broken_array_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.json, line 3: no valid JSON at column 1"):
        values(tmp_path, '[\n{"a": 1}\n{"a": 2}\n]\n')


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a.json is empty; expected JSON"):
        values(tmp_path, " \n")


def test_json_that_is_nested_too_deeply_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the JSON is nested too deeply"):
        values(tmp_path, "[" * 100_000)


@pytest.mark.parametrize("indent", [None, 2])
def test_the_first_values_of_an_array_are_read_from_its_beginning(indent: int | None) -> None:
    text = json.dumps([{"a": number} for number in range(100)], indent=indent)

    assert read_first_values(text[:300])[:3] == [{"a": 0}, {"a": 1}, {"a": 2}]


def test_the_first_values_of_lines_are_read_from_their_beginning() -> None:
    assert read_first_values('{"a": 1}\n{"a": 2}\n{"a"') == [{"a": 1}, {"a": 2}]


def test_the_first_values_of_an_object_around_annotations_are_these() -> None:
    text = '{"classes": ["A", "B"], "annotations": [null, ["a", {"entities": []}], ["b", {'

    assert read_first_values(text) == [["a", {"entities": []}]]

"""CSV, JSON lines, and the content type that a caller wants."""

from __future__ import annotations

import pytest

from fastbert.serving.problems import Problem
from fastbert.serving.settings import Limits
from fastbert.serving.tables import accepted, at_line, csv_rows, csv_text, json_lines


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b"a,b\r\nc,d\r\n", [["a", "b"], ["c", "d"]]),
        (b"a\n\n", [["a"]]),
        (b"\xef\xbb\xbfa\n", [["a"]]),
        (b'"a\nb","c ""d"""\n', [["a\nb", 'c "d"']]),
        ("größer\n".encode(), [["größer"]]),
        (b'""\n', [[""]]),
    ],
)
def test_rows_are_as_they_were_written(body: bytes, rows: list[list[str]]) -> None:
    assert csv_rows(body, Limits()) == rows


def test_a_number_keeps_its_digits() -> None:
    assert csv_text([("a,b", 0.1 + 0.2)]) == '"a,b",0.30000000000000004\n'


@pytest.mark.parametrize(("body", "lines"), [(b"1\n2", [b"1", b"2"]), (b"1\r\n\r\n\n", [b"1"])])
def test_lines_are_counted_without_those_at_the_end(body: bytes, lines: list[bytes]) -> None:
    assert json_lines(body, 9) == lines


def test_a_problem_gets_its_line() -> None:
    assert at_line(Problem(422, "code", "Wrong.", "inputs"), 3).text == "line 3, inputs: Wrong."


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("text/*", "text/csv"),
        ("text/csv; q=0.1, application/json; q=0.9", "application/json"),
        ("application/x-jsonlines", "application/x-jsonlines"),
        ("TEXT/CSV", "text/csv"),
        (",text/csv", "text/csv"),
    ],
)
def test_what_a_caller_likes_best_is_chosen(header: str, chosen: str) -> None:
    known = ["application/json", "text/csv", "application/jsonlines"]

    assert accepted(header, known, "application/json") == chosen

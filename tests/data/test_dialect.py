"""Delimiters and quotes: which reading of a text is taken."""

from __future__ import annotations

import csv
import io

import pytest

import fastbert.data.dialect as dialect_module
from fastbert.data.dialect import Dialect, detect_delimiter, detect_quoting, is_blank, read_records


def lines(text: str) -> list[str]:
    return list(io.StringIO(text, newline="\n"))


def cells(text: str, delimiter: str | None = ",", quoting: bool = True) -> list[list[str]]:
    return [record.cells for record in read_records(lines(text), Dialect(delimiter, quoting))]


@pytest.mark.parametrize(
    ("text", "suffix", "delimiter"),
    [
        ("text,label\na,b\n", ".csv", ","),
        ("text;label\na;b\n", ".csv", ";"),
        ("text\tlabel\na\tb\n", ".csv", "\t"),
        ("text|label\na|b\n", ".csv", "|"),
        ("text\tlabel\na, b, c\td\n", ".tsv", "\t"),
        ("text,label\na,b\n", ".tsv", ","),
        ("text\tlabel\na\tb\n", ".txt", "\t"),
        ("text,label\na,b\n", "", ","),
    ],
)
def test_the_delimiter_that_splits_all_records_alike_is_taken(text: str, suffix: str, delimiter: str) -> None:
    assert detect_delimiter(lines(text), suffix) == delimiter


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("Hello, you\nBye, me\n", ".txt"),
        ("I paid 2,50\nI paid 3,50\n", ".txt"),
        ("Good,but slow\n", ".txt"),
        ("one text\nanother, with a comma\n", ".txt"),
        ("text\nHello, world\nBye\n", ".csv"),
        ('text\n"Hello, world"\n"Bye"\n', ".csv"),
        ("text\nfine; thanks\n", ".csv"),
        ("one\n", ".tsv"),
        ("DESC:def What is an atom ?\nLOC:city What county is Modesto , California in ?\n", ".txt"),
        ("", ".csv"),
    ],
)
def test_lines_of_prose_have_no_delimiter(text: str, suffix: str) -> None:
    assert detect_delimiter(lines(text), suffix) is None


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("Hello, you;pos\nBye, me;neg\n", ";"),
        ("a;2,50\nb;3,50\n", ";"),
        ("text, label\na, b\n", ","),
        ("1,0\n2,1\n", ","),
        ("text,label\nHello, you, me,pos\nno, I, do,neg\na,pos\n", ","),
    ],
)
def test_a_csv_file_prefers_signs_that_do_not_look_like_prose(text: str, delimiter: str) -> None:
    assert detect_delimiter(lines(text), ".csv") == delimiter


def test_a_few_ragged_rows_do_not_hide_the_delimiter() -> None:
    text = "a\tb\n" * 50 + "a\tb\tc\n"

    assert detect_delimiter(lines(text), ".txt") == "\t"


def test_delimiters_and_line_breaks_inside_quotes_do_not_count() -> None:
    text = 'text,label\n"a, b;\nc; d",x\n"e\nf",y\n'

    assert detect_delimiter(lines(text), ".csv") == ","


def test_a_record_that_the_sample_cuts_does_not_count() -> None:
    text = "text,label\n" + '"first\nsecond\nthird",x\n' * 3000  # 9,000 lines: more than the sample

    assert detect_delimiter(lines(text), ".csv") == ","


@pytest.mark.parametrize(
    ("text", "delimiter", "suffix", "quoting"),
    [
        ('text,label\n"a, b",x\n', ",", ".csv", True),
        ('text,label\n"a",x\nb,y\n', ",", ".csv", True),
        ('text,label\n"He said ""no""",x\n', ",", ".csv", True),
        ('text;label\n"a\nb";x\n', ";", ".csv", True),
        ('text,label\n,"\n,"\n', ",", ".csv", True),
        ("text,label\na,b\n", ",", ".csv", True),
        ('a\t"He said ""no"""\n', "\t", ".tsv", True),
        ('"a"\tb\n"c"\td\n', "\t", ".tsv", True),
        ('a\t""\nb\tc\nd\te\n', "\t", ".tsv", True),
        ('text\n"a, b"\nc\n', None, ".csv", True),
        ('text\n"a\nb"\n', None, ".tsv", True),
    ],
)
def test_quotes_that_wrap_cells_are_seen(text: str, delimiter: str | None, suffix: str, quoting: bool) -> None:
    assert detect_quoting(lines(text), delimiter, suffix) is quoting


@pytest.mark.parametrize(
    ("text", "delimiter", "suffix"),
    [
        ('"Hello," he said.\tx\nb\ty\n', "\t", ".tsv"),
        ('"Jaws"\tx\nb\ty\nc\ty\n', "\t", ".tsv"),
        ('"\tO\nword\tO\n"\tO\n', "\t", ".tsv"),  # tokens, as in WNUT 17
        ('5" disk\tx\n', "\t", ".tsv"),
        ('"Hello" she said,x\nb,y\n', ",", ".csv"),
        ('"All in quotes"\nb\n', None, ".txt"),
        ('text\n"No" is an answer\n', None, ".csv"),
    ],
)
def test_quotes_that_are_data_are_seen(text: str, delimiter: str | None, suffix: str) -> None:
    assert detect_quoting(lines(text), delimiter, suffix) is False


def test_a_quote_after_thousands_of_lines_still_decides() -> None:
    text = "word\tlabel\n" * 5000 + '"Well," he said\tlabel\n'

    assert detect_quoting(lines(text), "\t", ".tsv") is False


def test_one_broken_row_does_not_make_all_quotes_data() -> None:
    text = '"great app",x\n' * 50 + '"the "best" app",x\n'

    assert detect_quoting(lines(text), ",", ".csv") is True


def test_quoting_is_decided_once_enough_lines_have_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect_module, "ENOUGH_QUOTED", 10)
    source = iter(lines('"a, b",x\n' * 100))

    assert detect_quoting(source, ",", ".csv") is True
    assert len(list(source)) == 90


def test_records_know_the_line_on_which_they_start() -> None:
    records = read_records(lines('a,b\n"c\nd",e\n\nf,g\n'), Dialect(",", True))

    assert [(record.line, record.cells) for record in records if record.cells] == [
        (1, ["a", "b"]),
        (2, ["c\nd", "e"]),
        (5, ["f", "g"]),
    ]


@pytest.mark.parametrize("quoting", [True, False])
def test_returns_inside_a_line_are_data(quoting: bool) -> None:
    assert cells("a\rb,c\r\nd,e\r\n", quoting=quoting) == [["a\rb", "c"], ["d", "e"]]


def test_quotes_that_are_data_stay() -> None:
    assert cells('"a" b\t"c"\n', "\t", quoting=False) == [['"a" b', '"c"']]


def test_a_wrapped_line_without_a_delimiter_is_one_cell() -> None:
    assert cells('"a, ""b"""\n', None) == [['a, "b"']]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('a,"b\nc,d\n', "a double quote opens a cell and is never closed"),
        (
            '"a"b,c\n',
            "text follows the closing double quote of a cell; expected a delimiter or the end of the line",
        ),
    ],
)
def test_broken_quotes_are_explained(text: str, problem: str) -> None:
    (record,) = read_records(lines(text), Dialect(",", True))

    assert record.problem == problem


def test_reading_goes_on_after_a_broken_row() -> None:
    assert cells('"a"b,c\nd,e\n') == [[], ["d", "e"]]


def test_a_cell_beyond_the_limit_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect_module, "MAX_CELL_CHARACTERS", 1000)
    before = csv.field_size_limit(1000)
    try:
        (record,) = read_records(["x" * 1001], Dialect(",", True))
    finally:
        csv.field_size_limit(before)

    assert record.problem == "a cell has more than 1,000 characters; a closing double quote may be missing"


def test_a_cell_longer_than_the_limit_of_python_is_read() -> None:
    assert cells('"' + "x" * 1_000_000 + '",a\n')[0][1] == "a"


@pytest.mark.parametrize(
    ("text", "blank"), [("\n", True), ("  \n", True), (",\n", False), ("x\n", False), ('"\n"\n', False)]
)
def test_only_a_line_of_spaces_is_blank(text: str, blank: bool) -> None:
    assert is_blank(next(read_records(lines(text), Dialect(",", True)))) is blank

"""The one door: every format reads back what was written, and real files have their known rows."""

from __future__ import annotations

import csv
import gc
import gzip
import io
import json
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pandas
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import escape
from pyarrow import feather, parquet

from fastbert.data.header import ExpectedHeader
from fastbert.data.sources import Source, is_standard_input, open_rows, read_table
from fastbert.data.table import TableFormat
from fastbert.errors import DataError
from tests.helpers import write_csv
from tests.realdata import real_data

HEADER = ("text", "label")
Texts = Sequence[tuple[str, str]]


# --- what is written reads back ---------------------------------------------------------------------


def delimited(delimiter: str) -> Callable[[Texts], bytes]:
    def encode(rows: Texts) -> bytes:
        buffer = io.StringIO(newline="")
        csv.writer(buffer, delimiter=delimiter).writerows([HEADER, *rows])
        return buffer.getvalue().encode()

    return encode


def json_lines(rows: Texts) -> bytes:
    return "".join(json.dumps(dict(zip(HEADER, row, strict=True))) + "\n" for row in rows).encode()


def arrow_table(rows: Texts) -> pyarrow.Table:
    return pyarrow.table(dict(zip(HEADER, map(list, zip(*rows, strict=True)), strict=True)))


def parquet_bytes(rows: Texts) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(arrow_table(rows), buffer)
    return buffer.getvalue()


def arrow_bytes(rows: Texts) -> bytes:
    buffer = io.BytesIO()
    feather.write_feather(arrow_table(rows), buffer)
    return buffer.getvalue()


def xlsx_bytes(rows: Texts) -> bytes:
    book = openpyxl.Workbook()
    for number, row in enumerate([HEADER, *rows], start=1):
        for column, text in enumerate(row, start=1):
            cell = book.worksheets[0].cell(number, column, escape(text))
            cell.data_type = "s"  # "=1" is a text here and not a formula
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


FORMATS: dict[str, Callable[[Texts], bytes]] = {
    "csv": delimited(","),
    "tsv": delimited("\t"),
    "jsonl": json_lines,
    "parquet": parquet_bytes,
    "arrow": arrow_bytes,
    "xlsx": xlsx_bytes,
}

any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
tricky_text = st.lists(
    st.sampled_from(
        ['"', '""', ",", "\t", "\n", "\r\n", ";", "|", " ", "a", "b c", "1.0", "nan", "e\u0301", "שלום", "😀"]
    )
).map("".join)
texts = any_text | tricky_text
# A cell that holds both a tab and a line break can look like two whole lines of a tab-separated file.
FITS = {
    "tsv": lambda text: not ("\t" in text and ("\n" in text or "\r" in text)),
    # XML has no characters for these controls, and an empty cell of a sheet is None.
    "xlsx": lambda text: (
        text != "" and all(c >= " " or c in "\t\n\r" for c in text) and not set(text) & {"\ufffe", "\uffff"}
    ),
}


@pytest.mark.parametrize("gzipped", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=50)
@given(data=st.data())
def test_texts_that_were_written_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, kind: str, gzipped: bool, data: st.DataObject
) -> None:
    cell = texts.filter(FITS.get(kind, lambda _: True))
    rows = data.draw(st.lists(st.tuples(cell, cell), min_size=1, max_size=6))
    content = FORMATS[kind](rows)
    path = tmp_path_factory.getbasetemp() / f"train.{kind}{'.gz' if gzipped else ''}"
    path.write_bytes(gzip.compress(content, 1) if gzipped else content)

    table = read_table(path, header=True)

    assert (table.columns, table.format.gzipped) == (HEADER, gzipped)
    assert [row.cells for row in table.rows] == rows


@given(rows=st.lists(texts, min_size=1, max_size=6))
def test_one_column_that_was_written_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "train.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text in rows)])

    assert [row.cells for row in read_table(path, header=True).rows] == [(text,) for text in rows]


@given(rows=st.lists(texts.filter(lambda text: text != "" and not set(text) & set("\r\n\t;|,")), min_size=1))
def test_lines_of_a_text_file_read_back_equal(tmp_path_factory: pytest.TempPathFactory, rows: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "texts.txt"
    path.write_text("".join(f"{text}\n" for text in rows), encoding="utf-8", newline="")

    assert [row.cells for row in read_table(path, header=False).rows] == [(text,) for text in rows]


# --- which reader -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["train", "train.data", "train.gz"])
@pytest.mark.parametrize("kind", FORMATS)
def test_an_unknown_suffix_is_read_by_content(tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / name).write_bytes(FORMATS[kind]([("a", "x"), ("b", "y")]))

    table = read_table(tmp_path / name)

    assert (table.columns, [row.cells for row in table.rows]) == (HEADER, [("a", "x"), ("b", "y")])


@pytest.mark.parametrize("kind", ["parquet", "arrow", "xlsx"])
def test_a_binary_file_is_known_by_its_bytes_even_under_a_wrong_suffix(tmp_path: Path, kind: str) -> None:
    (tmp_path / "train.csv").write_bytes(FORMATS[kind]([("a", "x")]))

    assert read_table(tmp_path / "train.csv").format.kind == kind


def test_json_under_a_csv_suffix_stays_text(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text('{"text": "a"}\n{"text": "b"}\n')

    assert read_table(tmp_path / "train.csv").format.kind == "delimited"


@pytest.mark.parametrize(
    ("source", "columns"),
    [
        (["a"], ("text",)),
        ([{"text": "a"}], ("text",)),
        ([("a", 1)], ("0", "1")),
        (pandas.DataFrame({"text": ["a"]}), ("text",)),
        (pyarrow.table({"text": ["a"]}), ("text",)),
    ],
)
def test_tables_in_memory_are_sources_too(source: Source, columns: tuple[str, ...]) -> None:
    table = read_table(source)

    assert (table.name, table.columns, table.rows[0].cells[0]) == ("rows", columns, "a")


@pytest.mark.parametrize("as_path", [str, Path])
def test_a_path_may_be_text_or_path(tmp_path: Path, as_path: Callable[[Path], Source]) -> None:
    path = write_csv(tmp_path / "train.csv", HEADER, [("a", "x")])

    assert read_table(as_path(path)).name == "train.csv"


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (b"text,label\na,x\n", HEADER),
        (b'{"text": "a", "label": "x"}\n', HEADER),
        (b"A text, and more\nAnother\n", ("text",)),
        (parquet_bytes([("a", "x")]), HEADER),
    ],
)
def test_a_dash_reads_the_given_stream(
    content: bytes, columns: tuple[str, ...], compress: Callable[[bytes], bytes]
) -> None:
    table = read_table("-", stream=io.BytesIO(compress(content)))

    assert (table.name, table.columns) == ("standard input", columns)


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one text\n")))

    assert [row.cells for row in read_table("-").rows] == [("one text",)]


def test_a_stream_of_rows_gives_what_the_table_holds(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "train.csv", HEADER, [("a", "x"), ("b", "y")])

    stream, table = open_rows(path), read_table(path)

    assert (stream.name, stream.columns, stream.format) == (table.name, table.columns, table.format)
    assert list(stream.rows) == list(table.rows)


def test_an_opened_source_may_be_left_unread(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = write_csv(tmp_path / "train.csv", HEADER, [("a", "x")] * 1000)
    next(open_rows(path).rows)
    gc.collect()
    assert list(recwarn) == []  # no ResourceWarning of a file left open


# --- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "message", "hint"),
    [
        ("a.csv", b"", "a.csv is empty; expected a table.", "Check that it was saved or copied whole."),
        (
            "a.xls",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "a.xls is an old Excel file (.xls) or has a password; expected .xlsx.",
            "Open it in Excel or LibreOffice and save it as .xlsx without a password, or as CSV.",
        ),
        (
            "a.xlsx",
            b"text,label\n",
            "a.xlsx cannot be read as xlsx: BadZipFile: File is not a zip file",
            "The file is damaged or of another format. Save it again as .xlsx, or as CSV.",
        ),
        (
            "a.zip",
            b"PK\x03\x04",
            "a.zip is a zip archive; expected a table.",
            "Unpack it and give one of its files.",
        ),
        (
            "a.csv.gz",
            gzip.compress(b"text,label\n" + bytes(range(32, 127)) * 9, mtime=0)[:60],
            "a.csv.gz is cut off: its gzip data ends too early.",
            "Copy or download it again; `gzip -t` checks a file.",
        ),
    ],
)
def test_a_file_that_is_no_table_is_explained(
    tmp_path: Path, name: str, content: bytes, message: str, hint: str
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DataError) as caught:
        read_table(tmp_path / name)

    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_zip_archive_is_answered_with_its_files(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("folder/train.csv", "text\n")

    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "data.zip")

    assert caught.value.hint == "Unpack it and give one of its files (train.csv)."


def test_a_cut_parquet_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(parquet_bytes([("a", "x")])[:-9])

    with pytest.raises(DataError, match=r"a\.parquet cannot be read as parquet: Parquet magic bytes not found"):
        read_table(tmp_path / "a.parquet")


@pytest.mark.parametrize(("source", "kind"), [(b"text", "bytes"), ({"text": ["a"]}, "dict")])
def test_what_is_no_source_is_explained(source: Source, kind: str) -> None:
    with pytest.raises(DataError) as caught:
        read_table(source)

    assert caught.value.message == f"Cannot read rows from a value of type {kind}."
    assert "Give a path, a list of texts, dicts or tuples" in str(caught.value.hint)


# --- memory -----------------------------------------------------------------------------------------


def big_csv(rows: int) -> bytes:
    return b"text,label\n" + (b"x" * 500 + b",pos\n") * rows


def big_jsonl(rows: int) -> bytes:
    return (b'{"text": "' + b"x" * 500 + b'"}\n') * rows


@pytest.mark.parametrize(("suffix", "content"), [("csv", big_csv), ("jsonl", big_jsonl)])
def test_streaming_takes_constant_memory(tmp_path: Path, suffix: str, content: Callable[[int], bytes]) -> None:
    path = tmp_path / f"train.{suffix}"
    path.write_bytes(content(40_000))  # 20 MB

    tracemalloc.start()
    try:
        num_rows = sum(1 for _ in open_rows(path).rows)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert num_rows == 40_000
    assert peak_bytes < 6_000_000


# --- real files -------------------------------------------------------------------------------------

TAB = TableFormat("delimited", "utf-8", "\t")
TAB_DATA = TableFormat("delimited", "utf-8", "\t", quoting=False)
NO_HEADER = TableFormat("delimited", "utf-8", "\t", header=False)
LINES = TableFormat("delimited", "utf-8", None, header=False)
MRPC = TableFormat("delimited", "utf-8-sig", "\t", quoting=False)
COMMA = TableFormat("delimited", "utf-8", ",")
GZ = TableFormat("jsonl", "utf-8", gzipped=True)
XLSX = TableFormat("xlsx")


@pytest.mark.parametrize(
    ("name", "num_rows", "num_columns", "found"),
    [
        ("cola/in_domain_train.tsv", 8551, 4, TableFormat("delimited", "utf-8", "\t", False, False)),
        ("cola/in_domain_dev.tsv", 527, 4, NO_HEADER),
        ("cola/out_of_domain_dev.tsv", 516, 4, NO_HEADER),
        ("sst2/train.tsv", 6920, 2, NO_HEADER),
        ("sst2/dev.tsv", 872, 2, NO_HEADER),
        ("sst2/test.tsv", 1821, 2, NO_HEADER),
        ("trec6/train.txt", 5452, 1, LINES),
        ("trec6/test.txt", 500, 1, LINES),
        ("goemotions/train.tsv", 43410, 3, TAB),
        ("goemotions/dev.tsv", 5426, 3, TAB),
        ("goemotions/test.tsv", 5427, 3, TAB),
        ("goemotions/labels.txt", 28, 1, LINES),
        ("jigsaw_sample/train.csv", 1000, 8, COMMA),
        ("jigsaw_sample/val.csv", 1000, 8, COMMA),
        ("app_reviews/dataset_unbalanced_4000.xlsx", 4000, 8, XLSX),
        ("app_reviews_unlabelled/collected_reviews/Netflix_1250_review_level.xlsx", 1250, 3, XLSX),
        ("imdb/train.jsonl.gz", 5000, 4, GZ),
        ("imdb/test.jsonl.gz", 5000, 4, GZ),
        ("imdb/unsup.jsonl.gz", 10000, 2, GZ),
        ("mrpc/train.tsv", 3667, 5, MRPC),
        ("mrpc/dev.tsv", 408, 5, MRPC),
        ("stsb/train.tsv", 5749, 10, TAB_DATA),
        ("stsb/dev.tsv", 1500, 10, TAB_DATA),
        ("snips/train/seq.in", 13084, 1, TableFormat("delimited", "utf-8", None, False, False)),
        ("wnut17/wnut17train.conll", 65124, 2, TableFormat("delimited", "utf-8", "\t", False, False)),
    ],
)
def test_a_real_file_has_its_known_rows_and_columns(
    name: str, num_rows: int, num_columns: int, found: TableFormat
) -> None:
    table = read_table(real_data(name))

    assert (len(table), len(table.columns), table.format) == (num_rows, num_columns, found)


def test_quotes_of_real_data_are_kept_where_they_are_data() -> None:
    table = read_table(real_data("mrpc/dev.tsv"))

    assert str(table.rows[0].cells[4]).startswith('" The foodservice pie business')


def test_quotes_of_real_data_are_removed_where_they_wrap() -> None:
    table = read_table(real_data("goemotions/train.tsv"))

    row = next(row for row in table.rows if row.number == 125)
    assert row.cells[0] == 'Three words, no subtlety. "Dude. Stop. Seriously." '


@pytest.mark.parametrize(("source", "expected"), [("-", True), (Path("-"), True), ("a.csv", False), (["-"], False)])
def test_standard_input_is_a_dash(source: Source, expected: bool) -> None:
    assert is_standard_input(source) is expected


def test_tuples_have_no_header_unless_told_so() -> None:
    rows = [("text", "label"), ("the app works", "praise")]

    assert read_table(rows, header=ExpectedHeader(("text",))).columns == ("0", "1")

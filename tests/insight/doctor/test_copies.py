"""Cleaned copies in every format."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from fastbert.config import DataConfig
from fastbert.errors import DataError, TrainingError
from fastbert.insight.doctor import copies
from fastbert.insight.doctor.cleaning import Cleaning, plan_cleaning
from fastbert.insight.doctor.copies import check_target, write_copies
from fastbert.insight.doctor.material import read_material

# A repeated text, a wrong character, a label that is spelt otherwise, and a column that is none of the two.
FIRST, LAST = ("one, text", "bug", 1), [('say "hi"', "praise", 4), ("last", "bug", 5)]
ROWS = [FIRST, ("ONE, text", "bug", 2), ("cafÃ©", "Bug", 3), *LAST]
CLEAN = [FIRST, ("café", "bug", 3), *LAST]


def clean(path: Path, **options: object) -> Cleaning:
    return plan_cleaning(
        read_material({"train": path}, DataConfig().changed(text="text", labels=("label",), **options))
    )


def copied(path: Path, **options: object) -> Path:
    before = path.read_bytes()
    out = path.parent / "clean"
    write_copies(clean(path, **options), out)
    assert path.read_bytes() == before
    return out / path.name


def delimited(rows: list[tuple[Any, ...]]) -> str:
    cells = [[str(cell) for cell in row] for row in rows]
    quoted = [
        [f'"{cell.replace(chr(34), chr(34) * 2)}"' if {*',"'} & set(cell) else cell for cell in row] for row in cells
    ]
    return "".join(",".join(row) + "\n" for row in [["text", "label", "n"], *quoted])


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(delimited(ROWS), encoding="utf-8")

    assert copied(path).read_text(encoding="utf-8") == delimited(CLEAN)


def test_gzip_stays_gzip(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(delimited(ROWS).encode()))

    assert gzip.decompress(copied(path).read_bytes()).decode() == delimited(CLEAN)


def test_quotes_that_are_data_stay_so_and_no_header_is_added(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("".join(f"{a}\t{b}\t{c}\n" for a, b, c in [*ROWS, ('5" screen', "bug", 6)]), encoding="utf-8")
    config = DataConfig().changed(text="0", labels=("1",), header=False)

    write_copies(plan_cleaning(read_material({"train": path}, config)), tmp_path / "clean")

    lines = (tmp_path / "clean" / "t.tsv").read_text(encoding="utf-8").splitlines()
    assert lines == [f"{a}\t{b}\t{c}" for a, b, c in [*CLEAN, ('5" screen', "bug", 6)]]


def test_line_ends_of_windows_stay(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(delimited(ROWS).replace("\n", "\r\n").encode())

    assert copied(path).read_bytes() == delimited(CLEAN).replace("\n", "\r\n").encode()


def test_a_lone_return_in_a_cell_stays_in_it(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'text,label\none,a\n"two\rlines",b\n')

    assert copied(path).read_bytes() == b'text,label\none,a\n"two\rlines","b"\n'


def test_the_mark_of_excel_stays_and_another_encoding_becomes_utf8(tmp_path: Path) -> None:
    marked, latin = tmp_path / "marked.csv", tmp_path / "latin.csv"
    marked.write_text(delimited(ROWS), encoding="utf-8-sig")
    latin.write_text("text,label\nsch\u00f6n,a\nsch\u00f6n,a\ngut,b\n", encoding="latin-1")

    assert copied(marked).read_bytes() == b"\xef\xbb\xbf" + delimited(CLEAN).encode()
    notes = write_copies(clean(latin), tmp_path / "more")
    assert (tmp_path / "more" / "latin.csv").read_text(encoding="utf-8") == "text,label\nsch\u00f6n,a\ngut,b\n"
    assert notes == ["latin.csv: written as UTF-8; it was latin-1"]


def test_lines_of_another_encoding_are_written_as_utf8(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = ["text,label", *(f"sch\u00f6n {number},a" for number in range(9))]
    path.write_bytes("\n".join(lines).encode() + b"\ncaf\xe9,b\n")

    cleaning = clean(path)
    write_copies(cleaning, tmp_path / "clean")

    assert (tmp_path / "clean" / "t.csv").read_text(encoding="utf-8").splitlines()[-1] == "café,b"
    assert [(one.row, one.action) for one in cleaning.changes] == [("line 11", "text")]


@pytest.mark.parametrize("write", [lambda rows: "\n".join(map(json.dumps, rows)), lambda rows: json.dumps(rows)])
def test_json_keeps_its_shape_and_its_objects(write: Callable[[list[dict[str, object]]], str], tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    rows: list[dict[str, object]] = [{"text": a, "label": b, "n": c, "more": {"a": [c]}} for a, b, c in ROWS]
    path.write_text(write(rows), encoding="utf-8")

    text = copied(path).read_text(encoding="utf-8")

    found = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    assert found == [{"text": a, "label": b, "n": c, "more": {"a": [c]}} for a, b, c in CLEAN]
    assert text.startswith("[") == write(rows).startswith("[")


def columns(rows: list[tuple[str, str, int]]) -> pa.Table:
    schema = pa.schema([("text", pa.large_string()), ("label", pa.string()), ("n", pa.int16())], {"made": "here"})
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=schema)


def test_parquet_keeps_its_schema(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(columns(ROWS), path)

    found = pq.read_table(copied(path))

    assert found.equals(columns(CLEAN)) and found.schema.metadata == {b"made": b"here"}


@pytest.mark.parametrize("new", [ipc.new_file, ipc.new_stream])
def test_arrow_keeps_its_schema(new: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "t.arrow"
    with new(str(path), columns(ROWS).schema) as writer:
        writer.write_table(columns(ROWS))

    with pa.OSFile(str(copied(path))) as stream:
        assert ipc.open_file(stream).read_all().equals(columns(CLEAN))


def test_a_workbook_keeps_values_and_dates(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    day = datetime(2024, 5, 6)
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in [("text", "label", "n", "day"), *((*row, day) for row in ROWS)]:
        sheet.append(row)
    book.create_sheet("more")
    book.save(path)

    notes = write_copies(clean(path), tmp_path / "clean")

    found = openpyxl.load_workbook(tmp_path / "clean" / "t.xlsx").worksheets[0]
    assert list(found.iter_rows(values_only=True)) == [("text", "label", "n", "day"), *((*row, day) for row in CLEAN)]
    assert notes == ["t.xlsx: values alone; styles, formulas and the sheets more are not copied"]


def test_every_change_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(delimited(ROWS), encoding="utf-8")

    copied(path)

    assert (tmp_path / "clean" / "changes.csv").read_text(encoding="utf-8").splitlines() == [
        "file,row,change,reason,column,before,after",
        't.csv,3,dropped,"repeats t.csv, row 2",,,',
        "t.csv,4,text,characters that are no text,text,cafÃ©,café",
        "t.csv,4,label,spelt as most others are,label,Bug,bug",
    ]


def test_a_copy_of_a_copy_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(delimited(ROWS), encoding="utf-8")

    assert clean(copied(path)).changes == ()


# --- places -----------------------------------------------------------------------------------------


def test_the_original_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(delimited(ROWS), encoding="utf-8")

    with pytest.raises(DataError, match="t.csv is one of the files that are checked"):
        check_target(tmp_path, {"train": path}, overwrite=True)


def test_a_folder_with_files_needs_overwrite(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("", encoding="utf-8")
    files = {"train": tmp_path / "t.csv"}

    with pytest.raises(DataError, match="full is not empty") as caught:
        check_target(tmp_path / "full", files, overwrite=False)
    assert caught.value.hint == "Give --fix another folder, or --overwrite."
    check_target(tmp_path / "full", files, overwrite=True)
    check_target(tmp_path / "new", files, overwrite=False)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("", encoding="utf-8")

    with pytest.raises(DataError, match="x is a file; expected a folder for the copies"):
        check_target(tmp_path / "x", {}, overwrite=True)


def test_what_can_be_read_only_once_is_not_copied(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="standard input is none"):
        check_target(tmp_path / "new", {"train": Path("-")}, overwrite=False)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="can be read only once"):
        check_target(tmp_path / "new", {"train": tmp_path / "pipe"}, overwrite=False)


def test_nothing_is_left_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_text(delimited(ROWS), encoding="utf-8")

    def full(*_: object) -> list[str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copies, "write_copy", full)

    with pytest.raises(TrainingError, match=r"clean could not be written \(No space left on device\)"):
        write_copies(clean(path), tmp_path / "clean")
    assert [one.name for one in tmp_path.iterdir()] == ["t.csv"]

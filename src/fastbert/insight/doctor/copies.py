"""Cleaned copies of tables, in the format of each: all columns, without the rows that are dropped.

Never writes to a file that was read. A folder gets all of its files or none. Knows nothing of why a row is dropped.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from fastbert.data.columnar import load_package
from fastbert.data.files import find_file
from fastbert.data.sources import STANDARD_INPUT
from fastbert.data.table import Cell, FormatKind, Table
from fastbert.errors import DataError, TrainingError
from fastbert.inference.writers import as_read, cell_text
from fastbert.insight.doctor.cleaning import Cleaning, CleanPart
from fastbert.jsonable import finite

if TYPE_CHECKING:
    import pyarrow

CHANGES = "changes.csv"
HEAD_BYTES = 1 << 16  # in which a line ends as the others do
COLUMNS = ("file", "row", "change", "reason", "column", "before", "after")


def copy_names(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the name of each split's copy: that of the file, with the split before it where two are the same.

    >>> copy_names({"train": Path("a/data.csv"), "test": Path("b/data.csv")})
    {'train': 'train_data.csv', 'test': 'test_data.csv'}
    """
    names = [path.name for path in files.values()]
    return {
        split: f"{split}_{path.name}" if names.count(path.name) > 1 or path.name == CHANGES else path.name
        for split, path in files.items()
    }


def check_target(folder: Path, files: Mapping[str, Path], *, overwrite: bool) -> None:
    """Raise DataError for a folder that no copies can be written to, before any work.

    A file that is read is never written over; others are only where overwrite says so.
    """
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file; expected a folder for the copies.", "Give --fix another name.")
    for path in files.values():
        if path.exists() and not path.is_file() and not path.is_dir():
            raise DataError(f"{path} can be read only once; --fix reads a file again.", "Save it to a file first.")
    if STANDARD_INPUT in map(str, files.values()):
        raise DataError("--fix copies files; standard input is none.", "Save it to a file first.")
    for name in (*copy_names(files).values(), CHANGES):
        target = folder / name
        if target.exists() and any(path.exists() and target.samefile(path) for path in files.values()):
            raise DataError(f"{target} is one of the files that are checked.", "Give --fix another folder.")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise DataError(f"{folder} is not empty.", "Give --fix another folder, or --overwrite.")


def write_copies(cleaning: Cleaning, folder: Path) -> list[str]:
    """Write a cleaned copy of each file, and changes.csv, into a folder; return sentences about what was lost.

    Raises TrainingError if the disk fails; nothing is left half written then.
    """
    names = copy_names({split: clean.part.path for split, clean in cleaning.parts.items()})
    notes: list[str] = []
    with _complete_folder(folder) as place:
        for split, clean in cleaning.parts.items():
            notes += write_copy(clean, place / names[split])
        with (place / CHANGES).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(COLUMNS)
            for one in cleaning.changes:
                cells = (one.file, one.row, one.action, one.reason, one.column, one.before, one.after)
                writer.writerow([cell.replace("\r\n", "\n").replace("\r", "\n") for cell in cells])
    return notes


@contextmanager
def _complete_folder(folder: Path) -> Iterator[Path]:
    """Give a place to write to, whose files are moved into the folder at the end."""
    part = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        part.mkdir(parents=True)
        yield part
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(part.iterdir()):
            path.replace(folder / path.name)
    except OSError as error:
        raise TrainingError(f"{folder} could not be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_copy(clean: CleanPart, out: Path) -> list[str]:
    """Write one cleaned table; return sentences about what the copy does not keep."""
    table = clean.part.table
    assert table is not None  # a cleaning is of tables
    writers: dict[FormatKind, Callable[[CleanPart, Table, BinaryIO], list[str]]] = {
        "delimited": _write_delimited,
        "jsonl": _write_json,
        "parquet": _write_columnar,
        "arrow": _write_columnar,
        "xlsx": _write_sheet,
    }
    plain = io.BytesIO()
    notes = writers[table.format.kind](clean, table, plain)
    content = plain.getvalue()
    # Without a time and a name in it, equal content gives equal files.
    out.write_bytes(gzip.compress(content, mtime=0) if out.suffix.lower() in (".gz", ".gzip") else content)
    return [f"{out.name}: {note}" for note in notes]


def clean_rows(clean: CleanPart, table: Table) -> Iterator[list[Cell]]:
    """Yield the cells of the rows that stay, with those that are written anew."""
    for index in clean.kept:
        yield [clean.cells.get((index, column), cell) for column, cell in enumerate(table.rows[index].cells)]


# --- text -------------------------------------------------------------------------------------------


def _write_delimited(clean: CleanPart, table: Table, out: BinaryIO) -> list[str]:
    encoding = table.format.encoding or "utf-8"
    unicode = encoding.startswith("utf-8")
    stream = io.TextIOWrapper(out, encoding if unicode else "utf-8", "surrogatepass", newline="", write_through=True)
    rows = ([cell_text(cell) for cell in row] for row in clean_rows(clean, table))
    header = [list(table.columns)] if table.format.header else []
    delimiter = table.format.delimiter or ","
    line_end = "\r\n" if b"\r\n" in find_file(clean.part.path).head(HEAD_BYTES) else "\n"
    if table.format.quoting and table.format.delimiter is not None:
        _write_quoted(stream, delimiter, line_end, [*header, *rows])
    else:  # quotes are data, or each line is one text: no cell holds a delimiter or a line end
        stream.writelines(f"{delimiter.join(row)}{line_end}" for row in [*header, *rows])
    stream.detach()
    return [] if unicode else [f"written as UTF-8; it was {encoding}"]


def _write_quoted(stream: TextIO, delimiter: str, line_end: str, rows: Sequence[Sequence[str]]) -> None:
    plain = csv.writer(stream, delimiter=delimiter, lineterminator=line_end)
    # Before Python 3.13 a lone return is not quoted, and ends the row for many readers.
    quoted = csv.writer(stream, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    for row in rows:
        (quoted if any("\r" in cell for cell in row) else plain).writerow(row)


def _write_json(clean: CleanPart, table: Table, out: BinaryIO) -> list[str]:
    array = _first_sign(clean.part.path) == b"["
    lines = [
        json.dumps(finite(dict(zip(table.columns, map(as_read, row), strict=True))), ensure_ascii=False)
        for row in clean_rows(clean, table)
    ]
    text = "[\n" + ",\n".join(lines) + "\n]\n" if array else "".join(f"{line}\n" for line in lines)
    out.write(text.encode("utf-8", "surrogatepass"))
    return []


def _first_sign(path: Path) -> bytes:
    return find_file(path).head(1024).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]


# --- binary -----------------------------------------------------------------------------------------


def _write_columnar(clean: CleanPart, table: Table, out: BinaryIO) -> list[str]:
    """Write Parquet, or an Arrow file, with the schema of the original."""
    arrow = load_package("pyarrow", "Writing this copy")
    read = _arrow_table(clean, table)
    for column in sorted({column for _, column in clean.cells}):
        values = read.column(column).to_pylist()
        for (index, changed), cell in clean.cells.items():
            if changed == column:
                values[index] = cell
        schema = read.schema.field(column)
        read = read.set_column(column, schema, arrow.array(values, type=schema.type))
    read = read.take(clean.kept)
    if table.format.kind == "parquet":
        load_package("pyarrow.parquet", "Writing this copy").write_table(read, out)
        return []
    with load_package("pyarrow.ipc", "Writing this copy").new_file(out, read.schema) as writer:
        writer.write_table(read)
    return []


def _arrow_table(clean: CleanPart, table: Table) -> pyarrow.Table:
    with find_file(clean.part.path).open_seekable() as stream:
        if table.format.kind == "parquet":
            return load_package("pyarrow.parquet", "Writing this copy").read_table(stream)
        ipc = load_package("pyarrow.ipc", "Writing this copy")
        try:
            return ipc.open_file(stream).read_all()
        except ValueError:  # the other kind of Arrow file
            stream.seek(0)
            return ipc.open_stream(stream).read_all()


def _write_sheet(clean: CleanPart, table: Table, out: BinaryIO) -> list[str]:
    """Write the first sheet of a workbook with its values as they are: numbers, dates and texts."""
    openpyxl = load_package("openpyxl", "Writing this copy")
    numbers = {table.rows[index].number: index for index in clean.kept}
    known = {row.number for row in table.rows}
    book = openpyxl.Workbook(write_only=True)
    with find_file(clean.part.path).open_seekable() as stream:
        original = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        first = original.worksheets[0]
        first.reset_dimensions()
        sheet = book.create_sheet(first.title)
        for number, values in enumerate(first.iter_rows(values_only=True), start=1):
            if number in numbers:
                index = numbers[number]
                sheet.append([clean.cells.get((index, column), value) for column, value in enumerate(values)])
            elif number not in known:  # the header, or what stands above it
                sheet.append(list(values))
        original.close()
    book.save(out)
    others = table.format.other_sheets
    lost = f"styles, formulas and the sheets {', '.join(others)}" if others else "styles and formulas"
    return [f"values alone; {lost} are not copied"]

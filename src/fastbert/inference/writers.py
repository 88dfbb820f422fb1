"""Answers to a file or standard output: CSV, TSV, JSON lines, or one JSON object.

A file appears under its name only when it is complete. Knows nothing of models.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import json
import sys
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from fastbert.data.table import Cell, ObjectText, Row
from fastbert.errors import DataError, TrainingError
from fastbert.inference.tables import AnswerWriter
from fastbert.jsonable import finite
from fastbert.tasks.base import Prediction

_DELIMITERS = {".csv": ",", ".tsv": "\t"}


class DelimitedWriter:
    """Input columns, then those of the answer, such as `predicted` and one `score:NAME` column a label."""

    def __init__(self, stream: TextIO, columns: Sequence[str], added: Sequence[str], delimiter: str) -> None:
        self.added = tuple(added)
        self._plain = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        self._quoted = csv.writer(stream, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._write([*columns, *(free_name(name, columns) for name in added)])

    def write(self, row: Row, prediction: Prediction | None) -> None:
        """Write one row."""
        kept = [cell_text(cell) for cell in row.cells]
        self._write([*kept, *(("",) * len(self.added) if prediction is None else prediction.cells)])

    def _write(self, cells: Sequence[str]) -> None:
        # Before Python 3.13 a lone carriage return is not quoted, and ends the row for many readers.
        writer = self._quoted if any("\r" in cell for cell in cells) else self._plain
        writer.writerow(cells)


class JsonLinesWriter:
    """One object a row: the input columns, then `prediction` (null where there was no text)."""

    def __init__(self, stream: TextIO, columns: Sequence[str]) -> None:
        self._stream = stream
        self._columns = tuple(columns)

    def write(self, row: Row, prediction: Prediction | None) -> None:
        """Write one row."""
        self._stream.write(json.dumps(finite(_row_object(self._columns, row, prediction)), ensure_ascii=False) + "\n")


class JsonObjectWriter:
    """One object for all rows, {"predictions": [...], "rows": n}, written as it comes."""

    def __init__(self, stream: TextIO, columns: Sequence[str]) -> None:
        self._stream = stream
        self._columns = tuple(columns)
        self.count = 0
        stream.write('{"predictions": [')

    def write(self, row: Row, prediction: Prediction | None) -> None:
        """Write one row."""
        text = json.dumps(finite(_row_object(self._columns, row, prediction)), ensure_ascii=False)
        self._stream.write((", " if self.count else "") + text)
        self.count += 1

    def close(self) -> None:
        """Complete the object."""
        self._stream.write(f'], "rows": {self.count}}}\n')


@contextlib.contextmanager
def open_writer(
    columns: Sequence[str], added: Sequence[str], out: Path | None, *, as_json: bool, source: str
) -> Iterator[AnswerWriter]:
    """Open the writer that out and as_json ask for; a file is moved into place at the end.

    columns: of the input.    added: those of an answer (`Predictor.answer_columns`).

    With out and as_json, the answers go to the file and a summary to standard output.
    Raises DataError for an unknown ending or if out is the input itself, TrainingError if the
    disk fails; no partial file is left then.
    """
    if out is None:
        if as_json:
            writer = JsonObjectWriter(sys.stdout, columns)
            yield writer
            writer.close()
        else:
            yield DelimitedWriter(sys.stdout, columns, added, ",")
        return
    with complete_file(out, source) as stream:
        counter = _Counter(stream, out, columns, added)
        yield counter
    if as_json:
        sys.stdout.write(json.dumps({"out": str(out), "rows": counter.count}) + "\n")


def write_records(columns: Sequence[str], records: Iterable[Sequence[Cell]], out: Path | None, *, source: str) -> None:
    """Write rows without answers: to a file that ends in .csv, .tsv or .jsonl, or as CSV to standard output.

    Raises what `open_writer` does.
    """
    if out is None:
        _write_records(sys.stdout, ".csv", columns, records)
        return
    with complete_file(out, source) as stream, _failing_as(out):
        _write_records(stream, out.suffix, columns, records)


def _write_records(stream: TextIO, ending: str, columns: Sequence[str], records: Iterable[Sequence[Cell]]) -> None:
    if ending == ".jsonl":
        for record in records:
            values = {name: as_read(cell) for name, cell in zip(columns, record, strict=True)}
            stream.write(json.dumps(finite(values), ensure_ascii=False) + "\n")
        return
    writer = DelimitedWriter(stream, columns, (), _DELIMITERS[ending])
    for number, record in enumerate(records, start=1):
        writer.write(Row(number, tuple(record)), None)


@contextlib.contextmanager
def complete_file(out: Path, source: str) -> Iterator[TextIO]:
    """Open a file for answers that is moved into place at the end, and removed if anything goes wrong.

    Raises DataError for an unknown ending or if out is the source itself, TrainingError if the disk fails.
    """
    check_out(out, source)
    part = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}.part")  # two processes may write to one file at once
    with _failing_as(out):
        stream = part.open("w", encoding="utf-8", newline="")
    try:
        yield stream
        with _failing_as(out):
            stream.close()
            part.replace(out)
    finally:
        for tidy in (stream.close, part.unlink):  # nothing to do where it was moved into place
            with contextlib.suppress(OSError):
                tidy()


class _Counter:
    """Writes rows into an opened file and counts them; only its own errors are errors of writing."""

    def __init__(self, stream: TextIO, out: Path, columns: Sequence[str], added: Sequence[str]) -> None:
        self.count = 0
        self._out = out
        with _failing_as(out):
            self._inner: AnswerWriter = (
                DelimitedWriter(stream, columns, added, _DELIMITERS[out.suffix])
                if out.suffix in _DELIMITERS
                else JsonLinesWriter(stream, columns)
            )

    def write(self, row: Row, prediction: Prediction | None) -> None:
        self.count += 1
        with _failing_as(self._out):
            self._inner.write(row, prediction)


@contextlib.contextmanager
def _failing_as(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{out} could not be written ({error.strerror or error}). Nothing was left there."
        ) from error


def check_out(out: Path, *sources: str | Path) -> None:
    """Raise DataError for a file that answers cannot be written to, before any work.

    It has an unknown ending, or `check_place` refuses it.
    """
    if out.suffix not in (*_DELIMITERS, ".jsonl"):
        raise DataError(f"{out}: answers are written as .csv, .tsv or .jsonl; this ending is '{out.suffix}'.")
    check_place(out, *sources)


def check_place(out: Path, *sources: str | Path) -> None:
    """Raise DataError for a place where no file can be written: a source, a folder, or in a folder that is not there.

    sources: the files that are read, "-" for standard input.
    """
    if out.is_dir():
        raise DataError(f"{out} is a folder; expected the name of a file.", "Give --out another name.")
    if out.exists() and any(
        str(source) != "-" and Path(source).exists() and out.samefile(source) for source in sources
    ):
        raise DataError(f"{out} is the input itself.", "Give --out another name.")
    if not out.resolve().parent.is_dir():
        raise DataError(f"The folder of {out} does not exist.", "Make it first.")
    try:
        with tempfile.TemporaryFile(dir=out.resolve().parent):
            pass  # tried, not asked for: permission bits say nothing of a network share
    except OSError as error:
        what = f"No file can be written to the folder of {out} ({error.strerror or error})."
        raise DataError(what, "Give --out another place.") from error


def _row_object(columns: Sequence[str], row: Row, prediction: Prediction | None) -> dict[str, object]:
    values: dict[str, object] = dict(zip(columns, map(as_read, row.cells), strict=True))
    return {**values, free_name("prediction", columns): None if prediction is None else prediction.to_json()}


def free_name(name: str, taken: Sequence[str]) -> str:
    """Return a column's name, with the first number from 2 that makes it a new one if it is taken.

    >>> free_name("predicted", ["text", "predicted", "predicted_2"])
    'predicted_3'
    """
    numbered = (f"{name}_{number}" for number in itertools.count(2))
    return next(found for found in itertools.chain([name], numbered) if found not in taken)


def as_read(cell: Cell) -> object:
    """Return a cell with its objects as they were read: a table holds them as text."""
    if isinstance(cell, list):
        return [as_read(part) for part in cell]
    return json.loads(cell) if isinstance(cell, ObjectText) else cell


def cell_text(cell: Cell) -> str:
    """Return a cell as text: what is no text as JSON, nothing as the empty text."""
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else json.dumps(as_read(cell), ensure_ascii=False)

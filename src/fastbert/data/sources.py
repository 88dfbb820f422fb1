"""Any table, as rows: the one door through which data comes in.

    open_rows("train.csv")    a RowStream: read row by row, in constant memory where the format allows
    read_table("train.csv")   a Table: everything in memory

    source                             read by          columns
    .csv .tsv .txt, standard input     delimited        header row, detected; or "0", "1", ...; or "text"
    .jsonl .ndjson .json               records          all keys
    .parquet  .arrow .feather .ipc     columnar         as stored
    .xlsx                              spreadsheets     header row, detected
    frames, pyarrow, datasets          columnar         as stored
    lists of dicts, tuples or texts    records          keys; "0", "1", ...; "text"

Each file may be gzipped, whatever its name. Binary formats are known by their first bytes,
text formats by suffix, and an unknown suffix by content. Knows nothing of what a column means.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from fastbert.data.columnar import open_arrow, open_frame, open_parquet
from fastbert.data.delimited import open_delimited
from fastbert.data.files import InputFile, find_file, standard_input
from fastbert.data.header import Header
from fastbert.data.records import open_json, open_list
from fastbert.data.spreadsheets import open_xlsx
from fastbert.data.squad import is_squad_input, no_table
from fastbert.data.table import FormatKind, RowStream, Table
from fastbert.errors import DataError

STANDARD_INPUT = "-"
SUFFIXES: dict[str, FormatKind] = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".tab": "delimited",
    ".txt": "delimited",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
MAGIC: dict[bytes, FormatKind] = {b"PAR1": "parquet", b"ARROW1": "arrow", b"\xff\xff\xff\xff": "arrow"}
REFUSED = {  # suffix -> what it is, and what to do
    ".spacy": (
        "a binary file of spaCy (DocBin)",
        "Write its documents as JSON lines: `for doc in DocBin().from_disk(FILE).get_docs(spacy.blank('en').vocab):"
        " print(json.dumps(doc.to_json()))`.",
    ),
}
ZIP_MAGIC = b"PK\x03\x04"
OLD_OFFICE_MAGIC = b"\xd0\xcf\x11\xe0"  # .xls, and .xlsx behind a password


class Frame(Protocol):
    """A DataFrame of pandas or polars, a pyarrow.Table or a datasets.Dataset."""

    def __len__(self) -> int: ...


Source = str | os.PathLike[str] | InputFile | Sequence[object] | Frame


def open_rows(source: Source, *, header: Header = None, stream: BinaryIO | None = None) -> RowStream:
    """Open a source to be read row by row; the rows can be read once.

    source: path of a file, "-" for standard input, a file that is found already, a frame, or a list of texts, dicts
        or tuples.
    header: True or False to say whether the first row of a delimited file, sheet or list of
        tuples names the columns; None detects it, an ExpectedHeader knows it by names of an
        earlier table (neither in lists). Other formats name them anyway.
    stream: what to read instead of standard input if source is "-".
    Raises DataError if nothing can be read. Bad rows raise it while they are read, at the
    first one and with the count of the others.

    >>> stream = open_rows(["good", "bad"])
    >>> stream.columns, [row.cells for row in stream.rows]
    (('text',), [('good',), ('bad',)])
    """
    if isinstance(source, str | os.PathLike):
        return open_file(standard_input(stream) if is_standard_input(source) else find_file(source), header)
    if isinstance(source, InputFile):
        return open_file(source, header)
    opened = open_frame(source)
    if opened is not None:
        return opened
    if isinstance(source, Sequence) and not isinstance(source, bytes):
        return open_list(source, header=header is True)
    raise DataError(
        f"Cannot read rows from a value of type {type(source).__name__}.",
        "Give a path, a list of texts, dicts or tuples, or a table of pandas, polars, pyarrow or datasets.",
    )


def read_table(source: Source, *, header: Header = None, stream: BinaryIO | None = None) -> Table:
    """Read a whole source into memory. Takes and raises what `open_rows` does.

    >>> read_table([{"text": "fine", "label": "positive"}]).columns
    ('text', 'label')
    """
    opened = open_rows(source, header=header, stream=stream)
    return Table(opened.name, opened.columns, list(opened.rows), opened.format)


def is_standard_input(source: Source) -> bool:
    """Return True if a source is "-"."""
    return isinstance(source, str | os.PathLike) and os.fspath(source) == STANDARD_INPUT


def open_file(file: InputFile, header: Header = None) -> RowStream:
    """Open a file that is found already. Takes and raises what `open_rows` does."""
    kind = kind_of(file)
    readers: dict[FormatKind, Callable[[InputFile], RowStream]] = {
        "jsonl": open_json,
        "parquet": open_parquet,
        "arrow": open_arrow,
    }
    if kind == "jsonl" and is_squad_input(file):
        raise no_table(file)
    if kind == "delimited":
        return open_delimited(file, header=header)
    if kind == "xlsx":
        return open_xlsx(file, header=header)
    return readers[kind](file)


def kind_of(file: InputFile) -> FormatKind:
    """Return the format of a file. Raises DataError for an empty or unusable one."""
    head = file.head(1024)
    if not head:
        raise DataError(f"{file.name} is empty; expected a table.", "Check that it was saved or copied whole.")
    for magic, kind in MAGIC.items():
        if head.startswith(magic):
            return kind
    if head.startswith(ZIP_MAGIC):
        return _kind_in_zip(file)
    if head.startswith(OLD_OFFICE_MAGIC):
        raise DataError(
            f"{file.name} is an old Excel file (.xls) or has a password; expected .xlsx.",
            "Open it in Excel or LibreOffice and save it as .xlsx without a password, or as CSV.",
        )
    if file.suffix in REFUSED:
        what, hint = REFUSED[file.suffix]
        raise DataError(f"{file.name} is {what}; expected a table or text.", hint)
    if file.suffix in SUFFIXES:
        return SUFFIXES[file.suffix]
    begins_like_json = re.match(rb'(\xef\xbb\xbf)?\s*(\{\s*["}]|\[\s*\{)', head)
    return "jsonl" if begins_like_json else "delimited"


def _kind_in_zip(file: InputFile) -> FormatKind:
    with file.open_seekable() as stream:
        try:
            names = zipfile.ZipFile(stream).namelist()
        except zipfile.BadZipFile:
            names = []
    if any(name.startswith("xl/") for name in names) or SUFFIXES.get(file.suffix) == "xlsx":
        return "xlsx"  # which then says what is wrong with it, if anything is
    inside = ", ".join(Path(name).name for name in names[:3])
    raise DataError(
        f"{file.name} is a zip archive; expected a table.",
        f"Unpack it and give one of its files ({inside})." if inside else "Unpack it and give one of its files.",
    )

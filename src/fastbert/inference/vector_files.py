"""Texts of a table and their vectors in a file: Parquet with the columns of the table, or a plain .npy matrix.

A file appears under its name only when it is complete. Knows nothing of how vectors are made.
"""

from __future__ import annotations

import contextlib
import importlib
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from fastbert.config import DataConfig
from fastbert.data.columns import listed
from fastbert.data.layout import LayoutOptions, detect_layout
from fastbert.data.sources import Source, read_table
from fastbert.data.table import Cell, Row, Table
from fastbert.errors import DataError, MissingExtraError, TrainingError
from fastbert.inference.predictor import TextInput
from fastbert.inference.writers import cell_text, check_place, free_name

Vectors = npt.NDArray[np.float32]
CHUNK = 2048  # rows that are embedded and written at a time
ENDINGS = (".parquet", ".npy")
COLUMN = "embedding"
INT64 = 2**63  # what Arrow's numbers hold is smaller than this


@dataclass(frozen=True)
class TextTable:
    """A table and the text of each row, None where it has none. columns: which hold it."""

    table: Table
    texts: tuple[TextInput | None, ...]
    columns: tuple[str, ...]


class Embeds(Protocol):
    """What makes vectors: `Embedder`."""

    width: int

    def stream(self, texts: Iterable[TextInput], chunk: int = ...) -> Iterator[tuple[Vectors, int]]:
        """Yield vectors and how many texts were cut, a chunk at a time."""


def read_texts(source: Source, config: DataConfig) -> TextTable:
    """Read the text column, or the two of a pair, of a table: those of config.text, else found.

    Raises DataError for a table that cannot be read or whose text is not clear.
    """
    table = read_table(source, header=config.has_header)
    layout = detect_layout(table, LayoutOptions(text=config.text), labels_required=False)
    columns = tuple(column for column in (layout.text, layout.pair) if column is not None)
    places = [table.index_of(column) for column in columns]
    texts = tuple(_text_of([row.cells[place] for place in places]) for row in table.rows)
    other = next((row for row in table.rows if any(not isinstance(row.cells[at], str | None) for at in places)), None)
    if other is not None and not any(texts):
        raise DataError(
            f"{table.name}: no row has a text in {listed(columns)}; row {other.number} holds {_kind(other, places)}.",
            "Name the text column with --text.",
        )
    return TextTable(table, texts, columns)


def _kind(row: Row, places: Sequence[int]) -> str:
    cell = next(row.cells[place] for place in places if not isinstance(row.cells[place], str | None))
    return "a list" if isinstance(cell, list) else "true or false" if isinstance(cell, bool) else "a number"


def check_vector_file(out: Path, *sources: str | Path) -> None:
    """Raise DataError for a file that cannot be written, or is one of the sources, before any work."""
    if out.suffix not in ENDINGS:
        raise DataError(f"{out}: vectors are written as .parquet or .npy; this ending is '{out.suffix}'.")
    check_place(out, *sources)
    if out.suffix == ".parquet":
        _pyarrow()


def write_vectors(texts: TextTable, embed: Embeds, out: Path) -> tuple[int, int]:
    """Write a vector for each row; return how many rows had no text and how many texts were cut.

    A row without a text has a null in Parquet and a row of NaN in .npy.
    Raises DataError as `check_vector_file`, TrainingError if the disk fails; nothing is left then.
    """
    check_vector_file(out)
    part = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        write = _write_parquet if out.suffix == ".parquet" else _write_npy
        cut = write(texts, embed, part)
        part.replace(out)
    except OSError as error:
        reason = error.strerror or error
        raise TrainingError(f"{out} could not be written ({reason}). Nothing was left there.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return sum(text is None for text in texts.texts), cut


def embed_all(texts: Sequence[TextInput], embed: Embeds) -> tuple[Vectors, int]:
    """Return the vectors of all texts, float32 (N, D), and how many texts were cut."""
    found = list(embed.stream(texts, CHUNK))
    vectors = [vectors_ND for vectors_ND, _ in found] or [np.zeros((0, embed.width), np.float32)]
    return np.concatenate(vectors), sum(cut for _, cut in found)


def _blocks(texts: TextTable, embed: Embeds) -> Iterator[tuple[int, Vectors, int]]:
    """Yield the first row, the vectors of a block of rows (NaN without a text), and how many texts were cut."""
    for start in range(0, len(texts.texts), CHUNK):
        block = texts.texts[start : start + CHUNK]
        present = [text for text in block if text is not None]
        vectors_ND = np.full((len(block), embed.width), np.nan, np.float32)
        known, cut = embed_all(present, embed)
        vectors_ND[[row for row, text in enumerate(block) if text is not None]] = known
        yield start, vectors_ND, cut


def _write_npy(texts: TextTable, embed: Embeds, part: Path) -> int:
    shape = (len(texts.texts), embed.width)
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype("<f4")), "fortran_order": False, "shape": shape}
    total = 0
    with part.open("wb") as stream:  # a memory map would meet a full disk with a signal that ends the process
        np.lib.format.write_array_header_1_0(stream, header)
        for _, vectors_ND, cut in _blocks(texts, embed):
            stream.write(vectors_ND.astype("<f4", copy=False).tobytes())
            total += cut
    return total


def _write_parquet(texts: TextTable, embed: Embeds, part: Path) -> int:
    pyarrow = _pyarrow()
    parquet: Any = importlib.import_module("pyarrow.parquet")
    table = texts.table
    name = free_name(COLUMN, table.columns)
    kinds = {column: _kind_of(table, column) for column in table.columns}
    types = {str: pyarrow.string(), bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64()}
    fields = [(column, types[kinds[column]]) for column in table.columns]
    schema = pyarrow.schema([*fields, (name, pyarrow.list_(pyarrow.float32(), embed.width))])
    total = 0
    with parquet.ParquetWriter(part, schema) as writer:
        for start, vectors_ND, cut in _blocks(texts, embed):
            rows = table.rows[start : start + len(vectors_ND)]
            arrays = [
                pyarrow.array([_plain(row.cells[place], kinds[column]) for row in rows], schema.field(column).type)
                for place, column in enumerate(table.columns)
            ]
            flat = pyarrow.array(vectors_ND.ravel())
            absent = pyarrow.array(np.isnan(vectors_ND[:, 0]))
            vectors = pyarrow.FixedSizeListArray.from_arrays(flat, embed.width, mask=absent)
            writer.write_table(pyarrow.Table.from_arrays([*arrays, vectors], schema=schema))
            total += cut
    return total


def _kind_of(table: Table, column: str) -> type:
    """Return bool, int or float for a column that a format stored so, else str: digits in a CSV file stay text."""
    place = table.index_of(column)
    cells = [row.cells[place] for row in table.rows]
    kinds = {type(cell) for cell in cells} - {type(None)}
    if kinds == {bool}:
        return bool
    fits = all(abs(cell) < INT64 for cell in cells if isinstance(cell, int))
    if not kinds or not kinds <= {int, float} or not fits:
        return str
    return float if float in kinds else int


def _plain(cell: Cell, kind: type) -> str | int | float | None:
    if cell is None or type(cell) is kind:
        return cast("str | int | float | None", cell)
    return cell_text(cell) if kind is str else float(cast("int", cell))


def _text_of(cells: list[Cell]) -> TextInput | None:
    texts = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    if len(texts) < len(cells):
        return None
    return texts[0] if len(texts) == 1 else (texts[0], texts[1])


def _pyarrow() -> Any:  # noqa: ANN401  # it has no types
    try:
        return importlib.import_module("pyarrow")
    except ModuleNotFoundError as error:
        raise MissingExtraError("pyarrow", "train", "A Parquet file") from error

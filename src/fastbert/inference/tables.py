"""A table of texts streamed through a predictor: rows in, rows with answers out.

Holds one chunk of rows at a time. Knows nothing of how answers are written (`writers`).
Imports neither torch nor transformers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import BinaryIO, Protocol

from fastbert.config import DataConfig
from fastbert.data.reading import open_inputs
from fastbert.data.sources import Source, is_standard_input
from fastbert.data.table import Cell, Row, RowStream
from fastbert.errors import DataError, did_you_mean
from fastbert.inference.evaluation import saved_layout
from fastbert.inference.predictor import CHUNK, Predictor
from fastbert.tasks.base import Prediction


class AnswerWriter(Protocol):
    """Takes each row with its answer; None where the row had no text."""

    def write(self, row: Row, prediction: Prediction | None) -> None:
        """Write one row."""


@dataclass(frozen=True)
class TextRows:
    """A stream of rows and where their texts are. pair: position of the second text, or None."""

    columns: tuple[str, ...]
    rows: Iterator[Row]
    text: int
    pair: int | None


def open_texts(source: Source, predictor: Predictor, config: DataConfig, *, stream: BinaryIO | None = None) -> TextRows:
    """Open a table and find its text columns: those given, else those of the training table.

    The header is known by the names of the training table. A table with a single column needs no
    name; where it is piped in, it has a header only if that is the trained name. The first chunk
    of rows is read here, so that a bad row in it is reported before any answer is written.
    Raises DataError if a column is not there, or if none is named and there are several.
    """
    saved = saved_layout(predictor)
    given, piped = config.has_header, is_standard_input(source)
    header = given if saved is None else saved.header_of_another(given, lone_texts=piped)
    opened = open_inputs(source, saved, header, stream=stream)
    wanted = config.text
    if not wanted and saved is not None:
        wanted = (saved.text,) if saved.pair is None else (saved.text, saved.pair)
    if len(opened.columns) == 1 and len(wanted) <= 1 and not config.text:
        wanted = opened.columns
    if not wanted:
        raise DataError(
            f"{opened.name} has {len(opened.columns)} columns, and the model does not say which is the text.",
            f"Name it with --text: one of {', '.join(opened.columns)}.",
        )
    places = [_place(opened, name) for name in wanted]
    first = list(islice(opened.rows, CHUNK))
    return TextRows(opened.columns, chain(iter(first), opened.rows), places[0], places[1] if len(places) > 1 else None)


def predict_rows(predictor: Predictor, texts: TextRows, writer: AnswerWriter) -> tuple[int, int]:
    """Answer every row in order; return how many rows there were and how many had no text."""
    count = empty = 0
    while chunk := list(islice(texts.rows, CHUNK)):
        inputs = [_text_of(row.cells, texts) for row in chunk]
        present = [item for item in inputs if item is not None]
        answers = iter(predictor(present) if present else [])
        for row, item in zip(chunk, inputs, strict=True):
            writer.write(row, None if item is None else next(answers))
        count += len(chunk)
        empty += len(chunk) - len(present)
    return count, empty


def _text_of(cells: tuple[Cell, ...], texts: TextRows) -> str | tuple[str, str] | None:
    text = cells[texts.text]
    if not isinstance(text, str) or not text.strip():
        return None
    if texts.pair is None:
        return text
    pair = cells[texts.pair]
    return (text, pair) if isinstance(pair, str) and pair.strip() else None


def _place(opened: RowStream, name: str) -> int:
    if name in opened.columns:
        return opened.columns.index(name)
    if name.isdecimal() and int(name) < len(opened.columns):
        return int(name)
    known = ", ".join(opened.columns)
    raise DataError(
        f"{opened.name}: there is no column '{name}'; the columns are {known}.",
        did_you_mean(name, opened.columns) or "Name the text column with --text.",
    )

"""A table of texts streamed through a predictor: rows in, rows with answers out.

Holds one chunk of rows at a time. Knows nothing of how answers are written (`writers`).
Imports neither torch nor transformers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import BinaryIO, Protocol

from fastbert.config import DataConfig
from fastbert.data.examples import Example, TaggedExample, TextExample
from fastbert.data.files import standard_input
from fastbert.data.reading import AnyLayout, ReadFile, open_inputs, read_marked_up
from fastbert.data.sources import Source, is_standard_input
from fastbert.data.table import Row, RowStream
from fastbert.data.tagging import TaggingLayout
from fastbert.errors import DataError, did_you_mean
from fastbert.inference.predictor import CHUNK, chunks, num_characters
from fastbert.tasks.base import Prediction


class Answering(Protocol):
    """Answers examples: a predictor of this process, or one of a server."""

    def predict_examples(self, examples: Sequence[Example]) -> list[Prediction]:
        """Return one prediction per example, in order."""


class AnswerWriter(Protocol):
    """Takes each row with its answer; None where the row had no text."""

    def write(self, row: Row, prediction: Prediction | None) -> None:
        """Write one row."""


@dataclass(frozen=True)
class TextRows:
    """A stream of rows, each with the example that it holds, None where it has no text.

    notes: sentences about what was left out, and how the file was understood.
    """

    columns: tuple[str, ...]
    items: Iterator[tuple[Row, Example | None]]
    notes: tuple[str, ...] = ()


def open_texts(
    source: Source, saved: AnyLayout | None, config: DataConfig, *, stream: BinaryIO | None = None
) -> TextRows:
    """Open a table and find its text columns: those given, else those of the training table, whose layout is `saved`.

    The header is known by the names of the training table. A table with a single column needs no
    name; where it is piped in, it has a header only if that is the trained name. The first chunk
    of rows is read here, so that a bad row in it is reported before any answer is written.
    Raises DataError if a column is not there, or if none is named and there are several.
    """
    given, piped = config.has_header, is_standard_input(source)
    if piped and isinstance(saved, TaggingLayout):
        source = standard_input(stream)  # is looked at before it is read
    marked_up = read_marked_up(source, saved, config)
    if marked_up is not None:
        return _marked_up(marked_up)
    header = given if saved is None else saved.header_of_another(given, lone_texts=piped)
    opened = open_inputs(source, saved, header, stream=stream)
    wanted = config.text or (() if saved is None else saved.text_columns)
    if len(opened.columns) == 1 and len(wanted) <= 1 and not config.text:
        wanted = opened.columns
    if not wanted:
        raise DataError(
            f"{opened.name} has {len(opened.columns)} columns, and the model does not say which is the text.",
            f"Name it with --text: one of {', '.join(opened.columns)}.",
        )
    places = [_place(opened, name) for name in wanted]
    first = list(islice(opened.rows, CHUNK))
    rows = chain(iter(first), opened.rows)
    return TextRows(opened.columns, ((row, _example_of(row, places)) for row in rows), opened.notes)


def predict_rows(predictor: Answering, texts: TextRows, writer: AnswerWriter) -> tuple[int, int]:
    """Answer every row in order; return how many rows there were and how many had no text."""
    count = empty = 0
    for chunk in chunks(texts.items, lambda item: 0 if item[1] is None else num_characters(item[1]), CHUNK):
        present = [example for _, example in chunk if example is not None]
        answers = iter(predictor.predict_examples(present) if present else [])
        for row, example in chunk:
            writer.write(row, None if example is None else next(answers))
        count += len(chunk)
        empty += len(chunk) - len(present)
    return count, empty


def _marked_up(read: ReadFile) -> TextRows:
    """Return the texts of a file that is no table, and behind each where it stands in the user's own files."""
    examples = [one for one in read.examples if isinstance(one, TaggedExample)]
    places: dict[str, list[str | int | None]] = {
        "document": [one.group for one in examples],
        read.unit: [one.row for one in examples],
        "offset": [one.offset for one in examples],
    }
    known = {name: cells for name, cells in places.items() if any(cell is not None for cell in cells)}
    items = (
        (Row(index + 1, (one.text, *(cells[index] for cells in known.values()))), one)
        for index, one in enumerate(examples)
    )
    notes = (f"{read.name} is read as {read.format}.", *read.report.sentences())
    return TextRows(("text", *known), items, notes)


def _example_of(row: Row, places: Sequence[int]) -> Example | None:
    """Return the text of a row, or the pair, as an example; None if one of them is empty."""
    cells = [row.cells[place] for place in places]
    texts = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    if len(texts) < len(cells):
        return None
    return TextExample(texts[0], texts[1] if len(texts) > 1 else None, where=f"row {row.number}")


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

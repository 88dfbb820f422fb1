"""A table of texts with a summary behind each row, and how much of reference summaries these hold.

Knows nothing of how summaries are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fastbert.config import DataConfig
from fastbert.data.columns import find_column
from fastbert.data.sources import Source
from fastbert.data.table import Cell, Table
from fastbert.errors import ConfigError, DataError
from fastbert.inference.summaries import SENTENCES, lead
from fastbert.inference.vector_files import read_texts
from fastbert.inference.writers import free_name, write_records
from fastbert.metrics.text import mean_rouge

CHUNK = 256  # texts that are summarised at a time
COLUMN = "summary"


class Summarizes(Protocol):
    """What makes summaries: `ExtractiveSummarizer`, `AbstractiveSummarizer`."""

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """Return the summary of each text, in order."""


@dataclass(frozen=True)
class SummaryTable:
    """A table, the text of each row, None where it has none, and its reference, None where there is none."""

    table: Table
    texts: tuple[str | None, ...]
    references: tuple[str | None, ...]


@dataclass(frozen=True)
class SummaryResult:
    """What was made. empty: rows without a text, which have no summary.    compared: rows with a reference.

    rouge: means over these rows, by name of the measure; {} without references.
    lead: those of the first sentences of each text.
    """

    summaries: tuple[str | None, ...]
    empty: int = 0
    compared: int = 0
    rouge: dict[str, float] = field(default_factory=dict)
    lead: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return plain values, without the summaries."""
        values: dict[str, object] = {"rows": len(self.summaries), "empty": self.empty}
        return values | ({"compared": self.compared, "rouge": self.rouge, "lead": self.lead} if self.rouge else {})


def read_summary_table(source: Source, config: DataConfig, reference: str | None = None) -> SummaryTable:
    """Read the texts of a table, and the summaries that people wrote where their column is given.

    Raises DataError for a table that cannot be read or has no such column, ConfigError for a pair of texts.
    """
    if len(config.text) != 1:
        raise ConfigError(f"--text names {len(config.text)} columns; one is summarised.", "Name it with --text.")
    read = read_texts(source, config)
    references: tuple[str | None, ...] = (None,) * len(read.texts)
    if reference is not None:
        place = read.table.index_of(find_column(read.table, reference, "--reference"))
        references = tuple(_text_of(row.cells[place]) for row in read.table.rows)
        if not any(references):
            raise DataError(f"{read.table.name}: column '{reference}' holds no text to compare summaries with.")
    return SummaryTable(read.table, tuple(text if isinstance(text, str) else None for text in read.texts), references)


def summarize_rows(texts: SummaryTable, summarize: Summarizes, *, sentences: int = SENTENCES) -> SummaryResult:
    """Summarise each row that has a text; with references, measure ROUGE. sentences: of the lead that is compared."""
    summaries = tuple(_summaries(texts.texts, summarize))
    known = [
        (text, summary, reference)
        for text, summary, reference in zip(texts.texts, summaries, texts.references, strict=True)
        if text is not None and summary is not None and reference is not None
    ]
    empty = sum(text is None for text in texts.texts)
    if not known:
        return SummaryResult(summaries, empty)
    wanted = [reference for _, _, reference in known]
    rouge = mean_rouge([summary for _, summary, _ in known], wanted)
    return SummaryResult(
        summaries, empty, len(known), rouge, mean_rouge([lead(text, sentences) for text, _, _ in known], wanted)
    )


def write_summaries(texts: SummaryTable, result: SummaryResult, out: Path | None, *, source: str) -> None:
    """Write the rows with their summaries, to a file or as CSV to standard output. Raises what `write_records` does."""
    table = texts.table
    columns = (*table.columns, free_name(COLUMN, table.columns))
    records: Iterator[Sequence[Cell]] = (
        (*row.cells, summary) for row, summary in zip(table.rows, result.summaries, strict=True)
    )
    write_records(columns, records, out, source=source)


def _summaries(texts: Sequence[str | None], summarize: Summarizes) -> Iterator[str | None]:
    for start in range(0, len(texts), CHUNK):
        block = texts[start : start + CHUNK]
        made = iter(summarize([text for text in block if text is not None]))
        for text in block:
            yield None if text is None else next(made)


def _text_of(cell: Cell) -> str | None:
    return cell if isinstance(cell, str) and cell.strip() else None

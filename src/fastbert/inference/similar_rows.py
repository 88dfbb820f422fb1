"""Rows of tables that say nearly the same: read, embedded, compared, and written as pairs.

Knows nothing of how vectors are made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastbert.config import DataConfig
from fastbert.data.columns import listed
from fastbert.data.sources import Source
from fastbert.errors import DataError
from fastbert.inference.predictor import TextInput
from fastbert.inference.similarity import similar_pairs
from fastbert.inference.vector_files import Embeds, TextTable, embed_all, read_texts
from fastbert.inference.writers import write_records

COLUMNS = ("similarity", "row", "other_row", "text", "other_text")


@dataclass(frozen=True)
class SimilarRows:
    """Pairs of rows by falling similarity: (similarity, row, other row, text, other text). notes: what was left out."""

    pairs: tuple[tuple[float, int, int, str, str], ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {"pairs": [dict(zip(COLUMNS, pair, strict=True)) for pair in self.pairs], "notes": list(self.notes)}


def find_similar(
    open_embedder: Callable[[], Embeds],
    source: Source,
    against: Source | None = None,
    *,
    config: DataConfig,
    least: float,
) -> SimilarRows:
    """Return the pairs of rows of a table, or of a row and one of another table, that are at least `least` alike.

    open_embedder: called once the tables have been read.    least: cosine of two vectors.
    Raises DataError for a table that cannot be read, or far too many pairs.
    """
    tables = [read_texts(table, config) for table in ([source] if against is None else [source, against])]
    if len({len(one.columns) for one in tables}) > 1:
        shown = "; ".join(f"{one.table.name}: {listed(one.columns)}" for one in tables)
        raise DataError(
            f"Pairs of texts cannot be compared with single texts ({shown}).", "Name one column of both with --text."
        )
    sides = [_Side.of(one) for one in tables]
    # Each text once: equal texts then have equal vectors, which rounding in batches of another make-up would not give.
    distinct = list(dict.fromkeys(text for side in sides for text in side.texts))
    vectors_ND, cut = embed_all(distinct, open_embedder())
    places = {text: place for place, text in enumerate(distinct)}
    rows = [vectors_ND[[places[text] for text in side.texts]] for side in sides]
    found = similar_pairs(rows[0], None if against is None else rows[1], least=least)
    first, second = sides[0], sides[-1]
    pairs = tuple(
        (round(similarity, 6), first.numbers[one], second.numbers[two], first.shown(one), second.shown(two))
        for one, two, similarity in zip(
            found.first.tolist(), found.second.tolist(), found.similarity.tolist(), strict=True
        )
    )
    notes = [note for side in sides for note in side.notes]
    notes += [f"{cut} different texts are too long and were compared by their beginning"] if cut else []
    return SimilarRows(pairs, tuple(notes))


def write_pairs(found: SimilarRows, out: Path | None, *, source: str) -> None:
    """Write pairs to a file, or as CSV to standard output. Raises what `write_records` does."""
    write_records(COLUMNS, found.pairs, out, source=source)


@dataclass(frozen=True)
class _Side:
    """The rows of one table that have a text. numbers: of these rows in their file."""

    texts: Sequence[TextInput]
    numbers: Sequence[int]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, texts: TextTable) -> _Side:
        rows = [(text, row.number) for text, row in zip(texts.texts, texts.table.rows, strict=True) if text is not None]
        empty = len(texts.texts) - len(rows)
        notes = (f"{empty} rows of {texts.table.name} have no text and are left out",) if empty else ()
        return cls([text for text, _ in rows], [number for _, number in rows], (*texts.table.notes, *notes))

    def shown(self, row: int) -> str:
        text = self.texts[row]
        return text if isinstance(text, str) else " | ".join(text)

"""Labelled character spans of a text as entities: trimmed, and none overlapping another.

Knows nothing of formats, nor of other units than characters (`span_offsets`).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

from fastbert.data.examples import Entity, Range
from fastbert.data.row_problems import excerpt
from fastbert.data.tagging_notes import TaggingNotes


@dataclass(frozen=True, slots=True)
class RawSpan:
    """A span as a file gives it. text: what the file says that it covers, None if it does not say.

    place: the line of an annotation file, "" if it stands in the record itself.
    gaps: what is not covered between its parts, if there are several.
    """

    start: int
    end: int
    label: str
    text: str | None = None
    place: str = ""
    gaps: tuple[Range, ...] = ()

    def describe(self) -> str:
        """Return a phrase such as "'PER' 5-9"."""
        return f"{excerpt(self.label)} {self.start}-{self.end}"


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """A text with its spans. spans: None where the file says nothing of them.

    place: where it is, for lists of places, such as "row 3" or "a.ann".
    """

    row: int
    text: str
    spans: tuple[RawSpan, ...] | None
    place: str
    group: str | None = None


def clean_entities(record: SpanRecord, notes: TaggingNotes) -> tuple[Entity, ...] | None:
    """Return the entities of a record in order; what is changed or left out is noted.

    Of spans that overlap the longest is kept, and of equally long ones the first.
    """
    if record.spans is None:
        return None
    candidates: list[Entity] = []
    for span in record.spans:
        notes.check_label(record.row, span.label)
        entity = _trimmed(record, span, notes)
        if entity is not None:
            candidates.append(entity)
    return _disjoint(record, candidates, notes)


def _trimmed(record: SpanRecord, span: RawSpan, notes: TaggingNotes) -> Entity | None:
    covered = record.text[span.start : span.end]
    bare = covered.strip()
    place = f"{record.place} {span.describe()}"
    if not bare:
        notes.changed("an entity that covers only white space is left out", place)
        return None
    if len(bare) < len(covered):
        notes.changed("white space around an entity is cut off", place)
    start = span.start + len(covered) - len(covered.lstrip())
    return Entity(start, start + len(bare), span.label)


def _disjoint(record: SpanRecord, candidates: Sequence[Entity], notes: TaggingNotes) -> tuple[Entity, ...]:
    kept: list[tuple[int, int, str]] = []
    longest_first = sorted(candidates, key=lambda entity: (entity.start - entity.end, entity.start))
    for entity in longest_first:
        key = (entity.start, entity.end, entity.label)
        index = bisect_left(kept, (entity.end,))  # all before it begin before the entity ends
        if index == 0 or kept[index - 1][1] <= entity.start:
            insort(kept, key)
            continue
        what = "an entity that is listed twice counts once" if key in kept else _OVERLAP
        notes.changed(what, f"{record.place} {excerpt(entity.label)} {entity.start}-{entity.end}")
    return tuple(Entity(*key) for key in kept)


_OVERLAP = "an entity that overlaps a longer one, or an earlier one of its length, is left out"

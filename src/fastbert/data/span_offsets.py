"""In which unit a file counts the offsets of its spans: characters (code points), UTF-8 bytes or UTF-16 units.

Python counts code points, JavaScript (and with it some annotation tools) UTF-16 units, other programs bytes. The
difference shows only behind the first character outside ASCII. A span that brings its own text says in which unit
it counts; without any such text offsets are never converted, because a unit that fits is no proof. Knows nothing
of formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate

from fastbert.data.row_problems import excerpt
from fastbert.data.spans import RawSpan, SpanRecord
from fastbert.data.tagging_notes import TaggingNotes
from fastbert.data.units import find_units
from fastbert.errors import DataError

UNITS = {"utf-8": "UTF-8 bytes", "utf-16-le": "UTF-16 units"}
BYTES_OF_UNIT = {"utf-8": 1, "utf-16-le": 2}
CLEAR_MAJORITY = 4  # times as many spans that fit one unit alone as fit characters alone
_WHITE = re.compile(r"\s")
_CONVERSION = {
    "utf-8": "len(text.encode()[:offset].decode())",
    "utf-16-le": "len(text.encode('utf-16-le')[:2 * offset].decode('utf-16-le'))",
}


def in_characters(records: Sequence[SpanRecord], notes: TaggingNotes) -> list[SpanRecord]:
    """Return the records with spans that are counted in characters and lie in their texts.

    Records with a span that cannot be placed are left out and noted.
    Raises DataError if no span brings its text and the offsets look like another unit.
    """
    unit = _find_unit(records, notes.name)
    if unit is not None:
        notes.say(
            f"{notes.name}: the offsets count {UNITS[unit]}, not characters, as the texts of the spans show;"
            " they are converted."
        )
    placed = (_placed(record, unit, notes) for record in records)
    return [record for record in placed if record is not None]


def _find_unit(records: Sequence[SpanRecord], name: str) -> str | None:
    """Return the encoding whose units the offsets count, None for characters."""
    pairs = [(record.text, span) for record in records for span in record.spans or () if 0 <= span.start < span.end]
    told = [(text, span) for text, span in pairs if span.text is not None and not span.gaps]
    if told:
        return _told_unit(told)
    outside = sum(span.end > len(text) for text, span in pairs)
    wrong = {unit: sum(_converted(text, span, unit) is None for text, span in pairs) for unit in UNITS if outside}
    inside = [unit for unit, count in wrong.items() if outside > CLEAR_MAJORITY * count]
    if inside:
        most = max(wrong[unit] for unit in inside)
        names = " or ".join(UNITS[unit] for unit in inside)
        raise DataError(
            f"{name}: {outside:,} of {len(pairs):,} spans end behind their text,"
            f" but {f'all except {most:,}' if most else 'all'} lie inside if offsets count {names}.",
            "Offsets must count characters. If they count something else, convert each: "
            + " or ".join(f"{_CONVERSION[unit]} from {UNITS[unit]}" for unit in inside)
            + ". If not, correct the spans that end behind their text"
            + f" (the first: {next(span.describe() for text, span in pairs if span.end > len(text))}).",
        )
    return None


def _told_unit(told: Sequence[tuple[str, RawSpan]]) -> str | None:
    """Return the unit in which by far most spans cover their own text; single wrong ones are left to be reported."""
    by_character = [_fits(text, span) for text, span in told]
    if all(by_character):
        return None
    fitting = {unit: [_fits(text, _converted(text, span, unit)) for text, span in told] for unit in UNITS}
    unit = max(fitting, key=lambda unit: sum(fitting[unit]))
    pairs = list(zip(fitting[unit], by_character, strict=True))
    only_unit, only_character = pairs.count((True, False)), pairs.count((False, True))
    is_clear = only_unit > CLEAR_MAJORITY * only_character and 2 * sum(fitting[unit]) > len(told)
    return unit if is_clear else None


def _placed(record: SpanRecord, unit: str | None, notes: TaggingNotes) -> SpanRecord | None:
    if record.spans is None:
        return record
    placed: list[RawSpan] = []
    is_good = True
    for span in record.spans:
        moved = span if unit is None else _converted(record.text, span, unit)
        is_inside = moved is not None and _is_inside(record.text, moved)
        if moved is not None and is_inside and any(record.text[start:end].strip() for start, end in moved.gaps):
            notes.changed(_IN_PARTS, f"{span.place or record.place} {span.describe()}")
            continue
        if moved is not None and is_inside and _fits_loosely(record.text, moved):
            placed.append(moved)
            continue
        found = _only_occurrence(record.text, span)
        if found is not None:
            notes.changed(
                "a span that does not cover its own text is moved to the only place where that text stands",
                f"{record.place} {span.describe()}",
            )
            placed.append(found)
            continue
        reason, what = _problem(record, span, span if moved is None else moved)
        what = f"{span.place}: {what}" if span.place else what
        if is_good:
            notes.bad(record.row, reason, _HINT, what=what)
        else:
            notes.again(record.row, what)
        is_good = False
    return replace(record, spans=tuple(placed)) if is_good else None


_IN_PARTS = "an entity in parts with other words between is left out, and its words are learned as in no entity"
_HINT = (
    "Offsets count characters of the text from 0; start is the first character of the entity, end the one behind it."
)


def _problem(record: SpanRecord, span: RawSpan, moved: RawSpan) -> tuple[str, str]:
    """Return what is wrong with a span: for all of the kind, and for this one. moved: where it is in characters."""
    if span.start >= span.end:
        return "a span ends where it starts or before", f"span {span.describe()} ends where it starts or before"
    if not _is_inside(record.text, moved):
        return (
            "a span lies outside the text",
            f"span {span.describe()} lies outside the text of {len(record.text)} characters",
        )
    covered = excerpt(record.text[moved.start : moved.end])
    what = f"span {span.describe()} covers {covered}, but its own text is {excerpt(span.text)}"
    return "a span does not cover its own text", what


def _is_inside(text: str, span: RawSpan) -> bool:
    return 0 <= span.start < span.end <= len(text)


def _fits(text: str, span: RawSpan | None) -> bool:
    """Return True if a span covers its own text, in which a line break may be a blank, or a backslash and an n."""
    if span is None or not _is_inside(text, span):
        return False
    covered = _WHITE.sub(" ", text[span.start : span.end])
    return any(covered == _WHITE.sub(" ", told) for told in _told_texts(span))


def _fits_loosely(text: str, span: RawSpan) -> bool:
    """Return True if a span covers its own text but for the amount of white space.

    No proof of a unit: a span that is one character too long often ends with a blank.
    """
    covered = text[span.start : span.end].split()
    return span.text is None or any(covered == told.split() for told in _told_texts(span))


def _only_occurrence(text: str, span: RawSpan) -> RawSpan | None:
    """Return the span at the only place of the text where its own text stands, not counting parts of words."""
    starts, ends = _word_borders(text)
    found: set[tuple[int, int]] = set()
    for told in filter(str.strip, _told_texts(span)):
        everywhere = _occurrences(r"\s+".join(map(re.escape, told.split())), text)
        found |= {(start, end) for start, end in everywhere if start in starts and end in ends}
    return replace(span, start=min(found)[0], end=min(found)[1]) if len(found) == 1 else None


def _told_texts(span: RawSpan) -> tuple[str, ...]:
    """Return what a span may say that it covers: its own text, also with line breaks for a backslash and an n."""
    told = span.text or ""
    return (told, told.replace("\\n", "\n")) if "\\n" in told else (told,)


@lru_cache(maxsize=1)  # the spans of one text come after another
def _word_borders(text: str) -> tuple[frozenset[int], frozenset[int]]:
    units = find_units(text)
    return frozenset(start for start, _ in units), frozenset(end for _, end in units)


def _occurrences(pattern: str, text: str) -> Iterator[tuple[int, int]]:
    return ((match.start(1), match.end(1)) for match in re.finditer(f"(?=({pattern}))", text))


def _converted(text: str, span: RawSpan, unit: str) -> RawSpan | None:
    """Return a span counted in characters, None if it is cut through a character or lies outside."""
    positions = _positions(text, unit)
    try:
        gaps = tuple((positions[start], positions[end]) for start, end in span.gaps)
        return replace(span, start=positions[span.start], end=positions[span.end], gaps=gaps)
    except KeyError:
        return None


@lru_cache(maxsize=4)  # the spans of one text follow each other
def _positions(text: str, unit: str) -> dict[int, int]:
    """Return the position in characters for each position in units that is between two characters."""
    lengths = (len(character.encode(unit)) // BYTES_OF_UNIT[unit] for character in text)
    return {offset: position for position, offset in enumerate(accumulate(lengths, initial=0))}

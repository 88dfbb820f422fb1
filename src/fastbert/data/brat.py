"""Documents of BRAT: a text file (.txt) with its annotations beside it (.ann), in standoff form.

    T1<tab>PER 0 5<tab>Maria

A document is divided at the line breaks that no entity crosses. Only entities (T) are read; relations, events,
attributes and notes are not. Knows nothing of units of offsets (`span_offsets`) or of overlaps (`spans`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from fastbert.data.encoding import examine_text, text_lines
from fastbert.data.examples import Entity, TaggedExample
from fastbert.data.files import find_file
from fastbert.data.row_problems import excerpt
from fastbert.data.spans import RawSpan, SpanRecord
from fastbert.data.tagging_notes import TaggingNotes
from fastbert.errors import DataError

TEXT_SUFFIX, ANNOTATION_SUFFIX = ".txt", ".ann"
_ENTITY = re.compile(r"T\S*\t(\S+) (-?\d+ -?\d+(?:;-?\d+ -?\d+)*)(?:\t(.*))?")
_OTHER_LINE = re.compile(r"[REAMN#*]")
_HINT = "Every text (.txt) has its annotations in a file of the same name that ends in .ann, with lines such as"
ENTITY_HINT = f"{_HINT} T1<tab>PER 0 5<tab>Maria; an empty one says that the text has no entities."


def find_documents(source: str | os.PathLike[str]) -> list[Path]:
    """Return the texts of a folder and the folders in it, or the one file; [] if no annotations are beside any.

    Texts in a folder without any annotations do not count.
    """
    place = Path(source)
    if os.path.isdir(source):
        texts = {path.with_suffix(TEXT_SUFFIX) for path in place.rglob(f"*{ANNOTATION_SUFFIX}")}
        return sorted(texts.union(*(folder.glob(f"*{TEXT_SUFFIX}") for folder in {path.parent for path in texts})))
    if place.suffix == ANNOTATION_SUFFIX:
        return [place.with_suffix(TEXT_SUFFIX)]
    annotated = place.suffix == TEXT_SUFFIX and place.with_suffix(ANNOTATION_SUFFIX).is_file()
    return [place] if annotated else []


def find_texts(source: str | os.PathLike[str]) -> list[Path]:
    """Return the texts of a folder and the folders in it, or the one file, with annotations beside or without."""
    place = Path(source)
    return sorted(place.rglob(f"*{TEXT_SUFFIX}")) if place.is_dir() else [place]


def read_documents(documents: list[Path], source: str | os.PathLike[str], notes: TaggingNotes) -> list[SpanRecord]:
    """Return each document as one record; one that cannot be read is left out and noted.

    source: where they were found. A document is called by its path in that folder, such as "sub/b".
    """
    records: list[SpanRecord] = []
    for number, path in enumerate(documents, start=1):
        place = path.relative_to(source) if os.path.isdir(source) else Path(path.name)
        name = place.with_suffix("").as_posix()
        annotations = path.with_suffix(ANNOTATION_SUFFIX)
        if not path.is_file():
            what = f"{name}{ANNOTATION_SUFFIX} has no {path.name} beside it"
            notes.bad(number, "a text file is missing", ENTITY_HINT, what=what)
        elif not annotations.is_file() and notes.options.labels_required:
            what = f"{name}{TEXT_SUFFIX} has no {annotations.name} beside it"
            notes.bad(number, "a file of annotations is missing", ENTITY_HINT, what=what)
        else:
            is_annotated = annotations.is_file() and not notes.options.texts_only
            spans = _read_annotations(annotations, name, number, notes) if is_annotated else None
            text = _read_text(path)
            if not text.strip():
                notes.left_out(number, "the text is empty")
            elif spans is not None or not is_annotated:
                records.append(SpanRecord(number, text, spans, name, name))
    return records


def _read_text(path: Path) -> str:
    file = find_file(path)
    return "".join(text_lines(file, examine_text(file)))


def _read_annotations(path: Path, name: str, number: int, notes: TaggingNotes) -> tuple[RawSpan, ...] | None:
    """Return the entities of a file, None if a line of it cannot be read. name: of the document."""
    spans: list[RawSpan] = []
    is_good = True
    for row, line in enumerate(_read_text(path).split("\n"), start=1):
        place = f"{name}{ANNOTATION_SUFFIX}, line {row}"
        line = line.rstrip("\r")
        if not line.strip() or _OTHER_LINE.match(line):
            continue
        found = _ENTITY.fullmatch(line)
        if found is None:
            what = f"{place}: {excerpt(line)} is no annotation"
            if is_good:
                notes.bad(number, "a line is no annotation", ENTITY_HINT, what=what)
            else:
                notes.again(number, what)
            is_good = False
        else:
            start, *inner, end = map(int, re.split("[ ;]", found[2]))
            gaps = tuple(zip(inner[::2], inner[1::2], strict=True))  # from the end of a part to the next one
            spans.append(RawSpan(start, end, found[1], found[3], place, gaps))
    return tuple(spans) if is_good else None


def split_document(record: SpanRecord, entities: tuple[Entity, ...] | None) -> Iterator[TaggedExample]:
    """Yield one example for each line of a document that is not blank; an entity over lines keeps them together."""
    start = 0
    row = 1
    position = 0  # of the next entity
    for end in _breaks(record.text, entities or ()):
        text = record.text[start:end].rstrip("\r\n")
        inside: list[Entity] = []
        while entities is not None and position < len(entities) and entities[position].start < end:
            entity = entities[position]
            inside.append(Entity(entity.start - start, entity.end - start, entity.label))
            position += 1
        if text.strip():
            where = f"{record.place}{TEXT_SUFFIX}, line {row}"
            found = None if entities is None else tuple(inside)
            yield TaggedExample(text, found, None, where, record.group, row=row, offset=start)
        row += record.text.count("\n", start, end)
        start = end


def _breaks(text: str, entities: tuple[Entity, ...]) -> Iterator[int]:
    """Yield the ends of the parts of a text: behind each line break that no entity crosses, and at its end."""
    position = 0
    for match in re.finditer("\n", text):
        while position < len(entities) and entities[position].end <= match.end():
            position += 1
        if position == len(entities) or entities[position].start >= match.end():
            yield match.end()
    yield len(text)


def no_documents(source: str | os.PathLike[str]) -> DataError:
    """Return the error for a place without annotated texts."""
    return DataError(f"{Path(source)} holds no text with annotations (.ann) beside it.", ENTITY_HINT)

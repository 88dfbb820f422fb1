"""Tagged texts as files of each format, and strategies that invent them: any script, emoji, combining signs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st

from fastbert.data.examples import Entity, Range, TaggedExample
from fastbert.data.tag_schemes import Scheme, entities_to_tags
from fastbert.data.tagging_notes import ReadOptions, TaggingNotes

LABELS = ("LOC", "PER", "work-of_art")
TOKENS = ("Berlin", "fly", "#", "😀", "e\u0301te\u0301", "שלום", "日本", "a👩‍👩‍👧b", '"', "O", "2.5", "ﬁ", "\U00010348")


def notes(*, unit: str = "line", name: str = "train.conll", options: ReadOptions | None = None) -> TaggingNotes:
    """Return empty notes."""
    return TaggingNotes(name, unit, options or ReadOptions())


def write(folder: Path, name: str, text: str) -> Path:
    """Write a text file as it is and return its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def write_json_lines(folder: Path, *records: object, name: str = "train.jsonl") -> Path:
    """Write one record on each line and return the path."""
    return write(folder, name, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def word_ranges(tokens: Sequence[str]) -> tuple[Range, ...]:
    """Return where tokens are that stand between single blanks."""
    ranges: list[Range] = []
    for token in tokens:
        start = ranges[-1][1] + 1 if ranges else 0
        ranges.append((start, start + len(token)))
    return tuple(ranges)


@st.composite
def spans_of_words(draw: st.DrawFn, num_words: int, *, adjacent: bool = True) -> list[tuple[int, int, str]]:
    """Invent entities of a sentence as ranges of words. adjacent: neighbours may have the same label."""
    found: list[tuple[int, int, str]] = []
    position = 0
    while position < num_words:
        length, label = draw(st.integers(0, 3)), draw(st.sampled_from(LABELS))
        end = min(num_words, position + length)
        touches = bool(found) and found[-1][1] == position and found[-1][2] == label
        if length and (adjacent or not touches):
            found.append((position, end, label))
        position = max(end, position + 1)
    return found


@st.composite
def sentences(draw: st.DrawFn, *, adjacent: bool = True) -> TaggedExample:
    """Invent a sentence of tokens with entities; it always has one."""
    tokens = draw(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=8))
    words = word_ranges(tokens)
    spans = draw(spans_of_words(len(words), adjacent=adjacent)) or [(0, 1, "PER")]
    entities = tuple(Entity(words[start][0], words[end - 1][1], label) for start, end, label in spans)
    return TaggedExample(" ".join(tokens), entities, words)


def tags_of(example: TaggedExample, scheme: Scheme = "IOB2") -> list[str]:
    """Return the tags of the words of an example."""
    return entities_to_tags(example.words or (), example.entities or (), scheme)


def tokens_of(example: TaggedExample) -> list[str]:
    """Return the words of an example."""
    return [example.text[start:end] for start, end in example.words or ()]


def contents(examples: Sequence[TaggedExample]) -> list[tuple[str, tuple[Entity, ...] | None]]:
    """Return texts and entities: what every format keeps."""
    return [(example.text, example.entities) for example in examples]

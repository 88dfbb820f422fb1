"""Tags of words (B-PER, I-PER, O) as entities and back, and which scheme a file of tags is written in.

    IOB2    every entity begins with B-                       also called BIO
    IOB1    entities begin with I-, with B- only next to another of the same label; without any B- it is IO
    BIOES   E- ends an entity and S- is one of a single word  also as BILOU (L, U), BMEWO (M, E, W) and BMES
    plain   the label alone; neighbours with the same label are one entity

Wrong sequences are read as the official scorer of CoNLL-2000 and 2003 (conlleval) reads them. Knows nothing
of files, of texts or of how many entities a model can tell apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Literal, NamedTuple

from fastbert.data.examples import Entity, Range

Scheme = Literal["IOB1", "IOB2", "BIOES", "plain"]
OUTSIDE = "O"
UNNAMED = "ENTITY"  # the label where tags are only B, I and O
MIN_OUTSIDE_SHARE = (
    0.2  # of a plain file; "O" is 6% of the words under the part-of-speech tags for tweets (Gimpel 2011)
)
_ROLES = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S", "W": "S"}
_PREFIXED = re.compile(r"([BIMELSUW])(?:[-_](.+))?")
# "per-B", "b-per" and "B:PER" would make labels of their own out of every prefix
_MISWRITTEN = re.compile(r"[bimelsuw][-_:./|].+|[BIMELSUW][:./|].+|.+[-_:./|][BIMELSUW]")


class Tag(NamedTuple):
    """One tag. role: B, I, E or S of any scheme, "O" outside, "" where there is no prefix."""

    role: str
    label: str


@dataclass(frozen=True)
class SchemeFinding:
    """The scheme of all tags of a file and why. named: the tags hold labels, not B, I and O alone."""

    scheme: Scheme
    reason: str
    named: bool = True

    def read(self, tag: str) -> Tag | None:
        """Return a tag, or None if it does not belong to the scheme."""
        found = split_tag(tag)
        if self.scheme == "plain" and found.role != OUTSIDE:
            return Tag("", tag)
        if found.role == OUTSIDE:
            return found
        if not found.role or bool(found.label) != self.named:
            return None
        return found if self.named else Tag(found.role, UNNAMED)


class Decoded(NamedTuple):
    """Entities as ranges of words. repairs: position of a word, and what was read differently from its tag."""

    spans: list[tuple[int, int, str]]
    repairs: list[tuple[int, str]]


@lru_cache(maxsize=4096)
def split_tag(tag: str) -> Tag:
    """Return role and label of a tag. A letter alone has no label; what has no prefix has no role.

    >>> split_tag("U-PER"), split_tag("O"), split_tag("NOUN")
    (Tag(role='S', label='PER'), Tag(role='O', label=''), Tag(role='', label='NOUN'))
    """
    if tag == OUTSIDE:
        return Tag(OUTSIDE, "")
    found = _PREFIXED.fullmatch(tag)
    return Tag("", tag) if found is None else Tag(_ROLES[found[1]], found[2] or "")


def is_tag(value: str) -> bool:
    """Return True for "O" and for a prefix with a label."""
    tag = split_tag(value)
    return tag.role == OUTSIDE or bool(tag.role and tag.label)


def detect_scheme(sentences: Iterable[Sequence[str]], *, plain: bool = False) -> SchemeFinding | None:
    """Return the scheme of all tags of a file, None if they are no tags of entities (parts of speech, say).

    plain: those of the training file have no prefix, so that a short file may have few tags O.
    Single tags that do not fit the others are left for the reader to report.
    """
    counts = _count(sentences)
    letters = counts.letters
    if counts.named or not counts.plain:
        named = counts.named > 0 or not letters
        extra = "" if named else f", and as they are letters alone, each entity has the label {UNNAMED}"
        return _prefixed_scheme(counts, named, extra)
    values = counts.plain | set(letters)
    few_outside = not plain and counts.outside < MIN_OUTSIDE_SHARE * counts.total
    if few_outside or all(map(_MISWRITTEN.fullmatch, values)):
        return None
    reason = "no tag has a prefix such as B- or I-; neighbours with the same tag are read as one entity"
    return SchemeFinding("plain", reason)


@dataclass
class _Counts:
    """What stands in the tags of a file. letters: prefixes as written.

    lone_begins: B- that is not behind its own label.    lone_insides: I- that is not.
    """

    letters: Counter[str]
    plain: set[str]
    named: int = 0
    outside: int = 0
    total: int = 0
    lone_begins: int = 0
    lone_insides: int = 0


def _count(sentences: Iterable[Sequence[str]]) -> _Counts:
    counts = _Counts(Counter(), set())
    for sentence in sentences:
        before = ""
        for written in sentence:
            role, label = split_tag(written)
            counts.total += 1
            counts.outside += role == OUTSIDE
            if not role:
                counts.plain.add(written)
            elif role != OUTSIDE:
                counts.letters[written[0]] += 1
                counts.named += bool(label)
                key = label or UNNAMED
                counts.lone_begins += role == "B" and before != key
                counts.lone_insides += role == "I" and before != key
            before = "" if role in (OUTSIDE, "") else label or UNNAMED
    return counts


def _prefixed_scheme(counts: _Counts, named: bool, extra: str) -> SchemeFinding:
    letters = counts.letters
    more = sorted(set(letters) - {"B", "I"})
    if more:
        return SchemeFinding(
            "BIOES", f"there are tags with {' and '.join(f'{letter}-' for letter in more)}{extra}", named
        )
    if not letters:
        return SchemeFinding("IOB2", "no word is in an entity", named)
    if "B" not in letters:
        return SchemeFinding("IOB1", f"there are only I- tags{extra}", named)
    if counts.lone_begins < counts.lone_insides:
        reason = f"entities begin with I-, and B- {'divides neighbours' if not counts.lone_begins else 'is rare'}"
        return SchemeFinding("IOB1", reason + extra, named)
    return SchemeFinding("IOB2", f"{'' if not counts.lone_insides else 'most '}entities begin with B-{extra}", named)


def decode_tags(tags: Sequence[Tag], scheme: Scheme) -> Decoded:
    """Return the entities of one sentence, as conlleval finds them, and what had to be repaired for it.

    >>> decode_tags([split_tag(tag) for tag in ("I-PER", "O", "B-LOC", "I-LOC")], "IOB2")
    Decoded(spans=[(0, 1, 'PER'), (2, 4, 'LOC')], repairs=[(0, 'continues nothing')])
    """
    if scheme == "plain":
        return Decoded(_runs(tags), [])
    decoded = Decoded([], [])
    start: int | None = None
    for index, (role, label) in enumerate([*tags, Tag(OUTSIDE, "")]):
        continues = start is not None and role in "IE" and tags[start].label == label
        if start is not None and not continues:
            decoded.spans.append((start, index, tags[start].label))
            if scheme == "BIOES":
                decoded.repairs.append((start, "is not ended"))
            start = None
        if role != OUTSIDE and not continues:
            start = index
            if role in "IE" and scheme != "IOB1":
                decoded.repairs.append((index, "continues nothing"))
        if start is not None and role in "ES":
            decoded.spans.append((start, index + 1, label))
            start = None
    return decoded


def _runs(tags: Sequence[Tag]) -> list[tuple[int, int, str]]:
    spans: list[tuple[int, int, str]] = []
    position = 0
    for tag, run in groupby(tags):
        end = position + sum(1 for _ in run)
        if tag.role != OUTSIDE:
            spans.append((position, end, tag.label))
        position = end
    return spans


def entities_to_tags(words: Sequence[Range], entities: Sequence[Entity], scheme: Scheme = "IOB2") -> list[str]:
    """Return one tag for each word.

    entities: sorted, none overlapping another. Two neighbours of one label become one entity in "plain".
    Raises ValueError if an entity does not begin and end with words.

    >>> entities_to_tags([(0, 3), (4, 8)], [Entity(0, 8, "CITY")])
    ['B-CITY', 'I-CITY']
    """
    starts = {start: index for index, (start, _) in enumerate(words)}
    ends = {end: index for index, (_, end) in enumerate(words)}
    tags = [OUTSIDE] * len(words)
    before: tuple[int, str] | None = None
    for entity in entities:
        if entity.start not in starts or entity.end not in ends:
            raise ValueError(f"entity {entity.start}-{entity.end} ({entity.label}) does not begin and end with words")
        first, last = starts[entity.start], ends[entity.end]
        follows = before == (first, entity.label)
        for index in range(first, last + 1):
            tags[index] = _written(scheme, entity.label, index == first, index == last, follows)
        before = (last + 1, entity.label)
    return tags


def _written(scheme: Scheme, label: str, is_first: bool, is_last: bool, follows: bool) -> str:
    """Return a tag. follows: the word before the entity belongs to another one of the same label."""
    if scheme == "plain":
        return label
    if scheme == "BIOES" and is_last:
        return f"{'S' if is_first else 'E'}-{label}"
    begins = is_first and (scheme != "IOB1" or follows)
    return f"{'B' if begins else 'I'}-{label}"


def tags_to_entities(words: Sequence[Range], tags: Sequence[str], scheme: Scheme = "IOB2") -> list[Entity]:
    """Return the entities of one sentence; wrong sequences are read as conlleval reads them.

    Raises ValueError for a tag that is not of the scheme.
    """
    finding = SchemeFinding(scheme, "")
    read = [finding.read(tag) for tag in tags]
    known = [tag for tag in read if tag is not None]
    if len(known) < len(tags):
        raise ValueError(f"tag {tags[read.index(None)]!r} has no prefix and label, such as B-PER")
    spans = decode_tags(known, scheme).spans
    return [Entity(words[start][0], words[end - 1][1], label) for start, end, label in spans]

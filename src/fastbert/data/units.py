r"""The units of running text at which entities begin and end: words, ideographs, signs, emoji.

A unit is the longest run of letters, marks, digits and connectors (Unicode categories L, M, N, Pc),
or one other visible character. Letters of scripts that are written without blanks between words
are units of their own, each with the marks that follow it. A sign keeps the marks that follow it,
an emoji its variation selector, its skin tone and what a zero-width joiner adds; two regional
indicators are one flag. White space, control and zero-width characters are in no unit, unless they
stand within one (the non-joiner of Persian, a soft hyphen).

The same text has the same units wherever it is read, up to the Unicode version of Python's
`unicodedata`. Knows nothing of tokens, tags or files.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from fastbert.data.examples import Entity, Range

UnitSpan = tuple[int, int, str]  # first unit, last unit (exclusive), label

# Letters of these blocks are units of their own. From the Unicode character database, Blocks.txt.
_UNSPACED = (
    *((0x0E00, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF)),  # Thai, Lao, Tibetan, Myanmar, Khmer
    *((0xA9E0, 0xA9FF), (0xAA60, 0xAA7F), (0x116D0, 0x116FF)),  # Myanmar Extended A, B, C
    *((0x3005, 0x3007), (0x3021, 0x3029), (0x3031, 0x3035), (0x3038, 0x303C)),  # ideographic letters and numbers
    *((0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9D), (0x1AFF0, 0x1B16F)),  # Hiragana and Katakana
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),  # CJK ideographs
)
# Default-ignorable marks: they change the look of what stands before them and have none of their own.
_SELECTORS = ((0x034F, 0x034F), (0x180B, 0x180D), (0x180F, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
# Format characters that are seen: the property Prepended_Concatenation_Mark.
_SEEN = (
    (0x0600, 0x0605),
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
)
_BY_CODE = (
    *((first, last, "v") for first, last in _SELECTORS),
    *((first, last, "x") for first, last in _SEEN),
    (0x200B, 0x200B, " "),  # the zero-width space parts words where no blank does
    (0x200D, 0x200D, "z"),  # the zero-width joiner
    (0xFF9E, 0xFF9F, "m"),  # half-width voicing marks: category Lm, used as marks
    (0x1F1E6, 0x1F1FF, "r"),  # regional indicators
    (0x1F3FB, 0x1F3FF, "t"),  # skin tones
    (0xE0020, 0xE007F, "g"),  # tags, as in the flag of Scotland
)
_BY_CATEGORY = {"L": "w", "N": "w", "Pc": "w", "M": "m", "Z": " ", "Cc": " ", "Cs": " ", "Cf": "f"}

_ASCII_UNIT = re.compile(r"\w+|[!-~]", re.ASCII)
# Over the classes of characters that `_Classes` gives: w word, i unspaced letter, m mark, v variation selector,
# z joiner, f other format character, g tag, r regional indicator, t skin tone, x any other, blank: none.
_UNIT = re.compile(
    r"[wm](?:[wmv]++|[zfg]++(?=[wm]))*+"
    r"|i[mv]*+"
    r"|r[mv]*+(?:r[mv]*+)?"
    r"|[xt][mvtg]*+(?:z[xt][mvtg]*+)*+"
)


class Aligned(NamedTuple):
    """Entities as ranges of units, by start. spans: of all but the lost ones.

    widened: entities that begin or end within a unit; their span holds the whole unit.
    lost: entities without any unit, or with a unit that belongs to an entity before them.
    """

    spans: list[UnitSpan]
    widened: list[Entity]
    lost: list[Entity]


def find_units(text: str) -> list[Range]:
    """Return the units of a text as ranges of characters, sorted and disjoint.

    >>> text = "Zoë's 東京, 3.5"
    >>> [text[start:end] for start, end in find_units(text)]
    ['Zoë', "'", 's', '東', '京', ',', '3', '.', '5']
    """
    if text.isascii():
        return [match.span() for match in _ASCII_UNIT.finditer(text)]
    return [match.span() for match in _UNIT.finditer(text.translate(_CLASSES))]


def align(units: Sequence[Range], entities: Sequence[Entity]) -> Aligned:
    """Return entities as ranges of units; what does not fit is widened, or lost to the entity before it.

    White space at the borders of an entity is in no unit and needs no widening.
    units: as of `find_units`, or the words of a `TaggedExample`.

    >>> align(find_units("in Neustadt, Hesse"), [Entity(3, 6, "new"), Entity(6, 11, "town"), Entity(13, 18, "state")])
    Aligned(spans=[(1, 2, 'new'), (3, 4, 'state')], widened=[Entity(start=3, end=6, label='new')],
        lost=[Entity(start=6, end=11, label='town')])
    """
    starts, ends = [start for start, _ in units], [end for _, end in units]
    aligned = Aligned([], [], [])
    free = 0  # the first unit that no entity has taken
    for entity in sorted(entities, key=lambda entity: entity.start):
        first, last = bisect_right(ends, entity.start), bisect_left(starts, entity.end)
        if entity.start >= entity.end or first >= last or first < free:
            aligned.lost.append(entity)
            continue
        free = last
        aligned.spans.append((first, last, entity.label))
        if starts[first] < entity.start or ends[last - 1] > entity.end:
            aligned.widened.append(entity)
    return aligned


class _Classes(dict[int, str]):
    """Code points to the classes of `_UNIT`, one letter each; a character is looked up when it is first met."""

    def __missing__(self, code: int) -> str:
        found = self[code] = _class_of(code)
        return found


def _class_of(code: int) -> str:
    for first, last, letter in _BY_CODE:
        if first <= code <= last:
            return letter
    category = unicodedata.category(chr(code))
    letter = _BY_CATEGORY.get(category) or _BY_CATEGORY.get(category[0]) or "x"
    if letter == "w" and category != "Nd" and any(first <= code <= last for first, last in _UNSPACED):
        return "i"
    return letter


_CLASSES = _Classes()

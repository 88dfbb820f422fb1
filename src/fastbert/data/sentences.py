"""Where the sentences of a text begin and end, by rules: ends of sentences, abbreviations, initials, numbers, quotes.

The rules are those of written English and of languages that end sentences alike, and of the full-width marks of Chinese
and Japanese. Knows nothing of what sentences are for.
"""

from __future__ import annotations

import re

# A full stop behind these ends no sentence.
_TITLES = frozenset(
    "mr mrs ms dr prof st mt rev hon gen col capt lt sgt maj cmdr gov sen rep pres vs ca cf al hr fr bzw ggf"
    " mme mlle".split()
)
# Nor behind these before a number: "No. 5" against "She said no. Then".
_NUMBERED = frozenset(
    "no nos nr fig figs vol p pp art sec ch eq jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
_FULL_WIDTH, _CLOSING = "\u3002\uff01\uff1f", "\"'\u201d\u2019\u00bb)\\]\u300d\u300f\uff09\u3011\u300b\u3009"
_ENDS = re.compile(rf"([.!?\u2026]+|[{_FULL_WIDTH}]+)([{_CLOSING}]*)")
_LINES = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*\u2022]|\d+[.)])\s)")  # an empty line, or one that begins an item of a list
_BLANKS, _OPENING = re.compile(r"\s+"), re.compile(r"""["'\u201c\u2018\u00ab(\[\u00bf\u00a1]+""")
_WORD_BEFORE = re.compile(r"[^\s(\[\"'\u201c\u2018\u00ab]*$")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return the places of sentences, (start, end) in characters, without the blanks between them.

    A text without an end of a sentence is one sentence; an empty line ends one, too. Every character that is no blank
    is in exactly one sentence.

    >>> text = "Dr. Smith paid $3.50. Was it too much?  No."
    >>> [text[start:end] for start, end in split_sentences(text)]
    ['Dr. Smith paid $3.50.', 'Was it too much?', 'No.']
    """
    blocks = [0, *(found.end() for found in _LINES.finditer(text)), len(text)]
    cuts = {found.end() for found in _ENDS.finditer(text) if _ends_here(text, found)} | set(blocks)
    ordered = sorted(cuts)
    places = (_without_blanks(text, start, end) for start, end in zip(ordered, ordered[1:], strict=False))
    return [(start, end) for start, end in places if start < end]


def _ends_here(text: str, found: re.Match[str]) -> bool:
    """Return whether marks at a place end a sentence: by what stands before and behind them."""
    mark, closing = found.groups()
    if mark[0] in _FULL_WIDTH:
        return True
    behind = _end_of(_BLANKS, text, found.end())
    if behind in (found.end(), len(text)):
        return behind == len(text)
    begin = _end_of(_OPENING, text, behind)
    following = text[begin : begin + 1]
    if following.islower():
        return False
    if set(mark) != {"."} or closing:
        return True
    return not _is_abbreviation(_word_before(text, found.start()), following)


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Return where what a pattern takes ends, without a copy of the rest of a long text."""
    found = pattern.match(text, start)
    return start if found is None else found.end()


def _is_abbreviation(word: str, following: str) -> bool:
    """Return whether a full stop belongs to the word before it: "Dr", "No" before a number, "J", "U.S"."""
    folded = word.casefold()
    if folded in _TITLES or (folded in _NUMBERED and following.isdigit()):
        return True
    parts = word.split(".")
    return all(len(part) == 1 and part.isalpha() for part in parts) and word not in ("I", "i", "a")  # these are words


def _word_before(text: str, end: int) -> str:
    found = _WORD_BEFORE.search(text, max(0, end - 40), end)
    return found.group() if found is not None else ""


def _without_blanks(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))

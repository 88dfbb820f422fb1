"""Where in its context an answer stands, and what the offsets of a file count.

Answers are looked for exactly as they are written. Knows nothing of files or rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from fastbert.data.given_questions import GivenAnswer
from fastbert.data.row_problems import excerpt

Unit = Literal["characters", "UTF-8 bytes", "UTF-16 units"]
# given: at its offset.   moved: not there, but in one place.   only, first: it has no offset, and stands once or more.
# missing: nowhere.   unclear: not at its offset, and in several places.
How = Literal["given", "moved", "only", "first", "missing", "unclear"]
UNITS: tuple[Unit, ...] = ("characters", "UTF-8 bytes", "UTF-16 units")
_ENCODINGS = {"UTF-8 bytes": ("utf-8", 1), "UTF-16 units": ("utf-16-le", 2)}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands in its context. start: in characters, -1 if it does not or that is not clear."""

    start: int
    how: How


def find_unit(answers: Iterable[tuple[str, GivenAnswer]]) -> Unit:
    """Return what the offsets of a file count: that by which most answers stand at their offset.

    answers: each with its context. Characters win among equals.
    """
    differing = [
        (context, answer)
        for context, answer in answers
        if answer.start is not None and not context.isascii()  # where all three are the same
    ]
    if all(context.startswith(answer.text, answer.start) for context, answer in differing):
        return "characters"
    return max(UNITS, key=lambda unit: sum(_stands(context, answer, unit) for context, answer in differing))


def find_answer(context: str, answer: GivenAnswer, unit: Unit) -> Place:
    """Return where an answer stands in its context: where it is a word of its own, if it is anywhere.

    >>> find_answer("Rome, Rome", GivenAnswer("Rome", 6), "characters")
    Place(start=6, how='given')
    >>> find_answer("In Rome", GivenAnswer("Rome", 6), "characters")
    Place(start=3, how='moved')
    """
    given = _to_characters(context, answer, unit)
    if given is not None and context.startswith(answer.text, given):
        return Place(given, "given")
    everywhere = list(_occurrences(context, answer.text))
    places = [start for start in everywhere if _is_apart(context, start, start + len(answer.text))] or everywhere
    if not places:
        return Place(-1, "missing")
    if answer.start is None:
        return Place(places[0], "only" if len(places) == 1 else "first")
    return Place(places[0], "moved") if len(places) == 1 else Place(-1, "unclear")


def _occurrences(context: str, text: str) -> Iterator[int]:
    start = context.find(text)
    while start >= 0:
        yield start
        start = context.find(text, start + 1)


def _is_apart(context: str, start: int, end: int) -> bool:
    """Return whether a part of a text begins and ends where words do: "arm" of "his arm", not of "farmer"."""
    return not any(
        0 < place < len(context) and context[place - 1].isalnum() and context[place].isalnum() for place in (start, end)
    )


def describe_missing(context: str, answer: GivenAnswer, place: Place, unit: Unit) -> str:
    """Return what is wrong with an answer that has no place, for a message."""
    shown = excerpt(answer.text)
    if answer.start is None:
        return f"the answer {shown} stands nowhere in its context"
    start = _to_characters(context, answer, unit)
    there = "" if start is None else context[start : start + len(answer.text)]
    found = f", where {excerpt(there)} stands" if there else ""
    other = "nor anywhere else in it" if place.how == "missing" else "but in several other places"
    one = {"characters": "character", "UTF-8 bytes": "byte", "UTF-16 units": "UTF-16 unit"}[unit]
    return f"the answer {shown} is not at {one} {answer.start} of its context{found}, {other}"


def _stands(context: str, answer: GivenAnswer, unit: Unit) -> bool:
    start = _to_characters(context, answer, unit)
    return start is not None and context.startswith(answer.text, start)


def _to_characters(context: str, answer: GivenAnswer, unit: Unit) -> int | None:
    """Return an offset in characters; None if there is none, or it is beyond the end or inside of a character."""
    start = answer.start
    if start is None or unit == "characters":
        return start if start is not None and start < len(context) else None
    encoding, size = _ENCODINGS[unit]
    encoded = _encoded(context, encoding)
    if size * start >= len(encoded):
        return None
    try:
        return len(encoded[: size * start].decode(encoding, "surrogatepass"))
    except UnicodeDecodeError:
        return None


@lru_cache(maxsize=8)  # the questions about a context come one after another
def _encoded(context: str, encoding: str) -> bytes:
    return context.encode(encoding, "surrogatepass")

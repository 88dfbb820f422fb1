"""Chooses the column, or the pair of columns, that holds the text.

Goes by the name first, then by the wording of the cells. Knows nothing of labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastbert.data.columns import Column, listed
from fastbert.errors import DataError

# Names as they are compared: in lower case, letters and digits only ("#1 String" is "1string").
PAIR_NAMES = (
    ("sentence1", "sentence2"),
    ("sentencea", "sentenceb"),
    ("text1", "text2"),
    ("texta", "textb"),
    ("1string", "2string"),
    ("question1", "question2"),
    ("premise", "hypothesis"),
    ("question", "context"),
    ("question", "sentence"),
    ("query", "passage"),
    ("claim", "evidence"),
    ("text", "textpair"),  # as the tokenizers of transformers call them
    ("text", "pair"),
)
_COUNTERPARTS = {"1": "2", "a": "b", "first": "second", "left": "right"}  # of two names
TEXT_NAMES = tuple(  # the first of these that is there is taken
    "text sentence utterance review reviewtext reviewbody comment commenttext content body document"
    " message question query description feedback tweet post paragraph passage title headline subject".split()
)
NEAR = 0.6  # a runner-up with this share of the best score is as good a choice


@dataclass(frozen=True)
class TextChoice:
    """The text column, the second one of a pair or None, and why."""

    text: str
    pair: str | None
    reason: str


def choose_text(columns: Sequence[Column], table_name: str) -> TextChoice:
    """Return the text column of a table, by name, else by the wording of its cells.

    columns: those that may hold text.
    Raises DataError if none reads like text, or if two are equally good.
    """
    by_key = {"".join(column.words): column for column in columns if column.is_textual}
    for first, second in PAIR_NAMES:
        if first in by_key and second in by_key:
            return _pair(by_key[first], by_key[second])
    named = [by_key[key] for key in TEXT_NAMES if key in by_key]
    if named:
        return TextChoice(named[0].name, None, f"Text: column '{named[0].name}', by its name.{_others(named, columns)}")
    halves = [(by_key[key], by_key[other]) for key in by_key for other in _other_halves(by_key[key]) if other in by_key]
    if len(halves) == 1 and all(column.is_prose for column in halves[0]):
        return _pair(*halves[0])
    return _choose_by_wording(columns, table_name)


def _other_halves(column: Column) -> list[str]:
    """Return how the second column of a pair would be called if this were the first.

    "Input 1" and "Input 2", "q1" and "q2", "left answer" and "right answer"; not "1", which
    is a column without a name.
    """
    words = column.words
    if len("".join(words)) < 2:
        return []
    found = ["".join((*words[:-1], _COUNTERPARTS[words[-1]]))] if words[-1] in _COUNTERPARTS else []
    if len(words) > 1 and words[0] in _COUNTERPARTS:
        found.append("".join((_COUNTERPARTS[words[0]], *words[1:])))
    if len(words[-1]) > 1 and words[-1].endswith("1") and not words[-1][-2].isdigit():
        found.append("".join(words)[:-1] + "2")
    return found


def _pair(first: Column, second: Column) -> TextChoice:
    return TextChoice(first.name, second.name, f"Text: the pair '{first.name}' and '{second.name}', by their names.")


def _others(named: Sequence[Column], columns: Sequence[Column]) -> str:
    """Name the other texts; one that reads like the chosen column may be the second half of a pair."""
    chosen = named[0]
    alike = [
        c
        for c in columns
        if c is not chosen and c.is_prose and not c.is_identifier and _score(c) >= NEAR * _score(chosen)
    ]
    others = list(dict.fromkeys(column.name for column in [*named[1:], *alike]))
    if not others:
        return ""
    pair = f'; for pairs: --text "{chosen.name},{others[0]}"' if len(others) == 1 and alike else ""
    return f" Also there: {listed(others)} (choose with --text{pair})."


def _choose_by_wording(columns: Sequence[Column], table_name: str) -> TextChoice:
    prose = [column for column in columns if column.is_prose and not column.is_identifier]
    ranked = sorted(prose, key=_score, reverse=True)
    if not ranked:
        names = [column.name for column in columns]
        raise DataError(
            f"{table_name}: no column looks like text; the columns are {listed(names)}.",
            "Name the text column with --text.",
        )
    best = ranked[0]
    near = [column.name for column in prose if _score(column) >= NEAR * _score(best)]
    if len(near) > 1:
        raise DataError(
            f"{table_name}: the text column is not clear: {listed(near)} read alike.",
            f"Name it with --text, for example --text {near[0]}; name two columns for a pair of texts.",
        )
    reason = (
        f"Text: column '{best.name}' is a guess: its cells are the longest "
        f"({best.mean_words:.0f} words on average). Choose another with --text."
    )
    return TextChoice(best.name, None, reason)


def _score(column: Column) -> float:
    return column.mean_chars * column.distinct_share

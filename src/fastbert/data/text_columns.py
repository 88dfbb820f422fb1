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
)
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
            names = by_key[first].name, by_key[second].name
            return TextChoice(*names, f"Text: the pair '{names[0]}' and '{names[1]}', by their names.")
    named = [by_key[key] for key in TEXT_NAMES if key in by_key]
    if named:
        others = f" Also there: {listed([c.name for c in named[1:]])} (choose with --text)."
        reason = f"Text: column '{named[0].name}', by its name." + (others if named[1:] else "")
        return TextChoice(named[0].name, None, reason)
    return _choose_by_wording(columns, table_name)


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

"""Ids that lie on both sides of a split: the same user, document or case in train and in test, with other texts.

Row numbers that begin anew in each file are no such ids. Knows nothing of texts or labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from fastbert.data.cell_values import label_text, parse_whole
from fastbert.data.columns import Column
from fastbert.data.table import Cell
from fastbert.insight.doctor.findings import Finding, FlaggedRow, by_share, percent, share_phrase
from fastbert.insight.doctor.material import Material, Part

# Choices of ours, of severity and silence only.
LEAK_LOOK = 0.01  # of the rows of a split
FEW_ROWS = 1.5  # of a value, in the mean: more of them are a group, less an id
CODES = 0.95  # distinct values to rows, and codes to values, of an id whose name does not say so
MIN_VALUES = 10
DENSE = 0.9  # of the numbers up to the largest, that a counter has: a few rows may have been removed
GROUP_WORDS = frozenset(
    "user users userid author authors customer client patient speaker person writer reviewer annotator worker account"
    " session thread conversation dialog dialogue document doc article url domain channel subreddit app product store"
    " company group family parent ticket case".split()
)
ID_WORDS = frozenset(["id", "ids", "guid", "uuid"])  # not "index": where a row was in a file says nothing of it
_WHAT: Mapping[str, tuple[str, str]] = {
    "leaked_id": (
        "which looks like an id",
        "If the value stands for a writer, a document or a case, the scores will look better than they are: keep all "
        "rows of one value on one side.",
    ),
    "leaked_group": (
        "which --group names",
        "The scores will look better than they are: keep all rows of one value on one side.",
    ),
}


def recurring_ids(material: Material, column: Column, kind: str = "leaked_id") -> Iterator[Finding]:
    """Yield a finding for each split with values of a column that an earlier split has.

    kind: "leaked_id", or "leaked_group" for the column that --group names.
    """
    about, advice = _WHAT[kind]
    first: dict[str, tuple[Part, int]] = {}
    for part in material.parts.values():
        rows: list[FlaggedRow] = []
        sources: dict[str, None] = {}
        own = list(enumerate(values_in(part, column.name)))
        for index, value in own:
            if value in first:
                source, place = first[value]
                sources[source.split] = None
                rows.append(part.flag(index, f"its '{column.name}' is in {source.split}", source.place(place)))
        for index, value in own:
            if value:
                first.setdefault(value, (part, index))
        if rows:
            yield Finding(
                kind,
                by_share(len(rows), len(part), look=LEAK_LOOK),
                f"{share_phrase(len(rows), len(part))} of {part.split} have a value of column '{column.name}', "
                f"{about}, that is in {' or '.join(sources)} too.",
                advice,
                rows,
            )


def is_id(material: Material, column: Column) -> bool:
    """Return True for a column of train whose values name one thing each, with hardly any twice.

    By its name, or as codes (a letter and a digit, an address); not for row numbers, and not for other numbers, which
    are nearly all different where something is measured.
    """
    sizes = column.values
    if len(sizes) < MIN_VALUES or sum(sizes.values()) >= FEW_ROWS * len(sizes):
        return False
    if names_something(column):
        return not counts_rows(material, column.name)
    codes = sum(map(_is_code, sizes))
    return len(sizes) >= CODES * sum(sizes.values()) and codes >= CODES * len(sizes)


def names_something(column: Column) -> bool:
    """Return True for a column that is called an id, or like somebody or something that texts come from."""
    called = not (GROUP_WORDS | ID_WORDS).isdisjoint(column.words)
    return called and column.label_word is None


def counts_rows(material: Material, name: str) -> bool:
    """Return True for a column that counts from 0 or 1 in every file that has it: its equal values mean nothing."""
    return all(
        is_counter(values_in(part, name))
        for part in material.parts.values()
        if part.table is not None and name in part.table.columns
    )


def is_counter(values: Iterable[str]) -> bool:
    """Return True for whole numbers from 0 or 1 with hardly any left out, in whatever order; empty ones do not count.

    >>> is_counter(["2", "0", "1", "3"]), is_counter(["1", "7", "20"]), is_counter(["u1", "u2"])
    (True, False, False)
    """
    numbers = {parse_whole(value) for value in values if value}
    known = {number for number in numbers if number is not None}
    if not known or len(known) < len(numbers) or min(known) not in (0, 1):
        return False
    return len(known) >= DENSE * (max(known) - min(known) + 1)


def shared_shares(material: Material, name: str, known: set[str]) -> Iterator[str]:
    """Yield the splits with values of a column that are known, and the share of their rows, for a sentence."""
    for split, part in material.parts.items():
        values = values_in(part, name)
        shared = sum(value in known for value in values)
        if split != "train" and shared:
            yield f"{split} ({percent(shared / len(values))} of its rows)"


def values_in(part: Part, name: str) -> list[str]:
    """Return the value of each example in a column, "" for an empty one; [] where the file has no such column."""
    if part.table is None or name not in part.table.columns:
        return []
    place = part.table.index_of(name)
    return [value_of(part.table.rows[index].cells[place]) for index in part.indices]


def value_of(cell: Cell) -> str:
    """Return a cell as one value, "" for a list."""
    return "" if isinstance(cell, list) else label_text(cell)


def _is_code(value: str) -> bool:
    if len(value.split()) != 1 or value.isdigit():
        return False
    address = "@" in value or "://" in value
    return address or (any(map(str.isdigit, value)) and any(map(str.isalpha, value)))

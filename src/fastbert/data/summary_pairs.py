"""Texts with the summaries that people wrote of them, read from two columns of a table, and a part held out.

Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastbert.data.columns import find_column
from fastbert.data.header import Header
from fastbert.data.row_problems import RowProblems
from fastbert.data.sources import Source, read_table
from fastbert.data.splits import hash_share, text_key
from fastbert.data.table import Cell
from fastbert.errors import ConfigError, DataError


@dataclass(frozen=True, slots=True)
class SummaryPair:
    """A text and its summary."""

    text: str
    summary: str


def read_summary_pairs(source: Source, *, text: str, summary: str, header: Header = None) -> list[SummaryPair]:
    """Return the texts and summaries of a table, in order.

    text, summary: columns, by name or number from 0.
    Raises DataError for a column that is not there, and for rows without a text or a summary.
    """
    table = read_table(source, header=header)
    names = find_column(table, text, "--text"), find_column(table, summary, "--summary")
    if names[0] == names[1]:
        raise DataError(f"--text and --summary both name the column '{names[0]}'.", "Name two different columns.")
    problems, pairs = RowProblems(table.name), []
    first, second = map(table.index_of, names)
    for row in table.rows:
        one, other = _text_of(row.cells[first]), _text_of(row.cells[second])
        if one is None or other is None:
            problems.add(row.number, f"column '{names[0] if one is None else names[1]}' has no text")
            continue
        pairs.append(SummaryPair(one, other))
    problems.raise_if_any(
        "Every row that is trained on needs a text and a summary: fill the cells, or remove the rows."
    )
    return pairs


def hold_out(pairs: Sequence[SummaryPair], *, share: float, seed: int) -> tuple[list[SummaryPair], list[SummaryPair]]:
    """Return the pairs to train on and those held out; equal texts stay on one side.

    share: of the distinct texts, those of the smallest hash of text and seed; at least one.
    Raises ConfigError for a share out of range, DataError for fewer than two distinct texts.
    """
    if not 0 < share < 1:
        raise ConfigError(f"valid_share is {share:g}; expected a number between 0 and 1, such as 0.1.")
    keys = [text_key(pair.text) for pair in pairs]
    ordered = sorted(set(keys), key=lambda key: (hash_share(key, seed), key))
    if len(ordered) < 2:
        raise DataError(
            f"{len(ordered)} different texts are given; expected at least 2, one of which is held out.", "Add rows."
        )
    held = set(ordered[: min(len(ordered) - 1, max(1, round(share * len(ordered))))])
    trained = [pair for pair, key in zip(pairs, keys, strict=True) if key not in held]
    return trained, [pair for pair, key in zip(pairs, keys, strict=True) if key in held]


def _text_of(cell: Cell) -> str | None:
    return cell if isinstance(cell, str) and cell.strip() else None

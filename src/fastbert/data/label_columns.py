"""Chooses the column, or the 0/1 columns, that hold the labels.

Goes by the names of the labels, then by the column's name, then by its values. Refuses to
choose between equally good columns. What a label cell says is read by `label_cells`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastbert.data.cell_values import is_number, parse_whole, split_cell
from fastbert.data.columns import MOSTLY_NUMBERS, Column, listed
from fastbert.data.label_cells import find_separator
from fastbert.errors import DataError

MAX_CLASSES = 1000  # more distinct values are not guessed to be classes
MOSTLY_FLAGS = 0.9  # a column with this share of 0/1 beside 0/1 columns is one of them with mistakes
MAX_LABEL_CHARS = 200  # mean length of a cell; longer ones are texts
_FIRST_NAMES = frozenset({"label", "labels"})


@dataclass(frozen=True)
class LabelChoice:
    """The label columns, whether they are one 0/1 column a label, and why."""

    names: tuple[str, ...]
    one_hot: bool
    reason: str


def choose_labels(
    columns: Sequence[Column],
    label_names: Sequence[str] | None,
    *,
    table_name: str,
    header: bool,
    numbers: bool = False,
) -> LabelChoice:
    """Return the label columns of a table.

    columns: those that are neither text nor group.    label_names: of a labels file, if any.
    header: False if the names of the columns mean nothing.    numbers: the labels are numbers: it is for regression.
    Raises DataError if no column, or several equally good ones, could hold labels.
    """
    held = [column for column in columns if _holds_numbers(column)] if numbers else []
    if held:
        return _choose_by_name(held, table_name) or _choose_numbers(held, table_name)
    found = _choose_by_label_names(columns, label_names) or _choose_by_name(columns, table_name)
    return found or _choose_by_values(columns, table_name=table_name, header=header)


def _choose_by_label_names(columns: Sequence[Column], label_names: Sequence[str] | None) -> LabelChoice | None:
    by_name = {column.name.strip(): column.name for column in columns}
    if label_names is None or len(label_names) < 2 or not all(name in by_name for name in label_names):
        return None
    names = tuple(by_name[name] for name in label_names)
    reason = f"Labels: the {len(names)} columns that carry the names of the labels file."
    return LabelChoice(names, True, reason)


def _choose_by_name(columns: Sequence[Column], table_name: str) -> LabelChoice | None:
    named = [column for column in columns if column.label_word is not None and column.num_filled]
    best = [column for column in named if column.label_word in _FIRST_NAMES] or named
    best = [column for column in best if len(column.words) == 1] or best  # "label" before "label_id"
    if not best:
        return None
    if len(best) > 1:
        raise _unclear(best, table_name)
    others = [column.name for column in named if column is not best[0]]
    reason = f"Labels: column '{best[0].name}', by its name."
    reason += f" Also there: {listed(others)} (choose with --label)." if others else ""
    return LabelChoice((best[0].name,), False, reason)


def _choose_numbers(columns: Sequence[Column], table_name: str) -> LabelChoice:
    values = [column for column in columns if not column.has_id_name and not _counts_rows(column)] or columns
    if len(values) > 1:
        raise _unclear(values, table_name)
    return LabelChoice((values[0].name,), False, f"Labels: column '{values[0].name}', the only one of numbers.")


def _holds_numbers(column: Column) -> bool:
    """Return True for a column of numbers but for a few cells; a decimal comma is refused where cells are read."""
    numbers = sum(count for value, count in column.values.items() if is_number(value.replace(",", ".", 1)))
    return column.num_filled > 0 and numbers >= MOSTLY_NUMBERS * column.num_filled


def _counts_rows(column: Column) -> bool:
    """Return True for whole numbers one after the other, each once."""
    numbers = [number for value in column.values if (number := parse_whole(value)) is not None]
    return column.all_different and len(numbers) == len(column.values) == max(numbers) - min(numbers) + 1


def _choose_by_values(columns: Sequence[Column], *, table_name: str, header: bool) -> LabelChoice:
    usable = [column for column in columns if column.num_filled and not _is_row_id(column)]
    flags = [column for column in usable if column.is_flags]
    if len(flags) >= 2:
        flags = [column for column in usable if column.flag_share >= MOSTLY_FLAGS]
        others = [column for column in usable if column not in flags and _has_few_values(column)]
        if others:
            raise _unclear([*others, *flags], table_name)
        names = tuple(column.name for column in flags)
        reason = f"Labels: {len(names)} columns of 0/1, one a label: {listed(names)}. Choose with --labels."
        return LabelChoice(names, True, reason)
    candidates = [column for column in usable if _has_few_values(column)]
    best = candidates or [column for column in usable if column.is_continuous]
    if len(candidates) > 1 and not header:  # the raw CoLA files: source, label, star, sentence
        best = [column for column in candidates if column.is_class_ids] or candidates
    if not best:
        raise _none_found(columns, table_name)
    if len(best) > 1:
        raise _unclear(best, table_name)
    return LabelChoice((best[0].name,), False, _guess_reason(best[0], candidates))


def _guess_reason(best: Column, candidates: Sequence[Column]) -> str:
    reason = f"Labels: column '{best.name}' is a guess: {_num_labels(best)} values in {best.num_filled:,} rows."
    others = [column.name for column in candidates if column is not best]
    if others:
        reason += f" It counts from 0 as class numbers do, unlike {listed(others)}."
    return reason + " Choose another with --label."


def _is_row_id(column: Column) -> bool:
    return column.has_id_name or (column.is_identifier and _num_labels(column) == len(column.values))


def _has_few_values(column: Column) -> bool:
    mostly_empty = column.num_filled * 2 < len(column.cells)
    if column.is_continuous or mostly_empty or column.mean_chars > MAX_LABEL_CHARS:
        return False
    return 2 <= _num_labels(column) <= min(MAX_CLASSES, max(2, column.num_filled // 2))


def _num_labels(column: Column) -> int:
    lists = [items for items in column.lists if items is not None]
    if lists:
        return len({str(item) for items in lists for item in items})
    separator = find_separator(column.values)
    if separator is None:
        return len(column.values)
    return len({part for value in column.values for part in split_cell(value, separator)})


def _unclear(candidates: Sequence[Column], table_name: str) -> DataError:
    described = ", ".join(f"'{c.name}' ({_num_labels(c)} values)" for c in candidates[:10])
    more = ", ..." if len(candidates) > 10 else ""
    return DataError(
        f"{table_name}: the label column is not clear. It could be {described}{more}.",
        f"Name it with --label, for example --label {candidates[0].name}.",
    )


def _none_found(columns: Sequence[Column], table_name: str) -> DataError:
    if not columns:
        return DataError(
            f"{table_name} has text but no other column; expected one with the label of each row.",
            "Add a column of labels, or check that the separator of the columns was recognised.",
        )
    empty = [column.name for column in columns if column.label_word is not None and not column.num_filled]
    if empty:
        return DataError(
            f"{table_name}: column {listed(empty)} has the name of a label, but all its cells are empty.",
            "Fill it, or name another column with --label.",
        )
    names = listed([column.name for column in columns])
    numbers = any(_holds_numbers(column) and not column.has_id_name for column in columns)
    return DataError(
        f"{table_name}: no column looks like labels; the columns beside the text are: {names}.",
        "Name the label column with --label" + (", or say --task regression for numbers." if numbers else "."),
    )

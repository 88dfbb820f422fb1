"""Finds out how the cells of one label column are written: plain, delimited, lists or ids.

Knows nothing of other columns; the column itself is chosen by `label_columns`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from fastbert.data.cell_values import is_empty, is_number, parse_flag, parse_whole, split_cell
from fastbert.data.columns import MOSTLY_NUMBERS, Column
from fastbert.data.row_problems import excerpt
from fastbert.data.table import Cell
from fastbert.errors import DataError

LabelKind = Literal["column", "one_hot", "delimited", "json_list", "ids", "number", "none"]
TaskKind = Literal["single_label", "multi_label", "regression"]
TaskOption = Literal["auto", "single_label", "multi_label", "regression"]

SEPARATORS = ("|", ";", ",")
_SEPARATOR_WORDS = {"|": "pipe", ";": "semicolon", ",": "comma", " ": "blank", "\t": "tab"}
MOSTLY_IDS = 0.9  # share of distinct cells that must be whole numbers
_COMMA_NUMBER = re.compile(r"[-+]?([0-9]+),([0-9]+)")
_MAX_PLACES = 5


@dataclass(frozen=True)
class LabelCells:
    """How a label column is written, the task this means, and why."""

    kind: LabelKind
    delimiter: str | None
    task: TaskKind
    reason: str


def read_label_cells(
    column: Column,
    *,
    task: TaskOption,
    delimiter: str | None,
    label_names: Sequence[str] | None,
) -> LabelCells:
    """Return how the cells of a label column are written.

    task, delimiter: options of the user, which win.    label_names: of a labels file, if any.
    Raises DataError for a mixture of lists and plain cells, for a column of numbers that is to be one of classes
    or the reverse, for numbers with a decimal comma, and for a column without repeated values.
    """
    where = f"column '{column.name}'"
    if task == "regression" or (task == "auto" and label_names is None and delimiter is None and column.is_continuous):
        return _number_cells(column, asked=task == "regression")
    if task == "auto" and label_names is None and delimiter is None and _are_decimals(column):
        raise _comma_error(column)
    if any(items is not None for items in column.lists):
        return _list_cells(column, label_names, task)
    ids = _id_cells(column, label_names, task, delimiter)
    if ids is not None:
        return ids
    separator = delimiter
    if delimiter is None and task != "single_label":
        separator = _separator_of(column, label_names, forced=task == "multi_label")
    if separator is not None:
        reason = (
            f"Task: multi_label, because cells of {where} hold several labels with a "
            f"{_SEPARATOR_WORDS.get(separator, repr(separator))} between them. "
            "If a whole cell is one label, use --task single_label."
        )
        parts = {part for value in column.values for part in split_cell(value, separator)}
        reason += _naming_advice(parts, label_names)
        return LabelCells("delimited", separator, "multi_label", reason)
    _check_classes(column)
    chosen = _pick(task, "single_label")
    reason = f"Task: {chosen}, because each cell of {where} is one label."
    reason += _naming_advice(column.values, label_names) or _rating_advice(column, task)
    unused = next((s for s in SEPARATORS if any(s in value for value in column.values)), None)
    if unused is not None and task == "auto" and label_names is None:
        word = _SEPARATOR_WORDS[unused]
        reason += f" Some have a {word}; if it stands between labels, use --delimiter {unused!r}."
    return LabelCells("column", None, chosen, reason)


def _naming_advice(names: Collection[str], label_names: Sequence[str] | None) -> str:
    numbers = {parse_whole(name) for name in names}
    if label_names is not None or numbers != set(range(len(numbers))):
        return ""
    return " The labels are numbers from 0; a labels file (--labels-file) gives them names."


def _are_decimals(column: Column) -> bool:
    """Return True for a column of many numbers with a decimal comma, rather than of lists of numbered labels.

    In a list no number stands twice or begins with a superfluous 0, and those behind a comma stand before one, too.
    """
    parts = [found.groups() for value in column.values if (found := _COMMA_NUMBER.fullmatch(value))]
    if _comma_share(column, whole=True) < MOSTLY_NUMBERS or not column.are_many(len(parts)):
        return False
    if any(behind.startswith("0") and len(behind) > 1 or behind == before for before, behind in parts):
        return True
    behind = {part for _, part in parts}
    return len(behind & {before for before, _ in parts}) * 2 < len(behind)


def _comma_share(column: Column, *, whole: bool) -> float:
    """Return the share of filled cells that are numbers with a comma. whole: count those without a fraction, too."""
    found = sum(
        count
        for value, count in column.values.items()
        if _COMMA_NUMBER.fullmatch(value) or (whole and parse_whole(value) is not None)
    )
    return found / max(1, column.num_filled)


def _comma_error(column: Column) -> DataError:
    example = next(value for value in column.values if _COMMA_NUMBER.fullmatch(value))
    return DataError(
        f"{column.table_name}, column '{column.name}' holds numbers with a comma (such as {excerpt(example)}); "
        "expected a decimal point.",
        "Write them with a decimal point, such as 0.143, and without a mark between thousands. If they are several "
        "labels with a comma between them, use --delimiter ','.",
    )


def _number_cells(column: Column, *, asked: bool) -> LabelCells:
    """Return that the column holds a number a row. Raises DataError where most cells are none."""
    if _comma_share(column, whole=False) >= 0.5:
        raise _comma_error(column)
    if sum(count for value, count in column.values.items() if is_number(value)) * 2 < column.num_filled:
        example = excerpt(next(iter(column.values), "a list"))
        raise DataError(
            f"{column.table_name}, column '{column.name}': regression needs a number in each row; most cells hold "
            f"none (such as {example}).",
            "Name the column of numbers with --label, or drop --task regression to train on labels.",
        )
    why = "as you said" if asked else "because its numbers have fractions and too many values to be classes"
    return LabelCells("number", None, "regression", f"Task: regression of column '{column.name}', {why}.")


def _rating_advice(column: Column, task: TaskOption) -> str:
    """Return a hint for numbers that have an order, such as stars from 1 to 5."""
    if task != "auto" or not column.is_numeric or len(column.values) < 3:
        return ""
    return " The labels are numbers; to predict how high one is rather than which, use --task regression."


def find_separator(values: Collection[str]) -> str | None:
    """Return the separator inside label cells, None if the whole cells are labels.

    values: the distinct cells. A separator counts only if the parts recur in other cells;
    a comma, which occurs inside names ("Yes, please"), only if they recur freely.

    >>> find_separator(["bug|praise", "bug", "praise"]), find_separator(["Yes, please", "No"])
    ('|', None)
    """
    for separator in SEPARATORS:
        parts = _PartCounts(values, separator)
        if separator != "," and parts.recurring_share >= 0.5:
            return separator
        if separator == "," and parts.recurring_share >= 0.8 and parts.combine_freely:
            return separator
    return None


class _PartCounts:
    """How the parts of split cells recur, counted over distinct cells."""

    def __init__(self, values: Collection[str], separator: str) -> None:
        self.split = [frozenset(split_cell(value, separator)) for value in values if separator in value]
        self.alone = {value for value in values if separator not in value}
        counts = Counter(part for parts in self.split for part in parts)
        self.distinct = set(counts)
        recurring = sum(n for part, n in counts.items() if n > 1 or part in self.alone)
        self.recurring_share = recurring / max(1, counts.total())

    @property
    def combine_freely(self) -> bool:
        """True if cells have different numbers of parts, and parts stand alone or mix widely."""
        lengths = {len(parts) for parts in self.split} | ({1} if self.alone else set())
        stand_alone = len(self.distinct & self.alone) >= 0.9 * len(self.distinct)
        return len(lengths) > 1 and (stand_alone or len(self.distinct) * 2 <= len(self.split))


def _separator_of(column: Column, label_names: Sequence[str] | None, *, forced: bool) -> str | None:
    values = column.values
    if label_names is not None:
        known = set(label_names)
        strange = [value for value in values if value not in known]
        for separator in SEPARATORS:
            parts = [part for value in strange if separator in value for part in split_cell(value, separator)]
            if parts and sum(part in known for part in parts) >= len(parts) / 2:
                return separator
        return None
    if forced:
        return next((s for s in SEPARATORS if any(s in value for value in values)), None)
    return find_separator(values)


def _id_cells(
    column: Column, label_names: Sequence[str] | None, task: TaskOption, delimiter: str | None
) -> LabelCells | None:
    if label_names is None or _has_numbers(label_names) or not column.values:
        return None
    separators = (delimiter,) if delimiter is not None else (None, *SEPARATORS, " ")
    best = max(separators, key=lambda separator: _share_of_ids(column.values, separator))
    # not all cells: a few wrong ones are better reported row by row
    if _share_of_ids(column.values, best) < MOSTLY_IDS:
        return None
    chosen = _pick(task, "single_label" if best is None else "multi_label")
    reason = f"Task: {chosen}. Cells of column '{column.name}' are numbers: positions in the labels file, from 0."
    return LabelCells("ids", best, chosen, reason)


def _share_of_ids(values: Collection[str], separator: str | None) -> float:
    cells = [[value] if separator is None else split_cell(value, separator) for value in values]
    return sum(all(parse_whole(part) is not None for part in parts) for parts in cells) / len(cells)


def _has_numbers(names: Sequence[str]) -> bool:
    return any(parse_whole(name) is not None for name in names)


def _pick(wanted: TaskOption, found: TaskKind) -> TaskKind:
    return found if wanted == "auto" else wanted


def _list_cells(column: Column, label_names: Sequence[str] | None, task: TaskOption) -> LabelCells:
    _check_all_lists(column)
    lists = [items for items in column.lists if items is not None]
    if _are_flag_vectors(lists):
        raise DataError(
            f"{column.table_name}: the lists of column '{column.name}' look like vectors of 0/1.",
            "Write the names of the labels into the lists, or give each label a column of its own.",
        )
    chosen = _pick(task, "multi_label")
    reason = f"Task: {chosen}, because cells of column '{column.name}' are lists of labels."
    items = [item for cell in lists for item in cell]
    numbers = bool(items) and all(parse_whole(item) is not None for item in items)
    if numbers and label_names is not None and not _has_numbers(label_names):
        return LabelCells("ids", None, chosen, reason + " Numbers are positions in the labels file.")
    return LabelCells("json_list", None, chosen, reason)


def _check_all_lists(column: Column) -> None:
    plain = [
        number
        for number, cell, items in zip(column.row_numbers, column.cells, column.lists, strict=True)
        if items is None and not is_empty(cell)
    ]
    if plain:
        num_lists = sum(items is not None for items in column.lists)
        places = ", ".join(str(number) for number in plain[:_MAX_PLACES])
        more = ", ..." if len(plain) > _MAX_PLACES else ""
        raise DataError(
            f"{column.table_name}, column '{column.name}': {num_lists} label cells are lists and "
            f"{len(plain)} are not (rows {places}{more}).",
            "Write all of them as lists, or none.",
        )


def _are_flag_vectors(lists: Sequence[Sequence[Cell]]) -> bool:
    lengths = {len(items) for items in lists}
    if len(lengths) != 1 or min(lengths) < 2:
        return False
    flags = all(parse_flag(item) is not None for items in lists for item in items)
    return flags and any(len({str(item) for item in items}) < len(items) for items in lists)


def _check_classes(column: Column) -> None:
    where = f"{column.table_name}, column '{column.name}'"
    if column.is_continuous:
        raise DataError(
            f"{where} holds {len(column.values)} different numbers with fractions: these are not classes.",
            "Use --task regression, or name a column of classes with --label.",
        )
    if column.num_filled > 20 and column.all_different:
        example = excerpt(next(iter(column.values)))
        raise DataError(
            f"{where} has a different value in each of {column.num_filled:,} rows (such as "
            f"{example}): these are not classes.",
            "Name the column of labels with --label, or the separator inside its cells with --delimiter.",
        )

"""Reads the labels of one row, as the layout says they are written.

However they are written, the result is the same: distinct names, sorted. Knows nothing of
texts; what to do with a row that fails is decided in `rows`.
"""

from __future__ import annotations

from collections.abc import Callable

from fastbert.data.cell_values import is_empty, label_text, parse_flag, parse_list, parse_whole, split_cell
from fastbert.data.columns import Column, listed, missing_column
from fastbert.data.layout import Layout
from fastbert.data.row_problems import MAX_EXCERPT, excerpt
from fastbert.data.table import Cell, Row, Table
from fastbert.errors import DataError, did_you_mean
from fastbert.labels import Labels


class AbsentValue(Exception):
    """A row has no text or no label. The message is the reason that rows are grouped by."""


class WrongValue(Exception):
    """A cell holds something that it must not. The message says what, without the place."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class LabelReader:
    """Reads the labels of the rows of one table. The columns are looked up, and checked, once.

    labels: the known labels; without them those that the layout names, if it names any.
    required: False allows the label columns to be missing, or a single label to be empty.
    known: the labels that a row may have, None if they are still to be learned.
    Raises DataError if label columns are missing or, beside 0/1 columns, too many.
    """

    def __init__(self, table: Table, layout: Layout, labels: Labels | None, *, required: bool) -> None:
        names = layout_names(layout)
        self.known = labels if labels is not None or names is None else Labels(names)
        self._layout = layout
        self._required = required
        self._columns = _find_columns(table, layout, required=required)
        readers: dict[str, Callable[[Row], list[str]]] = {
            "one_hot": self._one_hot,
            "column": self._plain,
            "delimited": self._delimited,
            "json_list": self._list,
            "ids": self._ids,
        }
        self._names_of = readers[layout.kind] if self._columns else None
        self._checked: dict[tuple[str, ...], tuple[str, ...]] = {}

    def read(self, row: Row) -> tuple[str, ...] | None:
        """Return the labels of a row, () for none of them, None if they are not known.

        Raises AbsentValue or WrongValue.
        """
        if self._names_of is None:
            return None
        names = tuple(self._names_of(row))
        if self._layout.task == "single_label" and len(names) != 1:
            if names or self._required or self._layout.kind == "one_hot":
                raise self._not_one(names)
            return None
        if names not in self._checked:
            self._checked[names] = self._check(names)
        return self._checked[names]

    def _check(self, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if self.known is not None and name not in self.known:
                raise self._unknown(name, self.known)
        return Labels.from_values(names).names

    def _not_one(self, names: tuple[str, ...]) -> AbsentValue | WrongValue:
        place = _columns_phrase(self._layout)
        if names:
            hint = "Keep one label in the row, or use --task multi_label."
            return WrongValue(f"the row has {len(names)} labels ({listed(names, 5)}), expected one", hint)
        if self._layout.kind == "one_hot":
            return WrongValue(f"none of {place} is 1, expected one", "Set one of them, or use --task multi_label.")
        return AbsentValue(f"{place} is empty")

    def _unknown(self, name: str, known: Labels) -> WrongValue:
        names = ", ".join(_clip(label) for label in list(known)[:20]) + (", ..." if len(known) > 20 else "")
        short = [label for label in known if len(label) <= MAX_EXCERPT]
        hint = did_you_mean(name, short) or "Correct it, or train on data that has this label."
        if self._layout.label_names is not None:
            hint += " To learn labels from the training file instead, drop --labels-file."
        return WrongValue(f"label {excerpt(name)} is not one of the {len(known)} labels ({names})", hint)

    def _one_hot(self, row: Row) -> list[str]:
        names = []
        for name, index in self._columns:
            flag = parse_flag(row.cells[index])
            if flag is None:
                cell = row.cells[index]
                found = "is empty" if is_empty(cell) else f"holds {_show(cell)}"
                raise WrongValue(
                    f"column '{name}' {found}, expected 0 or 1",
                    "Write 1 where the label applies, else 0; name the 0/1 columns with --labels.",
                )
            if flag:
                names.append(name)
        return names

    def _plain(self, row: Row) -> list[str]:
        name = label_text(self._plain_cell(row))
        return [name] if name else []

    def _delimited(self, row: Row) -> list[str]:
        return split_cell(label_text(self._plain_cell(row)), self._layout.delimiter or ",")

    def _list(self, row: Row) -> list[str]:
        cell = row.cells[self._columns[0][1]]
        items = [] if is_empty(cell) else parse_list(cell)
        if items is None:
            place = _columns_phrase(self._layout)
            raise WrongValue(f"{place} holds {_show(cell)}, expected a list", 'Write ["a", "b"], or [] for none.')
        if any(isinstance(item, list) for item in items):
            place = _columns_phrase(self._layout)
            raise WrongValue(f"{place} holds a list of lists", 'Write ["a", "b"], or [] for none.')
        return [label_text(item) for item in items if not is_empty(item)]

    def _ids(self, row: Row) -> list[str]:
        cell = row.cells[self._columns[0][1]]
        if parse_list(cell) is not None:
            parts = self._list(row)
        else:
            parts = self._plain(row) if self._layout.delimiter is None else self._delimited(row)
        return [self._name_of_id(part) for part in parts]

    def _name_of_id(self, text: str) -> str:
        names = self._layout.label_names or ()
        hint = f"Ids are positions in the labels file, counted from 0 to {len(names) - 1}."
        index = parse_whole(text)
        if index is None:
            raise WrongValue(f"label {excerpt(text)} is not a number", hint)
        if not 0 <= index < len(names):
            raise WrongValue(f"label id {index} is out of range; the labels file has {len(names)} names", hint)
        return names[index]

    def _plain_cell(self, row: Row) -> Cell:
        cell = row.cells[self._columns[0][1]]
        if isinstance(cell, list):
            message = f"{_columns_phrase(self._layout)} holds a list, but other rows hold plain labels"
            raise WrongValue(message, "Write all labels as lists, or none.")
        return cell


def layout_names(layout: Layout) -> tuple[str, ...] | None:
    """Return the label names that the layout alone gives: of the labels file or the 0/1 columns."""
    if layout.label_names is None and layout.kind == "one_hot":
        return tuple(name.strip() for name in layout.label_columns)
    return layout.label_names


def index_of(table: Table, column: str, option: str) -> int:
    """Return the position of a column by its name. Raises DataError if it is missing."""
    if column not in table.columns:
        raise missing_column(table, column, option)
    return table.index_of(column)


def _find_columns(table: Table, layout: Layout, *, required: bool) -> list[tuple[str, int]]:
    """Return label name and position of each label column; [] if there are none to read."""
    missing = [name for name in layout.label_columns if name not in table.columns]
    if not layout.label_columns or (not required and len(missing) == len(layout.label_columns)):
        return []
    if len(missing) > 1:
        raise DataError(
            f"{table.name} has no columns for the labels {listed(missing)}. Its columns are: {listed(table.columns)}.",
            "Every file needs all label columns, in any order.",
        )
    if missing:
        raise missing_column(table, missing[0], "--label")
    if layout.kind == "one_hot":
        _check_no_more_flags(table, layout)
    return [(name.strip(), table.index_of(name)) for name in layout.label_columns]


def _check_no_more_flags(table: Table, layout: Layout) -> None:
    used = {layout.text, layout.pair, layout.group, *layout.label_columns, *layout.ignored}
    others = [Column(table, name) for name in table.columns if name not in used]
    more = [column.name for column in others if column.is_flags and not column.has_id_name]
    if more:
        raise DataError(
            f"{table.name} has 0/1 columns that are no labels of the training table: {listed(more)}.",
            "Remove them, or add them to the training table.",
        )


def _columns_phrase(layout: Layout) -> str:
    if len(layout.label_columns) == 1:
        return f"column '{layout.label_columns[0]}'"
    return f"the {len(layout.label_columns)} label columns"


def _show(cell: Cell) -> str:
    return excerpt(cell) if isinstance(cell, str) else _clip(str(cell))


def _clip(name: str) -> str:
    return name if len(name) <= MAX_EXCERPT else name[: MAX_EXCERPT - 3] + "..."

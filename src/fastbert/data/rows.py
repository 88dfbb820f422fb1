"""Turns the rows of a table into typed examples, as its layout says.

A row without text or label is an absence: an error, or left out if the user says so. A wrong
value (an unknown label, a 0/1 cell that holds 2) is a mistake in the data and always an error.
All rows are read before anything is reported. Knows nothing of files, tokens or label ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fastbert.data.cell_values import is_empty, label_text, parse_number
from fastbert.data.columns import listed
from fastbert.data.examples import TextExample, ValueExample
from fastbert.data.label_reader import AbsentValue, LabelReader, WrongValue, index_of, layout_names
from fastbert.data.layout import BadRowOption, Layout
from fastbert.data.row_problems import RowProblems, excerpt
from fastbert.data.table import Cell, Row, Table
from fastbert.errors import DataError
from fastbert.labels import Labels

Truth = TypeVar("Truth")
Made = TypeVar("Made")

MAX_PLACES = 5  # rows named for each reason


@dataclass(frozen=True)
class SkippedRows:
    """Rows that were left out for one reason. rows: the first five row numbers."""

    reason: str
    count: int
    rows: tuple[int, ...]

    def describe(self) -> str:
        """Return a phrase such as "column 'text' is empty (rows 4, 9)"."""
        more = ", ..." if self.count > len(self.rows) else ""
        unit = "row" if self.count == 1 else "rows"
        return f"{self.reason} ({unit} {', '.join(map(str, self.rows))}{more})"


@dataclass(frozen=True)
class Report:
    """What happened to the rows of one table.

    skipped: by reason, in order of first occurrence.    warnings: sentences for people.
    """

    name: str
    num_rows: int
    skipped: tuple[SkippedRows, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def num_skipped(self) -> int:
        """Number of rows that were left out."""
        return sum(group.count for group in self.skipped)

    def sentences(self) -> list[str]:
        """Return one sentence for each thing worth knowing; empty if all rows are used."""
        left_out = [
            f"{group.count:,} of {self.num_rows:,} rows of {self.name} left out: {group.describe()}."
            for group in self.skipped
        ]
        return [*left_out, *self.warnings]


def to_examples(
    table: Table,
    layout: Layout,
    *,
    labels: Labels | None = None,
    labels_required: bool = True,
    on_bad_row: BadRowOption = "error",
) -> tuple[list[TextExample], Report]:
    """Return the examples of a table in row order, and a report of the rows left out.

    labels: those learned from the training table; any other label is an error. Without them
        the names of the layout (labels file, 0/1 columns) are the known ones, if it has any.
    labels_required: False reads a table without the label columns, or with empty label
        cells, as rows to predict: their labels are None.
    Labels of one example are distinct and sorted, however they were written.
    Raises DataError for missing columns, wrong values and, unless told to skip, absent ones.
    """
    names = LabelReader(table, layout, labels, required=labels_required)
    examples, skipped = _read_rows(table, layout, names.read, TextExample)
    report = Report(table.name, len(table), skipped, _warnings(table.name, examples, names.known))
    return examples, _checked(report, on_bad_row)


def to_values(
    table: Table, layout: Layout, *, values_required: bool = True, on_bad_row: BadRowOption = "error"
) -> tuple[list[ValueExample], Report]:
    """Return the examples of a table whose label column holds numbers, and a report of the rows left out.

    values_required: False reads a table without that column, or with empty cells in it, as rows to predict.
    Raises DataError as `to_examples` does; a cell that is not a finite number is a wrong value.
    """
    numbers = _NumberReader(table, layout, required=values_required)
    examples, skipped = _read_rows(table, layout, numbers.read, ValueExample)
    return examples, _checked(Report(table.name, len(table), skipped), on_bad_row)


def _read_rows(
    table: Table,
    layout: Layout,
    read_truth: Callable[[Row], Truth],
    make: Callable[[str, str | None, Truth, str, str | None], Made],
) -> tuple[list[Made], tuple[SkippedRows, ...]]:
    """Read all rows before anything is reported; return what was made of them and what was left out."""
    texts = _TextReader(table, layout)
    group = None if layout.group is None else index_of(table, layout.group, "--group")
    examples: list[Made] = []
    absent: dict[str, list[int]] = {}
    wrong = RowProblems(table.name)
    hint = ""
    for row in table.rows:
        try:
            found = read_truth(row)  # first: a wrong label counts even where the text is empty
            text, pair = texts.read(row)
        except AbsentValue as absence:
            absent.setdefault(str(absence), []).append(row.number)
        except WrongValue as mistake:
            wrong.add(row.number, str(mistake))
            hint = hint or mistake.hint
        else:
            examples.append(make(text, pair, found, table.where(row), _group_of(row, group)))
    wrong.raise_if_any(hint)
    return examples, tuple(SkippedRows(why, len(rows), tuple(rows[:MAX_PLACES])) for why, rows in absent.items())


def _checked(report: Report, on_bad_row: BadRowOption) -> Report:
    """Return a report, unless rows were left out that must not be, or none is left."""
    if report.skipped and (on_bad_row == "error" or report.num_skipped == report.num_rows):
        raise _absent_error(report)
    return report


def infer_labels(examples: Sequence[TextExample], layout: Layout) -> Labels:
    """Return the labels to train: in the order of the labels file or of the 0/1 columns, else sorted.

    Raises DataError if there are fewer than two, or if no example differs from the others.
    """
    used = Counter(name for example in examples for name in example.labels or ())
    names = layout_names(layout)
    labels = Labels.from_values(used) if names is None else Labels(names)
    hint = "Training needs at least two labels. Name another label column with --label."
    if not used:
        raise DataError(f"None of the {len(examples):,} rows has a label.", hint)
    only = next(iter(used))
    if len(labels) < 2:
        raise DataError(f"There is only one label, {excerpt(only)}, in {len(examples):,} rows.", hint)
    if len(used) == 1 and layout.task == "single_label":
        raise DataError(f"All {len(examples):,} rows have the label {excerpt(only)}.", hint)
    return labels


class _NumberReader:
    """Reads the number of each row of one table. required: False allows the column, or a cell, to be missing."""

    def __init__(self, table: Table, layout: Layout, *, required: bool) -> None:
        self._name = layout.label_columns[0]
        self._required = required
        absent = self._name not in table.columns and not required
        self._index = None if absent else index_of(table, self._name, "--label")

    def read(self, row: Row) -> float | None:
        """Return the number. Raises AbsentValue or WrongValue."""
        cell = None if self._index is None else row.cells[self._index]
        if is_empty(cell):
            if self._required:
                raise AbsentValue(f"column '{self._name}' is empty")
            return None
        number = parse_number(cell)
        if number is not None:
            return number
        shown = excerpt(cell) if isinstance(cell, str) else str(cell)[:40]
        raise WrongValue(
            f"column '{self._name}' holds {shown}, expected a number",
            "Write it with a decimal point and without a unit, such as 3.5.",
        )


class _TextReader:
    """Reads the text, or the pair, of one table. The columns are looked up once."""

    def __init__(self, table: Table, layout: Layout) -> None:
        names = (layout.text,) if layout.pair is None else (layout.text, layout.pair)
        self._columns = [(name, index_of(table, name, "--text")) for name in names]

    def read(self, row: Row) -> tuple[str, str | None]:
        """Return text and pair as they are written. Raises AbsentValue."""
        texts = [_text_of(row.cells[index], name) for name, index in self._columns]
        return texts[0], texts[1] if len(texts) == 2 else None


def _text_of(cell: Cell, column: str) -> str:
    if is_empty(cell):
        raise AbsentValue(f"column '{column}' is empty")
    if not isinstance(cell, str):
        kind = "a list" if isinstance(cell, list) else "true or false" if isinstance(cell, bool) else "a number"
        raise AbsentValue(f"column '{column}' holds {kind} instead of text")
    return cell


def _group_of(row: Row, index: int | None) -> str | None:
    cell = None if index is None else row.cells[index]
    return str(cell) if isinstance(cell, list) else label_text(cell) or None


def _warnings(name: str, examples: Sequence[TextExample], known: Labels | None) -> tuple[str, ...]:
    used = {label for example in examples for label in example.labels or ()}
    read = any(example.labels is not None for example in examples)
    unused = [label for label in known or () if label not in used]
    if not read or not unused:
        return ()
    what = "label" if len(unused) == 1 else "labels"
    return (f"No row of {name} has the {what} {listed(unused)}: nothing is learned or measured there.",)


def _absent_error(report: Report) -> DataError:
    reasons = "; ".join(group.describe() for group in report.skipped)
    if report.num_skipped == report.num_rows:
        return DataError(
            f"{report.name}: none of the {report.num_rows:,} rows can be used: {reasons}.",
            "Choose other columns with --text and --label.",
        )
    return DataError(
        f"{report.name}: {report.num_skipped:,} of {report.num_rows:,} rows cannot be used: {reasons}.",
        "Correct them, or leave them out with `--on-bad-row skip`.",
    )

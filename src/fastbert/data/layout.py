"""What the columns of a table mean: which holds the text, which the labels, and how written.

What the user names wins; the rest is inferred, and each inference gives its reason in words,
to be printed before training. Knows nothing of examples (`rows` reads those) nor of files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, cast, get_args

from fastbert.data.cell_values import label_text, parse_flag
from fastbert.data.columns import Column, find_column, listed
from fastbert.data.header import ExpectedHeader, Header
from fastbert.data.label_cells import LabelCells, LabelKind, TaskKind, TaskOption, read_label_cells
from fastbert.data.label_columns import LabelChoice, choose_labels
from fastbert.data.label_names import read_label_names
from fastbert.data.table import Table
from fastbert.data.text_columns import TextChoice, choose_text
from fastbert.errors import ConfigError, DataError, did_you_mean

__all__ = ["BadRowOption", "Layout", "LayoutOptions", "detect_layout", "read_label_names"]

BadRowOption = Literal["error", "skip"]


@dataclass(frozen=True)
class LayoutOptions:
    """What the user says of a table; everything left out is inferred.

    text: one column, or two for a pair of texts. Columns are names, or numbers counted from 0.
    labels: one label column, or the 0/1 columns of one label each.
    label_names: the contents of a labels file, in order.
    delimiter: separator of several labels inside one cell.
    group: column whose rows never cross a split.
    on_bad_row: what to do with a row that has no text or no label.
    Raises ConfigError for options that contradict each other.
    """

    text: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    task: TaskOption = "auto"
    label_names: tuple[str, ...] | None = None
    delimiter: str | None = None
    group: str | None = None
    on_bad_row: BadRowOption = "error"

    def __post_init__(self) -> None:
        _check_choice("task", self.task, get_args(TaskOption))
        _check_choice("on_bad_row", self.on_bad_row, get_args(BadRowOption))
        if len(self.text) > 2:
            raise ConfigError(f"--text names {len(self.text)} columns.", "Name one, or two for a pair.")
        if self.delimiter == "":
            raise ConfigError("--delimiter is empty.", "Give the character between two labels of one cell.")
        if self.task == "regression" and not (self.delimiter is None and self.label_names is None):
            option = "--delimiter" if self.delimiter is not None else "--labels-file"
            raise ConfigError(f"{option} is about labels, but --task is regression.", "Drop one of the two.")
        if self.delimiter is not None and self.task == "single_label":
            raise ConfigError(
                "--delimiter separates several labels of one cell, but --task is single_label.",
                "Drop one of the two.",
            )
        if self.delimiter is not None and len(self.labels) > 1:
            raise ConfigError(
                f"--delimiter needs one label column, but --labels names {len(self.labels)}.",
                "Drop --delimiter, or name one column.",
            )


@dataclass(frozen=True)
class Layout:
    """The meaning of the columns of a table, and the reasons for it.

    text, pair: columns of the text and of the second text, if any.
    label_columns: one column, or for kind "one_hot" one 0/1 column a label.
    kind: how label cells are written. "ids" are positions in `label_names`, alone, in lists,
        or separated by `delimiter`. "none": there are no labels (`task` then means nothing).
    ignored: columns of the table that are not used.
    reasons: sentences that say what was inferred and why.
    header: False if the table had no header; its columns are then numbers.
    """

    text: str
    pair: str | None
    label_columns: tuple[str, ...]
    kind: LabelKind
    delimiter: str | None
    task: TaskKind
    label_names: tuple[str, ...] | None
    group: str | None
    reasons: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    header: bool = True

    def to_json(self) -> dict[str, object]:
        """Return a dict of plain JSON values."""
        pairs = ((item.name, getattr(self, item.name)) for item in fields(self))
        return {name: list(value) if isinstance(value, tuple) else value for name, value in pairs}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Layout:
        """Return the layout that `to_json` described. Raises DataError if it is damaged."""
        label_names = values.get("label_names")
        return cls(
            text=_text_of(values, "text"),
            pair=_optional_text(values, "pair"),
            label_columns=_texts_of(values, "label_columns"),
            kind=_kind_of(_text_of(values, "kind")),
            delimiter=_optional_text(values, "delimiter"),
            task=_task_of(_text_of(values, "task")),
            label_names=None if label_names is None else _texts_of(values, "label_names"),
            group=_optional_text(values, "group"),
            reasons=_texts_of(values, "reasons"),
            ignored=_texts_of(values, "ignored"),
            header=_header_of(values),
        )

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Return the column of the text, or the two of a pair."""
        return (self.text,) if self.pair is None else (self.text, self.pair)

    def without_group(self) -> Layout:
        """Return the layout for a table that is not split: it needs no group column, nor uses one."""
        return self if self.group is None else replace(self, group=None, ignored=(*self.ignored, self.group))

    def header_of_another(self, given: bool | None, *, lone_texts: bool = False) -> Header:
        """Return how to know the header of another table that is read by this layout.

        given: what the user says of it; None if nothing.    lone_texts: see ExpectedHeader.
        """
        if given is not None or not self.header:
            return bool(given)
        return ExpectedHeader(self.text_columns, lone_texts)


def detect_layout(table: Table, options: LayoutOptions | None = None, *, labels_required: bool = True) -> Layout:
    """Return what the columns of a table mean.

    labels_required: False if the table may be without labels; a label column that cannot be
        found then gives kind "none".
    Raises DataError if a named column is missing, if the choice is not clear, or if the
    labels cannot be trained on.
    """
    options = options or LayoutOptions()
    if not table.rows:
        raise DataError(f"{table.name} has no rows.", "Check that it is the file you meant.")
    label_names = tuple(find_column(table, name, "--label") for name in options.labels)
    group = None if options.group is None else find_column(table, options.group, "--group")
    columns = {name: Column(table, name) for name in table.columns}
    text = _find_text(table, columns, options, {*label_names, group})
    texts = {text.text, text.pair}
    for name in label_names:
        if name in texts or name == group or label_names.count(name) > 1:
            raise DataError(
                f"{table.name}: column '{name}' is a label and is named a second time.",
                "Text, labels and group are different columns; name each one once.",
            )
    rest = [column for name, column in columns.items() if name not in texts | {group}]
    choice, cells = _find_labels(table, rest, options, label_names, labels_required=labels_required)
    used = texts | {group} | set(choice.names)
    ignored = tuple(name for name in table.columns if name not in used)
    reasons = [text.reason, choice.reason, cells.reason]
    reasons += [f"Group: column '{group}'."] if group is not None else []
    reasons += [f"Not used: {listed(ignored)}."] if ignored else []
    return Layout(
        text=text.text,
        pair=text.pair,
        label_columns=choice.names,
        kind=cells.kind,
        delimiter=cells.delimiter,
        task=cells.task,
        label_names=options.label_names if choice.names else None,
        group=group,
        reasons=tuple(reason for reason in reasons if reason),
        ignored=ignored,
        header=table.format.header,
    )


def _find_text(
    table: Table, columns: Mapping[str, Column], options: LayoutOptions, taken: set[str | None]
) -> TextChoice:
    if not options.text:
        free = [column for name, column in columns.items() if name not in taken]
        return choose_text(free, table.name)
    names = [find_column(table, name, "--text") for name in options.text]
    pair = names[1] if len(names) == 2 else None
    if pair == names[0]:
        raise DataError(f"--text names the column '{pair}' twice.", "Name two different columns for a pair.")
    shown_names = " and ".join(f"'{name}'" for name in names)
    return TextChoice(names[0], pair, f"Text: {shown_names}, as you named {'it' if pair is None else 'them'}.")


def _find_labels(
    table: Table,
    rest: list[Column],
    options: LayoutOptions,
    names: tuple[str, ...],
    *,
    labels_required: bool,
) -> tuple[LabelChoice, LabelCells]:
    if names:
        multi = len(names) > 1
        only = next(column for column in rest if column.name == names[0])
        lone_flags = options.task == "multi_label" and only.is_flags and options.label_names is None
        reason = f"Labels: {listed(names)}, as you named {'them' if multi else 'it'}."
        choice = LabelChoice(names, multi or lone_flags, reason)
        return choice, _read_cells(rest, choice, options)
    try:
        choice = choose_labels(
            rest,
            options.label_names,
            table_name=table.name,
            header=table.format.header,
            numbers=options.task == "regression",
        )
        return choice, _read_cells(rest, choice, options)
    except DataError:
        if labels_required:
            raise
    nothing = LabelCells("none", None, "single_label", "")
    return LabelChoice((), False, "Labels: none, because no column is clearly the label."), nothing


def _read_cells(rest: list[Column], choice: LabelChoice, options: LayoutOptions) -> LabelCells:
    by_name = {column.name: column for column in rest}
    if len(choice.names) > 1 and options.task == "regression":
        raise DataError(
            f"{by_name[choice.names[0]].table_name}: regression reads one column of numbers; "
            f"{listed(choice.names)} are {len(choice.names)}.",
            "Name one column with --label.",
        )
    if not choice.one_hot:
        return read_label_cells(
            by_name[choice.names[0]],
            task=options.task,
            delimiter=options.delimiter,
            label_names=options.label_names,
        )
    chosen = [by_name[name] for name in choice.names]
    if options.delimiter is not None:
        raise DataError(
            f"{chosen[0].table_name}: --delimiter is for one label column; {listed(choice.names)} are 0/1.",
            "Name the column with --label, or drop --delimiter.",
        )
    _check_one_hot_names(chosen[0].table_name, choice.names, options.label_names)
    task: TaskKind = "multi_label" if options.task == "auto" else options.task
    reason = f"Task: {task}, because each label has its own column of 0/1."
    if options.task == "auto" and _is_one_of_many(chosen):
        reason += " Every row has exactly one 1: to train a choice of one label, use --task single_label."
    return LabelCells("one_hot", None, task, reason)


def _check_one_hot_names(table_name: str, columns: tuple[str, ...], names: tuple[str, ...] | None) -> None:
    """Raise DataError unless the 0/1 columns are those of the labels file."""
    labels = [label_text(column) for column in columns]
    if names is None or sorted(labels) == sorted(names):
        return
    missing = [name for name in names if name not in labels]
    strange = [label for label in labels if label not in names]
    parts = [f"no column for {listed(missing)}"] if missing else []
    parts += [f"columns that are not in the labels file: {listed(strange)}"] if strange else []
    raise DataError(
        f"{table_name}: the 0/1 columns do not fit the labels file: {'; '.join(parts)}.",
        "Name the columns with --labels, or drop --labels-file.",
    )


def _is_one_of_many(columns: list[Column]) -> bool:
    flags = ([parse_flag(cell) for cell in column.cells] for column in columns)
    return all(row.count(True) == 1 for row in zip(*flags, strict=True))


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        close = did_you_mean(value, choices)
        raise ConfigError(f"{name} is '{value}', expected one of {listed(choices)}.", close)


def _damaged(name: str) -> DataError:
    return DataError(f"The saved column layout is damaged at '{name}'.", "Write it again by training again.")


def _text_of(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise _damaged(name)
    return value


def _optional_text(values: Mapping[str, object], name: str) -> str | None:
    return None if values.get(name) is None else _text_of(values, name)


def _texts_of(values: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = values.get(name, [])
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise _damaged(name)
    return tuple(value)


def _header_of(values: Mapping[str, object]) -> bool:
    value = values.get("header")
    if value is None:  # layouts of before it was saved
        return not _text_of(values, "text").isdigit()
    if not isinstance(value, bool):
        raise _damaged("header")
    return value


def _kind_of(value: str) -> LabelKind:
    if value not in get_args(LabelKind):
        raise _damaged("kind")
    return cast(LabelKind, value)


def _task_of(value: str) -> TaskKind:
    if value not in get_args(TaskKind):
        raise _damaged("task")
    return cast(TaskKind, value)

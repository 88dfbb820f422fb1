"""The files to check, as far as they can be read: examples with their places, and the rows that are none.

A row that training would refuse is set aside with a reason instead of ending the check. Knows nothing of what
makes a row suspicious.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from fastbert.config import DataConfig
from fastbert.data.cell_values import is_empty, parse_number
from fastbert.data.columns import listed
from fastbert.data.examples import Example, show_truth
from fastbert.data.label_reader import AbsentValue, LabelReader, WrongValue, index_of
from fastbert.data.layout import Layout
from fastbert.data.reading import AnyLayout, ReadFile, find_layout, read_examples, read_file
from fastbert.data.sources import Source, read_table
from fastbert.data.table import Row, Table
from fastbert.errors import ConfigError, DataError
from fastbert.insight.doctor.damage import Damage, open_damaged
from fastbert.insight.doctor.findings import FlaggedRow, place_of
from fastbert.insight.doctor.spelling import is_blank

SPLITS = ("train", "valid", "test")
Reason = Literal["no_text", "no_label", "wrong_label"]
UNSEEN = "invisible characters alone"


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row of a table that is no example. index: in the table's rows.    what: in words; "" says no more."""

    index: int
    reason: Reason
    what: str = ""


@dataclass(frozen=True, eq=False)  # one is known by being itself: it holds all rows
class Part:
    """One split. rows: number, or name, of the row of each example.

    table: all rows as they were read, None for tagged text and questions.
    indices: of the row of each example in the table.    skipped: sentences about what the reader left out.
    """

    split: str
    path: Path
    name: str
    examples: tuple[Example, ...]
    rows: tuple[str, ...]
    format: str
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    table: Table | None = None
    indices: tuple[int, ...] = ()
    aside: tuple[SetAside, ...] = ()
    damage: Damage = Damage()

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def num_rows(self) -> int:
        """Number of rows, those that were set aside included."""
        return len(self.examples) + len(self.aside)

    def place(self, index: int) -> str:
        """Return the place of an example."""
        return place_of(self.name, self.rows[index])

    def flag(self, index: int, detail: str = "", other: str = "") -> FlaggedRow:
        """Return an example as a row to look at."""
        example = self.examples[index]
        text = example.text if example.pair is None else f"{example.text} | {example.pair}"
        return FlaggedRow(
            self.split, self.name, self.rows[index], text, show_truth(example.truth), detail=detail, other=other
        )


@dataclass(frozen=True)
class Material:
    """All splits, by name in the order of SPLITS, and how they were understood."""

    layout: AnyLayout
    config: DataConfig
    parts: Mapping[str, Part]

    @property
    def task(self) -> str:
        """Return the name of the task."""
        return self.layout.task

    @property
    def num_examples(self) -> int:
        """Return how many examples there are in all splits."""
        return sum(map(len, self.parts.values()))

    def if_fixable(self, words: str) -> str:
        """Return words about --fix where copies can be written: of tables of texts with labels or numbers."""
        return words if isinstance(self.layout, Layout) else ""

    def examples(self) -> Iterator[tuple[Part, int, Example]]:
        """Yield every example with its split and its index there, in order."""
        for part in self.parts.values():
            for index, example in enumerate(part.examples):
                yield part, index, example

    def truth(self, example: Example) -> tuple[str, ...]:
        """Return the names of the labels, or of the entities' labels, that an example has; () for other truths."""
        items = example.truth if isinstance(example.truth, tuple) else ()
        return tuple(dict.fromkeys(name for item in items if isinstance(name := getattr(item, "label", item), str)))


def read_material(files: Mapping[str, Path], config: DataConfig) -> Material:
    """Read the files of the splits; the layout is that of the training file.

    files: by split, "train" and any of "valid" and "test".
    Raises DataError for a file that cannot be read at all, ConfigError for one that is named twice.
    """
    _check_distinct(files)
    lenient = config.changed(on_bad_row="skip")
    source, damage = open_damaged(files["train"])
    layout, table = find_layout(source, lenient)
    parts = {"train": _read_part("train", files["train"], source, damage, (layout, table, lenient))}
    for split in SPLITS[1:]:
        if split in files:
            source, damage = open_damaged(files[split])
            parts[split] = _read_part(split, files[split], source, damage, (layout, None, lenient))
    return Material(layout, lenient, _with_own_names(parts))


def _check_distinct(files: Mapping[str, Path]) -> None:
    seen: dict[Path, str] = {}
    for split, path in files.items():
        first = seen.setdefault(path.resolve(), split)
        if first != split:
            raise ConfigError(f"{path} is named as {first} and as {split}.", "Name each file once.")


def _with_own_names(parts: Mapping[str, Part]) -> dict[str, Part]:
    """Return parts whose names differ: of a/data.csv and b/data.csv, the folder is shown too."""
    names = [part.name for part in parts.values()]
    return {
        split: replace(part, name=f"{part.path.parent.name}/{part.name}") if names.count(part.name) > 1 else part
        for split, part in parts.items()
    }


def _read_part(
    split: str,
    path: Path,
    source: Source,
    damage: Damage,
    how: tuple[AnyLayout, Table | None, DataConfig],
) -> Part:
    layout, table, config = how
    if not isinstance(layout, Layout):
        found = read_file(source, layout, config)
        name, rows = _places(found)
        part = Part(split, path, name, tuple(found.examples), rows, found.format, damage=damage)
        return replace(part, skipped=tuple(_skipped(found)), notes=found.report.warnings)
    if table is None:
        table = read_table(source, header=layout.header_of_another(config.has_header))
        layout = layout if layout.group in table.columns else layout.without_group()
    if split != "train" and not any(name in table.columns for name in layout.label_columns):
        _refuse_unlabelled(split, table, layout)
    usable, aside = _sort_rows(table, layout)
    if not usable:
        _refuse(table, layout, config)
    found = read_examples(replace(table, rows=[table.rows[index] for index in usable]), layout, config)
    return Part(
        *(split, path, table.name, tuple(found.examples)),
        rows=tuple(str(table.rows[index].number) for index in usable),
        format=found.format,
        notes=table.notes,
        table=table,
        indices=tuple(usable),
        aside=tuple(aside),
        damage=damage,
    )


def _refuse_unlabelled(split: str, table: Table, layout: Layout) -> None:
    raise DataError(
        f"{table.name} has no labels: none of its columns ({listed(table.columns)}) is one of "
        f"{listed(layout.label_columns)}.",
        f"Leave --{split} out. Texts that say the same in two tables are found without labels by "
        "`fastbert similar TRAIN --against FILE`.",
    )


def _refuse(table: Table, layout: Layout, config: DataConfig) -> None:
    """Raise DataError for a table of which no row can be used."""
    read_examples(table, layout, replace(config, on_bad_row="error"))  # which says why, where training stops too
    raise DataError(
        f"{table.name}: no row has a text: all {len(table.rows):,} hold {UNSEEN}.", "Choose another column with --text."
    )


def _skipped(found: ReadFile) -> Iterator[str]:
    for group in found.report.skipped:
        yield f"{group.count:,} of {found.report.num_rows:,} of {found.name} cannot be read: {group.describe()}"


def _places(found: ReadFile) -> tuple[str, tuple[str, ...]]:
    """Return the file of all examples and the name of each one's row or line in it."""
    wheres = [example.where for example in found.examples]
    files = {where.rpartition(", ")[0] for where in wheres}
    name = files.pop() if len(files) == 1 else found.name  # of parallel files, that of the tokens
    return name, tuple(where.removeprefix(f"{name}, ").removeprefix("row ") for where in wheres)


def _sort_rows(table: Table, layout: Layout) -> tuple[list[int], list[SetAside]]:
    """Return the rows that training can use, and the others with the reason."""
    texts = [index_of(table, name, "--text") for name in layout.text_columns]
    read_truth = _truth_reader(table, layout)
    usable: list[int] = []
    aside: list[SetAside] = []
    for index, row in enumerate(table.rows):
        cells = [row.cells[column] for column in texts]
        if any(not isinstance(cell, str) or is_empty(cell) for cell in cells):
            aside.append(SetAside(index, "no_text"))
            continue
        if any(isinstance(cell, str) and is_blank(cell) for cell in cells):
            aside.append(SetAside(index, "no_text", UNSEEN))  # a cleaned copy would hold an empty text
            continue
        try:
            read_truth(row)
        except AbsentValue:
            aside.append(SetAside(index, "no_label"))
        except WrongValue as mistake:
            aside.append(SetAside(index, "wrong_label", str(mistake)))
        else:
            usable.append(index)
    return usable, aside


class _NumberReader:
    def __init__(self, table: Table, layout: Layout) -> None:
        self._name = layout.label_columns[0]
        self._index = index_of(table, self._name, "--label")

    def read(self, row: Row) -> None:
        cell = row.cells[self._index]
        if is_empty(cell):
            raise AbsentValue(f"column '{self._name}' is empty")
        if parse_number(cell) is None:
            raise WrongValue(f"column '{self._name}' holds no number", "")


def _truth_reader(table: Table, layout: Layout) -> Callable[[Row], object]:
    if layout.kind == "number":
        return _NumberReader(table, layout).read
    return LabelReader(table, layout, None, required=True).read


def texts_of(examples: Sequence[Example]) -> tuple[list[str], list[str | None]]:
    """Return the texts of examples and the second texts of pairs."""
    return [example.text for example in examples], [example.pair for example in examples]

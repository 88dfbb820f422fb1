"""What a cleaned copy changes: rows that are dropped, and cells that are written anew. Nothing is written here.

Only what is safe: texts that repeat, empty rows, wrong characters, labels that differ in case or blanks. Knows
nothing of formats.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from fastbert.data.cell_values import parse_list, split_cell
from fastbert.data.columns import listed
from fastbert.data.label_reader import layout_names
from fastbert.data.layout import Layout
from fastbert.data.table import Cell
from fastbert.errors import ConfigError
from fastbert.insight.doctor.duplicates import Repeats, loose_key
from fastbert.insight.doctor.material import Material, Part
from fastbert.insight.doctor.spelling import repair


@dataclass(frozen=True, slots=True)
class Change:
    """One change. action: "dropped", "text" or "label".    column, before, after: of a cell that is written anew."""

    file: str
    row: str
    action: str
    reason: str
    column: str = ""
    before: str = ""
    after: str = ""


@dataclass
class CleanPart:
    """What becomes of one split. dropped: indices of the table's rows.    cells: new ones, by row and column."""

    part: Part
    dropped: dict[int, str] = field(default_factory=dict)
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)

    @property
    def kept(self) -> list[int]:
        """Return the indices of the rows that stay, in order."""
        assert self.part.table is not None
        return [index for index in range(len(self.part.table.rows)) if index not in self.dropped]


Member = tuple[CleanPart, int, frozenset[object]]  # a row of the table, and its truth in the usual spelling


@dataclass(frozen=True)
class Cleaning:
    """All changes. parts: by split."""

    material: Material
    parts: Mapping[str, CleanPart]

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """Return every change, in the order of the files."""
        return tuple(
            change for part in self.parts.values() for change in _changes(part, self.material.layout.text_columns)
        )

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Return why training would refuse the copies, in sentences: rows that were dropped may be missed."""
        left = {split: self._labels_of(part) for split, part in self.parts.items()}
        found = [f"{part.part.name}: no row is left" for part in self.parts.values() if not part.kept]
        layout = self.material.layout
        if not isinstance(layout, Layout) or layout_names(layout) is not None:
            return tuple(found)  # labels that are named elsewhere need no rows in train
        had = {name for example in self.material.parts["train"].examples for name in self.material.truth(example)}
        for split, names in left.items():
            gone = sorted(name for name in names - left["train"] if name in had)
            if gone:
                found.append(f"all rows of train with {listed(gone, 8)} are dropped, and {split} has such rows")
        return tuple(found)

    def _labels_of(self, clean: CleanPart) -> set[str]:
        spellings, part = label_spellings(self.material), clean.part
        return {
            spellings.get(name, name)
            for index, example in zip(part.indices, part.examples, strict=True)
            if index not in clean.dropped
            for name in self.material.truth(example)
        }


def check_fixable(material: Material) -> None:
    """Raise ConfigError for tagged text and questions, of which no copy is written: offsets would have to move."""
    if not isinstance(material.layout, Layout):
        raise ConfigError(
            "--fix writes tables of texts with labels or numbers; these files hold tagged text or questions.",
            "Use --out FOLDER: rows.csv lists the rows to look at.",
        )


def plan_cleaning(material: Material, *, drop_conflicts: bool = False) -> Cleaning:
    """Return what a cleaned copy of the files changes.

    Raises what `check_fixable` does.
    """
    check_fixable(material)
    assert isinstance(material.layout, Layout)
    parts = {split: CleanPart(part) for split, part in material.parts.items()}
    spellings = label_spellings(material)
    keys: dict[str, list[Member]] = {}
    for clean in parts.values():
        _clean_cells(clean, material.layout, spellings)
        clean.dropped |= {one.index: "it has no text" for one in clean.part.aside if one.reason == "no_text"}
        for index, example in zip(clean.part.indices, clean.part.examples, strict=True):
            pair = None if example.pair is None else repair(example.pair)
            names = material.truth(example)
            truth = frozenset(spellings.get(name, name) for name in names) if names else frozenset([example.truth])
            keys.setdefault(loose_key(repair(example.text), pair), []).append((clean, index, truth))
    repeats = Repeats.of(material)
    for members in keys.values():
        if drop_conflicts and len({truth for _, _, truth in members}) > 1 and _is_conflict(repeats, members):
            for clean, index, _ in members:
                clean.dropped[index] = "the same text has different truths"
        elif len(members) > 1:
            _drop_repeats(members)
    return Cleaning(material, parts)


def label_spellings(material: Material) -> dict[str, str]:
    """Return the names that are another one but for case and blanks, each with its most frequent spelling."""
    layout = material.layout
    if not isinstance(layout, Layout) or layout.kind not in ("column", "delimited", "json_list") or layout.label_names:
        return {}
    counts = Counter(name for _, _, example in material.examples() for name in material.truth(example))
    usual: dict[str, str] = {}
    result = {}
    for name, _ in counts.most_common():
        first = usual.setdefault(" ".join(unicodedata.normalize("NFKC", name).casefold().split()), name)
        if first != name:
            result[name] = first
    return result


def _is_conflict(repeats: Repeats, members: Sequence[Member]) -> bool:
    """Return True unless the truths are numbers that are near each other."""
    numbers = [value for _, _, truth in members for value in truth if isinstance(value, float)]
    return not numbers or repeats.far_apart(numbers)


def _drop_repeats(members: Sequence[Member]) -> None:
    """Drop the rows of a text but the first of each truth in its split, and those that a later split has, too."""
    seen: dict[tuple[int, frozenset[object]], int] = {}
    last = members[-1][0]  # members are in the order of the splits: what is tested on stays
    later = next(index for clean, index, _ in members if clean is last)
    for clean, index, truth in members:
        first = seen.setdefault((id(clean), truth), index)
        if first != index:
            clean.dropped[index] = f"repeats {_place(clean, first)}"
        elif clean is not last:
            clean.dropped[index] = f"the text is in {last.part.split} too ({_place(last, later)})"


def _place(clean: CleanPart, index: int) -> str:
    assert clean.part.table is not None
    return clean.part.table.where(clean.part.table.rows[index])


def _clean_cells(clean: CleanPart, layout: Layout, spellings: Mapping[str, str]) -> None:
    table = clean.part.table
    assert table is not None
    texts = [table.index_of(name) for name in layout.text_columns]
    labels = [table.index_of(name) for name in layout.label_columns] if spellings else []
    for index, row in enumerate(table.rows):
        for column in texts:
            cell = row.cells[column]
            if isinstance(cell, str) and (repaired := repair(cell)) != cell:
                clean.cells[index, column] = repaired
        for column in labels:
            spelt = _spelt(row.cells[column], layout, spellings)
            if spelt is not None:
                clean.cells[index, column] = spelt


def _spelt(cell: Cell, layout: Layout, spellings: Mapping[str, str]) -> Cell:
    """Return a label cell in the usual spelling, None if it has it already."""
    if layout.kind == "column":
        return spellings.get(cell.strip()) if isinstance(cell, str) else None
    if layout.kind == "delimited":
        delimiter = layout.delimiter or ","
        names = split_cell(cell, delimiter) if isinstance(cell, str) else []
        joined: Cell = delimiter.join(dict.fromkeys(spellings.get(name, name) for name in names))
    else:
        names = [name for name in parse_list(cell) or [] if isinstance(name, str)]
        listed = list[Cell](dict.fromkeys(spellings.get(name, name) for name in names))
        joined = listed if isinstance(cell, list) else json.dumps(listed, ensure_ascii=False)
    return joined if spellings.keys() & set(names) else None


def _changes(clean: CleanPart, texts: Sequence[str]) -> Iterator[Change]:
    part, table = clean.part, clean.part.table
    assert table is not None
    for line in part.damage.undecodable:
        yield Change(part.name, f"line {line}", "text", "its bytes were not UTF-8 and are taken for cp1252")
    for line in part.damage.nul:
        yield Change(part.name, f"line {line}", "text", "a NUL character is left out")
    for index, reason in sorted(clean.dropped.items()):
        yield Change(part.name, str(table.rows[index].number), "dropped", reason)
    for (index, column), after in sorted(clean.cells.items(), key=lambda item: item[0]):
        if index in clean.dropped:
            continue
        name, row = table.columns[column], table.rows[index]
        is_text = name in texts
        action, reason = ("text", "characters that are no text") if is_text else ("label", "spelt as most others are")
        yield Change(part.name, str(row.number), action, reason, name, str(row.cells[column]), str(after))

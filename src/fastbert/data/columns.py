"""What can be said of one column without knowing its meaning: its name and its values.

Measures and recognises; does not choose the text or the label (`text_columns`,
`label_columns` do).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from fastbert.data.cell_values import is_empty, is_number, label_text, parse_flag, parse_list, parse_whole
from fastbert.data.row_problems import excerpt
from fastbert.data.table import Cell, Table
from fastbert.errors import DataError, did_you_mean

SAMPLE_SIZE = 1000  # cells whose wording is measured, evenly spread over the column
MIN_ROWS_TO_JUDGE = 5  # "every value is different" says nothing of fewer rows
MOSTLY_NUMBERS = 0.9  # share of the filled cells
_ID_WORDS = frozenset({"id", "ids", "guid", "uuid", "index", "idx", "unnamed"})
LABEL_NAMES = frozenset(
    "label labels class classes category categories target tag tags intent sentiment"
    " y quality topic emotion emotions score".split()
)


class Column:
    """One column of a table, with what is worth knowing about its values.

    Measurements are made when first asked for, on all rows; wording on a sample.
    """

    def __init__(self, table: Table, name: str) -> None:
        index = table.index_of(name)
        self.name = name
        self.table_name = table.name
        self.row_numbers = [row.number for row in table.rows]
        self.cells: list[Cell] = [row.cells[index] for row in table.rows]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the name in lower case: "App id" and "appId" give ("app", "id")."""
        spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", self.name)
        return tuple(re.findall(r"[^\W_]+", spaced.casefold()))

    @cached_property
    def values(self) -> Counter[str]:
        """Distinct labels of the non-empty plain cells, with their counts; lists are left out."""
        plain = (label_text(cell) for cell in self.cells if not isinstance(cell, list))
        counts = Counter(plain)
        del counts[""]
        return counts

    @cached_property
    def num_filled(self) -> int:
        """Number of cells that are not empty."""
        return sum(not is_empty(cell) for cell in self.cells)

    @cached_property
    def lists(self) -> list[list[Cell] | None]:
        """For each cell its items if it is a list (or a string that is one), else None."""
        return [parse_list(cell) for cell in self.cells]

    @cached_property
    def flag_share(self) -> float:
        """Share of all cells that are 0/1 (or true/false)."""
        flags = sum(count for value, count in self.values.items() if parse_flag(value) is not None)
        return flags / max(1, len(self.cells))

    @property
    def is_flags(self) -> bool:
        """True if every cell is 0/1."""
        return self.flag_share == 1.0

    @cached_property
    def is_numeric(self) -> bool:
        """True if every filled cell is a number."""
        return bool(self.values) and all(is_number(value) for value in self.values)

    @cached_property
    def is_continuous(self) -> bool:
        """True for numbers with fractions and too many values to be classes; a few cells may hold something else."""
        numbers = {value: count for value, count in self.values.items() if is_number(value)}
        # not all cells: a few wrong ones are better reported row by row
        mostly = sum(numbers.values()) >= MOSTLY_NUMBERS * self.num_filled
        fractions = any(parse_whole(value) is None for value in numbers)
        return mostly and fractions and self.are_many(len(numbers))

    def are_many(self, values: int) -> bool:
        """Return True for more values than classes have, of as many rows."""
        return values > min(20, max(2, self.num_filled // 2))

    @cached_property
    def is_class_ids(self) -> bool:
        """True if the values are exactly the numbers 0, 1, ... of at least two classes."""
        numbers = {parse_whole(value) for value in self.values}
        return 2 <= len(numbers) <= 1000 and numbers == set(range(len(numbers)))

    @cached_property
    def all_different(self) -> bool:
        """True if no value occurs twice and there are enough rows to tell."""
        return len(self.values) == self.num_filled >= MIN_ROWS_TO_JUDGE

    @cached_property
    def sample(self) -> list[str]:
        """Filled string cells, evenly spread over the column."""
        step = max(1, len(self.cells) // SAMPLE_SIZE)
        return [cell for cell in self.cells[::step] if isinstance(cell, str) and cell.strip()]

    @cached_property
    def mean_words(self) -> float:
        """Mean number of words of a filled string cell."""
        return sum(len(cell.split()) for cell in self.sample) / max(1, len(self.sample))

    @cached_property
    def mean_chars(self) -> float:
        """Mean number of characters of a filled string cell."""
        return sum(len(cell) for cell in self.sample) / max(1, len(self.sample))

    @cached_property
    def distinct_share(self) -> float:
        """Distinct values per filled cell, 0 to 1."""
        return len(self.values) / max(1, self.num_filled)

    @cached_property
    def is_textual(self) -> bool:
        """True if most filled cells are strings that are neither numbers nor lists."""
        step = max(1, len(self.cells) // SAMPLE_SIZE)
        filled = [cell for cell in self.cells[::step] if not is_empty(cell)]
        textual = [c for c in self.sample if not is_number(c) and parse_list(c) is None]
        return len(textual) > len(filled) / 2

    @cached_property
    def is_prose(self) -> bool:
        """True if the cells read like language: mostly letters, mostly different."""
        letters = sum(sum(map(str.isalpha, cell)) for cell in self.sample)
        solid = sum(len("".join(cell.split())) for cell in self.sample)
        mostly_letters = letters * 2 > solid
        various = self.distinct_share >= 0.5 or self.mean_words >= 3
        return self.is_textual and mostly_letters and various

    @cached_property
    def has_id_name(self) -> bool:
        """True if the name says that the column identifies rows, such as "Review id"."""
        if not self.words:  # pandas writes its index under an empty name
            return True
        return not _ID_WORDS.isdisjoint(self.words) and self.label_word is None

    @cached_property
    def label_word(self) -> str | None:
        """The word of `LABEL_NAMES` that is the name: "label" of "label_id", not of "new_label"."""
        bare = [word for word in self.words if word not in _ID_WORDS | {"name", "names"}]
        return bare[0] if len(bare) == 1 and bare[0] in LABEL_NAMES else None

    @cached_property
    def is_identifier(self) -> bool:
        """True for a column that numbers or names the rows, by its name or by its values."""
        tokens = all(cell.isascii() and len(cell.split()) == 1 for cell in self.sample)
        return self.has_id_name or (self.all_different and not self.is_continuous and tokens)


def find_column(table: Table, wanted: str, option: str) -> str:
    """Return the column that a user named, or gave as a number counted from 0.

    option: the option it was given with, such as "--text", for the message.
    Raises DataError with the closest name and all names.
    """
    if wanted in table.columns:
        return wanted
    is_index = wanted.isascii() and wanted.isdigit()
    if is_index and len(wanted) < 6 and int(wanted) < len(table.columns):
        return table.columns[int(wanted)]
    raise missing_column(table, wanted, option)


def missing_column(table: Table, wanted: str, option: str) -> DataError:
    """Return the error for a column that a table does not have."""
    if not table.format.header:
        return DataError(
            f"{table.name} has no column {excerpt(wanted)}: it has no header, and its columns are "
            f"numbered 0 to {len(table.columns) - 1}.",
            f"Give {option} one of these numbers.",
        )
    return DataError(
        f"{table.name} has no column {excerpt(wanted)}. Its columns are: {listed(table.columns)}.",
        did_you_mean(wanted, table.columns) or f"Give {option} one of these names.",
    )


def listed(names: Sequence[str], limit: int = 20) -> str:
    """Return names for a message: quoted, at most `limit` of them."""
    quoted = ", ".join(excerpt(name) for name in names[:limit])
    return quoted + (", ..." if len(names) > limit else "")

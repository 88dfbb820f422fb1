"""Whether the first row of a table holds the names of its columns, and which names.

Knows nothing of file formats. Conservative: without evidence the first row is data, because
a lost first example is noticed less than a strange column name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fastbert.data.row_problems import excerpt
from fastbert.data.table import Cell
from fastbert.errors import DataError

SAMPLE_ROWS = 200
TEXT_COLUMN = "text"  # the name of the only column of texts without a header
MAX_NAME_CHARACTERS = 60
MAX_NAME_WORDS = 8
# Column names of public data sets and of exports. Words that are also common labels
# ("positive", "question" in a label column) do no harm: a name never occurs below itself.
KNOWN_NAMES = frozenset(
    """
    text texts label labels labels_text sentence sentences sentence1 sentence2 sentence_a sentence_b
    review reviews review_text comment comments comment_text content contents message messages body
    title headline subject description summary article document tweet post utterance query question
    question1 question2 answer answers context premise hypothesis passage reference source target targets
    class category categories tag tags intent topic sentiment emotion emotions polarity score rating stars
    gold_label is_duplicate language lang split id idx index uid guid user_id review_id app_id
    """.split()
)


@dataclass(frozen=True)
class ExpectedHeader:
    """What the header holds of a table that is read like an earlier one.

    names: text columns of the earlier table.
    lone_texts: a single column under another name has no header. Lines that are piped in begin
        with any word, while a file of one column may have a usual name for texts on top.
    """

    names: tuple[str, ...]
    lone_texts: bool = False


Header = bool | ExpectedHeader | None


@dataclass(frozen=True)
class _Column:
    """One column of the sample: its first cell and the filled cells below."""

    first: str
    below: list[str]

    def names_known(self) -> bool:
        """Return True if the first cell is a usual column name and no value below."""
        name = re.sub(r"[\s-]+", "_", self.first.strip().casefold())
        return name in KNOWN_NAMES and self.first not in self.below

    def turns_numeric(self) -> bool:
        """Return True if all cells below are numbers and the first is not."""
        return bool(self.below) and not _is_number(self.first) and all(map(_is_number, self.below))

    def holds_labels(self) -> bool:
        """Return True if there are few values, each more than once."""
        counts = Counter(self.below)
        return len(self.below) >= 10 and 5 * len(counts) <= len(self.below) and min(counts.values()) > 1


def has_header(first: Sequence[Cell], rows: Sequence[Sequence[Cell]], header: Header) -> bool:
    """Return True if the first row names the columns of the rows below it.

    header: True or False if it is known, the names that it must hold, or None to detect it.
        Where those are not there, the row is judged as by `detect_header`.

    >>> has_header(["feedback"], [["a"]], ExpectedHeader(("feedback",)))
    True
    >>> has_header(["text"], [["a"]], ExpectedHeader(("feedback",), lone_texts=True))
    False
    """
    if isinstance(header, bool):
        return header
    if header is None:
        return detect_header(first, rows)
    cells = [str(cell).strip() for cell in first]
    if all(name in cells for name in header.names):
        return True
    return not (header.lone_texts and len(cells) == 1) and detect_header(first, rows)


def detect_header(first: Sequence[Cell], rows: Sequence[Sequence[Cell]]) -> bool:
    """Return True if the first row names the columns of the rows below it.

    Its cells must be able to be names (text, short, not numbers). Then one usual name among
    them is enough; unusual ones must be distinct, and one must differ in kind from what is
    below: numbers, or a few labels to which it does not belong. The numbers 0, 1, ... in order
    are names, too: pandas writes them for a frame without names.

    rows: a sample of what follows; cells of other kinds than text are allowed.
    """
    if _numbers_columns(first, rows):
        return True
    if not _may_be_names(first):
        return False
    columns = [
        _Column(str(name), [str(row[i]) for row in rows if i < len(row) and row[i] not in (None, "")])
        for i, name in enumerate(first)
    ]
    labelled = [column for column in columns if column.holds_labels()]
    if any(column.names_known() for column in columns):
        return True  # also beside a label column that is called like one of its labels, as in "message,spam"
    if any(column.first in column.below for column in labelled):
        return False
    if len(columns) == 1 or len({column.first for column in columns}) < len(columns):
        return False
    return bool(labelled) or any(column.turns_numeric() for column in columns)


def column_names(first: Sequence[Cell], file_name: str) -> tuple[str, ...]:
    """Return the names in a header row; an empty cell gets its position as its name.

    Raises DataError if a name stands twice.
    """
    names = tuple(
        str(position) if cell is None or not str(cell).strip() else str(cell).strip()
        for position, cell in enumerate(first)
    )
    check_distinct(names, file_name)
    return names


def numbered_columns(num_columns: int) -> tuple[str, ...]:
    """Return "0", "1", ...: the names of columns that have none."""
    return tuple(map(str, range(num_columns)))


def check_distinct(names: Sequence[str], file_name: str) -> None:
    """Raise DataError if two columns have the same name."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        shown = ", ".join(excerpt(name) for name in twice[:5])
        raise DataError(
            f"{file_name}: {len(twice)} column name(s) stand more than once: {shown}.",
            "Rename the columns so that each name is there once. "
            "If the first row is data, use --no-header (from Python, header=False).",
        )


def _numbers_columns(first: Sequence[Cell], rows: Sequence[Sequence[Cell]]) -> bool:
    """Return True for 0, 1, ... over rows that hold more than numbers."""
    numbers = numbered_columns(len(first))
    if len(first) < 2 or tuple(str(cell).strip() for cell in first) != numbers:
        return False
    return any(cell not in (None, "") and not _is_number(str(cell)) for row in rows for cell in row)


def _may_be_names(first: Sequence[Cell]) -> bool:
    filled = [cell.strip() for cell in first if isinstance(cell, str) and cell.strip()]
    num_empty = len(first) - len(filled)
    index_only = num_empty == 1 and len(first) > 1 and first[0] in (None, "")  # pandas writes its index so
    if not filled or (num_empty and not index_only):
        return False
    return all(
        len(name) <= MAX_NAME_CHARACTERS
        and len(name.split()) <= MAX_NAME_WORDS
        and "\n" not in name
        and not name.endswith((".", "!"))
        and not _is_number(name)
        for name in filled
    )


def _is_number(text: str) -> bool:
    """Return True for "3", "-2.5", "1e-3", "2,5" and lists such as "3,10"."""
    return re.fullmatch(r"\s*[-+]?[.,]?\d+(?:[.,\s]+\d+)*[.,]?(?:[eE][-+]?\d+)?%?\s*", text) is not None

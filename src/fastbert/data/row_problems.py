"""Problems of single rows, collected while a file is read and reported once.

Knows nothing of formats or of what a cell means.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fastbert.errors import DataError

MAX_SHOWN = 5
MAX_EXCERPT = 40  # no message quotes more of a user's text than this


@dataclass
class RowProblems:
    """What is wrong with rows of one file: the first few in words, the rest as a count.

    count: problems, of which a row may have several.    unit: what a row is called.
    """

    name: str
    shown: list[tuple[int, str]] = field(default_factory=list)
    count: int = 0
    unit: str = "row"
    _rows: set[int] = field(default_factory=set)

    def add(self, row: int, what: str) -> None:
        """Note one problem. what: what was found and expected, without a full stop."""
        self.count += 1
        self._rows.add(row)
        if len(self.shown) < MAX_SHOWN:
            self.shown.append((row, what))

    def error(self, hint: str) -> DataError:
        """Return the one error that reports all that was noted."""
        if self.count == 1:
            row, what = self.shown[0]
            return DataError(f"{self.name}, {self.unit} {row}: {what}.", hint)
        lines = [f"  {self.unit} {row}: {what}" for row, what in self.shown]
        if self.count > len(self.shown):
            lines.append(f"  and {self.count - len(self.shown)} more")
        rows = f"1 {self.unit}" if len(self._rows) == 1 else f"{len(self._rows)} {self.unit}s"
        return DataError("\n".join([f"{self.name}: {rows} cannot be read.", *lines]), hint)

    def raise_if_any(self, hint: str) -> None:
        """Raise the DataError if anything was noted."""
        if self.count:
            raise self.error(hint)


def excerpt(value: object) -> str:
    """Return a value for a message, quoted and cut to at most 40 characters.

    >>> excerpt("good"), len(excerpt("x" * 100))
    ("'good'", 42)
    """
    text = str(value)
    return repr(text if len(text) <= MAX_EXCERPT else text[: MAX_EXCERPT - 3] + "...")

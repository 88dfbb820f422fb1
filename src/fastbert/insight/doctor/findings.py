"""What a check has found: the one type that every check returns, and how findings are put in order.

To add a check, write a function that returns findings and name it in `checkup`. Knows nothing of how anything is
found or shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

Severity = Literal["stop", "look", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
MEANINGS: dict[Severity, str] = {
    "stop": "put this right before you train: the model or its scores would be wrong",
    "look": "look at these rows and decide",
    "note": "good to know",
}


@dataclass(frozen=True, slots=True)
class FlaggedRow:
    """A row to look at. row: its number in the file, or the id of a question.    other: place of a second row.

    label: its truth, in one line for people.    detail: what is the matter with this row.
    """

    split: str
    file: str
    row: str
    text: str
    label: str = ""
    detail: str = ""
    other: str = ""

    @property
    def place(self) -> str:
        """Return "train.csv, row 3"."""
        return place_of(self.file, self.row)


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    kind: a word by which scripts know it, such as "conflict".    sentence: what was found, with counts and names.
    advice: what to do about it.    rows: all rows concerned; none where it is about the table as a whole.
    headers, table: figures that belong to it, as cells.
    """

    kind: str
    severity: Severity
    sentence: str
    advice: str
    rows: Sequence[FlaggedRow] = ()
    headers: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = field(default=())

    def to_json(self) -> dict[str, object]:
        """Return plain values, with the places of the rows and none of their texts."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "sentence": self.sentence,
            "advice": self.advice,
            "count": len(self.rows),
            "rows": [
                {"split": row.split, "file": row.file, "row": row.row, "detail": row.detail, "other": row.other}
                for row in self.rows
            ],
            "table": [dict(zip(self.headers, cells, strict=True)) for cells in self.table],
        }


def place_of(file: str, row: str) -> str:
    """Return the place of a row for people.

    >>> place_of("train.csv", "3"), place_of("train.json", "question 56be")
    ('train.csv, row 3', 'train.json, question 56be')
    """
    return f"{file}, row {row}" if row.isdigit() else f"{file}, {row}"


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings, the worst first; of one severity those of most rows first."""
    return sorted(findings, key=lambda finding: (SEVERITIES.index(finding.severity), -len(finding.rows)))


def by_share(count: int, total: int, *, look: float, stop: float = 2.0) -> Severity:
    """Return how bad it is that count of total rows are concerned: from share `look`, and from share `stop`.

    >>> by_share(1, 100, look=0.05), by_share(5, 100, look=0.05), by_share(50, 100, look=0.05, stop=0.5)
    ('note', 'look', 'stop')
    """
    share = count / max(total, 1)
    return "stop" if share >= stop else "look" if share >= look else "note"


def share_phrase(count: int, total: int) -> str:
    """Return "12 of 3,000 rows (0.4 %)".

    >>> share_phrase(12, 3000), share_phrase(1, 1)
    ('12 of 3,000 rows (0.4 %)', 'the one row')
    """
    if count == total == 1:
        return "the one row"
    return f"{count:,} of {total:,} rows ({percent(count / max(total, 1))})"


def counted(count: int, one: str, many: str) -> str:
    """Return a count with the noun that goes with it.

    >>> counted(1, "row", "rows"), counted(1200, "row", "rows")
    ('1 row', '1,200 rows')
    """
    return f"{count:,} {one if count == 1 else many}"


def percent(share: float) -> str:
    """Return a share for people; nearly all is not all, and a few are not none.

    >>> percent(0.1234), percent(0.0042), percent(0.00001), percent(1.0), percent(0.9999)
    ('12 %', '0.4 %', 'below 0.1 %', '100 %', 'above 99.9 %')
    """
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    if share < 0.0005 or share > 0.9995:
        return "below 0.1 %" if share < 0.5 else "above 99.9 %"
    return f"{100 * share:.0f} %" if 0.0995 <= share <= 0.9895 else f"{100 * share:.1f} %"

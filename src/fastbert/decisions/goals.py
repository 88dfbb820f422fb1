"""What decisions are to achieve, as a user writes it: `f1`, `f1_micro`, `fbeta:2`, `precision>=0.9`, `cost:FILE`.

Knows nothing of how thresholds are searched.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fastbert.errors import ConfigError, did_you_mean

Kind = Literal["default", "fbeta", "micro", "precision", "recall", "cost"]
FORMS = "f1, f1_micro, fbeta:2, precision>=0.9, recall>=0.95, recall>=0.95@LABEL, cost:FILE or default"


@dataclass(frozen=True)
class Goal:
    """A goal.

    kind: "default" leaves the decision as the task has it; "micro" is the F1 of all decisions together.
    number: beta of "fbeta", the least precision or recall of those two.    label: that it is about, "" for all.
    costs: of a mistake by (true label, decided label); where labels do not exclude each other, ("", label) is a label
    given wrongly and (label, "") one that was missed.
    """

    kind: Kind = "default"
    number: float = 1.0
    label: str = ""
    costs: tuple[tuple[str, str, float], ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        at = f"@{self.label}" if self.label else ""
        if self.kind == "fbeta":
            return ("f1" if self.number == 1 else f"fbeta:{self.number:g}") + at
        if self.kind in ("precision", "recall"):
            return f"{self.kind}>={self.number:g}{at}"
        return "f1_micro" if self.kind == "micro" else self.kind


def parse_goal(text: str) -> Goal:
    """Return a goal. Raises ConfigError for anything that is none, or a file of costs that cannot be used.

    >>> parse_goal("recall>=0.95@spam")
    Goal(kind='recall', number=0.95, label='spam')
    """
    plain = text.strip()
    if plain == "default":
        return Goal()
    if plain in ("f1", "f1_micro"):
        return Goal("fbeta" if plain == "f1" else "micro")
    name, colon, rest = plain.partition(":")
    if colon and name == "cost":
        return Goal("cost", costs=read_costs(Path(rest.strip())))
    if colon and name == "fbeta":
        return Goal("fbeta", _number(rest, text, 0.0, 100.0))
    kind, comparison, rest = plain.partition(">=")
    least, _, label = rest.partition("@")
    if comparison and kind.strip() == "precision":
        return Goal("precision", _number(least, text, 0.0, 1.0), label.strip())
    if comparison and kind.strip() == "recall":
        return Goal("recall", _number(least, text, 0.0, 1.0), label.strip())
    raise ConfigError(f"The goal is '{text}'; expected {FORMS}.", did_you_mean(plain, ("f1", "f1_micro", "default")))


def _number(text: str, whole: str, low: float, high: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low < number <= high:
        raise ConfigError(
            f"The goal '{whole}' needs a number above {low:g} and at most {high:g}, and has '{text.strip()}'.",
            f"Write {FORMS}.",
        )
    return number


def read_costs(path: Path) -> tuple[tuple[str, str, float], ...]:
    """Return the costs in a CSV file: `true,decided,cost`, or `label,false_positive,false_negative`.

    Raises ConfigError for other columns, a row without its labels, or a cost that is no number from 0 on.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = {place: row for place, row in enumerate(csv.DictReader(stream), start=2) if any(row.values())}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: the costs cannot be read ({error}).", "Give a CSV file.") from error
    columns = set(next(iter(rows.values()))) if rows else set()
    pairs = {"true", "decided", "cost"} <= columns
    if not pairs and not {"label", "false_positive", "false_negative"} <= columns:
        raise ConfigError(
            f"{path}: the columns are {', '.join(map(str, columns)) or 'none'}.",
            "Expected true,decided,cost for one label a row, or label,false_positive,false_negative for several.",
        )
    found = []
    for place, row in rows.items():
        for column in ("true", "decided") if pairs else ("label",):
            if not row[column]:
                raise ConfigError(f"{path}, row {place}: {column} is empty; expected the name of a label.")
        if pairs:
            found.append((row["true"], row["decided"], _cost(row["cost"], path, place)))
        else:
            found.append(("", row["label"], _cost(row["false_positive"], path, place)))
            found.append((row["label"], "", _cost(row["false_negative"], path, place)))
    return tuple(found)


def _cost(text: str | None, path: Path, row: int) -> float:
    try:
        cost = float(text or "")
    except ValueError:
        cost = math.nan
    if not 0 <= cost < math.inf:
        raise ConfigError(f"{path}, row {row}: the cost is {text!r}; expected a number from 0 on.")
    return cost


def check_labels(goal: Goal, labels: Sequence[str]) -> None:
    """Raise ConfigError where a goal names a label that there is none of."""
    named = [goal.label, *(name for pair in goal.costs for name in pair[:2])]
    for name in named:
        if name and name not in labels:
            raise ConfigError(
                f"The goal names the label '{name}', which the model does not have.",
                did_you_mean(name, labels) or f"Its labels: {', '.join(labels[:20])}.",
            )

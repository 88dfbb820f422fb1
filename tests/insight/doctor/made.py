"""Tables for the tests of the data doctor: written, and read as `fastbert check` reads them. Knows no check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fastbert.config import DataConfig
from fastbert.insight.doctor.findings import Finding
from fastbert.insight.doctor.material import Material, read_material
from tests.helpers import write_csv

Rows = Sequence[Sequence[object]]
WORDS = "amber bridge candle donkey engine forest garden hammer island jungle kettle ladder mirror needle".split()


def sentence(number: int) -> str:
    """Return a text that is unlike those of other numbers."""
    parts = [WORDS[(number // len(WORDS) ** place) % len(WORDS)] for place in range(3)]
    return f"{parts[0]} and {parts[1]} {number * 7919} {parts[2]}"


def read(
    folder: Path,
    header: Sequence[str] = ("text", "label"),
    *,
    options: Mapping[str, object] | None = None,
    **splits: Rows,
) -> Material:
    """Write a CSV file for each split, "train.csv" and so on, and read them."""
    return read_splits(folder, splits, header, options)


def read_splits(
    folder: Path,
    splits: Mapping[str, Rows],
    header: Sequence[str] = ("text", "label"),
    options: Mapping[str, object] | None = None,
) -> Material:
    """Do what `read` does."""
    files = {
        name: write_csv(folder / f"{name}.csv", header, [list(map(str, row)) for row in rows])
        for name, rows in splits.items()
    }
    return read_material(files, DataConfig().changed(**(options or {"text": "text", "labels": ("label",)})))


def only(findings: Sequence[Finding], kind: str) -> Finding:
    """Return the one finding of a kind."""
    (found,) = [finding for finding in findings if finding.kind == kind]
    return found


def kinds(findings: Sequence[Finding]) -> set[str]:
    """Return what was found."""
    return {finding.kind for finding in findings}

"""Likely label errors among the findings of a check."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.config import DataConfig
from fastbert.errors import ConfigError
from fastbert.insight.doctor.material import Material, read_material
from fastbert.insight.label_error_finding import check_mode, label_error_finding
from tests.feedback import feedback_rows
from tests.helpers import write_csv

WRONG = 4  # the row whose label is turned around


def material(folder: Path) -> Material:
    rows = [[row["text"], row["label"]] for row in feedback_rows(48)]
    rows[WRONG][1] = "praise" if rows[WRONG][1] == "bug" else "bug"
    return read_material({"train": write_csv(folder / "train.csv", ["text", "label"], rows)}, DataConfig())


def test_rows_whose_labels_are_probably_wrong_are_a_finding(encoder: str, tmp_path: Path) -> None:
    found = label_error_finding(material(tmp_path), "quick", encoder)

    assert found.kind == "label_error"
    assert found.severity == ("look" if found.rows else "note")
    assert "quick models that have not seen the rows" in found.sentence
    assert {row.file for row in found.rows} <= {"train.csv"}
    assert all("is more likely (quality " in row.detail for row in found.rows)


def test_a_way_of_looking_that_there_is_none_of_is_refused() -> None:
    check_mode("full")
    with pytest.raises(ConfigError, match="--label-errors is 'slow'; expected one of quick, full"):
        check_mode("slow")

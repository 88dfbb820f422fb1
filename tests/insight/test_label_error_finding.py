"""Likely label errors among the findings of a check."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.config import DataConfig
from fastbert.errors import ConfigError, UsageError
from fastbert.insight.doctor.material import Material, read_material
from fastbert.insight.label_error_finding import check_judged, check_mode, label_error_finding
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


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["Anna B-PER", "sings O", ""], "each row; these files are for tagging.\n  Leave --label-errors out"),
        (
            ["text\tlabel", "one text\ta", "two text\tb", "one  text\ta"],
            "there are 2 different texts, and one is never",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused(lines: list[str], message: str, tmp_path: Path) -> None:
    file = tmp_path / ("t.conll" if "Anna" in lines[0] else "t.tsv")
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")

    with pytest.raises(UsageError, match=message):
        check_judged(read_material({"train": file}, DataConfig()))


def test_a_table_that_can_be_judged_is_not_refused(tmp_path: Path) -> None:
    check_judged(material(tmp_path))

"""Findings as a type: their order, their places, their wording."""

from __future__ import annotations

import json

import pytest

from fastbert.insight.doctor.findings import Finding, FlaggedRow, Severity, by_share, percent, ranked


def test_the_worst_come_first_and_of_one_severity_those_of_most_rows() -> None:
    row = FlaggedRow("train", "t.csv", "2", "secret")
    some = [
        Finding("a", "note", "", ""),
        Finding("b", "look", "", "", [row]),
        Finding("c", "look", "", "", [row, row]),
        Finding("d", "stop", "", ""),
    ]

    assert [finding.kind for finding in ranked(some)] == ["d", "c", "b", "a"]


def test_json_names_places_and_no_text() -> None:
    row = FlaggedRow("train", "t.csv", "2", "secret", label="bug", detail="odd", other="t.csv, row 9")
    finding = Finding("odd", "look", "One row.", "Look.", [row], headers=("word",), table=(("x",),))

    values = finding.to_json()

    assert "secret" not in json.dumps(values)
    assert values["rows"] == [{"split": "train", "file": "t.csv", "row": "2", "detail": "odd", "other": "t.csv, row 9"}]
    assert (values["count"], values["table"]) == (1, [{"word": "x"}])


@pytest.mark.parametrize(("row", "place"), [("2", "t.csv, row 2"), ("line 4", "t.csv, line 4")])
def test_a_place_says_what_its_number_counts(row: str, place: str) -> None:
    assert FlaggedRow("train", "t.csv", row, "").place == place


@pytest.mark.parametrize(("count", "severity"), [(0, "note"), (1, "note"), (2, "look"), (9, "look"), (10, "stop")])
def test_severity_rises_with_the_share(count: int, severity: Severity) -> None:
    assert by_share(count, 100, look=0.02, stop=0.1) == severity


@pytest.mark.parametrize(
    ("share", "shown"), [(0.0, "0 %"), (0.994, "99.4 %"), (0.99999, "above 99.9 %"), (0.5, "50 %"), (0.0995, "10 %")]
)
def test_nearly_all_is_not_called_all(share: float, shown: str) -> None:
    assert percent(share) == shown

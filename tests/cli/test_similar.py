"""`fastbert similar`."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.helpers import write_csv


def test_rows_with_the_same_text_are_found(run: Run, encoder: str, tmp_path: Path) -> None:
    texts = ["the app is slow", "i love the page", "the app is slow"]
    table = write_csv(tmp_path / "t.csv", ["text"], [[text] for text in texts])

    outcome = run("similar", table, "--encoder", encoder, "--text", "text", "--least", "0.9999")

    rows = list(csv.DictReader(outcome.out.splitlines()))
    assert [(row["row"], row["other_row"], row["text"]) for row in rows] == [("2", "4", "the app is slow")]
    assert "1 pairs of rows of t.csv are at least 0.9999 alike" in outcome.err


def test_another_table_can_be_compared(run: Run, encoder: str, tmp_path: Path) -> None:
    one = write_csv(tmp_path / "one.csv", ["text"], [["the app is slow"], ["i love the page"]])
    two = write_csv(tmp_path / "two.csv", ["text"], [["the app is slow"]])

    values = run(
        "similar", one, "--against", two, "--encoder", encoder, "--text", "text", "--least", "0.9999", "--json"
    ).json

    assert isinstance(values["pairs"], list) and len(values["pairs"]) == 1


def test_a_limit_beyond_one_is_refused(run: Run, tmp_path: Path) -> None:
    outcome = run("similar", tmp_path / "t.csv", "--least", "90")

    assert (outcome.code, outcome.err.startswith("error: --least is 90.0; expected a number above 0")) == (2, True)


@pytest.mark.parametrize("name", ["t.csv", "other.csv"])
def test_a_table_that_is_read_is_not_written_over(name: str, run: Run, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["text"], [["the app is slow"]])
    other = write_csv(tmp_path / "other.csv", ["text"], [["the app is slow"]])
    out = tmp_path / name

    outcome = run("similar", table, "--against", other, "--encoder", tmp_path / "no encoder is opened", "--out", out)

    assert (outcome.code, outcome.err) == (
        2,
        f"error: {out} is the input itself.\nhint: Give --out another name.\n",
    )


def test_pairs_go_to_the_file_and_a_summary_to_standard_output_as_json(run: Run, encoder: str, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["text"], [["the app is slow"], ["the app is slow"]])
    out = tmp_path / "pairs.csv"

    values = run("similar", table, "--encoder", encoder, "--text", "text", "--out", out, "--json").json

    assert values == {"out": str(out), "rows": 1}
    assert out.read_text(encoding="utf-8").count("the app is slow") == 2

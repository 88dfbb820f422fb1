"""`fastbert summarize`."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.helpers import write_csv

TEXT = "The app is slow. I love the page. It does nothing. The button is bad."


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "t.csv", ["id", "text", "short"], [["1", TEXT, "the app is slow"], ["2", "", ""]])


def test_a_summary_stands_behind_each_row(run: Run, bundle: Path, table: Path, tmp_path: Path) -> None:
    options = ("--text", "text", "--sentences", "2", "--out", tmp_path / "out.csv")

    outcome = run("summarize", bundle, table, *options)

    rows = list(csv.DictReader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()))
    assert outcome.code == 0, outcome.err
    assert [rows[0]["summary"].count("."), rows[1]["summary"]] == [2, ""]
    assert rows[0]["summary"].split(". ")[0] in TEXT
    assert "note: 1 of 2 rows have no text; they have no summary" in outcome.err


def test_rouge_is_printed_beside_the_lead(run: Run, encoder: str, table: Path) -> None:
    outcome = run("summarize", encoder, table, "--text", "text", "--sentences", "1", "--reference", "short")

    assert "ROUGE F over 1 rows" in outcome.err
    assert "first 1 sentences  1.0000  1.0000  1.0000" in outcome.err.replace("   ", "  ")


def test_json_is_one_object(run: Run, encoder: str, table: Path) -> None:
    values = run("summarize", encoder, table, "--text", "text", "--sentences", "9", "--json").json

    assert values == {"summaries": [TEXT, None], "rows": 2, "empty": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sentences", "0"], "sentences is 0; expected at least 1"),
        (["--out", "o.parquet"], "answers are written as .csv, .tsv or .jsonl"),
        (["--reference", "shrot"], "has no column 'shrot'"),
    ],
)
def test_wrong_use_is_refused_before_any_work(run: Run, table: Path, options: list[str], message: str) -> None:
    outcome = run("summarize", "/no/encoder", table, "--text", "text", *options)

    assert outcome.code == 2
    assert message in outcome.err

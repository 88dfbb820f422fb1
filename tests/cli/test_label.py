"""`fastbert label`."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.helpers import write_csv


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "t.csv", ["id", "text"], [["7", "the app is slow"], ["8", ""], ["9", "love"]])


def test_labels_stand_behind_the_columns(run: Run, encoder: str, table: Path) -> None:
    outcome = run("label", table, "--labels", "the app is slow,love", "--encoder", encoder, "--text", "text")

    rows = list(csv.reader(outcome.out.splitlines()))
    assert rows[0] == ["id", "text", "predicted", "score:the app is slow", "score:love"]
    assert [row[2] for row in rows[1:]] == ["the app is slow", "", "love"]
    assert "note: 1 of 3 rows have no text; they are kept without a label" in outcome.err


def test_a_file_describes_labels(run: Run, encoder: str, table: Path, tmp_path: Path) -> None:
    described = tmp_path / "labels.txt"
    described.write_text("problem: the app is slow\npraise: great\npraise: love\n", encoding="utf-8")
    options = ("--labels-file", described, "--encoder", encoder, "--text", "text", "--multi", "--threshold", "0.99")

    outcome = run("label", table, *options, "--out", tmp_path / "out.jsonl")

    first = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert (first["id"], first["prediction"]["labels"]) == ("7", ["problem"])
    assert "the labels are first guesses, nothing was trained" in outcome.err


def test_json_is_one_object(run: Run, encoder: str, table: Path) -> None:
    values = run("label", table, "--labels", "slow,love", "--encoder", encoder, "--text", "text", "--json").json

    assert values["rows"] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Neither --labels nor --labels-file is given; expected one of them."),
        (["--labels", "a,b", "--labels-file", "f"], "Both --labels and --labels-file are given; expected one of them."),
        (["--labels", "a"], "1 labels are given; expected at least 2."),
        (["--labels", "a,b", "--threshold", "0.5"], "--threshold is given without --multi"),
        (["--labels", "a,b", "--out", "o.xlsx"], "answers are written as .csv, .tsv or .jsonl"),
    ],
)
def test_wrong_use_is_refused_before_any_work(run: Run, table: Path, options: list[str], message: str) -> None:
    outcome = run("label", table, "--encoder", "/no/encoder", *options)

    assert outcome.code == 2
    assert message in outcome.err

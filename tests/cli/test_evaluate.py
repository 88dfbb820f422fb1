"""`fastbert evaluate`."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.config import DataConfig
from fastbert.inference.evaluation import evaluate_table
from fastbert.inference.predictor import Predictor
from tests.cli.conftest import Run
from tests.feedback import feedback_rows, write_feedback
from tests.helpers import write_csv


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_feedback(tmp_path / "test.csv", 12)


def test_json_is_one_object_with_the_documented_keys(run: Run, bundle: Path, table: Path) -> None:
    values = run("evaluate", bundle, table, "--json").json

    expected = evaluate_table(Predictor.load(bundle), table, DataConfig())
    assert {"scores", "rows", "per_label"} <= set(values)
    assert (values["scores"], values["rows"], values["per_label"]) == (expected.scores, 12, expected.per_label)


def test_scores_are_printed_overall_and_for_each_label(run: Run, bundle: Path, table: Path) -> None:
    outcome = run("evaluate", bundle, table)

    assert outcome.code == 0
    assert "test.csv" in outcome.out and "f1_macro" in outcome.out
    assert "bug" in outcome.out and "recall" in outcome.out
    assert outcome.err == f"12 rows of {table}\n"


def test_other_columns_can_be_named(run: Run, bundle: Path, tmp_path: Path) -> None:
    rows = [[row["label"], row["text"], "x"] for row in feedback_rows(12)]
    table = write_csv(tmp_path / "other.csv", ["tag", "note", "text"], rows)

    values = run("evaluate", bundle, table, "--text", "note", "--label", "tag", "--json").json

    assert values["rows"] == 12


def test_columns_can_be_given_by_number(run: Run, bundle: Path, tmp_path: Path) -> None:
    table = tmp_path / "raw.tsv"
    table.write_text("".join(f"{row['label']}\t{row['text']}\n" for row in feedback_rows(12)), encoding="utf-8")

    values = run("evaluate", bundle, table, "--no-header", "--text", 1, "--label", 0, "--json").json

    assert values["rows"] == 12


def test_labels_may_be_numbers_of_a_file_of_names(run: Run, bundle: Path, tmp_path: Path) -> None:
    names = tmp_path / "labels.txt"
    names.write_text("bug\npraise\n", encoding="utf-8")
    rows = [[row["text"], int(row["label"] == "praise")] for row in feedback_rows(12)]
    table = write_csv(tmp_path / "numbers.csv", ["text", "label"], rows)

    values = run("evaluate", bundle, table, "--labels-file", names, "--json").json

    assert values["scores"] == run("evaluate", bundle, write_feedback(tmp_path / "t.csv", 12), "--json").json["scores"]


def test_rows_that_are_left_out_are_notes(run: Run, bundle: Path, tmp_path: Path) -> None:
    rows = [[row["text"], row["label"]] for row in feedback_rows(4)]
    table = write_csv(tmp_path / "gaps.csv", ["text", "label"], [*rows, ["", "bug"]])

    outcome = run("evaluate", bundle, table, "--on-bad-row", "skip")

    assert outcome.code == 0
    assert "note: 1 of 5 rows of gaps.csv left out: column 'text' is empty (row 6)." in outcome.err


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["for people", "json"])
def test_an_unknown_label_is_refused(as_json: list[str], run: Run, bundle: Path, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "test.csv", ["text", "label"], [["the app", "bugs"]])

    outcome = run("evaluate", bundle, table, *as_json)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        "error: test.csv, row 2: label 'bugs' is not one of the 2 labels (bug, praise).\nhint: Did you mean 'bug'?\n"
    )


def test_an_unknown_backend_is_refused(run: Run, bundle: Path, table: Path) -> None:
    outcome = run("evaluate", bundle, table, "--backend", "torsh")

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "error: 'torsh' is not a backend.\nhint: Did you mean 'torch'?\n"


@pytest.mark.parametrize(
    ("header", "cells", "options"),
    [
        (["text", "tags"], ["bug; slow", "bug"], ["--delimiter", ";"]),
        (["text", "bug", "slow"], ["1,1", "1,0"], ["--labels", "bug,slow"]),
    ],
)
def test_labels_may_be_written_in_another_way_than_in_training(
    header: list[str], cells: list[str], options: list[str], run: Run, encoder: str, tmp_path: Path
) -> None:
    pairs = [("it crashes and crawls", "bug|slow"), ("it crashes", "bug"), ("it crawls", "slow"), ("nice", "")] * 10
    train = write_csv(
        tmp_path / "train.csv", ["text", "tags"], [[f"{text} {i}", tag] for i, (text, tag) in enumerate(pairs)]
    )
    assert run("train", train, "--out", tmp_path / "multi", "--encoder", encoder, "--epochs", "1").code == 0
    rows = [[f"it crashes {i}", *(cell.split(",") if len(header) > 2 else [cell])] for i, cell in enumerate(cells * 5)]
    table = write_csv(tmp_path / "other.csv", header, rows)

    done = run("evaluate", tmp_path / "multi", table, "--json", *options)

    per_label = done.json["per_label"]
    assert isinstance(per_label, dict)
    assert (done.code, per_label["slow"]["support"]) == (0, 5), done.err

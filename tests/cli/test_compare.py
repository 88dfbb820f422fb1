"""`fastbert compare`, and the linear baseline that `fastbert train` prints."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from fastbert.bundle import read_bundle
from tests.cli.conftest import Outcome, Run
from tests.feedback import write_feedback

FEW = ("--baselines", "majority,tfidf")


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    return write_feedback(tmp_path / "train.csv"), write_feedback(tmp_path / "test.csv", 12)


def compare(run: Run, bundle: Path, tables: tuple[Path, Path], *more: object) -> Outcome:
    return run("compare", bundle, tables[1], "--train", tables[0], *FEW, *more)


def test_tables_are_the_result_and_progress_is_messages(run: Run, bundle: Path, tables: tuple[Path, Path]) -> None:
    outcome = compare(run, bundle, tables)

    assert outcome.code == 0
    assert outcome.out.startswith("Scores on 12 rows, with 95 % intervals\n")
    assert "Differences to model" in outcome.out and "Cost, measured here in turn" in outcome.out
    assert "fitting the baseline tfidf on" in outcome.err and "note: " in outcome.err


def test_json_is_one_object_with_the_documented_keys(run: Run, bundle: Path, tables: tuple[Path, Path]) -> None:
    values = compare(run, bundle, tables, "--json", "--against", "tfidf").json

    assert set(values) == {"task", "rows", "against", "models", "comparisons", "draws", "notes", "cost"}
    models = values["models"]
    assert isinstance(models, list)
    assert [one["name"] for one in models] == ["model", "majority", "tfidf"]
    assert (values["rows"], values["against"]) == (12, "tfidf")


def test_no_text_is_shown_unless_asked_for(run: Run, bundle: Path, tables: tuple[Path, Path], tmp_path: Path) -> None:
    page = tmp_path / "c.html"

    silent = compare(run, bundle, tables, "--html", page)
    asked = compare(run, bundle, tables, "--examples", 2)

    assert "the button" not in silent.out + silent.err + page.read_text(encoding="utf-8")
    assert "Rows that majority lost against model" in asked.out and "the " in asked.out


def test_rows_are_written_with_the_answers_of_all(
    run: Run, bundle: Path, tables: tuple[Path, Path], tmp_path: Path
) -> None:
    outcome = compare(run, bundle, tables, "--rows", tmp_path / "rows.csv")

    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert {row["mark:model"] for row in rows} <= {"right", "wrong"}
    assert f"written to {tmp_path / 'rows.csv'}" in outcome.err


def test_two_bundles_need_no_training_rows(run: Run, bundle: Path, tables: tuple[Path, Path], tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(bundle, tmp_path / "copy")

    outcome = run("compare", bundle, copy, tables[1])

    assert outcome.code == 0
    assert "copy cannot be told apart from model on these 12 rows" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{table}",), "error: Only {table} is given.\nhint: Name one bundle or more, and last a labelled table.\n"),
        (("{bundle}", "{table}", "--baselines", "tfidf"), "error: --baselines is given, but no rows to fit on."),
        (("{bundle}", "{table}", "--train", "{train}", "--baselines", "tf-idf"), "error: 'tf-idf' is not a baseline."),
        (("{bundle}", "{table}", "--train", "{train}", "--examples", "-1"), "error: --examples is -1; expected 0"),
        (("{bundle}", "{table}", "--train", "{train}", "--html", "c.pdf"), "error: c.pdf: the page is HTML"),
        (("{bundle}", "{table}", "--train", "{train}", "--rows", "r.txt"), "error: r.txt: answers are written as"),
        (("{table}", "{table}"), "error: {table} is no bundle"),
    ],
)
def test_wrong_use_is_refused(
    arguments: tuple[str, ...], message: str, run: Run, bundle: Path, tables: tuple[Path, Path]
) -> None:
    places = {"bundle": bundle, "table": tables[1], "train": tables[0]}

    outcome = run("compare", *(one.format(**places) for one in arguments))

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(message.format(**places)) or "{table} is no bundle" in message


def test_training_prints_a_linear_baseline_and_keeps_it(run: Run, encoder: str, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "feedback.csv")

    outcome = run("train", table, "--out", tmp_path / "m", "--encoder", encoder, "--epochs", 1)

    assert "valid, linear" in outcome.out and "a linear model on words" in outcome.err
    assert "baseline" in read_bundle(tmp_path / "m").facts


def test_the_baseline_is_in_the_json_of_training(run: Run, encoder: str, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "feedback.csv")

    values = run("train", table, "--out", tmp_path / "m", "--encoder", encoder, "--epochs", 1, "--json").json

    baseline = values["baseline"]
    assert isinstance(baseline, dict)
    assert {"title", "scores", "difference", "seconds", "trained_rows"} <= set(baseline)


def test_training_without_it_is_the_same_model(run: Run, encoder: str, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "feedback.csv")
    with_it = run("train", table, "--out", tmp_path / "a", "--encoder", encoder, "--epochs", 1)

    without = run("train", table, "--out", tmp_path / "b", "--encoder", encoder, "--epochs", 1, "--no-baseline")

    assert with_it.code == without.code == 0
    assert ", linear" not in without.out and "baseline" not in without.err
    assert "baseline" not in read_bundle(tmp_path / "b").facts
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]

"""`fastbert train --folds`: plan, predictions beside the model, scores in it, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from fastbert.bundle import read_bundle
from tests.cli.conftest import Outcome, Run
from tests.feedback import write_feedback


def train(run: Run, encoder: str, folder: Path, *arguments: object) -> Outcome:
    table = folder / "feedback.csv"
    if not table.exists():
        write_feedback(table, 36)
    options = ("--encoder", encoder, "--epochs", 1, "--set", "valid_share=0.2")
    return run("train", table, "--out", folder / "model", *options, *arguments)


def test_folds_are_planned_run_saved_and_cleared(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = train(run, encoder, tmp_path, "--folds", 3)

    assert outcome.code == 0
    assert "folds      3 of 12 rows; each row is held out once" in outcome.err
    assert "Fold 2 of 3" in outcome.err and "fold 3 of 3: accuracy" in outcome.err
    assert "36 rows, each predicted by a model of 3 that has not seen it" in outcome.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["feedback.csv", "model", "model-oof.csv"]
    with (tmp_path / "model-oof.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["where"] for row in rows] == [f"feedback.csv, row {number}" for number in range(2, 38)]
    assert "the button" not in (tmp_path / "model-oof.csv").read_text(encoding="utf-8")
    facts = read_bundle(tmp_path / "model").facts["cross_validation"]
    assert isinstance(facts, dict) and facts["folds"] == 3 and facts["predictions"] == "model-oof.csv"
    assert "Cross-validation</h2>" in (tmp_path / "model" / "report.html").read_text(encoding="utf-8")


def test_json_has_the_scores_of_the_folds(run: Run, encoder: str, tmp_path: Path) -> None:
    values = train(run, encoder, tmp_path, "--folds", 3, "--json").json

    found = values["cross_validation"]
    assert isinstance(found, dict)
    assert len(found["fold_scores"]) == 3
    assert set(found["scores"]["accuracy"]) == {"mean", "deviation", "pooled", "low", "high"}


def test_a_plan_trains_and_writes_nothing(run: Run, encoder: str, tmp_path: Path) -> None:
    text = train(run, encoder, tmp_path, "--folds", 3, "--plan")
    values = train(run, encoder, tmp_path, "--folds", 3, "--plan", "--json").json

    assert "Cross-validation\n  folds      3 of 12 rows" in text.out
    assert values["cross_validation"]["folds"][0] == {"train": 19, "valid": 5, "held_out": 12}  # type: ignore[index]
    assert [path.name for path in tmp_path.iterdir()] == ["feedback.csv"]


def test_the_model_is_the_same_with_and_without_folds(run: Run, encoder: str, tmp_path: Path) -> None:
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    train(run, encoder, tmp_path / "with", "--folds", 2)
    train(run, encoder, tmp_path / "without")

    weights = [(tmp_path / name / "model" / "model.safetensors").read_bytes() for name in ("with", "without")]
    assert weights[0] == weights[1]


def test_predictions_that_lie_there_are_kept(run: Run, encoder: str, tmp_path: Path) -> None:
    (tmp_path / "model-oof.csv").write_text("mine", encoding="utf-8")

    outcome = train(run, encoder, tmp_path, "--folds", 3)

    assert outcome.code == 2
    assert f"{tmp_path / 'model-oof.csv'} exists already." in outcome.err
    assert (tmp_path / "model-oof.csv").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--folds", 1), "folds is 1; it must be a whole number from 2 to 100."),
        (("--folds", 50), "cannot be divided into 50 folds: there are 36 different texts"),
        (("--folds", 3, "--adapt", "feedback.csv"), "Folds and text to adapt to are both given"),
    ],
)
def test_wrong_use_is_refused_before_any_work(
    arguments: tuple[object, ...], message: str, run: Run, encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = train(run, encoder, tmp_path, *arguments)

    assert outcome.code == 2
    assert message in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["feedback.csv"]

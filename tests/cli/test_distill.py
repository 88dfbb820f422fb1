"""`fastbert distill`: plan, result, JSON, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Outcome, Run
from tests.feedback import feedback_rows, write_feedback
from tests.helpers import write_csv

QUICK = ("--epochs", 1, "--batch-size", 8)


def distil(run: Run, bundle: Path, encoder: str, folder: Path, *arguments: object) -> Outcome:
    texts = write_csv(folder / "texts.csv", ["text"], [[row["text"] + " please"] for row in feedback_rows(40)])
    return run(
        "distill", bundle, "--unlabelled", texts, "--encoder", encoder, "--out", folder / "small", *QUICK, *arguments
    )


def test_a_bundle_and_texts_become_a_model_that_evaluate_takes(
    run: Run, bundle: Path, encoder: str, tmp_path: Path
) -> None:
    table = write_feedback(tmp_path / "feedback.csv")

    outcome = distil(run, bundle, encoder, tmp_path, "--train", table, "--label-weight", 0.3)
    scored = run("evaluate", tmp_path / "small", table)

    assert outcome.code == 0, outcome.err
    assert outcome.err.startswith("Teacher\n") and "label weight 0.3" in outcome.err
    assert outcome.out.startswith("Distillation\n") and "Size and speed" in outcome.out
    assert f"model    {tmp_path / 'small'}" in outcome.err
    assert scored.code == 0, scored.err


def test_no_linear_model_is_fitted_where_none_is_wanted(run: Run, bundle: Path, encoder: str, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "feedback.csv")

    values: Any = distil(run, bundle, encoder, tmp_path, "--json", "--test", table, "--no-baseline").json

    assert "test" in values["scores"] and "baseline" not in values


def test_json_is_one_object(run: Run, bundle: Path, encoder: str, tmp_path: Path) -> None:
    values: Any = distil(run, bundle, encoder, tmp_path, "--json", "--temperature", 4).json

    assert values["bundle"] == str(tmp_path / "small")
    assert values["distillation"]["temperature"] == 4 and "valid" in values["scores"]
    assert values["plan"]["rows"] == {"train": 32, "valid": 4}


@pytest.mark.parametrize("arguments", [("--plan",), ("--plan", "--json")])
def test_a_plan_trains_nothing(
    arguments: tuple[str, ...], run: Run, bundle: Path, encoder: str, tmp_path: Path
) -> None:
    outcome = distil(run, bundle, encoder, tmp_path, *arguments)

    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("{" if "--json" in arguments else "Teacher\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["texts.csv"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--label-weight", 0.5), "label_weight is 0.5, but no labelled rows are given"),
        (("--encoder", "./none"), "The encoder folder './none' does not exist"),
        (("--backend", "onnx"), "has no export for onnx"),
        (("--text", "body"), "there is no column 'body'"),
    ],
)
def test_wrong_use_is_explained(
    run: Run, arguments: tuple[object, ...], message: str, bundle: Path, encoder: str, tmp_path: Path
) -> None:
    outcome = distil(run, bundle, encoder, tmp_path, *arguments)

    assert outcome.code == 2 and message in outcome.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["texts.csv"]


def test_a_label_that_the_teacher_does_not_know_is_refused(
    run: Run, bundle: Path, encoder: str, tmp_path: Path
) -> None:
    table = write_csv(tmp_path / "other.csv", ["text", "label"], [["the app is slow", "crash"], ["it works", "bug"]])

    outcome = distil(run, bundle, encoder, tmp_path, "--train", table)

    assert outcome.code == 2 and "'crash' is not one of the 2 labels" in outcome.err
    assert not (tmp_path / "small").exists()

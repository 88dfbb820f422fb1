"""Regression from a table to a saved, exported and explained model, on a tiny encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import pipeline

import fastbert
from fastbert.config import DataConfig
from fastbert.errors import ConfigError
from fastbert.export.exporting import export_bundle
from fastbert.inference.evaluation import evaluate_table
from fastbert.inference.predictor import Predictor
from fastbert.tasks.regression import Regression, ValuePrediction
from tests.feedback import feedback_rows

ROWS: list[dict[str, object]] = [
    {"text": row["text"], "stars": (4.0 if row["label"] == "praise" else 1.5) + index / 100}
    for index, row in enumerate(feedback_rows(48))
]
TEXTS = [str(row["text"]) for row in ROWS]


@pytest.fixture(scope="module")
def model(encoder: str, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("regression") / "model"
    options: dict[str, object] = {"labels": ("stars",), "encoder": encoder, "epochs": 20, "lr": 2e-3, "batch_size": 8}
    return fastbert.fit(ROWS, out=folder, progress=False, **options)  # type: ignore[arg-type]  # each fits its parameter


def values(predictor: Predictor) -> list[float]:
    return [answer.value for answer in predictor(TEXTS) if isinstance(answer, ValuePrediction)]


def test_numbers_are_learned_in_the_unit_of_the_table(model: Predictor) -> None:
    scores = evaluate_table(model, ROWS, DataConfig()).scores

    assert isinstance(model.task, Regression)
    assert scores["r2"] > 0.6
    assert scores["mae"] < 0.7  # the deviation of the values is 1.3


def test_transformers_gives_the_output_that_the_rule_scales(model: Predictor) -> None:
    assert isinstance(model.task, Regression)
    raw: Any = pipeline("text-classification", model=str(model.bundle.folder), top_k=None)(TEXTS[:4], truncation=True)

    scaled = [answer[0]["score"] * model.task.scale + model.task.mean for answer in raw]

    assert [answer[0]["label"] for answer in raw] == ["stars"] * 4
    assert scaled == pytest.approx(values(model)[:4], abs=1e-4)


def test_report_and_card_speak_of_values_and_have_no_table_of_labels(model: Predictor) -> None:
    page = (model.bundle.folder / "report.html").read_text(encoding="utf-8")
    card = (model.bundle.folder / "README.md").read_text(encoding="utf-8")

    assert "Rows and values" in page and "Each label" not in page
    assert "rmse (lower is better)" in page
    assert "# what the rule above makes a number of" in card and "every label" not in card
    assert "It has seen numbers from 1.5 to 4.47" in card and "Each label" not in card


def test_an_export_gives_the_same_numbers(model: Predictor, tmp_path: Path) -> None:
    export = export_bundle(model.bundle.folder, "onnx", data=ROWS)

    assert (export.check.metric, export.check.changed) == ("r2", 0.0)
    np.testing.assert_allclose(values(Predictor.load(model.bundle.folder, "onnx")), values(model), atol=1e-4)


@pytest.mark.parametrize(
    ("options", "named"), [({"delimiter": "|"}, "--delimiter"), ({"labels_file": "f"}, "--labels-file")]
)
def test_options_for_labels_are_refused(options: dict[str, str], named: str, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("a\nb\n", encoding="utf-8")
    given = {name: str(tmp_path / "names.txt") if value == "f" else value for name, value in options.items()}

    with pytest.raises(ConfigError, match=f"{named} is about labels, but --task is regression"):
        fastbert.fit(ROWS, task="regression", progress=False, **given)  # type: ignore[arg-type]


def test_the_losses_of_the_task_are_named() -> None:
    with pytest.raises(ConfigError, match="Use loss=default or huber"):
        fastbert.fit(ROWS, labels=("stars",), loss="balanced", progress=False)

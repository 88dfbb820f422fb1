"""Bundles with exports, made without training, and the rows to check them on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fastbert.data.examples import TextExample
from fastbert.export.exporting import export_bundle
from fastbert.export.parity import Rows
from fastbert.inference.predictor import Predictor
from fastbert.tasks.base import Prediction
from tests.bundles import NAMES, tiny_bundle

TEXTS = ["the app is slow", "bug", "", "good " * 50, "please help me , the export button does nothing"]
PAIRS = [("the app", "is slow"), ("good " * 40, "bad"), ("", "help"), ("bug", "not " * 30)]


def scores_of(predictions: list[Prediction]) -> np.ndarray:
    """Return the scores, one row a prediction."""
    return np.array([list(prediction.scores.values()) for prediction in predictions])


def rows(folder: Path, *, labelled: bool = True) -> Rows:
    """Return rows whose labels are the model's own answers, or any name where it has none."""
    texts = [text for text in TEXTS if text] * 5
    answers = Predictor.load(folder, "torch")(texts)
    named = [
        answer.labels if len(answer.labels) == 1 else (NAMES[row % len(NAMES)],) for row, answer in enumerate(answers)
    ]
    examples = tuple(
        TextExample(text, labels=names if labelled else None) for text, names in zip(texts, named, strict=True)
    )
    return Rows(examples, examples[:8], "rows of a test", labelled)


def exported_bundle(folder: Path, backend: str = "onnx") -> Path:
    """Write a tiny bundle with one export in float32, and return its folder."""
    export_bundle(tiny_bundle(folder), backend)  # type: ignore[arg-type]
    return folder

"""The packaged encoder, exported: the answers of transformers' own pipeline, in float32 and nearly so in 8 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers

from fastbert.data.examples import TextExample
from fastbert.export.exporting import export_bundle
from fastbert.export.parity import rows_of
from fastbert.inference.predictor import Predictor
from fastbert.models.loading import open_encoder
from tests.bundles import needs_minilm, save_bundle
from tests.exported import scores_of
from tests.feedback import feedback_rows

pytestmark = needs_minilm
TEXTS = [row["text"] for row in feedback_rows(24)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle of MiniLM with a fresh head and every kind of export."""
    place = save_bundle(tmp_path_factory.mktemp("minilm") / "model", open_encoder("minilm"), max_tokens=64)
    rows = rows_of([TextExample(text) for text in TEXTS], "feedback")
    export_bundle(place, "onnx")
    export_bundle(place, "onnx-int8", data=rows, max_loss=1.0)
    export_bundle(place, "openvino-int8", data=rows, max_loss=1.0)
    return place


def test_the_pipeline_of_transformers_gives_the_same_scores(folder: Path) -> None:
    pipeline = transformers.pipeline("text-classification", model=str(folder), device="cpu", top_k=None)

    found: Any = pipeline(TEXTS)
    expected = [{entry["label"]: entry["score"] for entry in answer} for answer in found]

    answers = Predictor.load(folder, "onnx")(TEXTS)
    for answer, scores in zip(answers, expected, strict=True):
        assert answer.scores == pytest.approx(scores, abs=1e-4)


@pytest.mark.parametrize("name", ["onnx-int8", "openvino-int8"])
def test_8_bits_move_the_scores_a_little(name: str, folder: Path) -> None:
    exact, fast = (scores_of(Predictor.load(folder, backend)(TEXTS)) for backend in ("onnx", name))

    assert 0 < np.abs(exact - fast).max() < 0.05

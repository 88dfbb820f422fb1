"""The two halves of a predictor give the answers of the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fastbert.inference.predictor import Predictor, as_examples
from fastbert.serving.engine import Engine
from fastbert.serving.problems import Problem
from fastbert.tasks.base import Array, Batch


def test_texts_that_were_encoded_apart_are_answered_together(single: Path) -> None:
    predictor = Predictor.load(single, "onnx")
    engine = Engine(predictor)
    texts = ["bug", "the app is slow", "good " * 50]
    rows = [engine.encode(as_examples([text]))[0] for text in texts]

    found = engine.predict(rows, predictor.bundle.decisions)

    for answer, expected in zip(found, predictor(texts), strict=True):
        assert answer.answer == expected.answer
        assert answer.cut == expected.cut
        np.testing.assert_allclose(list(answer.scores.values()), list(expected.scores.values()), atol=1e-6)
    assert [row.tokens for row in rows] == [3, 6, 52]
    assert rows[2].cost == predictor.bundle.max_tokens


def test_an_estimate_is_bounded_by_what_the_model_reads(single: Path) -> None:
    predictor = Predictor.load(single, "onnx")

    assert Engine(predictor).estimate(as_examples(["a" * 100_000])[0]) == predictor.bundle.max_tokens


def test_a_score_that_is_not_a_number_is_no_answer(single: Path) -> None:
    predictor = Predictor.load(single, "onnx")

    class Broken:
        name, workers, batch_tokens = "broken", 1, 512

        def forward(self, batch: Batch) -> dict[str, Array]:
            return {"logits": np.full((len(batch["input_ids"]), 3), np.nan, np.float32)}

    predictor.backend = Broken()
    engine = Engine(predictor)

    with pytest.raises(Problem, match="not a number"):
        engine.predict(engine.encode(as_examples(["bug"])), predictor.bundle.decisions)

"""Answers of each task come back as what a predictor returns; anything else is noticed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from fastbert.client.answers import ServedModel, explanation_of, prediction_of
from fastbert.data.examples import TextExample
from fastbert.insight.explanation import Attribution, Explanation
from fastbert.insight.readings import Word
from fastbert.tasks.answer_prediction import AnswerPrediction, AnswerSpan
from fastbert.tasks.base import Prediction
from fastbert.tasks.entities_prediction import EntitiesPrediction, ScoredEntity
from fastbert.tasks.label_prediction import LabelPrediction, WindowScores
from fastbert.tasks.regression import ValuePrediction

TEXT, PAIR = TextExample("Rome is old"), TextExample("which city", "Rome is old")
ENTITIES = [ScoredEntity("Rome", "city", 0, 4, 0.5)]
SPAN = AnswerSpan("Rome", 0, 4, 0.75)
EXPECTED: Sequence[tuple[TextExample, Prediction]] = [
    (TEXT, LabelPrediction(("a",), {"a": 0.75, "b": 0.25}, text=TEXT.text)),
    (PAIR, LabelPrediction((), {"a": 0.25}, text=PAIR.text, pair=PAIR.pair, cut=True)),
    (TEXT, LabelPrediction((), {"a": 0.25}, reason="confidence 0.25", text=TEXT.text)),
    (TEXT, LabelPrediction(("a",), {"a": 1.0}, reason="", text=TEXT.text)),
    (TEXT, LabelPrediction(("a",), {"a": 1.0}, (WindowScores(((0, 4), (5, 7)), {"a": 0.5}),), text=TEXT.text)),
    (TEXT, EntitiesPrediction.of(ENTITIES, TEXT, cut=True)),
    (TEXT, EntitiesPrediction.of([], TEXT)),
    (TEXT, ValuePrediction(text=TEXT.text, value=3.25, scale=1.5)),
    (PAIR, AnswerPrediction(text=PAIR.text, pair=PAIR.pair, start=0, end=4, score=0.75, alternatives=(SPAN,))),
    (PAIR, AnswerPrediction(text=PAIR.text, pair=PAIR.pair, score=0.5, no_answer=0.5)),
]


def sent(prediction: Prediction) -> dict[str, object]:
    """Return what a server sends of a prediction: all but the pair, which the caller has."""
    values: dict[str, object] = json.loads(json.dumps(prediction.to_json()))
    values.pop("pair", None)
    return values


@pytest.mark.parametrize(("example", "expected"), EXPECTED)
def test_a_prediction_comes_back_as_it_was(example: TextExample, expected: Prediction) -> None:
    found = prediction_of(sent(expected), example)

    known = replace(found, margin=0.0) if isinstance(found, AnswerPrediction) else found
    assert known == expected
    assert found.cells == expected.cells


def test_numbers_that_stay_on_the_server_are_no_numbers() -> None:
    answer = prediction_of(sent(EXPECTED[-1][1]), PAIR)
    label = prediction_of(sent(EXPECTED[0][1]), TEXT)

    assert isinstance(answer, AnswerPrediction) and math.isnan(answer.margin)
    assert isinstance(label, LabelPrediction) and math.isnan(label.energy)


def test_an_explanation_comes_back_as_it_was() -> None:
    words = (Word("Rome", 0, 4), Word("is", 5, 7), Word("old", 8, 11, read=False))
    values = (1.5, -0.5, None)
    attributions = (
        Attribution("a", "log-odds", 0.75, 1.0, -1.0, values, "occlusion"),
        Attribution("Rome", "logits", 0.5, 1.0, 0.0, values, "gradients", place=(0, 4), steps=8, error=0.125),
    )
    expected = Explanation(EXPECTED[0][1], words, attributions, "[MASK]", 2)
    whole = json.loads(json.dumps(expected.to_json()))

    assert explanation_of(sent(expected.prediction) | {"explanation": whole}, TEXT) == expected


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"labels": "a", "scores": {}},
        {"labels": [1], "scores": {}},
        {"labels": []},
        {"labels": [], "scores": []},
        {"labels": [], "scores": {"a": "0.5"}},
        {"labels": [], "scores": {"a": True}},
        {"labels": [], "scores": {}, "reason": 1},
        {"labels": [], "scores": {}, "windows": [{"pieces": [[0]], "scores": {}}]},
        {"value": None, "scale": 1.0},
        {"value": 1.0},
        {"entities": [{"text": "a", "label": "b", "start": 0.5, "end": 1, "score": 1.0}]},
        {"entities": [1]},
        {"start": 0, "end": True, "score": 0.5, "no_answer": 0.0, "alternatives": []},
    ],
)
def test_anything_else_is_noticed(values: dict[str, object]) -> None:
    with pytest.raises((LookupError, TypeError, ValueError)):
        prediction_of(values, TEXT)


def test_what_a_newer_server_says_of_a_model_is_passed_over() -> None:
    values: dict[str, object] = {"name": "m", "version": "1", "task": "t", "labels": ["a"], "reads": "text", "rule": ""}
    values |= {"max_tokens": 8, "backend": "onnx", "loaded": "", "scores": {"valid": {"accuracy": 0.5}}}
    values |= {"answer_columns": ["predicted"], "layout": {}, "mood": "good"}

    model = ServedModel.from_json(values)

    assert (model.name, model.labels, model.answer_columns) == ("m", ("a",), ("predicted",))
    assert model.scores == {"valid": {"accuracy": 0.5}}

"""Inputs and answers of transformers' pipelines."""

from __future__ import annotations

import msgspec
import pytest

from fastbert.labels import Labels
from fastbert.serving.pipeline_shapes import Inputs, PipelineParameters, check_parameters, pipeline_answer, texts_of
from fastbert.serving.problems import Problem
from fastbert.tasks.answer_prediction import AnswerPrediction
from fastbert.tasks.answering import Answering
from fastbert.tasks.base import Task
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.regression import Regression
from fastbert.tasks.tagging import Tagging

INPUTS = {
    '"a"': (["a"], "text"),
    '["a", "b"]': (["a", "b"], "list"),
    '[["a", "b"], ["a"]]': ([("a", "b"), "a"], "list"),
    '{"text": "a"}': (["a"], "record"),
    '{"text": "a", "text_pair": "b"}': ([("a", "b")], "record"),
    '{"question": "a", "context": "b"}': ([("a", "b")], "record"),
    '[{"question": "a", "context": "b"}, "c"]': ([("a", "b"), "c"], "list"),
    "[]": ([], "list"),
}


@pytest.mark.parametrize(("body", "expected"), INPUTS.items())
def test_inputs_are_texts_or_pairs(body: str, expected: tuple[list[object], str]) -> None:
    assert texts_of(msgspec.json.decode(body, type=Inputs), 2) == expected


def test_a_problem_names_the_input() -> None:
    with pytest.raises(Problem) as caught:
        texts_of(["a", ["a", "b", "c"]], 2)

    assert caught.value.where == "inputs[1]"


@pytest.mark.parametrize(
    ("task", "function"),
    [
        (SingleLabel(Labels(("a", "b"))), "softmax"),
        (MultiLabel(Labels(("a", "b"))), "sigmoid"),
        (Regression("a", mean=0.0, scale=1.0, low=0.0, high=1.0), "none"),
    ],
)
def test_only_the_function_of_the_model_is_known(task: Task, function: str) -> None:
    check_parameters(task, PipelineParameters(function_to_apply=function))
    for other in {"softmax", "sigmoid", "none"} - {function}:
        with pytest.raises(Problem, match="function_to_apply cannot be chosen"):
            check_parameters(task, PipelineParameters(function_to_apply=other))


def test_a_function_for_entities_is_refused() -> None:
    with pytest.raises(Problem, match="a model for tagging has none"):
        check_parameters(Tagging(Labels(("a",))), PipelineParameters(function_to_apply="softmax"))


def test_no_answer_is_an_empty_one_at_the_start() -> None:
    answer = pipeline_answer(
        Answering(True), [AnswerPrediction(text="a", pair="b", score=0.75)], PipelineParameters(), "text"
    )

    assert msgspec.to_builtins(answer) == {"score": 0.75, "start": 0, "end": 0, "answer": ""}

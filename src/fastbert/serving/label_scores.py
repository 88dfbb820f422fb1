"""Predictions as names with scores, the way the contracts of other servers want them.

The one place that knows it, so that the same text has the same label and score in all of them. Knows no contract.
"""

from __future__ import annotations

from typing import cast

from fastbert.serving.problems import Problem
from fastbert.tasks.base import Prediction, Task
from fastbert.tasks.regression import Regression, ValuePrediction

LABELLING = ("single_label", "multi_label", "regression")  # tasks whose answer is a list of names with numbers


def label_scores(task: Task, prediction: Prediction, top_k: int | None = None) -> list[tuple[str, float]]:
    """Return names with scores, the highest first; of regression the column's name with the value.

    top_k: so many of them.
    Raises Problem (422) for a task that answers otherwise.
    """
    check_labelling(task)
    if isinstance(task, Regression):
        return [(task.target, cast("ValuePrediction", prediction).value)][:top_k]
    return sorted(prediction.scores.items(), key=lambda item: -item[1])[:top_k]


def decided(task: Task, prediction: Prediction) -> tuple[str, float]:
    """Return the answer in one cell and its score: labels joined by |, "unknown" where there is none to give.

    The score is that of the first label decided, else the highest; of regression the answer is the column's name.
    """
    ranked = label_scores(task, prediction)
    if isinstance(task, Regression):
        return ranked[0]
    name = prediction.labels[0] if prediction.labels else ranked[0][0]
    return prediction.cells[0], prediction.scores.get(name, ranked[0][1])  # a parent of labels has no score


def check_labelling(task: Task) -> None:
    """Raise Problem (422) for a task whose answers are no labels with scores."""
    if task.name not in LABELLING:
        kind = {"tagging": "entities", "answering": "a part of a context"}.get(task.name, "no labels")
        raise Problem(
            422,
            "unsupported_task",
            f"This contract answers with labels and scores; the model ({task.name}) answers with {kind}.",
            "",
            "Ask POST /v1/predict, or POST / as transformers' pipelines.",
        )

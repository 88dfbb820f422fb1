"""Names with scores, for every task that has them."""

from __future__ import annotations

import pytest

from fastbert.labels import Labels
from fastbert.serving.label_scores import check_labelling, decided, label_scores
from fastbert.serving.problems import Problem
from fastbert.tasks.answering import Answering
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.tasks.regression import Regression, ValuePrediction
from fastbert.tasks.tagging import Tagging

NAMES = Labels(("a", "b", "c"))
SCORES = {"a": 0.2, "b": 0.5, "c": 0.3}
STARS = Regression("stars", mean=0.0, scale=1.0, low=0.0, high=1.0)


@pytest.mark.parametrize(("top_k", "expected"), [(None, ["b", "c", "a"]), (2, ["b", "c"]), (9, ["b", "c", "a"])])
def test_the_highest_score_comes_first(top_k: int | None, expected: list[str]) -> None:
    ranked = label_scores(SingleLabel(NAMES), LabelPrediction(("b",), SCORES), top_k)

    assert [name for name, _ in ranked] == expected


def test_a_number_is_that_of_its_column() -> None:
    prediction = ValuePrediction(value=3.5)

    assert label_scores(STARS, prediction) == [decided(STARS, prediction)] == [("stars", 3.5)]


def test_several_labels_are_one_answer_with_the_first_score() -> None:
    assert decided(MultiLabel(NAMES), LabelPrediction(("b", "c"), SCORES)) == ("b|c", 0.5)


def test_where_no_label_is_given_the_score_is_the_highest() -> None:
    assert decided(MultiLabel(NAMES), LabelPrediction((), SCORES)) == ("", 0.5)
    assert decided(SingleLabel(NAMES), LabelPrediction((), SCORES, reason="unsure")) == ("unknown", 0.5)


def test_a_parent_of_labels_has_the_highest_score() -> None:
    assert decided(SingleLabel(NAMES), LabelPrediction(("above",), SCORES, reason="stops")) == ("above", 0.5)


@pytest.mark.parametrize("task", [Tagging(NAMES), Answering()])
def test_other_tasks_are_refused(task: Tagging | Answering) -> None:
    with pytest.raises(Problem, match="answers with labels and scores"):
        check_labelling(task)

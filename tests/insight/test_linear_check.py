"""The linear baseline of a run: same rows, same scores, a difference with its interval."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import cast

import pytest

from fastbert.config import DecisionConfig
from fastbert.data.databunch import DataBunch
from fastbert.data.examples import Example
from fastbert.errors import MissingExtraError
from fastbert.insight.linear_check import LinearCheck
from fastbert.tasks.base import Prediction
from fastbert.tasks.label_prediction import LabelPrediction
from tests.feedback import feedback_rows, make_data
from tests.insight.answered import TAGS, tags


def checked(data: DataBunch) -> LinearCheck:
    found = LinearCheck.of(data)
    assert found is not None
    return found


def perfect(data: DataBunch, split: str) -> list[Prediction]:
    from fastbert.tasks.label_prediction import true_labels

    def answer(example: Example) -> Prediction:
        (name,) = true_labels(example)
        return LabelPrediction((name,), {one: float(one == name) for one in data.labels})

    return [answer(example) for example in data.examples(split)]


def test_it_is_scored_on_every_split_but_train() -> None:
    data = DataBunch.from_files(feedback_rows(30), feedback_rows(40)[30:], feedback_rows(48)[40:])

    check = checked(data)

    assert list(check.scores) == ["valid", "test"]
    assert check.scores["test"] == data.task.score(check.answers["test"], data.examples("test"))


def test_facts_hold_the_difference_on_the_last_split() -> None:
    data = DataBunch.from_files(feedback_rows(30), feedback_rows(40)[30:], feedback_rows(48)[40:])
    check = checked(data)

    facts = check.facts({split: perfect(data, split) for split in ("valid", "test")})

    difference = facts["difference"]
    assert (facts["split"], facts["score"], facts["trained_rows"]) == ("test", "f1_macro", 30)
    assert isinstance(difference, dict)
    assert difference["value"] == pytest.approx(1.0 - check.scores["test"]["f1_macro"])


def test_a_model_that_holds_answers_back_is_compared_by_what_it_decided() -> None:
    data = DataBunch.from_files(feedback_rows(30), feedback_rows(40)[30:])
    check = checked(data)
    whole = check.answers["valid"]
    held = [cast("LabelPrediction", one) for one in whole]
    unsure: list[Prediction] = [
        replace(one, labels=one.labels * (row % 2), reason="" if row % 2 else "unsure") for row, one in enumerate(held)
    ]

    facts = check.facts({"valid": unsure}, whole)

    difference = facts["difference"]
    assert isinstance(difference, dict)
    assert (facts["coverage"], difference["value"], difference["low"], difference["high"]) == (0.5, 0, 0, 0)


def test_the_rule_of_the_linear_model_is_fitted_for_the_goal_of_the_model() -> None:
    data = DataBunch.from_files(feedback_rows(30), feedback_rows(40)[30:])

    found = [LinearCheck.of(data, deciding=DecisionConfig(goal=goal)) for goal in (None, "recall>=0.95@bug")]

    given = [sum(said.labels == ("bug",) for said in one.answers["valid"]) for one in found if one is not None]
    assert given[1] > given[0]


def test_no_text_is_in_the_facts() -> None:
    data = make_data()

    assert "button" not in str(checked(data).facts({"valid": perfect(data, "valid")}))


def test_a_task_without_a_linear_baseline_has_none() -> None:
    _, examples, _ = tags()
    data = DataBunch(TAGS, {"train": tuple(examples), "valid": tuple(examples)})

    assert LinearCheck.of(data) is None


def test_without_scikit_learn_training_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(*given: object, **more: object) -> None:
        raise MissingExtraError("scikit-learn", "train", "A baseline")

    monkeypatch.setattr("fastbert.insight.linear_check.fit_baseline", missing)

    with caplog.at_level(logging.WARNING):
        assert LinearCheck.of(make_data()) is None

    assert "no linear baseline: A baseline needs the package scikit-learn" in caplog.text

"""Texts within the limits, and rules of a request's own."""

from __future__ import annotations

import pytest

from fastbert.serving.inputs import decisions_of, examples_of, whole
from fastbert.serving.problems import Problem
from fastbert.serving.settings import Limits
from tests.serving.asking import Asker


def test_examples_say_where_they_stood(asker: Asker) -> None:
    model = asker.service.models.get("single")

    assert [one.where for one in examples_of(model, ["a", "b"], "inputs", Limits())] == ["inputs[0]", "inputs[1]"]


def test_characters_are_counted_together(asker: Asker) -> None:
    model = asker.service.models.get("single")

    with pytest.raises(Problem) as caught:
        examples_of(model, ["abc", "def"], "inputs", Limits(characters=5))

    assert (caught.value.status, caught.value.where) == (413, "inputs")


def test_without_thresholds_the_rule_of_the_model_holds(asker: Asker) -> None:
    assert decisions_of(asker.service.models.get("multi"), None, None) is None


def test_one_threshold_leaves_those_of_other_labels(asker: Asker) -> None:
    model = asker.service.models.get("multi")

    rule = decisions_of(model, None, {"bug": 0.25})

    assert rule is not None
    assert rule.threshold == model.predictor.bundle.decisions.threshold
    assert dict(rule.thresholds) == {"bug": 0.25}


def test_a_fraction_is_no_whole_number() -> None:
    assert whole(3.0, "top_k") == 3
    with pytest.raises(Problem):
        whole(3.5, "top_k")

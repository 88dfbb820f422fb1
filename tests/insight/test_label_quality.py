"""How probable given labels are, and what share of them is wrong: by hand, and on labels flipped on purpose."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from fastbert.data.examples import TextExample, ValueExample
from fastbert.errors import ConfigError, MissingExtraError
from fastbert.insight.label_errors import find_label_errors
from fastbert.insight.label_quality import Method, check_task, estimate_noise, label_quality
from fastbert.labels import Labels
from fastbert.tasks.base import Prediction
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.tasks.regression import Regression, ValuePrediction
from fastbert.tasks.tagging import Tagging

NAMES = ("a", "b", "c")
SINGLE, MULTI = SingleLabel(Labels(NAMES)), MultiLabel(Labels(NAMES))
VALUES = Regression("stars", 0.0, 1.0, -9.0, 9.0)


def said(*scores: float, labels: tuple[str, ...] = ("a",)) -> LabelPrediction:
    return LabelPrediction(labels, dict(zip(NAMES, scores, strict=True)))


def rows_of(noise: float, count: int = 2000, seed: int = 0) -> tuple[list[LabelPrediction], list[TextExample]]:
    """Return calibrated predictions, and labels drawn from them of which a share is then replaced by another."""
    rng = np.random.default_rng(seed)
    logits_NC = rng.normal(0, 3, (count, 3))
    scores_NC = np.exp(logits_NC) / np.exp(logits_NC).sum(axis=1, keepdims=True)
    true_N = (scores_NC.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)
    wrong_N = rng.random(count) < noise
    given_N = np.where(wrong_N, (true_N + rng.integers(1, 3, count)) % 3, true_N)
    predictions = [said(*scores_C.tolist(), labels=(NAMES[int(scores_C.argmax())],)) for scores_C in scores_NC]
    return predictions, [TextExample("t", labels=(NAMES[given],)) for given in given_N.tolist()]


def test_the_quality_of_a_label_is_its_probability() -> None:
    examples = [TextExample("x", labels=("b",)), TextExample("y", labels=("a",))]

    quality_N = label_quality(SINGLE, [said(0.7, 0.2, 0.1), said(0.6, 0.3, 0.1)], examples)

    assert quality_N.tolist() == pytest.approx([0.2, 0.6])


def test_the_quality_of_several_labels_is_that_of_the_least_probable() -> None:
    examples = [TextExample("x", labels=("a",)), TextExample("y", labels=()), TextExample("z", labels=("a", "c"))]
    predictions = [said(0.9, 0.8, 0.1), said(0.1, 0.3, 0.2), said(0.6, 0.1, 0.05)]

    quality_N = label_quality(MULTI, predictions, examples)

    assert quality_N.tolist() == pytest.approx([0.2, 0.7, 0.05])


def test_the_quality_of_a_number_falls_with_its_error_in_robust_deviations() -> None:
    errors = [-1.0, 0.0, 1.0, 0.0, 7.0]
    examples = [ValueExample("x", value=2.0 + error) for error in errors]
    predictions: list[Prediction] = [ValuePrediction(value=2.0) for _ in errors]

    quality_N = label_quality(VALUES, predictions, examples)

    assert quality_N.tolist() == pytest.approx([math.exp(-abs(error) / 1.4826) for error in errors])


@pytest.mark.parametrize("method", ["normalized_margin", "confidence_weighted_entropy"])
def test_other_methods_rank_a_wrong_label_lowest_too(method: Method) -> None:
    examples = [TextExample("x", labels=(name,)) for name in "aab"]
    predictions = [said(0.8, 0.1, 0.1), said(0.5, 0.3, 0.2), said(0.9, 0.05, 0.05)]

    assert label_quality(SINGLE, predictions, examples, method=method).argmin() == 2


@pytest.mark.parametrize("noise", [0.0, 0.03, 0.1, 0.2])
def test_the_estimate_is_near_the_share_that_was_flipped(noise: float) -> None:
    found = estimate_noise(SINGLE, *rows_of(noise, 6000, seed=1))

    assert found.low <= found.share <= found.high
    assert abs(found.share - noise) < 0.05
    assert found.count == round(found.share * 6000)


def test_the_interval_holds_the_share_about_as_often_as_it_says() -> None:
    found = [estimate_noise(SINGLE, *rows_of(0.1, 1000, seed=seed)) for seed in range(20)]

    assert sum(one.low <= 0.1 <= one.high for one in found) >= 17


def test_the_estimate_of_no_label_counts_rows_that_have_some() -> None:
    predictions = [said(0.01, 0.01, 0.01, labels=()) for _ in range(100)]
    examples = [TextExample("x", labels=("a",) if row < 4 else ()) for row in range(100)]

    assert estimate_noise(MULTI, predictions, examples).share == pytest.approx(0.4)  # 4 of the first 10: all as sure


def test_outliers_are_counted_beyond_what_normal_errors_make() -> None:
    errors_N = np.random.default_rng(0).normal(0, 1, 3000)
    errors_N[:60] += 12
    examples = [ValueExample("x", value=error) for error in errors_N.tolist()]

    found = estimate_noise(VALUES, [ValuePrediction(value=0.0) for _ in examples], examples)

    assert found.share == pytest.approx(0.02, abs=0.003)
    assert found.low < 0.02 < found.high


def test_the_estimate_says_how_far_it_goes() -> None:
    text = estimate_noise(SINGLE, *rows_of(0.1)).describe()

    assert "of 2,000 rows (" in text and "%) are probably labelled wrong; more likely fewer: what the model" in text


@pytest.mark.parametrize("count", [6, 20])
def test_of_a_few_rows_nothing_is_told(count: int) -> None:
    examples = [TextExample("x", labels=("ab"[row % 2],)) for row in range(count)]
    predictions = [said(*((0.1, 0.9, 0.0) if row % 2 == 0 else (0.9, 0.1, 0.0))) for row in range(count)]

    found = estimate_noise(SINGLE, predictions, examples)

    assert (found.share, found.count, found.tells) == (1.0, 0, False)  # at chance a model of so few is as often wrong
    assert found.describe().startswith(f"how many labels are wrong cannot be told from {count} rows (95 % interval ")
    assert not any(one.issue for one in find_label_errors(SINGLE, predictions, examples))


def test_a_task_without_labels_is_refused() -> None:
    with pytest.raises(ConfigError, match="Label errors cannot be found for the task 'tagging'"):
        check_task(Tagging(Labels(("X",))))


def test_another_method_is_refused() -> None:
    with pytest.raises(ConfigError, match="method is 'best'; expected one of self_confidence"):
        label_quality(SINGLE, [], [], method="best")  # type: ignore[arg-type]  # as a user may write it


def test_without_cleanlab_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.rank", None)
    monkeypatch.setitem(sys.modules, "cleanlab", None)

    with pytest.raises(MissingExtraError, match=r"Finding label errors needs the package cleanlab") as error:
        check_task(SINGLE)
    assert error.value.hint == 'Install it with `pip install "fastbert-nlp[clean]"`.'

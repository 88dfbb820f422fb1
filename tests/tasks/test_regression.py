"""Regression: scaling, loss, and answers in the user's unit. A whole run is in `test_regression_run.py`."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from fastbert.config import DataConfig
from fastbert.data.databunch import DataBunch
from fastbert.data.examples import ValueExample
from fastbert.data.reading import read_training_file
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError, ConfigError, DataError
from fastbert.tasks.regression import Regression, ValuePrediction
from tests.tasks.rows import RNG, tokenizer

TASK = Regression("stars", mean=3.0, scale=2.0, low=1.0, high=5.0)
ROWS = [ValueExample("the app", value=5.0), ValueExample("the page is slow", value=1.0)]


def answers(*values: float) -> list[ValuePrediction]:
    return [ValuePrediction(value=value, scale=2.0) for value in values]


def test_mean_and_deviation_come_from_the_training_rows() -> None:
    rows = [{"text": f"text {row}", "stars": row / 2} for row in range(60)]
    layout, read = read_training_file(rows, DataConfig(labels=("stars",)))

    task = Regression.from_examples(read.examples, layout, DataConfig())

    values = np.arange(60) / 2
    assert (task.target, task.mean, task.low, task.high) == ("stars", values.mean(), 0.0, 29.5)
    assert task.scale == pytest.approx(values.std())


def test_targets_are_scaled_and_answers_scaled_back() -> None:
    features = TASK.encode(ROWS, tokenizer(), 16)
    scaled = TASK.targets(features, 16, RNG)["labels"]

    found = TASK.decode({"logits": scaled[:, None]}, features, ROWS, Decisions())

    assert scaled.tolist() == [1.0, -1.0]
    assert [one.to_json() for one in found] == [{"value": 5.0, "scale": 2.0}, {"value": 1.0, "scale": 2.0}]
    assert [one.text for one in found] == ["the app", "the page is slow"]


@pytest.mark.parametrize(("kind", "expected"), [("default", 0.25 + 9.0), ("huber", 0.125 + 2.5)])
def test_loss_is_summed_and_counted(kind: str, expected: float) -> None:
    """Errors 0.5 and 3: squares 0.25 and 9; Huber 0.5 * 0.25 and 3 - 0.5."""
    task = TASK if kind == "default" else TASK.with_loss(kind, ROWS)
    batch = {"labels": torch.tensor([1.0, -1.0]), "example_of_window": torch.tensor([0, 1])}

    total, count = task.loss({"logits": torch.tensor([[1.5], [2.0]])}, batch)

    assert float(total) == pytest.approx(expected)
    assert count == 2.0


def test_windows_of_one_text_are_averaged_before_the_loss() -> None:
    batch = {"labels": torch.tensor([1.0]), "example_of_window": torch.tensor([0, 0])}

    assert float(TASK.loss({"logits": torch.tensor([[0.0], [2.0]])}, batch)[0]) == 0.0


def test_a_loss_for_labels_is_refused() -> None:
    with pytest.raises(ConfigError, match="loss is 'balanced', which the task 'regression' does not know"):
        TASK.with_loss("balanced", ROWS)


def test_scores_are_in_the_unit_of_the_user() -> None:
    assert TASK.score(answers(4.0, 1.0), ROWS)["mae"] == 0.5


def test_rows_are_ordered_by_their_error_in_deviations() -> None:
    assert [TASK.row_loss(*pair) for pair in zip(answers(4.0, 1.0), ROWS, strict=True)] == [0.5, 0.0]


@pytest.mark.parametrize(("value", "mark"), [(4.6, "right"), (4.0, "partly"), (2.0, "wrong")])
def test_an_answer_is_right_near_the_truth(value: float, mark: str) -> None:
    assert TASK.agreement(answers(value)[0], ROWS[0]) == mark


def test_counts_are_a_histogram_over_the_range_of_training() -> None:
    counts = TASK.counts([*ROWS, ValueExample("x", value=9.0)])

    assert list(counts.items())[0] == ("1 to 1.5", 1)
    assert list(counts.items())[-1] == ("4.5 to 5", 2)
    assert sum(counts.values()) == 3


def test_values_outside_the_range_of_training_are_reported() -> None:
    found = TASK.warnings({"train": ROWS, "valid": [ValueExample("x y z", value=9.0)] * 60})

    assert any("60 of 60 values in valid lie outside 1 to 5" in sentence for sentence in found)


def test_held_out_rows_have_the_spread_of_all() -> None:
    rows = [{"text": f"text {row}", "stars": row / 10} for row in range(200)]
    data = DataBunch.from_files(rows, labels=("stars",))

    held = np.array([example.truth for example in data.examples("valid")], np.float64)
    assert (held.min() < 3, held.max() > 17, 8 < held.mean() < 12) == (True, True, True)


def test_a_column_of_one_number_is_refused() -> None:
    with pytest.raises(DataError, match="All 3 rows have the same number in column 'stars'"):
        DataBunch.from_files([{"text": "a text", "stars": 1.0}] * 3, labels=("stars",), task="regression")


def test_the_task_comes_back_from_json() -> None:
    task = replace(TASK, criterion="huber", truncation="windows")

    assert Regression.from_json(json.loads(json.dumps(task.to_json()))) == task


@pytest.mark.parametrize("change", [{"mean": None}, {"scale": 0.0}, {"criterion": "cubic"}, {"truncation": "middle"}])
def test_a_damaged_task_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BundleError, match="bundle.json"):
        Regression.from_json(TASK.to_json() | change)


def test_an_example_without_a_value_is_no_truth() -> None:
    with pytest.raises(ValueError, match="here: an example without a value cannot be scored"):
        TASK.score(answers(1.0), [ValueExample("x", where="here")])


def test_answers_closer_than_a_hundredth_of_a_deviation_agree() -> None:
    one, two, three = answers(3.0, 3.004, 3.1)

    assert one.answer == two.answer != three.answer


@pytest.mark.parametrize(("value", "same"), [(3.19, True), (2.81, True), (3.21, False), (math.nan, False)])
def test_numbers_within_a_tenth_of_a_deviation_are_as_good_as_the_same(value: float, same: bool) -> None:
    """Whether one is rounded up and the other down says nothing: 3.009 and 3.011 are on two sides of a hundredth."""
    one, two = answers(3.0, value)

    assert (one.agrees(two), two.agrees(one)) == (same, same)
    assert answers(3.009)[0].agrees(answers(3.011)[0])


def test_where_all_true_values_are_the_same_the_smallest_error_is_the_best() -> None:
    truths = [ValueExample("text", value=3.0)] * 2

    close, far = (TASK.ranking(TASK.score(answers(*values), truths)) for values in ((3.0, 3.5), (1.0, 9.0)))

    assert close is not None and far is not None
    assert close[0] == "rmse"
    assert close[1] == pytest.approx(-0.354, abs=1e-3)
    assert far[1] < close[1]


def test_the_error_of_a_stand_in_is_known_too() -> None:
    truths = [ValueExample("text", value=3.0)] * 4

    assert TASK.score_error(answers(3.0, 3.0, 4.0, 5.0), truths) > 0.0


@pytest.mark.parametrize(
    ("value", "scale", "cell"),
    [
        (3.1400001049, 1.5, "3.14"),
        (1e9 + 0.123, 0.3, "1000000000.123"),
        (1.23456789e-7, 1e-7, "1.23457e-07"),
        (1234567.9, 2e6, "1234568"),
        (-1e-9, 1.0, "0"),
        (5.0, 2.0, "5"),
    ],
)
def test_an_answer_has_as_many_decimals_as_its_scale_needs(value: float, scale: float, cell: str) -> None:
    assert ValuePrediction(value=value, scale=scale).cells == (cell,)


def test_close_numbers_have_bins_of_their_own() -> None:
    task = Regression("x", mean=1e9, scale=0.3, low=1e9, high=1e9 + 1)

    assert len(task.counts([])) == 8
    assert "1000000000 to 1000000001" in task.describe()


@pytest.mark.parametrize("values", [(-1e308, 1e308), (1e-200, 3e-200)])
def test_numbers_beyond_reckoning_are_refused(values: tuple[float, ...]) -> None:
    rows = [{"text": f"text {row}", "stars": value} for row in range(6) for value in values]
    layout, read = read_training_file(rows, DataConfig(labels=("stars",), task="regression"))

    with pytest.raises(DataError, match="The numbers in column 'stars' cannot be reckoned with"):
        Regression.from_examples(read.examples, layout, DataConfig())

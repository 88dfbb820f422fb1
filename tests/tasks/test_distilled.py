"""Tasks that learn from a teacher: their targets by hand, their losses, and that they are saved as ordinary ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from fastbert.data.examples import TextExample, ValueExample
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError
from fastbert.labels import Labels
from fastbert.tasks import task_from_json
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.distilled import (
    IGNORED,
    TaughtMultiLabel,
    TaughtRegression,
    TaughtSingleLabel,
    TaughtText,
    TaughtValue,
    Teaching,
    taught_example,
    taught_task,
    untaught_example,
)
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.tasks.regression import Regression, ValuePrediction
from fastbert.tasks.tagging import Tagging
from tests.bundles import MULTI, NAMES, SINGLE
from tests.tasks.rows import LONG, RNG, rows_for, tokenizer

NUMBERS = Regression("stars", mean=3.0, scale=2.0, low=1.0, high=5.0)
SAID = LabelPrediction(("bug",), {"bug": 0.7, "praise": 0.2, "question": 0.1})


def taught(text: str, outputs: tuple[float, ...], labels: tuple[str, ...], *, labelled: bool = False) -> TaughtText:
    return TaughtText(text, None, labels, outputs=outputs, labelled=labelled)


# --- the task -----------------------------------------------------------------------------------------


def test_a_student_has_labels_and_reading_of_its_teacher_but_not_its_loss() -> None:
    teacher = SingleLabel(Labels(NAMES), "windows", (1.0, 2.0, 3.0), "balanced")

    task = taught_task(teacher, Teaching())

    assert isinstance(task, TaughtSingleLabel)
    assert (task.labels, task.truncation, task.label_weights, task.criterion) == (
        teacher.labels,
        "windows",
        (),
        "default",
    )
    assert (task.temperature, task.label_weight) == (2.0, 0.5)


@pytest.mark.parametrize("teacher", [SINGLE, MULTI, NUMBERS], ids=lambda task: str(task.name))
def test_a_student_is_saved_as_an_ordinary_task(teacher: SingleLabel | MultiLabel | Regression) -> None:
    task = taught_task(teacher, Teaching(label_weight=0.25))

    assert task_from_json(task.to_json()) == teacher


def test_a_task_without_one_row_of_outputs_is_refused() -> None:
    with pytest.raises(ConfigError, match="The teacher's task is 'tagging', which cannot be distilled"):
        taught_task(Tagging.__new__(Tagging), Teaching())


@pytest.mark.parametrize("teacher", [MULTI, NUMBERS], ids=lambda task: str(task.name))
def test_a_temperature_without_a_softmax_is_refused(teacher: MultiLabel | Regression) -> None:
    with pytest.raises(ConfigError, match=f"temperature is 3, but the task '{teacher.name}' has no softmax"):
        taught_task(teacher, Teaching(temperature=3))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"temperature": 0.0}, "temperature is 0.0; it must be above 0"), ({"label_weight": 1.5}, "label_weight is 1.5")],
)
def test_settings_out_of_range_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Teaching(**options)


def test_another_loss_is_refused() -> None:
    with pytest.raises(ConfigError, match="loss is 'focal'"):
        taught_task(SINGLE, Teaching()).with_loss("focal", ())


# --- targets and loss ---------------------------------------------------------------------------------


def test_one_label_learns_label_and_logits_and_the_label_only_where_it_is_true() -> None:
    task = taught_task(SINGLE, Teaching())
    rows = [
        taught("the app", (1.0, 2.0, 3.0), ("question",)),
        taught(LONG, (0.0, 5.0, 0.0), ("praise",), labelled=True),
    ]

    features = task.encode(rows, tokenizer(), 32)
    targets = task.targets(features, 32, RNG)

    assert targets["labels"].tolist() == [IGNORED, 1] and targets["labels"].dtype == np.int64
    assert targets["teacher"].tolist() == [[1.0, 2.0, 3.0], [0.0, 5.0, 0.0]]


def test_the_loss_of_one_label_averages_windows_first() -> None:
    task = taught_task(SINGLE, Teaching(temperature=1.0, label_weight=0.5))
    logits_WC = torch.tensor([[3.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    batch = {
        "labels": torch.tensor([0, IGNORED]),
        "teacher": torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
        "example_of_window": torch.tensor([0, 0, 1]),
    }

    total, count = task.loss({"logits": logits_WC}, batch)

    # both rows say what their teacher says, so half of the cross entropy of the first is left
    assert float(total) == pytest.approx(0.5 * -math.log(math.exp(2) / (math.exp(2) + 2)), rel=1e-5)
    assert count == 2


def test_several_labels_learn_probabilities_mixed_with_true_cells() -> None:
    task = taught_task(MULTI, Teaching(label_weight=0.25))
    outputs = (0.0, math.log(3), -math.log(3))
    rows = [taught("the app", outputs, ("bug",)), taught("bug", outputs, ("bug", "question"), labelled=True)]

    targets = task.targets(task.encode(rows, tokenizer(), 32), 32, RNG)

    assert isinstance(task, TaughtMultiLabel)
    assert targets["labels"].tolist() == [pytest.approx([0.5, 0.75, 0.25]), pytest.approx([0.625, 0.5625, 0.4375])]


def test_numbers_learn_scaled_values_mixed_with_true_ones() -> None:
    task = taught_task(NUMBERS, Teaching(label_weight=0.5))
    rows = [
        TaughtValue("the app", value=4.0, outputs=(4.0,)),
        TaughtValue("bug", value=5.0, outputs=(3.0,), labelled=True),
    ]

    targets = task.targets(task.encode(rows, tokenizer(), 32), 32, RNG)

    assert isinstance(task, TaughtRegression)
    assert targets["labels"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("teacher", [SINGLE, MULTI], ids=lambda task: str(task.name))
def test_rows_that_no_teacher_has_answered_are_encoded_without_targets(teacher: SingleLabel | MultiLabel) -> None:
    features = taught_task(teacher, Teaching()).encode(rows_for(teacher), tokenizer(), 32)

    assert all(feature.target is None for feature in features)


# --- rows ---------------------------------------------------------------------------------------------


def test_a_row_without_labels_gets_those_of_the_teacher() -> None:
    row = taught_example(SINGLE, TextExample("the app", where="texts.csv, row 2"), SAID, SAID)

    assert isinstance(row, TaughtText)
    assert (row.labels, row.labelled, row.where) == (("bug",), False, "texts.csv, row 2")
    assert row.outputs == pytest.approx([math.log(0.7), math.log(0.2), math.log(0.1)])


def test_a_row_with_labels_keeps_them() -> None:
    row = taught_example(SINGLE, TextExample("the app", labels=("praise",)), SAID, SAID)

    assert (row.truth, row.labelled) == (("praise",), True)


def test_an_unknown_answer_of_one_label_is_that_of_the_plain_rule() -> None:
    unknown = LabelPrediction((), SAID.scores, reason="not sure enough")

    assert taught_example(SINGLE, TextExample("the app"), SAID, unknown).truth == ("bug",)


def test_several_labels_are_those_of_the_teachers_rule_with_log_odds() -> None:
    raw = LabelPrediction(("bug",), {"bug": 0.75, "praise": 0.25, "question": 0.5})
    row = taught_example(MULTI, TextExample("the app"), raw, LabelPrediction(("bug", "question"), raw.scores))

    assert row.truth == ("bug", "question")
    assert row.outputs == pytest.approx([math.log(3), -math.log(3), 0.0])


def test_a_number_is_that_of_the_teacher_unless_it_is_known() -> None:
    said = ValuePrediction(value=4.5, scale=2.0)

    rows = [taught_example(NUMBERS, ValueExample("a", value=value), said, said) for value in (None, 1.0)]

    assert [(row.truth, row.outputs, row.labelled) for row in rows] == [(4.5, (4.5,), False), (1.0, (4.5,), True)]


@pytest.mark.parametrize("teacher", [SINGLE, MULTI, NUMBERS], ids=lambda task: str(task.name))
def test_a_row_can_be_planned_with_before_it_is_answered(teacher: SingleLabel | MultiLabel | Regression) -> None:
    task = taught_task(teacher, Teaching())

    features = task.encode([untaught_example(task, TextExample("the app"))], tokenizer(), 32)

    assert np.isfinite(task.targets(features, 32, RNG)["labels"]).all()


def test_a_students_answers_are_those_of_an_ordinary_model() -> None:
    task, outputs = taught_task(SINGLE, Teaching()), {"logits": np.array([[3.0, 0.0, 0.0]])}
    rows = [TextExample("the app")]
    features = task.encode(rows, tokenizer(), 32)

    assert task.decode(outputs, features, rows, Decisions()) == SINGLE.decode(outputs, features, rows, Decisions())

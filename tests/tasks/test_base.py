"""Padding of a batch, predictions as plain values, and the table of tasks."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert import tasks
from fastbert.data.examples import TextExample
from fastbert.data.features import Features
from fastbert.errors import BundleError
from fastbert.labels import Labels
from fastbert.tasks import TASKS, task_from_json
from fastbert.tasks.base import Feature, Task, pad_batch
from fastbert.tasks.classification import SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction, WindowScores
from tests.bundles import MULTI, SINGLE


def feature(example: int, ids: list[int], types: list[int] | None = None) -> Feature:
    return Feature(
        example, 0, 1, np.array(ids, np.int32), np.array(types or [0] * len(ids), np.int32), (), len(ids), None
    )


# --- padding ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pad_id", [0, 1, 50])
def test_a_batch_is_filled_with_the_pad_id_of_the_tokenizer(pad_id: int) -> None:
    """The predecessor filled with 0 for every family; 0 is the first token of RoBERTa, its pad id is 1."""
    batch = pad_batch([feature(0, [2, 7, 3]), feature(1, [2, 3])], pad_id)

    assert batch["input_ids"].tolist() == [[2, 7, 3], [2, 3, pad_id]]


def test_padding_is_masked_and_a_pad_token_in_the_text_is_not() -> None:
    batch = pad_batch([feature(0, [2, 0, 0, 3]), feature(1, [2, 3])], 0)

    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]


def test_token_types_are_padded_with_zero() -> None:
    batch = pad_batch([feature(0, [2, 7, 3], [0, 0, 1]), feature(1, [2, 3], [0, 1])], 9)

    assert batch["token_type_ids"].tolist() == [[0, 0, 1], [0, 1, 0]]


def test_windows_are_numbered_by_the_first_appearance_of_their_example() -> None:
    batch = pad_batch([feature(example, [2, 3]) for example in (7, 7, 3, 7, 9)], 0)

    assert batch["example_of_window"].tolist() == [0, 0, 1, 0, 2]


@given(st.lists(st.integers(1, 20), min_size=1, max_size=8))
def test_every_array_is_int64_and_as_long_as_the_longest_window(sizes: list[int]) -> None:
    batch = pad_batch([feature(row, [5] * size) for row, size in enumerate(sizes)], 0)

    shapes = {name: batch[name].shape for name in ("input_ids", "attention_mask", "token_type_ids")}
    assert set(shapes.values()) == {(len(sizes), max(sizes))}
    assert {str(array.dtype) for array in batch.values()} == {"int64"}
    assert batch["attention_mask"].sum(axis=1).tolist() == sizes


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), min_size=1, max_size=8), st.integers(0, 99))
def test_a_selection_of_packed_windows_is_padded_like_a_list_of_them(shapes: list[tuple[int, int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = [
        feature(example, rng.integers(0, 99, size).tolist(), rng.integers(0, 2, size).tolist())
        for example, size in shapes
    ]
    order = rng.permutation(len(made))

    packed, listed = pad_batch(Features.of(made).select(order), 1), pad_batch([made[index] for index in order], 1)

    assert {name: array.tolist() for name, array in packed.items()} == {
        name: array.tolist() for name, array in listed.items()
    }
    assert packed["input_ids"].dtype == packed["token_type_ids"].dtype == np.int64


# --- predictions ------------------------------------------------------------------------------------


def test_a_plain_prediction_is_labels_and_scores() -> None:
    prediction = LabelPrediction(("bug",), {"bug": 0.75, "praise": 0.25}, text="It crashes")

    assert prediction.to_json() == {"labels": ["bug"], "scores": {"bug": 0.75, "praise": 0.25}}


def test_a_prediction_tells_of_pair_windows_and_cut() -> None:
    windows = (WindowScores(((0, 4), (9, 12)), {"bug": 0.5}),)
    values = LabelPrediction((), {"bug": 0.5}, windows, text="one", pair="two", cut=True).to_json()

    assert json.loads(json.dumps(values)) == {
        "labels": [],
        "scores": {"bug": 0.5},
        "pair": ["one", "two"],
        "windows": [{"pieces": [[0, 4], [9, 12]], "scores": {"bug": 0.5}}],
        "cut": True,
    }


# --- the table --------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", [SINGLE, MULTI])
def test_a_task_comes_back_from_json(task: Task) -> None:
    assert task_from_json(json.loads(json.dumps(task.to_json()))) == task


@pytest.mark.parametrize("name", TASKS)
def test_a_task_stands_in_the_table_under_its_own_name(name: str) -> None:
    assert TASKS[name].name == name


def test_an_unknown_task_is_named_with_the_known_ones() -> None:
    with pytest.raises(BundleError) as caught:
        task_from_json({"name": "zebra"})

    assert str(caught.value) == (
        "The bundle holds the task 'zebra'; this installation knows answering, multi_label, regression, "
        "single_label, tagging.\n"
        "  Install the package that brings it, or upgrade with `pip install -U fastbert-nlp`."
    )


def test_a_package_can_bring_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(*, group: str, name: str) -> EntryPoints:
        return EntryPoints([EntryPoint(name, "fastbert.tasks.classification:MultiLabel", group)])

    monkeypatch.setattr(tasks, "entry_points", installed)

    assert task_from_json(MULTI.to_json() | {"name": "of_another_package"}) == MULTI


def test_the_prior_of_a_task_is_unknown_unless_it_says_so() -> None:
    assert Task.prior_logits(SINGLE, []) is None


# --- the error of a score ---------------------------------------------------------------------------


def answers(num_rows: int, num_right: int) -> tuple[list[LabelPrediction], list[TextExample]]:
    """Return predictions of two labels, so many of them right, and what is true."""
    names = ("bug", "praise")
    truths = [names[row % 2] for row in range(num_rows)]
    said = [truth if row < num_right else names[(row + 1) % 2] for row, truth in enumerate(truths)]
    predictions = [LabelPrediction((name,), {other: float(other == name) for other in names}) for name in said]
    return predictions, [TextExample("a text", labels=(truth,)) for truth in truths]


class Accurate(SingleLabel):
    monitor = "accuracy"


@pytest.mark.parametrize(("num_rows", "num_right"), [(100, 80), (400, 360), (8000, 7200)])
def test_the_error_of_an_accuracy_is_that_of_a_share(num_rows: int, num_right: int) -> None:
    """sqrt(p (1 - p) / N), within a third: 50 draws know it to a tenth. 8,000 rows are drawn in part."""
    share = num_right / num_rows

    error = Accurate(Labels(("bug", "praise"))).score_error(*answers(num_rows, num_right))

    assert error == pytest.approx((share * (1 - share) / num_rows) ** 0.5, rel=0.33)


def test_the_error_of_a_difference_is_of_the_rows_on_which_two_models_differ() -> None:
    """Of 400 rows 40 are right in the first alone: sqrt(40 / 400 - (40 / 400) ** 2) / sqrt(400)."""
    (first, examples), (second, _) = answers(400, 360), answers(400, 320)
    task = Accurate(Labels(("bug", "praise")))

    assert task.score_error(first, examples, against=second) == pytest.approx((0.1 * 0.9 / 400) ** 0.5, rel=0.33)
    assert task.score_error(first, examples, against=first) == 0


def test_the_error_is_the_same_each_time() -> None:
    task = SingleLabel(Labels(("bug", "praise")))

    assert task.score_error(*answers(50, 40)) == task.score_error(*answers(50, 40)) > 0


def test_a_score_that_is_undefined_has_no_error() -> None:
    class Undefined(SingleLabel):
        def score(self, predictions: object, examples: object) -> dict[str, float]:
            return {"log_loss": 0.5}

    assert Undefined(Labels(("bug", "praise"))).score_error(*answers(10, 5)) == 0

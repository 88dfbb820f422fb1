"""y in every form, and answers given back in the same."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import polars
import pytest
from scipy import sparse  # type: ignore[import-untyped]  # no stubs

from fastbert.errors import BundleError, ConfigError
from fastbert.estimators.targets import Classes, read_numbers
from fastbert.estimators.texts import ArrayError
from fastbert.tasks.label_prediction import LabelPrediction

MATRIX = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]])


def answers(classes: Classes, *scores: tuple[float, ...], threshold: float = 0.5) -> list[LabelPrediction]:
    named = [dict(zip(classes.names, row, strict=True)) for row in scores]
    return [LabelPrediction(tuple(n for n, s in row.items() if s >= threshold), row) for row in named]


@pytest.mark.parametrize(
    ("y", "values", "names"),
    [
        (["b", "a", "b"], ["a", "b"], ("a", "b")),
        (np.array(["b", "a"]), ["a", "b"], ("a", "b")),
        (pd.Series(["b", "a"]), ["a", "b"], ("a", "b")),
        (pd.Series(["b", "a"], dtype="category"), ["a", "b"], ("a", "b")),
        (polars.Series(["b", "a"]), ["a", "b"], ("a", "b")),
        ([10, 9, 10], [9, 10], ("9", "10")),
        ([-1.0, 1.0], [-1.0, 1.0], ("-1.0", "1.0")),
        ([True, False], [False, True], ("False", "True")),
    ],
)
def test_one_value_a_row_is_a_class_and_comes_back_as_it_was(
    y: object, values: list[object], names: tuple[str, ...]
) -> None:
    classes = Classes.of(y)

    back = classes.give_back(answers(classes, (0.3, 0.7), (0.9, 0.1)))

    assert (classes.kind, classes.task, classes.names) == ("single", "single_label", names)
    assert classes.values_C.tolist() == values
    assert (back.tolist(), back.dtype) == ([values[1], values[0]], classes.values_C.dtype)


def test_the_decided_class_comes_back_and_not_the_one_with_the_highest_score() -> None:
    decided = LabelPrediction(("b", "a"), {"a": 0.9, "b": 0.1})

    assert Classes.of(["a", "b"]).give_back([decided]).tolist() == ["b"]


def test_rows_are_named_by_their_classes() -> None:
    assert Classes.of([10, 9, 10]).rows_of([9, 10]) == [("9",), ("10",)]


@pytest.mark.parametrize("y", [MATRIX, MATRIX.astype(bool), MATRIX.tolist(), sparse.csr_matrix(MATRIX)])
def test_a_matrix_of_0_and_1_has_a_label_in_each_column(y: object) -> None:
    classes = Classes.of(y)

    assert (classes.kind, classes.task, classes.values_C.tolist()) == ("indicator", "multi_label", [0, 1, 2])
    assert classes.rows_of(y) == [("0", "2"), (), ("1",)]


def test_a_matrix_comes_back_as_one() -> None:
    classes = Classes.of(MATRIX)

    back = classes.give_back(answers(classes, (0.9, 0.1, 0.6), (0.1, 0.2, 0.3)))

    assert np.array_equal(back, [[1, 0, 1], [0, 0, 0]])


@pytest.mark.parametrize("frame", [pd.DataFrame, polars.DataFrame])
def test_the_columns_of_a_frame_name_the_labels(frame: type) -> None:
    classes = Classes.of(frame({"bug": [1, 0], "praise": [0, 1], "long": [1, 1]}))

    assert (classes.names, classes.values_C.tolist()) == (("bug", "praise", "long"), ["bug", "praise", "long"])


@pytest.mark.parametrize(
    "y",
    [
        [["b", "a"], [], ["b"]],
        [("b", "a"), (), ("b",)],
        [{"b", "a"}, set(), {"b"}],
        pd.Series([["b", "a"], [], ["b"]]),
        polars.Series([["b", "a"], [], ["b"]]),
    ],
)
def test_lists_of_labels_come_back_as_lists(y: object) -> None:
    classes = Classes.of(y)

    assert (classes.kind, classes.names) == ("lists", ("a", "b"))
    assert [set(row) for row in classes.rows_of(y)] == [{"a", "b"}, set(), {"b"}]
    assert classes.give_back(answers(classes, (0.6, 0.9), (0.1, 0.1))).tolist() == [["a", "b"], []]
    assert classes.give_back(answers(classes, (0.6, 0.9))).tolist() == [["a", "b"]]


def test_probabilities_are_in_the_order_of_the_classes() -> None:
    classes = Classes.of(["b", "a", "c"])

    assert classes.scores_of([LabelPrediction(("c",), {"c": 0.5, "a": 0.2, "b": 0.3})]).tolist() == [[0.2, 0.3, 0.5]]


@pytest.mark.parametrize("y", [["b", "a"], [2, 1], [True, False], [0.0, 1.0], MATRIX, [["a"], ["a", "b"]]])
def test_classes_of_every_kind_survive_the_bundle(y: object) -> None:
    classes = Classes.of(y)

    read = Classes.from_json(json.loads(json.dumps(classes.to_json())), classes.names)

    assert (read.kind, read.names) == (classes.kind, classes.names)
    assert (read.values_C.tolist(), read.values_C.dtype) == (classes.values_C.tolist(), classes.values_C.dtype)


def test_damaged_classes_of_a_bundle_are_refused() -> None:
    with pytest.raises(BundleError, match="the classes of the estimator are damaged"):
        Classes.from_json({"kind": "single", "values": ["a"], "dtype": "object"}, ("a", "b"))


@pytest.mark.parametrize(("task", "kind"), [("single_label", "single"), ("multi_label", "indicator")])
def test_a_model_of_the_command_line_has_its_label_names_as_classes(task: str, kind: str) -> None:
    classes = Classes.of_names(task, ("bug", "praise"))

    assert (classes.kind, classes.values_C.tolist()) == (kind, ["bug", "praise"])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "a"], r"y holds only one class, 'a', in 2 rows"),
        (["a", None], r"y contains NaN or None \(row 1\)"),
        ([1.0, float("nan")], r"y contains NaN or infinity \(row 1\)"),
        (["a", " "], r"y holds the class ' '; expected text that is not blank"),
        ([[0, 2, 1], [1, 0, 0]], r"Unknown label type: y has 3 columns that are not 0 and 1 alone"),
        (np.zeros((2, 2, 2)), r"y has 3 dimensions"),
        (None, r"requires y to be passed, but the target y is None"),
        ([["a"], ["a"]], r"The lists of y hold 1 different labels"),
        ([["a"], [1]], r"The labels of y are of different types"),
    ],
)
def test_a_y_without_classes_is_refused(y: object, message: str) -> None:
    with pytest.raises(ArrayError, match=message):
        Classes.of(y)


def test_numbers_with_fractions_are_no_classes() -> None:
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        Classes.of([0.1, 0.7, 2.5])


@pytest.mark.parametrize(
    ("y", "task", "message"),
    [
        (["a", "b"], "multi_label", "task is 'multi_label', but y is one value a row; expected a 0/1 matrix"),
        (MATRIX, "single_label", "task is 'single_label', but y is a 0/1 matrix; expected one value a row"),
    ],
)
def test_a_task_that_y_does_not_fit_is_refused(y: object, task: str, message: str) -> None:
    with pytest.raises(ArrayError, match=message):
        Classes.of(y, task)


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(ConfigError, match="task is 'tagging'; expected one of auto, single_label, multi_label"):
        Classes.of(["a", "b"], "tagging")


@pytest.mark.parametrize(
    ("known", "y", "message"),
    [
        (["a", "b"], ["a", "c"], r"y holds 'c', which is none of the 2 classes \(a, b\)"),
        ([["a"], ["b"]], [["a", "c"]], r"y holds 'c', which is none of the 2 classes"),
        ([["a"], ["b"]], ["a"], r"y: row 0: expected a list of labels in every row"),
        (MATRIX, [[1, 0], [0, 1]], r"y has the shape \(2, 2\); expected 3 columns of 0 and 1"),
    ],
)
def test_rows_of_another_kind_are_refused(known: object, y: object, message: str) -> None:
    with pytest.raises(ArrayError, match=message):
        Classes.of(known).rows_of(y)


def test_a_column_is_flattened_with_scikit_learns_warning() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        numbers = read_numbers([[1], [2]])

    assert (numbers.tolist(), len(caught)) == ([1.0, 2.0], 1)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["few", "many"], "y does not hold numbers.\n  Use FastBertClassifier for classes."),
        ([1.0, float("inf")], "y contains NaN or infinity"),
        ([[1, 2], [3, 4]], "y should be a 1d array"),
    ],
)
def test_numbers_must_be_numbers(y: object, message: str) -> None:
    with pytest.raises(ArrayError) as caught:
        read_numbers(y)

    assert str(caught.value).startswith(message)

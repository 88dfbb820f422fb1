"""Out-of-fold predictions by linear models on vectors: no row is predicted by a model that has seen it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from fastbert.data.databunch import DataBunch
from fastbert.errors import ConfigError
from fastbert.insight.quick_folds import mean_predictions, mean_scores, quick_predictions
from fastbert.labels import Labels
from fastbert.tasks.classification import MultiLabel
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.tasks.regression import ValuePrediction
from tests.feedback import feedback_rows, tagged_rows

WORDS = "good great fast love bad slow crash error and please".split()


def count_words(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return which words a text has, as a vector of length 1."""
    found_ND = np.array([[word in text.split() for word in WORDS] for text in texts], np.float32) + 0.01
    return np.asarray(found_ND / np.linalg.norm(found_ND, axis=1, keepdims=True), np.float32)


def test_labels_that_words_tell_are_predicted() -> None:
    data = DataBunch.from_files(feedback_rows(48))

    found = quick_predictions(data, count_words, folds=4)

    assert data.task.score(found, data.training_table)["accuracy"] == 1.0
    assert [one.text for one in found] == [row["text"] for row in feedback_rows(48)]


def test_a_row_s_own_label_has_no_part_in_its_prediction() -> None:
    rows = feedback_rows(48)
    flipped = [{**row, "label": "praise"} if index == 6 else row for index, row in enumerate(rows)]
    data = DataBunch.from_files(flipped)

    found = quick_predictions(data, count_words, folds=4)

    assert data.training_table[6].truth == ("praise",)
    assert found[6].labels == ("bug",)


def test_several_labels_are_decided_by_one_threshold() -> None:
    data = DataBunch.from_files(tagged_rows(48))

    found = quick_predictions(data, count_words, folds=4)

    assert all(set(one.scores) == {"bug", "praise", "long"} for one in found)
    assert data.task.score(found, data.training_table)["f1_micro"] > 0.95


def test_numbers_are_predicted() -> None:
    rows = [
        {"text": row["text"], "stars": index * 0.01 + 3 * (row["label"] == "praise")}
        for index, row in enumerate(feedback_rows(48))
    ]
    data = DataBunch.from_files(rows)

    found = quick_predictions(data, count_words, folds=4)

    assert all(isinstance(one, ValuePrediction) for one in found)
    assert data.task.score(found, data.training_table)["r2"] > 0.7


def test_the_two_texts_of_a_pair_are_compared() -> None:
    texts = [f"{a} {b}" for a in WORDS for b in WORDS if a != b][:60]
    rows = [
        {"sentence1": text, "sentence2": text if index % 2 else texts[(index * 7 + 5) % 60], "label": "ny"[index % 2]}
        for index, text in enumerate(texts)
    ]
    data = DataBunch.from_files(rows, text=("sentence1", "sentence2"), label="label")

    found = quick_predictions(data, count_words, folds=4)

    assert data.task.score(found, data.training_table)["accuracy"] > 0.8


def test_a_label_that_no_other_row_has_gets_no_probability() -> None:
    data = DataBunch.from_files([*feedback_rows(40), {"text": "who is anna", "label": "question"}])

    found = quick_predictions(data, count_words, folds=4)

    assert isinstance(found[40], LabelPrediction)
    assert found[40].scores["question"] == 0.0


def test_a_task_about_parts_of_texts_is_refused() -> None:
    rows = [
        {"text": f"anna is here {index}", "entities": [{"start": 0, "end": 4, "label": "X"}]} for index in range(20)
    ]

    with pytest.raises(ConfigError, match="one vector for a text, and the task 'tagging' is about parts of it"):
        quick_predictions(DataBunch.from_files(rows), count_words)


def test_the_mean_of_two_models_decides_anew() -> None:
    data = DataBunch.from_files(feedback_rows(8))
    sure, unsure = (
        [LabelPrediction(("bug",), {"bug": score, "praise": 1 - score}, text=row.text) for row in data.training_table]
        for score in (0.1, 0.6)
    )

    found = mean_predictions(data, sure, unsure)

    assert found[0].labels == ("praise",)
    assert found[0].scores == pytest.approx(
        {"bug": math.sqrt(0.06) / (math.sqrt(0.06) + 0.6), "praise": 0.6 / (math.sqrt(0.06) + 0.6)}
    )
    assert [one.text for one in found] == [row.text for row in data.training_table]


def test_the_mean_of_several_labels_is_that_of_their_log_odds() -> None:
    task = MultiLabel(Labels(("a", "b")))

    found_NC = mean_scores(task, np.array([[0.8, 0.0]]), np.array([[0.8, 0.9]]))

    assert found_NC[0, 0] == pytest.approx(0.8)
    assert found_NC[0, 1] == pytest.approx(1 / (1 + math.sqrt(0.1 * (1 - 1e-6) / (0.9 * 1e-6))))


def test_the_mean_of_two_numbers_is_a_number() -> None:
    rows = [{"text": row["text"], "stars": index * 0.37} for index, row in enumerate(feedback_rows(20))]
    data = DataBunch.from_files(rows)
    low, high = ([ValuePrediction(value=value) for _ in rows] for value in (1.0, 4.0))

    found = mean_predictions(data, low, high)

    assert [one.cells for one in found] == [("2.5",)] * 20

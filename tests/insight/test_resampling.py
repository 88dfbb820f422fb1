"""Scores of draws against the task's own scores of the same rows, drawn as lists."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fastbert.data.examples import Example, TextExample
from fastbert.insight.resampling import Resampled, resampled
from fastbert.labels import Labels
from fastbert.metrics.draws import draw_counts
from fastbert.tasks.base import Prediction
from fastbert.tasks.classification import SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction
from tests.insight.answered import (
    Made,
    holding_back,
    multi,
    multi_unsure,
    numbers,
    questions,
    single,
    single_unsure,
    tags,
)

MAKERS = [single, multi, single_unsure, multi_unsure, numbers, tags, questions]


def drawn(made: Made) -> Resampled:
    found = resampled(*(made[0], made[2], made[1]))
    assert found is not None
    return found


def scores_of(rows: Resampled, counts_DN: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> dict[str, float]:
    found = {**rows.scores(counts_DN), **rows.ranking_scores(counts_DN)}
    return {name: float(values_D[0]) for name, values_D in found.items()}


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_every_headline_has_the_value_of_the_task_where_each_row_is_drawn_once(make: Callable[[], Made]) -> None:
    task, examples, answers = make()

    found = scores_of(drawn((task, examples, answers)), np.ones((1, len(examples))))

    expected = task.score(answers, examples)
    assert set(task.headlines) & set(expected) <= set(found)
    assert found == pytest.approx({name: expected[name] for name in found})


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_a_draw_scores_like_the_list_of_its_rows(make: Callable[[], Made], seed: int) -> None:
    task, examples, answers = make()
    counts_DN = next(draw_counts(len(examples), 1, seed))
    rows = np.repeat(np.arange(len(examples)), counts_DN[0].astype(int)).tolist()

    found = scores_of(drawn((task, examples, answers)), counts_DN)

    expected = task.score([answers[row] for row in rows], [examples[row] for row in rows])
    assert found == pytest.approx({name: expected[name] for name in found})


@pytest.mark.parametrize("make", [single, multi, single_unsure, multi_unsure, tags], ids=lambda make: make.__name__)
def test_the_f1_of_each_label_is_that_of_the_task(make: Callable[[], Made]) -> None:
    task, examples, answers = make()

    f1_DC = drawn((task, examples, answers)).label_f1(np.ones((1, len(examples))))

    assert f1_DC is not None and task.known_labels is not None
    expected = task.score_labels(answers, examples)
    assert f1_DC[0].tolist() == pytest.approx([expected[name]["f1"] for name in task.known_labels])


@pytest.mark.parametrize("make", [numbers, questions], ids=lambda make: make.__name__)
def test_without_labels_there_is_no_f1_of_labels(make: Callable[[], Made]) -> None:
    assert drawn(make()).label_f1(np.ones((1, 3))) is None


@pytest.mark.parametrize("make", [single, multi], ids=lambda make: make.__name__)
def test_a_draw_without_an_answered_row_has_no_scores(make: Callable[[], Made]) -> None:
    task, examples, answers = holding_back(make(), 0.6)
    unknown_N = np.array([bool(one.reason) for one in answers], np.float64)  # type: ignore[attr-defined]

    found = scores_of(drawn((task, examples, answers)), unknown_N[None])

    assert found.pop("coverage") == 0.0
    assert np.isnan(list(found.values())).all()


def test_an_answer_that_stops_at_a_parent_is_no_answer() -> None:
    task = SingleLabel(Labels(("A > x", "A > y", "B > x")))
    examples: list[Example] = [TextExample("one", labels=("A > x",)), TextExample("two", labels=("B > x",))]
    scores = {"A > x": 0.4, "A > y": 0.4, "B > x": 0.2}
    answers: list[Prediction] = [
        LabelPrediction(("A",), scores, reason="confidence 0.40 is below 0.5"),
        LabelPrediction(("B > x",), scores, reason=""),
    ]

    found = scores_of(drawn((task, examples, answers)), np.ones((1, 2)))

    assert (found["accuracy"], found["coverage"]) == (1.0, 0.5)


def test_a_task_of_another_package_has_no_draws() -> None:
    assert resampled(object(), [], []) is None  # type: ignore[arg-type]

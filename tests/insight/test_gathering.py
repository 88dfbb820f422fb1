"""The arrays of a report against the task's own numbers, row by row."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastbert.data.examples import TextExample
from fastbert.decisions.abstain import Abstention
from fastbert.decisions.rules import Decisions
from fastbert.labels import Labels
from fastbert.tasks.classification import SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction
from tests.insight.made_rows import EVERY, entities, evidence_of, multi, questions, single, values


@pytest.mark.parametrize("name", EVERY)
def test_losses_and_right_rows_are_the_task_s(name: str) -> None:
    found = EVERY[name]()
    task, pairs = found.bundle.task, list(zip(found.predictions, found.examples, strict=True))

    assert found.loss_N == pytest.approx([task.row_loss(*pair) for pair in pairs])
    assert found.right_N.tolist() == [task.agreement(*pair) == "right" for pair in pairs]


def test_what_was_decided_is_kept_apart_from_what_was_held_back() -> None:
    rows = single(Decisions(abstention=Abstention(confidence=0.8))).labels

    assert rows is not None
    assert rows.answered_N.sum() == 32  # every fifth row is at 0.6
    assert not rows.decided_NC[4].any() and rows.whole_NC[4].any()
    assert rows.confidence_N[4] == pytest.approx(0.6)


def test_several_labels_have_scores_before_and_after() -> None:
    rows = multi().labels

    assert rows is not None and np.array_equal(rows.raw_NC, rows.score_NC)
    assert np.array_equal(rows.decided_NC, rows.score_NC >= 0.5)


def test_the_next_best_labels_of_one_label_a_row_are_no_answer() -> None:
    rows = single(Decisions(at_most=2)).labels

    assert rows is not None and (rows.decided_NC.sum(axis=1) == 1).all()


def test_entities_are_counted_by_row_and_type() -> None:
    rows = entities().entities

    assert rows is not None
    assert rows.true_NC.sum(axis=0).tolist() == [12, 12]
    assert rows.hit_NC.sum() == rows.right_M.sum() == 12
    assert rows.said_NC.sum() == len(rows.score_M) == 18
    # a wrong type with the right characters counts as a whole in f1_partial
    assert 2 * rows.credit_N.sum() / (18 + 24) == pytest.approx(entities().scores["f1_partial"])


def test_a_row_without_entities_has_no_confidence() -> None:
    assert math.isnan(entities().confidence_N[0]) and entities().confidence_N[1] == pytest.approx(0.52)


def test_numbers_are_those_of_the_table() -> None:
    rows = values().values

    assert rows is not None and (rows.predicted_N - rows.true_N).tolist() == [1.0] * 39 + [11.0]


def test_questions_say_what_was_answered_and_how_well() -> None:
    rows = questions().answers

    assert rows is not None
    assert rows.exact_N.tolist() == [row % 2 == (row < 12) for row in range(24)]
    assert rows.best_N[:12].tolist() == [1.0] * 12
    assert (rows.words_N[0], rows.length_N[0], rows.length_N[20]) == (3, 1, 0)


def test_an_answer_that_stops_above_the_end_of_a_path_gives_no_label() -> None:
    names = ("A > x", "A > y", "B > z")
    scores = {"A > x": 0.5, "A > y": 0.4, "B > z": 0.1}
    raw = [LabelPrediction(("A > x",), scores, energy=-1.0)] * 4
    examples = [TextExample("", labels=("A > x",))] * 4

    found = evidence_of(SingleLabel(Labels(names)), raw, examples, Decisions(abstention=Abstention(confidence=0.8)))

    assert found.words(0) == ("A > x", "A")
    assert found.per_label["A > x"]["predicted"] == 0


def test_the_next_best_labels_do_not_count_in_the_scores_of_labels() -> None:
    assert single(Decisions(at_most=2)).per_label == single().per_label

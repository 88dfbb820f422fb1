"""A rule applied to scores: what is given, in which order, and why not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.decisions.abstain import Abstention
from fastbert.decisions.calibration import Calibration
from fastbert.decisions.labelling import Answer, Labeller
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError

NAMES = ("bug", "praise", "question")
PATHS = ("A > x", "A > y", "B > z")
CALM = np.array([-5.0])
# N rows, C labels


def many(scores: list[float], **rule: object) -> Answer:
    return answer(scores, "sigmoid", NAMES, **rule)


def one(scores: list[float], names: tuple[str, ...] = NAMES, **rule: object) -> Answer:
    return answer(scores, "softmax", names, **rule)


def answer(scores: list[float], link: str, names: tuple[str, ...], **rule: object) -> Answer:
    decisions = Decisions(**rule)  # type: ignore[arg-type]
    return Labeller.of(names, link, decisions).answer(np.array([scores]), CALM).rows[0]  # type: ignore[arg-type]


def test_thresholds_of_labels_win_over_the_shared_one() -> None:
    assert many([0.6, 0.6, 0.3], thresholds=(("bug", 0.7), ("question", 0.3))).labels == ("praise", "question")


def test_a_label_that_is_never_given_is_not_given_at_one() -> None:
    assert many([1.0, 1.0, 0.0], thresholds=(("bug", math.inf),)).labels == ("praise",)


def test_at_least_takes_the_highest_and_at_most_leaves_the_lowest_out() -> None:
    assert many([0.1, 0.3, 0.2], at_least=2).labels == ("praise", "question")
    assert many([0.9, 0.8, 0.7], at_most=2).labels == ("bug", "praise")


def test_top_k_of_several_labels_is_exactly_so_many() -> None:
    assert many([0.9, 0.1, 0.8], at_least=2, at_most=2).labels == ("bug", "question")
    assert many([0.0, 0.1, 0.0], at_least=2, at_most=2).labels == ("praise", "bug")


def test_top_k_of_one_label_are_the_next_best_behind_it() -> None:
    assert one([0.2, 0.5, 0.3], at_most=2).labels == ("praise", "question")


def test_weights_and_costs_decide_against_the_highest_score() -> None:
    scores = [0.5, 0.3, 0.2]

    assert one(scores).labels == ("bug",)
    assert one(scores, weights=(("praise", 2.0),)).labels == ("praise",)
    assert one(scores, costs=(("question", "bug", 9.0), ("question", "praise", 9.0))).labels == ("question",)


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), st.lists(st.floats(0.1, 9), min_size=3, max_size=3))
def test_weights_are_the_costs_of_missing_a_label(scores: list[float], weights: list[float]) -> None:
    probs = (np.array(scores) / sum(scores)).tolist()
    costs = tuple((t, d, w) for t, w in zip(NAMES, weights, strict=True) for d in NAMES if d != t)
    weighted = np.array(probs) * weights
    if np.diff(np.sort(weighted)).min() < 1e-9:
        return  # equal ones may fall either way

    assert one(probs, weights=tuple(zip(NAMES, weights, strict=True))).labels == one(probs, costs=costs).labels


def test_too_little_confidence_is_unknown_with_the_reason() -> None:
    found = one([0.4, 0.35, 0.25], abstention=Abstention(confidence=0.5))

    assert found == Answer((), "confidence 0.40 is below 0.5")
    assert many([0.9, 0.5, 0.1], abstention=Abstention(confidence=0.5)).labels == ()


def test_a_label_can_have_a_least_score_of_its_own() -> None:
    rule = (("bug", 0.6),)

    assert one([0.5, 0.3, 0.2], thresholds=rule) == Answer((), "confidence 0.50 is below 0.6")
    assert one([0.3, 0.5, 0.2], thresholds=rule).labels == ("praise",)


def test_a_strange_text_is_unknown_however_sure_the_model_is() -> None:
    labeller = Labeller.of(NAMES, "softmax", Decisions(abstention=Abstention(energy=-6.0)))

    (found,) = labeller.answer(np.array([[1.0, 0, 0]]), np.array([-5.0])).rows

    assert found == Answer((), "unlike the training texts: energy -5.00, at most -6.00")


def test_calibrated_scores_decide() -> None:
    halved = Calibration("platt", (1.0,) * 3, (-2.0, 0.0, 0.0))

    assert many([0.6, 0.6, 0.1]).labels == ("bug", "praise")
    assert many([0.6, 0.6, 0.1], calibration=halved).labels == ("praise",)


def test_a_calibration_of_other_labels_is_refused() -> None:
    with pytest.raises(BundleError, match="the calibration is for 2 labels, the model has 3"):
        Labeller.of(NAMES, "sigmoid", Decisions(calibration=Calibration("temperature", (1.0,) * 2, (0.0,) * 2)))


def test_an_answer_stops_at_the_parent_that_is_sure_enough() -> None:
    sure_of_a = [0.45, 0.4, 0.15]

    assert one(sure_of_a, PATHS).labels == ("A > x",)
    assert one(sure_of_a, PATHS, abstention=Abstention(0.8)) == Answer(("A",), "confidence 0.45 is below 0.8")
    assert one([0.4, 0.2, 0.4], PATHS, abstention=Abstention(0.8)).labels == ()


def test_a_strange_text_has_no_parent_either() -> None:
    labeller = Labeller.of(PATHS, "softmax", Decisions(abstention=Abstention(0.5, -6.0)))

    assert labeller.answer(np.array([[0.45, 0.4, 0.15]]), CALM).rows[0].labels == ()


def test_parents_that_are_labels_are_given_with_their_children() -> None:
    names = ("A", "A > x", "B > y")
    scores = Labeller.of(names, "sigmoid", Decisions()).calibrated(np.array([[0.1, 0.9, 0.2]]))

    assert answer([0.1, 0.9, 0.2], "sigmoid", names).labels == ("A", "A > x")
    assert answer([0.1, 0.6, 0.2], "sigmoid", names, thresholds=(("A", 0.8),)).labels == ("A", "A > x")
    assert scores.tolist() == [[0.9, 0.9, 0.2]]


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=6))
def test_many_rows_are_answered_as_each_by_itself(scores: list[list[float]]) -> None:
    labeller = Labeller.of(NAMES, "sigmoid", Decisions(0.4, thresholds=(("bug", 0.7),), at_least=1, at_most=2))
    energy_N = np.zeros(len(scores))

    together = labeller.answer(np.array(scores), energy_N).rows

    assert together == [labeller.answer(np.array([row]), energy_N[:1]).rows[0] for row in scores]

"""Rules of classification tasks from end to end: decoded, decided again, packed and scored."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastbert.config import DecisionConfig
from fastbert.data.examples import TextExample
from fastbert.decisions.abstain import Abstention
from fastbert.decisions.calibration import Calibration
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError
from fastbert.labels import Labels
from fastbert.tasks.base import Prediction
from fastbert.tasks.classification import Classification, MultiLabel, SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction, labelled
from tests.bundles import MULTI, NAMES, SINGLE
from tests.tasks.test_classification import features_with

EXAMPLES = [TextExample(f"text {row}", labels=(NAMES[row % 3],)) for row in range(6)]
HALF = Calibration("temperature", (0.5,) * 3, (0.0,) * 3)
RULES = {
    "plain": Decisions(),
    "calibrated": Decisions(0.4, calibration=HALF),
    "thresholds": Decisions(thresholds=(("praise", 0.9),)),
    "abstaining": Decisions(abstention=Abstention(confidence=0.6, energy=-0.1), calibration=HALF),
    "top two": Decisions(at_least=2, at_most=2),
}


def decode(task: Classification, windows: list[int], decisions: Decisions, seed: int = 0) -> list[Prediction]:
    logits_WC = np.random.default_rng(seed).normal(size=(sum(windows), 3)) * 2
    return task.decode({"logits": logits_WC}, features_with(windows), EXAMPLES[: len(windows)], decisions)


@pytest.mark.parametrize("task", [SINGLE, MULTI], ids=["single", "multi"])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_deciding_again_is_decoding_by_the_other_rule(task: Classification, rule: Decisions) -> None:
    windows = [1, 3, 2, 1]

    again = task.redecide(decode(task, windows, Decisions()), rule)

    for one, other in zip(again, decode(task, windows, rule), strict=True):
        assert (one.labels, labelled(one).reason) == (other.labels, labelled(other).reason)
        assert one.scores == pytest.approx(other.scores, abs=1e-12)
        assert [w.pieces for w in labelled(one).windows] == [w.pieces for w in labelled(other).windows]
        for mine, theirs in zip(labelled(one).windows, labelled(other).windows, strict=True):
            assert mine.scores == pytest.approx(theirs.scores, abs=1e-12)


@pytest.mark.parametrize("task", [SINGLE, MULTI], ids=["single", "multi"])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_what_is_packed_is_scored_alike_without_texts(task: Classification, rule: Decisions) -> None:
    raw = decode(task, [1] * 6, Decisions())

    predictions, examples = task.unpack(task.pack(raw, EXAMPLES))

    assert {example.text for example in examples} == {""}
    assert [example.truth for example in examples] == [example.labels for example in EXAMPLES]
    said, known = (task.redecide(some, rule) for some in (predictions, raw))
    assert task.score(said, examples) == task.score(known, EXAMPLES)
    assert task.score_labels(said, examples) == task.score_labels(known, EXAMPLES)


def test_the_energy_is_that_of_the_mean_logits() -> None:
    (prediction,) = SINGLE.decode(
        {"logits": np.array([[1.0, 0, 0], [3.0, 0, 0]])}, features_with([2]), EXAMPLES[:1], Decisions()
    )

    assert labelled(prediction).energy == pytest.approx(-np.log(np.exp(2) + 2))


@pytest.mark.parametrize("task", [SINGLE, MULTI], ids=["single", "multi"])
def test_scores_are_of_rows_that_are_answered(task: Classification) -> None:
    sure = dict(zip(NAMES, (0.98, 0.01, 0.01), strict=True))
    right = LabelPrediction((NAMES[0],), sure)
    unknown = LabelPrediction((), sure, reason="confidence 0.40 is below 0.5")

    scores = task.score([right, unknown], EXAMPLES[:2])

    assert scores["coverage"] == 0.5
    assert scores["accuracy" if task is SINGLE else "exact_match"] == 1.0
    assert "coverage" not in task.score([right], EXAMPLES[:1])


@pytest.mark.parametrize("task", [SINGLE, MULTI], ids=["single", "multi"])
def test_rows_of_which_none_is_answered_have_a_coverage_of_0(task: Classification) -> None:
    unknown = LabelPrediction((), dict.fromkeys(NAMES, 0.3), reason="confidence 0.30 is below 0.5")

    assert task.score([unknown], EXAMPLES[:1]) == {"coverage": 0.0}


@pytest.mark.parametrize("task", [SINGLE, MULTI], ids=["single", "multi"])
def test_probabilities_that_are_off_show_in_the_score(task: Classification) -> None:
    said = [LabelPrediction((NAMES[0],), dict(zip(NAMES, (0.9, 0.05, 0.05), strict=True)))]

    assert task.score(said, [TextExample("", labels=(NAMES[1],))])["ece"] > 0.3


def test_a_rule_is_fitted_to_predictions_and_examples() -> None:
    raw = decode(MULTI, [1] * 6, Decisions())

    decisions = MULTI.fit_rule(raw, EXAMPLES, DecisionConfig(goal="f1", abstain="0.2"))

    assert decisions.abstention == Abstention(0.2)
    assert decisions.fit["rows"] == 6


def test_a_goal_that_the_task_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not say of which label"):
        SINGLE.check_rule(DecisionConfig(goal="recall>=0.9"))


def test_labels_that_are_paths_are_scored_on_each_level() -> None:
    task = SingleLabel(Labels(("A > x", "A > y", "B > z")))
    said = LabelPrediction(("A > y",), dict(zip(task.labels.names, (0.3, 0.5, 0.2), strict=True)))

    scores = task.score([said], [TextExample("", labels=("A > x",))])

    assert (scores["accuracy"], scores["f1_micro_level_1"], scores["f1_micro_level_2"]) == (0.0, 1.0, 0.0)


def test_an_answer_that_stops_at_a_parent_counts_on_its_level() -> None:
    task = SingleLabel(Labels(("A > x", "A > y", "B > z")))
    said = LabelPrediction(("A",), dict.fromkeys(task.labels.names, 0.3), reason="confidence 0.30 is below 0.5")

    scores = task.score([said], [TextExample("", labels=("A > x",))])

    assert (scores["coverage"], scores["f1_micro_level_1"], scores["f1_micro_level_2"]) == (0.0, 1.0, 0.0)


PATHS = Labels(("A", "A > x", "A > y", "B"))
LEAVES = [TextExample("x", labels=("A > x",)), TextExample("y", labels=("A > y",)), TextExample("b", labels=("B",))]


def test_labels_above_those_of_a_row_are_learned_and_scored_as_true() -> None:
    """A table that names leaves alone does not say that their parents are wrong."""
    task = MultiLabel(PATHS)
    right: list[Prediction] = [
        LabelPrediction(("A > x", "A"), {"A": 0.9, "A > x": 0.9, "A > y": 0.1, "B": 0.1}),
        LabelPrediction(("A > y", "A"), {"A": 0.9, "A > x": 0.1, "A > y": 0.9, "B": 0.1}),
        LabelPrediction(("B",), {"A": 0.1, "A > x": 0.1, "A > y": 0.1, "B": 0.9}),
    ]

    scores = task.score(right, LEAVES)

    assert (scores["exact_match"], scores["f1_micro"], scores["f1_micro_level_1"]) == (1.0, 1.0, 1.0)
    assert [task.agreement(one, row) for one, row in zip(right, LEAVES, strict=True)] == ["right"] * 3
    assert task.cells_of([("A > x",)]).tolist() == [[True, True, False, False]]
    assert task.row_loss(right[0], LEAVES[0]) == pytest.approx(-4 * math.log(0.9))
    assert task.score_labels(right, LEAVES)["A"]["support"] == 2
    assert np.asarray(task._targets(LEAVES)).tolist() == [[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]]


def test_next_best_labels_do_not_make_an_answer_wrong() -> None:
    task = SingleLabel(PATHS)
    first: list[Prediction] = [
        LabelPrediction(("A > x", "B"), {"A": 0.0, "A > x": 0.6, "A > y": 0.1, "B": 0.3}),
        LabelPrediction(("A > y", "A > x"), {"A": 0.0, "A > x": 0.3, "A > y": 0.6, "B": 0.1}),
        LabelPrediction(("B", "A > x"), {"A": 0.0, "A > x": 0.3, "A > y": 0.1, "B": 0.6}),
    ]

    scores = task.score(first, LEAVES)

    assert (scores["accuracy"], scores["f1_micro_level_1"], scores["f1_micro_level_2"]) == (1.0, 1.0, 1.0)
    assert [task.agreement(one, row) for one, row in zip(first, LEAVES, strict=True)] == ["right"] * 3


def test_an_unknown_answer_is_not_that_there_is_no_label() -> None:
    none = TextExample("x", labels=())
    unknown = LabelPrediction((), {"A": 0.4}, reason="confidence 0.4 is below 0.8")

    assert MultiLabel(PATHS).agreement(unknown, none) == "wrong"
    assert MultiLabel(PATHS).agreement(LabelPrediction((), {"A": 0.1}), none) == "right"

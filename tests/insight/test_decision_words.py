"""What a fit measured, in sentences."""

from __future__ import annotations

import pytest

from fastbert.decisions.calibration import Calibration
from fastbert.decisions.rules import Decisions
from fastbert.insight.decision_words import describe_fit

LOSSES = {"none": 0.5, "temperature": 0.4}
TEMPERATURE = Calibration("temperature", (0.5,), (0.0,))


def calibrated(method: Calibration) -> Decisions:
    facts = {"log_losses": LOSSES, "error_before": 0.1, "error_after": 0.02}
    return Decisions(calibration=method, fit={"calibration": facts})


def test_a_calibration_says_what_it_gains_on_rows_held_out() -> None:
    assert describe_fit(calibrated(TEMPERATURE)) == [
        "Calibration by temperature 2: expected calibration error 0.1000 before, 0.0200 after; log loss 0.5000 and "
        "0.4000, on rows held out."
    ]


def test_scores_that_are_kept_say_so() -> None:
    assert describe_fit(calibrated(Calibration())) == [
        "The scores are kept as they are: no calibration does better on rows held out (ECE 0.1000)."
    ]


@pytest.mark.parametrize(
    ("decisions", "sentence"),
    [
        (
            Decisions(thresholds=(("a", 0.3),), fit={"goal": {"held_out": 0.5, "held_out_shared": 0.4}}),
            "On rows held out the goal is worth 0.5000, without numbers for each label 0.4000.",
        ),
        (
            Decisions(fit={"goal": {"held_out": 0.4, "held_out_plain": 0.4, "met": False}}),
            "Numbers for each label gain nothing on rows held out (0.4000). The goal was not reached on them.",
        ),
        (
            Decisions(
                goal="recall>=0.9@a", weights=(("a", 3.0),), fit={"goal": {"held_out": 0.6, "held_out_shared": 0.9}}
            ),
            "On rows held out the mean precision is 0.6000.",
        ),
        (
            Decisions(goal="cost", fit={"goal": {"held_out": -12.0, "held_out_shared": -15.0}}),
            "On rows held out the cost of all mistakes is 12.0000.",
        ),
        (
            Decisions(goal="f1_micro", fit={"goal": {"held_out": 0.4, "held_out_shared": 0.4}}),
            "On rows held out the goal is worth 0.4000.",
        ),
        (
            Decisions(goal="recall>=0.9@a", fit={"goal": {"unseen": "a"}}),
            "No validation row has the label 'a': nothing could be fitted for it.",
        ),
        (
            Decisions(fit={"goal": {"cost_before": 2.0, "cost_after": 0.5}}),
            "Mean cost of a row 2.0000 by the highest score, 0.5000 by the rule.",
        ),
    ],
)
def test_a_goal_says_what_it_is_worth(decisions: Decisions, sentence: str) -> None:
    assert describe_fit(decisions) == [sentence]


@pytest.mark.parametrize("fit", [{}, {"goal": 3, "calibration": []}, {"goal": {"held_out": "much"}}])
def test_facts_of_another_hand_are_left_out(fit: dict[str, object]) -> None:
    assert describe_fit(Decisions(fit=fit)) == []


def test_a_goal_in_place_of_the_default_is_said() -> None:
    fit: dict[str, object] = {"goal": {"held_out": 0.4, "held_out_shared": 0.4, "in_place_of": "f1"}}

    assert describe_fit(Decisions(goal="f1_micro", fit=fit)) == [
        "The default goal, f1, would have given every label to every row: f1_micro is in its place.",
        "On rows held out the goal is worth 0.4000.",
    ]

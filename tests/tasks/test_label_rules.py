"""Rules for labels in words."""

from __future__ import annotations

import math

import pytest

from fastbert.decisions.abstain import Abstention
from fastbert.decisions.calibration import Calibration
from fastbert.decisions.rules import Decisions
from fastbert.tasks.label_rules import listed, many_labels_rule, one_label_rule

TEMPERATURE = Calibration("temperature", (0.5,), (0.0,))


@pytest.mark.parametrize(
    ("decisions", "sentence"),
    [
        (Decisions(), "The label with the highest score is the answer."),
        (Decisions(at_most=3), "The label with the highest score is the answer. Behind it come the 2 next best."),
        (Decisions(costs=(("a", "b", 2.0),)), "The label with the least expected cost is the answer."),
        (
            Decisions(weights=(("a", 2.0), ("b", 0.5)), goal="fbeta:2"),
            "The label with the highest score times its weight is the answer (a 2, b 0.5). Fitted for fbeta:2.",
        ),
        (
            Decisions(thresholds=(("a", 0.9), ("b", math.inf)), goal="precision>=0.9"),
            "The label with the highest score is the answer. It is unknown where the score is below that of the label "
            "(a 0.9, b never). Fitted for precision>=0.9.",
        ),
        (
            Decisions(abstention=Abstention(0.7), calibration=TEMPERATURE),
            "The label with the highest score is the answer. Where the confidence is below 0.7 the answer is unknown. "
            "Scores are calibrated: temperature 2.",
        ),
    ],
)
def test_the_rule_for_one_label(decisions: Decisions, sentence: str) -> None:
    assert one_label_rule(decisions) == sentence


@pytest.mark.parametrize(
    ("decisions", "sentence"),
    [
        (Decisions(0.35), "Every label whose score is at least 0.35 is given; there may be none."),
        (
            Decisions(0.35, at_least=1, at_most=5),
            "Every label whose score is at least 0.35 is given; at least 1, the highest if need be, at most 5.",
        ),
        (
            Decisions(thresholds=(("a", 0.25), ("b", 0.4))),
            "A label is given from its own score on (a 0.25, b 0.4); there may be none.",
        ),
    ],
)
def test_the_rule_for_several_labels(decisions: Decisions, sentence: str) -> None:
    assert many_labels_rule(decisions) == sentence


def test_a_long_list_is_cut() -> None:
    assert listed(tuple((str(n), 0.5) for n in range(14))).endswith("11 0.5, and 2 more")

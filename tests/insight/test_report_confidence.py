"""Calibration before and after, and the risk of answering less."""

from __future__ import annotations

import pytest

from fastbert.decisions.abstain import Abstention
from fastbert.decisions.calibration import Calibration
from fastbert.decisions.rules import Decisions
from fastbert.insight.report_confidence import calibration, silence
from tests.insight.made_rows import entities, multi, questions, single, values
from tests.insight.pages import Page

COOLED = Decisions(calibration=Calibration.from_json({"method": "temperature", "scale": [0.5] * 3, "shift": [0.0] * 3}))


def test_the_error_is_that_of_the_scores() -> None:
    found = single()

    assert f"as given, ECE {found.scores['ece']:.3f}. No calibration is in use." in calibration(found)


def test_calibration_is_shown_before_and_after() -> None:
    found = single(COOLED)
    page = calibration(found)

    assert f"before calibration, ECE {single().scores['ece']:.3f}" in page
    assert f"after, ECE {found.scores['ece']:.3f}" in page


@pytest.mark.parametrize(
    ("found", "what"), [(multi(), "all labels"), (entities(), "entities"), (questions(), "answers")]
)
def test_every_task_with_probabilities_has_a_diagram(found: object, what: str) -> None:
    assert f"Calibration of {what}" in calibration(found)  # type: ignore[arg-type]  # evidence


def test_numbers_are_no_probabilities() -> None:
    assert calibration(values()) == silence(values()) == ""


def test_the_limit_in_force_is_ringed_with_its_risk() -> None:
    text = Page(silence(single(Decisions(abstention=Abstention(confidence=0.8))))).text

    assert "in force, from 0.8: 80 % answered, 0.0 % wrong" in text
    assert "20.0 % wrong of 100 % answered" in text  # every fifth row is wrong, all of them below 0.8

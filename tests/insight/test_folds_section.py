"""The section on cross-validation: numbers from the facts, nothing where there are none or they are damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fastbert.insight.evidence import Evidence
from fastbert.insight.folds_section import cross_validation_lines, cross_validation_section
from fastbert.insight.model_card import model_card
from fastbert.insight.report import write_report
from fastbert.insight.uncertainty import uncertainty
from tests.insight.made_up import BUNDLE, PER_LABEL

SCORE = {"mean": 0.81, "deviation": 0.02, "pooled": 0.8125, "low": 0.78, "high": 0.84}
FOUND: dict[str, Any] = {
    "folds": 5,
    "rows": 1800,
    "scores": {"accuracy": SCORE, "mcc": {**SCORE, "low": None}, "other": SCORE},
    "per_label": {"<b>&": {"f1": 0.7, "support": 1200, "precision": None}},
    "notes": ["Some fold's model has never seen <b>."],
}
FACTS = {"cross_validation": FOUND}


def test_the_section_shows_the_headlines_and_each_label_escaped() -> None:
    page = cross_validation_section(FACTS, ("accuracy", "mcc"))

    assert "Each of the 1,800 training rows was predicted once by a model of 5 that had not seen it" in page
    assert "0.7800 to 0.8400" in page and "0.8125" in page
    assert "other" not in page
    assert "&lt;b&gt;&amp;" in page and "0.7000" in page and "1,200" in page
    assert "has never seen &lt;b&gt;." in page


def test_the_lines_say_mean_pooled_and_interval() -> None:
    lines = cross_validation_lines(FACTS, ("accuracy", "mcc"))

    assert lines[1:] == [
        "accuracy 0.8100 ± 0.0200, over all rows 0.8125 (0.7800 to 0.8400)",
        "mcc 0.8100 ± 0.0200, over all rows 0.8125",
    ]


def test_scores_by_a_rule_that_was_changed_say_so() -> None:
    changed = {"cross_validation": {**FOUND, "rule_changed": True}}

    assert "the scores are by the rule before." in cross_validation_section(changed, ("accuracy",))
    assert "the scores are by the rule before." not in cross_validation_section(FACTS, ("accuracy",))


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"cross_validation": 3},
        {"cross_validation": {"scores": []}},
        {"cross_validation": {"scores": {"accuracy": 1}}},
    ],
)
def test_without_a_cross_validation_there_is_no_section(facts: dict[str, object]) -> None:
    assert cross_validation_section(facts, ("accuracy",)) == ""
    assert cross_validation_lines(facts, ("accuracy",)) == []


def test_damaged_parts_are_left_out() -> None:
    facts = {"cross_validation": {"scores": {"accuracy": {"mean": 0.5}}, "per_label": {"a": 1}, "notes": 3}}

    page = cross_validation_section(facts, ("accuracy",))

    assert "Every training row was predicted once by a model that had not seen it" in page and "0.5000" in page


def test_report_and_card_have_the_section(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, facts={**BUNDLE.facts, **FACTS})

    found = Evidence(bundle, "test", PER_LABEL)
    page = write_report(tmp_path, found).read_text(encoding="utf-8")
    card = model_card(found, uncertainty(found))

    assert "<h2>Cross-validation</h2>" in page
    assert "## Cross-validation" in card and "- accuracy 0.8100 ± 0.0200" in card
    assert "Cross-validation" not in model_card(Evidence(BUNDLE, "test", PER_LABEL), uncertainty(found))

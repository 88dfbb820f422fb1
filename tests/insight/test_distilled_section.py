"""The section on distillation: numbers from the facts, nothing where there are none or they are damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fastbert.insight.distilled_section import (
    chosen_by_teacher,
    cost_table,
    distilled_blocks,
    distilled_lines,
    distilled_section,
    is_distilled,
    score_table,
)
from fastbert.insight.evidence import Evidence
from fastbert.insight.model_card import model_card
from fastbert.insight.report import write_report
from fastbert.insight.uncertainty import uncertainty
from tests.insight.made_up import BUNDLE, PER_LABEL

FOUND: dict[str, Any] = {
    "teacher": "large <b>",
    "temperature": 2.0,
    "label_weight": 0.25,
    "rows": {"texts": 9000, "labelled": 500, "held_out": 1000, "valid": 900},
    "chosen_by": "teacher",
    "agreement": {"share": 0.912, "low": 0.893, "high": 0.928, "scores": {"accuracy": 0.912, "other": 1}},
    "truth": {"test": {"teacher": {"accuracy": 0.95}, "student": {"accuracy": 0.93}}},
    "costs": [
        {"name": "teacher", "num_parameters": 109_000_000, "texts_per_second": 41.2, "ms_per_text": 61.04},
        {"name": "student", "num_parameters": None, "texts_per_second": 1234.0, "ms_per_text": 2.5},
    ],
}
FACTS: dict[str, Any] = {"distillation": FOUND}


def test_the_lines_say_from_whom_and_how_well() -> None:
    lines = distilled_lines(FACTS)

    assert lines[0] == (
        "Distilled from the model 'large <b>': trained on its outputs for 9,000 texts and for 500 rows with labels, "
        "whose own loss has the weight 0.25, at temperature 2."
    )
    assert lines[1] == (
        "It gives the teacher's answer to 91.2 % of 1,000 texts that were neither trained on nor chosen by "
        "(95 %: 89.3 to 92.8 %)."
    )
    assert lines[2] == chosen_by_teacher(FACTS) and "The teacher's mistakes count as right" in lines[2]


def test_rows_with_labels_that_choose_need_no_warning() -> None:
    assert chosen_by_teacher({"distillation": {**FOUND, "chosen_by": "labels"}}) == ""


def test_both_models_are_scored_and_measured_side_by_side() -> None:
    assert score_table(FACTS, ("accuracy", "mcc")) == (
        ["rows", "model", "accuracy"],
        [
            ["test", "teacher", "0.9500"],
            ["test", "student", "0.9300"],
            ["held-out texts, teacher's answers", "student", "0.9120"],
        ],
    )
    assert cost_table(FACTS)[1] == [["teacher", "109.0 M", "41", "61.0"], ["student", "-", "1,234", "2.5"]]


def test_the_section_and_the_blocks_show_them() -> None:
    page = distilled_section(FACTS, ("accuracy",))
    titles = [block.title for block in distilled_blocks(FACTS, ("accuracy",))]

    assert "<h2>Distillation</h2>" in page and "large &lt;b&gt;" in page and "109.0 M" in page and "0.9300" in page
    assert titles == ["Distillation", "Scores", "Size and speed"]


@pytest.mark.parametrize("facts", [{}, {"distillation": 3}, {"distillation": {"teacher": 3}}])
def test_a_model_that_was_not_distilled_has_no_section(facts: dict[str, object]) -> None:
    assert not is_distilled(facts)
    assert (distilled_section(facts, ("accuracy",)), distilled_lines(facts), chosen_by_teacher(facts)) == ("", [], "")


@pytest.mark.parametrize("name", [name for name in FOUND if name != "teacher"])
def test_damaged_parts_are_left_out(name: str) -> None:
    facts = {"distillation": {**FOUND, name: "damaged"}}

    assert "large" in distilled_section(facts, ("accuracy",))


def test_report_and_card_have_the_section(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, facts={**BUNDLE.facts, **FACTS})

    found = Evidence(bundle, "test", PER_LABEL)
    page = write_report(tmp_path, found).read_text(encoding="utf-8")
    card = model_card(found, uncertainty(found))

    assert "<h2>Distillation</h2>" in page
    assert "## Distillation" in card and "| test | student | 0.9300 |" in card and "109.0 M" in card
    assert "- The valid rows have no labels of their own" in card
    assert "Distillation" not in model_card(Evidence(BUNDLE, "test", PER_LABEL), uncertainty(found))

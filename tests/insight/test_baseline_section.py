"""What a bundle says of its linear baseline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fastbert.insight.baseline_section import (
    baseline_scores,
    baseline_section,
    baseline_sentence,
    baseline_warning,
    is_beaten,
)
from fastbert.insight.evidence import Evidence
from fastbert.insight.report import write_report
from tests.insight.made_up import BUNDLE, PER_LABEL


def values(value: float, low: float, high: float, better: float, *, apart: bool) -> dict[str, object]:
    difference = {"value": value, "low": low, "high": high, "probability_better": better, "told_apart": apart}
    scores = {"valid": {"f1_macro": 0.7}, "test": {"f1_macro": 0.75, "accuracy": 0.8}}
    return {
        "title": "logistic regression", "scores": scores, "split": "test", "score": "f1_macro",
        "difference": difference, "trained_rows": 1800, "of_rows": 1800,
    }  # fmt: skip


BETTER = values(0.0625, 0.02, 0.1, 1.0, apart=True)
LEVEL = values(0.01, -0.02, 0.04, 0.7, apart=False)
WORSE = values(-0.1, -0.2, -0.05, 0.0, apart=True)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (BETTER, "The model is better than a linear model on words (logistic regression): +0.0625 [+0.0200, +0.1000]"),
        (LEVEL, "The model cannot be told apart from a linear model on words (logistic regression): +0.0100 [-0.0200"),
        (WORSE, "The model is worse than a linear model on words (logistic regression): -0.1000 [-0.2000, -0.0500]"),
    ],
)
def test_the_sentence_is_careful(found: dict[str, object], sentence: str) -> None:
    assert baseline_sentence(found).startswith(sentence)
    assert baseline_sentence(found).endswith("in f1_macro on the test rows.")


def test_where_answers_are_held_back_the_sentence_and_the_note_say_what_is_compared() -> None:
    found = {**BETTER, "coverage": 0.69}

    assert baseline_sentence(found).endswith("in f1_macro on all test rows, before an answer is held back.")
    assert "Scores of the model are of the rows that it answers (69.0% of test)." in baseline_section(
        found, {}, ("f1_macro",)
    )


def test_only_a_model_that_is_not_better_has_a_warning() -> None:
    assert (is_beaten(BETTER), is_beaten(LEVEL), is_beaten(WORSE)) == (True, False, False)
    assert baseline_warning(BETTER) == ""
    assert baseline_warning(LEVEL).endswith("use one, or give the encoder more rows or epochs, or a larger one.")
    assert baseline_warning(WORSE).startswith("The model is worse")


@pytest.mark.parametrize(
    "found", [{}, {"difference": 3}, {"difference": {"low": None}, "scores": []}, {"scores": {"test": 1}}]
)
def test_what_is_missing_or_of_another_kind_is_left_out(found: dict[str, object]) -> None:
    assert (baseline_sentence(found), baseline_warning(found), baseline_scores(found)) == ("", "", {})
    assert baseline_section(found, {}, ("f1_macro",)) == ""


def test_report_and_card_have_the_scores_and_the_warning(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, facts={**BUNDLE.facts, "baseline": LEVEL})

    page = write_report(tmp_path, Evidence(bundle, "test", PER_LABEL)).read_text(encoding="utf-8")

    assert "<h2>Against a linear model</h2>" in page
    assert '<th scope="row">linear, test</th><td>0.8000</td><td>0.7500</td>' in page
    assert page.count("The model cannot be told apart from a linear model") == 2  # there, and among the caveats
    assert "- The model cannot be told apart" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_the_card_of_a_model_that_is_better_says_so_with_its_scores(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, facts={**BUNDLE.facts, "baseline": BETTER})

    write_report(tmp_path, Evidence(bundle, "test", PER_LABEL))

    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert card.index("The model is better than a linear model") < card.index("Each label on the")


def test_a_score_that_neither_has_is_no_column() -> None:
    found = baseline_section(BETTER, {"test": {"f1_macro": 0.9}}, ("f1_macro", "accuracy", "coverage"))

    assert '<th scope="col">accuracy</th>' in found and "coverage" not in found


def test_a_sample_of_the_rows_is_said() -> None:
    found = baseline_section({**BETTER, "trained_rows": 20000, "of_rows": 90000}, {}, ("f1_macro",))

    assert "Logistic regression: fitted, with any threshold, and scored on the same rows." in found
    assert "Fitted on a sample of 20,000 of 90,000 rows." in found

"""`fastbert decide`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.feedback import write_feedback


@pytest.fixture
def model(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "model"))


def test_the_rule_before_and_now_and_the_scores_are_shown(run: Run, model: Path) -> None:
    outcome = run("decide", model, "--abstain", "0.99")

    assert outcome.code == 0
    assert "before   The label with the highest score is the answer." in outcome.err
    assert "now      The label with the highest score is the answer. Where the confidence is below 0.99" in outcome.err
    assert "valid, fitted on, before" in outcome.out and "valid, fitted on, now" in outcome.out
    assert f"model    {model}" in outcome.err


def test_top_k_sets_both_limits(run: Run, model: Path) -> None:
    values = run("decide", model, "--top-k", 2, "--json").json

    decisions = values["decisions"]
    assert isinstance(decisions, dict)
    assert (decisions["at_least"], decisions["at_most"]) == (2, 2)
    assert values["saved"] is True


def test_a_dry_run_says_that_nothing_was_written(run: Run, model: Path) -> None:
    outcome = run("decide", model, "--top-k", 2, "--dry-run")

    assert outcome.err.endswith("nothing was written (--dry-run)\n")
    assert "at_most" not in (model / "bundle.json").read_text(encoding="utf-8")


def test_options_of_the_earlier_rule_that_are_dropped_are_named(run: Run, model: Path) -> None:
    run("decide", model, "--goal", "recall>=0.9@bug", "--abstain", "0.8", "--top-k", 2)

    tried = run("decide", model, "--abstain", "none", "--at-least", 1, "--dry-run")
    outcome = run("decide", model, "--abstain", "none", "--at-least", 1)

    assert "note: goal recall>=0.9@bug of the earlier rule would no longer hold; give it again to keep it" in tried.err
    assert [line for line in outcome.err.splitlines() if line.startswith("note: ")] == [
        "note: goal recall>=0.9@bug of the earlier rule no longer holds; give it again to keep it",
        "note: at_most 2 of the earlier rule no longer holds; give it again to keep it",
    ]


def test_rows_can_be_given(run: Run, model: Path, tmp_path: Path) -> None:
    outcome = run("decide", model, write_feedback(tmp_path / "rows.csv"), "--goal", "recall>=0.9@bug")

    assert outcome.code == 0, outcome.err
    assert "given, fitted on, now" in outcome.out


def test_a_goal_that_cannot_be_is_wrong_use(run: Run, model: Path) -> None:
    outcome = run("decide", model, "--goal", "recall>=0.9")

    assert outcome.code == 2
    assert "hint: Write recall>=0.9@LABEL, such as recall>=0.9@praise." in outcome.err


def test_answers_that_are_unknown_say_so_in_a_table(run: Run, model: Path, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "rows.csv", 6)
    run("decide", model, "--abstain", "0.9999999")

    outcome = run("predict", model, table)

    assert outcome.code == 0
    header, first, *_ = outcome.out.splitlines()
    assert header.split(",")[:4] == ["text", "label", "predicted", "reason"]
    assert ",unknown,confidence " in first

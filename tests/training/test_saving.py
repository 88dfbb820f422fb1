"""A learner is saved with what its report needs."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from fastbert.bundle import read_bundle
from fastbert.data.databunch import DataBunch
from fastbert.decisions.saved import read_rows
from fastbert.insight.baseline_section import baseline_sentence
from fastbert.insight.kept_rows import FILE, recall
from fastbert.insight.linear_check import LinearCheck
from fastbert.insight.run_facts import read_facts
from tests.feedback import THINGS, feedback_rows, make_learner
from tests.insight.pages import Page


def test_rows_are_kept_with_places_and_lengths(bundle: Path) -> None:
    kept = read_rows(bundle, FILE)["valid"]

    assert kept.keys() == {"places", "tokens", "cut"}
    assert all(place.startswith("feedback.csv, row ") for place in kept["places"].tolist())
    assert kept["tokens"].shape == (8,)


def test_rows_of_a_group_are_a_unit_of_the_report(encoder: str, tmp_path: Path) -> None:
    rows = [{**row, "author": str(place // 4)} for place, row in enumerate(feedback_rows())]
    data = DataBunch.from_files(rows, valid_share=0.2, group="author", text="text", labels="label")

    folder = make_learner(encoder, data, epochs=1).fit().save(tmp_path / "model")

    assert read_rows(folder, FILE)["valid"]["units"].tolist() == [0] * 4 + [1] * 4
    assert "draws of the 2 units of the 8 rows" in Page((folder / "report.html").read_text(encoding="utf-8")).text


def test_what_is_kept_scores_as_the_learner_did(bundle: Path) -> None:
    found = read_bundle(bundle)

    evidence = recall(found, "valid")

    again = found.task.score(evidence.predictions, evidence.examples)
    assert {name: round(value, 6) for name, value in again.items()} == {
        name: round(value, 6) for name, value in found.scores["valid"].items()
    }


def test_the_run_is_recorded_with_its_evaluation(bundle: Path) -> None:
    facts = read_facts(read_bundle(bundle).facts)

    assert facts.tables == {"train": "feedback.csv"}
    assert facts.amount("evaluated_rows") == 8
    assert (facts.amount("evaluation_seconds") or 0) > 0


def test_the_page_of_a_training_is_valid_and_names_the_command(bundle: Path) -> None:
    page = Page((bundle / "report.html").read_text(encoding="utf-8"))

    assert page.faults == []
    assert "fastbert train feedback.csv" in page.text


def test_labels_that_are_paths_are_compared_though_answers_stop_early(encoder: str, tmp_path: Path) -> None:
    rows = [{**row, "label": f"A > {row['label']}"} for row in feedback_rows(36)]
    rows += [{"text": f"the {thing} is free", "label": "B > price"} for thing in THINGS]
    learner = make_learner(encoder, DataBunch.from_files(rows, rows[::2], task="single_label"), epochs=1)
    learner.fit().decide(abstain="0.7")

    bundle = read_bundle(learner.save(tmp_path / "model", baseline=LinearCheck.of(learner.data)))

    assert ("A",) in {said.labels for said in learner.predictions("valid")}
    baseline = read_facts(bundle.facts).baseline
    assert baseline["coverage"] == bundle.scores["valid"]["coverage"] < 1
    assert "before an answer is held back" in baseline_sentence(baseline)


def test_a_comparison_that_fails_does_not_cost_the_model(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    learner = make_learner(encoder, epochs=1).fit()
    check = LinearCheck.of(learner.data)
    monkeypatch.setattr("fastbert.insight.linear_check.draw_scores", lambda *given: 1 // 0)

    with caplog.at_level(logging.WARNING):
        bundle = read_bundle(learner.save(tmp_path / "model", baseline=check))

    assert "baseline" not in bundle.facts and bundle.scores
    assert "the comparison with the linear model failed, the model is saved without it: ZeroDivision" in caplog.text

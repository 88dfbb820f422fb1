"""Facts of a bundle are read back with their types, and nothing in them is an error."""

from __future__ import annotations

import json

import pytest

from fastbert.insight.run_facts import Evaluation, RunFacts, read_facts
from fastbert.training.state import EvaluationRecord, History, StepRecord
from tests.insight.made_up import BUNDLE


def test_a_history_is_read_back_as_it_was_written() -> None:
    history = History(
        [StepRecord(1, 0.5, 2.0, 1e-4), StepRecord(2, 1.0, 1.5, 0.0)],
        [EvaluationRecord(2, 1.0, 1.75, {"f1_macro": 0.5}, True, kept=True)],
        examples=4,
        tokens=90,
        padded_tokens=100,
        seconds=2.0,
        flop=3e9,
        product_rate=2e9,
    )

    facts = read_facts({"history": json.loads(json.dumps(history.to_json()))})

    assert facts.steps == ((1, 2.0, 1e-4), (2, 1.5, 0.0))
    assert facts.evaluations == (Evaluation(2, {"f1_macro": 0.5}, True),)
    assert (facts.examples, facts.tokens, facts.padding_share, facts.seconds) == (4, 90, 0.1, 2.0)
    assert (facts.product_rate, facts.mfu) == (2e9, 0.75)


def test_a_plan_is_read() -> None:
    facts = read_facts(BUNDLE.facts)

    assert facts.rows == {"train": 1800, "valid": 200, "test": 100}
    assert facts.label_counts["test"] == {"Bugs": 50, "Billing": 38, "<b>&": 12}
    assert facts.planned_steps == 120


def test_the_kept_evaluation_is_that_of_the_last_fit() -> None:
    kept = read_facts(BUNDLE.facts).kept

    assert kept is not None
    assert kept.step == 90


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"plan": None, "history": 7},
        {"plan": {"rows": [1], "facts": "text", "label_counts": {"train": None}, "steps": "many"}},
        {"history": {"steps": [[1, 2], "x", [1, "a", 2]], "evaluations": [3, {"scores": None}], "seconds": True}},
    ],
)
def test_what_is_missing_or_strange_is_left_empty(facts: dict[str, object]) -> None:
    read = read_facts(facts)

    assert read in (RunFacts(), RunFacts(label_counts={"train": {}}))
    assert read.kept is None

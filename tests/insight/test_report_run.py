"""The run on a page: speed and cost, environment, and the command to repeat it."""

from __future__ import annotations

from dataclasses import replace

from fastbert.insight import report_run as run
from fastbert.insight.run_facts import read_facts
from tests.insight.made_up import BUNDLE, plan_json
from tests.insight.pages import Page

RECORD = {
    "versions": {"Python": "3.11.7", "torch": "2.13.0"},
    "platform": "Linux x86_64",
    "processor": "Fast One",
    "parameters": 22_700_000,
    "peak_memory_bytes": 1_500_000_000,
    "evaluated_rows": 300,
    "evaluation_seconds": 2.0,
    "tables": {"train": "rows.csv"},
}
FACTS = read_facts({**BUNDLE.facts, "run": RECORD})


def test_cost_is_told_as_far_as_it_is_known() -> None:
    text = Page(run.training(FACTS, 91_234_567)).text

    assert "evaluation at the end 300 rows in 2 s, 150 per second" in text
    assert "memory at the peak 1.5 GB" in text
    assert "weights 22,700,000" in text
    assert "size of the folder 91.2 MB" in text
    assert "memory at the peak" not in Page(run.training(read_facts(BUNDLE.facts), 0)).text


def test_the_environment_is_that_of_the_training() -> None:
    text = Page(run.environment(BUNDLE, FACTS)).text

    assert f"FastBert {BUNDLE.version}, Python 3.11.7, torch 2.13.0" in text
    assert "Linux x86_64, Fast One" in text
    assert "fastbert train rows.csv --set lr=0.0001 --set patience=none --out feedback-model" in text


def test_a_run_that_cannot_be_repeated_says_why() -> None:
    assert "cannot be repeated by one command" in run.environment(BUNDLE, read_facts(BUNDLE.facts))


def test_folders_of_the_machine_are_not_on_the_page() -> None:
    plan = {**plan_json(), "options": {"encoder": "/home/anna/encoder", "lr": 0.1}}
    facts = read_facts({"plan": plan, "run": RECORD})

    assert "anna" not in run.training(facts, 0) + run.environment(replace(BUNDLE, facts={}), facts)

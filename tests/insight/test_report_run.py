"""The run on a page: speed and cost, environment, and the command to repeat it."""

from __future__ import annotations

from dataclasses import replace

from fastbert.insight import report_run as run
from fastbert.insight.run_facts import read_facts
from tests.insight.made_up import BUNDLE, history_json, plan_json
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


def test_the_time_is_that_of_all_stages_and_the_curves_say_which_they_are_of() -> None:
    stages = [
        {"name": "models of 3 folds", "steps": 246, "seconds": 90.0, "in_history": False},
        {"name": "pairs of rows", "steps": 120, "seconds": 40.0, "in_history": False},
        {"name": "training", "steps": 2, "seconds": 0.4, "in_history": True},
    ]
    facts = read_facts({"plan": {**plan_json(), "steps": 2}, "history": {**history_json(), "stages": stages}})

    cost, curves = Page(run.training(facts, 0)).text, Page(run.curves(facts, "f1_macro")).text

    assert "steps 368 in all, 2 planned of the last training" in cost
    assert "time in training steps 2 min 10 s" in cost
    assert "of which models of 3 folds 90.0 s, pairs of rows 40.0 s, training 0.4 s" in cost
    assert "The curves are of: training (2 steps)." in curves
    assert "not among the curves: models of 3 folds (246 steps), pairs of rows (120 steps)." in curves


def test_one_stage_needs_no_list() -> None:
    one = {"name": "training", "steps": 120, "seconds": 48.0, "in_history": True}
    facts = read_facts({"plan": plan_json(), "history": {**history_json(), "stages": [one]}})

    assert run.training(facts, 0) == run.training(read_facts(BUNDLE.facts), 0)
    assert run.curves(facts, "f1_macro") == run.curves(read_facts(BUNDLE.facts), "f1_macro")

"""The command of a run: it can be read by the command line again, and names no folder."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from fastbert.cli.options import collect, decisions
from fastbert.config import DataConfig, DecisionConfig, TrainConfig
from fastbert.insight.repeating import option_text, repeat_command, without_folders
from fastbert.insight.run_facts import RunFacts

DATA = DataConfig(text=("title", "body"), labels=("topic",), group="user id")
TRAIN = TrainConfig(epochs=3.0, lr=1e-4, encoder="/home/anna/encoders/mine", warmup=0.1)
RUN = RunFacts(
    options={**DATA.to_json(), **TRAIN.to_json()},
    run={
        "tables": {"train": "my rows.csv", "test": "test.csv"},
        "deciding": DecisionConfig(goal="precision>=0.9").to_json(),
    },
    planned_steps=10,
    steps=((9, 0.1, 0.0),),
)


def test_the_command_line_reads_it_as_the_run_had_it() -> None:
    words = shlex.split(repeat_command(RUN, "model"))
    assigned = [words[place + 1] for place, word in enumerate(words) if word == "--set"]

    data, training = collect(None, assigned, {})

    assert words[:5] == ["fastbert", "train", "my rows.csv", "--test", "test.csv"]
    assert words[-2:] == ["--out", "model"]
    assert data == DATA
    assert training == replace(TRAIN, encoder="mine")
    assert decisions(None, assigned, {}) == DecisionConfig(goal="precision>=0.9")


def test_a_rule_of_other_rows_is_made_after_the_training() -> None:
    rule = DecisionConfig(goal="cost:/home/anna/costs.csv", at_least=1).to_json()
    facts = replace(RUN, run={**RUN.run, "deciding": rule, "decided_on": "new rows.csv"})

    trained, decided = repeat_command(facts, "model").split(" && ")

    assert "goal" not in trained and trained.endswith(" --out model")
    assert decided == "fastbert decide model 'new rows.csv' --goal cost:costs.csv --at-least 1"


def test_what_is_as_ever_is_left_out() -> None:
    assert "patience" not in repeat_command(RUN, "model") and "calibrate" not in repeat_command(RUN, "model")


@pytest.mark.parametrize(
    "facts",
    [
        replace(RUN, run={}),
        replace(RUN, options={}),
        replace(RUN, steps=((20, 0.1, 0.0),)),
        replace(RUN, adaptation={"verdict": "kept"}),
        replace(RUN, distillation={"teacher": "large"}),
        replace(RUN, run={**RUN.run, "decided_on": ""}),
        RunFacts(),
    ],
    ids=["tables in memory", "no options", "several fits", "adapted", "distilled", "decided in memory", "nothing"],
)
def test_a_run_that_is_no_command_has_none(facts: RunFacts) -> None:
    assert repeat_command(facts, "model") == ""


@pytest.mark.parametrize(
    ("value", "shown"),
    [("C:\\Users\\anna\\enc", "enc"), ("../enc/", "enc"), ("~/a/b", "b"), ("google/bert", "google/bert")],
)
def test_folders_are_left_out(value: str, shown: str) -> None:
    assert without_folders(value) == shown


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("encoder", "/home/anna/enc", "enc"),
        ("labels_file", "data/labels.txt", "labels.txt"),
        ("goal", "cost:/home/anna/cost.csv", "cost:cost.csv"),
        ("goal", "cost: data\\cost.csv", "cost:cost.csv"),
        ("goal", "precision>=0.9@a/b cost:c", "precision>=0.9@a/b cost:c"),
        ("delimiter", "/", "/"),
        ("text", ["/a", "./b"], "/a,./b"),
        ("group", "~/c", "~/c"),
        ("lr", 0.5, "0.5"),
    ],
)
def test_only_options_that_are_a_file_lose_its_folder(name: str, value: object, shown: str) -> None:
    assert option_text(name, value) == shown


def test_files_of_options_stand_in_the_command_as_tables_do() -> None:
    options = {**RUN.options, "labels_file": "data/labels.txt", "delimiter": "/"}
    run = {**RUN.run, "deciding": {"goal": "cost:/home/anna/cost.csv"}}

    words = shlex.split(repeat_command(replace(RUN, options=options, run=run), "model"))

    assert {"labels_file=labels.txt", "delimiter=/", "goal=cost:cost.csv"} <= set(words)

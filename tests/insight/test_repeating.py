"""The command of a run: it can be read by the command line again, and names no folder."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from fastbert.cli.options import collect, decisions
from fastbert.config import DataConfig, DecisionConfig, TrainConfig
from fastbert.insight.repeating import option_text, repeat, repeat_command, without_folders
from fastbert.insight.run_facts import RunFacts
from fastbert.training.state import Stage

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
HEAD, FITTED = Stage("the head alone", 10, 1.0, in_history=True), Stage("training", 10, 1.0, in_history=True)


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
    ("facts", "why_not"),
    [
        (replace(RUN, run={}), "one of its tables was in memory or of several files"),
        (replace(RUN, distillation={"teacher": "large", "tables": {}}), "one of its tables was in memory"),
        (replace(RUN, options={}), "does not say with which options"),
        (replace(RUN, stages=(HEAD, FITTED, FITTED)), "it was 2 fits"),
    ],
    ids=["tables in memory", "texts in memory", "no options", "several fits"],
)
def test_the_reason_is_that_of_the_run(facts: RunFacts, why_not: str) -> None:
    assert why_not in repeat(facts, "model").why_not


def test_the_head_alone_before_a_fit_is_no_second_fit() -> None:
    probed = replace(RUN, options={**RUN.options, "start": "probe"}, steps=((20, 0.1, 0.0),), stages=(HEAD, FITTED))

    assert "start=probe" in shlex.split(repeat_command(probed, "model"))


def test_an_adapted_run_begins_with_the_plain_encoder() -> None:
    options = {**RUN.options, "encoder": "/home/anna/model-encoder"}
    adapted = replace(
        RUN,
        options=options,
        adaptation={"kept": "adapted"},
        adapted_from={"encoder": "minilm", "files": ["a b.txt", "c"]},
    )

    words = shlex.split(repeat_command(adapted, "model"))

    assert words[5:9] == ["--adapt", "a b.txt", "--adapt", "c"]
    assert not any(word.startswith("encoder=") for word in words)  # minilm is the default


def test_a_distillation_names_teacher_texts_and_tables() -> None:
    tables = {"unlabelled": ["a.txt", "b.csv"], "train": "few.csv", "test": "test.csv"}
    facts = {"teacher": "large", "temperature": 3.0, "label_weight": 0.25, "tables": tables}
    student = replace(RUN, options={**RUN.options, "truncation": "windows"}, distillation=facts)

    words = shlex.split(repeat_command(student, "small"))

    named = "fastbert distill large --unlabelled a.txt --unlabelled b.csv --train few.csv --test test.csv"
    assert " ".join(words).startswith(f"{named} --temperature 3.0 --label-weight 0.25 --set text=title,body")
    assert not any(word.startswith("truncation=") for word in words)  # the teacher's, which cannot be asked for


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


@pytest.mark.parametrize(("rows", "few"), [(43, True), (44, False)])
def test_few_rows_of_several_labels_are_held_out_again_where_they_were(rows: int, few: bool) -> None:
    counts = {"train": dict.fromkeys("abc", 20), "valid": dict.fromkeys("abc", 2)}
    facts = replace(RUN, task="multi_label", rows={"train": rows, "valid": 5}, label_counts=counts)

    assert ("valid_folds=0" in repeat_command(facts, "m")) == few
    assert "valid_folds" not in repeat_command(replace(facts, task="single_label"), "m")
    assert "valid_folds" not in repeat_command(
        replace(facts, run={"tables": {"train": "t.csv", "valid": "v.csv"}}), "m"
    )

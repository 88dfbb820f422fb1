"""One answer for all rows: detected while training, at the end, and said with what to do."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from fastbert.api import Tables, finish, prepare
from fastbert.config import DataConfig, DecisionConfig, TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.data.examples import Entity, TaggedExample, TextExample
from fastbert.decisions.abstain import Abstention
from fastbert.decisions.rules import Decisions
from fastbert.display import View
from fastbert.insight.collapse import describe_collapse, with_collapse
from fastbert.insight.deciding import decide
from fastbert.labels import Labels
from fastbert.tasks.base import Example, Prediction
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.entities_prediction import EntitiesPrediction
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.tasks.regression import Regression
from fastbert.tasks.tagging import Tagging
from tests.feedback import FAST, Recorder, feedback_rows, make_learner

ONE, MANY = SingleLabel(Labels(("a", "b"))), MultiLabel(Labels(("a", "b")))
ROWS: list[Example] = [TextExample("x", labels=("a",)), TextExample("x", labels=("b",))] * 4
FLAT: list[Prediction] = [LabelPrediction(("a",), {"a": 0.7, "b": 0.6})] * 8
TOLD: list[Prediction] = [
    LabelPrediction(("a",), {"a": 0.7, "b": 0.3}),
    LabelPrediction(("b",), {"a": 0.3, "b": 0.7}),
] * 4


def test_a_model_that_tells_rows_apart_has_not_collapsed() -> None:
    assert describe_collapse(ONE, TOLD, Decisions(), ROWS) == ""


def test_a_collapsed_model_is_said_with_what_to_do() -> None:
    assert describe_collapse(ONE, FLAT, Decisions(), ROWS) == (
        "The model has collapsed: each of the 8 rows is given 'a', though 2 labels occur in them, in validation, so "
        "its answers say nothing of a text. Train longer (--epochs), or at a lower rate (--lr) if the loss jumps; or "
        "give rare labels more weight (--set loss=auto compares the ways). If that changes nothing, look at texts "
        "and labels: `fastbert inspect`."
    )
    other = describe_collapse(ONE, FLAT, Decisions(), ROWS, "focal")
    assert "; or compare the ways to meet rare labels (--set loss=auto; this was focal)." in other
    assert "if the loss jumps. If that" in describe_collapse(ONE, FLAT, Decisions(), ROWS, "auto")


def test_a_low_threshold_that_gives_every_label_is_said_as_what_it_is() -> None:
    said = describe_collapse(MANY, TOLD, Decisions(0.1), ROWS)

    assert said.startswith("By the fitted decision rule each of the 8 rows is given every label, though 2 labels occur")
    assert said.endswith("The model itself tells rows apart: choose another goal with `fastbert decide`.")
    flat = describe_collapse(MANY, FLAT, Decisions(0.1), ROWS)
    assert flat.startswith("The model has collapsed: each of the 8 rows is given every label")


def test_next_best_labels_are_no_collapse() -> None:
    assert describe_collapse(ONE, TOLD, Decisions(at_most=2), ROWS) == ""


@pytest.mark.parametrize("rule", [Decisions(abstention=Abstention(0.9)), Decisions(thresholds=(("a", math.inf),))])
def test_a_rule_that_answers_nothing_does_not_hide_a_collapse(rule: Decisions) -> None:
    assert describe_collapse(ONE, FLAT, rule, ROWS).startswith("The model has collapsed: each of the 8 rows is given")


def test_a_rule_that_answers_no_row_is_said() -> None:
    said = describe_collapse(ONE, TOLD, Decisions(abstention=Abstention(0.9)), ROWS)

    assert said.startswith(
        "By the fitted decision rule none of the 8 rows is answered, in validation. The model itself"
    )


def test_a_tagger_that_finds_nothing_has_collapsed() -> None:
    task = Tagging(Labels(("DRUG",)))
    rows: list[Example] = [TaggedExample("aspirin helps", entities=(Entity(0, 7, "DRUG"),))] * 8
    silent: list[Prediction] = [EntitiesPrediction(text="aspirin helps")] * 8

    assert describe_collapse(task, silent, Decisions(), rows) == (
        "The model has collapsed: none of the 8 rows is given an entity, though 8 are in them, in validation, so its "
        "answers say nothing of a text. Train longer (--epochs), or at a lower rate (--lr) if the loss jumps. If that "
        "changes nothing, look at texts and labels: `fastbert inspect`."
    )


def test_of_a_handful_of_rows_nothing_is_said() -> None:
    assert describe_collapse(ONE, FLAT[:6], Decisions(), ROWS[:6]) == ""


def test_a_task_without_labels_cannot_collapse() -> None:
    assert describe_collapse(Regression("stars", 3.0, 1.0, 1.0, 5.0), list(FLAT), Decisions(), ROWS) == ""


def test_what_a_bundle_knew_of_it_gives_way_to_what_is_known_now() -> None:
    facts: dict[str, object] = {"plan": {}, "collapse": "before"}

    assert with_collapse(facts, "now") == {"plan": {}, "collapse": "now"}
    assert with_collapse(facts, "") == {"plan": {}}


# --- in a run ---------------------------------------------------------------------------------------------


@pytest.fixture
def rare() -> list[dict[str, str]]:
    rows = feedback_rows(48)
    return [row for row in rows if row["label"] == "bug"] + [row for row in rows if row["label"] == "praise"][:3]


def test_it_is_seen_while_training_and_at_its_end(rare: list[dict[str, str]], encoder: str) -> None:
    recorder = Recorder()
    data = DataBunch.from_files(rare, rare)

    learner = make_learner(encoder, data, callbacks=[recorder], lr=1e-6).fit(epochs=1)

    assert learner.last_run.collapsed and [record.collapsed for record in learner.history.evaluations] == [True]
    assert learner.collapse.startswith("The model has collapsed: each of the 27 rows is given 'bug'")
    history = learner.history.to_json()["evaluations"]
    assert isinstance(history, list) and history[0]["collapsed"] is True


def test_it_is_forgotten_once_the_model_has_learned(rare: list[dict[str, str]], encoder: str) -> None:
    learner = make_learner(encoder, DataBunch.from_files(rare, rare), lr=1e-6).fit(epochs=1)

    learner.fit(epochs=20, lr=3e-3)

    assert learner.collapse == "" and not learner.last_run.collapsed


def test_it_is_shown_kept_and_written_on_the_card(rare: list[dict[str, str]], encoder: str, tmp_path: Path) -> None:
    tables, shown = Tables(rare, rare), list[View]()
    config = TrainConfig().changed(**{**FAST, "encoder": encoder, "lr": 1e-6, "epochs": 1})

    result = finish(prepare(tables, data=DataConfig(), config=config), tables, tmp_path / "m", on_view=shown.append)

    assert result.to_json()["collapsed"] == result.learner.collapse != ""
    assert result.learner.collapse in repr(shown[-1]).replace("\n", " ")
    assert "The model has collapsed" in (tmp_path / "m" / "README.md").read_text(encoding="utf-8")
    assert "The model has collapsed" in (tmp_path / "m" / "report.html").read_text(encoding="utf-8")


def test_another_rule_takes_the_warning_back_or_brings_it(bundle: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(bundle, tmp_path / "model")
    costs = tmp_path / "costs.csv"
    costs.write_text("true,decided,cost\nbug,praise,0\npraise,bug,1000\n", encoding="utf-8")

    brought = decide(folder, DecisionConfig(goal=f"cost:{costs}", calibrate="none")).to_json()["collapsed"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    taken = decide(folder, DecisionConfig()).to_json()["collapsed"]

    assert str(brought).startswith("By the fitted decision rule each of the 8 rows is given 'praise'")
    assert "By the fitted decision rule each of the 8 rows is given 'praise'" in card
    assert taken is None and "By the fitted" not in (folder / "README.md").read_text(encoding="utf-8")

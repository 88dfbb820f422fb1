"""What makes bundles comparable: tasks, labels by name, and the rows that all of them answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fastbert.config import DataConfig, DecisionConfig
from fastbert.data.examples import Entity, Example, TaggedExample, TextExample, ValueExample
from fastbert.decisions.abstain import Abstention
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError, DataError
from fastbert.inference.predictor import Predictor
from fastbert.insight.contestants import Ring, common_ring, contestants_of, shared_aim, translated, unique_names
from fastbert.labels import Labels
from fastbert.tasks.base import Task
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.tasks.tagging import Tagging
from tests.feedback import feedback_rows
from tests.helpers import write_csv
from tests.insight.answered import NUMBER, tags


@pytest.fixture
def predictor(bundle: Path) -> Predictor:
    return Predictor.load(bundle)


def other(predictor: Predictor, task: Task | None = None, **layout: object) -> Predictor:
    """Return a predictor of the same bundle that says it has another task, or was trained on other columns."""
    plan = predictor.bundle.facts["plan"]
    assert isinstance(plan, dict)
    facts = {"plan": {**plan, "layout": {**plan["layout"], **layout}}}
    changed = replace(predictor.bundle, task=task or predictor.task, facts=facts)
    return Predictor(changed, predictor.tokenizer, predictor.backend)


def labelled(*names: str, kind: Callable[[Labels], Task] = SingleLabel) -> Task:
    return kind(Labels(names))


def ring(table: Path | list[dict[str, str]], *predictors: Predictor) -> Ring:
    return common_ring(predictors, [f"m{place + 1}" for place in range(len(predictors))], table, DataConfig())


def test_the_order_of_labels_may_differ(predictor: Predictor) -> None:
    found = ring(feedback_rows(6), predictor, other(predictor, labelled("praise", "bug")))

    assert found.task.label_names == ("bug", "praise")
    assert (len(found.examples), found.notes) == (6, ())


def test_columns_of_the_training_tables_may_differ(predictor: Predictor, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["text", "label"], [[*row.values()] for row in feedback_rows(6)])
    stranger = other(predictor, text="review", label_columns=["topic"])

    assert len(ring(table, stranger, predictor).examples) == 6


def test_a_table_with_the_columns_of_none_is_refused(predictor: Predictor, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["a", "b"], [["x", "bug"]])

    with pytest.raises(DataError):
        ring(table, predictor, predictor)


def test_a_label_that_one_model_does_not_know_counts_as_its_mistake(predictor: Predictor) -> None:
    wider = other(predictor, labelled("bug", "praise", "question"))
    rows = [*feedback_rows(4), {"text": "who", "label": "question"}]

    found = ring(rows, predictor, wider)

    assert found.task.label_names == ("bug", "praise", "question")
    assert found.notes == ("m1 does not know question: where that is right, it is wrong.",)


def test_a_label_of_no_model_is_refused(predictor: Predictor) -> None:
    with pytest.raises(DataError, match="label 'bugs' is not one of the 2 labels"):
        ring([{"text": "it crashes", "label": "bugs"}], predictor, predictor)


def test_models_without_a_common_label_are_refused(predictor: Predictor) -> None:
    with pytest.raises(ConfigError) as caught:
        ring(feedback_rows(4), predictor, other(predictor, labelled("0", "1")))

    assert str(caught.value) == (
        "m1 and m2 share no label: bug, praise against 0, 1.\n"
        "  Train both with the same label names; --labels-file gives names to labels written as numbers."
    )


def test_models_of_two_tasks_are_refused(predictor: Predictor) -> None:
    with pytest.raises(ConfigError, match="m1 is a single_label model, m2 a regression model"):
        ring(feedback_rows(4), predictor, other(predictor, NUMBER))


def test_models_of_pairs_and_of_single_texts_are_refused(predictor: Predictor) -> None:
    with pytest.raises(ConfigError, match="One of m1 and m2 reads pairs of texts, the other single texts"):
        ring(feedback_rows(4), predictor, other(predictor, pair="second"))


def test_of_several_labels_one_that_no_row_can_judge_is_left_out(predictor: Predictor) -> None:
    first = other(predictor, labelled("bug", "praise", kind=MultiLabel))
    second = other(predictor, labelled("bug", "praise", "slow", kind=MultiLabel))

    found = ring(feedback_rows(4), first, second)

    assert found.task.label_names == ("bug", "praise")
    assert found.notes[-1] == "Not compared, as not all models know them and no row has them: slow."


@pytest.mark.parametrize(
    ("task", "row", "kept"),
    [
        (MultiLabel(Labels(("bug",))), TextExample("t", labels=("bug", "slow")), ("bug",)),
        (
            Tagging(Labels(("city",))),
            TaggedExample("Rome Ann", (Entity(0, 4, "city"), Entity(5, 8, "name"))),
            (Entity(0, 4, "city"),),
        ),
        (NUMBER, ValueExample("t", value=2.0), 2.0),
    ],
)
def test_other_tables_are_read_without_the_labels_that_are_left_out(task: Task, row: Example, kept: object) -> None:
    reader: Any = SimpleNamespace(read=lambda source: SimpleNamespace(examples=[row]))

    (found,) = Ring(task, (), (), reader).read("train.csv")

    assert found.truth == kept


def aimed(predictor: Predictor, goal: str, **limits: int) -> Predictor:
    """Return a predictor whose rule was fitted for a goal."""
    return predictor.with_decisions(Decisions(goal=goal, fit={"rows": 8}, **limits))  # type: ignore[arg-type]


def test_baselines_have_the_goal_that_all_models_share(predictor: Predictor) -> None:
    model = aimed(predictor, "recall>=0.9@bug", at_most=2)

    assert shared_aim([model, model], ["m1", "m2"]) == (
        DecisionConfig(goal="recall>=0.9@bug", at_most=2),
        "The decision rules of the baselines are fitted for the goal of the models, recall>=0.9@bug, at most 2 labels.",
    )
    assert shared_aim([predictor], ["m1"])[1] == ""


def test_baselines_of_models_with_different_goals_have_that_of_the_task(predictor: Predictor) -> None:
    models = [aimed(predictor, "recall>=0.9@bug"), aimed(predictor, "cost")]

    assert shared_aim(models, ["m1", "m2"]) == (
        DecisionConfig(),
        "The decision rules are fitted for other goals (m1 for recall>=0.9@bug, m2 for cost) than those of the "
        "baselines (default): a part of a difference may be that of the rules.",
    )


def test_answers_are_translated_into_the_labels_of_the_task() -> None:
    said = LabelPrediction(("x", "a"), {"x": 0.9, "a": 0.8})

    (found,) = translated(MultiLabel(Labels(("a", "b"))), [said])

    assert (found.labels, found.scores) == (("a",), {"a": 0.8, "b": 0.0})


def test_the_parent_that_an_answer_stops_at_is_kept() -> None:
    task = SingleLabel(Labels(("A > x", "A > y", "B > x")))
    said = LabelPrediction(("A",), {"A > x": 0.5, "A > y": 0.4}, reason="confidence 0.50 is below 0.8")

    (found,) = translated(task, [said])

    assert found.labels == ("A",)
    assert task.score([found], [TextExample("t", labels=("A > y",))])["f1_micro_level_1"] == 1.0


def test_answers_that_are_held_back_are_decided_all_the_same(predictor: Predictor) -> None:
    found = ring(feedback_rows(6), predictor)
    limit = min(max(said.scores.values()) for said in predictor.predict_examples(found.examples)[1:])
    unsure = predictor.with_decisions(Decisions(abstention=Abstention(confidence=limit + 1e-9)))

    (one,) = contestants_of([unsure], ["m1"], found.task)

    said = one.answer(found.examples)
    assert () in {answer.labels for answer in said}
    assert [answer.labels for answer in one.whole(found.examples, said)] == [
        answer.labels for answer in predictor.predict_examples(found.examples)
    ]


def test_entities_of_another_type_are_dropped() -> None:
    _, _, answers = tags()

    found = translated(Tagging(Labels(("city",))), answers)

    assert {label for one in found for label in one.labels} <= {"city", "name"}
    assert {entity.label for one in found for entity in one.answer} == {"city"}  # type: ignore[attr-defined]


def test_contestants_answer_as_the_bundle_does(predictor: Predictor) -> None:
    found = ring(feedback_rows(6), predictor, predictor)

    (one,) = contestants_of([predictor], ["m1"], found.task)

    assert [said.labels for said in one.answer(found.examples)] == [
        said.labels for said in predictor.predict_examples(found.examples)
    ]
    assert one.folder == predictor.bundle.folder and "backend torch" in one.about


def test_equal_names_are_shown_with_their_folders() -> None:
    assert unique_names([Path("a/m"), Path("b/m"), Path("tfidf")], ["tfidf"]) == ["a/m", "b/m", "./tfidf"]


def test_a_folder_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is given twice"):
        unique_names([tmp_path, tmp_path / "x" / ".."])

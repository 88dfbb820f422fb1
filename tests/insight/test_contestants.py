"""What makes bundles comparable: tasks, labels by name, and the rows that all of them answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fastbert.config import DataConfig
from fastbert.data.examples import TextExample
from fastbert.decisions.abstain import Abstention
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError, DataError
from fastbert.inference.predictor import Predictor
from fastbert.insight.contestants import Ring, common_ring, contestants_of, translated, unique_names
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
    assert unique_names([Path("a/m"), Path("b/m"), Path("tfidf")], ["tfidf"]) == ["a/m", "b/m", "tfidf"]


def test_a_folder_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is given twice"):
        unique_names([tmp_path, tmp_path / "x" / ".."])

"""Scores of a bundle on a table that is read as its training table was."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from fastbert.config import DataConfig
from fastbert.data.databunch import DataBunch
from fastbert.errors import DataError
from fastbert.inference.evaluation import evaluate_table, saved_layout
from fastbert.inference.predictor import Predictor
from fastbert.tasks.base import Task
from tests.feedback import feedback_rows, make_learner, tagged_rows, write_feedback
from tests.helpers import write_csv


@pytest.fixture
def model(bundle: Path) -> Predictor:
    return Predictor.load(bundle)


def options(**changes: object) -> DataConfig:
    return DataConfig().changed(**changes)


def trained(encoder: str, folder: Path, data: DataBunch) -> Predictor:
    return Predictor.load(make_learner(encoder, data).fit().save(folder / "model"))


def test_scores_are_those_of_the_predictions(model: Predictor, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "test.csv")
    answers = model([row["text"] for row in feedback_rows()])
    right = sum(answer.labels == (row["label"],) for answer, row in zip(answers, feedback_rows(), strict=True))

    result = evaluate_table(model, table, options())

    assert result.rows == 40
    assert result.scores["accuracy"] == right / 40


def test_scores_equal_those_that_were_saved(encoder: str, tmp_path: Path) -> None:
    rows = feedback_rows(48)
    model = trained(encoder, tmp_path, DataBunch.from_files(rows[:32], rows[32:]))

    result = evaluate_table(model, rows[32:], options())

    assert result.scores == pytest.approx(dict(model.bundle.scores["valid"]), abs=1e-6)


def test_each_label_is_scored_by_name(model: Predictor) -> None:
    result = evaluate_table(model, feedback_rows(9), options())

    assert {name: scores["support"] for name, scores in result.per_label.items()} == {"bug": 5, "praise": 4}


def test_the_result_is_plain_json(model: Predictor) -> None:
    values = json.loads(json.dumps(evaluate_table(model, feedback_rows(8), options()).to_json(), allow_nan=False))

    assert {"scores", "rows", "per_label", "notes"} <= set(values)


def test_columns_may_stand_in_another_order(model: Predictor, tmp_path: Path) -> None:
    rows = [[row["label"], index, row["text"]] for index, row in enumerate(feedback_rows())]
    table = write_csv(tmp_path / "test.csv", ["label", "id", "text"], rows)

    assert evaluate_table(model, table, options()) == evaluate_table(model, feedback_rows(), options())


@pytest.mark.parametrize("labels", [(), ("tag",)], ids=["text", "text and label"])
def test_other_columns_can_be_named(labels: tuple[str, ...], model: Predictor) -> None:
    rows = [
        {"note": row["text"], labels[0] if labels else "label": row["label"], "text": "x"} for row in feedback_rows()
    ]

    result = evaluate_table(model, rows, options(text="note", labels=labels))

    assert result.scores == evaluate_table(model, feedback_rows(), options()).scores


def test_a_model_without_a_layout_finds_the_columns_itself(model: Predictor) -> None:
    bare = Predictor(dataclasses.replace(model.bundle, facts={}), model.tokenizer, model.backend)

    assert saved_layout(bare) is None
    assert evaluate_table(bare, feedback_rows(), options()).rows == 40


def test_numbered_columns_are_remembered(encoder: str, tmp_path: Path) -> None:
    table = tmp_path / "train.tsv"
    table.write_text("".join(f"{row['label']}\t{row['text']}\n" for row in feedback_rows()), encoding="utf-8")
    data = DataBunch.from_files(table, header=False, text="1", labels="0")

    model = trained(encoder, tmp_path, data)

    assert evaluate_table(model, table, options()).rows == 40


def test_flag_columns_are_scored(encoder: str, tmp_path: Path) -> None:
    model = trained(encoder, tmp_path, DataBunch.from_files(tagged_rows()))

    result = evaluate_table(model, tagged_rows(12), options())

    assert list(result.per_label) == ["bug", "praise", "long"]
    assert "average_precision_macro" in result.scores


def test_numbers_are_read_by_the_names_of_training(encoder: str, tmp_path: Path) -> None:
    names = tmp_path / "labels.txt"
    names.write_text("bug\npraise\n", encoding="utf-8")
    rows = [{"text": row["text"], "label": int(row["label"] == "praise")} for row in feedback_rows()]
    model = trained(encoder, tmp_path, DataBunch.from_files(rows, labels=names))

    per_label = evaluate_table(model, rows[:9], options()).per_label

    assert {name: scores["support"] for name, scores in per_label.items()} == {"bug": 5, "praise": 4}


def test_a_label_that_the_model_does_not_know_is_refused(model: Predictor, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "test.csv", ["text", "label"], [["the app", "bugs"]])

    with pytest.raises(DataError) as caught:
        evaluate_table(model, table, options())

    assert str(caught.value) == (
        "test.csv, row 2: label 'bugs' is not one of the 2 labels (bug, praise).\n  Did you mean 'bug'?"
    )


def test_a_table_without_the_column_is_refused(model: Predictor, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "test.csv", ["texts", "label"], [["the app", "bug"]])

    with pytest.raises(
        DataError, match="test.csv has no column 'text'. Its columns are: 'texts', 'label'.\n  Did you mean"
    ):
        evaluate_table(model, table, options())


def test_an_empty_text_is_refused(model: Predictor) -> None:
    with pytest.raises(DataError, match="1 of 3 rows cannot be used: column 'text' is empty"):
        evaluate_table(model, [*feedback_rows(2), {"text": "", "label": "bug"}], options())


def test_rows_that_are_left_out_are_in_the_notes(model: Predictor) -> None:
    rows = [*feedback_rows(2), {"text": "", "label": "bug"}]

    result = evaluate_table(model, rows, options(on_bad_row="skip"))

    assert result.rows == 2
    assert result.notes == ("1 of 3 rows of rows left out: column 'text' is empty (row 3).",)


def test_a_short_table_has_the_header_of_the_training_table(encoder: str, tmp_path: Path) -> None:
    rows = [list(row.values()) for row in feedback_rows()]
    train = write_csv(tmp_path / "train.csv", ["feedback", "kind"], rows)
    few = write_csv(tmp_path / "few.csv", ["feedback", "kind"], rows[:6])
    model = trained(encoder, tmp_path, DataBunch.from_files(train))

    assert evaluate_table(model, few, options()).rows == 6


def test_a_table_needs_no_group(encoder: str, tmp_path: Path) -> None:
    rows = [{**row, "customer": f"c{index // 4}"} for index, row in enumerate(feedback_rows())]
    model = trained(encoder, tmp_path, DataBunch.from_files(rows, group="customer"))

    assert evaluate_table(model, feedback_rows(6), options()).rows == 6


def test_rows_that_measure_nothing_are_refused(model: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Task, examples: object) -> None:
        raise DataError("nothing is measured")

    monkeypatch.setattr(type(model.task), "check_truths", refuse)

    with pytest.raises(DataError, match="nothing is measured"):
        evaluate_table(model, feedback_rows(4), options())

"""Label errors: worst first, as many marked as estimated, written without texts unless they are asked for."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from fastbert.data.databunch import DataBunch
from fastbert.data.examples import TextExample, ValueExample
from fastbert.errors import ConfigError, TrainingError
from fastbert.insight.label_errors import LabelError, find_label_errors, label_errors_of_table, write_label_errors
from fastbert.labels import Labels
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.tasks.regression import Regression, ValuePrediction
from tests.feedback import feedback_rows

SINGLE, MULTI = SingleLabel(Labels(("a", "b"))), MultiLabel(Labels(("a", "b")))


def say(score: float) -> LabelPrediction:
    """Return a prediction with a score of a."""
    return LabelPrediction(("a",) if score >= 0.5 else ("b",), {"a": score, "b": 1 - score})


def flipped_rows() -> list[dict[str, str]]:
    """Return rows that their last word tells, one of them wrong."""
    rows = [dict(row) for row in feedback_rows(48)]
    rows[5]["label"] = "bug"
    return rows


def test_rows_that_the_model_contradicts_come_worst_first() -> None:
    scores = [0.99, 0.3, 0.98, 0.1, 0.97]
    examples = [TextExample("secret", labels=("a",), where=f"t.csv, row {row}") for row in range(2, 7)]

    found = find_label_errors(SINGLE, [say(score) for score in scores], examples)

    assert [(error.place, error.where, error.given, error.suggested) for error in found] == [
        (3, "t.csv, row 5", ("a",), ("b",)),
        (1, "t.csv, row 3", ("a",), ("b",)),
    ]
    assert [error.quality for error in found] == pytest.approx([0.1, 0.3])


def test_as_many_are_issues_as_the_estimate_says() -> None:
    # the surest 10 of 100 rows said to be a: 2 of them are given b; so 20 of 100 are estimated, and 12 are there
    scores = [0.99 - row * 0.001 for row in range(100)]
    wrong = {0, 1, *range(50, 60)}
    examples = [TextExample("t", labels=("b",) if row in wrong else ("a",)) for row in range(100)]

    found = find_label_errors(SINGLE, [say(score) for score in scores], examples)

    assert len(found) == 12 and all(error.issue for error in found)


def test_what_is_contradicted_without_an_estimate_is_no_issue() -> None:
    scores = [0.99 - row * 0.001 for row in range(100)]
    examples = [TextExample("t", labels=("b",) if row > 95 else ("a",)) for row in range(100)]

    found = find_label_errors(SINGLE, [say(score) for score in scores], examples)

    assert len(found) == 4 and not any(error.issue for error in found)


def test_labels_that_are_missing_and_too_many_are_suggested() -> None:
    examples = [TextExample("t", labels=("a",)), TextExample("t", labels=()), TextExample("t", labels=("b", "a"))]
    predictions = [
        LabelPrediction(("b", "a"), {"a": 0.8, "b": 0.9}),
        LabelPrediction((), {"a": 0.1, "b": 0.1}),
        LabelPrediction(("a", "b"), {"a": 0.9, "b": 0.8}),
    ]

    found = find_label_errors(MULTI, predictions, examples)

    assert [(error.place, error.suggested) for error in found] == [(0, ("b", "a"))]


def test_numbers_are_text_in_the_user_s_unit() -> None:
    task = Regression("stars", 3.0, 1.0, 1.0, 5.0)
    values = [3.0, 3.1, 2.9, 3.0, 5.0]
    examples = [ValueExample("t", value=value) for value in values]

    found = find_label_errors(task, [ValuePrediction(value=3.0, scale=1.0) for _ in values], examples)

    assert (found[0].given, found[0].suggested) == (("5",), ("3",))


@pytest.mark.parametrize(("texts", "columns"), [(False, []), (True, ["text"])])
def test_the_file_for_review_has_texts_only_where_they_are_asked_for(
    texts: bool, columns: list[str], tmp_path: Path
) -> None:
    examples = [TextExample("secret, one", labels=("a",))]
    errors = [LabelError(0, "t.csv, row 2", ("a", "c"), (), 0.0625, True)]

    place = write_label_errors(tmp_path / "review.csv", errors, examples if texts else None)

    with place.open(encoding="utf-8", newline="") as file:
        header, row = csv.reader(file)
    assert header == ["where", "given", "suggested", "quality", "issue", *columns]
    assert row == ["t.csv, row 2", "a|c", "", "0.062500", "1", *(["secret, one"] if texts else [])]


def test_a_pair_is_two_columns(tmp_path: Path) -> None:
    errors = [LabelError(0, "row 1", ("a",), ("b",), 0.1, False)]

    place = write_label_errors(tmp_path / "r.csv", errors, [TextExample("one", "two", labels=("a",))])

    assert place.read_text(encoding="utf-8").splitlines()[0].endswith("issue,text,pair")
    assert place.read_text(encoding="utf-8").splitlines()[1].endswith("0,one,two")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"r.csv: the label errors could not be written"):
        write_label_errors(tmp_path / "none" / "r.csv", [])


def test_a_table_is_looked_through_with_an_encoder_that_is_not_trained(encoder: str, tmp_path: Path) -> None:
    found = label_errors_of_table(flipped_rows(), encoder=encoder, folds=4)

    assert found.mode == "quick"
    assert found.estimate.rows == len(found.examples) == 48
    assert "of 48 rows" in repr(found) and "judged by quick models" in repr(found)
    assert "the " not in json.dumps(found.to_json()["issues"])
    assert found.write_csv(tmp_path / "review.csv", texts=True).is_file()


def test_a_table_is_looked_through_by_fine_tuned_models(encoder: str) -> None:
    found = label_errors_of_table(
        flipped_rows(), mode="full", encoder=encoder, folds=3, valid_share=0.2, epochs=1, average=1
    )

    assert found.mode == "full"
    assert len(found.examples) == 48 and "accuracy" in found.scores


def test_the_same_seed_finds_the_same(encoder: str) -> None:
    data = DataBunch.from_files(flipped_rows())

    first, again = (label_errors_of_table(data, encoder=encoder, folds=4).errors for _ in range(2))

    assert first == again


def test_another_mode_is_refused_before_the_table_is_read() -> None:
    with pytest.raises(ConfigError, match="mode is 'slow'; expected one of quick, full"):
        label_errors_of_table("none.csv", mode="slow")  # type: ignore[arg-type]  # as a user may write it


def test_a_table_of_tags_is_refused() -> None:
    rows = [{"text": f"anna {index}", "entities": [{"start": 0, "end": 4, "label": "X"}]} for index in range(20)]

    with pytest.raises(ConfigError, match="Label errors cannot be found for the task 'tagging'"):
        label_errors_of_table(rows)

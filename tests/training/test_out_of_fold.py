"""Out-of-fold predictions: their scores by hand, and the file that holds them without a text."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fastbert.data.examples import Answer, Entity, Example, QuestionExample, TaggedExample, TextExample, ValueExample
from fastbert.data.splits import example_units
from fastbert.decisions.abstain import Abstention
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError, TrainingError
from fastbert.labels import Labels
from fastbert.tasks.answer_prediction import AnswerPrediction
from fastbert.tasks.answering import Answering
from fastbert.tasks.base import Prediction, Task
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.entities_prediction import EntitiesPrediction, ScoredEntity
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.tasks.regression import Regression, ValuePrediction
from fastbert.tasks.tagging import Tagging
from fastbert.training.out_of_fold import CrossValidation

TRUE, SAID = "abababab", "abbabbba"  # right: 2 of the first 5, 1 of the last 3
WHERE = "train.csv, row 2"


def single(labels: str = SAID) -> CrossValidation:
    examples = tuple(
        TextExample(f"secret {row}", labels=(name,), where=f"t.csv, row {row}") for row, name in enumerate(TRUE)
    )
    predictions = tuple(
        LabelPrediction((name,), {"a": 0.75 if name == "a" else 0.25, "b": 0.25 if name == "a" else 0.75})
        for name in labels
    )
    task = SingleLabel(Labels(("a", "b")))
    fold_N = (0, 0, 0, 0, 0, 1, 1, 1)
    scores = ({"accuracy": 0.4}, {"accuracy": 1 / 3})
    return CrossValidation(task, examples, predictions, fold_N, scores, (Decisions(), Decisions()), ("A note.",), 3.21)


def written(task: Task, prediction: Prediction, example: Example, folder: Path) -> dict[str, str]:
    found = CrossValidation(task, (example,), (prediction,), (0,), ({},), (Decisions(),))
    with found.write_csv(folder / "oof.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    return row


def test_scores_are_the_mean_of_the_folds_and_those_of_all_rows() -> None:
    score = single().scores["accuracy"]

    assert score.mean == pytest.approx((0.4 + 1 / 3) / 2)
    assert score.deviation == pytest.approx((0.4 - 1 / 3) / np.sqrt(2))  # n - 1 = 1
    assert score.pooled == pytest.approx(3 / 8)
    assert score.low is not None and score.high is not None and 0 <= score.low < 3 / 8 < score.high <= 1


def test_a_score_that_one_fold_lacks_is_the_mean_of_the_others() -> None:
    found = single()
    lacking = CrossValidation(
        found.task, found.examples, found.predictions, found.fold_N, ({"accuracy": 0.5}, {}), found.decisions
    )

    assert (lacking.scores["accuracy"].mean, lacking.scores["accuracy"].deviation) == (0.5, 0.0)


def test_probabilities_are_in_the_order_of_rows_and_labels() -> None:
    assert single().probabilities_NC[:3].tolist() == [[0.75, 0.25], [0.25, 0.75], [0.25, 0.75]]


def test_rows_with_one_text_are_drawn_together() -> None:
    found = single()
    equal = tuple(TextExample("same", labels=(name,)) for name in TRUE[:6])
    together = CrossValidation(
        found.task, (*equal, *found.examples[6:]), found.predictions, found.fold_N, found.fold_scores, found.decisions
    )

    assert example_units(together.examples).tolist() == [0] * 6 + [1, 2]


def test_the_view_shows_scores_labels_and_notes() -> None:
    text = repr(single())

    assert "8 rows, each predicted by a model of 2 that has not seen it" in text
    assert "accuracy  0.3667 ± 0.0471" in text
    assert "- A note." in text
    assert "secret" not in text


def test_json_survives_and_holds_no_text() -> None:
    values = single().to_json()

    assert "secret" not in json.dumps(values)
    assert values["fold_rows"] == [5, 3]
    assert values["seconds"] == 3.2


def test_the_file_has_a_row_a_row_with_scores_and_no_text(tmp_path: Path) -> None:
    place = single().write_csv(tmp_path / "m-oof.csv")

    lines = place.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "where,fold,true,predicted,agreement,loss,score:a,score:b"
    assert lines[3] == '"t.csv, row 2",1,a,b,wrong,1.38629,0.250000,0.750000'
    assert len(lines) == 9
    assert "secret" not in "".join(lines)
    assert [path.name for path in tmp_path.iterdir()] == ["m-oof.csv"]


def abstaining() -> CrossValidation:
    """Return answers of two folds, of which the rule of the first leaves one unknown."""
    found = single()
    unsure = LabelPrediction((), found.predictions[0].scores, reason="confidence 0.75 is below 0.8")
    first = [replace(one, reason="") for one in found.predictions[1:5] if isinstance(one, LabelPrediction)]
    return replace(
        found,
        predictions=(unsure, *first, *found.predictions[5:]),
        fold_scores=({"accuracy": 0.25, "coverage": 0.8}, {"accuracy": 1 / 3}),
        decisions=(Decisions(abstention=Abstention(confidence=0.8)), Decisions()),
    )


def test_why_an_answer_is_unknown_has_a_column_of_its_own(tmp_path: Path) -> None:
    lines = abstaining().write_csv(tmp_path / "m-oof.csv").read_text(encoding="utf-8").splitlines()

    assert lines[0] == "where,fold,true,predicted,agreement,loss,reason,score:a,score:b"
    assert lines[1] == ('"t.csv, row 0",1,a,unknown,wrong,0.287682,confidence 0.75 is below 0.8,0.750000,0.250000')
    assert lines[2] == '"t.csv, row 1",1,b,b,right,0.287682,,0.250000,0.750000'
    assert lines[8] == '"t.csv, row 7",2,b,a,wrong,1.38629,,0.750000,0.250000'


def test_a_fold_that_answers_all_its_rows_counts_in_the_coverage() -> None:
    coverage = abstaining().scores["coverage"]

    assert coverage.mean == pytest.approx(0.9)
    assert (coverage.pooled, coverage.high) == (7 / 8, 1.0)


def test_several_labels_are_joined(tmp_path: Path) -> None:
    example = TextExample("secret", labels=("b", "a"), where=WHERE)
    prediction = LabelPrediction((), {"a": 0.2, "b": 0.1})

    row = written(MultiLabel(Labels(("a", "b"))), prediction, example, tmp_path)

    assert (row["true"], row["predicted"], row["agreement"], row["score:a"]) == ("b|a", "", "wrong", "0.200000")


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    row = written(
        Regression("stars", 2.0, 0.5, 1.0, 4.0),
        ValuePrediction(value=2.25, scale=0.5),
        ValueExample("secret", value=2.5, where=WHERE),
        tmp_path,
    )

    assert (row["where"], row["true"], row["predicted"], row["loss"]) == (WHERE, "2.5", "2.25", "0.5")


def test_entities_are_places_and_labels(tmp_path: Path) -> None:
    example = TaggedExample("Anna secret", (Entity(0, 4, "PER"),), where=WHERE)
    prediction = EntitiesPrediction.of([ScoredEntity("secret", "LOC", 5, 11, 0.5)], example)

    row = written(Tagging(Labels(("PER", "LOC"))), prediction, example, tmp_path)

    assert json.loads(row["true"]) == [{"label": "PER", "start": 0, "end": 4}]
    assert json.loads(row["predicted"]) == [{"label": "LOC", "start": 5, "end": 11}]
    assert "secret" not in str(row)


@pytest.mark.parametrize(("start", "end", "said"), [(3, 9, [[3, 9]]), (None, None, [])])
def test_answers_are_places(start: int | None, end: int | None, said: list[list[int]], tmp_path: Path) -> None:
    example = QuestionExample("What?", "a secret", (Answer("secret", 2),), where=WHERE)
    prediction = AnswerPrediction(text="What?", pair="a secret", start=start, end=end)

    row = written(Answering(unanswerable=True), prediction, example, tmp_path)

    assert (json.loads(row["true"]), json.loads(row["predicted"])) == ([[2, 8]], said)
    assert "secret" not in str(row)


def test_a_task_without_labels_has_no_probabilities() -> None:
    task = Regression("stars", 2.0, 0.5, 1.0, 4.0)
    examples: Sequence[ValueExample] = (ValueExample("a", value=1.0),)

    found = CrossValidation(task, tuple(examples), (ValuePrediction(value=1.0),), (0,), ({},), (Decisions(),))

    with pytest.raises(ConfigError, match="The task 'regression' has no probability of each label"):
        _ = found.probabilities_NC


def test_a_folder_that_is_not_there_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"oof.csv: the predictions could not be written \(No such file"):
        single().write_csv(tmp_path / "none" / "oof.csv")

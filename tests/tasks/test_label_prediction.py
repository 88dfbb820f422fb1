"""What a prediction of labels says of itself."""

from __future__ import annotations

import pytest

from fastbert.data.examples import TextExample
from fastbert.tasks.label_prediction import LabelPrediction, labelled, true_labels

ANSWER = LabelPrediction(("praise", "bug"), {"bug": 0.5, "praise": 0.75, "other": 0.1}, text="fine, but slow")


def test_the_order_of_labels_is_no_part_of_the_answer() -> None:
    assert ANSWER.answer == LabelPrediction(("bug", "praise")).answer


def test_cells_are_labels_and_then_each_score() -> None:
    assert ANSWER.cells == ("praise|bug", "0.500000", "0.750000", "0.100000")


def test_people_see_the_decided_labels_with_scores() -> None:
    assert labelled(ANSWER).describe() == "praise 0.75, bug 0.50"


def test_labels_that_are_not_known_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="a.csv, row 2: an example without labels cannot be scored"):
        true_labels(TextExample("a text", where="a.csv, row 2"))


@pytest.mark.parametrize(
    ("labels", "reason", "told"),
    [
        ((), "confidence 0.25", {"unknown": True, "reason": "confidence 0.25"}),
        (("bug",), "below it 0.25", {"unknown": False, "reason": "below it 0.25"}),
        (("bug",), "", {"unknown": False, "reason": ""}),
        (("bug",), None, {}),
    ],
)
def test_json_tells_why_an_answer_is_unknown_where_it_may_be(
    labels: tuple[str, ...], reason: str | None, told: dict[str, object]
) -> None:
    values = LabelPrediction(labels, {"bug": 0.25}, reason=reason).to_json()

    assert values == {"labels": list(labels), "scores": {"bug": 0.25}, **told}

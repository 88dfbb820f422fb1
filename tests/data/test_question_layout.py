"""A layout survives being saved; a damaged one is refused."""

from __future__ import annotations

import json

import pytest

from fastbert.data.question_layout import QuestionLayout
from fastbert.errors import DataError

LAYOUTS = [
    QuestionLayout("squad", "question", "context", "answers", "answer_start", ("Questions: a SQuAD file.",)),
    QuestionLayout("records", "0", "1", None, None),
]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_comes_back_from_json(layout: QuestionLayout) -> None:
    assert QuestionLayout.from_json(json.loads(json.dumps(layout.to_json()))) == layout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", "xml"),
        ("format", None),
        ("question", 3),
        ("context", None),
        ("answer", 1),
        ("start", []),
        ("reasons", 1),
    ],
)
def test_a_damaged_layout_is_refused(name: str, value: object) -> None:
    with pytest.raises(DataError) as caught:
        QuestionLayout.from_json(LAYOUTS[0].to_json() | {name: value})

    assert str(caught.value) == (
        f"The saved layout of questions is damaged at '{name}'.\n  Write it again by training again."
    )

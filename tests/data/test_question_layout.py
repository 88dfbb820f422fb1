"""A layout survives being saved; a damaged one is refused."""

from __future__ import annotations

import json

import pytest

from fastbert.data.header import ExpectedHeader, Header
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


def test_it_stands_for_a_pair_of_texts_without_a_group() -> None:
    layout = LAYOUTS[0]

    assert (layout.task, layout.text_columns, layout.group) == ("answering", ("question", "context"), None)


@pytest.mark.parametrize(
    ("layout", "given", "header"),
    [
        (LAYOUTS[0], None, ExpectedHeader(("question", "context"))),
        (LAYOUTS[0], False, False),
        (LAYOUTS[0], True, True),
        (LAYOUTS[1], None, False),
    ],
)
def test_another_table_has_a_header_by_the_names(layout: QuestionLayout, given: bool | None, header: Header) -> None:
    assert layout.header_of_another(given) == header

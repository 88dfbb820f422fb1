"""The layout of tagged text as a value that is saved and loaded."""

from __future__ import annotations

import json

import pytest

from fastbert.data.tagging_layout import TaggingLayout
from fastbert.errors import DataError

LAYOUT = TaggingLayout("conll", "0", "-1", None, "IOB2", ("Tags: IOB2.",))


def test_a_layout_survives_json() -> None:
    assert TaggingLayout.from_json(json.loads(json.dumps(LAYOUT.to_json()))) == LAYOUT


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "xml"}, "The layout has format 'xml'; expected one of conll, parallel, spans, brat, token_table."),
        ({"format": ["conll"]}, "The layout has format \"['conll']\"; expected one of"),
        ({"scheme": 3}, "The layout has scheme '3'; expected a text or null."),
        ({"named": "yes"}, "The layout has named 'yes'; expected true or false."),
        ({"reasons": "x"}, "The layout has reasons 'x'; expected a list of texts."),
    ],
)
def test_a_damaged_layout_is_an_error(change: dict[str, object], message: str) -> None:
    with pytest.raises(DataError) as caught:
        TaggingLayout.from_json({**LAYOUT.to_json(), **change})

    assert str(caught.value).startswith(message)

"""The answer of a tagging model: what it compares by, and how it is written."""

from __future__ import annotations

import json

from fastbert.data.examples import Entity, TextExample
from fastbert.tasks.entities_prediction import EntitiesPrediction, ScoredEntity, entities_in

TEXT = "Zoë flies to Neustadt"
ZOE = ScoredEntity("Zoë", "person", 0, 3, 0.9)
TOWN = ScoredEntity("Neustadt", "city", 13, 21, 0.8)
FOUND = EntitiesPrediction.of([ZOE, TOWN], TextExample(TEXT))


def test_labels_and_their_best_scores() -> None:
    weaker = ScoredEntity("Neustadt", "person", 13, 21, 0.2)

    assert (FOUND.labels, dict(FOUND.scores)) == (("person", "city"), {"person": 0.9, "city": 0.8})
    assert dict(EntitiesPrediction.of([ZOE, weaker], TextExample(TEXT)).scores) == {"person": 0.9}


def test_answers_agree_whatever_their_scores() -> None:
    other = EntitiesPrediction.of([ScoredEntity("Zoë", "person", 0, 3, 0.5), TOWN], TextExample(TEXT))

    assert FOUND.answer == other.answer
    assert FOUND.answer != EntitiesPrediction.of([ZOE], TextExample(TEXT)).answer
    assert FOUND.numbers == {Entity(0, 3, "person"): 0.9, Entity(13, 21, "city"): 0.8}
    assert entities_in(FOUND) == (Entity(0, 3, "person"), Entity(13, 21, "city"))


def test_a_cell_is_json_that_keeps_letters() -> None:
    (cell,) = FOUND.cells

    assert json.loads(cell)[0] == {"text": "Zoë", "label": "person", "start": 0, "end": 3, "score": 0.9}
    assert "Zoë" in cell


def test_words_and_json() -> None:
    cut = EntitiesPrediction.of([], TextExample(TEXT), cut=True)

    assert FOUND.describe() == "Zoë (person 0.90), Neustadt (city 0.80)"
    assert cut.describe() == "(none)"
    assert cut.to_json() == {"entities": [], "cut": True}

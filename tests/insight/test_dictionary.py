"""The dictionary baseline on texts small enough to decide by hand."""

from __future__ import annotations

from fastbert.data.examples import Entity, TaggedExample
from fastbert.insight.dictionary import Dictionary
from fastbert.tasks.entities_prediction import entities_in


def tagged(text: str, *found: tuple[str, str]) -> TaggedExample:
    entities = [Entity(text.index(words), text.index(words) + len(words), label) for words, label in found]
    return TaggedExample(text, tuple(entities))


TRAIN = [
    tagged("in New York and York", ("New York", "city")),
    tagged("Anna saw York", ("Anna", "name"), ("York", "city")),
    tagged("may Anna come in May", ("Anna", "name"), ("May", "month")),
    tagged("in Paris with Paris", ("Paris", "city")),
    tagged("come in, in", ("come", "verb")),
]


def answer(text: str) -> list[tuple[str, str]]:
    example = TaggedExample(text)
    (prediction,) = Dictionary.of(TRAIN)([example])
    return [(text[entity.start : entity.end], entity.label) for entity in entities_in(prediction)]


def test_the_longest_match_from_the_left_wins() -> None:
    assert answer("to New York, Anna") == [("New York", "city"), ("Anna", "name")]


def test_words_that_were_no_entity_in_most_places_are_left_out() -> None:
    # York: an entity once of three times, as a part of New York it was not one of its own
    assert answer("York") == []


def test_half_of_the_places_is_enough() -> None:
    assert answer("Paris and come") == [("Paris", "city"), ("come", "verb")]


def test_case_counts() -> None:
    assert answer("may May") == [("May", "month")]


def test_a_score_is_the_share_of_the_places() -> None:
    (prediction,) = Dictionary.of(TRAIN)([TaggedExample("Paris")])

    assert prediction.scores == {"city": 0.5}


def test_without_entities_there_are_no_answers() -> None:
    assert Dictionary.of([TaggedExample("nothing", ())])([TaggedExample("nothing")])[0].answer == ()

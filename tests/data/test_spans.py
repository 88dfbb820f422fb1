"""Spans as entities: trimmed, none overlapping another, and nothing lost without a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.examples import Entity, TaggedExample
from fastbert.data.spans import RawSpan, SpanRecord, clean_entities
from fastbert.data.tagging_notes import ReadOptions
from fastbert.errors import DataError
from fastbert.labels import Labels
from tests.data.tagged import notes

TEXT = "The  New York Times."


def cleaned(*spans: tuple[int, int, str], text: str = TEXT) -> tuple[list[Entity], list[str]]:
    """Return the entities of a record and what is said about it."""
    noted = notes(unit="row", name="a.jsonl")
    record = SpanRecord(3, text, tuple(RawSpan(*span) for span in spans), "row 3")
    entities = clean_entities(record, noted)
    return list(entities or ()), list(noted.report([TaggedExample(text, (Entity(0, 1, "X"),))]).warnings)


def test_entities_are_sorted() -> None:
    assert cleaned((14, 19, "B"), (5, 8, "A")) == ([Entity(5, 8, "A"), Entity(14, 19, "B")], [])


def test_white_space_around_an_entity_is_cut_off_and_counted() -> None:
    assert cleaned((3, 9, "A")) == (
        [Entity(5, 8, "A")],
        ["a.jsonl: white space around an entity is cut off, once (row 3 'A' 3-9)."],
    )


def test_an_entity_of_white_space_is_left_out_and_counted() -> None:
    assert cleaned((3, 5, "A")) == (
        [],
        ["a.jsonl: an entity that covers only white space is left out, once (row 3 'A' 3-5)."],
    )


@pytest.mark.parametrize(
    ("spans", "kept"),
    [
        ([(5, 13, "A"), (5, 19, "B")], (5, 19, "B")),
        ([(5, 13, "A"), (9, 19, "B")], (9, 19, "B")),
        ([(5, 13, "A"), (5, 13, "B")], (5, 13, "A")),
        ([(9, 13, "B"), (5, 9, "A"), (6, 10, "C")], (6, 10, "C")),
    ],
)
def test_the_longest_of_overlapping_entities_is_kept(
    spans: list[tuple[int, int, str]], kept: tuple[int, int, str]
) -> None:
    assert cleaned(*spans)[0][0] == Entity(*kept)


def test_entities_that_are_left_out_are_listed_with_place_and_label() -> None:
    assert cleaned((5, 13, "A"), (5, 19, "B"), (14, 19, "C"))[1] == [
        "a.jsonl: an entity that overlaps a longer one, or an earlier one of its length, is left out,"
        " 2 times (row 3 'A' 5-13; row 3 'C' 14-19)."
    ]


def test_an_entity_that_is_listed_twice_counts_once() -> None:
    assert cleaned((5, 13, "A"), (5, 13, "A")) == (
        [Entity(5, 13, "A")],
        ["a.jsonl: an entity that is listed twice counts once, once (row 3 'A' 5-13)."],
    )


def test_a_record_without_spans_is_to_be_predicted() -> None:
    assert clean_entities(SpanRecord(1, "a", None, "row 1"), notes()) is None


def test_an_unknown_label_is_an_error_with_the_closest_one() -> None:
    noted = notes(unit="row", name="a.jsonl", options=ReadOptions(Labels(("LOC", "PERSON"))))
    clean_entities(SpanRecord(3, "abc", (RawSpan(0, 1, "PERSN"),), "row 3"), noted)

    with pytest.raises(DataError, match=r"(?s)a.jsonl, row 3: label 'PERSN' is not one.*Did you mean 'PERSON'\?"):
        noted.report([])


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(1, 20), st.sampled_from("AB")), max_size=12))
def test_every_entity_is_kept_or_overlaps_one_that_is_kept(drawn: list[tuple[int, int, str]]) -> None:
    spans = [(start, min(20, start + length), label) for start, length, label in drawn]

    kept, _ = cleaned(*spans, text="x" * 20)

    assert all(one.end <= other.start for one, other in zip(kept, kept[1:], strict=False))
    assert all(any(start < one.end and one.start < end for one in kept) for start, end, _ in spans)
    assert {(one.start, one.end, one.label) for one in kept} <= set(spans)

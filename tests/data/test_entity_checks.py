"""Sentences about entities: those no answer can equal, rare and absent labels; places and no text."""

from __future__ import annotations

from collections.abc import Sequence

from fastbert.data.entity_checks import entity_warnings
from fastbert.data.examples import Entity, Range, TaggedExample
from fastbert.data.units import find_units
from fastbert.labels import Labels

LABELS = Labels(("city", "day"))
TEXT = "fly to Neustadt on Monday"
ENOUGH = [TaggedExample(TEXT, (Entity(7, 15, "city"), Entity(19, 25, "day")), where="t, row 1")] * 10


def units_of(example: TaggedExample) -> Sequence[Range]:
    return find_units(example.text)


def test_nothing_is_said_of_entities_that_fit() -> None:
    assert entity_warnings({"train": ENOUGH, "valid": ENOUGH}, LABELS, units_of) == []


def test_entities_within_words_are_counted_and_listed() -> None:
    torn = TaggedExample(TEXT, (Entity(7, 10, "city"), Entity(10, 15, "city")), where="t, row 2")

    found = entity_warnings({"train": [*ENOUGH, torn]}, LABELS, units_of)

    assert [sentence.partition(". ")[0] for sentence in found] == [
        "1 of 22 entities in train begin or end within a word (t, row 2, characters 7-10)",
        "1 of 22 entities in train hold no word of their own (t, row 2, characters 10-15) and cannot be learned: "
        "they are blank, or within a word of another entity.",
    ]
    assert not any("Neu" in sentence for sentence in found)


def test_many_places_are_cut_short() -> None:
    torn = [TaggedExample(TEXT, (Entity(7, 10, "city"),), where=f"row {row}") for row in range(5)]

    assert "row 2, characters 7-10; and 2 more)" in entity_warnings({"train": [*ENOUGH, *torn]}, LABELS, units_of)[0]


def test_rare_and_absent_labels_are_named() -> None:
    few = [TaggedExample(TEXT, (Entity(7, 15, "city"),))] * 10
    one_day = [TaggedExample(TEXT, (Entity(19, 25, "day"),))]

    rare, absent = entity_warnings({"train": [*few, *one_day], "valid": few}, LABELS, units_of)

    assert rare.startswith("1 of 2 labels have fewer than 10 entities in train: 'day' (1). ")
    assert absent.startswith("valid has no entity of 1 of 2 labels ('day')")

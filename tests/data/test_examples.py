"""Examples are plain values, one class for each kind of answer."""

from __future__ import annotations

import dataclasses

import pytest

from fastbert.data.examples import Entity, QuestionExample, TaggedExample, TextExample


def test_labels_that_are_not_known_differ_from_no_labels() -> None:
    assert TextExample("good") != TextExample("good", labels=())


def test_an_example_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TextExample("good").text = "bad"  # type: ignore[misc]


def test_equal_examples_are_one_in_a_set() -> None:
    assert len({TextExample("good", labels=("praise",)), TextExample("good", labels=("praise",))}) == 1


def test_a_text_without_entities_differs_from_one_that_is_to_be_tagged() -> None:
    assert TaggedExample("Berlin", ()) != TaggedExample("Berlin")


def test_equal_entities_are_one_in_a_set() -> None:
    assert len({Entity(0, 6, "place"), Entity(0, 6, "place")}) == 1


def test_a_question_without_an_answer_differs_from_one_that_is_to_be_answered() -> None:
    assert QuestionExample("Who?", "Nobody came.", ()) != QuestionExample("Who?", "Nobody came.")

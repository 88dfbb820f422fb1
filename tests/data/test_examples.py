"""The example of text classification is a plain value."""

from __future__ import annotations

import dataclasses

import pytest

from fastbert.data.examples import TextExample


def test_labels_that_are_not_known_differ_from_no_labels() -> None:
    assert TextExample("good") != TextExample("good", labels=())


def test_an_example_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TextExample("good").text = "bad"  # type: ignore[misc]


def test_equal_examples_are_one_in_a_set() -> None:
    assert len({TextExample("good", labels=("praise",)), TextExample("good", labels=("praise",))}) == 1

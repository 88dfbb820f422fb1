"""Names to ids and back, the order of names, and the texts of errors."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.errors import DataError
from fastbert.labels import Labels

names = st.lists(st.text(min_size=1).filter(lambda name: name.strip()), unique=True, max_size=20)


@given(names)
def test_every_name_has_its_position_as_id(listed: list[str]) -> None:
    labels = Labels(tuple(listed))

    assert [labels.id_of(name) for name in labels] == list(range(len(labels)))
    assert [labels.name_of(index) for index in range(len(labels))] == listed


@given(names, st.randoms())
def test_the_order_of_found_names_does_not_depend_on_the_rows(listed: list[str], chance: random.Random) -> None:
    shuffled = chance.sample(listed * 2, 2 * len(listed))

    assert Labels.from_values(shuffled) == Labels.from_values(listed)


def test_numbers_are_sorted_by_value_and_stand_before_words() -> None:
    assert Labels.from_values(["b", "10", "-1", "9.5", "a", "1"]).names == ("-1", "1", "9.5", "10", "a", "b")


def test_nan_and_inf_are_sorted_as_words() -> None:
    """As floats they compared with nothing, so their place came from the order of a set."""
    assert Labels.from_values(["nan", "2", "inf", "1", "apple", "-inf"]).names == (
        *("1", "2"),
        *("-inf", "apple", "inf", "nan"),
    )


@pytest.mark.parametrize(("name", "known"), [("bug", True), ("Bug", False), (0, False), (None, False)])
def test_membership_asks_for_the_exact_name(name: object, known: bool) -> None:
    assert (name in Labels(("bug", "praise"))) is known


def test_an_unknown_label_is_reported_with_place_choice_and_closest_name() -> None:
    with pytest.raises(DataError) as caught:
        Labels(("negative", "neutral", "positive")).id_of("postive", where="train.csv, row 418")

    assert str(caught.value) == (
        "train.csv, row 418: label 'postive' is not one of the 3 labels (negative, neutral, positive).\n"
        "  Did you mean 'positive'?"
    )


def test_only_twenty_labels_are_shown() -> None:
    with pytest.raises(DataError) as caught:
        Labels(tuple(f"label {number:02}" for number in range(21))).id_of("zebra")

    assert "label 19, ...)" in caught.value.message
    assert caught.value.hint is None


def test_a_label_twice_is_refused() -> None:
    with pytest.raises(DataError, match="Label 'bug' is listed twice"):
        Labels(("bug", "praise", "bug"))


@pytest.mark.parametrize("name", ["", "  ", "\t"])
def test_an_empty_name_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="A label name is empty"):
        Labels(("bug", name))

"""Features in flat arrays; the windows of a split by example, with what each example costs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.config import Truncation
from fastbert.data.examples import TextExample
from fastbert.data.features import EncodedRows, Feature, Features
from fastbert.data.tokens import Tokenizer
from fastbert.labels import Labels
from fastbert.tasks.classification import SingleLabel
from tests.helpers import word_tokenizer


def features_of(lengths: list[list[int]]) -> list[Feature]:
    """Make windows of these lengths for each example; the ids are all 7."""
    return [
        Feature(
            example, window, len(sizes), np.full(size, 7, np.int32), np.zeros(size, np.int32), (), 100 + example, None
        )
        for example, sizes in enumerate(lengths)
        for window, size in enumerate(sizes)
    ]


lengths = st.lists(st.lists(st.integers(2, 9), min_size=1, max_size=4), max_size=9)


@given(lengths, st.integers(0, 99))
def test_windows_come_in_the_order_of_the_rows_asked_for(sizes: list[list[int]], seed: int) -> None:
    rows = np.random.default_rng(seed).permutation(len(sizes))

    found = EncodedRows.of(features_of(sizes), len(sizes)).windows_of(rows)

    assert [len(feature.input_ids_L) for feature in found] == [size for row in rows for size in sizes[row]]
    assert [feature.example for feature in found] == [row for row in rows for _ in sizes[row]]


@given(lengths)
def test_a_row_costs_its_longest_window_times_their_number(sizes: list[list[int]]) -> None:
    costs = EncodedRows.of(features_of(sizes), len(sizes)).costs

    assert costs.longest_N.tolist() == [max(row) for row in sizes]
    assert costs.windows_N.tolist() == [len(row) for row in sizes]


@pytest.mark.parametrize(("sizes", "starts"), [([], [0]), ([[3]], [0, 1]), ([[3, 3], [2], [4, 4, 4]], [0, 2, 3, 6])])
def test_starts_mark_the_windows_of_each_row(sizes: list[list[int]], starts: list[int]) -> None:
    encoded = EncodedRows.of(features_of(sizes), len(sizes))

    assert list(encoded.starts) == starts
    assert len(encoded) == len(sizes)


def test_the_full_length_counts_what_was_cut() -> None:
    encoded = EncodedRows.of(features_of([[3, 3], [2]]), 2)

    assert encoded.num_tokens_N.tolist() == [100, 101]


# --- features in flat arrays ------------------------------------------------------------------------


def encoded_features(truncation: Truncation = "windows", labels: tuple[str, ...] | None = ("bug",)) -> Features:
    """Return the features of three texts, the second in several windows."""
    texts = ["the app works", "the app page button export login price bill invoice crash", "not good"]
    task = SingleLabel(Labels(("bug", "praise")), truncation)
    tokenizer = Tokenizer(word_tokenizer(), pad_id=0, max_tokens=64, input_names=["input_ids"])
    return task.encode([TextExample(text, labels=labels) for text in texts], tokenizer, 8, first_index=5)


def test_a_feature_is_made_when_it_is_asked_for() -> None:
    features = encoded_features()

    assert [(one.example, one.window, one.num_windows) for one in features] == [
        (5, 0, 1), (6, 0, 2), (6, 1, 2), (7, 0, 1)
    ]  # fmt: skip
    assert [len(one.input_ids_L) for one in features] == features.length_W.tolist() == [5, 8, 8, 4]
    assert [one.num_tokens for one in features] == [5, 12, 12, 4]
    assert {str(array.dtype) for one in features for array in (one.input_ids_L, one.token_type_ids_L)} == {"int32"}
    assert features[-1].example == 7
    with pytest.raises(IndexError):
        features[4]


def test_packing_features_again_gives_the_same_features() -> None:
    features = encoded_features()

    again = Features.of(list(features))

    assert again.windows.ids_T.tolist() == features.windows.ids_T.tolist()
    assert again.windows.table_W.tolist() == features.windows.table_W.tolist()
    assert [list(one.pieces) for one in again] == [list(one.pieces) for one in features]
    assert [one.target for one in again] == [one.target for one in features]


def test_packed_features_are_not_packed_again() -> None:
    features = encoded_features()

    assert Features.of(features) is features


def test_nothing_can_be_packed() -> None:
    assert len(Features.of([])) == 0


def test_a_slice_is_packed_too() -> None:
    features = encoded_features()[1:3]

    assert isinstance(features, Features)
    assert [(one.example, one.window) for one in features] == [(6, 0), (6, 1)]


def test_pieces_are_looked_up_when_they_are_read() -> None:
    asked: list[tuple[int, int]] = []

    def find(example: int, window: int) -> list[tuple[int, int]]:
        asked.append((example, window))
        return [(0, 3), (7, 9)]

    features = dataclasses.replace(encoded_features(), find_pieces=find)
    feature = features[2]
    assert asked == []

    assert (list(feature.pieces), feature.pieces[-1], len(feature.pieces)) == ([(0, 3), (7, 9)], (7, 9), 2)
    assert asked == [(6, 1)]


def test_pieces_are_those_of_the_window() -> None:
    text = "the app page button export login price bill invoice crash"

    held = [[text[start:end] for start, end in one.pieces] for one in encoded_features()]

    assert held[1:3] == [["the app page button export login"], ["export login price bill invoice crash"]]


@pytest.mark.parametrize("labels", [None, ("praise",)])
def test_targets_are_known_for_all_windows_or_for_none(labels: tuple[str, ...] | None) -> None:
    targets = [one.target for one in encoded_features(labels=labels)]

    assert targets == ([None] * 4 if labels is None else [1] * 4)


def test_merged_windows_are_numbered_by_first_appearance() -> None:
    features = encoded_features().select(np.array([3, 1, 0, 2]))

    assert features.merged == ([0, 1, 2], [0, 1, 2, 1])


@given(lengths.filter(bool), st.integers(0, 99))
def test_columns_stay_with_their_tokens(sizes: list[list[int]], seed: int) -> None:
    made = [
        dataclasses.replace(one, columns={"place": np.arange(len(one.input_ids_L)) + 10 * number})
        for number, one in enumerate(features_of(sizes))
    ]
    order = np.random.default_rng(seed).permutation(len(made))

    chosen = Features.of(made).select(order)

    expected = [made[index].columns["place"].tolist() for index in order]
    assert [one.columns["place"].tolist() for one in chosen] == expected
    longest = max(map(len, expected))
    assert chosen.padded("place", -1).tolist() == [row + [-1] * (longest - len(row)) for row in expected]

"""Folds: every row once, what belongs together together, labels in proportion, the same every time."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbert.data.folds import fold_indices
from fastbert.errors import ConfigError, DataError

ROWS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 30)), min_size=40, max_size=120)


def counts_by_fold(fold_N: np.ndarray[tuple[int], np.dtype[np.int64]], labels: list[str]) -> list[Counter[str]]:
    """Count the labels of the rows of each fold."""
    return [
        Counter(label for label, fold in zip(labels, fold_N, strict=True) if fold == place)
        for place in range(int(fold_N.max()) + 1)
    ]


def test_every_class_is_dealt_out_evenly() -> None:
    labels = ["a"] * 53 + ["b"] * 11 + ["c"] * 5

    folds = counts_by_fold(fold_indices([(label,) for label in labels], folds=5, seed=0), labels)

    assert [fold["c"] for fold in folds] == [1] * 5
    assert sorted(fold["b"] for fold in folds) == [2, 2, 2, 2, 3]
    assert sorted(fold["a"] for fold in folds) == [10, 10, 11, 11, 11]
    assert {fold.total() for fold in folds} == {13, 14}


def test_several_labels_a_row_are_dealt_out_in_proportion() -> None:
    rng = np.random.default_rng(0)
    cells_NC = rng.random((400, 6)) < [0.4, 0.3, 0.2, 0.1, 0.05, 0.03]

    fold_N = fold_indices(cells_NC, folds=4, seed=1)

    held_FC = np.array([cells_NC[fold_N == fold].sum(axis=0) for fold in range(4)])
    assert np.abs(held_FC - cells_NC.sum(axis=0) / 4).max() <= 2
    assert np.abs(np.bincount(fold_N) - 100).max() <= 6


@given(rows=ROWS, seed=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_equal_texts_and_groups_are_never_divided(rows: list[tuple[str, int]], seed: int) -> None:
    targets = [(label,) for label, _ in rows]
    groups = [f"group {number % 11}" for _, number in rows]
    keys = [f"text  {number}" for _, number in rows]
    if len(set(groups)) < 3:
        return

    by_text = fold_indices(targets, folds=3, seed=seed, keys=keys) if len(set(keys)) >= 3 else None
    by_group = fold_indices(targets, folds=3, seed=seed, keys=keys, groups=groups, method="grouped")

    assert by_text is None or len(set(zip(keys, by_text.tolist(), strict=True))) == len(set(keys))
    assert len(set(zip(groups, by_group.tolist(), strict=True))) == len(set(groups))
    assert set(by_group.tolist()) == {0, 1, 2}


def test_groups_are_spread_over_folds_of_equal_size_and_labels() -> None:
    groups = [f"g{index // 5}" for index in range(200)]
    labels = ["rare" if index // 5 % 8 == 0 else "usual" for index in range(200)]

    fold_N = fold_indices([(label,) for label in labels], folds=4, seed=0, groups=groups, method="grouped")

    folds = counts_by_fold(fold_N, labels)
    assert [fold.total() for fold in folds] == [50] * 4
    assert sorted(fold["rare"] for fold in folds) == [5, 5, 5, 10]


def test_the_same_seed_makes_the_same_folds_and_another_others() -> None:
    targets = [("a",), ("b",)] * 20

    first, again, other = (fold_indices(targets, folds=5, seed=seed).tolist() for seed in (3, 3, 4))

    assert first == again != other


def test_a_label_of_two_rows_is_in_two_folds() -> None:
    targets = [("a", "b"), ("a", "b"), *[("a",)] * 30]

    for seed in range(10):
        fold_N = fold_indices(targets, folds=3, seed=seed)
        assert fold_N[0] != fold_N[1]


def test_the_fold_by_hash_stays_when_rows_come_and_go() -> None:
    keys = [f"text {index}" for index in range(60)]
    whole = fold_indices([("a",)] * 60, folds=3, seed=0, keys=keys, method="hash")
    part = fold_indices([("a",)] * 40, folds=3, seed=0, keys=keys[20:], method="hash")

    assert part.tolist() == whole[20:].tolist()


def test_rows_without_a_label_are_dealt_out_like_a_label() -> None:
    fold_N = fold_indices([("a",), ()] * 25, folds=5, seed=0)

    assert np.bincount(fold_N[1::2]).tolist() == [5] * 5


@pytest.mark.parametrize("folds", [1, 0, -2, 101, 2.5, True])
def test_a_number_of_folds_that_cannot_be_is_refused(folds: int) -> None:
    with pytest.raises(ConfigError, match="must be a whole number from 2 to 100"):
        fold_indices([("a",)] * 9, folds=folds, seed=0)


def test_more_folds_than_groups_are_refused() -> None:
    with pytest.raises(DataError, match="The 9 rows cannot be divided into 4 folds: there are 3 different groups") as e:
        fold_indices([("a",)] * 9, folds=4, seed=0, groups=list("aaabbbccc"), method="grouped")

    assert e.value.hint == "Use at most 3 folds."


def test_an_empty_fold_by_hash_is_refused() -> None:
    with pytest.raises(DataError, match="Dividing 3 rows into 50 folds leaves 4[7-9] of them empty"):
        fold_indices([("a",)] * 3, folds=50, seed=0, keys=["x", "y", "z"], method="hash")

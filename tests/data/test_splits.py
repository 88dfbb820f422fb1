"""Splits: proportions, groups, equal texts, stability, and the messages for what cannot be split."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fastbert.data.examples import TextExample
from fastbert.data.splits import SplitMethod, example_units, hash_share, split_indices, text_key
from fastbert.errors import ConfigError, DataError

LabelRows = Sequence[tuple[str, ...] | None]


def held_labels(rows: LabelRows, held_out: list[int]) -> Counter[str]:
    return Counter(name for index in held_out for name in rows[index] or ())


def random_targets(num_rows: int, num_labels: int, seed: int = 0) -> NDArray[np.bool_]:
    rng = np.random.default_rng(seed)
    return rng.random((num_rows, num_labels)) < np.geomspace(0.002, 0.4, num_labels)


# --- all methods ------------------------------------------------------------------------------------

rows_with_texts = st.lists(
    st.tuples(
        st.sampled_from(["", "a", "a b", "a  b", "é", "e\u0301", "c", "d", "f", "g"]),
        st.one_of(st.none(), st.lists(st.sampled_from("xyz"), max_size=3).map(tuple)),
        st.one_of(st.none(), st.sampled_from("123456")),
    ),
    min_size=2,
    max_size=40,
)


@given(rows=rows_with_texts, share=st.floats(0.05, 0.95), method=st.sampled_from(["stratified", "grouped"]))
def test_every_row_is_on_one_side_with_its_group_and_its_equals(
    rows: list[tuple[str, tuple[str, ...] | None, str | None]], share: float, method: SplitMethod
) -> None:
    keys, labels, groups = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
    used_groups = groups if method == "grouped" else None
    try:
        train, held_out = split_indices(labels, share=share, seed=3, method=method, groups=used_groups, keys=keys)
    except DataError as error:
        assert "same text or belong to one group" in str(error)  # the only allowed refusal
        return

    assert sorted(train + held_out) == list(range(len(rows)))
    assert train == sorted(train) and held_out == sorted(held_out)
    assert train and held_out
    assert not {text_key(keys[i]) for i in train} & {text_key(keys[i]) for i in held_out}
    if used_groups is not None:
        assert not {groups[i] for i in train if groups[i]} & {groups[i] for i in held_out if groups[i]}


@pytest.mark.parametrize("method", ["stratified", "grouped", "hash"])
def test_the_same_inputs_and_seed_give_the_same_split(method: SplitMethod) -> None:
    targets = random_targets(300, 6)
    keys = [f"text {index}" for index in range(300)]
    groups = [str(index // 3) for index in range(300)] if method == "grouped" else None

    first = split_indices(targets, share=0.2, seed=7, method=method, groups=groups, keys=keys)
    second = split_indices(targets, share=0.2, seed=7, method=method, groups=groups, keys=keys)
    other = split_indices(targets, share=0.2, seed=8, method=method, groups=groups, keys=keys)

    assert first == second
    assert first != other


def test_names_and_matrix_give_the_same_split() -> None:
    targets = random_targets(200, 4)
    names: LabelRows = [tuple("abcd"[label] for label in np.flatnonzero(row)) for row in targets]

    assert split_indices(targets, share=0.3, seed=1) == split_indices(names, share=0.3, seed=1)


# --- stratified, one label a row --------------------------------------------------------------------


def test_each_class_is_divided_in_proportion() -> None:
    rows: LabelRows = [("a",)] * 100 + [("b",)] * 50 + [("c",)] * 10

    train, held_out = split_indices(rows, share=0.2, seed=0)

    assert held_labels(rows, held_out) == {"a": 20, "b": 10, "c": 2}
    assert len(train) == 128


def test_largest_remainders_fill_the_share() -> None:
    """Ideal 1.75, 1.75, 1.5 of 20 rows at 0.25: floors 1, 1, 1; two of the five rows are left, so a and b."""
    rows: LabelRows = [("a",)] * 7 + [("b",)] * 7 + [("c",)] * 6

    _, held_out = split_indices(rows, share=0.25, seed=0)

    assert held_labels(rows, held_out) == {"a": 2, "b": 2, "c": 1}


def test_a_class_of_five_rows_has_one_held_out() -> None:
    rows: LabelRows = [("common",)] * 200 + [("rare",)] * 5

    _, held_out = split_indices(rows, share=0.05, seed=0)

    assert held_labels(rows, held_out) == {"common": 9, "rare": 1}


def test_the_share_wins_over_one_row_of_each_class() -> None:
    rows: LabelRows = [(f"class {index % 20}",) for index in range(100)]

    _, held_out = split_indices(rows, share=0.1, seed=0)

    assert len(held_out) == 10


@given(sizes=st.lists(st.integers(1, 12), min_size=2, max_size=8), share=st.floats(0.05, 0.95))
def test_every_class_keeps_a_row_in_training(sizes: list[int], share: float) -> None:
    rows: LabelRows = [(str(name),) for name, size in enumerate(sizes) for _ in range(size)]

    train, _ = split_indices(rows, share=share, seed=0)

    # held-out may not be empty either: where every class has one row, one class must give it
    lost = set(rows) - {rows[index] for index in train}
    assert len(lost) <= (1 if max(sizes) == 1 else 0)


def test_rows_without_label_are_spread_too() -> None:
    rows: LabelRows = [("a",)] * 50 + [()] * 30 + [None] * 20

    _, held_out = split_indices(rows, share=0.2, seed=0)

    assert sum(index >= 50 for index in held_out) == 10


def test_a_class_of_large_duplicates_is_still_held_out() -> None:
    rows: LabelRows = [("a",)] * 90 + [("b",)] * 10
    keys = [f"text {index}" for index in range(90)] + ["one"] * 5 + ["two"] * 5

    _, held_out = split_indices(rows, share=0.1, seed=0, keys=keys)

    assert held_labels(rows, held_out)["b"] == 5


def test_a_class_of_one_text_stays_in_training() -> None:
    rows: LabelRows = [("a",)] * 90 + [("b",)] * 10
    keys = [f"text {index}" for index in range(90)] + ["one"] * 10

    _, held_out = split_indices(rows, share=0.1, seed=0, keys=keys)

    assert held_labels(rows, held_out) == {"a": 9}


def test_equal_texts_with_different_labels_stay_together() -> None:
    rows: LabelRows = [("a",), ("b",)] * 50
    keys = [f"text {index // 2}" for index in range(100)]

    _, held_out = split_indices(rows, share=0.2, seed=0, keys=keys)

    assert held_labels(rows, held_out) == {"a": 10, "b": 10}


# --- stratified, several labels a row ---------------------------------------------------------------


def test_rare_labels_are_divided_in_proportion() -> None:
    targets = random_targets(4000, 12)

    _, held_out = split_indices(targets, share=0.25, seed=0)

    wanted = targets.sum(axis=0) * 0.25
    assert np.abs(targets[held_out].sum(axis=0) - wanted).max() <= 2
    assert len(held_out) == pytest.approx(1000, abs=15)


def test_iterative_stratification_is_closer_than_a_random_split() -> None:
    targets = random_targets(2000, 12, seed=5)
    _, held_out = split_indices(targets, share=0.1, seed=0)
    by_chance = np.random.default_rng(0).permutation(2000)[:200]

    wanted = targets.sum(axis=0) * 0.1

    ours = np.abs(targets[held_out].sum(axis=0) - wanted).sum()
    assert ours < 0.25 * np.abs(targets[by_chance].sum(axis=0) - wanted).sum()


def test_multi_label_rows_without_label_are_spread_too() -> None:
    targets = random_targets(1000, 3, seed=2)
    clean = np.flatnonzero(~targets.any(axis=1))

    _, held_out = split_indices(targets, share=0.2, seed=0)

    assert np.isin(held_out, clean).sum() == pytest.approx(len(clean) * 0.2, abs=2)


@settings(max_examples=50)
@given(
    rows=st.lists(st.sets(st.sampled_from("abcdef")).map(sorted), min_size=3, max_size=30),
    seed=st.integers(0, 9),
)
def test_every_label_of_two_rows_is_in_training(rows: list[list[str]], seed: int) -> None:
    labels: LabelRows = [tuple(row) for row in rows]

    train, _ = split_indices(labels, share=0.5, seed=seed)

    trained = {name for index in train for name in labels[index] or ()}
    counts = held_labels(labels, list(range(len(labels))))
    assert {name for name, count in counts.items() if count >= 2} <= trained


def test_fifty_thousand_rows_and_28_labels_take_less_than_five_seconds() -> None:
    targets = random_targets(50_000, 28)
    keys = [f"text {index % 49_000}" for index in range(50_000)]

    start = time.process_time()
    split_indices(targets, share=0.1, seed=0, keys=keys)

    assert time.process_time() - start < 5  # 0.3 s when written


# --- grouped ----------------------------------------------------------------------------------------


def test_groups_keep_label_shares_as_far_as_they_can() -> None:
    rng = np.random.default_rng(0)
    groups = [f"customer {index}" for index in np.sort(rng.integers(0, 200, size=2000))]
    rows: LabelRows = [("rare" if chance < 0.1 else "common",) for chance in rng.random(2000)]

    _, held_out = split_indices(rows, share=0.2, seed=0, method="grouped", groups=groups)

    total = held_labels(rows, list(range(2000)))
    held = held_labels(rows, held_out)
    assert held["rare"] / total["rare"] == pytest.approx(0.2, abs=0.02)
    assert held["common"] / total["common"] == pytest.approx(0.2, abs=0.02)


def test_a_group_larger_than_the_share_stays_in_training() -> None:
    groups = ["large"] * 80 + [f"small {index}" for index in range(20)]

    _, held_out = split_indices([("a",)] * 100, share=0.1, seed=0, method="grouped", groups=groups)

    assert len(held_out) == 10
    assert min(held_out) >= 80


def test_equal_texts_join_their_groups() -> None:
    groups = ["one", "one", "two", "two", "three", "four"]
    keys = ["a", "same", "same", "b", "c", "d"]

    train, held_out = split_indices([("x",)] * 6, share=0.3, seed=0, method="grouped", groups=groups, keys=keys)

    assert train == [0, 1, 2, 3]
    assert held_out == [4, 5]


# --- hash -------------------------------------------------------------------------------------------


@given(order=st.permutations(range(60)), kept=st.integers(40, 60))
def test_hash_sides_stay_when_rows_are_removed_or_reordered(order: list[int], kept: int) -> None:
    keys = [f"text {index}" for index in range(60)]
    _, before = split_indices([("a",)] * 60, share=0.4, seed=0, method="hash", keys=keys)
    chosen = [keys[index] for index in order[:kept]]

    _, after = split_indices([("a",)] * kept, share=0.4, seed=0, method="hash", keys=chosen)

    assert {chosen[index] for index in after} == {keys[index] for index in before} & set(chosen)


@given(order=st.permutations(range(60)), kept=st.integers(40, 60))
def test_hash_keeps_a_group_on_its_side_when_rows_are_removed_or_reordered(order: list[int], kept: int) -> None:
    keys, groups = [f"text {index}" for index in range(60)], [f"group {index // 4}" for index in range(60)]
    _, before = split_indices([("a",)] * 60, share=0.4, seed=0, method="hash", keys=keys, groups=groups)
    chosen = order[:kept]

    train, after = split_indices(
        [("a",)] * kept,
        share=0.4,
        seed=0,
        method="hash",
        keys=[keys[index] for index in chosen],
        groups=[groups[index] for index in chosen],
    )

    assert {chosen[index] for index in after} == set(before) & set(chosen)
    assert not {groups[chosen[index]] for index in after} & {groups[chosen[index]] for index in train}


def test_hash_divides_rows_without_a_group_by_their_text() -> None:
    keys = [f"text {index}" for index in range(60)]

    with_groups = split_indices([("a",)] * 60, share=0.4, seed=0, method="hash", keys=keys, groups=[None] * 60)

    assert with_groups == split_indices([("a",)] * 60, share=0.4, seed=0, method="hash", keys=keys)


def test_hash_values_never_change_between_versions() -> None:
    assert hash_share("The export button does nothing", 0) == 0.21483222548875336


def test_hash_keeps_the_share_on_average() -> None:
    keys = [f"text {index}" for index in range(20_000)]

    _, held_out = split_indices([()] * 20_000, share=0.1, seed=0, method="hash", keys=keys)

    assert len(held_out) == pytest.approx(2000, abs=130)  # 3 standard deviations of a binomial


# --- equal texts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["two words", " two\n\twords ", "two\u00a0words", "two\u2003words"])
def test_white_space_is_folded(other: str) -> None:
    assert text_key(other) == "two words"


def test_composed_and_decomposed_letters_are_equal() -> None:
    assert text_key("caf\u00e9") == text_key("cafe\u0301")


def test_case_and_the_border_of_a_pair_count() -> None:
    assert text_key("A") != text_key("a")
    assert text_key("a b", "c") != text_key("a", "b c")
    assert text_key(text_key("a", " b")) == text_key("a", "b")


# --- messages ---------------------------------------------------------------------------------------


def test_one_text_cannot_be_split() -> None:
    with pytest.raises(DataError, match="The 3 rows cannot be split: they all have the same text or belong"):
        split_indices([("a",)] * 3, share=0.5, seed=0, keys=["x", "x ", " x"])


def test_one_row_cannot_be_split() -> None:
    with pytest.raises(DataError, match="A table of 1 rows cannot be split"):
        split_indices([("a",)], share=0.5, seed=0)


def test_an_empty_hash_side_says_what_to_do() -> None:
    with pytest.raises(DataError, match="leaves the held-out part empty.\n.*Use the split method 'stratified'"):
        split_indices([("a",)] * 2, share=0.001, seed=0, method="hash", keys=["x", "y"])


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 20.0, float("nan")])
def test_the_share_is_checked(share: float) -> None:
    with pytest.raises(ConfigError, match="must lie between 0 and 1, such as 0.2"):
        split_indices([("a",)] * 4, share=share, seed=0)


def test_grouped_needs_groups() -> None:
    with pytest.raises(ConfigError, match="Split method 'grouped' needs a group for each row"):
        split_indices([("a",)] * 4, share=0.5, seed=0, method="grouped")


def test_groups_are_never_torn_apart_silently() -> None:
    with pytest.raises(ConfigError, match="'stratified' would tear groups apart"):
        split_indices([("a",)] * 4, share=0.5, seed=0, groups=["a", "a", "b", "b"])


def test_hash_needs_keys() -> None:
    with pytest.raises(ConfigError, match="Split method 'hash' needs the text of each row"):
        split_indices([("a",)] * 4, share=0.5, seed=0, method="hash")


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(ConfigError, match="'random' is not one of stratified, grouped, hash"):
        split_indices([("a",)] * 4, share=0.5, seed=0, method="random")  # type: ignore[arg-type]


def test_keys_of_the_wrong_length_are_refused() -> None:
    with pytest.raises(ValueError, match="keys has 3 entries for 4 rows"):
        split_indices([("a",)] * 4, share=0.5, seed=0, keys=["a", "b", "c"])


def test_units_are_groups_and_equal_texts_but_not_one_group_of_all() -> None:
    grouped = [TextExample("a", group="x"), TextExample("b", group="x"), TextExample(" b ", group="y")]

    assert example_units([*grouped, TextExample("c")]).tolist() == [0, 0, 0, 1]
    assert example_units(grouped[:2]).tolist() == [0, 1]

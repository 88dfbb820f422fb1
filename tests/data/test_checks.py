"""What looks wrong in the data, and the sentences that say so."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fastbert.data.checks import Duplicate, LabelledSplits, data_warnings, find_duplicates, group_warnings, label_counts
from fastbert.data.examples import TextExample
from fastbert.labels import Labels

AB = Labels(("a", "b"))


def rows(split: str, texts: Sequence[str], labels: Sequence[str]) -> list[TextExample]:
    return [
        TextExample(text, labels=tuple(label), where=f"{split}.csv, row {number}")
        for number, (text, label) in enumerate(zip(texts, labels, strict=True), start=2)
    ]


def clean(split: str, count: int = 60) -> list[TextExample]:
    """Distinct texts, labels a and b in turn."""
    return rows(split, [f"{split} text {index}" for index in range(count)], ["a", "b"] * (count // 2))


def only(splits: LabelledSplits, labels: Labels = AB) -> str:
    """Return the one warning about these splits."""
    (sentence,) = data_warnings(splits, labels)
    return sentence


# --- duplicates -------------------------------------------------------------------------------------


def test_a_text_in_two_splits_is_found_with_its_places() -> None:
    splits = {"train": rows("train", ["x", "same"], "ab"), "valid": rows("valid", [" same "], "b")}

    assert find_duplicates(splits) == [
        Duplicate("across", ("train", "valid"), 2, ("train.csv, row 3", "valid.csv, row 2"), conflicting=False)
    ]


def test_a_text_twice_in_one_split_is_found() -> None:
    splits = {"train": rows("train", ["same", "same"], "aa")}

    assert find_duplicates(splits) == [
        Duplicate("within", ("train",), 2, ("train.csv, row 2", "train.csv, row 3"), conflicting=False)
    ]


def test_places_are_five_and_show_every_split() -> None:
    splits = {"train": rows("train", ["same"] * 9, "a" * 9), "valid": rows("valid", ["same"], "a")}

    (duplicate,) = find_duplicates(splits)

    assert duplicate.count == 10
    assert duplicate.places == (*(f"train.csv, row {number}" for number in range(2, 6)), "valid.csv, row 2")


def test_a_row_without_a_place_is_named_by_its_split() -> None:
    example = TextExample("same", labels=("a",))

    (duplicate,) = find_duplicates({"train": [example, example]})

    assert duplicate.places == ("train, example 1", "train, example 2")


def test_duplicates_across_splits_come_first() -> None:
    splits = {"train": rows("train", ["x", "x", "x", "y"], "aaaa"), "valid": rows("valid", ["y"], "a")}

    assert [(one.kind, one.count) for one in find_duplicates(splits)] == [("across", 2), ("within", 3)]


def test_the_second_text_of_a_pair_makes_a_difference() -> None:
    examples = [TextExample("x", pair="1", labels=("a",)), TextExample("x", pair="2", labels=("a",))]

    assert find_duplicates({"train": examples}) == []


@pytest.mark.parametrize(
    ("first", "second", "conflicting"),
    [
        (("a",), ("b",), True),
        (("a", "b"), ("b", "a"), False),
        (("a",), (), True),
        (("a",), None, False),
    ],
)
def test_conflicting_means_different_known_labels(
    first: tuple[str, ...], second: tuple[str, ...] | None, conflicting: bool
) -> None:
    examples = [TextExample("x", labels=first), TextExample("x", labels=second)]

    assert find_duplicates({"train": examples})[0].conflicting is conflicting


# --- counts -----------------------------------------------------------------------------------------


def test_counts_are_in_label_order_with_zeros() -> None:
    examples = [
        TextExample("x", labels=("c", "a")),
        TextExample("y", labels=("a",)),
        TextExample("z", labels=()),
        TextExample("w"),
    ]

    counts = label_counts(examples, Labels(("c", "b", "a")))

    assert list(counts.items()) == [("c", 1), ("b", 0), ("a", 2)]


# --- sentences --------------------------------------------------------------------------------------


def test_clean_data_has_no_warnings() -> None:
    assert data_warnings({"train": clean("train"), "valid": clean("valid"), "test": clean("test")}, AB) == []


def test_no_data_has_no_warnings() -> None:
    assert data_warnings({}, Labels(())) == []
    assert data_warnings({"train": [TextExample("a text to predict")]}, AB) == []


def test_texts_in_train_and_valid_are_reported() -> None:
    train = clean("train")
    valid = [*clean("valid"), *train[:2]]

    assert only({"train": train, "valid": valid}) == (
        "2 texts occur in train and valid alike (first: train.csv, row 2; train.csv, row 2): "
        "the scores will look better than they are. "
        "Remove these rows from train, or give one file only: equal texts are then kept on one side."
    )


def test_texts_in_valid_and_test_are_reported() -> None:
    valid = clean("valid")
    splits = {"train": clean("train"), "valid": valid, "test": [*clean("test"), valid[0]]}

    sentence = only(splits)

    assert sentence.startswith("1 text occurs in valid and test alike")
    assert sentence.endswith("Remove these rows from test.")


def test_a_text_in_three_splits_is_reported_once() -> None:
    train = clean("train")
    splits = {"train": train, "valid": [*clean("valid"), train[0]], "test": [*clean("test"), train[0]]}

    assert only(splits).startswith("1 text occurs in train, valid and test alike")


def test_conflicting_labels_are_reported_with_places() -> None:
    train = [*clean("train"), TextExample("train text 0", labels=("b",), where="train.csv, row 99")]

    assert only({"train": train}) == (
        "1 text occurs more than once with different labels (first: train.csv, row 2; train.csv, row 99): no "
        "model can get all of these rows right. Decide on one label for each, or on all of them at once if a "
        "text may have several."
    )


def test_a_few_repeats_in_train_are_no_warning() -> None:
    train = clean("train")

    assert data_warnings({"train": [*train, *train[:4]]}, AB) == []


def test_many_repeats_in_train_are_reported() -> None:
    train = clean("train")

    assert only({"train": [*train, *train[:20]]}).startswith("20 of 80 rows in train repeat a text")


def test_identical_texts_are_reported() -> None:
    train = rows("train", ["same"] * 20, "ab" * 10)

    sentences = data_warnings({"train": train}, AB)

    assert "All 20 texts in train are the same. Check which column is the text." in sentences
    assert len(sentences) == 2  # and the conflicting labels


def test_codes_instead_of_texts_are_reported() -> None:
    train = rows("train", [f"{index}" for index in range(40)], "ab" * 20)

    assert only({"train": train}) == (
        "No text in train is longer than 3 characters. Check which column is the text: these look like codes."
    )


def test_rare_labels_are_reported_with_their_counts() -> None:
    train = rows("train", [f"text {index}" for index in range(27)], "a" * 20 + "b" * 7)

    assert only({"train": train}) == (
        "1 of 2 labels have fewer than 8 rows in train: 'b' (7). "
        "Expect poor results for them; add rows, or merge labels that are alike."
    )


def test_long_lists_of_labels_are_cut() -> None:
    names = [f"l{index}" for index in range(9)]
    train = [TextExample(f"text {name}", labels=(name,)) for name in names]

    assert "'l0' (1), 'l1' (1), 'l2' (1), 'l3' (1), 'l4' (1) and 4 more." in only(
        {"train": train}, Labels(tuple(names))
    )


def test_strong_imbalance_is_reported() -> None:
    train = rows("train", [f"text {index}" for index in range(169)], "a" * 161 + "b" * 8)

    assert only({"train": train}) == (
        "The labels in train are far from balanced: 'a' has 161 rows, 'b' 8. Accuracy will hide the rare labels: look "
        "at f1_macro and at the scores of each label, and consider loss=auto, which tries weights, a focal loss and "
        "repeated rows."
    )


def test_twenty_to_one_is_not_yet_strong() -> None:
    train = rows("train", [f"text {index}" for index in range(168)], "a" * 160 + "b" * 8)

    assert data_warnings({"train": train}, AB) == []


def test_a_label_on_every_row_is_reported() -> None:
    train = [TextExample(f"text {index}", labels=("a", "b")[: 1 + index % 2]) for index in range(40)]

    assert only({"train": train}) == (
        "Label 'a' is on every row in train, so there is nothing to learn about it. "
        "Add rows without it, or remove the label."
    )


def test_labels_on_no_row_are_reported() -> None:
    assert only({"train": clean("train")}, Labels(("a", "b", "c", "d"))) == (
        "Each of 2 labels ('c', 'd') is on no row in train and cannot be learned. Add rows, or remove the label."
    )


def test_a_small_validation_set_is_reported() -> None:
    splits = {"train": clean("train"), "valid": clean("valid", count=48)}

    assert only(splits).startswith("valid has only 48 rows, so its scores are rough")


def test_a_label_absent_from_validation_is_reported() -> None:
    valid = rows("valid", [f"valid text {index}" for index in range(60)], "a" * 60)

    assert only({"train": clean("train"), "valid": valid}) == (
        "Label 'b' is on no row in valid, so nothing can be said about how well it is learned. "
        "Add such rows, or hold out a larger share."
    )


def test_no_warning_shows_a_text() -> None:
    secret = "SECRET"
    train = rows("train", [secret] * 20, "ab" * 10)
    splits = {"train": train, "valid": train[:3], "test": [TextExample(secret, labels=("a",))]}

    assert secret not in " ".join([*data_warnings(splits, AB), repr(find_duplicates(splits))])


def grouped(*groups: str | None) -> list[TextExample]:
    return [TextExample(f"text {index}", labels=("a",), group=group) for index, group in enumerate(groups)]


def test_groups_in_train_and_another_split_are_reported() -> None:
    splits = {
        "train": grouped("one", "two", None),
        "valid": grouped("one", "two", "one", "new"),
        "test": grouped("two"),
    }

    assert group_warnings(splits, "customer") == [
        "2 groups of column 'customer' occur in train and valid alike (3 of 4 rows of valid): the scores will look "
        "better than they are. Remove their rows from train, or give no validation table: groups are then kept on "
        "one side.",
        "1 group of column 'customer' occur in train and test alike (1 of 1 rows of test): the scores will look "
        "better than they are. Remove their rows from train.",
    ]


def test_groups_of_their_own_and_rows_without_one_are_no_warning() -> None:
    assert group_warnings({"train": grouped("one", None), "valid": grouped("two", None)}, "customer") == []

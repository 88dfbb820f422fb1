"""What a column is recognised by: its name, its values, its wording."""

import pytest

from fastbert.data.columns import Column, find_column, listed
from fastbert.data.table import Cell
from fastbert.errors import DataError
from tests.data.tables import make_column, make_table, sentence


@pytest.mark.parametrize(
    ("name", "words"),
    [("App id", ("app", "id")), ("reviewId", ("review", "id")), ("#1 String", ("1", "string")), ("", ())],
)
def test_a_name_is_split_into_words(name: str, words: tuple[str, ...]) -> None:
    assert make_column("x", name=name).words == words


@pytest.mark.parametrize("name", ["id", "ID", "guid", "UUID", "index", "#1 ID", "review_id", "Unnamed: 0", ""])
def test_a_name_can_say_that_a_column_identifies_rows(name: str) -> None:
    assert make_column("x", "x", name=name).is_identifier


@pytest.mark.parametrize("name", ["label_id", "Class Index", "category", "video", "idea"])
def test_other_names_do_not_say_so(name: str) -> None:
    assert not make_column("x", "x", name=name).has_id_name


@pytest.mark.parametrize(
    "cells",
    [(1, 2, 3, 4, 5), ("a1", "b2", "c3", "d4", "e5"), ("8", "3", "9", "1", "4")],
)
def test_different_tokens_identify_rows(cells: tuple[Cell, ...]) -> None:
    assert make_column(*cells).is_identifier


@pytest.mark.parametrize(
    "cells",
    [(1, 2, 3, 4), ("a", "b", "c", "d", "a"), ("a b", "c d", "e f", "g h", "i j"), ("好", "的", "不", "是", "了")],
)
def test_few_repeated_or_worded_cells_identify_nothing(cells: tuple[Cell, ...]) -> None:
    assert not make_column(*cells).is_identifier


def test_an_id_name_beside_a_label_name_is_the_label() -> None:
    assert make_column(0, 1, name="Class Index").label_word == "class"


@pytest.mark.parametrize("name", ["new_label", "label source", "labelled", "id"])
def test_a_longer_name_is_no_label_name(name: str) -> None:
    assert make_column(0, 1, name=name).label_word is None


def test_one_cell_that_is_no_flag_spoils_a_column_of_flags() -> None:
    assert make_column(0, 1, "0", True, 1.0).is_flags
    assert make_column(0, 1, None, 1).flag_share == 0.75


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (tuple(index / 10 for index in range(50)), True),
        (tuple(str(index / 10) for index in range(50)), True),
        (tuple(range(50)), False),
        ((0.5, 1.0, 1.5) * 10, False),
        (("a", *(index / 10 for index in range(50))), True),
        ((*("a",) * 8, *(index / 10 for index in range(50))), False),
    ],
)
def test_many_numbers_with_fractions_are_continuous(cells: tuple[Cell, ...], expected: bool) -> None:
    assert make_column(*cells).is_continuous is expected


@pytest.mark.parametrize(("cells", "expected"), [((0, 1, 2, 0), True), ((1, 2), False), (("a", 0), False)])
def test_class_ids_count_from_zero(cells: tuple[Cell, ...], expected: bool) -> None:
    assert make_column(*cells).is_class_ids is expected


def test_a_column_of_sentences_is_prose() -> None:
    assert make_column(*map(sentence, range(20))).is_prose


@pytest.mark.parametrize(
    "cells",
    [("2024-01-01 10:00", "2024-01-02 11:00"), ("bug", "bug", "bug", "bug", "idea"), ("1.5", "2.5"), (None, "")],
)
def test_dates_classes_numbers_and_nothing_are_no_prose(cells: tuple[Cell, ...]) -> None:
    assert not make_column(*cells).is_prose


@pytest.mark.parametrize(("wanted", "found"), [("text", "text"), ("1", "label")])
def test_a_column_is_found_by_name_or_number(wanted: str, found: str) -> None:
    assert find_column(make_table("text label", ["a", "b"]), wanted, "--text") == found


def test_a_name_of_digits_comes_before_a_number() -> None:
    assert find_column(make_table("text 0", ["a", "b"]), "0", "--label") == "0"


def test_a_misspelt_column_is_reported_with_the_closest_and_all_names() -> None:
    with pytest.raises(DataError) as caught:
        find_column(make_table("text label", ["a", "b"]), "lable", "--label")

    assert str(caught.value) == (
        "train.csv has no column 'lable'. Its columns are: 'text', 'label'.\n  Did you mean 'label'?"
    )


def test_a_strange_column_is_reported_with_the_option() -> None:
    with pytest.raises(DataError, match=r"has no column 'q'.*\n  Give --text one of these names\."):
        find_column(make_table("text label", ["a", "b"]), "q", "--text")


@pytest.mark.parametrize("wanted", ["2", "text", "-1", "99999999999"])
def test_a_number_out_of_range_is_reported_with_the_range(wanted: str) -> None:
    with pytest.raises(DataError) as caught:
        find_column(make_table("0 1", ["a", "b"], header=False), wanted, "--text")

    assert str(caught.value) == (
        f"train.csv has no column '{wanted}': it has no header, and its columns are numbered 0 to 1.\n"
        "  Give --text one of these numbers."
    )


def test_long_names_and_lists_of_names_are_cut() -> None:
    assert listed(["x" * 99, "b", "c"], 2) == f"'{'x' * 37}...', 'b', ..."


def test_values_are_counted_as_labels_without_the_empty_cells() -> None:
    column = Column(make_table("text label", ["a", 1], ["b", "1 "], ["c", None], ["d", ["x"]]), "label")

    assert column.values == {"1": 2}
    assert column.num_filled == 3

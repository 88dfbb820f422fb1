"""How the label columns are chosen, and when the choice is refused."""

from collections.abc import Sequence

import pytest

from fastbert.data.columns import LABEL_NAMES, Column
from fastbert.data.label_columns import LabelChoice, choose_labels
from fastbert.data.table import Cell, Table
from fastbert.errors import DataError
from tests.data.tables import make_table


def choose(table: Table, label_names: tuple[str, ...] | None = None, *, numbers: bool = False) -> LabelChoice:
    columns = [Column(table, name) for name in table.columns]
    return choose_labels(columns, label_names, table_name=table.name, header=table.format.header, numbers=numbers)


def rows(*patterns: tuple[Cell, ...], times: int = 5) -> list[tuple[Cell, ...]]:
    return list(patterns) * times


@pytest.mark.parametrize("name", [*sorted(LABEL_NAMES), "Label", "LABELS", "label_name", "Class Index"])
def test_a_label_column_is_known_by_its_name(name: str) -> None:
    table = make_table(["other", name], *rows(("x", "a"), ("y", "b")))

    assert choose(table).names == (name,)


def test_the_name_label_comes_before_other_names() -> None:
    choice = choose(make_table("category label", *rows(("x", "a"), ("y", "b"))))

    assert choice.names == ("label",)
    assert choice.reason == "Labels: column 'label', by its name. Also there: 'category' (choose with --label)."


def test_the_label_comes_before_its_id() -> None:
    assert choose(make_table("label_id label", *rows((0, "a"), (1, "b")))).names == ("label",)


def test_two_equal_names_are_an_error_that_lists_them() -> None:
    with pytest.raises(DataError) as caught:
        choose(make_table("intent sentiment", *rows(("a", "good"), ("b", "bad"), ("c", "bad"))))

    assert str(caught.value) == (
        "train.csv: the label column is not clear. It could be 'intent' (3 values), 'sentiment' (2 values).\n"
        "  Name it with --label, for example --label intent."
    )


def test_columns_of_flags_are_one_label_each() -> None:
    table = make_table("id toxic insult", *rows(("a", 0, 1), ("b", "1", "0"), ("c", 0, 0)))

    choice = choose(table)

    assert choice.names == ("toxic", "insult")
    assert choice.one_hot
    assert choice.reason == ("Labels: 2 columns of 0/1, one a label: 'toxic', 'insult'. Choose with --labels.")


def test_a_flag_column_without_any_one_is_a_label_too() -> None:
    assert choose(make_table("toxic threat", *rows((0, 0), (1, 0)))).names == ("toxic", "threat")


def test_a_single_flag_column_is_the_label() -> None:
    assert choose(make_table("ID flagged", *rows(("a", 0), ("b", 1)))) == LabelChoice(
        ("flagged",),
        False,
        "Labels: column 'flagged' is a guess: 2 values in 10 rows. Choose another with --label.",
    )


def test_a_flag_column_with_a_mistake_is_kept_for_the_row_error() -> None:
    table = make_table("toxic insult threat", *rows((0, 1, 0), (1, 0, 1), times=20), (0, 0, 2))

    assert choose(table).names == ("toxic", "insult", "threat")


def test_flags_beside_another_candidate_are_not_clear() -> None:
    table = make_table("team toxic insult", *rows(("red", 0, 1), ("blue", 1, 0), ("green", 1, 0)))

    with pytest.raises(DataError, match=r"It could be 'team' \(3 values\), 'toxic' \(2 values\), 'insult'"):
        choose(table)


def test_a_label_name_comes_before_flags() -> None:
    table = make_table("label seen answered", *rows(("a", 0, 1), ("b", 1, 0)))

    assert choose(table).names == ("label",)


def test_names_of_a_labels_file_that_are_columns_are_taken_in_its_order() -> None:
    table = make_table("label b a", *rows(("x", 0, 1), ("y", 1, 0)))

    choice = choose(table, ("a", "b"))

    assert choice.names == ("a", "b")
    assert choice.reason == "Labels: the 2 columns that carry the names of the labels file."


def test_the_column_with_few_values_is_a_guess() -> None:
    patterns = [(f"user{i}", "red" if i % 2 else "blue", i * 0.37, None) for i in range(30)]

    assert choose(make_table("user colour price note", *patterns)).names == ("colour",)


def test_without_a_header_class_numbers_come_before_words() -> None:
    table = make_table("0 1 2", *rows(("gj04", 0, "*"), ("gj04", 1, ""), ("bc01", 1, "")), header=False)

    choice = choose(table)

    assert choice.names == ("1",)
    assert choice.reason == (
        "Labels: column '1' is a guess: 2 values in 15 rows. "
        "It counts from 0 as class numbers do, unlike '0'. Choose another with --label."
    )


def test_with_a_header_words_and_class_numbers_are_not_clear() -> None:
    table = make_table("source grammatical", *rows(("gj04", 0), ("gj04", 1), ("bc01", 1)))

    with pytest.raises(DataError, match="the label column is not clear"):
        choose(table)


def test_different_combinations_of_few_labels_have_few_values() -> None:
    cells = ["a", "b", "c", "a|b", "a|c", "b|c", "a|b|c", "c|b"]

    assert choose(make_table("id areas", *((i, cell) for i, cell in enumerate(cells)))).names == ("areas",)


def test_lists_of_few_labels_have_few_values() -> None:
    both: list[Cell] = ["a", "b"]
    one: list[Cell] = ["a"]
    table = make_table("id areas", *[(i, both if i % 2 else one) for i in range(8)], kind="jsonl")

    assert choose(table).names == ("areas",)


def test_no_candidate_is_an_error_that_names_the_columns() -> None:
    with pytest.raises(DataError) as caught:
        choose(make_table("id code", *((i, f"x{i * 7}") for i in range(20))))

    assert str(caught.value) == (
        "train.csv: no column looks like labels; the columns beside the text are: 'id', 'code'.\n"
        "  Name the label column with --label."
    )


def test_an_empty_label_column_is_an_error_that_says_so() -> None:
    with pytest.raises(DataError) as caught:
        choose(make_table("id label", *[(i, None) for i in range(9)]))

    assert str(caught.value) == (
        "train.csv: column 'label' has the name of a label, but all its cells are empty.\n"
        "  Fill it, or name another column with --label."
    )


def test_a_table_of_texts_alone_is_an_error_that_says_so() -> None:
    with pytest.raises(DataError) as caught:
        choose_labels([], None, table_name="train.txt", header=False)

    assert str(caught.value) == (
        "train.txt has text but no other column; expected one with the label of each row.\n"
        "  Add a column of labels, or check that the separator of the columns was recognised."
    )


# --- numbers for regression -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prices",
    [range(1000, 1900, 9), ["3,5", "2,25"] * 50, [1, 2, 3, 4] * 25, ["unknown", *range(500, 599)]],
    ids=["whole", "decimal commas", "few values", "one that is none"],
)
def test_the_only_numbers_are_what_regression_learns(prices: Sequence[Cell]) -> None:
    table = make_table(
        "id color place price", *((row, "red", f"place {row}", price) for row, price in enumerate(prices))
    )

    choice = choose(table, numbers=True)

    assert (choice.names, choice.reason) == (("price",), "Labels: column 'price', the only one of numbers.")


def test_numbers_that_count_the_rows_are_not_learned() -> None:
    table = make_table("place price", *((row + 17, row * row) for row in range(100)))

    assert choose(table, numbers=True).names == ("price",)


def test_of_several_columns_of_numbers_none_is_chosen() -> None:
    table = make_table("price rooms", *((row * row, row % 7) for row in range(100)))

    with pytest.raises(DataError, match=r"It could be 'price' \(100 values\), 'rooms' \(7 values\)"):
        choose(table, numbers=True)


def test_a_name_decides_between_columns_of_numbers_and_not_for_others() -> None:
    numbers = make_table("rooms score", *((row % 7, row * row) for row in range(100)))
    words = make_table("category price", *(("house", row * row) for row in range(100)))

    assert choose(numbers, numbers=True).names == ("score",)
    assert choose(words, numbers=True).names == ("price",)


def test_without_numbers_regression_gets_what_else_looks_like_labels() -> None:
    assert choose(make_table("label", *rows(("a",), ("b",))), numbers=True).names == ("label",)


def test_many_numbers_that_are_no_labels_are_said_to_be_for_regression() -> None:
    with pytest.raises(DataError) as caught:
        choose(make_table("price", *((row * row,) for row in range(100))))

    assert str(caught.value) == (
        "train.csv: no column looks like labels; the columns beside the text are: 'price'.\n"
        "  Name the label column with --label, or say --task regression for numbers."
    )

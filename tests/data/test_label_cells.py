"""How label cells are understood: plain, delimited, lists, positions."""

import pytest

from fastbert.data.label_cells import LabelCells, TaskOption, find_separator, read_label_cells
from fastbert.data.table import Cell
from fastbert.errors import DataError
from tests.data.tables import make_column


def read(
    *cells: Cell,
    task: TaskOption = "auto",
    delimiter: str | None = None,
    label_names: tuple[str, ...] | None = None,
) -> LabelCells:
    column = make_column(*cells, name="label")
    return read_label_cells(column, task=task, delimiter=delimiter, label_names=label_names)


def shape(found: LabelCells) -> tuple[str, str | None, str]:
    return found.kind, found.delimiter, found.task


@pytest.mark.parametrize(
    ("values", "separator"),
    [
        (["a|b", "a", "b"], "|"),
        (["a; b", "a", "b;c", "c"], ";"),
        (["a,b", "a", "b", "c", "a,c"], ","),
        (["3,10", "3", "10", "27", "10,27"], ","),
        (["a,b", "a,c", "a,d", "b,c", "b,d", "c,d", "a,b,c", "b,c,d"], ","),
    ],
)
def test_recurring_parts_are_labels(values: list[str], separator: str) -> None:
    assert find_separator(values) == separator


@pytest.mark.parametrize(
    "values",
    [
        ["Yes, please", "No"],
        ["Yes, please", "No, thanks", "Yes, thanks", "No, please"],
        ["Computers", "Computers, accessories", "Phones", "Phones, accessories"],
        ["3,5", "4,0", "3,0", "4,5"],
        ["Washington, DC", "Paris, France", "Lyon, France"],
        ["a|b", "c|d", "e"],
        ["a", "b"],
        [],
    ],
)
def test_separators_inside_names_do_not_count(values: list[str]) -> None:
    assert find_separator(values) is None


def test_plain_cells_are_one_label_each() -> None:
    found = read("bug", "idea", "bug")

    assert shape(found) == ("column", None, "single_label")
    assert found.reason == "Task: single_label, because each cell of column 'label' is one label."


def test_a_separator_that_is_not_used_is_mentioned() -> None:
    assert read("Yes, please", "No", "No").reason == (
        "Task: single_label, because each cell of column 'label' is one label. "
        "Some have a comma; if it stands between labels, use --delimiter ','."
    )


def test_class_numbers_come_with_the_advice_to_name_them() -> None:
    assert read(0, 1, 0).reason == (
        "Task: single_label, because each cell of column 'label' is one label. "
        "The labels are numbers from 0; a labels file (--labels-file) gives them names."
    )


def test_delimited_cells_are_several_labels() -> None:
    found = read("bug|idea", "bug", "idea", "")

    assert shape(found) == ("delimited", "|", "multi_label")
    assert found.reason == (
        "Task: multi_label, because cells of column 'label' hold several labels with a pipe between them. "
        "If a whole cell is one label, use --task single_label."
    )


def test_the_task_single_label_keeps_cells_whole() -> None:
    assert shape(read("a|b", "a", "b", task="single_label")) == ("column", None, "single_label")


@pytest.mark.parametrize(("cells", "separator"), [(("a;b", "c"), ";"), (("Yes, please", "No"), ",")])
def test_the_task_multi_label_splits_at_any_separator(cells: tuple[Cell, ...], separator: str) -> None:
    assert shape(read(*cells, task="multi_label")) == ("delimited", separator, "multi_label")


def test_the_task_multi_label_without_separators_reads_one_label_a_row() -> None:
    assert shape(read("a", "b", "a", task="multi_label")) == ("column", None, "multi_label")


def test_a_named_delimiter_wins() -> None:
    assert shape(read("a/b", "c", delimiter="/")) == ("delimited", "/", "multi_label")


def test_names_of_a_labels_file_decide_where_cells_are_split() -> None:
    names = ("Yes, please", "Yes", "please")

    assert shape(read("Yes, please", "Yes", "please", label_names=names)) == ("column", None, "single_label")
    assert shape(read("a|b", "c", label_names=("a", "b", "c"))) == ("delimited", "|", "multi_label")


@pytest.mark.parametrize("cells", [(["a", "b"], ["c"], None), ('["a"]', "[]", ""), ("['a', 'b']", "['c']")])
def test_lists_are_several_labels(cells: tuple[Cell, ...]) -> None:
    found = read(*cells)

    assert shape(found) == ("json_list", None, "multi_label")
    assert found.reason == "Task: multi_label, because cells of column 'label' are lists of labels."


@pytest.mark.parametrize(
    ("cells", "delimiter", "task"),
    [
        ((0, 1, 2), None, "single_label"),
        (("0", "1", "x2"), None, "single_label"),
        (("0,2", "1", ""), ",", "multi_label"),
        (("0 2", "1"), " ", "multi_label"),
        ((2.0, "1.0"), None, "single_label"),
        (([0, 2], [1]), None, "multi_label"),
    ],
)
def test_numbers_are_positions_in_a_labels_file(cells: tuple[Cell, ...], delimiter: str | None, task: str) -> None:
    cells = cells + tuple(range(10)) if delimiter is None and not isinstance(cells[0], list) else cells

    assert shape(read(*cells, label_names=("a", "b", "c"))) == ("ids", delimiter, task)


@pytest.mark.parametrize("names", [("0", "1", "2"), ("1 star", "2", "3")])
def test_numbers_are_names_if_the_labels_file_has_numbers(names: tuple[str, ...]) -> None:
    assert read(0, 1, 2, label_names=names).kind == "column"


def test_words_are_no_positions() -> None:
    assert read("a", "b", "a", label_names=("a", "b")).kind == "column"


def test_many_fractions_are_regression() -> None:
    cells = read(*(index / 7 for index in range(50)))

    assert (cells.kind, cells.task) == ("number", "regression")
    assert cells.reason == (
        "Task: regression of column 'label', because its numbers have fractions and too many values to be classes."
    )


def test_many_fractions_are_no_classes() -> None:
    with pytest.raises(DataError) as caught:
        read(*(index / 7 for index in range(50)), task="single_label")

    assert str(caught.value) == (
        "train.csv, column 'label' holds 50 different numbers with fractions: these are not classes.\n"
        "  Use --task regression, or name a column of classes with --label."
    )


def test_words_are_no_numbers() -> None:
    with pytest.raises(DataError) as caught:
        read("good", "bad", "3", task="regression")

    assert str(caught.value) == (
        "train.csv, column 'label': regression needs a number in each row; most cells hold none (such as 'good').\n"
        "  Name the column of numbers with --label, or drop --task regression to train on labels."
    )


def test_whole_numbers_are_classes_with_a_word_on_regression() -> None:
    cells = read("1", "2", "3", "3")

    assert cells.task == "single_label"
    assert "to predict how high one is rather than which, use --task regression" in cells.reason


def test_values_that_never_recur_are_no_classes() -> None:
    with pytest.raises(DataError) as caught:
        read(*(f"{'long ' * 20}{index}" for index in range(30)))

    assert str(caught.value) == (
        "train.csv, column 'label' has a different value in each of 30 rows "
        "(such as 'long long long long long long long lo...'): these are not classes.\n"
        "  Name the column of labels with --label, or the separator inside its cells with --delimiter."
    )


def test_a_mixture_of_lists_and_plain_cells_is_reported_with_its_rows() -> None:
    with pytest.raises(DataError) as caught:
        read('["a"]', "b", None, '["b"]', "a", "a", "a", "a", "a")

    assert str(caught.value) == (
        "train.csv, column 'label': 2 label cells are lists and 6 are not (rows 3, 6, 7, 8, 9, ...).\n"
        "  Write all of them as lists, or none."
    )


def test_vectors_of_flags_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        read([0, 1, 0], [1, 0, 0])

    assert str(caught.value) == (
        "train.csv: the lists of column 'label' look like vectors of 0/1.\n"
        "  Write the names of the labels into the lists, or give each label a column of its own."
    )


@pytest.mark.parametrize("task", ["auto", "regression"])
@pytest.mark.parametrize(
    "cells",
    [
        tuple(f"{index % 5},{index:03}" for index in range(60)),
        tuple(f"{index / 10:.1f}".replace(".", ",") for index in range(40)) * 2,
        ("4", "3", *(f"{index % 3},{index + 200}" for index in range(40))),
    ],
)
def test_decimal_commas_are_named(cells: tuple[str, ...], task: TaskOption) -> None:
    with pytest.raises(DataError) as caught:
        read(*cells, task=task)

    assert "column 'label' holds numbers with a comma (such as" in caught.value.message
    assert "Write them with a decimal point, such as 0.143" in str(caught.value.hint)


def test_lists_of_numbered_labels_are_no_decimals() -> None:
    cells = [f"{one},{two}" for one in range(10) for two in range(one + 1, 10)] + [str(one) for one in range(10)]

    assert read(*cells).task == "multi_label"


def test_one_word_among_fractions_leaves_a_column_of_numbers() -> None:
    assert read("nan", *(index / 7 for index in range(50))).task == "regression"

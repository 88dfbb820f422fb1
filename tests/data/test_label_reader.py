"""The labels of single rows, and what is wrong with others."""

from dataclasses import replace

import pytest

from fastbert.data.label_reader import AbsentValue, LabelReader, WrongValue, layout_names
from fastbert.data.layout import Layout
from fastbert.data.table import Cell
from fastbert.errors import DataError
from fastbert.labels import Labels
from tests.data.tables import make_table

LAYOUT = Layout("text", None, ("label",), "column", None, "single_label", None, None)
DELIMITED = replace(LAYOUT, kind="delimited", delimiter="|", task="multi_label")
LISTS = replace(LAYOUT, kind="json_list", task="multi_label")
IDS = replace(LAYOUT, kind="ids", label_names=("bug", "idea", "praise"))
MANY_IDS = replace(IDS, delimiter=",", task="multi_label")
ID_LISTS = replace(IDS, task="multi_label")


def read(
    cell: Cell, layout: Layout = LAYOUT, labels: Labels | None = None, *, required: bool = True
) -> tuple[str, ...] | None:
    table = make_table("text label", ["a", cell])
    return LabelReader(table, layout, labels, required=required).read(table.rows[0])


@pytest.mark.parametrize(
    ("layout", "cell", "expected"),
    [
        (LAYOUT, " bug ", ("bug",)),
        (LAYOUT, 3.0, ("3",)),
        (LAYOUT, True, ("True",)),
        (LAYOUT, "nan", ("nan",)),
        (replace(LAYOUT, task="multi_label"), "bug", ("bug",)),
        (replace(LAYOUT, task="multi_label"), None, ()),
        (DELIMITED, "idea| bug|idea|", ("bug", "idea")),
        (DELIMITED, "", ()),
        (DELIMITED, 3, ("3",)),
        (LISTS, ["idea", "bug", None, "idea"], ("bug", "idea")),
        (LISTS, '["idea", 3]', ("3", "idea")),
        (LISTS, "[]", ()),
        (LISTS, None, ()),
        (replace(LISTS, task="single_label"), '["idea"]', ("idea",)),
        (IDS, "2", ("praise",)),
        (IDS, 0.0, ("bug",)),
        (MANY_IDS, "2,0", ("bug", "praise")),
        (MANY_IDS, "", ()),
        (ID_LISTS, [1, 0], ("bug", "idea")),
        (ID_LISTS, "[1]", ("idea",)),
    ],
)
def test_labels_are_distinct_and_sorted_however_they_are_written(
    layout: Layout, cell: Cell, expected: tuple[str, ...]
) -> None:
    assert read(cell, layout) == expected


@pytest.mark.parametrize(
    ("layout", "cell"),
    [(LAYOUT, ""), (LAYOUT, None), (LAYOUT, " "), (IDS, ""), (replace(LISTS, task="single_label"), [])],
)
def test_a_single_label_that_is_empty_is_absent(layout: Layout, cell: Cell) -> None:
    with pytest.raises(AbsentValue, match="^column 'label' is empty$"):
        read(cell, layout)

    assert read(cell, layout, required=False) is None


@pytest.mark.parametrize(
    ("layout", "cell", "message"),
    [
        (LAYOUT, ["a"], "column 'label' holds a list, but other rows hold plain labels"),
        (DELIMITED, ["a"], "column 'label' holds a list, but other rows hold plain labels"),
        (LISTS, "a", "column 'label' holds 'a', expected a list"),
        (LISTS, "x" * 99, f"column 'label' holds '{'x' * 37}...', expected a list"),
        (LISTS, 7, "column 'label' holds 7, expected a list"),
        (LISTS, [["a"]], "column 'label' holds a list of lists"),
        (replace(LISTS, task="single_label"), ["b", "a"], "the row has 2 labels ('b', 'a'), expected one"),
        (IDS, "3", "label id 3 is out of range; the labels file has 3 names"),
        (IDS, -1, "label id -1 is out of range; the labels file has 3 names"),
        (MANY_IDS, "1,28", "label id 28 is out of range; the labels file has 3 names"),
        (IDS, "bug", "label 'bug' is not a number"),
    ],
)
def test_cells_that_break_the_layout_are_wrong(layout: Layout, cell: Cell, message: str) -> None:
    with pytest.raises(WrongValue) as caught:
        read(cell, layout)

    assert str(caught.value) == message


def test_an_unknown_label_is_wrong_and_the_closest_one_is_named() -> None:
    with pytest.raises(WrongValue) as caught:
        read("postive", labels=Labels(("negative", "neutral", "positive")))

    assert str(caught.value) == "label 'postive' is not one of the 3 labels (negative, neutral, positive)"
    assert caught.value.hint == "Did you mean 'positive'?"


def test_an_unlike_label_is_wrong_with_a_hint_what_to_do() -> None:
    with pytest.raises(WrongValue) as caught:
        read("q", labels=Labels(("x" * 99, *(f"name {i}" for i in range(30)))))

    assert "of the 31 labels (xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..., name 0, " in str(caught.value)
    assert str(caught.value).endswith("name 18, ...)")
    assert caught.value.hint == "Correct it, or train on data that has this label."


def test_labels_of_a_labels_file_are_the_only_ones() -> None:
    with pytest.raises(WrongValue) as caught:
        read("bugs", replace(LAYOUT, label_names=("bug", "idea")))

    assert caught.value.hint == (
        "Did you mean 'bug'? To learn labels from the training file instead, drop --labels-file."
    )


def one_hot(*columns: str) -> Layout:
    return Layout("text", None, columns, "one_hot", None, "multi_label", None, None)


@pytest.mark.parametrize(
    ("cell", "found"),
    [(0.7, "holds 0.7"), (2, "holds 2"), ("yes", "holds 'yes'"), ("", "is empty"), (None, "is empty")],
)
def test_a_flag_that_is_neither_0_nor_1_is_wrong(cell: Cell, found: str) -> None:
    table = make_table("text a b", ["x", 1, cell])

    with pytest.raises(WrongValue) as caught:
        LabelReader(table, one_hot("a", "b"), None, required=True).read(table.rows[0])

    assert str(caught.value) == f"column 'b' {found}, expected 0 or 1"
    assert caught.value.hint == "Write 1 where the label applies, else 0; name the 0/1 columns with --labels."


def test_flag_columns_are_matched_by_name() -> None:
    layout = one_hot("a", "b ", "c")
    first = make_table(["text", "a", "b ", "c"], ["x", "0", "1", "1"])
    second = make_table(["c", "b ", "text", "a"], [True, 1.0, "x", False])

    reader = LabelReader(second, layout, None, required=True)

    assert reader.read(second.rows[0]) == ("b", "c")
    assert LabelReader(first, layout, None, required=True).read(first.rows[0]) == ("b", "c")
    assert reader.known == Labels(("a", "b", "c"))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ((1, 1), "the row has 2 labels ('a', 'b'), expected one"),
        ((0, 0), "none of the 2 label columns is 1, expected one"),
    ],
)
def test_a_choice_of_one_needs_exactly_one_flag(cells: tuple[int, int], message: str) -> None:
    table = make_table("text a b", ["x", *cells])
    layout = replace(one_hot("a", "b"), task="single_label")

    with pytest.raises(WrongValue) as caught:
        LabelReader(table, layout, None, required=True).read(table.rows[0])

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("columns", "layout", "message"),
    [
        ("text lable", LAYOUT, "val.csv has no column 'label'. Its columns are: 'text', 'lable'.\n  Did you mean"),
        ("text", LAYOUT, "val.csv has no column 'label'. Its columns are: 'text'.\n  Give --label one of"),
        ("text a c", one_hot("a", "b"), "val.csv has no column 'b'. Its columns are: 'text', 'a', 'c'."),
        (
            "text a",
            one_hot("a", "b", "c"),
            "val.csv has no columns for the labels 'b', 'c'. Its columns are: 'text', 'a'.\n"
            "  Every file needs all label columns, in any order.",
        ),
        (
            "text a b d",
            one_hot("a", "b"),
            "val.csv has 0/1 columns that are no labels of the training table: 'd'.\n"
            "  Remove them, or add them to the training table.",
        ),
    ],
)
def test_label_columns_that_are_missing_or_too_many_are_reported(columns: str, layout: Layout, message: str) -> None:
    table = make_table(columns, [0] * len(columns.split()), name="val.csv")

    with pytest.raises(DataError) as caught:
        LabelReader(table, layout, None, required=True)

    assert str(caught.value).startswith(message)


def test_flag_columns_that_the_training_table_ignored_are_no_labels() -> None:
    table = make_table("text a b seen row_id", ["x", 1, 0, 1, 0])

    reader = LabelReader(table, replace(one_hot("a", "b"), ignored=("seen",)), None, required=True)

    assert reader.read(table.rows[0]) == ("a",)


def test_all_label_columns_may_be_missing_where_they_are_not_required() -> None:
    table = make_table("text", ["x"])

    assert LabelReader(table, LAYOUT, None, required=False).read(table.rows[0]) is None
    assert LabelReader(table, one_hot("a", "b"), None, required=False).read(table.rows[0]) is None


def test_some_flag_columns_may_never_be_missing() -> None:
    with pytest.raises(DataError, match="has no column 'b'"):
        LabelReader(make_table("text a", ["x", 1]), one_hot("a", "b"), None, required=False)


@pytest.mark.parametrize(
    ("layout", "names"), [(LAYOUT, None), (IDS, ("bug", "idea", "praise")), (one_hot("b ", "a"), ("b", "a"))]
)
def test_names_that_the_layout_alone_gives(layout: Layout, names: tuple[str, ...] | None) -> None:
    assert layout_names(layout) == names

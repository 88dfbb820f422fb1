"""Rows as examples: the same labels from every way to write them, and what is reported."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.examples import TextExample
from fastbert.data.label_names import read_label_names
from fastbert.data.layout import Layout, LayoutOptions, detect_layout
from fastbert.data.rows import Report, SkippedRows, infer_labels, to_examples
from fastbert.data.sources import read_table
from fastbert.data.table import Cell, FormatKind, Table
from fastbert.errors import DataError
from fastbert.labels import Labels
from tests.data.tables import make_table, sentence
from tests.realdata import real_data

LAYOUT = Layout("text", None, ("label",), "column", None, "single_label", None, None)
MANY = replace(LAYOUT, kind="delimited", delimiter="|", task="multi_label")


def table(*rows: tuple[Cell, Cell], kind: FormatKind = "delimited") -> Table:
    return make_table("text label", *rows, kind=kind)


def test_a_row_becomes_an_example_with_its_place() -> None:
    columns = make_table("user b label a", ["ann", " two ", "yes", "one"], [None, "four", "no", "three"])

    examples, report = to_examples(columns, replace(LAYOUT, text="a", pair="b", group="user"))

    assert examples == [
        TextExample("one", " two ", ("yes",), "train.csv, row 2", "ann"),
        TextExample("three", "four", ("no",), "train.csv, row 3", None),
    ]
    assert report == Report("train.csv", 2)
    assert report.sentences() == []


@pytest.mark.parametrize(("cell", "group"), [(7, "7"), (" x ", "x"), (["a"], "['a']"), ("", None)])
def test_a_group_is_text(cell: Cell, group: str | None) -> None:
    rows = make_table("text label thread", ["a", "x", cell])

    assert to_examples(rows, replace(LAYOUT, group="thread"))[0][0].group == group


@pytest.mark.parametrize("text", ["nan", "NA", "None", "0", "\u200b"])
def test_words_for_nothing_are_texts(text: str) -> None:
    assert to_examples(table((text, "a")), LAYOUT)[0][0].text == text


def test_rows_without_text_or_label_are_one_error_with_their_count() -> None:
    rows = table(("a", "x"), ("", "x"), ("b", ""), (" ", "y"), *[("c", None)] * 6)

    with pytest.raises(DataError) as caught:
        to_examples(rows, LAYOUT)

    assert str(caught.value) == (
        "train.csv: 9 of 10 rows cannot be used: column 'text' is empty (rows 3, 5); "
        "column 'label' is empty (rows 4, 6, 7, 8, 9, ...).\n"
        "  Correct them, or leave them out with `--on-bad-row skip`."
    )


def test_rows_without_text_or_label_are_left_out_if_the_user_says_so() -> None:
    rows = table(("a", "x"), ("", "x"), ("b", ""), ("c", "y"))

    examples, report = to_examples(rows, LAYOUT, on_bad_row="skip")

    assert [example.text for example in examples] == ["a", "c"]
    assert report.skipped == (
        SkippedRows("column 'text' is empty", 1, (3,)),
        SkippedRows("column 'label' is empty", 1, (4,)),
    )
    assert report.num_skipped == 2
    assert report.sentences() == [
        "1 of 4 rows of train.csv left out: column 'text' is empty (row 3).",
        "1 of 4 rows of train.csv left out: column 'label' is empty (row 4).",
    ]


@pytest.mark.parametrize(
    ("cell", "found"), [(3, "a number"), (0.5, "a number"), (True, "true or false"), (["a"], "a list")]
)
def test_a_cell_of_another_type_is_no_text(cell: Cell, found: str) -> None:
    rows = table((cell, "x"), ("a", "y"), kind="jsonl")

    report = to_examples(rows, LAYOUT, on_bad_row="skip")[1]

    assert report.skipped == (SkippedRows(f"column 'text' holds {found} instead of text", 1, (1,)),)


@pytest.mark.parametrize("on_bad_row", ["error", "skip"])
def test_a_table_of_which_no_row_can_be_used_is_an_error(on_bad_row: str) -> None:
    with pytest.raises(DataError) as caught:
        to_examples(table(("", "x"), ("", "y")), LAYOUT, on_bad_row=on_bad_row)  # type: ignore[arg-type]

    assert str(caught.value) == (
        "train.csv: none of the 2 rows can be used: column 'text' is empty (rows 2, 3).\n"
        "  Choose other columns with --text and --label."
    )


def test_an_empty_table_gives_no_examples() -> None:
    assert to_examples(table(), LAYOUT) == ([], Report("train.csv", 0))


def test_rows_without_labels_are_kept_in_multi_label_data() -> None:
    examples, report = to_examples(table(("a", ""), ("b", "x|y"), ("c", None)), MANY)

    assert [example.labels for example in examples] == [(), ("x", "y"), ()]
    assert report.skipped == ()


def test_a_wrong_label_is_an_error_even_if_bad_rows_are_left_out() -> None:
    rows = replace(table(("a", "positive"), ("", "postive")), name="val.csv")

    with pytest.raises(DataError) as caught:
        to_examples(rows, LAYOUT, labels=Labels(("negative", "neutral", "positive")), on_bad_row="skip")

    assert str(caught.value) == (
        "val.csv, row 3: label 'postive' is not one of the 3 labels (negative, neutral, positive).\n"
        "  Did you mean 'positive'?"
    )


def test_wrong_values_are_reported_once_with_the_first_five_rows() -> None:
    rows = make_table("text a b", ("x", 2, 0), *[("x", 0, 0.7)] * 6)

    with pytest.raises(DataError) as caught:
        to_examples(rows, Layout("text", None, ("a", "b"), "one_hot", None, "multi_label", None, None))

    lines = str(caught.value).splitlines()
    assert lines[1:3] == [
        "  row 2: column 'a' holds 2, expected 0 or 1",
        "  row 3: column 'b' holds 0.7, expected 0 or 1",
    ]
    assert lines[-2:] == [
        "  and 2 more",
        "  Write 1 where the label applies, else 0; name the 0/1 columns with --labels.",
    ]


def test_an_id_out_of_range_is_reported_with_its_row() -> None:
    layout = replace(MANY, kind="ids", delimiter=",", label_names=("bug", "idea"))

    with pytest.raises(DataError) as caught:
        to_examples(table(("a", "0,1"), ("b", "1,2")), layout)

    assert str(caught.value) == (
        "train.csv, row 3: label id 2 is out of range; the labels file has 2 names.\n"
        "  Ids are positions in the labels file, counted from 0 to 1."
    )


def test_a_missing_column_is_reported_with_the_closest_one() -> None:
    with pytest.raises(DataError, match=r"(?s)has no column 'text'.*Did you mean 'texts'\?"):
        to_examples(make_table("texts label", ["a", "b"]), LAYOUT)


def test_a_missing_column_of_digits_is_not_taken_for_a_number() -> None:
    with pytest.raises(DataError, match="has no column '1'"):
        to_examples(make_table("text label", ["a", "b"]), replace(LAYOUT, label_columns=("1",)))


def test_labels_that_no_row_has_are_only_mentioned() -> None:
    rows = make_table("text toxic threat", ["x", 1, 0], ["y", 0, 0])
    layout = Layout("text", None, ("toxic", "threat"), "one_hot", None, "multi_label", None, None)

    examples, report = to_examples(rows, layout)

    assert report.sentences() == ["No row of train.csv has the label 'threat': nothing is learned or measured there."]
    assert infer_labels(examples, layout).names == ("toxic", "threat")


def test_rows_to_predict_have_no_labels() -> None:
    examples, report = to_examples(make_table("text", ["a"]), LAYOUT, labels=Labels(("x", "y")), labels_required=False)

    assert examples[0].labels is None
    assert report.sentences() == []


def examples_of(*labels: tuple[str, ...] | None) -> list[TextExample]:
    return [TextExample(sentence(index), labels=names) for index, names in enumerate(labels)]


def test_labels_are_sorted_where_nothing_orders_them() -> None:
    assert infer_labels(examples_of(("10",), ("9",), ("b",), ("9",)), LAYOUT).names == ("9", "10", "b")


def test_labels_are_in_the_order_of_the_labels_file_or_of_the_flag_columns() -> None:
    examples = examples_of(("a",), ("b",))
    one_hot = Layout("text", None, ("b ", "a"), "one_hot", None, "multi_label", None, None)

    assert infer_labels(examples, replace(LAYOUT, label_names=("c", "b", "a"))).names == ("c", "b", "a")
    assert infer_labels(examples, one_hot).names == ("b", "a")


@pytest.mark.parametrize(
    ("labels", "layout", "message"),
    [
        ([("a",), ("a",)], LAYOUT, "There is only one label, 'a', in 2 rows."),
        ([("a",), ()], MANY, "There is only one label, 'a', in 2 rows."),
        ([("a",), ("a",)], replace(LAYOUT, label_names=("a", "b")), "All 2 rows have the label 'a'."),
        ([(), ()], MANY, "None of the 2 rows has a label."),
        ([None], LAYOUT, "None of the 1 rows has a label."),
    ],
)
def test_fewer_than_two_labels_cannot_be_trained(
    labels: list[tuple[str, ...] | None], layout: Layout, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        infer_labels(examples_of(*labels), layout)

    assert str(caught.value) == (
        f"{message}\n  Training needs at least two labels. Name another label column with --label."
    )


def test_one_label_of_several_is_enough_in_multi_label_data() -> None:
    layout = replace(MANY, label_names=("a", "b"))

    assert len(infer_labels(examples_of(("a",), ()), layout)) == 2


def test_the_order_of_flag_columns_in_a_file_changes_nothing() -> None:
    # the trap of the Jigsaw files: the predecessor read columns by position
    layout = Layout("text", None, ("a", "b", "c"), "one_hot", None, "multi_label", None, None)
    first = make_table("text a b c", ["x", 0, 1, 1], ["y", 1, 0, 0])
    second = make_table("c b text a", [1, 1, "x", 0], [0, 0, "y", 1])

    assert to_examples(first, layout)[0] == to_examples(second, layout)[0]


NAMES = ("bug", "idea", "praise", "question")
label_sets = st.lists(st.sets(st.sampled_from(NAMES)), min_size=1, max_size=8)


def written(columns: str, cells: list[tuple[Cell, ...]], options: LayoutOptions) -> list[TextExample]:
    """Return the examples of a table with one more text column in front."""
    rows = make_table(f"text {columns}", *[(sentence(i), *more) for i, more in enumerate(cells)])
    return to_examples(rows, detect_layout(rows, options))[0]


@given(label_sets)
def test_every_way_to_write_labels_gives_the_same_examples(sets: list[set[str]]) -> None:
    one_hot = written(
        "praise bug question idea",
        [tuple(int(name in names) for name in ("praise", "bug", "question", "idea")) for names in sets],
        LayoutOptions(labels=NAMES),
    )
    label = LayoutOptions(labels=("label",))
    piped = written("label", [("|".join(names),) for names in sets], replace(label, delimiter="|"))
    commas = written("label", [(", ".join(names),) for names in sets], replace(label, task="multi_label"))
    json_text = written("label", [(json.dumps(list(names)),) for names in sets], label)
    lists = written("label", [([*names],) for names in sets], label)
    ids = [[NAMES.index(name) for name in names] for names in sets]
    positions = written("label", [([*numbers],) for numbers in ids], replace(label, label_names=NAMES))

    assert one_hot == piped == commas == json_text == lists == positions
    assert [set(example.labels or ()) for example in one_hot] == sets


@pytest.mark.parametrize(
    ("train", "other", "num_examples", "names"),
    [
        ("cola/in_domain_train.tsv", "cola/out_of_domain_dev.tsv", 516, ("0", "1")),
        ("sst2/train.tsv", "sst2/test.tsv", 1821, ("0", "1")),
        ("mrpc/train.tsv", "mrpc/dev.tsv", 408, ("0", "1")),
        (
            "jigsaw_sample/train.csv",
            "jigsaw_sample/val.csv",
            1000,
            ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"),
        ),
    ],
)
def test_real_tables_are_read_by_the_layout_of_their_training_part(
    train: str, other: str, num_examples: int, names: tuple[str, ...]
) -> None:
    rows = read_table(real_data(train))
    layout = detect_layout(rows)
    labels = infer_labels(to_examples(rows, layout)[0], layout)

    examples, report = to_examples(read_table(real_data(other)), layout, labels=labels)

    assert labels.names == names
    assert (len(examples), report.skipped) == (num_examples, ())


def test_goemotions_ids_become_names() -> None:
    names = read_label_names(real_data("goemotions/labels.txt"))
    rows = read_table(real_data("goemotions/dev.tsv"))

    layout = detect_layout(rows, LayoutOptions(label_names=names))
    examples = to_examples(rows, layout)[0]

    assert (layout.kind, layout.delimiter, layout.task) == ("ids", ",", "multi_label")
    assert (examples[0].labels, examples[1].labels) == (("neutral",), ("approval", "neutral"))

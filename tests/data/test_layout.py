"""What the columns of made-up and real tables are taken for."""

import json
from dataclasses import replace

import pytest

from fastbert.data.header import ExpectedHeader, Header
from fastbert.data.layout import Layout, LayoutOptions, detect_layout
from fastbert.data.sources import read_table
from fastbert.data.table import Cell, Table
from fastbert.errors import ConfigError, DataError
from tests.data.tables import make_table, sentence
from tests.realdata import real_data


def reviews(num_rows: int = 12) -> Table:
    rows = [[i, sentence(i), "good" if i % 2 else "bad", f"user{i % 3}"] for i in range(num_rows)]
    return make_table("id text label user", *rows)


def flags(*rows: tuple[Cell, ...]) -> Table:
    return make_table("text toxic insult", *((sentence(i), *cells) for i, cells in enumerate(rows)))


def test_a_table_is_understood_and_every_choice_has_its_reason() -> None:
    assert detect_layout(reviews()) == Layout(
        text="text",
        pair=None,
        label_columns=("label",),
        kind="column",
        delimiter=None,
        task="single_label",
        label_names=None,
        group=None,
        reasons=(
            "Text: column 'text', by its name.",
            "Labels: column 'label', by its name.",
            "Task: single_label, because each cell of column 'label' is one label.",
            "Not used: 'id', 'user'.",
        ),
        ignored=("id", "user"),
    )


def test_what_the_user_names_wins() -> None:
    layout = detect_layout(reviews(), LayoutOptions(text=("label",), labels=("3",), group="text"))

    assert (layout.text, layout.label_columns, layout.group) == ("label", ("user",), "text")
    assert layout.reasons == (
        "Text: 'label', as you named it.",
        "Labels: 'user', as you named it.",
        "Task: single_label, because each cell of column 'user' is one label.",
        "Group: column 'text'.",
        "Not used: 'id'.",
    )


def test_two_text_columns_are_a_pair() -> None:
    layout = detect_layout(reviews(), LayoutOptions(text=("user", "text")))

    assert (layout.text, layout.pair) == ("user", "text")
    assert layout.reasons[0] == "Text: 'user' and 'text', as you named them."


def test_a_named_label_is_not_taken_for_the_text() -> None:
    table = make_table("title body", *((f"kind {i % 2}", sentence(i)) for i in range(9)))

    assert detect_layout(table, LayoutOptions(labels=("body",), task="multi_label")).text == "title"


def test_named_flag_columns_are_one_label_each() -> None:
    layout = detect_layout(flags((0, 1), (1, 0)), LayoutOptions(labels=("insult", "toxic")))

    assert (layout.label_columns, layout.kind, layout.task) == (("insult", "toxic"), "one_hot", "multi_label")
    assert layout.reasons[1] == "Labels: 'insult', 'toxic', as you named them."


def test_one_flag_a_row_comes_with_the_advice_to_choose_among_them() -> None:
    assert detect_layout(flags((0, 1), (1, 0))).reasons[2] == (
        "Task: multi_label, because each label has its own column of 0/1. "
        "Every row has exactly one 1: to train a choice of one label, use --task single_label."
    )
    assert detect_layout(flags((0, 0), (1, 0))).reasons[2] == (
        "Task: multi_label, because each label has its own column of 0/1."
    )


def test_flag_columns_can_be_a_choice_of_one() -> None:
    assert detect_layout(flags((0, 1), (1, 0)), LayoutOptions(task="single_label")).task == "single_label"


def test_a_named_flag_column_is_a_label_of_two_values_unless_the_task_is_multi_label() -> None:
    table = flags((0, 1), (1, 0), (1, 1))

    assert detect_layout(table, LayoutOptions(labels=("toxic",))).kind == "column"
    assert detect_layout(table, LayoutOptions(labels=("toxic",), task="multi_label")).kind == "one_hot"


def test_a_labels_file_orders_the_flag_columns() -> None:
    layout = detect_layout(flags((0, 1), (1, 0)), LayoutOptions(label_names=("insult", "toxic")))

    assert layout.label_columns == ("insult", "toxic")


def test_flag_columns_that_differ_from_the_labels_file_are_an_error() -> None:
    options = LayoutOptions(labels=("toxic", "insult"), label_names=("toxic", "threat"))

    with pytest.raises(DataError) as caught:
        detect_layout(flags((0, 1), (1, 0)), options)

    assert str(caught.value) == (
        "train.csv: the 0/1 columns do not fit the labels file: no column for 'threat'; "
        "columns that are not in the labels file: 'insult'.\n"
        "  Name the columns with --labels, or drop --labels-file."
    )


def test_a_delimiter_does_not_fit_flag_columns() -> None:
    with pytest.raises(DataError) as caught:
        detect_layout(flags((0, 1), (1, 0)), LayoutOptions(delimiter="|"))

    assert str(caught.value) == (
        "train.csv: --delimiter is for one label column; 'toxic', 'insult' are 0/1.\n"
        "  Name the column with --label, or drop --delimiter."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            LayoutOptions(text=("txet",)),
            "train.csv has no column 'txet'. Its columns are: 'id', 'text', 'label', 'user'.\n  Did you mean 'text'?",
        ),
        (LayoutOptions(labels=("lable",)), "train.csv has no column 'lable'."),
        (LayoutOptions(group="users"), "train.csv has no column 'users'."),
        (
            LayoutOptions(text=("text",), labels=("text",)),
            "train.csv: column 'text' is a label and is named a second time.\n"
            "  Text, labels and group are different columns; name each one once.",
        ),
        (LayoutOptions(labels=("user",), group="user"), "train.csv: column 'user' is a label and is named"),
        (LayoutOptions(labels=("user", "user")), "train.csv: column 'user' is a label and is named a second"),
        (
            LayoutOptions(text=("text", "1")),
            "--text names the column 'text' twice.\n  Name two different columns for a pair.",
        ),
    ],
)
def test_columns_that_cannot_be_used_are_reported(options: LayoutOptions, message: str) -> None:
    with pytest.raises(DataError) as caught:
        detect_layout(reviews(), options)

    assert str(caught.value).startswith(message)


def test_a_number_out_of_range_is_reported() -> None:
    table = replace(make_table("0 1", [sentence(1), "a"], header=False), name="train.tsv")

    with pytest.raises(DataError, match="train.tsv has no column '4': it has no header, and its columns are"):
        detect_layout(table, LayoutOptions(text=("4",)))


def test_a_table_without_rows_is_an_error() -> None:
    with pytest.raises(DataError) as caught:
        detect_layout(make_table("text label"))

    assert str(caught.value) == "train.csv has no rows.\n  Check that it is the file you meant."


def test_labels_may_be_missing_where_they_are_not_required() -> None:
    table = make_table("id text", *((i, sentence(i)) for i in range(9)))

    layout = detect_layout(table, labels_required=False)

    assert (layout.kind, layout.label_columns) == ("none", ())
    assert layout.reasons[1] == "Labels: none, because no column is clearly the label."
    with pytest.raises(DataError, match="no column looks like labels"):
        detect_layout(table)


def test_labels_that_cannot_be_trained_are_left_out_where_they_are_not_required() -> None:
    table = make_table("text label", *((sentence(i), sentence(i + 1)) for i in range(50)))

    assert detect_layout(table, labels_required=False).kind == "none"
    with pytest.raises(DataError, match="these are not classes"):
        detect_layout(table)


def test_a_named_label_must_exist_even_where_labels_are_not_required() -> None:
    with pytest.raises(DataError, match="has no column 'lable'"):
        detect_layout(reviews(), LayoutOptions(labels=("lable",)), labels_required=False)


@pytest.mark.parametrize(
    ("table", "options"),
    [
        (reviews(), LayoutOptions()),
        (reviews(), LayoutOptions(text=("text", "user"), group="id")),
        (flags((0, 1), (1, 0)), LayoutOptions(label_names=("insult", "toxic"))),
        (make_table("text tags", ["a b", "0|1"], ["c d", "1"]), LayoutOptions(label_names=("a", "b"))),
    ],
)
def test_a_layout_survives_json(table: Table, options: LayoutOptions) -> None:
    layout = detect_layout(table, options)

    assert Layout.from_json(json.loads(json.dumps(layout.to_json()))) == layout


@pytest.mark.parametrize(("text", "header"), [("review", True), ("1", False)])
def test_an_older_layout_tells_by_its_columns_whether_there_was_a_header(text: str, header: bool) -> None:
    values = {name: value for name, value in detect_layout(reviews()).to_json().items() if name != "header"}

    assert Layout.from_json(values | {"text": text}).header is header


@pytest.mark.parametrize("header", [True, False])
def test_a_layout_remembers_whether_there_was_a_header(header: bool) -> None:
    table = make_table(["0", "1"], *[[f"the app is {n}", "ab"[n % 2]] for n in range(9)], header=header)

    layout = detect_layout(table, LayoutOptions(text=("0",), labels=("1",)))

    assert Layout.from_json(layout.to_json()).header is header


@pytest.mark.parametrize(
    ("given", "saved", "expected"),
    [
        (None, True, ExpectedHeader(("text",), lone_texts=True)),
        (None, False, False),
        (True, False, True),
        (False, True, False),
    ],
)
def test_the_header_of_another_table_follows_from_the_layout(given: bool | None, saved: bool, expected: Header) -> None:
    layout = replace(detect_layout(flags((0, 1), (1, 0))), header=saved)

    assert layout.header_of_another(given, lone_texts=True) == expected


def test_both_texts_of_a_pair_are_expected_in_the_header() -> None:
    layout = detect_layout(reviews(), LayoutOptions(text=("text", "user")))

    assert layout.header_of_another(None) == ExpectedHeader(("text", "user"))


def test_a_table_that_is_not_split_needs_no_group() -> None:
    layout = detect_layout(reviews(), LayoutOptions(text=("text",), group="id"))

    assert layout.without_group().group is None
    assert layout.without_group().ignored == (*layout.ignored, "id")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", None),
        ("pair", 3),
        ("kind", "one-hot"),
        ("task", "clustering"),
        ("label_columns", "label"),
        ("label_names", [1]),
        ("reasons", {}),
        ("header", "yes"),
    ],
)
def test_a_damaged_layout_is_reported(name: str, value: object) -> None:
    values = detect_layout(reviews()).to_json() | {name: value}

    with pytest.raises(DataError) as caught:
        Layout.from_json(values)

    assert str(caught.value) == (
        f"The saved column layout is damaged at '{name}'.\n  Write it again by training again."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"task": "multilabel"},
            "task is 'multilabel', expected one of 'auto', 'single_label', 'multi_label', 'regression'.\n"
            "  Did you mean 'multi_label'?",
        ),
        ({"on_bad_row": "ignore"}, "on_bad_row is 'ignore', expected one of 'error', 'skip'."),
        ({"text": ("a", "b", "c")}, "--text names 3 columns.\n  Name one, or two for a pair."),
        (
            {"delimiter": ""},
            "--delimiter is empty.\n  Give the character between two labels of one cell.",
        ),
        (
            {"delimiter": "|", "task": "single_label"},
            "--delimiter separates several labels of one cell, but --task is single_label.\n  Drop one of the two.",
        ),
        (
            {"delimiter": "|", "labels": ("a", "b")},
            "--delimiter needs one label column, but --labels names 2.\n  Drop --delimiter, or name one column.",
        ),
    ],
)
def test_options_that_contradict_each_other_are_reported(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        LayoutOptions(**options)  # type: ignore[arg-type]

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("cola/in_domain_train.tsv", ("3", None, ("1",), "column", None, "single_label")),
        ("cola/out_of_domain_dev.tsv", ("3", None, ("1",), "column", None, "single_label")),
        ("sst2/train.tsv", ("0", None, ("1",), "column", None, "single_label")),
        ("goemotions/dev.tsv", ("text", None, ("label",), "delimited", ",", "multi_label")),
        ("imdb/train.jsonl.gz", ("text", None, ("label",), "column", None, "single_label")),
        ("mrpc/dev.tsv", ("#1 String", "#2 String", ("Quality",), "column", None, "single_label")),
    ],
)
def test_real_tables_are_understood(file: str, expected: tuple[object, ...]) -> None:
    layout = detect_layout(read_table(real_data(file)))

    found = layout.text, layout.pair, layout.label_columns, layout.kind, layout.delimiter, layout.task
    assert found == expected


def test_the_choice_of_the_cola_columns_is_called_a_guess() -> None:
    reasons = detect_layout(read_table(real_data("cola/in_domain_train.tsv"))).reasons

    assert reasons[0].startswith("Text: column '3' is a guess")
    assert reasons[1].startswith("Labels: column '1' is a guess")


def test_the_app_reviews_spreadsheet_is_understood() -> None:
    # here: two seconds, most of them spent in openpyxl
    layout = detect_layout(read_table(real_data("app_reviews/dataset_unbalanced_4000.xlsx")))

    assert (layout.text, layout.label_columns, layout.kind) == ("review", ("label",), "column")


@pytest.mark.parametrize("file", ["jigsaw_sample/train.csv", "jigsaw_sample/val.csv"])
def test_jigsaw_has_six_labels_in_either_order_of_columns(file: str) -> None:
    layout = detect_layout(read_table(real_data(file)))

    assert (layout.text, layout.kind, layout.ignored) == ("comment_text", "one_hot", ("id",))
    assert layout.label_columns == ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")


def test_sts_benchmark_is_regression_of_a_pair() -> None:
    layout = detect_layout(read_table(real_data("stsb/dev.tsv")))

    assert (layout.task, layout.kind, layout.label_columns) == ("regression", "number", ("score",))
    assert (layout.text, layout.pair) == ("sentence1", "sentence2")


def test_regression_reads_one_column() -> None:
    table = make_table("text one two", *((sentence(i), i % 2, i % 3 % 2) for i in range(20)))

    with pytest.raises(DataError, match="regression reads one column of numbers; 'one', 'two' are 2"):
        detect_layout(table, LayoutOptions(labels=("one", "two"), task="regression"))

"""Tables of tokens: which column is which, and where a sentence begins."""

from __future__ import annotations

import pytest

from fastbert.data.examples import TaggedExample
from fastbert.data.table import Cell, Table
from fastbert.data.tagged_sentences import Sentence
from fastbert.data.tagging_notes import ReadOptions
from fastbert.data.token_table import TokenColumns, find_token_columns, read_token_table
from fastbert.errors import DataError
from tests.data.tables import make_table
from tests.data.tagged import notes

KAGGLE = make_table(
    ["Sentence #", "Word", "POS", "Tag"],
    ["Sentence: 1", "Thousands", "NNS", "O"],
    ["", "London", "NNP", "B-geo"],
    ["Sentence: 2", 2.0, "CD", "O"],
    [None, "Iran", "NNP", "B-gpe"],
)
COLUMNS = TokenColumns("token", "tag", "sentence_id", True)


def tokens(*rows: tuple[Cell, Cell, Cell]) -> Table:
    return make_table("sentence_id token tag", *rows)


def read(table: Table, columns: TokenColumns = COLUMNS, options: ReadOptions | None = None) -> list[Sentence]:
    noted = notes(unit="row", name=table.name, options=options)
    found = read_token_table(table, columns, noted)
    noted.report([TaggedExample("a")])
    return found


def test_a_sentence_id_may_stand_in_the_first_row_only() -> None:
    columns = find_token_columns(KAGGLE)

    assert columns == TokenColumns("Word", "Tag", "Sentence #", True)
    assert read(KAGGLE, columns) == [
        Sentence(("Thousands", "London"), ("O", "B-geo"), (2, 3)),
        Sentence(("2", "Iran"), ("O", "B-gpe"), (4, 5)),
    ]


def test_a_sentence_id_may_stand_in_every_row() -> None:
    assert read(tokens((1, "a", "O"), (1, "b", "B-X"), (2, "c", "O"))) == [
        Sentence(("a", "b"), ("O", "B-X"), (2, 3)),
        Sentence(("c",), ("O",), (4,)),
    ]


def test_a_column_whose_values_stand_together_divides_sentences() -> None:
    rows: list[list[Cell]] = [["x", 7, "a", "O"], ["y", 7, "b", "B-X"], ["x", 8, "c", "O"], ["y", 8, "d", "O"]]

    assert find_token_columns(make_table("pos id token tag", *rows)).sentence == "id"


def test_an_id_that_comes_again_is_mentioned() -> None:
    noted = notes(unit="row", name="train.csv")

    found = read_token_table(tokens((1, "a", "O"), (2, "b", "O"), (1, "c", "O")), COLUMNS, noted)

    assert len(found) == 3
    assert noted.report([TaggedExample("a")]).warnings == (
        "train.csv: a sentence id that comes again after another begins a new sentence, once (row 4 '1').",
    )


@pytest.mark.parametrize("name", ["doc_id", "Document", "file"])
def test_sentences_of_the_same_number_in_two_documents_are_two(name: str) -> None:
    rows: list[list[Cell]] = [
        ["a", 1, "in", "O"],
        ["a", 2, "Rome", "B-X"],
        ["b", 2, "hi", "O"],
        ["b", 3, "ok", "O"],
        ["c", 1, "no", "O"],
    ]
    table = make_table(f"{name} sentence_id token tag", *rows)
    noted = notes(unit="row", name="train.csv")

    found = read_token_table(table, find_token_columns(table), noted)

    assert [(sentence.tokens, sentence.group) for sentence in found] == [
        (("in",), "a"),
        (("Rome",), "a"),
        (("hi",), "b"),
        (("ok",), "b"),
        (("no",), "c"),
    ]
    assert not noted.report([TaggedExample("a")]).warnings


def test_a_blank_row_stands_between_sentences() -> None:
    assert read(tokens((1, "x", "O"), (None, "", None), (2, "y", "B-X"))) == [
        Sentence(("x",), ("O",), (2,)),
        Sentence(("y",), ("B-X",), (4,)),
    ]


def test_a_document_may_stand_in_the_first_row_only() -> None:
    rows: list[list[Cell]] = [["a", 1, "x", "O"], ["", "", "y", "B-X"], ["", 2, "z", "O"], ["b", 2, "v", "O"]]
    table = make_table("doc sentence_id token tag", *rows)

    assert [(one.tokens, one.group) for one in read(table, find_token_columns(table))] == [
        (("x", "y"), "a"),
        (("z",), "a"),
        (("v",), "b"),
    ]


def test_rows_of_whole_sentences_have_a_document() -> None:
    table = make_table("doc_id tokens ner_tags", ["a", ["x"], ["O"]], ["b", ["y"], ["B-X"]])

    assert [sentence.group for sentence in read(table, find_token_columns(table))] == ["a", "b"]


def test_each_row_may_hold_a_whole_sentence() -> None:
    table = make_table("id tokens ner_tags", [1, ["a", "b"], ["O", "B-X"]], [2, ["c"], ["O"]])
    columns = find_token_columns(table)

    assert columns == TokenColumns("tokens", "ner_tags", None, True)
    assert read(table, columns)[0] == Sentence(("a", "b"), ("O", "B-X"), (2, 2))


@pytest.mark.parametrize(
    ("tokens_cell", "tags_cell"), [("['Fly', \"it's\"]", "['O', 'B-X']"), ('["Fly", "it\'s"]', '["O", "B-X"]')]
)
def test_lists_may_be_written_as_text(tokens_cell: str, tags_cell: str) -> None:
    """As pandas writes them into CSV."""
    table = make_table("id tokens ner_tags", [1, tokens_cell, tags_cell], [2, "['c']", "['O']"])
    columns = find_token_columns(table)

    assert columns == TokenColumns("tokens", "ner_tags", None, True)
    assert [one.tokens for one in read(table, columns)] == [("Fly", "it's"), ("c",)]


@pytest.mark.parametrize(("odd", "what"), [("", "the row has no tags"), ("none", "the tags are no list")])
def test_a_row_without_its_list_is_reported_and_may_be_left_out(odd: str, what: str) -> None:
    rows: list[list[Cell]] = [[f"see {number}", "['O', 'B-X']"] for number in range(10)]
    table = make_table("sentence tags", *rows, ["a b", odd])
    columns = find_token_columns(table)

    assert columns == TokenColumns("sentence", "tags", None, True)
    assert len(read(table, columns, ReadOptions(skip=True))) == 10
    with pytest.raises(DataError, match=f"train.csv, row 12: {what}"):
        read(table, columns)


def test_an_empty_text_to_predict_is_left_out() -> None:
    table = make_table("sentence", ["fly to Rome"], [""], ["hi"])

    found = read(table, TokenColumns("sentence", "tags", None, True), ReadOptions(labels_required=False))

    assert [(one.tokens, one.rows[0]) for one in found] == [(("fly", "to", "Rome"), 2), (("hi",), 4)]


def test_a_text_may_stand_beside_the_list_of_its_tags() -> None:
    """As in the second file of the NER corpus that is best known on Kaggle."""
    rows: list[list[Cell]] = [
        ["Sentence: 1", "Fly to  Rome", "['VB', 'IN', 'NNP']", "['O', 'O', 'B-geo']"],
        ["Sentence: 2", "big", "['JJ']", "['O']"],
    ]
    table = make_table(["Sentence #", "Sentence", "POS", "Tag"], *rows)
    columns = find_token_columns(table)

    assert columns == TokenColumns("Sentence", "Tag", None, True)
    assert read(table, columns)[0] == Sentence(
        ("Fly", "to", "Rome"), ("O", "O", "B-geo"), (2, 2, 2), text="Fly to  Rome"
    )
    with pytest.raises(DataError, match="train.csv, row 2: 2 tokens, but 1 tags"):
        read(make_table(["Sentence #", "Sentence", "POS", "Tag"], ["1", "a b", "['X']", "['O']"]), columns)


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        ([["a", "b"], ["O"]], "2 tokens, but 1 tags"),
        ([[], []], "the row has no tokens"),
        ([["a", ""], ["O", "O"]], "a token is empty"),
        ([["a"], None], "the row has no tags"),
    ],
)
def test_a_bad_row_of_lists_is_reported(cells: list[Cell], what: str) -> None:
    with pytest.raises(DataError, match=f"train.csv, row 2: {what}"):
        read(make_table("token tag", cells), TokenColumns("token", "tag", None, True))


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ((1, "", "O"), "the row has no token"),
        ((1, "a", None), "the row has no tag"),
        ((1, ["a"], "O"), "a cell holds a list instead of one token or tag"),
    ],
)
def test_a_bad_row_is_reported_and_breaks_its_sentence(row: tuple[Cell, Cell, Cell], what: str) -> None:
    table = tokens((1, "x", "O"), row, row, (2, "y", "O"))

    with pytest.raises(DataError) as caught:
        read(table)

    assert str(caught.value).splitlines()[:2] == ["train.csv: 2 rows cannot be read.", f"  row 3: {what}"]
    assert [sentence.is_broken for sentence in read(table, options=ReadOptions(skip=True))] == [True, False]


def test_a_table_without_sentences_is_an_error() -> None:
    with pytest.raises(DataError) as caught:
        find_token_columns(make_table("token tag", ["a", "O"], ["b", "B-X"]))

    assert str(caught.value) == (
        "train.csv has no column that says which sentence a token is in. Its columns are: 'token', 'tag'.\n"
        "  Call it 'sentence_id'; the same number stands in all rows of a sentence."
    )


@pytest.mark.parametrize(("columns", "what"), [("sentence a tag", "tokens"), ("sentence token b", "tags")])
def test_a_table_without_tokens_or_tags_is_an_error(columns: str, what: str) -> None:
    with pytest.raises(DataError, match=f"train.csv has no column that is known to hold {what}"):
        find_token_columns(make_table(columns, [1, "x", "y"]))


def test_columns_may_be_named() -> None:
    table = make_table("sentence a b", [1, "x", "PER"], [1, "y", "O"])

    assert find_token_columns(table, "a", "b") == TokenColumns("a", "b", "sentence", False)


def test_a_missing_column_is_an_error_with_the_closest_one() -> None:
    with pytest.raises(DataError, match=r"(?s)has no column 'token'.*Did you mean 'tokens'\?"):
        read(make_table("sentence_id tokens tag", [1, "a", "O"]))


def test_texts_to_predict_need_no_tags() -> None:
    table = make_table("sentence_id token", [1, "a"])

    assert read(table, options=ReadOptions(labels_required=False)) == [Sentence(("a",), None, (2,))]

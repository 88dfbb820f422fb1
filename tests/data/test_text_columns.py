"""How the text column is chosen, and when the choice is refused."""

import pytest

from fastbert.data.columns import Column
from fastbert.data.table import Table
from fastbert.data.text_columns import TEXT_NAMES, TextChoice, choose_text
from fastbert.errors import DataError
from tests.data.tables import make_table, sentence


def choose(table: Table) -> TextChoice:
    return choose_text([Column(table, name) for name in table.columns], table.name)


@pytest.mark.parametrize("name", [*TEXT_NAMES, "Comment_Text", "Review Text", "reviewBody"])
def test_a_text_column_is_known_by_its_name(name: str) -> None:
    table = make_table(["notes", name], [sentence(1) * 3, "good"], [sentence(2) * 3, "bad"])

    assert choose(table).text == name


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("sentence1", "sentence2"),
        ("text_a", "text_b"),
        ("question", "context"),
        ("#1 String", "#2 String"),
        ("premise", "hypothesis"),
        ("Question1", "Question2"),
        ("text", "text_pair"),
    ],
)
def test_a_pair_is_known_by_its_names_in_any_order(first: str, second: str) -> None:
    choice = choose(make_table([second, "text", first], ["a b", "c d", "e f"]))

    assert (choice.text, choice.pair) == (first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [("Input 1", "Input 2"), ("q1", "q2"), ("left_answer", "right_answer"), ("ad a", "ad b"), ("first", "second")],
)
def test_two_columns_with_counterparts_as_names_are_a_pair(first: str, second: str) -> None:
    rows = [[sentence(index), sentence(index + 50), "yes"] for index in range(9)]

    choice = choose(make_table([second, first, "kind"], *rows))

    assert (choice.text, choice.pair) == (first, second)
    assert choice.reason == f"Text: the pair '{first}' and '{second}', by their names."


@pytest.mark.parametrize(("first", "second"), [("note 11", "note 12"), ("choice 2", "choice 3"), ("a", "c")])
def test_other_numbers_are_no_pair(first: str, second: str) -> None:
    with pytest.raises(DataError, match="read alike"):
        choose(make_table([first, second], *[[sentence(index), sentence(index + 50)] for index in range(9)]))


def test_a_named_text_is_not_left_out_for_the_answers_beside_it() -> None:
    rows = [[sentence(index), sentence(index + 20), sentence(index + 40)] for index in range(9)]

    choice = choose(make_table(["answer a", "answer b", "question"], *rows))

    assert (choice.text, choice.pair) == ("question", None)
    assert choice.reason == (
        "Text: column 'question', by its name. Also there: 'answer a', 'answer b' (choose with --text)."
    )


def test_a_column_that_reads_like_the_text_is_named_with_the_words_for_a_pair() -> None:
    rows = [[sentence(index), sentence(index + 50), "yes" if index % 2 else "no"] for index in range(9)]

    choice = choose(make_table(["text", "user reply", "label"], *rows))

    assert choice.text == "text"
    assert choice.reason == (
        "Text: column 'text', by its name. Also there: 'user reply' "
        '(choose with --text; for pairs: --text "text,user reply").'
    )


def test_half_a_pair_is_a_text() -> None:
    assert choose(make_table("question answered", ["what is it", "yes"])) == TextChoice(
        "question", None, "Text: column 'question', by its name."
    )


def test_other_texts_are_named_in_the_reason() -> None:
    choice = choose(make_table("title body", ["bad day", "all was bad from morning to night"]))

    assert choice.reason == "Text: column 'body', by its name. Also there: 'title' (choose with --text)."


def test_a_column_of_numbers_is_no_text_whatever_its_name() -> None:
    table = make_table("review notes", ["4", sentence(1)], ["5", sentence(2)])

    assert choose(table).text == "notes"


def test_without_names_the_longest_wording_is_taken_as_a_guess() -> None:
    rows = [[f"doc{index}", "red" if index % 2 else "blue", sentence(index)] for index in range(20)]

    choice = choose(make_table("0 1 2", *rows, header=False))

    assert choice.text == "2"
    assert choice.reason == (
        "Text: column '2' is a guess: its cells are the longest (11 words on average). Choose another with --text."
    )


def test_identifiers_are_never_text() -> None:
    rows = [[f"{index}-{'abcdefgh' * 20}", f"short text number {index}"] for index in range(20)]

    assert choose(make_table("path 1", *rows)).text == "1"


def test_texts_without_blanks_are_found() -> None:
    rows = [[f"这个应用程序不能工作{chr(0x4E00 + index)}", "好" if index % 2 else "坏"] for index in range(20)]

    assert choose(make_table("0 1", *rows, header=False)).text == "0"


def test_two_equally_good_texts_are_an_error_that_names_them() -> None:
    rows = [["1", sentence(index), sentence(index + 50)] for index in range(20)]

    with pytest.raises(DataError) as caught:
        choose(make_table("0 1 2", *rows, header=False))

    assert str(caught.value) == (
        "train.csv: the text column is not clear: '1', '2' read alike.\n"
        "  Name it with --text, for example --text 1; name two columns for a pair of texts."
    )


def test_a_table_without_text_is_an_error_that_names_its_columns() -> None:
    with pytest.raises(DataError) as caught:
        choose(make_table("a b", *[(index, "x") for index in range(9)]))

    assert str(caught.value) == (
        "train.csv: no column looks like text; the columns are 'a', 'b'.\n  Name the text column with --text."
    )

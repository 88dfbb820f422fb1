"""CoNLL-type files: columns, sentences, documents, comments, and what is wrong with them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.conll import (
    find_columns,
    has_sentence_column,
    has_shape_of_tokens,
    is_surely_conll,
    read_conll,
    read_sentences,
)
from fastbert.data.examples import TaggedExample
from fastbert.data.files import find_file, standard_input
from fastbert.data.rows import Report
from fastbert.data.tagged_sentences import Sentence, sentences_to_examples
from fastbert.data.tagging_notes import ReadOptions
from fastbert.errors import DataError
from tests.data.tagged import contents, notes, sentences, tags_of, tokens_of, write


def read(folder: Path, text: str, columns: tuple[str, str] = ("0", "-1")) -> list[Sentence]:
    """Return the sentences of a file, without any problem."""
    noted = notes()
    found = read_sentences(read_conll(find_file(write(folder, "train.conll", text))), *columns, noted)
    assert noted.report([TaggedExample("a")]).sentences() == []
    return found


def tokens(found: list[Sentence]) -> list[str]:
    return [" ".join(sentence.tokens) for sentence in found]


def report(folder: Path, text: str, options: ReadOptions | None = None) -> Report:
    noted = notes(options=options)
    found = read_sentences(read_conll(find_file(write(folder, "train.conll", text))), "0", "-1", noted)
    return noted.report(sentences_to_examples(found, noted))


@pytest.mark.parametrize(
    "text", ["a\tB-X\nb\tO\n\nc\tO\n", "a B-X\r\nb   O\r\n\r\nc O", "a\tB-X\nb\tO\n\t\n \nc\tO\n\n"]
)
def test_columns_are_divided_by_tabs_or_blanks_and_sentences_by_blank_lines(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text) == [
        Sentence(("a", "b"), ("B-X", "O"), (1, 2)),
        Sentence(("c",), ("O",), (text.count("\n", 0, text.index("c")) + 1,)),
    ]


def test_any_column_is_token_or_tag(tmp_path: Path) -> None:
    text = "1\ta\tB-X\tO\n2\tb\tO\tB-Y\n"

    assert read(tmp_path, text, ("1", "-2")) == [Sentence(("a", "b"), ("B-X", "O"), (1, 2))]


def test_a_token_may_hold_blanks_where_columns_are_divided_by_tabs(tmp_path: Path) -> None:
    assert read(tmp_path, "10 000\tO\n\u00a0\tO\n")[0].tokens == ("10 000", "\u00a0")


@pytest.mark.parametrize("line", ["-DOCSTART- -X- O", "-DOCSTART-", "# newdoc id = x", "#begin document (x); part 0"])
def test_documents_are_groups(line: str, tmp_path: Path) -> None:
    text = f"{line}\n\na x O\n\nb x B-X\n\n{line}\n\nc x O\n"

    assert [sentence.group for sentence in read(tmp_path, text)] == ["1", "1", "2"]


def test_one_document_is_no_group(tmp_path: Path) -> None:
    assert read(tmp_path, "-DOCSTART- O\n\na O\n\nb O\n")[1].group is None


def test_comments_are_skipped_and_tokens_that_look_like_them_are_not(tmp_path: Path) -> None:
    text = "# sent_id = 1\na O\n# O\n#tag B-X\n"

    assert tokens(read(tmp_path, text)) == ["a # #tag"]


def test_a_token_inside_a_sentence_is_no_comment_whatever_its_tag(tmp_path: Path) -> None:
    assert tokens(read(tmp_path, "Rome CITY\n# CITY\n1 O\n\n# newdoc\nare VBP\n# SYM\n1 CD\n")) == [
        "Rome # 1",
        "are # 1",
    ]
    assert report(tmp_path, "# text\na B-X\n").warnings == (
        'train.conll: a line that begins with # and has no tag is read as a comment, not as the token "#",'
        " once (line 1).",
    )


def test_a_comment_that_may_have_been_a_token_is_mentioned(tmp_path: Path) -> None:
    assert report(tmp_path, "a B-X\n\n#tag\nb O\n").warnings == (
        "train.conll: a line that begins with # and does not have 2 columns is read as a comment, once (line 3).",
    )


def test_a_file_of_one_column_has_no_tags(tmp_path: Path) -> None:
    conll = read_conll(find_file(write(tmp_path, "a.conll", "a\nb\n\nc\n")))

    found = read_sentences(conll, "0", "-1", notes(options=ReadOptions(labels_required=False)))

    assert [(sentence.tokens, sentence.tags) for sentence in found] == [(("a", "b"), None), (("c",), None)]


def test_a_file_of_one_column_cannot_be_trained_on(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        report(tmp_path, "a\nb\n")

    assert str(caught.value) == (
        "train.conll has only one column; expected a token and its tag on each line.\n"
        "  Write them with a tab or a blank between: Berlin B-LOC."
    )


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("b", "1 column found, most lines have 2"),
        ("b\tO\tO", "3 columns found, most lines have 2"),
        ("b\t", "1 column found, most lines have 2"),
        ("\tO", "the line has a tag but no token"),
        ("b\tNOUN", "tag 'NOUN' is neither O nor a prefix with a label, such as B-PER, as the other tags are"),
    ],
)
def test_a_bad_line_is_reported(line: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        report(tmp_path, f"a\tB-X\n{line}\nc\tO\n\nd\tO\n")

    assert str(caught.value).splitlines()[0] == f"train.conll, line 2: {what}."
    assert "--on-bad-row skip" in str(caught.value)


def test_an_empty_tag_in_the_middle_is_reported(tmp_path: Path) -> None:
    noted = notes()
    read_sentences(read_conll(find_file(write(tmp_path, "t.conll", "a\tO\tx\nb\t\tx\n"))), "0", "1", noted)

    with pytest.raises(DataError, match="line 2: token 'b' has no tag"):
        noted.report([])


def test_sentences_with_bad_lines_are_left_out_if_the_user_says_so(tmp_path: Path) -> None:
    done = report(tmp_path, "a B-X\n\nb\nc\n\nd O\n", ReadOptions(skip=True))

    assert done.sentences() == [
        "1 of 3 rows of train.conll left out: a line has not as many columns as the others (row 3)."
    ]


@pytest.mark.parametrize("text", ["\n \n\t\n", "# newdoc\n"])
def test_a_file_without_tokens_is_empty(text: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train.conll is empty; expected a token and its tag on each line"):
        report(tmp_path, text)


def test_a_binary_file_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")

    with pytest.raises(DataError, match="NUL"):
        read_conll(find_file(path))


def test_a_zipped_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.conll.gz"
    path.write_bytes(gzip.compress(b"a B-X\nb O\n"))

    assert read_conll(find_file(path)).width == 2


def test_a_column_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, "a O\n", ("2", "-1"))

    assert str(caught.value) == (
        "train.conll has no column 2: it has 2 columns.\n"
        "  Give --text a number from 0 to 1, or a negative one to count from the end."
    )


def test_a_column_name_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, "word\tner\na\tO\n", ("word", "nre"))

    assert str(caught.value) == (
        "train.conll has no column 'nre'; its first line holds 'word', 'ner'.\n  Did you mean 'ner'?"
    )


@pytest.mark.parametrize(
    ("text", "header", "columns"),
    [
        ("a O\nb B-X\n", None, ("0", "-1")),
        ("word ner\nb B-X\n", None, ("word", "ner")),
        ("word ner\nb B-X\n", False, ("0", "-1")),
        ("x y\nb B-X\n", True, ("x", "y")),
        ("id word ner\n1 b B-X\n", None, ("word", "ner")),
        ("1 a X O\n2 b X B-X\n", None, ("1", "-1")),
    ],
)
def test_columns_are_found(text: str, header: bool | None, columns: tuple[str, str], tmp_path: Path) -> None:
    conll = read_conll(find_file(write(tmp_path, "a.txt", text)))

    assert find_columns(conll, header=header) == columns


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("1 it X O\n2 berlin X B-LOC\n3 is X O\n\n" * 5 + "_ it X O\n", "1"),
        ("idx form upos ne_tag\n1 it X O\n2 berlin X B-LOC\n", "1"),
        ("0 it X O\n1 berlin X B-LOC\n\n7 it X O\n9 is X O\n", "1"),
        ("3 2 X O\n1 0 X O\n7 5 X O\n2 won X O\n2 berlin X B-LOC\n", "0"),
        ("12 it X O\n- berlin X B-LOC\n4 is X O\n", "0"),
    ],
    ids=["a stray line", "a header with names of its own", "from 0, and with gaps", "numbers that do not count", "few"],
)
def test_numbers_of_the_tokens_are_no_words_though_a_line_is_written_otherwise(
    text: str, column: str, tmp_path: Path
) -> None:
    assert find_columns(read_conll(find_file(write(tmp_path, "a.txt", text))))[0] == column


def test_a_header_is_no_sentence(tmp_path: Path) -> None:
    assert tokens(read(tmp_path, "word\tner\n\na\tB-X\n", ("word", "ner"))) == ["a"]


def test_lines_of_conll_u_without_a_word_of_their_own_are_skipped_and_said(tmp_path: Path) -> None:
    text = "1\tJe\tO\n2-3\tdu\t_\n2\tde\tO\n3\tle\tO\n3.1\tx\t_\n4\tMans\tB-LOC\n"
    noted = notes()
    conll = read_conll(find_file(write(tmp_path, "a.conllu", text)))

    (found,) = read_sentences(conll, "1", "-1", noted)

    assert (found.tokens, found.rows) == (("Je", "de", "le", "Mans"), (1, 3, 4, 6))
    assert is_surely_conll(conll)
    assert noted.report(sentences_to_examples([found], noted)).warnings == (
        "train.conll: a line for several words (3-4) or for one that is not written (5.1) is skipped,"
        " 2 times (line 2; line 5).",
    )


def test_a_score_is_a_word_where_words_are_not_numbered(tmp_path: Path) -> None:
    assert tokens(read(tmp_path, "won O\n3-4 B-SCORE\n")) == ["won 3-4"]


def test_a_long_file_without_blank_lines_is_mentioned(tmp_path: Path) -> None:
    assert report(tmp_path, "a B-X\n" * 3000).warnings == (
        "train.conll has no blank line: all of it is one sentence of 3,000 words.",
    )


def test_a_table_of_tokens_is_known_by_its_names() -> None:
    assert _stdin_has_sentences("sentence_id\tword\ttag\n1\ta\tO\n")
    assert not _stdin_has_sentences("pos\tword\ttag\nx\ta\tO\n\nx\tb\tO\n")


def _stdin_has_sentences(text: str) -> bool:
    from io import BytesIO

    return has_sentence_column(read_conll(standard_input(BytesIO(text.encode()))))


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("a\tB-X\nb\tO\n", True),
        ("#\tfrom x [2009]\n1\ta\tO\tB-X\n2\tb\tO\tO\n", True),
        ("#begin document x\na B-X\nb O\n\n#end document\n", True),
        ("a X\nb O\n\nc O\n", False),
        ("take vitamin B-12\n", False),
        ("a long text\tB-1\nanother one\tO\n", False),
        ("a\tO\nb\tO\n", False),
        ("a B-X\nb O\n\n" * 5 + "c\n", True),
        ("a\tB-X\nb\tO\n\n" * 5 + "c\tLOC\n", True),
        ("a B-X\nb O\n" * 5 + "c\n", False),
        ("a\tB-X\nb\tO\n\n" * 5 + "c\tLOC\n" * 2, False),
        ("good\tA-1\n\nbad\tB-2\nworse\tC-3\n", False),
    ],
)
def test_only_tags_with_prefixes_are_sure(text: str, sure: bool, tmp_path: Path) -> None:
    assert is_surely_conll(read_conll(find_file(write(tmp_path, "a.txt", text)))) is sure


@pytest.mark.parametrize(
    ("text", "shaped"),
    [
        ("fly\nto\nRome\n\nhello\n", True),
        ("fly VB\nto IN\n\nhello UH\nall DT\n", True),
        ("fly verb\nRome noun\nof noun\n\nLyon noun\n", True),
        ("John Smith\nMary Jones\n\nOtto Brown\nAnna White\n", False),
        ("fly\nto\nRome\n", False),
        ("fly\n\nto\n\nRome\n", False),
        ("fly to Rome\nnow\n\nhello\nall\n", False),
        ("a\tvery good\nb\tbad\n\nc\tgood\nd\tbad\n", False),
        ("一" * 41 + "\n二\n\n三\n四\n", False),
        ("今天天气很好，我们去。\n他不在\n\n你好\n是\n", False),
        ("今天\n，\n我们\n。\n\n你好\n是\n", True),
    ],
)
def test_short_words_in_blocks_have_the_shape_of_tokens(text: str, shaped: bool, tmp_path: Path) -> None:
    assert has_shape_of_tokens(read_conll(find_file(write(tmp_path, "a.txt", text)))) is shaped


def test_a_file_of_comments_names_no_columns(tmp_path: Path) -> None:
    assert find_columns(read_conll(find_file(write(tmp_path, "a.conll", "#a O\n#b\n"))), header=True) == ("0", "-1")


def test_a_cell_of_very_many_digits_numbers_nothing(tmp_path: Path) -> None:
    line = "1" * 5000 + "\ta\tb\n"

    assert not is_surely_conll(read_conll(find_file(write(tmp_path, "a.tsv", line * 3))))


def test_blanks_beside_tabs_are_no_part_of_a_token(tmp_path: Path) -> None:
    assert tokens(read(tmp_path, "Berlin \tB-LOC\n is\t O\n\n")) == ["Berlin is"]


@given(examples=st.lists(sentences(), min_size=1, max_size=4), separator=st.sampled_from(["\t", " "]))
def test_what_is_written_is_read_back(examples: list[TaggedExample], separator: str) -> None:
    from io import BytesIO

    blocks = [
        "".join(f"{token}{separator}{tag}\n" for token, tag in zip(tokens_of(one), tags_of(one), strict=True))
        for one in examples
    ]
    noted = notes()

    conll = read_conll(standard_input(BytesIO("\n".join(blocks).encode())))
    back = sentences_to_examples(read_sentences(conll, "0", "-1", noted), noted)

    assert contents(back) == contents(examples)
    assert [one.words for one in back] == [one.words for one in examples]
    assert noted.report(back).sentences() == []

"""Two files of tokens and tags, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.data.parallel_tokens import find_pair, pair_name, read_pair
from fastbert.data.tagged_sentences import Sentence
from fastbert.data.tagging_notes import ReadOptions
from fastbert.errors import DataError
from tests.data.tagged import notes, write


def write_pair(folder: Path, tokens: str, tags: str) -> tuple[Path, Path]:
    return write(folder, "seq.in", tokens), write(folder, "seq.out", tags)


def test_lines_of_two_files_are_sentences(tmp_path: Path) -> None:
    pair = write_pair(tmp_path, "fly to  berlin \r\nhi\n\n", "O O B-city \nO\n")

    assert read_pair(*pair, notes()) == [
        Sentence(("fly", "to", "berlin"), ("O", "O", "B-city"), (1, 1, 1), text="fly to  berlin "),
        Sentence(("hi",), ("O",), (2,), text="hi"),
    ]


def test_different_numbers_of_lines_are_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "train"
    folder.mkdir()

    with pytest.raises(DataError) as caught:
        read_pair(*write_pair(folder, "a\nb\n", "O\n"), notes())

    assert str(caught.value) == (
        "train/seq.in has 2 lines, but train/seq.out has 1.\n"
        "  Each line of one holds the tags of the same line of the other."
    )


def test_different_numbers_of_tokens_are_reported_with_their_lines(tmp_path: Path) -> None:
    noted = notes(name="seq.in")
    read_pair(*write_pair(tmp_path, "a\nb c\n\n d\n", "O\nO\nO\nO O\n"), noted)

    with pytest.raises(DataError) as caught:
        noted.report([])

    assert str(caught.value).splitlines() == [
        "seq.in: 3 lines cannot be read.",
        "  line 2: 2 tokens, but 1 tag",
        "  line 3: 0 tokens, but 1 tag",
        "  line 4: 1 token, but 2 tags",
        "  Every token has one tag; tokens are what stands between blanks.",
    ]


def test_an_empty_line_in_both_files_is_left_out_and_counted(tmp_path: Path) -> None:
    noted = notes()

    found = read_pair(*write_pair(tmp_path, "a\n\nb\n", "O\n\nO\n"), noted)

    assert [sentence.rows for sentence in found] == [(1,), (3,)]
    assert [len(rows) for rows in noted._skipped.values()] == [1]


def test_texts_to_predict_need_no_tags(tmp_path: Path) -> None:
    tokens = write(tmp_path, "seq.in", "a b\n")

    found = read_pair(tokens, tmp_path / "seq.out", notes(options=ReadOptions(labels_required=False)))

    assert found == [Sentence(("a", "b"), None, (1, 1), text="a b")]


def test_missing_tags_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="seq.out does not exist"):
        read_pair(write(tmp_path, "seq.in", "a b\n"), tmp_path / "seq.out", notes())


@pytest.mark.parametrize(
    ("source", "names", "pair"),
    [
        (".", (None, None), ("seq.in", "seq.out")),
        ("seq.in", (None, None), ("seq.in", "seq.out")),
        ("seq.out", (None, None), ("seq.in", "seq.out")),
        (".", ("words", "tags"), ("words", "tags")),
        ("words", ("words", "tags"), ("words", "tags")),
        ("dev.words", ("train.words", "train.tags"), ("dev.words", "dev.tags")),
        ("tags.txt", ("words.txt", "tags.txt"), ("words.txt", "tags.txt")),
    ],
)
def test_the_other_file_is_found(
    source: str, names: tuple[str | None, str | None], pair: tuple[str, str], tmp_path: Path
) -> None:
    assert find_pair(tmp_path / source, *names) == (tmp_path / pair[0], tmp_path / pair[1])


def test_a_file_is_named_with_its_folder(tmp_path: Path) -> None:
    assert pair_name(tmp_path / "train" / "seq.in") == "train/seq.in"

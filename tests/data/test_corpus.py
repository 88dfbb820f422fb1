"""Reading a corpus from files and folders, and holding a part of it out."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.corpus import Corpus, read_corpus, split_corpus
from fastbert.errors import DataError
from tests.helpers import write_csv
from tests.realdata import real_data


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_blank_lines_stand_between_documents_of_plain_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "One.\nTwo, with a comma; and more.\n \n\n  Three. \n")

    assert read_corpus([path]).documents == (("One.", "Two, with a comma; and more."), ("Three.",))


def test_a_table_with_the_columns_of_the_training_table_gives_those(tmp_path: Path) -> None:
    rows = [["Der Turm ist hoch.", "Das stimmt so nicht."], ["Die Bahn kommt nie.", "Das wissen wir auch."]]
    both = write_csv(tmp_path / "a.csv", ["kommentar", "antwort"], rows)
    other = write_csv(tmp_path / "b.csv", ["frage", "antwort"], rows)
    lone = write_csv(tmp_path / "c.csv", ["text"], [["Eins."]])
    plain = write(tmp_path / "d.txt", "Zwei.\n")

    corpus = read_corpus([both, lone, plain], usual=("kommentar",))

    assert [line for (line,) in corpus.documents] == ["Der Turm ist hoch.", "Die Bahn kommt nie.", "Eins.", "Zwei."]
    assert corpus.notes == ("Text: 'kommentar', as in the training table.",)
    with pytest.raises(DataError) as refused:
        read_corpus([other], usual=("kommentar",))
    assert "Call it 'kommentar', as in the training table; or adapt" in str(refused.value.hint)


def test_one_path_is_a_corpus(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "One.\n")

    assert read_corpus(str(path)) == read_corpus(path) == read_corpus([path])


def test_a_row_of_a_table_is_a_document_and_its_lines_are_sentences(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv", ["text", "label"], [["Good film.<br /><br />Bad end.", 1], ["", 0], ["Fine.", 0]]
    )

    corpus = read_corpus([path])

    assert corpus.documents == (("Good film.", "Bad end."), ("Fine.",))
    assert "2 HTML line breaks (<br />) were read as line ends." in corpus.notes
    assert "1 row without text left out." in corpus.notes


def test_a_named_column_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "no", "body": "yes"}\n{"text": "no", "body": ["one", "two"]}\n')

    assert read_corpus([path], text=["body"]).documents == (("yes",), ("one", "two"))


def test_a_column_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["review", "stars"], [["a b", 1]])

    with pytest.raises(DataError, match=r"a.csv has no column 'revew'. Its columns are: 'review', 'stars'") as error:
        read_corpus([path], text=["revew"])
    assert error.value.hint == "Did you mean 'review'?"


def test_a_folder_is_read_in_the_order_of_names_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    write(tmp_path / "b.txt", "second")
    write(tmp_path / "a" / "x.jsonl", '{"text": "first"}\n')
    write(tmp_path / "empty.txt", "\n\n")
    write(tmp_path / "code.py", "import this")
    write(tmp_path / ".hidden" / "h.txt", "hidden")
    with gzip.open(tmp_path / "c.txt.gz", "wt", encoding="utf-8") as stream:
        stream.write("third")

    corpus = read_corpus([tmp_path])

    assert corpus.documents == (("first",), ("second",), ("third",))
    assert corpus.notes == ("1 file without text: 'empty.txt'.", "1 file of other kinds left out: '.py'.")


def test_standard_input_is_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one, two\n\nthree\n")))

    assert read_corpus(["-"]).documents == (("one, two",), ("three",))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.bin", b"\x7fELF\0\0\0\0\0\0\xff", "a NUL character"),
        ("a.txt", b"", "There is no text in"),
        ("a.txt", b"\n \n", "There is no text in"),
        ("a.csv", b"", "a.csv is empty"),
        ("a.txt", "gut\u00e9 \u4e2d\u6587\n".encode() * 9 + b"\xff\xfe\n", "is not UTF-8, but most of the file is"),
        ("a.zip", b"PK\x03\x04", "is a zip archive"),
    ],
)
def test_bad_files_are_refused(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DataError, match=message):
        read_corpus([tmp_path / name])


def test_a_folder_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder without text to read: it is empty"):
        read_corpus([tmp_path])
    write(tmp_path / "a.py", "x")
    with pytest.raises(DataError, match="its 1 file are of other kinds"):
        read_corpus([tmp_path])


def test_no_path_is_refused() -> None:
    with pytest.raises(DataError, match="No corpus was given"):
        read_corpus([])


DOCUMENTS = st.lists(st.tuples(st.text("abc", min_size=1, max_size=3)), min_size=2, max_size=60)


@given(DOCUMENTS, st.floats(0.01, 0.9))
def test_a_split_loses_nothing_and_leaks_nothing(documents: list[tuple[str, ...]], share: float) -> None:
    if len(set(documents)) < 2:
        return
    train, valid = split_corpus(Corpus(tuple(documents)), share)

    assert sorted(train.documents + valid.documents) == sorted(documents)
    assert train.documents and valid.documents
    assert not set(train.documents) & set(valid.documents)


def test_a_document_stays_on_its_side_when_others_come() -> None:
    documents = tuple((f"document {number}",) for number in range(400))
    _, before = split_corpus(Corpus(documents[:200]))
    _, after = split_corpus(Corpus(documents))

    assert set(before.documents) == set(after.documents) & set(documents[:200])
    assert 5 <= len(after.documents) <= 40


def test_one_long_document_is_cut_into_sections_to_hold_some_out() -> None:
    lines = tuple(f"line {number}" for number in range(200))
    train, valid = split_corpus(Corpus((lines,)))

    assert sorted(line for document in train.documents + valid.documents for line in document) == sorted(lines)
    assert {len(document) for document in train.documents} == {5}
    assert train.notes[-1].startswith("1 document of more than a twentieth of the lines cut into 40 sections")


def test_two_documents_can_be_held_out_in_any_case() -> None:
    documents = tuple((f"document {number}",) for number in range(30))

    assert len(split_corpus(Corpus(documents), 0.001, pairs=True)[1].documents) == 2


def test_a_book_among_short_documents_is_not_held_out_whole() -> None:
    book = tuple(f"line {number}" for number in range(400))
    shorts = tuple((f"short {number}",) for number in range(40))

    for name in range(30):  # each book has another place
        train, valid = split_corpus(Corpus((*shorts, (f"book {name}", *book))))
        assert valid.num_lines < train.num_lines / 3


def test_documents_stay_whole_for_pairs() -> None:
    documents = tuple(tuple(f"line {number} of {name}" for number in range(50)) for name in range(4))
    train, valid = split_corpus(Corpus(documents), pairs=True)

    assert sorted(train.documents + valid.documents) == sorted(documents) and len(valid.documents) == 2


@pytest.mark.parametrize(
    ("documents", "pairs", "message"),
    [
        (
            [("a", "b"), ("c", "d"), ("e", "f")],
            True,
            "3 of them different. Next-sentence prediction needs four documents",
        ),
        ([("a", "b")] * 9, True, "1 of them different"),
        ([("a",)] * 30, False, "All documents are the same"),
    ],
)
def test_what_cannot_be_divided_is_refused_with_the_cause(
    documents: list[tuple[str, ...]], pairs: bool, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        split_corpus(Corpus(tuple(documents)), pairs=pairs)


def test_one_line_is_too_little() -> None:
    with pytest.raises(DataError, match="The corpus holds 1 document, 1 line, 9 characters: nothing can be held out"):
        split_corpus(Corpus((("only line",),)))


def test_real_corpora_are_read() -> None:
    reviews = read_corpus([real_data("imdb/unsup.jsonl.gz")])
    apps = read_corpus([real_data("app_reviews_unlabelled")])
    wiki = read_corpus([real_data("wikitext2")])

    assert (len(reviews.documents), len(apps.documents), len(wiki.documents)) == (10_000, 10_000, 2_480)
    assert not any("<br" in line for document in reviews.documents for line in document)


def test_models_in_a_folder_are_no_text(tmp_path: Path) -> None:
    """Such as an earlier run wrote beside the texts."""
    (tmp_path / "a.txt").write_text("one\n\ntwo\n", encoding="utf-8")
    (tmp_path / "m" / "exports").mkdir(parents=True)
    for name in ("bundle.json", "config.json", "exports/a.txt"):
        (tmp_path / "m" / name).write_text("{}", encoding="utf-8")

    corpus = read_corpus(tmp_path)

    assert corpus.documents == (("one",), ("two",))
    assert corpus.notes == ("1 folder of models left out: 'm'.",)


def test_tags_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("paris B-LOC\nis O\n\nbig O\ntown O\n\nbroken\n", encoding="utf-8")

    corpus = read_corpus(tmp_path / "a.conll")

    assert corpus.documents == (("paris is",), ("big town",))
    assert corpus.notes[0] == "a.conll is tagged; its tags are left out."
    assert corpus.notes[1].startswith("1 of 3 rows of a.conll left out: a line has not as many columns")


def test_marks_where_files_were_joined_are_blank(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\ufeff\n\ufefftwo\n", encoding="utf-8")

    assert read_corpus(tmp_path / "a.txt").documents == (("one",), ("two",))


def test_a_text_is_no_path() -> None:
    with pytest.raises(DataError, match="cannot be opened as a file"):
        read_corpus(["x" * 5000])


def test_a_column_by_its_number_is_taken_only_where_it_is_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("".join(f"{row},the app number {row}\n" for row in range(9)), encoding="utf-8")

    corpus = read_corpus(tmp_path / "a.csv", header=False, usual=("0",))

    assert corpus.documents[0] == ("the app number 0",)

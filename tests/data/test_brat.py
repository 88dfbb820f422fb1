"""BRAT documents: entities of standoff files, and texts divided at line breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.data.brat import find_documents, find_texts, read_documents, split_document
from fastbert.data.examples import Entity, TaggedExample
from fastbert.data.spans import RawSpan, SpanRecord
from fastbert.data.tagging_notes import ReadOptions
from fastbert.errors import DataError
from tests.data.tagged import notes, write


def write_document(folder: Path, text: str, annotations: str, name: str = "a") -> Path:
    write(folder, f"{name}.ann", annotations)
    return write(folder, f"{name}.txt", text)


def read(folder: Path, *, skip: bool = False, required: bool = True) -> tuple[list[SpanRecord], list[str]]:
    noted = notes(unit="document", name="corpus", options=ReadOptions(labels_required=required, skip=skip))
    records = read_documents(find_documents(folder), folder, noted)
    return records, noted.report([TaggedExample("a", (Entity(0, 1, "X"),))]).sentences()


def test_entities_are_read_and_other_lines_are_not(tmp_path: Path) -> None:
    other = "R1\tlives Arg1:T1 Arg2:T2\nE1\tMove:T1\nA1\tNeg E1\n#1\tNote T1\tx\n*\tEquiv T1 T2\nN1\tReference T1 x\n"
    write_document(tmp_path, "Maria lives", f"T1\tPER 0 5\tMaria\r\n\n{other}")

    records, said = read(tmp_path)

    assert records == [SpanRecord(1, "Maria lives", (RawSpan(0, 5, "PER", "Maria", "a.ann, line 1"),), "a", "a")]
    assert said == []


def test_the_gaps_of_an_entity_in_parts_are_kept(tmp_path: Path) -> None:
    write_document(tmp_path, "north and south Rome", "T1\tLOC 0 5;10 15;16 20\tnorth south Rome\n")

    (span,) = read(tmp_path)[0][0].spans or ()

    assert (span.start, span.end, span.gaps) == (0, 20, ((5, 10), (15, 16)))


def test_documents_of_subfolders_are_called_by_their_path(tmp_path: Path) -> None:
    for name in ("sub", "other"):
        (tmp_path / name).mkdir()
        write_document(tmp_path / name, "Ana", "T1\tPER 0 3\tAna\n")
    (tmp_path / "plain").mkdir()
    write(tmp_path / "plain", "readme.txt", "of no folder with annotations")

    records, _ = read(tmp_path)

    assert [(record.place, record.group) for record in records] == [("other/a", "other/a"), ("sub/a", "sub/a")]
    assert [span.place for span in records[1].spans or ()] == ["sub/a.ann, line 1"]
    assert len(find_texts(tmp_path)) == 3


def test_a_missing_file_of_a_subfolder_is_called_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", "b.ann", "")

    with pytest.raises(DataError, match="corpus, document 1: sub/b.ann has no b.txt beside it"):
        read(tmp_path)


@pytest.mark.parametrize("line", ["T1 PER 0 5 Maria", "T1\tPER 0\tMaria", "T1\tPER a b\tMaria", "hello"])
def test_a_line_that_is_no_annotation_is_reported(line: str, tmp_path: Path) -> None:
    write_document(tmp_path, "Maria", f"\n{line}\n")

    with pytest.raises(DataError, match=r"corpus, document 1: a.ann, line 2: '.*' is no annotation"):
        read(tmp_path)


def test_a_text_without_annotations_is_reported(tmp_path: Path) -> None:
    write_document(tmp_path, "a", "", name="a")
    write(tmp_path, "b.txt", "b")

    with pytest.raises(DataError, match=r"corpus, document 2: b.txt has no b.ann beside it.*") as caught:
        read(tmp_path)
    assert "an empty one says that the text has no entities" in str(caught.value)


def test_annotations_without_a_text_are_reported(tmp_path: Path) -> None:
    write(tmp_path, "b.ann", "")

    with pytest.raises(DataError, match="corpus, document 1: b.ann has no b.txt beside it"):
        read(tmp_path)


def test_bad_documents_are_left_out_if_the_user_says_so(tmp_path: Path) -> None:
    write_document(tmp_path, "a", "")
    write_document(tmp_path, "b", "x\ny\n", name="b")

    records, said = read(tmp_path, skip=True)

    assert [record.place for record in records] == ["a"]
    assert said == ["1 of 2 rows of corpus left out: a line is no annotation (row 2)."]


def test_an_empty_text_is_left_out_and_counted(tmp_path: Path) -> None:
    write_document(tmp_path, "", "")

    assert read(tmp_path) == ([], ["1 of 2 rows of corpus left out: the text is empty (row 1)."])


def test_texts_to_predict_need_no_annotations(tmp_path: Path) -> None:
    write_document(tmp_path, "a", "")
    write(tmp_path, "b.txt", "b")

    assert [record.spans for record in read(tmp_path, required=False)[0]] == [(), None]


def test_one_document_may_be_named_by_either_file(tmp_path: Path) -> None:
    text = write_document(tmp_path, "a", "")

    assert find_documents(text) == find_documents(tmp_path / "a.ann") == [text]


@pytest.mark.parametrize("name", ["b.txt", "b.csv"])
def test_a_file_without_annotations_is_no_document(name: str, tmp_path: Path) -> None:
    assert find_documents(write(tmp_path, name, "x")) == []


def test_a_text_is_divided_at_the_line_breaks_that_no_entity_crosses() -> None:
    text = "Ana\r\n\n  in New\nYork.\nBonn"
    entities = (Entity(0, 3, "P"), Entity(11, 19, "L"), Entity(21, 25, "L"))

    parts = list(split_document(SpanRecord(1, text, (), "a", "a"), entities))

    assert parts == [
        TaggedExample("Ana", (Entity(0, 3, "P"),), None, "a.txt, line 1", "a", row=1, offset=0),
        TaggedExample("  in New\nYork.", (Entity(5, 13, "L"),), None, "a.txt, line 3", "a", row=3, offset=6),
        TaggedExample("Bonn", (Entity(0, 4, "L"),), None, "a.txt, line 5", "a", row=5, offset=21),
    ]


def test_lines_to_predict_have_no_entities() -> None:
    parts = split_document(SpanRecord(1, "a\nb\n", None, "a", "a"), None)

    assert [(part.text, part.entities) for part in parts] == [("a", None), ("b", None)]

"""Which format tagged text is in, and what is surely tagged text."""

from __future__ import annotations

import gzip
import json
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from fastbert.data.sources import Source
from fastbert.data.tagging_detection import detect_tagging, looks_tagged
from fastbert.data.tagging_layout import TaggingLayout
from fastbert.errors import DataError
from tests.data.tagged import write, write_json_lines
from tests.realdata import real_data

CONLL = "Berlin B-LOC\nis O\n\nbig O\n"
KAGGLE = "Sentence #,Word,Tag\nSentence: 1,a,O\n,London,B-geo\nSentence: 2,b,O\n,c,O\n"
RECORD = {"text": "Fly to Berlin", "label": [[7, 13, "LOC"]]}
LISTS = {"tokens": ["a", "b"], "ner_tags": ["O", "B-X"]}
STUDIO = [
    {
        "data": {"text": "Rome"},
        "annotations": [{"result": [{"value": {"start": 0, "end": 4, "labels": ["LOC"]}, "type": "labels"}]}],
    }
]


def files(folder: Path, **contents: str) -> Path:
    for name, text in contents.items():
        write(folder, name.replace("_", "."), text)
    return folder


def test_a_detection_gives_its_reasons(tmp_path: Path) -> None:
    assert detect_tagging(write(tmp_path, "a.txt", CONLL)) == TaggingLayout(
        "conll",
        "0",
        "-1",
        None,
        "IOB2",
        (
            "CoNLL: a token on each line in the first column, its tag in the last.",
            "Tags: IOB2, because entities begin with B-.",
        ),
    )


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.conll", CONLL, ("conll", "0", "-1", None, "IOB2")),
        ("a.tsv", CONLL.replace(" ", "\t"), ("conll", "0", "-1", None, "IOB2")),
        ("a.unknown", "[ O\nRome I-LOC\n", ("conll", "0", "-1", None, "IOB1")),
        ("a.tsv", "word\tner\nRome\tB-LOC\n\na\tO\n", ("conll", "word", "ner", None, "IOB2")),
        ("a.csv", KAGGLE, ("token_table", "Word", "Tag", "Sentence #", "IOB2")),
        ("a.tsv", KAGGLE.replace(",", "\t"), ("token_table", "Word", "Tag", "Sentence #", "IOB2")),
        ("a.jsonl", json.dumps(RECORD), ("spans", "text", "label", None, None)),
        ("a.json", json.dumps(STUDIO, indent=2), ("spans", "text", "annotations", None, None)),
        ("a.txt", json.dumps([["Rome", {"entities": [[0, 4, "LOC"]]}]]), ("spans", None, "entities", None, None)),
        ("a.jsonl", json.dumps(LISTS), ("token_table", "tokens", "ner_tags", None, "IOB2")),
    ],
)
def test_a_file_is_detected_and_surely_tagged(
    name: str, text: str, found: tuple[str | None, ...], tmp_path: Path
) -> None:
    path = write(tmp_path, name, text)
    layout = detect_tagging(path)

    assert (layout.format, layout.text, layout.tag, layout.sentence, layout.scheme) == found
    assert looks_tagged(path)


@pytest.mark.parametrize(
    ("source", "format"),
    [
        ([RECORD], "spans"),
        ([("Rome", {"entities": [(0, 4, "LOC")]})], "spans"),
        ([LISTS], "token_table"),
        (pd.read_csv(StringIO(KAGGLE)), "token_table"),
    ],
    ids=["records", "pairs", "lists", "frame"],
)
def test_data_in_memory_is_detected_and_surely_tagged(source: Source, format: str) -> None:
    assert detect_tagging(source).format == format
    assert looks_tagged(source)


@pytest.mark.parametrize("source", [".", "seq.in", "seq.out"])
def test_two_files_are_detected_by_their_names(source: str, tmp_path: Path) -> None:
    folder = files(tmp_path, seq_in="fly to rome\n", seq_out="O O B-city\n")

    layout = detect_tagging(folder / source)

    assert (layout.format, layout.text, layout.tag, layout.scheme) == ("parallel", "seq.in", "seq.out", "IOB2")
    assert looks_tagged(folder / source)


def test_two_files_may_be_named(tmp_path: Path) -> None:
    folder = files(tmp_path, words_txt="fly to rome\n", tags_txt="O O B-city\n")

    named = detect_tagging(folder, text="words.txt", tag="tags.txt")

    assert (named.format, named.text, named.tag) == ("parallel", "words.txt", "tags.txt")
    assert named == detect_tagging(folder / "words.txt", tag="tags.txt")


@pytest.mark.parametrize("source", [".", "a.txt", "a.ann"])
def test_brat_is_detected_by_its_files(source: str, tmp_path: Path) -> None:
    folder = files(tmp_path, a_txt="Rome", a_ann="T1\tLOC 0 4\tRome\n")

    assert detect_tagging(folder / source) == TaggingLayout(
        "brat", None, None, None, None, ("BRAT: a text with annotations (.ann) beside.",)
    )
    assert looks_tagged(folder / source)


def test_columns_may_be_chosen(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "1 Rome B-LOC X\n2 is O Y\n")

    layout = detect_tagging(path, text="1", tag="-2")

    assert (layout.text, layout.tag, layout.scheme) == ("1", "-2", "IOB2")


def test_the_tag_of_a_table_is_a_column_whatever_files_are_beside(tmp_path: Path) -> None:
    write(tmp_path, "Tag", "x")

    assert detect_tagging(write(tmp_path, "a.csv", KAGGLE), tag="Tag").format == "token_table"


def test_plain_tags_are_detected_but_not_certain(tmp_path: Path) -> None:
    path = write(tmp_path, "a.tsv", "Rome\tLOC\nis\tO\n\nbig\tO\n")

    assert detect_tagging(path).scheme == "plain"
    assert not looks_tagged(path)


def test_records_whose_tags_are_numbers_are_refused_for_their_tags(tmp_path: Path) -> None:
    """As JSON lines of `datasets` are, which do not tell the names."""
    path = tmp_path / "ner.jsonl"
    path.write_text('{"tokens": ["EU", "rejects"], "ner_tags": [3, 0]}\n' * 3, encoding="utf-8")

    with pytest.raises(DataError, match=r"ner.jsonl: the tags \('0', '3', ...\) mark no entities"):
        detect_tagging(path)


def test_parts_of_speech_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.tsv: the tags \('NOUN', 'VERB', ...\) mark no entities"):
        detect_tagging(write(tmp_path, "a.tsv", "a\tNOUN\nb\tVERB\n\nc\tNOUN\n"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "Some text of several\nlines, and more.\n"),
        ("a.csv", "text,label\nvery good,positive\nnot so good,negative\n"),
        ("a.tsv", "text\tlabel\nvery good\tpositive\nnot so good\tnegative\n"),
        ("a.jsonl", '{"text": "a", "label": "b"}\n{"text": "c", "label": "d"}\n'),
        ("a.jsonl", '{"text": "a", "label": ["b", "c", "d"]}\n'),
        ("a.json", '{"version": "1.1", "data": [{"title": "a", "paragraphs": []}]}'),
        ("a.json", '[{"question": "a", "context": "b", "answers": {"text": ["b"], "answer_start": [0]}}]'),
    ],
)
def test_other_files_are_not_tagged_and_all_formats_are_named(name: str, text: str, tmp_path: Path) -> None:
    path = write(tmp_path, name, text)

    assert not looks_tagged(path)
    with pytest.raises(DataError) as caught:
        detect_tagging(path)
    shown = str(caught.value)
    assert [word in shown for word in ("CoNLL", "seq.in", "JSON", "BRAT", "sentence_id")] == [True] * 5


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, "a.conll", "\n")

    assert not looks_tagged(path)
    with pytest.raises(DataError, match="a.conll is empty; expected tagged text"):
        detect_tagging(path)


def test_a_binary_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0")

    assert not looks_tagged(path)
    with pytest.raises(DataError, match=r"a.bin"):
        detect_tagging(path)


def test_a_binary_file_of_spacy_is_named(tmp_path: Path) -> None:
    path = tmp_path / "train.spacy"
    path.write_bytes(b"x\x9c\0\1")

    assert not looks_tagged(path)
    with pytest.raises(
        DataError, match=r"train.spacy is a binary file of spaCy .*\n  Write its documents as JSON lines"
    ):
        detect_tagging(path)


def test_an_export_with_an_unclear_text_is_surely_tagged_and_its_key_is_asked_for(tmp_path: Path) -> None:
    records = [{**STUDIO[0], "data": {"title": "Rome", "review": "Rome"}}]
    path = write(tmp_path, "a.json", json.dumps(records))

    assert looks_tagged(path)
    assert detect_tagging(path, text="title").text == "title"
    with pytest.raises(DataError, match=r"a.json: The data of a record holds the texts .*\n  Name its key with --text"):
        detect_tagging(path)


@pytest.mark.parametrize("source", ["missing.conll", "x" * 5000, "a\0b"])
def test_a_missing_file_is_an_error(source: str) -> None:
    assert not looks_tagged(source)
    with pytest.raises(DataError, match="does not exist|cannot be opened"):
        detect_tagging(source)


def test_a_folder_of_other_files_is_an_error(tmp_path: Path) -> None:
    folder = files(tmp_path, a_csv=KAGGLE)

    assert not looks_tagged(folder)
    with pytest.raises(DataError, match="The folder .* is in none of the formats of tagged text"):
        detect_tagging(folder)


def test_standard_input_is_not_touched() -> None:
    assert not looks_tagged("-")
    with pytest.raises(DataError, match="cannot be detected on standard input"):
        detect_tagging("-")


def test_a_list_of_texts_is_not_tagged() -> None:
    assert not looks_tagged(["a", "b"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_only_the_beginning_of_a_large_file_is_looked_at(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes((("Göteborg B-LOC\nis O\n\n" * 8000) + "no tags here\n").encode(encoding))

    assert looks_tagged(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_large_table_may_be_cut_in_a_cell_of_several_lines(encoding: str, newline: str, tmp_path: Path) -> None:
    for length in range(9):  # wherever the cut falls
        rows = "".join(f"{number},\"a{'a' * length}\nb\",\"['O', 'B-X']\"\n" for number in range(3000))
        path = tmp_path / f"{length}.csv"
        path.write_bytes(("id,text,tags\n" + rows).replace("\n", newline).encode(encoding))

        assert looks_tagged(path)


def test_the_beginning_of_a_large_array_is_enough(tmp_path: Path) -> None:
    assert looks_tagged(write(tmp_path, "a.json", json.dumps([RECORD] * 3000)))


@pytest.mark.parametrize("text", ["a long text " * 9000, "a"])
def test_a_first_record_may_be_long(text: str, tmp_path: Path) -> None:
    spans = [[0, 1, "LOC"]] * (1 if len(text) > 1 else 9000)
    lines = write_json_lines(tmp_path, {"text": text, "label": spans}, RECORD)
    array = write(tmp_path, "a.json", json.dumps([{"text": text, "label": spans}, RECORD]))

    assert looks_tagged(lines) and looks_tagged(array)


def test_a_zipped_file_is_detected(tmp_path: Path) -> None:
    path = tmp_path / "a.conll.gz"
    path.write_bytes(gzip.compress(CONLL.encode()))

    assert looks_tagged(path)
    assert detect_tagging(path).format == "conll"


def test_a_spreadsheet_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    pd.read_csv(StringIO(KAGGLE)).to_excel(path, index=False)

    assert looks_tagged(path)
    assert detect_tagging(path).sentence == "Sentence #"


def test_spans_are_found_far_behind_in_json_lines(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path, *[{"text": "a", "label": []}] * 300, RECORD)

    assert detect_tagging(path).tag == "label"


def test_many_first_records_may_have_nothing_marked(tmp_path: Path) -> None:
    assert looks_tagged(write_json_lines(tmp_path, *[{"text": "a", "label": []}] * 300, RECORD))


@pytest.mark.parametrize(
    ("name", "content", "other"),
    [
        ("a.txt", "Berlin\tB-LOC\tNNP\nis\tO\tVB\n\nbig\tO\tJJ\n", "1"),
        ("a.tsv", "word\tner\tpos\nRome\tB-LOC\tNNP\n\na\tO\tDT\n", "ner"),
    ],
)
def test_a_column_that_is_named_is_looked_at(name: str, content: str, other: str, tmp_path: Path) -> None:
    path = write(tmp_path, name, content)

    assert not looks_tagged(path)
    assert looks_tagged(path, tag=other) and not looks_tagged(path, tag="2")


def test_lists_in_csv_are_tagged_only_if_they_hold_tags(tmp_path: Path) -> None:
    tagged = write(tmp_path, "a.csv", "Sentence #,Sentence,Tag\n1,fly to Rome,\"['O', 'O', 'B-geo']\"\n")
    topics = write(tmp_path, "b.csv", "text,tags\nfly to,\"['travel', 'air']\"\n")
    tabs = write(tmp_path, "a.tsv", "Sentence #\tSentence\tTag\n1\tfly to Rome\t['O', 'O', 'B-geo']\n")

    assert looks_tagged(tagged) and not looks_tagged(topics)
    assert looks_tagged(tabs) and detect_tagging(tabs) == detect_tagging(tagged)
    assert detect_tagging(tagged).text == "Sentence"


def test_a_label_beside_the_tags_may_be_meant(tmp_path: Path) -> None:
    lists = write_json_lines(tmp_path, {**LISTS, "intent": "book"}, name="lists.jsonl")
    spans = write_json_lines(tmp_path, {**RECORD, "intent": "book"}, name="spans.jsonl")

    assert [looks_tagged(path) for path in (lists, spans)] == [True, True]
    assert [looks_tagged(path, tag="intent") for path in (lists, spans)] == [False, False]
    assert looks_tagged(lists, text="tokens", tag="ner_tags") and looks_tagged(spans, text="text", tag="label")


@pytest.mark.parametrize(
    ("name", "format"),
    [("wnut17/wnut17train.conll", "conll"), ("wnut17/emerging.test.annotated", "conll"), ("snips/dev", "parallel")],
)
def test_real_data_is_surely_tagged(name: str, format: str) -> None:
    source = real_data(name)

    assert looks_tagged(source)
    assert detect_tagging(source).format == format


@pytest.mark.parametrize(
    "name", ["cola/in_domain_dev.tsv", "sst2/dev.tsv", "mrpc/dev.tsv", "jigsaw_sample/val.csv", "goemotions/dev.tsv"]
)
def test_real_tables_of_texts_are_not_tagged(name: str) -> None:
    assert not looks_tagged(real_data(name))

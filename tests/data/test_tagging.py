"""Tagged text of every format as examples: what is written is read back."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbert.data.examples import Entity, TaggedExample
from fastbert.data.sources import Source
from fastbert.data.tagging import TaggingLayout, detect_tagging, entity_labels, read_tagged
from fastbert.errors import DataError
from fastbert.labels import Labels
from tests.data.tagged import contents, sentences, tags_of, tokens_of, write, write_json_lines
from tests.realdata import real_data

CONLL = TaggingLayout("conll", "0", "-1", None, "IOB2")
SPANS = TaggingLayout("spans", "text", "label", None, None)


def read(source: Source) -> list[TaggedExample]:
    """Return the examples of a source that is detected and read without a word."""
    examples, report = read_tagged(source, detect_tagging(source))
    assert report.sentences() == []
    return examples


some = st.lists(sentences(), min_size=1, max_size=3)


@settings(max_examples=40)
@given(some)
def test_two_files_are_read_back(examples: list[TaggedExample]) -> None:
    with TemporaryDirectory() as folder:
        write(Path(folder), "seq.in", "".join(one.text + "\n" for one in examples))
        write(Path(folder), "seq.out", "".join(" ".join(tags_of(one)) + "\n" for one in examples))

        back = read(folder)

    assert contents(back) == contents(examples)
    assert [one.words for one in back] == [one.words for one in examples]


def triples(example: TaggedExample) -> list[list[object]]:
    return [[one.start, one.end, one.label] for one in example.entities or ()]


@settings(max_examples=40)
@given(some)
def test_spans_are_read_back(examples: list[TaggedExample]) -> None:
    with TemporaryDirectory() as folder:
        records = [{"text": one.text, "label": triples(one)} for one in examples]

        assert contents(read(write_json_lines(Path(folder), *records))) == contents(examples)


@given(some)
def test_records_in_memory_are_read_back(examples: list[TaggedExample]) -> None:
    assert contents(read([(one.text, {"entities": triples(one)}) for one in examples])) == contents(examples)


@settings(max_examples=40)
@given(some)
def test_brat_is_read_back(examples: list[TaggedExample]) -> None:
    text = ""
    lines: list[str] = []
    for one in examples:
        for entity in one.entities or ():
            start, end = entity.start + len(text), entity.end + len(text)
            lines.append(f"T{len(lines)}\t{entity.label} {start} {end}\t{one.text[entity.start : entity.end]}\n")
        text += one.text + "\n"
    with TemporaryDirectory() as folder:
        write(Path(folder), "a.txt", text)
        write(Path(folder), "a.ann", "".join(lines))

        assert contents(read(folder)) == contents(examples)


@given(some)
def test_a_table_of_tokens_is_read_back(examples: list[TaggedExample]) -> None:
    rows = [
        (number, token, tag)
        for number, one in enumerate(examples)
        for token, tag in zip(tokens_of(one), tags_of(one), strict=True)
    ]

    assert contents(read(pd.DataFrame(rows, columns=["sentence_id", "token", "tag"]))) == contents(examples)


def test_examples_know_their_place(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path, {"text": "a", "label": [[0, 1, "X"]]}, {"text": "b", "label": []})

    assert [one.where for one in read(path)] == ["train.jsonl, row 1", "train.jsonl, row 2"]


def test_offsets_of_another_unit_are_converted_and_that_is_said(tmp_path: Path) -> None:
    value = {"start": 3, "end": 7, "text": "Rome", "labels": ["LOC"]}
    task = {"data": {"text": "😀 Rome"}, "annotations": [{"result": [{"value": value, "type": "labels"}]}]}
    path = write(tmp_path, "a.json", json.dumps([task]))

    examples, report = read_tagged(path, detect_tagging(path))

    assert examples[0].entities == (Entity(2, 6, "LOC"),)
    assert "the offsets count UTF-16 units" in report.sentences()[0]


def test_a_validation_file_of_another_scheme_is_read_by_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, "dev.conll", "a I-X\nb B-X\n")

    examples, report = read_tagged(path, CONLL)

    assert examples[0].entities == (Entity(0, 1, "X"), Entity(2, 3, "X"))
    assert "its tags are IOB1" in report.sentences()[0]


def test_an_unknown_label_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "dev.conll", "a O\nb B-PRE\n")

    with pytest.raises(DataError) as caught:
        read_tagged(path, CONLL, labels=Labels(("LOC", "PER")), on_bad_row="skip")

    assert str(caught.value) == (
        "dev.conll, line 2: label 'PRE' is not one of the 2 labels (LOC, PER).\n  Did you mean 'PER'?"
    )


def test_texts_without_spans_can_be_predicted(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path, {"text": "a"}, {"text": "b"})

    examples, _ = read_tagged(path, SPANS, labels_required=False)

    assert contents(examples) == [("a", None), ("b", None)]


def test_a_list_of_texts_can_be_predicted() -> None:
    assert contents(read_tagged(["a", "b"], SPANS, labels_required=False)[0]) == [("a", None), ("b", None)]


@pytest.mark.parametrize("source", [".", "b.txt"])
def test_texts_without_annotations_can_be_predicted(source: str, tmp_path: Path) -> None:
    write(tmp_path, "b.txt", "one\ntwo\n")
    layout = TaggingLayout("brat", None, None, None, None)

    examples, _ = read_tagged(tmp_path / source, layout, labels_required=False)

    assert contents(examples) == [("one", None), ("two", None)]


@pytest.mark.parametrize(
    ("name", "text", "layout"),
    [
        ("a.conll", "a B-X\nb LOC\n\nc O\n", CONLL),
        ("a.jsonl", '{"text": "a b", "label": [[9, 8, "X"]]}\n{"text": "c", "label": "x"}\n', SPANS),
        ("a.csv", "s,w,t\n1,a,B-X\n1,b,\n2,c,O\n", TaggingLayout("token_table", "w", "t", "s", None)),
        ("seq.in", "a b\nc\n", TaggingLayout("parallel", "seq.in", "seq.out", None, None)),
        ("b.txt", "a b\nc\n", TaggingLayout("brat", None, None, None, None)),
        ("a.json", '[["a b", {"entities": [[0, 9, "X"]]}], ["c", {"entities": []}]]', replace(SPANS, text=None)),
        (
            "a.json",
            '[{"data": {"text": "a b"}, "annotations": [{"result": [{"value": {"labels": []}}]}]},'
            ' {"data": {"text": "c"}}]',
            replace(SPANS, tag="annotations"),
        ),
    ],
)
def test_texts_are_read_whatever_is_wrong_with_their_tags(
    name: str, text: str, layout: TaggingLayout, tmp_path: Path
) -> None:
    write(tmp_path, "seq.out", "O\n")
    write(tmp_path, "b.ann", "no annotation\n")

    examples, report = read_tagged(write(tmp_path, name, text), layout, texts_only=True)

    assert contents(examples) == [("a b", None), ("c", None)]
    assert report.sentences() == []


def test_a_table_without_header_is_read_by_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "1,a,O\n1,b,B-X\n2,c,O\n")

    examples, _ = read_tagged(path, TaggingLayout("token_table", "1", "2", "0", "IOB2"))

    assert contents(examples) == [("a b", (Entity(2, 3, "X"),)), ("c", ())]


@pytest.mark.parametrize(
    ("layout", "name", "text", "message"),
    [
        (CONLL, "a.jsonl", '{"text": "a"}\n', "a.jsonl is JSON, but in none of the formats of tagged text"),
        (SPANS, "a.conll", "a O\nb O\n", "a.conll: 2 rows cannot be read"),
        (replace(CONLL, format="brat"), "a.txt", "a", "holds no text with annotations"),
        (replace(CONLL, format="parallel", text="seq.in", tag="seq.out"), "a.in", "a\n", "a.out does not exist"),
        (TaggingLayout("token_table", "w", "t", "s", None), "a.csv", "a,b\nc,d\n", "has no column 'w'"),
    ],
)
def test_a_file_of_another_format_than_the_training_file_is_an_error(
    layout: TaggingLayout, name: str, text: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        read_tagged(write(tmp_path, name, text), layout)


@pytest.mark.parametrize("format", ["conll", "parallel", "brat"])
def test_formats_of_files_are_not_in_memory(format: str) -> None:
    layout = TaggingLayout.from_json({**CONLL.to_json(), "format": format})

    with pytest.raises(DataError, match="Expected the path of"):
        read_tagged([{"text": "a"}], layout)


def test_labels_are_sorted() -> None:
    examples = [TaggedExample("a b", (Entity(0, 1, "PER"), Entity(2, 3, "LOC")))]

    assert entity_labels(examples).names == ("LOC", "PER")


def test_texts_without_any_entity_cannot_be_trained_on() -> None:
    with pytest.raises(DataError) as caught:
        entity_labels([TaggedExample("a", ()), TaggedExample("b")])

    assert str(caught.value).startswith("None of the 2 texts has an entity.\n  Training needs some.")


@pytest.mark.parametrize(
    ("name", "num_sentences", "num_entities"),
    [
        ("wnut17/wnut17train.conll", 3394, 1975),
        ("wnut17/emerging.dev.conll", 1009, 836),
        ("wnut17/emerging.test.annotated", 1287, 1079),
        ("snips/train", 13084, 33958),
        ("snips/dev", 700, 1794),
        ("snips/test", 700, 1790),
    ],
)
def test_real_data_is_read_whole_and_without_a_word(name: str, num_sentences: int, num_entities: int) -> None:
    """The number of entities is that of the tags with B-, counted with grep."""
    examples = read(real_data(name))

    assert len(examples) == num_sentences
    assert sum(len(one.entities or ()) for one in examples) == num_entities


def test_a_kaggle_table_is_read(tmp_path: Path) -> None:
    text = "Sentence #,Word,Tag\nSentence: 1,a,O\n,London,B-geo\nSentence: 2,b,O\n,c,O\n"
    path = write(tmp_path, "ner.csv", text)

    assert contents(read(path)) == contents(read(pd.read_csv(StringIO(text)))) == [
        ("a London", (Entity(2, 8, "geo"),)),
        ("b c", ()),
    ]  # fmt: skip

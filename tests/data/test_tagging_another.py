"""A file beside the training file is read as it is written itself, whatever the training file was."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from fastbert.data.examples import Entity
from fastbert.data.files import standard_input
from fastbert.data.sources import Source
from fastbert.data.tagging import TaggingLayout, read_tagged
from fastbert.data.tagging_another import layout_of_another, layout_to_predict
from fastbert.errors import DataError
from tests.data.tagged import write, write_json_lines

CONLL = TaggingLayout("conll", "0", "-1", None, "IOB2")
NUMBERED = TaggingLayout("conll", "1", "-1", None, "IOB2")
PARALLEL = TaggingLayout("parallel", "seq.in", "seq.out", None, "IOB2")
DOCCANO = TaggingLayout("spans", "text", "label", None, None)
STUDIO = TaggingLayout("spans", "text", "annotations", None, None)
PAIRS = TaggingLayout("spans", None, "entities", None, None)
BRAT = TaggingLayout("brat", None, None, None, None)
TABLE = TaggingLayout("token_table", "token", "tag", "sentence_id", "IOB2")
TRAINED = (CONLL, NUMBERED, PARALLEL, DOCCANO, STUDIO, PAIRS, BRAT, TABLE)
SPAN = {"start": 7, "end": 11, "label": "city"}
STUDIO_SPAN = {"value": {"start": 7, "end": 11, "text": "Rome", "labels": ["city"]}, "type": "labels"}
TAGGED = "fly O\nto O\nRome B-city\n\nhello O\n"
FILES = {
    "a.conll": TAGGED,
    "a.txt": TAGGED,
    "numbered.conll": "1\tfly\tO\n2\tto\tO\n3\tRome\tB-city\n\n1\thello\tO\n",
    "tabs.tsv": TAGGED.replace(" ", "\t"),
    "named.csv": "Sentence #,Word,NER\n1,fly,O\n1,to,O\n1,Rome,B-city\n2,hello,O\n",
    "prodigy.jsonl": json.dumps({"text": "fly to Rome", "spans": [SPAN]}) + '\n{"text": "hello", "spans": []}\n',
    "keys.jsonl": '{"data": "fly to Rome", "labels": [[7, 11, "city"]]}\n{"data": "hello", "labels": []}\n',
    "pairs.json": '[["fly to Rome", {"entities": [[7, 11, "city"]]}], ["hello", {"entities": []}]]',
    "studio.json": json.dumps(
        [
            {"data": {"text": "fly to Rome"}, "annotations": [{"result": [STUDIO_SPAN]}]},
            {"data": {"text": "hello"}, "annotations": [{"result": []}]},
        ]
    ),
    "tokens.jsonl": '{"tokens": ["fly", "to", "Rome"], "ner_tags": ["O", "O", "B-city"]}\n'
    '{"tokens": ["hello"], "ner_tags": ["O"]}\n',
}
TABLES = ("prodigy.jsonl",)  # texts under the trained key are rows of a table where they are to be predicted


def texts(source: Source, trained: TaggingLayout, text: str | None = None) -> list[str] | None:
    """Return the texts to predict, None for a table or lines."""
    layout = layout_to_predict(source, trained, text)
    if layout is None:
        return None
    return [one.text for one in read_tagged(source, layout, texts_only=True)[0]]


def folder_of(place: Path, **contents: str) -> Path:
    place.mkdir()
    for name, text in contents.items():
        write(place, name.replace("_", "."), text)
    return place


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("trained", TRAINED, ids=lambda layout: f"{layout.format}-{layout.text}-{layout.tag}")
def test_a_file_is_measured_and_predicted_in_its_own_format(trained: TaggingLayout, name: str, tmp_path: Path) -> None:
    path = write(tmp_path, name, FILES[name])

    examples, _ = read_tagged(path, layout_of_another(path, trained))

    assert [(one.text, one.entities) for one in examples] == [("fly to Rome", (Entity(7, 11, "city"),)), ("hello", ())]
    assert texts(path, trained) == (None if name in TABLES else ["fly to Rome", "hello"])


@pytest.mark.parametrize("trained", TRAINED, ids=lambda layout: f"{layout.format}-{layout.text}-{layout.tag}")
def test_folders_are_predicted_with_tags_and_without(trained: TaggingLayout, tmp_path: Path) -> None:
    snips = folder_of(tmp_path / "snips", seq_in="fly to Rome\n", seq_out="O O B-city\n")
    brat = folder_of(tmp_path / "brat", a_txt="fly to Rome\n", a_ann="T1\tcity 7 11\tRome\n")
    no_tags = folder_of(tmp_path / "new", seq_in="fly to Rome\n")
    no_annotations = folder_of(tmp_path / "notes", a_txt="fly to Rome\n")

    assert [texts(place, trained) for place in (snips, brat, no_tags, no_annotations)] == [["fly to Rome"]] * 4
    with pytest.raises(DataError, match="The folder .* holds no texts to predict"):
        layout_to_predict(folder_of(tmp_path / "empty"), trained)


@pytest.mark.parametrize("trained", TRAINED, ids=lambda layout: f"{layout.format}-{layout.text}-{layout.tag}")
@pytest.mark.parametrize(
    "text",
    [
        "fly to Rome\nhello\n",
        "text\nfly to Rome\n",
        "Rome\n\nParis\n",
        "good morning\n\ngood night\n",
        "vitamin B-12\n",
    ],
)
def test_lines_of_text_are_no_tokens(text: str, trained: TaggingLayout, tmp_path: Path) -> None:
    assert layout_to_predict(write(tmp_path, "new.txt", text), trained) is None
    assert layout_to_predict(standard_input(BytesIO(text.encode())), trained) is None


def test_a_text_beside_the_list_of_its_tags_is_found_in_other_tables(tmp_path: Path) -> None:
    trained = TaggingLayout("token_table", "Sentence", "Tag", None, "IOB2")
    table, records = write(tmp_path, "a.csv", "Sentence\nfly to Rome\n"), write_json_lines(tmp_path, {"Sentence": "hi"})

    assert texts(table, trained) == ["fly to Rome"]
    assert (trained.text_columns, texts(records, trained)) == (("Sentence",), None)  # a table with that column
    assert replace(trained, text="tokens").text_columns == ("text",)


def test_a_long_first_line_is_a_line_of_text(tmp_path: Path) -> None:
    assert layout_to_predict(write(tmp_path, "new.txt", "word " * 20_000 + "\nshort\n"), CONLL) is None


@pytest.mark.parametrize("text", ["fly\nto\nRome\n\nhello\n", "fly VB\nto IN\nRome NNP\n\nhello UH\n"])
def test_tokens_without_tags_are_predicted(text: str, tmp_path: Path) -> None:
    plain, named = write(tmp_path, "a.txt", text), write(tmp_path, "a.conll", text)

    tabs = write(tmp_path, "a.tsv", text.replace(" ", "\t"))

    assert texts(plain, CONLL) == texts(standard_input(BytesIO(text.encode())), CONLL) == ["fly to Rome", "hello"]
    assert texts(tabs, CONLL) == ["fly to Rome", "hello"]
    assert texts(named, DOCCANO) == texts(named, CONLL) == ["fly to Rome", "hello"]
    assert texts(plain, DOCCANO) is None  # for all that is known they are lines


def test_texts_without_annotations_are_predicted_beside_those_with_some(tmp_path: Path) -> None:
    for name in ("s1", "s2"):
        (tmp_path / name).mkdir()
    write(tmp_path / "s1", "a.txt", "fly to Rome\n")
    write(tmp_path / "s1", "a.ann", "T1\tcity 7 11\tRome\n")
    write(tmp_path / "s2", "b.txt", "hello\n")

    assert texts(tmp_path, BRAT) == ["fly to Rome", "hello"]
    examples, report = read_tagged(tmp_path, BRAT)
    assert [one.text for one in examples] == ["fly to Rome"]
    assert report.sentences() == ["Texts in folders without any annotations (.ann) are not read: 's2/b.txt'."]


@pytest.mark.parametrize("trained", [CONLL, DOCCANO, TABLE], ids=lambda layout: layout.format)
def test_a_piped_table_of_tokens_is_known(trained: TaggingLayout) -> None:
    stream = standard_input(BytesIO(FILES["named.csv"].encode()))

    assert texts(stream, trained) == ["fly to Rome", "hello"]
    assert [one.text for one in read_tagged(stream, layout_of_another(stream, trained))[0]] == ["fly to Rome", "hello"]
    assert texts(standard_input(BytesIO(b"one token, a tag\nanother\n")), trained) is None


def test_a_long_first_record_is_predicted(tmp_path: Path) -> None:
    tasks = [{"data": {"text": "fly to Rome " * 9000}, "annotations": []}, {"data": {"text": "b"}, "annotations": []}]

    assert len(texts(write(tmp_path, "a.json", json.dumps(tasks)), STUDIO) or ()) == 2


def test_piped_tokens_are_known_and_their_column_may_be_named() -> None:
    stream = standard_input(BytesIO(TAGGED.encode()))

    assert texts(stream, DOCCANO) == texts(stream, DOCCANO, text="0") == ["fly to Rome", "hello"]
    with pytest.raises(DataError, match="standard input has no column 7"):
        layout_to_predict(stream, DOCCANO, "7")


def test_a_broken_line_is_reported_and_not_answered(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", TAGGED * 4 + "\nbroken\n")

    with pytest.raises(DataError, match="a.txt, line 22: 1 column found, most lines have 2"):
        texts(path, DOCCANO)


@pytest.mark.parametrize("task", [{"annotations": [], "predictions": []}, {}])
def test_new_tasks_of_label_studio_are_predicted(task: dict[str, object], tmp_path: Path) -> None:
    records = [{"id": 1, "data": {"text": "fly to Rome"}, **task}]

    assert texts(write(tmp_path, "a.json", json.dumps(records)), STUDIO) == texts(records, PAIRS) == ["fly to Rome"]


def test_tables_of_tokens_need_no_tags(tmp_path: Path) -> None:
    trained = write(tmp_path, "a.csv", "sentence_id,token\n1,fly\n1,to\n2,hello\n")
    other = write(tmp_path, "b.csv", "Sentence #,Word\n1,fly\n1,to\n2,hello\n")
    lists = write_json_lines(tmp_path, {"tokens": ["fly", "to"]}, {"tokens": ["hello"]})

    assert texts(trained, TABLE) == texts(other, TABLE) == texts(lists, DOCCANO) == ["fly to", "hello"]


@pytest.mark.parametrize(
    "text", ["text,id\nfly to Rome,1\n", "sentence,word\nfly to Rome,fly\n", "id,token\n1,fly to Rome\n"]
)
def test_other_tables_stay_tables(text: str, tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", text)

    assert [layout_to_predict(path, trained) for trained in (CONLL, DOCCANO, BRAT)] == [None] * 3


def test_trained_columns_are_taken_where_a_file_has_them(tmp_path: Path) -> None:
    path = write(tmp_path, "a.tsv", "1\tfly\tO\tB-x\n2\tRome\tB-city\tO\n\n1\thello\tO\tO\n")
    trained = TaggingLayout("conll", "1", "2", None, "IOB2", named=True)

    assert layout_of_another(path, trained).tag == "2"
    assert layout_to_predict(path, trained) == layout_of_another(path, trained)
    assert layout_of_another(write(tmp_path, "b.conll", TAGGED), trained).tag == "-1"


def test_the_trained_key_settles_an_unclear_text(tmp_path: Path) -> None:
    record = {
        "data": {"title": "fly to Rome", "review": "fly to Rome soon"},
        "annotations": [{"result": [STUDIO_SPAN]}],
    }
    path = write(tmp_path, "a.json", json.dumps([record]))
    trained = TaggingLayout("spans", "review", "annotations", None, None)

    assert texts(path, trained) == ["fly to Rome soon"]
    assert layout_of_another(path, trained).text == "review"
    with pytest.raises(DataError, match="in which the spans are is not clear"):
        texts(path, STUDIO)

"""Tagging from a file to a saved, exported and explained model, on a tiny encoder."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seqeval.metrics import f1_score
from transformers import pipeline
from typer.testing import CliRunner

import fastbert
from fastbert.cli import app
from fastbert.config import DataConfig
from fastbert.data.databunch import DataBunch
from fastbert.data.examples import TaggedExample
from fastbert.data.tag_schemes import entities_to_tags
from fastbert.decisions.tags import TagSet
from fastbert.errors import ConfigError, DataError
from fastbert.export.exporting import export_bundle
from fastbert.inference.evaluation import evaluate_table
from fastbert.inference.predictor import Predictor
from fastbert.tasks.entities_prediction import EntitiesPrediction, entities_in
from fastbert.tasks.tagging import Tagging

PARTS, SIGNS = ("app", "page", "export button"), ("slow", "great", "a bug")
SENTENCES = [
    f"the {part} is {sign} and the {other} is good ."
    for part in PARTS
    for sign in SIGNS
    for other in ("support", "page", "app", "bug")
]


def tags_of(words: list[str]) -> list[str]:
    """Return the tags of a sentence: parts after "the", signs after "is"."""
    tags = ["O"] * len(words)
    for place, word in enumerate(words):
        if word in ("app", "page", "export") or (word == "button"):
            tags[place] = "I-part" if word == "button" else "B-part"
        if word in ("slow", "great") or (word == "bug" and words[place - 1] == "a"):
            tags[place] = "I-sign" if word == "bug" else "B-sign"
        if word == "a":
            tags[place] = "B-sign"
    return tags


def conll(sentences: list[str]) -> str:
    lines = [
        "".join(f"{word}\t{tag}\n" for word, tag in zip(text.split(), tags_of(text.split()), strict=True))
        for text in sentences
    ]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("tagging") / "train.conll"
    place.write_text(conll(SENTENCES), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def model(file: Path, encoder: str) -> Predictor:
    options: dict[str, object] = {"encoder": encoder, "epochs": 12, "lr": 2e-3, "batch_size": 8}
    return fastbert.fit(file, out=file.parent / "model", progress=False, **options)  # type: ignore[arg-type]


def test_a_tagged_file_is_known_without_being_told(file: Path) -> None:
    data = DataBunch.from_files(file)

    assert data.task.name == "tagging" and data.task.label_names[:2] == ("O", "B-part")
    assert any("CoNLL" in fact for fact in data.facts)


def test_entities_are_learned_and_are_characters_of_the_text(model: Predictor, file: Path) -> None:
    assert evaluate_table(model, file, DataConfig()).scores["f1"] > 0.9

    (found,) = model(["  the export  button is slow"])

    assert isinstance(found, EntitiesPrediction)
    assert [(entity.text, entity.label, entity.start, entity.end) for entity in found.entities] == [
        ("export  button", "part", 6, 20),
        ("slow", "sign", 24, 28),
    ]
    assert model.labels == ("part", "sign")


def test_strict_f1_is_that_of_seqeval(model: Predictor, file: Path) -> None:
    examples = DataBunch.from_files(file, test=file).examples("test")
    found = model.predict_examples(examples)

    true = [entities_to_tags(one.words or (), one.entities or ()) for one in examples if isinstance(one, TaggedExample)]
    said = [
        entities_to_tags(example.words or (), entities_in(one))
        for one, example in zip(found, examples, strict=True)
        if isinstance(example, TaggedExample)
    ]

    assert len(true) == len(said) == len(SENTENCES)
    assert model.task.score(found, examples)["f1"] == pytest.approx(f1_score(true, said))


def test_transformers_opens_it_and_finds_the_same(model: Predictor) -> None:
    reader: Any = pipeline("token-classification", model=str(model.bundle.folder), aggregation_strategy="simple")
    text = "the export button is slow"

    found = model([text])[0]

    assert isinstance(found, EntitiesPrediction)
    assert [(one["entity_group"], one["start"], one["end"]) for one in reader(text)] == [
        (entity.label, entity.start, entity.end) for entity in found.entities
    ]


@pytest.mark.filterwarnings("ignore:Tokenizer does not support real words")  # that of the test has no pieces of words
def test_the_code_of_the_card_finds_the_same(model: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    card = (model.bundle.folder / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(model.bundle.folder.parent)
    found: dict[str, Any] = {}

    for code in card.split("```python\n")[1:]:
        exec(code.split("```")[0], found)

    spans = [(one["entity_group"], one["start"], one["end"]) for one in found["find"]("the export button is slow")]
    assert spans == [(one.label, one.start, one.end) for one in entities_in(model(["the export button is slow"])[0])]
    assert spans


def test_an_export_gives_the_same_entities(model: Predictor, file: Path) -> None:
    export = export_bundle(model.bundle.folder, "onnx", data=file)
    other = Predictor.load(model.bundle.folder, "onnx")

    assert (export.check.metric, export.check.changed) == ("f1", 0.0)
    for one, two in zip(model(SENTENCES), other(SENTENCES), strict=True):
        assert one.answer == two.answer
        np.testing.assert_allclose(list(one.numbers.values()), list(two.numbers.values()), atol=1e-4)


def test_long_texts_are_read_whole(model: Predictor) -> None:
    text = " ".join(SENTENCES[:20])  # 200 words; the encoder takes 64 tokens

    (found,) = model([text])

    assert isinstance(found, EntitiesPrediction) and not found.cut
    assert found.entities[-1].end > len(text) - len(SENTENCES[19])
    assert all(entity.text == text[entity.start : entity.end] for entity in found.entities)


def test_report_and_card_speak_of_entities(model: Predictor) -> None:
    page = (model.bundle.folder / "report.html").read_text(encoding="utf-8")
    card = (model.bundle.folder / "README.md").read_text(encoding="utf-8")

    assert "Entity types" in page or "entity types" in page
    assert "wrong boundary" in page and "longer texts are cut" not in page
    assert "most probable legal sequence" in page and "begin and end with words" in card


# --- the command line ---------------------------------------------------------------------------------


def test_texts_of_a_table_are_answered_in_json(model: Predictor, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("id,text\n1,the app is slow\n2,\n", encoding="utf-8")

    result = CliRunner().invoke(app, ["predict", str(model.bundle.folder), str(tmp_path / "new.csv")])

    assert result.exit_code == 0, result.output
    first, second = csv.DictReader(io.StringIO(result.stdout))
    assert [(one["text"], one["label"]) for one in json.loads(first["entities"])] == [("app", "part"), ("slow", "sign")]
    assert (first["id"], second["entities"]) == ("1", "")


def test_a_file_of_tokens_is_answered_by_sentence(model: Predictor, tmp_path: Path) -> None:
    (tmp_path / "new.conll").write_text("the\napp\nis\nslow\n\na\nbug\n", encoding="utf-8")

    result = CliRunner().invoke(app, ["predict", str(model.bundle.folder), str(tmp_path / "new.conll"), "--json"])

    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["predictions"]
    assert [(row["text"], row["line"]) for row in rows] == [("the app is slow", 1), ("a bug", 6)]
    assert "note: new.conll is read as CoNLL, a token and its tag a line." in result.stderr
    assert [(one["start"], one["end"]) for one in rows[0]["prediction"]["entities"]] == [(4, 7), (11, 15)]


def test_labels_of_a_file_to_predict_may_be_any(model: Predictor, tmp_path: Path) -> None:
    (tmp_path / "new.conll").write_text("the O\napp B-city\n\nslow O\n", encoding="utf-8")

    result = CliRunner().invoke(app, ["predict", str(model.bundle.folder), str(tmp_path / "new.conll"), "--json"])

    assert result.exit_code == 0, result.output
    assert [row["text"] for row in json.loads(result.stdout)["predictions"]] == ["the app", "slow"]


def test_inspect_and_evaluate_name_the_entity_types(model: Predictor, file: Path) -> None:
    inspected = CliRunner().invoke(app, ["inspect", str(model.bundle.folder)])
    evaluated = CliRunner().invoke(app, ["evaluate", str(model.bundle.folder), str(file)])

    assert inspected.exit_code == evaluated.exit_code == 0, inspected.output + evaluated.output
    assert "outputs     part, sign" in inspected.output
    assert "part" in evaluated.output and "f1" in evaluated.output


# --- bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "doc"}, "--group is about a table of labels, but the task is tagging"),
        ({"delimiter": "|"}, "--delimiter is about a table of labels"),
        ({"text": "0,1"}, "one column of tokens or texts and one of tags"),
    ],
)
def test_options_of_tables_are_refused(file: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DataBunch.from_files(file, config=DataConfig().changed(**options))


def test_an_unknown_entity_type_in_a_later_file_is_an_error(file: Path, tmp_path: Path) -> None:
    (tmp_path / "valid.conll").write_text("the O\napp B-parts\n\n", encoding="utf-8")

    with pytest.raises(DataError, match="'parts'"):
        DataBunch.from_files(file, tmp_path / "valid.conll")


def test_pairs_are_refused(model: Predictor) -> None:
    with pytest.raises(DataError, match="is a pair of texts; this model was trained on single texts"):
        model([("the app", "is slow")])


def test_the_tags_of_the_model_are_those_of_the_decoder(model: Predictor) -> None:
    assert isinstance(model.task, Tagging)
    assert model.task.label_names == TagSet(model.task.labels).names

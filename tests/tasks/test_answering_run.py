"""Questions from a file to a saved, exported and described model, on a tiny encoder; and the commands that do it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

import fastbert
from fastbert.config import DataConfig
from fastbert.data.databunch import DataBunch
from fastbert.errors import DataError
from fastbert.export.exporting import export_bundle
from fastbert.inference.evaluation import evaluate_table
from fastbert.inference.predictor import Predictor
from fastbert.insight.run_facts import read_facts
from fastbert.tasks.answer_prediction import AnswerPrediction
from fastbert.tasks.answering import Answering
from tests.bundles import tiny_bundle
from tests.cli.conftest import Run
from tests.cli.conftest import run as run  # the fixture
from tests.realdata import real_data
from tests.tasks.questions import question_rows, write_squad

ROWS = question_rows(140, unanswerable=0.35)
NEW = question_rows(24, unanswerable=0.35, seed=1)
ASKED = [(row["question"], row["context"]) for row in NEW]
OPTIONS: dict[str, Any] = {"epochs": 8, "lr": 2e-3, "batch_size": 8}
COMMAND = ("--epochs", 2, "--lr", "2e-3", "--batch-size", 8)
TORCH = ("--backend", "torch")  # the exports of other tests lie in the same bundle


@pytest.fixture(scope="module")
def model(encoder: str, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("answering") / "model"
    return fastbert.fit(ROWS, valid=question_rows(60, unanswerable=0.35, seed=2), out=folder, progress=False,
                        encoder=encoder, **OPTIONS)  # fmt: skip


def answers(predictor: Predictor, asked: list[tuple[str, str]] = ASKED) -> list[AnswerPrediction]:
    found = [answer for answer in predictor(asked) if isinstance(answer, AnswerPrediction)]
    assert len(found) == len(asked)
    return found


# --- from Python ------------------------------------------------------------------------------------


def test_questions_with_and_without_an_answer_are_learned(model: Predictor) -> None:
    scores = evaluate_table(model, NEW, DataConfig()).scores

    assert model.task == Answering(unanswerable=True)
    assert min(scores["f1_answered"], scores["no_answer_accuracy"]) > 0.8


def test_answers_stand_where_they_say(model: Predictor) -> None:
    for answer, (_, context) in zip(answers(model), ASKED, strict=True):
        assert answer.answer == ("" if answer.start is None else context[answer.start : answer.end])


def test_weights_are_chosen_by_the_scores_of_the_model_that_is_saved(model: Predictor) -> None:
    """Each evaluation is made with the margin that fits it, not with that of a model that nobody gets."""
    kept = read_facts(model.bundle.facts).kept

    assert kept is not None and model.bundle.decisions.no_answer_margin != 0.0
    assert kept.scores["f1"] == pytest.approx(model.bundle.scores["valid"]["f1"])


def test_the_margin_is_saved_and_applied_alike_after_loading(model: Predictor) -> None:
    margin = model.bundle.decisions.no_answer_margin
    again = Predictor.load(model.bundle.folder)

    assert margin != 0.0
    assert again.bundle.decisions.no_answer_margin == margin
    assert [answer.start is None for answer in answers(again)] == [answer.margin > margin for answer in answers(model)]
    assert evaluate_table(again, NEW, DataConfig()).scores == evaluate_table(model, NEW, DataConfig()).scores


def test_a_context_longer_than_the_encoder_is_read_to_its_end(model: Predictor) -> None:
    context = "page app bug " * 60 + "Berlin."

    (answer,) = answers(model, [("Where is it?", context)])

    assert not answer.cut
    assert (answer.answer, answer.start) == ("Berlin", len(context) - 7)


def test_inputs_are_as_long_as_the_task_and_the_encoder_like_them(
    encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = fastbert.DataBunch.from_files(ROWS)

    assert fastbert.Learner(data, encoder).data.max_tokens == 64  # all that this encoder takes
    monkeypatch.setattr(Answering, "default_max_tokens", 40)
    assert fastbert.Learner(data, encoder).data.max_tokens == 40
    assert fastbert.Learner(fastbert.DataBunch.from_files(ROWS, max_tokens=48), encoder).data.max_tokens == 48


def test_a_plan_warns_of_answers_that_are_no_whole_tokens(encoder: str) -> None:
    rows = [row for row in ROWS if row["answers"]["text"]]
    parts = [{**row, "answers": {**row["answers"], "text": [row["answers"]["text"][0][:-1]]}} for row in rows[:3]]

    plan = fastbert.Learner(fastbert.DataBunch.from_files(parts + rows[3:], valid=ROWS), encoder).plan(estimate=False)

    assert plan.warnings[-1].startswith(f"3 of {len(rows)} answers begin or end inside of a token")
    assert plan.warnings[-1] in repr(plan.view())
    assert plan.to_json()["warnings"] == list(plan.warnings)


def test_a_model_without_labels_shows_itself_without_any(model: Predictor) -> None:
    assert repr(model).endswith(", answering, torch)")


def test_a_question_without_context_is_refused(model: Predictor) -> None:
    with pytest.raises(DataError, match="this model was trained on pairs of texts"):
        model(["Where is it?"])


def test_transformers_opens_the_folder_and_gives_the_logits_that_are_ranked(model: Predictor) -> None:
    folder = str(model.bundle.folder)
    opened, tokenizer = AutoModelForQuestionAnswering.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(*ASKED[0], return_offsets_mapping=True, return_tensors="pt")
    (offsets,) = inputs.pop("offset_mapping").tolist()

    with torch.inference_mode():
        outputs = opened(**inputs)

    answer = answers(model)[0]
    best = answer.alternatives[0]
    first = next(place for place, (start, _) in enumerate(offsets) if start == best.start and place > 5)
    last = next(place for place, (_, end) in enumerate(offsets) if end == best.end and place > 5)
    score = float(outputs.start_logits[0, first] + outputs.end_logits[0, last])
    null = float(outputs.start_logits[0, 0] + outputs.end_logits[0, 0])
    assert null - score == pytest.approx(answer.margin, abs=1e-3)


# --- exports ----------------------------------------------------------------------------------------


def test_an_export_gives_the_same_answers(model: Predictor) -> None:
    export = export_bundle(model.bundle.folder, "onnx", data=NEW, overwrite=True)

    assert (export.check.metric, export.check.changed, export.check.loss) == ("f1", 0.0, 0.0)
    exported = answers(Predictor.load(model.bundle.folder, "onnx"))
    torch_answers = answers(Predictor.load(model.bundle.folder, "torch"))
    assert [one.answer for one in exported] == [one.answer for one in torch_answers]
    props = {entry.key: entry.value for entry in onnx.load(str(model.bundle.folder / export.file)).metadata_props}
    assert (props["task"], float(props["no_answer_margin"])) == ("answering", model.bundle.decisions.no_answer_margin)
    margins = [[one.margin for one in found] for found in (exported, torch_answers)]
    np.testing.assert_allclose(margins[0], margins[1], atol=1e-3)


def test_an_export_without_rows_is_compared_on_made_up_pairs(model: Predictor) -> None:
    export = export_bundle(model.bundle.folder, "onnx", overwrite=True)

    assert export.check.data == "made-up texts" and export.check.max_difference < 1e-3


def test_eight_bits_are_kept_only_if_the_answers_are(model: Predictor) -> None:
    export = export_bundle(model.bundle.folder, "onnx-int8", data=NEW, overwrite=True, max_loss=0.02)

    assert export.check.metric in ("f1", "exact_match")
    assert export.check.loss <= 0.02
    assert len(answers(Predictor.load(model.bundle.folder, "onnx-int8"))) == len(NEW)


@pytest.mark.parametrize("family", ["roberta", "distilbert", "modernbert", "deberta-v2"])
def test_other_families_answer_and_are_exported(family: str, tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model", family, Answering())

    export_bundle(folder, "onnx")

    found = [answers(Predictor.load(folder, backend), ASKED[:4]) for backend in ("torch", "onnx")]
    assert [one.answer for one in found[0]] == [one.answer for one in found[1]]


# --- what is written about it -----------------------------------------------------------------------


def test_report_and_card_speak_of_questions(model: Predictor) -> None:
    page = (model.bundle.folder / "report.html").read_text(encoding="utf-8")
    card = (model.bundle.folder / "README.md").read_text(encoding="utf-8")

    assert "Rows and questions" in page and "without an answer" in page and "Each label" not in page
    assert "An `answering` model for pairs of texts" in card
    assert 'model([("A question?", "A context with the answer.")])' in card
    assert "AutoModelForQuestionAnswering.from_pretrained" in card
    assert "the weights and the margin of no answer" in card
    assert "longer texts are read in windows" in card


# --- the commands -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def squad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_squad(tmp_path_factory.mktemp("squad") / "train.json", ROWS)


def test_a_squad_file_is_trained_on_evaluated_and_inspected(
    run: Run, encoder: str, squad: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    trained = run("train", squad, "--out", folder, "--encoder", encoder, *COMMAND, "--json").json
    scores = run("evaluate", folder, squad, "--json").json["scores"]
    shown = run("inspect", folder)

    assert trained["plan"]["task"] == "answering"  # type: ignore[index]
    assert set(scores) == {"exact_match", "f1", "exact_match_answered", "f1_answered", "no_answer_accuracy"}  # type: ignore[call-overload]
    assert "answering of questions by a part of their context, or by nothing" in shown.out
    assert "outputs     start_logits, end_logits" in shown.out


def test_a_plan_of_questions_shows_what_was_found(run: Run, encoder: str, squad: Path, tmp_path: Path) -> None:
    shown = run("train", squad, "--out", tmp_path / "m", "--encoder", encoder, "--plan").out

    assert "Questions: a SQuAD file." in shown
    assert "with an answer" in shown and "held out (kept together by the document" in shown
    assert "limit 64, none is cut" in shown


def test_a_squad_file_without_answers_is_answered(run: Run, model: Predictor, tmp_path: Path) -> None:
    new = write_squad(tmp_path / "new.json", NEW, answers=False)

    rows = list(csv.DictReader(run("predict", model.bundle.folder, new, *TORCH).out.splitlines()))

    assert list(rows[0]) == ["id", "question", "context", "answer", "start", "end", "score"]
    assert [row["answer"] for row in rows] == [answer.answer for answer in answers(model)]
    assert [row["start"] for row in rows] == ["" if one.start is None else str(one.start) for one in answers(model)]


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_tables_of_questions_are_answered(run: Run, model: Predictor, tmp_path: Path, ending: str) -> None:
    table, out = tmp_path / f"new.{ending}", tmp_path / "answers.jsonl"
    with table.open("w", encoding="utf-8", newline="") as file:
        if ending == "csv":
            csv.writer(file).writerows([("note", "context", "question"), *(("x", pair, text) for text, pair in ASKED)])
        else:
            file.writelines(json.dumps({"question": text, "context": pair}) + "\n" for text, pair in ASKED)

    run("predict", model.bundle.folder, table, "--out", out, *TORCH)

    written = [json.loads(line)["prediction"] for line in out.read_text(encoding="utf-8").splitlines()]
    assert written == [answer.to_json() for answer in answers(model)]


def test_questions_are_answered_from_standard_input(run: Run, model: Predictor) -> None:
    lines = "".join(json.dumps({"question": text, "context": pair}) + "\n" for text, pair in ASKED)

    values = run("predict", model.bundle.folder, "-", "--json", *TORCH, stdin=lines.encode()).json

    assert [row["prediction"]["answer"] for row in values["predictions"]] == [  # type: ignore[attr-defined]
        answer.answer for answer in answers(model)
    ]


# --- real questions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "unanswerable"), [("v1.1", False), ("v2.0", True)])
def test_squad_itself_is_recognised_and_split_by_article(version: str, unanswerable: bool) -> None:
    data = fastbert.DataBunch.from_files(real_data(f"squad/train-{version}.json"))

    groups = {split: {example.group for example in data.examples(split)} for split in ("train", "valid")}
    assert data.task == Answering(unanswerable=unanswerable)
    assert not groups["train"] & groups["valid"]


def test_rows_of_one_document_are_held_out_all_the_same() -> None:
    """A manual with many questions about it, or one annotated file: no option could have divided them otherwise."""
    context = "anna wrote the page , karl wrote the bill"
    names = ("anna", "karl")
    rows = [{"question": f"who {n} ?", "context": context, "answer": names[n % 2]} for n in range(20)]

    data = DataBunch.from_files(rows, valid_share=0.2)

    assert {split: len(examples) for split, examples in data.splits.items()} == {"train": 16, "valid": 4}
    assert any("held out (stratified, all rows are of one document," in fact for fact in data.facts)
    assert any("are about a context that is in train too" in warning for warning in data.warnings)

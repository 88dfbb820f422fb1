"""What a trained learner answers, saves and shows, with parts of the user's own too."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from transformers import AutoModelForSequenceClassification, pipeline

from fastbert.data.databunch import DataBunch
from fastbert.data.examples import Example, show_truth
from fastbert.errors import BundleError, ConfigError, DataError
from fastbert.inference.predictor import Predictor
from fastbert.tasks.base import Prediction
from fastbert.tasks.classification import SingleLabel
from tests.feedback import (
    Recorder,
    differing,
    feedback_rows,
    make_data,
    make_learner,
    tagged_rows,
    weights,
    with_task,
    write_feedback,
)
from tests.training.doubles import NAMES, scripted_data

TEXTS = ["the app is great", "the export is slow and i hate it , please help", "crash", "thanks ! " * 40]


class MeanHead(nn.Module):
    """A head of a user: the mean of the tokens, then one layer."""

    def __init__(self, hidden_size: int, num_labels: int) -> None:
        super().__init__()
        self.output = nn.Linear(hidden_size, num_labels)

    def forward(self, hidden_WLD: torch.Tensor, mask_WL: torch.Tensor) -> torch.Tensor:
        mask_WL1 = mask_WL.unsqueeze(-1)
        logits: torch.Tensor = self.output((hidden_WLD * mask_WL1).sum(1) / mask_WL1.sum(1))
        return logits


@dataclass(frozen=True)
class SquaredLoss(SingleLabel):
    """A loss of a user: squared distance of the probabilities."""

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        logits_BC = outputs["logits"]
        wanted_BC = functional.one_hot(batch["labels"], logits_BC.shape[1])
        return (logits_BC.softmax(-1) - wanted_BC).square().sum(), float(len(logits_BC))


def share_of_praise(predictions: Sequence[Prediction], examples: Sequence[Example]) -> float:
    return sum(prediction.labels == ("praise",) for prediction in predictions) / len(examples)


def scores_of(predictions: Sequence[Prediction]) -> list[float]:
    return [score for prediction in predictions for score in prediction.scores.values()]


# --- metrics, losses and heads of one's own --------------------------------------------------------------


def test_a_metric_of_one_s_own_is_among_the_scores(encoder: str) -> None:
    learner = make_learner(encoder, metrics=[share_of_praise]).fit(epochs=1)

    expected = share_of_praise(learner.predictions(), learner.data.examples("valid"))

    assert learner.evaluate()["share_of_praise"] == expected
    assert "share_of_praise" in learner.history.evaluations[0].scores


def test_scores_hold_numbers_of_metrics_only(encoder: str) -> None:
    learner = make_learner(encoder).fit(epochs=1)  # W23: there, an option stood among the metrics

    scores = learner.history.evaluations[0].scores

    assert {type(value) for value in scores.values()} == {float}
    assert all(math.isfinite(value) for value in scores.values())
    assert set(scores) == set(learner.evaluate())


def test_a_loss_of_one_s_own_is_trained_and_reported(encoder: str) -> None:
    own = make_learner(encoder, with_task(make_data(), SquaredLoss(NAMES))).fit()
    plain = make_learner(encoder).fit()

    # from the same first logits: 2(1 - p)^2 is below -ln(p) for every p
    assert own.history.steps[0].loss < plain.history.steps[0].loss
    assert differing(weights(own.model), weights(plain.model)) != []


def test_a_model_with_a_loss_of_one_s_own_opens_like_any_other(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder, with_task(make_data(), SquaredLoss(NAMES))).fit()

    model = Predictor.load(learner.save(tmp_path / "model"))

    assert scores_of(model(TEXTS)) == pytest.approx(scores_of(learner.predict(TEXTS)), abs=1e-6)


def test_a_head_of_one_s_own_is_trained_saved_and_opened(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder, head=MeanHead, schedule="none")
    before = weights(learner.model)
    learner.fit()

    model = Predictor.load(learner.save(tmp_path / "model"), head=MeanHead)

    assert "head.output.weight" in differing(before, weights(learner.model))
    assert scores_of(model(TEXTS)) == pytest.approx(scores_of(learner.predict(TEXTS)), abs=1e-6)


def test_without_its_head_such_a_model_does_not_open(encoder: str, tmp_path: Path) -> None:
    folder = make_learner(encoder, head=MeanHead).save(tmp_path / "model")

    with pytest.raises(BundleError, match="a head of its own, .*:MeanHead.\n  Pass it"):
        Predictor.load(folder)


@pytest.mark.parametrize("pooling", ["cls", "mean", "attention"])
def test_a_model_with_a_pooled_head_opens_like_any_other(pooling: str, encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder, pooling=pooling, schedule="none")
    before = weights(learner.model)
    learner.fit()

    model = Predictor.load(learner.save(tmp_path / "model"))

    assert "head.output.weight" in differing(before, weights(learner.model))
    assert scores_of(model(TEXTS)) == pytest.approx(scores_of(learner.predict(TEXTS)), abs=1e-6)


# --- answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("truncation", ["head", "tail", "head_tail", "windows"])
def test_a_saved_model_answers_as_the_learner_did(truncation: str, encoder: str, tmp_path: Path) -> None:
    # issues 18 and 161 of the predecessor: other predictions after loading
    data = DataBunch.from_files(feedback_rows(), valid_share=0.2, truncation=truncation)
    learner = make_learner(encoder, data).fit()

    model = Predictor.load(learner.save(tmp_path / "model"))

    assert scores_of(model(TEXTS)) == pytest.approx(scores_of(learner.predict(TEXTS)), abs=1e-6)
    assert [answer.labels for answer in model(TEXTS)] == [answer.labels for answer in learner.predict(TEXTS)]


def test_a_saved_multi_label_model_keeps_its_threshold(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder, DataBunch.from_files(tagged_rows(), valid_share=0.2)).fit()

    model = Predictor.load(learner.save(tmp_path / "model"))

    assert model.bundle.decisions == learner.decisions
    assert [answer.labels for answer in model(TEXTS)] == [answer.labels for answer in learner.predict(TEXTS)]


def test_a_saved_model_gives_the_saved_scores(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder).fit()
    model = Predictor.load(learner.save(tmp_path / "model"))
    examples = learner.data.examples("valid")

    scores = model.task.score(model.predict_examples(examples), examples)

    assert scores == pytest.approx(dict(model.bundle.scores["valid"]), abs=1e-6)


def test_answers_are_in_the_order_of_the_texts(encoder: str) -> None:
    learner = make_learner(encoder).fit(epochs=1)

    together, alone = learner.predict(TEXTS), [learner.predict([text])[0] for text in TEXTS]

    assert [answer.text for answer in together] == TEXTS
    assert scores_of(together) == pytest.approx(scores_of(alone), abs=1e-5)


def test_predictions_of_a_split_are_in_the_order_of_its_rows(encoder: str) -> None:
    learner = make_learner(encoder)

    assert [one.text for one in learner.predictions("train")] == [one.text for one in learner.data.examples("train")]


def test_predicting_leaves_training_mode_and_weights_alone(encoder: str) -> None:
    learner = make_learner(encoder)
    learner.model.train()
    before = weights(learner.model)

    learner.predict(TEXTS)

    assert learner.model.training
    assert differing(before, weights(learner.model)) == []


def test_an_unlabelled_learner_scores_each_label_by_name(encoder: str) -> None:
    per_label = make_learner(encoder).evaluate_labels()

    assert {name: scores["support"] for name, scores in per_label.items()} == {"bug": 4, "praise": 4}


def test_a_split_that_is_not_there_is_named(encoder: str) -> None:
    with pytest.raises(ConfigError, match="There is no split 'test'.\n  This data has train, valid."):
        make_learner(encoder).evaluate("test")


# --- data and features ----------------------------------------------------------------------------------


def test_changed_data_gives_changed_features(encoder: str, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "feedback.csv")  # W8: there, the old features came from a cache
    first = make_learner(encoder, DataBunch.from_files(table))
    table.write_text(table.read_text(encoding="utf-8").replace("button", "invoice"), encoding="utf-8")

    second = make_learner(encoder, DataBunch.from_files(table))

    pairs = zip(first.data.encoded("train").features, second.data.encoded("train").features, strict=True)
    changed = [
        index for index, (one, other) in enumerate(pairs) if one.input_ids_L.tolist() != other.input_ids_L.tolist()
    ]
    assert changed == [index for index, one in enumerate(first.data.examples("train")) if "button" in one.text]


def test_a_learner_leaves_the_data_it_was_given_alone(encoder: str) -> None:
    data = make_data()

    learner = make_learner(encoder, data)

    assert (learner.data.max_tokens, data.max_tokens, data.tokenizer) == (64, 0, None)


def test_a_text_that_is_no_text_is_refused(encoder: str) -> None:
    with pytest.raises(DataError, match="Item 1 is int; expected a text, or a tuple of two texts."):
        make_learner(encoder).predict(["fine", 3])  # type: ignore[list-item]


# --- saving ---------------------------------------------------------------------------------------------


def test_a_bundle_is_a_checkpoint_for_transformers(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder).fit(epochs=1)
    folder = str(learner.save(tmp_path / "model"))

    model = AutoModelForSequenceClassification.from_pretrained(folder)
    answers = pipeline("text-classification", model=folder, device="cpu")("the app is great", top_k=None)

    assert model.config.id2label == {0: "bug", 1: "praise"}
    assert model.config.problem_type == "single_label_classification"
    assert {one["label"]: one["score"] for one in answers} == pytest.approx(
        dict(learner.predict(["the app is great"])[0].scores), abs=1e-6
    )


def test_a_bundle_holds_the_weights_of_the_model(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder).fit(epochs=1)

    saved = load_file(learner.save(tmp_path / "model") / "model.safetensors")

    assert differing(weights(learner.model), saved) == []


def test_a_bundle_tells_its_scores_plan_and_history(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder).fit(epochs=1)

    values = json.loads((learner.save(tmp_path / "model") / "bundle.json").read_text(encoding="utf-8"))

    assert values["scores"] == {"valid": learner.evaluate()}
    assert values["facts"]["plan"]["options"]["epochs"] == 1
    assert values["facts"]["history"]["examples"] == 32


def test_no_text_of_a_row_is_in_a_bundle(encoder: str, tmp_path: Path) -> None:
    folder = make_learner(encoder).fit(epochs=1).save(tmp_path / "model")

    files = [folder / name for name in ("bundle.json", "report.html", "README.md")]
    written = " ".join(path.read_text(encoding="utf-8") for path in files)

    assert not [row["text"] for row in feedback_rows() if row["text"] in written]


def test_a_model_can_be_saved_before_any_fit(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder)

    assert Predictor.load(learner.save(tmp_path / "model")).labels == ("bug", "praise")


def test_saving_over_a_bundle_must_be_allowed(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder)
    folder = learner.save(tmp_path / "model")

    with pytest.raises(BundleError, match="model exists already.\n  Choose another folder, or allow it"):
        learner.save(folder)

    assert learner.save(folder, overwrite=True) == folder


def test_a_test_split_is_scored_when_saved(encoder: str, tmp_path: Path) -> None:
    rows = feedback_rows(48)
    data = DataBunch.from_files(rows[:32], rows[32:40], rows[40:])

    model = Predictor.load(make_learner(encoder, data).save(tmp_path / "model"))

    assert list(model.bundle.scores) == ["valid", "test"]


# --- views ----------------------------------------------------------------------------------------------


def test_a_learner_shows_its_loop(encoder: str) -> None:
    shown = repr(make_learner(encoder, callbacks=[Recorder()]))

    assert "single_label, 2 labels" in shown
    assert "head" in shown and "layer 0 to 1" in shown
    assert "warmup_linear, peak 0.001, 10 times that in the head, 8 steps" in shown
    assert "on_step: Recorder" in shown


def test_a_learner_shows_itself_in_a_notebook(encoder: str) -> None:
    assert "<table" in make_learner(encoder)._repr_html_()


def test_top_losses_are_the_rows_that_are_most_wrong(encoder: str) -> None:
    learner = make_learner(encoder).fit(epochs=1)
    pairs = zip(learner.predictions(), learner.data.examples("valid"), strict=True)
    losses = {example.where: -math.log(answer.scores[show_truth(example.truth)]) for answer, example in pairs}

    rows = learner.top_losses(3).blocks[0].rows

    assert [row[0] for row in rows] == sorted(losses, key=lambda where: -losses[where])[:3]


def test_results_show_labels_answers_and_texts(encoder: str) -> None:
    learner = make_learner(encoder).fit(epochs=1)

    shown = repr(learner.show_results(3))

    assert learner.data.examples("valid")[0].text in shown
    assert "right" in shown or "wrong" in shown


def test_a_drawn_history_is_a_figure_and_a_file(encoder: str, tmp_path: Path) -> None:
    learner = make_learner(encoder).fit(epochs=2)

    figure = learner.plot_history(tmp_path / "history.png")

    assert [axes.get_ylabel() for axes in figure.axes] == ["training loss", "f1_macro", "learning rate"]
    assert (tmp_path / "history.png").read_bytes().startswith(b"\x89PNG")


def test_the_schedule_to_come_can_be_asked_for(encoder: str) -> None:
    schedule = make_learner(encoder, schedule="warmup_cosine").schedule()

    assert (schedule.name, schedule.total_steps, schedule.warmup) == ("warmup_cosine", 8, 0.0)


def test_a_scripted_score_is_not_asked_for_by_a_plan(encoder: str) -> None:
    data = scripted_data(0.5)

    make_learner(encoder, data).plan()

    assert data.task.script == [0.5]  # type: ignore[attr-defined]  # of ScriptedTask

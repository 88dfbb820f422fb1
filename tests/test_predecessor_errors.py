"""The silent errors of fast-bert that classification can have (its report, section 3.2), none of which is here.

W1 to W23 are the numbers of that report. Where the test stands in another module it is named in ELSEWHERE,
and a test makes sure that it is still there; NOT_HERE says why a number has no test. What is left is below.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from fastbert.config import DataConfig, TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.data.tokens import Tokenizer
from fastbert.inference.predictor import Predictor
from fastbert.metrics.classification import confusion, single_label_scores
from fastbert.models.optimizers import OPTIMIZERS
from fastbert.models.schedules import SCHEDULES, make_schedule
from fastbert.tasks.base import pad_batch
from fastbert.tasks.classification import MultiLabel
from tests.feedback import Recorder, feedback_rows, make_data, make_learner, tagged_rows, write_feedback
from tests.helpers import tiny_encoder, word_tokenizer

TESTS = Path(__file__).parent
# number -> file and test
ELSEWHERE = {
    "W1": ("training/test_learner.py", "test_lamb_moves_a_bias_that_is_zero"),
    "W2": ("training/test_step.py", "test_gradient_is_clipped_at_its_true_norm"),
    "W4": ("training/test_learner.py", "test_the_schedule_of_fit_counts_beside_the_options_of_the_constructor"),
    "W5": ("training/test_learner.py", "test_a_second_fit_gets_a_fresh_schedule"),
    "W6": ("training/test_loop.py", "test_a_wish_to_stop_is_honoured_at_the_step"),
    "W8": ("training/test_learner_answers.py", "test_changed_data_gives_changed_features"),
    "W10": ("training/test_learner.py", "test_matrices_are_decayed_and_vectors_are_not"),
    "W14": ("data/test_databunch.py", "test_the_order_of_labels_is_the_same_in_every_process"),
    "W18": ("training/test_loop.py", "test_the_last_rows_of_an_epoch_are_a_step_of_their_own"),
    "W23": ("training/test_learner_answers.py", "test_scores_hold_numbers_of_metrics_only"),
}
NOT_HERE = {
    "W3": "there is no learning-rate finder yet",
    **dict.fromkeys(["W11", "W12", "W13"], "language models are not trained yet"),
    **dict.fromkeys(["W15", "W16", "W17", "W22"], "tagging is not there yet"),
}


def test_every_number_is_accounted_for() -> None:
    own = set(re.findall(r"^# (W\d+):", Path(__file__).read_text(encoding="utf-8"), re.MULTILINE))

    assert own | set(ELSEWHERE) | set(NOT_HERE) == {f"W{number}" for number in range(1, 24)}


@pytest.mark.parametrize("number", ELSEWHERE)
def test_the_test_of_another_module_is_there(number: str) -> None:
    file, name = ELSEWHERE[number]

    assert f"\ndef {name}(" in (TESTS / file).read_text(encoding="utf-8")


# W4: a schedule was ignored, so each is asked for in a fit.


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_w4_every_schedule_is_the_one_that_was_asked_for(schedule: str, encoder: str) -> None:
    recorder = Recorder()

    learner = make_learner(encoder, callbacks=[recorder]).fit(schedule=schedule, epochs=5)

    expected = make_schedule(schedule, 20, learner.last_plan.config.warmup)
    assert recorder.rates == pytest.approx([1e-3 * expected.factor(step) for step in range(20)])


# W7: freezing froze nothing for whole families.


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta", "albert", "deberta-v2", "mpnet", "modernbert"])
def test_w7_freezing_freezes_in_every_family(family: str, tmp_path: Path) -> None:
    learner = make_learner(str(tiny_encoder(tmp_path / family, family)))

    num_frozen = learner.freeze()

    frozen = sum(p.numel() for p in learner.model.parameters() if not p.requires_grad)
    assert num_frozen == frozen > 4000


# W9: the padding id was 0 for every family.


@pytest.mark.parametrize(("family", "pad_id"), [("bert", 0), ("roberta", 1), ("xlm-roberta", 1), ("mpnet", 1)])
def test_w9_batches_are_padded_with_the_id_of_the_family(family: str, pad_id: int, tmp_path: Path) -> None:
    learner = make_learner(str(tiny_encoder(tmp_path / family, family)))
    features = learner.data.encoded("train").windows_of(np.arange(32))

    batch = pad_batch(features, learner.encoder.tokenizer.pad_id)

    padding = batch["input_ids"][batch["attention_mask"] == 0]
    assert padding.size > 0 and set(padding.tolist()) == {pad_id}


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2"])
def test_w9_an_answer_does_not_depend_on_what_else_is_in_the_batch(family: str, tmp_path: Path) -> None:
    learner = make_learner(str(tiny_encoder(tmp_path / family, family)))

    alone = learner.predict(["the app"])[0]
    beside = learner.predict(["the app", "the page is slow and i hate it , please help"])[0]

    assert dict(alone.scores) == pytest.approx(dict(beside.scores), abs=1e-6)


# W10: no weight decay anywhere, and no way to set it.


def test_w10_decay_has_a_default_and_can_be_set(encoder: str) -> None:
    assert OPTIMIZERS["adamw"].weight_decay == 0.01
    assert TrainConfig().changed(weight_decay=0.1).weight_decay == 0.1


# W19: softmax for multi-label models, a label '' from the last newline, no truncation.


def test_w19_a_multi_label_model_uses_a_sigmoid() -> None:
    task = DataBunch.from_files(tagged_rows()).task
    assert isinstance(task, MultiLabel)

    scores_BC = task.probabilities(np.array([[3.0, 3.0, -3.0]]))

    assert scores_BC[0].tolist() == pytest.approx([1 / (1 + np.exp(-3)), 1 / (1 + np.exp(-3)), 1 / (1 + np.exp(3))])


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n", "\n \n"])
def test_w19_a_newline_at_the_end_of_the_labels_is_no_label(ending: str, tmp_path: Path) -> None:
    names = tmp_path / "labels.csv"
    names.write_bytes(f"praise\nbug{ending}".encode())

    assert DataBunch.from_files(feedback_rows(), label="label", labels=names).labels == ("praise", "bug")


def test_w19_a_label_keeps_its_meaning_when_the_file_ends_in_a_newline(encoder: str, tmp_path: Path) -> None:
    names = tmp_path / "labels.csv"
    names.write_text("praise\nbug\n", encoding="utf-8")
    data = DataBunch.from_files(feedback_rows(), label="label", labels=names, valid_share=0.2)

    model = Predictor.load(make_learner(encoder, data, lr=3e-3).fit(epochs=12).save(tmp_path / "model"))

    right = [model([row["text"]])[0].labels == (row["label"],) for row in feedback_rows()]
    assert sum(right) >= 36


@pytest.mark.parametrize("truncation", ["head", "tail", "head_tail", "windows"])
def test_w19_two_thousand_words_are_answered(truncation: str, encoder: str, tmp_path: Path) -> None:
    data = DataBunch.from_files(feedback_rows(), truncation=truncation)

    model = Predictor.load(make_learner(encoder, data).save(tmp_path / "model"))

    assert set(model(["the app works " * 700])[0].scores) == {"bug", "praise"}


# W20: a confusion matrix of string labels gave nothing, and some metrics wanted arrays they did not get.


def test_w20_a_confusion_matrix_has_the_names_of_the_labels() -> None:
    matrix = confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), ["bug", "praise"])

    assert matrix == {"labels": ["bug", "praise"], "matrix": [[1, 1], [0, 1]]}


def test_w20_exact_match_and_hamming_loss_are_numbers(encoder: str) -> None:
    scores = make_learner(encoder, DataBunch.from_files(tagged_rows(), valid_share=0.2)).fit(epochs=1).evaluate()

    assert {type(scores[name]) for name in ("exact_match", "hamming_loss")} == {float}


# W21: "False" was read as true.


@pytest.mark.parametrize(("text", "value"), [("False", False), ("false", False), ("0", False), ("True", True)])
def test_w21_the_word_false_is_false(text: str, value: bool) -> None:
    assert DataConfig().changed(header=text).header is value


def test_w21_a_tokenizer_says_itself_whether_it_folds_case(tmp_path: Path) -> None:
    fast = AutoTokenizer.from_pretrained(tiny_encoder(tmp_path / "encoder"))

    tokenizer = Tokenizer(fast.backend_tokenizer, pad_id=0, max_tokens=64, input_names=["input_ids"])

    assert tokenizer.lowercases
    assert word_tokenizer().encode("APP").ids == word_tokenizer().encode("app").ids


# W23 and B9: a metric that is no number broke the log.


def test_b9_a_metric_of_another_kind_is_a_number_in_the_scores(encoder: str) -> None:
    def of_numpy(predictions: object, examples: object) -> float:
        return np.float32(0.5)  # type: ignore[return-value]  # as many users write it

    scores = make_learner(encoder, metrics=[of_numpy]).evaluate()

    assert type(scores["of_numpy"]) is float


# B5 and W8: features were pickled beside the data, and found again when they no longer fitted.


def test_w8_nothing_is_written_beside_the_data(encoder: str, tmp_path: Path) -> None:
    make_learner(encoder, DataBunch.from_files(write_feedback(tmp_path / "feedback.csv"))).fit(epochs=0.5)

    assert [path.name for path in tmp_path.iterdir()] == ["feedback.csv"]


# issue 280: a seed that was used nowhere.


def test_issue_280_the_seed_is_used(encoder: str) -> None:
    heads = [make_learner(encoder, seed=seed).model.get_parameter("classifier.weight") for seed in (1, 1, 2)]

    assert torch.equal(heads[0], heads[1]) and not torch.equal(heads[0], heads[2])


# issue 17: a ranking score that failed with more than two labels.


def test_issue_17_scores_exist_with_three_labels() -> None:
    probs_NC = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])

    scores = single_label_scores(probs_NC, np.arange(3), np.arange(3), ["a", "b", "c"])

    assert scores["roc_auc_macro"] == 1.0


# issue 249: no way to limit the memory of an answer.


def test_issue_249_many_texts_are_answered_in_batches(encoder: str) -> None:
    learner = make_learner(encoder, make_data())
    calls: list[tuple[int, int]] = []
    learner.model.register_forward_pre_hook(
        lambda module, args, kwargs: calls.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )

    learner.predict(["the app works " * 20] * 400)

    assert len(calls) > 1
    assert max(rows * tokens for rows, tokens in calls) <= 8192

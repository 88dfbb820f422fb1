"""Pairs of rows first: which rows meet, the head that is fitted, and the training that begins with both."""

from __future__ import annotations

import math
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from fastbert.data.batches import Costs
from fastbert.data.databunch import DataBunch
from fastbert.errors import ConfigError
from fastbert.inference.predictor import Predictor
from fastbert.models.heads import EncoderWithHead
from fastbert.models.optimizers import OPTIMIZERS
from fastbert.training import contrastive
from fastbert.training.callbacks import Callback
from fastbert.training.contrastive import BATCH_ROWS, draw_batch, epochs_read, fit_head, num_steps
from fastbert.training.state import RunState
from tests.feedback import Recorder, differing, feedback_rows, make_learner, weights

RNG = np.random.default_rng(0)


class Parts(Callback):
    """Notes what is announced."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def on_part(self, part: str) -> None:
        self.parts.append(part)


def test_a_batch_has_as_many_rows_of_each_label_however_rare() -> None:
    labels_N = np.array([0] * 100 + [1] * 30 + [2] * 5)

    rows = draw_batch(labels_N, np.random.default_rng(0))

    assert np.bincount(labels_N[rows]).tolist() == [8, 8, 5]
    assert len(set(rows.tolist())) == len(rows)


def test_of_many_labels_some_are_drawn_with_two_rows_each() -> None:
    labels_N = np.repeat(np.arange(50), 4)

    counts = np.bincount(labels_N[draw_batch(labels_N, np.random.default_rng(0))])

    assert sorted(set(counts.tolist())) == [0, 2]
    assert counts.sum() == BATCH_ROWS


def test_few_rows_take_few_steps_and_many_no_more_than_the_most() -> None:
    assert (num_steps(1), num_steps(48), num_steps(10**6)) == (3, 120, contrastive.MOST_STEPS)


@pytest.mark.parametrize("num_labels", [2, 3])
def test_the_head_gives_the_probabilities_of_the_regression_at_any_scale_and_centre(num_labels: int) -> None:
    labels_N = np.arange(30) % num_labels
    unit_ND = RNG.normal(size=(30, 5))
    unit_ND -= unit_ND.mean(axis=0)
    unit_ND /= np.linalg.norm(unit_ND, axis=1).mean()
    expected = LogisticRegression(max_iter=1000).fit(unit_ND, labels_N).predict_proba(unit_ND)

    weights_CD, bias_C = fit_head(7.0 * unit_ND + 3.0, labels_N, num_labels)

    logits = torch.from_numpy((7.0 * unit_ND + 3.0) @ weights_CD.T + bias_C)
    np.testing.assert_allclose(logits.softmax(-1).numpy(), expected, atol=1e-4)


def test_a_label_without_rows_gets_a_probability_near_zero() -> None:
    weights_CD, bias_C = fit_head(RNG.normal(size=(20, 4)), np.array([0, 2] * 10), 3)

    logits = torch.from_numpy(RNG.normal(size=(5, 4)) @ weights_CD.T + bias_C)

    assert logits.softmax(-1)[:, 1].max() < 1e-3


def test_the_warm_up_draws_one_label_together_and_others_apart(encoder: str) -> None:
    learner = make_learner(encoder, start="contrastive")
    before = weights(learner.model)

    contrastive.draw_labels_apart(learner, learner.plan(estimate=False).config)

    assert any(name.startswith("encoder.") for name in differing(before, weights(learner.model)))
    assert learner.evaluate("train")["accuracy"] > 0.9  # nothing else was trained
    assert all(parameter.requires_grad for parameter in learner.model.parameters())


def test_a_training_begins_with_pairs_once_and_its_model_opens_like_any_other(encoder: str, tmp_path: Path) -> None:
    watch = Parts()
    learner = make_learner(encoder, start="contrastive", callbacks=[watch]).fit().fit(epochs=1)

    model = Predictor.load(learner.save(tmp_path / "model"))

    assert watch.parts == ["pairs of rows", "training"]
    assert isinstance(learner.model, EncoderWithHead)
    assert model.bundle.pooling == "mean"
    text = "the app is great"
    assert model([text])[0].scores == pytest.approx(learner.predict([text])[0].scores, abs=1e-6)


def test_the_same_seed_gives_the_same_weights(encoder: str) -> None:
    first, second = (weights(make_learner(encoder, start="contrastive").fit().model) for _ in range(2))

    assert differing(first, second) == []


def test_a_fit_alone_cannot_begin_with_pairs(encoder: str) -> None:
    with pytest.raises(ConfigError, match="the model was made for another start"):
        make_learner(encoder, start="plain").fit(start="contrastive")


def test_the_estimate_counts_the_rows_of_the_pairs() -> None:
    costs = Costs.single([10] * 48)

    assert epochs_read(costs, 240) == 120 * 24 / 48
    assert epochs_read(costs, 239) == pytest.approx(4 / 3 * 120 * 24 / 48)  # in parts, with a forward pass more
    assert epochs_read(Costs.single([1] * 10**5), 240) == contrastive.MOST_STEPS * 24 / 10**5


class Passes(Recorder):
    """Notes the padded tokens of each pass of the pairs, and stops them after a few."""

    def __init__(self) -> None:
        super().__init__(stop_at=3)
        self.tokens: list[int] = []

    def note(self, module: object, args: object, inputs: dict[str, torch.Tensor]) -> None:
        if "finish" not in self.events:
            self.tokens.append(inputs["input_ids"].numel())


def test_pairs_of_long_texts_take_no_passes_beyond_batch_tokens(encoder: str) -> None:
    data = DataBunch.from_files(feedback_rows(), max_tokens=8, truncation="windows", valid_share=0.2)
    watch = Passes()
    learner = make_learner(encoder, data, start="contrastive", batch_tokens=32, callbacks=[watch])
    config = learner.plan(estimate=False).config
    cast("EncoderWithHead", learner.model).encoder.register_forward_pre_hook(watch.note, with_kwargs=True)

    contrastive.draw_labels_apart(learner, config)

    assert len(watch.tokens) > 2 * 3 * 24 * 8 // 32 and max(watch.tokens) <= 32
    assert all(math.isfinite(state.loss) for state in watch.states)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_pairs_learn_at_half_the_rate_that_suits_adamw_whatever_optimizer_comes_after(
    optimizer: str, encoder: str
) -> None:
    """They are trained by AdamW: at 300 times its rate, which suits SGD, the encoder is lost."""
    watch = Recorder(stop_at=9)  # at the peak, after the warm-up
    learner = make_learner(encoder, start="contrastive", optimizer=optimizer, lr=None, callbacks=[watch])

    contrastive.draw_labels_apart(learner, learner.plan(estimate=False).config)

    adamw = make_learner(encoder, start="contrastive", lr=None).plan(estimate=False).config.lr
    assert adamw is not None and max(watch.rates) == pytest.approx(adamw / 2, rel=0.02)  # two digits of a rate


class Impatient(Recorder):
    """Notes what is announced, and stops the first training after its second step."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def on_part(self, name: str) -> None:
        self.parts.append(name)

    def on_step(self, state: RunState) -> None:
        super().on_step(state)
        if self.parts == ["pairs of rows"] and state.step == 2:
            state.stop.ask("enough")


def test_pairs_are_watched_under_a_name_of_their_own_and_can_be_stopped(encoder: str) -> None:
    watch = Impatient()
    learner = make_learner(encoder, start="contrastive", callbacks=[watch]).fit()

    assert watch.parts == ["pairs of rows", "training"]
    steps = [state for event, state in zip(watch.events, watch.states, strict=True) if event == "step"]
    assert [state.step for state in steps[:3]] == [1, 2, 1]
    assert steps[1].total_steps == num_steps(32) and math.isfinite(steps[1].loss)
    assert learner.last_run.stop.reason is None and learner.last_run.step == learner.last_run.total_steps


def test_callbacks_hear_of_an_error_while_pairs_are_trained(encoder: str) -> None:
    """A tracker ends its run by it, and a log says where it stopped."""

    class Interrupted(Recorder):
        heard: tuple[int, BaseException] | None = None

        def on_step(self, state: RunState) -> None:
            if state.step == 3:
                raise KeyboardInterrupt

        def on_error(self, state: RunState, error: BaseException) -> None:
            self.heard = (state.step, error)

    callback = Interrupted()

    with pytest.raises(KeyboardInterrupt):
        make_learner(encoder, callbacks=[callback], start="contrastive").fit()

    assert callback.heard is not None and callback.heard[0] == 3
    assert isinstance(callback.heard[1], KeyboardInterrupt)

"""Shortcuts of a fit: the same result as the long way, and nothing left behind."""

from __future__ import annotations

import errno
import logging
import os

import numpy as np
import pytest
import torch
from torch import nn

from fastbert.models import frozen_prefix
from fastbert.training import learner as learner_module
from fastbert.training import shortcuts as shortcuts_module
from fastbert.training.learner import Learner
from fastbert.training.shortcuts import Shortcuts, shortcuts
from tests.feedback import make_data, make_learner, weights


def undropped(learner: Learner) -> Learner:
    for module in learner.model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return learner


def without_shortcuts(monkeypatch: pytest.MonkeyPatch) -> None:
    import contextlib

    @contextlib.contextmanager
    def none(*_: object):  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield Shortcuts()

    monkeypatch.setattr(learner_module, "shortcuts", none)


def largest_difference(one: Learner, other: Learner) -> float:
    """Return it over all weights but the biases of keys, whose gradient is 0 but for rounding: Adam makes it a step."""
    mine, theirs = weights(one.model), weights(other.model)
    return max(float((mine[name] - theirs[name]).abs().max()) for name in mine if not name.endswith("key.bias"))


@pytest.mark.parametrize("freeze_to", [0, 2, -1], ids=["all trained", "top layer trained", "head trained"])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "lion", "lamb"])
def test_a_fit_with_shortcuts_equals_one_without(
    freeze_to: int, optimizer: str, encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fitted() -> Learner:
        learner = undropped(make_learner(encoder, epochs=3, weight_decay=0.0, optimizer=optimizer))
        learner.freeze_to(freeze_to)
        return learner.fit()

    short = fitted()
    without_shortcuts(monkeypatch)
    long = fitted()

    assert largest_difference(short, long) <= 2e-5
    assert [record.scores for record in short.history.evaluations] == [
        pytest.approx(record.scores, abs=1e-4) for record in long.history.evaluations
    ]


def test_frozen_layers_are_run_once_for_each_row(encoder: str) -> None:
    learner = make_learner(encoder, epochs=3)
    learner.freeze()
    rows: list[int] = []
    learner.model.bert.encoder.layer[0].attention.register_forward_hook(  # type: ignore[union-attr,index]
        lambda module, inputs, output: rows.append(len(inputs[0]))
    )

    learner.fit()

    # each once; twice the first batch of a split, on which the way is tried; 8 answers for the decision rule. The
    # passes that count the work have up to 4 windows.
    once = sum(len(learner.data.splits[split]) for split in ("train", "valid"))
    assert sum(count for count in rows if count > 4) == 2 * once + 8


@pytest.mark.parametrize("options", [{"epochs": 1}, {"epochs": 3, "freeze": "gradual"}], ids=["one epoch", "gradual"])
def test_nothing_is_kept_that_is_read_once(options: dict[str, object], encoder: str) -> None:
    learner = make_learner(encoder, **options)  # type: ignore[arg-type]  # each fits its parameter
    learner.freeze()

    with shortcuts(learner.model, learner.data, learner.plan(estimate=False).config, learner.runtime) as kept:
        assert kept == Shortcuts()


def test_a_full_disk_costs_time_and_nothing_else(
    encoder: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(frozen_prefix, "_temporary_array", full)
    learner = make_learner(encoder)
    learner.freeze()

    with caplog.at_level(logging.WARNING):
        learner.fit()

    assert "no room for what the frozen layers say (No space left on device); they are run each time" in caplog.text
    assert len(learner.history.evaluations) == 2


def test_the_log_says_what_is_done_and_no_text(encoder: str, caplog: pytest.LogCaptureFixture) -> None:
    learner = make_learner(encoder)
    learner.freeze_to(2)

    with caplog.at_level(logging.INFO, "fastbert"):
        learner.fit()

    assert "train rows: 1 frozen layers of 2 were run once" in caplog.text
    assert "button" not in caplog.text


def test_dropout_of_frozen_layers_is_off_in_training(encoder: str) -> None:
    learner = make_learner(encoder)
    learner.freeze()
    seen: list[bool] = []
    layers = learner.model.bert.encoder.layer  # type: ignore[union-attr]
    layers[1].output.dropout.register_forward_hook(lambda module, *_: seen.append(module.training))  # type: ignore[index,union-attr]

    learner.fit(epochs=1)

    assert seen
    assert not any(seen)


def test_the_table_is_whole_after_a_fit_and_its_unused_rows_untouched(encoder: str) -> None:
    data = make_data()
    learner = make_learner(encoder, data)
    before = learner.model.get_input_embeddings().weight.detach().clone()  # type: ignore[operator]

    learner.fit()

    after = learner.model.get_input_embeddings().weight.detach()  # type: ignore[operator]
    used = np.unique(np.concatenate([f.input_ids_L for f in learner.data.encoded("train").features]))
    moved = torch.nonzero((after != before).any(1)).flatten().numpy()
    assert after.shape == before.shape
    assert set(moved) <= set(used)
    assert len(moved) > 5


def test_packed_batches_train_the_same_weights_and_hold_no_padding(
    encoder: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fitted(share: float) -> Learner:
        monkeypatch.setattr(shortcuts_module, "PACKING_PAYS", share)
        return undropped(make_learner(encoder, epochs=2, weight_decay=0.0)).fit()

    padded = fitted(1.0)
    with caplog.at_level(logging.INFO, "fastbert"):
        packed = fitted(0.0)

    assert "batches are packed" in caplog.text
    assert largest_difference(packed, padded) <= 2e-5
    assert (packed.history.padding_share, padded.history.padding_share > 0) == (0.0, True)
    implementations = {one.model.config._attn_implementation for one in (packed, padded)}  # type: ignore[union-attr]
    assert len(implementations) == 1


def test_few_padding_tokens_leave_batches_as_they_are(encoder: str) -> None:
    learner = make_learner(encoder)
    plan = learner.plan(estimate=False)

    with shortcuts(learner.model, learner.data, plan.config, learner.runtime) as kept:
        assert not kept.packed

"""Steps on pairs of rows: a batch in parts has the loss and the gradients of one pass, with dropout too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from fastbert.data.batches import split_by_cost
from fastbert.data.databunch import DataBunch
from fastbert.models.dropout import drawing_dropout
from fastbert.models.losses import pair_cosine
from fastbert.training.pair_steps import Pairs, PairStepper, row_vectors
from fastbert.training.step import Part
from tests.feedback import feedback_rows, make_learner

ROWS = np.arange(12, dtype=np.intp)


@pytest.fixture
def long_texts() -> DataBunch:
    """Return rows of which most have two windows or three."""
    return DataBunch.from_files(feedback_rows(), max_tokens=8, truncation="windows", valid_share=0.2)


def stepper_of(encoder: str, data: DataBunch, dropout: float) -> PairStepper:
    learner = make_learner(encoder, data, start="contrastive", dropout=dropout)
    usual = learner.stepper(learner.plan(estimate=False).config)
    usual.model.train()
    for module in usual.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
    return PairStepper(**{**vars(usual), "task": Pairs(learner.data.task)})


def parts_of(stepper: PairStepper, data: DataBunch, batch_tokens: int) -> list[Part]:
    encoded = data.encoded("train")
    rows = split_by_cost(ROWS, encoded.costs, batch_tokens)
    return stepper.prepare([encoded.windows_of(part) for part in rows], np.random.default_rng(0))


def gradients(stepper: PairStepper) -> dict[str, torch.Tensor]:
    return {name: each.grad.clone() for name, each in stepper.model.named_parameters() if each.grad is not None}


def accumulated(stepper: PairStepper, parts: Sequence[Part]) -> tuple[float, dict[str, torch.Tensor]]:
    stepper.optimizer.zero_grad(set_to_none=True)
    ((loss, count),) = stepper.accumulate_all(parts)
    assert count == 1.0
    return float(loss), gradients(stepper)


def test_parts_of_a_batch_give_the_gradients_of_one_pass(encoder: str, long_texts: DataBunch) -> None:
    learner_data = make_learner(encoder, long_texts).data
    stepper = stepper_of(encoder, long_texts, dropout=0.0)
    whole, parts = (parts_of(stepper, learner_data, tokens) for tokens in (8192, 32))

    expected, found = accumulated(stepper, whole), accumulated(stepper, parts)

    assert len(whole) == 1 and len(parts) > 3
    assert max(part.padded_tokens for part in parts) <= 32
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    torch.testing.assert_close(found[1], expected[1], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("own_numbers", [True, False])
def test_dropout_is_the_same_when_a_part_is_run_again(own_numbers: bool, encoder: str, long_texts: DataBunch) -> None:
    """Against one graph over all parts, whose vectors and gradients are of one pass each by construction."""
    learner_data = make_learner(encoder, long_texts).data
    stepper = stepper_of(encoder, long_texts, dropout=0.3)
    parts = parts_of(stepper, learner_data, 32)
    labels_B = torch.cat([part.tensors["labels"] for part in parts])

    with drawing_dropout(stepper.model if own_numbers else torch.nn.Linear(1, 1)):
        torch.manual_seed(1)
        found = accumulated(stepper, parts)
        torch.manual_seed(1)
        stepper.optimizer.zero_grad(set_to_none=True)
        vectors = [row_vectors(stepper._run(part, part.seed), part.tensors) for part in parts]
        loss = pair_cosine(torch.cat(vectors), labels_B)
        loss.backward()  # type: ignore[no-untyped-call]

    assert found[0] == pytest.approx(float(loss.detach()), rel=1e-6)
    torch.testing.assert_close(found[1], gradients(stepper), rtol=1e-4, atol=1e-7)

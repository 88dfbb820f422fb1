"""R-Drop: the loss of two passes by hand, equal to one pass without dropout, and for which tasks there is one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from fastbert.config import TrainConfig
from fastbert.data.features import EncodedRows
from fastbert.errors import ConfigError
from fastbert.labels import Labels
from fastbert.models.heads import head_modules
from fastbert.models.losses import IGNORED
from fastbert.tasks.answering import Answering
from fastbert.tasks.classification import SingleLabel
from fastbert.training.r_drop import RDrop
from fastbert.training.step import training_parts
from tests.feedback import make_data, make_learner
from tests.helpers import tiny_encoder
from tests.training.test_step import make_stepper

WINDOWS = {"example_of_window": torch.tensor([0, 1]), "labels": torch.tensor([0, 1])}


def test_the_divergence_is_the_mean_of_both_directions_summed_over_rows() -> None:
    first, second = torch.tensor([[0.0, 1.0], [2.0, -1.0]]), torch.tensor([[0.5, 0.0], [2.0, 0.0]])
    log_p, log_q = functional.log_softmax(first, -1), functional.log_softmax(second, -1)
    both = [functional.kl_div(a, b, reduction="sum", log_target=True) for a, b in ((log_p, log_q), (log_q, log_p))]

    found = RDrop(3.0, "softmax", by_token=False).divergence({"logits": first}, {"logits": second}, WINDOWS)

    torch.testing.assert_close(found, 3.0 * (both[0] + both[1]) / 2)


def test_a_label_of_several_is_a_distribution_of_its_own() -> None:
    first, second = torch.tensor([[0.0, 1.0], [2.0, -1.0]]), torch.tensor([[0.5, 0.0], [2.0, 0.0]])
    p, q = torch.sigmoid(first), torch.sigmoid(second)
    expected = (p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()).sum()
    expected = (expected + (q * (q / p).log() + (1 - q) * ((1 - q) / (1 - p)).log()).sum()) / 2

    found = RDrop(1.0, "sigmoid", by_token=False).divergence({"logits": first}, {"logits": second}, WINDOWS)

    torch.testing.assert_close(found, expected)


def test_only_units_of_tagged_text_count_and_numbers_are_compared_squared() -> None:
    batch = {"labels": torch.tensor([[IGNORED, 1]])}
    first, second = torch.tensor([[[9.0, 0.0], [1.0, 2.0]]]), torch.tensor([[[0.0, 9.0], [1.0, 2.0]]])
    numbers = RDrop(2.0, "square", by_token=False)

    assert float(RDrop(1.0, "softmax", by_token=True).divergence({"logits": first}, {"logits": second}, batch)) == 0
    found = numbers.divergence(
        {"logits": torch.tensor([[1.0], [2.0]])}, {"logits": torch.tensor([[1.0], [5.0]])}, WINDOWS
    )
    assert float(found) == 18.0


def test_without_dropout_two_passes_are_one(encoder: str) -> None:
    stepper = make_stepper(encoder, SingleLabel(Labels(("bug", "praise"))))
    data = make_learner(encoder).data
    encoded: EncodedRows = data.encoded("train")
    parts = training_parts(encoded, [np.arange(8)], 8192, by_token=False)
    twice = replace(stepper, r_drop=RDrop(1.0, "softmax", by_token=False))

    prepared = stepper.prepare(parts, np.random.default_rng(0))[0]
    losses = [one.loss(prepared)[0].item() for one in (stepper, twice)]

    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_with_dropout_the_masks_differ_and_the_loss_is_larger_by_the_divergence(encoder: str) -> None:
    learner = make_learner(encoder, dropout=0.5)
    stepper = replace(
        learner.stepper(learner.plan(estimate=False).config), r_drop=RDrop(1.0, "softmax", by_token=False)
    )
    parts = training_parts(learner.data.encoded("train"), [np.arange(8)], 8192, by_token=False)
    learner.model.train()
    heavier = replace(stepper, r_drop=RDrop(100.0, "softmax", by_token=False))

    prepared = stepper.prepare(parts, np.random.default_rng(0))[0]

    light, heavy = stepper.loss(prepared), heavier.loss(prepared)

    assert heavy[0].item() > light[0].item()
    assert light[1] == heavy[1] == 8  # the rows, not the passes


def test_the_estimate_and_the_count_of_work_know_of_two_passes(encoder: str) -> None:
    plain, twice = make_learner(encoder).fit(), make_learner(encoder, r_drop=1.0).fit()

    assert twice.history.flop == pytest.approx(2 * plain.history.flop)
    assert twice.history.examples == plain.history.examples


def test_a_task_without_such_outputs_refuses_it() -> None:
    with pytest.raises(ConfigError, match="r_drop is 1, which the task 'answering' does not have") as caught:
        RDrop.of(TrainConfig(r_drop=1.0), Answering())
    assert caught.value.hint == "Leave it at 0."
    assert RDrop.of(TrainConfig(), make_data().task) is None


@pytest.mark.parametrize("options", [{"dropout": 0.0}, {"encoder": "modernbert"}], ids=["option", "modernbert"])
def test_a_model_without_dropout_is_refused_before_anything_is_trained(
    options: dict[str, object], encoder: str, tmp_path: Path
) -> None:
    """Two passes would be one, and the second would take as long for nothing."""
    own = tiny_encoder(tmp_path / "modernbert", "modernbert") if "encoder" in options else encoder
    learner = make_learner(str(own), r_drop=1.0, dropout=options.get("dropout"))

    with pytest.raises(ConfigError, match="r_drop is 1, but no layer that is trained has dropout") as caught:
        learner.plan(estimate=False)
    assert caught.value.hint == "Give the model some, such as dropout=0.1, or leave r_drop at 0."
    assert make_learner(str(own), r_drop=1.0, dropout=0.1).plan(estimate=False).config.r_drop == 1


def test_dropout_of_frozen_layers_is_at_rest_and_does_not_count(encoder: str) -> None:
    learner = make_learner(encoder, r_drop=1.0)
    for module in head_modules(learner.model):
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0

    assert learner.plan(estimate=False).config.r_drop == 1
    learner.freeze()
    with pytest.raises(ConfigError, match="no layer that is trained has dropout"):
        learner.plan(estimate=False)

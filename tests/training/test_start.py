"""What a learner starts from."""

from __future__ import annotations

import numpy as np
import torch

from fastbert.config import TrainConfig
from fastbert.models.loading import open_encoder
from fastbert.runtime import choose_runtime
from fastbert.training.start import new_model, new_optimizer, recipe_facts
from tests.feedback import make_data


def test_a_new_head_starts_at_the_shares_of_the_labels(encoder: str) -> None:
    data = make_data()
    model, _ = new_model(open_encoder(encoder), data, None, choose_runtime("fp32"), "fp32")

    bias = model.get_parameter("classifier.bias").detach().numpy()

    prior = data.task.prior_logits(data.examples("train"))
    assert prior is not None
    np.testing.assert_allclose(bias, prior, rtol=1e-6)


def test_an_optimizer_has_learned_nothing_and_has_the_rate_asked_for(encoder: str) -> None:
    model, _ = new_model(open_encoder(encoder), make_data(), None, choose_runtime("fp32"), "fp32")

    optimizer = new_optimizer(model, TrainConfig(lr=1e-3, head_lr_factor=2.0))

    assert not optimizer.state
    assert {group["lr"] for group in optimizer.param_groups} == {1e-3, 2e-3}


def test_the_recipe_reads_rows_labels_and_size(encoder: str) -> None:
    data, opened = make_data(), open_encoder(encoder)
    model, _ = new_model(opened, data, None, choose_runtime("fp32"), "fp32")

    facts = recipe_facts(data, model, opened, None)

    assert (facts.num_rows, facts.num_labels, facts.model_type) == (len(data.splits["train"]), 2, "bert")
    assert facts.num_parameters == sum(parameter.numel() for parameter in model.parameters())
    assert facts.has_new_head
    assert recipe_facts(data, model, opened, lambda width, labels: torch.nn.Linear(width, labels)).has_new_head

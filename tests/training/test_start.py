"""What a learner starts from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fastbert.config import TrainConfig
from fastbert.errors import ConfigError
from fastbert.models.freezing import layer_modules
from fastbert.models.heads import EncoderWithHead
from fastbert.models.loading import keeps_head, open_encoder
from fastbert.runtime import choose_runtime
from fastbert.tasks.answering import Answering
from fastbert.training.start import head_of, new_model, new_optimizer, recipe_facts
from tests.bundles import SINGLE
from tests.feedback import differing, make_data, weights

FP32 = TrainConfig(precision="fp32")


def test_a_new_head_starts_at_the_shares_of_the_labels(encoder: str) -> None:
    data = make_data()
    model, _ = new_model(open_encoder(encoder), data, None, choose_runtime("fp32"), FP32)

    bias = model.get_parameter("classifier.bias").detach().numpy()

    prior = data.task.prior_logits(data.examples("train"))
    assert prior is not None
    np.testing.assert_allclose(bias, prior, rtol=1e-6)


def test_an_optimizer_has_learned_nothing_and_has_the_rate_asked_for(encoder: str) -> None:
    model, _ = new_model(
        open_encoder(encoder), make_data(), None, choose_runtime("fp32"), TrainConfig(precision="fp32")
    )

    optimizer = new_optimizer(model, TrainConfig(lr=1e-3, head_lr_factor=2.0))

    assert not optimizer.state
    assert {group["lr"] for group in optimizer.param_groups} == {1e-3, 2e-3}


def test_the_recipe_reads_rows_labels_and_size(encoder: str) -> None:
    data, opened = make_data(), open_encoder(encoder)
    model, _ = new_model(opened, data, None, choose_runtime("fp32"), FP32)

    facts = recipe_facts(data, model, opened, None)

    assert (facts.num_rows, facts.num_labels, facts.model_type) == (len(data.splits["train"]), 2, "bert")
    assert facts.num_parameters == sum(parameter.numel() for parameter in model.parameters())
    assert facts.has_new_head
    assert recipe_facts(data, model, opened, lambda width, labels: torch.nn.Linear(width, labels)).has_new_head


def test_the_top_layers_start_at_random_and_the_rest_as_it_was(encoder: str) -> None:
    opened, data = open_encoder(encoder), make_data()
    plain, _ = new_model(opened, data, None, choose_runtime("fp32"), FP32)
    renewed, _ = new_model(opened, data, None, choose_runtime("fp32"), FP32.changed(reinit_layers=1))

    other = differing(weights(plain.base_model), weights(renewed.base_model))  # type: ignore[arg-type]
    top = len(layer_modules(plain)) - 1

    assert other and all(f"layer.{top}." in name or "pooler" in name for name in other)


def test_more_layers_than_there_are_are_refused(encoder: str) -> None:
    with pytest.raises(ConfigError, match="reinit_layers is 99; .* has 2 layers") as caught:
        new_model(open_encoder(encoder), make_data(), None, choose_runtime("fp32"), FP32.changed(reinit_layers=99))
    assert caught.value.hint is not None and "0 to 2" in caught.value.hint


def test_dropout_is_that_asked_for_in_hidden_states(encoder: str) -> None:
    model, _ = new_model(open_encoder(encoder), make_data(), None, choose_runtime("fp32"), FP32.changed(dropout=0.3))

    rates = [module.p for module in layer_modules(model)[0].modules() if isinstance(module, torch.nn.Dropout)]
    assert 0.3 in rates and set(rates) <= {0.0, 0.3}


def test_a_pooled_head_is_new_even_on_a_checkpoint_of_the_same_labels(encoder: str) -> None:
    data, config = make_data(), TrainConfig(pooling="mean")
    opened = open_encoder(encoder)
    opened.config.architectures = ["BertForSequenceClassification"]
    opened.config.id2label = dict(enumerate(data.labels))
    factory = head_of(config, data.task, None)
    model, _ = new_model(opened, data, factory, choose_runtime("fp32"), FP32)

    assert isinstance(model, EncoderWithHead)
    assert keeps_head(opened, data.task)
    assert recipe_facts(data, model, opened, None).has_new_head


def test_a_pooling_beside_a_head_of_ones_own_is_refused() -> None:
    with pytest.raises(ConfigError, match="pooling is 'mean', and a head of your own is given, which pools itself"):
        head_of(TrainConfig(pooling="mean"), SINGLE, lambda width, labels: torch.nn.Linear(width, labels))


def test_a_pooling_is_refused_where_each_token_has_an_answer() -> None:
    with pytest.raises(ConfigError, match="pooling is 'cls', but the task 'answering' answers token by token"):
        head_of(TrainConfig(pooling="cls"), Answering(), None)

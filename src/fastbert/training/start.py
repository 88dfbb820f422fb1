"""What a learner starts from: a model with a new head, an optimizer, and the facts that the recipe reads.

Knows nothing of epochs or of what is trained before.
"""

from __future__ import annotations

import torch
from torch import nn

from fastbert.config import Precision, TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.models.attention import suit_attention
from fastbert.models.first_token import read_first_token_only
from fastbert.models.loading import Encoder, HeadFactory, count_parameters, keeps_head, load_model
from fastbert.models.optimizers import make_optimizer
from fastbert.models.probing import working_runtime
from fastbert.runtime import Runtime
from fastbert.training import recipe


def new_model(
    encoder: Encoder, data: DataBunch, head: HeadFactory | None, runtime: Runtime, asked: Precision
) -> tuple[nn.Module, Runtime]:
    """Load the encoder with a new head, which starts at the task's prior where it has one; return how it computes."""
    model = load_model(encoder, data.task, head, data.task.prior_logits(data.examples("train")))
    suit_attention(model, runtime)
    read_first_token_only(model)
    working = working_runtime(model.to(runtime.device), runtime, encoder.tokenizer.input_names, asked)
    suit_attention(model, working)
    return model, working


def new_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Return the optimizer of a configuration, with nothing learned yet."""
    return make_optimizer(
        model,
        config.optimizer,
        lr=config.lr or 0.0,
        weight_decay=config.weight_decay,
        layer_decay=config.layer_decay,
        head_lr_factor=config.head_lr_factor or 1.0,
    )


def recipe_facts(data: DataBunch, model: nn.Module, encoder: Encoder, head: HeadFactory | None) -> recipe.Facts:
    """Return what the recipe reads of data and model."""
    return recipe.Facts(
        num_rows=sum(data.round_rows),
        num_labels=len(data.labels),
        num_parameters=count_parameters(model),
        model_type=encoder.model_type,
        has_new_head=head is not None or not keeps_head(encoder, data.task),
    )

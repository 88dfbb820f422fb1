"""What a learner starts from: a model with a new head, an optimizer, and the facts that the recipe reads.

Knows nothing of epochs or of what is trained before.
"""

from __future__ import annotations

import torch
from torch import nn

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.errors import ConfigError
from fastbert.models.attention import suit_attention
from fastbert.models.first_token import read_first_token_only
from fastbert.models.freezing import layer_modules
from fastbert.models.heads import EncoderWithHead, renew_layers
from fastbert.models.loading import Encoder, HeadFactory, count_parameters, keeps_head, load_model
from fastbert.models.optimizers import make_optimizer
from fastbert.models.pooled_head import head_factory
from fastbert.models.probing import working_runtime
from fastbert.runtime import Runtime
from fastbert.tasks.base import Task
from fastbert.training import recipe
from fastbert.training.few_rows import are_few_with_several_labels
from fastbert.training.r_drop import RDrop
from fastbert.training.step import Stepper, make_scaler


def head_of(config: TrainConfig, task: Task, head: HeadFactory | None) -> HeadFactory | None:
    """Return the factory of the head: the user's own, one that pools, or None for the encoder's kind of head.

    Raises ConfigError for a pooling beside a head of the user's own, or for a task that answers token by token.
    """
    if config.pooling == "default":
        return head
    if head is not None:
        raise ConfigError(
            f"pooling is '{config.pooling}', and a head of your own is given, which pools itself.",
            "Leave one of them out.",
        )
    if task.head != "SequenceClassification":
        raise ConfigError(
            f"pooling is '{config.pooling}', but the task '{task.name}' answers token by token: nothing is pooled.",
            "Leave pooling at default; other poolings are for labels and numbers of whole texts.",
        )
    return head_factory(config.pooling)


def new_model(
    encoder: Encoder, data: DataBunch, head: HeadFactory | None, runtime: Runtime, config: TrainConfig
) -> tuple[nn.Module, Runtime]:
    """Load the encoder with a new head, which starts at the task's prior where it has one; return how it computes.

    Raises ConfigError where more layers are to start at random than there are.
    """
    model = load_model(encoder, data.task, head, data.task.prior_logits(data.examples("train")), config.dropout)
    _renew_layers(model, encoder, config.reinit_layers)
    suit_attention(model, runtime)
    read_first_token_only(model)
    working = working_runtime(model.to(runtime.device), runtime, encoder.tokenizer.input_names, config.precision)
    suit_attention(model, working)
    return model, working


def new_stepper(
    model: nn.Module,
    task: Task,
    optimizer: torch.optim.Optimizer,
    runtime: Runtime,
    encoder: Encoder,
    *,
    how: TrainConfig,
) -> Stepper:
    """Return what takes a step by a configuration.

    Raises ConfigError for a technique that the task does not have or that does nothing for the model.
    """
    RDrop.check_dropout(how, model)
    return Stepper(
        model,
        task,
        optimizer,
        runtime,
        encoder.tokenizer.input_names,
        encoder.tokenizer.pad_id,
        how.clip_norm,
        make_scaler(runtime),
        r_drop=RDrop.of(how, task),
    )


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
        has_new_head=head is not None or isinstance(model, EncoderWithHead) or not keeps_head(encoder, data.task),
        is_few=are_few_with_several_labels(data),
    )


def _renew_layers(model: nn.Module, encoder: Encoder, count: int) -> None:
    if count == 0:
        return
    layers = layer_modules(model)
    if count > len(layers):
        raise ConfigError(
            f"reinit_layers is {count}; '{encoder.name}' has {len(layers)} layers that can be told apart.",
            f"Use a number from 0 to {len(layers)}; 1 to 3 is usual.",
        )
    renew_layers(layers[-count:], std=float(getattr(encoder.config, "initializer_range", 0.02)))

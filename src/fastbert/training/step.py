"""One optimiser step, in its one order: backward, unscale, divide, clip, update.

The parts of a batch add up their loss and their gradients; the division by the count comes
once, after the last part, so that accumulation gives what one large batch gives. Clipping
sees true gradients (after unscaling): the predecessor clipped scaled ones.
Knows nothing of epochs, schedules or callbacks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from fastbert.errors import TrainingError
from fastbert.inference.torch_backend import model_inputs, to_tensors
from fastbert.runtime import Runtime
from fastbert.tasks.base import Feature, Task, pad_batch

LEAST_COUNT = 1e-12  # a batch in which nothing counts has loss and gradient 0, not NaN


@dataclass(frozen=True)
class StepResult:
    """loss: mean over the whole batch.    gradient_norm: before clipping.

    tokens: real tokens;    padded_tokens: those with padding.
    """

    loss: float
    gradient_norm: float
    examples: int
    tokens: int
    padded_tokens: int


@dataclass(frozen=True)
class Stepper:
    """What stays the same from step to step. clip_norm: largest norm of the gradient."""

    model: nn.Module
    task: Task
    optimizer: Optimizer
    runtime: Runtime
    input_names: Sequence[str]
    pad_id: int
    clip_norm: float
    scaler: torch.amp.GradScaler

    def step(self, parts: Sequence[Sequence[Feature]], rng: np.random.Generator) -> StepResult:
        """Train on one batch, given in parts that fit in memory.

        Raises TrainingError if loss or gradient are not finite; the weights are unchanged then.
        """
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        total, count, tokens, padded = 0.0, 0.0, 0, 0
        for features in parts:
            part_sum, part_count, size = self.accumulate(features, rng)
            total, count = total + part_sum, count + part_count
            tokens += sum(len(feature.input_ids_L) for feature in features)
            padded += size
        if not math.isfinite(total):
            raise _diverged(f"The loss is {total}")
        norm = self.update(count)
        examples = sum(len({feature.example for feature in features}) for features in parts)
        return StepResult(total / max(count, LEAST_COUNT), norm, examples, tokens, padded)

    def accumulate(self, features: Sequence[Feature], rng: np.random.Generator) -> tuple[float, float, int]:
        """Add the gradients of one part; return its loss sum, count and padded tokens."""
        batch = pad_batch(features, self.pad_id)
        size = int(batch["input_ids"].size)
        batch |= self.task.targets(features, batch["input_ids"].shape[1], rng)
        tensors = to_tensors(batch, self.runtime.device)
        with self.runtime.autocast():
            outputs = self.model(**model_inputs(tensors, self.input_names))
        loss_sum, count = self.task.loss(outputs, tensors)
        self.scaler.scale(loss_sum).backward()  # type: ignore[no-untyped-call]
        return float(loss_sum.detach()), count, size

    def update(self, count: float) -> float:
        """Unscale, divide by count, clip and update; return the norm before clipping."""
        self.scaler.unscale_(self.optimizer)
        parameters = [parameter for parameter in self.model.parameters() if parameter.grad is not None]
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.div_(max(count, LEAST_COUNT))
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, self.clip_norm))
        if not math.isfinite(norm) and not self.scaler.is_enabled():  # the scaler skips such a step by itself
            raise _diverged(f"The norm of the gradient is {norm}")
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.scaler.is_enabled() and self.scaler.get_scale() < 1:  # halved at every step that was skipped
            raise _diverged("The fp16 loss scale fell below 1")
        return norm


def make_scaler(runtime: Runtime) -> torch.amp.GradScaler:
    """Return the loss scaler that fp16 needs, switched off for the other precisions."""
    # The loss is a sum over the batch: torch's own start of 2**16 would overflow in the first steps.
    return torch.amp.GradScaler(runtime.device.type, init_scale=2.0**12, enabled=runtime.precision == "fp16")


def _diverged(what: str) -> TrainingError:
    return TrainingError(f"{what}: training has diverged.", "Use a lower --lr, a longer warm-up, or --precision fp32.")

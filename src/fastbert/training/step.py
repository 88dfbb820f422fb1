"""One optimiser step, in its one order: backward, unscale, divide, clip, update.

The parts of a batch add up their loss and their gradients; the division by the count comes
once, after the last part, so that accumulation gives what one large batch gives. Clipping
sees true gradients (after unscaling): the predecessor clipped scaled ones.
Knows nothing of epochs, schedules or callbacks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from fastbert.data.batches import Indices
from fastbert.data.features import EncodedRows, Features
from fastbert.errors import TrainingError
from fastbert.inference.torch_backend import model_inputs, to_tensors
from fastbert.models.dropout import masks_from
from fastbert.models.frozen_prefix import FrozenPrefix, rest_frozen_parts
from fastbert.runtime import Runtime
from fastbert.tasks.base import Batch, Feature, pad_batch
from fastbert.training.r_drop import RDrop

LEAST_COUNT = 1e-12  # a batch in which nothing counts has loss and gradient 0, not NaN


class Trained(Protocol):
    """What a step asks of a task; see `Task` for both."""

    def targets(self, features: Sequence[Feature], length: int, rng: np.random.Generator) -> Batch:
        """Return the target arrays of a batch padded to length."""

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the SUM of the loss and the count it must be divided by."""


@dataclass(frozen=True)
class StepResult:
    """loss: mean over the whole batch.    gradient_norm: before clipping.

    tokens: real tokens;    padded_tokens: those with the padding that is computed.
    """

    loss: float
    gradient_norm: float
    examples: int
    tokens: int
    padded_tokens: int


@dataclass(frozen=True)
class Part:
    """Rows of a batch that fit in memory, ready for the encoder.

    tensors: inputs and targets on the device.    lengths: tokens of each window, without padding.
    seed: of its dropout.
    """

    tensors: dict[str, torch.Tensor]
    examples: int
    lengths: tuple[int, ...]
    seed: int

    @property
    def padded_tokens(self) -> int:
        """Return tokens with padding."""
        return self.tensors["input_ids"].numel()


@dataclass(frozen=True)
class Stepper:
    """What stays the same from step to step. clip_norm: largest norm of the gradient.

    r_drop: holds two passes with other dropout together; None: one pass.
    prefix: what the frozen layers say of the training rows, or None to run them each time.    packed: whether the model
    leaves padding out.
    """

    model: nn.Module
    task: Trained
    optimizer: Optimizer
    runtime: Runtime
    input_names: Sequence[str]
    pad_id: int
    clip_norm: float
    scaler: torch.amp.GradScaler
    prefix: FrozenPrefix | None = None
    packed: bool = False
    r_drop: RDrop | None = None

    def prepare(self, parts: Sequence[Sequence[Feature]], rng: np.random.Generator) -> list[Part]:
        """Pad the parts of one batch, add their targets and send them to the device. Safe in another thread."""
        return [self._prepare(features, rng) for features in parts]

    def step(self, parts: Sequence[Part]) -> StepResult:
        """Train on one batch, given in parts that fit in memory.

        Raises TrainingError if loss or gradient are not finite; the weights are unchanged then.
        """
        self.model.train()
        rest_frozen_parts(self.model)
        self.optimizer.zero_grad(set_to_none=True)
        results = self.accumulate_all(parts)
        total = sum(float(loss_sum) for loss_sum, _ in results)  # here, not in between: a GPU would have to wait
        count = sum(part_count for _, part_count in results)
        if not math.isfinite(total):
            raise diverged(f"The loss is {total}")
        tokens = sum(sum(part.lengths) for part in parts)
        return StepResult(
            total / max(count, LEAST_COUNT),
            self.update(count),
            sum(part.examples for part in parts),
            tokens,
            tokens if self.packed else sum(part.padded_tokens for part in parts),
        )

    def accumulate_all(self, parts: Sequence[Part]) -> list[tuple[torch.Tensor, float]]:
        """Add the gradients of all parts of a batch; return loss sums and counts."""
        return [self.accumulate(part) for part in parts]

    def accumulate(self, part: Part) -> tuple[torch.Tensor, float]:
        """Add the gradients of one part; return its loss sum and count."""
        loss_sum, count = self.loss(part)
        self.scaler.scale(loss_sum).backward()  # type: ignore[no-untyped-call]
        return loss_sum.detach(), count

    def loss(self, part: Part) -> tuple[torch.Tensor, float]:
        """Return the loss sum of one part, with its graph, and its count."""
        outputs = self._run(part, part.seed)
        loss_sum, count = self.task.loss(outputs, part.tensors)
        if self.r_drop is not None:
            again = self._run(part, (part.seed + 1) % 2**32)
            both = (
                loss_sum + self.task.loss(again, part.tensors)[0]
            )  # of the same rows: their mean has the count of one
            loss_sum = both / 2 + self.r_drop.divergence(outputs, again, part.tensors)
        return loss_sum, count

    def _run(self, part: Part, seed: int) -> Mapping[str, torch.Tensor]:
        """Return the outputs for a part, with the dropout of a seed."""
        with self.runtime.autocast(), masks_from(seed):
            if self.prefix is None:
                return cast("Mapping[str, torch.Tensor]", self.model(**model_inputs(part.tensors, self.input_names)))
            return self.prefix.run(part.tensors)

    def update(self, count: float) -> float:
        """Unscale, divide by count, clip and update; return the norm before clipping."""
        return update_weights(self.model, self.optimizer, self.scaler, count=count, clip_norm=self.clip_norm)

    def _prepare(self, features: Sequence[Feature], rng: np.random.Generator) -> Part:
        windows = Features.of(features)
        batch = pad_batch(windows, self.pad_id)
        batch |= self.task.targets(windows, batch["input_ids"].shape[1], rng)
        return Part(
            to_tensors(batch, self.runtime.device),
            int(np.count_nonzero(windows.windows.table_W["window"] == 0)),  # a row of several passes counts once
            tuple(windows.length_W.tolist()),
            int(rng.integers(2**32)),
        )


def training_parts(
    encoded: EncodedRows, rows_of_parts: Sequence[Indices], batch_tokens: int, *, by_token: bool
) -> list[Features]:
    """Return the windows of the parts of a batch; where the loss is a sum over windows, none exceeds batch_tokens."""
    if not by_token:
        return [encoded.windows_of(rows) for rows in rows_of_parts]
    return [windows for rows in rows_of_parts for windows in encoded.passes_of(rows, batch_tokens)]


def update_weights(
    model: nn.Module, optimizer: Optimizer, scaler: torch.amp.GradScaler, *, count: float, clip_norm: float
) -> float:
    """Unscale the gradients of a model, divide them by count, clip and update; return the norm before clipping.

    Raises TrainingError if the gradient is not finite; the weights are unchanged then.
    """
    scaler.unscale_(optimizer)
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    divisor = max(count, LEAST_COUNT)
    norm = float(torch.nn.utils.get_total_norm(gradients)) / divisor
    # one pass over the gradients for both, with the 1e-6 of torch's own clipping
    factor = min(1.0, clip_norm / (norm + 1e-6)) / divisor
    for gradient in gradients:
        gradient.mul_(factor)
    if not math.isfinite(norm) and not scaler.is_enabled():  # the scaler skips such a step by itself
        raise diverged(f"The norm of the gradient is {norm}")
    scaler.step(optimizer)
    scaler.update()
    if scaler.is_enabled() and scaler.get_scale() < 1:  # halved at every step that was skipped
        raise diverged("The fp16 loss scale fell below 1")
    return norm


def make_scaler(runtime: Runtime) -> torch.amp.GradScaler:
    """Return the loss scaler that fp16 needs, switched off for the other precisions."""
    # The loss is a sum over the batch: torch's own start of 2**16 would overflow in the first steps.
    return torch.amp.GradScaler(runtime.device.type, init_scale=2.0**12, enabled=runtime.precision == "fp16")


def diverged(what: str) -> TrainingError:
    """Return the error for a loss or gradient that is not finite."""
    return TrainingError(f"{what}: training has diverged.", "Use a lower --lr, a longer warm-up, or --precision fp32.")

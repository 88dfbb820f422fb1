"""The plan: everything that was inferred and chosen, shown before training and saved with it.

Time is estimated from a measured step of the real model, with weights and random state left
as they were. Knows nothing of how a plan is printed or where it is saved.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastbert.config import TrainConfig
from fastbert.data.batches import middle_step, num_steps, training_steps
from fastbert.data.databunch import DataBunch, label_block, length_phrase
from fastbert.display import Block, View, duration
from fastbert.models.dropout import drawing_dropout
from fastbert.models.frozen_prefix import frozen_layers, layers_left_out, trained
from fastbert.models.work import measure_work
from fastbert.runtime import freed_memory_kept, untouched_rng
from fastbert.training.contrastive import BATCH_ROWS as PAIR_ROWS
from fastbert.training.shortcuts import keeps_frozen_layers
from fastbert.training.step import Part, Stepper, training_parts

_BYTES = 4  # float32
_LIBRARIES = 450_000_000  # a process that has imported torch and transformers: 0.44 GB
# What grows during a step, by what autograd saves: gradients on their way, buffers of the products, and pieces of
# memory between tensors of changing size. Measured 1.36 after the longest batch and 1.5 after more, of other lengths.
_SAVED_FACTOR = 1.5


@dataclass(frozen=True)
class Plan:
    """What will be done. steps: of all epochs.    seconds, memory_bytes: estimates.

    trials_s: of the seconds, those of trials of losses; known where there is a time budget.
    """

    data: DataBunch
    config: TrainConfig
    encoder: str
    runtime: str
    steps: int
    seconds: float
    memory_bytes: int
    reasons: tuple[str, ...]
    trials_s: float = 0.0

    @property
    def peak_rate(self) -> str:
        """Return the highest rate of the schedule, and that of the head where it is another."""
        factor = self.config.head_lr_factor or 1.0
        return f"{self.config.lr or 0:g}" + ("" if factor == 1 else f", {factor:g} times that in the head")

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what looks wrong in the data, as rows and as tokens."""
        return (*self.data.warnings, *self.data.task.token_warnings(self.data.encoded("train").features))

    def to_json(self) -> dict[str, object]:
        """Return plain values; no text of a row is among them."""
        data = self.data
        return {
            "task": data.task.name,
            "labels": list(data.labels),
            "rows": data.row_counts(),
            "label_counts": data.label_counts(),
            "facts": list(data.facts),
            "warnings": list(self.warnings),
            "layout": None if data.layout is None else data.layout.to_json(),
            "lengths": length_phrase(data, "train"),
            "max_tokens": data.max_tokens,
            "encoder": self.encoder,
            "runtime": self.runtime,
            "options": {**data.config.to_json(), **self.config.to_json()},
            "reasons": list(self.reasons),
            "steps": self.steps,
            "estimated_seconds": round(self.seconds, 1),
            "estimated_memory_bytes": self.memory_bytes,
        }

    def view(self) -> View:
        """Return the plan for people."""
        data, config = self.data, self.config
        about = "up to about" if config.patience else "about"
        lines = [
            f"task       {data.task.describe()}",
            f"rows       {data.sizes}",
            f"tokens     {length_phrase(data, 'train')}",
            f"encoder    {self.encoder}",
            f"machine    {self.runtime}",
            f"training   {config.epochs:g} epoch{'s' * (config.epochs != 1)} = {self.steps} steps of "
            f"{config.batch_size} rows, {config.optimizer}, {config.schedule}, peak lr {self.peak_rate}",
            f"estimate   {about} {duration(self.seconds)}, {self.memory_bytes / 1e9:.1f} GB of memory",
        ]
        blocks = [
            Block("Plan", tuple(lines)),
            Block("Inferred", tuple(f"- {fact}" for fact in (*data.facts, *self.reasons))),
            label_block(data),
        ]
        if self.warnings:
            blocks.append(Block("Worth a look", tuple(f"- {warning}" for warning in self.warnings)))
        return View(tuple(blocks))


def total_steps(config: TrainConfig, num_rows: int | Sequence[int]) -> int:
    """Return the optimiser steps of all epochs, a fraction of one rounded up; num_rows as of `num_steps`."""
    return max(1, int(np.ceil((config.epochs or 0) * num_steps(num_rows, config.batch_size) - 1e-9)))


@dataclass(frozen=True)
class Cost:
    """Seconds of what is done once, and of an epoch with its evaluations. before_s: of what is trained before."""

    once_s: float
    epoch_s: float
    before_s: float = 0.0

    @property
    def forward_s(self) -> float:
        """Return the seconds of one forward pass over the rows: the backward pass takes twice as long."""
        return self.once_s + self.epoch_s / 3

    def seconds(self, epochs: float) -> float:
        """Return the seconds of a training."""
        return self.before_s + self.once_s + self.epoch_s * epochs

    def times(self, fits: float, epochs: float) -> Cost:
        """Return the cost of so many fits, whose epochs are together so many times as many."""
        return Cost(self.once_s * fits, self.epoch_s * epochs, self.before_s * fits)


def estimate_cost(stepper: Stepper, data: DataBunch, config: TrainConfig) -> Cost:
    """Return what a training costs, from `measure_epoch`.

    Evaluation is added as a third of the cost per token. Frozen layers that a fit runs once are counted once.
    """
    once_s, per_epoch_s = measure_epoch(stepper, data, config)
    num_rows = len(data.splits["train"])
    share = len(data.splits["valid"]) / num_rows / (data.config.valid_folds or 1)  # each row by one of as many models
    evaluation_s = per_epoch_s / 3 * share * num_rows / sum(data.round_rows) * config.evaluations_per_epoch
    return Cost(float(once_s * (1 + share)), float(per_epoch_s + evaluation_s))


def measure_epoch(stepper: Stepper, data: DataBunch, config: TrainConfig) -> tuple[float, float]:
    """Return the seconds of the frozen layers of all rows, where a fit runs them once, and of an epoch of steps.

    From one measured forward and backward pass: the batch nearest to the mean cost is timed twice, the faster counts,
    and all others by their padded tokens. Gradients are dropped and the random state is restored.
    """
    encoded, costs = data.encoded("train"), data.training_costs()
    steps = training_steps(
        costs, batch_size=config.batch_size, batch_tokens=config.batch_tokens, seed=config.seed, epoch=0
    )
    chosen, times = middle_step(steps, costs)
    features = training_parts(encoded, chosen, config.batch_tokens, by_token=data.task.by_token)
    parts = stepper.prepare(features, np.random.default_rng(0))
    buffers = [(buffer, buffer.clone()) for buffer in stepper.model.buffers()]
    model = stepper.model
    with untouched_rng(), freed_memory_kept(), drawing_dropout(model), trained(model):
        whole_s = rest_s = _time_passes(stepper, parts)
        if keeps_frozen_layers(stepper.model, config):
            with layers_left_out(stepper.model, frozen_layers(stepper.model)):
                rest_s = _time_passes(stepper, parts)
    for buffer, before in buffers:  # a head of the user's own may count what passes through it
        buffer.copy_(before)
    stepper.optimizer.zero_grad(set_to_none=True)
    num_rows, rows_an_epoch = len(data.splits["train"]), sum(data.round_rows)
    once_s = (whole_s - rest_s) * times * num_rows / rows_an_epoch  # the frozen layers of all rows
    return once_s, rest_s * 1.1 * times  # the update of the weights takes about a tenth more


def _time_passes(stepper: Stepper, parts: Sequence[Part]) -> float:
    """Return the seconds of a forward and backward pass over the parts of a batch: the faster of two."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        for part in parts:
            stepper.accumulate(part)
        times.append(time.perf_counter() - start)
    return min(times)


def estimate_memory(stepper: Stepper, data: DataBunch, config: TrainConfig) -> int:
    """Return the bytes that training needs at its peak.

    Weights, their gradients and two moments; copies to keep; and what the forward pass of the largest part of a batch
    saves for the backward pass, which is read off the model. On a processor the libraries themselves come on top.
    """
    parameters = list(stepper.model.parameters())
    weights = sum(parameter.numel() for parameter in parameters) * _BYTES
    trained = sum(parameter.numel() for parameter in parameters if parameter.requires_grad) * _BYTES
    copies = config.average + 1  # of the weights to keep, on the CPU
    copies += data.folded  # the model beside those of folds
    token_id = int(data.encoded("train").features[0].input_ids_L[0])
    saved = measure_work(stepper.model, stepper.runtime, stepper.input_names, token_id).saved
    costs = data.encoded("train").costs
    longest, most = int(costs.longest_N.max()), int(costs.windows_N.max())
    together = 1 if data.task.by_token else most  # windows of a row that are one pass in any case
    rows = max(config.batch_size, PAIR_ROWS if config.start == "contrastive" else 0)
    windows = max(together, min(rows * most, config.batch_tokens // longest))
    libraries = _LIBRARIES if stepper.runtime.device.type == "cpu" else 0
    return int(libraries + weights * (1 + copies) + trained * 3 + _SAVED_FACTOR * saved.of([longest] * windows))

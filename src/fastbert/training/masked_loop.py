"""The loop of a masked language model: for each epoch fresh examples, for each batch one step; evaluate, keep, go on.

Every step is a function of (weights, optimizer, seed, epoch, number), so that a run that was kept after an epoch goes
on as if it had never ended. Knows nothing of files, nor of where examples come from.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from fastbert.config import AdaptConfig
from fastbert.data.batches import Indices, middle_step, num_steps, prediction_batches, training_steps
from fastbert.data.masked_epochs import MaskedEpoch
from fastbert.inference.torch_backend import to_tensors
from fastbert.models.dropout import drawing_dropout, masks_from
from fastbert.models.frozen_prefix import trained
from fastbert.models.losses import cross_entropy_sum
from fastbert.models.masked_lm import MaskedLanguageModel
from fastbert.models.optimizers import apply_schedule
from fastbert.models.schedules import Schedule
from fastbert.runtime import Runtime, SpareMemory, freed_memory_kept, untouched_rng
from fastbert.training.adapt_recipe import HEAD_RATE
from fastbert.training.callbacks import Callback
from fastbert.training.state import RunState, StopSwitch
from fastbert.training.step import LEAST_COUNT, diverged, update_weights

MONITOR = "perplexity"
Batch = Mapping[str, Tensor]


@dataclass(frozen=True)
class Progress:
    """How far a run is. epochs: that are done.    evaluations: scores of the held-out text, before the first epoch too.

    steps, examples, tokens, seconds: of training, over all sittings.
    """

    epochs: int = 0
    steps: int = 0
    examples: int = 0
    tokens: int = 0
    seconds: float = 0.0
    evaluations: tuple[Mapping[str, float], ...] = ()


@dataclass(frozen=True)
class MaskedLoop:
    """One run: everything that it needs and nothing that it keeps.

    config: with every choice made.    schedule: of the steps in which the encoder learns.
    head_steps: before them, in which what is new learns alone.    examples: of an epoch by its number.
    valid: examples held out, always the same.
    keep: is called at the end of each epoch, to write what a resumed run needs.
    """

    model: MaskedLanguageModel
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    runtime: Runtime
    config: AdaptConfig
    schedule: Schedule
    head_steps: int
    examples: Callable[[int], MaskedEpoch]
    valid: MaskedEpoch
    inputs: tuple[Sequence[str], int]  # names of the encoder's inputs, and the padding id
    callbacks: Sequence[Callback] = ()
    keep: Callable[[Progress], None] = field(default=lambda progress: None)
    spare: SpareMemory = field(default_factory=SpareMemory)

    def run(self, progress: Progress) -> tuple[Progress, RunState]:
        """Train from where a run is to its end; the model holds the last weights then.

        A callback that asks to stop ends it after the epoch that is under way.
        Raises TrainingError if loss or gradient are not finite.
        """
        state = self._first_state(progress)
        try:
            self._tell("on_start", state)
            if not progress.evaluations:
                progress, state = self._evaluated(progress, state)
            with freed_memory_kept(), drawing_dropout(self.model), ThreadPoolExecutor(1) as other_thread:
                upcoming = self._begin(other_thread, progress.epochs)
                while upcoming is not None and state.stop.reason is None:
                    made, upcoming = upcoming.result(), self._begin(other_thread, progress.epochs + 1)
                    for following in self._epoch(made, progress, state):
                        progress, state = following  # at once: if the next step fails, callbacks hear of this one
                        self._tell("on_step", state)
                    progress, state = self._evaluated(replace(progress, epochs=progress.epochs + 1), state)
                    self.keep(progress)
        except BaseException as error:
            for callback in self.callbacks:
                callback.on_error(state, error)
            raise
        self._tell("on_finish", state)
        return progress, state

    def evaluate(self) -> dict[str, float]:
        """Return loss, perplexity and share of right answers on the examples held out, in float32 without dropout."""
        sums, was_training = np.zeros(3), self.model.training
        following = np.zeros(2)
        self.model.eval()
        try:
            with torch.inference_mode():
                for rows in prediction_batches(self.valid.costs, batch_tokens=self.config.batch_tokens, max_rows=64):
                    batch = self._batch(self.valid, rows)
                    outputs = self.model({name: batch[name] for name in self.inputs[0]}, batch["places"])
                    found, predicted = cross_entropy_sum(outputs.logits_MV, batch["targets"])
                    hits = (outputs.logits_MV.argmax(1) == batch["targets"]).sum()
                    sums += (float(found), predicted, float(hits))
                    # Of pairs of one kind alone a head that has learned nothing may get all right.
                    if outputs.next_W2 is not None and self.valid.random_share not in (None, 0.0, 1.0):
                        following += (float((outputs.next_W2.argmax(1) == batch["next"]).sum()), len(rows))
        finally:
            self.model.train(was_training)
        total_loss, count, right = sums.tolist()
        loss = total_loss / max(count, LEAST_COUNT)
        scores = {"loss": loss, MONITOR: math.exp(min(loss, 700.0)), "accuracy": right / max(count, LEAST_COUNT)}
        return scores | ({"next_accuracy": float(following[0] / following[1])} if following[1] else {})

    def estimate_seconds(self, made: MaskedEpoch) -> float:
        """Return the seconds that a run takes whose epochs are like this one, by one measured pass.

        The batch nearest to the mean is timed twice, the faster counts, and all others by their padded tokens;
        evaluations are added as a third of the cost per token. Weights, modes and random state stay as they are.
        """
        config, epochs = self.config, self.config.epochs or 0
        steps = training_steps(
            made.costs, batch_size=config.batch_size, batch_tokens=config.batch_tokens, seed=config.seed, epoch=0
        )
        chosen, times = middle_step(steps, made.costs)
        parts = [self._batch(made, rows) for rows in chosen]
        passes = []
        with untouched_rng(), freed_memory_kept(), drawing_dropout(self.model), trained(self.model):
            for _ in range(2):
                start = time.perf_counter()
                self._accumulate(parts, np.random.default_rng(0))
                passes.append(time.perf_counter() - start)
        self.optimizer.zero_grad(set_to_none=True)
        epoch_s = min(passes) * times * 1.1  # the update of the weights comes on top: about a tenth
        held_out = int(self.valid.costs.longest_N.sum()) / int(made.costs.longest_N.sum())
        return epochs * epoch_s + (epochs + 1) * epoch_s / 3 * held_out

    def _begin(self, other_thread: ThreadPoolExecutor, epoch: int) -> Future[MaskedEpoch] | None:
        """Begin to make the examples of an epoch while the one before is trained on; None if there is no such epoch."""
        return other_thread.submit(self.examples, epoch) if epoch < (self.config.epochs or 0) else None

    def _epoch(self, made: MaskedEpoch, progress: Progress, state: RunState) -> Iterator[tuple[Progress, RunState]]:
        config, epoch = self.config, progress.epochs
        steps = training_steps(
            made.costs, batch_size=config.batch_size, batch_tokens=config.batch_tokens, seed=config.seed, epoch=epoch
        )
        total = state.step + len(steps) * ((config.epochs or 0) - epoch)  # epochs of pairs have more or fewer steps
        for number, parts in enumerate(steps):
            start = time.perf_counter()
            lr = self._set_rate(epoch + number / len(steps), progress.steps)
            loss, norm = self._step(
                [self._batch(made, rows) for rows in parts], np.random.default_rng([config.seed, epoch, number])
            )
            self.spare.after_step()
            tokens = int(sum(made.lengths_N[rows].sum() for rows in parts))
            examples = sum(len(rows) for rows in parts)
            seconds = time.perf_counter() - start
            progress = replace(
                progress,
                steps=progress.steps + 1,
                examples=progress.examples + examples,
                tokens=progress.tokens + tokens,
                seconds=progress.seconds + seconds,
            )
            state = replace(
                state,
                step=state.step + 1,
                total_steps=total,
                epoch=epoch + (number + 1) / len(steps),
                loss=loss,
                lr=lr,
                gradient_norm=norm,
                examples=state.examples + examples,
                tokens=state.tokens + tokens,
                padded_tokens=state.padded_tokens + sum(len(rows) * int(made.lengths_N[rows].max()) for rows in parts),
                seconds=state.seconds + seconds,
            )
            yield progress, state

    def _set_rate(self, epoch: float, step: int) -> float:
        """Set which parameters learn in a step, and at which rate; return it."""
        head_only = step < self.head_steps
        head = {id(parameter) for parameter in self.model.new_parameters()} if self.head_steps else set()
        for parameter in self.model.model.parameters():
            parameter.requires_grad_(not head_only or id(parameter) in head)
        if head_only:
            for group in self.optimizer.param_groups:
                group["lr"] = HEAD_RATE
            return HEAD_RATE
        # by the share of the run: epochs of pairs have more or fewer steps than the first
        done = epoch / (self.config.epochs or 1) * (self.schedule.total_steps + self.head_steps)
        return apply_schedule(self.optimizer, self.schedule, max(0, round(done) - self.head_steps))

    def _step(self, parts: Sequence[Batch], rng: np.random.Generator) -> tuple[float, float]:
        """Train on one batch, given in parts that fit in memory; return its loss and the norm of the gradient."""
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        loss, count = self._accumulate(parts, rng)
        if not math.isfinite(loss):
            raise diverged(f"The loss is {loss}")
        norm = update_weights(
            self.model, self.optimizer, self.scaler, count=float(count), clip_norm=self.config.clip_norm
        )
        return loss, norm

    def _accumulate(self, parts: Sequence[Batch], rng: np.random.Generator) -> tuple[float, int]:
        """Add the gradients of the parts of a batch; return its loss, and how many tokens were predicted."""
        count = sum(len(part["targets"]) for part in parts)
        pairs = sum(len(part["next"]) for part in parts if "next" in part)
        totals = []
        for part in parts:
            seed = int(rng.integers(2**32))
            torch.manual_seed(seed)  # on other devices than a CPU torch draws the dropout
            with self.runtime.autocast(), masks_from(seed):
                outputs = self.model({name: part[name] for name in self.inputs[0]}, part["places"])
            total, _ = cross_entropy_sum(outputs.logits_MV, part["targets"])
            if outputs.next_W2 is not None and pairs:
                # the mean over pairs is added to the mean over tokens; the division by their number comes once, below
                total = total + cross_entropy_sum(outputs.next_W2, part["next"])[0] * (count / pairs)
            self.scaler.scale(total).backward()  # type: ignore[no-untyped-call]
            totals.append(total.detach())
        return float(sum(totals)) / max(count, LEAST_COUNT), count

    def _batch(self, made: MaskedEpoch, rows: Indices) -> Batch:
        return to_tensors(dict(made.batch(rows, self.inputs[1])), self.runtime.device)

    def _evaluated(self, progress: Progress, state: RunState) -> tuple[Progress, RunState]:
        scores = self.evaluate()
        progress = replace(progress, evaluations=(*progress.evaluations, scores))
        state = replace(state, scores=scores, loss=state.loss if state.step else scores["loss"])
        if state.best_score is None or scores[MONITOR] < state.best_score:
            state = replace(state, best_score=scores[MONITOR], best_step=state.step)
        self._tell("on_evaluate", state)
        return progress, state

    def _tell(self, event: str, state: RunState) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(state)

    def _first_state(self, progress: Progress) -> RunState:
        known = [scores[MONITOR] for scores in progress.evaluations]
        return RunState(
            step=progress.steps,
            total_steps=max(progress.steps, self.schedule.total_steps + self.head_steps),
            epoch=float(progress.epochs),
            total_epochs=float(self.config.epochs or 0),
            loss=0.0,
            lr=0.0,
            gradient_norm=0.0,
            examples=0,
            tokens=0,
            padded_tokens=0,
            seconds=0.0,
            monitor=MONITOR,
            stop=StopSwitch(),
            scores=progress.evaluations[-1] if progress.evaluations else {},
            best_score=min(known, default=None),
        )


def steps_of(config: AdaptConfig, num_sequences: int) -> int:
    """Return the steps of all epochs, if each has so many sequences."""
    return (config.epochs or 0) * num_steps(num_sequences, config.batch_size)

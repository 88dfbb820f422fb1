"""The training loop: for each epoch, for each batch, one step; evaluate, keep what is good, stop.

One loop for every task, to be read in ten minutes. It tells callbacks what happens and reads
from them only the wish to stop. Knows nothing of files or of how anything is shown.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from fastbert.config import TrainConfig
from fastbert.data.batches import Indices, num_steps, training_steps
from fastbert.data.databunch import DataBunch
from fastbert.models.freezing import freeze_to, layer_groups, unfreeze
from fastbert.models.optimizers import apply_schedule
from fastbert.models.schedules import Schedule
from fastbert.runtime import SpareMemory, product_rate
from fastbert.training.callbacks import Callback, tell
from fastbert.training.kept import KeptWeights
from fastbert.training.meter import FlopMeter
from fastbert.training.moving_average import MovingAverage
from fastbert.training.state import FIT, EvaluationRecord, History, RunState, Stage, StepRecord, Validation, started
from fastbert.training.step import Part, Stepper, training_parts


@dataclass(frozen=True)
class Loop:
    """One `fit`: everything that it needs and nothing that it keeps.

    first_epoch: epochs trained by earlier fits, so that the order of rows goes on.
    evaluate: returns what the validation rows say of the weights as they are.
    moving: the average that is evaluated and kept in place of the last weights, or None.
    """

    data: DataBunch
    stepper: Stepper
    schedule: Schedule
    config: TrainConfig
    evaluate: Callable[[], Validation]
    callbacks: Sequence[Callback]
    history: History
    first_epoch: int
    meter: FlopMeter
    moving: MovingAverage | None = None
    spare: SpareMemory = field(default_factory=SpareMemory)

    def run(self) -> RunState:
        """Train; leave the kept weights in the model; return the last state."""
        state = self._first_state()
        keeper = KeptWeights(self.config.average)
        self._measure_machine()
        try:
            self._tell("on_start", state)
            for epoch in range(int(np.ceil(state.total_epochs - 1e-9))):
                self._thaw(epoch)
                for following in self._epoch(epoch, state, keeper):
                    state = following  # at once: if the next step fails, callbacks hear of this one
                if state.stop.reason is not None or state.step >= self.schedule.total_steps:
                    break
            state = self._settle(state, keeper)
        except BaseException as error:
            for callback in self.callbacks:
                callback.on_error(state, error)
            raise
        self.history.stages.append(Stage(FIT, state.step, state.seconds, in_history=True))
        self._tell("on_finish", state)
        return state

    def _epoch(self, epoch: int, state: RunState, keeper: KeptWeights) -> Iterator[RunState]:
        """Yield the state after each step, and after its evaluation where there is one."""
        steps = training_steps(
            self.data.training_costs(),
            batch_size=self.config.batch_size,
            batch_tokens=self.config.batch_tokens,
            seed=self.config.seed,
            epoch=self.first_epoch + epoch,
        )
        checks = evaluation_steps(len(steps), self.config.evaluations_per_epoch)
        batches = self._prepared(steps[: self.schedule.total_steps - state.step], state.step)
        for number in range(1, len(steps) + 1):
            state = self._step(batches, state, epoch + number / len(steps))
            self.spare.after_step()
            self._tell("on_step", state)
            last = state.step >= self.schedule.total_steps
            if number in checks or last or state.stop.reason is not None:
                state = self._evaluate(state, keeper)
            yield state
            if last or state.stop.reason is not None:
                break

    def _prepared(self, steps: Sequence[Sequence[Indices]], first_step: int) -> Iterator[list[Part]]:
        """Yield the batches in order, each prepared while the one before is trained on."""
        encoded = self.data.encoded("train")

        def prepare(number: int) -> list[Part]:
            # random numbers of its own: what is prepared does not depend on when
            rng = np.random.default_rng([self.config.seed, self.first_epoch, first_step + number])
            by_token = self.data.task.by_token
            features = training_parts(encoded, steps[number], self.config.batch_tokens, by_token=by_token)
            return self.stepper.prepare(features, rng)

        with ThreadPoolExecutor(1) as other_thread:
            upcoming = other_thread.submit(prepare, 0)
            for number in range(len(steps)):
                parts = upcoming.result()
                if number + 1 < len(steps):
                    upcoming = other_thread.submit(prepare, number + 1)
                yield parts

    def _step(self, batches: Iterator[list[Part]], state: RunState, epoch: float) -> RunState:
        start = time.perf_counter()
        lr = apply_schedule(self.stepper.optimizer, self.schedule, state.step)
        parts = next(batches)
        result = self.stepper.step(parts)
        if self.moving is not None:
            self.moving.update()
        self.history.flop += self.meter.flop([part.lengths for part in parts])
        history = self.history
        history.steps.append(StepRecord(len(history.steps) + 1, self.first_epoch + epoch, result.loss, lr))
        history.examples += result.examples
        history.tokens += result.tokens
        history.padded_tokens += result.padded_tokens
        seconds = time.perf_counter() - start
        history.seconds += seconds
        return state.after(result, epoch=epoch, lr=lr, seconds=seconds)

    def _evaluate(self, state: RunState, keeper: KeptWeights) -> RunState:
        with contextlib.nullcontext() if self.moving is None else self.moving.in_place():
            checked = self.evaluate()
            scores = checked.scores
            monitor, value = self._ranking(scores, state)
            improved = keeper.best is None or value > keeper.best
            kept = keeper.offer(len(self.history.evaluations), value, checked.error, self.stepper.model)
        state = replace(state, scores=scores, monitor=monitor, collapsed=checked.collapsed)
        if improved:
            state = replace(state, best_score=value, best_step=state.step)
        recent = self.history.steps[self._last_evaluation() :]
        loss = float(np.mean([record.loss for record in recent]))
        self.history.evaluations.append(
            EvaluationRecord(
                len(self.history.steps),
                self.first_epoch + state.epoch,
                loss,
                scores,
                improved,
                collapsed=checked.collapsed,
            )
        )
        self._measure_machine()
        self._tell("on_evaluate", state)
        if kept:
            self._tell("on_checkpoint", state)
        return state

    def _measure_machine(self) -> None:
        # again and again, for a moment each: a neighbour that is busy at one of them must not make a run look good
        self.history.product_rate = product_rate(self.stepper.runtime, again=True)

    def _settle(self, state: RunState, keeper: KeptWeights) -> RunState:
        """Leave the mean of the kept weights in the model if it scores at least as high as the latest of them."""
        if not keeper.copies:
            return state
        records, latest = self.history.evaluations, keeper.copies[-1]
        if keeper.load_mean(self.stepper.model):
            checked = self.evaluate()
            scores, value = checked.scores, self._ranking(checked.scores, state)[1]
            if value >= latest.score:
                steps = tuple(records[copy.place].step - state.steps_before for copy in keeper.copies)
                mean = replace(records[-1], scores=scores, collapsed=checked.collapsed, best=False)
                records.append(replace(mean, averaged=True, kept=True))
                state = replace(state, scores=scores, collapsed=checked.collapsed, kept_steps=steps)
                self._tell("on_checkpoint", state)
                return state
        keeper.load_latest(self.stepper.model)
        record = records[latest.place] = replace(records[latest.place], kept=True)
        steps = (record.step - state.steps_before,)
        return replace(state, scores=record.scores, collapsed=record.collapsed, kept_steps=steps)

    def _ranking(self, scores: Mapping[str, float], state: RunState) -> tuple[str, float]:
        """Return what chooses, as `Task.ranking`; the negated training loss where no such score is defined."""
        return self.data.task.ranking(scores) or (state.monitor, -state.loss)

    def _last_evaluation(self) -> int:
        return self.history.evaluations[-1].step if self.history.evaluations else 0

    def _thaw(self, epoch: int) -> None:
        """Gradual unfreezing: the head first, then one more group from the top each epoch."""
        if self.config.freeze == "gradual":
            model = self.stepper.model
            groups = len(layer_groups(model))
            if epoch + 1 < groups:
                freeze_to(model, groups - 1 - epoch)
            else:
                unfreeze(model)

    def _tell(self, event: str, state: RunState) -> None:
        tell(self.callbacks, event, state)

    def _first_state(self) -> RunState:
        return started(
            self.schedule.total_steps,
            self.config.epochs or 0.0,
            self.data.task.monitor,
            steps_before=len(self.history.steps),
            epochs_before=self.first_epoch,
        )


def evaluation_steps(num_steps_of_epoch: int, evaluations: int) -> set[int]:
    """Return after which steps of an epoch to evaluate, evenly spread; the last is always one.

    >>> sorted(evaluation_steps(10, 3))
    [3, 7, 10]
    """
    count = min(evaluations, num_steps_of_epoch)
    return {round(num_steps_of_epoch * (index + 1) / count) for index in range(count)}


def whole_epochs(num_rows: int | Sequence[int], batch_size: int, steps: int) -> int:
    """Return how many epochs, the last perhaps unfinished, a number of steps touches; num_rows as of `num_steps`."""
    return -(-steps // num_steps(num_rows, batch_size))

"""One trial: options in, a trained model and its score on the validation rows out.

A trial may be ended early, through the switch that every callback has: by the median of the trials before it at the
same share of their training, or by the deadline. Shares, not steps, are compared: at half of its run a training of
three epochs and one of six are at the same point of their schedules, and at the same step they are not.
Knows nothing of where results are kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

import torch

from fastbert.config import TrainConfig
from fastbert.errors import TrainingError, first_line
from fastbert.tasks.base import Prediction
from fastbert.training.callbacks import Callback
from fastbert.training.learner import Learner
from fastbert.training.state import RunState
from fastbert.tuning.evidence import Evidence, gather
from fastbert.tuning.material import Cut, Material
from fastbert.tuning.space import Range, Scalar, Space
from fastbert.tuning.study import LATE

TENTHS = 10  # of a training at which trials are compared
PRUNED = "below the median at this point"
Report = Callable[[float, int], bool]  # the score so far, at a tenth -> whether to end


class NoTime(Exception):  # no error: the search goes on, or ends, without the trial
    """A trial would take longer than there is. seconds: that it would."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"it would take {seconds:.0f} s")
        self.seconds = seconds


class Ended(Exception):  # no error: a way out of a trial
    """A trial was ended early. note: why.    value: the best score it had, None before any.    epochs: trained."""

    def __init__(self, note: str, value: float | None = None, epochs: float = 0.0) -> None:
        super().__init__(note)
        self.note, self.value, self.epochs = note, value, epochs


@dataclass(frozen=True)
class Outcome:
    """What a trial gave. value: the score that chooses, of all splits together; higher is better.

    learner: with the kept weights, None where there are several splits: no model of them is the result.
    seconds: with loading and scoring.    epochs: trained, over all splits.    evidence: of value.    note: why it ended
    early, if it did.
    """

    value: float
    scores: Mapping[str, float]
    seconds: float
    epochs: float
    evidence: Evidence
    learner: Learner | None
    note: str = ""


class Watch(Callback):
    """Tells how a trial does, and ends it where that does not pay or the time is up.

    num_splits: trainings of the trial.    report: is told the best score so far at each tenth.
    left_s: returns the seconds until the deadline.
    """

    def __init__(self, num_splits: int, report: Report, left_s: Callable[[], float]) -> None:
        self.report, self.left_s, self.num_splits = report, left_s, num_splits
        self.note = ""
        self.best: float | None = None
        self.place = -1
        self.epochs = 0.0
        self._earlier: list[float] = []
        self._told = -1
        self._check_s = 0.0  # that an evaluation takes
        self._last_step = time.perf_counter()

    def on_start(self, state: RunState) -> None:
        """Begin with another split."""
        self.place += 1
        if self.place:
            self._earlier.append(self.best or 0.0)
        self.best = None

    def on_step(self, state: RunState) -> None:
        """End the trial in time: what a fit does after its last step takes as long as two evaluations."""
        self._last_step = time.perf_counter()
        if 2 * self._check_s > self.left_s():
            self._stop(state, LATE)

    def on_evaluate(self, state: RunState) -> None:
        """Tell the score so far, for each tenth since the last time."""
        self._check_s = time.perf_counter() - self._last_step
        value = state.best_score
        if value is None:
            return
        self.best = value
        mean = (sum(self._earlier) + value) / (len(self._earlier) + 1)
        share = (self.place + state.step / state.total_steps) / self.num_splits
        tenth = min(int(TENTHS * share + 1e-9), TENTHS - 1)
        ended = False
        for number in range(self._told + 1, tenth + 1):
            ended = self.report(mean, number)
        self._told = max(self._told, tenth)
        if ended and state.step < state.total_steps:
            self._stop(state, PRUNED)

    def on_finish(self, state: RunState) -> None:
        """Count the epochs."""
        self.epochs += state.epoch

    def _stop(self, state: RunState, note: str) -> None:
        self.note = self.note or note
        state.stop.ask(note)


@dataclass
class Attempt:
    """The options of a trial, completed by the recipe, and its first learner, not yet trained.

    kind: what trials that take alike for an epoch have in common.    options: of the space, as they are used.
    """

    material: Material
    config: TrainConfig
    cut: Cut
    options: dict[str, Scalar]
    first: Learner
    relative: dict[str, Scalar] = field(default_factory=dict)

    @classmethod
    def make(cls, material: Material, space: Space, drawn: Mapping[str, Scalar], base: TrainConfig) -> Attempt:
        """Complete what was drawn. base: options that are not searched."""
        data = material.data.config
        absolute = space.fixed(drawn)
        training = {name: value for name, value in absolute.items() if hasattr(base, name)}
        cut = (
            str(absolute.get("encoder", base.encoder)),
            str(absolute.get("truncation", data.truncation)),
            _length(absolute.get("max_tokens", data.max_tokens)),
        )
        config = base.changed(**training)
        learner = material.learner(0, config, cut)
        chosen = learner.plan(estimate=False).config
        relative = {
            name: part.value(drawn[name], getattr(chosen, name)) for name, part in space.parts.items() if _times(part)
        }
        return cls(material, config, cut, {**absolute, **relative}, learner, relative)

    @property
    def epochs(self) -> float:
        """Return the passes over the rows, of all splits together."""
        epochs = float(str(self.relative.get("epochs") or self.first.plan(estimate=False).config.epochs))
        return epochs * len(self.material.splits)

    @property
    def kind(self) -> Hashable:
        """Return what makes an epoch slow or quick."""
        return (*self.cut, self.config.freeze)

    def planned_s(self) -> float:
        """Return the seconds that the plan estimates, from a measured step."""
        options: dict[str, object] = dict(self.relative)
        return self.first.plan(estimate=True, **options).seconds * len(self.material.splits)

    def run(self, report: Report, left_s: Callable[[], float], *, keep_late: bool = False) -> Outcome:
        """Train and score. Raises Ended where it ends early, and where training cannot go on.

        keep_late: what a single training had learned when the time was up is a result.
        """
        started = time.perf_counter()
        watch = Watch(len(self.material.splits), report, left_s)
        predictions: list[Prediction] = []
        learner = self.first
        for place in range(len(self.material.splits)):
            learner = self.first if place == 0 else self.material.learner(place, self.config, self.cut)
            learner.callbacks = [watch]
            self._fit(learner)
            if watch.note and not (keep_late and len(self.material.splits) == 1):
                raise Ended(watch.note, watch.best, watch.epochs)
            predictions += learner.predictions("valid")
        task, examples = self.material.data.task, self.material.examples
        scores = task.score(predictions, examples)
        ranked = task.ranking(scores)
        if ranked is None:
            raise TrainingError(
                f"The validation rows give no {task.monitor}: there is nothing to search by.",
                "Give more validation rows, of all labels.",
            )
        evidence = gather(task, predictions, examples)
        seconds = time.perf_counter() - started
        kept = learner if len(self.material.splits) == 1 else None
        return Outcome(ranked[1], scores, seconds, watch.epochs, evidence, kept, watch.note)

    def _fit(self, learner: Learner) -> None:
        try:
            learner.fit(**self.relative)  # type: ignore[arg-type]  # options of the recipe, each of its type
        except TrainingError as error:  # options that diverge are a result, too
            raise Ended(error.message) from error
        except torch.OutOfMemoryError as error:
            raise Ended(f"out of memory: {first_line(error)}") from error


def _times(part: object) -> bool:
    return isinstance(part, Range) and part.times


def _length(value: object) -> int | None:
    return value if isinstance(value, int) else None

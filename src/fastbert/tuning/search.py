"""The search: trial after trial until there are enough or the time is up; other processes may share the study.

What is printed is told to listeners. Knows nothing of terminals.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastbert.errors import TrainingError, UsageError
from fastbert.tuning.budget import Pace
from fastbert.tuning.keeping import Merit
from fastbert.tuning.latency import Latency, machine, measure
from fastbert.tuning.objective import Attempt, Ended, NoTime, Outcome
from fastbert.tuning.setup import Prepared
from fastbert.tuning.space import Scalar
from fastbert.tuning.study import LATE, PREFIX, Record, Trials, load_optuna, open_storage, own_process

if TYPE_CHECKING:
    import optuna

END = 3.0  # what follows the last trial, in times that it takes to save a model
ATTEMPTS = 3  # at drawing a trial that the time left is enough for
REPEATS = 20  # in a row, of options tried before: where numbers are rounded, no other sign tells that there are no more


class Surplus(Exception):  # no error: other processes have begun enough trials
    """A trial is one more than were asked for."""


@dataclass
class Search:
    """A search that runs. on_trial: is told of each trial of this process that ended, and of the best so far."""

    prepared: Prepared
    on_trial: Callable[[Record, Record | None], None] = lambda record, best: None
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        prepared = self.prepared
        prepared.place.make()
        by_latency = prepared.settings.max_latency_s is not None
        with prepared.place.locked():
            storage = open_storage(prepared.storage)
        self.trials = Trials(storage, prepared.study, prepared.space, prepared.config.seed, by_latency)
        self.reason = ""  # why it ended
        self.repeats = 0  # in a row
        self._drawing = ExitStack()  # holds the lock while a trial is drawn

    def run(self) -> list[Record]:
        """Run trials; return all of the study. Raises TrainingError where the first trial cannot be trained."""
        place = self.prepared.place
        with place.locked():
            self.trials.open(self.prepared.facts())
            self._learn_pace()
            place.tidy([record.number for record in self.trials.records() if record.counts])
            self._see_to_first()
        while not self._is_over():
            before = {record.number for record in self.trials.records()}
            with self._drawing:  # SQLite may give a trial that waits to two processes that ask for it at once
                self._drawing.enter_context(place.locked())
                self.trials.open_study.optimize(self._trial, n_trials=1, catch=(NoTime, Surplus), gc_after_trial=True)
            records = self.trials.records()
            for record in records:
                if record.number not in before and record.owner == own_process() and record.counts:
                    self.trials.attempt = self.repeats = 0
                    self.on_trial(record, best_of(records, self.prepared.settings.max_latency_s))
        return self.trials.records()

    def _is_over(self) -> bool:
        """Return whether no further trial is begun, and note why."""
        self.trials.give_up_dead()  # another process may have been killed meanwhile, and the first trial with it
        budget = self.prepared.budget
        if budget.fits(self.prepared.trial_s):
            with self.prepared.place.locked():
                self._see_to_first()
        records, size = self.trials.records(), self.prepared.space.size
        begun, first = sum(record.counts for record in records), self.trials.first_state()
        exhausted = begun >= size and self.prepared.space.untried(_tried(records)) is None
        enough = begun >= self.prepared.most_trials or exhausted or self.repeats >= REPEATS
        if enough and first in ("complete", "running"):
            self.reason = f"{begun} trials were asked for"
            if exhausted:
                self.reason = f"all {size:,.0f} combinations of the space were tried"
            elif self.repeats >= REPEATS:
                self.reason = f"{REPEATS} draws in a row were of options that had been tried"
        elif self.trials.attempt >= ATTEMPTS or budget.left_s <= 0 or (enough and first is None):
            self.reason = "the time left is not enough for another trial"
        return bool(self.reason)

    def _see_to_first(self) -> None:
        """Have the next trial be the first one where there is none. To be called while locked."""
        if self.trials.first_state() is None:
            self.trials.enqueue(self.prepared.space.first(self.prepared.usual))

    def _trial(self, trial: optuna.Trial) -> float | tuple[float, float]:
        """Run one trial for Optuna."""
        self._drawing.close()
        started = time.perf_counter()
        trial.set_user_attr("owner", own_process())
        is_first = bool(trial.user_attrs.get("first"))
        earlier = sum(one.counts for one in self.trials.records() if one.number < trial.number)
        if earlier >= self.prepared.most_trials and not is_first:
            raise Surplus
        drawn = self.trials.draw(trial)
        options = self.prepared.space.fixed(drawn)
        trial.set_user_attr("options", options)
        try:
            like = None if is_first else self._like(options)  # before a model is made for nothing
            if like is not None:
                return self._repeat(trial, like)
            attempt = Attempt.make(self.prepared.material, self.prepared.space, drawn, self.prepared.config)
            trial.set_user_attr("options", attempt.options)
            like = None if is_first else self._like(attempt.options)
            if like is not None:
                return self._repeat(trial, like)
            latency = self._latency(trial, attempt)
            value = self._value(trial, attempt, is_first=is_first, started=started)
        except (Ended, UsageError, TrainingError) as error:  # options that do not go together are a result, too
            ended = error if isinstance(error, Ended) else Ended(error.message)
            if is_first:
                raise TrainingError(f"The first trial, with the defaults, ended early: {ended.note}") from error
            self._end_early(trial, ended, time.perf_counter() - started)
            raise load_optuna().TrialPruned(ended.note) from error
        return value if latency is None else (value, latency.long_s)

    def _like(self, options: Mapping[str, Scalar]) -> Record | None:
        """Return the trial that had the same options and ended, by itself or because it did not pay."""
        ended = (one for one in self.trials.records() if one.counts and one.state != "running" and one.note != LATE)
        return next((one for one in ended if dict(one.options) == options), None)

    def _repeat(self, trial: optuna.Trial, like: Record) -> float | tuple[float, float]:
        """Give a trial what one with the same options gave; it is none of those that were asked for.

        Where the combinations can be counted, the next trial is one that was not tried.
        """
        self.repeats += 1
        trial.set_user_attr("like", like.number)
        trial.set_user_attr("note", f"the same options as trial {like.number}")
        trial.set_user_attr("options", dict(like.options))
        trial.set_user_attr("value", like.value)
        trial.set_user_attr("scores", dict(like.scores))
        if like.latency_s is not None:
            self._set_latency(trial, like.latency_s)
        left = self.prepared.space.untried(_tried(self.trials.records()))
        if left is not None:
            self.trials.enqueue(left, first=False)
        if like.state == "pruned" or like.value is None:
            raise load_optuna().TrialPruned(like.note)
        return like.value if like.latency_s is None else (like.value, like.latency_s[1])

    def _end_early(self, trial: optuna.Trial, ended: Ended, seconds: float) -> None:
        trial.set_user_attr("note", ended.note)
        trial.set_user_attr("value", ended.value)
        trial.set_user_attr("epochs", ended.epochs)
        trial.set_user_attr("seconds", seconds)

    def _value(self, trial: optuna.Trial, attempt: Attempt, *, is_first: bool, started: float) -> float:
        """Return the score of a trial, which is trained now."""
        budget = self.prepared.budget
        seconds = self.pace.estimate(attempt.kind, attempt.epochs, attempt.planned_s)
        if not is_first and not budget.fits(seconds):
            self.trials.attempt += 1
            raise NoTime(seconds)

        def report(score: float, tenth: int) -> bool:
            if self.prepared.settings.max_latency_s is not None:
                return False  # Optuna compares trials early by one objective only
            trial.report(score, tenth)
            return not is_first and trial.should_prune()

        outcome = attempt.run(report, lambda: budget.left_s, keep_late=is_first)
        self._note(trial, attempt, outcome)
        spent = time.perf_counter() - started
        trial.set_user_attr("epochs", outcome.epochs)
        trial.set_user_attr("seconds", spent)
        planned_s = self.prepared.plan.seconds * len(self.prepared.material.splits)
        self.pace.note(attempt.kind, outcome.epochs, spent, planned_s if is_first and not outcome.note else None)
        return outcome.value

    def _note(self, trial: optuna.Trial, attempt: Attempt, outcome: Outcome) -> None:
        """Write down what a trial gave, and keep its model if it is the best."""
        trial.set_user_attr("scores", dict(outcome.scores))
        trial.set_user_attr("evidence", outcome.evidence.to_json())
        trial.set_user_attr("note", outcome.note)
        learner = outcome.learner
        if learner is None:
            return
        records = self.trials.records()
        own = next(record for record in records if record.number == trial.number)
        limit = self.prepared.settings.max_latency_s
        merits = {one.number: merit(one, limit) for one in records if one.done}
        merits[trial.number] = merit(own, limit, outcome.value)
        firsts = [one.number for one in records if one.first and one.counts]
        learner.facts["tuning"] = {"study": self.prepared.study, "trial": trial.number, "options": attempt.options}
        learner.callbacks = []
        started = time.perf_counter()
        if self.prepared.place.offer(learner, trial.number, merits, firsts[-1] if firsts else None):
            # at the end the model is read, scored and written once more
            budget = self.prepared.budget
            budget.reserve_s = max(budget.reserve_s, END * (time.perf_counter() - started))

    def _learn_pace(self) -> None:
        """Learn from the trials of earlier runs on this machine how long one takes."""
        encoder, truncation, max_tokens = self.prepared.cut
        usual = {"encoder": encoder, "truncation": truncation, "max_tokens": max_tokens}
        usual["freeze"] = self.prepared.config.freeze
        for record in self.trials.records():
            if record.owner.get("host") == own_process()["host"] and record.seconds:
                kind = tuple(record.options.get(name, value) for name, value in usual.items())
                self.pace.note(kind, record.epochs, record.seconds)

    def _latency(self, trial: optuna.Trial, attempt: Attempt) -> Latency | None:
        """Return the latency of a trial's model: measured once for each machine, encoder and way of cutting."""
        limit = self.prepared.settings.max_latency_s
        if limit is None:
            return None
        study, name = self.trials.open_study, f"{PREFIX} latency {machine()} {attempt.cut}"
        known = study.user_attrs.get(name)
        latency = (
            Latency(*known)
            if known is not None
            else measure(attempt.first, self.prepared.texts, self.prepared.settings.backend)
        )
        if known is None:
            study.set_user_attr(name, [latency.middle_s, latency.long_s, latency.spread])
        self._set_latency(trial, (latency.middle_s, latency.long_s))
        return latency

    def _set_latency(self, trial: optuna.Trial, latency_s: tuple[float, float]) -> None:
        trial.set_user_attr("latency_s", list(latency_s))
        trial.set_constraint("latency", latency_s[1] - (self.prepared.settings.max_latency_s or 0.0))


def merit(record: Record, limit_s: float | None, value: float | None = None) -> Merit:
    """Return what orders trials, the best last: whether it is quick enough, how good or how quick, the earlier one."""
    score = record.value if value is None else value
    if limit_s is not None and record.latency_s is not None and record.latency_s[1] > limit_s:
        return (0, -record.latency_s[1], -record.number)
    return (1, float("-inf") if score is None else score, -record.number)


def best_of(records: list[Record], limit_s: float | None) -> Record | None:
    """Return the best finished trial, that closest to the limit where none is quick enough."""
    complete = [record for record in records if record.done]
    return max(complete, key=lambda record: merit(record, limit_s), default=None)


def front(records: list[Record]) -> list[Record]:
    """Return the finished trials that no other one beats in both score and latency, the quickest first."""
    complete = [one for one in records if one.done and one.latency_s is not None]
    found: list[Record] = []
    for one in sorted(complete, key=lambda one: (_long_s(one), -(one.value or 0.0), one.number)):
        if not found or (one.value or 0.0) > (found[-1].value or 0.0):
            found.append(one)
    return found


def _long_s(record: Record) -> float:
    return record.latency_s[1] if record.latency_s is not None else 0.0


def _tried(records: list[Record]) -> list[Mapping[str, Scalar]]:
    """Return the options of the trials that ran or run, but for those that the time was not enough for."""
    return [record.options for record in records if record.counts and record.note != LATE]

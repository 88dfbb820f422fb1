"""Cross-validation: every row of the training table is predicted once, by a model that has not seen it.

Each fold's model is trained as the final one is: from the same encoder, by the same recipe and for the same goal, with
a validation share of its own rows to choose weights and decisions by; the rows that it is held against choose nothing.
Knows nothing of files but the folder where finished folds are kept.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from fastbert._version import __version__
from fastbert.config import DecisionConfig, TrainConfig, split_options, take_decisions
from fastbert.data.databunch import HELD_OUT, DataBunch, Fold, normalize_options
from fastbert.data.holding_out import unseen_labels
from fastbert.data.sources import Source
from fastbert.decisions.goals import parse_goal
from fastbert.display import Block, View, duration, number
from fastbert.errors import ConfigError
from fastbert.tasks.base import Prediction
from fastbert.training import fold_state
from fastbert.training.callbacks import Callback, ProgressBar
from fastbert.training.fold_state import FoldOutputs, Recorder, Replay, answers_of
from fastbert.training.learner import Learner
from fastbert.training.out_of_fold import CrossValidation

SUFFIX = "-oof.csv"  # behind the name of the model's folder
OnView = Callable[[View], None]


def cross_validate(
    table: Source | DataBunch,
    folds: int = 5,
    *,
    valid: Source | None = None,
    working: str | Path | None = None,
    progress: bool = True,
    callbacks: Sequence[Callback] = (),
    **options: object,
) -> CrossValidation:
    """Return a prediction for every row of a table by a model that has not seen it, and the scores of these.

    valid: rows that choose weights and decisions in every fold; without it each fold holds out a share for that.
    working: folder that keeps finished folds, so that the same call goes on after it was interrupted. It is removed at
        the end.
    options: fields of DataConfig, TrainConfig and DecisionConfig, as for `fit`.
    progress: show plan and progress on standard error.
    Raises UsageError for wrong options or bad input before any work.

    >>> found = fastbert.cross_validate("feedback.csv", folds=5)      # doctest: +SKIP
    >>> found.scores["accuracy"].pooled, found.predictions[0].labels  # doctest: +SKIP
    """
    deciding, others = take_decisions(options)
    given, config = split_options(normalize_options(others))
    if isinstance(table, DataBunch):
        if valid is not None or given != type(given)():
            raise ConfigError("A DataBunch has its validation rows and its options of data already.")
        data = table
    else:
        data = DataBunch.from_files(table, valid, config=given, seed=config.seed)
    run = CrossValidating.prepare(data, config, folds, None if working is None else Path(working), deciding=deciding)
    bar = ProgressBar()

    def show(view: View) -> None:
        if progress:
            bar.console.print(view, highlight=False, markup=False)

    show(run.view())
    found = run.run([*callbacks, *([bar] if progress else [])], show)
    run.clear()
    return found


@dataclass(frozen=True)
class CrossValidating:
    """A cross-validation that is ready to start.

    seconds: what all its trainings will take, by an estimate.    working: where finished folds are kept, None nowhere.
    key: of all that a fold's predictions depend on.    discard: finished folds with another key may be removed.
    deciding: options of the rule that is fitted in each fold.
    """

    folds: tuple[Fold, ...]
    data: DataBunch
    config: TrainConfig
    seconds: float
    working: Path | None
    key: str
    discard: bool = False
    deciding: DecisionConfig = DecisionConfig()

    @classmethod
    def prepare(
        cls,
        data: DataBunch,
        config: TrainConfig,
        count: int,
        working: Path | None = None,
        *,
        deciding: DecisionConfig | None = None,
        discard: bool = False,
    ) -> Self:
        """Divide the rows and measure a step of the first fold's model.

        Raises UsageError where the rows cannot be divided so often, the task does not know the rule, or working holds
        folds of another run.
        """
        folds = tuple(data.folds(count, config.seed))
        deciding = deciding or DecisionConfig()
        learner = _learner(folds[0].data, config, deciding)
        key = _key(folds, learner)
        tokenizer, max_tokens = learner.encoder.tokenizer, learner.data.max_tokens
        folds = tuple(Fold(fold.rows, fold.data.with_tokenizer(tokenizer, max_tokens)) for fold in folds)
        if working is not None:
            fold_state.check_state(working, key, discard=discard)
        plan = learner.plan()
        # rows held out are predicted once: a third of what they would cost in an epoch of training
        predicting = plan.seconds / (plan.config.epochs or 1) / 3 / max(1, count - 1)
        return cls(folds, data, config, count * (plan.seconds + predicting), working, key, discard, deciding)

    @classmethod
    def prepare_beside(cls, out: Path, learner: Learner, config: TrainConfig, count: int, *, overwrite: bool) -> Self:
        """As `prepare`, for the model that a learner will write to out: finished folds and predictions lie beside it.

        config: how the folds are trained. Their rows and the options of their rule are those of the learner.
        Raises ConfigError if predictions lie there already and may not be overwritten.
        """
        working = fold_state.working_folder(out)
        run = cls.prepare(learner.data, config, count, working, deciding=learner.deciding, discard=overwrite)
        table = out.resolve().with_name(out.resolve().name + SUFFIX)
        if table.exists() and not overwrite and not run.num_finished:  # else of this run, killed after it was written
            raise ConfigError(f"{table} exists already.", "Choose another --out, or allow it with --overwrite.")
        return run

    @property
    def num_finished(self) -> int:
        """Return how many folds were finished before."""
        return 0 if self.working is None else len(fold_state.finished(self.working, self.key, len(self.folds)))

    def view(self) -> View:
        """Return what will be done, for people."""
        sizes = [len(fold.rows) for fold in self.folds]
        held = f"{min(sizes):,}" if min(sizes) == max(sizes) else f"{min(sizes):,} to {max(sizes):,}"
        splits = self.folds[0].data.splits
        fitted = self.data.task.fitted if self.deciding == DecisionConfig() else "decision rule"
        chosen = " and ".join(["weights", *([fitted] if fitted else [])])
        whose = "of the others" if self.data.valid_held_out else "of the validation table"
        left = len(self.folds) - self.num_finished
        more = f", {self.num_finished} of them finished before" if self.num_finished else ""
        time_left = duration(self.seconds * left / len(self.folds))
        lines = [
            f"folds      {len(self.folds)} of {held} rows; each row is held out once{more}",
            f"each       trained on {len(splits['train']):,} rows; {len(splits['valid']):,} {whose} choose {chosen}, "
            "those held out choose nothing",
            f"estimate   about {time_left} for {left} of {len(self.folds)} trainings, beside the model of all rows",
        ]
        if self.working is not None:
            lines.append(f"kept       in {self.working}: if it is interrupted, the same command goes on there")
        return View((Block("Cross-validation", tuple(lines)),))

    def to_json(self) -> dict[str, object]:
        """Return what will be done as plain values."""
        return {
            "folds": [
                {split: len(rows) for split, rows in fold.data.splits.items() if split != "test"} for fold in self.folds
            ],
            "finished": self.num_finished,
            "estimated_seconds": round(self.seconds, 1),
        }

    def run(self, callbacks: Sequence[Callback] = (), on_view: OnView = lambda view: None) -> CrossValidation:
        """Train the folds that are not finished; return the predictions of all rows.

        callbacks: watch each training.    on_view: is told which fold is trained, and its scores.
        Finished folds stay in the working folder until `clear`.
        """
        if self.working is None:
            with tempfile.TemporaryDirectory(prefix="fastbert-folds-") as folder:
                return self._run(Path(folder), callbacks, on_view)
        with fold_state.working_place(self.working, self.key, discard=self.discard) as place:
            return self._run(place, callbacks, on_view)

    def run_beside(self, out: Path, callbacks: Sequence[Callback], on_view: OnView) -> dict[str, object]:
        """Run, write the predictions beside the model at out, and return what is saved with that model."""
        on_view(self.view())
        found = self.run(callbacks, on_view)
        on_view(found.view())
        table = found.write_csv(out.resolve().with_name(out.resolve().name + SUFFIX))
        on_view(View((Block("Predictions of rows held out", (f"{table}",)), Block("Training on all rows"))))
        for callback in callbacks:
            callback.on_part("all rows")
        return {**found.to_json(), "predictions": table.name}

    def clear(self) -> None:
        """Remove the finished folds."""
        if self.working is not None:
            fold_state.clear(self.working)

    def _run(self, working: Path, callbacks: Sequence[Callback], on_view: OnView) -> CrossValidation:
        task, rows = self.data.task, self.data.training_table
        predictions: list[Prediction | None] = [None] * len(rows)
        fold_N, fold_scores, decisions, seconds = [0] * len(rows), [], [], 0.0
        for place, fold in enumerate(self.folds):
            kept, said = self._fold(working, place, callbacks, on_view)
            for row, prediction in zip(fold.rows, said, strict=True):
                predictions[row], fold_N[row] = prediction, place
            fold_scores.append(task.score(said, fold.data.examples(HELD_OUT)))
            decisions.append(kept.decisions)
            seconds += kept.seconds
            on_view(View((Block("", (self._progress(place, fold_scores[-1], seconds),)),)))
        whole = tuple(prediction for prediction in predictions if prediction is not None)
        assert len(whole) == len(rows)
        return CrossValidation(
            task, rows, whole, tuple(fold_N), tuple(fold_scores), tuple(decisions), self._notes(), seconds
        )

    def _fold(
        self, working: Path, place: int, callbacks: Sequence[Callback], on_view: OnView
    ) -> tuple[FoldOutputs, list[Prediction]]:
        """Return what the model of a fold says of its rows: as it was kept, else after training it."""
        data = self.folds[place].data
        kept = fold_state.load_fold(working, place)
        if kept is not None:
            try:
                return kept, answers_of(data, HELD_OUT, Replay(kept), kept.decisions)
            except KeyError:  # not of these rows: a damaged folder
                pass
        on_view(View((Block(f"Fold {place + 1} of {len(self.folds)}"),)))
        for callback in callbacks:
            callback.on_part(f"fold {place + 1} of {len(self.folds)}")
        start = time.perf_counter()
        learner = self._trained(place, callbacks)
        recorder = Recorder(learner._backend())
        seconds = time.perf_counter() - start
        kept = FoldOutputs(learner.decisions, recorder.batch_tokens, seconds, recorder.outputs)
        said = answers_of(learner.data, HELD_OUT, recorder, kept.decisions)
        fold_state.save_fold(working, place, kept)
        return kept, said

    def _trained(self, place: int, callbacks: Sequence[Callback]) -> Learner:
        """Return the model of a fold. Raises ConfigError where its validation rows cannot serve the rule."""
        learner = _learner(self.folds[place].data, self.config, self.deciding, callbacks)
        try:
            return learner.fit()
        except ConfigError as error:
            raise ConfigError(f"Fold {place + 1} of {len(self.folds)}: {error.message}", error.hint) from error

    def _progress(self, place: int, scores: dict[str, float], seconds: float) -> str:
        """Return how good a fold's model is, and how long the others will take. seconds: of all folds so far."""
        left = len(self.folds) - place - 1
        more = f"; about {duration(seconds / (place + 1) * left)} for {left} more" if left else ""
        shown = ", ".join(f"{name} {number(scores[name])}" for name in self.data.task.headlines[:3] if name in scores)
        return f"fold {place + 1} of {len(self.folds)}: {shown} on {len(self.folds[place].rows):,} rows held out{more}"

    def _notes(self) -> tuple[str, ...]:
        """Return which labels some model could not learn, for it had none of their rows."""
        parts = [fold.data.splits["train"] for fold in self.folds]
        names = unseen_labels(self.data.task, self.data.training_table, parts)
        if not names:
            return ()
        return (
            f"Some fold's model has never seen {names}: all rows or groups with it lie in that fold and its validation "
            "rows. Their scores are lower than those of the final model can be.",
        )


def _learner(
    data: DataBunch, config: TrainConfig, deciding: DecisionConfig, callbacks: Sequence[Callback] = ()
) -> Learner:
    rule: dict[str, Any] = deciding.to_json()
    return Learner(data, config=config, callbacks=callbacks, **rule)


def _key(folds: Sequence[Fold], learner: Learner) -> str:
    """Return a hash of all that the predictions depend on: rows, folds, options, costs, encoder and version."""
    digest = hashlib.blake2b(digest_size=20)
    config = learner.config.changed(precision=learner.runtime.precision)
    data = learner.data
    settings = [__version__, data.task.to_json(), config.to_json(), data.config.to_json(), data.max_tokens]
    goal = learner.deciding.goal
    settings += [learner.deciding.to_json(), [] if goal is None else parse_goal(goal).costs]  # a file of costs changes
    digest.update(json.dumps(settings, sort_keys=True).encode())
    for fold in folds:
        for split in ("train", "valid", HELD_OUT):
            rows = fold.data.splits[split]
            digest.update(f"{split} {len(rows)}".encode())
            for row in rows:
                digest.update(repr((row.text, row.pair, row.truth, row.group)).encode("utf-8", "surrogatepass"))
    digest.update(learner.encoder.tokenizer.backend.to_str().encode())
    for parameter in learner.model.parameters():
        digest.update(np.ascontiguousarray(parameter.detach().cpu().float().numpy()).tobytes())
    return digest.hexdigest()

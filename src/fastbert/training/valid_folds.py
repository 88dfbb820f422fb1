"""Validation by folds: a model that learns from all rows, and answers to them by models that have not seen them.

Where rows are few, a share of them held out tells little of a model and costs it much: of 48 rows of TREC-6, 5 are
scored and 43 learned from. The rows are divided instead; for each part a model is trained on the others, as the model
to save is on all (out-of-fold predictions). Scores, decisions and report are of these answers, which no row's own model
gave, and of models that had a part less to learn from. Knows nothing of how a fit is made.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch, Fold
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError, DataError
from fastbert.models.loading import Encoder, HeadFactory
from fastbert.runtime import untouched_rng
from fastbert.tasks.base import Prediction
from fastbert.training.callbacks import tell
from fastbert.training.few_rows import FEW_ROWS, hurdle, with_start
from fastbert.training.fold_state import FoldOutputs, Recorder, Replay, answers_of

if TYPE_CHECKING:
    from fastbert.training.learner import Learner

FOLDS = 3  # by default: a training of three fold models costs two of all rows
_SPLIT = "valid"


def with_few_rows(
    data: DataBunch, config: TrainConfig, encoder: Encoder, head: HeadFactory | None
) -> tuple[DataBunch, TrainConfig, tuple[str, ...]]:
    """Return data, configuration and reasons of `few_rows.with_start`; validated by folds where nothing else is asked.

    That is where pairs come first, rows are few and a share of them would be held out. Raises ConfigError as
    `with_start` does.
    """
    found, reasons = with_start(data, config, encoder, head)
    few = len(data.training_table) <= FEW_ROWS * len(data.labels)
    open_choice = data.config.valid_folds is None and data.valid_held_out and data.valid_chooses
    if found.start != "contrastive" or not few or not open_choice or found.patience or found.time_budget is not None:
        return data, found, reasons
    try:
        folded = data.validated_by_folds(FOLDS, config.seed)
        if any(hurdle(fold.data, found, head) for fold in folded.valid_folds(config.seed)):
            return data, found, reasons
    except DataError:  # fewer texts or groups than folds
        return data, found, reasons
    return folded, *with_start(folded, config, encoder, head)


def check_options(data: DataBunch, config: TrainConfig) -> None:
    """Raise ConfigError for what needs rows that are held out from the model to save."""
    if not data.folded:
        return
    for name, value in (("patience", config.patience or None), ("time_budget", config.time_budget)):
        if value is not None:
            raise ConfigError(
                f"valid_folds is {data.config.valid_folds} and {name} is {value}: no rows are held out from the model "
                "to save, by which a training could be ended.",
                f"Leave {name} out, or hold a share out with valid_folds=0.",
            )


def times_as_long(data: DataBunch) -> float:
    """Return how many times as long a fit takes with the models of its folds, by the rows that all learn from."""
    return float(data.config.valid_folds or 1)


@dataclass
class FoldAnswers:
    """What the models of the folds said of the rows that they had not seen, after the fits of a learner so far."""

    _fits: list[tuple[dict[str, object], list[bool]]] = field(default_factory=list)
    _kept: list[tuple[Fold, FoldOutputs]] = field(default_factory=list)

    def fit(self, learner: Learner, options: Mapping[str, object]) -> None:
        """Train the models of the folds as the learner's is about to be, with these options of `fit`.

        They are trained from the start, through all fits so far: none is kept in memory. The random state stays.
        """
        from fastbert.training.learner import Learner

        self._fits.append((dict(options), [parameter.requires_grad for parameter in learner.model.parameters()]))
        folds, kept = learner.data.valid_folds(learner.config.seed), []
        for place, fold in enumerate(folds, start=1):
            part = f"{learner.part}fold {place} of {len(folds)}"
            tell(learner.callbacks, "on_part", part)
            start = time.perf_counter()
            with untouched_rng():
                one = Learner(fold.data, config=learner.config, callbacks=learner.callbacks, head=learner.head)
                one.part = f"{part}, "
                for given, trained in self._fits:
                    for parameter, is_trained in zip(one.model.parameters(), trained, strict=True):
                        parameter.requires_grad_(is_trained)
                    one.fit(**given)  # type: ignore[arg-type]  # as the learner's own fit was called
            recorder = Recorder(one._backend())
            answers_of(one.data, _SPLIT, recorder, Decisions())
            seconds = time.perf_counter() - start
            outputs = FoldOutputs(one.decisions, recorder.batch_tokens, seconds, recorder.outputs)
            kept.append((replace(fold, data=one.data), outputs))
        self._kept = kept
        tell(learner.callbacks, "on_part", f"{learner.part}all rows")

    def predict(self, decisions: Decisions) -> list[Prediction]:
        """Return the predictions of all rows by a rule, in their order. Raises ConfigError before the first fit."""
        if not self._kept:
            raise ConfigError(
                "The validation rows are answered by models of others (valid_folds), and none is trained yet.",
                "Call fit first, or hold a share out with valid_folds=0.",
            )
        found: dict[int, Prediction] = {}
        for fold, outputs in self._kept:
            said = answers_of(fold.data, _SPLIT, Replay(outputs), decisions)
            found.update(zip(fold.rows, said, strict=True))
        return [found[row] for row in sorted(found)]

"""Validation by folds: a model that learns from all rows, and answers to them by models that have not seen them.

Where rows are few, a share of them held out tells little of a model and costs it much: of 48 rows of TREC-6, 5 are
scored and 43 learned from. The rows are divided instead; for each part a model is trained on the others, as the model
to save is on all (out-of-fold predictions). Scores, decisions and report are of these answers, which no row's own model
gave, and of models that had a part less to learn from. Knows nothing of how a fit is made.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fastbert.config import DataConfig, TrainConfig
from fastbert.data.databunch import DataBunch, Fold
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError, DataError
from fastbert.models.loading import open_encoder
from fastbert.runtime import untouched_rng
from fastbert.tasks.base import Prediction
from fastbert.training.callbacks import Callback, EarlyStopping, tell
from fastbert.training.few_rows import are_few, are_few_with_several_labels, hurdle, with_start
from fastbert.training.fold_state import FoldOutputs, Recorder, Replay, answers_of
from fastbert.training.state import Stage, together

if TYPE_CHECKING:
    from fastbert.training.learner import Learner
    from fastbert.training.plan import Plan

FOLDS = 3  # by default: the models of three folds cost twice what that of all rows does


def fold_few_rows(data: DataBunch, config: TrainConfig, callbacks: Sequence[Callback] = ()) -> DataBunch:
    """Return data whose rows are all trained on, validated by folds, where rows are few and nothing else is asked.

    That is where pairs come first (`few_rows`), or few rows have several labels, for which there are no pairs, and the
    usual share of the table would be held out; elsewhere the data as they are.
    callbacks: of the training. Raises ConfigError as `with_start` does.
    """
    usual = data.config.valid_folds is None and data.config.valid_share == DataConfig().valid_share
    ended = config.patience or config.time_budget is not None or _waits(callbacks)  # by rows held out
    if not (are_few(data) and usual and data.valid_held_out and data.valid_chooses) or ended:
        return data
    found, _ = with_start(data, config, open_encoder(config.encoder), None)
    if found.start != "contrastive" and not are_few_with_several_labels(data):
        return data
    try:
        folded = data.validated_by_folds(FOLDS)
    except DataError:  # fewer texts or groups than folds
        return data
    if found.start == "contrastive" and any(hurdle(fold.data, found, None) for fold in folded.valid_folds()):
        return data
    return folded


def check_fit(learner: Learner, config: TrainConfig) -> None:
    """Raise ConfigError for what cannot be done where no rows are held out from the model to save.

    config: of the fit.
    """
    data = learner.data
    if not data.folded:
        return
    given = {
        "patience": config.patience,
        "time_budget": config.time_budget,
        "EarlyStopping": _waits(learner.callbacks),
    }
    for name in (name for name, value in given.items() if value):
        raise ConfigError(
            f"{name} ends a training by rows held out, and none are: valid_folds is {data.config.valid_folds}.",
            f"Leave {name} out, or hold a share out with valid_folds=0.",
        )
    if config.start == "contrastive" and not learner.fold_answers.fits:  # pairs come once
        for why in filter(None, (hurdle(fold.data, config, learner.head) for fold in data.valid_folds())):
            raise ConfigError(
                f"start is 'contrastive', but in one of {data.config.valid_folds} folds {why}.",
                "Give start=plain, or hold a share out with valid_folds=0.",
            )


def times_as_long(data: DataBunch) -> float:
    """Return how many times as long a fit takes with the models of its folds, by the rows that all learn from."""
    return float(data.config.valid_folds or 1)


@contextlib.contextmanager
def beside_folds(learner: Learner, plan: Plan, options: Mapping[str, object]) -> Iterator[None]:
    """Train the models of the folds before a block that trains the learner's; nothing without folds.

    plan: of the fit.    options: as `fit` was given them.
    If the block fails, the answers are again those of the fits before.
    """
    if not learner.data.folded:
        yield
        return
    before = learner.fold_answers
    learner.fold_answers = before.after(learner, _options_of(plan, options))
    try:
        yield
    except BaseException:
        learner.fold_answers = before
        raise


def _waits(callbacks: Sequence[Callback]) -> bool:
    return any(isinstance(callback, EarlyStopping) for callback in callbacks)


def _options_of(plan: Plan, options: Mapping[str, object]) -> dict[str, object]:
    """Return what makes a fit the same with fewer rows: the choices of the recipe, and what was given."""
    config = plan.config
    left_out = ("encoder", "loss", "precision", "pooling", "dropout", "reinit_layers", "freeze", "seed")
    chosen = {name: value for name, value in config.to_json().items() if name not in left_out and value is not None}
    if config.warmup is not None and config.warmup >= 1:  # steps, of which a fold has fewer
        options = {**options, "warmup": config.warmup / plan.steps}
    return {**chosen, **options}


@dataclass(frozen=True)
class FoldAnswers:
    """What the models of the folds said of the rows that they had not seen.

    fits: options of the fits so far, each with what was trained by them.    kept: folds, with their rows, and outputs.
    """

    fits: tuple[tuple[Mapping[str, object], Sequence[bool]], ...] = ()
    kept: tuple[tuple[Fold, FoldOutputs], ...] = field(default=(), repr=False)

    def after(self, learner: Learner, options: Mapping[str, object]) -> FoldAnswers:
        """Train the models of the folds as the learner's is about to be; return their answers.

        They are trained from the start, through all fits so far: none is kept in memory. The random state stays.
        """
        fits = (*self.fits, (options, [parameter.requires_grad for parameter in learner.model.parameters()]))
        folds = learner.data.valid_folds()
        kept: list[tuple[Fold, FoldOutputs]] = []
        stages: list[Stage] = []
        for place, fold in enumerate(folds, start=1):
            part = f"{learner.part}fold {place} of {len(folds)}"
            tell(learner.callbacks, "on_part", part)
            with untouched_rng():
                answered, trained = _answered(fold, learner, fits, f"{part}, ")
            kept.append(answered)
            stages += trained
        learner.history.stages.append(together(f"models of {len(folds)} folds", stages))
        tell(learner.callbacks, "on_part", f"{learner.part}all rows")
        return FoldAnswers(fits, tuple(kept))

    def predict(self, decisions: Decisions) -> list[Prediction]:
        """Return the predictions of all rows by a rule, in their order. Raises ConfigError before the first fit."""
        if not self.kept:
            raise ConfigError(
                "The validation rows are answered by models of others (valid_folds), and none is trained yet.",
                "Call fit first, or hold a share out with valid_folds=0.",
            )
        found: dict[int, Prediction] = {}
        for fold, outputs in self.kept:
            found.update(zip(fold.rows, answers_of(fold.data, "valid", Replay(outputs), decisions), strict=True))
        return [found[row] for row in sorted(found)]


def _answered(
    fold: Fold, learner: Learner, fits: Sequence[tuple[Mapping[str, object], Sequence[bool]]], part: str
) -> tuple[tuple[Fold, FoldOutputs], Sequence[Stage]]:
    """Train the model of a fold; return its rows and what it says of them, and what was trained."""
    from fastbert.training.learner import Learner

    start = time.perf_counter()
    config = learner.config  # "auto" became plain for all rows: for those of a fold it could be another start
    config = config.changed(start="plain") if config.start == "auto" else config
    one = Learner(fold.data, config=config, callbacks=learner.callbacks, head=learner.head)
    one.part = part
    for options, trained in fits:
        for parameter, is_trained in zip(one.model.parameters(), trained, strict=True):
            parameter.requires_grad_(is_trained)
        one.fit(**options)  # type: ignore[arg-type]  # as the learner's own fit was called
    recorder = Recorder(one._backend())
    answers_of(one.data, "valid", recorder, Decisions())
    outputs = FoldOutputs(one.decisions, recorder.batch_tokens, time.perf_counter() - start, recorder.outputs)
    rows = replace(one.data, splits={"valid": one.data.splits["valid"]}, _encoded={})
    return (replace(fold, data=rows), outputs), one.history.stages

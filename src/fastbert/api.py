"""From a table to a model in one call: what `fastbert train` and `fastbert.fit` both run.

Knows nothing of terminals: plan and progress go to the callbacks and listeners it is given.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from fastbert.bundle import Bundle, check_target, read_bundle
from fastbert.config import DataConfig, DecisionConfig, TrainConfig, split_options, take_decisions
from fastbert.data.databunch import DataBunch, normalize_options
from fastbert.data.sources import Source
from fastbert.display import Block, View
from fastbert.errors import ConfigError
from fastbert.inference.predictor import Predictor
from fastbert.insight.linear_check import LinearCheck
from fastbert.training.adapting import Adapting
from fastbert.training.callbacks import Callback, ProgressBar
from fastbert.training.cross_validation import CrossValidating
from fastbert.training.learner import Learner
from fastbert.training.loss_trials import choose_loss
from fastbert.training.plan import Plan
from fastbert.training.valid_folds import fold_few_rows

ADAPTATION, CROSS_VALIDATION = "adaptation", "cross_validation"  # facts that are saved with a model


@dataclass(frozen=True)
class Tables:
    """The tables of a run. valid: where it is None a share of train is held out, or with few rows none (`valid_folds`).

    unlabelled: files and folders of text that the encoder learns the language of first, read as `fastbert adapt`
        reads them, but that tables with the text column of train give that one.
    baseline: whether a linear model is fitted to the same rows, for the model to beat (`insight.linear_check`).
    folds: into so many parts train is divided, each predicted by a model of the others; 0 for no cross-validation.
    """

    train: Source
    valid: Source | None = None
    test: Source | None = None
    unlabelled: Sequence[str | Path] = ()
    baseline: bool = True
    folds: int = 0


@dataclass(frozen=True)
class Result:
    """What a run gave. bundle: as it was saved.    learner: with the kept weights.    plan: as shown."""

    bundle: Bundle
    learner: Learner
    plan: Plan

    def to_json(self) -> dict[str, object]:
        """Return what `fastbert train --json` prints. Rates are over the training steps alone."""
        state = self.learner.last_run
        names = ("loss_choice", ADAPTATION, CROSS_VALIDATION, "baseline")
        kept = {name: self.bundle.facts[name] for name in names if name in self.bundle.facts}
        return {
            "bundle": str(self.bundle.folder),
            "plan": self.plan.to_json(),
            "scores": {split: dict(scores) for split, scores in self.bundle.scores.items()},
            "epochs": round(state.epoch, 4),
            "steps": state.step,
            "seconds": round(state.seconds, 3),
            "examples_per_second": round(state.examples_per_second, 2),
            "tokens_per_second": round(state.tokens_per_second, 1),
            "padding_share": round(self.learner.history.padding_share, 4),
            "mfu": round(self.learner.history.mfu, 4),
            "stopped": state.stop.reason,
            "collapsed": self.learner.collapse or None,
            **kept,
        }


def train(
    tables: Tables,
    out: str | Path,
    *,
    data: DataConfig | None = None,
    config: TrainConfig | None = None,
    overwrite: bool = False,
    callbacks: Sequence[Callback] = (),
    on_view: Callable[[View], None] = lambda view: None,
) -> Result:
    """Train on tables and write the bundle: `prepare`, then `finish`.

    With folds the table is cross-validated first; the out-of-fold predictions are written beside out, under its name
    with "-oof.csv", and their scores into the report.
    on_view: is shown the plan before training starts, what is tried before with what result (with the loss "auto", or
        unlabelled text), and a warning where the model gives one answer to all rows.
    Raises UsageError for wrong options or bad input before any work, and leaves nothing behind.
    """
    check_target(Path(out), overwrite=overwrite)
    learner = prepare(tables, data=data, config=config, callbacks=callbacks)
    return finish(learner, tables, out, overwrite=overwrite, on_view=on_view)


def finish(
    learner: Learner,
    tables: Tables,
    out: str | Path,
    *,
    overwrite: bool = False,
    on_view: Callable[[View], None] = lambda view: None,
) -> Result:
    """Train a learner on the tables that it was prepared for and write the bundle.

    An encoder that is adapted to unlabelled text is written beside out, under the name of out with "-encoder"; the
    model starts from it only if that makes it better on rows held out.
    on_view, errors: as of `train`.
    """
    folder = Path(out)
    check_target(folder, overwrite=overwrite)
    adaptation = prepare_adaptation(tables, folder, learner, overwrite=overwrite)
    folds = prepare_folds(tables, folder, learner, overwrite=overwrite)
    plan = learner.plan()
    on_view(plan.view())
    check = LinearCheck.of(learner.data, learner.config.seed, learner.deciding) if tables.baseline else None
    choose_loss(learner, on_view)
    crossed = {} if folds is None else {CROSS_VALIDATION: folds.run_beside(folder, learner.callbacks, on_view)}
    if adaptation is None:
        learner.fit()
    else:
        learner = adaptation.run(learner, learner.callbacks, on_view)
        plan = learner.last_plan
    learner.facts |= crossed
    if learner.collapse:
        on_view(View((Block("Warning", (learner.collapse,)),)))
    result = Result(read_bundle(learner.save(folder, overwrite=overwrite, baseline=check)), learner, plan)
    if folds is not None:
        folds.clear()
    return result


def prepare(
    tables: Tables,
    *,
    data: DataConfig | None = None,
    config: TrainConfig | None = None,
    decide: DecisionConfig | None = None,
    callbacks: Sequence[Callback] = (),
) -> Learner:
    """Read the tables and open the encoder: everything of a run but the training.

    With few rows none are held out, but each is answered by a model of the others (`training.valid_folds`).
    """
    chosen = config or TrainConfig()
    bunch = DataBunch.from_files(tables.train, tables.valid, tables.test, config=data, seed=chosen.seed)
    bunch = fold_few_rows(bunch, chosen, callbacks)
    deciding: dict[str, Any] = {} if decide is None else decide.to_json()
    return Learner(bunch, config=chosen, callbacks=callbacks, **deciding)


def prepare_adaptation(tables: Tables, out: Path, learner: Learner, *, overwrite: bool = False) -> Adapting | None:
    """Read the unlabelled text and check where the adapted encoder goes; None where there is no such text."""
    return Adapting.prepare(tables.unlabelled, out, learner, overwrite=overwrite) if tables.unlabelled else None


def prepare_folds(tables: Tables, out: Path, learner: Learner, *, overwrite: bool = False) -> CrossValidating | None:
    """Divide the training rows, and check where the predictions go; None where no folds are asked for."""
    if not tables.folds:
        return None
    if tables.unlabelled:
        raise ConfigError(
            "Folds and text to adapt to are both given: each fold would need an encoder of its own.",
            "Adapt first, with `fastbert adapt`, and give the encoder that it writes.",
        )
    config = learner.config  # what "auto" became for all rows it is in the folds
    config = config.changed(start="plain") if config.start == "auto" else config
    return CrossValidating.prepare_beside(out, learner, config, tables.folds, overwrite=overwrite)


def fit(
    table: Source,
    *,
    valid: Source | None = None,
    test: Source | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: bool = True,
    **options: object,
) -> Predictor:
    """Train on a table and return a Predictor: the one-call form of `fastbert train`.

    progress: show the plan and a progress bar on standard error.
    out: folder of the bundle; without it a temporary one, which is kept until the process's
    temporary files are cleared; `predictor.bundle.folder` tells where it lies.
    options: fields of DataConfig, TrainConfig and DecisionConfig; and `adapt`, a file or a list of files of text
        without labels that the encoder learns from first (`Tables.unlabelled`); `baseline=False` fits no linear
        baseline; `folds` as of `Tables`.

    >>> model = fastbert.fit("feedback.csv")        # doctest: +SKIP
    >>> model(["The export button does nothing"])   # doctest: +SKIP
    """
    given = options.pop("adapt", None) or ()
    unlabelled = (given,) if isinstance(given, str | Path) else tuple(cast("Sequence[str | Path]", given))
    folds = cast("int", options.pop("folds", 0))
    baseline = bool(options.pop("baseline", True))
    decide, others = take_decisions(options)
    data, config = split_options(normalize_options(others))
    folder = (
        Path(out) if out is not None else Path(tempfile.gettempdir()) / f"fastbert-{uuid.uuid4().hex[:12]}" / "model"
    )
    bar = ProgressBar()
    check_target(folder, overwrite=overwrite)
    tables = Tables(table, valid, test, unlabelled, baseline, folds)
    learner = prepare(tables, data=data, config=config, decide=decide, callbacks=[bar] if progress else [])
    show = (lambda view: bar.console.print(view, highlight=False, markup=False)) if progress else (lambda view: None)
    result = finish(learner, tables, folder, overwrite=overwrite, on_view=show)
    return Predictor.load(result.bundle.folder)

"""Likely label errors as a finding of `fastbert check`, among those that need no model.

Knows nothing of how they are found (`label_errors`) or shown.
"""

from __future__ import annotations

from typing import cast, get_args

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.data.holding_out import fold_rows
from fastbert.errors import ConfigError, DataError
from fastbert.insight.doctor.findings import Finding
from fastbert.insight.doctor.material import Material
from fastbert.insight.label_errors import NO_LABEL, Mode, label_errors_of_table
from fastbert.insight.label_quality import check_task
from fastbert.option_values import chosen_of
from fastbert.tasks import TASKS
from fastbert.tasks.base import Task
from fastbert.tasks.classification import Classification
from fastbert.tasks.regression import Regression

FOLDS = 5
KIND = "label_error"


def check_mode(mode: str) -> None:
    """Raise ConfigError for a way of looking that there is none of."""
    chosen_of("--label-errors", mode, get_args(Mode))


def check_judged(material: Material) -> None:
    """Raise UsageError for files whose label errors cannot be looked for, as far as it is known before any work.

    ConfigError for another task, MissingExtraError without cleanlab, DataError for too few rows.
    """
    if not issubclass(TASKS[material.task], Classification | Regression):
        raise ConfigError(
            f"--label-errors judges the labels, or the number, of each row; these files are for {material.task}.",
            "Leave --label-errors out: the other checks are for every task.",
        )
    task = _task_of(material)
    check_task(task)
    try:
        fold_rows(material.parts["train"].examples, task, material.config, FOLDS, TrainConfig().seed)
    except DataError as error:
        what = f"--label-errors judges the rows of each of {FOLDS} folds by models of the others"
        raise DataError(error.message, f"{what}: add rows, or leave it out.") from error


def label_error_finding(material: Material, mode: str, encoder: str) -> Finding:
    """Return the rows of the training table whose labels are probably wrong, worst first.

    mode: as of `label_errors_of_table`.    encoder: that reads the texts; "none" is the default one.
    Raises what `check_judged` does, and what opening and training an encoder does.
    """
    part = material.parts["train"]
    task = _task_of(material)
    data = DataBunch.from_examples(task, {"train": part.examples}, config=material.config, layout=material.layout)
    read_by = "minilm" if encoder == "none" else encoder
    found = label_errors_of_table(data, mode=cast("Mode", mode), folds=FOLDS, encoder=read_by)
    rows = tuple(
        part.flag(
            error.place,
            detail=f"{', '.join(error.suggested) or NO_LABEL} is more likely (quality {error.quality:.2f})",
        )
        for error in found.issues
    )
    return Finding(
        KIND,
        "look" if rows else "note",
        f"{found.estimate.describe()} ({mode} models that have not seen the rows).",
        "Look at these rows, worst first, and put right what is wrong: not all of them are. A model that is weak on "
        "the table flags what is hard.",
        rows,
    )


def _task_of(material: Material) -> Task:
    return TASKS[material.task].from_examples(material.parts["train"].examples, material.layout, material.config)

"""Likely label errors as a finding of `fastbert check`, among those that need no model.

Knows nothing of how they are found (`label_errors`) or shown.
"""

from __future__ import annotations

from typing import cast, get_args

from fastbert.data.databunch import DataBunch
from fastbert.insight.doctor.findings import Finding
from fastbert.insight.doctor.material import Material
from fastbert.insight.label_errors import NO_LABEL, Mode, label_errors_of_table
from fastbert.insight.label_quality import check_task
from fastbert.option_values import chosen_of
from fastbert.tasks import TASKS

KIND = "label_error"


def check_mode(mode: str) -> None:
    """Raise ConfigError for a way of looking that there is none of."""
    chosen_of("--label-errors", mode, get_args(Mode))


def label_error_finding(material: Material, mode: str, encoder: str) -> Finding:
    """Return the rows of the training table whose labels are probably wrong, worst first.

    mode: as of `label_errors_of_table`.    encoder: that reads the texts; "none" is the default one.
    Raises ConfigError for a task whose labels cannot be judged so, TrainingError for too few rows.
    """
    part = material.parts["train"]
    task = TASKS[material.task].from_examples(part.examples, material.layout, material.config)
    check_task(task)
    data = DataBunch.from_examples(task, {"train": part.examples}, config=material.config, layout=material.layout)
    read_by = "minilm" if encoder == "none" else encoder
    found = label_errors_of_table(data, mode=cast("Mode", mode), encoder=read_by)
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

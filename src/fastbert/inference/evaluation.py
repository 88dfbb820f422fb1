"""Score a bundle on a labelled table, read the way its training table was read.

Imports neither torch nor transformers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from fastbert.config import DataConfig
from fastbert.data.examples import TextExample
from fastbert.data.label_names import read_label_names
from fastbert.data.layout import Layout, LayoutOptions, detect_layout
from fastbert.data.rows import to_examples
from fastbert.data.sources import Source, read_table
from fastbert.data.table import Table
from fastbert.inference.predictor import Predictor
from fastbert.tasks.classification import Classification


@dataclass(frozen=True)
class Evaluation:
    """Scores of a table. confusion: true (rows) against decided labels, single-label only.

    notes: rows that were left out, and how the columns were understood.
    """

    scores: dict[str, float]
    per_label: dict[str, dict[str, float | int | None]]
    confusion: list[list[int]] | None
    rows: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return what `fastbert evaluate --json` prints."""
        return {
            "scores": self.scores,
            "rows": self.rows,
            "per_label": self.per_label,
            "confusion": self.confusion,
            "notes": list(self.notes),
        }


def evaluate_table(predictor: Predictor, source: Source, config: DataConfig) -> Evaluation:
    """Return the scores of a bundle on a table.

    config: columns where they differ from those of the training table.
    Raises DataError for a table or row that cannot be used, or a label the model does not know.
    """
    examples, notes = read_examples(predictor, source, config)
    predictions = predictor.predict_examples(examples)
    return Evaluation(
        predictor.task.score(predictions, examples),
        predictor.task.score_labels(predictions, examples),
        predictor.task.confusion(predictions, examples),
        len(examples),
        notes,
    )


def read_examples(
    predictor: Predictor, source: Source, config: DataConfig, *, labels_required: bool = True
) -> tuple[list[TextExample], tuple[str, ...]]:
    """Return the rows of a table, read the way the training table was, and notes on what was left out.

    labels_required: False takes a table without labels, too.    Raises DataError as `evaluate_table` does.
    """
    saved = saved_layout(predictor)
    given = config.has_header
    table = read_table(source, header=given if saved is None else saved.header_of_another(given))
    layout = _layout_for(table, saved, config, predictor)
    labels = cast("Classification", predictor.task).labels
    examples, report = to_examples(
        table, layout, on_bad_row=config.on_bad_row, labels=labels, labels_required=labels_required
    )
    return examples, tuple(report.sentences())


def saved_layout(predictor: Predictor) -> Layout | None:
    """Return the layout of the training table, or None for a model that was not trained on one."""
    plan = predictor.bundle.facts.get("plan")
    values = plan.get("layout") if isinstance(plan, dict) else None
    return Layout.from_json(values) if isinstance(values, dict) else None


def _layout_for(table: Table, saved: Layout | None, config: DataConfig, predictor: Predictor) -> Layout:
    asked = config.text or config.labels or config.labels_file or config.delimiter
    if saved is not None and not asked:
        return saved.without_group()
    names = read_label_names(config.labels_file) if config.labels_file is not None else None
    text = config.text or (() if saved is None else tuple(c for c in (saved.text, saved.pair) if c is not None))
    labels = config.labels or (() if saved is None else saved.label_columns)
    options = LayoutOptions(
        text=text,
        labels=labels,
        task=predictor.task.name,  # type: ignore[arg-type]  # both are names of TASKS
        label_names=names or (saved.label_names if saved is not None else None),
        delimiter=config.delimiter or (saved.delimiter if saved is not None and not config.labels else None),
        on_bad_row=config.on_bad_row,
    )
    return detect_layout(table, options)

"""Score a bundle on a labelled table, read the way its training table was read.

Imports neither torch nor transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastbert.config import DataConfig
from fastbert.data.examples import Example
from fastbert.data.reading import AnyLayout, layout_from_json, read_like
from fastbert.data.sources import Source
from fastbert.inference.predictor import Predictor


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
    predictor.task.check_truths(examples)
    predictions = predictor.predict_examples(examples)
    return Evaluation(
        predictor.task.score(predictions, examples),
        predictor.task.score_labels(predictions, examples),
        predictor.task.confusion(predictions, examples),
        len(examples),
        notes,
    )


def read_examples(
    predictor: Predictor, source: Source, config: DataConfig, *, truth_required: bool = True
) -> tuple[Sequence[Example], tuple[str, ...]]:
    """Return the rows of a table, read the way the training table was, and notes on what was left out.

    truth_required: False takes a table without labels or values, too.    Raises DataError as `evaluate_table` does.
    """
    task = predictor.task
    read = read_like(
        source, saved_layout(predictor), config, task.name, labels=task.known_labels, truth_required=truth_required
    )
    return read.examples, tuple(read.report.sentences())


def saved_layout(predictor: Predictor) -> AnyLayout | None:
    """Return the layout of the training table, or None for a model that was not trained on one."""
    plan = predictor.bundle.facts.get("plan")
    values = plan.get("layout") if isinstance(plan, dict) else None
    return layout_from_json(values) if isinstance(values, dict) else None

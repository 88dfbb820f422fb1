"""Single-label and multi-label classification of a text or a pair of texts.

What both share is in `label_task`. Torch is touched only inside `loss`.

Axes: B examples, C classes, N rows of a data set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
import numpy.typing as npt

from fastbert.data.examples import TextExample
from fastbert.decisions.calibration import Link
from fastbert.decisions.hierarchy import Hierarchy
from fastbert.decisions.rules import Decisions, fit_threshold
from fastbert.errors import DataError
from fastbert.loss_names import parse_loss
from fastbert.metrics import classification as metrics
from fastbert.metrics.calibration import label_wise_error, top_label_error
from fastbert.tasks.base import Array, Divergence, Example, Prediction
from fastbert.tasks.label_prediction import answered, coverage, labelled, levels, true_labels
from fastbert.tasks.label_rules import many_labels_rule, one_label_rule
from fastbert.tasks.label_task import Classification as Classification
from fastbert.tasks.label_task import true_names
from fastbert.tasks.texts import Floats

if TYPE_CHECKING:
    import torch

MOST_WEIGHT = 10.0  # of a label, relative to the smallest
ASYMMETRIC_CLIP = 0.05  # absent labels below this probability cost nothing (Ridnik et al. 2021, section 3.2)
EPSILON = 1e-15  # keeps the logarithm finite; the clip of scikit-learn's log_loss before 1.2


@dataclass(frozen=True)
class SingleLabel(Classification):
    """Exactly one of C labels per row: softmax, cross entropy, the highest score decides."""

    name: ClassVar[str] = "single_label"
    monitor: ClassVar[str] = "f1_macro"
    answer_metric: ClassVar[str] = "f1_macro"
    headlines: ClassVar[tuple[str, ...]] = ("accuracy", "f1_macro", "mcc", "log_loss", "coverage")
    problem_type: ClassVar[str] = "single_label_classification"
    link: ClassVar[Link] = "softmax"
    divergence: ClassVar[Divergence | None] = "softmax"
    default_goal: ClassVar[str] = "default"
    losses: ClassVar[tuple[str, ...]] = ("default", "balanced", "weights", "focal", "resampled")
    tried_losses: ClassVar[tuple[str, ...]] = ("balanced", "focal", "resampled")
    target_type: ClassVar[type[np.generic]] = np.int64

    @property
    def caveat(self) -> str:
        """Return that it always answers."""
        return "It answers with one of its labels even for a text that is about none of them."

    def rule(self, decisions: Decisions) -> str:
        """Return which label is the answer, and when there is none."""
        return one_label_rule(decisions)

    def row_loss(self, prediction: Prediction, example: Example) -> float:
        """Return the negative logarithm of the score of the true label."""
        (name,) = true_labels(example)
        return -math.log(max(labelled(prediction).scores[name], EPSILON))

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the summed cross entropy, or focal loss, and the number (or weight) of examples."""
        from fastbert.models import losses

        logits_BC = losses.mean_over_windows(outputs["logits"], batch["example_of_window"], len(batch["labels"]))
        name, gamma = parse_loss(self.criterion)
        if name == "focal":
            return losses.focal_sum(logits_BC, batch["labels"], gamma)
        return losses.cross_entropy_sum(logits_BC, batch["labels"], class_weights_C=self.label_weights or None)

    def score(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, float]:
        """Return accuracy, F1, MCC, log loss and the rest of `metrics.single_label_scores`, and `ece`.

        Of rows that are answered; `coverage` is their share where some are not.
        """
        said, known = answered(predictions, examples)
        targets_N, decided_N = self._ids(said, known)
        probs_NC = self.scores_of(said)
        scores = metrics.single_label_scores(probs_NC, targets_N, decided_N, self.labels.names)
        if said:
            scores["ece"] = top_label_error(probs_NC, metrics.one_hot(targets_N, len(self.labels)))
        return scores | coverage(said, predictions) | levels(self.labels.names, predictions, examples, self.link)

    def confusion(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> list[list[int]] | None:
        """Return how often each true label (row) was decided as which (column), in label order."""
        targets_N, decided_N = self._ids(*answered(predictions, examples))
        return metrics.confusion(targets_N, decided_N, self.labels.names)["matrix"]

    def fit_decisions(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Decisions:
        """Return the default rule: the highest score decides."""
        return Decisions()

    def prior_logits(self, examples: Sequence[Example]) -> Floats:
        """Return the log of each label's share, float64 (C,); one row is added to each count."""
        return cast("Floats", np.log(self._shares(examples)))

    def balanced_weights(self, examples: Sequence[Example]) -> tuple[float, ...]:
        """Return N / (C * count) per label, at most MOST_WEIGHT times the smallest.

        King and Zeng 2001; scikit-learn's "balanced". Weights far apart, 215 times in one report, make a model that
        gives the rarest label to all rows, since a batch that holds one such row consists of it alone.
        """
        counts_C = self._true_cells(examples).sum(axis=0)
        weights_C = len(examples) / (len(self.labels) * np.maximum(counts_C, 1))
        return tuple(np.minimum(weights_C, MOST_WEIGHT * weights_C.min()).tolist())

    def imbalance(self, examples: Sequence[Example]) -> float:
        """Return how many times as many rows the most frequent label has as the rarest that occurs."""
        counts_C = self._true_cells(examples).sum(axis=0)
        return float(counts_C.max() / counts_C[counts_C > 0].min())

    def _ids(
        self, predictions: Sequence[Prediction], examples: Sequence[Example]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return the ids of the true and of the decided label of each row."""
        true = [self.labels.id_of(true_labels(example)[0]) for example in examples]
        decided = [self.labels.id_of(labelled(prediction).labels[0]) for prediction in predictions]
        return np.array(true, np.intp), np.array(decided, np.intp)

    def _targets(self, examples: Sequence[TextExample]) -> Array | None:
        ids = [self._id_of(example) for example in examples if example.labels is not None]
        return np.array(ids, np.int64) if len(ids) == len(examples) else None

    def _id_of(self, example: TextExample) -> int:
        names = true_labels(example)
        if len(names) != 1:
            raise DataError(
                f"{example.where or 'an example'}: has {len(names)} labels; single_label needs exactly one.",
                "Use the task multi_label for rows with none or several.",
            )
        return self.labels.id_of(names[0], where=example.where)


@dataclass(frozen=True)
class MultiLabel(Classification):
    """Any number of C labels per row: sigmoid, binary cross entropy, a threshold decides."""

    name: ClassVar[str] = "multi_label"
    monitor: ClassVar[str] = "average_precision_macro"
    fitted: ClassVar[str] = "threshold"
    answer_metric: ClassVar[str] = "f1_micro"  # at the saved threshold, which the ranking above knows nothing of
    headlines: ClassVar[tuple[str, ...]] = (
        *("f1_macro", "f1_micro", "average_precision_macro"),
        *("exact_match", "hamming_loss", "coverage"),
    )
    problem_type: ClassVar[str] = "multi_label_classification"
    link: ClassVar[Link] = "sigmoid"
    divergence: ClassVar[Divergence | None] = "sigmoid"
    default_goal: ClassVar[str] = "f1"
    losses: ClassVar[tuple[str, ...]] = ("default", "balanced", "weights", "focal", "asymmetric", "resampled")
    tried_losses: ClassVar[tuple[str, ...]] = ("balanced", "asymmetric", "resampled")
    target_type: ClassVar[type[np.generic]] = np.float32

    @property
    def caveat(self) -> str:
        """Return what thresholds depend on."""
        return (
            "What is given depends on thresholds that suit one goal; where mistakes cost otherwise, set another with "
            "`fastbert decide`."
        )

    def rule(self, decisions: Decisions) -> str:
        """Return from which score on a label is given, and when the answer is unknown."""
        return many_labels_rule(decisions)

    def row_loss(self, prediction: Prediction, example: Example) -> float:
        """Return the binary cross entropy, summed over labels."""
        true = true_names(self, example)
        right = (s if name in true else 1 - s for name, s in labelled(prediction).scores.items())
        return -sum(math.log(max(score, EPSILON)) for score in right)

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the summed binary cross entropy, or focal or asymmetric loss, and the number of cells."""
        from fastbert.models import losses

        logits_BC = losses.mean_over_windows(outputs["logits"], batch["example_of_window"], len(batch["labels"]))
        name, gamma = parse_loss(self.criterion)
        if name == "focal":
            return losses.asymmetric_sum(logits_BC, batch["labels"], gamma_neg=gamma, gamma_pos=gamma)
        if name == "asymmetric":
            return losses.asymmetric_sum(logits_BC, batch["labels"], gamma_neg=gamma, clip=ASYMMETRIC_CLIP)
        return losses.binary_cross_entropy_sum(logits_BC, batch["labels"], pos_weight_C=self.label_weights or None)

    def score(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, float]:
        """Return exact match, F1, ranking scores and the rest of `metrics.multi_label_scores`, and `ece`.

        Of rows that are answered; `coverage` is their share where some are not.
        """
        said, known = answered(predictions, examples)
        targets_NC = self.cells_of([true_labels(example) for example in known])
        decided_NC = self.cells_of([labelled(prediction).labels for prediction in said])
        probs_NC = self.scores_of(said)
        scores = metrics.multi_label_scores(probs_NC, targets_NC, decided_NC, self.labels.names)
        if said:
            scores["ece"] = label_wise_error(probs_NC, targets_NC)
        return scores | coverage(said, predictions) | levels(self.labels.names, predictions, examples, self.link)

    def fit_decisions(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Decisions:
        """Return one threshold for all labels with the best macro F1 on these rows."""
        targets_NC = self.cells_of([true_labels(example) for example in examples])
        return Decisions(fit_threshold(self.scores_of(predictions), targets_NC))

    def prior_logits(self, examples: Sequence[Example]) -> Floats:
        """Return the log-odds of each label, float64 (C,); one row is added to each count."""
        shares_C = self._shares(examples)
        return cast("Floats", np.log(shares_C) - np.log1p(-shares_C))

    def balanced_weights(self, examples: Sequence[Example]) -> tuple[float, ...]:
        """Return sqrt(negatives / positives) per label, at most 10.

        The full ratio over-predicts rare labels; the root is the usual compromise.
        """
        counts_C = self._true_cells(examples).sum(axis=0)
        ratio_C = (len(examples) - counts_C) / np.maximum(counts_C, 1)
        return tuple(np.clip(np.sqrt(ratio_C), 1.0, MOST_WEIGHT).tolist())

    def imbalance(self, examples: Sequence[Example]) -> float:
        """Return how many times as many rows lack the rarest label that occurs as have it, at least 1."""
        counts_C = self._true_cells(examples).sum(axis=0)
        fewest = counts_C[counts_C > 0].min(initial=len(examples))
        return max(1.0, float((len(examples) - fewest) / fewest))

    def cells_of(self, rows: Sequence[tuple[str, ...]]) -> npt.NDArray[np.bool_]:
        """Return label names as a boolean matrix of shape (N, C), a label above a given one given, too.

        What is about "A > x" is about "A", whether the table says it or not; answers follow the same rule.
        """
        cells_NC = super().cells_of(rows)
        hierarchy = Hierarchy.of(self.labels.names)
        return cells_NC if hierarchy is None else hierarchy.closed(cells_NC)

    def _targets(self, examples: Sequence[TextExample]) -> Array | None:
        for example in examples:
            for name in example.labels or ():
                self.labels.id_of(name, where=example.where)
        if any(example.labels is None for example in examples):
            return None
        return self._true_cells(examples)  # a byte a cell; `targets` makes them floats

"""Single-label and multi-label classification of a text or a pair of texts.

A long text may be read in several windows; their logits are averaged before the loss and
before the decision, so that training, evaluation and prediction see the same thing. Torch is
touched only inside `loss`.

Axes: W windows, B examples, C classes, N rows of a data set.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self, cast, get_args

import numpy as np
import numpy.typing as npt

from fastbert.config import DataConfig, Truncation
from fastbert.data.checks import LabelledSplits, data_warnings, label_counts
from fastbert.data.examples import TextExample
from fastbert.data.features import Features
from fastbert.data.rows import infer_labels
from fastbert.decisions.rules import Decisions, fit_threshold
from fastbert.errors import BundleError, DataError
from fastbert.labels import Labels
from fastbert.metrics import classification as metrics
from fastbert.tasks.base import Agreement, Array, Batch, Example, Feature, Prediction, Task
from fastbert.tasks.label_prediction import LabelPrediction, WindowScores, labelled, true_labels
from fastbert.tasks.texts import Floats, encode_texts, mean_over_windows, targets_of, windows_of_examples

if TYPE_CHECKING:
    import torch

    from fastbert.data.layout import Layout
    from fastbert.data.reading import AnyLayout
    from fastbert.data.tokens import Tokenizer

EPSILON = 1e-15  # keeps the logarithm finite; the clip of scikit-learn's log_loss before 1.2


@dataclass(frozen=True)
class Classification(Task):
    """What both kinds of classification share.

    labels: names in the model's order.    truncation: how a text that is too long is read.
    label_weights: one weight per label, in label order: class weights of a single-label, weights
        of the positive cells of a multi-label task; () weighs all alike.
    """

    labels: Labels
    truncation: Truncation = "head_tail"
    label_weights: tuple[float, ...] = ()

    head: ClassVar[str] = "SequenceClassification"
    pipeline: ClassVar[str] = "text-classification"
    losses: ClassVar[tuple[str, ...]] = ("default", "balanced")
    problem_type: ClassVar[str]
    target_type: ClassVar[type[np.generic]]

    @property
    def model_options(self) -> dict[str, object]:
        """Return the names and the problem type, as transformers' configuration spells them."""
        return {
            "id2label": dict(enumerate(self.labels.names)),
            "label2id": {name: index for index, name in enumerate(self.labels.names)},
            "problem_type": self.problem_type,
        }

    @property
    def known_labels(self) -> Labels:
        """Return the labels."""
        return self.labels

    @classmethod
    def from_examples(cls, examples: Sequence[Example], layout: AnyLayout, config: DataConfig) -> Self:
        """Make the task for training rows; the order of labels is that of a labels file or of 0/1 columns, else sorted.

        Raises DataError for fewer than two labels.
        """
        labels = infer_labels(cast("Sequence[TextExample]", examples), cast("Layout", layout))
        return cls(labels, config.truncation)

    def with_loss(self, kind: str, examples: Sequence[Example]) -> Self:
        """Return the task with its loss weighted by label for "balanced"."""
        if kind != "balanced":
            return super().with_loss(kind, examples)
        return replace(self, label_weights=self.balanced_weights(examples))

    def strata(self, examples: Sequence[Example]) -> list[tuple[str, ...]]:
        """Return the labels of each row."""
        return [cast("TextExample", example).labels or () for example in examples]

    def counts(self, examples: Sequence[Example]) -> dict[str, int]:
        """Return the number of rows of each label."""
        return label_counts(cast("Sequence[TextExample]", examples), self.labels)

    def warnings(self, splits: Mapping[str, Sequence[Example]]) -> list[str]:
        """Return what looks wrong with texts, labels and the validation rows."""
        return data_warnings(cast("LabelledSplits", splits), self.labels)

    def encode(
        self, examples: Sequence[Example], tokenizer: Tokenizer, max_tokens: int, first_index: int = 0
    ) -> Features:
        """Return the windows of each example with its target."""
        targets_N = self._targets(cast("Sequence[TextExample]", examples))
        truncation = self.truncation
        return encode_texts(
            examples, targets_N, tokenizer, max_tokens=max_tokens, truncation=truncation, first_index=first_index
        )

    def targets(self, features: Sequence[Feature], length: int, rng: np.random.Generator) -> Batch:
        """Return `labels`, one row per example: int64 (B,) or float32 (B, C)."""
        return {"labels": targets_of(Features.of(features)).astype(self.target_type)}

    def decode(
        self,
        outputs: Mapping[str, Array],
        features: Sequence[Feature],
        examples: Sequence[Example],
        decisions: Decisions,
    ) -> list[Prediction]:
        """Return one prediction per example; the logits of its windows are averaged."""
        logits_WC = np.asarray(outputs["logits"], np.float64)
        packed = Features.of(features)
        scores_BC = self.probabilities(mean_over_windows(logits_WC, packed))
        scores_WC = self.probabilities(logits_WC)
        cut_B = packed.windows.table_W["cut"][packed.merged[0]].tolist()
        return [
            LabelPrediction(
                labels=self.decide(scores_BC[row], decisions),
                scores=self._named(scores_BC[row]),
                windows=tuple(
                    WindowScores(tuple(packed[window].pieces), self._named(scores_WC[window])) for window in windows
                )
                if len(windows) > 1
                else (),
                cut=cut_B[row],
                text=examples[row].text,
                pair=examples[row].pair,
            )
            for row, windows in enumerate(windows_of_examples(packed))
        ]

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """Return `predicted`, and a score for each label."""
        return ("predicted", *(f"score:{name}" for name in self.labels))

    def agreement(self, prediction: Prediction, example: Example) -> Agreement:
        """Return "right" if exactly the labels of the row were decided, "partly" if one of them was."""
        decided, true = set(labelled(prediction).labels), set(true_labels(example))
        return "right" if decided == true else "partly" if decided & true else "wrong"

    def scores_of(self, predictions: Sequence[Prediction]) -> Floats:
        """Return the probabilities of predictions as float64 of shape (N, C)."""
        rows = [[labelled(prediction).scores[name] for name in self.labels] for prediction in predictions]
        return np.array(rows, np.float64).reshape(len(rows), len(self.labels))

    def cells_of(self, rows: Sequence[tuple[str, ...]]) -> npt.NDArray[np.bool_]:
        """Return label names as a boolean matrix of shape (N, C)."""
        cells_NC = np.zeros((len(rows), len(self.labels)), np.bool_)
        for row, names in enumerate(rows):
            for name in names:
                cells_NC[row, self.labels.id_of(name)] = True
        return cells_NC

    def score_labels(
        self, predictions: Sequence[Prediction], examples: Sequence[Example]
    ) -> dict[str, dict[str, float | int | None]]:
        """Return precision, recall, F1, support and ranking scores of each label by name."""
        targets_NC = self.cells_of([true_labels(example) for example in examples])
        decided_NC = self.cells_of([labelled(prediction).labels for prediction in predictions])
        return metrics.per_label(self.scores_of(predictions), targets_NC, decided_NC, self.labels.names)

    def to_json(self) -> dict[str, object]:
        """Return name, labels, truncation and weights."""
        return {
            "name": self.name,
            "labels": list(self.labels.names),
            "truncation": self.truncation,
            "label_weights": list(self.label_weights),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """Read what `to_json` wrote."""
        names, weights = values.get("labels"), values.get("label_weights", [])
        truncation = values.get("truncation", "head_tail")
        if not isinstance(names, list) or not names:
            raise BundleError(f"bundle.json: the task '{cls.name}' has no list of labels.")
        if not isinstance(weights, list) or not all(isinstance(item, int | float) for item in weights):
            raise BundleError(f"bundle.json: the label weights are {weights!r}; expected a list of numbers.")
        if truncation not in get_args(Truncation):
            raise BundleError(
                f"bundle.json: the truncation is {truncation!r}; this version knows {', '.join(get_args(Truncation))}.",
                "Upgrade with `pip install -U fastbert-nlp`.",
            )
        return cls(
            labels=Labels(tuple(str(item) for item in names)),
            truncation=cast("Truncation", truncation),
            label_weights=tuple(float(item) for item in weights),
        )

    @abstractmethod
    def probabilities(self, logits_BC: Floats) -> Floats:
        """Return the probability of each label."""

    @abstractmethod
    def decide(self, scores_C: Floats, decisions: Decisions) -> tuple[str, ...]:
        """Return the names decided for one row, by falling score."""

    @abstractmethod
    def balanced_weights(self, examples: Sequence[Example]) -> tuple[float, ...]:
        """Return weights that make up for rare labels, in label order."""

    @abstractmethod
    def _targets(self, examples: Sequence[TextExample]) -> Array | None:
        """Return the targets, a row an example, or None unless all labels are known."""

    def _shares(self, examples: Sequence[Example]) -> Floats:
        counts_C = self.cells_of([true_labels(example) for example in examples]).sum(axis=0)
        return cast("Floats", (counts_C + 1.0) / (len(examples) + 2.0))

    def _named(self, scores_C: Floats) -> dict[str, float]:
        return dict(zip(self.labels.names, scores_C.tolist(), strict=True))


@dataclass(frozen=True)
class SingleLabel(Classification):
    """Exactly one of C labels per row: softmax, cross entropy, the highest score decides."""

    name: ClassVar[str] = "single_label"
    monitor: ClassVar[str] = "f1_macro"
    answer_metric: ClassVar[str] = "f1_macro"
    headlines: ClassVar[tuple[str, ...]] = ("accuracy", "f1_macro", "mcc", "log_loss")
    problem_type: ClassVar[str] = "single_label_classification"
    target_type: ClassVar[type[np.generic]] = np.int64

    @property
    def caveat(self) -> str:
        """Return that it always answers."""
        return "It answers with one of its labels even for a text that is about none of them."

    def rule(self, decisions: Decisions) -> str:
        """Return that the highest score decides."""
        return "The label with the highest score is the answer."

    def row_loss(self, prediction: Prediction, example: Example) -> float:
        """Return the negative logarithm of the score of the true label."""
        (name,) = true_labels(example)
        return -math.log(max(labelled(prediction).scores[name], EPSILON))

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the summed cross entropy and the number (or weight) of examples."""
        from fastbert.models import losses

        logits_BC = losses.mean_over_windows(outputs["logits"], batch["example_of_window"], len(batch["labels"]))
        return losses.cross_entropy_sum(logits_BC, batch["labels"], class_weights_C=self.label_weights or None)

    def probabilities(self, logits_BC: Floats) -> Floats:
        """Return the softmax over labels."""
        shifted_BC = np.exp(logits_BC - logits_BC.max(axis=-1, keepdims=True))
        return cast("Floats", shifted_BC / shifted_BC.sum(axis=-1, keepdims=True))

    def decide(self, scores_C: Floats, decisions: Decisions) -> tuple[str, ...]:
        """Return the label with the highest score; the first of equal ones."""
        return (self.labels.name_of(int(np.argmax(scores_C))),)

    def score(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, float]:
        """Return accuracy, F1, MCC, log loss and the rest of `metrics.single_label_scores`."""
        targets_N, decided_N = self._ids(predictions, examples)
        return metrics.single_label_scores(self.scores_of(predictions), targets_N, decided_N, self.labels.names)

    def confusion(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> list[list[int]] | None:
        """Return how often each true label (row) was decided as which (column), in label order."""
        targets_N, decided_N = self._ids(predictions, examples)
        return metrics.confusion(targets_N, decided_N, self.labels.names)["matrix"]

    def fit_decisions(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Decisions:
        """Return the default rule: the highest score decides."""
        return Decisions()

    def prior_logits(self, examples: Sequence[Example]) -> Floats:
        """Return the log of each label's share, float64 (C,); one row is added to each count."""
        return cast("Floats", np.log(self._shares(examples)))

    def balanced_weights(self, examples: Sequence[Example]) -> tuple[float, ...]:
        """Return N / (C * count) per label (King and Zeng 2001; scikit-learn's "balanced")."""
        counts_C = self.cells_of([true_labels(example) for example in examples]).sum(axis=0)
        return tuple((len(examples) / (len(self.labels) * np.maximum(counts_C, 1))).tolist())

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
        *("exact_match", "hamming_loss"),
    )
    problem_type: ClassVar[str] = "multi_label_classification"
    target_type: ClassVar[type[np.generic]] = np.float32

    @property
    def caveat(self) -> str:
        """Return what one threshold for all labels means."""
        return "The threshold is one number for all labels; with other costs of a mistake, choose another."

    def rule(self, decisions: Decisions) -> str:
        """Return the threshold from which a label is given."""
        return f"Every label whose score is at least {decisions.threshold:g} is given; there may be none."

    def row_loss(self, prediction: Prediction, example: Example) -> float:
        """Return the binary cross entropy, summed over labels."""
        right = (s if name in true_labels(example) else 1 - s for name, s in labelled(prediction).scores.items())
        return -sum(math.log(max(score, EPSILON)) for score in right)

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the summed binary cross entropy and the number of cells."""
        from fastbert.models import losses

        logits_BC = losses.mean_over_windows(outputs["logits"], batch["example_of_window"], len(batch["labels"]))
        return losses.binary_cross_entropy_sum(logits_BC, batch["labels"], pos_weight_C=self.label_weights or None)

    def probabilities(self, logits_BC: Floats) -> Floats:
        """Return the sigmoid of each label."""
        return 0.5 * (1.0 + np.tanh(0.5 * logits_BC))

    def decide(self, scores_C: Floats, decisions: Decisions) -> tuple[str, ...]:
        """Return the labels at or above the threshold, by falling score."""
        above = [int(index) for index in np.argsort(-scores_C, kind="stable") if scores_C[index] >= decisions.threshold]
        return tuple(self.labels.name_of(index) for index in above)

    def score(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, float]:
        """Return exact match, F1, ranking scores and the rest of `metrics.multi_label_scores`."""
        targets_NC = self.cells_of([true_labels(example) for example in examples])
        decided_NC = self.cells_of([labelled(prediction).labels for prediction in predictions])
        return metrics.multi_label_scores(self.scores_of(predictions), targets_NC, decided_NC, self.labels.names)

    def fit_decisions(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Decisions:
        """Return one threshold for all labels with the best macro F1 on these rows."""
        targets_NC = self.cells_of([true_labels(example) for example in examples])
        return Decisions(fit_threshold(self.scores_of(predictions), targets_NC))

    def redecide(self, predictions: Sequence[Prediction], decisions: Decisions) -> list[Prediction]:
        """Return predictions with the labels at or above another threshold."""
        return [labelled(prediction).at_threshold(decisions.threshold) for prediction in predictions]

    def prior_logits(self, examples: Sequence[Example]) -> Floats:
        """Return the log-odds of each label, float64 (C,); one row is added to each count."""
        shares_C = self._shares(examples)
        return cast("Floats", np.log(shares_C) - np.log1p(-shares_C))

    def balanced_weights(self, examples: Sequence[Example]) -> tuple[float, ...]:
        """Return sqrt(negatives / positives) per label, at most 10.

        The full ratio over-predicts rare labels; the root is the usual compromise.
        """
        counts_C = self.cells_of([true_labels(example) for example in examples]).sum(axis=0)
        ratio_C = (len(examples) - counts_C) / np.maximum(counts_C, 1)
        return tuple(np.clip(np.sqrt(ratio_C), 1.0, 10.0).tolist())

    def _targets(self, examples: Sequence[TextExample]) -> Array | None:
        cells_NC = np.zeros((len(examples), len(self.labels)), np.bool_)  # a byte a cell; `targets` makes them floats
        for row, example in enumerate(examples):
            for name in example.labels or ():
                cells_NC[row, self.labels.id_of(name, where=example.where)] = True
        return cells_NC if all(example.labels is not None for example in examples) else None

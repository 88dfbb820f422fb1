"""What single-label and multi-label classification share: windows, scores, answers, and rules fitted to them.

A long text may be read in several windows; their logits are averaged before the loss and
before the decision, so that training, evaluation and prediction see the same thing.

Axes: W windows, B examples, C classes, N rows of a data set.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self, cast, get_args

import numpy as np
import numpy.typing as npt

from fastbert.config import DataConfig, DecisionConfig, Truncation
from fastbert.data.checks import LabelledSplits, data_warnings, label_counts
from fastbert.data.examples import TextExample
from fastbert.data.features import Features
from fastbert.data.repeats import repeat_factors
from fastbert.data.rows import infer_labels
from fastbert.decisions.abstain import free_energy
from fastbert.decisions.calibration import Link, to_probs
from fastbert.decisions.fitting import ScoredRows, check_goal, fit_label_rule
from fastbert.decisions.hierarchy import Hierarchy, levels_of
from fastbert.decisions.labelling import Labeller
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError
from fastbert.labels import Labels
from fastbert.loss_names import WEIGHTS, parse_loss, read_weights
from fastbert.metrics import classification as metrics
from fastbert.tasks.base import Agreement, Array, Batch, Example, Feature, Prediction, Task
from fastbert.tasks.label_prediction import (
    UNKNOWN,
    LabelPrediction,
    WindowScores,
    decided_labels,
    given,
    labelled,
    same_answer,
    true_labels,
)
from fastbert.tasks.texts import Floats, encode_texts, mean_over_windows, targets_of, windows_of_examples

if TYPE_CHECKING:
    from fastbert.data.layout import Layout
    from fastbert.data.reading import AnyLayout
    from fastbert.data.tokens import Tokenizer


@dataclass(frozen=True)
class Classification(Task):
    """What both kinds of classification share.

    labels: names in the model's order.    truncation: how a text that is too long is read.
    label_weights: one weight per label, in label order: class weights of a single-label, weights
        of the positive cells of a multi-label task; () weighs all alike.
    criterion: the loss, a name that `parse_loss` reads.
    """

    labels: Labels
    truncation: Truncation = "head_tail"
    label_weights: tuple[float, ...] = ()
    criterion: str = "default"

    head: ClassVar[str] = "SequenceClassification"
    pipeline: ClassVar[str] = "text-classification"
    problem_type: ClassVar[str]
    target_type: ClassVar[type[np.generic]]
    link: ClassVar[Link]
    default_goal: ClassVar[str]

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
        """Return the task with another of its `losses`."""
        name, _ = parse_loss(kind)
        if name not in self.losses:
            return super().with_loss(kind, examples)
        if name == WEIGHTS:  # a bundle holds the numbers, not where they came from
            return replace(self, label_weights=read_weights(kind, self.labels.names), criterion=name)
        weights = self.balanced_weights(examples) if name == "balanced" else ()
        return replace(self, label_weights=weights, criterion=kind)

    def repeats(self, examples: Sequence[Example]) -> Floats | None:
        """Return how often each row comes in an epoch for "resampled", None for all other losses."""
        return repeat_factors(self._true_cells(examples)) if self.criterion == "resampled" else None

    def collapsed(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> str:
        """Return that all answered rows have the same labels though their true ones differ; nothing if not."""
        return same_answer(predictions, examples, self.labels.names, self.link)

    def open_rule(self, decisions: Decisions) -> Decisions:
        """Return a rule without what holds answers back."""
        return decisions.answering(self.link)

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
        targets_N, truncation = self._targets(cast("Sequence[TextExample]", examples)), self.truncation
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
        logits_BC = mean_over_windows(logits_WC, packed)
        labeller = Labeller.of(self.labels.names, self.link, decisions)
        energy_B = free_energy(logits_BC, self.link)
        answers = labeller.answer(to_probs(logits_BC, self.link), energy_B)
        scores_WC = labeller.calibrated(to_probs(logits_WC, self.link))
        cut_B = packed.windows.table_W["cut"][packed.merged[0]].tolist()
        return [
            LabelPrediction(
                labels=answers.rows[row].labels,
                scores=self._named(answers.score_NC[row]),
                windows=tuple(
                    WindowScores(tuple(packed[window].pieces), self._named(scores_WC[window])) for window in windows
                )
                if len(windows) > 1
                else (),
                reason=answers.rows[row].reason if labeller.abstains else None,
                energy=float(energy_B[row]),
                cut=cut_B[row],
                text=examples[row].text,
                pair=examples[row].pair,
            )
            for row, windows in enumerate(windows_of_examples(packed))
        ]

    def redecide(self, predictions: Sequence[Prediction], decisions: Decisions) -> list[Prediction]:
        """Return predictions as another rule makes them. predictions: with the model's own scores, not calibrated."""
        labeller = Labeller.of(self.labels.names, self.link, decisions)
        answers = labeller.answer(self.scores_of(predictions), _energies(predictions))
        return [
            replace(
                labelled(prediction),
                labels=answer.labels,
                reason=answer.reason if labeller.abstains else None,
                scores=self._named(scores_C),
                windows=tuple(
                    replace(window, scores=self._named(labeller.calibrated(self.scores_of([window]))[0]))
                    for window in labelled(prediction).windows
                ),
            )
            for prediction, answer, scores_C in zip(predictions, answers.rows, answers.score_NC, strict=True)
        ]

    def check_rule(self, config: DecisionConfig) -> None:
        """Raise ConfigError for a goal or limit that these labels do not have."""
        check_goal(config, self.labels.names, self.link)

    def fit_rule(
        self, predictions: Sequence[Prediction], examples: Sequence[Example], config: DecisionConfig
    ) -> Decisions:
        """Return calibration, thresholds and limits for a goal, fitted on validation rows."""
        rows = ScoredRows(
            self.labels.names,
            self.link,
            self.scores_of(predictions),
            _energies(predictions),
            self.cells_of([true_labels(example) for example in examples]),
        )
        return fit_label_rule(rows, config, self.default_goal)

    def pack(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, Array]:
        """Return scores, energies and truth as arrays."""
        return {
            "scores": self.scores_of(predictions),
            "energy": _energies(predictions),
            "targets": self.cells_of([true_labels(example) for example in examples]),
        }

    def unpack(self, arrays: Mapping[str, Array]) -> tuple[list[Prediction], list[Example]]:
        """Return what `pack` was given, without texts."""
        predictions: list[Prediction] = [
            LabelPrediction(scores=self._named(scores_C), energy=float(energy))
            for scores_C, energy in zip(arrays["scores"], arrays["energy"], strict=True)
        ]
        truths = [tuple(self.labels.name_of(int(label)) for label in np.flatnonzero(row)) for row in arrays["targets"]]
        return predictions, [TextExample("", labels=names) for names in truths]

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """Return `predicted`, and a score for each label."""
        return ("predicted", *(f"score:{name}" for name in self.labels))

    def columns_of(self, decisions: Decisions) -> tuple[str, ...]:
        """Return the answer columns, with `reason` where an answer may be unknown."""
        decided, *scores = self.answer_columns
        abstains = Labeller.of(self.labels.names, self.link, decisions).abstains
        return (decided, *(["reason"] if abstains else []), *scores)

    def agreement(self, prediction: Prediction, example: Example) -> Agreement:
        """Return "right" if exactly the labels of the row were decided, "partly" if one of them was."""
        decided, true = set(decided_labels(prediction, self.link)), true_names(self, example)
        return "right" if decided == true and prediction.answer != UNKNOWN else "partly" if decided & true else "wrong"

    def scores_of(self, predictions: Sequence[Prediction | WindowScores]) -> Floats:
        """Return the probabilities of predictions, or of windows, as float64 of shape (N, C)."""
        rows = [[prediction.scores[name] for name in self.labels] for prediction in predictions]
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
        decided_NC = self.cells_of([given(one, self.labels.names, self.link) for one in predictions])
        return metrics.per_label(self.scores_of(predictions), targets_NC, decided_NC, self.labels.names)

    def to_json(self) -> dict[str, object]:
        """Return name, labels, truncation and weights."""
        return {
            "name": self.name,
            "labels": list(self.labels.names),
            "truncation": self.truncation,
            "label_weights": list(self.label_weights),
            **({} if self.criterion == "default" else {"loss": self.criterion}),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**_fields(cls.name, values))  # type: ignore[arg-type]  # checked there, one by one

    @abstractmethod
    def balanced_weights(self, examples: Sequence[Example]) -> tuple[float, ...]:
        """Return weights that make up for rare labels, in label order."""

    @abstractmethod
    def _targets(self, examples: Sequence[TextExample]) -> Array | None:
        """Return the targets, a row an example, or None unless all labels are known."""

    def _shares(self, examples: Sequence[Example]) -> Floats:
        counts_C = self._true_cells(examples).sum(axis=0)
        return cast("Floats", (counts_C + 1.0) / (len(examples) + 2.0))

    def probabilities(self, logits_BC: Floats) -> Floats:
        """Return the probability of each label as the model gives it, not calibrated."""
        return to_probs(logits_BC, self.link)

    def _named(self, scores_C: Floats) -> dict[str, float]:
        return dict(zip(self.labels.names, scores_C.tolist(), strict=True))

    def _true_cells(self, examples: Sequence[Example]) -> npt.NDArray[np.bool_]:
        return self.cells_of([true_labels(example) for example in examples])


def true_names(task: Classification, example: Example) -> set[str]:
    """Return the labels of an example, with those above them where any number may be given."""
    names = set(true_labels(example))
    if task.link == "softmax" or Hierarchy.of(task.labels.names) is None:
        return names
    return names | {above for name in names for above in levels_of(name) if above in task.labels.names}


def _energies(predictions: Sequence[Prediction]) -> Floats:
    return np.array([labelled(prediction).energy for prediction in predictions], np.float64)


def _fields(task: str, values: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of a task from what `to_json` wrote. Raises BundleError where a value is missing or wrong."""
    names, weights = values.get("labels"), values.get("label_weights", [])
    truncation, loss = values.get("truncation", "head_tail"), values.get("loss", "default")
    if not isinstance(names, list) or not names:
        raise BundleError(f"bundle.json: the task '{task}' has no list of labels.")
    if not isinstance(weights, list) or not all(isinstance(item, int | float) for item in weights):
        raise BundleError(f"bundle.json: the label weights are {weights!r}; expected a list of numbers.")
    if truncation not in get_args(Truncation):
        raise BundleError(
            f"bundle.json: the truncation is {truncation!r}; this version knows {', '.join(get_args(Truncation))}.",
            "Upgrade with `pip install -U fastbert-nlp`.",
        )
    if not isinstance(loss, str):
        raise BundleError(f"bundle.json: the loss is {loss!r}; expected its name.")
    return {
        "labels": Labels(tuple(str(item) for item in names)),
        "truncation": truncation,
        "label_weights": tuple(float(item) for item in weights),
        "criterion": loss,
    }

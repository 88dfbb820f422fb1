"""Tasks whose training rows carry what another model, the teacher, says of them: knowledge distillation.

Each is the teacher's own task with other targets, and is saved as that task: a distilled model is an ordinary one.
The outputs of the teacher are taken before calibration and decision rule: a rule has thresholds, and an isotonic
calibration has steps, that would hide which of two texts the teacher is surer of; the student gets its own.
With several labels and with numbers, the mean of both losses is, but for a constant, the loss of the mean target.
Knows nothing of who the teacher is. Torch is touched only inside `loss`.

Axes: N rows, B examples, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from fastbert.data.examples import TextExample, ValueExample
from fastbert.data.features import Features
from fastbert.decisions.calibration import to_logits
from fastbert.errors import ConfigError
from fastbert.option_values import check_range
from fastbert.tasks.base import Array, Batch, Example, Feature, Prediction, Task
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.label_prediction import given, labelled
from fastbert.tasks.regression import Regression, ValuePrediction
from fastbert.tasks.texts import Floats, encode_texts, targets_of

if TYPE_CHECKING:
    import torch

    from fastbert.data.tokens import Tokenizer

# The training script of DistilBERT (Sanh et al. 2019, arXiv 1910.01108) has 2; Hinton et al. 2015 found 2.5 to 4 best
# for a very small student.
DEFAULT_TEMPERATURE = 2.0
DEFAULT_LABEL_WEIGHT = 0.5
MOST_TEMPERATURE = 100.0
IGNORED = -100  # as in `models.losses`: the row has no label


@dataclass(frozen=True)
class Teaching:
    """How much is learned from what. temperature: by which logits are divided before the softmax; one label only.

    label_weight: share of the usual loss in rows whose label is known; the rest is the teacher's.
    None means what is usual.
    """

    temperature: float | None = None
    label_weight: float | None = None

    def __post_init__(self) -> None:
        if self.temperature is not None:
            check_range("temperature", self.temperature, 0.0, MOST_TEMPERATURE, open_low=True)
        if self.label_weight is not None:
            check_range("label_weight", self.label_weight, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class TaughtText(TextExample):
    """A text with what the teacher says of it. labels: its true ones, else the teacher's answer.

    outputs: logits of the teacher, one for each label.    labelled: whether the labels are true.
    """

    outputs: tuple[float, ...] = ()
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class TaughtValue(ValueExample):
    """A text with the number that the teacher gives it. value: the true one, else the teacher's.

    outputs: that number alone.    labelled: whether the value is true.
    """

    outputs: tuple[float, ...] = ()
    labelled: bool = False


Taught = TaughtText | TaughtValue


@dataclass(frozen=True)
class TaughtSingleLabel(SingleLabel):
    """One of C labels: the divergence from the teacher's softmax, at a temperature, and cross entropy."""

    temperature: float = DEFAULT_TEMPERATURE
    label_weight: float = DEFAULT_LABEL_WEIGHT

    losses: ClassVar[tuple[str, ...]] = ("default",)
    tried_losses: ClassVar[tuple[str, ...]] = ()

    def targets(self, features: Sequence[Feature], length: int, rng: np.random.Generator) -> Batch:
        """Return `labels`, int64 (B,), IGNORED where they are the teacher's, and `teacher`, float32 (B, C)."""
        targets_BK = targets_of(Features.of(features))
        return {"labels": targets_BK[:, 0].astype(np.int64), "teacher": targets_BK[:, 1:].astype(np.float32)}

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the summed loss and the number of examples."""
        from fastbert.models import losses

        logits_BC = losses.mean_over_windows(outputs["logits"], batch["example_of_window"], len(batch["labels"]))
        return losses.distillation_sum(
            logits_BC,
            batch["teacher"],
            batch["labels"],
            temperature=self.temperature,
            label_weight=self.label_weight,
        )

    def _targets(self, examples: Sequence[TextExample]) -> Array | None:
        """Return label id, or IGNORED, and the teacher's logits; float64 of shape (N, 1 + C)."""
        taught = _taught(examples)
        if taught is None:
            return None
        ids = [self._id_of(cast("TextExample", row)) if row.labelled else IGNORED for row in taught]
        return np.column_stack([np.array(ids, np.float64), _outputs(taught)])


@dataclass(frozen=True)
class TaughtMultiLabel(MultiLabel):
    """Any number of C labels: binary cross entropy to the teacher's probabilities, mixed with true cells."""

    label_weight: float = DEFAULT_LABEL_WEIGHT

    losses: ClassVar[tuple[str, ...]] = ("default",)
    tried_losses: ClassVar[tuple[str, ...]] = ()

    def _targets(self, examples: Sequence[TextExample]) -> Array | None:
        """Return the probability of each label to learn, float64 (N, C)."""
        taught = _taught(examples)
        if taught is None:
            return None
        true_NC = self.cells_of([cast("TextExample", row).labels or () for row in taught])
        return _mixed(self.probabilities(_outputs(taught)), true_NC.astype(np.float64), taught, self.label_weight)


@dataclass(frozen=True)
class TaughtRegression(Regression):
    """A number: the squared error to the teacher's, mixed with the true one."""

    label_weight: float = DEFAULT_LABEL_WEIGHT

    losses: ClassVar[tuple[str, ...]] = ("default",)

    def encode(
        self, examples: Sequence[Example], tokenizer: Tokenizer, max_tokens: int, first_index: int = 0
    ) -> Features:
        """Return the windows of each example with the scaled value to learn."""
        taught = _taught(examples)
        targets_N = None
        if taught is not None:
            true_N1 = np.array([[cast("ValueExample", row).value] for row in taught], np.float64)
            values_N1 = _mixed(_outputs(taught), true_N1, taught, self.label_weight)
            targets_N = ((values_N1[:, 0] - self.mean) / self.scale).astype(np.float32)
        return encode_texts(
            examples,
            targets_N,
            tokenizer,
            max_tokens=max_tokens,
            truncation=self.truncation,
            first_index=first_index,
        )


def taught_task(teacher: Task, teaching: Teaching) -> Task:
    """Return the task of a student that learns from a model of the given one.

    Labels, their order, the scale of numbers and the reading of long texts are the teacher's.
    Raises ConfigError for a task whose outputs are not one row of numbers for a text, or a temperature without use.
    """
    weight = DEFAULT_LABEL_WEIGHT if teaching.label_weight is None else teaching.label_weight
    if isinstance(teacher, SingleLabel):
        temperature = DEFAULT_TEMPERATURE if teaching.temperature is None else teaching.temperature
        return TaughtSingleLabel(teacher.labels, teacher.truncation, temperature=temperature, label_weight=weight)
    if not isinstance(teacher, MultiLabel | Regression):
        raise ConfigError(
            f"The teacher's task is '{teacher.name}', which cannot be distilled.",
            "A teacher of the task single_label, multi_label or regression can.",
        )
    if teaching.temperature is not None:
        raise ConfigError(
            f"temperature is {teaching.temperature:g}, but the task '{teacher.name}' has no softmax to soften.",
            "Leave it out.",
        )
    if isinstance(teacher, MultiLabel):
        return TaughtMultiLabel(teacher.labels, teacher.truncation, label_weight=weight)
    kept = {name: getattr(teacher, name) for name in ("target", "mean", "scale", "low", "high", "truncation")}
    return TaughtRegression(**kept, label_weight=weight)


def taught_example(task: Task, example: Example, raw: Prediction, said: Prediction) -> Taught:
    """Return a row with what the teacher says of it. raw, said: its answer by the plain rule and by its own.

    Where the row has no truth of its own, the teacher's answer takes its place; an answer of one label that is
    unknown by its rule is that of the plain one.
    """
    text, pair, where, group = example.text, example.pair, example.where, example.group
    if isinstance(task, Regression):
        value = cast("ValuePrediction", raw).value
        truth = cast("float | None", example.truth)
        return TaughtValue(
            text, pair, value if truth is None else truth, where, group, outputs=(value,), labelled=truth is not None
        )
    known = cast("SingleLabel | MultiLabel", task)
    labels = cast("tuple[str, ...] | None", example.truth)
    outputs_1C = to_logits(known.scores_of([labelled(raw)]), known.link)
    names = known.labels.names
    answer = given(said, names, known.link)
    if known.link == "softmax" and not answer:
        answer = given(raw, names, known.link)
    return TaughtText(
        text,
        pair,
        answer if labels is None else labels,
        where,
        group,
        outputs=tuple(outputs_1C[0].tolist()),
        labelled=labels is not None,
    )


def untaught_example(task: Task, example: Example) -> Taught:
    """Return a row as it stands before the teacher has answered: with outputs that say nothing, to plan by."""
    if isinstance(task, Regression):
        middle = task.mean
        return TaughtValue(example.text, example.pair, middle, example.where, outputs=(middle,))
    names = cast("SingleLabel | MultiLabel", task).labels.names
    labels = names[:1]
    return TaughtText(example.text, example.pair, labels, example.where, outputs=(0.0,) * len(names))


def _taught(examples: Sequence[Example]) -> Sequence[Taught] | None:
    """Return examples as what they are; None unless a teacher has answered all of them."""
    found = [example for example in examples if isinstance(example, TaughtText | TaughtValue)]
    return found if found and len(found) == len(examples) else None


def _outputs(taught: Sequence[Taught]) -> Floats:
    return np.array([row.outputs for row in taught], np.float64)


def _mixed(teacher_NC: Floats, true_NC: Floats, taught: Sequence[Taught], label_weight: float) -> Floats:
    """Return the teacher's values, and where the truth is known its mean with that, by weight."""
    weight_N1 = np.array([[label_weight * row.labelled] for row in taught], np.float64)
    return (1 - weight_N1) * teacher_NC + weight_N1 * true_NC

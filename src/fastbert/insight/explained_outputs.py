"""What is explained: one number out of all that a model says of a text, such as the log-odds of a label.

Each output says which numbers of a window it reads (`pick`) and what they amount to (`value`). Both work alike on
arrays of numpy and tensors of torch, so that gradients and passes without them explain the very same number. Imports
no torch. Knows nothing of words or of how a model is run.

Axes: S inputs that differ in one example's words, C classes, W windows of the example, L tokens.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar, cast

import numpy as np
import numpy.typing as npt

from fastbert.data.examples import Range
from fastbert.decisions.hierarchy import is_at_or_below
from fastbert.errors import ConfigError, did_you_mean
from fastbert.insight.readings import Reading
from fastbert.tasks.answer_prediction import NO_ANSWER, answered
from fastbert.tasks.base import Array, Prediction, Task
from fastbert.tasks.entities_prediction import EntitiesPrediction, ScoredEntity
from fastbert.tasks.label_prediction import LabelPrediction, labelled
from fastbert.tasks.regression import Regression
from fastbert.tasks.tagging import Tagging
from fastbert.tasks.token_scores import unit_scores, units_of

if TYPE_CHECKING:
    import torch

A = TypeVar("A", "npt.NDArray[np.float64]", "torch.Tensor")
Floats = npt.NDArray[np.float64]
Unit = Literal["log-odds", "value", "logits"]


@dataclass(frozen=True)
class Output(ABC):
    """A number that a model gives for one example.

    name: the label, the entity, the answer.    unit: "log-odds" (natural logarithm of p / (1 - p)), "value" (the user's
    own unit) or "logits" (a sum of them).    place: characters that it is about, of the text or, for answers, the pair.
    """

    name: str
    unit: Unit
    place: Range | None = field(default=None, kw_only=True)

    @abstractmethod
    def pick(self, outputs: Mapping[str, A], window: int) -> list[A]:
        """Return the numbers of a window that it reads. outputs: (S, C), or by token (S, L, C) or (S, L)."""

    @abstractmethod
    def value(self, picked: Sequence[A], logsumexp: Callable[[A], A]) -> A:
        """Return the number for each input, (S,).

        picked: of all windows, in order.    logsumexp: over the last axis.
        """

    def score(self, value: float) -> float:
        """Return the number as people read it: a probability where it is log-odds."""
        return 0.5 * (1.0 + math.tanh(0.5 * value)) if self.unit == "log-odds" else value

    def of_windows(self, outputs: Sequence[Mapping[str, Array]]) -> float:
        """Return the number for one example whose windows said this; each without the axis S."""
        picked: list[Floats] = []
        for window, own in enumerate(outputs):
            picked += self.pick({name: np.asarray(one, np.float64)[None] for name, one in own.items()}, window)
        return float(self.value(picked, log_sum)[0])


@dataclass(frozen=True)
class TextOutput(Output):
    """One of the outputs for a whole text; the outputs of its windows are averaged, as the task does.

    column: which.    others: the columns that it competes with (softmax); () where it stands alone.
    together: further columns whose probabilities count with it, where it is about several labels as one.
    scale, shift: make the user's unit of it.
    """

    column: int
    others: tuple[int, ...] = ()
    scale: float = 1.0
    shift: float = 0.0
    together: tuple[int, ...] = ()

    def pick(self, outputs: Mapping[str, A], window: int) -> list[A]:
        """Return all outputs of a window."""
        return [outputs["logits"]]

    def value(self, picked: Sequence[A], logsumexp: Callable[[A], A]) -> A:
        """Return the log-odds of the label or labels, or the number in the user's unit."""
        mean_SC = _sum(picked) / len(picked)
        alone = mean_SC[:, self.column]
        if self.together:
            alone = logsumexp(mean_SC[:, [self.column, *self.together]])
        if self.others:
            return alone - logsumexp(mean_SC[:, list(self.others)])
        return alone * self.scale + self.shift


@dataclass(frozen=True)
class TagsOutput(Output):
    """The log-odds that the words of an entity have its tags, averaged over them.

    cells: window, token in it and tag of each of its words.    num_tags: of the model.
    """

    cells: tuple[tuple[int, int, int], ...]
    num_tags: int

    def pick(self, outputs: Mapping[str, A], window: int) -> list[A]:
        """Return the scores of the tags at the tokens that a window reads the entity's words at."""
        return [outputs["logits"][:, token] for place, token, _ in self.cells if place == window]

    def value(self, picked: Sequence[A], logsumexp: Callable[[A], A]) -> A:
        """Return the mean of the log-odds."""
        odds = []
        for scores_SC, (_, _, tag) in zip(picked, sorted(self.cells, key=lambda cell: cell[0]), strict=True):
            others = [other for other in range(self.num_tags) if other != tag]
            odds.append(scores_SC[:, tag] - logsumexp(scores_SC[:, others]))
        return _sum(odds) / len(odds)


@dataclass(frozen=True)
class SpanOutput(Output):
    """The start logit of an answer's first token plus the end logit of its last, in the window that gave it."""

    window: int
    first: int
    last: int

    def pick(self, outputs: Mapping[str, A], window: int) -> list[A]:
        """Return both logits, nothing of another window."""
        if window != self.window:
            return []
        return [outputs["start_logits"][:, self.first], outputs["end_logits"][:, self.last]]

    def value(self, picked: Sequence[A], logsumexp: Callable[[A], A]) -> A:
        """Return the sum."""
        return _sum(picked)


def choose_outputs(
    task: Task,
    prediction: Prediction,
    reading: Reading,
    outputs: Sequence[Mapping[str, Array]],
    label: str | None = None,
) -> tuple[Output, ...]:
    """Return what there is to explain of an answer: each decided label, entity, the number, or the answer.

    Of a text without a decided label the one with the highest score is explained. Of an answer that stops at the
    parent of several labels these are explained together: their probability is that of the parent.
    outputs: what the model said of each window.    label: the one label to explain instead; of entities, those with it.
    Raises ConfigError for a label that the model does not know, or a task that has none.
    """
    check_label(task, label)
    if isinstance(task, Regression):
        return (TextOutput(task.target, "value", 0, scale=task.scale, shift=task.mean),)
    if isinstance(task, Tagging):
        entities = cast("EntitiesPrediction", prediction).entities
        found = [_entity(task, one, reading) for one in entities if label in (None, one.label)]
        return tuple(output for output in found if output.cells)
    if task.name == "answering":
        return _answer(prediction, reading, outputs)
    said = labelled(prediction)
    top = max(said.scores, key=lambda name: said.scores[name])
    if task.name != "single_label":
        names = task.label_names
        return tuple(TextOutput(name, "log-odds", names.index(name)) for name in _chosen(label, said, top))
    stopped = bool(said.reason) and label is None  # at a parent, where there is an answer
    return tuple(_one_of(task.label_names, name, top, stopped=stopped) for name in _chosen(label, said, top))


def _chosen(label: str | None, said: LabelPrediction, top: str) -> Sequence[str]:
    return (label,) if label is not None else said.labels or (top,)


def _one_of(names: Sequence[str], name: str, top: str, *, stopped: bool) -> TextOutput:
    """Return the output of one label against the others or, where an answer stopped at it, of all labels from it on."""
    columns = [at for at, one in enumerate(names) if (is_at_or_below(one, name) if stopped else one == name)]
    if len(columns) == len(names):  # a parent of all labels is certain whatever the text
        name, columns = top, [names.index(top)]
    others = tuple(at for at in range(len(names)) if at not in columns)
    title = name if len(columns) == 1 else f"{name} (its {len(columns)} labels together)"
    return TextOutput(title, "log-odds", columns[0], others, together=tuple(columns[1:]))


def check_label(task: Task, label: str | None) -> None:
    """Raise ConfigError for a label that the model does not know, or a task that has none."""
    if label is None:
        return
    known = task.known_labels
    names: tuple[str, ...] = () if known is None else known.names
    if not names:
        raise ConfigError(f"The task {task.name} has no labels to choose from.", "Leave the label out.")
    if label not in names:
        raise ConfigError(
            f"'{label}' is not one of the {len(names)} labels of this model.",
            did_you_mean(label, names)
            or f"Its labels are {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}.",
        )


def log_sum(values: Floats) -> Floats:
    """Return the logarithm of the sum of exponentials over the last axis."""
    return np.asarray(np.logaddexp.reduce(values, axis=-1), np.float64)


def _sum(values: Sequence[A]) -> A:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def _entity(task: Tagging, entity: ScoredEntity, reading: Reading) -> TagsOutput:
    """Return the output of an entity. Units are read where `unit_scores` reads them: it is given places as scores."""
    table_W, length = reading.windows.table_W, int(reading.windows.table_W["length"].max())
    places_WL1 = np.arange(len(table_W) * length, dtype=np.float32).reshape(len(table_W), length, 1)
    place_U = unit_scores(places_WL1, reading.features, [reading.example]).scores_UC[:, 0].astype(int)
    begin = 1 + 2 * task.labels.id_of(entity.label)
    inside = [at for at, (start, end) in enumerate(units_of(reading.example)) if _overlap(start, end, entity)]
    # The first token of the first window is special: 0 is a unit without a token. One token may hold several units.
    places = [place for place in dict.fromkeys(place_U[inside].tolist()) if place > 0]
    cells = [(*divmod(place, length), begin + (number > 0)) for number, place in enumerate(places)]
    place = (entity.start, entity.end)
    name = f"{entity.label}: {entity.text}"
    return TagsOutput(name, "log-odds", tuple(cells), len(task.tags), place=place)


def _overlap(start: int, end: int, entity: ScoredEntity) -> bool:
    return start < entity.end and entity.start < end


def _answer(prediction: Prediction, reading: Reading, outputs: Sequence[Mapping[str, Array]]) -> tuple[SpanOutput, ...]:
    """Return the output of an answer, in the window where its logits are highest; of none, in that where lowest."""
    said = answered(prediction)
    sums = [
        (float(own["start_logits"][first]) + float(own["end_logits"][last]), window, first, last)
        for window, own in enumerate(outputs)
        for first, last in _places(reading, window, said.start, said.end)
    ]
    if not sums:
        return ()
    _, window, first, last = min(sums) if said.start is None else max(sums)
    place = None if said.start is None or said.end is None else (said.start, said.end)
    return (SpanOutput(said.answer or NO_ANSWER, "logits", window, first, last, place=place),)


def _places(reading: Reading, window: int, start: int | None, end: int | None) -> list[tuple[int, int]]:
    """Return the first and last token of an answer in a window, every pair that spells it; [CLS] for none."""
    if start is None:
        return [(0, 0)]
    part = reading.part(window)
    context, starts, ends = (reading.features.columns[name][part] for name in ("context", "start", "end"))
    firsts = np.flatnonzero(context.astype(bool) & (starts == start)).tolist()
    lasts = np.flatnonzero(context.astype(bool) & (ends == end)).tolist()
    return [(first, last) for first in firsts for last in lasts if first <= last]

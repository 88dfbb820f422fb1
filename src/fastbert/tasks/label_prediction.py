"""The answer of a classification model: the labels of a text, and how sure it is of each.

Knows nothing of how they were decided.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from fastbert.data.examples import TextExample
from fastbert.decisions.calibration import Link
from fastbert.metrics.levels import level_scores
from fastbert.tasks.base import Example, Prediction

UNKNOWN = "unknown"


@dataclass(frozen=True)
class WindowScores:
    """What one window of a long text contributed. pieces: character ranges that it read."""

    pieces: tuple[tuple[int, int], ...]
    scores: Mapping[str, float]


@dataclass(frozen=True)
class LabelPrediction(Prediction):
    """The labels of one text.

    labels: names decided, by falling score; may be empty for a multi-label model, and is for an unknown answer.
    scores: probability of each label name.
    windows: what each window said, where the text was read in several; else empty.
    reason: why the answer is unknown or, where labels are paths, stops above its end; empty for a whole answer, None
        where the rule always answers.
    energy: free energy of the logits: higher for a text that speaks for no label.
    """

    windows: tuple[WindowScores, ...] = ()
    reason: str | None = field(default=None, kw_only=True)
    energy: float = field(default=math.nan, kw_only=True, compare=False)

    @property
    def answer(self) -> Hashable:
        """Return the decided labels, whatever their order; an unknown answer is another than one without labels."""
        return frozenset(self.labels) if self.labels or not self.reason else UNKNOWN

    @property
    def numbers(self) -> Mapping[Hashable, float]:
        """Return the probabilities."""
        return cast("Mapping[Hashable, float]", self.scores)

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the decided labels, joined by |, the reason where there may be one, and the score of each label."""
        decided = UNKNOWN if self.reason and not self.labels else "|".join(self.labels)
        reasons = () if self.reason is None else (self.reason,)
        return (decided, *reasons, *(f"{score:.6f}" for score in self.scores.values()))

    def describe(self) -> str:
        """Return the decided labels with their scores, or that the answer is unknown and why."""
        if self.reason:
            return f"{', '.join(self.labels) or UNKNOWN} ({self.reason})"
        return ", ".join(f"{name} {self.scores[name]:.2f}" for name in self.labels)

    def to_json(self) -> dict[str, object]:
        """Return labels and scores; why there is none where that may be; and windows where there are several."""
        values: dict[str, object] = {"labels": list(self.labels), "scores": dict(self.scores)}
        if self.reason is not None:
            values |= {"unknown": bool(self.reason) and not self.labels, "reason": self.reason}
        if self.windows:
            values["windows"] = [
                {"pieces": [list(piece) for piece in window.pieces], "scores": dict(window.scores)}
                for window in self.windows
            ]
        return values | self._source_json()


def labelled(prediction: Prediction) -> LabelPrediction:
    """Return a prediction of a classification task as what it is."""
    return cast("LabelPrediction", prediction)


def true_labels(example: Example) -> tuple[str, ...]:
    """Return the labels of an example. Raises ValueError where they are not known."""
    labels = cast(TextExample, example).labels
    if labels is None:
        raise ValueError(f"{example.where}: an example without labels cannot be scored")
    return labels


def given(prediction: Prediction, names: Sequence[str], link: Link) -> tuple[str, ...]:
    """Return the labels that count as given: of one label a row the first, without next best ones or parents.

    >>> given(LabelPrediction(("a", "b")), ("a", "b"), "softmax"), given(LabelPrediction(("A",)), ("A > x",), "softmax")
    (('a',), ())
    """
    return tuple(name for name in decided_labels(prediction, link) if name in names)


def decided_labels(prediction: Prediction, link: Link) -> tuple[str, ...]:
    """Return what was decided: of one label a row the first, without next best ones; it may be a parent.

    >>> decided_labels(LabelPrediction(("a", "b")), "softmax"), decided_labels(LabelPrediction(("a", "b")), "sigmoid")
    (('a',), ('a', 'b'))
    """
    decided = labelled(prediction).labels
    return decided[:1] if link == "softmax" else decided


def answered(predictions: Sequence[Prediction], examples: Sequence[Example]) -> tuple[list[Prediction], list[Example]]:
    """Return the predictions that are whole answers, and their examples."""
    pairs = [pair for pair in zip(predictions, examples, strict=True) if not labelled(pair[0]).reason]
    return [said for said, _ in pairs], [example for _, example in pairs]


def same_answer(
    predictions: Sequence[Prediction], examples: Sequence[Example], names: Sequence[str], link: Link
) -> str:
    """Return that all rows that are answered have the same labels though their true ones differ, as half a sentence.

    Or that no row is answered; nothing if some are, and differ.    names: of all labels.
    """
    said, known = answered(predictions, examples)
    if predictions and not said:
        return f"none of the {len(predictions):,} rows is answered"
    answers = {frozenset(decided_labels(prediction, link)) for prediction in said}
    if len(answers) != 1 or len({frozenset(true_labels(example)) for example in known}) < 2:
        return ""
    (labels,) = answers
    if not labels:
        given = "is given no label"
    elif len(names) > 1 and len(labels) == len(names):
        given = "is given every label"
    else:
        given = "is given " + ", ".join(f"'{name}'" for name in names if name in labels)
    occurring = {name for example in known for name in true_labels(example)}
    return f"each of the {len(said):,} rows {given}, though {len(occurring):,} labels occur in them"


def coverage(said: Sequence[Prediction], predictions: Sequence[Prediction]) -> dict[str, float]:
    """Return the share of rows that are answered, {} where all are."""
    return {} if len(said) == len(predictions) else {"coverage": len(said) / len(predictions)}


def levels(
    names: Sequence[str], predictions: Sequence[Prediction], examples: Sequence[Example], link: Link
) -> dict[str, float]:
    """Return the scores of each level of labels that are paths, {} where they are none."""
    said = [decided_labels(prediction, link) for prediction in predictions]
    return level_scores(names, [true_labels(example) for example in examples], said)

"""The answer of a classification model: the labels of a text, and how sure it is of each.

Knows nothing of how they were decided.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from fastbert.data.examples import TextExample
from fastbert.tasks.base import Example, Prediction


@dataclass(frozen=True)
class WindowScores:
    """What one window of a long text contributed. pieces: character ranges that it read."""

    pieces: tuple[tuple[int, int], ...]
    scores: Mapping[str, float]


@dataclass(frozen=True)
class LabelPrediction(Prediction):
    """The labels of one text.

    labels: names decided, by falling score; may be empty for a multi-label model.
    scores: probability of each label name.
    windows: what each window said, where the text was read in several; else empty.
    """

    windows: tuple[WindowScores, ...] = ()

    @property
    def answer(self) -> Hashable:
        """Return the decided labels, whatever their order."""
        return frozenset(self.labels)

    @property
    def numbers(self) -> Mapping[Hashable, float]:
        """Return the probabilities."""
        return cast("Mapping[Hashable, float]", self.scores)

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the decided labels, joined by |, and the score of each label."""
        return ("|".join(self.labels), *(f"{score:.6f}" for score in self.scores.values()))

    def at_threshold(self, threshold: float) -> LabelPrediction:
        """Return the labels whose score is at least a threshold, by falling score."""
        ranked = sorted(self.scores.items(), key=lambda item: -item[1])  # equal scores stay in the order of labels
        return replace(self, labels=tuple(name for name, score in ranked if score >= threshold))

    def describe(self) -> str:
        """Return the decided labels with their scores."""
        return ", ".join(f"{name} {self.scores[name]:.2f}" for name in self.labels)

    def to_json(self) -> dict[str, object]:
        """Return labels and scores, and windows where there are several."""
        values: dict[str, object] = {"labels": list(self.labels), "scores": dict(self.scores)}
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

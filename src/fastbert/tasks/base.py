"""What every task must answer. The loop, batching, bundle and server know nothing more than this.

A task is a frozen dataclass: it serialises to its own JSON and knows one problem type: how
an example becomes windows, what its targets and its loss are, how outputs become predictions
and how predictions are scored. Knows nothing of files, optimisers or devices.

Axes: W windows of a batch, B examples of a batch, L tokens, C classes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from fastbert.data.features import Array as Array  # named here too, where the author of a task looks
from fastbert.data.features import Feature as Feature
from fastbert.data.features import Features

if TYPE_CHECKING:
    import torch

    from fastbert.data.tokens import Tokenizer
    from fastbert.decisions.rules import Decisions

Batch = dict[str, Array]


DRAWS, DRAWN_ROWS = 50, 2000  # of the bootstrap: an error good to a tenth, at a bounded cost


class Example(Protocol):
    """What the library itself reads of an example; tasks add fields of their own."""

    @property
    def text(self) -> str:
        """Return the text."""

    @property
    def pair(self) -> str | None:
        """Return the second text of a pair, or None."""

    @property
    def where(self) -> str:
        """Return the place it came from, for messages."""


@dataclass(frozen=True)
class WindowScores:
    """What one window of a long text contributed. pieces: character ranges that it read."""

    pieces: tuple[tuple[int, int], ...]
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Prediction:
    """The answer for one text.

    labels: names decided, by falling score; may be empty for a multi-label model.
    scores: probability of each label name.    text, pair: what it was made from.
    windows: what each window said, where the text was read in several; else empty.
    cut: True if a part of the text was not read.
    """

    labels: tuple[str, ...]
    scores: Mapping[str, float]
    text: str = ""
    pair: str | None = None
    windows: tuple[WindowScores, ...] = field(default=())
    cut: bool = False

    def to_json(self) -> dict[str, object]:
        """Return plain values: labels and scores, and windows where there are several."""
        values: dict[str, object] = {"labels": list(self.labels), "scores": dict(self.scores)}
        if self.pair is not None:
            values["pair"] = [self.text, self.pair]
        if self.windows:
            values["windows"] = [
                {"pieces": [list(piece) for piece in window.pieces], "scores": dict(window.scores)}
                for window in self.windows
            ]
        if self.cut:
            values["cut"] = True
        return values


class Task(ABC):
    """One problem type. Subclasses are frozen dataclasses; see `classification` for the first two."""

    name: ClassVar[str]
    head: ClassVar[str]  # completes AutoModelFor<head>
    monitor: ClassVar[str]  # the score that chooses the weights to keep; higher is better, always
    answer_metric: ClassVar[str]  # a score of the answers as decided, higher is better; an export has to keep both

    @property
    @abstractmethod
    def model_options(self) -> dict[str, object]:
        """Return the options of the model's configuration: label names, problem type."""

    def prior_logits(self, examples: Sequence[Example]) -> npt.NDArray[np.float64] | None:
        """Return the outputs of a model that knows only how often each label occurs, or None.

        The bias of a fresh head starts there, so that the first steps need not learn it.
        """
        return None

    @abstractmethod
    def encode(
        self, examples: Sequence[Example], tokenizer: Tokenizer, max_tokens: int, first_index: int = 0
    ) -> Sequence[Feature]:
        """Return the windows of examples, in order; example indices count from first_index."""

    @abstractmethod
    def targets(self, features: Sequence[Feature], length: int, rng: np.random.Generator) -> Batch:
        """Return the target arrays of a batch padded to length; may replace input_ids."""

    @abstractmethod
    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the SUM of the loss and the count it must be divided by.

        The loop adds up both and divides once per optimiser step, so that neither
        accumulation nor the number of ranks can change a result.
        """

    @abstractmethod
    def decode(
        self, outputs: Mapping[str, Array], features: Sequence[Feature], decisions: Decisions
    ) -> list[Prediction]:
        """Return one prediction per example, in order of first appearance. Numpy only."""

    @abstractmethod
    def score(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, float]:
        """Return the metrics of predictions against what the examples say."""

    def score_error(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> float:
        """Return the standard error of the monitored score, 0 where it is undefined.

        It is the standard deviation over draws of the rows with replacement (the bootstrap of Efron 1979), of
        at most DRAWN_ROWS rows each; for more rows it is scaled by the root of their number.
        """
        rng = np.random.default_rng(0)
        drawn = min(len(examples), DRAWN_ROWS)
        found = []
        for rows in rng.integers(0, len(examples), (DRAWS, drawn)):
            scores = self.score([predictions[row] for row in rows], [examples[row] for row in rows])
            if self.monitor in scores:
                found.append(scores[self.monitor])
        return float(np.std(found)) * math.sqrt(drawn / len(examples)) if found else 0.0

    @abstractmethod
    def score_labels(
        self, predictions: Sequence[Prediction], examples: Sequence[Example]
    ) -> dict[str, dict[str, float | int | None]]:
        """Return the metrics of each label by name."""

    def confusion(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> list[list[int]] | None:
        """Return counts of true (rows) against decided labels (columns), or None where that has no meaning."""
        return None

    @abstractmethod
    def fit_decisions(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Decisions:
        """Return the decision rule fitted on validation predictions."""

    @abstractmethod
    def to_json(self) -> dict[str, object]:
        """Return plain values, `name` among them, from which `from_json` makes the task again."""

    @classmethod
    @abstractmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """Make the task again. Raises BundleError where a value is missing or wrong."""


def pad_batch(features: Sequence[Feature], pad_id: int) -> Batch:
    """Return input_ids, attention_mask and token_type_ids as int64 of shape (W, L).

    Adds `example_of_window`, int64 of shape (W,): which row of the merged batch a window
    belongs to, counted from 0 in order of first appearance.
    """
    packed = Features.of(features)
    windows = packed.windows
    places_WL, mask_WL = windows.places_WL()
    return {
        "input_ids": np.where(mask_WL, windows.ids_T[places_WL], np.int64(pad_id)),
        "attention_mask": mask_WL.astype(np.int64),
        "token_type_ids": (
            np.zeros(mask_WL.shape, np.int64) if windows.types_T is None else windows.types_T[places_WL] * mask_WL
        ).astype(np.int64),
        "example_of_window": np.array(packed.merged[1], np.int64),
    }

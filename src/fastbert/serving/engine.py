"""A predictor in its two halves, for a queue: texts are encoded first, so that a pass is formed of known lengths.

Texts that are sorted by what their characters promise are padded to 1.39 of their tokens (TREC questions), by their
tokens to 1.12. Knows nothing of requests or of threads but that it is called by several.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastbert.data.features import EncodedRows
from fastbert.decisions.rules import Decisions
from fastbert.inference.pipeline import Backend, predict_features
from fastbert.inference.predictor import Predictor, num_characters
from fastbert.serving.problems import failed
from fastbert.serving.queueing import Gauge
from fastbert.tasks.base import Array, Batch, Example, Feature, Prediction, Task

CHARACTERS_A_TOKEN = 4.0  # of English; measured while it runs
SPECIAL_TOKENS = 3


@dataclass(frozen=True)
class Encoded:
    """A text as its windows. cost: padded tokens that it has for the model.    tokens: of the text, uncut."""

    example: Example
    features: Sequence[Feature]
    cost: int
    tokens: int


class Engine:
    """Encodes and answers."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self._lane = Lane(predictor.backend)
        self._characters = Gauge(CHARACTERS_A_TOKEN)
        self._whole = reads_windows(predictor.task)

    def estimate(self, example: Example) -> int:
        """Return about what a text will cost, before it is encoded."""
        tokens = int(num_characters(example) / self._characters.value) + SPECIAL_TOKENS
        return tokens if self._whole else min(tokens, self.predictor.bundle.max_tokens)

    def encode(self, examples: Sequence[Example]) -> list[Encoded]:
        """Return texts as their windows, in order."""
        predictor = self.predictor
        features = predictor.task.encode(examples, predictor.tokenizer, predictor.bundle.max_tokens)
        rows = EncodedRows.of(features, len(examples))
        costs = (rows.costs.longest_N * rows.costs.windows_N).tolist()
        tokens = rows.num_tokens_N.tolist()
        starts = rows.starts.tolist()
        characters = sum(map(num_characters, examples))
        self._characters.add(max(1.0, characters / max(1, sum(tokens) - SPECIAL_TOKENS * len(examples))))
        return [
            Encoded(
                example,
                [rows.features[place] for place in range(starts[row], starts[row + 1])],
                costs[row],
                tokens[row],
            )
            for row, example in enumerate(examples)
        ]

    def predict(self, rows: Sequence[Encoded], decisions: Decisions) -> list[Prediction]:
        """Return the answers to encoded texts, in order. Raises Problem (500) where one is no number, or infinite."""
        predictor = self.predictor
        features = [replace(one, example=number) for number, row in enumerate(rows) for one in row.features]
        examples = [row.example for row in rows]
        budget = self._lane.batch_tokens  # or a pass that is padded to it would be cut in two
        found = predict_features(predictor.task, self._lane, features, examples, decisions, predictor.tokenizer, budget)
        if not all(math.isfinite(number) for one in found for number in one.numbers.values()):
            raise failed("The model's answer is not a number.")
        return found


class Lane:
    """A backend as one thread sees it: it runs one pass at a time."""

    workers = 1

    def __init__(self, backend: Backend) -> None:
        self.name, self.batch_tokens, self._backend = backend.name, backend.batch_tokens, backend

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return what the backend returns."""
        return self._backend.forward(batch)


def reads_windows(task: Task) -> bool:
    """Return whether a long text is read to its end, in windows, so that its cost has no bound but its length."""
    return task.always_windows or getattr(task, "truncation", "") == "windows"

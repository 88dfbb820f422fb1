"""The training rows nearest to a text, by the vectors of the model's own encoder: what it may have learned this from.

The rows come from the user's table: a bundle holds none. Near means near in what the encoder makes of a text after
training; it is no proof that the row was the reason. Needs torch only to make vectors.

Axes: N texts, M training rows, K rows shown, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fastbert.data.examples import Example, TextExample, show_truth
from fastbert.inference.predictor import TextInput
from fastbert.inference.similarity import nearest
from fastbert.inference.vector_files import Embeds, Vectors, embed_all
from fastbert.insight.explanation import Explanation, Neighbour


@dataclass(frozen=True)
class TrainingRows:
    """Training rows with their vectors, of length 1. embed: makes vectors of the same kind."""

    examples: tuple[Example, ...]
    vectors_MD: Vectors
    embed: Embeds

    @classmethod
    def of(cls, examples: Sequence[Example], open_embedder: Callable[[], Embeds]) -> TrainingRows:
        """Embed training rows. open_embedder: opens the encoder of the model."""
        embed = open_embedder()
        vectors_MD, _ = embed_all([_text_of(example) for example in examples], embed)
        return cls(tuple(examples), vectors_MD, embed)

    def beside(self, explanations: Sequence[Explanation], count: int = 5) -> list[Explanation]:
        """Return explanations with the nearest rows, and the nearest whose labels are others than the answer's.

        The second list is for answers that are labels; else it stays empty. A row with the same text comes first.
        """
        texts: list[TextInput] = [_shape(one.texts) for one in explanations]
        vectors_ND, _ = embed_all(texts, self.embed)
        everyone = np.ones(len(self.examples), np.bool_)
        found = []
        for one, vector_D in zip(explanations, vectors_ND, strict=True):
            others = self._others(one)
            found.append(
                one.with_similar(
                    self._nearest(vector_D, everyone, count),
                    self._nearest(vector_D, others, count) if others is not None else (),
                )
            )
        return found

    def _nearest(
        self, vector_D: Vectors, among_M: np.ndarray[tuple[int], np.dtype[np.bool_]], count: int
    ) -> tuple[Neighbour, ...]:
        rows = np.flatnonzero(among_M)
        places_1K, similarity_1K = nearest(vector_D[None], self.vectors_MD[rows], most=count)
        return tuple(
            _neighbour(self.examples[int(rows[place])], similarity)
            for place, similarity in zip(places_1K[0].tolist(), similarity_1K[0].tolist(), strict=True)
        )

    def _others(self, explanation: Explanation) -> np.ndarray[tuple[int], np.dtype[np.bool_]] | None:
        """Return which rows have other labels than were decided, None where rows have no labels."""
        if not all(isinstance(example, TextExample) for example in self.examples):
            return None
        decided = set(explanation.prediction.labels)
        return np.array([set(_labels(example)) != decided for example in self.examples], np.bool_)


def _neighbour(example: Example, similarity: float) -> Neighbour:
    return Neighbour(similarity, show_truth(example.truth), example.text, example.where, example.pair)


def _labels(example: Example) -> tuple[str, ...]:
    return example.labels or () if isinstance(example, TextExample) else ()


def _text_of(example: Example) -> TextInput:
    return example.text if example.pair is None else (example.text, example.pair)


def _shape(texts: tuple[str, ...]) -> TextInput:
    return texts[0] if len(texts) == 1 else (texts[0], texts[1])

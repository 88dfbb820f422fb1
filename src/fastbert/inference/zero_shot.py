"""Labels for texts without any training: the label whose description lies nearest to the text. A first guess.

A text and a label are near where their vectors have a high cosine; the vector of a label is the mean over the phrases
that describe it (Yin et al. 2019 name the problem, arXiv 1909.00161; Schopf et al. 2022 compare this way of solving it,
arXiv 2211.16285). On questions (TREC) descriptions reach an accuracy of 0.54 and example phrases 0.58, where a model
trained on 300 labelled rows reaches 0.87 (`benchmarks/zero_shot.py`). Knows nothing of how vectors are made.

Axes: N texts, C labels, P phrases, D width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Self

import numpy as np
import numpy.typing as npt

from fastbert.data.row_problems import excerpt
from fastbert.errors import ConfigError, DataError
from fastbert.inference.predictor import CHUNK, TextInput, checked_list
from fastbert.inference.tables import AnswerWriter
from fastbert.inference.vector_files import Embeds, TextTable, Vectors, embed_all
from fastbert.tasks.label_prediction import LabelPrediction

# The least log loss over 0.02 to 0.3 on the training questions of TREC, by descriptions and by example questions alike.
TEMPERATURE = 0.07
# The best micro F1 (0.115) over 0.1 to 0.6 on training comments of GoEmotions, by bare names.
THRESHOLD = 0.2


@dataclass(frozen=True)
class ZeroShotLabeller:
    """Labels texts by the nearest description.

    names: of the labels.    vectors_CD: of the labels, length 1.
    multi: give a text each label whose cosine is at least `threshold`; else the nearest one alone.
    temperature: of the softmax over the cosines that makes the scores of a single label; it changes no label.

    >>> from fastbert.inference.embedder import Embedder                                # doctest: +SKIP
    >>> label = ZeroShotLabeller.of(Embedder.open("minilm"), ["bug report", "praise"])  # doctest: +SKIP
    >>> label(["It crashes all the time"])[0].labels                                    # doctest: +SKIP
    ('bug report',)
    """

    embed: Embeds
    names: tuple[str, ...]
    vectors_CD: Vectors
    multi: bool = False
    temperature: float = TEMPERATURE
    threshold: float = THRESHOLD

    @classmethod
    def of(
        cls,
        embed: Embeds,
        labels: Mapping[str, Sequence[str]] | Sequence[str],
        *,
        multi: bool = False,
        temperature: float = TEMPERATURE,
        threshold: float = THRESHOLD,
    ) -> Self:
        """Return a labeller for names, or for names with the phrases that describe each.

        A name without phrases is its own phrase.
        Raises DataError for too few labels or an empty phrase, ConfigError for a number out of range.
        """
        if isinstance(labels, str):
            raise DataError(f"The labels are one text, {excerpt(labels)}; expected a list of names.", "Write [...].")
        check_choices(len(labels), multi=multi, temperature=temperature, threshold=threshold)
        phrases = dict(labels) if isinstance(labels, Mapping) else {name: (name,) for name in labels}
        if len(phrases) < len(labels):
            raise DataError("A label is named twice.", "Name each label once.")
        listed = {name: (one,) if isinstance(one, str) else tuple(one) for name, one in phrases.items()}
        vectors = [_direction(embed, name, listed[name] or (name,)) for name in phrases]
        return cls(embed, tuple(phrases), np.stack(vectors), multi, temperature, threshold)

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """Return the columns that an answer adds to a table."""
        return ("predicted", *(f"score:{name}" for name in self.names))

    def __call__(self, texts: Sequence[TextInput]) -> list[LabelPrediction]:
        """Return one prediction per text, in order.

        Scores: the softmax over the labels, in [0, 1]; with `multi` the cosine of each label, in [-1, 1].
        """
        return [prediction for block, _ in self.stream(texts) for prediction in block]

    def stream(self, texts: Iterable[TextInput], chunk: int = CHUNK) -> Iterator[tuple[list[LabelPrediction], int]]:
        """Yield the predictions for a chunk of texts at a time, in order, and how many of these texts were cut."""
        remaining = iter(checked_list(texts))
        while block := list(islice(remaining, max(1, chunk))):
            cosines_NC, cut = self.cosines(block)
            yield self._decide(block, cosines_NC), cut

    def cosines(self, texts: Sequence[TextInput]) -> tuple[npt.NDArray[np.float32], int]:
        """Return the cosines of texts and labels, float32 (N, C), and how many texts were cut."""
        vectors_ND, cut = embed_all(texts, self.embed)
        return np.asarray(_unit(vectors_ND) @ self.vectors_CD.T), cut

    def _decide(self, texts: Sequence[TextInput], cosines_NC: npt.NDArray[np.float32]) -> list[LabelPrediction]:
        scores_NC = cosines_NC if self.multi else softmax(cosines_NC / self.temperature)
        predictions = []
        for text, cosines_C, scores_C in zip(texts, cosines_NC, scores_NC, strict=True):
            order = np.argsort(-cosines_C, kind="stable")
            chosen = [at for at in order if cosines_C[at] >= self.threshold] if self.multi else order[:1]
            first, pair = (text, None) if isinstance(text, str) else text
            scores = dict(zip(self.names, scores_C.tolist(), strict=True))
            labels = tuple(self.names[at] for at in chosen)
            predictions.append(LabelPrediction(labels, scores, text=first, pair=pair))
        return predictions


def check_choices(
    num_labels: int, *, multi: bool, temperature: float = TEMPERATURE, threshold: float = THRESHOLD
) -> None:
    """Raise DataError for too few labels, ConfigError for a temperature or a threshold that is out of range."""
    if num_labels < (1 if multi else 2):
        raise DataError(
            f"{num_labels} labels are given; expected at least {1 if multi else 2}.",
            None if multi else "With one label every text gets it; --multi decides whether it fits.",
        )
    if not temperature > 0:
        raise ConfigError(f"temperature is {temperature:g}; expected a number above 0.")
    if not -1 <= threshold <= 1:
        raise ConfigError(f"threshold is {threshold:g}; expected a cosine, from -1 to 1.", f"{THRESHOLD:g} is usual.")


def label_rows(texts: TextTable, labeller: ZeroShotLabeller, writer: AnswerWriter) -> tuple[int, int]:
    """Write every row with its answer, in order; return how many had no text and how many texts were cut."""
    total = empty = 0
    for start in range(0, len(texts.texts), CHUNK):
        block = texts.texts[start : start + CHUNK]
        answered = list(labeller.stream([text for text in block if text is not None]))
        answers = iter(prediction for predictions, _ in answered for prediction in predictions)
        for row, text in zip(texts.table.rows[start : start + CHUNK], block, strict=True):
            writer.write(row, None if text is None else next(answers))
        total += sum(cut for _, cut in answered)
        empty += sum(text is None for text in block)
    return empty, total


def softmax(logits_NC: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return the softmax of each row, float64 of the same shape."""
    shifted_NC = np.exp(logits_NC.astype(np.float64) - logits_NC.max(axis=1, keepdims=True))
    return np.asarray(shifted_NC / shifted_NC.sum(axis=1, keepdims=True))


def _direction(embed: Embeds, name: str, phrases: Sequence[str]) -> npt.NDArray[np.float32]:
    if not all(phrase.strip() for phrase in phrases):
        raise DataError(f"Label '{name}' has an empty description.", "Leave it out, or say what the label means.")
    vectors_PD, _ = embed_all(list(phrases), embed)
    return np.asarray(_unit(_unit(vectors_PD).mean(axis=0, keepdims=True))[0])


def _unit(vectors_ND: Vectors) -> Vectors:
    lengths_N1 = np.linalg.norm(vectors_ND, axis=1, keepdims=True)
    return np.asarray(vectors_ND / np.maximum(lengths_N1, 1e-12), np.float32)

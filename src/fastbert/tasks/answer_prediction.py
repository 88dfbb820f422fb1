"""The answer to a question: a part of its context, or nothing, with the answers that came next.

Knows nothing of windows, nor of how spans are ranked.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import numpy as np

from fastbert.decisions.answers import RankedAnswers
from fastbert.tasks.base import Example, Prediction

NUM_ALTERNATIVES = 5  # spans that a prediction holds
NO_ANSWER = "no answer"


class AnswerSpan(NamedTuple):
    """A part of a context. start, end: its characters, end exclusive.    score: probability."""

    answer: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, kw_only=True)
class AnswerPrediction(Prediction):
    """The answer to one question (text) about its context (pair).

    start, end: characters of the context, end exclusive; None for no answer.
    score: probability of what was decided.
    no_answer: probability that the context has no answer; 0 of a model that always gives one.
    alternatives: the best spans by falling score; an answer is the first of them.
    margin: logits by which "no answer" scores better than the best span, infinite where there is no span.
    """

    start: int | None = None
    end: int | None = None
    score: float = 0.0
    no_answer: float = 0.0
    alternatives: tuple[AnswerSpan, ...] = ()
    margin: float = 0.0

    @property
    def answer(self) -> str:
        """Return the text of the answer as it stands in the context, "" for none."""
        return "" if self.start is None or self.pair is None else self.pair[self.start : self.end]

    @property
    def numbers(self) -> Mapping[Hashable, float]:
        """Return the probabilities of the best spans, and of no answer."""
        spans: dict[Hashable, float] = {
            f"{span.answer} ({span.start}-{span.end})": span.score for span in self.alternatives
        }
        return {**spans, NO_ANSWER: self.no_answer} if self.no_answer else spans

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the answer, its place and its score."""
        place = ("", "") if self.start is None else (str(self.start), str(self.end))
        return (self.answer, *place, f"{self.score:.6f}")

    def at_margin(self, margin: float) -> AnswerPrediction:
        """Return the best span, or none where that scores better by more than so many logits."""
        best = self.alternatives[0] if self.alternatives and self.margin <= margin else None
        return replace(
            self,
            start=None if best is None else best.start,
            end=None if best is None else best.end,
            score=self.no_answer if best is None else best.score,
        )

    def describe(self) -> str:
        """Return the answer with its score."""
        return f"{self.answer or f'({NO_ANSWER})'} {self.score:.2f}"

    def to_json(self) -> dict[str, object]:
        """Return the answer with its place and score, and the other spans; not the context, which the caller has."""
        return {
            "answer": self.answer,
            "start": self.start,
            "end": self.end,
            "score": self.score,
            "no_answer": self.no_answer,
            "alternatives": [span._asdict() for span in self.alternatives],
            **({"cut": True} if self.cut else {}),
        }


def decide(
    ranked: RankedAnswers, example: Example, *, cut: bool, unanswerable: bool, margin: float
) -> AnswerPrediction:
    """Return the answer to a question: the best span, or none.

    unanswerable: the model may say that there is none, and does where that scores better than the best span by more
        than margin, in logits. One that may not gives none only where the context has no tokens.
    """
    context = example.pair or ""
    known = ranked if unanswerable or not ranked.spans else replace(ranked, null_logit=-np.inf)
    no_answer, *shares = known.probabilities().tolist()
    alternatives = tuple(
        AnswerSpan(context[span.start_char : span.end_char], span.start_char, span.end_char, share)
        for span, share in zip(ranked.spans[:NUM_ALTERNATIVES], shares, strict=False)
    )
    found = AnswerPrediction(
        text=example.text,
        pair=example.pair,
        cut=cut,
        no_answer=no_answer,
        alternatives=alternatives,
        margin=float(ranked.margin),
    )
    return found.at_margin(margin if unanswerable else math.inf)


def answered(prediction: Prediction) -> AnswerPrediction:
    """Return a prediction of the task as what it is."""
    return cast("AnswerPrediction", prediction)

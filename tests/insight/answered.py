"""Made-up rows of every task with answers to them, good and bad at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from fastbert.data.examples import Answer, Entity, Example, QuestionExample, TaggedExample, TextExample, ValueExample
from fastbert.labels import Labels
from fastbert.tasks.answer_prediction import AnswerPrediction
from fastbert.tasks.answering import Answering
from fastbert.tasks.base import Prediction, Task
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.entities_prediction import EntitiesPrediction, ScoredEntity
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.tasks.regression import Regression, ValuePrediction
from fastbert.tasks.tagging import Tagging

NAMES = ("a", "b", "c")
SINGLE, MULTI = SingleLabel(Labels(NAMES)), MultiLabel(Labels(NAMES))
NUMBER = Regression("stars", mean=0.0, scale=1.0, low=-3.0, high=3.0)
TAGS, QUESTIONS = Tagging(Labels(("city", "name"))), Answering(unanswerable=True)
Made = tuple[Task, list[Example], list[Prediction]]


def single(rows: int = 40, seed: int = 0, skill: float = 1.0) -> Made:
    """Return rows of one label each; skill: added to the score of the true one."""
    rng, truth = np.random.default_rng(seed), np.random.default_rng(99).integers(0, 3, rows)
    scores_NC = rng.random((rows, 3)).round(1) + skill * np.eye(3)[truth] + 0.01
    scores_NC /= scores_NC.sum(axis=1, keepdims=True)
    examples: list[Example] = [TextExample(f"text {row}", labels=(NAMES[one],)) for row, one in enumerate(truth)]
    return SINGLE, examples, [_labelled((NAMES[int(one.argmax())],), one.tolist()) for one in scores_NC]


def multi(rows: int = 40, seed: int = 0, skill: float = 0.4) -> Made:
    """Return rows of any number of labels."""
    rng, truth_NC = np.random.default_rng(seed), np.random.default_rng(98).random((rows, 3)) < 0.3
    scores_NC = np.clip(rng.random((rows, 3)).round(1) * 0.6 + skill * truth_NC, 0, 1)
    examples: list[Example] = [
        TextExample(f"text {row}", labels=tuple(np.array(NAMES)[cells].tolist())) for row, cells in enumerate(truth_NC)
    ]
    decided = [tuple(name for name, score in zip(NAMES, one, strict=True) if score >= 0.5) for one in scores_NC]
    return MULTI, examples, [_labelled(names, one.tolist()) for names, one in zip(decided, scores_NC, strict=True)]


def holding_back(made: Made, least: float = 0.6) -> Made:
    """Return the rows with answers that are unknown where the highest score is too low."""
    task, examples, answers = made
    reason = f"confidence is below {least}"
    said = [cast("LabelPrediction", one) for one in answers]
    return (
        task,
        examples,
        [
            replace(one, labels=(), reason=reason) if max(one.scores.values()) < least else replace(one, reason="")
            for one in said
        ],
    )


def single_unsure(rows: int = 40, seed: int = 0, skill: float = 1.0) -> Made:
    """Return rows of one label each, some of them not answered, the others with the next best label behind."""
    task, examples, answers = holding_back(single(rows, seed, skill))
    said = [cast("LabelPrediction", one) for one in answers]
    return task, examples, [one if one.reason else replace(one, labels=_two_best(one)) for one in said]


def multi_unsure(rows: int = 40, seed: int = 0, skill: float = 0.4) -> Made:
    """Return rows of any number of labels, some of them not answered."""
    return holding_back(multi(rows, seed, skill))


def numbers(rows: int = 40, seed: int = 0, noise: float = 0.5) -> Made:
    """Return rows with a number each, some of them equal."""
    truth = np.random.default_rng(97).normal(size=rows).round(1)
    said = truth + noise * np.random.default_rng(seed).normal(size=rows).round(1)
    examples: list[Example] = [ValueExample(f"text {row}", value=float(one)) for row, one in enumerate(truth)]
    return NUMBER, examples, [ValuePrediction(value=float(one)) for one in said]


def tags(rows: int = 30, seed: int = 0) -> Made:
    """Return texts with a city, a name, both or neither; answers miss some, move some and make some up."""
    examples: list[Example] = []
    answers: list[Prediction] = []
    truth, rng = np.random.default_rng(96), np.random.default_rng(seed)
    for row in range(rows):
        all_of = (Entity(0, 6, "city"), Entity(10, 14, "name"))
        true = tuple(one for one in all_of if truth.random() < 0.6)
        said = [one for one in all_of if (one in true) == (rng.random() < 0.8)]
        moved = [Entity(one.start, one.end - int(rng.random() < 0.2), one.label) for one in said]
        text = f"Berlin is Anna {row}"
        examples.append(TaggedExample(text, true))
        scored = [ScoredEntity(text[one.start : one.end], one.label, one.start, one.end, 0.9) for one in moved]
        answers.append(EntitiesPrediction.of(scored, examples[-1]))
    return TAGS, examples, answers


def questions(rows: int = 30, seed: int = 0) -> Made:
    """Return questions, some without an answer, answered well, badly or by nothing."""
    context, rng = "Anna Lee met Bo Hill", np.random.default_rng(seed)
    examples: list[Example] = []
    answers: list[Prediction] = []
    for row in range(rows):
        known = () if row % 3 == 0 else (Answer("Anna Lee", 0),)
        examples.append(QuestionExample(f"Who {row}?", context, known))
        start, end = [(0, 8), (0, 4), (13, 20), (None, None)][int(rng.integers(4))]
        answers.append(AnswerPrediction(start=start, end=end, text=f"Who {row}?", pair=context))
    return QUESTIONS, examples, answers


def _labelled(names: Sequence[str], scores: Sequence[float]) -> LabelPrediction:
    return LabelPrediction(tuple(names), dict(zip(NAMES, scores, strict=True)))


def _two_best(said: LabelPrediction) -> tuple[str, ...]:
    return tuple(sorted(said.scores, key=lambda name: -said.scores[name])[:2])

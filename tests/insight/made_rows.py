"""Made-up answers to rows of every task, small enough to check by hand, with places and lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from fastbert.bundle import Bundle
from fastbert.data.examples import Answer, Entity, Example, QuestionExample, TaggedExample, TextExample, ValueExample
from fastbert.decisions.rules import Decisions
from fastbert.insight.evidence import Evidence, RowFacts
from fastbert.insight.gathering import gather
from fastbert.labels import Labels
from fastbert.tasks.answer_prediction import AnswerPrediction, AnswerSpan
from fastbert.tasks.answering import Answering
from fastbert.tasks.base import Prediction, Task
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.entities_prediction import EntitiesPrediction, ScoredEntity
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.tasks.regression import Regression, ValuePrediction
from fastbert.tasks.tagging import Tagging
from tests.insight.made_up import BUNDLE, NAMES

SECRET = "my secret text"


def facts(count: int) -> RowFacts:
    """Return places, lengths of 10 tokens more each row, and every fourth row cut."""
    rows = np.arange(count)
    return RowFacts(tuple(f"rows.csv, row {row + 2}" for row in rows), 10 + 10 * rows, rows % 4 == 3)


def evidence_of(
    task: Task,
    raw: Sequence[Prediction],
    examples: Sequence[Example],
    decisions: Decisions = Decisions(),  # noqa: B008
) -> Evidence:
    """Return what the answers of a task are worth, with the scores of their rows in the bundle."""
    said = task.redecide(raw, decisions)
    bundle: Bundle = replace(BUNDLE, task=task, decisions=decisions, scores={"test": task.score(said, examples)})
    return gather(bundle, "test", raw, said, examples, facts(len(examples)))


def single(decisions: Decisions = Decisions(), rows: int = 40) -> Evidence:  # noqa: B008
    """Return one label a row: each label in turn; every fifth row is taken for the next label, at 0.6."""
    raw: list[Prediction] = []
    examples: list[Example] = []
    for row in range(rows):
        true = row % 3
        said = (true + (row % 5 == 4)) % 3
        scores = dict.fromkeys(NAMES, 0.05) | {NAMES[said]: 0.6 if row % 5 == 4 else 0.9}
        scores[NAMES[(said + 2) % 3]] = 1.0 - sum(scores.values()) + 0.05
        raw.append(LabelPrediction((NAMES[said],), scores, energy=-1.0, text=SECRET))
        examples.append(TextExample(SECRET, labels=(NAMES[true],), where=f"rows.csv, row {row + 2}"))
    return evidence_of(SingleLabel(Labels(NAMES)), raw, examples, decisions)


def multi(decisions: Decisions = Decisions(), names: Sequence[str] = NAMES, rows: int = 40) -> Evidence:  # noqa: B008
    """Return any number of labels a row: label C on the rows that C + 2 divides, scores by a fixed draw."""
    rng = np.random.default_rng(0)
    target_NC = np.array([[row % (place + 2) == 0 for place in range(len(names))] for row in range(rows)])
    score_NC = np.clip(0.3 + 0.4 * target_NC + rng.uniform(-0.25, 0.25, target_NC.shape), 0, 1)
    raw = [LabelPrediction(scores=dict(zip(names, one.tolist(), strict=True)), energy=-1.0) for one in score_NC]
    examples = [TextExample(SECRET, labels=tuple(np.array(names)[one].tolist())) for one in target_NC]
    return evidence_of(MultiLabel(Labels(tuple(names))), raw, examples, decisions)


def values() -> Evidence:
    """Return numbers 0 to 39; each answer is 1 too high, that of the last row 11."""
    task = Regression("stars", 20.0, 10.0, 0.0, 39.0)
    raw = [ValuePrediction(value=row + (11.0 if row == 39 else 1.0), scale=10.0) for row in range(40)]
    return evidence_of(task, raw, [ValueExample(SECRET, value=float(row)) for row in range(40)])


def entities(decisions: Decisions = Decisions()) -> Evidence:  # noqa: B008
    """Return an entity a row; every third is found with the wrong type, every fourth is not found."""
    raw: list[Prediction] = []
    examples: list[Example] = []
    for row in range(24):
        true = Entity(0, 4, "place" if row % 2 else "person")
        example = TaggedExample(SECRET, (true,))
        label = true.label if row % 3 else ("person" if row % 2 else "place")
        found = [] if row % 4 == 0 else [ScoredEntity(SECRET[:4], label, 0, 4, 0.5 + row / 50)]
        raw.append(EntitiesPrediction.of(found, example))
        examples.append(example)
    return evidence_of(Tagging(Labels(("person", "place"))), raw, examples, decisions)


def questions() -> Evidence:
    """Return questions; the first half has an answer, and every other row of each half is answered."""
    raw: list[Prediction] = []
    examples: list[Example] = []
    for row in range(24):
        example = QuestionExample("what is it", SECRET, (Answer("secret", 3),) if row < 12 else ())
        span = AnswerSpan("secret", 3, 9, 0.7)
        margin = -1.0 if row % 2 else 1.0
        said = AnswerPrediction(
            text=example.text, pair=SECRET, no_answer=0.2, alternatives=(span,), margin=margin, score=0.7
        )
        raw.append(said.at_margin(0.0))
        examples.append(example)
    return evidence_of(Answering(unanswerable=True), raw, examples)


EVERY: dict[str, Callable[[], Evidence]] = {
    "single": single,
    "multi": multi,
    "values": values,
    "entities": entities,
    "questions": questions,
}

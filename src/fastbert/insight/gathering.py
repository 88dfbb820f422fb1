"""The answers of a model to labelled rows, made into what a report shows (`evidence`).

Works on predictions with texts and on those that were kept without (`decisions.saved`).

Axes: N rows, C labels, M entities found.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from fastbert.bundle import Bundle
from fastbert.data.examples import Entity, QuestionExample, ValueExample
from fastbert.data.features import EncodedRows
from fastbert.data.splits import example_units
from fastbert.decisions.labelling import Labeller
from fastbert.decisions.rules import Decisions
from fastbert.insight.evidence import AnswerRows, EntityRows, Evidence, Floats, LabelRows, RowFacts, ValueRows
from fastbert.metrics.answers import answer_matches
from fastbert.metrics.spans import span_scores
from fastbert.tasks.answer_prediction import answered as answer_of
from fastbert.tasks.answering import Answering
from fastbert.tasks.base import Example, Prediction
from fastbert.tasks.classification import Classification
from fastbert.tasks.entities_prediction import EntitiesPrediction, ScoredEntity, entities_in
from fastbert.tasks.entity_rules import true_entities
from fastbert.tasks.label_prediction import given, labelled, true_labels
from fastbert.tasks.regression import Regression, ValuePrediction
from fastbert.tasks.tagging import Tagging

SMALLEST = 1e-15  # keeps the logarithm finite


def gather(
    bundle: Bundle,
    split: str,
    raw: Sequence[Prediction],
    said: Sequence[Prediction],
    examples: Sequence[Example],
    rows: RowFacts | None = None,
) -> Evidence:
    """Return what the answers to rows are worth.

    raw, said: as the model gives them by the plain rule, and by the rule of the bundle.
    examples: their truth must be known; texts are needed for questions only.
    """
    task = bundle.task
    found = Evidence(
        bundle,
        split,
        task.score_labels(said, examples),
        task.confusion(said, examples),
        rows=rows or RowFacts(),
        predictions=said,
        examples=examples,
    )
    if isinstance(task, Classification):
        return _with_labels(found, task, raw)
    pairs = list(zip(said, examples, strict=True))
    found = replace(
        found,
        right_N=np.array([task.agreement(*pair) == "right" for pair in pairs], np.bool_),
        loss_N=np.array([task.row_loss(*pair) for pair in pairs], np.float64),
        confidence_N=np.full(len(pairs), np.nan),
    )
    if isinstance(task, Tagging):
        return _with_entities(found, task, raw)
    if isinstance(task, Regression):
        predicted_N = np.array([cast("ValuePrediction", one).value for one in said], np.float64)
        return replace(found, values=ValueRows(task.target, task.scale, predicted_N, _values(examples)))
    return _with_answers(found) if isinstance(task, Answering) else found


def row_facts(encoded: EncodedRows, examples: Sequence[Example]) -> RowFacts:
    """Return places, lengths in tokens, which rows were cut, and which depend on each other."""
    cut_N = encoded.features.windows.table_W["cut"][encoded.starts[:-1]].astype(np.bool_)
    units_N = example_units(examples)
    alone = not len(examples) or units_N.max() + 1 == len(examples)
    places, tokens_N = tuple(one.where for one in examples), encoded.num_tokens_N.astype(np.int64)
    return RowFacts(places, tokens_N, cut_N, None if alone else units_N)


def of_values(bundle: Bundle, split: str, predicted_N: Floats, true_N: Floats, rows: RowFacts) -> Evidence:
    """Return what was kept of the answers of a regression, without texts."""
    scale = cast("Regression", bundle.task).scale
    said: list[Prediction] = [ValuePrediction(value=value, scale=scale) for value in predicted_N.tolist()]
    return gather(bundle, split, said, said, [ValueExample("", value=value) for value in true_N.tolist()], rows)


def of_questions(bundle: Bundle, split: str, answers: AnswerRows, rows: RowFacts) -> Evidence:
    """Return what was kept of the answers to questions, without texts."""
    right_N = answers.exact_N > 0
    found = Evidence(bundle, split, rows=rows, answers=answers, loss_N=answers.loss_N)
    return replace(found, right_N=right_N, confidence_N=answers.score_N)


def _values(examples: Sequence[Example]) -> Floats:
    return np.array([cast("ValueExample", example).value for example in examples], np.float64)


# -- labels -----------------------------------------------------------------------------------------------


def _with_labels(found: Evidence, task: Classification, raw: Sequence[Prediction]) -> Evidence:
    names, said = task.labels.names, found.predictions
    raw_NC, score_NC = task.scores_of(raw), task.scores_of(said)
    energy_N = np.array([labelled(one).energy for one in raw], np.float64)
    whole = Labeller.of(names, task.link, found.bundle.decisions).answer(raw_NC, energy_N)
    target_NC = task.cells_of([true_labels(example) for example in found.examples])
    rows = LabelRows(
        names,
        task.link,
        raw_NC,
        score_NC,
        target_NC,
        task.cells_of([given(one, names, task.link) for one in said]),
        whole.decided_NC,
        whole.confidence_N,
        np.array([not labelled(one).reason for one in said], np.bool_),
    )
    truth_NC = np.log(np.maximum(np.where(target_NC, score_NC, 1.0 - score_NC), SMALLEST))
    cells_NC = target_NC if task.link == "softmax" else np.ones_like(target_NC)
    return replace(
        found,
        labels=rows,
        right_N=np.asarray((rows.decided_NC == target_NC).all(axis=1) & rows.answered_N),
        loss_N=np.asarray(-(truth_NC * cells_NC).sum(axis=1)),
        confidence_N=whole.confidence_N,
    )


# -- entities ---------------------------------------------------------------------------------------------


def _with_entities(found: Evidence, task: Tagging, raw: Sequence[Prediction]) -> Evidence:
    calibrated = task.redecide(raw, Decisions(calibration=found.bundle.decisions.calibration))
    pairs = list(zip(_scored(raw), _scored(calibrated), strict=True))
    true = [set(true_entities(example)) for example in found.examples]
    counts, credit_N = _counted(task, found.predictions, true)
    rows = EntityRows(
        task.labels.names,
        *counts,
        credit_N,
        np.array([one.score for (_, one), _ in pairs], np.float64),
        np.array([one.score for _, (_, one) in pairs], np.float64),
        np.array([one.entity in true[row] for (row, one), _ in pairs], np.bool_),
    )
    least = [min((one.score for one in _entities(each)), default=math.nan) for each in found.predictions]
    return replace(found, entities=rows, confidence_N=np.array(least, np.float64))


def _counted(
    task: Tagging, said: Sequence[Prediction], true: Sequence[set[Entity]]
) -> tuple[tuple[Floats, Floats, Floats], Floats]:
    """Return right, given and true entities by row and type, and the credit of each row for partly right ones."""
    hit_NC, said_NC, true_NC = (np.zeros((len(said), len(task.labels))) for _ in range(3))
    credit_N = np.zeros(len(said))
    for row, (prediction, wanted) in enumerate(zip(said, true, strict=True)):
        given = set(entities_in(prediction))
        for counts_NC, entities in ((hit_NC, given & wanted), (said_NC, given), (true_NC, wanted)):
            for entity in entities:
                counts_NC[row, task.labels.id_of(entity.label)] += 1
        if given and wanted:  # F1 is twice the credit by both numbers
            credit_N[row] = span_scores([list(given)], [list(wanted)])["f1_partial"] * (len(given) + len(wanted)) / 2
    return (hit_NC, said_NC, true_NC), credit_N


def _entities(prediction: Prediction) -> tuple[ScoredEntity, ...]:
    return cast("EntitiesPrediction", prediction).entities


def _scored(predictions: Sequence[Prediction]) -> Iterator[tuple[int, ScoredEntity]]:
    return ((row, one) for row, prediction in enumerate(predictions) for one in _entities(prediction))


# -- questions --------------------------------------------------------------------------------------------


def _with_answers(found: Evidence) -> Evidence:
    said, asked = [answer_of(one) for one in found.predictions], cast("Sequence[QuestionExample]", found.examples)
    exact_N, f1_N = answer_matches([one.answer for one in said], asked)
    _, best_N = answer_matches([one.alternatives[0].answer if one.alternatives else "" for one in said], asked)
    rows = AnswerRows(
        exact_N,
        f1_N,
        best_N,
        np.array([bool(example.answers) for example in asked], np.bool_),
        np.array([one.start is not None for one in said], np.bool_),
        np.clip([one.margin for one in said], -1e6, 1e6),
        np.array([one.score for one in said], np.float64),
        found.loss_N,
        np.array([len(example.text.split()) for example in asked], np.int64),
        np.array([min((len(a.text.split()) for a in example.answers or ()), default=0) for example in asked], np.int64),
    )
    return replace(found, answers=rows, confidence_N=rows.score_N)

"""Intervals of the scores of a report: what each would have been on other rows of the same kind.

Each kind of answer has its sums over weighted rows; `metrics.bootstrap` draws the weights. Rows with a group or a text
in common are drawn together, as folds and splits keep them together: they are right or wrong together.

Axes: D draws, N rows, C labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from fastbert.insight.evidence import AnswerRows, EntityRows, Evidence, Floats, LabelRows, ValueRows
from fastbert.metrics.bootstrap import Interval, Intervals, intervals
from fastbert.metrics.curves import weighted_areas

F1_OF_LABELS = "f1 of labels"
_RANKING_WORK = 8  # times that a ranking of one label costs what a count does
_MOST_RANKED = 40_000_000  # rows x labels x draws; above, ranking scores have no interval


@dataclass(frozen=True)
class Uncertainty:
    """95 % intervals of scores, and of the F1 of each label, by name. note: how they were made, for people."""

    scores: Mapping[str, Interval] = field(default_factory=dict)
    labels: Mapping[str, Interval] = field(default_factory=dict)
    note: str = ""


def uncertainty(evidence: Evidence, seed: int = 0) -> Uncertainty:
    """Return the intervals of all scores that are known row by row; none of fewer than two rows or units."""
    if evidence.num_units < 2:
        return Uncertainty()
    parts: list[Intervals] = []
    names: tuple[str, ...] = ()
    rows = evidence.num_rows
    drawn = partial(intervals, num_rows=rows, seed=seed, units_N=evidence.rows.units_N)
    if (labels := evidence.labels) is not None:
        names = labels.names
        parts.append(drawn(lambda w_DN: _label_scores(labels, w_DN), num_labels=len(names)))
        if 100 * rows * len(names) <= _MOST_RANKED:
            work = len(names) * _RANKING_WORK
            parts.append(drawn(lambda w_DN: _ranking_scores(labels, w_DN), num_labels=work))
    elif (entities := evidence.entities) is not None:
        names = entities.names
        parts.append(drawn(lambda w_DN: _entity_scores(entities, w_DN), num_labels=len(names)))
    elif (values := evidence.values) is not None:
        parts.append(drawn(lambda w_DN: _value_scores(values, w_DN), num_labels=60))
    elif (answers := evidence.answers) is not None:
        parts.append(drawn(lambda w_DN: _answer_scores(answers, w_DN)))
    return _collected(parts, names, evidence)


def _collected(parts: list[Intervals], names: tuple[str, ...], evidence: Evidence) -> Uncertainty:
    scores: dict[str, Interval] = {}
    labels: dict[str, Interval] = {}
    for part in parts:
        for name in part.low:
            if name != F1_OF_LABELS and name in evidence.scores and (interval := part.of(name)) is not None:
                scores[name] = interval
        labels |= {
            name: interval for place, name in enumerate(names) if (interval := part.of(F1_OF_LABELS, place)) is not None
        }
    if not parts:
        return Uncertainty()
    draws = " to ".join(f"{count:,}" for count in sorted({part.draws for part in parts}))
    grouped = evidence.num_units < evidence.num_rows
    what = "units" if grouped else "rows"
    fewer = "" if parts[0].rows == evidence.num_units else f" of {parts[0].rows:,} {what} each, scaled to all {what}"
    of = f"{evidence.num_units:,} units of the {evidence.num_rows:,} rows" if grouped else f"{evidence.num_rows:,} rows"
    unit = " Rows with a group (author, document, context) or a text in common are one unit." if grouped else ""
    note = f"95 % intervals are of {draws} draws of the {of} with replacement (bootstrap){fewer}.{unit}"
    return Uncertainty(scores, labels, note)


def _divided(numerator: Floats, denominator: Floats, empty: float = 0.0) -> Floats:
    return np.where(denominator > 0, numerator / np.where(denominator > 0, denominator, 1.0), empty)


def _label_scores(rows: LabelRows, weight_DN: Floats) -> dict[str, Floats]:
    """Return the scores of counts, of the rows that are answered; the F1 of labels is of all rows."""
    target_NC, said_NC = rows.target_NC.astype(np.float64), rows.decided_NC.astype(np.float64)
    f1_DC = _f1(*(weight_DN @ part_NC for part_NC in (target_NC * said_NC, said_NC, target_NC)))
    drawn_DN = weight_DN[:, rows.answered_N]
    target_NC, said_NC = target_NC[rows.answered_N], said_NC[rows.answered_N]
    hits_DC, given_DC, true_DC = (drawn_DN @ part_NC for part_NC in (target_NC * said_NC, said_NC, target_NC))
    total_D = drawn_DN.sum(axis=1)
    right_D = _divided(drawn_DN @ (target_NC == said_NC).all(axis=1).astype(np.float64), total_D, np.nan)
    truth_NC = np.where(target_NC > 0, rows.score_NC[rows.answered_N], 1 - rows.score_NC[rows.answered_N])
    log_NC = -np.log(np.clip(truth_NC, np.finfo(np.float64).eps, 1 - np.finfo(np.float64).eps))
    found = {F1_OF_LABELS: f1_DC, "f1_micro": _f1(hits_DC.sum(axis=1), given_DC.sum(axis=1), true_DC.sum(axis=1))}
    if rows.link == "softmax":
        used_DC = given_DC + true_DC > 0
        found |= {
            "accuracy": right_D,
            "f1_macro": _divided((_f1(hits_DC, given_DC, true_DC) * used_DC).sum(axis=1), used_DC.sum(axis=1)),
            "mcc": _mcc(hits_DC, given_DC, true_DC, total_D),
            "log_loss": _divided(drawn_DN @ (log_NC * target_NC).sum(axis=1), total_D, np.nan),
        }
    else:
        wrong_N = (target_NC != said_NC).mean(axis=1)
        found |= {
            "exact_match": right_D,
            "f1_macro": _f1(hits_DC, given_DC, true_DC).mean(axis=1),
            "hamming_loss": _divided(drawn_DN @ wrong_N, total_D, np.nan),
            "log_loss": _divided(drawn_DN @ log_NC.mean(axis=1), total_D, np.nan),
        }
    return found


def _f1(hits: Floats, given: Floats, true: Floats) -> Floats:
    return _divided(2 * hits, given + true)


def _mcc(hits_DC: Floats, given_DC: Floats, true_DC: Floats, total_D: Floats) -> Floats:
    """Return the correlation of Gorodkin 2004, which needs no more of a confusion matrix than its sums."""
    both_D = hits_DC.sum(axis=1) * total_D - (given_DC * true_DC).sum(axis=1)
    spread_D = (total_D**2 - (given_DC**2).sum(axis=1)) * (total_D**2 - (true_DC**2).sum(axis=1))
    return _divided(both_D, np.sqrt(np.maximum(spread_D, 0.0)))


def _ranking_scores(rows: LabelRows, weight_DN: Floats) -> dict[str, Floats]:
    drawn_DN = weight_DN[:, rows.answered_N]
    score_NC, target_NC = rows.score_NC[rows.answered_N], rows.target_NC[rows.answered_N]
    if not len(score_NC):
        return {}
    areas = [weighted_areas(score_NC[:, c], target_NC[:, c], drawn_DN) for c in range(score_NC.shape[1])]
    roc_CD, precise_CD = (np.array(part) for part in zip(*areas, strict=True))
    known_D = np.isfinite(roc_CD).sum(axis=0)  # a label without a row in a draw is left out of its mean
    return {
        name: _divided(np.nan_to_num(part_CD).sum(axis=0), known_D, np.nan)
        for name, part_CD in (("roc_auc_macro", roc_CD), ("average_precision_macro", precise_CD))
    }


def _entity_scores(rows: EntityRows, weight_DN: Floats) -> dict[str, Floats]:
    hits_DC, said_DC, true_DC = (weight_DN @ part_NC for part_NC in (rows.hit_NC, rows.said_NC, rows.true_NC))
    hits_D, said_D, true_D = (part.sum(axis=1) for part in (hits_DC, said_DC, true_DC))
    same_N = (rows.hit_NC == rows.said_NC).all(axis=1) & (rows.hit_NC == rows.true_NC).all(axis=1)
    used_DC = true_DC > 0
    return {
        F1_OF_LABELS: _f1(hits_DC, said_DC, true_DC),
        "precision": _divided(hits_D, said_D),
        "recall": _divided(hits_D, true_D),
        "f1": _f1(hits_D, said_D, true_D),
        "f1_macro": _divided((_f1(hits_DC, said_DC, true_DC) * used_DC).sum(axis=1), used_DC.sum(axis=1)),
        "f1_partial": _f1(weight_DN @ rows.credit_N, said_D, true_D),
        "exact_match": weight_DN @ same_N.astype(np.float64) / weight_DN.sum(axis=1),
    }


def _value_scores(rows: ValueRows, weight_DN: Floats) -> dict[str, Floats]:
    error_N, total_D = rows.predicted_N - rows.true_N, weight_DN.sum(axis=1)
    mean_D = weight_DN @ rows.true_N / total_D
    spread_D = ((rows.true_N[None] - mean_D[:, None]) ** 2 * weight_DN).sum(axis=1)
    ranked = [_weighted_ranks(part_N, weight_DN) for part_N in (rows.predicted_N, rows.true_N)]
    return {
        "pearson": _correlation(rows.predicted_N[None], rows.true_N[None], weight_DN),
        "spearman": _correlation(ranked[0], ranked[1], weight_DN),
        "r2": 1 - _divided(weight_DN @ error_N**2, spread_D, np.nan),
        "rmse": np.sqrt(weight_DN @ error_N**2 / total_D),
        "mae": weight_DN @ np.abs(error_N) / total_D,
    }


def _weighted_ranks(values_N: Floats, weight_DN: Floats) -> Floats:
    """Return the rank of each row among the rows of a draw, equal values sharing the mean of theirs, (D, N)."""
    place_N = np.unique(values_N, return_inverse=True)[1]
    order = np.argsort(place_N, kind="stable")
    last = np.flatnonzero(np.append(np.diff(place_N[order]) > 0, True))
    upto_DK = np.cumsum(weight_DN[:, order], axis=1)[:, last]
    before_DK = np.concatenate([np.zeros((len(weight_DN), 1)), upto_DK[:, :-1]], axis=1)
    return np.asarray(((before_DK + upto_DK + 1) / 2)[:, place_N])


def _correlation(one: Floats, two: Floats, weight_DN: Floats) -> Floats:
    total_D1 = weight_DN.sum(axis=1, keepdims=True)
    one_DN = one - (one * weight_DN).sum(axis=1, keepdims=True) / total_D1
    two_DN = two - (two * weight_DN).sum(axis=1, keepdims=True) / total_D1
    both, first, second = ((part * weight_DN).sum(axis=1) for part in (one_DN * two_DN, one_DN**2, two_DN**2))
    return _divided(both, np.sqrt(first * second), np.nan)


def _answer_scores(rows: AnswerRows, weight_DN: Floats) -> dict[str, Floats]:
    def mean(values_N: Floats, chosen_N: Floats) -> Floats:
        return _divided(weight_DN @ (values_N * chosen_N), weight_DN @ chosen_N, np.nan)

    every_N, with_N = np.ones(len(rows.f1_N)), rows.has_answer_N.astype(np.float64)
    return {
        "f1": mean(rows.f1_N, every_N),
        "exact_match": mean(rows.exact_N, every_N),
        "f1_answered": mean(rows.f1_N, with_N),
        "exact_match_answered": mean(rows.exact_N, with_N),
        "no_answer_accuracy": mean(rows.exact_N, 1 - with_N),
    }

"""Scores of entities: predicted spans with labels against true ones.

The strict scores are those of conlleval and seqeval; the partial ones those of SemEval-2013
task 9.1. Knows nothing of tags, tokens or how a span was found.

Conventions:

- The entities of a text are a set: one that is listed twice counts once. Within one list no
  entity overlaps another, as in `TaggedExample`.
- A score with nothing to divide by is 0, as in conlleval and in seqeval with zero_division=0.
- No texts: the result is empty.

The four schemes of SemEval-2013 task 9.1 (Segura-Bedmar, Martínez and Herrero-Zazo 2013) give each
pair of a predicted and a true entity that overlap a credit; precision is the sum of credits by
the number of predicted entities, recall by that of true ones.

    strict    same span, same label                          1
    exact     same span                                      1     here "boundaries"
    partial   same span 1, else                              1/2   the label is not looked at
    type      same label                                     1     the span is not looked at

An entity is in one pair at most (here the definitions leave a choice): equal spans first, then
overlaps with the same label, then other overlaps, each from left to right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fastbert.data.examples import Entity
from fastbert.metrics.classification import LabelScores

Texts = Sequence[Sequence[Entity]]
Pair = tuple[Entity, Entity]  # predicted, true


def span_scores(predicted: Texts, true: Texts) -> dict[str, float]:
    """Return the scores of the entities of texts, one list of entities a text.

    precision, recall, f1: of entities with exactly the right start, end and label, over all texts.
    f1_macro: mean of the labels' f1, over the labels that occur in true.
    exact_match: share of texts with exactly the right entities.
    f1_boundaries, f1_partial, f1_type: the lenient schemes of the module's docstring.
    Raises ValueError unless there are as many predicted lists as true ones.

    >>> true = [[Entity(0, 6, "city"), Entity(8, 12, "city")]]
    >>> scores = span_scores([[Entity(0, 6, "city"), Entity(8, 9, "city")]], true)
    >>> scores["f1"], scores["f1_partial"], scores["f1_type"]
    (0.5, 0.75, 1.0)
    """
    if not _check_lengths(predicted, true):
        return {}
    pairs_N = [_pairs(*text) for text in zip(predicted, true, strict=True)]
    counts = _count_by_label(predicted, true, pairs_N)
    f1_of_true = [_f1(count) for count in counts.values() if count["support"]]
    num_predicted, num_true, hits = (
        sum(count[name] for count in counts.values()) for name in ("predicted", "support", "exact")
    )
    pairs = [pair for text in pairs_N for pair in text]
    same_span = sum(_same_span(*pair) for pair in pairs)

    def f1(credit: float) -> float:
        return _divided(2 * credit, num_predicted + num_true)

    return {
        "precision": _divided(hits, num_predicted),
        "recall": _divided(hits, num_true),
        "f1": f1(hits),
        "f1_macro": _divided(sum(f1_of_true), len(f1_of_true)),
        "exact_match": _divided(sum(set(a) == set(b) for a, b in zip(predicted, true, strict=True)), len(true)),
        "f1_boundaries": f1(same_span),
        "f1_partial": f1((same_span + len(pairs)) / 2),
        "f1_type": f1(sum(found.label == wanted.label for found, wanted in pairs)),
    }


def span_scores_by_label(predicted: Texts, true: Texts) -> dict[str, LabelScores]:
    """Return strict scores and kinds of mistakes by label, sorted by label.

    precision, recall, f1.    support, predicted: true and predicted entities with the label.
    exact, wrong_boundary, wrong_label, missed: what became of the true entities; they add up to support.
        One with both another span and another label counts as wrong_label.
    spurious: predicted entities with the label that overlap nothing, or nothing that is not taken.
    Raises ValueError unless there are as many predicted lists as true ones.

    >>> scores = span_scores_by_label([[Entity(0, 6, "city")]], [[Entity(0, 6, "river")]])
    >>> list(scores), scores["river"]["wrong_label"], scores["city"]["spurious"]
    (['city', 'river'], 1, 0)
    """
    _check_lengths(predicted, true)
    pairs_N = [_pairs(*text) for text in zip(predicted, true, strict=True)]
    counts = _count_by_label(predicted, true, pairs_N)
    return {label: _scores_of(counts[label]) for label in sorted(counts)}


def _count_by_label(predicted: Texts, true: Texts, pairs_N: list[list[Pair]]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for texts, total, alone in ((predicted, "predicted", "spurious"), (true, "support", "missed")):
        for label, number in Counter(entity.label for text in texts for entity in set(text)).items():
            counts.setdefault(label, Counter()).update({total: number, alone: number})
    for found, wanted in (pair for pairs in pairs_N for pair in pairs):
        counts[found.label]["spurious"] -= 1
        counts[wanted.label]["missed"] -= 1
        counts[wanted.label][_kind(found, wanted)] += 1
    return counts


def _scores_of(count: Counter[str]) -> LabelScores:
    scores: LabelScores = {
        "precision": _divided(count["exact"], count["predicted"]),
        "recall": _divided(count["exact"], count["support"]),
        "f1": _f1(count),
    }
    names = ("support", "predicted", "exact", "wrong_boundary", "wrong_label", "missed", "spurious")
    return scores | {name: count[name] for name in names}


def _f1(count: Counter[str]) -> float:
    return _divided(2 * count["exact"], count["predicted"] + count["support"])


def _kind(found: Entity, wanted: Entity) -> str:
    if found.label != wanted.label:
        return "wrong_label"
    return "exact" if _same_span(found, wanted) else "wrong_boundary"


def _pairs(predicted: Sequence[Entity], true: Sequence[Entity]) -> list[Pair]:
    """Pair the entities of one text that overlap; left to right is a largest set of pairs for disjoint spans."""
    found, wanted = set(predicted), set(true)
    equal = found & wanted
    overlaps = _overlaps(_in_order(found - equal), _in_order(wanted - equal))
    pairs = [(entity, entity) for entity in equal]
    for pair in sorted(overlaps, key=lambda pair: (not _same_span(*pair), pair[0].label != pair[1].label)):
        if pair[0] in found and pair[1] in wanted:
            pairs.append(pair)
            found.remove(pair[0])
            wanted.remove(pair[1])
    return pairs


def _in_order(entities: set[Entity]) -> list[Entity]:
    return sorted(entities, key=lambda entity: (entity.start, entity.end, entity.label))


def _overlaps(predicted: list[Entity], true: list[Entity]) -> list[Pair]:
    """Return the pairs that share a character, from left to right; both lists sorted by start."""
    pairs, first = [], 0
    for found in predicted:
        while first < len(true) and true[first].end <= found.start:
            first += 1
        index = first
        while index < len(true) and true[index].start < found.end:
            if true[index].end > found.start:
                pairs.append((found, true[index]))
            index += 1
    return pairs


def _same_span(first: Entity, second: Entity) -> bool:
    return first.start == second.start and first.end == second.end


def _divided(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else 0.0


def _check_lengths(predicted: Texts, true: Texts) -> int:
    if len(predicted) != len(true):
        raise ValueError(f"entities of {len(predicted)} texts are predicted, those of {len(true)} are known")
    return len(true)

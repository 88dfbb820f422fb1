"""Entity scores: hand-computed examples, the mistakes by label, parity with seqeval."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as lenient
from seqeval.metrics.v1 import precision_recall_fscore_support as strict
from seqeval.scheme import IOB2, Entities

from fastbert.data.examples import Entity
from fastbert.metrics.names import LOWER_IS_BETTER
from fastbert.metrics.spans import span_scores, span_scores_by_label

Tags = list[list[str]]

# The six scenarios of an entity, each a text of its own (see the first test).
TRUE = [
    [Entity(0, 7, "brand")],
    [],
    [Entity(3, 11, "drug")],
    [Entity(0, 11, "drug")],
    [Entity(0, 9, "drug")],
    [Entity(5, 19, "group")],
]
PREDICTED = [
    [],
    [Entity(0, 7, "brand")],
    [Entity(0, 11, "drug")],
    [Entity(0, 11, "brand")],
    [Entity(0, 9, "drug")],
    [Entity(0, 19, "drug")],
]

tag = st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b", "B-c", "I-c"])
texts = st.integers(1, 12).flatmap(lambda size: st.tuples(*[st.lists(tag, min_size=size, max_size=size)] * 2))
corpora = st.lists(texts, min_size=1, max_size=5)


def lenient_entities(tags: Tags) -> list[list[Entity]]:
    return [[Entity(start, end + 1, label) for label, start, end in get_entities(text)] for text in tags]


def strict_entities(tags: Tags) -> list[list[Entity]]:
    return [[Entity(one.start, one.end, one.tag) for one in text] for text in Entities(tags, IOB2).entities]


# --- the schemes of SemEval-2013 --------------------------------------------------------------------


def test_the_four_schemes_match_the_hand_computed_example() -> None:
    """Scenarios I-VI of the README of nervaluate, which implements SemEval-2013 task 9.1.

    Text  true             predicted             type       partial    exact      strict
      0   tikosyn          -                     missed     missed     missed     missed
      1   -                healthy               spurious   spurious   spurious   spurious
      2   warfarin, drug   of warfarin, drug     correct    partial    incorrect  incorrect
      3   propranolol      same, brand for drug  incorrect  correct    correct    incorrect
      4   phenytoin        same, same            correct    correct    correct    correct
      5   contraceptives   oral c., drug         incorrect  partial    incorrect  incorrect
    Five entities on either side, so P = R = F1 = credit / 5: 2, 2 + 2 / 2, 2 and 1.
    """
    scores = span_scores(PREDICTED, TRUE)

    assert scores["f1_type"] == pytest.approx(2 / 5)
    assert scores["f1_partial"] == pytest.approx(3 / 5)
    assert scores["f1_boundaries"] == pytest.approx(2 / 5)
    assert scores["f1"] == scores["precision"] == scores["recall"] == pytest.approx(1 / 5)


def test_macro_f1_is_the_mean_over_the_true_labels() -> None:
    """Brand: none of 1 and 2; drug: 1 of 3 and 3, F1 1/3; group: 0 of 1."""
    assert span_scores(PREDICTED, TRUE)["f1_macro"] == pytest.approx((0 + 1 / 3 + 0) / 3)


def test_a_label_that_is_only_predicted_is_not_in_the_macro_mean() -> None:
    true = [[Entity(0, 1, "a")]]

    assert span_scores([[Entity(0, 1, "a"), Entity(2, 3, "b")]], true)["f1_macro"] == 1


def test_exact_match_is_the_share_of_texts_with_all_entities_right_and_no_other() -> None:
    true = [[Entity(0, 1, "a"), Entity(2, 3, "a")], [Entity(0, 1, "a")], [], []]
    predicted = [
        [Entity(2, 3, "a"), Entity(0, 1, "a")],
        [Entity(0, 1, "a"), Entity(2, 3, "a")],
        [],
        [Entity(0, 1, "a")],
    ]

    assert span_scores(predicted, true)["exact_match"] == 0.5


# --- pairs ------------------------------------------------------------------------------------------


def test_an_overlap_with_the_same_label_goes_before_another_further_left() -> None:
    scores = span_scores_by_label([[Entity(0, 10, "a")]], [[Entity(0, 5, "b"), Entity(5, 9, "a")]])

    assert (scores["a"]["wrong_boundary"], scores["b"]["missed"]) == (1, 1)


def test_one_long_prediction_is_paired_with_one_entity_only() -> None:
    true = [[Entity(0, 5, "a"), Entity(5, 9, "a")]]

    assert span_scores([[Entity(0, 9, "a")]], true)["f1_type"] == pytest.approx(2 / 3)


def test_two_shifted_predictions_are_paired_with_two_entities() -> None:
    true = [[Entity(0, 5, "a"), Entity(5, 9, "a")]]

    assert span_scores([[Entity(0, 1, "a"), Entity(1, 6, "a")]], true)["f1_type"] == 1


def test_an_entity_that_overlaps_others_of_its_text_is_paired_as_well() -> None:
    nested = [[Entity(0, 10, "a"), Entity(2, 3, "a")]]

    assert span_scores([[Entity(5, 6, "a")]], nested)["f1_type"] == pytest.approx(2 / 3)


def test_entities_that_touch_do_not_overlap() -> None:
    assert span_scores([[Entity(0, 5, "a")]], [[Entity(5, 9, "a")]])["f1_partial"] == 0


def test_entities_of_different_texts_are_never_paired() -> None:
    assert span_scores([[Entity(0, 5, "a")], []], [[], [Entity(0, 5, "a")]])["f1_partial"] == 0


def test_an_entity_that_is_listed_twice_counts_once() -> None:
    twice, once = [[Entity(0, 5, "a"), Entity(0, 5, "a")]], [[Entity(0, 5, "a")]]

    assert span_scores(twice, once) == span_scores(once, once)


@given(corpora)
def test_as_many_entities_are_paired_as_can_be(corpus: list[tuple[list[str], list[str]]]) -> None:
    predicted, true = (lenient_entities([pair[side] for pair in corpus]) for side in (0, 1))
    one_label = [[[Entity(one.start, one.end, "x") for one in text] for text in side] for side in (predicted, true)]
    missed = sum(int(scores["missed"] or 0) for scores in span_scores_by_label(*one_label).values())
    largest = sum(_most_pairs(*text) for text in zip(*one_label, strict=True))

    assert sum(map(len, true)) - missed == largest


def _most_pairs(predicted: list[Entity], true: list[Entity]) -> int:
    """Return the size of the largest one-to-one pairing of overlapping entities, by trying all."""
    edges = [(i, j) for i, a in enumerate(predicted) for j, b in enumerate(true) if a.start < b.end and b.start < a.end]
    for size in range(min(len(predicted), len(true)), 0, -1):
        if any(
            len({i for i, _ in chosen}) == len({j for _, j in chosen}) == size for chosen in combinations(edges, size)
        ):
            return size
    return 0


# --- by label ---------------------------------------------------------------------------------------


def test_scores_by_label_name_what_became_of_each_entity() -> None:
    """Drug: warfarin with a wrong boundary, propranolol as a brand, phenytoin right; "oral ..." is another's."""
    scores = span_scores_by_label(PREDICTED, TRUE)

    assert scores["drug"] == {
        **{"precision": pytest.approx(1 / 3), "recall": pytest.approx(1 / 3), "f1": pytest.approx(1 / 3)},
        **{"support": 3, "predicted": 3},
        **{"exact": 1, "wrong_boundary": 1, "wrong_label": 1, "missed": 0, "spurious": 0},
    }


def test_missed_and_spurious_entities_are_counted_by_their_own_label() -> None:
    brand = span_scores_by_label(PREDICTED, TRUE)["brand"]

    assert (brand["support"], brand["predicted"], brand["missed"], brand["spurious"]) == (1, 2, 1, 1)


def test_another_span_with_another_label_is_a_wrong_label() -> None:
    assert span_scores_by_label(PREDICTED, TRUE)["group"]["wrong_label"] == 1


def test_labels_are_sorted_and_those_only_predicted_are_among_them() -> None:
    scores = span_scores_by_label([[Entity(0, 1, "c"), Entity(2, 3, "a")]], [[Entity(4, 5, "b")]])

    assert list(scores) == ["a", "b", "c"]


@given(corpora)
def test_what_became_of_the_entities_adds_up_to_the_support(corpus: list[tuple[list[str], list[str]]]) -> None:
    predicted, true = (lenient_entities([pair[side] for pair in corpus]) for side in (0, 1))
    kinds = ("exact", "wrong_boundary", "wrong_label", "missed")

    scores = span_scores_by_label(predicted, true).values()

    assert [sum(int(one[kind] or 0) for kind in kinds) for one in scores] == [one["support"] for one in scores]


# --- nothing to score -------------------------------------------------------------------------------


def test_scores_without_any_entity_are_zero_but_the_exact_match() -> None:
    scores = span_scores([[], []], [[], []])

    assert scores.pop("exact_match") == 1
    assert set(scores.values()) == {0.0}


def test_no_texts_have_no_scores() -> None:
    assert span_scores([], []) == {} == span_scores_by_label([], [])


@pytest.mark.parametrize("score", [span_scores, span_scores_by_label])
def test_lists_for_another_number_of_texts_are_refused(score: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match="entities of 1 texts are predicted, those of 2 are known"):
        score([[]], [[], []])


def test_it_is_known_of_every_score_that_higher_is_better() -> None:
    assert span_scores([[]], [[]]).keys().isdisjoint(LOWER_IS_BETTER)


# --- parity with seqeval ----------------------------------------------------------------------------


@given(corpora)
def test_scores_equal_those_of_seqeval_in_its_default_mode(corpus: list[tuple[list[str], list[str]]]) -> None:
    predicted, true = ([pair[side] for pair in corpus] for side in (0, 1))
    expected = lenient(true, predicted, average="micro", zero_division=0)[:3]

    scores = span_scores(lenient_entities(predicted), lenient_entities(true))

    assert [scores["precision"], scores["recall"], scores["f1"]] == pytest.approx(list(expected))


@given(corpora)
def test_scores_equal_those_of_seqeval_in_strict_mode(corpus: list[tuple[list[str], list[str]]]) -> None:
    predicted, true = ([pair[side] for pair in corpus] for side in (0, 1))
    expected = strict(true, predicted, average="micro", zero_division=0, scheme=IOB2)[:3]

    scores = span_scores(strict_entities(predicted), strict_entities(true))

    assert [scores["precision"], scores["recall"], scores["f1"]] == pytest.approx(list(expected))


@given(corpora)
def test_scores_by_label_equal_those_of_seqeval(corpus: list[tuple[list[str], list[str]]]) -> None:
    predicted, true = ([pair[side] for pair in corpus] for side in (0, 1))
    expected = np.array(strict(true, predicted, average=None, zero_division=0, scheme=IOB2)).T

    scores = span_scores_by_label(strict_entities(predicted), strict_entities(true))

    found = [[one["precision"], one["recall"], one["f1"], one["support"]] for one in scores.values()]
    assert np.array(found, np.float64).reshape(-1, 4) == pytest.approx(expected)

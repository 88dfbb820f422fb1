"""Constrained decoding of tags: against all legal sequences, one by one."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fastbert.data.units import UnitSpan
from fastbert.decisions.tags import TagSet, best_path, best_paths, forward_backward, span_scores_of
from fastbert.errors import DataError
from fastbert.labels import Labels

# U units, T tags, N texts
Floats = npt.NDArray[np.float64]
TAGS = TagSet(Labels(("a", "b")))
OUT, B_A, I_A, B_B, I_B = range(5)

numbers = st.floats(-20, 20, width=16) | st.just(-np.inf)


@st.composite
def scores(draw: st.DrawFn) -> Floats:
    """Draw the scores of up to four units and up to two entity types."""
    num_units, num_labels = draw(st.integers(1, 4)), draw(st.integers(1, 2))
    return draw(arrays.arrays(np.float64, (num_units, 2 * num_labels + 1), elements=numbers))


def tags_of(scores_UT: Floats) -> TagSet:
    return TagSet(Labels(("a", "b")[: scores_UT.shape[1] // 2]))


def is_legal(path: tuple[int, ...], tags: TagSet) -> bool:
    steps = zip(path, path[1:], strict=False)
    return bool(tags.first_T[path[0]]) and all(tags.follows_TT[before, after] for before, after in steps)


def legal_paths(scores_UT: Floats) -> dict[tuple[int, ...], float]:
    """Return every legal sequence with its score."""
    num_units, num_tags = scores_UT.shape
    paths = [path for path in product(range(num_tags), repeat=num_units) if is_legal(path, tags_of(scores_UT))]
    return {path: float(scores_UT[np.arange(num_units), path].sum()) for path in paths}


def log_sum(values: list[float]) -> float:
    return float(np.logaddexp.reduce(values, initial=-np.inf))


# --- the tag set ------------------------------------------------------------------------------------


def test_tags_stand_in_the_order_of_the_labels() -> None:
    assert TAGS.names == ("O", "B-a", "I-a", "B-b", "I-b")


def test_a_tag_set_is_as_long_as_its_names() -> None:
    assert len(TAGS) == len(TAGS.names)


def test_a_tag_knows_its_label() -> None:
    assert [TAGS.label_of(tag) for tag in range(5)] == [None, "a", "a", "b", "b"]


def test_no_text_begins_inside_of_an_entity() -> None:
    assert TAGS.first_T.tolist() == [True, True, False, True, False]


def test_only_an_entity_of_the_same_label_goes_on() -> None:
    allowed = {(before, after) for before, after in product(range(5), repeat=2) if TAGS.follows_TT[before, after]}
    into_i = {(before, after) for before, after in allowed if after in (I_A, I_B)}

    assert into_i == {(B_A, I_A), (I_A, I_A), (B_B, I_B), (I_B, I_B)}
    assert len(allowed) == 5 * 3 + 4


def test_adjacent_entities_of_one_label_are_two_spans() -> None:
    assert TAGS.spans_of(np.array([B_A, I_A, B_A, OUT, B_B, I_B])) == [(0, 2, "a"), (2, 3, "a"), (4, 6, "b")]


@pytest.mark.parametrize("path", [[], [OUT], [OUT, OUT, OUT]])
def test_a_path_that_is_outside_has_no_spans(path: list[int]) -> None:
    assert TAGS.spans_of(np.array(path, int)) == []


@given(scores())
def test_a_path_and_its_spans_are_the_same(scores_UT: Floats) -> None:
    path_U, tags = best_path(scores_UT), tags_of(scores_UT)

    assert tags.path_of(tags.spans_of(path_U), len(path_U)).tolist() == path_U.tolist()


def test_a_span_with_an_unknown_label_is_named() -> None:
    with pytest.raises(DataError, match="label 'c' is not one of the 2 labels"):
        TAGS.path_of([(0, 1, "c")], 2)


# --- the best path ----------------------------------------------------------------------------------


@given(scores())
def test_the_best_path_has_the_highest_score_of_all_legal_ones(scores_UT: Floats) -> None:
    paths = legal_paths(scores_UT)

    assert paths[tuple(best_path(scores_UT).tolist())] == pytest.approx(max(paths.values()))


@given(scores(), st.data())
def test_the_best_tag_of_each_unit_is_taken_where_that_is_legal(scores_UT: Floats, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(legal_paths(scores_UT))))
    scores_UT[np.arange(len(path)), path] = scores_UT.max(axis=1).clip(min=-20) + 1

    assert tuple(scores_UT.argmax(axis=1).tolist()) == path == tuple(best_path(scores_UT).tolist())


def test_a_weak_begin_is_taken_for_the_sake_of_what_goes_on() -> None:
    """O I I scores 1 + 2 + 2 and is not legal; O O O scores 1, B I I 0.5 + 4."""
    scores_UT = np.array([[1, 0.5, 0, 0, 0], [0, 0, 2, 0, 0], [0, 0, 2, 0, 0]])

    assert best_path(scores_UT).tolist() == [B_A, I_A, I_A]


@given(arrays.arrays(np.float32, (6, 5), elements=st.sampled_from([-np.inf, np.nan, 0.0, -1.0, -1e38])))
def test_no_path_is_illegal_whatever_the_scores(scores_UT: Floats) -> None:
    assert is_legal(tuple(best_path(scores_UT).tolist()), TAGS)


def test_a_text_without_any_possible_tag_is_outside() -> None:
    assert best_path(np.full((3, 5), -np.inf)).tolist() == [OUT, OUT, OUT]


def test_a_tagger_without_labels_is_outside_everywhere() -> None:
    assert best_path(np.zeros((2, 1))).tolist() == [OUT, OUT]


@given(st.lists(scores().filter(lambda one: one.shape[1] == 5), min_size=1, max_size=4), st.integers(0, 4))
def test_many_texts_have_the_paths_that_each_has_alone(texts: list[Floats], empty: int) -> None:
    texts.insert(min(empty, len(texts)), np.zeros((0, 5)))
    sizes_N = np.array([len(text) for text in texts])

    together = best_paths(np.concatenate(texts), sizes_N)

    assert together.tolist() == np.concatenate([best_path(text) for text in texts]).tolist()


def test_no_texts_have_no_paths() -> None:
    assert best_paths(np.zeros((0, 5)), np.array([], int)).tolist() == []


@pytest.mark.parametrize(
    ("shape", "sizes", "message"),
    [
        ((3, 4), [3], r"scores are \(3, 4\); expected \(units, 2 \* types \+ 1\)"),
        ((3, 5), [2, 2], "there are scores of 3 units, texts of 4"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(shape: tuple[int, int], sizes: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        best_paths(np.zeros(shape), np.array(sizes))


def test_many_texts_are_decoded_fast() -> None:
    rng = np.random.default_rng(0)
    scores_UT = rng.normal(size=(20_000, 79)).astype(np.float32)
    start = time.process_time()
    best_paths(scores_UT, np.full(1_000, 20))

    assert time.process_time() - start < 0.5  # 12 ms on one core


# --- the probability of a span ----------------------------------------------------------------------


@given(scores())
def test_the_sums_are_those_over_all_legal_sequences(scores_UT: Floats) -> None:
    sums = forward_backward(scores_UT, np.array([len(scores_UT)]))
    before = [log_sum(list(legal_paths(scores_UT[:unit]).values())) for unit in range(1, len(scores_UT))]
    after = [log_sum(list(legal_paths(scores_UT[unit:]).values())) for unit in range(1, len(scores_UT))]

    assert sums.before_U.tolist() == pytest.approx([0.0, *before])
    assert sums.after_U.tolist() == pytest.approx([*after, 0.0])
    assert sums.total_N.tolist() == pytest.approx([log_sum(list(legal_paths(scores_UT).values()))])


@given(scores())
def test_the_score_of_a_span_is_the_weight_of_the_sequences_that_hold_it(scores_UT: Floats) -> None:
    tags, paths = tags_of(scores_UT), legal_paths(scores_UT)
    num_units, total = len(scores_UT), log_sum(list(paths.values()))
    bounds = [(first, last) for last in range(1, num_units + 1) for first in range(last)]
    spans = [(first, last, label) for first, last in bounds for label in tags.labels]

    found = span_scores_of(scores_UT, spans, tags)

    holding = [
        log_sum([weight for path, weight in paths.items() if span in tags.spans_of(np.array(path))]) for span in spans
    ]
    expected = [np.exp(weight - total) if np.isfinite(total) else 0.0 for weight in holding]
    assert found.tolist() == pytest.approx(expected, abs=1e-9)


def test_spans_of_many_texts_score_as_in_their_own_text() -> None:
    rng = np.random.default_rng(0)
    texts = [rng.normal(size=(size, 5)) for size in (2, 5, 0, 3)]
    spans: list[UnitSpan] = [(0, 2, "a"), (2, 3, "b"), (4, 7, "a"), (7, 9, "b")]
    alone: list[tuple[int, list[UnitSpan]]] = [
        (0, [(0, 2, "a")]),
        (1, [(0, 1, "b"), (2, 5, "a")]),
        (3, [(0, 2, "b")]),
    ]

    together = span_scores_of(np.concatenate(texts), spans, TAGS, sizes_N=np.array([2, 5, 0, 3]))

    expected = np.concatenate([span_scores_of(texts[text], own, TAGS) for text, own in alone])
    assert together.tolist() == pytest.approx(expected.tolist())


def test_a_certain_span_scores_one() -> None:
    scores_UT = np.full((3, 5), -np.inf)
    scores_UT[[0, 1, 2], [B_A, I_A, OUT]] = 0.0

    assert span_scores_of(scores_UT, [(0, 2, "a"), (0, 1, "a")], TAGS).tolist() == [1.0, 0.0]


def test_spans_of_a_text_without_any_possible_path_score_zero() -> None:
    assert span_scores_of(np.full((2, 5), -np.inf), [(0, 2, "a")], TAGS).tolist() == [0.0]


def test_scores_far_apart_neither_overflow_nor_vanish() -> None:
    """The legal sequences are OO, OB, BO, BB, BI with 0, -800, -800, -1600, -800 + 1e4."""
    scores_UT = np.array([[0.0, -800.0, 1e4], [0.0, -800.0, 1e4]])

    assert span_scores_of(scores_UT, [(0, 2, "a")], TagSet(Labels(("a",)))).tolist() == [1.0]


def test_a_constant_added_to_a_unit_changes_no_score() -> None:
    scores_UT = np.random.default_rng(0).normal(size=(4, 5))
    moved_UT = scores_UT + np.array([[1e3], [-1e3], [5.0], [0.0]])
    spans: list[UnitSpan] = [(0, 2, "a"), (2, 4, "b")]

    assert span_scores_of(moved_UT, spans, TAGS) == pytest.approx(span_scores_of(scores_UT, spans, TAGS))


def test_no_spans_have_no_scores() -> None:
    assert span_scores_of(np.zeros((2, 5)), [], TAGS).tolist() == []

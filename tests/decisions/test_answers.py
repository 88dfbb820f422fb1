"""The best spans of a question, by hand and against a search through all pairs of tokens."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.decisions import answers
from fastbert.decisions.answers import ContextTokens, RankedAnswers, ScoredSpan, best_answers

NUM_SPECIAL = 3  # [CLS], one token of the question, [SEP]


def windows(*contexts: tuple[int, list[float], list[float]]) -> tuple[np.ndarray, np.ndarray, ContextTokens]:
    """Return padded windows of contexts of (first token, start logits, end logits); a token is four characters wide.

    [CLS] has the logits -1 and -1. What must not be read, the question and the padding, has high ones.
    """
    shape = (len(contexts), NUM_SPECIAL + max(len(starts) for _, starts, _ in contexts))
    starts_WL, ends_WL = np.full(shape, 99, np.float32), np.full(shape, 99, np.float32)
    starts_WL[:, 0] = ends_WL[:, 0] = -1
    is_context_WL, char_WL = np.zeros(shape, np.bool_), np.zeros(shape, np.int32)
    for window, (first, starts, ends) in enumerate(contexts):
        held = slice(NUM_SPECIAL, NUM_SPECIAL + len(starts))
        starts_WL[window, held], ends_WL[window, held], is_context_WL[window, held] = starts, ends, True
        char_WL[window, held] = 5 * (first + np.arange(len(starts)))
    return starts_WL, ends_WL, ContextTokens(is_context_WL, char_WL, char_WL + 4 * is_context_WL)


def best(
    *contexts: tuple[int, list[float], list[float]], max_answer_tokens: int = 30, num_best: int = 20
) -> RankedAnswers:
    """Return the answers to the one question that all windows are of."""
    question_W = np.zeros(len(contexts), np.int64)
    (ranked,) = best_answers(*windows(*contexts), question_W, max_answer_tokens=max_answer_tokens, num_best=num_best)
    return ranked


def test_spans_are_ranked_by_the_sum_of_their_logits() -> None:
    """Tokens 0 to 2 at characters 0-4, 5-9 and 10-14."""
    assert best((0, [1, 5, 0], [2, 0, 3]), num_best=4).spans == (
        ScoredSpan(5, 14, 8.0),
        ScoredSpan(5, 9, 5.0),
        ScoredSpan(0, 14, 4.0),
        ScoredSpan(0, 4, 3.0),
    )


def test_no_span_ends_before_it_begins() -> None:
    assert best((0, [0, 9], [9, 0])).spans == (ScoredSpan(0, 4, 9.0), ScoredSpan(5, 9, 9.0), ScoredSpan(0, 9, 0.0))


def test_no_span_is_longer_than_asked() -> None:
    spans = best((0, [9, 0, 0], [0, 0, 9]), max_answer_tokens=2).spans

    assert {(span.start_char, span.end_char) for span in spans} == {(0, 4), (0, 9), (5, 9), (5, 14), (10, 14)}


def test_question_special_tokens_and_padding_are_in_no_span() -> None:
    """Their logits are 99."""
    assert best((0, [1, 2], [1, 2]), (2, [3], [3])).spans[0] == ScoredSpan(10, 14, 6.0)


def test_a_span_of_two_windows_counts_once_with_its_best_score() -> None:
    ranked = best((0, [0, 4], [0, 1]), (1, [3, 0], [6, 0]))

    assert ranked.spans[0] == ScoredSpan(5, 9, 9.0)
    assert len({span[:2] for span in ranked.spans}) == len(ranked.spans)


def test_no_answer_scores_as_in_the_window_that_says_so_least() -> None:
    starts_WL, ends_WL, tokens = windows((0, [1], [1]), (1, [1], [1]))
    starts_WL[:, 0], ends_WL[:, 0] = [4, 1], [1, 2]

    (ranked,) = best_answers(starts_WL, ends_WL, tokens, np.zeros(2, np.int64))

    assert (ranked.null_logit, ranked.margin) == (3.0, 1.0)


def test_a_question_without_context_has_no_span() -> None:
    starts_WL, ends_WL, tokens = windows((0, [1], [1]), (0, [1], [1]))
    tokens.is_context_WL[0] = False

    empty, other = best_answers(starts_WL, ends_WL, tokens, np.array([0, 1]))

    assert (empty.spans, empty.margin, len(other.spans)) == ((), math.inf, 1)
    assert empty.probabilities().tolist() == [1.0]


def test_tokens_without_characters_are_no_answer() -> None:
    starts_WL, ends_WL, tokens = windows((0, [9, 1], [9, 1]))
    tokens.end_WL[0, NUM_SPECIAL] = 0

    (ranked,) = best_answers(starts_WL, ends_WL, tokens, np.array([0]))

    assert [span[:2] for span in ranked.spans] == [(0, 9), (5, 9)]


def test_no_window_gives_nothing() -> None:
    starts_WL, ends_WL, tokens = windows((0, [1], [1]))

    assert best_answers(starts_WL[:0], ends_WL[:0], tokens.select(slice(0, 0)), np.zeros(0, np.int64)) == []


def test_probabilities_are_a_softmax_over_no_answer_and_the_spans() -> None:
    probabilities = best((0, [1, 0], [1, 0])).probabilities()

    logits = np.array([-2.0, 2.0, 1.0, 0.0])  # no answer; 0-4; 0-9; 5-9
    assert probabilities == pytest.approx(np.exp(logits) / np.exp(logits).sum())


def test_large_logits_do_not_overflow() -> None:
    assert best((0, [5000.0], [5000.0])).probabilities().tolist() == [0.0, 1.0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_logits_of_any_precision_are_read(dtype: type) -> None:
    starts_WL, ends_WL, tokens = windows((0, [1, 2], [1, 2]))

    (ranked,) = best_answers(starts_WL.astype(dtype), ends_WL.astype(dtype), tokens, np.array([0]))

    assert ranked.spans[0] == ScoredSpan(5, 9, 4.0)


def plain_best(
    starts_WL: np.ndarray, ends_WL: np.ndarray, tokens: ContextTokens, max_answer_tokens: int
) -> dict[tuple[int, int], float]:
    """Return the best score of each span, from all pairs of tokens."""
    found: dict[tuple[int, int], float] = {}
    for window, first in zip(*np.nonzero(tokens.is_context_WL), strict=True):
        for last in range(first, min(first + max_answer_tokens, starts_WL.shape[1])):
            if tokens.is_context_WL[window, last]:
                span = int(tokens.start_WL[window, first]), int(tokens.end_WL[window, last])
                score = float(starts_WL[window, first] + ends_WL[window, last])
                found[span] = max(score, found.get(span, -math.inf))
    return found


logit = st.integers(-8, 8).map(float)
held = st.lists(st.tuples(logit, logit), min_size=1, max_size=9)


@given(
    contexts=st.lists(st.tuples(st.integers(0, 5), held, st.integers(0, 2)), min_size=1, max_size=5),
    max_answer_tokens=st.integers(1, 12),
    num_best=st.integers(1, 60),
    block=st.integers(1, 3),
)
def test_the_best_spans_are_those_of_a_search_through_all_pairs(
    contexts: list[tuple[int, list[tuple[float, float]], int]], max_answer_tokens: int, num_best: int, block: int
) -> None:
    given_windows = windows(
        *((first, [start for start, _ in logits], [end for _, end in logits]) for first, logits, _ in contexts)
    )
    _, question_W = np.unique([question for _, _, question in contexts], return_inverse=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "BLOCK", block)
        ranked = best_answers(*given_windows, question_W, max_answer_tokens=max_answer_tokens, num_best=num_best)

    for question, one in enumerate(ranked):
        own = question_W == question
        starts_WL, ends_WL, tokens = given_windows
        expected = plain_best(
            starts_WL[own],
            ends_WL[own],
            ContextTokens(tokens.is_context_WL[own], tokens.start_WL[own], tokens.end_WL[own]),
            max_answer_tokens,
        )
        assert [span.score_logit for span in one.spans] == sorted(expected.values(), reverse=True)[:num_best]
        assert all(expected[span[:2]] == span.score_logit for span in one.spans)
        assert len({span[:2] for span in one.spans}) == len(one.spans)


def test_a_question_is_answered_alike_alone_and_among_others() -> None:
    rng = np.random.default_rng(0)
    contexts = [(int(first), rng.normal(size=9).tolist(), rng.normal(size=9).tolist()) for first in range(6)]
    question_W = np.array([2, 0, 1, 0, 2, 1])

    together = best_answers(*windows(*contexts), question_W)

    alone = [
        best(*(context for context, question in zip(contexts, question_W, strict=True) if question == one))
        for one in range(3)
    ]
    assert together == alone

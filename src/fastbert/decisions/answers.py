"""The best answers to questions, out of the start and end logits of their windows. Numpy only.

The score of a span is the start logit of its first token plus the end logit of its last (Devlin et al. 2019, section
4.2). That of "no answer" is the same sum at the first token of a window ([CLS]); the lowest of all windows counts, for
one window that sees an answer is enough (`run_squad.py`). Knows nothing of texts or of how a window was cut.

A span that several windows hold counts once, with its best score. `run_squad.py` takes it only from the window that
shows most of what surrounds its first token. No ablation of that is known; `run_qa.py` of transformers does without and
reports 81.2 exact match and 88.5 F1 on SQuAD 1.1, where the paper has 80.8 and 88.5 (BERT base).

Axes: W windows, L tokens of the longest window, K best of a window, M tokens of the longest answer, Q questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]
MAX_ANSWER_TOKENS = 30  # of run_squad.py, as is the number of best answers
NUM_BEST = 20
BLOCK = 64  # windows at a time, so that their arrays stay in the cache


class ScoredSpan(NamedTuple):
    """A part of a context, from one character to another (exclusive), with the sum of its logits."""

    start_char: int
    end_char: int
    score_logit: float


@dataclass(frozen=True)
class RankedAnswers:
    """The best spans of a question, by falling score, all different; and the score of "no answer"."""

    spans: tuple[ScoredSpan, ...]
    null_logit: float

    @property
    def margin(self) -> float:
        """Return how much better "no answer" scores than the best span; infinite if there is no span."""
        return self.null_logit - (self.spans[0].score_logit if self.spans else -np.inf)

    def probabilities(self) -> npt.NDArray[np.float64]:
        """Return the softmax over "no answer", which is the first, and the spans, of shape (1 + spans,).

        Among the spans alone, for a model that knows no "no answer", it is the rest divided by its sum.

        >>> RankedAnswers((ScoredSpan(0, 4, 2.0), ScoredSpan(0, 9, 2.0)), 2.0).probabilities().round(2).tolist()
        [0.33, 0.33, 0.33]
        """
        logits = np.array([self.null_logit, *(span.score_logit for span in self.spans)], np.float64)
        shares = np.exp(logits - logits.max())
        return np.asarray(shares / shares.sum(), np.float64)


@dataclass(frozen=True)
class ContextTokens:
    """What is known of the tokens of padded windows, of shape (W, L).

    is_context_WL: True for tokens of the context; they are one run in each window.
    start_WL, end_WL: their characters in the context, end exclusive.
    """

    is_context_WL: npt.NDArray[np.bool_]
    start_WL: Ints
    end_WL: Ints

    def select(self, part: slice) -> ContextTokens:
        """Return some of the windows."""
        return ContextTokens(self.is_context_WL[part], self.start_WL[part], self.end_WL[part])


def best_answers(
    start_logits_WL: Floats,
    end_logits_WL: Floats,
    tokens: ContextTokens,
    question_W: Ints,
    *,
    max_answer_tokens: int = MAX_ANSWER_TOKENS,
    num_best: int = NUM_BEST,
) -> list[RankedAnswers]:
    """Return the best answers to each question.

    start_logits_WL, end_logits_WL: float (W, L); what is at padding is not read.
    question_W: the question of each window, counted from 0; each question has at least one window, in any order.
    max_answer_tokens: of the longest span.    num_best: spans returned for a question, at most.

    >>> tokens = ContextTokens(np.array([[False, True, True]]), np.array([[0, 0, 5]]), np.array([[0, 4, 8]]))
    >>> logits = np.array([[0.0, 3.0, 1.0]]), np.array([[0.0, 1.0, 2.0]])
    >>> best_answers(*logits, tokens, np.array([0]), num_best=2)[0].spans
    (ScoredSpan(start_char=0, end_char=8, score_logit=5.0), ScoredSpan(start_char=0, end_char=4, score_logit=4.0))
    """
    question_W = np.asarray(question_W, np.int64)
    null_Q = np.full(int(question_W.max(initial=-1)) + 1, np.inf)
    np.minimum.at(null_Q, question_W, start_logits_WL[:, 0].astype(np.float64) + end_logits_WL[:, 0])
    parts = [
        _best_of_windows(start_logits_WL[part], end_logits_WL[part], tokens.select(part), max_answer_tokens, num_best)
        for part in (slice(start, start + BLOCK) for start in range(0, len(question_W), BLOCK))
    ]
    if not parts:
        return []
    score_WK, start_WK, end_WK = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    real_WK = (score_WK > -np.inf) & (end_WK > start_WK)  # tokens that the tokenizer made up have no characters
    question = np.broadcast_to(question_W[:, None], real_WK.shape)[real_WK]
    best = _Candidates(question, score_WK[real_WK], start_WK[real_WK], end_WK[real_WK]).distinct().first(num_best)
    bounds = np.searchsorted(best.question, np.arange(len(null_Q) + 1)).tolist()
    spans = [
        ScoredSpan(*span) for span in zip(best.start.tolist(), best.end.tolist(), best.score.tolist(), strict=True)
    ]
    return [
        RankedAnswers(tuple(spans[bounds[index] : bounds[index + 1]]), null)
        for index, null in enumerate(null_Q.tolist())
    ]


def _best_of_windows(
    start_logits_WL: Floats, end_logits_WL: Floats, tokens: ContextTokens, max_tokens: int, num_best: int
) -> tuple[Floats, Ints, Ints]:
    """Return score, first and last character of the best spans of each window, of shape (W, K), in no order.

    A span is among the K best only if its first token is among the K whose best span is best: K bands of M ends are
    searched instead of L.
    """
    num_windows, length = start_logits_WL.shape
    nothing = np.float32(-np.inf)
    begin_WL = np.where(tokens.is_context_WL, start_logits_WL, nothing)
    width = min(max_tokens, length)
    finish_WL = np.full((num_windows, length + width), nothing, np.result_type(end_logits_WL, np.float32))
    np.copyto(finish_WL[:, :length], end_logits_WL, where=tokens.is_context_WL)

    best_WL = begin_WL + _sliding_max(finish_WL, width)[:, :length]
    num_starts = min(num_best, length)
    rows_W1 = np.arange(num_windows)[:, None]
    first_WK = np.argpartition(-best_WL, num_starts - 1, axis=1)[:, :num_starts]
    last_WKM = first_WK[:, :, None] + np.arange(width)
    score_WKM = begin_WL[rows_W1, first_WK][:, :, None] + finish_WL[rows_W1[:, :, None], last_WKM]

    score_WS = score_WKM.reshape(num_windows, -1)
    num_spans = min(num_best, score_WS.shape[1])
    chosen_WK = np.argpartition(-score_WS, num_spans - 1, axis=1)[:, :num_spans]
    first_WK = first_WK[rows_W1, chosen_WK // width]
    last_WK = np.minimum(first_WK + chosen_WK % width, length - 1)  # beyond the end the score is minus infinity
    return score_WS[rows_W1, chosen_WK], tokens.start_WL[rows_W1, first_WK], tokens.end_WL[rows_W1, last_WK]


def _sliding_max(values_WL: Floats, width: int) -> Floats:
    """Return for each place the maximum of it and the width - 1 places behind it: log2(width) passes."""
    best_WL, done = values_WL.copy(), 1
    while done < width:
        step = min(done, width - done)
        best_WL[:, :-step] = np.maximum(best_WL[:, :-step], best_WL[:, step:])
        done += step
    return best_WL


@dataclass(frozen=True)
class _Candidates:
    """Spans of all questions: the question of each, its score, and its characters."""

    question: Ints
    score: Floats
    start: Ints
    end: Ints

    def take(self, index: npt.NDArray[np.bool_] | Ints) -> _Candidates:
        return _Candidates(self.question[index], self.score[index], self.start[index], self.end[index])

    def distinct(self) -> _Candidates:
        """Return each span of a question once, with its best score."""
        ordered = self.take(np.lexsort((-self.score, self.end, self.start, self.question)))
        keys = np.stack([ordered.question, ordered.start, ordered.end])
        is_new = np.ones(keys.shape[1], np.bool_)
        is_new[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
        return ordered.take(is_new)

    def first(self, num_best: int) -> _Candidates:
        """Return the best spans of each question, by falling score; among equals the earlier and shorter first."""
        ordered = self.take(np.lexsort((self.end, self.start, -self.score, self.question)))
        begin = np.searchsorted(ordered.question, ordered.question)
        return ordered.take(np.arange(len(begin)) - begin < num_best)

"""What a report of a question answerer shows: whether it knows when there is no answer, and where answers are poor.

Axes: N questions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastbert.display import number
from fastbert.insight.evidence import AnswerRows, Evidence, Floats, Ints
from fastbert.insight.page import Html, element, section, table
from fastbert.insight.plots import Bars, Frame, histogram

_BINS = 24
_WORDS: Sequence[tuple[int, int]] = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 10**9))


def answers(evidence: Evidence) -> Html:
    """Return tables and charts, nothing for other tasks."""
    rows = evidence.answers
    if rows is None or not len(rows.f1_N):
        return Html("")
    return section(
        f"Questions and answers, {evidence.rows_name}",
        _decided(rows),
        element("div", _margins(rows, evidence), class_="charts"),
        _by_words(rows, rows.length_N, "words of the shortest right answer"),
        _by_words(rows, rows.words_N, "words of the question"),
        note="F1: how many words of the answer are those of a right one.",
    )


def _decided(rows: AnswerRows) -> Html:
    if rows.has_answer_N.all() and rows.said_answer_N.all():
        return Html("")
    body = []
    for name, has_N in (("has an answer", rows.has_answer_N), ("has none", ~rows.has_answer_N)):
        given_N = has_N & rows.said_answer_N
        f1 = float(rows.f1_N[has_N].mean()) if has_N.any() else None
        body.append([name, *(f"{int(part.sum()):,}" for part in (has_N, given_N, has_N & ~given_N)), number(f1)])
    return table(["question", "questions", "answered", "left unanswered", "F1"], body, class_="numbers")


def _margins(rows: AnswerRows, evidence: Evidence) -> Html:
    """Return how much better "no answer" scores, for questions with an answer and without."""
    if rows.has_answer_N.all() or not rows.has_answer_N.any():
        return Html("")
    low, high = np.quantile(rows.margin_N, (0.01, 0.99)).tolist()
    counts = [
        np.histogram(np.clip(rows.margin_N[chosen], low, high), _BINS, (low, high))
        for chosen in (rows.has_answer_N, ~rows.has_answer_N)
    ]
    series = [
        Bars("with an answer", tuple(map(float, counts[0][0]))),
        Bars("without one", tuple(map(float, counts[1][0])), "orange"),
    ]
    limit = evidence.bundle.decisions.no_answer_margin
    about = f"Nothing is answered above {limit:.3g}. What lies beyond the ends is counted in the last bars."
    frame = Frame('How much better "no answer" scores', "margin, logits", "questions", about=about)
    return histogram(frame, counts[0][1].tolist(), series)


def _by_words(rows: AnswerRows, words_N: Ints, title: str) -> Html:
    body = []
    for least, most in _WORDS:
        chosen_N = (words_N >= least) & (words_N <= most)
        if chosen_N.any():
            name = f"{least}" if least == most else f"{least} or more" if most > 10**6 else f"{least} to {most}"
            body.append([name, f"{int(chosen_N.sum()):,}", *map(number, _means(rows.f1_N, rows.exact_N, chosen_N))])
    return table([title, "questions", "F1", "exact match"], body, class_="numbers") if len(body) > 1 else Html("")


def _means(f1_N: Floats, exact_N: Floats, chosen_N: np.ndarray) -> tuple[float, float]:
    return float(f1_N[chosen_N].mean()), float(exact_N[chosen_N].mean())

"""Exact match and F1 of answers, as the official SQuAD scripts compute them (`evaluate-v1.1.py`, `evaluate-v2.0.py`).

The texts of two answers are compared without case, ASCII punctuation, the articles a, an, the, and surplus white space.
The best over all right answers counts. Fractions from 0 to 1, where the scripts print percent. Knows nothing of logits,
windows or files.

The two scripts differ where nothing is left of a text. Version 1.1 gives two such texts F1 0. Version 2.0 gives them 1,
and drops such right answers: a question left with none, like one without an answer, is right if answered by nothing.
The rule of 2.0 is used as soon as one question has no answer.
"""

# N questions

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence, Set

import numpy as np
from numpy.typing import NDArray

from fastbert.data.examples import QuestionExample

Floats = NDArray[np.floating]
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def answer_scores(predicted: Sequence[str], examples: Sequence[QuestionExample]) -> dict[str, float]:
    """Return the scores of predicted answers; "" says that there is none.

    exact_match and f1 over all questions. Where some have no answer, also exact_match_answered and f1_answered over
    those that have one, and no_answer_accuracy over the others. A score of no question is not in the result.
    Raises ValueError if the answers to a question are not known.

    >>> from fastbert.data.examples import Answer
    >>> asked = [QuestionExample("Who?", "Anna Lee and Bo", (Answer("Anna Lee", 0), Answer("Bo", 13)))]
    >>> {name: round(score, 3) for name, score in answer_scores(["the Lee!"], asked).items()}
    {'exact_match': 0.0, 'f1': 0.667}
    """
    if not examples:
        return {}
    exact_N, f1_N = answer_matches(predicted, examples)
    scores = {"exact_match": float(exact_N.mean()), "f1": float(f1_N.mean())}
    answered_N = np.array([bool(example.answers) for example in examples])
    if answered_N.all():
        return scores
    if answered_N.any():
        scores |= {
            "exact_match_answered": float(exact_N[answered_N].mean()),
            "f1_answered": float(f1_N[answered_N].mean()),
        }
    return scores | {"no_answer_accuracy": float(exact_N[~answered_N].mean())}


def answer_matches(
    predicted: Sequence[str], examples: Sequence[QuestionExample]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return exact match (0 or 1) and F1 of each question, of shape (N,).

    Raises ValueError if the answers to a question are not known.
    """
    if any(example.answers is None for example in examples):
        raise ValueError("the answers of some questions are not known")
    with_none = any(not example.answers for example in examples)
    matches = [
        _best_match(text, example.right_texts, with_none) for text, example in zip(predicted, examples, strict=True)
    ]
    exact_N, f1_N = np.array(matches, np.float64).reshape(-1, 2).T
    return exact_N, f1_N


def best_no_answer_threshold(
    margins_N: Floats, scores_N: Floats, has_answer_N: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return the threshold for "no answer" with the best mean score, and that score.

    A question is to be answered by nothing if its margin is above the threshold.
    margins_N: null score minus score of the best answer, or any number that is higher for less of an answer.
    scores_N: exact match or F1 of the best answer, as if each question were answered.

    The search of `evaluate-v2.0.py`; the lowest of equally good thresholds is taken. The script returns the margin of
    the last question that is answered; this is midway to the next one, so that a rounding error decides no question,
    or 1 beyond all margins. Equal margins are decided alike, which the script overlooks.
    Raises ValueError if there is no question, or a margin is no number.

    >>> best_no_answer_threshold(np.array([-4.0, 1.0, 3.0]), np.array([1.0, 0.5, 0.0]), np.array([True, True, False]))
    (2.0, 0.8333333333333334)
    """
    margins_N = np.asarray(margins_N, np.float64)
    if len(margins_N) == 0 or np.isnan(margins_N).any():
        raise ValueError("no margins, or some that are no number")
    order = np.argsort(margins_N, kind="stable")
    sorted_N = margins_N[order]
    gains_N = np.where(has_answer_N, scores_N, np.asarray(scores_N) - 1.0)[order]
    totals = np.cumsum(
        np.concatenate([[np.count_nonzero(~np.asarray(has_answer_N))], gains_N])
    )  # of 0, 1, ... N answered
    bounds = np.concatenate([[sorted_N[0] - 2], sorted_N, [sorted_N[-1] + 2]])
    totals[1:-1][sorted_N[1:] == sorted_N[:-1]] = -np.inf  # no threshold parts equal margins
    best = int(np.argmax(totals))
    return float((bounds[best] + bounds[best + 1]) / 2), float(totals[best] / len(margins_N))


def normalized_answer(text: str) -> str:
    """Return what is compared of an answer.

    >>> normalized_answer("  The U.S.A., an 'ally' ")
    'usa ally'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_WITHOUT_PUNCTUATION)).split())


def _best_match(text: str, right: Set[str], with_none: bool) -> tuple[float, float]:
    """Return exact match and F1 with the best of the right answers. with_none: by the rule of version 2.0."""
    said, texts = normalized_answer(text), {normalized_answer(one) for one in right}
    if with_none:
        texts = {one for one in texts if one} or {""}
    exact = float(said in texts)
    if with_none and not said:
        return exact, exact
    return exact, max(_f1(said, one) for one in texts)


def _f1(said: str, right: str) -> float:
    """Return the harmonic mean of precision and recall of words, counted as often as they occur."""
    if said == right:
        return float(bool(said))
    words, right_words = said.split(), right.split()
    num_same = (Counter(words) & Counter(right_words)).total()
    return 2 * num_same / (len(words) + len(right_words)) if num_same else 0.0

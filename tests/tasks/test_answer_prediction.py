"""An answer as a value: its place in the context, its cells, and when there is none."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fastbert.data.examples import QuestionExample
from fastbert.decisions.answers import RankedAnswers, ScoredSpan
from fastbert.tasks.answer_prediction import AnswerPrediction, AnswerSpan, decide

EXAMPLE = QuestionExample("Where?", "Rome, or Paris")
RANKED = RankedAnswers((ScoredSpan(9, 14, 3.0), ScoredSpan(0, 4, 2.0)), 4.0)
NOTHING = RankedAnswers((), 1.0)


def decided(ranked: RankedAnswers = RANKED, *, unanswerable: bool = False, margin: float = 0.0) -> AnswerPrediction:
    return decide(ranked, EXAMPLE, cut=False, unanswerable=unanswerable, margin=margin)


def test_the_best_span_is_the_answer_and_scores_add_up_to_one() -> None:
    prediction = decided()

    assert (prediction.answer, prediction.start, prediction.end) == ("Paris", 9, 14)
    assert [span.answer for span in prediction.alternatives] == ["Paris", "Rome"]
    assert sum(span.score for span in prediction.alternatives) == pytest.approx(1.0)
    assert (prediction.score, prediction.no_answer) == (prediction.alternatives[0].score, 0.0)


@pytest.mark.parametrize(("margin", "answer"), [(0.9, ""), (1.0, "Paris"), (1.1, "Paris")])
def test_none_is_given_above_the_margin_alone(margin: float, answer: str) -> None:
    """The best span scores 3, "no answer" 4."""
    prediction = decided(unanswerable=True, margin=margin)

    assert prediction.answer == answer
    assert prediction.margin == 1.0
    assert prediction.score == (prediction.alternatives[0].score if answer else prediction.no_answer)
    assert sum(prediction.numbers.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("margin", [0.9, 1.0])
def test_another_margin_gives_what_it_would_have_given_at_first(margin: float) -> None:
    assert decided(unanswerable=True, margin=5.0).at_margin(margin) == decided(unanswerable=True, margin=margin)


def test_the_probabilities_are_the_softmax_of_the_logits() -> None:
    shares = np.exp([4.0, 3.0, 2.0]) / np.exp([4.0, 3.0, 2.0]).sum()

    prediction = decided(unanswerable=True)

    assert prediction.numbers == pytest.approx(
        {"no answer": shares[0], "Paris (9-14)": shares[1], "Rome (0-4)": shares[2]}
    )


@pytest.mark.parametrize("unanswerable", [True, False])
def test_a_context_without_tokens_has_no_answer(unanswerable: bool) -> None:
    prediction = decided(NOTHING, unanswerable=unanswerable)

    assert (prediction.answer, prediction.start, prediction.score, prediction.no_answer) == ("", None, 1.0, 1.0)
    assert prediction.cells == ("", "", "", "1.000000")


def test_an_answer_is_cells_json_and_a_line_for_people() -> None:
    prediction = AnswerPrediction(
        text="Where?", pair=EXAMPLE.pair, start=0, end=4, score=0.75, alternatives=(AnswerSpan("Rome", 0, 4, 0.75),)
    )

    assert prediction.cells == ("Rome", "0", "4", "0.750000")
    assert prediction.describe() == "Rome 0.75"
    assert json.loads(json.dumps(prediction.to_json())) == {
        "answer": "Rome",
        "start": 0,
        "end": 4,
        "score": 0.75,
        "no_answer": 0.0,
        "alternatives": [{"answer": "Rome", "start": 0, "end": 4, "score": 0.75}],
    }


def test_no_answer_is_said_in_words() -> None:
    assert decided(unanswerable=True).describe().startswith("(no answer) 0.6")


def test_a_question_that_was_cut_says_so() -> None:
    prediction = decide(RANKED, EXAMPLE, cut=True, unanswerable=False, margin=0.0)

    assert prediction.to_json()["cut"] is True

"""Scores of answers, by hand and against plain loops written after the description of the official scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fastbert.data.examples import Answer, QuestionExample
from fastbert.data.questions import detect_questions, read_questions
from fastbert.metrics.answers import answer_matches, answer_scores, best_no_answer_threshold, normalized_answer
from tests.realdata import real_data

words = st.lists(
    st.sampled_from(["the", "a", "An", "Rome", "rome.", "old", "U.S.", "-", "Tiber", "é"]), max_size=4
).map(" ".join)


def asked(*answers: str) -> QuestionExample:
    return QuestionExample("Who?", "context", tuple(Answer(text, 0) for text in answers))


def test_an_answer_whose_place_is_not_known_counts_as_right() -> None:
    """The official scripts never look at offsets."""
    question = QuestionExample("Who?", "context", (Answer("to Rome", 0),), unplaced=("Rome",))

    scores = answer_scores(["Rome"], [question])

    assert (scores["exact_match"], scores["f1"]) == (1.0, 1.0)


# --- exact match and F1 -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Cat,\n an A", "cat"),
        ("U.S.A.", "usa"),
        ("theatre another", "theatre another"),
        ("a-b", "ab"),
        ("the—end", "—end"),  # a dash is no ASCII punctuation, but a border of a word
        ("¿Qué?", "¿qué"),
        ("a", ""),
        ("", ""),
    ],
)
def test_case_punctuation_articles_and_blanks_do_not_count(text: str, expected: str) -> None:
    assert normalized_answer(text) == expected


@pytest.mark.parametrize(
    ("predicted", "right", "exact", "f1"),
    [
        ("the Tiber", ["Tiber."], 1, 1),
        ("old Rome", ["Rome"], 0, 2 / 3),
        ("old old Rome", ["old Rome old town"], 0, 6 / 7),  # a word counts as often as it occurs: 3 of 3, 3 of 4
        ("old Rome", ["Tiber", "Rome", "in old Rome"], 0, 4 / 5),
        ("Rome", ["Tiber", "rome"], 1, 1),
        ("Paris", ["Rome"], 0, 0),
        ("", ["Rome"], 0, 0),
    ],
)
def test_the_best_of_the_right_answers_counts(predicted: str, right: list[str], exact: float, f1: float) -> None:
    """Worked out by hand from precision and recall of words."""
    assert answer_scores([predicted], [asked(*right)]) == pytest.approx({"exact_match": exact, "f1": f1})


def test_questions_without_an_answer_have_scores_of_their_own() -> None:
    """Four questions: right, half of the words, rightly and wrongly said to have none."""
    scores = answer_scores(["Rome", "old town", "", "Tiber"], [asked("Rome"), asked("old Rome"), asked(), asked()])

    assert scores == pytest.approx(
        {
            "exact_match": 2 / 4,
            "f1": 2.5 / 4,
            "exact_match_answered": 1 / 2,
            "f1_answered": 1.5 / 2,
            "no_answer_accuracy": 1 / 2,
        }
    )


def test_scores_of_no_question_are_left_out() -> None:
    assert answer_scores([], []) == {}
    assert answer_scores(["", "x"], [asked(), asked()]) == {"exact_match": 0.5, "f1": 0.5, "no_answer_accuracy": 0.5}


def test_version_1_gives_two_texts_of_nothing_no_f1() -> None:
    assert answer_scores(["an"], [asked("the")]) == {"exact_match": 1.0, "f1": 0.0}


def test_version_2_takes_an_answer_of_nothing_for_none() -> None:
    exact_N, f1_N = answer_matches(["an", "old", "", "the"], [asked("the"), asked("the", "old"), asked("the"), asked()])

    assert exact_N.tolist() == f1_N.tolist() == [1, 1, 1, 1]


def test_answers_that_are_not_known_are_refused() -> None:
    with pytest.raises(ValueError, match="the answers of some questions are not known"):
        answer_scores(["x"], [QuestionExample("Who?", "context")])


def test_predictions_and_questions_are_of_one_number() -> None:
    with pytest.raises(ValueError, match="zip"):
        answer_scores(["x", "y"], [asked("x")])


def plain_match(predicted: str, right: Sequence[str], version: int) -> tuple[float, float]:
    """Score one answer step by step."""

    def normal(text: str) -> list[str]:
        text = "".join(letter for letter in text.lower() if letter not in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
        return [word for word in re.sub(r"\b(a|an|the)\b", " ", text).split(" ") if word.strip()]

    right_words = [normal(text) for text in right]
    if version == 2:
        right_words = [one for one in right_words if one] or [[]]
    said, exact, f1 = normal(predicted), 0.0, 0.0
    for one in right_words:
        exact = max(exact, float(said == one))
        left, same = list(one), 0
        for word in said:
            if word in left:
                left.remove(word)
                same += 1
        if version == 2 and (not said or not one):
            f1 = max(f1, float(said == one))
        elif same:
            precision, recall = same / len(said), same / len(one)
            f1 = max(f1, 2 * precision * recall / (precision + recall))
    return exact, f1


@given(rows=st.lists(st.tuples(words, st.lists(words, min_size=1, max_size=3)), min_size=1), with_none=st.booleans())
def test_scores_are_those_of_plain_loops(rows: list[tuple[str, list[str]]], with_none: bool) -> None:
    rows = [*rows, ("Rome", [])] if with_none else rows

    exact_N, f1_N = answer_matches([text for text, _ in rows], [asked(*right) for _, right in rows])

    expected = [plain_match(text, right, 2 if with_none else 1) for text, right in rows]
    assert exact_N.tolist() == [exact for exact, _ in expected]
    assert f1_N.tolist() == pytest.approx([f1 for _, f1 in expected])


@pytest.mark.parametrize("name", ["dev-v1.1.json", "dev-v2.0.json"])
def test_the_right_answers_of_the_real_files_score_1(name: str) -> None:
    path = real_data(f"squad/{name}")
    examples, _ = read_questions(path, detect_questions(path))

    longest = [max((answer.text for answer in example.answers or ()), key=len, default="") for example in examples]
    scores = answer_scores(longest, examples)

    assert set(scores.values()) == {1.0}


# --- the threshold ----------------------------------------------------------------------------------


def realised(threshold: float, margins_N: np.ndarray, scores_N: np.ndarray, has_answer_N: np.ndarray) -> float:
    """Return the mean score if questions with a margin above the threshold are answered by nothing."""
    return float(np.where(margins_N > threshold, ~has_answer_N, scores_N).mean())


def plain_search(margins: list[float], scores: list[float], has_answer: list[bool]) -> tuple[float, float]:
    """Answer one question after another, by rising margin; return the best margin (None: none) and score."""
    score = best = float(has_answer.count(False))
    threshold = -np.inf
    for margin, gained, answerable in sorted(zip(margins, scores, has_answer, strict=True)):
        score += gained if answerable else -1.0
        if score > best:
            best, threshold = score, margin
    return threshold, best / len(margins)


questions = st.integers(1, 30).flatmap(
    lambda count: st.tuples(
        arrays(np.float64, count, elements=st.floats(-20, 20, width=16), unique=True),
        arrays(np.float64, count, elements=st.sampled_from([0.0, 0.5, 1.0])),
        arrays(np.bool_, count),
    )
)


def test_a_threshold_worked_out_by_hand() -> None:
    """Rising: -3 right, -1 has no answer, 0 half right, 2 has no answer. None 2, then 3, 2, 2.5, 1.5 of 4."""
    threshold, score = best_no_answer_threshold(
        np.array([2.0, -3.0, 0.0, -1.0]), np.array([0.0, 1.0, 0.5, 0.0]), np.array([False, True, True, False])
    )

    assert (threshold, score) == (-2.0, 0.75)


@given(rows=questions)
def test_the_threshold_decides_as_a_search_question_by_question(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    margins_N, scores_N, has_answer_N = rows
    scores_N = np.where(has_answer_N, scores_N, 0.0)

    threshold, score = best_no_answer_threshold(margins_N, scores_N, has_answer_N)

    margin, best = plain_search(margins_N.tolist(), scores_N.tolist(), has_answer_N.tolist())
    assert score == best
    assert ((margins_N > threshold) == (margins_N > margin)).all()


@given(rows=questions, digits=st.integers(-1, 1))
def test_the_score_is_what_the_threshold_gives_and_no_other_gives_more(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray], digits: int
) -> None:
    margins_N, scores_N, has_answer_N = rows
    margins_N = margins_N.round(digits)  # some are equal now

    threshold, score = best_no_answer_threshold(margins_N, scores_N, has_answer_N)

    assert score == pytest.approx(realised(threshold, margins_N, scores_N, has_answer_N))
    others = [realised(margin, margins_N, scores_N, has_answer_N) for margin in [-np.inf, *margins_N]]
    assert score == pytest.approx(max(others))


@pytest.mark.parametrize(("has_answer", "threshold"), [(True, 3.0), (False, -1.0)])
def test_where_all_or_none_is_answered_the_threshold_lies_1_beyond(has_answer: bool, threshold: float) -> None:
    found = best_no_answer_threshold(
        np.array([0.0, 2.0]), np.array([1.0, 1.0]) * has_answer, np.array([has_answer] * 2)
    )

    assert found == (threshold, 1.0)


@pytest.mark.parametrize("margins", [[], [np.nan]])
def test_margins_that_say_nothing_are_refused(margins: list[float]) -> None:
    with pytest.raises(ValueError, match="no margins, or some that are no number"):
        best_no_answer_threshold(np.array(margins), np.ones(len(margins)), np.ones(len(margins), np.bool_))

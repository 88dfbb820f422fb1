"""The deletion curve and its verdict, on a backend whose words have known weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.examples import TextExample
from fastbert.insight.attribution import occlude
from fastbert.insight.faithfulness import Faithfulness, check, num_check_passes
from tests.insight.explained import Counting, case, counting_predictor, made_up_check, masker

TEXT = TextExample("crash and slow , it is bad and the app is good")


def checked(text: TextExample = TEXT, sign: float = 1.0, orders: int = 20, seed: int = 0) -> Faithfulness:
    predictor = counting_predictor()
    own = case(predictor, text)
    ((found,),) = occlude(masker(predictor), [own])
    (result,) = check(masker(predictor), own, [sign * found.values_K], orders=orders, seed=seed)
    return result


def test_the_right_words_are_found_faithful() -> None:
    result = checked()

    assert result.verdict == "faithful"
    assert result.area < min(result.random_areas)
    assert result.insertion_area > max(result.random_areas)


def test_the_wrong_words_are_not() -> None:
    assert checked(sign=-1.0).verdict == "no better than chance"


def test_a_curve_begins_with_the_text_and_ends_without_words() -> None:
    result = checked()

    assert result.deletion[0] == pytest.approx(1 / (1 + np.exp(-4.0)))  # 3 + 2 + 1 - 2
    assert result.deletion[-1] == pytest.approx(0.5)
    assert (result.insertion[0], result.insertion[-1]) == (result.deletion[-1], result.deletion[0])
    assert all(scores[0] == result.deletion[0] for scores in result.random)


def test_the_deletion_curve_matches_hand_computed_scores() -> None:
    result = checked(TextExample("crash and slow good"))  # weights 3, 0, 2, -2: hidden in this order

    odds = np.array([3.0, 0.0, -2.0, -2.0, 0.0])
    np.testing.assert_allclose(result.deletion, 1 / (1 + np.exp(-odds)))
    assert result.area == pytest.approx(np.trapezoid(result.deletion, dx=0.25))


def test_the_top_fifth_is_hidden_and_shown_alone() -> None:
    result = checked()

    assert (result.num_words, result.top) == (12, 2)
    assert result.without_top == pytest.approx(1 / (1 + np.exp(1.0)))  # crash and slow are gone
    assert result.top_alone == pytest.approx(1 / (1 + np.exp(-5.0)))
    assert len(result.random_without) == len(result.random_alone) == 20


def test_the_same_seed_draws_the_same_orders() -> None:
    assert checked(seed=3) == checked(seed=3)
    assert checked(seed=3).random != checked(seed=4).random


def test_passes_are_not_more_than_announced() -> None:
    predictor = counting_predictor()
    own = case(predictor, TEXT)
    ((found,),) = occlude(masker(predictor), [own])
    assert isinstance(predictor.backend, Counting)
    before = predictor.backend.seen

    check(masker(predictor), own, [found.values_K], orders=7)

    assert 0 < predictor.backend.seen - before <= num_check_passes(own, 7)


@pytest.mark.parametrize(
    ("deletion", "verdict"),
    [
        ((0.9, 0.3, 0.2, 0.15, 0.1), "faithful"),
        ((0.9, 0.8, 0.65, 0.4, 0.1), "unclear"),
        ((0.9, 0.88, 0.85, 0.8, 0.1), "no better than chance"),
    ],
)
def test_the_verdict_is_by_the_area(deletion: tuple[float, ...], verdict: str) -> None:
    assert made_up_check(deletion).verdict == verdict


def test_a_score_that_never_moves_is_said() -> None:
    still = Faithfulness(4, (0, 1, 3, 4), (0.9, 0.91, 0.9, 0.9), (0.9, 0.9, 0.9, 0.9), ((0.9, 0.89, 0.9, 0.9),), top=1)

    assert still.sentences()[0] == "The score hardly moves whatever words are hidden: no word carries it."


def test_a_number_that_never_moves_is_judged_by_its_area() -> None:
    moved = Faithfulness(4, (0, 1, 3, 4), (0.9, 0.91, 0.9, 0.9), (0.9, 0.9, 0.9, 0.9), ((0.9, 0.8, 0.9, 0.9),), top=1)

    assert replace(moved, is_probability=False).verdict == "no better than chance"


def test_few_words_give_no_verdict() -> None:
    assert checked(TextExample("crash and slow")).sentences() == ("The text has too few words to tell.",)
    assert checked(TextExample(" ")).verdict == "too few words"


def test_the_sentences_give_score_and_spread() -> None:
    sentences = made_up_check().sentences()

    assert sentences[0] == "The words shown carry the answer: no random order lowers the score sooner."
    assert sentences[1] == (
        "Without 1 of 4 words, the top 20%: score 0.900 -> 0.300; without as many random ones 0.825 (0.800 to 0.850)."
    )
    assert sentences[2] == "With these alone: 0.800; with as many random ones 0.400 (0.300 to 0.500); with none 0.100."


def test_values_are_plain_in_json() -> None:
    values = made_up_check().to_json()

    assert (values["verdict"], values["top"], values["without_top"]) == ("faithful", 1, 0.3)


@given(st.integers(0, 400))
def test_the_counts_hold_none_all_and_the_top_on_both_sides(num_words: int) -> None:
    from fastbert.insight.faithfulness import _counts, _top

    counts = _counts(num_words)

    assert {0, num_words, _top(num_words), num_words - _top(num_words)} <= set(counts)
    assert list(counts) == sorted(set(counts)) and len(counts) <= 23

"""ROUGE against values computed by hand, from Lin 2004, and from the package `rouge-score` 0.1.2 without stemming."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.metrics.text import mean_rouge, rouge, words_of

WORDS = st.lists(st.sampled_from("a b c d".split()), max_size=8)


def test_the_example_of_lin_2004() -> None:
    """Section 3.1 there: "police kill the gunman" has 3 of the 4 words in their order, the other 2.

    Of the second that is "the gunman". ROUGE-2 cannot tell both apart: 1 of 3 pairs each.
    """
    one, two = "police kill the gunman", "the gunman kill police"

    assert rouge(one, "police killed the gunman") == {"rouge1": 0.75, "rouge2": pytest.approx(1 / 3), "rougeL": 0.75}
    assert rouge(two, "police killed the gunman") == {"rouge1": 0.75, "rouge2": pytest.approx(1 / 3), "rougeL": 0.5}


def test_a_word_counts_as_often_as_both_have_it() -> None:
    """3 times "the" against twice: 2 common, of 3 and of 4 words."""
    assert rouge("the the the", "the cat the mat")["rouge1"] == pytest.approx(2 * 2 / 7)


@pytest.mark.parametrize(
    ("summary", "reference", "expected"),
    [
        (
            "The app crashes on start, says the report.",
            "On start the app crashes; the report says so.",
            (0.9411764705882353, 0.5333333333333333, 0.5882352941176471),
        ),
        (
            "It was 3.5% cheaper than the U.S. model",
            "the U.S. model was 3.5 percent dearer than it",
            (0.8571428571428572, 0.5263157894736842, 0.380952380952381),
        ),
        ("a b a b a", "b a b a b a b", (0.8333333333333333, 0.8, 0.8333333333333333)),
        ("Nothing in common", "entirely different words here", (0.0, 0.0, 0.0)),
        ("", "some words", (0.0, 0.0, 0)),
        ("one", "one", (1.0, 0.0, 1.0)),
        ("one two three four five six seven eight", "eight seven six five four three two one", (1.0, 0.0, 0.125)),
        (
            "The quick brown fox jumps over the lazy dog. The dog sleeps.",
            "The lazy dog sleeps while the quick fox jumps over it.",
            (0.7826086956521738, 0.5714285714285713, 0.43478260869565216),
        ),
    ],
)
def test_values_are_those_of_rouge_score(summary: str, reference: str, expected: tuple[float, float, float]) -> None:
    assert tuple(rouge(summary, reference).values()) == pytest.approx(expected, abs=1e-12)


def test_words_are_letters_and_digits_in_small_letters() -> None:
    assert words_of("The U.S.-made »Straße« no_5, 3.5%") == ["the", "u", "s", "made", "straße", "no", "5", "3", "5"]


def test_the_mean_is_over_texts() -> None:
    assert mean_rouge(["a b", "c"], ["a b", "d"]) == {"rouge1": 0.5, "rouge2": 0.5, "rougeL": 0.5}


def test_no_texts_have_no_mean() -> None:
    with pytest.raises(ValueError, match="ROUGE of no texts is not defined"):
        mean_rouge([], [])


@given(first=WORDS, second=WORDS)
def test_measures_are_shares_that_do_not_depend_on_the_side(first: list[str], second: list[str]) -> None:
    scores = rouge(" ".join(first), " ".join(second))

    assert scores == pytest.approx(rouge(" ".join(second), " ".join(first)))
    assert all(0 <= value <= 1 for value in scores.values())
    assert scores["rougeL"] <= scores["rouge1"] + 1e-12


@given(words=WORDS.filter(lambda words: len(words) > 1))
def test_a_text_holds_all_of_itself(words: list[str]) -> None:
    assert rouge(" ".join(words), " ".join(words)) == {"rouge1": 1.0, "rouge2": 1.0, "rougeL": 1.0}


def test_marks_belong_to_their_letters_however_they_are_written() -> None:
    assert words_of("caf\u00e9") == words_of("cafe\u0301") == ["caf\u00e9"]
    assert words_of("\u0939\u093f\u0928\u094d\u0926\u0940 \u0939\u0948") == [
        "\u0939\u093f\u0928\u094d\u0926\u0940",
        "\u0939\u0948",
    ]

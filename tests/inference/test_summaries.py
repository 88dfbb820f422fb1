"""Extractive summaries: which sentences are chosen, by vectors that are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.errors import ConfigError, DataError
from fastbert.inference.predictor import TextInput
from fastbert.inference.summaries import ExtractiveSummarizer, choose_sentences, lead
from fastbert.inference.vector_files import Vectors


class Letters:
    """Embeds a sentence as how often it has the letters a, b and c, and notes how many it was given."""

    width = 3

    def __init__(self) -> None:
        self.count = 0

    def stream(self, texts: Iterable[TextInput], chunk: int = 2) -> Iterator[tuple[Vectors, int]]:
        listed = [str(text) for text in texts]
        self.count += len(listed)
        yield np.array([[text.count(one) for one in "abc"] for text in listed], np.float32).reshape(-1, 3), 0


def directions(*degrees: float) -> Vectors:
    radians = np.deg2rad(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_the_sentences_nearest_to_the_whole_are_chosen() -> None:
    """The mean direction of 0, 10, 20 and 90 degrees lies at about 27."""
    assert choose_sentences(directions(90, 0, 10, 20), 2, relevance=1.0) == [2, 3]


def test_a_sentence_that_repeats_another_gives_way() -> None:
    """By hand, lambda 0.5: 20 degrees first; then 21 gains (0.99 - 1.00) / 2, and 90 gains (0.50 - 0.34) / 2."""
    vectors_SD = directions(0, 20, 21, 90)

    assert choose_sentences(vectors_SD, 2, relevance=1.0) == [1, 2]
    assert choose_sentences(vectors_SD, 2, relevance=0.5) == [2, 3]


@given(st.lists(st.floats(0, 360), min_size=1, max_size=8), st.integers(1, 10), st.floats(0, 1))
def test_as_many_as_asked_for_are_chosen_in_order(degrees: list[float], count: int, relevance: float) -> None:
    chosen = choose_sentences(directions(*degrees), count, relevance)

    assert len(chosen) == len(set(chosen)) == min(count, len(degrees))
    assert chosen == sorted(chosen)


def test_summaries_hold_sentences_in_the_order_of_the_text() -> None:
    summarize = ExtractiveSummarizer(Letters(), sentences=2, relevance=1.0)

    assert summarize(["Xaabb. Xccc.  Xabab! Xaaa.", "Ab."]) == ["Xaabb. Xabab!", "Ab."]


def test_a_text_with_few_sentences_comes_back_whole_and_is_not_embedded() -> None:
    embed = Letters()

    assert ExtractiveSummarizer(embed)([" One.  Two.\nThree. ", ""]) == ["One.  Two.\nThree.", ""]
    assert embed.count == 0


def test_vectors_of_no_length_do_no_harm() -> None:
    assert ExtractiveSummarizer(Letters(), 1)(["Xx. Yy. Zz."]) == ["Xx."]


@pytest.mark.parametrize(
    ("sentences", "relevance", "message"),
    [(0, 0.5, "sentences is 0; expected at least 1"), (1, 1.5, "relevance is 1.5; expected a number from 0 to 1")],
)
def test_numbers_out_of_range_are_refused(sentences: int, relevance: float, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ExtractiveSummarizer(Letters(), sentences, relevance)


def test_the_lead_is_the_first_sentences() -> None:
    assert lead("One. Two.  Three.", 2) == "One. Two."


@pytest.mark.parametrize(
    ("texts", "message"),
    [("a. b. c. d.", "a single text was given"), (["a", None], "Item 1 is NoneType; expected a text")],
)
def test_what_is_no_list_of_texts_is_refused(texts: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(DataError, match=message):
        ExtractiveSummarizer(Letters())(texts)

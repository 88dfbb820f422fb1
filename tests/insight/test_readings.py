"""Words of texts, and the tokens that belong to them, as the model reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.examples import QuestionExample, TextExample
from fastbert.errors import ConfigError
from fastbert.insight.readings import NO_WORD, read_examples, replacement_id
from fastbert.labels import Labels
from fastbert.tasks.answering import Answering
from fastbert.tasks.base import Task
from fastbert.tasks.tagging import Tagging
from tests.bundles import MULTI, SINGLE, open_tiny
from tests.helpers import FAMILIES
from tests.insight.explained import counting_predictor, readings, tokenizer


def test_a_sign_is_a_word_of_its_own() -> None:
    (reading,) = readings(counting_predictor(), [TextExample("The app, it crashes!")])

    assert [word.text for word in reading.words] == ["The", "app", ",", "it", "crashes", "!"]


def test_special_tokens_and_padding_belong_to_no_word() -> None:
    (reading,) = readings(counting_predictor(), [TextExample("app is slow")])

    assert reading.word_T.tolist() == [NO_WORD, 0, 1, 2, NO_WORD]


def test_the_words_of_a_pair_follow_those_of_its_text() -> None:
    (reading,) = readings(counting_predictor(), [TextExample("app slow", "not bad")])

    assert [(word.text, word.start, word.source) for word in reading.words] == [
        ("app", 0, "text"), ("slow", 4, "text"), ("not", 0, "pair"), ("bad", 4, "pair"),
    ]  # fmt: skip
    assert reading.word_T.tolist() == [NO_WORD, 0, 1, NO_WORD, 2, 3, NO_WORD]


def test_words_that_were_cut_are_not_read() -> None:
    predictor = counting_predictor(replace(SINGLE, truncation="head"), max_tokens=5)

    (reading,) = readings(predictor, [TextExample("the app is slow and bad")])

    assert [word.text for word in reading.words if word.read] == ["the", "app", "is"]


def test_a_word_in_two_windows_is_one_word() -> None:
    predictor = counting_predictor(replace(SINGLE, truncation="windows"), max_tokens=10)

    (reading,) = readings(predictor, [TextExample("the app is slow and bad and not good for you and i")])

    assert len(reading.windows) == 2
    shared = set(reading.word_T[reading.part(0)].tolist()) & set(reading.word_T[reading.part(1)].tolist())
    assert len(shared - {NO_WORD}) > 0
    assert reading.read_K.all()


def test_texts_of_one_list_are_read_as_each_alone() -> None:
    predictor, texts = counting_predictor(), ["the app", "", "it is bad , not good"]

    together = readings(predictor, [TextExample(text) for text in texts])

    for text, reading in zip(texts, together, strict=True):
        (alone,) = readings(predictor, [TextExample(text)])
        assert (reading.words, reading.word_T.tolist()) == (alone.words, alone.word_T.tolist())
        np.testing.assert_array_equal(reading.windows.ids_T, alone.windows.ids_T)


@pytest.mark.parametrize(
    ("task", "example"),
    [
        (Tagging(Labels(("place",))), TextExample("berlin is great , paris is not " * 4)),
        (Answering(), QuestionExample("who is it ?", "anna is in berlin . " * 8)),
        (MULTI, TextExample("the app is bad , the page is not")),
    ],
)
def test_every_task_is_read_as_it_encodes(task: Task, example: TextExample) -> None:
    (reading,) = read_examples([example], task, tokenizer(), 20)

    np.testing.assert_array_equal(
        reading.windows.ids_T,
        task.encode([example], tokenizer(), 20).windows.ids_T,  # type: ignore[attr-defined]
    )
    assert reading.read_K.all()


def test_a_task_of_another_package_is_refused() -> None:
    class Own(Tagging):
        name = "own"

    with pytest.raises(ConfigError, match="The task 'own' cannot be explained"):
        read_examples([TextExample("app")], Own(Labels(("place",))), tokenizer(), 20)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_token_for_hidden_words(family: str, tmp_path: Path) -> None:
    own = open_tiny(tmp_path / family, family).tokenizer

    assert own.tokens_of([replacement_id(own)])[0] in ("[MASK]", "<mask>")


@given(st.text(alphabet="app slow,.!'é東 \n", max_size=40))
def test_words_are_disjoint_and_every_token_of_a_letter_has_one(text: str) -> None:
    (reading,) = readings(counting_predictor(), [TextExample(text)])

    ends = [0, *(word.end for word in reading.words)]
    assert all(word.start >= end for word, end in zip(reading.words, ends, strict=False))
    assert all(word.text == text[word.start : word.end] for word in reading.words)
    assert (reading.word_T[1:-1] != NO_WORD).all()

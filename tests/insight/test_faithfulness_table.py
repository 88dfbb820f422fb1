"""Faithfulness over several texts."""

from __future__ import annotations

import pytest

from fastbert.data.examples import TextExample
from fastbert.errors import DataError
from fastbert.insight.faithfulness_table import FaithfulnessSummary, faithfulness
from tests.insight.explained import counting_predictor, made_up_check

TEXTS = ["crash and the app is slow", "it is bad and not good , crash", "the page is slow , error ! crash"]


def test_the_right_words_beat_random_ones() -> None:
    found = faithfulness(counting_predictor(), [TextExample(text) for text in TEXTS])

    assert (found.method, found.texts, found.better) == ("occlusion", 3, 1.0)
    assert found.area < found.random_area < found.insertion_area
    assert found.without_top < found.random_without
    assert found.hidden == pytest.approx(1 / 3, abs=1e-6)


def test_means_match_hand_computed_ones() -> None:
    good, bad = made_up_check(), made_up_check((0.9, 0.9, 0.9, 0.9, 0.1))

    found = FaithfulnessSummary.of("gradients", [good, bad])

    assert found.area == pytest.approx((0.2875 + 0.8) / 2)
    assert found.random_area == pytest.approx((0.625 + 0.5625) / 2)
    assert found.error == pytest.approx(abs(0.2875 - 0.8) / 2)  # standard deviation of two, by the root of two
    assert found.better == 0.5


def test_the_table_says_by_how_much() -> None:
    shown = repr(FaithfulnessSummary.of("gradients", [made_up_check()] * 2).view())

    assert "area below random by 0.306 (standard error 0.000), in 100% of the texts" in shown
    assert "deletion area (lower is better)" in shown


def test_texts_of_few_words_measure_nothing() -> None:
    with pytest.raises(DataError, match="no text with enough words"):
        faithfulness(counting_predictor(), [TextExample("crash")])

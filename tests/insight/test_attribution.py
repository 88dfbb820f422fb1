"""Occlusion against weights that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastbert.data.examples import TextExample
from fastbert.insight.attribution import occlude
from fastbert.insight.explained_outputs import TextOutput
from tests.bundles import SINGLE
from tests.insight.explained import case, counting_predictor, masker


def test_a_word_is_worth_what_hiding_it_takes_away() -> None:
    predictor = counting_predictor()

    ((found,),) = occlude(masker(predictor), [case(predictor, TextExample("crash and good"))])

    np.testing.assert_allclose(found.values_K, [3.0, 0.0, -2.0])
    assert (found.value, found.hidden, found.steps, found.error) == (1.0, 0.0, None, None)


def test_log_odds_of_a_softmax_look_at_the_other_labels() -> None:
    predictor = counting_predictor()
    output = TextOutput("bug", "log-odds", 0, (1, 2))

    ((found,),) = occlude(masker(predictor), [case(predictor, TextExample("crash"), output)])

    np.testing.assert_allclose([found.value, found.hidden], [3.0 - np.log(2), -np.log(2)])
    np.testing.assert_allclose(found.values_K, [3.0])


def test_words_that_were_cut_are_worth_nothing() -> None:
    predictor = counting_predictor(replace(SINGLE, truncation="head"), max_tokens=5)

    ((found,),) = occlude(masker(predictor), [case(predictor, TextExample("bad and the crash"))])

    np.testing.assert_allclose(found.values_K, [1.0, 0.0, 0.0, 0.0])


def test_a_text_without_words_has_no_values() -> None:
    predictor = counting_predictor()

    ((found,),) = occlude(masker(predictor), [case(predictor, TextExample(" "))])

    assert (len(found.values_K), found.value) == (0, found.hidden)

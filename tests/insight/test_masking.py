"""Outputs while words are hidden, on a backend whose answers are known by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastbert.data.examples import TextExample
from fastbert.insight.explained_outputs import TextOutput
from fastbert.insight.masking import HiddenWords, hidden_sets
from tests.bundles import SINGLE
from tests.insight.explained import Counting, case, counting_predictor, masker

TEXT = TextExample("crash and slow , good")  # 3 + 2 - 2
LONG = TextExample("crash and the app is slow and i hate it and the page is bad")


def test_hidden_words_take_their_weights_away() -> None:
    predictor = counting_predictor()
    own = case(predictor, TEXT)

    (values_TV,) = masker(predictor).values(
        [HiddenWords(own.reading, own.outputs, hidden_sets(5, [[], [0], [4], [0, 2]]))]
    )

    np.testing.assert_allclose(values_TV, [[3.0, 0.0, 5.0, -2.0]])


def test_every_output_is_read_off_the_same_passes() -> None:
    predictor = counting_predictor()
    own = case(predictor, TEXT)
    outputs = (TextOutput("bug", "log-odds", 0), TextOutput("bug", "value", 0, scale=10.0, shift=1.0))

    (values_TV,) = masker(predictor).values([HiddenWords(own.reading, outputs, hidden_sets(5, [[], [0]]))])

    np.testing.assert_allclose(values_TV, [[3.0, 0.0], [31.0, 1.0]])
    assert isinstance(predictor.backend, Counting) and predictor.backend.seen == 2


def test_windows_that_do_not_change_are_not_run_again() -> None:
    predictor = counting_predictor(replace(SINGLE, truncation="windows"), max_tokens=8)
    own = case(predictor, LONG)
    alone = np.flatnonzero(np.bincount(own.reading.word_T[own.reading.word_T >= 0]) == 1)
    work = HiddenWords(own.reading, own.outputs, hidden_sets(len(own.reading.words), [[], [int(alone[0])], []]))

    masker(predictor).values([work])

    count = len(own.reading.windows) + 1
    assert work.num_passes(4) == count
    assert isinstance(predictor.backend, Counting) and predictor.backend.seen == count


def test_windows_are_averaged_as_for_the_answer() -> None:
    predictor = counting_predictor(replace(SINGLE, truncation="windows"), max_tokens=8)
    own = case(predictor, LONG)
    said = masker(predictor).outputs([own.reading])[0]

    (values_TV,) = masker(predictor).values([HiddenWords(own.reading, own.outputs, hidden_sets(15, [[]]))])

    np.testing.assert_allclose(values_TV, [[np.mean([outputs["logits"][0] for outputs in said])]], rtol=1e-6)


def test_cases_do_not_mix() -> None:
    predictor = counting_predictor()
    cases = [case(predictor, TextExample(text)) for text in ("crash", "slow and bad and good", "great")]

    together = masker(predictor).values(
        [HiddenWords(one.reading, one.outputs, hidden_sets(len(one.reading.words), [[], [0]])) for one in cases]
    )

    np.testing.assert_allclose(np.concatenate(together), [[3.0, 0.0], [1.0, -1.0], [-1.0, 0.0]])


def test_nothing_to_run_is_nothing() -> None:
    assert masker(counting_predictor()).outputs([]) == []

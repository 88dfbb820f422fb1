"""Linear models: what they learn, and features of texts and pairs."""

from __future__ import annotations

import numpy as np
import pytest

from fastbert.data.examples import TextExample
from fastbert.errors import MissingExtraError
from fastbert.insight.linear import TextFeatures, fit_labels, fit_numbers, pair_features

TEXTS = ["a good day", "a bad day", "good food", "bad food", "good and cheap", "bad and dear"]
GOOD_N = np.array([True, False] * 3)


def test_halves_of_the_features_have_length_one_and_words_of_no_training_text_are_left_out() -> None:
    features_of = TextFeatures(TEXTS)

    found = features_of(["good day", "zzzzz"]).toarray()

    assert found.shape == (2, features_of.num_features)
    assert np.linalg.norm(found, axis=1).tolist() == pytest.approx([np.sqrt(2), 0.0])


def test_texts_without_any_word_have_no_features_and_no_error() -> None:
    assert TextFeatures(["", " "])(["text"]).shape == (1, 1)


def test_two_labels_are_fitted_once_and_mirror_each_other() -> None:
    features = TextFeatures(TEXTS)(TEXTS)

    odds_NC = fit_labels(features, np.stack([~GOOD_N, GOOD_N], axis=1), 8.0)(features)

    assert ((odds_NC[:, 1] > 0) == GOOD_N).all()
    assert odds_NC[:, 0].tolist() == (-odds_NC[:, 1]).tolist()


def test_each_of_several_labels_is_learned_against_the_rest() -> None:
    features = TextFeatures(TEXTS)(TEXTS)
    food_N = np.array(["food" in text for text in TEXTS])
    targets_NC = np.stack([GOOD_N, food_N, np.zeros(6, bool), np.ones(6, bool)], axis=1)

    odds_NC = fit_labels(features, targets_NC, 32.0)(features)

    assert ((odds_NC > 0) == targets_NC).all()


def test_dense_vectors_are_fitted_too() -> None:
    vectors_ND = np.random.default_rng(0).normal(size=(6, 3)) + 3 * GOOD_N[:, None]

    model = fit_labels(vectors_ND, GOOD_N[:, None], 10.0)

    assert ((model(vectors_ND)[:, 0] > 0) == GOOD_N).all()
    assert model.num_parameters == 4


def test_the_same_seed_gives_the_same_model_bit_for_bit() -> None:
    features = TextFeatures(TEXTS)(TEXTS)
    first, second = (fit_labels(features, GOOD_N[:, None], 2.0, seed=3) for _ in range(2))

    assert (first.weights_FC == second.weights_FC).all()


@pytest.mark.parametrize("dense", [True, False])
def test_numbers_are_fitted_by_ridge_regression(dense: bool) -> None:
    features = TextFeatures(TEXTS)(TEXTS)
    values_N = np.where(GOOD_N, 5.0, 1.0)

    model = fit_numbers(features.toarray() if dense else features, values_N, 0.1)

    assert np.abs(model(features)[:, 0] - values_N).max() < 0.5


@pytest.mark.parametrize("dense", [True, False])
def test_a_pair_has_both_texts_their_difference_product_and_cosine(dense: bool) -> None:
    sparse = TextFeatures(TEXTS)
    examples = [TextExample("good day", "good day"), TextExample("good day", "bad food")]

    found = pair_features(examples, lambda texts: sparse(texts).toarray() if dense else sparse(texts))

    rows = np.asarray(found if dense else found.toarray())
    width = sparse.num_features
    assert rows.shape == (2, 4 * width + 1)
    assert not rows[0, 2 * width : 3 * width].any()
    assert rows[0, -1] == pytest.approx(2.0)  # the same words, the same pieces: a cosine of 1 each
    assert rows[1, -1] == pytest.approx(float(rows[1, :width] @ rows[1, width : 2 * width]))


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn.feature_extraction.text", None)

    with pytest.raises(MissingExtraError, match=r"A baseline needs the package scikit-learn"):
        TextFeatures(TEXTS)

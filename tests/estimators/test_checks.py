"""scikit-learn's own checks of an estimator, as far as text allows.

They send numbers; the doubles here read a row of numbers as a sentence, a word for each. What cannot hold then, or
for a small encoder that starts at random, is excluded by name, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_array

from fastbert import FastBertClassifier, FastBertRegressor
from fastbert.estimators import base
from fastbert.estimators.texts import Texts
from tests.helpers import DEFAULT_WORDS

if TYPE_CHECKING:
    from sklearn.utils import Tags

QUICK: dict[str, Any] = {
    "encoder": "tiny",
    "epochs": 1,
    "lr": 1e-3,
    "batch_size": 64,
    "precision": "fp32",
    "options": {"average": 1},
}
NUM_WORDS = 40
EXCLUDED = {
    "check_n_features_in": "numbers of a row are words of one text: n_features_in_ is 1, and not their count",
    "check_n_features_in_after_fitting": "numbers of a row are words of one text: n_features_in_ is 1",
    "check_classifiers_train": "asks for an accuracy of 0.83 on numbers; an encoder of random weights has not learned "
    "to count",
    "check_regressors_train": "asks for an R2 of 0.5 on numbers; an encoder of random weights has not learned to count",
    "check_methods_subset_invariance": "batches of other shapes round differently: up to 1e-6, where 1e-7 is asked for",
}


class ReadsNumbers:
    """Unlocks the checks, which are made for two-dimensional arrays of numbers alone."""

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # of the estimator beside it
        tags.input_tags.two_d_array, tags.input_tags.one_d_array, tags.input_tags.string = True, False, False
        return tags


class NumberClassifier(ReadsNumbers, FastBertClassifier):
    """A classifier of sentences made of numbers."""


class NumberRegressor(ReadsNumbers, FastBertRegressor):
    """A regressor on sentences made of numbers."""


def sentences(X: object) -> Texts:
    """Return rows of numbers as sentences: which word stands for a number depends on its column."""
    numbers_NC = check_array(X, dtype=np.float64)
    places_NC = (np.floor(4 * numbers_NC).astype(int) + 7 * np.arange(numbers_NC.shape[1])) % NUM_WORDS
    return Texts([" ".join(DEFAULT_WORDS[place] for place in row) for row in places_NC])


@pytest.fixture
def numbers_as_words(monkeypatch: pytest.MonkeyPatch, encoder: str) -> None:
    monkeypatch.setattr(base, "read_texts", sentences)
    monkeypatch.chdir(Path(encoder).parent)  # the checks are made before there is a folder to name


@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn is not typed
    [NumberClassifier(**QUICK), NumberRegressor(**QUICK)],
    expected_failed_checks=lambda estimator: EXCLUDED,
    xfail_strict=False,  # how a machine rounds decides on the last of them
)
@pytest.mark.usefixtures("numbers_as_words")
def test_scikit_learns_checks_pass(estimator: object, check: Callable[[object], None]) -> None:
    check(estimator)

"""Linear models on features of texts, by scikit-learn: what an encoder has to beat.

The features are TF-IDF weights of words and of pieces of words, or vectors of a frozen encoder. Knows nothing of tasks,
rows or decisions: features and targets in, scores out. scikit-learn is imported when something is fitted.

Axes: N rows, F features, C labels.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fastbert.data.examples import Example
from fastbert.errors import MissingExtraError

Floats = NDArray[np.float64]
Cells = NDArray[np.bool_]
Matrix = Any  # a numpy array, or a sparse matrix of scipy, which has no types of its own
Embed = Callable[[Sequence[str]], NDArray[np.floating]]

STRENGTHS = (0.5, 2.0, 8.0, 32.0)  # C of logistic regression on TF-IDF, from strong to weak regularisation
DENSE_STRENGTHS = (1.0, 10.0, 100.0, 1000.0)  # the same on vectors of length 1
PENALTIES = (10.0, 3.0, 1.0, 0.3, 0.1)  # alpha of ridge regression
MAX_FEATURES = 200_000  # of words, and of pieces of words
_ITERATIONS = 1000
_LEAST = 1e-6  # probability of a label that no training row has


class TextFeatures:
    """TF-IDF weights: words and pairs of neighbouring words, and pieces of two to five characters within words.

    Weights are sublinear (1 + log of the count) and each half of a text's vector has length 1. Words of one training
    text only are left out where there are many. The pieces make it robust to spelling and endings.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        text = _module("sklearn.feature_extraction.text")
        rare = 2 if len(texts) >= 500 else 1
        common: dict[str, Any] = {"sublinear_tf": True, "min_df": rare, "max_features": MAX_FEATURES}
        halves = [
            text.TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b|[^\w\s]", **common),
            text.TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **common),
        ]
        self._halves = [half for half in halves if _fitted(half, texts)]

    @property
    def num_features(self) -> int:
        """Return how many words and pieces there are."""
        return sum(len(half.vocabulary_) for half in self._halves)

    def __call__(self, texts: Sequence[str]) -> Matrix:
        """Return the weights, sparse (N, F)."""
        sparse = _module("scipy.sparse")
        if not self._halves:
            return sparse.csr_matrix((len(texts), 1))
        return sparse.hstack([half.transform(texts) for half in self._halves]).tocsr()


def pair_features(examples: Sequence[Example], features_of: Callable[[Sequence[str]], Matrix]) -> Matrix:
    """Return the features of texts; of pairs those of both, |first - second|, first * second, and their product's sum.

    The combination of Conneau et al. 2017 (InferSent), and the cosine: the features of a text have a fixed length.
    """
    first = features_of([example.text for example in examples])
    if not any(example.pair is not None for example in examples):
        return first
    second = features_of([example.pair or "" for example in examples])
    sparse = _module("scipy.sparse")
    if not sparse.issparse(first):
        cosine = (first * second).sum(axis=1, keepdims=True)
        return np.hstack([first, second, np.abs(first - second), first * second, cosine])
    product = first.multiply(second)
    return sparse.hstack([first, second, abs(first - second), product, product.sum(axis=1)]).tocsr()


@dataclass(frozen=True)
class LinearModel:
    """weights_FC and bias_C of the outputs. strength: the C or alpha that it was fitted with."""

    weights_FC: Floats
    bias_C: Floats
    strength: float

    def __call__(self, features: Matrix) -> Floats:
        """Return the outputs, float64 (N, C)."""
        return np.asarray(features @ self.weights_FC + self.bias_C, np.float64)

    @property
    def num_parameters(self) -> int:
        """Return the number of weights."""
        return int(self.weights_FC.size + self.bias_C.size)


def fit_labels(features: Matrix, targets_NC: Cells, strength: float, seed: int = 0) -> LinearModel:
    """Fit one logistic regression a label against the rest; outputs are log-odds.

    Two columns that are each other's opposite are fitted once.
    """
    opposite = targets_NC.shape[1] == 2 and bool((targets_NC[:, 0] != targets_NC[:, 1]).all())
    wanted_NC = targets_NC[:, 1:] if opposite else targets_NC
    fitted = [_fit_label(features, wanted_NC[:, label], strength, seed) for label in range(wanted_NC.shape[1])]
    weights_FC, bias_C = np.stack([weights for weights, _ in fitted], axis=1), np.array([bias for _, bias in fitted])
    if opposite:
        weights_FC, bias_C = np.hstack([-weights_FC, weights_FC]), np.hstack([-bias_C, bias_C])
    return LinearModel(weights_FC, bias_C, strength)


def fit_numbers(features: Matrix, values_N: Floats, strength: float, seed: int = 0) -> LinearModel:
    """Fit a ridge regression; the output is the number."""
    linear = _module("sklearn.linear_model")
    solver: Literal["sparse_cg", "cholesky"] = "sparse_cg" if not isinstance(features, np.ndarray) else "cholesky"
    model = linear.Ridge(alpha=strength, solver=solver, random_state=seed).fit(features, values_N)
    return LinearModel(np.asarray(model.coef_).reshape(-1, 1), np.atleast_1d(np.float64(model.intercept_)), strength)


def _fit_label(features: Matrix, targets_N: Cells, strength: float, seed: int) -> tuple[Floats, float]:
    if targets_N.all() or not targets_N.any():
        share = float(np.clip(targets_N.mean(), _LEAST, 1 - _LEAST))
        return np.zeros(features.shape[1]), float(np.log(share / (1 - share)))
    linear = _module("sklearn.linear_model")
    # dual coordinate descent: 4 times as fast as lbfgs on 35,000 sparse features (TREC), but not on dense ones
    dense = isinstance(features, np.ndarray)
    how: dict[str, Any] = {"solver": "lbfgs"} if dense else {"solver": "liblinear", "dual": True, "random_state": seed}
    model = linear.LogisticRegression(C=strength, max_iter=_ITERATIONS, **how)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not quite converged is good enough for a baseline
        model.fit(features, targets_N)
    return np.asarray(model.coef_[0], np.float64), float(model.intercept_[0])


def _fitted(vectorizer: Any, texts: Sequence[str]) -> bool:  # noqa: ANN401 - of scikit-learn, which has no types
    """Fit it; return whether there is anything that it knows."""
    try:
        vectorizer.fit(texts)
    except ValueError:  # "empty vocabulary", or none left by min_df
        return False
    return True


def _module(name: str) -> Any:  # noqa: ANN401 - a module of scikit-learn or scipy, which have no types
    import importlib

    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError("scikit-learn", "train", "A baseline") from error

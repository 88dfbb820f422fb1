"""Texts of feedback with the kinds of y, and estimators that train on them in a moment."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from fastbert import FastBertClassifier, FastBertRegressor
from tests.feedback import FAST, feedback_rows, tagged_rows

QUICK = {name: value for name, value in FAST.items() if name != "average"} | {"options": {"average": 1}}
TEXTS = [row["text"] for row in feedback_rows()]
MOODS = np.array([row["label"] for row in feedback_rows()], dtype=object)
TAGS = np.array([[row["bug"], row["praise"], row["long"]] for row in tagged_rows()])


def numbers() -> npt.NDArray[np.float64]:
    """Return a number for each text: its length in words, and a little for its mood."""
    longer_N: npt.NDArray[np.float64] = 0.5 * (MOODS == "bug").astype(np.float64)
    return longer_N + [len(text.split()) for text in TEXTS]


def classifier(encoder: str, **parameters: object) -> FastBertClassifier:
    """Return a classifier that is quick."""
    return FastBertClassifier(**{**QUICK, "encoder": encoder, **parameters})  # type: ignore[arg-type]  # each fits


def regressor(encoder: str, **parameters: object) -> FastBertRegressor:
    """Return a regressor that is quick."""
    return FastBertRegressor(**{**QUICK, "encoder": encoder, **parameters})  # type: ignore[arg-type]  # each fits


@pytest.fixture(scope="session")
def fitted(encoder: str) -> FastBertClassifier:
    """Return a classifier that was trained on TEXTS and MOODS; tests only read it."""
    return classifier(encoder, epochs=8, lr=3e-3, options={"average": 1, "schedule": "none"}).fit(TEXTS, MOODS)

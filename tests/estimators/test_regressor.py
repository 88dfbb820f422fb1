"""`FastBertRegressor`: numbers in the unit of y."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import is_regressor

from fastbert import FastBertRegressor
from fastbert.errors import BundleError, ConfigError
from tests.estimators.conftest import TEXTS, numbers, regressor


def test_numbers_are_learned_saved_and_opened(encoder: str, tmp_path: Path) -> None:
    model = regressor(encoder, epochs=8, lr=3e-3, loss="huber").fit(TEXTS, numbers())

    opened = FastBertRegressor.load(model.save(tmp_path / "model"))

    assert is_regressor(model)
    assert model.score(TEXTS, numbers()) > 0.5
    assert (opened.loss, opened.predict(TEXTS).dtype.name) == ("huber", "float64")
    assert opened.predict(TEXTS) == pytest.approx(model.predict(TEXTS), abs=1e-4)


def test_a_constant_is_refused_as_a_value_error(encoder: str) -> None:
    with pytest.raises(ValueError, match="All 36 rows have the same number|All 40 rows have the same number"):
        regressor(encoder).fit(TEXTS, np.ones(40))


def test_a_loss_of_classes_is_refused(encoder: str) -> None:
    with pytest.raises(ConfigError, match="loss is 'balanced', which the task 'regression' does not know"):
        regressor(encoder, loss="balanced").fit(TEXTS, numbers())


def test_a_model_of_classes_is_not_opened(bundle: Path) -> None:
    with pytest.raises(BundleError, match="The model's task is single_label; FastBertRegressor opens regression"):
        FastBertRegressor.load(bundle)

"""`FastBertRegressor`: a number for each text, in scikit-learn's manner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin

from fastbert.config import DataConfig
from fastbert.data.examples import Example, ValueExample
from fastbert.data.layout import Layout
from fastbert.errors import BundleError
from fastbert.estimators.base import FastBertEstimator
from fastbert.estimators.targets import read_numbers
from fastbert.tasks.base import Task
from fastbert.tasks.regression import Regression, ValuePrediction

if TYPE_CHECKING:
    from fastbert.training.callbacks import Callback


@dataclass(kw_only=True, eq=False, repr=False)
class FastBertRegressor(RegressorMixin, FastBertEstimator):  # type: ignore[misc]  # scikit-learn is not typed
    """A BERT-type encoder that answers with a number, as an estimator of scikit-learn.

    X, parameters and attributes are those of `FastBertClassifier`, without task, class_weight and classes_;
    loss "huber" is for numbers with outliers. y: finite numbers (N,).

    >>> model = FastBertRegressor(epochs=3).fit(texts, stars)       # doctest: +SKIP
    >>> model.predict(["Does what it says"])                        # doctest: +SKIP
    array([3.8])
    """

    def fit(
        self,
        X: object,
        y: object,
        *,
        valid: tuple[object, object] | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> Self:
        """Train; a second call starts anew.

        valid: X and y to choose among the weights with, instead of a share of the rows.    callbacks: watch the run.
        Raises ArrayError, a ValueError, for an X or y that cannot be used, and ConfigError for a wrong parameter.
        """
        return self._fit(X, y, valid, callbacks)

    def predict(self, X: object) -> npt.NDArray[np.float64]:
        """Return a number for each text, float64 (N,), in the unit of y."""
        return np.array([cast("ValuePrediction", answer).value for answer in self._predict(X)], np.float64)

    # -- what the base class asks for -------------------------------------------------------------

    def _understand(self, y: object) -> None:
        read_numbers(y)

    def _truths(self, y: object) -> Sequence[object]:
        return cast("list[object]", read_numbers(y).tolist())

    def _example(self, text: str, pair: str | None, truth: object, where: str) -> Example:
        return ValueExample(text, pair, cast("float", truth), where)

    def _task(self, examples: Sequence[Example], layout: Layout, config: DataConfig) -> Task:
        return Regression.from_examples(examples, layout, config)

    def _layout(self, names: Sequence[str]) -> Layout:
        """Return how a table of the same rows is read: numbers in a column `value`."""
        return Layout(
            text=names[0],
            pair=names[1] if len(names) > 1 else None,
            label_columns=("value",),
            kind="number",
            delimiter=None,
            task="regression",
            label_names=None,
            group=None,
        )

    def _facts(self) -> dict[str, object]:
        return {}

    def _restore(self, facts: Mapping[str, object], task: Task) -> None:
        if not isinstance(task, Regression):
            raise BundleError(
                f"The model's task is {task.name}; FastBertRegressor opens regression.",
                "Open it with fastbert.Predictor.load(folder).",
            )

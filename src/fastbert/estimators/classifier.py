"""`FastBertClassifier`: classes of texts, one or several a row, in scikit-learn's manner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, cast

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score

from fastbert.config import DataConfig
from fastbert.data.examples import Example, TextExample
from fastbert.data.layout import Layout
from fastbert.decisions.abstain import Abstention
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError, ConfigError
from fastbert.estimators.base import FastBertEstimator
from fastbert.estimators.targets import Array, Classes
from fastbert.inference.predictor import Predictor
from fastbert.labels import Labels
from fastbert.tasks.base import Task
from fastbert.tasks.classification import Classification, MultiLabel, SingleLabel

if TYPE_CHECKING:
    from sklearn.utils import Tags

    from fastbert.training.callbacks import Callback


@dataclass(kw_only=True, eq=False, repr=False)
class FastBertClassifier(ClassifierMixin, FastBertEstimator):  # type: ignore[misc]  # scikit-learn is not typed
    """A BERT-type encoder with a head of classes, as an estimator of scikit-learn.

    X: texts, or two texts a row: a list, an array, a Series, a DataFrame of one or two columns.
    y: a class a row (text, numbers, true and false), a 0/1 matrix, or a list of labels a row.

    Parameters, each with the meaning it has in TrainConfig or DataConfig, None being chosen from data and encoder:
    encoder ("minilm", a folder, or a hub name), epochs, lr, batch_size, max_tokens, truncation, freeze, loss,
    precision, patience, and valid_share, the share of the rows held out to choose among the weights.

    task: "single_label" or "multi_label" where y must be that; "auto" takes it as it is.
    class_weight: "balanced", or weights by class, 1 where there is none; of a multi-label y, those of its ones.
    options: every further field of TrainConfig, DataConfig and DecisionConfig, by name, such as goal.
    random_state: seed of split, weights, order and dropout; an int gives the same model each time.
    verbose: 1 shows plan and progress on standard error.

    Attributes, after `fit`: classes_, n_features_in_ (texts a row), feature_names_in_ (of a DataFrame), predictor_
    (`Predictor`) and learner_ (`Learner` with the rows that it was trained and validated on; None once pickled or
    loaded).

    >>> model = FastBertClassifier(epochs=3).fit(texts, labels)     # doctest: +SKIP
    >>> model.predict(["The export button does nothing"])           # doctest: +SKIP
    array(['bug'], dtype=object)
    """

    task: str = "auto"
    class_weight: str | Mapping[object, float] | None = None

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

    def predict(self, X: object) -> Array:
        """Return the decided classes, in the kind of y: values (N,), a 0/1 matrix (N, C), or lists of labels (N,).

        They are decided by the rule of the model, but that every row is answered: scikit-learn knows no "unknown".
        """
        answers = self._predict(X)
        return self._classes.give_back(answers)

    def predict_proba(self, X: object) -> npt.NDArray[np.float64]:
        """Return the probability of each class, float64 (N, C) in the order of classes_.

        Of one class a row they add up to 1; of several, each says whether its label is given.
        """
        answers = self._predict(X)
        return self._classes.scores_of(answers)

    def score(self, X: object, y: object, sample_weight: object = None) -> float:
        """Return the accuracy: the share of the rows with exactly the right class, or the right labels."""
        predicted = self.predict(X)
        if self._classes.kind == "lists":
            y, predicted = (self._cells(self._classes.rows_of(rows)) for rows in (y, predicted))
        return float(accuracy_score(y, predicted, sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Tags:
        """Return that a row may have several labels."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    # -- what the base class asks for -------------------------------------------------------------

    def _answering(self) -> Predictor:
        return self.predictor_.with_decisions(_answering_all(self.predictor_.bundle.decisions, self._classes.task))

    def _understand(self, y: object) -> None:
        self._take(Classes.of(y, self.task))

    def _take(self, classes: Classes) -> None:
        self._classes = classes
        self.classes_ = classes.values_C

    def _truths(self, y: object) -> Sequence[object]:
        return self._classes.rows_of(y)

    def _example(self, text: str, pair: str | None, truth: object, where: str) -> Example:
        return TextExample(text, pair, cast("tuple[str, ...]", truth), where)

    def _loss(self) -> str:
        return "balanced" if isinstance(self.class_weight, str) and self.class_weight == "balanced" else self.loss

    def _task(self, examples: Sequence[Example], layout: Layout, config: DataConfig) -> Task:
        kind: type[Classification] = SingleLabel if self._classes.task == "single_label" else MultiLabel
        return kind(Labels(self._classes.names), config.truncation, self._label_weights())

    def _label_weights(self) -> tuple[float, ...]:
        """Return the weights that were given by class. Raises ConfigError for wrong ones."""
        given = self.class_weight
        if given is not None and self.loss != "default" and given != self.loss:
            raise ConfigError(f"loss is '{self.loss}' and class_weight is given as well.", "Drop one of the two.")
        if given is None or given == "balanced":
            return ()
        if not isinstance(given, Mapping):
            raise ConfigError(f"class_weight is {given!r}; expected 'balanced', None or weights by class.")
        known = self.classes_.tolist()
        for value, weight in given.items():
            if value not in known:
                raise ConfigError(f"class_weight names {value!r}, which is no class of y ({known[:20]}).")
            if not isinstance(weight, int | float) or not weight > 0:
                raise ConfigError(f"class_weight of {value!r} is {weight!r}; expected a number above 0.")
        return tuple(float(given.get(value, 1.0)) for value in known)

    def _layout(self, names: Sequence[str]) -> Layout:
        """Return how a table of the same rows is read: labels in 0/1 columns of their names, or in a column `label`."""
        one_hot = self._classes.task == "multi_label"
        return Layout(
            text=names[0],
            pair=names[1] if len(names) > 1 else None,
            label_columns=self._classes.names if one_hot else ("label",),
            kind="one_hot" if one_hot else "column",
            delimiter=None,
            task=self._classes.task,
            label_names=None if one_hot else self._classes.names,
            group=None,
        )

    def _facts(self) -> dict[str, object]:
        return {"classes": self._classes.to_json()}

    def _restore(self, facts: Mapping[str, object], task: Task) -> None:
        if not isinstance(task, Classification):
            raise BundleError(
                f"The model's task is {task.name}; FastBertClassifier opens single_label and multi_label.",
                "Open it with fastbert.Predictor.load(folder).",
            )
        given = facts.get("classes")
        names = task.labels.names
        self._take(Classes.from_json(given, names) if isinstance(given, dict) else Classes.of_names(task.name, names))

    def _cells(self, rows: Sequence[Sequence[str]]) -> npt.NDArray[np.int64]:
        return np.array([[int(name in row) for name in self._classes.names] for row in rows], np.int64)


def _answering_all(decisions: Decisions, task: str) -> Decisions:
    """Return a rule without what holds answers back: its limits and, of one label a row, its thresholds."""
    thresholds = () if task == "single_label" else decisions.thresholds
    return replace(decisions, abstention=Abstention(), thresholds=thresholds)

"""Cheap models that a trained one has to beat, fitted on the spot and answering as the task's own predictions.

majority    what is most frequent, whatever the text: the prior of each label, the mean of numbers
tfidf       a linear model on weights of words and pieces of words
embeddings  the same on vectors of an encoder that is not trained
dictionary  for tagging: words that were an entity in most of their training occurrences

Each chooses its strength of regularisation and fits its decision rule on the same held-out rows, by the same function
of the task, as a trained model does. Tasks that none of them can do have none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from fastbert.config import DecisionConfig
from fastbert.data.examples import TextExample, ValueExample
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError, did_you_mean
from fastbert.insight import linear
from fastbert.insight.dictionary import Dictionary
from fastbert.insight.linear import Cells, Embed, Floats, LinearModel, Matrix, TextFeatures, pair_features
from fastbert.metrics.regression import regression_scores
from fastbert.tasks.base import Example, Prediction, Task
from fastbert.tasks.classification import Classification, SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.tasks.regression import Regression, ValuePrediction
from fastbert.tasks.tagging import Tagging

MAX_ROWS = 20_000  # training rows of a baseline
MAX_CELLS, FEWEST_ROWS = 600_000, 2_000  # rows times labels: 5,400 rows of 28 labels took 8 s of one core
MAX_CHARACTERS = 10_000_000  # of their texts: about 10 s for their pieces
Answer = Callable[[Sequence[Example]], list[Prediction]]
KINDS = ("majority", "tfidf", "embeddings", "dictionary")


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline.

    title: what it is, for people.    trained_rows, of_rows: how many of how many training rows it saw.
    strength: of the regularisation that was chosen, None without.    num_parameters: numbers that it holds.
    """

    name: str
    title: str
    answer: Answer
    num_parameters: int
    trained_rows: int
    of_rows: int
    seconds: float
    strength: float | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        names = ("name", "title", "trained_rows", "of_rows", "seconds", "strength", "num_parameters")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Rows:
    """Rows to fit on, and rows held out, on which strength and decision rule are chosen.

    deciding: what the rule is fitted for. A baseline answers all rows: of what holds answers back nothing is fitted.
    """

    train: Sequence[Example]
    held_out: Sequence[Example]
    deciding: DecisionConfig = DecisionConfig()  # frozen


def kinds_for(task: Task) -> tuple[str, ...]:
    """Return the names of the baselines that a task has; () for none."""
    if isinstance(task, Classification | Regression):
        return ("majority", "tfidf", "embeddings")
    return ("dictionary",) if isinstance(task, Tagging) else ()


def check_kinds(names: Sequence[str], task: Task) -> None:
    """Raise ConfigError for a name that is no baseline, or none of the task."""
    for name in names:
        if name not in KINDS:
            raise ConfigError(
                f"'{name}' is not a baseline.", did_you_mean(name, KINDS) or f"Known: {', '.join(KINDS)}."
            )
        if name not in kinds_for(task):
            known = ", ".join(kinds_for(task)) or "none"
            raise ConfigError(f"The task {task.name} has no baseline '{name}'.", f"It has {known}.")


def fit_baseline(name: str, task: Task, rows: Rows, *, embed: Embed | None = None, seed: int = 0) -> Baseline:
    """Fit a baseline by its name, one of `kinds_for(task)`.

    embed: the vectors of texts, for "embeddings".
    Of many rows a sample is used (MAX_ROWS, MAX_CHARACTERS); `Baseline.trained_rows` says how many.
    Raises MissingExtraError without scikit-learn.
    """
    began = time.perf_counter()
    train = sample(rows.train, seed, len(task.label_names))
    made: Baseline
    if name == "dictionary":
        dictionary = Dictionary.of(train)
        made = Baseline(name, "dictionary of the training entities", dictionary, len(dictionary.labels), 0, 0, 0.0)
    elif name == "majority":
        made = _majority(task, replace(rows, train=train))
    elif name == "tfidf":
        made = _linear(name, task, replace(rows, train=train), TextFeatures(_texts(train)), seed)
    else:
        if embed is None:
            raise ValueError("the baseline 'embeddings' needs a function that embeds texts")
        made = _linear(name, task, replace(rows, train=train), embed, seed)
    seconds = time.perf_counter() - began
    return replace(made, trained_rows=len(train), of_rows=len(rows.train), seconds=seconds)


def sample(examples: Sequence[Example], seed: int = 0, num_labels: int = 1) -> list[Example]:
    """Return the examples, or as many of them, drawn at random and in their order, as a baseline is fitted on."""
    most = min(MAX_ROWS, max(FEWEST_ROWS, MAX_CELLS // max(1, num_labels)))
    order = np.random.default_rng(seed).permutation(len(examples))
    lengths_N = np.array([len(example.text) + len(example.pair or "") for example in examples], np.int64)
    fits = int(np.searchsorted(np.cumsum(lengths_N[order]), MAX_CHARACTERS, side="right"))
    return [examples[index] for index in sorted(order[: max(1, min(most, fits))].tolist())]


# -- one for all texts ------------------------------------------------------------------------


def _majority(task: Task, rows: Rows) -> Baseline:
    if isinstance(task, Regression):
        mean = float(np.mean(_values(rows.train)))

        def answer(examples: Sequence[Example]) -> list[Prediction]:
            return [_value(task, mean, example) for example in examples]

        return Baseline("majority", "the mean of the training rows", answer, 1, 0, 0, 0.0)
    labels = cast("Classification", task)
    shares_C = _cells(labels, rows.train).mean(axis=0)
    decided = _Decided(labels, lambda examples: np.tile(shares_C, (len(examples), 1))).fitted(rows)
    title = "the most frequent label" if isinstance(task, SingleLabel) else "how often each label occurs"
    return Baseline("majority", title, decided, len(shares_C), 0, 0, 0.0)


# -- linear models -----------------------------------------------------------------------------


def _linear(name: str, task: Task, rows: Rows, features_of: Callable[[Sequence[str]], Matrix], seed: int) -> Baseline:
    """Fit with each strength, and keep the one that ranks best on the held-out rows."""
    regression = isinstance(task, Regression)
    train, held_out = (pair_features(part, features_of) for part in (rows.train, rows.held_out))
    best: tuple[float, LinearModel] | None = None
    for strength in linear.PENALTIES if regression else _strengths(train):
        if regression:
            model = linear.fit_numbers(train, _values(rows.train), strength, seed)
        else:
            model = linear.fit_labels(train, _cells(cast("Classification", task), rows.train), strength, seed)
        merit = _merit(task, model(held_out), rows.held_out)
        if best is not None and merit <= best[0]:
            break  # beyond the best strength it gets worse
        best = (merit, model)
    assert best is not None
    answer = _answers(task, best[1], features_of, rows)
    on = "TF-IDF of words and pieces" if name == "tfidf" else "frozen embeddings"
    what = "ridge regression" if regression else "logistic regression"
    return Baseline(name, f"{what} on {on}", answer, best[1].num_parameters, 0, 0, 0.0, best[1].strength)


def _strengths(features: Matrix) -> tuple[float, ...]:
    return linear.DENSE_STRENGTHS if isinstance(features, np.ndarray) else linear.STRENGTHS


def _merit(task: Task, outputs_NC: Floats, held_out: Sequence[Example]) -> float:
    """Return how good the outputs are on the held-out rows: the score that chooses weights in training, too."""
    if isinstance(task, Regression):
        return -regression_scores(outputs_NC[:, 0], _values(held_out))["rmse"]
    labels = cast("Classification", task)
    decided = _Decided(labels, lambda _: _probabilities(labels, outputs_NC))
    raw = decided(held_out)
    ranked = task.ranking(task.score(task.redecide(raw, task.fit_decisions(raw, held_out)), held_out))
    return -np.inf if ranked is None else ranked[1]


def _answers(task: Task, model: LinearModel, features_of: Callable[[Sequence[str]], Matrix], rows: Rows) -> Answer:
    def outputs(examples: Sequence[Example]) -> Floats:
        return model(pair_features(examples, features_of))

    if isinstance(task, Regression):

        def answer(examples: Sequence[Example]) -> list[Prediction]:
            values = outputs(examples)[:, 0].tolist() if examples else []
            return [_value(task, value, example) for value, example in zip(values, examples, strict=True)]

        return answer
    labels = cast("Classification", task)
    return _Decided(labels, lambda examples: _probabilities(labels, outputs(examples))).fitted(rows)


def _probabilities(task: Classification, odds_NC: Floats) -> Floats:
    """Return probabilities from log-odds a label; those of a single label are scaled to a sum of 1."""
    probs_NC = 0.5 * (1.0 + np.tanh(0.5 * odds_NC))
    if not isinstance(task, SingleLabel):
        return np.asarray(probs_NC)
    return np.asarray(probs_NC / np.maximum(probs_NC.sum(axis=1, keepdims=True), 1e-12))


@dataclass(frozen=True)
class _Decided:
    """Probabilities of texts made into predictions of a classification task."""

    task: Classification
    probabilities: Callable[[Sequence[Example]], Floats]
    decisions: Decisions = field(default_factory=Decisions)

    def __call__(self, examples: Sequence[Example]) -> list[Prediction]:
        if not examples:
            return []
        raw = [
            LabelPrediction(
                scores=dict(zip(self.task.labels.names, scores_C.tolist(), strict=True)),
                text=example.text,
                pair=example.pair,
            )
            for scores_C, example in zip(self.probabilities(examples), examples, strict=True)
        ]
        return self.task.redecide(raw, self.decisions)

    def fitted(self, rows: Rows) -> _Decided:
        """Return it with the decision rule that training fits to held-out rows, calibration and all."""
        always = rows.deciding.changed(abstain="none", outside=0.0)
        rule = self.task.fit_rule(self(rows.held_out), rows.held_out, always)
        return replace(self, decisions=self.task.open_rule(rule))


def _texts(examples: Sequence[Example]) -> list[str]:
    return [text for example in examples for text in (example.text, example.pair) if text is not None]


def _cells(task: Classification, examples: Sequence[Example]) -> Cells:
    return task.cells_of([cast("TextExample", example).labels or () for example in examples])


def _values(examples: Sequence[Example]) -> Floats:
    return np.array([cast("ValueExample", example).value for example in examples], np.float64)


def _value(task: Regression, value: float, example: Example) -> ValuePrediction:
    return ValuePrediction(value=value, scale=task.scale, text=example.text, pair=example.pair)

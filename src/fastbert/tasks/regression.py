"""Regression: a number for a text or a pair of texts.

The model is trained on numbers of mean 0 and deviation 1; the task keeps the scale and answers in the user's unit. A
long text may be read in several windows, whose outputs are averaged. Torch is touched only inside `loss`.

Axes: W windows, B examples, N rows of a data set.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self, cast, get_args

import numpy as np
import numpy.typing as npt

from fastbert.config import DataConfig, Truncation
from fastbert.data.checks import text_warnings
from fastbert.data.examples import ValueExample
from fastbert.data.features import Features
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError, DataError
from fastbert.metrics.regression import regression_scores
from fastbert.tasks.base import Agreement, Array, Batch, Divergence, Example, Feature, Prediction, Task
from fastbert.tasks.texts import encode_texts, mean_over_windows, targets_of

if TYPE_CHECKING:
    import torch

    from fastbert.data.layout import Layout
    from fastbert.data.reading import AnyLayout
    from fastbert.data.tokens import Tokenizer

Floats = npt.NDArray[np.float64]
SMALLEST, LARGEST = 1e-100, 1e100  # deviations whose squares are numbers of full precision
NUM_BINS = 8  # of the histogram that stands for label counts, and by which rows are held out
# Deviations within which two answers are as good as the same: errors of that size at every row, independent of the
# value, take SAME ** 2 / 2 = 0.005 off Pearson's r.
SAME = 0.1
NEAR, CLOSE = 0.25, 0.75  # deviations of the training values within which an answer is right, or partly right


@dataclass(frozen=True)
class ValuePrediction(Prediction):
    """The number of one text, in the unit of the training table. scale: deviation of the training values."""

    value: float = field(default=0.0, kw_only=True)
    scale: float = field(default=1.0, kw_only=True)

    @property
    def answer(self) -> Hashable:
        """Return the number, rounded to a hundredth of the deviation: closer answers agree."""
        return round(self.value / self.scale, 2)

    def agrees(self, other: Prediction) -> bool:
        """Return whether another number is as good as this one."""
        return abs(self.value - cast("ValuePrediction", other).value) <= SAME * self.scale  # NaN agrees with nothing

    @property
    def numbers(self) -> Mapping[Hashable, float]:
        """Return the number in deviations."""
        return {"value": self.value / self.scale}

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the number, with as many decimals as its scale needs."""
        return (_shown(self.value, self.scale),)

    def describe(self) -> str:
        """Return the number."""
        return _shown(self.value, self.scale, digits=4)

    def to_json(self) -> dict[str, object]:
        """Return the value, and the deviation of the training values: how much of it is much."""
        return {"value": self.value, "scale": self.scale, **self._source_json()}


@dataclass(frozen=True)
class Regression(Task):
    """A number per text.

    target: name of the column.    mean, scale: of the training values; the model's output times scale plus mean is
    the answer.    low, high: smallest and largest training value.
    criterion: "mse", or "huber": squared up to one deviation, then linear (Huber 1964), for values with outliers.
    truncation: how a text that is too long is read.
    """

    target: str
    mean: float
    scale: float
    low: float
    high: float
    criterion: str = "mse"
    truncation: Truncation = "head_tail"

    name: ClassVar[str] = "regression"
    head: ClassVar[str] = "SequenceClassification"
    pipeline: ClassVar[str] = "text-classification"
    monitor: ClassVar[str] = "r2"
    stand_ins: ClassVar[tuple[str, ...]] = ("rmse",)
    answer_metric: ClassVar[str] = "r2"
    losses: ClassVar[tuple[str, ...]] = ("default", "huber")
    counted: ClassVar[str] = "value"
    divergence: ClassVar[Divergence | None] = "square"
    headlines: ClassVar[tuple[str, ...]] = ("spearman", "pearson", "r2", "rmse", "mae")

    @classmethod
    def from_examples(cls, examples: Sequence[Example], layout: AnyLayout, config: DataConfig) -> Self:
        """Make the task for training rows. Raises DataError where all values are the same, or beyond reckoning."""
        values_N, table = _values(examples), cast("Layout", layout)
        if not len(values_N) or (values_N == values_N[0]).all():
            raise DataError(
                f"All {len(values_N):,} rows have the same number in column '{table.label_columns[0]}'.",
                "Name the column to predict with --label.",
            )
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = float(values_N.mean()), float(values_N.std())
        if not SMALLEST <= scale <= LARGEST:
            raise DataError(
                f"The numbers in column '{table.label_columns[0]}' cannot be reckoned with: they are "
                f"{values_N.min():g} to {values_N.max():g}, and differ by {scale:g} (their standard deviation).",
                f"Give them in another unit, so that they differ by {SMALLEST:g} to {LARGEST:g}.",
            )
        return cls(
            table.label_columns[0],
            mean=mean,
            scale=scale,
            low=float(values_N.min()),
            high=float(values_N.max()),
            truncation=config.truncation,
        )

    @property
    def model_options(self) -> dict[str, object]:
        """Return the one output and the problem type, as transformers' configuration spells them."""
        return {"id2label": {0: self.target}, "label2id": {self.target: 0}, "problem_type": "regression"}

    def describe(self) -> str:
        """Return the task with the range of its values."""
        return f"regression of '{self.target}', {self._range} (mean {_shown(self.mean, self.scale, digits=3)})"

    def rule(self, decisions: Decisions) -> str:
        """Return how the output becomes a number."""
        return f"The answer is the model's output times {self.scale:.6g} plus {_shown(self.mean, self.scale)}."

    @property
    def caveat(self) -> str:
        """Return what range was seen."""
        return f"It has seen numbers from {self._range}; others cannot be expected of it."

    def with_loss(self, kind: str, examples: Sequence[Example]) -> Self:
        """Return the task with the loss "huber"."""
        return replace(self, criterion=kind) if kind == "huber" else super().with_loss(kind, examples)

    def strata(self, examples: Sequence[Example]) -> list[tuple[str, ...]]:
        """Return the bin of each row's value."""
        return [(self._bins[index],) for index in self._bin_of(_values(examples))]

    def counts(self, examples: Sequence[Example]) -> dict[str, int]:
        """Return a histogram of the values over the range of the training rows."""
        found = Counter(self._bin_of(_values(examples)).tolist())
        return {name: found[index] for index, name in enumerate(self._bins)}

    def warnings(self, splits: Mapping[str, Sequence[Example]]) -> list[str]:
        """Return what looks wrong with the texts, and rows outside the range that is trained on."""
        found = text_warnings(splits)
        for split, examples in splits.items():
            values_N = _values(examples)
            outside = int(((values_N < self.low) | (values_N > self.high)).sum())
            if outside:
                found.append(
                    f"{outside} of {len(values_N)} values in {split} lie outside {self._range}, "
                    "the range in train: a model is rarely right there. Add such rows to train."
                )
        return found

    def prior_logits(self, examples: Sequence[Example]) -> Floats:
        """Return 0, the mean of the scaled values."""
        return np.zeros(1)

    def encode(
        self, examples: Sequence[Example], tokenizer: Tokenizer, max_tokens: int, first_index: int = 0
    ) -> Features:
        """Return the windows of each example with its scaled value."""
        known = all(example.truth is not None for example in examples)
        targets_N = ((_values(examples) - self.mean) / self.scale).astype(np.float32) if known else None
        return encode_texts(
            examples, targets_N, tokenizer, max_tokens=max_tokens, truncation=self.truncation, first_index=first_index
        )

    def targets(self, features: Sequence[Feature], length: int, rng: np.random.Generator) -> Batch:
        """Return `labels`, float32 (B,)."""
        return {"labels": targets_of(Features.of(features))}

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the summed loss of the scaled values and the number of examples."""
        from fastbert.models import losses

        means_B1 = losses.mean_over_windows(outputs["logits"], batch["example_of_window"], len(batch["labels"]))
        return losses.regression_sum(means_B1[:, 0], batch["labels"], huber=self.criterion == "huber")

    def decode(
        self,
        outputs: Mapping[str, Array],
        features: Sequence[Feature],
        examples: Sequence[Example],
        decisions: Decisions,
    ) -> list[Prediction]:
        """Return one number per example; the outputs of its windows are averaged."""
        packed = Features.of(features)
        values_B = mean_over_windows(np.asarray(outputs["logits"], np.float64), packed)[:, 0] * self.scale + self.mean
        cut_B = packed.windows.table_W["cut"][packed.merged[0]].tolist()
        return [
            ValuePrediction(value=value, scale=self.scale, text=example.text, pair=example.pair, cut=cut)
            for value, cut, example in zip(values_B.tolist(), cut_B, examples, strict=True)
        ]

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """Return `predicted`."""
        return ("predicted",)

    def score(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, float]:
        """Return correlations, r2 and errors in the user's unit."""
        return regression_scores(_predicted(predictions), _values(examples))

    def row_loss(self, prediction: Prediction, example: Example) -> float:
        """Return the absolute error in deviations."""
        return float(abs(self._error(prediction, example)))

    def agreement(self, prediction: Prediction, example: Example) -> Agreement:
        """Return "right" within a quarter of a deviation, "partly" within three quarters."""
        error = self.row_loss(prediction, example)
        return "right" if error <= NEAR else "partly" if error <= CLOSE else "wrong"

    def fit_decisions(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Decisions:
        """Return the default rule, which nothing reads."""
        return Decisions()

    def to_json(self) -> dict[str, object]:
        """Return all fields."""
        names = ("target", "mean", "scale", "low", "high", "criterion", "truncation")
        return {"name": self.name, **{name: getattr(self, name) for name in names}}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """Read what `to_json` wrote."""
        mean, scale, low, high = (_number_of(values, name) for name in ("mean", "scale", "low", "high"))
        criterion, truncation = values.get("criterion", "mse"), values.get("truncation", "head_tail")
        if criterion not in ("mse", "huber") or truncation not in get_args(Truncation) or not scale > 0:
            raise BundleError(
                f"bundle.json: criterion {criterion!r}, truncation {truncation!r} or scale {scale} is not one that "
                "this version knows.",
                "Upgrade with `pip install -U fastbert-nlp`.",
            )
        target, how = str(values.get("target", "value")), cast("Truncation", truncation)
        return cls(target, mean, scale, low, high, str(criterion), how)

    @property
    def _range(self) -> str:
        return f"{_shown(self.low, self.scale)} to {_shown(self.high, self.scale)}"

    def _error(self, prediction: Prediction, example: Example) -> float:
        return float((_predicted([prediction])[0] - _values([example])[0]) / self.scale)

    @cached_property
    def _edges(self) -> Floats:
        return np.linspace(self.low, self.high, NUM_BINS + 1)

    @cached_property
    def _bins(self) -> tuple[str, ...]:
        shown = [_shown(edge, self.scale, digits=3) for edge in self._edges.tolist()]
        return tuple(f"{low} to {high}" for low, high in itertools.pairwise(shown))

    def _bin_of(self, values_N: Floats) -> npt.NDArray[np.intp]:
        return np.searchsorted(self._edges[1:-1], values_N, side="right")


def _shown(value: float, scale: float, *, digits: int = 6) -> str:
    """Return a number for people, to so many digits of the deviation of such numbers, without zeros at the end.

    >>> _shown(3.1400001049, 1.5), _shown(1e9 + 0.1234567, 0.3), _shown(5.0, 2.0, digits=3)
    ('3.14', '1000000000.123457', '5')
    """
    decimals = max(0, digits - 1 - math.floor(math.log10(scale)))
    return repr(round(value, decimals) + 0.0).removesuffix(".0")  # + 0.0: no -0.0


def _number_of(values: Mapping[str, object], name: str) -> float:
    value = values.get(name)
    if not isinstance(value, int | float):
        raise BundleError(f"bundle.json: the task 'regression' has {value!r} for {name}; expected a number.")
    return float(value)


def _predicted(predictions: Sequence[Prediction]) -> Floats:
    return np.array([cast("ValuePrediction", prediction).value for prediction in predictions], np.float64)


def _values(examples: Sequence[Example]) -> Floats:
    """Return the values of examples. Raises ValueError where one is not known."""
    values = [cast("ValueExample", example).value for example in examples]
    if None in values:
        raise ValueError(f"{examples[values.index(None)].where}: an example without a value cannot be scored")
    return np.array(values, np.float64)

"""How sure a model is of the labels that rows were given, and what share of them is probably wrong.

Reads out-of-fold predictions: of a model that has seen the rows a wrong label looks right. The scores are cleanlab's
(Northcutt, Jiang & Chuang, "Confident learning", JAIR 2021). Knows nothing of how predictions were made.

Axes: N rows, C labels.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from fastbert.data.examples import Example, ValueExample
from fastbert.errors import ConfigError, MissingExtraError
from fastbert.option_values import chosen_of
from fastbert.tasks.base import Prediction, Task
from fastbert.tasks.classification import Classification, SingleLabel
from fastbert.tasks.label_prediction import labelled, true_labels
from fastbert.tasks.regression import Regression, ValuePrediction

Floats = npt.NDArray[np.float64]
Method = Literal["self_confidence", "normalized_margin", "confidence_weighted_entropy"]
# By the average precision at which wrong labels that were put in are found (LOG, benchmarks/label_noise.py).
BEST: Method = "self_confidence"
SUREST = 0.1  # share of the rows of one answer, by which the noise is estimated: measured beside 0.05, 0.2 and 0.3
OUTLIER = 3.0  # robust deviations; of normal errors 0.27 % lie farther off
NORMAL_OUTLIERS = 0.0027
WIDEST = 0.5  # of an interval that says something; only tables of a few dozen rows have a wider one
OVER = "more likely fewer: what the model gets wrong for sure is counted with them"
UNDER = "more likely more: wrong numbers within the usual errors of the model are not counted"
_Z = 1.959964  # 97.5 % quantile of the normal distribution


@dataclass(frozen=True)
class NoiseEstimate:
    """What share of the rows has wrong labels. share: the estimate.    low, high: its 95 % interval.

    rows: of the table.    how: what it was read off.    caveat: which way it errs.
    """

    rows: int
    share: float
    low: float
    high: float
    how: str
    caveat: str

    @property
    def tells(self) -> bool:
        """Return whether the rows are enough to say anything: the interval is not wider than WIDEST."""
        return self.high - self.low <= WIDEST

    @property
    def count(self) -> int:
        """Return how many rows that is; 0 where the rows are too few to tell."""
        return round(self.share * self.rows) if self.tells else 0

    def describe(self) -> str:
        """Return the estimate as a sentence."""
        interval = f"95 % interval {100 * self.low:.1f} to {100 * self.high:.1f} %"
        if not self.tells:
            return f"how many labels are wrong cannot be told from {self.rows:,} rows ({interval}); none is marked"
        return (
            f"about {self.count:,} of {self.rows:,} rows ({100 * self.share:.1f} %, {interval}) "
            f"are probably labelled wrong; {self.caveat}"
        )

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "rows": self.rows,
            "share": self.share,
            "low": self.low,
            "high": self.high,
            "how": self.how,
            "caveat": self.caveat,
        }


def check_task(task: Task) -> None:
    """Raise ConfigError for a task whose label errors are not found, MissingExtraError without cleanlab."""
    if isinstance(task, Regression):
        return
    _classification(task)
    try:
        import cleanlab.rank
    except ImportError as error:
        raise MissingExtraError("cleanlab", "clean", "Finding label errors") from error
    assert cleanlab.rank


def label_quality(
    task: Task, predictions: Sequence[Prediction], examples: Sequence[Example], *, method: Method = BEST
) -> Floats:
    """Return how probably the labels of each row are right, float64 (N,) from 0 to 1.

    predictions: out-of-fold, one for each example.
    Single-label: cleanlab's score of the given label. Multi-label: the lowest of the scores of all labels, given or
    not; cleanlab's own mean over labels finds less than a third as well (LOG). Numbers: exp(-|error|), in robust
    deviations of the errors.
    Raises ConfigError for a task without labels or numbers, or another method; MissingExtraError without cleanlab.
    """
    chosen_of("method", method, get_args(Method))
    if isinstance(task, Regression):
        return np.asarray(np.exp(-np.abs(_deviations(predictions, examples))), np.float64)
    classes = _classification(task)
    given_NC = classes.cells_of([true_labels(example) for example in examples])
    scores_NC = classes.scores_of(predictions)
    check_task(task)
    from cleanlab.multilabel_classification.rank import get_label_quality_scores_per_class
    from cleanlab.rank import get_label_quality_scores

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numpy's and pandas' future, inside cleanlab
        if isinstance(classes, SingleLabel):
            return np.asarray(get_label_quality_scores(given_NC.argmax(axis=1), scores_NC, method=method), np.float64)
        names = [np.flatnonzero(given_C).tolist() for given_C in given_NC]
        quality_NC = get_label_quality_scores_per_class(names, scores_NC, method=method)
        return np.asarray(np.asarray(quality_NC).min(axis=1), np.float64)


def estimate_noise(task: Task, predictions: Sequence[Prediction], examples: Sequence[Example]) -> NoiseEstimate:
    """Return what share of rows has wrong labels, by out-of-fold predictions.

    Where the model is surest of an answer it is hardly ever wrong itself, so the rows there that say otherwise are
    mostly wrong: their share among the surest tenth of the rows of each answer (its first label, or none) stands for
    all rows of that answer. That counts wrong labels wherever they are as likely as there; what the model gets wrong
    for sure is counted too.
    Numbers: how many rows lie more than three robust deviations off, less what normal errors would.
    Raises ConfigError for a task without labels or numbers.
    """
    if isinstance(task, Regression):
        return _outliers(_deviations(predictions, examples))
    classes = _classification(task)
    scores_NC = classes.scores_of(predictions)
    answer_N, sureness_N = scores_NC.argmax(axis=1), scores_NC.max(axis=1)
    given_NC = classes.cells_of([true_labels(example) for example in examples])
    wrong_N = ~given_NC[np.arange(len(examples)), answer_N]
    none_N = np.array([not labelled(prediction).labels for prediction in predictions])
    wrong_N[none_N] = given_NC[none_N].any(axis=1)
    answer_N[none_N], sureness_N[none_N] = -1, 1 - sureness_N[none_N]
    share, variance = 0.0, 0.0
    for answer in np.unique(answer_N).tolist():
        members = np.flatnonzero(answer_N == answer)
        count = int(np.ceil(SUREST * len(members)))
        surest = members[np.argsort(-sureness_N[members], kind="stable")[:count]]
        weight, wrong = len(members) / len(examples), int(wrong_N[surest].sum())
        share += weight * wrong / count
        middle = (wrong + 1) / (count + 2)  # so that none of a few is not none for sure
        variance += weight**2 * middle * (1 - middle) / count
    reach = _Z * float(np.sqrt(variance))
    how = f"the rows that disagree among the {100 * SUREST:g} % of each answer that the model is surest of"
    return NoiseEstimate(len(examples), share, max(0.0, share - reach), min(1.0, share + reach), how, OVER)


def _outliers(deviations_N: Floats) -> NoiseEstimate:
    count = len(deviations_N)
    share = float((np.abs(deviations_N) > OUTLIER).mean())
    reach = _Z * float(np.sqrt(max(share * (1 - share), 1 / count) / count))
    low, middle, high = (min(1.0, max(0.0, value - NORMAL_OUTLIERS)) for value in (share - reach, share, share + reach))
    how = f"the rows more than {OUTLIER:g} robust deviations off, less the {100 * NORMAL_OUTLIERS:g} % of normal errors"
    return NoiseEstimate(count, middle, low, high, how, UNDER)


def _deviations(predictions: Sequence[Prediction], examples: Sequence[Example]) -> Floats:
    """Return the error of each row in robust deviations: 1.4826 times the median of the distance from the median."""
    said_N = np.array([cast("ValuePrediction", prediction).value for prediction in predictions], np.float64)
    true_N = np.array([cast("ValueExample", example).value for example in examples], np.float64)
    errors_N = true_N - said_N
    centred_N = errors_N - np.median(errors_N)
    scale = 1.4826 * float(np.median(np.abs(centred_N)))
    return centred_N / max(scale, 1e-12)


def _classification(task: Task) -> Classification:
    if not isinstance(task, Classification):
        raise ConfigError(
            f"Label errors cannot be found for the task '{task.name}'.",
            "They are found for single_label, multi_label and regression. Learner.top_losses shows what is most wrong.",
        )
    return task

"""What a report is about: the answers of a model to the rows of one split, as arrays that charts and tables read.

Each task fills the part that it can; a section of the report asks for the part it needs and is left out without it.
No text of a row is in it, except where `Evidence.texts` is set for a page of the user's own.

Knows nothing of how it came about (`gathering`).

Axes: N rows, C labels, M entities found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fastbert.bundle import Bundle
from fastbert.data.examples import show_truth
from fastbert.decisions.calibration import Link
from fastbert.insight.run_facts import read_facts
from fastbert.tasks.base import Example, Prediction
from fastbert.tasks.entities_prediction import entities_in
from fastbert.tasks.label_prediction import UNKNOWN, labelled

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
LabelScores = Mapping[str, Mapping[str, float | int | None]]


@dataclass(frozen=True)
class RowFacts:
    """What is known of rows beside their answers. places: such as "train.csv, row 418", () where not kept.

    tokens_N: length of the whole text, whatever is read of it.    cut_N: whether a part was not read.
    units_N: from 0; rows with the same number have a group or a text in common. None: each row is by itself, or that
        is not known.
    """

    places: tuple[str, ...] = ()
    tokens_N: Ints | None = None
    cut_N: Bools | None = None
    units_N: Ints | None = None


@dataclass(frozen=True)
class LabelRows:
    """Labels of rows. raw_NC: scores of the model itself.    score_NC: calibrated.

    decided_NC: labels that were given.    whole_NC: decided before anything was held back.
    confidence_N: that the decision is right as a whole.    answered_N: False for unknown answers.
    """

    names: tuple[str, ...]
    link: Link
    raw_NC: Floats
    score_NC: Floats
    target_NC: Bools
    decided_NC: Bools
    whole_NC: Bools
    confidence_N: Floats
    answered_N: Bools

    @property
    def right_N(self) -> Bools:
        """Return which decisions are right as a whole, whether they were given or held back."""
        return np.asarray((self.whole_NC == self.target_NC).all(axis=1))


@dataclass(frozen=True)
class EntityRows:
    """Entities of rows by type, and each one that was found.

    hit_NC, said_NC, true_NC: counts.    credit_N: partly right ones count half.
    raw_M, score_M: of the entities found by the model, before and after calibration.    right_M.
    """

    names: tuple[str, ...]
    hit_NC: Floats
    said_NC: Floats
    true_NC: Floats
    credit_N: Floats
    raw_M: Floats
    score_M: Floats
    right_M: Bools


@dataclass(frozen=True)
class ValueRows:
    """Numbers of rows, in the user's unit. scale: deviation of the training values."""

    name: str
    scale: float
    predicted_N: Floats
    true_N: Floats


@dataclass(frozen=True)
class AnswerRows:
    """Answers of questions. margin_N: logits by which "no answer" scores better than the best span.

    best_N: F1 of the best span, whether it was given or not.    words_N: of the question.    length_N: words of the
    shortest right answer, 0 without one.
    """

    exact_N: Floats
    f1_N: Floats
    best_N: Floats
    has_answer_N: Bools
    said_answer_N: Bools
    margin_N: Floats
    score_N: Floats
    loss_N: Floats
    words_N: Ints
    length_N: Ints

    def to_arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return all of it, to be kept with the model: numbers, no text."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Evidence:
    """What a report shows.

    split: name of the rows, for people.    own_scores: of rows that are given now; {}: rows of the run, whose scores
        the bundle holds.
    confusion: rows by true label (down) and decided label (across), in the order of per_label.
    loss_N, right_N, confidence_N: of each row; NaN where a confidence is not defined.
    texts: of each row, only where the user asked for them.
    """

    bundle: Bundle
    split: str
    per_label: LabelScores = field(default_factory=dict)
    confusion: list[list[int]] | None = None
    own_scores: Mapping[str, float] = field(default_factory=dict)
    rows: RowFacts = field(default_factory=RowFacts)
    predictions: Sequence[Prediction] = ()
    examples: Sequence[Example] = ()
    loss_N: Floats = field(default_factory=lambda: np.zeros(0))
    right_N: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))
    confidence_N: Floats = field(default_factory=lambda: np.zeros(0))
    labels: LabelRows | None = None
    entities: EntityRows | None = None
    values: ValueRows | None = None
    answers: AnswerRows | None = None
    texts: tuple[str, ...] = ()

    @property
    def scores(self) -> Mapping[str, float]:
        """Return the scores of the rows."""
        return self.own_scores or self.bundle.scores.get(self.split, {})

    @property
    def is_given(self) -> bool:
        """Return whether the rows are given now, so that nothing of the run was chosen by them."""
        return bool(self.own_scores)

    @property
    def rows_name(self) -> str:
        """Return what the rows are called."""
        if self.split != "given" and (self.is_given or self.split not in ("train", "valid", "test")):
            return f"rows of {self.split}"
        return f"{read_facts(self.bundle.facts).name_of(self.split)} rows"

    @property
    def num_rows(self) -> int:
        """Return the number of rows that were kept, 0 of a bundle without them."""
        return len(self.loss_N)

    @property
    def num_units(self) -> int:
        """Return how many parts the rows have that do not depend on each other."""
        return self.num_rows if self.rows.units_N is None else int(self.rows.units_N.max(initial=-1)) + 1

    def words(self, row: int) -> tuple[str, str]:
        """Return what is true and what was decided of a row, in words without its text."""
        if self.answers is not None:
            true, said = self.answers.has_answer_N[row], self.answers.said_answer_N[row]
            f1 = f"an answer, F1 {self.answers.f1_N[row]:.2f}" if true else "an answer"
            return "an answer" if true else "no answer", f1 if said else "no answer"
        prediction, true_words = self.predictions[row], show_truth(self.examples[row].truth)
        if self.entities is not None:
            return true_words, show_truth(entities_in(prediction))
        if self.labels is not None and labelled(prediction).reason and not prediction.labels:
            return true_words, UNKNOWN
        return true_words, ", ".join(prediction.labels) if self.labels is not None else prediction.describe()

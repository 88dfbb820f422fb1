"""The linear baseline of a training run: fitted to the same rows, scored on the same rows, saved with the model.

So that nobody ships an encoder that a linear model beats. Knows nothing of learners or terminals.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from fastbert.config import DecisionConfig
from fastbert.data.databunch import HELD_OUT, DataBunch
from fastbert.errors import DataError, MissingExtraError
from fastbert.insight.baselines import Baseline, Rows, fit_baseline, kinds_for
from fastbert.insight.compare import COVERAGE, draw_scores, score_differences
from fastbert.tasks.base import Prediction

NAME = "tfidf"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LinearCheck:
    """A linear model on TF-IDF, fitted to the training rows of a run, chosen by its validation rows.

    answers: to the rows of every split but train. Where rows are validated by folds, each is answered by a linear model
        of the others, too. A share of these is held out from it to choose its strength, as for that of other splits.
    """

    baseline: Baseline
    data: DataBunch
    answers: Mapping[str, Sequence[Prediction]]

    @classmethod
    def of(cls, data: DataBunch, seed: int = 0, deciding: DecisionConfig | None = None) -> LinearCheck | None:
        """Fit it and let it answer; None for a task that has none, or without scikit-learn.

        deciding: what the decision rule of the model is fitted for, and that of the linear model, too, but that this
        one holds no answer back.

        Meant to be called before the training: what fails here then costs nothing.
        """
        if NAME not in kinds_for(data.task):
            return None
        try:
            usual = data.splits_anew(1, data.config.valid_share, seed)[0] if data.folded else data
            fit = partial(_fit, seed=seed, deciding=deciding or DecisionConfig())
            baseline = fit(usual)
            by_folds = _answer_folds(data, fit) if data.folded else {}
        except (MissingExtraError, DataError) as error:  # DataError: rows of too few groups to hold a share out
            log.warning("no linear baseline: %s", error)
            return None
        others = {split: examples for split, examples in data.splits.items() if split != "train"}
        answers = {split: baseline.answer(rows) for split, rows in others.items() if split not in by_folds}
        return cls(baseline, data, {split: by_folds.get(split) or answers[split] for split in others})

    @cached_property
    def scores(self) -> dict[str, dict[str, float]]:
        """Return its scores by split, as the model's are kept."""
        return {split: self.data.task.score(said, self.data.examples(split)) for split, said in self.answers.items()}

    def facts(
        self, answers: Mapping[str, Sequence[Prediction]], whole: Sequence[Prediction] | None = None
    ) -> dict[str, object]:
        """Return plain values to be saved with the model: what it is, its scores, and the difference to the model.

        answers: of the model, by split.    whole: to the last split, before any answer was held back.
        difference: the model minus the baseline, on the last split, in the score that chooses weights, of all rows by
        what both decide before an answer is held back; left out where it is undefined.    coverage: share of the rows
        that the model answers, where that is not all.
        """
        split = list(answers)[-1]
        task, examples = self.data.task, self.data.examples(split)
        both = (self.answers[split], answers[split] if whole is None else whole)
        names = ("baseline", "model")
        drawn = draw_scores(task, examples, dict(zip(names, both, strict=True)))
        found = score_differences(task, examples, both, (drawn, names))
        ranking = task.ranking(self.scores[split])
        values: dict[str, object] = {**self.baseline.to_json(), "scores": self.scores, "split": split}
        coverage = task.score(answers[split], examples).get(COVERAGE)
        values |= {} if coverage is None else {COVERAGE: coverage}
        if split == "valid" and self.data.folded:
            values["rows"] = "out-of-fold"
        if ranking is not None and ranking[0] in found and math.isfinite(found[ranking[0]].low):
            values |= {"score": ranking[0], "difference": found[ranking[0]].to_json()}
        return values


def _fit(data: DataBunch, *, seed: int, deciding: DecisionConfig) -> Baseline:
    return fit_baseline(NAME, data.task, Rows(data.examples("train"), data.examples("valid"), deciding), seed=seed)


def _answer_folds(data: DataBunch, fit: Callable[[DataBunch], Baseline]) -> dict[str, list[Prediction]]:
    """Return the answers to the validation rows, each by a model of the others, which a share of these chose."""
    said: dict[int, Prediction] = {}
    for fold in data.folds(data.config.valid_folds or 0, data.seed):
        said.update(zip(fold.rows, fit(fold.data).answer(fold.data.examples(HELD_OUT)), strict=True))
    return {"valid": [said[row] for row in sorted(said)]}

"""How much of a gain is chance: the score of a trial on draws of the validation rows, inside each draw and outside.

All trials are scored on the same draws, so that trials of other processes can be compared long after their predictions
are gone: what is kept are numbers. The best of many trials looks better than it is. How much better is measured by
choosing the best inside each draw and scoring it outside (the bootstrap bias correction of Tsamardinos et al. 2018,
Machine Learning 107); a winner is preferred to the defaults if it gains there, too. In simulations with 15 trials that
rule gained as much as to ask for one standard error and shipped fewer worse models, and far fewer than to take the
best (`python benchmarks/tuning.py rules`). Knows nothing of studies or of how trials were trained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastbert.tasks.base import DRAWN_ROWS, DRAWS, Example, Prediction, Task

Floats = npt.NDArray[np.float64]
DIGITS = 6


@dataclass(frozen=True)
class Evidence:
    """The ranking score of one trial, a number for each draw of rows; NaN where the rows leave it undefined.

    inside: on the rows drawn, with replacement.    outside: on those that were not.
    """

    inside_D: Floats
    outside_D: Floats

    def to_json(self) -> dict[str, list[float | None]]:
        """Return plain values."""
        return {"inside": _plain(self.inside_D), "outside": _plain(self.outside_D)}

    @classmethod
    def from_json(cls, values: Mapping[str, Sequence[float | None]]) -> Evidence | None:
        """Return what `to_json` wrote, None where there is nothing."""
        if not values:
            return None
        return cls(
            *(np.array([np.nan if one is None else one for one in values[side]]) for side in ("inside", "outside"))
        )


def gather(task: Task, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Evidence:
    """Return the scores of predictions on draws of the rows, the same draws as those of `Task.score_error`."""
    rng = np.random.default_rng(0)
    count = len(examples)
    drawn = min(count, DRAWN_ROWS)
    whole = task.ranking(task.score(predictions, examples))
    name = task.monitor if whole is None else whole[0]  # a stand-in is on another scale: never one beside the other
    inside, outside = list[float](), list[float]()
    for rows in rng.integers(0, count, (DRAWS, drawn)):
        others = np.setdiff1d(np.arange(count), rows)[:DRAWN_ROWS]
        for scores, chosen in ((inside, rows), (outside, others)):
            scores.append(_score(task, name, [predictions[row] for row in chosen], [examples[row] for row in chosen]))
    return Evidence(np.array(inside), np.array(outside))


def _score(task: Task, name: str, predictions: Sequence[Prediction], examples: Sequence[Example]) -> float:
    found = task.ranking(task.score(predictions, examples)) if examples else None
    return float("nan") if found is None or found[0] != name else found[1]


def paired_error(one: Evidence, other: Evidence, num_rows: int) -> float:
    """Return the standard error of the difference of two scores on the same rows, as `Task.score_error` does."""
    difference_D = (one.inside_D - other.inside_D)[np.isfinite(one.inside_D) & np.isfinite(other.inside_D)]
    if not len(difference_D):
        return 0.0
    return float(np.std(difference_D)) * math.sqrt(min(num_rows, DRAWN_ROWS) / num_rows)


@dataclass(frozen=True)
class Verdict:
    """Whether the best trial is worth it, and what to expect of it on other rows.

    gain: of the best over the first trial, as measured.    error: standard error of that.
    expected: what is left of it once the best was chosen on other rows than it is scored on.
    optimism: by how much the score of the best of so many trials is too high.
    """

    gain: float
    error: float
    expected: float
    optimism: float
    num_trials: int
    num_rows: int

    @property
    def pays(self) -> bool:
        """Return whether the best trial is to be preferred to the usual options."""
        return self.gain > 0 and self.expected > 0

    def describe(self, monitor: str) -> str:
        """Return one or two sentences."""
        measured = f"{monitor} {self.gain:+.4f} against the defaults, paired standard error {self.error:.4f}"
        chance = (
            f"chosen on draws of the {self.num_rows:,} validation rows and scored on those left over, "
            f"the best of {self.num_trials} trials gains {self.expected:+.4f}"
        )
        return f"{measured}; {chance}"

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {**vars(self), "pays": self.pays}


def judge(
    first: tuple[float, Evidence], best: tuple[float, Evidence], others: Sequence[Evidence], num_rows: int
) -> Verdict:
    """Return what the validation rows say of the best trial.

    first, best: value and evidence of the usual options and of the best.    others: of all trials that were candidates,
    these two among them.
    """
    inside_TD, outside_TD = np.stack([one.inside_D for one in others]), np.stack([one.outside_D for one in others])
    whole_D = np.isfinite(inside_TD).all(0) & np.isfinite(outside_TD).all(0)
    inside_TD, outside_TD = inside_TD[:, whole_D], outside_TD[:, whole_D]
    gain, error = best[0] - first[0], paired_error(best[1], first[1], num_rows)
    if not inside_TD.shape[1]:  # too few rows for any draw to have a score
        return Verdict(gain, error, 0.0, 0.0, len(others), num_rows)
    chosen_D = inside_TD.argmax(0)
    draws_D = np.arange(inside_TD.shape[1])
    unseen_D = outside_TD[chosen_D, draws_D]
    return Verdict(
        gain,
        error,
        expected=float((unseen_D - first[1].outside_D[whole_D]).mean()),
        optimism=float((inside_TD[chosen_D, draws_D] - unseen_D).mean()),
        num_trials=len(others),
        num_rows=num_rows,
    )


def _plain(values_D: Floats) -> list[float | None]:
    return [round(float(value), DIGITS) if math.isfinite(value) else None for value in values_D]

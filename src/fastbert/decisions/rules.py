"""The rule that turns scores into answers. Saved in the bundle; numpy only.

Knows nothing of how it was found (`fitting`) or of how it is applied to labels (`labelling`).

Axes: N rows, C labels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fastbert.decisions.abstain import Abstention
from fastbert.decisions.calibration import Calibration, Link
from fastbert.errors import BundleError

Floats = npt.NDArray[np.floating]
Pairs = tuple[tuple[str, float], ...]
DEFAULT_THRESHOLD = 0.5
DEFAULT_MARGIN = 0.0  # null_score_diff_threshold of run_squad.py
_GRID = np.round(np.arange(0.05, 0.951, 0.01), 2)


@dataclass(frozen=True)
class Decisions:
    """What was fitted on validation rows. Each task reads what it knows, most read little.

    threshold: from which score on a multi-label model gives a label.
    no_answer_margin: a model that knows questions without an answer gives none where "no answer" scores better than
        the best answer by more than this many logits.
    thresholds: of labels with one of their own: of a multi-label model in the place of the shared one, of the others
        below which the answer is unknown; infinite for a label that is never given.
    weights: of single labels: the highest weighted score is the answer.    costs: (true, decided, cost) of single
        labels: the answer with the least expected cost is given, a mistake that is not named costs 1.
    calibration: what makes probabilities of scores, before anything is decided.    abstention: when the answer is
        unknown.    at_least, at_most: labels of an answer; None: no limit.
    goal: that the rule was fitted for.    fit: what was measured meanwhile, for people.
    """

    threshold: float = DEFAULT_THRESHOLD
    no_answer_margin: float = DEFAULT_MARGIN
    thresholds: Pairs = ()
    weights: Pairs = ()
    costs: tuple[tuple[str, str, float], ...] = ()
    calibration: Calibration = field(default_factory=Calibration)
    abstention: Abstention = field(default_factory=Abstention)
    at_least: int = 0
    at_most: int | None = None
    goal: str = "default"
    fit: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    def answering(self, link: Link) -> Decisions:
        """Return the rule without what holds answers back: limits and, where a row has one label, thresholds."""
        return replace(self, abstention=Abstention(), thresholds=self.thresholds if link == "sigmoid" else ())

    def to_json(self) -> dict[str, object]:
        """Return plain values for bundle.json; what is as ever is left out."""
        values: dict[str, object] = {"threshold": self.threshold, "no_answer_margin": self.no_answer_margin}
        chosen: dict[str, object] = {
            "thresholds": {name: None if math.isinf(value) else value for name, value in self.thresholds},
            "weights": dict(self.weights),
            "costs": [list(cost) for cost in self.costs],
            "calibration": self.calibration.to_json() if self.calibration.method != "none" else {},
            "abstention": self.abstention.to_json() if self.abstention else {},
            "at_least": self.at_least,
            "at_most": self.at_most,
            "goal": "" if self.goal == "default" else self.goal,
            "fit": dict(self.fit),
        }
        return values | {name: value for name, value in chosen.items() if value}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Decisions:
        """Read what `to_json` wrote, this version or one before it. Raises BundleError for anything else."""
        threshold = values.get("threshold", DEFAULT_THRESHOLD)
        if not isinstance(threshold, int | float) or not 0.0 <= threshold <= 1.0:
            raise BundleError(f"bundle.json: the decision threshold is {threshold!r}; expected a number from 0 to 1.")
        margin = values.get("no_answer_margin", DEFAULT_MARGIN)
        if not isinstance(margin, int | float) or not math.isfinite(margin):
            raise BundleError(f"bundle.json: the margin of no answer is {margin!r}; expected a number.")
        return cls(
            float(threshold),
            float(margin),
            thresholds=_pairs(values, "thresholds", highest=1.0),
            weights=_pairs(values, "weights", highest=math.inf),
            costs=_costs(values.get("costs", [])),
            calibration=Calibration.from_json(_mapping(values, "calibration")),
            abstention=Abstention.from_json(_mapping(values, "abstention")),
            at_least=_count(values, "at_least") or 0,
            at_most=_count(values, "at_most"),
            goal=str(values.get("goal", "default")),
            fit=_mapping(values, "fit"),
        )


def _mapping(values: Mapping[str, object], name: str) -> dict[str, object]:
    found = values.get(name, {})
    if not isinstance(found, dict):
        raise BundleError(f"bundle.json: '{name}' of the decisions is {found!r}; expected an object.")
    return found


def _pairs(values: Mapping[str, object], name: str, highest: float) -> Pairs:
    pairs = []
    for label, value in _mapping(values, name).items():
        number = math.inf if value is None else value
        if isinstance(number, bool) or not isinstance(number, int | float) or math.isnan(number) or number < 0:
            raise BundleError(f"bundle.json: '{name}' of the label '{label}' is {value!r}; expected a number from 0.")
        if number > highest and value is not None:
            raise BundleError(f"bundle.json: '{name}' of the label '{label}' is {value!r}; expected at most {highest}.")
        pairs.append((label, float(number)))
    return tuple(pairs)


def _costs(value: object) -> tuple[tuple[str, str, float], ...]:
    found = []
    for row in value if isinstance(value, list) else [value]:
        if not isinstance(row, list) or len(row) != 3 or not isinstance(row[2], int | float):
            raise BundleError(f"bundle.json: a cost is {row!r}; expected [true label, decided label, number].")
        found.append((str(row[0]), str(row[1]), float(row[2])))
    return tuple(found)


def _count(values: Mapping[str, object], name: str) -> int | None:
    value = values.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise BundleError(f"bundle.json: {name} is {value!r}; expected a number of labels.")
    return value


def fit_threshold(scores_NC: Floats, targets_NC: npt.NDArray[np.bool_]) -> float:
    """Return the one threshold, shared by all labels, with the best macro F1 on these rows.

    One number for all labels, because a threshold of its own for a label with ten rows fits
    noise. Of equal values the one nearest to 0.5 is taken. Labels without a positive row do
    not count. Returns 0.5 if there is no positive cell.
    """
    present_C = targets_NC.any(axis=0)
    if not present_C.any():
        return DEFAULT_THRESHOLD
    scores_NC, targets_NC = scores_NC[:, present_C], targets_NC[:, present_C]
    support_C = targets_NC.sum(axis=0)

    def macro_f1(threshold: float) -> float:
        decided_NC = scores_NC >= threshold
        hits_C = (decided_NC & targets_NC).sum(axis=0)
        return float(np.mean(2 * hits_C / (decided_NC.sum(axis=0) + support_C)))

    values = np.array([macro_f1(threshold) for threshold in _GRID])
    # Flat, noisy curves: average neighbours before taking the top (5 points = 0.05 wide).
    padded = np.pad(values, 2, mode="edge")
    smooth = np.convolve(padded, np.ones(5) / 5, mode="valid")
    best = np.flatnonzero(smooth >= smooth.max() - 1e-12)
    return float(_GRID[best[np.argmin(np.abs(_GRID[best] - DEFAULT_THRESHOLD))]])

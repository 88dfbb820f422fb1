"""A threshold for each label, for a goal, that holds on new rows.

A label with ten rows and a threshold of its own fits noise. So each label's own threshold is drawn toward a shared one,
the more the fewer rows it has, and how strongly is chosen on rows held out; where own thresholds gain nothing there,
the shared one stays. Knows nothing of tasks: it sees candidates, each with a score, a label and whether it is right.
Numpy only.

Axes: N rows, M candidates, C labels, G thresholds of the grid, B draws of the rows (bootstrap).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from fastbert.decisions.calibration_choice import FOLDS, folds_of

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

GRID = np.round([0.002, 0.005, *np.arange(0.01, 0.995, 0.01), 0.995, 0.998], 3)
NEVER = np.inf  # the threshold of a label that is never given
DRAWS = 16  # of the rows, over which a threshold is averaged: the argmax of one sample jumps about
REPEATS = 2  # of the division into folds
ERROR_DRAWS = 60  # for the standard error of a difference
SMOOTH = 5  # neighbours on the grid that a value is averaged over
# How many rows with a label make its own threshold count half; infinity: only the shared one counts.
BELIEFS = (math.inf, 100.0, 50.0, 20.0, 10.0, 5.0, 0.0)


@dataclass(frozen=True)
class Candidates:
    """What may be given: for each a score from 0 to 1, whether it is right, its label and its row; shape (M,).

    What is true and was no candidate has the score -1: no threshold gives it, and it counts as missed.
    """

    score_M: Floats
    right_M: Bools
    label_M: Ints
    row_M: Ints
    num_labels: int

    @classmethod
    def of_cells(cls, probs_NC: Floats, targets_NC: Bools) -> Candidates:
        """Return every cell of a matrix of probabilities as a candidate."""
        rows, labels = np.indices(probs_NC.shape)
        return cls(probs_NC.ravel(), targets_NC.ravel(), labels.ravel(), rows.ravel(), probs_NC.shape[1])

    def take(self, chosen_M: Bools) -> Candidates:
        """Return some of them."""
        parts = (self.score_M[chosen_M], self.right_M[chosen_M], self.label_M[chosen_M], self.row_M[chosen_M])
        return Candidates(*parts, self.num_labels)


@dataclass(frozen=True)
class Counts:
    """Right ones given, and given ones, at or above each threshold; and true ones. Shape (..., C, G) and (..., C)."""

    hits: Floats
    given: Floats
    positives: Floats

    @classmethod
    def of(cls, candidates: Candidates, weight_N: Floats | None = None) -> Counts:
        """Count candidates, each as often as its row weighs."""
        shape = (candidates.num_labels, len(GRID) + 1)
        place_M = np.searchsorted(GRID, candidates.score_M, side="right") + candidates.label_M * shape[1]
        weight_M = None if weight_N is None else weight_N[candidates.row_M]
        size = shape[0] * shape[1]
        right_M = candidates.right_M if weight_M is None else candidates.right_M * weight_M
        given = np.bincount(place_M, weight_M, size).reshape(shape).astype(np.float64)
        hits = np.bincount(place_M, right_M, size).reshape(shape).astype(np.float64)
        at_least = [np.cumsum(part[:, ::-1], axis=1)[:, ::-1][:, 1:] for part in (hits, given)]
        return cls(at_least[0], at_least[1], hits.sum(axis=1))


@dataclass(frozen=True)
class Variant:
    """A way to fit. own: each label by itself, or all alike.

    belief: how many rows with a label make its own threshold count half.    guard: standard errors by which what must
    be kept is kept.
    """

    own: bool
    belief: float = 0.0
    guard: float = 0.0


class Aim(ABC):
    """What a search maximises. variants: ways to fit, from the simplest on."""

    variants: ClassVar[Sequence[Variant]]

    @abstractmethod
    def fit(self, counts: Counts, drawn: Sequence[Counts], variant: Variant) -> Floats:
        """Return a threshold for each label, (C,). drawn: counts of draws of the same rows."""

    @abstractmethod
    def value(self, hits_C: Floats, given_C: Floats, positives_C: Floats) -> float:
        """Return how good decisions are; higher is better."""

    def lack(self, hits_C: Floats, given_C: Floats, positives_C: Floats) -> float:
        """Return how much decisions fall short of what must be kept; 0 where they keep it."""
        return 0.0


@dataclass(frozen=True)
class ThresholdFit:
    """Thresholds, and what they are worth on rows that they were not fitted on.

    threshold_C: NEVER for a label that is not given.    shared: those of the simplest variant, all alike.
    value, shared_value: of the aim, on rows held out.    error: standard error of their difference.
    """

    threshold_C: Floats
    shared_C: Floats
    value: float
    shared_value: float
    error: float
    met: bool = True

    @property
    def own(self) -> bool:
        """Return whether labels have thresholds of their own."""
        return not np.array_equal(self.threshold_C, self.shared_C)

    def to_json(self) -> dict[str, object]:
        """Return what was measured, as plain values."""
        return {
            "held_out": self.value,
            "held_out_shared": self.shared_value,
            "error": self.error,
            "own_thresholds": self.own,
            "met": self.met,
        }


def fit_thresholds(candidates: Candidates, aim: Aim, num_rows: int, seed: int = 0) -> ThresholdFit:
    """Return the thresholds of the variant that does best on rows held out, or of the simplest where none gains.

    A variant is taken before the simplest one only where it is better by more than the standard error of the
    difference (bootstrap over rows), or is nearer to what must be kept and the simplest does not keep it.
    """
    given = [np.zeros((REPEATS, len(candidates.score_M)), np.bool_) for _ in aim.variants]
    for repeat in range(REPEATS):
        fold_M = folds_of(num_rows, seed + repeat)[candidates.row_M]
        for fold in range(FOLDS):
            out_M = fold_M == fold
            found = _all_variants(candidates.take(~out_M), aim, num_rows, seed + repeat)
            for place, threshold_C in enumerate(found):
                given[place][repeat, out_M] = candidates.score_M[out_M] >= threshold_C[candidates.label_M[out_M]]
    counted = [np.mean([_counts_of(candidates, one_M) for one_M in chosen], axis=0) for chosen in given]
    best = _best(aim, counted)
    error = _error(candidates, aim, given[0][0], given[best][0], num_rows, seed)
    values, lacks = [aim.value(*parts) for parts in counted], [aim.lack(*parts) for parts in counted]
    if lacks[0] == 0 and values[best] - values[0] <= error:
        best = 0
    final = _all_variants(candidates, aim, num_rows, seed)
    return ThresholdFit(final[best], final[0], values[best], values[0], error, lacks[best] == 0)


def _best(aim: Aim, counted: Sequence[Floats]) -> int:
    """Return the best variant on rows held out; those that fall short of what must be kept come last."""
    ranked = [(-aim.lack(*parts), aim.value(*parts), -place) for place, parts in enumerate(counted)]
    return -max(ranked)[2]


def _all_variants(candidates: Candidates, aim: Aim, num_rows: int, seed: int) -> list[Floats]:
    rng = np.random.default_rng(seed)
    drawn = [Counts.of(candidates, rng.poisson(1.0, num_rows).astype(np.float64)) for _ in range(DRAWS)]
    counts = Counts.of(candidates)
    return [aim.fit(counts, drawn, variant) for variant in aim.variants]


def _counts_of(candidates: Candidates, given_M: Bools, weight_N: Floats | None = None) -> Floats:
    """Return hits, given and positives of each label, (3, C)."""
    weight_M = np.ones(len(given_M)) if weight_N is None else weight_N[candidates.row_M]
    parts = (candidates.right_M & given_M, given_M, candidates.right_M)
    return np.stack([np.bincount(candidates.label_M, part * weight_M, candidates.num_labels) for part in parts])


def _error(candidates: Candidates, aim: Aim, first_M: Bools, second_M: Bools, num_rows: int, seed: int) -> float:
    """Return the standard error of the difference of two ways of giving, by draws of the rows (Efron 1979)."""
    counting = candidates.right_M | first_M | second_M
    some, one_M, other_M = candidates.take(counting), first_M[counting], second_M[counting]
    rng, gains = np.random.default_rng(seed), []
    for _ in range(ERROR_DRAWS):
        weight_N = rng.multinomial(num_rows, np.full(num_rows, 1 / num_rows)).astype(np.float64)
        values = [aim.value(*_counts_of(some, given_M, weight_N)) for given_M in (one_M, other_M)]
        gains.append(values[1] - values[0])
    return float(np.std(gains))


def drawn_toward(own_C: Floats, shared_C: Floats, support_C: Floats, belief: float) -> Floats:
    """Return thresholds between own and shared ones, in log-odds; support / (support + belief) is the share of own.

    >>> drawn_toward(np.array([0.2, 0.2]), np.array([0.5, 0.5]), np.array([10.0, 0.0]), 10.0).round(3).tolist()
    [0.333, 0.5]
    """
    share_C = support_C / np.maximum(support_C + belief, 1e-9)
    own, shared = (np.log(part) - np.log1p(-part) for part in (own_C, shared_C))
    mixed = shared + share_C * (own - shared)
    return np.asarray(np.round(1 / (1 + np.exp(-mixed)), 3))


def smoothed(values_G: Floats) -> Floats:
    """Return values averaged with their neighbours on the grid, on the last axis."""
    width = SMOOTH // 2
    padded = np.concatenate([values_G[..., :1]] * width + [values_G] + [values_G[..., -1:]] * width, axis=-1)
    sums = np.cumsum(np.concatenate([np.zeros_like(padded[..., :1]), padded], axis=-1), axis=-1)
    return np.asarray((sums[..., SMOOTH:] - sums[..., :-SMOOTH]) / SMOOTH)


def nearest_best(values_G: Floats, near: float = 0.5) -> float:
    """Return the threshold with the highest value; of equal ones the nearest to a number."""
    best = np.flatnonzero(values_G >= values_G.max() - 1e-12)
    return float(GRID[best[np.argmin(np.abs(GRID[best] - near))]])

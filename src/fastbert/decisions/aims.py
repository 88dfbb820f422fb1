"""The aims of a search for thresholds: F-beta, a least precision or recall, the cost of mistakes. Numpy only.

Axes: C labels, G thresholds of the grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fastbert.decisions.goals import Goal
from fastbert.decisions.thresholds import (
    BELIEFS,
    GRID,
    NEVER,
    Aim,
    Counts,
    Floats,
    Variant,
    drawn_toward,
    nearest_best,
    smoothed,
)

# Standard errors below its estimate at which a precision or recall must still keep its least value.
GUARDS = (0.0, 1.0, 1.645)
CHANCE = 0.05  # of calling a recall too low that is not
SHRUNK = tuple(Variant(own=not math.isinf(belief), belief=belief) for belief in BELIEFS)
GUARDED = tuple(Variant(own=own, guard=guard) for guard in GUARDS for own in (False, True))


@dataclass(frozen=True)
class FBetaAim(Aim):
    """The highest mean over labels of F-beta; a label with no true candidate does not count."""

    beta: float = 1.0
    variants: ClassVar[Sequence[Variant]] = SHRUNK

    def fit(self, counts: Counts, drawn: Sequence[Counts], variant: Variant) -> Floats:
        """Return thresholds of each label, drawn toward the one that is best for all."""
        present_C = counts.positives > 0
        if not present_C.any():
            return np.full(len(present_C), 0.5)
        curves_CG = self._f(counts.hits, counts.given, counts.positives[:, None])
        shared = nearest_best(smoothed(curves_CG[present_C].mean(axis=0)))
        shared_C = np.full(len(present_C), shared)
        if not variant.own:
            return shared_C
        found = []
        for one in drawn:
            best_CG = smoothed(self._f(one.hits, one.given, one.positives[:, None]))
            threshold_C = GRID[best_CG.argmax(axis=1)]
            found.append(np.where(one.positives > 0, threshold_C, shared))
        mean_C = 1 / (1 + np.exp(-np.mean([np.log(part / (1 - part)) for part in found], axis=0)))
        return drawn_toward(mean_C, shared_C, counts.positives, variant.belief)

    def value(self, hits_C: Floats, given_C: Floats, positives_C: Floats) -> float:
        """Return the mean F-beta of the labels that occur."""
        present = positives_C > 0
        return float(self._f(hits_C, given_C, positives_C)[present].mean()) if present.any() else 0.0

    def _f(self, hits: Floats, given: Floats, positives: Floats) -> Floats:
        square = self.beta**2
        return np.asarray((1 + square) * hits / np.maximum(given + square * positives, 1e-12))


@dataclass(frozen=True)
class MicroAim(Aim):
    """The highest F1 of all decisions together, by one threshold: of calibrated scores, no other does better.

    A candidate is worth giving where its probability is at least half of the F1 reached, whatever its label
    (Lipton et al. 2014, arXiv 1402.1892, theorem 1).
    """

    variants: ClassVar[Sequence[Variant]] = (Variant(own=False),)

    def fit(self, counts: Counts, drawn: Sequence[Counts], variant: Variant) -> Floats:
        """Return the same threshold for each label."""
        hits_G, given_G, positives = counts.hits.sum(axis=0), counts.given.sum(axis=0), counts.positives.sum()
        best = nearest_best(smoothed(2 * hits_G / np.maximum(given_G + positives, 1e-12)))
        return np.full(len(counts.positives), best)

    def value(self, hits_C: Floats, given_C: Floats, positives_C: Floats) -> float:
        """Return F1 of all labels together."""
        return float(2 * hits_C.sum() / max(given_C.sum() + positives_C.sum(), 1e-12))


@dataclass(frozen=True)
class CostAim(Aim):
    """The least cost of labels given wrongly and of labels missed, for each label."""

    given_wrongly_C: Floats
    missed_C: Floats
    variants: ClassVar[Sequence[Variant]] = SHRUNK

    def fit(self, counts: Counts, drawn: Sequence[Counts], variant: Variant) -> Floats:
        """Return thresholds drawn toward those that are right if probabilities are.

        A label costs less given than not from the probability a / (a + b) on, where a is the cost of giving it wrongly
        and b of missing it (Elkan 2001, section 2).
        """
        total_C = np.maximum(self.given_wrongly_C + self.missed_C, 1e-12)
        right_C = np.clip(self.given_wrongly_C / total_C, GRID[0], GRID[-1])
        if not variant.own:
            return np.asarray(right_C)
        found = []
        for one in drawn:
            cost_CG = self._cost(one.hits, one.given, one.positives[:, None])
            found.append(GRID[smoothed(cost_CG).argmin(axis=1)])
        mean_C = 1 / (1 + np.exp(-np.mean([np.log(part / (1 - part)) for part in found], axis=0)))
        return drawn_toward(mean_C, right_C, counts.positives, variant.belief)

    def value(self, hits_C: Floats, given_C: Floats, positives_C: Floats) -> float:
        """Return the cost of all labels, negated."""
        cost_C1 = self._cost(hits_C[:, None], given_C[:, None], positives_C[:, None])
        return -float(cost_C1.sum())

    def _cost(self, hits: Floats, given: Floats, positives: Floats) -> Floats:
        return (given - hits) * self.given_wrongly_C[:, None] + (positives - hits) * self.missed_C[:, None]


@dataclass(frozen=True)
class PrecisionAim(Aim):
    """As much as can be found where at least so many of the given ones are right, all labels together."""

    least: float
    variants: ClassVar[Sequence[Variant]] = GUARDED

    def fit(self, counts: Counts, drawn: Sequence[Counts], variant: Variant) -> Floats:
        """Return the lowest thresholds from which on the precision is kept; NEVER where there is none."""
        if variant.own:
            return np.array(
                [
                    _lowest_kept(hits_G, given_G, self.least, variant.guard)
                    for hits_G, given_G in zip(counts.hits, counts.given, strict=True)
                ]
            )
        shared = _lowest_kept(counts.hits.sum(axis=0), counts.given.sum(axis=0), self.least, variant.guard)
        return np.full(len(counts.hits), shared)

    def value(self, hits_C: Floats, given_C: Floats, positives_C: Floats) -> float:
        """Return the mean recall of the labels that occur."""
        present = positives_C > 0
        return float((hits_C[present] / positives_C[present]).mean()) if present.any() else 0.0

    def lack(self, hits_C: Floats, given_C: Floats, positives_C: Floats) -> float:
        """Return how far the precision is below the least, all labels together."""
        return max(self.least - float(hits_C.sum() / given_C.sum()), 0.0) if given_C.any() else 0.0


@dataclass(frozen=True)
class RecallAim(Aim):
    """As few given as can be where at least such a share of each label is found."""

    least: float
    variants: ClassVar[Sequence[Variant]] = GUARDED

    def fit(self, counts: Counts, drawn: Sequence[Counts], variant: Variant) -> Floats:
        """Return the highest thresholds at which the recall is kept; the lowest of the grid where none keeps it."""
        shared = _highest_kept(counts.hits.sum(axis=0), counts.positives.sum(), self.least, variant.guard)
        if not variant.own:
            return np.full(len(counts.hits), shared)
        return np.array(
            [
                _highest_kept(hits_G, positives, self.least, variant.guard) if positives else shared
                for hits_G, positives in zip(counts.hits, counts.positives, strict=True)
            ]
        )

    def value(self, hits_C: Floats, given_C: Floats, positives_C: Floats) -> float:
        """Return the mean precision of the labels that occur."""
        present = positives_C > 0
        return float((hits_C[present] / np.maximum(given_C[present], 1)).mean()) if present.any() else 0.0

    def lack(self, hits_C: Floats, given_C: Floats, positives_C: Floats) -> float:
        """Return how far the recall is below the least: its mean over labels, or that of one where it is no chance.

        Of ten rows eight are found by chance where nine should be, and of 28 labels one always has the least luck: a
        label falls short where so few would be found once in CHANCE / labels times (Bonferroni 1936).
        """
        present = positives_C > 0
        if not present.any():
            return 0.0
        recall_P = hits_C[present] / positives_C[present]
        counts = zip(hits_C[present].tolist(), positives_C[present].tolist(), strict=True)
        chance_P = np.array([_chance_of_at_most(hits, count, self.least) for hits, count in counts])
        short_P = recall_P[chance_P < CHANCE / len(recall_P)]
        return max(self.least - float(recall_P.mean()), self.least - float(short_P.min(initial=1.0)), 0.0)


def aim_of(goal: Goal, names: Sequence[str]) -> Aim:
    """Return what a search for a goal maximises. names: of the labels, in their order."""
    if goal.kind == "fbeta":
        return FBetaAim(goal.number)
    if goal.kind == "micro":
        return MicroAim()
    if goal.kind == "precision":
        return PrecisionAim(goal.number)
    if goal.kind == "recall":
        return RecallAim(goal.number)
    costs = {(true, decided): cost for true, decided, cost in goal.costs}
    wrongly = np.array([costs.get(("", name), 1.0) for name in names])
    return CostAim(wrongly, np.array([costs.get((name, ""), 1.0) for name in names]))


def _lowest_kept(hits_G: Floats, given_G: Floats, least: float, guard: float) -> float:
    kept_G = (given_G > 0) & (_lower_bound(hits_G, given_G, guard) >= least)
    return float(GRID[np.argmax(kept_G)]) if kept_G.any() else NEVER


def _highest_kept(hits_G: Floats, positives: float, least: float, guard: float) -> float:
    kept_G = _lower_bound(hits_G, np.full(len(hits_G), positives), guard) >= least
    return float(GRID[len(kept_G) - 1 - np.argmax(kept_G[::-1])]) if kept_G.any() else float(GRID[0])


def _lower_bound(hits: Floats, count: Floats, guard: float) -> Floats:
    """Return the lower end of Wilson's interval (1927) of a share, so many standard errors wide; 0 of nothing."""
    n = np.maximum(count, 1e-9)
    share = hits / n
    middle = share + guard**2 / (2 * n)
    reach = guard * np.sqrt(share * (1 - share) / n + guard**2 / (4 * n**2))
    return np.where(count > 0, (middle - reach) / (1 + guard**2 / n), 0.0)


def _chance_of_at_most(hits: float, count: float, share: float) -> float:
    """Return how probable it is that so few of `count` are found, where each is with a probability of `share`.

    >>> round(_chance_of_at_most(1, 3, 0.5), 6), _chance_of_at_most(2, 2, 0.9), _chance_of_at_most(9, 10, 1.0)
    (0.5, 1.0, 0.0)
    """
    n, most = round(count), math.floor(hits)
    if most >= n:
        return 1.0
    if share >= 1.0:
        return 0.0
    whole, odds = math.lgamma(n + 1) + n * math.log1p(-share), math.log(share) - math.log1p(-share)
    logs = [whole - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * odds for k in range(most + 1)]
    return min(math.fsum(map(math.exp, logs)), 1.0)

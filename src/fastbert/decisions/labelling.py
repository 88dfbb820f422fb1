"""A decision rule applied to the scores of labels: calibrated scores, the answer to each row, and why there is none.

Knows nothing of texts. Numpy only.

Axes: N rows, C labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastbert.decisions.abstain import Abstention, row_confidence
from fastbert.decisions.calibration import Link
from fastbert.decisions.hierarchy import Hierarchy, levels_of
from fastbert.decisions.rules import Decisions

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
UNLIMITED = np.inf


@dataclass(frozen=True)
class Answer:
    """The labels of a row, the decided one or the highest score first. reason: why it is not answered, or not whole."""

    labels: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True)
class Answers:
    """The answers to rows. score_NC: calibrated.    decided_NC: what was decided before anything was held back.

    confidence_N: probability that the decision for a row is right as a whole.
    """

    score_NC: Floats
    decided_NC: Bools
    confidence_N: Floats
    rows: list[Answer]


@dataclass(frozen=True)
class Labeller:
    """A rule made ready for the labels of a model. link: "softmax" where a row has exactly one of them."""

    names: tuple[str, ...]
    link: Link
    decisions: Decisions
    hierarchy: Hierarchy | None

    @classmethod
    def of(cls, names: Sequence[str], link: Link, decisions: Decisions) -> Labeller:
        """Make a rule ready. Raises BundleError for a calibration of another number of labels."""
        decisions.calibration.check_labels(len(names))
        return cls(tuple(names), link, decisions, Hierarchy.of(names))

    @property
    def abstains(self) -> bool:
        """Return whether an answer may be unknown."""
        return bool(self.decisions.abstention) or (self.link == "softmax" and bool(self.decisions.thresholds))

    def calibrated(self, probs_NC: Floats) -> Floats:
        """Return scores as they are shown: calibrated; a parent's is at least that of its children."""
        score_NC = self.decisions.calibration.apply(probs_NC, self.link)
        return score_NC if self.hierarchy is None or self.link == "softmax" else self.hierarchy.consistent(score_NC)

    def answer(self, probs_NC: Floats, energy_N: Floats) -> Answers:
        """Return the answers to rows of the model's own probabilities. energy_N: free energies of their logits."""
        score_NC = self.calibrated(probs_NC)
        if self.link == "softmax":
            decided_N = self._one_label(score_NC)
            decided_NC = decided_N[:, None] == np.arange(len(self.names))
        else:
            decided_NC = self._many_labels(score_NC)
        confidence_N = row_confidence(score_NC, decided_NC, self.link)
        reasons = self._reasons(score_NC, decided_NC, confidence_N, energy_N)
        order_NC = np.argsort(-score_NC, axis=1, kind="stable")
        if self.link == "softmax":
            strange_N = self.decisions.abstention.is_strange(energy_N)
            rows = [
                Answer(() if strange_N[row] else self._partly(label, score_NC[row]), reasons[row])
                if reasons[row]
                else Answer(self._best(label, order_NC[row]))
                for row, label in enumerate(decided_N.tolist())
            ]
        else:
            rows = [
                Answer(() if reasons[row] else tuple(self.names[label] for label in order_C if cells_C[label]), why)
                for row, (order_C, cells_C, why) in enumerate(zip(order_NC, decided_NC, reasons, strict=True))
            ]
        return Answers(score_NC, decided_NC, confidence_N, rows)

    def _one_label(self, score_NC: Floats) -> npt.NDArray[np.int64]:
        """Return the label of each row: of the highest score, weighted, or of the least expected cost."""
        if self.decisions.costs:
            return np.asarray((score_NC @ self.cost_CC).argmin(axis=1), np.int64)
        weight_C = self._vector(self.decisions.weights, 1.0)
        return np.asarray((score_NC * weight_C).argmax(axis=1), np.int64)

    def _many_labels(self, score_NC: Floats) -> Bools:
        """Return which labels each row is given: from the threshold on, within the limits of their number."""
        decided_NC = score_NC >= self._vector(self.decisions.thresholds, self.decisions.threshold)
        least, most = self.decisions.at_least, self.decisions.at_most
        if least or most is not None:
            rank_NC = np.argsort(np.argsort(-score_NC, axis=1, kind="stable"), axis=1)
            decided_NC |= rank_NC < least
            decided_NC &= rank_NC < (UNLIMITED if most is None else max(most, least))
        return decided_NC if self.hierarchy is None else self.hierarchy.closed(decided_NC)

    def _reasons(self, score_NC: Floats, decided_NC: Bools, confidence_N: Floats, energy_N: Floats) -> list[str]:
        reasons = self.decisions.abstention.reasons(confidence_N, energy_N)
        if self.link == "softmax" and self.decisions.thresholds:
            least_C = self._vector(self.decisions.thresholds, 0.0)
            least_N = np.where(decided_NC, least_C, 0.0).max(axis=1, initial=0.0)
            for row in np.flatnonzero(confidence_N < least_N):
                limit = Abstention(confidence=float(least_N[row]))
                reasons[row] = reasons[row] or limit.reasons(confidence_N[row : row + 1], energy_N[row : row + 1])[0]
        return reasons

    def _best(self, label: int, order_C: npt.NDArray[np.intp]) -> tuple[str, ...]:
        """Return the decided label, and behind it the next best ones where several are asked for."""
        others = [int(other) for other in order_C if other != label][: max(self.decisions.at_most or 1, 1) - 1]
        return tuple(self.names[one] for one in (label, *others))

    def _partly(self, label: int, score_C: Floats) -> tuple[str, ...]:
        """Return the lowest node above a label that is sure enough, where labels are paths; else nothing."""
        least = self.decisions.abstention.confidence
        if self.hierarchy is None or least is None:
            return ()
        sums = dict(zip(self.hierarchy.nodes, self.hierarchy.node_sums(score_C[None])[0].tolist(), strict=True))
        above = [node for node in levels_of(self.names[label])[:-1] if sums[node] >= least]
        return tuple(above[-1:])

    def _vector(self, pairs: Sequence[tuple[str, float]], otherwise: float) -> Floats:
        known = dict(pairs)
        return np.array([known.get(name, otherwise) for name in self.names])

    @property
    def cost_CC(self) -> Floats:
        """Return the cost of each decision (column) by the truth (row)."""
        cost_CC = 1.0 - np.eye(len(self.names))
        for true, decided, cost in self.decisions.costs:
            cost_CC[self.names.index(true), self.names.index(decided)] = cost
        return cost_CC

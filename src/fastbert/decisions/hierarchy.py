"""Labels that are paths, such as "Billing > Refund > Late": parents, levels, and answers that agree with each other.

A parent follows its children: its score is at least theirs, and where a child is given it is given too.
Knows nothing of how scores come about. Numpy only.

Axes: N rows, C labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Cells = npt.NDArray[np.bool_]
SEPARATOR = " > "


@dataclass(frozen=True)
class Hierarchy:
    """The tree that the names of labels span. names: of the labels, which may be leaves or inner nodes."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str]) -> Hierarchy | None:
        """Return the tree of label names, None where they are no paths: fewer than two have a parent."""
        return _tree(tuple(names))

    @cached_property
    def depth(self) -> int:
        """Return the number of levels."""
        return max(len(levels_of(name)) for name in self.names)

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """Return all nodes, labels and their parents, by first appearance."""
        return tuple(dict.fromkeys(node for name in self.names for node in levels_of(name)))

    @cached_property
    def _below_MC(self) -> Cells:
        """Return which labels lie at or below each node, bool (nodes, C)."""
        return np.array([[is_at_or_below(name, node) for name in self.names] for node in self.nodes], np.bool_)

    def node_sums(self, probs_NC: Floats) -> Floats:
        """Return the probability of each node where one label is true: the sum of what is at or below it; (N, nodes).

        >>> Hierarchy(("A > x", "A > y", "B")).node_sums(np.array([[0.25, 0.5, 0.25]])).tolist()
        [[0.75, 0.25, 0.5, 0.25]]
        """
        return np.asarray(probs_NC @ self._below_MC.T.astype(np.float64))

    def consistent(self, scores_NC: Floats) -> Floats:
        """Return scores where each label's is at least that of every label below it (Giunchiglia 2020, 2010.10151)."""
        rows = [self.nodes.index(name) for name in self.names]
        below_CC = self._below_MC[rows]
        result = scores_NC.copy()
        for label in np.flatnonzero(below_CC.sum(axis=1) > 1):
            result[:, label] = scores_NC[:, below_CC[label]].max(axis=1)
        return result

    def closed(self, cells_NC: Cells) -> Cells:
        """Return decisions with the labels above each given one.

        >>> Hierarchy(("A", "A > x", "B > y")).closed(np.array([[False, True, False]])).tolist()
        [[True, True, False]]
        """
        rows = [self.nodes.index(name) for name in self.names]
        return np.asarray((cells_NC.astype(np.int64) @ self._below_MC[rows].T.astype(np.int64)) > 0)


@cache
def _tree(names: tuple[str, ...]) -> Hierarchy | None:
    """Return the tree of names; kept, since a task asks row by row."""
    return Hierarchy(names) if sum(SEPARATOR in name for name in names) > 1 else None


def levels_of(name: str) -> tuple[str, ...]:
    """Return a path and its parents, from the top.

    >>> levels_of("A > B > C")
    ('A', 'A > B', 'A > B > C')
    """
    parts = name.split(SEPARATOR)
    return tuple(SEPARATOR.join(parts[: place + 1]) for place in range(len(parts)))


def is_at_or_below(name: str, node: str) -> bool:
    """Return whether a path is a node or lies below it."""
    return name == node or name.startswith(node + SEPARATOR)


def at_level(names: Iterable[str], level: int) -> tuple[str, ...]:
    """Return paths cut to their first levels, each once; those that are not so deep are left out.

    >>> at_level(("A > x", "A > y", "B"), 1), at_level(("A > x", "B"), 2)
    (('A', 'B'), ('A > x',))
    """
    cut = [levels_of(name) for name in names]
    return tuple(dict.fromkeys(path[level - 1] for path in cut if len(path) >= level))

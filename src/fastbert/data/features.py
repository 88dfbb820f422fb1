"""The encoded rows of one split: all windows, where each example's begin, and what they cost.

Knows nothing of how a window was cut, nor of labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastbert.data.batches import Costs, Indices

if TYPE_CHECKING:
    from fastbert.tasks.base import Feature


@dataclass(frozen=True)
class EncodedRows:
    """Windows of the examples of a split, in order. starts: of each example's windows, plus the end."""

    features: Sequence[Feature]
    starts: Sequence[int]
    costs: Costs

    @classmethod
    def of(cls, features: Sequence[Feature], num_examples: int) -> EncodedRows:
        """Index windows by example; features must be in the order of their examples, from 0."""
        longest_N = np.zeros(num_examples, np.intp)
        windows_N = np.zeros(num_examples, np.intp)
        for feature in features:
            longest_N[feature.example] = max(longest_N[feature.example], len(feature.input_ids_L))
            windows_N[feature.example] += 1
        return cls(features, [0, *np.cumsum(windows_N).tolist()], Costs(longest_N, windows_N))

    def windows_of(self, rows: Indices) -> list[Feature]:
        """Return the windows of some examples, in the order of rows."""
        return [feature for row in rows for feature in self.features[self.starts[row] : self.starts[row + 1]]]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def num_tokens_N(self) -> Indices:
        """Return the full length of each example in tokens, before anything was cut."""
        return np.array([self.features[start].num_tokens for start in self.starts[:-1]], np.intp)

"""What words are worth to an output, by integrated gradients or by hiding each word, as plain values.

Both methods answer in the unit of the output. Imports no torch: occlusion runs on any backend.

Axes: K words, T outputs explained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastbert.insight.explained_outputs import Floats, Output
from fastbert.insight.masking import HiddenWords, Masker, hidden_sets
from fastbert.insight.readings import Reading


@dataclass(frozen=True)
class Case:
    """An example with the outputs that are explained."""

    reading: Reading
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class Attributed:
    """The values of an example's words for one output; 0 for words that were not read.

    value: the output.    hidden: the same with every word hidden.
    steps, error: of integrated gradients: points on the way, and by how much the values fail to add up to value -
        hidden, as a share of the sum of their sizes; None of occlusion, whose values need not add up.
    """

    values_K: Floats
    value: float
    hidden: float
    steps: int | None = None
    error: float | None = None


def occlusion_sets(case: Case) -> HiddenWords:
    """Return nothing hidden, all hidden, and each word that was read hidden alone."""
    read = np.flatnonzero(case.reading.read_K).tolist()
    sets = [[], read, *([word] for word in read)]
    return HiddenWords(case.reading, case.outputs, hidden_sets(len(case.reading.words), sets))


def occlude(masker: Masker, cases: Sequence[Case]) -> list[list[Attributed]]:
    """Return for each output of each case by how much it falls when a word is hidden (Zeiler and Fergus 2014)."""
    found = []
    for case, values_TV in zip(cases, masker.values([occlusion_sets(case) for case in cases]), strict=True):
        read_K, own = case.reading.read_K, []
        for values_V in values_TV:
            values_K = np.zeros(len(read_K))
            values_K[read_K] = values_V[0] - values_V[2:]
            own.append(Attributed(values_K, float(values_V[0]), float(values_V[1])))
        found.append(own)
    return found

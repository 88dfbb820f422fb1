"""What tasks share that answer once for a whole text: its windows, and the mean of what they say.

Knows nothing of labels or numbers. Axes: W windows, B examples, C outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fastbert.config import Truncation
from fastbert.data.cutting import Slide
from fastbert.data.features import Array, Features
from fastbert.data.tokens import Tokenizer
from fastbert.tasks.base import Example

Floats = npt.NDArray[np.float64]


def encode_texts(
    examples: Sequence[Example],
    targets_N: Array | None,
    tokenizer: Tokenizer,
    *,
    max_tokens: int,
    truncation: Truncation,
    first_index: int = 0,
    slide: Slide = "text",
) -> Features:
    """Return the windows of each example with its target.

    targets_N: a row an example, None if not all are known.    slide: as for `Tokenizer.encode`.
    """
    windows = tokenizer.encode(
        [example.text for example in examples],
        [example.pair for example in examples],
        max_tokens=max_tokens,
        truncation=truncation,
        slide=slide,
    )
    if first_index:
        windows = windows.counted_from(first_index)
    targets_W = None if targets_N is None else targets_N[windows.table_W["example"] - first_index]

    @lru_cache(maxsize=1)  # the windows of a text are asked for one after another
    def pieces_of(index: int) -> Sequence[Sequence[tuple[int, int]]]:
        text, pair = examples[index - first_index].text, examples[index - first_index].pair
        return tokenizer.pieces(text, pair, max_tokens=max_tokens, truncation=truncation, slide=slide)

    return Features(windows, targets_W, lambda example, window: pieces_of(example)[window])


def targets_of(features: Features) -> Array:
    """Return the targets of a batch, a row an example. Raises ValueError where they are not known."""
    if features.targets_W is None:
        raise ValueError("features of examples without a truth have no targets")
    return features.targets_W[features.merged[0]]


def mean_over_windows(values_WC: Array, features: Features) -> Floats:
    """Return the mean of what the windows of each example say, float64 (B, C), in order of first appearance."""
    firsts, owners = features.merged
    means_BC = np.zeros((len(firsts), values_WC.shape[1]))
    np.add.at(means_BC, owners, values_WC)
    means_BC /= np.bincount(owners, minlength=len(firsts))[:, None]
    return means_BC


def windows_of_examples(features: Features) -> list[list[int]]:
    """Return the windows of each example, in order of first appearance."""
    firsts, owners = features.merged
    found: list[list[int]] = [[] for _ in firsts]
    for window, row in enumerate(owners):
        found[row].append(window)
    return found

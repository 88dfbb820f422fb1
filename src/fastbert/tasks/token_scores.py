"""Units of texts as windows of tokens, and one row of scores a unit from what a model says of the tokens.

A unit (a word of the file, or what `units` finds in running text) is read at its first token, in the window that
shows most of what surrounds it. Knows nothing of tags or of how units become entities.

Axes: N examples, T tokens of all windows, W windows, L tokens of a window, U units of all examples, C scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastbert.data.examples import Range
from fastbert.data.features import Array, Features
from fastbert.data.offsets import SPECIAL, Offsets
from fastbert.data.stitching import merge_windows
from fastbert.data.tokens import Tokenizer
from fastbert.data.units import find_units
from fastbert.data.windows import Windows
from fastbert.tasks.base import Example
from fastbert.tasks.texts import windows_of_examples

Indices = npt.NDArray[np.intp]
Doubles = npt.NDArray[np.float64]
NO_TOKEN = -1  # of a unit that the tokenizer made nothing of


@dataclass(frozen=True)
class UnitScores:
    """Scores of the units of all examples, one example after the other.

    scores_UC: float64; rows of units without a token are 0: all outputs are alike to them.
    sizes_N: units of each example.    units: their characters.
    shared_U: units whose first token is that of the unit before: the tokenizer sees both as one.
    """

    scores_UC: Doubles
    sizes_N: Indices
    units: list[Range]
    shared_U: npt.NDArray[np.bool_]


def units_of(example: Example) -> Sequence[Range]:
    """Return the words that the file gives an example, else the units of its text."""
    words: Sequence[Range] | None = getattr(example, "words", None)
    return find_units(example.text) if words is None else words


def encode_units(
    examples: Sequence[Example], tokenizer: Tokenizer, max_tokens: int, first_index: int = 0
) -> tuple[Features, Offsets]:
    """Return the windows of texts, overlapping where a text is longer than max_tokens, and the tokens' characters.

    Columns: `token`, the index of a token in its text, -1 for a special one; `start`, `end`, its characters.
    """
    windows, offsets = tokenizer.encode_with_offsets(
        [example.text for example in examples], [None] * len(examples), max_tokens=max_tokens, truncation="windows"
    )
    if first_index:
        windows = windows.counted_from(first_index)
    columns: Mapping[str, Array] = {"token": offsets.token_T, "start": offsets.start_T, "end": offsets.end_T}
    pieces = _Pieces(windows, offsets)
    return Features(windows, None, pieces, columns), offsets


def first_tokens(units: Sequence[Range], start_T: Array, end_T: Array) -> Indices:
    """Return the first token of each unit, NO_TOKEN where there is none. start_T, end_T: of the tokens of one text.

    >>> first_tokens([(0, 4), (5, 6), (7, 8)], np.array([0, 2, 7]), np.array([2, 4, 8])).tolist()
    [0, -1, 2]
    """
    if not len(units) or not len(end_T):
        return np.full(len(units), NO_TOKEN, np.intp)
    starts_U, ends_U = np.array(units, np.int64).T
    first_U = np.searchsorted(end_T, starts_U, side="right")
    found_U = (first_U < len(end_T)) & (start_T[np.minimum(first_U, len(end_T) - 1)] < ends_U)
    return np.where(found_U, first_U, NO_TOKEN)


def unit_scores(logits_WLC: Array, features: Features, examples: Sequence[Example]) -> UnitScores:
    """Return the scores of each unit. features: all windows of the examples, in order of first appearance."""
    rows: list[Doubles] = []
    shared: list[npt.NDArray[np.bool_]] = []
    units: list[Range] = []
    sizes_N = []
    for example, windows in zip(examples, windows_of_examples(features), strict=True):
        own = units_of(example)
        scores_TC, start_T, end_T = _scores_of_text(logits_WLC, features, windows)
        first_U = first_tokens(own, start_T, end_T)
        scores_UC = np.zeros((len(own), logits_WLC.shape[2]))
        scores_UC[first_U >= 0] = scores_TC[first_U[first_U >= 0]]
        rows.append(scores_UC)
        shared.append((first_U >= 0) & (np.concatenate([[NO_TOKEN], first_U])[:-1] == first_U))
        units.extend(own)
        sizes_N.append(len(own))
    return UnitScores(np.concatenate(rows), np.array(sizes_N, np.intp), units, np.concatenate(shared))


def _scores_of_text(logits_WLC: Array, features: Features, windows: Sequence[int]) -> tuple[Array, Array, Array]:
    """Return the scores of all tokens of one text, and their characters: (T, C), (T,), (T,)."""
    table_W = features.windows.table_W
    parts: list[npt.NDArray[np.float32]] = []
    starts_W, chars, num_tokens = [], [], 0
    for window in windows:
        first, length = int(table_W["start"][window]), int(table_W["length"][window])
        token_L = features.columns["token"][first : first + length]
        own = np.flatnonzero(token_L != SPECIAL)
        if not len(own):
            continue
        begin, behind = int(own[0]), int(own[-1]) + 1
        offset = int(token_L[begin])
        parts.append(np.asarray(logits_WLC[window, begin:behind], np.float32))
        starts_W.append(offset)
        chars.append((offset, first + begin, first + behind))
        num_tokens = max(num_tokens, offset + behind - begin)
    if not parts:
        return np.zeros((0, logits_WLC.shape[2])), np.zeros(0, np.int32), np.zeros(0, np.int32)
    start_T, end_T = np.zeros(num_tokens, np.int32), np.zeros(num_tokens, np.int32)
    for offset, begin, behind in chars:
        start_T[offset : offset + behind - begin] = features.columns["start"][begin:behind]
        end_T[offset : offset + behind - begin] = features.columns["end"][begin:behind]
    if len(parts) == 1:
        return parts[0], start_T, end_T
    return merge_windows(parts, np.array(starts_W), num_tokens), start_T, end_T


class _Pieces:
    """Finds the characters that a window holds, from the offsets of its tokens."""

    def __init__(self, windows: Windows, offsets: Offsets) -> None:
        self._windows, self._offsets = windows, offsets
        self._places: dict[tuple[int, int], int] | None = None

    def __call__(self, example: int, window: int) -> Sequence[Range]:
        table_W = self._windows.table_W
        if self._places is None:
            keys = zip(table_W["example"].tolist(), table_W["window"].tolist(), strict=True)
            self._places = {key: place for place, key in enumerate(keys)}
        row = table_W[self._places[example, window]]
        part = slice(int(row["start"]), int(row["start"] + row["length"]))
        own = self._offsets.source_T[part] != SPECIAL
        starts, ends = self._offsets.start_T[part][own], self._offsets.end_T[part][own]
        return ((int(starts[0]), int(ends[-1])),) if len(starts) else ()

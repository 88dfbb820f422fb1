"""One row of scores per token, from overlapping windows of one text.

A token takes everything from the window in which it is farthest from an edge. Knows nothing of
how windows were cut, of special tokens or of what the scores mean.

Axes: W windows (or runs of consecutive tokens) of one text, T tokens of the text, L tokens of a
window, C columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer]
Indices = npt.NDArray[np.intp]
Floats = npt.NDArray[np.floating]


def best_windows(starts_W: Ints, sizes_W: Ints, num_tokens: int, *, allow_gaps: bool = False) -> Indices:
    """Return for each token the window that shows most of what surrounds it, int (num_tokens,).

    The max-context rule of the SQuAD baseline (Devlin et al. 2019, `run_squad.py`): the highest
    min(tokens to the left, tokens to the right) + 0.01 * size of the window, the first of equals.
    It is computed in whole hundredths, so that equals are equal.

    starts_W, sizes_W: first token of each window and how many, in any order; a size may be 0.
    allow_gaps: a token in no window gets -1, such as the middle of a text that is cut to head and tail.
    Raises ValueError if a token is in no window, or a window leaves the text.

    >>> best_windows(np.array([0, 3]), np.array([6, 6]), 9).tolist()
    [0, 0, 0, 0, 0, 1, 1, 1, 1]
    """
    starts_W, sizes_W = np.asarray(starts_W, np.int64), np.asarray(sizes_W, np.int64)
    ends_W = starts_W + sizes_W
    if len(starts_W) and not (starts_W.min() >= 0 <= sizes_W.min() and ends_W.max() <= num_tokens):
        raise ValueError(
            f"windows from {starts_W.min()} to {ends_W.max()} leave a text of {num_tokens} tokens, or have no size"
        )
    best_T, window_T = np.full(num_tokens, -1, np.int64), np.full(num_tokens, -1, np.intp)
    reach = np.arange(int(sizes_W.max(initial=0)))
    for window, (start, end) in enumerate(zip(starts_W.tolist(), ends_W.tolist(), strict=True)):
        left = reach[: end - start]
        score = 100 * np.minimum(left, left[::-1]) + (end - start)
        better = score > best_T[start:end]
        best_T[start:end][better] = score[better]
        window_T[start:end][better] = window
    if not allow_gaps:
        _check_gaps(window_T)
    return window_T


def merge_windows(
    scores_WLC: Floats | Sequence[Floats], starts_W: Ints, num_tokens: int, *, unread_C: Floats | None = None
) -> Floats:
    """Merge overlapping windows into one score row per token, by `best_windows`.

    scores_WLC: (L, C) of each window, as a list or as one array; what is beyond the text is padding.
    starts_W: offset of each window, in tokens.
    unread_C: the row of tokens that are in no window.
    Returns (num_tokens, C) in the dtype of the scores.
    Raises ValueError if the windows leave a token uncovered and there is no unread_C, or if there is no window.

    >>> merge_windows(np.ones((1, 2, 3), np.float32), np.array([0]), 2).shape
    (2, 3)
    """
    starts_W = np.asarray(starts_W, np.int64)
    if len(scores_WLC) == 0 or len(scores_WLC) != len(starts_W):
        raise ValueError(f"{len(scores_WLC)} windows and {len(starts_W)} starts; one of each at least")
    parts = [scores_LC[: num_tokens - start] for scores_LC, start in zip(scores_WLC, starts_W.tolist(), strict=True)]
    sizes_W = np.array([len(part) for part in parts])
    window_T = best_windows(starts_W, sizes_W, num_tokens, allow_gaps=unread_C is not None)
    flat, read_T = np.concatenate(parts), window_T >= 0
    places_W = np.cumsum(sizes_W) - sizes_W - starts_W  # in flat, of token 0 of the text if the window held it
    merged_TC = np.empty((num_tokens, flat.shape[1]), flat.dtype)
    merged_TC[read_T] = flat[np.flatnonzero(read_T) + places_W[window_T[read_T]]]
    if unread_C is not None:
        merged_TC[~read_T] = unread_C
    return merged_TC


def _check_gaps(window_T: Indices) -> None:
    gaps = np.flatnonzero(window_T < 0)
    if len(gaps):
        raise ValueError(f"{len(gaps)} of {len(window_T)} tokens are in no window, the first is token {gaps[0]}")

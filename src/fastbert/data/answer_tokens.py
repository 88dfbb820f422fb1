"""Which tokens of a window an answer is made of: the targets of a model that answers with a part of a context.

An answer that begins or ends inside of a token is widened to whole tokens. Knows nothing of models, nor of how windows
are cut.

Axes: W windows, C tokens of contexts in all windows, A answers looked for in a window, over all windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from fastbert.data.examples import Answer
from fastbert.data.offsets import PAIR, Offsets
from fastbert.data.windows import Windows

Ints = npt.NDArray[np.int64]
# How a window holds an answer. NONE: its question has none.   WHOLE: in whole tokens.   WIDENED: in more than that.
# ABSENT: the window does not hold all of any answer.
NONE, WHOLE, WIDENED, ABSENT = 0, 1, 2, 3


def find_answer_tokens(
    windows: Windows, offsets: Offsets, answers: Sequence[Sequence[Answer]]
) -> npt.NDArray[np.int32]:
    """Return first token, last token and NONE, WHOLE, WIDENED or ABSENT for each window, int32 (W, 3).

    Of several answers the first that a window holds as a whole is taken. Tokens are counted from the start of the
    window, and are 0, which is [CLS], where it holds none: the recipe of BERT (Devlin et al. 2019, `run_squad.py`).
    windows, offsets: all windows of examples counted from 0, as encoded.    answers: of each example.
    """
    example_W = windows.table_W["example"].astype(np.int64)
    counts_N = np.array([len(given) for given in answers], np.int64)
    found_W3 = np.zeros((len(windows), 3), np.int32)
    found_W3[:, 2] = np.where(counts_N[example_W] > 0, ABSENT, NONE)
    spans = [(answer.start, answer.start + len(answer.text)) for answer in chain.from_iterable(answers)]
    tokens = _ContextTokens(windows, offsets)
    if not spans or not len(tokens.place_C):
        return found_W3
    num_A = counts_N[example_W]
    window_A = np.repeat(np.arange(len(windows)), num_A)
    begins_N = np.cumsum(counts_N) - counts_N
    within_A = np.arange(len(window_A)) - np.repeat(np.cumsum(num_A) - num_A, num_A)
    answer_A = begins_N[example_W[window_A]] + within_A
    start_A, end_A = np.array(spans, np.int64)[answer_A].T
    first_A, last_A, is_whole_A = tokens.find(window_A, answer_A, start_A, end_A)

    held, index = np.unique(window_A[is_whole_A], return_index=True)  # the first of each window
    chosen = np.flatnonzero(is_whole_A)[index]
    first, last = first_A[chosen], last_A[chosen]
    widened = (tokens.start_C[first] < start_A[chosen]) | (tokens.end_C[last] > end_A[chosen])
    found_W3[held, 0], found_W3[held, 1] = tokens.place_C[first], tokens.place_C[last]
    found_W3[held, 2] = np.where(widened, WIDENED, WHOLE)
    return found_W3


class _ContextTokens:
    """The tokens of contexts, window by window. place_C: in their window.    start_C, end_C: their characters."""

    def __init__(self, windows: Windows, offsets: Offsets) -> None:
        context = np.flatnonzero(offsets.source_T == PAIR)
        window_C = np.repeat(np.arange(len(windows)), windows.table_W["length"])[context]
        self.place_C = context - windows.table_W["start"][window_C]
        self.start_C = offsets.start_T[context].astype(np.int64)
        self.end_C = offsets.end_T[context].astype(np.int64)
        self._token_C = offsets.token_T[context].astype(np.int64)
        self._window_C = window_C
        self._bounds_W = np.searchsorted(window_C, np.arange(len(windows) + 1))

    def find(
        self, window_A: Ints, answer_A: Ints, start_A: Ints, end_A: Ints
    ) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
        """Return first and last token of characters in a window, and whether these are all tokens of the answer.

        The first token is the first that ends behind the first character, the last one the last that begins before the
        end. Each token of a context is in some window, so the earliest first and the latest last token of all windows
        are those of the answer.
        """
        stride = int(max(self.end_C.max(), end_A.max())) + 1  # a window's characters lie apart from the next one's
        first_A = np.searchsorted(self._window_C * stride + self.end_C, window_A * stride + start_A, side="right")
        last_A = np.searchsorted(self._window_C * stride + self.start_C, window_A * stride + end_A, side="left") - 1
        has_first_A, has_last_A = first_A < self._bounds_W[window_A + 1], last_A >= self._bounds_W[window_A]
        first_A, last_A = np.where(has_first_A, first_A, 0), np.where(has_last_A, last_A, 0)
        token_first_A = np.where(has_first_A, self._token_C[first_A], np.iinfo(np.int64).max)
        token_last_A = np.where(has_last_A, self._token_C[last_A], -1)
        earliest = np.full(int(answer_A.max()) + 1, np.iinfo(np.int64).max)
        latest = np.full(len(earliest), -1)
        np.minimum.at(earliest, answer_A, token_first_A)
        np.maximum.at(latest, answer_A, token_last_A)
        is_whole_A = (token_first_A == earliest[answer_A]) & (token_last_A == latest[answer_A])
        return first_A, last_A, is_whole_A & has_first_A & has_last_A & (token_first_A <= token_last_A)

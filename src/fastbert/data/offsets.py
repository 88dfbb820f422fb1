"""Which characters each token of a window stands for, for tasks that answer with a part of the text.

Windows are laid with the places of tokens in place of their ids, by the same code that lays ids; what comes out is
read back as ids and as offsets, so that the two cannot differ. Knows nothing of how a window is cut.

Axes: D distinct texts, P tokens of all distinct texts, T tokens of all windows.
"""

from __future__ import annotations

import functools
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

import numpy as np
import numpy.typing as npt
import tokenizers

from fastbert.data.windows import Ints, Windows

Numbers = Sequence[int]  # token ids of one text, or what stands for them
Codes = npt.NDArray[np.uint32]
Source = Literal["text", "pair"]
SPECIAL, TEXT, PAIR = -1, 0, 1  # of `Offsets.source_T`
_LAST_SPACE = 0x3000  # no character above it is white space in Python 3.11 to 3.14
_FIRST_MARK = 0x300
_SPACES = np.array([chr(code).isspace() for code in range(_LAST_SPACE + 1)] + [False])


@dataclass(frozen=True)
class Offsets:
    """The origin of each token, in arrays as long as `Windows.ids_T` and in its order.

    source_T: int8, 0 for a token of the text, 1 of the pair, -1 for a special token.
    token_T: int32, its index among all tokens of that text, cut or not; -1 for a special token.
    start_T, end_T: int32, its characters in that text, end exclusive; 0 and 0 for a special token. A range neither
        begins nor ends with white space, unless it holds nothing else, and ends behind the marks that belong to its
        last character, which normalisers drop or join. It is empty for what the tokenizer made up.
    """

    source_T: npt.NDArray[np.int8]
    token_T: Ints
    start_T: Ints
    end_T: Ints


@dataclass(frozen=True)
class TokenRanges:
    """The tokens of distinct texts, without special tokens. begin_D: first token of each, and behind the last."""

    ids_P: Ints
    start_P: Ints
    end_P: Ints
    begin_D: npt.NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str], encodings: Sequence[tokenizers.Encoding]) -> TokenRanges:
        """Take ids and offsets out of the encodings of texts."""
        begin_D = np.concatenate([[0], np.cumsum([len(encoding) for encoding in encodings], dtype=np.int64)])
        num_tokens = int(begin_D[-1])
        ids_P = np.fromiter(chain.from_iterable(encoding.ids for encoding in encodings), np.int32, num_tokens)
        bounds = chain.from_iterable(chain.from_iterable(encoding.offsets for encoding in encodings))
        bounds_P2 = np.fromiter(bounds, np.int32, 2 * num_tokens).reshape(-1, 2)
        first_D = np.cumsum([0, *map(len, texts)])[:-1]  # characters before each text
        shift_P = np.repeat(first_D, np.diff(begin_D))
        codes_C = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
        start_P, end_P = _trimmed(codes_C, bounds_P2[:, 0] + shift_P, bounds_P2[:, 1] + shift_P)
        if len(codes_C) and codes_C.max() >= _FIRST_MARK:
            last_P = np.repeat(first_D + np.fromiter(map(len, texts), np.int64, len(texts)), np.diff(begin_D))
            end_P = _with_marks(codes_C, start_P, end_P, last_P)
        return cls(ids_P, (start_P - shift_P).astype(np.int32), (end_P - shift_P).astype(np.int32), begin_D)

    @classmethod
    def join(cls, parts: Iterable[TokenRanges]) -> TokenRanges:
        """Return the tokens of several lists of texts after another."""
        listed = list(parts)
        none, zero = np.zeros(0, np.int32), np.zeros(1, np.int64)
        return cls(
            np.concatenate([none, *(part.ids_P for part in listed)]),
            np.concatenate([none, *(part.start_P for part in listed)]),
            np.concatenate([none, *(part.end_P for part in listed)]),
            np.cumsum(np.concatenate([zero, *(np.diff(part.begin_D) for part in listed)])),
        )

    def places(self, number: int, source: Source) -> range:
        """Return numbers below 0 that stand for the tokens of a text, which is laid as a text or as a pair."""
        first, end = int(self.begin_D[number]), int(self.begin_D[number + 1])
        shift = 1 if source == "text" else 2
        return range(-2 * first - shift, -2 * end - shift, -2)

    def read_back(self, laid: Windows) -> tuple[Windows, Offsets]:
        """Return windows of `places` as windows of token ids, and the origin of each token."""
        own = np.flatnonzero(laid.ids_T < 0)
        code = -1 - laid.ids_T[own]
        place = code >> 1
        index_P = np.arange(len(self.ids_P)) - np.repeat(self.begin_D[:-1], np.diff(self.begin_D))

        def filled(rest: Ints, values: Ints) -> Ints:
            rest[own] = values
            return rest

        num_tokens = len(laid.ids_T)
        source_T = np.full(num_tokens, SPECIAL, np.int8)
        source_T[own] = code & 1
        offsets = Offsets(
            source_T,
            filled(np.full(num_tokens, -1, np.int32), index_P.astype(np.int32)[place]),
            filled(np.zeros(num_tokens, np.int32), self.start_P[place]),
            filled(np.zeros(num_tokens, np.int32), self.end_P[place]),
        )
        return replace(laid, ids_T=filled(laid.ids_T.copy(), self.ids_P[place])), offsets


def _trimmed(codes_C: Codes, start_P: Ints, end_P: Ints) -> tuple[Ints, Ints]:
    """Return ranges of a text without white space at their ends; those that hold nothing else as they are."""
    is_space_C = _SPACES[np.minimum(codes_C, _LAST_SPACE + 1)]
    filled = np.flatnonzero(end_P > start_P)
    bad = filled[is_space_C[start_P[filled]] | is_space_C[end_P[filled] - 1]]
    if len(bad):
        solid = np.flatnonzero(~is_space_C)
        first, behind = np.searchsorted(solid, start_P[bad]), np.searchsorted(solid, end_P[bad])
        has_solid = behind > first
        bad, first, behind = bad[has_solid], first[has_solid], behind[has_solid]
        start_P, end_P = start_P.copy(), end_P.copy()
        start_P[bad], end_P[bad] = solid[first], solid[behind - 1] + 1
    return start_P, end_P


def _with_marks(codes_C: Codes, start_P: Ints, end_P: Ints, last_P: npt.NDArray[np.int64]) -> Ints:
    """Return the ends of ranges behind the marks that follow, but not in the next range or another text.

    last_P: where the text of each range ends.
    """
    is_mark_C = np.isin(codes_C, _marks())
    filled = np.flatnonzero(end_P > start_P)
    inside = filled[end_P[filled] < last_P[filled]]
    if not len(inside) or not is_mark_C[end_P[inside]].any():
        return end_P
    others = np.append(np.flatnonzero(~is_mark_C), len(codes_C))
    next_P = np.append(start_P[filled][1:], len(codes_C))  # where the next range begins
    behind = np.minimum(others[np.searchsorted(others, end_P[filled])], np.minimum(next_P, last_P[filled]))
    end_P = end_P.copy()
    end_P[filled] = np.maximum(end_P[filled], behind)
    return end_P


@functools.cache
def _marks() -> Codes:
    """Return the characters that are drawn on the one before: accents, vowel signs, variants."""
    found = (code for code in range(_FIRST_MARK, sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == "M")
    return np.fromiter(found, np.uint32)

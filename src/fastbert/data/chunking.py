"""Documents packed into sequences of one length, so that no position of a batch is padding.

A document goes on in the next sequence where one is full; the next document follows behind a separator. Every token is
in exactly one sequence. Knows no masks and no encoder.

Axes: T places of all sequences, N sequences; a 1 behind an axis: one more entry, the end of the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastbert.data.corpus_tokens import CorpusTokens
from fastbert.errors import ConfigError

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Chunks:
    """Sequences without the special tokens round them.

    places_T: where in the tokens of the corpus each is; below 0 a separator, as the caller said.
    lengths_N: of each sequence: all are full but the last.
    """

    places_T: Places
    lengths_N: Places

    def __len__(self) -> int:
        return len(self.lengths_N)


def chunk_documents(
    tokens: CorpusTokens, size: int, *, separator: int | None = None, rng: np.random.Generator | None = None
) -> Chunks:
    """Pack the documents of a corpus into sequences of exactly size places; the last has what is left.

    separator: place, below 0, to be put between two documents in one sequence, None for nothing. None stands at the
        beginning of a sequence.
    rng: draws the order of the documents; None keeps that of the corpus.
    Raises ConfigError for a size below 2.
    """
    if size < 2:
        raise ConfigError(f"Sequences of {size} tokens are too short to pack documents into.", "Use more max_tokens.")
    order_D = np.arange(tokens.num_documents) if rng is None else rng.permutation(tokens.num_documents)
    starts_D1 = tokens.starts_D1
    starts_D, lengths_D = starts_D1[:-1][order_D], np.diff(starts_D1)[order_D]
    gap = 0 if separator is None else 1
    pieces = list(_pieces(lengths_D.tolist(), starts_D.tolist(), size, gap, separator or 0))
    starts_P, sizes_P = np.array(pieces, np.int64).T
    # a piece below 0 is a separator: one place, which is its own start
    ends_P = np.cumsum(sizes_P)
    places_T = np.repeat(starts_P - (ends_P - sizes_P), sizes_P) + np.arange(int(ends_P[-1]))
    full, rest = divmod(len(places_T), size)
    return Chunks(places_T, np.array([size] * full + [rest] * (rest > 0), np.int64))


def _pieces(lengths: list[int], starts: list[int], size: int, gap: int, separator: int) -> Iterator[tuple[int, int]]:
    """Yield (start, tokens) of what stands behind another, whole documents or separators.

    A document is not cut here: sequences are cut where they are full.
    """
    used = 0  # places of the present sequence
    for start, length in zip(starts, lengths, strict=True):
        if gap and used > 0:
            yield separator, 1
            used += 1
        yield start, length
        used = (used + length) % size

"""Pairs for next-sentence prediction, as the paper of BERT makes them (`create_pretraining_data.py`).

A pair is two spans of sentences: the second follows the first in its document, or is taken from another document.
Devlin et al. 2019, arXiv 1810.04805, section 3.1 and appendix A.2. Knows no masks and no special tokens.

Axes: N pairs.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastbert.data.corpus_tokens import CorpusTokens
from fastbert.errors import DataError

Places = npt.NDArray[np.int64]

SHORT_SHARE = 0.1  # of the sequences are of random length, so that fine-tuning finds short ones familiar
LEAST_SHARE = 0.1  # of the documents must have a next sentence, or there is nothing to learn from
RANDOM_SHARE = 0.5  # of the second texts are from another document


@dataclass(frozen=True)
class Pairs:
    """Two spans of the tokens of a corpus each. is_random_N: 1 where the second is from another document, else 0.

    num_cut: tokens that were cut off, as they fit into no sequence.
    """

    first_start_N: Places
    first_N: Places
    second_start_N: Places
    second_N: Places
    is_random_N: npt.NDArray[np.int64]
    num_cut: int

    def __len__(self) -> int:
        return len(self.first_N)


class _Pair(NamedTuple):
    """first, second: sentences from, to.    is_random: see `Pairs`."""

    first: tuple[int, int]
    second: tuple[int, int]
    is_random: bool


def make_pairs(tokens: CorpusTokens, size: int, *, seed: int, epoch: int) -> Pairs:
    """Return the pairs of one epoch, in the order of the documents; a pure function of its arguments.

    size: most tokens of both texts together.
    Raises DataError for fewer than two documents, or if hardly any has two sentences.
    """
    check_documents(tokens)
    rng = random.Random(seed * 2**32 + epoch)
    bounds, documents = tokens.sentences_S1.tolist(), tokens.documents_D1.tolist()
    rows: list[tuple[int, int, int, int, bool]] = []
    num_cut = 0
    for document in range(tokens.num_documents):
        for pair in _pairs_of(document, documents, bounds, size, rng):
            first, second = ((bounds[begin], bounds[end]) for begin, end in (pair.first, pair.second))
            first, second, cut = _shorten(first, second, size, rng)
            rows.append((first[0], first[1] - first[0], second[0], second[1] - second[0], pair.is_random))
            num_cut += cut
    first_start_N, first_N, second_start_N, second_N, is_random_N = np.array(rows, np.int64).T
    return Pairs(first_start_N, first_N, second_start_N, second_N, is_random_N, num_cut)


def check_documents(tokens: CorpusTokens) -> None:
    """Raise DataError if no pairs can be made of a corpus."""
    if tokens.num_documents < 2:
        raise DataError(
            "Next-sentence prediction needs two documents at least; the corpus is one.",
            "Put a blank line between documents, or leave out --next-sentence.",
        )
    several = int((np.diff(tokens.documents_D1) > 1).sum())
    if several < LEAST_SHARE * tokens.num_documents:
        raise DataError(
            "Next-sentence prediction needs documents of several sentences; here "
            f"{tokens.num_documents - several:,} of {tokens.num_documents:,} are a single line.",
            "Put each sentence on a line of its own, or leave out --next-sentence.",
        )


def _pairs_of(document: int, documents: list[int], bounds: list[int], size: int, rng: random.Random) -> Iterator[_Pair]:
    """Yield the pairs whose first text is of one document: `create_instances_from_document`."""
    begin, last = documents[document], documents[document + 1]
    target = _target(size, rng)
    start = end = begin  # the sentences gathered so far
    while end < last:
        end += 1
        if end < last and bounds[end] - bounds[start] < target:
            continue
        cut = start + 1 if end - start < 2 else rng.randint(start + 1, end - 1)
        if cut == end or rng.random() < RANDOM_SHARE:
            wanted = target - (bounds[cut] - bounds[start])
            yield _Pair((start, cut), _other_span(document, documents, bounds, wanted, rng), is_random=True)
            end = cut  # the sentences behind it are used again
        else:
            yield _Pair((start, cut), (cut, end), is_random=False)
        start = end


def _target(size: int, rng: random.Random) -> int:
    return rng.randint(2, size) if rng.random() < SHORT_SHARE else size


def _other_span(
    document: int, documents: list[int], bounds: list[int], wanted: int, rng: random.Random
) -> tuple[int, int]:
    """Return sentences of another document, from a random one on, of about so many tokens."""
    other = rng.randrange(len(documents) - 2)
    other += other >= document
    start = end = rng.randrange(documents[other], documents[other + 1])
    while end < documents[other + 1]:
        end += 1
        if bounds[end] - bounds[start] >= wanted:
            break
    return start, end


def _shorten(
    first: tuple[int, int], second: tuple[int, int], size: int, rng: random.Random
) -> tuple[tuple[int, int], tuple[int, int], int]:
    """Cut tokens off the longer of two spans until they fit, each at the front or the back at random.

    Returns both, and the number of tokens cut: `truncate_seq_pair`.
    """
    lengths = first[1] - first[0], second[1] - second[0]
    excess = max(0, sum(lengths) - size)
    uneven = min(excess, abs(lengths[0] - lengths[1]))  # from the longer alone, then from both in turn
    even = excess - uneven
    from_first = even // 2 + (uneven if lengths[0] > lengths[1] else 0)
    return _cut(first, from_first, rng), _cut(second, excess - from_first, rng), excess


def _cut(span: tuple[int, int], count: int, rng: random.Random) -> tuple[int, int]:
    """Cut so many tokens off a span, each at the front or the back: at once, as one line may be very long."""
    at_front = rng.getrandbits(count).bit_count()
    return span[0] + at_front, span[1] - (count - at_front)

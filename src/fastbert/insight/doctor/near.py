"""Which texts are nearly the same, letter by letter: MinHash signatures, banded, then compared exactly.

Broder 1997, "On the resemblance and containment of documents"; banding as in Leskovec, Rajaraman & Ullman, "Mining of
Massive Datasets", section 3.4. Work grows with the characters, not with the pairs. Lexical: what says the same in
other words is for `fastbert similar`. Knows nothing of rows, labels or splits.

Axes: N texts, S shingles, K hash functions, P pairs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float64]
Number = TypeVar("Number", np.int64, np.uint64)

SHINGLE = 5  # characters
BANDS, ROWS_OF_BAND = 16, 5  # texts that are 0.8 alike become a candidate with 1 - (1 - 0.8^5)^16 = 0.998
NUM_HASHES = BANDS * ROWS_OF_BAND
NEIGHBOURS = 8  # that a text is compared with in each bucket: all pairs of a small one, a chain in a large one
SLACK = 0.2  # a share of 80 hashes is off by 0.045 (one standard deviation) at 0.8
CHUNK = 1 << 14  # shingles hashed at once: their 80 hashes take 5 MB
COMPARED = 1 << 21  # characters of pairs that are compared at once
MOST_COMPARED = 200_000  # pairs; beyond them the share of equal hashes is believed
SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class NearPairs:
    """Pairs of texts by falling likeness. first, second: indices, first < second.    likeness: Jaccard, 0 to 1."""

    first: Ints
    second: Ints
    likeness: Floats

    def __len__(self) -> int:
        return len(self.first)


def near_pairs(texts: Sequence[str], least: float, kinds: Sequence[int] | None = None) -> NearPairs:
    """Return pairs of texts whose sets of 5-grams of letters have a Jaccard index of at least `least`.

    Case, punctuation and white space do not count; texts without a letter or digit are in no pair. Of many texts that
    are all alike each is paired with a few others, so that all hang together. Pairs may be missed (see BANDS); none
    is wrong, unless there are more candidates than MOST_COMPARED.
    kinds: only texts of equal kind are compared.

    >>> found = near_pairs(["The app is slow today!", "the app is slow, today", "Something else"], 0.8)
    >>> list(zip(found.first.tolist(), found.second.tolist(), found.likeness.tolist()))
    [(0, 1, 1.0)]
    """
    plain = [plain_text(text) for text in texts]
    full_N = np.array([bool(text) for text in plain], np.bool_)
    signatures_NK = _signatures(plain)
    codes = _candidates(signatures_NK, full_N, None if kinds is None else np.array(kinds, np.int64))
    first, second = codes // max(len(texts), 1), codes % max(len(texts), 1)
    guess = _shares_of_equal(signatures_NK, first, second)
    kept = guess >= least - SLACK
    first, second, guess = first[kept], second[kept], guess[kept]
    order = np.argsort(-guess, kind="stable")
    first, second, likeness = first[order], second[order], guess[order]
    likeness[:MOST_COMPARED] = _compare(plain, first[:MOST_COMPARED], second[:MOST_COMPARED])
    near = np.flatnonzero(likeness >= least)
    near = near[np.lexsort((second[near], first[near], -likeness[near]))]
    return NearPairs(first[near], second[near], likeness[near])


def jaccard(one: str, other: str) -> float:
    """Return how alike two texts are, as `near_pairs` has it.

    >>> jaccard("abcdef", "abcdef!"), jaccard("abcdef", "uvwxyz")
    (1.0, 0.0)
    """
    plain = [plain_text(one), plain_text(other)]
    return float(_compare_chunk(plain, np.array([0]), np.array([1]))[0])


def plain_text(text: str) -> str:
    """Return a text as it is compared: NFKC, case folded, letters and digits only, single blanks.

    >>> plain_text("  ＨＥＬＬＯ,  world... ")
    'hello world'
    """
    return SIGNS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _hashes(texts: Sequence[str]) -> tuple[Words, Ints]:
    """Return the hash of each 5-gram of texts, one text behind the other, and how many each text has (at least 1)."""
    padded = [text.ljust(SHINGLE) for text in texts]
    sizes_N = np.fromiter(map(len, padded), np.int64, len(padded))
    points = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    mixed = np.zeros(max(len(points) - SHINGLE + 1, 0), np.uint64)
    for place in range(SHINGLE):
        mixed = mixed * np.uint64(0x100000001B3) + points[place : len(points) - SHINGLE + 1 + place]
    # the finaliser of splitmix64 (Steele et al. 2014): neighbouring code points must not give neighbouring hashes
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    starts = np.cumsum(sizes_N) - sizes_N
    counts_N = sizes_N - SHINGLE + 1
    inside = np.repeat(starts - (np.cumsum(counts_N) - counts_N), counts_N) + np.arange(int(counts_N.sum()))
    return (mixed[inside] >> np.uint64(32)).astype(np.uint32), counts_N


def _signatures(texts: Sequence[str]) -> Words:
    """Return the least value of each hash function over the shingles of each text, uint32 (N, K)."""
    rng = np.random.default_rng(0)  # the hash functions are the same in every run
    factors_K = (rng.integers(0, 1 << 31, NUM_HASHES, np.uint64) * np.uint64(2) + np.uint64(1)).astype(np.uint32)
    offsets_K = rng.integers(0, 1 << 32, NUM_HASHES, np.uint64).astype(np.uint32)
    signatures_NK = np.zeros((len(texts), NUM_HASHES), np.uint32)
    for begin, end in _chunks(texts):
        hashes_S, counts = _hashes(texts[begin:end])
        starts = np.cumsum(counts) - counts
        for k in range(NUM_HASHES):
            values_S = hashes_S * factors_K[k] + offsets_K[k]
            signatures_NK[begin:end, k] = np.minimum.reduceat(values_S, starts)
    return signatures_NK


def _chunks(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    begin = size = 0
    for end, text in enumerate(texts, start=1):
        size += len(text) + SHINGLE
        if size >= CHUNK:
            yield begin, end
            begin, size = end, 0
    if begin < len(texts):
        yield begin, len(texts)


def _candidates(signatures_NK: Words, full_N: npt.NDArray[np.bool_], kinds_N: Ints | None) -> Ints:
    """Return pairs that agree in a whole band, as first * N + second, each once."""
    members = np.flatnonzero(full_N)
    num = len(full_N)
    pairs: list[Ints] = [np.zeros(0, np.int64)]
    for band in range(BANDS):
        part = signatures_NK[members, band * ROWS_OF_BAND : (band + 1) * ROWS_OF_BAND].astype(np.uint64)
        keys = np.zeros(len(members), np.uint64)
        for column in range(ROWS_OF_BAND):
            keys = (keys ^ part[:, column]) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(29)
        if kinds_N is not None:
            keys = (keys ^ kinds_N[members].astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        order = np.argsort(keys, kind="stable")
        keys, rows = keys[order], members[order]
        for step in range(1, min(NEIGHBOURS, len(rows) - 1) + 1):
            same = keys[step:] == keys[:-step]
            pairs.append(rows[:-step][same] * num + rows[step:][same])  # the sort is stable: first < second
    return _distinct(np.concatenate(pairs))


def _shares_of_equal(signatures_NK: Words, first: Ints, second: Ints) -> Floats:
    shares_P = np.zeros(len(first), np.float64)
    for begin in range(0, len(first), CHUNK):
        part = slice(begin, begin + CHUNK)
        shares_P[part] = (signatures_NK[first[part]] == signatures_NK[second[part]]).mean(1)
    return shares_P


def _compare(texts: Sequence[str], first: Ints, second: Ints) -> Floats:
    """Return the exact Jaccard index of pairs of plain texts."""
    result_P = np.zeros(len(first), np.float64)
    order = np.argsort(first, kind="stable")  # a text is then hashed in few chunks
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    ends = np.cumsum((sizes[first] + sizes[second])[order])
    begin = 0
    while begin < len(order):
        limit = COMPARED + (int(ends[begin - 1]) if begin else 0)
        end = max(int(np.searchsorted(ends, limit, side="right")), begin + 1)
        part = order[begin:end]
        result_P[part] = _compare_chunk(texts, first[part], second[part])
        begin = end
    return result_P


def _compare_chunk(texts: Sequence[str], first: Ints, second: Ints) -> Floats:
    """Look up each distinct shingle of the first text of each pair among those of the second."""
    members, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    hashes_S, counts = _hashes([texts[member] for member in members.tolist()])
    keys_S = _distinct(np.repeat(np.arange(len(members), dtype=np.uint64) << np.uint64(32), counts) | hashes_S)
    owner_S = (keys_S >> np.uint64(32)).astype(np.int64)
    sizes = np.bincount(owner_S, minlength=len(members))
    starts = np.cumsum(sizes) - sizes
    one, two = places[: len(first)], places[len(first) :]
    num = sizes[one]
    pair_S = np.repeat(np.arange(len(first)), num)
    index_S = np.repeat(starts[one] - (np.cumsum(num) - num), num) + np.arange(int(num.sum()))
    wanted_S = (keys_S[index_S] & np.uint64(0xFFFFFFFF)) | (two[pair_S].astype(np.uint64) << np.uint64(32))
    at_S = np.minimum(np.searchsorted(keys_S, wanted_S), len(keys_S) - 1)
    both_P = np.bincount(pair_S[keys_S[at_S] == wanted_S], minlength=len(first))
    result_P: Floats = both_P / (num + sizes[two] - both_P)
    return result_P


def _distinct(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Return the sorted distinct values; numpy.unique hashes them, which takes 10 times as long for millions."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]

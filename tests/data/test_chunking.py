"""Packing: nothing is lost or doubled, and sequences are full."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.chunking import chunk_documents
from fastbert.errors import ConfigError
from tests.data.corpora import corpus_of

SEPARATOR = -2
DOCUMENTS = st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=4), min_size=1, max_size=12)


@given(DOCUMENTS, st.integers(2, 20), st.integers(0, 99), st.booleans())
def test_every_token_is_in_exactly_one_sequence(
    documents: list[list[int]], size: int, seed: int, separated: bool
) -> None:
    tokens = corpus_of(documents)
    chunks = chunk_documents(tokens, size, separator=SEPARATOR if separated else None, rng=np.random.default_rng(seed))

    places = chunks.places_T[chunks.places_T >= 0]
    assert sorted(places.tolist()) == list(range(len(tokens.ids_T)))
    assert int(chunks.lengths_N.sum()) == len(chunks.places_T)
    # within a document the order is that of the text
    owner = np.searchsorted(tokens.starts_D1, places, side="right")
    assert all(np.all(np.diff(places[owner == number]) == 1) for number in set(owner.tolist()))


@given(DOCUMENTS, st.integers(2, 20))
def test_sequences_are_full_but_the_last(documents: list[list[int]], size: int) -> None:
    chunks = chunk_documents(corpus_of(documents), size, separator=SEPARATOR)

    assert set(chunks.lengths_N[:-1].tolist()) <= {size}
    assert 1 <= chunks.lengths_N[-1] <= size


@given(DOCUMENTS, st.integers(2, 20))
def test_a_separator_stands_between_documents_that_share_a_sequence_and_nowhere_else(
    documents: list[list[int]], size: int
) -> None:
    tokens = corpus_of(documents)
    chunks = chunk_documents(tokens, size, separator=SEPARATOR)
    joints = set(tokens.starts_D1[1:-1].tolist())

    for number in range(len(chunks)):
        row = chunks.places_T[number * size : (number + 1) * size].tolist()
        assert row[0] >= 0
        inside = {place for before, place in zip(row, row[1:], strict=False) if place >= 0 and before == SEPARATOR}
        assert inside == {place for place in row[1:] if place in joints}


def test_documents_are_packed_by_hand_as_expected() -> None:
    chunks = chunk_documents(corpus_of([[2], [3], [4]]), 4, separator=SEPARATOR)

    assert chunks.places_T.tolist() == [0, 1, -2, 2, 3, 4, -2, 5, 6, 7, 8]
    assert chunks.lengths_N.tolist() == [4, 4, 3]


def test_the_order_is_drawn_anew_with_another_generator() -> None:
    tokens = corpus_of([[1]] * 20)
    first, again, other = (chunk_documents(tokens, 5, rng=np.random.default_rng(seed)).places_T for seed in (1, 1, 2))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_too_short_sequences_are_refused() -> None:
    with pytest.raises(ConfigError, match="Sequences of 1 tokens are too short"):
        chunk_documents(corpus_of([[3]]), 1)

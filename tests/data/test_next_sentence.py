"""Pairs compared with the rules of the paper of BERT."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.next_sentence import Pairs, _shorten, make_pairs
from fastbert.errors import DataError
from tests.data.corpora import corpus_of

DOCUMENTS = st.lists(st.lists(st.integers(1, 30), min_size=2, max_size=9), min_size=2, max_size=9)


def spans(pairs: Pairs) -> list[tuple[int, int, int, int]]:
    """Return first from, to, second from, to."""
    starts = zip(pairs.first_start_N, pairs.first_N, pairs.second_start_N, pairs.second_N, strict=True)
    return [(int(a), int(a + n), int(b), int(b + m)) for a, n, b, m in starts]


@given(DOCUMENTS, st.integers(8, 60), st.integers(0, 99))
def test_pairs_fit_and_their_parts_are_of_one_document_each(documents: list[list[int]], size: int, seed: int) -> None:
    tokens = corpus_of(documents)
    pairs = make_pairs(tokens, size, seed=seed, epoch=0)
    starts = tokens.starts_D1

    for (a, a_end, b, b_end), is_random in zip(spans(pairs), pairs.is_random_N, strict=True):
        assert 0 < a_end - a and 0 < b_end - b and (a_end - a) + (b_end - b) <= size
        first, second = (np.searchsorted(starts, place, side="right") for place in (a, b))
        assert (first, second) == tuple(np.searchsorted(starts, place, side="left") for place in (a_end, b_end))
        assert (first != second) == bool(is_random)
        assert is_random or a_end <= b


@given(DOCUMENTS, st.integers(0, 99))
def test_with_room_enough_every_sentence_is_in_a_pair_and_nothing_is_cut(documents: list[list[int]], seed: int) -> None:
    tokens = corpus_of(documents)
    pairs = make_pairs(tokens, 2000, seed=seed, epoch=0)

    own = {place for a, a_end, b, b_end in spans(pairs) for place in (*range(a, a_end), *range(b, b_end))}
    assert own == set(range(len(tokens.ids_T)))
    assert pairs.num_cut == 0


def test_half_of_the_pairs_are_random_and_a_tenth_of_the_documents_give_short_ones() -> None:
    tokens = corpus_of([[5] * 40] * 2000)
    pairs = make_pairs(tokens, 50, seed=0, epoch=0)

    owner = np.searchsorted(tokens.starts_D1, pairs.first_start_N, side="right")
    firsts = np.unique(owner, return_index=True)[1]  # a later one may be of a single sentence, and is random then
    assert pairs.is_random_N[firsts].mean() == pytest.approx(0.5, abs=0.03)
    longest = np.array([(pairs.first_N + pairs.second_N)[owner == number].max() for number in range(1, 2001)])
    assert (longest < 46).mean() == pytest.approx(0.09, abs=0.02)


def test_a_document_of_one_sentence_has_a_random_second() -> None:
    pairs = make_pairs(corpus_of([[3], [2, 2]]), 20, seed=0, epoch=0)

    assert pairs.is_random_N[0] == 1


@given(st.integers(1, 40), st.integers(1, 40), st.integers(2, 50), st.integers(0, 99))
def test_the_longer_of_two_is_cut_until_they_fit(a: int, b: int, size: int, seed: int) -> None:
    first, second, cut = _shorten((0, a), (100, 100 + b), size, random.Random(seed))
    lengths = (first[1] - first[0], second[1] - second[0])

    assert sum(lengths) == min(a + b, size) == a + b - cut
    assert 0 <= first[0] <= first[1] <= a and 100 <= second[0] <= second[1] <= 100 + b
    if cut:
        assert abs(lengths[0] - lengths[1]) <= 1 or min(lengths) == min(a, b)


def test_tokens_are_cut_off_at_both_ends() -> None:
    (start, end), _, cut = _shorten((0, 1000), (0, 10), 110, random.Random(0))

    assert cut == 900 and 400 < start < 500 and 500 < end < 600


def test_pairs_are_a_function_of_seed_and_epoch() -> None:
    tokens = corpus_of([[4] * 9] * 9)
    first, again, other = (spans(make_pairs(tokens, 16, seed=1, epoch=epoch)) for epoch in (0, 0, 1))

    assert first == again != other


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([[3, 3, 3]], "needs two documents at least; the corpus is one"),
        ([[3]] * 30 + [[3, 3]], "here 30 of 31 are a single line"),
    ],
)
def test_a_corpus_without_documents_is_refused(documents: list[list[int]], message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        make_pairs(corpus_of(documents), 20, seed=0, epoch=0)
    assert "leave out --next-sentence" in str(error.value.hint)


@pytest.mark.parametrize("lengths", [(9, 3), (3, 9), (6, 6), (7, 6), (400_000, 5), (2, 3)])
def test_spans_are_cut_as_the_original_does(lengths: tuple[int, int]) -> None:
    """The longer one loses a token at a time, the second one of equals; at which end is drawn."""
    first, second, cut = _shorten((0, lengths[0]), (0, lengths[1]), 8, random.Random(0))

    left = list(lengths)
    while sum(left) > 8:
        left[0 if left[0] > left[1] else 1] -= 1
    assert [first[1] - first[0], second[1] - second[0]] == left
    assert cut == sum(lengths) - sum(left)
    assert 0 <= first[0] <= first[1] <= lengths[0] and 0 <= second[0] <= second[1] <= lengths[1]
    if lengths[0] > 1000:
        assert abs(first[0] / lengths[0] - 0.5) < 0.01  # about half of them at the front

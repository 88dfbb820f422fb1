"""Pairs of near vectors, against all products written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.errors import DataError
from fastbert.inference import similarity
from fastbert.inference.similarity import nearest, similar_pairs


def unit(rows: int, seed: int) -> similarity.Vectors:
    vectors_ND = np.random.default_rng(seed).normal(size=(rows, 3)).astype(np.float32)
    vectors_ND /= np.linalg.norm(vectors_ND, axis=1, keepdims=True)
    return vectors_ND


@given(st.integers(0, 20), st.integers(0, 99))
def test_each_pair_of_one_table_is_named_once(rows: int, seed: int) -> None:
    vectors_ND = unit(rows, seed)
    products = vectors_ND @ vectors_ND.T

    found = similar_pairs(vectors_ND, least=0.5)

    expected = {(one, two) for one in range(rows) for two in range(one + 1, rows) if products[one, two] >= 0.499999}
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == expected
    assert len(found) == len(expected)
    assert (np.diff(found.similarity) <= 0).all()


@pytest.mark.parametrize("block", [1, 3, 100])
def test_blocks_change_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = unit(11, 0), unit(7, 1)
    whole = similar_pairs(one, two, least=0.2)

    monkeypatch.setattr(similarity, "BLOCK", block)
    parts = similar_pairs(one, two, least=0.2)

    assert (parts.first.tolist(), parts.second.tolist()) == (whole.first.tolist(), whole.second.tolist())


def test_a_limit_of_1_finds_all_equal_vectors() -> None:
    vectors_ND = np.random.default_rng(0).normal(size=(200, 384)).astype(np.float32)
    vectors_ND /= np.linalg.norm(vectors_ND, axis=1, keepdims=True)

    found = similar_pairs(np.concatenate([vectors_ND, vectors_ND]), least=1.0)

    assert sorted(found.first.tolist()) == list(range(200))
    assert (found.second - found.first == 200).all()


def test_far_too_many_pairs_are_refused() -> None:
    with pytest.raises(DataError, match="More than 5 pairs have a similarity of at least 0.1"):
        similar_pairs(np.ones((9, 1), np.float32), least=0.1, most=5)


def test_the_nearest_rows_are_those_of_all_products() -> None:
    rng = np.random.default_rng(0)
    vectors_ND, others_MD = (rng.normal(size=(count, 8)).astype(np.float32) for count in (5, 40))
    vectors_ND /= np.linalg.norm(vectors_ND, axis=1, keepdims=True)
    others_MD /= np.linalg.norm(others_MD, axis=1, keepdims=True)

    rows_NK, similarity_NK = nearest(vectors_ND, others_MD, most=3)

    for vector_D, rows, products in zip(vectors_ND, rows_NK.tolist(), similarity_NK, strict=True):
        expected = sorted(range(40), key=lambda row: -float(vector_D @ others_MD[row]))[:3]
        assert rows == expected
        np.testing.assert_allclose(products, [vector_D @ others_MD[row] for row in rows], rtol=1e-5)


def test_equal_rows_come_in_their_order_and_few_rows_are_all() -> None:
    rows_NK, similarity_NK = nearest(np.eye(2, dtype=np.float32)[:1], np.ones((3, 2), np.float32), most=5)

    assert (rows_NK.tolist(), similarity_NK.tolist()) == ([[0, 1, 2]], [[1.0, 1.0, 1.0]])
    assert nearest(np.eye(2, dtype=np.float32), np.zeros((0, 2), np.float32), most=5)[0].shape == (2, 0)

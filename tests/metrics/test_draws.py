"""Draws of rows: so many each, the same for a seed whatever the size of a block, and each row as often as another."""

from __future__ import annotations

import numpy as np
import pytest

from fastbert.metrics import draws
from fastbert.metrics.draws import draw_counts


@pytest.mark.parametrize("drawn", [None, 4, 20])
def test_a_draw_has_as_many_rows_as_asked_for(drawn: int | None) -> None:
    counts_DN = np.concatenate(list(draw_counts(7, 30, drawn=drawn)))

    assert counts_DN.shape == (30, 7)
    assert (counts_DN.sum(axis=1) == (drawn or 7)).all()


def test_the_size_of_a_block_changes_no_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(draw_counts(7, 30, seed=3, drawn=5)))
    monkeypatch.setattr(draws, "_BLOCK_CELLS", 20)

    blocks = list(draw_counts(7, 30, seed=3, drawn=5))

    assert len(blocks) == 15
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_rows_are_drawn_alike() -> None:
    counts_DN = np.concatenate(list(draw_counts(5, 4000)))

    np.testing.assert_allclose(counts_DN.mean(axis=0), 1.0, atol=0.08)
    np.testing.assert_allclose(counts_DN.var(axis=0), 0.8, atol=0.08)  # of a binomial: 5 draws with a chance of 1/5

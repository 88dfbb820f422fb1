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


def test_rows_of_a_unit_come_as_often_as_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draws, "_BLOCK_CELLS", 20)
    units_N = np.array([0, 1, 0, 2, 2])

    counts_DN = np.concatenate(list(draw_counts(5, 30, units_N=units_N)))

    assert (counts_DN[:, 0] == counts_DN[:, 2]).all() and (counts_DN[:, 3] == counts_DN[:, 4]).all()
    assert (counts_DN[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_rows_that_are_units_are_drawn_as_rows() -> None:
    one, other = (np.concatenate(list(draw_counts(7, 30, units_N=units))) for units in (None, np.arange(7)))

    np.testing.assert_array_equal(one, other)

"""Average precision of draws against scikit-learn's, on the rows as lists."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from fastbert.insight.resampled_ranks import RankedRows


@given(
    rows=st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), min_size=1, max_size=25),
)
def test_a_draw_has_the_average_precision_of_its_rows(rows: list[tuple[int, bool, int]]) -> None:
    scores_N, counts_N = np.array([row[0] / 4 for row in rows]), np.array([row[2] for row in rows])
    targets_N = np.array([row[1] for row in rows])

    found = RankedRows.of(scores_N[:, None], targets_N[:, None]).average_precision(counts_N[None].astype(float))

    drawn = np.repeat(np.arange(len(rows)), counts_N)
    if 0 < targets_N[drawn].sum() < len(drawn):
        assert found[0] == pytest.approx(average_precision_score(targets_N[drawn], scores_N[drawn]))
    else:
        assert math.isnan(found[0])


def test_the_mean_is_over_the_labels_that_have_rows_in_the_draw() -> None:
    scores_NC = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.3]])
    targets_NC = np.array([[False, True], [True, False], [False, False]])

    ranked = RankedRows.of(scores_NC, targets_NC)

    # first label: its row is second of three, 1/2; second label: its row is last, 1/3
    assert ranked.average_precision(np.array([[1.0, 1, 1], [0, 1, 2]])).tolist() == pytest.approx(
        [(1 / 2 + 1 / 3) / 2, 1]
    )

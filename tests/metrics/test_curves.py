"""Curves against scikit-learn, weighted areas against rows written out, thinning within its limit."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from fastbert.metrics.curves import Ranking, thinned, weighted_areas

RNG = np.random.default_rng(0)
TARGET_N = RNG.random(200) < 0.3
SCORE_N = np.asarray(
    np.round(np.clip(0.4 * TARGET_N + 0.6 * RNG.random(200), 0, 1), 2), np.float64
)  # with equal scores
RANKING = Ranking.of(SCORE_N, TARGET_N)


def test_areas_are_those_of_scikit_learn() -> None:
    assert RANKING.roc_area() == pytest.approx(roc_auc_score(TARGET_N, SCORE_N))
    assert RANKING.average_precision() == pytest.approx(average_precision_score(TARGET_N, SCORE_N))


def test_curves_are_those_of_scikit_learn() -> None:
    false_K, true_K = roc_curve(TARGET_N, SCORE_N, drop_intermediate=False)[:2]
    precision_K, recall_K = precision_recall_curve(TARGET_N, SCORE_N)[:2]

    assert np.allclose(RANKING.roc(), (false_K, true_K))
    assert np.allclose(RANKING.precision_recall(), (recall_K[-2::-1], precision_K[-2::-1]))


def test_a_threshold_gives_what_lies_at_or_above_it() -> None:
    precision, recall, f1 = (part[0] for part in RANKING.at(np.array([0.5])))

    said_N = SCORE_N >= 0.5
    assert precision == pytest.approx(TARGET_N[said_N].mean())
    assert recall == pytest.approx(said_N[TARGET_N].mean())
    assert f1 == pytest.approx(2 * precision * recall / (precision + recall))


def test_weights_count_rows_as_often_as_they_say() -> None:
    weight_N = RNG.integers(0, 4, 200)
    rows = np.repeat(np.arange(200), weight_N)

    roc_D, precise_D = weighted_areas(SCORE_N, TARGET_N, weight_N[None].astype(float))

    assert roc_D[0] == pytest.approx(roc_auc_score(TARGET_N[rows], SCORE_N[rows]))
    assert precise_D[0] == pytest.approx(average_precision_score(TARGET_N[rows], SCORE_N[rows]))


def test_a_draw_without_the_label_has_no_area() -> None:
    roc_D, precise_D = weighted_areas(SCORE_N, TARGET_N, np.where(TARGET_N, 0.0, 1.0)[None])

    assert np.isnan(roc_D[0]) and np.isnan(precise_D[0])


def test_a_label_on_every_row_cannot_be_ranked() -> None:
    assert not Ranking.of(SCORE_N, np.ones(200, bool)).defined


def test_a_thinned_curve_keeps_its_ends_and_its_limit() -> None:
    points = thinned(*Ranking.of(RNG.random(5000), RNG.random(5000) < 0.5).roc(), points=50)

    assert len(points) <= 50
    assert points[0] == (0.0, 0.0) and points[-1] == pytest.approx((1.0, 1.0), abs=0.01)

"""The aims of a search for thresholds, each against what it promises on rows that it was not fitted to."""

from __future__ import annotations

import numpy as np
import pytest

from fastbert.decisions.aims import CostAim, FBetaAim, MicroAim, PrecisionAim, RecallAim, _chance_of_at_most, aim_of
from fastbert.decisions.goals import Goal
from fastbert.decisions.thresholds import NEVER, Candidates, Counts, ThresholdFit, fit_thresholds
from tests.decisions.test_thresholds import drawn

SHARES, SHIFTS = [0.3, 0.2, 0.1], [1.5, 0.0, -1.5]
# N rows, C labels


def fitted(aim: FBetaAim | CostAim | PrecisionAim | RecallAim, rows: int = 1500) -> ThresholdFit:
    scores_NC, targets_NC = drawn(rows, SHARES, SHIFTS)
    return fit_thresholds(Candidates.of_cells(scores_NC, targets_NC), aim, rows)


def on_new_rows(found: ThresholdFit) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scores_NC, targets_NC = drawn(30_000, SHARES, SHIFTS, seed=1)
    given_NC = scores_NC >= found.threshold_C
    return (given_NC & targets_NC).sum(axis=0), given_NC.sum(axis=0), targets_NC.sum(axis=0)


@pytest.mark.parametrize("least", [0.7, 0.9])
def test_a_precision_that_is_asked_for_is_kept_on_new_rows(least: float) -> None:
    found = fitted(PrecisionAim(least))

    hits_C, given_C, _ = on_new_rows(found)
    assert found.met
    assert hits_C.sum() / given_C.sum() >= least - 0.02


@pytest.mark.parametrize("least", [0.8, 0.95])
def test_a_recall_that_is_asked_for_is_kept_on_new_rows(least: float) -> None:
    hits_C, _, positives_C = on_new_rows(fitted(RecallAim(least)))

    assert (hits_C / positives_C).mean() >= least - 0.02
    assert (hits_C / positives_C).mean() <= least + 0.06  # and not by giving everything


def test_more_weight_on_recall_lowers_thresholds() -> None:
    assert (fitted(FBetaAim(3.0)).threshold_C < fitted(FBetaAim(0.5)).threshold_C).all()


def test_costs_of_probabilities_that_are_right_need_no_search() -> None:
    """Elkan 2001: with a mistake four times as dear as a miss a label is given from 0.8 on."""
    rng = np.random.default_rng(0)
    probs_NC = rng.random((4000, 2))
    targets_NC = rng.random((4000, 2)) < probs_NC
    aim = CostAim(np.array([4.0, 1.0]), np.array([1.0, 1.0]))

    found = fit_thresholds(Candidates.of_cells(probs_NC, targets_NC), aim, 4000)

    assert found.threshold_C == pytest.approx([0.8, 0.5], abs=0.06)


def test_costs_of_scores_that_are_off_move_the_threshold() -> None:
    equal = CostAim(np.ones(3), np.ones(3))

    found = fitted(equal)

    hits_C, given_C, positives_C = on_new_rows(found)
    plain = ThresholdFit(np.full(3, 0.5), np.full(3, 0.5), 0, 0, 0)
    plain_hits_C, plain_given_C, _ = on_new_rows(plain)
    assert equal.value(hits_C, given_C, positives_C) > equal.value(plain_hits_C, plain_given_C, positives_C)


def test_all_decisions_together_want_one_threshold_at_half_of_their_f1() -> None:
    """Lipton et al. 2014: of right probabilities the best threshold is half of the F1 that it reaches."""
    rng = np.random.default_rng(0)
    probs_NC = rng.beta(0.5, 2.0, (6000, 3))
    targets_NC = rng.random((6000, 3)) < probs_NC
    found = fit_thresholds(Candidates.of_cells(probs_NC, targets_NC), MicroAim(), 6000)

    assert len(set(found.threshold_C.tolist())) == 1
    assert found.threshold_C[0] == pytest.approx(found.value / 2, abs=0.05)


def test_a_precision_that_no_threshold_has_is_never_given() -> None:
    scores_NC = np.linspace(0, 1, 200)[:, None]
    targets_NC = (np.arange(200) % 2 == 0)[:, None]  # half is right whatever the score

    found = fit_thresholds(Candidates.of_cells(scores_NC, targets_NC), PrecisionAim(0.95), 200)

    assert found.threshold_C.tolist() == [NEVER]


def test_a_recall_falls_short_where_the_mean_or_one_label_does() -> None:
    aim, many = RecallAim(0.9), np.full(2, 100.0)

    assert aim.lack(np.array([95.0, 91.0]), many, many) == 0.0
    assert aim.lack(np.array([100.0, 80.0]), many, many) == pytest.approx(0.1)  # 0.9 in the mean
    assert aim.lack(np.array([100.0, 84.0]), many, many) == 0.0  # so few once in 25 times
    assert aim.lack(np.array([90.0, 86.0]), many, many) == pytest.approx(0.02)  # the mean
    few = np.array([100.0, 3.0])
    assert aim.lack(np.array([100.0, 1.0]), few, few) == pytest.approx(0.9 - (1 + 1 / 3) / 2)
    assert RecallAim(0.6).lack(np.array([100.0, 1.0]), few, few) == 0.0  # of three rows that is chance


def test_the_chance_of_so_few_is_that_of_the_binomial_distribution() -> None:
    draws = np.random.default_rng(0).binomial(200, 0.9, 200_000)

    for hits in (165, 172, 180):
        assert _chance_of_at_most(hits, 200, 0.9) == pytest.approx((draws <= hits).mean(), abs=0.003)


def test_a_precision_falls_short_by_what_it_lacks() -> None:
    aim, some = PrecisionAim(0.9), np.array([10.0, 10.0])

    assert aim.lack(np.array([10.0, 8.0]), some, some) == 0.0
    assert aim.lack(np.array([8.0, 8.0]), some, some) == pytest.approx(0.1)
    assert aim.lack(np.zeros(2), np.zeros(2), some) == 0.0  # nothing is given


def test_labels_without_a_row_take_the_shared_threshold() -> None:
    scores_NC, targets_NC = drawn(400, [0.3, 0.3], [1.0, -1.0])
    scores_NC = np.hstack([scores_NC, np.full((400, 1), 0.3)])
    targets_NC = np.hstack([targets_NC, np.zeros((400, 1), np.bool_)])
    cells = Candidates.of_cells(scores_NC, targets_NC)

    for_f, for_recall = (fit_thresholds(cells, aim, 400) for aim in (FBetaAim(), RecallAim(0.9)))

    assert for_f.threshold_C[2] == for_f.shared_C[2]
    assert for_recall.threshold_C[2] == pytest.approx(for_recall.shared_C[2], abs=0.2)


def test_the_value_is_the_mean_f_beta_of_labels_that_occur() -> None:
    value = FBetaAim(2.0).value(np.array([1.0, 0, 0]), np.array([1.0, 3, 0]), np.array([2.0, 0, 1]))

    assert value == pytest.approx((5 * 1 / (1 + 4 * 2) + 0) / 2)


def test_no_true_candidate_leaves_one_half() -> None:
    counts = Counts.of(Candidates.of_cells(np.full((3, 2), 0.9), np.zeros((3, 2), np.bool_)))

    assert FBetaAim().fit(counts, [], FBetaAim.variants[0]).tolist() == [0.5, 0.5]


def test_a_goal_names_its_aim() -> None:
    assert aim_of(Goal("fbeta", 2.0), ("a",)) == FBetaAim(2.0)
    assert aim_of(Goal("precision", 0.9), ("a",)) == PrecisionAim(0.9)
    assert aim_of(Goal("recall", 0.9), ("a",)) == RecallAim(0.9)
    costs = aim_of(Goal("cost", costs=(("", "b", 3.0), ("b", "", 7.0))), ("a", "b"))
    assert isinstance(costs, CostAim)
    assert (costs.given_wrongly_C.tolist(), costs.missed_C.tolist()) == ([1.0, 3.0], [1.0, 7.0])

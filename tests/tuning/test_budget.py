"""Deadlines, and how long a trial will take."""

from __future__ import annotations

import pytest

from fastbert.tuning.budget import SLOWER, SPREAD, Budget, Pace


def test_a_budget_counts_down_to_what_is_kept_for_the_end() -> None:
    now = [100.0]
    budget = Budget(60.0, clock=lambda: now[0], reserve_s=10.0)
    now[0] = 130.0

    assert (budget.spent_s, budget.left_s) == (30.0, 20.0)
    assert budget.fits(20.0) and not budget.fits(20.1)
    assert Budget(None).fits(1e9)


def test_the_pace_is_that_of_like_trials_and_else_the_plan_corrected_by_what_was_seen() -> None:
    pace = Pace()
    assert pace.estimate("a", 2, lambda: 10.0) == 10.0 * SLOWER
    pace.note("a", epochs=2, seconds=30.0, planned_s=20.0)
    pace.note("a", epochs=1, seconds=17.0)

    assert pace.estimate("a", 3, lambda: 1e9) == pytest.approx(16.0 * 3 * SPREAD)
    assert pace.estimate("b", 3, lambda: 10.0) == pytest.approx(15.0)

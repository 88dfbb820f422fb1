"""How the curve of a learning-rate test is read: on curves made up by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.training.lr_rules import (
    LEAST_POINTS,
    TENTH,
    VALLEY,
    Verdict,
    diverges,
    judge,
    minimum_tenth,
    smooth,
    valley,
)

STEPS = 100
RATES = np.geomspace(1e-6, 1e-1, STEPS).tolist()  # 20 steps to a decade


def curve(depth: float = 0.5, low: float = 1e-3, noise: float = 0.0) -> tuple[list[float], list[float]]:
    """Return losses and starting losses: flat at 1, falling over the decade below low, then rising."""
    place_N = np.clip(np.log10(np.array(RATES) / low) + 1, 0, None)
    change_N = np.where(place_N <= 1, -depth * place_N, -depth + 4 * (place_N - 1) ** 2)
    wobble_N = noise * np.resize([1.0, -1.0], STEPS)
    start_N = np.ones(STEPS) + 0.3 * np.resize([1.0, -1.0, 0.0], STEPS)
    start_N -= start_N.mean() - 1
    return (start_N + change_N + wobble_N).tolist(), start_N.tolist()


def verdict(losses: list[float], start: list[float], *, whole: bool = True) -> Verdict:
    return judge(RATES[: len(losses)], smooth(losses, start, STEPS), losses, start, whole=whole)


# --- the smoothed curve ---------------------------------------------------------------------------------


def test_the_running_mean_is_corrected_for_its_start() -> None:
    """By hand with k = 0.9: 0.1 / 0.1 = 1, (0.09 + 0.3) / 0.19, (0.081 + 0.27 + 0) / 0.271."""
    found = smooth([11.0, 13.0, 10.0], [10.0, 10.0, 10.0], 100)

    assert found.tolist() == pytest.approx([11.0, 10 + 0.39 / 0.19, 10 + 0.351 / 0.271])


def test_what_is_hard_about_a_batch_leaves_no_trace_in_the_curve() -> None:
    start = [1.0, 3.0, 2.0, 5.0]

    assert smooth(start, start, 100).tolist() == [2.75] * 4


def test_losses_that_end_early_are_measured_from_all_starting_losses() -> None:
    assert smooth([1.0], [1.0, 3.0], 100).tolist() == [2.0]


@given(factor=st.integers(1, 5))
def test_the_mean_reaches_back_over_the_same_part_of_the_range_whatever_the_steps(factor: int) -> None:
    steps = 100 * factor
    change = [0.0] * (steps // 2) + [1.0] * (steps // 2)

    found = smooth(change, [0.0] * steps, steps)

    assert found[steps // 2 + steps // 10 - 1] == pytest.approx(1 - math.exp(-1), abs=0.05)


def test_no_loss_at_all_gives_no_curve() -> None:
    assert len(smooth([], [1.0], 100)) == 0


@pytest.mark.parametrize(
    ("smoothed", "start", "ended"),
    [(3.9, 1.0, False), (4.1, 1.0, True), (math.nan, 1.0, True), (math.inf, 1.0, True), (0.5, -0.1, True)],
)
def test_a_test_ends_at_four_times_the_loss_before(smoothed: float, start: float, ended: bool) -> None:
    assert diverges(smoothed, start) is ended


# --- rules ----------------------------------------------------------------------------------------------


def test_a_tenth_of_the_rate_at_the_lowest_loss() -> None:
    assert minimum_tenth([1.0, 2.0, 3.0], np.array([0.5, 0.2, 0.4])) == pytest.approx(0.2)


def test_the_valley_matches_fastai_on_a_curve_counted_by_hand() -> None:
    """Longest fall 5, 4, 3, 2 (indices 1, 2, 4, 5): length 4, end 5; fastai takes 1 + int(4/3) + int(4/6) = 2 ..."""
    smoothed = np.array([4.5, 5.0, 4.0, 6.0, 3.0, 2.0, 7.0])
    sections = (5 - 1) / 3

    assert valley(list(range(7)), smoothed) == 1 + int(sections) + int(sections / 2) + 1


@given(st.lists(st.integers(0, 20), min_size=2, max_size=40))
def test_the_valley_lies_within_half_a_step_of_fastais(values: list[int]) -> None:
    """The double loop of fastai's `valley`, whose middle is rounded down twice."""
    length, start, end = [1] * len(values), 0, 0
    for index in range(1, len(values)):
        for other in range(index):
            if values[index] < values[other] and length[index] < length[other] + 1:
                length[index] = length[other] + 1
            if length[end] < length[index]:
                end, start = index, index - length[index]
    sections = (end - start) / 3
    fastai = start + int(sections) + int(sections / 2)

    assert abs(valley(list(range(len(values))), np.array(values, float)) - max(0, fastai)) <= 1


# --- the verdict ----------------------------------------------------------------------------------------


def test_a_clear_curve_gives_both_rates_and_no_doubt() -> None:
    found = verdict(*curve())

    assert found.doubts == ()
    assert 1e-4 <= found.suggestions[TENTH] <= 3e-4  # the mean reaches back over half a decade
    assert 1e-5 < found.suggestions[VALLEY] < 1e-3


@pytest.mark.parametrize("low", [1e-4, 1e-3, 1e-2])
def test_the_lower_of_the_two_is_preferred(low: float) -> None:
    found = verdict(*curve(low=low))

    assert found.preferred is not None
    assert found.suggestions[found.preferred] == min(found.suggestions.values())
    assert found.reason.startswith(f"{found.preferred} is preferred: the lower of the two.")


def test_a_flat_curve_suggests_nothing_and_says_so() -> None:
    found = verdict(*curve(depth=0.005))

    assert (found.suggestions, found.preferred) == ({}, None)
    assert found.doubts[0].startswith("The smoothed loss fell from 1 by 0.00")


@pytest.mark.parametrize(("depth", "named"), [(0.03, False), (0.05, True)])
def test_a_descent_must_be_a_few_per_cent_of_the_loss(depth: float, named: bool) -> None:
    """The running mean takes about a fifth off the depth."""
    assert bool(verdict(*curve(depth=depth)).suggestions) is named


def test_a_loss_that_only_rises_suggests_nothing() -> None:
    found = verdict(*curve(depth=-0.5))

    assert found.preferred is None
    assert "The smoothed loss fell from 1 by 0 only" in found.doubts[0]


def test_a_descent_within_its_noise_is_doubted() -> None:
    found = verdict(*curve(depth=0.1, noise=0.4))

    assert found.preferred is not None
    assert any("its noise is" in doubt for doubt in found.doubts)


def test_a_loss_that_still_falls_at_the_highest_rate_is_doubted() -> None:
    found = verdict(*curve(low=0.1))

    assert "The loss still falls at the highest rate; raise the range." in found.doubts


def test_a_loss_that_is_lowest_at_once_is_doubted() -> None:
    found = verdict(*curve(low=1e-6))

    assert "The loss is lowest near the lowest rate; lower the range." in found.doubts


def test_rules_far_apart_are_doubted() -> None:
    losses, start = curve(depth=0.5, low=3e-2)
    slow = [loss - 0.2 * min(1.0, index / 30) for index, loss in enumerate(losses)]

    found = verdict(slow, start)

    assert any("times apart" in doubt for doubt in found.doubts)


@pytest.mark.parametrize("count", [0, LEAST_POINTS - 1])
def test_too_few_steps_suggest_nothing(count: int) -> None:
    losses, start = curve()

    found = verdict(losses[:count], start, whole=False)

    assert found.preferred is None
    assert found.doubts == (f"Only {count} steps were possible: the lowest rate is too high, or the loss is broken.",)

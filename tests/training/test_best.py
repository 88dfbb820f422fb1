"""Which weights are kept, and what their average is."""

from __future__ import annotations

import pytest
from torch import nn

from fastbert.training.best import BestWeights


def model_with(value: float) -> nn.Linear:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, value)
    return model


def kept_after(scores: list[float], keep: int) -> BestWeights:
    """Offer models whose single weight is the position of their score."""
    best = BestWeights(keep)
    for position, score in enumerate(scores):
        best.offer(score, model_with(position))
    return best


@pytest.mark.parametrize(
    ("scores", "position"), [([0.1, 0.3, 0.2], 1), ([0.3, 0.3], 0), ([-1.0, -2.0], 0), ([0.1, 0.2, 0.3, 0.4], 3)]
)
def test_the_earliest_of_the_highest_scores_is_restored(scores: list[float], position: int) -> None:
    model = model_with(99)

    kept_after(scores, keep=3).restore(model)

    assert model.weight.item() == position


def test_only_a_higher_score_counts_as_better() -> None:
    best = BestWeights(2)

    assert [best.offer(score, model_with(0)) for score in (0.5, 0.5, 0.6, 0.4)] == [True, False, True, False]


def test_the_average_is_of_the_kept_weights_alone() -> None:
    model = model_with(99)

    assert kept_after([0.1, 0.5, 0.2, 0.4, 0.3], keep=3).load_average(model)
    assert model.weight.item() == pytest.approx((1 + 3 + 4) / 3)


def test_one_evaluation_is_not_averaged() -> None:
    model = model_with(99)

    assert not kept_after([0.1], keep=3).load_average(model)
    assert model.weight.item() == 99


def test_whole_numbers_are_taken_from_the_best() -> None:
    first, second = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    second.get_buffer("num_batches_tracked").fill_(3)
    best = BestWeights(2)
    best.offer(0.1, first)
    best.offer(0.2, second)

    best.load_average(first)

    assert first.get_buffer("num_batches_tracked").item() == 3


def test_a_copy_does_not_follow_the_model() -> None:
    model, best = model_with(1), BestWeights()
    best.offer(0.5, model)
    nn.init.constant_(model.weight, 2)

    best.restore(model)

    assert model.weight.item() == 1


def test_before_the_first_evaluation_nothing_is_restored() -> None:
    model = model_with(7)

    BestWeights().restore(model)

    assert model.weight.item() == 7

"""Which weights are kept, and what their mean is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fastbert.training.kept import KeptWeights


def model_with(value: float) -> nn.Linear:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, value)
    return model


def kept_after(scores: list[float], keep: int = 3, error: float = 0.0) -> KeptWeights:
    """Offer models whose single weight is the place of their score."""
    kept = KeptWeights(keep)
    for place, score in enumerate(scores):
        kept.offer(place, score, error, model_with(place))
    return kept


def places(kept: KeptWeights) -> list[int]:
    return [copy.place for copy in kept.copies]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.1, 0.3, 0.2], [1]),
        ([0.3, 0.3], [0, 1]),
        ([-1.0, -2.0], [0]),
        ([0.1, 0.2, 0.3, 0.4], [3]),
    ],
)
def test_without_an_error_only_the_highest_scores_are_kept(scores: list[float], expected: list[int]) -> None:
    assert places(kept_after(scores)) == expected


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.50, 0.55, 0.60, 0.58], [1, 2, 3]),  # 0.50 is 2.5 errors below 0.60
        ([0.60, 0.57, 0.51, 0.53], [0, 1, 3]),  # 0.51 is 2.25 below
        ([0.60, 0.57, 0.58, 0.59, 0.53], [2, 3, 4]),  # the latest three; the best is not among them
    ],
)
def test_the_latest_weights_within_two_errors_of_the_best_are_kept(scores: list[float], expected: list[int]) -> None:
    assert places(kept_after(scores, error=0.04)) == expected


def test_the_error_is_that_of_the_best_score() -> None:
    kept = KeptWeights(3)
    kept.offer(0, 0.5, 0.01, model_with(0))

    assert kept.offer(1, 0.4, 9.0, model_with(1)) is False
    assert kept.offer(2, 0.6, 0.06, model_with(2)) is True
    assert kept.offer(3, 0.5, 0.0, model_with(3)) is True
    assert places(kept) == [0, 2, 3]


def test_the_mean_is_of_the_kept_weights_alone() -> None:
    model = model_with(99)

    assert kept_after([0.1, 0.5, 0.2, 0.4, 0.5], error=0.1).load_mean(model)
    assert model.weight.item() == pytest.approx((1 + 3 + 4) / 3)


def test_weights_that_were_not_trained_keep_every_bit() -> None:
    model = nn.Linear(50, 50)
    before, kept = model.weight.detach().clone(), KeptWeights(3)
    for place in range(3):
        kept.offer(place, 0.5, 0.1, model)

    assert kept.load_mean(model)
    assert torch.equal(model.weight, before)


def test_one_evaluation_has_no_mean() -> None:
    model = model_with(99)

    assert not kept_after([0.1]).load_mean(model)
    assert model.weight.item() == 99


def test_whole_numbers_are_taken_from_the_latest() -> None:
    first, second = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    second.get_buffer("num_batches_tracked").fill_(3)
    kept = KeptWeights(2)
    kept.offer(0, 0.1, 1.0, first)
    kept.offer(1, 0.2, 1.0, second)

    kept.load_mean(first)

    assert first.get_buffer("num_batches_tracked").item() == 3


def test_a_copy_does_not_follow_the_model() -> None:
    model, kept = model_with(1), KeptWeights()
    kept.offer(0, 0.5, 0.0, model)
    nn.init.constant_(model.weight, 2)

    kept.load_latest(model)

    assert model.weight.item() == 1


def test_before_the_first_evaluation_nothing_is_loaded() -> None:
    model = model_with(7)

    KeptWeights().load_latest(model)

    assert model.weight.item() == 7

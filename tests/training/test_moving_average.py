"""A moving average of weights: the recursion by hand, in and out of a model, and in a training."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fastbert.training.moving_average import MovingAverage
from tests.feedback import differing, make_learner, weights


def test_the_average_follows_its_recursion_and_the_weights_come_back() -> None:
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(1.0)
    moving = MovingAverage(model, decay=0.15)
    mean = 1.0
    for step, value in enumerate((2.0, 4.0, 8.0)):
        with torch.no_grad():
            model.weight.fill_(value)
        moving.update()
        decay = min(0.15, (1 + step) / (10 + step))
        mean = decay * mean + (1 - decay) * value

    with moving.in_place():
        assert model.weight.item() == pytest.approx(mean)
    assert model.weight.item() == 8.0
    with moving.in_place():
        assert model.weight.item() == pytest.approx(mean)


def test_what_is_frozen_is_left_alone() -> None:
    model = nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    moving = MovingAverage(model, decay=0.9)
    with torch.no_grad():
        model.bias.fill_(5.0)
    moving.update()

    with moving.in_place():
        assert model.bias.tolist() == [5.0, 5.0]


def test_a_training_keeps_the_average_in_place_of_the_last_weights(encoder: str) -> None:
    plain = make_learner(encoder).fit()
    averaged = make_learner(encoder, ema=0.9).fit()
    nearly = make_learner(encoder, ema=1e-9).fit()  # an average of the last weights alone

    assert differing(weights(plain.model), weights(averaged.model)) != []
    for name, value in weights(plain.model).items():
        torch.testing.assert_close(weights(nearly.model)[name], value, atol=1e-6, rtol=1e-5)

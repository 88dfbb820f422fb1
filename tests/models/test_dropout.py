"""Dropout with random numbers of its own: the right share, scale and gradient, the same for the same seed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fastbert.models.dropout import drawing_dropout, masks_from


class Half(nn.Module):
    """A weight, so that there is a device, and a dropout."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.dropout = nn.Dropout(p)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        dropped: torch.Tensor = self.dropout(values * self.weight)
        return dropped


def dropped(model: Half, seed: int, values: torch.Tensor) -> torch.Tensor:
    with drawing_dropout(model), masks_from(seed):
        found: torch.Tensor = model(values)
    return found


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_share_is_dropped_and_the_rest_scaled(p: float, dtype: torch.dtype) -> None:
    values = torch.ones(401, 499, dtype=dtype)  # no multiple of the four values of a word

    found = dropped(Half(p).to(dtype), 1, values)

    assert found.dtype == dtype
    assert (found == 0).float().mean().item() == pytest.approx(p, abs=5 * (p * (1 - p) / values.numel()) ** 0.5)
    assert torch.unique(found).tolist() == pytest.approx(
        [0, 1 / (1 - p)], rel=0.01 if dtype == torch.bfloat16 else 1e-3
    )


def test_neighbours_are_dropped_independently() -> None:
    kept = (dropped(Half(), 3, torch.ones(400_000)) > 0).float()
    correlations = [
        torch.corrcoef(torch.stack([kept[:-lag], kept[lag:]]))[0, 1].abs().item() for lag in (1, 2, 3, 4, 8)
    ]

    assert max(correlations) < 5 / 400_000**0.5


def test_the_same_seed_drops_the_same_values_whatever_was_drawn_before() -> None:
    model, values = Half(), torch.ones(1000)
    first = dropped(model, 7, values)
    torch.rand(13)
    dropped(model, 8, values)

    assert torch.equal(first, dropped(model, 7, values))
    assert not torch.equal(first, dropped(model, 8, values))


def test_two_calls_of_one_step_differ() -> None:
    model, values = Half(), torch.ones(1000)
    with drawing_dropout(model), masks_from(1):
        assert not torch.equal(model(values), model(values))


def test_gradients_pass_where_values_did() -> None:
    values = torch.ones(1000, requires_grad=True)
    found = dropped(Half(), 1, values)
    found.sum().backward()  # type: ignore[no-untyped-call]

    assert values.grad is not None
    assert torch.equal(values.grad, found.detach())


def test_in_evaluation_nothing_is_dropped() -> None:
    values = torch.ones(1000)

    assert torch.equal(dropped(Half().eval(), 1, values), values)


def test_everything_can_be_dropped() -> None:
    assert not dropped(Half(1.0), 1, torch.ones(10)).any()


def test_without_a_seed_torch_draws() -> None:
    model, values = Half(), torch.ones(1000)
    torch.manual_seed(0)
    expected = model(values)
    torch.manual_seed(0)
    with drawing_dropout(model):
        assert torch.equal(model(values), expected)


def test_the_model_is_as_before_after_the_block() -> None:
    model = Half()
    with drawing_dropout(model):
        pass

    assert "forward" not in vars(model.dropout)

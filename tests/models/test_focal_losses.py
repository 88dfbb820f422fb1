"""The focal and the asymmetric loss: by hand, against the formulas of their papers, and by what all losses promise."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fastbert.models.losses import IGNORED, asymmetric_sum, binary_cross_entropy_sum, cross_entropy_sum, focal_sum

Loss = Callable[[Tensor, Tensor], tuple[Tensor, float]]
SOFTMAX: list[Loss] = [lambda logits, targets: focal_sum(logits, targets, 2.0)]
SIGMOID: list[Loss] = [
    lambda logits, cells: asymmetric_sum(logits, cells, gamma_neg=2.0, gamma_pos=2.0),
    lambda logits, cells: asymmetric_sum(logits, cells, gamma_neg=4.0, clip=0.05),
    lambda logits, cells: asymmetric_sum(logits, cells, gamma_neg=3.5, gamma_pos=0.5, clip=0.2),
]


def rows(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    """Return logits (12, 4), class ids (12,) of which two are ignored, and 0/1 cells (12, 4)."""
    generator = torch.Generator().manual_seed(0)
    logits_BC = 2 * torch.randn(12, 4, generator=generator, dtype=torch.float64)
    targets_B = torch.randint(4, (12,), generator=generator)
    targets_B[[3, 11]] = IGNORED
    return logits_BC.to(dtype), targets_B, torch.randint(2, (12, 4), generator=generator)


CASES = [(loss, 1) for loss in SOFTMAX] + [(loss, 2) for loss in SIGMOID]


def test_the_focal_loss_matches_the_hand_computed_example() -> None:
    """(1 - 0.8)^2 * -log 0.8 and (1 - 0.2)^2 * -log 0.2: a sure row counts 115 times less than by cross entropy."""
    logits_BC = torch.log(torch.tensor([[0.8, 0.2], [0.8, 0.2]], dtype=torch.float64))

    total, count = focal_sum(logits_BC, torch.tensor([0, 1]), 2.0)

    assert count == 2.0
    assert float(total) == pytest.approx(0.04 * -math.log(0.8) + 0.64 * -math.log(0.2))


def test_the_asymmetric_loss_matches_the_hand_computed_example() -> None:
    """Present at p 0.8; absent at p 0.3, which is shifted to 0.25; absent at p 0.04, which costs nothing."""
    logits_BC = torch.logit(torch.tensor([[0.8, 0.3, 0.04]], dtype=torch.float64))

    total, count = asymmetric_sum(logits_BC, torch.tensor([[1, 0, 0]]), gamma_neg=4.0, gamma_pos=1.0, clip=0.05)

    assert count == 3.0
    assert float(total) == pytest.approx(0.2 * -math.log(0.8) + 0.25**4 * -math.log(0.75), abs=1e-12)


@pytest.mark.parametrize(("gamma_neg", "gamma_pos", "clip"), [(4, 1, 0.05), (2, 2, 0), (4, 0, 0.05), (1, 0.5, 0.3)])
def test_the_asymmetric_loss_is_that_of_its_authors(gamma_neg: float, gamma_pos: float, clip: float) -> None:
    """The formula of their published code (Ridnik et al. 2021), with the gradient of its focusing weight."""
    logits_BC, _, cells_BC = rows()
    ours, theirs = logits_BC.clone().requires_grad_(), logits_BC.clone().requires_grad_()
    sigmoid_BC = torch.sigmoid(theirs)
    negative_BC = (1 - sigmoid_BC + clip).clamp(max=1)
    log_BC = cells_BC * torch.log(sigmoid_BC.clamp(min=1e-8))
    log_BC = log_BC + (1 - cells_BC) * torch.log(negative_BC.clamp(min=1e-8))
    right_BC = sigmoid_BC * cells_BC + negative_BC * (1 - cells_BC)
    gamma_BC = gamma_pos * cells_BC + gamma_neg * (1 - cells_BC)
    reference = -(log_BC * torch.pow((1 - right_BC).clamp(min=1e-8), gamma_BC)).sum()

    total, _ = asymmetric_sum(ours, cells_BC, gamma_neg=gamma_neg, gamma_pos=gamma_pos, clip=clip)

    torch.testing.assert_close(total, reference)
    gradients = torch.autograd.grad(total, ours)[0], torch.autograd.grad(reference, theirs)[0]
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-9)


def test_without_a_gamma_they_are_the_cross_entropies() -> None:
    logits_BC, targets_B, cells_BC = rows()

    torch.testing.assert_close(focal_sum(logits_BC, targets_B, 0.0), cross_entropy_sum(logits_BC, targets_B))
    binary = asymmetric_sum(logits_BC, cells_BC, gamma_neg=0.0)
    torch.testing.assert_close(binary, binary_cross_entropy_sum(logits_BC, cells_BC))


def test_the_focal_loss_of_two_classes_is_that_of_a_sigmoid() -> None:
    logits_BC, _, cells_BC = rows()
    margin_B = logits_BC[:, 1] - logits_BC[:, 0]

    total, _ = focal_sum(logits_BC[:, :2], cells_BC[:, 0], 2.0)

    one_sided, _ = asymmetric_sum(margin_B[:, None], cells_BC[:, :1], gamma_neg=2.0, gamma_pos=2.0)
    torch.testing.assert_close(total, one_sided)


@pytest.mark.parametrize(("loss", "kind"), CASES)
def test_gradients_are_those_of_small_steps(loss: Loss, kind: int) -> None:
    data = rows()
    logits_BC, targets = data[0].requires_grad_(), data[kind]

    assert torch.autograd.gradcheck(lambda values: loss(values, targets)[0], logits_BC)


@pytest.mark.parametrize(("loss", "kind"), CASES)
@given(cuts=st.sets(st.integers(1, 11)))
def test_any_micro_batches_give_the_gradient_of_the_whole(loss: Loss, kind: int, cuts: set[int]) -> None:
    data = rows()
    whole, parts, targets = data[0].clone().requires_grad_(), data[0].clone().requires_grad_(), data[kind]
    ends = [*sorted(cuts), 12]
    sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]

    total, count = loss(whole, targets)
    pieces = zip(torch.split(parts, sizes), torch.split(targets, sizes), strict=True)
    found = [loss(values, known) for values, known in pieces]

    assert sum(one for _, one in found) == count
    split = torch.stack([one for one, _ in found]).sum()
    torch.testing.assert_close(split, total, rtol=1e-12, atol=1e-12)
    gradients = torch.autograd.grad(split, parts)[0], torch.autograd.grad(total, whole)[0]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("loss", "kind"), CASES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32_in_autocast_too(loss: Loss, kind: int, dtype: torch.dtype) -> None:
    data = rows(dtype)
    expected, _ = loss(data[0].float(), data[kind])

    with torch.autocast("cpu", torch.bfloat16):
        total, _ = loss(data[0], data[kind])

    assert total.dtype == torch.float32
    assert torch.equal(total, expected)


@pytest.mark.parametrize(("loss", "kind"), CASES)
@pytest.mark.parametrize("size", [0.0, 30.0, 90.0, 1e4])
def test_sure_answers_have_finite_losses_and_gradients(loss: Loss, kind: int, size: float) -> None:
    logits_BC = torch.tensor([[size, -size], [-size, size]], requires_grad=True)
    targets = torch.tensor([0, 0]) if kind == 1 else torch.tensor([[1, 0], [1, 1]])

    total, _ = loss(logits_BC, targets)

    assert torch.isfinite(total)
    assert torch.isfinite(torch.autograd.grad(total, logits_BC)[0]).all()


def test_rows_that_are_ignored_count_nothing() -> None:
    total, count = focal_sum(torch.randn(3, 2), torch.full((3,), IGNORED), 2.0)

    assert (float(total), count) == (0.0, 0.0)

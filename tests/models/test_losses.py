"""Sums, counts and gradients of the losses, against torch's own means."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from fastbert.models.losses import (
    IGNORED,
    binary_cross_entropy_sum,
    cross_entropy_sum,
    distillation_sum,
    mean_over_windows,
    pair_cosine,
    span_sum,
)

SPLITS = [[12], [6, 6], [1] * 12, [5, 4, 3], [11, 1]]


def _rows(num_classes: int = 4, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    """Return logits (12, C), class ids (12,) with two ignored, and 0/1 cells (12, C)."""
    generator = torch.Generator().manual_seed(0)
    logits_BC = torch.randn(12, num_classes, generator=generator, dtype=dtype)
    targets_B = torch.randint(num_classes, (12,), generator=generator)
    targets_B[[3, 11]] = IGNORED
    cells_BC = torch.randint(2, (12, num_classes), generator=generator)
    return logits_BC, targets_B, cells_BC


def _gradient(loss: Tensor, values: Tensor) -> Tensor:
    return torch.autograd.grad(loss, values)[0]


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, (0.5, 2.0, 1.0, 3.0)])
def test_cross_entropy_sum_over_count_is_the_mean_of_torch(
    weights: tuple[float, ...] | None, label_smoothing: float
) -> None:
    logits_BC, targets_B, _ = _rows()
    total, count = cross_entropy_sum(logits_BC, targets_B, weights, label_smoothing)
    weights_C = None if weights is None else torch.tensor(weights)
    mean = functional.cross_entropy(logits_BC, targets_B, weights_C, label_smoothing=label_smoothing)
    assert float(total) / count == pytest.approx(float(mean), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("weights", [None, (0.5, 2.0, 1.0, 3.0)])
def test_binary_cross_entropy_sum_over_count_is_the_mean_of_torch(weights: tuple[float, ...] | None) -> None:
    logits_BC, _, cells_BC = _rows()
    total, count = binary_cross_entropy_sum(logits_BC, cells_BC, weights)
    pos_weight_C = None if weights is None else torch.tensor(weights)
    mean = functional.binary_cross_entropy_with_logits(logits_BC, cells_BC.float(), pos_weight=pos_weight_C)
    assert float(total) / count == pytest.approx(float(mean), rel=1e-6, abs=1e-7)


def test_cross_entropy_counts_the_rows_that_are_not_ignored() -> None:
    logits_BC, targets_B, _ = _rows()
    assert cross_entropy_sum(logits_BC, targets_B)[1] == 10


def test_cross_entropy_counts_the_weights_of_the_targets() -> None:
    targets_B = torch.tensor([0, 1, 1, IGNORED])
    assert cross_entropy_sum(torch.zeros(4, 2), targets_B, (0.5, 2.0))[1] == 4.5


def test_binary_cross_entropy_counts_cells_whatever_the_weights() -> None:
    assert binary_cross_entropy_sum(torch.zeros(3, 2), torch.ones(3, 2), (9.0, 9.0))[1] == 6


def test_a_batch_of_ignored_rows_gives_zero_and_no_nan() -> None:
    total, count = cross_entropy_sum(torch.zeros(2, 3), torch.full((2,), IGNORED))
    assert (float(total), count) == (0.0, 0.0)


@pytest.mark.parametrize("sizes", SPLITS)
def test_cross_entropy_gradient_is_the_same_for_any_micro_batches(sizes: list[int]) -> None:
    logits_BC, targets_B, _ = _rows(dtype=torch.float64)
    weights = (0.5, 2.0, 1.0, 3.0)
    whole, parts = logits_BC.clone().requires_grad_(), logits_BC.clone().requires_grad_()
    mean = functional.cross_entropy(whole, targets_B, torch.tensor(weights, dtype=torch.float64))
    results = [
        cross_entropy_sum(part_BC, part_B, weights)
        for part_BC, part_B in zip(torch.split(parts, sizes), torch.split(targets_B, sizes), strict=True)
    ]
    total = torch.stack([part for part, _ in results]).sum() / sum(count for _, count in results)
    torch.testing.assert_close(_gradient(total, parts), _gradient(mean, whole), rtol=0, atol=1e-12)


@pytest.mark.parametrize("sizes", SPLITS)
def test_binary_cross_entropy_gradient_is_the_same_for_any_micro_batches(sizes: list[int]) -> None:
    logits_BC, _, cells_BC = _rows(dtype=torch.float64)
    whole, parts = logits_BC.clone().requires_grad_(), logits_BC.clone().requires_grad_()
    mean = functional.binary_cross_entropy_with_logits(whole, cells_BC.double())
    results = [
        binary_cross_entropy_sum(part_BC, cells)
        for part_BC, cells in zip(torch.split(parts, sizes), torch.split(cells_BC, sizes), strict=True)
    ]
    total = torch.stack([part for part, _ in results]).sum() / sum(count for _, count in results)
    torch.testing.assert_close(_gradient(total, parts), _gradient(mean, whole), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_cross_entropy_of_half_precision_logits_is_computed_in_float32(dtype: torch.dtype) -> None:
    logits_BC, targets_B, _ = _rows()
    low = logits_BC.to(dtype)
    assert torch.equal(cross_entropy_sum(low, targets_B)[0], cross_entropy_sum(low.float(), targets_B)[0])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_binary_cross_entropy_of_half_precision_logits_is_computed_in_float32(dtype: torch.dtype) -> None:
    logits_BC, _, cells_BC = _rows()
    low = logits_BC.to(dtype)
    total, _ = binary_cross_entropy_sum(low, cells_BC)
    assert torch.equal(total, binary_cross_entropy_sum(low.float(), cells_BC)[0])


def test_losses_stay_float32_inside_autocast() -> None:
    logits_BC, targets_B, _ = _rows()
    with torch.autocast("cpu", torch.bfloat16):
        total, _ = cross_entropy_sum(logits_BC, targets_B)
    assert torch.equal(total, cross_entropy_sum(logits_BC, targets_B)[0])


def test_windows_of_one_example_are_averaged() -> None:
    values_WC = torch.tensor([[1.0, 0.0], [3.0, 4.0], [5.0, 6.0]])
    merged_BC = mean_over_windows(values_WC, torch.tensor([0, 1, 0]), 2)
    assert merged_BC.tolist() == [[3.0, 3.0], [3.0, 4.0]]


def test_one_window_each_leaves_the_values_as_they_are() -> None:
    values_WC, _, _ = _rows()
    assert torch.equal(mean_over_windows(values_WC, torch.arange(12), 12), values_WC)


def test_windows_share_the_gradient_of_their_mean() -> None:
    values_WC = torch.zeros(3, 1, requires_grad=True)
    total = mean_over_windows(values_WC, torch.tensor([0, 0, 1]), 2).sum()
    assert _gradient(total, values_WC).flatten().tolist() == [0.5, 0.5, 1.0]


@pytest.mark.parametrize(("num_windows", "num_examples"), [(2, 2), (3, 2)])
def test_window_means_of_half_precision_are_float32(num_windows: int, num_examples: int) -> None:
    values_WC = torch.zeros(num_windows, 1, dtype=torch.bfloat16)
    owners_W = torch.arange(num_windows).clamp(max=num_examples - 1)
    assert mean_over_windows(values_WC, owners_W, num_examples).dtype == torch.float32


@pytest.mark.parametrize("seed", range(5))
def test_window_means_are_those_of_the_windows_taken_apart(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    values_WC = torch.randn(12, 3, generator=generator, dtype=torch.float64)
    owners_W = torch.cat([torch.arange(5), torch.randint(5, (7,), generator=generator)])
    expected_BC = torch.stack([values_WC[owners_W == example].mean(dim=0) for example in range(5)])
    torch.testing.assert_close(mean_over_windows(values_WC, owners_W, 5), expected_BC, rtol=0, atol=1e-15)


# --- spans ------------------------------------------------------------------------------------------

STARTS, ENDS = torch.tensor([1, 0, 2]), torch.tensor([3, 0, 2])
MASK = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1]])


def _span_logits(seed: int) -> Tensor:
    return torch.randn(3, 5, generator=torch.Generator().manual_seed(seed))


def test_the_span_sum_is_the_mean_of_start_and_end_over_real_tokens() -> None:
    start_WL, end_WL = _span_logits(0), _span_logits(1)

    total, count = span_sum(start_WL, end_WL, STARTS, ENDS, MASK)

    one_by_one = [
        (
            functional.cross_entropy(start_WL[row : row + 1, :length], STARTS[row : row + 1])
            + functional.cross_entropy(end_WL[row : row + 1, :length], ENDS[row : row + 1])
        )
        / 2
        for row, length in enumerate((4, 2, 5))
    ]
    assert count == 3.0
    torch.testing.assert_close(total, torch.stack(one_by_one).sum())


def test_padding_changes_neither_the_span_sum_nor_its_gradient() -> None:
    start_WL, end_WL = _span_logits(0).requires_grad_(), _span_logits(1)
    wide_WL = functional.pad(start_WL, (0, 3), value=50.0)
    mask_WL = functional.pad(MASK, (0, 3))

    narrow, _ = span_sum(start_WL, end_WL, STARTS, ENDS, MASK)
    wide, _ = span_sum(wide_WL, functional.pad(end_WL, (0, 3), value=torch.nan), STARTS, ENDS, mask_WL)

    torch.testing.assert_close(wide, narrow, rtol=0, atol=0)
    # Up to rounding: a processor adds up 8 or 16 numbers at a time, and the width says which ones.
    torch.testing.assert_close(_gradient(wide, start_WL), _gradient(narrow, start_WL), rtol=1e-6, atol=1e-7)


def test_the_span_sum_of_half_precision_is_computed_in_float32() -> None:
    half_WL = _span_logits(0).half()

    total, _ = span_sum(half_WL, half_WL, STARTS, STARTS, MASK)

    assert total.dtype == torch.float32
    torch.testing.assert_close(total, span_sum(half_WL.float(), half_WL.float(), STARTS, STARTS, MASK)[0])


# --- from another softmax -----------------------------------------------------------------------------


def test_distillation_matches_a_hand_computed_example() -> None:
    # T 2, teacher (log 9, 0), student (0, 0): softmax of the halved logits is (3, 1) / 4 against (1, 1) / 2, so the
    # divergence is 0.75 log 1.5 + 0.25 log 0.5 = 0.1308, times T squared.
    teacher_BC, targets_B = torch.tensor([[9.0, 1.0]]).log(), torch.tensor([IGNORED])

    total, count = distillation_sum(torch.zeros(1, 2), teacher_BC, targets_B, temperature=2.0, label_weight=0.7)

    assert float(total) == pytest.approx(4 * 0.13081, abs=1e-4)
    assert count == 1


def test_distillation_of_labels_alone_is_the_cross_entropy() -> None:
    logits_BC, targets_B, _ = _rows()
    teacher_BC = torch.flip(logits_BC, [1])
    soft, _ = distillation_sum(logits_BC, teacher_BC, targets_B, temperature=3.0, label_weight=0.0)
    known_B = targets_B != IGNORED
    unlabelled, _ = distillation_sum(
        logits_BC[~known_B], teacher_BC[~known_B], targets_B[~known_B], temperature=3.0, label_weight=1.0
    )

    total, count = distillation_sum(logits_BC, teacher_BC, targets_B, temperature=3.0, label_weight=1.0)

    assert float(total - unlabelled) == pytest.approx(float(cross_entropy_sum(logits_BC, targets_B)[0]), rel=1e-5)
    assert count == 12 and 0 < float(unlabelled) < float(soft)


@pytest.mark.parametrize("sizes", SPLITS)
def test_distillation_gradient_is_the_same_for_any_micro_batches(sizes: list[int]) -> None:
    logits_BC, targets_B, _ = _rows(dtype=torch.float64)
    teacher_BC = torch.flip(logits_BC, [0])
    whole, parts = logits_BC.clone().requires_grad_(), logits_BC.clone().requires_grad_()
    total, count = distillation_sum(whole, teacher_BC, targets_B, temperature=2.0, label_weight=0.5)
    split_BC, split_teacher_BC, split_B = (torch.split(one, sizes) for one in (parts, teacher_BC, targets_B))
    results = [
        distillation_sum(part_BC, part_teacher_BC, part_B, temperature=2.0, label_weight=0.5)
        for part_BC, part_teacher_BC, part_B in zip(split_BC, split_teacher_BC, split_B, strict=True)
    ]
    split = torch.stack([part for part, _ in results]).sum() / sum(part_count for _, part_count in results)
    torch.testing.assert_close(_gradient(split, parts), _gradient(total / count, whole), rtol=0, atol=1e-12)


def test_a_shift_of_the_teachers_logits_changes_nothing() -> None:
    logits_BC, targets_B, _ = _rows(dtype=torch.float64)
    teacher_BC, options = torch.flip(logits_BC, [0]), {"temperature": 2.0, "label_weight": 0.5}

    shifted, _ = distillation_sum(logits_BC, teacher_BC + 7.0, targets_B, **options)

    assert float(shifted) == pytest.approx(float(distillation_sum(logits_BC, teacher_BC, targets_B, **options)[0]))


# --- pairs of rows ----------------------------------------------------------------------------------


def test_pairs_of_one_label_and_of_two_weigh_half_each() -> None:
    vectors_BD = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0], [0.0, 5.0]])  # cosines are 0 or 1

    # one label: (0,1) is 0, and should be 1.    two: (0,2) and (1,3) are 1 and should be 0, (0,3) and (1,2) are 0
    loss = pair_cosine(vectors_BD, torch.tensor([0, 0, 1, 2]))

    assert loss.item() == pytest.approx((1.0 / 1 + 2.0 / 5) / 2)


def test_pairs_of_one_kind_alone_are_half_of_nothing() -> None:
    vectors_BD = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)

    loss = pair_cosine(vectors_BD, torch.tensor([0, 0]))

    assert loss.item() == pytest.approx(0.5)
    assert torch.isfinite(_gradient(loss, vectors_BD)).all()

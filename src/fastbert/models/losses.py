"""Losses that return (sum, count), so that the caller divides once per optimizer step.

Adding the sums and counts of any split into micro-batches or ranks gives the loss and the
gradient of the whole batch; a mean per micro-batch does not. sum / count equals the mean
that torch returns. Computed in float32 (float64 stays) whatever the autocast dtype.
Knows no task; reads no batch dictionary.
"""

# B rows (examples or tokens), C classes, W windows (each of one row), L tokens of the longest window
from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

Weights = Tensor | Sequence[float]

TINY = 1e-8  # keeps a slope finite where a factor is 0; the eps of the authors of the asymmetric loss
IGNORED = -100  # target of a row that takes no part; default ignore_index of torch


def cross_entropy_sum(
    logits_BC: Tensor,
    targets_B: Tensor,
    class_weights_C: Weights | None = None,
    label_smoothing: float = 0.0,
) -> tuple[Tensor, float]:
    """Return the summed softmax cross-entropy and its normaliser.

    targets_B: int64 class ids; rows that are IGNORED count neither in the sum nor in the count.
    label_smoothing: share of the target spread over all classes, 0 to 1 (Szegedy et al. 2016).
    The normaliser is the number of rows, or with class weights the sum of the weights of the
    targets, which is what torch divides by. Reading it waits for the device.
    A batch with no counted row gives (0, 0).

    >>> total, count = cross_entropy_sum(torch.zeros(3, 2), torch.tensor([0, 1, IGNORED]))
    >>> round(float(total) / count, 4), count
    (0.6931, 2.0)
    """
    logits_BC = _at_least_float32(logits_BC)
    weights_C = _weights_like(logits_BC, class_weights_C)
    total = functional.cross_entropy(
        logits_BC,
        targets_B,
        weights_C,
        ignore_index=IGNORED,
        reduction="sum",
        label_smoothing=label_smoothing,
    )
    counted_B = targets_B != IGNORED
    count = counted_B.sum() if weights_C is None else weights_C[targets_B[counted_B]].sum()
    return total, float(count.item())


def binary_cross_entropy_sum(
    logits_BC: Tensor, targets_BC: Tensor, pos_weight_C: Weights | None = None
) -> tuple[Tensor, float]:
    """Return the summed sigmoid cross-entropy over all rows and classes, and B*C.

    targets_BC: 0 or 1 of any dtype (values between are soft targets).
    pos_weight_C: factor of the positive term of a class; it does not change the count, as in torch.

    >>> total, count = binary_cross_entropy_sum(torch.zeros(3, 2), torch.ones(3, 2))
    >>> round(float(total) / count, 4), count
    (0.6931, 6.0)
    """
    logits_BC = _at_least_float32(logits_BC)
    total = functional.binary_cross_entropy_with_logits(
        logits_BC,
        targets_BC.to(logits_BC),
        pos_weight=_weights_like(logits_BC, pos_weight_C),
        reduction="sum",
    )
    return total, float(targets_BC.numel())


def focal_sum(logits_BC: Tensor, targets_B: Tensor, gamma: float) -> tuple[Tensor, float]:
    """Return the summed focal loss of a softmax, (1 - p)^gamma * -log p of the target, and the number of rows.

    Lin et al. 2017 (arXiv 1708.02002, equation 4), with the softmax in the place of their sigmoid. gamma 0 is the cross
    entropy. targets_B: int64 class ids; rows that are IGNORED count neither in the sum nor in the count.

    >>> total, count = focal_sum(torch.zeros(3, 2), torch.tensor([0, 1, IGNORED]), 2.0)
    >>> round(float(total) / count, 4), count
    (0.1733, 2.0)
    """
    counted_B = targets_B != IGNORED
    log_probs_BC = functional.log_softmax(_at_least_float32(logits_BC), dim=1)
    log_p_B = log_probs_BC[counted_B].gather(1, targets_B[counted_B][:, None])[:, 0]
    wrong_B = (-torch.expm1(log_p_B)).clamp_min(TINY)
    return -(wrong_B**gamma * log_p_B).sum(), float(len(log_p_B))


def asymmetric_sum(
    logits_BC: Tensor, targets_BC: Tensor, *, gamma_neg: float, gamma_pos: float = 0.0, clip: float = 0.0
) -> tuple[Tensor, float]:
    """Return the summed asymmetric loss over all rows and labels, and B*C.

    Ridnik et al. 2021 (arXiv 2009.14119, equations 4 to 7): a label that is present costs (1 - p)^gamma_pos * -log p,
    one that is absent m^gamma_neg * -log(1 - m) with m = max(p - clip, 0). With equal gammas and no clip it is the
    focal loss of Lin et al. 2017, without their alpha; with gammas 0 the cross entropy.
    targets_BC: 0 or 1 of any dtype.

    >>> total, count = asymmetric_sum(torch.zeros(1, 2), torch.tensor([[1, 0]]), gamma_neg=1.0, clip=0.1)
    >>> round(float(total), 4), count  # log 2, and 0.4 * -log 0.6
    (0.8975, 2.0)
    """
    logits_BC = _at_least_float32(logits_BC)
    targets_BC = targets_BC.to(logits_BC)
    shifted_BC = (torch.sigmoid(logits_BC) - clip).clamp_min(0.0)
    log_absent_BC = torch.log1p(-shifted_BC) if clip else functional.logsigmoid(-logits_BC)
    present_BC = torch.sigmoid(-logits_BC).clamp_min(TINY) ** gamma_pos * functional.logsigmoid(logits_BC)
    absent_BC = shifted_BC.clamp_min(TINY) ** gamma_neg * log_absent_BC
    total = -(targets_BC * present_BC + (1 - targets_BC) * absent_BC).sum()
    return total, float(targets_BC.numel())


def regression_sum(values_B: Tensor, targets_B: Tensor, *, huber: bool = False) -> tuple[Tensor, float]:
    """Return the summed squared error and B; with huber, half the square up to an error of 1 and linear beyond.

    >>> total, count = regression_sum(torch.tensor([1.0, 4.0]), torch.tensor([0.5, 0.0]), huber=True)
    >>> float(total), count
    (3.625, 2.0)
    """
    values_B = _at_least_float32(values_B)
    function = functional.huber_loss if huber else functional.mse_loss
    return function(values_B, targets_B.to(values_B), reduction="sum"), float(len(values_B))


def distillation_sum(
    logits_BC: Tensor, teacher_BC: Tensor, targets_B: Tensor, *, temperature: float, label_weight: float
) -> tuple[Tensor, float]:
    """Return the summed loss of a softmax that learns from another one, and from labels where they are known, and B.

    Hinton et al. 2015 (arXiv 1503.02531, section 2): the divergence from the teacher's softmax to the student's, both
    of logits divided by the temperature, times its square, so that its gradient keeps its size.
    teacher_BC: logits of the teacher; any shift of a row is the same.    targets_B: int64 class ids, IGNORED where the
    label is not known.    label_weight: share of the cross entropy in rows with a label; the rest is the divergence.

    >>> logits, alike = torch.zeros(2, 2), torch.full((2, 2), 3.0)
    >>> targets = torch.tensor([0, IGNORED])
    >>> total, count = distillation_sum(logits, alike, targets, temperature=2.0, label_weight=0.5)
    >>> round(float(total), 4), count  # half of log 2
    (0.3466, 2.0)
    """
    logits_BC = _at_least_float32(logits_BC)
    teacher_BC = functional.log_softmax(teacher_BC.to(logits_BC) / temperature, dim=1)
    student_BC = functional.log_softmax(logits_BC / temperature, dim=1)
    soft_B = temperature**2 * functional.kl_div(student_BC, teacher_BC, log_target=True, reduction="none").sum(dim=1)
    hard_B = functional.cross_entropy(logits_BC, targets_B, ignore_index=IGNORED, reduction="none")
    weight_B = label_weight * (targets_B != IGNORED).to(logits_BC)
    return ((1 - weight_B) * soft_B + weight_B * hard_B).sum(), float(len(logits_BC))


def span_sum(
    start_logits_WL: Tensor, end_logits_WL: Tensor, starts_W: Tensor, ends_W: Tensor, mask_WL: Tensor
) -> tuple[Tensor, float]:
    """Return the mean of the cross-entropies of start and end, summed over windows, and W.

    The objective of Devlin et al. 2019, section 4.2, as `run_squad.py` has it. starts_W, ends_W: int64 positions.
    mask_WL: 0 at padding, which takes no part, so that a window's loss does not depend on what it is batched with.

    >>> zeros, third = torch.zeros(1, 3), torch.tensor([1])
    >>> total, count = span_sum(zeros, zeros, third, third, torch.tensor([[1, 1, 0]]))
    >>> round(float(total), 4), count
    (0.6931, 1.0)
    """
    padding_WL = mask_WL == 0
    total = start_logits_WL.new_zeros((), dtype=_at_least_float32(start_logits_WL).dtype)
    for logits_WL, targets_W in ((start_logits_WL, starts_W), (end_logits_WL, ends_W)):
        real_WL = _at_least_float32(logits_WL).masked_fill(padding_WL, -torch.inf)
        total = total + functional.cross_entropy(real_WL, targets_W, reduction="sum")
    return total / 2, float(len(starts_W))


def divergence_sum(first_BC: Tensor, second_BC: Tensor, *, sigmoid: bool = False) -> Tensor:
    """Return the mean of both Kullback-Leibler divergences of two distributions, summed over rows.

    first_BC, second_BC: logits, of a softmax over C or, with sigmoid, of C single labels, over which it is summed, too.
    Liang et al. 2021 (arXiv 2106.14448, equation 3) make one model agree with itself under two masks of dropout by it.

    >>> round(float(divergence_sum(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 0.0]]))), 4)
    0.1155
    """
    first_BC, second_BC = _at_least_float32(first_BC), _at_least_float32(second_BC)
    if sigmoid:  # KL(p||q) + KL(q||p) of one label is (p - q)(logit p - logit q)
        return ((torch.sigmoid(first_BC) - torch.sigmoid(second_BC)) * (first_BC - second_BC)).sum() / 2
    logs = [functional.log_softmax(logits_BC, dim=-1) for logits_BC in (first_BC, second_BC)]
    return ((logs[0].exp() - logs[1].exp()) * (logs[0] - logs[1])).sum() / 2


def pair_cosine(vectors_BD: Tensor, labels_B: Tensor) -> Tensor:
    """Return the mean squared distance of the cosine of two rows from 1 (one label) or 0 (two), over all pairs.

    Pairs of one label and of two count half each, as Tunstall et al. 2022 draw as many of both; where a kind of pair
    is missing, it counts nothing.
    """
    unit_BD = functional.normalize(vectors_BD.float(), dim=-1)
    first, second = torch.triu_indices(len(labels_B), len(labels_B), 1, device=labels_B.device)
    cosines = (unit_BD @ unit_BD.T)[first, second]
    alike = labels_B[first] == labels_B[second]
    kinds = ((cosines[alike] - 1).square(), cosines[~alike].square())
    return torch.stack([kind.sum() / max(kind.numel(), 1) for kind in kinds]).mean()


def mean_over_windows(values_WC: Tensor, example_of_window_W: Tensor, num_examples: int) -> Tensor:
    """Return the mean over the windows of each example, of shape (num_examples, C).

    example_of_window_W: int64, examples numbered by first appearance; each has a window.

    >>> mean_over_windows(torch.tensor([[1.0], [3.0], [5.0]]), torch.tensor([0, 0, 1]), 2).tolist()
    [[2.0], [5.0]]
    """
    values_WC = _at_least_float32(values_WC)
    if len(values_WC) == num_examples:  # one window each, so already in order
        return values_WC
    sums_BC = values_WC.new_zeros(num_examples, values_WC.shape[1])
    sums_BC = sums_BC.index_add(0, example_of_window_W, values_WC)
    counts_B = values_WC.new_zeros(num_examples)
    counts_B = counts_B.index_add(0, example_of_window_W, torch.ones_like(values_WC[:, 0]))
    return sums_BC / counts_B[:, None]


def _weights_like(values: Tensor, weights: Weights | None) -> Tensor | None:
    return None if weights is None else torch.as_tensor(weights, dtype=values.dtype, device=values.device)


def _at_least_float32(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))

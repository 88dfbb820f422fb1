"""Losses of the two kinds of classification on a real model: no way of splitting a batch changes them."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fastbert.config import Truncation
from fastbert.data.features import EncodedRows
from fastbert.inference.torch_backend import model_inputs, to_tensors
from fastbert.models.loading import load_model
from fastbert.tasks.base import pad_batch
from fastbert.tasks.classification import Classification, SingleLabel
from tests.bundles import MULTI, SINGLE, open_tiny
from tests.tasks.rows import RNG, rows_for, tokenizer


@functools.cache
def double_model(name: str, base: Path) -> nn.Module:
    """Return a tiny model in float64 without dropout."""
    task = {"single_label": SINGLE, "multi_label": MULTI}[name]
    return load_model(open_tiny(base / "gradients"), task).double().eval()


def loss_parts(
    task: Classification, model: nn.Module, rows: EncodedRows, split: Sequence[Sequence[int]]
) -> list[tuple[Tensor, float]]:
    """Return the loss of each part of a batch."""
    results = []
    for part in split:
        features = rows.windows_of(np.array(part))
        batch = pad_batch(features, 0)
        tensors = to_tensors(batch | task.targets(features, batch["input_ids"].shape[1], RNG), torch.device("cpu"))
        outputs: Mapping[str, Tensor] = model(
            **model_inputs(tensors, ("input_ids", "attention_mask", "token_type_ids"))
        )
        results.append(task.loss(outputs, tensors))
    return results


def gradients(model: nn.Module, results: list[tuple[Tensor, float]]) -> Tensor:
    total = torch.stack([part for part, _ in results]).sum() / sum(count for _, count in results)
    return torch.cat([gradient.flatten() for gradient in torch.autograd.grad(total, list(model.parameters()))])


@pytest.mark.parametrize("split", [[[0], [1], [2], [3], [4], [5]], [[5, 0, 3], [1, 2, 4]], [[1], [0, 2, 3, 4, 5]]])
@pytest.mark.parametrize("truncation", ["windows", "head_tail"])
@pytest.mark.parametrize("weights", [(), (0.5, 2.0, 3.3)])
@pytest.mark.parametrize("task", [SINGLE, MULTI], ids=lambda task: str(task.name))
def test_any_split_into_parts_gives_the_gradient_of_the_whole(
    task: Classification,
    weights: tuple[float, ...],
    truncation: Truncation,
    split: list[list[int]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    chosen = dataclasses.replace(task, truncation=truncation, label_weights=weights)
    model = double_model(task.name, tmp_path_factory.getbasetemp())
    rows = EncodedRows.of(chosen.encode(rows_for(task), tokenizer(), 12), 6)

    whole = gradients(model, loss_parts(chosen, model, rows, [range(6)]))
    parts = gradients(model, loss_parts(chosen, model, rows, split))

    assert float(whole.abs().max()) > 1e-3
    torch.testing.assert_close(parts, whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("task", "labels", "count"),
    [
        (SINGLE, torch.tensor([0, 2]), 2.0),
        (dataclasses.replace(SINGLE, label_weights=(0.5, 1.0, 4.0)), torch.tensor([0, 2]), 4.5),
        (MULTI, torch.zeros(2, 3), 6.0),
        (dataclasses.replace(MULTI, label_weights=(0.5, 1.0, 4.0)), torch.zeros(2, 3), 6.0),
    ],
)
def test_the_count_is_rows_or_their_weights_or_cells(task: Classification, labels: Tensor, count: float) -> None:
    batch = {"labels": labels, "example_of_window": torch.tensor([0, 0, 1])}

    assert task.loss({"logits": torch.zeros(3, 3)}, batch)[1] == count


@pytest.mark.parametrize("task", [SINGLE, MULTI])
def test_the_loss_sees_the_mean_of_the_windows(task: Classification) -> None:
    logits_WC = torch.tensor([[4.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    labels = torch.tensor([0]) if isinstance(task, SingleLabel) else torch.tensor([[1.0, 0.0, 0.0]])

    windows, _ = task.loss({"logits": logits_WC}, {"labels": labels, "example_of_window": torch.tensor([0, 0])})
    merged, _ = task.loss(
        {"logits": logits_WC.mean(dim=0, keepdim=True)}, {"labels": labels, "example_of_window": torch.tensor([0])}
    )

    assert float(windows) == pytest.approx(float(merged), rel=1e-6)


@pytest.mark.parametrize(
    ("task", "labels", "total"),
    [(SINGLE, torch.tensor([2]), 4 * math.log(3)), (MULTI, torch.tensor([[1.0, 0.0, 1.0]]), 5.5 * math.log(2))],
)
def test_label_weights_weigh_the_loss_as_computed_by_hand(task: Classification, labels: Tensor, total: float) -> None:
    """Logits of 0. Weights 0.5 1 4: of the target's class, or of the positive cells (0.5 + 4, and 1 for the other)."""
    weighted = dataclasses.replace(task, label_weights=(0.5, 1.0, 4.0))

    loss, _ = weighted.loss({"logits": torch.zeros(1, 3)}, {"labels": labels, "example_of_window": torch.tensor([0])})

    assert float(loss) == pytest.approx(total, rel=1e-6)

"""Steps on pairs of rows: the loss needs the vectors of a whole batch at once, a pass holds a part of it.

A batch that is more than a pass is run twice (gradient caching, Gao et al. 2021, arXiv 2101.06983): once for the
vectors of all rows, from which come the loss and its gradient with respect to each vector, and once part by part, for
what each adds to the gradients of the weights. Dropout repeats itself, so that this is the gradient of the one large
pass. Knows nothing of which rows meet, or of what is trained after.

Axes: B rows, D width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fastbert.models.losses import mean_over_windows, pair_cosine
from fastbert.runtime import untouched_rng
from fastbert.tasks.base import Batch, Feature
from fastbert.training.step import Part, Stepper, Trained

EXTRA_PASS = 4 / 3  # times as long: a forward pass more, where the backward pass takes as long as two


@dataclass(frozen=True)
class Pairs:
    """All pairs of a batch, as a stepper asks for a task. rows: the task whose rows they are."""

    rows: Trained

    def targets(self, features: Sequence[Feature], length: int, rng: np.random.Generator) -> Batch:
        """Return those of the rows."""
        return self.rows.targets(features, length, rng)

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the loss of the pairs of a batch that is one pass, and 1: it is a mean."""
        return pair_cosine(row_vectors(outputs, batch), batch["labels"]), 1.0


@dataclass(frozen=True)
class PairStepper(Stepper):
    """A step on all pairs of a batch, however many parts it has; none of them has windows of another's rows."""

    def accumulate_all(self, parts: Sequence[Part]) -> list[tuple[torch.Tensor, float]]:
        """Add the gradients of a whole batch; return its loss and count."""
        if len(parts) == 1:
            return super().accumulate_all(parts)
        with untouched_rng():  # with gradients, though they are dropped: the same kernels give the same numbers
            vectors_BD = torch.cat([self._vectors(part).detach() for part in parts]).requires_grad_()
        loss = pair_cosine(vectors_BD, torch.cat([part.tensors["labels"] for part in parts]))
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        assert vectors_BD.grad is not None  # of a leaf that the loss reads
        gradients = torch.split(vectors_BD.grad, [part.examples for part in parts])
        for part, gradient_BD in zip(parts, gradients, strict=True):
            self._vectors(part).backward(gradient_BD)  # type: ignore[no-untyped-call]
        return [(loss.detach(), 1.0)]

    def _vectors(self, part: Part) -> torch.Tensor:
        return row_vectors(self._run(part, part.seed), part.tensors)


def row_vectors(outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the vector of each row of a pass, (B, D): the mean over its windows."""
    return mean_over_windows(outputs["logits"], batch["example_of_window"], len(batch["labels"]))

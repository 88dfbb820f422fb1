"""Two passes over a batch with other dropout, held together: R-Drop (Liang et al. 2021, arXiv 2106.14448).

Knows a task's loss and the kind of its outputs; nothing of how a pass is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from fastbert.config import TrainConfig
from fastbert.errors import ConfigError
from fastbert.models import losses
from fastbert.models.frozen_prefix import trained
from fastbert.tasks.base import Divergence, Task

Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class RDrop:
    """weight: of the divergence of two passes (alpha of the paper).    kind: of the outputs.

    by_token: whether outputs are (W, L, C) and count where a unit has a label, or (W, C) and are means over windows.
    """

    weight: float
    kind: Divergence
    by_token: bool

    @classmethod
    def of(cls, config: TrainConfig, task: Task) -> RDrop | None:
        """Return what a configuration asks for, or None. Raises ConfigError where the task has no such outputs."""
        if not config.r_drop:
            return None
        if task.divergence is None:
            raise ConfigError(
                f"r_drop is {config.r_drop:g}, which the task '{task.name}' does not have.", "Leave it at 0."
            )
        return cls(config.r_drop, task.divergence, task.by_token)

    @staticmethod
    def check_dropout(config: TrainConfig, model: nn.Module) -> None:
        """Raise ConfigError where two passes of a model would be the same, and the second be for nothing.

        Layers that are all frozen have none: they are at rest.
        """
        with trained(model):
            drops = any(isinstance(part, _DropoutNd) and part.training and part.p > 0 for part in model.modules())
        if config.r_drop and not drops:
            raise ConfigError(
                f"r_drop is {config.r_drop:g}, but no layer that is trained has dropout: both passes are the same.",
                "Give the model some, such as dropout=0.1, or leave r_drop at 0.",
            )

    def divergence(self, first: Tensors, second: Tensors, batch: Tensors) -> torch.Tensor:
        """Return how far the outputs of two passes are apart, times the weight: a sum, to be divided as the loss is."""
        one_BC, other_BC = (self._rows(outputs["logits"], batch) for outputs in (first, second))
        if self.kind == "square":
            return self.weight * ((one_BC - other_BC) ** 2).sum()
        return self.weight * losses.divergence_sum(one_BC, other_BC, sigmoid=self.kind == "sigmoid")

    def _rows(self, logits: torch.Tensor, batch: Tensors) -> torch.Tensor:
        if self.by_token:
            return logits[batch["labels"] != losses.IGNORED]
        return losses.mean_over_windows(logits, batch["example_of_window"], len(batch["labels"]))

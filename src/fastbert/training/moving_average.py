"""A moving average of the weights of a training, by which it is evaluated.

The last steps wander about the point that they have found; their mean lies nearer to it (Polyak and Juditsky 1992).
Knows no step and no task.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn


class MovingAverage:
    """The exponential moving average of the trained weights of a model.

    decay: of what was before, per step. The first steps count less: after t steps it is at most (1 + t) / (10 + t), as
    in TensorFlow, or the start would weigh on a short training to its end.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._weights: list[torch.Tensor] = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._means: list[torch.Tensor] = [weight.detach().clone() for weight in self._weights]
        self._decay = decay
        self._steps = 0

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step."""
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        self._steps += 1
        torch._foreach_lerp_(self._means, self._weights, 1 - decay)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the average into the model during a block."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for weight, mean in zip(self._weights, self._means, strict=True):
            kept = weight.detach().clone()
            weight.copy_(mean)
            mean.copy_(kept)

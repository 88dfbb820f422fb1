"""A head that reads one vector of a window: its first token, the mean of its tokens, or a mean with learned weights.

It goes on top of any encoder through `heads.EncoderWithHead`. Knows nothing of tasks.

Axes: W windows, L tokens, D width, C labels.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import nn

from fastbert.config import Pooling
from fastbert.option_values import chosen_of

POOLINGS = ("cls", "mean", "attention")
DROPOUT = 0.1  # of classification heads since Devlin et al. 2019


class PooledHead(nn.Module):
    """Pool the last hidden states in float32, then dropout and one linear layer.

    pooling: one of POOLINGS. With "attention" a token weighs exp(query * hidden / sqrt(D)); the one query is learned
        and starts at 0, which is the mean (Yang et al. 2016 have a layer before it).
    """

    def __init__(self, width: int, num_labels: int, *, pooling: Pooling, dropout: float = DROPOUT) -> None:
        super().__init__()
        chosen_of("pooling", pooling, POOLINGS)
        self.pooling = pooling
        if pooling == "attention":
            self.query_D = nn.Parameter(torch.zeros(width))
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, num_labels)

    def forward(self, hidden_WLD: torch.Tensor, attention_mask_WL: torch.Tensor) -> torch.Tensor:
        """Return the logits (W, C)."""
        logits_WC: torch.Tensor = self.output(self.dropout(self.pool(hidden_WLD, attention_mask_WL)))
        return logits_WC

    def pool(self, hidden_WLD: torch.Tensor, attention_mask_WL: torch.Tensor) -> torch.Tensor:
        """Return the vector that the linear layer reads, float32 (W, D); padding has no part in it."""
        hidden_WLD = hidden_WLD.float()
        if self.pooling == "cls":
            return hidden_WLD[:, 0]
        mask_WL = attention_mask_WL.to(hidden_WLD)
        if self.pooling == "mean":
            return (hidden_WLD * mask_WL[..., None]).sum(1) / mask_WL.sum(1, keepdim=True)
        scores_WL = (hidden_WLD * self.query_D).sum(-1) / hidden_WLD.shape[-1] ** 0.5
        weights_WL = torch.softmax(scores_WL.masked_fill(mask_WL == 0, torch.finfo(scores_WL.dtype).min), dim=-1)
        return (hidden_WLD * weights_WL[..., None]).sum(1)


def head_factory(pooling: Pooling) -> Callable[[int, int], nn.Module] | None:
    """Return the factory (hidden size, number of labels) -> head of a pooling; None for the encoder's own head."""
    return None if pooling == "default" else functools.partial(PooledHead, pooling=pooling)

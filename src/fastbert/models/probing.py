"""Whether a changed way to compute gives the answers of before: found by trying, on two made-up texts.

Knows nothing of what was changed.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

PROBE_IDS = ((0, 1, 2, 3, 4, 5, 6), (6, 5, 4, 3, 2, 1, 0))  # every vocabulary has them
PROBE_LENGTHS = (7, 4)
TOLERANCE = 1e-5  # of a logit, in float32


def probe(model: nn.Module) -> torch.Tensor | None:
    """Return what a model says of two texts, one of them padded; None if it says nothing (`said`)."""
    device = next(model.parameters()).device
    ids = torch.tensor(PROBE_IDS, device=device)
    mask = (torch.arange(ids.shape[1]) < torch.tensor(PROBE_LENGTHS)[:, None]).long().to(device)
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            return said(model(input_ids=ids, attention_mask=mask), mask)
    finally:
        model.train(was_training)


def said(outputs: Mapping[str, object], mask_WL: torch.Tensor) -> torch.Tensor | None:
    """Return the logits of windows, (W, ...), or None if there are none.

    Those of tokens are 0 where there is padding, which nobody reads; two outputs of tokens are laid side by side.
    """
    found = [output for name, output in outputs.items() if name.endswith("logits") and isinstance(output, torch.Tensor)]
    if not found:
        return None
    logits = found[0] if len(found) == 1 else torch.stack(found, dim=-1)
    if logits.dim() == 3 and logits.shape[1] == mask_WL.shape[1]:
        logits = logits * mask_WL[..., None]
    return logits


def answers_alike(model: nn.Module, before: torch.Tensor) -> bool:
    """Return whether a model gives the logits of an earlier probe; False if it fails on it."""
    try:
        after = probe(model)
    except (RuntimeError, IndexError, ValueError, TypeError):  # what was cut or moved, each says in its own words
        return False
    return after is not None and after.shape == before.shape and torch.allclose(after, before, rtol=0, atol=TOLERANCE)

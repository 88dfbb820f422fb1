"""Attention in float32 under bfloat16 autocast, on processors: there torch is faster so.

Its fused attention for CPUs takes 1.2 to 12 times longer in bfloat16 than in float32, most on short texts
(LOG 2026-11-24); everything else of a step stays in bfloat16. Knows no family of encoders: one
whose attention torch does not compute keeps its own.
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from fastbert.runtime import Runtime

NAME = "fastbert_float32_sdpa"  # among the implementations of transformers; never written into a checkpoint


def suit_attention(model: nn.Module, runtime: Runtime) -> bool:
    """Let the encoder attend in float32 where the runtime is bfloat16 on a CPU; return whether it does."""
    encoder = next((module for module in model.modules() if isinstance(module, PreTrainedModel)), None)
    if (runtime.device.type, runtime.precision) != ("cpu", "bf16") or encoder is None:
        return False
    if encoder.config._attn_implementation != "sdpa":
        return False
    encoder.set_attn_implementation(NAME)
    return True


def attend_in_float32(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: object,
) -> tuple[torch.Tensor, None]:
    """Return what transformers' own function returns, in the dtype of the query."""
    mask = (
        attention_mask.float() if attention_mask is not None and attention_mask.is_floating_point() else attention_mask
    )
    with torch.autocast(query.device.type, enabled=False):
        attended, _ = sdpa_attention_forward(
            module,
            query.float(),
            key.float(),
            value.float(),
            mask,
            **options,  # type: ignore[arg-type]
        )
    return attended.to(query.dtype), None


AttentionInterface.register(NAME, attend_in_float32)
AttentionMaskInterface.register(NAME, sdpa_mask)

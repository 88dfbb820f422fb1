"""Attention as plain matrix products in bfloat16, on processors: there torch's fused attention is slower.

Fused attention of torch 2.13 takes 1.3 to 12 times longer than these products for up to 512 tokens, forward and
backward (LOG 2026-11-24). Longer inputs, whose attention maps would fill the memory, and float32 keep the
fused one. Knows no family of encoders: one whose attention torch does not compute keeps its own.

Axes: W windows, H heads, L tokens, D width of a head.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from fastbert.runtime import Runtime

NAME = "fastbert_cpu_attention"  # among the implementations of transformers; never written into a checkpoint
PRODUCT_TOKENS = 512  # up to here the maps of a batch (tokens x heads x L x 2 bytes a layer) fit in memory
# From here torch's softmax is vectorised for bfloat16; below it is 1.3 to 2 times slower than one in float32.
HALF_SOFTMAX_TOKENS = 64
FIRST_ONLY = "attends_from_first_token_only"  # set on attention modules by `first_token`


def suit_attention(model: nn.Module, runtime: Runtime) -> bool:
    """Let the encoder attend by plain products where the runtime is bfloat16 on a CPU, else as torch does.

    Return whether it attends by products.
    """
    encoder = _encoder(model)
    if encoder is None or encoder.config._attn_implementation not in ("sdpa", NAME):
        return False
    suited = (runtime.device.type, runtime.precision) == ("cpu", "bf16")
    encoder.set_attn_implementation(NAME if suited else "sdpa")
    return suited


@contextlib.contextmanager
def written_out(model: nn.Module) -> Iterator[None]:
    """Let the encoder attend in single operations during a block, as an exporter best sees them.

    torch's fused attention is traced with a guard against rows in which all is masked; with it OpenVINO does not see
    that this is attention, and computes it 1.5 times slower (LOG 2026-11-25). No text is without a token.
    """
    encoder = _encoder(model)
    before = None if encoder is None else encoder.config._attn_implementation
    if encoder is None or before not in ("sdpa", NAME):
        yield
        return
    encoder.set_attn_implementation("eager")
    try:
        yield
    finally:
        encoder.set_attn_implementation(before)


def attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: object,
) -> tuple[torch.Tensor, None]:
    """Return what transformers' own function returns, (W, L, H, D), in the dtype of the query.

    query, key, value: (W, H, L, D).    attention_mask: (W, 1, L or 1, L), True or 0 where a token may be seen.
    """
    length = query.shape[2]
    if getattr(module, FIRST_ONLY, False):  # what the others would get is thrown away
        query, attention_mask = query[:, :, :1], None if attention_mask is None else attention_mask[:, :, :1]
    with torch.autocast(query.device.type, enabled=False):
        attended_WLHD = _attended(module, query, key, value, attention_mask, options)
    return attended_WLHD.expand(-1, length, -1, -1), None


def _attended(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    options: dict[str, object],
) -> torch.Tensor:
    if _pays(module, query, key, options):
        return _by_products(query, key, value, attention_mask, options.get("scaling"))
    is_added = attention_mask is not None and attention_mask.is_floating_point()
    attended, _ = sdpa_attention_forward(
        module,
        query.float(),
        key.float(),
        value.float(),
        attention_mask.float() if attention_mask is not None and is_added else attention_mask,
        **options,  # type: ignore[arg-type]
    )
    return attended.to(query.dtype)


def is_plain(module: nn.Module, options: Mapping[str, object]) -> bool:
    """Return whether attention is softmax(query key^T) value, and nothing but a mask and a scale come to it."""
    causal = options.get("is_causal") or getattr(module, "is_causal", False)
    return not causal and not options.get("dropout") and options.get("position_bias") is None


def _pays(module: nn.Module, query: torch.Tensor, key: torch.Tensor, options: dict[str, object]) -> bool:
    plain = is_plain(module, options) and query.shape[1] == key.shape[1]
    return plain and query.dtype == torch.bfloat16 and key.shape[2] <= PRODUCT_TOKENS


def _by_products(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, scaling: object
) -> torch.Tensor:
    """Return softmax(query key^T) value as (W, L, H, D)."""
    scale = scaling if isinstance(scaling, float) else query.shape[-1] ** -0.5
    scores = torch.matmul(query * scale, key.transpose(2, 3))
    if key.shape[2] < HALF_SOFTMAX_TOKENS:
        scores = scores.float()
    if mask is not None and mask.is_floating_point():
        scores = scores + mask.to(scores.dtype)
    elif mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = torch.softmax(scores, -1).to(value.dtype)
    return torch.matmul(weights, value).transpose(1, 2).contiguous()


def _encoder(model: nn.Module) -> PreTrainedModel | None:
    return next((module for module in model.modules() if isinstance(module, PreTrainedModel)), None)


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)

"""Attention by products under bfloat16: where it is set, that it changes rounding alone, that it leaves no trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from fastbert.config import Precision
from fastbert.models.attention import HALF_SOFTMAX_TOKENS, NAME, PRODUCT_TOKENS, attend, suit_attention, written_out
from fastbert.models.loading import load_model, save_model
from fastbert.runtime import Runtime
from tests.bundles import SINGLE, open_tiny
from tests.helpers import FAMILIES
from tests.models.test_heads import MeanHead

IDS = torch.tensor([[2, 10, 11, 12, 3], [2, 13, 3, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


def cpu(precision: Precision) -> Runtime:
    """Return a runtime on the processor, whatever that is fast at."""
    return Runtime(torch.device("cpu"), precision, "for the test")


def logits(model: nn.Module, runtime: Runtime, rows: slice = slice(None), tokens: slice = slice(None)) -> torch.Tensor:
    """Return what the model says to a part of the two padded rows."""
    model.eval()
    with torch.inference_mode(), runtime.autocast():
        outputs = model(input_ids=IDS[rows, tokens], attention_mask=MASK[rows, tokens])
    found: torch.Tensor = outputs["logits"]
    return found.float()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_answers_of_every_family_change_by_rounding_alone(family: str, tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder", family), SINGLE)
    before = logits(model, cpu("fp32"))

    suit_attention(model, cpu("bf16"))

    torch.testing.assert_close(logits(model, cpu("fp32")), before, rtol=0, atol=1e-6)
    torch.testing.assert_close(logits(model, cpu("bf16")), before, rtol=0, atol=0.05)


def test_padding_stays_hidden(tmp_path: Path) -> None:
    """An implementation without its mask function attends to padding, in silence."""
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE)
    suit_attention(model, cpu("bf16"))

    padded, alone = logits(model, cpu("fp32"))[1:], logits(model, cpu("fp32"), slice(1, 2), slice(0, 3))

    torch.testing.assert_close(padded, alone, rtol=0, atol=1e-6)


def test_another_precision_gets_the_attention_of_torch_back(tmp_path: Path) -> None:
    model = cast("PreTrainedModel", load_model(open_tiny(tmp_path / "encoder"), SINGLE))

    suited = [suit_attention(model, cpu("bf16")), suit_attention(model, cpu("fp32"))]

    assert suited == [True, False]
    assert model.config._attn_implementation == "sdpa"


def tensors(length: int, *, heads: int = 2, width: int = 16) -> list[torch.Tensor]:
    """Return query, key and value of two windows, in bfloat16 and with gradients."""
    rng = torch.Generator().manual_seed(length)
    return [torch.randn(2, heads, length, width, generator=rng).bfloat16().requires_grad_(True) for _ in range(3)]


@pytest.mark.parametrize("length", [5, HALF_SOFTMAX_TOKENS, PRODUCT_TOKENS, PRODUCT_TOKENS + 1])
@pytest.mark.parametrize("mask", ["none", "boolean", "added"])
def test_attention_equals_that_of_float32_within_bfloat16(length: int, mask: str) -> None:
    seen = torch.ones(2, 1, 1, length, dtype=torch.bool)
    seen[1, :, :, length // 2 :] = False
    added = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)
    given = {"none": None, "boolean": seen, "added": added}[mask]
    mine = tensors(length)
    theirs = [tensor.detach().float().requires_grad_(True) for tensor in mine]

    attended, _ = attend(nn.Module(), mine[0], mine[1], mine[2], given, scaling=0.3, is_causal=False)
    query, key, value = theirs
    wanted, _ = sdpa_attention_forward(nn.Module(), query, key, value, given, scaling=0.3, is_causal=False)
    for result in (attended.float(), wanted):
        result.square().sum().backward()  # type: ignore[no-untyped-call]

    assert attended.dtype == torch.bfloat16
    torch.testing.assert_close(attended.float(), wanted, rtol=0.02, atol=0.02)
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one.grad.float(), other.grad, rtol=0.05, atol=0.05)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("length", "fused"), [(PRODUCT_TOKENS, False), (PRODUCT_TOKENS + 1, True)], ids=["short", "long"]
)
def test_long_inputs_keep_the_fused_attention(length: int, fused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.dtype] = []

    def spy(module: nn.Module, query: torch.Tensor, *rest: object, **options: object) -> tuple[torch.Tensor, None]:
        seen.append(query.dtype)
        return sdpa_attention_forward(module, query, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("fastbert.models.attention.sdpa_attention_forward", spy)

    query, key, value = tensors(length)

    attend(nn.Module(), query, key, value, None, is_causal=False)

    assert seen == ([torch.float32] if fused else [])


@pytest.mark.parametrize(
    ("family", "runtime"),
    [
        ("bert", cpu("fp32")),
        ("bert", Runtime(torch.device("cuda"), "bf16", "for the test")),
        ("deberta-v2", cpu("bf16")),  # has an attention of its own
    ],
)
def test_elsewhere_the_encoder_keeps_its_attention(family: str, runtime: Runtime, tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder", family), SINGLE)
    assert isinstance(model, PreTrainedModel)
    before = model.config._attn_implementation

    assert not suit_attention(model, runtime)
    assert model.config._attn_implementation == before


def test_a_checkpoint_does_not_name_it(tmp_path: Path) -> None:
    """Other tools do not know the name."""
    encoder = open_tiny(tmp_path / "encoder")
    model = load_model(encoder, SINGLE)
    assert suit_attention(model, cpu("bf16"))
    (tmp_path / "saved").mkdir()

    save_model(model, encoder, tmp_path / "saved", 24)

    config = (tmp_path / "saved" / "config.json").read_text(encoding="utf-8")
    assert NAME not in config
    assert json.loads(config)["model_type"] == "bert"


@pytest.mark.parametrize("head", [None, MeanHead])
def test_attention_is_written_out_for_a_block_alone(head: type[MeanHead] | None, tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE, head)
    encoder = next(module for module in model.modules() if isinstance(module, PreTrainedModel))
    suit_attention(model, cpu("bf16"))

    with pytest.raises(KeyError), written_out(model):
        assert encoder.config._attn_implementation == "eager"
        raise KeyError("an exporter that fails")

    assert encoder.config._attn_implementation == NAME


def test_attention_of_a_familys_own_is_not_touched(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder", "deberta-v2"), SINGLE)
    before = model.config._attn_implementation  # type: ignore[union-attr]
    with written_out(model):
        assert model.config._attn_implementation == before  # type: ignore[union-attr]

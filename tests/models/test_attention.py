"""Attention in float32 under bfloat16: where it is set, that it changes rounding alone, that it leaves no trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from fastbert.config import Precision
from fastbert.models.attention import NAME, suit_attention
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


@pytest.mark.parametrize("head", [None, MeanHead])
def test_under_bf16_attention_is_computed_in_float32(
    head: type[MeanHead] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.dtype] = []

    def spy(module: nn.Module, query: torch.Tensor, *rest: object, **options: object) -> tuple[torch.Tensor, None]:
        seen.append(query.dtype)
        return sdpa_attention_forward(module, query, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("fastbert.models.attention.sdpa_attention_forward", spy)
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE, head)

    assert suit_attention(model, cpu("bf16"))
    logits(model, cpu("bf16"))

    assert seen == [torch.float32] * 2  # layers


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

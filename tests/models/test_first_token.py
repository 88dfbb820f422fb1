"""The last layer for the first token alone: the same answers and gradients, or nothing is changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from fastbert.models.attention import suit_attention
from fastbert.models.first_token import read_first_token_only
from fastbert.models.loading import load_model
from fastbert.runtime import Runtime
from tests.bundles import SINGLE, open_tiny
from tests.helpers import FAMILIES
from tests.models.test_heads import MeanHead

IDS = torch.tensor([[2, 10, 11, 12, 3], [2, 13, 3, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
# ALBERT's layers are one module called twice; the tiny ModernBERT takes the mean over all tokens.
WHOLE = {"albert", "modernbert"}


def undropped(model: nn.Module) -> nn.Module:
    """Switch dropout off, so that training can be compared."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model.train()


def gradients(model: nn.Module) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return the logits of two rows, and the gradient of their sum of squares at every weight."""
    model.zero_grad()
    logits = model(input_ids=IDS, attention_mask=MASK)["logits"]
    logits.square().sum().backward()
    found = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in model.parameters()]
    return logits.detach(), [gradient.clone() for gradient in found]


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_and_gradients_of_every_family_are_the_same(family: str, tmp_path: Path) -> None:
    model = undropped(load_model(open_tiny(tmp_path / "encoder", family), SINGLE))
    logits, before = gradients(model)

    assert read_first_token_only(model) is (family not in WHOLE)

    after_logits, after = gradients(model)
    torch.testing.assert_close(after_logits, logits, rtol=0, atol=1e-6)
    for mine, theirs in zip(after, before, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family not in WHOLE])
def test_the_last_layer_gives_one_row(family: str, tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder", family), SINGLE)
    assert model(input_ids=IDS, attention_mask=MASK, output_hidden_states=True)["hidden_states"][-1].shape[1] == 5

    read_first_token_only(model)

    assert model(input_ids=IDS, attention_mask=MASK, output_hidden_states=True)["hidden_states"][-1].shape[1] == 1


def test_it_holds_with_attention_by_products_under_bf16(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE).eval()
    runtime = Runtime(torch.device("cpu"), "bf16", "for the test")
    assert suit_attention(model, runtime)
    with torch.inference_mode(), runtime.autocast():
        whole = model(input_ids=IDS, attention_mask=MASK)["logits"].float()
        assert read_first_token_only(model)
        first = model(input_ids=IDS, attention_mask=MASK)["logits"].float()

    torch.testing.assert_close(first, whole, rtol=0, atol=0.02)


def test_a_head_of_ones_own_sees_every_token(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE, MeanHead).eval()
    before = model(input_ids=IDS, attention_mask=MASK)["logits"]

    assert not read_first_token_only(model)

    torch.testing.assert_close(model(input_ids=IDS, attention_mask=MASK)["logits"], before, rtol=0, atol=0)


def test_a_model_whose_answer_would_change_is_left_alone(tmp_path: Path) -> None:
    class ReadsTheLast(nn.Module):
        def forward(self, hidden_WLD: torch.Tensor) -> torch.Tensor:
            return hidden_WLD[:, -1]

    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE).eval()
    model.bert.pooler = ReadsTheLast()  # type: ignore[union-attr]
    before = model(input_ids=IDS, attention_mask=MASK)["logits"]

    assert not read_first_token_only(model)

    torch.testing.assert_close(model(input_ids=IDS, attention_mask=MASK)["logits"], before, rtol=0, atol=0)


def test_names_and_mode_of_the_model_stay(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE).train()
    names = list(model.state_dict())

    assert read_first_token_only(model)

    assert list(model.state_dict()) == names
    assert model.training

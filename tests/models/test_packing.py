"""Packed batches: the logits and gradients of padded ones, or nothing is changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from fastbert.models import packing as packing_module
from fastbert.models.attention import suit_attention
from fastbert.models.first_token import read_first_token_only
from fastbert.models.freezing import freeze, layer_modules
from fastbert.models.frozen_prefix import rest_frozen_parts
from fastbert.models.loading import load_model
from fastbert.models.packing import packing
from fastbert.runtime import Runtime
from tests.bundles import SINGLE, open_tiny
from tests.helpers import FAMILIES
from tests.models.test_first_token import gradients, undropped
from tests.models.test_heads import MeanHead

# ALBERT's layers are one module; DeBERTa and MPNet compute attention themselves, with relative positions.
PADDED = {"albert", "deberta-v2", "mpnet"}
PACKED = [family for family in FAMILIES if family not in PADDED]


def batch(lengths: list[int]) -> dict[str, torch.Tensor]:
    """Return made-up windows of these lengths, padded."""
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    generator = torch.Generator().manual_seed(len(lengths))
    return {"input_ids": torch.randint(5, 40, mask.shape, generator=generator) * mask, "attention_mask": mask}


def seen_shapes(layer: nn.Module) -> list[tuple[int, ...]]:
    """Return a list that grows with the shape of what enters a layer's feed-forward part."""
    shapes: list[tuple[int, ...]] = []
    widest = max(
        (module for module in layer.modules() if isinstance(module, nn.Linear)), key=lambda one: one.out_features
    )
    widest.register_forward_pre_hook(lambda module, inputs: shapes.append(tuple(inputs[0].shape)))
    return shapes


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "first token"])
@pytest.mark.parametrize("family", FAMILIES)
def test_logits_and_gradients_of_every_family_are_the_same(family: str, cut: bool, tmp_path: Path) -> None:
    model = undropped(load_model(open_tiny(tmp_path / "encoder", family), SINGLE))
    if cut:
        read_first_token_only(model)
    logits, before = gradients(model)

    with packing(model) as packs:
        assert packs is (family not in PADDED)
        packed_logits, packed = gradients(model)

    torch.testing.assert_close(packed_logits, logits, rtol=0, atol=1e-6)
    for mine, theirs in zip(packed, before, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
    assert torch.equal(gradients(model)[0], logits)  # and afterwards as before, to the bit


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=6), family=st.sampled_from(PACKED))
def test_any_lengths_give_the_same_logits(lengths: list[int], family: str, tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / family, family), SINGLE).eval()
    inputs = batch(lengths)
    with torch.inference_mode():
        padded = model(**inputs)["logits"]
        with packing(model):
            packed = model(**inputs)["logits"]

    torch.testing.assert_close(packed, padded, rtol=0, atol=2e-6)


def test_windows_do_not_see_each_other(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE).eval()
    inputs, other = batch([6, 3, 5]), batch([6, 3, 5])
    other["input_ids"][0] = 7
    with torch.inference_mode(), packing(model):
        one, two = model(**inputs)["logits"], model(**other)["logits"]

    assert torch.equal(one[1:], two[1:])
    assert not torch.equal(one[0], two[0])


def test_layers_get_the_real_tokens_alone_and_the_last_one_cuts_for_itself(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE).eval()
    read_first_token_only(model)
    layers = model.bert.encoder.layer  # type: ignore[union-attr]
    first, last = seen_shapes(layers[0]), seen_shapes(layers[1])  # type: ignore[index,arg-type]
    with torch.inference_mode(), packing(model):
        first.clear()
        last.clear()
        model(**batch([6, 3, 5]))
        model(**batch([4, 4]))  # no padding, nothing to pack

    assert first == [(1, 14, 32), (2, 4, 32)]
    assert last == [(3, 1, 32), (2, 1, 32)]


def test_bfloat16_differs_by_its_rounding_alone(tmp_path: Path) -> None:
    runtime = Runtime(torch.device("cpu"), "bf16", "for the test")
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE).eval()
    suit_attention(model, runtime)
    with torch.inference_mode(), runtime.autocast():
        padded = model(**batch([9, 2, 5]))["logits"].float()
        with packing(model):
            packed = model(**batch([9, 2, 5]))["logits"].float()

    torch.testing.assert_close(packed, padded, rtol=0, atol=0.05)


def varlen_by_hand(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, ends: torch.Tensor, *rest: object, scale: float
) -> torch.Tensor:
    """Return what torch's attention for variable lengths promises, one window at a time; that one needs CUDA."""
    attended = torch.empty_like(query)
    for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        one_query, one_key, one_value = (part[start:end].transpose(0, 1) for part in (query, key, value))
        weights = torch.softmax(one_query @ one_key.transpose(1, 2) * scale, -1)
        attended[start:end] = (weights @ one_value).transpose(0, 1)
    return attended


@pytest.mark.parametrize("family", [family for family in PACKED if family != "modernbert"])
def test_attention_for_variable_lengths_gets_the_boundaries(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing_module, "varlen_attn", varlen_by_hand)
    monkeypatch.setattr(packing_module, "_varlen_fits", lambda module, query, options: True)
    model = load_model(open_tiny(tmp_path / "encoder", family), SINGLE).eval()
    with torch.inference_mode():
        padded = model(**batch([6, 3, 5]))["logits"]
        with packing(model) as packs:
            packed = model(**batch([6, 3, 5]))["logits"]

    assert packs
    torch.testing.assert_close(packed, padded, rtol=0, atol=2e-6)


class OnCuda:
    """Queries as torch has them there."""

    is_cuda, dtype, device = True, torch.bfloat16, "cuda:0"

    def __init__(self, width: int = 32) -> None:
        self.shape = (1, 12, 90, width)


@pytest.mark.parametrize(
    ("options", "width", "capability", "expected"),
    [
        ({"scaling": 0.5, "dropout": 0.0, "sliding_window": None}, 32, 9, True),
        ({"sliding_window": 64}, 32, 9, False),
        ({"dropout": 0.1}, 32, 9, False),
        ({"is_causal": True}, 32, 9, False),
        ({"position_bias": torch.zeros(1)}, 32, 9, False),
        ({}, 26, 9, False),
        ({}, 320, 9, False),
        ({}, 32, 7, False),
    ],
    ids=["fits", "local", "dropout", "causal", "bias", "odd width", "wide", "before Ampere"],
)
def test_attention_for_variable_lengths_is_taken_where_flash_attention_runs(
    options: dict[str, object], width: int, capability: int, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing_module, "varlen_attn", varlen_by_hand)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (capability, 0))

    assert packing_module._varlen_fits(nn.Module(), OnCuda(width), options) is expected  # type: ignore[arg-type]


def test_attention_for_variable_lengths_is_not_for_a_processor() -> None:
    assert not packing_module._varlen_fits(nn.Module(), torch.zeros(1, dtype=torch.bfloat16), {})


def test_an_encoder_that_is_frozen_is_packed_in_a_step_too(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder", "roberta"), SINGLE)
    freeze(model)
    shapes = seen_shapes(layer_modules(model)[0])
    with packing(model, only_training=True) as packs:
        shapes.clear()
        model.train()
        rest_frozen_parts(model)
        model(**batch([9, 2, 5]))
        model.eval()
        model(**batch([9, 2, 5]))

    assert packs
    assert [shape[:2] for shape in shapes] == [(1, 16), (3, 9)]


def test_a_torch_without_attention_for_variable_lengths_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    assert packing_module._find_varlen() is None
    monkeypatch.setattr(packing_module, "varlen_attn", None)
    assert not packing_module._varlen_fits(nn.Module(), OnCuda(), {})  # type: ignore[arg-type]


def test_a_head_of_the_users_own_is_left_alone(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE, MeanHead)
    with packing(model) as packs:
        assert not packs

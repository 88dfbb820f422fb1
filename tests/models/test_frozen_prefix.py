"""Frozen layers run once: the same answers as running them, for every family that allows it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from fastbert.config import Precision
from fastbert.models.first_token import read_first_token_only
from fastbert.models.freezing import freeze, freeze_to, layer_groups, layer_modules
from fastbert.models.frozen_prefix import FrozenPrefix, can_be_skipped, frozen_layers, rest_frozen_parts, trained
from fastbert.models.loading import load_model
from fastbert.runtime import Runtime
from tests.bundles import SINGLE, open_tiny
from tests.helpers import FAMILIES
from tests.models.test_heads import MeanHead

SHARED = {"albert"}  # one module is called for every layer
BATCH = {
    "input_ids": torch.tensor([[2, 10, 11, 12, 3], [2, 13, 3, 0, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]),
}
OTHER = {"input_ids": torch.tensor([[2, 20, 21, 3]]), "attention_mask": torch.tensor([[1, 1, 1, 1]])}


def prefix_of(model: nn.Module, num_layers: int, precision: Precision = "fp32") -> FrozenPrefix:
    runtime = Runtime(torch.device("cpu"), precision, "for the test")
    return FrozenPrefix(
        model,
        num_layers,
        runtime=runtime,
        input_names=("input_ids", "attention_mask"),
        num_windows=2,
        num_tokens=8,
    )


def count_calls(module: nn.Module) -> list[int]:
    """Return a list that grows at each call of a module."""
    calls: list[int] = []
    module.register_forward_hook(lambda *_: calls.append(1))
    return calls


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("family", [family for family in FAMILIES if family not in SHARED])
def test_kept_layers_answer_as_those_that_are_run(
    family: str, num_layers: int, precision: Precision, tmp_path: Path
) -> None:
    model = load_model(open_tiny(tmp_path / "encoder", family), SINGLE).eval()
    prefix = prefix_of(model, num_layers, precision)
    with torch.inference_mode(), prefix.runtime.autocast():
        whole = model(**BATCH)["logits"].float()
        prefix.add(BATCH)
        kept = prefix.run(BATCH)["logits"].float()

    torch.testing.assert_close(kept, whole, rtol=0, atol=1e-6 if precision == "fp32" else 0.05)


@pytest.mark.parametrize("head", [None, MeanHead])
def test_kept_layers_are_not_run_again_and_the_others_are(head: type[MeanHead] | None, tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE, head).eval()
    lower, upper = (count_calls(list(layer.children())[0]) for layer in layer_modules(model))
    prefix = prefix_of(model, 1)
    prefix.add(BATCH)
    assert (len(lower), len(upper)) == (1, 0)

    prefix.run(BATCH)
    assert (len(lower), len(upper)) == (1, 1)

    model(**BATCH)  # a run of its own is as before
    assert (len(lower), len(upper)) == (2, 2)


def test_a_window_in_another_batch_is_known_and_a_new_one_is_run(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE).eval()
    calls = count_calls(list(layer_modules(model)[0].children())[0])
    prefix = prefix_of(model, 1)
    prefix.add(BATCH)
    second = {name: value[1:, :3] for name, value in BATCH.items()}  # without its padding

    torch.testing.assert_close(prefix.run(second)["logits"], model(**second)["logits"], rtol=0, atol=1e-6)
    torch.testing.assert_close(prefix.run(OTHER)["logits"], model(**OTHER)["logits"], rtol=0, atol=0)

    assert len(calls) == 1 + 1 + 2  # add; the check of the known window; both runs of the new one


def test_where_the_first_token_alone_is_read_one_row_a_window_is_kept(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE).eval()
    whole = model(**BATCH)["logits"]
    assert read_first_token_only(model)
    prefix = prefix_of(model, 2)
    prefix.add(BATCH)

    assert prefix.num_bytes == 2 * 32 * 4  # windows, width, float32
    torch.testing.assert_close(prefix.run(BATCH)["logits"], whole, rtol=0, atol=1e-6)


def test_the_head_gets_the_same_gradients(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE).eval()
    freeze(model)
    prefix = prefix_of(model, 2)
    prefix.add(BATCH)
    found = []
    for outputs in (model(**BATCH), prefix.run(BATCH)):
        model.zero_grad()
        outputs["logits"].square().sum().backward()
        found.append([weight.grad.clone() for weight in model.parameters() if weight.grad is not None])

    assert len(found[0]) == 4  # pooler and classifier
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("first_trained", "expected"), [(0, 0), (1, 0), (2, 1), (-1, 2)])
def test_frozen_layers_are_counted_from_below(first_trained: int, expected: int, tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE)
    freeze_to(model, first_trained)

    assert frozen_layers(model) == expected


def test_a_trained_layer_between_frozen_ones_ends_the_count(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE)
    freeze(model)
    layer_groups(model)[1].parameters[0].requires_grad_(True)

    assert frozen_layers(model) == 0


def test_layers_that_are_called_twice_are_none_of_its_business(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder", "albert"), SINGLE)
    freeze(model)

    assert frozen_layers(model) == 0


@pytest.mark.parametrize("skips", [True, False])
def test_whether_layers_can_be_skipped_is_found_by_trying(skips: bool, tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE).train()
    if not skips:  # a part beside the layers that looks at more than their output

        class LooksBack(nn.Module):
            def __init__(self, pooler: nn.Module, layer: nn.Module) -> None:
                super().__init__()
                self.pooler, self.seen = pooler, torch.zeros(1)
                layer.output.register_forward_hook(self.note)  # type: ignore[union-attr]

            def note(self, module: nn.Module, inputs: object, output: torch.Tensor) -> None:
                self.seen = output.mean() + 1

            def forward(self, hidden_WLD: torch.Tensor) -> torch.Tensor:
                found: torch.Tensor = self.pooler(hidden_WLD) * self.seen
                self.seen = torch.zeros(1)
                return found

        model.bert.pooler = LooksBack(model.bert.pooler, layer_modules(model)[0])  # type: ignore[arg-type,union-attr]

    assert can_be_skipped(prefix_of(model, 2), BATCH) is skips
    assert model.training


def test_what_would_fill_half_of_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE).eval()
    width = next(layer_modules(model)[0].parameters()).shape[-1]
    needed = 8 * width * 4  # the eight tokens of the two windows, in float32
    for free in (2 * needed, 2 * needed - 1):
        monkeypatch.setattr("shutil.disk_usage", lambda place, free=free: SimpleNamespace(free=free))
        with pytest.raises(OSError, match="GB are needed, half of") if free < 2 * needed else nullcontext():
            prefix_of(model, 1).add(BATCH)


def test_modes_come_back_part_by_part(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE)
    model.train()
    layer_modules(model)[0].eval()
    before = [module.training for module in model.modules()]

    with trained(model):
        assert layer_modules(model)[0].training

    assert [module.training for module in model.modules()] == before


def test_frozen_parts_rest_and_trained_ones_do_not(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE)
    freeze_to(model, 2)
    model.train()

    rest_frozen_parts(model)

    lower, upper = layer_modules(model)
    assert not any(module.training for module in lower.modules())
    assert all(module.training for module in upper.modules())
    assert not model.get_input_embeddings().training  # type: ignore[operator]
    assert model.dropout.training  # type: ignore[union-attr]


def test_a_model_that_is_trained_whole_has_no_rest(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder"), SINGLE).train()

    rest_frozen_parts(model)

    assert all(module.training for module in model.modules())

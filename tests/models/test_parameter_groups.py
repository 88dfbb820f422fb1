"""The parameter groups of an optimizer on real architectures: decay, depth, head, and what is frozen."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim import Optimizer
from transformers import AutoConfig, AutoModelForSequenceClassification

from fastbert.errors import EncoderError
from fastbert.models.freezing import freeze, layer_groups, unfreeze
from fastbert.models.optimizers import OPTIMIZERS, apply_schedule, make_optimizer
from fastbert.models.schedules import make_schedule
from tests.helpers import tiny_encoder
from tests.models.test_optimizers import linear

FAMILIES = ["bert", "deberta-v2", "modernbert"]


def _classifier(family: str, folder: Path) -> nn.Module:
    config = AutoConfig.from_pretrained(tiny_encoder(folder, family))
    torch.manual_seed(0)
    model: nn.Module = AutoModelForSequenceClassification.from_config(config)
    return model.eval()


def _by_parameter(model: nn.Module, optimizer: Optimizer, key: str) -> dict[str, float]:
    """Return an entry of the group of each parameter, by the parameter's name."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {names[id(p)]: group[key] for group in optimizer.param_groups for p in group["params"]}


@pytest.mark.parametrize("layer_decay", [1.0, 0.9])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_is_in_exactly_one_group(family: str, layer_decay: float, tmp_path: Path) -> None:
    model = _classifier(family, tmp_path)
    optimizer = make_optimizer(model, "adamw", lr=1e-3, layer_decay=layer_decay)
    grouped = [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]
    assert sorted(grouped) == sorted(id(parameter) for parameter in model.parameters())


@pytest.mark.parametrize("family", FAMILIES)
def test_biases_and_norms_are_not_decayed_and_all_else_is(family: str, tmp_path: Path) -> None:
    model = _classifier(family, tmp_path)
    optimizer = make_optimizer(model, "adamw", lr=1e-3, weight_decay=0.05)
    expected = {
        name: 0.0 if name.endswith("bias") or "norm" in name.lower().split(".")[-2] else 0.05
        for name, _ in model.named_parameters()
    }
    assert _by_parameter(model, optimizer, "weight_decay") == expected


def test_the_weight_of_an_unusual_norm_is_not_decayed() -> None:
    class ScaleNorm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(2, 2))

    optimizer = make_optimizer(nn.Sequential(ScaleNorm()), "adamw", lr=1e-3, weight_decay=0.05)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.0]


def test_a_bias_that_is_a_matrix_is_not_decayed() -> None:
    config = AutoConfig.for_model("xlnet", vocab_size=80, d_model=32, n_layer=1, n_head=2, d_inner=64)
    model = AutoModelForSequenceClassification.from_config(config)
    optimizer = make_optimizer(model, "adamw", lr=1e-3, weight_decay=0.05)
    assert _by_parameter(model, optimizer, "weight_decay")["transformer.layer.0.rel_attn.r_w_bias"] == 0.0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weight_decay_defaults_to_that_of_the_row(name: str) -> None:
    optimizer = make_optimizer(linear(), name, lr=1e-3)
    assert max(group["weight_decay"] for group in optimizer.param_groups) == OPTIMIZERS[name].weight_decay


@pytest.mark.parametrize("family", FAMILIES)
def test_layer_decay_falls_by_one_power_per_group_from_the_head(family: str, tmp_path: Path) -> None:
    model = _classifier(family, tmp_path)
    optimizer = make_optimizer(model, "adamw", lr=1e-3, layer_decay=0.5)
    expected = {
        name: scale
        for group, scale in zip(layer_groups(model), (0.125, 0.25, 0.5, 1.0), strict=True)
        for name, _ in group.named_parameters
    }
    assert _by_parameter(model, optimizer, "lr_scale") == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_the_head_has_its_own_rate_on_top_of_the_layer_decay(family: str, tmp_path: Path) -> None:
    model = _classifier(family, tmp_path)
    optimizer = make_optimizer(model, "adamw", lr=1e-3, layer_decay=0.5, head_lr_factor=8.0)
    scales = _by_parameter(model, optimizer, "lr_scale")
    in_head = {name for name in scales if not name.startswith(f"{model.base_model_prefix}.")}
    assert in_head
    assert {scales[name] for name in in_head} == {8.0}
    assert {scale for name, scale in scales.items() if name not in in_head} <= {0.125, 0.25, 0.5, 1.0}


def test_without_an_encoder_nothing_is_head() -> None:
    optimizer = make_optimizer(linear(), "adamw", lr=1e-3, head_lr_factor=8.0)
    assert {group["lr_scale"] for group in optimizer.param_groups} == {1.0}


def test_groups_start_at_their_scaled_rate(tmp_path: Path) -> None:
    optimizer = make_optimizer(_classifier("bert", tmp_path), "adamw", lr=1e-3, layer_decay=0.5)
    assert all(group["lr"] == 1e-3 * group["lr_scale"] for group in optimizer.param_groups)


def test_layer_decay_needs_layers() -> None:
    with pytest.raises(EncoderError, match=r"layers cannot be found.*\n  Train the whole model"):
        make_optimizer(linear(), "adamw", lr=1e-3, layer_decay=0.9)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_frozen_parameters_stay_until_they_are_unfrozen(name: str, tmp_path: Path) -> None:
    model = _classifier("bert", tmp_path)
    freeze(model)
    optimizer = make_optimizer(model, name, lr=1e-2, weight_decay=0.1)
    frozen = [parameter for group in layer_groups(model)[:-1] for parameter in group.parameters]
    before = [parameter.detach().clone() for parameter in frozen]
    model(input_ids=torch.tensor([[5, 6, 7]])).logits.square().sum().backward()
    optimizer.step()
    assert all(torch.equal(old, new) for old, new in zip(before, frozen, strict=True))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_unfrozen_layer_moves_without_a_new_optimizer(name: str, tmp_path: Path) -> None:
    model = _classifier("bert", tmp_path)
    freeze(model)
    optimizer = make_optimizer(model, name, lr=1e-2)
    unfreeze(model)
    weight = layer_groups(model)[1].parameters[0]
    before = weight.detach().clone()
    model(input_ids=torch.tensor([[5, 6, 7]])).logits.square().sum().backward()
    optimizer.step()
    assert not torch.equal(weight, before)


def test_a_schedule_multiplies_base_rate_scale_and_factor(tmp_path: Path) -> None:
    optimizer = make_optimizer(_classifier("bert", tmp_path), "adamw", lr=1e-3, layer_decay=0.5)
    assert apply_schedule(optimizer, make_schedule("warmup_linear", 100, warmup=0.1), 5) == pytest.approx(5e-4)
    assert sorted({group["lr"] for group in optimizer.param_groups}) == pytest.approx([6.25e-5, 1.25e-4, 2.5e-4, 5e-4])

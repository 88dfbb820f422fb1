"""Layer groups of every family, counted, and what freezing does to gradients."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from torch import nn
from transformers import AutoConfig, AutoModelForMaskedLM, AutoModelForSequenceClassification

from fastbert.errors import ConfigError, EncoderError
from fastbert.models.freezing import (
    LayerGroup,
    freeze,
    freeze_to,
    layer_groups,
    trainable_count,
    unfreeze,
)
from fastbert.models.heads import EncoderWithHead
from tests.helpers import FAMILIES, tiny_encoder

# The families of which fast-bert froze nothing (reference W7). XLM and FlauBERT spread a layer over
# four lists.
FORGOTTEN = ["camembert", "xlnet", "xlm", "flaubert"]
EVERY_FAMILY = [*FAMILIES, *FORGOTTEN]
_SHAPES: dict[str, dict[str, int]] = {
    "camembert": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    },
    "xlnet": {"d_model": 32, "n_layer": 2, "n_head": 2, "d_inner": 64},
    "xlm": {"emb_dim": 32, "n_layers": 2, "n_heads": 2},
    "flaubert": {"emb_dim": 32, "n_layers": 2, "n_heads": 2},
}


def _config(family: str, folder: Path) -> transformers.PretrainedConfig:
    config: transformers.PretrainedConfig = (
        AutoConfig.from_pretrained(tiny_encoder(folder, family))
        if family in FAMILIES
        else AutoConfig.for_model(family, vocab_size=80, **_SHAPES[family])
    )
    return config


def _classifier(family: str, folder: Path) -> nn.Module:
    model: nn.Module = AutoModelForSequenceClassification.from_config(_config(family, folder))
    return model


def _backward(model: nn.Module) -> None:
    model(input_ids=torch.tensor([[5, 6, 7, 8]])).logits.sum().backward()


def _names(group: LayerGroup) -> set[str]:
    return {name for name, _ in group.named_parameters}


class _Block(nn.Module):
    """A layer with experts: a list inside a list."""

    def __init__(self) -> None:
        super().__init__()
        self.experts = nn.ModuleList([nn.Linear(2, 2) for _ in range(8)])


class _Toy(nn.Module):
    """Optional embeddings, three layers, optional head."""

    def __init__(self, *, embeddings: bool = True, head: bool = True) -> None:
        super().__init__()
        if embeddings:
            self.words = nn.Embedding(5, 2)
        self.blocks = nn.ModuleList([_Block() for _ in range(3)])
        if head:
            self.out = nn.Linear(2, 2)


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_every_parameter_is_in_exactly_one_group(family: str, tmp_path: Path) -> None:
    model = _classifier(family, tmp_path)
    grouped = [id(parameter) for group in layer_groups(model) for parameter in group.parameters]
    assert sorted(grouped) == sorted(id(parameter) for parameter in model.parameters())


@pytest.mark.parametrize("family", sorted({*EVERY_FAMILY} - {"albert"}))
def test_groups_run_from_embeddings_to_head(family: str, tmp_path: Path) -> None:
    names = [group.name for group in layer_groups(_classifier(family, tmp_path))]
    assert names == ["embeddings", "layer 0", "layer 1", "head"]


def test_layers_that_share_weights_are_one_group(tmp_path: Path) -> None:
    names = [group.name for group in layer_groups(_classifier("albert", tmp_path))]
    assert names == ["embeddings", "layer 0", "head"]


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_no_group_is_empty(family: str, tmp_path: Path) -> None:
    assert all(group.num_parameters > 0 for group in layer_groups(_classifier(family, tmp_path)))


@pytest.mark.parametrize("family", sorted({*EVERY_FAMILY} - {"albert"}))
def test_a_layer_holds_the_modules_with_its_number(family: str, tmp_path: Path) -> None:
    _, first, second, _ = layer_groups(_classifier(family, tmp_path))
    numbers = [{part for part in name.split(".") if part in "01"} for name, _ in second.named_parameters]
    assert all("1" in number for number in numbers) and not _names(first) & _names(second)


@pytest.mark.parametrize("family", sorted({*EVERY_FAMILY} - {"albert"}))
def test_layers_have_equal_sizes(family: str, tmp_path: Path) -> None:
    layers = layer_groups(_classifier(family, tmp_path))[1:-1]
    # ModernBERT's first layer has no norm of its own: 32 weights fewer.
    assert abs(layers[0].num_parameters - layers[1].num_parameters) <= 32


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_embeddings_hold_every_embedding_table(family: str, tmp_path: Path) -> None:
    model = _classifier(family, tmp_path)
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    embeddings, *_ = layer_groups(model)
    assert tables <= {id(parameter) for parameter in embeddings.parameters}


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        (
            "bert",
            {"bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"},
        ),
        ("modernbert", {"model.final_norm.weight", "head.dense.weight", "head.norm.weight"}),
        ("xlm-roberta", {"classifier.dense.weight", "classifier.out_proj.bias"}),
        ("deberta-v2", {"pooler.dense.weight", "classifier.weight"}),
    ],
)
def test_the_head_is_what_comes_after_the_layers(family: str, expected: set[str], tmp_path: Path) -> None:
    *_, head = layer_groups(_classifier(family, tmp_path))
    assert expected <= _names(head)


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("deberta-v2", {"deberta.encoder.rel_embeddings.weight", "deberta.encoder.LayerNorm.weight"}),
        ("mpnet", {"mpnet.encoder.relative_attention_bias.weight"}),
        ("albert", {"albert.encoder.embedding_hidden_mapping_in.weight"}),
        ("electra", {"electra.embeddings_project.weight"}),
        ("xlnet", {"transformer.mask_emb"}),
    ],
)
def test_what_every_layer_reads_is_embeddings(family: str, expected: set[str], tmp_path: Path) -> None:
    embeddings, *_ = layer_groups(_classifier(family, tmp_path))
    assert expected <= _names(embeddings)


@pytest.mark.parametrize("family", ["bert", "roberta", "modernbert", "distilbert"])
def test_an_output_layer_tied_to_the_embeddings_is_embeddings(family: str, tmp_path: Path) -> None:
    model = AutoModelForMaskedLM.from_config(_config(family, tmp_path))
    tied = id(model.get_output_embeddings().weight)
    places = [
        index
        for index, group in enumerate(layer_groups(model))
        for parameter in group.parameters
        if id(parameter) == tied
    ]
    assert places == [0]


def test_a_parameter_met_first_in_the_head_is_still_embeddings(tmp_path: Path) -> None:
    encoder = transformers.AutoModel.from_config(_config("bert", tmp_path))
    table = encoder.get_input_embeddings().weight
    tied = nn.Linear(32, len(table), bias=False)
    tied.weight = table
    embeddings, *_ = layer_groups(nn.ModuleDict({"decoder": tied, "encoder": encoder}))
    assert id(table) in {id(parameter) for parameter in embeddings.parameters}


def test_tied_weights_are_counted_once(tmp_path: Path) -> None:
    model = AutoModelForMaskedLM.from_config(_config("bert", tmp_path))
    assert trainable_count(model) == (model.num_parameters(), model.num_parameters())


def test_a_head_of_the_users_own_is_the_head(tmp_path: Path) -> None:
    encoder = transformers.AutoModel.from_config(_config("bert", tmp_path))
    own = nn.ModuleList([nn.Linear(32, 2) for _ in range(9)])
    *_, head = layer_groups(EncoderWithHead(encoder, own))
    assert {"head.0.weight", "head.8.bias", "encoder.pooler.dense.weight"} <= _names(head)


def test_experts_inside_a_layer_are_not_layers() -> None:
    assert [group.name for group in layer_groups(_Toy())][1:-1] == ["layer 0", "layer 1", "layer 2"]


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_freeze_leaves_the_head_alone_trainable(family: str, tmp_path: Path) -> None:
    model = _classifier(family, tmp_path)
    *_, head = layer_groups(model)
    num_frozen = freeze(model)
    assert trainable_count(model) == (head.num_parameters, head.num_parameters + num_frozen)


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_frozen_parameters_get_no_gradient(family: str, tmp_path: Path) -> None:
    model = _classifier(family, tmp_path)
    freeze_to(model, -2)
    frozen = [parameter for group in layer_groups(model)[:-2] for parameter in group.parameters]
    _backward(model)
    assert all(parameter.grad is None for parameter in frozen)


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_the_groups_above_the_split_get_gradients(family: str, tmp_path: Path) -> None:
    model = _classifier(family, tmp_path)
    freeze_to(model, -2)
    _backward(model)
    layer, head = layer_groups(model)[-2:]
    assert [any(p.grad is not None for p in group.parameters) for group in (layer, head)] == [True, True]


@pytest.mark.parametrize(("first_trained", "same_as"), [(-1, 3), (-2, 2), (-3, 1), (-4, 0)])
def test_negative_numbers_count_from_the_end(first_trained: int, same_as: int, tmp_path: Path) -> None:
    model = _classifier("bert", tmp_path)
    assert freeze_to(model, first_trained) == freeze_to(model, same_as)


@pytest.mark.parametrize("first_trained", [1, 2, 3])
def test_freeze_to_returns_the_weights_below_the_split(first_trained: int, tmp_path: Path) -> None:
    model = _classifier("bert", tmp_path)
    below = sum(group.num_parameters for group in layer_groups(model)[:first_trained])
    assert freeze_to(model, first_trained) == below


def test_freezing_less_trains_again_what_is_above(tmp_path: Path) -> None:
    model = _classifier("bert", tmp_path)
    freeze(model)
    freeze_to(model, 1)
    embeddings, *above = layer_groups(model)
    assert trainable_count(model)[0] == sum(group.num_parameters for group in above)


@pytest.mark.parametrize("undo", [unfreeze, lambda model: freeze_to(model, 0)])
def test_unfreeze_trains_everything_and_returns_zero(undo: Callable[[nn.Module], int], tmp_path: Path) -> None:
    model = _classifier("bert", tmp_path)
    freeze(model)
    num_frozen, (trained, total) = undo(model), trainable_count(model)
    assert (num_frozen, trained) == (0, total)


def test_freezing_drops_gradients_that_are_already_there(tmp_path: Path) -> None:
    model = _classifier("bert", tmp_path)
    _backward(model)
    freeze(model)
    assert all(parameter.grad is None for parameter in model.parameters() if not parameter.requires_grad)


@pytest.mark.parametrize("first_trained", [4, -5])
def test_a_group_that_does_not_exist_is_refused(first_trained: int, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        freeze_to(_classifier("bert", tmp_path), first_trained)
    assert str(caught.value) == (
        f"Cannot freeze to group {first_trained}: this model has 4 groups (embeddings, 2 layers, head).\n"
        "  Use a number from -4 to 3; -1 trains the head alone."
    )


def test_a_model_without_layers_is_refused() -> None:
    with pytest.raises(EncoderError) as caught:
        layer_groups(nn.Sequential(nn.Linear(2, 2)))
    assert str(caught.value) == (
        "Sequential: its layers cannot be found: no nn.ModuleList of equal modules.\n"
        "  Train the whole model (no freezing, layer_decay 1), or use another encoder."
    )


def test_a_freeze_that_freezes_nothing_is_refused() -> None:
    with pytest.raises(EncoderError, match="_Toy: freezing embeddings freezes nothing: no parameters are there"):
        freeze_to(_Toy(embeddings=False), 1)


def test_a_freeze_that_leaves_nothing_to_train_is_refused() -> None:
    with pytest.raises(EncoderError, match="_Toy: freezing embeddings to layer 2 leaves nothing to train"):
        freeze(_Toy(head=False))


def test_a_refused_freeze_changes_nothing() -> None:
    model = _Toy(head=False)
    with pytest.raises(EncoderError):
        freeze(model)
    assert all(parameter.requires_grad for parameter in model.parameters())

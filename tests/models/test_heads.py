"""A head of the user's own: its outputs, its file, and the bias it starts from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn
from transformers import AutoModel, AutoModelForMaskedLM

from fastbert.errors import BundleError
from fastbert.models.freezing import layer_modules
from fastbert.models.heads import HEAD_FILE, EncoderWithHead, head_parameters, renew_layers, start_at_prior
from fastbert.models.loading import load_model
from tests.bundles import SINGLE, open_tiny
from tests.helpers import FAMILIES, tiny_encoder


class MeanHead(nn.Module):
    """Average the real tokens, then one linear layer."""

    def __init__(self, width: int, num_labels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, num_labels)

    def forward(self, hidden_WLD: Tensor, attention_mask_WL: Tensor) -> Tensor:
        """Return the logits (W, C)."""
        mask_WL1 = attention_mask_WL[:, :, None].to(hidden_WLD)
        logits_WC: Tensor = self.linear((hidden_WLD * mask_WL1).sum(dim=1) / mask_WL1.sum(dim=1))
        return logits_WC


def model_on(folder: Path, family: str = "bert") -> EncoderWithHead:
    encoder = AutoModel.from_pretrained(tiny_encoder(folder, family)).eval()
    return EncoderWithHead(encoder, MeanHead(32, 3))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_head_sees_the_hidden_states_of_any_family(family: str, tmp_path: Path) -> None:
    model = model_on(tmp_path, family)
    ids_WL, mask_WL = torch.tensor([[2, 7, 3], [2, 3, 0]]), torch.tensor([[1, 1, 1], [1, 1, 0]])

    logits_WC = model(ids_WL, mask_WL)["logits"]
    hidden_LD = model.encoder(input_ids=ids_WL[:1], attention_mask=mask_WL[:1]).last_hidden_state[0]

    assert logits_WC.shape == (2, 3)
    expected_C = model.head.get_submodule("linear")(hidden_LD.mean(dim=0))
    torch.testing.assert_close(logits_WC[0], expected_C, atol=1e-5, rtol=1e-5)


def test_the_parameters_of_the_head_are_those_that_the_encoder_does_not_have(tmp_path: Path) -> None:
    own = model_on(tmp_path)
    classifier = load_model(open_tiny(tmp_path / "other"), SINGLE)

    assert head_parameters(own) == list(own.head.parameters())
    assert head_parameters(classifier) == list(classifier.get_submodule("classifier").parameters())


def test_a_layer_tied_to_the_embeddings_is_not_head(tmp_path: Path) -> None:
    model = AutoModelForMaskedLM.from_pretrained(tiny_encoder(tmp_path))

    named = {id(parameter): name for name, parameter in model.named_parameters()}
    names = {named[id(parameter)] for parameter in head_parameters(model)}

    assert "cls.predictions.transform.dense.weight" in names
    assert "bert.embeddings.word_embeddings.weight" not in names


def test_token_types_reach_the_encoder(tmp_path: Path) -> None:
    model = model_on(tmp_path)
    ids_WL, mask_WL = torch.tensor([[2, 7, 3]]), torch.ones(1, 3, dtype=torch.long)

    without = model(ids_WL, mask_WL)["logits"]

    assert torch.equal(model(ids_WL, mask_WL, torch.zeros_like(ids_WL))["logits"], without)
    assert not torch.equal(model(ids_WL, mask_WL, torch.ones_like(ids_WL))["logits"], without)


def test_the_head_lies_beside_a_plain_encoder(tmp_path: Path) -> None:
    model = model_on(tmp_path / "encoder")
    (tmp_path / "saved").mkdir()

    model.save(tmp_path / "saved")

    again = AutoModel.from_pretrained(tmp_path / "saved")
    assert all(torch.equal(again.state_dict()[name], value) for name, value in model.encoder.state_dict().items())
    with safe_open(tmp_path / "saved" / HEAD_FILE, "pt") as file:
        assert sorted(file.keys()) == ["linear.bias", "linear.weight"]


def test_a_head_loads_its_weights(tmp_path: Path) -> None:
    model, other = model_on(tmp_path / "encoder"), MeanHead(32, 3)
    model.save(tmp_path)
    loaded = EncoderWithHead(model.encoder, other)

    loaded.load_head(tmp_path)

    assert torch.equal(other.linear.weight, model.head.get_parameter("linear.weight"))


@pytest.mark.parametrize("head", [MeanHead(32, 2), nn.Identity(), nn.Linear(32, 3)])
def test_another_head_is_refused(head: nn.Module, tmp_path: Path) -> None:
    model = model_on(tmp_path / "encoder")
    model.save(tmp_path)

    with pytest.raises(BundleError) as caught:
        EncoderWithHead(model.encoder, head).load_head(tmp_path)

    assert "head.safetensors: the weights do not fit the head that was passed (" in caught.value.message
    assert caught.value.hint == "Pass the head class that the model was trained with."


@pytest.mark.parametrize("content", [None, b"no safetensors"])
def test_a_head_file_that_cannot_be_read_is_refused(content: bytes | None, tmp_path: Path) -> None:
    model = model_on(tmp_path / "encoder")
    if content is not None:
        (tmp_path / HEAD_FILE).write_bytes(content)

    with pytest.raises(BundleError, match=r"head\.safetensors: "):
        model.load_head(tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_starts_at_the_prior(family: str, tmp_path: Path) -> None:
    prior_C = np.array([-0.5, -1.5, -2.5])
    model = load_model(open_tiny(tmp_path / "encoder", family), SINGLE)

    assert start_at_prior(model, prior_C)
    (changed,) = [name for name, value in model.named_parameters() if value.tolist() == prior_C.tolist()]
    assert changed.startswith("classifier")


def test_a_head_of_ones_own_starts_at_the_prior(tmp_path: Path) -> None:
    model = model_on(tmp_path)

    assert start_at_prior(model, np.array([1.0, 2.0, 3.0]))
    assert model.head.get_parameter("linear.bias").tolist() == [1.0, 2.0, 3.0]


def test_a_model_without_a_fitting_layer_is_left_alone() -> None:
    last = nn.Linear(3, 2)
    before = last.bias.tolist()

    assert not start_at_prior(nn.Sequential(nn.Linear(4, 3, bias=False), last), np.zeros(3))
    assert last.bias.tolist() == before


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "albert"])  # its layers are one
def test_layers_drawn_anew_are_like_those_before_pre_training(family: str, tmp_path: Path) -> None:
    model = model_on(tmp_path, family)
    layers = layer_modules(model)
    for parameter in model.parameters():
        nn.init.constant_(parameter, 7.0)

    renew_layers(layers[-1:], std=0.02)

    for name, parameter in layers[-1].named_parameters():
        if parameter.dim() > 1:
            assert 0.01 < parameter.std().item() < 0.03, name
        else:
            assert len(values := set(parameter.tolist())) == 1 and values <= {0.0, 1.0}, name
    assert all((parameter == 7.0).all() for parameter in layers[0].parameters())

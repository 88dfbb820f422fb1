"""Batches through a torch model: arrays in, float32 arrays out, the model left as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fastbert.bundle import read_bundle
from fastbert.data.tokens import Tokenizer
from fastbert.inference.torch_backend import TorchBackend, model_inputs, to_tensors
from fastbert.models.loading import load_model
from fastbert.runtime import Runtime
from fastbert.tasks.base import Batch
from tests.bundles import SINGLE, open_tiny, tiny_bundle

CPU = torch.device("cpu")
NAMES = ("input_ids", "attention_mask", "token_type_ids")


def batch() -> Batch:
    ids_WL = np.array([[2, 7, 8, 3], [2, 9, 3, 0]])
    return {
        "input_ids": ids_WL,
        "attention_mask": (ids_WL > 0).astype(np.int64),
        "token_type_ids": np.zeros_like(ids_WL),
        "example_of_window": np.arange(2),
    }


def backend(folder: Path) -> TorchBackend:
    model = load_model(open_tiny(folder / "encoder"), SINGLE)
    return TorchBackend(model, Runtime(CPU, "fp32", "asked for"), NAMES)


def test_outputs_are_float32_with_a_row_for_each_window(tmp_path: Path) -> None:
    logits_WC = backend(tmp_path).forward(batch())["logits"]

    assert logits_WC.shape == (2, 3)
    assert logits_WC.dtype == np.float32


def test_dropout_is_off_while_it_runs(tmp_path: Path) -> None:
    opened = backend(tmp_path)
    opened.model.train()

    np.testing.assert_array_equal(opened.forward(batch())["logits"], opened.forward(batch())["logits"])


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_the_model_is_restored(training: bool, tmp_path: Path) -> None:
    opened = backend(tmp_path)
    opened.model.train(training)

    opened.forward(batch())

    assert opened.model.training is training


def test_the_mode_is_restored_after_an_error(tmp_path: Path) -> None:
    opened = backend(tmp_path)
    opened.model.train()

    with pytest.raises(IndexError):
        opened.forward(batch() | {"input_ids": np.full((2, 4), 9999)})

    assert opened.model.training


def test_no_gradients_are_kept(tmp_path: Path) -> None:
    opened = backend(tmp_path)

    opened.forward(batch())

    assert [parameter.grad for parameter in opened.model.parameters() if parameter.grad is not None] == []


def test_a_lower_precision_still_gives_float32(tmp_path: Path) -> None:
    exact = backend(tmp_path)
    rough = TorchBackend(exact.model, Runtime(CPU, "bf16", "asked for"), NAMES)

    logits_WC = rough.forward(batch())["logits"]
    difference_WC = logits_WC.astype(np.float64) - exact.forward(batch())["logits"].astype(np.float64)

    assert logits_WC.dtype == np.float32
    assert 0 < np.abs(difference_WC).max() < 0.1


def test_a_bundle_opens_in_float32_with_the_inputs_of_its_tokenizer(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model", "roberta")
    bundle = read_bundle(folder)

    opened = TorchBackend.open(bundle, Tokenizer.from_folder(folder, dict(bundle.tokenizer)), None)

    assert (opened.name, opened.runtime.precision) == ("torch", "fp32")
    assert opened.input_names == ("input_ids", "attention_mask")
    assert isinstance(opened.model, nn.Module)


def test_arrays_become_tensors_of_the_same_values() -> None:
    tensors = to_tensors(batch(), CPU)

    assert {name: value.tolist() for name, value in tensors.items()} == {
        name: array.tolist() for name, array in batch().items()
    }


def test_a_model_gets_only_what_it_accepts() -> None:
    assert list(model_inputs(to_tensors(batch(), CPU), NAMES[:2])) == ["input_ids", "attention_mask"]

"""Probing: a change that moves a logit is seen, whatever else it does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from fastbert.errors import ConfigError
from fastbert.models.loading import load_model
from fastbert.models.probing import PROBE_LENGTHS, answers_alike, probe, said, working_runtime
from fastbert.runtime import Runtime
from tests.bundles import SINGLE, open_tiny

CPU = torch.device("cpu")
BF16 = Runtime(CPU, "bf16", "the device has bf16 instructions")
NAMES = ("input_ids", "token_type_ids", "attention_mask")


@pytest.fixture
def model(tmp_path: Path) -> nn.Module:
    return load_model(open_tiny(tmp_path / "encoder"), SINGLE).train()


def test_one_of_the_two_texts_is_padded_and_the_mode_restored(model: nn.Module) -> None:
    seen: list[list[int]] = []
    model.register_forward_pre_hook(
        lambda module, inputs, options: seen.append(options["attention_mask"].sum(1).tolist()), with_kwargs=True
    )

    logits = probe(model)

    assert logits is not None
    assert logits.shape == (2, len(SINGLE.labels))
    assert seen == [list(PROBE_LENGTHS)]
    assert model.training


def test_a_model_answers_as_it_did_until_a_weight_moves(model: nn.Module) -> None:
    before = probe(model)
    assert before is not None
    assert answers_alike(model, before)

    with torch.no_grad():
        list(model.parameters())[-1].add_(0.1)
    assert not answers_alike(model, before)


def test_other_shapes_and_failures_are_no_likeness(model: nn.Module) -> None:
    before = probe(model)
    assert before is not None
    assert not answers_alike(model, before[:1])

    def fail(*_: object) -> None:
        raise IndexError("too many indices")

    model.register_forward_pre_hook(fail)
    assert not answers_alike(model, before)


def test_a_model_without_logits_gives_none() -> None:
    class Silent(nn.Linear):
        def forward(self, **inputs: torch.Tensor) -> dict[str, torch.Tensor]:  # type: ignore[override]
            return {}

    assert probe(Silent(1, 1)) is None


def test_what_is_said_of_padding_does_not_count() -> None:
    logits_WLC = torch.ones(2, 3, 4)
    mask_WL = torch.tensor([[1, 1, 1], [1, 0, 0]])

    found = said({"logits": logits_WLC}, mask_WL)

    assert found is not None
    assert found.sum((1, 2)).tolist() == [12.0, 4.0]


def test_two_outputs_of_tokens_are_both_compared() -> None:
    outputs = {"start_logits": torch.zeros(2, 3), "end_logits": torch.ones(2, 3), "loss": None}

    found = said(outputs, torch.ones(2, 3))

    assert found is not None
    assert (found.shape, float(found.sum())) == ((2, 3, 2), 6.0)


def test_a_model_without_logits_says_nothing() -> None:
    assert said({"last_hidden_state": torch.ones(2, 3, 4)}, torch.ones(2, 3)) is None


def test_a_model_that_computes_in_the_fast_precision_keeps_it(model: nn.Module) -> None:
    assert working_runtime(model, BF16, NAMES, "auto") is BF16
    assert model.training


def test_the_first_deberta_is_computed_in_float32(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder", "deberta"), SINGLE).train()

    found = working_runtime(model, BF16, NAMES, "auto")

    assert (found.device, found.precision, found.reason) == (CPU, "fp32", "this encoder fails in bf16")
    assert model.training


def test_a_precision_that_was_asked_for_and_fails_is_refused(tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder", "deberta"), SINGLE)

    with pytest.raises(ConfigError, match=r"precision is bf16, in which this encoder fails: .+\.\n?.*--precision auto"):
        working_runtime(model, BF16, NAMES, "bf16")


def test_float32_is_not_tried_and_what_fails_in_it_too_is_left_to_fail(model: nn.Module) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    model.register_forward_pre_hook(fail)
    plain = Runtime(CPU, "fp32", "asked for")

    assert working_runtime(model, BF16, NAMES, "auto") is BF16
    assert working_runtime(model, plain, NAMES, "fp32") is plain

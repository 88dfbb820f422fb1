"""Heads that pool: what they read, and that a bundle remembers them wherever it is opened."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fastbert.bundle import Bundle, write_bundle
from fastbert.config import Pooling, TrainConfig
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError
from fastbert.export.exporting import export_bundle
from fastbert.inference.predictor import Predictor
from fastbert.models.freezing import freeze_to, layer_groups
from fastbert.models.frozen_prefix import frozen_layers
from fastbert.models.heads import EncoderWithHead
from fastbert.models.loading import load_model, save_model
from fastbert.models.packing import packing
from fastbert.models.pooled_head import PooledHead, head_factory
from fastbert.training.bench_texts import bundle_options
from tests.bundles import SINGLE, open_tiny

POOLED: tuple[Pooling, ...] = ("cls", "mean", "attention")
TEXTS = ["the app is great", "crash", "i hate it , please help"]


def pooled_model(folder: Path, pooling: Pooling) -> EncoderWithHead:
    model = load_model(open_tiny(folder), SINGLE, head_factory(pooling))
    assert isinstance(model, EncoderWithHead)
    return model


def pooled_bundle(folder: Path, pooling: Pooling) -> Path:
    encoder = open_tiny(folder.with_name("encoder"))
    model = load_model(encoder, SINGLE, head_factory(pooling))
    bundle = Bundle(folder, SINGLE, Decisions(), 24, encoder.tokenizer.to_json(), pooling=pooling)
    return write_bundle(bundle, lambda working: save_model(model, encoder, working, 24))


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [("cls", [1.0, 3.0]), ("mean", [2.0, 2.0]), ("attention", [1.0 + 2.0 / 3.0, 3.0 - 2.0 / 3.0])],
)
def test_a_pooling_reads_real_tokens_alone(pooling: Pooling, expected: list[float]) -> None:
    head = PooledHead(2, 1, pooling=pooling)
    hidden_WLD = torch.tensor([[[1.0, 3.0], [3.0, 1.0], [100.0, 100.0]]])
    if pooling == "attention":  # scores (1, 1 + log 1/2): weights 2/3 and 1/3
        with torch.no_grad():
            head.query_D.copy_(torch.tensor([0.0, torch.log(torch.tensor(2.0)) / 2 * 2**0.5]))

    pooled_WD = head.pool(hidden_WLD, torch.tensor([[1, 1, 0]]))

    torch.testing.assert_close(pooled_WD, torch.tensor([expected]))


def test_attention_starts_as_the_mean_and_learns() -> None:
    head = PooledHead(4, 2, pooling="attention").eval()
    hidden_WLD, mask_WL = torch.randn(3, 5, 4), torch.tensor([[1] * 5, [1] * 3 + [0] * 2, [1] + [0] * 4])

    torch.testing.assert_close(
        head.pool(hidden_WLD, mask_WL), PooledHead(4, 2, pooling="mean").pool(hidden_WLD, mask_WL)
    )
    head(hidden_WLD, mask_WL).square().sum().backward()

    assert head.query_D.grad is not None and head.query_D.grad.abs().sum() > 0


def test_half_precision_is_pooled_in_float32() -> None:
    head = PooledHead(2, 1, pooling="mean")

    assert head.pool(torch.ones(1, 3, 2, dtype=torch.bfloat16), torch.ones(1, 3)).dtype == torch.float32


def test_an_unknown_pooling_is_refused() -> None:
    with pytest.raises(ConfigError, match="pooling is 'max'; expected one of cls, mean, attention"):
        PooledHead(2, 1, pooling="max")  # type: ignore[arg-type]  # what a damaged bundle may say


def test_the_default_is_no_head_of_ours() -> None:
    assert head_factory(TrainConfig().pooling) is None


@pytest.mark.parametrize("pooling", POOLED)
def test_an_export_answers_as_the_pooled_model(pooling: Pooling, tmp_path: Path) -> None:
    folder = pooled_bundle(tmp_path / "model", pooling)
    export_bundle(folder)

    answers, exact = Predictor.load(folder, "onnx")(TEXTS), Predictor.load(folder, "torch")(TEXTS)

    for answer, other in zip(answers, exact, strict=True):
        assert answer.scores == pytest.approx(other.scores, abs=1e-5)


def test_the_bench_builds_the_pooled_head_again(tmp_path: Path) -> None:
    assert bundle_options(pooled_bundle(tmp_path / "model", "mean"))["pooling"] == "mean"


def test_the_encoder_below_a_pooled_head_is_frozen_as_any_other(tmp_path: Path) -> None:
    model = pooled_model(tmp_path / "encoder", "attention")

    freeze_to(model, -1)

    head = layer_groups(model)[-1]
    assert {"head.query_D", "head.output.weight", "head.output.bias"} <= {name for name, _ in head.named_parameters}
    assert frozen_layers(model) == 2


def test_a_pooled_model_is_left_padded(tmp_path: Path) -> None:
    with packing(pooled_model(tmp_path / "encoder", "mean")) as packed:
        assert not packed

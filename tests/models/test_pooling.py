"""One vector a window: of all its tokens, or of the first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from fastbert.models.pooling import PooledEncoder, pooling_of


class Doubled(nn.Module):
    """Says twice each token id, as hidden states of width 1."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"last_hidden_state": 2.0 * input_ids[..., None]}


IDS, MASK = torch.tensor([[1, 2, 3], [4, 6, 99]]), torch.tensor([[1, 1, 1], [1, 1, 0]])


def test_the_mean_is_of_tokens_that_are_no_padding() -> None:
    pooled = PooledEncoder(Doubled(), "mean")(input_ids=IDS, attention_mask=MASK)

    assert pooled["embedding"].tolist() == [[4.0], [10.0]]


def test_cls_is_the_first_token() -> None:
    assert PooledEncoder(Doubled(), "cls")(input_ids=IDS, attention_mask=MASK)["embedding"].tolist() == [[2.0], [8.0]]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}, "mean"),
        ({"embedding_dimension": 4, "pooling_mode": "cls", "include_prompt": True}, "cls"),  # sentence-transformers 6
        ({"pooling_mode": ["cls"]}, "cls"),
        ({"pooling_mode": "mean", "pooling_mode_cls_token": True}, "mean"),
        ([], "mean"),
    ],
)
def test_pooling_is_what_the_checkpoint_says(settings: object, expected: str, tmp_path: Path) -> None:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(settings), encoding="utf-8")

    assert pooling_of(tmp_path) == expected


def test_a_plain_checkpoint_gets_the_mean(tmp_path: Path) -> None:
    assert pooling_of(tmp_path) == "mean"


@pytest.mark.parametrize(
    ("settings", "modules", "said"),
    [
        ({"pooling_mode_lasttoken": True}, [], "were made by lasttoken; here they are the mean of the tokens"),
        (
            {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True},
            [],
            "by max_tokens and mean_tokens",
        ),
        ({"pooling_mode": "lasttoken"}, [], "were made by lasttoken; here they are the mean of the tokens"),
        ({"pooling_mode": ["cls", "max"]}, [], "by cls and max; here they are the first token"),
        (
            {"pooling_mode_cls_token": True},
            [{"type": "sentence_transformers.models.Dense"}],
            "by cls_token and a dense layer; here they are the first token",
        ),
    ],
)
def test_what_is_not_read_of_a_checkpoint_is_said(
    settings: object, modules: object, said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    (tmp_path / "modules.json").write_text(json.dumps(modules), encoding="utf-8")

    pooling_of(tmp_path)

    assert len(caplog.messages) == 1 and said in caplog.messages[0]

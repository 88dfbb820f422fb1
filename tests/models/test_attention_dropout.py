"""The dropout of attention weights is off in every family, under any head."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from torch import nn
from transformers import AutoModel

from fastbert.models.heads import EncoderWithHead
from fastbert.models.loading import load_model, open_encoder
from tests.bundles import SINGLE
from tests.helpers import FAMILIES, tiny_encoder
from tests.models.test_heads import MeanHead


@pytest.mark.parametrize("head", [None, MeanHead])
@pytest.mark.parametrize("family", FAMILIES)
def test_attention_has_no_dropout_and_the_rest_keeps_its_own(
    family: str, head: type[MeanHead] | None, tmp_path: Path
) -> None:
    """Seen in the modules that run: a family may call its field otherwise."""
    folder = tiny_encoder(tmp_path / "encoder", family)
    config = json.loads((folder / "config.json").read_text())
    marked = {name: 0.37 for name in ("attention_probs_dropout_prob", "attention_dropout") if name in config}
    (folder / "config.json").write_text(json.dumps({**config, **marked}))
    before = dict(dropouts(AutoModel.from_pretrained(folder)))

    model = load_model(open_encoder(str(folder)), SINGLE, head)
    after = dict(dropouts(model.encoder if isinstance(model, EncoderWithHead) else cast("nn.Module", model.base_model)))

    in_attention = {name for name, rate in before.items() if rate == 0.37}
    assert in_attention
    assert all("att" in name for name in in_attention)
    # ModernBERT leaves a layer out where its rate is 0.
    assert {name: after.get(name, 0.0) for name in before} == before | dict.fromkeys(in_attention, 0.0)


def dropouts(model: nn.Module) -> Iterator[tuple[str, float]]:
    """Yield the name and rate of every dropout, of those that are a number given to the attention, too."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Dropout):
            yield name, module.p
        elif isinstance(getattr(module, "attention_dropout", None), float):
            yield name, module.attention_dropout

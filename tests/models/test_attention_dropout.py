"""The dropout of attention weights: set in every family, under any head, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from torch import nn

from fastbert.errors import EncoderError
from fastbert.models.loading import load_model
from tests.bundles import SINGLE, open_tiny
from tests.helpers import FAMILIES
from tests.models.test_heads import MeanHead


@pytest.mark.parametrize("family", FAMILIES)
def test_the_attention_dropout_of_every_family_can_be_set(family: str, tmp_path: Path) -> None:
    """Seen in the modules that run: a family may call its field otherwise."""
    encoder = open_tiny(tmp_path / "encoder", family)
    marked = {name for name, rate in dropouts(load_model(encoder, SINGLE, attention_dropout=0.37)) if rate == 0.37}
    off = dict(dropouts(load_model(encoder, SINGLE, attention_dropout=0.0)))

    assert marked
    assert all("att" in name for name in marked)
    assert {off[name] for name in marked if name in off} == {0.0}


def test_the_attention_dropout_is_set_under_a_head_of_ones_own_too(tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path / "encoder")

    model = load_model(encoder, SINGLE, MeanHead, attention_dropout=0.37)

    assert 0.37 in {rate for name, rate in dropouts(model) if "att" in name}


def test_an_encoder_without_attention_dropout_refuses_one_and_takes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not be accepted and do nothing."""
    encoder = open_tiny(tmp_path / "encoder")
    monkeypatch.setattr("fastbert.models.loading._ATTENTION_DROPOUT", ("a_field_of_another_family",))

    load_model(encoder, SINGLE, attention_dropout=0.0)
    with pytest.raises(EncoderError, match=r"attention_dropout is 0.2, but the encoder '.*' \(bert\) has no dropout"):
        load_model(encoder, SINGLE, attention_dropout=0.2)


def dropouts(model: nn.Module) -> Iterator[tuple[str, float]]:
    """Yield the name and rate of every dropout, of those that are a number given to the attention, too."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Dropout):
            yield name, module.p
        elif isinstance(getattr(module, "attention_dropout", None), float):
            yield name, module.attention_dropout

"""An encoder whose output is one vector a window: the mean of its tokens, or its first token.

Knows nothing of texts. Axes: W windows, L tokens, D width.
"""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Literal

import torch
from torch import nn

Pooling = Literal["mean", "cls"]
OUTPUT = "embedding"
_MODE = "pooling_mode"
_CLS, _MEAN = ("cls", "cls_token"), ("mean", "mean_tokens")  # as new and as old versions name them
_log = logging.getLogger(__name__)
_SETTINGS = Path("1_Pooling", "config.json")  # where sentence-transformers says how a checkpoint was trained


class PooledEncoder(nn.Module):
    """Runs an encoder and pools its last hidden states."""

    def __init__(self, encoder: nn.Module, pooling: Pooling) -> None:
        super().__init__()
        self.encoder = encoder
        self.pooling = pooling

    def forward(self, attention_mask: torch.Tensor, **inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return {"embedding": (W, D)} in float32; the mean is over tokens that are no padding."""
        hidden_WLD = self.encoder(attention_mask=attention_mask, **inputs)["last_hidden_state"].float()
        if self.pooling == "cls":
            return {OUTPUT: hidden_WLD[:, 0]}
        mask_WL1 = attention_mask[..., None].to(hidden_WLD)
        return {OUTPUT: (hidden_WLD * mask_WL1).sum(1) / mask_WL1.sum(1)}


def copy_pooling(source: Path, folder: Path) -> None:
    """Let a checkpoint say what the one that it was made of says of pooling. Raises OSError if the disk fails."""
    if (source / _SETTINGS).is_file():
        (folder / _SETTINGS).parent.mkdir()
        shutil.copyfile(source / _SETTINGS, folder / _SETTINGS)


def pooling_of(folder: Path) -> Pooling:
    """Return how the vectors of a checkpoint are meant to be pooled: as its folder says, else the mean.

    A warning says where it means another way, or has a layer behind, which are not read.
    """
    used, modules = _modes(_read(folder / _SETTINGS)), _read(folder / "modules.json")
    pooling: Pooling = (
        "cls" if any(name in _CLS for name in used) and not any(name in _MEAN for name in used) else "mean"
    )
    kinds = [str(one.get("type")) for one in modules if isinstance(one, dict)] if isinstance(modules, list) else []
    other = [name for name in used if name not in _CLS + _MEAN]
    more = ["a dense layer"] if any(kind.endswith("Dense") for kind in kinds) else []
    if other or more or len(used) > 1:
        _log.warning(
            "%s: the vectors of this checkpoint were made by %s; here they are the %s.",
            folder.name,
            " and ".join([*used, *more]),
            "first token" if pooling == "cls" else "mean of the tokens",
        )
    return pooling


def _modes(settings: object) -> list[str]:
    """Return the ways of pooling that settings name, in either form: a name or a list of them, or a truth for each."""
    if not isinstance(settings, dict):
        return []
    named = settings.get(_MODE)
    if named is not None:
        return sorted(str(name) for name in (named if isinstance(named, list) else [named]))
    old = f"{_MODE}_"
    return sorted(name.removeprefix(old) for name, value in settings.items() if name.startswith(old) and value is True)


def _read(place: Path) -> object:
    try:
        return json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None

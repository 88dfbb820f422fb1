"""What the tests of all contracts need: cases of bodies, and a text in the form that each task reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CANARY = "zanzibar-canary"  # stands in texts of malformed requests, and in no answer
LABELS = ("single_label", "multi_label", "regression")
TASKS = (*LABELS, "tagging", "answering")
TEXT = "the app is slow"
QUESTION = {"question": "what is slow", "context": "the app is slow and bad"}
JSONLINES = {"content-type": "application/jsonlines"}
CSV = {"content-type": "text/csv"}


def item(task: str) -> str | dict[str, str]:
    """Return one input of a task, as transformers' pipelines take it."""
    return QUESTION if task == "answering" else TEXT


def bytes_tensor(texts: list[str], **more: object) -> dict[str, Any]:
    """Return texts as an input of the Open Inference Protocol."""
    return {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts} | more


def without(body: Mapping[str, object], name: str) -> dict[str, object]:
    """Return a body without a field."""
    return {key: value for key, value in body.items() if key != name}

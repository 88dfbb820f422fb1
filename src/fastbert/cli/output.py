"""What the commands share in showing things: messages to stderr, data and JSON to stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fastbert.display import Block, View, number
from fastbert.errors import FastBertError
from fastbert.jsonable import finite

if TYPE_CHECKING:
    from fastbert.inference.predictor import Predictor
    from fastbert.tasks.base import Task


def say(text: str = "") -> None:
    """Write a message for people to stderr."""
    print(text, file=sys.stderr)


def show(view: View | Block) -> None:
    """Write a view for people to stderr."""
    say(view.to_text() if isinstance(view, Block) else repr(view))


def print_json(values: Mapping[str, object]) -> None:
    """Write one JSON object to stdout."""
    print(json.dumps(finite(values), ensure_ascii=False, allow_nan=False), flush=True)


def print_data(view: View | Block) -> None:
    """Write a result for people to stdout."""
    print(view.to_text() if isinstance(view, Block) else repr(view))


def show_error(error: FastBertError) -> None:
    """Write an error and its hint to stderr."""
    say(f"error: {error.message}")
    if error.hint is not None:
        say(f"hint: {error.hint}")


def say_backend(predictor: Predictor) -> None:
    """Say which backend answers, and why, where the bundle offers a choice."""
    if predictor.bundle.exports:
        say(f"backend  {predictor.backend.name} ({predictor.reason})")


def score_block(task: Task, scores: Mapping[str, Mapping[str, float]]) -> Block:
    """Return the headline scores of each split as a table."""
    names = [name for name in task.headlines if any(name in values for values in scores.values())]
    rows = tuple((split, *(number(values.get(name)) for name in names)) for split, values in scores.items())
    return Block("Scores", (), ("rows", *names), rows)

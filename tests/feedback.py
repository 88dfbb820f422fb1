"""Small tables of feedback that a tiny encoder can learn, and runs over them.

The texts use the words of `tests.helpers.DEFAULT_WORDS`; no two are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.models.loading import HeadFactory
from fastbert.tasks.base import Task
from fastbert.training.callbacks import Callback
from fastbert.training.learner import Learner, Metric
from fastbert.training.state import RunState
from tests.helpers import write_csv

THINGS = ("button", "page", "export", "login", "price", "bill")
MOODS = {"bug": ("bad", "slow", "crash", "error"), "praise": ("good", "great", "fast", "love")}
TAILS = ("", " and the app works", " , please help you and i")  # lengths differ, so that padding matters
FAST = {"epochs": 2, "lr": 1e-3, "batch_size": 8, "precision": "fp32", "average": 1}


def feedback_rows(count: int = 40) -> list[dict[str, str]]:
    """Return up to 48 rows with the columns text and label, bug and praise in turn."""
    rows = []
    for index in range(count):
        label = ("bug", "praise")[index % 2]
        thing, mood = THINGS[index // 2 % 6], MOODS[label][index // 12 % 4]
        rows.append({"text": f"the {thing} is {mood}{TAILS[index % 3]}", "label": label})
    return rows


def tagged_rows(count: int = 40) -> list[dict[str, object]]:
    """Return rows with a text and three 0/1 columns: bug, praise and long."""
    return [
        {
            "text": row["text"],
            "bug": int(row["label"] == "bug"),
            "praise": int(row["label"] == "praise"),
            "long": int(index % 3 > 0),
        }
        for index, row in enumerate(feedback_rows(count))
    ]


def write_feedback(path: Path, count: int = 40) -> Path:
    """Write feedback rows as CSV with the columns text and label."""
    return write_csv(path, ["text", "label"], [list(row.values()) for row in feedback_rows(count)])


def make_data(count: int = 40) -> DataBunch:
    """Return feedback rows with a fifth of them for validation."""
    return DataBunch.from_files(feedback_rows(count), valid_share=0.2)


def make_learner(
    encoder: str,
    data: DataBunch | None = None,
    *,
    callbacks: Sequence[Callback] = (),
    metrics: Sequence[Metric] = (),
    head: HeadFactory | None = None,
    **options: object,
) -> Learner:
    """Return a learner that is quick: 32 rows in 4 steps an epoch, 2 epochs, float32, the best weights."""
    config = TrainConfig().changed(**{**FAST, **options})
    return Learner(data or make_data(), encoder, config=config, callbacks=callbacks, metrics=metrics, head=head)


def with_task(data: DataBunch, task: Task) -> DataBunch:
    """Return the same rows under another task."""
    return DataBunch(task, data.splits, data.config, data.layout)


def train_bundle(encoder: str, folder: Path) -> Path:
    """Train on feedback.csv in a folder and return the bundle beside it."""
    table = write_feedback(folder / "feedback.csv")
    learner = make_learner(encoder, DataBunch.from_files(table, valid_share=0.2), epochs=4, schedule="none")
    return learner.fit().save(folder / "model")


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return a copy of all weights by name."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def differing(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> list[str]:
    """Return the names of the weights that differ in any bit."""
    return [name for name, value in first.items() if not torch.equal(value, second[name])]


class Recorder(Callback):
    """Notes every event with its state; may ask to stop at a step."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.events: list[str] = []
        self.states: list[RunState] = []
        self.stop_at = stop_at

    @property
    def rates(self) -> list[float]:
        """Return the learning rate of each step."""
        return [state.lr for event, state in zip(self.events, self.states, strict=True) if event == "step"]

    def on_start(self, state: RunState) -> None:
        self._note("start", state)

    def on_step(self, state: RunState) -> None:
        self._note("step", state)
        if state.step == self.stop_at:
            state.stop.ask("enough")

    def on_evaluate(self, state: RunState) -> None:
        self._note("evaluate", state)

    def on_checkpoint(self, state: RunState) -> None:
        self._note("checkpoint", state)

    def on_finish(self, state: RunState) -> None:
        self._note("finish", state)

    def on_error(self, state: RunState, error: BaseException) -> None:
        self._note(f"error {type(error).__name__}", state)

    def _note(self, event: str, state: RunState) -> None:
        self.events.append(event)
        self.states.append(state)

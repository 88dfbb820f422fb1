"""Searches that take a second: few rows, a tiny encoder, one epoch, and trials made up where none is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna

from fastbert.tuning.setup import Prepared, Tables
from fastbert.tuning.space import Scalar
from fastbert.tuning.study import Record, Trials, open_storage, own_process
from fastbert.tuning.tune import prepare_search
from tests.feedback import write_feedback

QUICK: Mapping[str, Any] = {
    "epochs": 1,
    "precision": "fp32",
    "valid_share": 0.4,
    "splits": 1,
    "space": {"lr": {"times": [0.5, 8], "log": True}, "batch_size": [4, 8, 16]},
}


def prepared(tiny: str, folder: Path, test: Path | None = None, **options: Any) -> Prepared:  # noqa: ANN401
    """Return a quick search for feedback rows; the model goes to folder/model."""
    table = write_feedback(folder / "feedback.csv", 48)
    return prepare_search(Tables(table, test=test), folder / "model", {"encoder": tiny, **QUICK, **options})


def first_of_another(prepared: Prepared, pid: int) -> optuna.Trial:
    """Begin the study of a search with its first trial, run by another process of this machine; return the trial."""
    prepared.place.make()
    by_latency = prepared.settings.max_latency_s is not None
    trials = Trials(open_storage(prepared.storage), prepared.study, prepared.space, prepared.config.seed, by_latency)
    trials.open(prepared.facts())
    trials.enqueue(prepared.space.first(prepared.usual))
    trial = trials.open_study.ask()
    trial.set_user_attr("owner", {**own_process(), "pid": pid})
    return trial


def record(number: int, value: float | None = None, state: str = "complete", **more: Any) -> Record:  # noqa: ANN401
    """Return a trial as the study would have it; the one with number 0 is the first."""
    return Record(number, state, value, first=number == 0, **more)


def noting(notes: list[Any], function: Callable[..., Any], note: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that notes something of its arguments each time it is called."""

    def noted(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  # any function's
        notes.append(note(*arguments, **named))
        return function(*arguments, **named)

    return noted


def options_of(found: list[Record]) -> list[Mapping[str, Scalar]]:
    """Return what each trial that counts tried."""
    return [one.options for one in found if one.counts]

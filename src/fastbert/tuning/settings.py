"""What a search is asked for: trials, time, where the study lies, what is searched. Knows no model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import cast

from fastbert.errors import ConfigError
from fastbert.option_values import check_range, chosen_of, parse_duration
from fastbert.tuning.latency import BACKENDS
from fastbert.tuning.space import Space, read_space, space_of

TRIALS = 20  # where neither trials nor a time are given


@dataclass(frozen=True)
class Settings:
    """How a search is run.

    trials: of the study, all its runs and processes together; None: until the time is up, or TRIALS without one.
    timeout_s: of this run.    storage: URL of a database, None: SQLite beside the model.
    study: its name in the database, None: that of the model's folder.    space: None is the usual one of the task.
    splits: trainings of each trial on other validation rows; None: as many as it takes for 200 rows held out.
    max_latency_s: of a long text.    backend: by which that is measured, and with which the model is saved.
    """

    trials: int | None = None
    timeout_s: float | None = None
    storage: str | None = None
    study: str | None = None
    space: Space | None = None
    splits: int | None = None
    max_latency_s: float | None = None
    backend: str = "torch"

    def __post_init__(self) -> None:
        if self.trials is not None:
            check_range("trials", self.trials, 1, 100_000)
        if self.splits is not None:
            check_range("splits", self.splits, 1, 10)
        chosen_of("backend", self.backend, BACKENDS)
        if self.backend != "torch" and self.max_latency_s is None:
            raise ConfigError(
                "backend is for a search with a latency.", "Give max_latency, too, or export the model afterwards."
            )

    @property
    def most_trials(self) -> int | None:
        """Return after how many trials the study is complete, None for no such number."""
        return TRIALS if self.trials is None and self.timeout_s is None else self.trials

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Settings:
        """Return settings from what a user writes: timeout and max_latency are durations, space a TOML file or values.

        Raises ConfigError for a value that cannot be used.
        """
        given = {name: value for name, value in values.items() if value is not None}
        space = given.get("space")
        if isinstance(space, str | os.PathLike):
            given["space"] = read_space(Path(space))
        elif isinstance(space, Mapping):
            given["space"] = space_of(cast("Mapping[str, object]", space))
        for name in ("timeout", "max_latency"):
            if name in given:
                given[f"{name}_s"] = parse_duration(cast("str | float", given.pop(name)), name)
        for name in ("trials", "splits"):
            if not isinstance(given.get(name, 1), int) or isinstance(given.get(name), bool):
                raise ConfigError(f"{name} is {given[name]!r}; expected a whole number.")
        return cls(**given)  # type: ignore[arg-type]  # names are those of SETTINGS, values were checked above


SETTINGS = tuple(field.name.removesuffix("_s") for field in fields(Settings))  # as users write them

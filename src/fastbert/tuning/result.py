"""What a search found: the trials, the winner and why it is the winner, as tables, JSON and options to train with.

Knows nothing of how it was found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from fastbert.bundle import Bundle
from fastbert.config import DataConfig, DecisionConfig, TrainConfig
from fastbert.display import Block, View, duration, number
from fastbert.errors import TrainingError
from fastbert.tuning.evidence import Evidence, Verdict, judge
from fastbert.tuning.search import best_of, front
from fastbert.tuning.space import Scalar, Space
from fastbert.tuning.study import Record

SHOWN_TRIALS = 10


@dataclass(frozen=True)
class Choice:
    """Which trial is the result. first: with the defaults; best: on the validation rows, as quick as was asked for.

    While another process still runs the first, best and winner are the best so far.
    verdict: how the two compare, None where they are one, or the first is too slow.    fits: whether the winner is
    quick enough.
    """

    first: Record
    best: Record
    winner: Record
    verdict: Verdict | None
    fits: bool = True


def choose(records: Sequence[Record], limit_s: float | None, num_rows: int) -> Choice:
    """Return the winner: the best trial, or the defaults where its gain may well be chance.

    Raises TrainingError where no process runs the defaults, and none has.
    """
    complete = [record for record in records if record.done]
    first = _first_of(records)
    best = best_of(complete, limit_s) or first
    fits = limit_s is None or (best.latency_s is not None and best.latency_s[1] <= limit_s)
    if first.state == "running":
        return Choice(first, best, best, None, fits)
    slow = limit_s is not None and first.latency_s is not None and first.latency_s[1] > limit_s
    candidates = [one for one in complete if limit_s is None or one.latency_s is None or one.latency_s[1] <= limit_s]
    found = [Evidence.from_json(record.evidence) for record in candidates]
    mine, theirs = Evidence.from_json(best.evidence), Evidence.from_json(first.evidence)
    if best.number == first.number or slow or mine is None or theirs is None:
        return Choice(first, best, best, None, fits)
    verdict = judge(
        (first.value or 0.0, theirs), (best.value or 0.0, mine), [one for one in found if one is not None], num_rows
    )
    return Choice(first, best, best if verdict.pays else first, verdict, fits)


def _first_of(records: Sequence[Record]) -> Record:
    """Return the last trial with the defaults that is done, or the one that another process still runs."""
    for state in ("complete", "running"):
        found = [record for record in records if record.first and record.state == state]
        if found:
            return found[-1]
    raise TrainingError(
        "The trial with the defaults is not done: the process that ran it has ended, "
        "and the time left is not enough to run it again.",
        "Give the same command again, with a longer --timeout: it goes on with the trials that are done.",
    )


@dataclass(frozen=True)
class TuneResult:
    """What a search gave.

    bundle: the model that was saved; None where trials of other processes still run, the last of which saves it.
    records: all trials of the study.    seconds: of this run, all in all.    reason: why it ended.
    config, data: the winner's options, all of them.    deciding: those of the decision rule.
    folder: where the search is kept.
    limit_s: of the latency.    test: scores on the test table.    running: trials of other processes.
    """

    bundle: Bundle | None
    choice: Choice
    records: Sequence[Record]
    space: Space
    monitor: str
    importances: Mapping[str, float]
    seconds: float
    reason: str
    data: DataConfig
    config: TrainConfig
    folder: Path
    deciding: DecisionConfig = DecisionConfig()
    limit_s: float | None = None
    test: Mapping[str, float] = field(default_factory=dict)
    running: int = 0

    @property
    def front(self) -> list[Record]:
        """Return the trials that no other one beats in both score and latency."""
        return front(list(self.records))

    def changed(self, record: Record) -> dict[str, Scalar]:
        """Return the options in which a trial differs from the first."""
        usual = self.choice.first.options
        return {name: value for name, value in record.options.items() if usual.get(name) != value}

    def sentences(self) -> list[str]:
        """Return what was found, for people."""
        choice = self.choice
        if choice.first.state == "running":
            best = f"trial {choice.best.number} is the best so far" if choice.best.value is not None else "none is done"
            said = [f"The defaults are still trained by another process; of the other trials {best}."]
        elif not choice.fits and self.limit_s is not None and choice.best.latency_s is not None:
            close = f"{1000 * choice.best.latency_s[1]:.1f} ms"
            said = [
                f"No trial is within {1000 * self.limit_s:g} ms; trial {choice.best.number} is closest with {close}."
            ]
        elif choice.best.number == choice.first.number:
            said = ["No trial is better than the defaults, which are the result."]
        elif choice.verdict is None:
            said = [f"Trial {choice.best.number} is the result; the defaults are too slow."]
        elif choice.verdict.pays:
            said = [f"Trial {choice.best.number} is the result: {choice.verdict.describe(self.monitor)}."]
        else:
            said = [
                f"The defaults are the result. Trial {choice.best.number} scored higher, which may well be chance: "
                f"{choice.verdict.describe(self.monitor)}."
            ]
        if choice.verdict is not None:
            said.append(
                f"On the rows it was chosen on, the best of {choice.verdict.num_trials} trials looks better than it is "
                f"by about {max(choice.verdict.optimism, 0.0):.4f}."
            )
        return said

    def view(self) -> View:
        """Return the outcome for people."""
        ordered = sorted(
            (record for record in self.records if record.done),
            key=lambda record: (-(record.value or 0.0), record.number),
        )[:SHOWN_TRIALS]
        if all(record.number != self.choice.first.number for record in ordered):
            ordered.append(self.choice.first)
        rows = tuple(self._row(record) for record in ordered)
        said = (*self.sentences(), f"The search ended: {self.reason}.")
        blocks = [Block("Result", said), Block("Best trials", (), self._headers(), rows)]
        if self.limit_s is not None:
            table = tuple(self._row(record) for record in self.front)
            blocks.append(Block("Front: nothing is both better and quicker", (), self._headers(), table))
        if self.importances:
            shares = tuple((name, f"{100 * share:.0f} %") for name, share in self.importances.items())
            blocks.append(Block("What mattered, by PED-ANOVA", (), (), shares))
        return View(tuple(blocks))

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        choice = self.choice
        return {
            "bundle": None if self.bundle is None else str(self.bundle.folder),
            "folder": str(self.folder),
            "monitor": self.monitor,
            "winner": choice.winner.number,
            "best": choice.best.number,
            "options": dict(choice.winner.options),
            "changed": self.changed(choice.winner),
            "first": choice.first.to_json(),
            "verdict": None if choice.verdict is None else choice.verdict.to_json(),
            "within_latency": choice.fits,
            "front": [record.number for record in self.front],
            "trials": [record.to_json() for record in self.records],
            "importances": dict(self.importances),
            "test": dict(self.test),
            "seconds": round(self.seconds, 2),
            "ended": self.reason,
            "running_elsewhere": self.running,
        }

    def _headers(self) -> tuple[str, ...]:
        return ("trial", self.monitor, *(() if self.limit_s is None else ("ms",)), "time", "other than the defaults")

    def _row(self, record: Record) -> tuple[str, ...]:
        ms = "-" if record.latency_s is None else f"{1000 * record.latency_s[1]:.1f}"
        latency = () if self.limit_s is None else (ms,)
        what = "the defaults" if record.number == self.choice.first.number else show_options(self.changed(record))
        return (str(record.number), number(record.value), *latency, duration(record.seconds), what)


def show_options(options: Mapping[str, Scalar]) -> str:
    """Return options in one line.

    >>> show_options({"lr": 1e-4, "loss": "balanced"})
    'lr=0.0001 loss=balanced'
    """
    return " ".join(f"{name}={value}" for name, value in options.items()) or "as the defaults"


def options_toml(data: DataConfig, config: TrainConfig, deciding: DecisionConfig | None = None) -> str:
    """Return the text of a file for `fastbert train --config`: every option that is not at its default."""
    parts = []
    for title, options in (("data", data), ("train", config), ("decide", deciding or DecisionConfig())):
        changed = [
            f"{one.name} = {json.dumps(value, ensure_ascii=False)}"
            for one in fields(options)
            if (value := getattr(options, one.name)) != one.default and value is not None
        ]
        if changed:
            parts.append("\n".join([f"[{title}]", *changed]) + "\n")
    return "\n".join(parts)

"""The plan and the history that a bundle carries, read back with their types.

A bundle may come from another version or another hand: what is missing or of another kind is
left empty, never an error. Knows nothing of how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastbert.training.state import FIT, Stage

Values = Mapping[str, object]
DECIDED_ON = "decided_on"  # in the record of a run: the table that the rule was fitted to, if not in training


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of the validation rows, as the history recorded it."""

    step: int
    scores: Mapping[str, float]
    kept: bool


@dataclass(frozen=True)
class RunFacts:
    """What `Plan.to_json` and `History.to_json` wrote.

    task: its name.    rows, label_counts: by split.    facts, reasons, warnings: sentences.
    adaptation: what `EncoderChoice.to_json` wrote; adapted_from: the plain encoder, and the files it was adapted to.
    baseline: what `LinearCheck.facts` wrote.
    distillation: what `training.distill` wrote.
    run: what `training.run_record` wrote: machine, versions, memory, time of the evaluation, names of tables.
    collapse: what `describe_collapse` said, if anything.
    steps: (step, loss, learning rate), thinned.    planned_steps: optimiser steps of all epochs of the last fit.
    stages: all that was trained; none of a bundle from before they were recorded.
    """

    task: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    label_counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    layout: Values = field(default_factory=dict)
    options: Values = field(default_factory=dict)
    lengths: str = ""
    encoder: str = ""
    runtime: str = ""
    adaptation: Values = field(default_factory=dict)
    adapted_from: Values = field(default_factory=dict)
    baseline: Values = field(default_factory=dict)
    distillation: Values = field(default_factory=dict)
    run: Values = field(default_factory=dict)
    collapse: str = ""
    planned_steps: int | None = None
    estimated_seconds: float | None = None
    estimated_memory_bytes: float | None = None
    steps: tuple[tuple[int, float, float], ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    stages: tuple[Stage, ...] = ()
    examples: int | None = None
    tokens: int | None = None
    padding_share: float | None = None
    seconds: float | None = None
    product_rate: float | None = None
    mfu: float | None = None

    @property
    def tables(self) -> Values:
        """Return the names of the tables by split."""
        return _mapping(self.run.get("tables"))

    @property
    def deciding(self) -> Values:
        """Return the options of the decision rule."""
        return _mapping(self.run.get("deciding"))

    @property
    def decided_on(self) -> str | None:
        """Return the table that the rule was fitted to after training, "" for one without a name, None without one."""
        return _words(self.run[DECIDED_ON]) if DECIDED_ON in self.run else None

    @property
    def versions(self) -> Values:
        """Return the versions of packages that the model was trained with."""
        return _mapping(self.run.get("versions"))

    def amount(self, name: str) -> float | None:
        """Return a number of the run, None where it was not recorded."""
        return _number(self.run.get(name))

    @property
    def num_fits(self) -> int:
        """Return how often the model was fitted; of a bundle without stages 2 where more steps than planned tell so."""
        if self.stages:
            return sum(one.in_history and one.name == FIT for one in self.stages)
        return 2 if self.planned_steps is not None and self.steps and self.steps[-1][0] > self.planned_steps else 1

    @property
    def valid_folds(self) -> int:
        """Return how many folds the training rows were validated by, 0 where a share or a table did that."""
        return _whole(self.options.get("valid_folds")) or 0

    def name_of(self, split: str) -> str:
        """Return what the rows of a split are called."""
        return "out-of-fold" if split == "valid" and self.valid_folds else split

    def num_rows(self, split: str) -> int:
        """Return the number of rows of a split, 0 where it was not recorded."""
        return self.rows.get("train" if split == "valid" and self.valid_folds else split, 0)

    @property
    def kept(self) -> Evaluation | None:
        """Return the evaluation of the weights that were saved: those that the last fit kept."""
        return next((record for record in reversed(self.evaluations) if record.kept), None)


def read_facts(facts: Values) -> RunFacts:
    """Return what the facts of a bundle say.

    >>> read_facts({"plan": {"rows": {"train": 90}}}).rows
    {'train': 90}
    """
    plan, history = _mapping(facts.get("plan")), _mapping(facts.get("history"))
    return RunFacts(
        task=_words(plan.get("task")),
        rows=_counts(plan.get("rows")),
        label_counts={split: _counts(counts) for split, counts in _mapping(plan.get("label_counts")).items()},
        facts=_sentences(plan.get("facts")),
        reasons=_sentences(plan.get("reasons")),
        warnings=_sentences(plan.get("warnings")),
        layout=_mapping(plan.get("layout")),
        options=_mapping(plan.get("options")),
        lengths=_words(plan.get("lengths")),
        encoder=_words(plan.get("encoder")),
        runtime=_words(plan.get("runtime")),
        adaptation=_mapping(_mapping(facts.get("adaptation")).get("choice")),
        adapted_from=_mapping(_mapping(facts.get("adaptation")).get("from")),
        baseline=_mapping(facts.get("baseline")),
        distillation=_mapping(facts.get("distillation")),
        run=_mapping(facts.get("run")),
        collapse=_words(facts.get("collapse")),
        planned_steps=_whole(plan.get("steps")),
        estimated_seconds=_number(plan.get("estimated_seconds")),
        estimated_memory_bytes=_number(plan.get("estimated_memory_bytes")),
        steps=tuple(_steps(history.get("steps"))),
        evaluations=tuple(_evaluations(history.get("evaluations"))),
        stages=tuple(_stages(history.get("stages"))),
        examples=_whole(history.get("examples")),
        tokens=_whole(history.get("tokens")),
        padding_share=_number(history.get("padding_share")),
        seconds=_number(history.get("seconds")),
        product_rate=_number(history.get("product_rate")),
        mfu=_number(history.get("mfu")),
    )


def _steps(value: object) -> list[tuple[int, float, float]]:
    found = []
    for row in _list(value):
        numbers = [number for item in _list(row) if (number := _number(item)) is not None]
        if len(numbers) == 3:
            found.append((int(numbers[0]), numbers[1], numbers[2]))
    return found


def _stages(value: object) -> list[Stage]:
    found = []
    for record in map(_mapping, _list(value)):
        name, steps, seconds = record.get("name"), _whole(record.get("steps")), _number(record.get("seconds"))
        if isinstance(name, str) and steps is not None and seconds is not None:
            found.append(Stage(name, steps, seconds, record.get("in_history") is True))
    return found


def _evaluations(value: object) -> list[Evaluation]:
    found = []
    for record in map(_mapping, _list(value)):
        step = _whole(record.get("step"))
        scores = {name: _number(score) for name, score in _mapping(record.get("scores")).items()}
        known = {name: score for name, score in scores.items() if score is not None}
        if step is not None:
            found.append(Evaluation(step, known, record.get("kept") is True))
    return found


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _words(value: object) -> str:
    return value if isinstance(value, str) else ""


def _sentences(value: object) -> tuple[str, ...]:
    return tuple(item for item in _list(value) if isinstance(item, str))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    found = _number(value)
    return None if found is None else int(found)


def _counts(value: object) -> dict[str, int]:
    whole = {name: _whole(count) for name, count in _mapping(value).items()}
    return {name: count for name, count in whole.items() if count is not None}

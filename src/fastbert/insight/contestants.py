"""Bundles made comparable: their names, the one task they share, the rows that all answer, answers in its labels.

Two bundles can be held against each other where they do the same task and share labels by name; order of the labels,
and columns of the training tables, may differ. What one of them does not know is said, and counts as its mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from fastbert.config import DataConfig, DecisionConfig
from fastbert.data.examples import Example, TaggedExample, TextExample
from fastbert.data.reading import AnyLayout, ReadFile, read_like
from fastbert.data.sources import Source
from fastbert.decisions.hierarchy import levels_of
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError, DataError
from fastbert.inference.evaluation import saved_layout
from fastbert.inference.predictor import Predictor
from fastbert.labels import Labels
from fastbert.tasks.base import Prediction, Task
from fastbert.tasks.classification import Classification, MultiLabel
from fastbert.tasks.entities_prediction import EntitiesPrediction
from fastbert.tasks.label_prediction import labelled
from fastbert.tasks.tagging import Tagging, true_entities

Answer = Callable[[Sequence[Example]], list[Prediction]]
COSTS = "cost"  # how a bundle names the goal of a file of costs, which it does not hold
_SHOWN = 8


@dataclass(frozen=True)
class Contestant:
    """A model that answers rows. about: what it is, for people.

    folder: of its bundle, None for a baseline.    num_parameters: None where that is not known.
    decide: answers as `answer` does, but holds none back; None where `answer` holds none back either.
    """

    name: str
    answer: Answer
    about: str
    folder: Path | None = None
    num_parameters: int | None = None
    decide: Answer | None = None

    def whole(self, examples: Sequence[Example], said: Sequence[Prediction]) -> list[Prediction]:
        """Return answers with those that were held back as they had been decided. said: by `answer`."""
        held = [] if self.decide is None else [row for row, one in enumerate(said) if labelled(one).reason]
        if self.decide is None or not held:
            return list(said)
        decided = dict(zip(held, self.decide([examples[row] for row in held]), strict=True))
        return [decided.get(row, one) for row, one in enumerate(said)]


@dataclass(frozen=True)
class Reader:
    """How labelled tables are read: by the layout that a bundle was trained with, or as the user says it differs."""

    layout: AnyLayout | None
    config: DataConfig
    task: str
    labels: Labels | None

    def read(self, source: Source) -> ReadFile:
        """Read a table. Raises DataError for one that cannot be used."""
        return read_like(source, self.layout, self.config, self.task, labels=self.labels)


@dataclass(frozen=True)
class Ring:
    """What is compared, and on which rows. notes: what a reader must know of either.

    reader: reads other tables the way the rows were read, with all labels that a model knows.
    """

    task: Task
    examples: Sequence[Example]
    notes: tuple[str, ...]
    reader: Reader

    def read(self, source: Source) -> list[Example]:
        """Read another table, without the labels that are not compared. Raises DataError as `Reader.read` does."""
        return [_judged_truth(example, self.task) for example in self.reader.read(source).examples]


def unique_names(folders: Sequence[Path], taken: Iterable[str] = ()) -> list[str]:
    """Return the names of folders, with their path where names are equal or taken.

    Raises ConfigError for a folder that is given twice.

    >>> unique_names([Path("a/model"), Path("b/model"), Path("other"), Path("tfidf")], taken=["tfidf"])
    ['a/model', 'b/model', 'other', './tfidf']
    """
    resolved = [folder.resolve() for folder in folders]
    short = [folder.name or place.name for folder, place in zip(folders, resolved, strict=True)]
    for folder, place in zip(folders, resolved, strict=True):
        if resolved.count(place) > 1:
            raise ConfigError(f"{folder} is given twice.", "Name each model once.")
    used = set(taken)
    clashing = [short.count(name) > 1 or name in used for name in short]
    paths = [f"./{folder}" if str(folder) in used else str(folder) for folder in folders]
    return [path if clash else name for path, name, clash in zip(paths, short, clashing, strict=True)]


def common_ring(predictors: Sequence[Predictor], names: Sequence[str], source: Source, config: DataConfig) -> Ring:
    """Return the task that bundles share and the labelled rows of a table.

    The table is read as the training table of a bundle was: of the first whose columns it has; config: columns where
    they differ. Raises ConfigError for bundles that cannot be compared, DataError for a table or row that cannot be
    used, or with a label that none of them knows.
    """
    task = _common_task(predictors, names)
    readers = sorted(range(len(predictors)), key=lambda index: -len(predictors[index].labels))
    first: DataError | None = None
    for index in readers:
        reader = Reader(saved_layout(predictors[index]), config, task.name, task.known_labels)
        try:
            read = reader.read(source)
        except DataError as error:
            first = first or error
            continue
        judged, more = _judged(task, predictors, names, read.examples)
        judged.check_truths(read.examples)
        return Ring(judged, read.examples, (*read.report.sentences(), *more), reader)
    assert first is not None
    raise first


def contestants_of(predictors: Sequence[Predictor], names: Sequence[str], task: Task) -> list[Contestant]:
    """Return bundles as contestants that answer in the labels of the task."""
    return [_contestant(predictor, name, task) for predictor, name in zip(predictors, names, strict=True)]


def shared_aim(predictors: Sequence[Predictor], names: Sequence[str]) -> tuple[DecisionConfig, str]:
    """Return what the rules of all bundles were fitted for, and a note where baselines must know more than the task.

    Where bundles differ, or decide by a file of costs, it is the default of the task.
    """
    task = predictors[0].task
    if not isinstance(task, Classification):
        return DecisionConfig(), ""
    rules = [predictor.bundle.decisions for predictor in predictors]
    # A rule without a fit is of a model that was saved before there were goals: it suits the task's own.
    goals = [rule.goal if rule.fit else task.default_goal for rule in rules]
    aims = {(goal, rule.at_least, rule.at_most) for goal, rule in zip(goals, rules, strict=True)}
    limits = [f"{goal}{_limits(rule)}" for goal, rule in zip(goals, rules, strict=True)]
    if len(aims) > 1 or goals[0] == COSTS:
        each = ", ".join(f"{name} for {limit}" for name, limit in zip(names, limits, strict=True))
        return DecisionConfig(), (
            f"The decision rules are fitted for other goals ({each}) than those of the baselines "
            f"({task.default_goal}): a part of a difference may be that of the rules."
        )
    goal, at_least, at_most = next(iter(aims))
    plain = (goal, at_least, at_most) == (task.default_goal, 0, None)
    aim = DecisionConfig(goal=goal, at_least=at_least, at_most=at_most)
    return (
        aim,
        "" if plain else f"The decision rules of the baselines are fitted for the goal of the models, {limits[0]}.",
    )


def _limits(rule: Decisions) -> str:
    least = f", at least {rule.at_least} labels" if rule.at_least else ""
    return least + ("" if rule.at_most is None else f", at most {rule.at_most} labels")


def translated(task: Task, predictions: Sequence[Prediction]) -> list[Prediction]:
    """Return answers in the labels of a task: unknown ones are dropped, and those that the model lacks score 0.

    Of one label a row the parent that an answer stops at is kept: it is no label, but right or wrong on its level.
    """
    if isinstance(task, Classification):
        names = task.labels.names
        known = {node for name in names for node in (levels_of(name) if task.link == "softmax" else (name,))}
        return [
            replace(
                labelled(one),
                labels=tuple(name for name in one.labels if name in known),
                scores={name: one.scores.get(name, 0.0) for name in names},
                windows=(),
            )
            for one in predictions
        ]
    if isinstance(task, Tagging):
        return [_judged_entities(cast("EntitiesPrediction", one), task.labels) for one in predictions]
    return list(predictions)


def _contestant(predictor: Predictor, name: str, task: Task) -> Contestant:
    def answering(model: Predictor) -> Answer:
        return lambda examples: translated(task, model.predict_examples(examples))

    rule = predictor.bundle.decisions
    always = predictor.task.open_rule(rule)
    decide = None if always == rule else answering(predictor.with_decisions(always))

    plan = predictor.bundle.facts.get("plan")
    encoder = str(plan.get("encoder", "")) if isinstance(plan, dict) else ""
    about = ", ".join(part for part in (encoder, f"backend {predictor.backend.name}") if part)
    return Contestant(name, answering(predictor), about, predictor.bundle.folder, decide=decide)


def _judged_entities(prediction: EntitiesPrediction, labels: Labels) -> EntitiesPrediction:
    kept = tuple(entity for entity in prediction.entities if entity.label in labels)
    return prediction if len(kept) == len(prediction.entities) else replace(prediction, entities=kept)


def _judged_truth(example: Example, task: Task) -> Example:
    """Return a row without the labels that a task left out."""
    if isinstance(task, MultiLabel) and isinstance(example, TextExample):
        return replace(example, labels=tuple(name for name in example.labels or () if name in task.labels))
    if isinstance(task, Tagging) and isinstance(example, TaggedExample):
        return replace(example, entities=tuple(one for one in example.entities or () if one.label in task.labels))
    return example


def _common_task(predictors: Sequence[Predictor], names: Sequence[str]) -> Task:
    """Return the task of the first bundle with the labels of all."""
    first = predictors[0]
    for predictor, name in zip(predictors[1:], names[1:], strict=True):
        if predictor.task.name != first.task.name:
            raise ConfigError(
                f"{names[0]} is a {first.task.name} model, {name} a {predictor.task.name} model: their answers cannot "
                "be compared.",
                "Compare models that were trained for the same task; see --task of `fastbert train`.",
            )
        if None is not predictor.bundle.reads_pairs != first.bundle.reads_pairs is not None:
            raise ConfigError(
                f"One of {names[0]} and {name} reads pairs of texts, the other single texts.",
                "Compare models that read the same columns.",
            )
        if first.task.known_labels is not None and not set(first.labels) & set(predictor.labels):
            raise ConfigError(
                f"{names[0]} and {name} share no label: {_some(first.labels)} against {_some(predictor.labels)}.",
                "Train both with the same label names; --labels-file gives names to labels written as numbers.",
            )
    every = dict.fromkeys(label for predictor in predictors for label in predictor.labels)
    return _with_labels(first.task, list(every))


def _with_labels(task: Task, names: Sequence[str]) -> Task:
    if isinstance(task, Classification):
        return replace(task, labels=Labels(tuple(names)), label_weights=())
    return replace(task, labels=Labels(tuple(names))) if isinstance(task, Tagging) else task


def _judged(
    task: Task, predictors: Sequence[Predictor], names: Sequence[str], examples: Sequence[Example]
) -> tuple[Task, list[str]]:
    """Return the task with the labels that these rows can judge, and what is to be said of labels.

    Where a row may have several labels, one that not all models know and that no row has is left out: whether it was
    never true or never written down cannot be told.
    """
    if task.known_labels is None:
        return task, []
    common = set.intersection(*(set(predictor.labels) for predictor in predictors))
    used = _used_labels(task, examples)
    several = isinstance(task, MultiLabel | Tagging)
    kept = [name for name in task.known_labels if name in common or name in used or not several]
    notes = []
    dropped = [name for name in task.known_labels if name not in kept]
    if dropped:
        notes.append(f"Not compared, as not all models know them and no row has them: {_some(dropped)}.")
    for predictor, name in zip(predictors, names, strict=True):
        missing = [label for label in kept if label not in predictor.labels]
        if missing:
            notes.append(f"{name} does not know {_some(missing)}: where that is right, it is wrong.")
    return _with_labels(task, kept), notes


def _used_labels(task: Task, examples: Sequence[Example]) -> set[str]:
    if isinstance(task, Tagging):
        return {entity.label for example in examples for entity in true_entities(example)}
    return {name for example in examples for name in cast("tuple[str, ...]", example.truth or ())}


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")

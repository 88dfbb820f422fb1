"""The rows of a distillation: texts that the teacher answers, rows with labels beside them, and what is held out.

Tables are read as a prediction or an evaluation of the teacher would read them. Knows nothing of what the teacher
says, nor of how a student is trained.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from fastbert.config import DataConfig
from fastbert.data.examples import Example, TextExample
from fastbert.data.records import MEMORY_NAME
from fastbert.data.sources import Source
from fastbert.data.splits import split_indices, text_key
from fastbert.errors import ConfigError, DataError
from fastbert.inference.evaluation import read_examples, saved_layout
from fastbert.inference.predictor import Predictor
from fastbert.inference.tables import open_texts

LEAST_TEXTS = 10  # some are trained on, some choose weights and some are held out: fewer cannot be divided usefully
# What the teacher was trained with holds for its student.
_FIXED = ("task", "labels_file", "group", "split", "truncation")


@dataclass(frozen=True)
class LessonTables:
    """The tables of a distillation. unlabelled: sources of texts; labels in them are not read.

    train, valid, test: tables with labels that the teacher knows.
    """

    unlabelled: Sequence[Source]
    train: Source | None = None
    valid: Source | None = None
    test: Source | None = None

    def names(self) -> dict[str, object]:
        """Return the names of the files by their use, without where they lie; {} where a table is in memory."""
        given = {"train": self.train, "valid": self.valid, "test": self.test}
        named = {use: _name_of(source) for use, source in given.items() if source is not None}
        unlabelled = [_name_of(source) for source in self.unlabelled]
        return {"unlabelled": unlabelled, **named} if all((*unlabelled, *named.values())) else {}


@dataclass(frozen=True)
class Material:
    """Rows by their use, no text twice across them but as the user's labelled tables have it.

    texts: to learn from by the teacher's answers.    labelled: to learn from by both.
    held_out: texts that choose nothing, by which agreement is measured.
    valid: what chooses weights and rule; valid_labelled: whether it has labels of its own, or the teacher's answers.
    test: may be empty.    notes: what was read and left out, in sentences.
    """

    texts: tuple[Example, ...]
    labelled: tuple[Example, ...]
    held_out: tuple[Example, ...]
    valid: tuple[Example, ...]
    valid_labelled: bool
    test: tuple[Example, ...]
    notes: tuple[str, ...]

    @property
    def taught(self) -> tuple[Example, ...]:
        """Return the rows that the teacher has to answer before the student can be trained."""
        return (*self.texts, *self.labelled, *(() if self.valid_labelled else self.valid), *self.held_out)


def read_material(teacher: Predictor, tables: LessonTables, config: DataConfig, seed: int) -> Material:
    """Read all tables and divide the texts.

    config: columns where they differ from those of the teacher's training table; `valid_share` is the share that is
    held out, and the share that chooses where no validation table is given.
    Raises DataError for a table or row that cannot be used, a label that the teacher does not know and too few texts,
    ConfigError for an option that is the teacher's.
    """
    _check_options(config)
    notes: list[str] = []
    known = {name: _read_labelled(teacher, name, source, config, notes) for name, source in _labelled(tables)}
    texts, read = _distinct(
        (example for source in tables.unlabelled for example in _read_texts(teacher, source, config, notes)),
        {_key(example) for examples in known.values() for example in examples},
    )
    if len(texts) < LEAST_TEXTS:
        raise DataError(
            f"There are {len(texts):,} different texts to learn from (of {read:,} that were read); at least "
            f"{LEAST_TEXTS} are needed.",
            "Give more texts with --unlabelled; some thousand are usual.",
        )
    if read > len(texts):
        notes.append(f"{read - len(texts):,} texts were left out: they came before, or are in a labelled table")
    kept, held_out = _divided(texts, config.valid_share, seed)
    valid = known.get("valid", ())
    if not valid:
        kept, valid = _divided(kept, config.valid_share, seed + 1)
    notes.append(
        f"{len(held_out):,} of {len(texts):,} texts are held out to measure agreement"
        + ("" if "valid" in known else f", {len(valid):,} to choose the weights by; both at random, seed {seed}")
    )
    return Material(
        kept, known.get("train", ()), held_out, valid, "valid" in known, known.get("test", ()), tuple(notes)
    )


def sources_of(unlabelled: Source | Sequence[Path]) -> Sequence[Source]:
    """Return one source, or each file of a list of `Path`s; a list of anything else is a source itself."""
    if isinstance(unlabelled, list | tuple) and unlabelled and all(isinstance(one, Path) for one in unlabelled):
        return unlabelled
    return (unlabelled,)


def _name_of(source: Source) -> str:
    return Path(source).name if isinstance(source, str | os.PathLike) else ""


def _check_options(config: DataConfig) -> None:
    usual = DataConfig()
    for name in _FIXED:
        if getattr(config, name) != getattr(usual, name):
            raise ConfigError(
                f"{name} is {getattr(config, name)!r}, but a student has that of its teacher.", "Leave it out."
            )


def _labelled(tables: LessonTables) -> list[tuple[str, Source]]:
    named = (("train", tables.train), ("valid", tables.valid), ("test", tables.test))
    return [(name, source) for name, source in named if source is not None]


def _read_labelled(
    teacher: Predictor, name: str, source: Source, config: DataConfig, notes: list[str]
) -> tuple[Example, ...]:
    examples, said = read_examples(teacher, source, config)
    if name != "train":
        teacher.task.check_truths(examples)
    notes += [f"{name}: {sentence}" for sentence in said]
    return tuple(examples)


def _read_texts(teacher: Predictor, source: Source, config: DataConfig, notes: list[str]) -> list[Example]:
    """Return the texts of one source as `fastbert predict` reads them."""
    opened = open_texts(source, saved_layout(teacher), replace(config, labels=()))
    name = _name_of(source) or MEMORY_NAME
    found: list[Example] = []
    empty = 0
    for _, example in opened.items:
        if example is None:
            empty += 1
        else:
            found.append(replace(cast("TextExample", example), where=f"{name}, {example.where}"))
    notes += [f"{name}: {note}" for note in opened.notes]
    if empty:
        notes.append(f"{name}: {empty:,} rows without text left out")
    return found


def _distinct(examples: Iterable[Example], taken: set[str]) -> tuple[tuple[Example, ...], int]:
    """Return the first row of each text that is not taken, and how many rows there were."""
    found: dict[str, Example] = {}
    count = 0
    for example in examples:
        count += 1
        key = _key(example)
        if key not in taken:
            found.setdefault(key, example)
    return tuple(found.values()), count


def _divided(rows: Sequence[Example], share: float, seed: int) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    kept, held = split_indices([("text",)] * len(rows), share=share, seed=seed)
    return tuple(rows[row] for row in kept), tuple(rows[row] for row in held)


def _key(example: Example) -> str:
    return text_key(example.text, example.pair)

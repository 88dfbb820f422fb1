"""Distillation: a small encoder learns what a trained model says of texts that need no labels.

The teacher answers every text once; its outputs are the targets of an ordinary training (`tasks.distilled`), whose
result is an ordinary model. Then both are held against each other: on texts that chose nothing, on labelled rows where
there are some, and by size and speed. Knows nothing of terminals.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

from fastbert.bundle import check_target, read_bundle
from fastbert.config import DataConfig, DecisionConfig, TrainConfig, split_options, take_decisions
from fastbert.data.databunch import DataBunch, label_block, normalize_options
from fastbert.data.examples import Example
from fastbert.data.sources import Source
from fastbert.decisions.rules import Decisions
from fastbert.display import Block, View, duration
from fastbert.errors import ConfigError
from fastbert.inference.evaluation import saved_layout
from fastbert.inference.predictor import CHUNK, Predictor, TextInput, chunks, num_characters
from fastbert.insight.baseline_section import baseline_sentence, baseline_warning
from fastbert.insight.contestants import Contestant
from fastbert.insight.cost import count_parameters as parameters_of_folder
from fastbert.insight.cost import measure_costs
from fastbert.insight.distilled_section import FACT, distilled_blocks
from fastbert.insight.linear_check import LinearCheck
from fastbert.insight.run_facts import read_facts
from fastbert.metrics.bootstrap import wilson_interval
from fastbert.models.loading import count_parameters, open_encoder
from fastbert.tasks.base import Prediction
from fastbert.tasks.distilled import Taught, TaughtSingleLabel, Teaching, taught_example, taught_task, untaught_example
from fastbert.training.callbacks import Callback, ProgressBar
from fastbert.training.distill_rows import LessonTables, Material, read_material, sources_of
from fastbert.training.learner import Learner

# A student gains by more passes than labels are worth (Beyer et al. 2022, arXiv 2106.05237): on TREC with 500 labels 3
# epochs, by the recipe, never gave the rarest label, 10 did (benchmarks/distillation.py).
LEAST_EPOCHS = 10.0
SAMPLE = 64  # texts that the teacher answers to tell how long all will take
OnView = Callable[[View], None]


@dataclass(frozen=True)
class Distilled:
    """What a distillation gave. folder: of the student's bundle.    facts: as saved with it.

    baseline: what `LinearCheck.facts` saved, {} without labelled rows to score a linear model on.
    """

    folder: Path
    learner: Learner
    facts: Mapping[str, object]
    baseline: Mapping[str, object]

    def view(self) -> View:
        """Return the comparison of teacher and student, and that with a linear model, for people."""
        blocks = distilled_blocks({FACT: self.facts}, self.learner.data.task.headlines)
        sentence = baseline_warning(self.baseline) or baseline_sentence(self.baseline)
        return View((*blocks, *([Block("Against a linear model", (sentence,))] if sentence else [])))

    def to_json(self) -> dict[str, object]:
        """Return what `fastbert distill --json` prints."""
        return {
            "bundle": str(self.folder),
            "plan": self.learner.last_plan.to_json(),
            "scores": {name: dict(scores) for name, scores in read_bundle(self.folder).scores.items()},
            "distillation": dict(self.facts),
            **({"baseline": dict(self.baseline)} if self.baseline else {}),
        }


def distill(
    teacher: str | Path,
    unlabelled: Source | Sequence[Path],
    *,
    out: str | Path,
    train: Source | None = None,
    valid: Source | None = None,
    test: Source | None = None,
    **options: object,
) -> Predictor:
    """Train a small model on the answers of a large one, write its bundle and return its Predictor.

    teacher: folder of a bundle.    unlabelled: a table, a list of texts, or a list of `Path`s of such files.
    train: labelled rows to learn from, too.    valid, test: labelled rows that both models are scored on.
    options: fields of DataConfig, TrainConfig and DecisionConfig; `temperature` and `label_weight` of `Teaching`;
        `backend` of the teacher; `overwrite`; `progress=False` shows nothing on standard error; `baseline=False` fits
        no linear model to the same rows.
    Raises UsageError for wrong options or bad input before any work.

    >>> model = fastbert.distill("large/", "texts.csv", out="small/", encoder="minilm")  # doctest: +SKIP
    """
    teaching = Teaching(
        cast("float | None", options.pop("temperature", None)), cast("float | None", options.pop("label_weight", None))
    )
    backend, overwrite = str(options.pop("backend", "auto")), bool(options.pop("overwrite", False))
    bar = ProgressBar() if options.pop("progress", True) else None
    baseline = bool(options.pop("baseline", True))
    decide, others = take_decisions(options)
    data, config = split_options(normalize_options(others))
    check_target(Path(out), overwrite=overwrite)
    ready = Distilling.prepare(
        Predictor.load(teacher, backend),
        LessonTables(sources_of(unlabelled), train, valid, test),
        teaching=teaching,
        data=data,
        config=config,
        decide=decide,
    )

    def show(view: View) -> None:
        if bar is not None:
            bar.console.print(view, highlight=False, markup=False)

    callbacks = [] if bar is None else [bar]
    done = ready.run(Path(out), overwrite=overwrite, baseline=baseline, callbacks=callbacks, on_view=show)
    show(done.view())
    return Predictor.load(done.folder)


@dataclass(frozen=True)
class Distilling:
    """A distillation that is ready to start. draft: a learner of the student, whose rows are not answered yet.

    teacher_seconds: that all answers of the teacher will take, by an estimate.    names: of the tables.
    """

    teacher: Predictor
    teaching: Teaching
    material: Material
    draft: Learner
    teacher_seconds: float
    names: Mapping[str, object]

    @classmethod
    def prepare(
        cls,
        teacher: Predictor,
        tables: LessonTables,
        *,
        teaching: Teaching | None = None,
        data: DataConfig | None = None,
        config: TrainConfig | None = None,
        decide: DecisionConfig | None = None,
    ) -> Self:
        """Read the rows, open the student's encoder, and time the teacher on a few texts.

        Raises UsageError for a teacher that cannot be distilled, wrong options or bad input.
        """
        chosen, given, lesson = config or TrainConfig(), data or DataConfig(), teaching or Teaching()
        task = taught_task(teacher.task, lesson)
        _check(lesson, tables, chosen)
        material = read_material(teacher, tables, given, chosen.seed)
        limit = min(teacher.bundle.max_tokens, open_encoder(chosen.encoder).default_max_tokens)
        bunch = DataBunch.from_examples(
            task,
            {
                "train": [untaught_example(task, row) for row in (*material.texts, *material.labelled)],
                "valid": [untaught_example(task, row) for row in material.valid],
            },
            config=given.changed(
                max_tokens=given.max_tokens or limit, truncation=teacher.bundle.task.to_json()["truncation"]
            ),
            layout=saved_layout(teacher),
            facts=material.notes,
            seed=chosen.seed,
        )
        deciding: dict[str, Any] = (decide or DecisionConfig()).to_json()
        draft = Learner(bunch, config=chosen, **deciding)
        if chosen.epochs is None and (draft.plan(estimate=False).config.epochs or 0) < LEAST_EPOCHS:
            draft.config = draft.config.changed(epochs=LEAST_EPOCHS)
        return cls(teacher, lesson, material, draft, _time(teacher, material.taught), tables.names())

    @property
    def name(self) -> str:
        """Return the name of the teacher: that of its folder, without where it lies."""
        return self.teacher.bundle.folder.resolve().name

    def view(self) -> View:
        """Return what will be done, for people."""
        return View((Block("Teacher", self._teacher_lines()), *self.draft.plan().view().blocks[:2]))  # without counts

    def to_json(self) -> dict[str, object]:
        """Return the plan as plain values; counts of labels are not known before the teacher has answered."""
        plan = self.draft.plan().to_json()
        return {**plan, "label_counts": {}, "warnings": [], "teacher": self.name, **self._settings()}

    def run(
        self,
        out: Path,
        *,
        overwrite: bool = False,
        baseline: bool = True,
        callbacks: Sequence[Callback] = (),
        on_view: OnView = lambda view: None,
    ) -> Distilled:
        """Have the teacher answer, train the student, compare both and write the student's bundle.

        baseline: whether a linear model learns from the same rows, for the student to beat; only where there are
            labelled rows to score both on.
        on_view: is shown the plan, how far the teacher is, what it answered, and a warning where the student gives
            one answer to all rows.
        Raises BundleError as `Learner.save` does.
        """
        check_target(out, overwrite=overwrite)
        on_view(self.view())
        material = self.material
        train = [row for row, _ in self._answers((*material.texts, *material.labelled), on_view)]
        valid = material.valid if material.valid_labelled else [row for row, _ in self._answers(material.valid)]
        held_out = list(self._answers(material.held_out))
        learner = self._learner(train, valid, callbacks)
        on_view(View((label_block(learner.data),)))
        scored = baseline and (material.valid_labelled or bool(material.test))
        check = LinearCheck.of(learner.data, learner.config.seed, learner.deciding) if scored else None
        learner.fit()
        if learner.collapse:
            on_view(View((Block("Warning", (learner.collapse,)),)))
        facts = self._settings() | self._compared(learner, held_out)
        learner.facts[FACT] = facts
        bundle = read_bundle(learner.save(out, overwrite=overwrite, baseline=check))
        return Distilled(bundle.folder, learner, facts, read_facts(bundle.facts).baseline)

    def _teacher_lines(self) -> tuple[str, ...]:
        material, facts = self.material, self._settings()
        parts = [f"{len(material.texts):,} texts without labels"]
        parts += [f"{len(material.labelled):,} rows with labels"] if material.labelled else []
        settings = [
            f"{name.replace('_', ' ')} {facts[name]:g}"
            for name in ("temperature", "label_weight")
            if facts[name] is not None
        ]
        theirs, own = parameters_of_folder(self.teacher.bundle.folder), count_parameters(self.draft.model)
        size = "of unknown size" if theirs is None else f"{theirs / 1e6:,.1f} M parameters"
        return (
            f"model      {self.name}: {self.teacher.task.describe()}, {self.teacher.backend.name}",
            f"size       {size}; the student {own / 1e6:,.1f} M",
            f"student    learns from {' and '.join(parts)}" + (f"; {', '.join(settings)}" if settings else ""),
            f"chosen by  {len(material.valid):,} {self._chosen_by}",
            f"estimate   {duration(self.teacher_seconds)} for {len(material.taught):,} answers, then the training",
        )

    @property
    def _chosen_by(self) -> str:
        return "labelled validation rows" if self.material.valid_labelled else "texts with the teacher's answers"

    def _settings(self) -> dict[str, object]:
        task, material = self.draft.data.task, self.material
        return {
            "teacher": self.name,
            "temperature": task.temperature if isinstance(task, TaughtSingleLabel) else None,
            "label_weight": getattr(task, "label_weight", None) if material.labelled else None,
            "rows": {
                "texts": len(material.texts),
                "labelled": len(material.labelled),
                "held_out": len(material.held_out),
                "valid": len(material.valid),
            },
            "tables": dict(self.names),
            "chosen_by": "labels" if material.valid_labelled else "teacher",
        }

    def _answers(
        self, rows: Sequence[Example], on_view: OnView = lambda view: None
    ) -> Iterator[tuple[Taught, Prediction]]:
        """Yield rows with what the teacher says of them, and its answers by its rule; outputs are computed once."""
        plain, task, done = self.teacher.with_decisions(Decisions()), self.teacher.task, 0
        for block in chunks(rows, num_characters, CHUNK):
            raw = plain.predict_examples(block)
            said = task.redecide(raw, self.teacher.bundle.decisions)
            for row, outputs, answer in zip(block, raw, said, strict=True):
                yield taught_example(task, row, outputs, answer), answer
            done += len(block)
            if len(rows) > CHUNK:
                on_view(View((Block(lines=(f"{self.name}: {done:,} of {len(rows):,} texts answered",)),)))

    def _learner(self, train: Sequence[Example], valid: Sequence[Example], callbacks: Sequence[Callback]) -> Learner:
        """Return a learner of the student on rows that are answered."""
        material, draft = self.material, self.draft
        splits = {"train": train, "valid": valid}
        if material.test:
            splits["test"] = material.test
        told = f"the rows of train without a label, {'' if material.valid_labelled else 'and those of valid, '}"
        facts = (*material.notes, f"labels: {told}have the answers of the teacher, '{self.name}'")
        bunch = DataBunch.from_examples(
            draft.data.task, splits, config=draft.data.config, layout=draft.data.layout, facts=facts
        )
        deciding: dict[str, Any] = draft.deciding.to_json()
        learner = Learner(bunch, config=draft.config, callbacks=callbacks, **deciding)
        learner.measured = draft.measured
        return learner

    def _compared(self, learner: Learner, answered: Sequence[tuple[Taught, Prediction]]) -> dict[str, object]:
        """Return agreement, scores on labelled rows, size and speed of both. answered: the texts held out."""

        def student(examples: Sequence[Example]) -> list[Prediction]:
            return learner.predict([_input(example) for example in examples])

        teacher, task = self.teacher, learner.data.task
        held_out, theirs = [row for row, _ in answered], [said for _, said in answered]
        own = student(held_out)
        share = sum(one.agrees(other) for one, other in zip(theirs, own, strict=True)) / len(held_out)
        low, high = wilson_interval(share, len(held_out))
        known = {"valid": self.material.valid if self.material.valid_labelled else (), "test": self.material.test}
        contestants = [
            Contestant("teacher", teacher.predict_examples, "", None, parameters_of_folder(teacher.bundle.folder)),
            Contestant("student", student, "", None, count_parameters(learner.model)),
        ]
        return {
            "agreement": {"share": share, "low": low, "high": high, "scores": task.score(own, held_out)},
            "truth": {
                split: {"teacher": task.score(teacher.predict_examples(rows), rows), "student": learner.evaluate(split)}
                for split, rows in known.items()
                if rows
            },
            "costs": [cost.to_json() for cost in measure_costs(contestants, held_out)],
            "backends": {"teacher": teacher.backend.name, "student": "torch"},
        }


def _check(teaching: Teaching, tables: LessonTables, config: TrainConfig) -> None:
    if not tables.unlabelled:
        raise ConfigError("There are no texts to learn from.", "Give some with --unlabelled.")
    if teaching.label_weight is not None and tables.train is None:
        raise ConfigError(
            f"label_weight is {teaching.label_weight:g}, but no labelled rows are given.", "Give some with --train."
        )
    if config.loss != "default":
        raise ConfigError(
            f"loss is '{config.loss}', but a student learns the outputs of its teacher by a loss of their own.",
            "Leave it out; train the teacher with it instead.",
        )


def _time(teacher: Predictor, rows: Sequence[Example]) -> float:
    """Return the seconds that the teacher will take for rows, measured on some of them."""
    sample = rows[:: max(1, len(rows) // SAMPLE)][:SAMPLE]
    teacher.predict_examples(sample[:1])  # the first call of an engine prepares it
    start = time.perf_counter()
    teacher.predict_examples(sample)
    return (time.perf_counter() - start) / len(sample) * len(rows)


def _input(example: Example) -> TextInput:
    return example.text if example.pair is None else (example.text, example.pair)

"""A learner made into a bundle: checkpoint, answers to the rows held out, their scores and the report.

A split may also be answered later, by the model as it was saved (`with_split`). Knows nothing of training.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from fastbert.bundle import Bundle, read_bundle, rewrite, write_bundle
from fastbert.data.databunch import DataBunch
from fastbert.data.features import EncodedRows
from fastbert.decisions.rules import Decisions
from fastbert.decisions.saved import Arrays, read_rows, write_rows
from fastbert.inference.predictor import Predictor
from fastbert.insight.collapse import with_collapse
from fastbert.insight.evidence import Evidence
from fastbert.insight.gathering import gather, row_facts
from fastbert.insight.kept_rows import keep
from fastbert.insight.linear_check import LinearCheck
from fastbert.insight.report import write_report
from fastbert.models.loading import save_model
from fastbert.tasks.base import Example, Prediction, Task
from fastbert.training.callbacks import saved
from fastbert.training.run_record import run_record, tables_of

if TYPE_CHECKING:
    from fastbert.training.learner import Learner

log = logging.getLogger(__name__)


def save(learner: Learner, folder: Path, *, overwrite: bool, baseline: LinearCheck | None = None) -> Path:
    """Write the bundle of a learner and return its path. Raises BundleError as `Learner.save` does.

    baseline: a linear model of the same rows, whose scores are saved, too.
    """
    started = time.perf_counter()
    answers = {split: _answer_of(learner, split) for split in learner.data.splits if split != "train"}
    said = {split: answer.said for split, answer in answers.items()}
    evaluation: dict[str, object] = {}
    if not learner.data.folded:  # else their answers are only read again
        evaluation = _evaluation(time.perf_counter() - started, sum(map(len, said.values())))
    scores = {split: learner._score(given, split) for split, given in said.items()}
    bundle = Bundle(
        folder=folder,
        task=learner.data.task,
        decisions=learner.decisions,
        max_tokens=learner.data.max_tokens,
        tokenizer=learner.encoder.tokenizer.to_json(),
        head=None if learner.head is None else _place_of(learner.head),
        pooling=learner.config.pooling,
        scores=scores,
        facts=_facts(learner, evaluation) | _baseline_facts(learner, baseline, answers),
    )
    last = list(scores)[-1]
    evidence = _evidence(bundle, last, answers[last], learner.data.examples(last), learner.data.encoded(last))

    def write_files(working: Path) -> None:
        save_model(learner.model, learner.encoder, working, learner.data.max_tokens)
        _write_answers(working, {split: answer.packed for split, answer in answers.items()}, evidence)

    return saved(bundle, write_bundle(bundle, write_files, overwrite=overwrite), learner.callbacks)


@dataclass(frozen=True)
class Answer:
    """The answers to the rows of a split. raw, said: by the plain rule and by that of the model.

    packed: what a rule can be fitted to again, {} where the task keeps nothing.
    """

    raw: list[Prediction]
    said: list[Prediction]
    packed: Arrays


def with_split(folder: Path, data: DataBunch, split: str) -> Bundle:
    """Answer a split by a bundle and write it into the bundle, as if the training had had it. Return the bundle.

    data: of the training, with the split; it becomes the one that the report is about.
    """
    bundle, examples = read_bundle(folder), data.examples(split)
    predictor = Predictor.load(folder, "torch")
    started = time.perf_counter()
    answer = _answer(
        bundle.task, lambda rule: predictor.with_decisions(rule).predict_examples(examples), examples, bundle.decisions
    )
    facts = _facts_with(bundle.facts, data, _evaluation(time.perf_counter() - started, len(examples)))
    scores = {**bundle.scores, split: bundle.task.score(answer.said, examples)}
    changed = replace(bundle, scores=scores, facts=facts)
    features = bundle.task.encode(examples, predictor.tokenizer, bundle.max_tokens)
    evidence = _evidence(changed, split, answer, examples, EncodedRows.of(features, len(examples)))
    packed = {**read_rows(folder), split: answer.packed}
    rewrite(changed, lambda working: _write_answers(working, packed, evidence), f"the answers to the {split} rows")
    return changed


def _facts(learner: Learner, evaluation: dict[str, object]) -> dict[str, object]:
    plan = learner.last_plan if hasattr(learner, "last_plan") else learner.plan(estimate=False)
    record = run_record(
        learner.model, learner.data.splits, learner.deciding, valid_held_out=learner.data.valid_held_out
    )
    history = learner.history.to_json()
    facts = {"plan": plan.to_json(), "history": history, "run": record | evaluation, **learner.facts}
    return with_collapse(facts, learner.collapse)


def _baseline_facts(learner: Learner, baseline: LinearCheck | None, answers: Mapping[str, Answer]) -> dict[str, object]:
    """Return how the model compares with the linear one, {} where that is not known."""
    if baseline is None:
        return {}
    task, last = learner.data.task, list(answers)[-1]
    always = task.open_rule(learner.decisions)
    whole = None if always == learner.decisions else task.redecide(answers[last].raw, always)
    try:
        return {"baseline": baseline.facts({split: answer.said for split, answer in answers.items()}, whole)}
    except Exception as error:  # whatever it is, hours of training must not be lost to a comparison
        log.warning("the comparison with the linear model failed, the model is saved without it: %r", error)
        return {}


def _answer(
    task: Task,
    predict: Callable[[Decisions], list[Prediction]],
    examples: Sequence[Example],
    decisions: Decisions,
) -> Answer:
    raw = predict(Decisions())
    packed = dict(task.pack(raw, examples))
    return Answer(raw, task.redecide(raw, decisions) if packed else predict(decisions), packed)


def _answer_of(learner: Learner, split: str) -> Answer:
    def predict(rule: Decisions) -> list[Prediction]:
        return learner._predict_split(split, learner._backend(), rule)

    return _answer(learner.data.task, predict, learner.data.examples(split), learner.decisions)


def _evidence(
    bundle: Bundle, split: str, answer: Answer, examples: Sequence[Example], encoded: EncodedRows
) -> Evidence:
    return gather(bundle, split, answer.raw, answer.said, examples, row_facts(encoded, examples))


def _write_answers(working: Path, packed: Mapping[str, Arrays], evidence: Evidence) -> None:
    write_rows(working, packed)
    keep(working, evidence)
    write_report(working, evidence)


def _evaluation(seconds: float, num_rows: int) -> dict[str, object]:
    return {"evaluation_seconds": round(seconds, 3), "evaluated_rows": num_rows}


def _facts_with(facts: Mapping[str, object], data: DataBunch, evaluation: Mapping[str, object]) -> dict[str, object]:
    """Return the facts of a bundle, of data with one more split. evaluation: of that split."""
    plan, run = (cast("Mapping[str, object]", facts[name]) for name in ("plan", "run"))
    summed = {
        name: round(cast("float", run.get(name, 0)) + cast("float", more), 3) for name, more in evaluation.items()
    }
    tables = tables_of(data.splits, valid_held_out=data.valid_held_out)
    return {
        **facts,
        "plan": {**plan, "rows": data.row_counts(), "label_counts": data.label_counts()},
        "run": {**run, **summed, "tables": tables},
    }


def _place_of(function: Callable[..., object]) -> str:
    """Return "module:qualified name", for a person who must pass the same head again."""
    inner = getattr(function, "func", function)
    return f"{inner.__module__}:{getattr(inner, '__qualname__', type(inner).__qualname__)}"

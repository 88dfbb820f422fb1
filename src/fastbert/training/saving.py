"""A learner made into a bundle: checkpoint, answers to the rows held out, their scores and the report.

Knows nothing of training.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fastbert.bundle import Bundle, write_bundle
from fastbert.decisions.saved import Arrays, write_rows
from fastbert.insight.collapse import with_collapse
from fastbert.insight.gathering import gather, row_facts
from fastbert.insight.kept_rows import keep
from fastbert.insight.linear_check import LinearCheck
from fastbert.insight.report import write_report
from fastbert.models.loading import save_model
from fastbert.tasks.base import Prediction
from fastbert.training.callbacks import saved
from fastbert.training.run_record import run_record

if TYPE_CHECKING:
    from fastbert.training.learner import Learner

log = logging.getLogger(__name__)


def save(learner: Learner, folder: Path, *, overwrite: bool, baseline: LinearCheck | None = None) -> Path:
    """Write the bundle of a learner and return its path. Raises BundleError as `Learner.save` does.

    baseline: a linear model of the same rows, whose scores are saved, too.
    """
    started = time.perf_counter()
    packed, answers, raw = _answers(learner)
    evaluation: dict[str, object] = {}
    if not learner.data.folded:  # else their answers are only read again
        evaluation["evaluation_seconds"] = round(time.perf_counter() - started, 3)
        evaluation["evaluated_rows"] = sum(map(len, answers.values()))
    scores = {split: learner._score(given, split) for split, given in answers.items()}
    bundle = Bundle(
        folder=folder,
        task=learner.data.task,
        decisions=learner.decisions,
        max_tokens=learner.data.max_tokens,
        tokenizer=learner.encoder.tokenizer.to_json(),
        head=None if learner.head is None else _place_of(learner.head),
        pooling=learner.config.pooling,
        scores=scores,
        facts=_facts(learner, evaluation) | _baseline_facts(learner, baseline, answers, raw),
    )
    last = list(scores)[-1]
    examples = learner.data.examples(last)
    evidence = gather(bundle, last, raw, answers[last], examples, row_facts(learner.data.encoded(last), examples))

    def write_files(working: Path) -> None:
        save_model(learner.model, learner.encoder, working, learner.data.max_tokens)
        write_rows(working, packed)
        keep(working, evidence)
        write_report(working, evidence)

    return saved(bundle, write_bundle(bundle, write_files, overwrite=overwrite), learner.callbacks)


def _facts(learner: Learner, evaluation: dict[str, object]) -> dict[str, object]:
    plan = learner.last_plan if hasattr(learner, "last_plan") else learner.plan(estimate=False)
    record = run_record(
        learner.model, learner.data.splits, learner.deciding, valid_held_out=learner.data.valid_held_out
    )
    history = learner.history.to_json()
    facts = {"plan": plan.to_json(), "history": history, "run": record | evaluation, **learner.facts}
    return with_collapse(facts, learner.collapse)


def _baseline_facts(
    learner: Learner,
    baseline: LinearCheck | None,
    answers: Mapping[str, Sequence[Prediction]],
    raw: Sequence[Prediction],
) -> dict[str, object]:
    """Return how the model compares with the linear one, {} where that is not known. raw: as of `_answers`."""
    if baseline is None:
        return {}
    task = learner.data.task
    always = task.open_rule(learner.decisions)
    whole = None if always == learner.decisions else task.redecide(raw, always)
    try:
        return {"baseline": baseline.facts(answers, whole)}
    except Exception as error:  # whatever it is, hours of training must not be lost to a comparison
        log.warning("the comparison with the linear model failed, the model is saved without it: %r", error)
        return {}


def _answers(learner: Learner) -> tuple[dict[str, Arrays], dict[str, list[Prediction]], list[Prediction]]:
    """Return, for each split that was held out, what a rule can be fitted to again, and the answers by the rule.

    Then those of the last split by the plain rule.
    """
    packed: dict[str, Arrays] = {}
    answers: dict[str, list[Prediction]] = {}
    raw: list[Prediction] = []
    for split in learner.data.splits:
        if split != "train":
            raw = learner.raw_predictions(split)
            packed[split] = dict(learner.data.task.pack(raw, learner.data.examples(split)))
            redecided = learner.data.task.redecide(raw, learner.decisions)
            answers[split] = redecided if packed[split] else learner.predictions(split)
    return packed, answers, raw


def _place_of(function: Callable[..., object]) -> str:
    """Return "module:qualified name", for a person who must pass the same head again."""
    inner = getattr(function, "func", function)
    return f"{inner.__module__}:{getattr(inner, '__qualname__', type(inner).__qualname__)}"

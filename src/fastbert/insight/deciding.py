"""Another decision rule for a model that is trained: fitted, scored on every split that was held out, and saved.

What it is fitted to lies in the bundle (`decisions.saved`), or is a table of rows given now. The weights stay.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastbert.bundle import Bundle, read_bundle, rewrite
from fastbert.config import DataConfig, DecisionConfig
from fastbert.data.sources import Source
from fastbert.decisions.rules import Decisions
from fastbert.decisions.saved import read_rows
from fastbert.errors import ConfigError
from fastbert.inference.evaluation import read_examples
from fastbert.inference.predictor import Predictor
from fastbert.insight import folds_section
from fastbert.insight.baseline_section import of_another_rule
from fastbert.insight.collapse import FACT, describe_collapse, with_collapse
from fastbert.insight.kept_rows import recall
from fastbert.insight.report import write_report
from fastbert.insight.run_facts import DECIDED_ON, read_facts
from fastbert.tasks.base import Example, Prediction

Rows = tuple[Sequence[Prediction], Sequence[Example]]
GIVEN = "given"  # the split of a table that is given now


@dataclass(frozen=True)
class Decided:
    """A bundle with another rule. before, after: scores of each split; fitted: split that the rule was fitted to.

    saved: whether it was written.    dropped: options of the rule before that are as by default now.
    """

    bundle: Bundle
    old: Decisions
    before: Mapping[str, Mapping[str, float]]
    after: Mapping[str, Mapping[str, float]]
    fitted: str
    saved: bool
    dropped: Mapping[str, object]

    def to_json(self) -> dict[str, object]:
        """Return what `fastbert decide --json` prints."""
        return {
            "bundle": str(self.bundle.folder),
            "rule": self.bundle.task.rule(self.bundle.decisions),
            "decisions": self.bundle.decisions.to_json(),
            "fitted_on": self.fitted,
            "before": {split: dict(scores) for split, scores in self.before.items()},
            "after": {split: dict(scores) for split, scores in self.after.items()},
            "saved": self.saved,
            "dropped": dict(self.dropped),
            "collapsed": self.bundle.facts.get(FACT),
        }


def decide(
    folder: str | Path,
    config: DecisionConfig,
    table: Source | None = None,
    *,
    data: DataConfig | None = None,
    backend: str = "auto",
    save: bool = True,
) -> Decided:
    """Fit another rule and write it into the bundle.

    table: labelled rows to fit it to, read as `evaluate` reads them; None: the validation rows of the training.
    save: False leaves the bundle as it is.    Raises ConfigError for what the task does not know, or without rows;
    DataError for a table that cannot be used.
    """
    bundle = read_bundle(folder)
    bundle.task.check_rule(config)
    splits = saved_rows(bundle)
    if table is not None:
        splits[GIVEN] = _rows_of(bundle, table, data or DataConfig(), backend)
    fitted = GIVEN if table is not None else "valid"
    if fitted not in splits:
        raise ConfigError(
            f"{folder} holds no scores of validation rows to fit a rule to.",
            "Give labelled rows: fastbert decide BUNDLE TABLE.",
        )
    task = bundle.task
    decisions = task.fit_rule(*splits[fitted], config)
    before, after = (
        {split: task.score(task.redecide(raw, rule), examples) for split, (raw, examples) in splits.items()}
        for rule in (bundle.decisions, decisions)
    )
    # metrics of the user's own cannot be computed here: they stay as they were
    scores = {split: {**values, **after.get(split, {})} for split, values in bundle.scores.items()}
    facts = _with_options(with_collapse(bundle.facts, _collapse(bundle, decisions, splits)), config, table)
    if decisions != bundle.decisions:
        facts = {**facts, **_of_the_rule_before(facts)}
    changed = dataclasses.replace(bundle, decisions=decisions, scores=scores, facts=facts)
    if save:
        rewrite(changed, lambda working: _write_report(working, changed, splits))
    earlier, chosen = read_facts(bundle.facts).deciding, config.chosen()
    dropped = {name: value for name, value in earlier.items() if name not in chosen}
    return Decided(changed, bundle.decisions, before, after, fitted, save, dropped)


def saved_rows(bundle: Bundle) -> dict[str, Rows]:
    """Return predictions by the plain rule, and examples without texts, of each split that was saved."""
    return {split: bundle.task.unpack(arrays) for split, arrays in read_rows(bundle.folder).items()}


def _rows_of(bundle: Bundle, table: Source, data: DataConfig, backend: str) -> Rows:
    predictor = Predictor.of(bundle, backend).with_decisions(Decisions())
    examples, _ = read_examples(predictor, table, data)
    predictor.task.check_truths(examples)
    return predictor.predict_examples(examples), examples


def _with_options(facts: Mapping[str, object], config: DecisionConfig, table: Source | None) -> dict[str, object]:
    """Return the facts of a bundle with the options of its rule, and the table that it was fitted to, if one was given.

    The report says by them how the model is made again. Of a table in memory the name is empty.
    """
    run = {name: value for name, value in read_facts(facts).run.items() if name != DECIDED_ON}
    if table is not None:
        run[DECIDED_ON] = Path(table).name if isinstance(table, str | os.PathLike) else ""
    return {**facts, "run": {**run, "deciding": config.chosen()}}


def _of_the_rule_before(facts: Mapping[str, object]) -> dict[str, object]:
    """Return those facts of a bundle that were measured by the rule of its training, marked as such."""
    found: dict[str, object] = {}
    if "baseline" in facts:
        found["baseline"] = of_another_rule(read_facts(facts).baseline)
    folds = facts.get(folds_section.FACT)
    if isinstance(folds, dict):
        found[folds_section.FACT] = {**folds, folds_section.RULE_CHANGED: True}
    return found


def _collapse(bundle: Bundle, decisions: Decisions, splits: Mapping[str, Rows]) -> str:
    """Return what `describe_collapse` says of the validation rows, or nothing without them."""
    if "valid" not in splits:
        return ""
    raw, examples = splits["valid"]
    loss = str(read_facts(bundle.facts).options.get("loss", "default"))
    return describe_collapse(bundle.task, raw, decisions, examples, "auto" if "loss_choice" in bundle.facts else loss)


def _write_report(working: Path, bundle: Bundle, splits: Mapping[str, Rows]) -> None:
    known = [split for split in bundle.scores if split in splits]
    if known:
        write_report(working, recall(bundle, known[-1]))

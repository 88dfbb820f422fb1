"""The end of a search: the winner is chosen, its model written and scored on the test rows, and all shown on a page.

Here, and only here, the test rows are answered: no trial is given them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fastbert.bundle import Bundle, read_bundle, write_bundle
from fastbert.config import DataConfig, TrainConfig
from fastbert.export.exporting import export_bundle
from fastbert.export.parity import rows_of
from fastbert.insight.evidence import Evidence
from fastbert.insight.kept_rows import recall
from fastbert.insight.report import write_report
from fastbert.jsonable import finite
from fastbert.training.learner import Learner
from fastbert.training.saving import with_split
from fastbert.tuning.keeping import BEST, PAGE, RESULT, SPACE, Place, copy_model
from fastbert.tuning.page import search_page
from fastbert.tuning.result import Choice, TuneResult, choose, options_toml
from fastbert.tuning.search import Search
from fastbert.tuning.setup import Prepared
from fastbert.tuning.study import Record


def finish(search: Search, records: Sequence[Record]) -> TuneResult:
    """Choose the winner and write everything, unless other processes still run trials: the last one does it then.

    Two processes may both find themselves the last. They write one after the other, and the same.
    Raises TrainingError where the trial with the defaults was lost and could not be run again.
    """
    prepared = search.prepared
    limit_s = prepared.settings.max_latency_s
    choice = choose(records, limit_s, len(prepared.material.examples))
    data, config = winning_options(prepared, choice.winner)
    found = TuneResult(
        bundle=None,
        choice=choice,
        records=records,
        space=prepared.space,
        monitor=prepared.material.data.task.monitor,
        importances=search.trials.importances(),
        seconds=prepared.budget.spent_s,
        reason=search.reason,
        data=data,
        config=config,
        deciding=prepared.material.deciding,
        folder=prepared.place.folder,
        limit_s=limit_s,
        running=sum(record.state == "running" for record in records),
    )
    if found.running:
        return found
    with prepared.place.locked():
        bundle = _write_model(prepared, choice, found)
        _write_files(prepared.place, found, bundle)
        if prepared.material.test:
            bundle = with_split(bundle.folder, prepared.material.with_test, "test")
            found = replace(found, test=bundle.scores["test"])
        if prepared.settings.backend != "torch":
            rows = rows_of(list(prepared.material.data.examples("valid")), "the validation rows")
            export_bundle(bundle.folder, "onnx", data=rows)
            bundle = read_bundle(bundle.folder)
        found = replace(found, bundle=bundle, seconds=prepared.budget.spent_s)
        _write_files(prepared.place, found, bundle)
    return found


def winning_options(prepared: Prepared, winner: Record) -> tuple[DataConfig, TrainConfig]:
    """Return all options of the winner, as a training of its own takes them."""
    own = winner.options
    data = prepared.material.data.config
    data = data.changed(**{name: value for name, value in own.items() if hasattr(data, name)})
    config = prepared.config.changed(**{name: value for name, value in own.items() if not hasattr(data, name)})
    return data, config


def _write_model(prepared: Prepared, choice: Choice, found: TuneResult) -> Bundle:
    """Write the winner's model: the one that was measured, or, where it is not kept here, one trained once more."""
    facts = {
        "study": prepared.study,
        "trial": choice.winner.number,
        "options": dict(choice.winner.options),
        "score": choice.winner.value,
        "trials": sum(record.counts for record in found.records),
        "splits": len(prepared.material.splits),
        "verdict": None if choice.verdict is None else choice.verdict.to_json(),
        "said": found.sentences(),
    }
    kept = prepared.place.model(choice.winner.number)
    if kept is None:
        learner = _train_again(prepared, choice.winner)
        learner.facts["tuning"] = {**facts, "trained_again": True}
        return read_bundle(learner.save(prepared.out, overwrite=True))
    bundle = read_bundle(kept)
    bundle = replace(bundle, folder=prepared.out, facts={**bundle.facts, "tuning": facts})
    evidence = recall(replace(bundle, folder=kept), "valid")
    return _write(bundle, kept, replace(evidence, bundle=bundle))


def _train_again(prepared: Prepared, winner: Record) -> Learner:
    """Train on the split of the data itself: of several splits none is the result, nor a model of another machine."""
    data, config = winning_options(prepared, winner)
    cut = (config.encoder, data.truncation, data.max_tokens)
    return prepared.material.learner(None, config, cut).fit()


def _write(bundle: Bundle, source: Path, evidence: Evidence) -> Bundle:
    """Write the files of a bundle from a folder into its own, with a report of some rows."""
    copy = copy_model(source)

    def write_files(working: Path) -> None:
        copy(working)
        write_report(working, evidence)

    return read_bundle(write_bundle(bundle, write_files, overwrite=True))


def _write_files(place: Place, found: TuneResult, bundle: Bundle) -> None:
    """Write the page, the options and the numbers into the working folder."""
    place.write(BEST, options_toml(found.data, found.config, found.deciding))
    place.write(SPACE, found.space.to_toml())
    place.write(RESULT, json.dumps(finite({**found.to_json(), "bundle": str(bundle.folder)}), indent=2) + "\n")
    place.write(PAGE, search_page(found, bundle.folder.name))

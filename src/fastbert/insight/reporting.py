"""The report of a model that is trained: written anew from what its bundle holds, or made of rows that are given now.

A page of rows given now is the user's own file and lies outside the bundle; only there texts may be shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fastbert.bundle import Bundle, read_bundle, rewrite
from fastbert.config import DataConfig
from fastbert.data.features import EncodedRows
from fastbert.data.sources import Source
from fastbert.decisions.rules import Decisions
from fastbert.display import shorten
from fastbert.errors import BundleError, ConfigError
from fastbert.inference.evaluation import read_examples
from fastbert.inference.predictor import Predictor
from fastbert.inference.writers import check_place
from fastbert.insight.evidence import Evidence, RowFacts
from fastbert.insight.gathering import gather, row_facts
from fastbert.insight.kept_rows import recall
from fastbert.insight.report import REPORT, report_page, write_report
from fastbert.insight.uncertainty import Uncertainty, uncertainty
from fastbert.tasks.base import Example, Prediction, Task

WORST = 15  # rows of the JSON
TEXT_WIDTH = 400  # characters of a text that are shown


@dataclass(frozen=True)
class Reported:
    """A report that was written. page: where.    notes: rows that were left out, and how columns were understood."""

    page: Path
    evidence: Evidence
    unsure: Uncertainty
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return what `fastbert report --json` prints."""
        found, unsure = self.evidence, self.unsure
        worst = np.argsort(-found.loss_N, kind="stable")[:WORST].tolist() if found.rows.places else []
        return {
            "report": str(self.page),
            "rows": found.num_rows,
            "of": found.split,
            "scores": dict(found.scores),
            "intervals": {name: list(ends) for name, ends in unsure.scores.items()},
            "per_label": {name: dict(scores) for name, scores in found.per_label.items()},
            "f1_intervals": {name: list(ends) for name, ends in unsure.labels.items()},
            "confusion": found.confusion,
            "worst": [{"row": found.rows.places[row], "loss": float(found.loss_N[row])} for row in worst],
            "notes": list(self.notes),
        }


def renew(folder: str | Path, out: Path | None = None) -> Reported:
    """Write the report and the card of a bundle again, from the numbers that it holds.

    out: the page is written there, and the bundle left as it is.
    Raises BundleError for a bundle that holds no answers, ConfigError for a page that cannot be written.
    """
    bundle = read_bundle(folder)
    split = next(reversed(list(bundle.scores)), "")
    evidence = recall(bundle, split)
    if not evidence.num_rows:
        raise BundleError(
            f"{folder} holds no answers to rows that were held out: it was saved by an older version, or by hand.",
            "Give labelled rows: fastbert report BUNDLE TABLE.",
        )
    unsure = uncertainty(evidence)

    def write(working: Path) -> None:
        write_report(working, evidence, unsure)

    if out is not None:
        return Reported(_written(out, evidence, unsure), evidence, unsure)
    rewrite(bundle, write, "the report")
    return Reported(bundle.folder / REPORT, evidence, unsure)


def report_table(
    folder: str | Path,
    table: Source,
    out: Path,
    *,
    data: DataConfig | None = None,
    backend: str = "auto",
    texts: bool = False,
) -> Reported:
    """Write a page on labelled rows, read as `evaluate` reads them. texts: shown for the rows that are listed.

    Raises ConfigError or DataError for a page that cannot be written, before any work, and DataError for a table that
    cannot be used.
    """
    bundle = read_bundle(folder)
    _check_out(out, bundle, *([table] if isinstance(table, str | Path) else []))
    predictor = Predictor.of(bundle, backend)
    examples, notes = read_examples(predictor, table, data or DataConfig())
    predictor.task.check_truths(examples)
    raw = predictor.with_decisions(Decisions()).predict_examples(examples)
    said = _decided(predictor, raw, examples)
    name = Path(table).name if isinstance(table, str | Path) else "given"
    evidence = gather(bundle, name, raw, said, examples, _row_facts(predictor, examples))
    evidence = replace(evidence, own_scores=predictor.task.score(said, examples))
    if texts:
        evidence = replace(evidence, texts=tuple(_text(example) for example in examples))
    unsure = uncertainty(evidence)
    return Reported(_written(out, evidence, unsure), evidence, unsure, notes)


def _decided(predictor: Predictor, raw: Sequence[Prediction], examples: Sequence[Example]) -> Sequence[Prediction]:
    """Return the answers by the rule: of scores that are there, or from the model where the task decides only there."""
    if type(predictor.task).redecide is not Task.redecide:
        return predictor.task.redecide(raw, predictor.bundle.decisions)
    return raw if predictor.bundle.decisions == Decisions() else predictor.predict_examples(examples)


def _row_facts(predictor: Predictor, examples: Sequence[Example]) -> RowFacts:
    features = predictor.task.encode(examples, predictor.tokenizer, predictor.bundle.max_tokens)
    return row_facts(EncodedRows.of(features, len(examples)), examples)


def _text(example: Example) -> str:
    return shorten(example.text if example.pair is None else f"{example.text} | {example.pair}", TEXT_WIDTH)


def _check_out(out: Path, bundle: Bundle, *sources: str | Path) -> None:
    if bundle.folder.resolve() in out.resolve().parents:
        raise ConfigError(
            f"{out} lies inside the model's folder, which holds only what belongs to the model.",
            "Choose a name elsewhere with --out.",
        )
    check_place(out, *sources)


def _written(out: Path, evidence: Evidence, unsure: Uncertainty) -> Path:
    _check_out(out, evidence.bundle)
    page = report_page(evidence, unsure, title=f"{evidence.bundle.folder.name}: {evidence.split}")
    working = out.with_name(f".{out.name}.part")
    try:
        working.write_text(page, encoding="utf-8")
        working.replace(out)
    except OSError as error:
        raise ConfigError(f"{out} cannot be written ({error.strerror or error}).", "Choose another --out.") from error
    finally:
        working.unlink(missing_ok=True)
    return out

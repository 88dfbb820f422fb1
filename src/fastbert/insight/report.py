"""The report of a trained model: one HTML page and a model card, written into the bundle.

The page opens from a disk, offline, in light and dark, and prints. It shows names, numbers and places of rows, and
never the text of one, unless the page is the user's own. Each section is a module of its own and is left out where the
task has nothing for it. Knows nothing of torch or of how the numbers were computed.
"""

from __future__ import annotations

from pathlib import Path

from fastbert.bundle import MANIFEST
from fastbert.insight import report_run as run
from fastbert.insight import report_scores as scores
from fastbert.insight.baseline_section import baseline_section
from fastbert.insight.distilled_section import distilled_section
from fastbert.insight.evidence import Evidence
from fastbert.insight.folds_section import cross_validation_section
from fastbert.insight.model_card import model_card
from fastbert.insight.page import document
from fastbert.insight.page_script import SCRIPT, STYLE
from fastbert.insight.report_answers import answers
from fastbert.insight.report_confidence import calibration, silence
from fastbert.insight.report_confusion import MAX_CONFUSION_LABELS as MAX_CONFUSION_LABELS
from fastbert.insight.report_confusion import mix_ups
from fastbert.insight.report_ranking import ranking, thresholds
from fastbert.insight.report_rows import lengths, worst
from fastbert.insight.report_values import values
from fastbert.insight.run_facts import read_facts
from fastbert.insight.uncertainty import Uncertainty, uncertainty
from fastbert.placing import files_of

REPORT, CARD = "report.html", "README.md"


def write_report(folder: Path, evidence: Evidence, unsure: Uncertainty | None = None) -> Path:
    """Write report.html and README.md, the model card, into a folder; return the path of the page.

    unsure: the intervals of the scores, where they are known already.    Raises OSError if the disk fails.
    """
    unsure = uncertainty(evidence) if unsure is None else unsure
    page = folder / REPORT
    size_bytes = _size(folder if (folder / "config.json").is_file() else evidence.bundle.folder)
    title = f"{evidence.bundle.folder.name}: report"
    page.write_text(report_page(evidence, unsure, title=title, size_bytes=size_bytes), encoding="utf-8")
    (folder / CARD).write_text(model_card(evidence, unsure), encoding="utf-8")
    return page


def report_page(evidence: Evidence, unsure: Uncertainty, *, title: str, size_bytes: int = 0) -> str:
    """Return the whole page. title: of its window; size_bytes: of the model's folder, 0 leaves it out."""
    bundle = evidence.bundle
    facts = read_facts(bundle.facts)
    return document(
        title,
        scores.header(evidence, facts, unsure, bundle.folder.name),
        scores.labels(evidence, unsure),
        scores.mistakes(evidence),
        scores.trust(evidence, facts, unsure),
        baseline_section(facts.baseline, bundle.scores, bundle.task.headlines),
        distilled_section(bundle.facts, bundle.task.headlines),
        cross_validation_section(bundle.facts, bundle.task.headlines),
        mix_ups(evidence),
        values(evidence),
        answers(evidence),
        ranking(evidence),
        thresholds(evidence),
        calibration(evidence),
        silence(evidence),
        worst(evidence),
        lengths(evidence),
        run.curves(facts, bundle.task.monitor),
        scores.all_scores(evidence, unsure),
        scores.adaptation(facts, bundle.task.headlines),
        run.inferred(facts),
        run.data(facts, bundle.task.counted),
        run.training(facts, size_bytes),
        run.environment(bundle, facts),
        run.footer(facts),
        style=STYLE,
        script=SCRIPT,
    )


def _size(folder: Path) -> int:
    """Return the bytes of the files of a bundle that is there, or being written; 0 of none."""
    if not folder.is_dir() or not any((folder / name).is_file() for name in (MANIFEST, "config.json")):
        return 0
    return sum((folder / name).stat().st_size for name in files_of(folder))

"""The report of a trained model: one HTML page and a model card, written into the bundle.

The page opens from a disk, offline, in light and dark, and prints. It shows names and numbers
and never the text of a row: neither the page nor the card is given one.
Knows nothing of torch or of how the numbers were computed.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Sequence
from pathlib import Path

from fastbert.bundle import Bundle
from fastbert.display import duration, number, shorten, utilisation
from fastbert.insight.baseline_section import baseline_section
from fastbert.insight.charts import Line, line_chart, running_mean
from fastbert.insight.folds_section import cross_validation_section
from fastbert.insight.model_card import LabelScores, caveats, model_card
from fastbert.insight.page import Html, bar, definitions, document, element, escape, section, sentences, table
from fastbert.insight.run_facts import RunFacts, read_facts
from fastbert.metrics.names import LOWER_IS_BETTER, MEANINGS

REPORT, CARD = "report.html", "README.md"
MAX_CONFUSION_LABELS = 30  # a larger table cannot be read
LONG_TABLE = 40  # rows; longer ones are folded
NUM_MIX_UPS = 10
_PER_LABEL = ("precision", "recall", "f1", "average_precision")
_KINDS = ("exact", "wrong_boundary", "wrong_label", "missed", "spurious")  # what became of entities
_TITLES = {"f1": "F1", "average_precision": "average precision"}
_LAYOUT = (
    "format",
    "text",
    "tag",
    "sentence",
    "scheme",
    "pair",
    "label_columns",
    "kind",
    "delimiter",
    "group",
    "ignored",
    *("question", "context", "answer", "start"),
)
_PACKAGES = ("torch", "transformers", "tokenizers", "numpy")


def write_report(
    folder: Path,
    bundle: Bundle,
    per_label: LabelScores,
    *,
    split: str,
    confusion: list[list[int]] | None = None,
) -> Path:
    """Write report.html and README.md, the model card, into a folder; return the path of the page.

    per_label: scores of each label on the rows of split, which the report is about.
    confusion: rows of that split by true label (down) and decided label (across), in the order
    of per_label; for tasks where a row has exactly one.
    """
    facts = read_facts(bundle.facts)
    page = folder / REPORT
    text = document(
        f"{bundle.folder.name}: report",
        _header(bundle, facts, split),
        _labels(per_label, split),
        _mistakes(per_label, bundle.task.counted),
        _trust(bundle, facts, per_label, split),
        baseline_section(facts.baseline, bundle.scores, bundle.task.headlines),
        _mix_ups(tuple(per_label), confusion, split),
        _curves(facts, bundle.task.monitor),
        _all_scores(bundle),
        cross_validation_section(bundle.facts, bundle.task.headlines),
        _adaptation(facts, bundle.task.headlines),
        _inferred(facts),
        _data(facts, bundle.task.counted),
        _training(facts),
        _versions(bundle, facts),
    )
    page.write_text(text, encoding="utf-8")
    (folder / CARD).write_text(model_card(bundle, facts, per_label, split), encoding="utf-8")
    return page


def _header(bundle: Bundle, facts: RunFacts, split: str) -> Html:
    rows = f"{facts.rows[split]:,} {split} rows" if split in facts.rows else f"the {split} rows"
    scores = bundle.scores.get(split, {})
    tiles = [
        element(
            "div",
            _breakable(name),
            element("b", number(scores[name])),
            element("small", MEANINGS.get(name, "")),
            class_="tile",
        )
        for name in bundle.task.headlines
        if name in scores
    ]
    return element(
        "header",
        element("h1", bundle.folder.name),
        element("p", f"{bundle.task.describe()}. {facts.encoder}"),
        element("p", f"Measured on {rows}."),
        element("div", *tiles, class_="tiles"),
    )


def _breakable(name: str) -> Html:
    return Html(escape(name).replace("_", "_<wbr>"))


def _labels(per_label: LabelScores, split: str) -> Html:
    if not per_label:
        return Html("")
    columns = [name for name in _PER_LABEL if any(name in scores for scores in per_label.values())]
    rows = [
        [
            name,
            *(bar(number(value, 3), value) for value in (scores.get(column) for column in columns)),
            *(number(scores.get(column)) for column in ("support", "predicted")),
        ]
        for name, scores in per_label.items()
    ]
    headers = ["label", *(_TITLES.get(name, name) for name in columns), "support", "predicted"]
    return section(
        f"Each label, {split} rows",
        table(headers, rows, class_="wide numbers"),
        note="Support: how often the label is in the rows. Predicted: how often it was given.",
    )


def _mistakes(per_label: LabelScores, counted: str) -> Html:
    """Return what became of what should have been found, for tasks that say so."""
    names = [name for name in _KINDS if any(name in scores for scores in per_label.values())]
    if not names:
        return Html("")
    rows = [[label, *(number(scores.get(name)) for name in names)] for label, scores in per_label.items()]
    return section(
        "What was found and what was not",
        table([counted, *(name.replace("_", " ") for name in names)], rows, class_="numbers"),
        note="Exact to missed: those that should have been found. Spurious: what was given where there is nothing.",
    )


def _trust(bundle: Bundle, facts: RunFacts, per_label: LabelScores, split: str) -> Html:
    return section(
        "How far to trust these scores",
        element("p", f"Decision rule: {bundle.task.rule(bundle.decisions)}"),
        sentences(caveats(bundle, facts, per_label, split)),
    )


def _mix_ups(names: Sequence[str], confusion: list[list[int]] | None, split: str) -> Html:
    if confusion is None:
        return Html("")
    wrong = [
        (count, true, decided)
        for true, row in zip(names, confusion, strict=True)
        for decided, count in zip(names, row, strict=True)
        if count and true != decided
    ]
    worst = sorted(wrong, key=lambda entry: -entry[0])[:NUM_MIX_UPS]
    rows = [[true, decided, f"{count:,}"] for count, true, decided in worst]
    return section(
        f"What is taken for what, {split} rows",
        _heat_table(names, confusion) if len(names) <= MAX_CONFUSION_LABELS else Html(""),
        element("h3", "Most frequent mistakes") if rows else element("p", "No row was wrong."),
        table(["true", "decided", "rows"], rows) if rows else Html(""),
        note="Rows of the table are true labels, columns decided ones; the shade is the share of the true label.",
    )


def _heat_table(names: Sequence[str], confusion: list[list[int]]) -> Html:
    columns = (element("th", shorten(name, 20), title=name, scope="col") for name in names)
    head = element("tr", element("th", "true"), *columns)
    body = []
    for true, row in enumerate(confusion):
        total = max(sum(row), 1)
        cells = [
            element(
                "td",
                f"{count:,}" if count else "",
                class_="true" if decided == true else "other",
                style=f"background:rgba(var(--heat),{0.65 * count / total:.2f})",
            )
            for decided, count in enumerate(row)
        ]
        body.append(element("tr", element("th", names[true], scope="row"), *cells))
    inner = element("table", element("thead", head), element("tbody", *body), class_="heat")
    return element("div", inner, class_="scroll")


def _curves(facts: RunFacts, monitor: str) -> Html:
    losses = [loss for _, loss, _ in facts.steps]
    steps = [float(step) for step, _, _ in facts.steps]
    loss_lines = [
        Line("training loss", tuple(zip(steps, losses, strict=True)), style="faint"),
        Line("training loss, running mean", tuple(zip(steps, running_mean(losses), strict=True))),
        Line("validation loss", _points(facts, "log_loss"), "orange", "dots"),
    ]
    score_line = Line(monitor, _points(facts, monitor), style="dots")
    kept = facts.kept
    ring = (float(kept.step), kept.scores[monitor]) if kept is not None and monitor in kept.scores else None
    ring_name = f"kept: {ring[1]:.4f} after step {ring[0]:,.0f}" if ring is not None else ""
    rates = Line("learning rate", tuple((float(step), rate) for step, _, rate in facts.steps))
    charts = [
        line_chart("Loss", loss_lines, x_name="step", y_name="loss"),
        line_chart("Validation", [score_line], x_name="step", y_name=monitor, best=ring, best_name=ring_name),
        line_chart("Learning rate", [rates], x_name="step", y_name="rate of the top layers"),
    ]
    if not any(charts):
        return section("Learning curves", element("p", "No training was recorded in this bundle."))
    return section("Learning curves", element("div", *charts, class_="charts"))


def _points(facts: RunFacts, metric: str) -> tuple[tuple[float, float], ...]:
    return tuple((float(record.step), record.scores[metric]) for record in facts.evaluations if metric in record.scores)


def _all_scores(bundle: Bundle) -> Html:
    splits = list(bundle.scores)
    names = list(dict.fromkeys(name for scores in bundle.scores.values() for name in scores))
    rows = [
        [
            f"{name} (lower is better)" if name in LOWER_IS_BETTER else name,
            *(number(bundle.scores[split].get(name)) for split in splits),
        ]
        for name in sorted(names, key=lambda name: name not in MEANINGS)
    ]
    return section("All scores", table(["score", *splits], rows, class_="numbers"))


def _inferred(facts: RunFacts) -> Html:
    found = [*facts.facts, *(sentence for sentence in _layout_reasons(facts) if sentence not in facts.facts)]
    warnings = [element("h3", "Worth a look"), sentences(facts.warnings, class_="warnings")] if facts.warnings else []
    return section(
        "What was inferred and chosen",
        sentences([*found, *facts.reasons]) or element("p", "Nothing was recorded."),
        *warnings,
        definitions(
            [
                ("encoder", facts.encoder),
                ("machine", facts.runtime),
                ("token lengths", facts.lengths),
                *(
                    (f"table: {name.replace('_', ' ')}", _plain(facts.layout[name]))
                    for name in _LAYOUT
                    if name in facts.layout
                ),
            ]
        ),
    )


def _adaptation(facts: RunFacts, headlines: Sequence[str]) -> Html:
    """Return the results with and without adaptation of the encoder, where both were measured."""
    scores, per_label = facts.adaptation.get("scores"), facts.adaptation.get("per_label")
    if not isinstance(scores, dict) or not isinstance(per_label, dict):
        return Html("")
    which = list(scores)
    names = [name for name in headlines if all(name in values for values in scores.values())]
    overall = [[one, *(number(scores[one][name]) for name in names)] for one in which]
    labels = [
        [label, *(number(per_label.get(one, {}).get(label, {}).get("f1")) for one in which)]
        for label in per_label.get(which[0], {})
    ]
    return section(
        "With and without adaptation",
        element("p", str(facts.adaptation.get("verdict", "")).capitalize() + "."),
        table(["encoder", *names], overall, class_="numbers"),
        table(["F1 of label", *which], labels, class_="numbers") if labels else Html(""),
    )


def _layout_reasons(facts: RunFacts) -> list[str]:
    reasons = facts.layout.get("reasons")
    return [str(reason) for reason in reasons] if isinstance(reasons, list) else []


def _data(facts: RunFacts, counted: str) -> Html:
    splits = list(facts.label_counts)
    names = dict.fromkeys(name for counts in facts.label_counts.values() for name in counts)
    most = {split: max(facts.label_counts[split].values(), default=0) or 1 for split in splits}
    rows = [
        [name, *(_count_bar(facts.label_counts[split].get(name, 0), most[split]) for split in splits)] for name in names
    ]
    counts = table([counted, *splits], rows, class_="numbers")
    if len(rows) > LONG_TABLE:
        counts = element("details", element("summary", f"{len(rows)} {counted}s"), counts)
    sizes = ", ".join(f"{split} {count:,}" for split, count in facts.rows.items())
    return section(
        f"Rows and {counted}s", element("p", sizes or "No counts were recorded."), counts if rows else Html("")
    )


def _count_bar(count: int, most: int) -> Html:
    return bar(f"{count:,}", count / most)


def _training(facts: RunFacts) -> Html:
    seconds = facts.seconds or 0.0
    rates = [
        ("steps", "" if facts.planned_steps is None else f"{facts.planned_steps:,} planned"),
        ("examples", _with_rate(facts.examples, seconds)),
        ("tokens", _with_rate(facts.tokens, seconds)),
        ("padding", "" if facts.padding_share is None else f"{100 * facts.padding_share:.1f} % of all tokens computed"),
        ("utilisation", utilisation(facts.mfu, facts.product_rate) if facts.mfu and facts.product_rate else ""),
        ("time in training steps", duration(seconds) if seconds else ""),
        ("time estimated", duration(facts.estimated_seconds) if facts.estimated_seconds else ""),
        (
            "memory estimated",
            f"{facts.estimated_memory_bytes / 1e9:.1f} GB" if facts.estimated_memory_bytes else "",
        ),
    ]
    options = [[name, _plain(value) or "-"] for name, value in facts.options.items()]
    table_of_options = table(["option", "value"], options)
    details = element("details", element("summary", f"All {len(options)} options"), table_of_options)
    return section(
        "Training", definitions(rates) or element("p", "No training was recorded."), details if options else Html("")
    )


def _with_rate(count: int | None, seconds: float) -> str:
    if count is None:
        return ""
    return f"{count:,}" + (f", {count / seconds:,.0f} per second" if seconds else "")


def _versions(bundle: Bundle, facts: RunFacts) -> Html:
    found = [f"FastBert {bundle.version}", f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    seed = f" Seed {facts.options['seed']}." if "seed" in facts.options else ""
    return element("footer", f"Versions: {', '.join(found)}.{seed} This page loads nothing from elsewhere.")


def _plain(value: object) -> str:
    """Return a value of JSON for people; nothing for none."""
    if value is None or value == [] or value == "":
        return ""
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)

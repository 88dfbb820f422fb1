"""The scores in a report: headlines, each label, all scores, each with the interval it has on other such rows.

Knows nothing of how scores or intervals were computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastbert.display import number
from fastbert.insight.decision_words import describe_fit
from fastbert.insight.evidence import Evidence
from fastbert.insight.model_card import caveats
from fastbert.insight.page import Html, bar, element, escape, section, sentences, table
from fastbert.insight.run_facts import RunFacts, read_facts
from fastbert.insight.uncertainty import Uncertainty
from fastbert.metrics.bootstrap import Interval
from fastbert.metrics.names import LOWER_IS_BETTER, MEANINGS

_PER_LABEL = ("precision", "recall", "f1", "average_precision")
_KINDS = ("exact", "wrong_boundary", "wrong_label", "missed", "spurious")  # what became of entities
_TITLES = {"f1": "F1", "average_precision": "average precision"}


def header(evidence: Evidence, facts: RunFacts, unsure: Uncertainty, title: str) -> Html:
    """Return title, task and the scores that are shown first."""
    bundle, split, scores = evidence.bundle, evidence.split, evidence.scores
    count = evidence.num_rows or facts.num_rows(split)
    rows = f"{count:,} {evidence.rows_name}" if count else f"the {evidence.rows_name}"
    tiles = [
        element(
            "div",
            _breakable(name),
            element("b", number(scores[name])),
            _interval(unsure.scores.get(name)),
            element("small", MEANINGS.get(name, "")),
            class_="tile",
        )
        for name in bundle.task.headlines
        if name in scores
    ]
    return element(
        "header",
        element("h1", title),
        element("p", f"{bundle.task.describe()}. {facts.encoder}"),
        element("p", f"Measured on {rows}."),
        element("div", *tiles, class_="tiles"),
    )


def _interval(ends: Interval | None) -> Html:
    return element("small", interval_text(ends), class_="interval") if ends is not None else Html("")


def interval_text(ends: Interval | None, digits: int = 3) -> str:
    """Return an interval for people, nothing for none.

    >>> interval_text((0.91234, 0.95))
    '0.912 to 0.950'
    """
    return "" if ends is None else f"{number(ends[0], digits)} to {number(ends[1], digits)}"


def _breakable(name: str) -> Html:
    return Html(escape(name).replace("_", "_<wbr>"))


def labels(evidence: Evidence, unsure: Uncertainty) -> Html:
    """Return the scores of each label."""
    per_label = evidence.per_label
    if not per_label:
        return Html("")
    columns = [name for name in _PER_LABEL if any(name in scores for scores in per_label.values())]
    rows = [_label_row(name, scores, columns, unsure) for name, scores in per_label.items()]
    heads = [head for name in columns for head in _heads(name, unsure)]
    note = "Support: how often the label is in the rows. Predicted: how often it was given."
    return section(
        f"Each label, {evidence.rows_name}",
        table(["label", *heads, "support", "predicted"], rows, class_="wide numbers sortable"),
        note=f"{note} {unsure.note}".strip() if unsure.labels else note,
    )


def _heads(name: str, unsure: Uncertainty) -> list[str]:
    title = _TITLES.get(name, name)
    return [title, f"{title}, 95 %"] if name == "f1" and unsure.labels else [title]


def _label_row(
    name: str, scores: Mapping[str, float | int | None], columns: Sequence[str], unsure: Uncertainty
) -> list[str]:
    cells = [name]
    for column in columns:
        value = scores.get(column)
        cells.append(bar(number(value, 3), value))
        if column == "f1" and unsure.labels:
            cells.append(element("span", interval_text(unsure.labels.get(name), 2) or "-", class_="interval"))
    return [*cells, *(number(scores.get(column)) for column in ("support", "predicted"))]


def mistakes(evidence: Evidence) -> Html:
    """Return what became of what should have been found, for tasks that say so."""
    per_label = evidence.per_label
    names = [name for name in _KINDS if any(name in scores for scores in per_label.values())]
    if not names:
        return Html("")
    rows = [[label, *(number(scores.get(name)) for name in names)] for label, scores in per_label.items()]
    return section(
        "What was found and what was not",
        table(
            [evidence.bundle.task.counted, *(name.replace("_", " ") for name in names)], rows, class_="numbers sortable"
        ),
        note="Exact to missed: those that should have been found. Spurious: what was given where there is nothing.",
    )


def trust(evidence: Evidence, facts: RunFacts, unsure: Uncertainty) -> Html:
    """Return the decision rule, what its fit found, and what a reader of the scores must know."""
    bundle = evidence.bundle
    return section(
        "How far to trust these scores",
        element("p", f"Decision rule: {bundle.task.rule(bundle.decisions)}"),
        sentences(describe_fit(bundle.decisions)),
        sentences(caveats(evidence, facts, unsure)),
    )


def all_scores(evidence: Evidence, unsure: Uncertainty) -> Html:
    """Return every score of every split, the one of the report with its interval."""
    splits = dict(evidence.bundle.scores)
    if evidence.own_scores:
        splits[evidence.split] = evidence.own_scores
    names = list(dict.fromkeys(name for scores in splits.values() for name in scores))
    heads = [head for split in splits for head in _split_heads(split, evidence, unsure)]
    rows = [
        [
            f"{name} (lower is better)" if name in LOWER_IS_BETTER else name,
            *(cell for split in splits for cell in _split_cells(name, split, evidence, unsure)),
        ]
        for name in sorted(names, key=lambda name: name not in MEANINGS)
    ]
    return section("All scores", table(["score", *heads], rows, class_="numbers"), note=unsure.note)


def _split_heads(split: str, evidence: Evidence, unsure: Uncertainty) -> list[str]:
    name = read_facts(evidence.bundle.facts).name_of(split)
    return [name, "95 %"] if split == evidence.split and unsure.scores else [name]


def _split_cells(name: str, split: str, evidence: Evidence, unsure: Uncertainty) -> list[str]:
    own = split == evidence.split
    scores = evidence.scores if own else evidence.bundle.scores[split]
    cells = [number(scores.get(name))]
    if own and unsure.scores:
        cells.append(element("span", interval_text(unsure.scores.get(name)), class_="interval"))
    return cells


def adaptation(facts: RunFacts, headlines: Sequence[str]) -> Html:
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

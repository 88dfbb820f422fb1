"""The section on cross-validation, of the report and of the model card: what `CrossValidation.to_json` wrote.

A bundle may come from another version or another hand: what is missing or of another kind is left out, never an
error. Names and numbers only. Knows nothing of how they were computed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from fastbert.display import number
from fastbert.insight.page import Html, element, section, sentences, table
from fastbert.insight.run_facts import read_facts

FACT = "cross_validation"  # its name among the facts of a bundle
RULE_CHANGED = "rule_changed"  # in it, once `decide` gave the model another rule than the folds had
_MEANING = (
    "Mean and deviation are those of the models, whose training rows overlap; all rows are their predictions together. "
    "The interval says how far that score could lie off for the rows that happened to be in the table."
)


def cross_validation_section(facts: Mapping[str, object], headlines: Sequence[str]) -> Html:
    """Return the section of the report, nothing where there was no cross-validation."""
    rows = _rows(facts, headlines)
    if not rows:
        return Html("")
    found = _mapping(facts.get(FACT))
    notes = found.get("notes")
    said = [str(note) for note in notes] if isinstance(notes, list) else []
    return section(
        "Cross-validation",
        element("p", _what(facts)),
        table(["score", "mean of the folds", "deviation", "all rows", "95 % interval"], rows, class_="numbers"),
        _labels(found),
        sentences(said, class_="warnings") if said else Html(""),
        note=_MEANING,
    )


def cross_validation_lines(facts: Mapping[str, object], headlines: Sequence[str]) -> list[str]:
    """Return sentences for the model card, none where there was no cross-validation."""
    rows = _rows(facts, headlines)
    if not rows:
        return []
    scores = [
        f"{name} {mean} ± {deviation}, over all rows {pooled}" + ("" if interval == "-" else f" ({interval})")
        for name, mean, deviation, pooled, interval in rows
    ]
    return [_what(facts), *scores]


def _what(facts: Mapping[str, object]) -> str:
    found, folded = _mapping(facts.get(FACT)), read_facts(facts).valid_folds
    count, rows = _number(found.get("folds")), _number(found.get("rows"))
    of = "" if count is None else f" of {count:,.0f}"
    every = "Every training row" if rows is None else f"Each of the {rows:,.0f} training rows"
    sentence = (
        f"{every} was predicted once by a model{of} that had not seen it, trained as this one was. "
        "This model was made in the same way from all of them"
    )
    changed = " Its rule was changed after the training; the scores are by the rule before."
    return (
        sentence
        + (", but that each of the others held a share out to choose by." if folded else ".")
        + (changed if found.get(RULE_CHANGED) is True else "")
    )


def _rows(facts: Mapping[str, object], headlines: Sequence[str]) -> list[list[str]]:
    scores = _mapping(_mapping(facts.get(FACT)).get("scores"))
    found = []
    for name in headlines:
        score = {key: _number(value) for key, value in _mapping(scores.get(name)).items()}
        if score.get("mean") is None:
            continue
        low, high = score.get("low"), score.get("high")
        interval = "-" if low is None or high is None else f"{number(low)} to {number(high)}"
        found.append([name, *(number(score.get(key)) for key in ("mean", "deviation", "pooled")), interval])
    return found


def _labels(found: Mapping[str, object]) -> Html:
    per_label = {name: _mapping(scores) for name, scores in _mapping(found.get("per_label")).items()}
    columns = [
        column
        for column in ("precision", "recall", "f1", "average_precision")
        if any(column in scores for scores in per_label.values())
    ]
    if not columns:
        return Html("")
    rows = [
        [name, *(number(_number(scores.get(column))) for column in columns), _whole(scores.get("support"))]
        for name, scores in per_label.items()
    ]
    headers = ["label", *(column.replace("_", " ") for column in columns), "support"]
    summary = element("summary", f"Each of {len(rows)} labels, over all rows")
    return element("details", summary, table(headers, rows, class_="numbers"))


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None  # type: ignore[arg-type]  # a number, as `known` says


def _whole(value: object) -> str:
    found = _number(value)
    return "-" if found is None else f"{found:,.0f}"

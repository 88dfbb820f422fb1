"""The confusions in a report: a matrix by true label, and the pairs that are mixed up most.

The counts are in the page; its script shows shares of the true label and orders the labels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastbert.display import shorten
from fastbert.insight.evidence import Evidence, Floats, Ints
from fastbert.insight.page import Html, element, section, table

MAX_CONFUSION_LABELS = 30  # a larger table cannot be read
NUM_MIX_UPS = 10
STRONGEST = 0.65  # share of the colour behind a cell that holds all rows of its label: the number stays readable


def mix_ups(evidence: Evidence) -> Html:
    """Return what was taken for what, nothing where rows have no single label."""
    confusion, names = evidence.confusion, tuple(evidence.per_label)
    if confusion is None:
        return _missed_together(evidence)
    wrong = [
        (count, true, decided)
        for true, row in zip(names, confusion, strict=True)
        for decided, count in zip(names, row, strict=True)
        if count and true != decided
    ]
    worst = sorted(wrong, key=lambda entry: -entry[0])[:NUM_MIX_UPS]
    rows = [[true, decided, f"{count:,}"] for count, true, decided in worst]
    return section(
        f"What is taken for what, {evidence.rows_name}",
        _heat_table(names, confusion) if len(names) <= MAX_CONFUSION_LABELS else Html(""),
        element("h3", "Most frequent mistakes") if rows else element("p", "No row was wrong."),
        table(["true", "decided", "rows"], rows) if rows else Html(""),
        note="Rows of the table are true labels, columns decided ones; the shade is the share of the true label.",
    )


def _heat_table(names: Sequence[str], confusion: list[list[int]]) -> Html:
    columns = (element("th", shorten(name, 20), title=name, scope="col") for name in names)
    head = element("tr", element("th", "true", scope="col"), *columns)
    body = []
    for true, row in enumerate(confusion):
        total = max(sum(row), 1)
        cells = [
            element(
                "td",
                f"{count:,}" if count else "",
                class_="true" if decided == true else "other",
                style=f"background:rgba(var(--heat),{STRONGEST * count / total:.2f})",
            )
            for decided, count in enumerate(row)
        ]
        body.append(element("tr", element("th", names[true], scope="row"), *cells))
    inner = element("table", element("thead", head), element("tbody", *body), class_="heat")
    return element("div", inner, class_="scroll", tabindex="0")


def _missed_together(evidence: Evidence) -> Html:
    """Return, for several labels a row, which label was given where which other one was missed."""
    rows = evidence.labels
    if rows is None or rows.link != "sigmoid":
        return Html("")
    missed_NC, wrong_NC = rows.target_NC & ~rows.decided_NC, rows.decided_NC & ~rows.target_NC
    pairs_CC = missed_NC.T.astype(np.float64) @ wrong_NC.astype(np.float64)
    order = np.argsort(-pairs_CC, axis=None, kind="stable")[:NUM_MIX_UPS]
    support_C = rows.target_NC.sum(axis=0)
    body = [
        [
            rows.names[true],
            rows.names[given],
            f"{pairs_CC[true, given]:,.0f}",
            _percent(pairs_CC, support_C, true, given),
        ]
        for true, given in zip(*(part.tolist() for part in np.unravel_index(order, pairs_CC.shape)), strict=True)
        if pairs_CC[true, given]
    ]
    if not body:
        return Html("")
    return section(
        f"What is taken for what, {evidence.rows_name}",
        table(["true, but missed", "given, but not true", "rows", "of the missed label"], body),
        note="Rows in which one label was missed and another one given that is not true.",
    )


def _percent(pairs_CC: Floats, support_C: Ints, true: int, given: int) -> str:
    return f"{100 * pairs_CC[true, given] / support_C[true]:.0f} %"

"""Single rows in a report: the worst and the most uncertain ones by place, and what length and cutting do to scores.

A row goes by its place in the table; its text is shown only where `Evidence.texts` says that the user asked for it.

Axes: N rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastbert.display import number, shorten
from fastbert.insight.evidence import Evidence, Floats
from fastbert.insight.page import Html, element, section, table
from fastbert.metrics.bootstrap import mean_interval

NUM_ROWS = 15
_PARTS = 5
_LEAST = 20  # rows of a part, on average


def worst(evidence: Evidence) -> Html:
    """Return the rows with the highest loss, and those with the lowest confidence; nothing without places."""
    if not evidence.rows.places or not evidence.num_rows:
        return Html("")
    by_loss = np.argsort(-evidence.loss_N, kind="stable")[:NUM_ROWS].tolist()
    unsure_N = np.where(np.isfinite(evidence.confidence_N), evidence.confidence_N, np.inf)
    by_doubt = [row for row in np.argsort(unsure_N, kind="stable")[:NUM_ROWS].tolist() if np.isfinite(unsure_N[row])]
    doubts = (
        [element("h3", "Most uncertain rows"), _rows_table(evidence, by_doubt, "confidence", evidence.confidence_N)]
        if by_doubt
        else []
    )
    return section(
        f"Rows worth a look, {evidence.rows_name}",
        element("h3", "Worst rows"),
        _rows_table(evidence, by_loss, "loss", evidence.loss_N),
        *doubts,
        note="A high loss may mean a wrong label, an unclear text, or something that was not learned.",
    )


def _rows_table(evidence: Evidence, rows: Sequence[int], name: str, values_N: Floats) -> Html:
    body = []
    for row in rows:
        true, decided = evidence.words(row)
        cells = [evidence.rows.places[row], number(float(values_N[row]), 3), shorten(true, 60), shorten(decided, 60)]
        body.append([*cells, _scores(evidence, row), *([evidence.texts[row]] if evidence.texts else [])])
    heads = ["row", name, "true", "decided", "scores", *(["text"] if evidence.texts else [])]
    return table(heads, body, class_="places")


def _scores(evidence: Evidence, row: int) -> str:
    """Return the scores that matter: of the true labels, and the highest others."""
    if (labels := evidence.labels) is not None:
        score_C, true_C = labels.score_NC[row], labels.target_NC[row]
        shown = [*np.flatnonzero(true_C).tolist()[:2], *np.argsort(-score_C, kind="stable").tolist()[:2]]
        return ", ".join(f"{labels.names[place]} {score_C[place]:.2f}" for place in dict.fromkeys(shown))
    if (values := evidence.values) is not None:
        return f"error {values.predicted_N[row] - values.true_N[row]:+.4g}"
    if (answers := evidence.answers) is not None:
        return f"score {answers.score_N[row]:.2f}"
    numbers = evidence.predictions[row].numbers.values() if evidence.predictions else ()
    return ", ".join(f"{value:.2f}" for value in sorted(numbers)[:4])


def lengths(evidence: Evidence) -> Html:
    """Return scores by length, and of rows that were cut; nothing where lengths were not kept."""
    tokens_N, cut_N = evidence.rows.tokens_N, evidence.rows.cut_N
    if tokens_N is None or not evidence.num_rows:
        return Html("")
    parts = min(_PARTS, max(1, evidence.num_rows // _LEAST))
    edges = np.unique(np.quantile(tokens_N, np.linspace(0, 1, parts + 1), method="nearest"))
    place_N = np.searchsorted(edges[1:-1], tokens_N, side="left")
    groups = [(_span(tokens_N[place_N == part]), place_N == part) for part in range(max(len(edges) - 1, 1))]
    body = [_group(evidence, name, chosen_N) for name, chosen_N in groups if chosen_N.any()]
    heads = ["tokens", "rows", _measure(evidence)[0], "95 %", "mean loss"]
    tables = [table(heads, body, class_="numbers", caption="By length")]
    if cut_N is not None and cut_N.any():
        both = [("cut", cut_N), ("read as a whole", ~cut_N)]
        rows = [_group(evidence, name, chosen_N) for name, chosen_N in both if chosen_N.any()]
        tables.append(table(["text", *heads[1:]], rows, class_="numbers", caption="By what was read"))
    unread = "Every row was read as a whole." if cut_N is not None and not cut_N.any() else ""
    return section(f"Length of texts, {evidence.rows_name}", *tables, note=unread)


def _span(tokens_N: np.ndarray) -> str:
    return f"{tokens_N.min():,} to {tokens_N.max():,}" if len(tokens_N) else ""


def _measure(evidence: Evidence) -> tuple[str, Floats]:
    """Return what is averaged over rows, and its value for each."""
    if evidence.values is not None:
        return "mean size of the error", np.abs(evidence.values.predicted_N - evidence.values.true_N)
    if evidence.answers is not None:
        return "F1", evidence.answers.f1_N
    return "right as a whole", evidence.right_N.astype(np.float64)


def _group(evidence: Evidence, name: str, chosen_N: np.ndarray) -> list[str]:
    values_N, losses_N = _measure(evidence)[1][chosen_N], evidence.loss_N[chosen_N]
    units_N = evidence.rows.units_N
    low, high = mean_interval(values_N, None if units_N is None else units_N[chosen_N])
    interval = f"{number(low, 3)} to {number(high, 3)}"
    return [name, f"{len(values_N):,}", number(float(values_N.mean())), interval, number(float(losses_N.mean()))]

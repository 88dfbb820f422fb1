"""What a report of a regression shows: predicted against true, errors, and where they are largest.

Axes: N rows.
"""

from __future__ import annotations

import numpy as np

from fastbert.display import number
from fastbert.insight.charts import Line
from fastbert.insight.evidence import Evidence, ValueRows
from fastbert.insight.page import Html, element, section, table
from fastbert.insight.plots import Bars, Frame, histogram, points

MOST_DOTS = 1500
_BINS, _PARTS = 24, 5


def values(evidence: Evidence) -> Html:
    """Return the charts and the table of errors, nothing for other tasks."""
    rows = evidence.values
    if rows is None or not len(rows.true_N):
        return Html("")
    return section(
        f"Predicted and true, {evidence.rows_name}",
        element("div", _scatter(rows), _residuals(rows), class_="charts"),
        _by_size(rows),
        note="An error is the predicted number minus the true one, in the unit of the table.",
    )


def _scatter(rows: ValueRows) -> Html:
    low, high = _ends(rows)
    step = max(1, -(-len(rows.true_N) // MOST_DOTS))
    dots = list(zip(rows.true_N[::step].tolist(), rows.predicted_N[::step].tolist(), strict=True))
    about = f"Every {step}th row is drawn." if step > 1 else ""
    frame = Frame("Predicted against true", f"true {rows.name}", "predicted", (low, high), (low, high), about)
    return points(frame, dots, [Line("as it should be", ((low, low), (high, high)), "orange", "dashed")])


def _ends(rows: ValueRows) -> tuple[float, float]:
    both = np.concatenate([rows.true_N, rows.predicted_N])
    low, high = float(both.min()), float(both.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _residuals(rows: ValueRows) -> Html:
    error_N = rows.predicted_N - rows.true_N
    reach = float(np.abs(error_N).max()) or 1.0
    counts, edges = np.histogram(error_N, _BINS, (-reach, reach))
    return histogram(Frame("Errors", "error", "rows"), edges.tolist(), [Bars("rows", tuple(map(float, counts)))])


def _by_size(rows: ValueRows) -> Html:
    """Return the error by size of the true value, in parts of about as many rows each."""
    edges = np.unique(np.quantile(rows.true_N, np.linspace(0, 1, _PARTS + 1)))
    place_N = np.searchsorted(edges[1:-1], rows.true_N, side="right")
    body = []
    for part in range(max(len(edges) - 1, 1)):
        error_N = (rows.predicted_N - rows.true_N)[place_N == part]
        if len(error_N):
            true_N = rows.true_N[place_N == part]
            cells = [float(error_N.mean()), float(np.abs(error_N).mean()), float(np.sqrt((error_N**2).mean()))]
            span = f"{true_N.min():.4g} to {true_N.max():.4g}"
            body.append([span, f"{len(error_N):,}", *(number(cell) for cell in cells)])
    heads = [f"true {rows.name}", "rows", "mean error", "mean size of it", "rmse"]
    return table(heads, body, class_="numbers", caption="Error by size of the true number")

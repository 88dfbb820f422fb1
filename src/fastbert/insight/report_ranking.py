"""How well scores rank rows, in a report: ROC, precision against recall, and what a threshold does to a label.

Few lines can be told apart: of many labels the worst ranked and the most frequent ones are drawn, and the mean of all.

Axes: N rows, C labels, K points.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

from fastbert.display import number, shorten
from fastbert.insight.charts import COLORS, Line, Point
from fastbert.insight.evidence import Evidence, LabelRows
from fastbert.insight.page import Html, element, section
from fastbert.insight.plots import Frame, curves
from fastbert.metrics.curves import Ranking, thinned

MOST_LINES = 7  # and one for the mean
SHOWN, MOST_SMALL = 4, 40  # threshold charts that are open, and at most
_GRID = np.linspace(0.0, 1.0, 101)
Ranked = tuple[str, Ranking]


def ranking(evidence: Evidence) -> Html:
    """Return ROC and precision-recall curves of labels, nothing where no label has both kinds of rows."""
    rows = evidence.labels
    ranked = _ranked(rows) if rows is not None else []
    if not ranked:
        return Html("")
    drawn = _chosen(ranked)
    charts = [_roc_chart(ranked, drawn), _precision_chart(ranked, drawn)]
    left_out = len(ranked) - len(drawn)
    which = "" if not left_out else "Drawn are the labels that are ranked worst and the most frequent ones."
    return section(
        f"How well scores rank the rows, {evidence.rows_name}",
        element("div", *charts, class_="charts"),
        note=f"Each label against the others. {which}".strip(),
    )


def thresholds(evidence: Evidence) -> Html:
    """Return what each threshold does to precision, recall and F1 of a label; for labels that have thresholds."""
    rows, rule = evidence.labels, evidence.bundle.decisions
    if rows is None:
        return Html("")
    own, several = dict(rule.thresholds), rows.link == "sigmoid"
    ranked = sorted(_ranked(rows) if several else _decided(rows, own), key=lambda each: -each[1].positives)
    charts = [_threshold_chart(name, one, own.get(name, rule.threshold)) for name, one in ranked[:MOST_SMALL]]
    if not charts:
        return Html("")
    given = "A label is" if several else "The best label of a row is"
    rest = charts[SHOWN:]
    more = element("summary", f"{len(rest)} more labels")
    folded = element("details", more, element("div", *rest, class_="charts")) if rest else Html("")
    return section(
        f"What a threshold does, {evidence.rows_name}",
        element("div", *charts[:SHOWN], class_="charts"),
        folded,
        note=f"{given} given from the threshold on. The ring is the one in force; frequent labels come first.",
    )


def _ranked(rows: LabelRows) -> list[Ranked]:
    """Return the labels that have rows with and without them; of two that exclude each other the second."""
    places = [1] if rows.link == "softmax" and len(rows.names) == 2 else range(len(rows.names))
    ranked = [(rows.names[place], Ranking.of(rows.score_NC[:, place], rows.target_NC[:, place])) for place in places]
    return [(name, one) for name, one in ranked if one.defined]


def _decided(rows: LabelRows, own: Collection[str]) -> list[Ranked]:
    """Return the labels with a threshold of one label a row: only the rows that they are the best of can get them."""
    found = []
    for place in (place for place, name in enumerate(rows.names) if name in own):
        score_N = np.where(rows.whole_NC[:, place], rows.score_NC[:, place], -1.0)  # below any threshold
        found.append((rows.names[place], Ranking.of(score_N, rows.target_NC[:, place])))
    return [(name, one) for name, one in found if one.defined]


def _chosen(ranked: Sequence[Ranked]) -> list[Ranked]:
    if len(ranked) <= MOST_LINES:
        return list(ranked)
    worst = sorted(ranked, key=lambda each: each[1].average_precision())[: MOST_LINES // 2 + 1]
    frequent = [each for each in sorted(ranked, key=lambda each: -each[1].positives) if each not in worst]
    names = {name for name, _ in (*worst, *frequent[: MOST_LINES - len(worst)])}
    return [each for each in ranked if each[0] in names]


def _roc_chart(ranked: Sequence[Ranked], drawn: Sequence[Ranked]) -> Html:
    lines = [_line(name, one.roc_area(), thinned(*one.roc()), place) for place, (name, one) in enumerate(drawn)]
    if len(ranked) > 1:
        means = np.mean([_highest(*one.roc()) for _, one in ranked], axis=0)
        area = float(np.mean([one.roc_area() for _, one in ranked]))
        lines.append(_line("mean of all labels", area, [(0.0, 0.0), *thinned(_GRID, means)], len(COLORS) - 1))
    chance = Line("chance", ((0.0, 0.0), (1.0, 1.0)), "grey", "faint")
    return curves(Frame("ROC", "false positive rate", "true positive rate"), [chance, *lines])


def _precision_chart(ranked: Sequence[Ranked], drawn: Sequence[Ranked]) -> Html:
    lines = []
    for place, (name, one) in enumerate(drawn):
        recall_K, precision_K = one.precision_recall()
        points = [(0.0, float(precision_K[0])), *thinned(recall_K, precision_K)]
        lines.append(_line(name, one.average_precision(), points, place))
    if len(ranked) > 1:
        means = np.mean([_best_from(one) for _, one in ranked], axis=0)
        area = float(np.mean([one.average_precision() for _, one in ranked]))
        lines.append(_line("mean of all labels", area, thinned(_GRID, means), len(COLORS) - 1))
    return curves(Frame("Precision and recall", "recall", "precision"), lines)


def _line(name: str, area: float, points: Sequence[Point], place: int) -> Line:
    style = "dashed" if place == len(COLORS) - 1 else "line"
    return Line(f"{shorten(name, 24)} {number(area, 3)}", tuple(points), COLORS[place], style)  # type: ignore[arg-type]  # one of two


def _highest(false_K: np.ndarray, true_K: np.ndarray) -> np.ndarray:
    """Return the true positive rate at each false positive rate of the grid: the highest reached by then."""
    return np.asarray(true_K[np.searchsorted(false_K, _GRID + 1e-12, side="right") - 1])


def _best_from(one: Ranking) -> np.ndarray:
    """Return the precision where a recall of the grid is first reached."""
    recall_K, precision_K = one.precision_recall()
    return np.asarray(precision_K[np.searchsorted(recall_K, _GRID - 1e-12).clip(0, len(recall_K) - 1)])


def _threshold_chart(name: str, one: Ranking, chosen: float) -> Html:
    precision_K, recall_K, f1_K = one.at(_GRID)
    known = np.isfinite(precision_K)
    lines = [
        Line("precision", tuple(zip(_GRID[known].tolist(), precision_K[known].tolist(), strict=True))),
        Line("recall", tuple(zip(_GRID.tolist(), recall_K.tolist(), strict=True)), "orange"),
        Line("F1", tuple(zip(_GRID.tolist(), f1_K.tolist(), strict=True)), "green"),
    ]
    if math.isinf(chosen):
        return curves(Frame(name, "threshold", "score", about="Never given."), lines)
    f1 = float(one.at(np.array([chosen]))[2][0])
    return curves(Frame(name, "threshold", "score"), lines, (chosen, f1), f"{number(chosen, 3)}: F1 {number(f1, 3)}")

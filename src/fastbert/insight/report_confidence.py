"""How far a report can take scores at their word: calibration, confidence of right and wrong answers, and silence.

Axes: N rows or cells, K bins.
"""

from __future__ import annotations

import numpy as np

from fastbert.display import number
from fastbert.insight.charts import Color, Line
from fastbert.insight.evidence import Bools, Evidence, Floats
from fastbert.insight.page import Html, element, section
from fastbert.insight.plots import Bars, Frame, curves, histogram
from fastbert.metrics.calibration import BINS, reliability
from fastbert.metrics.selective import RiskCurve, risk_curve

Stated = tuple[Floats, Bools]
_DIAGONAL = Line("as stated", ((0.0, 0.0), (1.0, 1.0)), "grey", "faint")
_EDGES = np.linspace(0.0, 1.0, BINS + 1)


def calibration(evidence: Evidence) -> Html:
    """Return what was stated against what was found, before and after calibration; nothing without probabilities."""
    found = _stated(evidence)
    if found is None:
        return Html("")
    what, before, after = found
    if not len(after[1]):
        return Html("")
    lines, about = [_DIAGONAL], ""
    if evidence.bundle.decisions.calibration.method == "none":
        lines.append(_diagram("as given", "blue", *after))
        about = f"{lines[1].name}. {_without_calibration(evidence)}"
    else:
        lines += [_diagram("before calibration", "orange", *before), _diagram("after", "blue", *after)]
    frame = Frame(f"Calibration of {what}", "probability stated", "share that is right")
    return section(
        f"Can the scores be believed? {evidence.rows_name.capitalize()}",
        element(
            "div",
            curves(Frame(frame.title, frame.x_name, frame.y_name, about=about), lines),
            _counts(f"How often, {what}", *after),
            class_="charts",
        ),
        note="On the diagonal what is stated is what happens; below it the model is too sure of itself.",
    )


def silence(evidence: Evidence) -> Html:
    """Return the risk of answering only the most confident rows, with the limit in force; and confidences."""
    known_N = np.isfinite(evidence.confidence_N)
    if evidence.entities is not None or not known_N.any():
        return Html("")
    right_N = _right(evidence)[known_N]
    confidence_N = evidence.confidence_N[known_N]
    curve = risk_curve(confidence_N, right_N)
    points = tuple((coverage, risk) for coverage, risk, _ in curve.thinned())
    limit = evidence.bundle.decisions.abstention.confidence
    mark, name = _limit(curve, limit) if limit is not None else (None, "")
    highest = max(0.01, *(risk for _, risk in points))
    frame = Frame(
        "Wrong answers, if only the surest rows are answered",
        "share of rows answered",
        "share wrong",
        y_range=(0.0, highest),
        about=_risks(curve),
    )
    return section(
        f"Answering less, {evidence.rows_name}",
        element(
            "div",
            curves(frame, [Line("risk", points)], mark, name),
            _counts("Confidence of right and wrong answers", confidence_N, right_N),
            class_="charts",
        ),
        note="Confidence: that an answer is right as a whole."
        + (" `fastbert decide --abstain` sets a limit." if evidence.labels is not None else ""),
    )


def _right(evidence: Evidence) -> Bools:
    return evidence.right_N if evidence.labels is None else evidence.labels.right_N


def _diagram(name: str, color: Color, stated_N: Floats, right_N: Bools) -> Line:
    one = reliability(np.clip(stated_N, 0.0, 1.0), right_N)
    points = tuple(zip(one.stated_K.tolist(), one.found_K.tolist(), strict=True))
    return Line(f"{name}, ECE {number(one.error, 3)}", points, color, "dots")


def _stated(evidence: Evidence) -> tuple[str, Stated, Stated] | None:
    """Return what probabilities are of, and what was stated and right before and after calibration."""
    if (labels := evidence.labels) is not None:
        if labels.link == "softmax":
            target_NC = labels.target_NC
            return "the best label", _best(labels.raw_NC, target_NC), _best(labels.score_NC, target_NC)
        right_N = labels.target_NC.ravel()
        return "all labels", (labels.raw_NC.ravel(), right_N), (labels.score_NC.ravel(), right_N)
    if (entities := evidence.entities) is not None:
        return "entities", (entities.raw_M, entities.right_M), (entities.score_M, entities.right_M)
    if (answers := evidence.answers) is not None:
        return "answers", (answers.score_N, answers.exact_N > 0), (answers.score_N, answers.exact_N > 0)
    return None


def _best(score_NC: Floats, target_NC: Bools) -> Stated:
    best_N, rows = score_NC.argmax(axis=1), np.arange(len(score_NC))
    return score_NC[rows, best_N], target_NC[rows, best_N]


def _without_calibration(evidence: Evidence) -> str:
    return "Answers to questions are not calibrated." if evidence.answers is not None else "No calibration is in use."


def _counts(title: str, stated_N: Floats, right_N: Bools) -> Html:
    parts = [np.histogram(np.clip(stated_N[chosen_N], 0.0, 1.0), _EDGES)[0] for chosen_N in (right_N, ~right_N)]
    heights = [tuple(map(float, counts)) for counts in parts]
    series = [Bars("right", heights[0]), Bars("wrong", heights[1], "orange")]
    return histogram(Frame(title, "probability stated", "count"), _EDGES.tolist(), series)


def _limit(curve: RiskCurve, limit: float) -> tuple[tuple[float, float] | None, str]:
    kept = np.flatnonzero(curve.least_K >= limit)
    if not len(kept):
        return None, ""
    place = kept[-1]
    coverage, risk = float(curve.coverage_K[place]), float(curve.risk_K[place])
    return (coverage, risk), f"in force, from {limit:g}: {100 * coverage:.0f} % answered, {100 * risk:.1f} % wrong"


def _risks(curve: RiskCurve) -> str:
    """Return the risks at a few coverages, in words."""
    found = []
    for share in (0.5, 0.8, 0.9, 1.0):
        place = int(np.searchsorted(curve.coverage_K, share - 1e-9).clip(0, len(curve.coverage_K) - 1))
        found.append(f"{100 * curve.risk_K[place]:.1f} % wrong of {100 * curve.coverage_K[place]:.0f} % answered")
    return "; ".join(dict.fromkeys(found)) + "."

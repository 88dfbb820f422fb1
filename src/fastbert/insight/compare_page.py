"""A comparison as one HTML page that needs nothing but itself, in the look of the report.

Names and numbers only: no text of a row is given to it.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from pathlib import Path

from fastbert._version import __version__
from fastbert.display import number
from fastbert.errors import DataError, TrainingError
from fastbert.inference.writers import check_place
from fastbert.insight.charts import tick_text, ticks
from fastbert.insight.compare import Comparison, Duel
from fastbert.insight.compare_view import MARK, label_note, outcome, p_text, shown_interval, size_text, won_note
from fastbert.insight.cost import Cost
from fastbert.insight.page import Html, bar, document, element, escape, fragment, section, sentences, table
from fastbert.metrics.paired import Difference

_WIDTH, _ROW, _LEFT, _TOP, _BOTTOM = 640, 20, 190, 6, 26


def comparison_page(comparison: Comparison, costs: Sequence[Cost], title: str) -> str:
    """Return the whole page. title: what was compared on which table."""
    return document(
        title,
        element(
            "header",
            element("h1", title),
            element("p", f"{comparison.task}, {comparison.rows:,} rows. Differences are to {comparison.against}."),
        ),
        section("Outcome", sentences(outcome(comparison)) or element("p", "There is one model only.")),
        _scores(comparison),
        _differences(comparison),
        *(_forest(duel) for duel in comparison.duels),
        _labels(comparison),
        _costs(costs),
        section("Worth a look", sentences(comparison.notes, class_="warnings")) if comparison.notes else Html(""),
        _method(comparison),
    )


def check_page(path: Path, *sources: Path) -> None:
    """Raise DataError for a place where no page can be written, before any work."""
    if path.suffix not in (".html", ".htm"):
        raise DataError(f"{path}: the page is HTML; this ending is '{path.suffix}'.", "Give it a name in .html.")
    check_place(path, *sources)


def write_page(path: Path, text: str) -> None:
    """Write a page, whole or not at all. Raises TrainingError if the disk fails."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise TrainingError(f"{path} could not be written ({error.strerror or error}).") from error
    finally:
        part.unlink(missing_ok=True)


def forest_chart(title: str, differences: Sequence[tuple[str, Difference]]) -> Html:
    """Return a figure with a dot and its interval for each difference, and a line at 0; nothing for none."""
    shown = [(name, one) for name, one in differences if math.isfinite(one.low)]
    if not shown:
        return Html("")
    marks = ticks(min(0.0, *(one.low for _, one in shown)), max(0.0, *(one.high for _, one in shown)), 6)
    low, high = marks[0], marks[-1]
    bottom = _TOP + _ROW * len(shown)

    def x(value: float) -> str:
        return f"{_LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - 14):.1f}"

    parts = []
    for mark in marks:
        parts.append(element("path", d=f"M{x(mark)} {_TOP}V{bottom}", class_="grid"))
        parts.append(element("text", tick_text(mark), x=x(mark), y=str(bottom + 16), text_anchor="middle"))
    parts.append(element("path", d=f"M{x(0.0)} {_TOP}V{bottom}", class_="line", stroke="currentColor"))
    for row, (name, one) in enumerate(shown):
        y, color = _TOP + _ROW * row + _ROW // 2, "orange" if one.told_apart else "blue"
        name = name if len(name) <= 28 else name[:27] + "…"
        parts.append(element("text", name, x=str(_LEFT - 10), y=str(y + 4), text_anchor="end"))
        parts.append(element("path", d=f"M{x(one.low)} {y}H{x(one.high)}", class_=f"line {color}"))
        hint = element("title", f"{name}: {shown_interval(one, one.value, sign=True)}")
        parts.append(element("circle", hint, cx=x(one.value), cy=str(y), r="4", class_=f"dot {color}"))
    svg = element("svg", *parts, viewBox=f"0 0 {_WIDTH} {bottom + _BOTTOM}", role="img", aria_label=title)
    caption = element(
        "figcaption",
        element("span", element("i", class_="key orange"), "the interval leaves out 0"),
        element("span", element("i", class_="key blue"), "it does not"),
    )
    return element("figure", element("h3", title), svg, caption, class_="forest")


def _scores(comparison: Comparison) -> Html:
    rows = [
        [one.name, *(shown_interval(one.intervals.get(name), one.scores.get(name)) for name in comparison.headlines)]
        for one in comparison.standings
    ]
    return section("Scores", table(["model", *comparison.headlines], rows, class_="numbers"), note="95 % intervals.")


def _differences(comparison: Comparison) -> Html:
    if not comparison.duels:
        return Html("")
    names = [name for name in comparison.headlines if any(name in duel.differences for duel in comparison.duels)]
    rows = [
        [
            duel.name,
            *(_difference(duel.differences.get(name)) for name in names),
            _probability(duel),
            f"{len(duel.won):,}",
            f"{len(duel.lost):,}",
            p_text(duel.p_value),
        ]
        for duel in comparison.duels
    ]
    headers = ["model", *names, "probability of being better", "rows won", "rows lost", "McNemar p"]
    return section(
        f"Differences to {comparison.against}",
        table(headers, rows, class_="numbers"),
        note=f"{MARK} told apart. {won_note(comparison)}",
    )


def _difference(found: Difference | None) -> str:
    """Return a difference, and its interval in one piece: a column is too narrow for both on a line."""
    if found is None:
        return "-"
    value, space, reach = shown_interval(found, found.value, sign=True).partition(" ")
    mark = f" {MARK}" if found.told_apart else ""
    return fragment([value, space, element("span", reach + mark, class_="range")])


def _probability(duel: Duel) -> str:
    return "-" if duel.deciding is None else f"{duel.deciding.better:.3f}"


def _forest(duel: Duel) -> Html:
    chart = forest_chart(f"F1 of {duel.name} minus that of {duel.against}", sorted_labels(duel))
    return section(f"{duel.name}, label by label", chart) if chart else Html("")


def sorted_labels(duel: Duel) -> list[tuple[str, Difference]]:
    """Return the labels by their difference, the best first."""
    return sorted(duel.labels.items(), key=lambda item: -item[1].value)


def _labels(comparison: Comparison) -> Html:
    names = list(dict.fromkeys(name for one in comparison.standings for name in one.per_label))
    if not names:
        return Html("")
    rows = []
    for label in names:
        known = [one.per_label.get(label, {}) for one in comparison.standings]
        support = next((scores["support"] for scores in known if scores.get("support") is not None), 0)
        bars = [bar(number(scores.get("f1"), 3), scores.get("f1")) for scores in known]
        rows.append([label, number(support), *bars, *(_of_label(duel, label) for duel in comparison.duels)])
    headers = ["label", "in the rows", *(one.name for one in comparison.standings)]
    headers += [f"{duel.name} - {duel.against}" for duel in comparison.duels]
    note = label_note(comparison) if comparison.duels else ""
    return section("F1 of each label", table(headers, rows, class_="wide numbers"), note=note)


def _of_label(duel: Duel, label: str) -> Html:
    found = duel.labels.get(label)
    text = "-" if found is None else f"{found.value:+.3f}" + (f" {MARK}" if found.told_apart else "")
    return element("b", text) if found is not None and found.told_apart else escape(text)


def _costs(costs: Sequence[Cost]) -> Html:
    if not costs:
        return Html("")
    rows = [
        [
            one.name,
            f"{one.ms_per_text:.2f}",
            f"{one.texts_per_second:,.0f}",
            size_text(one.size_bytes),
            "-" if one.num_parameters is None else f"{one.num_parameters:,}",
        ]
        for one in costs
    ]
    headers = ["model", "ms for one text", "texts a second in a batch", "on disk", "parameters"]
    return section("Cost", table(headers, rows, class_="numbers"), note="Measured on this machine, the models in turn.")


def _method(comparison: Comparison) -> Html:
    ranked = ""
    if comparison.ranking_draws != comparison.draws:
        ranked = f" ({comparison.ranking_draws:,} for scores of the order of rows)"
    text = (
        f"Intervals: percentiles of {comparison.draws:,} draws of the rows with replacement{ranked}, the same ones "
        "for all models (paired bootstrap, Efron 1979). McNemar's test on rows right as a whole, exact below 25 "
        "differing rows, corrected for the number of models (Holm 1979). "
        f"FastBert {__version__}. This page loads nothing from elsewhere."
    )
    return element("footer", fragment([text]))

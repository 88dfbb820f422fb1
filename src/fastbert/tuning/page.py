"""The page of a search: its history, what mattered, its trials; from a disk, offline, in light and dark.

It shows numbers and the names of options. Knows nothing of how they came about.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastbert.display import duration, number
from fastbert.insight.charts import Line, line_chart
from fastbert.insight.page import Html, bar, definitions, document, element, section, sentences, table
from fastbert.tuning.result import TuneResult, show_options
from fastbert.tuning.study import Record


def search_page(found: TuneResult, name: str) -> str:
    """Return the page of a search. name: of the model."""
    return document(
        f"{name}: search",
        _header(found, name),
        _history(found),
        _importances(found),
        _trials(found),
        _options(found),
    )


def _header(found: TuneResult, name: str) -> Html:
    choice = found.choice
    tiles = [
        ("result", number(choice.winner.value), f"{found.monitor}, trial {choice.winner.number}"),
        ("defaults", number(choice.first.value), f"{found.monitor}, trial {choice.first.number}"),
        ("trials", str(sum(record.counts for record in found.records)), f"{_count(found, 'pruned')} ended early"),
        ("time", duration(found.seconds), found.reason),
    ]
    boxes = [
        element("div", title, element("b", value), element("small", note), class_="tile")
        for title, value, note in tiles
    ]
    return element(
        "header",
        element("h1", f"{name}: search"),
        sentences(found.sentences()),
        element("div", *boxes, class_="tiles"),
    )


def _history(found: TuneResult) -> Html:
    complete = [record for record in found.records if record.done and record.value is not None]
    dots = tuple((float(record.number), float(record.value or 0.0)) for record in complete)
    charts = [_best_so_far(found, dots)]
    if found.limit_s is not None:
        points = tuple((_ms(record), record.value or 0.0) for record in found.front)
        charts.append(
            line_chart(
                "Front",
                [Line("nothing is both better and quicker", points, "orange", "dots")],
                x_name="ms for a long text",
                y_name=found.monitor,
                best=(_ms(found.choice.winner), found.choice.winner.value or 0.0),
                best_name=f"trial {found.choice.winner.number}",
            )
        )
    return section("History", element("div", *charts, class_="charts"))


def _best_so_far(found: TuneResult, dots: Sequence[tuple[float, float]]) -> Html:
    best, so_far = float("-inf"), []
    for place, value in dots:
        best = max(best, value)
        so_far.append((place, best))
    winner = found.choice.winner
    lines = [Line("best so far", tuple(so_far)), Line("trials", tuple(dots), "orange", "dots")]
    return line_chart(
        "Score by trial",
        lines,
        x_name="trial",
        y_name=found.monitor,
        best=(float(winner.number), winner.value or 0.0),
        best_name=f"result: trial {winner.number}",
    )


def _importances(found: TuneResult) -> Html:
    if not found.importances:
        return Html("")
    rows = [(name, bar(f"{100 * share:.0f} %", share)) for name, share in found.importances.items()]
    note = (
        "How much each option decides whether a trial is in the best quarter, by PED-ANOVA. Few trials, rough shares."
    )
    return section("What mattered", table(("option", "share"), rows), note=note)


def _trials(found: TuneResult) -> Html:
    latency = found.limit_s is not None
    headers = (
        "trial",
        "state",
        found.monitor,
        *(("ms",) if latency else ()),
        "epochs",
        "time",
        "other than the defaults",
    )
    rows = [
        (
            str(record.number),
            record.state,
            number(record.value),
            *((f"{_ms(record):.1f}" if record.latency_s else "-",) if latency else ()),
            f"{record.epochs:g}",
            duration(record.seconds),
            _what(found, record),
        )
        for record in found.records
    ]
    return section(
        "Trials", table(headers, rows, class_="wide"), note="Of a trial that ended early the best score it had."
    )


def _what(found: TuneResult, record: Record) -> str:
    what = "the defaults" if record.number == found.choice.first.number else show_options(found.changed(record))
    return what + (f" ({record.note})" if record.note else "")


def _options(found: TuneResult) -> Html:
    entries = [(name, str(value)) for name, value in found.choice.winner.options.items()]
    searched = [(name, part.describe()) for name, part in found.space.parts.items()]
    return section(
        "Options",
        element("h3", "Of the result"),
        definitions(entries),
        element("h3", "What was searched"),
        definitions(searched),
    )


def _count(found: TuneResult, state: str) -> int:
    return sum(record.state == state and record.counts for record in found.records)


def _ms(record: Record) -> float:
    return 1000 * record.latency_s[1] if record.latency_s is not None else 0.0

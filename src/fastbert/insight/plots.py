"""Charts with given ends: curves between 0 and 1, histograms, points. As SVG that follows light and dark.

Knows nothing of what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastbert.insight.charts import HEIGHT, WIDTH, Color, Line, Point, Scale, axes, circle, drawn
from fastbert.insight.page import Html, element, fragment

UNIT = (0.0, 1.0)
HOLLOW = 0.5  # pixels that a bar leaves free on each side


@dataclass(frozen=True)
class Frame:
    """What stands around a chart. x_range, y_range: ends of the axes.    about: one sentence below."""

    title: str
    x_name: str
    y_name: str
    x_range: Point = UNIT
    y_range: Point = UNIT
    about: str = ""


@dataclass(frozen=True)
class Bars:
    """A series of a histogram: a height for each bin, stacked on the series before it."""

    name: str
    heights: tuple[float, ...]
    color: Color = "blue"


def curves(frame: Frame, lines: Sequence[Line], mark: Point | None = None, mark_name: str = "") -> Html:
    """Return a figure of lines, or nothing if none has a point. mark: a point to be ringed, named in the legend."""
    shown = [line for line in lines if line.points]
    if not shown:
        return Html("")
    scale = Scale.within(frame.x_range, frame.y_range)
    marks = [drawn(line, scale) for line in shown]
    if mark is not None:
        marks.append(circle(scale, mark, 6, "best"))
    keys = [_key(line.color, line.name, dashed=line.style == "dashed") for line in shown if line.style != "faint"]
    return _figure(frame, scale, marks, keys + ([element("span", f"◯ {mark_name}")] if mark is not None else []))


def histogram(frame: Frame, edges: Sequence[float], series: Sequence[Bars]) -> Html:
    """Return a figure of bars between edges, or nothing if all are empty."""
    totals = [sum(heights) for heights in zip(*(bars.heights for bars in series), strict=True)]
    if not any(totals):
        return Html("")
    scale = Scale.within((edges[0], edges[-1]), (0.0, max(totals)))
    parts = []
    for place, total in enumerate(totals):
        top = float(total)
        for bars in reversed(series):  # from the top down, so that the first series stands on the axis
            height = bars.heights[place]
            if height:
                parts.append(_bar(scale, (edges[place], edges[place + 1]), (top - height, top), bars))
            top -= height
    return _figure(frame, scale, parts, [_key(bars.color, bars.name) for bars in series])


def points(frame: Frame, dots: Sequence[Point], lines: Sequence[Line] = ()) -> Html:
    """Return a figure of dots, with lines below them, or nothing without dots."""
    if not dots:
        return Html("")
    scale = Scale.within(frame.x_range, frame.y_range)
    marks = [element("circle", cx=f"{scale.x(x):g}", cy=f"{scale.y(y):g}", r="2.2", class_="spot") for x, y in dots]
    keys = [_key(line.color, line.name, dashed=line.style == "dashed") for line in lines]
    return _figure(frame, scale, [*(drawn(line, scale) for line in lines), *marks], keys)


def _bar(scale: Scale, x: Point, y: Point, bars: Bars) -> Html:
    left, right = scale.x(x[0]) + HOLLOW, scale.x(x[1]) - HOLLOW
    top, bottom = scale.y(y[1]), scale.y(y[0])
    return element(
        "rect",
        element("title", f"{bars.name}, {x[0]:.3g} to {x[1]:.3g}: {y[1] - y[0]:,.6g}"),
        x=f"{left:.1f}",
        y=f"{top:.1f}",
        width=f"{max(right - left, 0.5):.1f}",
        height=f"{max(bottom - top, 0.5):.1f}",
        class_=f"area {bars.color}",
    )


def _key(color: Color, name: str, *, dashed: bool = False) -> Html:
    return element("span", element("i", class_=f"key {color}{' dashed' if dashed else ''}"), name)


def _figure(frame: Frame, scale: Scale, marks: Sequence[Html], keys: Sequence[Html]) -> Html:
    svg = element(
        "svg",
        axes(scale, frame.x_name, frame.y_name),
        fragment(marks),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"{frame.title}: {frame.y_name} over {frame.x_name}",
    )
    about = [element("p", frame.about)] if frame.about else []
    legend = keys if len(keys) > 1 else []  # of one series the axis says it already
    return element("figure", element("h3", frame.title), svg, element("figcaption", *legend, *about))

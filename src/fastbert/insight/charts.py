"""Line charts as SVG, in a few lines of our own: axes with ticks, lines, dots, a marked point.

Colours come from the style sheet of the page, so that a chart follows light and dark.
Knows nothing of what the numbers mean.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fastbert.insight.page import Html, element, fragment

Point = tuple[float, float]
Color = Literal["blue", "orange", "green", "purple", "red", "brown", "teal", "grey"]
COLORS: tuple[Color, ...] = ("blue", "orange", "green", "purple", "red", "brown", "teal", "grey")

WIDTH, HEIGHT = 440, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 24, 36  # margins, for the numbers at the axes


@dataclass(frozen=True)
class Line:
    """A named series.

    style: "faint" is drawn thin and stands in no legend; "dots" has a dot per point; "dashed" is for what is compared.
    """

    name: str
    points: tuple[Point, ...]
    color: Color = "blue"
    style: Literal["line", "faint", "dots", "dashed"] = "line"


def line_chart(
    title: str, lines: Sequence[Line], *, x_name: str, y_name: str, best: Point | None = None, best_name: str = ""
) -> Html:
    """Return a figure, or nothing if no line has a point.

    best: a point to be ringed, named in the legend by best_name.
    """
    points = [point for line in lines for point in line.points]
    if not points:
        return Html("")
    scale = Scale.around(points)
    marks = [drawn(line, scale) for line in lines if line.points]
    if best is not None:
        marks.append(circle(scale, best, 6, "best"))
    svg = element(
        "svg",
        axes(scale, x_name, y_name),
        *marks,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"{title}: {y_name} over {x_name}",
    )
    keys = [
        element("span", element("i", class_=f"key {line.color}"), line.name)
        for line in lines
        if line.style != "faint" and line.points
    ]
    if best is not None:
        keys.append(element("span", f"◯ {best_name}"))
    if len(keys) == 1:  # the axis says it already
        keys = []
    return element("figure", element("h3", title), svg, element("figcaption", *keys))


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return about count round numbers that enclose low and high.

    >>> ticks(0, 9.3), ticks(0.61, 0.68, 4)
    ([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [0.6, 0.62, 0.64, 0.66, 0.68])
    """
    spread = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(spread / count))
    step = power * min((1, 2, 5, 10), key=lambda factor: abs(math.log(factor * power * count / spread)))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{index * step:.10g}") for index in range(first, max(last, first + 1) + 1)]


def tick_text(value: float) -> str:
    """Return a number for an axis.

    >>> tick_text(1200), tick_text(0.25), tick_text(0.00002)
    ('1,200', '0.25', '2e-5')
    """
    if value and abs(value) < 1e-3:
        mantissa, exponent = f"{value:.3e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def running_mean(values: Sequence[float], window: int | None = None) -> list[float]:
    """Return the mean of each value and those before it, as many as window; None: a 30th of all.

    >>> running_mean([4.0, 2.0, 0.0, 0.0], 2)
    [4.0, 3.0, 1.0, 0.0]
    """
    size = window or max(1, len(values) // 30)
    sums = [0.0, *itertools.accumulate(values)]
    return [(sums[end] - sums[max(0, end - size)]) / min(end, size) for end in range(1, len(sums))]


@dataclass(frozen=True)
class Scale:
    """Where numbers lie in the drawing. x_range: its ends; those of y are its outer ticks."""

    x_ticks: tuple[float, ...]
    y_ticks: tuple[float, ...]
    x_range: Point

    @classmethod
    def around(cls, points: Sequence[Point]) -> Scale:
        """Return the scale of a chart over steps."""
        xs, ys = [point[0] for point in points], [point[1] for point in points]
        low, high = min(0.0, *xs), max(1.0, *xs)  # from 0, so that charts below each other agree
        counted = high - low > 1 and all(x == int(x) for x in xs)  # there is no half a trial
        inside = tuple(tick for tick in ticks(low, high) if low <= tick <= high and (tick == int(tick) or not counted))
        return cls(inside, tuple(ticks(min(ys), max(ys), 4)), (low, high))

    @classmethod
    def within(cls, x_range: Point, y_range: Point) -> Scale:
        """Return the scale of a chart with given ends; those of y are widened to ticks."""
        low, high = x_range if x_range[1] > x_range[0] else (x_range[0] - 0.5, x_range[0] + 0.5)
        slack = 1e-9 * (high - low)
        inside = tuple(tick for tick in ticks(low, high) if low - slack <= tick <= high + slack)
        return cls(inside, tuple(ticks(*y_range, 4)), (low, high))

    def x(self, value: float) -> float:
        """Return where a number lies from the left."""
        low, high = self.x_range
        return round(LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        """Return where a number lies from the top."""
        low, high = self.y_ticks[0], self.y_ticks[-1]
        return round(HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)


def axes(scale: Scale, x_name: str, y_name: str) -> Html:
    """Return grid, ticks and names of the axes."""
    parts = [label(4, 12, y_name, "start")]
    for tick in scale.y_ticks:
        y = scale.y(tick)
        parts.append(element("path", d=f"M{LEFT} {y}H{WIDTH - RIGHT}", class_="grid"))
        parts.append(label(LEFT - 6, y + 4, tick_text(tick), "end"))
    parts += [label(scale.x(tick), HEIGHT - BOTTOM + 16, tick_text(tick), "middle") for tick in scale.x_ticks]
    parts.append(label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, x_name, "middle"))
    return fragment(parts)


def label(x: float, y: float, text: str, anchor: str) -> Html:
    """Return a text in the drawing."""
    return element("text", text, x=f"{x:g}", y=f"{y:g}", text_anchor=anchor)


def drawn(line: Line, scale: Scale) -> Html:
    """Return a line, with its dots."""
    way = "M" + "L".join(f"{scale.x(x):g} {scale.y(y):g}" for x, y in line.points)
    style = {"faint": "faint", "dashed": "line dashed"}.get(line.style, "line")
    path = element("path", d=way, class_=f"{style} {line.color}")
    if line.style != "dots":
        return path
    return fragment([path, *(circle(scale, point, 3, f"dot {line.color}") for point in line.points)])


def circle(scale: Scale, point: Point, radius: int, class_: str) -> Html:
    """Return a dot that says its numbers to a pointer."""
    x, y = point
    return element(
        "circle",
        element("title", f"{tick_text(x)}: {y:.4g}"),
        cx=f"{scale.x(x):g}",
        cy=f"{scale.y(y):g}",
        r=str(radius),
        class_=class_,
    )

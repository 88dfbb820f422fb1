"""Charts with given ends are checked on their SVG."""

from __future__ import annotations

import re

from fastbert.insight.charts import Line
from fastbert.insight.plots import Bars, Frame, curves, histogram, points

FRAME = Frame("Title", "x", "y")
LINE = Line("one", ((0.0, 0.0), (1.0, 1.0)))


def test_a_curve_fills_the_frame_and_not_what_it_spans() -> None:
    half = Line("half", ((0.0, 0.0), (0.5, 0.5)), "green", "dashed")

    assert 'd="M52 204L240 114" class="line dashed green"' in curves(FRAME, [half])


def test_a_mark_is_ringed_and_named() -> None:
    chart = curves(FRAME, [LINE], (0.5, 0.5), "0.5: in force")

    assert 'class="best"' in chart and "◯ 0.5: in force" in chart


def test_faint_lines_have_no_key_and_nothing_makes_no_chart() -> None:
    assert "<i" not in curves(FRAME, [LINE, Line("chance", LINE.points, style="faint")])
    assert curves(FRAME, [Line("none", ())]) == histogram(FRAME, [0, 1], [Bars("a", (0.0,))]) == points(FRAME, []) == ""


def test_bars_are_stacked_on_each_other() -> None:
    chart = histogram(FRAME, [0.0, 0.5, 1.0], [Bars("right", (3.0, 0.0)), Bars("wrong", (1.0, 0.0), "orange")])

    boxes = {kind: (float(y), float(height)) for y, height, kind in _BAR.findall(chart)}
    assert boxes["blue"][0] == boxes["orange"][0] + boxes["orange"][1]
    assert boxes["blue"][1] == 3 * boxes["orange"][1]
    assert "wrong, 0 to 0.5: 1" in chart


def test_dots_stand_where_they_are() -> None:
    assert 'cx="240" cy="114"' in points(FRAME, [(0.5, 0.5)])


def test_a_range_without_width_is_widened() -> None:
    assert "circle" in points(Frame("t", "x", "y", (2.0, 2.0), (3.0, 3.0)), [(2.0, 3.0)])


_BAR = re.compile(r'y="([0-9.]+)" width="[0-9.]+" height="([0-9.]+)" class="area (\w+)"')

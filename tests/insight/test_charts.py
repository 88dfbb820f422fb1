"""Charts are checked on their SVG: where a line goes, which ticks and names stand at the axes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.insight.charts import Line, Scale, line_chart, running_mean, tick_text, ticks

LOSS = Line("loss", ((0.0, 1.0), (50.0, 0.5), (100.0, 0.0)))
SCORE = Line("score", ((50.0, 0.7), (100.0, 0.8)), "orange", "dots")


def test_a_line_goes_from_corner_to_corner_of_the_axes() -> None:
    chart = line_chart("Loss", [LOSS], x_name="step", y_name="loss")

    # margins: left 52, right 12 of 440; top 24, bottom 36 of 240
    assert 'd="M52 24L240 114L428 204" class="line blue"' in chart


def test_axes_have_names_and_ticks() -> None:
    chart = line_chart("Loss", [LOSS], x_name="step", y_name="loss")

    assert all(f">{text}</text>" in chart for text in ("loss", "step", "0", "100", "0.2", "0.8", "1"))


def test_a_series_of_dots_has_one_for_each_point() -> None:
    chart = line_chart("Score", [SCORE], x_name="step", y_name="score")

    assert chart.count('class="dot orange"') == 2


def test_the_best_point_is_ringed_and_named() -> None:
    chart = line_chart("Score", [SCORE], x_name="step", y_name="f1", best=(100.0, 0.8), best_name="kept: 0.8")

    assert chart.count('class="best"') == 1
    assert "◯ kept: 0.8" in chart


def test_a_legend_is_there_for_several_lines_only() -> None:
    alone = line_chart("Loss", [LOSS], x_name="step", y_name="loss")
    both = line_chart("Loss", [LOSS, SCORE], x_name="step", y_name="loss")

    assert '<i class="key' not in alone
    assert both.count('<i class="key') == 2


def test_a_chart_without_points_is_nothing() -> None:
    assert line_chart("Loss", [Line("loss", ())], x_name="step", y_name="loss") == ""


def test_one_point_is_drawn() -> None:
    assert "circle" in line_chart("A", [Line("a", ((1.0, 5.0),), style="dots")], x_name="x", y_name="y")


@given(low=st.floats(-1e6, 1e6), spread=st.floats(1e-6, 1e6))
def test_ticks_enclose_the_values_and_are_few(low: float, spread: float) -> None:
    high = low + spread
    marks = ticks(low, high)
    slack = 1e-6 * max(1.0, abs(low), abs(high))

    assert marks[0] <= low + slack
    assert marks[-1] >= high - slack
    assert 2 <= len(marks) <= 12


@pytest.mark.parametrize("value", [0.0, 0.5, -3.0])
def test_ticks_around_one_value_are_at_least_two(value: float) -> None:
    assert len(ticks(value, value)) >= 2


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (1200.0, "1,200"), (0.25, "0.25"), (1e-4, "1e-4"), (2.5e-5, "2.5e-5")]
)
def test_a_tick_is_short(value: float, text: str) -> None:
    assert tick_text(value) == text


def test_the_running_mean_starts_with_what_there_is() -> None:
    assert running_mean([3.0, 1.0, 2.0, 4.0], 3) == [3.0, 2.0, 2.0, pytest.approx(7 / 3)]


def test_the_running_mean_of_nothing_is_empty() -> None:
    assert running_mean([]) == []


@pytest.mark.parametrize(
    ("last", "marks"),
    [(2.0, (0.0, 1.0, 2.0)), (2.5, (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)), (1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))],
)
def test_what_is_counted_has_whole_marks(last: float, marks: tuple[float, ...]) -> None:
    assert Scale.around([(0.0, 0.5), (1.0, 0.6), (last, 0.7)]).x_ticks == marks

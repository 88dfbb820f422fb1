"""The page of a comparison: whole, offline, escaped, and with every table."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.errors import DataError
from fastbert.insight.compare import compare
from fastbert.insight.compare_page import check_page, comparison_page, forest_chart, write_page
from fastbert.insight.cost import Cost
from fastbert.metrics.paired import Difference
from tests.insight.answered import single
from tests.insight.test_report import _Reader


def page() -> str:
    task, examples, bad = single(60, seed=1, skill=0.1)
    answers = {"<b>bad": bad, "good": single(60, seed=2, skill=0.6)[2]}
    return comparison_page(compare(task, examples, answers), [Cost("good", 1.0, 2.0, 3, 4)], "Comparison on test.csv")


@pytest.mark.parametrize(
    "forbidden", ["<script", "src=", "href=", "http:", "https:", "url(", "@import", "<link", "text 1"]
)
def test_the_page_asks_for_nothing_from_elsewhere_and_shows_no_text(forbidden: str) -> None:
    assert forbidden not in page()


def test_the_markup_is_closed_and_names_are_text() -> None:
    reader = _Reader()

    reader.feed(page())

    assert reader.open == []
    assert "good is better than <b>bad on these 60 rows" in reader.text
    assert "<b>bad" not in page()


@pytest.mark.parametrize("title", ["Outcome", "Scores", "good, label by label", "F1 of each label", "Cost"])
def test_every_section_is_there(title: str) -> None:
    assert f"<h2>{title}</h2>" in page()


def test_light_and_dark_are_told_apart_by_the_reader_of_the_page() -> None:
    assert "prefers-color-scheme:dark" in page()


def test_a_chart_has_a_row_for_each_difference_that_is_known() -> None:
    nan = float("nan")
    found = forest_chart("F1", [("a", Difference(0.1, 0.05, 0.2, 1.0, True)), ("b", Difference(0.0, nan, nan))])

    assert found.count("<circle") == 1
    assert "a: +0.1000 [+0.0500, +0.2000]" in found
    assert forest_chart("F1", []) == ""


def test_a_page_is_written_whole(tmp_path: Path) -> None:
    write_page(tmp_path / "c.html", "<p>")

    assert [path.read_text() for path in tmp_path.iterdir()] == ["<p>"]


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"c\.pdf: the page is HTML; this ending is '\.pdf'"):
        check_page(tmp_path / "c.pdf")

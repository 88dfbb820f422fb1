"""Tables and numbers for people, as text and as HTML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.display import Block, View, duration, label_score_rows, number, shorten, sparkline

TABLE = Block("Scores", ("two labels",), ("label", "f1"), (("bug", "0.9"), ("praise", "-")))


def test_text_is_aligned_with_numbers_to_the_right() -> None:
    block = Block("Counts", ("all rows",), ("label", "rows"), (("bug", "7"), ("praise", "1,200")))

    assert block.to_text() == "Counts\n  all rows\n  label   rows\n  bug         7\n  praise  1,200"


@pytest.mark.parametrize("block", [Block(), Block(headers=("label",))])
def test_an_empty_block_shows_nothing(block: Block) -> None:
    assert (block.to_text(), block.to_html()) == ("", "")


def test_html_escapes_every_text() -> None:
    html = Block("<a>", ("<b>",), ("<c>",), (("<d>",),)).to_html()

    assert [f"&lt;{name}&gt;" in html for name in "abcd"] == [True] * 4
    assert not any(f"<{name}>" in html for name in "acd")


def test_a_view_shows_its_blocks_in_terminal_and_notebook() -> None:
    view = View((TABLE, Block("More")))

    assert repr(view).endswith("praise  -\n\nMore")
    assert view._repr_html_().count("<h4>") == 2


@given(st.text(), st.integers(1, 80))
def test_a_shortened_text_is_one_line_of_at_most_its_width(text: str, width: int) -> None:
    line = shorten(text, width)

    assert len(line) <= width
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (3, "3"), (0.5, "0.5000"), (1e-9, "0.0000")])
def test_numbers_have_few_digits(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599.7, "1 h 0 min"), (86400, "24 h 0 min")],
)
def test_durations_are_rounded_before_they_are_split(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("values", "line"), [([], ""), ([0.0, 0.0], "▁▁"), ([-1.0, -2.0], "▁▁"), ([2.0], "█"), ([0.0, 0.5, 1.0], "▁▅█")]
)
def test_a_sparkline_is_full_at_its_highest_value(values: list[float], line: str) -> None:
    assert sparkline(values) == line


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300), st.integers(1, 60))
def test_a_sparkline_keeps_its_width(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == min(len(values), width)


def test_a_score_that_is_not_defined_is_a_dash() -> None:
    block = label_score_rows({"bug": {"f1": 0.5, "support": 3, "roc_auc": None}}, ("f1", "support", "roc_auc"))

    assert block.rows == (("bug", "0.5000", "3", "-"),)
    assert block.headers == ("label", "f1", "support", "roc_auc")


def test_a_sparkline_averages_what_does_not_fit() -> None:
    assert sparkline([0, 2, 6, 8, 14, 14], width=3) == "▁▅█"  # means 1, 7, 14: levels 0.5, 3.5, 7

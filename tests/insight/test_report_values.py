"""Errors of numbers: how large, where, and drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastbert.insight.evidence import ValueRows
from fastbert.insight.report_values import MOST_DOTS, values
from tests.insight import made_rows
from tests.insight.pages import Page


def test_errors_are_told_by_the_size_of_the_number() -> None:
    text = Page(values(made_rows.values())).text

    assert "0 to 7 8 1.0000 1.0000 1.0000" in text
    assert "32 to 39 8 2.2500 2.2500 4.0000" in text  # seven errors of 1 and one of 11


def test_many_rows_are_drawn_in_part() -> None:
    true_N = np.arange(4000.0)
    page = values(replace(made_rows.values(), values=ValueRows("x", 1.0, true_N, true_N)))

    assert page.count('class="spot"') <= MOST_DOTS
    assert "Every 3th row is drawn." in page


def test_one_value_for_all_rows_is_drawn_too() -> None:
    same_N = np.full(5, 2.0)

    assert "2 to 2" in values(replace(made_rows.values(), values=ValueRows("x", 1.0, same_N, same_N)))


def test_labels_are_no_numbers() -> None:
    assert values(made_rows.single()) == ""

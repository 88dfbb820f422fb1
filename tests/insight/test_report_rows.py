"""Rows by place, never by text unless asked for; scores by length and by what was cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fastbert.insight.evidence import RowFacts
from fastbert.insight.report_rows import NUM_ROWS, lengths, worst
from tests.insight.made_rows import EVERY, SECRET, single, values
from tests.insight.pages import Page


def test_the_worst_row_comes_first_with_its_truth_and_decision() -> None:
    text = Page(worst(values())).text

    assert text.index("rows.csv, row 41 1.100 39 50 error +11") < text.index("rows.csv, row 2 ")


def test_uncertain_rows_are_those_of_low_confidence() -> None:
    text = Page(worst(single())).text.partition("Most uncertain rows")[2]

    assert "rows.csv, row 6 0.600 Billing <b>& Billing 0.35, <b>& 0.60" in text
    assert text.count("rows.csv") == NUM_ROWS


@pytest.mark.parametrize("name", EVERY)
def test_texts_are_shown_only_where_they_were_asked_for(name: str) -> None:
    found = EVERY[name]()

    assert "secret" not in worst(found)
    assert SECRET in worst(replace(found, texts=(SECRET,) * found.num_rows))


def test_scores_are_told_by_length_and_by_what_was_cut() -> None:
    text = Page(lengths(single())).text

    assert "10 to 210 21 0.8095 0.600 to 0.923" in text  # Wilson of 17 of 21
    assert "cut 10 0.8000" in text and "read as a whole 30 0.8000" in text


def test_rows_that_depend_on_each_other_widen_the_intervals() -> None:
    found = single()
    wrong_first_N = np.argsort(np.argsort(found.right_N, kind="stable"))
    grouped = replace(found, rows=replace(found.rows, units_N=wrong_first_N // 8))  # five units, one of them wrong

    assert "read as a whole 30 0.8000 0.627 to 0.905" in Page(lengths(found)).text
    assert "read as a whole 30 0.8000 0.376 to 0.964" in Page(lengths(grouped)).text


def test_errors_of_numbers_are_sizes() -> None:
    assert "mean size of the error" in lengths(values())


def test_without_places_or_lengths_nothing_is_said() -> None:
    bare = replace(single(), rows=RowFacts())

    assert worst(bare) == lengths(bare) == ""

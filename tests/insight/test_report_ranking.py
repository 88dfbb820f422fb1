"""Curves of labels: which are drawn, what their legends say, where the threshold stands."""

from __future__ import annotations

import math

from fastbert.decisions.rules import Decisions
from fastbert.insight.report_ranking import MOST_LINES, SHOWN, ranking, thresholds
from tests.insight.made_rows import multi, single, values
from tests.insight.pages import Page

MANY = tuple(f"label {place}" for place in range(12))


def test_each_label_has_its_area_in_the_legend() -> None:
    found = multi()
    page = ranking(found)

    assert f"Bugs {found.per_label['Bugs']['roc_auc']:.3f}" in page
    assert f"Billing {found.per_label['Billing']['average_precision']:.3f}" in page
    assert f"mean of all labels {found.scores['roc_auc_macro']:.3f}" in page
    assert f"mean of all labels {found.scores['average_precision_macro']:.3f}" in page


def test_of_many_labels_few_are_drawn_and_the_page_says_which() -> None:
    page = ranking(multi(names=MANY))

    assert page.count("label ") <= 2 * MOST_LINES + 2
    assert "Drawn are the labels that are ranked worst and the most frequent ones." in page


def test_a_threshold_of_its_own_is_ringed_at_its_f1() -> None:
    rule = Decisions(threshold=0.4, thresholds=(("Bugs", 0.55), ("Billing", math.inf)))
    found = multi(rule)
    page = Page(thresholds(found)).text

    assert f"◯ 0.550: F1 {found.per_label['Bugs']['f1']:.3f}" in page
    assert "◯ 0.400: F1" in page
    assert "Never given." in page


def test_charts_beyond_a_few_are_folded() -> None:
    page = thresholds(multi(names=MANY))

    assert f"<summary>{len(MANY) - SHOWN} more labels</summary>" in page


def test_the_best_label_of_a_row_has_the_chart_of_its_threshold() -> None:
    found = single(Decisions(thresholds=(("Bugs", 0.7), ("Billing", math.inf))))

    page = Page(thresholds(found)).text

    assert f"◯ 0.700: F1 {found.per_label['Bugs']['f1']:.3f}" in page
    assert "The best label of a row is given from the threshold on." in page
    assert page.count("Never given.") == 1 and "<b>&" not in page  # which has no threshold


def test_one_label_a_row_has_no_thresholds_and_numbers_no_ranking() -> None:
    assert thresholds(single()) == ranking(values()) == ""

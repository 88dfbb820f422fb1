"""Headlines, labels and all scores, with the intervals where there are some."""

from __future__ import annotations

from dataclasses import replace

from fastbert.insight import report_scores as scores
from fastbert.insight.run_facts import RunFacts
from fastbert.insight.uncertainty import Uncertainty
from tests.insight.made_rows import entities, single
from tests.insight.pages import Page

UNSURE = Uncertainty({"accuracy": (0.7, 0.9)}, {"Bugs": (0.61, 0.92)}, "Intervals are made up.")


def test_a_tile_has_its_interval_and_counts_the_rows() -> None:
    text = Page(scores.header(single(), RunFacts(), UNSURE, "my model")).text

    assert "my model" in text and "Measured on 40 test rows." in text
    assert "accuracy 0.8000 0.700 to 0.900 share of rows that are right" in text


def test_labels_have_a_column_of_intervals_only_where_there_are_some() -> None:
    with_, without = (Page(scores.labels(single(), one)).text for one in (UNSURE, Uncertainty()))

    assert "F1 F1, 95 % average precision" in with_ and "0.61 to 0.92" in with_ and "Intervals are made up." in with_
    assert "95 %" not in without


def test_the_interval_stands_beside_the_score_of_its_split() -> None:
    found = single()
    both = replace(found, bundle=replace(found.bundle, scores={"valid": {"accuracy": 0.5}, **found.bundle.scores}))

    assert "accuracy 0.5000 0.8000 0.700 to 0.900" in Page(scores.all_scores(both, UNSURE)).text


def test_rows_that_are_given_have_a_column_of_their_own() -> None:
    given = replace(single(), split="new.csv", own_scores={"accuracy": 0.6})

    assert "score test new.csv 95 %" in Page(scores.all_scores(given, UNSURE)).text


def test_entities_are_told_by_what_became_of_them() -> None:
    text = Page(scores.mistakes(entities())).text

    assert "entity type exact wrong boundary wrong label missed spurious" in text
    assert "person 4 0 2 6 0" in text

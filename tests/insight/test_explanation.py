"""Explanations as values: order, shares, JSON, and how they show themselves."""

from __future__ import annotations

import json
from typing import Any

from fastbert.insight.explanation import Neighbour
from tests.insight.explained import made_up, made_up_check


def test_words_are_ranked_by_size_and_unread_ones_left_out() -> None:
    (one,) = made_up().attributions

    assert one.ranked == (0, 1, 2)


def test_shares_are_of_the_largest_value() -> None:
    (one,) = made_up().attributions

    assert one.shares() == (1.0, -0.5, 0.025, 0.0)


def test_json_names_words_once_and_values_in_their_order() -> None:
    neighbour = Neighbour(0.9, "bug", "it is slow", "t.csv, row 3")
    values: dict[str, Any] = made_up(made_up_check()).with_similar([neighbour]).to_json()

    assert json.loads(json.dumps(values)) == values
    assert values["words"][3] == {"text": "cut", "start": 15, "end": 18, "source": "text", "read": False}
    (one,) = values["attributions"]
    assert (one["values"], one["steps"], one["check"]["verdict"]) == ([2.0, -1.0, 0.05, None], 32, "faithful")
    assert values["similar"] == [{"similarity": 0.9, "truth": "bug", "where": "t.csv, row 3", "text": "it is slow"}]
    assert "other" not in values


def test_repr_names_the_words_that_count_most() -> None:
    assert repr(made_up()) == "Explanation(bug 0.90: slow +2.00, <b> -1.00, app +0.05)"


def test_a_notebook_shows_the_words_escaped() -> None:
    markup = made_up()._repr_html_()

    assert '<span class="w against" title="-1.000" style="--a:0.50">&lt;b&gt;</span>' in markup
    assert "<style>" in markup

"""Scores of weighted rows are the scores of these rows written out, for every task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fastbert.decisions.abstain import Abstention
from fastbert.decisions.rules import Decisions
from fastbert.insight import uncertainty as module
from fastbert.insight.evidence import Evidence
from fastbert.insight.uncertainty import F1_OF_LABELS, uncertainty
from tests.insight.made_rows import EVERY, entities, multi, questions, single, values

ABSTAINING = Decisions(abstention=Abstention(confidence=0.8))
CASES: list[tuple[Evidence, list[tuple[str, Callable[..., Any]]]]] = [
    (single(), [("labels", module._label_scores), ("labels", module._ranking_scores)]),
    (single(ABSTAINING), [("labels", module._label_scores)]),
    (multi(), [("labels", module._label_scores), ("labels", module._ranking_scores)]),
    (values(), [("values", module._value_scores)]),
    (entities(), [("entities", module._entity_scores)]),
    (questions(), [("answers", module._answer_scores)]),
]


@pytest.mark.parametrize("drawn", [None, 7], ids=["each row once", "drawn again"])
@pytest.mark.parametrize(("found", "statistics"), CASES)
def test_weights_count_rows(found: Evidence, statistics: list[tuple[str, Any]], drawn: int | None) -> None:
    count = found.num_rows
    rows = np.arange(count) if drawn is None else np.random.default_rng(drawn).integers(0, count, count)
    said, examples = [found.predictions[row] for row in rows], [found.examples[row] for row in rows]
    expected = found.bundle.task.score(said, examples)
    weight_DN = np.bincount(rows, minlength=count)[None].astype(float)

    seen: dict[str, Any] = {}
    for part, statistic in statistics:
        seen |= {name: value[0] for name, value in statistic(getattr(found, part), weight_DN).items()}

    by_label = seen.pop(F1_OF_LABELS, None)
    assert seen == pytest.approx({name: expected[name] for name in seen}, abs=1e-9)
    if by_label is not None:
        per_label = found.bundle.task.score_labels(said, examples)
        assert by_label.tolist() == pytest.approx([per_label[name]["f1"] for name in per_label])


@pytest.mark.parametrize("name", EVERY)
def test_every_headline_that_varies_has_an_interval_around_it(name: str) -> None:
    found = EVERY[name]()

    unsure = uncertainty(found)

    headlines = [one for one in found.bundle.task.headlines if one in found.scores]
    assert sum(one in unsure.scores for one in headlines) >= len(headlines) - 2
    assert all(low <= found.scores[one] <= high for one, (low, high) in unsure.scores.items())
    assert f"of the {found.num_rows} rows with replacement (bootstrap)." in unsure.note


def test_labels_have_intervals_of_their_f1() -> None:
    assert uncertainty(multi()).labels.keys() <= set(multi().per_label)
    assert uncertainty(multi()).labels


def test_one_row_says_nothing() -> None:
    assert uncertainty(single(rows=1)) == uncertainty(replace(single(), loss_N=np.zeros(0)))


def test_rows_of_one_unit_are_drawn_together() -> None:
    found = single(rows=200)
    right_N = found.right_N
    units_N = np.argsort(np.argsort(right_N, kind="stable")) // 10  # ten rows a unit, all right or all wrong
    grouped = replace(found, rows=replace(found.rows, units_N=units_N))

    (low, high), (narrow, wide) = (uncertainty(one).scores["accuracy"] for one in (grouped, found))

    assert high - low > 2.5 * (wide - narrow)  # the root of 10 in theory
    assert "draws of the 20 units of the 200 rows with replacement (bootstrap). Rows with a group" in (
        uncertainty(grouped).note
    )
    assert uncertainty(replace(found, rows=replace(found.rows, units_N=np.zeros(200, np.int64)))).scores == {}

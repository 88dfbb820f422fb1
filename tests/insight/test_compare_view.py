"""The comparison in a terminal: every table, marks, and what is said with it."""

from __future__ import annotations

import pytest

from fastbert.insight.compare import compare
from fastbert.insight.compare_view import comparison_view, outcome, size_text
from fastbert.insight.cost import Cost
from tests.insight.answered import multi, numbers, single

COSTS = [Cost("bad", 12.5, 410.4, 91_600_000, 22_715_526), Cost("good", 0.5, 9000.0, None, None)]


def shown(rows: int = 200) -> str:
    task, examples, bad = single(rows, seed=1, skill=0.1)
    answers = {"bad": bad, "good": single(rows, seed=2, skill=0.6)[2]}
    return repr(comparison_view(compare(task, examples, answers), COSTS))


@pytest.mark.parametrize(
    "title",
    [
        "Scores on 200 rows, with 95 % intervals",
        "Differences to bad",
        "F1 of each label",
        "Cost, measured here in turn",
        "Outcome",
    ],
)
def test_every_table_is_there(title: str) -> None:
    assert title in shown().splitlines()


def test_differences_that_are_told_apart_have_a_mark() -> None:
    line = next(line for line in shown().splitlines() if line.startswith("  good") and "< 0.001" in line)

    assert line.count("] *") >= 3


def test_the_cost_says_what_is_not_known() -> None:
    lines = [" ".join(line.split()) for line in shown().splitlines()]

    assert "bad 12.50 410 91.6 MB 22,715,526" in lines
    assert "good 0.50 9,000 - -" in lines


def test_labels_have_the_f1_of_each_model_and_the_difference() -> None:
    task, examples, said = multi()
    found = repr(comparison_view(compare(task, examples, {"one": said, "two": said})))

    row = next(line.split() for line in found.splitlines() if line.startswith("  b "))
    assert row[2] == row[3] and row[4] == "+0.000"


def test_numbers_have_neither_labels_nor_mcnemar() -> None:
    task, examples, said = numbers()

    found = repr(comparison_view(compare(task, examples, {"one": said, "two": said})))

    assert "F1 of each label" not in found and "Cost" not in found
    assert "rows where one of the two is nearer, by more than a tenth of a deviation" in found
    assert " ".join(found.split()).count("0 0 -") == 1


def test_the_outcome_says_what_the_intervals_do_not_cover() -> None:
    task, examples, said = single()
    two = compare(task, examples, {"one": said, "two": said})
    three = compare(task, examples, {"one": said, "two": said, "three": said})

    assert "Another seed of training" in outcome(two)[-1]
    assert "(Bonferroni)" in outcome(three)[-2] and "(Bonferroni)" not in str(outcome(two))
    assert outcome(compare(task, examples, {"one": said})) == ()


def test_sizes_are_in_megabytes() -> None:
    assert (size_text(1_250_000), size_text(None)) == ("1.2 MB", "-")

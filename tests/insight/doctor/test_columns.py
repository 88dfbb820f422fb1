"""Columns beside text and label."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from fastbert.insight.doctor.columns import column_findings, held_out_guess, label_changes, label_lift
from fastbert.insight.doctor.findings import Finding
from tests.insight.doctor.made import Rows, kinds, only, read, sentence

HEADER = ("text", "label", "extra")


def table(extra: list[str], labels: list[str]) -> Rows:
    return [[sentence(number), label, cell] for number, (cell, label) in enumerate(zip(extra, labels, strict=True))]


def shuffled(count: int) -> list[str]:
    return random.Random(0).choices("ab", k=count)


def test_another_form_of_the_label_is_found(tmp_path: Path) -> None:
    labels = shuffled(100)

    found = only(
        column_findings(read(tmp_path, HEADER, train=table([{"a": "1", "b": "2"}[x] for x in labels], labels))),
        "column_tells_label",
    )

    assert "Column 'extra' tells the label: its value gives 100 % of the labels" in found.sentence


def test_numbers_that_rise_with_the_label_are_found(tmp_path: Path) -> None:
    rng = random.Random(1)
    labels = shuffled(200)
    scores = [f"{rng.random() + (label == 'b') * 0.9:.4f}" for label in labels]

    assert "column_tells_label" in kinds(column_findings(read(tmp_path, HEADER, train=table(scores, labels))))


def test_ids_that_run_label_by_label_are_found(tmp_path: Path) -> None:
    rows = [[sentence(number), "ab"[number >= 60], str(number)] for number in range(120)]
    random.Random(0).shuffle(rows)

    findings = column_findings(read(tmp_path, ("text", "label", "id"), train=rows))

    assert kinds(findings) == {"id_tells_label"}


def test_a_column_that_has_nothing_to_do_with_the_label_is_silent(tmp_path: Path) -> None:
    rng = random.Random(2)
    extra = [rng.choice("xyz") for _ in range(200)]

    assert column_findings(read(tmp_path, HEADER, train=table(extra, shuffled(200)))) == []


def test_rows_that_are_sorted_by_label_are_noticed(tmp_path: Path) -> None:
    rows = [[sentence(number), "ab"[number >= 50]] for number in range(100)]

    found = only(column_findings(read(tmp_path, train=rows)), "sorted_by_label")

    assert "it changes 1 times from row to row, in a random order 50 times" in found.sentence


def test_writers_on_both_sides_of_a_split_are_named(tmp_path: Path) -> None:
    header = ("text", "label", "author")
    train = [[sentence(number), shuffled(80)[number], f"u{number % 20}"] for number in range(80)]
    test = [[sentence(900 + number), shuffled(30)[number], f"u{number}"] for number in range(15, 25)]

    both = only(column_findings(read(tmp_path, header, train=train, test=test)), "group")
    alone = only(column_findings(read(tmp_path, header, train=train)), "group")

    assert "Values of column 'author' are in train and test (50 % of its rows) alike" in both.sentence
    assert alone.advice.endswith("train with --group 'author'.")


def test_groups_of_one_label_are_worth_a_look_whatever_their_name(tmp_path: Path) -> None:
    owners = [number % 30 for number in range(120)]
    labels = [shuffled(30)[owner] for owner in owners]
    extra = [f"{sentence(owner)} ltd" for owner in owners]

    findings = column_findings(
        read(tmp_path, HEADER, train=table(extra, labels), options={"text": "text", "labels": ("label",)})
    )

    assert only(findings, "group" if "group" in kinds(findings) else "column_tells_label").severity == "look"


def test_a_random_split_over_time_is_noted_and_a_later_one_is_not(tmp_path: Path) -> None:
    header = ("text", "label", "date")
    labels = shuffled(60)
    train = [[sentence(number), labels[number], f"2020-01-{number % 28 + 1:02}"] for number in range(60)]
    later = [[sentence(900 + number), labels[number], f"2020-02-{number % 28 + 1:02}"] for number in range(30)]
    mixed = [[sentence(900 + number), labels[number], f"2020-01-{number % 28 + 1:02}"] for number in range(30)]

    assert "held out at random" in only(column_findings(read(tmp_path, header, train=train)), "time").sentence
    assert "test lie within" in only(column_findings(read(tmp_path, header, train=train, test=mixed)), "time").sentence
    assert column_findings(read(tmp_path, header, train=train, test=later)) == []


def test_a_value_that_was_not_seen_is_guessed_as_the_commonest_label() -> None:
    right, base, total = held_out_guess([str(number) for number in range(10)], ["a"] * 10)

    assert (right, base, total) == (5, 5, 5)


def test_lift_is_none_for_groups_of_one_row_and_full_for_pure_ones() -> None:
    assert label_lift(["1", "2", "3"], [("a",), ("b",), ("a",)]) == 0.0
    assert label_lift(["1", "1", "2", "2", ""], [("a",), ("a",), ("b",), ("b",), ("a",)]) == 1.0


def test_changes_of_label_are_counted() -> None:
    assert label_changes([("a",), ("b",), ("a",), ("b",)]) == (3, 2.0)
    assert label_changes([("a",)]) == (0, 0.0)


# --- a column that tells a number -------------------------------------------------------------------

REGRESSION: dict[str, object] = {"text": "text", "labels": ("label",), "task": "regression"}


def told_number(folder: Path, cells: Sequence[object], numbers: Sequence[float], name: str = "extra") -> list[Finding]:
    rows = [[sentence(row), number, cell] for row, (cell, number) in enumerate(zip(cells, numbers, strict=True))]
    return column_findings(read(folder, ("text", "label", name), train=rows, options=REGRESSION))


def stars(count: int) -> list[float]:
    return [float(number) for number in random.Random(3).choices(range(1, 6), k=count)]


def test_another_form_of_the_number_is_found(tmp_path: Path) -> None:
    found = only(told_number(tmp_path, [2 * one + 1 for one in stars(100)], stars(100)), "column_tells_label")

    assert found.severity == "look"
    assert found.sentence == (
        "Column 'extra' tells the number: over 100 rows their correlation is 1.000, that of their ranks 1.000."
    )
    assert "another form of the number" in found.advice


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param([-(one**3) for one in stars(100)], id="falls with it, bent"),
        pytest.param(["" if row % 4 == 0 else one for row, one in enumerate(stars(100))], id="a quarter is empty"),
        pytest.param([f"{one * 20:.0f} percent" for one in stars(100)], id="in words"),
        pytest.param([one + row % 3 * 0.05 for row, one in enumerate(stars(100))], id="with noise"),
    ],
)
def test_other_forms_of_a_number_are_found(cells: list[object], tmp_path: Path) -> None:
    assert kinds(told_number(tmp_path, cells, stars(100))) == {"column_tells_label"}


def test_rows_that_are_numbered_by_the_number_are_found(tmp_path: Path) -> None:
    numbers = sorted(stars(100))

    assert kinds(told_number(tmp_path, [*range(100)], [one + row for row, one in enumerate(numbers)], "id")) == {
        "id_tells_label"
    }


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param([random.Random(4).random() for _ in range(100)], id="the same everywhere"),
        pytest.param([row * 37 % 101 for row in range(100)], id="any number"),
        pytest.param([one + row % 7 for row, one in enumerate(stars(100))], id="related"),
        pytest.param(["even" if one % 2 == 0 else "odd" for one in stars(100)], id="told by it, but tells little"),
        pytest.param([f"name {row}" for row in range(100)], id="all different"),
        pytest.param(["" if row else "1" for row in range(100)], id="nearly all empty"),
        pytest.param([1] * 100, id="constant"),
    ],
)
def test_a_column_that_does_not_tell_the_number_is_silent(cells: list[object], tmp_path: Path) -> None:
    assert told_number(tmp_path, cells, stars(100)) == []


def test_one_far_row_is_no_correlation(tmp_path: Path) -> None:
    cells = [*random.Random(5).choices(range(100), k=99), 100_000]

    assert told_number(tmp_path, cells, [*stars(99), 10_000.0]) == []


def test_few_rows_tell_nothing(tmp_path: Path) -> None:
    assert told_number(tmp_path, stars(19), stars(19)) == []


def test_numbers_of_a_column_with_gaps_are_numbers(tmp_path: Path) -> None:
    labels = shuffled(200)
    rng = random.Random(1)
    scores = ["" if row % 3 else f"{rng.random() + (one == 'b') * 2:.4f}" for row, one in enumerate(labels)]

    findings = column_findings(read(tmp_path, HEADER, train=table(scores, labels)))

    assert "column_tells_label" not in kinds(findings)  # two thirds of the rows have no value to tell by

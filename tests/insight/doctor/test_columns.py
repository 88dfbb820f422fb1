"""Columns beside text and label."""

from __future__ import annotations

import random
from pathlib import Path

from fastbert.insight.doctor.columns import column_findings, held_out_guess, label_changes, label_lift
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

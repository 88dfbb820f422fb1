"""Ids on both sides of a split, and what only looks like one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from fastbert.insight.doctor.columns import column_findings
from fastbert.insight.doctor.findings import Finding
from fastbert.insight.doctor.recurring import is_counter
from tests.insight.doctor.made import only, read, sentence


def split(cells: Sequence[object], start: int) -> list[list[object]]:
    return [[sentence(start + row), "ab"[(row * 7 // 3) % 2], cell] for row, cell in enumerate(cells)]


def found(folder: Path, name: str, train: Sequence[object], test: Sequence[object]) -> list[Finding]:
    return column_findings(read(folder, ("text", "label", name), train=split(train, 0), test=split(test, 5000)))


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("user_id", "u{}"), ("id", "{}"), ("author", "Anna of house {}"), ("extra", "a{}f"),
        ("contact", "{}@b.org"), ("customerId", "{}"),
    ],
)  # fmt: skip
def test_ids_that_train_has_too_are_named(name: str, form: str, tmp_path: Path) -> None:
    ids = [form.format(3 + 7919 * number) for number in range(200)]

    leak = only(found(tmp_path, name, ids, [*ids[150:175], *(f"z{n}q" for n in range(25))]), "leaked_id")

    assert leak.severity == "look"
    assert leak.sentence.startswith(f"25 of 50 rows (50 %) of test have a value of column '{name}'")
    assert leak.sentence.endswith("that is in train too.")
    row = leak.rows[0]
    assert (row.place, row.detail, row.other) == ("test.csv, row 2", f"its '{name}' is in train", "train.csv, row 152")


@pytest.mark.parametrize("name", ["id", "user_id", "row", "Unnamed: 0"])
@pytest.mark.parametrize("start", [0, 1])
def test_row_numbers_that_begin_anew_in_each_file_are_silent(name: str, start: int, tmp_path: Path) -> None:
    assert found(tmp_path, name, range(start, 200), range(start, 50)) == []


@pytest.mark.parametrize(
    ("name", "train", "test"),
    [
        ("rating", [n * 7 % 5 for n in range(200)], [n % 5 for n in range(50)]),
        ("price", [f"{n * 37 % 199}.99" for n in range(199)], [f"{n}.99" for n in range(50)]),
        ("views", [n * 7919 % 9973 for n in range(199)], [n * 7919 % 9973 for n in range(50)]),
        ("title", [f"Great product {n}" for n in range(199)], [f"Great product {n}" for n in range(50)]),
        ("user_id", [f"u{n}" for n in range(200)], [f"u{n}" for n in range(200, 250)]),
        ("language_id", random.Random(0).choices(range(12), k=200), [n % 12 for n in range(50)]),
        ("index", [3 + 7 * n for n in range(200)], [3 + 7 * n for n in range(50)]),
    ],
)
def test_what_recurs_by_nature_is_silent(
    name: str, train: Sequence[object], test: Sequence[object], tmp_path: Path
) -> None:
    assert found(tmp_path, name, train, test) == []


def test_ids_of_several_rows_are_groups(tmp_path: Path) -> None:
    films = [f"tt{n % 40}" for n in range(200)]

    group = only(found(tmp_path, "movie_id", films, films[:50]), "group")

    assert "Values of column 'movie_id' are in train and test (100 % of its rows) alike" in group.sentence


def test_a_named_group_that_the_files_divide_is_said(tmp_path: Path) -> None:
    owners = [f"u{n % 40}" for n in range(200)]
    options = {"text": "text", "labels": ("label",), "group": "user"}
    header = ("text", "label", "user")

    findings = column_findings(
        read(tmp_path, header, options=options, train=split(owners, 0), test=split(["u1", "u99"], 5000))
    )

    assert only(findings, "leaked_group").sentence == (
        "1 of 2 rows (50 %) of test have a value of column 'user', which --group names, that is in train too."
    )


def test_a_few_numbers_may_be_missing_in_a_counter() -> None:
    assert is_counter(str(number) for number in range(100) if number % 20)
    assert not is_counter(str(number) for number in range(100) if number % 5)
    assert not is_counter(["", "5", "6"]) and not is_counter([])

"""The group column: what it keeps together, and which tables need it."""

from __future__ import annotations

import pytest

from fastbert.data.databunch import DataBunch
from tests.feedback import feedback_rows, tagged_rows


def texts(data: DataBunch, split: str) -> set[str]:
    return {example.text for example in data.examples(split)}


def test_groups_never_cross_the_split() -> None:
    rows = [{**row, "customer": f"c{index // 4}"} for index, row in enumerate(feedback_rows())]

    data = DataBunch.from_files(rows, group="customer", text="text", label="label", valid_share=0.25)

    groups = {split: {example.group for example in data.examples(split)} for split in ("train", "valid")}
    assert not groups["train"] & groups["valid"]
    assert len(data.examples("valid")) in range(6, 15)


def test_rows_without_a_group_are_not_one_group() -> None:
    rows = [{**row, "customer": "c1" if index < 4 else None} for index, row in enumerate(feedback_rows())]

    data = DataBunch.from_files(rows, group="customer", text="text", label="label", valid_share=0.25)

    assert len(data.examples("valid")) in range(6, 15)


def test_a_split_by_hash_keeps_groups_on_their_side_when_rows_come() -> None:
    rows = [{**row, "customer": f"c{index // 4}"} for index, row in enumerate(feedback_rows(48))]
    options = {"group": "customer", "split": "hash", "valid_share": 0.3}

    few, more = (DataBunch.from_files(part, **options) for part in (rows[:30], rows))  # type: ignore[arg-type]

    assert texts(few, "valid") == texts(more, "valid") & {row["text"] for row in rows[:30]}
    assert not {one.group for one in more.examples("valid")} & {one.group for one in more.examples("train")}
    assert any("(hash of column 'customer', seed 42)" in fact for fact in more.facts)


@pytest.mark.parametrize("split", ["valid", "test"])
def test_only_the_table_that_is_split_needs_the_group(split: str) -> None:
    rows = [{**row, "customer": f"c{index // 4}"} for index, row in enumerate(feedback_rows())]
    others = {split: feedback_rows(10)}

    data = DataBunch.from_files(rows, **others, group="customer")  # type: ignore[arg-type]  # valid or test

    assert [one.group for one in data.examples(split)] == [None] * 10
    assert len(data.read_rows(feedback_rows(4))) == 4


def test_a_group_of_flags_is_no_new_label_where_it_is_not_used() -> None:
    rows = [{**row, "half": index // 20} for index, row in enumerate(tagged_rows())]

    data = DataBunch.from_files(rows, group="half", text="text", labels="bug,praise,long")

    assert len(data.read_rows(rows)) == 40


def test_groups_in_train_and_valid_are_a_warning() -> None:
    rows = [{**row, "customer": f"c{index // 4}"} for index, row in enumerate(feedback_rows())]

    data = DataBunch.from_files(rows[:30], rows[30:], group="customer")

    assert any("1 group of column 'customer' occur in train and valid alike (2 of 10" in one for one in data.warnings)

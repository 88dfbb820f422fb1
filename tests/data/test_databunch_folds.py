"""Folds of a DataBunch: each row is held out once, and chooses nothing there."""

from __future__ import annotations

import pytest

from fastbert.data.databunch import HELD_OUT, DataBunch
from fastbert.errors import DataError
from tests.feedback import feedback_rows


def test_the_table_keeps_its_order() -> None:
    rows = feedback_rows(40)

    data = DataBunch.from_files(rows, valid_share=0.2)

    assert [example.text for example in data.training_table] == [row["text"] for row in rows]


def test_every_row_is_held_out_once_and_never_where_it_is_trained_on_or_chosen_by() -> None:
    data = DataBunch.from_files(feedback_rows(40), valid_share=0.2)

    folds = data.folds(4, seed=0)

    assert sorted(row for fold in folds for row in fold.rows) == list(range(40))
    for fold in folds:
        held, train, valid = (
            {example.where for example in fold.data.splits[split]} for split in (HELD_OUT, "train", "valid")
        )
        assert held == {data.training_table[row].where for row in fold.rows}
        assert (len(held), len(train), len(valid)) == (10, 24, 6)
        assert len(held | train | valid) == 40


def test_a_validation_table_serves_every_fold_and_is_never_held_out() -> None:
    rows = feedback_rows(48)
    data = DataBunch.from_files(rows[:40], rows[40:])

    folds = data.folds(4, seed=0)

    assert len(data.training_table) == 40
    assert all(fold.data.splits["valid"] == data.splits["valid"] for fold in folds)
    assert all(len(fold.data.splits["train"]) == 30 for fold in folds)


def test_groups_stay_together_in_folds_and_in_what_chooses() -> None:
    rows = [{**row, "thread": f"t{index // 4}"} for index, row in enumerate(feedback_rows(48))]
    data = DataBunch.from_files(rows, group="thread", valid_share=0.2)

    for fold in data.folds(3, seed=0):
        groups = [{example.group for example in fold.data.splits[split]} for split in (HELD_OUT, "train", "valid")]
        assert sum(map(len, groups)) == len(set.union(*groups)) == 12


def test_the_hash_of_a_fold_is_not_that_of_the_validation_share() -> None:
    data = DataBunch.from_files(feedback_rows(48), split="hash", valid_share=0.2)

    sizes = [len(fold.data.splits["valid"]) for fold in data.folds(3, seed=1)]

    assert min(sizes) > 0


def test_too_few_groups_are_an_error_that_says_so() -> None:
    rows = [{**row, "thread": f"t{index % 3}"} for index, row in enumerate(feedback_rows(48))]
    data = DataBunch.from_files(rows, group="thread", valid_share=0.3)

    with pytest.raises(DataError, match="3 different groups"):
        data.folds(5, seed=0)

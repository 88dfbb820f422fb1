"""Rows that are all trained on: validated by folds, in place of a share that is held out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fastbert.data.databunch import DataBunch
from fastbert.data.examples import Example
from fastbert.errors import ConfigError, DataError
from tests.feedback import feedback_rows


def texts(rows: Sequence[Example]) -> list[str]:
    return [row.text for row in rows]


def folded(count: int = 3) -> DataBunch:
    return DataBunch.from_files(feedback_rows(), valid_folds=count)


def test_all_rows_are_trained_on_and_validated() -> None:
    data = folded()

    assert texts(data.splits["train"]) == texts(data.splits["valid"]) == [row["text"] for row in feedback_rows()]
    assert (data.folded, data.valid_held_out, data.valid_chooses) == (True, True, False)
    assert data.sizes == "train 40, valid the same, by 3 folds"
    assert data.facts[-1] == (
        "valid: none held out; each of the 40 training rows is answered by a model of 3 that has learned from the "
        "others (stratified, seed 42), and the model to save learns from all"
    )


def test_each_row_is_held_out_once_and_the_others_are_trained_on() -> None:
    data = folded()

    parts = data.valid_folds()

    assert sorted(row for part in parts for row in part.rows) == list(range(40))
    for part in parts:
        assert texts(part.data.splits["valid"]) == [data.splits["train"][row].text for row in part.rows]
        together = texts((*part.data.splits["train"], *part.data.splits["valid"]))
        assert sorted(together) == sorted(texts(data.splits["train"]))
        assert (part.data.folded, part.data.valid_chooses) == (False, False)


def test_no_warning_takes_rows_for_duplicates_of_themselves() -> None:
    assert not any("valid" in warning for warning in folded().warnings)


def test_a_share_that_was_held_out_goes_back() -> None:
    data = DataBunch.from_files(feedback_rows(), valid_share=0.2)

    found = data.validated_by_folds(4)

    assert found.splits == folded(4).splits
    assert (found.facts, found.warnings) == (folded(4).facts, folded(4).warnings)


def test_a_table_of_validation_rows_is_not_folded() -> None:
    message = "valid_folds is 3, but the validation rows are a table of their own"
    with pytest.raises(ConfigError, match=message):
        DataBunch.from_files(feedback_rows(20), feedback_rows(40)[20:], valid_folds=3)
    with pytest.raises(ConfigError, match=message):
        DataBunch.from_files(feedback_rows(20), feedback_rows(40)[20:]).validated_by_folds(3)


def test_fewer_texts_than_folds_are_refused_at_once() -> None:
    with pytest.raises(DataError, match="fold"):
        DataBunch.from_files(feedback_rows(4), valid_folds=9)


@pytest.mark.parametrize("count", [1, -1, 101])
def test_a_wrong_number_is_refused(count: int) -> None:
    with pytest.raises(ConfigError, match="valid_folds"):
        folded(count)


def test_other_ways_to_divide_hold_rows_out_again() -> None:
    """Cross-validation and splits that compare options hold rows out of what each of their models learns from."""
    data = folded()

    (split,) = data.splits_anew(1, 0.25, 0)
    outer = data.folds(4, 0)[0].data

    assert (len(split.splits["train"]), len(split.splits["valid"])) == (30, 10)
    assert (split.folded, split.valid_chooses) == (False, True)
    assert {name: len(rows) for name, rows in outer.splits.items()} == {"train": 27, "valid": 3, "held_out": 10}
    assert (outer.folded, outer.valid_chooses, outer.config.valid_folds) == (False, True, 0)


def test_labels_are_counted_once() -> None:
    assert "label   train\n" in repr(folded())

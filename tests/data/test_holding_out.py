"""Rows held out of a table: a share of them, and one part after another."""

from __future__ import annotations

import numpy as np
import pytest

from fastbert.config import DataConfig
from fastbert.data.examples import TextExample
from fastbert.data.holding_out import fold_rows, hold_out
from fastbert.errors import ConfigError
from fastbert.labels import Labels
from fastbert.tasks.classification import SingleLabel

TASK = SingleLabel(Labels(("a", "b")))
ROWS = [TextExample(f"text {place}", labels=("ab"[place % 2],), group=f"g{place // 4}") for place in range(24)]


def test_a_share_is_taken_of_each_label_and_the_sentence_says_how() -> None:
    parts, fact = hold_out({"train": tuple(ROWS)}, TASK, DataConfig(valid_share=0.25, group="who"), 1)

    assert fact == "valid: 4 of 24 training rows held out (kept together by column 'who', seed 1)"
    assert {row.group for row in parts["valid"]}.isdisjoint(row.group for row in parts["train"])
    assert {row.text for part in parts.values() for row in part} == {row.text for row in ROWS}


def test_each_fold_has_its_part_of_each_label() -> None:
    rows = [TextExample(row.text, labels=row.labels) for row in ROWS]

    fold_N = fold_rows(rows, TASK, DataConfig(), 3, 0)

    assert [np.bincount(fold_N[place::2]).tolist() for place in (0, 1)] == [[4, 4, 4]] * 2


def test_groups_are_in_one_fold() -> None:
    fold_N = fold_rows(ROWS, TASK, DataConfig(group="who"), 3, 0)

    assert all(len(set(fold_N[start : start + 4].tolist())) == 1 for start in range(0, 24, 4))


def test_a_wrong_number_of_folds_is_refused() -> None:
    with pytest.raises(ConfigError, match="folds"):
        fold_rows(ROWS, TASK, DataConfig(), 1, 0)

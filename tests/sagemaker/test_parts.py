"""Which trainings lead to the model that is saved."""

from __future__ import annotations

import pytest

from fastbert.sagemaker.parts import can_save, is_main


@pytest.mark.parametrize(
    ("part", "main", "saved"),
    [
        ("", True, True),
        ("training", True, True),
        ("all rows", True, True),
        ("training: loss focal", True, True),
        ("adapted encoder, all training rows", True, True),
        ("pairs of rows", False, True),
        ("the head alone", False, True),
        ("fold 1 of 3", False, False),
        ("fold 1 of 3, training", False, False),
        ("trial: loss focal, split 1 of 4", False, False),
        ("adaptation", False, False),
    ],
)
def test_a_part_is_known_by_its_name(part: str, main: bool, saved: bool) -> None:
    assert (is_main(part), can_save(part)) == (main, saved)

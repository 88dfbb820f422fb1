"""Data made of rows that are typed already: the same as that of a file with the same rows."""

from __future__ import annotations

import pytest

from fastbert.data.databunch import DataBunch
from fastbert.data.examples import TextExample
from fastbert.errors import DataError
from fastbert.labels import Labels
from fastbert.tasks.classification import SingleLabel
from tests.feedback import feedback_rows

AB = SingleLabel(Labels(("a", "b")))


def test_typed_rows_are_divided_as_those_of_a_file_are() -> None:
    read = DataBunch.from_files(feedback_rows(), valid_share=0.2)
    rows = [TextExample(row["text"], labels=(row["label"],)) for row in feedback_rows()]

    made = DataBunch.from_examples(read.task, {"train": rows}, config=read.config)

    texts = {split: [example.text for example in examples] for split, examples in made.splits.items()}
    assert texts == {split: [example.text for example in examples] for split, examples in read.splits.items()}
    assert (made.valid_held_out, made.facts[-1]) == (True, read.facts[-1])


def test_typed_rows_with_validation_rows_are_not_divided() -> None:
    rows = [TextExample(f"text {place}", labels=("ab"[place % 2],)) for place in range(4)]

    made = DataBunch.from_examples(AB, {"valid": rows[2:], "train": rows[:2]})

    assert (list(made.splits), made.valid_held_out) == (["train", "valid"], False)
    assert any("has only 2 rows" in warning for warning in made.warnings)


def test_typed_rows_that_cannot_be_divided_are_refused() -> None:
    with pytest.raises(DataError, match="cannot be split: they all have the same text"):
        DataBunch.from_examples(AB, {"train": [TextExample("same", labels=(name,)) for name in "ab"]})

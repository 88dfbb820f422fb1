"""What a cleaned copy changes, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.config import DataConfig
from fastbert.errors import ConfigError
from fastbert.insight.doctor.cleaning import Cleaning, plan_cleaning
from fastbert.insight.doctor.material import read_material
from tests.insight.doctor.made import read, read_splits, sentence


def told(cleaning: Cleaning) -> list[tuple[str, str, str, str]]:
    return [(one.file, one.row, one.action, one.reason) for one in cleaning.changes]


def test_rows_that_say_nothing_new_are_dropped(tmp_path: Path) -> None:
    train = [["Love it", "a"], ["love  it", "a"], ["", "a"], ["tested on", "b"], ["kept", ""], ["kept too", "b"]]
    test = [["Tested on", "b"], ["only here", "a"]]

    cleaning = plan_cleaning(read(tmp_path, train=train, test=test))

    assert told(cleaning) == [
        ("train.csv", "3", "dropped", "repeats train.csv, row 2"),
        ("train.csv", "4", "dropped", "it has no text"),
        ("train.csv", "5", "dropped", "the text is in test too (test.csv, row 2)"),
    ]
    assert (cleaning.parts["train"].kept, cleaning.parts["test"].kept) == ([0, 4, 5], [0, 1])


def test_a_text_that_is_tested_on_goes_from_train_whatever_its_label(tmp_path: Path) -> None:
    rows = {"train": [["one text", "a"], ["x y", "b"]], "valid": [["one text", "b"]], "test": [["one text", "a"]]}

    cleaning = plan_cleaning(read_splits(tmp_path, rows))

    assert {split: part.kept for split, part in cleaning.parts.items()} == {"train": [1], "valid": [], "test": [0]}


def test_conflicts_stay_unless_they_are_to_go(tmp_path: Path) -> None:
    material = read(tmp_path, train=[["Love it", "a"], ["love it", "b"], ["love it", "b"], ["x y", "b"]])

    assert plan_cleaning(material).parts["train"].kept == [0, 1, 3]
    assert plan_cleaning(material, drop_conflicts=True).parts["train"].kept == [3]


def test_numbers_that_are_near_are_no_conflict(tmp_path: Path) -> None:
    options = {"text": "text", "labels": ("label",), "task": "regression"}
    rows = [["one text", "1.0"], ["one text", "1.1"], ["other text", "1"], ["other text", "9"]]
    material = read(tmp_path, train=[*rows, *([sentence(n), str(n)] for n in range(9))], options=options)

    dropped = plan_cleaning(material, drop_conflicts=True).parts["train"].dropped

    assert dropped == dict.fromkeys([2, 3], "the same text has different truths")


def test_characters_are_put_right_and_then_compared(tmp_path: Path) -> None:
    cleaning = plan_cleaning(read(tmp_path, train=[["café", "a"], ["cafÃ© ", "a"], ["zero\u200bwidth", "b"]]))

    assert [(one.row, one.action, one.before, one.after) for one in cleaning.changes] == [
        ("3", "dropped", "", ""),
        ("4", "text", "zero\u200bwidth", "zerowidth"),
    ]


def test_what_would_be_an_empty_text_is_dropped_as_one(tmp_path: Path) -> None:
    cleaning = plan_cleaning(
        read(tmp_path, train=[["\u200b", "a"], ["one", "a"], ["\ufeff\u200d ", "b"], ["two", "b"]])
    )

    assert told(cleaning) == [("train.csv", row, "dropped", "it has no text") for row in ("2", "4")]


def test_half_of_a_pair_without_anything_to_see_makes_an_empty_pair(tmp_path: Path) -> None:
    options = {"text": ("one", "two"), "labels": ("label",)}
    rows = [["a text", "\u200b", "x"], ["a text", "b text", "x"], ["c text", "d text", "y"]]

    cleaning = plan_cleaning(read(tmp_path, ("one", "two", "label"), train=rows, options=options))

    assert cleaning.parts["train"].kept == [1, 2]


def test_labels_take_their_most_frequent_spelling(tmp_path: Path) -> None:
    train = [["one", "Bug"], ["two", "bug"], ["three", "bug"], ["four", "bug-report"], ["five", "BUG "]]

    changes = plan_cleaning(read(tmp_path, train=train)).changes

    assert [(one.row, one.action, one.column, one.before, one.after) for one in changes] == [
        ("2", "label", "label", "Bug", "bug"),
        ("6", "label", "label", "BUG ", "bug"),
    ]


@pytest.mark.parametrize(
    ("cell", "written", "delimiter"), [("Bug|praise", "bug|praise", "|"), ('["Bug", "bug"]', '["bug"]', None)]
)
def test_labels_among_several_are_written_as_they_were(
    cell: str, written: str, delimiter: str | None, tmp_path: Path
) -> None:
    other = "bug|praise" if delimiter else '["bug"]'
    options: dict[str, object] = {"text": "text", "labels": ("label",), "delimiter": delimiter, "task": "multi_label"}
    rows = [["one", cell], ["two", other], ["three", other], ["four", "praise" if delimiter else '["praise"]']]

    changes = plan_cleaning(read(tmp_path, train=rows, options=options)).changes

    assert [(one.row, one.after) for one in changes] == [("2", written)]


def test_tagged_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.conll"
    file.write_text("Anna B-PER\nsings O\n", encoding="utf-8")

    with pytest.raises(ConfigError, match="--fix writes tables of texts with labels or numbers"):
        plan_cleaning(read_material({"train": file}, DataConfig()))


def test_copies_that_training_would_refuse_are_said_to_be_so(tmp_path: Path) -> None:
    train = [["one text", "rare"], ["two", "b"], ["three", "c"]]

    lost = plan_cleaning(read(tmp_path, train=train, test=[["one text", "rare"], ["four", "b"]]))
    none = plan_cleaning(read(tmp_path, train=train, test=train))

    assert lost.warnings == ("all rows of train with 'rare' are dropped, and test has such rows",)
    assert none.warnings[0] == "train.csv: no row is left"
    assert plan_cleaning(read(tmp_path, train=train, test=[["five", "b"]])).warnings == ()

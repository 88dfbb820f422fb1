"""Files as the checks see them: what is an example, and what is set aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.config import DataConfig
from fastbert.errors import ConfigError, DataError
from fastbert.insight.doctor.material import read_material
from tests.helpers import write_csv
from tests.insight.doctor.made import read


def test_rows_that_training_refuses_are_set_aside_with_the_reason(tmp_path: Path) -> None:
    material = read(tmp_path, train=[["one text", "a"], ["", "a"], ["two text", ""], ["three text", "b"]])

    part = material.parts["train"]
    assert [(one.index, one.reason) for one in part.aside] == [(1, "no_text"), (2, "no_label")]
    assert (part.rows, part.indices, part.num_rows) == (("2", "5"), (0, 3), 4)
    assert part.place(1) == "train.csv, row 5"


def test_a_wrong_flag_is_set_aside_and_the_rest_is_read(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["text", "a", "b"], [["x y", "1", "0"], ["y z", "2", "0"], ["z x", "0", "1"]])

    material = read_material({"train": table}, DataConfig().changed(text="text", labels=("a", "b")))

    (aside,) = material.parts["train"].aside
    assert (aside.index, aside.reason, aside.what) == (1, "wrong_label", "column 'a' holds '2', expected 0 or 1")
    assert [example.truth for example in material.parts["train"].examples] == [("a",), ("b",)]


def test_a_number_that_is_none_is_set_aside(tmp_path: Path) -> None:
    options = {"text": "text", "labels": ("label",), "task": "regression"}

    material = read(tmp_path, train=[["x y", "1.5"], ["y z", "n/a"], ["z x", "2"]], options=options)

    assert [(one.index, one.reason) for one in material.parts["train"].aside] == [(1, "wrong_label")]


def test_a_file_without_any_usable_row_is_refused_as_in_training(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of the 2 rows can be used"):
        read(tmp_path, train=[["", "a"], ["", "b"]])


def test_a_file_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["text", "label"], [["x", "a"]])

    with pytest.raises(ConfigError, match=r"t.csv is named as train and as test"):
        read_material({"train": table, "test": table}, DataConfig())


def test_a_file_without_labels_is_refused_with_what_finds_its_texts(tmp_path: Path) -> None:
    train = write_csv(tmp_path / "train.csv", ["text", "label"], [["x y", "a"], ["y z", "b"]])
    test = write_csv(tmp_path / "new.csv", ["text"], [["x y"]])

    with pytest.raises(DataError, match=r"new.csv has no labels: none of its columns \('text'\)") as caught:
        read_material({"train": train, "test": test}, DataConfig())

    assert caught.value.hint is not None and "Leave --test out." in caught.value.hint
    assert "`fastbert similar TRAIN --against FILE`" in caught.value.hint


def test_labels_that_train_does_not_have_are_read(tmp_path: Path) -> None:
    material = read(tmp_path, train=[["x y", "a"], ["y z", "b"]], test=[["z x", "c"]])

    assert material.parts["test"].examples[0].truth == ("c",)


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    rows = [["x y", "a"], ["y z", "b"]]
    files = {}
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        files[split] = write_csv(tmp_path / split / "data.csv", ["text", "label"], rows)

    material = read_material(files, DataConfig().changed(text="text", labels=("label",)))

    assert [part.place(0) for part in material.parts.values()] == ["train/data.csv, row 2", "test/data.csv, row 2"]


def test_lines_of_tagged_text_and_their_labels(tmp_path: Path) -> None:
    file = tmp_path / "t.conll"
    file.write_text("Anna B-PER\nsings O\n\nBerlin B-LOC\nis O\nbig O\n", encoding="utf-8")

    material = read_material({"train": file}, DataConfig())

    part = material.parts["train"]
    assert (material.task, part.table, part.rows) == ("tagging", None, ("line 1", "line 4"))
    assert [material.truth(example) for example in part.examples] == [("PER",), ("LOC",)]


def test_a_file_of_invisible_texts_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train.csv: no row has a text: all 2 hold invisible characters alone"):
        read(tmp_path, train=[["\u200b", "a"], ["\u2060", "b"]])

"""Labels with the phrases that describe them, from a file and from an option."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.data.label_descriptions import named_labels, read_label_descriptions
from fastbert.errors import DataError


def write(folder: Path, text: str) -> Path:
    path = folder / "labels.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_names_and_descriptions_keep_their_order(tmp_path: Path) -> None:
    path = write(tmp_path, "praise\n\nbug: It crashes: badly.\nDESC:manner\nbug: It does nothing.\nbug\n")

    found = read_label_descriptions(path)

    assert list(found.items()) == [
        ("praise", ("praise",)),
        ("bug", ("It crashes: badly.", "It does nothing.", "bug")),
        ("DESC:manner", ("DESC:manner",)),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bug\n: crashes\n", "labels.txt, row 2: ': crashes' is no label."),
        ("bug:\n", "labels.txt, row 1: 'bug:' is no label"),
        ("bug: a\nbug: a\n", "labels.txt, row 2: label 'bug' has this phrase already"),
        ("\n\n", "labels.txt holds no labels"),
    ],
)
def test_a_line_that_is_no_label_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_label_descriptions(write(tmp_path, text))

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("names", "message"), [("bug,,praise", "--labels has an empty name"), ("bug, bug", "--labels names 'bug' twice")]
)
def test_names_on_the_command_line_are_each_given_once(names: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        named_labels(names)

"""Labels files as people write them."""

from pathlib import Path

import pytest

from fastbert.data.label_names import read_label_names
from fastbert.errors import DataError
from tests.realdata import real_data


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.txt", "bug\nfeature request\n"),
        ("labels.txt", "bug\nfeature request"),
        ("labels.csv", "bug\nfeature request\n\n \n"),
        ("labels.csv", "bug\r\nfeature request\r\n"),
        ("labels.csv", b"\xef\xbb\xbfbug\nfeature request\n"),
        ("labels.csv", "bug,what is broken\nfeature request,what is missed\n"),
        ("labels.csv", '"bug"\n"feature request"\n'),
        ("labels.tsv", " bug \tx\nfeature request\ty\n"),
        ("labels", "bug\nfeature request\n"),
        ("labels.json", '["bug", "feature request"]'),
        ("labels.txt", '\n["bug",\n "feature request"]\n'),
    ],
)
def test_one_name_a_line_or_a_json_list_is_read_in_order(tmp_path: Path, name: str, content: str | bytes) -> None:
    # W19: a trailing newline gave the predecessor one more label, ""
    assert read_label_names(write(tmp_path, name, content)) == ("bug", "feature request")


def test_a_comma_is_part_of_a_name_in_a_text_file_and_within_quotes(tmp_path: Path) -> None:
    assert read_label_names(write(tmp_path, "a.txt", "yes, please\nno\n")) == ("yes, please", "no")
    assert read_label_names(write(tmp_path, "b.csv", '"yes, please"\nno\n')) == ("yes, please", "no")


def test_numbers_of_a_json_list_are_names(tmp_path: Path) -> None:
    assert read_label_names(str(write(tmp_path, "labels.json", "[1, 2]"))) == ("1", "2")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "labels.txt",
            "bug\npraise\n bug \n",
            "labels.txt, row 3: label 'bug' is already in row 1.\n  Label names must be unique.",
        ),
        (
            "labels.txt",
            "bug\n\npraise\n",
            "labels.txt, row 2: a label name is empty.\n  Remove the empty line; the position of a name is its number.",
        ),
        (
            "labels.csv",
            "bug\n,x\n",
            "labels.csv, row 2: has 2 columns, but row 1 has 1.\n"
            "  A name that contains a comma stands in double quotes; or use a .txt file.",
        ),
        ("labels.csv", "bug\n\nidea\n", "labels.csv, row 2: a label name is empty."),
        (
            "labels.txt",
            "\n\n",
            "labels.txt holds no label names.\n  Write one label name on each line.",
        ),
        ("labels.json", '{"a": 0}', "labels.json is JSON, but not a list of label names.\n  Write ["),
        ("labels.json", '[["a"]]', "labels.json is JSON, but not a list of label names.\n  Write ["),
        ("labels.json", '["a", ""]', "labels.json, row 2: a label name is empty."),
        ("labels.txt", '["a", ', "labels.txt is not a JSON list: Expecting value"),
    ],
)
def test_a_bad_labels_file_is_reported(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_label_names(write(tmp_path, name, content))

    assert str(caught.value).startswith(message)


def test_the_28_names_of_goemotions_are_read() -> None:
    names = read_label_names(real_data("goemotions/labels.txt"))

    assert (len(names), names[0], names[27]) == (28, "admiration", "neutral")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label\nBugs\nPrice\n", "row 1: 'label' looks like a header, which would shift every number by one"),
        ("0,Bugs\n1,Price\n", "its first column holds the numbers 0 to 1; expected the names there"),
    ],
)
def test_a_labels_file_that_would_name_the_wrong_labels_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")

    with pytest.raises(DataError, match=message):
        read_label_names(tmp_path / "labels.csv")

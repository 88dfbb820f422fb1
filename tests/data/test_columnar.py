"""Parquet, Arrow, frames and datasets: the same rows as were stored."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable
from pathlib import Path

import datasets
import pandas
import polars
import pyarrow
import pytest
from pyarrow import feather, ipc, parquet

from fastbert.data.columnar import BATCH_ROWS, load_package, open_arrow, open_frame, open_parquet
from fastbert.data.files import InputFile, find_file
from fastbert.data.table import Cell, RowStream
from fastbert.errors import DataError, MissingExtraError

COLUMNS: dict[str, list[Cell]] = {
    "text": ["a", "", None, "nan"],
    "count": [1, 2, None, -3],
    "score": [0.5, 1.0, None, 2.0],
    "flag": [True, False, None, True],
    "tags": [["x", "y"], [], None, ["z"]],
}
ROWS = list(zip(*COLUMNS.values(), strict=True))


def cells(stream: RowStream | None) -> list[tuple[Cell, ...]]:
    assert stream is not None
    return [row.cells for row in stream.rows]


def write_parquet(table: pyarrow.Table, path: Path) -> None:
    parquet.write_table(table, path)


def write_ipc_file(table: pyarrow.Table, path: Path) -> None:
    with ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


def write_ipc_stream(table: pyarrow.Table, path: Path) -> None:
    with ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)


def write_feather(table: pyarrow.Table, path: Path) -> None:
    feather.write_feather(table, str(path))


FORMATS = [
    pytest.param(write_parquet, open_parquet, id="parquet"),
    pytest.param(write_ipc_file, open_arrow, id="arrow"),
    pytest.param(write_ipc_stream, open_arrow, id="arrow stream"),
    pytest.param(write_feather, open_arrow, id="feather"),
]
Write = Callable[[pyarrow.Table, Path], None]
Open = Callable[[InputFile], RowStream]


@pytest.mark.parametrize(("write", "open_file"), FORMATS)
def test_stored_values_come_back_with_their_types(tmp_path: Path, write: Write, open_file: Open) -> None:
    write(pyarrow.table(COLUMNS), tmp_path / "train")

    stream = open_file(find_file(tmp_path / "train"))

    assert stream.columns == tuple(COLUMNS)
    assert repr(cells(stream)) == repr(ROWS)


@pytest.mark.parametrize(("write", "open_file"), FORMATS)
def test_rows_are_numbered_across_batches(tmp_path: Path, write: Write, open_file: Open) -> None:
    write(pyarrow.table({"x": range(2 * BATCH_ROWS + 1)}), tmp_path / "train")

    last = list(open_file(find_file(tmp_path / "train")).rows)[-1]

    assert (last.number, last.cells) == (2 * BATCH_ROWS + 1, (2 * BATCH_ROWS,))


@pytest.mark.parametrize(("write", "open_file"), FORMATS)
def test_a_table_without_rows_is_an_error(tmp_path: Path, write: Write, open_file: Open) -> None:
    write(pyarrow.table({"text": pyarrow.array([], pyarrow.string())}), tmp_path / "train")

    with pytest.raises(DataError) as caught:
        open_file(find_file(tmp_path / "train"))

    assert caught.value.message == "train is empty (1 columns, no rows); expected at least one row."


@pytest.mark.parametrize(("write", "open_file"), FORMATS)
def test_a_cut_file_is_an_error(tmp_path: Path, write: Write, open_file: Open) -> None:
    write(pyarrow.table(COLUMNS), tmp_path / "train")
    content = (tmp_path / "train").read_bytes()
    (tmp_path / "train").write_bytes(content[: len(content) // 3])

    with pytest.raises(DataError) as caught:
        open_file(find_file(tmp_path / "train"))

    assert caught.value.message.startswith("train cannot be read as ")
    assert caught.value.hint == ("The file is cut off, damaged or of another format. Write or copy it again.")


def test_dictionaries_dates_bytes_and_structs_become_cells(tmp_path: Path) -> None:
    table = pyarrow.table(
        {
            "category": pyarrow.array(["x", "y"]).dictionary_encode(),
            "day": [datetime.date(2024, 2, 29), None],
            "raw": [b"text", b"\xff"],
            "meta": [{"a": 1}, None],
        }
    )
    write_parquet(table, tmp_path / "train")

    stream = open_parquet(find_file(tmp_path / "train"))

    assert cells(stream) == [("x", "2024-02-29", "text", '{"a": 1}'), ("y", None, "ff", None)]


def test_a_pandas_frame_is_read_with_missing_values_as_none() -> None:
    frame = pandas.DataFrame(
        {
            "text": ["a", None],
            "count": pandas.array([1, None], dtype="Int64"),
            "score": [0.5, float("nan")],
            "kind": pandas.Categorical(["x", None]),
            "day": pandas.to_datetime(["2024-02-29", None]),
            7: [["x"], pandas.NA],
        },
        index=[10, 20],
    )

    stream = open_frame(frame)

    assert stream is not None
    assert stream.columns == ("text", "count", "score", "kind", "day", "7")
    assert cells(stream) == [("a", 1, 0.5, "x", "2024-02-29T00:00:00", ["x"]), (None,) * 6]


def test_two_columns_of_one_name_in_a_frame_are_an_error() -> None:
    with pytest.raises(DataError, match="rows: 1 column name.s. stand more than once: 'text'"):
        open_frame(pandas.DataFrame([["a", "b"]], columns=["text", "text"]))


def test_a_polars_frame_is_read() -> None:
    assert repr(cells(open_frame(polars.DataFrame(COLUMNS)))) == repr(ROWS)


def test_a_pyarrow_table_is_read() -> None:
    assert repr(cells(open_frame(pyarrow.table(COLUMNS)))) == repr(ROWS)


def test_a_dataset_is_read_whatever_its_selection_and_format() -> None:
    dataset = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "x": [1, 2, 3]})

    assert cells(open_frame(dataset.select([2, 0]).with_format("numpy"))) == [("c", 3), ("a", 1)]


def test_class_ids_of_a_dataset_become_names() -> None:
    names = datasets.ClassLabel(names=["negative", "positive"])
    features = datasets.Features({"label": names, "labels": datasets.Sequence(names)})
    dataset = datasets.Dataset.from_dict({"label": [1, -1], "labels": [[0, 1], []]}, features=features)

    assert cells(open_frame(dataset)) == [("positive", ["negative", "positive"]), (None, [])]


def of_the_hub() -> pyarrow.Table:
    """Return a table as `datasets` writes it: class ids, and their names in the metadata of the schema."""
    names = datasets.ClassLabel(names=["negative", "positive"])
    features = datasets.Features({"text": datasets.Value("string"), "label": names, "tags": datasets.Sequence(names)})
    columns = {"text": ["a", "b"], "label": [1, -1], "tags": [[0, 1], []]}
    return datasets.Dataset.from_dict(columns, features=features).with_format("arrow")[:]


@pytest.mark.parametrize(("write", "open_file"), FORMATS)
def test_class_ids_of_a_file_of_the_hub_become_names(tmp_path: Path, write: Write, open_file: Open) -> None:
    write(of_the_hub(), tmp_path / "file")

    assert cells(open_file(find_file(tmp_path / "file"))) == [
        ("a", "positive", ["negative", "positive"]),
        ("b", None, []),
    ]


def test_class_ids_of_a_pyarrow_table_of_the_hub_become_names() -> None:
    assert cells(open_frame(of_the_hub()))[0] == ("a", "positive", ["negative", "positive"])


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ('{"info": {"features": {"y": {"names": ["no", "yes"], "_type": "ClassLabel"}}}}', [["no"], ["yes"], [2]]),
        ('{"info": {"features": {"y": {"names": [1, 2], "_type": "ClassLabel"}}}}', [[0], [1], [2]]),
        ('{"info": {"features": {"y": {"names": null, "_type": "ClassLabel"}}}}', [[0], [1], [2]]),
        ('{"info": {"features": {"y": {"dtype": "int64", "_type": "Value"}}}}', [[0], [1], [2]]),
        ('{"info": {"features": {"other": 5}}}', [[0], [1], [2]]),
        ('{"info": {"features": [1]}}', [[0], [1], [2]]),
        ('{"info": null}', [[0], [1], [2]]),
        ("{ broken", [[0], [1], [2]]),
    ],
    ids=["more ids than names", "names that are none", "no names", "numbers", "other", "list", "null", "broken"],
)
def test_a_schema_that_tells_no_names_leaves_the_numbers(described: str, expected: list[list[object]]) -> None:
    table = pyarrow.table({"y": [0, 1, 2]}).replace_schema_metadata({"huggingface": described})

    assert [list(row) for row in cells(open_frame(table))] == expected


def test_names_of_lists_are_found_as_older_versions_described_them() -> None:
    described = '{"info": {"features": {"y": [{"names": ["no", "yes"], "_type": "ClassLabel"}]}}}'
    table = pyarrow.table({"y": [[0, 1]]}).replace_schema_metadata({"huggingface": described})

    assert cells(open_frame(table)) == [(["no", "yes"],)]


def test_a_dataset_dict_is_answered_with_its_splits() -> None:
    splits = datasets.DatasetDict({"train": datasets.Dataset.from_dict({"text": ["a"]})})

    with pytest.raises(DataError) as caught:
        open_frame(splits)

    assert caught.value.message == "A DatasetDict holds several tables (train); expected one."
    assert caught.value.hint == 'Give one of them, such as dataset["train"].'


def test_an_empty_frame_is_an_error() -> None:
    with pytest.raises(DataError, match="rows is empty .1 columns, no rows."):
        open_frame(pandas.DataFrame({"text": []}))


@pytest.mark.parametrize("source", [["a"], {"text": "a"}, 3])
def test_what_is_no_frame_is_left_to_others(source: object) -> None:
    assert open_frame(source) is None


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)

    with pytest.raises(MissingExtraError) as caught:
        load_package("pyarrow.parquet", "Reading train.parquet")

    assert caught.value.message == "Reading train.parquet needs the package pyarrow, which is not installed."
    assert caught.value.hint == 'Install it with `pip install "fastbert-nlp[train]"`.'

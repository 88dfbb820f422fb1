"""Rows of tables that are stored by column: Parquet, Arrow, pandas, polars, datasets.

Class ids become names where a table tells them: a datasets.Dataset does, and so do files that `datasets` or the Hugging
Face hub wrote, in the metadata of their schema. Each library is imported only where its format is met. Knows nothing of
text files.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any, BinaryIO

from fastbert.data.files import InputFile
from fastbert.data.header import check_distinct
from fastbert.data.records import MEMORY_NAME, to_rows
from fastbert.data.table import FormatKind, Row, RowStream, TableFormat
from fastbert.errors import DataError, MissingExtraError, first_line

if TYPE_CHECKING:
    import datasets
    import pandas
    import polars
    import pyarrow

BATCH_ROWS = 1000
Namer = Callable[[Any], object]
Batches = Iterator[list[Sequence[object]]]  # each batch: one sequence of values for each column


def open_parquet(file: InputFile) -> RowStream:
    """Open a Parquet file; rows are decoded in batches of 1,000."""
    parquet = load_package("pyarrow.parquet", f"Reading {file.name}")

    def batches(stream: BinaryIO) -> Iterator[pyarrow.RecordBatch]:
        yield from parquet.ParquetFile(stream).iter_batches(batch_size=BATCH_ROWS)

    def schema(stream: BinaryIO) -> pyarrow.Schema:
        return parquet.ParquetFile(stream).schema_arrow

    return _open_arrow_file(file, "parquet", schema, batches)


def open_arrow(file: InputFile) -> RowStream:
    """Open an Arrow IPC file or stream (also Feather version 2), batch by batch."""
    ipc = load_package("pyarrow.ipc", f"Reading {file.name}")

    def batches(stream: BinaryIO) -> Iterator[pyarrow.RecordBatch]:
        if _is_ipc_stream(stream):
            yield from ipc.open_stream(stream)
        else:
            reader = ipc.open_file(stream)
            yield from (reader.get_batch(index) for index in range(reader.num_record_batches))

    def schema(stream: BinaryIO) -> pyarrow.Schema:
        reader = ipc.open_stream(stream) if _is_ipc_stream(stream) else ipc.open_file(stream)
        return reader.schema

    return _open_arrow_file(file, "arrow", schema, batches)


def open_frame(source: object) -> RowStream | None:
    """Open a table of pandas, polars, pyarrow or datasets; None if the object is none.

    Class labels of a datasets.Dataset become their names. Raises DataError if it has no
    rows, or if it is a DatasetDict.
    """
    readers: list[tuple[str, str, Callable[[Any], RowStream]]] = [
        ("pandas", "DataFrame", _open_pandas),
        ("polars", "DataFrame", _open_polars),
        ("pyarrow", "Table", _open_arrow_table),
        ("datasets", "Dataset", _open_dataset),
        ("datasets", "DatasetDict", _refuse_dataset_dict),
    ]
    for package, kind, read in readers:
        module = sys.modules.get(package)  # who has such an object has imported its library
        if module is not None and isinstance(source, getattr(module, kind)):
            return read(source)
    return None


def load_package(package: str, purpose: str) -> ModuleType:
    """Import an optional package. Raises MissingExtraError if it is not installed."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingExtraError(package.partition(".")[0], "train", purpose) from error


def _open_arrow_file(
    file: InputFile,
    kind: FormatKind,
    read_schema: Callable[[BinaryIO], pyarrow.Schema],
    read_batches: Callable[[BinaryIO], Iterator[pyarrow.RecordBatch]],
) -> RowStream:
    with file.open_seekable() as stream, _damage_explained(file.name, kind):
        schema = read_schema(stream)
        num_rows = next((len(batch) for batch in read_batches(stream) if len(batch)), 0)
    names, namers = tuple(map(str, schema.names)), _namers_of(schema)
    _check_shape(file.name, names, num_rows)

    def batches() -> Batches:
        with file.open_seekable() as stream, _damage_explained(file.name, kind):
            for batch in read_batches(stream):
                yield _arrow_columns(batch, namers)

    described = TableFormat(kind, gzipped=file.gzipped)
    return RowStream(file.name, names, described, _rows(batches(), names, file.name))


def _damage_explained(name: str, kind: str) -> AbstractContextManager[None]:
    @contextmanager
    def explained() -> Iterator[None]:
        arrow_error = load_package("pyarrow", f"Reading {name}").ArrowException
        try:
            yield
        except (arrow_error, OSError) as error:
            found = first_line(error)
            raise DataError(
                f"{name} cannot be read as {kind}: {found}",
                "The file is cut off, damaged or of another format. Write or copy it again.",
            ) from error

    return explained()


def _is_ipc_stream(stream: BinaryIO) -> bool:
    stream.seek(0)
    magic = stream.read(6)
    stream.seek(0)
    return magic != b"ARROW1"


def _arrow_columns(batch: pyarrow.RecordBatch, namers: Sequence[Namer | None]) -> list[Sequence[object]]:
    """Return the values of each column, class ids as names."""
    return [
        column.to_pylist() if namer is None else list(map(namer, column.to_pylist()))
        for column, namer in zip(batch.columns, namers, strict=True)
    ]


def _open_arrow_table(table: pyarrow.Table) -> RowStream:
    names, namers = tuple(map(str, table.column_names)), _namers_of(table.schema)
    batches = (_arrow_columns(batch, namers) for batch in table.to_batches(max_chunksize=BATCH_ROWS))
    return _in_memory(names, table.num_rows, batches)


def _open_pandas(frame: pandas.DataFrame) -> RowStream:
    names = tuple(map(str, frame.columns))

    def batches() -> Batches:
        for start in range(0, len(frame), BATCH_ROWS):
            part = frame.iloc[start : start + BATCH_ROWS]
            yield [part.iloc[:, index].tolist() for index in range(len(names))]

    return _in_memory(names, len(frame), batches())


def _open_polars(frame: polars.DataFrame) -> RowStream:
    names = tuple(frame.columns)

    def batches() -> Batches:
        for part in frame.iter_slices(BATCH_ROWS):
            yield [column.to_list() for column in part.get_columns()]

    return _in_memory(names, frame.height, batches())


def _open_dataset(dataset: datasets.Dataset) -> RowStream:
    names = tuple(dataset.column_names)
    namers = [_class_namer(dataset.features[name]) for name in names]

    def batches() -> Batches:
        for part in dataset.with_format("arrow").iter(batch_size=BATCH_ROWS):
            yield _arrow_columns(part, namers)

    return _in_memory(names, dataset.num_rows, batches())


def _class_namer(feature: object) -> Namer | None:
    """Return what turns the class ids of a feature of datasets into names, if it holds class ids."""
    if hasattr(feature, "int2str"):
        return _namer(feature.int2str)
    inner = getattr(feature, "feature", None)
    return None if inner is None else _of_each(_class_namer(inner))


def _namers_of(schema: pyarrow.Schema) -> list[Namer | None]:
    """Return what turns the class ids of each column into names, by what `datasets` writes into a schema."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return [_described_namer(features.get(name)) for name in schema.names]
    except (ValueError, KeyError, TypeError, AttributeError):  # another library's, or none
        return [None] * len(schema.names)


def _described_namer(feature: object) -> Namer | None:
    if isinstance(feature, list) and len(feature) == 1:  # as older versions write a list
        return _of_each(_described_namer(feature[0]))
    if not isinstance(feature, dict):
        return None
    if feature.get("_type") == "ClassLabel":
        names = feature.get("names")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return None
        return _namer(lambda value: names[value] if value < len(names) else value)
    return _of_each(_described_namer(feature.get("feature")))


def _namer(name_of: Callable[[int], object]) -> Namer:
    """Return what names a class id; -1 is that of rows without a label in the test sets of GLUE."""
    return lambda value: None if value is None or value < 0 else name_of(value)


def _of_each(name_of: Namer | None) -> Namer | None:
    """Return what names each class id of a list."""
    if name_of is None:
        return None
    return lambda values: None if values is None else list(map(name_of, values))


def _refuse_dataset_dict(splits: datasets.DatasetDict) -> RowStream:
    names = ", ".join(map(str, splits))
    raise DataError(
        f"A DatasetDict holds several tables ({names}); expected one.",
        f'Give one of them, such as dataset["{next(iter(splits), "train")}"].',
    )


def _in_memory(names: tuple[str, ...], num_rows: int, batches: Batches) -> RowStream:
    _check_shape(MEMORY_NAME, names, num_rows)
    return RowStream(MEMORY_NAME, names, TableFormat("memory"), _rows(batches, names, MEMORY_NAME))


def _check_shape(name: str, names: Sequence[str], num_rows: int) -> None:
    check_distinct(names, name)
    if num_rows == 0 or not names:
        raise DataError(
            f"{name} is empty ({len(names)} columns, no rows); expected at least one row.",
            "Check how it was made or filtered.",
        )


def _rows(batches: Batches, names: Sequence[str], name: str) -> Iterator[Row]:
    records = (values for columns in batches for values in zip(*columns, strict=True))
    return to_rows(enumerate(records, start=1), names, name)

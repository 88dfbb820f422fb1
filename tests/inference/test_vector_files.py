"""Vectors in files: rows stay with their columns, and nothing is left half written."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest

from fastbert.config import DataConfig
from fastbert.errors import DataError, TrainingError
from fastbert.inference.predictor import TextInput
from fastbert.inference.vector_files import Vectors, check_vector_file, read_texts, write_vectors

ROWS = [
    {"id": 1, "text": "the app is slow", "note": "a"},
    {"id": 2, "text": "", "note": None},
    {"id": 3, "text": "it is fine by me", "note": "c"},
]


class Lengths:
    """Embeds a text as its length and 1."""

    width = 2

    def stream(self, texts: Iterable[TextInput], chunk: int = 2) -> Iterator[tuple[Vectors, int]]:
        yield np.array([[len(text), 1] for text in texts], np.float32).reshape(-1, 2), 1


def test_parquet_keeps_the_columns_and_their_types(tmp_path: Path) -> None:
    counts = write_vectors(read_texts(ROWS, DataConfig(text=("text",))), Lengths(), tmp_path / "v.parquet")

    table = parquet.read_table(tmp_path / "v.parquet")
    assert counts == (1, 1)
    assert table.column("id").to_pylist() == [1, 2, 3]
    assert table.column("note").to_pylist() == ["a", None, "c"]
    assert table.column("embedding").to_pylist() == [[15.0, 1.0], None, [16.0, 1.0]]


@pytest.mark.parametrize(
    ("cells", "stored"),
    [
        ([2**64 - 1, 7], ["18446744073709551615", "7"]),  # an unsigned hash is no int64
        ([2**64, 0.5], ["18446744073709551616", "0.5"]),
        ([True, None], [True, None]),
        ([["a", "b"], []], ['["a", "b"]', "[]"]),
        ([1, 0.5], [1.0, 0.5]),
        ([1, "x"], ["1", "x"]),
    ],
)
def test_cells_of_any_kind_are_kept(cells: list[object], stored: list[object], tmp_path: Path) -> None:
    rows = [{"text": "the app is slow", "cell": cell} for cell in cells]

    write_vectors(read_texts(rows, DataConfig(text=("text",))), Lengths(), tmp_path / "v.parquet")

    assert parquet.read_table(tmp_path / "v.parquet").column("cell").to_pylist() == stored


@pytest.mark.parametrize("ending", [".npy", ".parquet"])
def test_a_full_disk_is_said_and_leaves_nothing(ending: str, tmp_path: Path) -> None:
    class Wide(Lengths):
        """Has vectors that do not fit the disk."""

        width = 200_000

        def stream(self, texts: Iterable[TextInput], chunk: int = 2) -> Iterator[tuple[Vectors, int]]:
            yield np.random.default_rng(0).random((len(list(texts)), self.width), np.float32), 0

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing fails as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(TrainingError, match="could not be written .* Nothing was left there"):
            write_vectors(read_texts(ROWS, DataConfig(text=("text",))), Wide(), tmp_path / f"v{ending}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)

    assert not list(tmp_path.iterdir())


def test_a_matrix_has_a_row_for_each_row(tmp_path: Path) -> None:
    write_vectors(read_texts(ROWS, DataConfig(text=("text",))), Lengths(), tmp_path / "v.npy")

    matrix = np.load(tmp_path / "v.npy", allow_pickle=False)
    np.testing.assert_array_equal(matrix, [[15.0, 1.0], [np.nan, np.nan], [16.0, 1.0]])


def test_pairs_are_read_from_two_columns() -> None:
    texts = read_texts(ROWS, DataConfig(text=("text", "note")))

    assert texts.texts == (("the app is slow", "a"), None, ("it is fine by me", "c"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("v.csv", "vectors are written as .parquet or .npy; this ending is '.csv'"),
        ("no/v.npy", "does not exist"),
        ("folder.npy", "folder.npy is a folder; expected the name of a file"),
        ("in.parquet", "in.parquet is the input itself"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_first(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "folder.npy").mkdir()
    table = tmp_path / "in.parquet"
    table.touch()

    with pytest.raises(DataError, match=message):
        check_vector_file(tmp_path / name, table)


def test_nothing_is_left_where_embedding_fails(tmp_path: Path) -> None:
    class Broken(Lengths):
        def stream(self, texts: Iterable[TextInput], chunk: int = 2) -> Iterator[tuple[Vectors, int]]:
            raise RuntimeError("no memory")

    with pytest.raises(RuntimeError):
        write_vectors(read_texts(ROWS, DataConfig(text=("text",))), Broken(), tmp_path / "v.npy")

    assert list(tmp_path.iterdir()) == []


def test_a_column_of_numbers_is_no_text() -> None:
    with pytest.raises(DataError, match="rows: no row has a text in 'price'; row 2 holds a number"):
        read_texts([{"price": None}, {"price": 3}], DataConfig(text=("price",)))

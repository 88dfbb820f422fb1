"""Input files as bytes: what is found, what is unzipped, and what is said when nothing can be."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import pytest

from fastbert.data.files import SPOOL_BYTES, find_file, standard_input
from fastbert.errors import DataError


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv", "a"])
def test_gzip_is_known_by_its_bytes_and_not_by_its_name(tmp_path: Path, name: str) -> None:
    file = find_file(written(tmp_path / name, gzip.compress(b"text\n")))

    assert (file.gzipped, file.head(100)) == (True, b"text\n")


def test_a_name_that_only_claims_to_be_gzip_is_read_as_it_is(tmp_path: Path) -> None:
    file = find_file(written(tmp_path / "a.csv.gz", b"text\n"))

    assert (file.gzipped, file.head(100)) == (False, b"text\n")


@pytest.mark.parametrize(("name", "suffix"), [("a.CSV", ".csv"), ("a.tsv.gz", ".tsv"), ("a.b.gz", ".b"), ("a", "")])
def test_the_suffix_is_that_of_the_unzipped_file(tmp_path: Path, name: str, suffix: str) -> None:
    content = gzip.compress(b"x") if name.endswith(".gz") else b"x"

    assert find_file(written(tmp_path / name, content)).suffix == suffix


def test_a_zipped_file_can_be_opened_for_a_reader_that_jumps(tmp_path: Path) -> None:
    file = find_file(written(tmp_path / "a.gz", gzip.compress(b"0123456789")))

    with file.open_seekable() as stream:
        stream.seek(-3, os.SEEK_END)
        assert stream.read() == b"789"


def test_blocks_join_to_the_content(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000

    assert b"".join(find_file(written(tmp_path / "a", content)).blocks()) == content


@pytest.mark.parametrize(("length", "heads"), [(0, [0]), (65_535, [65_535]), (70_000, [65_536, 70_000])])
def test_more_and_more_of_a_file_is_looked_at(length: int, heads: list[int], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a" * length)

    assert list(map(len, find_file(tmp_path / "a.csv").heads())) == heads


def test_standard_input_can_be_read_twice() -> None:
    file = standard_input(io.BytesIO(b"one\n"))

    assert [file.head(9), file.head(9), file.name] == [b"one\n", b"one\n", "standard input"]


def test_long_standard_input_goes_through_the_disk() -> None:
    content = b"0123456789abcdef" * (SPOOL_BYTES // 16 + 1)

    file = standard_input(io.BytesIO(content))

    assert sum(map(len, file.blocks())) == len(content)


def test_a_pipe_can_be_read_twice() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"text,label\n")
    os.close(writing)

    file = find_file(f"/dev/fd/{reading}")
    os.close(reading)

    assert [file.head(4), file.head(4)] == [b"text", b"text"]


def test_a_missing_file_is_answered_with_the_closest_name(tmp_path: Path) -> None:
    written(tmp_path / "train.csv", b"x")

    with pytest.raises(DataError) as caught:
        find_file(tmp_path / "trian.csv")

    assert caught.value.message == f"{tmp_path / 'trian.csv'} does not exist; expected a file."
    assert caught.value.hint == "Did you mean 'train.csv'?"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        find_file(tmp_path / "data" / "train.csv")

    assert caught.value.hint == f"The folder {tmp_path / 'data'} does not exist either."


def test_a_folder_is_answered_with_the_files_in_it(tmp_path: Path) -> None:
    for name in "abcde":
        written(tmp_path / f"{name}.csv", b"x")

    with pytest.raises(DataError) as caught:
        find_file(tmp_path)

    assert caught.value.message == f"{tmp_path} is a folder; expected a file."
    assert caught.value.hint == "Give the path of one file in it, such as a.csv, b.csv, c.csv and 2 more."


def test_an_empty_folder_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="this folder holds none"):
        find_file(tmp_path)


def test_a_file_without_permission_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.csv", b"x")

    def refuse(*_: object, **__: object) -> io.BytesIO:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root, who runs tests in containers, may read everything
    with pytest.raises(DataError) as caught:
        find_file(path)

    assert caught.value.message == f"{path} cannot be opened: no permission to read it."
    assert caught.value.hint is not None
    assert "chmod u+r" in caught.value.hint


@pytest.mark.parametrize("text", ["good " * 1000, "a\0b"])
def test_a_text_in_place_of_a_path_is_quoted_only_in_part(text: str) -> None:
    with pytest.raises(DataError) as caught:
        find_file(text)

    assert "cannot be opened as a file" in caught.value.message
    assert caught.value.hint == "Give the path of a file; give texts themselves as a list."
    assert len(caught.value.message) < 120


def test_cut_gzip_is_called_so(tmp_path: Path) -> None:
    file = find_file(written(tmp_path / "a.gz", gzip.compress(os.urandom(1000))[:500]))

    with pytest.raises(DataError) as caught:
        list(file.blocks())

    assert caught.value.message == "a.gz is cut off: its gzip data ends too early."
    assert caught.value.hint == "Copy or download it again; `gzip -t` checks a file."


def test_damaged_gzip_is_called_so(tmp_path: Path) -> None:
    file = find_file(written(tmp_path / "a.gz", gzip.compress(b"text")[:10] + b"\xff" * 20))

    with pytest.raises(DataError, match=r"a\.gz is damaged: its gzip data cannot be read"):
        list(file.blocks())

"""Files with bytes that are not of their encoding."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from fastbert.data.files import InputFile
from fastbert.errors import DataError
from fastbert.insight.doctor.damage import open_damaged


def write(folder: Path, *lines: bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


GOOD = ["schöne Grüße,a".encode()] * 8


def test_a_sound_file_is_its_path(tmp_path: Path) -> None:
    path = write(tmp_path, b"text,label", *GOOD)

    source, damage = open_damaged(path)

    assert source == path and not damage


def test_lines_of_another_encoding_are_named_and_read_as_cp1252(tmp_path: Path) -> None:
    path = write(tmp_path, b"text,label", *GOOD, "caf\u00e9 \u20ac,b".encode("cp1252"))

    source, damage = open_damaged(path)

    assert isinstance(source, InputFile)
    assert (damage.undecodable, damage.nul) == ((10,), ())
    assert source.head(1000).decode().splitlines()[-1] == "café €,b"


def test_a_nul_is_named_and_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, b"text,label", b"a\0b,x", b"c,y", b"d,y")

    source, damage = open_damaged(path)

    assert isinstance(source, InputFile) and damage.nul == (2,)
    assert b"ab,x" in source.head(1000)


def test_a_file_that_is_mostly_unreadable_is_refused_as_in_training(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbftext,label", *["caf\u00e9,a".encode("cp1252")] * 20)

    with pytest.raises(DataError, match="is not utf-8"):
        open_damaged(path)


def test_standard_input_is_read_as_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"text,label\na b,x\n")))

    source, damage = open_damaged(Path("-"))

    assert isinstance(source, InputFile) and not damage
    assert source.head(4) == b"text"


def test_a_folder_is_left_to_its_reader(tmp_path: Path) -> None:
    assert open_damaged(tmp_path)[0] == tmp_path

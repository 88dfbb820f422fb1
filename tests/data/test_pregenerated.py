"""Examples on disk: the same ones come back, and what was changed is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fastbert.data.masked_epochs import MaskedEpoch
from fastbert.data.pregenerated import ARRAYS, MANIFEST, open_epochs, write_epochs
from fastbert.errors import DataError, TrainingError
from tests.data.test_masked_epochs import Kind, examples


@pytest.mark.parametrize("kind", ["packed", "pairs"])
def test_what_is_read_is_what_was_written(kind: Kind, tmp_path: Path) -> None:
    made = [examples(epoch=epoch, kind=kind) for epoch in range(3)]
    write_epochs(tmp_path / "examples", iter(made), key="k")
    found = open_epochs(tmp_path / "examples", key="k")

    assert len(found) == 3
    for number in range(3):
        assert found[number].num_cut == made[number].num_cut
        for name in ARRAYS:
            expected, array = getattr(made[number], name), getattr(found[number], name)
            assert (expected is None) == (array is None)
            assert expected is None or (np.array_equal(array, expected) and array.dtype == expected.dtype)


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    found = write_epochs(tmp_path / "examples", [examples()], key="k")
    place = tmp_path / "examples" / "epoch-0000.npz"
    place.write_bytes(place.read_bytes()[:-1] + b"x")

    with pytest.raises(DataError, match="epoch-0000.npz was changed after it was written"):
        found[0]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    found = write_epochs(tmp_path / "examples", [examples()], key="k")
    (tmp_path / "examples" / "epoch-0000.npz").unlink()

    with pytest.raises(DataError, match="epoch-0000.npz cannot be read"):
        found[0]


def test_examples_of_something_else_are_refused(tmp_path: Path) -> None:
    write_epochs(tmp_path / "examples", [examples()], key="k")

    with pytest.raises(DataError, match="examples of another corpus, encoder, seed or options"):
        open_epochs(tmp_path / "examples", key="other")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 1, "key": "k", "files": {}, "num_cuts": []}'])
def test_a_folder_without_a_manifest_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(content)

    with pytest.raises(DataError, match="holds no training examples"):
        open_epochs(tmp_path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    write_epochs(tmp_path / "examples", [examples()], key="k")
    place = tmp_path / "examples" / MANIFEST
    place.write_text(json.dumps(json.loads(place.read_text()) | {"format": 2}))

    with pytest.raises(DataError, match="the examples have format 2; this version reads 1"):
        open_epochs(tmp_path / "examples")


def test_nothing_is_left_of_a_write_that_fails(tmp_path: Path) -> None:
    def failing() -> Iterator[MaskedEpoch]:
        yield examples()
        raise OSError(28, "No space left on device")

    with pytest.raises(TrainingError, match="could not be written"):
        write_epochs(tmp_path / "examples", failing(), key="k")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="exists already"):
        write_epochs(tmp_path, [examples()], key="k")


def test_the_folder_is_for_its_owner(tmp_path: Path) -> None:
    write_epochs(tmp_path / "examples", [examples()], key="k")

    assert (tmp_path / "examples").stat().st_mode & 0o077 == 0

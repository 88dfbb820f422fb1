"""What a rule is fitted to comes back from the bundle as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fastbert.decisions.saved import FILE, Arrays, read_rows, write_rows
from fastbert.errors import BundleError


def test_the_arrays_of_every_split_come_back(tmp_path: Path) -> None:
    rows: dict[str, Arrays] = {
        "valid": {"scores": np.eye(2), "targets": np.eye(2) > 0},
        "test": {"scores": np.zeros((0, 2))},
    }

    write_rows(tmp_path, rows)

    found = read_rows(tmp_path)
    assert found.keys() == rows.keys()
    np.testing.assert_array_equal(found["valid"]["targets"], np.eye(2) > 0)
    assert found["test"]["scores"].shape == (0, 2)


def test_nothing_to_decide_leaves_no_file(tmp_path: Path) -> None:
    write_rows(tmp_path, {"valid": {}})

    assert not (tmp_path / FILE).exists()
    assert read_rows(tmp_path) == {}


def test_no_pickle_is_written_or_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        write_rows(tmp_path, {"valid": {"labels": np.array(["a", None], dtype=object)}})
    np.savez(tmp_path / FILE, allow_pickle=True, **{"valid/labels": np.array([None], dtype=object)})
    with pytest.raises(BundleError, match=r"decisions\.npz cannot be read"):
        read_rows(tmp_path)


def test_a_damaged_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"PK\x03\x04 and nothing more")

    with pytest.raises(BundleError) as caught:
        read_rows(tmp_path)

    assert "cannot be read" in str(caught.value)
    assert caught.value.hint == "Copy the bundle again."

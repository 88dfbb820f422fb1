"""What a decision rule is fitted to, kept beside the model: scores and truth of rows that were held out, without texts.

One NumPy archive of plain arrays, no pickle. Knows nothing of what the arrays mean: each task packs its own.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastbert.errors import BundleError

Arrays = dict[str, npt.NDArray[np.generic]]
FILE = "decisions.npz"
_BETWEEN = "/"  # split and name of an array


def write_rows(folder: Path, splits: Mapping[str, Arrays], file: str = FILE) -> None:
    """Write the arrays of each split; no file where there are none. Raises OSError if the disk fails."""
    named = {f"{split}{_BETWEEN}{name}": array for split, arrays in splits.items() for name, array in arrays.items()}
    if named:
        np.savez_compressed(folder / file, allow_pickle=False, **named)


def read_rows(folder: Path, file: str = FILE) -> dict[str, Arrays]:
    """Return the arrays of each split, {} where there is no file. Raises BundleError for one that cannot be read."""
    place = folder / file
    if not place.is_file():
        return {}
    found: dict[str, Arrays] = {}
    try:
        with place.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            for key in archive.files:
                split, _, name = key.partition(_BETWEEN)
                found.setdefault(split, {})[name] = archive[key]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise BundleError(f"{place} cannot be read ({error}).", "Copy the bundle again.") from error
    return found

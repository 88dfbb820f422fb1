"""The files of a bundle as bytes: what an estimator that is pickled carries with it.

Pickles are made by others, such as joblib between processes; the library itself writes none. Knows nothing of
estimators.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fastbert.bundle import MANIFEST
from fastbert.inference.predictor import Predictor
from fastbert.placing import files_of

if TYPE_CHECKING:
    from fastbert.training.learner import Learner

Files = Mapping[str, bytes]  # by name, from the folder on


def read_files(folder: Path) -> Files:
    """Return the files of a folder."""
    return {name: (folder / name).read_bytes() for name in files_of(folder)}


def write_files(files: Files, folder: Path) -> None:
    """Write the files of a bundle but its manifest, which is made anew for the place."""
    for name, content in files.items():
        if name != MANIFEST:
            _write(folder / name, content)


def files_of_learner(learner: Learner) -> Files:
    """Return the files of the bundle that a learner would save. Its callbacks are not told: nothing was saved."""
    watching, learner.callbacks = learner.callbacks, []
    try:
        with tempfile.TemporaryDirectory(prefix="fastbert-") as place:
            return read_files(learner.save(Path(place) / "model"))
    finally:
        learner.callbacks = watching


def open_files(files: Files) -> Predictor:
    """Return a predictor for the files of a bundle; it reads them whole, and nothing of them stays on disk."""
    with tempfile.TemporaryDirectory(prefix="fastbert-", ignore_cleanup_errors=True) as place:
        for name, content in files.items():
            _write(Path(place) / name, content)
        return Predictor.load(place, "torch", verify=False)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)

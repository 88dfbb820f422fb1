"""Training examples of a corpus on disk: made once, checked when they are read.

A folder holds a file of arrays for each epoch and a manifest with their checksums, written last; the folder is filled
under another name and renamed, so that it is whole or not there. Arrays only: numpy's format without pickle. Token ids
can be turned back into text, which is why the folder is for its owner alone. Knows nothing of how examples are made.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from fastbert.data.masked_epochs import MaskedEpoch
from fastbert.errors import DataError, TrainingError

FORMAT = 1
MANIFEST = "examples.json"
ARRAYS = ("ids_T", "types_T", "lengths_N", "places_M", "targets_M", "next_N")
REMAKE_HINT = "Remove the folder, and the examples are made again."


@dataclass(frozen=True)
class PregeneratedEpochs:
    """Epochs in a folder. key: what they were made of, as the caller said.    checksums: sha256 by file, in order."""

    folder: Path
    key: str
    checksums: Mapping[str, str]
    num_cuts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.checksums)

    def __getitem__(self, epoch: int) -> MaskedEpoch:
        """Return the examples of one epoch. Raises DataError if its file is missing or was changed."""
        name = list(self.checksums)[epoch]
        place = self.folder / name
        try:
            if _sha256(place) != self.checksums[name]:
                raise DataError(f"{place} was changed after it was written: its sha256 is another.", REMAKE_HINT)
            with np.load(place, allow_pickle=False) as arrays:
                found = {array: arrays[array] for array in arrays.files}
        except (OSError, ValueError, BadZipFile) as error:
            raise DataError(f"{place} cannot be read ({error}).", REMAKE_HINT) from error
        return MaskedEpoch(**{array: found.get(array) for array in ARRAYS}, num_cut=self.num_cuts[epoch])  # type: ignore[arg-type]  # the arrays were checked by their sum


def write_epochs(folder: Path, epochs: Iterable[MaskedEpoch], *, key: str) -> PregeneratedEpochs:
    """Write the examples of epochs to a new folder, one epoch in memory at a time, and return them.

    key: what they are made of; to be compared when they are opened.
    Raises DataError if the folder exists, TrainingError if the disk fails; nothing is left behind then.
    """
    if folder.exists():
        raise DataError(f"{folder} exists already; training examples are not written there.", REMAKE_HINT)
    working = folder.absolute().parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        working.mkdir(parents=True, mode=0o700)
        files: dict[str, str] = {}
        num_cuts: list[int] = []
        for number, epoch in enumerate(epochs):
            name = f"epoch-{number:04}.npz"
            arrays = {array: getattr(epoch, array) for array in ARRAYS if getattr(epoch, array) is not None}
            np.savez(working / name, **arrays)
            files[name] = _sha256(working / name)
            num_cuts.append(epoch.num_cut)
        manifest = {"format": FORMAT, "key": key, "files": files, "num_cuts": num_cuts}
        (working / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        os.rename(working, folder)
    except OSError as error:
        raise TrainingError(
            f"{folder}: the training examples could not be written ({error.strerror or error}). Nothing was left.",
            "Free some space, or leave out --pregenerate.",
        ) from error
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return PregeneratedEpochs(folder, key, files, tuple(num_cuts))


def open_epochs(folder: Path, *, key: str | None = None) -> PregeneratedEpochs:
    """Open what `write_epochs` wrote; the arrays of an epoch are read when it is asked for.

    key: what they must have been made of, None for anything.
    Raises DataError if it is no such folder, of another format, or made of something else.
    """
    place = folder / MANIFEST
    try:
        manifest = json.loads(place.read_text(encoding="utf-8"))
        found, made_of, files = manifest["format"], manifest["key"], manifest["files"]
        num_cuts = tuple(int(count) for count in manifest["num_cuts"])
        if len(num_cuts) != len(files) or not files:
            raise ValueError("its lists are of different lengths")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder} holds no training examples: {MANIFEST} cannot be read ({error}).", REMAKE_HINT
        ) from error
    if found != FORMAT:
        raise DataError(f"{folder}: the examples have format {found}; this version reads {FORMAT}.", REMAKE_HINT)
    if key is not None and made_of != key:
        raise DataError(f"{folder} holds training examples of another corpus, encoder, seed or options.", REMAKE_HINT)
    return PregeneratedEpochs(folder, str(made_of), dict(files), num_cuts)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

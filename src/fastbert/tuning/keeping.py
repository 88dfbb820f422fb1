"""The models of a search on disk: that of the defaults and the best one, and no other.

They lie in a working folder beside the model to come, which all processes of a search on one machine share; what they
do there at the same time is serialised by a lock. Knows nothing of how trials are run.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from fastbert.bundle import MANIFEST, read_bundle
from fastbert.errors import BundleError, ConfigError
from fastbert.training.learner import Learner

STUDY, KEPT, LOCK = "study.db", "kept", "lock"
PAGE, SPACE, BEST, RESULT = "tune.html", "space.toml", "best.toml", "tune.json"
OURS = (STUDY, f"{STUDY}-journal", KEPT, LOCK, PAGE, SPACE, BEST, RESULT)
HALF = ".part-"  # begins the names of what is being written; a killed process may leave it
Merit = tuple[int, float, int]  # whether it is allowed, how good, the earlier first


@dataclass(frozen=True)
class Place:
    """The working folder of a search, "<model>-tune" beside the model's folder."""

    folder: Path

    @classmethod
    def beside(cls, out: Path) -> Place:
        """Return the place for a model. Raises ConfigError if something else lies there."""
        place = cls(out.resolve().with_name(f"{out.resolve().name}-tune"))
        found = [path.name for path in place.folder.iterdir()] if place.exists else []
        strange = [name for name in found if name not in OURS and not name.startswith(HALF)]
        if strange or (place.folder.exists() and not place.folder.is_dir()):
            raise ConfigError(
                f"{place.folder} is where the search is kept, and holds something else"
                + (f", such as {strange[0]}." if strange else "."),
                "Move it away, or choose another --out.",
            )
        return place

    @property
    def exists(self) -> bool:
        """Return whether there is such a folder."""
        return self.folder.is_dir()

    @property
    def url(self) -> str:
        """Return the URL of the study that lies here."""
        return f"sqlite:///{self.folder / STUDY}"

    def make(self) -> None:
        """Make the folder. Raises ConfigError where that cannot be done."""
        try:
            (self.folder / KEPT).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"{self.folder} cannot be made ({error.strerror or error}).", "Choose another --out."
            ) from error

    def clear(self) -> None:
        """Remove everything of an earlier search."""
        for name in OURS:
            _remove(self.folder / name)
        self.make()

    def tidy(self, numbers: Collection[int]) -> None:
        """Remove what killed processes left: files half written, and models of trials that do not count.

        numbers: of the trials that do. To be called while locked.
        """
        for path in [*self.folder.glob(f"{HALF}*"), *(self.folder / KEPT).iterdir()]:
            if path.parent == self.folder or not path.name.isdecimal() or int(path.name) not in numbers:
                _remove(path)

    def write(self, name: str, text: str) -> None:
        """Write a file, whole or not at all."""
        working = self.folder / f"{HALF}{uuid.uuid4().hex[:8]}"
        try:
            working.write_text(text, encoding="utf-8")
            os.replace(working, self.folder / name)
        finally:
            working.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out during a block."""
        with FileLock(self.folder / LOCK):
            yield

    def model(self, number: int) -> Path | None:
        """Return the folder of a trial's model, None if it is not kept here or is not whole."""
        folder = self.folder / KEPT / str(number)
        try:
            read_bundle(folder)
        except BundleError:
            return None
        return folder

    def offer(self, learner: Learner, number: int, merits: Mapping[int, Merit], always: int | None) -> bool:
        """Save the model of a trial if it is the best so far, or the one that is always kept; drop those it beats.

        merits: of the finished trials, this one among them.    Returns whether it was saved.
        """
        with self.locked():
            kept = self.numbers()
            best = max([number, *(one for one in kept if one in merits)], key=lambda one: merits[one])
            if number not in (best, always):
                return False
            learner.save(self.folder / KEPT / str(number), overwrite=True)
            for one in kept:
                if one not in (best, always, number):
                    shutil.rmtree(self.folder / KEPT / str(one), ignore_errors=True)
            return True

    def numbers(self) -> list[int]:
        """Return the trials whose models are kept."""
        folder = self.folder / KEPT
        found = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return sorted(int(name) for name in found if name.isdecimal())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def copy_model(source: Path) -> Callable[[Path], None]:
    """Return a function that copies the files of a bundle, but for its manifest, into a folder."""

    def copy(target: Path) -> None:
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST))

    return copy

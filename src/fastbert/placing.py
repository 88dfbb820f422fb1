"""A finished folder put where it belongs: renamed into place, or, where the place must stay what it is, moved into it.

A mount point, such as a volume of a container, cannot be renamed away. Knows nothing of what a folder holds but the one
file that makes it whole.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from pathlib import Path

WORKING = ".part-"  # begins the names of what is being written inside a folder; a killed process may leave it


def files_of(folder: Path) -> list[str]:
    """Return the files and links in a folder and below it, as sorted paths from the folder on, with slashes."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def replace_folder(working: Path, target: Path, last: str) -> None:
    """Move a finished folder into place; what was there is set aside first and removed last.

    A target that cannot be renamed, because something is mounted there, is filled (`fill_folder`).
    last: the file that makes the folder whole.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = working.with_suffix(".old")
    if target.exists():
        try:
            target.rename(aside)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            fill_folder(working, target, last)
            return
    try:
        working.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def fill_folder(working: Path, target: Path, last: str) -> None:
    """Put the files of a finished folder into one that stays, in place of all that is in it.

    last: the file that makes the folder whole. All are copied first: a full disk changes nothing. The old one of
        this name is then removed before any other, and the new one comes after all others: a process that is killed
        meanwhile leaves a folder without it, and never a mixture that looks whole.
    """
    names = files_of(working)
    part = target / f"{WORKING}{uuid.uuid4().hex[:8]}"
    try:
        for name in names:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(working / name, part / name)
        (target / last).unlink(missing_ok=True)
        for old in target.iterdir():
            if old != part:
                shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        for name in sorted(names, key=lambda name: name == last):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(part / name, target / name)
    finally:
        shutil.rmtree(part, ignore_errors=True)

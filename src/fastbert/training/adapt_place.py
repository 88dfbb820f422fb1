"""Where a run of masked training writes: what may stand in its way, and how its checkpoint gets there.

The checkpoint is filled in the hidden folder of the run (`adapt_state.working_folder`) and renamed, so that it is whole
or not there. One run at a time has that folder. Knows nothing of models.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

from filelock import FileLock, Timeout

from fastbert.errors import ConfigError, TrainingError
from fastbert.placing import files_of, replace_folder
from fastbert.training.adapt_plan import FACTS
from fastbert.training.adapt_state import has_state, key_of, working_folder

LOCK, MAY_REPLACE, CHECKPOINT = "lock", "may-replace", "checkpoint"  # in the folder of the run
FILES = "files"  # in the facts: those of the checkpoint, which --overwrite may remove
IfExists = Literal["refuse", "overwrite", "resume"]


def check_out(out: Path, if_exists: IfExists) -> None:
    """Raise ConfigError if a checkpoint cannot be written to a folder, or a run cannot go on or start anew there."""
    if if_exists not in get_args(IfExists):
        raise ConfigError(f"if_exists is '{if_exists}'; expected one of {', '.join(get_args(IfExists))}.")
    working = working_folder(out)
    parent = out.resolve().parent
    while not parent.exists():
        parent = parent.parent
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=f"{working.name}."):
            pass
    except OSError as error:
        raise ConfigError(
            f"{out} cannot be made: {parent} is not a folder that can be written to ({error.strerror or error})."
        ) from error
    if _is_held(working):
        raise _held(out)
    clear_finished(out)
    if if_exists == "resume":
        if not has_state(working):
            raise ConfigError(
                f"{out}: there is no interrupted run to go on with, or it had not finished an epoch.",
                "Start without --resume.",
            )
    elif has_state(working):
        raise ConfigError(
            f"{out}: a run was interrupted here; its last epoch is in {working}.",
            "Go on with --resume, or remove that folder to start anew.",
        )
    may_replace = if_exists == "overwrite" or (if_exists == "resume" and (working / MAY_REPLACE).exists())
    hint = "Move it away." if if_exists == "resume" else "Choose another folder, or allow it with --overwrite."
    _check_nothing_lost(out, may_replace=may_replace, hint=hint)


def clear_finished(out: Path) -> None:
    """Remove the state of a run that was killed after its checkpoint had been placed: nothing is left to go on with."""
    working = working_folder(out)
    if has_state(working) and not _is_held(working) and _is_finished(out, working):
        shutil.rmtree(working, ignore_errors=True)


@contextmanager
def working_place(out: Path, if_exists: IfExists) -> Iterator[Path]:
    """Have the hidden folder of a run for oneself; it is removed at the end, or kept where a run can go on from it.

    Raises ConfigError as `check_out`, and if another process is writing to out.
    """
    check_out(out, if_exists)
    working = working_folder(out)
    working.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(working / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise _held(out) from error
    is_done = False
    try:
        for left in working.glob(".*.part"):  # of a run that was killed while it wrote
            shutil.rmtree(left, ignore_errors=True)
        if if_exists == "overwrite":
            (working / MAY_REPLACE).touch()
        elif if_exists == "refuse":
            (working / MAY_REPLACE).unlink(missing_ok=True)
        yield working
        is_done = True
    finally:
        if is_done or not has_state(working):
            shutil.rmtree(working, ignore_errors=True)  # while it is locked: the next run would lose its own
        lock.release()


def place_checkpoint(out: Path, save: Callable[[Path], None], facts: Mapping[str, object]) -> None:
    """Let a checkpoint be saved in the folder of the run, put facts beside it, and move it to out.

    Raises ConfigError if something has come to lie at out, TrainingError if the disk fails; the state of the run is
    still there then.
    """
    working = working_folder(out)
    checkpoint = working / CHECKPOINT
    may_replace = (working / MAY_REPLACE).exists()
    try:
        shutil.rmtree(checkpoint, ignore_errors=True)  # of a run that was killed while it wrote
        checkpoint.mkdir()
        save(checkpoint)
        known = {**facts, FILES: files_of(checkpoint)}
        (checkpoint / FACTS).write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        _check_nothing_lost(out, may_replace=may_replace, hint="Move it away and go on with --resume.")
        if may_replace:
            replace_folder(checkpoint, out.resolve(), FACTS)
        else:
            os.rename(checkpoint, out.resolve())
    except OSError as error:
        raise TrainingError(
            f"{out}: the checkpoint could not be written ({error.strerror or error}).",
            "Free some space and start again with --resume: the last epoch is kept.",
        ) from error
    finally:
        shutil.rmtree(checkpoint, ignore_errors=True)


def _is_held(working: Path) -> bool:
    """Return whether a run has the folder at this moment. Its lock file may also be of a run that was killed."""
    if not (working / LOCK).exists():
        return False
    try:
        with FileLock(working / LOCK, timeout=0):
            return False
    except Timeout:
        return True


def _is_finished(out: Path, working: Path) -> bool:
    """Return whether the encoder at out is that of the run whose state is in the hidden folder."""
    try:
        return bool(json.loads((out / FACTS).read_text(encoding="utf-8"))["key"] == key_of(working))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _held(out: Path) -> ConfigError:
    return ConfigError(f"{out}: another run is writing there at this moment.", "Wait for it, or choose another folder.")


def _check_nothing_lost(out: Path, *, may_replace: bool, hint: str) -> None:
    """Raise ConfigError if something lies at out that may not be replaced."""
    if out.exists() and not may_replace:
        raise ConfigError(f"{out} exists already.", hint)
    if out.exists() and not (out / FACTS).is_file():
        raise ConfigError(
            f"{out} exists and is no adapted encoder; it is not replaced, not even with --overwrite.",
            "Choose another folder, or remove it yourself.",
        )
    strange = sorted(set(files_of(out)) - _files_written(out)) if out.exists() else []
    if strange:
        raise ConfigError(
            f"{out} holds files that are no part of the adapted encoder, such as {strange[0]}; it is not replaced.",
            "Move them away, or choose another folder.",
        )


def _files_written(out: Path) -> set[str]:
    """Return the files of an adapted encoder, as it was written; none where its facts cannot be read."""
    try:
        return {FACTS, *json.loads((out / FACTS).read_text(encoding="utf-8"))[FILES]}
    except (OSError, ValueError, KeyError, TypeError):
        return {FACTS}

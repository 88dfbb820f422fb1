"""A finished folder takes its place whole, also where the place is a mount point."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
from pathlib import Path

import pytest

from fastbert.bundle import MANIFEST, read_bundle, write_bundle
from fastbert.errors import TrainingError
from fastbert.inference.predictor import Predictor
from fastbert.placing import files_of, fill_folder, replace_folder
from tests.bundles import tiny_bundle


def folder_with(place: Path, **files: str) -> Path:
    for name, content in files.items():
        file = place / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return place


def contents(place: Path) -> dict[str, str]:
    return {
        path.relative_to(place).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(place.rglob("*"))
        if path.is_file()
    }


def mounted(monkeypatch: pytest.MonkeyPatch, place: Path, code: int = errno.EBUSY) -> None:
    """Let a folder refuse to be renamed, as a mount point does."""
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self == place:
            raise OSError(code, os.strerror(code), str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)


def save_again(made: Path, target: Path) -> Path:
    """Write the bundle of a folder to another one that exists."""

    def write_files(working: Path) -> None:
        for name in files_of(made):
            if name != MANIFEST:
                shutil.copyfile(made / name, working / name)

    return write_bundle(dataclasses.replace(read_bundle(made), folder=target), write_files, overwrite=True)


def test_a_folder_is_filled_with_the_new_files_alone(tmp_path: Path) -> None:
    working = folder_with(tmp_path / "new", last="new", sub__a="new")
    target = folder_with(tmp_path / "old", last="old", sub__b="old", other="old")
    before = target.stat().st_ino

    fill_folder(working, target, "last")

    assert contents(target) == {"last": "new", "sub/a": "new"}
    assert target.stat().st_ino == before
    assert sorted(path.name for path in target.iterdir()) == ["last", "sub"]


def test_a_mount_point_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    working, target = folder_with(tmp_path / "new.part", last="new"), folder_with(tmp_path / "model", last="old")
    mounted(monkeypatch, target)

    replace_folder(working, target, "last")

    assert contents(target) == {"last": "new"}


def test_another_failure_of_renaming_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    working, target = folder_with(tmp_path / "new.part", last="new"), folder_with(tmp_path / "model", last="old")
    mounted(monkeypatch, target, errno.EACCES)

    with pytest.raises(PermissionError):
        replace_folder(working, target, "last")

    assert contents(target) == {"last": "old"}


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    working = folder_with(tmp_path / "new", a="new", last="new")
    target = folder_with(tmp_path / "old", a="old", last="old")

    def full(source: Path, copy: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)

    with pytest.raises(OSError, match="No space"):
        fill_folder(working, target, "last")

    assert contents(target) == {"a": "old", "last": "old"}


@pytest.mark.parametrize("killed_at", [1, 2, 3])
def test_killed_between_two_files_the_folder_does_not_look_whole(
    killed_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = folder_with(tmp_path / "new", a="new", last="new", z="new")
    target = folder_with(tmp_path / "old", a="old", last="old", z="old")
    replace, done = os.replace, list[Path]()

    def until_killed(source: Path, place: Path) -> None:
        done.append(place)
        if len(done) == killed_at:
            raise KeyboardInterrupt
        replace(source, place)

    monkeypatch.setattr(os, "replace", until_killed)

    with pytest.raises(KeyboardInterrupt):
        fill_folder(working, target, "last")

    assert not (target / "last").exists()


def test_a_bundle_is_saved_into_a_mounted_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    mounted(monkeypatch, tmp_path / "model")

    folder = save_again(tiny_bundle(tmp_path / "made"), tmp_path / "model")

    assert read_bundle(folder).folder == folder
    assert Predictor.load(folder)(["the app"])


def test_a_bundle_that_fails_half_way_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tiny_bundle(tmp_path / "made")
    (tmp_path / "model").mkdir()
    mounted(monkeypatch, tmp_path / "model")
    replace = os.replace

    def fail(source: Path, place: Path) -> None:
        if Path(place) == tmp_path / "model" / "config.json":
            raise OSError(errno.EIO, "Input/output error")
        replace(source, place)

    monkeypatch.setattr(os, "replace", fail)

    with pytest.raises(TrainingError, match="could not be written"):
        save_again(made, tmp_path / "model")

    assert not (tmp_path / "model" / MANIFEST).exists()

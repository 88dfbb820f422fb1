"""Another user than the one who trained a model may serve it, or is told why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert import bundle
from fastbert.bundle import MANIFEST, read_bundle
from fastbert.errors import BundleError
from tests.bundles import tiny_bundle


def test_whoever_may_read_the_manifest_may_read_the_weights(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")

    modes = {path.stat().st_mode for path in folder.rglob("*") if path.is_file()}
    assert modes == {(folder / MANIFEST).stat().st_mode}


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_bundle(tmp_path / "model")

    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(bundle, "_sha256", refuse)  # root may read all

    with pytest.raises(BundleError) as raised:
        read_bundle(folder)

    assert "cannot be read (Permission denied)" in str(raised.value)
    assert f"Let this user read it (`chmod -R a+rX {folder}`)" in str(raised.value)

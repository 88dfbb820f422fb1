"""A bundle packed as SageMaker wants a model: one tar.gz, without a folder around the files.

The same bundle gives the same bytes, whenever and wherever it is packed. Imports neither torch nor transformers.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fastbert.bundle import MANIFEST, Bundle, read_bundle, seal_of
from fastbert.errors import BundleError, ConfigError, TrainingError
from fastbert.placing import WORKING

TOKENIZER = ("tokenizer.json",)  # beside its exports, all that a bundle needs to answer
MODE = 0o644


@dataclass(frozen=True)
class Package:
    """What was packed. files: names in the archive.    size_bytes: of the archive."""

    path: Path
    files: tuple[str, ...]
    size_bytes: int

    def to_json(self) -> dict[str, object]:
        """Return what `fastbert sagemaker package --json` prints."""
        return {"package": str(self.path), "files": list(self.files), "size_bytes": self.size_bytes}


def pack(folder: str | Path, out: str | Path, *, serving_only: bool = False, overwrite: bool = False) -> Package:
    """Verify a bundle and pack its files, and no others; return what was packed.

    serving_only: its exports and what they need alone, without the checkpoint and the report. Such a bundle answers
        without torch, and is verified like any other; it cannot be exported or trained from.
    Raises BundleError for a damaged bundle or one without exports, ConfigError for a place to write that will not do,
    TrainingError if the disk fails; nothing is left behind then.
    """
    place, bundle = Path(out), read_bundle(folder)
    _check_out(place, bundle.folder, overwrite=overwrite)
    manifest = json.loads((bundle.folder / MANIFEST).read_text(encoding="utf-8"))
    if serving_only:
        manifest = _of_exports(bundle, manifest)
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    names = sorted([MANIFEST, *manifest["files"]])
    try:
        with _placed(place) as stream, _archive(stream) as archive:
            for name in names:
                _add(archive, name, text.encode() if name == MANIFEST else bundle.folder / name)
    except OSError as error:
        raise TrainingError(
            f"{place}: the package could not be written ({error.strerror or error}). Nothing was left there.",
            "Free some space, or choose another place with --out.",
        ) from error
    return Package(place, tuple(names), place.stat().st_size)


def _check_out(out: Path, bundle: Path, *, overwrite: bool) -> None:
    if not out.name.endswith((".tar.gz", ".tgz")):
        raise ConfigError(f"{out} does not end in .tar.gz, as SageMaker wants it.", "Name it model.tar.gz.")
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise ConfigError(f"{out}: no file can be written there.", "Give a file in a folder that exists.")
    if out.resolve().is_relative_to(bundle.resolve()):
        raise ConfigError(f"{out} lies in the bundle, whose files are all known.", "Choose another folder with --out.")
    if out.exists() and not overwrite:
        raise ConfigError(f"{out} exists already.", "Choose another name, or allow it with --overwrite.")


def _of_exports(bundle: Bundle, manifest: Mapping[str, object]) -> dict[str, object]:
    """Return the manifest of a bundle without what only torch and people read, sealed anew."""
    if not bundle.exports:
        raise BundleError(
            f"{bundle.folder} has no exports; without the checkpoint it could not answer.",
            f"Make one with `fastbert export {bundle.folder}`, or pack it without --serving-only.",
        )
    files = manifest["files"]
    assert isinstance(files, dict)  # it was verified
    kept = {*TOKENIZER, *(name for export in bundle.exports.values() for name in export.files)}
    changed = {**manifest, "files": {name: checksum for name, checksum in files.items() if name in kept}}
    return {**changed, "sha256": seal_of(changed)}


@contextmanager
def _placed(out: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes its place when it is whole."""
    working = out.with_name(f"{WORKING}{uuid.uuid4().hex[:8]}-{out.name}")
    try:
        with working.open("wb") as stream:
            yield stream
        os.replace(working, out)
    finally:
        working.unlink(missing_ok=True)


@contextmanager
def _archive(stream: IO[bytes]) -> Iterator[tarfile.TarFile]:
    """Open an archive in which nothing tells when it was made."""
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        yield archive


def _add(archive: tarfile.TarFile, name: str, content: bytes | Path) -> None:
    member = tarfile.TarInfo(name)
    member.mode, member.mtime, member.uid, member.gid = MODE, 0, 0, 0
    member.size = len(content) if isinstance(content, bytes) else content.stat().st_size
    if isinstance(content, bytes):
        archive.addfile(member, io.BytesIO(content))
        return
    with content.open("rb") as stream:
        archive.addfile(member, stream)

"""The model folder: written whole or not at all, read with its checksums verified.

A bundle is an ordinary Hugging Face checkpoint with its tokenizer, plus `bundle.json` (format,
task, labels, decision rule, scores, plan, checksums of the other files) and a report.
Knows nothing of torch: the caller passes the function that writes the checkpoint.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from fastbert._version import __version__
from fastbert.config import Pooling
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError, TrainingError
from fastbert.exports import Export, export_command
from fastbert.jsonable import finite
from fastbert.placing import WORKING, files_of, replace_folder
from fastbert.tasks import task_from_json
from fastbert.tasks.base import Task

FORMAT = 1
MANIFEST = "bundle.json"


@dataclass(frozen=True)
class Bundle:
    """What bundle.json says. folder: where it lies; the other fields as they were written.

    max_tokens: longest input in tokens.    tokenizer: settings beside tokenizer.json.
    head: qualified name of a head of the user's own, or None.    pooling: of one of ours, see `TrainConfig`.
    scores: by split, then by metric.    facts: encoder, plan, history: for people.
    exports: models for other engines that were added later, by name.
    seal: sha256 of the manifest it was read from.
    """

    folder: Path
    task: Task
    decisions: Decisions
    max_tokens: int
    tokenizer: Mapping[str, object]
    head: str | None = None
    pooling: Pooling = "default"
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    version: str = __version__
    exports: Mapping[str, Export] = field(default_factory=dict)
    seal: str = field(default="", compare=False)

    @property
    def reads_pairs(self) -> bool | None:
        """Return whether the model reads pairs of texts, None if nothing is known: it was not trained on a table."""
        if self.task.pairs is not None:
            return self.task.pairs
        plan = self.facts.get("plan")
        layout = plan.get("layout") if isinstance(plan, dict) else None
        return layout.get("pair") is not None if isinstance(layout, dict) else None

    def to_json(self, files: Mapping[str, str]) -> dict[str, object]:
        """Return the manifest; files maps relative names to their sha256."""
        return {
            "format": FORMAT,
            "fastbert": self.version,
            "task": self.task.to_json(),
            "decisions": self.decisions.to_json(),
            "max_tokens": self.max_tokens,
            "tokenizer": dict(self.tokenizer),
            "head": self.head,
            "pooling": self.pooling,
            "scores": {split: dict(scores) for split, scores in self.scores.items()},
            "facts": dict(self.facts),
            "exports": {name: export.to_json() for name, export in self.exports.items()},
            "files": dict(files),
        }


def check_contents(folder: Path, *, overwrite: bool) -> None:
    """Raise BundleError if a folder holds what a new bundle must not replace."""
    if folder.exists() and not overwrite:
        raise BundleError(f"{folder} exists already.", "Choose another folder, or allow it with --overwrite.")
    if folder.exists() and not (folder / MANIFEST).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise BundleError(
            f"{folder} exists and is not a bundle; it is not replaced, not even with --overwrite.",
            "Choose another folder, or remove it yourself.",
        )
    strange = _strange_files(folder)
    if strange:
        raise BundleError(
            f"{folder} holds files that are no part of the bundle, such as {strange[0]}; it is not replaced.",
            "Move them away, or choose another folder.",
        )


def check_target(folder: Path, *, overwrite: bool) -> None:
    """Raise BundleError if a bundle cannot be written there. Meant to be called before any work."""
    check_contents(folder, overwrite=overwrite)
    try:
        parent = folder.resolve().parent
    except (OSError, RuntimeError) as error:
        raise BundleError(f"{folder} cannot be made: {error}.", "Choose another folder.") from error
    while not parent.exists():
        parent = parent.parent
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=f".{folder.name}."):
            pass  # tried, not asked for: permission bits say nothing of /proc, a quota or a network share
    except OSError as error:
        raise BundleError(
            f"{folder} cannot be made: {parent} is not a folder that can be written to ({error.strerror or error})."
        ) from error


def _strange_files(folder: Path) -> list[str]:
    """Return the files of a bundle's folder that its manifest does not know: they are somebody's own."""
    if not (folder / MANIFEST).is_file():
        return []
    try:
        known = json.loads((folder / MANIFEST).read_text(encoding="utf-8")).get("files", {})
    except (OSError, ValueError, AttributeError):
        return []  # a broken bundle may be replaced
    return [
        name for name in files_of(folder) if name not in known and name != MANIFEST and not name.startswith(WORKING)
    ]


def write_bundle(bundle: Bundle, write_files: Callable[[Path], None], *, overwrite: bool = False) -> Path:
    """Write a bundle to bundle.folder and return that path.

    write_files fills a new folder with the checkpoint, tokenizer and report; the manifest with
    the checksums is written last and the folder then renamed, so that a bundle is never half
    there; a mount point is filled (`placing`). Raises TrainingError if the disk fails; nothing is left behind then.
    """
    check_target(bundle.folder, overwrite=overwrite)
    target = bundle.folder.resolve()  # behind a link, the folder that it points to
    working = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        working.mkdir(parents=True)
        write_files(working)
        _write_manifest(working, bundle.to_json(_checksums(working)))
        _share(working)
        replace_folder(working, target, MANIFEST)
    except OSError as error:
        raise TrainingError(
            f"{bundle.folder}: the bundle could not be written ({error.strerror or error}). Nothing was left there.",
            "Free some space or choose another folder, and save again.",
        ) from error
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return bundle.folder


def _share(folder: Path) -> None:
    """Let whoever may read the manifest read all files: safetensors 0.8 writes for its owner only.

    A server has another user than a training, as a rule.
    """
    mode = (folder / MANIFEST).stat().st_mode
    for name in files_of(folder):
        with contextlib.suppress(OSError):  # some network shares have no modes
            (folder / name).chmod(mode)


def _write_manifest(place: Path, values: Mapping[str, object]) -> None:
    """Seal a manifest and put it into its folder in one step."""
    manifest = dict(cast("Mapping[str, object]", finite(values)))
    text = json.dumps({**manifest, "sha256": seal_of(manifest)}, indent=2, ensure_ascii=False, allow_nan=False)
    working = place / f"{WORKING}{uuid.uuid4().hex[:8]}-{MANIFEST}"  # two processes may write at once
    try:
        working.write_text(text + "\n", encoding="utf-8")
        os.replace(working, place / MANIFEST)
    finally:
        with contextlib.suppress(OSError):
            working.unlink(missing_ok=True)


def add_export(folder: Path, export: Export, made: Path) -> Export:
    """Move an exported model into a bundle and record it; one of the same name is replaced.

    made: a folder on the same file system with the export's files at their relative names. The record of an old
    export is taken out before its files are replaced and the new one put in after, so that the bundle
    verifies at every moment, even if the process is killed.
    Raises TrainingError if the disk fails.
    """
    unrecorded: Iterable[str] = ()
    try:
        checksums = {name: _sha256(made / name) for name in export.files}
        stale = _take_out(folder, export)
        unrecorded = {*stale, *export.files}
        for name in stale - set(export.files):
            (folder / name).unlink(missing_ok=True)
        for name in export.files:
            (folder / name).parent.mkdir(exist_ok=True)
            os.replace(made / name, folder / name)
        values = _read_manifest(folder)  # again: another process may have added an export meanwhile
        files, exports = _mapping(values, "files"), _mapping(values, "exports")
        added = {"files": {**files, **checksums}, "exports": {**exports, export.name: export.to_json()}}
        _write_manifest(folder, {**values, **added})
    except OSError as error:
        for name in unrecorded:
            (folder / name).unlink(missing_ok=True)
        raise TrainingError(
            f"{folder}: the export could not be added ({error.strerror or error}). The model itself is unharmed.",
            "Free some space, or copy the bundle to a folder that can be written to, and export again.",
        ) from error
    return export


def _take_out(folder: Path, export: Export) -> set[str]:
    """Take an export and its files out of the manifest; return the files of the one that was there."""
    values = _read_manifest(folder)
    files, exports = _mapping(values, "files"), _mapping(values, "exports")
    stale = _files_of(values, export.name)
    files = {name: checksum for name, checksum in files.items() if name not in {*stale, *export.files}}
    _write_manifest(
        folder, {**values, "files": files, "exports": {n: e for n, e in exports.items() if n != export.name}}
    )
    return stale


def rewrite(bundle: Bundle, write_files: Callable[[Path], None], what: str = "the decision rule") -> Path:
    """Put other decisions, scores and facts into a bundle that exists, with files that show them; return its path.

    bundle: as it is to be; its folder, task and exports are those that lie there.
    write_files: fills an empty folder with the files that are new.    what: is written, for people.
    The old files are taken out of the manifest before they are replaced and come back with it, so that the bundle
    verifies at every moment. Raises TrainingError if the disk fails.
    """
    working = bundle.folder / f"{WORKING}{uuid.uuid4().hex[:8]}"
    try:
        working.mkdir()
        write_files(working)
        checksums = _checksums(working)
        values = _read_manifest(bundle.folder)
        kept = {name: checksum for name, checksum in _mapping(values, "files").items() if name not in checksums}
        _write_manifest(bundle.folder, {**values, "files": kept})
        for name in checksums:
            os.replace(working / name, bundle.folder / name)
        changed = {name: bundle.to_json({})[name] for name in ("decisions", "scores", "facts")}
        _write_manifest(bundle.folder, {**values, **changed, "files": {**kept, **checksums}})
    except OSError as error:
        raise TrainingError(
            f"{bundle.folder}: {what} could not be written ({error.strerror or error}). The model itself is unharmed.",
            "Free some space, or copy the bundle to a folder that can be written to.",
        ) from error
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return bundle.folder


def read_bundle(folder: str | Path, *, verify: bool = True, ignoring: str | None = None) -> Bundle:
    """Read a bundle. Raises BundleError if it is none, too new, incomplete or was changed.

    verify: compare the sha256 of every file, and of the manifest, with what was saved.
    ignoring: the export of this name is left out, for it will be replaced: it may be damaged.
    """
    place = Path(folder)
    values = _read_manifest(place)
    if verify:
        _verify(place, values, ignoring)
    task, max_tokens, tokenizer = values.get("task"), values.get("max_tokens"), values.get("tokenizer")
    if not isinstance(task, dict) or not isinstance(max_tokens, int) or not isinstance(tokenizer, dict):
        raise BundleError(f"{place / MANIFEST}: task, max_tokens or tokenizer is missing.", "Save the model again.")
    head = values.get("head")
    exports = {name: record for name, record in _mapping(values, "exports").items() if name != ignoring}
    return Bundle(
        folder=place,
        task=task_from_json(task),
        decisions=Decisions.from_json(_mapping(values, "decisions")),
        max_tokens=max_tokens,
        tokenizer=tokenizer,
        head=None if head is None else str(head),
        pooling=cast("Pooling", values.get("pooling", "default")),  # the head refuses what it does not know
        scores={split: _mapping(_mapping(values, "scores"), split) for split in _mapping(values, "scores")},  # type: ignore[misc]  # plain numbers, shown to people only
        facts=_mapping(values, "facts"),
        version=str(values.get("fastbert")),
        exports={name: Export.from_json(_mapping(exports, name)) for name in exports},
        seal=str(values.get("sha256")),
    )


def _read_manifest(place: Path) -> dict[str, object]:
    file = place / MANIFEST
    if not place.exists():
        raise BundleError(f"{place} does not exist.", "Train a model with `fastbert train TABLE --out FOLDER`.")
    if not file.is_file():
        hint = "It looks like a plain Hugging Face checkpoint." if (place / "config.json").is_file() else None
        if hint is not None and has_decoder(place):
            hint = (
                "It holds a model that writes texts. `fastbert summarize` reads it, with torch; it cannot be evaluated,"
                " exported or served."
            )
        raise BundleError(f"{place} is not a bundle: it has no {MANIFEST}.", hint)
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(
            f"{file} cannot be read as JSON ({error}).", "Copy the bundle again, or save it anew."
        ) from error
    found = values.get("format") if isinstance(values, dict) else None
    if not isinstance(found, int):
        raise BundleError(f"{file} has no format number; it was not written by FastBert.")
    if found > FORMAT:
        raise BundleError(
            f"{file} has format {found}; this version ({__version__}) reads formats up to {FORMAT}.",
            "Upgrade with `pip install -U fastbert-nlp`.",
        )
    return dict(values)


def has_decoder(place: Path) -> bool:
    """Return whether a folder holds a checkpoint with a decoder: it writes texts, and is no bundle."""
    try:
        values = json.loads((place / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(values, dict) and values.get("is_encoder_decoder") is True


def seal_of(manifest: Mapping[str, object]) -> str:
    """Return the sha256 of a manifest itself, without the field that holds it."""
    content = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _files_of(values: Mapping[str, object], export: str | None) -> set[str]:
    """Return the files of an export by its record, none where there is no such export."""
    record = _mapping(_mapping(values, "exports"), export or "")
    return {str(name) for name in record.get("files", ())}  # type: ignore[attr-defined]  # a list, or no bundle of ours


def _verify(place: Path, values: Mapping[str, object], ignoring: str | None) -> None:
    if values.get("sha256") != seal_of(values):
        raise BundleError(
            f"{place / MANIFEST} was changed after it was saved: its own sha256 does not fit.",
            "Copy the bundle again. If you changed it on purpose, open it with verify=False.",
        )
    ignored = _files_of(values, ignoring)
    expected = {name: checksum for name, checksum in _mapping(values, "files").items() if name not in ignored}
    missing = [name for name in expected if not (place / name).is_file()]
    if missing:
        hint = _remake(place, values, missing[0]) or "Copy the bundle again, or save it anew."
        raise BundleError(f"{place}: {', '.join(missing)} is missing.", hint)
    for name, checksum in expected.items():
        if _read_sha256(place / name) != checksum:
            hint = _remake(place, values, name) or "Copy the bundle again."
            raise BundleError(
                f"{place / name} was changed after it was saved: its sha256 is not the one in {MANIFEST}.",
                f"{hint} If you changed it on purpose, open it with verify=False.",
            )


def _read_sha256(file: Path) -> str:
    try:
        return _sha256(file)
    except OSError as error:
        raise BundleError(
            f"{file} cannot be read ({error.strerror or error}).",
            f"Let this user read it (`chmod -R a+rX {file.parent}`), or copy the bundle again.",
        ) from error


def _remake(place: Path, values: Mapping[str, object], file: str) -> str | None:
    """Return how an export is made again that a file belongs to, None for a file of the model."""
    owners = (name for name in _mapping(values, "exports") if file in _files_of(values, name))
    return next((f"Make it again with `{export_command(place, name)}`." for name in owners), None)


def _mapping(values: Mapping[str, object], name: str) -> dict[str, object]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _checksums(folder: Path) -> dict[str, str]:
    return {name: _sha256(folder / name) for name in files_of(folder)}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

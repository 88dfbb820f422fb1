"""Which engine answers for a bundle: found by name, or the fastest of those at hand.

A candidate is torch, or an export that the bundle holds. Imports an engine only when it is opened; torch
itself never for choosing among exports.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from fastbert.bundle import Bundle
from fastbert.data.tokens import Tokenizer
from fastbert.errors import BundleError, ConfigError, MissingExtraError, did_you_mean
from fastbert.exports import Export, export_command
from fastbert.inference import choice
from fastbert.inference.pipeline import Backend

# engine -> (packages it needs, extra that brings them)
ENGINES: dict[str, tuple[tuple[str, ...], str]] = {
    "torch": (("torch", "transformers"), "train"),
    "onnx": (("onnxruntime",), "onnx"),
    "openvino": (("openvino",), "openvino"),
}
TORCH = ("torch", "torch-bf16")  # in float32, and in bfloat16 where the device is fast at it


@dataclass(frozen=True)
class Chosen:
    """An opened backend. reason: why it was taken, for people."""

    backend: Backend
    reason: str


def open_backend(name: str, bundle: Bundle, tokenizer: Tokenizer, head: object | None) -> Chosen:
    """Open a backend by name: auto, torch, torch-bf16, the name of an export, or an engine that has only an int8 one.

    Raises ConfigError for an unknown name, BundleError for an engine that the bundle has no export for,
    MissingExtraError where packages are missing.
    """
    if name in TORCH:
        check_packages("torch")
        if not has_checkpoint(bundle):
            raise BundleError(
                f"{bundle.folder} has no checkpoint, which torch would open; it was packed for serving.",
                f"It answers by {', '.join(bundle.exports) or 'nothing'}; take the bundle that it was made from.",
            )
        return Chosen(_open(name, bundle, tokenizer, head), "asked for")
    if name != "auto" and name not in ENGINES and name not in bundle.exports:
        known = ["auto", *ENGINES, "torch-bf16", *(export for export in bundle.exports if export not in ENGINES)]
        raise ConfigError(f"'{name}' is not a backend.", did_you_mean(name, known) or f"Known: {', '.join(known)}.")
    candidates = _candidates(name, bundle, head)
    if len(candidates) == 1:
        return Chosen(_open(candidates[0], bundle, tokenizer, head), "asked for" if name != "auto" else "the only one")
    opened: dict[str, Backend] = {}

    def get(candidate: str) -> Backend:
        if candidate not in opened:
            opened[candidate] = _open(candidate, bundle, tokenizer, head)
        return opened[candidate]

    best, reason = choice.fastest(candidates, get, bundle, tokenizer)
    return Chosen(get(best), reason)


def open_export(export: Export, folder: Path, workers: int | None = None) -> Backend:
    """Open an exported model that lies in a folder. Raises BundleError for a file that the engine cannot read."""
    label = export.backend if export.precision == "fp32" else f"{export.backend} {export.precision}"
    try:
        if export.backend == "onnx":
            from fastbert.inference.onnx_backend import OnnxBackend

            return OnnxBackend(folder / export.file, label, workers)
        from fastbert.inference.openvino_backend import OpenVinoBackend

        return OpenVinoBackend(folder / export.file, export.compute, label, workers)
    except BundleError as error:  # the engine cannot read the file
        raise BundleError(error.message, f"Make it again with `{export_command(folder, export.name)}`.") from error


def check_packages(engine: str) -> None:
    """Raise MissingExtraError where a package of an engine is not installed."""
    missing = _missing(engine)
    if missing:
        raise MissingExtraError(missing[0], ENGINES[engine][1], f"The backend '{engine}'")


def has_checkpoint(bundle: Bundle) -> bool:
    """Return whether a bundle holds the model itself, and not its exports alone, as one that was packed for serving."""
    return (bundle.folder / "config.json").is_file()


def _candidates(name: str, bundle: Bundle, head: object | None) -> list[str]:
    """Return what can answer, at least one. head: torch needs it, where the model was trained with one."""
    if name in bundle.exports:
        check_packages(bundle.exports[name].backend)
        return [name]
    wanted = [export for export in bundle.exports.values() if name in ("auto", export.backend)]
    if name != "auto":
        check_packages(name)
        if not wanted:
            raise BundleError(
                f"{bundle.folder} has no export for {name}.",
                f"Make one with `fastbert export {bundle.folder} --backend {name}`.",
            )
    usable = [export.name for export in wanted if not _missing(export.backend)]
    # On a processor torch in float32 has never been the fastest; looking would cost its import.
    torch_may_win = _gpu_likely() and (bundle.head is None or head is not None)
    if name == "auto" and (not usable or torch_may_win) and has_checkpoint(bundle) and not _missing("torch"):
        usable.append("torch")
    if not usable:
        engines = dict.fromkeys(export.backend for export in wanted)
        check_packages(next(iter(engines), "torch"))
    return usable


def _open(candidate: str, bundle: Bundle, tokenizer: Tokenizer, head: object | None) -> Backend:
    if candidate not in TORCH:
        return open_export(bundle.exports[candidate], bundle.folder)
    module = importlib.import_module("fastbert.inference.torch_backend")
    precision = "bf16" if candidate == "torch-bf16" else "fp32"
    return cast("Backend", module.TorchBackend.open(bundle, tokenizer, head, precision))


def _missing(engine: str) -> Sequence[str]:
    return [package for package in ENGINES[engine][0] if importlib.util.find_spec(package) is None]


def _gpu_likely() -> bool:
    return sys.platform == "darwin" or any(Path(f"/dev/{name}").exists() for name in ("nvidia0", "kfd", "dxg"))

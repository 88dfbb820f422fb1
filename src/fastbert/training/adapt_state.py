"""What a run of masked training keeps after each epoch, so that it can go on after it was interrupted.

A folder of its own for each epoch: weights and optimizer state as safetensors, the rest as JSON; it is filled under
another name and renamed, and the one before it is removed then. No pickle. Knows nothing of data.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fastbert.errors import BundleError, ConfigError, TrainingError
from fastbert.training.masked_loop import Progress

FORMAT = 1
STATE, WEIGHTS, OPTIMIZER = "state.json", "weights.safetensors", "optimizer.safetensors"
PREFIX = "epoch-"


def working_folder(out: Path) -> Path:
    """Return where a run that will write to `out` keeps its state: a hidden folder beside it."""
    target = out.resolve()
    return target.parent / f".{target.name}.adapting"


def has_state(folder: Path) -> bool:
    """Return whether there is something to go on from."""
    return _latest(folder) is not None


def save_state(
    folder: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    progress: Progress,
    key: str,
) -> None:
    """Write the state after an epoch and remove the one before. key: of corpus, encoder and options.

    Raises TrainingError if the disk fails; the state before, if there was one, is still there then.
    """
    before = _latest(folder)
    place = folder / f"{PREFIX}{progress.epochs:05}"
    working = folder / f".{uuid.uuid4().hex[:8]}.part"
    try:
        working.mkdir(parents=True)
        save_file(_weights(model), str(working / WEIGHTS))
        save_file(_moments(optimizer), str(working / OPTIMIZER))
        values = {
            "format": FORMAT,
            "key": key,
            "progress": asdict(progress),
            "scaler": scaler.state_dict(),
            "files": {name: _sha256(working / name) for name in (WEIGHTS, OPTIMIZER)},
        }
        (working / STATE).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)
        os.rename(working, place)
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"{folder}: the state of the run could not be kept ({error}).",
            "Free some space and start again"
            + (" with --resume: it goes on from the epoch before." if before is not None else "."),
        ) from error
    finally:
        shutil.rmtree(working, ignore_errors=True)
    if before is not None and before != place:
        shutil.rmtree(before, ignore_errors=True)


def load_state(
    folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler, key: str
) -> Progress:
    """Put the latest state into model and optimizer, and return how far the run was.

    Raises ConfigError if there is none or it is of a run with another corpus, encoder or options, BundleError if it
    is damaged.
    """
    place = _latest(folder)
    if place is None:
        raise ConfigError(f"{folder} holds no finished epoch to go on from.", "Start without --resume.")
    try:
        values = json.loads((place / STATE).read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise BundleError(f"{place} has format {values['format']}; this version reads {FORMAT}.", _again(folder))
        if values["key"] != key:
            raise ConfigError(
                f"{folder} is of a run with another corpus, encoder or options; it cannot go on as this one.",
                f"Give the options of that run and the --precision that it chose, or remove {folder} to start anew.",
            )
        changed = [name for name, checksum in values["files"].items() if _sha256(place / name) != checksum]
        if changed:
            raise BundleError(f"{place / changed[0]} was changed after it was written.", _again(folder))
        _put_weights(model, load_file(str(place / WEIGHTS)))
        _put_moments(optimizer, load_file(str(place / OPTIMIZER)))
        scaler.load_state_dict(values["scaler"])
        return _progress(values["progress"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise BundleError(f"{place} cannot be read ({error}).", _again(folder)) from error


def key_of(folder: Path) -> str | None:
    """Return the key of the run whose state is in a folder, None if that cannot be read."""
    place = _latest(folder)
    try:
        return None if place is None else str(json.loads((place / STATE).read_text(encoding="utf-8"))["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _again(folder: Path) -> str:
    return f"Remove {folder} and start without --resume."


def _latest(folder: Path) -> Path | None:
    """Return the state of the latest epoch: whole, as it was renamed last."""
    found = sorted(path for path in folder.glob(f"{PREFIX}*") if (path / STATE).is_file())
    return found[-1] if found else None


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """Return parameters, tied ones once, and buffers that a checkpoint holds."""
    stored = set(model.state_dict())
    named = [*model.named_parameters(), *((name, buffer) for name, buffer in model.named_buffers() if name in stored)]
    return {name: tensor.detach().cpu().contiguous() for name, tensor in named}


def _put_weights(model: nn.Module, saved: Mapping[str, Tensor]) -> None:
    own = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    with torch.no_grad():
        for name, tensor in saved.items():
            if own[name].shape != tensor.shape:
                raise ValueError(f"{name} has another shape")
            own[name].copy_(tensor)


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = cast("Mapping[int, Mapping[str, Tensor]]", optimizer.state_dict()["state"])
    return {
        f"{index}.{name}": value.detach().cpu().contiguous()
        for index, values in state.items()
        for name, value in values.items()
    }


def _put_moments(optimizer: torch.optim.Optimizer, saved: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for place, value in saved.items():
        index, name = place.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _progress(values: Mapping[str, object]) -> Progress:
    evaluations = cast("list[dict[str, float]]", values["evaluations"])
    return Progress(**{**values, "evaluations": tuple(evaluations)})  # type: ignore[arg-type]  # as `asdict` wrote it


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

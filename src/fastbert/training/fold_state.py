"""What a cross-validation keeps of each finished fold, so that it can go on after it was interrupted.

One file a fold: what the model said of the rows that it had not seen, from which the task makes the same predictions
again. No text, no weights, no pickle. Knows nothing of folds but their number.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from fastbert.data.databunch import DataBunch
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError, FastBertError, TrainingError
from fastbert.inference.pipeline import Backend, predict_features
from fastbert.tasks.base import Array, Batch, Prediction

LOCK, KEY = "lock", "key"


@dataclass(frozen=True)
class FoldOutputs:
    """What one model said. outputs: by the name of a pass and of the output, "<pass>.<output>".

    batch_tokens: of a pass: with the same number the same rows are together again.    seconds: of the training.
    """

    decisions: Decisions
    batch_tokens: int
    seconds: float
    outputs: Mapping[str, Array] = field(default_factory=dict, repr=False)


class Recorder:
    """A backend that keeps what another one says."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.name, self.workers, self.batch_tokens = backend.name, 1, backend.batch_tokens
        self.outputs: dict[str, Array] = {}

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return the outputs of a pass, and keep them."""
        outputs = self._backend.forward(batch)
        name = _name_of(batch)
        self.outputs.update({f"{name}.{output}": np.ascontiguousarray(values) for output, values in outputs.items()})
        return outputs


class Replay:
    """A backend that says what was kept."""

    name, workers = "replay", 1

    def __init__(self, kept: FoldOutputs) -> None:
        self.batch_tokens = kept.batch_tokens
        self._outputs: dict[str, dict[str, Array]] = {}
        for place, values in kept.outputs.items():
            name, output = place.split(".", 1)
            self._outputs.setdefault(name, {})[output] = values

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return the outputs of a pass. Raises KeyError for one that was not kept."""
        return self._outputs[_name_of(batch)]


def answers_of(data: DataBunch, split: str, backend: Backend, decisions: Decisions) -> list[Prediction]:
    """Return what a backend, or the replay of one, says of the rows of a split by a rule."""
    tokenizer = data.tokenizer
    assert tokenizer is not None
    features, rows = data.encoded(split).features, data.examples(split)
    return predict_features(data.task, backend, features, rows, decisions, tokenizer, backend.batch_tokens)


def working_folder(out: Path) -> Path:
    """Return where a cross-validation for the model at out keeps its folds: a hidden folder beside it."""
    target = out.resolve()
    return target.parent / f".{target.name}.folds"


def check_state(working: Path, key: str, *, discard: bool) -> None:
    """Raise ConfigError if finished folds lie there that are of other data or options, unless they may be discarded."""
    if not discard and working.is_dir() and _key_of(working) not in (None, key):
        raise ConfigError(
            f"{working} holds finished folds of a run with other data, options or version; they are of no use to this.",
            "Give the options of that run to go on with it, or discard its folds with --overwrite.",
        )


@contextmanager
def working_place(working: Path, key: str, *, discard: bool) -> Iterator[Path]:
    """Have the folder of a run for oneself; folds that were finished before are still in it, and stay.

    Raises ConfigError as `check_state`, and if another process has it.
    """
    check_state(working, key, discard=discard)
    working.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(working / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise ConfigError(
            f"{working}: another run is at work there at this moment.", "Wait for it, or choose another --out."
        ) from error
    try:
        if _key_of(working) != key:
            for left in working.glob("fold-*"):
                left.unlink()
            (working / KEY).write_text(key, encoding="utf-8")
        yield working
    finally:
        lock.release()


def clear(working: Path) -> None:
    """Remove the folder of a run."""
    shutil.rmtree(working, ignore_errors=True)


def save_fold(working: Path, place: int, kept: FoldOutputs) -> None:
    """Write a finished fold, whole or not at all. Raises TrainingError if the disk fails."""
    target = _file_of(working, place)
    part = target.with_suffix(".part")
    about = {
        "decisions": json.dumps(kept.decisions.to_json()),
        "batch_tokens": str(kept.batch_tokens),
        "seconds": str(kept.seconds),
    }
    try:
        save_file(dict(kept.outputs), str(part), metadata=about)
        os.replace(part, target)
    except (OSError, SafetensorError) as error:
        part.unlink(missing_ok=True)
        raise TrainingError(
            f"{target}: the finished fold could not be kept ({error}).",
            "Free some space and start again: it goes on with this fold.",
        ) from error


def load_fold(working: Path, place: int) -> FoldOutputs | None:
    """Return a finished fold, None where there is none or it cannot be read: it is trained again then."""
    try:
        with safe_open(str(_file_of(working, place)), framework="numpy") as file:
            about = file.metadata()
            outputs = {name: file.get_tensor(name) for name in file.keys()}  # no mapping
        decisions = Decisions.from_json(json.loads(about["decisions"]))
        return FoldOutputs(decisions, int(about["batch_tokens"]), float(about["seconds"]), outputs)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, FastBertError):
        return None


def finished(working: Path, key: str, count: int) -> list[int]:
    """Return which folds of a run with this key are finished."""
    if _key_of(working) != key:
        return []
    return [place for place in range(count) if _file_of(working, place).is_file()]


def _file_of(working: Path, place: int) -> Path:
    return working / f"fold-{place + 1:03}.safetensors"


def _key_of(working: Path) -> str | None:
    try:
        return (working / KEY).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def _name_of(batch: Batch) -> str:
    """Return a name for a pass: the hash of what the model reads, as no two passes with the same differ."""
    digest = hashlib.blake2b(digest_size=16)
    for name in ("input_ids", "token_type_ids", "attention_mask"):
        digest.update(np.ascontiguousarray(batch[name]).tobytes())
    digest.update(str(batch["input_ids"].shape).encode())
    return digest.hexdigest()

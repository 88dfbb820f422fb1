"""The fastest of several backends on this machine: measured once, and remembered in the user's cache.

The memory is one small JSON file for each bundle, machine and set of package versions; it may be deleted
at any time, and where it cannot be written the measurement is made again. Knows nothing of how a
backend is opened. Imports neither torch nor transformers.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from fastbert._version import __version__
from fastbert.bundle import Bundle
from fastbert.cache import cache_folder
from fastbert.data.tokens import Tokenizer
from fastbert.inference.pipeline import Backend
from fastbert.processors import num_processors
from fastbert.tasks.base import Batch

LENGTHS = (16, 64, 256)  # tokens of the texts that are timed, as far as the model reads
ROUNDS = 3  # of which the quickest counts
PASSES = 4  # of each length at least
log = logging.getLogger(__name__)


def fastest(
    candidates: Sequence[str], get: Callable[[str], Backend], bundle: Bundle, tokenizer: Tokenizer
) -> tuple[str, str]:
    """Return the name of the fastest candidate, and why, for people.

    get: opens a candidate by name.
    """
    folder = cache_folder("backends")
    file = None if folder is None else folder / f"{_key(candidates, bundle)}.json"
    remembered = None if file is None else _remembered(file)
    if remembered in candidates:
        return str(remembered), f"the fastest of {len(candidates)} here, as measured before"
    # All get the same tokens, each in passes as large as it likes best.
    budgets = {candidate: get(candidate).batch_tokens for candidate in candidates}
    tokens = max(*budgets.values(), PASSES * min(budgets.values()))
    seconds = {
        candidate: _seconds(get(candidate), _batches(tokenizer, bundle.max_tokens, budget, tokens))
        for candidate, budget in budgets.items()
    }
    best = min(seconds, key=lambda candidate: seconds[candidate])
    if file is not None:
        _remember(file, {"backend": best, "seconds": seconds})
    shown = ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in seconds.items())
    return best, f"the fastest of {len(candidates)} here, measured now: {shown}"


def _key(candidates: Sequence[str], bundle: Bundle) -> str:
    """Return a name made of all that decides which is the fastest."""
    versions = {}
    for package in ("onnxruntime", "openvino", "torch"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    machine = [platform.node(), _processor(), num_processors(), os.environ.get("CUDA_VISIBLE_DEVICES")]
    facts = [bundle.seal, list(candidates), versions, __version__, *machine]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:20]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line for line in lines if line.startswith("model name")), platform.machine())


def _remembered(file: Path) -> object:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values.get("backend") if isinstance(values, dict) else None


def _remember(file: Path, values: dict[str, object]) -> None:
    working = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        working.write_text(json.dumps(values), encoding="utf-8")
        os.replace(working, file)
    except OSError as error:
        log.info("the choice of a backend cannot be remembered in %s (%s)", file.parent, error.strerror)


def _batches(tokenizer: Tokenizer, max_tokens: int, pass_tokens: int, tokens: int) -> list[Batch]:
    """Return batches of random tokens, so many of each length: speed depends on lengths, not on words."""
    rng = np.random.default_rng(0)
    batches: list[Batch] = []
    for length in dict.fromkeys(min(length, max_tokens) for length in LENGTHS):
        shape = (max(1, pass_tokens // length), length)
        batch: Batch = {
            "input_ids": rng.integers(0, tokenizer.backend.get_vocab_size(), shape),
            "attention_mask": np.ones(shape, np.int64),
            "token_type_ids": np.zeros(shape, np.int64),
        }
        batches += [batch] * max(1, tokens // pass_tokens)
    return batches


def _seconds(backend: Backend, batches: Sequence[Batch]) -> float:
    """Return the seconds of the quickest round, after one that warms up."""
    with ThreadPoolExecutor(backend.workers) as pool:
        rounds = []
        for _ in range(ROUNDS + 1):
            start = time.perf_counter()
            list(pool.map(backend.forward, batches))
            rounds.append(time.perf_counter() - start)
    return min(rounds[1:])

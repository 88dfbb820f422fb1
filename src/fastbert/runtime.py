"""The machine: device, precision, threads, seeds. Nobody else asks torch for these.

Knows nothing of models or data.
"""

from __future__ import annotations

import contextlib
import ctypes
import platform
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from fastbert.config import Precision
from fastbert.errors import ConfigError

# Options of glibc's mallopt: (number, value that keeps freed memory, its default).
_MALLOC = ((-4, 0, 65536), (-1, 2**31 - 1, 128 * 1024), (-2, 64 * 2**20, 0))  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Runtime:
    """Where and how numbers are computed. reason: why this precision was chosen."""

    device: torch.device
    precision: Precision
    reason: str

    @property
    def dtype(self) -> torch.dtype:
        """Return the dtype of matrix products; weights stay float32."""
        return _DTYPES[self.precision]

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """Return the context in which the forward pass runs."""
        if self.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    def describe(self) -> str:
        """Return one phrase, such as "cpu, 2 threads, bf16 (the processor has bf16 instructions)"."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        threads = f", {torch.get_num_threads()} threads" if self.device.type == "cpu" else ""
        return f"{name}{threads}, {self.precision} ({self.reason})"


def choose_runtime(precision: Precision = "auto", device: str | None = None) -> Runtime:
    """Return the best device and a precision that is fast there.

    Raises ConfigError for fp16 on a CPU, and for bf16 where the processor only emulates it
    (measured elsewhere up to 100 times slower).
    """
    if device is not None:
        chosen = torch.device(device)
    elif torch.cuda.is_available():
        chosen = torch.device("cuda")
    elif torch.backends.mps.is_available():
        chosen = torch.device("mps")
    else:
        chosen = torch.device("cpu")
    fast_bf16 = _has_fast_bf16(chosen)
    if precision == "auto":
        if fast_bf16:
            return Runtime(chosen, "bf16", "the device has bf16 instructions")
        if chosen.type == "cuda":
            return Runtime(chosen, "fp16", "the GPU has no bf16 instructions")
        return Runtime(chosen, "fp32", "the device has no bf16 instructions")
    if precision == "bf16" and not fast_bf16:
        raise ConfigError(f"precision is bf16, which {chosen.type} here only emulates.", "Use --precision auto.")
    if precision == "fp16" and chosen.type == "cpu":
        raise ConfigError("precision is fp16, which needs a GPU.", "Use --precision auto.")
    return Runtime(chosen, precision, "asked for")


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # libraries below us may still read the global state
    torch.manual_seed(seed)


@contextlib.contextmanager
def untouched_rng() -> Iterator[None]:
    """Run a block that may draw random numbers, and restore every generator afterwards."""
    python, numpy_state, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy_state)  # noqa: NPY002
        torch.set_rng_state(cpu)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)


@contextlib.contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Let the C library keep what is freed during a block, and give it back at the end.

    By default it returns large blocks to the system at once, and each training step then waits while the
    system zeroes the gradient of the word embeddings page by page: 20 ms against 2 (LOG 2026-11-24).
    Without glibc nothing happens.
    """
    libc = ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
    if libc is None:
        yield
        return
    for option, value, _ in _MALLOC:
        libc.mallopt(option, value)
    try:
        yield
    finally:
        for option, _, default in _MALLOC:
            libc.mallopt(option, default)
        libc.malloc_trim(0)


def _has_fast_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    if device.type == "cpu":
        # Private names with a fallback: torch has no public question for this yet (2.13).
        checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, name, bool)() for name in checks)
    return False

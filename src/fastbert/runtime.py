"""The machine: device, precision, threads, seeds. Nobody else asks torch for these.

Knows nothing of models or data.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import math
import platform
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from fastbert.config import Precision
from fastbert.errors import ConfigError

# Options of glibc's mallopt: (number, value that keeps freed memory, its default).
# M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
_MALLOC = ((-4, 0, 65536), (-1, 2**31 - 1, 128 * 1024), (-2, 64 * 2**20, 128 * 1024))
SPARE_STEPS, SPARE_SECONDS = 50, 10.0  # both have to pass before what is kept and unused is given back
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
# Instructions that multiply matrices of bfloat16: AVX512, AMX, ARM; names of cpuinfo in the kernel and in torch.
_BF16_INSTRUCTIONS = {"avx512_bf16", "amx_bf16", "bf16"}
CPU_INFO = Path("/proc/cpuinfo")
# Rows, inputs, outputs: a widening layer of an encoder. A GPU needs a larger one, or starting it is what is timed.
_PRODUCTS = {"cpu": (2048, 384, 1536), "other": (16384, 1024, 4096)}
_SMALL_PRODUCT = (512, 384, 1536)  # a few milliseconds on one thread
_PRODUCT_REPEATS, _PRODUCT_SECONDS = 7, 0.25
# bf16 has to be so many times as fast to be taken: AMD EPYC 2.3, Intel Xeon with AVX512_BF16 but without AMX 0.52.
_BF16_GAIN = 1.2
_rates: dict[tuple[torch.device, torch.dtype, int, str], float] = {}  # the best product of this process, by setting


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
        """Return one phrase, such as "cpu, 2 threads, bf16 (the device has bf16 instructions)"."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        count = torch.get_num_threads()
        threads = f", {count} thread{'' if count == 1 else 's'}" if self.device.type == "cpu" else ""
        return f"{name}{threads}, {self.precision} ({self.reason})"


def choose_runtime(precision: Precision = "auto", device: str | None = None) -> Runtime:
    """Return the best device and a precision that is fast there.

    A processor with bf16 instructions may still be faster without them, so one product of each is timed, once in a
    process. Raises ConfigError for fp16 on a CPU, and for bf16 where the processor only emulates it (measured
    elsewhere up to 100 times slower).
    """
    if device is not None:
        chosen = torch.device(device)
    elif torch.cuda.is_available():
        chosen = torch.device("cuda")
    elif torch.backends.mps.is_available():
        chosen = torch.device("mps")
    else:
        chosen = torch.device("cpu")
    has_bf16 = _has_bf16(chosen)
    if precision == "auto":
        if chosen.type == "cpu" and has_bf16 and bf16_gain() < _BF16_GAIN:
            return Runtime(chosen, "fp32", "the processor has bf16 instructions, and is not faster with them")
        if has_bf16:
            return Runtime(chosen, "bf16", "the device has bf16 instructions")
        if chosen.type == "cuda":
            return Runtime(chosen, "fp16", "the GPU has no bf16 instructions")
        return Runtime(chosen, "fp32", "the device has no bf16 instructions")
    if precision == "bf16" and not has_bf16:
        raise ConfigError(
            f"precision is bf16, which {chosen.type} here only emulates.",
            "Use --precision auto or fp32; to answer, --backend torch.",
        )
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
    Without glibc nothing happens. The C library adapts its thresholds by itself until they are set: after it they stay.
    """
    libc = _glibc()
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


class SpareMemory:
    """Gives back, now and then, what lies unused between tensors of changing size.

    While freed memory is kept it frays: within one fit of 700 steps on texts of up to 512 tokens a process grew to
    9.5 GB, of which 1.5 were in use between two steps (LOG 2026-11-28). Every 50 steps bound that for about 2 % of
    the processor time. Without glibc nothing happens.
    """

    def __init__(self) -> None:
        self._libc = _glibc()
        self._steps = 0
        self._since = time.monotonic()

    def after_step(self) -> None:
        """Count a step, and give memory back if it is time to."""
        self._steps += 1
        if self._steps < SPARE_STEPS or time.monotonic() - self._since < SPARE_SECONDS:
            return
        if self._libc is not None:
            self._libc.malloc_trim(0)
        self._steps, self._since = 0, time.monotonic()


def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None


@contextlib.contextmanager
def using_threads(count: int) -> Iterator[None]:
    """Compute with so many threads during a block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def float32_products(mode: str) -> Iterator[None]:
    """Compute float32 matrix products in a mode of torch ("highest", "high", "medium") during a block."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(mode)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def product_rate(runtime: Runtime, *, again: bool = False) -> float:
    """Return the FLOP per second of a matrix product as large as an encoder's, in the precision of a runtime.

    The best of several short repetitions, at most a quarter of a second; measured once for each device, precision and
    number of threads of a process, and once more when asked to: a busy neighbour can only lower it, so the best that
    was seen is the ceiling that a run is held against. It is measured and not looked up: what a processor reaches
    depends on its libraries as much as on its instructions.
    """
    threads = torch.get_num_threads() if runtime.device.type == "cpu" else 0
    setting = (runtime.device, runtime.dtype, threads, torch.get_float32_matmul_precision())
    if again or setting not in _rates:
        shape = _PRODUCTS["cpu" if runtime.device.type == "cpu" else "other"]
        measured = _measure_product(runtime.device, runtime.dtype, shape, time.perf_counter)
        _rates[setting] = max(_rates.get(setting, 0.0), measured)
    return _rates[setting]


@functools.cache
def bf16_gain() -> float:
    """Return how many times as fast the processor multiplies in bf16 as in float32.

    One thread's own processor time counts, so that a choice made by it does not depend on what else is running. Takes
    a tenth of a second, once in a process.
    """
    cpu, dtypes = torch.device("cpu"), (torch.float32, torch.bfloat16)
    with using_threads(1):
        for clock in (time.thread_time, time.perf_counter):  # the first ticks too rarely on some systems (Windows)
            exact, rounded = (_measure_product(cpu, dtype, _SMALL_PRODUCT, clock) for dtype in dtypes)
            if math.isfinite(exact) and math.isfinite(rounded):
                return rounded / exact
    return 1.0


def _measure_product(
    device: torch.device,
    dtype: torch.dtype,
    shape: tuple[int, int, int],
    clock: Callable[[], float],
) -> float:
    rows, inputs, outputs = shape
    values = torch.linspace(-1, 1, inputs, device=device).to(dtype)  # no random numbers: a run would get others
    left, right = values.expand(rows, -1).contiguous(), values.expand(outputs, -1).contiguous()
    best, started = math.inf, clock()
    with torch.inference_mode():
        for repeat in range(_PRODUCT_REPEATS + 1):
            start = clock()
            functional.linear(left, right)
            wait_for(device)
            end = clock()
            if repeat > 0:  # the first one makes its plans
                best = min(best, end - start)
                if end - started > _PRODUCT_SECONDS:
                    break
    return 2.0 * rows * inputs * outputs / best if best > 0 else math.inf


def wait_for(device: torch.device) -> None:
    """Wait until a device has done what it was given; a processor is done when it answers."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    return device.type == "cpu" and bool(_BF16_INSTRUCTIONS & _instructions())


def _instructions() -> set[str]:
    """Return the names of the processor's instructions that torch or, for older ones, the kernel tells."""
    if platform.system() == "Darwin":  # torch has no bf16 products there, though the processors have
        return set()
    asked = getattr(torch.cpu, "get_capabilities", None)
    if asked is not None:
        return {name for name, value in asked().items() if value is True}
    try:
        lines = CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return set(next((line for line in lines if line.startswith(("flags", "Features"))), "").split())

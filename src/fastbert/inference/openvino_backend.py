"""The OpenVINO backend: arrays in, arrays out. Imports neither torch nor transformers, and sends nothing."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from fastbert.errors import BundleError, first_line
from fastbert.processors import num_processors
from fastbert.tasks.base import Array, Batch

if TYPE_CHECKING:
    from types import ModuleType

# What a pass touches stays in the cache: processor seconds of MiniLM int8 on CoLA 0.26 against 0.34 with 2048
# tokens, on IMDb 0.37 against 0.53. Lengths rounded up to multiples of 4 or 8, so that fewer shapes are
# compiled, gained nothing (LOG 2026-11-24).
BATCH_TOKENS = 512
# Shapes of a pass that are kept prepared. Without a limit each new one kept 2 MB: 3 GB after 1,500 (LOG 2026-12-01).
SHAPES = 64
# The same of its kernels; a variable, since it has no option for it.
KERNELS = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
_one_at_a_time = threading.Lock()
_HINTS = {"fp32": "f32", "bf16": "bf16"}


@contextlib.contextmanager
def without_telemetry() -> Iterator[None]:
    """Hide the package through which OpenVINO and NNCF report each import and call to their maker.

    Both look for it once, when they are imported, and do without where it is missing.
    """
    name = "openvino_telemetry"
    hidden = name not in sys.modules
    if hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python spells "cannot be imported"
    try:
        yield
    finally:
        if hidden:
            del sys.modules[name]


def load_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry, ready for several threads.

    The first question for a numpy type fills a table of OpenVINO. Asked by two threads at once, each waits for ever:
    one for the table, the other, which fills it, for the interpreter (2026.4; 5 of 6 runs with four threads).
    """
    os.environ.setdefault(*KERNELS)
    with _one_at_a_time, without_telemetry():
        openvino = importlib.import_module("openvino")
        openvino.Type.i64.to_dtype()
    return openvino


class OpenVinoBackend:
    """Runs an OpenVINO file on the processor: one stream per thread, as many passes at a time as streams.

    Two streams of one thread took 0.65 of the time of one stream of two threads on CoLA (shared machine).
    compute: precision of what is not int8. Without a hint OpenVINO takes bf16 unasked where the processor has it.
    """

    batch_tokens = BATCH_TOKENS

    def __init__(self, file: Path, compute: str = "fp32", name: str = "openvino", workers: int | None = None) -> None:
        openvino = load_openvino()
        self.name = name
        self.workers = workers or num_processors()
        options = {
            "INFERENCE_PRECISION_HINT": _HINTS[compute],
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": str(self.workers),
            "INFERENCE_NUM_THREADS": str(self.workers),
            "CPU_RUNTIME_CACHE_CAPACITY": str(SHAPES),
        }
        try:
            self.compiled = openvino.Core().compile_model(str(file), "CPU", options)
        except RuntimeError as error:
            raise BundleError(
                f"{file} cannot be opened by OpenVINO {openvino.__version__} ({first_line(error)})."
            ) from error
        self.input_names = tuple(port.get_any_name() for port in self.compiled.inputs)
        self.output_names = tuple(port.get_any_name() for port in self.compiled.outputs)
        self._idle: SimpleQueue[Any] = SimpleQueue()  # requests that no thread is using

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return the outputs as float32 arrays."""
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self.compiled.create_infer_request()
        try:
            request.infer({name: batch[name] for name in self.input_names}, share_inputs=True)
            # copies: the next pass writes over them
            return {name: request.get_tensor(name).data.copy() for name in self.output_names}
        finally:
            self._idle.put(request)

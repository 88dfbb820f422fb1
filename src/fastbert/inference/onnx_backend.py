"""The ONNX Runtime backend: arrays in, arrays out. Imports neither torch nor transformers."""

from __future__ import annotations

from pathlib import Path

from fastbert.errors import BundleError
from fastbert.inference.onnx_runtime import import_onnxruntime
from fastbert.processors import num_processors
from fastbert.tasks.base import Array, Batch

# What a pass touches stays in the cache: processor seconds of MiniLM int8 on CoLA 0.29 against 0.41 with 2048
# tokens, in float32 0.73 against 1.05 with 2048 and 2.18 with 8192 (LOG 2026-11-24).
BATCH_TOKENS = 512
onnxruntime = import_onnxruntime()


class OnnxBackend:
    """Runs an ONNX file on the processor: one pass per thread, as many at a time as there are threads.

    Passes of one thread each need not wait for each other at every matrix product.
    """

    batch_tokens = BATCH_TOKENS

    def __init__(self, file: Path, name: str = "onnx", workers: int | None = None) -> None:
        self.name = name
        self.workers = workers or num_processors()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; warnings are about the graph, which the user did not write
        try:
            self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base but this
            raise BundleError(
                f"{file} cannot be opened by ONNX Runtime {onnxruntime.__version__} ({error})."
            ) from error
        self.input_names = tuple(entry.name for entry in self.session.get_inputs())
        self.output_names = [entry.name for entry in self.session.get_outputs()]

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return the outputs as float32 arrays."""
        outputs = self.session.run(self.output_names, {name: batch[name] for name in self.input_names})
        return dict(zip(self.output_names, outputs, strict=True))

"""OpenVINO files made from an ONNX file, also in 8 bits with NNCF, in schemes from the fastest to the safest.

Knows nothing of scores: who calls decides which scheme is good enough. Sends nothing to anybody.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastbert.errors import MissingExtraError
from fastbert.export.quantize import sensitive_products
from fastbert.inference.openvino_backend import load_openvino, without_telemetry
from fastbert.runtime import choose_runtime
from fastbert.tasks.base import Feature, pad_batch

if TYPE_CHECKING:
    from types import ModuleType


def bf16_pays() -> bool:
    """Return whether OpenVINO can compute in bfloat16 on this processor, and is faster so.

    The speeds are torch's, which has the same kernels (Intel Xeon without AMX: 80 GFLOP/s, 150 in float32).
    """
    can = "BF16" in load_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return can and choose_runtime("auto", "cpu").precision == "bf16"


def convert(source: Path, target: Path) -> None:
    """Write an ONNX file as an OpenVINO .xml with its .bin; the weights stay float32."""
    openvino = load_openvino()
    openvino.save_model(openvino.convert_model(str(source)), str(target), compress_to_fp16=False)


class Quantizer:
    """Writes 8-bit versions of an ONNX file. features: windows of calibration rows."""

    def __init__(self, source: Path, features: Sequence[Feature], pad_id: int) -> None:
        self.source = source
        self.features = features
        self.pad_id = pad_id

    def products(self, target: Path) -> None:
        """Quantise weights and activations, smoothed between them (SmoothQuant, arXiv 2211.10438)."""
        self._quantize(target, [])

    def without_outputs(self, target: Path) -> None:
        """As `products`, but leave out the second product of each feed-forward block and the head."""
        self._quantize(target, sensitive_products(self.source))

    def weights(self, target: Path) -> None:
        """Keep weights in 8 bits and compute with activations as they are."""
        nncf = _load_nncf()
        openvino = load_openvino()
        with _quiet():
            model = nncf.compress_weights(
                openvino.convert_model(str(self.source)), mode=nncf.CompressWeightsMode.INT8_ASYM
            )
        openvino.save_model(model, str(target), compress_to_fp16=False)

    @property
    def schemes(self) -> dict[str, Callable[[Path], None]]:
        """Return the schemes by name, the fastest first."""
        return {
            "static, smoothed": self.products,
            "static, smoothed, feed-forward outputs left out": self.without_outputs,
            "weights only": self.weights,
        }

    def _quantize(self, target: Path, excluded: list[str]) -> None:
        nncf = _load_nncf()
        openvino = load_openvino()
        model = openvino.convert_model(str(self.source))
        names = {port.get_any_name() for port in model.inputs}
        batches = [pad_batch([feature], self.pad_id) for feature in self.features]
        inputs = [{name: batch[name] for name in names} for batch in batches]
        known = {operation.get_friendly_name() for operation in model.get_ops()}
        with _quiet():
            model = nncf.quantize(
                model,
                nncf.Dataset(inputs),
                model_type=nncf.ModelType.TRANSFORMER,
                preset=nncf.QuantizationPreset.MIXED,
                subset_size=len(inputs),
                ignored_scope=nncf.IgnoredScope(names=[name for name in excluded if name in known]),
            )
        openvino.save_model(model, str(target), compress_to_fp16=False)


def _load_nncf() -> ModuleType:
    try:
        with without_telemetry(), _quiet():
            load_openvino()
            return importlib.import_module("nncf")
    except ModuleNotFoundError as error:
        raise MissingExtraError("nncf", "openvino", "int8 for OpenVINO") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence NNCF's progress bars, which it draws on standard output, and its log."""
    logger: Any = logging.getLogger("nncf")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)

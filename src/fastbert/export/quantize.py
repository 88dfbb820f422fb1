"""ONNX files with 8-bit weights and products, in schemes from the fastest to the safest.

Knows nothing of scores: who calls decides which scheme is good enough.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx

from fastbert.export.row_quantization import PRODUCTS, quantize_rows
from fastbert.inference.onnx_runtime import import_onnxruntime

quantization = import_onnxruntime("quantization")


def everything(source: Path, target: Path) -> None:
    """Quantise weights, products and embeddings; each output channel and each input row has a scale of its own."""
    embeddings = target.with_name(f"{target.name}.embeddings")
    try:
        _embeddings(source, embeddings)
        quantize_rows(embeddings, target)
    finally:
        embeddings.unlink(missing_ok=True)


def products(source: Path, target: Path) -> None:
    """Quantise products only; the embeddings stay in float32."""
    quantize_rows(source, target)


def without_outputs(source: Path, target: Path) -> None:
    """Quantise products except the second of each feed-forward block and the head.

    Their inputs come out of the activation function with a few large values among many small ones.
    """
    quantize_rows(source, target, sensitive_products(source))


SCHEMES: dict[str, Callable[[Path, Path], None]] = {
    "dynamic, per row and channel": everything,
    "dynamic, per row and channel, embeddings in fp32": products,
    "dynamic, per row and channel, embeddings and feed-forward outputs in fp32": without_outputs,
}


def sensitive_products(file: Path) -> list[str]:
    """Return the names of the products that narrow: the outputs of feed-forward blocks, and the head.

    They are known by the shape of their weight, which is the same in every family: more inputs than outputs.
    """
    graph = onnx.load(str(file)).graph
    shapes = {weight.name: tuple(weight.dims) for weight in graph.initializer}
    found = []
    for node in graph.node:
        shape = shapes.get(node.input[1]) if node.op_type in PRODUCTS else None
        if shape is None or len(shape) != 2:
            continue
        transposed = any(attribute.name == "transB" and attribute.i == 1 for attribute in node.attribute)
        inputs, outputs = reversed(shape) if transposed else shape
        if inputs > outputs:
            found.append(str(node.name))
    return found


def _embeddings(source: Path, target: Path) -> None:
    with _root_logger_untouched():
        quantization.quantize_dynamic(
            str(source),
            str(target),
            op_types_to_quantize=["Gather"],
            per_channel=True,
            weight_type=quantization.QuantType.QInt8,
        )


@contextmanager
def _root_logger_untouched() -> Iterator[None]:
    """Silence advice to preprocess the file, which fails on this graph, and the handler that comes with it."""
    root = logging.getLogger()
    handlers, disabled = root.handlers[:], root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(disabled)
        root.handlers[:] = handlers
